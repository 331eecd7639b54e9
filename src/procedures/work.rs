//! Which procedures there are, for both faces: what each is called, what it is about, and how it is begun.
use super::{
    Workplace, key_export,
    key_export::Half,
    key_generate, key_import, key_mend, key_migrate, key_passwd, key_remove, key_strengthen, key_test,
    record::Recording,
    repository::{
        self, About, Inquiry, Report, Wanted, inquiry,
        push::{self, Destination},
    },
    tour,
};
use crate::{
    failure::{Failure, ended, sentence},
    keys::KeyEntry,
    operator::{Cancel, Operator, Stop, as_text},
    tuf::name::Gun,
    views::columns::columns,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The code of a failure that is none: somebody did not want to go on.
pub const CANCELLED: &str = "cancelled";

/// A procedure, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Make a key.
    GenerateKey,
    /// Take the keys of a file.
    LoadKeys,
    /// Write keys to a file.
    ExportKeys(Which, Half),
    /// Change the passphrase of the key in this file.
    ChangePassphrase(#[serde(with = "as_text")] PathBuf),
    /// Remove the key in this file.
    RemoveKey(#[serde(with = "as_text")] PathBuf),
    /// Test the key in this file.
    TestKey(#[serde(with = "as_text")] PathBuf),
    /// Move keys of old layouts.
    MigrateKeys,
    /// Raise the key derivation of the keys in these files, or of all.
    StrengthenKeys(Option<Vec<KeyFile>>),
    /// Mend permissions.
    MendPermissions,
    /// Change repositories.
    Change(Box<Wanted>),
    /// The same, where what is empty in it is asked.
    Ask(Box<Wanted>),
    /// Send an image to its registry.
    PushImage(Destination),
    /// Ask a repository and its registry.
    Inquire(Inquiry),
    /// Walk through content trust in a world to practise on.
    Tour,
}

/// Which keys are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The keys in these files.
    These(Vec<KeyFile>),
    /// All that are listed.
    All,
}

/// The file of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyFile(#[serde(with = "as_text")] pub PathBuf);

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// What happened, as a sentence.
    pub happened: String,
    /// What of it did not go well, or is to be known beside it, each as a sentence.
    pub left: Vec<String>,
    /// The exit status, if it is another than that says.
    pub exit: Option<u8>,
    /// What was found: lines in columns.
    pub rows: Vec<Row>,
    /// What of it somebody may want to take elsewhere.
    pub copy: Option<String>,
    /// What to do next, as a sentence.
    pub next: &'static str,
    /// The key's file that is new or changed.
    pub key: Option<PathBuf>,
    /// The repositories that may be different.
    pub repositories: Vec<Gun>,
}

/// A line of what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line, laid out in columns.
    pub text: String,
    /// Whether it says something that should not be so.
    pub is_notable: bool,
}

impl Row {
    /// Lines below their heads, each with whether it is notable.
    pub fn table<const N: usize>(heads: [String; N], rows: impl IntoIterator<Item = ([String; N], bool)>) -> Vec<Self> {
        let (cells, notable): (Vec<_>, Vec<_>) = std::iter::once((heads, false)).chain(rows).unzip();
        let text = columns(&cells, 0, 2);
        text.lines().zip(notable).map(|(line, is_notable)| Self { text: line.to_owned(), is_notable }).collect()
    }
}

impl Done {
    /// Whether what was found deserves no trust, or is not shown to.
    pub fn is_untrusted(&self) -> bool {
        self.exit == Some(3)
    }

    fn of(report: Report) -> Self {
        let (happened, left, next) = (ended(&report.to_string()), report.left(), report.next());
        let exit = Some(report.exit()).filter(|exit| *exit > 0);
        let repositories = report.all.into_iter().map(|(gun, _)| gun).collect();
        Self { happened, left, next, exit, repositories, ..Self::default() }
    }
}

