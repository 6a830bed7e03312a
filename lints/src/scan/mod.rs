//! Source text to facts: one walk over the tree, in source order.
//!
//! The walk keeps a stack of frames (module, `impl`, function, unsafe block, attributes), each good up to the node where it
//! ends. What a node yields is decided by its kind alone, in `Scanner::visit`; one file per kind of fact does the work.

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

/// The facts of one file. Never fails: places that do not parse are listed, and the rest comes from the recovered tree.
pub fn scan(text: &str, edition: Edition) -> FileFacts {
    scan_as(text, edition, Construct::File)
}

/// The facts of a file that holds one expression: what `include!` makes of it where an expression stands.
pub fn scan_expression(text: &str, edition: Edition) -> FileFacts {
    scan_as(text, edition, Construct::Expression)
}

/// How deep a recursive parser of Rust may have to go for a text: at least as deep as it goes.
pub fn nesting(text: &str) -> usize {
    if text.len() > MOST_BYTES {
        return usize::MAX;
    }
    // Which words are keywords is nothing to depth.
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

/// Largest file: offsets have 32 bits.
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
    /// `impl Copy for T` seen so far: the modules around and the type's name.
    copies: Vec<(Vec<String>, String)>,
    /// Macros of the compiler that have another name in this file.
    aliases: HashMap<&'t str, &'t str>,
    /// Where constructs without the keyword were recorded: by kind and the byte of the token that makes them one.
    recorded: HashSet<(UnsafeKind, u32)>,
    /// Constructs of expansions, with that byte: most stand in the macro or its arguments and are recorded there.
    written: Vec<(u32, UnsafeFact)>,
    /// The `macro_rules!` of the file, in the order of their definitions: later code may call them.
    macros: HashMap<SmolStr, Vec<macros::Definition>>,
    /// Paths named in unsafe blocks, with the block: uses of statics, if they turn out to be ones.
    named: Vec<(usize, Operation)>,
    /// Depth that this thread's stack bears.
    allowed: usize,
    /// Tokens of all expansions so far.
    expanded: usize,
}

/// What surrounds a node.
#[derive(Clone)]
struct Frame {
    /// One past the last node inside.
    end: usize,
    scope: Arc<Scope>,
    /// The type of the `impl` or the trait around, whose functions are named after it.
    owner: Option<SmolStr>,
    /// The `impl` around is of a trait.
    of_trait: bool,
    /// The argument for unsafe code that stands above the macro call around.
    safety: Option<Arc<str>>,
    /// Index in `unsafes` of the block that operations belong to.
    block: Option<usize>,
    /// The extern block around.
    foreign: Option<Arc<foreign::Block>>,
    /// Directories that the inline modules around stand for.
    directories: Arc<[String]>,
    /// The byte where the outermost function ends.
    function_end: Option<usize>,
    take: Take,
    /// Macro calls around, those of expansions included.
    depth: usize,
}

/// Which facts a tree is asked for. A macro call of the file is read twice: its arguments for what they do, and the
/// expansion, whose other tokens were read with the macro's definition, for what it declares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    Everything,
    /// Unsafe constructs, calls and mentions.
    Code,
    /// Foreign items, types, constants, imports and modules.
    Declarations,
    /// Unsafe constructs that no keyword tells.
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

    /// What is known of a file without parsing it: its keywords.
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

    /// Takes the facts of one node and says where to go on: inside it, or behind it.
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
            // An expansion is asked for declarations only, and bodies hold none that matter outside.
            STMT_LIST if self.frame().take == Take::Declarations => return node.end_id(),
            _ => {}
        }
        inside
    }

    /// Whether what the code does is asked for.
    fn acts(&self) -> bool {
        matches!(self.frame().take, Take::Everything | Take::Code)
    }

    /// Whether what the code declares is asked for.
    fn declares(&self) -> bool {
        matches!(self.frame().take, Take::Everything | Take::Declarations)
    }

    /// An unsafe construct without what only some kinds have; `record` takes it when it is complete.
    fn fact(&self, kind: UnsafeKind, range: Range<usize>) -> UnsafeFact {
        UnsafeFact {
            kind,
            // Tokens of an expansion need not stand in the order of the file.
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
            // Known when the walk is over.
            end: 0,
            digest: 0,
        }
    }

    fn record(&mut self, fact: UnsafeFact) {
        if self.acts() {
            self.facts.unsafes.push(fact);
        }
    }

    /// The same for one that may do without the keyword: `anchor` is the first byte of the token that makes it one.
    fn record_bare(&mut self, fact: UnsafeFact, anchor: usize) {
        let anchor = anchor as u32;
        match self.frame().take {
            // Each keyword of a macro is a fact of its own.
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

    /// Opens a frame over a node, like the one around it but for what `change` makes different.
    fn enter(&mut self, node: Node<'_, '_>, change: impl FnOnce(&mut Frame)) {
        let mut frame = Frame { end: node.end_id(), ..self.frame().clone() };
        change(&mut frame);
        self.frames.push(frame);
    }

    fn leave(&mut self) {
        self.frames.pop().expect("a frame to leave");
    }

    /// A frame for the `cfg` of a node, and a fact for each unsafe attribute.
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

/// `use core::arch::global_asm as g`: the compiler's macros that matter, by the names that a file gives them. Which module has
/// the name is not asked.
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

/// Macros that are known by their names.
const COMPILER_MACROS: &[&str] = &["asm", "global_asm", "include", "naked_asm"];
