//! What the contract of one function depends on: the types, and what is said of the functions beside it.

use super::{
    Decision, Declared, Form, FunctionPlan, ObjectPlan, candidates,
    entry::entry,
    forms,
    functions::{self, Said},
    ineffective::unused_binds,
    ownership::{By, ending, freeing},
    renamed::whole,
    select::Selected,
    statements,
};
use crate::{
    contract::{
        Contract, Dir, EndingArg, Hold,
        check::{self, Called, Param, Scope, Signature},
        expr::Expr,
        infer::Library,
        object::{Field, Function, Objects, Place},
        shape::{Shape, TypePath},
        types::{Site, Types},
    },
    graph::{self, Graph},
    policy::{PolicyError, model},
};
use isolate_lints::facts::{ForeignItem, ForeignKind, Param as Declaration};
use std::collections::{BTreeMap, BTreeSet};

/// What the contract of one function depends on, apart from itself.
pub(super) struct Surroundings<'s> {
    pub(super) graph: &'s Graph,
    pub(super) types: &'s Types<'s>,
    pub(super) policy: &'s model::Policy,
    pub(super) objects: Objects,
    /// What all foreign functions of a package say together, by its index.
    pub(super) libraries: BTreeMap<usize, Library>,
    /// By domain and name.
    signatures: BTreeMap<String, BTreeMap<String, Signature>>,
    /// Functions that end a handle, with the type of its object, by what the policy says of others.
    ends: BTreeMap<String, (Shape, By)>,
    /// Functions that free memory which others give away.
    frees: BTreeMap<String, By>,
}

