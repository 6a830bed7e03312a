//! Foreign calls that a macro definition assembles from its arguments.
//!
//! The definition has a path with a macro variable (`libz_sys::$f`), the macro call supplies the name
//! (`call!(crc32(0))`). The assembled path is resolved both where the macro is used and where it is defined. Arguments
//! are not matched to macro variables: every name among them that yields a foreign item counts. A use for which nothing
//! can be resolved is reported as hidden rather than assumed to be harmless.

use super::{
    ForeignCall, ForeignCalls, MacroSort, MacroUse, Place, Resolver, last,
    macros::MacroOrigins,
    names::{Position, Target},
};
use crate::facts::{CallFact, Ends, MacroFact, MacroKind, Template};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::borrow::Cow;

/// A template, with the file of its macro definition.
#[derive(Clone, Copy)]
struct Defined<'a> {
    place: Place,
    template: &'a Template,
}

type Templates<'a> = HashMap<(usize, &'a str), Vec<Defined<'a>>>;

impl<'a> Resolver<'a> {
    /// Foreign calls made by uses of macros, and the uses whose calls could not be resolved. `foreign` are the names
    /// that can lead to a foreign item.
    pub(super) fn template_calls(&self, foreign: &Ends<'a>) -> ForeignCalls<'a> {
        let mut found = ForeignCalls::default();
        let mut origins = MacroOrigins::new(self);
        let templates = self.templates(&mut origins);
        if templates.is_empty() {
            return found;
        }
        let names = self.renames.called(templates.keys().map(|(_, name)| *name).collect());
        for (krate, of_crate) in self.crates.iter().enumerate() {
            for (file, of_file) in of_crate.files.iter().enumerate() {
                let user = Place { krate, file };
                let uses = of_file.facts.macros.iter().filter(|fact| fact.kind == MacroKind::Call);
                for fact in uses.filter(|fact| names.contains(last(&fact.path))) {
                    let Some(origin) = self.definition_of(user, fact, &templates, &mut origins) else { continue };
                    // The `$f` that a definition passes on gets its value where that definition is used.
                    if fact.forwards {
                        continue;
                    }
                    let mut is_hidden = false;
                    for defined in &templates[&origin] {
                        self.make(*defined, user, fact, foreign, &mut found.calls);
                        is_hidden = is_hidden || !fact.scope.in_definition && self.is_hidden(*defined, user, fact);
                    }
                    if is_hidden {
                        found.hidden.push(MacroUse { user, fact, krate: origin.0, what: MacroSort::Hidden });
                    }
                }
            }
        }
        found
    }

    /// By crate and name of the macro: its own templates, and those of macros that it passes its arguments to.
    fn templates(&self, origins: &mut MacroOrigins<'_, 'a>) -> Templates<'a> {
        let mut found = Templates::default();
        let mut forwards = Vec::new();
        for krate in 0..self.crates.len() {
            for (place, of_file) in self.modules_of(krate) {
                for template in &of_file.facts.templates {
                    let Some(name) = template.scope.in_macro.as_deref() else { continue };
                    found.entry((krate, name)).or_default().push(Defined { place, template });
                }
                for fact in of_file.facts.macros.iter().filter(|fact| fact.forwards) {
                    forwards.extend(fact.scope.in_macro.as_deref().map(|outer| (place, (krate, outer), fact)));
                }
            }
        }
        // Each round propagates templates by one macro. Forwarding chains are short; a longer one is a cycle.
        for _ in 0..8 {
            let mut grown = false;
            for (place, outer, fact) in &forwards {
                let (inner, outer) = (self.definition_of(*place, fact, &found, origins), *outer);
                let Some(inner) = inner.filter(|inner| *inner != outer) else { continue };
                let of_inner = found[&inner].clone();
                let of_outer = found.entry(outer).or_default();
                for defined in of_inner {
                    if !of_outer.iter().any(|known| std::ptr::eq(known.template, defined.template)) {
                        of_outer.push(defined);
                        grown = true;
                    }
                }
            }
            if !grown {
                break;
            }
        }
        found
    }

