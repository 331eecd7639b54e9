//! How secrets are kept in the memory of this machine.
use super::{Area, Check};
use crate::os;

/// Whether memory is locked, absent from core dumps, and hidden from others.
pub fn memory() -> Vec<Check> {
    // Both were asked for at the start; asking again changes nothing and says how it stands.
    let hardened = os::harden();
    let mut all: Vec<Check> = hardened
        .iter()
        .map(|r| {
            Check::warn(
                Area::Memory,
                format!("the system refused to {}: {}", r.what, r.why),
                "Work with keys on another machine.",
            )
        })
        .collect();
    if hardened.is_empty() {
        all.push(Check::good(Area::Memory, "no core dumps, and no other program reads it but the administrator's"));
    }
    match os::lock_strongroom() {
        None => all.push(Check::good(Area::Memory, "secrets lie in locked memory, which is never swapped")),
        Some(refused) => {
            let text = format!("the system refused to {}: {}", refused.what, refused.why);
            let next = "Raise the limit of locked memory to a megabyte (`ulimit -l 1024`), or switch swap off (`swapoff -a`).";
            all.push(if has_swap() { Check::warn(Area::Memory, text, next) } else { no_swap(&text) });
        }
    }
    all
}

fn no_swap(text: &str) -> Check {
    Check::info(Area::Memory, format!("{text}; this machine has no swap device"))
}

/// Whether there may be a swap device.
fn has_swap() -> bool {
    std::fs::read_to_string("/proc/swaps").map_or(true, |text| text.lines().count() > 1)
}
