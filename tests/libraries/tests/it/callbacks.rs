//! Closures of the program behind the callbacks of C, and a library that lies to them.

use crate::isolation::isolation;
use crate::support::alone;
use isolate_libraries::isolated::{sqlite, tlv as told};
use isolate_rt::{Fault, FaultKind};
use std::ffi::{CString, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

const TRUTH: c_int = 0;
const NOTHING: c_int = 1;
const ELSEWHERE: c_int = 2;
const TOO_MANY: c_int = 3;
const STATIC: c_int = 4;

fn shown(text: &Option<CString>) -> &str {
    text.as_deref().map_or("-", |text| text.to_str().expect("UTF-8"))
}

/// The rows as a closure sees them; it stops after `most`.
fn rows(most: usize, lie: c_int) -> (Result<c_int, Fault>, Vec<String>) {
    let mut seen = Vec::new();
    let answer = told::told_rows(
        4,
        3,
        Some(&mut |values, title| {
            let values: Vec<_> = values.iter().map(shown).collect();
            seen.push(format!("{}: {}", title.map_or("-", |title| title.to_str().expect("UTF-8")), values.join(" ")));
            c_int::from(seen.len() >= most) * 7
        }),
        lie,
    );
    (answer, seen)
}

#[test]
fn closures_see_strings_and_stop() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let (answer, seen) = rows(3, TRUTH);
    assert_eq!((answer.unwrap(), seen), (7, vec!["row: - aa aaa".into(), "-: b - bbb".into(), "row: c cc -".into()]));
    assert_eq!(told::told_rows(0, 3, None, TRUTH).unwrap(), 0);
}

#[test]
fn closures_fill_room() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let source: Vec<u8> = (0..1000_u32).map(|at| (at % 251) as u8).collect();
    let mut rest = &source[..];
    let mut out = [0; 700];
    let read = |into: &mut [u8]| {
        let count = into.len().min(rest.len()).min(64);
        into[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        count as _
    };
    assert_eq!(told::told_fill(&mut out, read, TRUTH).unwrap(), (700, 700));
    assert!(out == source[..700]);
    assert_eq!(rest.len(), 300);
    // What a closure claims to have written beyond its room is not copied.
    assert_eq!(told::told_fill(&mut out, |_| 1_000_000, TRUTH).unwrap(), (0, 0));
}

#[test]
fn closures_see_handles_and_numbers() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let thing = told::told_thing(5).unwrap();
    let mut asked = 0;
    let sum = told::told_each(&thing, &[1, 20, 300], |_, numbers| {
        asked += 1;
        numbers.iter().copied().map(i64::from).sum()
    });
    assert_eq!((sum.unwrap(), asked), (1 + 21 + 321, 3));
    assert_eq!(told::told_drop(thing).unwrap(), 5);
}

#[test]
fn a_panic_goes_on_from_the_call() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let mut panicking = |_: &[Option<CString>], _: Option<&std::ffi::CStr>| -> c_int { panic!("enough") };
    let panic = catch_unwind(AssertUnwindSafe(|| told::told_rows(2, 3, Some(&mut panicking), TRUTH))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"enough"));
    assert_eq!(rows(1, TRUTH).0.unwrap(), 7, "the next call works");
}

/// Each lie is a fault, no closure has seen it, and the next call works.
#[test]
fn lies_are_faults() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    for lie in [NOTHING, ELSEWHERE, TOO_MANY] {
        let (answer, seen) = rows(9, lie);
        let fault = answer.unwrap_err();
        assert!(matches!(fault.kind(), FaultKind::InvalidValue { .. }), "{lie}: {fault}");
        assert_eq!((fault.domain(), fault.function()), ("tlv", "told_rows"));
        assert_eq!(seen, [""; 0], "{lie}");
        assert_eq!(rows(1, TRUTH).0.unwrap(), 7, "after {lie}");
    }
    for lie in [NOTHING, ELSEWHERE, TOO_MANY, STATIC] {
        let mut out = [0x5a; 50];
        let fault = told::told_fill(&mut out, |into| into.len() as _, lie).unwrap_err();
        assert!(matches!(fault.kind(), FaultKind::InvalidValue { .. }), "{lie}: {fault}");
        assert_eq!(out, [0x5a; 50], "{lie}");
        assert_eq!(rows(1, TRUTH).0.unwrap(), 7, "after {lie}");
    }
}

#[test]
fn a_pointer_that_was_kept_is_refused() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    told::told_keep(|number| number + 1).unwrap();
    let fault = told::told_again(1).unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::CallbackRefused), "{fault}");
}

/// The first of two handles ends although the second is NULL, in a domain where its end has to wait for the call.
#[test]
fn a_missing_second_handle_is_no_deadlock() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let (first, second) = told::told_pair(TRUTH).unwrap();
    assert_eq!((told::told_id(&first).unwrap(), told::told_id(&second).unwrap()), (1, 2));
    let fault = told::told_pair(NOTHING).unwrap_err();
    assert!(fault.to_string().contains("NULL"), "{fault}");
    drop((first, second));
    assert_eq!(told::told_id(&told::told_thing(3).unwrap()).unwrap(), 3);
}

#[test]
fn sqlite_calls_back_for_each_row() {
    if !isolation() {
        return;
    }
    let db = sqlite::sqlite3_open(c":memory:").unwrap();
    let sql = c"CREATE TABLE t(name TEXT, size INTEGER); INSERT INTO t VALUES('a', 1), ('b', NULL), ('c', 3);";
    sqlite::sqlite3_exec(&db, sql, None).unwrap();
    let mut seen = Vec::new();
    // A closure may make calls into the domain that waits for it.
    let mut see = |values: &[Option<CString>], names: &[Option<CString>]| {
        assert_eq!(sqlite::sqlite3_changes(&db).unwrap(), 3);
        seen.extend(names.iter().zip(values).map(|(name, value)| format!("{}={}", shown(name), shown(value))));
        0
    };
    sqlite::sqlite3_exec(&db, c"SELECT * FROM t ORDER BY name", Some(&mut see)).unwrap();
    assert_eq!(seen, ["name=a", "size=1", "name=b", "size=-", "name=c", "size=3"]);
    // Another answer than 0 stops: SQLITE_ABORT.
    let failed = sqlite::sqlite3_exec(&db, c"SELECT * FROM t", Some(&mut |_, _| 1)).unwrap_err();
    assert!(failed.to_string().ends_with("failed with 4: query aborted"), "{failed}");
}
