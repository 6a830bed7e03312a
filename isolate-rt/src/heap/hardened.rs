//! A heap that notices what its users do to it: overflows, writes to freed blocks, blocks freed twice or never given out.
//!
//! ```text
//! small:  header │ block │ canary, 16 to 256 bytes                        a chunk of the allocator
//! large:  header │ block │ canary, what alignment leaves │ nothing mapped  a room of its own, opened by the program
//! ```
//!
//! A canary byte depends on its address, and is never 0. The header's last word is a checksum of the header and its address,
//! so that what runs over either end of a block changes something. Headers of live blocks form a ring, those of freed ones a
//! queue: freed blocks are filled with [`POISON`] and wait, those of the rooms closed to the domain, so that a stale pointer
//! meets nobody else's data for a while.
//!
//! Everything is looked at when it is freed or reused, and the newest blocks, older ones in turn, at the end of each call.
//! All this finds bugs. Who wants to can forge it: the domain can write its own heap.

use super::{ALIGN, Damage, Ground};
use crate::mpk;
use std::alloc::Layout;
use std::ops::Range;
use std::ptr;

/// Blocks from this size on get a room: `M_MMAP_THRESHOLD` of glibc, from which on it maps blocks one by one, too.
const LARGE: usize = 128 << 10;
/// What freed blocks are filled with.
const POISON: u8 = 0xdf;
/// Least and most that lies behind a small block, in bytes; between, an eighth of the block: who runs over a large table
/// more often skips some.
const CANARY: (usize, usize) = (16, 256);
/// Live blocks looked at when a call ends: of those that are new since the last look at most so many, and then others in turn.
const LOOKED_AT: (usize, usize) = (256, 64);
/// Bytes of freed blocks looked at then, likewise.
const POISON_LOOKED_AT: (usize, usize) = (16 << 10, 2 << 10);
/// Most that freed blocks may hold back, in bytes.
const MAX_HELD: usize = 1 << 20;

pub(super) struct Checks {
    live: Header,
    /// Where in the ring of live blocks the next look begins.
    cursor: *mut Header,
    /// Blocks allocated since the last look.
    new: usize,
    freed: Header,
    /// Where in the queue of freed ones the next look goes on, and bytes of those freed since the last.
    freed_cursor: *mut Header,
    newly_freed: usize,
    /// Bytes of chunks in the queue of freed blocks, and how many there may be.
    held: usize,
    most: usize,
    rooms: Range<usize>,
}

/// Before every block.
#[repr(C)]
struct Header {
    next: *mut Header,
    previous: *mut Header,
    size: usize,
    /// From the start of the chunk, or room, to the block.
    offset: usize,
    /// Bytes of the chunk or room.
    total: usize,
    state: State,
    // Padding would be bytes that nobody checks.
    _unused: u64,
    /// Last: what comes from behind meets it first.
    sum: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
enum State {
    Live = 1,
    LiveInRoom,
    Freed,
}

const HEADER: usize = size_of::<Header>();
/// How far each word of a header is turned against the next in its sum, in bits.
const TURN: u32 = 9;

const _: () = assert!(HEADER.is_multiple_of(ALIGN) && HEADER <= 64);

impl Checks {
    pub(super) fn new(rooms: Range<usize>, heap: usize) -> Self {
        let most = (heap / 16).min(MAX_HELD);
        let (live, freed, cursor) = (Header::alone(), Header::alone(), ptr::null_mut());
        Self { live, cursor, new: 0, freed, freed_cursor: cursor, newly_freed: 0, held: 0, most, rooms }
    }

    /// Once it lies where it stays.
    pub(super) fn close_rings(&mut self) {
        for ring in [&raw mut self.live, &raw mut self.freed] {
            // SAFETY: both are ours.
            unsafe { ((*ring).next, (*ring).previous) = (ring, ring) };
        }
        self.cursor = &raw mut self.live;
        self.freed_cursor = &raw mut self.freed;
    }

