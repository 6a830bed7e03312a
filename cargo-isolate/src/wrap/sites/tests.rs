mod faults;
mod handles;
mod imports;
mod not_rewritten;
mod results;
mod spare_capacity;
mod unsafe_blocks;

use super::*;
use crate::{fixture, plan::plan, wrap::targets};

const LIBRARY: &str = "\
//- z-sys/src/lib.rs
use std::ffi::{c_char, c_int, c_ulong, c_void};
#[repr(C)] #[derive(Clone, Copy)] pub struct Point { pub x: c_int, pub y: c_int }
pub enum Ctx {}
pub enum Own {}
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
    pub fn poke(ctx: *mut Ctx, n: c_int) -> c_int;
    pub fn make(own: *mut *mut Own) -> c_int;
    pub fn ask_own(own: *mut Own) -> c_int;
    pub fn build(own: *mut *mut Own, n: c_int) -> c_int;
    pub fn unmake(own: *mut Own);
    pub fn grow() -> *mut Own;
    pub fn commit(own: *mut Own);
    pub fn firm(n: c_int) -> *mut Ctx;
    pub fn plain(a: c_int, b: c_int) -> c_int;
    pub fn begin(flow: *mut Flow, level: c_int) -> c_int;
    pub fn step(flow: *mut Flow, action: c_int) -> c_int;
    pub fn end(flow: *mut Flow) -> c_int;
    pub fn squeeze(dest: *mut u8, destLen: *mut c_ulong, source: *const u8, sourceLen: c_ulong) -> c_int;
    pub fn shrink(dest: *mut c_char, cap: c_int, n: c_int) -> c_int;
    pub fn check(n: c_int) -> c_int;
    pub fn tell(n: c_int) -> usize;
    pub fn fresh(point: *mut Point, size: c_int) -> c_int;
    pub fn child(of: *mut Ctx) -> *mut Ctx;
    pub fn visit(back: Visit, state: *mut c_void) -> c_int;
    pub fn each(back: Option<unsafe extern \"C\" fn(*mut c_void, n: c_int)>, state: *mut c_void);
    pub fn tune(level: c_int, mode: c_int, scratch: *mut c_void, version: *const c_char) -> c_int;
    pub fn ask(dest: *mut c_char, cap: c_int) -> c_int;
    pub fn joined(n: c_int) -> *mut c_char;
    pub fn release(text: *mut c_char);
    pub fn deflate(dest: *mut u8, destLen: *mut usize, source: *const u8, sourceLen: usize) -> c_int;
    pub fn press(dest: *mut u8, cap: usize) -> usize;
}
pub type Visit = Option<
    unsafe extern \"C\" fn(state: *mut c_void, name: *const c_char, values: *const u8, n: c_int, ofKind: c_int) -> c_int,
>;
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
[fn.deflate]
arg.dest = { kind = "buf", dir = "out", cap = "*destLen", written = "*destLen" }
[fn.press]
arg.dest = { kind = "buf", dir = "out", cap = "cap", written = "ret" }
error = "ret == 0"
[fn.begin]
error = "ret != 0"
[fn.check]
error = "ret < 0"
[fn.tell]
error = "ret == -1"
[fn.ask]
arg.dest = { kind = "buf", dir = "out", cap = "cap", written = "ret", null = "ok" }
error = "ret < 0"
[fn.fresh]
arg.size = { kind = "fixed", value = "sizeof(Point)" }
[fn.make]
arg.own = { kind = "handle", dir = "out", own = "give", free = "unmake", null = "ok" }
[fn.build]
arg.own = { kind = "handle", dir = "out", own = "give", free = "unmake" }
error = "ret != 0"
[fn.grow]
ret = { kind = "handle", own = "give", free = "unmake", null = "ok" }
[fn.commit]
arg.own = { kind = "handle", own = "take" }
[fn.firm]
ret = { kind = "handle" }
[fn.child]
ret = { kind = "handle", null = "ok" }
[fn.visit]
arg.back = { kind = "cb", scope = "call", user = "state", params = [
    { kind = "user" }, { kind = "cstr" }, { kind = "buf", len = "n" }, { kind = "value" }, { kind = "value" },
] }
[fn.each]
arg.back = { kind = "cb", scope = "call", user = "state", null = "ok" }
[fn.tune]
arg.mode = { kind = "fixed", value = -3 }
arg.scratch = { kind = "null" }
arg.version = { kind = "fixed", value = "1.2" }
[fn.joined]
ret = { kind = "cstr", own = "give", free = "release" }
[fn.maybe]
arg.data = { kind = "buf", len = "len", null = "ok" }
"#;

