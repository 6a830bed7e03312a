//! The policy file's shape. Values that a later complaint may point at are [`Spanned`].

mod contract;
mod domain;
mod function;

use super::{day::Day, rule_name::RuleName, spanned::Spanned};
use crate::glob::Glob;
pub(crate) use contract::{CallbackParam, Contract, CursorDir, Element, Field, FixedWord, Struct};
pub(crate) use domain::{Backend, Domain, HeapKind, Instances, Level, Threads, Timer};
pub(crate) use function::{ErrorWord, FnContract, Form};
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
    /// The greatest number of constructs that it allows.
    pub(crate) fn most(self) -> usize {
        match self {
            UnsafeLimit::Allow => usize::MAX,
            UnsafeLimit::Forbid => 0,
            UnsafeLimit::Max(max) => max,
        }
    }
}

/// Written by hand, because the error for an untagged enum would be "did not match any variant" rather than what is
/// wrong.
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
