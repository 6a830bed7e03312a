//! What plans as ready compiles, however a library is declared; the rest is refused, with the reason.

use super::{Workspace, reasons};

const POLICY: &str = include_str!("../kinds/odd.toml");

/// A program, its library, and another that this one takes types from: no member of the workspace, as it is with a registry's.
fn odd() -> Workspace {
    let workspace = Workspace::new(POLICY);
    let package = |name: &str, dependency: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.3.0\"\nedition = \"2024\"\n[dependencies]\n{dependency}\n")
    };
    let libraries = "kinds-sys = { path = \"sys\" }\nkinds-other = { path = \"other\" }\n\n[workspace]\nexclude = [\"sys\", \"other\"]";
    workspace.put("Cargo.toml", &package("kinds", libraries));
    workspace.put("sys/Cargo.toml", &package("kinds-sys", "kinds-other = { path = \"../other\" }"));
    workspace.put("sys/src/lib.rs", include_str!("../kinds/odd.rs"));
    workspace.put("other/Cargo.toml", &package("kinds-other", ""));
    workspace.put("other/src/lib.rs", OTHER);
    workspace.put("src/lib.rs", "pub fn call() -> i32 {\n    unsafe { kinds_sys::domain(1) }\n}\n");
    workspace
}

const OTHER: &str = "#![allow(non_camel_case_types)]
pub mod deep {
    pub mod er {
        pub type far = super::near;
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub struct Pair {
            pub a: i32,
            pub b: f64,
        }
    }
    pub type near = u32;
}
pub use deep::er::far as exported_far;
";

#[test]
fn what_is_ready_compiles_and_the_rest_says_why() {
    let workspace = odd();
    let (refused, reasons) = reasons(&workspace);
    insta::assert_snapshot!("odd", reasons);
    workspace.put("policy.toml", &POLICY.replace("except = []", &format!("except = [{}]", refused.join(", "))));
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    workspace.compiles(&[]);
}
