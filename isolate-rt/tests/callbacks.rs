//! Closures of the program that a domain calls, and the calls that they make in turn.

mod support;

use isolate_rt::{Backend, Callbacks, Domain, Fault, FaultKind, Signature};
use std::arch::asm;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;
use support::isolation;

/// Stands for a foreign function: calls `visit` for each number, keeps a sum of the answers on its stack.
extern "C" fn each(from: i32, to: i32, visit: unsafe extern "C" fn(i32) -> i32) -> i32 {
    // SAFETY: what our caller gave us.
    (from..to).map(|number| unsafe { visit(number) }).sum()
}

fn fail() {
    // SAFETY: ends the call.
    unsafe { asm!("ud2") }
}

#[track_caller]
fn works(domain: &'static Domain) {
    // SAFETY: returns a number.
    assert_eq!(unsafe { domain.call("next").unwrap().run(|| 6 * 7) }, Ok(42), "the next call works");
}

/// Calls `each` with one closure.
fn visit(domain: &'static Domain, closure: impl FnMut(i32) -> i32) -> Result<i32, Fault> {
    let mut callbacks = Callbacks::new();
    let pointer = callbacks.add(closure);
    // SAFETY: `each` does nothing but call.
    unsafe { domain.call("each")?.run_with(&mut callbacks, || each(0, 4, pointer)) }
}

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(0) };
}

/// A closure runs as the program: its rights, its stack, its heap, its thread-locals, its floating-point settings.
#[test]
fn closures_run_in_the_program() {
    static DOMAIN: Domain = Domain::new("visited");
    if !isolation() {
        return;
    }
    MINE.set(7);
    let here = 0u8;
    let here = (&raw const here).addr();
    let mut seen = Vec::new();
    let sum = visit(&DOMAIN, |number| {
        let local = 0u8;
        assert!((&raw const local).addr().abs_diff(here) < 1 << 20, "on the caller's stack");
        assert_eq!(MINE.get(), 7);
        seen.push(Box::new(number));
        number * 10
    });
    assert_eq!(sum, Ok(60));
    assert_eq!(seen.iter().map(|number| **number).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

/// Who is inside a domain that lets one call in at a time cannot make another one, and is told so at once.
#[test]
fn nobody_waits_for_itself() {
    static ALONE: Domain = Domain::new("occupied").one_at_a_time();
    static MANY: Domain = Domain::new("occupied often");
    fn nested(depth: i32) -> i32 {
        let mut deepest = depth;
        match visit(&MANY, |number| if number == 0 { nested(depth + 1) } else { 0 }) {
            Ok(inner) => deepest = inner,
            Err(fault) => assert_eq!(*fault.kind(), FaultKind::Occupied),
        }
        deepest
    }
    if !isolation() {
        return;
    }
    let inner = |_| match visit(&ALONE, |_| 0) {
        Err(fault) if *fault.kind() == FaultKind::Occupied => 1,
        other => panic!("{other:?}"),
    };
    assert_eq!(visit(&ALONE, inner), Ok(4), "the call goes on");
    works(&ALONE);
    let call = ALONE.call("held").unwrap();
    assert!(matches!(ALONE.call("another"), Err(fault) if *fault.kind() == FaultKind::Occupied));
    drop(call);
    works(&ALONE);
    assert_eq!(nested(0), 40);
    works(&MANY);
}

#[test]
fn arguments_and_results_of_every_kind() {
    static DOMAIN: Domain = Domain::new("kinds");
    if !isolation() {
        return;
    }
    let mut callbacks = Callbacks::new();
    let mut told = 0;
    let all = callbacks.add(|a: u8, b: i64, c: f64, d: f32, e: u16, g: *const u8| {
        told += 1;
        a as f64 + b as f64 + c + f64::from(d) + f64::from(e) + g.addr() as f64
    });
    let none = callbacks.add(|| 5u64);
    let nothing = callbacks.add(|_: usize| ());
    // SAFETY: calls what was registered, and returns a number.
    let sum = unsafe {
        DOMAIN.call("kinds").unwrap().run_with(&mut callbacks, || {
            nothing(3);
            all(1, -20, 0.5, 0.25, 300, std::ptr::without_provenance(4000)) + none() as f64
        })
    };
    assert_eq!(sum, Ok(1.0 - 20.0 + 0.75 + 300.0 + 4000.0 + 5.0));
    drop(callbacks);
    assert_eq!(told, 1);
}

/// What the domain has done to the floating-point unit is not the closure's, and is the domain's again after it.
#[test]
fn control_words_are_kept_apart() {
    static DOMAIN: Domain = Domain::new("words");
    fn mxcsr() -> u32 {
        let mut word = 0u32;
        // SAFETY: stores a register.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut word) };
        word & !0x3f
    }
    if !isolation() {
        return;
    }
    let (before, mut within) = (mxcsr(), 0);
    let mut callbacks = Callbacks::new();
    let look = callbacks.add(|_: i32| within = mxcsr());
    // SAFETY: changes a control word that the gate puts back.
    let after = unsafe {
        DOMAIN.call("words").unwrap().run_with(&mut callbacks, || {
            // Round towards zero.
            let other = 0x1f80u32 | 3 << 13;
            asm!("ldmxcsr [{}]", in(reg) &other);
            look(1);
            mxcsr()
        })
    };
    drop(callbacks);
    assert_eq!((within, after, mxcsr()), (before, Ok(0x1f80 | 3 << 13), before));
}

#[test]
fn a_panic_goes_on_where_the_call_was_made() {
    static DOMAIN: Domain = Domain::new("panicked");
    if !isolation() {
        return;
    }
    struct Guard<'a>(&'a Cell<u32>);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let dropped = Cell::new(0);
    for round in 1..20 {
        let panic = catch_unwind(AssertUnwindSafe(|| {
            visit(&DOMAIN, |number| {
                let _guard = Guard(&dropped);
                if number == 2 {
                    std::panic::resume_unwind(Box::new("the closure's"));
                }
                1
            })
        }));
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"the closure's"));
        assert_eq!(dropped.get(), 3 * round);
        works(&DOMAIN);
    }
}

