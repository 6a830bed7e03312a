//! Calls into `expat-sys` 2.1.6 that run in the domain `expat`.
//!
//! Written by `cargo isolate wrap` from `policy.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, End, Fault, Globals, Handle, Owned};
use std::ffi::{CStr, c_int, c_ulong};
use crate::ffi as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_expat_data_start: u8;
    static __isolate_expat_data_end: u8;
    static __isolate_expat_bss_start: u8;
    static __isolate_expat_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_expat_data_start,
            &raw const __isolate_expat_data_end,
        ),
        Globals::linked(
            &raw const __isolate_expat_bss_start,
            &raw const __isolate_expat_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `expat`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: the runtime's default. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("expat").globals(GLOBALS);

/// `XML_ParserCreate` of `case-expat-25313`.
///
/// * `encoding`: a string, read.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn XML_ParserCreate(
    encoding: Option<&CStr>,
) -> Result<Option<Owned<ffi::XmlParser>>, Fault> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi::XmlParser> = |call, object| {
        // SAFETY: it is what `XML_ParserCreate` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::XML_ParserFree(object);
            })
        }
    };
    let mut call = DOMAIN.call("XML_ParserCreate")?;
    let encoding_ptr = match encoding {
        Some(encoding) => call.input_str(encoding)?,
        None => std::ptr::null(),
    };
    // SAFETY: each pointer covers what the contract of `XML_ParserCreate` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::XML_ParserCreate(encoding_ptr)) }?;
    // SAFETY: as above, and the library gives it away, for `XML_ParserFree` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    Ok(owned)
}

/// `XML_SetHashSalt` of `case-expat-25313`.
///
/// * `parser`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn XML_SetHashSalt(
    parser: &Handle<ffi::XmlParser>,
    hash_salt: c_ulong,
) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("XML_SetHashSalt")?;
    let parser_ptr = call.handle(parser)?;
    // SAFETY: each pointer covers what the contract of `XML_SetHashSalt` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::XML_SetHashSalt(parser_ptr, hash_salt)) }
}

/// `XML_Parse` of `case-expat-25313`.
///
/// * `parser`: an object in the domain.
/// * `s`: read; its length goes as `len`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn XML_Parse(
    parser: &Handle<ffi::XmlParser>,
    s: &[u8],
    is_final: c_int,
) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("XML_Parse")?;
    let parser_ptr = call.handle(parser)?;
    let s_ptr = call.input(s)?;
    let len = call.length(s.len())?;
    // SAFETY: each pointer covers what the contract of `XML_Parse` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::XML_Parse(parser_ptr, s_ptr.cast(), len, is_final)) }
}

/// `XML_ParserFree` of `case-expat-25313`.
///
/// * `parser`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn XML_ParserFree(mut parser: Owned<ffi::XmlParser>) -> Result<(), Fault> {
    let mut call = DOMAIN.call("XML_ParserFree")?;
    let parser_ptr = call.ending(&mut parser)?;
    // SAFETY: each pointer covers what the contract of `XML_ParserFree` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::XML_ParserFree(parser_ptr)) };
    if !call.was_refused() {
        parser.ended();
    }
    ret
}

/// `handler_set` of `case-expat-25313`.
///
/// * `parser`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn handler_set(parser: &Handle<ffi::XmlParser>) -> Result<(), Fault> {
    let mut call = DOMAIN.call("handler_set")?;
    let parser_ptr = call.handle(parser)?;
    // SAFETY: each pointer covers what the contract of `handler_set` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::handler_set(parser_ptr)) }
}
