//! Macro definitions and calls, whose code is only available as tokens.
//!
//! The parser leaves a call's arguments as tokens. Arguments that parse as items or as an expression are treated as
//! such, since `cfg_if!`, `println!` and most other macros pass them through. In other arguments, and in macro
//! definitions, `unsafe` keywords and what looks like a call are found among the tokens, and the unsafe constructs in
//! whatever tree the parser recovers. A `macro_rules!` of the same file is expanded to see what it declares.

mod body;
mod branches;
mod known;
mod tokens;

use super::expand::{self, Macro};
use super::{Frame, Scanner, Take, attributes::Meta, depth, paths, safety};
use crate::facts::{Conditional, MacroFact, MacroKind, OperationKind, SmolStr, Unexpanded, UnsafeKind};
use crate::syntax::{Construct, Node, SyntaxKind, T, Tree};
use SyntaxKind::*;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

/// Longest argument text kept of a call that was not expanded, in characters.
const ARGUMENT: usize = 200;

/// Limit on the tokens of all expansions in a file, since recursive macros can grow without bound.
const EXPANDED: usize = 1 << 19;

/// Nesting of macro calls beyond which arguments are treated as mere tokens.
const DEPTH: usize = 32;

/// A `macro_rules!` with the `cfg` predicates on it.
#[derive(Clone)]
pub(super) struct Definition {
    cfgs: Vec<String>,
    rules: Rc<Macro>,
}

impl<'s, 't> Scanner<'s, 't> {
    pub(super) fn macro_definition(&mut self, node: Node<'_, 't>) -> usize {
        let name = super::items::name(node).unwrap_or_default();
        let bodies: Vec<Vec<u32>> = node.children().filter(|child| child.kind() == TOKEN_TREE).map(raws).collect();
        let rules = match bodies.as_slice() {
            [body] if node.kind() == MACRO_RULES => Macro::parse(self.source, inner(body)).map(Rc::new),
            _ => None,
        };
        if self.acts() {
            self.inside_macro(&name, |frame| {
                frame.block = None;
                Arc::make_mut(&mut frame.scope).in_definition = true;
            });
            bodies.iter().for_each(|body| self.modules(body));
            match &rules {
                Some(rules) => {
                    rules.transcribers().for_each(|body| self.body(body));
                    // No use of the macro can expand to the tokens of a matcher.
                    self.inside_macro(&name, |_| {});
                    rules.matchers(&bodies[0]).for_each(|matcher| self.keywords(matcher));
                    self.leave();
                }
                None => bodies.iter().for_each(|body| self.body(inner(body))),
            }
            self.leave();
        } else if self.frame().take == Take::Constructs {
            // These tokens are without macro variables, so they are not the macro's actual rules.
            self.inside_macro(&name, |frame| Arc::make_mut(&mut frame.scope).in_definition = true);
            bodies.iter().for_each(|body| self.constructs(inner(body)));
            self.leave();
            return node.end_id();
        }
        if let Some(rules) = rules {
            let definition = Definition { cfgs: self.frame().scope.cfgs.clone(), rules };
            self.macros.entry(name).or_default().push(definition);
        }
        node.end_id()
    }

    /// Records what a macro's expansions may contain, from the tokens of its body.
    fn body(&mut self, tokens: &[u32]) {
        self.keywords(tokens);
        self.paths(tokens);
        self.templates(tokens);
        self.constructs(tokens);
    }

    pub(super) fn macro_call(&mut self, node: Node<'_, 't>) -> usize {
        let Some(path) = node.child(PATH).and_then(paths::plain) else { return node.id() + 1 };
        let Some(arguments) = node.child(TOKEN_TREE) else { return node.end_id() };
        let item = node.parent().is_none_or(|parent| {
            matches!(parent.kind(), SOURCE_FILE | MACRO_ITEMS | ITEM_LIST | ASSOC_ITEM_LIST | EXTERN_ITEM_LIST)
        });
        match self.original(&path) {
            "global_asm" => self.bare_item(node, UnsafeKind::GlobalAsm, Some(path.clone())),
            "asm" | "naked_asm" => {
                self.operation(OperationKind::Asm, node.start()..node.end(), || Some(path.clone()));
            }
            "include" => self.unexpanded(node, &path, arguments, item),
            _ => {}
        }
        let tokens = raws(arguments);
        let range = node.child(PATH).map_or(0..0, |path| path.start()..path.end());
        self.macro_use(path.clone(), MacroKind::Call, range, inner(&tokens));
        let expanded = item && self.frame().depth < DEPTH && self.declares() && self.expand(&path, inner(&tokens));
        let keyword = tokens.iter().any(|raw| self.source.raw_kind(*raw as usize) == T![unsafe]);
        let outer = self.frame().safety.clone();
        let safety = if keyword { safety::of_call(node, outer.as_deref()).map(Arc::from) } else { None };
        self.inside_macro(&path, |frame| {
            frame.safety = safety;
            match (expanded, frame.take) {
                (true, Take::Everything) => frame.take = Take::Code,
                // The expansion shows what is declared, and the tokens were already scanned in their place.
                (true, _) => frame.depth = usize::MAX,
                _ => {}
            }
        });
        if self.frame().depth != usize::MAX {
            self.arguments(&tokens, item);
        }
        self.leave();
        node.end_id()
    }

