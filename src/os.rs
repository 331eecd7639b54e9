//! What is asked of the operating system so that no core dump, no swap device and no other program of this user gets at the
//! secrets in memory; and the [`strongroom`], where work with them leaves nothing behind.
pub mod child;
mod raw;
mod units;

use std::time::Duration;

/// Something that the system refused. The program goes on; the faces say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What was asked for, in a few words.
    pub what: &'static str,
    /// The system's answer.
    pub why: String,
}

/// What is asked for the sake of speed. Call it before there are threads.
pub fn tune() {
    raw::share_memory();
}

/// Gives back to the system what was freed between things that are kept.
pub fn give_back() {
    raw::give_back();
}

/// Does work with secrets. Whatever is allocated meanwhile, by whichever library, lies in a small part of memory that is
/// locked where the kernel allows, absent from core dumps, and erased when it is freed; the stack that the work has used is
/// erased when it is done. What the work returns stays where it is: a key or a passphrase in locked memory.
///
/// There is room for half a megabyte; what is more lies in ordinary memory, which is erased too if it is freed inside.
/// Inside the work another call does nothing more.
pub fn strongroom<T>(work: impl FnOnce() -> T) -> T {
    raw::strongroom(work)
}

/// Whether the [`strongroom`] was ever full: then something lay in ordinary memory, erased but not locked.
pub fn strongroom_was_full() -> bool {
    raw::has_overflowed()
}

/// How long the machine has been running, asleep or not. No setting of a clock changes it.
pub fn uptime() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    // Never before its beginning.
    Duration::try_from(rustix::time::clock_gettime(clock)).unwrap_or_default()
}

/// Whether whoever started this process wants it to go on when its terminal is closed, as `nohup` does. Where the system does
/// not say it, nobody does.
pub fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|l| u64::from_str_radix(l.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let bit = rustix::process::Signal::HUP.as_raw() - 1;
    ignored.is_some_and(|set| set >> bit & 1 == 1)
}

/// Forbids core dumps and reading this process's memory by others of the same user. Returns what the system refused;
/// an empty list is the normal case. Call it before any secret is read.
#[must_use]
pub fn harden() -> Vec<Refused> {
    let mut refused = Vec::new();
    let mut note = |what, result: Result<(), rustix::io::Errno>| {
        if let Err(e) = result {
            refused.push(Refused { what, why: std::io::Error::from(e).to_string() });
        }
    };
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    note("forbid core dumps", rustix::process::setrlimit(rustix::process::Resource::Core, none));
    #[cfg(target_os = "linux")]
    note(
        "hide this process's memory from other programs",
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable),
    );
    refused
}

/// Locks the memory of the [`strongroom`]. What the system refuses concerns only whoever works with secrets.
#[must_use]
pub fn lock_strongroom() -> Option<Refused> {
    let refused =
        |e: std::io::Error| Refused { what: "lock the memory that holds secrets, which may be swapped", why: e.to_string() };
    raw::lock_strongroom().err().map(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allocated_inside_is_zero_when_it_is_free_again() {
        let secret = || (0..100u8).map(|n| n ^ 0xa5).collect::<Vec<u8>>();
        let (kept, at) = strongroom(|| {
            let kept = secret();
            let lost = secret();
            (kept, lost.as_ptr().addr())
        });
        assert_eq!(kept, secret());
        // Somebody who asks gets the place again, as it is; other tests may have it for a while.
        let again = (0..1000).find_map(|_| {
            // Only what is looked for may take places there.
            let mut all: Vec<Vec<u8>> = Vec::with_capacity(100);
            strongroom(|| all.resize_with(100, || vec![0; 100]));
            all.into_iter().find(|v| v.as_ptr().addr() == at)
        });
        assert_eq!(again.unwrap(), [0; 100]);
        assert!(strongroom(|| strongroom(raw::is_inside)) && !raw::is_inside());
        let panicked = std::panic::catch_unwind(|| strongroom(|| std::panic::resume_unwind(Box::new(()))));
        assert!(panicked.is_err() && !raw::is_inside());
    }

    #[test]
    fn memory_grows_and_shrinks_inside_as_outside() {
        let (mut inside, mut outside): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for n in 0..200_000 {
            strongroom_if(n % 20_000 == 7, || inside.push(n));
            outside.push(n);
        }
        assert_eq!(inside, outside);
        strongroom(|| {
            inside.extend(0..300_000);
            inside.truncate(10);
            inside.shrink_to_fit();
        });
        assert_eq!(inside, outside.get(..10).unwrap());
    }

    fn strongroom_if(yes: bool, work: impl FnOnce()) {
        if yes { strongroom(work) } else { work() }
    }

    #[test]
    fn after_hardening_the_process_cannot_be_dumped() {
        assert_eq!(harden(), []);
        assert_eq!(rustix::process::getrlimit(rustix::process::Resource::Core).current, Some(0));
        #[cfg(target_os = "linux")]
        assert_eq!(rustix::process::dumpable_behavior().unwrap(), rustix::process::DumpableBehavior::NotDumpable);
    }
}
