//! `mmap` and its relatives inside a domain: memory of the domain, whatever file is behind it, and nothing of anybody else's.

mod support;

use isolate_rt::{Domain, Fault, FaultKind, Memory, Part};
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU8, Ordering};
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use support::{End, child, give_up, give_up_where, isolation, role};

const PAGE: usize = 4096;
const LIMIT: usize = 16 << 20;
static DOMAIN: Domain = Domain::new("mapping").heap_limit(LIMIT);
static OTHER: Domain = Domain::new("other");

const NONE: i32 = libc::PROT_NONE;
const READ: i32 = libc::PROT_READ;
const WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;
const OWN: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;

/// The domain for one test at a time: a fault of another would take what this one has mapped. `None` where there is no isolation.
fn begin() -> Option<MutexGuard<'static, ()>> {
    static TURN: Mutex<()> = Mutex::new(());
    isolation().then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

fn inside<R: Copy>(f: impl FnOnce() -> R + Copy) -> Result<R, Fault> {
    // SAFETY: whatever `f` does is what the domain is for; it returns numbers.
    unsafe { DOMAIN.call("map").expect("a domain can be made").run(f) }
}

/// What `f` gives inside.
#[track_caller]
fn check<R: Copy + PartialEq + std::fmt::Debug>(f: fn() -> R, expected: R) {
    if let Some(_turn) = begin() {
        assert_eq!(inside(f).unwrap(), expected);
    }
}

/// What `f` does inside ends the call so.
#[track_caller]
fn check_fault(f: fn(), expected: fn(&FaultKind) -> bool) {
    if let Some(_turn) = begin() {
        let fault = inside(f).expect_err("a fault");
        assert!(expected(fault.kind()), "{fault:?}");
        assert_eq!(inside(|| map(PAGE, WRITE).is_null()), Ok(false));
    }
}

fn map(len: usize, rights: i32) -> *mut u8 {
    map_at(ptr::null_mut(), len, rights, OWN, -1)
}

/// NULL for an error.
fn map_at(at: *mut u8, len: usize, rights: i32, flags: i32, file: i32) -> *mut u8 {
    // SAFETY: inside, nothing of the program's is replaced.
    let map = unsafe { libc::mmap(at.cast(), len, rights, flags, file, 0) };
    if map == libc::MAP_FAILED { ptr::null_mut() } else { map.cast() }
}

/// `f`'s result, or the `errno` that it left as a negative number.
fn or_errno(result: i32) -> i32 {
    // SAFETY: of this thread, or of the domain.
    let errno = unsafe { *libc::__errno_location() };
    if result == 0 { 0 } else { -errno }
}

fn unmap(at: *mut u8, len: usize) -> i32 {
    // SAFETY: inside, nothing of the program's is unmapped.
    or_errno(unsafe { libc::munmap(at.cast(), len) })
}

fn protect(at: *mut u8, len: usize, rights: i32) -> i32 {
    // SAFETY: as `unmap`.
    or_errno(unsafe { libc::mprotect(at.cast(), len, rights) })
}

fn remap(at: *mut u8, len: usize, new_len: usize, flags: i32) -> *mut u8 {
    // SAFETY: as `unmap`.
    let map = unsafe { libc::mremap(at.cast(), len, new_len, flags) };
    if map == libc::MAP_FAILED { ptr::null_mut() } else { map.cast() }
}

fn advise(at: *mut u8, len: usize, advice: i32) -> i32 {
    // SAFETY: as `unmap`.
    or_errno(unsafe { libc::madvise(at.cast(), len, advice) })
}

fn get(at: *const u8) -> u8 {
    // SAFETY: where it is none, that is the test.
    unsafe { at.read_volatile() }
}

fn put(at: *mut u8, value: u8) {
    // SAFETY: as `get`.
    unsafe { at.write_volatile(value) }
}

/// A file of this process's own, that holds `text` and is `len` bytes long.
fn file(text: &CStr, len: usize) -> i32 {
    // SAFETY: a file in memory, and a string.
    unsafe {
        let file = libc::memfd_create(c"mapped".as_ptr(), 0);
        assert_eq!(libc::ftruncate(file, len as i64), 0);
        let bytes = text.to_bytes();
        assert_eq!(libc::pwrite(file, bytes.as_ptr().cast(), bytes.len(), 0), bytes.len() as isize);
        file
    }
}

/// Two threads fail at once: what each has met is told as it was when it met it, whoever discards the instance.
#[test]
fn two_faults_at_once() {
    const ROUNDS: usize = 300;
    let Some(_turn) = begin() else { return };
    let together = Barrier::new(2);
    let (page, others) = (AtomicPtr::new(ptr::null_mut()), Mutex::new(Vec::new()));
    let fails = |is_first: bool| {
        for _ in 0..ROUNDS {
            if is_first {
                page.store(inside(|| map(PAGE, READ)).unwrap(), Ordering::SeqCst);
            }
            together.wait();
            let at = page.load(Ordering::SeqCst);
            let call = DOMAIN.call("write");
            together.wait();
            // SAFETY: writes in the domain, where it may not.
            let fault = unsafe { call.unwrap().run(move || put(at, 1)) }.expect_err("a fault");
            if !matches!(fault.kind(), FaultKind::Protection { write: true, .. } | FaultKind::DomainLost) {
                // Later: the other one waits for us.
                others.lock().unwrap().push(format!("{fault:?}"));
            }
            together.wait();
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(|| fails(true));
        fails(false);
    });
    assert_eq!(*others.lock().unwrap(), [""; 0]);
}

