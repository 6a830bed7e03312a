//! Calls into `libsqlite3-sys` 0.35.0 that run in the domain `sqlite`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(
    clippy::manual_range_contains,
    reason = "conditions stand as the policy says them"
)]
#![allow(
    clippy::type_complexity,
    reason = "closures take what callbacks of C are passed"
)]

use isolate_rt::{
    Callbacks, Domain, End, EndOfChild, Error, Fault, Globals, Handle, Inside, Null,
    Owned,
};

use std::ffi::{CStr, CString, c_char, c_int, c_uchar, c_uint, c_void};
use crate::sqlite as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_sqlite_data_start: u8;
    static __isolate_sqlite_data_end: u8;
    static __isolate_sqlite_bss_start: u8;
    static __isolate_sqlite_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_sqlite_data_start,
            &raw const __isolate_sqlite_data_end,
        ),
        Globals::linked(
            &raw const __isolate_sqlite_bss_start,
            &raw const __isolate_sqlite_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `sqlite`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: the runtime's default. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("sqlite").globals(GLOBALS);

/// `sqlite3_open` of `isolate-libraries`.
///
/// * `filename`: a string, read.
///
/// Returns `pp_db`.
///
/// # Errors
///
/// When `sqlite3_open` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_open(filename: &CStr) -> Result<Owned<ffi::sqlite3>, Error<c_int>> {
    // Outlives the call: what ends the object is a call of its own.
    let pp_db;
    let pp_db_end: End<ffi::sqlite3> = |call, object| {
        // SAFETY: it is what `sqlite3_open` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::sqlite3_close(object);
            })
        }
    };
    let mut call = DOMAIN.call("sqlite3_open")?;
    let filename_ptr = call.input_str(filename)?;
    let pp_db_room = call.inout(&[std::ptr::null_mut::<ffi::sqlite3>()])?;
    // SAFETY: each pointer covers what the contract of `sqlite3_open` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_open(filename_ptr, pp_db_room.as_mut_ptr()))
    }?;
    let pp_db_ptr = call.read(pp_db_room);
    // SAFETY: as above, and the library gives it away, for `sqlite3_close` to end.
    pp_db = unsafe { call.own(&DOMAIN, pp_db_ptr, pp_db_end) }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errmsg(pp_db_ptr)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errmsg` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(call.required(pp_db)?)
}

/// `sqlite3_open_v2` of `isolate-libraries`.
///
/// * `filename`: a string, read.
/// * `z_vfs`: a string, read.
///
/// Returns `pp_db`.
///
/// # Errors
///
/// When `sqlite3_open_v2` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_open_v2(
    filename: &CStr,
    flags: c_int,
    z_vfs: Option<&CStr>,
) -> Result<Owned<ffi::sqlite3>, Error<c_int>> {
    // Outlives the call: what ends the object is a call of its own.
    let pp_db;
    let pp_db_end: End<ffi::sqlite3> = |call, object| {
        // SAFETY: it is what `sqlite3_open_v2` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::sqlite3_close(object);
            })
        }
    };
    let mut call = DOMAIN.call("sqlite3_open_v2")?;
    let filename_ptr = call.input_str(filename)?;
    let pp_db_room = call.inout(&[std::ptr::null_mut::<ffi::sqlite3>()])?;
    let z_vfs_ptr = match z_vfs {
        Some(z_vfs) => call.input_str(z_vfs)?,
        None => std::ptr::null(),
    };
    // SAFETY: each pointer covers what the contract of `sqlite3_open_v2` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_open_v2(
            filename_ptr,
            pp_db_room.as_mut_ptr(),
            flags,
            z_vfs_ptr,
        ))
    }?;
    let pp_db_ptr = call.read(pp_db_room);
    // SAFETY: as above, and the library gives it away, for `sqlite3_close` to end.
    pp_db = unsafe { call.own(&DOMAIN, pp_db_ptr, pp_db_end) }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errmsg(pp_db_ptr)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errmsg` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(call.required(pp_db)?)
}

/// `sqlite3_close` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_close(mut arg1: Owned<ffi::sqlite3>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("sqlite3_close")?;
    let arg1_ptr = call.ending(&mut arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_close` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_close(arg1_ptr)) };
    if !call.was_refused() {
        arg1.ended();
    }
    ret
}

/// `sqlite3_errmsg` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// Returns a copy of what `sqlite3_errmsg` returned.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_errmsg(arg1: &Handle<ffi::sqlite3>) -> Result<Option<CString>, Fault> {
    let mut call = DOMAIN.call("sqlite3_errmsg")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_errmsg` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_errmsg(arg1_ptr)) }?;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    unsafe { call.string(ret) }
}

/// `sqlite3_errstr` of `isolate-libraries`.
///
/// Returns a copy of what `sqlite3_errstr` returned.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_errstr(arg1: c_int) -> Result<Option<CString>, Fault> {
    let mut call = DOMAIN.call("sqlite3_errstr")?;
    // SAFETY: `sqlite3_errstr` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_errstr(arg1)) }?;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    unsafe { call.string(ret) }
}

/// `sqlite3_changes` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_changes(arg1: &Handle<ffi::sqlite3>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("sqlite3_changes")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_changes` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::sqlite3_changes(arg1_ptr)) }
}

