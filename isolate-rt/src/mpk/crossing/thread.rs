//! What a thread needs before it may enter a domain: an alternate signal stack that no domain can write, no restartable
//! sequences, the runtime's keys open, and a place that GS points at, where the way out finds what the way in saved.

use super::gate::Activation;
use super::rights;
use crate::fault::Unsupported;
use crate::machine::kernel::system;
use crate::machine::{PAGE, cpu, rseq};
use crate::mpk::instances::instance::{self, Instance};
use crate::mpk::instances::seats::Slot;
use crate::mpk::signals::{deadline, handlers};
use crate::mpk::threads::ending;
use crate::mpk::threads::list::List;
use crate::mpk::threads::work::{self, Work};
use libc::c_void;
use std::cell::{Cell, UnsafeCell};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, AtomicUsize, Ordering, compiler_fence};

/// A thread that has entered a domain.
#[repr(C)]
pub(in crate::mpk) struct Thread {
    /// The call this thread is in; null while it runs the program. The gate reads and writes it.
    active: UnsafeCell<*mut Activation>,
    fs: AtomicUsize,
    tid: AtomicI32,
    /// Different for each thread that the process ever had. (The number of a thread that ended, and this record, are used again.)
    serial: AtomicU64,
    in_use: AtomicBool,
    /// What it keeps in each instance.
    slots: [Slot; SLOTS],
    /// Where its calls go, for each domain that has several instances.
    homes: [AtomicPtr<Instance>; SLOTS],
    /// Mapping of the alternate signal stack, guard included; 0 without one.
    stack: AtomicUsize,
    stack_len: AtomicUsize,
    /// The signal stack that the program has put in its place: where it starts, and its length; 0 while it has not.
    programs_stack: AtomicUsize,
    programs_stack_len: AtomicUsize,
    /// Set while the thread counts as running in an instance (`Seat::running`): in a call from before the gate until what it ended by
    /// has been dealt with, and while it looks at what the domain has left. A signal handler that comes in between may not call: it
    /// would wait for its own thread, or meet an instance that is damaged and not discarded yet.
    pub(super) at_work: AtomicBool,
    /// Set while the code inside panics: see [`panics`](crate::mpk::endings::panics).
    pub(in crate::mpk) panicking: AtomicBool,
}

// The self-test looks there, too (`machine::selftest`).
const _: () = assert!(Thread::ACTIVE == 0);

// SAFETY: `active` is only touched by the thread whose it is, in the gate and in the signal handler; the rest is atomic.
unsafe impl Sync for Thread {}

/// One more than there can be instances (`layout::SLOTS`), which makes it a power of two.
pub(in crate::mpk) const SLOTS: usize = 16;

static THREADS: List<Thread> = List::new();
static SERIALS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static CURRENT: Cell<Option<&'static Thread>> = const { Cell::new(None) };
}

impl Thread {
    /// Offset of [`Thread::active`], for the gate.
    pub(super) const ACTIVE: usize = std::mem::offset_of!(Thread, active);
    /// Offset of [`Thread::fs`].
    pub(super) const FS: usize = std::mem::offset_of!(Thread, fs);