/// What the kernel asks of a file's server may take it for ever, as a handler of the program does here that stands for it: others map
/// meanwhile, and discard the instance.
#[test]
fn a_file_whose_server_does_not_answer() {
    const NAME: &str = "a_file_whose_server_does_not_answer";
    const PLACE: usize = 0x7000_0000_0000 - (1 << 30);
    static ASKED: AtomicBool = AtomicBool::new(false);
    static ANSWERED: AtomicBool = AtomicBool::new(false);
    static OF_FILE: AtomicI32 = AtomicI32::new(-1);
    extern "C" fn answer(_: i32, _: *mut libc::siginfo_t, context: *mut libc::ucontext_t) {
        ASKED.store(true, Ordering::SeqCst);
        while !ANSWERED.load(Ordering::SeqCst) {
            // SAFETY: waits.
            unsafe { libc::usleep(1000) };
        }
        // SAFETY: of the system call; a mapping that the kernel could have made there itself.
        unsafe {
            let registers = &mut (*context).uc_mcontext.gregs;
            registers[libc::REG_RAX as usize] = match registers[libc::REG_RAX as usize] {
                libc::SYS_mmap => {
                    let file = OF_FILE.load(Ordering::SeqCst);
                    libc::syscall(
                        libc::SYS_mmap,
                        PLACE,
                        PAGE,
                        NONE,
                        libc::MAP_PRIVATE | libc::MAP_FIXED_NOREPLACE,
                        file,
                        0,
                    )
                }
                _ => (-libc::EIO).into(),
            };
        }
    }
    let Some(role) = role() else {
        if isolation() {
            for role in ["fstatfs", "mmap"] {
                assert_eq!(End::from(&child(NAME, role)), End::Status(79), "{role}");
            }
        }
        return;
    };
    let is_mapped = || std::fs::read_to_string("/proc/self/maps").unwrap().contains("mapped");
    assert_eq!(inside(|| map(PAGE, READ).is_null()), Ok(false));
    let file = file(c"text", PAGE);
    // SAFETY: numbers of files, and a handler.
    unsafe {
        OF_FILE.store(libc::dup(file), Ordering::SeqCst);
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = answer as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        assert_eq!(libc::sigaction(libc::SIGSYS, &action, ptr::null_mut()), 0);
    }
    let (call, argument) = if role == "mmap" { (libc::SYS_mmap, 4) } else { (libc::SYS_fstatfs, 0) };
    give_up_where(call, &[(argument, file as u32)], libc::SECCOMP_RET_TRAP);
    let waiting = std::thread::spawn(move || {
        inside(move || map_at(ptr::null_mut(), PAGE, READ, libc::MAP_PRIVATE, file).is_null())
    });
    while !ASKED.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        assert_eq!(inside(|| map(PAGE, READ).is_null()), Ok(false));
        // SAFETY: ends the call.
        assert_eq!(inside::<()>(|| unsafe { libc::abort() }).unwrap_err().kind(), &FaultKind::Abort);
        assert_eq!(inside(|| map(PAGE, READ).is_null()), Ok(false));
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(20)).expect("nobody waits");
    ANSWERED.store(true, Ordering::SeqCst);
    assert_eq!(waiting.join().unwrap().unwrap_err().kind(), &FaultKind::DomainLost);
    assert!(!is_mapped());
    std::process::exit(79);
}

#[test]
fn memory_that_is_zero_and_can_be_written() {
    check(
        || {
            let map = map(10 * PAGE, WRITE);
            let was = (0..10 * PAGE).map(|at| get(map.wrapping_add(at)) as usize).sum::<usize>();
            (0..10 * PAGE).for_each(|at| put(map.wrapping_add(at), 1));
            let is = (0..10 * PAGE).map(|at| get(map.wrapping_add(at)) as usize).sum::<usize>();
            (was, is, unmap(map, 10 * PAGE))
        },
        (0, 10 * PAGE, 0),
    );
}

#[test]
fn parts_are_unmapped_and_used_again() {
    check(
        || {
            let map = map(8 * PAGE, WRITE);
            put(map.wrapping_add(3 * PAGE), 7);
            let unmapped = unmap(map.wrapping_add(2 * PAGE), 4 * PAGE);
            let again = map_at(map.wrapping_add(3 * PAGE), PAGE, WRITE, OWN | libc::MAP_FIXED, -1);
            (unmapped, again == map.wrapping_add(3 * PAGE), get(again), get(map.wrapping_add(6 * PAGE)))
        },
        (0, true, 0, 0),
    );
}

#[test]
fn what_was_unmapped_is_gone() {
    let is_unmapped = |kind: &FaultKind| matches!(kind, FaultKind::Unmapped { .. });
    check_fault(
        || {
            let map = map(PAGE, WRITE);
            unmap(map, PAGE);
            get(map);
        },
        is_unmapped,
    );
    check_fault(
        || {
            let map = map(PAGE, WRITE);
            unmap(map, PAGE);
            put(map, 1);
        },
        is_unmapped,
    );
}

#[test]
fn rights() {
    let is_protection = |kind: &FaultKind| matches!(kind, FaultKind::Protection { key: 1.., .. });
    check_fault(|| put(map(PAGE, READ), 1), is_protection);
    check_fault(|| _ = get(map(PAGE, NONE)), is_protection);
    // As allocators reserve, and use as they need; and as guards are made.
    check(
        || {
            let map = map(4 * PAGE, NONE);
            let opened = protect(map.wrapping_add(PAGE), PAGE, WRITE);
            put(map.wrapping_add(PAGE), 5);
            let closed = protect(map.wrapping_add(PAGE), PAGE, READ);
            (opened, closed, get(map.wrapping_add(PAGE)))
        },
        (0, 0, 5),
    );
    check_fault(
        || {
            let map = map(2 * PAGE, WRITE);
            protect(map.wrapping_add(PAGE), PAGE, NONE);
            put(map.wrapping_add(2 * PAGE - 1), 1);
        },
        is_protection,
    );
}

#[test]
fn nothing_to_execute() {
    check(|| map(PAGE, WRITE | libc::PROT_EXEC).is_null(), true);
    check(|| protect(map(PAGE, WRITE), PAGE, READ | libc::PROT_EXEC), -libc::EACCES);
    // Nor by the way of having all that can be read executed.
    check(
        || {
            let reserved = map(PAGE, NONE);
            // SAFETY: a setting of this thread, put back at once.
            unsafe {
                let before = libc::personality(0xffff_ffff);
                libc::personality((before | libc::READ_IMPLIES_EXEC) as libc::c_ulong);
                let refused = (map(PAGE, READ).is_null(), protect(reserved, PAGE, READ));
                libc::personality(before as libc::c_ulong);
                refused
            }
        },
        (true, -libc::EACCES),
    );
}

/// Sandboxes refuse to tell the personality, as systemd's `LockPersonality=` does: no reason to map nothing.
#[test]
fn a_personality_that_is_not_told() {
    const NAME: &str = "a_personality_that_is_not_told";
    let Some(role) = role() else {
        if isolation() {
            for role in ["usual", "executing"] {
                assert_eq!(End::from(&child(NAME, role)), End::Status(79), "{role}");
            }
        }
        return;
    };
    let executing = role == "executing";
    assert_eq!(inside(|| map(PAGE, READ).is_null()), Ok(false));
    if executing {
        // SAFETY: a setting of this thread.
        unsafe { libc::personality(libc::READ_IMPLIES_EXEC as libc::c_ulong) };
    }
    give_up(libc::SYS_personality, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);
    assert_eq!(inside(|| map(PAGE, READ).is_null()), Ok(executing));
    std::process::exit(79);
}

/// Others have a handler of the program answer system calls.
#[test]
fn system_calls_that_are_trapped() {
    const NAME: &str = "system_calls_that_are_trapped";
    static TRAPPED: AtomicU8 = AtomicU8::new(0);
    extern "C" fn refuse(_: i32, _: *mut libc::siginfo_t, context: *mut libc::ucontext_t) {
        TRAPPED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: of the system call.
        unsafe { (*context).uc_mcontext.gregs[libc::REG_RAX as usize] = (-libc::ENOMEM).into() };
    }
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "child")), End::Status(79));
        }
        return;
    }
    assert_eq!(inside(|| map(PAGE, READ).is_null()), Ok(false));
    // SAFETY: a handler.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = refuse as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        assert_eq!(libc::sigaction(libc::SIGSYS, &action, ptr::null_mut()), 0);
    }
    // With which a mapping comes to its place.
    give_up(libc::SYS_mremap, libc::SECCOMP_RET_TRAP);
    assert_eq!(inside(|| map(PAGE, READ).is_null()), Ok(true));
    assert_ne!(TRAPPED.load(Ordering::Relaxed), 0);
    std::process::exit(79);
}

