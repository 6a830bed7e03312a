//! Memory of a domain in the program's hands. (What must not compile is in the documentation of `DomainVec`.)

mod support;

use isolate_rt::{Backend, Callbacks, Domain, DomainVec, Fault, FaultKind, Memory, Part, Plain};
use std::arch::asm;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use support::{End, child, isolation, role};

fn fail(domain: &'static Domain) {
    // SAFETY: ends the call.
    let failed: Result<(), _> = unsafe { domain.call("fail").unwrap().run(|| asm!("ud2")) };
    assert_eq!(failed.unwrap_err().kind(), &FaultKind::IllegalInstruction);
}

/// Doubles every number, in place.
extern "C" fn double(numbers: *mut u32, len: usize) {
    for at in 0..len {
        // SAFETY: what our caller gave us.
        unsafe { *numbers.add(at) *= 2 };
    }
}

fn check_doubled(domain: &'static Domain, len: usize) {
    let mut numbers = domain.vec::<u32>(len).unwrap();
    assert!((0..len).step_by(97).all(|at| numbers.get(at) == Ok(0)), "zeroed");
    let values: Vec<u32> = (0..len as u32).collect();
    numbers.copy_from(0, &values).unwrap();
    for _ in 0..2 {
        let mut call = domain.call("double").unwrap();
        let lent = call.lend(&mut numbers).unwrap();
        // SAFETY: doubles the lent numbers.
        unsafe { call.run(|| double(lent.as_mut_ptr(), lent.len())) }.unwrap();
    }
    let mut back = vec![0; len + 3];
    assert_eq!(numbers.copy_to(0, &mut back), Ok(len));
    assert!(back[..len].iter().zip(&values).all(|(back, value)| *back == value * 4));
    assert_eq!(numbers.copy_to(len, &mut back), Ok(0));
}

#[test]
fn stays_between_calls() {
    static DOMAIN: Domain = Domain::new("doubling");
    static DIRECT: Domain = Domain::new("direct").backend(Backend::None);
    for len in [0, 1, 1000, 1 << 20] {
        check_doubled(&DIRECT, len);
        if isolation() {
            check_doubled(&DOMAIN, len);
        }
    }
}

#[test]
fn boxes() {
    static DOMAIN: Domain = Domain::new("boxes");
    if !isolation() {
        return;
    }
    let mut one = DOMAIN.boxed(20u32).unwrap();
    let mut call = DOMAIN.call("double").unwrap();
    let lent = call.lend_box(&mut one).unwrap();
    // SAFETY: doubles the one number.
    unsafe { call.run(|| double(lent.as_mut_ptr(), 1)) }.unwrap();
    drop(call);
    assert_eq!(one.get(), Ok(40));
    one.set(3).unwrap();
    assert_eq!(one.get(), Ok(3));
}

/// Dropping frees: ten times as much as the heap has room for, one after the other; and at once it is too much.
#[test]
fn freed_and_limited() {
    static SMALL: Domain = Domain::new("small").heap_limit(4 << 20);
    if !isolation() {
        return;
    }
    for _ in 0..40 {
        drop(SMALL.vec::<u8>(1 << 20).unwrap());
    }
    let all: Vec<_> = (0..8).map(|_| SMALL.vec::<u8>(1 << 20)).collect();
    let refused = all.iter().filter_map(|one| one.as_ref().err());
    assert!(refused.clone().count() >= 4);
    assert!(refused.clone().all(|one| matches!(one.kind(), FaultKind::TooLarge { requested: 1_048_576, .. })));
    assert!(matches!(SMALL.vec::<u64>(usize::MAX).unwrap_err().kind(), FaultKind::TooLarge { .. }));
}

