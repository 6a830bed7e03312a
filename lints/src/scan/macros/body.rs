//! Macro tokens parsed as items: bodies of definitions with the macro variables removed, and arguments that do not
//! parse cleanly.
//!
//! `static mut`, bare attributes, `extern` blocks and `global_asm!` have no `unsafe` keyword to search for. The parser
//! finds them in whatever tree it recovers, so their forms need not be listed here. Tokens that cannot contain any are
//! not parsed.

use super::super::{Scanner, Take, depth, expand};
use super::DEPTH;
use crate::facts::Unexpanded;
use crate::syntax::{Construct, SyntaxKind, T};
use SyntaxKind::*;

/// Attributes that are unsafe, or may contain an unsafe attribute.
const ATTRIBUTES: &[&str] = &["no_mangle", "export_name", "link_section", "cfg_attr"];

impl Scanner<'_, '_> {
    /// Records the constructs without an `unsafe` keyword among these tokens; [`keywords`](Self::keywords) finds those
    /// with one.
    pub(super) fn constructs(&mut self, tokens: &[u32]) {
        if !self.may_hold_constructs(tokens) {
            return;
        }
        let plain = self.without_variables(tokens);
        let depth = depth::bound(self.source, plain.iter().map(|raw| *raw as usize));
        if depth > self.allowed || self.frame().depth >= DEPTH {
            return self.unread(tokens);
        }
        let tree = self.source.parse_as(&plain, Construct::Items);
        self.within(|frame| frame.take = Take::Constructs);
        self.walk(&tree);
        self.leave();
    }

    /// A quick check of the tokens, since most macros contain no such construct; the parser decides.
    fn may_hold_constructs(&self, tokens: &[u32]) -> bool {
        let kind = |at: usize| tokens.get(at).map(|raw| self.source.raw_kind(*raw as usize));
        tokens.iter().enumerate().any(|(at, raw)| match self.source.raw_kind(*raw as usize) {
            T![extern] => kind(at + 1) != Some(T![crate]),
            T![static] => matches!(kind(at + 1), Some(T![mut] | T![$])),
            IDENT => {
                let text = self.source.raw_text(*raw as usize);
                let called = kind(at + 1) == Some(T![!]);
                match text {
                    "union" => matches!(kind(at + 1), Some(IDENT | T![$])),
                    "include" => called,
                    "global_asm" => true,
                    _ => ATTRIBUTES.contains(&text) || called && self.aliases.contains_key(text),
                }
            }
            _ => false,
        })
    }

    /// The tokens of a body in parsable form: `$name` becomes its name, `$(…),*` one repetition. A variable is removed
    /// where no name can be, such as before an item (a visibility) or after `extern` (an ABI).
    fn without_variables(&self, tokens: &[u32]) -> Vec<u32> {
        let kind = |at: usize| tokens.get(at).map(|raw| self.source.raw_kind(*raw as usize));
        let mut plain = Vec::with_capacity(tokens.len());
        let mut at = 0;
        while at < tokens.len() {
            match (kind(at), kind(at + 1)) {
                (Some(T![$]), Some(T!['('])) => {
                    let group = expand::group(self.source, &tokens[at + 1..]).unwrap_or(1);
                    plain.extend(self.without_variables(&tokens[at + 2..(at + group).max(at + 2)]));
                    at += 1 + group;
                    let operator = |at: usize| matches!(kind(at), Some(T![*] | T![+] | T![?]));
                    if operator(at) {
                        at += 1;
                    } else if let Some(separator) = kind(at).filter(|_| operator(at + 1)) {
                        // The separator still separates the repetition from what follows.
                        plain.extend(matches!(separator, T![,] | T![;]).then_some(tokens[at]));
                        at += 2;
                    }
                }
                (Some(T![$]), Some(T!['{'])) => at += 1 + expand::group(self.source, &tokens[at + 1..]).unwrap_or(1),
                (Some(T![$]), Some(name)) if name.is_any_identifier() => {
                    let is_abi = plain.last().is_some_and(|raw| self.source.raw_kind(*raw as usize) == T![extern]);
                    if !is_abi && !kind(at + 2).is_some_and(starts_item) {
                        plain.push(tokens[at + 1]);
                    }
                    at += 2;
                }
                (Some(T![$]), _) => at += 1,
                _ => {
                    plain.push(tokens[at]);
                    at += 1;
                }
            }
        }
        plain
    }

    fn unread(&mut self, tokens: &[u32]) {
        let name = self.frame().scope.in_macro.clone().unwrap_or_default();
        let range = |raw: &u32| self.source.raw_range(*raw as usize);
        let span = self.lines.span(tokens.first().map_or(0..0, range).start..tokens.last().map_or(0..0, range).end);
        let scope = self.scope();
        self.facts.unexpanded.push(Unexpanded { name, argument: String::new(), item: false, span, scope });
    }
}

/// Keywords that may follow an item's visibility.
fn starts_item(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        T![fn]
            | T![static]
            | T![struct]
            | T![enum]
            | T![extern]
            | T![unsafe]
            | T![mod]
            | T![use]
            | T![const]
            | T![type]
            | T![trait]
            | T![impl]
    )
}
