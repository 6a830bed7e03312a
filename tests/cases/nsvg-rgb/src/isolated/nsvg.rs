//! Calls into `nsvg` 0.5.1 that run in the domain `nsvg`.
//!
//! Written by `cargo isolate wrap` from `policy.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, Fault, Globals, Handle};
use std::ffi::CStr;
use crate::ffi as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_nsvg_data_start: u8;
    static __isolate_nsvg_data_end: u8;
    static __isolate_nsvg_bss_start: u8;
    static __isolate_nsvg_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_nsvg_data_start,
            &raw const __isolate_nsvg_data_end,
        ),
        Globals::linked(
            &raw const __isolate_nsvg_bss_start,
            &raw const __isolate_nsvg_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `nsvg`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: the runtime's default. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("nsvg").globals(GLOBALS);

/// `nsvgParse` of `case-nsvg-rgb`.
///
/// * `input`: a string; the function may change its own copy of it.
/// * `units`: a string, read.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn nsvgParse(
    input: &CStr,
    units: &CStr,
    dpi: f32,
) -> Result<Option<Handle<ffi::NSVGimage>>, Fault> {
    let mut call = DOMAIN.call("nsvgParse")?;
    let input_room = call.inout(input.to_bytes_with_nul())?;
    let units_ptr = call.input_str(units)?;
    // SAFETY: each pointer covers what the contract of `nsvgParse` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::nsvgParse(input_room.as_mut_ptr().cast(), units_ptr, dpi))
    }?;
    // SAFETY: it is checked to lie in the domain; without isolation `nsvgParse` is trusted with it.
    unsafe { call.adopt(ret) }
}

/// `nsvgDelete` of `case-nsvg-rgb`.
///
/// * `image`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn nsvgDelete(image: &Handle<ffi::NSVGimage>) -> Result<(), Fault> {
    let mut call = DOMAIN.call("nsvgDelete")?;
    let image_ptr = call.handle(image)?;
    // SAFETY: each pointer covers what the contract of `nsvgDelete` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::nsvgDelete(image_ptr)) }
}
