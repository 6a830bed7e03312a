//! What the operations of unsafe code are, once every declaration is known: calls of foreign and of unsafe functions, uses of
//! statics, reads of unions.
//!
//! Types are not inferred, so methods and fields go by their names: a method counts as unsafe if an unsafe one of the crate
//! goes by that name and no safe one does, or if the standard library's are unsafe wherever they have that name. A field is
//! a union's if a union that the crate can name has such a field, and no struct.

use super::{Place, Resolver, Target, last};
use crate::facts::{FileFacts, ForeignKind, Operation, OperationKind, TypeKind, UnsafeFact, UnsafeKind};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// The operations of unsafe code in one file: index in [`FileFacts::unsafes`], and what replaces its operations.
#[derive(Clone, Debug)]
pub struct Operations {
    /// The file.
    pub place: Place,
    /// The constructs whose operations change.
    pub changed: Vec<(usize, Vec<Operation>)>,
}

impl FileFacts {
    /// Takes over what [`Resolver::operations`] found for this file.
    pub fn set_operations(&mut self, operations: Operations) {
        for (index, operations) in operations.changed {
            if let Some(fact) = self.unsafes.get_mut(index) {
                fact.operations = operations;
            }
        }
    }
}

/// What the names of methods and fields mean in a crate.
#[derive(Default)]
struct Members<'a> {
    /// Unsafe associated functions by type or trait.
    unsafe_functions: HashSet<(&'a str, &'a str)>,
    unsafe_methods: HashSet<&'a str>,
    safe_methods: HashSet<&'a str>,
    union_fields: HashSet<&'a str>,
    struct_fields: HashSet<&'a str>,
}

impl<'a> Resolver<'a> {
    /// The operations that are more than [`crate::scan`] could tell, by file.
    pub fn operations(&self) -> Vec<Operations> {
        let members: Vec<Members<'a>> = (0..self.crates.len()).map(|krate| self.members(krate)).collect();
        let statics = self.static_names();
        let mut found = Vec::new();
        for (krate, of_crate) in self.crates.iter().enumerate() {
            for (file, of_file) in of_crate.files.iter().enumerate() {
                let place = Place { krate, file };
                let facts = of_file.facts;
                let mut candidates: HashMap<usize, Vec<Operation>> = HashMap::default();
                for candidate in &facts.candidates {
                    let index = candidate.of as usize;
                    let Some(around) = facts.unsafes.get(index) else { continue };
                    if let Some(kind) = self.candidate(place, around, &candidate.operation, &members, &statics) {
                        candidates.entry(index).or_default().push(Operation { kind, ..candidate.operation.clone() });
                    }
                }
                let mut changed = Vec::new();
                for (index, fact) in facts.unsafes.iter().enumerate() {
                    let more = candidates.remove(&index).unwrap_or_default();
                    if let Some(operations) = self.refined(place, fact, more, &members) {
                        changed.push((index, operations));
                    }
                }
                if !changed.is_empty() {
                    found.push(Operations { place, changed });
                }
            }
        }
        found
    }