#[test]
fn a_fault_takes_it() {
    static DOMAIN: Domain = Domain::new("taken");
    static OTHER: Domain = Domain::new("other");
    if !isolation() {
        return;
    }
    let mut numbers = DOMAIN.vec::<u32>(10).unwrap();
    let stale = |kind: &FaultKind| kind == &FaultKind::StaleHandle;
    assert!(stale(OTHER.call("other's").unwrap().lend(&mut numbers).unwrap_err().kind()));
    fail(&DOMAIN);
    assert!(stale(numbers.get(0).unwrap_err().kind()));
    assert!(stale(numbers.copy_from(0, &[1]).unwrap_err().kind()));
    assert!(stale(DOMAIN.call("late").unwrap().lend(&mut numbers).unwrap_err().kind()));
    // Dropping it frees nothing of the next instance.
    let again = DOMAIN.vec::<u32>(10).unwrap();
    drop(numbers);
    assert_eq!(again.get(9), Ok(0));
}

/// A room of a call that is over is none of the next call's, also where that has none: memory that is closed by then is not read.
#[test]
fn rooms_of_an_earlier_call() {
    static EARLIER: Domain = Domain::new("earlier");
    if !isolation() {
        return;
    }
    let check = |sizes: &[usize]| {
        let mut call = EARLIER.call("stage").unwrap();
        let staged: Vec<_> = sizes.iter().map(|size| call.output::<u8>(*size).unwrap()).collect();
        let last = *staged.last().unwrap();
        drop(call);
        let mut call = EARLIER.call("read").unwrap();
        let _ = call.output::<u8>(10).unwrap();
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call.read(last)));
        assert!(read.is_err(), "{sizes:?}");
    };
    check(&[100, 100]);
    check(&[1 << 20]);
    check(&[16 << 20, 1 << 20]);
}

/// An allocator that has gone wrong gives out memory of the program: the program does not write there.
#[test]
fn an_allocator_that_lies() {
    static LYING: Domain = Domain::new("lying").deadline(Duration::from_millis(300));
    if !isolation() {
        return;
    }
    for fill in [0x41u8, 0xff, 0] {
        let first = LYING.vec::<u8>(64).unwrap();
        let mut call = LYING.call("ruin").unwrap();
        let mut first = first;
        let lent = call.lend(&mut first).unwrap();
        // SAFETY: none; that is the attack: the first 64 KiB of the heap, where the allocator's own data is.
        let _ = unsafe {
            call.run(|| {
                let start = lent.as_mut_ptr().map_addr(|address| address & !0xffff);
                start.write_bytes(fill, 0xffff);
            })
        };
        drop(call);
        // Whatever it gives: an error, or memory of the domain.
        if let Ok(mut second) = LYING.vec::<u64>(100) {
            let _ = second.set(99, 1);
        }
        drop(first);
        fail_or_lost(&LYING);
        assert_eq!(LYING.vec::<u64>(10).unwrap().get(3), Ok(0));
    }
}

/// An object is aligned as its type is, and no more; a field that needs more is refused where it has not got it.
#[test]
fn fields_of_an_object_that_is_not_aligned() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    #[repr(align(64))]
    struct Line([u8; 64]);
    // SAFETY: bytes.
    unsafe impl Plain for Line {}
    static DIRECT: Domain = Domain::new("direct").backend(Backend::None);
    let objects: Vec<_> = (0..16).map(|_| DIRECT.object::<[u8; 80]>("make", |_, _| Ok(())).unwrap()).collect();
    let mut call = DIRECT.call("get").unwrap();
    let mut seen = [0; 2];
    for object in &objects {
        let is_aligned = call.object(object).unwrap().cast::<Line>().is_aligned();
        let line = call.get::<_, Line>(object, 0);
        if is_aligned {
            assert_eq!(line, Ok(Line([0; 64])));
        } else {
            assert!(matches!(line.unwrap_err().kind(), FaultKind::InvalidValue { .. }));
        }
        seen[usize::from(is_aligned)] += 1;
    }
    assert!(seen[0] > 0, "{seen:?}");
}

