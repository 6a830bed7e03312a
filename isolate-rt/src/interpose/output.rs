//! Output to stdout and stderr. libc's `FILE`s are the program's, and a domain cannot write them: what it prints is formatted inside,
//! and written at once, to the same descriptor. What the program itself has printed and libc not written yet comes later.
//!
//! One of the library's own (`open_memstream`) is passed on, and works; any other is the program's, and the end of the call.

use super::real::real;
use crate::heap;
use crate::mpk::{self, Reason};
use libc::{FILE, c_char, c_int, c_void, size_t};
use std::arch::naked_asm;
use std::ptr;

/// A `va_list`, as functions are given it (System V ABI, x86-64, 3.5.7).
type List = *mut Arguments;
/// What it points to. Whoever goes through it moves it on.
#[derive(Clone, Copy)]
#[repr(C)]
struct Arguments {
    general: u32,
    floating: u32,
    on_stack: *mut c_void,
    in_registers: *mut c_void,
}

unsafe extern "C" {
    static stdout: *mut FILE;
    static stderr: *mut FILE;
    /// `vsnprintf` with checks of the format where `flag` is positive (Linux Standard Base).
    fn __vsnprintf_chk(
        to: *mut c_char,
        max: size_t,
        flag: c_int,
        size: size_t,
        format: *const c_char,
        list: List,
    ) -> c_int;
}

/// Longer output takes a block of the heap.
const SHORT: usize = 512;

/// Where to write, inside, what goes to this stream. `None` for what libc is to do: outside, with a stream of the domain's own, and
/// with none at all.
fn descriptor(file: *mut FILE) -> Option<c_int> {
    if !heap::is_inside() {
        return None;
    }
    // SAFETY: libc's variables, set before `main`; `fileno` reads.
    unsafe {
        if file == stdout || file == stderr {
            return Some(libc::fileno(file));
        }
    }
    if !file.is_null() && !mpk::in_arena(file.addr()) {
        mpk::leave(Reason::ForeignStream, file.addr());
    }
    None
}

/// Writes all of it. Says whether that was possible.
///
/// # Safety
///
/// There are so many bytes.
pub(super) unsafe fn write_all(file: c_int, mut bytes: *const c_char, mut count: usize) -> bool {
    while count > 0 {
        // SAFETY: by this function's contract.
        let written = unsafe { real::write()(file, bytes.cast(), count) };
        match usize::try_from(written) {
            Ok(0) => return false,
            // SAFETY: so many were written.
            Ok(written) => (bytes, count) = (unsafe { bytes.add(written) }, count - written),
            // SAFETY: `errno` of this domain.
            Err(_) if unsafe { *libc::__errno_location() } == libc::EINTR => {}
            Err(_) => return false,
        }
    }
    true
}

/// Writes what `format` makes of the arguments. Gives the number of bytes, or -1.
///
/// # Safety
///
/// What vprintf(3) asks of its caller.
unsafe fn print(file: c_int, flag: c_int, format: *const c_char, list: List) -> c_int {
    let mut short = [0 as c_char; SHORT];
    // SAFETY: by this function's contract. The list is gone through twice, each time a copy of it.
    unsafe {
        let print_to = |to: *mut c_char, size: usize| {
            let mut list = *list;
            __vsnprintf_chk(to, size, flag, size, format, &mut list)
        };
        let count = print_to(short.as_mut_ptr(), SHORT);
        let Ok(len) = usize::try_from(count) else { return -1 };
        if len < SHORT {
            return if write_all(file, short.as_ptr(), len) { count } else { -1 };
        }
        let long = libc::malloc(len + 1).cast::<c_char>();
        if long.is_null() {
            return -1;
        }
        let is_written = print_to(long, len + 1) == count && write_all(file, long, len);
        libc::free(long.cast());
        if is_written { count } else { -1 }
    }
}

/// Functions that take arguments as a format says: outside as they come to libc's, inside as a list to `$listed`, behind `$fixed`
/// arguments.
macro_rules! formatted {
    ($($name:ident, $fixed:literal fixed, list in $list:literal, $outside:ident, $listed:ident;)*) => { $(
        /// # Safety
        ///
        /// What printf(3) asks of its caller.
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name() {
            naked_asm!(
                // `List` at `rsp`, `al` at 24, at 32 what the ABI calls the register save area.
                "sub rsp, 216",
                "mov [rsp + 24], rax",
                "mov [rsp + 32], rdi", "mov [rsp + 40], rsi", "mov [rsp + 48], rdx",
                "mov [rsp + 56], rcx", "mov [rsp + 64], r8", "mov [rsp + 72], r9",
                "movaps [rsp + 80], xmm0", "movaps [rsp + 96], xmm1", "movaps [rsp + 112], xmm2", "movaps [rsp + 128], xmm3",
                "movaps [rsp + 144], xmm4", "movaps [rsp + 160], xmm5", "movaps [rsp + 176], xmm6", "movaps [rsp + 192], xmm7",
                "call {outside}",
                "mov r11, rax",
                "mov rdi, [rsp + 32]", "mov rsi, [rsp + 40]", "mov rdx, [rsp + 48]",
                "test r11, r11",
                "jz 2f",
                "mov rcx, [rsp + 56]", "mov r8, [rsp + 64]", "mov r9, [rsp + 72]",
                "movaps xmm0, [rsp + 80]", "movaps xmm1, [rsp + 96]", "movaps xmm2, [rsp + 112]", "movaps xmm3, [rsp + 128]",
                "movaps xmm4, [rsp + 144]", "movaps xmm5, [rsp + 160]", "movaps xmm6, [rsp + 176]", "movaps xmm7, [rsp + 192]",
                "mov rax, [rsp + 24]",
                "add rsp, 216",
                "jmp r11",
                "2:",
                "mov dword ptr [rsp], {used}",
                "mov dword ptr [rsp + 4], 48",
                "lea rax, [rsp + 224]",
                "mov [rsp + 8], rax",
                "lea rax, [rsp + 32]",
                "mov [rsp + 16], rax",
                concat!("mov ", $list, ", rsp"),
                "call {listed}",
                "add rsp, 216",
                "ret",
                outside = sym $outside,
                listed = sym $listed,
                used = const 8 * $fixed,
            )
        }
    )* };
}
formatted! {
    printf, 1 fixed, list in "rsi", outside_printf, vprintf;
    fprintf, 2 fixed, list in "rdx", outside_fprintf, vfprintf;
    __printf_chk, 2 fixed, list in "rdx", outside_printf_chk, __vprintf_chk;
    __fprintf_chk, 3 fixed, list in "rcx", outside_fprintf_chk, __vfprintf_chk;
}

