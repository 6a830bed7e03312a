//! Foreign functions called or named outside of generated wrappers.
//!
//! ## What it does
//!
//! Reports calls of foreign functions, and mentions of foreign functions and statics by name, outside of
//! files that are what `cargo isolate wrap` writes. The callee is found through imports, renames and re-exports.
//!
//! ## Why it matters
//!
//! A foreign function can write anywhere. In a wrapper its pointers and lengths are checked, and it runs in a
//! domain where a wild write is an error and not the end. Each call that goes around the wrapper takes that
//! away for the whole program. A function's name without a call counts too: it is a pointer that somebody calls
//! later.
//!
//! ## Example
//!
//! ```rust
//! extern "C" {
//!     fn crc32(crc: u64, data: *const u8, len: u32) -> u64;
//! }
//!
//! fn checksum(data: &[u8]) -> u64 {
//!     // SAFETY: the slice is valid for its length.
//!     unsafe { crc32(0, data.as_ptr(), data.len() as u32) }
//! }
//! ```
//!
//! ## What to do instead
//!
//! Name the function under `[[isolate]]` in `policy.toml`, run `cargo isolate wrap --apply`, and call the
//! wrapper:
//!
//! ```rust
//! fn checksum(data: &[u8]) -> Result<u64, isolate_rt::Fault> {
//!     crate::isolated::zlib::crc32(0, data)
//! }
//! ```
//!
//! ## Known limits
//!
//! A local variable that a macro makes is taken for the foreign function of its name. Where a name may mean
//! several declarations, one is shown. Of a call whose path a macro
//! definition and its use write together (`libz_sys::$f` and `crc32`), every name among the arguments that makes a
//! foreign item counts; where none does, the use is reported by `unseen-expansion`. Other calls that procedural
//! macros write are not seen, and blocks under an attribute macro (`#[wasm_bindgen]`) are the macro's.

use super::{Report, Subject};
use crate::resolve::ForeignCall;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for call in direct(subject) {
        let item = call.item;
        let name = &item.name;
        let message = match (item.is_function(), call.mention) {
            (true, false) => format!("call of the foreign function `{name}`"),
            (true, true) => format!("foreign function `{name}` used as a value"),
            (false, _) => format!("use of the foreign static `{name}`"),
        };
        let mut notes = Vec::new();
        notes.extend(item.library.as_ref().map(|library| format!("`{name}` comes from the library `{library}`")));
        notes.extend(item.link_name.as_ref().map(|symbol| format!("`{name}` is the symbol `{symbol}`")));
        let settings = &subject.project.settings;
        if let Some(domain) = settings.contained.get(&call.callee.krate)
            && item.is_function()
            && settings.domain_of(item.symbol(), call.callee.krate).is_none()
        {
            notes.push(format!(
                "help: others of its library run in the domain `{domain}`; name `{name}` under `[[isolate]]`, too"
            ));
        }
        report.add(call.call.span, &call.call.scope, message, notes);
    }
}

/// Foreign calls, each once even if it may resolve to several declarations.
fn direct<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s ForeignCall<'s>> {
    each(subject).map(|calls| &calls[0])
}

/// Foreign calls, each with all declarations that it may resolve to.
pub(super) fn each<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s [ForeignCall<'s>]> {
    let calls = subject.calls.chunk_by(|one, next| std::ptr::eq(one.call, next.call));
    calls.filter(|calls| !calls[0].item.rewritten)
}
