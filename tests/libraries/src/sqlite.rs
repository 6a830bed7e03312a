//! SQLite's functions as `sqlite3.h` has them, with the parameter names of `libsqlite3-sys`.
//!
//! That crate's own declarations come out of its build script, so the tool sees them only where it may build (`--expand`).

use std::ffi::{c_char, c_int, c_uchar, c_void};

/// A connection.
pub enum sqlite3 {}
/// A prepared statement.
pub enum sqlite3_stmt {}

/// Gets what was passed with it, the number of columns, their values and their names; other than 0 stops.
pub type sqlite3_callback = Option<
    unsafe extern "C" fn(arg1: *mut c_void, arg2: c_int, arg3: *mut *mut c_char, arg4: *mut *mut c_char) -> c_int,
>;
/// Frees what was bound. `SQLITE_TRANSIENT`, -1, asks for a copy.
pub type sqlite3_destructor_type = Option<unsafe extern "C" fn(*mut c_void)>;

unsafe extern "C" {
    pub fn sqlite3_open(filename: *const c_char, ppDb: *mut *mut sqlite3) -> c_int;
    pub fn sqlite3_open_v2(
        filename: *const c_char,
        ppDb: *mut *mut sqlite3,
        flags: c_int,
        zVfs: *const c_char,
    ) -> c_int;
    pub fn sqlite3_close(arg1: *mut sqlite3) -> c_int;
    pub fn sqlite3_close_v2(arg1: *mut sqlite3) -> c_int;
    pub fn sqlite3_errmsg(arg1: *mut sqlite3) -> *const c_char;
    pub fn sqlite3_errstr(arg1: c_int) -> *const c_char;
    pub fn sqlite3_changes(arg1: *mut sqlite3) -> c_int;
    pub fn sqlite3_exec(
        arg1: *mut sqlite3,
        sql: *const c_char,
        callback: sqlite3_callback,
        arg2: *mut c_void,
        errmsg: *mut *mut c_char,
    ) -> c_int;
    pub fn sqlite3_prepare_v2(
        db: *mut sqlite3,
        zSql: *const c_char,
        nByte: c_int,
        ppStmt: *mut *mut sqlite3_stmt,
        pzTail: *mut *const c_char,
    ) -> c_int;
    pub fn sqlite3_finalize(pStmt: *mut sqlite3_stmt) -> c_int;
    pub fn sqlite3_bind_text(
        arg1: *mut sqlite3_stmt,
        arg2: c_int,
        arg3: *const c_char,
        arg4: c_int,
        arg5: sqlite3_destructor_type,
    ) -> c_int;
    pub fn sqlite3_bind_blob(
        arg1: *mut sqlite3_stmt,
        arg2: c_int,
        arg3: *const c_void,
        n: c_int,
        arg4: sqlite3_destructor_type,
    ) -> c_int;
    pub fn sqlite3_bind_int(arg1: *mut sqlite3_stmt, arg2: c_int, arg3: c_int) -> c_int;
    pub fn sqlite3_bind_double(arg1: *mut sqlite3_stmt, arg2: c_int, arg3: f64) -> c_int;
    pub fn sqlite3_bind_null(arg1: *mut sqlite3_stmt, arg2: c_int) -> c_int;
    pub fn sqlite3_bind_int64(arg1: *mut sqlite3_stmt, arg2: c_int, arg3: i64) -> c_int;
    pub fn sqlite3_step(arg1: *mut sqlite3_stmt) -> c_int;
    pub fn sqlite3_reset(pStmt: *mut sqlite3_stmt) -> c_int;
    pub fn sqlite3_column_count(pStmt: *mut sqlite3_stmt) -> c_int;
    pub fn sqlite3_column_name(arg1: *mut sqlite3_stmt, N: c_int) -> *const c_char;
    pub fn sqlite3_column_int64(arg1: *mut sqlite3_stmt, iCol: c_int) -> i64;
    pub fn sqlite3_column_text(arg1: *mut sqlite3_stmt, iCol: c_int) -> *const c_uchar;
    pub fn sqlite3_column_blob(arg1: *mut sqlite3_stmt, iCol: c_int) -> *const c_void;
    pub fn sqlite3_expanded_sql(pStmt: *mut sqlite3_stmt) -> *mut c_char;
    pub fn sqlite3_randomness(N: c_int, P: *mut c_void);
    pub fn sqlite3_mprintf(arg1: *const c_char, ...) -> *mut c_char;
    pub fn sqlite3_free(arg1: *mut c_void);
    pub fn sqlite3_db_config(arg1: *mut sqlite3, op: c_int, ...) -> c_int;
    pub fn sqlite3_column_bytes(arg1: *mut sqlite3_stmt, iCol: c_int) -> c_int;
}
