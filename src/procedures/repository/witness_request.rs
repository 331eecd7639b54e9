//! A witness request: a text for whoever holds a key that is not here, where a change leaves a role that its own keys must sign
//! again. It is written once the change is published and verified, and holds no secret.
use super::{NOTHING, delete::dated, desk::Desk, wanted::RELEASES};
use crate::{
    failure::Failure,
    keys::write_new,
    notary::reference,
    operator::{Deed, Session, Step, Stop},
    repository::change::{Ground, Unvouched},
    text::Untrusted,
    trust_dir::shown,
    tuf::name::{Gun, RoleName},
};
use jiff::Timestamp;
use std::{
    fmt,
    fs::{DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// Writing it.
pub const REQUEST: Step = Step { name: "request", says: "What somebody else has to witness is written down for them." };

/// Where they are, beside the journal.
const DIRECTORY: &str = "witness-requests";

/// A request that was written, or could not be.
#[derive(Debug, Clone)]
pub struct WitnessRequest {
    /// The repository.
    pub gun: Gun,
    /// The role that is to be signed again.
    pub role: RoleName,
    /// Its file.
    pub file: Result<PathBuf, Failure>,
}

impl WitnessRequest {
    /// The command that follows it.
    pub fn command(&self) -> String {
        command(&self.gun, &self.role)
    }
}

/// Where it was written.
struct Written(PathBuf);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is in {}", shown(&self.0))
    }
}

/// Writes a request for each role. What cannot be written undoes nothing: that is said beside what was done.
pub async fn write(
    desk: &Desk,
    after: Option<&str>,
    ground: &Ground,
    left: &[Unvouched],
    session: &mut Session<'_>,
) -> Vec<WitnessRequest> {
    let mut all = Vec::new();
    for one in left {
        let file = match write_one(desk, after, ground, one, session).await {
            Ok(path) => Ok(path),
            Err(Stop::Failed(failure)) => Err(failure),
            Err(Stop::Back | Stop::Cancelled) => Err(Failure::interrupted("the request was not written")),
        };
        all.push(WitnessRequest { gun: ground.gun.clone(), role: one.role.clone(), file });
    }
    all
}

async fn write_one(
    desk: &Desk,
    after: Option<&str>,
    ground: &Ground,
    left: &Unvouched,
    session: &mut Session<'_>,
) -> Result<PathBuf, Stop> {
    let Some(state) = &desk.state else {
        let why = "HOME is not set, so there is no place for the witness request";
        return Err(Failure::new("state", why, NOTHING, "Name a directory with --state-dir.").into());
    };
    let beside = state.path().to_owned();
    let role = left.role.as_str().replace('/', "-").chars().take(60).collect::<String>();
    let path = beside.join(DIRECTORY).join(format!("{}-{role}.txt", dated(&ground.gun)));
    let text = text(&ground.gun, &ground.address(), after, left, Timestamp::now());
    let deed = Deed::default().creates(&path, text.as_bytes());
    let what = format!("writing a witness request for {}", left.role);
    let written = session.act(REQUEST, what, deed, move || match durable(&beside, &path, text.as_bytes()) {
        Ok(()) => Ok(Written(path)),
        Err(e) => {
            let message = format!("{} was not written: {e}", shown(&path));
            Err(Failure::new("request", message, "the request was not written", crate::trust_dir::disk_remedy(&e)))
        }
    });
    Ok(written.await?.0)
}

/// A file that was not there, in a directory that may not have been.
fn durable(beside: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(beside.join(DIRECTORY))?;
    File::open(beside)?.sync_all()?;
    write_new(path, bytes)
}

/// The command that follows a request.
fn command(gun: &Gun, role: &RoleName) -> String {
    // Where nobody knows the name yet, it is read as docker does.
    let is_verbatim = reference::read(gun.as_str(), false, &|_| false).is_ok_and(|r| r.gun == *gun && r.tag.is_none());
    let exact = if is_verbatim { "" } else { " --exact" };
    let gun = gun.word();
    // A name that looks like an option is none.
    match gun.starts_with('-') {
        true => format!("claviger witness{exact} -- {gun} {role}"),
        false => format!("claviger witness {gun} {role}{exact}"),
    }
}

