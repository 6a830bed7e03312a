//! Items: functions, impls, traits, modules, types, statics and constants.

use super::{Scanner, Take, attributes, paths, safety};
use crate::facts::{
    Conditional, Constant, Field, FunctionItem, ModuleDecl, SmolStr, TypeItem, TypeKind, UnsafeFact, UnsafeKind,
};
use crate::syntax::{Node, SyntaxKind, T, Token, normal_text};
use SyntaxKind::*;
use smol_str::format_smolstr;
use std::ops::Range;
use std::sync::Arc;

/// Inline modules nested deeper than this count as part of the enclosing one. The compiler accepts no such depth, and
/// each fact stores the path of its module.
const DEEPEST: usize = 128;

/// Length in bytes of a qualified function name up to which inner functions are named after the outer one.
const LONGEST: usize = 512;

impl<'t> Scanner<'_, 't> {
    pub(super) fn function(&mut self, node: Node<'_, 't>) {
        let name = name(node);
        match self.frame().foreign.clone() {
            Some(block) => self.foreign_function(node, &block),
            None => self.definition(node),
        }
        let keyword = node.token(T![unsafe]);
        let body = node.child(BLOCK_EXPR);
        let index = self.facts.unsafes.len();
        let is_unsafe = keyword.is_some();
        if let Some(keyword) = keyword {
            let kind = if body.is_some() { UnsafeKind::Function } else { UnsafeKind::Declaration };
            self.unsafe_item(node, kind, keyword, name.clone());
        }
        let owner = self.frame().owner.clone();
        if let (Some(_), Some(name), true) = (body, node.child(NAME), self.declares()) {
            let of = node.parent().and_then(Node::parent);
            let of_trait = self.frame().of_trait && owner.is_some() || of.is_some_and(|of| of.kind() == TRAIT);
            self.facts.functions.push(FunctionItem {
                name: name.text().into(),
                scope: self.scope(),
                owner: owner.clone(),
                of_trait,
                visibility: visibility(node).into(),
                is_unsafe,
                span: self.lines.span(name.start()..name.end()),
            });
        }
        let outer = if owner.is_none() { self.frame().scope.function.clone() } else { None };
        let prefix = owner.or(outer);
        let function = match (prefix, name) {
            (Some(prefix), Some(name)) if prefix.len() < LONGEST => Some(format_smolstr!("{prefix}::{name}")),
            (None, name) => name,
            (prefix, _) => prefix,
        };
        self.enter(node, |frame| {
            Arc::make_mut(&mut frame.scope).function = function;
            frame.owner = None;
            frame.block = (is_unsafe && frame.take != Take::Declarations).then_some(index);
            frame.foreign = None;
            frame.function_end = frame.function_end.or(Some(node.end()));
        });
    }

    pub(super) fn implementation(&mut self, node: Node<'_, 't>) {
        let types: Vec<_> = node.children().filter(|child| is_type(child.kind())).collect();
        let target = types.last().map(|ty| ty.normal_text());
        // `impl Trait for Type` has two types, unless a syntax error replaces one of them.
        let implemented = (types.len() > 1).then(|| types[0].normal_text());
        if let Some(keyword) = node.token(T![unsafe]) {
            let name = match (&implemented, &target) {
                (Some(implemented), Some(target)) => Some(format_smolstr!("{implemented} for {target}")),
                _ => target.as_deref().map(SmolStr::from),
            };
            self.unsafe_item(node, UnsafeKind::Impl, keyword, name);
        }
        if let (Some("Copy"), Some(target)) = (implemented.as_deref().map(paths::last), &target) {
            let target = target.split('<').next().unwrap_or(target).to_owned();
            let modules = self.frame().scope.modules.clone();
            if self.frame().take != Take::Constructs {
                self.copies.push((modules, target));
            }
        }
        let owner = types.last().and_then(|ty| owner(*ty)).or(target.map(SmolStr::from));
        self.enter(node, |frame| {
            frame.owner = owner;
            frame.of_trait = implemented.is_some();
        });
    }

    pub(super) fn trait_(&mut self, node: Node<'_, 't>) {
        let name = name(node);
        if let Some(keyword) = node.token(T![unsafe]) {
            self.unsafe_item(node, UnsafeKind::Trait, keyword, name.clone());
        }
        self.enter(node, |frame| {
            frame.owner = name;
            frame.of_trait = false;
        });
    }

    /// Records an item with an `unsafe` keyword, from the keyword to the end of the item's header.
    pub(super) fn unsafe_item(&mut self, node: Node<'_, 't>, kind: UnsafeKind, keyword: Token, name: Option<SmolStr>) {
        let body =
            node.children().find(|child| matches!(child.kind(), BLOCK_EXPR | ASSOC_ITEM_LIST | EXTERN_ITEM_LIST));
        let header =
            node.all_tokens().iter().filter(|token| body.is_none_or(|body| (token.start as usize) < body.start()));
        let end = header.filter(|token| token.kind != T![;]).map(|token| token.end).next_back().unwrap_or(keyword.end);
        let safety = match kind {
            UnsafeKind::Impl => safety::of_impl(node),
            _ => safety::of_item(node),
        };
        self.record(UnsafeFact {
            name,
            labelled: if safety.is_none() { safety::labelled_above(node) } else { None },
            safety,
            public: is_public(node),
            of_trait: self.frame().of_trait && self.frame().owner.is_some(),
            owner: match kind {
                UnsafeKind::Function | UnsafeKind::Declaration => self.frame().owner.clone(),
                _ => None,
            },
            ..self.fact(kind, keyword.start as usize..end as usize)
        });
    }

    /// Records an item that is unsafe without the keyword, over its header.
    pub(super) fn bare_item(&mut self, node: Node<'_, 't>, kind: UnsafeKind, name: Option<SmolStr>) {
        let after_attributes =
            node.children().take_while(|child| child.kind() == ATTR).map(Node::end).last().unwrap_or(0);
        let start = node
            .all_tokens()
            .iter()
            .find(|token| token.start as usize >= after_attributes)
            .map_or(node.start(), |token| token.start as usize);
        let end = node.child(NAME).map_or(node.end(), Node::end);
        let keyword = node.tokens().find(|token| matches!(token.kind, T![static] | UNION_KW));
        let fact = UnsafeFact {
            name,
            safety: safety::of_impl(node),
            public: is_public(node),
            keyword: false,
            ..self.fact(kind, start..end)
        };
        self.record_bare(fact, keyword.map_or(start, |token| token.start as usize));
    }

    pub(super) fn module(&mut self, node: Node<'_, 't>) {
        let Some(name) = name(node).map(String::from) else { return };
        let metas = attributes::metas(node);
        let paths: Vec<Conditional> =
            metas.iter().filter(|meta| meta.name == "path").filter_map(attributes::Meta::conditional).collect();
        let inline = node.child(ITEM_LIST).is_some();
        let scope = self.scope();
        let directory = paths.first().map_or_else(|| name.clone(), |path| path.value.clone());
        let declaration = ModuleDecl {
            name: name.clone(),
            paths,
            parents: scope.modules.clone(),
            directories: self.frame().directories.to_vec(),
            in_macro: scope.in_macro.clone(),
            inline,
            visibility: visibility(node).into(),
            cfgs: scope.cfgs.clone(),
            span: self.lines.span(header(node)),
        };
        if self.declares() {
            self.facts.modules.push(declaration);
        }
        if inline {
            self.enter(node, |frame| {
                let scope = Arc::make_mut(&mut frame.scope);
                scope.function = None;
                frame.owner = None;
                if scope.modules.len() < DEEPEST {
                    scope.modules.push(name);
                    frame.directories = frame.directories.iter().cloned().chain([directory]).collect();
                }
            });
        }
    }

    pub(super) fn type_item(&mut self, node: Node<'_, 't>) {
        let Some(name) = name(node) else { return };
        if node.kind() == UNION {
            self.bare_item(node, UnsafeKind::Union, Some(name.clone()));
        }
        if !self.declares() {
            return;
        }
        let frame = self.frame();
        let (mut cfgs, mut alternatives) = (frame.scope.cfgs.clone(), Vec::new());
        let kind = match node.kind() {
            _ if frame.foreign.is_some() => TypeKind::Foreign,
            // An associated type belongs to its trait or impl, and is not an item of the module.
            TYPE_ALIAS if frame.owner.is_some() => return,
            TYPE_ALIAS => match node.children().find(|child| is_type(child.kind())) {
                Some(ty) => match self.expanded_type(ty) {
                    Some(mut choices) => {
                        let last = choices.pop().unwrap_or_default();
                        alternatives = choices;
                        cfgs.extend(last.cfgs);
                        TypeKind::Alias(last.value)
                    }
                    None => TypeKind::Alias(ty.normal_text()),
                },
                None => return,
            },
            STRUCT => TypeKind::Struct(fields(node)),
            UNION => TypeKind::Union(fields(node)),
            _ => {
                let variants = node.child(VARIANT_LIST);
                let variants = variants.iter().flat_map(|list| list.children()).filter(|child| child.kind() == VARIANT);
                let has_fields = |variant: &Node<'_, '_>| {
                    variant.children().any(|child| matches!(child.kind(), RECORD_FIELD_LIST | TUPLE_FIELD_LIST))
                };
                let shown = |variant: Node<'_, '_>| {
                    let conditional = !attributes::cfgs(variant).is_empty();
                    let more = match (has_fields(&variant), conditional) {
                        (true, _) => "(..)",
                        (false, true) => "(cfg)",
                        (false, false) => "",
                    };
                    Some(format!("{}{more}", self::name(variant)?))
                };
                TypeKind::Enum(variants.filter_map(shown).collect())
            }
        };
        let metas = attributes::metas(node);
        let arguments = |name: &'static str| {
            metas.iter().filter(move |meta| meta.name == name).filter_map(attributes::Meta::arguments)
        };
        let derives = |list: String| list.split(',').any(|derived| paths::last(derived.trim()) == "Copy");
        let copy = arguments("derive").any(derives);
        let scope = self.scope();
        let item = TypeItem {
            name: name.into(),
            kind,
            modules: scope.modules.clone(),
            cfgs,
            repr: reprs(&metas),
            visibility: visibility(node),
            generic: is_generic(node),
            non_exhaustive: metas.iter().any(|meta| meta.name == "non_exhaustive"),
            copy,
            in_macro: scope.in_macro.is_some() && self.frame().take != Take::Declarations,
        };
        self.facts.types.extend(alternatives.into_iter().map(|other: Conditional| TypeItem {
            kind: TypeKind::Alias(other.value),
            cfgs: scope.cfgs.iter().cloned().chain(other.cfgs).collect(),
            ..item.clone()
        }));
        self.facts.types.push(item);
    }

    pub(super) fn static_(&mut self, node: Node<'_, 't>) {
        if let Some(block) = self.frame().foreign.clone() {
            self.foreign_static(node, &block);
            if let Some(keyword) = node.token(T![unsafe]) {
                self.unsafe_item(node, UnsafeKind::Declaration, keyword, name(node));
            }
            return;
        }
        self.exported_static(node);
        if node.has(T![mut]) {
            self.bare_item(node, UnsafeKind::StaticMut, name(node));
        }
    }

    pub(super) fn constant(&mut self, node: Node<'_, 't>) {
        let (Some(name), Some(ty)) = (name(node), node.children().find(|child| is_type(child.kind()))) else {
            return;
        };
        let ty_text = ty.text();
        let value = node.all_tokens().iter().skip_while(|token| (token.start as usize) < ty.end()).skip(1);
        if self.frame().owner.is_some() || !is_integer(ty_text) || !self.declares() {
            return;
        }
        let value: Vec<Token> = value.copied().filter(|token| token.kind != T![;]).collect();
        self.constants.push(Constant {
            name: name.into(),
            ty: ty.normal_text(),
            value: normal_text(self.source, &value),
            modules: self.frame().scope.modules.clone(),
        });
    }
}