    /// The calling thread, if it has been made ready.
    #[inline]
    pub(in crate::mpk) fn known() -> Option<&'static Self> {
        CURRENT.get().inspect(|thread| thread.claim_gs())
    }

    /// The calling thread, made ready. The first time costs half a dozen system calls.
    pub(in crate::mpk) fn current() -> Result<&'static Self, Unsupported> {
        Self::known().map_or_else(Self::prepare, Ok)
    }

    #[inline]
    pub(in crate::mpk) fn fs(&self) -> usize {
        self.fs.load(Ordering::Relaxed)
    }

    #[inline]
    pub(in crate::mpk) fn tid(&self) -> i32 {
        self.tid.load(Ordering::Relaxed)
    }

    /// What no other thread of the process has, not even one that ended. Never 0.
    pub(in crate::mpk) fn serial(&self) -> u64 {
        self.serial.load(Ordering::Relaxed)
    }

    /// The call that the thread is in, for the signal handler on the same thread.
    pub(in crate::mpk) fn active(&self) -> *mut Activation {
        // SAFETY: read by the thread whose it is; the gate writes it with one instruction.
        unsafe { self.active.get().read_volatile() }
    }

    /// Says which call the thread is in, or none.
    ///
    /// # Safety
    ///
    /// To be called by the thread itself, outside any domain; `activation` is null or of a call that it will go back to.
    pub(super) unsafe fn set_active(&self, activation: *mut Activation) {
        // Nothing moves across it: signal handlers of this thread look.
        compiler_fence(Ordering::SeqCst);
        // SAFETY: touched by this thread alone, in the gate, here, and in the signal handler.
        unsafe { self.active.get().write_volatile(activation) };
        compiler_fence(Ordering::SeqCst);
    }

    /// Which thread runs, found without thread-local storage: inside a domain FS is the domain's.
    ///
    /// GS alone does not tell, since a new thread inherits the GS base of its creator. But it does not inherit the signal stack: a thread
    /// that runs on the signal stack of a record owns that record. Where the program has installed another signal stack, the thread
    /// number decides.
    pub(in crate::mpk) fn running() -> Option<&'static Self> {
        let gs = cpu::read_gs();
        all().find(|&thread| ptr::from_ref(thread).addr() == gs).filter(|thread| {
            // SAFETY: gettid takes nothing and never fails. Raw: no libc code may run before FS is right.
            thread.owns_signal_stack(stack_pointer()) || thread.tid() == unsafe { raw_gettid() }
        })
    }

    /// What the thread keeps in the instance of this number.
    #[inline]
    pub(in crate::mpk) fn slot(&self, index: usize) -> &Slot {
        // Masked instead of checked: there are as many as a power of two.
        &self.slots[index % SLOTS]
    }

    /// Where its calls go in the domain whose first instance has this number: `instances::siblings`.
    #[inline]
    pub(in crate::mpk) fn home(&self, index: usize) -> &AtomicPtr<Instance> {
        &self.homes[index % SLOTS]
    }

    /// Whether `address` is of the alternate signal stack, guard included.
    #[inline]
    pub(in crate::mpk) fn owns_signal_stack(&self, address: usize) -> bool {
        address.wrapping_sub(self.stack.load(Ordering::Relaxed)) < self.stack_len.load(Ordering::Relaxed)
            && self.stack.load(Ordering::Relaxed) != 0
    }

    /// The alternate signal stack as the kernel was told of it: start and length.
    pub(in crate::mpk) fn kernels_stack(&self) -> (usize, usize) {
        (self.stack.load(Ordering::Relaxed) + GUARD, stack_span())
    }

    #[inline]
    fn claim_gs(&self) {
        let own = ptr::from_ref(self).addr();
        if cpu::read_gs() != own {
            // SAFETY: the ABI leaves GS free; inherited from the creating thread, or zero.
            unsafe { cpu::write_gs(own) };
        }
    }

    /// Whether the thread may enter a domain from where it is: not from inside a call (by way of a signal handler that
    /// interrupted it) or from [what belongs to one](Thread::at_work), and not from its signal stack, where the next fault's frame
    /// would go over what is there.
    #[inline]
    pub(in crate::mpk) fn is_free(&self) -> bool {
        self.active().is_null() && !self.is_at_work() && !self.is_on_signal_stack()
    }

    /// See [`Thread::at_work`].
    #[inline]
    pub(in crate::mpk) fn is_at_work(&self) -> bool {
        self.at_work.load(Ordering::Relaxed)
    }

    /// See [`Thread::at_work`].
    #[inline]
    pub(in crate::mpk) fn set_at_work(&self, at_work: bool) {
        // Of this thread alone, and its signal handlers: nothing moves across it.
        compiler_fence(Ordering::SeqCst);
        self.at_work.store(at_work, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
    }

    #[inline]
    fn is_on_signal_stack(&self) -> bool {
        let here = stack_pointer();
        let programs = self.programs_stack.load(Ordering::Relaxed);
        self.owns_signal_stack(here) || here.wrapping_sub(programs) < self.programs_stack_len.load(Ordering::Relaxed)
    }

    /// After the program has changed the thread's signal stack.
    fn remember_signal_stack(&self, stack: &libc::stack_t) {
        let is_own = stack.ss_flags & libc::SS_DISABLE != 0 || self.owns_signal_stack(stack.ss_sp.addr());
        let (start, len) = if is_own { (0, 0) } else { (stack.ss_sp.addr(), stack.ss_size) };
        self.programs_stack_len.store(0, Ordering::Relaxed);
        self.programs_stack.store(start, Ordering::Relaxed);
        self.programs_stack_len.store(len, Ordering::Relaxed);
    }

    /// The calling thread, unless it never took part or does no more.
    #[inline]
    pub(in crate::mpk) fn taking_part() -> Option<&'static Self> {
        CURRENT.get()
    }

    #[cold]
    fn prepare() -> Result<&'static Self, Unsupported> {
        let _work = Work::begin();
        rseq::unregister()?;
        handlers::unblock();
        ending::remember()?;
        let stack = install_stack()?;
        let thread = Self::obtain();
        thread.stack.store(stack, Ordering::Relaxed);
        thread.fs.store(cpu::read_fs(), Ordering::Relaxed);
        // SAFETY: as in `running`.
        thread.tid.store(unsafe { raw_gettid() }, Ordering::Relaxed);
        thread.serial.store(SERIALS.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        thread.claim_gs();
        rights::open_own(thread);
        CURRENT.set(Some(thread));
        Ok(thread)
    }

    fn obtain() -> &'static Self {
        let is_free = |thread: &&Self| !thread.in_use.swap(true, Ordering::AcqRel);
        let thread = THREADS.take_or_push(is_free, || Self {
            active: UnsafeCell::new(ptr::null_mut()),
            fs: AtomicUsize::new(0),
            tid: AtomicI32::new(0),
            serial: AtomicU64::new(0),
            in_use: AtomicBool::new(true),
            slots: [const { Slot::new() }; SLOTS],
            homes: [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS],
            stack: AtomicUsize::new(0),
            stack_len: AtomicUsize::new(GUARD + stack_span()),
            programs_stack: AtomicUsize::new(0),
            programs_stack_len: AtomicUsize::new(0),
            at_work: AtomicBool::new(false),
            panicking: AtomicBool::new(false),
        });
        // The thread that had it before may have been cancelled in a call.
        // SAFETY: nobody else's any more, and this one's from now on.
        unsafe { thread.set_active(ptr::null_mut()) };
        thread.at_work.store(false, Ordering::Relaxed);
        thread.panicking.store(false, Ordering::Relaxed);
        thread
    }
}

