//! An instance: a key and everything that carries it; and a thread's stay in it.
//!
//! Several threads may be inside at once, each on a [`super::seat`] of its own. A fault of one ends the instance for all: its
//! heap and globals may be anything by then. The thread that faulted marks the instance, sends every other thread inside out
//! ([`FaultKind::DomainLost`]), waits until nobody runs there, and makes it as it was when it was created.

use super::deadline::{self, Moment};
use super::gate::{self, Activation, Reason, Stop};
use super::image::{self, Image};
use super::layout::{Layout, SEATS};
use super::pkey::Pkey;
use super::seat::{Seat, Seats, wait, wake};
use super::signal::SEGV_PKUERR;
use super::thread::{self, Thread};
use super::tls::Template;
use super::{selftest, signal};
use crate::domain::Settings;
use crate::fault::{FaultKind, Unsupported};
use crate::heap::{Heap, KEPT};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering, compiler_fence};
use std::time::Duration;

/// One per domain and process. Never freed: its key is never given back.
pub(crate) struct Instance {
    key: Pkey,
    layout: Layout,
    image: Image,
    deadline: Option<Duration>,
    /// Advanced by every fault.
    generation: AtomicU64,
    /// Not 0 while a thread discards what the instance had. Others wait on it.
    dying: AtomicU32,
    seats: Seats,
    next: AtomicPtr<Instance>,
}

/// A call of a thread: its seat, from the first staged argument to the last result.
pub(crate) struct Entry {
    instance: &'static Instance,
    thread: &'static Thread,
    seat: usize,
    /// Of the instance when the call began.
    generation: u64,
}

static INSTANCES: AtomicPtr<Instance> = AtomicPtr::new(ptr::null_mut());

