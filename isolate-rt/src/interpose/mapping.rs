//! Mappings: inside, the program makes them for the domain, in the domain's own address space ([`mappings`]). Of other memory a
//! domain can change nothing by these names. Nor can the program, in the address space of domains: what it put there, or the kernel
//! where it had made a hole, would be taken for the domain's.

use super::failed;
use super::real::real;
use crate::heap;
use crate::mpk::{self, areas::mappings};
use libc::{c_int, c_void, off_t, size_t};
use std::ptr;

macro_rules! maps {
    ($($name:ident)*) => { $(
        /// # Safety
        ///
        /// What mmap(2) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            address: *mut c_void,
            len: size_t,
            rights: c_int,
            flags: c_int,
            file: c_int,
            offset: off_t,
        ) -> *mut c_void {
            if !heap::is_inside() {
                if flags & libc::MAP_FIXED != 0 && mpk::reaches_arena(address.addr(), len) {
                    return mapped(Err(libc::EINVAL));
                }
                // SAFETY: passed on to libc.
                return unsafe { real::mmap()(address, len, rights, flags, file, offset) };
            }
            let [rights, flags, file] = [rights, flags, file].map(|number| number as usize);
            mapped(mpk::map(mappings::MAP, [address.addr(), len, rights, flags, file, offset as usize]))
        }
    )* };
}
// The same: offsets have 64 bits here.
maps!(mmap mmap64);

/// # Safety
///
/// What mremap(2) asks of its caller. The last argument is there if the flags say so.
#[unsafe(no_mangle)]
unsafe extern "C" fn mremap(
    address: *mut c_void,
    len: size_t,
    new_len: size_t,
    flags: c_int,
    target: *mut c_void,
) -> *mut c_void {
    if heap::is_inside() {
        return mapped(mpk::map(mappings::REMAP, [address.addr(), len, new_len, flags as usize, target.addr(), 0]));
    }
    let is_into = flags & libc::MREMAP_FIXED != 0 && mpk::reaches_arena(target.addr(), new_len);
    if is_into || mpk::reaches_arena(address.addr(), len) {
        return mapped(Err(libc::EFAULT));
    }
    // SAFETY: passed on to libc.
    unsafe { real::mremap()(address, len, new_len, flags, target) }
}

/// # Safety
///
/// What munmap(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(address: *mut c_void, len: size_t) -> c_int {
    if heap::is_inside() {
        return done(mpk::map(mappings::UNMAP, [address.addr(), len, 0, 0, 0, 0]));
    }
    if mpk::reaches_arena(address.addr(), len) {
        return failed(libc::EINVAL);
    }
    // SAFETY: passed on to libc.
    unsafe { real::munmap()(address, len) }
}

macro_rules! changes {
    ($($name:ident: $act:ident;)*) => { $(
        /// # Safety
        ///
        /// What mprotect(2) and madvise(2) ask of their caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(address: *mut c_void, len: size_t, what: c_int) -> c_int {
            if !heap::is_inside() {
                // SAFETY: passed on to libc.
                return unsafe { real::$name()(address, len, what) };
            }
            done(mpk::map(mappings::$act, [address.addr(), len, what as usize, 0, 0, 0]))
        }
    )* };
}
changes! {
    mprotect: PROTECT;
    madvise: ADVISE;
}

fn mapped(answer: Result<usize, c_int>) -> *mut c_void {
    match answer {
        Ok(address) => ptr::with_exposed_provenance_mut(address),
        Err(errno) => {
            failed(errno);
            libc::MAP_FAILED
        }
    }
}

fn done(answer: Result<usize, c_int>) -> c_int {
    answer.map_or_else(failed, |_| 0)
}
