//! Names of one generated module: what it imports, collected while it is rendered.

use super::target::{Target, function_path};
use crate::{
    contract::{
        number::Number,
        shape::{Function, Shape, TypePath},
    },
    plan::{DomainPlan, FunctionPlan, any_of},
};
use isolate_lints::Edition;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// `extern crate name;`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Extern {
    name: String,
    /// Predicates under which it is there.
    cfgs: Vec<String>,
}

/// `use path as alias;`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Import {
    pub(crate) path: String,
    pub(crate) alias: String,
    /// Predicates under which it is there.
    pub(crate) cfgs: Vec<String>,
    /// Those of each use.
    #[serde(skip)]
    ways: Vec<Vec<String>>,
}

/// Names of one generated module, collected while it is rendered.
pub(super) struct Names<'t> {
    target: &'t Target,
    domain: &'t DomainPlan,
    imports: Vec<Import>,
    /// Predicates of the wrapper that is written.
    around: Vec<String>,
    /// Types of `std::ffi`.
    pub(super) ffi_types: BTreeSet<String>,
    /// Names of `isolate_rt`, apart from those that every module uses.
    pub(super) runtime: BTreeSet<&'static str>,
    pub(super) uses_offsets: bool,
}

impl<'t> Names<'t> {
    /// Those of a domain's module: the imports of its functions first, in their order.
    pub(super) fn new(target: &'t Target, domain: &'t DomainPlan) -> Self {
        let mut names = Names {
            target,
            domain,
            imports: Vec::new(),
            around: Vec::new(),
            ffi_types: BTreeSet::new(),
            runtime: BTreeSet::new(),
            uses_offsets: false,
        };
        for function in target.functions(domain) {
            names.enter(function);
            names.function(function);
        }
        names
    }

    /// What is named from here on is named by the wrapper of this function.
    pub(super) fn enter(&mut self, function: &FunctionPlan) {
        self.around = self.target.cfgs(self.domain, function).to_vec();
    }

