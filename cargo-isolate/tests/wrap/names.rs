//! Libraries, domains and crates whose own names mean something in a module of wrappers.

use super::Workspace;
use std::fs;

const POLICY: &str = "version = 1
[domain.names]
library = \"kinds-sys\"
archives = [\"libnames.a\"]
[[isolate]]
domain = \"names\"
extern = [\"*\"]
[struct.Object]
create = { begin = \"end\" }
read = [\"total\"]
field.next = { dir = \"in\", left = \"left\", fn = [\"work\"] }
[fn.call]
arg.a = { kind = \"buf\", dir = \"inout\", len = \"len\" }
[fn.std]
arg.a = { kind = \"buf\", len = \"8\" }
[fn.user]
arg.back = { kind = \"cb\", scope = \"call\", user = \"user\" }
[fn.Null]
ret = { kind = \"handle\", own = \"give\", free = \"drop\" }
error = \"ret == NULL\"
[fn.Call]
arg.GLOBALS = { kind = \"obj\", dir = \"inout\" }
";

/// What a prelude, the runtime, keywords and wrappers themselves call something.
const LIBRARY: &str = "#![allow(non_snake_case, non_camel_case_types)]
use std::ffi::{c_char, c_int, c_void};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Result {
    pub a: c_int,
}
#[repr(C)]
pub struct Object {
    pub next: *const u8,
    pub left: usize,
    pub total: u64,
}
pub enum Fault {}
pub enum Domain {}

unsafe extern \"C\" {
    pub fn DOMAIN(a: c_int) -> c_int;
    pub fn GLOBALS(a: c_int) -> c_int;
    pub fn Ok(a: c_int) -> c_int;
    pub fn Err(a: c_int) -> c_int;
    pub fn Some(ret: *const u8, ret_len: usize) -> c_int;
    pub fn None(text: *const c_char) -> c_int;
    pub fn Null() -> *mut Domain;
    pub fn Fault(call: c_int, ret: c_int) -> c_int;
    pub fn Result(out: *mut Result) -> c_int;
    pub fn Call(DOMAIN: c_int, GLOBALS: *mut c_int, Ok: c_int, std: c_int, isolate_rt: c_int, answer: c_int) -> c_int;
    pub fn c_int(c_int: c_int, ffi: c_int, r#type: c_int, self_: c_int) -> c_int;
    pub fn call(a: *mut u8, len: usize) -> c_int;
    pub fn ret(fault: *mut Fault) -> c_int;
    pub fn drop(of: *mut Domain);
    pub fn ffi(a: c_int) -> c_int;
    pub fn r#match(a: c_int) -> c_int;
    pub fn std(a: *const u8, n: *mut c_int) -> c_int;
    pub fn isolate_rt(a: c_int) -> c_int;
    pub fn begin(object: *mut Object, level: c_int) -> c_int;
    pub fn work(object: *mut Object) -> c_int;
    pub fn end(object: *mut Object) -> c_int;
    pub fn user(back: Option<unsafe extern \"C\" fn(*mut c_void, c_int) -> c_int>, user: *mut c_void) -> c_int;
}
";

const CALLS: &str = "
pub fn calls() -> i32 {
    // SAFETY: numbers.
    unsafe { kinds_sys::Ok(1) + kinds_sys::DOMAIN(2) + kinds_sys::r#match(3) }
}
";

fn named() -> Workspace {
    let workspace = Workspace::new(POLICY);
    workspace.put("sys/src/lib.rs", LIBRARY);
    workspace.put("src/lib.rs", CALLS);
    workspace
}

/// What a module of wrappers calls something itself is called otherwise in it; the rest keeps its name. Calls are rewritten to
/// those, and `verify` puts stubs of the same names behind them.
#[test]
fn any_name_of_a_library() {
    let workspace = named();
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    let text = workspace.get("src/isolated/names.rs");
    for part in ["pub fn Ok_(a: c_int)", "pub fn DOMAIN_(a", "pub fn call(", "pub struct Object_ {", "ffi::Ok(a)"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let calls = workspace.get("src/lib.rs");
    for call in ["isolated::names::Ok_(1)", "isolated::names::DOMAIN_(2)", "isolated::names::r#match(3)"] {
        assert!(calls.contains(call), "{call}\n{calls}");
    }
    workspace.compiles(&[]);
    let verified = workspace.isolate(&["verify"]);
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(!said.contains("do not compile over stubs"), "{said}");
    workspace.expect(&["wrap", "--apply", "--check"], 0);
}

/// A domain may be called like a crate, or like the file of a crate's root.
#[test]
fn any_name_of_a_domain() {
    let workspace = named();
    let name = |domain: &str| {
        let policy = POLICY.replace("[domain.names]", &format!("[domain.{domain}]"));
        workspace.put("policy.toml", &policy.replace("\"names\"", &format!("\"{domain}\"")));
    };
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    workspace.put("src/lib.rs", "mod isolated;\n");
    for domain in ["std", "core", "main", "lib", "isolated", "isolate_rt", "Result"] {
        name(domain);
        let printed = workspace.expect(&["wrap"], 0);
        assert!(!printed.contains("to do"), "nobody calls the old ones: {printed}");
        workspace.compiles(&[]);
    }
    // Beside a program in `src/bin`, cargo would take `main.rs` for one more.
    fs::remove_dir_all(workspace.path("src")).expect("a folder");
    workspace.put("src/bin/tool.rs", "fn main() {}\n");
    name("main");
    let refused = workspace.isolate(&["wrap", "--package", "kinds"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("`src/bin/isolated/main.rs`, which cargo takes for a program of its own"), "{said}");
    name("mod");
    let said = workspace.isolate(&["wrap"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("`mod` cannot name a domain"));
}

#[test]
fn a_crate_that_has_the_name_of_the_module() {
    let workspace = named();
    workspace.put("src/lib.rs", &format!("use std::vec as isolated;\n{CALLS}"));
    let before = workspace.files();
    let output = workspace.isolate(&["wrap", "--apply", "--allow-no-vcs"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    let why = "a `use` of `isolated` has the name that the module needs: rename it";
    assert!(said.contains(why), "{said}");
    assert_eq!(workspace.files(), before);
}
