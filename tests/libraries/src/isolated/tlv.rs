//! Calls into `isolate-libraries` 0.1.0 that run in the domain `tlv`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(
    clippy::type_complexity,
    reason = "closures take what callbacks of C are passed"
)]

use isolate_rt::{
    Callbacks, Domain, End, Error, Fault, Globals, Handle, Null, Object, Owned,
    assert_plain,
};

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};
use std::mem::offset_of;
use crate::ffi as ffi;
use crate::told as ffi2;

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

/// What a `Line` of the domain holds, read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// A copy of what `data` points to: `size` elements.
    pub data: Vec<c_uchar>,
}

impl Line {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When a fault has ended the object, or something that it points to does not lie in the domain.
    pub fn of(object: &Handle<ffi2::Line>) -> Result<Self, Fault> {
        let mut call = DOMAIN.call("Line")?;
        call.handle(object)?;
        // SAFETY: all that is read is checked to lie in the domain; without isolation the library is trusted with it.
        unsafe {
            let size: usize = call.field(object, offset_of!(ffi2::Line, size))?;
            let data: *mut c_uchar = call.field(object, offset_of!(ffi2::Line, data))?;
            Ok(Self {
                data: call.slice(data.cast_const(), call.told(size)?)?,
            })
        }
    }
}

/// What a `Page` of the domain holds, read at one moment.
#[derive(Debug)]
pub struct Page {
    /// `title`, as the library has left it.
    pub title: Option<CString>,
    /// `count`, as the library has left it.
    pub count: c_int,
    /// What `owner` points to.
    pub owner: Option<Handle<ffi2::Thing>>,
    /// `width`, as the library has left it.
    pub width: c_ulong,
    /// What `lines` points to: `count` of them.
    pub lines: Vec<Handle<ffi2::Line>>,
    /// A copy of what `unset` points to: `width` elements.
    pub unset: Vec<c_uchar>,
}

impl Page {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When a fault has ended the object, or something that it points to does not lie in the domain.
    pub fn of(object: &Handle<ffi2::Page>) -> Result<Self, Fault> {
        let mut call = DOMAIN.call("Page")?;
        call.handle(object)?;
        // SAFETY: all that is read is checked to lie in the domain; without isolation the library is trusted with it.
        unsafe {
            let title: *const c_char = call
                .field(object, offset_of!(ffi2::Page, title))?;
            let count: c_int = call.field(object, offset_of!(ffi2::Page, count))?;
            let owner: *mut ffi2::Thing = call
                .field(object, offset_of!(ffi2::Page, owner))?;
            let width: c_ulong = call.field(object, offset_of!(ffi2::Page, width))?;
            let lines: *mut ffi2::Line = call
                .field(object, offset_of!(ffi2::Page, lines))?;
            let unset: *mut c_uchar = call.field(object, offset_of!(ffi2::Page, unset))?;
            Ok(Self {
                title: call.string(title)?,
                count,
                owner: call.adopt(owner)?,
                width,
                lines: call.adopt_all(lines, call.told(count)?)?,
                unset: call.slice(unset.cast_const(), call.told(width)?)?,
            })
        }
    }
}

/// What a `Window` of the domain holds, read at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// `total`, as the library has left it.
    pub total: c_long,
}

impl Window {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When a fault has ended the object.
    pub fn of(object: &Object<ffi2::Window>) -> Result<Self, Fault> {
        let mut call = DOMAIN.call("Window")?;
        call.object(object)?;
        let total: c_long = call.get(object, offset_of!(ffi2::Window, total))?;
        Ok(Self { total })
    }
}

/// `tlv_parse` of `isolate-libraries`.
///
/// * `data`: read; its length goes as `len`.
///
/// Returns what `tlv_parse` returned, then `entry`.
///
/// # Errors
///
/// When the call ends in a fault.
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
/// When the call ends in a fault.
pub fn tlv_records() -> Result<c_ulong, Fault> {
    let mut call = DOMAIN.call("tlv_records")?;
    // SAFETY: `tlv_records` gets no pointer, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::tlv_records()) }
}

/// `told_rows` of `isolate-libraries`.
///
/// * `each`: called with `values`, `title` until `told_rows` returns; a panic in it ends the call as a fault does, and goes on from here.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_rows(
    rows: c_int,
    count: c_int,
    each: Option<&mut dyn FnMut(&[Option<CString>], Option<&CStr>) -> c_int>,
    lie: c_int,
) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("told_rows")?;
    let inside = call.inside();
    let mut callbacks = Callbacks::new();
    let each_ptr = each
        .map(|each| {
            callbacks
                .add_checked(move |
                    _: *mut c_void,
                    count: c_int,
                    values: *mut *mut c_char,
                    title: *const c_char,
                | -> Result<c_int, Fault> {
                    // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
                    let values = unsafe {
                        inside.strings(values.cast_const().cast(), inside.count(count))
                    }?;
                    let values = inside.required(values)?;
                    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
                    let title = unsafe { inside.string(title) }?;
                    Ok(each(&values, title.as_deref()))
                })
        });
    // SAFETY: each pointer covers what the contract of `told_rows` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run_with(
            &mut callbacks,
            move || ffi2::told_rows(rows, count, each_ptr, std::ptr::null_mut(), lie),
        )
    }
}

