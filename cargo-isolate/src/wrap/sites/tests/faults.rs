//! The handling of faults.

use super::*;

/// Functions in which a panic can abort the process.
#[test]
fn faults_where_no_panic_may_be() {
    let check = |text: &str, is_left: bool| {
        let (_, left) = rewritten(text);
        assert_eq!(left.iter().any(|left| left.contains("a fault would panic in")), is_left, "{left:?}");
    };
    check("extern \"C\" fn f() { unsafe { z_sys::plain(1, 2) }; }\n", true);
    check("struct S;\nimpl Drop for S { fn drop(&mut self) { unsafe { z_sys::plain(1, 2) }; } }\n", true);
    check("fn drop(of: u8) { unsafe { z_sys::plain(1, 2) }; }\n", false);
}

/// Error types of other crates and of a trait are not this package's types of the same name.
#[test]
fn errors_by_the_same_name() {
    let check = |output: &str, passes_on: bool| {
        let (text, _) = rewritten(&format!(
            "pub struct Error;\nimpl From<isolate_rt::Fault> for Error {{ fn from(_: isolate_rt::Fault) -> Error {{ Error }} }}\npub type Result<T> = std::result::Result<T, Error>;\nfn f() -> {output} {{\n    unsafe {{ z_sys::plain(1, 2) }};\n}}\n"
        ));
        assert_eq!(text.contains("z::plain(1, 2)?"), passes_on, "{text}");
    };
    check("Result<()>", true);
    check("crate::Result<()>", true);
    check("std::result::Result<(), crate::Error>", true);
    check("std::result::Result<(), Self::Error>", false);
    check("std::thread::Result<()>", false);
}

/// The suggestion compiles where the error type converts from a `Fault` only.
#[test]
fn codes_of_calls_that_stay() {
    let check = |output: &str, start: &str, end: &str| {
        let (_, left) = rewritten(&format!(
            "fn f() -> {output} {{\nunsafe {{ z_sys::check(1 /* of them */,) }};\nunsafe {{ z_sys::shrink(p, 3, 3) }};\n}}\n"
        ));
        let expected = format!(
            "3:10 `dest`: nothing says which slice `p` points into | {start}isolated::z::shrink(todo!(\"dest: &mut [u8]\"), 3){end}"
        );
        assert_eq!(left, [expected]);
    };
    let code = ".map(|count| count as _).or_else(|error| error.into_code())";
    check("i32", "", &format!("{code}.unwrap_or_else(|fault| panic!(\"{{}}\", fault))"));
    check("Result<(), Box<dyn std::error::Error>>", "let written = ", "?;");
    check("Result<(), isolate_rt::Fault>", "", &format!("{code}?"));
    // The result is not a number, and must not be ignored.
    let (_, left) = rewritten("fn f() -> Result<(), isolate_rt::Fault> {\nunsafe { z_sys::begin(flow, 2) };\n}\n");
    assert!(
        left[0].ends_with("| let flow = match isolated::z::begin(2) { Ok(flow) => flow, Err(isolate_rt::Error::Failed(failed)) => todo!(\"{}\", failed), Err(isolate_rt::Error::Fault(fault)) => return Err(fault.into()) };"),
        "{left:?}"
    );
}

/// Where no error type converts from a `Fault`, the code panics with its message.
#[test]
fn what_cannot_return_panics() {
    let check = |signature: &str, suffix: &str| {
        let around = |call: &str| format!("{signature} {{ {call} }}\n");
        let (text, left) = rewritten(&around("unsafe { z_sys::plain(1, 2) }"));
        assert_eq!((text, left), (around(&format!("isolated::z::plain(1, 2){suffix}")), vec![]), "{signature}");
    };
    let panics = ".unwrap_or_else(|fault| panic!(\"{}\", fault))";
    check("fn f() -> i32", panics);
    check("fn f() -> Result<i32, std::fmt::Error>", panics);
    check("fn f() -> Result<i32, std::io::Error>", "?");
    check("fn f() -> std::io::Result<i32>", "?");
    check("use std::io;\nfn f() -> io::Result<i32>", "?");
    check("use std::io::Result;\nfn f() -> Result<i32>", "?");
    check("use std::io::{Error, Result as R};\nfn f() -> R<i32>", "?");
    check("use std::io::Error;\nfn f() -> Result<i32, Error>", "?");
    check("use std::fmt::{Error, Result};\nfn f() -> Result", panics);
    check("use std::fmt::Error;\nfn f() -> Result<i32, Error>", panics);
    check("mod a { use std::io::Error; }\nmod b { use std::fmt::Error; }\nfn f() -> Result<i32, Error>", panics);
    check("enum E {}\nfn f() -> Result<i32, E>", panics);
    check("fn f() -> anyhow::Result<i32>", "?");
    check("use anyhow::Result;\nfn f() -> Result<i32>", "?");
    check("type R<T> = Result<T, Error>;\ntype Error = Box<dyn std::error::Error>;\nfn f() -> R<i32>", "?");
    check("struct E;\nimpl From<isolate_rt::Fault> for E { }\nfn f() -> Result<i32, E>", "?");
    check("fn f() -> Result<i32, isolate_rt::Fault>", "?");
}
