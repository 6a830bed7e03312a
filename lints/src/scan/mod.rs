//! Source text to facts, in one walk over the tree in source order.
//!
//! The walk keeps a stack of frames (module, `impl`, function, unsafe block, attributes), each valid up to the end of
//! its node. A node's kind alone decides what it yields, in `Scanner::visit`; there is one file per kind of fact.

mod attributes;
mod blocks;
mod count;
mod definitions;
mod depth;
mod digest;
mod expand;
mod finish;
mod flow;
mod foreign;
mod imports;
mod items;
mod locals;
mod macros;
mod paths;
mod recovery;
mod safety;
mod templates;

use crate::facts::{
    CallFact, Constant, FileFacts, Operation, ParseError, Scope, SmolStr, Span, UnsafeFact, UnsafeKind,
};
use crate::lines::Lines;
use crate::syntax::{Construct, Edition, Node, Source, SyntaxKind, T, Tree};
use SyntaxKind::*;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

pub(crate) use attributes::string as string_value;
pub use count::count;

/// The facts of one file. Never fails: syntax errors are listed, and the facts come from the recovered tree.
pub fn scan(text: &str, edition: Edition) -> FileFacts {
    scan_as(text, edition, Construct::File)
}

/// The facts of a file that contains a single expression, as `include!` in expression position reads it.
pub fn scan_expression(text: &str, edition: Edition) -> FileFacts {
    scan_as(text, edition, Construct::Expression)
}

/// An upper bound on how deep a recursive parser of Rust recurses for a text.
pub fn nesting(text: &str) -> usize {
    if text.len() > MOST_BYTES {
        return usize::MAX;
    }
    // The depth does not depend on which words are keywords.
    let source = Source::new(text, Edition::E2024);
    depth::bound(&source, 0..source.len())
}

fn scan_as(text: &str, edition: Edition, construct: Construct) -> FileFacts {
    if text.len() > MOST_BYTES {
        return FileFacts { errors: vec![whole_file("the file is too large to scan")], ..FileFacts::default() };
    }
    let source = Source::new(text, edition);
    let depth = depth::bound(&source, 0..source.len());
    if depth <= depth::SMALL {
        return Scanner::new(&source, depth).parse(construct);
    }
    let stack = (depth + depth::SMALL) * depth::STACK;
    let deep = || Scanner::new(&source, depth).parse(construct);
    let scanned = (depth <= depth::LARGE).then(|| {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, deep).ok()?;
            Some(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    });
    scanned.flatten().unwrap_or_else(|| Scanner::new(&source, depth).unparsed("nested too deeply to parse"))
}

/// Size limit of a file: offsets have 32 bits.
const MOST_BYTES: usize = 1 << 31;

fn whole_file(message: &str) -> ParseError {
    ParseError { message: message.to_owned(), span: Span { start: 0, end: 0, line: 1, column: 1 } }
}

struct Scanner<'s, 't> {
    source: &'s Source<'t>,
    lines: Lines<'t>,
    facts: FileFacts,
    frames: Vec<Frame>,
    locals: locals::Locals<'t>,
    calls: Vec<CallFact>,
    mentions: Vec<CallFact>,
    constants: Vec<Constant>,
    /// The `impl Copy for T` seen so far: enclosing modules and the type's name.
    copies: Vec<(Vec<String>, String)>,
    /// Macros of the compiler that this file renames: new name → original name.
    aliases: HashMap<&'t str, &'t str>,
    /// Constructs without the keyword recorded so far: their kind, and the byte of the token that makes them unsafe.
    recorded: HashSet<(UnsafeKind, u32)>,
    /// Constructs found in expansions, with that byte. Most were already recorded in the macro's definition or
    /// arguments.
    written: Vec<(u32, UnsafeFact)>,
    /// The `macro_rules!` of the file, in the order of definition. Only later code can call them.
    macros: HashMap<SmolStr, Vec<macros::Definition>>,
    /// Paths and fields named in unsafe blocks, with the block's index: uses of a static or a union's field, if they
    /// turn out to be one.
    named: Vec<(usize, Operation)>,
    /// Recursion depth that this thread's stack can take.
    allowed: usize,
    /// Number of tokens of all expansions so far.
    expanded: usize,
}