fn fail_or_lost(domain: &'static Domain) {
    // SAFETY: ends the call.
    let _: Result<(), _> = unsafe { domain.call("fail").unwrap().run(|| asm!("ud2")) };
}

/// The program copies while another thread's fault discards the memory: the copy is whole or refused, and nothing of it lands
/// in the next instance.
#[test]
fn copying_while_another_thread_fails() {
    static RACED: Domain = Domain::new("raced");
    const LEN: usize = 100_000;
    if !isolation() {
        return;
    }
    std::thread::scope(|scope| {
        scope.spawn(|| (0..30).for_each(|_| fail_or_lost(&RACED)));
        let mut whole = 0;
        for _ in 0..60 {
            let make = || -> Result<DomainVec<u8>, isolate_rt::Fault> {
                let mut bytes = RACED.vec::<u8>(LEN)?;
                bytes.copy_from(0, &[7; LEN])?;
                Ok(bytes)
            };
            let Ok(bytes) = make() else { continue };
            let mut back = vec![0; LEN];
            match bytes.copy_to(0, &mut back) {
                Ok(_) => {
                    assert!(back.iter().all(|byte| *byte == 7));
                    whole += 1;
                }
                Err(fault) => {
                    assert!(matches!(fault.kind(), FaultKind::StaleHandle | FaultKind::DomainLost), "{fault}")
                }
            }
        }
        assert!(whole > 0);
    });
}

/// A signal handler calls the domain while its thread copies out of it, and another thread fails: whoever discards the instance
/// waits for the copy, so the handler must not wait for them.
#[test]
fn a_handler_that_calls_while_its_thread_copies() {
    static COPIED: Domain = Domain::new("copied");
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    const LEN: usize = 16 << 20;
    extern "C" fn ask(_: i32) {
        let mut call = match COPIED.call("ask") {
            Ok(call) => call,
            Err(fault) => return note(&fault),
        };
        // SAFETY: does nothing.
        if let Err(fault) = unsafe { call.run(|| ()) } {
            note(&fault);
        }
    }
    fn note(fault: &Fault) {
        if fault.kind() == &FaultKind::InSignalHandler {
            REFUSED.fetch_add(1, Ordering::SeqCst);
        }
    }
    if !isolation() {
        return;
    }
    drop(COPIED.call("first").unwrap());
    // SAFETY: a handler for a signal that no other test of this file uses.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ask as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
    }
    // SAFETY: asks for a number.
    let tid = unsafe { libc::gettid() };
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(3));
                // SAFETY: sends a signal to a thread that waits for this one.
                unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGUSR1) };
                fail_or_lost(&COPIED);
            }
        });
        let mut back = vec![0; LEN];
        for _ in 0..200 {
            if let Ok(bytes) = COPIED.vec::<u8>(LEN) {
                let _ = bytes.copy_to(0, &mut back);
            }
            if REFUSED.load(Ordering::SeqCst) > 2 {
                break;
            }
        }
        over.store(true, Ordering::SeqCst);
    });
    assert!(REFUSED.load(Ordering::SeqCst) > 0, "no signal came while it copied");
}

/// A library that runs over an output a little touches nothing that is not its own: it is noticed all the same.
#[test]
fn a_write_behind_an_output() {
    static OVER: Domain = Domain::new("over");
    if !isolation() {
        return;
    }
    let written = |sizes: &[usize], at: usize, len: usize| {
        let mut call = OVER.call("write").unwrap();
        let starts: Vec<_> = sizes.iter().map(|size| call.output::<u8>(*size).unwrap().as_mut_ptr()).collect();
        let start = starts[at];
        // SAFETY: none; that is the misuse.
        unsafe { call.run(|| start.write_bytes(0, len)) }.map_err(|fault| fault.kind().clone())
    };
    for size in [0, 1, 16, 100, 3000, 70_000, 1 << 20] {
        assert_eq!(written(&[size], 0, size), Ok(()), "{size}");
        assert_eq!(written(&[size, 20], 0, size), Ok(()), "{size}");
        let over = written(&[size], 0, size + 1).unwrap_err();
        assert!(matches!(over, FaultKind::OutputOverflow { size: of, .. } if of == size), "{size}: {over:?}");
    }
    // The last of these opened just as much as it needs, and gives it back: eight MiB stay.
    for size in [2 << 20, 8 << 20] {
        for _ in 0..2 {
            let over = written(&[size, size], 0, size + 1).unwrap_err();
            assert!(matches!(over, FaultKind::OutputOverflow { size: of, .. } if of == size), "{size}: {over:?}");
        }
    }
    assert!(matches!(written(&[5, 7, 9], 1, 8), Err(FaultKind::OutputOverflow { size: 7, .. })));
    // So many rooms that the last ones are not looked at.
    assert_eq!(written(&[5; 20], 19, 6), Ok(()));
}

