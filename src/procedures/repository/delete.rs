//! A repository is forgotten: here, and at its server if that is wanted. A copy comes first, and keys are left alone.
use super::{
    Report,
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
    text::{amount, count},
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

/// As much is copied of old roots and of delegations that do not verify: a server may claim a thousand files, as large as it likes.
const ROOM: u64 = 64 << 20;
/// What has not happened as long as nothing has.
pub const NOTHING: &str = "nothing was deleted";
/// The code of a failure to delete what is not there.
const NOT_THERE: &str = "not-there";

/// What there is of a repository.
struct There {
    /// Whether anything is here.
    here: bool,
    /// What the server has, if it is to go; and how many names are signed.
    server: Option<Files>,
    names: Option<usize>,
    /// How many files are not copied, because there is no room for them.
    left_out: usize,
    address: String,
}

impl There {
    /// What the server has, in one digest: two of these are compared without keeping both.
    fn digest(&self) -> Option<[u8; 32]> {
        let files = self.server.as_ref()?;
        let each = files.iter().map(|(name, bytes)| [Sha256::digest(name), Sha256::digest(bytes)].concat());
        Some(each.fold(Sha256::new(), |all, one| all.chain_update(one)).finalize().into())
    }
}

/// Metadata by the names of files.
type Files = BTreeMap<String, Vec<u8>>;

/// Does it.
pub async fn run(place: &Workplace, desk: Desk, wanted: Deletion, session: &mut Session<'_>) -> Result<Report, Stop> {
    let gun = wanted.gun()?;
    let looked =
        session.wait(READ, reading(std::slice::from_ref(&gun)), async { Ok(survey(&desk, &gun, wanted.remote).await) }).await?;
    let mut there = match looked {
        Err(gone) if session.is_resumed() && gone.code == NOT_THERE => return Ok(Report::of(gun, Outcome::AsWanted)),
        there => there?,
    };
    let read = there.digest();
    let copy = copy_place(place, &gun)?;
    session.review(REVIEW, review(&gun, &there, &copy)).await?;
    let title = format!("Delete {gun}");
    session.confirm(CONFIRM, Confirm { title, consequences: consequences(&there), typed: gun.to_string() }).await?;
    // What goes is what was read about, and its copy is of that.
    there.server = None;
    let there = session.wait(READ, reading(std::slice::from_ref(&gun)), survey(&desk, &gun, wanted.remote)).await?;
    if there.digest() != read {
        let message = format!("{gun}: somebody has published meanwhile");
        return Err(Failure::new("conflict", message, NOTHING, "Repeat it, and read what goes then.").into());
    }
    let is_there = there.server.is_some();
    let (trust_dir, of, to, files) = (desk.trust_dir.clone(), gun.clone(), copy.clone(), there.server.unwrap_or_default());
    let copied = session.act(COPY, format!("copying what is there to {}", shown(&copy)), Deed::default(), move || {
        let failed = |e: TrustDirError| Failure::new("copy", e.to_string(), NOTHING, e.remedy());
        let here = trust_dir.copy_repository(&of, &to.join("here")).map_err(failed)?;
        let server = write_all(&to.join("server"), &files)?;
        Ok(Copied { files: here + server, to })
    });
    let copied = copied.await?;
    if is_there {
        let what = format!("deleting {gun} at {}", there.address);
        session.act_waiting(DELETE, what, at_server(&desk, &gun)).await?;
    }
    let (trust_dir, of) = (desk.trust_dir.clone(), gun.clone());
    let forgotten = session.act(FORGET, format!("forgetting {gun} here"), Deed::default(), move || {
        let failed =
            |e: TrustDirError| Failure::new("forget", e.to_string(), "not all that is here of it was removed", e.remedy());
        trust_dir.write().and_then(|mut writer| writer.forget(&of)).map_err(failed)?;
        Ok(Gone)
    });
    forgotten.await.map_err(|stop| match stop {
        // Whatever the reason is, the server's are gone by now.
        Stop::Failed(failure) if is_there => {
            let copy = shown(&copied.to);
            failure
                .instead(format!("the server has deleted it, and a copy is in {copy}; not all that is here was removed"))
                .into()
        }
        stop => stop,
    })?;
    Ok(Report::of(gun, Outcome::Deleted { at_server: is_there, copy: copied.to }))
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
        if there.left_out > 0 {
            let (files, most) = (count(there.left_out, "file"), amount(ROOM));
            facts.push(("Not copied", format!("{files}: of old roots, and of delegations that do not verify, {most} is copied")));
        }
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
        Failure::new("copy", message, NOTHING, crate::trust_dir::disk_remedy(&e))
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
    let (mut names, mut server, mut left_out) = (None, None, 0);
    if remote {
        let all = &desk.repositories;
        match all.basis(gun, &[], Timestamp::now(), &|_| {}).await {
            Ok(basis) => {
                names = Some(names_of(&basis));
                let files: Files = basis.files().map(|(role, bytes)| (file_name(role), bytes.to_vec())).collect();
                let mut copy = Copying { desk, gun, files, room: ROOM, left_out: 0 };
                // What does not verify goes too, and may be wanted back.
                for role in basis.collection().snapshot().roles().collect::<Vec<_>>() {
                    let hash = basis.collection().snapshot().meta(&role).and_then(|m| m.sha256());
                    if let (Some(hash), false) = (hash, copy.files.contains_key(&file_name(&role))) {
                        copy.take(file_name(&role), role, Which::Sha256(hash)).await?;
                    }
                }
                copy.roots(basis.collection().root().version()).await?;
                (server, left_out) = (Some(copy.files), copy.left_out);
            }
            Err(LoadError::NotThere(_)) => {}
            // Whatever is wrong with it, somebody may want it away.
            Err(LoadError::Refused(_) | LoadError::RememberedRoot { .. } | LoadError::Cache(_)) => {
                let copy = unread(desk, gun).await?;
                (server, left_out) = (Some(copy.files), copy.left_out);
            }
            Err(e) => return Err(load_failure(all, gun, e).instead(NOTHING)),
        }
    }
    if !here && server.is_none() {
        let hint = if remote { "Check the name." } else { "Check the name; --remote deletes at the server." };
        return Err(Failure::new(NOT_THERE, format!("there is nothing of {gun}"), NOTHING, hint));
    }
    Ok(There { here, server, names, left_out, address })
}

fn names_of(basis: &Basis) -> usize {
    basis.collection().signed().map(|(_, name, _)| name).collect::<BTreeSet<_>>().len()
}

fn file_name(role: &RoleName) -> String {
    let name = format!("{}.json", role.as_str().replace('/', "%2F"));
    // A file system takes no longer name; the metadata that delegate to the role have it.
    if name.len() > 255 { format!("{}.json", base16ct::lower::encode_string(&Sha256::digest(role.as_str()))) } else { name }
}

/// What is fetched to be copied.
struct Copying<'a> {
    desk: &'a Desk,
    gun: &'a Gun,
    files: Files,
    room: u64,
    left_out: usize,
}