/// The context of a node.
#[derive(Clone)]
struct Frame {
    /// One past the last node inside.
    end: usize,
    scope: Arc<Scope>,
    /// The self type of the enclosing `impl` or the enclosing trait; functions are named after it.
    owner: Option<SmolStr>,
    /// Whether the enclosing `impl` is of a trait.
    of_trait: bool,
    /// The safety comment above the enclosing macro call.
    safety: Option<Arc<str>>,
    /// Index in `unsafes` of the block that operations are recorded for.
    block: Option<usize>,
    /// The enclosing extern block.
    foreign: Option<Arc<foreign::Block>>,
    /// The directories of the enclosing inline modules.
    directories: Arc<[String]>,
    /// The end of the outermost enclosing function, in bytes.
    function_end: Option<usize>,
    take: Take,
    /// Number of enclosing macro calls, including those of expansions.
    depth: usize,
}

/// Which facts to take from a tree. A call of a macro of the file is read twice: its arguments for what they do, and
/// its expansion for what it declares. The expansion's other tokens were already read in the macro's definition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    Everything,
    /// Unsafe constructs, calls and mentions.
    Code,
    /// Foreign items, types, constants, imports and modules.
    Declarations,
    /// Unsafe constructs without an `unsafe` keyword.
    Constructs,
}

impl<'s, 't> Scanner<'s, 't> {
    fn new(source: &'s Source<'t>, depth: usize) -> Scanner<'s, 't> {
        let root = Frame {
            end: usize::MAX,
            scope: Arc::default(),
            owner: None,
            of_trait: false,
            safety: None,
            block: None,
            foreign: None,
            directories: Arc::new([]),
            function_end: None,
            take: Take::Everything,
            depth: 0,
        };
        Scanner {
            source,
            lines: Lines::new(source.text()),
            facts: FileFacts::default(),
            frames: vec![root],
            locals: locals::Locals::default(),
            calls: Vec::new(),
            mentions: Vec::new(),
            constants: Vec::new(),
            copies: Vec::new(),
            aliases: aliases(source),
            recorded: HashSet::new(),
            written: Vec::new(),
            macros: HashMap::new(),
            named: Vec::new(),
            allowed: depth.max(depth::SMALL),
            expanded: 0,
        }
    }

    fn parse(mut self, construct: Construct) -> FileFacts {
        let tree = self.source.parse(construct);
        self.errors(&tree);
        self.walk(&tree);
        self.finish()
    }

    /// The facts of a file that was not parsed: its keywords.
    fn unparsed(mut self, why: &str) -> FileFacts {
        self.facts.errors.push(whole_file(why));
        self.finish()
    }

    fn walk(&mut self, tree: &Tree<'s, 't>) {
        let base = self.frames.len();
        let mut id = 0;
        while id < tree.len() {
            while self.frames.len() > base && self.frame().end <= id {
                self.leave();
            }
            let node = tree.node(id);
            if attributes::any(node) {
                self.attributes(node);
            }
            id = self.visit(node);
        }
        while self.frames.len() > base {
            self.leave();
        }
    }

    /// Records the facts of one node; returns the next node, inside this one or after it.
    fn visit(&mut self, node: Node<'_, 't>) -> usize {
        let inside = node.id() + 1;
        if matches!(node.kind(), USE | EXTERN_CRATE | FN | EXTERN_BLOCK | STATIC) {
            self.item_of_block(node);
        }
        match node.kind() {
            ATTR => return node.end_id(),
            MODULE => self.module(node),
            USE => self.imports(node),
            EXTERN_CRATE => self.extern_crate(node),
            FN => self.function(node),
            IMPL => self.implementation(node),
            TRAIT => self.trait_(node),
            STRUCT | UNION | ENUM | TYPE_ALIAS => self.type_item(node),
            STATIC => self.static_(node),
            CONST => self.constant(node),
            EXTERN_BLOCK => self.extern_block(node),
            BLOCK_EXPR => self.block(node),
            PATH_EXPR => self.path(node),
            METHOD_CALL_EXPR => self.method_call(node),
            PREFIX_EXPR => self.prefix(node),
            IDENT_PAT => self.binding(node),
            FIELD_EXPR => self.field(node),
            RECORD_PAT => self.record_pattern(node),
            FN_PTR_TYPE => self.function_pointer(node),
            MACRO_CALL => return self.macro_call(node),
            MACRO_RULES | MACRO_DEF => return self.macro_definition(node),
            RECORD_FIELD | ERROR => self.stray_keyword(node),
            // Only declarations are taken from an expansion, and those in bodies do not matter outside.
            STMT_LIST if self.frame().take == Take::Declarations => return node.end_id(),
            _ => {}
        }
        inside
    }

    /// Whether to record what the code does.
    fn acts(&self) -> bool {
        matches!(self.frame().take, Take::Everything | Take::Code)
    }

