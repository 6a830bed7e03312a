//! Both kinds of heap in ordinary memory, without a domain.

use super::{Damage, Heap};
use crate::domain::HeapKind;
use std::alloc::{Layout, alloc, dealloc};
use std::ptr;

/// Memory with a heap in it, all of it open.
struct Laid {
    heap: *mut Heap,
    layout: Layout,
}

impl Laid {
    fn new(kind: HeapKind, len: usize) -> Self {
        let layout = Layout::from_size_align(len, 4096).expect("a layout");
        // SAFETY: fresh memory of that length and alignment, used by the heap alone.
        let heap = unsafe {
            let at = alloc(layout);
            assert!(!at.is_null());
            Heap::create(at, len, len, kind, 0..0);
            at.cast::<Heap>()
        };
        Self { heap, layout }
    }

    #[allow(clippy::mut_from_ref, reason = "one thread, and each use ends with its statement")]
    fn heap(&self) -> &mut Heap {
        // SAFETY: laid in `new`.
        unsafe { &mut *self.heap }
    }

    fn block(&self, size: usize) -> *mut u8 {
        let block = self.heap().allocate(size, 1).expect("a whole heap");
        assert!(!block.is_null());
        block
    }

    fn free(&self, block: *mut u8) -> Result<(), Damage> {
        // SAFETY: the tests of fast heaps free what they got.
        unsafe { self.heap().deallocate(block) }
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        // SAFETY: as it was allocated.
        unsafe { dealloc(self.heap.cast(), self.layout) }
    }
}

/// A small generator (Marsaglia's xorshift), for the same run every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// Ten thousand steps of a well-behaved user, whose blocks keep what it wrote.
fn behave(kind: HeapKind, seed: u64) {
    let laid = Laid::new(kind, 8 << 20);
    let mut random = Random(seed);
    let mut blocks: Vec<(*mut u8, usize, u8)> = Vec::new();
    let is_kept = |&(block, size, fill): &(*mut u8, usize, u8)| {
        // SAFETY: a live block of that size.
        unsafe { std::slice::from_raw_parts(block, size) }.iter().all(|&byte| byte == fill)
    };
    for step in 0..10_000u32 {
        let most = 1 << random.below(17);
        let size = random.below(most);
        let fill = step as u8;
        match random.below(4) {
            0 | 1 if blocks.len() < 200 => {
                let align = 1 << random.below(13);
                let block = laid.heap().allocate(size, align).expect("whole");
                if !block.is_null() {
                    assert!(block.addr().is_multiple_of(align.max(16)));
                    // SAFETY: a block of that size.
                    unsafe {
                        assert_eq!(laid.heap().usable_size(block), size);
                        block.write_bytes(fill, size);
                    }
                    blocks.push((block, size, fill));
                }
            }
            2 if !blocks.is_empty() => {
                let at = random.below(blocks.len());
                let (block, old, before) = blocks[at];
                // SAFETY: a live block.
                let moved = unsafe { laid.heap().reallocate(block, size) }.expect("whole");
                if !moved.is_null() {
                    assert!(is_kept(&(moved, old.min(size), before)), "{kind:?} {seed} {step}: realloc kept it");
                    // SAFETY: a block of that size.
                    unsafe { moved.write_bytes(fill, size) };
                    blocks[at] = (moved, size, fill);
                }
            }
            _ if !blocks.is_empty() => {
                let block = blocks.swap_remove(random.below(blocks.len()));
                assert!(is_kept(&block), "{kind:?} {seed} {step}");
                laid.free(block.0).expect("whole");
            }
            _ => {}
        }
        if step % 7 == 0 {
            laid.heap().check().expect("whole");
        }
    }
    assert!(blocks.iter().all(is_kept));
}

#[test]
fn well_behaved_users_notice_nothing() {
    for seed in 1..5 {
        behave(HeapKind::Fast, seed);
        behave(HeapKind::Hardened, seed);
    }
}

/// All of the memory can be had again, however much is held back.
#[test]
fn what_is_held_back_is_given_out_when_nothing_else_is_left() {
    let laid = Laid::new(HeapKind::Hardened, 1 << 20);
    for _ in 0..100 {
        let block = laid.block(100_000);
        laid.free(block).expect("whole");
        let all: Vec<_> = (0..8).map(|_| laid.block(100_000)).collect();
        all.into_iter().for_each(|block| laid.free(block).expect("whole"));
    }
    assert_eq!(laid.heap().allocate(2 << 20, 1), Ok(ptr::null_mut()));
    assert_eq!(laid.heap().allocate(usize::MAX - 8, 1), Ok(ptr::null_mut()));
}

/// What `misuse` does to the second of three blocks of `size` bytes; and what comes of it.
#[track_caller]
fn check(size: usize, misuse: fn(&Laid, *mut u8, usize) -> Result<(), Damage>, expected: fn(usize, usize) -> Damage) {
    for kept in [0, 30, 3000] {
        let laid = Laid::new(HeapKind::Hardened, 4 << 20);
        let _around: Vec<_> = (0..kept).map(|n| laid.block(n % 90)).collect();
        let [_before, block, _behind] = [(); 3].map(|()| laid.block(size));
        let damage = misuse(&laid, block, size).expect_err("noticed");
        assert_eq!(damage, expected(block.addr(), size), "with {kept} other blocks");
    }
}

