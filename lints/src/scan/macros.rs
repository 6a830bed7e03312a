//! Macro definitions and calls: code that stands in tokens.
//!
//! The parser sees a call's arguments as tokens only. Arguments that parse as items or as an expression are taken as that:
//! `cfg_if!`, `println!` and most others pass them through. In the rest, and in definitions, tokens are all there is:
//! `unsafe` and what looks like a call is recorded from them. A `macro_rules!` of the same file is expanded to see what it
//! declares.

use super::expand::{self, Macro};
use super::{Frame, Scanner, Take, attributes::Meta, depth, paths, safety};
use crate::facts::{Conditional, MacroFact, MacroKind, ModuleDecl, OperationKind, Unexpanded, UnsafeFact, UnsafeKind};
use crate::syntax::{Construct, Node, SyntaxKind, T, Tree};
use SyntaxKind::*;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

/// Longest argument text kept of a call whose expansion was not seen, in characters.
const ARGUMENT: usize = 200;

/// How many tokens all expansions in a file may have: recursive macros can grow without bound.
const EXPANDED: usize = 1 << 19;

/// How many macro calls may nest before the scan takes their arguments as mere tokens.
const DEPTH: usize = 32;

/// The standard library's macros: what they expand to is known, and their arguments are read where they stand.
const STANDARD_MACROS: &[&str] = &[
    "asm",
    "assert",
    "assert_eq",
    "assert_matches",
    "assert_ne",
    "cfg",
    "cfg_select",
    "column",
    "compile_error",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "global_asm",
    "include",
    "include_bytes",
    "include_str",
    "is_x86_feature_detected",
    "line",
    "matches",
    "module_path",
    "naked_asm",
    "option_env",
    "panic",
    "print",
    "println",
    "stringify",
    "thread_local",
    "todo",
    "try",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// Derives of the standard library.
const STANDARD_DERIVES: &[&str] =
    &["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];

/// Attributes of the compiler and its tools, and those that derives bring most often.
const BUILTIN_ATTRIBUTES: &[&str] = &[
    "allow",
    "allow_internal_unsafe",
    "allow_internal_unstable",
    "automatically_derived",
    "bench",
    "cfg",
    "cfg_attr",
    "cold",
    "crate_name",
    "crate_type",
    "default",
    "deny",
    "deprecated",
    "derive",
    "diagnostic::on_unimplemented",
    "doc",
    "expect",
    "export_name",
    "feature",
    "forbid",
    "global_allocator",
    "ignore",
    "inline",
    "instruction_set",
    "link",
    "link_name",
    "link_ordinal",
    "link_section",
    "macro_export",
    "macro_use",
    "must_use",
    "naked",
    "no_link",
    "no_main",
    "no_mangle",
    "no_std",
    "non_exhaustive",
    "panic_handler",
    "path",
    "proc_macro",
    "proc_macro_attribute",
    "proc_macro_derive",
    "recursion_limit",
    "repr",
    "rustversion",
    "should_panic",
    "target_feature",
    "test",
    "track_caller",
    "type_length_limit",
    "used",
    "warn",
    "windows_subsystem",
];

/// A `macro_rules!` with the predicates that choose it.
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
                    rules.transcribers().for_each(|body| {
                        self.keywords(body);
                        self.paths(body);
                        self.templates(body);
                    });
                    // What stands in a matcher is no code that a use could expand to.
                    self.inside_macro(&name, |_| {});
                    rules.matchers(&bodies[0]).for_each(|matcher| self.keywords(matcher));
                    self.leave();
                }
                None => bodies.iter().for_each(|body| {
                    self.keywords(body);
                    self.paths(body);
                    self.templates(body);
                }),
            }
            self.leave();
        }
        if let Some(rules) = rules {
            let definition = Definition { cfgs: self.frame().scope.cfgs.clone(), rules };
            self.macros.entry(name).or_default().push(definition);
        }
        node.end_id()
    }

    pub(super) fn macro_call(&mut self, node: Node<'_, 't>) -> usize {
        let Some(path) = node.child(PATH).and_then(paths::plain) else { return node.id() + 1 };
        let Some(arguments) = node.child(TOKEN_TREE) else { return node.end_id() };
        let item = node.parent().is_none_or(|parent| {
            matches!(parent.kind(), SOURCE_FILE | MACRO_ITEMS | ITEM_LIST | ASSOC_ITEM_LIST | EXTERN_ITEM_LIST)
        });
        match paths::last(&path) {
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
                // What the expansion declares is known, and the tokens were read where they stand.
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

    /// An attribute's arguments are its macro's own: only keywords are looked for.
    pub(super) fn attribute_arguments(&mut self, name: &str, arguments: Node<'_, 't>) {
        self.inside_macro(name, |_| {});
        self.keywords(&raws(arguments));
        self.leave();
    }

    /// Attributes that are macros, and derives.
    pub(super) fn attribute_macro(&mut self, meta: &Meta<'_, 't>) {
        let derived = if meta.name == "derive" { meta.node.child(TOKEN_TREE) } else { None };
        let Some(list) = derived else {
            let range = meta.node.start()..meta.node.start() + meta.name.len();
            return self.macro_use(meta.name.to_owned(), MacroKind::Attribute, range, &[]);
        };
        let tokens = raws(list);
        let inside = inner(&tokens);
        for path in inside.split(|raw| self.source.raw_kind(*raw as usize) == T![,]).filter(|path| !path.is_empty()) {
            let text: String = path.iter().map(|raw| self.source.raw_text(*raw as usize)).collect();
            let range = |raw: u32| self.source.raw_range(raw as usize);
            self.macro_use(text, MacroKind::Derive, range(path[0]).start..range(path[path.len() - 1]).end, &[]);
        }
    }

    /// Uses of macros that the compiler and the standard library do not have.
    fn macro_use(&mut self, path: String, kind: MacroKind, range: Range<usize>, arguments: &[u32]) {
        let known: &[&str] = match kind {
            MacroKind::Call => STANDARD_MACROS,
            MacroKind::Attribute => BUILTIN_ATTRIBUTES,
            MacroKind::Derive => STANDARD_DERIVES,
        };
        let standard = ["std::", "core::", "alloc::", "::std::", "::core::", "::alloc::", "clippy::", "rustfmt::"];
        let is_standard = known.contains(&path.as_str()) || standard.iter().any(|prefix| path.starts_with(prefix));
        if self.acts() && !is_standard && !path.is_empty() {
            let scope = self.scope();
            let forwards =
                scope.in_definition && arguments.iter().any(|raw| self.source.raw_kind(*raw as usize) == T![$]);
            let (arguments, more) = self.names(&path, arguments);
            let span = self.lines.span(range);
            self.facts.macros.push(MacroFact { path, kind, span, scope, arguments, more, forwards });
        }
    }

    /// A frame for the tokens of a macro.
    fn inside_macro(&mut self, name: &str, change: impl FnOnce(&mut Frame)) {
        let mut frame = Frame { end: usize::MAX, depth: self.frame().depth + 1, ..self.frame().clone() };
        let scope = Arc::make_mut(&mut frame.scope);
        scope.in_macro = Some(name.to_owned());
        scope.in_definition = false;
        change(&mut frame);
        self.frames.push(frame);
    }

    /// The declarations that a macro of this file makes of its arguments. Definitions under different predicates all count.
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

    /// Whether there can be a declaration among the items that tokens make: most macros write `impl`s only.
    fn may_declare(&self, tokens: &[u32]) -> bool {
        let mut at = 0;
        while at < tokens.len() {
            let raw = tokens[at] as usize;
            match self.source.raw_kind(raw) {
                T![extern] | T![struct] | T![enum] | T![type] | T![const] | T![static] | T![mod] | T![use] | T![fn] => {
                    return true;
                }
                // Another macro's call.
                T![!] => return true,
                IDENT if matches!(self.source.raw_text(raw), "union" | "Copy") => return true,
                _ => at += expand::group(self.source, &tokens[at..]).unwrap_or(1),
            }
        }
        false
    }

    /// The texts of a type that is a call of this file's macro, one for each definition; just one if all agree.
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

    /// Arguments of a call, delimiters included: as code if they are, or else as tokens.
    fn arguments(&mut self, tokens: &[u32], item: bool) {
        let depth = self.frame().depth;
        let quoting = self.frame().scope.in_macro.as_deref().is_some_and(|name| name.contains("quote"));
        if !quoting && depth < DEPTH && tokens.len() > 2 {
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
    }

    fn items(&mut self, tokens: &[u32]) -> bool {
        let tree = self.source.parse_as(tokens, Construct::Items);
        self.walk_clean(&tree)
    }

    /// `(a, b)` as a tuple, `[a; n]` as an array, `{ … }` as a block.
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

    /// `if #[cfg(…)] { items } else if #[cfg(…)] { items } else { items }`, the form that `cfg_if!` made common, or arms of `cfg_select!`.
    fn branches(&mut self, tokens: &[u32]) -> bool {
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
                let text = self.text(&tokens[at + 2..at + 2 + attribute]);
                let text = text.strip_prefix("[cfg(")?.strip_suffix(")]")?;
                predicate = Some(text.split_whitespace().collect::<Vec<_>>().join(" "));
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
            let predicate = self.text(&tokens[at..arrow]).split_whitespace().collect::<Vec<_>>().join(" ");
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

    /// The source text from the first to the last of some tokens that stand together.
    fn text(&self, tokens: &[u32]) -> &'t str {
        let range = |raw: &u32| self.source.raw_range(*raw as usize);
        match tokens {
            [first, .., last] => &self.source.text()[range(first).start..range(last).end],
            [one] => &self.source.text()[range(one)],
            [] => "",
        }
    }

    /// A fact for each `unsafe` among mere tokens.
    fn keywords(&mut self, tokens: &[u32]) {
        for raw in tokens.iter().map(|raw| *raw as usize).filter(|raw| self.source.raw_kind(*raw) == T![unsafe]) {
            self.record(UnsafeFact {
                name: self.frame().scope.in_macro.clone(),
                safety: safety::of_token(self.source, raw),
                ..self.fact(UnsafeKind::MacroToken, self.source.raw_range(raw))
            });
        }
    }

    /// `mod name;` among mere tokens: a file that would be missed otherwise.
    fn modules(&mut self, tokens: &[u32]) {
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
                    cfgs: scope.cfgs.clone(),
                    span: self.lines.span(self.source.raw_range(keyword).start..self.source.raw_range(name).end),
                });
            }
        }
    }

    /// What looks like calls and mentions of paths among mere tokens.
    fn paths(&mut self, tokens: &[u32]) {
        let mut at = 0;
        while at < tokens.len() {
            at = match self.source.raw_kind(tokens[at] as usize) {
                IDENT | T![crate] | T![self] | T![super] => self.path_tokens(tokens, at),
                // Attributes name no values.
                T![#] => at + 1 + expand::group(self.source, &tokens[at + 1..]).unwrap_or(0),
                _ => at + 1,
            }
        }
    }

    /// A call or mention of the path that starts at a token; gives the place behind it.
    fn path_tokens(&mut self, tokens: &[u32], start: usize) -> usize {
        let kind = |at: usize| tokens.get(at).map(|raw| self.source.raw_kind(*raw as usize));
        let name = |at: usize| matches!(kind(at), Some(IDENT | T![crate] | T![self] | T![super]));
        let colons = |at: usize| kind(at) == Some(T![:]) && kind(at + 1) == Some(T![:]);
        let mut end = start + 1;
        while colons(end) && name(end + 2) {
            end += 3;
        }
        // Fields, methods, macro variables, lifetimes' names and declarations are no paths of values.
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
            let path: String = tokens[start..end].iter().map(|raw| self.source.raw_text(*raw as usize)).collect();
            let first = self.source.raw_range(tokens[start] as usize).start;
            let range = first..self.source.raw_range(tokens[end - 1] as usize).end;
            let group = expand::group(self.source, &tokens[end + 1..]).unwrap_or(1);
            self.macro_use(path, MacroKind::Call, range, inner(&tokens[end + 1..end + 1 + group]));
        }
        if !no_value {
            let segments = tokens[start..end].iter().map(|raw| self.source.raw_text(*raw as usize));
            let path: String = segments.collect();
            let range = self.source.raw_range(tokens[start] as usize).start
                ..self.source.raw_range(tokens[end - 1] as usize).end;
            let mut after = end;
            if colons(after) && kind(after + 2) == Some(T![<]) {
                after = self.skip_generics(tokens, after + 2);
            }
            if kind(after) == Some(T!['(']) {
                self.call(path, range);
            } else {
                self.mention(path, range);
            }
        }
        end
    }

    /// The place behind `<…>`.
    pub(super) fn skip_generics(&self, tokens: &[u32], start: usize) -> usize {
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

    fn unexpanded(&mut self, node: Node<'_, 't>, name: &str, arguments: Node<'_, 't>, item: bool) {
        let argument = arguments.normal_text();
        let argument = argument.get(1..argument.len() - 1).unwrap_or_default().trim().chars().take(ARGUMENT).collect();
        let span = self.lines.span(node.start()..node.end());
        let scope = self.scope();
        self.facts.unexpanded.push(Unexpanded { name: name.to_owned(), argument, item, span, scope });
    }
}

/// The raw tokens of a node. Inside token trees none are joined.
fn raws(node: Node<'_, '_>) -> Vec<u32> {
    node.all_tokens().iter().map(|token| token.raw).collect()
}

/// The tokens between the delimiters.
fn inner(tokens: &[u32]) -> &[u32] {
    tokens.get(1..tokens.len().saturating_sub(1)).unwrap_or_default()
}
