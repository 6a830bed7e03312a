//! An instance: a key and everything that carries it.
//!
//! Several threads may be inside at once, each on a [`super::seat`] of its own. A fault of one ends the instance for all: its
//! heap and globals may be anything by then. The thread that faulted marks the instance, sends every other thread inside out
//! ([`FaultKind::DomainLost`]), waits until nobody runs there, and makes it as it was when it was created.

mod end;

pub(in crate::mpk) use end::{after_fork, release_rooms};

use super::entry::Entry;
use super::last_fault::LastFault;
use super::seat::Seat;
use super::seats::Seats;
use super::siblings::Siblings;
use super::started::{self, Started};
use crate::domain::{HeapKind, Settings};
use crate::fault::{Fault, FaultKind, Unsupported};
use crate::heap::{Heap, KEPT};
use crate::machine::selftest;
use crate::machine::{PAGE, pkey::Pkey};
use crate::mpk::areas::image::{self, Image};
use crate::mpk::areas::layout::Layout;
use crate::mpk::areas::mappings::{Mappings, Wish};
use crate::mpk::areas::rooms::{Held, Rooms};
use crate::mpk::areas::tls::Template;
use crate::mpk::crossing::gate;
use crate::mpk::crossing::thread::Thread;
use crate::mpk::endings::{panics, warm};
use crate::mpk::loaded::bind;
use crate::mpk::signals::deadline::Limit;
use crate::mpk::signals::{signal, watchdog};
use crate::mpk::threads::list::List;
use crate::mpk::threads::once::Once;
use crate::mpk::threads::waiting::{A_MOMENT, one_fewer, register_barrier, wait};
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// One per domain and process. Its key is never given back.
pub(crate) struct Instance {
    pub(in crate::mpk) name: &'static str,
    pub(in crate::mpk) key: Pkey,
    /// PKRU inside.
    pub(in crate::mpk) rights: u32,
    pub(in crate::mpk) layout: Layout,
    pub(in crate::mpk) image: Image,
    pub(in crate::mpk) limit: Limit,
    /// Advanced by every fault: odd while a thread discards what the instance had, even again when the next may begin.
    generation: AtomicU64,
    /// End of what of the heap was ever open to the domain. What lies behind cannot have been touched.
    open: AtomicUsize,
    pub(in crate::mpk) heap_kind: HeapKind,
    pub(in crate::mpk) rooms: Rooms,
    pub(in crate::mpk) mappings: Mappings,
    pub(in crate::mpk) started: Started,
    pub(in crate::mpk) last_fault: LastFault,
    /// Threads that wait for it to be even.
    waiting: AtomicU32,
    pub(in crate::mpk) seats: Seats,
    /// Where the domain has several instances.
    siblings: Option<&'static Siblings>,
}

/// What an attempt to create an instance has taken.
pub(crate) struct Begun {
    layout: Option<Layout>,
    key: Option<Pkey>,
    /// Complete except for the proof that `malloc` works. To be used again: a second instance in the same slot would share seats with
    /// threads that kept one of the first.
    instance: Option<&'static Instance>,
}

impl Begun {
    pub(crate) const fn nothing() -> Self {
        Self { layout: None, key: None, instance: None }
    }
}

static INSTANCES: List<Instance> = List::new();

impl Instance {
    /// The first of a domain. `begun` keeps what cannot be given back when this fails, for the next attempt.
    pub(crate) fn create(settings: &'static Settings, begun: &mut Begun) -> Result<&'static Self, Unsupported> {
        let first = Self::create_one(settings, begun, None)?;
        if first.siblings.is_some() {
            first.settle(settings);
        }
        Ok(first)
    }

    fn create_one(
        settings: &'static Settings,
        begun: &mut Begun,
        siblings: Option<&'static Siblings>,
    ) -> Result<&'static Self, Unsupported> {
        static TESTED: Once<()> = Once::new();
        TESTED.get_or_make(selftest::run)?;
        signal::install()?;
        register_barrier()?;
        Thread::current()?;
        warm::up();
        // Before the library's globals are copied: its own table of functions is among them.
        bind::all();
        gate::learn_vectors();
        let instance = match begun.instance {
            Some(instance) => instance,
            None => Self::lay_out(settings, begun, siblings)?,
        };
        instance.prove_malloc()?;
        panics::learn(instance);
        instance.last_fault.forget();
        if let Some(siblings) = instance.siblings {
            siblings.add(instance);
        }
        Ok(instance)
    }

