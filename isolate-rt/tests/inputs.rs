//! What a domain returns may point into what the call was given to read, and into nothing else of the program.

mod support;

use isolate_rt::{Call, Callbacks, Domain, Fault, FaultKind, Inside};
use std::cell::Cell;
use std::ffi::{CStr, CString, c_char};
use std::ptr;
use support::isolation;

static DOMAIN: Domain = Domain::new("inputs");
static EACH: Domain = Domain::new("each").instance_per_thread();

fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) {
    let error = result.unwrap_err();
    assert!(matches!(error.kind(), FaultKind::InvalidValue { .. }), "{error}");
}

/// On the heap: a literal would be read-only data, which anybody may point to.
fn text(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// What follows the last `/`, as C tells it: a pointer into `path`.
fn base<'a>(call: &mut Call<'a>, path: &'a CStr) -> *const c_char {
    let path = call.input_str(path).unwrap();
    // SAFETY: looks at a string.
    unsafe { call.run(move || libc::strrchr(path, i32::from(b'/')).wrapping_add(1).cast_const()) }.unwrap()
}

#[test]
fn what_is_returned_may_lie_in_an_argument() {
    if !isolation() {
        return;
    }
    let path = text("/usr/lib/libz.so");
    let numbers = vec![1u16, 2, 3, 4];
    let mut call = DOMAIN.call("strrchr").unwrap();
    let name = base(&mut call, &path);
    let start = call.input(&numbers).unwrap();
    // SAFETY: this domain is isolated: whatever a pointer is, it is checked.
    unsafe {
        assert_eq!(call.string(name).unwrap().unwrap().as_c_str(), c"libz.so");
        assert_eq!(call.values(start.wrapping_add(2), 2), Ok(Some(vec![3, 4])));
        assert_eq!(call.inside().values(start, 4), Ok(Some(vec![1, 2, 3, 4])));
        // Not all of it, or not any more.
        refused(call.values(start.wrapping_add(2), 3));
        refused(call.values(start.wrapping_add(4), 1));
        refused(call.values(start.wrapping_sub(1), 1));
        refused(call.values(start.wrapping_byte_add(1), 1));
        refused(call.string(text("elsewhere").as_ptr()));
    }
    drop(call);
    let call = DOMAIN.call("another").unwrap();
    // SAFETY: as above.
    refused(unsafe { call.string(name) });
}

#[test]
fn a_string_ends_in_its_argument() {
    if !isolation() {
        return;
    }
    let bytes = vec![b'x'; 32];
    let mut call = DOMAIN.call("string").unwrap();
    let start = call.input(&bytes).unwrap();
    // SAFETY: as above.
    refused(unsafe { call.string(start.cast()) });
}

#[test]
fn not_in_a_struct() {
    if !isolation() {
        return;
    }
    // Between its fields there are bytes that are no values.
    let options = Box::new((1u8, 2u32));
    let mut call = DOMAIN.call("struct").unwrap();
    let start = call.input_any(&*options).unwrap();
    // SAFETY: as above.
    refused(unsafe { call.values(start.cast::<u8>(), 1) });
}

#[test]
fn a_call_remembers_all() {
    if !isolation() {
        return;
    }
    let texts: Vec<CString> = (0..1000).map(|number| text(&number.to_string())).collect();
    let mut call = DOMAIN.call("many").unwrap();
    for text in &texts {
        call.input_str(text).unwrap();
    }
    for text in &texts {
        // SAFETY: as above.
        assert_eq!(unsafe { call.string(text.as_ptr()) }.unwrap().as_ref(), Some(text));
    }
    drop(call);
    let call = DOMAIN.call("none").unwrap();
    for text in &texts {
        // SAFETY: as above.
        refused(unsafe { call.string(text.as_ptr()) });
    }
}

#[test]
fn closures_are_told_of_arguments() {
    // Its last call fails, which would take the instance from tests beside this one.
    static TOLD: Domain = Domain::new("told");
    if !isolation() {
        return;
    }
    let path = text("/usr/lib");
    let mut seen = None;
    let mut call = TOLD.call("told").unwrap();
    let argument = call.input_str(&path).unwrap();
    let inside = call.inside();
    let mut callbacks = Callbacks::new();
    let told = callbacks.add_checked(|name: *const c_char| {
        // SAFETY: as above.
        seen = unsafe { inside.string(name) }?;
        Ok(0)
    });
    let last = move || {
        // SAFETY: the pointer is of a closure that takes a string.
        unsafe { told(argument.add(5)) }
    };
    // SAFETY: as above.
    assert_eq!(unsafe { call.run_with(&mut callbacks, last) }, Ok(0));
    drop(callbacks);
    assert_eq!(seen.as_deref(), Some(c"lib"));
    // The closure that is kept is told what the call that asks it was given.
    let copy = |inside: Inside<'_>, name: *const c_char| -> Result<usize, Fault> {
        // SAFETY: as above.
        Ok(unsafe { inside.string(name) }?.map_or(0, |name| name.as_bytes().len()))
    };
    let (_kept, asked) = call.keep(copy).unwrap();
    drop(call);
    let other = text("four");
    let mut call = TOLD.call("asks").unwrap();
    let other = call.input_str(&other).unwrap();
    // SAFETY: the pointer is of a closure that takes a string.
    assert_eq!(unsafe { call.run(move || asked(other)) }, Ok(4));
    // SAFETY: as above.
    refused(unsafe { call.run(move || asked(argument)) });
}

