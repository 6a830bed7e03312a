//! Calls into `libpng-sys` 1.1.11 that run in the domain `png`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]
#![allow(clippy::too_many_arguments, reason = "functions take what they take in C")]
#![allow(
    clippy::type_complexity,
    reason = "closures take what callbacks of C are passed"
)]

use isolate_rt::{
    Domain, End, EndOfChild, Error, Fault, Globals, Handle, Inside, Null, Owned,
};

use std::ffi::{CStr, c_char, c_int};
use libpng_sys::ffi as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_png_data_start: u8;
    static __isolate_png_data_end: u8;
    static __isolate_png_bss_start: u8;
    static __isolate_png_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_png_data_start,
            &raw const __isolate_png_data_end,
        ),
        Globals::linked(
            &raw const __isolate_png_bss_start,
            &raw const __isolate_png_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `png`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: the runtime's default. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("png").globals(GLOBALS);

/// `png_create_read_struct` of `libpng-sys`.
///
/// * `user_png_ver`: a string, read.
/// * `error_fn`: called with `arg1`, `arg2` in any call until what is returned has ended; a panic in it ends that call as a fault does, and goes on from there.
/// * `warn_fn`: called with `arg1`, `arg2` in any call until what is returned has ended; a panic in it ends that call as a fault does, and goes on from there.
///
/// # Errors
///
/// When `png_create_read_struct` fails (`ret == NULL`), or the call ends in a fault.
pub fn png_create_read_struct(
    user_png_ver: &CStr,
    error_fn: Option<Box<dyn FnMut(&Handle<ffi::png_struct_def>, &CStr) + Send>>,
    warn_fn: Option<Box<dyn FnMut(&Handle<ffi::png_struct_def>, &CStr) + Send>>,
) -> Result<Owned<ffi::png_struct_def>, Error<Null>> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi::png_struct_def> = |call, object| {
        // SAFETY: it is what `png_create_read_struct` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                let mut object = object;
                ffi::png_destroy_read_struct(
                    &raw mut object,
                    std::ptr::null_mut(),
                    std::ptr::null_mut(),
                );
            })
        }
    };
    let mut call = DOMAIN.call("png_create_read_struct")?;
    let user_png_ver_ptr = call.input_str(user_png_ver)?;
    let (error_fn_kept, error_fn_ptr) = match error_fn {
        Some(mut error_fn) => {
            let (kept, pointer) = call
                .keep(move |
                    inside: Inside<'_>,
                    arg1: *mut ffi::png_struct_def,
                    arg2: *const c_char,
                | -> Result<(), Fault> {
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
                    let arg1 = unsafe { inside.adopt(arg1) }?;
                    let arg1 = inside.required(arg1)?;
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let arg2 = unsafe { inside.string(arg2) }?;
                    let arg2 = inside.required(arg2)?;
                    error_fn(&arg1, &arg2);
                    Ok(())
                })?;
            (Some(kept), Some(pointer))
        }
        None => (None, None),
    };
    let (warn_fn_kept, warn_fn_ptr) = match warn_fn {
        Some(mut warn_fn) => {
            let (kept, pointer) = call
                .keep(move |
                    inside: Inside<'_>,
                    arg1: *mut ffi::png_struct_def,
                    arg2: *const c_char,
                | -> Result<(), Fault> {
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
                    let arg1 = unsafe { inside.adopt(arg1) }?;
                    let arg1 = inside.required(arg1)?;
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let arg2 = unsafe { inside.string(arg2) }?;
                    let arg2 = inside.required(arg2)?;
                    warn_fn(&arg1, &arg2);
                    Ok(())
                })?;
            (Some(kept), Some(pointer))
        }
        None => (None, None),
    };
    // SAFETY: each pointer covers what the contract of `png_create_read_struct` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::png_create_read_struct(
            user_png_ver_ptr,
            std::ptr::null_mut(),
            error_fn_ptr,
            warn_fn_ptr,
        ))
    }?;
    // SAFETY: as above, and the library gives it away, for `png_destroy_read_struct` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    if let (Some(owned), Some(kept)) = (&owned, error_fn_kept) {
        owned.keep(kept);
    }
    if let (Some(owned), Some(kept)) = (&owned, warn_fn_kept) {
        owned.keep(kept);
    }
    let Some(owned) = owned else {
        return Err(call.failed(Null, None));
    };
    Ok(owned)
}

