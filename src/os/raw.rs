//! Calls of the system that the compiler cannot check: the only module with unsafe code. Each is one call, with why it is
//! sound.
#![allow(unsafe_code)]

/// Bytes by which the memory of a thread grows at least.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const STEP: libc::c_int = 4 << 20;

/// Lets memory grow in large steps. The C library otherwise asks the kernel for every few pages that a thread other than
/// the first takes, which is a tenth of the time of reading a large repository. Only what is used becomes real.
pub(super) fn grow_memory_in_large_steps() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes two numbers and changes a parameter of the allocator, under the allocator's own lock.
    unsafe {
        libc::mallopt(libc::M_TOP_PAD, STEP);
    }
}
