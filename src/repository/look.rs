//! Looking at a repository that was refused: what its files say, with no claim that any of it is true. Whoever answers
//! holds no key, so everything is bounded in sum: files, bytes, names, and time.
use super::{LoadError, Repositories};
use crate::{
    notary::{Transport, TransportError},
    text::Untrusted,
    tuf::{
        envelope::{Document, Payload},
        limits,
        listing::{Snapshot, TimestampFile},
        name::{BaseRole, Gun, RoleName},
        request::{Request, Which},
        root::Root,
        targets::Targets,
    },
};
use jiff::Timestamp;
use std::{collections::VecDeque, time::Duration};
use tokio::time::{Instant, timeout_at};

/// Most files of one look.
const FILES: usize = 64;
/// Most bytes of all files of one look.
const BYTES: u64 = 32 << 20;
/// Most names that are kept of one look.
const NAMES: usize = 1000;
/// How long one look may take.
const TIME: Duration = Duration::from_secs(30);

/// What a server says of a repository. Nothing of it was verified. A look that was cut says so in the `problem` of the
/// first file that it left out.
#[derive(Debug, Default)]
pub struct Look {
    /// The files, level by level.
    pub files: Vec<Seen>,
}

/// One file, unverified.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Whose file it claims to be.
    pub role: RoleName,
    /// Version and end that it claims, and how many signatures stand under it; none if it could not be read.
    pub claims: Option<Claims>,
    /// Names that it claims to sign; of very many only some are kept.
    pub names: Vec<Untrusted>,
    /// How many more there are.
    pub more_names: usize,
    /// Why it could not be fetched or read, in printable words.
    pub problem: Option<String>,
}

/// What a file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// Version.
    pub version: u64,
    /// End.
    pub expires: Timestamp,
    /// Signatures, good or bad.
    pub signatures: usize,
}

/// What a look may still cost.
struct Budget {
    bytes: u64,
    files: usize,
    names: usize,
    until: Instant,
}

/// What is taken from a file; the rest of it is let go at once.
struct Taken {
    claims: Claims,
    names: Vec<Untrusted>,
    more_names: usize,
    below: Vec<RoleName>,
}

impl Repositories {
    /// Fetches the current files of a repository without verifying them.
    ///
    /// # Errors
    /// [`LoadError::NoServer`]. That a file cannot be had is said with that file.
    pub async fn look(&self, gun: &Gun) -> Result<Look, LoadError> {
        let transport = self.servers().of(gun)?;
        let budget = Budget { bytes: BYTES, files: FILES, names: NAMES, until: Instant::now() + TIME };
        Ok(look(transport.as_ref(), gun, budget).await)
    }
}

async fn look(transport: &dyn Transport, gun: &Gun, mut budget: Budget) -> Look {
    let mut look = Look::default();
    let mut waiting: VecDeque<RoleName> =
        [BaseRole::Root, BaseRole::Timestamp, BaseRole::Snapshot, BaseRole::Targets].map(RoleName::from).into();
    while let Some(role) = waiting.pop_front() {
        let seen = match fetch(transport, gun, &role, &mut budget).await {
            Err(problem) => Err(problem),
            Ok(bytes) => {
                let (role, names) = (role.clone(), budget.names);
                super::blocking(move || read(&role, &bytes, names)).await.map_err(Stopped::No)
            }
        };
        let nothing =
            |problem: String| Seen { role: role.clone(), claims: None, names: Vec::new(), more_names: 0, problem: Some(problem) };
        match seen {
            Ok(taken) => {
                budget.names -= taken.names.len();
                // What cannot be looked at any more need not be remembered; one more shows that there is a rest.
                let room = (budget.files + 1).saturating_sub(waiting.len());
                waiting.extend(taken.below.into_iter().take(room));
                let (claims, names, more_names) = (Some(taken.claims), taken.names, taken.more_names);
                look.files.push(Seen { role, claims, names, more_names, problem: None });
            }
            Err(Stopped::No(why)) => look.files.push(nothing(why)),
            Err(Stopped::Here(limit)) => {
                look.files.push(nothing(format!("the look was cut here, and what comes after is not shown: {limit}")));
                break;
            }
        }
    }
    look
}

/// Why there is no file.
enum Stopped {
    /// It cannot be had, or not be read.
    No(String),
    /// The budget is used up.
    Here(String),
}

async fn fetch(transport: &dyn Transport, gun: &Gun, role: &RoleName, budget: &mut Budget) -> Result<Vec<u8>, Stopped> {
    let most = budget.bytes.min(limits::METADATA);
    let full = || Stopped::Here(format!("its files have more than {} MiB together", BYTES >> 20));
    budget.files = budget.files.checked_sub(1).ok_or_else(|| Stopped::Here(format!("it has more than {FILES} files")))?;
    if most == 0 {
        return Err(full());
    }
    let request = Request { role: role.clone(), which: Which::Current, limit: most };
    match timeout_at(budget.until, transport.get(gun, &request)).await {
        Err(_) => Err(Stopped::Here(format!("it took longer than {} s", TIME.as_secs()))),
        Ok(Err(TransportError::TooLarge { .. })) => {
            // So much was read until it was given up.
            budget.bytes = 0;
            Err(full())
        }
        Ok(Err(e)) => Err(Stopped::No(e.to_string())),
        Ok(Ok(bytes)) => {
            budget.bytes = budget.bytes.saturating_sub(bytes.len() as u64);
            Ok(bytes)
        }
    }
}

fn read(role: &RoleName, bytes: &[u8], names: usize) -> Result<Taken, String> {
    match role.base() {
        Some(BaseRole::Root) => parse::<Root>(bytes).map(|d| claims(&d)),
        Some(BaseRole::Timestamp) => parse::<TimestampFile>(bytes).map(|d| claims(&d)),
        Some(BaseRole::Snapshot) => parse::<Snapshot>(bytes).map(|d| claims(&d)),
        Some(BaseRole::Targets) | None => parse::<Targets>(bytes).map(|d| {
            let below = d.payload.delegations().iter().map(|d| &d.name).filter(|d| d.is_child_of(role));
            let kept: Vec<_> = d.payload.targets().take(names).map(|(n, _)| Untrusted::new(n)).collect();
            let more_names = d.payload.len() - kept.len();
            Taken { names: kept, more_names, below: below.take(FILES + 1).cloned().collect(), ..claims(&d) }
        }),
    }
}

fn parse<T: Payload>(bytes: &[u8]) -> Result<Document<T>, String> {
    Document::parse(bytes).map_err(|e| e.to_string())
}

fn claims<T: Payload>(d: &Document<T>) -> Taken {
    let common = d.payload.common();
    let claims = Claims { version: common.version, expires: common.expires.moment(), signatures: d.signatures.len() };
    Taken { claims, names: Vec::new(), more_names: 0, below: Vec::new() }
}