/// `png_create_write_struct` of `libpng-sys`.
///
/// * `user_png_ver`: a string, read.
/// * `error_fn`: called with `arg1`, `arg2` in any call until what is returned has ended; a panic in it ends that call as a fault does, and goes on from there.
/// * `warn_fn`: called with `arg1`, `arg2` in any call until what is returned has ended; a panic in it ends that call as a fault does, and goes on from there.
///
/// # Errors
///
/// When `png_create_write_struct` fails (`ret == NULL`), or the call ends in a fault.
pub fn png_create_write_struct(
    user_png_ver: &CStr,
    error_fn: Option<Box<dyn FnMut(&Handle<ffi::png_struct_def>, &CStr) + Send>>,
    warn_fn: Option<Box<dyn FnMut(&Handle<ffi::png_struct_def>, &CStr) + Send>>,
) -> Result<Owned<ffi::png_struct_def>, Error<Null>> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi::png_struct_def> = |call, object| {
        // SAFETY: it is what `png_create_write_struct` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                let mut object = object;
                ffi::png_destroy_write_struct(&raw mut object, std::ptr::null_mut());
            })
        }
    };
    let mut call = DOMAIN.call("png_create_write_struct")?;
    let user_png_ver_ptr = call.input_str(user_png_ver)?;
    let (error_fn_kept, error_fn_ptr) = match error_fn {
        Some(mut error_fn) => {
            let (kept, pointer) = call
                .keep(move |
                    inside: Inside<'_>,
                    arg1: *mut ffi::png_struct_def,
                    arg2: *const c_char,
                | -> Result<(), Fault> {
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
                    let arg1 = unsafe { inside.adopt(arg1) }?;
                    let arg1 = inside.required(arg1)?;
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let arg2 = unsafe { inside.string(arg2) }?;
                    let arg2 = inside.required(arg2)?;
                    error_fn(&arg1, &arg2);
                    Ok(())
                })?;
            (Some(kept), Some(pointer))
        }
        None => (None, None),
    };
    let (warn_fn_kept, warn_fn_ptr) = match warn_fn {
        Some(mut warn_fn) => {
            let (kept, pointer) = call
                .keep(move |
                    inside: Inside<'_>,
                    arg1: *mut ffi::png_struct_def,
                    arg2: *const c_char,
                | -> Result<(), Fault> {
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
                    let arg1 = unsafe { inside.adopt(arg1) }?;
                    let arg1 = inside.required(arg1)?;
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let arg2 = unsafe { inside.string(arg2) }?;
                    let arg2 = inside.required(arg2)?;
                    warn_fn(&arg1, &arg2);
                    Ok(())
                })?;
            (Some(kept), Some(pointer))
        }
        None => (None, None),
    };
    // SAFETY: each pointer covers what the contract of `png_create_write_struct` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::png_create_write_struct(
            user_png_ver_ptr,
            std::ptr::null_mut(),
            error_fn_ptr,
            warn_fn_ptr,
        ))
    }?;
    // SAFETY: as above, and the library gives it away, for `png_destroy_write_struct` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    if let (Some(owned), Some(kept)) = (&owned, error_fn_kept) {
        owned.keep(kept);
    }
    if let (Some(owned), Some(kept)) = (&owned, warn_fn_kept) {
        owned.keep(kept);
    }
    let Some(owned) = owned else {
        return Err(call.failed(Null, None));
    };
    Ok(owned)
}

