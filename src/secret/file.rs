//! A file of passphrases: `ROLE=…` or `KEY_ID=…` lines, or one bare line for every key.
use super::{Passphrase, PassphraseError, Wanted};
use crate::os::strongroom;
use std::{
    fs::File,
    io::Read,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
};
use zeroize::Zeroizing;

/// Largest passphrase file, in bytes.
const MAX_SIZE: u64 = 64 << 10;

/// What a passphrase file says.
pub struct PassphraseFile {
    /// Where it is, quoted; empty if it was not read from a file.
    path: String,
    lines: Vec<(Option<String>, Passphrase)>,
}

impl PassphraseFile {
    /// Reads a file. It must belong to nobody but its owner: with any permission for group or others it is refused, and
    /// the error names the `chmod` that mends it.
    pub fn open(path: &Path) -> Result<Self, PassphraseError> {
        strongroom(|| Self::read(path))
    }

    fn read(path: &Path) -> Result<Self, PassphraseError> {
        let failed = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => PassphraseError::NoFile(format!("{path:?}")),
            _ => PassphraseError::File { path: format!("{path:?}"), why: e.to_string() },
        };
        let file = File::open(path).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        if meta.file_type().is_file() && meta.mode() & 0o077 != 0 {
            return Err(PassphraseError::FileNotPrivate { path: format!("{path:?}"), mode: meta.mode() & 0o777 });
        }
        if !(meta.file_type().is_file() || meta.file_type().is_fifo()) {
            let why = "it is neither a file nor a pipe".to_owned();
            return Err(PassphraseError::File { path: format!("{path:?}"), why });
        }
        // One allocation of the full size, so that growing leaves no copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SIZE as usize + 1));
        file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_SIZE {
            let why = format!("it is larger than {MAX_SIZE} bytes");
            return Err(PassphraseError::File { path: format!("{path:?}"), why });
        }
        match Self::parse(&bytes) {
            Ok(file) => Ok(Self { path: format!("{path:?}"), ..file }),
            Err(why) => Err(PassphraseError::File { path: format!("{path:?}"), why }),
        }
    }

    /// Where it is, quoted.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What lines for a key may begin with, for an error.
    pub fn beginnings(wanted: &Wanted<'_>) -> String {
        let role = match wanted.role {
            role if is_known(role) => Some(role),
            role if is_signer(role) => Some("delegation"),
            _ => None,
        };
        let names: Vec<String> = wanted.key_id.into_iter().chain(role).map(|name| format!("{name}=")).collect();
        if names.is_empty() { "delegation=".to_owned() } else { names.join(" or ") }
    }

    /// Reads the content of a file. The error says which line is wrong, never what it holds.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let lines: Vec<(usize, &[u8])> = bytes
            .split(|b| *b == b'\n')
            .map(|l| l.strip_suffix(b"\r").unwrap_or(l))
            .enumerate()
            .filter(|(_, l)| !l.is_empty())
            .collect();
        let single = lines.len() == 1;
        let mut out: Vec<(Option<String>, Passphrase)> = Vec::new();
        for (number, line) in lines {
            let number = number + 1;
            let (name, value) = match split(line) {
                Some((name, value)) if is_known(name) => (Some(name), value),
                // One line alone may be a passphrase that happens to look like NAME=…: guessing would lock somebody out.
                Some((name, value)) if is_signer(name) && !value.is_empty() => {
                    if single {
                        return Err(format!(
                            "line {number} may be a passphrase or NAME=PASSPHRASE; write delegation=… for signers' keys, or name the role"
                        ));
                    }
                    (Some(name), value)
                }
                _ if single => (None, line),
                _ => return Err(format!("line {number} is not ROLE=… or KEY_ID=…")),
            };
            if value.is_empty() {
                return Err(format!("line {number} gives no passphrase"));
            }
            let name = name.map(str::to_owned);
            if out.iter().any(|(n, _)| *n == name) {
                return Err(format!("line {number} repeats a name"));
            }
            out.push((name, Passphrase::of(value)));
        }
        if out.is_empty() {
            return Err("it is empty".to_owned());
        }
        Ok(Self { path: String::new(), lines: out })
    }

    /// The passphrase for a key: by its ID, then by its role, then `delegation` for a role that is none of the four
    /// base roles, then a bare line.
    pub fn get(&self, wanted: &Wanted<'_>) -> Option<&Passphrase> {
        let named = |n: &str| self.lines.iter().find(|(name, _)| name.as_deref() == Some(n)).map(|(_, p)| p);
        wanted
            .key_id
            .and_then(named)
            .or_else(|| named(wanted.role))
            .or_else(|| if is_base(wanted.role) { None } else { named("delegation") })
            .or_else(|| self.lines.iter().find(|(name, _)| name.is_none()).map(|(_, p)| p))
    }
}

fn split(line: &[u8]) -> Option<(&str, &[u8])> {
    let at = line.iter().position(|b| *b == b'=')?;
    let (name, rest) = line.split_at_checked(at)?;
    Some((std::str::from_utf8(name).ok()?, rest.get(1..)?))
}

fn is_base(role: &str) -> bool {
    matches!(role, "root" | "targets" | "snapshot" | "timestamp")
}

/// A name that can be nothing but a role or a key ID.
fn is_known(name: &str) -> bool {
    let id = name.len() == 64 && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    id || is_base(name) || name == "delegation" || name.strip_prefix("targets/").is_some_and(|n| !n.is_empty())
}

/// The form of a signer's name in docker.
fn is_signer(name: &str) -> bool {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.bytes().next().is_some_and(ok) && name.bytes().all(|b| ok(b) || b == b'-' || b == b'_')
}
