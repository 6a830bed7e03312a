//! What somebody does who has corrupted the data of a domain; attacks that do not fit the one shape of `main.rs`.

use super::{
    BEFORE, DOMAIN, OVERWRITTEN, STATIC_VICTIM, UNHARMED, UNPROTECTED, child_ends, heap, in_domain, next_call_works,
    without,
};
use crate::support::{End, isolation, role};
use isolate_rt::{Callbacks, Domain, FaultKind};
use std::arch::asm;
use std::fs;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Faults of the tests here end each other's calls in [`DOMAIN`]: these have their own.
static OWN: Domain = Domain::new("own").heap_limit(1 << 20).stack_size(256 << 10);

/// A string that begins where nothing is.
#[test]
fn b1_string_that_is_none() {
    fn length(domain: &'static Domain) -> Result<usize, isolate_rt::Fault> {
        let call = domain.call("string")?;
        // SAFETY: in the control, none; that is the attack.
        let text = unsafe { call.string(ptr::without_provenance(8)) }?;
        Ok(text.map_or(0, |text| text.as_bytes().len()))
    }
    if role().is_some() {
        std::process::exit(length(&UNPROTECTED).map_or(1, |_| UNHARMED));
    }
    if isolation() {
        assert!(matches!(length(&OWN).unwrap_err().kind(), FaultKind::InvalidValue { .. }));
        child_ends("corruption::b1_string_that_is_none", "control", End::Signal(libc::SIGSEGV));
    }
}

/// Pointers and lengths at random, most of them near what is there: what is taken lies in the domain, or in constants.
#[test]
fn b1_pointers_and_lengths_at_random() {
    const NAME: &str = "corruption::b1_pointers_and_lengths_at_random";
    static ASKED: Domain = Domain::new("asked").heap_limit(1 << 20).stack_size(256 << 10);
    const ROUNDS: usize = 20_000;
    // In a child: other tests of this process map and unmap.
    if role().is_none() {
        if isolation() {
            child_ends(NAME, "isolated", End::Status(0));
        }
        return;
    }
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = || xorshift(&mut state) as usize;
    let mut call = ASKED.call("any").unwrap();
    let staged = call.output::<u8>(1000).unwrap();
    // SAFETY: allocates.
    let block = unsafe { call.run(|| libc::malloc(10_000).addr()) }.unwrap();
    let maps = mappings();
    let key = maps.iter().rfind(|(start, ..)| *start <= block).unwrap().2;
    let is_given = |address: usize| {
        let (_, permissions, of) = maps.iter().rfind(|(start, ..)| *start <= address).unwrap();
        *of == key || permissions.starts_with("r-")
    };
    let edges: Vec<_> =
        maps.iter().map(|(start, ..)| *start).chain([block, staged.as_ptr().addr(), 0, usize::MAX]).collect();
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        let near = |value: usize, by: usize| value.wrapping_add(by % 64).wrapping_sub(32);
        let start = match random() % 4 {
            0 => random(),
            1 => edges[random() % edges.len()].wrapping_add(random() % (1 << 20)),
            _ => near(edges[random() % edges.len()], random()),
        };
        let len = match random() % 4 {
            0 => random(),
            1 => random() % 20_000,
            // So that the end is near an edge, or behind the last address.
            2 => near(edges[random() % edges.len()], random()).wrapping_sub(start),
            _ => near(0usize.wrapping_sub(start), random()),
        };
        let pointer = ptr::with_exposed_provenance::<u8>(start);
        // SAFETY: with isolation nothing is owed.
        let (bytes, words, text) = unsafe {
            (call.values(pointer, len), call.values(pointer.cast::<u64>(), len), call.string(pointer.cast()))
        };
        let lengths = [
            bytes.ok().flatten().map(|bytes| bytes.len()),
            words.ok().flatten().map(|words| 8 * words.len()),
            text.ok().flatten().map(|text| text.as_bytes_with_nul().len()),
        ];
        for length in lengths {
            match length {
                Some(0) => {}
                Some(length) => {
                    taken += 1;
                    let last = start.checked_add(length - 1).expect("no wrap");
                    assert!(is_given(start) && is_given(last), "{start:#x} and {length} bytes are not the domain's");
                }
                None => refused += 1,
            }
        }
        // SAFETY: nothing is called with it.
        if let Ok(Some(_)) = unsafe { call.adopt(pointer.cast_mut().cast::<u64>()) } {
            assert!(is_given(start));
        }
    }
    assert!(taken > ROUNDS / 10 && refused > ROUNDS / 10, "{taken} taken, {refused} refused");
}