    /// The macro interprets an attribute's arguments as it likes, so only keywords are searched for.
    pub(super) fn attribute_arguments(&mut self, name: &str, arguments: Node<'_, 't>) {
        self.inside_macro(name, |_| {});
        self.keywords(&raws(arguments));
        self.leave();
    }

    /// Records attribute macros and derives.
    pub(super) fn attribute_macro(&mut self, meta: &Meta<'_, 't>) {
        let derived = if meta.name == "derive" { meta.node.child(TOKEN_TREE) } else { None };
        let Some(list) = derived else {
            let range = meta.node.start()..meta.node.start() + meta.name.len();
            return self.macro_use(meta.name.into(), MacroKind::Attribute, range, &[]);
        };
        let tokens = raws(list);
        let inside = inner(&tokens);
        for path in inside.split(|raw| self.source.raw_kind(*raw as usize) == T![,]).filter(|path| !path.is_empty()) {
            let text: SmolStr = path.iter().map(|raw| self.source.raw_text(*raw as usize)).collect();
            let range = |raw: u32| self.source.raw_range(raw as usize);
            self.macro_use(text, MacroKind::Derive, range(path[0]).start..range(path[path.len() - 1]).end, &[]);
        }
    }

    /// Records the use of a macro, unless it belongs to the compiler or the standard library.
    fn macro_use(&mut self, path: SmolStr, kind: MacroKind, range: Range<usize>, arguments: &[u32]) {
        if self.acts() && !path.is_empty() && !known::is_standard(&path, kind) {
            let scope = self.scope();
            let forwards =
                scope.in_definition && arguments.iter().any(|raw| self.source.raw_kind(*raw as usize) == T![$]);
            let (arguments, more) = self.names(&path, arguments);
            let span = self.lines.span(range);
            self.facts.macros.push(MacroFact { path, kind, span, scope, arguments, more, forwards });
        }
    }

    /// Enters a frame for the tokens of a macro.
    fn inside_macro(&mut self, name: &str, change: impl FnOnce(&mut Frame)) {
        self.within(|frame| {
            frame.depth = frame.depth.saturating_add(1);
            let constructs = frame.take == Take::Constructs;
            let scope = Arc::make_mut(&mut frame.scope);
            // A macro call inside a definition takes effect where the defined macro is used.
            scope.in_definition &= constructs;
            if !scope.in_definition {
                scope.in_macro = Some(name.into());
            }
            change(frame);
        });
    }

    /// Enters a frame that lasts until it is left explicitly.
    fn within(&mut self, change: impl FnOnce(&mut Frame)) {
        let mut frame = Frame { end: usize::MAX, ..self.frame().clone() };
        change(&mut frame);
        self.frames.push(frame);
    }

    /// Walks the declarations that a macro of this file expands its arguments to. Definitions under different
    /// predicates all count.
    fn expand(&mut self, name: &str, arguments: &[u32]) -> bool {
        let Some(definitions) = self.macros.get(name).cloned() else { return false };
        let mut expanded = false;
        for definition in definitions {
            let Some(tokens) = definition.rules.expand(self.source, arguments) else { continue };
            self.expanded += tokens.len();
            let depth = depth::bound(self.source, tokens.iter().map(|raw| *raw as usize));
            if self.expanded > EXPANDED || depth > self.allowed {
                return expanded;
            }
            expanded = true;
            if !self.may_declare(&tokens) {
                continue;
            }
            let tree = self.source.parse_as(&tokens, Construct::Items);
            self.inside_macro(name, |frame| {
                frame.take = Take::Declarations;
                let cfgs = definition.cfgs.iter().filter(|cfg| !frame.scope.cfgs.contains(cfg)).cloned();
                let cfgs: Vec<String> = cfgs.collect();
                Arc::make_mut(&mut frame.scope).cfgs.extend(cfgs);
            });
            self.walk(&tree);
            self.leave();
        }
        expanded
    }

    /// Whether tokens can contain a declaration at the top level: most macros only produce `impl`s.
    fn may_declare(&self, tokens: &[u32]) -> bool {
        let mut at = 0;
        while at < tokens.len() {
            let raw = tokens[at] as usize;
            match self.source.raw_kind(raw) {
                T![extern] | T![struct] | T![enum] | T![type] | T![const] | T![static] | T![mod] | T![use] | T![fn] => {
                    return true;
                }
                // A call of another macro.
                T![!] => return true,
                IDENT if matches!(self.source.raw_text(raw), "union" | "Copy") => return true,
                _ => at += expand::group(self.source, &tokens[at..]).unwrap_or(1),
            }
        }
        false
    }