/// `told_fill` of `isolate-libraries`.
///
/// * `out`: written; its length goes as `room`.
/// * `fill`: called with `into` until `told_fill` returns; a panic in it ends the call as a fault does, and goes on from here.
///
/// Returns what `told_fill` returned, then how many elements of `out` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; `out` and `mut fill` keep their values then.
pub fn told_fill(
    out: &mut [c_uchar],
    mut fill: impl FnMut(&mut [c_uchar]) -> c_long,
    lie: c_int,
) -> Result<(usize, usize), Fault> {
    let mut call = DOMAIN.call("told_fill")?;
    let out_room = call.output::<c_uchar>(out.len())?;
    let room_ = call.length(out.len())?;
    let inside = call.inside();
    let mut callbacks = Callbacks::new();
    let fill_ptr = callbacks
        .add_checked(move |
            _: *mut c_void,
            into: *mut c_uchar,
            room: usize,
        | -> Result<c_long, Fault> {
            // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with its size.
            let mut into_room = unsafe { inside.room(into, inside.count(room)) }?;
            let ret = fill(&mut into_room);
            // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with its size.
            unsafe {
                inside.give(into, &into_room[..inside.count(ret).min(into_room.len())])
            }?;
            Ok(ret)
        });
    // SAFETY: each pointer covers what the contract of `told_fill` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run_with(
            &mut callbacks,
            move || ffi2::told_fill(
                out_room.as_mut_ptr(),
                room_,
                std::mem::transmute::<
                    unsafe extern "C" fn(*mut c_void, *mut c_uchar, usize) -> c_long,
                    extern "C" fn(*mut c_void, *mut c_uchar, usize) -> c_long,
                >(fill_ptr),
                std::ptr::null_mut(),
                lie,
            ),
        )
    }?;
    let out_written = call.within(call.count(ret), out_room.len())?;
    call.take(out_room, out_written, out);
    Ok((ret, out_written))
}

/// `told_thing` of `isolate-libraries`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_thing(id: c_int) -> Result<Owned<ffi2::Thing>, Fault> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi2::Thing> = |call, object| {
        // SAFETY: it is what `told_thing` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::told_drop(object);
            })
        }
    };
    let mut call = DOMAIN.call("told_thing")?;
    // SAFETY: `told_thing` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::told_thing(id)) }?;
    // SAFETY: as above, and the library gives it away, for `told_drop` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    call.required(owned)
}

/// `told_pair` of `isolate-libraries`.
///
/// Returns `first`, then `second`.
///
/// # Errors
///
/// When `told_pair` fails (`ret != 0`), or the call ends in a fault.
pub fn told_pair(
    lie: c_int,
) -> Result<(Owned<ffi2::Thing>, Owned<ffi2::Thing>), Error<c_int>> {
    // Outlives the call: what ends the object is a call of its own.
    let first;
    let first_end: End<ffi2::Thing> = |call, object| {
        // SAFETY: it is what `told_pair` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::told_drop(object);
            })
        }
    };
    // Outlives the call: what ends the object is a call of its own.
    let second;
    let second_end: End<ffi2::Thing> = |call, object| {
        // SAFETY: it is what `told_pair` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::told_drop(object);
            })
        }
    };
    let first_there;
    let mut call = DOMAIN.call("told_pair")?;
    let first_room = call.inout(&[std::ptr::null_mut::<ffi2::Thing>()])?;
    let second_room = call.inout(&[std::ptr::null_mut::<ffi2::Thing>()])?;
    // SAFETY: each pointer covers what the contract of `told_pair` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_pair(
            first_room.as_mut_ptr(),
            second_room.as_mut_ptr(),
            lie,
        ))
    }?;
    let first_ptr = call.read(first_room);
    let second_ptr = call.read(second_room);
    // SAFETY: as above, and the library gives it away, for `told_drop` to end.
    first = unsafe { call.own(&DOMAIN, first_ptr, first_end) }?;
    // SAFETY: as above, and the library gives it away, for `told_drop` to end.
    second = unsafe { call.own(&DOMAIN, second_ptr, second_end) }?;
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    first_there = call.required(first)?;
    let second = call.required(second)?;
    Ok((first_there, second))
}

/// `told_id` of `isolate-libraries`.
///
/// * `thing`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_id(thing: &Handle<ffi2::Thing>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("told_id")?;
    let thing_ptr = call.handle(thing)?;
    // SAFETY: each pointer covers what the contract of `told_id` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_id(thing_ptr.cast_const())) }
}

/// `told_drop` of `isolate-libraries`.
///
/// * `thing`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_drop(mut thing: Owned<ffi2::Thing>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("told_drop")?;
    let thing_ptr = call.ending(&mut thing)?;
    // SAFETY: each pointer covers what the contract of `told_drop` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::told_drop(thing_ptr)) };
    if !call.was_refused() {
        thing.ended();
    }
    ret
}

/// `told_each` of `isolate-libraries`.
///
/// * `thing`: an object in the domain.
/// * `numbers`: read; its length goes as `count`.
/// * `visit`: called with `thing`, `numbers` until `told_each` returns; a panic in it ends the call as a fault does, and goes on from here.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_each(
    thing: &Handle<ffi2::Thing>,
    numbers: &[c_int],
    mut visit: impl FnMut(&Handle<ffi2::Thing>, &[c_int]) -> c_long,
) -> Result<c_long, Fault> {
    let mut call = DOMAIN.call("told_each")?;
    let thing_ptr = call.handle(thing)?;
    let numbers_ptr = call.input(numbers)?;
    let count = call.length(numbers.len())?;
    let inside = call.inside();
    let mut callbacks = Callbacks::new();
    let visit_ptr = callbacks
        .add_checked(move |
            thing: *mut ffi2::Thing,
            numbers: *const c_int,
            count: usize,
        | -> Result<c_long, Fault> {
            // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
            let thing = unsafe { inside.adopt(thing) }?;
            let thing = inside.required(thing)?;
            // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
            let numbers = unsafe { inside.values(numbers, inside.count(count)) }?;
            let numbers = inside.required(numbers)?;
            Ok(visit(&thing, &numbers))
        });
    // SAFETY: each pointer covers what the contract of `told_each` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run_with(
            &mut callbacks,
            move || ffi2::told_each(thing_ptr, numbers_ptr, count, Some(visit_ptr)),
        )
    }
}