/// `sqlite3_exec` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
/// * `sql`: a string, read.
/// * `callback`: called with `arg3`, `arg4` until `sqlite3_exec` returns; a panic in it ends the call as a fault does, and goes on from here.
///
/// # Errors
///
/// When `sqlite3_exec` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_exec(
    arg1: &Handle<ffi::sqlite3>,
    sql: &CStr,
    callback: Option<&mut dyn FnMut(&[Option<CString>], &[Option<CString>]) -> c_int>,
) -> Result<(), Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_exec")?;
    let arg1_ptr = call.handle(arg1)?;
    let sql_ptr = call.input_str(sql)?;
    let inside = call.inside();
    let mut callbacks = Callbacks::new();
    let callback_ptr = callback
        .map(|callback| {
            callbacks
                .add_checked(move |
                    _: *mut c_void,
                    arg2: c_int,
                    arg3: *mut *mut c_char,
                    arg4: *mut *mut c_char,
                | -> Result<c_int, Fault> {
                    // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
                    let arg3 = unsafe {
                        inside.strings(arg3.cast_const().cast(), inside.count(arg2))
                    }?;
                    let arg3 = inside.required(arg3)?;
                    // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
                    let arg4 = unsafe {
                        inside.strings(arg4.cast_const().cast(), inside.count(arg2))
                    }?;
                    let arg4 = inside.required(arg4)?;
                    Ok(callback(&arg3, &arg4))
                })
        });
    // SAFETY: each pointer covers what the contract of `sqlite3_exec` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run_with(
            &mut callbacks,
            move || ffi::sqlite3_exec(
                arg1_ptr,
                sql_ptr,
                callback_ptr,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            ),
        )
    }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errmsg(arg1_ptr)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errmsg` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(())
}

/// `sqlite3_prepare_v2` of `isolate-libraries`.
///
/// * `db`: an object in the domain.
/// * `z_sql`: read; its length goes as `nByte`.
///
/// Returns `pp_stmt`.
///
/// # Errors
///
/// When `sqlite3_prepare_v2` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_prepare_v2(
    db: &Owned<ffi::sqlite3>,
    z_sql: &[u8],
) -> Result<Option<Owned<ffi::sqlite3_stmt>>, Error<c_int>> {
    // Outlives the call: what ends the object is a call of its own.
    let pp_stmt;
    let pp_stmt_end: EndOfChild<ffi::sqlite3_stmt, ffi::sqlite3> = |call, object, _| {
        // SAFETY: it is what `sqlite3_prepare_v2` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::sqlite3_finalize(object);
            })
        }
    };
    let mut call = DOMAIN.call("sqlite3_prepare_v2")?;
    let db_ptr = call.handle(db)?;
    let z_sql_ptr = call.input(z_sql)?;
    let n_byte = call.length(z_sql.len())?;
    let pp_stmt_room = call.inout(&[std::ptr::null_mut::<ffi::sqlite3_stmt>()])?;
    // SAFETY: each pointer covers what the contract of `sqlite3_prepare_v2` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_prepare_v2(
            db_ptr,
            z_sql_ptr.cast(),
            n_byte,
            pp_stmt_room.as_mut_ptr(),
            std::ptr::null_mut(),
        ))
    }?;
    let pp_stmt_ptr = call.read(pp_stmt_room);
    // SAFETY: as above, and the library gives it away, for `sqlite3_finalize` to end.
    pp_stmt = unsafe { call.own_child(&DOMAIN, pp_stmt_ptr, db, pp_stmt_end) }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errmsg(db_ptr)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errmsg` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(pp_stmt)
}

/// `sqlite3_finalize` of `isolate-libraries`.
///
/// * `p_stmt`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_finalize(mut p_stmt: Owned<ffi::sqlite3_stmt>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("sqlite3_finalize")?;
    let p_stmt_ptr = call.ending(&mut p_stmt)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_finalize` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_finalize(p_stmt_ptr)) };
    if !call.was_refused() {
        p_stmt.ended();
    }
    ret
}

/// `sqlite3_bind_text` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
/// * `arg3`: read; its length goes as `arg4`.
///
/// # Errors
///
/// When `sqlite3_bind_text` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_bind_text(
    arg1: &Handle<ffi::sqlite3_stmt>,
    arg2: c_int,
    arg3: &[u8],
) -> Result<(), Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_bind_text")?;
    let arg1_ptr = call.handle(arg1)?;
    let arg3_ptr = call.input(arg3)?;
    let arg4 = call.length(arg3.len())?;
    // SAFETY: each pointer covers what the contract of `sqlite3_bind_text` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_bind_text(
            arg1_ptr,
            arg2,
            arg3_ptr.cast(),
            arg4,
            std::mem::transmute::<isize, Option<unsafe extern "C" fn(*mut c_void)>>(-1),
        ))
    }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errstr(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errstr` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(())
}

