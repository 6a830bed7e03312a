//! What a domain prints: the same text as outside, to the same descriptors.

mod support;

use isolate_rt::{Backend, Domain};
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
