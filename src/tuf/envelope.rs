//! The envelope around every role's payload: `{"signed":…,"signatures":[…]}` (protocol 4.3 to 4.5).
use super::{
    fields::{self, Fields, Malformed},
    json::{self, JsonError, Value},
    limits,
    material::Method,
    name::KeyId,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// One signature as it stands in a file. Nothing is said about its worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The `keyid`, which may be anything.
    pub key_id: String,
    /// The `method`.
    pub method: Method,
    /// The decoded `sig`.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// The key ID, if it is one.
    pub fn id(&self) -> Option<KeyId> {
        KeyId::new(&self.key_id).ok()
    }
}

/// A moment at which metadata ends, with the text that said so: re-writing must give the same bytes (protocol 4.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    text: String,
    at: Timestamp,
}

impl Expiry {
    /// A moment, written in UTC.
    pub fn at(at: Timestamp) -> Self {
        Self { text: at.to_string(), at }
    }

    /// Reads RFC 3339, in exactly the form that Go accepts (protocol 4.7): two readers must not see two moments.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let at = Some(text).filter(|t| is_rfc3339(t)).and_then(|t| t.parse().ok());
        let at = at.ok_or(Malformed::Value("expires", "it is not a time"))?;
        Ok(Self { text: text.to_owned(), at })
    }

    /// The moment.
    pub fn moment(&self) -> Timestamp {
        self.at
    }

    /// The text in the file.
    pub(super) fn value(&self) -> Value<'static> {
        fields::string(self.text.clone())
    }
}

/// `2029-11-20T02:04:25`, a fraction of at most nine digits if any, and `Z` or an offset. Whether the numbers make a moment
/// is for the parser to say, but for the leap second, which it would round and Go refuses.
fn is_rfc3339(text: &str) -> bool {
    let fits = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(t, s)| if s == b'0' { t.is_ascii_digit() } else { t == s })
    };
    let Some((moment, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else { return false };
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let zone = match rest.strip_prefix('.') {
        None => Some(rest),
        Some(fraction) => match digits(fraction) {
            n @ 1..=9 => fraction.get(n..),
            _ => None,
        },
    };
    fits(moment, "0000-00-00T00:00:00")
        && !moment.ends_with("60")
        && zone.is_some_and(|z| z == "Z" || fits(z, "+00:00") || fits(z, "-00:00"))
}

/// The payload of a role.
pub trait Payload: Sized {
    /// The `_type` in the file.
    const TYPE: &'static str;
    /// Members besides `_type`, `version` and `expires`.
    const MEMBERS: &'static [&'static str];
    /// Reads what is not common to all roles.
    #[doc(hidden)]
    fn read(common: Common, value: &Value<'_>) -> Result<Self, Malformed>;
    /// The payload as JSON; the encoder sorts the members.
    #[doc(hidden)]
    fn write(&self) -> Value<'static>;
    /// What all roles have in common.
    fn common(&self) -> &Common;
}

/// What all payloads have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// Counts up with every change; at least 1.
    pub version: u64,
    /// When the file ends.
    pub expires: Expiry,
}

/// A parsed file about whose signatures nothing is known.
#[derive(Debug, Clone)]
pub struct Document<T> {
    /// What the file says.
    pub payload: T,
    /// The signatures under it.
    pub signatures: Vec<Signature>,
    pub(super) signed: Vec<u8>,
    pub(super) sha256: [u8; 32],
}

impl<T: Payload> Document<T> {
    /// Parses a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let file = Value::parse(bytes)?;
        let envelope = Fields::open(&file, "the file", &["signed", "signatures"])?;
        let signed = envelope.need("signed")?;
        let mut known = vec!["_type", "version", "expires"];
        known.extend_from_slice(T::MEMBERS);
        let members = Fields::open(signed, "signed", &known)?;
        if members.text("_type")? != T::TYPE {
            return Err(Malformed::OtherType);
        }
        let version = u64::try_from(members.int("version")?).ok().filter(|v| *v >= 1);
        let version = version.ok_or(Malformed::Value("version", "it is below 1"))?;
        if version > limits::VERSION {
            return Err(Malformed::Value("version", "it is so high that nothing could follow it"));
        }
        let expires = Expiry::parse(members.text("expires")?)?;
        let signatures = read_signatures(envelope.need("signatures")?)?;
        let payload = T::read(Common { version, expires }, signed)?;
        Ok(Self { payload, signatures, signed: json::canonical(signed)?, sha256: Sha256::digest(bytes).into() })
    }

    /// The bytes that are signed: the canonical form of `signed` as it was received.
    pub fn signed_bytes(&self) -> &[u8] {
        &self.signed
    }

    /// Writes the file again, with Notary's own layout. For a file that Notary made these are the same bytes.
    pub fn encode(&self) -> Result<Vec<u8>, JsonError> {
        encode(&canonical_payload(&self.payload)?, &self.signatures)
    }
}

/// The canonical bytes of a payload: what a signer signs.
pub fn canonical_payload<T: Payload>(payload: &T) -> Result<Vec<u8>, JsonError> {
    json::canonical(&payload.write())
}

/// Puts canonical payload and signatures into an envelope, as Notary stores it.
pub fn encode(canonical: &[u8], signatures: &[Signature]) -> Result<Vec<u8>, JsonError> {
    let stored = json::escape_html(canonical).ok_or_else(|| JsonError::Syntax("a control character in a string".into()))?;
    let mut out = Vec::with_capacity(stored.len() + 256);
    out.extend_from_slice(b"{\"signed\":");
    out.extend_from_slice(&stored);
    out.extend_from_slice(b",\"signatures\":[");
    for (i, s) in signatures.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let (id, method) = (json::ordinary_string(&s.key_id), json::ordinary_string(s.method.as_str()));
        out.extend_from_slice(
            format!("{{\"keyid\":{id},\"method\":{method},\"sig\":\"{}\"}}", STANDARD.encode(&s.bytes)).as_bytes(),
        );
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

fn read_signatures(value: &Value<'_>) -> Result<Vec<Signature>, Malformed> {
    let list = fields::elements(value, "signatures")?.unwrap_or_default();
    if list.len() > limits::SIGNATURES {
        return Err(Malformed::TooMany("signatures", limits::SIGNATURES));
    }
    list.iter()
        .map(|s| {
            let f = Fields::open(s, "signatures", &["keyid", "method", "sig"])?;
            Ok(Signature {
                key_id: f.text("keyid")?.to_owned(),
                method: Method::parse(f.text("method")?),
                bytes: fields::base64(f.text("sig")?, "sig")?,
            })
        })
        .collect()
}
