//! The thread that runs `main`, whose stack the kernel makes as it grows. No harness: that would run tests on threads of its own.

mod support;

use isolate_rt::{Domain, FaultKind};
use std::arch::asm;
use support::{End, child, isolation, role};

static DOMAIN: Domain = Domain::new("main thread").stack_size(256 << 10);

fn main() {
    match role().as_deref() {
        Some("overflow") => {
            a4_recursion_on_the_main_thread();
            recurse(1);
        }
        Some(role) => unreachable!("no such role: {role}"),
        None if !isolation() => {}
        None => {
            a4_recursion_on_the_main_thread();
            // What std prints of an overflow of the program's own is still printed.
            let output = child("main", "overflow");
            assert_eq!(End::from(&output), End::Signal(libc::SIGABRT));
            let report = String::from_utf8_lossy(&output.stderr);
            assert!(report.contains("thread 'main'") && report.contains("has overflowed its stack"), "{report}");
        }
    }
    println!("test result: ok");
}

fn a4_recursion_on_the_main_thread() {
    for _ in 0..3 {
        // SAFETY: returns a number.
        let overflow = unsafe { DOMAIN.call("recurse").unwrap().run(|| recurse(1)) };
        assert!(matches!(overflow.unwrap_err().kind(), FaultKind::StackOverflow { .. }));
        // SAFETY: ends the call.
        let fault = unsafe { DOMAIN.call("fault").unwrap().run(|| asm!("ud2")) };
        assert_eq!(fault.unwrap_err().kind(), &FaultKind::IllegalInstruction);
        // SAFETY: returns a number.
        assert_eq!(unsafe { DOMAIN.call("next").unwrap().run(|| 42) }, Ok(42));
    }
}

#[inline(never)]
fn recurse(depth: usize) -> usize {
    let frame = std::hint::black_box([depth; 64]);
    if frame[3] == 0 { 0 } else { recurse(depth + 1) + frame[7] }
}
