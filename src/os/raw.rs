//! Calls of the system, and memory, that the compiler cannot check: the only module with unsafe code. Each block says why it
//! is sound.
#![allow(unsafe_code)]
use super::units::{UNIT, UNITS, Units};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::{Cell, UnsafeCell},
    hint::black_box,
    io,
    sync::atomic::{AtomicBool, Ordering},
};
use zeroize::Zeroize as _;

/// Bytes by which memory grows at least.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const STEP: libc::c_int = 4 << 20;
/// Bytes of the stack that work with secrets may use, and that are erased after it. RSA with 4096 bits needs a fraction.
const DEPTH: usize = 256 << 10;
/// Bytes between the frame that erases and the first frame that is erased, so that the one covers the other.
const GAP: usize = 1 << 10;
/// Bytes of the stack below a frame that stay for what it calls.
#[cfg(target_os = "linux")]
const KEPT: usize = 32 << 10;

/// Has all threads share one memory, so that one uses again what another has freed: with one for each, a large repository
/// takes half as much again. It grows in large steps; the C library otherwise asks the kernel for every few pages, which is
/// a tenth of the time of reading a large repository. Only what is used becomes real.
pub(super) fn share_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: each takes two numbers and changes a parameter of the allocator, under the allocator's own lock.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TOP_PAD, STEP);
    }
}

