//! Contracts of well-known libraries that ship with the tool. A policy's own contracts take precedence.

use super::{
    Spanned, Texts,
    model::{FnContract, Policy, Struct},
    versions::Versions,
};
use crate::{glob::Glob, graph::Graph};
use isolate_templates::contracts::FILES;
use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// The shipped contracts for a library of the policy.
#[derive(Debug)]
pub(crate) struct Shipped {
    pub(crate) package: String,
    /// The versions of the library that the contracts were written for.
    versions: Versions,
    /// The version of the library in this workspace.
    version: String,
    /// Whether `version` is one of `versions`.
    fits: bool,
    text: &'static str,
    structs: BTreeMap<Spanned<String>, Struct>,
    functions: BTreeMap<Spanned<String>, FnContract>,
}

/// The format of a file of contracts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    package: String,
    versions: Versions,
    #[serde(default, rename = "struct")]
    structs: BTreeMap<Spanned<String>, Struct>,
    #[serde(default, rename = "fn")]
    functions: BTreeMap<Spanned<String>, FnContract>,
}

/// The shipped contracts for the libraries of a policy. Their texts are added to the policy's, so that mistakes can be
/// shown in them.
///
/// # Panics
///
/// If a file is invalid. The files are part of the tool, and tests read all of them.
pub(super) fn load(graph: &Graph, policy: &Policy, texts: &mut Texts) -> Vec<Shipped> {
    let mut found = Vec::new();
    for file in FILES {
        let is_package = |name: &str| file.name.strip_suffix(".toml") == Some(name);
        let library = policy.domain.values().map(|domain| domain.library.get_ref()).find(|library| is_package(library));
        let Some(package) = library.and_then(|library| graph.named(library)) else { continue };
        let package = &graph.packages[package];
        let start = texts.add(format!("{} of cargo-isolate", file.name).into(), file.text.to_owned());
        // Leading blanks shift its positions to those within all texts.
        let read: File = toml::from_str(&(" ".repeat(start) + file.text)).expect("a file of contracts");
        found.push(Shipped {
            fits: read.versions.hold(&package.version),
            package: read.package,
            versions: read.versions,
            version: package.version.clone(),
            text: file.text,
            structs: read.structs,
            functions: read.functions,
        });
    }
    found
}

impl Policy {
    /// The contracts of a function.
    pub(crate) fn entry(&self, domain: &str, function: &str) -> Entry<'_> {
        let shipped = self.shipped_for(domain).filter(|shipped| shipped.functions.contains_key(function));
        let ships = shipped.filter(|shipped| shipped.fits).and_then(|shipped| shipped.functions.get(function));
        Entry { own: self.functions.get(function), ships, shipped }
    }

    /// The shipped contracts for the library of a domain, if they fit its version.
    fn shipped(&self, domain: &str) -> Option<&Shipped> {
        self.shipped_for(domain).filter(|shipped| shipped.fits)
    }

    /// The shipped contracts for the library of a domain, whether or not they fit its version.
    pub(crate) fn shipped_for(&self, domain: &str) -> Option<&Shipped> {
        let library = self.domain.get(domain)?.library.get_ref();
        self.shipped.iter().find(|shipped| shipped.package == *library)
    }

    /// All structs with a contract, restricted to what concerns these isolated functions (domain and name).
    pub(crate) fn all_structs(&self, isolated: &[(&str, &str)]) -> BTreeMap<Spanned<String>, Struct> {
        let mut structs = BTreeMap::new();
        for domain in self.domain.keys() {
            let names: Vec<_> =
                isolated.iter().filter(|(of, _)| of == domain.get_ref()).map(|(_, function)| *function).collect();
            for (name, words) in self.shipped(domain.get_ref()).into_iter().flat_map(|shipped| &shipped.structs) {
                let about = words.about(&names);
                // A struct without `create` is not tied to functions, so it depends on a function's parameters whether
                // it is needed.
                if !about.create.is_empty() || words.create.is_empty() {
                    structs.insert(name.clone(), about);
                }
            }
        }
        for (name, words) in &self.structs {
            // Inserting alone would keep the existing key with its old position.
            structs.remove(name);
            structs.insert(name.clone(), words.clone());
        }
        structs
    }
}

