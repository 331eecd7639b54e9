//! claviger beside the old tools, in one run on one machine: the same work, in turn, A B A B …
//!
//! `make bench` builds the release program and runs this. Every figure is a whole process, from its start to its end;
//! the ratio is that of the medians. What falls short is marked and makes the run fail, so that it is looked at.
//! Method and figures of one run stand in `docs/benchmarks.md`.
#[path = "changing.rs"]
mod changing;
#[path = "../tests/it/peers/mod.rs"]
#[allow(dead_code, unused_imports)]
mod peers;
#[path = "servers.rs"]
mod servers;

use peers::{desk::Desk, program::program, server::NotaryServer};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::{
    ffi::OsString,
    io::{Read, Write},
    num::NonZeroU16,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Counted runs of each command, after one that is not counted.
const RUNS: usize = 15;
/// Size of the screen.
const ROWS: NonZeroU16 = NonZeroU16::new(40).unwrap();
/// Size of the screen.
const COLUMNS: NonZeroU16 = NonZeroU16::new(120).unwrap();

/// One way to do the work.
struct Way {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
    /// Moved out of the way before each run: what makes it a cold one.
    forget: Option<PathBuf>,
}

/// What one run took.
#[derive(Clone, Copy)]
struct Took {
    wall: Duration,
    /// Most memory, in KiB.
    peak: u64,
}

fn main() {
    // `cargo test` builds benches too and asks them what tests they have.
    if std::env::args().any(|a| a == "--test" || a == "--list") {
        return;
    }
    // `cargo bench -- changing` measures only that.
    let groups: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let is_wanted = |group: &str| groups.is_empty() || groups.iter().any(|g| g == group);
    let mut report = Report { lines: Vec::new(), short: 0 };
    if is_wanted("keys") {
        keys(&mut report, 1_000, 2.0);
        keys(&mut report, 5_000, 3.0);
    }
    let server: &'static NotaryServer = NotaryServer::shared(peers::server::Kind::Local);
    if is_wanted("tags") {
        tags(&mut report, server, 5_000);
        tags(&mut report, server, 50_000);
    }
    if is_wanted("changing") {
        changing::one_tag(&mut report, server, 10);
        changing::one_tag(&mut report, server, 5_000);
        changing::one_signer(&mut report, server, 200);
    }
    if is_wanted("servers") {
        servers::inventory(&mut report, 10_000);
        servers::refresh(&mut report, 500);
        servers::side_by_side(&mut report, 200);
    }
    if is_wanted("screen") {
        first_frame(&mut report, 5_000);
        redraw(&mut report, 100_000);
    }
    report.print();
}

fn claviger() -> PathBuf {
    env!("CARGO_BIN_EXE_claviger").into()
}

/// `key list` over copies of one encrypted key under other names, as both tools list them without opening them.
fn keys(report: &mut Report, count: usize, wanted: f64) {
    let dir = key_store(count);
    let quiet = vec![("HOME", dir.path().into()), ("PCSCLITE_CSOCK_NAME", "/nonexistent".into())];
    let way = |program: PathBuf, arguments: &[&str]| {
        let mut arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        arguments.extend(["-d".into(), dir.path().into()]);
        Way { program, arguments, environment: quiet.clone(), forget: None }
    };
    let (ours, theirs) = in_turn(&way(claviger(), &["key", "list"]), &way(program("notary"), &["key", "list"]));
    report.ratio(&format!("key list, {count} keys"), &ours, &theirs, wanted);
}

fn key_store(count: usize) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a folder");
    let private = dir.path().join("private");
    std::fs::create_dir(&private).expect("a folder");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/trustdirs/notary-full/private");
    let one = fixtures.join("29fe684c5c3c3658d57f08f6a7d782a12f7a678256856aaa77c41e94bbe42274.key");
    let body = std::fs::read(one).expect("a key");
    for n in 0..count {
        let path = private.join(format!("{n:064x}.key"));
        std::fs::write(&path, &body).expect("a key");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("permissions");
    }
    std::fs::set_permissions(&private, PermissionsExt::from_mode(0o700)).expect("permissions");
    dir
}

