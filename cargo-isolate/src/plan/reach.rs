//! Whether wrappers can name a function and the types that it speaks of.

use super::select::Selected;
use crate::{
    contract::{
        check::Signature,
        shape::TypePath,
        sight::{Hidden, Viewer, shown},
    },
    graph::{Graph, Package},
};

/// Why no wrapper can name a function, or a type that it speaks of.
pub(super) fn hidden(graph: &Graph, selected: &Selected<'_>, signature: &Signature) -> Option<String> {
    let (item, declared) = (selected.item, &selected.declared);
    let package = &graph.packages[declared.index];
    let own = "declare the function `pub(crate)` in your own code, where wrappers can call it";
    if let Some(function) = &item.scope.function {
        let what = if package.member { "declare it outside, `pub(crate)`" } else { own };
        return Some(format!("it is declared in the body of `{function}`: {what}"));
    }
    if package.member
        && let Some(reason) = in_a_program(graph, package, selected)
    {
        return Some(reason);
    }
    // Wrappers stand in the crate that declares the function, or in one that has no business with what that hides.
    let viewer = |of: usize| if package.member && of == declared.index { Viewer::Same } else { Viewer::Other };
    let path = TypePath { package: declared.index, module: declared.module.clone(), name: item.name.clone() };
    let module = declared.module.join("::");
    match (shown(graph, &path, viewer(declared.index)), package.member) {
        (Ok(_), _) => {}
        (Err(Hidden::Item), true) => {
            return Some(format!(
                "it is private to the module `{module}`: declare it `pub(crate)` so that a wrapper can call it"
            ));
        }
        (Err(Hidden::Module { name, of }), true) => {
            let of = of.join("::");
            return Some(format!(
                "the module `{name}` is private to `{of}`: declare it `pub(crate)` so that a wrapper can call what is in it"
            ));
        }
        (Err(Hidden::Item), false) => return Some(format!("it is private to `{}`: {own}", package.name)),
        (Err(Hidden::Module { .. }), false) => {
            return Some(format!("the module `{module}` of `{}` is private: {own}", package.name));
        }
    }
    let mut types = Vec::new();
    signature.params.iter().map(|param| &param.shape).chain(&signature.ret).for_each(|shape| shape.types(&mut types));
    types.into_iter().find_map(|path| {
        let hidden = shown(graph, path, viewer(path.package)).err()?;
        let krate = &graph.packages[path.package];
        let name = &path.name;
        Some(match (viewer(path.package), hidden) {
            (Viewer::Other, _) => {
                let what = match krate.member {
                    true => "declare it `pub`, in modules that are".to_owned(),
                    false => format!("{own}, with a type of yours"),
                };
                format!("the type `{name}` is private to `{}`: {what}", krate.name)
            }
            (Viewer::Same, Hidden::Item) => {
                format!("the type `{name}` is private to its module: declare it `pub(crate)`")
            }
            (Viewer::Same, Hidden::Module { name: module, of }) => {
                let of = of.join("::");
                format!("the type `{name}` is in the module `{module}`, which is private to `{of}`: declare that `pub(crate)`")
            }
        })
    })
}

/// The wrappers of a package with a library are the library's, which sees nothing of the package's programs.
fn in_a_program(graph: &Graph, package: &Package, selected: &Selected<'_>) -> Option<String> {
    let file = package.files.iter().find(|file| graph.relative(&file.path) == selected.declared.file)?;
    let wrapped = package.crate_root()?;
    (!file.is_of_crate(wrapped)).then(|| {
        let of = if package.lib.is_some() { "library" } else { "first program" };
        format!(
            "it is declared in the program `{}`, and wrappers go to the {of} `{}` of `{}`: declare it there, `pub(crate)`",
            file.krate, wrapped.krate, package.name
        )
    })
}
