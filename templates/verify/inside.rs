//! What stubs call. They run inside the domain: nothing here allocates, panics or writes outside its arguments.

use crate::{acts::*, play::Failure};
use isolate_rt::FaultKind;
use std::{
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, Ordering},
};

unsafe extern "C" {
    fn abort() -> !;
    pub(crate) fn malloc(size: usize) -> *mut std::ffi::c_void;
}

/// The first thing a stub does.
pub(crate) fn begin() {
    if act() == Act::WriteOutside as u8 {
        // SAFETY: it is not: this is the write that must not get through.
        unsafe { VICTIM.0.get().cast::<u8>().write_volatile(!UNTOUCHED) };
    }
    if act() == Act::Abort as u8 {
        // SAFETY: `abort` takes nothing.
        unsafe { abort() };
    }
}

/// The function got something else than its wrapper. A domain cannot write it, and the fault says as much.
pub(crate) static MISTAKEN: AtomicBool = AtomicBool::new(false);

fn wrong() {
    MISTAKEN.store(true, Ordering::SeqCst);
}

/// A stub found a mistake, inside a domain.
pub(crate) fn is_mistaken(result: &Result<(), Failure>) -> bool {
    match result {
        Err(Failure::Fault(fault)) => {
            matches!(fault.kind(), FaultKind::Protection { address, write: true, .. } if *address == MISTAKEN.as_ptr().addr())
        }
        _ => false,
    }
}

/// The bytes of a value, one by one.
///
/// # Safety
///
/// `T` has no padding.
unsafe fn has_bytes<T>(value: *const T, expected: impl Fn(usize) -> u8) -> bool {
    // SAFETY: within the value; volatile, so that no memcmp of libc is called.
    (0..size_of::<T>()).all(|at| unsafe { value.cast::<u8>().add(at).read_volatile() } == expected(at))
}

/// A number that the wrapper was given.
///
/// # Safety
///
/// `T` is an integer.
pub(crate) unsafe fn number_as_given<T>(id: usize, place: usize, value: T) {
    // SAFETY: by contract.
    let same = || unsafe { has_bytes(&value, |at| if at == 0 { mark(place) } else { 0 }) };
    if is_subject(id) && PASSED[place % PASSED.len()].load(Ordering::Relaxed) && !same() {
        wrong();
    }
}

/// A number that the contract asks for.
///
/// # Safety
///
/// `T` is an integer or a pointer.
pub(crate) unsafe fn amount_as_given<T>(id: usize, number: i64, value: T) {
    let bytes = number.to_le_bytes();
    // SAFETY: by contract.
    if is_subject(id) && !unsafe { has_bytes(&value, |at| bytes[at % 8]) } {
        wrong();
    }
}

/// The length of a slice that the wrapper was given.
///
/// # Safety
///
/// `T` is an integer.
pub(crate) unsafe fn length_as_given<T>(id: usize, nullable: bool, value: T) {
    let expected = if nullable && absent() { 0 } else { LENGTH.load(Ordering::Relaxed) };
    let bytes = expected.to_le_bytes();
    // SAFETY: by contract.
    if is_subject(id) && !unsafe { has_bytes(&value, |at| bytes[at % 8]) } {
        wrong();
    }
}

/// A pointer to the length of a slice that the wrapper was given.
///
/// # Safety
///
/// It points to one integer.
pub(crate) unsafe fn cell<T>(id: usize, place: *mut T) {
    let bytes = LENGTH.load(Ordering::Relaxed).to_le_bytes();
    // SAFETY: by contract.
    if is_subject(id) && !unsafe { has_bytes(place, |at| bytes[at % 8]) } {
        wrong();
    }
}

/// The wrapper was given something to read at this place, which the function has got. Where it may be NULL and is, that is checked.
fn is_passed<T>(id: usize, place: usize, nullable: bool, pointer: *const T) -> bool {
    if !is_subject(id) || !PASSED[place % PASSED.len()].load(Ordering::Relaxed) {
        return false;
    }
    if nullable && absent() {
        if !pointer.is_null() {
            wrong();
        }
        return false;
    }
    true
}

/// A pointer to what is in a slice that the wrapper was given.
///
/// # Safety
///
/// It points to so many integers as the slice had, or is NULL.
pub(crate) unsafe fn input<T>(id: usize, place: usize, nullable: bool, elements: usize, values: *const T) {
    if !is_passed(id, place, nullable, values) {
        return;
    }
    for at in 0..elements {
        // SAFETY: by contract.
        if !unsafe { has_bytes(values.add(at), |_| mark(place)) } {
            return wrong();
        }
    }
}