/// `sqlite3_bind_blob` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
/// * `arg3`: read; its length goes as `n`.
///
/// # Errors
///
/// When `sqlite3_bind_blob` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_bind_blob(
    arg1: &Handle<ffi::sqlite3_stmt>,
    arg2: c_int,
    arg3: &[u8],
) -> Result<(), Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_bind_blob")?;
    let arg1_ptr = call.handle(arg1)?;
    let arg3_ptr = call.input(arg3)?;
    let n = call.length(arg3.len())?;
    // SAFETY: each pointer covers what the contract of `sqlite3_bind_blob` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_bind_blob(
            arg1_ptr,
            arg2,
            arg3_ptr.cast(),
            n,
            std::mem::transmute::<isize, Option<unsafe extern "C" fn(*mut c_void)>>(-1),
        ))
    }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errstr(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errstr` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(())
}

/// `sqlite3_bind_int64` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// # Errors
///
/// When `sqlite3_bind_int64` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_bind_int64(
    arg1: &Handle<ffi::sqlite3_stmt>,
    arg2: c_int,
    arg3: i64,
) -> Result<(), Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_bind_int64")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_bind_int64` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_bind_int64(arg1_ptr, arg2, arg3))
    }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errstr(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errstr` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(())
}

/// `sqlite3_step` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// # Errors
///
/// When `sqlite3_step` fails (`ret != 100 && ret != 101`), or the call ends in a fault.
pub fn sqlite3_step(arg1: &Handle<ffi::sqlite3_stmt>) -> Result<c_int, Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_step")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_step` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_step(arg1_ptr)) }?;
    if ret != 100 && ret != 101 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errstr(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errstr` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(ret)
}

/// `sqlite3_reset` of `isolate-libraries`.
///
/// * `p_stmt`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_reset(p_stmt: &Handle<ffi::sqlite3_stmt>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("sqlite3_reset")?;
    let p_stmt_ptr = call.handle(p_stmt)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_reset` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::sqlite3_reset(p_stmt_ptr)) }
}

/// `sqlite3_column_count` of `isolate-libraries`.
///
/// * `p_stmt`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_column_count(p_stmt: &Handle<ffi::sqlite3_stmt>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("sqlite3_column_count")?;
    let p_stmt_ptr = call.handle(p_stmt)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_column_count` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::sqlite3_column_count(p_stmt_ptr)) }
}

/// `sqlite3_column_name` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// Returns a copy of what `sqlite3_column_name` returned.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_column_name(
    arg1: &Handle<ffi::sqlite3_stmt>,
    n: c_int,
) -> Result<Option<CString>, Fault> {
    let mut call = DOMAIN.call("sqlite3_column_name")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_column_name` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_column_name(arg1_ptr, n)) }?;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    unsafe { call.string(ret) }
}

/// `sqlite3_column_int64` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_column_int64(
    arg1: &Handle<ffi::sqlite3_stmt>,
    i_col: c_int,
) -> Result<i64, Fault> {
    let mut call = DOMAIN.call("sqlite3_column_int64")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_column_int64` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::sqlite3_column_int64(arg1_ptr, i_col)) }
}

/// `sqlite3_column_text` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// Returns a copy of what `sqlite3_column_text` returned.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_column_text(
    arg1: &Handle<ffi::sqlite3_stmt>,
    i_col: c_int,
) -> Result<Option<Vec<c_uchar>>, Fault> {
    let mut call = DOMAIN.call("sqlite3_column_text")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_column_text` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_column_text(arg1_ptr, i_col)) }?;
    // SAFETY: as above.
    let sqlite3_column_bytes = unsafe {
        call.run(move || ffi::sqlite3_column_bytes(arg1_ptr, i_col))
    }?;
    // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
    unsafe { call.values(ret, call.count(sqlite3_column_bytes)) }
}

/// `sqlite3_column_blob` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// Returns a copy of what `sqlite3_column_blob` returned.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_column_blob(
    arg1: &Handle<ffi::sqlite3_stmt>,
    i_col: c_int,
) -> Result<Option<Vec<u8>>, Fault> {
    let mut call = DOMAIN.call("sqlite3_column_blob")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_column_blob` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_column_blob(arg1_ptr, i_col)) }?;
    // SAFETY: as above.
    let sqlite3_column_bytes = unsafe {
        call.run(move || ffi::sqlite3_column_bytes(arg1_ptr, i_col))
    }?;
    // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
    unsafe { call.values(ret.cast(), call.count(sqlite3_column_bytes)) }
}

/// `sqlite3_expanded_sql` of `isolate-libraries`.
///
/// * `p_stmt`: an object in the domain.
///
/// Returns a copy of what `sqlite3_expanded_sql` returned.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_expanded_sql(
    p_stmt: &Handle<ffi::sqlite3_stmt>,
) -> Result<Option<CString>, Fault> {
    let mut call = DOMAIN.call("sqlite3_expanded_sql")?;
    let p_stmt_ptr = call.handle(p_stmt)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_expanded_sql` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_expanded_sql(p_stmt_ptr)) }?;
    let ret_ptr = ret;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    let ret = unsafe { call.string(ret_ptr.cast_const()) }?;
    if ret.is_some() {
        // SAFETY: `sqlite3_expanded_sql` gave it away, and nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::sqlite3_free(ret_ptr.cast());
            })
        }?;
    }
    Ok(ret)
}

