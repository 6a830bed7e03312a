//! Rules over facts. One file each; its doc comment is its manual page.
//!
//! A rule sees the facts of one file and what the names in it mean, and says what it found. It knows no severity and no
//! exception: the policy decides about findings later.

use crate::facts::{FileFacts, Scope, Span};
use crate::resolve::{ForeignCall, Place};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// Lists the rules: module name and rule name, which differ in their dashes only. A rule file that is not here never runs; a
/// test refuses it.
macro_rules! rules {
    ($($module:ident => $name:literal,)*) => {
        $(mod $module;)*

        /// Every rule, in the order of their names.
        pub const RULES: &[Rule] = &[$(Rule {
            name: $name,
            check: $module::check,
            source: include_str!(concat!(stringify!($module), ".rs")),
        },)*];
    };
}

rules! {
    extern_block => "extern-block",
    foreign_call => "foreign-call",
    global_asm => "global-asm",
    many_operations => "many-operations",
    missing_safety_comment => "missing-safety-comment",
    parse_error => "parse-error",
    static_mut => "static-mut",
    unexplained => "unexplained",
    unsafe_attribute => "unsafe-attribute",
    unseen_expansion => "unseen-expansion",
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// The name by which the policy and [`explain`] know it.
    pub name: &'static str,
    check: fn(&Subject<'_>, &mut Report<'_>),
    /// Text of its file.
    source: &'static str,
}

/// One file to check.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The file, by the indices that the caller uses for crates and files.
    pub place: Place,
    /// Module path of the file within its crate.
    pub module: &'a [String],
    /// What stands in it.
    pub facts: &'a FileFacts,
    /// The foreign calls that stand in it, in source order.
    pub calls: &'a [ForeignCall<'a>],
    /// What the rules take for granted about the project.
    pub settings: &'a Settings,
}

/// What rules need to know of a project that no source file says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Modules that may call foreign functions, as paths within their crate (`isolated`), with all below them.
    pub wrappers: Vec<String>,
}

impl Default for Settings {
    /// Wrappers stand where `cargo isolate wrap` writes them.
    fn default() -> Settings {
        Settings { wrappers: vec!["isolated".to_owned()] }
    }
}

/// What a rule found at one place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// What is wrong, a lowercase fragment.
    pub message: String,
    /// Where.
    pub span: Span,
    /// The file.
    pub place: Place,
    /// What stands around it in the file.
    pub scope: Arc<Scope>,
    /// What else helps to judge it.
    pub notes: Vec<String>,
}

/// Takes the findings of one rule about one file.
struct Report<'r> {
    rule: &'static str,
    place: Place,
    findings: &'r mut Vec<Finding>,
}

impl Report<'_> {
    fn add(&mut self, span: Span, scope: &Arc<Scope>, message: impl Into<String>, notes: Vec<String>) {
        let (message, scope) = (message.into(), scope.clone());
        self.findings.push(Finding { rule: self.rule, message, span, place: self.place, scope, notes });
    }
}

/// What all rules find in a file, in source order; at one place in the order of the rules' names.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        (rule.check)(subject, &mut Report { rule: rule.name, place: subject.place, findings: &mut findings });
    }
    findings.sort_by_key(|finding| (finding.span.start, finding.rule));
    findings
}

/// The rule of a name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// The manual page of a rule, as Markdown.
pub fn explain(name: &str) -> Option<&'static str> {
    static PAGES: LazyLock<HashMap<&str, String>> =
        LazyLock::new(|| RULES.iter().map(|rule| (rule.name, page(rule))).collect());
    PAGES.get(name).map(String::as_str)
}

/// The doc comment at the top of a rule's file under the rule's name.
fn page(rule: &Rule) -> String {
    let lines = rule.source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    format!("# {}\n\n{}\n", rule.name, lines.join("\n"))
}
