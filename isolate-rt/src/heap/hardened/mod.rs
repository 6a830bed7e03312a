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

mod canary;
mod header;
mod look;

use super::{ALIGN, Damage, Ground};
use crate::mpk;
use canary::{CANARY, POISON, arm};
pub(crate) use header::HEADER;
use header::{Header, State, insert, unlink};
use std::alloc::Layout;
use std::ops::Range;
use std::ptr;

/// Blocks from this size on get a room: `M_MMAP_THRESHOLD` of glibc, from which on it maps blocks one by one, too.
const LARGE: usize = 128 << 10;
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
        // What is claimed can be read. In the rooms, what never was open ends the call: for the block that is told then.
        let may_be = (first..=ground.claimed).contains(&block.addr()) || self.rooms.contains(&header.addr());
        if !may_be || !block.addr().is_multiple_of(ALIGN) {
            return Err(foreign);
        }
        // SAFETY: readable, as said above. Nothing in it is believed before the sum is right.
        unsafe {
            ground.asked.set(block.addr());
            let is_whole = Header::is_whole(header);
            ground.asked.set(0);
            if !is_whole {
                return Err(self.blame(header, foreign));
            }
            if (*header).state == State::Freed {
                return Err(Damage::FreedTwice { block: block.addr(), size: (*header).size });
            }
        }
        self.examine(header)?;
        Ok(header)
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