#[track_caller]
fn check_refused(domain: &'static Domain, call: impl FnOnce() -> i32 + Copy, callbacks: &mut Callbacks<'_>) {
    // SAFETY: calls a pointer that the gate refuses.
    let refused = unsafe { domain.call("refused").unwrap().run_with(callbacks, call) };
    assert_eq!(refused.unwrap_err().kind(), &FaultKind::CallbackRefused);
    works(domain);
}

#[test]
fn c23_pointers_of_other_calls_and_other_signatures_are_refused() {
    static DOMAIN: Domain = Domain::new("refusing");
    if !isolation() {
        return;
    }
    let called = Cell::new(0);
    let closure = |_: i32| {
        called.set(called.get() + 1);
        0
    };
    let mut old = Callbacks::new();
    let stale = old.add(closure);
    // In its own call it works; in another's it does not, nor in one without callbacks.
    // SAFETY: calls a registered closure.
    assert_eq!(unsafe { DOMAIN.call("own").unwrap().run_with(&mut old, || stale(1)) }, Ok(0));
    let mut new = Callbacks::new();
    let _ = new.add(closure);
    // SAFETY: as `check_refused` has it.
    check_refused(&DOMAIN, || unsafe { stale(1) }, &mut new);
    // SAFETY: as above.
    let alone = unsafe { DOMAIN.call("alone").unwrap().run(|| stale(1)) };
    assert_eq!(alone.unwrap_err().kind(), &FaultKind::CallbackRefused);
    // Every trampoline of another signature, the one with our number among them.
    fn of_signature<A: 'static, F: Signature<A, i32>>(_: F, number: usize) -> F::Pointer {
        F::pointer(number)
    }
    for number in 0..32 {
        let wrong = of_signature(|_: u64, _: u64| 0, number);
        // SAFETY: as above.
        check_refused(&DOMAIN, || unsafe { wrong(1, 2) }, &mut new);
    }
    assert_eq!(called.get(), 1);
}

/// In and out and in again, the same domain and another by turns, five levels down.
#[test]
fn calls_nest() {
    static EVEN: Domain = Domain::new("even");
    static ODD: Domain = Domain::new("odd");
    fn down(level: i32) -> i32 {
        if level == 0 {
            return 1;
        }
        let domain = if level % 3 == 0 { &ODD } else { &EVEN };
        visit(domain, |number| if number < 2 { down(level - 1) } else { 0 }).unwrap()
    }
    if isolation() {
        assert_eq!(down(5), 1 << 5);
    }
}

