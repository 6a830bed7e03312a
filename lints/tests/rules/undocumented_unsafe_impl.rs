struct S(*mut u8);
struct T(*mut u8);
struct U(*mut u8);

unsafe impl Send for S {}

// SAFETY: no thread is special.
unsafe impl Sync for S {}

// SAFETY:
unsafe impl Send for T {}

// SAFETY: above an attribute.
#[cfg(unix)]
unsafe impl Sync for T {}

#[cfg(unix)]
// SAFETY: below an attribute.
unsafe impl Send for U {}

/// # Safety
///
/// In the documentation.
unsafe impl Sync for U {}

impl Clone for S {
    fn clone(&self) -> S {
        S(self.0)
    }
}
