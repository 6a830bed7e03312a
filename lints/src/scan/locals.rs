//! Local variables: a call or mention of one does not refer to an item of the same name.

use super::{Scanner, Take};
use crate::facts::{Block, CallFact, OperationKind};
use crate::syntax::{Node, SyntaxKind};
use SyntaxKind::*;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The byte ranges in which names bound by patterns are in scope.
#[derive(Default)]
pub(super) struct Locals<'t>(HashMap<&'t str, Vec<Range<usize>>>);

impl<'t> Scanner<'_, 't> {
    pub(super) fn binding(&mut self, node: Node<'_, 't>) {
        if let Some(name) = node.child(NAME).filter(|_| self.frame().take != Take::Constructs) {
            // Tokens passed to a macro may contain patterns in places where the grammar has none.
            let within = || node.end()..self.frame().function_end.unwrap_or(usize::MAX);
            let known = known_in(node).unwrap_or_else(within);
            self.locals.0.entry(name.text()).or_default().push(known);
        }
    }

    /// Records the block that directly contains an item, if there is one.
    pub(super) fn item_of_block(&mut self, item: Node<'_, 't>) {
        let list = item.parent().filter(|parent| parent.kind() == STMT_LIST);
        if let Some(list) = list.filter(|list| !list.is_scattered() && self.declares()) {
            let block = Block { start: list.start() as u32, end: list.end() as u32, around: None };
            if self.facts.blocks.last() != Some(&block) {
                self.facts.blocks.push(block);
            }
        }
    }

    /// Sorts the blocks and sets the enclosing block of each.
    pub(super) fn nest_blocks(&mut self) {
        let blocks = &mut self.facts.blocks;
        blocks.sort_by_key(|block| (block.start, std::cmp::Reverse(block.end)));
        blocks.dedup();
        let mut open: Vec<u32> = Vec::new();
        for index in 0..blocks.len() {
            while open.last().is_some_and(|outer| blocks[*outer as usize].end <= blocks[index].start) {
                open.pop();
            }
            blocks[index].around = open.last().copied();
            open.push(index as u32);
        }
    }

    /// Removes calls and mentions whose name turned out to be that of a local variable.
    pub(super) fn forget_locals(&mut self) {
        let mut unsafes = std::mem::take(&mut self.facts.unsafes);
        let facts = &self.facts;
        let named = |at: u32, name| Some((facts.blocks_around(at).next()?, name));
        let functions = facts.functions.iter().filter(|item| item.owner.is_none());
        let functions = functions.filter_map(|item| named(item.span.start, Some(item.name.as_str())));
        let foreign = facts.foreign.iter().filter_map(|item| named(item.span.start, Some(item.name.as_str())));
        let imports = facts.imports.iter().filter_map(|import| named(import.at, import.name.as_deref()));
        let items: HashSet<(u32, Option<&str>)> = functions.chain(foreign).chain(imports).collect();
        let is_local = |path: &str, at: u32| {
            let known = self.locals.0.get(path).into_iter().flatten();
            let Some(bound) = known.filter(|known| known.contains(&(at as usize))).map(|known| known.start).max()
            else {
                return false;
            };
            // Items of a block that begins after the binding shadow it, and its glob imports may.
            let mut inner =
                facts.blocks_around(at).take_while(|block| facts.blocks[*block as usize].start as usize > bound);
            !inner.any(|block| items.contains(&(block, Some(path))) || items.contains(&(block, None)))
        };
        let stays = |call: &CallFact| !is_local(&call.path, call.span.start);
        self.calls.retain(stays);
        self.mentions.retain(stays);
        self.named.retain(|(_, named)| !named.what.as_deref().is_some_and(|path| is_local(path, named.span.start)));
        for operation in unsafes.iter_mut().flat_map(|fact| &mut fact.operations) {
            let is_call = operation.kind == OperationKind::Call;
            operation.what.take_if(|path| is_call && is_local(path, operation.span.start));
        }
        self.facts.unsafes = unsafes;
    }
}

/// The scope of the name that a pattern binds: the rest of the block after a `let`, the body of a function, closure or
/// loop, the arm of a `match`, or the branch of an `if let`.
fn known_in(pattern: Node<'_, '_>) -> Option<Range<usize>> {
    let mut inner = pattern;
    // The end of the condition that a `let` is part of.
    let mut condition = None;
    while let Some(around) = inner.parent() {
        let body = || around.children().find(|child| child.kind() == BLOCK_EXPR && child.start() >= inner.end());
        match (around.kind(), condition) {
            (LET_STMT, None) => return Some(around.end()..around.parent()?.end()),
            (PARAM_LIST, None) => return Some(around.end()..around.parent()?.end()),
            (FOR_EXPR, None) => {
                let body = around.children().filter(|child| child.kind() == BLOCK_EXPR).last()?;
                return Some(body.start()..body.end());
            }
            (MATCH_ARM, from) => return Some(from.unwrap_or(pattern.end())..around.end()),
            (LET_EXPR, None) => condition = Some(around.end()),
            (IF_EXPR, Some(from)) => return Some(from..body()?.end()),
            (WHILE_EXPR, Some(from)) => return Some(from..around.end()),
            (BLOCK_EXPR | ITEM_LIST | SOURCE_FILE, _) => return None,
            _ => {}
        }
        inner = around;
    }
    None
}
