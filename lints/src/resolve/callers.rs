//! Who calls a function: one step from a foreign call towards the functions that everybody may call.
//!
//! Follows what foreign calls are followed through, and `Type::function`, `Self::function` and `self.function()` by the type's
//! name; of several functions, the type's own go before those of traits. A call of a method on any other value names no type, so
//! it leads nowhere.

use super::{Place, Resolver, names::Target};
use crate::facts::{CallFact, Ends, FileFacts, FunctionItem, Scope, SmolStr};
use smol_str::format_smolstr;

/// A call or mention of a function with a body.
#[derive(Clone, Copy, Debug)]
pub struct FunctionCall<'a> {
    /// Where the caller stands.
    pub caller: Place,
    /// The call: its path, span, function.
    pub call: &'a CallFact,
    /// The file that holds the function.
    pub callee: Place,
    /// The function.
    pub item: &'a FunctionItem,
}

impl FunctionItem {
    /// Its name as [`crate::facts::Scope::function`] has it for what stands in its body.
    pub fn full_name(&self) -> SmolStr {
        match self.owner.as_ref().or(self.scope.function.as_ref()) {
            Some(prefix) => format_smolstr!("{prefix}::{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl<'a> Resolver<'a> {
    /// Every call and mention of some functions, by crate, file and position.
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

    /// The functions with a body that a call in a file means, several where `cfg` chooses.
    pub fn functions(&self, caller: Place, call: &CallFact) -> Vec<(Place, &'a FunctionItem)> {
        self.functions_of(caller, &call.scope, call.span.start, &call.path)
    }

    /// The functions with a body that a path means to code in a scope of a file, at a byte.
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
