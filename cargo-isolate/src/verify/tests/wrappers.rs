//! Wrappers of every shape, as `wrap` writes them.
use core::ffi::{CStr, c_char, c_int, c_void};
use crate::stubs as ffi;
use isolate_rt::{Callbacks, Domain, Fault, Handle, Owned};
use std::ffi::CString;

pub static DOMAIN: Domain = Domain::new("fixture").heap_limit(1 << 20).stack_size(64 << 10);

pub fn fill(dest: &mut [u8], source: &[u8], level: c_int) -> Result<(c_int, usize), Fault> {
    let mut call = DOMAIN.call("fill")?;
    let dest_room = call.output(dest.len())?;
    let dest_len = call.inout(&[call.length(dest.len())?])?;
    let source_ptr = call.input(source)?;
    let source_len = call.length(source.len())?;
    let ret = unsafe {
        call.run(|| ffi::fill(dest_room.as_mut_ptr(), dest_len.as_mut_ptr(), source_ptr, source_len, level))
    }?;
    let written = call.within(call.count(call.read(dest_len)), dest_room.len())?;
    call.take(dest_room, written, dest);
    Ok((ret, written))
}

pub fn open(name: &CStr) -> Result<Option<Handle<ffi::Book>>, Fault> {
    let mut call = DOMAIN.call("open")?;
    let name_ptr = call.input_str(name)?;
    let ret = unsafe { call.run(|| ffi::open(name_ptr)) }?;
    unsafe { call.adopt(ret) }
}

pub fn describe(book: &Handle<ffi::Book>, at: Option<&[u8]>) -> Result<Option<CString>, Fault> {
    let mut call = DOMAIN.call("describe")?;
    let book = call.handle(book)?;
    let at_ptr = match at {
        Some(at) => call.input(at)?,
        None => core::ptr::null(),
    };
    let at_len = call.length(at.map_or(0, <[_]>::len))?;
    let ret = unsafe { call.run(|| ffi::describe(book, at_ptr, at_len)) }?;
    unsafe { call.string(ret) }
}

pub fn entry() -> Result<(c_int, ffi::Entry), Fault> {
    let mut call = DOMAIN.call("entry")?;
    let entry = unsafe { call.output_any(1) }?;
    let ret = unsafe { call.run(|| ffi::entry(&mut *entry.as_mut_ptr())) }?;
    Ok((ret, call.read(entry)))
}

pub fn span(text: &[u8], from: Option<usize>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("span")?;
    let text_ptr = call.input(text)?;
    let text_end = text_ptr.wrapping_add(text.len());
    if let Some(from) = from {
        call.covers(from as i128, text.len())?;
    }
    let from_ptr = from.map_or(std::ptr::null(), |from| text_ptr.wrapping_add(from));
    unsafe { call.run(|| ffi::span(text_ptr, text_end, from_ptr)) }
}

pub fn reset() -> Result<(), Fault> {
    let mut call = DOMAIN.call("reset")?;
    unsafe { call.run(|| ffi::reset()) }
}

pub fn join(texts: &[&CStr], titles: Option<&[Option<&CStr>]>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("join")?;
    let texts_count = call.length(texts.len())?;
    let texts_ptrs = texts
        .iter()
        .map(|text| call.input_str(text))
        .chain([Ok(std::ptr::null())])
        .collect::<Result<Vec<_>, _>>()?;
    let texts_room = call.inout(&texts_ptrs)?;
    let titles_ptrs = titles
        .unwrap_or_default()
        .iter()
        .map(|text| match text {
            Some(text) => call.input_str(text),
            None => Ok(std::ptr::null()),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let titles_room = match titles {
        Some(_) => Some(call.inout(&titles_ptrs)?),
        None => None,
    };
    unsafe {
        call.run(move || {
            ffi::join(
                texts_room.as_ptr(),
                texts_count,
                titles_room.map_or(std::ptr::null_mut(), |room| room.as_mut_ptr().cast()),
            )
        })
    }
}

pub fn rows(shelves: &[&Handle<ffi::Book>], lines: &[&[u8]], planes: &mut [&mut [u16]]) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("rows")?;
    let shelves_ptrs = shelves.iter().map(|object| call.handle(object)).collect::<Result<Vec<_>, _>>()?;
    let shelves_room = call.inout(&shelves_ptrs)?;
    let lines_ptrs = lines.iter().map(|slice| call.input(slice)).collect::<Result<Vec<_>, _>>()?;
    let lines_room = call.inout(&lines_ptrs)?;
    let lines_lens_each =
        lines.iter().map(|slice| call.length::<c_int>(slice.len())).collect::<Result<Vec<_>, _>>()?;
    let lines_lens_room = call.inout(&lines_lens_each)?;
    let planes_rooms =
        planes.iter().map(|slice| call.output::<u16>(slice.len())).collect::<Result<Vec<_>, _>>()?;
    let planes_ptrs: Vec<_> = planes_rooms.iter().map(|room| room.as_mut_ptr()).collect();
    let planes_room = call.inout(&planes_ptrs)?;
    let count = call.length(shelves.len())?;
    let ret = unsafe {
        call.run(move || {
            ffi::rows(shelves_room.as_mut_ptr(), lines_room.as_ptr().cast(), lines_lens_room.as_ptr(), planes_room.as_mut_ptr(), count)
        })
    }?;
    for (room, slice) in planes_rooms.iter().zip(planes.iter_mut()) {
        call.take(*room, room.len(), slice);
    }
    Ok(ret)
}

pub fn lend(book: &Owned<ffi::Book>, words: Option<&[u16]>) -> Result<c_int, Fault> {
    let words_kept;
    let _words_kept_before;
    let mut call = DOMAIN.call("lend")?;
    let book_ptr = call.handle(book)?;
    let words_ptr;
    (words_kept, words_ptr) = match words {
        Some(words) => {
            let (kept, pointer) = call.retain(&DOMAIN, words)?;
            (Some(kept), pointer)
        }
        None => (None, std::ptr::null()),
    };
    let count = call.length(words.map_or(0, |slice| slice.len()))?;
    let ret = unsafe { call.run(move || ffi::lend(book_ptr, words_ptr, count)) }?;
    book.hold_as("words", words_kept);
    _words_kept_before = book.superseded("words");
    Ok(ret)
}

pub fn ready(level: c_int) -> Result<bool, Fault> {
    let mut call = DOMAIN.call("ready")?;
    let ret = unsafe {
        call.run(move || {
            std::mem::transmute::<unsafe extern "C" fn(_) -> _, unsafe extern "C" fn(c_int) -> u8>(ffi::ready)(level)
        })
    }?;
    call.valid(match ret {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    })
}

pub fn each(mut back: impl FnMut(&[u8], Option<&CStr>) -> c_int) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("each")?;
    let inside = call.inside();
    let mut callbacks = Callbacks::new();
    let back_ptr = callbacks.add_checked(
        move |bytes: *const u8, count: c_int, text: *const c_char, _: *mut c_void| -> Result<c_int, Fault> {
            let bytes = unsafe { inside.values(bytes, inside.count(count)) }?;
            let bytes = inside.required(bytes)?;
            let text = unsafe { inside.string(text) }?;
            Ok(back(&bytes, text.as_deref()))
        },
    );
    unsafe { call.run_with(&mut callbacks, move || ffi::each(Some(back_ptr), std::ptr::null_mut())) }
}
