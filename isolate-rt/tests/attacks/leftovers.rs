//! What the program must not find changed, gone or shared after an attack, and does without the defence.

use super::corruption::mappings;
use super::{DOMAIN, OVERWRITTEN, UNHARMED, UNPROTECTED, child_ends, in_domain};
use crate::support::{End, isolation, role};
use isolate_rt::{Backend, Callbacks, Domain, FaultKind};
use std::arch::asm;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a10_handlers_changed() {
    extern "C" fn own(_: i32) {}
    // SAFETY: a setting of this process.
    let attack = || unsafe { libc::signal(libc::SIGUSR2, libc::SIG_IGN) };
    let is_own = || {
        // SAFETY: asks.
        unsafe {
            let mut now: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGUSR2, ptr::null(), &mut now);
            now.sa_sigaction == own as *const () as usize
        }
    };
    if role().is_none() && !isolation() {
        return;
    }
    // SAFETY: a handler that does nothing.
    unsafe { libc::signal(libc::SIGUSR2, own as *const () as usize) };
    if role().is_some() {
        // SAFETY: as above.
        let _ = unsafe { UNPROTECTED.call("signal").unwrap().run(attack) };
        std::process::exit(if is_own() { UNHARMED } else { OVERWRITTEN });
    }
    child_ends("leftovers::a10_handlers_changed", "control", End::Status(OVERWRITTEN));
    assert_eq!(in_domain("signal", attack), Ok(libc::SIG_ERR));
    assert!(is_own());
}

/// A pointer that is no handle finds what somebody else has put there.
#[test]
fn a19_stale_pointer() {
    static AGAIN: Domain = Domain::new("again");
    if !isolation() {
        return;
    }
    let make = |fill: u8| {
        let mut call = AGAIN.call("make").unwrap();
        // SAFETY: a block of 64 bytes.
        let block = unsafe {
            call.run(|| {
                let block = libc::malloc(64).cast::<u8>();
                block.write_bytes(fill, 64);
                block
            })
        };
        call.adopt(block.unwrap()).unwrap().unwrap()
    };
    let stale = make(7);
    let pointer = AGAIN.call("use").unwrap().handle(&stale).unwrap();
    // SAFETY: ends the call.
    unsafe { AGAIN.call("fail").unwrap().run(|| asm!("ud2")) }.unwrap_err();
    let _other = make(9);
    let mut call = AGAIN.call("use").unwrap();
    assert_eq!(call.handle(&stale).unwrap_err().kind(), &FaultKind::StaleHandle);
    // SAFETY: none; that is the control: what a handle is there for.
    assert_eq!(unsafe { call.run(|| *pointer) }, Ok(9), "the pointer finds another object");
}

/// A closure panics while the library waits for it.
#[test]
fn a22_panic_in_a_callback() {
    static WAITING: Domain = Domain::new("waiting");
    static DIRECT: Domain = Domain::new("direct").backend(Backend::None);
    struct Dropped<'a>(&'a Cell<bool>);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let is_dropped = Cell::new(false);
    let panics = |domain: &'static Domain| {
        let mut callbacks = Callbacks::new();
        let closure = callbacks.add(|| -> u32 {
            let _local = Dropped(&is_dropped);
            panic!("in a closure");
        });
        let mut call = domain.call("wait").unwrap();
        // SAFETY: calls a registered closure.
        catch_unwind(AssertUnwindSafe(|| unsafe { call.run_with(&mut callbacks, || closure()) })).is_err()
    };
    if role().is_some() {
        panics(&DIRECT);
        std::process::exit(UNHARMED);
    }
    if isolation() {
        child_ends("leftovers::a22_panic_in_a_callback", "control", End::Signal(libc::SIGABRT));
        assert!(panics(&WAITING) && is_dropped.get());
    }
}

/// Memory of the program that is mapped a second time, as the domain's own: where there is such a mapping, the key holds nothing.
#[test]
fn b13_second_mapping() {
    if role().is_some() {
        assert_eq!(in_domain("any", || 1), Ok(1));
        let (.., key) = *mappings().iter().find(|(.., key)| *key != 0).expect("a domain has memory");
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: memory of its own, mapped twice.
        let (victim, alias) = unsafe {
            let file = libc::memfd_create(c"twice".as_ptr(), 0);
            assert_eq!(libc::ftruncate(file, 4096), 0);
            let map = || libc::mmap(ptr::null_mut(), 4096, access, libc::MAP_SHARED, file, 0);
            let (victim, alias) = (map(), map());
            assert_eq!(libc::syscall(libc::SYS_pkey_mprotect, alias, 4096, access, key), 0);
            (&*victim.cast::<AtomicBool>(), alias.cast::<u8>())
        };
        // SAFETY: of the domain, by its key.
        let written = in_domain("write", || unsafe { alias.write_volatile(1) });
        let is_harmed = written.is_ok() && victim.load(Ordering::Relaxed);
        std::process::exit(if is_harmed { OVERWRITTEN } else { UNHARMED });
    }
    if isolation() {
        child_ends("leftovers::b13_second_mapping", "control", End::Status(OVERWRITTEN));
        assert_eq!(in_domain("any", || 1), Ok(1));
        for (start, permissions, key) in mappings().into_iter().filter(|(.., key)| *key != 0) {
            assert!(permissions == "rw-p", "{start:#x} of key {key} in {DOMAIN:?}: {permissions}");
        }
    }
}
