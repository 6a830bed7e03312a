//! What a domain prints: the same text as outside, to the same descriptors.

mod support;

use isolate_rt::{Backend, Domain, Fault, FaultKind};
use libc::{FILE, c_char, c_int};
use std::ffi::CStr;
use std::ptr;
use support::{child, isolation, role};

unsafe extern "C" {
    static stdout: *mut FILE;
    static stderr: *mut FILE;
    fn __printf_chk(flag: c_int, format: *const c_char, ...) -> c_int;
    fn __fprintf_chk(file: *mut FILE, flag: c_int, format: *const c_char, ...) -> c_int;
    fn putchar_unlocked(character: c_int) -> c_int;
    fn open_memstream(text: *mut *mut c_char, len: *mut usize) -> *mut FILE;
}

static INSIDE: Domain = Domain::new("inside");
static DIRECT: Domain = Domain::new("direct").backend(Backend::None);

/// Each function in turn; gives the sum of what they return, where that is a number of bytes.
fn print_everything() -> c_int {
    let (text, long) = (c"text".as_ptr(), [b'l' as c_char; 70_000]);
    // SAFETY: formats and what they ask for: in registers and on the stack, numbers of both kinds.
    unsafe {
        let mut sum = libc::printf(c"%d %s %c %#x %lld\n".as_ptr(), 1, text, 'c' as c_int, 255, -(1i64 << 40));
        sum += libc::printf(
            c"%d %f %d %d %g %d %d %d %s %.3f %f %f %f %f %f %f %d\n".as_ptr(),
            1,
            2.5,
            3,
            4,
            5.25,
            6,
            7,
            8,
            text,
            0.1,
            1.0,
            2.0,
            3.0,
            4.0,
            5.0,
            6.0,
            9,
        );
        sum += libc::printf(c"no arguments\n".as_ptr());
        sum += libc::printf(c"%.*s|%-600s|%s\n".as_ptr(), 2, text, text, text);
        sum += libc::printf(c"%.70000s\n".as_ptr(), long.as_ptr());
        sum += libc::fprintf(stderr, c"%s: %d%%, %.1f\n".as_ptr(), text, 42, 1.5);
        sum += libc::fprintf(stdout, c"%s\n".as_ptr(), text);
        sum += __printf_chk(1, c"checked %d %s\n".as_ptr(), 1, text);
        sum += __fprintf_chk(stderr, 1, c"checked %d %s %.2f\n".as_ptr(), 2, text, 2.25);
        libc::puts(text);
        let mut line = long;
        line[2000] = 0;
        libc::puts(line.as_ptr());
        libc::fputs(text, stderr);
        assert_eq!(libc::fwrite(text.cast(), 2, 2, stdout), 2);
        assert_eq!(libc::fwrite(text.cast(), 0, 2, stdout), 0);
        assert_eq!(libc::putchar(0x141), 0x41);
        assert_eq!(putchar_unlocked('B' as c_int), 'B' as c_int);
        assert_eq!(libc::fputc('\n' as c_int, stderr), '\n' as c_int);
        assert_eq!(libc::fflush(stdout), 0);
        sum
    }
}

#[test]
fn the_same_text_as_outside() {
    if let Some(role) = role() {
        let domain = if role == "inside" { &INSIDE } else { &DIRECT };
        // SAFETY: prints.
        let sum = unsafe { domain.call("print").unwrap().run(print_everything) };
        eprintln!("{sum:?}");
        std::process::exit(0);
    }
    if isolation() {
        let [inside, direct] = ["inside", "direct"].map(|role| child("the_same_text_as_outside", role));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&inside.stdout), text(&direct.stdout));
        assert_eq!(text(&inside.stderr), text(&direct.stderr));
        assert!(text(&direct.stdout).contains("checked 1 text") && text(&direct.stderr).contains("Ok(7"));
    }
}

fn in_domain<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, Fault> {
    // SAFETY: the closures of this file return numbers only.
    unsafe { domain.call("print")?.run(f) }
}

/// A stream that the program has opened is not written, and the error says so.
#[test]
fn a_stream_of_the_program() {
    static GIVEN: Domain = Domain::new("given");
    if !isolation() {
        return;
    }
    let path = std::env::temp_dir().join(format!("isolate-stream-{}", std::process::id()));
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: a name and a mode.
    let file = unsafe { libc::fopen(name.as_ptr(), c"w".as_ptr()) };
    assert!(!file.is_null());
    let text = c"text".as_ptr();
    let list: [fn(*mut FILE, *const c_char) -> c_int; 6] = [
        // SAFETY: a stream, formats without arguments, and a string.
        |file, text| unsafe { libc::fprintf(file, text) },
        // SAFETY: as above.
        |file, text| unsafe { __fprintf_chk(file, 1, text) },
        // SAFETY: as above.
        |file, text| unsafe { libc::fputs(text, file) },
        // SAFETY: as above.
        |file, text| unsafe { libc::fwrite(text.cast(), 1, 4, file) as c_int },
        // SAFETY: as above.
        |file, _| unsafe { libc::fputc('x' as c_int, file) },
        // SAFETY: as above.
        |file, _| unsafe { libc::fflush(file) },
    ];
    for print in list {
        let fault = in_domain(&GIVEN, move || print(file, text)).unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::ForeignStream { address: file.addr() });
        assert!(fault.to_string().contains("which is the program's, and neither `stdout` nor `stderr`"), "{fault}");
    }
    // The control. And it is as it was.
    assert_eq!(in_domain(&DIRECT, move || list[2](file, text)).map(|put| put >= 0), Ok(true));
    // SAFETY: nobody else has it.
    assert_eq!(unsafe { libc::fclose(file) }, 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
    std::fs::remove_file(path).unwrap();
    // All streams: those of the domain have nothing that was not written.
    // SAFETY: no stream.
    assert_eq!(in_domain(&GIVEN, || unsafe { libc::fflush(ptr::null_mut()) }), Ok(0));
}

