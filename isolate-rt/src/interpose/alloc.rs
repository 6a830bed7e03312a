//! The allocator: an instance's heap inside, libc's outside.

use super::real::real;
use crate::heap::{self, Heap};
use crate::mpk;
use libc::{c_int, c_void, size_t};
use std::ptr;

unsafe extern "C" {
    fn __libc_malloc(size: size_t) -> *mut c_void;
    fn __libc_calloc(count: size_t, size: size_t) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: size_t) -> *mut c_void;
    fn __libc_memalign(align: size_t, size: size_t) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
}

/// # Safety
///
/// What malloc(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: size_t) -> *mut c_void {
    match heap::current() {
        // SAFETY: passed on to libc.
        None => unsafe { __libc_malloc(size) },
        Some(mut heap) => allocate(&mut heap, size, 1),
    }
}

/// # Safety
///
/// What calloc(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: size_t, size: size_t) -> *mut c_void {
    let Some(mut heap) = heap::current() else {
        // SAFETY: passed on to libc.
        return unsafe { __libc_calloc(count, size) };
    };
    let Some(total) = count.checked_mul(size) else { return out_of_memory(usize::MAX) };
    let block = allocate(&mut heap, total, 1);
    if !block.is_null() {
        // SAFETY: the block has `total` bytes.
        unsafe { ptr::write_bytes(block.cast::<u8>(), 0, total) };
    }
    block
}

/// # Safety
///
/// What realloc(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: size_t) -> *mut c_void {
    let Some(mut heap) = heap::current() else {
        refuse_domain_block(block);
        // SAFETY: passed on to libc.
        return unsafe { __libc_realloc(block, size) };
    };
    if block.is_null() {
        return allocate(&mut heap, size, 1);
    }
    if size == 0 {
        drop(heap);
        // SAFETY: that it is a live block is what the foreign code owes, to itself alone.
        unsafe { free(block) };
        return ptr::null_mut();
    }
    // SAFETY: that a block of this heap is a live one is what the foreign code owes, to itself alone.
    let moved = unsafe { heap.reallocate(block.cast(), size) }.unwrap_or_else(|damage| damage.end_call());
    if moved.is_null() { out_of_memory(size) } else { moved.cast() }
}

/// # Safety
///
/// What free(3) asks of its caller.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn free(block: *mut c_void) {
    match heap::current() {
        None => {
            refuse_domain_block(block);
            // SAFETY: passed on to libc.
            unsafe { __libc_free(block) }
        }
        Some(_) if block.is_null() => {}
        Some(mut heap) => {
            // SAFETY: as in `realloc`.
            unsafe { heap.deallocate(block.cast()) }.unwrap_or_else(|damage| damage.end_call());
        }
    }
}

/// # Safety
///
/// What memalign(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(align: size_t, size: size_t) -> *mut c_void {
    match heap::current() {
        // SAFETY: passed on to libc.
        None => unsafe { __libc_memalign(align, size) },
        Some(mut heap) => allocate(&mut heap, size, align),
    }
}

/// # Safety
///
/// What aligned_alloc(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(align: size_t, size: size_t) -> *mut c_void {
    // SAFETY: the same function under its C11 name.
    unsafe { memalign(align, size) }
}

/// # Safety
///
/// What posix_memalign(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: size_t, size: size_t) -> c_int {
    if !align.is_power_of_two() || align < size_of::<usize>() {
        return libc::EINVAL;
    }
    // SAFETY: a valid alignment; `out` is the caller's to write.
    unsafe {
        let block = memalign(align, size);
        if block.is_null() {
            return libc::ENOMEM;
        }
        out.write(block);
    }
    0
}

/// # Safety
///
/// What valloc(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn valloc(size: size_t) -> *mut c_void {
    // SAFETY: a page is a valid alignment.
    unsafe { memalign(mpk::PAGE, size) }
}

/// # Safety
///
/// What pvalloc(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pvalloc(size: size_t) -> *mut c_void {
    // SAFETY: a page is a valid alignment. What cannot be rounded up is no size that there is room for.
    unsafe { memalign(mpk::PAGE, size.checked_next_multiple_of(mpk::PAGE).unwrap_or(size)) }
}

/// # Safety
///
/// What malloc_usable_size(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> size_t {
    match heap::current() {
        // SAFETY: as in `realloc`.
        Some(heap) => unsafe { heap.usable_size(block.cast()) },
        // SAFETY: passed on to libc.
        None => unsafe { real::malloc_usable_size()(block) },
    }
}

#[inline]
fn allocate(heap: &mut Heap, size: usize, align: usize) -> *mut c_void {
    let block = heap.allocate(size, align).unwrap_or_else(|damage| damage.end_call());
    if block.is_null() { out_of_memory(size) } else { block.cast() }
}

#[cold]
fn out_of_memory(size: usize) -> *mut c_void {
    mpk::note_refusal(size);
    // SAFETY: `errno` of this thread, or of this domain.
    unsafe { *libc::__errno_location() = libc::ENOMEM };
    ptr::null_mut()
}

/// Freeing a domain's block in the program is the program's own bug, and libc would write over its heap because of it: end
/// as glibc ends on any pointer that it did not give out.
#[inline]
fn refuse_domain_block(block: *mut c_void) {
    if mpk::in_arena(block.addr()) {
        let message = b"isolate-rt: free() of a block that belongs to a domain; free it with the library's own function, isolated\n";
        // SAFETY: writes a constant, then ends the process.
        unsafe {
            libc::write(2, message.as_ptr().cast(), message.len());
            libc::abort()
        }
    }
}
