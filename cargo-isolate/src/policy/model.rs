//! The policy file's shape. Values that a later complaint may point at are [`Spanned`].

use isolate_lints::rules::Severity;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use std::{collections::BTreeMap, fmt};
use toml::Spanned;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    /// Format version; 1.
    pub(crate) version: Option<Spanned<u32>>,
    #[serde(default)]
    pub(crate) audit: Audit,
    /// Severity per rule.
    #[serde(default)]
    pub(crate) rules: BTreeMap<Spanned<String>, Spanned<Severity>>,
    #[serde(default)]
    pub(crate) exception: Vec<Spanned<Exception>>,
    /// Per crate, by name; `*` for all others.
    #[serde(default)]
    pub(crate) crates: BTreeMap<Spanned<String>, CratePolicy>,
    #[serde(default)]
    pub(crate) domain: BTreeMap<Spanned<String>, Domain>,
    #[serde(default)]
    pub(crate) isolate: Vec<Spanned<Isolate>>,
    /// Contracts of foreign functions, by name.
    #[serde(default, rename = "fn")]
    pub(crate) functions: BTreeMap<Spanned<String>, FnContract>,
}

/// `[audit]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Audit {
    pub(crate) dependencies: Option<Dependencies>,
}

/// How much of the dependencies a report shows.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dependencies {
    None,
    Summary,
    Full,
}

/// `[[exception]]`: a rule that does not hold at a place, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    pub(crate) rule: Spanned<String>,
    /// Glob over `crate::module::function`, or over `package/crate::module::function`: `package/*` takes in the package's
    /// tests, benchmarks and build script.
    pub(crate) at: Spanned<String>,
    pub(crate) reason: Spanned<String>,
    /// Last day on which it holds.
    pub(crate) until: Option<Spanned<toml::value::Datetime>>,
}

/// `[crates.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CratePolicy {
    /// How much unsafe code it may hold.
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

/// `[domain.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Domain {
    /// Package whose archive or shared object serves the symbols.
    pub(crate) library: Spanned<String>,
    /// File names of static archives that hold the code, where it is not in the rlib of `library` (`libtlv.a`).
    #[serde(default)]
    pub(crate) archives: Vec<Spanned<String>>,
    pub(crate) backend: Option<Spanned<Backend>>,
    pub(crate) level: Option<Spanned<Level>>,
    pub(crate) heap: Option<Heap>,
    /// `"1MiB"`.
    pub(crate) stack: Option<Spanned<String>>,
    /// `"200ms"`.
    pub(crate) deadline: Option<Spanned<String>>,
    pub(crate) threads: Option<Spanned<Threads>>,
}

/// How many threads may be inside a domain at once.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Threads {
    Many,
    One,
}

/// `heap = { limit = "64MiB" }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Heap {
    pub(crate) limit: Spanned<String>,
}

/// What runs a domain's calls.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Backend {
    Auto,
    Mpk,
    None,
}

/// What a domain may read of root.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    Integrity,
}

/// `[[isolate]]`: which functions go into which domain.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Isolate {
    pub(crate) domain: Spanned<String>,
    /// Globs over names of foreign functions.
    #[serde(rename = "extern")]
    pub(crate) externs: Vec<Spanned<String>>,
    /// Globs over names that `extern` takes in and should not.
    #[serde(default)]
    pub(crate) except: Vec<Spanned<String>>,
}

/// `[fn.NAME]`: the contract of one foreign function.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FnContract {
    #[serde(default)]
    pub(crate) arg: BTreeMap<Spanned<String>, Spanned<Contract>>,
    pub(crate) ret: Option<Spanned<Contract>>,
}

/// What one pointer (or value) means: the words of the policy reference, each checked when the plan is made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contract {
    pub(crate) kind: Option<Spanned<String>>,
    pub(crate) dir: Option<Spanned<String>>,
    pub(crate) len: Option<Spanned<String>>,
    pub(crate) cap: Option<Spanned<String>>,
    pub(crate) written: Option<Spanned<String>>,
    pub(crate) null: Option<Spanned<String>>,
    /// Rust type to show instead of one that cannot be named.
    pub(crate) ty: Option<Spanned<String>>,
}
