//! Data flow of some arguments within one function: lengths and pointers passed on trust, types of transmutes,
//! functions passed as arguments.
//!
//! The walk keeps no state for this. The few calls that need it search the enclosing function for `let`s, assignments
//! and comparisons.

use super::{Scanner, items, paths};
use crate::facts::{Argument, Origin, Transmute, Trust, TrustKind};
use crate::syntax::{Node, SyntaxKind, T};
use SyntaxKind::*;
use std::collections::HashSet;

/// How many assignments a value is traced through.
const STEPS: usize = 8;

/// Size in nodes of the largest function that is searched: each query walks all of it, and generated functions contain
/// thousands of calls.
const LARGEST: usize = 8_000;

/// Characters kept of an argument's text.
const TEXT: usize = 80;

impl<'t> Scanner<'_, 't> {
    /// Records the trusted arguments of a call of a plain path, or the types of a transmute.
    pub(super) fn call_arguments(&mut self, callee: Node<'_, 't>, path: &str) {
        let Some(call) = callee.parent().filter(|_| self.acts()) else { return };
        match paths::last(path) {
            "transmute" | "transmute_copy" => self.transmute(callee, call),
            "from_raw_parts" | "from_raw_parts_mut" | "slice_from_raw_parts" | "slice_from_raw_parts_mut" => {
                self.trust(TrustKind::Length, callee, argument(call, 1));
            }
            "from_ptr" if path.ends_with("CStr::from_ptr") => self.trust(TrustKind::String, callee, argument(call, 0)),
            _ => {}
        }
    }

    fn transmute(&mut self, callee: Node<'_, 't>, call: Node<'_, 't>) {
        let [from, to] = turbofish(callee);
        let from = from.or_else(|| argument(call, 0).and_then(stated_type));
        let to = to.or_else(|| expected_type(call));
        let span = self.lines.span(callee.start()..callee.end());
        self.facts.transmutes.push(Transmute { from, to, span, scope: self.scope() });
    }

    fn trust(&mut self, kind: TrustKind, callee: Node<'_, 't>, argument: Option<Node<'_, 't>>) {
        let Some(argument) = argument else { return };
        let Some(function) = enclosing(argument, FN).filter(is_small) else { return };
        let mut flow = Flow { function, before: callee.start(), kind, names: HashSet::new(), origins: Vec::new() };
        flow.follow(argument, STEPS);
        flow.origins.dedup();
        let checked = flow.checked();
        let Flow { origins, .. } = flow;
        self.facts.trusts.push(Trust {
            kind,
            what: argument.normal_text().chars().take(TEXT).collect(),
            origins,
            checked,
            span: self.lines.span(callee.start()..callee.end()),
            scope: self.scope(),
        });
    }

    /// Records a path that is not called but passed to a call, since it may be a function.
    pub(super) fn function_argument(&mut self, node: Node<'_, 't>, path: &str) {
        let name = paths::last(path);
        if !self.acts() || !name.starts_with(|c: char| c.is_lowercase() || c == '_') {
            return;
        }
        let mut outer = node;
        while let Some(parent) = outer.parent() {
            match parent.kind() {
                CAST_EXPR | PAREN_EXPR => outer = parent,
                ARG_LIST => {
                    let Some(call) = parent.parent() else { return };
                    let Some(callee) = call.children().next().filter(|callee| callee.kind() == PATH_EXPR) else {
                        return;
                    };
                    if callee.text() == "Some" {
                        outer = call;
                        continue;
                    }
                    let path = match (path.strip_prefix("Self::"), &self.frame().scope.function) {
                        (Some(name), Some(function)) => match function.rsplit_once("::") {
                            Some((owner, _)) => format!("{owner}::{name}"),
                            None => path.to_owned(),
                        },
                        _ => path.to_owned(),
                    };
                    let span = self.lines.span(node.start()..node.end());
                    let scope = self.scope();
                    self.facts.arguments.push(Argument { call: callee.start() as u32, path, span, scope });
                    return;
                }
                _ => return,
            }
        }
    }

    /// Removes bare names that turned out to be local variables, recognised by having no mention left. Runs after the
    /// walk.
    pub(super) fn forget_local_arguments(&mut self) {
        let mentions: HashSet<u32> = self.mentions.iter().map(|mention| mention.span.start).collect();
        self.facts.arguments.retain(|argument| argument.path.contains("::") || mentions.contains(&argument.span.start));
    }
}

