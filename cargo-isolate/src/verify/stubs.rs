//! Functions that stand where the foreign ones stood, with the same signatures and the behaviour of `harness.rs`.

use super::types::Types;
use crate::graph::Package;
use std::fmt::Write as _;

/// A foreign function as its package declares it.
#[derive(Clone, Debug)]
pub(crate) struct Foreign {
    pub(crate) name: String,
    /// Types of its parameters, as source text.
    pub(crate) params: Vec<String>,
    /// As source text; `None` for unit.
    pub(crate) ret: Option<String>,
}

/// A module with a stub for each of `functions`, all declared by `package`.
pub(super) fn render(package: &Package, functions: &[Foreign]) -> String {
    let mut types = Types::of(package);
    let mut stubs = String::new();
    for Foreign { name, params, ret } in functions {
        let params: Vec<String> = params.iter().map(|ty| types.rewrite(ty)).collect();
        let list: Vec<String> = params.iter().enumerate().map(|(at, ty)| format!("a{at}: {ty}")).collect();
        let ret = ret.as_ref().map(|ty| types.rewrite(ty));
        let arrow = ret.as_ref().map(|ty| format!(" -> {ty}")).unwrap_or_default();
        let _ = writeln!(stubs, "\npub unsafe extern \"C\" fn {name}({}){arrow} {{", list.join(", "));
        let _ = writeln!(stubs, "    begin();");
        for at in 0..params.len() {
            let _ = writeln!(stubs, "    unsafe {{ Argument(a{at}).store() }};");
        }
        if ret.is_some() {
            let _ = writeln!(stubs, "    unsafe {{ answer() }}");
        }
        stubs.push_str("}\n");
    }
    let text = format!(
        "//! Stand-ins for functions of `{}` {}.\n#![allow(warnings)]\nuse crate::harness::{{Argument, NotStored as _, answer, begin}};\n\n{}{stubs}",
        package.name,
        package.version,
        types.declarations(),
    );
    // What does not parse is shown to the user by the compiler, with its place.
    syn::parse_file(&text).map_or(text, |file| prettyplease::unparse(&file))
}
