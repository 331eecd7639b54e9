//! Which root a repository must have, as the configuration says (protocol 8.1). GUNs are compared with their case, which
//! some builds of Notary do not.
use super::{
    chain,
    key::PublicKey,
    name::{Gun, KeyId},
    x509::{Bundle, Leaf},
};
use jiff::Timestamp;

/// Pins for all repositories.
#[derive(Debug, Clone, Default)]
pub struct Pinning {
    /// GUN, or prefix ending in `*`, and the TUF IDs of acceptable root keys.
    pub certs: Vec<(String, Vec<KeyId>)>,
    /// GUN prefix and the authorities to which a root certificate must chain.
    pub ca: Vec<(String, Vec<Leaf>)>,
    /// Whether a root may be trusted because nothing else is known.
    pub first_use_off: bool,
}

/// What holds for one repository.
#[derive(Debug, Clone, Copy)]
pub enum Rule<'a> {
    /// One of these root keys.
    Keys(&'a [KeyId]),
    /// A certificate that chains to one of these.
    Authorities(&'a [Leaf]),
    /// Whatever comes first.
    FirstUse,
    /// Nothing, unless a root was seen before.
    Nothing,
}

impl Pinning {
    /// The one rule that applies; failing it does not fall through to another.
    pub fn rule(&self, gun: &Gun) -> Rule<'_> {
        let name = gun.as_str();
        if let Some((_, ids)) = self.certs.iter().find(|(g, _)| g == name) {
            return Rule::Keys(ids);
        }
        let wild = self.certs.iter().filter_map(|(g, ids)| g.strip_suffix('*').map(|p| (p, ids)));
        if let Some((_, ids)) = wild.filter(|(p, _)| name.starts_with(p)).max_by_key(|(p, _)| p.len()) {
            return Rule::Keys(ids);
        }
        if let Some((_, cas)) = self.ca.iter().filter(|(p, _)| name.starts_with(p.as_str())).max_by_key(|(p, _)| p.len()) {
            return Rule::Authorities(cas);
        }
        if self.first_use_off { Rule::Nothing } else { Rule::FirstUse }
    }
}

impl Pinning {
    /// Whether a root key with this certificate would be accepted.
    pub fn admits(&self, gun: &Gun, key: &PublicKey, now: Timestamp) -> bool {
        let rule = self.rule(gun);
        match Bundle::parse(key.public_bytes()) {
            Some(bundle) => rule.accepts(&key.id(), &bundle, now),
            None => !rule.is_pin(),
        }
    }
}

impl Rule<'_> {
    /// Whether the configuration names this repository's root.
    pub fn is_pin(&self) -> bool {
        matches!(self, Self::Keys(_) | Self::Authorities(_))
    }

    /// Whether a root key passes. A pin on an authority accepts certificates for signing code, for serving TLS (all that
    /// Notary accepts) and without a stated purpose.
    pub(super) fn accepts(&self, id: &KeyId, bundle: &Bundle, now: Timestamp) -> bool {
        match self {
            Self::Keys(ids) => ids.contains(id),
            Self::Authorities(cas) => chain::leads_to(bundle, cas, now),
            Self::FirstUse | Self::Nothing => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(list: &[(&str, u8)]) -> Pinning {
        let certs = list.iter().map(|(g, n)| (g.to_string(), vec![KeyId::from_digest([*n; 32])])).collect();
        Pinning { certs, ..Pinning::default() }
    }

    fn pinned(p: &Pinning, gun: &str) -> Option<u8> {
        match p.rule(&Gun::new(gun).unwrap()) {
            Rule::Keys(ids) => ids.first().map(|k| u8::from_str_radix(&k.hex()[..2], 16).unwrap()),
            _ => None,
        }
    }

    #[test]
    fn the_exact_pin_wins_then_the_longest_wildcard() {
        let p = pins(&[("ex.com/*", 1), ("ex.com/a/*", 2), ("ex.com/a/b", 3)]);
        assert_eq!(
            [pinned(&p, "ex.com/a/b"), pinned(&p, "ex.com/a/c"), pinned(&p, "ex.com/x"), pinned(&p, "other")],
            [Some(3), Some(2), Some(1), None]
        );
    }

    #[test]
    fn a_pin_with_capital_letters_is_not_ignored() {
        let p = pins(&[("Ex.com/App", 1)]);
        assert_eq!((pinned(&p, "Ex.com/App"), pinned(&p, "ex.com/app")), (Some(1), None));
    }

    #[test]
    fn without_a_pin_first_use_can_be_switched_off() {
        let gun = Gun::new("a").unwrap();
        assert!(matches!(Pinning::default().rule(&gun), Rule::FirstUse));
        assert!(matches!(Pinning { first_use_off: true, ..Pinning::default() }.rule(&gun), Rule::Nothing));
    }
}