/// The member's only file after its calls were rewritten, and the calls that were not.
fn rewritten(text: &str) -> (String, Vec<String>) {
    rewritten_in(&fixture::graph(&format!("//- app/src/main.rs\n{text}{LIBRARY}")), text)
}

fn rewritten_in(graph: &Graph, text: &str) -> (String, Vec<String>) {
    let policy = crate::policy::Loaded::of_workspace(POLICY);
    let plan = plan(graph, &policy.policy).expect("a plan");
    let targets = targets(graph, &plan, Some(0), policy.shown()).expect("a target");
    let mut sites = sites_in(graph, &plan, &targets, &|file| file.text().map(str::to_owned));
    let left = sites.left.iter().map(|left| {
        let try_it = left.suggestion.iter().map(|text| {
            syn::parse_str::<syn::Block>(&format!("{{ {text} }}")).unwrap_or_else(|error| panic!("{text}: {error}"));
            format!(" | {text}")
        });
        let try_it = try_it.collect::<String>();
        format!("{}:{} {}{try_it}", left.site.line, left.site.column, left.why)
    });
    let left = left.collect();
    let mut rewritten = sites.files.remove(&0).unwrap_or_default();
    (rewritten.remove(&*graph.packages[0].files[0].path).unwrap_or_else(|| text.to_owned()), left)
}

/// Checks statements in a function that takes a slice and returns a `Result` whose error type converts from a `Fault`.
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

/// Checks that a call is not rewritten, and the message about it.
#[track_caller]
fn stays(call: &str, why: &str) {
    let text = format!("fn f(data: &[u8], out: &mut [u8], v: Vec<u32>) {{\n{call}\n}}\n");
    let (after, left) = rewritten(&text);
    assert_eq!((after, left), (text, vec![why.to_owned()]));
}

#[test]
fn functions_that_give_an_address() {
    let address = |body: &str| format!("fn address(bytes: &[u8]) -> *const std::ffi::c_void {{ {body} }}\n");
    let call = "    let n = unsafe { z_sys::sum(1, address(data), data.len()) };";
    check_among(&address("bytes.as_ptr() as *const _"), call, "    let n = isolated::z::sum(1, data)?;");
    let around = format!("{}fn f(data: &[u8]) {{\n{call}\n}}\n", address("bytes[1..].as_ptr().cast()"));
    let (text, left) = rewritten(&around);
    assert_eq!(text, around);
    assert!(left[0].contains("`data`: nothing says which slice `address(data)` points into"), "{left:?}");
}

