//! Isolated functions called past their wrappers.
//!
//! ## What it does
//!
//! Reports calls and mentions of foreign functions that the policy isolates (`[[isolate]]`), anywhere but in the
//! generated wrappers. The callee is told by its symbol: a declaration of one's own, a rename or a re-export is
//! no way around. (A package that does not depend on the library means another function by the same name; should
//! the linker see it differently, `cargo isolate verify` says so.) Such a call is not reported as a `foreign-call`
//! too; it counts as the stricter of the two. In tests and benchmarks a direct call is something to compare with,
//! and a `foreign-call` at most.
//!
//! A file is a wrapper when it is, byte for byte, what `cargo isolate wrap` writes for this policy. One that begins
//! as a wrapper and is not, is reported as a whole: nobody knows what its calls run in.
//!
//! ## Why it matters
//!
//! Such a call runs outside the domain, with all of the program's memory in reach, while everybody believes that
//! the library is contained. It also works on another copy of the library's state than the calls in the domain.
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
//! Call the wrapper. `cargo isolate wrap --apply` rewrites those whose text says all there is to know.
//!
//! ```rust
//! fn finish(stream: &mut Handle<Stream>) -> Result<i32, isolate_rt::Fault> {
//!     crate::isolated::zlib::deflate(stream, 4)
//! }
//! ```
//!
//! ## Known limits
//!
//! What reaches the function by a pointer that C hands out, or by `dlsym`, is not seen; `cargo isolate verify`
//! looks at the linked program. A name passed to a macro by example that calls it is followed; where that does not
//! lead to a function, `unseen-expansion` reports the use.

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
