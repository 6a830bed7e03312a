//! What a plan is made of.

use super::{Crossing, forms};
use crate::{
    contract::{
        Contract, Dir, Element, Failing,
        expr::{Condition, Expr},
        infer::{Nature, Tier},
        object::{Field, Place},
        shape::{Shape, TypePath},
    },
    policy::model,
};
use camino::Utf8PathBuf;
use serde::{Serialize, Serializer};
use std::{collections::BTreeSet, time::Duration};

/// Everything that `wrap` needs to know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Plan {
    /// By name.
    pub(crate) domains: Vec<DomainPlan>,
}

/// One domain with the functions that run in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct DomainPlan {
    pub(crate) name: String,
    /// The package whose archive or shared object serves the symbols.
    pub(crate) library: Library,
    /// File names of further archives and shared objects.
    pub(crate) archives: Vec<String>,
    /// Which contracts ship for this library, or why they are not used; `None` where there are none.
    pub(crate) contracts: Option<String>,
    pub(crate) backend: model::Backend,
    pub(crate) level: model::Level,
    pub(crate) heap_kind: model::HeapKind,
    /// In bytes; `None`: the runtime's own limit.
    pub(crate) heap_limit: Option<u64>,
    /// In bytes; `None`: the runtime's own size.
    pub(crate) stack_size: Option<u64>,
    /// `None`: calls may take as long as they like.
    pub(crate) deadline: Option<Duration>,
    /// Who looks after it.
    pub(crate) timer: model::Timer,
    /// How many threads may be inside at once.
    pub(crate) threads: model::Threads,
    pub(crate) instances: model::Instances,
    /// How many threads of its own the library may have at once; 0: none.
    pub(crate) own_threads: u32,
    /// In the order of their declarations.
    pub(crate) functions: Vec<FunctionPlan>,
    /// What the program may read of structs that live in the domain, by their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) objects: Vec<ObjectPlan>,
    /// Structs that come out whole.
    #[serde(skip)]
    pub(crate) crossing: Vec<Crossing>,
}

/// A struct that lives in the domain, as far as the program sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ObjectPlan {
    #[serde(rename = "name", serialize_with = "named")]
    pub(crate) path: TypePath,
    /// Who provides its memory, outside of the domain.
    pub(crate) place: Place,
    pub(crate) read: Vec<Field>,
    /// Fields that lengths are made of, and the program does not see by themselves, with their types.
    #[serde(skip)]
    pub(crate) counts: Vec<(String, Shape)>,
}

/// A package, as far as wrappers care.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Library {
    /// Index in the graph.
    #[serde(skip)]
    pub(crate) package: usize,
    pub(crate) name: String,
    pub(crate) version: String,
    /// Name of its library as a crate.
    #[serde(rename = "crate")]
    pub(crate) krate: Option<String>,
}

/// One foreign function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct FunctionPlan {
    /// Name in Rust.
    pub(crate) name: String,
    /// Name for the linker, where the declaration spells another one.
    pub(crate) symbol: Option<String>,
    pub(crate) abi: String,
    pub(crate) declared: Declared,
    pub(crate) params: Vec<ParamPlan>,
    pub(crate) ret: Option<RetPlan>,
    /// What became of the contract that ships for it; `None`: none does, or the policy has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ships: Option<Ships>,
    /// How often a call that ended in a fault is made again.
    pub(crate) retry: u32,
    /// How it tells that it failed, where the policy says so.
    pub(crate) failing: Option<Failing>,
    /// The policy has what it returns given back as it is, whatever a contract that ships says of errors.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) never_fails: bool,
    /// Lengths that it tells of objects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) binds: Vec<Bind>,
    /// How many parameters are declared of a function that takes further arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) variadic: Option<usize>,
    /// The way in which it is called, where its contract knows several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Form>,
    /// Why no contract could make it safe to call.
    pub(crate) refused: Option<String>,
    /// Policy text that would settle what was refused, where there is any.
    pub(crate) stub: Option<String>,
    /// Policy text that would say who ends what comes out, where names of the library make that likely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suggested: Option<String>,
}

/// A contract that ships with the tool, against the declaration at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "contract", rename_all = "kebab-case")]
pub(crate) enum Ships {
    Used,
    /// It is left out.
    Misfit {
        reason: String,
        /// What it says, as words of a policy to start from.
        #[serde(skip)]
        tables: String,
        /// By words of the policy's own; without them the function is refused.
        replaced: bool,
    },
}

/// One of the ways in which a function is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Form {
    /// Its wrapper's name.
    pub(crate) name: String,
    /// What holds of the arguments then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<Condition>,
}

/// A length that is known of an object after a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Bind {
    /// The parameter.
    pub(crate) object: String,
    pub(crate) name: String,
    pub(crate) length: Expr,
}

