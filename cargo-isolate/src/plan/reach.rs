//! By which module another crate names a function or a type, and whether it can.

use super::{candidates::main_files, select::Selected};
use crate::{
    contract::{check::Signature, shape::TypePath},
    graph::{Graph, Package},
};
use std::collections::BTreeSet;

/// Why no wrapper can name a function, or a type that it speaks of.
pub(super) fn hidden(graph: &Graph, selected: &Selected<'_>, signature: &Signature) -> Option<String> {
    let (item, declared) = (selected.item, &selected.declared);
    let package = &graph.packages[declared.index];
    let own = "declare the function `pub(crate)` in your own code, where wrappers can call it";
    // In the root of its crate the wrappers see it.
    if package.member {
        if item.visibility.is_empty() && !declared.module.is_empty() {
            let module = declared.module.join("::");
            return Some(format!(
                "it is private to the module `{module}`: declare it `pub(crate)` so that a wrapper can call it"
            ));
        }
    } else if !is_public(&item.visibility, item.scope.in_macro.is_some()) {
        return Some(format!("it is private to `{}`: {own}", package.name));
    } else {
        let path = TypePath { package: declared.index, module: declared.module.clone(), name: item.name.clone() };
        if shown(graph, &path).is_none() {
            let module = declared.module.join("::");
            return Some(format!("the module `{module}` of `{}` is private: {own}", package.name));
        }
    }
    let mut types = Vec::new();
    signature.params.iter().map(|param| &param.shape).chain(&signature.ret).for_each(|shape| shape.types(&mut types));
    let hidden = types.into_iter().find(|path| !is_type_shown(graph, path))?;
    let krate = &graph.packages[hidden.package];
    Some(match krate.member {
        true => format!("the type `{}` is private to its module: declare it `pub(crate)`", hidden.name),
        false => format!("the type `{}` is private to `{}`: {own}, with a type of yours", hidden.name, krate.name),
    })
}

/// Wrappers can name a type; those of the crate that declares it, if it is a member's.
fn is_type_shown(graph: &Graph, path: &TypePath) -> bool {
    let package = &graph.packages[path.package];
    let mut declarations = main_files(package).flat_map(|file| {
        let here = move |modules: &[String]| [&*file.module, modules].concat() == path.module;
        file.facts.types.iter().filter(move |item| item.name == path.name && here(&item.modules))
    });
    let is_visible = match (package.member, path.module.is_empty()) {
        (true, true) => true,
        (true, false) => declarations.any(|item| !item.visibility.is_empty() || item.in_macro),
        (false, _) => declarations.any(|item| is_public(&item.visibility, item.in_macro)),
    };
    is_visible && (package.member || shown(graph, path).is_some())
}

/// What stands in a macro may be `pub` once that has done its work.
fn is_public(visibility: &str, in_macro: bool) -> bool {
    visibility == "pub" || in_macro
}

/// The outermost module that shows an item to other crates: `bindings` is often private, and re-exported by its crate's root.
pub(crate) fn shown(graph: &Graph, item: &TypePath) -> Option<Vec<String>> {
    let package = &graph.packages[item.package];
    let mut showing = BTreeSet::from([item.module.clone()]);
    if item.module.is_empty() {
        return Some(Vec::new());
    }
    let imports = main_files(package).flat_map(|file| {
        let exported = file.facts.imports.iter().filter(|import| import.exported);
        exported.map(move |import| ([&*file.module, &*import.scope.modules].concat(), import))
    });
    let leading: Vec<_> =
        imports.filter(|(_, import)| import.name.as_deref().is_none_or(|name| name == item.name)).collect();
    // A module that shows another's names may be shown by a third.
    loop {
        let more = leading.iter().filter(|(place, _)| !showing.contains(place)).filter(|(place, import)| {
            let (of, last) = match (&import.name, import.path.rsplit_once("::")) {
                (None, _) => (&*import.path, None),
                (Some(_), Some((of, last))) => (of, Some(last)),
                (Some(_), None) => return false,
            };
            last.is_none_or(|last| last == item.name) && targets(of, place).any(|module| showing.contains(&module))
        });
        let more: Vec<_> = more.map(|(place, _)| place.clone()).collect();
        if more.is_empty() {
            break;
        }
        showing.extend(more);
    }
    let open = showing.into_iter().filter(|module| (1..=module.len()).all(|depth| is_open(package, &module[..depth])));
    open.min_by_key(|module| (module.len(), !item.module.starts_with(module)))
}

/// The modules that a path of `place` may lead to: in the first edition it begins at the root of the crate.
fn targets(path: &str, place: &[String]) -> impl Iterator<Item = Vec<String>> {
    let follow = |mut module: Vec<String>| {
        for word in path.split("::").filter(|word| !word.is_empty()) {
            match word {
                "crate" => module.clear(),
                "self" => {}
                "super" => drop(module.pop()),
                name => module.push(name.to_owned()),
            }
        }
        module
    };
    [follow(place.to_vec()), follow(Vec::new())].into_iter()
}

/// The module is declared `pub`, as far as its declaration is known.
fn is_open(package: &Package, module: &[String]) -> bool {
    let Some((name, parent)) = module.split_last() else { return true };
    let declarations = main_files(package).flat_map(|file| {
        let is_it = move |place: &[String]| [&*file.module, place].concat() == parent;
        file.facts.modules.iter().filter(move |module| module.name == *name && is_it(&module.parents))
    });
    let mut public = declarations.map(|module| module.public).peekable();
    public.peek().is_none() || public.any(|public| public)
}
