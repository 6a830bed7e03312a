//! Unsafe code that the baseline does not know.
//!
//! ## What it does
//!
//! Reports unsafe constructs, foreign calls, and uses of macros that hold unsafe code, that were not there when the
//! baseline was taken, or in the commit that the code is compared with. What only moved is not new. What was there and
//! reached less far is: code that was dormant and is compiled now, code that only tests had.
//!
//! ## Why it matters
//!
//! A code base with much unsafe code is not reviewed in a day. What can be done on the first day is to let no
//! more come in unseen: whoever adds some is asked why, while they still know.
//!
//! ## Example
//!
//! ```rust,ignore
//! fn first(bytes: &[u8]) -> u8 {
//!     // SAFETY: there is one.
//!     unsafe { *bytes.get_unchecked(0) } // the last commit had `bytes[0]` here
//! }
//! ```
//!
//! ## What to do instead
//!
//! Do without. Where that does not work, have the code reviewed and take it into the baseline in the same commit
//! (`cargo isolate baseline --accept`), or except its place with a reason.
//!
//! ## Known limits
//!
//! A construct that is edited in its function is taken for the old one: a baseline lets it be, and compared with a
//! commit it is a warning, "changed", whatever the policy says. One that is edited and moved at once is new.
//!
//! What is dormant depends on the platform and the features that are chosen: it is compared with a baseline that was
//! written for the same ones only.
