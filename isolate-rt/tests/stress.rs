//! Rooms of a hardened heap, and the watchdog, while threads allocate, overrun, dawdle, fail, read and fork at once: each call
//! ends in its own way or is told that another one failed, and nothing is left behind.
//!
//! `ISOLATE_ROUNDS` says how many calls each thread makes.

mod support;

use isolate_rt::{Domain, Fault, FaultKind, HeapKind};
use std::arch::asm;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use support::isolation;

/// Long enough for a good call on an emulated machine, mostly.
const DEADLINE: Duration = Duration::from_millis(200);
static BUSY: Domain = Domain::new("busy").heap(HeapKind::Hardened).deadline(DEADLINE).shared_timer();

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// Fills large blocks, and finds what it has written.
    Good,
    /// Leaves them to be read by the program.
    Read,
    Overrun,
    Dawdle,
    Fail,
}

/// How often which end was met.
#[derive(Default)]
struct Ends {
    good: AtomicU32,
    own: AtomicU32,
    lost: AtomicU32,
    late: AtomicU32,
}

fn malloc(size: usize) -> *mut u8 {
    // SAFETY: allocates.
    std::hint::black_box(unsafe { libc::malloc(size) }.cast())
}

/// Runs inside. Gives the first block, if that is left.
fn act(plan: Plan, size: usize, fill: u8) -> Option<*mut u8> {
    let blocks = [size, size / 2 + 7, 3 * size].map(malloc);
    // SAFETY: blocks of these sizes, or NULL where the heap is full; but for what the plan is.
    unsafe {
        if blocks.iter().any(|block| block.is_null()) {
            return None;
        }
        blocks[0].write_bytes(fill, size - 1);
        blocks[0].add(size - 1).write(0);
        blocks[1].write_bytes(fill, size / 2 + 7);
        match plan {
            Plan::Good | Plan::Read => {}
            Plan::Overrun => blocks[1].add(size / 2 + 7).write_volatile(1),
            Plan::Dawdle => loop {
                std::hint::spin_loop();
            },
            Plan::Fail => asm!("ud2"),
        }
        let is_own = |block: *mut u8, len: usize| (0..len).step_by(509).all(|at| block.add(at).read_volatile() == fill);
        assert!(is_own(blocks[0], size - 1) && is_own(blocks[1], size / 2 + 7), "somebody else's bytes");
        let kept = usize::from(plan == Plan::Read);
        blocks.iter().skip(kept).for_each(|block| libc::free(block.cast()));
    }
    (plan == Plan::Read).then_some(blocks[0])
}

/// One call. `Ok` says whether the program has read what the domain wrote.
fn call(plan: Plan, size: usize, fill: u8) -> Result<bool, Fault> {
    let mut call = BUSY.call("act")?;
    // SAFETY: gives an address, or none.
    match unsafe { call.run(|| act(plan, size, fill)) }? {
        None => Ok(false),
        Some(text) => {
            // SAFETY: with isolation nothing is owed.
            let text = unsafe { call.string(text.cast()) }?.expect("it is not NULL");
            // Until a fault elsewhere takes the heap, it is what was written.
            Ok(text.as_bytes().len() == size - 1 && text.as_bytes().iter().all(|&byte| byte == fill))
        }
    }
}

fn rounds() -> u32 {
    std::env::var("ISOLATE_ROUNDS").map_or(10, |rounds| rounds.parse().unwrap())
}

