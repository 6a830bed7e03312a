//! What a pointer of a foreign signature means: stated by the policy, or inferred from types and names.
//!
//! ```text
//! type text ─► shape ─┐
//! policy words ───────┼─► contract, or a refusal with a stub to paste
//! names of parameters ┘
//! ```

pub(crate) mod check;
pub(crate) mod expr;
pub(crate) mod infer;
pub(crate) mod number;
pub(crate) mod object;
pub(crate) mod shape;
pub(crate) mod sight;
mod toml;
pub(crate) mod types;

use expr::{Call, Condition, Expr};
use object::{Cursor, Life, Slice};
use serde::{Serialize, Serializer};
use shape::{Shape, TypePath};
use std::fmt;

/// The meaning of one parameter or return value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Contract {
    /// Passed as it is.
    Value,
    /// Always this, as an address or a number: NULL where the wrapper does without.
    Fixed { value: i64 },
    /// Always this string.
    Text { value: String },
    /// Always the size of this struct, in bytes: a library that was built with another refuses to work.
    Size { of: TypePath },
    /// Points to one value.
    Obj { dir: Dir, nullable: bool },
    /// Leads into the slice or string of another parameter: goes in, comes out of a parameter, or is returned.
    Inner { dir: Dir, of: String, nullable: bool },
    /// Points to a run of values of the caller.
    Buf {
        dir: Dir,
        /// Elements that the function may touch, known before the call.
        len: Expr,
        /// Elements that it wrote, known after the call; `None`: it may have written any of them.
        written: Option<Expr>,
        nullable: bool,
        /// How long the function keeps the pointer.
        #[serde(skip_serializing_if = "Lasting::is_call")]
        until: Lasting,
    },
    /// Points to pointers, each to something of the caller's or to an object of the domain.
    Array {
        /// Pointers that the function may follow, known before the call; `None`: NULL ends them.
        len: Option<Expr>,
        /// NULL stands behind the last.
        ended: bool,
        elem: Element,
        nullable: bool,
    },
    /// Points to a run of values in memory of the library, returned or come out of a parameter, and copied.
    Given {
        dir: Dir,
        /// Elements there, known after the call.
        len: Expr,
        nullable: bool,
        /// What the library gave away is freed once it was copied.
        free: Option<String>,
    },
    /// A struct of a pointer and a length, or a pointer to one: what goes in is the caller's slice, what comes out is copied.
    #[serde(rename = "buf")]
    Slice {
        dir: Dir,
        #[serde(flatten)]
        slice: Box<Slice>,
        nullable: bool,
    },
    /// Points to a struct of a pointer, a length, and how far the library has read or written there: a slice of the caller, of which the
    /// wrapper says how much is done.
    #[serde(rename = "buf")]
    Progress {
        dir: Dir,
        #[serde(flatten)]
        slice: Box<Slice>,
    },
    /// Points to a string that ends with a NUL; with `inout` the function may change it, and gets a copy to do so. One that
    /// comes out of the library is copied.
    Cstr {
        dir: Dir,
        nullable: bool,
        free: Option<String>,
        /// How long the function keeps the pointer.
        #[serde(skip_serializing_if = "Lasting::is_call")]
        until: Lasting,
    },
    /// Points to an object that lives in the domain and is never looked into.
    Handle { dir: Dir, nullable: bool, hold: Hold },
    /// A closure of the program, which the library calls.
    #[serde(rename = "cb")]
    Callback {
        scope: Lasting,
        /// Gets NULL: the parameter that the library hands on to the callback.
        user: Option<String>,
        nullable: bool,
        params: Vec<Told>,
    },
    /// Memory that the library gave away. Wrappers pass it, once they have copied what is there, and nobody else has it.
    Memory,
    /// Points to a struct of the policy, which stays in the domain.
    Object {
        #[serde(flatten)]
        life: Life,
        cursors: Vec<Cursor>,
    },
}

/// What each pointer of an array leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Element {
    /// A string that is read.
    Cstr { nullable: bool },
    /// As many values as each other one, or as many as another array says, which the caller has.
    Buf { dir: Dir, len: Expr, nullable: bool },
    /// A value that is read.
    Obj,
    /// An object that lives in the domain, and stays whose it is.
    Handle { nullable: bool },
}

/// What a closure is told for one parameter of the callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Told {
    /// The number that it is.
    Value,
    /// Nothing: it is what the function was given for the callback.
    User,
    /// A copy of the string that it points to.
    Cstr { nullable: bool },
    /// Copies of the strings that it points to pointers to; there is none where such a pointer is NULL.
    Strarr { len: Expr, nullable: bool },
    /// A copy of the values that it points to.
    Buf { len: Expr, nullable: bool },
    /// Room, which is copied to where it points.
    Room { cap: Expr, written: Option<Expr> },
    /// The object in the domain that it points to.
    Handle { nullable: bool },
}

/// How long a library may call a closure, or look at what it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// Until the function returns.
    Call,
    /// Until an object has ended: that of a parameter, or (`ret`) the one that is returned. With a slot, until another takes that.
    Object { object: String, slot: Option<String> },
}

/// Who ends the object behind a handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "own", rename_all = "kebab-case")]
pub(crate) enum Hold {
    /// Whoever did before.
    Keep,
    /// The program, when it drops it.
    Give {
        #[serde(serialize_with = "name_of_end")]
        free: Ending,
        /// The parameter of what must not end before.
        parent: Option<String>,
    },
    /// The function, here and now.
    Take {
        /// It wants a pointer to the pointer.
        indirect: bool,
    },
}