/// All threads that have entered a domain, and the remains of those that have ended.
pub(in crate::mpk) fn all() -> impl Iterator<Item = &'static Thread> {
    THREADS.iter()
}

/// After `fork`, in the child: the thread that forked goes on under a new number. `None` if it never entered a domain.
pub(in crate::mpk) fn renumber_after_fork() -> Option<&'static Thread> {
    let thread = CURRENT.get()?;
    // SAFETY: as in `running`.
    thread.tid.store(unsafe { raw_gettid() }, Ordering::Relaxed);
    Some(thread)
}

/// Run by the loader, before `main`.
extern "C" fn prepare_ending() {
    ending::make_key(give_back);
}

#[used]
#[unsafe(link_section = ".init_array")]
static PREPARE_ENDING: extern "C" fn() = prepare_ending;

/// # Safety
///
/// To be called by libc, when the calling thread ends.
unsafe extern "C" fn give_back(_: *mut c_void) {
    retire();
    work::retire();
}

/// When the calling thread ends: it takes part no more.
fn retire() {
    let Some(thread) = CURRENT.take() else { return };
    deadline::retire();
    instance::retire(thread);
    remove_stack(thread.stack.swap(0, Ordering::Relaxed));
    thread.programs_stack_len.store(0, Ordering::Relaxed);
    thread.tid.store(0, Ordering::Relaxed);
    thread.in_use.store(false, Ordering::Release);
}

