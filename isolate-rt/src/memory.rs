//! Memory of a domain's heap, as the program holds it: [`DomainVec`] and [`DomainBox`].
//!
//! Other threads may be inside, and a library that has gone wrong may write to all of its domain. So there are no references
//! into such memory, but for those whose caller vouches for it: values are copied in and out, each read once.

use crate::call::{Call, Place, Plain, copy_once};
use crate::direct::Buffer;
use crate::domain::Domain;
use crate::fault::{Fault, FaultKind};
use std::marker::PhantomData;
use std::mem::{align_of, size_of};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr;

/// `len` values in a domain's heap, for many calls: filled by the program, passed without copying, read where they are.
///
/// A fault in the domain takes it along: every use gives [`FaultKind::StaleHandle`] from then on.
///
/// While a call has it ([`Call::lend`]) it cannot be touched:
///
/// ```compile_fail,E0502
/// # use isolate_rt::{Domain, Fault};
/// # unsafe extern "C" { fn sort(numbers: *mut u32, len: usize); }
/// # static SORTING: Domain = Domain::new("sorting");
/// # fn sorted() -> Result<(), Fault> {
/// let mut numbers = SORTING.vec::<u32>(100)?;
/// let mut call = SORTING.call("sort")?;
/// let lent = call.lend(&mut numbers)?;
/// numbers.get(0)?; // lent to the call
/// unsafe { call.run(|| sort(lent.as_mut_ptr(), lent.len())) }
/// # }
/// ```
///
/// After it, it can:
///
/// ```no_run
/// # use isolate_rt::{Domain, Fault};
/// # unsafe extern "C" { fn sort(numbers: *mut u32, len: usize); }
/// # static SORTING: Domain = Domain::new("sorting");
/// # fn sorted() -> Result<u32, Fault> {
/// let mut numbers = SORTING.vec::<u32>(100)?;
/// numbers.copy_from(0, &[3, 2, 1])?;
/// let mut call = SORTING.call("sort")?;
/// let lent = call.lend(&mut numbers)?;
/// unsafe { call.run(|| sort(lent.as_mut_ptr(), lent.len()))? };
/// numbers.get(0)
/// # }
/// ```
///
/// Only [`Plain`] values: what the domain leaves there may be anything.
///
/// ```compile_fail,E0277
/// # static SORTING: isolate_rt::Domain = isolate_rt::Domain::new("sorting");
/// let flags = SORTING.vec::<bool>(100);
/// ```
#[must_use = "the memory is freed when this is dropped"]
pub struct DomainVec<T: Plain> {
    domain: &'static Domain,
    start: *mut T,
    len: usize,
    held: Held,
}

/// One value in a domain's heap; otherwise as [`DomainVec`].
#[must_use = "the memory is freed when this is dropped"]
pub struct DomainBox<T: Plain>(DomainVec<T>);

/// Whose the memory is.
enum Held {
    /// Of this instance, and this generation of it.
    Domain { instance: usize, generation: u64 },
    /// Without isolation.
    Program(#[expect(dead_code, reason = "held until it is dropped")] Buffer),
}

/// A [`DomainVec`] while a call has it: pointers for the foreign function, to be asked for inside the closure that calls it.
#[derive(Debug)]
pub struct Lent<'v, T> {
    start: *mut T,
    len: usize,
    _lent: PhantomData<&'v mut T>,
}

// SAFETY: a name for memory of a domain; nobody follows it without a call.
unsafe impl<T: Plain> Send for DomainVec<T> {}
// SAFETY: a shared reference copies plain values out, each read once; to write, or lend them to a call, takes a mutable one.
unsafe impl<T: Plain> Sync for DomainVec<T> {}

// Plain values: any of them is one, wherever a panic has left off.
impl<T: Plain> UnwindSafe for DomainVec<T> {}
impl<T: Plain> RefUnwindSafe for DomainVec<T> {}

impl Domain {
    /// Room in the domain for `len` values, all zero.
    ///
    /// # Errors
    ///
    /// [`FaultKind::TooLarge`] when the domain's heap has no room, [`FaultKind::InvalidValue`] when its allocator gives out what
    /// is not its own; and as any call.
    pub fn vec<T: Plain>(&'static self, len: usize) -> Result<DomainVec<T>, Fault> {
        let mut call = self.call("calloc")?;
        DomainVec::in_call(&mut call, self, len)
    }

