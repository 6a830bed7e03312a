//! Stands in for `src/machine/pkey.rs` in the experiment of `run`: every instruction and system call that a CPU without
//! protection keys has not, replaced by the nearest that it has. **Nothing is protected.**
//!
//! `wrpkru` is a NOP of the same length, `pkey_mprotect` is `mprotect`, and every PKRU reads as that of a domain.

use super::kernel::system;
use crate::fault::Unsupported;
use std::arch::asm;
use std::sync::atomic::{AtomicU32, Ordering};

macro_rules! wrpkru {
    () => {
        "nop dword ptr [rax]"
    };
}

macro_rules! open_keys {
    () => {
        concat!(
            "mov r8, rdx; 13: mov eax, [rip + {programs_rights}]; xor ecx, ecx; xor edx, edx; ",
            $crate::machine::pkey::wrpkru!(),
            "; cmp eax, [rip + {programs_rights}]; jne 13b; mov rdx, r8"
        )
    };
}

pub(crate) use {open_keys, wrpkru};

pub(crate) static PROGRAMS_RIGHTS: AtomicU32 = AtomicU32::new(0);

pub(crate) const PROTECTS: bool = false;

pub(crate) const NO_WRITE_TO_ROOT: u32 = 0b10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pkey(u32);

impl Pkey {
    pub(crate) const ROOT: Self = Self(0);

    pub(crate) fn allocate() -> Result<Self, Unsupported> {
        static TAKEN: AtomicU32 = AtomicU32::new(0);
        match TAKEN.fetch_add(1, Ordering::Relaxed) {
            key if key < 15 => Ok(Self(key + 1)),
            _ => Err(Unsupported::NoKey),
        }
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }

    pub(crate) fn is_ours(_: u32) -> bool {
        false
    }

    /// As [`saved_rights`]: the handler takes every fault of a thread in a domain for the domain's.
    pub(crate) fn domain_rights(self) -> u32 {
        NO_WRITE_TO_ROOT
    }

    /// # Safety
    ///
    /// As the real one.
    pub(crate) unsafe fn tag(self, start: usize, len: usize) -> Result<(), Unsupported> {
        // SAFETY: by this function's contract.
        let done = unsafe { self.tag_as(start, len, libc::PROT_READ | libc::PROT_WRITE) };
        done.map_err(|_| system("mprotect"))
    }

    /// # Safety
    ///
    /// As the real one.
    pub(crate) unsafe fn tag_as(self, start: usize, len: usize, rights: i32) -> Result<(), i32> {
        if len == 0 {
            return Ok(());
        }
        // SAFETY: by this function's contract. (Not libc's name, which the runtime defines.)
        let done = unsafe { libc::syscall(libc::SYS_mprotect, start, len, rights) };
        // SAFETY: `errno` of this thread.
        if done == 0 { Ok(()) } else { Err(unsafe { *libc::__errno_location() }) }
    }
}

/// `rdpkru` is a NOP, too.
#[inline]
pub(crate) fn rights() -> u32 {
    let rights: u32;
    // SAFETY: gives 0.
    unsafe {
        asm!("xor eax, eax", "nop dword ptr [rax]", out("eax") rights, in("ecx") 0, out("edx") _, options(nomem, nostack))
    };
    rights
}

pub(crate) fn with_own_open(before: u32) -> u32 {
    before
}

pub(crate) fn has_pku() -> bool {
    true
}

/// # Safety
///
/// None owed.
pub(crate) unsafe fn saved_rights(_: *const u8) -> u32 {
    NO_WRITE_TO_ROOT
}

/// # Safety
///
/// None owed.
pub(crate) unsafe fn open_saved_rights(_: *mut u8) -> bool {
    false
}
