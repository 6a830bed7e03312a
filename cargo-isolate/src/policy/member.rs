//! Policies of members: a `policy.toml` next to a member's `Cargo.toml`, which can only be stricter than the
//! workspace's.

use super::{
    PolicyError, Spanned,
    load::{Unreadable, read_file},
    model::{CratePolicy, Policy, UnsafeLimit},
    read::read,
    text::Texts,
};
use crate::{
    graph::{Graph, Package},
    terminal::words::some,
};
use camino::Utf8Path;
use std::{collections::BTreeMap, ops::Range};

/// Reads the members' policies, by package name. It is a mistake if one concerns another member or is less strict.
pub(super) fn load(
    graph: &Graph,
    workspace_file: &Utf8Path,
    workspace: &Policy,
    texts: &mut Texts,
    errors: &mut Vec<PolicyError>,
) -> Result<BTreeMap<String, Policy>, Unreadable> {
    let mut members = BTreeMap::new();
    for package in graph.packages.iter().filter(|package| package.member) {
        let path = package.root.join("policy.toml");
        if package.root == graph.root || !path.is_file() || same(&path, workspace_file) {
            continue;
        }
        let text = read_file(&path)?;
        let start = texts.add(graph.relative(&path), text.clone());
        // Leading blanks shift its positions to those within all texts.
        let read = read(&(" ".repeat(start) + &text));
        // A missing key is reported at position 0, which belongs to another file here.
        errors.extend(read.errors.into_iter().map(|error| match error.span.end < start {
            true => PolicyError { span: start..start, ..error },
            false => error,
        }));
        if let Some(policy) = read.policy {
            let mut check = Check { package, workspace, file: texts.workspace().as_str(), errors };
            check.all(&policy);
            members.insert(package.name.clone(), policy);
        }
    }
    Ok(members)
}

fn same(a: &Utf8Path, b: &Utf8Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

struct Check<'c> {
    package: &'c Package,
    workspace: &'c Policy,
    /// The path of the workspace's policy.
    file: &'c str,
    errors: &'c mut Vec<PolicyError>,
}

impl Check<'_> {
    fn all(&mut self, policy: &Policy) {
        let Policy {
            version: _,
            expand,
            audit,
            check,
            rules,
            exception,
            crates,
            domain,
            isolate,
            structs,
            functions,
            shipped: _,
        } = policy;
        for (rule, severity) in rules {
            let least = self.workspace.severity(rule.get_ref().0);
            if *severity.get_ref() < least {
                let message = format!("`{}` is \"{least}\" in `{}`", rule.get_ref().0, self.file);
                self.loosens(severity.span(), message);
            }
        }
        for (name, of_crate) in crates {
            self.limit(name, of_crate);
        }
        for exception in exception {
            let at = exception.get_ref().at.span();
            self.loosens(at, "an exception takes a rule away".to_owned());
        }
        let of_all = [
            expand.as_ref().map(|value| ("expand", value.span())),
            audit.dependencies.as_ref().map(|value| ("[audit]", value.span())),
            audit.safety_words.first().map(|value| ("[audit]", value.span())),
            check.baseline.as_ref().map(|value| ("[check]", value.span())),
            domain.keys().next().map(|name| ("[domain]", name.span())),
            isolate.first().map(|isolate| ("[[isolate]]", isolate.get_ref().domain.span())),
            structs.keys().next().map(|name| ("[struct]", name.span())),
            functions.keys().next().map(|name| ("[fn]", name.span())),
        ];
        for (table, span) in of_all.into_iter().flatten() {
            let error = PolicyError::new(span, format!("`{table}` is for the whole workspace, not for one member"));
            self.errors.push(
                error.help(format!(
                    "move it to `{}`, or call this file otherwise and name it with `--policy`",
                    self.file
                )),
            );
        }
    }

    fn limit(&mut self, name: &Spanned<String>, of_crate: &CratePolicy) {
        if *name.get_ref() != self.package.name {
            let error = PolicyError::new(name.span(), "a member's policy speaks of that member alone");
            let own = &self.package.name;
            self.errors.push(error.help(format!("write `[crates.{own}]`, or move it to `{}`", self.file)));
            return;
        }
        let most = self.workspace.limit(self.package).map(Spanned::get_ref);
        if let (Some(most), Some(limit)) = (most, &of_crate.unsafe_)
            && limit.get_ref().most() > most.most()
        {
            let most = match most {
                UnsafeLimit::Forbid => "forbids unsafe code here".to_owned(),
                UnsafeLimit::Max(max) => format!("allows {} at most", some(*max, "unsafe construct")),
                UnsafeLimit::Allow => return,
            };
            self.loosens(limit.span(), format!("`{}` {most}", self.file));
        }
    }

    fn loosens(&mut self, span: Range<usize>, why: String) {
        let error = PolicyError::new(span, format!("a member's policy only tightens: {why}"));
        self.errors.push(error.help(format!("remove it here, or change `{}`", self.file)));
    }
}