    /// Puts `value` into the domain's heap.
    ///
    /// # Errors
    ///
    /// As [`Domain::vec`].
    pub fn boxed<T: Plain>(&'static self, value: T) -> Result<DomainBox<T>, Fault> {
        let mut one = self.vec(1)?;
        one.set(0, value)?;
        Ok(DomainBox(one))
    }
}

/// Zeroed memory of the domain's heap, as its own code would get it: NULL for none, or anything at all.
#[cfg(platform)]
fn allocate(call: &mut Call<'_>, bytes: usize, align: usize) -> Result<*mut u8, Fault> {
    // SAFETY: allocates, and clears what it got; a pointer may hold any address.
    unsafe {
        call.run(|| {
            let mut block = std::ptr::null_mut();
            if libc::posix_memalign(&mut block, align.max(size_of::<usize>()), bytes) != 0 {
                return std::ptr::null_mut::<u8>();
            }
            std::ptr::write_bytes(block.cast::<u8>(), 0, bytes);
            block.cast()
        })
    }
}

/// No domain is made elsewhere, and no call comes this far.
#[cfg(not(platform))]
fn allocate(_: &mut Call<'_>, _: usize, _: usize) -> Result<*mut u8, Fault> {
    Ok(std::ptr::null_mut())
}

impl<T: Plain> DomainVec<T> {
    /// Room for `len` values, all zero, where a call of `domain` is.
    pub(crate) fn in_call(call: &mut Call<'_>, domain: &'static Domain, len: usize) -> Result<Self, Fault> {
        let bytes = len.checked_mul(size_of::<T>());
        let limit = domain.heap_bytes();
        let too_large = FaultKind::TooLarge { requested: bytes.unwrap_or(usize::MAX), limit };
        let Some(bytes) = bytes else { return Err(call.fault(too_large)) };
        let (start, held) = match call.home() {
            None => {
                let Some(buffer) = Buffer::new::<T>(len) else { return Err(call.fault(too_large)) };
                (buffer.start().cast::<T>(), Held::Program(buffer))
            }
            Some((instance, generation)) => {
                let start = allocate(call, bytes.max(1), align_of::<T>())?.cast::<T>();
                if start.is_null() {
                    return Err(call.fault(too_large));
                }
                if !start.is_aligned() || !call.holds(start.addr(), bytes) {
                    let what = "a block that does not lie in the domain";
                    return Err(call.fault(FaultKind::InvalidValue { what }));
                }
                (start, Held::Domain { instance, generation })
            }
        };
        Ok(DomainVec { domain, start, len, held })
    }

    pub(crate) fn start(&self) -> *mut T {
        self.start
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A copy of one value.
    ///
    /// # Errors
    ///
    /// [`FaultKind::StaleHandle`] after a fault in the domain.
    ///
    /// # Panics
    ///
    /// When `index` is out of bounds.
    pub fn get(&self, index: usize) -> Result<T, Fault> {
        assert!(index < self.len, "index {index} of {}", self.len);
        // SAFETY: within bounds, and nobody discards the memory meanwhile. Whatever is there is a `T`.
        self.with(|| unsafe { self.start.add(index).read_volatile() })
    }

    /// Overwrites one value.
    ///
    /// # Errors
    ///
    /// As [`DomainVec::get`].
    ///
    /// # Panics
    ///
    /// When `index` is out of bounds.
    pub fn set(&mut self, index: usize, value: T) -> Result<(), Fault> {
        assert!(index < self.len, "index {index} of {}", self.len);
        // SAFETY: as in `get`.
        self.with(|| unsafe { self.start.add(index).write_volatile(value) })
    }

    /// Copies `values` to `at` and behind.
    ///
    /// # Errors
    ///
    /// As [`DomainVec::get`].
    ///
    /// # Panics
    ///
    /// When they do not fit.
    pub fn copy_from(&mut self, at: usize, values: &[T]) -> Result<(), Fault> {
        assert!(at.checked_add(values.len()).is_some_and(|end| end <= self.len), "more than {} values", self.len);
        // SAFETY: within bounds; the program's memory and the domain's do not overlap.
        self.with(|| unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.start.add(at), values.len()) })
    }

    /// Copies the values from `at` on to `into`, and returns how many: at most what is there.
    ///
    /// # Errors
    ///
    /// As [`DomainVec::get`].
    pub fn copy_to(&self, at: usize, into: &mut [T]) -> Result<usize, Fault> {
        let count = self.len.saturating_sub(at).min(into.len());
        if count > 0 {
            // SAFETY: as in `copy_from`; whatever is there is a `T`.
            self.with(|| unsafe { copy_once(self.start.add(at), into.as_mut_ptr(), count) })?;
        }
        Ok(count)
    }

    /// The values where they are.
    ///
    /// # Errors
    ///
    /// As [`DomainVec::get`].
    ///
    /// # Safety
    ///
    /// No thread may be inside the domain, or come in, for as long as the slice lives.
    pub unsafe fn as_slice(&self) -> Result<&[T], Fault> {
        // SAFETY: checked when it was made; that nobody writes it is our caller's word.
        self.with(|| unsafe { std::slice::from_raw_parts(self.start, self.len) })
    }

    /// Runs `f` while the memory is what it was when this was made.
    fn with<R>(&self, f: impl FnOnce() -> R) -> Result<R, Fault> {
        const FUNCTION: &str = "(its memory)";
        let Held::Domain { instance, generation } = self.held else { return Ok(f()) };
        let call = self.domain.call_in(instance, FUNCTION)?;
        let done = match call.place() {
            Place::Mpk(entry) => entry.with_generation(generation, f),
            Place::Direct(_) => Err(FaultKind::StaleHandle),
        };
        done.map_err(|kind| match kind {
            FaultKind::StaleHandle => call.stale(instance, generation),
            kind => call.fault(kind),
        })
    }
}

