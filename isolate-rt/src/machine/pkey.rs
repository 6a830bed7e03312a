//! Protection keys: three system calls (pkeys(7)) and one register, PKRU, in the CPU and in signal frames.
//!
//! Keys are taken and kept for the life of the process: a freed key may be handed out again while pages still carry it.
//!
//! All that needs the hardware is in this file and in the self-test, so that `benches/without-keys` can time the rest of the
//! runtime on a machine that has none.

use super::PAGE;
use super::kernel::system;
use crate::fault::Unsupported;
use std::arch::asm;
use std::arch::x86_64::{__cpuid_count, CpuidResult};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// The instruction that loads PKRU from `eax`; `ecx` and `edx` must be 0 (Intel SDM volume 2).
macro_rules! wrpkru {
    () => {
        "wrpkru"
    };
}

/// How every signal handler of the runtime begins: opens the runtime's keys before the first access to memory of a domain, and leaves
/// the three arguments where they are. `sigreturn` puts back what there was. (The kernel starts handlers with key 0 open.)
///
/// As the gate does on its way out, it then looks at what it has written: whoever jumped to the `wrpkru` with another value in `eax` is
/// sent back to take the right one, and so is a handler during which another thread has taken a key.
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

/// Whether keys protect: not in `benches/without-keys`.
pub(crate) const PROTECTS: bool = true;

/// A protection key of this process, 1 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pkey(u32);

/// The bit of PKRU that closes key 0 to writing: set in every domain, never in the program.
pub(crate) const NO_WRITE_TO_ROOT: u32 = 0b10;

/// PKRU of the program's threads, as far as the runtime knows: its own keys and key 0 open; every other closed, as the kernel closes it
/// for a thread that says nothing else. Keys are added, none is ever taken away.
pub(crate) static PROGRAMS_RIGHTS: AtomicU32 = AtomicU32::new(ALL_CLOSED & !KEY_0);

/// Two bits per key: access-disable, write-disable (Intel SDM volume 3, 4.6.2).
const ALL_CLOSED: u32 = 0x5555_5555;
const KEY_0: u32 = 0b11;

impl Pkey {
    /// Whose pages no domain may write.
    pub(crate) const ROOT: Self = Self(0);

    /// Takes a key, open for the calling thread.
    pub(crate) fn allocate() -> Result<Self, Unsupported> {
        // SAFETY: takes a key; the kernel writes this thread's PKRU for that key alone.
        let key = unsafe { libc::syscall(libc::SYS_pkey_alloc, 0, 0) };
        match u32::try_from(key) {
            Ok(key) => {
                PROGRAMS_RIGHTS.fetch_and(!(0b11 << (2 * key)), Ordering::Relaxed);
                Ok(Self(key))
            }
            Err(_) => match system("pkey_alloc") {
                Unsupported::System { errno: libc::ENOSPC, .. } => Err(Unsupported::NoKey),
                error => Err(error),
            },
        }
    }

    /// As the kernel counts.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    pub(crate) fn is_ours(key: u32) -> bool {
        (1..16).contains(&key) && PROGRAMS_RIGHTS.load(Ordering::Relaxed) & (0b11 << (2 * key)) == 0
    }

    /// PKRU while the domain of this key runs: its own pages open, key 0 readable, every other key closed.
    pub(crate) fn domain_rights(self) -> u32 {
        (ALL_CLOSED & !KEY_0 | NO_WRITE_TO_ROOT) & !(0b11 << (2 * self.0))
    }

    /// Gives the pages to this key, readable and writable.
    ///
    /// # Safety
    ///
    /// The range is page-aligned, mapped, the caller's, and not a stack in use.
    pub(crate) unsafe fn tag(self, start: usize, len: usize) -> Result<(), Unsupported> {
        // SAFETY: by this function's contract.
        let tagged = unsafe { self.tag_as(start, len, libc::PROT_READ | libc::PROT_WRITE) };
        tagged.map_err(|errno| Unsupported::System { call: "pkey_mprotect", errno })
    }

    /// As [`Pkey::tag`], with other rights (mprotect(2)). The error is an `errno`.
    ///
    /// # Safety
    ///
    /// As [`Pkey::tag`].
    pub(crate) unsafe fn tag_as(self, start: usize, len: usize, rights: i32) -> Result<(), i32> {
        debug_assert!(start.is_multiple_of(PAGE) && len.is_multiple_of(PAGE));
        if len == 0 {
            return Ok(());
        }
        // SAFETY: by this function's contract; the kernel checks the key.
        let done = unsafe { libc::syscall(libc::SYS_pkey_mprotect, start, len, rights, self.0 as usize) };
        // SAFETY: `errno` of this thread.
        let errno = unsafe { *libc::__errno_location() };
        if done == 0 { Ok(()) } else { Err(errno) }
    }
}