    pub(super) fn allocate(&mut self, ground: &mut Ground, size: usize, align: usize) -> Result<*mut u8, Damage> {
        let align = align.max(ALIGN);
        if size >= LARGE
            && align <= mpk::PAGE
            && !self.rooms.is_empty()
            && let Some(block) = self.in_room(size, align)?
        {
            return Ok(block);
        }
        let offset = HEADER.next_multiple_of(align);
        let total = chunk_for(offset, size);
        let Some(layout) = total.and_then(|total| Layout::from_size_align(total, align).ok()) else {
            return Ok(ptr::null_mut());
        };
        let mut chunk = ground.chunk(layout);
        if chunk.is_none() && self.held > 0 {
            self.release(ground, 0)?;
            chunk = ground.chunk(layout);
        }
        let Some(chunk) = chunk else { return Ok(ptr::null_mut()) };
        // SAFETY: the chunk has `layout.size()` bytes: header, block and canary.
        unsafe { self.lay(chunk.as_ptr(), offset, size, layout.size(), State::Live) }
    }

    pub(super) fn deallocate(&mut self, ground: &mut Ground, block: *mut u8) -> Result<(), Damage> {
        let header = self.live_header(ground, block)?;
        // SAFETY: of a live block; its whole chunk is ours. A room is not touched once it is closed.
        unsafe {
            self.unlink_live(header);
            let Header { size, total, state, .. } = *header;
            (*header).state = State::Freed;
            (*header).sum = Header::sum(header);
            if state == State::LiveInRoom {
                mpk::close_room(block.addr());
                return Ok(());
            }
            block.write_bytes(POISON, size);
            insert(header, (&raw mut self.freed).cast());
            self.held += total;
            self.newly_freed += total;
        }
        self.release(ground, self.most)
    }

    pub(super) fn reallocate(&mut self, ground: &mut Ground, block: *mut u8, size: usize) -> Result<*mut u8, Damage> {
        let header = self.live_header(ground, block)?;
        // SAFETY: of a live block.
        let (old, offset, total, state) =
            unsafe { ((*header).size, (*header).offset, (*header).total, (*header).state) };
        if state == State::Live
            && size < LARGE
            && let Some(wanted) = chunk_for(offset, size)
        {
            // SAFETY: the chunk as it was allocated; when it has the new length, the canary goes where the block now ends.
            unsafe {
                let layout = Layout::from_size_align_unchecked(total, ALIGN);
                if ground.talc.try_realloc_in_place(block.sub(offset), layout, wanted) {
                    (*header).size = size;
                    (*header).total = wanted;
                    (*header).sum = Header::sum(header);
                    arm(header);
                    return Ok(block);
                }
            }
        }
        let moved = self.allocate(ground, size, ALIGN)?;
        if !moved.is_null() {
            // SAFETY: two blocks of at least that many bytes.
            unsafe { ptr::copy_nonoverlapping(block, moved, size.min(old)) };
            self.deallocate(ground, block)?;
        }
        Ok(moved)
    }

    pub(super) fn size_of(&self, ground: &Ground, block: *const u8) -> usize {
        // SAFETY: of a live block.
        self.live_header(ground, block.cast_mut()).map_or(0, |header| unsafe { (*header).size })
    }

    /// Looks at the newest blocks, and at older ones in turn.
    pub(super) fn look(&mut self) -> Result<(), Damage> {
        let (live, freed): (*mut Header, *mut Header) = (&raw mut self.live, &raw mut self.freed);
        let mut header = self.cursor;
        for _ in 0..self.new.min(LOOKED_AT.0) + LOOKED_AT.1 {
            if header == live {
                // SAFETY: ours.
                header = unsafe { (*header).next };
                if header == live {
                    break;
                }
            }
            self.examine(header)?;
            // SAFETY: examined just now: its links are what we made them.
            header = unsafe { (*header).next };
            if header == self.cursor {
                break;
            }
        }
        (self.cursor, self.new) = (header, 0);
        let mut bytes = 0;
        // SAFETY: ours; each further one is examined before its link is followed.
        let mut header = unsafe { (*freed).previous };
        while header != freed && bytes < self.newly_freed.min(POISON_LOOKED_AT.0) {
            self.examine(header)?;
            // SAFETY: as above.
            unsafe {
                bytes += (*header).total;
                header = (*header).previous;
            }
        }
        (self.newly_freed, bytes) = (0, 0);
        while bytes < POISON_LOOKED_AT.1 {
            // SAFETY: as above.
            self.freed_cursor = unsafe { (*self.freed_cursor).next };
            if self.freed_cursor == freed {
                break;
            }
            self.examine(self.freed_cursor)?;
            // SAFETY: as above.
            bytes += unsafe { (*self.freed_cursor).total };
        }
        Ok(())
    }

