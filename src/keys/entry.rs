//! One key file as a listing shows it: what it claims, and what is wrong with it. Nothing is decrypted.
use super::{
    KeyError, MAX_ITERATIONS,
    dek::{DekCipher, DekInfo},
    envelope::{Cipher, Envelope, Prf},
    inner::{self, Form},
    pem_file::{self, PemFile},
    problem,
    store::KeyRole,
};
use crate::{
    finding::{Finding, Severity},
    text::Untrusted,
    trust_dir::{Found, FoundKind, Legacy, MAX_KEY_FILE, ReadError, read_regular},
    tuf::{
        key::Algorithm,
        name::{BaseRole, Gun, KeyId, RoleName},
    },
};
use jiff::Timestamp;
use std::{os::unix::ffi::OsStrExt, path::PathBuf};

/// What protects a key in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Nothing.
    None,
    /// A passphrase through PBKDF2, as everything writes today.
    Pbkdf2 {
        /// Rounds for each guess.
        iterations: u64,
        /// The keyed hash.
        prf: Prf,
        /// The cipher.
        cipher: Cipher,
    },
    /// A passphrase as in old PEM files: one round of MD5.
    OldPem(DekCipher),
    /// A passphrase, through something that is not supported.
    Unsupported,
}

/// How well a key is protected, held against what a new key of its role gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// As a new key, or better.
    Enough,
    /// By fewer rounds of key derivation.
    Weak,
    /// Not at all.
    None,
    /// That cannot be told.
    Unknown,
}

/// What a key file says of itself, without a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// The header `role`.
    pub role: Option<Untrusted>,
    /// The header `gun`.
    pub gun: Option<Untrusted>,
    /// What the key computes with; none for an encrypted key.
    pub algorithm: Option<Algorithm>,
    /// The ID of the key that is in the file; none for an encrypted key.
    pub id: Option<KeyId>,
    /// What protects it; none if that cannot be told.
    pub protection: Option<Protection>,
    /// What is wrong with the content.
    pub problems: Vec<Finding>,
}

/// One file below `private/` that is, or is named like, a private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// The file.
    pub path: PathBuf,
    /// The ID that its name claims.
    pub id: Option<KeyId>,
    /// The role: from the header, in old layouts from the name.
    pub role: Option<Untrusted>,
    /// The GUN as the file gives it; it may be none. [`KeyEntry::gun`] is the one to trust.
    pub gun_claimed: Option<Untrusted>,
    /// What the key computes with; unknown for an encrypted key.
    pub algorithm: Option<Algorithm>,
    /// What protects it; unknown for a file that cannot be read.
    pub protection: Option<Protection>,
    /// When the file was last written.
    pub modified: Option<Timestamp>,
    /// Set if it lies in an old layout.
    pub legacy: Option<Legacy>,
    /// What is wrong, worst first.
    pub problems: Vec<Finding>,
}

impl KeyEntry {
    /// The repository the key belongs to, if the file names one that can exist.
    pub fn gun(&self) -> Option<Gun> {
        self.gun_claimed.as_ref().and_then(|g| Gun::new(g.raw()).ok())
    }

    /// Whether a passphrase protects it; unknown for a file that cannot be read.
    pub fn encrypted(&self) -> Option<bool> {
        self.protection.map(|p| p != Protection::None)
    }

    /// How well it is protected.
    pub fn strength(&self) -> Strength {
        let is_root = self.role.as_ref().is_some_and(|r| r.raw() == BaseRole::Root.as_str());
        let least = if is_root { super::ROOT_ITERATIONS } else { super::ITERATIONS };
        match self.protection {
            Some(Protection::None) => Strength::None,
            Some(Protection::OldPem(_)) => Strength::Weak,
            // Nobody opens it here, and so nobody has seen that it is a key.
            Some(Protection::Pbkdf2 { iterations, .. }) if iterations > MAX_ITERATIONS => Strength::Unknown,
            Some(Protection::Pbkdf2 { iterations, .. }) if iterations < u64::from(least) => Strength::Weak,
            Some(Protection::Pbkdf2 { .. }) => Strength::Enough,
            Some(Protection::Unsupported) | None => Strength::Unknown,
        }
    }