/// PKRU of this thread.
#[inline]
pub(crate) fn rights() -> u32 {
    let rights: u32;
    // SAFETY: reads a register; to be called where domains are made, so where there is one. It also clears `edx`.
    unsafe { asm!("rdpkru", out("eax") rights, in("ecx") 0, out("edx") _, options(nomem, nostack, preserves_flags)) };
    rights
}

/// What a thread's PKRU has to be for the runtime, where it was `before`: the runtime's keys open, and the others as they were.
pub(crate) fn with_own_open(before: u32) -> u32 {
    // Each key that is not the runtime's has its bit for access in there.
    let others = PROGRAMS_RIGHTS.load(Ordering::Relaxed) & ALL_CLOSED;
    before & (others | others << 1)
}

/// `CPUID.7.0:ECX.OSPKE`: the CPU has protection keys and the kernel has turned them on.
pub(crate) fn has_pku() -> bool {
    cpuid(0, 0).eax >= 7 && cpuid(7, 0).ecx & (1 << 4) != 0
}

#[allow(unused_unsafe, reason = "newer compilers know that it is safe")]
fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
    // SAFETY: every CPU of this architecture has the instruction.
    unsafe { __cpuid_count(leaf, subleaf) }
}

/// PKRU in the XSAVE area of a signal frame: what the interrupted code had, and will have again.
///
/// # Safety
///
/// `area` is such an area, in the standard format, with an XSAVE header.
pub(crate) unsafe fn saved_rights(area: *const u8) -> u32 {
    // SAFETY: by this function's contract. Bit 9 of XSTATE_BV says whether PKRU is other than its initial 0.
    unsafe {
        let present = area.add(XSTATE_BV).cast::<u64>().read_unaligned() & (1 << 9) != 0;
        if present { area.add(pkru_offset()).cast::<u32>().read_unaligned() } else { 0 }
    }
}

/// Opens the runtime's keys for the interrupted code; says whether that changed anything.
///
/// # Safety
///
/// As [`saved_rights`].
pub(crate) unsafe fn open_saved_rights(area: *mut u8) -> bool {
    // SAFETY: by this function's contract; present, since it is not 0 where something changes.
    unsafe {
        let before = saved_rights(area);
        let after = with_own_open(before);
        if after != before {
            area.add(pkru_offset()).cast::<u32>().write_unaligned(after);
        }
        after != before
    }
}

/// Offset of the XSAVE header, in bytes.
const XSTATE_BV: usize = 512;

/// Offset of PKRU in an XSAVE area (standard format), in bytes (`CPUID.0DH.9:EBX`).
///
/// Asked once: every fault needs it, and on a virtual machine `cpuid` is a trip to the hypervisor.
fn pkru_offset() -> usize {
    static OFFSET: AtomicUsize = AtomicUsize::new(0);
    match OFFSET.load(Ordering::Relaxed) {
        0 => {
            let offset = cpuid(0xd, 9).ebx as usize;
            OFFSET.store(offset, Ordering::Relaxed);
            offset
        }
        offset => offset,
    }
}
