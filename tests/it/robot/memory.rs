//! No secret stays in the memory of the real binary: as root, every mapping is searched for passphrases and keys that were
//! planted, in every form in which a program might keep them. While one is held, it lies in locked pages only.
use super::{
    Home,
    driver::Robot,
    scan::{Hit, Needle, of_key, of_passphrase, of_words, search},
};
use crate::peers::program::program;
use claviger::{
    keys::{self, KeyEntry},
    secret::Passphrase,
    trust_dir::TrustDir,
};
use std::{path::Path, process::Command};

// No words, which a list might hold.
const FIRST: &str = "Zq7#vXt9re~Mkr2dQeU";
const SECOND: &str = "kJ9%wLn3t=Gd5oLa&xT";
const WRONG: &str = "wX3+Ob8dn!tr6np*ZzK";
const LEFT: &str = "hV5@Qg4mr^ln7rnYyWe";

fn entries(home: &Home) -> Vec<KeyEntry> {
    keys::list(&TrustDir::new(home.dir.path().join(".docker/trust"))).entries
}

/// What a key and the passphrase that opens it look like in memory.
fn planted(entry: &KeyEntry, passphrase: &str) -> Vec<Needle> {
    let key = keys::unlock(entry, Some(&Passphrase::from(passphrase.to_owned()))).unwrap();
    let mut needles = of_passphrase(passphrase, Some(&std::fs::read(&entry.path).unwrap()));
    needles.extend(of_key(&key));
    needles
}

fn nothing_left(robot: &Robot, needles: &[Needle], when: &str) {
    let hits = search(robot.pid().as_raw_nonzero().get(), needles);
    assert!(hits.is_empty(), "{when}, this was left in memory:\n{}", hits.iter().map(Hit::to_string).collect::<String>());
}

/// The search finds what is there, and that lies where it cannot be swapped, dumped or inherited.
fn held_safely(robot: &Robot, needles: &[Needle], when: &str) {
    let hits = search(robot.pid().as_raw_nonzero().get(), needles);
    assert!(!hits.is_empty(), "{when}, nothing was found: the search is blind");
    let open: String = hits.iter().filter(|h| !h.is_locked()).map(Hit::to_string).collect();
    assert!(open.is_empty(), "{when}, this lay in memory that is not locked:\n{open}");
}

/// Fills the form for a key of ana. `algorithm`: what is pressed to choose one.
fn fill(robot: &mut Robot, home: &Home, algorithm: &str) {
    robot.press("2");
    robot.see("Keys  ");
    robot.press("n");
    robot.see("Say what the new key is for.");
    robot.press(&format!("ana\t\t\t{algorithm}\t\x15{}", home.dir.path().display()));
    robot.see("writes ");
    robot.press("\r");
    robot.see("Type a passphrase for the new key of ana.");
}

