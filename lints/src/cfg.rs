//! What a `#[cfg(…)]` predicate comes to in a build that is known as far as it can be without running it.
//!
//! A [`Config`] is one crate compiled for one target; [`Configs`] is that crate for every chosen target. Facts keep the
//! predicates around them and know no build: the same facts serve every build.

use std::{collections::BTreeSet, sync::Arc};

/// Whether code is part of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// It is compiled.
    Live,
    /// That depends on the profile, or on what a build script says when it runs.
    Unknown,
    /// No compilation sees it.
    Dormant,
}

/// The configuration of one crate, compiled for one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// What the compiler sets for the target; `None` if the target is not known.
    pub compiler: Option<Arc<CompilerCfg>>,
    /// Features that are on; `None` if they are not known.
    pub features: Option<Arc<BTreeSet<String>>>,
    /// Compiled as a test.
    pub test: bool,
    /// What the package's build script sets.
    pub script: Script,
}

/// `name` and `name="value"` as `rustc --print cfg` writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompilerCfg(BTreeSet<String>);

/// What a build script sets by `cargo::rustc-cfg`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Script {
    /// There is none.
    #[default]
    None,
    /// There is one that did not run: any name that the compiler does not know may be set.
    Unseen,
    /// It ran and set these: `name` or `name="value"`.
    Ran(Arc<BTreeSet<String>>),
}

/// The configurations of one crate for all chosen targets. With none, nothing is known but what holds in every build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configs(pub Vec<Config>);

impl CompilerCfg {
    /// Reads what `rustc --print cfg` printed.
    pub fn parse(printed: &str) -> CompilerCfg {
        CompilerCfg(printed.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// What it is for: architecture, system and environment, as in `x86_64-linux-gnu`.
    pub fn platform(&self) -> String {
        let value = |name: &str| {
            let prefix = format!("{name}=\"");
            self.0.iter().find_map(|line| line.strip_prefix(&prefix)?.strip_suffix('"').map(str::to_owned))
        };
        let parts = ["target_arch", "target_os", "target_env"].into_iter().filter_map(value);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    }
}

impl Configs {
    /// Whether code under all of these predicates is compiled for any of the targets.
    pub fn presence<'p>(&self, predicates: impl IntoIterator<Item = &'p String> + Clone) -> Presence {
        self.best(|config| config.all(predicates.clone(), None))
    }

    /// The same for a choice that must be made: what no build script was seen to set counts as not set.
    pub fn likely<'p>(&self, predicates: impl IntoIterator<Item = &'p String> + Clone) -> Presence {
        self.best(|config| config.all(predicates.clone(), Some(false)))
    }

    /// The predicates that keep code out of every target's build, as they are written; `None` where it may be in one.
    pub fn hidden_by<'p>(&self, predicates: impl IntoIterator<Item = &'p String> + Clone) -> Option<String> {
        if self.presence(predicates.clone()) != Presence::Dormant {
            return None;
        }
        let mut hiding: Vec<&str> = Vec::new();
        for config in self.known() {
            let first = predicates.clone().into_iter().find(|text| config.holds(text, None) == Some(false));
            if let Some(first) = first.map(String::as_str).filter(|text| !hiding.contains(text)) {
                hiding.push(first);
            }
        }
        Some(hiding.join(", "))
    }

    /// The configurations of the same crate compiled as a test.
    pub fn tested(&self) -> Configs {
        Configs(self.0.iter().map(|config| Config { test: true, ..config.clone() }).collect())
    }

    fn best(&self, holds: impl Fn(&Config) -> Option<bool>) -> Presence {
        let of = |config: &Config| match holds(config) {
            Some(true) => Presence::Live,
            None => Presence::Unknown,
            Some(false) => Presence::Dormant,
        };
        self.known().iter().map(of).min().unwrap_or(Presence::Unknown)
    }

    fn known(&self) -> &[Config] {
        const NOTHING: &[Config] = &[Config { compiler: None, features: None, test: false, script: Script::Unseen }];
        if self.0.is_empty() { NOTHING } else { &self.0 }
    }
}

/// Predicates nested deeper than this are not read.
const DEPTH: usize = 64;

/// Names that mean the profile's settings.
const PROFILE: &[&str] = &["debug_assertions", "overflow_checks", "panic", "ub_checks"];

/// Names that the compiler or cargo sets and nobody else; from rustc's list of well-known names.
const COMPILER: &[&str] = &[
    "clippy",
    "doc",
    "doctest",
    "emscripten_wasm_eh",
    "fmt_debug",
    "miri",
    "proc_macro",
    "relocation_model",
    "rustfmt",
    "sanitize",
    "sanitizer_cfi_generalize_pointers",
    "sanitizer_cfi_normalize_integers",
    "unix",
    "windows",
];

