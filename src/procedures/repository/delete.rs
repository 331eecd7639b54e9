//! A repository is forgotten: here, and at its server if that is wanted. A copy comes first, and keys are left alone.
use super::{
    NOTHING, Report,
    desk::Desk,
    outcome::load_failure,
    report::Outcome,
    road::{CONFIRM, Look, READ, reading},
    wanted::Deletion,
};
use crate::{
    failure::Failure,
    keys::write_new,
    notary::TransportError,
    operator::{Confirm, Deed, Review, Session, Step, Stop},
    procedures::Workplace,
    repository::{LoadError, change::Basis},
    text::count,
    trust_dir::{TrustDirError, shown},
    tuf::{
        envelope::Document,
        limits,
        listing::Snapshot,
        name::{BaseRole, Gun, RoleName},
        request::{Request, Which},
        root::Root,
    },
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// A look at it.
pub const REVIEW: Step = Step { name: "review", says: "Read what goes, and where its copy will be." };
/// The copy.
pub const COPY: Step = Step { name: "copy", says: "What is there is copied." };
/// At the server.
pub const DELETE: Step = Step { name: "delete", says: "The server deletes it, and is asked whether it is gone." };
/// Here.
pub const FORGET: Step = Step { name: "forget", says: "What this machine remembers of it is removed." };

/// The code of a failure to delete what is not there.
const NOT_THERE: &str = "not-there";

/// What there is of a repository.
struct There {
    /// Whether anything is here.
    here: bool,
    /// What the server has, if it is to go; and how many names are signed.
    server: Option<Files>,
    names: Option<usize>,
    address: String,
}

/// Metadata by the names of files.
type Files = BTreeMap<String, Vec<u8>>;

/// Does it.
pub async fn run(place: &Workplace, desk: Desk, wanted: Deletion, session: &mut Session<'_>) -> Result<Report, Stop> {
    let gun = wanted.gun()?;
    let looked =
        session.wait(READ, reading(std::slice::from_ref(&gun)), async { Ok(survey(&desk, &gun, wanted.remote).await) }).await?;
    let there = match looked {
        Err(gone) if session.is_resumed() && gone.code == NOT_THERE => return Ok(Report::of(gun, Outcome::AsWanted)),
        there => there?,
    };
    let copy = copy_place(place, &gun)?;
    session.review(REVIEW, review(&gun, &there, &copy)).await?;
    let title = format!("Delete {gun}");
    session.confirm(CONFIRM, Confirm { title, consequences: consequences(&there), typed: gun.to_string() }).await?;
    // What goes is what was read about, and its copy is of that.
    let again = session.wait(READ, reading(std::slice::from_ref(&gun)), survey(&desk, &gun, wanted.remote)).await?;
    if again.server != there.server {
        let message = format!("{gun}: somebody has published meanwhile");
        return Err(Failure::new("conflict", message, "nothing was deleted", "Repeat it, and read what goes then.").into());
    }
    let (trust_dir, of, to, files) =
        (desk.trust_dir.clone(), gun.clone(), copy.clone(), there.server.clone().unwrap_or_default());
    let copied = session.act(COPY, format!("copying what is there to {}", shown(&copy)), Deed::default(), move || {
        let failed = |e: TrustDirError| Failure::new("copy", e.to_string(), "nothing was deleted", e.remedy());
        let here = trust_dir.copy_repository(&of, &to.join("here")).map_err(failed)?;
        let server = write_all(&to.join("server"), &files)?;
        Ok(Copied { files: here + server, to })
    });
    let copied = copied.await?;
    if there.server.is_some() {
        let what = format!("deleting {gun} at {}", there.address);
        session.act_waiting(DELETE, what, at_server(&desk, &gun)).await?;
    }
    let (trust_dir, of) = (desk.trust_dir.clone(), gun.clone());
    session
        .act(FORGET, format!("forgetting {gun} here"), Deed::default(), move || {
            let failed =
                |e: TrustDirError| Failure::new("forget", e.to_string(), "not all that is here of it was removed", e.remedy());
            trust_dir.write().and_then(|mut writer| writer.forget(&of)).map_err(failed)?;
            Ok(Gone)
        })
        .await?;
    Ok(Report::of(gun, Outcome::Deleted { at_server: there.server.is_some(), copy: copied.to }))
}

/// Shows what would go, and touches nothing.
pub async fn look(place: &Workplace, desk: Desk, wanted: &Deletion) -> Result<Look, Failure> {
    let gun = wanted.gun()?;
    let there = survey(&desk, &gun, wanted.remote).await?;
    let review = review(&gun, &there, &copy_place(place, &gun)?);
    Ok(Look { review, plans: Vec::new(), lacking: Vec::new(), others: Report::default() })
}

/// What was copied.
struct Copied {
    files: usize,
    to: PathBuf,
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let are = if self.files == 1 { "is" } else { "are" };
        write!(f, "{} {are} in {}", count(self.files, "file"), shown(&self.to))
    }
}

