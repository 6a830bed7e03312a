//! What isolation costs real libraries. Calls of generated wrappers beside direct ones, and beside direct ones with one copy of the
//! output, since a wrapper copies out: medians of runs in turn, as ratios. Times are those of this thread's CPU, so what else
//! the machine does matters less.
//!
//! ```text
//! cargo bench --package isolate-libraries --bench libraries
//! cargo bench --package isolate-libraries --bench libraries -- pictures      # one group of rows
//! ```
//!
//! Emulated machines (`ISOLATE_EMULATED`) are refused: their times mean nothing.

#[path = "../../../../isolate-rt/benches/support/mod.rs"]
mod support;

mod blocks;
mod contexts;
mod kept;
mod pictures;
mod rows;
mod small;
mod sqlite;

use support::{description, is_measurable};

fn main() {
    if !is_measurable() {
        return;
    }
    println!("{}; medians\n", description());
    println!("| what | size | direct | to direct | to direct and a copy |\n|---|---:|---:|---:|---:|");
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for (group, rows) in GROUPS {
        if chosen.is_empty() || chosen.iter().any(|name| name == group) {
            rows();
        }
    }
    rows::means();
}

/// Groups of rows, by the names that choose them.
const GROUPS: [(&str, fn()); 5] = [
    ("streams", || {
        for size in [1 << 10, 64 << 10, 1 << 20] {
            let data = text(size);
            blocks::rows(&data);
            kept::rows(&data);
            contexts::rows(&data);
            sqlite::rows(&data);
        }
    }),
    ("snappy", || {
        for size in [1, 64, 1 << 10, 4 << 10, 64 << 10, 1 << 20, 2 << 20] {
            small::snappy_rows(&text(size));
        }
    }),
    ("brotli", || {
        for size in [8, 64, 256, 1 << 10] {
            small::brotli_rows(&text(size));
        }
    }),
    ("pictures", pictures::rows),
    ("tables", || {
        for size in [64, 4 << 10] {
            sqlite::table_rows(&text(size));
        }
    }),
];

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
