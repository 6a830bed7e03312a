//! What a policy says of functions that nobody has declared so before: it compiles, or is a mistake with its place.

use super::Workspace;

const TYPES: &str = "#![allow(dead_code)]\nuse std::ffi::*;\npub enum Ctx {}\npub enum Blob {}\n#[repr(C)]\n#[derive(Clone, Copy)]\npub struct P {\n    pub x: c_int,\n}\n";

/// Declarations and what the policy says of them: that compiles, or `mistakes` are told of the place that `§` stands before.
#[track_caller]
fn check(workspace: &Workspace, declared: &str, policy: &str, mistakes: &[&str]) {
    workspace.put("sys/src/lib.rs", &format!("{TYPES}unsafe extern \"C\" {{\n{declared}\n}}\n"));
    let head = "version = 1\n[domain.odd]\nlibrary = \"kinds-sys\"\n[[isolate]]\ndomain = \"odd\"\nextern = [\"*\"]\n";
    let marked = format!("{head}{policy}");
    let policy = marked.replace('§', "");
    workspace.put("policy.toml", &policy);
    workspace.put("src/lib.rs", "pub fn nothing() {}\n");
    let output = workspace.isolate(&["wrap", "--package", "kinds", "--apply", "--allow-no-vcs"]);
    let said = String::from_utf8_lossy(&output.stderr);
    if !marked.contains('§') {
        assert!(output.status.success(), "{policy}\n{said}");
        let checked = workspace.check(&[]);
        let errors = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{policy}\n{errors}\n{}", workspace.get("src/isolated/odd.rs"));
        std::fs::remove_dir_all(workspace.path("src/isolated")).expect("the wrappers");
    } else {
        assert_eq!(output.status.code(), Some(2), "{policy}\n{said}");
        let before = marked.split('§').next().unwrap_or_default();
        let (line, column) =
            (before.matches('\n').count() + 1, before.lines().last().map_or(0, |line| line.chars().count()) + 1);
        let place = format!("policy.toml:{line}:{column}\n");
        for mistake in mistakes.iter().copied().chain([&*place]) {
            assert!(said.contains(mistake), "{policy}\n{said}");
        }
    }
}

const FREE: &str =
    "pub fn free_blob(b: *mut Blob);\npub fn free_of(c: *mut Ctx, b: *mut Blob);\npub fn tell(c: *mut Ctx) -> usize;";

#[test]
fn calls_that_are_made_again() {
    let workspace = Workspace::new("");
    for (declared, policy) in [
        (
            "pub fn make(n: c_int) -> *mut Blob;",
            "[fn.make]\nretry = 2\nret = { kind = \"handle\", own = \"give\", free = \"free_blob\" }\n",
        ),
        (
            "pub fn make(n: c_int) -> *mut Blob;",
            "[fn.make]\nretry = 2\nerror = \"ret == NULL\"\nret = { kind = \"handle\", own = \"give\", free = \"free_blob\" }\n",
        ),
        (
            "pub fn make(n: c_int) -> *mut Blob;",
            "[fn.make]\nretry = 1\nret = { kind = \"handle\", own = \"give\", free = \"free_blob\", null = \"ok\" }\n",
        ),
        (
            "pub fn make(b: *mut *mut Blob, n: *mut c_int) -> c_int;",
            "[fn.make]\nretry = 1\nerror = \"ret != 0\"\narg.b = { kind = \"handle\", dir = \"out\", own = \"give\", free = \"free_blob\" }\narg.n = { kind = \"obj\", dir = \"inout\" }\n",
        ),
    ] {
        check(&workspace, &format!("{FREE}\n{declared}"), policy, &[]);
    }
}

