//! What a registry has where certain content should be, hashed by the algorithm of its digest. A blob is hashed while it streams,
//! and kept nowhere.
use super::{Asked, Digest, Name, Reference, Registry, TransportError, What, manifest::BYTES};

/// What a registry has where content of this digest and size should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These very bytes.
    Same,
    /// Nothing.
    Missing,
    /// Other bytes, with this digest, or another number of them.
    Other(Digest, u64),
    /// More bytes than it should have; reading stopped there.
    Longer,
}

impl Content {
    fn of(found: Digest, count: u64, digest: &Digest, size: u64) -> Self {
        if found == *digest && count == size { Self::Same } else { Self::Other(found, count) }
    }

    /// What it means that a registry did not give it; its other failures say nothing of the content.
    fn of_error(error: TransportError) -> Result<Self, TransportError> {
        match error {
            TransportError::NotThere { .. } => Ok(Self::Missing),
            TransportError::TooLarge { .. } => Ok(Self::Longer),
            other => Err(other),
        }
    }
}

/// Fetches a blob and says whether it is what its digest says. `step` is told of each piece how many bytes it has.
///
/// # Errors
/// As [`Registry::get`]. A registry that has no such blob has answered.
pub async fn blob(
    registry: &dyn Registry,
    name: &Name,
    digest: &Digest,
    size: u64,
    step: &mut (dyn FnMut(u64) + Send),
) -> Result<Content, TransportError> {
    let (mut hash, mut count) = (digest.hasher(), 0_u64);
    let mut take = |piece: &[u8]| {
        hash.update(piece);
        let more = piece.len() as u64;
        count = count.saturating_add(more);
        step(more);
    };
    match registry.blob(name, digest, size, &mut take).await {
        Err(error) => Content::of_error(error),
        Ok(()) => Ok(Content::of(hash.finish(), count, digest, size)),
    }
}

/// Fetches a manifest, which is to be read if it is what its digest says.
///
/// # Errors
/// As [`blob`].
pub async fn manifest(
    registry: &dyn Registry,
    name: &Name,
    digest: &Digest,
    size: u64,
) -> Result<(Content, Vec<u8>), TransportError> {
    let what = What::Manifest(name.clone(), Reference::Digest(digest.clone()));
    let asked = Asked { what, head: false, query: None, limit: size.min(BYTES) };
    match registry.get(&asked).await {
        Err(error) => Content::of_error(error).map(|content| (content, Vec::new())),
        Ok(reply) => {
            let mut hash = digest.hasher();
            hash.update(&reply.bytes);
            Ok((Content::of(hash.finish(), reply.bytes.len() as u64, digest, size), reply.bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        registry::{Answer, Reply, Take},
        text::Untrusted,
    };
    use futures_util::FutureExt as _;

    /// A registry that has one content, under every digest.
    struct Has(Option<&'static [u8]>, Untrusted);

    impl Has {
        fn within(&self, limit: u64) -> Result<&'static [u8], TransportError> {
            let bytes = self.0.ok_or(TransportError::NotThere { code: None, message: None })?;
            if bytes.len() as u64 > limit { Err(TransportError::TooLarge { limit }) } else { Ok(bytes) }
        }
    }

    impl Registry for Has {
        fn get<'a>(&'a self, asked: &'a Asked) -> Answer<'a, Reply> {
            let bytes = self.within(asked.limit);
            async move { Ok(Reply { bytes: bytes?.to_vec(), kind: None, digest: None, link: None }) }.boxed()
        }
        fn blob<'a>(&'a self, _: &'a Name, _: &'a Digest, limit: u64, take: Take<'a>) -> Answer<'a, ()> {
            async move {
                // One byte at a time: how it comes apart on the way is nothing to its hash.
                self.within(limit)?.chunks(1).for_each(take);
                Ok(())
            }
            .boxed()
        }
        fn address(&self) -> &Untrusted {
            &self.1
        }
    }

    /// Both ways of fetching say the same of the same bytes.
    async fn found(has: Option<&'static [u8]>, digest: &Digest, size: u64) -> Content {
        let (registry, name) = (Has(has, Untrusted::default()), Name::new("team/app").unwrap());
        let mut steps = 0;
        let content = blob(&registry, &name, digest, size, &mut |n| steps += n).await.unwrap();
        let (same, _) = manifest(&registry, &name, digest, size).await.unwrap();
        assert_eq!(content, same);
        let whole = matches!(content, Content::Same | Content::Other(..));
        assert_eq!(steps, if whole { has.unwrap().len() as u64 } else { 0 }, "whoever waits is told of every byte");
        content
    }

    #[tokio::test]
    async fn content_is_the_same_only_if_every_byte_and_their_number_are() {
        let digest = Digest::of(b"abc");
        assert_eq!(found(Some(b"abc"), &digest, 3).await, Content::Same);
        assert_eq!(found(Some(b"abd"), &digest, 3).await, Content::Other(Digest::of(b"abd"), 3));
        assert_eq!(found(Some(b"ab"), &digest, 3).await, Content::Other(Digest::of(b"ab"), 2));
        assert_eq!(found(Some(b"abcd"), &digest, 3).await, Content::Longer);
        assert_eq!(found(Some(b"abc"), &digest, 4).await, Content::Other(digest.clone(), 3));
        assert_eq!(found(None, &digest, 3).await, Content::Missing);
    }

    #[tokio::test]
    async fn content_is_hashed_by_the_algorithm_of_its_digest() {
        for (algorithm, digits) in [
            ("sha384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"),
            (
                "sha512",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ] {
            let digest = Digest::new(&format!("{algorithm}:{digits}")).unwrap();
            assert_eq!(found(Some(b"abc"), &digest, 3).await, Content::Same);
            let Content::Other(other, 3) = found(Some(b"abd"), &digest, 3).await else { panic!("other bytes are the same") };
            assert!(other.as_str().starts_with(algorithm) && other != digest, "{other}");
        }
    }

    #[tokio::test]
    async fn a_manifest_is_never_longer_than_any_however_long_its_list_says_it_is() {
        let (registry, name) = (Has(Some(&[b' '; BYTES as usize + 1]), Untrusted::default()), Name::new("a").unwrap());
        let answer = manifest(&registry, &name, &Digest::of(b""), u64::MAX).await.unwrap();
        assert_eq!(answer, (Content::Longer, Vec::new()));
    }
}