impl Config {
    fn all<'p>(&self, predicates: impl IntoIterator<Item = &'p String>, unseen: Option<bool>) -> Option<bool> {
        join(predicates.into_iter().map(|predicate| self.holds(predicate, unseen)), false)
    }

    /// `predicate` is the text between `cfg(` and `)`. What cannot be read is not known. `unseen` is what a name counts as
    /// that a build script may set.
    fn holds(&self, predicate: &str, unseen: Option<bool>) -> Option<bool> {
        self.nested(predicate, unseen, DEPTH)
    }

    fn nested(&self, predicate: &str, unseen: Option<bool>, depth: usize) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        let predicate = predicate.trim();
        let compound = predicate.split_once('(').filter(|(name, _)| !name.contains('"'));
        let Some((name, rest)) = compound else { return self.atom(predicate, unseen) };
        let arguments = split(rest.trim_end().strip_suffix(')')?);
        let mut values = arguments.iter().map(|argument| self.nested(argument, unseen, depth));
        match name.trim() {
            "not" => values.next()?.map(|value| !value),
            "all" => join(values, false),
            "any" => join(values, true),
            _ => None,
        }
    }

    fn atom(&self, atom: &str, unseen: Option<bool>) -> Option<bool> {
        let (name, value) = match atom.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_start_matches('r').trim_matches(['#', '"']))),
            None => (atom, None),
        };
        match (name, value) {
            ("true", None) => return Some(true),
            ("false", None) => return Some(false),
            ("test", None) => return Some(self.test),
            ("feature", Some(value)) => return self.features.as_ref().map(|features| features.contains(value)),
            _ if PROFILE.contains(&name) => return None,
            _ => {}
        }
        let written = match value {
            Some(value) => format!("{name}=\"{value}\""),
            None => name.to_owned(),
        };
        let compiler = self.compiler.as_ref().map(|compiler| compiler.0.contains(&written));
        if COMPILER.contains(&name) || name.starts_with("target_") || compiler == Some(true) {
            return compiler;
        }
        match &self.script {
            Script::None => Some(false),
            Script::Unseen => unseen,
            Script::Ran(set) => Some(set.contains(&written)),
        }
    }
}

/// `any` where one `decisive` value settles it, `all` where one `false` does.
fn join(values: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut known = true;
    for value in values {
        match value {
            Some(value) if value == decisive => return Some(decisive),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!decisive)
}

/// Splits at commas outside parentheses and strings.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut quoted, mut start) = (Vec::new(), 0_usize, false, 0);
    for (at, char) in list.char_indices() {
        match char {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(list[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use Presence::{Dormant, Live, Unknown};

    fn linux() -> Config {
        let printed = "debug_assertions\npanic=\"unwind\"\ntarget_arch=\"x86_64\"\ntarget_env=\"gnu\"\n\
            target_family=\"unix\"\ntarget_feature=\"sse2\"\ntarget_os=\"linux\"\ntarget_pointer_width=\"64\"\nunix\n";
        Config {
            compiler: Some(Arc::new(CompilerCfg::parse(printed))),
            features: Some(Arc::new(BTreeSet::from(["std".to_owned()]))),
            ..Config::default()
        }
    }

    fn windows() -> Config {
        let printed = "target_family=\"windows\"\ntarget_os=\"windows\"\nwindows\n";
        Config { compiler: Some(Arc::new(CompilerCfg::parse(printed))), ..linux() }
    }

    fn with_script() -> Config {
        Config { script: Script::Unseen, ..linux() }
    }

    #[track_caller]
    fn check(config: Config, predicate: &str, expected: Presence) {
        assert_eq!(Configs(vec![config]).presence(&[predicate.to_owned()]), expected, "{predicate}");
    }

    #[test]
    fn the_compiler_says_what_the_target_is() {
        check(linux(), "unix", Live);
        check(linux(), "windows", Dormant);
        check(linux(), "target_os = \"linux\"", Live);
        check(linux(), "target_feature = \"avx2\"", Dormant);
        check(linux(), "not(target_pointer_width = \"32\")", Live);
        check(linux(), "any(windows, target_env = r#\"gnu\"#)", Live);
        check(linux(), "all()", Live);
        check(linux(), "any()", Dormant);
        check(linux(), "false", Dormant);
        check(Config { compiler: None, ..linux() }, "unix", Unknown);
        check(with_script(), "windows", Dormant);
    }

    #[test]
    fn cargo_says_which_features_are_on() {
        check(linux(), "feature = \"std\"", Live);
        check(linux(), "not(feature = \"std\")", Dormant);
        check(linux(), "all(feature = \"a,b(\", unix)", Dormant);
        check(linux(), "test", Dormant);
        check(Config { test: true, ..linux() }, "test", Live);
        check(Config { features: None, ..linux() }, "feature = \"std\"", Unknown);
    }

    #[test]
    fn the_profile_decides_the_rest() {
        check(linux(), "debug_assertions", Unknown);
        check(linux(), "not(panic = \"abort\")", Unknown);
        check(linux(), "all(debug_assertions, windows)", Dormant);
    }

    #[test]
    fn a_build_script_may_set_what_the_compiler_does_not_know() {
        check(linux(), "zng", Dormant);
        check(with_script(), "zng", Unknown);
        check(with_script(), "all(zng, windows)", Dormant);
        let ran = Script::Ran(Arc::new(BTreeSet::from(["zng".to_owned(), "level=\"2\"".to_owned()])));
        let ran = Config { script: ran, ..linux() };
        check(ran.clone(), "zng", Live);
        check(ran.clone(), "level = \"2\"", Live);
        check(ran, "other", Dormant);
        let zng = ["zng".to_owned()];
        assert_eq!(Configs(vec![with_script()]).likely(&zng), Dormant);
    }

    #[test]
    fn nonsense_is_not_known() {
        check(linux(), "version(\"1.2\")", Unknown);
        check(linux(), "all(unix", Unknown);
    }

    #[test]
    fn code_is_hidden_only_if_no_target_has_it() {
        let both = Configs(vec![linux(), windows()]);
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(both.hidden_by(&texts(&["windows"])), None);
        assert_eq!(both.hidden_by(&texts(&["test"])).as_deref(), Some("test"));
        assert_eq!(both.hidden_by(&texts(&["windows", "unix"])).as_deref(), Some("windows, unix"));
        assert_eq!(both.presence(&texts(&["unix"])), Live);
        assert_eq!(Configs::default().presence(&texts(&["unix"])), Unknown);
    }
}
