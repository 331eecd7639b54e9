//! A manifest: what a tag or a digest stands for.
use super::{Asked, Digest, Name, Registry, Tag, TransportError, What};
use crate::text::Untrusted;

/// Kinds of manifest that a tag may lead to: images and lists of them, as OCI and docker spell them.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// Most bytes of a manifest. Registries take no larger ones.
pub const BYTES: u64 = 4 << 20;

/// How a manifest is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By a name that may come to mean another one.
    Tag(Tag),
    /// By what it is.
    Digest(Digest),
}

impl Reference {
    /// As it stands in an address.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

/// The bytes of a manifest, with the digest that they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What the registry sent.
    pub bytes: Vec<u8>,
    /// The digest of these bytes, computed here.
    pub digest: Digest,
    /// What the registry says that it is.
    pub kind: Option<Untrusted>,
}

/// Fetches a manifest; none if the registry has no such one.
///
/// # Errors
/// As [`Registry::get`]; [`TransportError::Malformed`] if the bytes are not what was asked for, or not what the registry says
/// they are.
pub async fn manifest(registry: &dyn Registry, name: &Name, reference: Reference) -> Result<Option<Manifest>, TransportError> {
    let wanted = match &reference {
        Reference::Digest(digest) => Some(digest.clone()),
        Reference::Tag(_) => None,
    };
    let asked = ask(name, reference, false);
    let reply = match registry.get(&asked).await {
        Ok(reply) => reply,
        Err(TransportError::NotThere { .. }) => return Ok(None),
        Err(e) => return Err(e),
    };
    let digest = Digest::of(&reply.bytes);
    // Another algorithm than SHA-256 is not computed: what was asked for by it would be believed unseen.
    if let Some(wanted) = wanted.filter(|wanted| *wanted != digest) {
        return Err(wrong(format!("{wanted} was asked for, and what came has the digest {digest}")));
    }
    let other = |said: &&Untrusted| said.raw() != digest.as_str() && said.raw().starts_with("sha256:");
    if let Some(said) = reply.digest.as_ref().filter(other) {
        return Err(wrong(format!("the registry says that its digest is {}, and it is {digest}", said.shown())));
    }
    Ok(Some(Manifest { bytes: reply.bytes, digest, kind: reply.kind }))
}

/// What a tag leads to now, as the registry says; none if it has no such tag. It is a hint, and costs no more than one: to be
/// sure, fetch the [`manifest`].
///
/// # Errors
/// As [`manifest`].
pub async fn resolve(registry: &dyn Registry, name: &Name, tag: Tag) -> Result<Option<Digest>, TransportError> {
    match registry.get(&ask(name, Reference::Tag(tag.clone()), true)).await {
        Err(TransportError::NotThere { .. }) => Ok(None),
        Err(e) => Err(e),
        // Images are signed by SHA-256: what is named by anything else is fetched to be named by that.
        Ok(reply) => match reply.digest.and_then(|said| Digest::new(said.raw())).filter(Digest::is_sha256) {
            Some(digest) => Ok(Some(digest)),
            None => Ok(manifest(registry, name, Reference::Tag(tag)).await?.map(|manifest| manifest.digest)),
        },
    }
}

fn ask(name: &Name, reference: Reference, head: bool) -> Asked {
    Asked { what: What::Manifest(name.clone(), reference), head, query: None, limit: BYTES }
}

fn wrong(text: String) -> TransportError {
    TransportError::Malformed(Untrusted::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Answer, Reply, Take};
    use futures_util::FutureExt as _;

    /// A registry that gives the same to everybody.
    struct Same(Result<Reply, TransportError>, Untrusted);

    impl Registry for Same {
        fn get<'a>(&'a self, _: &'a Asked) -> Answer<'a, Reply> {
            async move { self.0.clone() }.boxed()
        }
        fn blob<'a>(&'a self, _: &'a Name, _: &'a Digest, _: u64, _: Take<'a>) -> Answer<'a, ()> {
            std::future::pending().boxed()
        }
        fn address(&self) -> &Untrusted {
            &self.1
        }
    }

    fn same(bytes: &str, digest: Option<&str>) -> Same {
        let digest = digest.map(Untrusted::new);
        Same(Ok(Reply { bytes: bytes.into(), kind: None, digest, link: None }), Untrusted::default())
    }

    fn name() -> Name {
        Name::new("team/app").unwrap()
    }

    fn tag() -> Reference {
        Reference::Tag(Tag::new("v1").unwrap())
    }

    #[tokio::test]
    async fn the_digest_of_a_tag_is_that_of_the_bytes_that_came() {
        let found = manifest(&same("{}", None), &name(), tag()).await.unwrap().unwrap();
        assert_eq!(found.digest, Digest::of(b"{}"));
        let lie = Digest::of(b"[]");
        let failed = manifest(&same("{}", Some(lie.as_str())), &name(), tag()).await;
        assert!(matches!(failed, Err(TransportError::Malformed(_))), "a registry that contradicts itself is not believed");
        let other_algorithm = format!("sha512:{}", "0".repeat(128));
        assert!(manifest(&same("{}", Some(&other_algorithm)), &name(), tag()).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn other_bytes_than_the_digest_that_was_asked_for_are_refused() {
        let (right, wrong) = (Digest::of(b"{}"), Digest::of(b"[]"));
        let unseen = Digest::new(&format!("sha512:{}", "0".repeat(128))).unwrap();
        assert!(manifest(&same("{}", None), &name(), Reference::Digest(right)).await.unwrap().is_some());
        for digest in [wrong, unseen] {
            let failed = manifest(&same("{}", None), &name(), Reference::Digest(digest)).await;
            assert!(matches!(failed, Err(TransportError::Malformed(_))));
        }
    }

    #[tokio::test]
    async fn what_a_tag_leads_to_is_named_by_sha256_whatever_the_registry_names_it_by() {
        let (tag, ours) = (|| Tag::new("v1").unwrap(), Digest::of(b"{}"));
        let foreign = format!("sha512:{}", "0".repeat(128));
        for said in [Some(ours.as_str()), Some(&*foreign), Some("rubbish"), None] {
            assert_eq!(resolve(&same("{}", said), &name(), tag()).await, Ok(Some(ours.clone())), "{said:?}");
        }
        let none = Same(Err(TransportError::NotThere { code: None, message: None }), Untrusted::default());
        assert_eq!(resolve(&none, &name(), tag()).await, Ok(None));
    }

    #[tokio::test]
    async fn that_there_is_none_is_an_answer_and_any_other_failure_is_one() {
        let none = Same(Err(TransportError::NotThere { code: None, message: None }), Untrusted::default());
        assert_eq!(manifest(&none, &name(), tag()).await, Ok(None));
        let away = Same(Err(TransportError::TooLarge { limit: 1 }), Untrusted::default());
        assert!(manifest(&away, &name(), tag()).await.is_err());
    }
}
