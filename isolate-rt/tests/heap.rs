//! What a hardened heap notices inside a domain, beside a fast one, which contains the same and notices nothing.

mod support;

use isolate_rt::{Domain, DomainVec, Fault, FaultKind, HeapKind, Hint};
use std::ptr;
use support::isolation;

static FAST: Domain = Domain::new("fast");
static HARDENED: Domain = Domain::new("hardened").heap(HeapKind::Hardened);

const LARGE: usize = 300_000;

/// Runs `misuse` in both; then both must work as if nothing had been.
#[track_caller]
fn check(misuse: fn(), fast: fn(&Result<(), Fault>) -> bool, hardened: fn(&FaultKind) -> bool) {
    if !isolation() {
        return;
    }
    let with_fast = run(&FAST, misuse);
    assert!(fast(&with_fast), "fast: {with_fast:?}");
    let with_hardened = run(&HARDENED, misuse).expect_err("noticed");
    assert!(hardened(with_hardened.kind()), "hardened: {with_hardened}");
    works(&FAST);
    works(&HARDENED);
}

/// Again when a test beside this one ended the instance.
fn run<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, Fault> {
    loop {
        // SAFETY: whatever `f` does is what the domain is for; it returns a number or nothing.
        match unsafe { domain.call("misuse").expect("a domain can be made").run(f) } {
            Err(fault) if fault.kind() == &FaultKind::DomainLost => {}
            result => return result,
        }
    }
}

#[track_caller]
fn works(domain: &'static Domain) {
    let sum = run(domain, || {
        // Of every size, also such that get rooms of their own.
        (0..20u32)
            .map(|power| {
                let size = 1usize << power;
                let block = malloc(size);
                // SAFETY: a block of that size.
                unsafe {
                    block.write_bytes(1, size);
                    let sum: usize = (0..size).step_by(997).map(|at| block.add(at).read_volatile() as usize).sum();
                    free(block);
                    sum
                }
            })
            .sum::<usize>()
    });
    assert_eq!(sum.expect("the next call works"), (0..20).map(|power| (1usize << power).div_ceil(997)).sum());
}

fn malloc(size: usize) -> *mut u8 {
    // What the compiler knows of `malloc` must not change the tests.
    // SAFETY: allocates.
    std::hint::black_box(unsafe { libc::malloc(size) }.cast())
}

fn free(block: *mut u8) {
    // SAFETY: none, where the tests misuse it.
    unsafe { libc::free(std::hint::black_box(block).cast()) }
}

fn poke(block: *mut u8, offset: isize) {
    // SAFETY: none; that is the misuse.
    unsafe { block.wrapping_offset(offset).write_volatile(0) }
}

fn unnoticed(result: &Result<(), Fault>) -> bool {
    result.is_ok()
}

fn anything(_: &Result<(), Fault>) -> bool {
    true
}

#[test]
fn one_byte_too_many_noticed_when_freed() {
    check(
        || {
            let block = malloc(100);
            poke(block, 100);
            free(block);
        },
        unnoticed,
        |kind| matches!(kind, FaultKind::HeapOverflow { block, size: 100, at } if *at == block + 100),
    );
}

#[test]
fn one_byte_too_many_noticed_at_the_end_of_the_call() {
    check(|| poke(malloc(100), 100), unnoticed, |kind| matches!(kind, FaultKind::HeapOverflow { size: 100, .. }));
}

/// libwebp's of CVE-2023-4863.
#[test]
fn sixteen_bytes_behind_a_table() {
    check(
        || {
            let table = malloc(11_824);
            (0..4).for_each(|n| poke(table, 11_840 + n));
            free(table);
        },
        unnoticed,
        |kind| matches!(kind, FaultKind::HeapOverflow { block, size: 11_824, at } if *at == block + 11_840),
    );
}

#[test]
fn byte_before_a_block() {
    check(
        || {
            let block = malloc(100);
            poke(block, -3);
            free(block);
        },
        anything,
        |kind| matches!(kind, FaultKind::HeapOverflow { at, block, .. } if at < block),
    );
}

#[test]
fn write_after_free() {
    check(
        || {
            let block = malloc(100);
            free(block);
            poke(block, 40);
        },
        unnoticed,
        |kind| matches!(kind, FaultKind::WriteAfterFree { block, size: 100, at } if *at == block + 40),
    );
}

#[test]
fn freed_twice() {
    check(
        || {
            let block = malloc(100);
            free(block);
            free(block);
        },
        anything,
        |kind| matches!(kind, FaultKind::DoubleFree { size: 100, .. }),
    );
}

