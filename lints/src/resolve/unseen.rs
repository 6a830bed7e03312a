//! Calls of generated items: mostly bindings that exist only once the build script has run.
//!
//! A call counts if its path, or the `use` of its name, leads into a module that `include!`s a generated file and in
//! which nothing seen has that name. A bare name counts only in such a module itself and only in unsafe code: it may be
//! a local variable, and what a glob import brings into scope is unknown.

use super::{File, Place, Resolver};
use crate::facts::{CallFact, FileFacts, Unexpanded, UnsafeKind};
use rustc_hash::FxHashSet as HashSet;

/// A call of an item that a build script generates.
#[derive(Clone, Copy, Debug)]
pub struct UnseenCall<'a> {
    /// The file of the caller.
    pub caller: Place,
    /// The call, with its path, span and enclosing function.
    pub call: &'a CallFact,
    /// Index of the crate whose build script generates the callee.
    pub krate: usize,
}

impl Unexpanded {
    /// Whether it includes items that a build script generates.
    pub fn is_generated(&self) -> bool {
        self.item
            && matches!(self.name.as_str(), "include" | "std::include" | "core::include")
            && self.argument.contains("OUT_DIR")
    }
}

impl<'a> Resolver<'a> {
    /// Every call of a generated item, ordered by crate, file and position.
    pub fn unseen_calls(&self) -> Vec<UnseenCall<'a>> {
        let reaching = self.reaching(self.names.unseen_crates());
        let mut found = Vec::new();
        for (krate, of_crate) in self.crates.iter().enumerate() {
            for (file, of_file) in of_crate.files.iter().enumerate() {
                let place = Place { krate, file };
                if self.crates_of(place).iter().any(|krate| reaching.contains(krate)) {
                    self.unseen_in(place, of_file, &mut found);
                }
            }
        }
        found
    }

    fn unseen_in(&self, caller: Place, file: &File<'a>, found: &mut Vec<UnseenCall<'a>>) {
        let facts = file.facts;
        let imports: HashSet<&str> = facts.imports.iter().filter_map(|import| import.name.as_deref()).collect();
        let holds = facts.unexpanded.iter().any(Unexpanded::is_generated);
        // Names among macro arguments need not be calls: `asm!(…, in("rax") x)`.
        let bare = |call: &CallFact| {
            holds && call.scope.in_macro.is_none() && !is_prelude(&call.path) && is_unsafe(facts, call)
        };
        for call in &facts.calls {
            let first = call.path.trim_start_matches("::");
            // Associated functions are not items of a module.
            let is_wanted = match first.split_once("::") {
                Some((first, _)) => !first.starts_with(|first: char| first.is_ascii_uppercase()),
                None => imports.contains(first) || bare(call),
            };
            if is_wanted {
                let position = self.names.position(caller, facts, call.span.start, &call.scope.cfgs);
                let krate = self.names.within(caller, &call.scope.modules).find_map(|module| {
                    self.names.unseen(module, position, &call.path).or_else(|| {
                        let own = bare(call) && self.names.may_include(module, position, &call.path);
                        own.then_some(caller.krate)
                    })
                });
                found.extend(krate.map(|krate| UnseenCall { caller, call, krate }));
            }
        }
    }

    /// These crates and all that can name them, directly or through re-exports.
    fn reaching(&self, mut crates: HashSet<usize>) -> HashSet<usize> {
        loop {
            let before = crates.len();
            for (krate, of_crate) in self.crates.iter().enumerate() {
                if of_crate.externs.values().any(|named| crates.contains(named)) {
                    crates.insert(krate);
                }
            }
            if crates.len() == before {
                return crates;
            }
        }
    }
}

/// Whether a call is inside an unsafe block or function.
pub(super) fn is_unsafe(facts: &FileFacts, call: &CallFact) -> bool {
    let in_block = facts
        .unsafes
        .iter()
        .any(|fact| fact.kind == UnsafeKind::Block && (fact.span.start..fact.end).contains(&call.span.start));
    let in_function = |function: &str| {
        let mut functions = facts.functions.iter();
        functions.any(|item| item.is_unsafe && item.scope.modules == call.scope.modules && item.full_name() == function)
    };
    in_block || call.scope.function.as_deref().is_some_and(in_function)
}

/// Names that are in scope in every module without an import.
fn is_prelude(name: &str) -> bool {
    matches!(
        name,
        "Some"
            | "Ok"
            | "Err"
            | "Self"
            | "Box"
            | "String"
            | "Vec"
            | "drop"
            | "size_of"
            | "size_of_val"
            | "align_of"
            | "align_of_val"
    )
}
