//! PostgreSQL for the servers: a cluster of the test program's own, on loopback, with a password that nobody else knows (who
//! may speak to a database as its superuser may run programs as its user), that ends with the program.

use super::process::{End, Launch, Process};
use super::program::{program, run, scratch};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where Debian puts what is not meant for everybody's `PATH`.
const DEBIANS: &str = "/usr/lib/postgresql";
/// Who owns the cluster where the tests run as root, for whom PostgreSQL does not work.
const SERVANT: &str = "postgres";
/// What begins the name of such a cluster's folder.
const PREFIX: &str = "claviger-postgres-";
/// Who the superuser of the cluster is, and who the servers log in as.
const SUPERUSER: &str = "postgres";
const NOTARY: &str = "notary";

/// What a database is for: none of the servers makes its tables itself.
#[derive(Clone, Copy, Debug)]
pub enum Tables {
    Server,
    Signer,
}

impl Tables {
    fn sql(self) -> &'static str {
        match self {
            Self::Server => include_str!("notary-server.sql"),
            Self::Signer => include_str!("notary-signer.sql"),
        }
    }
}

/// A running PostgreSQL.
pub struct Cluster {
    programs: PathBuf,
    password: String,
    process: Process,
}

impl Cluster {
    /// The one of this run, which lives until the test program ends.
    pub fn shared() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(Self::new)
    }

    fn new() -> Self {
        let programs = programs();
        let servant = servant();
        let folder = folder(servant);
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("random bytes");
        let password = base16ct::lower::encode_string(&random);
        let file = folder.join("password");
        std::fs::write(&file, format!("{password}\n")).expect("a file");
        give(&file, servant);
        let data = folder.join("data");
        let initdb = [
            OsString::from("--auth=scram-sha-256"),
            format!("--username={SUPERUSER}").into(),
            with("--pwfile=", &file),
            "--encoding=UTF8".into(),
            "--no-locale".into(),
            "--no-sync".into(),
            with("--pgdata=", &data),
        ];
        let line = as_servant(servant, programs.join("initdb"), initdb);
        run(line[0].as_ref(), &line[1..], &[], "").ok();
        let process = Process::on_a_free_port("postgres", |port, _| {
            let settings = [
                format!("port={port}"),
                "listen_addresses=127.0.0.1".into(),
                "unix_socket_directories=".into(),
                // it is thrown away: nothing of it has to outlive the machine
                "fsync=off".into(),
                "synchronous_commit=off".into(),
                "full_page_writes=off".into(),
                "jit=off".into(),
                "max_connections=200".into(),
            ];
            let settings = settings.into_iter().flat_map(|setting| ["-c".into(), setting.into()]);
            let arguments = ["-D".into(), data.clone().into_os_string()].into_iter().chain(settings);
            let mut postgres = vec![OsString::from("--pdeathsig"), "QUIT".into(), "--".into(), programs.join("postgres").into()];
            postgres.extend(arguments);
            // The kernel forgets who a process should end with when that process becomes somebody else, so it is told
            // once more after that.
            let line = as_servant(servant, program("setpriv"), postgres);
            let mut launch = Launch::new(PathBuf::from(&line[0]), line[1..].iter().cloned());
            // at SIGQUIT it ends its own children, and gives back what it shared with them
            launch.end = End::Quit;
            launch
        });
        let cluster = Self { programs, password, process };
        cluster.answers();
        let role = format!("create role {NOTARY} login password '{}'", cluster.password);
        cluster.psql("postgres", SUPERUSER, &role).ok();
        cluster
    }

    /// Waits until it answers: it listens before it does.
    fn answers(&self) {
        let deadline = std::time::Instant::now() + super::process::START;
        loop {
            let answer = self.psql("postgres", SUPERUSER, "select 1");
            if answer.status == 0 {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "{answer:?}\n{}", self.process.log());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// A new database with these tables, as a URL that says how to log in.
    pub fn database(&self, tables: Tables) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{tables:?}_{}", COUNT.fetch_add(1, Ordering::Relaxed)).to_lowercase();
        self.psql("postgres", SUPERUSER, &format!("create database {name} owner {NOTARY}")).ok();
        self.psql(&name, NOTARY, tables.sql()).ok();
        format!("postgres://{NOTARY}:{}@127.0.0.1:{}/{name}?sslmode=disable", self.password, self.process.port)
    }

    /// Runs a statement on one of these databases, which must succeed.
    pub fn run(&self, url: &str, sql: &str) {
        let name = url.rsplit('/').next().and_then(|rest| rest.split('?').next()).expect("a database");
        self.psql(name, NOTARY, sql).ok();
    }

    fn psql(&self, database: &str, user: &str, sql: &str) -> super::program::Answer {
        let port = self.process.port.to_string();
        let arguments = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", &port, "-U", user, "-d", database];
        run(&self.programs.join("psql"), &arguments, &[("PGPASSWORD", self.password.clone().into())], sql)
    }
}