#[test]
fn pointer_into_a_block_freed() {
    check(|| free(malloc(100).wrapping_add(32)), anything, |kind| matches!(kind, FaultKind::ForeignFree { .. }));
}

/// Where nothing is, behind one large block and before the next.
#[test]
fn pointer_between_large_blocks_freed() {
    check(
        || {
            let blocks = [malloc(LARGE), malloc(LARGE)];
            free(blocks[0].wrapping_add(LARGE + (4 << 10)));
            // SAFETY: not reached on any heap.
            unsafe { libc::_exit(3) }
        },
        |result| result.is_err(),
        |kind| matches!(kind, FaultKind::ForeignFree { .. }),
    );
}

/// The instruction itself ends the call.
#[test]
fn large_block_overrun() {
    check(
        || {
            let block = malloc(LARGE);
            // 15 bytes at most are behind it before nothing is.
            poke(block, LARGE as isize + 16);
            // SAFETY: not reached on a hardened heap.
            unsafe { libc::_exit(3) }
        },
        |result| matches!(result.as_ref().map_err(Fault::kind), Err(FaultKind::Exit { status: 3 })),
        |kind| matches!(kind, FaultKind::HeapOverflow { block, size: LARGE, at } if *at == block + LARGE + 16),
    );
}

#[test]
fn large_block_read_past_its_end() {
    check(
        || {
            let block = malloc(LARGE);
            let sum: u32 = (0..LARGE + 4096)
                .map(|at| {
                    // SAFETY: none; that is the misuse.
                    u32::from(unsafe { block.wrapping_add(at).read_volatile() })
                })
                .fold(0, u32::wrapping_add);
            std::hint::black_box(sum);
            free(block);
        },
        unnoticed,
        |kind| matches!(kind, FaultKind::HeapOverflow { size: LARGE, .. }),
    );
}

#[test]
fn large_block_written_after_free() {
    check(
        || {
            let block = malloc(LARGE);
            free(block);
            poke(block, 1000);
        },
        unnoticed,
        |kind| matches!(kind, FaultKind::WriteAfterFree { block, size: LARGE, at } if *at == block + 1000),
    );
}

#[test]
fn large_block_freed_twice() {
    check(
        || {
            let block = malloc(LARGE);
            free(block);
            free(block);
        },
        anything,
        |kind| matches!(kind, FaultKind::DoubleFree { size: LARGE, .. }),
    );
}

#[test]
fn large_block_overrun_by_one() {
    check(
        || {
            let block = malloc(LARGE + 1);
            poke(block, LARGE as isize + 1);
            free(block);
        },
        unnoticed,
        |kind| matches!(kind, FaultKind::HeapOverflow { .. }),
    );
}

/// Large and small blocks together stay below the limit, and freeing makes room.
#[test]
fn limit() {
    static SMALL: Domain = Domain::new("small").heap(HeapKind::Hardened).heap_limit(4 << 20);
    if !isolation() {
        return;
    }
    let most = || {
        let blocks: [*mut u8; 32] = std::array::from_fn(|_| malloc(200_000));
        let got = blocks.iter().filter(|block| !block.is_null()).count();
        blocks.into_iter().for_each(free);
        got
    };
    for _ in 0..50 {
        let got = run(&SMALL, most).unwrap();
        assert!((15..=20).contains(&got), "{got} times 200,000 of 4 MiB");
    }
}

/// Reallocation from small to large and back keeps what is there.
#[test]
fn reallocation() {
    if !isolation() {
        return;
    }
    for domain in [&FAST, &HARDENED] {
        let kept = run(domain, || {
            let mut block = malloc(1);
            // SAFETY: a block of one byte.
            unsafe { block.write(0x5a) };
            for size in [100, LARGE, LARGE * 3, LARGE, 50, 4000, 1] {
                // SAFETY: a live block, which afterwards has that many bytes.
                unsafe {
                    block = libc::realloc(block.cast(), size).cast();
                    block.add(size - 1).write(0x5a);
                    if block.read() != 0x5a {
                        return false;
                    }
                }
            }
            free(block);
            true
        });
        assert_eq!(kept, Ok(true));
    }
}

/// Four threads inside, large and small blocks, for a while: nothing is noticed.
#[test]
fn threads() {
    static SHARED: Domain = Domain::new("shared").heap(HeapKind::Hardened);
    if !isolation() {
        return;
    }
    std::thread::scope(|scope| {
        for thread in 0..4usize {
            scope.spawn(move || {
                for round in 0..60usize {
                    let size = 1 << (4 + (round + thread) % 15);
                    let fill = (round * 4 + thread) as u8;
                    // SAFETY: blocks used as they were asked for.
                    let kept = unsafe {
                        SHARED.call("fill").unwrap().run(move || {
                            let block = malloc(size);
                            block.write_bytes(fill, size);
                            std::thread::yield_now();
                            let kept = (0..size).all(|at| block.add(at).read() == fill);
                            free(block);
                            kept
                        })
                    };
                    assert_eq!(kept, Ok(true));
                }
            });
        }
    });
}

