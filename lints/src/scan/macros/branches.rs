//! Macro arguments that consist of items under conditions, as in `cfg_if!` and `cfg_select!`.

use super::super::{Frame, Scanner, expand, paths};
use crate::syntax::T;
use std::ops::Range;
use std::sync::Arc;

impl Scanner<'_, '_> {
    /// Scans `if #[cfg(…)] { items } else if #[cfg(…)] { items } else { items }`, the form that `cfg_if!` established,
    /// or the arms of `cfg_select!`. Returns whether the tokens have that form.
    pub(super) fn branches(&mut self, tokens: &[u32]) -> bool {
        let select = self.frame().scope.in_macro.as_deref().is_some_and(|name| paths::last(name) == "cfg_select");
        let branches = if select { self.split_arms(tokens) } else { self.split_branches(tokens) };
        let Some(branches) = branches else { return false };
        let mut before: Vec<String> = Vec::new();
        for (predicate, body) in branches {
            let end = self.frame().end;
            let mut frame = Frame { end, ..self.frame().clone() };
            let cfgs = &mut Arc::make_mut(&mut frame.scope).cfgs;
            cfgs.extend(before.iter().map(|predicate| format!("not({predicate})")));
            cfgs.extend(predicate.clone());
            self.frames.push(frame);
            self.arguments(&tokens[body], true);
            self.leave();
            before.extend(predicate);
        }
        true
    }

    fn split_branches(&self, tokens: &[u32]) -> Option<Vec<(Option<String>, Range<usize>)>> {
        let kind = |at: usize| tokens.get(at).map(|raw| self.source.raw_kind(*raw as usize));
        let mut branches = Vec::new();
        let mut at = 0;
        loop {
            let mut predicate = None;
            if kind(at) == Some(T![if]) {
                if kind(at + 1) != Some(T![#]) {
                    return None;
                }
                let attribute = expand::group(self.source, &tokens[at + 2..])?;
                let [_, cfg, open, inside @ .., _, _] = &tokens[at + 2..at + 2 + attribute] else { return None };
                let is_cfg = self.source.raw_text(*cfg as usize) == "cfg";
                if !is_cfg || self.source.raw_kind(*open as usize) != T!['('] {
                    return None;
                }
                predicate = Some(self.text(inside));
                at += 2 + attribute;
            } else if branches.is_empty() {
                return None;
            }
            let body = expand::group(self.source, &tokens[at..]).filter(|_| kind(at) == Some(T!['{']))?;
            let last = predicate.is_none();
            branches.push((predicate, at..at + body));
            at += body;
            if at == tokens.len() {
                return Some(branches);
            }
            if last || kind(at) != Some(T![else]) {
                return None;
            }
            at += 1;
        }
    }

    /// `predicate => { items } … _ => { items }`, the form of `cfg_select!`.
    fn split_arms(&self, tokens: &[u32]) -> Option<Vec<(Option<String>, Range<usize>)>> {
        let kind = |at: usize| tokens.get(at).map(|raw| self.source.raw_kind(*raw as usize));
        let mut arms = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let arrow = (at..tokens.len()).find(|at| kind(*at) == Some(T![=]) && kind(at + 1) == Some(T![>]))?;
            let predicate = self.text(&tokens[at..arrow]);
            at = arrow + 2;
            let body = expand::group(self.source, &tokens[at..]).filter(|_| kind(at) == Some(T!['{']))?;
            arms.push(((predicate != "_").then_some(predicate), at..at + body));
            at += body;
            if kind(at) == Some(T![,]) {
                at += 1;
            }
        }
        Some(arms)
    }
    /// The text of these tokens without comments, with each run of whitespace as one space.
    fn text(&self, tokens: &[u32]) -> String {
        let mut text = String::new();
        let mut end = None;
        for range in tokens.iter().map(|raw| self.source.raw_range(*raw as usize)) {
            if end.is_some_and(|end| end != range.start) {
                text.push(' ');
            }
            text.push_str(&self.source.text()[range.clone()]);
            end = Some(range.end);
        }
        text
    }
}
