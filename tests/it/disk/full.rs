//! A real small disk: full after so many blocks or so many files, or read-only; the whole of it, or only where the keys or where
//! the journal lies.
use super::works::{Ended, Task, all};
use crate::{killed::Desk, peers::filled::each};
use std::{collections::BTreeMap, path::PathBuf, process::Command, sync::Mutex};

/// Most blocks, or files, that are left free. With these everything fits.
const MOST: u64 = 40;
const STATE: &str = ".local/state/claviger";

/// What of a desk lies on the small disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Everything,
    Keys,
    Journal,
}

/// How little there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Blocks(u64),
    Files(u64),
    ReadOnly,
}

/// More and more room.
type Rooms = fn(u64) -> Room;

/// A copy of a desk with a part of it on a disk of its own, which goes with it.
struct Small {
    desk: Desk,
    mounted: PathBuf,
}

fn mount(arguments: &[&str], at: &std::path::Path) {
    let output = Command::new("mount").args(arguments).arg(at).output().unwrap();
    assert!(output.status.success(), "mounting needs root: {}", String::from_utf8_lossy(&output.stderr));
}

impl Small {
    fn new(before: &Desk, part: Part) -> Self {
        let desk = Desk { folder: tempfile::tempdir().unwrap() };
        let mounted = match part {
            Part::Everything => desk.folder.path().to_owned(),
            Part::Keys => desk.path("trust"),
            Part::Journal => desk.path(STATE),
        };
        std::fs::create_dir_all(&mounted).unwrap();
        mount(&["-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs"], &mounted);
        let small = Self { desk, mounted };
        // No room at all would mean no limit.
        std::fs::write(small.mounted.join("filler"), "x").unwrap();
        Desk::copy(before.folder.path(), small.desk.folder.path());
        small
    }

    /// Leaves this much, beyond what is there.
    fn leave(&self, room: Room) {
        let all = rustix::fs::statvfs(&self.mounted).unwrap();
        let (blocks, files) = (all.f_blocks - all.f_bfree, all.f_files - all.f_ffree);
        let options = match room {
            Room::Blocks(n) => format!("remount,size={}", (blocks + n) * all.f_frsize),
            Room::Files(n) => format!("remount,nr_inodes={}", files + n),
            Room::ReadOnly => "remount,ro".to_owned(),
        };
        mount(&["-o", &options], &self.mounted);
    }

    fn heal(&self) {
        mount(&["-o", "remount,rw,size=16m,nr_inodes=10000"], &self.mounted);
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mounted).status();
    }
}

/// Runs a piece of work with more and more room until it is done. How each run ended.
fn until_it_fits(task: &Task, part: Part, room: Rooms) -> Vec<Ended> {
    let mut all = Vec::new();
    for n in 0..MOST {
        let (small, room) = (Small::new(&task.before, part), room(n));
        small.leave(room);
        let when = format!("{}: {part:?} with {room:?}", task.name);
        let output = task.run(&small.desk, &[], &[]);
        small.heal();
        let ended = task.judge(&small.desk, &output, &["No space left on device", "Read-only file system"], &when);
        if ended != Ended::Done {
            task.afterwards(&small.desk, &when);
        }
        if part == Part::Journal && n == 0 || room == Room::ReadOnly && part != Part::Keys {
            assert_eq!(ended, Ended::Refused, "{when}: what cannot be written down is not done");
        }
        all.push(ended);
        if ended == Ended::Done || room == Room::ReadOnly {
            return all;
        }
    }
    panic!("{}: {part:?} never fits: {all:?}", task.name);
}

#[test]
fn on_a_small_disk_work_is_done_or_refused_and_no_key_is_lost() {
    let tasks = all();
    let mut work = Vec::new();
    let rooms: [(&str, Rooms); 3] = [("blocks", Room::Blocks), ("files", Room::Files), ("read-only", |_| Room::ReadOnly)];
    for task in &tasks {
        for part in [Part::Journal, Part::Keys, Part::Everything] {
            work.extend(rooms.map(|room| (task, part, room)));
        }
    }
    let rows = Mutex::new(BTreeMap::new());
    each(&work, |(task, part, (name, room))| {
        let ended = until_it_fits(task, *part, *room);
        rows.lock().unwrap().insert((task.name, *part, *name), ended);
    });
    let rows = rows.into_inner().unwrap();
    for ((task, part, room), ended) in &rows {
        println!("{task:<12} {:<12} {room:<10} {ended:?}", format!("{part:?}"));
    }
    let refused = rows.values().flatten().filter(|e| **e != Ended::Done).count();
    println!("{} runs, {refused} of them not done", rows.values().map(Vec::len).sum::<usize>());
    assert!(refused >= 100, "{refused}");
}
