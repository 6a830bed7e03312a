//! Classifies the operations of unsafe code once every declaration is known: calls of foreign and unsafe functions,
//! uses of statics, reads of union fields.
//!
//! Types are not inferred, so methods and fields are matched by name. A method counts as unsafe if the crate has an
//! unsafe method of that name and no safe one, or if all methods of that name in the standard library are unsafe. A
//! field counts as a union's if a union that the crate can name has a field of that name and no struct has.

use super::{Crate, Guests, Place, Renames, Resolver, Target, last};
use crate::facts::{Candidate, FileFacts, ForeignKind, Operation, OperationKind, TypeKind, UnsafeFact, UnsafeKind};
use rustc_hash::FxHashSet as HashSet;

/// The methods and fields of a crate, by name.
#[derive(Default)]
pub(super) struct Members<'a> {
    /// Unsafe associated functions, each with its type or trait.
    unsafe_functions: HashSet<(&'a str, &'a str)>,
    /// Names of unsafe methods that no safe method shares.
    unsafe_methods: HashSet<&'a str>,
    union_fields: HashSet<&'a str>,
    /// Names of struct fields, as far as unions of the graph have fields of the same names.
    struct_fields: HashSet<&'a str>,
}

/// Tables over the whole graph for classifying operations.
pub(super) struct Known<'a> {
    /// By crate.
    members: Vec<Members<'a>>,
    /// Names, aliases included, of statics that are unsafe to use.
    statics: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    pub(super) fn new(crates: &[Crate<'a>], guests: &Guests, renames: &Renames<'a>) -> Known<'a> {
        let types = crates.iter().flat_map(Crate::facts).flat_map(|facts| &facts.types);
        let fields = types.filter_map(|item| match &item.kind {
            TypeKind::Union(fields) => Some(fields),
            _ => None,
        });
        let of_unions = fields.flatten().filter_map(|field| field.name.as_deref()).collect();
        let files = || crates.iter().flat_map(Crate::facts);
        let foreign = files().flat_map(|facts| &facts.foreign);
        let foreign = foreign.filter(|item| matches!(item.item, ForeignKind::Static { .. }));
        let mutable = files().flat_map(|facts| &facts.unsafes).filter(|fact| fact.kind == UnsafeKind::StaticMut);
        let names = foreign.map(|item| item.name.as_str()).chain(mutable.filter_map(|fact| fact.name.as_deref()));
        let members = |krate: usize| {
            let facts: Vec<&FileFacts> = guests.files(crates, krate).map(|(_, file)| file.facts).collect();
            Members::new(&facts, &of_unions)
        };
        Known { members: (0..crates.len()).map(members).collect(), statics: renames.called(names.collect()) }
    }
}

impl<'a> Members<'a> {
    fn new(files: &[&'a FileFacts], of_unions: &HashSet<&'a str>) -> Members<'a> {
        let mut members = Members::default();
        for fact in files.iter().flat_map(|facts| &facts.unsafes) {
            // Taken from the unsafe constructs rather than from `functions`, because trait functions need no body.
            if let (Some(owner), Some(name)) = (&fact.owner, &fact.name) {
                members.unsafe_functions.insert((last(owner), name));
                members.unsafe_methods.insert(name);
            }
        }
        for facts in files {
            if !members.unsafe_methods.is_empty() {
                let safe = facts.functions.iter().filter(|item| item.owner.is_some() && !item.is_unsafe);
                safe.for_each(|item| {
                    members.unsafe_methods.remove(item.name.as_str());
                });
            }
            for item in &facts.types {
                let (fields, names) = match &item.kind {
                    TypeKind::Union(fields) => (fields, &mut members.union_fields),
                    TypeKind::Struct(fields) => (fields, &mut members.struct_fields),
                    _ => continue,
                };
                let fields = fields.iter().filter_map(|field| field.name.as_deref());
                names.extend(fields.filter(|name| of_unions.contains(name)));
            }
        }
        members
    }
}

impl<'a> Resolver<'a> {
    /// The operations of each of a file's [`FileFacts::unsafes`], more precisely than [`crate::scan`] could classify
    /// them.
    ///
    /// [`FileFacts::unsafes`]: crate::facts::FileFacts::unsafes
    pub fn operations(&self, place: Place) -> Vec<Vec<Operation>> {
        let facts = self.crates[place.krate].files[place.file].facts;
        let mut more: Vec<Vec<Operation>> = vec![Vec::new(); facts.unsafes.len()];
        for Candidate { of, operation } in &facts.candidates {
            let index = *of as usize;
            let Some(around) = facts.unsafes.get(index) else { continue };
            if let Some(kind) = self.candidate(place, around, operation) {
                more[index].push(Operation { kind, ..operation.clone() });
            }
        }
        facts.unsafes.iter().zip(more).map(|(fact, more)| self.refined(place, fact, more)).collect()
    }

    fn refined(&self, place: Place, fact: &UnsafeFact, more: Vec<Operation>) -> Vec<Operation> {
        let kind = |operation: &Operation| match operation.kind {
            OperationKind::Call => self.call(place, fact, operation),
            kind => kind,
        };
        let known = fact.operations.iter().map(|operation| Operation { kind: kind(operation), ..operation.clone() });
        // Unlike a block, an unsafe function's body may contain any number of safe calls, which say nothing.
        let says = |operation: &Operation| fact.kind == UnsafeKind::Block || operation.kind != OperationKind::Call;
        let mut operations: Vec<Operation> = known.chain(more).filter(says).collect();
        operations.sort_by_key(|operation| operation.span.start);
        operations
    }