/// `png_create_info_struct` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
///
/// # Errors
///
/// When `png_create_info_struct` fails (`ret == NULL`), or the call ends in a fault.
pub fn png_create_info_struct(
    png_ptr: &Owned<ffi::png_struct_def>,
) -> Result<Owned<ffi::png_info_def>, Error<Null>> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: EndOfChild<ffi::png_info_def, ffi::png_struct_def> = |
        call,
        object,
        parent|
    {
        // SAFETY: it is what `png_create_info_struct` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                let mut object = object;
                ffi::png_destroy_info_struct(&*parent, &raw mut object);
            })
        }
    };
    let mut call = DOMAIN.call("png_create_info_struct")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_create_info_struct` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::png_create_info_struct(&*png_ptr_ptr.cast_const()))
    }?;
    // SAFETY: as above, and the library gives it away, for `png_destroy_info_struct` to end.
    owned = unsafe { call.own_child(&DOMAIN, ret, png_ptr, owned_end) }?;
    let Some(owned) = owned else {
        return Err(call.failed(Null, None));
    };
    Ok(owned)
}

/// `png_write_info` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_write_info(
    png_ptr: &Owned<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_write_info")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_write_info` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_write_info(
            &mut *png_ptr_ptr,
            &*info_ptr_ptr.cast_const(),
        ))
    }?;
    // SAFETY: as above.
    let png_get_image_height = unsafe {
        call.run(move || ffi::png_get_image_height(&*png_ptr_ptr, &*info_ptr_ptr))
    }?;
    let png_ptr_height = call.told(png_get_image_height)?;
    // SAFETY: as above.
    let png_get_rowbytes = unsafe {
        call.run(move || ffi::png_get_rowbytes(&*png_ptr_ptr, &*info_ptr_ptr))
    }?;
    let png_ptr_rowbytes = call.told(png_get_rowbytes)?;
    png_ptr.bind("height", png_ptr_height);
    png_ptr.bind("rowbytes", png_ptr_rowbytes);
    Ok(())
}

/// `png_read_info` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_read_info(
    png_ptr: &Handle<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_read_info")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_read_info` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_read_info(&mut *png_ptr_ptr, &mut *info_ptr_ptr))
    }
}

/// `png_set_expand` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_set_expand(png_ptr: &Handle<ffi::png_struct_def>) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_set_expand")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_set_expand` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::png_set_expand(&mut *png_ptr_ptr)) }
}

/// `png_set_add_alpha` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_set_add_alpha(
    png_ptr: &Handle<ffi::png_struct_def>,
    filler: u32,
    flags: c_int,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_set_add_alpha")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_set_add_alpha` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::png_set_add_alpha(&mut *png_ptr_ptr, filler, flags)) }
}

/// `png_set_interlace_handling` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_set_interlace_handling(
    png_ptr: &Handle<ffi::png_struct_def>,
) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("png_set_interlace_handling")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_set_interlace_handling` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::png_set_interlace_handling(&mut *png_ptr_ptr)) }
}

/// `png_read_update_info` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_read_update_info(
    png_ptr: &Owned<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_read_update_info")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_read_update_info` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_read_update_info(
            &mut *png_ptr_ptr,
            &mut *info_ptr_ptr,
        ))
    }?;
    // SAFETY: as above.
    let png_get_image_height = unsafe {
        call.run(move || ffi::png_get_image_height(&*png_ptr_ptr, &*info_ptr_ptr))
    }?;
    let png_ptr_height = call.told(png_get_image_height)?;
    // SAFETY: as above.
    let png_get_rowbytes = unsafe {
        call.run(move || ffi::png_get_rowbytes(&*png_ptr_ptr, &*info_ptr_ptr))
    }?;
    let png_ptr_rowbytes = call.told(png_get_rowbytes)?;
    png_ptr.bind("height", png_ptr_height);
    png_ptr.bind("rowbytes", png_ptr_rowbytes);
    Ok(())
}