/// `told_table` of `isolate-libraries`.
///
/// * `numbers`: read, `rows * columns * depth` elements of it.
///
/// # Errors
///
/// When a slice is shorter than the other arguments say, or the call ends in a fault.
pub fn told_table(
    numbers: &[c_int],
    rows: usize,
    columns: usize,
    depth: usize,
) -> Result<c_long, Fault> {
    let mut call = DOMAIN.call("told_table")?;
    let numbers_need = (rows as i128)
        .saturating_mul(columns as i128)
        .saturating_mul(depth as i128);
    call.covers(numbers_need, numbers.len())?;
    let numbers_ptr = call.input(numbers)?;
    // SAFETY: each pointer covers what the contract of `told_table` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_table(numbers_ptr, rows, columns, depth)) }
}

/// `told_packed` of `isolate-libraries`.
///
/// * `bytes`: read, `(width + per_byte - 1) / per_byte * rows` elements of it, rounded down.
///
/// # Errors
///
/// When a slice is shorter than the other arguments say, or the call ends in a fault.
pub fn told_packed(
    bytes: &[c_uchar],
    width: usize,
    rows: usize,
    per_byte: usize,
) -> Result<c_long, Fault> {
    let mut call = DOMAIN.call("told_packed")?;
    let quotient = call
        .quotient(
            (width as i128).saturating_add(per_byte as i128).saturating_sub(1_i128),
            per_byte as i128,
        )?;
    let bytes_need = quotient.saturating_mul(rows as i128);
    call.covers(bytes_need, bytes.len())?;
    let bytes_ptr = call.input(bytes)?;
    // SAFETY: each pointer covers what the contract of `told_packed` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_packed(bytes_ptr, width, rows, per_byte)) }
}

/// `told_halves` of `isolate-libraries`.
///
/// * `out`: written; its length goes as `room`.
///
/// Returns what `told_halves` returned, then how many elements of `out` it wrote, then `halves`, then `used`.
///
/// # Errors
///
/// When the call ends in a fault; `out` keeps its value then.
pub fn told_halves(out: &mut [c_uchar]) -> Result<(c_int, usize, usize, usize), Fault> {
    let mut call = DOMAIN.call("told_halves")?;
    let out_room = call.output::<c_uchar>(out.len())?;
    let room_ = call.length(out.len())?;
    let halves_room = call.inout(&[0])?;
    let used_room = call.inout(&[0])?;
    // SAFETY: each pointer covers what the contract of `told_halves` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_halves(
            out_room.as_mut_ptr(),
            room_,
            halves_room.as_mut_ptr(),
            used_room.as_mut_ptr(),
        ))
    }?;
    let halves = call.read(halves_room);
    let used = call.read(used_room);
    let out_written = call
        .within(
            call
                .count(
                    (halves as i128).saturating_div(2_i128).saturating_mul(used as i128),
                ),
            out_room.len(),
        )?;
    call.take(out_room, out_written, out);
    Ok((ret, out_written, halves, used))
}

/// `told_more` of `isolate-libraries`.
///
/// * `out`: written; its length goes as `room`.
///
/// Returns what `told_more` returned, then how many elements of `out` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; `out` keeps its value then.
pub fn told_more(out: &mut [c_uchar]) -> Result<(u64, usize), Fault> {
    let mut call = DOMAIN.call("told_more")?;
    let out_room = call.output::<c_uchar>(out.len())?;
    let room_ = call.length(out.len())?;
    // SAFETY: each pointer covers what the contract of `told_more` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_more(out_room.as_mut_ptr(), room_))
    }?;
    let out_written = call
        .within(
            call
                .count(
                    (ret as i128).saturating_mul(ret as i128).saturating_mul(ret as i128),
                ),
            out_room.len(),
        )?;
    call.take(out_room, out_written, out);
    Ok((ret, out_written))
}

/// `told_on` of `isolate-libraries`.
///
/// * `out`: written; its length goes as `room`.
/// * `done`: read and written.
///
/// Returns how many elements of `out` it wrote.
///
/// # Errors
///
/// When `told_on` fails (`ret != 0`), or the call ends in a fault; `out` and `done` keep their values then.
pub fn told_on(out: &mut [c_uchar], done: &mut usize) -> Result<usize, Error<c_int>> {
    let mut call = DOMAIN.call("told_on")?;
    let out_room = call.output::<c_uchar>(out.len())?;
    let room_ = call.length(out.len())?;
    let done_room = call.inout::<usize>(std::slice::from_ref(done))?;
    // SAFETY: each pointer covers what the contract of `told_on` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_on(
            out_room.as_mut_ptr(),
            room_,
            done_room.as_mut_ptr(),
        ))
    }?;
    let done_told = call.read(done_room);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    let out_written = call.within(call.count(done_told), out_room.len())?;
    call.take(out_room, out_written, out);
    *done = done_told;
    Ok(out_written)
}