/// `sqlite3_randomness` of `isolate-libraries`.
///
/// * `p`: written; its length goes as `N`.
///
/// # Errors
///
/// When the call ends in a fault; `p` keeps its value then.
pub fn sqlite3_randomness(p: Option<&mut [u8]>) -> Result<(), Fault> {
    let mut call = DOMAIN.call("sqlite3_randomness")?;
    let n = call.length(p.as_deref().map_or(0, |slice| slice.len()))?;
    let p_room = match &p {
        Some(p) => Some(call.output::<u8>(p.len())?),
        None => None,
    };
    // SAFETY: each pointer covers what the contract of `sqlite3_randomness` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::sqlite3_randomness(
            n,
            p_room.map_or(std::ptr::null_mut(), |room| room.as_mut_ptr().cast()),
        ))
    }?;
    if let (Some(room), Some(into)) = (p_room, p) {
        call.take(room, room.len(), into);
    }
    Ok(())
}

/// `sqlite3_mprintf` of `isolate-libraries`.
///
/// It gets `"%*.3f"` for `arg1`.
///
/// Returns a copy of what `sqlite3_mprintf` returned.
///
/// # Errors
///
/// When `sqlite3_mprintf` fails (`ret == NULL`), or the call ends in a fault.
pub fn sqlite3_number(width: c_int, number: f64) -> Result<CString, Error<Null>> {
    let mut call = DOMAIN.call("sqlite3_mprintf")?;
    // SAFETY: each pointer covers what the contract of `sqlite3_mprintf` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_mprintf(c"%*.3f".as_ptr(), width, number))
    }?;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    let Some(copy) = unsafe { call.string(ret.cast_const()) }? else {
        return Err(call.failed(Null, None));
    };
    // SAFETY: `sqlite3_mprintf` gave it away, and nothing uses it afterwards.
    unsafe {
        call.run(move || {
            ffi::sqlite3_free(ret.cast());
        })
    }?;
    Ok(copy)
}

/// `sqlite3_mprintf` of `isolate-libraries`.
///
/// It gets `"%Q"` for `arg1`.
///
/// * `text`: a string, read.
///
/// Returns a copy of what `sqlite3_mprintf` returned.
///
/// # Errors
///
/// When `sqlite3_mprintf` fails (`ret == NULL`), or the call ends in a fault.
pub fn sqlite3_quoted(text: &CStr) -> Result<CString, Error<Null>> {
    let mut call = DOMAIN.call("sqlite3_mprintf")?;
    let text_ptr = call.input_str(text)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_mprintf` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_mprintf(
            c"%Q".as_ptr(),
            {
                let text: *const c_char = text_ptr;
                text
            },
        ))
    }?;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    let Some(copy) = unsafe { call.string(ret.cast_const()) }? else {
        return Err(call.failed(Null, None));
    };
    // SAFETY: `sqlite3_mprintf` gave it away, and nothing uses it afterwards.
    unsafe {
        call.run(move || {
            ffi::sqlite3_free(ret.cast());
        })
    }?;
    Ok(copy)
}

/// `sqlite3_db_config` of `isolate-libraries`, where `op >= 1002 && op <= 1020`.
///
/// * `arg1`: an object in the domain.
///
/// Returns `now`.
///
/// # Errors
///
/// When `sqlite3_db_config` fails (`ret != 0`), or the call ends in a fault.
///
/// # Panics
///
/// When not `op >= 1002 && op <= 1020`.
pub fn sqlite3_db_config_flag(
    arg1: &Handle<ffi::sqlite3>,
    op: c_int,
    onoff: c_int,
) -> Result<c_int, Error<c_int>> {
    assert!(
        op >= 1002 && op <= 1020,
        "`sqlite3_db_config_flag` is for `op >= 1002 && op <= 1020`"
    );
    let mut call = DOMAIN.call("sqlite3_db_config")?;
    let arg1_ptr = call.handle(arg1)?;
    let now_room = call.inout(&[0])?;
    // SAFETY: each pointer covers what the contract of `sqlite3_db_config` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_db_config(
            arg1_ptr,
            op,
            onoff,
            {
                let now: *mut c_int = now_room.as_mut_ptr();
                now
            },
        ))
    }?;
    let now = call.read(now_room);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    Ok(now)
}

/// `sqlite3_column_bytes` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_column_bytes(
    arg1: &Handle<ffi::sqlite3_stmt>,
    i_col: c_int,
) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("sqlite3_column_bytes")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_column_bytes` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::sqlite3_column_bytes(arg1_ptr, i_col)) }
}