    fn call(&self, place: Place, around: &UnsafeFact, operation: &Operation) -> OperationKind {
        let Some(what) = operation.what.as_deref() else { return OperationKind::Call };
        if let Some(method) = what.strip_prefix('.') {
            let is_unsafe = self.known.members[place.krate].unsafe_methods.contains(method);
            return if is_unsafe || is_unsafe_method(method) { OperationKind::UnsafeCall } else { OperationKind::Call };
        }
        let targets = self.targets(place, around, operation, what);
        for target in &targets {
            match target {
                Target::Foreign(_, item) if !item.safe => return OperationKind::ForeignCall,
                Target::Function(_, item) if item.is_unsafe => return OperationKind::UnsafeCall,
                _ => {}
            }
        }
        if !targets.is_empty() {
            return OperationKind::Call;
        }
        let is_unsafe = match what.rsplit_once("::") {
            Some((owner, function)) => {
                let associated = (last(owner), function);
                let declared = || {
                    self.targets(place, around, operation, owner).into_iter().find_map(|target| match target {
                        Target::Type(place, item) => Some((place.krate, item.name.as_str())),
                        _ => None,
                    })
                };
                let declared = || declared().map_or((place.krate, associated.0), |found| found);
                is_unsafe_function(associated.0, function) || {
                    let (krate, owner) = declared();
                    self.known.members[krate].unsafe_functions.contains(&(owner, function))
                }
            }
            None => {
                let mut modules = self.names.within(place, &around.scope.modules);
                let imported = modules.find_map(|module| self.names.imported(module, what));
                let segments = imported.and_then(|path| path.rsplit_once("::"));
                segments.is_some_and(|(owner, function)| is_unsafe_function(last(owner), function))
            }
        };
        if is_unsafe { OperationKind::UnsafeCall } else { OperationKind::Call }
    }

    fn candidate(&self, place: Place, around: &UnsafeFact, operation: &Operation) -> Option<OperationKind> {
        let what = operation.what.as_deref()?;
        if let Some(field) = what.strip_prefix('.') {
            let krate = &self.crates[place.krate];
            let named = || {
                let crates = [place.krate].into_iter().chain(krate.externs.values().copied());
                crates.map(|krate| &self.known.members[krate])
            };
            let is_union = named().any(|members| members.union_fields.contains(field))
                && !named().any(|members| members.struct_fields.contains(field));
            return is_union.then_some(OperationKind::Union);
        }
        if operation.kind != OperationKind::Union && !self.known.statics.contains(last(what)) {
            return None;
        }
        self.targets(place, around, operation, what).into_iter().find_map(|target| match target {
            Target::Type(_, item) if operation.kind == OperationKind::Union => {
                matches!(item.kind, TypeKind::Union(_)).then_some(OperationKind::Union)
            }
            Target::StaticMut => Some(OperationKind::Static),
            Target::Foreign(_, item) if !item.safe && matches!(item.item, ForeignKind::Static { .. }) => {
                Some(OperationKind::ForeignStatic)
            }
            _ => None,
        })
    }

    fn targets(&self, place: Place, around: &UnsafeFact, operation: &Operation, path: &str) -> Vec<Target<'a>> {
        self.resolved(place, &around.scope, operation.span.start, path)
    }
}

/// Method names that are unsafe on every standard library type that has them.
fn is_unsafe_method(name: &str) -> bool {
    is_unchecked(name)
        || matches!(
            name,
            "assume_init"
                | "assume_init_drop"
                | "assume_init_mut"
                | "assume_init_read"
                | "assume_init_ref"
                | "byte_add"
                | "byte_offset"
                | "byte_offset_from"
                | "byte_sub"
                | "copy_from_nonoverlapping"
                | "copy_to_nonoverlapping"
                | "drop_in_place"
                | "offset_from"
                | "read_unaligned"
                | "read_volatile"
                | "set_len"
                | "write_bytes"
                | "write_unaligned"
                | "write_volatile"
        )
}

/// Whether a standard library function is unsafe, given the last module or type of its path.
fn is_unsafe_function(owner: &str, name: &str) -> bool {
    if is_unchecked(name) || is_unsafe_method(name) {
        return true;
    }
    match owner {
        "ptr" => matches!(
            name,
            "copy" | "copy_nonoverlapping" | "read" | "replace" | "swap" | "swap_nonoverlapping" | "write"
        ),
        "mem" => matches!(name, "uninitialized" | "zeroed"),
        "alloc" => matches!(name, "alloc" | "alloc_zeroed" | "dealloc" | "realloc"),
        "env" => matches!(name, "remove_var" | "set_var"),
        "intrinsics" => name == "copy_nonoverlapping",
        "x86_64" | "x86" | "aarch64" | "arm" => name.starts_with("_mm") || name.starts_with('v'),
        _ => matches!(name, "from_raw_fd" | "from_raw_handle" | "from_raw_socket"),
    }
}

/// The naming convention for functions whose caller is responsible for a check.
fn is_unchecked(name: &str) -> bool {
    name.ends_with("_unchecked") || name.ends_with("_unchecked_mut") || name.starts_with("unchecked_")
}
