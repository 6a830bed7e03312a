//! Machines that lack what isolation needs, or say that they have it: an error with its reason, and nothing runs unprotected.
//!
//! Each machine is a child of the test; what it lacks is taken from it by a filter of system calls, or by a function of libc
//! that this program defines.

mod support;

use isolate_rt::{Domain, FaultKind, Unsupported};
use std::sync::atomic::{AtomicBool, Ordering};
use support::{End, child_with, give_up, isolation, role};

static DOMAIN: Domain = Domain::new("bad luck");
static FSGSBASE_HIDDEN: AtomicBool = AtomicBool::new(false);

const AT_HWCAP2: libc::c_ulong = 26;
const FSGSBASE: libc::c_ulong = 2;

/// libc's, but that a child can hide FSGSBASE from itself, as a kernel with `nofsgsbase` does.
///
/// # Safety
///
/// None owed: asks for a number.
#[unsafe(no_mangle)]
unsafe extern "C" fn getauxval(kind: libc::c_ulong) -> libc::c_ulong {
    unsafe extern "C" {
        fn __getauxval(kind: libc::c_ulong) -> libc::c_ulong;
    }
    // SAFETY: the same function, by its other name.
    let value = unsafe { __getauxval(kind) };
    let hidden = kind == AT_HWCAP2 && FSGSBASE_HIDDEN.load(Ordering::Relaxed);
    if hidden { value & !FSGSBASE } else { value }
}

/// In a child that `spoil` has made a bad machine, a call is refused for this reason, in these words, also the second time.
#[track_caller]
fn check(test: &str, environment: &[(&str, &str)], spoil: fn(), reason: fn(&Unsupported) -> bool, words: &str) {
    if role().is_some() {
        spoil();
        for _ in 0..2 {
            // SAFETY: must not run.
            let fault = unsafe { DOMAIN.call("any").and_then(|mut call| call.run(|| std::process::abort())) };
            let Err::<(), _>(fault) = fault else { unreachable!() };
            assert!(matches!(fault.kind(), FaultKind::Unsupported(why) if reason(why)), "{fault}");
            assert!(fault.to_string().contains(words), "`{words}` in: {fault}");
        }
        return;
    }
    let output = child_with(test, "child", environment);
    assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn no_protection_keys() {
    if isolate_rt::probe().requirements.iter().any(|it| it.name.contains("PKU") && it.met) {
        eprintln!("skipped: this machine has protection keys");
        return;
    }
    check("no_protection_keys", &[], || (), |why| *why == Unsupported::NoPku, "`ospke` is missing");
}

#[test]
fn no_fsgsbase() {
    if role().is_none() && !isolation() {
        return;
    }
    let hide = || FSGSBASE_HIDDEN.store(true, Ordering::Relaxed);
    check("no_fsgsbase", &[], hide, |why| *why == Unsupported::NoFsgsbase, "does not allow FSGSBASE");
}

/// As under a hypervisor that passes the CPU's word on, and not what it stands for.
#[test]
fn a_cpu_that_lies() {
    if role().is_none() && !isolation() {
        return;
    }
    let refuse = || give_up(libc::SYS_pkey_alloc, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32);
    let reason = |why: &Unsupported| matches!(why, Unsupported::SelfTest { .. });
    check("a_cpu_that_lies", &[], refuse, reason, "says that it has protection keys, and the kernel gives none");
}

#[test]
fn a_filter_that_kills() {
    if role().is_none() && !isolation() {
        return;
    }
    let kill = || give_up(libc::SYS_pkey_alloc, libc::SECCOMP_RET_KILL_PROCESS);
    let reason = |why: &Unsupported| matches!(why, Unsupported::SelfTest { .. });
    check("a_filter_that_kills", &[], kill, reason, "a filter of system calls forbids");
}

/// Somebody has taken every key.
#[test]
fn no_key_left() {
    if role().is_none() && !isolation() {
        return;
    }
    fn take_all() {
        // SAFETY: takes keys for good.
        while unsafe { libc::syscall(libc::SYS_pkey_alloc, 0, 0) } > 0 {}
    }
    check("no_key_left", &[], take_all, |why| *why == Unsupported::NoKey, "all 15 protection keys");
}

/// As some allocators do.
fn own_rseq() {
    const SIGNATURE: u32 = 0x5305_3053;
    #[repr(C, align(32))]
    struct Area([u8; 32]);
    let area = Box::leak(Box::new(Area([0; 32])));
    // SAFETY: what glibc has registered for this thread, if it has, makes way for an area that lives as long as the thread.
    unsafe {
        let offset = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()).cast::<isize>();
        if !offset.is_null() {
            let thread: *mut u8;
            std::arch::asm!("mov {}, fs:0", out(reg) thread);
            libc::syscall(libc::SYS_rseq, thread.offset(*offset), 32, 1, SIGNATURE);
        }
        assert_eq!(libc::syscall(libc::SYS_rseq, area.0.as_mut_ptr(), 32, 0, SIGNATURE), 0);
    }
}

#[test]
fn rseq_of_somebody_else() {
    if role().is_none() && !isolation() {
        return;
    }
    check("rseq_of_somebody_else", &[], own_rseq, |why| *why == Unsupported::Rseq, "owned by another library");
}

/// Where glibc was told to keep out of it.
#[test]
fn rseq_of_somebody_else_alone() {
    if role().is_none() && !isolation() {
        return;
    }
    let without = [("GLIBC_TUNABLES", "glibc.pthread.rseq=0")];
    let words = "owned by another library";
    check("rseq_of_somebody_else_alone", &without, own_rseq, |why| *why == Unsupported::Rseq, words);
}
