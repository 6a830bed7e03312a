//! Rooms: memory for one large block each of a hardened heap, with nothing mapped before and behind it.
//!
//! The program opens and closes them for the domain's allocator and keeps the books, in its own memory. A room that was once
//! opened stays mapped, and readable, at that place for ever: closing it only takes the domain's right to write, so that no
//! check of the program that an address is in a room becomes wrong before the access.

use crate::machine::PAGE;
use crate::machine::kernel::drop_contents;
use crate::machine::pkey::Pkey;
use crate::mpk::threads::undisturbed::Undisturbed;
use crate::mpk::threads::work;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Most rooms of an instance. Each is two mappings, of which a process has 65,530.
const COUNT: usize = 1024;
/// Between two rooms: what runs over its end by more than this misses the gap.
const GAP: usize = 64 << 10;
/// What closed rooms may hold of memory before it goes back to the kernel, in bytes.
const KEPT: usize = 4 << 20;

/// How long a thread inside waits for another one that has the books; longer for one that forks ([`work::PATIENCE`]).
const PATIENCE: Duration = Duration::from_secs(1);

pub(in crate::mpk) struct Rooms {
    area: Range<usize>,
    /// Held for a few system calls, by a thread that counts as inside, or while one forks.
    lock: AtomicBool,
    /// How many rooms there are; sorted by address, never fewer.
    count: AtomicUsize,
    rooms: Box<[Room]>,
    /// Bytes of the open ones, and of the closed ones that may still have memory.
    open: AtomicUsize,
    kept: AtomicUsize,
    /// Counts closings.
    clock: AtomicUsize,
}

#[derive(Default)]
struct Room {
    start: AtomicUsize,
    len: AtomicUsize,
    is_open: AtomicBool,
    closed_at: AtomicUsize,
    /// For reports: where in the room the domain says that its block is, and how large.
    offset: AtomicUsize,
    size: AtomicUsize,
}

/// A block in a room, as the domain has described it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mpk) struct Block {
    pub(in crate::mpk) start: usize,
    pub(in crate::mpk) size: usize,
    /// Still open; else freed.
    pub(in crate::mpk) is_live: bool,
}

impl Rooms {
    /// In `area`, of which nothing is mapped readable yet.
    pub(in crate::mpk) fn new(area: Range<usize>) -> Self {
        let count = if area.is_empty() { 0 } else { COUNT };
        Self {
            area,
            lock: AtomicBool::new(false),
            count: AtomicUsize::new(0),
            rooms: (0..count).map(|_| Room::default()).collect(),
            open: AtomicUsize::new(0),
            kept: AtomicUsize::new(0),
            clock: AtomicUsize::new(0),
        }
    }

    pub(in crate::mpk) fn area(&self) -> Range<usize> {
        self.area.clone()
    }

