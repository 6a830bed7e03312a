//! Functions that are called in several ways, and lengths that no memory has.

use crate::isolation::isolation;
use crate::support::{alone, text};
use isolate_libraries::isolated::{sqlite, tlv as told, zlib};
use isolate_rt::{FaultKind, Null};
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

const SQLITE_DBCONFIG_MAINDBNAME: c_int = 1000;
const SQLITE_DBCONFIG_ENABLE_FKEY: c_int = 1002;

/// The message of a panic.
#[track_caller]
fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).err().expect("a panic");
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).expect("a message")
}

#[test]
fn variable_arguments() {
    if !isolation() {
        return;
    }
    for (text, quoted) in [(c"it's", c"'it''s'"), (c"", c"''"), (c"a\"b", c"'a\"b'")] {
        assert_eq!(&*sqlite::sqlite3_quoted(text).unwrap(), quoted);
    }
    for (width, number) in [(0, 0.0), (12, -1.5), (9, 1234.5678)] {
        let said = format!("{number:width$.3}", width = width as usize);
        assert_eq!(sqlite::sqlite3_number(width, number).unwrap().to_str(), Ok(&*said));
    }
    // More than SQLite makes of anything: it returns NULL.
    let failed = sqlite::sqlite3_number(2_000_000_000, 0.0).unwrap_err();
    assert_eq!(failed.code(), Some(&Null), "{failed}");
    assert_eq!(failed.to_string(), "`sqlite3_mprintf` in domain `sqlite` failed with NULL");
}

#[test]
fn one_form_for_some_values() {
    if !isolation() {
        return;
    }
    let db = sqlite::sqlite3_open(c":memory:").unwrap();
    for on in [1, 0] {
        assert_eq!(sqlite::sqlite3_db_config_flag(&db, SQLITE_DBCONFIG_ENABLE_FKEY, on).unwrap(), on);
        // -1 asks, and changes nothing.
        assert_eq!(sqlite::sqlite3_db_config_flag(&db, SQLITE_DBCONFIG_ENABLE_FKEY, -1).unwrap(), on);
    }
    let panic = panic_of(|| sqlite::sqlite3_db_config_flag(&db, SQLITE_DBCONFIG_MAINDBNAME, 1));
    assert_eq!(panic, "`sqlite3_db_config_flag` is for `op >= 1002 && op <= 1020`");
}

#[test]
fn a_size_is_asked_for() {
    if !isolation() {
        return;
    }
    let data = &text()[..50_000];
    let mut packed = vec![0; 60_000];
    let length = zlib::compress2(&mut packed, data, 6).unwrap();
    let begin = || zlib::inflateInit_().unwrap();
    let mut stream = begin();
    assert_eq!(zlib::inflateGetDictionary_len(&mut stream).unwrap(), 0);
    let (mut room, mut dictionary) = (vec![0; 50_000], [0; 32_768]);
    for (upto, known) in [(1_000, 1_000), (40_000, 32_768)] {
        let (mut read, mut written) = (0, 0);
        while written < upto {
            let (_, more_read, more) =
                zlib::inflate(&mut stream, &packed[read..length], &mut room[written..upto], 0).unwrap();
            (read, written) = (read + more_read, written + more);
        }
        assert_eq!(zlib::inflateGetDictionary_len(&mut stream).unwrap(), known as u32);
        let count = zlib::inflateGetDictionary(&mut stream, &mut dictionary).unwrap();
        assert_eq!(count, known);
        assert!(dictionary[..count] == data[upto - known..upto]);
        zlib::inflateEnd(stream).unwrap();
        stream = begin();
    }
}