#[test]
fn the_screen_leaves_no_passphrase_and_no_key_in_memory() {
    let home = Home::empty();
    let mut robot = home.start(&[], (120, 40));
    robot.see("Overview");
    fill(&mut robot, &home, "");
    // Typed slowly, each key read alone; while it is there, the search finds it, and nowhere but in locked pages.
    robot.type_slowly(FIRST);
    held_safely(&robot, &of_passphrase(FIRST, None), "half typed");
    robot.press("\r");
    robot.see("Type the same passphrase");
    // Written at once.
    robot.press(&format!("{FIRST}\r"));
    robot.see("Store the key");
    nothing_left(&robot, &of_passphrase(FIRST, None), "before the key is stored");
    robot.press("\r");
    robot.see("Back it up now");
    let made = planted(&entries(&home)[0], FIRST);
    nothing_left(&robot, &made, "after a key was made");
    robot.press("\r");
    robot.see("Keys  1");
    robot.press("p");
    robot.see("Type the passphrase of the ana key");
    robot.press(&format!("{WRONG}\r"));
    robot.see("That passphrase does not open the key.");
    robot.press(&format!("{FIRST}\r"));
    robot.see("Type the new passphrase");
    // Pasted.
    robot.press(&format!("\x1b[200~{SECOND}\x1b[201~\r"));
    robot.see("Type the same passphrase");
    robot.press(&format!("\x1b[200~{SECOND}\x1b[201~\r"));
    robot.see("Change the passphrase");
    robot.press("\r");
    robot.see("Copies and backups");
    let mut all = made;
    all.extend(of_passphrase(WRONG, None));
    all.extend(planted(&entries(&home)[0], SECOND));
    nothing_left(&robot, &all, "after its passphrase was changed");
    robot.press("\r");
    robot.see("Keys  1");
    // Remembered: it lies in locked pages, is used without a question, and the lock forgets it.
    robot.press("p");
    robot.see("Remember it for this sitting: no.");
    robot.press("\x12");
    robot.see("Remember it for this sitting: yes.");
    robot.press(&format!("{SECOND}\r"));
    robot.see("Type the new passphrase");
    robot.press("\x1b");
    robot.see("Type the passphrase of the ana key");
    robot.press("\x1b");
    robot.see("with its old passphrase");
    robot.press("\r");
    robot.see("one passphrase is remembered");
    held_safely(&robot, &of_passphrase(SECOND, None), "while it is remembered");
    robot.press("p");
    robot.see("Type the new passphrase");
    robot.press("\x18");
    robot.see("Locked: every passphrase was forgotten.");
    nothing_left(&robot, &all, "after the lock");
    robot.press("\r");
    robot.see("with its old passphrase");
    robot.press("\r");
    robot.see("Keys  1");
    // Typed and given up.
    robot.press("p");
    robot.see("Type the passphrase of the ana key");
    robot.type_slowly(LEFT);
    robot.press("\x1b");
    robot.see("with its old passphrase");
    all.extend(of_passphrase(LEFT, None));
    nothing_left(&robot, &all, "after everything");
    robot.press("\r");
    robot.see("Keys  1");
    robot.press("q");
    assert_eq!(robot.end(), 0);
}

/// The words that stand on the screen below the line that says they were drawn.
fn drawn(screen: &str) -> Vec<String> {
    let below = screen.lines().skip_while(|l| !l.contains("Drawn by lot")).skip(1).take(3);
    let words = below.flat_map(|l| l.rsplit('│').next().unwrap_or_default().split_whitespace());
    words.map(str::to_owned).collect()
}

#[test]
fn words_that_were_drawn_are_on_the_screen_until_they_are_typed_and_nowhere_else() {
    for size in [(80, 24), (120, 40)] {
        let home = Home::empty();
        let mut robot = home.start(&[], size);
        robot.see("Overview");
        fill(&mut robot, &home, "");
        robot.press("\x07");
        robot.see("Drawn by lot: 6 words, 77 bits");
        let first = drawn(&robot.wait("six words", |s| drawn(&s.contents()).len() == 6));
        robot.press("\x07");
        let others = |s: &str| drawn(s).len() == 6 && drawn(s) != first;
        let words = drawn(&robot.wait("other words", |s| others(&s.contents())));
        let passphrase = words.join(" ");
        held_safely(&robot, &of_words(&passphrase), "while it is shown");
        robot.press(&format!("{passphrase}\r"));
        robot.see("Type the same passphrase");
        assert!(words.iter().all(|w| !robot.screen().contains(w.as_str())), "{}", robot.screen());
        robot.press(&format!("{passphrase}\r"));
        robot.see("Store the key");
        robot.press("\r");
        robot.see("Back it up now");
        let key = keys::unlock(&entries(&home)[0], Some(&Passphrase::from(passphrase.clone()))).unwrap();
        let mut all = of_key(&key);
        all.extend(of_words(&passphrase));
        all.extend(of_words(&first.join(" ")));
        nothing_left(&robot, &all, "after a key was made");
        // Whoever gives up leaves nothing on the screen either.
        robot.press("\r");
        robot.see("Keys  1");
        robot.press("p");
        robot.see("Type the passphrase of the ana key");
        robot.press(&format!("{passphrase}\r"));
        robot.see("Type the new passphrase");
        robot.press("\x07");
        let left = drawn(&robot.wait("six words", |s| drawn(&s.contents()).len() == 6));
        robot.press("\x18");
        robot.see("Locked: every passphrase was forgotten.");
        assert!(left.iter().all(|w| !robot.screen().contains(w.as_str())), "{}", robot.screen());
        nothing_left(&robot, &of_words(&left.join(" ")), "after the lock");
    }
}

