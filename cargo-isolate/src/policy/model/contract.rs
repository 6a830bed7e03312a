//! Contracts of single pointers and values, and of structs that stay in the domain.

use crate::{glob::Glob, policy::spanned::Spanned};
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use std::{collections::BTreeMap, fmt};

/// What one pointer or value means. The plan, which knows the signature, checks each word.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Contract {
    /// What it is.
    #[cfg_attr(test, schemars(extend("enum" = crate::contract::check::KINDS)))]
    pub(crate) kind: Option<Spanned<String>>,
    /// Who reads and who writes.
    #[cfg_attr(test, schemars(extend("enum" = crate::contract::check::DIRS)))]
    pub(crate) dir: Option<Spanned<String>>,
    /// How many elements the function may touch: an expression over the parameters.
    pub(crate) len: Option<Spanned<String>>,
    /// How many elements an `out` buffer has room for: an expression over the parameters.
    pub(crate) cap: Option<Spanned<String>>,
    /// The parameter that points behind the last element, in place of a length; of an array `"NULL"`, where that stands behind the last
    /// pointer.
    pub(crate) end: Option<Spanned<String>>,
    /// What each pointer of an array leads to.
    pub(crate) elem: Option<Spanned<Element>>,
    /// How many elements were written, known after the call: an expression over the parameters and `ret`.
    pub(crate) written: Option<Spanned<String>>,
    /// Whether NULL may be passed or returned.
    #[cfg_attr(test, schemars(extend("enum" = crate::contract::check::NULLS)))]
    pub(crate) null: Option<Spanned<String>>,
    /// Who ends or frees it: `"give"` makes the program the owner, `"take"` the function.
    #[cfg_attr(test, schemars(extend("enum" = crate::contract::check::OWNS)))]
    pub(crate) own: Option<Spanned<String>>,
    /// The function that ends or frees what is given.
    pub(crate) free: Option<Spanned<String>>,
    /// The parameter that what is given is made of, and which must not end before.
    pub(crate) parent: Option<Spanned<String>>,
    /// The slice or string among the parameters that the pointer leads into: its position there goes in, or comes out.
    pub(crate) inner_of: Option<Spanned<String>>,
    /// What a wrapper passes, always: a number, the address that a library knows as a word of its own, or a string.
    pub(crate) value: Option<Spanned<FixedWord>>,
    /// How long the library may call a callback: `"call"`, until the function returns; `"free:OBJECT"`, until the object of that
    /// parameter, or of `ret`, has ended; `"slot:OBJECT.NAME"`, until another takes that place.
    #[cfg_attr(test, schemars(extend("pattern" = "^(call|free:.+|slot:.+\\..+)$")))]
    pub(crate) scope: Option<Spanned<String>>,
    /// How long the library keeps the pointer to a slice or string that goes in: `"free:OBJECT"`, until the object of that parameter, or
    /// of `ret`, has ended; `"slot:OBJECT.NAME"`, until another takes that place.
    #[cfg_attr(test, schemars(extend("pattern" = "^(free:.+|slot:.+\\..+)$")))]
    pub(crate) until: Option<Spanned<String>>,
    /// The parameter whose value the library hands on to a callback: a closure has no need of it, so NULL is passed.
    pub(crate) user: Option<Spanned<String>>,
    /// What a callback's own parameters mean, in order.
    pub(crate) params: Option<Spanned<Vec<Spanned<CallbackParam>>>>,
    /// Rust type to show instead of one that cannot be named.
    pub(crate) ty: Option<Spanned<String>>,
}

/// What each pointer of an array leads to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Element {
    /// What it is.
    #[cfg_attr(test, schemars(extend("enum" = crate::contract::check::ELEMENT_KINDS)))]
    pub(crate) kind: Option<Spanned<String>>,
    /// Who reads and who writes a buffer.
    #[cfg_attr(test, schemars(extend("enum" = crate::contract::check::DIRS)))]
    pub(crate) dir: Option<Spanned<String>>,
    /// How many elements each buffer has that is read: an expression over the parameters.
    pub(crate) len: Option<Spanned<String>>,
    /// How many elements each `out` buffer has room for: an expression over the parameters.
    pub(crate) cap: Option<Spanned<String>>,
    /// Whether NULL may stand in place of a string or an object.
    #[cfg_attr(test, schemars(extend("enum" = ["never", "ok"])))]
    pub(crate) null: Option<Spanned<String>>,
}

