//! What the calls of the wrappers are made of, and what must come of them.

use crate::{
    acts::*,
    inside::{LENT, MISTAKEN, Note, is_still_there, malloc},
    play::Failure,
};
use isolate_rt::{Call, Domain, Handle, Object, Owned};
use std::{
    ffi::CStr,
    mem::MaybeUninit,
    sync::atomic::{AtomicUsize, Ordering},
};

/// A value all of whose bytes are 0.
pub(crate) fn value<T>() -> T {
    // SAFETY: wrappers take numbers, raw pointers and enums, and structs of those; 0 is one of each, since the stubs declare enums that
    // begin there.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// A reference to such a value.
pub(crate) fn reference<T>() -> &'static T {
    Box::leak(Box::new(value()))
}

/// Input of so many such values.
pub(crate) fn values<T: Copy>(elements: usize) -> &'static [T] {
    vec![value(); elements].leak()
}

/// A number that the contract asks for.
pub(crate) fn amount<T: Copy>(number: i64) -> T {
    let mut amount: T = value();
    let bytes = number.to_le_bytes();
    for at in 0..size_of::<T>() {
        // SAFETY: a byte of an integer.
        unsafe { (&raw mut amount).cast::<u8>().add(at).write(bytes[at % 8]) };
    }
    amount
}

/// A number that the function must get.
pub(crate) fn number<T: Copy>(place: usize) -> T {
    PASSED[place % PASSED.len()].store(true, Ordering::SeqCst);
    let mut number: T = value();
    // SAFETY: the first byte of an integer, which is the last of its value.
    unsafe { (&raw mut number).cast::<u8>().write(mark(place)) };
    number
}

/// Input that the function must get.
pub(crate) fn marked<T: Copy>(place: usize, elements: usize) -> &'static [T] {
    PASSED[place % PASSED.len()].store(true, Ordering::SeqCst);
    let mut values: Vec<T> = vec![value(); elements];
    // SAFETY: any bytes are an integer.
    unsafe { values.as_mut_ptr().write_bytes(mark(place), values.len()) };
    values.leak()
}

/// Text that the function must get.
pub(crate) fn marked_text(place: usize) -> &'static CStr {
    PASSED[place % PASSED.len()].store(true, Ordering::SeqCst);
    CStr::from_bytes_with_nul(vec![mark(place), 0].leak()).expect("no mark is 0")
}

/// One of several slices that the function must get.
pub(crate) fn marked_row<T: Copy>(place: usize) -> &'static [T] {
    marked(place, row_length())
}

/// An object that the function must get.
pub(crate) fn passed<T>(place: usize, object: &Handle<T>) -> &Handle<T> {
    PASSED[place % PASSED.len()].store(true, Ordering::SeqCst);
    object
}

/// As many as slices have elements.
pub(crate) fn several<T: Copy>(value: T) -> Vec<T> {
    vec![value; length()]
}

/// Every other one.
pub(crate) fn with_gaps<T>(values: Vec<T>) -> Vec<Option<T>> {
    values.into_iter().enumerate().map(|(at, value)| (!is_gap(at)).then_some(value)).collect()
}

/// So many rooms.
pub(crate) fn rooms<T>(count: usize, make: fn() -> Room<T>) -> Vec<Room<T>> {
    (0..count).map(|_| make()).collect()
}

/// What may be NULL, unless it is its turn.
pub(crate) fn optional<T>(value: T) -> Option<T> {
    (!absent()).then_some(value)
}

/// An object that lives in the domain.
pub(crate) fn handle<T>(domain: &'static Domain, function: &'static str) -> Result<Handle<T>, Failure> {
    let mut call = domain.call(function)?;
    // SAFETY: `malloc` of the domain's heap.
    let object = unsafe { call.run(|| malloc(256)) }?;
    // SAFETY: as above.
    unsafe { call.adopt(object.cast()) }?.ok_or_else(|| Failure::Broken("no room in the domain for an object".to_owned()))
}

/// Such an object that the program owns. As it ends, what it has noted must be there.
pub(crate) fn owned<T: 'static>(domain: &'static Domain, function: &'static str) -> Result<Owned<T>, Failure> {
    let mut call = domain.call(function)?;
    // SAFETY: `malloc` of the domain's heap.
    let object = unsafe {
        call.run(|| {
            let object = malloc(256).cast::<Note>();
            if !object.is_null() {
                object.write_volatile([0; 3]);
            }
            object
        })
    }?;
    let end = |call: &mut Call<'_>, object: *mut T| {
        // SAFETY: stubs alone have written there.
        if !unsafe { call.run(move || is_still_there(object.cast())) }? {
            MISTAKEN.store(true, Ordering::SeqCst);
        }
        Ok(())
    };
    // SAFETY: nothing else ends it.
    let owned = unsafe { call.own(domain, object.cast(), end) }?;
    owned.ok_or_else(|| Failure::Broken("no room in the domain for an object".to_owned()))
}

/// An object whose memory the domain holds, and that nothing ends.
pub(crate) fn object<T>(domain: &'static Domain, function: &'static str) -> Result<Object<T>, Failure> {
    Ok(domain.object(function, |_, _| Ok(()))?)
}

/// Room for the wrapper to fill, between two stretches that it must not touch.
pub(crate) struct Room<T> {
    /// A margin, the room, and another margin.
    values: Vec<T>,
    /// Elements of the room.
    length: usize,
}

