//! The passes after the walk: sorting, uses of statics, and releasing spare capacity.

use super::{Scanner, paths};
use crate::facts::{Candidate, FileFacts, ForeignKind, OperationKind, UnsafeFact, UnsafeKind};
use crate::syntax::T;
use std::collections::HashSet;

impl Scanner<'_, '_> {
    pub(super) fn finish(mut self) -> FileFacts {
        let keywords: Vec<usize> =
            (0..self.source.len()).filter(|raw| self.source.raw_kind(*raw) == T![unsafe]).collect();
        self.facts.unsafe_tokens = keywords.len() as u32;
        if !self.facts.errors.is_empty() {
            self.left_by_recovery(&keywords);
        }
        for (anchor, fact) in std::mem::take(&mut self.written) {
            if self.recorded.insert((fact.kind, anchor)) {
                self.facts.unsafes.push(fact);
            }
        }
        self.nest_blocks();
        self.forget_locals();
        self.static_uses();
        self.forget_local_arguments();
        // Expansions were walked after the definitions they come from, and arguments before their macro's expansion, so
        // the facts are not in source order yet.
        self.sort_unsafes();
        self.digests();
        self.facts.foreign.sort_by_key(|item| item.span.start);
        self.calls.sort_by_key(|call| call.span.start);
        self.mentions.sort_by_key(|mention| mention.span.start);
        for fact in &mut self.facts.unsafes {
            // The tree represents `a.b().c()` as a call of `c` around a call of `b`.
            fact.operations.sort_by_key(|operation| operation.span.start);
        }
        for (modules, name) in &self.copies {
            let types = self.facts.types.iter_mut();
            types.filter(|item| item.name == *name && item.modules == *modules).for_each(|item| item.copy = true);
        }
        self.facts.calls = self.calls.into_iter().collect();
        self.facts.mentions = self.mentions.into_iter().collect();
        self.facts.constants = self.constants.into_iter().collect();
        // Facts live as long as the audit, so free the spare capacity of their lists.
        self.facts.candidates.shrink_to_fit();
        self.facts.macros.shrink_to_fit();
        self.facts.functions.shrink_to_fit();
        self.facts.foreign.shrink_to_fit();
        self.facts.types.shrink_to_fit();
        self.facts.imports.shrink_to_fit();
        self.facts.blocks.shrink_to_fit();
        self.facts
    }

    /// Naming a static that is mutable or foreign is an operation. The file's own statics are known here; other names
    /// become candidates.
    fn static_uses(&mut self) {
        let mutable = self.facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::StaticMut);
        let mutable = mutable.filter_map(|fact| fact.name.as_deref());
        let foreign = self.facts.foreign.iter().filter(|item| matches!(item.item, ForeignKind::Static { .. }));
        let statics: HashSet<String> =
            mutable.chain(foreign.map(|item| item.name.as_str())).map(str::to_owned).collect();
        for (block, operation) in std::mem::take(&mut self.named) {
            let is_static = |path: &str| operation.kind == OperationKind::Static && statics.contains(paths::last(path));
            if operation.what.as_deref().is_some_and(is_static) {
                self.facts.unsafes[block].operations.push(operation);
            } else {
                self.facts.candidates.push(Candidate { of: block as u32, operation });
            }
        }
    }

    fn sort_unsafes(&mut self) {
        let facts = std::mem::take(&mut self.facts.unsafes);
        let mut sorted: Vec<(usize, UnsafeFact)> = facts.into_iter().enumerate().collect();
        sorted.sort_by_key(|(_, fact)| fact.span.start);
        let mut places = vec![0; sorted.len()];
        for (place, (before, _)) in sorted.iter().enumerate() {
            places[*before] = place as u32;
        }
        self.facts.unsafes = sorted.into_iter().map(|(_, fact)| fact).collect();
        self.facts.candidates.iter_mut().for_each(|candidate| candidate.of = places[candidate.of as usize]);
    }
}
