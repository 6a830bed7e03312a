//! Blocks that contain items, and local variables. The expected resolutions were verified with rustc.

use super::check_2021;

/// `ffi` declares `f`, and `wrapper` has a function of the same name: which one does each function call?
#[track_caller]
fn check(module: &str, functions: &[(&str, bool)]) {
    for (function, foreign) in functions {
        let text = format!(
            "//- app
{module}
{function}
mod ffi {{ extern \"C\" {{ pub fn f() -> i32; }} }}
mod wrapper {{ pub fn f() -> i32 {{ 2 }} pub mod sub {{ pub fn g() -> i32 {{ 3 }} }} }}
"
        );
        let calls = if *foreign { vec!["app/a f -> app f"] } else { vec![] };
        check_2021(&text, &calls);
    }
}

#[test]
fn what_a_block_imports_hides_what_is_outside() {
    check(
        "use wrapper::f;",
        &[
            ("fn a() { f(); }", false),
            ("fn a() { use ffi::*; f(); }", true),
            ("fn a() { use ffi::f; f(); }", true),
            ("fn a() { use ffi::*; use wrapper::f; f(); }", false),
            ("fn a() { use wrapper::f; { use ffi::*; f(); } }", true),
            ("fn a() { fn f() -> i32 { 3 } { use ffi::*; f(); } }", true),
            ("fn a() { use ffi as q; use q::f; f(); }", true),
            // Imports apply to the whole block regardless of order, but not to a sibling block.
            ("fn a() { f(); use ffi::f; }", true),
            ("fn a() { { use ffi::f; } f(); }", false),
            ("fn b() { use ffi::f; } fn a() { f(); }", false),
            ("mod m { pub fn b() { use super::ffi::f; } } fn a() { f(); }", false),
            ("fn a() { let g = || { use ffi::f; f() }; }", true),
            ("impl S { fn b() { use ffi::f; } } struct S; fn a() { f(); }", false),
        ],
    );
    check(
        "use ffi::f;",
        &[
            ("fn a() { f(); }", true),
            ("fn a() { use wrapper::*; f(); }", false),
            ("fn a() { use wrapper::f; f(); }", false),
            ("fn a() { use wrapper::f as g; f(); }", true),
            ("fn a() { use wrapper::f; fn b() { f(); } }", false),
            ("fn a() { use wrapper::f; const B: fn() = || { f(); }; }", false),
            ("fn a() { fn f() -> i32 { 4 } f(); }", false),
            ("fn a() { use self::f; f(); }", true),
            // A module is in another namespace than a called function.
            ("fn a() { use wrapper::sub as f; f(); f::g(); }", true),
            // The import exists in some builds only.
            ("fn a() { #[cfg(feature = \"x\")] use wrapper::f; f(); }", true),
            ("#[cfg(feature = \"x\")] fn a() { use wrapper::f; f(); }", false),
        ],
    );
}

#[test]
fn a_path_that_begins_with_self_passes_over_blocks() {
    check_2021(
        "//- app
use ffi::f;
fn a() { use wrapper::f; self::f(); f(); }
mod ffi { extern \"C\" { pub fn f() -> i32; } }
mod wrapper { pub fn f() -> i32 { 2 } }
",
        &["app/a self::f -> app f"],
    );
}

#[test]
fn local_variables_hide_functions() {
    check(
        "use ffi::f;",
        &[
            ("fn a() { let f = || 4; f(); }", false),
            ("fn a() { let f = || 4; { assert_eq!(f(), 4); } }", false),
            ("fn a() { let f = || 4; fn f() -> i32 { 3 } f(); }", false),
            ("fn a() { let (f, _) = (|| 4, 1); f(); }", false),
            ("fn a(f: fn()) { f(); }", false),
            ("fn a() { let c = |f: fn() -> i32| f(); }", false),
            ("fn a(o: Option<fn()>) { if let Some(f) = o { f(); } }", false),
            ("fn a(o: Option<fn()>) { if true && let Some(f) = o && f() == 1 { f(); } }", false),
            ("fn a(o: Option<fn()>) { while let Some(f) = o { f(); } }", false),
            ("fn a(o: Option<fn()>) { match o { Some(f) if f() > 0 => f(), _ => {} } }", false),
            ("fn a(o: Option<fn()>) { let Some(f) = o else { return }; f(); }", false),
            ("fn a(o: Vec<fn()>) { for f in o { f(); } }", false),
        ],
    );
}

#[test]
fn local_variables_hide_nothing_where_they_are_not_known() {
    check(
        "use ffi::f;",
        &[
            ("fn a() { let f = f(); }", true),
            ("fn a() { f(); let f = 1; }", true),
            ("fn a() { { let f = || 4; } f(); }", true),
            ("fn a() { let g = |f: u8| 1; f(); }", true),
            ("fn b(f: fn()) {} fn a() { f(); }", true),
            ("fn a(o: Option<fn()>) { if let Some(f) = o {} else { f(); } }", true),
            ("fn a(o: Option<fn()>) { match o { Some(f) => {}, _ => { f(); } } }", true),
            ("fn a(o: Option<fn()>) { let Some(f) = o else { f(); return }; }", true),
            ("fn a() { for f in [f(); 1] {} }", true),
            ("fn a() { let f = || 4; { use ffi::*; f(); } }", true),
            ("fn a() { let f = || 4; { use ffi::f; f(); } }", true),
        ],
    );
}