/// `png_read_rows` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `row`: slices, `$png_ptr.rowbytes` elements of each read and written; their number goes as `num_rows`.
///
/// # Errors
///
/// When a slice is shorter than the other arguments say, or the call ends in a fault; `row` keeps its value then.
pub fn png_read_rows(
    png_ptr: &Owned<ffi::png_struct_def>,
    row: &mut [&mut [u8]],
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_read_rows")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let png_ptr_rowbytes = call.bound(png_ptr, "rowbytes")?;
    let row_each = png_ptr_rowbytes as i128;
    for slice in row.iter() {
        call.covers(row_each, slice.len())?;
    }
    let row_rooms = row
        .iter()
        .map(|slice| call.inout::<u8>(slice))
        .collect::<Result<Vec<_>, _>>()?;
    let row_ptrs: Vec<_> = row_rooms.iter().map(|room| room.as_mut_ptr()).collect();
    let row_room = call.inout(&row_ptrs)?;
    let num_rows = call.length(row.len())?;
    // SAFETY: each pointer covers what the contract of `png_read_rows` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_read_rows(
            &mut *png_ptr_ptr,
            row_room.as_mut_ptr(),
            std::ptr::null_mut(),
            num_rows,
        ))
    }?;
    for (room, slice) in row_rooms.iter().zip(row.iter_mut()) {
        call.take(*room, call.count(row_each), slice);
    }
    Ok(())
}

/// `png_read_row` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `row`: read and written, `$png_ptr.rowbytes` elements of it.
///
/// # Errors
///
/// When a slice is shorter than the other arguments say, or the call ends in a fault; `row` keeps its value then.
pub fn png_read_row(
    png_ptr: &Owned<ffi::png_struct_def>,
    row: &mut [u8],
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_read_row")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let png_ptr_rowbytes = call.bound(png_ptr, "rowbytes")?;
    call.covers(png_ptr_rowbytes as i128, row.len())?;
    let row_room = call.inout::<u8>(row)?;
    // SAFETY: each pointer covers what the contract of `png_read_row` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_read_row(
            &mut *png_ptr_ptr,
            row_room.as_mut_ptr(),
            std::ptr::null_mut(),
        ))
    }?;
    call.take(row_room, row_room.len(), row);
    Ok(())
}

/// `png_read_image` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `image`: slices, `$png_ptr.rowbytes` elements of each read and written, `$png_ptr.height` of them.
///
/// # Errors
///
/// When a slice is shorter than the other arguments say, or the call ends in a fault; `image` keeps its value then.
pub fn png_read_image(
    png_ptr: &Owned<ffi::png_struct_def>,
    image: &mut [&mut [u8]],
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_read_image")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let png_ptr_height = call.bound(png_ptr, "height")?;
    call.covers(png_ptr_height as i128, image.len())?;
    let png_ptr_rowbytes = call.bound(png_ptr, "rowbytes")?;
    let image_each = png_ptr_rowbytes as i128;
    for slice in image.iter() {
        call.covers(image_each, slice.len())?;
    }
    let image_rooms = image
        .iter()
        .map(|slice| call.inout::<u8>(slice))
        .collect::<Result<Vec<_>, _>>()?;
    let image_ptrs: Vec<_> = image_rooms.iter().map(|room| room.as_mut_ptr()).collect();
    let image_room = call.inout(&image_ptrs)?;
    // SAFETY: each pointer covers what the contract of `png_read_image` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_read_image(&mut *png_ptr_ptr, image_room.as_mut_ptr()))
    }?;
    for (room, slice) in image_rooms.iter().zip(image.iter_mut()) {
        call.take(*room, call.count(image_each), slice);
    }
    Ok(())
}

/// `png_write_row` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `row`: read, `$png_ptr.rowbytes` elements of it.
///
/// # Errors
///
/// When a slice is shorter than the other arguments say, or the call ends in a fault.
pub fn png_write_row(
    png_ptr: &Owned<ffi::png_struct_def>,
    row: &[u8],
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_write_row")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let png_ptr_rowbytes = call.bound(png_ptr, "rowbytes")?;
    call.covers(png_ptr_rowbytes as i128, row.len())?;
    let row_ptr = call.input(row)?;
    // SAFETY: each pointer covers what the contract of `png_write_row` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::png_write_row(&mut *png_ptr_ptr, row_ptr)) }
}