type Formatted = Option<unsafe extern "C" fn()>;

/// libc's function, where that is to do it.
extern "C" fn outside_printf() -> Formatted {
    (!heap::is_inside()).then(real::printf)
}

/// As [`outside_printf`].
extern "C" fn outside_fprintf(file: *mut FILE) -> Formatted {
    descriptor(file).is_none().then(real::fprintf)
}

/// As [`outside_printf`].
extern "C" fn outside_printf_chk() -> Formatted {
    (!heap::is_inside()).then(real::__printf_chk)
}

/// As [`outside_printf`].
extern "C" fn outside_fprintf_chk(file: *mut FILE) -> Formatted {
    descriptor(file).is_none().then(real::__fprintf_chk)
}

macro_rules! listed {
    ($($name:ident($($argument:ident: $ty:ty),*), to $file:expr, checked by $flag:expr;)*) => { $(
        /// # Safety
        ///
        /// What vprintf(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($argument: $ty,)* format: *const c_char, list: *mut c_void) -> c_int {
            // SAFETY: libc's variable, set before `main`; the rest by this function's contract.
            unsafe {
                match descriptor($file) {
                    None => real::$name()($($argument,)* format, list),
                    Some(file) => print(file, $flag, format, list.cast()),
                }
            }
        }
    )* };
}
listed! {
    vprintf(), to stdout, checked by 0;
    vfprintf(file: *mut FILE), to file, checked by 0;
    __vprintf_chk(flag: c_int), to stdout, checked by flag;
    __vfprintf_chk(file: *mut FILE, flag: c_int), to file, checked by flag;
}

macro_rules! characters {
    ($($name:ident($character:ident $(, $argument:ident: $ty:ty)?), to $file:expr;)*) => { $(
        /// # Safety
        ///
        /// What putc(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($character: c_int $(, $argument: $ty)?) -> c_int {
            // SAFETY: as in `vprintf`.
            unsafe {
                match descriptor($file) {
                    None => real::$name()($character $(, $argument)?),
                    Some(file) => {
                        let byte = $character as u8;
                        if write_all(file, (&raw const byte).cast(), 1) { byte.into() } else { libc::EOF }
                    }
                }
            }
        }
    )* };
}
characters! {
    putchar(character), to stdout;
    putchar_unlocked(character), to stdout;
    fputc(character, file: *mut FILE), to file;
    fputc_unlocked(character, file: *mut FILE), to file;
    putc(character, file: *mut FILE), to file;
    putc_unlocked(character, file: *mut FILE), to file;
}

macro_rules! blocks {
    ($($fputs:ident $fwrite:ident)*) => { $(
        /// # Safety
        ///
        /// What fputs(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $fputs(text: *const c_char, file: *mut FILE) -> c_int {
            // SAFETY: by this function's contract.
            unsafe {
                match descriptor(file) {
                    None => real::$fputs()(text, file),
                    Some(file) => if write_all(file, text, libc::strlen(text)) { 1 } else { libc::EOF },
                }
            }
        }

        /// # Safety
        ///
        /// What fwrite(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $fwrite(from: *const c_void, size: size_t, count: size_t, file: *mut FILE) -> size_t {
            // SAFETY: by this function's contract: there are `size * count` bytes.
            unsafe {
                match descriptor(file) {
                    None => real::$fwrite()(from, size, count, file),
                    Some(_) if size == 0 => 0,
                    Some(file) => if write_all(file, from.cast(), size.saturating_mul(count)) { count } else { 0 },
                }
            }
        }
    )* };
}
blocks! {
    fputs fwrite
    fputs_unlocked fwrite_unlocked
}

/// # Safety
///
/// What puts(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn puts(text: *const c_char) -> c_int {
    // SAFETY: a string, says our caller; `line` has room for a short one and the end of its line.
    unsafe {
        let Some(file) = descriptor(stdout) else { return real::puts()(text) };
        let len = libc::strlen(text);
        let mut line = [0 as c_char; SHORT];
        let is_written = if len < SHORT {
            // In one piece, as far as other threads can see.
            ptr::copy_nonoverlapping(text, line.as_mut_ptr(), len);
            line[len] = b'\n' as c_char;
            write_all(file, line.as_ptr(), len + 1)
        } else {
            write_all(file, text, len) && write_all(file, c"\n".as_ptr(), 1)
        };
        if is_written { 1 } else { libc::EOF }
    }
}

/// # Safety
///
/// What fflush(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn fflush(file: *mut FILE) -> c_int {
    match descriptor(file) {
        // All streams: nothing is held back of what the domain has printed, and what the program has is its own affair.
        None if file.is_null() && heap::is_inside() => 0,
        // SAFETY: passed on to libc.
        None => unsafe { real::fflush()(file) },
        // It was written at once.
        Some(_) => 0,
    }
}
