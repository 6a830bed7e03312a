//! What the benchmarks share: whether figures of this machine mean anything, and how they are taken.

#![allow(dead_code, reason = "each benchmark uses its part")]

use std::arch::x86_64::{_mm_lfence, _rdtsc};
use std::hint::black_box;

/// Samples per figure; odd, so that the median is one of them.
pub(crate) const SAMPLES: usize = 20_001;

/// Whether isolation is possible here, and not on an emulated CPU, whose times mean nothing; says so where not.
pub(crate) fn is_measurable() -> bool {
    let machine = isolate_rt::probe();
    if !machine.supported() {
        eprintln!("nothing measured: isolation is not possible here:\n{machine}");
        return false;
    }
    if std::env::var_os("ISOLATE_EMULATED").is_some() && std::env::var_os("ISOLATE_BENCH_ANYWAY").is_none() {
        eprintln!("nothing measured: the CPU is emulated, its times mean nothing");
        return false;
    }
    true
}

/// The machine, in one line.
pub(crate) fn description() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let field = |name: &str| {
        let value = cpu.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("");
        value.trim_start_matches(['\t', ' ', ':']).to_string()
    };
    let (model, family) = (field("model name"), field("cpu family"));
    let number = cpu.lines().find_map(|line| line.strip_prefix("model\t\t: ")).unwrap_or("");
    let guest = if cpu.contains(" hypervisor") { ", virtual machine" } else { "" };
    let cpus = std::thread::available_parallelism().map_or(1, |n| n.get());
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{model} (family {family}, model {number}){guest}, {cpus} CPUs, Linux {}", kernel.trim())
}

/// Time-stamp cycles of one `f`: the median of [`SAMPLES`] timings of `TURNS` in a row, each followed by `lfence` so that
/// none overlaps the next, less the same loop around nothing.
pub(crate) fn cycles<const TURNS: u32, T>(mut f: impl FnMut() -> T) -> f64 {
    let timed = |f: &mut dyn FnMut()| {
        let mut samples: Vec<u64> = (0..SAMPLES)
            .map(|_| {
                let start = now();
                f();
                now() - start
            })
            .collect();
        *samples.select_nth_unstable(SAMPLES / 2).1 as f64 / f64::from(TURNS)
    };
    let nothing = timed(&mut || {
        for _ in 0..TURNS {
            black_box(());
            fence();
        }
    });
    let all = timed(&mut || {
        for _ in 0..TURNS {
            black_box(f());
            fence();
        }
    });
    all - nothing
}

/// As [`cycles`], of what takes so long that a few hundred timings do.
pub(crate) fn cycles_once<T>(mut f: impl FnMut() -> T) -> f64 {
    median((0..1001).map(|_| timed(&mut f)).collect())
}

/// Time-stamp cycles of one `f`, or a few more.
pub(crate) fn timed<T>(f: impl FnOnce() -> T) -> u64 {
    let start = now();
    black_box(f());
    now() - start
}

pub(crate) fn median(mut samples: Vec<u64>) -> f64 {
    let middle = samples.len() / 2;
    *samples.select_nth_unstable(middle).1 as f64
}

fn fence() {
    // SAFETY: every x86-64 CPU has it.
    unsafe { _mm_lfence() };
}

fn now() -> u64 {
    fence();
    // SAFETY: reads the time-stamp counter, after everything before it.
    let now = unsafe { _rdtsc() };
    fence();
    now
}
