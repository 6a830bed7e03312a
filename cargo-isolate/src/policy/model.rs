//! The policy file's shape. Values that a later complaint may point at are [`Spanned`].

use super::{day::Day, duration::Period, rule_name::RuleName, size::Size, spanned::Spanned, versions::Versions};
use crate::glob::Glob;
use isolate_lints::rules::Severity;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use std::{collections::BTreeMap, fmt};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Policy {
    /// Format version; 1.
    pub(crate) version: Option<Spanned<u32>>,
    /// Build first, as `--expand` does, to see what build scripts write: it runs them.
    pub(crate) expand: Option<Spanned<bool>>,
    #[serde(default)]
    pub(crate) audit: Audit,
    #[serde(default)]
    pub(crate) check: Check,
    /// Severity per rule.
    #[serde(default)]
    #[cfg_attr(test, schemars(schema_with = "super::schema::rules"))]
    pub(crate) rules: BTreeMap<Spanned<RuleName>, Spanned<Severity>>,
    #[serde(default)]
    pub(crate) exception: Vec<Spanned<Exception>>,
    /// Per crate, by name; `*` for all others.
    #[serde(default)]
    pub(crate) crates: BTreeMap<Spanned<String>, CratePolicy>,
    #[serde(default)]
    pub(crate) domain: BTreeMap<Spanned<String>, Domain>,
    #[serde(default)]
    pub(crate) isolate: Vec<Spanned<Isolate>>,
    /// Structs that stay in their domain between calls, by name.
    #[serde(default, rename = "struct")]
    pub(crate) structs: BTreeMap<Spanned<String>, Struct>,
    /// Contracts of foreign functions, by name.
    #[serde(default, rename = "fn")]
    pub(crate) functions: BTreeMap<Spanned<String>, FnContract>,
    /// Contracts that ship with the tool for the libraries of its domains.
    #[serde(skip)]
    pub(crate) shipped: Vec<super::shipped::Shipped>,
}

/// What `cargo isolate audit` shows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Audit {
    /// How much of the dependencies: nothing, a row each in the table, or every finding.
    pub(crate) dependencies: Option<Spanned<Dependencies>>,
    /// What comments that argue for unsafe code of members begin with, besides `SAFETY`: `["INVARIANT"]`.
    #[serde(default, rename = "safety-words")]
    pub(crate) safety_words: Vec<Spanned<String>>,
}

/// What `cargo isolate check` holds the code against, besides this policy.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Check {
    /// File of the findings that are known, from the workspace root; `cargo isolate baseline` writes it.
    pub(crate) baseline: Option<Spanned<String>>,
}

/// How much of the dependencies a report shows.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Dependencies {
    None,
    Summary,
    Full,
}

/// A rule that does not hold at a place, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Exception {
    /// The rule that does not hold.
    pub(crate) rule: Spanned<RuleName>,
    /// Glob over `crate::module::function`, or over `package/crate::module::function`: `package/*` takes in the package's
    /// tests, benchmarks and build script.
    pub(crate) at: Spanned<Glob>,
    /// Why, for whoever reviews it next.
    pub(crate) reason: Spanned<String>,
    /// Last day on which it holds, without quotes.
    pub(crate) until: Option<Spanned<Day>>,
}

/// What one package may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CratePolicy {
    /// How many unsafe constructs: `"forbid"`, `"allow"` or `{ max = N }`.
    #[serde(rename = "unsafe")]
    pub(crate) unsafe_: Option<Spanned<UnsafeLimit>>,
}

/// `"allow"`, `"forbid"` or `{ max = N }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnsafeLimit {
    Allow,
    Forbid,
    /// At most this many unsafe constructs.
    Max(usize),
}

impl UnsafeLimit {
    /// How many it lets be.
    pub(crate) fn most(self) -> usize {
        match self {
            UnsafeLimit::Allow => usize::MAX,
            UnsafeLimit::Forbid => 0,
            UnsafeLimit::Max(max) => max,
        }
    }
}

/// By hand, because an untagged enum would say "did not match any variant" instead of what is wrong.
impl<'de> Deserialize<'de> for UnsafeLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Limit;
        impl<'de> Visitor<'de> for Limit {
            type Value = UnsafeLimit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`\"allow\"`, `\"forbid\"` or `{ max = N }`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<UnsafeLimit, E> {
                match text {
                    "allow" => Ok(UnsafeLimit::Allow),
                    "forbid" => Ok(UnsafeLimit::Forbid),
                    _ => Err(E::unknown_variant(text, &["allow", "forbid"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<UnsafeLimit, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Table {
                    max: usize,
                }
                let Table { max } = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(UnsafeLimit::Max(max))
            }
        }
        deserializer.deserialize_any(Limit)
    }
}

/// A compartment for the functions of one native library.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Domain {
    /// Package whose archive or shared object serves the symbols.
    pub(crate) library: Spanned<String>,
    /// Versions of `library` that the contracts here were written for: `">=1.1, <2"`.
    pub(crate) version: Option<Spanned<Versions>>,
    /// File names of static archives that hold the code, where it is not in the rlib of `library` (`libtlv.a`).
    #[serde(default)]
    pub(crate) archives: Vec<Spanned<String>>,
    pub(crate) backend: Option<Spanned<Backend>>,
    pub(crate) level: Option<Spanned<Level>>,
    pub(crate) heap: Option<Heap>,
    /// `"1MiB"`.
    pub(crate) stack: Option<Spanned<Size>>,
    /// `"200ms"`.
    pub(crate) deadline: Option<Spanned<Period>>,
    pub(crate) timer: Option<Spanned<Timer>>,
    pub(crate) threads: Option<Spanned<Threads>>,
    pub(crate) instances: Option<Spanned<Instances>>,
    /// Threads that the library may have started and not ended, in an instance.
    #[serde(rename = "own-threads")]
    pub(crate) own_threads: Option<Spanned<u32>>,
}

/// Who looks after a deadline.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Timer {
    Own,
    Shared,
}

