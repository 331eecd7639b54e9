//! Length and hashes of a file: a target, or metadata named by snapshot and timestamp (protocol 5.2, 5.3).
use super::{
    fields::{self, Fields, Malformed},
    json::Value,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256, Sha512};
use std::borrow::Cow;

/// An algorithm and what it gave. Nearly all are SHA-256, which needs no memory of its own.
#[derive(Debug, Clone, PartialEq)]
enum Hash {
    Sha256([u8; 32]),
    /// Any other, or one of another length than its algorithm gives.
    Other(Box<str>, Box<[u8]>),
}

impl Hash {
    fn new(algorithm: &str, bytes: Vec<u8>) -> Self {
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(digest) if algorithm == SHA256 => Self::Sha256(digest),
            _ => Self::Other(algorithm.into(), bytes.into_boxed_slice()),
        }
    }

    fn algorithm(&self) -> &str {
        match self {
            Self::Sha256(_) => SHA256,
            Self::Other(algorithm, _) => algorithm,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(digest) => digest,
            Self::Other(_, bytes) => bytes,
        }
    }
}

const SHA256: &str = "sha256";

/// Length and hashes, and for a target whatever its signer added.
#[derive(Debug, Clone, PartialEq)]
pub struct FileMeta {
    /// Bytes; for an image the size of its manifest.
    pub length: i64,
    /// Hashes by algorithm, in the file's order.
    hashes: Option<Vec<Hash>>,
    /// The signer's own data.
    pub custom: Option<Box<Value<'static>>>,
}

impl FileMeta {
    /// Describes a target by its SHA-256, as `docker push` does.
    pub fn from_sha256(length: i64, sha256: [u8; 32]) -> Self {
        Self { length, hashes: Some(vec![Hash::Sha256(sha256)]), custom: None }
    }

    /// Describes metadata: length, SHA-256 and SHA-512.
    pub fn of(bytes: &[u8]) -> Self {
        let hashes = vec![Hash::Sha256(Sha256::digest(bytes).into()), Hash::new("sha512", Sha512::digest(bytes).to_vec())];
        Self { length: i64::try_from(bytes.len()).unwrap_or(i64::MAX), hashes: Some(hashes), custom: None }
    }

    /// The hash by an algorithm, if the file names one.
    pub fn hash(&self, algorithm: &str) -> Option<&[u8]> {
        self.hashes.as_deref()?.iter().find(|h| h.algorithm() == algorithm).map(Hash::bytes)
    }

    /// The SHA-256, if there is a well-formed one.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        self.hash(SHA256)?.try_into().ok()
    }

    /// What stands for all that is said beside length and SHA-256: other hashes, and what the signer added. None if there is
    /// nothing more.
    pub fn beside_sha256(&self) -> Option<String> {
        let others = self.hashes.iter().flatten().any(|h| h.algorithm() != SHA256);
        if !others && self.custom.is_none() {
            return None;
        }
        let said = super::json::ordinary(&self.value());
        let digest = base16ct::lower::encode_string(&Sha256::digest(said));
        Some(digest.chars().take(32).collect())
    }

    /// Whether every known hash fits, and at least one is known (protocol 5.3).
    pub fn fits(&self, bytes: &[u8]) -> bool {
        let sha256 = self.hash("sha256").map(|h| h == Sha256::digest(bytes).as_slice());
        let sha512 = self.hash("sha512").map(|h| h == Sha512::digest(bytes).as_slice());
        sha256.or(sha512).is_some() && sha256.unwrap_or(true) && sha512.unwrap_or(true)
    }

    pub(super) fn read(value: &Value<'_>) -> Result<Self, Malformed> {
        let f = Fields::open(value, "file", &["custom", "hashes", "length"])?;
        let hash = |(a, v): &(Cow<'_, str>, Value<'_>)| {
            let bytes = match v {
                Value::Null => Vec::new(),
                v => fields::base64(fields::text(v, "hashes")?, "hashes")?,
            };
            Ok::<_, Malformed>(Hash::new(a, bytes))
        };
        let hashes = fields::entries(f.need("hashes")?, "hashes")?.map(|m| m.iter().map(hash).collect::<Result<Vec<_>, _>>());
        Ok(Self { length: f.int("length")?, hashes: hashes.transpose()?, custom: f.find("custom").map(|v| Box::new(owned(v))) })
    }

    /// As `read`, and with what snapshot and timestamp must have: a length and a well-formed SHA-256.
    pub(super) fn read_checked(value: &Value<'_>) -> Result<Self, Malformed> {
        let meta = Self::read(value)?;
        let wrong = |a, n| meta.hash(a).is_some_and(|h| h.len() != n);
        if meta.sha256().is_none() || wrong("sha512", 64) {
            return Err(Malformed::Value("hashes", "there is no well-formed SHA-256"));
        }
        if meta.length < 0 {
            return Err(Malformed::Value("length", "it is negative"));
        }
        Ok(meta)
    }

    pub(super) fn value(&self) -> Value<'static> {
        let hashes = match &self.hashes {
            None => Value::Null,
            Some(m) => {
                let member = |h: &Hash| (Cow::Owned(h.algorithm().to_owned()), fields::string(STANDARD.encode(h.bytes())));
                Value::Object(m.iter().map(member).collect())
            }
        };
        let mut members = vec![(Cow::Borrowed("hashes"), hashes), (Cow::Borrowed("length"), Value::Int(self.length))];
        if let Some(c) = &self.custom {
            members.push((Cow::Borrowed("custom"), c.as_ref().clone()));
        }
        Value::Object(members)
    }
}

/// A copy that borrows nothing.
pub(super) fn owned(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Null => Value::Null,
        Value::Bool(b) => Value::Bool(*b),
        Value::Int(n) => Value::Int(*n),
        Value::Float(f) => Value::Float(*f),
        Value::Str(s) => fields::string(s.as_ref()),
        Value::List(l) => Value::List(l.iter().map(owned).collect()),
        Value::Object(m) => Value::Object(m.iter().map(|(k, v)| (Cow::Owned(k.to_string()), owned(v))).collect()),
    }
}