/// It is not there any more.
struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is gone")
    }
}

/// What is lost, in sentences.
fn consequences(there: &There) -> Vec<String> {
    let mut consequences = Vec::new();
    if there.server.is_some() {
        consequences.push(match there.names {
            Some(n) => {
                let names = count(n, "name");
                format!("Everybody loses the signatures of {names} at {}; docker pulls nothing of it any more.", there.address)
            }
            None => format!("Everybody loses what {} has of it.", there.address),
        });
        consequences
            .push("Versions begin again at 1 if it is begun anew; whoever remembers the old ones refuses the new.".to_owned());
    }
    if there.here {
        consequences
            .push("This machine forgets its root: whoever answers next is believed, unless the root is pinned.".to_owned());
    }
    consequences
}

fn review(gun: &Gun, there: &There, copy: &Path) -> Review {
    let mut facts = vec![("Repository", gun.to_string())];
    if let Some(files) = &there.server {
        facts.push(("At the server", format!("{}: what goes is {}", there.address, count(files.len(), "file"))));
        facts.extend(there.names.map(|n| ("Signed names", n.to_string())));
    }
    let here = if there.here { "what is remembered and what is staged go" } else { "nothing" };
    facts.push(("Here", here.to_owned()));
    facts.push(("Copy", shown(copy)));
    facts.push(("Keys", "all stay".to_owned()));
    facts.extend(consequences(there).into_iter().map(|text| ("Afterwards", text)));
    Review { title: "Delete a repository".to_owned(), facts, findings: Vec::new(), verb: "Delete it", plan: None }
}

/// A directory that is not there yet, beside the journal.
fn copy_place(place: &Workplace, gun: &Gun) -> Result<PathBuf, Failure> {
    let Some(state) = &place.state else {
        let why = "HOME is not set, so there is no place for the copy";
        return Err(Failure::new("state", why, NOTHING, "Name a directory with --state-dir."));
    };
    Ok(state.path().join("deleted").join(dated(gun)))
}

/// A name for what is kept of a repository now: when, and which.
pub fn dated(gun: &Gun) -> String {
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%S%.fZ");
    let name: String = gun.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
    format!("{now}-{name}")
}

fn write_all(directory: &Path, files: &Files) -> Result<usize, Failure> {
    let failed = |path: &Path, e: std::io::Error| {
        let message = format!("{} was not written: {e}", shown(path));
        Failure::new("copy", message, "nothing was deleted", crate::trust_dir::disk_remedy(&e))
    };
    if files.is_empty() {
        return Ok(0);
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|e| failed(directory, e))?;
    for (name, bytes) in files {
        let path = directory.join(name);
        write_new(&path, bytes).map_err(|e| failed(&path, e))?;
    }
    Ok(files.len())
}

async fn survey(desk: &Desk, gun: &Gun, remote: bool) -> Result<There, Failure> {
    let here = desk.trust_dir.knows(gun);
    let transport = desk.repositories.servers().of(gun);
    let address = transport.as_ref().map(|t| t.address().shown().to_string()).unwrap_or_default();
    let mut names = None;
    let mut server = None;
    if remote {
        let all = &desk.repositories;
        match all.basis(gun, &[], Timestamp::now(), &|_| {}).await {
            Ok(basis) => {
                names = Some(names_of(&basis));
                let mut files: Files = basis.files().map(|(role, bytes)| (file_name(role), bytes.to_vec())).collect();
                files.extend(roots(desk, gun, basis.collection().root().version()).await?);
                // What does not verify goes too, and may be wanted back.
                for role in basis.collection().snapshot().roles().collect::<Vec<_>>() {
                    let hash = basis.collection().snapshot().meta(&role).and_then(|m| m.sha256());
                    if let (Some(hash), false) = (hash, files.contains_key(&file_name(&role))) {
                        let bytes = fetched(desk, gun, role.clone(), Which::Sha256(hash)).await?;
                        files.extend(bytes.map(|bytes| (file_name(&role), bytes)));
                    }
                }
                server = Some(files);
            }
            Err(LoadError::NotThere(_)) => {}
            // Whatever is wrong with it, somebody may want it away.
            Err(LoadError::Refused(_) | LoadError::RememberedRoot { .. } | LoadError::Cache(_)) => {
                server = Some(unread(desk, gun).await?)
            }
            Err(e) => return Err(load_failure(all, gun, e).instead(NOTHING)),
        }
    }
    if !here && server.is_none() {
        let hint = if remote { "Check the name." } else { "Check the name; --remote deletes at the server." };
        return Err(Failure::new(NOT_THERE, format!("there is nothing of {gun}"), NOTHING, hint));
    }
    Ok(There { here, server, names, address })
}