    /// What is named from here on is named wherever there is one of these wrappers.
    pub(super) fn enter_any<'p>(&mut self, functions: impl Iterator<Item = &'p FunctionPlan>) {
        self.around = any_of(functions.map(|function| self.target.cfgs(self.domain, function).to_vec()).collect());
    }

    /// Predicates of the wrapper that is written.
    pub(super) fn around(&self) -> &[String] {
        &self.around
    }

    /// The imports, each under the predicates of the wrappers that use it.
    pub(super) fn imports(&self) -> Vec<Import> {
        let from = |path: String| if self.declares(&path) { format!("self::{path}") } else { path };
        let imports = self.imports.iter().cloned();
        imports.map(|import| Import { path: from(import.path), cfgs: any_of(import.ways.clone()), ..import }).collect()
    }

    /// The crates that the module declares: those of its imports, where the edition has these begin at the root of the crate.
    pub(super) fn externs(&self) -> Vec<Extern> {
        let mut ways: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
        for import in self.imports.iter().filter(|import| self.declares(&import.path)) {
            ways.entry(first(&import.path)).or_default().extend(import.ways.iter().cloned());
        }
        if self.target.edition == Edition::E2015 {
            ways.insert("isolate_rt", vec![Vec::new()]);
        }
        ways.into_iter().map(|(name, ways)| Extern { name: name.to_owned(), cfgs: any_of(ways) }).collect()
    }

    fn declares(&self, path: &str) -> bool {
        self.target.edition == Edition::E2015 && first(path) != "crate"
    }

    /// The edition knows `c"text"`.
    pub(super) fn has_c_strings(&self) -> bool {
        self.target.edition >= Edition::E2021
    }

    /// `ffi::compress2`.
    pub(super) fn function(&mut self, function: &FunctionPlan) -> String {
        self.item(&function_path(function))
    }

    /// What is called: the function, or, where not every bit pattern is a value of what it returns, the same as one that returns an integer.
    pub(super) fn callee(&mut self, function: &FunctionPlan) -> String {
        let name = self.function(function);
        let Some(bits) = function.ret.as_ref().and_then(|ret| ret.shape.bits()) else { return name };
        let declared = &function.params[..function.variadic.unwrap_or(function.params.len())];
        let mut types: Vec<_> =
            declared.iter().map(|param| self.shown(param.shown_as.as_deref(), &param.shape)).collect();
        let mut unknown = vec!["_".to_owned(); types.len()];
        if function.variadic.is_some() {
            types.push("...".to_owned());
            unknown.push("...".to_owned());
        }
        let of = |types: Vec<String>, ret: &str| {
            format!("unsafe extern {:?} fn({}) -> {ret}", function.abi, types.join(", "))
        };
        format!("std::mem::transmute::<{}, {}>({name})", of(unknown, "_"), of(types, bits))
    }

    /// As [`Names::function`], of the one that a contract names; that it runs in the domain was checked.
    pub(super) fn function_named(&mut self, name: &str) -> String {
        self.declaration(name).map_or_else(|| name.to_owned(), |function| self.callee(function))
    }

    /// The types of its parameters.
    pub(super) fn params_of(&self, name: &str) -> Vec<Shape> {
        let params = self.declaration(name).map(|function| function.params.iter().map(|param| param.shape.clone()));
        params.into_iter().flatten().collect()
    }

    /// The type that it returns.
    pub(super) fn ret_of(&self, name: &str) -> Option<Shape> {
        Some(self.declaration(name)?.ret.as_ref()?.shape.clone())
    }

    fn declaration(&self, name: &str) -> Option<&'t FunctionPlan> {
        self.domain.functions.iter().find(|function| function.name == name)
    }

    /// The type that the policy gives, or else that of the shape.
    pub(super) fn shown(&mut self, stated: Option<&str>, shape: &Shape) -> String {
        match stated {
            Some(name) if Number::named(name).is_some_and(Number::is_of_ffi) => self.of_c(name),
            Some(ty) => ty.to_owned(),
            None => self.ty(shape),
        }
    }

    /// The element of a slice that a pointer leads to, as the program sees it.
    pub(super) fn element(&mut self, pointer: &Shape) -> String {
        match pointer.pointee() {
            Some((_, to)) if !to.is_raw() => self.ty(to),
            _ => "u8".to_owned(),
        }
    }

    /// A type as the generated code names it.
    pub(super) fn ty(&mut self, shape: &Shape) -> String {
        match shape {
            Shape::Int(Some(name)) | Shape::Float(name) if name.starts_with("c_") => self.of_c(name),
            Shape::Int(Some(name)) | Shape::Float(name) => name.clone(),
            Shape::Bool => "bool".to_owned(),
            Shape::Char => self.of_c("c_char"),
            Shape::Void => self.of_c("c_void"),
            Shape::Array { of, len } => format!("[{}; {len}]", self.ty(of)),
            Shape::Pointer { newtype: Some(path), .. } => self.item(path),
            Shape::Pointer { mutable: true, to, .. } => format!("*mut {}", self.ty(to)),
            Shape::Pointer { mutable: false, to, .. } => format!("*const {}", self.ty(to)),
            Shape::Opaque(path) | Shape::Enum { path, .. } | Shape::Struct { path, .. } => self.item(path),
            // Never named: a contract hides it, or was refused.
            Shape::Int(None) | Shape::Unknown { .. } => "_".to_owned(),
            Shape::Function(function) => {
                let pointer = self.function_pointer(function, &function.qualifiers);
                if function.nullable { format!("Option<{pointer}>") } else { pointer }
            }
        }
    }

    /// A pointer to a function of this signature.
    pub(super) fn function_pointer(&mut self, function: &Function, qualifiers: &str) -> String {
        let params: Vec<_> = function.params.iter().map(|(_, shape)| self.ty(shape)).collect();
        let ret = function.ret.as_ref().map(|ret| format!(" -> {}", self.ty(ret))).unwrap_or_default();
        format!("{qualifiers} fn({}){ret}", params.join(", "))
    }

    /// A name of `isolate_rt`, imported.
    pub(super) fn runtime(&mut self, name: &'static str) -> &'static str {
        self.runtime.insert(name);
        name
    }

    /// A name of `std::ffi`, imported.
    pub(super) fn of_c(&mut self, name: &str) -> String {
        self.ffi_types.insert(name.to_owned());
        name.to_owned()
    }

    /// A function or type of the library.
    pub(super) fn item(&mut self, item: &TypePath) -> String {
        let path = self.target.paths.get(item).cloned().unwrap_or_else(|| "crate".to_owned());
        let alias = match self.imports.iter_mut().find(|import| import.path == path) {
            Some(import) => {
                import.ways.push(self.around.clone());
                import.alias.clone()
            }
            None => {
                let alias = match self.imports.len() {
                    0 => "ffi".to_owned(),
                    others => format!("ffi{}", others + 1),
                };
                let ways = vec![self.around.clone()];
                self.imports.push(Import { path, alias: alias.clone(), cfgs: Vec::new(), ways });
                alias
            }
        };
        format!("{alias}::{}", item.name)
    }
}

/// The name of a struct of Rust that shows one of the library: the same, unless generated code means something else by it.
pub(super) fn free_type(name: &str) -> String {
    const RUNTIME: [&str; 14] = [
        "Backend",
        "Callbacks",
        "Domain",
        "End",
        "EndOfChild",
        "Error",
        "Fault",
        "Globals",
        "Handle",
        "HeapKind",
        "Inside",
        "Null",
        "Object",
        "Owned",
    ];
    const PRELUDE: [&str; 7] = ["Box", "FnMut", "Option", "Result", "Send", "String", "Vec"];
    const FFI: [&str; 2] = ["CStr", "CString"];
    let is_primitive = Number::named(name).is_some() || name == "bool" || name.starts_with("c_");
    let is_taken = is_primitive || [&RUNTIME[..], &PRELUDE, &FFI].iter().any(|all| all.contains(&name));
    format!("{name}{}", if is_taken { "_" } else { "" })
}

/// `libz_sys` of `libz_sys::bindings`.
fn first(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}