/// The contracts of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'p> {
    /// The contract in the policy.
    pub(crate) own: Option<&'p FnContract>,
    /// The contract that ships with the tool.
    pub(crate) ships: Option<&'p FnContract>,
    /// Where something ships for it, if for another version of the library.
    pub(crate) shipped: Option<&'p Shipped>,
}

impl<'p> Entry<'p> {
    /// The policy's contract, overlaid on the shipped one.
    pub(crate) fn whole(self) -> Option<Cow<'p, FnContract>> {
        match (self.own, self.ships) {
            (Some(own), Some(ships)) => Some(Cow::Owned(own.over(ships))),
            (own, ships) => own.or(ships).map(Cow::Borrowed),
        }
    }
}

impl Shipped {
    /// Why nothing that ships is used, where the library's version is not one of those that it was written for.
    pub(crate) fn other_version(&self) -> Option<String> {
        let Self { package, versions, version, fits, .. } = self;
        (!fits).then(|| {
            format!("it was written for `{package}` {versions}, and this is {version}: read whether its header still says the same")
        })
    }

    /// What ships for a function, as a policy would say it.
    pub(crate) fn tables(&self, function: &str) -> String {
        let (table, below) = (format!("[fn.{function}]"), format!("[fn.{function}."));
        let mut is_of_it = false;
        let lines = self.text.lines().filter(|line| {
            if line.starts_with('[') {
                is_of_it = **line == table || line.starts_with(&below);
            }
            is_of_it && !line.is_empty() && !line.starts_with('#')
        });
        lines.map(|line| format!("{line}\n")).collect()
    }
}

impl Struct {
    /// The struct's contract, without what concerns functions other than `names`.
    fn about(&self, names: &[&str]) -> Struct {
        let is_any = |glob: &Glob| names.iter().any(|name| glob.is_match(name));
        let mut words = self.clone();
        words.create.retain(|glob, _| Glob::new(glob.get_ref()).is_ok_and(|glob| is_any(&glob)));
        for field in words.field.values_mut() {
            field.get_mut().functions.retain(|glob| is_any(glob.get_ref()));
        }
        words
    }
}