impl<'s> Surroundings<'s> {
    /// Reads the structs of the policy, and those that ship, against all that is isolated.
    pub(super) fn new(
        graph: &'s Graph,
        types: &'s Types<'s>,
        policy: &'s model::Policy,
        selected: &[Selected<'_>],
        errors: &mut Vec<PolicyError>,
    ) -> Self {
        let mut signatures: BTreeMap<String, BTreeMap<String, Signature>> = BTreeMap::new();
        let mut functions = Vec::new();
        for one in selected {
            let mut signature = signature(types, one.item, &one.declared);
            signature.called = called(graph, types, policy, one, &signature);
            signature.binds = binds(policy, &one.domain, &signature);
            functions.push(Function {
                domain: &one.domain,
                path: TypePath {
                    package: one.declared.index,
                    module: one.declared.module.clone(),
                    name: one.item.name.clone(),
                },
                params: signature.params.iter().map(|param| param.shape.clone()).collect(),
                ret: signature.ret.clone(),
            });
            signatures.entry(one.domain.clone()).or_default().insert(one.item.name.clone(), signature);
        }
        let packages: BTreeSet<_> = selected.iter().map(|one| one.declared.index).collect();
        let libraries = packages.into_iter().map(|package| {
            let all = candidates::functions(graph, package).map(|one| signature(types, one.item, &one.declared));
            let files = graph.packages[package].files.iter().filter(|file| file.role == graph::Role::Main);
            let constants = files.flat_map(|file| &file.facts.constants);
            (package, Library::of(&all.collect::<Vec<_>>(), constants))
        });
        let mut libraries: BTreeMap<usize, Library> = libraries.collect();
        let ends = ending(policy, selected, &signatures);
        for (end, (object, _)) in &ends {
            if let Shape::Struct { path, .. } = object
                && let Some(library) = libraries.get_mut(&path.package)
            {
                library.is_given(path, end);
            }
        }
        let names: Vec<_> = selected.iter().map(|one| (&*one.domain, &*one.item.name)).collect();
        Self {
            graph,
            types,
            policy,
            objects: Objects::read(
                &policy.all_structs(&names),
                |name| !policy.structs.contains_key(name),
                types,
                &functions,
                errors,
            ),
            libraries,
            ends,
            frees: freeing(policy, selected),
            signatures,
        }
    }

    /// Where nothing else is wrong: an expression that is, asks for nothing.
    pub(super) fn unused_binds(&self, selected: &[Selected<'_>], errors: &mut Vec<PolicyError>) {
        if errors.is_empty() {
            unused_binds(self.policy, selected, &self.signatures, errors);
        }
    }

    /// What the program may read of the structs that these functions take and give.
    pub(super) fn objects(&self, functions: &[FunctionPlan]) -> Vec<ObjectPlan> {
        let readable = self.objects.reads();
        let plan = |(path, read, place): (&TypePath, &[Field], Place)| {
            let lengths = read.iter().filter_map(|field| field.holds.len());
            let is_read = |name: &String| read.iter().any(|field| field.name == *name);
            let counts: BTreeSet<_> = lengths.flat_map(Expr::leaves).filter_map(Expr::name).cloned().collect();
            let mut fields = self.types.fields(path);
            fields.retain(|(name, _)| counts.contains(name) && !is_read(name));
            ObjectPlan { path: path.clone(), place, read: read.to_vec(), counts: fields }
        };
        let mut objects: Vec<_> = readable.map(plan).collect();
        objects.sort_by(|one, other| one.path.cmp(&other.path));
        let unknown = |object: &ObjectPlan| object.known_by(&objects, functions).next().is_none();
        let unknown: Vec<_> = objects.iter().map(unknown).collect();
        let mut unknown = unknown.into_iter();
        objects.retain(|_| !unknown.next().unwrap_or_default());
        objects
    }

    /// Plans one function, in each form in which it is called; mistakes of its policy entry are appended to `errors`.
    pub(super) fn plan(&self, selected: &Selected<'_>, errors: &mut Vec<PolicyError>) -> Vec<FunctionPlan> {
        let domain = &self.signatures[&selected.domain];
        let signature = &domain[&selected.item.name];
        let scope = Scope { signature, domain, objects: &self.objects, outer: None };
        let (own, entry, ships) = entry(self.policy.entry(&selected.domain, &selected.item.name), scope, errors);
        let said = |entry: Option<&model::FnContract>, form, when, scope: Scope<'_>, errors: &mut Vec<PolicyError>| {
            functions::plan(self, selected, scope, Said { own, entry, ships: ships.clone(), form, when }, errors)
        };
        let Some(entry) = entry.as_deref() else { return vec![said(None, None, None, scope, errors)] };
        if entry.form.is_empty() {
            return match forms::size_query(entry, signature, errors) {
                None => vec![said(Some(entry), None, None, scope, errors)],
                Some((call, question)) => {
                    let form = Form { name: format!("{}_len", signature.name), when: None };
                    vec![
                        said(Some(&question), Some(form), None, scope, errors),
                        said(Some(&call), None, None, scope, errors),
                    ]
                }
            };
        }
        statements::fingerprint(entry, signature, errors);
        let site = Site { package: selected.declared.index, module: &selected.declared.module };
        let is_variadic = is_variadic(selected.item);
        let forms = entry.form.iter().map(|(name, words)| {
            let signature = forms::extended(signature, words, is_variadic, self.types, site, errors);
            let scope = Scope { signature: &signature, domain, objects: &self.objects, outer: None };
            let when = words.when.as_ref().and_then(|when| check::condition_before(when, scope, errors));
            let form = Form { name: name.get_ref().clone(), when };
            said(Some(&words.over(entry)), Some(form), words.when.as_ref(), scope, errors)
        });
        forms.collect()
    }

    /// What follows from what the policy, or what ships, says of other functions.
    pub(super) fn implied(&self, signature: &Signature, index: usize) -> Option<Decision> {
        let (function, shape) = (&*signature.name, &signature.params[index].shape);
        shape.pointee()?;
        if let Some(said) = self.frees.get(function) {
            return Some(said.decision(Contract::Memory));
        }
        let (object, said) = self.ends.get(function)?;
        let EndingArg::Object { indirect } = EndingArg::object(shape, object)? else { return None };
        let is_first = |param: &Param| EndingArg::object(&param.shape, object).is_some();
        let first = signature.params.iter().position(is_first);
        let contract = Contract::Handle { dir: Dir::In, nullable: false, hold: Hold::Take { indirect } };
        (first == Some(index)).then(|| said.decision(contract))
    }
}

fn signature(types: &Types<'_>, item: &ForeignItem, place: &Declared) -> Signature {
    let (declarations, ret) = declared(item);
    let site = Site { package: place.index, module: &place.module };
    let params = declarations.iter().enumerate().map(|(index, declaration)| Param {
        name: match &declaration.name {
            // `r#in` is what everybody else calls `in`, C's header first.
            Some(name) => name.trim_start_matches("r#").to_owned(),
            None => format!("arg{}", index + 1),
        },
        ty: declaration.ty.clone(),
        shape: types.resolve(&declaration.ty, site),
    });
    let params = params.collect();
    let ret_ty = ret.unwrap_or_default().to_owned();
    let ret = ret.map(|ret| types.resolve(ret, site));
    Signature { name: item.name.clone(), params, ret, ret_ty, called: None, binds: Vec::new() }
}

/// What the library's own package calls the parameters of a function that somebody else declares.
fn called(
    graph: &Graph,
    types: &Types<'_>,
    policy: &model::Policy,
    selected: &Selected<'_>,
    signature: &Signature,
) -> Option<Called> {
    let library = policy.domain.get(&*selected.domain).and_then(|domain| graph.named(domain.library.get_ref()));
    let library = library.filter(|library| *library != selected.declared.index)?;
    let theirs = candidates::functions(graph, library).find(|one| one.item.name == signature.name)?;
    let theirs = self::signature(types, theirs.item, &theirs.declared);
    (theirs.params.len() == signature.params.len()).then(|| Called {
        same_types: theirs.params.iter().zip(&signature.params).all(|(one, other)| one.shape.is_like(&other.shape)),
        names: theirs.params.into_iter().map(|param| param.name).collect(),
    })
}

/// The lengths that a function tells of objects, as far as those are parameters of it.
fn binds(policy: &model::Policy, domain: &str, signature: &Signature) -> Vec<(usize, String)> {
    let Some(entry) = whole(policy.entry(domain, &signature.name), signature) else { return Vec::new() };
    let bound = entry.bind.iter().filter_map(|(object, lengths)| {
        let index = signature.params.iter().position(|param| param.name == *object.get_ref())?;
        Some(lengths.keys().map(move |name| (index, name.get_ref().clone())).collect::<Vec<_>>())
    });
    bound.flatten().collect()
}

pub(super) fn declared(item: &ForeignItem) -> (&[Declaration], Option<&str>) {
    match &item.item {
        ForeignKind::Function { params, ret, .. } => (params, ret.as_deref()),
        ForeignKind::Static { .. } => (&[], None),
    }
}

pub(super) fn is_variadic(item: &ForeignItem) -> bool {
    matches!(item.item, ForeignKind::Function { variadic: true, .. })
}
