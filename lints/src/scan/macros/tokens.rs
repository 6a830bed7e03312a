//! What can be told from mere tokens: keywords, modules in other files, and apparent calls and mentions of paths.

use super::super::{Scanner, expand, safety};
use super::inner;
use crate::facts::{MacroKind, ModuleDecl, SmolStr, UnsafeFact, UnsafeKind};
use crate::syntax::{SyntaxKind, T};
use SyntaxKind::*;
use std::collections::HashSet;

/// How far to search for the start of a parameter list, in tokens.
const PARAMETERS: usize = 256;

impl<'t> Scanner<'_, 't> {
    /// Records each `unsafe` keyword among mere tokens.
    pub(super) fn keywords(&mut self, tokens: &[u32]) {
        for raw in tokens.iter().map(|raw| *raw as usize).filter(|raw| self.source.raw_kind(*raw) == T![unsafe]) {
            self.record(UnsafeFact {
                name: self.frame().scope.in_macro.clone(),
                safety: safety::of_token(self.source, raw),
                ..self.fact(UnsafeKind::MacroToken, self.source.raw_range(raw))
            });
        }
    }

    /// Records each `mod name;` among mere tokens, which would otherwise be a missed file.
    pub(super) fn modules(&mut self, tokens: &[u32]) {
        for window in tokens.windows(3) {
            let [keyword, name, end] = [window[0], window[1], window[2]].map(|raw| raw as usize);
            let kinds = [keyword, name, end].map(|raw| self.source.raw_kind(raw));
            if kinds == [T![mod], IDENT, T![;]] {
                let scope = self.scope();
                self.facts.modules.push(ModuleDecl {
                    name: self.source.raw_text(name).to_owned(),
                    paths: Vec::new(),
                    parents: scope.modules.clone(),
                    directories: self.frame().directories.to_vec(),
                    in_macro: scope.in_macro.clone(),
                    inline: false,
                    // What stands before it may be a fragment of the macro's.
                    visibility: SmolStr::default(),
                    cfgs: scope.cfgs.clone(),
                    span: self.lines.span(self.source.raw_range(keyword).start..self.source.raw_range(name).end),
                });
            }
        }
    }

    /// Records apparent calls and mentions of paths among mere tokens.
    pub(super) fn paths(&mut self, tokens: &[u32]) {
        let bound = self.bound_names(tokens);
        let mut at = 0;
        while at < tokens.len() {
            at = match self.source.raw_kind(tokens[at] as usize) {
                IDENT | T![crate] | T![self] | T![super] => self.path_tokens(tokens, at, &bound),
                // Attributes do not name values.
                T![#] => at + 1 + expand::group(self.source, &tokens[at + 1..]).unwrap_or(0),
                _ => at + 1,
            }
        }
    }

    /// Names of parameters and variables bound among the tokens; a mention of one does not refer to an item.
    fn bound_names(&self, tokens: &[u32]) -> HashSet<&'t str> {
        let kind = |at: usize| tokens.get(at).map(|raw| self.source.raw_kind(*raw as usize));
        let binds = |at: &usize| {
            let before = at.checked_sub(1).and_then(kind);
            let typed = kind(at + 1) == Some(T![:]) && kind(at + 2) != Some(T![:]) && before != Some(T![:]);
            let pointer = before == Some(T![mut]) && matches!(at.checked_sub(2).and_then(kind), Some(T![*] | T![&]));
            let declared = matches!(before, Some(T![let] | T![mut] | T![ref] | T![for])) && !pointer;
            let item = typed && matches!(before, Some(T![const] | T![static]));
            kind(*at) == Some(IDENT) && (declared || item || typed && self.is_parameter(&tokens[..*at]))
        };
        (0..tokens.len()).filter(binds).map(|at| self.source.raw_text(tokens[at] as usize)).collect()
    }

    /// Whether a name with a type, following these tokens, is a parameter of a function or closure rather than a field
    /// with its value.
    fn is_parameter(&self, before: &[u32]) -> bool {
        let kind = |at: usize| self.source.raw_kind(before[at] as usize);
        let mut closed = 0_usize;
        for at in (0..before.len()).rev().take(PARAMETERS) {
            match kind(at) {
                T![')'] | T![']'] | T!['}'] => closed += 1,
                T!['('] if closed == 0 => return at > 0 && kind(at - 1) != T![!],
                T!['['] | T!['{'] if closed == 0 => return false,
                T!['('] | T!['['] | T!['{'] => closed -= 1,
                T![|] if closed == 0 => return true,
                T![;] | T![=] if closed == 0 => return false,
                _ => {}
            }
        }
        false
    }

    /// Records a call or mention of the path that starts at a token; returns the position after it.
    fn path_tokens(&mut self, tokens: &[u32], start: usize, bound: &HashSet<&str>) -> usize {
        let kind = |at: usize| tokens.get(at).map(|raw| self.source.raw_kind(*raw as usize));
        let name = |at: usize| matches!(kind(at), Some(IDENT | T![crate] | T![self] | T![super]));
        let colons = |at: usize| kind(at) == Some(T![:]) && kind(at + 1) == Some(T![:]);
        let mut end = start + 1;
        while colons(end) && name(end + 2) {
            end += 3;
        }
        // Fields, methods, macro variables, lifetimes and declarations are not paths to values.
        let before = start.checked_sub(1).and_then(kind);
        let no_value =
            matches!(before, Some(T![.] | T![$] | T![fn] | T![struct] | T![mod] | T![use] | T![#] | T![enum]))
                || before == Some(T![:]) && start >= 3 && colons(start - 2)
                || matches!(kind(end), Some(T![!]))
                || kind(end) == Some(T![:]) && !colons(end);
        let no_value = no_value && !(before == Some(T![$]) && kind(start) == Some(T![crate]));
        let is_macro = kind(end) == Some(T![!]) && matches!(kind(end + 1), Some(T!['('] | T!['['] | T!['{']));
        let of_definition = before == Some(T![$]) && kind(start) == Some(T![crate]);
        if is_macro && (of_definition || !matches!(before, Some(T![.] | T![$]))) {
            let path: SmolStr = tokens[start..end].iter().map(|raw| self.source.raw_text(*raw as usize)).collect();
            let first = self.source.raw_range(tokens[start] as usize).start;
            let range = first..self.source.raw_range(tokens[end - 1] as usize).end;
            let group = expand::group(self.source, &tokens[end + 1..]).unwrap_or(1);
            self.macro_use(path, MacroKind::Call, range, inner(&tokens[end + 1..end + 1 + group]));
        }
        if !no_value {
            let segments = tokens[start..end].iter().map(|raw| self.source.raw_text(*raw as usize));
            let path: SmolStr = segments.collect();
            let range = self.source.raw_range(tokens[start] as usize).start
                ..self.source.raw_range(tokens[end - 1] as usize).end;
            let mut after = end;
            if colons(after) && kind(after + 2) == Some(T![<]) {
                after = self.skip_generics(tokens, after + 2);
            }
            if kind(after) == Some(T!['(']) {
                self.call(path, range);
            } else if !bound.contains(path.as_str()) {
                self.mention(path, range);
            }
        }
        end
    }

    /// The position after `<…>`.
    pub(in super::super) fn skip_generics(&self, tokens: &[u32], start: usize) -> usize {
        let mut depth = 0_usize;
        for (at, raw) in tokens.iter().enumerate().skip(start) {
            match self.source.raw_kind(*raw as usize) {
                T![<] => depth += 1,
                T![>] => depth = depth.saturating_sub(1),
                T![;] | T!['{'] => return start,
                _ => {}
            }
            if depth == 0 {
                return at + 1;
            }
        }
        start
    }
}