fn with(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push(path);
    argument
}

/// The folder of `initdb`, `postgres` and `psql`: the newest of Debian's, or where `PATH` has them.
fn programs() -> PathBuf {
    let installed = std::fs::read_dir(DEBIANS).into_iter().flatten().flatten();
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let newest =
        installed.map(|entry| entry.path()).filter(|folder| folder.join("bin/initdb").is_file()).max_by_key(|f| version(f));
    newest.map_or_else(|| program("initdb").parent().expect("a folder").to_owned(), |folder| folder.join("bin"))
}

/// User and group that the cluster runs as; nothing when the tests do not run as root.
fn servant() -> Option<(u32, u32)> {
    let number = |what: &str| -> u32 {
        let answer = run(&program("id"), &[what, SERVANT], &[], "").ok();
        answer.stdout.trim().parse().expect("a number")
    };
    rustix::process::geteuid().is_root().then(|| (number("-u"), number("-g")))
}

/// A command line that runs a program as the servant, where there is one.
fn as_servant(servant: Option<(u32, u32)>, program_: PathBuf, arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut line: Vec<OsString> = Vec::new();
    if let Some((user, group)) = servant {
        line.extend([program("setpriv").into(), format!("--reuid={user}").into(), format!("--regid={group}").into()]);
        line.extend(["--clear-groups".into(), "--".into()]);
    }
    line.push(program_.into());
    line.extend(arguments);
    line
}

/// Where the cluster is. The folder of the tests may lie in a home that the servant cannot enter, so with one it is in the
/// system's folder for temporary files, from which the next run sweeps it away.
fn folder(servant: Option<(u32, u32)>) -> PathBuf {
    if servant.is_none() {
        return scratch("cluster");
    }
    let all = std::env::temp_dir();
    for old in std::fs::read_dir(&all).into_iter().flatten().flatten() {
        let name = old.file_name();
        let of = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|rest| rest.split_once('-'));
        if of.is_some_and(|(run, _)| !Path::new("/proc").join(run).exists()) {
            // another run may sweep the same folder at this moment
            let _ = std::fs::remove_dir_all(old.path());
        }
    }
    let made = tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", std::process::id())).tempdir_in(all);
    let folder = made.expect("a folder").keep();
    give(&folder, servant);
    folder
}

fn give(path: &Path, servant: Option<(u32, u32)>) {
    if let Some((user, group)) = servant {
        std::os::unix::fs::chown(path, Some(user), Some(group)).expect("another owner");
    }
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    /// Says to this test, run once more, that it is the program that will be killed.
    const HOLDS: &str = "CLAVIGER_TEST_HOLDS_A_CLUSTER";

    #[test]
    fn a_cluster_ends_with_the_test_program_also_when_that_is_killed() {
        if std::env::var_os(HOLDS).is_some() {
            println!("\npostmaster {}", Cluster::shared().process.pid.as_raw_nonzero());
            // until it is killed, or nobody is there any more who could
            let _ = std::io::stdin().read(&mut [0]);
            return;
        }
        let (_, here) = module_path!().split_once("::").expect("a module of the tests");
        let name = format!("{here}::a_cluster_ends_with_the_test_program_also_when_that_is_killed");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([&name, "--exact", "--nocapture", "--test-threads=1"]).env(HOLDS, "yes");
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(holder.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let said: Vec<String> = lines.filter_map(|line| Some(line.strip_prefix("postmaster ")?.to_owned())).take(1).collect();
        let [postmaster] = &said[..] else { panic!("no cluster") };
        let process = |pid: &str| Path::new("/proc").join(pid);
        let children = std::fs::read_to_string(process(postmaster).join("task").join(postmaster).join("children"));
        let mut all: Vec<String> = children.expect("a process").split_whitespace().map(str::to_owned).collect();
        assert!(all.len() > 2, "a postmaster has others: {all:?}");
        all.push(postmaster.clone());
        holder.kill().expect("it can be killed");
        holder.wait().expect("it has ended");
        let deadline = Instant::now() + Duration::from_secs(20);
        while all.iter().any(|pid| process(pid).exists()) {
            assert!(Instant::now() < deadline, "PostgreSQL outlived the program that started it: {all:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
