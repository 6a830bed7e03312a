use core::ffi::{c_char, c_int, c_ulong, c_void};

#[cfg(other)]
type size = u16;
#[cfg(not(other))]
type size = c_ulong;

pub const NAME: usize = 8;
pub type Position = *mut size;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Entry {
    pub name: [c_char; NAME],
    pub page: c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union Kind {
    pub number: c_int,
    pub letter: [u8; 2],
}

#[repr(C)]
pub struct Book {
    pub kind: Kind,
    pub next: *mut Book,
    pub hook: Option<unsafe extern "C" fn(entry: *const Entry, how: c_int) -> c_int>,
}

#[repr(C)]
pub struct Stream {
    pub next_in: *const u8,
    pub avail_in: c_int,
    pub next_out: *mut u8,
    pub avail_out: c_int,
    pub state: *mut c_void,
}

pub type Visit = Option<unsafe extern "C" fn(*const u8, c_int, *const c_char, *mut c_void) -> c_int>;

unsafe extern "C" {
    pub fn fill(dest: *mut u8, len: Position, source: *const u8, source_len: size, level: c_int) -> c_int;
    pub fn open(name: *const ::core::ffi::c_char) -> *mut Book;
    pub fn describe(book: *mut Book, at: *const u8, at_len: self::size) -> *const c_char;
    pub fn entry(entry: &mut Entry) -> c_int;
    pub fn reset();
    pub fn discard(book: *mut Book);
    pub fn span(text: *const u8, text_end: *const u8, from: *const u8) -> c_int;
    pub fn join(texts: *const *const c_char, texts_count: size, titles: *mut *mut c_char) -> c_int;
    pub fn rows(book: &mut Book, shelves: *mut *mut Book, lines: *const *const c_void, lines_lens: *const c_int, planes: *mut *mut u16, count: size) -> c_int;
    pub fn lend(book: *mut Book, words: *const u16, count: size) -> c_int;
    pub fn ready(level: c_int) -> bool;
    pub fn reopen(level: c_int, count: *mut c_int) -> bool;
    pub fn each(back: Visit, user: *mut c_void) -> c_int;
    pub fn size(source: *const u8, source_len: usize, width: *mut c_int, height: *mut c_int) -> c_int;
    pub fn step(book: *mut Book) -> c_int;
    pub fn pack(dest: *mut u8, dest_cap: usize, source: *const u8, source_len: usize) -> usize;
    pub fn set(book: *mut Book, op: c_int, value: *mut c_int) -> c_int;
    pub fn paint(pixels: *const u8, width: c_int, height: c_int, stride: c_int) -> c_int;
    pub fn start(stream: *mut Stream) -> c_int;
    pub fn turn(stream: *mut Stream, flush: c_int) -> c_int;
    pub fn stop(stream: *mut Stream) -> c_int;
    pub fn line(book: &mut Book, line: *mut u8);
    pub fn measure(book: *mut Book) -> usize;
    pub fn find(text: *const c_char, what: c_int) -> *const c_char;
    pub fn name(book: *mut Book) -> *const c_char;
}
