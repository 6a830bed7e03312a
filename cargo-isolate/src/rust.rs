//! Rust that somebody else wrote, as syntax trees. All of it is parsed here: `syn` recurses, and a stack that overflows would
//! end the process.

use std::{process::ExitCode, thread};

/// Deepest nesting that is parsed.
const MOST: usize = 4_000;

/// Stack for one level, in bytes: what parses, walks, prints and drops a tree recurses as deep as it nests. Without
/// optimisation a level of parentheses takes about 30 KiB.
const LEVEL: usize = 64 << 10;

/// Runs the tool where trees of that depth have room. The stack is reserved, and costs only what is used.
pub(crate) fn with_room(run: fn() -> ExitCode) -> ExitCode {
    match thread::Builder::new().name("main".to_owned()).stack_size(MOST * LEVEL).spawn(run) {
        Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        // Under a limit of address space, it does with what it has.
        Err(_) => run(),
    }
}

/// A file, or why it is none.
pub(crate) fn file(text: &str) -> syn::Result<syn::File> {
    bounded(text).and_then(|()| syn::parse_file(text))
}

/// A type, or why it is none.
pub(crate) fn ty(text: &str) -> syn::Result<syn::Type> {
    bounded(text).and_then(|()| syn::parse_str(text))
}

fn bounded(text: &str) -> syn::Result<()> {
    match isolate_lints::nesting(text) {
        0..=MOST => Ok(()),
        _ => Err(syn::Error::new(proc_macro2::Span::call_site(), "it is nested too deeply to parse")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is parsed can be walked, printed and dropped in the room there is; what could not is refused.
    #[test]
    fn depth_is_bounded_and_has_room() {
        let run = || {
            let nested = |open: &str, depth: usize, close: &str| open.repeat(depth) + "u8" + &close.repeat(depth);
            for (open, close) in [("(", ")"), ("[", "; 1]"), ("*const ", ""), ("&", ""), ("fn(", ")")] {
                let deep = ty(&nested(open, MOST / 3, close)).expect("a type");
                assert!(quote::quote!(#deep).to_string().len() > MOST / 3);
                assert!(ty(&nested(open, 2 * MOST, close)).is_err(), "{open}");
            }
            let deep = file(&format!("const X: u8 = {};", nested("(", MOST - 10, ")"))).expect("a file");
            assert!(prettyplease::unparse(&deep).len() > MOST);
            ExitCode::SUCCESS
        };
        assert_eq!(with_room(run), ExitCode::SUCCESS);
    }
}