#[test]
fn remapping() {
    check(
        || {
            let old = map(2 * PAGE, WRITE);
            put(old.wrapping_add(PAGE), 9);
            let new = remap(old, 2 * PAGE, 100 * PAGE, libc::MREMAP_MAYMOVE);
            put(new.wrapping_add(99 * PAGE), 1);
            let kept = get(new.wrapping_add(PAGE));
            // In place, and no more than there is.
            let shorter = remap(new, 100 * PAGE, PAGE, 0) == new;
            (kept, shorter, remap(new, PAGE, 2 * PAGE, 0).is_null(), protect(old, PAGE, READ))
        },
        (9, true, true, -libc::ENOMEM),
    );
    check_fault(
        || {
            let old = map(PAGE, WRITE);
            remap(old, PAGE, 2 * PAGE, libc::MREMAP_MAYMOVE);
            get(old);
        },
        |kind| matches!(kind, FaultKind::Unmapped { .. }),
    );
}

/// What the kernel cannot put where it is to go is where it was, with what it held.
#[test]
fn remapping_that_fails() {
    const NAME: &str = "remapping_that_fails";
    const FIXED: i32 = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "child")), End::Status(79));
        }
        return;
    }
    let map = inside(|| {
        let map = map(2 * PAGE, WRITE);
        (0..2).for_each(|page| put(map.wrapping_add(page * PAGE), 7));
        map
    });
    let map = map.unwrap();
    // Whole and grown to its new place, but not back.
    let grown = [(2, 3 * PAGE as u32), (3, FIXED as u32)];
    give_up_where(libc::SYS_mremap, &grown, libc::SECCOMP_RET_ERRNO | libc::ENOMEM as u32);
    let is_there = move || {
        let failed = remap(map, 2 * PAGE, 3 * PAGE, libc::MREMAP_MAYMOVE).is_null();
        let held = [get(map), get(map.wrapping_add(PAGE))];
        put(map, 8);
        (failed, held, get(remap(map, 2 * PAGE, 4 * PAGE, libc::MREMAP_MAYMOVE)))
    };
    assert_eq!(inside(is_there), Ok((true, [7, 7], 8)));
    std::process::exit(79);
}

/// Nobody goes on with what was lost on the way.
#[test]
fn remapping_that_loses_what_it_moves() {
    const NAME: &str = "remapping_that_loses_what_it_moves";
    const FIXED: i32 = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "child")), End::Status(79));
        }
        return;
    }
    let map = inside(|| map(PAGE, WRITE)).unwrap();
    assert_eq!(inside(move || put(map, 7)), Ok(()));
    // Neither to its new place nor back.
    give_up_where(libc::SYS_mremap, &[(3, FIXED as u32)], libc::SECCOMP_RET_ERRNO | libc::ENOMEM as u32);
    let fault = inside(move || remap(map, PAGE, 3 * PAGE, libc::MREMAP_MAYMOVE).is_null()).unwrap_err();
    assert_eq!(fault.kind(), &FaultKind::DomainLost);
    assert_eq!(inside(move || get(map)).unwrap_err().address(), Some(map.addr()));
    std::process::exit(79);
}

#[test]
fn advice() {
    check(
        || {
            let map = map(PAGE, WRITE);
            put(map, 1);
            let advise = |advice| self::advise(map, PAGE, advice);
            // The last would take the page from the child of a fork.
            (advise(libc::MADV_DONTNEED), get(map), advise(libc::MADV_DONTFORK))
        },
        (0, 0, -libc::EINVAL),
    );
}

/// Hints that the kernel keeps for each page, and such as take their time, are left out: they would part the mapping into as many as the
/// process may have, and keep other threads waiting.
#[test]
fn hints() {
    let Some(_turn) = begin() else { return };
    let lines = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    let before = lines();
    let parted = inside(|| {
        let map = map(1 << 30, NONE);
        (0..1000).map(|at| advise(map.wrapping_add(2 * at * PAGE), PAGE, libc::MADV_DONTDUMP)).sum::<i32>()
    });
    assert_eq!(parted, Ok(0));
    assert!(lines() < before + 200, "{before} mappings became {}", lines());
    let tables = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmPTE:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
    };
    let before = tables();
    assert_eq!(inside(|| advise(map(2 << 30, READ), 2 << 30, libc::MADV_POPULATE_READ)), Ok(0));
    assert!(tables() < before + 1024, "{before} KiB of page tables became {}", tables());
}