/// How many threads may be inside a domain at once.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Threads {
    Many,
    One,
}

/// Who shares a heap, and what a fault takes.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Instances {
    One,
    Thread,
}

/// Memory that the library allocates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Heap {
    /// `"64MiB"`.
    pub(crate) limit: Option<Spanned<Size>>,
    pub(crate) kind: Option<Spanned<HeapKind>>,
}

/// How much a heap looks after those who use it.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum HeapKind {
    Fast,
    Hardened,
}

/// What runs a domain's calls.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Backend {
    Auto,
    Mpk,
    None,
}

/// What a domain may read of root.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Level {
    Integrity,
}

/// Which functions run in which domain.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Isolate {
    pub(crate) domain: Spanned<String>,
    /// Globs over names of foreign functions.
    #[serde(rename = "extern")]
    pub(crate) externs: Vec<Spanned<Glob>>,
    /// Globs over names that `extern` takes in and should not.
    #[serde(default)]
    pub(crate) except: Vec<Spanned<Glob>>,
}

/// When a function has failed: `"ret != 0"`; or `false`: never, whatever ships says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ErrorWord {
    /// A condition over what it returned.
    When(String),
    Never,
}

impl<'de> Deserialize<'de> for ErrorWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl Visitor<'_> for Word {
            type Value = ErrorWord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition such as `\"ret != 0\"`, or `false`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ErrorWord, E> {
                Ok(ErrorWord::When(text.to_owned()))
            }

            fn visit_bool<E: de::Error>(self, when: bool) -> Result<ErrorWord, E> {
                match when {
                    false => Ok(ErrorWord::Never),
                    true => Err(E::custom("`true` does not say when: write a condition, as `\"ret != 0\"`")),
                }
            }
        }
        deserializer.deserialize_any(Word)
    }
}

/// The contract of one foreign function.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FnContract {
    /// By the parameter's declared name; `arg3` for a third without one.
    #[serde(default)]
    pub(crate) arg: BTreeMap<Spanned<String>, Spanned<Contract>>,
    /// What is returned.
    pub(crate) ret: Option<Spanned<Contract>>,
    /// How often a call that ended in a fault is made again. Says that it may be.
    #[cfg_attr(test, schemars(extend("minimum" = 1, "maximum" = 10)))]
    pub(crate) retry: Option<Spanned<u32>>,
    /// When the function has failed: a condition over `ret`. The wrapper returns an `Err` with the code then. `false`: what ships
    /// says so, and is not heard.
    pub(crate) error: Option<Spanned<ErrorWord>>,
    /// A function of the library that says in words what went wrong: `"zError(ret)"`.
    pub(crate) message: Option<Spanned<String>>,
    /// Lengths that are known of an object after the call, for other functions: by parameter and name, as expressions.
    #[serde(default)]
    pub(crate) bind: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<String>>>,
    /// The declaration that this was written for, with aliases followed, as `plan --explain` shows it: another one is a mistake.
    pub(crate) signature: Option<Spanned<String>>,
    /// The ways in which it is called, each with a wrapper of that name in place of the function's own.
    #[serde(default)]
    pub(crate) form: BTreeMap<Spanned<String>, Form>,
}

/// One way in which a function is called: what is said here goes over what is said of the function.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Form {
    /// What holds of the arguments then: a condition over the parameters.
    pub(crate) when: Option<Spanned<String>>,
    /// What a function with a variable number of arguments gets after its parameters: `"text: *const c_char"`.
    #[serde(default)]
    pub(crate) extra: Vec<Spanned<String>>,
    /// By the parameter's declared name; `arg3` for a third without one.
    #[serde(default)]
    pub(crate) arg: BTreeMap<Spanned<String>, Spanned<Contract>>,
    /// What is returned.
    pub(crate) ret: Option<Spanned<Contract>>,
    /// When the function has failed; `false`: never, in this form.
    pub(crate) error: Option<Spanned<ErrorWord>>,
    /// A function of the library that says in words what went wrong.
    pub(crate) message: Option<Spanned<String>>,
}