/// What is printed, and how, are a domain's own words: they reach no further than it does.
#[test]
fn formats_and_pointers_that_lie() {
    static LYING: Domain = Domain::new("lying").heap_limit(1 << 20);
    static VICTIM: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(5);
    if !isolation() {
        return;
    }
    #[track_caller]
    fn check(what: impl FnOnce() -> c_int + Copy, expected: fn(&Result<c_int, FaultKind>) -> bool) {
        let ended = in_domain(&LYING, what).map_err(|fault| fault.kind().clone());
        assert!(expected(&ended), "{ended:?}");
        assert_eq!(in_domain(&LYING, || 2), Ok(2), "the next call works");
    }
    let victim = VICTIM.as_ptr();
    // `%n` writes a number of the domain's choice to an address of its choice.
    check(
        move || {
            // SAFETY: none; that is the attack.
            unsafe { libc::printf(c"%n".as_ptr(), victim) }
        },
        |ended| matches!(ended, Err(FaultKind::Protection { key: 0, write: true, .. })),
    );
    check(
        move || {
            // SAFETY: none; that is the attack.
            unsafe { __printf_chk(0, c"%.100d%n".as_ptr(), 1, victim) }
        },
        |ended| matches!(ended, Err(FaultKind::Protection { key: 0, write: true, .. })),
    );
    assert_eq!(VICTIM.load(std::sync::atomic::Ordering::Relaxed), 5);
    // More than its heap holds, and more than can be counted.
    check(
        || {
            // SAFETY: none; that is the attack.
            unsafe { libc::printf(c"%4000000d".as_ptr(), 1) }
        },
        |ended| *ended == Ok(-1),
    );
    check(
        || {
            // SAFETY: none; that is the attack.
            unsafe { libc::printf(c"%3000000000d".as_ptr(), 1) }
        },
        |ended| *ended == Ok(-1),
    );
    check(
        || {
            // SAFETY: none; that is the attack.
            unsafe { libc::printf(ptr::null()) }
        },
        |ended| *ended == Ok(-1),
    );
    check(
        || {
            // SAFETY: none; that is the attack.
            unsafe { libc::puts(ptr::without_provenance(8)) }
        },
        |ended| matches!(ended, Err(FaultKind::Unmapped { .. })),
    );
    check(
        || {
            // SAFETY: none; that is the attack.
            unsafe { libc::fwrite(ptr::without_provenance(8), 1 << 40, 1 << 40, stderr) as c_int }
        },
        |ended| *ended == Ok(0),
    );
    check(
        || {
            // SAFETY: none; that is the attack.
            unsafe { libc::fputs(c"".as_ptr(), ptr::null_mut()) }
        },
        |ended| matches!(ended, Err(FaultKind::Unmapped { .. })),
    );
    // A stream of the domain's own making: libc follows its pointers, with the domain's rights.
    check(
        // SAFETY: as above.
        move || unsafe {
            let file = libc::malloc(512).cast::<usize>();
            (0..64).for_each(|word| file.add(word).write(victim.addr()));
            // Its flags (`_IO_MAGIC`): as of any, so that the lock is taken, which lies where the word for it says.
            file.write(0xfbad_0000);
            libc::fputs(c"text".as_ptr(), file.cast())
        },
        |ended| matches!(ended, Err(FaultKind::Protection { key: 0, write: true, .. })),
    );
    assert_eq!(VICTIM.load(std::sync::atomic::Ordering::Relaxed), 5);
}

/// A stream of the domain's own is libc's affair, on the domain's heap.
#[test]
fn a_stream_in_memory() {
    if !isolation() {
        return;
    }
    let written = || {
        let (mut text, mut len) = (ptr::null_mut(), 0);
        // SAFETY: as its manual page has it.
        unsafe {
            let file = open_memstream(&mut text, &mut len);
            libc::fprintf(file, c"%d %.1f".as_ptr(), 42, 0.5);
            libc::fputs(c" and ".as_ptr(), file);
            libc::fputc('x' as c_int, file);
            libc::fflush(file);
            !text.is_null() && CStr::from_ptr(text) == c"42 0.5 and x"
        }
    };
    // SAFETY: allocates, and compares.
    assert_eq!(unsafe { INSIDE.call("stream").unwrap().run(written) }, Ok(true));
}
