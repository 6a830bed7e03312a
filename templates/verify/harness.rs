//! Plays every wrapper against a library that misbehaves.
//!
//! The functions in `stubs/` stand where the C functions stood. Each takes its arguments, then does what [`ACT`] says, inside
//! the domain. Here is the other side: what the program must see of it. A line `begin` goes to stdout, then one line per act,
//! its columns separated by tabs, and a line `play` before it, so that an act that kills the process is known by name.

use isolate_rt::{Domain, Error, Fault, FaultKind, Handle, Object, Owned};
use std::{
    cell::UnsafeCell,
    ffi::CStr,
    io::Write,
    mem::MaybeUninit,
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
};

/// What a stub does once it has its arguments.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
enum Act {
    /// Reports success and empty results.
    Honest,
    /// Reports success, and fills what room there is for results.
    Fill,
    /// Writes to a page of the program.
    WriteOutside,
    /// Returns and stores huge positive numbers.
    ClaimHuge,
    /// Returns and stores negative numbers.
    ClaimNegative,
    /// Returns and stores pointers to the program's memory.
    ClaimForeign,
    /// Returns and stores bytes that no `bool`, enum or pointer consists of.
    ClaimNoValue,
    /// Returns and stores pointers to text of its own that is not UTF-8.
    ClaimText,
    /// Calls `abort()`.
    Abort,
}

const ACTS: [(Act, &str); 7] = [
    (Act::WriteOutside, "write to the program"),
    (Act::ClaimHuge, "huge results"),
    (Act::ClaimNegative, "negative results"),
    (Act::ClaimForeign, "pointers outside the domain"),
    (Act::ClaimNoValue, "results of no value"),
    (Act::ClaimText, "text that is not UTF-8"),
    (Act::Abort, "abort"),
];

/// Not UTF-8, and ends with a NUL.
const TEXT: [u8; 8] = *b"\xff\xfe\xc0\x80a\xed\xa0\0";

static ACT: AtomicU8 = AtomicU8::new(Act::Honest as u8);

/// How long the slices are that wrappers get, in elements.
static LENGTH: AtomicUsize = AtomicUsize::new(USUAL);
const USUAL: usize = 64;
/// Where a page ends, one off is most likely to show.
const BOUNDARIES: [usize; 5] = [0, 1, 4095, 4096, 4097];

/// What may be NULL is.
static NULL: AtomicBool = AtomicBool::new(false);

/// Number of the function whose wrapper is called: stubs that others call meanwhile got their arguments from nobody here.
static SUBJECT: AtomicUsize = AtomicUsize::new(usize::MAX);
/// What the driver passed on purpose, by the place of the function's parameter.
static PASSED: [AtomicBool; 64] = [const { AtomicBool::new(false) }; 64];

/// A page of the program. No domain may write it.
#[repr(align(4096))]
struct Page(UnsafeCell<[u8; 4096]>);
// SAFETY: the driver has one thread.
unsafe impl Sync for Page {}
static VICTIM: Page = Page(UnsafeCell::new([UNTOUCHED; 4096]));
const UNTOUCHED: u8 = 0x5a;

/// One wrapper.
pub(crate) struct Case {
    pub(crate) domain: &'static str,
    pub(crate) function: &'static str,
    /// The function's number.
    pub(crate) id: usize,
    /// Its result is a pointer that the wrapper must refuse when it leads outside the domain.
    pub(crate) returns_pointer: bool,
    /// It hands what pointers lead to on to a closure, and must refuse those that lead outside the domain.
    pub(crate) follows: bool,
    /// The foreign function, as faults name it.
    pub(crate) foreign: &'static str,
    /// It takes slices.
    pub(crate) slices: bool,
    /// It takes slices that the function can fill.
    pub(crate) rooms: bool,
    /// It takes something that may be NULL.
    pub(crate) nullable: bool,
    /// Calls it with arguments of the right types.
    pub(crate) call: fn() -> Result<(), Failure>,
}