/// What a wrapper would do that reads a length twice: once to check it, and once to use it.
fn check_then_use() -> ! {
    static LENGTH: AtomicUsize = AtomicUsize::new(8);
    std::thread::spawn(|| {
        loop {
            LENGTH.store(usize::MAX, Ordering::Relaxed);
            LENGTH.store(8, Ordering::Relaxed);
        }
    });
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if LENGTH.load(Ordering::Relaxed) <= 8 && LENGTH.load(Ordering::Relaxed) > 8 {
            std::process::exit(OVERWRITTEN);
        }
    }
    std::process::exit(UNHARMED)
}

/// A sibling in the domain changes a staged length all the time: what is read is one of its values, and those that lie are refused.
#[test]
fn b2_length_flipped_by_a_sibling() {
    static SHARED: Domain = Domain::new("flipped").deadline(Duration::from_millis(500));
    static LENGTH: AtomicPtr<usize> = AtomicPtr::new(ptr::null_mut());
    if role().is_some() {
        check_then_use();
    }
    if !isolation() {
        return;
    }
    child_ends("corruption::b2_length_flipped_by_a_sibling", "control", End::Status(OVERWRITTEN));
    let mut call = SHARED.call("lengths").unwrap();
    let (length, buffer) = (call.inout(&[8usize]).unwrap(), call.inout(&[1u8; 8]).unwrap());
    LENGTH.store(length.as_mut_ptr(), Ordering::Release);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let length = LENGTH.load(Ordering::Acquire);
            // SAFETY: writes another call's staged memory, until the deadline.
            let flips: Result<(), _> = unsafe {
                SHARED.call("flip").unwrap().run(|| {
                    loop {
                        length.write_volatile(usize::MAX);
                        length.write_volatile(8);
                    }
                })
            };
            assert_eq!(flips.unwrap_err().kind(), &FaultKind::Timeout);
        });
        let mut seen = [false; 2];
        for _ in 0..20_000 {
            let claimed = call.read(length);
            assert!(claimed == 8 || claimed == usize::MAX);
            seen[usize::from(claimed == 8)] = true;
            let mut into = [0; 4];
            assert_eq!(call.within(claimed, buffer.len()).is_ok(), claimed == 8);
            assert_eq!(call.take(buffer, claimed, &mut into), 4);
        }
        assert!(seen[1]);
    });
}

/// What was taken is what stays: the compiler makes no copy of it from the domain's memory, which it takes to be unchanged.
/// (In builds with optimisation.)
#[test]
fn b2_copies_of_what_was_taken() {
    static SHARED: Domain = Domain::new("copied").deadline(Duration::from_millis(500));
    static BYTES: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
    let sum = |bytes: &[u8; 256]| bytes.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte));
    if !isolation() {
        return;
    }
    let mut call = SHARED.call("bytes").unwrap();
    let staged = call.inout(&[0u8; 256]).unwrap();
    BYTES.store(staged.as_mut_ptr(), Ordering::Release);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let bytes = BYTES.load(Ordering::Acquire);
            // SAFETY: writes another call's staged memory, until the deadline.
            let flips: Result<(), _> = unsafe {
                SHARED.call("flip").unwrap().run(|| {
                    loop {
                        bytes.add(200).write_volatile(bytes.add(200).read_volatile().wrapping_add(1));
                    }
                })
            };
            assert_eq!(flips.unwrap_err().kind(), &FaultKind::Timeout);
        });
        for _ in 0..200_000 {
            let (mut checked, mut used) = ([0; 256], [0; 256]);
            let used = std::hint::black_box(&mut used);
            // A constant, for the compiler, as in a wrapper that staged an array.
            assert_eq!(staged.len(), 256);
            call.take(staged, 256, &mut checked);
            let check = sum(&checked);
            used.copy_from_slice(&checked);
            assert_eq!(sum(std::hint::black_box(used)), check, "copied from the domain after it was checked");
        }
    });
}