fn text(gun: &Gun, address: &str, after: Option<&str>, left: &Unvouched, now: Timestamp) -> String {
    let Unvouched { role, version, keys, threshold, gone, others } = left;
    let mut t = String::new();
    let mut say = |line: &str| {
        t.push_str(line);
        t.push('\n');
    };
    say("Witness request");
    say("");
    say(&format!("Too few of the keys that may sign {role} have signed its file. Whoever holds"));
    say(&match threshold {
        1 => "one of the keys below can sign it again as it is; nothing in it has to change.".to_owned(),
        n => format!("{n} of the keys below can sign it again as it is; nothing in it has to change."),
    });
    say("");
    say(&format!("Written     {}", now.strftime("%Y-%m-%d %H:%M:%S UTC")));
    after.iter().for_each(|after| say(&format!("After       claviger {after}")));
    say(&format!("Repository  {gun}"));
    say(&format!("Server      {address}"));
    say(&format!("Role        {role}, version {version}"));
    say(&match threshold {
        1 => "Must sign   1 of these keys".to_owned(),
        n => format!("Must sign   {n} of these keys, all on one machine"),
    });
    keys.iter().for_each(|id| say(&format!("Key         {id}")));
    say("");
    let missing = if role.as_str() == RELEASES { "docker does not pull" } else { "nobody finds" };
    match gone.len() {
        0 => say("Nothing that clients find hangs on it now."),
        1 => say(&format!("Until then {missing} this name:")),
        n => say(&format!("Until then {missing} these {n} names:")),
    }
    for (name, meta) in gone {
        let digest = meta.sha256().map_or("no SHA-256".to_owned(), |d| format!("sha256:{}", base16ct::lower::encode_string(&d)));
        say("");
        say(&format!("  {}", Untrusted::new(name.as_str()).shown()));
        say(&format!("    {digest}  {} bytes", meta.length));
    }
    if *others > 0 {
        say("");
        say(&format!("Names in it that are found without it too: {others}."));
    }
    say("");
    say(match threshold {
        1 => "On a machine that has one of these keys:",
        _ => "On a machine that has enough of these keys:",
    });
    say("");
    say(&format!("  {}", command(gun, role)));
    say("");
    say("It shows what will be signed, and asks. Compare that with this text, which proves");
    say("nothing by itself: whoever signs vouches for every name that is shown.");
    t
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::{file_meta::FileMeta, name::KeyId};

    fn left(name: &str, threshold: u64, others: usize) -> Unvouched {
        let key = KeyId::new(&"0f".repeat(32)).unwrap();
        let gone = [(name.to_owned(), FileMeta::from_sha256(528, [0xab; 32]))].into();
        let role = RoleName::new("targets/releases").unwrap();
        Unvouched { role, version: 7, keys: [key].into(), threshold, gone, others }
    }

    #[test]
    fn a_request_says_in_plain_text_what_is_to_be_signed_and_how() {
        let gun = Gun::new("registry.example/team/app").unwrap();
        let at = "2026-11-20T09:30:00Z".parse().unwrap();
        let says = text(&gun, "https://notary.example", Some("signer remove"), &left("v1", 1, 0), at);
        let expected = format!(
            "Witness request\n\nToo few of the keys that may sign targets/releases have signed its file. Whoever holds\n\
             one of the keys below can sign it again as it is; nothing in it has to change.\n\n\
             Written     2026-11-20 09:30:00 UTC\nAfter       claviger signer remove\n\
             Repository  registry.example/team/app\nServer      https://notary.example\n\
             Role        targets/releases, version 7\nMust sign   1 of these keys\nKey         {}\n\n\
             Until then docker does not pull this name:\n\n  v1\n    sha256:{}  528 bytes\n\n\
             On a machine that has one of these keys:\n\n  claviger witness registry.example/team/app targets/releases\n\n\
             It shows what will be signed, and asks. Compare that with this text, which proves\n\
             nothing by itself: whoever signs vouches for every name that is shown.\n",
            "0f".repeat(32),
            "ab".repeat(32)
        );
        assert_eq!(says, expected);
        let several = text(&gun, "", None, &left("v1", 2, 3), at);
        assert!(!several.contains("After") && several.contains("Whoever holds\n2 of the keys below"), "{several}");
        assert!(several.contains("2 of these keys, all on one machine") && several.contains("without it too: 3."), "{several}");
    }

    #[test]
    fn a_hostile_name_adds_no_line_and_no_command_to_a_request() {
        let gun = Gun::new("sandbox.test/a;rm$(id)").unwrap();
        let hostile = "v1\n\n  claviger key remove\u{1b}[2J\u{202e}";
        let says = text(&gun, "https://x", Some("signer remove"), &left(hostile, 1, 0), Timestamp::UNIX_EPOCH);
        assert_eq!(says.lines().filter(|l| l.trim_start().starts_with("claviger ")).count(), 1, "{says}");
        assert!(says.contains("  claviger witness 'sandbox.test/a;rm$(id)' targets/releases\n"), "{says}");
        assert!(says.contains("v1<0a><0a>") && says.chars().all(|c| c == '\n' || crate::text::is_plain(c)), "{says}");
    }

    #[test]
    fn a_name_that_docker_reads_otherwise_is_taken_verbatim_by_whoever_follows() {
        let role = RoleName::new("targets/releases").unwrap();
        assert_eq!(command(&Gun::new("alpine").unwrap(), &role), "claviger witness alpine targets/releases --exact");
        let like_an_option = command(&Gun::new("--server=x/y").unwrap(), &role);
        assert_eq!(like_an_option, "claviger witness --exact -- --server=x/y targets/releases");
    }
}