/// What was asked for once, in vain or not, costs nothing later.
#[test]
fn much_address_space() {
    let Some(_turn) = begin() else { return };
    let most = (256 << 30) - PAGE;
    let refused = inside(move || map_at(ptr::null_mut(), most, READ, libc::MAP_PRIVATE, 9999).is_null());
    assert_eq!(refused, Ok(true));
    assert_eq!(inside(|| unmap(map(64 << 30, NONE), 64 << 30)), Ok(0));
    let begun = Instant::now();
    assert_eq!(inside(|| (0..200).map(|_| unmap(map(PAGE, WRITE), PAGE)).sum::<i32>()), Ok(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn files() {
    let Some(_turn) = begin() else { return };
    let shared = file(c"what the file holds", 3 * PAGE);
    let read = inside(move || {
        let map = map_at(ptr::null_mut(), 3 * PAGE, WRITE, libc::MAP_SHARED, shared);
        let own = map_at(ptr::null_mut(), 3 * PAGE, WRITE, libc::MAP_PRIVATE, shared);
        put(own.wrapping_add(1), b'X');
        put(map, b'W');
        let grown = remap(map, 3 * PAGE, 5 * PAGE, libc::MREMAP_MAYMOVE);
        put(grown.wrapping_add(5), b'T');
        // SAFETY: a mapping of the domain's.
        let synced = unsafe { libc::msync(grown.cast(), PAGE, libc::MS_SYNC) };
        (get(own.wrapping_add(1)), get(grown.wrapping_add(1)), synced)
    });
    assert_eq!(read.unwrap(), (b'X', b'h', 0));
    let mut text = [0u8; 10];
    // SAFETY: a file, and room.
    assert_eq!(unsafe { libc::pread(shared, text.as_mut_ptr().cast(), 10, 0) }, 10);
    assert_eq!(&text, b"What The f");
    // Nor pages of other sizes.
    // SAFETY: a file in memory; without room for any such page it cannot be had, which is as well.
    let huge = unsafe { libc::memfd_create(c"huge".as_ptr(), libc::MFD_HUGETLB) };
    let room = inside(|| map(4 << 20, NONE)).unwrap();
    let whole = room.map_addr(|address| address.next_multiple_of(2 << 20));
    for kind in [libc::MAP_SHARED, libc::MAP_PRIVATE] {
        assert_eq!(inside(move || map_at(whole, 2 << 20, READ, kind | libc::MAP_FIXED, huge).is_null()), Ok(true));
    }
    // What cannot be mapped leaves what is there as it was.
    let kept = inside(move || {
        let map = map(PAGE, WRITE);
        put(map, 3);
        let failed = map_at(map, PAGE, WRITE, libc::MAP_SHARED | libc::MAP_FIXED, 12345);
        (failed.is_null(), get(map))
    });
    assert_eq!(kept.unwrap(), (true, 3));
}

#[test]
fn what_the_program_is_told_of_it() {
    let Some(_turn) = begin() else { return };
    let file = file(c"in a file", PAGE);
    // SAFETY: returns pointers, which are checked.
    unsafe {
        let mut call = DOMAIN.call("tell").unwrap();
        let text = call.run(move || map_at(ptr::null_mut(), PAGE, READ, libc::MAP_SHARED, file)).unwrap();
        assert_eq!(call.string(text.cast()).unwrap().as_deref(), Some(c"in a file"));
        assert_eq!(call.slice(text.wrapping_add(3), 6).unwrap(), b"a file");
        assert!(call.adopt(text).is_ok());
        // Up to its end, and no further.
        assert_eq!(call.slice(text, PAGE).unwrap().len(), PAGE);
        assert!(matches!(call.slice(text, PAGE + 1).unwrap_err().kind(), FaultKind::InvalidValue { .. }));
        // However much is reserved, no more is copied than the domain may have of memory.
        let large = call.run(|| map(1 << 30, READ)).unwrap();
        assert_eq!(call.slice(large, LIMIT).unwrap().len(), LIMIT);
        assert!(matches!(call.slice(large, LIMIT + PAGE).unwrap_err().kind(), FaultKind::InvalidValue { .. }));
        // Nor more objects made than would lie there.
        let objects = large.cast::<[usize; 2]>();
        assert_eq!(call.adopt_all(objects, 100).unwrap().len(), 100);
        assert!(matches!(call.adopt_all(objects, 1 << 26).unwrap_err().kind(), FaultKind::InvalidValue { .. }));
        assert!(matches!(call.adopt_all(objects, usize::MAX).unwrap_err().kind(), FaultKind::InvalidValue { .. }));
        // What can be written goes on where it can only be read.
        let mixed = call.run(|| {
            let map = map(2 * PAGE, WRITE);
            protect(map.wrapping_add(PAGE), PAGE, READ);
            map
        });
        assert_eq!(call.slice(mixed.unwrap(), 2 * PAGE).map(|bytes| bytes.len()), Ok(2 * PAGE));
        let gone: [fn(*mut u8) -> i32; 2] = [|map| unmap(map, PAGE), |map| protect(map, PAGE, NONE)];
        for end in gone {
            let gone = call.run(move || {
                let map = map(PAGE, WRITE);
                end(map);
                map
            });
            assert!(matches!(call.slice(gone.unwrap(), 1).unwrap_err().kind(), FaultKind::InvalidValue { .. }));
        }
    }
}

/// What a domain names that is not its own mapping stays as it is, and the call goes on: the program's memory, another domain's, its
/// own heap and stack, and what nobody has.
#[test]
fn b8_memory_of_others() {
    const NAME: &str = "b8_memory_of_others";
    type Attack = fn(*mut u8) -> i32;
    let attacks: [(Attack, i32); 7] = [
        (|at| unmap(at, PAGE), -libc::EINVAL),
        (|at| protect(at, PAGE, READ), -libc::ENOMEM),
        // SAFETY: these, too, change nothing of the program's when they are made inside.
        (|at| or_errno(unsafe { libc::madvise(at.cast(), PAGE, libc::MADV_DONTNEED) }), -libc::ENOMEM),
        (|at| i32::from(!map_at(at, PAGE, WRITE, OWN | libc::MAP_FIXED, -1).is_null()), 0),
        (|at| i32::from(!remap(at, PAGE, 2 * PAGE, libc::MREMAP_MAYMOVE).is_null()), 0),
        (
            |at| {
                let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
                // SAFETY: as above.
                let moved = unsafe { libc::mremap(map(PAGE, WRITE).cast(), PAGE, PAGE, flags, at) };
                i32::from(moved != libc::MAP_FAILED)
            },
            0,
        ),
        // From its own into what is not.
        (
            |at| {
                let own = map(PAGE, WRITE);
                let distance = at.addr().wrapping_sub(own.addr());
                unmap(own, distance)
            },
            -libc::EINVAL,
        ),
    ];
    // (With another page behind it, so that it cannot grow where it is.)
    let victim = map(2 * PAGE, WRITE);
    put(victim, 7);
    if let Some(role) = role() {
        // Without the defence.
        let _ = attacks[role.parse::<usize>().unwrap()].0(victim);
        put(victim, get(victim) + 1);
        std::process::exit(if get(victim) == 8 { 78 } else { 77 });
    }
    let Some(_turn) = begin() else { return };
    for (attack, expected) in attacks {
        let victims = [
            victim,
            // SAFETY: allocates.
            inside(|| unsafe { libc::memalign(PAGE, PAGE).cast() }).unwrap(),
            inside(|| {
                let local = 0u8;
                ptr::without_provenance_mut((&raw const local).addr() & !(PAGE - 1))
            })
            .unwrap(),
            // SAFETY: allocates in the other domain.
            unsafe { OTHER.call("allocate").unwrap().run(|| libc::memalign(PAGE, PAGE).cast()) }.unwrap(),
            ptr::without_provenance_mut(0x1000),
            ptr::without_provenance_mut(0x7fff_ffff_f000),
            ptr::without_provenance_mut(usize::MAX & !(PAGE - 1)),
        ];
        for (number, at) in victims.into_iter().enumerate() {
            assert_eq!(inside(move || attack(at)), Ok(expected), "victim {number}");
        }
        assert_eq!(get(victim), 7);
    }
    // Six change what was there, or end the process; the last does what it did inside: there is nothing of the kind to unmap.
    for (number, end) in [
        End::Signal(libc::SIGSEGV),
        End::Signal(libc::SIGSEGV),
        End::Status(77),
        End::Status(77),
        End::Signal(libc::SIGSEGV),
        End::Status(77),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(End::from(&child(NAME, &number.to_string())), end, "attack {number} in the program");
    }
}

#[test]
fn another_domain_sees_nothing_of_it() {
    let Some(_turn) = begin() else { return };
    let file = file(c"a secret", PAGE);
    let secret = inside(move || map_at(ptr::null_mut(), PAGE, READ, libc::MAP_SHARED, file)).unwrap();
    // SAFETY: reads what is not its own.
    let fault = unsafe { OTHER.call("read").unwrap().run(move || get(secret)) }.unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::Protection { key: 1.., write: false, .. }), "{fault}");
    assert_eq!(fault.memory(), Some(&Memory::Domain { name: "mapping", part: Part::Mapping }));
}

#[test]
fn arguments_that_make_no_sense() {
    check(
        || {
            let refused = |len: usize, flags: i32| map_at(ptr::null_mut(), len, WRITE, flags, -1).is_null();
            let map = map(2 * PAGE, WRITE);
            [
                refused(0, OWN),
                refused(usize::MAX, OWN),
                refused(isize::MAX as usize, OWN),
                refused(1 << 40, OWN | libc::MAP_NORESERVE),
                refused(PAGE, libc::MAP_ANONYMOUS),
                refused(PAGE, OWN | libc::MAP_HUGETLB),
                refused(PAGE, libc::MAP_PRIVATE),
                unmap(map.wrapping_add(1), PAGE) == -libc::EINVAL,
                unmap(map, 0) == -libc::EINVAL,
                unmap(map, usize::MAX) == -libc::EINVAL,
                unmap(map.wrapping_add(PAGE), PAGE) == 0 && protect(map, 2 * PAGE, READ) == -libc::ENOMEM,
                protect(map, PAGE, 0x100) == -libc::EINVAL,
                protect(map, usize::MAX, READ) == -libc::ENOMEM,
                remap(map, PAGE, usize::MAX, libc::MREMAP_MAYMOVE).is_null(),
                remap(map, 0, PAGE, libc::MREMAP_MAYMOVE).is_null(),
                remap(map, PAGE, PAGE, libc::MREMAP_FIXED).is_null(),
                // What is there is still.
                get(map) == 0,
            ]
        },
        [true; 17],
    );
}

/// Memory counts against the limit of the heap; address space and files do not.
#[test]
fn limits() {
    static SMALL: Domain = Domain::new("small").heap_limit(4 << 20);
    let Some(_turn) = begin() else { return };
    // SAFETY: returns numbers.
    let inside = |f: fn() -> [bool; 4]| unsafe { SMALL.call("limits").unwrap().run(f) }.unwrap();
    let is_there = [true; 4];
    assert_eq!(
        inside(|| {
            let large = map(3 << 20, WRITE);
            let more = map(3 << 20, WRITE);
            let block = large_block();
            let reserved = map(8 << 30, NONE);
            unmap(large, 3 << 20);
            let again = map(3 << 20, WRITE);
            unmap(again, 3 << 20);
            unmap(reserved, 8 << 30);
            [!large.is_null(), more.is_null() && block, !reserved.is_null(), !again.is_null()]
        }),
        is_there
    );
    // What was reserved counts once it is opened, and when it is mapped by way of a file only as its own memory.
    assert_eq!(
        inside(|| {
            let reserved = map(8 << 20, NONE);
            let opened = protect(reserved, 3 << 20, WRITE);
            let again = protect(reserved, 3 << 20, WRITE);
            let more = protect(reserved, 5 << 20, WRITE);
            let shared = map_at(ptr::null_mut(), 3 << 20, READ, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1);
            let is_refused = more == -libc::ENOMEM && shared.is_null();
            let unmapped = unmap(reserved, 8 << 20);
            let shared = map_at(ptr::null_mut(), 3 << 20, READ, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1);
            // The same by its old name.
            // SAFETY: opens a file.
            let zero = unsafe { libc::open(c"/dev/zero".as_ptr(), libc::O_RDWR) };
            let is_refused = is_refused && map_at(ptr::null_mut(), 3 << 20, READ, libc::MAP_SHARED, zero).is_null();
            unmap(shared, 3 << 20);
            let old_name = map_at(ptr::null_mut(), 3 << 20, READ, libc::MAP_SHARED, zero);
            // SAFETY: closes it.
            unsafe { libc::close(zero) };
            [opened == 0 && again == 0, is_refused, unmapped == 0, !shared.is_null() && unmap(old_name, 3 << 20) == 0]
        }),
        is_there
    );
    // Not even what was written, and closed, and moved.
    assert_eq!(
        inside(|| {
            let reserved = map(64 << 20, NONE);
            let opened = protect(reserved, 3 << 20, WRITE);
            (0..768).for_each(|page| put(reserved.wrapping_add(page * PAGE), 1));
            let closed = protect(reserved, 3 << 20, NONE);
            let moved = remap(reserved, 64 << 20, 65 << 20, libc::MREMAP_MAYMOVE);
            let more = protect(reserved.wrapping_add(4 << 20), 3 << 20, WRITE);
            let kept = unmap(reserved, 64 << 20);
            [opened == 0, closed == 0, moved.is_null() || more != 0, kept == 0]
        }),
        is_there
    );
    // Nor is what a fault has taken counted: of the heap, or of mappings.
    for fill in
        [(|| while !std::hint::black_box(large_block_of(64 << 10)).is_null() {}) as fn(), || _ = map(3 << 20, WRITE)]
    {
        // SAFETY: fails.
        let fault = unsafe {
            SMALL.call("fill").unwrap().run(move || {
                fill();
                std::arch::asm!("mov byte ptr [8], 0")
            })
        };
        assert_eq!(fault.unwrap_err().address(), Some(8));
        assert_eq!(inside(|| [!map(2 << 20, WRITE).is_null(); 4]), is_there);
        assert_eq!(inside(|| [large_block(); 4]), is_there);
        // SAFETY: as above.
        let _ = unsafe { SMALL.call("fault").unwrap().run(|| std::arch::asm!("mov byte ptr [8], 0")) };
    }
    // Every other page is another mapping of the kernel's, of which the process needs some, too.
    assert_eq!(
        inside(|| {
            let map = map(1 << 20, NONE);
            let many = super_map(1 << 16);
            let mut parted = 0;
            while parted < 1 << 15 && protect(many.wrapping_add(2 * PAGE * parted), PAGE, READ) == 0 {
                parted += 1;
            }
            let full = unmap(map.wrapping_add(PAGE), PAGE) == -libc::ENOMEM;
            // Whole mappings can be given up all the same.
            let whole = unmap(many, PAGE << 16) == 0;
            [parted > 500, parted < 1100, full, whole && unmap(map, 1 << 20) == 0]
        }),
        is_there
    );
}

fn super_map(pages: usize) -> *mut u8 {
    map(pages * PAGE, NONE)
}

/// Whether there is no room for a large block.
fn large_block() -> bool {
    large_block_of(3 << 20).is_null()
}

fn large_block_of(size: usize) -> *mut libc::c_void {
    // SAFETY: allocates.
    std::hint::black_box(unsafe { libc::malloc(size) })
}

/// Locked memory stays where it is for the kernel, and is gone after a fault all the same; nor is what was there taken for the domain's.
#[test]
fn locked() {
    const NAME: &str = "locked";
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "child")), End::Status(79));
        }
        return;
    }
    let places = inside(|| (map(100 * PAGE, WRITE), 0)).unwrap();
    // SAFETY: of this process, which is a child: as a program does that has no time to wait for pages.
    let locks = unsafe { libc::mlockall(libc::MCL_CURRENT) };
    assert_eq!(locks, 0, "{}", std::io::Error::last_os_error());
    let fault = inside(move || {
        let block = large_block_of(1 << 20).cast::<u8>();
        put(block.wrapping_add(1 << 19), 9);
        put(places.0, 9);
        // SAFETY: the fault.
        unsafe { std::arch::asm!("mov byte ptr [8], 0") };
    });
    assert_eq!(fault.unwrap_err().address(), Some(8));
    // SAFETY: returns what is checked.
    let told = unsafe {
        let mut call = DOMAIN.call("tell").unwrap();
        call.run(move || ()).unwrap();
        call.slice(places.0, PAGE)
    };
    assert!(matches!(told.unwrap_err().kind(), FaultKind::InvalidValue { .. }));
    // As much as ever may be mapped, and what the heap held is gone.
    let again = inside(|| {
        let block = large_block_of(1 << 20).cast::<u8>();
        let map = map(LIMIT / 2, WRITE);
        (get(block.wrapping_add(1 << 19)), map.is_null(), unmap(map, LIMIT / 2))
    });
    assert_eq!(again, Ok((0, false, 0)));
    std::process::exit(79);
}

