//! Direct calls of isolated functions that bypass their wrappers.
//!
//! ## What it does
//!
//! Reports calls and mentions of foreign functions that the policy isolates (`[[isolate]]`), anywhere except in the
//! generated wrappers. The callee is identified by its symbol, so a separate declaration, a rename or a re-export
//! does not hide the call. (In a package that does not depend on the library, the same name is taken for another
//! function; if the linker resolves it to the isolated one, `cargo isolate verify` reports it.) Such a call is not
//! reported as a `foreign-call` as well; it gets the stricter severity of the two. Tests and benchmarks may call
//! directly, to compare results: there it is a `foreign-call` at most.
//!
//! A file counts as a wrapper if it is, byte for byte, what `cargo isolate wrap` writes for this policy. A file
//! that begins like a wrapper but differs is reported as a whole: nothing guarantees that its calls run inside a
//! domain.
//!
//! ## Why it matters
//!
//! Such a call runs outside the domain, with access to all of the program's memory, although the policy says that
//! the library is contained. It also uses another copy of the library's state than the calls inside the domain.
//!
//! ## Example
//!
//! ```rust
//! extern "C" {
//!     fn deflate(stream: *mut Stream, flush: i32) -> i32;
//! }
//!
//! fn finish(stream: &mut Stream) -> i32 {
//!     // SAFETY: the stream is initialised.
//!     unsafe { deflate(stream, 4) }
//! }
//! ```
//!
//! with `[[isolate]]` naming `deflate`.
//!
//! ## What to do instead
//!
//! Call the wrapper. `cargo isolate wrap --apply` rewrites every call whose text contains all the necessary
//! information.
//!
//! ```rust
//! fn finish(stream: &mut Handle<Stream>) -> Result<i32, isolate_rt::Fault> {
//!     crate::isolated::zlib::deflate(stream, 4)
//! }
//! ```
//!
//! ## Known limits
//!
//! Calls through a pointer that C hands out, or through `dlsym`, are not found here; `cargo isolate verify`
//! examines the linked program. Where a `macro_rules!` macro calls one of its arguments, that name is followed;
//! where that does not lead to a function, `unseen-expansion` reports the use.

use super::{Report, Subject, foreign_call};
use crate::resolve::ForeignCall;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let settings = &subject.project.settings;
    for calls in foreign_call::each(subject) {
        let domain = |call: &ForeignCall<'_>| settings.domain_of(call.item.symbol(), call.callee.krate);
        if let Some((call, domain)) = calls.iter().find_map(|call| Some((call, domain(call)?))) {
            let symbol = call.item.symbol();
            let how = if call.mention { "used as a value" } else { "called" };
            let message = format!("`{symbol}` runs in the domain `{domain}`, and is {how} outside of it");
            let elsewhere = settings.wrapped.get(domain).filter(|it| !it.crates.contains(&subject.place.krate));
            let help = match elsewhere {
                Some(it) => format!(
                    "help: the wrapper is in the module `isolated::{domain}` of another crate, in the package `{}`: call a public function there that calls it",
                    it.package
                ),
                None => format!(
                    "help: the wrapper is in the module `isolated::{domain}`; `cargo isolate wrap --apply` calls it or says how"
                ),
            };
            report.add(call.call.span, &call.call.scope, message, vec![help]);
        }
    }
}
