//! Extern blocks and their items.

use super::{Scanner, Take, attributes, items};
use crate::facts::{Conditional, ForeignItem, ForeignKind, Param, UnsafeFact, UnsafeKind};
use crate::syntax::{Edition, Node, Source, SyntaxKind, T};
use SyntaxKind::*;
use std::sync::Arc;

/// What all items of an extern block share.
pub(super) struct Block {
    abi: String,
    library: Option<String>,
    rewritten: bool,
}

impl<'t> Scanner<'_, 't> {
    pub(super) fn extern_block(&mut self, node: Node<'_, 't>) {
        let abi_node = node.child(ABI);
        let abi = abi(self.source, abi_node);
        let keyword = node.token(T![unsafe]);
        let start = keyword.map(|token| token.start as usize).or(abi_node.map(Node::start)).unwrap_or(node.start());
        let end = abi_node.map_or(node.end(), Node::end);
        let fact = UnsafeFact {
            name: Some(abi.as_str().into()),
            safety: super::safety::of_impl(node),
            keyword: keyword.is_some(),
            ..self.fact(UnsafeKind::ExternBlock, start..end)
        };
        self.record_bare(fact, abi_node.map_or(start, Node::start));
        let links = attributes::metas(node);
        let library = links.iter().filter(|meta| meta.name == "link").find_map(|meta| meta.argument("name"));
        self.enter(node, |frame| {
            frame.foreign =
                Some(Arc::new(Block { abi, library, rewritten: links.iter().any(|meta| !is_known(meta.name)) }))
        });
    }

    pub(super) fn foreign_function(&mut self, node: Node<'_, 't>, block: &Block) {
        self.foreign_item(node, block, signature(node));
    }

    pub(super) fn foreign_static(&mut self, node: Node<'_, 't>, block: &Block) {
        self.foreign_item(node, block, static_type(node));
    }

    fn foreign_item(&mut self, node: Node<'_, 't>, block: &Block, item: ForeignKind) {
        let Some(name) = items::name(node).filter(|_| self.declares()) else { return };
        // `r#sum` is named `sum` elsewhere, unless the name is a keyword.
        let raw = name.strip_prefix("r#");
        let plain = raw.filter(|plain| SyntaxKind::from_keyword(plain, Edition::E2024.into()).is_none());
        let name = plain.map_or_else(|| name.clone(), Into::into);
        // The tokens of an expansion are not contiguous, so the span is the name as the macro's caller wrote it.
        let range = match self.frame().take {
            Take::Declarations => node.child(NAME).map_or(0..0, |name| name.start()..name.end()),
            _ => node.start()..node.end(),
        };
        let metas = attributes::metas(node);
        // LLVM takes a leading \x01 to mean "do not mangle"; it is not part of the symbol.
        let symbol =
            |name: Conditional| Conditional { value: name.value.trim_start_matches('\u{1}').to_owned(), ..name };
        let link_names = metas.iter().filter(|meta| meta.name == "link_name").filter_map(attributes::Meta::conditional);
        let (plain, link_names): (Vec<_>, Vec<_>) = link_names.map(symbol).partition(|name| name.cfgs.is_empty());
        self.facts.foreign.push(ForeignItem {
            name: name.into(),
            link_name: plain.into_iter().next().map(|name| name.value),
            link_names,
            abi: block.abi.clone(),
            library: block.library.clone(),
            item,
            span: self.lines.span(range),
            scope: self.scope(),
            visibility: items::visibility(node),
            safe: node.has(SAFE_KW),
            rewritten: block.rewritten,
        });
    }
}

/// Attributes of extern blocks that the compiler or its tools know; any other is a macro.
fn is_known(attribute: &str) -> bool {
    let tool = attribute.starts_with("clippy::") || attribute.starts_with("rustfmt::");
    tool || matches!(
        attribute,
        "link" | "allow" | "warn" | "deny" | "forbid" | "expect" | "doc" | "must_use" | "deprecated"
    )
}

/// The ABI that a node names; `C` where it names none.
pub(super) fn abi(source: &Source<'_>, abi: Option<Node<'_, '_>>) -> String {
    let literal = abi.and_then(|abi| abi.tokens().find(|token| token.kind == STRING));
    let abi = literal.and_then(|token| attributes::string(&source.text()[token.start as usize..token.end as usize]));
    abi.unwrap_or_else(|| "C".to_owned())
}

pub(super) fn signature(function: Node<'_, '_>) -> ForeignKind {
    let params = function.child(PARAM_LIST);
    let params = params.iter().flat_map(|list| list.children()).filter(|child| child.kind() == PARAM);
    let (mut typed, mut variadic) = (Vec::new(), false);
    for param in params {
        if param.has(T![...]) {
            variadic = true;
        } else {
            typed.push(self::param(param));
        }
    }
    let ret = function.child(RET_TYPE).and_then(|ret| ret.children().find(|child| items::is_type(child.kind())));
    let ret = ret.map(Node::normal_text).filter(|ret| ret != "()" && ret != "( )");
    ForeignKind::Function { params: typed, ret, variadic }
}

pub(super) fn static_type(item: Node<'_, '_>) -> ForeignKind {
    let ty = item.children().find(|child| items::is_type(child.kind())).map(Node::normal_text).unwrap_or_default();
    ForeignKind::Static { ty, mutable: item.has(T![mut]) }
}

fn param(param: Node<'_, '_>) -> Param {
    let name = param.child(IDENT_PAT).and_then(items::name);
    let ty = param.children().find(|child| items::is_type(child.kind())).map(Node::normal_text).unwrap_or_default();
    Param { name: name.map(String::from), ty }
}
