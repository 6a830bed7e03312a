//! A value that goes into a database and comes out of it: a statement bound, stepped, read and reset, in four calls or five. And rows
//! of a table.

use crate::rows::row;
use isolate_libraries::isolated::sqlite;
use libsqlite3_sys as ffi;
use std::ffi::CStr;
use std::ptr;

pub(crate) fn rows(data: &[u8]) {
    let database = sqlite::sqlite3_open(c":memory:").unwrap();
    let statement = sqlite::sqlite3_prepare_v2(&database, b"SELECT ?1").unwrap().unwrap();
    let (mut direct, mut select) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: a path that ends with NUL; both are closed below.
    unsafe {
        assert_eq!(ffi::sqlite3_open(c":memory:".as_ptr(), &mut direct), 0);
        let sql = c"SELECT ?1".as_ptr();
        assert_eq!(ffi::sqlite3_prepare_v2(direct, sql, -1, &mut select, ptr::null_mut()), 0);
    }
    row(
        "sqlite, a blob bound and read",
        data.len(),
        data.len(),
        |out| {
            // SAFETY: the library copies `data`, and what it returns is valid until the reset.
            unsafe {
                ffi::sqlite3_bind_blob(select, 1, data.as_ptr().cast(), data.len() as _, ffi::SQLITE_TRANSIENT());
                assert_eq!(ffi::sqlite3_step(select), ffi::SQLITE_ROW);
                let blob = ffi::sqlite3_column_blob(select, 0).cast::<u8>();
                let len = ffi::sqlite3_column_bytes(select, 0) as usize;
                // The program looks at it where it lies.
                out[0] = *blob.add(len - 1);
                ffi::sqlite3_reset(select);
                len
            }
        },
        |out| {
            sqlite::sqlite3_bind_blob(&statement, 1, data).unwrap();
            assert_eq!(sqlite::sqlite3_step(&statement).unwrap(), ffi::SQLITE_ROW);
            let blob = sqlite::sqlite3_column_blob(&statement, 0).unwrap().unwrap();
            out[0] = blob[blob.len() - 1];
            sqlite::sqlite3_reset(&statement).unwrap();
            blob.len()
        },
    );
    // SAFETY: made above, and not used any more.
    unsafe {
        ffi::sqlite3_finalize(select);
        ffi::sqlite3_close(direct);
    }
}

/// How many rows are inserted, and selected, at once.
const ROWS: i64 = 100;

/// Rows of a number and a blob, inserted into a table in memory and undone, and read.
pub(crate) fn table_rows(data: &[u8]) {
    const TABLE: &CStr = c"CREATE TABLE things (number INTEGER PRIMARY KEY, thing BLOB)";
    const INSERT: &CStr = c"INSERT INTO things VALUES (?1, ?2)";
    const SELECT: &CStr = c"SELECT number, thing FROM things";
    let database = sqlite::sqlite3_open(c":memory:").unwrap();
    let execute = |sql: &CStr| sqlite::sqlite3_exec(&database, sql, None).unwrap();
    execute(TABLE);
    let prepare = |sql: &CStr| sqlite::sqlite3_prepare_v2(&database, sql.to_bytes()).unwrap().unwrap();
    let (insert, select) = (prepare(INSERT), prepare(SELECT));
    let insert_all = || {
        for number in 0..ROWS {
            sqlite::sqlite3_bind_int64(&insert, 1, number).unwrap();
            sqlite::sqlite3_bind_blob(&insert, 2, data).unwrap();
            assert_eq!(sqlite::sqlite3_step(&insert).unwrap(), ffi::SQLITE_DONE);
            sqlite::sqlite3_reset(&insert).unwrap();
        }
    };
    let mut direct = ptr::null_mut();
    // SAFETY: a path that ends with NUL; it is closed below.
    unsafe { assert_eq!(ffi::sqlite3_open(c":memory:".as_ptr(), &mut direct), 0) };
    let execute_directly = |sql: &CStr| {
        // SAFETY: a statement that ends with NUL, and nobody to call.
        let done = unsafe { ffi::sqlite3_exec(direct, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut()) };
        assert_eq!(done, 0);
    };
    execute_directly(TABLE);
    let prepare_directly = |sql: &CStr| {
        let mut statement = ptr::null_mut();
        // SAFETY: as above.
        let done = unsafe { ffi::sqlite3_prepare_v2(direct, sql.as_ptr(), -1, &mut statement, ptr::null_mut()) };
        assert_eq!(done, 0);
        statement
    };
    let (direct_insert, direct_select) = (prepare_directly(INSERT), prepare_directly(SELECT));
    let insert_all_directly = || {
        for number in 0..ROWS {
            // SAFETY: the library copies `data`.
            unsafe {
                ffi::sqlite3_bind_int64(direct_insert, 1, number);
                let (from, len) = (data.as_ptr().cast(), data.len() as _);
                ffi::sqlite3_bind_blob(direct_insert, 2, from, len, ffi::SQLITE_TRANSIENT());
                assert_eq!(ffi::sqlite3_step(direct_insert), ffi::SQLITE_DONE);
                ffi::sqlite3_reset(direct_insert);
            }
        }
    };
    row(
        "sqlite, 100 rows inserted",
        data.len(),
        0,
        |_| {
            execute_directly(c"BEGIN");
            insert_all_directly();
            execute_directly(c"ROLLBACK");
            0
        },
        |_| {
            execute(c"BEGIN");
            insert_all();
            execute(c"ROLLBACK");
            0
        },
    );
    insert_all();
    insert_all_directly();
    row(
        "sqlite, 100 rows selected",
        data.len(),
        data.len(),
        |out| {
            let mut count = 0;
            // SAFETY: what the library returns is valid until the next step.
            unsafe {
                while ffi::sqlite3_step(direct_select) == ffi::SQLITE_ROW {
                    assert!(ffi::sqlite3_column_int64(direct_select, 0) < ROWS);
                    let blob = ffi::sqlite3_column_blob(direct_select, 1).cast::<u8>();
                    // The program looks at it where it lies.
                    out[0] = *blob.add(ffi::sqlite3_column_bytes(direct_select, 1) as usize - 1);
                    count += 1;
                }
                ffi::sqlite3_reset(direct_select);
            }
            count
        },
        |out| {
            let mut count = 0;
            while sqlite::sqlite3_step(&select).unwrap() == ffi::SQLITE_ROW {
                assert!(sqlite::sqlite3_column_int64(&select, 0).unwrap() < ROWS);
                let blob = sqlite::sqlite3_column_blob(&select, 1).unwrap().unwrap();
                out[0] = blob[blob.len() - 1];
                count += 1;
            }
            sqlite::sqlite3_reset(&select).unwrap();
            count
        },
    );
    // SAFETY: made above, and not used any more.
    unsafe {
        ffi::sqlite3_finalize(direct_insert);
        ffi::sqlite3_finalize(direct_select);
        ffi::sqlite3_close(direct);
    }
}
