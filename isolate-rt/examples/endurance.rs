//! Faults without end in one process, and what they leave behind: memory, mappings, descriptors, keys, time.
//!
//! ```text
//! cargo run --release --package isolate-rt --example endurance [faults]
//! ```
//!
//! A million where no number is given. Every fault is followed by a good call. A line for every twentieth part.

use isolate_rt::{Domain, FaultKind};
use std::arch::asm;
use std::fs;
use std::time::Instant;

static DOMAIN: Domain = Domain::new("endurance").heap_limit(8 << 20).stack_size(64 << 10);

static VICTIM: [u8; 64] = [1; 64];

const LINES: usize = 20;

fn main() {
    let total = std::env::args().nth(1).map_or(1_000_000, |total| total.parse().expect("a number of faults"));
    println!("| faults | memory KiB | mappings | descriptors | free keys | median ns |");
    println!("|---:|---:|---:|---:|---:|---:|");
    let step = (total / LINES).max(1);
    let mut times = Vec::with_capacity(step);
    // Once round first: what is made when it is first needed is no growth.
    (0..KINDS).for_each(fault);
    report(0, &mut []);
    for done in 1..=total {
        let start = Instant::now();
        fault(done % KINDS);
        times.push(start.elapsed().as_nanos());
        good_call();
        if done % step == 0 {
            report(done, &mut times);
            times.clear();
        }
    }
}

const KINDS: usize = 8;

fn fault(kind: usize) {
    let ended = match kind {
        // SAFETY: ends the call.
        0 => call(|| unsafe { asm!("mov byte ptr [{}], 1", in(reg) VICTIM.as_ptr()) }),
        // SAFETY: ends the call.
        1 => call(|| unsafe { asm!("mov byte ptr [8], 0") }),
        // SAFETY: ends the call.
        2 => call(|| unsafe { asm!("ud2") }),
        // SAFETY: ends the call.
        3 => call(|| unsafe { libc::abort() }),
        // SAFETY: ends the call.
        4 => call(|| unsafe { libc::exit(3) }),
        5 => call(|| {
            recurse(1);
        }),
        // SAFETY: ends the call.
        6 => call(|| unsafe { libc::free(8 as *mut libc::c_void) }),
        // SAFETY: fills 1 MiB of heap, and ends the call.
        _ => call(|| unsafe {
            libc::memset(libc::malloc(1 << 20), 1, 1 << 20);
            asm!("ud2");
        }),
    };
    let kind = ended.expect_err("it ends the call");
    assert!(!matches!(kind.kind(), FaultKind::Unsupported(_)), "{kind}");
}

fn call(f: impl FnOnce() + Copy) -> Result<(), isolate_rt::Fault> {
    // SAFETY: whatever `f` does is what the domain is for.
    unsafe { DOMAIN.call("fault")?.run(f) }
}

#[inline(never)]
fn recurse(depth: usize) -> usize {
    let frame = std::hint::black_box([depth; 64]);
    if frame[3] == 0 { 0 } else { recurse(depth + 1) + frame[7] }
}

fn good_call() {
    // SAFETY: allocates, uses and frees in the domain.
    let sum = unsafe {
        DOMAIN.call("good").unwrap().run(|| {
            let block = libc::malloc(100).cast::<u8>();
            block.write(42);
            let value = block.read();
            libc::free(block.cast());
            value
        })
    };
    assert_eq!(sum, Ok(42), "the call after a fault works");
}

fn report(done: usize, times: &mut [u128]) {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let resident: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    let mappings = fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().count();
    times.sort_unstable();
    let median = times.get(times.len() / 2).map_or_else(String::new, u128::to_string);
    println!("| {done} | {} | {mappings} | {descriptors} | {} | {median} |", resident * 4, free_keys());
}

/// How many keys the kernel still has.
fn free_keys() -> usize {
    // SAFETY: takes keys until there are none, and gives back those that nobody has used.
    unsafe {
        let taken: Vec<_> = std::iter::from_fn(|| {
            let key = libc::syscall(libc::SYS_pkey_alloc, 0, 0);
            (key > 0).then_some(key)
        })
        .collect();
        taken.iter().for_each(|key| _ = libc::syscall(libc::SYS_pkey_free, *key));
        taken.len()
    }
}