/// The name of an `impl`'s self type, as prefix of the names of its functions. Without generic arguments and lifetimes,
/// since nobody writes `Stream<R>::read` as a path.
fn owner(ty: Node<'_, '_>) -> Option<SmolStr> {
    let inner = || ty.children().find(|child| is_type(child.kind())).and_then(owner);
    Some(match ty.kind() {
        PATH_TYPE => ty.child(PATH).and_then(paths::plain)?,
        PAREN_TYPE | FOR_TYPE => inner()?,
        REF_TYPE if ty.has(T![mut]) => format_smolstr!("&mut {}", inner()?),
        REF_TYPE => format_smolstr!("&{}", inner()?),
        PTR_TYPE if ty.has(T![mut]) => format_smolstr!("*mut {}", inner()?),
        PTR_TYPE => format_smolstr!("*const {}", inner()?),
        SLICE_TYPE => format_smolstr!("[{}]", inner()?),
        ARRAY_TYPE => format_smolstr!("[{}; _]", inner()?),
        TUPLE_TYPE => {
            let parts = ty.children().filter(|child| is_type(child.kind()));
            format_smolstr!("({})", parts.map(owner).collect::<Option<Vec<_>>>()?.join(", "))
        }
        DYN_TRAIT_TYPE => {
            let first = ty.descendants().find(|node| node.kind() == PATH_TYPE)?;
            format_smolstr!("dyn {}", owner(first)?)
        }
        _ => return None,
    })
}

