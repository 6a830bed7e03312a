//! Uses of macros whose definition contains unsafe code, and of procedural macros, whose output is not visible.

use super::{Place, Resolver, last};
use crate::facts::{MacroFact, MacroKind, UnsafeKind};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// A use of a macro that the report mentions.
#[derive(Clone, Debug)]
pub struct MacroUse<'a> {
    /// The file of the use.
    pub user: Place,
    /// The use.
    pub fact: &'a MacroFact,
    /// The crate that defines the macro.
    pub krate: usize,
    /// Why it is mentioned.
    pub what: MacroSort,
}

/// Reasons to mention the use of a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacroSort {
    /// A `macro_rules!` macro with unsafe code in its definition, or in that of a macro it calls.
    Unsafe,
    /// A procedural macro, whose output is not visible.
    Procedural,
    /// A `macro_rules!` macro that calls something built from its arguments that could not be resolved.
    Hidden,
}

/// The crates that define macros, cached by module and macro path because most macros are used many times.
pub(super) struct MacroOrigins<'r, 'a> {
    resolver: &'r Resolver<'a>,
    known: HashMap<(usize, &'a str), Option<(usize, &'a str)>>,
}

impl<'r, 'a> MacroOrigins<'r, 'a> {
    pub(super) fn new(resolver: &'r Resolver<'a>) -> Self {
        MacroOrigins { resolver, known: HashMap::default() }
    }

    /// The crate that defines a macro and the macro's name there, as far as imports lead to it.
    pub(super) fn of(&mut self, user: Place, fact: &'a MacroFact) -> Option<(usize, &'a str)> {
        let names = &self.resolver.names;
        let origin =
            |module| *self.known.entry((module, &fact.path)).or_insert_with(|| names.macro_origin(module, &fact.path));
        names.within(user, &fact.scope.modules).find_map(origin)
    }
}

impl<'a> Resolver<'a> {
    /// Every use outside macro definitions, ordered by crate and file. [`MacroSort::Hidden`] uses come from
    /// [`Self::foreign_calls`] instead.
    pub fn macro_uses(&self) -> Vec<MacroUse<'a>> {
        let definitions = self.unsafe_macros();
        let mut origins = MacroOrigins::new(self);
        let mut found = Vec::new();
        for (krate, of_crate) in self.crates.iter().enumerate() {
            for (file, of_file) in of_crate.files.iter().enumerate() {
                let user = Place { krate, file };
                let crates = self.crates_of(user);
                for fact in of_file.facts.macros.iter().filter(|fact| !fact.scope.in_definition) {
                    let name = last(&fact.path);
                    let is_own = |krate: &usize| fact.kind == MacroKind::Call && definitions[*krate].contains(name);
                    // A macro defined in the crate shadows imported ones.
                    let own = crates.iter().copied().find(is_own).map(|krate| (krate, name));
                    let Some((krate, name)) = own.or_else(|| origins.of(user, fact)) else { continue };
                    let what = match () {
                        () if self.crates[krate].proc_macro && krate != user.krate => MacroSort::Procedural,
                        () if definitions[krate].contains(name) => MacroSort::Unsafe,
                        () => continue,
                    };
                    found.push(MacroUse { user, fact, krate, what });
                }
            }
        }
        found
    }

    /// Every use of these macros, each given as the defining crate and the macro's name there.
    pub fn uses_of<'m>(&self, wanted: &[(usize, &'m str)]) -> Vec<(Place, &'a MacroFact, (usize, &'m str))>
    where
        'a: 'm,
    {
        let mut origins = MacroOrigins::new(self);
        let names = self.renames.called(wanted.iter().map(|(_, name)| *name).collect());
        let mut found = Vec::new();
        for (krate, of_crate) in self.crates.iter().enumerate() {
            for (file, of_file) in of_crate.files.iter().enumerate() {
                for fact in of_file.facts.macros.iter().filter(|fact| names.contains(last(&fact.path))) {
                    let is = |origin: (usize, &str)| wanted.iter().find(|wanted| **wanted == origin).copied();
                    let user = Place { krate, file };
                    let own = self.crates_of(user).into_iter().find_map(|krate| is((krate, last(&fact.path))));
                    let origin = own.or_else(|| origins.of(user, fact).and_then(is));
                    found.extend(origin.map(|origin| (user, fact, origin)));
                }
            }
        }
        found
    }

    /// By crate: the names of `macro_rules!` macros that contain unsafe code, or call one that does.
    fn unsafe_macros(&self) -> Vec<HashSet<&'a str>> {
        let of_crate = |krate: usize| {
            let mut found: HashSet<&str> = HashSet::default();
            let mut calls: HashMap<&str, Vec<&str>> = HashMap::default();
            for facts in self.modules_of(krate).map(|(_, file)| file.facts) {
                // Extern blocks and unions only declare; using what they declare is what needs `unsafe` at the use.
                let declares = |kind: UnsafeKind| matches!(kind, UnsafeKind::ExternBlock | UnsafeKind::Union);
                let unsafes = facts.unsafes.iter().filter(|fact| !declares(fact.kind));
                let defined = unsafes.filter(|fact| fact.scope.in_definition);
                found.extend(defined.filter_map(|fact| fact.scope.in_macro.as_deref()));
                for call in facts.macros.iter().filter(|call| call.scope.in_definition) {
                    if let Some(outer) = call.scope.in_macro.as_deref() {
                        calls.entry(last(&call.path)).or_default().push(outer);
                    }
                }
            }
            let mut open: Vec<&str> = found.iter().copied().collect();
            while let Some(name) = open.pop() {
                let callers = calls.get(name).into_iter().flatten().copied();
                open.extend(callers.filter(|caller| found.insert(caller)));
            }
            found
        };
        (0..self.crates.len()).map(of_crate).collect()
    }
}
