use super::*;
use crate::{fixture, plan::plan, wrap::targets};

const LIBRARY: &str = "\
//- z-sys/src/lib.rs
use std::ffi::{c_char, c_int, c_ulong, c_void};
#[repr(C)] #[derive(Clone, Copy)] pub struct Point { pub x: c_int, pub y: c_int }
pub enum Ctx {}
unsafe extern \"C\" {
    pub fn sum(seed: u32, data: *const u8, len: usize) -> u32;
    pub fn pack(dest: *mut u8, destLen: *mut c_ulong, source: *const u8, sourceLen: c_ulong) -> c_int;
    pub fn fill(dest: *mut c_char, cap: c_int, n: c_int) -> c_int;
    pub fn flip(data: *mut u8, data_len: usize);
    pub fn digest(data: *const c_void, len: usize, out: *mut u8);
    pub fn locate(data: *const u8, len: usize, found: *mut Point) -> c_int;
    pub fn shift(point: *mut Point, by: *const Point);
    pub fn name(text: *const c_char) -> c_int;
    pub fn maybe(data: *const u8, len: usize) -> c_int;
    pub fn paint(pixels: *mut u8, w: usize, h: usize);
    pub fn open() -> *mut Ctx;
    pub fn close(ctx: *mut Ctx);
    pub fn plain(a: c_int, b: c_int) -> c_int;
    pub fn begin(flow: *mut Flow, level: c_int) -> c_int;
    pub fn step(flow: *mut Flow, action: c_int) -> c_int;
    pub fn end(flow: *mut Flow) -> c_int;
    pub fn squeeze(dest: *mut u8, destLen: *mut c_ulong, source: *const u8, sourceLen: c_ulong) -> c_int;
    pub fn shrink(dest: *mut c_char, cap: c_int, n: c_int) -> c_int;
    pub fn check(n: c_int) -> c_int;
    pub fn tell(n: c_int) -> usize;
    pub fn ask(dest: *mut c_char, cap: c_int) -> c_int;
}
pub const FINE: c_int = 1;
#[repr(C)] #[derive(Clone, Copy)] pub struct Flow { pub next: *const u8, pub left: c_int, pub state: *mut c_void }
";

const POLICY: &str = r#"
version = 1
[domain.z]
library = "z-sys"
[[isolate]]
domain = "z"
extern = ["*"]
[fn.pack]
arg.dest = { kind = "buf", dir = "out", cap = "*destLen", written = "*destLen" }
[fn.fill]
arg.dest = { kind = "buf", dir = "out", cap = "cap", written = "ret" }
[fn.digest]
arg.out = { kind = "buf", dir = "out", cap = "4" }
[fn.locate]
arg.found = { kind = "obj", dir = "out" }
[fn.paint]
arg.pixels = { kind = "buf", dir = "out", cap = "w * h" }
[struct.Flow]
create = { "begin" = "end" }
private = ["state"]
field.next = { dir = "in", left = "left", fn = ["step"] }
[fn.squeeze]
arg.dest = { kind = "buf", dir = "out", cap = "*destLen", written = "*destLen" }
error = "ret != 1"
[fn.shrink]
arg.dest = { kind = "buf", dir = "out", cap = "cap", written = "ret" }
error = "ret <= 0"
[fn.begin]
error = "ret != 0"
[fn.check]
error = "ret < 0"
[fn.tell]
error = "ret == -1"
[fn.ask]
arg.dest = { kind = "buf", dir = "out", cap = "cap", written = "ret", null = "ok" }
error = "ret < 0"
[fn.maybe]
arg.data = { kind = "buf", len = "len", null = "ok" }
"#;

/// The member's one file after its calls were rewritten, and what is left to do.
fn rewritten(text: &str) -> (String, Vec<String>) {
    rewritten_in(&fixture::graph(&format!("//- app/src/main.rs\n{text}{LIBRARY}")), text)
}

fn rewritten_in(graph: &Graph, text: &str) -> (String, Vec<String>) {
    let policy = crate::policy::Loaded::of_workspace(POLICY);
    let plan = plan(graph, &policy.policy).expect("a plan");
    let targets = targets(graph, &plan, Some(0), policy.shown()).expect("a target");
    let mut sites = sites_in(graph, &plan, &targets, &|file| file.text().map(str::to_owned));
    let left = sites.left.iter().map(|left| {
        let try_it = left.suggestion.iter().map(|text| format!(" | {text}")).collect::<String>();
        format!("{}:{} {}{try_it}", left.site.line, left.site.column, left.why)
    });
    let left = left.collect();
    let mut rewritten = sites.files.remove(&0).unwrap_or_default();
    (rewritten.remove(&*graph.packages[0].files[0].path).unwrap_or_else(|| text.to_owned()), left)
}