/// `told_capitals` of `isolate-libraries`.
///
/// * `text`: read; `text_end` points behind it.
/// * `out`: written; `out_end` points behind it.
///
/// Returns what `told_capitals` returned, then how many elements of `out` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; `out` keeps its value then.
pub fn told_capitals(text: &[u8], out: &mut [c_uchar]) -> Result<(c_int, usize), Fault> {
    let mut call = DOMAIN.call("told_capitals")?;
    let text_ptr = call.input(text)?;
    let out_room = call.output::<c_uchar>(out.len())?;
    let text_end = text_ptr.wrapping_add(text.len());
    let out_end = out_room.as_mut_ptr().wrapping_add(out_room.len());
    // SAFETY: each pointer covers what the contract of `told_capitals` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_capitals(
            text_ptr.cast(),
            text_end.cast(),
            out_room.as_mut_ptr(),
            out_end,
        ))
    }?;
    let out_written = call.within(call.count(ret), out_room.len())?;
    call.take(out_room, out_written, out);
    Ok((ret, out_written))
}

/// `told_reversed` of `isolate-libraries`.
///
/// * `first`: read and written; `last` points behind it.
///
/// # Errors
///
/// When the call ends in a fault; `first` keeps its value then.
pub fn told_reversed(first: Option<&mut [c_int]>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("told_reversed")?;
    let first_room = match &first {
        Some(first) => Some(call.inout::<c_int>(first)?),
        None => None,
    };
    let last = first_room
        .map_or(std::ptr::null_mut(), |room| room.as_mut_ptr().wrapping_add(room.len()));
    // SAFETY: each pointer covers what the contract of `told_reversed` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_reversed(
            first_room.map_or(std::ptr::null_mut(), |room| room.as_mut_ptr()),
            last,
        ))
    }?;
    if let (Some(room), Some(into)) = (first_room, first) {
        call.take(room, room.len(), into);
    }
    Ok(ret)
}

/// `told_page` of `isolate-libraries`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_page(count: c_int, lie: c_int) -> Result<Owned<ffi2::Page>, Fault> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi2::Page> = |call, object| {
        // SAFETY: it is what `told_page` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::told_page_drop(object);
            })
        }
    };
    let mut call = DOMAIN.call("told_page")?;
    // SAFETY: `told_page` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::told_page(count, lie)) }?;
    // SAFETY: as above, and the library gives it away, for `told_page_drop` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    call.required(owned)
}

/// `told_page_drop` of `isolate-libraries`.
///
/// * `page`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_page_drop(page: &Handle<ffi2::Page>) -> Result<(), Fault> {
    let mut call = DOMAIN.call("told_page_drop")?;
    let page_ptr = call.handle(page)?;
    // SAFETY: each pointer covers what the contract of `told_page_drop` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_page_drop(page_ptr)) }
}

/// `told_line_lies` of `isolate-libraries`.
///
/// * `line`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_line_lies(line: &Handle<ffi2::Line>, size: usize) -> Result<(), Fault> {
    let mut call = DOMAIN.call("told_line_lies")?;
    let line_ptr = call.handle(line)?;
    // SAFETY: each pointer covers what the contract of `told_line_lies` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_line_lies(line_ptr, size)) }
}

/// `told_put` of `isolate-libraries`.
///
/// * `key`: read.
/// * `data`: read.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_put(key: &[u8], data: Option<&[u8]>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("told_put")?;
    let key_slice = ffi2::Val {
        data: call.input(key)?.cast_mut().cast(),
        size: call.length(key.len())?,
    };
    // SAFETY: `ffi2::Val` is a pointer and a number, of which every bit pattern is a value.
    let key_room = unsafe { call.inout_any(&[key_slice]) }?;
    let data_room = match data {
        Some(data) => {
            let told = ffi2::Val {
                data: call.input(data)?.cast_mut().cast(),
                size: call.length(data.len())?,
            };
            // SAFETY: `ffi2::Val` is a pointer and a number, of which every bit pattern is a value.
            let told = unsafe { call.inout_any(&[told]) }?;
            Some(told)
        }
        None => None,
    };
    // SAFETY: each pointer covers what the contract of `told_put` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi2::told_put(
            key_room.as_ptr(),
            data_room.map_or(std::ptr::null_mut(), |room| room.as_mut_ptr()),
        ))
    }
}

/// `told_get` of `isolate-libraries`.
///
/// * `key`: read.
///
/// Returns a copy of `data`.
///
/// # Errors
///
/// When `told_get` fails (`ret != 0`), or the call ends in a fault.
pub fn told_get(key: &[u8], lie: c_int) -> Result<Vec<u8>, Error<c_int>> {
    let mut call = DOMAIN.call("told_get")?;
    let key_slice = ffi2::Val {
        data: call.input(key)?.cast_mut().cast(),
        size: call.length(key.len())?,
    };
    // SAFETY: `ffi2::Val` is a pointer and a number, of which every bit pattern is a value.
    let key_room = unsafe { call.inout_any(&[key_slice]) }?;
    // SAFETY: `ffi2::Val` is a pointer and a number, of which every bit pattern is a value.
    let data_room = unsafe { call.output_any::<ffi2::Val>(1) }?;
    // SAFETY: each pointer covers what the contract of `told_get` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_get(
            key_room.as_mut_ptr(),
            data_room.as_mut_ptr(),
            lie,
        ))
    }?;
    let data_told = call.read(data_room);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
    Ok(
        unsafe {
            call.slice(
                data_told.data.cast_const().cast::<u8>(),
                call.told(data_told.size)?,
            )
        }?,
    )
}