/// The library and versions of the contracts, and whether they fit.
impl fmt::Display for Shipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, versions, version, fits, .. } = self;
        match fits {
            true => write!(f, "those that ship for `{package}` {versions}"),
            false => write!(f, "none: those that ship for `{package}` are for {versions}, and this is {version}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES, File, Texts, load};
    use crate::{
        fixture,
        plan::{Decision, Ships, plan},
    };

    #[test]
    fn every_file_reads() {
        for file in FILES {
            let read: File = toml::from_str(file.text).unwrap_or_else(|error| panic!("{}: {error}", file.name));
            assert_eq!(format!("{}.toml", read.package), file.name);
        }
    }

    /// Checks which contracts are used for lz4 in this version, under a policy that isolates `LZ4_*`, and the result
    /// for each declared function.
    #[track_caller]
    fn check(version: &str, declarations: &str, more: &str, expected: &[&str]) {
        let mut graph = fixture::graph(&format!(
            "//- app/src/main.rs\nfn main() {{}}\n//- lz4-sys/src/lib.rs\nuse std::ffi::*;\nunsafe extern \"C\" {{ {declarations} }}\n"
        ));
        for package in graph.packages.iter_mut().filter(|package| package.name == "lz4-sys") {
            package.version = version.to_owned();
        }
        let text = format!(
            "version = 1\n[domain.lz4]\nlibrary = \"lz4-sys\"\n[[isolate]]\ndomain = \"lz4\"\nextern = [\"LZ4_*\"]\n{more}"
        );
        let mut policy = fixture::policy(&text);
        let mut texts = Texts::new("policy.toml".into(), text);
        policy.shipped = load(&graph, &policy, &mut texts);
        let plan = plan(&graph, &policy).expect("no mistakes");
        let domain = &plan.domains[0];
        let functions = domain.functions.iter().map(|function| match &function.ships {
            None => format!("{}: nothing ships", function.name),
            Some(Ships::Used) => format!("{}: used, ready: {}", function.name, function.is_ready()),
            Some(Ships::Misfit { reason, .. }) => format!("{}: {reason}", function.name),
        });
        let found: Vec<_> = domain.contracts.iter().cloned().chain(functions).collect();
        assert_eq!(found, expected);
    }

    const SAFE: &str = "pub fn LZ4_decompress_safe(source: *const c_char, dest: *mut c_char, compressedSize: c_int, maxDecompressedSize: c_int) -> c_int;";

    #[test]
    fn used_where_they_fit() {
        let ours = "those that ship for `lz4-sys` >=1.9, <2";
        check("1.10.0", SAFE, "", &[ours, "LZ4_decompress_safe: used, ready: true"]);
        // The policy's own contract takes precedence for each parameter.
        let own = "[fn.LZ4_decompress_safe]\narg.source = { kind = \"buf\", len = \"compressedSize\" }\n";
        check("1.10.0", SAFE, own, &[ours, "LZ4_decompress_safe: used, ready: true"]);
        check("1.10.0", "pub fn LZ4_versionNumber() -> c_int;", "", &[ours, "LZ4_versionNumber: nothing ships"]);
    }

    /// Checks the result of a policy's contract overlaid on the shipped one.
    #[track_caller]
    fn check_over(words: &str, expected: &str) {
        let graph = fixture::graph(&format!(
            "//- app/src/main.rs\nfn main() {{}}\n//- lz4-sys/src/lib.rs\nuse std::ffi::*;\nunsafe extern \"C\" {{ {SAFE} }}\n"
        ));
        let text = format!(
            "version = 1\n[domain.lz4]\nlibrary = \"lz4-sys\"\n[[isolate]]\ndomain = \"lz4\"\nextern = [\"LZ4_*\"]\n{words}"
        );
        let mut policy = fixture::policy(&text);
        let mut texts = Texts::new("policy.toml".into(), text.clone());
        policy.shipped = load(&graph, &policy, &mut texts);
        for shipped in &mut policy.shipped {
            shipped.fits = true;
        }
        let found = match plan(&graph, &policy) {
            Err(errors) => fixture::mistakes(&text, &errors),
            Ok(plan) => {
                let function = &plan.domains[0].functions[0];
                let by = |shipped: bool| if shipped { "ships" } else { "policy" };
                let mut lines: Vec<_> = function
                    .params
                    .iter()
                    .filter(|param| param.shape.pointee().is_some())
                    .map(|param| (&param.name, matches!(param.decision, Decision::Shipped { .. })))
                    .map(|(name, shipped)| format!("{name}: {}", by(shipped)))
                    .collect();
                lines.extend(function.failing.as_ref().map(|it| format!("{}: {}", it.to_toml(), by(it.ships))));
                lines.extend(function.stated_outcome());
                lines.join("\n")
            }
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_a_policy_says_goes_over_it() {
        let of = |words: &str| format!("[fn.LZ4_decompress_safe]\n{words}\n");
        check_over(&of("retry = 2"), "source: ships\ndest: ships\nerror = \"ret < 0\": ships\nretry = 2");
        check_over(&of("error = \"ret <= 0\""), "source: ships\ndest: ships\nerror = \"ret <= 0\": policy");
        check_over(&of("error = false"), "source: ships\ndest: ships\nerror = false");
        let own = "arg.dest = { kind = \"buf\", dir = \"out\", cap = \"maxDecompressedSize\" }";
        check_over(&of(own), "source: ships\ndest: policy\nerror = \"ret < 0\": ships");
        check_over(
            &of("error = false\nmessage = \"LZ4_say(ret)\""),
            "9:11 [\"LZ4_say(ret)\"] nothing says when there is a message\n    add `error = \"…\"`: when the function has failed, `ret != 0` for one\n",
        );
    }

    #[test]
    fn what_contradicts_it_is_a_mistake_of_the_policy() {
        let of = |words: &str| format!("[fn.LZ4_decompress_safe]\n{words}\n");
        check_over(
            &of("message = \"LZ4_say(ret)\""),
            "8:12 [LZ4_say(ret)] no function `LZ4_say` runs in this domain\n    there are `min(…)` and `max(…)`, and the functions that `extern` names\n",
        );
        check_over(
            &of("arg.compressedSize = { kind = \"fixed\", value = 3 }"),
            "8:22 [{ kind = \"fixed\", value = 3 }] `compressedSize` is the length of `source`, which the wrapper tells\n    remove it, or say another `len` of `source`\n",
        );
    }

    #[test]
    fn another_version() {
        let none = "none: those that ship for `lz4-sys` are for >=1.9, <2, and this is 2.1.0";
        let other = "LZ4_decompress_safe: it was written for `lz4-sys` >=1.9, <2, and this is 2.1.0: read whether its header still says the same";
        check("2.1.0", SAFE, "", &[none, other]);
        check("2.1.0", "pub fn LZ4_versionNumber() -> c_int;", "", &[none, "LZ4_versionNumber: nothing ships"]);
        let own = "[fn.LZ4_decompress_safe]\nerror = \"ret < 0\"\n";
        check("2.1.0", SAFE, own, &[none, "LZ4_decompress_safe: nothing ships"]);
    }

    /// Whoever read the header may say the same of another version, as the stub has it; until then nothing is wrapped by half.
    #[test]
    fn what_another_version_needs() {
        let plan_of = |more: &str| {
            let mut graph = fixture::graph(&format!(
                "//- app/src/main.rs\nfn main() {{}}\n//- lz4-sys/src/lib.rs\nuse std::ffi::*;\nunsafe extern \"C\" {{ {COMPRESS} }}\n"
            ));
            graph.packages.iter_mut().for_each(|package| package.version = "2.1.0".to_owned());
            let text = format!(
                "version = 1\n[domain.lz4]\nlibrary = \"lz4-sys\"\n[[isolate]]\ndomain = \"lz4\"\nextern = [\"*\"]\n{more}"
            );
            let mut policy = fixture::policy(&text);
            policy.shipped = load(&graph, &policy, &mut Texts::new("policy.toml".into(), text.clone()));
            let plan = plan(&graph, &policy).unwrap_or_else(|errors| panic!("{}", fixture::mistakes(&text, &errors)));
            plan.domains[0].functions[0].clone()
        };
        let refused = plan_of("");
        assert!(!refused.is_ready() && refused.refused.as_ref().is_some_and(|reason| reason.contains("this is 2.1.0")));
        let stub = refused.stub.expect("what to write");
        let settled = plan_of(&stub);
        assert!(stub.contains("\nerror = ") && settled.is_ready() && settled.failing.is_some(), "{stub}");
    }

    const COMPRESS: &str = "pub fn LZ4_compress_default(source: *const c_char, dest: *mut c_char, sourceSize: c_int, maxDestSize: c_int) -> c_int;";

    /// The parameters have other names than in the library's declaration, and the same types.
    #[test]
    fn a_declaration_of_the_program() {
        let safe = |declaration: &str| {
            let library = SAFE.replace("*const c_char", "*const i8");
            let mut graph = fixture::graph(&format!(
                "//- app/src/main.rs\nuse std::ffi::*;\nunsafe extern \"C\" {{ {declaration} }}\nfn main() {{}}\n\
                 //- lz4-sys/src/lib.rs\nuse std::ffi::*;\nunsafe extern \"C\" {{ {library} }}\n"
            ));
            graph.packages.iter_mut().for_each(|package| package.version = "1.10.0".to_owned());
            let text = "version = 1\n[domain.lz4]\nlibrary = \"lz4-sys\"\n[[isolate]]\ndomain = \"lz4\"\nextern = [\"LZ4_*\"]\n";
            let mut policy = fixture::policy(text);
            policy.shipped = load(&graph, &policy, &mut Texts::new("policy.toml".into(), text.to_owned()));
            let plan = plan(&graph, &policy).expect("no mistakes");
            let function = &plan.domains[0].functions[0];
            (function.declared.package.clone(), function.ships.clone(), function.is_ready())
        };
        let of_program = |ships: Ships, ready: bool| ("app".to_owned(), Some(ships), ready);
        let free =
            "pub(crate) fn LZ4_decompress_safe(from: *const c_char, to: *mut u8, in_len: i32, room: c_int) -> c_int;";
        assert_eq!(safe(free), of_program(Ships::Used, true));
        let (_, ships, ready) = safe(&free.replace("room: c_int", "room: c_long"));
        assert!(matches!(ships, Some(Ships::Misfit { .. })) && !ready, "{ships:?}");
        // The library's names at other places than its own, whatever their types: which of the two is meant is nobody's to guess.
        for (swapped, name, place) in [
            (
                "source: *const c_char, dest: *mut c_char, maxDecompressedSize: c_int, compressedSize: c_int",
                "maxDecompressedSize",
                3,
            ),
            (
                "source: *const c_char, dest: *mut c_char, max_decompressed_size: c_int, len: c_int",
                "max_decompressed_size",
                3,
            ),
            ("dest: *mut c_char, source: *const c_char, compressedSize: c_int, maxDecompressedSize: c_int", "dest", 1),
        ] {
            let (_, ships, ready) = safe(&format!("pub(crate) fn LZ4_decompress_safe({swapped}) -> c_int;"));
            let reason = format!(
                "`{name}` is parameter {place} here, and another one in the library's own declaration, which has `source`, `dest`, \
                 `compressedSize`, `maxDecompressedSize`: put them in its order"
            );
            let Some(Ships::Misfit { reason: said, replaced: false, .. }) = ships else { panic!("{ships:?}") };
            assert_eq!((said, ready), (reason, false), "{swapped}");
        }
    }

    #[test]
    fn another_declaration() {
        let ours = "those that ship for `lz4-sys` >=1.9, <2";
        let renamed = SAFE.replace("source:", "src:");
        let why = "LZ4_decompress_safe: `LZ4_decompress_safe` has no parameter `source` (did you mean `src`?); give parameters the names of the library's bindings, or say under `[fn.LZ4_decompress_safe]` what yours mean";
        check("1.10.0", &renamed, "", &[ours, why]);
        // In Rust's naming convention.
        let snake = "pub fn LZ4_decompress_safe(source: *const c_char, dest: *mut c_char, compressed_size: c_int, max_decompressed_size: c_int) -> c_int;";
        check("1.10.0", snake, "", &[ours, "LZ4_decompress_safe: used, ready: true"]);
        let frames = "pub type Ctx; \
            pub fn LZ4F_createCompressionContext(c_t_x: *mut *mut Ctx, version: c_uint) -> usize; \
            pub fn LZ4F_freeCompressionContext(CTX: *mut Ctx) -> usize; \
            pub fn LZ4F_isError(code: usize) -> c_uint;";
        check(
            "1.10.0",
            &format!("{SAFE}{frames}"),
            "[[isolate]]\ndomain = \"lz4\"\nextern = [\"LZ4F_*\"]\n",
            &[
                ours,
                "LZ4_decompress_safe: used, ready: true",
                "LZ4F_createCompressionContext: used, ready: true",
                "LZ4F_freeCompressionContext: used, ready: true",
                "LZ4F_isError: nothing ships",
            ],
        );
        let widened = SAFE.replace("maxDecompressedSize: c_int", "maxDecompressedSize: *mut c_int");
        let why =
            "LZ4_decompress_safe: `maxDecompressedSize` is a pointer (what it points to is `*maxDecompressedSize`)";
        check("1.10.0", &widened, "", &[ours, why]);
    }
}
