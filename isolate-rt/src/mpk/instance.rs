//! An instance: a key and everything that carries it; and a thread's stay in it.

use super::deadline::Moment;
use super::gate::{self, Activation, Reason, Stop};
use super::image::{self, Image};
use super::layout::{Layout, STAGING};
use super::pkey::Pkey;
use super::signal::SEGV_PKUERR;
use super::thread::{self, Thread};
use super::tls::{Block, Template};
use super::{deadline, selftest, signal};
use crate::domain::Settings;
use crate::fault::{FaultKind, Unsupported};
use crate::heap::{Heap, KEPT};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::time::Duration;

/// Staged memory that stays with the instance between calls; what a call used beyond it goes back to the kernel, in bytes.
const STAGING_KEPT: usize = 8 << 20;
/// What the gate leaves free at the top of the stack.
const STACK_MARGIN: usize = 64;

/// One per domain and process. Never freed: its key is never given back.
pub(crate) struct Instance {
    key: Pkey,
    layout: Layout,
    tls: Block,
    image: Image,
    deadline: Option<Duration>,
    /// Advanced by every fault.
    generation: AtomicU64,
    /// Who is inside. Only that thread itself may conclude anything from finding itself here.
    owner: AtomicPtr<Thread>,
    /// In a forked child: another thread was inside when the process forked.
    lost: AtomicBool,
    held: Mutex<Held>,
    next: AtomicPtr<Instance>,
}

/// What only the thread inside may touch.
struct Held {
    mailbox: usize,
    staged: usize,
    tid: i32,
}

/// A thread's hold on an instance: the right to be inside, one thread at a time.
pub(crate) struct Entry {
    instance: &'static Instance,
    thread: &'static Thread,
    held: MutexGuard<'static, Held>,
}

static INSTANCES: AtomicPtr<Instance> = AtomicPtr::new(ptr::null_mut());

impl Instance {
    pub(crate) fn create(settings: &'static Settings) -> Result<&'static Self, Unsupported> {
        selftest::run()?;
        signal::install()?;
        if settings.deadline.is_some() {
            deadline::prepare()?;
        }
        let template = Template::learn()?;
        Thread::current()?;
        let layout = Layout::reserve(settings.stack_size, template.size(), settings.heap_limit)?;
        let key = Pkey::allocate()?;
        for range in layout.ranges() {
            // SAFETY: reserved for this instance alone, and not in use yet.
            unsafe { key.tag(range.start, range.len())? };
        }
        let heap = ptr::with_exposed_provenance_mut::<u8>(layout.heap.start);
        // SAFETY: all ranges are ours, now readable and writable; `reserve` made them long enough. The globals are this
        // library's, says who named them.
        let (tls, image) = unsafe {
            Heap::create(heap, layout.heap.len());
            (Block::create(template, layout.tls.start, heap.cast()), Image::take(settings.globals, key)?)
        };
        let instance = Box::leak(Box::new(Self {
            key,
            layout,
            tls,
            image,
            deadline: settings.deadline,
            generation: AtomicU64::new(0),
            owner: AtomicPtr::new(ptr::null_mut()),
            lost: AtomicBool::new(false),
            held: Mutex::new(Held { mailbox: 0, staged: 0, tid: 0 }),
            next: AtomicPtr::new(INSTANCES.load(Ordering::Acquire)),
        }));
        instance.prove_malloc()?;
        instance.list();
        Ok(instance)
    }

    /// Waits until nobody is inside, then holds the instance.
    #[inline]
    pub(crate) fn enter(&'static self) -> Result<Entry, FaultKind> {
        let thread = Thread::current().map_err(FaultKind::Unsupported)?;
        let mut held = match self.held.try_lock() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Err(TryLockError::WouldBlock) => self.wait(thread)?,
        };
        self.owner.store(ptr::from_ref(thread).cast_mut(), Ordering::Relaxed);
        if held.tid != thread.tid() {
            held.tid = thread.tid();
            // SAFETY: held, and nothing of the domain runs yet.
            unsafe { self.tls.set_tid(held.tid) };
        }
        Ok(Entry { instance: self, thread, held })
    }