/// One value, traced back through the function that uses it.
struct Flow<'n, 't> {
    function: Node<'n, 't>,
    /// Only code before this byte counts.
    before: usize,
    kind: TrustKind,
    /// Variables that the value passed through.
    names: HashSet<String>,
    origins: Vec<Origin>,
}

impl<'n, 't> Flow<'n, 't> {
    fn follow(&mut self, value: Node<'n, 't>, steps: usize) {
        let Some(steps) = steps.checked_sub(1) else { return };
        match value.kind() {
            CAST_EXPR | PAREN_EXPR | TRY_EXPR | REF_EXPR => {
                if let Some(inner) = value.children().find(|child| !items::is_type(child.kind())) {
                    self.follow(inner, steps);
                }
            }
            PREFIX_EXPR if value.has(T![-]) => {
                value.children().for_each(|inner| self.follow(inner, steps));
            }
            // Pointers are not results of arithmetic, and a length plus something known is still unknown.
            BIN_EXPR if self.kind == TrustKind::Length => {
                value.children().for_each(|side| self.follow(side, steps));
            }
            BLOCK_EXPR => {
                let last = value.child(STMT_LIST).and_then(|list| list.children().last());
                if let Some(tail) = last.filter(|tail| !matches!(tail.kind(), LET_STMT | EXPR_STMT)) {
                    self.follow(tail, steps);
                }
            }
            CALL_EXPR => self.called(value, steps),
            METHOD_CALL_EXPR => {
                let name = value.child(NAME_REF).map_or("", Node::text);
                if passes_on(name)
                    && let Some(receiver) = value.children().next()
                {
                    self.follow(receiver, steps);
                }
            }
            PATH_EXPR => self.variable(value.text(), steps),
            // A field of a struct that a called function may have filled.
            FIELD_EXPR => {
                if let Some(base) = value.children().next().filter(|base| base.kind() == PATH_EXPR) {
                    self.written(base.text());
                }
            }
            _ => {}
        }
    }

    fn called(&mut self, call: Node<'n, 't>, steps: usize) {
        let Some(callee) = call.children().next().filter(|callee| callee.kind() == PATH_EXPR) else { return };
        match paths::last(callee.text()) {
            // Conversions pass their argument on.
            "try_from" | "from" | "Some" | "Ok" => {
                if let Some(inner) = argument(call, 0) {
                    self.follow(inner, steps);
                }
            }
            _ => self.origins.push(Origin::Returned(callee.start() as u32)),
        }
    }

    fn variable(&mut self, name: &'t str, steps: usize) {
        if name.contains("::") || !self.names.insert(name.to_owned()) {
            return;
        }
        let before = self.before;
        let mut known = false;
        let mut values = Vec::new();
        for node in self.function.descendants().filter(|node| node.start() < before) {
            match node.kind() {
                LET_STMT if binds(node, name) => {
                    // A later `let` of the same name shadows this one.
                    known = true;
                    values.clear();
                    values.extend(node.children().filter(|child| is_value(*child)).last());
                }
                BIN_EXPR if node.has(T![=]) => {
                    let sides: Vec<_> = node.children().collect();
                    if let [left, right] = sides[..]
                        && left.text() == name
                    {
                        values.push(right);
                    }
                }
                _ => {}
            }
        }
        for value in values.into_iter().filter(|value| value.end() <= before) {
            self.follow(value, steps);
        }
        self.written(name);
        let parameters = self.function.child(PARAM_LIST);
        let mut parameters = parameters.iter().flat_map(|list| list.children());
        let parameter = parameters.any(|param| param.child(IDENT_PAT).and_then(items::name).as_deref() == Some(name));
        if parameter && !known && !self.function.has(T![unsafe]) {
            self.origins.push(Origin::Parameter);
        }
    }

