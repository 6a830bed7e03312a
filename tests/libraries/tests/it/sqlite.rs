//! SQLite as a program uses it: connections and statements that close themselves, in whatever order they are dropped.

use crate::isolation::isolation;
use isolate_libraries::isolated::sqlite::*;
use isolate_libraries::sqlite as ffi;
use isolate_rt::{Call, Error, Fault, FaultKind};
use std::ffi::{CStr, c_int};
use std::ptr;

const ROW: c_int = 100;
const DONE: c_int = 101;
const SCHEMA: &CStr = c"CREATE TABLE file(name TEXT, size INTEGER, content BLOB)";
const INSERT: &str = "INSERT INTO file VALUES(?1, ?2, ?3)";
const SELECT: &str = "SELECT name, size, content FROM file WHERE size > 0 ORDER BY size DESC, name";

/// Name, size, content.
type File = (String, i64, Option<Vec<u8>>);

fn files() -> Vec<File> {
    (0..200_i64)
        .map(|id| {
            let content = (id % 7 != 0).then(|| (0..id * 31).map(|at| (at % 251) as u8).collect());
            (format!("file {id} é"), id * 31 % 97, content)
        })
        .collect()
}

fn isolated(files: &[File]) -> Result<Vec<File>, Error<c_int>> {
    let db = sqlite3_open(c":memory:")?;
    sqlite3_exec(&db, SCHEMA, None)?;
    let insert = sqlite3_prepare_v2(&db, INSERT.as_bytes())?.expect("a statement");
    for (name, size, content) in files {
        sqlite3_bind_text(&insert, 1, name.as_bytes())?;
        sqlite3_bind_int64(&insert, 2, *size)?;
        sqlite3_bind_blob(&insert, 3, content.as_deref().unwrap_or_default())?;
        assert_eq!(sqlite3_step(&insert)?, DONE);
        sqlite3_reset(&insert)?;
    }
    assert_eq!(sqlite3_changes(&db)?, 1);
    let select = sqlite3_prepare_v2(&db, SELECT.as_bytes())?.expect("a statement");
    // Statements keep their connection.
    drop(db);
    drop(insert);
    assert_eq!(sqlite3_column_count(&select)?, 3);
    assert_eq!(sqlite3_column_name(&select, 1)?.as_deref(), Some(c"size"));
    let mut found = Vec::new();
    while sqlite3_step(&select)? == ROW {
        let name = sqlite3_column_text(&select, 0)?.expect("a name");
        let size = sqlite3_column_int64(&select, 1)?;
        found.push((String::from_utf8(name).expect("UTF-8"), size, sqlite3_column_blob(&select, 2)?));
    }
    assert_eq!(sqlite3_finalize(select)?, 0);
    Ok(found)
}

fn directly(files: &[File]) -> Vec<File> {
    let (mut db, mut insert, mut select) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let mut found = Vec::new();
    // SAFETY: every pointer covers its length, handles are used between their making and their end, and columns are copied
    // before the next step.
    unsafe {
        assert_eq!(ffi::sqlite3_open(c":memory:".as_ptr(), &mut db), 0);
        assert_eq!(ffi::sqlite3_exec(db, SCHEMA.as_ptr(), None, ptr::null_mut(), ptr::null_mut()), 0);
        let prepare = |sql: &str, statement: &mut *mut ffi::sqlite3_stmt| {
            ffi::sqlite3_prepare_v2(db, sql.as_ptr().cast(), sql.len() as c_int, statement, ptr::null_mut())
        };
        assert_eq!(prepare(INSERT, &mut insert), 0);
        for (name, size, content) in files {
            let content = content.as_deref().unwrap_or_default();
            let transient = std::mem::transmute::<isize, ffi::sqlite3_destructor_type>(-1);
            ffi::sqlite3_bind_text(insert, 1, name.as_ptr().cast(), name.len() as c_int, transient);
            ffi::sqlite3_bind_int64(insert, 2, *size);
            ffi::sqlite3_bind_blob(insert, 3, content.as_ptr().cast(), content.len() as c_int, transient);
            assert_eq!(ffi::sqlite3_step(insert), DONE);
            ffi::sqlite3_reset(insert);
        }
        assert_eq!(prepare(SELECT, &mut select), 0);
        let bytes = |data: *const u8, column| {
            let len = ffi::sqlite3_column_bytes(select, column) as usize;
            assert!(len <= 200 * 31, "no column is longer");
            (!data.is_null()).then(|| std::slice::from_raw_parts(data, len).to_vec())
        };
        while ffi::sqlite3_step(select) == ROW {
            let name = bytes(ffi::sqlite3_column_text(select, 0), 0).expect("a name");
            let size = ffi::sqlite3_column_int64(select, 1);
            let content = bytes(ffi::sqlite3_column_blob(select, 2).cast(), 2);
            found.push((String::from_utf8(name).expect("UTF-8"), size, content));
        }
        ffi::sqlite3_finalize(insert);
        ffi::sqlite3_finalize(select);
        ffi::sqlite3_close(db);
    }
    found
}