fn names_of(basis: &Basis) -> usize {
    basis.collection().signed().map(|(_, name, _)| name).collect::<BTreeSet<_>>().len()
}

fn file_name(role: &RoleName) -> String {
    let name = format!("{}.json", role.as_str().replace('/', "%2F"));
    // A file system takes no longer name; the metadata that delegate to the role have it.
    if name.len() > 255 { format!("{}.json", base16ct::lower::encode_string(&Sha256::digest(role.as_str()))) } else { name }
}

/// Every root there was: whoever wants to begin where it ended needs them.
async fn roots(desk: &Desk, gun: &Gun, newest: u64) -> Result<Files, Failure> {
    let mut files = Files::new();
    // However many it claims to have had: the newest count.
    for version in newest.saturating_sub(limits::ROOT_STEPS).max(1)..newest {
        if let Some(bytes) = fetched(desk, gun, BaseRole::Root.into(), Which::Version(version)).await? {
            files.insert(format!("{version}.root.json"), bytes);
        }
    }
    Ok(files)
}

/// What does not verify, as it is: every root, and whatever the snapshot names.
async fn unread(desk: &Desk, gun: &Gun) -> Result<Files, Failure> {
    let mut files = Files::new();
    for role in BaseRole::ALL {
        if let Some(bytes) = fetched(desk, gun, role.into(), Which::Current).await? {
            files.insert(file_name(&role.into()), bytes);
        }
    }
    let of = |files: &Files, role: BaseRole| files.get(&file_name(&role.into())).cloned().unwrap_or_default();
    if let Ok(root) = Document::<Root>::parse(&of(&files, BaseRole::Root)) {
        files.extend(roots(desk, gun, root.payload.common.version.min(limits::ROOT_STEPS)).await?);
    }
    if let Ok(snapshot) = Document::<Snapshot>::parse(&of(&files, BaseRole::Snapshot)) {
        for role in snapshot.payload.roles().filter(RoleName::is_delegation).collect::<Vec<_>>() {
            let Some(hash) = snapshot.payload.meta(&role).and_then(|m| m.sha256()) else { continue };
            let bytes = fetched(desk, gun, role.clone(), Which::Sha256(hash)).await?;
            files.extend(bytes.map(|bytes| (file_name(&role), bytes)));
        }
    }
    Ok(files)
}

async fn fetched(desk: &Desk, gun: &Gun, role: RoleName, which: Which) -> Result<Option<Vec<u8>>, Failure> {
    let all = &desk.repositories;
    let transport = all.servers().of(gun).map_err(|e| load_failure(all, gun, e.into()).instead(NOTHING))?;
    match transport.get(gun, &Request { role: role.clone(), which, limit: limits::METADATA }).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(TransportError::NotThere { .. }) => Ok(None),
        Err(error) => Err(load_failure(all, gun, LoadError::Transport { role, error, fallback: None }).instead(NOTHING)),
    }
}

/// Deletes, and looks whether it is gone: a server may have heard it and not have answered.
async fn at_server(desk: &Desk, gun: &Gun) -> Result<Gone, Failure> {
    let all = &desk.repositories;
    let transport = all.servers().of(gun).map_err(|e| load_failure(all, gun, e.into()).instead(NOTHING))?;
    let answer = transport.delete(gun).await;
    let again = fetched(desk, gun, BaseRole::Root.into(), Which::Current).await;
    match (answer, again) {
        (_, Ok(None)) => Ok(Gone),
        (Err(e), Ok(Some(_))) => Err(Failure::new(
            "not-deleted",
            format!("{gun}: {e}"),
            "the server has it still; nothing was removed here",
            e.remedy(),
        )),
        (Ok(()), Ok(Some(_))) => {
            let message = format!("{gun}: the server says that it deleted it, and has it still");
            Err(Failure::new("unproven", message, "nothing was removed here", "Ask whoever runs the server.").exit(3))
        }
        (Ok(()), Err(_)) => {
            let message = format!("{gun}: the server says that it deleted it, and could not be asked again");
            Err(Failure::new("unknown", message, "nothing was removed here", "Repeat it."))
        }
        (Err(e), Err(_)) => Err(Failure::new(
            "unknown",
            format!("{gun}: {e}"),
            "whether it was deleted is not known; nothing was removed here",
            e.remedy(),
        )),
    }
}
