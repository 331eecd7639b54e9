//! Each call that reaches the disk fails, from the first to the last of its kind: by what the system says, into the unmodified
//! release binary.
use super::works::{Ended, all};
use crate::{killed::Desk, peers::filled::each};
use std::{collections::BTreeMap, fs, sync::Mutex};

const NO_ROOM: &str = "No space left on device";
const READ_ONLY: &str = "Read-only file system";
const BAD: &str = "Input/output error";

/// Calls, what they say, and how that is called; with it all that could take something back, on a disk that is dying. What is not
/// confirmed once, and what is never confirmed again, are two things: in the first nothing that comes after says it.
const FAULTS: [(&str, &str, &str, &str); 9] = [
    ("fsync", "EIO", "", BAD),
    ("fsync", "EIO", "unlink,unlinkat", BAD),
    ("fdatasync", "EIO", "", BAD),
    ("renameat2", "ENOSPC", "", NO_ROOM),
    ("rename,renameat,renameat2,linkat", "EROFS", "", READ_ONLY),
    ("linkat", "ENOSPC", "", NO_ROOM),
    ("mkdir,mkdirat", "ENOSPC", "", NO_ROOM),
    ("unlink,unlinkat", "EROFS", "", READ_ONLY),
    ("fchmod,fchmodat", "EROFS", "", READ_ONLY),
];

#[test]
fn whichever_call_the_disk_refuses_no_key_is_lost_and_the_cause_is_named() {
    let tasks = all();
    let fresh = |before: &Desk| {
        let desk = Desk { folder: tempfile::tempdir().unwrap() };
        Desk::copy(before.folder.path(), desk.folder.path());
        desk
    };
    let rows = Mutex::new(BTreeMap::<(&str, Ended), usize>::new());
    let mut work = Vec::new();
    for (number, task) in tasks.iter().enumerate() {
        let desk = fresh(&task.before);
        let names = "fsync,fdatasync,rename,renameat,renameat2,linkat,mkdir,mkdirat,unlink,unlinkat,fchmod,fchmodat";
        let output = task.run(&desk, &[format!("--trace={names}")], &[]);
        assert!(output.status.success() && (task.done)(&desk, task), "{}", String::from_utf8_lossy(&output.stderr));
        let trace = fs::read_to_string(desk.path("trace")).unwrap();
        for fault in FAULTS {
            // strace counts the calls of each thread and of each name by themselves: no more than there are of one name.
            let counts = fault.0.split(',').map(|call| trace.lines().filter(|l| l.contains(&format!(" {call}("))).count());
            work.extend((1..=counts.max().unwrap()).map(|n| (number, fault, n)));
        }
    }
    each(&work, |(number, (calls, error, also, cause), n)| {
        let task = &tasks[*number];
        let when = format!("{}: {calls} {error} at the {n}., also {also:?}", task.name);
        let from_there_on = if *calls == "fsync" && also.is_empty() { "" } else { "+" };
        let mut inject = vec![format!("--inject={calls}:error={error}:when={n}{from_there_on}")];
        inject.extend((!also.is_empty()).then(|| format!("--inject={also}:error=EROFS")));
        let desk = fresh(&task.before);
        let output = task.run(&desk, &inject, &[]);
        let ended = task.judge(&desk, &output, &[cause, READ_ONLY], &when);
        if ended == Ended::Done {
            // What was refused was not needed. That of which a lasting file depends always is.
            let trace = fs::read_to_string(desk.path("trace")).unwrap();
            let needed = |l: &&str| {
                l.contains("(INJECTED)") && ["fsync(", "fdatasync(", "rename", " linkat("].iter().any(|c| l.contains(c))
            };
            assert_eq!(trace.lines().find(needed), None, "{when}: it says that it was done");
        } else {
            task.afterwards(&desk, &when);
        }
        *rows.lock().unwrap().entry((task.name, ended)).or_default() += 1;
    });
    let rows = rows.into_inner().unwrap();
    rows.iter().for_each(|((name, ended), n)| println!("{name:<12} {ended:?} {n}"));
    let refused: usize = rows.iter().filter(|((_, e), _)| *e != Ended::Done).map(|(_, n)| n).sum();
    println!("{} runs, {refused} of them not done", work.len());
    assert!(refused >= 90, "{rows:?}");
}