fn work(thread: u32, ends: &Ends) {
    let mut random = thread * 7919 + 1;
    for round in 0..rounds() {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let plan = match random >> 27 {
            0..3 => Plan::Fail,
            3..5 => Plan::Overrun,
            5 if round % 4 == 0 => Plan::Dawdle,
            6..14 => Plan::Read,
            _ => Plan::Good,
        };
        // Few sizes, so that rooms are used again; some are small blocks.
        let size = 64_000 + 50_000 * (random >> 8 & 7) as usize;
        let end = match (call(plan, size, b'a' + thread as u8), plan) {
            (Ok(_), Plan::Good | Plan::Read) => &ends.good,
            (Ok(_), _) => panic!("{plan:?} came back"),
            (Err(fault), _) => match (fault.kind(), plan) {
                (FaultKind::DomainLost, _) => &ends.lost,
                // Of a slow machine, also what means no harm.
                (FaultKind::Timeout, _) => &ends.late,
                (FaultKind::IllegalInstruction, Plan::Fail) => &ends.own,
                (FaultKind::HeapOverflow { size: told, .. }, Plan::Overrun) if *told == size / 2 + 7 => &ends.own,
                // Found by the look at the end of a call: everybody's new blocks are looked at.
                (FaultKind::HeapOverflow { size: told, .. }, _) if told % 25_000 == 32_007 % 25_000 => &ends.lost,
                // The fault of another took what was to be read.
                (FaultKind::InvalidValue { .. }, Plan::Read) => &ends.lost,
                _ => panic!("{plan:?} of {size} bytes: {fault:#}"),
            },
        };
        end.fetch_add(1, Ordering::Relaxed);
    }
}

/// Children of a fork in the middle of it all make calls of their own.
fn fork_now_and_then() {
    for _ in 0..rounds().div_ceil(5) {
        std::thread::sleep(Duration::from_millis(5));
        fork_and_wait(|| {
            let good = (0..20).any(|_| call(Plan::Good, 200_000, b'x').is_ok());
            good && call(Plan::Dawdle, 200_000, b'x').is_err_and(|fault| fault.kind() == &FaultKind::Timeout)
        });
    }
}

/// Whether `f` holds in a child, which is given a minute.
#[track_caller]
fn fork_and_wait(f: impl FnOnce() -> bool) {
    // SAFETY: the child makes calls and ends; it is waited for.
    let status = unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::alarm(60);
            libc::_exit(i32::from(!f()));
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        status
    };
    assert_eq!(status, 0, "what the child did");
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

#[test]
fn rooms_and_the_watchdog_under_stress() {
    if !isolation() {
        return;
    }
    let ends = Ends::default();
    let mut mapped = Vec::new();
    for _ in 0..3 {
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let ends = &ends;
                scope.spawn(move || work(thread, ends));
            }
            scope.spawn(fork_now_and_then);
        });
        // Everything is closed after a fault, and the next call has the whole heap.
        assert!(call(Plan::Fail, 200_000, b'z').is_err());
        mapped.push(mappings());
    }
    assert!((0..5).any(|_| call(Plan::Good, 200_000, b'z').is_ok()));
    let Ends { good, own, lost, late } = &ends;
    let counts = [good, own, lost, late].map(|count| count.load(Ordering::Relaxed));
    println!("good, own faults, lost, late: {counts:?}; mappings: {mapped:?}");
    assert_eq!(counts.iter().sum::<u32>(), 3 * 6 * rounds());
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
    // Rooms stay mapped: no more of them than were ever open at once, of each length.
    assert!(mapped[2] <= mapped[1] + 64, "{mapped:?}");
}

/// A child whose parent was making a domain at that moment can make it itself.
#[test]
fn forks_while_domains_are_made() {
    static MADE: [Domain; 6] = [const { Domain::new("just made") }; 6];
    if !isolation() {
        return;
    }
    // SAFETY: returns a number.
    let make = |domain: &'static Domain| unsafe { domain.call("any").and_then(|mut call| call.run(|| 1)) };
    std::thread::scope(|scope| {
        let making = scope.spawn(move || MADE.iter().all(|domain| make(domain) == Ok(1)));
        while !making.is_finished() {
            fork_and_wait(|| MADE.iter().all(|domain| make(domain) == Ok(1)));
        }
        assert!(making.join().unwrap());
    });
}