/// Whatever bits a domain gives where the program expects values, it gets them as they are; what is text is bytes until somebody has
/// looked. (There is no way to ask for a `bool`, a `char`, a reference or an enum: that does not compile.)
#[test]
fn b3_any_bits() {
    if !isolation() {
        return;
    }
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = || xorshift(&mut state);
    let whole = OWN.boxed(0u64).unwrap();
    for round in 0..300 {
        let bits: [u64; 4] = if round == 0 { [u64::MAX; 4] } else { std::array::from_fn(|_| random()) };
        let expected: Vec<u8> = bits.iter().flat_map(|bits| bits.to_ne_bytes()).collect();
        let mut call = OWN.call("bits").unwrap();
        let (bytes, wide, real) =
            (call.output::<u8>(33).unwrap(), call.output::<i64>(4).unwrap(), call.output::<f64>(4).unwrap());
        let (nested, pointer) = (call.output::<[u16; 16]>(1).unwrap(), call.output::<*const u8>(1).unwrap());
        // SAFETY: writes what is its own.
        let text = unsafe {
            call.run(|| {
                bytes.as_mut_ptr().copy_from_nonoverlapping(bits.as_ptr().cast(), 32);
                bytes.as_mut_ptr().add(32).write(0);
                wide.as_mut_ptr().copy_from_nonoverlapping(bits.as_ptr().cast(), 4);
                real.as_mut_ptr().copy_from_nonoverlapping(bits.as_ptr().cast(), 4);
                nested.as_mut_ptr().cast::<u64>().copy_from_nonoverlapping(bits.as_ptr(), 4);
                pointer.as_mut_ptr().cast::<u64>().write(bits[0]);
                bytes.as_ptr().addr()
            })
        };
        let start = text.unwrap();
        let (mut into, mut numbers, mut reals) = ([0; 32], [0; 4], [0.0; 4]);
        assert_eq!(
            (call.take(bytes, 32, &mut into), call.take(wide, 4, &mut numbers), call.take(real, 4, &mut reals)),
            (32, 4, 4)
        );
        assert_eq!(into[..], expected);
        assert_eq!(numbers.map(i64::cast_unsigned), bits);
        assert_eq!(reals.map(f64::to_bits), bits);
        assert_eq!(call.read(nested).map(u16::to_ne_bytes).as_flattened(), expected);
        assert_eq!(call.read(pointer).addr() as u64, bits[0]);
        // SAFETY: of the domain, or refused.
        let (text, values) = unsafe {
            let start = ptr::with_exposed_provenance::<u8>(start);
            (call.string(start.cast()).unwrap().unwrap(), call.values::<u8>(start, 32).unwrap().unwrap())
        };
        let len = expected.iter().position(|byte| *byte == 0).unwrap_or(32);
        assert_eq!((text.as_bytes(), &values[..]), (&expected[..len], &expected[..]));
        assert_eq!(text.to_str().is_ok(), std::str::from_utf8(&expected[..len]).is_ok());
        // A pointer, a length and a divisor that are anything: within the domain, or refused.
        // SAFETY: as above.
        let stray = unsafe { call.string(ptr::without_provenance(bits[1] as usize | 1 << 62)) };
        assert!(matches!(stray.unwrap_err().kind(), FaultKind::InvalidValue { .. }));
        assert!(call.within(call.count(bits[2]), 33).map_or(bits[2] > 33, |count| count as u64 == bits[2]));
    }
    assert_eq!(whole.get(), Ok(0));
}

/// All of its own stack from here on up, the way back included.
#[test]
fn b4_overwrite_own_stack() {
    let fill = || {
        // SAFETY: none; that is the attack.
        unsafe { asm!("2:", "mov qword ptr [rsp], -1", "add rsp, 8", "jmp 2b", options(noreturn)) }
    };
    if role().is_some() {
        without(fill);
    }
    if !isolation() {
        return;
    }
    child_ends("corruption::b4_overwrite_own_stack", "control", End::Signal(libc::SIGSEGV));
    let before = [1u64, 2, 3, 4].map(std::hint::black_box);
    let fault = in_domain("fill", fill);
    assert!(matches!(fault.unwrap_err().kind(), FaultKind::Unmapped { .. } | FaultKind::Protection { key: 0, .. }));
    assert_eq!(before, [1, 2, 3, 4]);
    next_call_works(&DOMAIN);
}

