//! Fills the module tables with the declarations of each file.

use super::{Glob, Imported, Module, Names, Target};
use crate::facts::UnsafeKind;
use crate::resolve::{File, Place, last};
use std::cell::RefCell;

impl<'a> Names<'a> {
    /// Adds a file's declarations to the module at a path of a crate, and returns that module.
    pub(super) fn read(&mut self, file: &File<'a>, place: Place, krate: usize, path: &'a [String]) -> usize {
        let facts = file.facts;
        let base = self.module(self.roots[krate], path);
        for declaration in facts.modules.iter().filter(|declaration| declaration.inline) {
            let parent = self.module(base, &declaration.parents);
            self.module(parent, std::slice::from_ref(&declaration.name));
        }
        for item in &facts.foreign {
            let module = self.module(base, &item.scope.modules);
            self.declare(module, &item.name, self.block(place, facts, item.span.start), Target::Foreign(place, item));
        }
        for item in &facts.types {
            let module = self.module(base, &item.modules);
            self.declare(module, &item.name, None, Target::Type(place, item));
        }
        for item in &facts.functions {
            if let Some(owner) = &item.owner {
                let functions = self.associated.entry((krate, last(owner))).or_default();
                if file.also.is_empty() || !functions.iter().any(|(_, known)| std::ptr::eq(*known, item)) {
                    functions.push((place, item));
                }
                continue;
            }
            let module = self.module(base, &item.scope.modules);
            self.declare(module, &item.name, self.block(place, facts, item.span.start), Target::Function(place, item));
        }
        for fact in facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::StaticMut) {
            if let Some(name) = &fact.name {
                let module = self.module(base, &fact.scope.modules);
                self.declare(module, name, self.block(place, facts, fact.span.start), Target::StaticMut);
            }
        }
        for included in facts.unexpanded.iter().filter(|call| call.is_generated()) {
            if file.may_hold(&included.scope.cfgs) {
                let module = self.module(base, &included.scope.modules);
                self.modules[module].unseen = true;
            }
        }
        for import in &facts.imports {
            let module = self.module(base, &import.scope.modules);
            let imported = Imported { block: self.block(place, facts, import.at), import };
            let module = &mut self.modules[module];
            match &import.name {
                Some(name) => {
                    let imports = &mut module.names.entry(name).or_default().imports;
                    imports.reserve_exact(usize::from(imports.is_empty()));
                    imports.push(imported);
                }
                None => module.globs.push(Glob { imported, opens: RefCell::default() }),
            }
        }
        base
    }

    /// The module at a path below another, created if necessary.
    fn module(&mut self, base: usize, path: &'a [String]) -> usize {
        path.iter().fold(base, |parent, name| {
            let new = self.modules.len();
            let child = *self.modules[parent].names.entry(name).or_default().child.get_or_insert(new);
            if child == new {
                self.modules.push(Module::new(self.modules[parent].krate, Some(parent)));
            }
            child
        })
    }

    fn declare(&mut self, module: usize, name: &'a str, block: Option<u32>, target: Target<'a>) {
        let items = &mut self.modules[module].names.entry(name).or_default().items;
        // Nearly every name has a single declaration, and there are tens of thousands of names: avoid the spare
        // capacity of a growing `Vec`.
        items.reserve_exact(usize::from(items.is_empty()));
        items.push((block, target));
    }
}
