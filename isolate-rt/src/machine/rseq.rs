//! Restartable sequences, which no thread that enters a domain may have.

use super::cpu;
use crate::fault::Unsupported;
use std::sync::OnceLock;

/// Signature that glibc registers with (`RSEQ_SIG` of its `sys/rseq.h` on x86).
const RSEQ_SIG: u32 = 0x5305_3053;
const RSEQ_FLAG_UNREGISTER: i32 = 1;

/// Takes this thread out of restartable sequences: at every preemption the kernel writes to their area with the rights of
/// the interrupted code, fails inside a domain, and kills the process (Linux `kernel/rseq.c`).
///
/// `sched_getcpu` and the like then ask the kernel instead.
pub(crate) fn unregister() -> Result<(), Unsupported> {
    /// As small as the kernel allows, and aligned as it wants.
    #[repr(C, align(32))]
    struct Area([u8; 32]);
    if let Some(area) = glibc_area() {
        // SAFETY: names the area that glibc registered for this thread; the kernel refuses any other.
        if unsafe { libc::syscall(libc::SYS_rseq, area, glibc_size(), RSEQ_FLAG_UNREGISTER, RSEQ_SIG) } == 0 {
            return Ok(());
        }
    }
    // Nothing is registered for this thread, or something else than glibc's is: some allocators do that. Registering tells the
    // two apart.
    let mut own = Area([0; 32]);
    let (area, len) = (own.0.as_mut_ptr(), size_of::<Area>());
    // SAFETY: lives longer than it is registered.
    unsafe {
        if libc::syscall(libc::SYS_rseq, area, len, 0, RSEQ_SIG) != 0 {
            // A kernel without it writes nowhere.
            let none = *libc::__errno_location() == libc::ENOSYS;
            return if none { Ok(()) } else { Err(Unsupported::Rseq) };
        }
        libc::syscall(libc::SYS_rseq, area, len, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
    }
    Ok(())
}

/// What glibc says of its areas: the distance from the thread pointer, and their size, 0 when it did not register.
#[derive(Clone, Copy)]
struct Rseq {
    offset: isize,
    size: u32,
}

/// Looked up once, and before the self-test's child needs it: the loader's lock may be held by a thread that does not exist
/// there. `None` for a glibc before 2.35.
fn rseq() -> Option<Rseq> {
    static RSEQ: OnceLock<Option<Rseq>> = OnceLock::new();
    *RSEQ.get_or_init(|| {
        // SAFETY: looks names up; glibc defines them as a `ptrdiff_t` and an `unsigned int`.
        unsafe {
            let offset = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()).cast::<isize>().as_ref()?;
            let size = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()).cast::<u32>().as_ref()?;
            Some(Rseq { offset: *offset, size: *size })
        }
    })
}

/// Where glibc put this thread's area; `None` when glibc is older than 2.35 or was told not to register.
fn glibc_area() -> Option<usize> {
    let Rseq { offset, size } = rseq()?;
    (size > 0).then(|| cpu::read_fs().wrapping_add_signed(offset))
}

/// From the thread pointer to the area.
pub(crate) fn offset() -> Option<isize> {
    rseq().map(|rseq| rseq.offset)
}

/// The kernel's first area was 32 bytes; glibc registers at least that, and says 20 or more for the part in use.
fn glibc_size() -> u32 {
    rseq().map_or(0, |rseq| rseq.size).max(32)
}