/// The place of a declaration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Declared {
    /// Index in the graph.
    #[serde(skip)]
    pub(crate) index: usize,
    pub(crate) package: String,
    /// Module path within its crate.
    pub(crate) module: Vec<String>,
    /// Relative to the workspace where it lies in there.
    pub(crate) file: Utf8PathBuf,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Predicates under which it is there, in a member: in other packages they are none of the wrappers' business.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) cfgs: Vec<String>,
    /// This build has other features than it needs.
    pub(crate) dormant: bool,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ParamPlan {
    /// As declared; `arg3` for the third where it has none.
    pub(crate) name: String,
    /// As declared.
    #[serde(rename = "type")]
    pub(crate) ty: String,
    /// With aliases followed.
    #[serde(rename = "resolved", serialize_with = "shown")]
    pub(crate) shape: Shape,
    /// Rust type that the policy gives instead of one that cannot be named.
    pub(crate) shown_as: Option<String>,
    pub(crate) role: Role,
    pub(crate) decision: Decision,
}

/// The return value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RetPlan {
    /// As declared.
    #[serde(rename = "type")]
    pub(crate) ty: String,
    /// With aliases followed.
    #[serde(rename = "resolved", serialize_with = "shown")]
    pub(crate) shape: Shape,
    /// Rust type that the policy gives instead of one that cannot be named.
    pub(crate) shown_as: Option<String>,
    pub(crate) decision: Decision,
}

/// Where a wrapper takes a parameter from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// From its caller.
    Caller,
    /// The length of these slices, of which all have the same.
    LengthOf(Vec<String>),
    /// Points to the length of these slices, and may hold another one after the call.
    CellOf(Vec<String>),
    /// Points to the lengths of the buffers in this array.
    LengthsOf(String),
    /// Points behind the last element of this slice.
    EndOf(String),
}

/// The contract of a pointer, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub(crate) enum Decision {
    /// The policy says so.
    Policy { contract: Contract },
    /// Contracts that ship with the tool say so.
    Shipped { contract: Contract },
    /// A rule says so.
    Rule { contract: Contract, tier: Tier, evidence: String },
    /// Nobody knows how to pass it.
    Refused {
        reason: String,
        /// What it is, where that much is clear.
        #[serde(skip_serializing_if = "Option::is_none")]
        is: Option<Nature>,
    },
}

impl Decision {
    pub(crate) fn contract(&self) -> Option<&Contract> {
        match self {
            Decision::Policy { contract } | Decision::Shipped { contract } | Decision::Rule { contract, .. } => {
                Some(contract)
            }
            Decision::Refused { .. } => None,
        }
    }

    /// The same where NULL is an error of its own.
    pub(crate) fn never_null_if(self, null_fails: bool) -> Decision {
        match self {
            Decision::Rule { contract, tier, evidence } if null_fails => {
                Decision::Rule { contract: contract.never_null(), tier, evidence }
            }
            decision => decision,
        }
    }
}

impl ObjectPlan {
    /// Those of `functions` by which the program comes to such an object: by itself, or behind one of `objects` that it reads.
    pub(crate) fn known_by<'f>(
        &self,
        objects: &[ObjectPlan],
        functions: impl IntoIterator<Item = &'f FunctionPlan>,
    ) -> impl Iterator<Item = &'f FunctionPlan> {
        let mut leading = BTreeSet::from([&self.path]);
        // Each round finds at least one more, or is the last.
        for _ in objects {
            let leads = |object: &&ObjectPlan| {
                object.read.iter().any(|field| field.leads_to().is_some_and(|to| leading.contains(to)))
            };
            let more: Vec<_> = objects.iter().filter(leads).map(|object| &object.path).collect();
            leading.extend(more);
        }
        let leading: BTreeSet<_> = leading.into_iter().cloned().collect();
        let is_known = move |function: &&FunctionPlan| function.objects().any(|path| leading.contains(path));
        functions.into_iter().filter(is_known)
    }
}

impl FunctionPlan {
    /// The structs behind its handles, and those that wrappers hold objects of.
    fn objects(&self) -> impl Iterator<Item = &TypePath> {
        let params = self.params.iter().map(|param| (&param.shape, &param.decision));
        let all = params.chain(self.ret.iter().map(|ret| (&ret.shape, &ret.decision)));
        all.filter_map(|(shape, decision)| {
            let to = match decision.contract()? {
                Contract::Object { .. } | Contract::Handle { dir: Dir::In | Dir::Inout, .. } => shape.pointee()?.1,
                Contract::Handle { dir: Dir::Out, .. } | Contract::Array { elem: Element::Handle { .. }, .. } => {
                    shape.pointee()?.1.pointee()?.1
                }
                _ => return None,
            };
            match to {
                Shape::Struct { path, .. } => Some(path),
                _ => None,
            }
        })
    }

    /// What the linker calls it.
    pub(crate) fn symbol(&self) -> &str {
        self.symbol.as_deref().unwrap_or(self.name.trim_start_matches("r#"))
    }

    /// The name of its wrapper: its own, unless that means something else wherever wrappers are.
    pub(crate) fn wrapper(&self) -> &str {
        match &self.form {
            Some(form) => &form.name,
            None => forms::free_name(&self.name),
        }
    }