/// `told_seek` of `isolate-libraries`.
///
/// * `key`: read.
///
/// Returns a copy of `key`, then a copy of `data`.
///
/// # Errors
///
/// When `told_seek` fails (`ret != 0`), or the call ends in a fault.
pub fn told_seek(key: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error<c_int>> {
    let mut call = DOMAIN.call("told_seek")?;
    let key_start = call.inout(key)?;
    let key_slice = ffi2::Val {
        data: key_start.as_mut_ptr().cast(),
        size: call.length(key.len())?,
    };
    // SAFETY: `ffi2::Val` is a pointer and a number, of which every bit pattern is a value.
    let key_room = unsafe { call.inout_any(&[key_slice]) }?;
    // SAFETY: `ffi2::Val` is a pointer and a number, of which every bit pattern is a value.
    let data_room = unsafe { call.output_any::<ffi2::Val>(1) }?;
    // SAFETY: each pointer covers what the contract of `told_seek` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_seek(key_room.as_mut_ptr(), data_room.as_mut_ptr()))
    }?;
    let key_told = call.read(key_room);
    let data_told = call.read(data_room);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
    let key = unsafe {
        call.slice(key_told.data.cast_const().cast::<u8>(), call.told(key_told.size)?)
    }?;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted with it.
    let data = unsafe {
        call.slice(data_told.data.cast_const().cast::<u8>(), call.told(data_told.size)?)
    }?;
    Ok((key, data))
}

/// `told_sum` of `isolate-libraries`.
///
/// * `numbers`: read.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_sum(numbers: &[c_int]) -> Result<c_long, Fault> {
    let mut call = DOMAIN.call("told_sum")?;
    let numbers = ffi2::Numbers {
        first: call.input(numbers)?,
        count: call.length(numbers.len())?,
    };
    // SAFETY: `told_sum` gets no pointer, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_sum(numbers)) }
}

/// `told_join` of `isolate-libraries`.
///
/// * `argv`: strings, read; their number goes as `argc`; NULL goes behind the last.
/// * `more`: strings, read; NULL goes behind the last.
/// * `out`: written; its length goes as `room`.
///
/// Returns what `told_join` returned, then how many elements of `out` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; `out` keeps its value then.
pub fn told_join(
    argv: &[&CStr],
    more: Option<&[&CStr]>,
    out: &mut [u8],
) -> Result<(usize, usize), Fault> {
    let mut call = DOMAIN.call("told_join")?;
    let argc = call.length(argv.len())?;
    let argv_ptrs = argv
        .iter()
        .map(|text| call.input_str(text))
        .chain([Ok(std::ptr::null())])
        .collect::<Result<Vec<_>, _>>()?;
    let argv_room = call.inout(&argv_ptrs)?;
    let more_ptrs = more
        .into_iter()
        .flatten()
        .map(|text| call.input_str(text))
        .chain([Ok(std::ptr::null())])
        .collect::<Result<Vec<_>, _>>()?;
    let more_room = match more {
        Some(_) => Some(call.inout(&more_ptrs)?),
        None => None,
    };
    let out_room = call.output::<u8>(out.len())?;
    let room_ = call.length(out.len())?;
    // SAFETY: each pointer covers what the contract of `told_join` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_join(
            argc,
            argv_room.as_mut_ptr().cast(),
            more_room.map_or(std::ptr::null_mut(), |room| room.as_mut_ptr()),
            out_room.as_mut_ptr().cast(),
            room_,
        ))
    }?;
    let out_written = call.within(call.count(ret), out_room.len())?;
    call.take(out_room, out_written, out);
    Ok((ret, out_written))
}

/// `told_ids` of `isolate-libraries`.
///
/// * `things`: objects in the domain; their number goes as `count`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_ids(things: &[Option<&Handle<ffi2::Thing>>]) -> Result<c_long, Fault> {
    let mut call = DOMAIN.call("told_ids")?;
    let things_ptrs = things
        .iter()
        .map(|object| match object {
            Some(object) => call.handle(object),
            None => Ok(std::ptr::null_mut()),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let things_room = call.inout(&things_ptrs)?;
    let count = call.length(things.len())?;
    // SAFETY: each pointer covers what the contract of `told_ids` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_ids(things_room.as_ptr().cast(), count)) }
}

/// `told_shift` of `isolate-libraries`.
///
/// * `rows`: slices, `width` elements of each read; their number goes as `count`.
/// * `out`: slices, `width` elements of each written; their number goes as `count`.
///
/// # Errors
///
/// When a slice is shorter than the other arguments say, or the call ends in a fault; `out` keeps its value then.
pub fn told_shift(
    rows: &[&[c_uchar]],
    out: &mut [&mut [c_uchar]],
    width: usize,
    by: c_uchar,
    lie: c_int,
) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("told_shift")?;
    let rows_each = width as i128;
    for slice in rows.iter() {
        call.covers(rows_each, slice.len())?;
    }
    let rows_ptrs = rows
        .iter()
        .map(|slice| call.input(slice))
        .collect::<Result<Vec<_>, _>>()?;
    let rows_room = call.inout(&rows_ptrs)?;
    let out_each = width as i128;
    for slice in out.iter() {
        call.covers(out_each, slice.len())?;
    }
    let out_rooms = out
        .iter()
        .map(|slice| call.output::<c_uchar>(slice.len()))
        .collect::<Result<Vec<_>, _>>()?;
    let out_ptrs: Vec<_> = out_rooms.iter().map(|room| room.as_mut_ptr()).collect();
    let out_room = call.inout(&out_ptrs)?;
    call.covers(rows.len() as i128, out.len())?;
    let count = call.length(rows.len())?;
    // SAFETY: each pointer covers what the contract of `told_shift` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_shift(
            rows_room.as_ptr(),
            out_room.as_mut_ptr(),
            count,
            width,
            by,
            lie,
        ))
    }?;
    for (room, slice) in out_rooms.iter().zip(out.iter_mut()) {
        call.take(*room, call.count(out_each), slice);
    }
    Ok(ret)
}

