//! The public key with which a server signs (protocol 10.4).
use super::TransportError;
use crate::{
    text::Untrusted,
    tuf::{
        json::Value,
        key::{Algorithm, PublicKey},
        role_keys,
    },
};

/// Most bytes of a key's answer that are read (protocol 15).
pub const KEY: u64 = 256 << 10;

/// Reads a server's answer.
///
/// # Errors
/// [`TransportError::Malformed`]: it is no key, or one of a kind that nobody can verify with.
pub fn read_server_key(bytes: &[u8]) -> Result<PublicKey, TransportError> {
    let malformed = |why: String| TransportError::Malformed(Untrusted::new(format!("it is no public key: {why}")));
    let value = Value::parse(bytes).map_err(|e| malformed(e.to_string()))?;
    let key = role_keys::read_key(&value).map_err(|e| malformed(e.to_string()))?;
    match key.algorithm() {
        Algorithm::Unknown => Err(malformed(format!("nothing can be verified with one of the kind {}", key.key_type().as_str()))),
        _ => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::key::KeyType;

    #[test]
    fn a_key_of_the_real_server_is_read() {
        let key = read_server_key(
            br#"{"keytype":"ed25519","keyval":{"public":"YV+I3cR5htzUCE7x8i+5vAxvA7Qr00QG+NIptYmg4r8=","private":null}}"#,
        )
        .unwrap();
        assert_eq!(key.key_type(), &KeyType::Ed25519);
        assert_eq!(key.id().hex(), "9531e2ad652d832c7e6eebd79875cc9eff3e6b2f510ac49b917c8988574a202d");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let junk = [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"keytype":"ecdsa","keyval":{"public":"AAAA","private":null}}"#,
            r#"{"keytype":"post-quantum","keyval":{"public":"AAAA","private":null}}"#,
            r#"{"keytype":"ed25519","keyval":{"public":"YV+I3cR5htzUCE7x8i+5vAxvA7Qr00QG+NIptYmg4r8=","private":"AAAA"}}"#,
        ];
        for junk in junk {
            assert!(matches!(read_server_key(junk.as_bytes()), Err(TransportError::Malformed(_))), "{junk}");
        }
    }
}