    /// Bytes that the domain has in rooms.
    pub(in crate::mpk) fn open_bytes(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Opens a room of `len` bytes, if it leaves the domain with at most `most` in rooms. What it holds is the domain's own old
    /// data, or 0.
    pub(in crate::mpk) fn open(
        &self,
        key: Pkey,
        len: usize,
        most: usize,
        (offset, size): (usize, usize),
        _held: &Held<'_>,
    ) -> Option<usize> {
        if len == 0 || !len.is_multiple_of(PAGE) {
            return None;
        }
        if len > most.saturating_sub(self.open_bytes()) {
            return None;
        }
        let (room, was_closed) = match self.longest_closed(len) {
            Some(room) => (room, true),
            None => (self.another(len)?, false),
        };
        let start = room.start.load(Ordering::Relaxed);
        // SAFETY: a room in this instance's own address space, and nobody's block.
        unsafe { key.tag(start, len) }.ok()?;
        room.offset.store(offset, Ordering::Relaxed);
        room.size.store(size, Ordering::Relaxed);
        room.is_open.store(true, Ordering::Release);
        if was_closed {
            self.kept.store(self.kept.load(Ordering::Relaxed).saturating_sub(len), Ordering::Relaxed);
        } else {
            self.count.fetch_add(1, Ordering::Release);
        }
        self.open.fetch_add(len, Ordering::Relaxed);
        Some(start)
    }

    /// Takes the room that holds `address` from the domain, if there is such a room.
    pub(in crate::mpk) fn close(&self, address: usize, _held: &Held<'_>) {
        if let Some(room) = self.find(address).filter(|room| room.is_open.load(Ordering::Relaxed)) {
            self.shut(room);
            let len = room.len.load(Ordering::Relaxed);
            let kept = self.kept.load(Ordering::Relaxed) + len;
            if kept > KEPT {
                room.drop_contents();
            } else {
                self.kept.store(kept, Ordering::Relaxed);
            }
        }
    }

    /// The books of this instance's memory, of rooms, heap and mappings, for a change: what they may have is limited together. `None`
    /// if they are not to be had for long, in a signal handler that has interrupted a fork of its thread, for instance; or if whom they
    /// are for `is_over`: who waits for that one's end may be who has them, and what is next in its place is not its own.
    ///
    /// No handler interrupts who has them: it could fork, and its child would go on with what is half done in the place of a generation
    /// that is over there.
    pub(in crate::mpk) fn held(&self, is_over: impl Fn() -> bool) -> Option<Held<'_>> {
        let begun = Instant::now();
        let gives_up = || is_over() || !goes_on_waiting(begun.elapsed(), work::is_elsewhere());
        let held = self.wait(gives_up, || {
            let undisturbed = Undisturbed::begin();
            self.take().then_some(Held { rooms: self, _undisturbed: undisturbed })
        });
        // Up to here a signal handler could have forked, and the instance could have ended. From here on a thread that discards the
        // instance waits for the books.
        held.filter(|_| !is_over())
    }

    /// Before a fork: keeps others away from the books, once they have left them. Says whether they have, by that time.
    pub(in crate::mpk) fn hold(&self, until: Instant) -> bool {
        self.wait(|| Instant::now() >= until, || self.take().then_some(())).is_some()
    }

    fn take(&self) -> bool {
        !self.lock.swap(true, Ordering::Acquire)
    }

