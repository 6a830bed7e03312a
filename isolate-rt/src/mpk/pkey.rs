//! Protection keys: three system calls (pkeys(7)) and one register.
//!
//! Keys are taken and kept for the life of the process: a freed key may be handed out again while pages still carry it.

use super::{PAGE, system};
use crate::fault::Unsupported;
use std::arch::asm;
use std::sync::atomic::{AtomicU32, Ordering};

/// A protection key of this process, 1 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pkey(u32);

/// One bit per key that we took.
static TAKEN: AtomicU32 = AtomicU32::new(0);

impl Pkey {
    /// Takes a key, open for the calling thread.
    pub(super) fn allocate() -> Result<Self, Unsupported> {
        // SAFETY: takes a key; the kernel writes this thread's PKRU for that key alone.
        let key = unsafe { libc::syscall(libc::SYS_pkey_alloc, 0, 0) };
        match u32::try_from(key) {
            Ok(key) => {
                TAKEN.fetch_or(1 << key, Ordering::Relaxed);
                Ok(Self(key))
            }
            Err(_) => match system("pkey_alloc") {
                Unsupported::System { errno: libc::ENOSPC, .. } => Err(Unsupported::NoKey),
                error => Err(error),
            },
        }
    }

    pub(super) fn is_ours(key: u32) -> bool {
        key < 16 && TAKEN.load(Ordering::Relaxed) & (1 << key) != 0
    }

    /// PKRU while the domain of this key runs: its own pages open, key 0 readable, every other key closed.
    ///
    /// Two bits per key: access-disable, write-disable (Intel SDM volume 3, 4.6.2).
    pub(super) fn domain_rights(self) -> u32 {
        const ALL_CLOSED: u32 = 0x5555_5555;
        const KEY_0: u32 = 0b11;
        const KEY_0_READ_ONLY: u32 = 0b10;
        (ALL_CLOSED & !KEY_0 | KEY_0_READ_ONLY) & !(0b11 << (2 * self.0))
    }

    /// Gives the pages to this key, readable and writable.
    ///
    /// # Safety
    ///
    /// The range is page-aligned, mapped, the caller's, and not a stack in use.
    pub(super) unsafe fn tag(self, start: usize, len: usize) -> Result<(), Unsupported> {
        debug_assert!(start.is_multiple_of(PAGE) && len.is_multiple_of(PAGE));
        if len == 0 {
            return Ok(());
        }
        // SAFETY: by this function's contract; the kernel checks the key.
        let done = unsafe {
            libc::syscall(libc::SYS_pkey_mprotect, start, len, libc::PROT_READ | libc::PROT_WRITE, self.0 as usize)
        };
        if done == 0 { Ok(()) } else { Err(system("pkey_mprotect")) }
    }
}

/// Opens every key for this thread: what the program itself always runs with.
pub(super) fn open_all() {
    // SAFETY: rights of the program to its own memory. Not `nomem`: accesses must not move across.
    unsafe { asm!("wrpkru", in("eax") 0, in("ecx") 0, in("edx") 0, options(nostack, preserves_flags)) };
}