impl Instance {
    pub(crate) fn create(settings: &'static Settings) -> Result<&'static Self, Unsupported> {
        selftest::run()?;
        signal::install()?;
        deadline::prepare()?;
        register_barrier()?;
        Thread::current()?;
        let layout = Layout::reserve(settings.stack_size, Template::learn()?.size(), settings.heap_limit)?;
        let key = Pkey::allocate()?;
        // SAFETY: reserved for this instance alone, and not in use yet; `reserve` made it long enough. The globals are this
        // library's, says who named them.
        let image = unsafe {
            key.tag(layout.heap.start, layout.heap.len())?;
            Heap::create(ptr::with_exposed_provenance_mut(layout.heap.start), layout.heap.len());
            Image::take(settings.globals, key)?
        };
        let seats = if settings.one_at_a_time { 1 } else { SEATS };
        let instance = Box::leak(Box::new(Self {
            key,
            seats: Seats::new(|index| layout.seat(index), seats),
            layout,
            image,
            deadline: settings.deadline,
            generation: AtomicU64::new(0),
            dying: AtomicU32::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
        }));
        instance.list();
        instance.prove_malloc()?;
        Ok(instance)
    }

    /// Takes a seat, waiting while there is none.
    #[inline]
    pub(crate) fn enter(&'static self) -> Result<Entry, FaultKind> {
        let thread = Thread::current().map_err(FaultKind::Unsupported)?;
        let seat = self.seats.take(thread);
        while self.dying.load(Ordering::Acquire) != 0 {
            wait(&self.dying, 1);
        }
        let generation = self.generation.load(Ordering::Acquire);
        // From here on the seat is given back when this is dropped.
        let entry = Entry { instance: self, thread, seat, generation };
        // SAFETY: held by `entry`.
        unsafe { entry.seat().prepare((self.key, self.heap()), generation, thread) }.map_err(FaultKind::Unsupported)?;
        Ok(entry)
    }

    fn heap(&self) -> *mut Heap {
        ptr::with_exposed_provenance_mut(self.layout.heap.start)
    }

    /// Creation is not done before a block that `malloc` made inside was seen to lie inside.
    fn prove_malloc(&'static self) -> Result<(), Unsupported> {
        let mut entry = self.enter().map_err(|_| Unsupported::Malloc)?;
        // SAFETY: `malloc` may be called with any size, `free` with what it returned; any address is a valid result.
        let address = unsafe {
            entry.run_within(None, || {
                // Not optimised away: what the compiler knows of `malloc` must not answer the question.
                let block = std::hint::black_box(libc::malloc(64));
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
        // SAFETY: registers a function that only touches atomics, and instances that nobody else uses any more.
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

    /// Ends this generation: everybody out, and everything as it was at the beginning. `seat` is the caller's own, on which
    /// nothing runs any more.
    #[cold]
    fn discard(&self, seat: Option<usize>, generation: u64) {
        if self.dying.swap(1, Ordering::AcqRel) != 0 {
            // Another thread of the same instance failed first, and is at it.
            return;
        }
        if self.generation.load(Ordering::Acquire) != generation {
            // It has finished: what failed with us is gone already, and the next generation is innocent.
            self.dying.store(0, Ordering::Release);
            wake(&self.dying);
            return;
        }
        self.evict(seat);
        let drop_from = self.layout.heap.start + KEPT;
        // SAFETY: nothing of the instance runs, and nobody may begin before `dying` is 0; the heap is its own private memory.
        // What is kept of it is laid anew. Thread-locals are put back when a seat is next taken.
        unsafe {
            let rest = self.layout.heap.end - drop_from;
            libc::madvise(ptr::with_exposed_provenance_mut(drop_from), rest, libc::MADV_DONTNEED);
            Heap::create(self.heap().cast(), self.layout.heap.len());
            self.image.restore();
        }
        self.generation.fetch_add(1, Ordering::Release);
        self.dying.store(0, Ordering::Release);
        wake(&self.dying);
    }

    /// Sends every other thread out, and comes back when none is in.
    fn evict(&self, seat: Option<usize>) {
        if self.seats.others(seat).next().is_none() {
            return;
        }
        // The other half of the order in `Entry::run`: after this, a thread that has not seen `dying` is seen running.
        barrier();
        let Some(signal) = deadline::signal() else { return };
        // In the child of a fork that a signal handler made: the call that it interrupted is this thread's own.
        // SAFETY: asks for a number.
        let own = unsafe { libc::gettid() };
        loop {
            let mut running = false;
            for other in self.seats.others(seat) {
                let tid = other.running.load(Ordering::Acquire);
                if tid != 0 && tid != own {
                    running = true;
                    // SAFETY: a signal that the runtime alone handles. A thread that is gone is an error without effect.
                    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, signal) };
                }
            }
            if !running {
                return;
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    fn kind(&self, seat: &Seat, stop: &Stop) -> FaultKind {
        let Stop { signal, code, address, key, write, left, evicted: _ } = *stop;
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
            libc::SIGSEGV if seat.is_guard(address) => FaultKind::StackOverflow { address },
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

    /// The end of the memory around `address` that this domain may write.
    fn writable_until(&self, address: usize) -> Option<usize> {
        let heap = Some(&self.layout.heap).filter(|heap| heap.contains(&address)).map(|heap| heap.end);
        heap.or_else(|| self.seats.get(self.layout.seat_of(address)?).writable_until(address))
            .or_else(|| self.image.writable_until(address))
    }
}

impl Entry {
    #[inline]
    fn seat(&self) -> &'static Seat {
        self.instance.seats.get(self.seat)
    }

    /// # Safety
    ///
    /// As [`crate::Call::run`].
    #[inline]
    pub(crate) unsafe fn run<R: Copy, F: FnOnce() -> R + Copy>(&mut self, f: F) -> Result<R, FaultKind> {
        // SAFETY: passed on to our caller.
        unsafe { self.run_within(self.instance.deadline, f) }
    }

    /// # Safety
    ///
    /// As [`crate::Call::run`].
    #[inline]
    unsafe fn run_within<R: Copy, F: FnOnce() -> R + Copy>(
        &mut self,
        deadline: Option<Duration>,
        f: F,
    ) -> Result<R, FaultKind> {
        if !self.thread.is_current() {
            // A call that was kept until its thread's last destructors.
            return Err(FaultKind::DomainLost);
        }
        if !self.thread.is_free() {
            return Err(FaultKind::InSignalHandler);
        }
        let result = self.stage(1, size_of::<R>(), align_of::<R>())?;
        let (instance, seat) = (self.instance, self.seat());
        let (until, armed) = match deadline {
            None => (Moment::NEVER, None),
            Some(after) => {
                deadline::arm(after).map(|(until, armed)| (until, Some(armed))).map_err(FaultKind::Unsupported)?
            }
        };
        // SAFETY: held and prepared since `enter`.
        let (stack, fs) = unsafe { seat.ground() };
        let place = (stack, fs, instance.key.domain_rights());
        let argument = (&raw const f).cast();
        let mut activation =
            Activation::new(self.thread, place, (inside::<R, F>, argument, result), until, &instance.dying);
        seat.running.store(self.thread.tid(), Ordering::Relaxed);
        // Half of an order whose other half is the barrier in `evict`: here it costs nothing.
        compiler_fence(Ordering::SeqCst);
        let is_lost = || {
            instance.dying.load(Ordering::Relaxed) != 0
                || instance.generation.load(Ordering::Relaxed) != self.generation
        };
        let mut lost = is_lost();
        if !lost {
            // SAFETY: stack and FS are of the seat that we hold; `Thread::current` pointed GS at this thread; `inside` reads
            // one `F`, which lives on our stack, and writes one `R`, for which there is room.
            unsafe { gate::enter(&raw mut activation, self.thread) };
            // Nobody discards an instance while we are in it, but for a handler of this thread that forked.
            lost = activation.stop.is_none() && is_lost();
        }
        seat.running.store(0, Ordering::Release);
        drop(armed);
        match activation.stop {
            _ if lost => Err(FaultKind::DomainLost),
            // SAFETY: `inside` has written it, or something else in there has: any bit pattern is a valid `R`, says our caller.
            None => Ok(unsafe { result.cast::<R>().read_volatile() }),
            Some(stop) if stop.evicted => Err(FaultKind::DomainLost),
            Some(stop) => {
                instance.discard(Some(self.seat), self.generation);
                Err(instance.kind(seat, &stop))
            }
        }
    }

    /// Room in the domain for `len` values. What it holds is unspecified.
    #[inline]
    pub(crate) fn stage(&mut self, len: usize, size: usize, align: usize) -> Result<*mut u8, FaultKind> {
        // SAFETY: held.
        unsafe { self.seat().stage(len, size, align) }
    }

    /// Whether `address` is in the room for this call's staged values.
    #[inline]
    pub(crate) fn has_staged(&self, address: usize) -> bool {
        self.seat().has_staged(address)
    }

    pub(crate) fn errno(&self) -> i32 {
        // SAFETY: held.
        unsafe { self.seat().errno() }
    }

    /// Whether the address is in memory that this domain may write.
    pub(crate) fn owns(&self, address: usize) -> bool {
        self.instance.writable_until(address).is_some()
    }

    /// How many bytes from `address` on a string of this domain may have: to the end of what the domain owns there, or of
    /// the read-only data around it.
    pub(crate) fn readable_from(&self, address: usize) -> Option<usize> {
        let end = self.instance.writable_until(address).or_else(|| image::read_only_until(address))?;
        Some(end - address)
    }

    pub(crate) fn identity(&self) -> usize {
        ptr::from_ref(self.instance).addr()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: held, and whoever could use what was staged borrows the call that ends.
        unsafe { self.seat().clear() };
        self.instance.seats.release(self.seat);
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

/// In the child of a fork only the thread that forked goes on. An instance in which another one was has no one to finish what
/// it began: it starts anew.
///
/// # Safety
///
/// To be called by `fork`, in the child.
unsafe extern "C" fn after_fork() {
    let survivor = thread::renumber_after_fork();
    let mut next = INSTANCES.load(Ordering::Acquire);
    // SAFETY: list members are never freed.
    while let Some(instance) = unsafe { next.as_ref() } {
        // A thread that was discarding it is gone, too.
        let halfway = instance.dying.swap(0, Ordering::Relaxed) != 0;
        if instance.seats.forget_others(survivor) || halfway {
            instance.discard(None, instance.generation.load(Ordering::Relaxed));
        }
        next = instance.next.load(Ordering::Relaxed);
    }
}

/// Makes every running thread of this process execute a memory barrier (membarrier(2)).
fn barrier() {
    // SAFETY: no memory of ours is involved.
    unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) };
}

fn register_barrier() -> Result<(), Unsupported> {
    // SAFETY: as `barrier`.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) };
    if done == 0 { Ok(()) } else { Err(super::system("membarrier")) }
}
