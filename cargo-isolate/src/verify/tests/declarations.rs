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
    pub kind: Kind,
    pub next: *mut Entry,
    pub hook: Option<unsafe extern "C" fn(entry: *const Entry, how: c_int) -> c_int>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union Kind {
    pub number: c_int,
    pub letter: [u8; 2],
}

pub enum Book {}

pub type Visit = Option<unsafe extern "C" fn(*const u8, c_int, *const c_char, *mut c_void) -> c_int>;

unsafe extern "C" {
    pub fn fill(dest: *mut u8, len: Position, source: *const u8, source_len: size, level: c_int) -> c_int;
    pub fn open(name: *const ::core::ffi::c_char) -> *mut Book;
    pub fn describe(book: *mut Book, at: *const u8, at_len: self::size) -> *const c_char;
    pub fn entry(entry: &mut Entry) -> c_int;
    pub fn reset();
    pub fn span(text: *const u8, text_end: *const u8, from: *const u8) -> c_int;
    pub fn join(texts: *const *const c_char, texts_count: size, titles: *mut *mut c_char) -> c_int;
    pub fn rows(shelves: *mut *mut Book, lines: *const *const c_void, lines_lens: *const c_int, planes: *mut *mut u16, count: size) -> c_int;
    pub fn lend(book: *mut Book, words: *const u16, count: size) -> c_int;
    pub fn ready(level: c_int) -> bool;
    pub fn each(back: Visit, user: *mut c_void) -> c_int;
}