/// A function that waits, with all of its stack overwritten by another thread in the same domain before it returns.
#[test]
fn b4_overwritten_by_a_sibling() {
    const NAME: &str = "corruption::b4_overwritten_by_a_sibling";
    static SHARED: Domain = Domain::new("siblings");
    // In a child: this process has no key to spare for one more domain.
    let Some(role) = role() else {
        if isolation() {
            child_ends(NAME, "isolated", End::Status(0));
            child_ends(NAME, "control", End::Signal(libc::SIGSEGV));
        }
        return;
    };
    let is_control = role == "control";
    let domain = if is_control { &UNPROTECTED } else { &SHARED };
    // Flag, and where the first thread waits; of the domain, which alone writes them.
    // SAFETY: allocates.
    let block = unsafe { domain.call("block").unwrap().run(|| libc::calloc(2, 8).cast::<AtomicUsize>()) }.unwrap();
    // SAFETY: stays allocated until the instance ends, and the test with it.
    let [go, waiting] = unsafe { [&*block, &*block.add(1)] };
    let outcome = std::thread::scope(|scope| {
        let waits = scope.spawn(move || {
            let state = [1u64, 2, 3, 4].map(std::hint::black_box);
            // SAFETY: says where its stack is, and waits with nothing but registers. What it returns to is overwritten then: at once,
            // since what an optimised program does before it returns somewhere is anybody's guess.
            let result = unsafe {
                domain.call("wait").unwrap().run(|| {
                    asm!(
                        "call 3f", "jmp 4f",
                        "3:", "mov [{waiting}], rsp", "2:", "pause", "cmp qword ptr [{go}], 0", "je 2b", "ret",
                        "4:",
                        waiting = in(reg) waiting.as_ptr(), go = in(reg) go.as_ptr()
                    );
                })
            };
            (result, state)
        });
        let stack = loop {
            match waiting.load(Ordering::Acquire) {
                0 => std::thread::yield_now(),
                address => break address,
            }
        };
        // Without isolation it is the stack of the thread, where its thread-locals lie not far above: those are another attack.
        let end = if is_control { stack + 64 } else { end_of_mapping(stack).min(stack + 4096) };
        // SAFETY: none; that is the attack.
        let overwritten = unsafe {
            domain.call("overwrite").unwrap().run(|| {
                (stack..end).step_by(8).for_each(|at| {
                    ptr::with_exposed_provenance_mut::<usize>(at).write_volatile(0x4141_4141_4141_4141);
                });
                go.store(1, Ordering::Release);
            })
        };
        // The other may have failed before this came to its end.
        let _ = overwritten;
        waits.join().unwrap()
    });
    if is_control {
        std::process::exit(UNHARMED);
    }
    let (result, state) = outcome;
    let fault = result.unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::NonCanonical), "{fault}");
    assert_eq!(state, [1, 2, 3, 4]);
    next_call_works(&SHARED);
}

fn end_of_mapping(address: usize) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let ranges = maps.lines().map(|line| {
        let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        [start, end].map(|address| usize::from_str_radix(address, 16).unwrap())
    });
    ranges.into_iter().find(|[start, end]| (*start..*end).contains(&address)).expect("mapped")[1]
}

/// Overwrites so many words from where `start` says, then frees and allocates.
///
/// # Safety
///
/// None; that is the attack.
unsafe fn ruin(start: unsafe fn(*mut u8) -> *mut u8, words: usize) -> usize {
    // SAFETY: as above.
    unsafe {
        let block = libc::malloc(64).cast::<u8>();
        let start = start(block).cast::<usize>();
        for word in 0..words {
            start.add(word).write_volatile(0x4141_4141_4141_4141);
        }
        libc::free(block.cast());
        libc::malloc(100).addr()
    }
}

