//! Contracts that a bare signature speaks for, each with its evidence; everything else is refused with a stub to paste.
//!
//! The rules and how often each was right are those measured in the design notes: a rule that put a wrong length on a
//! buffer even rarely is not here, because our own trusted copy would then be the overflow.

mod callback;
mod constants;
mod lengths;
mod library;
mod nature;
mod pointer;
mod units;

use super::{
    Contract, Dir, Hold, Lasting,
    check::{Param, Signature},
    shape::Shape,
};
use pointer::Pointer;
use serde::Serialize;

pub(crate) use lengths::sounds_like_length;
pub(crate) use library::Library;

/// What an inferred contract rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tier {
    /// A type that can be nothing else, or what the policy says of another parameter.
    Clear,
    /// How C libraries name and type their parameters: right in practically every case that was measured, and no proof.
    Convention,
    /// Generated, and listed for a human to look at: assumes that the function keeps no pointer.
    Likely,
}

/// What a rule says about one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inference {
    Found { contract: Contract, tier: Tier, evidence: String },
    Refused(Refusal),
}

/// Why there is no contract, and what one might look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    /// Right side of the policy entry to start from; `None` where no contract can help yet.
    pub(crate) candidate: Option<String>,
    /// What it is, where only the words for it are missing.
    pub(crate) is: Option<Nature>,
}

/// What a pointer is that no contract can be made for without words of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Nature {
    /// A function of the caller.
    Callback,
    /// What callbacks are called with, and nobody else looks at.
    Token,
    /// A struct in the caller's memory that the library works on from call to call.
    Object,
    /// A struct that is nothing but a pointer and a length.
    Slice,
    /// A pointer to a pointer that moves along an input.
    Cursor,
    /// The start of what ends where another pointer points.
    Run,
    /// A place in what another pointer points to, or its end.
    Place,
    /// Pointers to objects, as many as another parameter says.
    Handles,
    /// Memory that the library gave away, and takes back here.
    Freed,
    /// Bytes as long as another parameter says, for something that outlives the call and may hold on to them.
    Lent,
}

/// What is known of each parameter before the rules run.
#[derive(Clone, Debug)]
pub(crate) struct Known<'k> {
    /// Contracts from the policy, by position.
    pub(crate) stated: Vec<Option<Contract>>,
    /// The package that declares the function.
    pub(crate) library: &'k Library,
}

/// Infers the contract of the parameter at `index`.
pub(crate) fn param(signature: &Signature, index: usize, known: &Known<'_>) -> Inference {
    let subject = &signature.params[index];
    match &subject.shape {
        Shape::Pointer { mutable, to, .. } => Pointer { signature, index, known, mutable: *mutable, to }.infer(),
        Shape::Function(function) => Inference::Refused(callback::refusal(signature, index, function)),
        shape => value(shape, false),
    }
}

/// A length that comes out, and of no other buffer: `leveldb_iter_key(it, &klen)`.
fn told_beside(signature: &Signature) -> Option<&str> {
    let is_buffer = |param: &Param| param.shape.pointee().is_some_and(|(_, to)| to.is_byte() || to.pointee().is_some());
    let cell = signature.params.iter().find(|param| lengths::is_length_cell(param))?;
    (!signature.params.iter().any(is_buffer)).then_some(&*cell.name)
}

