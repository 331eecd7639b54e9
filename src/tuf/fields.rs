//! Reading known members out of an object, strictly.
use super::json::{JsonError, Member, Value};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::borrow::Cow;

/// Why a file is not the metadata it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not JSON at all, or JSON that two readers could read differently.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// A member is missing.
    #[error("the member \"{0}\" is missing")]
    Missing(&'static str),
    /// A member has another type, or a value that this member cannot have.
    #[error("the member \"{0}\" is not what it should be: {1}")]
    Value(&'static str, &'static str),
    /// A member differs from a known one only by upper and lower case, which Notary would read as that member.
    #[error("a member is spelled like \"{0}\" but for upper and lower case")]
    Case(&'static str),
    /// More of something than we read.
    #[error("there are more than {1} {0}")]
    TooMany(&'static str, usize),
    /// A key stands under an ID that is not its own.
    #[error("a key stands under an ID that is not its own")]
    KeyUnderOtherId,
    /// A role names a key ID that the file does not define.
    #[error("a role names a key that is not in the file")]
    KeyMissing,
    /// The `_type` is another role's.
    #[error("the file says that it is of another type")]
    OtherType,
}

/// The members of one object.
pub(super) struct Fields<'v, 'a> {
    members: &'v [Member<'a>],
}

impl<'v, 'a> Fields<'v, 'a> {
    /// Opens the object that stands in member `name`, whose own members may be `known` (others are ignored).
    pub(super) fn open(value: &'v Value<'a>, name: &'static str, known: &[&'static str]) -> Result<Self, Malformed> {
        let Value::Object(members) = value else { return Err(Malformed::Value(name, "it is not an object")) };
        for (found, _) in members {
            if let Some(k) = known.iter().find(|k| found.as_ref() != **k && same_but_for_case(found, k)) {
                return Err(Malformed::Case(k));
            }
        }
        Ok(Self { members })
    }

    /// A member that may be absent.
    pub(super) fn find(&self, name: &'static str) -> Option<&'v Value<'a>> {
        self.members.iter().find(|(k, _)| k == name).map(|(_, v)| v)
    }

    /// A member that must be there.
    pub(super) fn need(&self, name: &'static str) -> Result<&'v Value<'a>, Malformed> {
        self.find(name).ok_or(Malformed::Missing(name))
    }

    /// A string.
    pub(super) fn text(&self, name: &'static str) -> Result<&'v str, Malformed> {
        text(self.need(name)?, name)
    }

    /// A whole number; `1.0` and `1e0` are none (protocol 4.2).
    pub(super) fn int(&self, name: &'static str) -> Result<i64, Malformed> {
        match self.need(name)? {
            Value::Int(n) => Ok(*n),
            _ => Err(Malformed::Value(name, "it is not a whole number")),
        }
    }
}

/// Whether Go takes one name for the other: by Unicode's simple folding, in which `ſ` (U+017F) is an s and `K` (U+212A) a k.
fn same_but_for_case(found: &str, known: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    found.chars().map(fold).eq(known.chars().map(fold))
}

/// The text of a string value.
pub(super) fn text<'v>(value: &'v Value<'_>, name: &'static str) -> Result<&'v str, Malformed> {
    match value {
        Value::Str(s) => Ok(s),
        _ => Err(Malformed::Value(name, "it is not a string")),
    }
}

/// Decodes padded base64.
pub(super) fn base64(text: &str, name: &'static str) -> Result<Vec<u8>, Malformed> {
    STANDARD.decode(text).map_err(|_| Malformed::Value(name, "it is not base64"))
}

/// The members of an object whose names are data, not keywords. `null` counts as absent, as in Go.
pub(super) fn entries<'v, 'a>(value: &'v Value<'a>, name: &'static str) -> Result<Option<&'v [Member<'a>]>, Malformed> {
    match value {
        Value::Null => Ok(None),
        Value::Object(m) => Ok(Some(m)),
        _ => Err(Malformed::Value(name, "it is not an object")),
    }
}

/// The elements of a list. `null` counts as absent, as in Go.
pub(super) fn elements<'v, 'a>(value: &'v Value<'a>, name: &'static str) -> Result<Option<&'v [Value<'a>]>, Malformed> {
    match value {
        Value::Null => Ok(None),
        Value::List(l) => Ok(Some(l)),
        _ => Err(Malformed::Value(name, "it is not a list")),
    }
}

/// An object, with its members as given (the canonical encoder sorts them).
pub(super) fn object<const N: usize>(members: [(&'static str, Value<'static>); N]) -> Value<'static> {
    Value::Object(members.into_iter().map(|(k, v)| (Cow::Borrowed(k), v)).collect())
}

/// A string value.
pub(super) fn string(s: impl Into<String>) -> Value<'static> {
    Value::Str(Cow::Owned(s.into()))
}