impl<T: Copy> Room<T> {
    const MARGIN: usize = 64;
    const GUARD: u8 = 0xa5;

    /// One of several.
    pub(crate) fn row() -> Self {
        Self::of(row_length())
    }

    /// For one value.
    pub(crate) fn single() -> Self {
        Self::of(1)
    }

    /// For so many.
    pub(crate) fn of(length: usize) -> Self {
        let mut values: Vec<T> = vec![value(); length + 2 * Self::MARGIN];
        // SAFETY: overwrites the bytes of values that are never read as `T` outside the middle.
        unsafe { values.as_mut_ptr().write_bytes(Self::GUARD, length + 2 * Self::MARGIN) };
        // SAFETY: the middle becomes zeroes again.
        unsafe { values.as_mut_ptr().add(Self::MARGIN).write_bytes(0, length) };
        Self { values, length }
    }

    pub(crate) fn slice(&mut self) -> &mut [T] {
        &mut self.values[Self::MARGIN..Self::MARGIN + self.length]
    }

    pub(crate) fn one(&mut self) -> &mut T {
        &mut self.slice()[0]
    }

    /// What the function wrote is there; `whole` as in [`came_out`].
    pub(crate) fn filled(&self, place: usize, whole: bool) -> Result<(), Failure> {
        came_out(&self.values[Self::MARGIN..Self::MARGIN + self.length], place, whole)
    }

    pub(crate) fn check(&self) -> Result<(), Failure> {
        let bytes = |range: std::ops::Range<usize>| {
            let part = &self.values[range];
            // SAFETY: initialised bytes, padding included: they were written as bytes.
            unsafe { std::slice::from_raw_parts(part.as_ptr().cast::<u8>(), size_of_val(part)) }
        };
        let end = Self::MARGIN + self.length;
        let guards = [bytes(0..Self::MARGIN), bytes(end..end + Self::MARGIN)];
        match guards.concat().iter().all(|byte| *byte == Self::GUARD) {
            true => Ok(()),
            false => Err(Failure::Broken("memory beside the caller's buffer was written".to_owned())),
        }
    }
}

/// What the function stored or returned is what came out: of a struct, which may have padding, as far as its first byte
/// tells, unless all of it is `whole`.
pub(crate) fn came_out<T>(values: &[T], place: usize, whole: bool) -> Result<(), Failure> {
    let looked_at = if whole { size_of::<T>() } else { 1.min(size_of::<T>()) };
    let is_marked = |value: &T| {
        // SAFETY: bytes of a number, or the first of a struct, where its first field is.
        (0..looked_at).all(|at| unsafe { (&raw const *value).cast::<u8>().add(at).read() } == mark(place))
    };
    match !fills() || values.iter().all(is_marked) {
        true => Ok(()),
        false => Err(Failure::Broken("what the function wrote did not come out".to_owned())),
    }
}

/// The function worked and returned this number.
pub(crate) fn came_back<T>(value: &T, number: i64) -> Result<(), Failure> {
    let bytes = number.to_le_bytes();
    // SAFETY: the bytes of an integer.
    let is_right = |at: usize| unsafe { (&raw const *value).cast::<u8>().add(at).read() } == bytes[at % 8];
    match !works() || (0..size_of::<T>()).all(is_right) {
        true => Ok(()),
        false => Err(Failure::Broken(format!("what the function returned, {number}, did not come back"))),
    }
}

/// The place in an argument that the function has pointed to.
pub(crate) fn is_place(place: usize) -> Result<(), Failure> {
    match !works() || place == step() {
        true => Ok(()),
        false => Err(Failure::Broken(format!("element {} of an argument came out as {place}", step()))),
    }
}

/// Text that the wrapper took out of the domain: byte by byte what is there.
pub(crate) fn as_it_was(text: Option<&CStr>) -> Result<(), Failure> {
    match text {
        Some(text) if act() == Act::ClaimText as u8 && text.to_bytes_with_nul() != TEXT => {
            Err(Failure::Broken(format!("text came out as {text:?}")))
        }
        _ => Ok(()),
    }
}

/// What a closure was told and should not have been.
static TOLD: AtomicUsize = AtomicUsize::new(0);
const WRONG_TEXT: usize = usize::MAX;

/// A closure got so many elements.
pub(crate) fn heard(elements: usize) {
    TOLD.fetch_max(elements, Ordering::SeqCst);
}

/// A closure got a text.
pub(crate) fn heard_text(text: &CStr) {
    if as_it_was(Some(text)).is_err() {
        heard(WRONG_TEXT);
    }
}

/// The closure was told of nothing larger than what the function pointed to, and of no other text.
pub(crate) fn as_told() -> Result<(), Failure> {
    match TOLD.swap(0, Ordering::SeqCst) {
        WRONG_TEXT => Err(Failure::Broken("a callback got another text than the library passed".to_owned())),
        elements if elements > LENT => {
            Err(Failure::Broken(format!("a callback got {elements} elements of {LENT} bytes")))
        }
        _ => Ok(()),
    }
}

/// A count that the wrapper reports about room it was given.
pub(crate) fn within(count: usize) -> Result<(), Failure> {
    let length = LENGTH.load(Ordering::SeqCst);
    match count <= length {
        true => Ok(()),
        false => Err(Failure::Broken(format!("a count of {count} for room of {length}"))),
    }
}