/// Unmapped bytes under the alternate stack.
const GUARD: usize = PAGE;

/// Size of an alternate stack, in bytes.
fn stack_span() -> usize {
    static SPAN: AtomicUsize = AtomicUsize::new(0);
    match SPAN.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: reads the auxiliary vector. The kernel's own need grows with the CPU's registers (AVX-512, AMX).
            let minimum = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
            let span = (minimum + (64 << 10)).next_multiple_of(PAGE);
            SPAN.store(span, Ordering::Relaxed);
            span
        }
        span => span,
    }
}

/// Whether the calling thread, which may never have entered a domain, runs on an alternate signal stack.
pub(crate) fn on_signal_stack() -> bool {
    // SAFETY: asks; the setting is written by the call.
    unsafe {
        let mut now: libc::stack_t = std::mem::zeroed();
        libc::sigaltstack(ptr::null(), &mut now) == 0 && now.ss_flags & libc::SS_ONSTACK != 0
    }
}

/// The signal stack that the calling thread has of the runtime, while it takes part.
pub(crate) fn own_signal_stack() -> Option<libc::stack_t> {
    let (start, len) = CURRENT.get()?.kernels_stack();
    Some(libc::stack_t { ss_sp: ptr::with_exposed_provenance_mut(start), ss_flags: 0, ss_size: len })
}

/// After the program has changed the signal stack of the calling thread.
pub(crate) fn remember_signal_stack(stack: &libc::stack_t) {
    if let Some(thread) = CURRENT.get() {
        thread.remember_signal_stack(stack);
    }
}

/// Gives the thread a signal stack of key 0. One that the thread had before (std installs one for its stack-overflow report) would
/// do as well, but the runtime cannot rely on its size.
fn install_stack() -> Result<usize, Unsupported> {
    let size = stack_span();
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;
    // SAFETY: fresh memory, then its first page made a guard, then handed to the kernel for this thread.
    unsafe {
        let map = libc::mmap(ptr::null_mut(), GUARD + size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if map == libc::MAP_FAILED {
            return Err(system("mmap"));
        }
        libc::mprotect(map, GUARD, libc::PROT_NONE);
        let stack = libc::stack_t { ss_sp: map.byte_add(GUARD), ss_flags: 0, ss_size: size };
        if libc::sigaltstack(&stack, ptr::null_mut()) != 0 {
            let error = system("sigaltstack");
            libc::munmap(map, GUARD + size);
            return Err(error);
        }
        Ok(map.expose_provenance())
    }
}

fn remove_stack(map: usize) {
    // SAFETY: the mapping is ours; it is disabled before it goes, unless somebody has put another in its place.
    unsafe {
        let mut now: libc::stack_t = std::mem::zeroed();
        libc::sigaltstack(ptr::null(), &mut now);
        if now.ss_sp.addr() == map + GUARD {
            let off = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
            libc::sigaltstack(&off, ptr::null_mut());
        }
        libc::munmap(ptr::with_exposed_provenance_mut(map), GUARD + stack_span());
    }
}

/// Where on its stack the calling thread is, about.
#[inline]
fn stack_pointer() -> usize {
    let here = 0u8;
    (&raw const here).addr()
}

/// # Safety
///
/// None owed; `unsafe` because it is an instruction.
unsafe fn raw_gettid() -> i32 {
    let tid: i64;
    // SAFETY: gettid(2) takes no argument and writes no memory.
    unsafe {
        std::arch::asm!("syscall", inout("rax") libc::SYS_gettid => tid, out("rcx") _, out("r11") _, options(nostack));
    }
    tid as i32
}
