/// Docs.
///
/// # Safety
///
/// The pointer must be valid.
#[inline]
pub unsafe fn documented() {}

/// Docs without a section: a hit.
pub unsafe fn undocumented() {}

unsafe fn private() {}

/// # Safety
pub unsafe fn empty() {}

/// # Safety
///
/// TODO
pub unsafe fn to_do() {}

// SAFETY: a comment is as good.
unsafe fn commented() {}

#[doc = "Docs."]
#[doc = "# Safety"]
#[doc = "The pointer must be valid."]
pub unsafe fn by_attribute() {}

pub unsafe trait Missing {
    unsafe fn method(&self);
}

/// # Safety
/// Implementors promise nothing.
pub unsafe trait Present {
    /// # Safety
    /// Callers promise nothing.
    unsafe fn method(&self);
}

// SAFETY: as promised.
unsafe impl Present for u8 {
    unsafe fn method(&self) {}
}

unsafe extern "C" {
    unsafe fn foreign();
}