/// `png_write_rows` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `row`: slices, `$png_ptr.rowbytes` elements of each read; their number goes as `num_rows`.
///
/// # Errors
///
/// When a slice is shorter than the other arguments say, or the call ends in a fault.
pub fn png_write_rows(
    png_ptr: &Owned<ffi::png_struct_def>,
    row: &[&[u8]],
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_write_rows")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let png_ptr_rowbytes = call.bound(png_ptr, "rowbytes")?;
    let row_each = png_ptr_rowbytes as i128;
    for slice in row.iter() {
        call.covers(row_each, slice.len())?;
    }
    let row_ptrs = row
        .iter()
        .map(|slice| call.input(slice))
        .collect::<Result<Vec<_>, _>>()?;
    let row_room = call.inout(&row_ptrs)?;
    let num_rows = call.length(row.len())?;
    // SAFETY: each pointer covers what the contract of `png_write_rows` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_write_rows(
            &mut *png_ptr_ptr,
            row_room.as_mut_ptr().cast(),
            num_rows,
        ))
    }
}

/// `png_write_image` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `image`: slices, `$png_ptr.rowbytes` elements of each read, `$png_ptr.height` of them.
///
/// # Errors
///
/// When a slice is shorter than the other arguments say, or the call ends in a fault.
pub fn png_write_image(
    png_ptr: &Owned<ffi::png_struct_def>,
    image: &[&[u8]],
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_write_image")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let png_ptr_height = call.bound(png_ptr, "height")?;
    call.covers(png_ptr_height as i128, image.len())?;
    let png_ptr_rowbytes = call.bound(png_ptr, "rowbytes")?;
    let image_each = png_ptr_rowbytes as i128;
    for slice in image.iter() {
        call.covers(image_each, slice.len())?;
    }
    let image_ptrs = image
        .iter()
        .map(|slice| call.input(slice))
        .collect::<Result<Vec<_>, _>>()?;
    let image_room = call.inout(&image_ptrs)?;
    // SAFETY: each pointer covers what the contract of `png_write_image` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_write_image(
            &mut *png_ptr_ptr,
            image_room.as_mut_ptr().cast(),
        ))
    }
}

/// `png_write_end` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_write_end(
    png_ptr: &Handle<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_write_end")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_write_end` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_write_end(&mut *png_ptr_ptr, &mut *info_ptr_ptr))
    }
}

/// `png_read_end` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_read_end(
    png_ptr: &Handle<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_read_end")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_read_end` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::png_read_end(&mut *png_ptr_ptr, &mut *info_ptr_ptr)) }
}

/// `png_destroy_info_struct` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr_ptr`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_destroy_info_struct(
    png_ptr: &Handle<ffi::png_struct_def>,
    mut info_ptr_ptr: Owned<ffi::png_info_def>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_destroy_info_struct")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr_ptr = call.ending(&mut info_ptr_ptr)?;
    let info_ptr_ptr_room = call.inout(&[info_ptr_ptr_ptr])?;
    // SAFETY: each pointer covers what the contract of `png_destroy_info_struct` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::png_destroy_info_struct(
            &*png_ptr_ptr.cast_const(),
            info_ptr_ptr_room.as_mut_ptr(),
        ))
    };
    if !call.was_refused() {
        info_ptr_ptr.ended();
    }
    ret
}

/// `png_destroy_read_struct` of `libpng-sys`.
///
/// * `png_ptr_ptr`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_destroy_read_struct(
    mut png_ptr_ptr: Owned<ffi::png_struct_def>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_destroy_read_struct")?;
    let png_ptr_ptr_ptr = call.ending(&mut png_ptr_ptr)?;
    let png_ptr_ptr_room = call.inout(&[png_ptr_ptr_ptr])?;
    // SAFETY: each pointer covers what the contract of `png_destroy_read_struct` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::png_destroy_read_struct(
            png_ptr_ptr_room.as_mut_ptr(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        ))
    };
    if !call.was_refused() {
        png_ptr_ptr.ended();
    }
    ret
}

