//! A library that calls back, and lies where it is told to (`csrc/told.c`).

use std::ffi::{c_char, c_int, c_long, c_uchar, c_void};

/// What it makes.
pub enum Thing {}

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
    pub fn told_keep(back: Option<unsafe extern "C" fn(c_int) -> c_int>);
    pub fn told_again(number: c_int) -> c_int;
}