    /// The worst that is wrong.
    pub fn severity(&self) -> Option<Severity> {
        self.problems.iter().map(|p| p.severity).max()
    }

    /// Looks at one file.
    pub(super) fn examine(found: Found) -> Self {
        let deep = found.relative().as_os_str().as_bytes().contains(&b'/');
        let Found { path, kind, id, legacy, .. } = found;
        let mut problems = Vec::new();
        if id.is_none() {
            problems.push(problem::name());
        }
        match &legacy {
            Some(l) => problems.push(problem::legacy_layout(l.role_from_directory)),
            None if deep => problems.push(problem::subdirectory()),
            None => {}
        }
        let mut entry = Self {
            role: legacy.as_ref().and_then(|l| l.role.clone()),
            gun_claimed: legacy.as_ref().and_then(|l| l.gun.clone()),
            path,
            id,
            algorithm: None,
            protection: None,
            modified: None,
            legacy,
            problems,
        };
        match kind {
            FoundKind::Symlink => entry.problems.push(problem::symlink()),
            FoundKind::Other => entry.problems.push(problem::not_a_file()),
            FoundKind::File => entry.read(),
        }
        entry
    }

    fn read(&mut self) {
        let opened = match read_regular(&self.path, MAX_KEY_FILE) {
            Ok(opened) => opened,
            Err(e) => {
                return self.problems.push(match e {
                    ReadError::Symlink => problem::symlink(),
                    ReadError::NotAFile => problem::not_a_file(),
                    ReadError::TooLarge { size, .. } => problem::oversized(size),
                    ReadError::Io(e) => problem::unreadable(&e.to_string()),
                });
            }
        };
        self.modified = i32::try_from(opened.modified.1).ok().and_then(|n| Timestamp::new(opened.modified.0, n).ok());
        let content = inspect(&opened.bytes);
        let encrypted = content.protection.is_some_and(|p| p != Protection::None);
        if opened.mode & 0o077 != 0 {
            self.problems.push(problem::open_to_others(opened.mode, encrypted));
        }
        if let (Some(name), Some(inside)) = (self.id, content.id)
            && name != inside
        {
            self.problems.push(problem::wrong_content(inside));
        }
        let is_key = content.protection.is_some();
        self.algorithm = content.algorithm;
        self.protection = content.protection;
        self.problems.extend(content.problems);
        // The header is the newer word; an old layout's name fills what it leaves out.
        self.role = content.role.or(self.role.take());
        self.gun_claimed = content.gun.or(self.gun_claimed.take());
        if is_key {
            self.check_labels();
        }
    }

    fn check_labels(&mut self) {
        let role = self.role.as_ref().map(Untrusted::raw).unwrap_or_default();
        if role.is_empty() {
            self.problems.push(problem::role_missing());
        } else if KeyRole::parse(role).is_err() && RoleName::new(role).is_err() {
            self.problems.push(problem::role_unknown(&Untrusted::new(role)));
        }
        match &self.gun_claimed {
            None if matches!(role, "targets" | "snapshot" | "timestamp") => self.problems.push(problem::gun_missing(role)),
            Some(gun) => {
                if let Err(e) = Gun::new(gun.raw()) {
                    self.problems.push(problem::gun_invalid(gun, &e.to_string()));
                }
            }
            None => {}
        }
    }
}

/// Reads what a key file says without a passphrase, and everything that is wrong with its content.
pub fn inspect(bytes: &[u8]) -> Content {
    let mut content = Content::default();
    if bytes.is_empty() {
        content.problems.push(problem::empty());
        return content;
    }
    match pem_file::parse(bytes) {
        Ok(pem) => inspect_block(&pem),
        Err(e) => {
            content.problems.push(problem::damaged(&e.to_string()));
            content
        }
    }
}

