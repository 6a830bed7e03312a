//! The wrappers that calls can be rewritten to.

use super::{
    ToDo,
    call::{NotRewritten, all_of},
};
use crate::{
    bypass::Bypass,
    contract::{Contract, Hold, object::Life, shape::Shape},
    graph::{Graph, Package, SourceFile},
    plan::{DomainPlan, FunctionPlan, Plan, RetPlan},
    wrap::{Target, function, names, wrapped},
};
use std::collections::{BTreeMap, BTreeSet};

/// Every wrapper, by the symbol that it wraps.
pub(super) struct Wrappers<'p> {
    graph: &'p Graph,
    pub(super) by_symbol: BTreeMap<&'p str, (Wrapper<'p>, &'p Target)>,
    /// Functions without a wrapper of their own, by symbol: the wrappers that free by them the memory that they have
    /// copied.
    inner: BTreeMap<&'p str, BTreeSet<&'p str>>,
}

impl<'p> Wrappers<'p> {
    pub(super) fn new(graph: &'p Graph, plan: &'p Plan, targets: &'p [Target]) -> Self {
        let mut by_symbol = BTreeMap::new();
        let mut inner: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for target in targets {
            for domain in plan.domains.iter().filter(|domain| target.domains.contains(&domain.name)) {
                for function in target.functions(domain).filter(|function| function.is_inner()) {
                    let callers = wrapped(domain, target).filter(|other| other.frees_by(&function.name));
                    inner.entry(function.symbol()).or_default().extend(callers.map(FunctionPlan::wrapper));
                }
                let mut names = names::Names::new(target, domain);
                for function in wrapped(domain, target) {
                    let function::Signature { params, ret, error, origins } =
                        function::View::new(function, &mut names).signature();
                    let path = format!("isolated::{}::{}", domain.name, function.wrapper());
                    let symbol = function.symbol();
                    // A function's own wrapper takes precedence over those of its forms.
                    if function.form.is_none() || !by_symbol.contains_key(symbol) {
                        let makers = function.params.iter().map(|param| makers(domain, target, &param.shape)).collect();
                        by_symbol
                            .insert(symbol, (Wrapper { function, path, params, ret, error, origins, makers }, target));
                    }
                }
            }
        }
        Self { graph, by_symbol, inner }
    }
}

impl Wrappers<'_> {
    /// The wrapper of the function that a call names.
    pub(super) fn of(&self, site: &Bypass) -> Option<&Wrapper<'_>> {
        self.by_symbol.get(&*site.symbol).map(|(wrapper, _)| wrapper)
    }

    /// Whether a file belongs to the generated wrappers.
    pub(super) fn hold(&self, file: &SourceFile) -> bool {
        self.by_symbol.values().any(|(_, target)| file.path.starts_with(target.directory()))
    }

    /// Whether the package at this index declares a wrapped function.
    pub(super) fn declares(&self, package: usize) -> bool {
        self.by_symbol.values().any(|(wrapper, _)| wrapper.function.declared.index == package)
    }

    /// Why a call of a function without a wrapper cannot be rewritten.
    pub(super) fn without_wrapper(&self, site: &Bypass) -> String {
        let Some(callers) = self.inner.get(&*site.symbol) else { return "it has no wrapper here".to_owned() };
        let callers: Vec<_> = callers.iter().copied().collect();
        let (wrappers, free, give) =
            if callers.len() > 1 { ("wrappers", "free", "give") } else { ("wrapper", "frees", "gives") };
        let of = all_of(&callers);
        format!(
            "the {wrappers} of {of} {free} with it what C returned, and {give} a copy, which frees itself: leave it out"
        )
    }

    /// Whether another package includes the file as well: `#[path = "../../shared.rs"]`.
    pub(super) fn is_shared(&self, package: &Package, file: &SourceFile) -> bool {
        let others = self.graph.packages.iter().filter(|other| other.id() != package.id());
        others.flat_map(|other| &other.files).any(|other| other.path == file.path)
    }

    /// The value of a constant of this package or of the library, if all constants of that name agree.
    pub(super) fn constant(&self, package: &Package, wrapper: &Wrapper<'_>, name: &str) -> Option<i64> {
        let library = &self.graph.packages[wrapper.function.declared.index];
        let files = package.files.iter().chain(&library.files);
        let mut values = files.flat_map(|file| &file.facts.constants).filter(|constant| constant.name == name);
        let number = |text: &str| text.split_whitespace().collect::<String>().parse().ok();
        let value: i64 = number(&values.next()?.value)?;
        values.all(|other| number(&other.value) == Some(value)).then_some(value)
    }

    pub(super) fn to_do(&self, site: Bypass, left: NotRewritten) -> ToDo {
        let wrapper = self.of(&site).map(Wrapper::signature);
        ToDo { why: left.why, wrapper, suggestion: Some(left.suggestion).filter(|text| !text.is_empty()), site }
    }
}

/// A wrapper as its callers see it.
pub(super) struct Wrapper<'p> {
    pub(super) function: &'p FunctionPlan,
    /// `isolated::zlib::crc32`.
    pub(super) path: String,
    /// The names and types of its parameters.
    pub(super) params: Vec<(String, String)>,
    /// `T` in its `Result<T, E>`.
    pub(super) ret: String,
    /// `E` in its `Result<T, E>`.
    pub(super) error: String,
    /// The origin of each part of `T`: 0 for the function's result, otherwise one more than the index of the parameter.
    pub(super) origins: Vec<usize>,
    /// For each parameter of the function, the wrappers that return the object that it points to.
    pub(super) makers: Vec<Vec<&'p str>>,
}

impl Wrapper<'_> {
    /// The names and types of its parameters, as callers see them.
    pub(super) fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(name, ty)| (&**name, &**ty))
    }

    /// `isolated::zlib::crc32(crc: c_ulong, buf: &[u8]) -> Result<c_ulong, Fault>`
    pub(super) fn signature(&self) -> String {
        let params: Vec<_> = self.params().map(|(name, ty)| format!("{name}: {ty}")).collect();
        format!("{}({}) -> Result<{}, {}>", self.path, params.join(", "), self.ret, self.error)
    }
}

/// The functions of a domain whose wrappers return an object that others take by a parameter of this shape.
fn makers<'p>(domain: &'p DomainPlan, target: &Target, shape: &Shape) -> Vec<&'p str> {
    fn object(shape: &Shape) -> &Shape {
        shape.pointee().map_or(shape, |(_, to)| object(to))
    }
    let owned = |contract: &Contract| {
        matches!(
            contract,
            Contract::Object { life: Life::Made { .. }, .. } | Contract::Handle { hold: Hold::Give { .. }, .. }
        )
    };
    let wanted = object(shape);
    let of = |returned: &dyn Fn(&FunctionPlan) -> bool| -> Vec<&'p str> {
        wrapped(domain, target).filter(|function| returned(function)).map(FunctionPlan::wrapper).collect()
    };
    let makers = of(&|function| {
        let params = function.params.iter().map(|param| (&param.shape, &param.decision));
        let ret = function.ret.iter().map(|ret| (&ret.shape, &ret.decision));
        params.chain(ret).any(|(shape, made)| made.contract().is_some_and(owned) && object(shape) == wanted)
    });
    if !makers.is_empty() {
        return makers;
    }
    // Objects that are never destroyed.
    of(&|function| {
        let lent = |ret: &&RetPlan| matches!(ret.decision.contract(), Some(Contract::Handle { .. }));
        function.ret.iter().find(lent).is_some_and(|ret| object(&ret.shape) == wanted)
    })
}