#[test]
fn what_may_be_null_keeps_nothing() {
    let workspace = Workspace::new("");
    let null = "may be NULL";
    for (declared, policy, mistakes) in [
        (
            "pub fn make(c: *mut Ctx) -> *mut Blob;",
            "[fn.make]\narg.c = { kind = \"handle\", null = \"ok\" }\nret = { kind = \"handle\", own = \"give\", free = \"free_of\", parent = §\"c\" }\n",
            &[null][..],
        ),
        (
            "pub fn make(c: *mut Ctx) -> *mut Blob;",
            "[fn.make]\narg.c = { kind = \"handle\" }\nret = { kind = \"handle\", own = \"give\", free = \"free_of\", parent = \"c\" }\n",
            &[],
        ),
        (
            "pub fn make(c: *mut P) -> *mut Blob;",
            "[fn.make]\narg.c = { kind = \"obj\", dir = \"in\" }\nret = { kind = \"handle\", own = \"give\", free = \"free_blob\", parent = §\"c\" }\n",
            &["no handle"],
        ),
        (
            "pub fn start(c: *mut Ctx, n: usize) -> c_int;",
            "[fn.start]\narg.c = { kind = \"handle\", null = \"ok\" }\nbind.§c = { n = \"n\" }\n",
            &[null],
        ),
        (
            "pub fn start(c: *mut *mut Ctx, n: usize) -> c_int;\npub fn end(c: *mut Ctx);",
            "[fn.start]\narg.c = { kind = \"handle\", dir = \"out\", own = \"give\", free = \"end\", null = \"ok\" }\nbind.§c = { n = \"n\" }\n",
            &[],
        ),
        (
            "pub fn start(c: *mut *mut Ctx, n: usize) -> c_int;",
            "[fn.start]\narg.c = { kind = \"handle\", dir = \"out\" }\nbind.§c = { n = \"n\" }\n",
            &[],
        ),
        (
            "pub fn start(c: *mut Ctx, n: usize) -> c_int;\npub fn make() -> *mut Ctx;",
            "[fn.make]\nret = { kind = \"handle\", own = \"give\", free = \"start\" }\n[fn.start]\narg.c = { kind = \"handle\", own = \"take\" }\nbind.§c = { n = \"n\" }\n",
            &[],
        ),
        (
            "pub fn start(c: *mut Ctx, n: usize) -> c_int;\npub fn read(c: *mut Ctx, out: *mut u8) -> c_int;",
            "[fn.start]\narg.c = { kind = \"handle\" }\nbind.c = { n = \"n\" }\n[fn.read]\narg.c = { kind = \"handle\", null = \"ok\" }\narg.out = { kind = \"buf\", dir = \"out\", cap = \"§$c.n\" }\n",
            &[null],
        ),
        (
            "pub fn start(c: *mut Ctx, n: usize) -> c_int;\npub fn read(c: *mut Ctx, out: *mut u8) -> c_int;",
            "[fn.start]\narg.c = { kind = \"handle\" }\nbind.c = { n = \"n\" }\n[fn.read]\narg.c = { kind = \"handle\" }\narg.out = { kind = \"buf\", dir = \"out\", cap = \"$c.n\" }\n",
            &[],
        ),
        (
            "pub fn pick(p: *mut c_int, n: c_int) -> c_int;",
            "[fn.pick.form.pick_one]\nwhen = \"*p == 1\"\narg.p = §{ kind = \"obj\", dir = \"inout\", null = \"ok\" }\n",
            &[null],
        ),
        (
            "pub fn pick(p: *mut usize, d: *mut u8) -> c_int;",
            "[fn.pick]\narg.d = { kind = \"buf\", dir = \"out\", cap = \"*p\" }\narg.p = §{ kind = \"obj\", null = \"ok\", dir = \"inout\" }\n[fn.pick.form.pick_one]\nwhen = \"*p == 1\"\n",
            &[],
        ),
        (
            "pub fn pick(p: *const c_int, n: c_int) -> c_int;",
            "[fn.pick]\narg.p = §{ kind = \"obj\", null = \"ok\" }\nform.pick_one = { when = \"n == 1 && *p > 2\" }\n",
            &[null],
        ),
        (
            "pub fn pick(p: *const c_int, n: c_int) -> c_int;",
            "[fn.pick]\nform.pick_one = { when = \"n == 1 && *p > 2\", arg.p = { kind = \"obj\" } }\n",
            &[],
        ),
    ] {
        check(&workspace, &format!("{FREE}\n{declared}"), policy, mistakes);
    }
}

