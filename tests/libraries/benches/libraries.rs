//! What isolation costs real libraries. Isolated calls beside direct ones, and beside direct ones with one copy of the output,
//! since a wrapper copies out: medians of runs in turn, as ratios.
//!
//! ```text
//! cargo bench --package isolate-libraries --bench libraries
//! ```
//!
//! Emulated machines (`ISOLATE_EMULATED`) are refused: their times mean nothing.

#[path = "../../../isolate-rt/benches/support/mod.rs"]
mod support;

use isolate_libraries::isolated::{lz4, zlib};
use std::hint::black_box;
use std::time::{Duration, Instant};
use support::{description, is_measurable};

/// Rounds per row; each times all three ways once.
const ROUNDS: usize = 201;
/// What one timing should last at least: small inputs are repeated within it.
const TIMING: Duration = Duration::from_micros(500);

fn main() {
    if !is_measurable() {
        return;
    }
    println!("{}; medians of {ROUNDS}\n", description());
    println!("| what | size | direct | to direct | to direct and a copy |\n|---|---:|---:|---:|---:|");
    for size in [1 << 10, 64 << 10, 1 << 20] {
        let data = text(size);
        zlib_rows(&data);
        lz4_rows(&data);
    }
}

fn zlib_rows(data: &[u8]) {
    // compressBound, by zlib.h: a little more than the input.
    let mut out = vec![0; data.len() + data.len() / 1000 + 64];
    let packed = {
        let len = zlib::compress2(&mut out, data, 6).unwrap();
        out[..len].to_vec()
    };
    row(
        "zlib compress2, level 6",
        data.len(),
        out.len(),
        |out| {
            let mut len = out.len() as _;
            // SAFETY: both buffers cover their lengths.
            unsafe { libz_sys::compress2(out.as_mut_ptr(), &mut len, data.as_ptr(), data.len() as _, 6) };
            len as usize
        },
        |out| zlib::compress2(out, data, 6).unwrap(),
    );
    row(
        "zlib uncompress",
        data.len(),
        data.len(),
        |out| {
            let mut len = out.len() as _;
            // SAFETY: both buffers cover their lengths.
            unsafe { libz_sys::uncompress(out.as_mut_ptr(), &mut len, packed.as_ptr(), packed.len() as _) };
            len as usize
        },
        |out| zlib::uncompress(out, &packed).unwrap(),
    );
    row(
        "zlib crc32",
        data.len(),
        0,
        // SAFETY: reads `data`.
        |_| unsafe { libz_sys::crc32(0, data.as_ptr(), data.len() as _) } as usize,
        |_| zlib::crc32(0, data).unwrap() as usize,
    );
}

fn lz4_rows(data: &[u8]) {
    // LZ4_COMPRESSBOUND of lz4.h.
    let bound = data.len() + data.len() / 255 + 16;
    let mut out = vec![0; bound];
    let packed = {
        let len = lz4::LZ4_compress_default(data, &mut out).unwrap();
        out[..len].to_vec()
    };
    let chars = |bytes: &[u8]| bytes.as_ptr().cast::<std::ffi::c_char>();
    row(
        "lz4 compress",
        data.len(),
        bound,
        |out| {
            let (to, room) = (out.as_mut_ptr().cast(), out.len() as _);
            // SAFETY: both buffers cover their lengths.
            unsafe { lz4_sys::LZ4_compress_default(chars(data), to, data.len() as _, room) as usize }
        },
        |out| lz4::LZ4_compress_default(data, out).unwrap(),
    );
    row(
        "lz4 decompress",
        data.len(),
        data.len(),
        |out| {
            let (to, room) = (out.as_mut_ptr().cast(), out.len() as _);
            // SAFETY: both buffers cover their lengths.
            unsafe { lz4_sys::LZ4_decompress_safe(chars(&packed), to, packed.len() as _, room) as usize }
        },
        |out| lz4::LZ4_decompress_safe(&packed, out).unwrap(),
    );
}

/// Times both ways, and the direct one with a copy of what it wrote.
fn row(
    what: &str,
    size: usize,
    room: usize,
    direct: impl Fn(&mut [u8]) -> usize,
    isolated: impl Fn(&mut [u8]) -> usize,
) {
    // Not at the same place within a page: a copy between such buffers takes several times as long on some CPUs.
    const APART: usize = 1088;
    let (mut out, mut copy) = (vec![0; room], vec![0; room + APART]);
    let copy = &mut copy[APART..];
    assert_eq!(direct(&mut out), isolated(copy), "{what}: the ways disagree");
    let copied = |out: &mut [u8], copy: &mut [u8]| {
        let written = direct(out).min(room);
        copy[..written].copy_from_slice(&out[..written]);
        written
    };
    let start = Instant::now();
    black_box(direct(&mut out));
    let turns = (TIMING.as_nanos() / start.elapsed().as_nanos().max(1)).clamp(1, 10_000);
    let time = |f: &mut dyn FnMut() -> usize| {
        let start = Instant::now();
        for _ in 0..turns {
            black_box(f());
        }
        start.elapsed().as_nanos() as u64 / turns as u64
    };
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        times[0].push(time(&mut || direct(&mut out)));
        times[1].push(time(&mut || isolated(&mut out)));
        times[2].push(time(&mut || copied(&mut out, copy)));
    }
    let [direct, isolated, copied] = times.map(|mut times| *times.select_nth_unstable(ROUNDS / 2).1);
    let ratio = |to: u64| isolated as f64 / to as f64;
    println!("| {what} | {size} | {direct} ns | {:.3} | {:.3} |", ratio(direct), ratio(copied));
}

/// `size` bytes that look like text: words of a small vocabulary, the same in every run.
fn text(size: usize) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "domain", "the", "gate", "of", "a", "key", "and", "rewind", "is", "fault", "in", "page", "to", "stack", "heap",
        "call",
    ];
    let mut random = 1u32;
    let mut text = Vec::with_capacity(size + 16);
    while text.len() < size {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend(WORDS[(random >> 28) as usize].bytes());
        text.push(if random >> 20 & 15 == 0 { b'\n' } else { b' ' });
    }
    text.truncate(size);
    text
}
