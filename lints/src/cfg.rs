//! Evaluation of `#[cfg(…)]` predicates against a build, as far as the build can be known without running it.
//!
//! A [`Config`] is one crate compiled for one target; [`Configs`] is the crate for every chosen target. Facts store the
//! predicates around them and are independent of any build.

mod predicate;

use predicate::{Predicate, SetBy, Setting};
use std::{collections::BTreeSet, sync::Arc};

/// Whether code is part of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// It is compiled.
    Live,
    /// Whether it is depends on the profile, or on what a build script prints when it runs.
    Unknown,
    /// No compilation sees it.
    Dormant,
}

/// The configuration of one crate, compiled for one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// What the compiler sets for the target; `None` if the target is unknown.
    pub compiler: Option<Arc<CompilerCfg>>,
    /// Enabled features; `None` if they are unknown.
    pub features: Option<Arc<BTreeSet<String>>>,
    /// Whether the crate is compiled as a test.
    pub test: bool,
    /// What the package's build script sets.
    pub script: Script,
}

/// The lines of `rustc --print cfg`, each `name` or `name="value"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompilerCfg(BTreeSet<String>);

/// The names that a build script sets with `cargo::rustc-cfg`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Script {
    /// The package has no build script.
    #[default]
    None,
    /// The build script did not run: any name that the compiler does not know may be set.
    Unseen,
    /// The build script ran and set these, each `name` or `name="value"`.
    Ran(Arc<BTreeSet<String>>),
}

/// The configurations of one crate for all chosen targets. If empty, only what holds in every build is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configs(pub Vec<Config>);

impl CompilerCfg {
    /// Parses the output of `rustc --print cfg`.
    pub fn parse(printed: &str) -> CompilerCfg {
        CompilerCfg(printed.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// The platform as architecture, system and environment: `x86_64-linux-gnu`.
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

    /// Like [`Configs::presence`], where a choice must be made: a name that only an unseen build script could set
    /// counts as not set.
    pub fn likely<'p>(&self, predicates: impl IntoIterator<Item = &'p String> + Clone) -> Presence {
        self.best(|config| config.all(predicates.clone(), Some(false)))
    }

    /// The predicates, as written, that exclude code from every target's build; `None` if it may be part of one.
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

    /// The same configurations, compiled as a test.
    pub fn tested(&self) -> Configs {
        Configs(self.0.iter().map(|config| Config { test: true, ..config.clone() }).collect())
    }

    /// The same configurations with unknown features.
    pub fn with_any_features(&self) -> Configs {
        Configs(self.0.iter().map(|config| Config { features: None, ..config.clone() }).collect())
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

impl Config {
    fn all<'p>(&self, predicates: impl IntoIterator<Item = &'p String>, unseen: Option<bool>) -> Option<bool> {
        join(predicates.into_iter().map(|predicate| self.holds(predicate, unseen)), false)
    }

    /// Evaluates the text between `cfg(` and `)`. A predicate that cannot be parsed has no known value. `unseen` is the
    /// value of names that an unseen build script may set.
    fn holds(&self, predicate: &str, unseen: Option<bool>) -> Option<bool> {
        self.evaluate(&Predicate::of(predicate), unseen)
    }

    fn evaluate(&self, predicate: &Predicate, unseen: Option<bool>) -> Option<bool> {
        let each = |inside: &[Predicate], decisive| {
            join(inside.iter().map(|predicate| self.evaluate(predicate, unseen)), decisive)
        };
        match predicate {
            Predicate::Known(value) => Some(*value),
            Predicate::Set(setting) => self.is_set(setting, unseen),
            Predicate::All(inside) => each(inside, false),
            Predicate::Any(inside) => each(inside, true),
            Predicate::Not(inside) => self.evaluate(inside, unseen).map(|value| !value),
            Predicate::Other => None,
        }
    }

    fn is_set(&self, setting: &Setting, unseen: Option<bool>) -> Option<bool> {
        let compiler = || self.compiler.as_ref().map(|compiler| compiler.0.contains(&setting.written));
        match &setting.by {
            SetBy::Test => Some(self.test),
            SetBy::Feature(name) => self.features.as_ref().map(|features| features.contains(name)),
            SetBy::Profile => None,
            SetBy::Compiler => compiler(),
            SetBy::Anyone if compiler() == Some(true) => Some(true),
            SetBy::Anyone => match &self.script {
                Script::None => Some(false),
                Script::Unseen => unseen,
                Script::Ran(set) => Some(set.contains(&setting.written)),
            },
        }
    }
}

/// Three-valued `any` for `decisive = true`, three-valued `all` for `decisive = false`.
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
    fn another_build_may_have_other_features() {
        let texts = |text: &str| [text.to_owned()];
        let any = Configs(vec![linux()]).with_any_features();
        assert_eq!(any.likely(&texts("feature = \"other\"")), Unknown);
        assert_eq!(any.likely(&texts("not(feature = \"std\")")), Unknown);
        assert_eq!(any.likely(&texts("all(windows, feature = \"other\")")), Dormant);
        assert_eq!(any.likely(&texts("test")), Dormant);
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
    fn predicates_are_read_as_the_compiler_does() {
        check(linux(), r#"target_os = "lin\u{75}x""#, Live);
        check(
            linux(),
            r#"target_os = "li\
            nux""#,
            Live,
        );
        check(linux(), r###"target_os = r##"linux"##"###, Live);
        check(linux(), "r#unix", Live);
        check(linux(), "r#all(r#unix)", Unknown);
        check(linux(), "not(r#windows)", Live);
        check(linux(), "all(/* , windows */ unix, // )\n not(windows),)", Live);
        check(linux(), r#"any(feature = "\"", feature = "(,", unix)"#, Live);
        check(linux(), r#"not(feature = "say \"std\"")"#, Live);
        check(linux(), "r#true", Dormant);
        check(linux(), "not(unix, windows)", Unknown);
        check(linux(), "unix windows", Unknown);
        check(linux(), "target_os = b\"linux\"", Unknown);
        check(linux(), &format!("{}unix{}", "not(".repeat(1000), ")".repeat(1000)), Unknown);
    }

    #[test]
    fn names_like_the_compilers_are_the_build_scripts() {
        check(with_script(), "target_has_fancy_clock", Unknown);
        check(linux(), "target_has_fancy_clock", Dormant);
        check(with_script(), "target_has_atomic = \"128\"", Dormant);
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