#[test]
fn what_changes_nothing_is_a_mistake() {
    let workspace = Workspace::new("");
    let more = "[[isolate]]\ndomain = \"odd\"\nextern = [§\"pick\"]\n";
    for (declared, policy, mistakes) in [
        (
            "pub fn pick(n: c_int) -> c_int;",
            more,
            &["`pick` adds nothing: all that it names runs in `odd` already"][..],
        ),
        (
            "pub fn start(c: *mut Ctx, n: usize) -> c_int;",
            "[fn.start]\narg.c = { kind = \"handle\" }\nbind.c = { §n = \"n\" }\n",
            &["no function of this domain asks for `n` of such an object"],
        ),
        (
            "pub fn pick(n: c_int) -> c_int;",
            "[fn.pick]\nerror = §\"ret < 0 && ret > 5\"\n",
            &["is never so: no call would fail"],
        ),
        (
            "pub fn pick(n: c_int) -> c_int;",
            "[fn.pick]\nerror = §\"ret < 0 || ret > -2\"\n",
            &["every call would fail"],
        ),
        ("pub fn pick(n: u8) -> c_int;", "[fn.pick.form.pick_one]\nwhen = §\"n + 1 > 256\"\n", &["is never so"]),
        (
            "pub fn pick(n: c_int, m: c_int) -> c_int;",
            "[fn.pick]\narg.m = { kind = \"fixed\", value = 3 }\nform.pick_one = { when = §\"m == 4 && n == 2\" }\n",
            &["is never so"],
        ),
        (
            "pub fn pick(p: *mut u8, n: u8) -> c_int;",
            "[fn.pick]\narg.p = { kind = \"buf\", len = §\"0 - 4\" }\n",
            &["always below 0"],
        ),
        (
            "pub fn pick(p: *mut u8, n: u8) -> c_int;",
            "[fn.pick]\narg.p = { kind = \"buf\", dir = \"out\", cap = \"n\", written = §\"n - 256\" }\n",
            &["always below 0"],
        ),
        (
            "pub fn pick(p: *mut u8, n: u8) -> c_int;",
            "[fn.pick]\nerror = \"ret < 0 && ret != -5\"\narg.p = { kind = \"buf\", len = \"n - 4\" }\n",
            &[],
        ),
    ] {
        check(&workspace, declared, policy, mistakes);
    }
}

#[test]
fn what_would_not_hold_is_a_mistake() {
    let workspace = Workspace::new("");
    let set = "pub fn set(c: *mut Ctx, a: Option<unsafe extern \"C\" fn(*mut c_void)>, au: *mut c_void, b: Option<unsafe extern \"C\" fn(*mut c_void)>, bu: *mut c_void);";
    let slots = |one: &str, other: &str| {
        let of = |name: &str, slot: &str| {
            format!(
                "arg.{name} = {{ kind = \"cb\", scope = {slot}, user = \"{name}u\", params = [{{ kind = \"user\" }}] }}\n"
            )
        };
        format!("[fn.set]\narg.c = {{ kind = \"handle\" }}\n{}{}", of("a", one), of("b", other))
    };
    let (one, other) = ("\"slot:c.one\"", "\"slot:c.two\"");
    check(&workspace, set, &slots(one, &format!("§{one}")), &["`a` is in that place already"]);
    check(&workspace, set, &slots(one, other), &[]);
    let wide = "pub fn fill(out: *mut u8, n: u128) -> c_int;";
    check(
        &workspace,
        wide,
        "[fn.fill]\narg.out = { kind = \"buf\", dir = \"out\", cap = \"§n\" }\n",
        &["`n` is a `u128`"],
    );
    let packed = |repr: &str| {
        format!(
            "pub fn next(of: c_int) -> *mut R;\n}}\n#[repr({repr})]\npub struct R {{\n    pub kind: u8,\n    pub size: u64,\n}}\nunsafe extern \"C\" {{"
        )
    };
    let read = "[struct.§R]\nread = [\"size\"]\n[fn.next]\nret = { kind = \"handle\" }\n";
    check(&workspace, &packed("C, packed"), read, &["`R` is packed"]);
    check(&workspace, &packed("C"), &read.replace('§', ""), &[]);
}