/// The allocator's data is the domain's to ruin. Whatever is in there, the program is not impressed: calls fail or work, and
/// after a fault all is as new.
#[test]
fn ruined() {
    static RUINED: Domain = Domain::new("ruined").heap(HeapKind::Hardened).deadline(std::time::Duration::from_secs(2));
    if !isolation() {
        return;
    }
    for fill in [0x00u8, 0x41, 0xdf, 0xff] {
        for from in [0usize, 64, 256, 4096] {
            // On a busy machine what means no harm may be late, too: then it is tried again, on a heap that is new.
            let in_time = |attempt: &dyn Fn() -> Result<DomainVec<u8>, Fault>| loop {
                match attempt() {
                    Err(fault) if fault.kind() == &FaultKind::Timeout => {}
                    made => break made.unwrap(),
                }
            };
            let vec = in_time(&|| {
                let mut vec = RUINED.vec::<u8>(LARGE)?;
                vec.copy_from(0, &[7; 100]).map(|()| vec)
            });
            // SAFETY: none; that is the attack: on the first 64 KiB of the heap, where the allocator's own data is.
            let _ = unsafe {
                RUINED.call("ruin").unwrap().run(|| {
                    let start = malloc(16).map_addr(|address| (address & !0xffff) + from);
                    ptr::write_bytes(start, fill, 0xffff - from);
                })
            };
            // What is in the program's hands is refused or still there; what it frees and asks for, too.
            let _ = vec.get(5);
            drop(vec);
            let _ = RUINED.vec::<u8>(LARGE).and_then(|mut again| again.set(LARGE - 1, 1));
            // SAFETY: ends the call, and with it what was ruined.
            let _: Result<(), _> = unsafe { RUINED.call("end").unwrap().run(|| libc::abort()) };
            let whole = in_time(&|| {
                let mut vec = RUINED.vec::<u8>(3 * LARGE)?;
                vec.set(LARGE, 9).map(|()| vec)
            });
            assert!(matches!(whole.get(LARGE), Ok(9)), "after {fill:#x} from {from}");
        }
    }
}

/// A room in the program's hands is closed by another thread of the domain: the program reads old data or is refused, and
/// lives.
#[test]
fn room_closed_while_the_program_reads_it() {
    static RACED: Domain = Domain::new("raced").heap(HeapKind::Hardened);
    if !isolation() {
        return;
    }
    let vec = RACED.vec::<u8>(LARGE).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                // Frees whatever large block there is, though it is not its own.
                let block = run(&RACED, || malloc(LARGE)).unwrap();
                let _ = run(&RACED, move || free(block));
                let _ = run(&RACED, move || free(block.map_addr(|address| address - (384 << 10))));
            }
        });
        let mut bytes = vec![0; LARGE];
        for _ in 0..50 {
            let _ = vec.copy_to(0, &mut bytes);
        }
    });
    // SAFETY: ends the call.
    let _: Result<(), _> = unsafe { RACED.call("end").unwrap().run(|| libc::abort()) };
    works(&RACED);
}