    /// The operations of one construct, if they differ from those that are known.
    fn refined(
        &self,
        place: Place,
        fact: &UnsafeFact,
        more: Vec<Operation>,
        members: &[Members<'a>],
    ) -> Option<Vec<Operation>> {
        let mut changed = !more.is_empty();
        let mut operations = Vec::with_capacity(fact.operations.len() + more.len());
        for operation in &fact.operations {
            let kind = match operation.kind {
                OperationKind::Call => self.call(place, fact, operation, members),
                kind => kind,
            };
            changed |= kind != operation.kind;
            operations.push(Operation { kind, ..operation.clone() });
        }
        operations.extend(more);
        if fact.kind != UnsafeKind::Block {
            // A body is not a block: of its calls only those say something that need it.
            let before = operations.len();
            operations.retain(|operation| operation.kind != OperationKind::Call);
            changed |= operations.len() != before;
        }
        operations.sort_by_key(|operation| operation.span.start);
        changed.then_some(operations)
    }

    fn call(&self, place: Place, around: &UnsafeFact, operation: &Operation, members: &[Members<'a>]) -> OperationKind {
        let Some(what) = operation.what.as_deref() else { return OperationKind::Call };
        if let Some(method) = what.strip_prefix('.') {
            let own = &members[place.krate];
            let is_unsafe = own.unsafe_methods.contains(method) && !own.safe_methods.contains(method);
            return if is_unsafe || is_unsafe_method(method) { OperationKind::UnsafeCall } else { OperationKind::Call };
        }
        let targets = self.targets(place, around, what);
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
                    self.targets(place, around, owner).into_iter().find_map(|target| match target {
                        Target::Type(place, item) => Some((place.krate, item.name.as_str())),
                        _ => None,
                    })
                };
                let declared = || declared().map_or((place.krate, associated.0), |found| found);
                is_unsafe_function(associated.0, function) || {
                    let (krate, owner) = declared();
                    members[krate].unsafe_functions.contains(&(owner, function))
                }
            }
            None => {
                let module = self.names.within(place, &around.scope.modules);
                let imported = module.and_then(|module| self.names.imported(module, what));
                let segments = imported.and_then(|path| path.rsplit_once("::"));
                segments.is_some_and(|(owner, function)| is_unsafe_function(last(owner), function))
            }
        };
        if is_unsafe { OperationKind::UnsafeCall } else { OperationKind::Call }
    }

    fn candidate(
        &self,
        place: Place,
        around: &UnsafeFact,
        operation: &Operation,
        members: &[Members<'a>],
        statics: &HashSet<&str>,
    ) -> Option<OperationKind> {
        let what = operation.what.as_deref()?;
        if let Some(field) = what.strip_prefix('.') {
            let krate = &self.crates[place.krate];
            let named =
                || [place.krate].into_iter().chain(krate.externs.values().copied()).map(|krate| &members[krate]);
            let is_union = named().any(|members| members.union_fields.contains(field))
                && !named().any(|members| members.struct_fields.contains(field));
            return is_union.then_some(OperationKind::Union);
        }
        if operation.kind != OperationKind::Union && !statics.contains(last(what)) {
            return None;
        }
        self.targets(place, around, what).into_iter().find_map(|target| match target {
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

    fn targets(&self, place: Place, around: &UnsafeFact, path: &str) -> Vec<Target<'a>> {
        self.resolved(place, &around.scope, path)
    }

    /// Names that a static which is unsafe to use may go by.
    fn static_names(&self) -> HashSet<&'a str> {
        let files = || self.crates.iter().flat_map(|krate| &krate.files).map(|file| file.facts);
        let foreign = files().flat_map(|facts| &facts.foreign);
        let foreign = foreign.filter(|item| matches!(item.item, ForeignKind::Static { .. }));
        let mutable = files().flat_map(|facts| &facts.unsafes).filter(|fact| fact.kind == UnsafeKind::StaticMut);
        let names = foreign.map(|item| item.name.as_str()).chain(mutable.filter_map(|fact| fact.name.as_deref()));
        self.called(names.collect())
    }

    fn members(&self, krate: usize) -> Members<'a> {
        let mut members = Members::default();
        for facts in self.crates[krate].files.iter().map(|file| file.facts) {
            let associated = facts.functions.iter().filter(|item| item.owner.is_some() && !item.is_unsafe);
            members.safe_methods.extend(associated.map(|item| item.name.as_str()));
            // Those of traits need no body.
            for fact in &facts.unsafes {
                if let (Some(owner), Some(name)) = (&fact.owner, &fact.name) {
                    members.unsafe_functions.insert((last(owner), name));
                    members.unsafe_methods.insert(name);
                }
            }
            for item in &facts.types {
                let (fields, names) = match &item.kind {
                    TypeKind::Union(fields) => (fields, &mut members.union_fields),
                    TypeKind::Struct(fields) => (fields, &mut members.struct_fields),
                    _ => continue,
                };
                names.extend(fields.iter().filter_map(|field| field.name.as_deref()));
            }
        }
        members
    }
}

/// Methods that are unsafe on every type of the standard library that has them.
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

/// Functions of the standard library, by the module or type before them.
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

/// The naming convention for functions that leave a check to their caller.
fn is_unchecked(name: &str) -> bool {
    name.ends_with("_unchecked") || name.ends_with("_unchecked_mut") || name.starts_with("unchecked_")
}
