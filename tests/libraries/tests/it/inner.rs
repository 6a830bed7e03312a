//! Pointers that lead into an argument come out as places there.

use crate::isolation::isolation;
use isolate_libraries::isolated::{sqlite::*, tlv as told};
use isolate_rt::{Fault, FaultKind};
use std::ffi::{CString, c_char, c_int};

fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) {
    let fault = result.unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::InvalidValue { .. }), "{fault}");
}

#[test]
fn places_in_texts_and_slices() {
    if !isolation() {
        return;
    }
    let text = CString::new("name=value").unwrap();
    let after = |mark: u8, lie| told::told_after(&text, mark as c_char, lie);
    assert_eq!(after(b'=', 0), Ok(Some(4)));
    assert_eq!(after(b'?', 0), Ok(None));
    assert_eq!(after(0, 0), Ok(Some(10)), "where the text ends");
    refused(after(b'=', 1));

    let between = |from, until, mark: u8| told::told_between(b"a=b=c", from, until, mark as c_char);
    assert_eq!(between(0, None, b'='), Ok(Some(1)));
    assert_eq!(between(2, None, b'='), Ok(Some(3)));
    assert_eq!(between(2, Some(3), b'='), Ok(None));
    assert_eq!(between(5, Some(5), b'='), Ok(None), "right behind the last");
    for (from, until) in [(6, None), (0, Some(6)), (usize::MAX, None)] {
        let refused = between(from, until, b'=').unwrap_err();
        assert!(matches!(refused.kind(), FaultKind::TooLarge { limit: 5, .. }), "{refused:?}");
    }

    let numbers: Vec<c_int> = (0..10).collect();
    assert_eq!(told::told_from(&numbers, 7, 0), Ok((3, 7)));
    assert_eq!(told::told_from(&numbers, 70, 0), Ok((0, 10)), "right behind the last");
    assert_eq!(told::told_from(&[], 7, 0), Ok((0, 0)));
    refused(told::told_from(&numbers, 7, 1));
}

/// A script, statement by statement, as SQLite's own shell runs it.
#[test]
fn a_script_in_sqlite() {
    if !isolation() {
        return;
    }
    let script = "CREATE TABLE t(n); INSERT INTO t VALUES (1), (2), (3);  SELECT sum(n) FROM t; -- the end";
    let db = sqlite3_open(c":memory:").unwrap();
    let (mut rest, mut sums) = (script, Vec::new());
    let mut statements = 0;
    while !rest.is_empty() {
        let (statement, tail) = sqlite3_prepare_v3(&db, rest.as_bytes(), 0).unwrap();
        rest = &rest[tail..];
        let Some(statement) = statement else { continue };
        statements += 1;
        while sqlite3_step(&statement).unwrap() == 100 {
            sums.push(sqlite3_column_int64(&statement, 0).unwrap());
        }
    }
    assert_eq!((statements, sums), (3, vec![6]));
}