/// What a library does with NULL is a fault like others; that there was no room is told with it.
#[test]
fn the_limit_is_told() {
    static SMALL: Domain = Domain::new("small").heap_limit(1 << 20);
    if !isolation() {
        return;
    }
    let fault = run(&SMALL, || poke(malloc(5 << 20), 16)).unwrap_err();
    assert_eq!(fault.hint(), Some(Hint::HeapLimit { requested: 5 << 20, limit: 1 << 20 }));
    let said = fault.to_string();
    for part in ["write to 0x10", "no room for 5242880 bytes", "the limit is 1048576 bytes", "`heap.limit`"] {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
    // What follows from it without an access.
    let give_up = || {
        if malloc(5 << 20).is_null() {
            // SAFETY: ends the call.
            unsafe { libc::abort() }
        }
    };
    let fault = run(&SMALL, give_up).unwrap_err();
    assert!(matches!(fault.hint(), Some(Hint::HeapLimit { .. })), "{fault}");
    // Not of a fault that has nothing to do with it, nor of the next instance, nor of a later call.
    assert_eq!(run(&SMALL, || poke(ptr::null_mut(), 16)).unwrap_err().hint(), None);
    let wild =
        || poke(if malloc(5 << 20).is_null() { ptr::without_provenance_mut(0x1234_5678_0000) } else { malloc(1) }, 0);
    assert_eq!(run(&SMALL, wild).unwrap_err().hint(), None);
    assert!(run(&SMALL, || malloc(5 << 20).is_null()).unwrap());
    assert_eq!(run(&SMALL, || poke(ptr::null_mut(), 16)).unwrap_err().hint(), None);
    assert!(run(&SMALL, || malloc(5 << 20).is_null()).unwrap());
    // SAFETY: ends the call.
    assert_eq!(run(&SMALL, || unsafe { libc::abort() }).unwrap_err().hint(), None);
}

/// A fast heap looks at what lies right before a block that is freed: enough to name most blocks that are freed twice.
#[test]
fn freed_twice_on_a_fast_heap() {
    if !isolation() {
        return;
    }
    #[track_caller]
    fn check(misuse: fn()) {
        let fault = run(&FAST, misuse).expect_err("noticed");
        match fault.kind() {
            FaultKind::DoubleFree { .. } => {}
            FaultKind::ForeignFree { .. } => {
                assert_eq!(fault.hint(), Some(Hint::HeapDamaged), "{fault}");
                assert!(fault.to_string().contains("freed twice"), "{fault}");
            }
            _ => panic!("{fault}"),
        }
        works(&FAST);
    }
    check(|| {
        let block = malloc(100);
        free(block);
        free(block);
    });
    // With neighbours that live, that were freed before, and that are freed between.
    check(|| {
        let [a, b, c, d] = [48, 48, 48, 48].map(malloc);
        free(a);
        free(b);
        free(d);
        free(c);
        free(b);
    });
    check(|| {
        let blocks: [*mut u8; 64] = std::array::from_fn(|size| malloc(16 * size));
        blocks.iter().skip(1).step_by(2).for_each(|&block| free(block));
        free(blocks[33]);
    });
    // By way of `realloc`.
    check(|| {
        let block = malloc(100);
        free(block);
        // SAFETY: none; that is the misuse.
        unsafe { std::hint::black_box(libc::realloc(block.cast(), 200)) };
    });
    // What was overrun until the allocator stumbles.
    let fault = run(&FAST, || {
        let blocks: [*mut u8; 8] = std::array::from_fn(|_| malloc(40));
        free(blocks[1]);
        for at in 40..160 {
            poke(blocks[0], at);
        }
        blocks.iter().enumerate().filter(|(at, _)| *at != 1).for_each(|(_, &block)| free(block));
    });
    assert_eq!(fault.as_ref().err().and_then(Fault::hint), Some(Hint::HeapDamaged), "{fault:?}");
    works(&FAST);
}

/// Blocks that are freed while another thread forks do not count any more: there is as much room afterwards.
#[test]
fn rooms_are_given_back_beside_forks() {
    static BOOKS: Domain = Domain::new("books").heap(HeapKind::Hardened).heap_limit(4 << 20);
    if !isolation() {
        return;
    }
    let round = || {
        // SAFETY: blocks of the domain, given back.
        unsafe {
            let block = libc::malloc(256 << 10);
            libc::free(block);
            !block.is_null()
        }
    };
    // SAFETY: as above.
    let call = || unsafe { BOOKS.call("round").unwrap().run(move || (0..50).all(|_| round())) };
    assert_eq!(call(), Ok(true));
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..60 {
                // SAFETY: the child ends, and is waited for.
                unsafe {
                    match libc::fork() {
                        0 => libc::_exit(0),
                        child => assert_eq!(libc::waitpid(child, ptr::null_mut(), 0), child),
                    }
                }
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            assert_eq!(call(), Ok(true));
        }
    });
    // All of the heap but what small blocks have of it.
    // SAFETY: as above.
    let large = unsafe { BOOKS.call("large").unwrap().run(|| !libc::malloc(3 << 20).is_null()) };
    assert_eq!(large, Ok(true));
}

/// As glibc has it, and as C code uses it: a block of no bytes is none.
#[test]
fn resized_to_nothing() {
    static SMALL: Domain = Domain::new("small").heap_limit(1 << 20);
    if !isolation() {
        return;
    }
    let mut call = SMALL.call("realloc").unwrap();
    // SAFETY: what `malloc` gave is given back.
    let kept = unsafe { call.run(|| (0..100_000).find(|_| !libc::realloc(libc::malloc(16), 0).is_null())) };
    assert_eq!(kept, Ok(None));
    // SAFETY: as above.
    assert!(!unsafe { call.run(|| libc::malloc(100_000)) }.unwrap().is_null());
}