    /// The foreign calls that a use makes by filling in a template.
    fn make(
        &self,
        defined: Defined<'a>,
        user: Place,
        fact: &'a MacroFact,
        foreign: &Ends<'a>,
        found: &mut Vec<ForeignCall<'a>>,
    ) {
        let Template { path, called, .. } = defined.template;
        for name in &fact.arguments {
            if last_of(path, name).is_some_and(|last| !foreign.contains(&last)) {
                continue;
            }
            for path in paths(path, name, fact).iter().filter(|path| foreign.contains(last(path))) {
                let mut seen = HashSet::default();
                for (callee, item) in self.declared(self.template_targets(defined, user, fact, path)) {
                    let again = found.iter().rev().take_while(|call| call.caller == user).any(|call| {
                        std::ptr::eq(call.call, name) && call.callee == callee && std::ptr::eq(call.item, item)
                    });
                    if again || !seen.insert((callee, item.span)) {
                        continue;
                    }
                    let module = self.module_path(user, &fact.scope);
                    found.push(ForeignCall { caller: user, module, call: name, callee, item, mention: !called });
                }
            }
        }
    }

    /// Whether filling in a template may give a call that cannot be resolved.
    fn is_hidden(&self, defined: Defined<'a>, user: Place, fact: &'a MacroFact) -> bool {
        let Template { path, called, .. } = defined.template;
        if fact.more || fact.arguments.len() > PAIRED && variables(path).len() > 1 {
            return true;
        }
        let is_known = || {
            let all = fact.arguments.iter().flat_map(|name| paths(path, name, fact));
            let mut targets = all.flat_map(|path| self.template_targets(defined, user, fact, &path));
            targets.any(|target| !matches!(target, Target::Module(_)))
        };
        match path.rsplit_once("::") {
            _ if path.is_empty() => true,
            // A path that does not lead into a module of the graph cannot be a foreign call of it.
            Some((prefix, "$")) if *called && !prefix.contains("$::") && !prefix.ends_with('$') => {
                let targets = self.template_targets(defined, user, fact, prefix);
                targets.iter().any(|target| matches!(target, Target::Module(_))) && !is_known()
            }
            _ => false,
        }
    }

    /// Resolves a filled-in path: `$crate` where the macro is defined, other paths where it is used and then where it
    /// is defined.
    fn template_targets(&self, defined: Defined<'a>, user: Place, fact: &MacroFact, path: &str) -> Vec<Target<'a>> {
        let at_definition = |path: &str| {
            let modules = self.names.within(defined.place, &defined.template.scope.modules);
            self.names.resolve(modules, Position::default(), path)
        };
        if let Some(rest) = path.strip_prefix('$') {
            return at_definition(rest);
        }
        let targets = self.resolved(user, &fact.scope, fact.span.start, path);
        if targets.is_empty() && path.contains("::") { at_definition(path) } else { targets }
    }

    /// The crate and name of the used macro, if it has templates.
    fn definition_of(
        &self,
        user: Place,
        fact: &'a MacroFact,
        templates: &Templates<'a>,
        origins: &mut MacroOrigins<'_, 'a>,
    ) -> Option<(usize, &'a str)> {
        let own = self.crates_of(user).into_iter().map(|krate| (krate, last(&fact.path)));
        let is_known = |origin: &(usize, &str)| templates.contains_key(origin);
        own.into_iter().find(is_known).or_else(|| origins.of(user, fact).filter(is_known))
    }
}

/// The most names of a use for which pairs of names are tried.
const PAIRED: usize = 64;

/// The positions of a template's macro variables.
fn variables(template: &str) -> Vec<usize> {
    let all = template.match_indices('$').map(|(at, _)| at);
    all.filter(|at| !template[*at..].starts_with("$crate")).collect()
}

/// The last segment of a template with a name for its last variable, if no other variable is part of that segment.
fn last_of<'n>(template: &str, name: &'n CallFact) -> Option<Cow<'n, str>> {
    let segment = last(template);
    match variables(segment)[..] {
        [0] if segment.len() == 1 => Some(Cow::Borrowed(last(&name.path))),
        [at] => Some(Cow::Owned(last(&fill(segment, at, &name.path)).to_owned())),
        _ => None,
    }
}

/// A template with a name in place of the variable at a position.
fn fill(template: &str, at: usize, name: &str) -> String {
    format!("{}{name}{}", &template[..at], &template[at + 1..])
}

/// What a template becomes with a name for its last variable, and in turn each of the use's names for a preceding one.
fn paths(template: &str, name: &CallFact, fact: &MacroFact) -> Vec<String> {
    match variables(template)[..] {
        [one] => vec![fill(template, one, &name.path)],
        [first, second] if fact.arguments.len() <= PAIRED => {
            let filled = fill(template, second, &name.path);
            fact.arguments.iter().map(|other| fill(&filled, first, &other.path)).collect()
        }
        _ => Vec::new(),
    }
}
