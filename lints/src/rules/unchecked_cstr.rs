//! `CStr::from_ptr` on unchecked pointers.
//!
//! ## What it does
//!
//! Reports `CStr::from_ptr` on a pointer that a foreign function returned or wrote, or that the caller of a safe
//! function passes, if the function does not compare the pointer with null first.
//!
//! ## Why it matters
//!
//! C uses NULL for "no string": `getenv`, `dlerror` and most getters do. `CStr::from_ptr` dereferences the pointer
//! immediately. The caller of a safe function can pass any address, which makes that function unsound.
//!
//! ## Example
//!
//! ```rust
//! extern "C" {
//!     fn last_error() -> *const c_char;
//! }
//!
//! fn message() -> String {
//!     // SAFETY: the string is static.
//!     unsafe { CStr::from_ptr(last_error()) }.to_string_lossy().into_owned()
//! }
//! ```
//!
//! ## What to do instead
//!
//! ```rust
//! extern "C" {
//!     fn last_error() -> *const c_char;
//! }
//!
//! fn message() -> Option<String> {
//!     // SAFETY: takes nothing.
//!     let message = unsafe { last_error() };
//!     if message.is_null() {
//!         return None;
//!     }
//!     // SAFETY: the string is static, and was checked not to be null.
//!     Some(unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned())
//! }
//! ```
//!
//! ## Known limits
//!
//! Functions of thousands of lines are not analysed. Any comparison before the call counts as a check, whichever
//! branch it is on. Functions that never return NULL are not known; add an exception. Pointers in fields are not
//! followed, nor are parameters of an `unsafe fn`, whose documentation has to cover them.

use super::{Report, Subject};
use crate::facts::{Origin, Trust, TrustKind};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for trust in subject.facts.trusts.iter().filter(|trust| trust.kind == TrustKind::String && !trust.checked) {
        let what = &trust.what;
        if let Some((callee, _)) = foreign_origin(subject, trust) {
            let message = format!("`{what}` comes from the foreign function `{callee}` and may be null");
            report.add(trust.span, &trust.scope, message, Vec::new());
        } else if trust.origins.contains(&Origin::Parameter) {
            let message = format!("`{what}` is whatever a caller of this safe function passes");
            report.add(trust.span, &trust.scope, message, Vec::new());
        }
    }
}

/// The foreign function that an argument comes from, and the line of the call.
pub(super) fn foreign_origin<'s>(subject: &'s Subject<'_>, trust: &Trust) -> Option<(&'s str, u32)> {
    trust.origins.iter().find_map(|origin| {
        let (Origin::Returned(start) | Origin::Written(start)) = origin else { return None };
        let call = subject.calls.iter().find(|call| call.call.span.start == *start && !call.mention)?;
        Some((call.item.name.as_str(), call.call.span.line))
    })
}
