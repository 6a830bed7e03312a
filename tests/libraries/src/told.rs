//! A library that calls back, and lies where it is told to (`csrc/told.c`).

use std::ffi::{c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};

/// What it makes.
pub enum Thing {}

/// Made by the library.
#[repr(C)]
pub struct Page {
    pub title: *const c_char,
    pub count: c_int,
    pub lines: *mut Line,
    pub owner: *mut Thing,
    pub unset: *mut c_uchar,
    pub width: c_ulong,
}

#[repr(C)]
pub struct Line {
    pub data: *mut c_uchar,
    pub size: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Val {
    pub size: usize,
    pub data: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Numbers {
    pub first: *const c_int,
    pub count: c_uint,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Odd = 7,
    Even = 9,
}

/// Keeps what it is given.
pub enum Reader {}

#[repr(C)]
pub struct Window {
    pub kept: *const c_uchar,
    pub size: usize,
    pub total: c_long,
}

unsafe extern "C" {
    pub fn told_rows(
        rows: c_int,
        count: c_int,
        each: Option<
            unsafe extern "C" fn(
                user: *mut c_void,
                count: c_int,
                values: *mut *mut c_char,
                title: *const c_char,
            ) -> c_int,
        >,
        user: *mut c_void,
        lie: c_int,
    ) -> c_int;
    pub fn told_fill(
        out: *mut c_uchar,
        room: usize,
        fill: extern "C" fn(user: *mut c_void, into: *mut c_uchar, room: usize) -> c_long,
        user: *mut c_void,
        lie: c_int,
    ) -> usize;
    pub fn told_thing(id: c_int) -> *mut Thing;
    pub fn told_pair(first: *mut *mut Thing, second: *mut *mut Thing, lie: c_int) -> c_int;
    pub fn told_id(thing: *const Thing) -> c_int;
    pub fn told_drop(thing: *mut Thing) -> c_int;
    pub fn told_each(
        thing: *mut Thing,
        numbers: *const c_int,
        count: usize,
        visit: Option<unsafe extern "C" fn(thing: *mut Thing, numbers: *const c_int, count: usize) -> c_long>,
    ) -> c_long;
    pub fn told_table(numbers: *const c_int, rows: usize, columns: usize, depth: usize) -> c_long;
    pub fn told_packed(bytes: *const c_uchar, width: usize, rows: usize, per_byte: usize) -> c_long;
    pub fn told_halves(out: *mut c_uchar, room: usize, halves: *mut usize, used: *mut usize) -> c_int;
    pub fn told_more(out: *mut c_uchar, room: usize) -> u64;
    pub fn told_on(out: *mut c_uchar, room: usize, done: *mut usize) -> c_int;
    pub fn told_capitals(
        text: *const c_char,
        text_end: *const c_char,
        out: *mut c_uchar,
        out_end: *mut c_uchar,
    ) -> c_int;
    pub fn told_reversed(first: *mut c_int, last: *mut c_int) -> c_int;
    pub fn told_page(count: c_int, lie: c_int) -> *mut Page;
    pub fn told_page_drop(page: *mut Page);
    pub fn told_line_lies(line: *mut Line, size: usize);
    pub fn told_put(key: *const Val, data: *mut Val) -> c_int;
    pub fn told_get(key: *mut Val, data: *mut Val, lie: c_int) -> c_int;
    pub fn told_seek(key: *mut Val, data: *mut Val) -> c_int;
    pub fn told_sum(numbers: Numbers) -> c_long;
    pub fn told_join(
        argc: c_int,
        argv: *mut *mut c_char,
        more: *mut *const c_char,
        out: *mut c_char,
        room: usize,
    ) -> usize;
    pub fn told_ids(things: *const *const Thing, count: usize) -> c_long;
    pub fn told_shift(
        rows: *const *const c_uchar,
        out: *mut *mut c_uchar,
        count: c_uint,
        width: usize,
        by: c_uchar,
        lie: c_int,
    ) -> c_int;
    pub fn told_gather(
        parts: *const *const c_void,
        lengths: *const c_uint,
        count: usize,
        out: *mut c_char,
        room: usize,
    ) -> usize;
    pub fn told_scatter(parts: *const *mut c_uchar, lengths: *const usize, count: usize);
    pub fn told_keys(keys: *mut *mut c_uchar, count: usize);
    pub fn told_after(text: *const c_char, mark: c_char, lie: c_int) -> *const c_char;
    pub fn told_between(
        text: *const c_char,
        text_end: *const c_char,
        from: *const c_char,
        until: *const c_char,
        mark: c_char,
    ) -> *const c_char;
    pub fn told_from(numbers: *const c_int, count: usize, least: c_int, found: *mut *const c_int, lie: c_int) -> usize;
    pub fn told_reader(from: *const c_void, size: usize) -> *mut Reader;
    pub fn told_reader_name(reader: *mut Reader, name: *const c_char) -> c_int;
    pub fn told_reader_more(reader: *mut Reader, more: *const c_int, count: usize, lie: c_int) -> c_int;
    pub fn told_reader_sum(reader: *const Reader) -> c_long;
    pub fn told_reader_close(reader: *mut Reader);
    pub fn told_last_sum() -> c_long;
    pub fn told_window_begin(window: *mut Window, kept: *const c_uchar, size: usize) -> c_int;
    pub fn told_window_slide(window: *mut Window, kept: *const c_uchar, size: usize) -> c_int;
    pub fn told_window_end(window: *mut Window) -> c_int;
    pub fn told_even(number: c_int, lie: c_int) -> bool;
    pub fn told_colour(number: c_int, lie: c_int) -> Colour;
    pub fn told_keep(back: Option<unsafe extern "C" fn(c_int) -> c_int>);
    pub fn told_again(number: c_int) -> c_int;
}