    /// Whether to record what the code declares.
    fn declares(&self) -> bool {
        matches!(self.frame().take, Take::Everything | Take::Declarations)
    }

    /// An unsafe construct with defaults for what only some kinds have; complete it, then pass it to `record`.
    fn fact(&self, kind: UnsafeKind, range: Range<usize>) -> UnsafeFact {
        UnsafeFact {
            kind,
            // The tokens of an expansion may not be in the order of the file.
            span: self.lines.span(range.start..range.end.max(range.start)),
            scope: self.scope(),
            name: None,
            owner: None,
            safety: None,
            labelled: None,
            operations: Vec::new(),
            public: false,
            of_trait: false,
            keyword: true,
            // Set after the walk.
            end: 0,
            digest: 0,
        }
    }

    fn record(&mut self, fact: UnsafeFact) {
        if self.acts() {
            self.facts.unsafes.push(fact);
        }
    }

    /// Like `record`, for constructs that need no `unsafe` keyword. `anchor` is the first byte of the token that makes
    /// it unsafe.
    fn record_bare(&mut self, fact: UnsafeFact, anchor: usize) {
        let anchor = anchor as u32;
        match self.frame().take {
            // Each keyword among a macro's tokens is already a fact of its own.
            Take::Constructs | Take::Declarations if fact.keyword => {}
            Take::Declarations => self.written.push((anchor, fact)),
            _ => {
                if self.recorded.insert((fact.kind, anchor)) || fact.keyword {
                    self.facts.unsafes.push(fact);
                }
            }
        }
    }

    fn frame(&self) -> &Frame {
        self.frames.last().expect("the root frame never ends")
    }

    fn scope(&self) -> Arc<Scope> {
        self.frame().scope.clone()
    }

    /// Opens a frame for a node: the enclosing frame with the changes of `change`.
    fn enter(&mut self, node: Node<'_, '_>, change: impl FnOnce(&mut Frame)) {
        let mut frame = Frame { end: node.end_id(), ..self.frame().clone() };
        change(&mut frame);
        self.frames.push(frame);
    }

    fn leave(&mut self) {
        self.frames.pop().expect("a frame to leave");
    }

    /// Opens a frame for the `cfg`s of a node, and records its macros and unsafe attributes.
    fn attributes(&mut self, node: Node<'_, 't>) {
        let mut cfgs = attributes::cfgs(node);
        cfgs.retain(|cfg| cfg != "test" || !self.frame().scope.cfgs.contains(cfg));
        if !cfgs.is_empty() {
            self.enter(node, |frame| Arc::make_mut(&mut frame.scope).cfgs.extend(cfgs));
        }
        for meta in attributes::metas(node) {
            self.attribute_macro(&meta);
            if let Some(arguments) = meta.node.child(TOKEN_TREE) {
                self.attribute_arguments(meta.name, arguments);
            }
            let known = matches!(meta.name, "no_mangle" | "export_name" | "link_section");
            if known || meta.keyword.is_some() {
                let mut fact = UnsafeFact {
                    name: Some(meta.name.into()),
                    safety: safety::of_impl(node),
                    labelled: safety::labelled_above(node),
                    public: items::is_public(node),
                    keyword: meta.keyword.is_some(),
                    ..self.fact(UnsafeKind::Attribute, meta.whole.start()..meta.whole.end())
                };
                if !meta.cfgs.is_empty() {
                    Arc::make_mut(&mut fact.scope).cfgs.extend(meta.cfgs);
                }
                self.record_bare(fact, meta.node.start());
            }
        }
    }
}

/// Renames such as `use core::arch::global_asm as g` of compiler macros that matter: new name → original name. In which
/// module the rename applies is ignored.
fn aliases<'t>(source: &Source<'t>) -> HashMap<&'t str, &'t str> {
    let mut found = HashMap::new();
    let name = |raw: usize| (source.raw_kind(raw) == IDENT).then(|| source.raw_text(raw));
    let stands = |raw: &usize| !source.raw_kind(*raw).is_trivia();
    for raw in (0..source.len()).filter(|raw| source.raw_kind(*raw) == T![as]) {
        let original = (0..raw).rev().find(stands).and_then(name).filter(|name| COMPILER_MACROS.contains(name));
        if let (Some(original), Some(alias)) = (original, (raw + 1..source.len()).find(stands).and_then(name)) {
            found.insert(alias, original);
        }
    }
    found
}

/// Macros of the compiler that the scanner treats by name.
const COMPILER_MACROS: &[&str] = &["asm", "global_asm", "include", "naked_asm"];