/// Statements in a function that takes a slice and returns a `Result` that takes a `Fault`.
#[track_caller]
fn check(before: &str, after: &str) {
    check_among("", before, after);
}

/// The same in a file with other items.
#[track_caller]
fn check_among(items: &str, before: &str, after: &str) {
    let around = |body: &str| {
        format!("{items}fn f(data: &[u8], out: &mut [u8]) -> Result<(), Box<dyn std::error::Error>> {{\n{body}\n}}\n")
    };
    let (text, left) = rewritten(&around(before));
    assert_eq!((&*text, left), (&*around(after), Vec::<String>::new()));
    assert_eq!(rewritten(&text), (text, Vec::new()), "a second time changes nothing");
}

/// A call that stays, and what is said of it.
#[track_caller]
fn stays(call: &str, why: &str) {
    let text = format!("fn f(data: &[u8], out: &mut [u8], v: Vec<u32>) {{\n{call}\n}}\n");
    let (after, left) = rewritten(&text);
    assert_eq!((after, left), (text, vec![why.to_owned()]));
}

#[test]
fn slices_take_the_place_of_pointers() {
    check("    unsafe { z_sys::sum(1, data.as_ptr(), data.len()) };", "    crate::isolated::z::sum(1, data)?;");
    check(
        "    let owned = vec![0u8; 9];\n    let s = unsafe { z_sys::sum(1, owned.as_ptr(), owned.len()) };",
        "    let owned = vec![0u8; 9];\n    let s = crate::isolated::z::sum(1, &owned)?;",
    );
    check(
        "    let s = unsafe { z_sys::sum(1, data.as_ptr().add(2), data.len() - 2) };",
        "    let s = crate::isolated::z::sum(1, &data[2..])?;",
    );
    check(
        "    let n = 3u16;\n    let s = unsafe { z_sys::sum(1, data.as_ptr(), usize::from(n)) };",
        "    let n = 3u16;\n    let s = crate::isolated::z::sum(1, &data[..n as usize])?;",
    );
    check(
        "    let text = String::new();\n    unsafe { z_sys::sum(0, text.as_ptr(), text.len()) };",
        "    let text = String::new();\n    crate::isolated::z::sum(0, text.as_bytes())?;",
    );
    check(
        "    unsafe { z_sys::sum(0, &data[1] as *const u8, 1) };",
        "    crate::isolated::z::sum(0, &data[1..][..1])?;",
    );
}

/// Whose arguments are expressions, as those of std's macros are.
#[test]
fn calls_in_macros() {
    check("    assert_eq!(unsafe { z_sys::plain(1, 2) }, 3);", "    assert_eq!(crate::isolated::z::plain(1, 2)?, 3);");
    check(
        "    unsafe { println!(\"{} {}\", 1, z_sys::sum(1, data.as_ptr(), data.len())) };",
        "    println!(\"{} {}\", 1, crate::isolated::z::sum(1, data)?);",
    );
    check(
        "    let all = vec![\n        1, // one\n        unsafe { z_sys::plain(1, 2) },\n        std::cmp::max(4, unsafe { z_sys::plain(3, 4) }),\n    ];",
        "    let all = vec![\n        1, // one\n        crate::isolated::z::plain(1, 2)?,\n        std::cmp::max(4, crate::isolated::z::plain(3, 4)?),\n    ];",
    );
    check(
        "    println!(\"{}\", format!(\"{}\", unsafe { z_sys::plain(1, 2) }));",
        "    println!(\"{}\", format!(\"{}\", crate::isolated::z::plain(1, 2)?));",
    );
}

#[test]
fn comments_and_layout_stay() {
    check(
        "    // SAFETY: as long as it says.\n    let s = unsafe {\n        // Seeded.\n        z_sys::sum(\n            1, // the seed\n            data.as_ptr(),\n            data.len(),\n        )\n    };",
        "    let s = {\n        // Seeded.\n        crate::isolated::z::sum(\n            1, // the seed\n            data,\n        )?\n    };",
    );
    check(
        "    let s = unsafe {\n        z_sys::sum(\n            1,\n            data.as_ptr(),\n            data.len(),\n        )\n    };",
        "    let s = crate::isolated::z::sum(\n        1,\n        data,\n    )?;",
    );
}