/// `told_gather` of `isolate-libraries`.
///
/// * `parts`: slices, read; how long each is goes as `lengths`; their number goes as `count`.
/// * `out`: written; its length goes as `room`.
///
/// Returns what `told_gather` returned, then how many elements of `out` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; `out` keeps its value then.
pub fn told_gather(
    parts: &[Option<&[u8]>],
    out: &mut [u8],
) -> Result<(usize, usize), Fault> {
    let mut call = DOMAIN.call("told_gather")?;
    let parts_ptrs = parts
        .iter()
        .map(|slice| match slice {
            Some(slice) => call.input(slice),
            None => Ok(std::ptr::null()),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let parts_room = call.inout(&parts_ptrs)?;
    let lengths_each = parts
        .iter()
        .map(|slice| match slice {
            Some(slice) => call.length::<c_uint>(slice.len()),
            None => Ok(0),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let lengths_room = call.inout(&lengths_each)?;
    let count = call.length(parts.len())?;
    let out_room = call.output::<u8>(out.len())?;
    let room_ = call.length(out.len())?;
    // SAFETY: each pointer covers what the contract of `told_gather` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_gather(
            parts_room.as_ptr().cast(),
            lengths_room.as_ptr(),
            count,
            out_room.as_mut_ptr().cast(),
            room_,
        ))
    }?;
    let out_written = call.within(call.count(ret), out_room.len())?;
    call.take(out_room, out_written, out);
    Ok((ret, out_written))
}

/// `told_scatter` of `isolate-libraries`.
///
/// * `parts`: slices, written; how long each is goes as `lengths`; their number goes as `count`.
///
/// # Errors
///
/// When the call ends in a fault; `parts` keeps its value then.
pub fn told_scatter(parts: &mut [&mut [c_uchar]]) -> Result<(), Fault> {
    let mut call = DOMAIN.call("told_scatter")?;
    let parts_rooms = parts
        .iter()
        .map(|slice| call.output::<c_uchar>(slice.len()))
        .collect::<Result<Vec<_>, _>>()?;
    let parts_ptrs: Vec<_> = parts_rooms.iter().map(|room| room.as_mut_ptr()).collect();
    let parts_room = call.inout(&parts_ptrs)?;
    let lengths_each = parts
        .iter()
        .map(|slice| call.length::<usize>(slice.len()))
        .collect::<Result<Vec<_>, _>>()?;
    let lengths_room = call.inout(&lengths_each)?;
    let count = call.length(parts.len())?;
    // SAFETY: each pointer covers what the contract of `told_scatter` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi2::told_scatter(
            parts_room.as_ptr(),
            lengths_room.as_ptr(),
            count,
        ))
    }?;
    for (room, slice) in parts_rooms.iter().zip(parts.iter_mut()) {
        call.take(*room, room.len(), &mut slice[..]);
    }
    Ok(())
}

/// `told_keys` of `isolate-libraries`.
///
/// * `keys`: arrays, read and written; their number goes as `count`.
///
/// # Errors
///
/// When the call ends in a fault; `keys` keeps its value then.
pub fn told_keys(keys: &mut [&mut [c_uchar; 16]]) -> Result<(), Fault> {
    let mut call = DOMAIN.call("told_keys")?;
    let keys_rooms = keys
        .iter()
        .map(|slice| call.inout::<c_uchar>(&slice[..]))
        .collect::<Result<Vec<_>, _>>()?;
    let keys_ptrs: Vec<_> = keys_rooms.iter().map(|room| room.as_mut_ptr()).collect();
    let keys_room = call.inout(&keys_ptrs)?;
    let count = call.length(keys.len())?;
    // SAFETY: each pointer covers what the contract of `told_keys` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_keys(keys_room.as_mut_ptr(), count)) }?;
    for (room, slice) in keys_rooms.iter().zip(keys.iter_mut()) {
        call.take(*room, room.len(), &mut slice[..]);
    }
    Ok(())
}

/// `told_after` of `isolate-libraries`.
///
/// * `text`: a string, read.
///
/// Returns where it points, in bytes of `text`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_after(
    text: &CStr,
    mark: c_char,
    lie: c_int,
) -> Result<Option<usize>, Fault> {
    let mut call = DOMAIN.call("told_after")?;
    let text_ptr = call.input_str(text)?;
    // SAFETY: each pointer covers what the contract of `told_after` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::told_after(text_ptr, mark, lie)) }?;
    call.offset_in(ret.cast(), Some(text.to_bytes()))
}