    /// Until an attempt at what others have succeeds, or nobody wants to wait.
    fn wait<T>(&self, gives_up: impl Fn() -> bool, attempt: impl Fn() -> Option<T>) -> Option<T> {
        /// They are held for microseconds, as a rule.
        const AT_ONCE: usize = 100;
        for failed in 0.. {
            if !self.lock.load(Ordering::Relaxed)
                && let Some(taken) = attempt()
            {
                return Some(taken);
            }
            match failed {
                ..AT_ONCE => std::thread::yield_now(),
                _ if gives_up() => break,
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        None
    }

    /// After that; of a fork, in both processes.
    pub(in crate::mpk) fn release(&self) {
        self.lock.store(false, Ordering::Release);
    }

    /// Closes all, and forgets what they held.
    ///
    /// # Safety
    ///
    /// Nothing of the domain runs.
    pub(in crate::mpk) unsafe fn close_all(&self) {
        for room in self.known() {
            if room.is_open.load(Ordering::Relaxed) {
                self.shut(room);
            }
            room.drop_contents();
        }
        self.open.store(0, Ordering::Relaxed);
        self.kept.store(0, Ordering::Relaxed);
    }

    /// The end of the open room that holds `address`.
    pub(in crate::mpk) fn writable_until(&self, address: usize) -> Option<usize> {
        let room = self.find(address).filter(|room| room.is_open.load(Ordering::Acquire))?;
        Some(room.range().end)
    }

    /// The block that an access to `address`, which is in no open room, has most likely missed.
    pub(in crate::mpk) fn missed(&self, address: usize) -> Option<Block> {
        let distance = |room: &&Room| {
            let Range { start, end } = room.range();
            start.saturating_sub(address) + (address + 1).saturating_sub(end)
        };
        // If two blocks are equally near, take the one below: overflows go upwards.
        let room = self.known().iter().filter(|_| self.area.contains(&address)).min_by_key(distance)?;
        let start = room.start.load(Ordering::Relaxed).wrapping_add(room.offset.load(Ordering::Relaxed));
        let is_live = room.is_open.load(Ordering::Relaxed);
        Some(Block { start, size: room.size.load(Ordering::Relaxed), is_live })
    }

    fn known(&self) -> &[Room] {
        &self.rooms[..self.count.load(Ordering::Acquire).min(self.rooms.len())]
    }

    fn find(&self, address: usize) -> Option<&Room> {
        let known = self.known();
        let before = known.partition_point(|room| room.start.load(Ordering::Relaxed) <= address);
        known.get(before.checked_sub(1)?).filter(|room| room.range().contains(&address))
    }

    fn longest_closed(&self, len: usize) -> Option<&Room> {
        let fits = |room: &&Room| !room.is_open.load(Ordering::Relaxed) && room.len.load(Ordering::Relaxed) == len;
        self.known().iter().filter(fits).min_by_key(|room| room.closed_at.load(Ordering::Relaxed))
    }

    /// Address space for one more room. It is known once `count` says so.
    fn another(&self, len: usize) -> Option<&Room> {
        let end = self.known().last().map_or(self.area.start, |room| room.range().end);
        let start = end + GAP;
        let last = start.checked_add(len)?.checked_add(GAP)?;
        let room = self.rooms.get(self.count.load(Ordering::Relaxed)).filter(|_| last <= self.area.end)?;
        room.start.store(start, Ordering::Relaxed);
        room.len.store(len, Ordering::Relaxed);
        Some(room)
    }

    fn shut(&self, room: &Room) {
        let Range { start, end } = room.range();
        // SAFETY: of this instance; the program may still read it.
        // Fails where the kernel is out of mappings: then the domain can go on writing to what is its own.
        let _ = unsafe { Pkey::ROOT.tag(start, end - start) };
        room.is_open.store(false, Ordering::Release);
        room.closed_at.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        self.open.store(self.open_bytes().saturating_sub(end - start), Ordering::Relaxed);
    }
}

/// Whether a thread inside that has waited so long for the books waits for more, while another one forks or none does.
fn goes_on_waiting(waited: Duration, forks: bool) -> bool {
    waited < if forks { work::PATIENCE } else { PATIENCE }
}

impl Room {
    fn range(&self) -> Range<usize> {
        let start = self.start.load(Ordering::Relaxed);
        start..start + self.len.load(Ordering::Relaxed)
    }

    fn drop_contents(&self) {
        let Range { start, end } = self.range();
        // SAFETY: private memory of a closed room: it reads as 0 from now on.
        unsafe { drop_contents(start, end - start) };
    }
}

/// The books, until it is dropped.
pub(in crate::mpk) struct Held<'a> {
    rooms: &'a Rooms,
    // The last field, so that it is dropped last.
    _undisturbed: Undisturbed,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.rooms.release();
    }
}

#[cfg(test)]
mod tests {
    use super::{Rooms, goes_on_waiting};
    use std::time::Duration;

    #[track_caller]
    fn check(seconds: u64, forks: bool, expected: bool) {
        assert_eq!(goes_on_waiting(Duration::from_secs(seconds), forks), expected);
    }

    #[test]
    fn waiting_has_an_end() {
        check(0, false, true);
        check(2, false, false);
        check(2, true, true);
        check(31, true, false);
    }

    #[test]
    fn who_is_over_has_no_books() {
        let rooms = Rooms::new(0..0);
        assert!(rooms.held(|| true).is_none());
        assert!(rooms.held(|| false).is_some());
    }
}
