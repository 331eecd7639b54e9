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
    /// That cannot be said: the name is none that a tag could have, or the registry's list was cut.
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
    /// Tags that nobody signed, and what they lead to.
    pub unsigned: Vec<(Tag, Option<Digest>)>,
}

impl StatedTags {
    /// Puts both sides together.
    pub fn new(rows: Vec<TagRow>, registry: RegistryTags) -> Self {
        let names: HashSet<String> = rows.iter().map(|row| row.name.raw().to_owned()).collect();
        let signed = rows.into_iter().map(|row| (state(&row, &registry), row)).map(|(state, row)| (row, state)).collect();
        let unsigned = registry.tags.into_iter().filter(|(tag, _)| !names.contains(tag.as_str())).collect();
        Self { signed, unsigned }
    }
}

fn state(row: &TagRow, registry: &RegistryTags) -> TagState {
    let Some(tag) = Tag::new(row.name.raw()) else { return TagState::Unknown };
    match registry.tags.get(&tag) {
        Some(Some(digest)) if row.digest.is_some_and(|signed| signed.hex() == digest.digits()) => TagState::Signed,
        Some(Some(digest)) => TagState::Moved(digest.clone()),
        Some(None) => TagState::Missing,
        None if registry.whole => TagState::Missing,
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
        let registry = |whole| RegistryTags { tags: tags.clone().map(|(t, d)| (tag(t), d)).into(), whole, refused: 0 };
        let rows = || ["same", "moved", "gone", "never", "no/tag"].map(|n| row(n, Some(&a))).to_vec();
        let states = |whole| {
            let all = StatedTags::new(rows(), registry(whole));
            assert_eq!(all.unsigned, [(tag("nobodys"), Some(b.clone()))]);
            all.signed.iter().map(|(_, s)| s.word()).collect::<Vec<_>>()
        };
        assert_eq!(states(true), ["signed", "moved", "missing", "missing", "unknown"]);
        assert_eq!(states(false), ["signed", "moved", "missing", "unknown", "unknown"], "a list that was cut proves nothing");
        // Two signers who disagree: each is held against the tag.
        let both = StatedTags::new(vec![row("same", Some(&a)), row("same", Some(&b)), row("same", None)], registry(true));
        assert_eq!(both.signed.iter().map(|(_, s)| s.word()).collect::<Vec<_>>(), ["signed", "moved", "moved"]);
    }
}