    /// Calls that received the address of a variable.
    fn written(&mut self, name: &str) {
        self.names.insert(name.to_owned());
        for call in self.function.descendants().filter(|node| node.kind() == CALL_EXPR && node.start() < self.before) {
            let Some(callee) = call.children().next().filter(|callee| callee.kind() == PATH_EXPR) else { continue };
            let arguments = call.child(ARG_LIST);
            if call.end() <= self.before
                && arguments.iter().flat_map(|list| list.children()).any(|a| takes_address(a, name))
            {
                self.origins.push(Origin::Written(callee.start() as u32));
            }
        }
    }

    /// Whether the value, or a variable it passed through, is compared beforehand.
    fn checked(&self) -> bool {
        let concerns = |node: Node<'_, '_>| {
            node.descendants().chain([node]).any(|inner| inner.kind() == PATH_EXPR && self.names.contains(inner.text()))
        };
        let before = self.function.descendants().filter(|node| node.start() < self.before);
        before.into_iter().any(|node| match (node.kind(), self.kind) {
            (BIN_EXPR, TrustKind::Length) => {
                let compares = [T![<], T![>], T![<=], T![>=]].into_iter().any(|operator| node.has(operator));
                compares && concerns(node) && !node.children().any(is_number)
            }
            (BIN_EXPR, TrustKind::String) => (node.has(T![==]) || node.has(T![!=])) && concerns(node),
            (METHOD_CALL_EXPR, kind) => {
                let name = node.child(NAME_REF).map_or("", Node::text);
                let checks = match kind {
                    TrustKind::Length => matches!(name, "min" | "clamp" | "get" | "checked_sub" | "contains"),
                    TrustKind::String => matches!(name, "is_null" | "as_ref"),
                };
                checks && concerns(node)
            }
            (CALL_EXPR, kind) => {
                let name = node.children().next().map_or("", |callee| paths::last(callee.text()));
                let checks = match kind {
                    TrustKind::Length => matches!(name, "min" | "clamp"),
                    TrustKind::String => name == "new" && node.text().contains("NonNull"),
                };
                checks && concerns(node)
            }
            (MACRO_CALL, _) => {
                let name = node.child(PATH).map_or("", |path| paths::last(path.text()));
                let Some(tokens) = node.child(TOKEN_TREE).filter(|_| name.contains("assert")) else { return false };
                let text = tokens.text();
                let word = |word: &str| self.names.iter().any(|name| word == name);
                let named = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(word);
                // `assert!(n >= 0, …)` does not bound the size.
                let condition = text.trim_start_matches('(').split([',', ')']).next().unwrap_or_default().trim();
                let number = condition.rsplit(' ').next().is_some_and(|last| last.parse::<i64>().is_ok());
                named && !(number && self.kind == TrustKind::Length)
            }
            _ => false,
        })
    }
}

/// Methods whose result is no more checked than their receiver.
fn passes_on(name: &str) -> bool {
    matches!(
        name,
        "unwrap"
            | "expect"
            | "try_into"
            | "into"
            | "unwrap_or_default"
            | "cast"
            | "cast_const"
            | "cast_mut"
            | "assume_init"
    )
}

fn binds(statement: Node<'_, '_>, name: &str) -> bool {
    statement.child(IDENT_PAT).and_then(|pattern| pattern.child(NAME)).is_some_and(|bound| bound.text() == name)
}

fn is_value(node: Node<'_, '_>) -> bool {
    !items::is_type(node.kind()) && !matches!(node.kind(), IDENT_PAT | LET_ELSE | ATTR)
}

fn is_number(node: Node<'_, '_>) -> bool {
    match node.kind() {
        LITERAL => true,
        PREFIX_EXPR | PAREN_EXPR => node.children().any(is_number),
        _ => false,
    }
}

