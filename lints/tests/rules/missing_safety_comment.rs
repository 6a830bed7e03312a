struct S(*mut u8);

unsafe impl Send for S {}

// SAFETY: no thread is special.
unsafe impl Sync for S {}

/// Docs.
///
/// # Safety
///
/// The pointer must be valid.
#[inline]
pub unsafe fn documented() {}

/// Docs without a section.
pub unsafe fn undocumented() {}

unsafe fn private() {}

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
unsafe impl Present for S {
    unsafe fn method(&self) {}
}

unsafe extern "C" {
    unsafe fn foreign();
}

fn blocks(p: *const u8, bytes: &[u8]) -> u8 {
    unsafe { *p };

    // SAFETY: before the statement.
    let a = unsafe { *p };

    // SAFETY: above an attribute,
    // in two lines.
    #[allow(unused)]
    let b = unsafe { *p };

    #[allow(unused)]
    // SAFETY: below an attribute.
    let c = unsafe { *p };

    // SAFETY: before a statement of several lines.
    let d = bytes
        .iter()
        .map(|byte| byte + unsafe { *p })
        .max();

    let e =
        // SAFETY: right before the block.
        unsafe { *p };

    let f = unsafe {
        // SAFETY: inside the block.
        *p
    };

    let g = unsafe { *p }; // SAFETY: at the end of the line.
    let h = unsafe { *p };

    /* SAFETY: a block comment. */
    let i = unsafe { *p };

    // Safety: in lower case.
    let j = unsafe { *p };

    // The unsafety is obvious.
    let k = unsafe { *p };

    // SAFETY: in a condition.
    if unsafe { *p } == 0 {
        unsafe { *p };
    }

    match a {
        // SAFETY: before an arm.
        0 => unsafe { *p },
        1 => unsafe { *p },
        // SAFETY: inside an arm.
        _ => { unsafe { *p } }
    }
}

struct Table {
    f: fn() -> u8,
}

// SAFETY: before a constant.
const ZERO: u32 = unsafe { core::mem::transmute(0_i32) };

static TABLE: Table = Table {
    // SAFETY: before a field.
    f: unsafe { core::mem::transmute(0_usize) },
};

impl S {
    // SAFETY: before an associated constant.
    const ONE: u32 = unsafe { core::mem::transmute(1_i32) };
}
