//! What the kernel says and is told of signals: errors of its calls, who handles what, and the frame it writes for a handler.

use super::pkey;
use crate::fault::{Access, Unsupported};
use libc::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;

/// The error of the libc call that just failed.
pub(crate) fn system(call: &'static str) -> Unsupported {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    Unsupported::System { call, errno }
}

/// `si_code` of a protection-key fault (Linux `asm-generic/siginfo.h`); libc has no name for it.
pub(crate) const SEGV_PKUERR: c_int = 4;

/// Asks for or changes what the kernel has, past our own `sigaction`, which shows programs what they set themselves.
///
/// # Safety
///
/// The handler in `new` is one.
pub(crate) unsafe fn kernel_setting(
    signal: c_int,
    new: Option<&libc::sigaction>,
) -> Result<libc::sigaction, Unsupported> {
    #[cfg(mpk)]
    let sigaction = crate::interpose::sigaction_of_libc();
    #[cfg(not(mpk))]
    let sigaction = libc::sigaction;
    let mut old = MaybeUninit::uninit();
    let new = new.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: by this function's contract; `old` is written when the call succeeds.
    unsafe {
        if sigaction(signal, new, old.as_mut_ptr()) != 0 {
            return Err(system("sigaction"));
        }
        Ok(old.assume_init())
    }
}

/// Gives private memory back to the kernel, also where it is locked (mlock(2)): it reads as 0 from then on. Says whether it does.
///
/// # Safety
///
/// Whole pages of what was mapped privately, and nobody needs what they hold.
pub(crate) unsafe fn drop_contents(start: usize, len: usize) -> bool {
    // SAFETY: by this function's contract.
    unsafe { libc::madvise(ptr::with_exposed_provenance_mut(start), len, libc::MADV_DONTNEED_LOCKED) == 0 }
}

/// Where in the software bytes of the FXSAVE area the size of all extended state stands (Linux `asm/sigcontext.h`).
const EXTENDED_SIZE: usize = 468;

/// The frame that the kernel wrote for the handler.
pub(crate) struct Frame {
    context: *mut libc::ucontext_t,
}

impl Frame {
    /// # Safety
    ///
    /// `context` is the third argument of a running `SA_SIGINFO` handler.
    pub(crate) unsafe fn new(context: *mut c_void) -> Self {
        Self { context: context.cast() }
    }

    pub(crate) fn register(&self, which: c_int) -> usize {
        // SAFETY: by the contract of `new`; `which` is one of libc's `REG_` constants.
        unsafe { (&(*self.context).uc_mcontext.gregs)[which as usize] as usize }
    }

    pub(crate) fn instruction(&self) -> usize {
        self.register(libc::REG_RIP)
    }