impl Work {
    /// The command that does it.
    pub fn command(&self) -> &'static str {
        match self {
            Self::GenerateKey => "key generate",
            Self::LoadKeys => "key import",
            Self::ExportKeys(..) => "key export",
            Self::ChangePassphrase(_) => "key passwd",
            Self::RemoveKey(_) => "key remove",
            Self::TestKey(_) => "key test",
            Self::MigrateKeys => "key migrate",
            Self::StrengthenKeys(_) => "key strengthen",
            Self::MendPermissions => "key mend",
            Self::Change(wanted) | Self::Ask(wanted) => wanted.command(),
            Self::PushImage(_) => "image push",
            Self::Inquire(asked) => asked.about.command(),
            Self::Tour => "sandbox --tour",
        }
    }

    /// What it is called on a screen.
    pub fn title(&self) -> &'static str {
        match self {
            Self::GenerateKey => "New key",
            Self::LoadKeys => "Keys from a file",
            Self::ExportKeys(_, Half::Public) => "Public half to a file",
            Self::ExportKeys(Which::These(files), Half::Private) if files.len() == 1 => "A key to a file",
            Self::ExportKeys(_, Half::Private) => "Keys to a file",
            Self::ChangePassphrase(_) => "Change a passphrase",
            Self::RemoveKey(_) => "Remove a key",
            Self::TestKey(_) => "Test a key",
            Self::MigrateKeys => "Keys in old layouts",
            Self::StrengthenKeys(_) => "Stronger protection",
            Self::MendPermissions => "Permissions",
            Self::Change(wanted) | Self::Ask(wanted) => wanted.title(),
            Self::PushImage(_) => "Push an image",
            Self::Inquire(asked) => asked.about.title(),
            Self::Tour => "The tour",
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
            Self::TestKey(_) => key_test::NOTHING,
            Self::MigrateKeys => key_migrate::NOTHING,
            Self::StrengthenKeys(_) => key_strengthen::NOTHING,
            Self::MendPermissions => key_mend::NOTHING,
            Self::Change(wanted) | Self::Ask(wanted) => wanted.nothing(),
            Self::PushImage(_) => push::NOTHING,
            Self::Inquire(_) => inquiry::NOTHING,
            Self::Tour => tour::NOTHING,
        }
    }

    /// Whether it is over when the one thing with an effect is done.
    pub fn has_one_act(&self) -> bool {
        match self {
            Self::GenerateKey | Self::ExportKeys(..) | Self::ChangePassphrase(_) | Self::RemoveKey(_) => true,
            Self::LoadKeys | Self::TestKey(_) | Self::MigrateKeys | Self::StrengthenKeys(_) | Self::MendPermissions => false,
            // Going on with it asks the server whether it was taken.
            Self::Change(_) | Self::Ask(_) => false,
            // It is more than one, and what the registry has is not sent again.
            Self::PushImage(_) => false,
            Self::Inquire(_) | Self::Tour => false,
        }
    }

    /// Whether it can be stopped after it has begun: what it leaves behind has no name.
    pub fn can_be_left(&self) -> bool {
        matches!(self, Self::PushImage(_))
    }

    /// Whether it may leave this file behind when it is interrupted: the public half of a key that was not made.
    pub fn leaves(&self, path: &Path) -> bool {
        let is_public = || std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"-----BEGIN PUBLIC KEY-----"));
        *self == Self::GenerateKey && path.extension().is_some_and(|e| e == "pub") && is_public()
    }

    /// Whether it changes something, and so is written down. What is done on the tour is written down in its own world.
    pub fn is_recorded(&self) -> bool {
        !matches!(self, Self::TestKey(_) | Self::Inquire(_) | Self::Tour)
    }

    async fn perform(
        &self,
        place: &Workplace,
        recording: Recording,
        operator: &mut dyn Operator,
        cancel: Cancel,
    ) -> Result<Done, Stop> {
        let here = || place.clone();
        match self {
            Self::GenerateKey => recording.run(operator, cancel, |s| key_generate::run(here(), s)).await.map(|made| Done {
                happened: sentence(&made.to_string()),
                next: key_generate::NEXT,
                key: Some(made.path),
                ..Done::default()
            }),
            Self::LoadKeys => recording.run(operator, cancel, |s| key_import::run(here(), s)).await.map(|all| Done {
                happened: sentence(&all.to_string()),
                next: all.next(),
                key: all.0.into_iter().next().map(|k| k.path),
                ..Done::default()
            }),
            Self::ExportKeys(which, half) => {
                let entries = chosen(place, which).await?;
                let exported = recording.run(operator, cancel, |s| key_export::run(here(), entries.clone(), *half, s)).await?;
                Ok(Done { happened: sentence(&exported.to_string()), next: half.next(), ..Done::default() })
            }
            Self::ChangePassphrase(path) => {
                let entry = place.key_at(path).await?;
                let changed = recording.run(operator, cancel, |s| key_passwd::run(here(), entry.clone(), s)).await?;
                let (happened, key) = (sentence(&changed.to_string()), Some(path.clone()));
                Ok(Done { happened, next: key_passwd::NEXT, key, ..Done::default() })
            }
            Self::RemoveKey(path) => {
                let entry = place.key_at(path).await?;
                let removed = recording.run(operator, cancel, |s| key_remove::run(here(), entry.clone(), s)).await?;
                Ok(Done { happened: sentence(&removed.to_string()), next: key_remove::NEXT, ..Done::default() })
            }
            Self::TestKey(path) => {
                let entry = place.key_at(path).await?;
                let passed = recording.run(operator, cancel, |s| key_test::run(entry.clone(), s)).await?;
                Ok(Done { happened: sentence(&passed.to_string()), next: key_test::NEXT, ..Done::default() })
            }
            Self::MigrateKeys => recording
                .run_judged(operator, cancel, key_migrate::Migrated::is_whole, |s| key_migrate::run(here(), s))
                .await
                .map(|done| Done {
                    happened: done.happened(),
                    exit: (!done.is_whole()).then_some(1),
                    left: done.left(),
                    next: if done.moved.is_empty() { "" } else { key_migrate::NEXT },
                    key: done.moved.into_iter().next().map(|m| m.to),
                    ..Done::default()
                }),
            Self::StrengthenKeys(files) => {
                let which: Option<Vec<PathBuf>> = files.as_ref().map(|all| all.iter().map(|f| f.0.clone()).collect());
                let done = recording
                    .run_judged(operator, cancel, key_strengthen::Strengthened::is_whole, |s| {
                        key_strengthen::run(here(), which.clone(), s)
                    })
                    .await?;
                let next = if done.strengthened() == 0 { "" } else { key_strengthen::NEXT };
                let exit = (!done.is_whole()).then_some(1);
                Ok(Done { happened: sentence(&done.to_string()), left: done.left(), exit, next, ..Done::default() })
            }
            Self::MendPermissions => recording
                .run_judged(operator, cancel, key_mend::Mended::is_whole, |s| key_mend::run(here(), s))
                .await
                .map(|done| Done {
                    happened: sentence(&done.to_string()),
                    exit: (!done.is_whole()).then_some(1),
                    left: done.left(),
                    next: if done.mended.is_empty() { "" } else { key_mend::NEXT },
                    ..Done::default()
                }),
            Self::Change(wanted) => recording
                .run_judged(operator, cancel, Report::is_whole, |s| repository::run(here(), (**wanted).clone(), s))
                .await
                .map(Done::of),
            Self::Ask(wanted) => recording
                .run_judged(operator, cancel, Report::is_whole, |s| repository::ask(here(), (**wanted).clone(), s))
                .await
                .map(Done::of),
            Self::PushImage(to) => {
                let pushed = recording.run(operator, cancel, |s| push::run(here(), to.clone(), s)).await?;
                let (happened, repositories) = (ended(&pushed.to_string()), vec![pushed.gun]);
                Ok(Done { happened, next: push::NEXT, repositories, ..Done::default() })
            }
            Self::Inquire(asked) => match asked.about {
                About::Reference => {
                    recording.run(operator, cancel, |s| inquiry::resolve(here(), asked.clone(), s)).await.map(Done::from)
                }
                About::Image => {
                    recording.run(operator, cancel, |s| inquiry::verify(here(), asked.clone(), s)).await.map(Done::from)
                }
                About::Tags => recording.run(operator, cancel, |s| inquiry::tags(here(), asked.clone(), s)).await.map(Done::from),
            },
            Self::Tour => {
                tour::run(place.tour.as_ref(), operator, cancel).await?;
                Ok(Done { happened: tour::HAPPENED.to_owned(), next: tour::NEXT, ..Done::default() })
            }
        }
    }

    /// What it means that somebody stopped it, or that it did not work.
    pub fn stopped(&self, stop: Stop) -> Failure {
        match stop {
            Stop::Failed(failure) => failure,
            Stop::Back | Stop::Cancelled => Failure::interrupted(self.nothing()),
        }
    }
}

/// Does a piece of work, from its first question to its end.
///
/// # Errors
/// Whatever keeps it from being done; [`CANCELLED`] if somebody stopped it.
pub async fn perform(
    work: &Work,
    place: &Workplace,
    recording: Recording,
    operator: &mut dyn Operator,
    cancel: Cancel,
) -> Result<Done, Failure> {
    work.perform(place, recording, operator, cancel).await.map_err(|stop| match stop {
        Stop::Failed(failure) => failure,
        Stop::Back | Stop::Cancelled => Failure::new(CANCELLED, "you have stopped here", work.nothing(), ""),
    })
}

async fn chosen(place: &Workplace, which: &Which) -> Result<Vec<KeyEntry>, Failure> {
    match which {
        Which::These(files) => place.keys_at(&files.iter().map(|f| f.0.clone()).collect::<Vec<_>>()).await,
        Which::All => {
            let all = place.listed().await?;
            if all.is_empty() {
                let hint = "`key generate` makes one, `key load` takes one from a file.";
                return Err(Failure::new("no-such-key", "there are no keys here", key_export::NOTHING, hint));
            }
            Ok(all)
        }
    }
}