/// Gives back to the kernel what was freed and lies between what is kept.
pub(super) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes a number and looks through the allocator's own free memory, under the allocator's own lock.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Has the kernel end a program when the thread that will start it ends, however that ends: whoever is killed by SIGKILL cannot
/// end anybody. What that program has started is not ended by this.
pub(super) fn end_with_this_thread(command: &mut std::process::Command) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
        use std::os::unix::process::CommandExt as _;
        let parent = getpid();
        let ask = move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // It may have ended before it was asked.
            if getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
        };
        // SAFETY: between fork and exec it makes two system calls and allocates nothing; it captures a number.
        unsafe { command.pre_exec(ask) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

/// The memory of the strongroom: whole pages, zero wherever nothing lies.
#[repr(C, align(65536))]
struct Pages(UnsafeCell<[u8; UNIT * UNITS]>);

// SAFETY: a unit is touched only by whoever holds it, and `UNITS_TAKEN` gives each to one holder at a time.
unsafe impl Sync for Pages {}

static PAGES: Pages = Pages(UnsafeCell::new([0; UNIT * UNITS]));
static UNITS_TAKEN: Units = Units::new();
/// Whether there was ever no room.
static OVERFLOWED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this thread works with secrets.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the strongroom was ever full, so that something lay in ordinary memory.
pub(super) fn has_overflowed() -> bool {
    OVERFLOWED.load(Ordering::Relaxed)
}

/// Whether this thread works with secrets.
pub(super) fn is_inside() -> bool {
    // A thread that is ending works with none.
    INSIDE.try_with(Cell::get).unwrap_or(false)
}

/// Says whether it does; what it was before.
fn set_inside(inside: bool) -> bool {
    INSIDE.try_with(|i| i.replace(inside)).unwrap_or(false)
}

/// Keeps the pages of the strongroom from a swap device, from core dumps and from children.
pub(super) fn lock_strongroom() -> io::Result<()> {
    let (at, length) = (PAGES.0.get().cast::<libc::c_void>(), UNIT * UNITS);
    #[cfg(target_os = "linux")]
    // SAFETY: the range is this static's own whole pages. Children of `fork` do not have them: between `fork` and `exec`
    // nothing here allocates or frees.
    unsafe {
        libc::madvise(at, length, libc::MADV_DONTDUMP);
        libc::madvise(at, length, libc::MADV_DONTFORK);
    }
    lock(at, length)
}

/// Locks pages, each when it is first used where the kernel knows that.
fn lock(at: *mut libc::c_void, length: usize) -> io::Result<()> {
    // SAFETY: locking changes nothing that a program sees; a range that is not mapped is refused.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    let done = unsafe { libc::mlock2(at, length, libc::MLOCK_ONFAULT as libc::c_uint) };
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    // SAFETY: as above.
    let done = unsafe { libc::mlock(at, length) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes memory from the strongroom for what is allocated where secrets are worked with, and erases it when it is freed,
/// whoever frees it: libraries know nothing of it and need not. Everything else goes to the system.
struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

impl Allocator {
    /// The number of the unit that a pointer is the beginning of, if it lies in the strongroom.
    fn unit_of(at: *mut u8) -> Option<usize> {
        let offset = at.addr().checked_sub(PAGES.0.get().addr())?;
        (offset < UNIT * UNITS).then_some(offset / UNIT)
    }

    fn take(layout: Layout) -> Option<*mut u8> {
        let fits = layout.size() > 0 && layout.align() <= UNIT;
        let units = if fits { layout.size().div_ceil(UNIT) } else { return None };
        let Some(unit) = UNITS_TAKEN.take(units) else {
            OVERFLOWED.store(true, Ordering::Relaxed);
            return None;
        };
        // Within the static, because `take` gives only units that there are.
        Some(PAGES.0.get().cast::<u8>().wrapping_add(unit * UNIT))
    }
}

/// Writes zeros that the compiler may not leave out.
///
/// # Safety
/// The bytes must be the caller's to write.
unsafe fn erase(at: *mut u8, length: usize) {
    // SAFETY: the caller's promise; the pointer that goes on keeps the write from being thought useless.
    unsafe { at.write_bytes(0, length) };
    black_box(at);
}

// SAFETY: memory comes from the system's allocator, which keeps the contract, or from units of the strongroom, which are
// aligned to 64 bytes, belong to one holder until given back, and are told apart by their address.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = if is_inside() { Self::take(layout) } else { None };
        // SAFETY: the caller's promise about the layout is passed on.
        taken.unwrap_or_else(|| unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // What is free in the strongroom is zero already.
        let taken = if is_inside() { Self::take(layout) } else { None };
        // SAFETY: the caller's promise about the layout is passed on.
        taken.unwrap_or_else(|| unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        match Self::unit_of(at) {
            Some(unit) => {
                // SAFETY: the caller gives back what it holds: so many bytes, and the units around them.
                unsafe { erase(at, layout.size()) };
                UNITS_TAKEN.give(unit, layout.size().div_ceil(UNIT));
            }
            None => {
                if is_inside() {
                    // SAFETY: as above. The strongroom was full, or the memory is older than the work.
                    unsafe { erase(at, layout.size()) };
                }
                // SAFETY: not ours, so the system's.
                unsafe { System.dealloc(at, layout) }
            }
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if Self::unit_of(at).is_none() && !is_inside() {
            // SAFETY: the caller's promises are passed on.
            return unsafe { System.realloc(at, layout, size) };
        }
        // SAFETY: the caller promises that the new size fits the alignment.
        let wider = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: a size that is not zero is the caller's promise.
        let new = unsafe { self.alloc(wider) };
        if !new.is_null() {
            // SAFETY: both are held, do not overlap, and have at least this many bytes; the old one is given back once.
            unsafe {
                new.copy_from_nonoverlapping(at, layout.size().min(size));
                self.dealloc(at, layout);
            }
        }
        new
    }
}

/// Ends the work, however it ends.
struct Leave {
    bottom: *mut libc::c_void,
}

impl Drop for Leave {
    fn drop(&mut self) {
        set_inside(false);
        erase_below();
        // SAFETY: the pages of this thread's stack that were locked before; unlocking changes nothing that a program sees.
        unsafe { libc::munlock(self.bottom, DEPTH) };
        give_back_below(self.bottom);
    }
}

/// Gives the pages of the stack back that nobody has used but the work and what erased them: every thread that ever worked
/// with a secret would keep them.
#[inline(never)]
fn give_back_below(bottom: *mut libc::c_void) {
    #[cfg(target_os = "linux")]
    {
        let mut here = 0u8;
        // SAFETY: it asks for a number.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(usize::MAX);
        let Some(first) = bottom.addr().checked_next_multiple_of(page) else { return };
        let end = black_box(&raw mut here).addr().saturating_sub(KEPT) / page * page;
        if let Some(length) = end.checked_sub(first).filter(|l| *l > 0) {
            // SAFETY: whole pages of this thread's stack, all of them below every frame that is in use, with room for that of
            // the call. Whoever uses them next finds zeros.
            unsafe { libc::madvise(bottom.with_addr(first), length, libc::MADV_DONTNEED) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = bottom;
}

/// Does work whose memory, heap and stack, is locked where the kernel allows, and erased when it is done.
#[inline(never)]
pub(super) fn strongroom<T>(work: impl FnOnce() -> T) -> T {
    if is_inside() {
        return work();
    }
    let mut here = 0u8;
    // The stack of the first thread grows when it is touched; only what is there can be locked.
    erase_below();
    let bottom = (&raw mut here).wrapping_sub(DEPTH).cast();
    // What is refused was refused for the strongroom's own pages too, and said.
    let _ = lock(bottom, DEPTH);
    set_inside(true);
    let _leave = Leave { bottom };
    black_box(&mut here);
    below_a_gap(work)
}

/// Keeps the frames of the work below those of what erases them.
#[inline(never)]
fn below_a_gap<T>(work: impl FnOnce() -> T) -> T {
    let mut gap = [0u8; GAP];
    black_box(&mut gap);
    let out = at_depth(work);
    black_box(&mut gap);
    out
}

#[inline(never)]
fn at_depth<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Overwrites the stack below the caller.
#[inline(never)]
fn erase_below() {
    let mut below = [0u64; DEPTH / size_of::<u64>()];
    below.zeroize();
    black_box(&mut below);
}