/// Nor has the domain anything of what the kernel does not take back.
#[test]
fn faults_without_room_for_mappings() {
    const NAME: &str = "faults_without_room_for_mappings";
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "child")), End::Status(79));
        }
        return;
    }
    let file = file(c"text", PAGE);
    let place = inside(move || map_at(ptr::null_mut(), PAGE, WRITE, libc::MAP_SHARED, file)).unwrap();
    const MUCH: usize = 8 << 20;
    let resident = || {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * PAGE
    };
    let before = resident();
    // SAFETY: so many bytes.
    assert_eq!(inside(|| unsafe { map(MUCH, WRITE).write_bytes(1, MUCH) }), Ok(()));
    // As where the process has as many mappings as it may.
    give_up(libc::SYS_mmap, libc::SECCOMP_RET_ERRNO | libc::ENOMEM as u32);
    let fault = || {
        // SAFETY: the fault.
        assert!(inside(|| unsafe { std::arch::asm!("mov byte ptr [8], 0") }).is_err());
    };
    for _ in 0..2 {
        fault();
        assert_eq!(
            inside(move || [protect(place, PAGE, WRITE), unmap(place, PAGE)]),
            Ok([-libc::ENOMEM, -libc::EINVAL])
        );
        assert_eq!(inside(move || put(place, b'n')).unwrap_err().address(), Some(place.addr()));
        // Nor is there memory that counts no more.
        assert!(resident() < before + MUCH / 2, "{before} bytes became {}", resident());
    }
    let mut byte = 0u8;
    // SAFETY: a byte of a file.
    unsafe { libc::pread(file, (&raw mut byte).cast(), 1, 0) };
    assert_eq!(byte, b't');
    std::process::exit(79);
}