/// `sqlite3_prepare_v3` of `isolate-libraries`.
///
/// * `db`: an object in the domain.
/// * `z_sql`: read; its length goes as `nByte`.
///
/// Returns `pp_stmt`, then where `pz_tail` points, in elements of `z_sql`.
///
/// # Errors
///
/// When `sqlite3_prepare_v3` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_prepare_v3(
    db: &Owned<ffi::sqlite3>,
    z_sql: &[u8],
    prep_flags: c_uint,
) -> Result<(Option<Owned<ffi::sqlite3_stmt>>, usize), Error<c_int>> {
    // Outlives the call: what ends the object is a call of its own.
    let pp_stmt;
    let pp_stmt_end: EndOfChild<ffi::sqlite3_stmt, ffi::sqlite3> = |call, object, _| {
        // SAFETY: it is what `sqlite3_prepare_v3` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::sqlite3_finalize(object);
            })
        }
    };
    let mut call = DOMAIN.call("sqlite3_prepare_v3")?;
    let db_ptr = call.handle(db)?;
    let z_sql_ptr = call.input(z_sql)?;
    let n_byte = call.length(z_sql.len())?;
    let pp_stmt_room = call.inout(&[std::ptr::null_mut::<ffi::sqlite3_stmt>()])?;
    let pz_tail_room = call.inout(&[std::ptr::null::<c_char>()])?;
    // SAFETY: each pointer covers what the contract of `sqlite3_prepare_v3` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_prepare_v3(
            db_ptr,
            z_sql_ptr.cast(),
            n_byte,
            prep_flags,
            pp_stmt_room.as_mut_ptr(),
            pz_tail_room.as_mut_ptr(),
        ))
    }?;
    let pp_stmt_ptr = call.read(pp_stmt_room);
    // SAFETY: as above, and the library gives it away, for `sqlite3_finalize` to end.
    pp_stmt = unsafe { call.own_child(&DOMAIN, pp_stmt_ptr, db, pp_stmt_end) }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errmsg(db_ptr)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errmsg` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let pz_tail = call.offset_in(call.read(pz_tail_room).cast(), Some(z_sql))?;
    let pz_tail = call.required(pz_tail)?;
    Ok((pp_stmt, pz_tail))
}

/// `sqlite3_table_column_metadata` of `isolate-libraries`.
///
/// * `db`: an object in the domain.
/// * `z_db_name`: a string, read.
/// * `z_table_name`: a string, read.
/// * `z_column_name`: a string, read.
///
/// Returns a copy of `pz_data_type`, then a copy of `pz_coll_seq`, then `p_not_null`, then `p_primary_key`, then `p_autoinc`.
///
/// # Errors
///
/// When `sqlite3_table_column_metadata` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_table_column_metadata(
    db: &Handle<ffi::sqlite3>,
    z_db_name: Option<&CStr>,
    z_table_name: &CStr,
    z_column_name: Option<&CStr>,
) -> Result<(Option<CString>, Option<CString>, c_int, c_int, c_int), Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_table_column_metadata")?;
    let db_ptr = call.handle(db)?;
    let z_db_name_ptr = match z_db_name {
        Some(z_db_name) => call.input_str(z_db_name)?,
        None => std::ptr::null(),
    };
    let z_table_name_ptr = call.input_str(z_table_name)?;
    let z_column_name_ptr = match z_column_name {
        Some(z_column_name) => call.input_str(z_column_name)?,
        None => std::ptr::null(),
    };
    let pz_data_type_room = call.inout(&[std::ptr::null::<c_char>()])?;
    let pz_coll_seq_room = call.inout(&[std::ptr::null::<c_char>()])?;
    let p_not_null_room = call.inout(&[0])?;
    let p_primary_key_room = call.inout(&[0])?;
    let p_autoinc_room = call.inout(&[0])?;
    // SAFETY: each pointer covers what the contract of `sqlite3_table_column_metadata` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_table_column_metadata(
            db_ptr,
            z_db_name_ptr,
            z_table_name_ptr,
            z_column_name_ptr,
            pz_data_type_room.as_mut_ptr(),
            pz_coll_seq_room.as_mut_ptr(),
            p_not_null_room.as_mut_ptr(),
            p_primary_key_room.as_mut_ptr(),
            p_autoinc_room.as_mut_ptr(),
        ))
    }?;
    let p_not_null = call.read(p_not_null_room);
    let p_primary_key = call.read(p_primary_key_room);
    let p_autoinc = call.read(p_autoinc_room);
    let pz_data_type_ptr = call.read(pz_data_type_room);
    let pz_coll_seq_ptr = call.read(pz_coll_seq_room);
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errmsg(db_ptr)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errmsg` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    let pz_data_type = unsafe { call.string(pz_data_type_ptr) }?;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    let pz_coll_seq = unsafe { call.string(pz_coll_seq_ptr) }?;
    Ok((pz_data_type, pz_coll_seq, p_not_null, p_primary_key, p_autoinc))
}

/// `sqlite3_serialize` of `isolate-libraries`, where `mFlags == 0`.
///
/// * `db`: an object in the domain.
/// * `z_schema`: a string, read.
///
/// Returns a copy of what `sqlite3_serialize` returned.
///
/// # Errors
///
/// When the call ends in a fault.
///
/// # Panics
///
/// When not `mFlags == 0`.
pub fn sqlite3_serialize(
    db: &Handle<ffi::sqlite3>,
    z_schema: Option<&CStr>,
    m_flags: c_uint,
) -> Result<Option<Vec<c_uchar>>, Fault> {
    assert!(m_flags == 0, "`sqlite3_serialize` is for `mFlags == 0`");
    let mut call = DOMAIN.call("sqlite3_serialize")?;
    let db_ptr = call.handle(db)?;
    let z_schema_ptr = match z_schema {
        Some(z_schema) => call.input_str(z_schema)?,
        None => std::ptr::null(),
    };
    let pi_size_room = call.inout(&[0])?;
    // SAFETY: each pointer covers what the contract of `sqlite3_serialize` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_serialize(
            db_ptr,
            z_schema_ptr,
            pi_size_room.as_mut_ptr(),
            m_flags,
        ))
    }?;
    let pi_size = call.read(pi_size_room);
    let ret_ptr = ret;
    // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
    let ret = unsafe { call.values(ret_ptr.cast_const(), call.count(pi_size)) }?;
    if ret.is_some() {
        // SAFETY: `sqlite3_serialize` gave it away, and nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::sqlite3_free(ret_ptr.cast());
            })
        }?;
    }
    Ok(ret)
}

