//! What lies behind every block, and in freed ones.

use super::header::Header;
use std::ops::Range;
use std::ptr;

/// What freed blocks are filled with.
pub(super) const POISON: u8 = 0xdf;
/// Least and most that lies behind a small block, in bytes; between, an eighth of the block: who runs over a large table
/// more often skips some.
pub(super) const CANARY: (usize, usize) = (16, 256);

/// The word that eight canary bytes at this address are: none is 0, and a copy made elsewhere is another.
pub(super) fn canary(address: usize) -> usize {
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
pub(super) unsafe fn arm(header: *const Header) {
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
pub(super) unsafe fn overrun(header: *const Header) -> Option<usize> {
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
pub(super) unsafe fn first_other(block: *const u8, size: usize) -> Option<usize> {
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