#[test]
fn b5_every_word_of_the_heap() {
    // The lock is among what is overwritten: the next `malloc` waits for nobody.
    static RUINED: Domain = Domain::new("ruined").deadline(Duration::from_millis(300));
    if role().is_some() {
        // Of glibc's heap, what is just before the block.
        // SAFETY: none; that is the attack.
        without(|| unsafe { ruin(|block| block.wrapping_sub(16), 2) });
    }
    if !isolation() {
        return;
    }
    child_ends("corruption::b5_every_word_of_the_heap", "control", End::Signal(libc::SIGABRT));
    // The header, every prefix, every free list.
    // SAFETY: none; that is the attack.
    let result =
        unsafe { RUINED.call("ruin").unwrap().run(|| ruin(|block| block.map_addr(|address| address & !0xffff), 8192)) };
    if result.is_ok() {
        // SAFETY: ends the call: the ruined heap goes with it.
        let _: Result<(), _> = unsafe { RUINED.call("end").unwrap().run(|| asm!("ud2")) };
    }
    next_call_works(&RUINED);
}

/// A good function with a bad pointer: the kernel writes with the rights of who asks.
#[test]
fn b6_read_into_the_program() {
    /// Has the kernel write 16 bytes to the victim: at random, or what can be read from one of two sockets.
    type Ask = fn(*mut libc::c_void, i32) -> i64;
    // SAFETY: none in all of these; that is the attack.
    const ASK: [Ask; 5] = [
        // SAFETY: as above.
        |victim, _| unsafe { libc::syscall(libc::SYS_getrandom, victim, 16, 0) },
        // SAFETY: as above.
        |victim, socket| unsafe { libc::read(socket, victim, 16) as i64 },
        // SAFETY: as above.
        |victim, socket| unsafe { libc::recv(socket, victim, 16, 0) as i64 },
        |victim, socket| {
            let part = |at| libc::iovec { iov_base: victim.wrapping_byte_add(at), iov_len: 8 };
            // SAFETY: as above.
            unsafe { libc::readv(socket, [part(0), part(8)].as_ptr(), 2) as i64 }
        },
        // SAFETY: as above.
        |victim, file| unsafe { libc::pread(file, victim, 16, 0) as i64 },
    ];
    const OF_A_FILE: usize = 4;
    let victim = heap();
    // SAFETY: a leaked block.
    let changed = || unsafe { std::slice::from_raw_parts(victim, 16) } != [BEFORE; 16];
    let results = |domain: &'static Domain| -> [(Option<i64>, bool); ASK.len()] {
        std::array::from_fn(|number| {
            let ask = ASK[number];
            let mut sockets = [0; 2];
            // SAFETY: room for two descriptors; the last asks for a file.
            unsafe {
                assert_eq!(libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, sockets.as_mut_ptr()), 0);
                if number == OF_A_FILE {
                    libc::close(sockets[0]);
                    sockets[0] = libc::open(c"/proc/self/exe".as_ptr(), libc::O_RDONLY);
                }
                libc::send(sockets[1], [1u8; 16].as_ptr().cast(), 16, libc::MSG_NOSIGNAL);
            }
            let source = sockets[0];
            // SAFETY: none; that is the attack.
            let call = || unsafe { domain.call("ask").unwrap().run(|| ask(victim.cast(), source)) };
            let result = call().or_else(|_| call());
            let harmed = changed();
            // SAFETY: a leaked block, and descriptors of this test.
            unsafe {
                victim.write_bytes(BEFORE, 16);
                for socket in sockets {
                    libc::close(socket);
                }
            }
            (result.ok(), harmed)
        })
    };
    if role().is_some() {
        std::process::exit(if results(&UNPROTECTED) == [(Some(16), true); ASK.len()] { OVERWRITTEN } else { 1 });
    }
    if isolation() {
        assert_eq!(results(&OWN), [(Some(-1), false); ASK.len()]);
        child_ends("corruption::b6_read_into_the_program", "control", End::Status(OVERWRITTEN));
    }
}

/// Start, permissions, and key of every mapping, as the kernel tells.
pub(super) fn mappings() -> Vec<(usize, String, u32)> {
    let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut mappings: Vec<(usize, String, u32)> = Vec::new();
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap();
        if first == "ProtectionKey:" {
            mappings.last_mut().unwrap().2 = words.next().unwrap().parse().unwrap();
        } else if let Some((start, _)) = first.split_once('-') {
            let start = usize::from_str_radix(start, 16).unwrap();
            mappings.push((start, words.next().unwrap().to_string(), 0));
        }
    }
    mappings
}

