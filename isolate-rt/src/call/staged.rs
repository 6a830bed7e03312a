//! Arguments and results of a call: in memory of the program that the domain reads, and in the room that the call has there.

use super::{Call, Place};
use crate::direct::{Buffer, MAX_STAGED};
use crate::fault::{Fault, FaultKind};
use std::ffi::{CStr, c_char};
use std::mem::size_of;

/// Room of no more bytes is given to a domain as zeros.
const ZEROED: usize = 4096;

/// Types of which every bit pattern is a value, so that whatever a domain leaves behind can be read as one.
///
/// # Safety
///
/// No bit pattern of `Self` may be invalid, and it may hold no padding whose contents matter.
#[diagnostic::on_unimplemented(
    message = "some bits are no value of `{Self}`, and a domain may leave any",
    note = "declare it as a number in the struct or function that crosses, or leave the function out of the policy"
)]
pub unsafe trait Plain: Copy + 'static {}

/// Compiles where every bit pattern is a value of `T`: generated wrappers ask it of each field of a struct that comes out of a
/// domain, because the build that they are part of may know another struct than the one that was read when they were written.
///
/// ```
/// isolate_rt::assert_plain([0_u8; 4]);
/// ```
///
/// ```compile_fail,E0277
/// isolate_rt::assert_plain(std::num::NonZeroU32::MIN);
/// ```
pub fn assert_plain<T: Plain>(_: T) {}

macro_rules! plain {
    ($($ty:ty),*) => { $(
        // SAFETY: every bit pattern of a primitive number is a value.
        unsafe impl Plain for $ty {}
    )* };
}
plain!(u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, usize, isize, f32, f64);

// SAFETY: the one value has no bits.
unsafe impl Plain for () {}
// SAFETY: a raw pointer may hold any address; following it is another matter.
unsafe impl<T: 'static> Plain for *const T {}
// SAFETY: as above.
unsafe impl<T: 'static> Plain for *mut T {}
// SAFETY: an array is its elements.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Room for `len` values of type `T` inside the domain, until the call ends.
#[derive(Debug)]
pub struct Staged<T> {
    start: *mut T,
    len: usize,
}

impl<'a> Call<'a> {
    /// A pointer to `data` for the domain to read. Nothing is copied: a domain of level `integrity` can read the program.
    ///
    /// What the function returns, or tells closures, may point into it ([`Call::string`]). Memory is allocated where a call is given more
    /// than 16 such arguments.
    ///
    /// # Errors
    ///
    /// None today; a back end that has to copy may run out of room.
    #[inline]
    pub fn input<T: Plain>(&mut self, data: &'a [T]) -> Result<*const T, Fault> {
        self.remember(data.as_ptr().addr(), size_of_val(data));
        Ok(data.as_ptr())
    }

    /// A pointer to a value that need not be [`Plain`], for the domain to read: a struct with options. No value is made of what the domain
    /// leaves behind, because it can write nothing there. It can read what the value's pointers point to, too. What the function
    /// returns may not point into it.
    ///
    /// # Errors
    ///
    /// As [`Call::input`].
    #[inline]
    pub fn input_any<T>(&mut self, value: &'a T) -> Result<*const T, Fault> {
        Ok(value)
    }

    /// A pointer to `text` for the domain to read.
    ///
    /// # Errors
    ///
    /// As [`Call::input`].
    #[inline]
    pub fn input_str(&mut self, text: &'a CStr) -> Result<*const c_char, Fault> {
        self.remember(text.as_ptr().addr(), text.count_bytes() + 1);
        Ok(text.as_ptr())
    }

    /// Room for `len` values that the domain will write. Until then it is zero where it is no more than 4 KiB, as values and
    /// small arrays are, and else unspecified: bytes of an earlier call in the domain, perhaps.
    ///
    /// # Errors
    ///
    /// [`FaultKind::TooLarge`] beyond 4 GiB in one call.
    #[inline]
    pub fn output<T: Plain>(&mut self, len: usize) -> Result<Staged<T>, Fault> {
        self.stage_output(len)
    }

    /// Room in the domain filled from `data`, for the domain to read and write.
    ///
    /// # Errors
    ///
    /// As [`Call::output`].
    #[inline]
    pub fn inout<T: Plain>(&mut self, data: &[T]) -> Result<Staged<T>, Fault> {
        self.stage_copy(data)
    }

    /// [`Call::output`] for a type that is not [`Plain`]: a struct of another crate.
    ///
    /// # Safety
    ///
    /// Every bit pattern must be a valid `T`: only integers, floats, raw pointers, and arrays and structs of those.
    ///
    /// # Errors
    ///
    /// As [`Call::output`].
    #[inline]
    pub unsafe fn output_any<T: Copy>(&mut self, len: usize) -> Result<Staged<T>, Fault> {
        self.stage_output(len)
    }

    /// [`Call::inout`] for a type that is not [`Plain`].
    ///
    /// # Safety
    ///
    /// As [`Call::output_any`].
    ///
    /// # Errors
    ///
    /// As [`Call::output`].
    #[inline]
    pub unsafe fn inout_any<T: Copy>(&mut self, data: &[T]) -> Result<Staged<T>, Fault> {
        self.stage_copy(data)
    }