/// The same, which stays: the object has room for where it is, which is looked at when that ends.
///
/// # Safety
///
/// As [`input`]; `object` points to room for a [`Note`], or is NULL.
pub(crate) unsafe fn kept<O, T>(id: usize, place: usize, nullable: bool, elements: usize, object: *const O, values: *const T) {
    // SAFETY: by contract.
    unsafe { input(id, place, nullable, elements, values) };
    if is_passed(id, place, nullable, values) && !object.is_null() {
        let size = elements * size_of::<T>();
        let note: Note = [values.addr(), size, usize::from(mark(place))];
        // SAFETY: by contract.
        unsafe { object.cast_mut().cast::<Note>().write_volatile(note) };
    }
}

/// Where something is, how many bytes of it there are, and what each of them is.
pub(crate) type Note = [usize; 3];

/// What an object has noted is still there.
///
/// # Safety
///
/// As [`kept`].
pub(crate) unsafe fn is_still_there(object: *const Note) -> bool {
    // SAFETY: by contract.
    let [start, size, byte] = unsafe { object.read_volatile() };
    let start = std::ptr::with_exposed_provenance::<u8>(start);
    // SAFETY: by contract; where it is not there any more, that is what is asked.
    (0..size).all(|at| usize::from(unsafe { start.add(at).read_volatile() }) == byte)
}

/// A cursor in an object: it is at the start of a slice that the wrapper was given, and as many elements are left. Of each,
/// which has `size` bytes, a library that fills what room there is reads all, or `writes` all.
///
/// # Safety
///
/// Both point to fields of one object; the second counts.
pub(crate) unsafe fn cursor<N>(
    id: usize,
    place: usize,
    (writes, size): (bool, usize),
    pointer: *mut *mut u8,
    left: *mut N,
) {
    if !is_subject(id) {
        return;
    }
    let elements = LENGTH.load(Ordering::Relaxed);
    let bytes = elements.to_le_bytes();
    // SAFETY: by contract.
    if !unsafe { has_bytes(left, |at| bytes[at % 8]) } {
        return wrong();
    }
    // SAFETY: by contract.
    let start = unsafe { pointer.read_volatile() };
    for at in 0..elements * size {
        // SAFETY: there are so many bytes.
        let byte = unsafe { start.add(at) };
        // SAFETY: as above. Volatile, so that no function of libc is called.
        let is_right = unsafe {
            if writes && fills() {
                byte.write_volatile(mark(place));
            }
            writes || byte.read_volatile() == mark(place)
        };
        if !is_right {
            return wrong();
        }
    }
    if fills() {
        // SAFETY: by contract.
        unsafe { pointer.write_volatile(start.add(elements * size)) };
        for at in 0..size_of::<N>() {
            // SAFETY: by contract.
            unsafe { left.cast::<u8>().add(at).write_volatile(0) };
        }
    }
}

/// A pointer behind the last element of a slice that the wrapper was given.
pub(crate) fn end<S, E>(id: usize, nullable: bool, slice: *const S, end: *const E) {
    let elements = if nullable && absent() { 0 } else { LENGTH.load(Ordering::Relaxed) };
    if is_subject(id) && end.addr() != slice.wrapping_add(elements).addr() {
        wrong();
    }
}

/// A pointer to a place in what another argument points to.
pub(crate) fn place<S, P>(id: usize, nullable: bool, start: *const S, place: *const P) {
    let is_right = match nullable && absent() {
        true => place.is_null(),
        false => place.addr() == start.wrapping_add(inner()).addr(),
    };
    if is_subject(id) && !is_right {
        wrong();
    }
}

/// What the pointers of an array lead to.
#[derive(Clone, Copy)]
pub(crate) enum Pointee {
    Text,
    Values,
    Object,
}

/// An array with as many pointers as the slice had that the wrapper was given. It may be NULL, every other one of
/// them may be, and NULL may stand behind the last.
///
/// # Safety
///
/// It points to so many pointers, or is NULL.
pub(crate) unsafe fn pointers(
    id: usize,
    place: usize,
    to: Pointee,
    (nullable, has_gaps, ended): (bool, bool, bool),
    array: *const *const u8,
) {
    if !is_passed(id, place, nullable, array) {
        return;
    }
    let count = LENGTH.load(Ordering::Relaxed);
    // SAFETY: by contract, for those that are not NULL.
    let leads = |pointer: *const u8| unsafe {
        match to {
            Pointee::Text => pointer.read_volatile() == mark(place) && pointer.add(1).read_volatile() == 0,
            // There is a slice only where it has a value.
            Pointee::Values => pointer.read_volatile() == mark(place),
            Pointee::Object => true,
        }
    };
    for at in 0..count {
        // SAFETY: by contract.
        let pointer = unsafe { array.add(at).read_volatile() };
        let is_right = if has_gaps && is_gap(at) { pointer.is_null() } else { !pointer.is_null() && leads(pointer) };
        if !is_right {
            return wrong();
        }
    }
    // SAFETY: by contract.
    if ended && !unsafe { array.add(count).read_volatile() }.is_null() {
        wrong();
    }
}