/// `told_between` of `isolate-libraries`.
///
/// * `text`: read; `text_end` points behind it.
/// * `from`: a place, in elements of `text`, or right behind the last.
/// * `until`: a place, in elements of `text`, or right behind the last.
///
/// Returns where it points, in elements of `text`.
///
/// # Errors
///
/// When a slice is shorter than the other arguments say, or the call ends in a fault.
pub fn told_between(
    text: &[u8],
    from: usize,
    until: Option<usize>,
    mark: c_char,
) -> Result<Option<usize>, Fault> {
    let mut call = DOMAIN.call("told_between")?;
    let text_ptr = call.input(text)?;
    let text_end = text_ptr.wrapping_add(text.len());
    call.covers(from as i128, text.len())?;
    let from_ptr = text_ptr.wrapping_add(from);
    if let Some(until) = until {
        call.covers(until as i128, text.len())?;
    }
    let until_ptr = until.map_or(std::ptr::null(), |until| text_ptr.wrapping_add(until));
    // SAFETY: each pointer covers what the contract of `told_between` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_between(
            text_ptr.cast(),
            text_end.cast(),
            from_ptr.cast(),
            until_ptr.cast(),
            mark,
        ))
    }?;
    call.offset_in(ret.cast(), Some(text))
}

/// `told_from` of `isolate-libraries`.
///
/// * `numbers`: read; its length goes as `count`.
///
/// Returns what `told_from` returned, then where `found` points, in elements of `numbers`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_from(
    numbers: &[c_int],
    least: c_int,
    lie: c_int,
) -> Result<(usize, usize), Fault> {
    let mut call = DOMAIN.call("told_from")?;
    let numbers_ptr = call.input(numbers)?;
    let count = call.length(numbers.len())?;
    let found_room = call.inout(&[std::ptr::null::<c_int>()])?;
    // SAFETY: each pointer covers what the contract of `told_from` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_from(
            numbers_ptr,
            count,
            least,
            found_room.as_mut_ptr(),
            lie,
        ))
    }?;
    let found = call.offset_in(call.read(found_room).cast(), Some(numbers))?;
    let found = call.required(found)?;
    Ok((ret, found))
}

/// `told_reader` of `isolate-libraries`.
///
/// * `from`: a copy of it is read until what is returned has ended; its length goes as `size`.
///
/// # Errors
///
/// When `told_reader` fails (`ret == NULL`), or the call ends in a fault.
pub fn told_reader(from: &[u8]) -> Result<Owned<ffi2::Reader>, Error<Null>> {
    // Outlives the call: freeing it is a call of its own.
    let from_kept;
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi2::Reader> = |call, object| {
        // SAFETY: it is what `told_reader` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::told_reader_close(object);
            })
        }
    };
    let mut call = DOMAIN.call("told_reader")?;
    let from_ptr;
    (from_kept, from_ptr) = call.retain(&DOMAIN, from)?;
    let size = call.length(from.len())?;
    // SAFETY: each pointer covers what the contract of `told_reader` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::told_reader(from_ptr.cast(), size)) }?;
    // SAFETY: as above, and the library gives it away, for `told_reader_close` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    if let Some(owned) = &owned {
        owned.hold(from_kept);
    }
    let Some(owned) = owned else {
        return Err(call.failed(Null, None));
    };
    Ok(owned)
}

/// `told_reader_name` of `isolate-libraries`.
///
/// * `reader`: an object in the domain.
/// * `name`: a string, of which a copy is read until `reader` has ended or gets another one.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_reader_name(
    reader: &Owned<ffi2::Reader>,
    name: Option<&CStr>,
) -> Result<c_int, Fault> {
    // Outlives the call: freeing it is a call of its own.
    let name_kept;
    let _name_kept_before;
    let mut call = DOMAIN.call("told_reader_name")?;
    let reader_ptr = call.handle(reader)?;
    let name_ptr;
    (name_kept, name_ptr) = match name {
        Some(name) => {
            let (kept, pointer) = call.retain(&DOMAIN, name.to_bytes_with_nul())?;
            (Some(kept), pointer)
        }
        None => (None, std::ptr::null()),
    };
    reader.hold_as("name", name_kept);
    // SAFETY: each pointer covers what the contract of `told_reader_name` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_reader_name(reader_ptr, name_ptr.cast()))
    }?;
    _name_kept_before = reader.superseded("name");
    Ok(ret)
}

/// `told_reader_more` of `isolate-libraries`.
///
/// * `reader`: an object in the domain.
/// * `more`: a copy of it is read until `reader` has ended or gets another one; its length goes as `count`.
///
/// # Errors
///
/// When `told_reader_more` fails (`ret != 0`), or the call ends in a fault.
pub fn told_reader_more(
    reader: &Owned<ffi2::Reader>,
    more: &[c_int],
    lie: c_int,
) -> Result<(), Error<c_int>> {
    // Outlives the call: freeing it is a call of its own.
    let more_kept;
    let _more_kept_before;
    let mut call = DOMAIN.call("told_reader_more")?;
    let reader_ptr = call.handle(reader)?;
    let more_ptr;
    (more_kept, more_ptr) = call.retain(&DOMAIN, more)?;
    let count = call.length(more.len())?;
    reader.hold_as("more", more_kept);
    // SAFETY: each pointer covers what the contract of `told_reader_more` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_reader_more(reader_ptr, more_ptr, count, lie))
    }?;
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    _more_kept_before = reader.superseded("more");
    Ok(())
}

/// `told_reader_sum` of `isolate-libraries`.
///
/// * `reader`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_reader_sum(reader: &Handle<ffi2::Reader>) -> Result<c_long, Fault> {
    let mut call = DOMAIN.call("told_reader_sum")?;
    let reader_ptr = call.handle(reader)?;
    // SAFETY: each pointer covers what the contract of `told_reader_sum` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_reader_sum(reader_ptr.cast_const())) }
}

/// `told_reader_close` of `isolate-libraries`.
///
/// * `reader`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_reader_close(mut reader: Owned<ffi2::Reader>) -> Result<(), Fault> {
    let mut call = DOMAIN.call("told_reader_close")?;
    let reader_ptr = call.ending(&mut reader)?;
    // SAFETY: each pointer covers what the contract of `told_reader_close` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::told_reader_close(reader_ptr)) };
    if !call.was_refused() {
        reader.ended();
    }
    ret
}

