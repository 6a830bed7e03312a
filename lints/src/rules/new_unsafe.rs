//! Unsafe code that is not in the baseline.
//!
//! ## What it does
//!
//! Reports unsafe constructs, foreign calls, and uses of macros that contain unsafe code, if they were not there
//! when the baseline was written, or in the commit that the code is compared with. Code that only moved is not new.
//! Code that now reaches further is: it was dormant and is compiled now, or was used by tests only.
//!
//! ## Why it matters
//!
//! A large amount of unsafe code cannot be reviewed in a day. What can be done on the first day is to stop more
//! from being added unnoticed: whoever adds unsafe code is asked why, while they still know the answer.
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
//! Avoid the unsafe code. If that is not possible, have it reviewed and add it to the baseline in the same commit
//! (`cargo isolate baseline --accept`), or add an exception with a reason.
//!
//! ## Known limits
//!
//! A construct that is edited within its function is taken for the old one: it stays covered by the baseline;
//! compared with a commit it is a warning, "changed", whatever the policy says. A construct that is edited and
//! moved at the same time is new.
//!
//! Which code is dormant depends on the selected platform and features, so this is compared only with a baseline
//! that was written for the same selection.