impl Element {
    /// The contract of a parameter with the same words.
    pub(crate) fn contract(&self) -> Contract {
        let Self { kind, dir, len, cap, null } = self.clone();
        Contract { kind, dir, len, cap, null, ..Contract::default() }
    }
}

/// What one parameter of a callback means, and so what a closure gets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CallbackParam {
    /// What it is.
    #[cfg_attr(test, schemars(extend("enum" = crate::contract::check::CALLBACK_KINDS)))]
    pub(crate) kind: Option<Spanned<String>>,
    /// Whether the closure reads or writes a buffer.
    #[cfg_attr(test, schemars(extend("enum" = ["in", "out"])))]
    pub(crate) dir: Option<Spanned<String>>,
    /// How many elements or strings there are: an expression over the callback's parameters, and the function's (`fn.size`).
    pub(crate) len: Option<Spanned<String>>,
    /// How many elements an `out` buffer has room for: an expression over the callback's parameters, and the function's.
    pub(crate) cap: Option<Spanned<String>>,
    /// How many of them the closure wrote: an expression over the callback's parameters and `ret`.
    pub(crate) written: Option<Spanned<String>>,
    /// Whether the library may pass NULL.
    #[cfg_attr(test, schemars(extend("enum" = crate::contract::check::NULLS)))]
    pub(crate) null: Option<Spanned<String>>,
}

impl CallbackParam {
    /// The contract of an ordinary function's parameter with the same words.
    pub(crate) fn contract(&self) -> Contract {
        let Self { kind, dir, len, cap, written, null } = self.clone();
        Contract { kind, dir, len, cap, written, null, ..Contract::default() }
    }
}

/// A struct whose bytes are not enough, because it holds pointers: it stays in the domain, or is a slice by another name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Struct {
    /// Glob over the functions that fill one in the caller's memory → the function that ends it.
    #[serde(default)]
    pub(crate) create: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Pointers that are NULL at the start and the library's own from then on.
    #[serde(default)]
    pub(crate) private: Vec<Spanned<String>>,
    /// Fields that the program may read: numbers, strings that the library sets, and pointers to objects of its own.
    #[serde(default)]
    pub(crate) read: Vec<Spanned<String>>,
    /// Pointers to buffers, by field.
    #[serde(default)]
    pub(crate) field: BTreeMap<Spanned<String>, Spanned<Field>>,
}

/// A pointer to a buffer: with `len` to one of the library, which the program reads, or to a slice of the program where there is nothing
/// else in the struct (but a `position`); with the other words a cursor, which moves along one of the program as the library reads or
/// writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Field {
    /// How many elements there are: an expression over the struct's fields.
    pub(crate) len: Option<Spanned<String>>,
    /// Of a buffer of the program: the field that says how far into it the library has got.
    pub(crate) position: Option<Spanned<String>>,
    /// Of a cursor: whether the library reads or writes there.
    pub(crate) dir: Option<Spanned<CursorDir>>,
    /// Of a cursor: the field that counts the elements left.
    pub(crate) left: Option<Spanned<String>>,
    /// Of a cursor: globs over the functions that move it.
    #[serde(default, rename = "fn")]
    pub(crate) functions: Vec<Spanned<Glob>>,
}

impl Field {
    /// Whether it has any of a cursor's keys.
    pub(crate) fn is_cursor(&self) -> bool {
        self.dir.is_some() || self.left.is_some() || !self.functions.is_empty()
    }
}

/// Which way a cursor's buffer goes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum CursorDir {
    In,
    Out,
}

/// What a wrapper passes, always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FixedWord {
    /// A number, or an address that a library knows as a word.
    Number(i64),
    /// A string, or `sizeof(STRUCT)`.
    Text(String),
}

impl<'de> Deserialize<'de> for FixedWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl Visitor<'_> for Word {
            type Value = FixedWord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a string")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<FixedWord, E> {
                Ok(FixedWord::Number(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FixedWord, E> {
                Ok(FixedWord::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Word)
    }
}