/// Who was put away by an earlier call is told nothing of this one's.
#[test]
fn a_view_is_of_one_call() {
    if !isolation() {
        return;
    }
    let put_away: Cell<Option<Inside<'static>>> = Cell::new(None);
    put_away.set(Some(DOMAIN.call("earlier").unwrap().inside()));
    let path = text("/usr/lib");
    let mut call = DOMAIN.call("later").unwrap();
    let argument = call.input_str(&path).unwrap();
    // SAFETY: as above.
    unsafe {
        assert_eq!(call.inside().string(argument).unwrap().as_deref(), Some(&*path));
        refused(put_away.get().unwrap().string(argument));
    }
}

#[test]
fn arguments_go_along_with_their_call() {
    if !isolation() {
        return;
    }
    let there = std::thread::spawn(|| EACH.boxed(0u8).unwrap()).join().unwrap();
    let mut there = there;
    let here = text("here");
    let mut call = EACH.call("moved").unwrap();
    let argument = call.input_str(&here).unwrap();
    call.lend_box(&mut there).unwrap();
    // SAFETY: as above.
    unsafe {
        assert_eq!(call.string(argument).unwrap().as_deref(), Some(&*here));
        assert_eq!(call.string(ptr::null()).unwrap(), None);
    }
}

/// The seat of a thread that leaked its call goes to another one.
#[test]
fn a_leaked_call_leaves_no_arguments() {
    static ALONE: Domain = Domain::new("alone").one_at_a_time();
    if !isolation() {
        return;
    }
    let leaked = std::thread::spawn(|| {
        let gone = text("gone");
        let mut call = ALONE.call("leaked").unwrap();
        let argument = call.input_str(&gone).unwrap().expose_provenance();
        std::mem::forget(call);
        argument
    });
    let argument = leaked.join().unwrap();
    let call = ALONE.call("next").unwrap();
    // SAFETY: as above; this would read freed memory.
    refused(unsafe { call.string(ptr::with_exposed_provenance(argument)) });
}

#[test]
fn places_in_arguments() {
    if !isolation() {
        return;
    }
    let numbers = vec![1u32, 2, 3];
    let mut call = DOMAIN.call("places").unwrap();
    let start = call.input(&numbers).unwrap();
    let room = call.output::<u32>(3).unwrap();
    for place in 0..=3 {
        assert_eq!(call.offset_in(start.wrapping_add(place), Some(&numbers)), Ok(Some(place)));
        assert_eq!(call.offset_in_room(room.as_ptr().wrapping_add(place), Some(room)), Ok(Some(place)));
    }
    assert_eq!(call.offset_in(ptr::null(), Some(&numbers)), Ok(None));
    assert_eq!(call.offset_in::<u32>(ptr::null(), None), Ok(None));
    assert_eq!(call.offset_in_room(room.as_ptr().wrapping_add(1), Some(room.up_to(1))), Ok(Some(1)));
    for elsewhere in [start.wrapping_add(4), start.wrapping_sub(1), start.wrapping_byte_add(1), room.as_ptr()] {
        refused(call.offset_in(elsewhere, Some(&numbers)));
    }
    refused(call.offset_in_room(start, Some(room)));
    refused(call.offset_in_room(room.as_ptr().wrapping_add(2), Some(room.up_to(1))));
    // Of nothing there is no place, not where an empty slice would be either.
    refused(call.offset_in(ptr::without_provenance::<u32>(align_of::<u32>()), None));
    refused(call.offset_in_room::<u32>(room.as_ptr(), None));
}

/// A library that keeps a pointer to what was staged for one call, and follows it in another.
#[test]
fn staged_values_are_gone_after_the_call() {
    static ALONE: Domain = Domain::new("staged").one_at_a_time();
    if !isolation() {
        return;
    }
    for len in [8, 100_000] {
        let mut call = ALONE.call("staged").unwrap();
        let (first, last) = {
            let staged = call.inout(&vec![7u8; len]).unwrap();
            (staged.as_ptr(), staged.as_ptr().wrapping_add(len - 1))
        };
        // SAFETY: of the domain, which reads there; returns numbers.
        let read =
            |call: &mut isolate_rt::Call<'_>| unsafe { call.run(|| [first.read_volatile(), last.read_volatile()]) };
        assert_eq!(read(&mut call), Ok([7; 2]));
        drop(call);
        let expected = if cfg!(debug_assertions) { 0xdb } else { 7 };
        assert_eq!(read(&mut ALONE.call("kept").unwrap()), Ok([expected; 2]));
    }
}
