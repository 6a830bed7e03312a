//! A bit for each page of gigabytes of address space.

use crate::machine::kernel::drop_contents;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bits that one thread at a time changes, and any looks at. The kernel gives memory to those that were ever set.
pub(super) struct Bits(&'static [AtomicU64]);

impl Bits {
    /// `count` of them, all 0, for ever. `None` where there is no memory.
    pub(super) fn new(count: usize) -> Option<Self> {
        let words = count.div_ceil(64);
        let len = words * size_of::<AtomicU64>();
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: fresh memory.
        let start = unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return None;
        }
        // SAFETY: mapped, for ever, and 0: so many words.
        Some(Self(unsafe { std::slice::from_raw_parts(start.cast::<AtomicU64>(), words) }))
    }

    /// Where the bits, from the start of the range on, are no longer `set`; at most its end.
    pub(super) fn end_of_run(&self, range: Range<usize>, set: bool) -> usize {
        let mut at = range.start;
        while at < range.end {
            let (word, bit) = (at / 64, at % 64);
            let seen = self.0[word].load(Ordering::Acquire);
            let others = if set { !seen } else { seen } >> bit;
            if others != 0 {
                return (at + others.trailing_zeros() as usize).min(range.end);
            }
            at = (word + 1) * 64;
        }
        range.end
    }

    pub(super) fn count(&self, range: Range<usize>) -> usize {
        masks(range).map(|(word, mask)| (self.0[word].load(Ordering::Relaxed) & mask).count_ones() as usize).sum()
    }

    /// How many of the range are set here and not there.
    pub(super) fn count_without(&self, there: &Self, range: Range<usize>) -> usize {
        let seen = |word: usize| self.0[word].load(Ordering::Relaxed) & !there.0[word].load(Ordering::Relaxed);
        masks(range).map(|(word, mask)| (seen(word) & mask).count_ones() as usize).sum()
    }

    pub(super) fn set(&self, range: Range<usize>, set: bool) {
        for (word, mask) in masks(range) {
            self.change(word, |seen| if set { seen | mask } else { seen & !mask });
        }
    }

    /// Sets those of the range that are set there.
    pub(super) fn set_where(&self, there: &Self, range: Range<usize>) {
        for (word, mask) in masks(range) {
            let more = there.0[word].load(Ordering::Relaxed) & mask;
            self.change(word, |seen| seen | more);
        }
    }

    fn change(&self, word: usize, change: impl Fn(u64) -> u64) {
        let seen = self.0[word].load(Ordering::Relaxed);
        let new = change(seen);
        if new != seen {
            self.0[word].store(new, Ordering::Release);
        }
    }

    /// All 0 again, and the memory given back.
    pub(super) fn clear_all(&self) {
        // SAFETY: from `new`, and private: it reads as 0 from now on.
        if !unsafe { drop_contents(self.0.as_ptr().addr(), size_of_val(self.0)) } {
            self.0.iter().enumerate().for_each(|(word, _)| self.change(word, |_| 0));
        }
    }
}

/// The words that hold the bits of a range, with those of them that are meant.
fn masks(range: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let words = if range.is_empty() { 0..0 } else { range.start / 64..range.end.div_ceil(64) };
    words.map(move |word| {
        let from = range.start.saturating_sub(word * 64);
        let to = (range.end - word * 64).min(64);
        (word, u64::MAX << from & u64::MAX >> (64 - to))
    })
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[track_caller]
    fn check(set: &[(usize, usize)], at: usize, expected_end: usize) {
        let bits = Bits::new(1 << 20).unwrap();
        set.iter().for_each(|&(start, end)| bits.set(start..end, true));
        assert_eq!(bits.end_of_run(at..1 << 20, true), expected_end);
        let is_set = |page: &usize| set.iter().any(|&(start, end)| (start..end).contains(page));
        assert_eq!(bits.count(0..1 << 20), (0..1 << 20).filter(is_set).count());
    }

    #[test]
    fn runs() {
        check(&[], 5, 5);
        check(&[(3, 7)], 3, 7);
        check(&[(3, 7), (7, 64), (64, 65)], 5, 65);
        check(&[(0, 128)], 0, 128);
        check(&[(0, 1 << 20)], 77, 1 << 20);
        check(&[(1, 300_000)], 1, 300_000);
        check(&[(0, 4096), (4096, 8192), (8200, 9000)], 100, 8192);
    }

    #[test]
    fn of_one_and_not_of_the_other() {
        let (own, counts) = (Bits::new(1 << 12).unwrap(), Bits::new(1 << 12).unwrap());
        own.set(10..200, true);
        counts.set(150..400, true);
        assert_eq!(own.count_without(&counts, 0..1 << 12), 140);
        assert_eq!(own.count_without(&counts, 100..110), 10);
        assert_eq!(own.count_without(&counts, 300..310), 0);
    }

    /// Also where the memory is locked.
    #[test]
    fn cleared() {
        let bits = Bits::new(1 << 20).unwrap();
        bits.set(5..300_000, true);
        // SAFETY: locks memory of our own.
        assert_eq!(unsafe { libc::mlock(bits.0.as_ptr().cast(), 4096) }, 0);
        bits.clear_all();
        assert_eq!(bits.count(0..1 << 20), 0);
    }

    #[test]
    fn gaps() {
        let bits = Bits::new(1 << 20).unwrap();
        bits.set(0..300_000, true);
        bits.set(100..200, false);
        assert_eq!(bits.end_of_run(0..1 << 20, true), 100);
        assert_eq!(bits.end_of_run(100..1 << 20, false), 200);
        assert_eq!(bits.end_of_run(120..150, false), 150);
        assert_eq!(bits.end_of_run(200..1 << 20, true), 300_000);
        bits.clear_all();
        assert_eq!(bits.count(0..1 << 20), 0);
        assert_eq!(bits.end_of_run(0..1 << 20, false), 1 << 20);
    }
}