#[test]
fn b9_pages_keep_their_key() {
    static KEYED: Domain = Domain::new("keyed");
    if !isolation() {
        return;
    }
    // SAFETY: allocates.
    let block = unsafe { KEYED.call("allocate").unwrap().run(|| libc::malloc(500_000).addr()) }.unwrap();
    let key_of = |address: usize| mappings().into_iter().rfind(|(start, ..)| *start <= address).unwrap().2;
    let key = key_of(block);
    assert_ne!(key, 0);
    for _ in 0..20 {
        // SAFETY: ends the call.
        let _: Result<(), _> = unsafe { KEYED.call("fail").unwrap().run(|| asm!("ud2")) };
    }
    assert_eq!(key_of(block), key);
    // A page that was mapped anew would have none: why nothing of a domain's is ever unmapped, and the program's `mmap` refuses to.
    // SAFETY: a page in the middle of a block that nobody uses; the domain is not used again.
    unsafe {
        let (protection, flags) = (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED);
        let page = ptr::with_exposed_provenance_mut((block + 100_000) & !4095);
        assert_eq!(libc::mmap(page, 4096, protection, flags, -1, 0), libc::MAP_FAILED);
        assert_eq!(libc::syscall(libc::SYS_mmap, page, 4096, protection, flags, -1, 0), page.addr() as i64);
        assert_eq!((key_of(page.addr()), key_of(page.addr() + 4096)), (0, key));
    }
    // And the program's own pages have none.
    let local = 0u8;
    for address in [STATIC_VICTIM.as_ptr().addr(), (&raw const local).addr(), heap().addr()] {
        assert_eq!(key_of(address), 0);
    }
}

/// A key of somebody else's, who has closed it for reading or for writing: what a call does in between leaves his rights as they are, on
/// this thread and on others.
#[test]
fn b9_keys_of_others() {
    const NAME: &str = "corruption::b9_keys_of_others";
    match role().as_deref() {
        Some("control") => {
            let others = OthersKey::take();
            // A way out that writes a constant, and leaves it at that.
            set_rights(0);
            std::process::exit(if others.can_be_read() { OVERWRITTEN } else { UNHARMED });
        }
        Some(_) => keep_keys_of_others(),
        None if isolation() => {
            child_ends(NAME, "keep", End::Status(UNHARMED));
            child_ends(NAME, "control", End::Status(OVERWRITTEN));
        }
        None => {}
    }
}

fn keep_keys_of_others() -> ! {
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    extern "C" fn handler(_: i32) {
        HANDLED.store(rights(), Ordering::Relaxed);
    }
    let early = OthersKey::take();
    // SAFETY: a handler that reads a register.
    unsafe { libc::signal(libc::SIGUSR1, handler as extern "C" fn(i32) as usize) };
    in_domain("first", || ()).unwrap();
    let late = OthersKey::take();
    let is_closed = || !early.can_be_read() && !late.can_be_read();
    let before = rights();
    assert!(is_closed());
    // A call, one that fails, one in another domain, one in a signal handler.
    in_domain("good", || ()).unwrap();
    assert_eq!((rights(), is_closed()), (before, true), "after a call");
    // SAFETY: ends the call.
    let _: Result<(), _> = in_domain("fail", || unsafe { asm!("ud2") });
    assert_eq!((rights(), is_closed()), (before, true), "after a fault");
    // SAFETY: allocates in a domain that is made now, of a key that this thread had closed until then.
    let block = unsafe { OWN.call("allocate").unwrap().run(|| libc::malloc(64).cast::<u8>()) }.unwrap();
    // SAFETY: the program may write a domain's memory.
    unsafe { block.write(1) };
    assert_eq!((rights() & early.bits(), is_closed()), (before & early.bits(), true), "with another domain");
    // SAFETY: sends this thread a signal.
    in_domain("handled", || unsafe { libc::raise(libc::SIGUSR1) }).unwrap();
    assert_eq!(
        HANDLED.load(Ordering::Relaxed) & early.bits(),
        0b01 << (2 * early.key),
        "a handler has what the kernel gives"
    );
    assert!(is_closed(), "after a handler");
    // In a callback, which may call in turn, and whose own changes stay.
    let before = rights();
    let mut seen = None;
    let mut callbacks = Callbacks::new();
    let look = callbacks.add(|| {
        let there = rights();
        in_domain("inner", || ()).unwrap();
        seen = Some((there, rights(), is_closed()));
        set_rights(rights() & !late.bits());
    });
    // SAFETY: calls back, and returns nothing.
    unsafe { OWN.call("outer").unwrap().run_with(&mut callbacks, || look()) }.unwrap();
    drop(callbacks);
    assert_eq!(seen, Some((before, before, true)), "in a callback");
    assert_eq!(rights(), before & !late.bits(), "what a callback has changed");
    assert!(!early.can_be_read() && late.can_be_read());
    // Write-disabled only, and a thread that is made now.
    set_rights(rights() & !early.bits() | 0b10 << (2 * early.key));
    let before = rights();
    in_domain("good", || ()).unwrap();
    assert_eq!((rights(), early.can_be_read(), early.can_be_written()), (before, true, false));
    let thread = std::thread::spawn(move || {
        in_domain("good", || ()).unwrap();
        (rights(), early.can_be_read(), early.can_be_written())
    });
    assert_eq!(thread.join().unwrap(), (before, true, false), "on a thread made later");
    std::process::exit(UNHARMED)
}

