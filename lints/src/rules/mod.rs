//! The rules, one file each. The doc comment of a rule's file is its manual page.
//!
//! A rule sees the facts of one file and what the names in it resolve to, and reports findings. It knows neither
//! severities nor exceptions: the policy decides about findings later.

use crate::facts::{FileFacts, Scope, Span};
use crate::project::Project;
use crate::resolve::{ForeignCall, Place};
pub use missing_safety_docs::owes_section;
use serde::{Deserialize, Serialize};
pub use shadowed_libc_symbol::is_of_libc;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// Lists the rules in the order of their names: module, name (which differs only in its dashes), default severity, and
/// whether the syntax is conclusive. `by policy` marks rules whose findings are made by the policy; they have a page
/// here and no code. A rule file that is not listed would never run, which a test prevents.
macro_rules! rules {
    ($($module:ident => $name:literal, $default:ident, $basis:ident $(, by $maker:ident)?;)*) => {
        $(mod $module;)*

        /// Every rule, ordered by name.
        pub const RULES: &[Rule] = &[$(Rule {
            name: $name,
            default: Severity::$default,
            basis: Basis::$basis,
            check: rules!(@check $module $($maker)?),
            source: include_str!(concat!(stringify!($module), ".rs")),
        },)*];
    };
    (@check $module:ident) => { Some($module::check) };
    (@check $module:ident policy) => { None };
}

rules! {

    bypassed_isolation => "bypassed-isolation", Deny, Exact;
    conflicting_declarations => "conflicting-declarations", Allow, Heuristic;
    enum_from_c => "enum-from-c", Allow, Heuristic;
    extern_block => "extern-block", Warn, Exact;
    forbidden_unsafe => "forbidden-unsafe", Deny, Exact, by policy;
    foreign_call => "foreign-call", Warn, Heuristic;
    foreign_length => "foreign-length", Allow, Heuristic;
    global_asm => "global-asm", Warn, Exact;
    many_operations => "many-operations", Allow, Heuristic;
    missing_safety_comment => "missing-safety-comment", Warn, Heuristic;
    missing_safety_docs => "missing-safety-docs", Warn, Heuristic;
    new_unsafe => "new-unsafe", Deny, Exact, by policy;
    non_ffi_safe_type => "non-ffi-safe-type", Allow, Heuristic;
    parse_error => "parse-error", Warn, Exact;
    shadowed_libc_symbol => "shadowed-libc-symbol", Warn, Exact;
    static_mut => "static-mut", Warn, Exact;
    unchecked_cstr => "unchecked-cstr", Allow, Heuristic;
    unclear_transmute => "unclear-transmute", Warn, Heuristic;
    undocumented_unsafe_impl => "undocumented-unsafe-impl", Warn, Heuristic;
    unexplained => "unexplained", Warn, Exact;
    unguarded_callback => "unguarded-callback", Allow, Heuristic;
    unsafe_attribute => "unsafe-attribute", Warn, Exact;
    unseen_expansion => "unseen-expansion", Warn, Exact;
    unwind_across_c => "unwind-across-c", Allow, Heuristic;
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// The name by which the policy and [`explain`] refer to it.
    pub name: &'static str,
    /// The severity of its findings where the policy sets none.
    pub default: Severity,
    /// How reliable its findings are.
    pub basis: Basis,
    /// The function that makes the findings; `None` where the policy makes them.
    check: Option<fn(&Subject<'_>, &mut Report<'_>)>,
    /// The source text of the rule's file.
    source: &'static str,
}

/// How a finding is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It is not shown.
    Allow,
    /// It is shown.
    Warn,
    /// It is shown, and the check fails.
    Deny,
}

/// How a rule arrives at its findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The syntax is conclusive: there are no false findings.
    Exact,
    /// The rule infers from what the syntax shows. Findings in real packages were judged by hand (`tests/judged`); a
    /// rule of which fewer than 18 out of 20 were right defaults to [`Severity::Allow`].
    Heuristic,
}

