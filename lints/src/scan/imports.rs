//! `use` and `extern crate`.

use super::{Scanner, items::visibility, paths};
use crate::facts::{Import, SmolStr, Unexpanded, UnsafeFact, UnsafeKind};
use crate::syntax::{Node, SyntaxKind, T};
use SyntaxKind::*;
use smol_str::format_smolstr;

impl<'t> Scanner<'_, 't> {
    pub(super) fn imports(&mut self, node: Node<'_, 't>) {
        if let Some(tree) = node.child(USE_TREE) {
            self.import(tree, "", node);
        }
    }

    fn import(&mut self, tree: Node<'_, 't>, prefix: &str, item: Node<'_, 't>) {
        let own = tree.child(PATH).and_then(paths::plain);
        let absolute = tree.all_tokens().first().is_some_and(|token| token.kind == T![::]);
        let path = match own {
            Some(own) if own == "self" && !prefix.is_empty() => prefix.into(),
            Some(own) if prefix.is_empty() => own,
            Some(own) => format_smolstr!("{}::{}", prefix.trim_end_matches("::"), own.trim_start_matches("::")),
            None if prefix.is_empty() && absolute => SmolStr::new_static("::"),
            None => prefix.into(),
        };
        if let Some(list) = tree.child(USE_TREE_LIST) {
            list.children().filter(|child| child.kind() == USE_TREE).for_each(|child| self.import(child, &path, item));
            return;
        }
        let name = match tree.child(RENAME) {
            Some(rename) => match rename.child(NAME) {
                Some(name) => Some(name.text().into()),
                // `as _` imports the methods of a trait, and no name.
                None => return,
            },
            None if tree.has(T![*]) => None,
            None => Some(paths::last(&path).into()),
        };
        if name.as_deref().is_some_and(|name| name != paths::last(&path)) {
            self.renamed_macro(tree, &path);
        }
        self.push_import(path, name, item, tree.start());
    }

    /// Records an import that renames a macro of the compiler. Other files may use the new name, where nothing tells
    /// what it is.
    fn renamed_macro(&mut self, tree: Node<'_, 't>, path: &str) {
        let range = tree.start()..tree.end();
        match paths::last(path) {
            "global_asm" => {
                let fact = UnsafeFact {
                    name: Some(path.into()),
                    keyword: false,
                    ..self.fact(UnsafeKind::GlobalAsm, range.clone())
                };
                self.record_bare(fact, range.start);
            }
            "include" if matches!(path.trim_start_matches("::"), "std::include" | "core::include") => {
                let (span, scope) = (self.lines.span(range), self.scope());
                let (name, argument) = (path.into(), String::new());
                self.facts.unexpanded.push(Unexpanded { name, argument, item: true, span, scope });
            }
            _ => {}
        }
    }

    pub(super) fn extern_crate(&mut self, node: Node<'_, 't>) {
        let Some(krate) = node.child(NAME_REF).map(Node::text) else {
            return;
        };
        let name = match node.child(RENAME) {
            Some(rename) => match rename.child(NAME) {
                Some(name) => name.text(),
                None => return,
            },
            None => krate,
        };
        let path = if krate == "self" { SmolStr::new_static("crate") } else { format_smolstr!("::{krate}") };
        self.push_import(path, Some(name.into()), node, node.start());
    }

    fn push_import(&mut self, path: SmolStr, name: Option<SmolStr>, item: Node<'_, 't>, at: usize) {
        if !self.declares() {
            return;
        }
        let visibility = visibility(item).into();
        self.facts.imports.push(Import { path, name, visibility, scope: self.scope(), at: at as u32 });
    }
}
