//! Calls that a macro definition assembles from its arguments: `libz_sys::$f(…)` in the definition, `crc32` in the use.

use super::{Scanner, expand};
use crate::facts::{CallFact, Template};
use crate::syntax::{SyntaxKind, T};
use SyntaxKind::*;
use std::sync::Arc;

/// How many names of a use are kept. A mere list of names gets a higher limit, for macros that write one item for each.
const NAMES: usize = 32;
const LISTED: usize = 1024;

impl Scanner<'_, '_> {
    /// Records the paths in a transcriber that contain macro variables.
    pub(super) fn templates(&mut self, tokens: &[u32]) {
        let kinds: Vec<SyntaxKind> = tokens.iter().map(|raw| self.source.raw_kind(*raw as usize)).collect();
        let kind = |at: usize| kinds.get(at).copied();
        let colons = |at: usize| kind(at) == Some(T![:]) && kind(at + 1) == Some(T![:]);
        let mut at = 0;
        while at < tokens.len() {
            let start = at;
            let (mut path, mut variable) = (String::new(), false);
            loop {
                match (kind(at), kind(at + 1)) {
                    (Some(T![$]), Some(T![crate])) => (path, at) = (path + "$crate", at + 2),
                    (Some(T![$]), Some(T!['('])) if !path.is_empty() => {
                        (path, variable) = (path + "$", true);
                        at += 1 + expand::group(self.source, &tokens[at + 1..]).unwrap_or(1);
                        // Skips the operator of the repetition.
                        at += usize::from(matches!(kind(at), Some(T![*] | T![+] | T![?])));
                    }
                    (Some(T![$]), Some(name)) if name.is_any_identifier() => {
                        (path, variable, at) = (path + "$", true, at + 2);
                    }
                    (Some(IDENT | T![crate] | T![self] | T![super]), _) => {
                        path += self.source.raw_text(tokens[at] as usize);
                        at += 1;
                    }
                    (Some(T!['[']), Some(T![<])) if path.is_empty() => {
                        let group = expand::group(self.source, &tokens[at..]).unwrap_or(1);
                        variable = kinds[at..at + group].contains(&T![$]);
                        at += group;
                        break;
                    }
                    _ => break,
                }
                let more = matches!(kind(at + 2), Some(IDENT | T![$] | T![super]));
                match colons(at) && more {
                    true => (path, at) = (path + "::", at + 2),
                    false => break,
                }
            }
            if at == start {
                at += 1;
                continue;
            }
            // Methods, lifetimes and declarations are not calls.
            let before = start.checked_sub(1).and_then(kind);
            let declared = matches!(before, Some(T![.] | T![fn] | T![struct] | T![mod] | T![enum] | T![type] | T![#]));
            let mut after = at;
            if colons(after) && kind(after + 2) == Some(T![<]) {
                after = self.skip_generics(tokens, after + 2);
            }
            let called = kind(after) == Some(T!['(']);
            // A bare variable that is not called is seldom a function; if it is one, the use already mentions it as a
            // value.
            let tells = called || path.contains("::");
            if variable && !declared && tells && kind(after) != Some(T![!]) && self.acts() {
                let template = Template { path, called, scope: self.scope() };
                if !self.facts.templates.contains(&template) {
                    self.facts.templates.push(template);
                }
            }
        }
    }

    /// Names among a macro call's arguments that the definition may call, and whether there are more than are kept.
    pub(super) fn names(&self, path: &str, tokens: &[u32]) -> (Vec<CallFact>, bool) {
        let kind = |at: usize| tokens.get(at).map(|raw| self.source.raw_kind(*raw as usize));
        let colons = |at: usize| kind(at) == Some(T![:]) && kind(at + 1) == Some(T![:]);
        let is_name = |at: usize| matches!(kind(at), Some(IDENT | T![crate] | T![self] | T![super]));
        let most = if tokens.iter().any(|raw| self.source.raw_kind(*raw as usize) == T!['{']) { NAMES } else { LISTED };
        let mut names = Vec::new();
        let mut scope = None;
        let mut at = 0;
        while at < tokens.len() {
            if !is_name(at) {
                at += 1;
                continue;
            }
            let start = at;
            at += 1;
            while colons(at) && is_name(at + 2) {
                at += 3;
            }
            let end = at;
            let before = start.checked_sub(1).and_then(kind);
            let is_value = !matches!(before, Some(T![.] | T![$] | T![&])) && !matches!(kind(end), Some(T![.] | T![!]));
            // What is passed to a call or to another macro is not an argument of this one.
            let group = if kind(end) == Some(T![!]) { end + 1 } else { end };
            if kind(group) == Some(T!['(']) {
                at = group + expand::group(self.source, &tokens[group..]).unwrap_or(1);
            }
            if !is_value || tokens[start..end].len() == 1 && kind(start) == Some(T![self]) {
                continue;
            }
            if names.len() == most {
                return (names, true);
            }
            let path_of = tokens[start..end].iter().map(|raw| self.source.raw_text(*raw as usize)).collect();
            let first = self.source.raw_range(tokens[start] as usize).start;
            let span = self.lines.span(first..self.source.raw_range(tokens[end - 1] as usize).end);
            let scope = scope.get_or_insert_with(|| {
                let mut scope = self.scope();
                if !scope.in_definition {
                    Arc::make_mut(&mut scope).in_macro = Some(path.into());
                }
                scope
            });
            names.push(CallFact { path: path_of, span, scope: scope.clone() });
        }
        names.shrink_to_fit();
        (names, false)
    }
}
