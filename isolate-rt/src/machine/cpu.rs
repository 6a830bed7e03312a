//! FS and GS base, with the instructions of FSGSBASE.

use std::arch::asm;

/// Clears the alignment-check flag, at the beginning of a signal handler: the kernel clears the direction flag and leaves
/// this one as the interrupted code had it (Linux `arch/x86/kernel/signal.c`), and compiled code relies on it.
macro_rules! allow_unaligned {
    () => {
        "pushfq; btr dword ptr [rsp], 18; popfq"
    };
}
pub(crate) use allow_unaligned;

/// Whether user space may execute `wrfsbase` (`HWCAP2_FSGSBASE` of the kernel's `asm/hwcap2.h`).
pub(crate) fn has_fsgsbase() -> bool {
    // SAFETY: reads the auxiliary vector.
    unsafe { libc::getauxval(libc::AT_HWCAP2) & 2 != 0 }
}

pub(crate) fn read_fs() -> usize {
    let fs;
    // SAFETY: reads a register; FSGSBASE was checked before any of this runs.
    unsafe { asm!("rdfsbase {}", out(reg) fs, options(nomem, nostack, preserves_flags)) };
    fs
}

pub(crate) fn read_gs() -> usize {
    let gs;
    // SAFETY: as `read_fs`.
    unsafe { asm!("rdgsbase {}", out(reg) gs, options(nomem, nostack, preserves_flags)) };
    gs
}

/// # Safety
///
/// `fs` is the thread pointer of the thread that runs.
pub(crate) unsafe fn write_fs(fs: usize) {
    // SAFETY: by this function's contract. Not `nomem`: accesses to thread-locals must not move across.
    unsafe { asm!("wrfsbase {}", in(reg) fs, options(nostack, preserves_flags)) };
}

/// # Safety
///
/// Nobody else of this thread keeps something in GS: the x86-64 ABI leaves it free.
pub(crate) unsafe fn write_gs(gs: usize) {
    // SAFETY: by this function's contract.
    unsafe { asm!("wrgsbase {}", in(reg) gs, options(nostack, preserves_flags)) };
}
