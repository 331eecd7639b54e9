//! Guided work by its name, for both faces: the one place that knows which procedures there are, and what is said of them.
use super::{
    Workplace,
    key_export::{self, Half},
    key_generate, key_import, key_passwd, key_remove,
};
use crate::{
    failure::{Failure, sentence},
    keys::{self, KeyEntry},
    operator::{Cancel, Operator, Stop, run},
};
use std::path::PathBuf;

/// The code of a failure that is none: somebody did not want to go on.
pub const CANCELLED: &str = "cancelled";

/// A procedure, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Make a key.
    GenerateKey,
    /// Take the keys of a file.
    LoadKeys,
    /// Write keys to a file.
    ExportKeys(Which, Half),
    /// Change the passphrase of the key in this file.
    ChangePassphrase(PathBuf),
    /// Remove the key in this file.
    RemoveKey(PathBuf),
}

/// Which keys are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The key in this file.
    One(PathBuf),
    /// All that are listed.
    All,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What happened, as a sentence.
    pub happened: String,
    /// What to do next, as a sentence.
    pub next: &'static str,
    /// The key's file that is new or changed.
    pub key: Option<PathBuf>,
}

impl Work {
    /// What it is called.
    pub fn title(&self) -> &'static str {
        match self {
            Self::GenerateKey => "New key",
            Self::LoadKeys => "Keys from a file",
            Self::ExportKeys(_, Half::Public) => "Public half to a file",
            Self::ExportKeys(Which::One(_), Half::Private) => "A key to a file",
            Self::ExportKeys(Which::All, Half::Private) => "All keys to a file",
            Self::ChangePassphrase(_) => "Change a passphrase",
            Self::RemoveKey(_) => "Remove a key",
        }
    }

    /// What has not happened as long as nothing has.
    pub fn nothing(&self) -> &'static str {
        match self {
            Self::GenerateKey => key_generate::NOTHING,
            Self::LoadKeys => key_import::NOTHING,
            Self::ExportKeys(..) => key_export::NOTHING,
            Self::ChangePassphrase(_) => key_passwd::NOTHING,
            Self::RemoveKey(_) => key_remove::NOTHING,
        }
    }
}

/// Does a piece of work from its first question to its end.
pub async fn perform(work: Work, place: Workplace, operator: &mut dyn Operator, cancel: Cancel) -> Result<Done, Failure> {
    let nothing = work.nothing();
    let done = match work {
        Work::GenerateKey => run(operator, cancel, |s| key_generate::run(place.clone(), s)).await.map(|made| Done {
            happened: sentence(&made.to_string()),
            next: key_generate::NEXT,
            key: Some(made.path),
        }),
        Work::LoadKeys => run(operator, cancel, |s| key_import::run(place.clone(), s)).await.map(|all| Done {
            happened: sentence(&all.to_string()),
            next: all.next(),
            key: all.0.into_iter().next().map(|k| k.path),
        }),
        Work::ExportKeys(which, half) => {
            let entries = chosen(&place, which).await?;
            run(operator, cancel, |s| key_export::run(place.clone(), entries.clone(), half, s)).await.map(|exported| Done {
                happened: sentence(&exported.to_string()),
                next: half.next(),
                key: None,
            })
        }
        Work::ChangePassphrase(path) => {
            let entry = place.key_at(&path).await?;
            run(operator, cancel, |s| key_passwd::run(place.clone(), entry.clone(), s)).await.map(|changed| Done {
                happened: sentence(&changed.to_string()),
                next: key_passwd::NEXT,
                key: Some(path),
            })
        }
        Work::RemoveKey(path) => {
            let entry = place.key_at(&path).await?;
            run(operator, cancel, |s| key_remove::run(place.clone(), entry.clone(), s)).await.map(|removed| Done {
                happened: sentence(&removed.to_string()),
                next: key_remove::NEXT,
                key: None,
            })
        }
    };
    done.map_err(|stop| match stop {
        Stop::Failed(failure) => failure,
        Stop::Back | Stop::Cancelled => Failure::new(CANCELLED, "you have stopped here", nothing, ""),
    })
}

async fn chosen(place: &Workplace, which: Which) -> Result<Vec<KeyEntry>, Failure> {
    let path = match which {
        Which::One(path) => path,
        Which::All => {
            let trust_dir = place.trust_dir.clone();
            let failed = |why: String| Failure::new("internal", why, key_export::NOTHING, "");
            let listing = tokio::task::spawn_blocking(move || keys::list(&trust_dir)).await.map_err(|e| failed(e.to_string()))?;
            if listing.entries.is_empty() {
                let hint = "`key generate` makes one, `key load` takes one from a file.";
                return Err(Failure::new("no-such-key", "there are no keys here", key_export::NOTHING, hint));
            }
            return Ok(listing.entries);
        }
    };
    Ok(vec![place.key_at(&path).await?])
}