    /// Every parameter and the return value has a contract.
    pub(crate) fn is_ready(&self) -> bool {
        self.refused.is_none() && self.refusals().is_empty()
    }

    /// Others' wrappers call it, and nobody else can: it frees what they have copied.
    pub(crate) fn is_inner(&self) -> bool {
        self.params.iter().any(|param| param.decision.contract() == Some(&Contract::Memory))
    }

    /// Its wrapper calls another function, by this name, for memory that this one gave away.
    pub(crate) fn frees_by(&self, name: &str) -> bool {
        let decisions = self.params.iter().map(|param| &param.decision).chain(self.ret.iter().map(|ret| &ret.decision));
        decisions.filter_map(Decision::contract).any(|contract| match contract {
            Contract::Given { free, .. } | Contract::Cstr { free, .. } => free.as_deref() == Some(name),
            _ => false,
        })
    }

    /// What the policy alone can say of how a call ends, in its words.
    pub(crate) fn stated_outcome(&self) -> impl Iterator<Item = String> {
        let never = self.never_fails.then(|| "error = false".to_owned());
        never.into_iter().chain((self.retry > 0).then(|| format!("retry = {}", self.retry)))
    }

    /// It calls closures of the program.
    pub(crate) fn calls_back(&self) -> bool {
        self.params.iter().any(|param| matches!(param.decision.contract(), Some(Contract::Callback { .. })))
    }

    /// Nobody needs what it returned: where it has not failed that is always the same, or a count of what the wrapper returns
    /// anyway.
    pub(crate) fn is_told_otherwise(&self) -> bool {
        let Some(failing) = &self.failing else { return false };
        let ret = self.ret.as_ref().map(|ret| &ret.shape);
        // A number below 0 is no count.
        let only_counts = || ret.and_then(Shape::is_signed) == Some(false) || failing.error.takes_negatives();
        failing.error.leaves_one_value().is_some() || self.counts().any(|count| *count == Expr::Ret) && only_counts()
    }

    /// The parameter points to nothing but a count that the wrapper returns anyway.
    pub(crate) fn is_count(&self, cell: &str) -> bool {
        self.counts().any(|count| matches!(count, Expr::Deref(name) if name == cell))
    }

    fn counts(&self) -> impl Iterator<Item = &Expr> {
        let params = self.params.iter().map(|param| &param.decision);
        let all = params.chain(self.ret.iter().map(|ret| &ret.decision));
        all.filter_map(|decision| decision.contract()?.counted_by())
    }

    /// What was refused: the parameter's name (or `ret`), its type, the reason.
    pub(crate) fn refusals(&self) -> Vec<(&str, &str, &str)> {
        let params = self.params.iter().map(|param| (&*param.name, &*param.ty, &param.decision));
        let ret = self.ret.iter().map(|ret| ("ret", &*ret.ty, &ret.decision));
        let all = params.chain(ret);
        all.filter_map(|(name, ty, decision)| match decision {
            Decision::Refused { reason, .. } => Some((name, ty, &**reason)),
            _ => None,
        })
        .collect()
    }
}

impl DomainPlan {
    /// Fields of structs that its wrappers read or set by name.
    pub(crate) fn named_fields(&self) -> impl Iterator<Item = (&TypePath, &str)> {
        let read = self.objects.iter().flat_map(|object| {
            let fields = object.read.iter().map(|field| &field.name);
            fields.chain(object.counts.iter().map(|(name, _)| name)).map(|name| (&object.path, &**name))
        });
        let params = self.functions.iter().flat_map(|function| &function.params);
        let set = params.flat_map(|param| match (param.decision.contract(), param.shape.pointee()) {
            (Some(Contract::Slice { slice, .. } | Contract::Progress { slice, .. }), _) => {
                let fields = [&slice.pointer, &slice.length].into_iter().chain(&slice.position);
                fields.map(|name| (&slice.path, &**name)).collect()
            }
            (Some(Contract::Object { cursors, .. }), Some((_, Shape::Struct { path, .. }))) => {
                let fields = cursors.iter().flat_map(|cursor| [&cursor.field, &cursor.left]);
                fields.map(|name| (path, &**name)).collect()
            }
            _ => Vec::new(),
        });
        read.chain(set)
    }
}

impl Plan {
    /// What of it the build at hand has: wrappers are written for every choice of features, but only these are compiled.
    pub(crate) fn live(&self) -> Plan {
        let mut live = self.clone();
        for domain in &mut live.domains {
            domain.functions.retain(|function| !function.declared.dormant);
            domain.functions.iter_mut().for_each(|function| function.declared.cfgs.clear());
        }
        live
    }

    /// Functions that cannot be wrapped yet.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (&DomainPlan, &FunctionPlan)> {
        let all =
            self.domains.iter().flat_map(|domain| domain.functions.iter().map(move |function| (domain, function)));
        all.filter(|(_, function)| !function.is_ready())
    }
}

fn named<S: Serializer>(path: &TypePath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.name)
}

fn shown<S: Serializer>(shape: &Shape, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(shape)
}
