//! Imports that are no longer needed.

use super::*;

/// Only imports that nothing but the call used are removed.
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
    imports("use z_sys::sum;\n", "mod t { use super::sum as all; fn g() { all } } Ok(())", "use z_sys::sum;\n");
    imports("use z_sys::sum;\n", "mod t { use super::t::sum as all; fn g() { all } } Ok(())", "");
    imports("use z_sys::{self, sum};\n", "let p = z_sys::pack; Ok(())", "use z_sys;\n");
    imports("use z_sys::{self as z, sum};\n", "let p = z::pack; Ok(())", "use z_sys::{self as z};\n");
    imports("pub use z_sys::sum;\n", "Ok(())", "pub use z_sys::sum;\n");
    imports("#[rustfmt::skip]\nuse z_sys::sum;\n", "Ok(())", "#[rustfmt::skip]\nuse z_sys::sum;\n");
    imports("use z_sys::sum; // fast\n", "Ok(())", "use z_sys::sum; // fast\n");
    imports("use z_sys::{sum /* fast */};\n", "Ok(())", "use z_sys::{sum /* fast */};\n");
}

/// Modules of pointer functions, too.
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
        ("use std::ptr;\nuse ptr::NonNull;\n", "use std::ptr;\nuse ptr::NonNull;\n"),
        ("use std::ptr;\nuse std::ptr::NonNull;\n", "use std::ptr::NonNull;\n"),
        ("use std::{fmt::Write, ptr};\n", "use std::{fmt::Write, ptr};\n"),
    ] {
        assert_eq!(rewritten(&around(before, call)).0, around(after, "isolated::z::maybe(None)?"));
    }
    let other = "fn g() -> *const u8 { ptr::null() }\n";
    let (text, _) = rewritten(&(around("use std::ptr;\n", call) + other));
    assert_eq!(text, around("use std::ptr;\n", "isolated::z::maybe(None)?") + other);
}

/// A child module may use its parent's imports, and a macro of any module may use what is in scope where it is called.
#[test]
fn imports_that_others_see_stay() {
    let text = "use z_sys::sum;\nfn f(data: &[u8]) -> Result<(), isolate_rt::Fault> {\n    unsafe { sum(1, data.as_ptr(), data.len()) };\n    Ok(())\n}\n";
    for (path, inside, stays) in [
        ("at/below", "use super::*;\nfn g() { let _ = sum; }", true),
        ("beside", "fn g() { let _ = sum; }", false),
        ("beside", "macro_rules! all { () => { sum } }", true),
        ("beside", "fn g() { macro_rules! all { () => { sum } } }", true),
        ("beside", "macro_rules! all { () => { pack } }\nfn g() { let _ = sum; }", false),
    ] {
        let graph = fixture::graph(&format!(
            "//- app/src/at.rs\n{text}//- app/src/main.rs\nmod at;\nmod beside;\n//- app/src/{path}.rs\n{inside}\n{LIBRARY}"
        ));
        let (after, _) = rewritten_in(&graph, text);
        assert!(after.contains("isolated::z::sum(1, data)?"), "{inside}: {after}");
        assert_eq!(after.contains("use z_sys::sum;"), stays, "{inside}: {after}");
    }
}
