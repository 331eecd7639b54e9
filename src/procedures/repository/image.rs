//! What a tag stands for, where nobody says it: what the registry has.
use super::NOTHING;
use crate::{failure::Failure, repository::Repositories, text::Untrusted, tuf::name::Gun};

/// What the registry has under a tag: the SHA-256 of its manifest in hexadecimal digits, and its size.
///
/// # Errors
/// If it does not answer, or has nothing there.
pub async fn at_registry(all: &Repositories, gun: &Gun, tag: &str) -> Result<(String, i64), Failure> {
    let found = all.resolve(gun, tag).await.map_err(|e| {
        let hint = format!("{} Or give the digest and the size.", e.remedy());
        Failure::new("registry", e.to_string(), NOTHING, hint)
    })?;
    let (digest, size) = found.ok_or_else(|| {
        let message = format!("the registry has no tag {} of {gun}", Untrusted::new(tag).shown());
        Failure::new("no-such-tag", message, NOTHING, "Push the image first.")
    })?;
    Ok((digest.strip_prefix("sha256:").unwrap_or_default().to_owned(), size))
}
