//! Imports that nobody needs any more.

use super::*;

/// Imports that only the call had a use for, and no others.
#[track_caller]
fn imports(before: &str, body: &str, after: &str) {
    let call = "sum(1, data.as_ptr(), data.len())";
    let around = |imports: &str, call: &str| {
        format!("{imports}fn f(data: &[u8]) -> Result<(), isolate_rt::Fault> {{\n    {call};\n    {body}\n}}\n")
    };
    let (text, _) = rewritten(&around(before, &format!("unsafe {{ {call} }}")));
    assert_eq!(text, around(after, "isolated::z::sum(1, data)?"));
}

#[test]
fn imports_go_with_the_last_that_named_them() {
    imports("use z_sys::sum;\n", "Ok(())", "");
    imports("use std::fmt;\nuse z_sys::{pack, sum};\n", "let p = pack; Ok(())", "use std::fmt;\nuse z_sys::pack;\n");
    imports("use z_sys::{Ctx, sum, Point};\n", "let p: (Point, *mut Ctx); Ok(())", "use z_sys::{Ctx, Point};\n");
    imports(
        "use z_sys::{\n    Ctx, Point,\n    sum,\n    pack,\n};\n",
        "let p: (Point, *mut Ctx) = pack; Ok(())",
        "use z_sys::{\n    Ctx, Point,\n    pack,\n};\n",
    );
    imports(
        "use z_sys::{\n    sum, Ctx,\n    Point, pack};\n",
        "let p: (Point, *mut Ctx) = pack; Ok(())",
        "use z_sys::{\n    Ctx,\n    Point, pack};\n",
    );
    imports("use z_sys::sum;\n", "let p = sum; Ok(())", "use z_sys::sum;\n");
    imports("use z_sys::sum;\n", "// as sum does\n    Ok(())", "use z_sys::sum;\n");
    imports("use z_sys::sum;\n", "let p = super::f::sum; Ok(())", "");
    imports("use z_sys::sum;\n", "let p = self::sum; Ok(())", "use z_sys::sum;\n");
    imports("use z_sys::sum;\n", "mod t { fn g() { super::sum } } Ok(())", "use z_sys::sum;\n");
    imports("pub use z_sys::sum;\n", "Ok(())", "pub use z_sys::sum;\n");
    imports("#[rustfmt::skip]\nuse z_sys::sum;\n", "Ok(())", "#[rustfmt::skip]\nuse z_sys::sum;\n");
    imports("use z_sys::sum; // fast\n", "Ok(())", "use z_sys::sum; // fast\n");
    imports("use z_sys::{sum /* fast */};\n", "Ok(())", "use z_sys::{sum /* fast */};\n");
}

/// Modules of pointers, too.
#[test]
fn imports_of_std() {
    let around = |imports: &str, call: &str| {
        format!("{imports}fn f() -> Result<i32, isolate_rt::Fault> {{\n    Ok({call})\n}}\n")
    };
    let call = "unsafe { z_sys::maybe(ptr::null(), 0) }";
    for (before, after) in [
        ("use std::ptr;\n", ""),
        ("use std::{io, ptr};\n", "use std::io;\n"),
        ("use core::ptr::{self, NonNull};\n", "use core::ptr::NonNull;\n"),
        ("use std::{fmt::Write, ptr};\n", "use std::{fmt::Write, ptr};\n"),
    ] {
        assert_eq!(rewritten(&around(before, call)).0, around(after, "isolated::z::maybe(None)?"));
    }
    let other = "fn g() -> *const u8 { ptr::null() }\n";
    let (text, _) = rewritten(&(around("use std::ptr;\n", call) + other));
    assert_eq!(text, around("use std::ptr;\n", "isolated::z::maybe(None)?") + other);
}

/// A module below may name what its parent imports.
#[test]
fn imports_that_others_see_stay() {
    let text = "mod below;\nuse z_sys::sum;\nfn f(data: &[u8]) -> Result<(), isolate_rt::Fault> {\n    unsafe { sum(1, data.as_ptr(), data.len()) };\n    Ok(())\n}\n";
    let graph = fixture::graph(&format!(
        "//- app/src/main.rs\n{text}//- app/src/below.rs\nuse super::*;\nfn g() {{ let _ = sum; }}\n{LIBRARY}"
    ));
    assert!(rewritten_in(&graph, text).0.contains("use z_sys::sum;"));
}