    /// The first staged value, read once.
    ///
    /// # Panics
    ///
    /// When nothing was staged (`one` has length 0), or not by this call.
    #[inline]
    pub fn read<T: Copy>(&self, one: Staged<T>) -> T {
        assert!(one.len > 0, "read of an empty staged buffer");
        self.assert_own(one);
        // SAFETY: `start` has room for `len` values in memory that this call holds. Threads of the domain may be writing there: it is
        // read once, as whatever it is then. Every bit pattern is a valid `T` by the contract of the function that staged it.
        unsafe { one.start.read_volatile() }
    }

    /// Copies the first `written` staged values to `into` and returns how many: at most what was staged, at most `into.len()`. Whether the
    /// library claims more than that, [`Call::within`] says before.
    ///
    /// # Panics
    ///
    /// When `from` was not staged by this call.
    #[inline]
    pub fn take<T: Copy>(&self, from: Staged<T>, written: usize, into: &mut [T]) -> usize {
        self.assert_own(from);
        let count = written.min(from.len).min(into.len());
        // SAFETY: `count` is within both; the two do not overlap, since `into` is the program's and `from` the domain's;
        // bit patterns as in `read`.
        unsafe { copy_once(from.start, into.as_mut_ptr(), count) };
        count
    }

    /// Bytes of the program that are borrowed as long as the call is used.
    #[inline]
    fn remember(&mut self, address: usize, len: usize) {
        if let Place::Mpk(entry) = &mut self.place {
            entry.remember(address, len);
        }
    }

    #[inline]
    fn stage<T: Copy>(&mut self, len: usize) -> Result<Staged<T>, Fault> {
        self.settle();
        let start = match &mut self.place {
            Place::Mpk(entry) => entry.stage(len, size_of::<T>(), align_of::<T>()).map(|start| start.cast::<T>()),
            Place::Direct(buffers) => match Buffer::new::<T>(len) {
                Some(buffer) => {
                    let start = buffer.start().cast::<T>();
                    buffers.push(buffer);
                    Ok(start)
                }
                None => Err(FaultKind::TooLarge { requested: len.saturating_mul(size_of::<T>()), limit: MAX_STAGED }),
            },
        };
        match start {
            Ok(start) => Ok(Staged { start, len }),
            Err(kind) => Err(self.fault(kind)),
        }
    }

    /// What a function leaves unwritten is no value of an earlier call. Big buffers are not paid for: what counts of them is
    /// what the function says that it wrote.
    #[inline]
    fn stage_output<T: Copy>(&mut self, len: usize) -> Result<Staged<T>, Fault> {
        let staged = self.stage::<T>(len)?;
        if len.saturating_mul(size_of::<T>()) <= ZEROED {
            // SAFETY: there is room for as many values at `start`.
            unsafe { std::ptr::write_bytes(staged.start, 0, len) };
        }
        Ok(staged)
    }

    #[inline]
    fn stage_copy<T: Copy>(&mut self, data: &[T]) -> Result<Staged<T>, Fault> {
        let staged = self.stage::<T>(data.len())?;
        // SAFETY: there is room for as many values at `start`, apart from `data`.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), staged.start, data.len()) };
        Ok(staged)
    }

    /// A staged buffer says where it is, not whose: one of another call may be gone, or be somebody else's by now.
    #[inline]
    fn assert_own<T>(&self, staged: Staged<T>) {
        // Of another call there may have been a longer one at the same address.
        let (address, len) = (staged.start.addr(), size_of::<T>() * staged.len);
        let own = match &self.place {
            Place::Mpk(entry) => entry.has_staged(address, len),
            Place::Direct(buffers) => buffers.iter().any(|buffer| buffer.is(address, len)),
        };
        assert!(own, "a staged buffer of another call");
    }
}

/// Copies out of a domain such that the copy is all that the program ever sees.
///
/// # Safety
///
/// As [`std::ptr::copy_nonoverlapping`].
#[inline]
pub(crate) unsafe fn copy_once<T: Copy>(from: *const T, into: *mut T, count: usize) {
    // SAFETY: by this function's contract. The assembly is empty: it might change all memory, for what the compiler knows, so
    // that a copy of the copy is not made from `from`, where another thread of the domain may have written since.
    unsafe {
        std::ptr::copy_nonoverlapping(from, into, count);
        std::arch::asm!("", options(nostack, preserves_flags));
    }
}

impl<T> Staged<T> {
    /// For the foreign function to read.
    #[inline]
    pub fn as_ptr(self) -> *const T {
        self.start
    }

    /// For the foreign function to write.
    #[inline]
    pub fn as_mut_ptr(self) -> *mut T {
        self.start
    }

    /// Number of values it has room for.
    #[inline]
    pub fn len(self) -> usize {
        self.len
    }

    /// The first `len` of them; all, where there are no more.
    #[inline]
    #[must_use]
    pub fn up_to(self, len: usize) -> Self {
        Self { len: self.len.min(len), ..self }
    }

    /// Whether it has room for none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

// Not derived: a staged buffer is an address, whatever `T` is.
impl<T> Clone for Staged<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Staged<T> {}