    /// A block in a room of its own, at its very end.
    fn in_room(&mut self, size: usize, align: usize) -> Result<Option<*mut u8>, Damage> {
        // The header goes below the block, wherever alignment puts that.
        let Some(total) = size.checked_add(HEADER + align).and_then(room_for) else { return Ok(None) };
        let offset = (total - size) & !(align - 1);
        let Some(start) = mpk::open_room(total, offset, size) else { return Ok(None) };
        let start = ptr::with_exposed_provenance_mut::<u8>(start);
        // SAFETY: just opened, with `total` bytes; at least a header lies before the block.
        unsafe { self.lay(start, offset, size, total, State::LiveInRoom) }.map(Some)
    }

    /// # Safety
    ///
    /// `chunk` has `total` bytes that nobody uses, `offset` of them before the block, [`HEADER`] or more.
    unsafe fn lay(
        &mut self,
        chunk: *mut u8,
        offset: usize,
        size: usize,
        total: usize,
        state: State,
    ) -> Result<*mut u8, Damage> {
        // Its link to what lies before it is followed.
        if self.cursor != &raw mut self.live {
            self.examine(self.cursor)?;
        }
        // SAFETY: by this function's contract.
        unsafe {
            let block = chunk.add(offset);
            let header = block.cast::<Header>().sub(1);
            header.write(Header { size, offset, total, state, ..Header::alone() });
            (*header).sum = Header::sum(header);
            insert(header, self.cursor);
            // What is new is looked at first.
            self.cursor = header;
            self.new += 1;
            arm(header);
            Ok(block)
        }
    }

    /// # Safety
    ///
    /// `header` is in the ring of live blocks.
    unsafe fn unlink_live(&mut self, header: *mut Header) {
        if self.cursor == header {
            // SAFETY: by this function's contract.
            self.cursor = unsafe { (*header).next };
        }
        // SAFETY: as above.
        unsafe { unlink(header) };
    }

    /// Gives freed blocks back to the allocator, the oldest first, until no more than `most` bytes wait.
    fn release(&mut self, ground: &mut Ground, most: usize) -> Result<(), Damage> {
        while self.held > most {
            let header = self.freed.next;
            if header == &raw mut self.freed {
                break;
            }
            self.examine(header)?;
            // SAFETY: a freed block whose header is as we left it: nobody else has its chunk.
            unsafe {
                if self.freed_cursor == header {
                    self.freed_cursor = (*header).previous;
                }
                unlink(header);
                let Header { offset, total, .. } = *header;
                // No longer a header, should somebody free the block again.
                (*header).sum = 0;
                self.held = self.held.saturating_sub(total);
                let chunk = header.add(1).cast::<u8>().sub(offset);
                // Taking a chunk back, the allocator asks only how long it is.
                ground.talc.deallocate(chunk, Layout::from_size_align_unchecked(total, ALIGN));
            }
        }
        Ok(())
    }

    /// The header of a block that is whole, and not freed.
    fn live_header(&self, ground: &Ground, block: *mut u8) -> Result<*mut Header, Damage> {
        let foreign = Damage::Foreign { block: block.addr() };
        let header = block.cast::<Header>().wrapping_sub(1);
        let first = ground.start + size_of::<super::Heap>() + HEADER;
        // What is claimed can be read. In the rooms, what never was open ends the call.
        let may_be = (first..=ground.claimed).contains(&block.addr()) || self.rooms.contains(&header.addr());
        if !may_be || !block.addr().is_multiple_of(ALIGN) {
            return Err(foreign);
        }
        // SAFETY: readable, as said above. Nothing in it is believed before the sum is right.
        unsafe {
            if !Header::is_whole(header) {
                return Err(self.blame(header, foreign));
            }
            if (*header).state == State::Freed {
                return Err(Damage::FreedTwice { block: block.addr(), size: (*header).size });
            }
        }
        self.examine(header)?;
        Ok(header)
    }