#[test]
fn rows_are_what_they_are_directly() {
    if isolation() {
        let files = files();
        let found = isolated(&files).unwrap();
        assert!(found.len() > 150);
        assert!(found == directly(&files));
    }
}

#[test]
fn errors_have_sqlites_words() {
    if !isolation() {
        return;
    }
    let failed = sqlite3_open(c"/nowhere/at.all").unwrap_err();
    assert_eq!(failed.to_string(), "`sqlite3_open` in domain `sqlite` failed with 14: unable to open database file");
    let db = sqlite3_open(c":memory:").unwrap();
    let failed = sqlite3_prepare_v2(&db, b"SELECT * FROM missing").unwrap_err();
    assert_eq!(failed.to_string(), "`sqlite3_prepare_v2` in domain `sqlite` failed with 1: no such table: missing");
    assert!(sqlite3_prepare_v2(&db, b" -- nothing").unwrap().is_none());
}

/// `sqlite3_open_v2` as `rusqlite` opens, and what else ships without an entry of the policy.
#[test]
fn opened_with_flags() {
    if !isolation() {
        return;
    }
    const READWRITE: c_int = 2;
    let failed = sqlite3_open_v2(c"/nowhere/at.all", READWRITE, None).unwrap_err();
    assert_eq!(failed.to_string(), "`sqlite3_open_v2` in domain `sqlite` failed with 14: unable to open database file");
    let db = sqlite3_open_v2(c":memory:", READWRITE, None).unwrap();
    let select = sqlite3_prepare_v2(&db, b"SELECT ?1").unwrap().unwrap();
    let failed = sqlite3_bind_int64(&select, 2, 1).unwrap_err();
    assert_eq!(failed.to_string(), "`sqlite3_bind_int64` in domain `sqlite` failed with 25: column index out of range");
    sqlite3_bind_int64(&select, 1, 42).unwrap();
    assert_eq!(sqlite3_expanded_sql(&select).unwrap().unwrap().as_c_str(), c"SELECT 42");
    let mut random = [0; 64];
    sqlite3_randomness(Some(&mut random)).unwrap();
    assert_ne!(random, [0; 64]);
}

/// A connection with statements is not closed by hand; after the last of them it closes itself.
#[test]
fn a_parent_stays() {
    if !isolation() {
        return;
    }
    let db = sqlite3_open(c":memory:").unwrap();
    let one = sqlite3_prepare_v2(&db, b"SELECT 1").unwrap().unwrap();
    let fault = sqlite3_close(db).unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::InUse), "{fault}");
    assert_eq!(sqlite3_step(&one).unwrap(), ROW);
    drop(one);
    assert_eq!(sqlite3_close(sqlite3_open(c":memory:").unwrap()).unwrap(), 0);
}

/// After a fault there is nothing left of what was open, and nothing is ended twice.
#[test]
fn a_fault_makes_handles_stale() {
    if !isolation() {
        return;
    }
    // A domain of its own: the other tests go on.
    static OTHER: isolate_rt::Domain = isolate_rt::Domain::new("other");
    unsafe extern "C" {
        fn abort() -> !;
        fn malloc(size: usize) -> *mut u8;
    }
    let mut call = OTHER.call("malloc").unwrap();
    // SAFETY: `malloc` takes a number; any pointer may come back.
    let object = unsafe { call.run(|| malloc(16)) }.unwrap();
    let end = |_: &mut Call<'_>, _: *mut u8| -> Result<(), Fault> { panic!("nothing is left to end") };
    // SAFETY: it is not ended.
    let owned = unsafe { call.own(&OTHER, object, end) }.unwrap().unwrap();
    // Of another domain.
    let mut sqlite = DOMAIN.call("other").unwrap();
    assert!(matches!(sqlite.handle(&owned).unwrap_err().kind(), FaultKind::StaleHandle));
    drop(sqlite);
    // SAFETY: `abort` takes and returns nothing.
    let fault = unsafe { call.run::<(), _>(|| abort()) }.unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::Abort), "{fault}");
    drop(call);
    let mut call = OTHER.call("use").unwrap();
    assert!(matches!(call.handle(&owned).unwrap_err().kind(), FaultKind::StaleHandle));
    drop(call);
    drop(owned);
}