#[test]
fn a_fault_ends_the_calls_around_it_in_the_same_domain_only() {
    static OUTER: Domain = Domain::new("outer");
    static INNER: Domain = Domain::new("inner");
    if !isolation() {
        return;
    }
    // SAFETY: ends the call.
    let failing = |domain: &'static Domain| unsafe { domain.call("fail").unwrap().run(fail) };
    let mut kinds = Vec::new();
    let sum = visit(&OUTER, |number| {
        kinds.push(failing(&INNER).unwrap_err().kind().clone());
        number
    });
    assert_eq!((sum, kinds), (Ok(6), vec![FaultKind::IllegalInstruction; 4]));
    let mut kinds = Vec::new();
    let lost = visit(&OUTER, |_| {
        // The one in the middle is of another domain, and goes on.
        let between = visit(&INNER, |number| {
            kinds.push(failing(&OUTER).unwrap_err().kind().clone());
            number
        });
        between.unwrap()
    });
    let lost = lost.unwrap_err();
    assert_eq!(lost.kind(), &FaultKind::DomainLost);
    // By three later ones, of the same thread.
    assert_eq!((lost.cause().is_some(), lost.hint()), (false, None));
    assert_eq!(kinds, vec![FaultKind::IllegalInstruction; 4]);
    let lost = visit(&OUTER, |number| if number == 3 { failing(&OUTER).is_ok().into() } else { 0 }).unwrap_err();
    // By this thread itself: an instance for each thread would have spared nothing.
    assert_eq!((lost.cause().map(|cause| cause.kind()), lost.hint()), (Some(&FaultKind::IllegalInstruction), None));
    works(&OUTER);
}

/// The thread that fails does not wait for another's closure, which may be waiting for it.
#[test]
fn a_closure_is_not_waited_for() {
    static SHARED: Domain = Domain::new("shared");
    if !isolation() {
        return;
    }
    let (inside, is_inside) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            visit(&SHARED, |number| {
                inside.send(()).unwrap();
                may_go_on.recv_timeout(Duration::from_secs(20)).unwrap();
                number
            })
        });
        is_inside.recv().unwrap();
        // SAFETY: ends the call.
        let failed = unsafe { SHARED.call("fail").unwrap().run(fail) };
        assert_eq!(failed.unwrap_err().kind(), &FaultKind::IllegalInstruction);
        works(&SHARED);
        go_on.send(()).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), &FaultKind::DomainLost);
    });
    works(&SHARED);
}

/// Time passes in closures, too, but they are not interrupted.
#[test]
fn deadlines_end_the_call_after_the_closure() {
    static HURRIED: Domain = Domain::new("hurried").deadline(Duration::from_millis(20));
    if !isolation() {
        return;
    }
    let mut done = 0;
    let late = visit(&HURRIED, |_| {
        std::thread::sleep(Duration::from_millis(60));
        done += 1;
        0
    });
    assert!(late.is_err_and(|late| late.kind() == &FaultKind::Timeout) || done == 4);
    assert!(done >= 1);
    works(&HURRIED);
}

/// A closure's own call has a deadline, too: the time of the call around it goes on after that.
#[test]
fn deadlines_of_calls_around_outlive_those_inside() {
    static OUTER: Domain = Domain::new("outer hurry").deadline(Duration::from_millis(200));
    static INNER: Domain = Domain::new("inner hurry").deadline(Duration::from_secs(60));
    extern "C" fn visit_and_stay(visit: unsafe extern "C" fn()) {
        // SAFETY: what our caller gave us.
        unsafe { visit() };
        loop {
            std::hint::spin_loop();
        }
    }
    if !isolation() {
        return;
    }
    let (sender, receiver) = mpsc::channel();
    // By itself: without its deadline it would stay for ever.
    std::thread::spawn(move || {
        let mut callbacks = Callbacks::new();
        let pointer = callbacks.add(|| works(&INNER));
        // SAFETY: calls, and stays.
        sender.send(unsafe { OUTER.call("stay").unwrap().run_with(&mut callbacks, || visit_and_stay(pointer)) })
    });
    let stayed = receiver.recv_timeout(Duration::from_secs(10)).expect("the deadline was forgotten");
    assert_eq!(stayed.unwrap_err().kind(), &FaultKind::Timeout);
}

#[test]
fn without_isolation() {
    static DIRECT: Domain = Domain::new("direct").backend(Backend::None);
    let mut seen = 0;
    assert_eq!(
        visit(&DIRECT, |number| {
            seen += number;
            visit(&DIRECT, |inner| inner).unwrap() + number
        }),
        Ok(4 * 6 + 6)
    );
    assert_eq!(seen, 6);
}