#[test]
fn slices_take_the_place_of_pointers() {
    check("    unsafe { z_sys::sum(1, data.as_ptr(), data.len()) };", "    isolated::z::sum(1, data)?;");
    check(
        "    let owned = vec![0u8; 9];\n    let s = unsafe { z_sys::sum(1, owned.as_ptr(), owned.len()) };",
        "    let owned = vec![0u8; 9];\n    let s = isolated::z::sum(1, &owned)?;",
    );
    check(
        "    let s = unsafe { z_sys::sum(1, data.as_ptr().add(2), data.len() - 2) };",
        "    let s = isolated::z::sum(1, &data[2..])?;",
    );
    check(
        "    let n = 3u16;\n    let s = unsafe { z_sys::sum(1, data.as_ptr(), usize::from(n)) };",
        "    let n = 3u16;\n    let s = isolated::z::sum(1, &data[..n as usize])?;",
    );
    check(
        "    let text = String::new();\n    unsafe { z_sys::sum(0, text.as_ptr(), text.len()) };",
        "    let text = String::new();\n    isolated::z::sum(0, text.as_bytes())?;",
    );
    check("    unsafe { z_sys::sum(0, &data[1] as *const u8, 1) };", "    isolated::z::sum(0, &data[1..][..1])?;");
    for (pointer, length, slice) in [
        ("data[n..].as_ptr()", "data[n..].len()", "&data[n..]"),
        ("data[n..].as_ptr()", "data.len() - n", "&data[n..]"),
        ("data[n..].as_ptr().cast()", "2", "&data[n..][..2]"),
        ("data.as_ptr().offset(2)", "data.len() - 2", "&data[2..]"),
        ("data.as_ptr() as *mut _ as *const _", "data.len()", "data"),
        ("text.as_bytes().as_ptr()", "text.len()", "text.as_bytes()"),
        ("all.as_slice().as_ptr()", "all.len()", "&all.as_slice()"),
        // The `len` of a type of the program's own may count anything.
        ("path.as_bytes().as_ptr()", "path.len()", "&path.as_bytes()[..path.len()]"),
        ("text[n..].as_ptr()", "3", "&text[n..].as_bytes()[..3]"),
        ("all.as_ptr()", "all.len()", "all"),
    ] {
        let around = |call: &str| {
            format!(
                "fn f(data: &[u8], n: usize, text: &str, path: &Path, all: &Vec<u8>) -> Result<u32, isolate_rt::Fault> {{\n    Ok({call})\n}}\n"
            )
        };
        let (text, left) = rewritten(&around(&format!("unsafe {{ z_sys::sum(1, {pointer}, {length}) }}")));
        assert_eq!((text, left), (around(&format!("isolated::z::sum(1, {slice})?")), Vec::new()));
    }
    stays(
        "unsafe { z_sys::sum(1, data.as_ptr().offset(at), 2) };",
        "2:10 `data`: nothing says which slice `data.as_ptr().offset(at)` points into | isolated::z::sum(1, todo!(\"data: &[u8]\")).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
}

/// The declaration of a struct says what its field holds.
#[test]
fn slices_in_fields() {
    let around = |fields: &str, call: &str| {
        format!(
            "struct Own {{ {fields} }}\nimpl Own {{\n    fn f(&mut self, n: usize) -> Result<i32, isolate_rt::Fault> {{\n        Ok({call})\n    }}\n}}\n"
        )
    };
    let fill = |at: &str, len: &str| format!("unsafe {{ z_sys::fill({at} as *mut c_char, {len} as c_int, 3) }}");
    for (fields, call, after) in [
        ("a: CString", "unsafe { z_sys::name(self.a.as_ptr()) }".to_owned(), "isolated::z::name(&self.a)?"),
        ("a: Box<[u8]>", fill("self.a.as_mut_ptr()", "self.a.len()"), "isolated::z::fill(&mut self.a, 3)?.0"),
        (
            "a: [u8; 9]",
            fill("self.a[n..].as_mut_ptr()", "(self.a.len() - n)"),
            "isolated::z::fill(&mut self.a[n..], 3)?.0",
        ),
        ("a: Vec<u8>", fill("self.a.as_mut_ptr()", "self.a.len()"), "isolated::z::fill(&mut self.a, 3)?.0"),
    ] {
        let (text, left) = rewritten(&around(fields, &call));
        assert_eq!((text, left), (around(fields, after), Vec::new()));
    }
    for (fields, call) in [
        // A field of another type, one with spare capacity, or one that is not declared here.
        ("a: [i16; 9]", fill("self.a.as_mut_ptr()", "9")),
        ("a: Vec<u8>", fill("self.a.as_mut_ptr()", "9")),
        ("a: Vec<u8>", fill("self.a.as_mut_ptr()", "self.a.capacity()")),
        ("a: Room", fill("self.a.as_mut_ptr()", "9")),
        ("b: CString", "unsafe { z_sys::name(self.a.as_ptr()) }".to_owned()),
        ("a: *const c_char", "unsafe { z_sys::name(self.a.as_ptr()) }".to_owned()),
    ] {
        let text = around(fields, &call);
        let (after, left) = rewritten(&text);
        assert!(after == text && left.len() == 1, "{fields}: {left:?}");
    }
}

/// A temporary string lives until the end of its statement.
#[test]
fn text_that_is_made_for_the_call() {
    for (text, given) in [
        ("CString::new(name)?.as_ptr()", "&CString::new(name)?"),
        ("CString::new(name).unwrap().as_ptr().cast()", "&CString::new(name).unwrap()"),
        ("CString::new(name).map_err(|_| \"no\")?.as_ptr()", "&CString::new(name).map_err(|_| \"no\")?"),
        ("name.as_c_str().as_ptr()", "name.as_c_str()"),
        // The temporary contains a call that is rewritten as well.
        (
            "CString::new(vec![unsafe { z_sys::plain(1, 2) } as u8])?.as_ptr()",
            "&CString::new(vec![isolated::z::plain(1, 2)? as u8])?",
        ),
    ] {
        check(&format!("    unsafe {{ z_sys::name({text}) }};"), &format!("    isolated::z::name({given})?;"));
    }
    stays(
        "unsafe { z_sys::name(text(3).as_ptr()) };",
        "2:10 `text`: `text(3).as_ptr()` is not the pointer of a `CStr` or `CString` | isolated::z::name(todo!(\"text: &CStr\")).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
}

/// References that are converted to pointers on the way.
#[test]
fn references_that_are_cast() {
    let around = |call: &str| {
        format!(
            "fn f(by: &z_sys::Point, p: &mut z_sys::Point) -> Result<(), isolate_rt::Fault> {{\n    {call};\n    Ok(())\n}}\n"
        )
    };
    for (to, by) in [
        ("p as *mut _", "by as *const _"),
        ("p as *mut z_sys::Point", "std::ptr::from_ref(by)"),
        ("ptr::from_mut(p)", "by"),
    ] {
        let (text, left) = rewritten(&around(&format!("unsafe {{ z_sys::shift({to}, {by}) }}")));
        assert_eq!((text, left), (around("isolated::z::shift(p, by)?"), Vec::new()));
    }
    for by in ["by as *const u8 as *const _", "(by as *const _).cast()", "by as usize"] {
        let text = around(&format!("unsafe {{ z_sys::shift(p, {by}) }}"));
        let (after, left) = rewritten(&text);
        assert!(after == text && left.len() == 1, "{by}: {left:?}");
    }
}

/// In the crate root, `isolated` is a sibling, and a lint reports needlessly qualified paths.
#[test]
fn paths_begin_at_the_crate_where_they_must() {
    let within = |path: &str| {
        format!(
            "mod inner {{\n    pub fn f() -> Result<i32, isolate_rt::Fault> {{\n        Ok({path}(1, 2)?)\n    }}\n}}\n"
        )
    };
    let before = within("unsafe { z_sys::plain").replace("2)?)", "2) })");
    assert_eq!(rewritten(&before), (within("crate::isolated::z::plain"), Vec::new()));
}

/// Macros whose arguments are expressions, like those of the standard library.
#[test]
fn calls_in_macros() {
    check("    assert_eq!(unsafe { z_sys::plain(1, 2) }, 3);", "    assert_eq!(isolated::z::plain(1, 2)?, 3);");
    check(
        "    unsafe { println!(\"{} {}\", 1, z_sys::sum(1, data.as_ptr(), data.len())) };",
        "    println!(\"{} {}\", 1, isolated::z::sum(1, data)?);",
    );
    check(
        "    let all = vec![\n        1, // one\n        unsafe { z_sys::plain(1, 2) },\n        std::cmp::max(4, unsafe { z_sys::plain(3, 4) }),\n    ];",
        "    let all = vec![\n        1, // one\n        isolated::z::plain(1, 2)?,\n        std::cmp::max(4, isolated::z::plain(3, 4)?),\n    ];",
    );
    check(
        "    let room = vec![0u8; unsafe { z_sys::plain(1, 2) } as usize];",
        "    let room = vec![0u8; isolated::z::plain(1, 2)? as usize];",
    );
    check(
        "    println!(\"{}\", format!(\"{}\", unsafe { z_sys::plain(1, 2) }));",
        "    println!(\"{}\", format!(\"{}\", isolated::z::plain(1, 2)?));",
    );
}

#[test]
fn comments_and_layout_stay() {
    check(
        "    // SAFETY: as long as it says.\n    let s = unsafe {\n        // Seeded.\n        z_sys::sum(\n            1, // the seed\n            data.as_ptr(),\n            data.len(),\n        )\n    };",
        "    let s = {\n        // Seeded.\n        isolated::z::sum(\n            1, // the seed\n            data,\n        )?\n    };",
    );
    check(
        "    let s = unsafe {\n        z_sys::sum(\n            1,\n            data.as_ptr(),\n            data.len(),\n        )\n    };",
        "    let s = isolated::z::sum(\n        1,\n        data,\n    )?;",
    );
}

/// Arguments that the wrapper passes itself.
#[test]
fn what_is_always_the_same_goes() {
    for size in ["std::mem::size_of::<Point>()", "mem::size_of::<z_sys::Point>()"] {
        check(&format!("unsafe {{ z_sys::fresh(&mut p, {size} as c_int) }};"), "isolated::z::fresh(&mut p)?;");
    }
    let tuned = "isolated::z::tune(2)?;";
    for null in ["std::ptr::null_mut()", "0 as *mut c_void", "core::ptr::null_mut::<c_void>()"] {
        check(&format!("unsafe {{ z_sys::tune(2, -3, {null}, c\"1.2\".as_ptr()) }};"), tuned);
        check(&format!("unsafe {{ z_sys::tune(2, (-3) as c_int, {null}, b\"1.2\\0\".as_ptr().cast()) }};"), tuned);
    }
}

/// A comment that justified only the `unsafe` is removed with it.
#[test]
fn arguments_go_with_what_they_were_for() {
    check(
        "    // Sum first.\n    // SAFETY: as long as it says,\n    // and no longer.\n    let s = unsafe { z_sys::sum(1, data.as_ptr(), data.len()) };",
        "    // Sum first.\n    let s = isolated::z::sum(1, data)?;",
    );
    // The rest of the comment is kept.
    let reason = "    // SAFETY: as long as it says,\n    // where std::slice and others: all of it.\n";
    for (behind, kept) in [
        ("    // NOTE: once.\n    // And no more.\n", "    // NOTE: once.\n    // And no more.\n"),
        ("    // TODO(jo):\n    // more.\n", "    // TODO(jo):\n    // more.\n"),
        ("    //\n    // Sum first.\n", "    // Sum first.\n"),
        ("    // Of a note: it ends.\n", ""),
    ] {
        check(
            &format!("{reason}{behind}    let s = unsafe {{ z_sys::plain(1, 2) }};"),
            &format!("{kept}    let s = isolated::z::plain(1, 2)?;"),
        );
    }
    check(
        "    let s = unsafe {\n        z_sys::sum(1,\n                   data.as_ptr(),\n                   data.len())\n    };",
        "    let s = isolated::z::sum(1,\n               data)?;",
    );
    // The expression is delimited, so it needs no parentheses, comments or not.
    check(
        "    // Safety: no conditions.\n    let s = { unsafe { z_sys::plain(1, 2) != 0 } /* or not */ };",
        "    let s = { isolated::z::plain(1, 2)? != 0 /* or not */ };",
    );
    check(
        "    let s = !{\n        // Two.\n        unsafe { z_sys::plain(1, 2) as u32 }\n    };",
        "    let s = !{\n        // Two.\n        isolated::z::plain(1, 2)? as u32\n    };",
    );
    let two = "    // SAFETY: both.\n    let s = [unsafe { z_sys::sum(1, data.as_ptr(), data.len()) }, unsafe { *data.as_ptr() }];";
    check(two, &two.replace("unsafe { z_sys::sum(1, data.as_ptr(), data.len()) }", "isolated::z::sum(1, data)?"));
    // Other blocks in the statement have their own comments, or become safe as well.
    let body = "if unsafe { z_sys::plain(1, 2) } == 0 {\n        BODY\n    }";
    let after = "if isolated::z::plain(1, 2)? == 0 {\n        BODY\n    }";
    for (inside, inside_after, is_left) in [
        ("// SAFETY: other.\n        unsafe { *p };", "// SAFETY: other.\n        unsafe { *p };", false),
        ("unsafe { z_sys::plain(3, 4) };", "isolated::z::plain(3, 4)?;", false),
        ("unsafe { *p };", "unsafe { *p };", true),
    ] {
        let reason = "    // SAFETY: none is needed.\n    ";
        let kept = if is_left { reason } else { "    " };
        check(
            &format!("{reason}{}", body.replace("BODY", inside)),
            &format!("{kept}{}", after.replace("BODY", inside_after)),
        );
    }
    check(
        "    // SAFETY: both.\n    let s = [unsafe { z_sys::plain(1, 2) }, unsafe { z_sys::plain(3, 4) }];",
        "    let s = [isolated::z::plain(1, 2)?, isolated::z::plain(3, 4)?];",
    );
    check(
        "    // Not a reason.\n    let s = unsafe { z_sys::sum(1, data.as_ptr(), data.len()) };",
        "    // Not a reason.\n    let s = isolated::z::sum(1, data)?;",
    );
    check(
        "    // SAFETY: far away.\n    let s = data.len() +\n        unsafe { z_sys::sum(1, data.as_ptr(), data.len()) } as usize;",
        "    // SAFETY: far away.\n    let s = data.len() +\n        isolated::z::sum(1, data)? as usize;",
    );
}

/// The slice that a pointer points into may be chosen before the call.
#[test]
fn slices_that_are_chosen() {
    let chosen = "    let part = if odd { &mut out[1..] } else { out };\n    let room = part.len() as i32;\n";
    check(
        &format!("{chosen}    unsafe {{ z_sys::fill(part.as_mut_ptr() as *mut std::ffi::c_char, room, 3) }};"),
        &format!("{chosen}    isolated::z::fill(&mut part[..room as usize], 3)?.0;"),
    );
    let chosen = "    let part = if odd { vec![0u8; 3] } else { Vec::with_capacity(3) };\n";
    let (_, left) = rewritten(&format!(
        "fn f(odd: bool) {{\n{chosen}    unsafe {{ z_sys::fill(part.as_mut_ptr().cast(), 3, 3) }};\n}}\n"
    ));
    assert!(left[0].contains("nothing here says what its elements are"), "{left:?}");
}

/// Following a name that is rebound many times, with a choice each time, must not take exponential time.
#[test]
fn names_that_are_bound_again_and_again() {
    let again = "    let part = if odd { part } else { part };\n".repeat(100);
    let body = format!(
        "    let part = out;\n{again}    unsafe {{ z_sys::fill(part.as_mut_ptr() as *mut std::ffi::c_char, 3, 3) }};\n"
    );
    let (_, left) = rewritten(&format!("fn f(odd: bool, out: &mut [u8]) {{\n{body}}}\n"));
    assert_eq!(left.len(), 1, "{left:?}");
}

/// A path that begins at the root of a crate is valid in that crate only.
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
    check(
        "",
        false,
        &["1:30 it is in another crate than the wrappers: call it through a public function of that crate"],
    );
}

#[test]
fn other_arguments() {
    check("    unsafe { z_sys::each(None, std::ptr::null_mut()) };", "    isolated::z::each(None)?;");
    check(
        "    let mut p = z_sys::Point { x: 0, y: 0 };\n    unsafe { z_sys::shift(&mut p, &raw const by) };",
        "    let mut p = z_sys::Point { x: 0, y: 0 };\n    isolated::z::shift(&mut p, &by)?;",
    );
    check("    unsafe { z_sys::name(c\"x\".as_ptr()) };", "    isolated::z::name(c\"x\")?;");
    check("    unsafe { z_sys::name(b\"x y\\0\".as_ptr().cast()) };", "    isolated::z::name(c\"x y\")?;");
    check(
        "    let text = std::ffi::CString::new(data)?;\n    unsafe { z_sys::name(text.as_ptr()) };",
        "    let text = std::ffi::CString::new(data)?;\n    isolated::z::name(&text)?;",
    );
    check("    unsafe { z_sys::maybe(std::ptr::null(), 0) };", "    isolated::z::maybe(None)?;");
    check("    unsafe { z_sys::maybe(data.as_ptr(), data.len()) };", "    isolated::z::maybe(Some(data))?;");
    check(
        "    let mut out = [0; 4];\n    unsafe { z_sys::digest(data.as_ptr().cast(), data.len(), out.as_mut_ptr()) };",
        "    let mut out = [0; 4];\n    isolated::z::digest(data, &mut out)?;",
    );
}

/// A comment that mentions a variable does not use it.
#[test]
fn comments_are_not_code() {
    let start = "    let mut p = z_sys::Point { x: 0, y: 0 };\n    // As large as `p` is.\n    let s = /* p */";
    check(
        &format!("{start} unsafe {{ z_sys::locate(data.as_ptr(), data.len(), &mut p) }};"),
        "    // As large as `p` is.\n    let (s, p) = /* p */ isolated::z::locate(data)?;",
    );
}

/// Line endings, a byte order mark and a `#!` line are preserved.
#[test]
fn every_other_byte_stays() {
    let (text, left) = rewritten("fn f(data: &[u8]) {\r\n    unsafe { z_sys::plain(1, 2) };\r\n}\r\n");
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(
        text,
        "fn f(data: &[u8]) {\r\n    isolated::z::plain(1, 2).unwrap_or_else(|fault| panic!(\"{}\", fault));\r\n}\r\n"
    );
}
