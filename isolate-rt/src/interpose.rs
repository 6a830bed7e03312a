//! Functions of libc that mean something else inside a domain.
//!
//! Defined here, they win over libc's for the whole executable, libc's own callers of `malloc` included. Outside a domain
//! each passes its arguments on. Inside, the allocator serves the instance's heap, and what would end or outlive the process
//! ends the call instead.
//!
//! A dylib or cdylib must not define them: its host's libc would win and half of the calls would miss. Build those without
//! the feature `interpose`.

use crate::heap::{self, Heap};
use crate::mpk::{self, Reason};
use libc::{c_char, c_int, c_uint, c_void, size_t};
use std::ffi::CStr;
use std::ptr;

unsafe extern "C" {
    fn __libc_malloc(size: size_t) -> *mut c_void;
    fn __libc_calloc(count: size_t, size: size_t) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: size_t) -> *mut c_void;
    fn __libc_memalign(align: size_t, size: size_t) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
}

/// Keeps the definitions in the link even when the program's own code calls none of them.
#[used]
static DEFINED: [unsafe extern "C" fn(*mut c_void); 1] = [free];

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: size_t) -> *mut c_void {
    match heap::current() {
        // SAFETY: passed on to libc.
        None => unsafe { __libc_malloc(size) },
        Some(heap) => allocate(heap, size, 1),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: size_t, size: size_t) -> *mut c_void {
    let Some(heap) = heap::current() else {
        // SAFETY: passed on to libc.
        return unsafe { __libc_calloc(count, size) };
    };
    let Some(total) = count.checked_mul(size) else { return out_of_memory() };
    let block = allocate(heap, total, 1);
    if !block.is_null() {
        // SAFETY: the block has `total` bytes.
        unsafe { ptr::write_bytes(block.cast::<u8>(), 0, total) };
    }
    block
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: size_t) -> *mut c_void {
    let Some(heap) = heap::current() else {
        refuse_domain_block(block);
        // SAFETY: passed on to libc.
        return unsafe { __libc_realloc(block, size) };
    };
    if block.is_null() {
        return allocate(heap, size, 1);
    }
    require_own(heap, block);
    // SAFETY: the block lies in this heap; that it is a live one is what the foreign code owes, to itself alone.
    let moved = unsafe { heap.reallocate(block.cast(), size) };
    if moved.is_null() { out_of_memory() } else { moved.cast() }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    match heap::current() {
        None => {
            refuse_domain_block(block);
            // SAFETY: passed on to libc.
            unsafe { __libc_free(block) }
        }
        Some(_) if block.is_null() => {}
        Some(heap) => {
            require_own(heap, block);
            // SAFETY: as in `realloc`.
            unsafe { heap.deallocate(block.cast()) }
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(align: size_t, size: size_t) -> *mut c_void {
    match heap::current() {
        // SAFETY: passed on to libc.
        None => unsafe { __libc_memalign(align, size) },
        Some(heap) => allocate(heap, size, align),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(align: size_t, size: size_t) -> *mut c_void {
    // SAFETY: the same function under its C11 name.
    unsafe { memalign(align, size) }
}

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

#[unsafe(no_mangle)]
unsafe extern "C" fn valloc(size: size_t) -> *mut c_void {
    // SAFETY: a page is a valid alignment.
    unsafe { memalign(mpk::PAGE, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pvalloc(size: size_t) -> *mut c_void {
    let Some(size) = size.checked_next_multiple_of(mpk::PAGE) else { return out_of_memory() };
    // SAFETY: a page is a valid alignment.
    unsafe { memalign(mpk::PAGE, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> size_t {
    match heap::current() {
        // SAFETY: the block is one that `malloc` above gave out.
        Some(heap) if heap.owns(block.cast()) => unsafe { heap::usable_size(block.cast()) },
        Some(_) => 0,
        None => {
            type Real = unsafe extern "C" fn(*mut c_void) -> size_t;
            // SAFETY: that is its type in malloc(3).
            unsafe { next::<Real>(c"malloc_usable_size")(block) }
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn abort() -> ! {
    if heap::current().is_some() {
        mpk::leave(Reason::Abort, 0);
    }
    // SAFETY: its type in abort(3).
    unsafe { next::<unsafe extern "C" fn() -> !>(c"abort")() }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __assert_fail(
    what: *const c_char,
    file: *const c_char,
    line: c_uint,
    function: *const c_char,
) -> ! {
    if heap::current().is_some() {
        mpk::leave(Reason::Abort, 0);
    }
    type Real = unsafe extern "C" fn(*const c_char, *const c_char, c_uint, *const c_char) -> !;
    // SAFETY: its type in the Linux Standard Base.
    unsafe { next::<Real>(c"__assert_fail")(what, file, line, function) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __stack_chk_fail() -> ! {
    if heap::current().is_some() {
        mpk::leave(Reason::StackSmashed, 0);
    }
    // SAFETY: its type in the Linux Standard Base.
    unsafe { next::<unsafe extern "C" fn() -> !>(c"__stack_chk_fail")() }
}

macro_rules! exits {
    ($($name:ident)*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(status: c_int) -> ! {
            if heap::current().is_some() {
                mpk::leave(Reason::Exit, status as usize);
            }
            const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => unreachable!(),
            };
            // SAFETY: all of them have the type of exit(3).
            unsafe { next::<unsafe extern "C" fn(c_int) -> !>(NAME)(status) }
        }
    )* };
}
exits!(exit _exit _Exit quick_exit);

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> c_int {
    if heap::current().is_some() {
        mpk::leave(Reason::ThreadStarted, 0);
    }
    type Real = unsafe extern "C" fn(
        *mut libc::pthread_t,
        *const libc::pthread_attr_t,
        extern "C" fn(*mut c_void) -> *mut c_void,
        *mut c_void,
    ) -> c_int;
    // SAFETY: its type in pthread_create(3).
    unsafe { next::<Real>(c"pthread_create")(thread, attributes, start, argument) }
}

#[inline]
fn allocate(heap: &mut Heap, size: usize, align: usize) -> *mut c_void {
    let block = heap.allocate(size, align);
    if block.is_null() { out_of_memory() } else { block.cast() }
}

#[cold]
fn out_of_memory() -> *mut c_void {
    // SAFETY: `errno` of this thread, or of this domain.
    unsafe { *libc::__errno_location() = libc::ENOMEM };
    ptr::null_mut()
}

#[inline]
fn require_own(heap: &Heap, block: *mut c_void) {
    if !heap.owns(block.cast()) {
        mpk::leave(Reason::ForeignFree, block.addr());
    }
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

/// The next definition of `name` after ours: libc's.
///
/// # Safety
///
/// `F` is the type of the function of that name.
unsafe fn next<F: Copy>(name: &CStr) -> F {
    // SAFETY: `dlsym` takes any C string.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(!found.is_null(), "libc defines {name:?}");
    assert!(size_of::<F>() == size_of::<*mut c_void>());
    // SAFETY: a function pointer is a pointer, and not null; its type is what the caller says.
    unsafe { std::mem::transmute_copy(&found) }
}