/// Matches `&mut name`, `&raw mut name`, `addr_of_mut!(name)` and `name.as_mut_ptr()`, with or without casts.
fn takes_address(argument: Node<'_, '_>, name: &str) -> bool {
    match argument.kind() {
        CAST_EXPR | PAREN_EXPR => argument.children().next().is_some_and(|inner| takes_address(inner, name)),
        REF_EXPR => argument.has(T![mut]) && argument.children().last().is_some_and(|inner| inner.text() == name),
        METHOD_CALL_EXPR => {
            let method = argument.child(NAME_REF).map_or("", Node::text);
            let receiver = argument.children().next();
            match method {
                "as_mut_ptr" => receiver.is_some_and(|receiver| receiver.text() == name),
                "cast" => receiver.is_some_and(|receiver| takes_address(receiver, name)),
                _ => false,
            }
        }
        MACRO_EXPR => {
            let text = argument.normal_text();
            text.contains("addr_of_mut!") && text.trim_end_matches(')').ends_with(&format!("({name}"))
        }
        _ => false,
    }
}

fn argument<'n, 't>(call: Node<'n, 't>, position: usize) -> Option<Node<'n, 't>> {
    call.child(ARG_LIST)?.children().nth(position)
}

fn enclosing<'n, 't>(node: Node<'n, 't>, kind: SyntaxKind) -> Option<Node<'n, 't>> {
    std::iter::successors(node.parent(), |node| node.parent()).find(|node| node.kind() == kind)
}

pub(super) fn is_small(function: &Node<'_, '_>) -> bool {
    function.end_id() - function.id() <= LARGEST
}

/// The two types of `transmute::<A, B>`, each if it is written out.
fn turbofish(callee: Node<'_, '_>) -> [Option<String>; 2] {
    let named = |node: &Node<'_, '_>| node.child(NAME_REF).is_some_and(|name| name.text().starts_with("transmute"));
    let list = callee.descendants().filter(named).find_map(|segment| segment.child(GENERIC_ARG_LIST));
    let mut types = list.iter().flat_map(|list| list.children()).filter(|child| child.kind() == TYPE_ARG);
    let mut next = || written_out(types.next()?.children().next()?);
    [next(), next()]
}

/// The text of a type that is not just `_`.
fn written_out(ty: Node<'_, '_>) -> Option<String> {
    (ty.kind() != INFER_TYPE).then(|| ty.normal_text())
}

/// The type of an expression whose syntax states it: `x as T`, a parameter, or a variable declared with a type.
fn stated_type(value: Node<'_, '_>) -> Option<String> {
    match value.kind() {
        CAST_EXPR => written_out(value.children().find(|child| items::is_type(child.kind()))?),
        PAREN_EXPR => stated_type(value.children().next()?),
        // `transmute_copy` takes a reference to its source.
        REF_EXPR => stated_type(value.children().last()?),
        PATH_EXPR => {
            let name = value.text();
            if name == "self" {
                return Some("Self".to_owned());
            }
            let function = enclosing(value, FN).filter(is_small)?;
            let mut params = function.child(PARAM_LIST)?.children();
            if enclosing(value, CLOSURE_EXPR).is_some_and(|closure| closure.id() > function.id()) {
                return None;
            }
            let last_let = function
                .descendants()
                .filter(|node| node.kind() == LET_STMT && binds(*node, name) && node.end() <= value.start())
                .last();
            if let Some(last_let) = last_let {
                return written_out(last_let.children().find(|child| items::is_type(child.kind()))?);
            }
            let param = params.find(|param| param.child(IDENT_PAT).and_then(items::name).as_deref() == Some(name));
            let ty = param?.children().find(|child| items::is_type(child.kind()))?;
            Some(ty.normal_text())
        }
        _ => None,
    }
}

/// The type that the code around an expression states for it.
fn expected_type(value: Node<'_, '_>) -> Option<String> {
    let parent = value.parent()?;
    let type_of = |node: Node<'_, '_>| written_out(node.children().find(|child| items::is_type(child.kind()))?);
    match parent.kind() {
        LET_STMT | CONST | STATIC => type_of(parent),
        PAREN_EXPR | BLOCK_EXPR | IF_EXPR | MATCH_ARM | MATCH_ARM_LIST | MATCH_EXPR => expected_type(parent),
        STMT_LIST if parent.children().last()?.id() == value.id() => expected_type(parent),
        FN => type_of(parent.child(RET_TYPE)?),
        _ => None,
    }
}
