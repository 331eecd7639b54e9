//! Writing keys into a file for elsewhere: a bundle as `notary key export` makes it, still encrypted, or public halves.
use super::{Workplace, failure::not_done, unlock};
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    keys::{self, KeyEntry, Protection},
    operator::{Confirm, Deed, Field, Form, Fut, Review, Session, Step, Stop, as_text},
    trust_dir::shown,
    tuf::{key::PublicKey, name::KeyId},
};
use std::{
    fmt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The file.
pub const WISH: Step = Step { name: "wish", says: "Name the file to write." };
/// The confirmation for keys that nothing protects.
pub const CONFIRM: Step = Step { name: "confirm", says: "Confirm that keys leave without a passphrase." };
/// The look before it is written.
pub const REVIEW: Step = Step { name: "review", says: "Look at which keys will be written, and where." };
/// Writing it.
pub const WRITE: Step = Step { name: "write", says: "The file is written and read back." };

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "nothing was written";
/// What has to be typed so that keys leave without a passphrase.
pub const UNPROTECTED: &str = "unprotected";

/// The names of the fields, which are those of the command line.
pub mod field {
    /// The file to write.
    pub const OUTPUT: &str = "output";
}

/// Which halves are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Half {
    /// The private keys, as they are encrypted.
    Private,
    /// Their public halves.
    Public,
}

impl Half {
    /// What to know afterwards.
    pub fn next(self) -> &'static str {
        match self {
            Self::Private => "Whoever has the file and its passphrases has the keys: keep it where only you can read it.",
            Self::Public => "It is public, and may be given to anybody.",
        }
    }
}

/// Keys that were written.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Which.
    pub ids: Vec<KeyId>,
    /// Where.
    pub path: PathBuf,
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = if self.ids.len() == 1 { "one key".to_owned() } else { format!("{} keys", self.ids.len()) };
        write!(f, "{keys} written to {}, and read back", shown(&self.path))
    }
}

/// Writes listed keys into a new file.
pub fn run<'s>(
    place: Workplace,
    entries: Vec<KeyEntry>,
    half: Half,
    session: &'s mut Session<'_>,
) -> Fut<'s, Result<Exported, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let path = as_text::path(session.form(WISH, form()).await?.get(field::OUTPUT));
        let plain: Vec<String> = entries.iter().filter(|e| e.protection == Some(Protection::None)).map(unlock::called).collect();
        let mut blocks = Vec::with_capacity(entries.len());
        let mut ids = Vec::with_capacity(entries.len());
        for entry in &entries {
            let name = unlock::called(entry);
            let failed = |e| not_done(&e, &name, NOTHING);
            ids.push(entry.id.ok_or_else(|| failed(keys::KeyError::NameIsNoId))?);
            let block = match half {
                Half::Private => keys::bundled(entry).map_err(failed)?,
                Half::Public => {
                    let public: PublicKey = unlock::unlock(session, entry).await?.key().public().clone();
                    keys::public_text(entry.role.as_ref().map(|r| r.raw()), &public).map_err(failed)?
                }
            };
            blocks.push(block);
        }
        // Of its full size at once, so that growing leaves no copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(blocks.iter().map(|b| b.len()).sum()));
        blocks.iter().for_each(|b| text.extend_from_slice(b.as_bytes()));
        if half == Half::Private && !plain.is_empty() {
            session.confirm(CONFIRM, confirm(&plain)).await?;
        }
        session.review(REVIEW, review(&entries, half, &path)).await?;
        let deed = Deed::default().creates(&path, &text);
        session
            .act(WRITE, format!("writing {}", shown(&path)), deed, move || {
                let failed = |e: std::io::Error| {
                    let message = format!("{} could not be written: {e}", shown(&path));
                    Failure::new("output", message, NOTHING, "Name a new file in a directory that can be written.")
                };
                keys::write_new(&path, &text).map_err(failed)?;
                Ok(Exported { ids, path })
            })
            .await
    })
}

fn form() -> Form {
    let field = Field::path(field::OUTPUT, "File", "a new file, which only you can read")
        .checked(|path, _| writable(&as_text::path(path)));
    Form { title: "Keys to a file".to_owned(), fields: vec![field] }
}

fn writable(path: &Path) -> Result<Option<String>, String> {
    if path.as_os_str().is_empty() {
        return Err("a file is needed".to_owned());
    }
    let above = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !above.is_dir() {
        return Err(format!("{} is no directory", shown(above)));
    }
    match path.symlink_metadata() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(format!("{} cannot be used: {e}", shown(path))),
        Ok(_) => Err(format!("{} is there already", shown(path))),
    }
}

fn confirm(plain: &[String]) -> Confirm {
    Confirm {
        title: "Keys will leave without a passphrase".to_owned(),
        consequences: vec![
            format!("Nothing protects: {}.", plain.join(", ")),
            "Whoever reads the file can sign with them. `key passwd` gives them a passphrase first.".to_owned(),
        ],
        typed: UNPROTECTED.to_owned(),
    }
}

fn review(entries: &[KeyEntry], half: Half, path: &Path) -> Review {
    let mut facts = vec![("File", shown(path))];
    facts.extend(entries.iter().map(|e| ("Key", unlock::called(e))));
    let mut findings = Vec::new();
    match half {
        Half::Public => facts.push(("What", "the public halves; they may be given to anybody".to_owned())),
        Half::Private => {
            facts.push(("What", "the private keys, each with the passphrase that it has".to_owned()));
            if entries.iter().any(|e| e.problems.iter().any(|p| p.code == keys::problem::code::WEAK_DERIVATION)) {
                let text = "some are protected by few rounds of key derivation; `key passwd` writes more";
                findings.push(Finding::new(keys::problem::code::WEAK_DERIVATION, Severity::Warn, text).with_remedy("key passwd"));
            }
        }
    }
    Review { title: "Keys to a file".to_owned(), facts, findings, verb: "Write the file", plan: None }
}
