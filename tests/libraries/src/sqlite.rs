//! SQLite's functions as `sqlite3.h` has them, with the parameter names of `libsqlite3-sys`.
//!
//! That crate's own declarations come out of its build script, so the tool sees them only where it may build (`--expand`).

use std::ffi::{c_char, c_int, c_uchar, c_uint, c_void};

/// A connection.
pub enum sqlite3 {}
/// A prepared statement.
pub enum sqlite3_stmt {}
/// A value of a row, open to be read and written in parts.
pub enum sqlite3_blob {}
/// A copy of a database on its way.
pub enum sqlite3_backup {}

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
    pub fn sqlite3_prepare_v3(
        db: *mut sqlite3,
        zSql: *const c_char,
        nByte: c_int,
        prepFlags: c_uint,
        ppStmt: *mut *mut sqlite3_stmt,
        pzTail: *mut *const c_char,
    ) -> c_int;
    pub fn sqlite3_table_column_metadata(
        db: *mut sqlite3,
        zDbName: *const c_char,
        zTableName: *const c_char,
        zColumnName: *const c_char,
        pzDataType: *mut *const c_char,
        pzCollSeq: *mut *const c_char,
        pNotNull: *mut c_int,
        pPrimaryKey: *mut c_int,
        pAutoinc: *mut c_int,
    ) -> c_int;
    pub fn sqlite3_serialize(
        db: *mut sqlite3,
        zSchema: *const c_char,
        piSize: *mut i64,
        mFlags: c_uint,
    ) -> *mut c_uchar;
    pub fn sqlite3_blob_open(
        arg1: *mut sqlite3,
        zDb: *const c_char,
        zTable: *const c_char,
        zColumn: *const c_char,
        iRow: i64,
        flags: c_int,
        ppBlob: *mut *mut sqlite3_blob,
    ) -> c_int;
    pub fn sqlite3_blob_reopen(arg1: *mut sqlite3_blob, arg2: i64) -> c_int;
    pub fn sqlite3_blob_close(arg1: *mut sqlite3_blob) -> c_int;
    pub fn sqlite3_blob_bytes(arg1: *mut sqlite3_blob) -> c_int;
    pub fn sqlite3_blob_read(arg1: *mut sqlite3_blob, Z: *mut c_void, N: c_int, iOffset: c_int) -> c_int;
    pub fn sqlite3_blob_write(arg1: *mut sqlite3_blob, z: *const c_void, n: c_int, iOffset: c_int) -> c_int;
    pub fn sqlite3_backup_init(
        pDest: *mut sqlite3,
        zDestName: *const c_char,
        pSource: *mut sqlite3,
        zSourceName: *const c_char,
    ) -> *mut sqlite3_backup;
    pub fn sqlite3_backup_step(p: *mut sqlite3_backup, nPage: c_int) -> c_int;
    pub fn sqlite3_backup_finish(p: *mut sqlite3_backup) -> c_int;
    pub fn sqlite3_update_hook(
        arg1: *mut sqlite3,
        arg2: Option<unsafe extern "C" fn(*mut c_void, c_int, *const c_char, *const c_char, i64)>,
        arg3: *mut c_void,
    ) -> *mut c_void;
    pub fn sqlite3_commit_hook(
        arg1: *mut sqlite3,
        arg2: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
        arg3: *mut c_void,
    ) -> *mut c_void;
    pub fn sqlite3_set_authorizer(
        arg1: *mut sqlite3,
        xAuth: Option<
            unsafe extern "C" fn(
                arg1: *mut c_void,
                arg2: c_int,
                arg3: *const c_char,
                arg4: *const c_char,
                arg5: *const c_char,
                arg6: *const c_char,
            ) -> c_int,
        >,
        pUserData: *mut c_void,
    ) -> c_int;
    pub fn sqlite3_create_collation_v2(
        arg1: *mut sqlite3,
        zName: *const c_char,
        eTextRep: c_int,
        pArg: *mut c_void,
        xCompare: Option<
            unsafe extern "C" fn(
                arg1: *mut c_void,
                arg2: c_int,
                arg3: *const c_void,
                arg4: c_int,
                arg5: *const c_void,
            ) -> c_int,
        >,
        xDestroy: sqlite3_destructor_type,
    ) -> c_int;
}