/// A library that runs over a large room meets the end of what is open for it, and not the end of the machine's memory.
#[test]
fn a_runaway_write_behind_a_large_room() {
    static RUNAWAY: Domain = Domain::new("runaway");
    const FAR: usize = 1 << 30;
    if !isolation() {
        return;
    }
    let runs_over = |len: usize| {
        let mut call = RUNAWAY.call("run over").unwrap();
        let start = call.output::<u8>(len).unwrap().as_mut_ptr();
        // SAFETY: none; that is the misuse.
        let run_over = || unsafe { (0..FAR).step_by(4096).for_each(|at| start.add(at).write_volatile(1)) };
        // SAFETY: as above.
        let fault = unsafe { call.run(run_over) }.expect_err("it is stopped");
        assert!(matches!(fault.memory(), Some(Memory::Domain { part: Part::Guard, .. })), "{fault}");
        fault.address().unwrap() - start.addr()
    };
    for len in [70_000, 1 << 20, (20 << 20) + 1] {
        assert_eq!(runs_over(len), (len + 16).next_power_of_two(), "{len} bytes");
    }
    // What much was opened for is closed again, but for 8 MiB.
    assert_eq!(runs_over(70_000), 8 << 20);
    let mut call = RUNAWAY.call("fill").unwrap();
    let room = call.output::<u8>(20 << 20).unwrap();
    // SAFETY: fills the room.
    unsafe { call.run(|| room.as_mut_ptr().write_bytes(7, 20 << 20)) }.unwrap();
    let mut back = vec![0; 20 << 20];
    assert_eq!(call.take(room, 20 << 20, &mut back), 20 << 20);
    assert!(back.iter().all(|byte| *byte == 7));
}

/// What a function leaves unwritten is zero, in rooms of up to 4 KiB: never what an earlier call left there.
#[test]
fn rooms_begin_as_zeros() {
    static DOMAIN: Domain = Domain::new("rooms");
    if !isolation() {
        return;
    }
    for len in [1, 7, 4095, 4096] {
        let mut call = DOMAIN.call("fill").unwrap();
        let room = call.output::<u8>(len).unwrap();
        // SAFETY: writes to the room, all of it.
        unsafe { call.run(move || room.as_mut_ptr().write_bytes(0xaa, len)) }.unwrap();
        let mut into = vec![0; len];
        assert_eq!(call.take(room, len, &mut into), len);
        assert!(into.iter().all(|byte| *byte == 0xaa));
        drop(call);
        let mut call = DOMAIN.call("leave").unwrap();
        let room = call.output::<u8>(len).unwrap();
        // SAFETY: does nothing.
        unsafe { call.run(|| ()) }.unwrap();
        assert_eq!(call.take(room, len, &mut into), len);
        assert!(into.iter().all(|byte| *byte == 0), "{len}");
    }
}

