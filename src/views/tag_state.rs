//! What is signed beside what the registry has.
use super::tags::TagRow;
use crate::{
    registry::{Digest, Tag},
    repository::RegistryTags,
};
use std::collections::HashSet;

/// What the registry has for a name that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagState {
    /// The tag leads to what is signed.
    Signed,
    /// The tag leads to something else.
    Moved(Digest),
    /// The registry has no such tag.
    Missing,
    /// That cannot be said: the name is none that a tag could have, it was signed by no SHA-256, or the registry did not answer
    /// for it.
    Unknown,
}

impl TagState {
    /// One word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Moved(_) => "moved",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }

    /// What the tag leads to, where that is not what is signed.
    pub fn elsewhere(&self) -> Option<&Digest> {
        match self {
            Self::Moved(digest) => Some(digest),
            _ => None,
        }
    }
}

/// Both sides together.
#[derive(Debug)]
pub struct StatedTags {
    /// What is signed.
    pub signed: Vec<(TagRow, TagState)>,
    /// Tags for which there is no such row, and what they lead to, as far as that is known.
    pub others: Vec<(Tag, Option<Digest>)>,
    /// Whether nobody has signed those: every role was read and trusted.
    pub are_unsigned: bool,
}

impl StatedTags {
    /// Puts both sides together. A role that was `refused` may have signed more than is known.
    pub fn new(rows: Vec<TagRow>, refused: bool, registry: RegistryTags) -> Self {
        let names: HashSet<String> = rows.iter().map(|row| row.name.raw().to_owned()).collect();
        let signed = rows.into_iter().map(|row| (state(&row, &registry), row)).map(|(state, row)| (row, state)).collect();
        let unknown = registry.unknown.into_iter().map(|tag| (tag, None));
        let others = registry.tags.into_iter().filter(|(_, digest)| digest.is_some()).chain(unknown);
        let others = others.filter(|(tag, _)| !names.contains(tag.as_str())).collect();
        Self { signed, others, are_unsigned: !refused }
    }

    /// One word for a tag without a row.
    pub fn word(&self, digest: Option<&Digest>) -> &'static str {
        if self.are_unsigned && digest.is_some() { "unsigned" } else { "unknown" }
    }
}

/// The tags that rows could be of.
pub fn tags_of(rows: &[TagRow]) -> Vec<Tag> {
    rows.iter().filter_map(|row| Tag::new(row.name.raw())).collect()
}

fn state(row: &TagRow, registry: &RegistryTags) -> TagState {
    let (Some(tag), Some(signed)) = (Tag::new(row.name.raw()), row.digest) else { return TagState::Unknown };
    match registry.tags.get(&tag) {
        Some(Some(digest)) if signed.hex() == digest.digits() => TagState::Signed,
        Some(Some(digest)) => TagState::Moved(digest.clone()),
        Some(None) => TagState::Missing,
        None => TagState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{text::Untrusted, tuf::name::KeyId};

    fn row(name: &str, digest: Option<&Digest>) -> TagRow {
        let digest = digest.map(|d| KeyId::new(d.digits()).unwrap());
        TagRow { name: Untrusted::new(name), digest, size: 1, roles: vec![], released: true }
    }

    #[test]
    fn a_tag_that_leads_elsewhere_than_what_is_signed_has_moved() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let tag = |t: &str| Tag::new(t).unwrap();
        let tags = [("same", Some(a.clone())), ("moved", Some(b.clone())), ("gone", None), ("nobodys", Some(b.clone()))];
        let registry = || RegistryTags {
            tags: tags.clone().map(|(t, d)| (tag(t), d)).into(),
            unknown: vec![tag("silent"), tag("silent-too")],
            ..RegistryTags::default()
        };
        let rows = ["same", "moved", "gone", "silent", "no/tag"].map(|n| row(n, Some(&a))).to_vec();
        let all = StatedTags::new(rows, false, registry());
        let states: Vec<_> = all.signed.iter().map(|(_, s)| s.word()).collect();
        assert_eq!(states, ["signed", "moved", "missing", "unknown", "unknown"]);
        let others: Vec<_> = all.others.iter().map(|(t, d)| (t.as_str(), all.word(d.as_ref()))).collect();
        assert_eq!(others, [("nobodys", "unsigned"), ("silent-too", "unknown")]);
        // Two signers who disagree: each is held against the tag. One that signs no SHA-256 may mean anything.
        let both = vec![row("same", Some(&a)), row("same", Some(&b)), row("same", None)];
        let both = StatedTags::new(both, false, registry());
        assert_eq!(both.signed.iter().map(|(_, s)| s.word()).collect::<Vec<_>>(), ["signed", "moved", "unknown"]);
    }

    #[test]
    fn nothing_is_called_unsigned_while_a_role_is_refused_that_may_have_signed_it() {
        let tags = [(Tag::new("x").unwrap(), Some(Digest::of(b"x")))].into();
        let all = StatedTags::new(vec![], true, RegistryTags { tags, ..RegistryTags::default() });
        assert_eq!(all.others.iter().map(|(_, d)| all.word(d.as_ref())).collect::<Vec<_>>(), ["unknown"]);
    }
}
