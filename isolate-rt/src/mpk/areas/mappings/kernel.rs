//! The system calls that mappings are made of. Errors are `errno`s.

use crate::machine::pkey::Pkey;
use libc::c_int;

/// Whether a mapping of this file is memory of its own even where it is shared: of `/dev/zero`. One of huge pages is refused: it is
/// longer than was asked for, and cannot be ended in part, so that what the books say of it would not be so.
pub(super) fn is_memory(file: usize) -> Result<bool, c_int> {
    let zero = libc::makedev(1, 5);
    // SAFETY: room for what is asked for.
    unsafe {
        let mut system: libc::statfs = std::mem::zeroed();
        checked(libc::fstatfs(file as c_int, &mut system).into())?;
        if system.f_type == libc::HUGETLBFS_MAGIC {
            return Err(libc::ENODEV);
        }
        let mut about: libc::stat = std::mem::zeroed();
        checked(libc::fstat(file as c_int, &mut about).into())?;
        Ok(about.st_mode & libc::S_IFMT == libc::S_IFCHR && about.st_rdev == zero)
    }
}

/// Whether what is mapped to be read can be executed, too (personality(2)). Sandboxes refuse that question together with changes
/// (systemd's `LockPersonality=`); what cannot be learned from `/proc` there either is taken for what is usual.
pub(super) fn reading_is_executing() -> bool {
    /// Changes nothing.
    const ASKS: libc::c_ulong = 0xffff_ffff;
    // SAFETY: asks.
    let personality = match unsafe { libc::personality(ASKS) } {
        -1 => personality_by_file().unwrap_or(0),
        personality => personality,
    };
    personality & libc::READ_IMPLIES_EXEC != 0
}

fn personality_by_file() -> Option<c_int> {
    // SAFETY: a file that is opened, read and closed here; room for its eight digits.
    let text = unsafe {
        let file = libc::open(c"/proc/thread-self/personality".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        let mut text = [0u8; 8];
        let is_read = file >= 0 && libc::read(file, text.as_mut_ptr().cast(), text.len()) == text.len() as isize;
        if file >= 0 {
            libc::close(file);
        }
        is_read.then_some(text)?
    };
    u32::from_str_radix(std::str::from_utf8(&text).ok()?, 16).ok().map(u32::cast_signed)
}

/// What was mapped where the kernel likes, outside of every domain and known to nobody: it ends when this is dropped.
pub(super) struct Elsewhere {
    start: usize,
    len: usize,
}

impl Elsewhere {
    /// Without any rights.
    pub(super) fn map(len: usize, flags: c_int, file: usize, offset: usize) -> Result<Self, c_int> {
        // SAFETY: fresh address space.
        let start = unsafe { map(0, len, libc::PROT_NONE, flags, file, offset) }?;
        Ok(Self { start, len })
    }

    pub(super) fn give_to(self, key: Pkey, rights: c_int) -> Result<Self, c_int> {
        // SAFETY: mapped by us, and nobody else's.
        unsafe { key.tag_as(self.start, self.len, rights) }?;
        Ok(self)
    }

    /// As the function of that name.
    ///
    /// # Safety
    ///
    /// As [`replace`], of the target.
    pub(super) unsafe fn move_to(self, target: usize) -> Result<(), c_int> {
        // SAFETY: by this function's contract; from where it was mapped.
        unsafe { move_to(self.start, self.len, target) }?;
        std::mem::forget(self);
        Ok(())
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // SAFETY: it is still where it was mapped.
        unsafe { forget(self.start, self.len) };
    }
}

/// Private memory in the place of what is there.
///
/// # Safety
///
/// The pages are of an instance's area for mappings.
pub(super) unsafe fn replace(start: usize, len: usize, rights: c_int) -> Result<(), c_int> {
    let flags = RESERVED | libc::MAP_FIXED;
    // SAFETY: by this function's contract nothing of the program's is there.
    unsafe { map(start, len, rights, flags, usize::MAX, 0) }.map(|_| ())
}

/// The reservation in the place of what is there.
///
/// # Safety
///
/// As [`replace`].
pub(super) unsafe fn reserve(start: usize, len: usize) -> Result<(), c_int> {
    // SAFETY: by this function's contract.
    unsafe { replace(start, len, libc::PROT_NONE) }
}

/// The reservation where nothing is mapped; where something is, that is `EEXIST`.
pub(super) fn reserve_hole(start: usize, len: usize) -> Result<(), c_int> {
    // SAFETY: replaces nothing.
    unsafe { map(start, len, libc::PROT_NONE, RESERVED | libc::MAP_FIXED_NOREPLACE, usize::MAX, 0) }.map(|_| ())
}

/// What an area is reserved with.
const RESERVED: c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;

/// # Safety
///
/// What mmap(2) asks of its caller.
unsafe fn map(
    start: usize,
    len: usize,
    rights: c_int,
    flags: c_int,
    file: usize,
    offset: usize,
) -> Result<usize, c_int> {
    // SAFETY: by this function's contract.
    checked(unsafe { libc::syscall(libc::SYS_mmap, start, len, rights, flags, file, offset) })
}

/// Moves what is mapped to `target`, in the place of what is there.
///
/// # Safety
///
/// It is [elsewhere](Elsewhere), or came from [`move_out`] or [`grow`]; as [`replace`], of the target.
pub(super) unsafe fn move_to(start: usize, len: usize, target: usize) -> Result<(), c_int> {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: by this function's contract: from where nobody looks, to where nothing of the program's is.
    checked(unsafe { libc::syscall(libc::SYS_mremap, start, len, len, flags, target) }).map(|_| ())
}

/// Moves what is mapped out of the area. Its place stays mapped, and empty.
///
/// # Safety
///
/// As [`replace`].
pub(super) unsafe fn move_out(start: usize, len: usize) -> Result<usize, c_int> {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_DONTUNMAP;
    // SAFETY: by this function's contract the domain's, to where nothing is mapped.
    checked(unsafe { libc::syscall(libc::SYS_mremap, start, len, len, flags, 0) })
}

/// Lengthens what [`move_out`] has moved.
///
/// # Safety
///
/// It has.
pub(super) unsafe fn grow(start: usize, len: usize, new_len: usize) -> Result<usize, c_int> {
    if new_len <= len {
        return Ok(start);
    }
    // SAFETY: by this function's contract known to nobody else.
    checked(unsafe { libc::syscall(libc::SYS_mremap, start, len, new_len, libc::MREMAP_MAYMOVE) })
}

/// Ends what came from there.
///
/// # Safety
///
/// It is [elsewhere](Elsewhere), or came from [`move_out`] or [`grow`], all of it or the end.
pub(super) unsafe fn forget(start: usize, len: usize) {
    // SAFETY: by this function's contract outside of every domain, and known to nobody.
    unsafe { libc::syscall(libc::SYS_munmap, start, len) };
}

/// # Safety
///
/// As [`replace`].
pub(super) unsafe fn advise(start: usize, len: usize, advice: c_int) -> Result<(), c_int> {
    // SAFETY: by this function's contract: what is there is the domain's affair.
    checked(unsafe { libc::syscall(libc::SYS_madvise, start, len, advice) }).map(|_| ())
}

fn checked(result: libc::c_long) -> Result<usize, c_int> {
    match usize::try_from(result) {
        Ok(result) => Ok(result),
        // SAFETY: `errno` of this thread.
        Err(_) => Err(unsafe { *libc::__errno_location() }),
    }
}
