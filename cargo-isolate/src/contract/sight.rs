//! From where an item can be named, and by which module.

use super::shape::TypePath;
use crate::graph::{Graph, Package, Role, SourceFile};
use isolate_lints::facts::{TypeItem, TypeKind};
use std::collections::BTreeSet;

/// Who names an item: wrappers stand in a module of the root of their crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Viewer {
    /// Wrappers in the crate that declares it.
    Same,
    /// Those in another crate.
    Other,
}

impl Viewer {
    /// What stands in `module` with this visibility is seen.
    pub(crate) fn sees(self, visibility: &str, module: &[String]) -> bool {
        visibility == "pub" || self == Viewer::Same && is_seen_from_root(visibility, module)
    }
}

/// Whether the root of a crate, and so every module below it, sees what stands in `module` with this visibility.
fn is_seen_from_root(visibility: &str, module: &[String]) -> bool {
    let words: String = visibility.split_whitespace().collect();
    let within = words.strip_prefix("pub(").and_then(|rest| rest.strip_suffix(')'));
    match (&*words, within) {
        ("", _) | (_, Some("self" | "inself")) => module.is_empty(),
        ("pub", _) | (_, Some("crate")) => true,
        (_, Some("super")) => module.len() <= 1,
        (_, Some(path)) => follow(segments(path.strip_prefix("in").unwrap_or(path)), module).is_empty(),
        (_, None) => false,
    }
}

/// Why an item cannot be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// It says so itself.
    Item,
    /// A module around it is.
    Module { name: String, of: Vec<String> },
}

/// The outermost module that shows an item: `bindings` is often private, and re-exported by its crate's root.
pub(crate) fn shown(graph: &Graph, item: &TypePath, to: Viewer) -> Result<Vec<String>, Hidden> {
    let package = &graph.packages[item.package];
    if !visibilities(package, item).any(|(visibility, in_macro)| in_macro || to.sees(visibility, &item.module)) {
        return Err(Hidden::Item);
    }
    let is_open = |module: &[String]| is_open(package, module, to);
    let mut showing = BTreeSet::from([item.module.clone()]);
    // A crate's own code names an item where it is, if it can.
    if item.module.is_empty() || to == Viewer::Same && closed(&item.module, is_open).is_none() {
        return Ok(item.module.clone());
    }
    let imports = main_files(package).flat_map(|file| {
        let all = file.facts.imports.iter().filter(|import| import.scope.function.is_none());
        all.map(move |import| ([&*file.module, &*import.scope.modules].concat(), import))
    });
    let leading: Vec<_> = imports
        .filter(|(place, import)| to.sees(&import.visibility, place))
        .filter(|(_, import)| import.name.as_deref().is_none_or(|name| name == item.name))
        .collect();
    // A module that shows another's names may be shown by a third.
    loop {
        let more = leading.iter().filter(|(place, _)| !showing.contains(place)).filter(|(place, import)| {
            let (of, last) = match (&import.name, import.path.rsplit_once("::")) {
                (None, _) => (&*import.path, None),
                (Some(_), Some((of, last))) => (of, Some(last)),
                (Some(_), None) => return false,
            };
            last.is_none_or(|last| last == item.name)
                && targets(of, place).iter().any(|module| showing.contains(module))
        });
        let more: Vec<_> = more.map(|(place, _)| place.clone()).collect();
        if more.is_empty() {
            break;
        }
        showing.extend(more);
    }
    let open = showing.into_iter().filter(|module| closed(module, is_open).is_none());
    let outermost = open.min_by_key(|module| (module.len(), !item.module.starts_with(module)));
    outermost.ok_or_else(|| match closed(&item.module, is_open).and_then(<[String]>::split_last) {
        Some((name, of)) => Hidden::Module { name: name.clone(), of: of.to_vec() },
        None => Hidden::Item,
    })
}

