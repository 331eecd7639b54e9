//! What is asked of the operating system at the start, so that no core dump and no other program of this user gets at the
//! secrets in memory. Pages are not locked, because that is possible only in unsafe code: when memory is short, they can
//! reach a swap device, which should be encrypted.
mod raw;

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
    raw::grow_memory_in_large_steps();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_hardening_the_process_cannot_be_dumped() {
        assert_eq!(harden(), []);
        assert_eq!(rustix::process::getrlimit(rustix::process::Resource::Core).current, Some(0));
        #[cfg(target_os = "linux")]
        assert_eq!(rustix::process::dumpable_behavior().unwrap(), rustix::process::DumpableBehavior::NotDumpable);
    }
}