/// What argued for `unsafe` alone goes with it.
#[test]
fn arguments_go_with_what_they_were_for() {
    check(
        "    // Sum first.\n    // SAFETY: as long as it says,\n    // and no longer.\n    let s = unsafe { z_sys::sum(1, data.as_ptr(), data.len()) };",
        "    // Sum first.\n    let s = crate::isolated::z::sum(1, data)?;",
    );
    check(
        "    let s = unsafe {\n        z_sys::sum(1,\n                   data.as_ptr(),\n                   data.len())\n    };",
        "    let s = crate::isolated::z::sum(1,\n               data)?;",
    );
    // Nothing stands around it that would take a part of it, comments or not.
    check(
        "    // Safety: no conditions.\n    let s = { unsafe { z_sys::plain(1, 2) != 0 } /* or not */ };",
        "    let s = { crate::isolated::z::plain(1, 2)? != 0 /* or not */ };",
    );
    check(
        "    let s = !{\n        // Two.\n        unsafe { z_sys::plain(1, 2) as u32 }\n    };",
        "    let s = !{\n        // Two.\n        crate::isolated::z::plain(1, 2)? as u32\n    };",
    );
    let two = "    // SAFETY: both.\n    let s = [unsafe { z_sys::sum(1, data.as_ptr(), data.len()) }, unsafe { *data.as_ptr() }];";
    check(
        two,
        &two.replace("unsafe { z_sys::sum(1, data.as_ptr(), data.len()) }", "crate::isolated::z::sum(1, data)?"),
    );
    check(
        "    // Not a reason.\n    let s = unsafe { z_sys::sum(1, data.as_ptr(), data.len()) };",
        "    // Not a reason.\n    let s = crate::isolated::z::sum(1, data)?;",
    );
    check(
        "    // SAFETY: far away.\n    let s = data.len() +\n        unsafe { z_sys::sum(1, data.as_ptr(), data.len()) } as usize;",
        "    // SAFETY: far away.\n    let s = data.len() +\n        crate::isolated::z::sum(1, data)? as usize;",
    );
}