impl<T: Plain> DomainBox<T> {
    /// A copy of the value.
    ///
    /// # Errors
    ///
    /// [`FaultKind::StaleHandle`] after a fault in the domain.
    pub fn get(&self) -> Result<T, Fault> {
        self.0.get(0)
    }

    /// Overwrites the value.
    ///
    /// # Errors
    ///
    /// As [`DomainBox::get`].
    pub fn set(&mut self, value: T) -> Result<(), Fault> {
        self.0.set(0, value)
    }
}

impl Call<'_> {
    /// Lends memory of this domain to the call.
    ///
    /// # Errors
    ///
    /// [`FaultKind::StaleHandle`] when it is of another domain (or instance, as in [`Call::handle`]), or a fault has taken it.
    pub fn lend<'v, T: Plain>(&mut self, memory: &'v mut DomainVec<T>) -> Result<Lent<'v, T>, Fault> {
        if let Held::Domain { instance, .. } = memory.held {
            self.go_to(instance)?;
        }
        let own = match (self.place(), &memory.held) {
            (Place::Mpk(entry), Held::Domain { instance, generation }) => {
                (entry.identity(), entry.generation()) == (*instance, *generation)
            }
            (Place::Direct(_), Held::Program(_)) => true,
            _ => false,
        };
        if !own {
            return Err(match memory.held {
                Held::Domain { instance, generation } => self.stale(instance, generation),
                Held::Program(_) => self.fault(FaultKind::StaleHandle),
            });
        }
        Ok(Lent { start: memory.start, len: memory.len, _lent: PhantomData })
    }

    /// Lends one value.
    ///
    /// # Errors
    ///
    /// As [`Call::lend`].
    pub fn lend_box<'v, T: Plain>(&mut self, memory: &'v mut DomainBox<T>) -> Result<Lent<'v, T>, Fault> {
        self.lend(&mut memory.0)
    }
}

impl<T> Lent<'_, T> {
    /// For the foreign function to read.
    pub fn as_ptr(self) -> *const T {
        self.start
    }

    /// For the foreign function to write.
    pub fn as_mut_ptr(self) -> *mut T {
        self.start
    }

    /// Number of values.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

// Not derived: `T` need not be.
impl<T> Clone for Lent<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Lent<'_, T> {}

impl<T: Plain> Drop for DomainVec<T> {
    fn drop(&mut self) {
        let Held::Domain { instance, generation } = self.held else { return };
        // Where no call can be made, or the instance is gone, there is nothing to free.
        let Ok(mut call) = self.domain.call_in(instance, "free") else { return };
        if call.home() == Some((instance, generation)) {
            let start = self.start;
            // SAFETY: frees what `allocate` gave. A heap that has gone wrong ends the call, and is gone with it.
            let _ = unsafe { call.run(move || libc::free(start.cast())) };
        }
    }
}

impl<T: Plain> std::fmt::Debug for DomainVec<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DomainVec").field("domain", &self.domain.name()).field("len", &self.len).finish_non_exhaustive()
    }
}

impl<T: Plain> std::fmt::Debug for DomainBox<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DomainBox").field("domain", &self.0.domain.name()).finish_non_exhaustive()
    }
}
