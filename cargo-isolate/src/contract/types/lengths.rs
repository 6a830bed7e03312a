//! Lengths of arrays: wrappers name them, and not the constants of a library.

use super::Site;
use crate::graph::{Graph, Role, SourceFile};
use isolate_lints::facts::Constant;

/// Constants of constants end somewhere.
const DEEPEST: u8 = 8;

/// A length as any module can write it: a number, or the value of a constant that is one.
pub(super) fn length(graph: &Graph, len: &syn::Expr, site: Site<'_>) -> Option<String> {
    number(graph, len, site, DEEPEST)
}

fn number(graph: &Graph, expr: &syn::Expr, site: Site<'_>, depth: u8) -> Option<String> {
    match expr {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => Some(number.to_string()),
        syn::Expr::Paren(paren) => number(graph, &paren.expr, site, depth),
        syn::Expr::Group(group) => number(graph, &group.expr, site, depth),
        // `N as usize`, of what is no less wide than any length in use.
        syn::Expr::Cast(cast) => {
            let text = number(graph, &cast.expr, site, depth)?;
            let value = syn::parse_str::<syn::LitInt>(&text).ok()?.base10_parse::<u32>().ok()?;
            Some(value.to_string())
        }
        syn::Expr::Path(path) => constant(graph, &path.path, site, depth.checked_sub(1)?),
        _ => None,
    }
}

/// All constants of that name in the package, if they agree; those of the module that the path names go first.
fn constant(graph: &Graph, path: &syn::Path, site: Site<'_>, depth: u8) -> Option<String> {
    let name = path.segments.last()?.ident.to_string();
    let files = graph.packages[site.package].files.iter().filter(|file| file.role == Role::Main);
    let all = files.flat_map(|file| file.facts.constants.iter().map(move |constant| (file, constant)));
    let all: Vec<_> = all.filter(|(_, constant)| constant.name == name).collect();
    let value = |constant: &Constant, module: &[String]| {
        let expr = syn::parse_str(&constant.value).ok()?;
        let text = number(graph, &expr, Site { package: site.package, module }, depth)?;
        Some(syn::parse_str::<syn::LitInt>(&text).ok()?.base10_digits().to_owned())
    };
    let module = |(file, constant): &(&SourceFile, &Constant)| [&*file.module, &*constant.modules].concat();
    let qualifier: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let here = super::follow(qualifier[..qualifier.len() - 1].iter().map(|word| &**word), site.module);
    let near: Vec<_> = all.iter().filter(|found| module(found) == here).collect();
    let candidates = if near.is_empty() { all.iter().collect() } else { near };
    let mut values = candidates.into_iter().map(|found| value(found.1, &module(found)));
    let first = values.next()??;
    values.all(|other| other.as_ref() == Some(&first)).then_some(first)
}