/// The lengths of the slices in an array that the wrapper was given.
///
/// # Safety
///
/// There are as many as that array has elements, or it is NULL.
pub(crate) unsafe fn lengths<T: Copy + TryInto<usize>>(
    id: usize,
    place: usize,
    (nullable, has_gaps): (bool, bool),
    lengths: *const T,
) {
    if !is_passed(id, place, nullable, lengths) {
        return;
    }
    for at in 0..LENGTH.load(Ordering::Relaxed) {
        let length = if has_gaps && is_gap(at) { 0 } else { row_length() };
        // SAFETY: by contract.
        if unsafe { lengths.add(at).read_volatile() }.try_into().ok() != Some(length) {
            return wrong();
        }
    }
}

/// Fills several rooms, or stores one result in the first.
///
/// # Safety
///
/// There are as many as the slice had that the wrapper was given, each as [`store_values`] says.
pub(crate) unsafe fn store_rows<T>(ids: &[usize], place: usize, rooms: *const *mut T) {
    for at in 0..LENGTH.load(Ordering::Relaxed) {
        // SAFETY: by contract.
        unsafe { store_values(ids, place, rooms.add(at).read_volatile(), row_length()) };
    }
}

/// Fills a room, or stores one result in it.
///
/// # Safety
///
/// `values` is NULL, or has room for so many values; any bytes are a `T`.
pub(crate) unsafe fn store_room<T>(ids: &[usize], place: usize, elements: usize, values: *mut T) {
    // SAFETY: by contract.
    unsafe { store_values(ids, place, values, elements) }
}

/// Fills a room for so many values, or stores one result in it.
///
/// # Safety
///
/// `values` is NULL, or has room for as many; any bytes are a `T`.
unsafe fn store_values<T>(ids: &[usize], place: usize, values: *mut T, count: usize) {
    if !fills_for(ids) || values.is_null() {
        // SAFETY: by contract.
        return unsafe { store_first(values) };
    }
    for at in 0..count * size_of::<T>() {
        // SAFETY: by contract. Volatile, so that no memset of libc is called.
        unsafe { values.cast::<u8>().add(at).write_volatile(mark(place)) };
    }
}

/// Stores the first value of a room, if there is one.
///
/// # Safety
///
/// As [`store_room`].
pub(crate) unsafe fn store_first<T>(values: *mut T) {
    if LENGTH.load(Ordering::Relaxed) > 0 {
        // SAFETY: by contract.
        unsafe { store(values) }
    }
}

/// Stores a value that must come out as it is.
///
/// # Safety
///
/// `value` is NULL or points at one `T`, which any bytes are.
pub(crate) unsafe fn store_value<T>(ids: &[usize], place: usize, value: *mut T) {
    if !fills_for(ids) || value.is_null() {
        // SAFETY: by contract.
        return unsafe { store(value) };
    }
    for at in 0..size_of::<T>() {
        // SAFETY: by contract. Volatile, so that no memset of libc is called.
        unsafe { value.cast::<u8>().add(at).write_volatile(mark(place)) };
    }
}

/// What a stub returns that counts what it wrote, that must come out as it is, or that must be this number for the library to
/// work; with `true` such a number counts elements, of which there may be fewer.
///
/// # Safety
///
/// Any bytes are a `T`, which is an integer where it counts.
pub(crate) unsafe fn answer_for<T>(
    counting: &[usize],
    exact: &[usize],
    working: &[(usize, i64, bool)],
    place: usize,
) -> T {
    // SAFETY: by contract.
    let mut value = unsafe { answer::<T>() };
    let length = LENGTH.load(Ordering::Relaxed);
    // Of several forms that of the wrapper which is called; what another wrapper asks along works as well.
    let number = working.iter().find(|(id, ..)| is_subject(*id)).or(working.first()).filter(|_| works());
    let number = number.map(|(_, number, counts)| if *counts { (*number).min(length as i64) } else { *number });
    let number = if fills_for(counting) { Some(length as i64) } else { number };
    for at in 0..size_of::<T>() {
        let byte = match number {
            Some(number) => number.to_le_bytes()[at % 8],
            None if fills_for(exact) => mark(place),
            None => break,
        };
        // SAFETY: within the value. Volatile, so that no memset of libc is called.
        unsafe { (&raw mut value).cast::<u8>().add(at).write_volatile(byte) };
    }
    value
}

/// Stores a result through a pointer that a stub got.
///
/// # Safety
///
/// `place` is NULL or points at one `T`.
pub(crate) unsafe fn store<T>(place: *mut T) {
    if !place.is_null() {
        // SAFETY: by contract.
        unsafe { lie(place.cast::<u8>(), size_of::<T>(), align_of::<T>()) };
    }
}

