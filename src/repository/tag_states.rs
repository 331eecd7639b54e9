//! What the tags of a repository lead to at its registry, beside what is signed.
use super::{ImageError, Repositories};
use crate::{
    registry::{self, Digest, Listed, Tag, TransportError},
    text::Untrusted,
    tuf::name::Gun,
};
use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeMap, BTreeSet};

/// Tags that are looked up at the same time; how many requests that makes is for the settings to say.
const AT_ONCE: usize = 32;

/// The tags that a registry has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistryTags {
    /// What each leads to; none if there is no such tag.
    pub tags: BTreeMap<Tag, Option<Digest>>,
    /// Tags for which the registry did not answer.
    pub unknown: Vec<Tag>,
    /// Why, for the first of these.
    pub why: Option<TransportError>,
    /// Whether that is all of them.
    pub whole: bool,
    /// How many were left out because they are spelt as none can be.
    pub refused: usize,
}

/// Why the tags are not known.
#[derive(Debug, thiserror::Error)]
pub enum TagsError {
    /// There is no registry to ask.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// It did not say.
    #[error("the registry {} did not say what its tags lead to: {error}", .address.shown())]
    Registry {
        /// Where it is.
        address: Untrusted,
        /// Why.
        error: TransportError,
    },
}

impl TagsError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Image(e) => e.remedy(),
            Self::Registry { error, .. } => error.registry_remedy().into_owned(),
        }
    }
}

impl Repositories {
    /// What a tag stands for at the registry: digest and size of its manifest, or of its list of manifests. The bytes were
    /// hashed here.
    ///
    /// # Errors
    /// [`TagsError`]
    pub async fn resolve(&self, gun: &Gun, tag: &str) -> Result<Option<(String, i64)>, TagsError> {
        let (registry, name) = self.servers().images(gun)?;
        let failed = |error| TagsError::Registry { address: registry.address().clone(), error };
        let Some(tag) = Tag::new(tag) else { return Ok(None) };
        let found = registry::manifest(registry.as_ref(), &name, registry::Reference::Tag(tag)).await.map_err(failed)?;
        Ok(found.map(|m| (m.digest.to_string(), i64::try_from(m.bytes.len()).unwrap_or(i64::MAX))))
    }

    /// Asks the registry of a repository for its tags, and for those that are `signed`. `step` is told how many of how many were
    /// looked up.
    ///
    /// # Errors
    /// [`TagsError`]. A registry that has no such repository has no tags, which is none.
    pub async fn registry_tags(
        &self,
        gun: &Gun,
        signed: impl IntoIterator<Item = Tag>,
        step: impl Fn(usize, usize),
    ) -> Result<RegistryTags, TagsError> {
        let (registry, name) = self.servers().images(gun)?;
        let (registry, name) = (registry.as_ref(), &name);
        let failed = |error| TagsError::Registry { address: registry.address().clone(), error };
        let none = Listed { entries: BTreeSet::new(), whole: true, refused: 0 };
        let list = match registry::tags(registry, name).await {
            Err(TransportError::NotThere { .. }) => none,
            list => list.map_err(failed)?,
        };
        let mut entries = list.entries;
        entries.extend(signed);
        let count = entries.len();
        let look = async |tag: Tag| (tag.clone(), registry::resolve(registry, name, tag).await);
        let mut looks = stream::iter(entries).map(look).buffer_unordered(AT_ONCE);
        let mut found = RegistryTags { whole: list.whole, refused: list.refused, ..RegistryTags::default() };
        while let Some((tag, looked)) = looks.next().await {
            match looked {
                Ok(digest) => drop(found.tags.insert(tag, digest)),
                Err(e) => {
                    found.unknown.push(tag);
                    found.why.get_or_insert(e);
                }
            }
            step(found.tags.len() + found.unknown.len(), count);
        }
        found.unknown.sort();
        match found.why {
            // One that answers for nothing is away.
            Some(error) if found.tags.is_empty() => Err(failed(error)),
            _ => Ok(found),
        }
    }
}
