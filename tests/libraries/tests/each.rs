//! A real library with an instance for each thread: lz4, which has no variables, from eight threads at once.

#[path = "../../../isolate-rt/tests/support/mod.rs"]
mod support;

// The linker fragment of the domains that the wrappers have.
use isolate_libraries as _;
use isolate_rt::{Domain, Fault, FaultKind};
use std::ffi::{c_char, c_int};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use support::isolation;

const THREADS: usize = 8;
const ROUNDS: usize = 40;
/// Not written, whatever is tried.
static VICTIM: [AtomicU8; 1 << 16] = [const { AtomicU8::new(0) }; 1 << 16];

fn text(thread: usize) -> Vec<u8> {
    (0..60_000 + 500 * thread).map(|at| b"a domain for each thread. "[(at * at / 97 + thread) % 26]).collect()
}

fn compress(domain: &'static Domain, data: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut packed = vec![0; data.len() + data.len() / 255 + 16];
    let mut call = domain.call("LZ4_compress_default")?;
    let (from, to) = (call.input(data)?.cast::<c_char>(), call.output::<u8>(packed.len())?);
    let (len, room) = (call.length(data.len())?, call.length(packed.len())?);
    // SAFETY: both buffers cover their lengths.
    let written = unsafe { call.run(move || lz4_sys::LZ4_compress_default(from, to.as_mut_ptr().cast(), len, room)) }?;
    let count = call.count(written);
    let taken = call.take(to, count, &mut packed);
    packed.truncate(taken);
    Ok(packed)
}

fn decompress(domain: &'static Domain, packed: &[u8], len: usize) -> Result<Vec<u8>, Fault> {
    let mut data = vec![0; len];
    let mut call = domain.call("LZ4_decompress_safe")?;
    let (from, to) = (call.input(packed)?.cast::<c_char>(), call.output::<u8>(len)?);
    let (size, room) = (call.length(packed.len())?, call.length(len)?);
    // SAFETY: both buffers cover their lengths.
    let written = unsafe { call.run(move || lz4_sys::LZ4_decompress_safe(from, to.as_mut_ptr().cast(), size, room)) }?;
    let count = call.count(written);
    let taken = call.take(to, count, &mut data);
    data.truncate(taken);
    Ok(data)
}

/// The library is told to write to the program.
fn fail(domain: &'static Domain, packed: &[u8]) -> Fault {
    let (from, size) = (packed.as_ptr().cast::<c_char>(), packed.len() as c_int);
    let to = VICTIM.as_ptr().cast::<c_char>().cast_mut();
    // SAFETY: none; that is the attack.
    let ended = unsafe {
        let mut call = domain.call("LZ4_decompress_safe").unwrap();
        call.run(move || lz4_sys::LZ4_decompress_safe(from, to, size, VICTIM.len() as c_int))
    };
    ended.expect_err("nothing of the program is written")
}

/// Eight threads in `domain`, the last of which fails all the time. How often the others were told of that, and how often they
/// were done: each until all have done enough.
fn check(domain: &'static Domain) -> (usize, usize) {
    let (together, over) = (Barrier::new(THREADS), AtomicBool::new(false));
    let good = |thread: usize| {
        let (together, over) = (&together, &over);
        move || {
            let data = text(thread);
            together.wait();
            let (mut lost, mut done) = (0, 0);
            for round in 0.. {
                if round >= ROUNDS && over.load(Ordering::Relaxed) {
                    break;
                }
                match compress(domain, &data).and_then(|packed| decompress(domain, &packed, data.len())) {
                    Ok(again) => {
                        assert!(again == data, "thread {thread}, round {round}");
                        done += 1;
                    }
                    Err(fault) if fault.kind() == &FaultKind::DomainLost => lost += 1,
                    Err(fault) => panic!("thread {thread}, round {round}: {fault:#}"),
                }
            }
            (lost, done)
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..THREADS).map(|thread| scope.spawn(good(thread))).collect();
        let data = text(0);
        let packed = loop {
            if let Ok(packed) = compress(domain, &data) {
                break packed;
            }
        };
        together.wait();
        for _ in 0..ROUNDS {
            let fault = fail(domain, &packed);
            assert!(matches!(fault.kind(), FaultKind::Protection { write: true, key: 0, .. }), "{fault}");
        }
        over.store(true, Ordering::Relaxed);
        let counts = others.into_iter().map(|thread| thread.join().unwrap());
        counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    })
}

#[test]
fn a_fault_of_one_thread_is_its_own_affair() {
    static EACH: Domain = Domain::new("lz4 each").instance_per_thread();
    static ALL: Domain = Domain::new("lz4 all");
    if !isolation() {
        return;
    }
    let (lost, done) = check(&EACH);
    assert_eq!(lost, 0, "of {done}");
    assert!(done >= (THREADS - 1) * ROUNDS);
    // The control: with one instance they lose theirs.
    let (lost, done) = check(&ALL);
    assert!(lost > 0, "{done} undisturbed");
    assert!(VICTIM.iter().all(|byte| byte.load(Ordering::Relaxed) == 0));
}