/// Infers the contract of the return value.
pub(crate) fn ret(signature: &Signature, shape: &Shape, library: &Library) -> Inference {
    let function = &*signature.name;
    let Some((mutable, to)) = shape.pointee() else { return value(shape, true) };
    match to {
        _ if shape.is_reference() => {
            refused(format!("`{shape}` is returned: nothing from a domain is believed to be a reference"), None)
        }
        Shape::Char if !mutable && let Some(length) = told_beside(signature) => refused(
            format!("a returned `*const c_char`: a string, or as many bytes as `*{length}` says?"),
            Some(&format!("{{ kind = \"buf\", len = \"*{length}\", null = \"ok\" }}")),
        ),
        Shape::Char if !mutable => found(
            Contract::Cstr { dir: Dir::In, nullable: true, free: None, until: Lasting::Call },
            Tier::Convention,
            "a returned `*const c_char` is a string that the library keeps; it is copied",
        ),
        Shape::Opaque(_) => found(
            Contract::Handle { dir: Dir::In, nullable: true, hold: Hold::Keep },
            Tier::Likely,
            format!("a returned pointer to an opaque type is a handle{}", library.hint(function, to)),
        ),
        Shape::Struct { path, .. } if let Some(evidence) = pointer::made(library, path) => {
            let contract = Contract::Handle { dir: Dir::In, nullable: true, hold: Hold::Keep };
            found(contract, Tier::Likely, evidence + &library.hint(function, to))
        }
        _ if let Some(evidence) = pointer::named(library, &signature.ret_ty) => {
            found(Contract::Handle { dir: Dir::In, nullable: true, hold: Hold::Keep }, Tier::Likely, evidence)
        }
        Shape::Char if let Some(cell) = signature.params.iter().find(|param| lengths::is_length_cell(param)) => {
            let length = &cell.name;
            let owned = library.frees_text().map(|free| format!(", own = \"give\", free = \"{free}\""));
            refused(
                format!("a returned `*mut c_char`: a string, or as many bytes as `*{length}` says? and who frees it?"),
                Some(&format!("{{ kind = \"buf\", len = \"*{length}\", null = \"ok\"{} }}", owned.unwrap_or_default())),
            )
        }
        Shape::Char if let Some(free) = library.frees_text() => refused(
            format!("a returned `*mut c_char`: by its name `{free}` frees it, if it is the caller's own"),
            Some(&format!("{{ kind = \"cstr\", null = \"ok\", own = \"give\", free = \"{free}\" }}")),
        ),
        Shape::Char => refused(
            "a returned `*mut c_char`: nothing says who frees it; as a `cstr` it is copied and never freed",
            Some("{ kind = \"cstr\", null = \"ok\" }"),
        ),
        _ => {
            let candidate = library.gift(function, "ret", to);
            refused(
                format!("a returned `{shape}`: nothing says how much it points to or who owns it"),
                candidate.as_deref(),
            )
        }
    }
}

/// Something passed or returned in registers.
fn value(shape: &Shape, returned: bool) -> Inference {
    let passed = |evidence| found(Contract::Value, Tier::Clear, evidence);
    match shape {
        Shape::Int(Some(_)) | Shape::Float(_) => passed("a number"),
        Shape::Char => passed("a character"),
        Shape::Int(None) => refused(
            format!("`{shape}`: an integer whose type differs between configurations, so no name is right in all"),
            Some("{ kind = \"value\", ty = \"c_ulong\" }"),
        ),
        Shape::Void if returned => passed("nothing"),
        shape if returned && shape.bits().is_some() => passed("returned, and held against the values of its type"),
        Shape::Bool | Shape::Enum { .. } if returned => {
            let why = shape.hindrance().unwrap_or_default();
            refused(format!("it returns {why}: declare the return type as an integer and check it"), None)
        }
        Shape::Enum { path, copy: false, .. } => refused(
            format!(
                "the enum `{}` is passed by value, but it is not `Copy`: derive it, or declare the function with an integer",
                path.name
            ),
            None,
        ),
        Shape::Bool | Shape::Enum { .. } => passed("passed by value"),
        Shape::Struct { path, hindrance, .. } => match hindrance {
            None => passed("a struct of plain numbers, by value"),
            Some(why) => refused(format!("the struct `{}` is passed by value, but {why}", path.name), None),
        },
        Shape::Function(_) => refused(format!("a returned `{shape}`: no wrapper gives away a function"), None),
        Shape::Unknown { ty, why } => {
            refused(format!("its type `{ty}` is not known: {why}"), Some("{ kind = \"value\", ty = \"…\" }"))
        }
        Shape::Array { .. } | Shape::Opaque(_) | Shape::Void | Shape::Pointer { .. } => {
            refused(format!("`{shape}` cannot be passed by value in C"), None)
        }
    }
}

fn found(contract: Contract, tier: Tier, evidence: impl Into<String>) -> Inference {
    Inference::Found { contract, tier, evidence: evidence.into() }
}

fn refused(reason: impl Into<String>, candidate: Option<&str>) -> Inference {
    Inference::Refused(Refusal { reason: reason.into(), candidate: candidate.map(str::to_owned), is: None })
}

fn recognised(is: Nature, reason: impl Into<String>) -> Inference {
    Inference::Refused(Refusal { reason: reason.into(), candidate: None, is: Some(is) })
}