impl Copying<'_> {
    /// Fetches a file, if it is there and there is room for it. Where there is none any more nothing is fetched.
    async fn take(&mut self, name: String, role: RoleName, which: Which) -> Result<(), Failure> {
        if self.left_out > 0 {
            self.left_out = self.left_out.saturating_add(1);
            return Ok(());
        }
        match asked(self.desk, self.gun, &role, which, self.room.min(limits::METADATA)).await? {
            Ok(bytes) => {
                self.room = self.room.saturating_sub(bytes.len() as u64);
                self.files.insert(name, bytes);
            }
            Err(TransportError::NotThere { .. }) => {}
            Err(TransportError::TooLarge { .. }) => self.left_out = 1,
            Err(error) => return Err(not_fetched(self.desk, self.gun, role, error)),
        }
        Ok(())
    }

    /// Every root there was, the newest first: whoever wants to begin where it ended needs them. However many it claims to have
    /// had, the newest count.
    async fn roots(&mut self, newest: u64) -> Result<(), Failure> {
        for version in (newest.saturating_sub(limits::ROOT_STEPS).max(1)..newest).rev() {
            self.take(format!("{version}.root.json"), BaseRole::Root.into(), Which::Version(version)).await?;
        }
        Ok(())
    }
}

/// What does not verify, as it is: every root, and whatever the snapshot names.
async fn unread<'a>(desk: &'a Desk, gun: &'a Gun) -> Result<Copying<'a>, Failure> {
    let mut copy = Copying { desk, gun, files: Files::new(), room: ROOM, left_out: 0 };
    for role in BaseRole::ALL {
        if let Some(bytes) = fetched(desk, gun, role.into(), Which::Current).await? {
            copy.files.insert(file_name(&role.into()), bytes);
        }
    }
    let of = |copy: &Copying<'_>, role: BaseRole| copy.files.get(&file_name(&role.into())).cloned().unwrap_or_default();
    if let Ok(root) = Document::<Root>::parse(&of(&copy, BaseRole::Root)) {
        copy.roots(root.payload.common.version).await?;
    }
    if let Ok(snapshot) = Document::<Snapshot>::parse(&of(&copy, BaseRole::Snapshot)) {
        for role in snapshot.payload.roles().filter(RoleName::is_delegation).collect::<Vec<_>>() {
            let Some(hash) = snapshot.payload.meta(&role).and_then(|m| m.sha256()) else { continue };
            copy.take(file_name(&role), role, Which::Sha256(hash)).await?;
        }
    }
    Ok(copy)
}

async fn fetched(desk: &Desk, gun: &Gun, role: RoleName, which: Which) -> Result<Option<Vec<u8>>, Failure> {
    match asked(desk, gun, &role, which, limits::METADATA).await? {
        Ok(bytes) => Ok(Some(bytes)),
        Err(TransportError::NotThere { .. }) => Ok(None),
        Err(error) => Err(not_fetched(desk, gun, role, error)),
    }
}

/// What the server answers to the question for a file.
async fn asked(
    desk: &Desk,
    gun: &Gun,
    role: &RoleName,
    which: Which,
    limit: u64,
) -> Result<Result<Vec<u8>, TransportError>, Failure> {
    let all = &desk.repositories;
    let transport = all.servers().of(gun).map_err(|e| load_failure(all, gun, e.into()).instead(NOTHING))?;
    Ok(transport.get(gun, &Request { role: role.clone(), which, limit }).await)
}

fn not_fetched(desk: &Desk, gun: &Gun, role: RoleName, error: TransportError) -> Failure {
    load_failure(&desk.repositories, gun, LoadError::Transport { role, error, fallback: None }).instead(NOTHING)
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
