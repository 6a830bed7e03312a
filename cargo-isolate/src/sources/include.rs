//! Which file `include!(…)` names, when that can be known without building.

use camino::{Utf8Path, Utf8PathBuf};
use syn::{Expr, ExprLit, Lit, punctuated::Punctuated};

/// The path that the argument of `include!` evaluates to: string literals, `concat!` of them, and
/// `env!("CARGO_MANIFEST_DIR")`. `None` for anything else, such as what a build script writes to `OUT_DIR`.
pub(super) fn path(argument: &str, package_root: &Utf8Path) -> Option<Utf8PathBuf> {
    let argument = argument.trim().trim_end_matches(',');
    text(&syn::parse_str(argument).ok()?, package_root).map(Utf8PathBuf::from)
}

fn text(expr: &Expr, package_root: &Utf8Path) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Macro(call) if call.mac.path.is_ident("concat") => {
            let parts = call.mac.parse_body_with(Punctuated::<Expr, syn::Token![,]>::parse_terminated).ok()?;
            parts.iter().map(|part| text(part, package_root)).collect()
        }
        Expr::Macro(call) if call.mac.path.is_ident("env") => {
            let name: syn::LitStr = call.mac.parse_body().ok()?;
            (name.value() == "CARGO_MANIFEST_DIR").then(|| package_root.to_string())
        }
        Expr::Group(group) => text(&group.expr, package_root),
        Expr::Paren(paren) => text(&paren.expr, package_root),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(argument: &str, expected: Option<&str>) {
        assert_eq!(path(argument, Utf8Path::new("/pkg")).as_deref(), expected.map(Utf8Path::new));
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
