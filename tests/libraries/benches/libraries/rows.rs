//! One row: three ways timed in turn.

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::Duration;

/// Rounds at most; each times all three ways once.
const ROUNDS: u64 = 201;
/// Rounds at least.
const FEWEST: u64 = 15;
/// What one timing should last at least: small inputs are repeated within it.
const TIMING: Duration = Duration::from_micros(500);
/// What a row may last, unless the fewest rounds last longer.
const ROW: Duration = Duration::from_secs(2);

/// Times a direct call, the wrapper's, and the direct one with a copy of what it wrote.
pub(crate) fn row(
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
    // All three write to the same place.
    let out = RefCell::new(out);
    let mut copied = || {
        let out = &mut out.borrow_mut()[..];
        let written = direct(out).min(room);
        copy[..written].copy_from_slice(&out[..written]);
        written
    };
    timed(what, size, &mut || direct(&mut out.borrow_mut()), &mut || isolated(&mut out.borrow_mut()), &mut copied);
}

/// Times a direct call of a function that allocates what it gives, the same with a copy of that in a `Vec` of its own, and the
/// wrapper, which returns such a copy.
pub(crate) fn row_given(
    what: &str,
    size: usize,
    mut direct: impl FnMut() -> usize,
    mut copied: impl FnMut() -> usize,
    mut isolated: impl FnMut() -> usize,
) {
    assert_eq!(direct(), isolated(), "{what}: the ways disagree");
    timed(what, size, &mut direct, &mut isolated, &mut copied);
}

type Way<'w> = &'w mut dyn FnMut() -> usize;

fn timed(what: &str, size: usize, direct: Way<'_>, isolated: Way<'_>, copied: Way<'_>) {
    let once = time(1, direct).max(1);
    let turns = (nanoseconds(TIMING) / once).clamp(1, 10_000);
    let rounds = (nanoseconds(ROW) / (3 * once * turns)).clamp(FEWEST, ROUNDS);
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        times[0].push(time(turns, direct));
        times[1].push(time(turns, isolated));
        times[2].push(time(turns, copied));
    }
    let [direct, isolated, copied] = times.map(|mut times| {
        let middle = times.len() / 2;
        *times.select_nth_unstable(middle).1
    });
    let ratios = [direct, copied].map(|to| isolated as f64 / to as f64);
    println!("| {what} | {size} | {direct} ns | {:.3} | {:.3} |", ratios[0], ratios[1]);
    DONE.lock().unwrap().push((what.to_owned(), size, ratios));
}

/// What the rows said: the row, its size, and both ratios.
static DONE: Mutex<Vec<(String, usize, [f64; 2])>> = Mutex::new(Vec::new());

/// The least size that counts in the means.
const COUNTED: usize = 4 << 10;

/// Prints the means of both ratios over the sizes that count, of all rows and of those without SQLite, whose rows are many calls each.
pub(crate) fn means() {
    let rows = DONE.lock().unwrap();
    println!("\n| mean from {COUNTED} bytes up | rows | to direct | to direct and a copy |\n|---|---:|---:|---:|");
    for (what, with_sqlite) in [("all", true), ("without SQLite", false)] {
        let counts = |(what, size, _): &&(String, usize, [f64; 2])| {
            *size >= COUNTED && (with_sqlite || !what.starts_with("sqlite"))
        };
        let ratios: Vec<_> = rows.iter().filter(counts).map(|(.., ratios)| ratios).collect();
        let mean = |which: usize| ratios.iter().map(|ratios| ratios[which]).sum::<f64>() / ratios.len() as f64;
        println!("| {what} | {} | {:.3} | {:.3} |", ratios.len(), mean(0), mean(1));
    }
}

/// Nanoseconds of CPU time that `f` takes, on average.
fn time(turns: u64, f: &mut dyn FnMut() -> usize) -> u64 {
    let start = thread_time();
    for _ in 0..turns {
        black_box(f());
    }
    (thread_time() - start) / turns
}

/// Nanoseconds that this thread has run.
fn thread_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes `time`.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(done, 0, "Linux has that clock");
    nanoseconds(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}