/// After a fault nothing of it is left: no file, no memory, no mapping, however often.
#[test]
fn faults_leave_nothing_behind() {
    const NAME: &str = "faults_leave_nothing_behind";
    // In a child: other tests of this process map, too.
    if role().is_none() {
        if isolation() {
            let output = child(NAME, "child");
            assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stdout));
        }
        return;
    }
    let file = file(c"as it was", 64 * PAGE);
    let fault = || {
        let fault = inside(move || {
            let own = map(100 * PAGE, WRITE);
            // SAFETY: so many bytes.
            unsafe { own.write_bytes(1, 100 * PAGE) };
            let shared = map_at(ptr::null_mut(), 64 * PAGE, WRITE, libc::MAP_SHARED, file);
            put(shared.wrapping_add(PAGE), 1);
            (0..20).for_each(|at| _ = protect(own.wrapping_add(2 * at * PAGE), PAGE, NONE));
            // SAFETY: the fault.
            unsafe { std::arch::asm!("mov byte ptr [8], 0") };
        });
        assert_eq!(fault.unwrap_err().address(), Some(8));
    };
    let status = || {
        let read = |path| std::fs::read_to_string(path).unwrap();
        let resident: usize = read("/proc/self/statm").split(' ').nth(1).unwrap().parse().unwrap();
        let maps = read("/proc/self/maps");
        (resident, maps.lines().count(), maps.contains("mapped"))
    };
    (0..50).for_each(|_| fault());
    let before = status();
    (0..2000).for_each(|_| fault());
    let after = status();
    assert!(after.0 < before.0 + 64, "resident pages: {before:?} became {after:?}");
    assert!(after.1 <= before.1 + 2, "mappings: {before:?} became {after:?}");
    assert!(!after.2, "the file is mapped still");
    // What is written where it was does not reach it.
    let at_zero = inside(|| {
        let own = map(164 * PAGE, WRITE);
        let sum: usize = (0..164 * PAGE).map(|at| get(own.wrapping_add(at)) as usize).sum();
        // SAFETY: so many bytes.
        unsafe { own.write_bytes(7, 164 * PAGE) };
        sum
    });
    assert_eq!(at_zero.unwrap(), 0);
    let mut text = [0u8; 9];
    // SAFETY: a file, and room.
    assert_eq!(unsafe { libc::pread(file, text.as_mut_ptr().cast(), 9, 0) }, 9);
    assert_eq!(&text, b"as it was");
}

/// The program reads what the domain has told, and the file has become shorter since, or was never as long.
#[test]
fn a_file_that_ends_before_its_mapping() {
    const NAME: &str = "a_file_that_ends_before_its_mapping";
    let file = file(c"text", PAGE);
    if role().as_deref() == Some("control") {
        let map = map_at(ptr::null_mut(), 2 * PAGE, READ, libc::MAP_SHARED, file);
        get(map.wrapping_add(PAGE));
        std::process::exit(78);
    }
    if role().is_some() {
        let large = self::file(c"all", 300 * PAGE);
        for round in 0..100 {
            // SAFETY: returns pointers, which are checked.
            unsafe {
                let mut call = DOMAIN.call("tell").unwrap();
                let (other, told) = call
                    .run(move || {
                        let other = map(PAGE, WRITE);
                        put(other, 7);
                        (other, map_at(ptr::null_mut(), 300 * PAGE, READ, libc::MAP_SHARED, large))
                    })
                    .unwrap();
                assert_eq!(call.slice(told, 300 * PAGE).map(|bytes| bytes.len()), Ok(300 * PAGE));
                assert_eq!(libc::ftruncate(large, PAGE as i64), 0);
                assert_eq!(call.slice(told, PAGE).map(|bytes| bytes[0]), Ok(b'a'));
                // No zeros, and nothing that comes after them: the call is over, and what it has mapped is gone.
                let fault = match round % 2 {
                    0 => call.slice(told, 300 * PAGE).map(drop),
                    _ => call.string(told.wrapping_add(PAGE).cast()).map(drop),
                };
                let fault = fault.unwrap_err();
                let gone = told.addr() + PAGE..told.addr() + 300 * PAGE;
                assert!(matches!(fault.kind(), FaultKind::Bus { address } if gone.contains(address)), "{fault}");
                assert!(fault.discarded_instance());
                assert_eq!(call.run(move || get(other)).unwrap_err().kind(), &FaultKind::DomainLost);
                assert_eq!(libc::ftruncate(large, 300 * PAGE as i64), 0);
                assert_eq!(libc::pwrite(large, c"a".as_ptr().cast(), 1, 0), 1);
            }
        }
        // However often, there is an end to it.
        let mappings = std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
        assert!(mappings < 500, "{mappings}");
        // And a fault of the domain's own is one.
        let fault = inside(move || {
            let map = map_at(ptr::null_mut(), 2 * PAGE, READ, libc::MAP_SHARED, file);
            get(map.wrapping_add(PAGE))
        });
        assert!(matches!(fault.unwrap_err().kind(), FaultKind::Bus { .. }));
        assert_eq!(inside(|| get(map(PAGE, WRITE))), Ok(0));
        std::process::exit(79);
    }
    if isolation() {
        assert_eq!(End::from(&child(NAME, "control")), End::Signal(libc::SIGBUS));
        assert_eq!(End::from(&child(NAME, "defended")), End::Status(79));
    }
}