/// Lengths that the domain makes up cost the program no more than what the domain itself can have.
#[test]
fn lengths_that_are_made_up() {
    const HEAP: usize = 4 << 20;
    static DOMAIN: Domain = Domain::new("lengths").heap_limit(HEAP);
    if !isolation() {
        return;
    }
    // Room for staged values is 4 GiB, all of it readable.
    for len in [100, 100_000, 10 << 20] {
        let mut call = DOMAIN.call("values").unwrap();
        let staged = call.output::<u8>(len).unwrap();
        // SAFETY: does nothing.
        unsafe { call.run(|| ()) }.unwrap();
        for (asked, expected) in [(len, true), (len + 1, false), (3 << 30, false)] {
            // SAFETY: with isolation nothing is owed.
            let values = unsafe { call.values(staged.as_ptr(), asked) };
            assert_eq!(values.as_ref().map(|values| values.as_ref().unwrap().len()).ok(), expected.then_some(asked));
        }
    }
    // Many pointers to one string.
    let copied = |count: usize| {
        let mut call = DOMAIN.call("strings").unwrap();
        let inside = call.inside();
        let (mut callbacks, copied) = (Callbacks::new(), Cell::new(0));
        let tell: unsafe extern "C" fn(*const *const i8, usize) -> i32 =
            callbacks.add_checked(|start: *const *const i8, len: usize| {
                // SAFETY: as above.
                let strings = unsafe { inside.strings(start, len) }?.unwrap();
                copied.set(strings.into_iter().flatten().map(|text| text.as_bytes().len()).sum());
                Ok(0)
            });
        // SAFETY: blocks of the domain, filled.
        let told = unsafe {
            call.run_with(&mut callbacks, move || {
                let text = libc::malloc(1 << 20).cast::<i8>();
                text.write_bytes(b'a', (1 << 20) - 1);
                text.add((1 << 20) - 1).write(0);
                let pointers = libc::calloc(count + 1, 8).cast::<*const i8>();
                (0..count).for_each(|n| pointers.add(n).write(text));
                tell(pointers, count + 1);
                libc::free(text.cast());
                libc::free(pointers.cast());
            })
        };
        drop(callbacks);
        told.map(|()| copied.get())
    };
    assert_eq!(copied(3), Ok(3 * ((1 << 20) - 1)));
    let fault = copied(1000).unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::TooLarge { .. }), "{fault}");
}

/// A closure that runs is the only one that has what it borrows mutably: a library that calls it again, from a call that it makes
/// itself, is refused, without isolation too.
#[test]
fn a_closure_is_not_entered_while_it_runs() {
    const NAME: &str = "a_closure_is_not_entered_while_it_runs";
    static DIRECT: Domain = Domain::new("direct").backend(Backend::None);
    static ISOLATED: Domain = Domain::new("isolated");
    let enter_again = |domain: &'static Domain| {
        let (mut entered, refused, pointer) = (0, Cell::new(false), Cell::new(None));
        let mut callbacks = Callbacks::new();
        let closure: unsafe extern "C" fn(i32) -> i32 = callbacks.add(|depth: i32| {
            entered += 1;
            if depth > 0 {
                let kept: unsafe extern "C" fn(i32) -> i32 = pointer.get().unwrap();
                // SAFETY: calls a closure that takes a number.
                let again = unsafe { domain.call("again").unwrap().run(move || kept(depth - 1)) };
                refused.set(again.is_err_and(|fault| fault.kind() == &FaultKind::CallbackRefused));
            }
            entered
        });
        pointer.set(Some(closure));
        let mut call = domain.call("each").unwrap();
        // SAFETY: as above.
        let _ = unsafe { call.run_with(&mut callbacks, move || closure(1)) };
        drop(callbacks);
        (entered, refused.get())
    };
    if role().is_some() {
        std::process::exit(enter_again(&DIRECT).0);
    }
    // Nobody can go on: there is a foreign function in between.
    let output = child(NAME, "without isolation");
    assert_eq!(End::from(&output), End::Signal(libc::SIGABRT), "{}", String::from_utf8_lossy(&output.stderr));
    if isolation() {
        assert_eq!(enter_again(&ISOLATED), (1, true));
    }
}