/// `png_destroy_write_struct` of `libpng-sys`.
///
/// * `png_ptr_ptr`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_destroy_write_struct(
    mut png_ptr_ptr: Owned<ffi::png_struct_def>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_destroy_write_struct")?;
    let png_ptr_ptr_ptr = call.ending(&mut png_ptr_ptr)?;
    let png_ptr_ptr_room = call.inout(&[png_ptr_ptr_ptr])?;
    // SAFETY: each pointer covers what the contract of `png_destroy_write_struct` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::png_destroy_write_struct(
            png_ptr_ptr_room.as_mut_ptr(),
            std::ptr::null_mut(),
        ))
    };
    if !call.was_refused() {
        png_ptr_ptr.ended();
    }
    ret
}

/// `png_set_write_fn` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `write_data_fn`: called with `arg1`, `arg2` in any call until `png_ptr` has ended or gets another one; a panic in it ends that call as a fault does, and goes on from there.
/// * `output_flush_fn`: called with `arg1` in any call until `png_ptr` has ended or gets another one; a panic in it ends that call as a fault does, and goes on from there.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_set_write_fn(
    png_ptr: &Owned<ffi::png_struct_def>,
    mut write_data_fn: impl FnMut(&Handle<ffi::png_struct_def>, &[u8]) + Send + 'static,
    output_flush_fn: Option<Box<dyn FnMut(&Handle<ffi::png_struct_def>) + Send>>,
) -> Result<(), Fault> {
    let _write_data_fn_kept_before;
    let _output_flush_fn_kept_before;
    let mut call = DOMAIN.call("png_set_write_fn")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let (write_data_fn_kept, write_data_fn_ptr) = call
        .keep(move |
            inside: Inside<'_>,
            arg1: *mut ffi::png_struct_def,
            arg2: *mut u8,
            arg3: usize,
        | -> Result<(), Fault> {
            // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
            let arg1 = unsafe { inside.adopt(arg1) }?;
            let arg1 = inside.required(arg1)?;
            // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
            let arg2 = unsafe { inside.values(arg2.cast_const(), inside.count(arg3)) }?;
            let arg2 = inside.required(arg2)?;
            write_data_fn(&arg1, &arg2);
            Ok(())
        })?;
    let (output_flush_fn_kept, output_flush_fn_ptr) = match output_flush_fn {
        Some(mut output_flush_fn) => {
            let (kept, pointer) = call
                .keep(move |
                    inside: Inside<'_>,
                    arg1: *mut ffi::png_struct_def,
                | -> Result<(), Fault> {
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
                    let arg1 = unsafe { inside.adopt(arg1) }?;
                    let arg1 = inside.required(arg1)?;
                    output_flush_fn(&arg1);
                    Ok(())
                })?;
            (Some(kept), Some(pointer))
        }
        None => (None, None),
    };
    // SAFETY: each pointer covers what the contract of `png_set_write_fn` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_set_write_fn(
            &mut *png_ptr_ptr,
            std::ptr::null_mut(),
            Some(write_data_fn_ptr),
            output_flush_fn_ptr,
        ))
    }?;
    _write_data_fn_kept_before = png_ptr.keep_as("io", write_data_fn_kept);
    _output_flush_fn_kept_before = png_ptr.keep_as("flush", output_flush_fn_kept);
    Ok(())
}