    #[cold]
    fn wait(&'static self, thread: &'static Thread) -> Result<MutexGuard<'static, Held>, FaultKind> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(FaultKind::LostInFork);
        }
        if ptr::eq(self.owner.load(Ordering::Relaxed), thread) {
            return Err(FaultKind::Reentered);
        }
        Ok(self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Creation is not done before a block that `malloc` made inside was seen to lie inside.
    fn prove_malloc(&'static self) -> Result<(), Unsupported> {
        let mut entry = self.enter().map_err(|_| Unsupported::Malloc)?;
        // SAFETY: `malloc` may be called with any size, `free` with what it returned; any address is a valid result.
        let address = unsafe {
            entry.run(|| {
                let block = libc::malloc(64);
                libc::free(block);
                block.addr()
            })
        };
        match address {
            Ok(address) if self.layout.heap.contains(&address) => Ok(()),
            _ => Err(Unsupported::Malloc),
        }
    }

    /// Makes the instance known to the handler that runs in forked children.
    fn list(&'static self) {
        static ONCE: Once = Once::new();
        // SAFETY: registers a function that only touches atomics and this thread's own state.
        ONCE.call_once(|| unsafe {
            libc::pthread_atfork(None, None, Some(after_fork));
        });
        let this = ptr::from_ref(self).cast_mut();
        let mut head = INSTANCES.load(Ordering::Relaxed);
        loop {
            self.next.store(head, Ordering::Relaxed);
            match INSTANCES.compare_exchange_weak(head, this, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Throws away what the domain had, and makes it as it was when it was created.
    #[cold]
    fn discard(&self, held: &mut Held) {
        let (drop_from, drop_to) = (self.layout.heap.start + KEPT, self.layout.staging.end);
        // SAFETY: the instance is held and nothing of it runs; heap and staging are its own private memory. What is kept of
        // the heap is laid anew, thread-locals and globals are put back.
        unsafe {
            libc::madvise(ptr::with_exposed_provenance_mut(drop_from), drop_to - drop_from, libc::MADV_DONTNEED);
            Heap::create(ptr::with_exposed_provenance_mut(self.layout.heap.start), self.layout.heap.len());
            self.tls.restore();
            self.image.restore();
        }
        *held = Held { mailbox: 0, staged: 0, tid: 0 };
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn kind(&self, stop: &Stop) -> FaultKind {
        let Stop { signal, code, address, key, write, left } = *stop;
        if let Some((reason, value)) = left {
            return match reason {
                _ if reason == Reason::StackSmashed as usize => FaultKind::StackSmashed,
                _ if reason == Reason::Exit as usize => FaultKind::Exit { status: value as i32 },
                _ if reason == Reason::ThreadStarted as usize => FaultKind::ThreadStarted,
                _ if reason == Reason::ThreadExited as usize => FaultKind::ThreadExited,
                _ if reason == Reason::ForeignFree as usize => FaultKind::ForeignFree { address: value },
                _ => FaultKind::Abort,
            };
        }
        match signal {
            libc::SIGSEGV if code == libc::SI_KERNEL => FaultKind::NonCanonical,
            // Before the key: the guard is of key 0, and the kernel looks at the key of a mapping before its protection.
            libc::SIGSEGV if self.layout.is_guard(address) => FaultKind::StackOverflow { address },
            libc::SIGSEGV if code == SEGV_PKUERR => FaultKind::Protection { address, key, write },
            libc::SIGSEGV => FaultKind::Unmapped { address },
            libc::SIGBUS => FaultKind::Bus { address },
            libc::SIGILL => FaultKind::IllegalInstruction,
            libc::SIGFPE => FaultKind::Arithmetic,
            libc::SIGTRAP => FaultKind::Trap,
            libc::SIGSYS => FaultKind::ForbiddenSyscall,
            _ if Some(signal) == deadline::signal() => FaultKind::Timeout,
            _ => FaultKind::Abort,
        }
    }
}

impl Entry {
    /// # Safety
    ///
    /// As [`crate::Call::run`].
    #[inline]
    pub(crate) unsafe fn run<R: Copy, F: FnOnce() -> R + Copy>(&mut self, f: F) -> Result<R, FaultKind> {
        let result = self.stage(1, size_of::<R>(), align_of::<R>())?;
        let instance = self.instance;
        let place = (instance.layout.stack.end - STACK_MARGIN, instance.tls.fs(), instance.key.domain_rights());
        let (until, armed) = match instance.deadline {
            None => (Moment::NEVER, None),
            Some(after) => {
                deadline::arm(after).map(|(until, armed)| (until, Some(armed))).map_err(FaultKind::Unsupported)?
            }
        };
        let argument = (&raw const f).cast();
        let mut activation = Activation::new(self.thread, place, inside::<R, F>, argument, result, until);
        // SAFETY: stack and FS are of the instance that we hold; `Thread::current` pointed GS at this thread; `inside` reads
        // one `F`, which lives on our stack, and writes one `R`, for which there is room.
        unsafe { gate::enter(&raw mut activation, self.thread) };
        drop(armed);
        match activation.stop {
            // SAFETY: `inside` has written it, or something else in there has: any bit pattern is a valid `R`, says our caller.
            None => Ok(unsafe { result.cast::<R>().read_volatile() }),
            Some(stop) => {
                instance.discard(&mut self.held);
                Err(instance.kind(&stop))
            }
        }
    }

    /// Room in the domain for `len` values. What it holds is unspecified.
    #[inline]
    pub(crate) fn stage(&mut self, len: usize, size: usize, align: usize) -> Result<*mut u8, FaultKind> {
        let layout = &self.instance.layout;
        let align = align.max(16);
        let too_large = || FaultKind::TooLarge { requested: len.saturating_mul(size), limit: STAGING };
        let bytes = len.checked_mul(size).filter(|&bytes| bytes <= STAGING).ok_or_else(too_large)?;
        let place = |range: &std::ops::Range<usize>, used: &mut usize| {
            let start = (range.start + *used).next_multiple_of(align);
            (start + bytes <= range.end).then(|| {
                *used = start + bytes - range.start;
                ptr::with_exposed_provenance_mut(start)
            })
        };
        place(&layout.mailbox, &mut self.held.mailbox)
            .or_else(|| place(&layout.staging, &mut self.held.staged))
            .ok_or_else(too_large)
    }

    pub(crate) fn errno(&self) -> i32 {
        self.instance.tls.errno()
    }

    /// Whether the address is in memory that this domain may write.
    pub(crate) fn owns(&self, address: usize) -> bool {
        let instance = self.instance;
        instance.layout.ranges().iter().any(|range| range.contains(&address)) || instance.image.owns(address)
    }

    /// How many bytes from `address` on a string of this domain may have: to the end of what the domain owns there, or of
    /// the read-only data around it.
    pub(crate) fn readable_from(&self, address: usize) -> Option<usize> {
        let instance = self.instance;
        let own = instance.layout.ranges().into_iter().chain(instance.image.ranges());
        let end = own.into_iter().find(|range| range.contains(&address)).map(|range| range.end);
        end.or_else(|| image::read_only_until(address)).map(|end| end - address)
    }

    pub(crate) fn identity(&self) -> usize {
        ptr::from_ref(self.instance).addr()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.instance.generation.load(Ordering::Relaxed)
    }
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        if self.held.staged > STAGING_KEPT {
            let start = self.instance.layout.staging.start + STAGING_KEPT;
            // SAFETY: staged memory of the call that ends; nobody refers to it any more.
            unsafe {
                libc::madvise(
                    ptr::with_exposed_provenance_mut(start),
                    self.held.staged - STAGING_KEPT,
                    libc::MADV_DONTNEED,
                );
            }
        }
        self.held.staged = 0;
        self.held.mailbox = 0;
        self.instance.owner.store(ptr::null_mut(), Ordering::Relaxed);
    }
}

/// What runs inside: the closure, moved in by copy, its result moved out by copy.
///
/// # Safety
///
/// `argument` points to an `F` and `result` has room for an `R`.
unsafe extern "C" fn inside<R: Copy, F: FnOnce() -> R + Copy>(argument: *const u8, result: *mut u8) {
    // SAFETY: by this function's contract.
    unsafe { result.cast::<R>().write(argument.cast::<F>().read()()) }
}

unsafe extern "C" fn after_fork() {
    let this = thread::renumber_after_fork().map_or(ptr::null(), ptr::from_ref);
    let mut next = INSTANCES.load(Ordering::Acquire);
    // SAFETY: list members are never freed.
    while let Some(instance) = unsafe { next.as_ref() } {
        let owner = instance.owner.load(Ordering::Relaxed);
        if !owner.is_null() && !ptr::eq(owner, this) {
            instance.lost.store(true, Ordering::Relaxed);
        }
        next = instance.next.load(Ordering::Relaxed);
    }
}