/// A field of a struct that the viewer cannot name, as far as its declaration is known.
pub(crate) fn hides(graph: &Graph, path: &TypePath, field: &str, to: Viewer) -> bool {
    let declarations = main_files(&graph.packages[path.package]).flat_map(|file| {
        let here = move |item: &&TypeItem| [&*file.module, &*item.modules].concat() == path.module;
        file.facts.types.iter().filter(move |item| item.name == path.name).filter(here)
    });
    let fields = declarations.flat_map(|item| match &item.kind {
        TypeKind::Struct(fields) => &fields[..],
        _ => &[],
    });
    let plain = |name: &str| name.trim_start_matches("r#") == field.trim_start_matches("r#");
    let mut fields = fields.filter(|field| field.name.as_deref().is_some_and(plain));
    fields.any(|field| !to.sees(&field.visibility, &path.module))
}

/// The first module on the way to another that is not open.
fn closed(module: &[String], is_open: impl Fn(&[String]) -> bool) -> Option<&[String]> {
    (1..=module.len()).map(|depth| &module[..depth]).find(|module| !is_open(module))
}

/// The visibilities with which a function or type is declared, and whether a macro may say another once that has done its work.
fn visibilities<'g>(package: &'g Package, item: &'g TypePath) -> impl Iterator<Item = (&'g str, bool)> {
    main_files(package).flat_map(move |file| {
        let here = move |modules: &[String]| [&*file.module, modules].concat() == item.module;
        let functions = file.facts.foreign.iter().filter(move |one| *one.name == *item.name);
        let functions = functions.filter(move |one| here(&one.scope.modules));
        let types = file.facts.types.iter().filter(move |one| *one.name == *item.name && here(&one.modules));
        functions
            .map(|one| (&*one.visibility, one.scope.in_macro.is_some()))
            .chain(types.map(|one| (&*one.visibility, one.in_macro)))
    })
}

/// The modules that a path of `place` may lead to: in the first edition it begins at the root of the crate.
fn targets(path: &str, place: &[String]) -> [Vec<String>; 2] {
    [follow(segments(path), place), follow(segments(path), &[])]
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split("::").filter(|segment| !segment.is_empty())
}

/// The module that a path of this crate leads to, from another.
pub(super) fn follow<'p>(path: impl Iterator<Item = &'p str>, from: &[String]) -> Vec<String> {
    let mut module = from.to_vec();
    for segment in path {
        match segment {
            "crate" => module.clear(),
            "self" => {}
            "super" => drop(module.pop()),
            name => module.push(name.to_owned()),
        }
    }
    module
}

/// The viewer sees the module in the one around it, as far as its declaration is known.
fn is_open(package: &Package, module: &[String], to: Viewer) -> bool {
    let Some((name, parent)) = module.split_last() else { return true };
    let declarations = main_files(package).flat_map(|file| {
        let is_it = move |place: &[String]| [&*file.module, place].concat() == parent;
        file.facts.modules.iter().filter(move |module| module.name == *name && is_it(&module.parents))
    });
    let mut seen =
        declarations.map(|module| module.in_macro.is_some() || to.sees(&module.visibility, parent)).peekable();
    seen.peek().is_none() || seen.any(|seen| seen)
}

fn main_files(package: &Package) -> impl Iterator<Item = &SourceFile> {
    package.files.iter().filter(|file| file.role == Role::Main)
}

#[cfg(test)]
mod tests {
    use super::Viewer;

    #[track_caller]
    fn check(visibility: &str, module: &str, same: bool, other: bool) {
        let module: Vec<String> = module.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect();
        assert_eq!(Viewer::Same.sees(visibility, &module), same, "{visibility} in {module:?}, from its crate");
        assert_eq!(Viewer::Other.sees(visibility, &module), other, "{visibility} in {module:?}, from another");
    }

    #[test]
    fn visibilities() {
        for (visibility, in_root, in_a, in_b, other) in [
            ("", true, false, false, false),
            ("pub", true, true, true, true),
            ("pub(crate)", true, true, true, false),
            ("pub (crate)", true, true, true, false),
            ("pub(in crate)", true, true, true, false),
            ("pub(self)", true, false, false, false),
            ("pub(in self)", true, false, false, false),
            ("pub(super)", true, true, false, false),
            ("pub(in super)", true, true, false, false),
            ("pub(in super::super)", true, true, true, false),
            ("pub(in crate::a)", false, false, false, false),
            ("pub(in crate :: a)", false, false, false, false),
        ] {
            check(visibility, "", in_root, other);
            check(visibility, "a", in_a, other);
            check(visibility, "a::b", in_b, other);
        }
    }
}