impl Rule {
    /// A one-line summary.
    pub fn summary(&self) -> &'static str {
        self.lines().next().unwrap_or_default()
    }

    /// Whether the policy makes its findings rather than [`check`].
    pub fn is_made_by_policy(&self) -> bool {
        self.check.is_none()
    }

    /// The doc comment at the top of its file.
    fn lines(&self) -> impl Iterator<Item = &'static str> {
        let lines = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line))
    }

    /// The manual page.
    fn page(&self) -> String {
        let lines: Vec<&str> = self.lines().collect();
        format!("# {}\n\n{}\n\n{}", self.name, lines.join("\n"), self.in_the_policy())
    }

    /// The section that ends every page.
    fn in_the_policy(&self) -> String {
        let Rule { name, default, .. } = self;
        format!(
            "## In the policy\n\nDefault: `{default}`. To change it, or to allow it in one place:\n\n```toml\n[rules]\n\
             {name} = \"{other}\"\n\n[[exception]]\nrule = \"{name}\"\n\
             at = \"mycrate::module::*\"          # crate::module::function, as a glob\n\
             reason = \"why it does not hold there\"\n```\n",
            other = if *default == Severity::Deny { Severity::Warn } else { Severity::Deny },
        )
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Allow => "allow",
            Severity::Warn => "warn",
            Severity::Deny => "deny",
        })
    }
}

/// One file to check.
struct Subject<'a> {
    /// The file.
    place: Place,
    /// The file's facts.
    facts: &'a FileFacts,
    /// The file's foreign calls, in source order.
    calls: &'a [ForeignCall<'a>],
    /// The graph that the file is part of.
    project: &'a Project<'a>,
}

impl Subject<'_> {
    /// Whether code in the file may be part of the build.
    fn is_live(&self, scope: &Scope) -> bool {
        self.project.is_live(self.place, scope)
    }

    /// Whether code in the file is compiled for tests only.
    fn is_test(&self, scope: &Scope) -> bool {
        scope.cfgs.iter().chain(self.project.file(self.place).cfgs).any(|cfg| cfg.trim() == "test")
    }

    /// The module path of an item in the file.
    fn module_of(&self, scope: &Scope) -> Vec<String> {
        self.project.module_of(self.place, scope)
    }
}

/// A finding of a rule.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// What is wrong, a lowercase fragment.
    pub message: String,
    /// Where it is.
    pub span: Span,
    /// Its lexical context.
    pub scope: Arc<Scope>,
    /// Further information that helps to judge it.
    pub notes: Vec<String>,
}

/// Collects the findings of one rule in one file.
struct Report<'r> {
    rule: &'static str,
    findings: &'r mut Vec<Finding>,
}

impl Report<'_> {
    fn add(&mut self, span: Span, scope: &Arc<Scope>, message: impl Into<String>, notes: Vec<String>) {
        let (message, scope) = (message.into(), scope.clone());
        self.findings.push(Finding { rule: self.rule, message, span, scope, notes });
    }
}

/// The findings of all rules in a file of a project, in source order, and in the order of rule names at the same
/// position.
pub fn check(project: &Project<'_>, place: Place) -> Vec<Finding> {
    let calls = project.calls_in(place);
    let subject = Subject { place, facts: project.file(place).facts, calls, project };
    let mut findings = Vec::new();
    for rule in RULES {
        if let Some(check) = rule.check {
            check(&subject, &mut Report { rule: rule.name, findings: &mut findings });
        }
    }
    findings.sort_by_key(|finding| (finding.span.start, finding.rule));
    findings
}

/// The rule with this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// The manual page of a rule, as Markdown.
pub fn explain(name: &str) -> Option<&'static str> {
    static PAGES: LazyLock<HashMap<&str, String>> =
        LazyLock::new(|| RULES.iter().map(|rule| (rule.name, rule.page())).collect());
    PAGES.get(name).map(String::as_str)
}
