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
    Callbacks, Domain, End, EndOfChild, Error, Fault, Globals, Handle, Null, Owned,
};

use std::ffi::{CStr, CString, c_char, c_int, c_uchar, c_void};
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
    pp_db = call.own(&DOMAIN, pp_db_ptr, pp_db_end)?;
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
    pp_db = call.own(&DOMAIN, pp_db_ptr, pp_db_end)?;
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
/// * `callback`: called with `arg3`, `arg4` until `sqlite3_exec` returns; a panic in it ends the call and goes on from here.
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
    pp_stmt = call.own_child(&DOMAIN, pp_stmt_ptr, db, pp_stmt_end)?;
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
    match (p_room, p) {
        (Some(room), Some(into)) => call.take(room, room.len(), into),
        _ => 0,
    };
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
        call.run(move || ffi::sqlite3_mprintf(c"%Q".as_ptr(), text_ptr))
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
            now_room.as_mut_ptr(),
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
