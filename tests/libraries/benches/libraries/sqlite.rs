//! A value that goes into a database and comes out of it: a statement bound, stepped, read and reset, in four calls or five.

use crate::rows::row;
use isolate_libraries::isolated::sqlite;
use libsqlite3_sys as ffi;
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