/// `png_set_read_fn` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `read_data_fn`: called with `arg1`, `arg2` in any call until `png_ptr` has ended or gets another one; a panic in it ends that call as a fault does, and goes on from there.
///
/// # Errors
///
/// When the call ends in a fault; `mut read_data_fn` keeps its value then.
pub fn png_set_read_fn(
    png_ptr: &Owned<ffi::png_struct_def>,
    mut read_data_fn: impl FnMut(
        &Handle<ffi::png_struct_def>,
        &mut [u8],
    ) + Send + 'static,
) -> Result<(), Fault> {
    let _read_data_fn_kept_before;
    let mut call = DOMAIN.call("png_set_read_fn")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let (read_data_fn_kept, read_data_fn_ptr) = call
        .keep(move |
            inside: Inside<'_>,
            arg1: *mut ffi::png_struct_def,
            arg2: *mut u8,
            arg3: usize,
        | -> Result<(), Fault> {
            // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
            let arg1 = unsafe { inside.adopt(arg1) }?;
            let arg1 = inside.required(arg1)?;
            // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with its size.
            let mut arg2_room = unsafe { inside.room(arg2, inside.count(arg3)) }?;
            read_data_fn(&arg1, &mut arg2_room);
            // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with its size.
            unsafe { inside.give(arg2, &arg2_room) }?;
            Ok(())
        })?;
    // SAFETY: each pointer covers what the contract of `png_set_read_fn` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_set_read_fn(
            &mut *png_ptr_ptr,
            std::ptr::null_mut(),
            Some(read_data_fn_ptr),
        ))
    }?;
    _read_data_fn_kept_before = png_ptr.keep_as("io", read_data_fn_kept);
    Ok(())
}

/// `png_get_rowbytes` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_get_rowbytes(
    png_ptr: &Handle<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("png_get_rowbytes")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_get_rowbytes` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_get_rowbytes(
            &*png_ptr_ptr.cast_const(),
            &*info_ptr_ptr.cast_const(),
        ))
    }
}

/// `png_get_image_width` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_get_image_width(
    png_ptr: &Handle<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
) -> Result<u32, Fault> {
    let mut call = DOMAIN.call("png_get_image_width")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_get_image_width` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_get_image_width(
            &*png_ptr_ptr.cast_const(),
            &*info_ptr_ptr.cast_const(),
        ))
    }
}

/// `png_get_image_height` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_get_image_height(
    png_ptr: &Handle<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
) -> Result<u32, Fault> {
    let mut call = DOMAIN.call("png_get_image_height")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_get_image_height` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_get_image_height(
            &*png_ptr_ptr.cast_const(),
            &*info_ptr_ptr.cast_const(),
        ))
    }
}

/// `png_get_bit_depth` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_get_bit_depth(
    png_ptr: &Handle<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
) -> Result<u8, Fault> {
    let mut call = DOMAIN.call("png_get_bit_depth")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_get_bit_depth` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_get_bit_depth(
            &*png_ptr_ptr.cast_const(),
            &*info_ptr_ptr.cast_const(),
        ))
    }
}

/// `png_get_color_type` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_get_color_type(
    png_ptr: &Handle<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
) -> Result<u8, Fault> {
    let mut call = DOMAIN.call("png_get_color_type")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_get_color_type` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_get_color_type(
            &*png_ptr_ptr.cast_const(),
            &*info_ptr_ptr.cast_const(),
        ))
    }
}

/// `png_set_IHDR` of `libpng-sys`.
///
/// * `png_ptr`: an object in the domain.
/// * `info_ptr`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn png_set_IHDR(
    png_ptr: &Handle<ffi::png_struct_def>,
    info_ptr: &Handle<ffi::png_info_def>,
    width: u32,
    height: u32,
    bit_depth: c_int,
    color_type: c_int,
    interlace_method: c_int,
    compression_method: c_int,
    filter_method: c_int,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("png_set_IHDR")?;
    let png_ptr_ptr = call.handle(png_ptr)?;
    let info_ptr_ptr = call.handle(info_ptr)?;
    // SAFETY: each pointer covers what the contract of `png_set_IHDR` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::png_set_IHDR(
            &*png_ptr_ptr.cast_const(),
            &mut *info_ptr_ptr,
            width,
            height,
            bit_depth,
            color_type,
            interlace_method,
            compression_method,
            filter_method,
        ))
    }
}