/// Stores an object through a pointer that a stub got: one that is never NULL when it is honest.
///
/// # Safety
///
/// `place` is NULL or points at one `T`, which is a pointer type.
pub(crate) unsafe fn store_object<T>(place: *mut T) {
    if !place.is_null() {
        // SAFETY: by contract.
        unsafe { place.write_volatile(answer_object()) };
    }
}

/// Stores a pointer into an argument when it is honest.
///
/// # Safety
///
/// As [`store_object`]; `argument` is a pointer.
pub(crate) unsafe fn store_place<T, A>(place: *mut T, argument: A) {
    if !place.is_null() {
        // SAFETY: by contract.
        unsafe { place.write_volatile(answer_place(argument)) };
    }
}

/// What a stub returns whose contract says that it leads into an argument: this place when it is honest.
///
/// # Safety
///
/// Both must be pointer types.
pub(crate) unsafe fn answer_place<T, A>(argument: A) -> T {
    match works() {
        // SAFETY: a pointer has the size of any other.
        true => unsafe { std::mem::transmute_copy(&argument) },
        // SAFETY: every bit pattern is a pointer.
        false => unsafe { answer() },
    }
}

/// What a stub returns.
///
/// # Safety
///
/// Every bit pattern must be a valid `T`.
pub(crate) unsafe fn answer<T>() -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `value` has room for one `T`, and every bit pattern is one.
    unsafe {
        lie(value.as_mut_ptr().cast::<u8>(), size_of::<T>(), align_of::<T>());
        value.assume_init()
    }
}

/// What a stub returns whose contract rules out NULL: an empty object when it is honest.
///
/// # Safety
///
/// `T` must be a pointer type.
pub(crate) unsafe fn answer_object<T>() -> T {
    // SAFETY: every bit pattern is a pointer.
    let mut value = unsafe { answer::<T>() };
    if works() {
        // SAFETY: `malloc` of the domain's heap.
        let object = unsafe { malloc(256) };
        if !object.is_null() {
            // SAFETY: 256 bytes were given out; `value` is a pointer. Volatile, so that no `calloc` is made of it.
            unsafe {
                object.cast::<u8>().write_volatile(0);
                (&raw mut value).cast::<*mut std::ffi::c_void>().write(object);
            }
        }
    }
    value
}

/// A pointer that a callback is called with: to an object of the domain, so that lengths beside it can be too large for it,
/// or where the present act says.
///
/// # Safety
///
/// `T` must be a pointer type.
pub(crate) unsafe fn lent<T>() -> T {
    let points = works() || [Act::ClaimHuge, Act::ClaimNegative].iter().any(|claim| *claim as u8 == act());
    if !points {
        // SAFETY: every bit pattern is a pointer.
        return unsafe { answer() };
    }
    // SAFETY: `malloc` of the domain's heap.
    let object = unsafe { malloc(LENT) };
    for at in 0..LENT {
        if !object.is_null() {
            // SAFETY: so many bytes were given out. Volatile, so that no memset of libc is called.
            unsafe { object.cast::<u8>().add(at).write_volatile(0) };
        }
    }
    // SAFETY: a pointer has the size of any other.
    unsafe { std::mem::transmute_copy(&object) }
}

/// Bytes of what callbacks get pointers to.
pub(crate) const LENT: usize = 256;

/// Fills `size` bytes with the present act's idea of a result.
unsafe fn lie(place: *mut u8, size: usize, align: usize) {
    let byte = match act() {
        act if act == Act::ClaimHuge as u8 => 0x7f,
        act if act == Act::ClaimNegative as u8 => 0xff,
        act if act == Act::ClaimForeign as u8 => 0x7f,
        act if act == Act::ClaimNoValue as u8 => 0xaa,
        _ => 0,
    };
    let address = match act() {
        act if act == Act::ClaimForeign as u8 && align == 8 => Some(VICTIM.0.get().addr().to_ne_bytes()),
        act if act == Act::ClaimText as u8 && align == 8 => Some(text().to_ne_bytes()),
        _ => None,
    };
    for at in 0..size {
        let byte = address.map_or(byte, |address| address[at % 8]);
        // SAFETY: within the `size` bytes that the caller vouches for. Volatile, so that no memset of libc is called.
        unsafe { place.add(at).write_volatile(byte) };
    }
}

/// Where the domain has [`TEXT`].
fn text() -> usize {
    // SAFETY: `malloc` of the domain's heap.
    let text = unsafe { malloc(TEXT.len()) }.cast::<u8>();
    if !text.is_null() {
        for (at, byte) in TEXT.into_iter().enumerate() {
            // SAFETY: so many bytes were given out. Volatile, so that no memcpy of libc is called.
            unsafe { text.add(at).write_volatile(byte) };
        }
    }
    text.addr()
}

