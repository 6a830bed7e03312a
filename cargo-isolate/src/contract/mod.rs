//! What a pointer of a foreign signature means: stated by the policy, or inferred where that is proven to be right.
//!
//! ```text
//! type text ─► shape ─┐
//! policy words ───────┼─► contract, or a refusal with a stub to paste
//! names of parameters ┘
//! ```

pub(crate) mod check;
pub(crate) mod expr;
pub(crate) mod infer;
pub(crate) mod object;
pub(crate) mod shape;
pub(crate) mod types;

use expr::Expr;
use object::{Cursor, Life};
use serde::Serialize;

/// The meaning of one parameter or return value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Contract {
    /// Passed as it is.
    Value,
    /// Points to one value.
    Obj { dir: Dir, nullable: bool },
    /// Points to a run of values.
    Buf {
        dir: Dir,
        /// Elements that the function may touch, known before the call.
        len: Expr,
        /// Elements that it wrote, known after the call; `None`: it may have written any of them.
        written: Option<Expr>,
        nullable: bool,
    },
    /// Points to a string that ends with a NUL; with `inout` the function may change it, and gets a copy to do so.
    Cstr { dir: Dir, nullable: bool },
    /// Points to an object that lives in the domain and is never looked into.
    Handle { dir: Dir, nullable: bool },
    /// Points to a struct of the policy, which stays in the domain.
    Object {
        #[serde(flatten)]
        life: Life,
        cursors: Vec<Cursor>,
    },
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
    /// As the policy would say it; an object, of which `[struct]` speaks, in words.
    pub(crate) fn to_toml(&self) -> String {
        let words = |kind: &str, dir: Option<Dir>, rest: Vec<(&str, String)>, nullable: bool| {
            let mut words = vec![("kind", kind.to_owned())];
            words.extend(dir.map(|dir| ("dir", dir.word().to_owned())));
            words.extend(rest);
            words.extend(nullable.then(|| ("null", "ok".to_owned())));
            let words: Vec<_> = words.iter().map(|(key, value)| format!("{key} = \"{value}\"")).collect();
            format!("{{ {} }}", words.join(", "))
        };
        match self {
            Contract::Value => words("value", None, vec![], false),
            Contract::Obj { dir, nullable } => words("obj", Some(*dir), vec![], *nullable),
            Contract::Buf { dir, len, written, nullable } => {
                let bound = if *dir == Dir::Out { "cap" } else { "len" };
                let mut rest = vec![(bound, len.to_string())];
                rest.extend(written.iter().map(|written| ("written", written.to_string())));
                words("buf", Some(*dir), rest, *nullable)
            }
            Contract::Cstr { dir, nullable } => words("cstr", (*dir != Dir::In).then_some(*dir), vec![], *nullable),
            Contract::Object { life: Life::Made { end }, .. } => format!("filled here, ended by `{}`", end.name),
            Contract::Object { life: Life::Ended, .. } => "ended here".to_owned(),
            Contract::Object { cursors, .. } => {
                let moved: Vec<_> =
                    cursors.iter().filter(|cursor| cursor.moves).map(|cursor| format!("`{}`", cursor.field)).collect();
                match moved.is_empty() {
                    true => "stays in the domain".to_owned(),
                    false => format!("stays in the domain; moves {}", moved.join(" and ")),
                }
            }
            Contract::Handle { dir, nullable } => words("handle", (*dir != Dir::In).then_some(*dir), vec![], *nullable),
        }
    }
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
