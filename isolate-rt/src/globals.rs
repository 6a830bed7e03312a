//! The writable globals of a library: where they are.

/// A range of writable globals that belongs to a domain.
#[derive(Debug)]
#[cfg_attr(not(mpk), expect(dead_code, reason = "no domain, nobody to ask"))]
pub struct Globals(pub(crate) Place);

#[derive(Debug)]
#[cfg_attr(not(mpk), expect(dead_code, reason = "no domain, nobody to ask"))]
pub(crate) enum Place {
    Linked { start: *const u8, end: *const u8 },
    Shared { object: &'static str },
}

// SAFETY: the pointers are addresses of linker symbols; `Globals` itself never reads through them.
unsafe impl Sync for Globals {}

impl Globals {
    /// What a linker fragment gathered between two symbols, on pages of its own: the data or bss of a static library.
    ///
    /// The range may be empty (a library without globals). Creating the domain checks that it is page-aligned and lies in
    /// writable memory of a loaded object.
    ///
    /// # Safety
    ///
    /// Nothing in the range is the program's: the domain may write all of it at any time, and a fault puts it back to what it
    /// held when the domain was made.
    pub const unsafe fn linked(start: *const u8, end: *const u8) -> Self {
        Self(Place::Linked { start, end })
    }

    /// The writable segments of a shared object, by file name (`libfoo.so.1`); it must be loaded when the domain is made.
    ///
    /// # Safety
    ///
    /// The object is the library that is isolated: nothing of it serves the program, as libc and the program itself do.
    pub const unsafe fn shared(object: &'static str) -> Self {
        Self(Place::Shared { object })
    }
}