    /// Gives a general register, by its number in machine code, another value.
    pub(crate) fn set_register(&mut self, number: usize, value: usize) {
        use libc::{REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
        use libc::{REG_RAX, REG_RBP, REG_RBX, REG_RCX, REG_RDI, REG_RDX, REG_RSI, REG_RSP};
        const ORDER: [c_int; 16] = [
            REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11,
            REG_R12, REG_R13, REG_R14, REG_R15,
        ];
        // SAFETY: by the contract of `new`.
        unsafe { (&mut (*self.context).uc_mcontext.gregs)[ORDER[number % 16] as usize] = value as i64 };
    }

    /// Sets the flags as after an addition with a negative result.
    pub(crate) fn set_negative(&mut self) {
        const ZERO: i64 = 1 << 6;
        const SIGN: i64 = 1 << 7;
        const OVERFLOW: i64 = 1 << 11;
        // SAFETY: by the contract of `new`.
        let flags = unsafe { &mut (&mut (*self.context).uc_mcontext.gregs)[libc::REG_EFL as usize] };
        *flags = *flags & !(ZERO | OVERFLOW) | SIGN;
    }

    /// The general registers, in the order of DWARF's numbers for them (System V ABI for x86-64, figure 3.36).
    pub(crate) fn general(&self) -> [usize; 16] {
        use libc::{REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
        use libc::{REG_RAX, REG_RBP, REG_RBX, REG_RCX, REG_RDI, REG_RDX, REG_RSI, REG_RSP};
        const ORDER: [c_int; 16] = [
            REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8, REG_R9, REG_R10, REG_R11,
            REG_R12, REG_R13, REG_R14, REG_R15,
        ];
        ORDER.map(|which| self.register(which))
    }

    /// What a page fault was about, if the thread's last exception was one (Intel SDM volume 3, 4.7 and 6.15).
    pub(crate) fn access(&self) -> Option<Access> {
        const PAGE_FAULT: usize = 14;
        const WRITE: usize = 1 << 1;
        const FETCH: usize = 1 << 4;
        (self.register(libc::REG_TRAPNO) == PAGE_FAULT).then(|| match self.register(libc::REG_ERR) {
            error if error & FETCH != 0 => Access::Execute,
            error if error & WRITE != 0 => Access::Write,
            _ => Access::Read,
        })
    }

    pub(crate) fn stack_pointer(&self) -> usize {
        self.register(libc::REG_RSP)
    }

    /// Whether what was interrupted ran on the thread's signal stack.
    pub(crate) fn is_of_signal_stack(&self) -> bool {
        self.is_on_signal_stack(self.stack_pointer())
    }

    fn is_on_signal_stack(&self, address: usize) -> bool {
        // SAFETY: by the contract of `new`.
        let stack = unsafe { (*self.context).uc_stack };
        stack.ss_flags & libc::SS_DISABLE == 0 && address.wrapping_sub(stack.ss_sp.addr()) < stack.ss_size
    }

    /// Whether the interrupted code could write memory of the program: no code of a domain can.
    pub(crate) fn is_of_program(&self) -> bool {
        self.rights() & pkey::NO_WRITE_TO_ROOT == 0
    }

    /// Copies the frame, which begins at `start`, from the alternate signal stack to where the kernel writes it without one:
    /// below what was interrupted. Gives the distance; `None` where it is there already.
    ///
    /// # Safety
    ///
    /// `start` is what the handler's stack pointer was at its first instruction, and what was interrupted ran on a stack.
    pub(crate) unsafe fn move_to_interrupted_stack(&self, start: usize) -> Option<usize> {
        /// What the ABI lets functions use below the stack pointer, in bytes.
        const RED_ZONE: usize = 128;
        if !self.is_on_signal_stack(start) || self.is_of_signal_stack() {
            return None;
        }
        let interrupted = self.stack_pointer();
        // The frame's last part, aligned as `xrstor` needs it.
        let state = self.xsave()?;
        // SAFETY: as `xsave`: the size follows the first magic number.
        let len = unsafe { state.add(EXTENDED_SIZE).cast::<u32>().read_unaligned() } as usize;
        let before = state.addr() - start;
        let to = ((interrupted - RED_ZONE - len) & !63) - before;
        let distance = to.wrapping_sub(start);
        // SAFETY: the frame, to a stack of the program that has nothing there, or has a guard there.
        unsafe {
            let (from, to) = (ptr::with_exposed_provenance::<u8>(start), ptr::with_exposed_provenance_mut(to));
            ptr::copy_nonoverlapping(from, to, before + len);
            let copy: *mut libc::ucontext_t =
                ptr::with_exposed_provenance_mut(self.context.addr().wrapping_add(distance));
            (*copy).uc_mcontext.fpregs = ptr::with_exposed_provenance_mut(state.addr().wrapping_add(distance));
        }
        Some(distance)
    }

    /// Makes the handler return to `address`, with ordinary flags.
    pub(crate) fn go_to(&mut self, address: usize) {
        const TRAP: i64 = 1 << 8;
        const DIRECTION: i64 = 1 << 10;
        // SAFETY: by the contract of `new`.
        let registers = unsafe { &mut (*self.context).uc_mcontext.gregs };
        registers[libc::REG_RIP as usize] = address as i64;
        registers[libc::REG_EFL as usize] &= !(TRAP | DIRECTION);
    }

    /// Takes these signals, by the bits of their numbers less one, out of the mask that there will be again.
    pub(crate) fn unblock(&mut self, signals: u64) {
        // SAFETY: by the contract of `new`. The kernel's mask is 64 bits, libc's type has room for more.
        unsafe { *(&raw mut (*self.context).uc_sigmask).cast::<u64>() &= !signals };
    }

    /// Which signal stack there will be again; `None` for none.
    pub(crate) fn signal_stack(&self) -> Option<usize> {
        // SAFETY: by the contract of `new`.
        let stack = unsafe { (*self.context).uc_stack };
        (stack.ss_flags & libc::SS_DISABLE == 0).then_some(stack.ss_sp.addr())
    }

    /// Says which there will be.
    pub(crate) fn set_signal_stack(&mut self, start: usize, len: usize) {
        let stack = libc::stack_t { ss_sp: ptr::with_exposed_provenance_mut(start), ss_flags: 0, ss_size: len };
        // SAFETY: by the contract of `new`.
        unsafe { (*self.context).uc_stack = stack };
    }

    /// Makes the handler return on another stack.
    pub(crate) fn set_stack(&mut self, stack: usize) {
        // SAFETY: by the contract of `new`.
        unsafe { (&mut (*self.context).uc_mcontext.gregs)[libc::REG_RSP as usize] = stack as i64 };
    }

    /// PKRU of the interrupted code.
    pub(crate) fn rights(&self) -> u32 {
        // SAFETY: what `xsave` finds.
        self.xsave().map_or(0, |area| unsafe { pkey::saved_rights(area) })
    }

    /// Opens the runtime's keys for the interrupted code; says whether that changed anything.
    pub(crate) fn open_rights(&mut self) -> bool {
        // SAFETY: what `xsave` finds.
        self.xsave().is_some_and(|area| unsafe { pkey::open_saved_rights(area) })
    }

    /// The extended state in the frame (Linux `asm/sigcontext.h`: magic numbers in the FXSAVE area's software bytes).
    fn xsave(&self) -> Option<*mut u8> {
        const MAGIC_1: (usize, u32) = (464, 0x4650_5853);
        // SAFETY: by the contract of `new`; a frame with floating-point state has at least the FXSAVE area.
        unsafe {
            let area = (*self.context).uc_mcontext.fpregs.cast::<u8>();
            (!area.is_null() && area.add(MAGIC_1.0).cast::<u32>().read_unaligned() == MAGIC_1.1).then_some(area)
        }
    }
}