/// `told_last_sum` of `isolate-libraries`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_last_sum() -> Result<c_long, Fault> {
    let mut call = DOMAIN.call("told_last_sum")?;
    // SAFETY: `told_last_sum` gets no pointer, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_last_sum()) }
}

/// `told_window_begin` of `isolate-libraries`.
///
/// * `kept`: a copy of it is read until `window` has ended; its length goes as `size`.
///
/// Returns `window`.
///
/// # Errors
///
/// When `told_window_begin` fails (`ret != 0`), or the call ends in a fault.
pub fn told_window_begin(
    kept: &[c_uchar],
) -> Result<Object<ffi2::Window>, Error<c_int>> {
    let end: End<ffi2::Window> = |call, object| {
        // SAFETY: it is what `told_window_begin` filled; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::told_window_end(object);
            })
        }
    };
    let window = DOMAIN.object("told_window_begin", end)?;
    // Outlives the call: freeing it is a call of its own.
    let kept_kept;
    let mut call = DOMAIN.call("told_window_begin")?;
    let window_ptr = call.object(&window)?;
    let kept_ptr;
    (kept_kept, kept_ptr) = call.retain(&DOMAIN, kept)?;
    let size = call.length(kept.len())?;
    window.hold(kept_kept);
    // SAFETY: each pointer covers what the contract of `told_window_begin` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_window_begin(window_ptr, kept_ptr, size))
    }?;
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    Ok(window)
}

/// `told_window_slide` of `isolate-libraries`.
///
/// * `window`: an object in the domain.
/// * `kept`: a copy of it is read until `window` has ended or gets another one; its length goes as `size`.
///
/// # Errors
///
/// When `told_window_slide` fails (`ret != 0`), or the call ends in a fault.
pub fn told_window_slide(
    window: &mut Object<ffi2::Window>,
    kept: &[c_uchar],
) -> Result<(), Error<c_int>> {
    // Outlives the call: freeing it is a call of its own.
    let kept_kept;
    let _kept_kept_before;
    let mut call = DOMAIN.call("told_window_slide")?;
    let window_ptr = call.object(window)?;
    let kept_ptr;
    (kept_kept, kept_ptr) = call.retain(&DOMAIN, kept)?;
    let size = call.length(kept.len())?;
    window.hold_as("next", kept_kept);
    // SAFETY: each pointer covers what the contract of `told_window_slide` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::told_window_slide(window_ptr, kept_ptr, size))
    }?;
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    _kept_kept_before = window.superseded("next");
    Ok(())
}

/// `told_window_end` of `isolate-libraries`.
///
/// * `window`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_window_end(mut window: Object<ffi2::Window>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("told_window_end")?;
    let window_ptr = call.object(&window)?;
    // SAFETY: each pointer covers what the contract of `told_window_end` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::told_window_end(window_ptr)) };
    if !call.was_refused() {
        window.ended();
    }
    ret
}

/// `told_even` of `isolate-libraries`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_even(number: c_int, lie: c_int) -> Result<bool, Fault> {
    let mut call = DOMAIN.call("told_even")?;
    // SAFETY: `told_even` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || std::mem::transmute::<
            unsafe extern "C" fn(_, _) -> _,
            unsafe extern "C" fn(c_int, c_int) -> u8,
        >(ffi2::told_even)(number, lie))
    }?;
    call.valid(
        match ret {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    )
}

/// `told_colour` of `isolate-libraries`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_colour(number: c_int, lie: c_int) -> Result<ffi2::Colour, Fault> {
    let mut call = DOMAIN.call("told_colour")?;
    // SAFETY: `told_colour` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || std::mem::transmute::<
            unsafe extern "C" fn(_, _) -> _,
            unsafe extern "C" fn(c_int, c_int) -> i32,
        >(ffi2::told_colour)(number, lie))
    }?;
    call.valid(
        match ret {
            bits if bits == ffi2::Colour::Odd as i32 => Some(ffi2::Colour::Odd),
            bits if bits == ffi2::Colour::Even as i32 => Some(ffi2::Colour::Even),
            _ => None,
        },
    )
}

/// `told_keep` of `isolate-libraries`.
///
/// * `back`: called with `arg1` until `told_keep` returns; a panic in it ends the call as a fault does, and goes on from here.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_keep(mut back: impl FnMut(c_int) -> c_int) -> Result<(), Fault> {
    let mut call = DOMAIN.call("told_keep")?;
    let mut callbacks = Callbacks::new();
    let back_ptr = callbacks.add(move |arg1: c_int| back(arg1));
    // SAFETY: each pointer covers what the contract of `told_keep` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run_with(&mut callbacks, move || ffi2::told_keep(Some(back_ptr))) }
}

/// `told_again` of `isolate-libraries`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn told_again(number: c_int) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("told_again")?;
    // SAFETY: `told_again` gets no pointer, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::told_again(number)) }
}

// Any bits may be in what comes out of the domain: the compiler is asked whether all are a value of each field that is named here.
const _: fn(ffi::TlvEntry) = |ffi::TlvEntry { name, mode, modified, comment }| {
    assert_plain(name);
    assert_plain(mode);
    assert_plain(modified);
    assert_plain(comment);
};

const _: fn(ffi2::Val) = |ffi2::Val { size, data }| {
    assert_plain(size);
    assert_plain(data);
};