/// The name that an item declares.
pub(super) fn name(node: Node<'_, '_>) -> Option<SmolStr> {
    node.child(NAME).map(|name| name.text().into())
}

/// The range from the start of an item to its name; only the name where a macro assembled the item.
fn header(node: Node<'_, '_>) -> Range<usize> {
    let name = node.child(NAME).unwrap_or(node);
    let start = if node.is_scattered() { name.start() } else { node.start() };
    start..name.end()
}

/// Visibility as written; empty if there is none.
pub(super) fn visibility(node: Node<'_, '_>) -> String {
    node.child(VISIBILITY).map(Node::normal_text).unwrap_or_default()
}

pub(super) fn is_public(node: Node<'_, '_>) -> bool {
    node.child(VISIBILITY).is_some_and(|visibility| visibility.all_tokens().len() == 1)
}

pub(super) fn is_type(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        ARRAY_TYPE
            | DYN_TRAIT_TYPE
            | FN_PTR_TYPE
            | FOR_TYPE
            | IMPL_TRAIT_TYPE
            | INFER_TYPE
            | MACRO_TYPE
            | NEVER_TYPE
            | PAREN_TYPE
            | PATH_TYPE
            | PTR_TYPE
            | REF_TYPE
            | SLICE_TYPE
            | TUPLE_TYPE
    )
}

