//! Callers of a function with a body: one step up the call graph, from a foreign call towards public functions.
//!
//! Resolves paths as foreign calls do, and in addition `Type::function`, `Self::function` and `self.function()` by the
//! type's name. Inherent functions take precedence over those of traits. A method call on any other receiver is not
//! resolved, since its type is unknown.

use super::{Place, Resolver, names::Target};
use crate::facts::{CallFact, Ends, FileFacts, FunctionItem, Scope, SmolStr};
use smol_str::format_smolstr;

/// A call or mention of a function with a body.
#[derive(Clone, Copy, Debug)]
pub struct FunctionCall<'a> {
    /// The file of the caller.
    pub caller: Place,
    /// The call, with its path, span and enclosing function.
    pub call: &'a CallFact,
    /// The file that declares the function.
    pub callee: Place,
    /// The function.
    pub item: &'a FunctionItem,
}

impl FunctionItem {
    /// The name that [`crate::facts::Scope::function`] has for facts in the function's body.
    pub fn full_name(&self) -> SmolStr {
        match self.owner.as_ref().or(self.scope.function.as_ref()) {
            Some(prefix) => format_smolstr!("{prefix}::{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl<'a> Resolver<'a> {
    /// Every call and mention of these functions, ordered by crate, file and position.
    pub fn calls_of(&self, functions: &[&'a FunctionItem]) -> Vec<FunctionCall<'a>> {
        let names = Ends::new(self.renames.called(functions.iter().map(|item| item.name.as_str()).collect()));
        let is_wanted = |item: &FunctionItem| functions.iter().any(|wanted| std::ptr::eq(*wanted, item));
        let mut found = Vec::new();
        for (krate, of_crate) in self.crates.iter().enumerate() {
            for (file, of_file) in of_crate.files.iter().enumerate() {
                let FileFacts { calls, mentions, .. } = of_file.facts;
                let mut both: Vec<_> = calls.ending_in(&names).chain(mentions.ending_in(&names)).collect();
                both.sort_by_key(|call| call.span.start);
                for call in both {
                    let caller = Place { krate, file };
                    let functions = self.functions(caller, call).into_iter();
                    let functions = functions.filter(|(_, item)| is_wanted(item));
                    found.extend(functions.map(|(callee, item)| FunctionCall { caller, call, callee, item }));
                }
            }
        }
        found
    }

    /// The functions with a body that a call may resolve to; several if `cfg` selects among them.
    pub fn functions(&self, caller: Place, call: &CallFact) -> Vec<(Place, &'a FunctionItem)> {
        self.functions_of(caller, &call.scope, call.span.start, &call.path)
    }

    /// The functions with a body that a path resolves to, in a scope of a file and at a byte of it.
    pub(crate) fn functions_of(
        &self,
        place: Place,
        scope: &Scope,
        at: u32,
        path: &str,
    ) -> Vec<(Place, &'a FunctionItem)> {
        if let Some(name) = path.strip_prefix("Self::") {
            let owner = scope.function.as_deref().and_then(|function| function.rsplit_once("::"));
            let mut found = owner.map(|(owner, _)| self.names.associated(place, owner, name)).unwrap_or_default();
            if found.iter().any(|(_, item)| !item.of_trait) {
                found.retain(|(_, item)| !item.of_trait);
            }
            return found;
        }
        let targets = self.resolved(place, scope, at, path);
        let functions = targets.into_iter().filter_map(|target| match target {
            Target::Function(place, item) => Some((place, item)),
            _ => None,
        });
        functions.collect()
    }
}