    /// Looks at one block that is in a ring.
    fn examine(&self, header: *mut Header) -> Result<(), Damage> {
        // SAFETY: headers in the rings lie in memory of the heap, readable whatever was written there; what they say is
        // believed if the sum is right.
        unsafe {
            let block = header.add(1).cast::<u8>();
            if !Header::is_whole(header) {
                let at = header.add(1).addr() - size_of::<usize>();
                return Err(self.blame(header, Damage::Overrun { block: block.addr(), size: (*header).size, at }));
            }
            let Header { size, state, .. } = *header;
            if state == State::Freed
                && let Some(at) = first_other(block, size)
            {
                return Err(Damage::WrittenAfterFree { block: block.addr(), size, at });
            }
            match overrun(header) {
                None => Ok(()),
                Some(at) if state == State::Freed => Err(Damage::WrittenAfterFree { block: block.addr(), size, at }),
                Some(at) => Err(Damage::Overrun { block: block.addr(), size, at }),
            }
        }
    }

    /// Whose fault it is that `header` is damaged, if it is one: of the block whose canary is, too, else of who wrote before
    /// its own. `otherwise` if nobody is known.
    ///
    /// # Safety
    ///
    /// The header can be read.
    #[cold]
    unsafe fn blame(&self, damaged: *mut Header, otherwise: Damage) -> Damage {
        let mut found_damaged = false;
        for (ring, is_freed) in [(&raw const self.live, false), (&raw const self.freed, true)] {
            let ring = ring.cast_mut();
            for forward in [true, false] {
                // SAFETY: ours.
                let step = |header: *mut Header| unsafe { if forward { (*header).next } else { (*header).previous } };
                let mut header = step(ring);
                while header != ring {
                    found_damaged |= header == damaged;
                    // SAFETY: reached by the link of a header that is whole.
                    unsafe {
                        if !Header::is_whole(header) {
                            break;
                        }
                        let (block, size) = (header.add(1).addr(), (*header).size);
                        let into_damaged = |at: &usize| (*at..*at + 256).contains(&damaged.addr());
                        match overrun(header).filter(into_damaged) {
                            Some(at) if is_freed => return Damage::WrittenAfterFree { block, size, at },
                            Some(at) => return Damage::Overrun { block, size, at },
                            None => {}
                        }
                    }
                    header = step(header);
                }
            }
        }
        match otherwise {
            Damage::Foreign { block } if found_damaged => {
                // The size may be what was overwritten, but most often it is the word right before the block.
                // SAFETY: by this function's contract.
                let size = unsafe { (*damaged).size };
                Damage::Overrun { block, size, at: block - size_of::<usize>() }
            }
            otherwise => otherwise,
        }
    }
}

impl Header {
    /// In no ring, around nothing.
    fn alone() -> Self {
        let nobody = ptr::null_mut();
        Self { next: nobody, previous: nobody, size: 0, offset: 0, total: 0, state: State::Live, _unused: 0, sum: 0 }
    }

    /// # Safety
    ///
    /// The header can be read.
    unsafe fn sum(header: *const Self) -> usize {
        // SAFETY: by this function's contract. Read as words: what it holds may be anything.
        unsafe {
            let words = header.cast::<[usize; 7]>().read();
            let mixed = words.iter().fold(0usize, |sum, word| sum.rotate_left(TURN) ^ word);
            mixed ^ canary(header.addr())
        }
    }

