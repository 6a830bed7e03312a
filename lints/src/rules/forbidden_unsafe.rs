//! Unsafe code in a package whose policy forbids it.
//!
//! ## What it does
//!
//! Reports each unsafe construct (block, function, impl, trait, extern block, unsafe attribute, mutable static,
//! union, assembly, `unsafe` in a macro's tokens) of a package for which the policy says `unsafe = "forbid"`. The
//! package may be a member of the workspace or a dependency. Its build script is included and, for members, its
//! tests.
//!
//! ## Why it matters
//!
//! Someone decided that the package does not need unsafe code, and reviewers rely on that: code without `unsafe`
//! cannot corrupt memory. `#![forbid(unsafe_code)]` is weaker: the compiler does not apply it to dependencies, nor
//! to what it does not consider unsafe, such as extern blocks and exported symbols in older editions.
//!
//! ## Example
//!
//! ```toml
//! [crates.image-core]
//! unsafe = "forbid"
//! ```
//!
//! ```rust,ignore
//! // in image-core
//! pub fn first(bytes: &[u8]) -> u8 {
//!     // SAFETY: there is one.
//!     unsafe { *bytes.get_unchecked(0) }
//! }
//! ```
//!
//! ## What to do instead
//!
//! Use safe code (`bytes[0]`), move the code to the package that is meant to contain it, or change the decision:
//! `unsafe = { max = 1 }` limits how much there may be, and an exception says where.
//!
//! ## Known limits
//!
//! Code that macros of other packages or build scripts generate is not found.