/// `tags` against `notary list`, over TLS from the same real server.
fn tags(report: &mut Report, server: &'static NotaryServer, count: usize) {
    let owner = Desk::new(server, "owner");
    let gun = format!("bench.example/tags{count}");
    owner.notary(&["init", &gun]).ok();
    let target = |n: usize| {
        let digest = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [(n % 251) as u8; 32]);
        (format!("v{n:06}"), serde_json::json!({ "length": 528, "hashes": { "sha256": digest } }))
    };
    owner.stage_targets(&gun, (0..count).map(target));
    owner.notary(&["publish", &gun]).ok();
    for warm in [true, false] {
        let (mine, other) = (owner.fresh(), owner.fresh());
        let forget = |desk: &Desk| (!warm).then(|| desk.trust_dir());
        let tls = ["--server".into(), server.url().into(), "--tlscacert".into(), server.ca().into_os_string()];
        let mut arguments: Vec<OsString> = ["tags", &gun, "--exact", "--trust-dir"].map(OsString::from).to_vec();
        arguments.push(mine.trust_dir().into());
        arguments.extend(tls);
        let ours = Way { program: claviger(), arguments, environment: mine.environment(), forget: forget(&mine) };
        let mut arguments = other.notary_arguments();
        arguments.extend(["list".into(), OsString::from(&gun)]);
        let theirs = Way { program: program("notary"), arguments, environment: other.environment(), forget: forget(&other) };
        if !warm {
            settle();
        }
        let (ours, theirs) = in_turn(&ours, &theirs);
        let state = if warm { "warm" } else { "cold" };
        report.ratio(&format!("tags, {count} tags, {state}"), &ours, &theirs, 5.0);
    }
}

fn in_turn(ours: &Way, theirs: &Way) -> (Vec<Took>, Vec<Took>) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for n in 0..=RUNS {
        let pair = (run(ours), run(theirs));
        if n > 0 {
            a.push(pair.0);
            b.push(pair.1);
        }
    }
    (a, b)
}

