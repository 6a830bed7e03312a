//! Unsafe code in a package whose policy forbids it.
//!
//! ## What it does
//!
//! Reports each unsafe construct (block, function, impl, trait, extern block, unsafe attribute, mutable static,
//! union, assembly, `unsafe` in a macro's tokens) of a package for which the policy says `unsafe = "forbid"`, be
//! it a member of the workspace or a dependency, its build script and, of members, tests included.
//!
//! ## Why it matters
//!
//! Somebody decided that the package does without, and reviewers count on it: what has no unsafe code cannot
//! corrupt memory. `#![forbid(unsafe_code)]` says less: the compiler does not apply it to dependencies, nor to
//! what it finds nothing unsafe about, such as the extern blocks and exported symbols of older editions.
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
//! Do without (`bytes[0]`), move the code to the package that is meant to hold it, or change the decision: `unsafe
//! = { max = 1 }` says how much there may be, an exception says where.
//!
//! ## Known limits
//!
//! What macros of other packages and build scripts write is not seen.
