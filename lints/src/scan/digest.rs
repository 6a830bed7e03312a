//! What an unsafe construct says, as a number: reports tell it by that from others in the same function.

use super::Scanner;
use crate::facts::{UnsafeFact, UnsafeKind};
use crate::syntax::T;

impl Scanner<'_, '_> {
    /// Ends and digests of all unsafe constructs.
    pub(super) fn digests(&mut self) {
        let mut unsafes = std::mem::take(&mut self.facts.unsafes);
        for fact in &mut unsafes {
            self.digest(fact);
        }
        self.facts.unsafes = unsafes;
    }

    fn digest(&self, fact: &mut UnsafeFact) {
        let source = self.source;
        let first = source.raw_at(fact.span.start as usize);
        let header = first..source.raw_at(fact.span.end as usize);
        let braced = matches!(fact.kind, UnsafeKind::Block | UnsafeKind::MacroToken);
        let body = braced.then(|| self.behind_braces(header.end)).flatten();
        let raws = first..body.unwrap_or(header.end);
        fact.end = raws.clone().last().map_or(fact.span.end, |raw| source.raw_range(raw).end as u32);

        let mut hash = blake3::Hasher::new();
        for raw in raws.filter(|raw| !source.raw_kind(*raw).is_trivia()) {
            hash.update(source.raw_text(raw).as_bytes());
            // No token holds this byte, so `a b` and `ab` differ.
            hash.update(&[0]);
        }
        let mut digest = [0; 8];
        hash.finalize_xof().fill(&mut digest);
        fact.digest = u64::from_be_bytes(digest);
    }

    /// The raw token behind the braces that open at or after `raw`; `None` if none open there or they never close.
    fn behind_braces(&self, raw: usize) -> Option<usize> {
        let source = self.source;
        let open = (raw..source.len()).find(|raw| !source.raw_kind(*raw).is_trivia())?;
        if source.raw_kind(open) != T!['{'] {
            return None;
        }
        let mut depth = 0_usize;
        for raw in open..source.len() {
            match source.raw_kind(raw) {
                T!['{'] => depth += 1,
                T!['}'] => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(raw + 1);
            }
        }
        None
    }
}