/// Writes one byte at `offset` from `block`.
fn poke(block: *mut u8, offset: isize, value: u8) {
    // SAFETY: none; that is the misuse. It stays in the memory of the test's heap.
    unsafe { block.offset(offset).write(value) };
}

/// Changes the byte at `offset` from `block`, whatever it is.
fn flip(block: *mut u8, offset: isize) {
    // SAFETY: as in `poke`.
    unsafe { block.offset(offset).write(!block.offset(offset).read()) };
}

#[test]
fn overruns() {
    for size in [0usize, 1, 7, 8, 15, 16, 17, 100, 11_824] {
        // One NUL too many, noticed when it is freed, and at the end of the call.
        check(
            size,
            |laid, block, size| {
                poke(block, size as isize, 0);
                laid.free(block)
            },
            |block, size| Damage::Overrun { block, size, at: block + size },
        );
        check(
            size,
            |laid, block, size| {
                poke(block, size as isize, 0);
                laid.heap().check()
            },
            |block, size| Damage::Overrun { block, size, at: block + size },
        );
        // What skips a few bytes.
        check(
            size,
            |laid, block, size| {
                flip(block, size as isize + 15);
                laid.free(block)
            },
            |block, size| Damage::Overrun { block, size, at: block + size + 15 },
        );
        check(
            size,
            |laid, block, _| {
                flip(block, -1);
                laid.free(block)
            },
            |block, size| Damage::Overrun { block, size, at: block - 8 },
        );
    }
}

/// So far that the headers of the next blocks are gone, links and all.
#[test]
fn long_overruns() {
    for (noticed, at_free) in [("when freed", true), ("at the end", false)] {
        for len in [17, 30, 64, 100, 200, 300] {
            let laid = Laid::new(HeapKind::Hardened, 1 << 20);
            let blocks: Vec<_> = (0..40).map(|_| laid.block(40)).collect();
            let block = blocks[20];
            // SAFETY: none; that is the misuse. It stays in the memory of the test's heap.
            unsafe { block.add(40).write_bytes(!block.add(40).read(), len) };
            let found = if at_free { laid.free(block) } else { laid.heap().check() };
            let expected = Damage::Overrun { block: block.addr(), size: 40, at: block.addr() + 40 };
            assert_eq!(found, Err(expected), "{len} bytes, noticed {noticed}");
        }
    }
}

#[test]
fn writes_after_free() {
    for size in [1usize, 24, 4000] {
        check(
            size,
            |laid, block, _| {
                laid.free(block)?;
                poke(block, 0, 7);
                laid.heap().check()
            },
            |block, size| Damage::WrittenAfterFree { block, size, at: block },
        );
        check(
            size,
            |laid, block, size| {
                laid.free(block)?;
                poke(block, size as isize - 1, 7);
                // Until it would be used again.
                (0..20_000).try_for_each(|_| {
                    let other = laid.block(300);
                    laid.free(other)
                })
            },
            |block, size| Damage::WrittenAfterFree { block, size, at: block + size - 1 },
        );
    }
}

/// By a later call than the one that had the block.
#[test]
fn noticed_later() {
    check(
        40,
        |laid, block, _| {
            laid.free(block)?;
            laid.heap().check()?;
            poke(block, 0, 7);
            (0..100).try_for_each(|_| laid.heap().check())
        },
        |block, size| Damage::WrittenAfterFree { block, size, at: block },
    );
    check(
        40,
        |laid, block, size| {
            laid.heap().check()?;
            flip(block, size as isize);
            (0..100).try_for_each(|_| laid.heap().check())
        },
        |block, size| Damage::Overrun { block, size, at: block + size },
    );
}

#[test]
fn freed_twice_or_never_given_out() {
    check(
        50,
        |laid, block, _| {
            laid.free(block)?;
            laid.free(block)
        },
        |block, size| Damage::FreedTwice { block, size },
    );
    check(50, |laid, block, _| laid.free(block.wrapping_add(16)), |block, _| Damage::Foreign { block: block + 16 });
    check(50, |laid, block, _| laid.free(block.wrapping_add(3)), |block, _| Damage::Foreign { block: block + 3 });
    check(50, |laid, _, _| laid.free(ptr::without_provenance_mut(64)), |_, _| Damage::Foreign { block: 64 });
    // Freed so long ago that its memory is somebody else's.
    check(
        50,
        |laid, block, _| {
            laid.free(block)?;
            (0..20_000).try_for_each(|_| {
                let other = laid.block(300);
                laid.free(other)
            })?;
            laid.free(block)
        },
        |block, _| Damage::Foreign { block },
    );
}

/// `realloc` looks, too, and what it has left behind is a freed block.
#[test]
fn reallocation() {
    check(
        50,
        |laid, block, size| {
            flip(block, size as isize);
            // SAFETY: of a hardened heap.
            unsafe { laid.heap().reallocate(block, 1000) }.map(drop)
        },
        |block, size| Damage::Overrun { block, size, at: block + size },
    );
    check(
        50,
        |laid, block, _| {
            // SAFETY: as above.
            let moved = unsafe { laid.heap().reallocate(block, 100_000) }?;
            assert_ne!(moved, block);
            laid.free(block)
        },
        |block, size| Damage::FreedTwice { block, size },
    );
}