/// How a call failed.
pub(crate) enum Failure {
    /// The wrapper said so.
    Fault(Fault),
    /// The wrapper took what the function returned for an error, and gave nothing else of it.
    Reported,
    /// The wrapper said nothing, and was wrong.
    Broken(String),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<C> From<Error<C>> for Failure {
    fn from(error: Error<C>) -> Self {
        match error {
            Error::Fault(fault) => Self::Fault(fault),
            Error::Failed(_) => Self::Reported,
        }
    }
}

/// Plays all, or only what needs no isolation to survive where that is the one argument: `honest`.
pub(crate) fn run(cases: &[Case]) -> ExitCode {
    let all = !std::env::args().skip(1).any(|argument| argument == "honest");
    // Tells a runner that failed from wrappers that did.
    say(&["begin"]);
    let mut clean = true;
    for case in cases {
        // The first call also says whether this machine isolates at all.
        if let Err(Failure::Fault(fault)) = (case.call)() {
            if let FaultKind::Unsupported(reason) = fault.kind() {
                say(&["unsupported", &reason.to_string()]);
                return ExitCode::from(3);
            }
        }
        clean &= play(case, Act::Honest, "honest call");
        for length in BOUNDARIES.into_iter().filter(|_| case.slices) {
            LENGTH.store(length, Ordering::SeqCst);
            clean &= play(case, Act::Honest, &format!("honest call with {length} elements"));
            if case.rooms {
                clean &= play(case, Act::Fill, &format!("honest call that fills {length} elements"));
            }
            if all {
                clean &= play(case, Act::ClaimHuge, &format!("huge results with {length} elements"));
                clean &= play(case, Act::ClaimNegative, &format!("negative results with {length} elements"));
            }
        }
        LENGTH.store(USUAL, Ordering::SeqCst);
        if case.nullable {
            NULL.store(true, Ordering::SeqCst);
            clean &= play(case, Act::Honest, "honest call with NULL");
            if all {
                clean &= play(case, Act::ClaimHuge, "huge results with NULL");
            }
            NULL.store(false, Ordering::SeqCst);
        }
        for (act, name) in ACTS.into_iter().filter(|_| all) {
            clean &= play(case, act, name);
            clean &= play(case, Act::Honest, &format!("honest call after: {name}"));
        }
    }
    say(&["end"]);
    ExitCode::from(u8::from(!clean))
}

fn play(case: &Case, act: Act, name: &str) -> bool {
    say(&["play", case.domain, case.function, name]);
    PASSED.iter().for_each(|passed| passed.store(false, Ordering::SeqCst));
    SUBJECT.store(case.id, Ordering::SeqCst);
    ACT.store(act as u8, Ordering::SeqCst);
    let result = (case.call)();
    ACT.store(Act::Honest as u8, Ordering::SeqCst);
    SUBJECT.store(usize::MAX, Ordering::SeqCst);
    // SAFETY: nothing else holds a reference to the page.
    let written = unsafe { (*VICTIM.0.get()).iter().any(|byte| *byte != UNTOUCHED) };
    // SAFETY: as above.
    unsafe { *VICTIM.0.get() = [UNTOUCHED; 4096] };
    let outcome = match &result {
        Ok(()) => "Ok".to_owned(),
        Err(Failure::Fault(fault)) => format!("Err: {fault}"),
        Err(Failure::Reported) => "Err: the function reported an error".to_owned(),
        Err(Failure::Broken(how)) => how.clone(),
    };
    let mistaken = MISTAKEN.swap(false, Ordering::SeqCst) || is_mistaken(&result);
    let good = !written && !mistaken && as_expected(case, act, &result);
    let outcome = if written { "the program's page was written".to_owned() } else { outcome };
    let outcome = if mistaken { "the function did not get what the wrapper was given".to_owned() } else { outcome };
    say(&[if good { "good" } else { "bad" }, case.domain, case.function, name, &outcome]);
    good
}

fn as_expected(case: &Case, act: Act, result: &Result<(), Failure>) -> bool {
    let fault = match result {
        Ok(()) => {
            return match act {
                Act::Honest | Act::Fill | Act::ClaimHuge | Act::ClaimNegative | Act::ClaimText => true,
                Act::ClaimForeign => !case.returns_pointer && !case.follows,
                Act::ClaimNoValue => !case.returns_pointer,
                Act::WriteOutside | Act::Abort => false,
            };
        }
        Err(Failure::Reported) => return !matches!(act, Act::WriteOutside | Act::Abort),
        Err(Failure::Broken(_)) => return false,
        Err(Failure::Fault(fault)) => fault,
    };
    let page = VICTIM.0.get().addr();
    let kind = match (act, fault.kind()) {
        (Act::WriteOutside, FaultKind::Protection { address, key: 0, write: true }) => {
            (page..page + 4096).contains(address)
        }
        (Act::Abort, FaultKind::Abort) => true,
        // A page of large elements may be more than the domain has room for, and is refused.
        (Act::Honest | Act::Fill, FaultKind::TooLarge { .. }) => LENGTH.load(Ordering::SeqCst) > USUAL,
        (
            Act::ClaimHuge | Act::ClaimNegative | Act::ClaimForeign | Act::ClaimNoValue | Act::ClaimText,
            FaultKind::InvalidValue { .. } | FaultKind::TooLarge { .. },
        ) => true,
        _ => false,
    };
    kind && fault.domain() == case.domain && fault.function() == case.foreign
}

fn say(columns: &[&str]) {
    let line = columns.join("\t").replace('\n', " ") + "\n";
    let mut out = std::io::stdout().lock();
    // A reader that went away is not this program's business.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

// What stubs call. They run inside the domain: nothing here allocates, panics or writes outside its arguments.

unsafe extern "C" {
    fn abort() -> !;
    fn malloc(size: usize) -> *mut std::ffi::c_void;
}

fn act() -> u8 {
    ACT.load(Ordering::Relaxed)
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

/// The stub is the one whose wrapper is called, and the library works: it must get what the wrapper was given.
fn is_subject(id: usize) -> bool {
    SUBJECT.load(Ordering::Relaxed) == id && works()
}

/// The library does what it should.
fn works() -> bool {
    act() == Act::Honest as u8 || fills()
}

/// The function got something else than its wrapper. A domain cannot write it, and the fault says as much.
static MISTAKEN: AtomicBool = AtomicBool::new(false);

fn wrong() {
    MISTAKEN.store(true, Ordering::SeqCst);
}

/// A stub found a mistake, inside a domain.
fn is_mistaken(result: &Result<(), Failure>) -> bool {
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

/// A pointer to what is in a slice that the wrapper was given.
///
/// # Safety
///
/// It points to as many integers as the slice had, or is NULL.
pub(crate) unsafe fn input<T>(id: usize, place: usize, nullable: bool, values: *const T) {
    if !is_subject(id) || !PASSED[place % PASSED.len()].load(Ordering::Relaxed) {
        return;
    }
    if nullable && absent() {
        if !values.is_null() {
            wrong();
        }
        return;
    }
    for at in 0..LENGTH.load(Ordering::Relaxed) {
        // SAFETY: by contract.
        if !unsafe { has_bytes(values.add(at), |_| mark(place)) } {
            return wrong();
        }
    }
}

/// The library fills what room there is.
pub(crate) fn fills() -> bool {
    act() == Act::Fill as u8
}

/// Fills a room, or stores one result in it.
///
/// # Safety
///
/// `values` is NULL, or has room for as many values as the slice that the wrapper was given; any bytes are a `T`.
pub(crate) unsafe fn store_room<T>(ids: &[usize], place: usize, values: *mut T) {
    if !(fills() && ids.iter().any(|id| is_subject(*id))) || values.is_null() {
        // SAFETY: by contract, but for a room of no elements.
        return if LENGTH.load(Ordering::Relaxed) > 0 { unsafe { store(values) } };
    }
    for at in 0..LENGTH.load(Ordering::Relaxed) * size_of::<T>() {
        // SAFETY: by contract. Volatile, so that no memset of libc is called.
        unsafe { values.cast::<u8>().add(at).write_volatile(mark(place)) };
    }
}

/// What a stub returns that counts what it wrote.
///
/// # Safety
///
/// `T` is an integer.
pub(crate) unsafe fn answer_count<T>(ids: &[usize]) -> T {
    // SAFETY: by contract.
    let mut value = unsafe { answer::<T>() };
    if fills() && ids.iter().any(|id| is_subject(*id)) {
        let bytes = LENGTH.load(Ordering::Relaxed).to_le_bytes();
        for at in 0..size_of::<T>() {
            // SAFETY: within the value.
            unsafe { (&raw mut value).cast::<u8>().add(at).write(bytes[at % 8]) };
        }
    }
    value
}

/// What every byte of the argument at this place is.
fn mark(place: usize) -> u8 {
    3 + (place % 32) as u8
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
const LENT: usize = 256;

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

// What the calls of the wrappers are made of.

/// A value all of whose bytes are 0.
pub(crate) fn value<T: Copy>() -> T {
    // SAFETY: wrappers take numbers, raw pointers and plain structs of those by value; 0 is one of each.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// A reference to such a value.
pub(crate) fn reference<T: Copy>() -> &'static T {
    Box::leak(Box::new(value()))
}

/// Input of such values.
pub(crate) fn values<T: Copy>() -> &'static [T] {
    vec![value(); LENGTH.load(Ordering::SeqCst)].leak()
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
pub(crate) fn marked<T: Copy>(place: usize) -> &'static [T] {
    PASSED[place % PASSED.len()].store(true, Ordering::SeqCst);
    let mut values: Vec<T> = vec![value(); LENGTH.load(Ordering::SeqCst)];
    // SAFETY: any bytes are an integer.
    unsafe { values.as_mut_ptr().write_bytes(mark(place), values.len()) };
    values.leak()
}

/// What may be NULL, unless it is its turn.
pub(crate) fn optional<T>(value: T) -> Option<T> {
    (!absent()).then_some(value)
}

/// It is the turn of NULL.
pub(crate) fn absent() -> bool {
    NULL.load(Ordering::SeqCst)
}

/// How long slices are at the moment.
pub(crate) fn length() -> usize {
    LENGTH.load(Ordering::SeqCst)
}

/// An object that lives in the domain.
pub(crate) fn handle<T>(domain: &'static Domain, function: &'static str) -> Result<Handle<T>, Failure> {
    let mut call = domain.call(function)?;
    // SAFETY: `malloc` of the domain's heap.
    let object = unsafe { call.run(|| malloc(256)) }?;
    call.adopt(object.cast())?.ok_or_else(|| Failure::Broken("no room in the domain for an object".to_owned()))
}

/// Such an object that the program owns, and that nothing ends.
pub(crate) fn owned<T: 'static>(domain: &'static Domain, function: &'static str) -> Result<Owned<T>, Failure> {
    let mut call = domain.call(function)?;
    // SAFETY: `malloc` of the domain's heap.
    let object = unsafe { call.run(|| malloc(256)) }?;
    let owned = call.own(domain, object.cast(), |_, _| Ok(()))?;
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

    pub(crate) fn new() -> Self {
        Self::of(LENGTH.load(Ordering::SeqCst))
    }

    /// For one value.
    pub(crate) fn single() -> Self {
        Self::of(1)
    }

    fn of(length: usize) -> Self {
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

    /// What the function wrote is there.
    pub(crate) fn filled(&self, place: usize) -> Result<(), Failure> {
        let room = &self.values[Self::MARGIN..Self::MARGIN + self.length];
        // SAFETY: initialised integers.
        let bytes = unsafe { std::slice::from_raw_parts(room.as_ptr().cast::<u8>(), size_of_val(room)) };
        match !fills() || bytes.iter().all(|byte| *byte == mark(place)) {
            true => Ok(()),
            false => Err(Failure::Broken("what the function wrote did not come out".to_owned())),
        }
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
