//! What a hardened heap costs beside a fast one: the same work in two domains, in turn. Ratios from one run:
//!
//! ```text
//! cargo bench --package isolate-rt --bench heap
//! ```
//!
//! On a machine without protection keys `benches/without-keys/run heap` times it: the allocator itself needs none.

mod support;

use isolate_rt::{Domain, HeapKind};
use std::hint::black_box;
use support::{SAMPLES, cycles, description, is_measurable};

static FAST: Domain = Domain::new("fast");
static HARDENED: Domain = Domain::new("hardened").heap(HeapKind::Hardened);

fn main() {
    if !is_measurable() {
        return;
    }
    println!("{}; medians of {SAMPLES}, time-stamp cycles\n", description());
    println!("| what, inside one call | fast | hardened | ratio |\n|---|---:|---:|---:|");
    row("nothing", 1, || ());
    row("`malloc` and `free` of 64 bytes", 100, || (0..100).for_each(|_| free(malloc(64))));
    row("… of 1 KiB", 100, || (0..100).for_each(|_| free(malloc(1 << 10))));
    row("… of 32 KiB, one byte a page written", 20, || (0..20).for_each(|_| free(touched(32 << 10))));
    row("… of 256 KiB, one byte a page written", 5, || (0..5).for_each(|_| free(touched(256 << 10))));
    row("16 to 2,000 bytes, 64 at a time, freed in another order", 128, mixed);
    row("`realloc` from 16 bytes to 64 KiB, by doubling", 12, grown);
    // What is looked at when a call ends.
    for blocks in [16, 256, 4096] {
        for domain in [&FAST, &HARDENED] {
            let mut call = domain.call("keep").unwrap();
            // SAFETY: allocates, and keeps.
            unsafe { call.run(move || (0..blocks).for_each(|_| _ = malloc(48))) }.unwrap();
        }
        row(&format!("nothing, with {blocks} more blocks of 48 bytes kept"), 1, || ());
    }
}

/// One figure for each, per one of `count` things that `work` does.
fn row(what: &str, count: u32, work: fn()) {
    let time = |domain: &'static Domain| {
        let once = || {
            let mut call = domain.call("work").unwrap();
            // SAFETY: allocates and frees.
            unsafe { call.run(work) }.unwrap();
        };
        once();
        cycles::<1, _>(once) / f64::from(count)
    };
    let (fast, hardened) = (time(&FAST), time(&HARDENED));
    println!("| {what} | {fast:.0} | {hardened:.0} | {:.2} |", hardened / fast);
}

fn mixed() {
    let mut blocks = [std::ptr::null_mut(); 64];
    for (at, block) in blocks.iter_mut().enumerate() {
        *block = malloc(16 + at * 2654 % 1985);
    }
    for at in 0..64 {
        free(blocks[at * 37 % 64]);
    }
}

fn grown() {
    let mut block = malloc(16);
    for power in 5..17 {
        // SAFETY: a live block.
        block = unsafe { libc::realloc(block.cast(), 1 << power) }.cast();
    }
    free(block);
}

fn touched(size: usize) -> *mut u8 {
    let block = malloc(size);
    for at in (0..size).step_by(4096) {
        // SAFETY: within the block.
        unsafe { block.add(at).write_volatile(1) };
    }
    block
}

fn malloc(size: usize) -> *mut u8 {
    // SAFETY: allocates.
    black_box(unsafe { libc::malloc(size) }.cast())
}

fn free(block: *mut u8) {
    // SAFETY: what `malloc` gave.
    unsafe { libc::free(block.cast()) }
}