#[test]
fn whoever_walks_away_from_a_half_typed_passphrase_leaves_nothing() {
    let home = Home::empty();
    let config = home.dir.path().join(".config/claviger/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, "lock_after = 1.5\n").unwrap();
    let mut robot = home.start(&[], (120, 40));
    robot.see("Overview");
    fill(&mut robot, &home, "");
    robot.type_slowly(LEFT);
    robot.see("Locked: every passphrase was forgotten.");
    robot.see("Nobody has pressed a key");
    nothing_left(&robot, &of_passphrase(LEFT, None), "after the lock");
    // Keys work again, and what was asked is asked no more.
    robot.press("\r");
    robot.see("No key was made.");
    robot.press("\r");
    robot.see("n makes a key here");
    robot.press("q");
    assert_eq!(robot.end(), 0);
    robot.wait_whole();
}

#[test]
fn numbers_of_rsa_keys_are_not_left_in_memory_either() {
    let home = Home::with("docker-trust");
    let id = "4d8255dfc972";
    let entry = entries(&home).into_iter().find(|e| e.id.unwrap().hex().starts_with(id)).unwrap();
    let key = keys::unlock(&entry, Some(&Passphrase::from("gold-drepo".to_owned()))).unwrap();
    let mut robot = home.start(&[], (120, 40));
    robot.see("Overview");
    robot.press("2");
    robot.see(id);
    robot.press(&format!("/{id}\r"));
    robot.see("1 of 6");
    robot.press("p");
    robot.see("Type the passphrase of the ana key");
    robot.press("gold-drepo\r");
    robot.see("Type the new passphrase");
    robot.press(&format!("{FIRST}\r"));
    robot.see("Type the same passphrase");
    robot.press(&format!("{FIRST}\r"));
    robot.see("Change the passphrase");
    robot.press("\r");
    robot.see("Copies and backups");
    nothing_left(&robot, &of_key(&key), "after the passphrase of an RSA key was changed");
    drop(robot);

    let home = Home::empty();
    let mut robot = home.start(&[], (120, 40));
    robot.see("Overview");
    fill(&mut robot, &home, "\x1b[C");
    robot.press(&format!("{FIRST}\r"));
    robot.see("Type the same passphrase");
    robot.press(&format!("{FIRST}\r"));
    robot.see("Store the key");
    robot.see("rsa-2048");
    robot.press("\r");
    robot.see("Back it up now");
    let made = planted(&entries(&home)[0], FIRST);
    nothing_left(&robot, &made, "after an RSA key was made");
}

#[test]
fn a_command_leaves_nothing_of_one_key_while_it_asks_for_the_next() {
    let home = Home::with("docker-trust");
    let of = |id: &str| entries(&home).into_iter().find(|e| e.id.unwrap().hex().starts_with(id)).unwrap();
    let (small, large) = ("29fe684c5c3c", "4d8255dfc972");
    let mut needles = planted(&of(small), "gold-drepo");
    needles.extend(planted(&of(large), "gold-drepo"));
    let mut robot = home.start(&["key", "test", small, large, "3f534fb5f48c"], (100, 30));
    for id in [small, large] {
        robot.see(&format!("key {id}: "));
        robot.press("gold-drepo\r");
    }
    robot.see("key 3f534fb5f48c: ");
    nothing_left(&robot, &needles, "after two keys were tested");
    robot.press("gold-droot\r");
    assert_eq!(robot.end(), 0);
}

#[test]
fn a_passphrase_of_the_environment_or_a_file_is_held_in_locked_memory_only() {
    // What the environment itself holds cannot be erased; copies of it would be ours.
    let home = Home::with("docker-trust");
    let file = home.dir.path().join("passphrases");
    std::fs::write(&file, format!("root={SECOND}\n")).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let robot = home.start_with(
        &["key", "passwd", "29fe684c5c3c", "--passphrase-file", file.to_str().unwrap()],
        (100, 30),
        &[("NOTARY_TARGETS_PASSPHRASE", FIRST), ("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "gold-drepo")],
    );
    robot.see("New passphrase");
    let pid = robot.pid().as_raw_nonzero().get();
    for (phrase, in_environment) in [(FIRST, true), (SECOND, false)] {
        let hits = search(pid, &of_passphrase(phrase, None));
        let ours: Vec<&Hit> = hits.iter().filter(|h| !(in_environment && h.mapping == "[stack]")).collect();
        assert!(
            !ours.is_empty() && ours.iter().all(|h| h.is_locked()),
            "{}",
            ours.iter().map(|h| h.to_string()).collect::<String>()
        );
    }
}

#[test]
fn an_abort_in_the_middle_of_a_passphrase_leaves_no_core() {
    let home = Home::empty();
    let mut robot = home.start_in_shell((120, 40));
    robot.see("Overview");
    fill(&mut robot, &home, "");
    robot.type_slowly(FIRST);
    let pid = robot.foreground();
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core: Vec<&str> = limits.lines().find(|l| l.starts_with("Max core")).unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "{core:?}");
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::ABORT).unwrap();
    robot.see("Aborted");
    assert!(!robot.screen().contains("core dumped"), "{}", robot.screen());
    let left = std::fs::read_dir(home.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
    assert!(left.iter().all(|n| !n.to_string_lossy().contains("core")), "{left:?}");
}

#[test]
fn no_program_is_started_and_no_argument_holds_a_secret() {
    let home = Home::with("docker-trust");
    let trace = home.dir.path().join("trace");
    let mut command = Command::new(program("strace"));
    command.args(["-f", "-qq", "-v", "-s", "4096", "-e", "trace=execve,execveat", "-o"]).arg(&trace);
    command.arg(env!("CARGO_BIN_EXE_claviger")).args(["key", "passwd", "29fe684c5c3c", "--new-passphrase-file"]);
    let new = home.dir.path().join("new");
    std::fs::write(&new, SECOND).unwrap();
    std::fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    command.arg(&new).env_clear().env("HOME", home.dir.path()).env("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "gold-drepo");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let trace = std::fs::read_to_string(trace).unwrap();
    let started: Vec<&str> = trace.lines().filter(|l| l.contains("execve")).collect();
    assert!(started.len() == 1 && !started[0].contains(SECOND), "{started:?}");
    // What it wrote holds none of it.
    let mut folders = vec![home.dir.path().join(".docker"), home.dir.path().join(".local")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                no_secret_in(&path, &[SECOND, "gold-drepo"]);
            }
        }
    }
}

#[test]
fn memory_that_cannot_be_locked_is_said_once_where_it_matters_and_stops_nothing() {
    let home = Home::with("docker-trust");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(program("strace"));
        command.args(["-f", "-qq", "-e", "trace=mlock2", "-e", "inject=mlock2:error=ENOMEM", "-o", "/dev/null"]);
        command.arg(env!("CARGO_BIN_EXE_claviger")).args(arguments);
        command.env_clear().env("HOME", home.dir.path()).env("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "gold-drepo");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(run(&["key", "test", "29fe684c5c3c"]).matches("lock the memory that holds secrets").count(), 1);
    assert!(!run(&["tags", "--help"]).contains("lock"));
}

fn no_secret_in(path: &Path, secrets: &[&str]) {
    let bytes = std::fs::read(path).unwrap();
    for secret in secrets {
        assert!(memchr::memmem::find(&bytes, secret.as_bytes()).is_none(), "{path:?}");
    }
}