/// `sqlite3_blob_open` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
/// * `z_db`: a string, read.
/// * `z_table`: a string, read.
/// * `z_column`: a string, read.
///
/// Returns `pp_blob`.
///
/// # Errors
///
/// When `sqlite3_blob_open` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_blob_open(
    arg1: &Owned<ffi::sqlite3>,
    z_db: &CStr,
    z_table: &CStr,
    z_column: &CStr,
    i_row: i64,
    flags: c_int,
) -> Result<Owned<ffi::sqlite3_blob>, Error<c_int>> {
    // Outlives the call: what ends the object is a call of its own.
    let pp_blob;
    let pp_blob_end: EndOfChild<ffi::sqlite3_blob, ffi::sqlite3> = |call, object, _| {
        // SAFETY: it is what `sqlite3_blob_open` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::sqlite3_blob_close(object);
            })
        }
    };
    let mut call = DOMAIN.call("sqlite3_blob_open")?;
    let arg1_ptr = call.handle(arg1)?;
    let z_db_ptr = call.input_str(z_db)?;
    let z_table_ptr = call.input_str(z_table)?;
    let z_column_ptr = call.input_str(z_column)?;
    let pp_blob_room = call.inout(&[std::ptr::null_mut::<ffi::sqlite3_blob>()])?;
    // SAFETY: each pointer covers what the contract of `sqlite3_blob_open` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_blob_open(
            arg1_ptr,
            z_db_ptr,
            z_table_ptr,
            z_column_ptr,
            i_row,
            flags,
            pp_blob_room.as_mut_ptr(),
        ))
    }?;
    let pp_blob_ptr = call.read(pp_blob_room);
    // SAFETY: as above, and the library gives it away, for `sqlite3_blob_close` to end.
    pp_blob = unsafe { call.own_child(&DOMAIN, pp_blob_ptr, arg1, pp_blob_end) }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errmsg(arg1_ptr)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errmsg` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(call.required(pp_blob)?)
}

/// `sqlite3_blob_reopen` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// # Errors
///
/// When `sqlite3_blob_reopen` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_blob_reopen(
    arg1: &Handle<ffi::sqlite3_blob>,
    arg2: i64,
) -> Result<(), Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_blob_reopen")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_blob_reopen` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_blob_reopen(arg1_ptr, arg2)) }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errstr(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errstr` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(())
}

/// `sqlite3_blob_close` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_blob_close(mut arg1: Owned<ffi::sqlite3_blob>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("sqlite3_blob_close")?;
    let arg1_ptr = call.ending(&mut arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_blob_close` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_blob_close(arg1_ptr)) };
    if !call.was_refused() {
        arg1.ended();
    }
    ret
}

/// `sqlite3_blob_bytes` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_blob_bytes(arg1: &Handle<ffi::sqlite3_blob>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("sqlite3_blob_bytes")?;
    let arg1_ptr = call.handle(arg1)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_blob_bytes` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::sqlite3_blob_bytes(arg1_ptr)) }
}

/// `sqlite3_blob_read` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
/// * `z`: written; its length goes as `N`.
///
/// # Errors
///
/// When `sqlite3_blob_read` fails (`ret != 0`), or the call ends in a fault; `z` keeps its value then.
pub fn sqlite3_blob_read(
    arg1: &Handle<ffi::sqlite3_blob>,
    z: &mut [u8],
    i_offset: c_int,
) -> Result<(), Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_blob_read")?;
    let arg1_ptr = call.handle(arg1)?;
    let z_room = call.output::<u8>(z.len())?;
    let n = call.length(z.len())?;
    // SAFETY: each pointer covers what the contract of `sqlite3_blob_read` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_blob_read(
            arg1_ptr,
            z_room.as_mut_ptr().cast(),
            n,
            i_offset,
        ))
    }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errstr(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errstr` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    call.take(z_room, z_room.len(), z);
    Ok(())
}

