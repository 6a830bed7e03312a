//! Digests of unsafe constructs, by which reports tell constructs in the same function apart.

use super::Scanner;
use crate::facts::{UnsafeFact, UnsafeKind};
use crate::syntax::T;
use std::collections::HashMap;

/// How many tokens of a construct are hashed; for longer constructs their length is hashed as well.
const HASHED: usize = 256;

impl Scanner<'_, '_> {
    /// Sets the ends and digests of all unsafe constructs.
    pub(super) fn digests(&mut self) {
        let mut unsafes = std::mem::take(&mut self.facts.unsafes);
        let closing = if unsafes.is_empty() { HashMap::new() } else { self.closing_braces() };
        for fact in &mut unsafes {
            self.digest(fact, &closing);
        }
        self.facts.unsafes = unsafes;
    }

    fn digest(&self, fact: &mut UnsafeFact, closing: &HashMap<usize, usize>) {
        let source = self.source;
        let first = source.raw_at(fact.span.start as usize);
        let header = first..source.raw_at(fact.span.end as usize);
        let braced = matches!(fact.kind, UnsafeKind::Block | UnsafeKind::MacroToken);
        let body = braced.then(|| self.behind_braces(header.end, closing)).flatten();
        let raws = first..body.unwrap_or(header.end);
        fact.end = raws.clone().last().map_or(fact.span.end, |raw| source.raw_range(raw).end as u32);

        let mut hash = blake3::Hasher::new();
        // Thousands of nested blocks would each hash all blocks inside them, so the number of tokens is limited.
        let (length, mut tokens) = (raws.len(), raws.filter(|raw| !source.raw_kind(*raw).is_trivia()));
        for raw in tokens.by_ref().take(HASHED) {
            hash.update(source.raw_text(raw).as_bytes());
            // No token contains this byte, so `a b` and `ab` differ.
            hash.update(&[0]);
        }
        if tokens.next().is_some() {
            hash.update(&length.to_be_bytes());
        }
        let mut digest = [0; 8];
        hash.finalize_xof().fill(&mut digest);
        fact.digest = u64::from_be_bytes(digest);
    }

    /// The raw token after the braces that open at or after `raw`; `None` if none open there or they are never closed.
    fn behind_braces(&self, raw: usize, closing: &HashMap<usize, usize>) -> Option<usize> {
        let open = (raw..self.source.len()).find(|raw| !self.source.raw_kind(*raw).is_trivia())?;
        closing.get(&open).map(|close| close + 1)
    }

    /// For each closed `{`, the index of its `}`.
    fn closing_braces(&self) -> HashMap<usize, usize> {
        let (mut open, mut closing) = (Vec::new(), HashMap::new());
        for raw in 0..self.source.len() {
            match self.source.raw_kind(raw) {
                T!['{'] => open.push(raw),
                T!['}'] => closing.extend(open.pop().map(|start| (start, raw))),
                _ => {}
            }
        }
        closing
    }
}