fn run(way: &Way) -> Took {
    if let Some(dir) = &way.forget {
        forget(dir);
    }
    // No run pays for what the one before it left for the disk.
    rustix::fs::sync();
    let note = tempfile::NamedTempFile::new().expect("a file");
    let mut command = Command::new(program("time"));
    command.args(["-f", "%M", "-o"]).arg(note.path()).arg(&way.program).args(&way.arguments);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(way.environment.iter().map(|(k, v)| (k, v)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().expect("the command runs");
    let wall = start.elapsed();
    assert!(status.success(), "{} failed", way.program.display());
    let peak = std::fs::read_to_string(note.path()).expect("a figure").trim().parse().expect("a figure");
    Took { wall, peak }
}

/// Waits until the disk has forgotten what the preparation deleted, such as the changes that `notary` published. For a
/// minute ext4 does not use a freed inode again, and the making of each new file searches past all of them.
fn settle() {
    rustix::fs::sync();
    std::thread::sleep(Duration::from_secs(65));
}

/// Moves a directory away. To remove it would cost the next run, see [`settle`].
fn forget(dir: &Path) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    if dir.exists() {
        let away = dir.with_extension(format!("old{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        std::fs::rename(dir, away).expect("the directory can be moved");
    }
}

/// From exec to the first complete frame, in a terminal.
fn first_frame(report: &mut Report, count: usize) {
    let dir = key_store(count);
    let mut walls: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let mut screen = Screen::open(dir.path());
            let wall = screen.until(|s| s.contents().contains("quit"));
            screen.close();
            wall
        })
        .collect();
    walls.sort_unstable();
    report.absolute(&format!("first frame, {count} keys"), &walls, Duration::from_millis(50));
}

/// From a key press to the first byte of the answer on the screen, in a list of many rows.
fn redraw(report: &mut Report, count: usize) {
    let dir = key_store(count);
    let mut screen = Screen::open(dir.path());
    screen.until(|s| s.contents().contains("quit"));
    screen.press("2");
    let total = format!("{count}");
    screen.until(|s| s.contents().contains(&total));
    let mut walls: Vec<Duration> = (0..RUNS * 4)
        .map(|_| {
            let before = screen.parser.screen().contents_formatted();
            screen.press("j");
            screen.until(|s| s.contents_formatted() != before)
        })
        .collect();
    walls.sort_unstable();
    screen.close();
    report.absolute(&format!("key press, {count} rows"), &walls, Duration::from_millis(16));
}

/// The program in a pseudo-terminal.
struct Screen {
    parser: vt100::Parser,
    output: std::sync::mpsc::Receiver<Vec<u8>>,
    input: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    started: Instant,
}

impl Screen {
    fn open(trust_dir: &Path) -> Self {
        Self::of(trust_dir, &["--server".to_owned(), "https://127.0.0.1:1".to_owned()])
    }

    /// The same with other arguments.
    fn of(trust_dir: &Path, arguments: &[String]) -> Self {
        let pty = native_pty_system()
            .openpty(PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 })
            .expect("a pty");
        let mut command = CommandBuilder::new(claviger());
        command.args(["--trust-dir", trust_dir.to_str().expect("UTF-8")]);
        command.args(arguments);
        command.env_clear();
        command.env("HOME", trust_dir);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        let mut reader = pty.master.try_clone_reader().expect("a reader");
        let input = pty.master.take_writer().expect("a writer");
        let started = Instant::now();
        let child = pty.slave.spawn_command(command).expect("the program starts");
        let (send, output) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let _master = pty.master;
            let mut buffer = [0u8; 65536];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if send.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { parser: vt100::Parser::new(ROWS, COLUMNS, 0), output, input, child, started }
    }

    /// Reads until the screen is as wanted; how long that took since the start or the last key.
    fn until(&mut self, wanted: impl Fn(&vt100::Screen) -> bool) -> Duration {
        loop {
            let bytes = self.output.recv_timeout(Duration::from_secs(60)).expect("the screen changes in time");
            self.parser.process(&bytes);
            if wanted(self.parser.screen()) {
                return self.started.elapsed();
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.started = Instant::now();
        self.input.write_all(keys.as_bytes()).expect("a key");
    }

    fn close(mut self) {
        let _ = self.input.write_all(b"q");
        let _ = self.child.wait();
    }
}

struct Report {
    lines: Vec<String>,
    short: usize,
}

impl Report {
    fn ratio(&mut self, what: &str, ours: &[Took], theirs: &[Took], wanted: f64) {
        let median = |all: &[Took]| {
            let mut walls: Vec<Duration> = all.iter().map(|t| t.wall).collect();
            walls.sort_unstable();
            walls[walls.len() / 2].as_secs_f64() * 1000.0
        };
        let peak = |all: &[Took]| all.iter().map(|t| t.peak).max().unwrap_or(0) as f64 / 1024.0;
        let (a, b) = (median(ours), median(theirs));
        let good = b / a >= wanted && peak(ours) < peak(theirs);
        self.add(
            good,
            format!(
                "{what:<40} {a:>8.1} ms {b:>8.1} ms   {:>5.1}x (wanted {wanted}x)   {:>6.1} MiB {:>6.1} MiB",
                b / a,
                peak(ours),
                peak(theirs)
            ),
        );
    }

    fn absolute(&mut self, what: &str, walls: &[Duration], wanted: Duration) {
        let ms = |d: Duration| d.as_secs_f64() * 1000.0;
        let (median, worst) = (walls[walls.len() / 2], walls[walls.len() - 1]);
        let line =
            format!("{what:<40} {:>8.1} ms median, {:.1} ms worst (wanted below {:.0} ms)", ms(median), ms(worst), ms(wanted));
        self.add(median < wanted, line);
    }

    fn add(&mut self, good: bool, line: String) {
        let line = format!("{} {line}", if good { "ok   " } else { "SHORT" });
        println!("{line}");
        self.short += usize::from(!good);
        self.lines.push(line);
    }

    fn print(&self) {
        println!("\n      {:<40} {:>11} {:>11}   {:>19}   {:>10} {:>10}", "", "claviger", "notary", "", "peak", "peak");
        self.lines.iter().for_each(|l| println!("{l}"));
        if self.short > 0 {
            println!("\n{} of {} fall short", self.short, self.lines.len());
            std::process::exit(1);
        }
    }
}