    /// The texts of a type that is a call of this file's macro, one per definition; a single one if all agree.
    pub(super) fn expanded_type(&self, ty: Node<'_, 't>) -> Option<Vec<Conditional>> {
        let call = if ty.kind() == MACRO_TYPE { ty.child(MACRO_CALL)? } else { return None };
        let definitions = self.macros.get(&paths::plain(call.child(PATH)?)?)?;
        let arguments = raws(call.child(TOKEN_TREE)?);
        let texts = definitions.iter().map(|definition| {
            let tokens = definition.rules.expand(self.source, inner(&arguments))?;
            let tokens: Vec<&str> = tokens.iter().map(|raw| self.source.raw_text(*raw as usize)).collect();
            Some(Conditional { value: tokens.join(" ").replace(" :: ", "::"), cfgs: definition.cfgs.clone() })
        });
        let mut texts = texts.collect::<Option<Vec<_>>>()?;
        if texts.windows(2).all(|pair| pair[0].value == pair[1].value) {
            texts.truncate(1);
            texts.iter_mut().for_each(|text| text.cfgs.clear());
        }
        Some(texts).filter(|texts| !texts.is_empty())
    }

    /// Scans a call's arguments, delimiters included, as code if they parse as code, and otherwise as tokens.
    fn arguments(&mut self, tokens: &[u32], item: bool) {
        let depth = self.frame().depth;
        if !self.is_quoted() && depth < DEPTH && tokens.len() > 2 {
            let braces = self.source.raw_kind(tokens[0] as usize) == T!['{'];
            if (item || braces) && (self.branches(inner(tokens)) || self.items(inner(tokens))) {
                return;
            }
            let worth_it =
                |raw: &u32| matches!(self.source.raw_kind(*raw as usize), T!['('] | T![:] | T![unsafe] | T![*]);
            if self.acts() && inner(tokens).iter().any(worth_it) && self.expression(tokens) {
                return;
            }
        }
        if self.acts() {
            self.keywords(tokens);
            self.modules(tokens);
            self.paths(tokens);
        }
        if self.frame().take != Take::Declarations {
            self.constructs(inner(tokens));
        }
    }

    fn items(&mut self, tokens: &[u32]) -> bool {
        let tree = self.source.parse_as(tokens, Construct::Items);
        self.walk_clean(&tree)
    }

    /// Parses the arguments with their delimiters: `(a, b)` as a tuple, `[a; n]` as an array, `{ … }` as a block.
    fn expression(&mut self, tokens: &[u32]) -> bool {
        let tree = self.source.parse_as(tokens, Construct::Expression);
        self.walk_clean(&tree)
    }

    fn walk_clean(&mut self, tree: &Tree<'s, 't>) -> bool {
        let clean = tree.errors().next().is_none();
        if clean {
            self.walk(tree);
        }
        clean
    }

    /// The original name of a compiler macro that the file renames; for all others, the last segment.
    fn original<'p>(&self, path: &'p str) -> &'p str
    where
        't: 'p,
    {
        self.aliases.get(path).copied().unwrap_or_else(|| paths::last(path))
    }

    fn unexpanded(&mut self, node: Node<'_, 't>, path: &str, arguments: Node<'_, 't>, item: bool) {
        // An `include!` inside quotes is part of the code that they generate, in another crate.
        if self.frame().take == Take::Constructs && self.is_quoted() {
            return;
        }
        let of_compiler = self.aliases.contains_key(path)
            || matches!(path.trim_start_matches("::"), "include" | "std::include" | "core::include");
        let name = SmolStr::new(if of_compiler { "include" } else { path });
        let argument = arguments.normal_text();
        let argument = argument.get(1..argument.len() - 1).unwrap_or_default().trim().chars().take(ARGUMENT).collect();
        let span = self.lines.span(node.start()..node.end().max(node.start()));
        // Replaces the entry from scanning the definition, where the argument was not known.
        self.facts.unexpanded.retain(|unseen| !(unseen.scope.in_definition && unseen.span.start == span.start));
        let scope = self.scope();
        self.facts.unexpanded.push(Unexpanded { name, argument, item, span, scope });
    }

    fn is_quoted(&self) -> bool {
        self.frame().scope.in_macro.as_deref().is_some_and(|name| name.contains("quote"))
    }
}

/// The raw tokens of a node, none of which are joined inside token trees.
fn raws(node: Node<'_, '_>) -> Vec<u32> {
    node.all_tokens().iter().map(|token| token.raw).collect()
}

/// The tokens between the delimiters.
fn inner(tokens: &[u32]) -> &[u32] {
    tokens.get(1..tokens.len().saturating_sub(1)).unwrap_or_default()
}
