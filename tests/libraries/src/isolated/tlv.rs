//! Calls into `isolate-libraries` 0.1.0 that run in the domain `tlv`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.

use isolate_rt::{Domain, Fault, Globals};
use std::ffi::{c_int, c_uchar, c_ulong};
use crate::ffi as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_tlv_data_start: u8;
    static __isolate_tlv_data_end: u8;
    static __isolate_tlv_bss_start: u8;
    static __isolate_tlv_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_tlv_data_start,
            &raw const __isolate_tlv_data_end,
        ),
        Globals::linked(
            &raw const __isolate_tlv_bss_start,
            &raw const __isolate_tlv_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `tlv`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: 1 MiB. Stack: 64 KiB.
/// A call that takes longer than 60s ends in a fault.
/// One thread at a time is inside; others wait.
pub static DOMAIN: Domain = Domain::new("tlv")
    .heap_limit(1 << 20)
    .stack_size(64 << 10)
    .deadline(std::time::Duration::from_secs(60))
    .one_at_a_time()
    .globals(GLOBALS);

/// `tlv_parse` of `isolate-libraries`.
///
/// * `data`: read; its length goes as `len`.
///
/// Returns what `tlv_parse` returned, then `entry`.
///
/// # Errors
///
/// When the call ends in a fault; what is `&mut` keeps its value then.
pub fn tlv_parse(data: &[c_uchar]) -> Result<(c_int, ffi::TlvEntry), Fault> {
    let mut call = DOMAIN.call("tlv_parse")?;
    let data_ptr = call.input(data)?;
    let len = call.length(data.len())?;
    // SAFETY: `ffi::TlvEntry` holds plain numbers only, so every bit pattern is a value of it.
    let entry_room = unsafe { call.output_any::<ffi::TlvEntry>(1) }?;
    // SAFETY: each pointer covers what the contract of `tlv_parse` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::tlv_parse(data_ptr, len, entry_room.as_mut_ptr()))
    }?;
    let entry = call.read(entry_room);
    Ok((ret, entry))
}

/// `tlv_records` of `isolate-libraries`.
///
/// # Errors
///
/// When the call ends in a fault; what is `&mut` keeps its value then.
pub fn tlv_records() -> Result<c_ulong, Fault> {
    let mut call = DOMAIN.call("tlv_records")?;
    // SAFETY: each pointer covers what the contract of `tlv_records` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::tlv_records()) }
}