/// `sqlite3_blob_write` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
/// * `z`: read; its length goes as `n`.
///
/// # Errors
///
/// When `sqlite3_blob_write` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_blob_write(
    arg1: &Handle<ffi::sqlite3_blob>,
    z: &[u8],
    i_offset: c_int,
) -> Result<(), Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_blob_write")?;
    let arg1_ptr = call.handle(arg1)?;
    let z_ptr = call.input(z)?;
    let n = call.length(z.len())?;
    // SAFETY: each pointer covers what the contract of `sqlite3_blob_write` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_blob_write(arg1_ptr, z_ptr.cast(), n, i_offset))
    }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errstr(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errstr` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(())
}

/// `sqlite3_backup_init` of `isolate-libraries`.
///
/// * `p_dest`: an object in the domain.
/// * `z_dest_name`: a string, read.
/// * `p_source`: an object in the domain.
/// * `z_source_name`: a string, read.
///
/// # Errors
///
/// When `sqlite3_backup_init` fails (`ret == NULL`), or the call ends in a fault.
pub fn sqlite3_backup_init(
    p_dest: &Owned<ffi::sqlite3>,
    z_dest_name: &CStr,
    p_source: &Handle<ffi::sqlite3>,
    z_source_name: &CStr,
) -> Result<Owned<ffi::sqlite3_backup>, Error<Null>> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: EndOfChild<ffi::sqlite3_backup, ffi::sqlite3> = |call, object, _| {
        // SAFETY: it is what `sqlite3_backup_init` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::sqlite3_backup_finish(object);
            })
        }
    };
    let mut call = DOMAIN.call("sqlite3_backup_init")?;
    let p_dest_ptr = call.handle(p_dest)?;
    let p_source_ptr = call.handle(p_source)?;
    let z_dest_name_ptr = call.input_str(z_dest_name)?;
    let z_source_name_ptr = call.input_str(z_source_name)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_backup_init` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_backup_init(
            p_dest_ptr,
            z_dest_name_ptr,
            p_source_ptr,
            z_source_name_ptr,
        ))
    }?;
    // SAFETY: as above, and the library gives it away, for `sqlite3_backup_finish` to end.
    owned = unsafe { call.own_child(&DOMAIN, ret, p_dest, owned_end) }?;
    let Some(owned) = owned else {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errmsg(p_dest_ptr)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errmsg` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(Null, message));
    };
    Ok(owned)
}

/// `sqlite3_backup_step` of `isolate-libraries`.
///
/// * `p`: an object in the domain.
///
/// # Errors
///
/// When `sqlite3_backup_step` fails (`ret != 0 && ret != 101`), or the call ends in a fault.
pub fn sqlite3_backup_step(
    p: &Handle<ffi::sqlite3_backup>,
    n_page: c_int,
) -> Result<c_int, Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_backup_step")?;
    let p_ptr = call.handle(p)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_backup_step` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_backup_step(p_ptr, n_page)) }?;
    if ret != 0 && ret != 101 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errstr(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errstr` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(ret)
}

/// `sqlite3_backup_finish` of `isolate-libraries`.
///
/// * `p`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_backup_finish(mut p: Owned<ffi::sqlite3_backup>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("sqlite3_backup_finish")?;
    let p_ptr = call.ending(&mut p)?;
    // SAFETY: each pointer covers what the contract of `sqlite3_backup_finish` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::sqlite3_backup_finish(p_ptr)) };
    if !call.was_refused() {
        p.ended();
    }
    ret
}

/// `sqlite3_update_hook` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
/// * `arg2`: called with `arg2_`, `arg3`, `arg4`, `arg5` in any call until `arg1` has ended or gets another one; a panic in it ends that call as a fault does, and goes on from there.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_update_hook(
    arg1: &Owned<ffi::sqlite3>,
    arg2: Option<Box<dyn FnMut(c_int, &CStr, &CStr, i64) + Send>>,
) -> Result<Option<Handle<c_void>>, Fault> {
    let _arg2_kept_before;
    let mut call = DOMAIN.call("sqlite3_update_hook")?;
    let arg1_ptr = call.handle(arg1)?;
    let (arg2_kept, arg2_ptr) = match arg2 {
        Some(mut arg2) => {
            let (kept, pointer) = call
                .keep(move |
                    inside: Inside<'_>,
                    _: *mut c_void,
                    arg2_: c_int,
                    arg3: *const c_char,
                    arg4: *const c_char,
                    arg5: i64,
                | -> Result<(), Fault> {
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let arg3 = unsafe { inside.string(arg3) }?;
                    let arg3 = inside.required(arg3)?;
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let arg4 = unsafe { inside.string(arg4) }?;
                    let arg4 = inside.required(arg4)?;
                    arg2(arg2_, &arg3, &arg4, arg5);
                    Ok(())
                })?;
            (Some(kept), Some(pointer))
        }
        None => (None, None),
    };
    // SAFETY: each pointer covers what the contract of `sqlite3_update_hook` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_update_hook(
            arg1_ptr,
            arg2_ptr,
            std::ptr::null_mut(),
        ))
    }?;
    // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_update_hook` is trusted with it.
    let ret = unsafe { call.adopt(ret) }?;
    _arg2_kept_before = arg1.keep_as("update", arg2_kept);
    Ok(ret)
}