/// Imports that only the call had a use for, and no others.
#[track_caller]
fn imports(before: &str, body: &str, after: &str) {
    let call = "sum(1, data.as_ptr(), data.len())";
    let around = |imports: &str, call: &str| {
        format!("{imports}fn f(data: &[u8]) -> Result<(), isolate_rt::Fault> {{\n    {call};\n    {body}\n}}\n")
    };
    let (text, _) = rewritten(&around(before, &format!("unsafe {{ {call} }}")));
    assert_eq!(text, around(after, "crate::isolated::z::sum(1, data)?"));
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

/// A module below may name what its parent imports.
#[test]
fn imports_that_others_see_stay() {
    let text = "mod below;\nuse z_sys::sum;\nfn f(data: &[u8]) -> Result<(), isolate_rt::Fault> {\n    unsafe { sum(1, data.as_ptr(), data.len()) };\n    Ok(())\n}\n";
    let graph = fixture::graph(&format!(
        "//- app/src/main.rs\n{text}//- app/src/below.rs\nuse super::*;\nfn g() {{ let _ = sum; }}\n{LIBRARY}"
    ));
    assert!(rewritten_in(&graph, text).0.contains("use z_sys::sum;"));
}

#[test]
fn results_go_where_they_went() {
    check(
        "    let mut n = out.len() as u64;\n    let s = unsafe { z_sys::pack(out.as_mut_ptr(), &mut n, data.as_ptr(), data.len() as _) };",
        "    let mut n = out.len() as u64;\n    let s = {\n        let (ret, written) = crate::isolated::z::pack(&mut out[..n as usize], data)?;\n        n = written as _;\n        ret\n    };",
    );
    check(
        "    let mut p = z_sys::Point { x: 0, y: 0 };\n    let s = unsafe { z_sys::locate(data.as_ptr(), data.len(), &mut p) };",
        "    let mut p = z_sys::Point { x: 0, y: 0 };\n    let s = {\n        let (ret, value) = crate::isolated::z::locate(data)?;\n        p = value;\n        ret\n    };",
    );
    check(
        "    let mut p = std::mem::MaybeUninit::uninit();\n    unsafe {\n        z_sys::locate(data.as_ptr(), data.len(), p.as_mut_ptr())\n    };",
        "    let mut p = std::mem::MaybeUninit::uninit();\n    {\n        let (ret, value) = crate::isolated::z::locate(data)?;\n        p.write(value);\n        ret\n    };",
    );
    // Only the count is new.
    check(
        "    let s = unsafe { z_sys::fill(out.as_mut_ptr().cast(), out.len() as i32, 3) };",
        "    let s = crate::isolated::z::fill(out, 3)?.0;",
    );
}

/// Code behind the call looks at the number, so that is what it gets, whatever the wrapper makes an `Err` of.
#[test]
fn codes_stay_codes() {
    let code = ".or_else(|error| error.into_code())?";
    check(
        "    if unsafe { z_sys::check(1) } != 0 { return Err(\"no\".into()); }",
        &format!("    if crate::isolated::z::check(1){code} != 0 {{ return Err(\"no\".into()); }}"),
    );
    check(
        "    let mut room = [0u8; 9];\n    let len: i32 = unsafe { z_sys::shrink(room.as_mut_ptr().cast(), room.len() as i32, 3) };",
        &format!(
            "    let mut room = [0u8; 9];\n    let len: i32 = crate::isolated::z::shrink(&mut room, 3).map(|count| count as _){code};"
        ),
    );
    check(
        "    let mut n = out.len() as u64;\n    let code = unsafe { z_sys::squeeze(out.as_mut_ptr(), &mut n, data.as_ptr(), data.len() as _) };\n    assert_eq!(code, 1);",
        &format!(
            "    let mut n = out.len() as u64;\n    let code = crate::isolated::z::squeeze(&mut out[..n as usize], data).map(|written| {{ n = written as _; 1 }}){code};\n    assert_eq!(code, 1);"
        ),
    );
}

/// The wrapper stores nothing where the function failed. Is that where the code looks?
#[test]
fn nothing_is_stored_by_what_failed() {
    let call = "unsafe { z_sys::squeeze(room.as_mut_ptr(), &mut n, data.as_ptr(), data.len() as _) }";
    let cases = [
        ("let r = CALL; if r != 1 { return Err(1) } Ok(n)", ""),
        ("let r = CALL; if r != z_sys::FINE { return Err(1) } Ok(n)", ""),
        ("let r: i32 = CALL; if !(r == 1) { panic!() } Ok(n)", ""),
        ("let r = CALL; if r == 1 { Ok(n) } else { Err(1) }", ""),
        ("if CALL != 1 { return Err(1); } room.truncate(n as usize); Ok(n)", ""),
        ("let r = CALL; assert_eq!(1, r, \"no\"); Ok(n)", ""),
        ("let r = CALL; assert!(r > 0 && r < 2); Ok(n)", ""),
        ("match CALL { 1 => Ok(n), -5 => Err(2), _ => Err(1) }", ""),
        ("let len = match CALL { z_sys::FINE => n, _ => return Err(1) }; room.truncate(len as usize); Ok(n)", ""),
        ("loop { let r = CALL; if r != 1 { return Err(1) } n += 1; }", ""),
        ("let r; r = CALL; if r != 1 { return Err(1) } Ok(n)", ""),
        ("let r; { r = CALL; } if r != 1 { return Err(1) } Ok(n)", ""),
        ("let r = match data.len() { 0 => CALL, _ => n as i32 }; if r != 1 { return Err(1) } Ok(n)", ""),
        ("let r; { r = if data.is_empty() { CALL } else { n as i32 }; } if r != 1 { return Err(1) } Ok(n)", ""),
        ("let r = match data.len() { 0 => CALL, _ => 1 }; if r != 1 { print(r) } Ok(n)", "n"),
        ("let r = match data.len() { 0 => CALL, _ => 1 }; print(n); if r != 1 { return Err(1) } Ok(n)", "n"),
        ("let r = match data.len() { 0 => -(CALL), _ => 1 }; if r != 1 { return Err(1) } Ok(n)", "n"),
        ("let mut r = 0; loop { r = CALL; } if r != 1 { return Err(1) } Ok(n)", "n"),
        // Of what nobody asks again it does not matter.
        ("drop(data); Ok(CALL as u64)", ""),
        ("let r = CALL; if r == -2 { return Err(1) } Ok(n)", "n"),
        ("let r = CALL; if r < 0 { return Err(1) } Ok(n)", "n"),
        ("let r = CALL; if r != 2 { return Err(1) } Ok(n)", "n"),
        ("let r = CALL; if r != unknown::OTHER { return Err(1) } Ok(n)", "n"),
        ("let r = CALL; if r != 1 { return Err(n as i32) } Ok(n)", "n"),
        ("let r = CALL; if r != 1 { print(r) } Ok(n)", "n"),
        ("let r = CALL; if r as u8 != 1 { return Err(1) } Ok(n)", "n"),
        ("CALL; Ok(room[0].into())", "room"),
        ("match CALL { 1 => Ok(n), -5 => Ok(n), _ => Err(1) }", "n"),
        ("match CALL { other => Ok(n + other as u64) }", "n"),
        ("loop { let r = CALL; if r != 1 { break } n += 1; } Err(1)", "n"),
        ("loop { print(n); let r = CALL; if r == 0 { continue } }", "n"),
    ];
    for (behind, expected) in cases {
        let body = behind.replace("CALL", call);
        let text = format!(
            "fn f(data: &[u8]) -> Result<u64, i32> {{\n    let mut room = vec![0u8; 9];\n    let mut n = 9;\n    {body}\n}}\n"
        );
        let (after, left) = rewritten(&text);
        let told: Vec<_> = left.iter().map(|left| left.split(" | ").next().unwrap_or_default()).collect();
        match expected {
            "" => assert!(told.is_empty() && after != text, "{behind}: {told:?}"),
            name => {
                let wanted = format!(
                    " where `ret != 1`, the wrapper stores nothing in `{name}`, which may be looked at all the same"
                );
                assert!(told.len() == 1 && told[0].ends_with(&wanted), "{behind}: {told:?}");
            }
        }
    }
}

/// What others own is looked at by them, unless the function tells them that it failed.
#[test]
fn what_outlives_the_function() {
    let check = |parameter: &str, behind: &str, is_left: bool| {
        let call = "unsafe { z_sys::shrink(out.as_mut_ptr().cast(), out.len() as i32, 3) }";
        let text = format!("fn f(out: {parameter}) -> i32 {{\n    {}\n}}\n", behind.replace("CALL", call));
        let (_, left) = rewritten(&text);
        assert_eq!(left.len(), usize::from(is_left), "{behind}: {left:?}");
    };
    check("&mut [u8]", "CALL", true);
    check("&mut [u8]", "let n = CALL; if n <= 0 { return -1 } n", false);
    check("&mut Box<[u8]>", "let n = CALL; if n <= 0 { return -1 } n", false);
}

/// `ret == -1` of a `usize` is its largest value, as in C.
#[test]
fn negative_numbers_of_unsigned_types() {
    let (_, left) = rewritten("fn f() -> usize {\n    unsafe { z_sys::tell(1) }\n}\n");
    let told = "2:14 `ret == -1` has a negative number where the function returns none";
    assert!(left.len() == 1 && left[0].starts_with(told), "{left:?}");
}

#[test]
fn counts_of_no_buffer() {
    let (_, left) = rewritten("fn f() -> i32 {\n    unsafe { z_sys::ask(std::ptr::null_mut(), 0) }\n}\n");
    let told = "2:14 `dest` is NULL: what comes back then is no count of its elements";
    assert!(left.len() == 1 && left[0].starts_with(told), "{left:?}");
}

/// A panic there is the end of the process, or may be.
#[test]
fn faults_where_no_panic_may_be() {
    let check = |text: &str, is_left: bool| {
        let (_, left) = rewritten(text);
        assert_eq!(left.iter().any(|left| left.contains("a fault would be a panic in")), is_left, "{left:?}");
    };
    check("extern \"C\" fn f() { unsafe { z_sys::plain(1, 2) }; }\n", true);
    check("struct S;\nimpl Drop for S { fn drop(&mut self) { unsafe { z_sys::plain(1, 2) }; } }\n", true);
    check("fn drop(of: u8) { unsafe { z_sys::plain(1, 2) }; }\n", false);
}

/// Errors of other crates, and of a trait, are not this package's of the same name.
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

/// What is said to write compiles where the error takes a `Fault` alone.
#[test]
fn codes_of_calls_that_stay() {
    let check = |output: &str, end: &str| {
        let (_, left) = rewritten(&format!(
            "fn f() -> {output} {{\nunsafe {{ z_sys::check(1 /* of them */,) }};\nunsafe {{ z_sys::shrink(p, 3, 3) }};\n}}\n"
        ));
        let expected = format!(
            "3:10 `dest`: nothing says which slice `p` points into | crate::isolated::z::shrink(/* dest: &mut [u8] */, 3){end}"
        );
        assert_eq!(left, [expected]);
    };
    check("i32", "");
    check("Result<(), Box<dyn std::error::Error>>", "?");
    check("Result<(), isolate_rt::Fault>", ".map(|count| count as _).or_else(|error| error.into_code())?");
    // What comes back is no number, and not to be dropped.
    let (_, left) = rewritten("fn f() -> Result<(), isolate_rt::Fault> {\nunsafe { z_sys::begin(flow, 2) };\n}\n");
    assert!(left[0].ends_with("begin(2).map_err(/* `isolate_rt::Error`: a fault or a code */)?"), "{left:?}");
}

/// Which slice a pointer comes from may be chosen before the call.
#[test]
fn slices_that_are_chosen() {
    let chosen = "    let part = if odd { &mut out[1..] } else { out };\n    let room = part.len() as i32;\n";
    check(
        &format!("{chosen}    unsafe {{ z_sys::fill(part.as_mut_ptr() as *mut std::ffi::c_char, room, 3) }};"),
        &format!("{chosen}    crate::isolated::z::fill(&mut part[..room as usize], 3)?.0;"),
    );
    let chosen = "    let part = if odd { vec![0u8; 3] } else { Vec::with_capacity(3) };\n";
    let (_, left) = rewritten(&format!(
        "fn f(odd: bool) {{\n{chosen}    unsafe {{ z_sys::fill(part.as_mut_ptr().cast(), 3, 3) }};\n}}\n"
    ));
    assert!(left[0].contains("nothing here says what its elements are"), "{left:?}");
}

/// However often a name is bound anew, and chosen each time, nobody waits for the answer.
#[test]
fn names_that_are_bound_again_and_again() {
    let again = "    let part = if odd { part } else { part };\n".repeat(100);
    let body = format!(
        "    let part = out;\n{again}    unsafe {{ z_sys::fill(part.as_mut_ptr() as *mut std::ffi::c_char, 3, 3) }};\n"
    );
    let (_, left) = rewritten(&format!("fn f(odd: bool, out: &mut [u8]) {{\n{body}}}\n"));
    assert_eq!(left.len(), 1, "{left:?}");
}

/// A block that begins a statement would end it.
#[test]
fn a_block_that_is_an_operand_has_parentheses() {
    let block = |inner: &str| {
        format!(
            "({{\n        let (ret, written) = crate::isolated::z::pack(&mut out[..n as usize], data)?;\n        n = written as _;\n        ret\n    }}){inner}"
        )
    };
    let call = "z_sys::pack(out.as_mut_ptr(), &mut n, data.as_ptr(), data.len() as _)";
    let n = "    let mut n = out.len() as u64;\n    ";
    check(&format!("{n}unsafe {{ {call} == 0 }}"), &format!("{n}{}", block(" == 0")));
    check(&format!("{n}unsafe {{ {call} == 0 }};"), &format!("{n}{};", block(" == 0")));
    check(&format!("{n}let ok = unsafe {{ {call} }} == 0;"), &format!("{n}let ok = {};", block(" == 0")));
    check(&format!("{n}unsafe {{ {call}.abs() }};"), &format!("{n}{};", block(".abs()")));
}

/// What is bound to parts of the result hides no part of the places that they go to.
#[test]
fn places_mean_what_they_meant() {
    check(
        "    unsafe { z_sys::pack(out.as_mut_ptr(), &mut t[written].n, data.as_ptr(), data.len() as _) };",
        "    {\n        let (ret, written_) = crate::isolated::z::pack(&mut out[..t[written].n as usize], data)?;\n        t[written].n = written_ as _;\n        ret\n    };",
    );
}

/// A path from the root of a crate is there in that crate only.
#[test]
fn files_of_other_crates_stay() {
    let check = |library: &str, shared: bool, why: &[&str]| {
        let shared_file = "//- app/src/util.rs\npub fn f() -> i32 { unsafe { z_sys::plain(1, 2) } }\n";
        let roots = format!("//- app/src/lib.rs\n{library}//- app/src/main.rs\nmod util;\nfn main() {{}}\n");
        let mut graph = fixture::graph(&format!("{roots}{shared_file}{LIBRARY}"));
        let file = graph.packages[0].files.iter_mut().find(|file| file.path.ends_with("util.rs")).expect("the file");
        if shared {
            let (role, krate, configs) = (file.role, file.krate.clone(), file.configs.clone());
            file.also.push(crate::graph::Reach { role, krate, module: Vec::new(), cfgs: Vec::new(), configs });
        }
        assert_eq!(rewritten_in(&graph, "").1, why);
    };
    check("mod util;\n", false, &[]);
    check(
        "mod util;\n",
        true,
        &["1:30 its file is a module in several places, and `crate::isolated` may be in one of them only"],
    );
    check("", false, &["1:30 it is in another crate than the wrappers: make a public function of theirs"]);
}

#[test]
fn other_arguments() {
    check(
        "    let mut p = z_sys::Point { x: 0, y: 0 };\n    unsafe { z_sys::shift(&mut p, &raw const by) };",
        "    let mut p = z_sys::Point { x: 0, y: 0 };\n    crate::isolated::z::shift(&mut p, &by)?;",
    );
    check("    unsafe { z_sys::name(c\"x\".as_ptr()) };", "    crate::isolated::z::name(c\"x\")?;");
    check("    unsafe { z_sys::name(b\"x y\\0\".as_ptr().cast()) };", "    crate::isolated::z::name(c\"x y\")?;");
    check(
        "    let text = std::ffi::CString::new(data)?;\n    unsafe { z_sys::name(text.as_ptr()) };",
        "    let text = std::ffi::CString::new(data)?;\n    crate::isolated::z::name(&text)?;",
    );
    check("    unsafe { z_sys::maybe(std::ptr::null(), 0) };", "    crate::isolated::z::maybe(None)?;");
    check("    unsafe { z_sys::maybe(data.as_ptr(), data.len()) };", "    crate::isolated::z::maybe(Some(data))?;");
    check(
        "    let mut out = [0; 4];\n    unsafe { z_sys::digest(data.as_ptr().cast(), data.len(), out.as_mut_ptr()) };",
        "    let mut out = [0; 4];\n    crate::isolated::z::digest(data, &mut out)?;",
    );
}

#[test]
fn unsafe_stays_where_it_is_needed() {
    check(
        "    let s = unsafe { *p + z_sys::sum(1, data.as_ptr(), data.len()) };",
        "    let s = unsafe { *p + crate::isolated::z::sum(1, data)? };",
    );
    check(
        "    let s = unsafe { z_sys::plain(1, 2) as u8 } + 1;",
        "    let s = (crate::isolated::z::plain(1, 2)? as u8) + 1;",
    );
    check(
        "    unsafe {\n        z_sys::plain(1, 2);\n        z_sys::plain(3, 4);\n    }",
        "    {\n        crate::isolated::z::plain(1, 2)?;\n        crate::isolated::z::plain(3, 4)?;\n    }",
    );
    check(
        "    match 1 {\n        1 => unsafe { z_sys::plain(1, 2) }\n        _ => 0,\n    };",
        "    match 1 {\n        1 => { crate::isolated::z::plain(1, 2)? }\n        _ => 0,\n    };",
    );
    check(
        "    let s = unsafe { z_sys::sum(z_sys::sum(0, data.as_ptr(), data.len()), out.as_ptr(), out.len()) };",
        "    let s = crate::isolated::z::sum(crate::isolated::z::sum(0, data)?, out)?;",
    );
}

/// What is called may be unsafe, and a macro may hold anything.
#[test]
fn unsafe_stays_around_what_may_need_it() {
    for rest in [
        "danger()",
        "Q::danger()",
        "std::mem::zeroed::<u8>()",
        "data.get_unchecked(0)",
        "x.bits",
        "own!(x)",
        "println!(\"{}\", danger())",
        "println!(\"{}\", z_sys::other(1))",
    ] {
        check_among(
            "unsafe fn danger() -> u8 { 1 }\nunion Either { bits: u32, number: f32 }\n",
            &format!("    unsafe {{\n        z_sys::plain(1, 2);\n        {rest};\n    }}"),
            &format!("    unsafe {{\n        crate::isolated::z::plain(1, 2)?;\n        {rest};\n    }}"),
        );
    }
    for rest in
        ["data.len()", "safe(data.as_ptr())", "Vec::<u8>::with_capacity(3).is_empty()", "println!(\"{}\", safe(x))"]
    {
        check_among(
            "fn safe<T>(_: T) -> u8 { 1 }\n",
            &format!("    unsafe {{\n        z_sys::plain(1, 2);\n        {rest};\n    }}"),
            &format!("    {{\n        crate::isolated::z::plain(1, 2)?;\n        {rest};\n    }}"),
        );
    }
}

/// A value that is called may be a pointer to an unsafe function.
#[test]
fn unsafe_stays_around_calls_of_values() {
    for call in ["(ops.close)(x)", "close(x)", "Self::CLOSE(x)", "table[0](x)"] {
        check(
            &format!("    unsafe {{\n        z_sys::plain(1, 2);\n        {call};\n    }}"),
            &format!("    unsafe {{\n        crate::isolated::z::plain(1, 2)?;\n        {call};\n    }}"),
        );
    }
    check(
        "    unsafe {\n        z_sys::plain(1, 2);\n        Some(i32::from(x));\n    }",
        "    {\n        crate::isolated::z::plain(1, 2)?;\n        Some(i32::from(x));\n    }",
    );
}

/// The wrapper gives zero where the function wrote nothing: a place that had something else would lose it.
#[test]
fn what_a_place_had_before_stays() {
    let why = "`found`: where the function writes nothing, `p` keeps what it had, and the wrapper gives zero | crate::isolated::z::locate(data)";
    let call = "unsafe { z_sys::locate(data.as_ptr(), data.len(), &mut p) };";
    stays(&format!("let mut p = DEFAULT;\n{call}"), &format!("3:10 {why}"));
    stays(&format!("let mut p = z_sys::Point {{ x: 0, y: 7 }};\n{call}"), &format!("3:10 {why}"));
    stays(&format!("let mut p = z_sys::Point {{ x: 0, y: 0 }};\np.x = 4;\n{call}"), &format!("4:10 {why}"));
    stays(&format!("let mut p = z_sys::Point {{ x: 0, y: 0 }};\nloop {{\n{call}\n}}"), &format!("4:10 {why}"));
}

/// A comment that speaks of a variable does not use it.
#[test]
fn comments_are_not_code() {
    let start = "    let mut p = z_sys::Point { x: 0, y: 0 };\n    // As large as `p` is.\n    let s = /* p */";
    check(
        &format!("{start} unsafe {{ z_sys::locate(data.as_ptr(), data.len(), &mut p) }};"),
        &format!(
            "{start} {{\n        let (ret, value) = crate::isolated::z::locate(data)?;\n        p = value;\n        ret\n    }};"
        ),
    );
}

/// Where nothing takes a `Fault`, it panics with its message.
#[test]
fn what_cannot_return_panics() {
    let check = |signature: &str, suffix: &str| {
        let around = |call: &str| format!("{signature} {{ {call} }}\n");
        let (text, left) = rewritten(&around("unsafe { z_sys::plain(1, 2) }"));
        assert_eq!((text, left), (around(&format!("crate::isolated::z::plain(1, 2){suffix}")), vec![]), "{signature}");
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

#[test]
fn the_rest_is_said_with_what_to_write() {
    stays(
        "unsafe { z_sys::sum(1, p, n) };",
        "2:10 `data`: nothing says which slice `p` points into | crate::isolated::z::sum(1, /* data: &[u8] */)",
    );
    stays(
        "unsafe { z_sys::sum(1, v.as_ptr(), v.len()) };",
        "2:10 `data` takes a slice of `u8`, and `v` has `u32` | crate::isolated::z::sum(1, /* data: &[u8] */)",
    );
    stays(
        "unsafe { z_sys::close(ctx) };",
        "2:10 `ctx` is what the wrapper of `open` returned, to keep where the pointer was | crate::isolated::z::close(/* ctx: &Handle<ffi::Ctx> */)",
    );
    stays(
        "unsafe { z_sys::step(flow, 2) };",
        "2:10 `flow` is what the wrapper of `begin` returned, an `Object` to keep where the struct was; `next` is a slice, and the result says how much of it is done | crate::isolated::z::step(/* flow: &mut Object<ffi::Flow> */, /* next: &[u8] */, 2)",
    );
    stays(
        "unsafe { z_sys::begin(flow, 2) };",
        "2:10 `flow`: the wrapper makes it and returns it, an `Object` to keep where the struct was; dropping it calls `end` | crate::isolated::z::begin(2)",
    );
    stays(
        "unsafe { z_sys::end(flow) };",
        "2:10 `flow` is what the wrapper of `begin` returned, an `Object` that ends when it is dropped: leave this call out, or pass it here | crate::isolated::z::end(/* flow: Object<ffi::Flow> */)",
    );
    stays("let f = z_sys::plain;", "2:9 its address is taken: nobody can say who calls it, and with what");
    stays("mine!(unsafe { z_sys::plain(1, 2) }, 3);", "2:16 it stands in a macro, where there are only tokens");
    stays(
        "let mut v = Vec::with_capacity(9);\nlet mut n = 9;\nunsafe { z_sys::pack(v.as_mut_ptr(), &mut n, data.as_ptr(), 3) };",
        "4:10 nothing here says that all of the room behind `v` is within its length, as in a `vec![0; …]` | crate::isolated::z::pack(/* dest: &mut [u8] */, &data[..3])",
    );
    stays(
        "let mut v = Vec::with_capacity(w * h);\nunsafe { z_sys::paint(v.as_mut_ptr(), w, h) };",
        "3:10 nothing here says that all of the room behind `v` is within its length, as in a `vec![0; …]` | crate::isolated::z::paint(/* pixels: &mut [u8] */, w, h)",
    );
    stays(
        "unsafe { z_sys::maybe(std::ptr::null(), next()) };",
        "2:10 `next()` is a length that cannot be evaluated elsewhere | crate::isolated::z::maybe(None)",
    );
    stays(
        "unsafe { z_sys::pack(out.as_mut_ptr(), &mut n, out.as_ptr(), 3) };",
        "2:10 `out` is written to through `dest` and used in `out.as_ptr()` as well | crate::isolated::z::pack(&mut out[..n as usize], &out[..3])",
    );
    stays(
        "unsafe { z_sys::sum(1, data.as_ptr() /* all of it */, data.len() /* bytes */) };",
        "2:10 a comment stands where an argument would go | crate::isolated::z::sum(1, data)",
    );
}

/// Line ends, a mark and a script line of the file are the file's own business.
#[test]
fn every_other_byte_stays() {
    let (text, left) = rewritten("fn f(data: &[u8]) {\r\n    unsafe { z_sys::plain(1, 2) };\r\n}\r\n");
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(
        text,
        "fn f(data: &[u8]) {\r\n    crate::isolated::z::plain(1, 2).unwrap_or_else(|fault| panic!(\"{}\", fault));\r\n}\r\n"
    );
}
