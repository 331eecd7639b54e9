//! What the tags of a repository lead to at its registry, beside what is signed.
use super::{ImageError, Repositories};
use crate::{
    registry::{self, Digest, Listed, Tag, TransportError},
    text::Untrusted,
    tuf::name::Gun,
};
use futures_util::{StreamExt as _, stream};
use std::collections::BTreeMap;

/// Tags that are looked up at the same time; how many requests that makes is for the settings to say.
const AT_ONCE: usize = 32;

/// The tags that a registry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryTags {
    /// What each leads to; none if it was gone when it was looked up.
    pub tags: BTreeMap<Tag, Option<Digest>>,
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
            Self::Registry { error, .. } => error.remedy().into_owned(),
        }
    }
}

impl Repositories {
    /// Asks the registry of a repository for its tags. `step` is told how many of how many were looked up.
    ///
    /// # Errors
    /// [`TagsError`]. A registry that has no such repository has no tags, which is none.
    pub async fn registry_tags(&self, gun: &Gun, step: impl Fn(usize, usize)) -> Result<RegistryTags, TagsError> {
        let (registry, name) = self.servers().images(gun)?;
        let (registry, name) = (registry.as_ref(), &name);
        let failed = |error| TagsError::Registry { address: registry.address().clone(), error };
        let none = Listed { entries: Default::default(), whole: true, refused: 0 };
        let list = match registry::tags(registry, name).await {
            Err(TransportError::NotThere { .. }) => none,
            list => list.map_err(failed)?,
        };
        let count = list.entries.len();
        let look = async |tag: Tag| (tag.clone(), registry::resolve(registry, name, tag).await);
        let mut looks = stream::iter(list.entries).map(look).buffer_unordered(AT_ONCE);
        let mut tags = BTreeMap::new();
        while let Some((tag, digest)) = looks.next().await {
            tags.insert(tag, digest.map_err(failed)?);
            step(tags.len(), count);
        }
        Ok(RegistryTags { tags, whole: list.whole, refused: list.refused })
    }
}