impl Form {
    /// The contract of the function in this form.
    pub(crate) fn over(&self, function: &FnContract) -> FnContract {
        let Form { when: _, extra: _, arg, ret, error, message } = self.clone();
        let own = FnContract { arg, ret, error, message, ..FnContract::default() };
        // The declaration is the function's own, without what a form adds.
        FnContract { signature: None, form: BTreeMap::new(), ..own.over(function) }
    }
}

/// What a wrapper passes, always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FixedWord {
    /// A number, or an address that a library knows as a word.
    Number(i64),
    /// A string.
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

impl FnContract {
    /// This over another contract of the same function: what it says goes before, key by key, and parameter by parameter.
    pub(crate) fn over(&self, other: &FnContract) -> FnContract {
        let error = self.error.clone().or_else(|| other.error.clone());
        let never = error.as_ref().is_some_and(|error| *error.get_ref() == ErrorWord::Never);
        let inherited = other.message.clone().filter(|_| !never);
        FnContract {
            arg: overlaid(&self.arg, &other.arg),
            ret: self.ret.clone().or_else(|| other.ret.clone()),
            retry: self.retry.clone().or_else(|| other.retry.clone()),
            error,
            message: self.message.clone().or(inherited),
            bind: overlaid(&self.bind, &other.bind),
            signature: self.signature.clone().or_else(|| other.signature.clone()),
            form: overlaid(&self.form, &other.form),
        }
    }
}

/// A key of both has the place and the value of the first.
fn overlaid<V: Clone>(
    first: &BTreeMap<Spanned<String>, V>,
    second: &BTreeMap<Spanned<String>, V>,
) -> BTreeMap<Spanned<String>, V> {
    let rest = second.iter().filter(|(key, _)| !first.contains_key(*key));
    first.iter().chain(rest).map(|(key, value)| (key.clone(), value.clone())).collect()
}

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
    /// The parameter that points behind the last element, in place of a length.
    pub(crate) end: Option<Spanned<String>>,
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
    /// What a wrapper passes, always: a number, the address that a library knows as a word of its own, or a string.
    pub(crate) value: Option<Spanned<FixedWord>>,
    /// How long the library may call a callback: `"call"`, until the function returns; `"free:OBJECT"`, until the object of that
    /// parameter, or of `ret`, has ended; `"slot:OBJECT.NAME"`, until another takes that place.
    #[cfg_attr(test, schemars(extend("pattern" = "^(call|free:.+|slot:.+\\..+)$")))]
    pub(crate) scope: Option<Spanned<String>>,
    /// The parameter whose value the library hands on to a callback: a closure has no need of it, so NULL is passed.
    pub(crate) user: Option<Spanned<String>>,
    /// What a callback's own parameters mean, in order.
    pub(crate) params: Option<Spanned<Vec<Spanned<CallbackParam>>>>,
    /// Rust type to show instead of one that cannot be named.
    pub(crate) ty: Option<Spanned<String>>,
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
    /// How many elements or strings there are: an expression over the callback's parameters.
    pub(crate) len: Option<Spanned<String>>,
    /// How many elements an `out` buffer has room for: an expression over the callback's parameters.
    pub(crate) cap: Option<Spanned<String>>,
    /// How many of them the closure wrote: an expression over the callback's parameters and `ret`.
    pub(crate) written: Option<Spanned<String>>,
    /// Whether the library may pass NULL.
    #[cfg_attr(test, schemars(extend("enum" = crate::contract::check::NULLS)))]
    pub(crate) null: Option<Spanned<String>>,
}

impl CallbackParam {
    /// The same words about a parameter of any function.
    pub(crate) fn contract(&self) -> Contract {
        let Self { kind, dir, len, cap, written, null } = self.clone();
        Contract { kind, dir, len, cap, written, null, ..Contract::default() }
    }
}

/// A struct that a library keeps pointers to, and that points to what it works on: it stays in the domain between calls.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Struct {
    /// Glob over the functions that fill one → the function that ends it.
    #[serde(default)]
    pub(crate) create: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Pointers that are NULL at the start and the library's own from then on.
    #[serde(default)]
    pub(crate) private: Vec<Spanned<String>>,
    /// Fields that the program may read: numbers, and strings that the library sets.
    #[serde(default)]
    pub(crate) read: Vec<Spanned<String>>,
    /// Pointers that move along a buffer, by field.
    #[serde(default)]
    pub(crate) field: BTreeMap<Spanned<String>, Spanned<Field>>,
}

/// A pointer that moves along a buffer as the library reads or writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Field {
    /// Whether the library reads or writes there.
    pub(crate) dir: Spanned<CursorDir>,
    /// The field that counts the elements left.
    pub(crate) left: Spanned<String>,
    /// Globs over the functions that move it.
    #[serde(rename = "fn")]
    pub(crate) functions: Vec<Spanned<Glob>>,
}

/// Which way a cursor's buffer goes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum CursorDir {
    In,
    Out,
}