/// A key that is not the runtime's, closed, and a page that carries it.
#[derive(Clone, Copy)]
struct OthersKey {
    key: u32,
    page: usize,
}

impl OthersKey {
    fn take() -> Self {
        // SAFETY: fresh memory, and a key for it; numbers as the kernel asks for (pkeys(7)).
        unsafe {
            const CLOSED: usize = 1;
            let key = libc::syscall(libc::SYS_pkey_alloc, 0usize, CLOSED);
            let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            let page = libc::mmap(ptr::null_mut(), 4096, access, flags, -1, 0);
            assert_eq!(libc::syscall(libc::SYS_pkey_mprotect, page, 4096usize, access, key), 0);
            Self { key: key.try_into().expect("a key is left"), page: page.addr() }
        }
    }

    /// Its two in PKRU.
    fn bits(self) -> u32 {
        0b11 << (2 * self.key)
    }

    /// The kernel is asked to: it goes by the thread's rights.
    fn can_be_read(self) -> bool {
        // SAFETY: a pipe of its own; the kernel reads the byte, or refuses.
        unsafe {
            let mut ends = [0; 2];
            assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
            let written = libc::write(ends[1], ptr::with_exposed_provenance(self.page), 1);
            for end in ends {
                libc::close(end);
            }
            written == 1
        }
    }

    fn can_be_written(self) -> bool {
        // SAFETY: the kernel writes the byte, or refuses.
        unsafe { libc::syscall(libc::SYS_getrandom, self.page, 1usize, 0) == 1 }
    }
}

fn rights() -> u32 {
    let rights: u32;
    // SAFETY: reads a register.
    unsafe { asm!("rdpkru", out("eax") rights, in("ecx") 0, out("edx") _) };
    rights
}

fn set_rights(rights: u32) {
    // SAFETY: the program's own to its memory, which stays open.
    unsafe { asm!("wrpkru", in("eax") rights, in("ecx") 0, in("edx") 0) };
}

/// The heap but for its first 64 KiB, which with the stack and the staging is not wiped.
#[test]
fn b11_stale_bytes() {
    static WIPED: Domain = Domain::new("stale");
    if !isolation() {
        return;
    }
    const MARK: u64 = 0x5ec3_e75e_c3e7_5ec3;
    const SIZE: usize = 400_000;
    // SAFETY: fills a block, says where it is by failing there.
    let filled = unsafe {
        WIPED.call("fill").unwrap().run(|| {
            let block = libc::malloc(SIZE).cast::<u64>();
            (0..SIZE / 8).for_each(|at| block.add(at).write_volatile(MARK));
            block.addr()
        })
    };
    let words = || {
        let start = ptr::with_exposed_provenance::<u64>(filled.clone().unwrap());
        // SAFETY: of the domain's heap, which the program may read; nobody is inside.
        (8192..SIZE / 8).filter(|&at| unsafe { start.add(at).read_volatile() } == MARK).count()
    };
    assert_eq!(words(), SIZE / 8 - 8192, "all there before the fault");
    // SAFETY: ends the call.
    let _: Result<(), _> = unsafe { WIPED.call("fail").unwrap().run(|| asm!("ud2")) };
    assert_eq!(words(), 0);
}

/// The next of a fixed sequence of numbers (xorshift64).
fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