/// [`inspect`] for a block that was read.
pub(super) fn inspect_block(pem: &PemFile) -> Content {
    let label = |name| pem.header(name).map(Untrusted::new);
    let mut content = Content { role: label("role"), gun: label("gun"), ..Content::default() };
    if pem.more {
        content.problems.push(problem::more_blocks());
    }
    let Some(kind) = Kind::of(pem) else {
        content.problems.push(problem::not_a_key(&pem.label));
        return content;
    };
    let result = match kind {
        Kind::Pbes2 => content.pbes2(pem),
        Kind::OldPem(_, info) => content.old_pem(info),
        Kind::Plain(form) => content.plain(form, pem),
    };
    match result {
        Ok(()) => {}
        Err(KeyError::Unsupported(what)) => content.problems.push(problem::unsupported(&what)),
        Err(KeyError::Damaged(what)) => content.problems.push(problem::damaged(what)),
        Err(e) => content.problems.push(problem::damaged(&e.to_string())),
    }
    content
}

impl Content {
    fn pbes2(&mut self, pem: &PemFile) -> Result<(), KeyError> {
        self.protection = Some(Protection::Unsupported);
        let e = Envelope::parse(&pem.der)?;
        self.protection = Some(Protection::Pbkdf2 { iterations: e.iterations, prf: e.prf, cipher: e.cipher });
        if e.has_broken_lengths() {
            self.problems.push(problem::crashes_notary());
        }
        match (e.prf, e.cipher) {
            (Prf::Sha1, Cipher::Aes256) => {}
            (Prf::Sha1, cipher) => self.problems.push(problem::not_for_notary(&format!("the cipher {cipher}"))),
            (prf, _) => self.problems.push(problem::not_for_notary(&format!("key derivation with {prf}, as OpenSSL does"))),
        }
        if e.iterations > MAX_ITERATIONS {
            self.problems.push(problem::iterations(e.iterations));
        } else if e.iterations == 0 {
            return Err(KeyError::Damaged("its key derivation has no iterations"));
        } else if e.iterations < u64::from(super::ITERATIONS) {
            self.problems.push(problem::weak_derivation(e.iterations));
        }
        Ok(())
    }

    fn old_pem(&mut self, info: Result<DekInfo, KeyError>) -> Result<(), KeyError> {
        self.protection = Some(Protection::Unsupported);
        self.protection = Some(Protection::OldPem(info?.cipher));
        self.problems.push(problem::old_encryption());
        Ok(())
    }

    fn plain(&mut self, form: Form, pem: &PemFile) -> Result<(), KeyError> {
        self.protection = Some(Protection::None);
        self.problems.push(problem::unencrypted());
        if inner::only_for_others(form, &pem.der) {
            self.problems.push(problem::not_for_notary("Ed25519 in the form of RFC 8410"));
        }
        let (public, algorithm) = inner::glance(form, &pem.der)?;
        self.algorithm = Some(algorithm);
        self.id = Some(public.id());
        if !algorithm.may_sign() {
            self.problems.push(problem::weak_key(algorithm));
        }
        Ok(())
    }
}

/// How the key in a PEM block is packed.
pub(super) enum Kind {
    /// `ENCRYPTED PRIVATE KEY`.
    Pbes2,
    /// One of the old types with a `DEK-Info` header.
    OldPem(Form, Result<DekInfo, KeyError>),
    /// Not encrypted.
    Plain(Form),
}

impl Kind {
    /// Tells the kind by the PEM type, as Notary does; none for a block that is no private key.
    pub(super) fn of(pem: &PemFile) -> Option<Self> {
        let form = match pem.label.as_str() {
            "ENCRYPTED PRIVATE KEY" => return Some(Self::Pbes2),
            "PRIVATE KEY" => return Some(Self::Plain(Form::Pkcs8)),
            "RSA PRIVATE KEY" => Form::Pkcs1,
            "EC PRIVATE KEY" => Form::Sec1,
            "ED25519 PRIVATE KEY" => Form::Ed25519,
            _ => return None,
        };
        Some(match pem.header("DEK-Info") {
            Some(value) => Self::OldPem(form, DekInfo::parse(value)),
            None => Self::Plain(form),
        })
    }
}
