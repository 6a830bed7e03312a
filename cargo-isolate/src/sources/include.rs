//! Determines the file that `include!(…)` names, if that is possible without a build.

use crate::graph::Package;
use camino::Utf8PathBuf;
use syn::{Expr, ExprLit, Lit, punctuated::Punctuated};

/// The path that the argument of `include!` evaluates to. Supports string literals, `concat!`,
/// `env!("CARGO_MANIFEST_DIR")`, and `env!("OUT_DIR")` if the build script ran. `None` for anything else.
pub(super) fn path(argument: &str, package: &Package) -> Option<Utf8PathBuf> {
    let argument = argument.trim().trim_end_matches(',');
    text(&syn::parse_str(argument).ok()?, package).map(Utf8PathBuf::from)
}

fn text(expr: &Expr, package: &Package) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Macro(call) if call.mac.path.is_ident("concat") => {
            let parts = call.mac.parse_body_with(Punctuated::<Expr, syn::Token![,]>::parse_terminated).ok()?;
            parts.iter().map(|part| text(part, package)).collect()
        }
        Expr::Macro(call) if call.mac.path.is_ident("env") => {
            let name: syn::LitStr = call.mac.parse_body().ok()?;
            match name.value().as_str() {
                "CARGO_MANIFEST_DIR" => Some(package.root.to_string()),
                "OUT_DIR" => package.out_dir.as_ref().map(ToString::to_string),
                _ => None,
            }
        }
        Expr::Group(group) => text(&group.expr, package),
        Expr::Paren(paren) => text(&paren.expr, package),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(argument: &str, expected: Option<&str>) {
        let mut graph = crate::fixture::graph("\n//- pkg/src/lib.rs\n");
        let mut package = graph.packages.remove(0);
        package.root = "/pkg".into();
        assert_eq!(path(argument, &package), expected.map(Utf8PathBuf::from));
    }

    #[test]
    fn knows_what_needs_no_build() {
        check(r#""tables.rs""#, Some("tables.rs"));
        check(r##"r#"tables.rs"#,"##, Some("tables.rs"));
        check(r#"concat!(env!("CARGO_MANIFEST_DIR"), "/gen", "/a.rs")"#, Some("/pkg/gen/a.rs"));
        check(r#"concat!(env!("OUT_DIR"), "/a.rs")"#, None);
        check("$file", None);
    }
}
