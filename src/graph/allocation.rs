//! Counts the bytes that the current thread has allocated and not freed, so
//! that a query can be held to its memory. Not a heap: it passes every call on
//! to the system's.

#![expect(
    unsafe_code,
    reason = "GlobalAlloc is an unsafe trait; every call is passed on unchanged"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ALLOCATED: Cell<isize> = const { Cell::new(0) };
}

/// Bytes allocated less bytes freed by this thread. Memory that another thread
/// frees stays counted here, so only differences within one thread mean
/// something.
pub(super) fn allocated() -> isize {
    ALLOCATED.try_with(Cell::get).unwrap_or(0)
}

/// Asks the allocator to return what it keeps to the system. Elsewhere than
/// with glibc the allocator does so by itself.
pub(super) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

fn count(bytes: usize, sign: isize) {
    let bytes = isize::try_from(bytes).unwrap_or(isize::MAX);
    // A thread that is ending has no counter any more, and needs none.
    let _ = ALLOCATED.try_with(|counter| counter.set(counter.get().wrapping_add(sign * bytes)));
}

/// The system's allocator with a counter a thread.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: each method passes its arguments to the system allocator as they
// are, whose contract is the same; the counter is a plain thread-local cell
// that neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: as required of the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: as required of the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: as required of the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout.size(), -1);
        count(size, 1);
        // SAFETY: as required of the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