/// Whether a type may be an integer type. Aliases such as `uLong` are not resolved, so this only excludes types that
/// certainly are not.
fn is_integer(ty: &str) -> bool {
    let last = paths::last(ty);
    let plain = last.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain && !matches!(last, "bool" | "char" | "f32" | "f64" | "str" | "String" | "Self")
}

/// Whether an item has type or const parameters. Lifetime parameters do not count, since they can be elided.
fn is_generic(node: Node<'_, '_>) -> bool {
    let list = node.child(GENERIC_PARAM_LIST);
    list.is_some_and(|list| list.children().any(|child| matches!(child.kind(), TYPE_PARAM | CONST_PARAM)))
}

fn fields(node: Node<'_, '_>) -> Vec<Field> {
    let field = |name: Option<SmolStr>, node: Node<'_, '_>| {
        let ty = node.children().find(|child| is_type(child.kind())).map(Node::normal_text).unwrap_or_default();
        Field { name: name.map(String::from), ty, visibility: visibility(node), cfgs: attributes::cfgs(node) }
    };
    if let Some(list) = node.child(RECORD_FIELD_LIST) {
        return list
            .children()
            .filter(|child| child.kind() == RECORD_FIELD)
            .map(|child| field(name(child), child))
            .collect();
    }
    let list = node.child(TUPLE_FIELD_LIST);
    let tuple = list.iter().flat_map(|list| list.children()).filter(|child| child.kind() == TUPLE_FIELD);
    tuple.enumerate().map(|(index, child)| field(Some(format_smolstr!("{index}")), child)).collect()
}

/// What the `repr`s of a type say; one that holds in some builds only ends with ` (cfg)`.
fn reprs(metas: &[attributes::Meta<'_, '_>]) -> Vec<String> {
    let reprs = metas.iter().filter(|meta| meta.name == "repr");
    let text = |meta: &attributes::Meta<'_, '_>| {
        let of_builds = if meta.cfgs.is_empty() { "" } else { " (cfg)" };
        Some(meta.arguments()? + of_builds)
    };
    reprs.filter_map(text).collect()
}