/// What a length is computed from may be anything: neither the sum nor the product wraps around.
#[test]
fn lengths_overflow_into_nothing() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    assert_eq!(told::told_table(&[1, 2, 3, 4, 5], 2, 2, 1).unwrap(), 10);
    // The product is 2^64 and more, of which 64 bits would keep nothing, and 128 bits something else.
    for (rows, columns, depth) in
        [(1 << 32, 1 << 32, 1), (usize::MAX, usize::MAX, usize::MAX), (1 << 63, 1 << 63, 4), (6, 1, 1)]
    {
        let fault = told::told_table(&[1; 5], rows, columns, depth).unwrap_err();
        assert!(matches!(fault.kind(), FaultKind::TooLarge { limit: 5, .. }), "{fault}");
    }
    // What the library claims after the call is at most the room.
    let mut room = [0; 10];
    let (_, written) = told::told_more(&mut room).unwrap();
    assert_eq!((written, room), (0, [0; 10]));
    assert_eq!(told::told_table(&[7], 1, 1, 1).unwrap(), 7, "the next call works");
}

/// Division rounds down, and by 0 it is no length.
#[test]
fn lengths_divide() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    assert_eq!(told::told_packed(&[1; 6], 17, 2, 8).unwrap(), 6);
    assert_eq!(told::told_packed(&[1; 9], 16, 4, 8).unwrap(), 8, "what is beyond them is not read");
    let kind = |width, rows, per_byte| told::told_packed(&[1; 5], width, rows, per_byte).unwrap_err().kind().clone();
    assert_eq!(kind(17, 2, 8), FaultKind::TooLarge { requested: 6, limit: 5 });
    assert!(matches!(kind(17, 2, 0), FaultKind::InvalidValue { .. }));
    assert!(matches!(kind(usize::MAX, usize::MAX, 1), FaultKind::TooLarge { .. }));

    // The library claims 11 halves of a byte in 5 bytes.
    let mut room = [0; 10];
    let (_, written, halves, used) = told::told_halves(&mut room).unwrap();
    assert_eq!((written, halves, used, room), (5, 11, 1, [9, 9, 9, 9, 9, 0, 0, 0, 0, 0]));
}

/// Handles of one domain mean nothing in another.
#[test]
fn a_handle_of_another_domain() {
    if !isolation() {
        return;
    }
    let db = sqlite::sqlite3_open(c":memory:").unwrap();
    let mut call = zlib::DOMAIN.call("elsewhere").unwrap();
    assert_eq!(*call.handle(&db).unwrap_err().kind(), FaultKind::StaleHandle);
}

/// What is behind a pointer that the caller sees counts as it is after the call, not as the caller left it.
#[test]
fn a_count_that_goes_in_and_comes_out() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let (mut room, mut done) = ([0; 10], 0);
    assert_eq!(told::told_on(&mut room, &mut done).unwrap(), 10);
    assert_eq!((room, done), ([7; 10], 10));
    let mut done = 11;
    told::told_on(&mut room, &mut done).unwrap_err();
    assert_eq!(done, 11, "what is `&mut` keeps its value");
}

/// Slices whose ends the function gets as pointers: what it reads and writes stays between them.
#[test]
fn slices_that_end_at_a_pointer() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let mut out = [b'-'; 8];
    for (text, room, expected) in [("", 8, ""), ("abc", 8, "ABC"), ("a long text", 5, "A LON"), ("abc", 0, "")] {
        let (count, written) = told::told_capitals(text.as_bytes(), &mut out[..room]).unwrap();
        assert_eq!((&out[..written], count as usize), (expected.as_bytes(), expected.len()));
        assert!(out[room..].iter().all(|byte| *byte == b'-'), "{text}");
        out.fill(b'-');
    }
    let large = vec![b'z'; 100_000];
    let mut out = vec![0; 100_000];
    assert_eq!(told::told_capitals(&large, &mut out).unwrap(), (100_000, 100_000));
    assert!(out.iter().all(|byte| *byte == b'Z'));
    let mut numbers = [1, 2, 3, 40];
    assert_eq!(told::told_reversed(Some(&mut numbers)).unwrap(), 46);
    assert_eq!(numbers, [40, 3, 2, 1]);
    assert_eq!(told::told_reversed(Some(&mut [])).unwrap(), 0);
    assert_eq!(told::told_reversed(None).unwrap(), -1);
}