    fn lay_out(
        settings: &'static Settings,
        begun: &mut Begun,
        siblings: Option<&'static Siblings>,
    ) -> Result<&'static Self, Unsupported> {
        let globals = image::find(settings.globals)?;
        if settings.per_thread && !globals.is_empty() {
            return Err(image::globals("there are some, which an instance for each thread would have to share"));
        }
        if settings.per_thread && settings.one_at_a_time {
            // A call that goes where another thread's object lives would wait for its seat, and that thread for ours.
            return Err(Unsupported::Setting { what: "an instance for each thread, and one thread at a time" });
        }
        if settings.threads_inside > 0 && settings.one_at_a_time {
            return Err(Unsupported::Setting { what: "threads that the library starts, and one thread at a time" });
        }
        if settings.threads_inside > 0 {
            started::prepare()?;
        }
        if begun.layout.is_none() {
            let tls = Template::learn()?.size();
            begun.layout = Some(Layout::reserve(settings.stack_size, tls, settings.heap_limit)?);
        }
        if begun.key.is_none() {
            begun.key = Some(Pkey::allocate()?);
        }
        let (Some(layout), Some(key)) = (begun.layout.clone(), begun.key) else { unreachable!("both were just made") };
        let heap_kind = settings.heap_kind;
        let rooms = Rooms::new(if heap_kind == HeapKind::Hardened { layout.rooms.clone() } else { 0..0 });
        // SAFETY: reserved for this instance alone, and not in use yet; `reserve` made it long enough. The globals are this
        // library's, says who named them.
        let image = unsafe {
            let heap = &layout.heap;
            key.tag(heap.start, KEPT)?;
            Heap::create(ptr::with_exposed_provenance_mut(heap.start), KEPT, heap.len(), heap_kind, rooms.area());
            Image::take(globals, key)?
        };
        let siblings = siblings.or_else(|| settings.per_thread.then(|| Siblings::of(layout.index)));
        let instance = INSTANCES.push(Self {
            name: settings.name,
            key,
            rights: key.domain_rights(),
            seats: Seats::new(layout.index, |index| layout.seat(index), settings.one_at_a_time),
            layout: layout.clone(),
            image,
            limit: Limit::of(settings),
            generation: AtomicU64::new(0),
            open: AtomicUsize::new(layout.heap.start + KEPT),
            heap_kind,
            rooms,
            mappings: Mappings::new(layout.mappings.clone(), layout.heap.len()),
            started: Started::new(settings.threads_inside),
            last_fault: LastFault::new(),
            waiting: AtomicU32::new(0),
            siblings,
        });
        if instance.limit.watched().is_some() {
            watchdog::domain_made();
        }
        begun.instance = Some(instance);
        Ok(instance)
    }

    /// Where calls of this thread go, if that was decided: here, or to a sibling.
    pub(crate) fn home(&'static self) -> Option<&'static Self> {
        // A thread that only asks is not made ready for calls.
        let Some(siblings) = self.siblings else { return Some(self) };
        match Thread::current() {
            Ok(thread) => siblings.home(thread),
            // Where the thread cannot be made ready, the call says why.
            Err(_) => Some(self),
        }
    }

    /// Decides it. Of a domain with these settings; to be called by one thread at a time.
    pub(crate) fn settle(&'static self, settings: &'static Settings) -> &'static Self {
        let (Some(siblings), Ok(thread)) = (self.siblings, Thread::current()) else { return self };
        // What a failure leaves behind is lost; there will be none when nothing is left.
        let make = || Self::create_one(settings, &mut Begun::nothing(), Some(siblings)).ok();
        siblings.settle(thread, make).unwrap_or(self)
    }

    /// Whether all threads share it.
    pub(super) fn is_shared(&self) -> bool {
        self.siblings.is_none()
    }

    /// What it ended by last.
    pub(crate) fn last_fault(&self) -> Option<Fault> {
        self.last_fault.latest()
    }

    /// Of the domain's instances the one with this [identity](Entry::identity).
    pub(crate) fn find(&'static self, identity: usize) -> Option<&'static Self> {
        match self.siblings {
            Some(siblings) => siblings.find(identity),
            None => Some(self).filter(|this| ptr::from_ref(*this).addr() == identity),
        }
    }

    /// Begins a call in the domain whose first instance this is, with that [number](Instance::number), where nothing stands in its way:
    /// the thread has been here before, its seat is free and as it was left, and nobody has failed since. Every call passes here, so
    /// nothing is asked twice: a seat knows which thread and generation it is ready for, and a thread which seat it keeps.
    // Always, as `Domain::call` is.
    #[inline(always)]
    pub(crate) fn enter_again(&'static self, number: usize) -> Option<Entry> {
        let thread = Thread::known()?;
        match self.siblings {
            None => self.enter_here(thread, number),
            Some(siblings) => {
                let home = siblings.home(thread)?;
                home.enter_here(thread, home.number())
            }
        }
    }

    #[inline(always)]
    fn enter_here(&'static self, thread: &'static Thread, number: usize) -> Option<Entry> {
        let held = thread.slot(number).take()?;
        // An odd generation is one that no seat is ready for.
        // SAFETY: just taken.
        if unsafe { held.seat.generation() } != self.generation.load(Ordering::Acquire) {
            self.seats.release(held);
            return None;
        }
        Some(Entry::new(self, held))
    }

    /// Which of a thread's slots is of this instance.
    pub(crate) fn number(&self) -> usize {
        self.layout.index
    }

    /// Begins a call in this instance, wherever the thread is at home.
    pub(crate) fn enter_this(&'static self) -> Result<Entry, FaultKind> {
        Thread::known().and_then(|thread| self.enter_here(thread, self.number())).map_or_else(|| self.enter(), Ok)
    }

    /// Begins a call: takes a seat, waiting while there is none, and makes it ready.
    #[cold]
    pub(crate) fn enter(&'static self) -> Result<Entry, FaultKind> {
        let thread = Thread::current().map_err(FaultKind::Unsupported)?;
        let held = self.seats.take(thread).ok_or(FaultKind::Occupied)?;
        let Some(generation) = self.wait_for_next(thread) else {
            self.seats.release(held);
            return Err(FaultKind::InSignalHandler);
        };
        // From here on the seat is given back when this is dropped.
        let entry = Entry::new(self, held);
        // SAFETY: held by `entry`.
        unsafe { held.seat.prepare((self.key, self.heap()), generation, thread) }.map_err(FaultKind::Unsupported)?;
        Ok(entry)
    }

    /// Waits while another thread discards the instance. `None` in a signal handler of a thread that is at work: whoever discards it may
    /// wait for that thread, or be that thread.
    fn wait_for_next(&self, thread: &Thread) -> Option<u64> {
        loop {
            let generation = self.generation.load(Ordering::Acquire);
            if !is_dying(generation) {
                return Some(generation);
            }
            if thread.is_at_work() {
                return None;
            }
            self.waiting.fetch_add(1, Ordering::Relaxed);
            wait(low_half(&self.generation), generation as u32, A_MOMENT);
            one_fewer(&self.waiting);
        }
    }

    #[inline]
    pub(in crate::mpk) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Opens the heap up to about `end`, which the domain's allocator asks for, or something in there that has gone wrong. Gives what
    /// it is open up to.
    #[cold]
    pub(in crate::mpk) fn open_heap(&self, generation: u64, end: usize) -> usize {
        let heap = &self.layout.heap;
        let open = || self.open.load(Ordering::Acquire);
        // What is in rooms and mappings counts, too. Who opens those meanwhile waits: the limit is one for all threads.
        let Some(_held) = self.books(generation) else { return open() };
        let elsewhere = self.rooms.open_bytes() + self.mappings.counted_bytes();
        let most = heap.end - elsewhere.min(heap.len());
        let end = end.min(most).next_multiple_of(PAGE);
        // SAFETY: of this instance's heap, and not used yet.
        if end > open() && unsafe { self.key.tag(open(), end - open()) }.is_ok() {
            self.open.store(end, Ordering::Release);
        }
        open()
    }

    /// Opens a room for a block, as the domain's allocator describes it: bytes of the room, bytes before the block, its size.
    #[cold]
    pub(in crate::mpk) fn open_room(&self, generation: u64, [len, offset, size]: [usize; 3]) -> Option<usize> {
        // Without the books the block goes to the ordinary heap.
        let held = self.books(generation)?;
        let most = self.layout.heap.end - self.open.load(Ordering::Acquire);
        let most = most.saturating_sub(self.mappings.counted_bytes());
        self.rooms.open(self.key, len, most, (offset, size), &held)
    }

    /// Takes the room that holds `address` from the domain, if there is such a room.
    #[cold]
    pub(in crate::mpk) fn close_room(&self, generation: u64, address: usize) {
        // Without the books the domain keeps the room, and it counts.
        if let Some(held) = self.books(generation) {
            self.rooms.close(address, &held);
        }
    }

    /// Maps, unmaps and so on, as the domain's `mmap` and its like ask for it.
    #[cold]
    pub(in crate::mpk) fn map(&self, generation: u64, wish: Result<Wish, i32>) -> usize {
        let answer = wish.and_then(|wish| {
            let _held = self.books(generation).ok_or(libc::ENOMEM)?;
            let most = self.layout.heap.end - self.open.load(Ordering::Acquire);
            let most = most.saturating_sub(self.rooms.open_bytes());
            self.mappings.grant(self.key, most, wish)
        });
        answer.unwrap_or_else(|errno| (-errno) as isize as usize)
    }

    /// The books of its memory, for a change that a call in this generation asks for.
    fn books(&self, generation: u64) -> Option<Held<'_>> {
        self.rooms.held(|| self.generation() != generation)
    }

    pub(in crate::mpk) fn heap(&self) -> *mut Heap {
        ptr::with_exposed_provenance_mut(self.layout.heap.start)
    }

    /// Creation is not done before a block that `malloc` made inside was seen to lie inside.
    fn prove_malloc(&'static self) -> Result<(), Unsupported> {
        let mut entry = self.enter().map_err(|kind| match kind {
            FaultKind::Unsupported(reason) => reason,
            _ => Unsupported::Malloc,
        })?;
        // SAFETY: `malloc` may be called with any size, `free` with what it returned; any address is a valid result.
        let address = unsafe {
            entry.run_within("malloc", Limit::None, None, || {
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

    /// The end of the memory around `address` that this domain may write.
    pub(in crate::mpk) fn writable_until(&self, address: usize) -> Option<usize> {
        let of_seat = || self.seats.get(self.layout.seat_of(address)?)?.writable_until(address);
        self.lasting_until(address).or_else(of_seat).or_else(|| self.mappings.writable_until(address))
    }

    /// Whether a call on this seat may go on with its stack pointer there: on its stack, or on one that its library has made in other
    /// memory of the domain. Not in a frame of another call, nor of the program.
    pub(in crate::mpk) fn may_go_on_at(&self, seat: &Seat, stack: usize) -> bool {
        seat.has_on_stack(stack, 0) || (self.layout.seat_of(stack).is_none() && self.writable_until(stack).is_some())
    }

    /// The end of the memory around `address` that is this domain's, whether it may write there or read only.
    pub(super) fn readable_until(&self, address: usize) -> Option<usize> {
        self.mappings.readable_until(address).or_else(|| self.writable_until(address))
    }

    /// As [`Instance::writable_until`], of memory that does not come and go with calls.
    pub(super) fn lasting_until(&self, address: usize) -> Option<usize> {
        let open = self.layout.heap.start..self.open.load(Ordering::Acquire);
        let heap = Some(open).filter(|heap| heap.contains(&address)).map(|heap| heap.end);
        heap.or_else(|| self.rooms.writable_until(address)).or_else(|| self.image.writable_until(address))
    }
}

/// Whether a generation is the number of one that is being discarded.
#[inline]
fn is_dying(generation: u64) -> bool {
    generation & 1 != 0
}

/// The low 32 bits, for a futex to wait on. They come first: x86-64 is little-endian.
fn low_half(word: &AtomicU64) -> *const u32 {
    word.as_ptr().cast()
}

/// When a thread ends: gives back the seats that it kept.
pub(in crate::mpk) fn retire(thread: &Thread) {
    for instance in all() {
        instance.seats.retire(thread);
        if let Some(siblings) = instance.siblings {
            siblings.retire(thread);
        }
    }
}

/// All instances of the process.
pub(in crate::mpk) fn all() -> impl Iterator<Item = &'static Instance> {
    INSTANCES.iter()
}
