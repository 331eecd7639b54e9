//! What something with an effect will have done to files, known before it is done: whoever finds it interrupted can tell by
//! it how far it came.
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// The files that will be different; none where something else changes, such as permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Each of them.
    pub changes: Vec<Change>,
}

/// A file that will be different. A hash is the SHA-256 of its bytes in hexadecimal digits; none if it is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The file.
    #[serde(with = "as_text")]
    pub path: PathBuf,
    /// Its hash before.
    pub before: Option<String>,
    /// Its hash afterwards.
    pub after: Option<String>,
    /// Its hash on the way, where it is something else in between: not done yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub midway: Option<String>,
    /// Whether it is of no use without the others, and can be taken away again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_with_others: bool,
}

impl Deed {
    /// A file will be there.
    pub fn creates(self, path: &Path, bytes: &[u8]) -> Self {
        self.and(path, None, Some(bytes), false)
    }

    /// A file will be there that is of no use without the others.
    pub fn creates_beside(self, path: &Path, bytes: &[u8]) -> Self {
        self.and(path, None, Some(bytes), true)
    }

    /// A file will hold something else.
    pub fn replaces(self, path: &Path, before: &[u8], after: &[u8]) -> Self {
        self.and(path, Some(before), Some(after), false)
    }

    /// A file will be gone.
    pub fn removes(self, path: &Path, before: &[u8]) -> Self {
        self.and(path, Some(before), None, false)
    }

    /// A file will be gone, and hold something else before.
    pub fn removes_after(self, path: &Path, before: &[u8], midway: &[u8]) -> Self {
        let mut deed = self.removes(path, before);
        if let Some(change) = deed.changes.last_mut() {
            change.midway = Some(hash(midway));
        }
        deed
    }

    fn and(mut self, path: &Path, before: Option<&[u8]>, after: Option<&[u8]>, only_with_others: bool) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.changes.push(Change { path, before: before.map(hash), after: after.map(hash), midway: None, only_with_others });
        self
    }
}

/// The hash of a file's bytes.
pub fn hash(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(bytes))
}

/// Paths in a record: as they are if they are UTF-8, else in hexadecimal digits after a character that no path has.
pub mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::{
        ffi::OsString,
        os::unix::ffi::{OsStrExt, OsStringExt},
        path::{Path, PathBuf},
    };

    /// Writes a path.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&of(path))
    }

    /// A path as text, from which [`path`] makes the same one again.
    pub fn of(path: &Path) -> String {
        match path.to_str() {
            Some(text) => text.to_owned(),
            None => format!("\0{}", base16ct::lower::encode_string(path.as_os_str().as_bytes())),
        }
    }

    /// The path that a text stands for: what somebody has typed stands for itself.
    pub fn path(text: &str) -> PathBuf {
        let bytes = text.strip_prefix('\0').and_then(|digits| base16ct::lower::decode_vec(digits).ok());
        bytes.map_or_else(|| text.into(), |bytes| OsString::from_vec(bytes).into())
    }

    /// Reads a path.
    ///
    /// # Errors
    /// If it is none.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        let text = String::deserialize(deserializer)?;
        let path = path(&text);
        // No path has this character.
        if path.as_os_str().as_bytes().starts_with(b"\0") { Err(D::Error::custom("no path")) } else { Ok(path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    #[test]
    fn every_path_comes_back_from_a_record() {
        for bytes in [&b"/plain"[..], b"/\xc3\xa4", b"/\xff\xfe", b"/with\nline"] {
            let deed = Deed::default().removes(Path::new(OsStr::from_bytes(bytes)), b"x");
            let text = serde_json::to_string(&deed).unwrap();
            assert_eq!(serde_json::from_str::<Deed>(&text).unwrap(), deed);
        }
    }
}