/// The program reads and writes while another thread of the domain unmaps, protects and maps what it looks at.
#[test]
fn unmapped_while_the_program_looks() {
    const NAME: &str = "unmapped_while_the_program_looks";
    static OVER: AtomicBool = AtomicBool::new(false);
    static STEPS: AtomicU8 = AtomicU8::new(0);
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "child")), End::Status(79));
        }
        return;
    }
    let place = inside(|| map(64 * PAGE, WRITE)).unwrap().expose_provenance();
    let until = Instant::now() + Duration::from_secs(10);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !OVER.load(Ordering::Relaxed) {
                let step = STEPS.fetch_add(1, Ordering::Relaxed);
                let moved = inside(move || {
                    let map = ptr::with_exposed_provenance_mut::<u8>(place);
                    match step % 4 {
                        0 => unmap(map, 64 * PAGE),
                        1 => i32::from(map_at(map, 64 * PAGE, WRITE, OWN | libc::MAP_FIXED, -1) != map),
                        2 => protect(map, 64 * PAGE, READ),
                        _ => protect(map, 64 * PAGE, NONE),
                    }
                });
                match moved {
                    Ok(0) => STEPS.store((step + 1) % 4, Ordering::Relaxed),
                    // The program has looked when it was gone, and all is new: the first thing that is mapped lies there again.
                    _ => {
                        let again = inside(|| self::map(64 * PAGE, WRITE).expose_provenance());
                        assert!(again == Ok(place) || again.is_err(), "{again:?}");
                        STEPS.store(0, Ordering::Relaxed);
                    }
                }
            }
        });
        let (mut read, mut refused, mut lost) = (0, 0, 0);
        while Instant::now() < until {
            let call = DOMAIN.call("look").unwrap();
            let map = ptr::with_exposed_provenance_mut::<u8>(place);
            // SAFETY: checked, whatever is there.
            let seen = unsafe {
                let _ = call.inside().give(map.wrapping_add(PAGE), &[1; PAGE]);
                call.slice(map, 64 * PAGE)
            };
            match seen {
                // All of it as it was mapped, or as it was given.
                Ok(bytes) => {
                    assert!(bytes.iter().all(|&byte| byte <= 1));
                    read += 1;
                }
                Err(fault) if matches!(fault.kind(), FaultKind::InvalidValue { .. }) => refused += 1,
                Err(fault) if matches!(fault.kind(), FaultKind::Unmapped { .. } | FaultKind::DomainLost) => lost += 1,
                Err(fault) => panic!("{fault}"),
            }
        }
        OVER.store(true, Ordering::Relaxed);
        println!("{read} read, {refused} refused, {lost} lost");
        assert!(read > 10 && refused > 10, "{read} read, {refused} refused, {lost} lost");
    });
    std::process::exit(79);
}

/// The child of a fork has what the parent had: its own copy of memory, and the same file.
#[test]
fn forks() {
    const NAME: &str = "forks";
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "child")), End::Status(79));
        }
        return;
    }
    let file = file(c"1", PAGE);
    let (own, shared) = inside(move || {
        let (own, shared) = (map(PAGE, WRITE), map_at(ptr::null_mut(), PAGE, WRITE, libc::MAP_SHARED, file));
        put(own, b'1');
        (own, shared)
    })
    .unwrap();
    let (own, shared) = (own.expose_provenance(), shared.expose_provenance());
    let at = move |place: usize| ptr::with_exposed_provenance_mut::<u8>(place);
    // SAFETY: the child uses the domain, and ends at once.
    match unsafe { libc::fork() } {
        0 => {
            let seen = inside(move || {
                let seen = (get(at(own)), get(at(shared)));
                put(at(own), b'2');
                put(at(shared), b'2');
                let more = map(PAGE, WRITE);
                (seen, unmap(more, PAGE))
            });
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(seen != Ok(((b'1', b'1'), 0)))) }
        }
        child => {
            let mut status = -1;
            // SAFETY: waits for the child.
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            assert_eq!(status, 0);
        }
    }
    assert_eq!(inside(move || (get(at(own)), get(at(shared)))), Ok((b'1', b'2')));

    // Where another thread is inside, the domain starts anew in the child.
    static IS_IN: AtomicBool = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let waits = || {
            // SAFETY: says that it is inside, from a closure, and sleeps there.
            unsafe {
                let mut callbacks = isolate_rt::Callbacks::new();
                let says = callbacks.add(|| IS_IN.store(true, Ordering::Release));
                DOMAIN.call("wait").unwrap().run_with(&mut callbacks, || {
                    says();
                    libc::sleep(3)
                })
            }
        };
        threads.spawn(waits);
        while !IS_IN.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        // SAFETY: as above.
        match unsafe { libc::fork() } {
            0 => {
                let gone = inside(move || get(at(own))).map_err(|fault| fault.address());
                let new = inside(|| (get(map(100 * PAGE, WRITE)), unmap(map(PAGE, WRITE), PAGE)));
                // SAFETY: ends the child.
                unsafe { libc::_exit(i32::from(gone != Err(Some(own)) || new != Ok((0, 0)))) }
            }
            child => {
                let mut status = -1;
                // SAFETY: waits for the child.
                assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
                assert_eq!(status, 0);
            }
        }
        assert_eq!(inside(move || get(at(own))), Ok(b'1'));
    });
    std::process::exit(79);
}