    /// # Safety
    ///
    /// As [`Header::sum`].
    unsafe fn is_whole(header: *const Self) -> bool {
        // SAFETY: by this function's contract.
        unsafe { (&raw const (*header).sum).read() == Self::sum(header) }
    }
}

/// Puts `header` before `next`.
///
/// # Safety
///
/// `next` is in a ring, `header` in none.
unsafe fn insert(header: *mut Header, next: *mut Header) {
    // SAFETY: by this function's contract.
    unsafe {
        let previous = (*next).previous;
        link(previous, header);
        link(header, next);
    }
}

/// # Safety
///
/// `header` is in a ring, and whole.
unsafe fn unlink(header: *mut Header) {
    // SAFETY: by this function's contract.
    unsafe {
        let Header { next, previous, .. } = *header;
        link(previous, next);
    }
}

/// Makes `second` follow `first`. Their sums change by what changed: if one was wrong, it stays wrong.
///
/// # Safety
///
/// Both are headers.
unsafe fn link(first: *mut Header, second: *mut Header) {
    // SAFETY: by this function's contract.
    unsafe {
        (*first).sum ^= ((*first).next.addr() ^ second.addr()).rotate_left(TURN * 6);
        (*first).next = second;
        (*second).sum ^= ((*second).previous.addr() ^ first.addr()).rotate_left(TURN * 5);
        (*second).previous = first;
    }
}

/// Bytes of the chunk for a block with so many bytes before it.
fn chunk_for(offset: usize, size: usize) -> Option<usize> {
    let canary = (size / 8).clamp(CANARY.0, CANARY.1);
    size.checked_add(offset + canary)?.checked_next_multiple_of(ALIGN)
}

/// Bytes of the room for so many: eight sizes between a power of two and the next, so that rooms are used again.
fn room_for(bytes: usize) -> Option<usize> {
    let step = (1usize.checked_shl(bytes.ilog2())? / 8).max(mpk::PAGE);
    bytes.checked_next_multiple_of(step)
}

/// The word that eight canary bytes at this address are: none is 0, and a copy made elsewhere is another.
fn canary(address: usize) -> usize {
    address.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 0x0101_0101_0101_0101
}

fn canary_byte(address: usize) -> u8 {
    canary(address & !7).to_ne_bytes()[address & 7]
}

/// The bytes between a block and the end of its chunk or room.
///
/// # Safety
///
/// The header is whole.
unsafe fn tail(header: *const Header) -> Range<*mut u8> {
    // SAFETY: by this function's contract.
    unsafe {
        let Header { size, offset, total, .. } = *header;
        let block = header.add(1).cast::<u8>().cast_mut();
        block.add(size)..block.sub(offset).add(total)
    }
}

/// Writes the canary.
///
/// # Safety
///
/// As [`tail`].
unsafe fn arm(header: *const Header) {
    // SAFETY: by this function's contract; the tail ends at a multiple of 16.
    unsafe {
        let Range { start: mut at, end } = tail(header);
        while at < end && !at.addr().is_multiple_of(8) {
            at.write(canary_byte(at.addr()));
            at = at.add(1);
        }
        while at < end {
            at.cast::<usize>().write(canary(at.addr()));
            at = at.add(8);
        }
    }
}

/// The first byte of the canary that was changed.
///
/// # Safety
///
/// As [`tail`].
unsafe fn overrun(header: *const Header) -> Option<usize> {
    // SAFETY: as in `arm`.
    unsafe {
        let Range { start, end } = tail(header);
        let mut at = start;
        let mut is_whole = true;
        while at < end && !at.addr().is_multiple_of(8) {
            is_whole &= at.read() == canary_byte(at.addr());
            at = at.add(1);
        }
        while at < end {
            is_whole &= at.cast::<usize>().read() == canary(at.addr());
            at = at.add(8);
        }
        let changed = |at: &usize| (ptr::with_exposed_provenance::<u8>(*at)).read() != canary_byte(*at);
        if is_whole { None } else { (start.expose_provenance()..end.addr()).find(changed) }
    }
}

/// The first byte of a freed block that is not [`POISON`].
///
/// # Safety
///
/// `block` has `size` readable bytes, and is aligned to 16.
unsafe fn first_other(block: *const u8, size: usize) -> Option<usize> {
    const WORD: usize = usize::from_ne_bytes([POISON; 8]);
    // SAFETY: by this function's contract.
    unsafe {
        let words = std::slice::from_raw_parts(block.cast::<usize>(), size / 8);
        let rest = std::slice::from_raw_parts(block.add(size & !7), size & 7);
        // A chunk at a time without a branch: the compiler makes vectors of it.
        let is_other = |words: &[usize]| words.iter().fold(0, |other, word| other | (word ^ WORD)) != 0;
        let chunk = words.chunks(64).position(is_other);
        if chunk.is_none() && rest.iter().all(|&byte| byte == POISON) {
            return None;
        }
        let from = chunk.map_or(size & !7, |chunk| chunk * 64 * 8);
        (from..size).find(|&at| block.add(at).read() != POISON).map(|at| block.addr() + at)
    }
}