/// A function that ends an object, and how it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) function: String,
    pub(crate) args: Vec<EndingArg>,
}

/// What is passed to a function that ends an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndingArg {
    /// The object.
    Object {
        /// It wants a pointer to the pointer.
        indirect: bool,
    },
    /// What the object was made of.
    Parent,
    Null,
}

impl EndingArg {
    /// The object itself, if a parameter of this type can take it.
    pub(crate) fn object(param: &Shape, object: &Shape) -> Option<EndingArg> {
        match param.pointee()? {
            (_, to) if to == object => Some(EndingArg::Object { indirect: false }),
            (true, to) if to.pointee().is_some_and(|(_, to)| to == object) => {
                Some(EndingArg::Object { indirect: true })
            }
            _ => None,
        }
    }
}

/// How a function tells that it failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failing {
    /// Over what it returned.
    pub(crate) error: Condition,
    /// A function of the library that says it in words.
    #[serde(serialize_with = "text_of_call")]
    pub(crate) message: Option<Call>,
    /// The contracts that ship with the tool say so.
    pub(crate) ships: bool,
}

/// Which way what is pointed to moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dir {
    In,
    Out,
    Inout,
}

impl Contract {
    /// The same where NULL is an error of its own.
    pub(crate) fn never_null(mut self) -> Contract {
        match &mut self {
            Contract::Obj { nullable, .. }
            | Contract::Inner { nullable, .. }
            | Contract::Buf { nullable, .. }
            | Contract::Array { nullable, .. }
            | Contract::Given { nullable, .. }
            | Contract::Slice { nullable, .. }
            | Contract::Cstr { nullable, .. }
            | Contract::Handle { nullable, .. }
            | Contract::Callback { nullable, .. } => *nullable = false,
            Contract::Value
            | Contract::Fixed { .. }
            | Contract::Text { .. }
            | Contract::Size { .. }
            | Contract::Progress { .. }
            | Contract::Memory
            | Contract::Object { .. } => {}
        }
        self
    }

    /// How many elements there are of the caller's, known before the call.
    pub(crate) fn len(&self) -> Option<&Expr> {
        match self {
            Contract::Buf { len, .. } => Some(len),
            Contract::Array { len, .. } => len.as_ref(),
            _ => None,
        }
    }

    /// All lengths that must be known before the call.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = &Expr> {
        let of_each = match self {
            Contract::Array { elem: Element::Buf { len, .. }, .. } => Some(len),
            _ => None,
        };
        self.len().into_iter().chain(of_each)
    }

    /// The array in which the length of each buffer stands.
    pub(crate) fn length_of_each(&self) -> Option<&str> {
        match self {
            Contract::Array { elem: Element::Buf { len: Expr::Each(lengths), .. }, .. } => Some(lengths),
            _ => None,
        }
    }

    /// The object for which the library keeps what it was given, and the place there that another may take.
    pub(crate) fn kept_for(&self) -> Option<(&str, Option<&str>)> {
        let (Contract::Callback { scope: lasting, .. }
        | Contract::Buf { until: lasting, .. }
        | Contract::Cstr { until: lasting, .. }) = self
        else {
            return None;
        };
        match lasting {
            Lasting::Call => None,
            Lasting::Object { object, slot } => Some((object, slot.as_deref())),
        }
    }

    /// What it says about lengths known after the call.
    pub(crate) fn counted_by(&self) -> Option<&Expr> {
        match self {
            Contract::Buf { written, .. } => written.as_ref(),
            Contract::Given { len, .. } => Some(len),
            _ => None,
        }
    }
}

impl Told {
    /// How much it is, and of that how much the closure wrote.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = &Expr> {
        let (len, written) = match self {
            Told::Strarr { len, .. } | Told::Buf { len, .. } => (Some(len), None),
            Told::Room { cap, written } => (Some(cap), written.as_ref()),
            Told::Value | Told::User | Told::Cstr { .. } | Told::Handle { .. } => (None, None),
        };
        len.into_iter().chain(written)
    }

    /// A slice, whose length is this parameter of the callback: nobody needs that beside it.
    pub(crate) fn tells(&self, param: &str) -> bool {
        match self {
            Told::Strarr { len, nullable: false }
            | Told::Buf { len, nullable: false }
            | Told::Room { cap: len, .. } => {
                matches!(len, Expr::Name(name) if name == param)
            }
            _ => false,
        }
    }
}

impl Lasting {
    fn is_call(&self) -> bool {
        *self == Lasting::Call
    }
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lasting::Call => f.write_str("call"),
            Lasting::Object { object, slot: None } => write!(f, "free:{object}"),
            Lasting::Object { object, slot: Some(slot) } => write!(f, "slot:{object}.{slot}"),
        }
    }
}

impl Serialize for Lasting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn name_of_end<S: Serializer>(end: &Ending, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&end.function)
}

fn text_of_call<S: Serializer>(call: &Option<Call>, serializer: S) -> Result<S::Ok, S::Error> {
    call.as_ref().map(Call::to_string).serialize(serializer)
}

impl Dir {
    /// The policy's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Dir::In => "in",
            Dir::Out => "out",
            Dir::Inout => "inout",
        }
    }
}