/// A handler of the program forks in the middle of a domain's `mmap`: nobody waits for itself, and what the child goes on with is in order.
#[test]
fn forks_in_the_middle() {
    const NAME: &str = "forks_in_the_middle";
    const ENOUGH: u8 = 200;
    static FORKS: AtomicU8 = AtomicU8::new(0);
    static IS_CHILD: AtomicBool = AtomicBool::new(false);
    static TESTER: AtomicI32 = AtomicI32::new(0);
    extern "C" fn fork(signal: i32) {
        let tester = TESTER.load(Ordering::Relaxed);
        // SAFETY: the child goes on with what was interrupted, which another thread passes the signal on to.
        unsafe {
            if libc::gettid() != tester {
                libc::syscall(libc::SYS_tgkill, libc::getpid(), tester, signal);
            } else if FORKS.load(Ordering::Relaxed) < ENOUGH && !IS_CHILD.load(Ordering::Relaxed) {
                FORKS.fetch_add(1, Ordering::Relaxed);
                IS_CHILD.store(libc::fork() == 0, Ordering::Relaxed);
            }
        }
    }
    let Some(role) = role() else {
        if isolation() {
            for role in ["alone", "with another"] {
                assert_eq!(End::from(&child(NAME, role)), End::Status(79), "{role}");
            }
        }
        return;
    };
    let all_in_order = || {
        // Where the domain has started anew, nothing is there that the interrupted call has mapped.
        let is_left = std::fs::read_to_string("/proc/self/maps").unwrap().contains("mapped");
        let mapped = inside(|| (0..20).map(|_| usize::from(map(PAGE, WRITE).is_null())).sum::<usize>());
        let fault = inside(|| {
            map(PAGE, WRITE);
            // SAFETY: the fault.
            unsafe { std::arch::asm!("mov byte ptr [8], 0") }
        });
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        !is_left && mapped == Ok(0) && fault.is_err() && !maps.contains("mapped")
    };
    let file = file(c"text", PAGE);
    assert!(inside(|| map(PAGE, WRITE).is_null()).is_ok());
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    static IS_IN: AtomicBool = AtomicBool::new(false);
    // In the children of that the domain starts anew, each time.
    let other = (role == "with another").then(|| {
        let stay = || {
            // SAFETY: says that it is inside, from a closure, and sleeps there.
            unsafe {
                let mut callbacks = isolate_rt::Callbacks::new();
                let says = callbacks.add(|| IS_IN.store(true, Ordering::Release));
                DOMAIN.call("stay").unwrap().run_with(&mut callbacks, || {
                    says();
                    while !IS_OVER.load(Ordering::Relaxed) {
                        libc::usleep(1000);
                    }
                })
            }
        };
        let other = std::thread::spawn(move || stay().is_ok());
        while !IS_IN.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        other
    });
    // SAFETY: a handler that forks, and a clock.
    unsafe {
        TESTER.store(libc::gettid(), Ordering::Relaxed);
        libc::signal(libc::SIGALRM, fork as *const () as usize);
        let every = libc::timeval { tv_sec: 0, tv_usec: 3000 };
        libc::setitimer(libc::ITIMER_REAL, &libc::itimerval { it_interval: every, it_value: every }, ptr::null_mut());
    }
    let begun = Instant::now();
    while FORKS.load(Ordering::Relaxed) < ENOUGH && !IS_CHILD.load(Ordering::Relaxed) {
        let _ = inside(move || {
            for _ in 0..20 {
                unmap(map_at(ptr::null_mut(), PAGE, WRITE, libc::MAP_SHARED, file), PAGE);
            }
        });
    }
    if IS_CHILD.load(Ordering::Relaxed) {
        // SAFETY: ends the child.
        unsafe { libc::_exit(i32::from(!all_in_order())) };
    }
    // While the process ends there is no signal stack for it.
    // SAFETY: a setting.
    unsafe { libc::signal(libc::SIGALRM, libc::SIG_IGN) };
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    for _ in 0..ENOUGH {
        let mut status = -1;
        // SAFETY: waits for a child.
        assert!(unsafe { libc::wait(&mut status) } > 0, "{}", std::io::Error::last_os_error());
        assert_eq!(status, 0);
    }
    IS_OVER.store(true, Ordering::Relaxed);
    assert!(other.is_none_or(|other| other.join().unwrap()));
    assert!(all_in_order());
    std::process::exit(79);
}

/// A handler for forks of the program's that is registered before the runtime's runs while that holds what others wait for: these do
/// not keep waiting when their call is over.
#[test]
fn faults_while_a_fork_is_prepared() {
    const NAME: &str = "faults_while_a_fork_is_prepared";
    static IS_ON: AtomicBool = AtomicBool::new(false);
    static IS_IN: AtomicBool = AtomicBool::new(false);
    static HAS_FAULTED: AtomicBool = AtomicBool::new(false);
    extern "C" fn before() {
        if IS_ON.swap(false, Ordering::Relaxed) {
            // For the other thread to get there.
            std::thread::sleep(Duration::from_millis(300));
            // SAFETY: the fault.
            let fault = inside(|| unsafe { std::arch::asm!("mov byte ptr [8], 0") });
            HAS_FAULTED.store(fault.is_err_and(|fault| fault.address() == Some(8)), Ordering::Relaxed);
        }
    }
    extern "C" fn register() {
        // SAFETY: a function that does nothing as long as nobody wants it.
        unsafe { libc::pthread_atfork(Some(before), None, None) };
    }
    #[used]
    #[unsafe(link_section = ".preinit_array")]
    static REGISTER: extern "C" fn() = register;

    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "child")), End::Status(79));
        }
        return;
    }
    // SAFETY: an end to it, whatever happens.
    unsafe { libc::alarm(100) };
    assert!(inside(|| map(PAGE, WRITE).is_null()).is_ok());
    let other = std::thread::spawn(|| {
        let mut callbacks = isolate_rt::Callbacks::new();
        let says = callbacks.add(|| IS_IN.store(true, Ordering::Relaxed));
        // SAFETY: says that it is inside, and maps as long as that works.
        let mapped = unsafe {
            DOMAIN.call("map").unwrap().run_with(&mut callbacks, || {
                says();
                while unmap(map(PAGE, WRITE), PAGE) == 0 {}
            })
        };
        mapped.unwrap_err()
    });
    while !IS_IN.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
    IS_ON.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    // SAFETY: the child ends.
    unsafe {
        match libc::fork() {
            0 => libc::_exit(0),
            child => assert_eq!(libc::waitpid(child, ptr::null_mut(), 0), child),
        }
    }
    assert!(HAS_FAULTED.load(Ordering::Relaxed));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(other.join().unwrap().kind(), &FaultKind::DomainLost);
    std::process::exit(79);
}

/// The program's own `munmap` of what a domain has mapped is refused: what came there next would be taken for the domain's.
#[test]
fn the_program_unmaps_nothing_of_it() {
    if let Some(_turn) = begin() {
        let map = inside(|| map(PAGE, WRITE)).unwrap();
        assert_eq!(unmap(map, PAGE), -libc::EINVAL);
        assert!(remap(map, PAGE, 2 * PAGE, libc::MREMAP_MAYMOVE).is_null());
        // Nor does it put something in its place, or reach in from beside.
        assert!(map_at(map, PAGE, WRITE, OWN | libc::MAP_FIXED, -1).is_null());
        // Far below.
        let own = map_at(ptr::without_provenance_mut(0x1234_5678_0000), PAGE, WRITE, OWN, -1);
        let fixed = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        // SAFETY: of one page, to where nothing of the program's is.
        assert_eq!(unsafe { libc::mremap(own.cast(), PAGE, PAGE, fixed, map) }, libc::MAP_FAILED);
        assert_eq!(unmap(own, map.addr() - own.addr() + PAGE), -libc::EINVAL);
        assert_eq!((get(own), inside(move || get(map))), (0, Ok(0)));
        unmap(own, PAGE);
    }
}