/// `sqlite3_commit_hook` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
/// * `arg2`: called in any call until `arg1` has ended or gets another one; a panic in it ends that call as a fault does, and goes on from there.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn sqlite3_commit_hook(
    arg1: &Owned<ffi::sqlite3>,
    arg2: Option<Box<dyn FnMut() -> c_int + Send>>,
) -> Result<Option<Handle<c_void>>, Fault> {
    let _arg2_kept_before;
    let mut call = DOMAIN.call("sqlite3_commit_hook")?;
    let arg1_ptr = call.handle(arg1)?;
    let (arg2_kept, arg2_ptr) = match arg2 {
        Some(mut arg2) => {
            let (kept, pointer) = call
                .keep(move |_: Inside<'_>, _: *mut c_void| -> Result<c_int, Fault> {
                    Ok(arg2())
                })?;
            (Some(kept), Some(pointer))
        }
        None => (None, None),
    };
    // SAFETY: each pointer covers what the contract of `sqlite3_commit_hook` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_commit_hook(
            arg1_ptr,
            arg2_ptr,
            std::ptr::null_mut(),
        ))
    }?;
    // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_commit_hook` is trusted with it.
    let ret = unsafe { call.adopt(ret) }?;
    _arg2_kept_before = arg1.keep_as("commit", arg2_kept);
    Ok(ret)
}

/// `sqlite3_set_authorizer` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
/// * `x_auth`: called with `arg2`, `arg3`, `arg4`, `arg5`, `arg6` in any call until `arg1` has ended or gets another one; a panic in it ends that call as a fault does, and goes on from there.
///
/// # Errors
///
/// When `sqlite3_set_authorizer` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_set_authorizer(
    arg1: &Owned<ffi::sqlite3>,
    x_auth: Option<
        Box<
            dyn FnMut(
                c_int,
                Option<&CStr>,
                Option<&CStr>,
                Option<&CStr>,
                Option<&CStr>,
            ) -> c_int + Send,
        >,
    >,
) -> Result<(), Error<c_int>> {
    let _x_auth_kept_before;
    let mut call = DOMAIN.call("sqlite3_set_authorizer")?;
    let arg1_ptr = call.handle(arg1)?;
    let (x_auth_kept, x_auth_ptr) = match x_auth {
        Some(mut x_auth) => {
            let (kept, pointer) = call
                .keep(move |
                    inside: Inside<'_>,
                    _: *mut c_void,
                    arg2: c_int,
                    arg3: *const c_char,
                    arg4: *const c_char,
                    arg5: *const c_char,
                    arg6: *const c_char,
                | -> Result<c_int, Fault> {
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let arg3 = unsafe { inside.string(arg3) }?;
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let arg4 = unsafe { inside.string(arg4) }?;
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let arg5 = unsafe { inside.string(arg5) }?;
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let arg6 = unsafe { inside.string(arg6) }?;
                    Ok(
                        x_auth(
                            arg2,
                            arg3.as_deref(),
                            arg4.as_deref(),
                            arg5.as_deref(),
                            arg6.as_deref(),
                        ),
                    )
                })?;
            (Some(kept), Some(pointer))
        }
        None => (None, None),
    };
    // SAFETY: each pointer covers what the contract of `sqlite3_set_authorizer` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_set_authorizer(
            arg1_ptr,
            x_auth_ptr,
            std::ptr::null_mut(),
        ))
    }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errmsg(arg1_ptr)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errmsg` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    _x_auth_kept_before = arg1.keep_as("authorizer", x_auth_kept);
    Ok(())
}

/// `sqlite3_create_collation_v2` of `isolate-libraries`.
///
/// * `arg1`: an object in the domain.
/// * `z_name`: a string, read.
/// * `x_compare`: called with `arg3`, `arg5` in any call until `arg1` has ended; a panic in it ends that call as a fault does, and goes on from there.
///
/// # Errors
///
/// When `sqlite3_create_collation_v2` fails (`ret != 0`), or the call ends in a fault.
pub fn sqlite3_create_collation_v2(
    arg1: &Owned<ffi::sqlite3>,
    z_name: &CStr,
    e_text_rep: c_int,
    mut x_compare: impl FnMut(&[u8], &[u8]) -> c_int + Send + 'static,
) -> Result<(), Error<c_int>> {
    let mut call = DOMAIN.call("sqlite3_create_collation_v2")?;
    let arg1_ptr = call.handle(arg1)?;
    let z_name_ptr = call.input_str(z_name)?;
    let (x_compare_kept, x_compare_ptr) = call
        .keep(move |
            inside: Inside<'_>,
            _: *mut c_void,
            arg2: c_int,
            arg3: *const c_void,
            arg4: c_int,
            arg5: *const c_void,
        | -> Result<c_int, Fault> {
            // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
            let arg3 = unsafe { inside.values(arg3.cast::<u8>(), inside.count(arg2)) }?;
            let arg3 = inside.required(arg3)?;
            // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
            let arg5 = unsafe { inside.values(arg5.cast::<u8>(), inside.count(arg4)) }?;
            let arg5 = inside.required(arg5)?;
            Ok(x_compare(&arg3, &arg5))
        })?;
    // SAFETY: each pointer covers what the contract of `sqlite3_create_collation_v2` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::sqlite3_create_collation_v2(
            arg1_ptr,
            z_name_ptr,
            e_text_rep,
            std::ptr::null_mut(),
            Some(x_compare_ptr),
            None,
        ))
    }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::sqlite3_errmsg(arg1_ptr)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `sqlite3_errmsg` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    arg1.keep(x_compare_kept);
    Ok(())
}
