//! What plans as ready can be named by wrappers, wherever in a member it is declared: `rustc` has the last word.

use super::{Workspace, reasons};

const POLICY: &str = "version = 1\n[domain.seen]\nlibrary = \"kinds\"\narchives = [\"libseen.a\"]\n[[isolate]]\ndomain = \"seen\"\nextern = [\"*\"]\nexcept = []\n";

const VISIBILITIES: [&str; 8] =
    ["", "pub", "pub(crate)", "pub(self)", "pub(super)", "pub(in super)", "pub(in crate)", "pub(in crate::outer)"];

/// A function of each visibility, and with a type of each, in modules of each, below `outer` and in the root.
fn declarations() -> String {
    let mut text = String::from("#![allow(dead_code, private_interfaces, unused_imports)]\n");
    let mut all = String::new();
    for (index, visibility) in VISIBILITIES.iter().enumerate() {
        let is_fit_for_root = !visibility.contains("super") && !visibility.contains("outer");
        if is_fit_for_root {
            text += &items(&format!("root{index}"), visibility);
            text += &format!("{visibility} mod m{index} {{\n{}}}\n", nested(&format!("m{index}"), false));
        }
        all += &format!("{visibility} mod n{index} {{\n{}}}\n", nested(&format!("n{index}"), true));
    }
    text += &format!("mod outer {{\n{all}{}}}\n", nested("outer", true));
    // What a module hides, another may show.
    text += "mod shows {\n    mod inner {\n        unsafe extern \"C\" {\n            pub fn shown_all(n: i32) -> i32;\n        }\n        #[repr(C)]\n        #[derive(Clone, Copy)]\n        pub struct Shown {\n            pub x: i32,\n        }\n        unsafe extern \"C\" {\n            pub(crate) fn shown_one(n: *const Shown) -> i32;\n            pub(super) fn not_shown(n: i32) -> i32;\n        }\n    }\n    pub use inner::{Shown, shown_all};\n    pub(crate) use inner::shown_one;\n    use inner::not_shown;\n}\n";
    text += "mod imported {\n    pub(crate) mod here {\n        mod within {\n            unsafe extern \"C\" {\n                pub fn by_root(n: i32) -> i32;\n            }\n        }\n        pub(crate) use within::by_root as renamed;\n        pub(crate) use within::*;\n    }\n}\n";
    text += "fn body() {\n    unsafe extern \"C\" {\n        fn in_a_body(n: i32) -> i32;\n    }\n    unsafe { in_a_body(1) };\n}\n";
    text
}

fn nested(name: &str, in_outer: bool) -> String {
    let all = VISIBILITIES.iter().enumerate();
    let all = all.filter(|(_, visibility)| in_outer || !visibility.contains("outer"));
    all.map(|(index, visibility)| items(&format!("{name}_{index}"), visibility)).collect()
}

/// A function, and a public one with a type.
fn items(name: &str, visibility: &str) -> String {
    format!(
        "#[repr(C)]\n#[derive(Clone, Copy)]\n{visibility} struct T_{name} {{\n    pub x: i32,\n    {visibility} y: i32,\n}}\n\
         unsafe extern \"C\" {{\n    {visibility} fn f_{name}(n: i32) -> i32;\n    pub(crate) fn t_{name}(t: *mut T_{name});\n}}\n"
    )
}

#[test]
fn what_is_ready_can_be_named() {
    let declarations = declarations();
    let of_types = declarations.split("fn ").filter_map(|part| part.split_once('(')).map(|(name, _)| name);
    let of_types = of_types.filter(|name| name.starts_with("t_"));
    let arguments = |name: &str| format!("[fn.{name}]\narg.t = {{ kind = \"obj\", dir = \"inout\" }}\n");
    let policy = |refused: &[String]| {
        let ready = of_types.clone().filter(|name| !refused.iter().any(|refused| refused.trim_matches('"') == *name));
        let policy = POLICY.replace("except = []", &format!("except = [{}]", refused.join(", ")));
        policy + &ready.map(arguments).collect::<String>()
    };
    let workspace = Workspace::new(&policy(&[]));
    workspace.put("src/lib.rs", &format!("#![allow(non_camel_case_types, non_snake_case)]\n{declarations}"));
    workspace.put(
        "src/main.rs",
        "unsafe extern \"C\" {\n    fn in_program(n: i32) -> i32;\n}\nfn main() {\n    unsafe { in_program(1) };\n}\n",
    );
    let (refused, reasons) = reasons(&workspace);
    insta::assert_snapshot!("sight", reasons);
    workspace.put("policy.toml", &policy(&refused));
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    workspace.compiles(&[]);
}

/// In another member, wrappers see what is `pub`: of the rest they say whose it is.
#[test]
fn of_another_member() {
    let workspace = Workspace::new("");
    let manifest = workspace.get("Cargo.toml").replace("members = [\".\"]", "members = [\".\", \"app\"]");
    workspace.put("Cargo.toml", &manifest);
    workspace.put("app/Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[dependencies]\nkinds = { path = \"..\" }\n");
    workspace.put("app/src/lib.rs", "");
    let fields = "pub struct S {\n    pub x: i32,\n    pub(crate) y: i32,\n}";
    for (declared, policy, expected) in [
        (
            "unsafe extern \"C\" {\n    fn f(n: i32) -> i32;\n}",
            "",
            Err("`app` cannot name `f`, which is private to `kinds`"),
        ),
        ("unsafe extern \"C\" {\n    pub(crate) fn f(n: i32) -> i32;\n}", "", Err("`app` cannot name `f`")),
        (
            "mod a {\n    unsafe extern \"C\" {\n        pub fn f(n: i32) -> i32;\n    }\n}",
            "",
            Err("`app` cannot name `f`"),
        ),
        ("struct S;\nunsafe extern \"C\" {\n    pub fn f(n: *mut S);\n}", "", Err("`app` cannot name `S`")),
        ("mod a {\n    unsafe extern \"C\" {\n        pub fn f(n: i32) -> i32;\n    }\n}\npub use a::f;", "", Ok(())),
        (
            "FIELDS\nunsafe extern \"C\" {\n    pub fn f(s: *mut S);\n}",
            "arg.s = { kind = \"obj\", dir = \"inout\" }\n",
            Ok(()),
        ),
        (
            "pub struct S {\n    pub(crate) data: *const u8,\n    pub n: usize,\n}\nunsafe extern \"C\" {\n    pub fn f(s: *const S);\n}",
            "arg.s = { kind = \"buf\" }\n[struct.S]\nfield.data = { len = \"n\" }\n",
            Err("`app` cannot name `S.data`"),
        ),
    ] {
        let declared =
            declared.replace("FIELDS", fields).replace("pub struct", "#[repr(C)]\n#[derive(Clone, Copy)]\npub struct");
        workspace.put("src/lib.rs", &format!("#![allow(dead_code, private_interfaces, unused)]\n{declared}\n"));
        workspace.put("policy.toml", &format!("{}[fn.f]\n{policy}", POLICY.replace("\"*\"", "\"f\"")));
        let output = workspace.isolate(&["wrap", "--package", "app", "--apply", "--allow-no-vcs"]);
        let said = String::from_utf8_lossy(&output.stderr);
        match expected {
            Err(why) => assert!(output.status.code() == Some(2) && said.contains(why), "{declared}\n{said}"),
            Ok(()) => {
                assert!(output.status.success(), "{declared}\n{said}");
                workspace.compiles(&["--package", "app"]);
                std::fs::remove_dir_all(workspace.path("app/src/isolated")).expect("the wrappers");
                workspace.put("app/src/lib.rs", "");
            }
        }
    }
}
