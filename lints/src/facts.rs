//! What the code does, as plain data: the noun that [`crate::scan`] produces and everything later reads.
//!
//! Facts carry no judgement. A rule turns them into findings, the policy decides about those, and the generator reads the
//! foreign items to write wrappers.

mod flow;
mod foreign;
mod macros;
mod names;
mod packed;
mod stored;
mod unsafes;

use crate::cfg::{Configs, Presence};
pub use flow::{Argument, Origin, Transmute, Trust, TrustKind};
pub use foreign::{Constant, Definition, Field, ForeignItem, ForeignKind, Panic, PanicKind, Param, TypeItem, TypeKind};
pub use macros::{MacroFact, MacroKind, Template, Unexpanded};
pub use names::{Block, CallFact, FunctionItem, Import, ModuleDecl};
pub use packed::{Calls, Packed};
pub(crate) use packed::{Ends, last};
use serde::{Deserialize, Serialize};
/// Text of facts that there are hundreds of thousands of: a short one needs no memory of its own.
pub use smol_str::SmolStr;
pub(crate) use unsafes::labelled;
pub use unsafes::{Candidate, LONGEST_LABEL, Operation, OperationKind, UnsafeFact, UnsafeKind, is_label};

/// A byte range in one file, with the 1-based line and column (in characters) of its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// 1-based line of `start`.
    pub line: u32,
    /// 1-based column of `start`, in characters.
    pub column: u32,
}

/// Everything known about one source file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileFacts {
    /// Unsafe constructs, in source order.
    pub unsafes: Vec<UnsafeFact>,
    /// Foreign items, in source order, those found inside macro calls included.
    pub foreign: Vec<ForeignItem>,
    /// Every call of a plain path (`a::b(…)`), in source order: candidates for foreign calls until resolved.
    pub calls: Calls,
    /// Paths mentioned as a value without being called (`let f = ffi::crc32;`): a function pointer is a call in waiting.
    pub mentions: Calls,
    /// Names that `use` and `extern crate` bring into each module.
    pub imports: Vec<Import>,
    /// Blocks that hold items, in source order.
    pub blocks: Vec<Block>,
    /// `mod name;` declarations and inline modules, so that the loader can follow them.
    pub modules: Vec<ModuleDecl>,
    /// Functions with bodies: what a call may mean instead of a foreign function of the same name, and who calls those.
    pub functions: Vec<FunctionItem>,
    /// Functions and statics with a body that other languages can reach: by an ABI, or by an exported name.
    pub definitions: Vec<Definition>,
    /// Functions that are an argument of a call: callbacks, if the callee is foreign.
    pub arguments: Vec<Argument>,
    /// Where a transmute stands, and between what.
    pub transmutes: Vec<Transmute>,
    /// Where a length or pointer is believed, and where it comes from.
    pub trusts: Vec<Trust>,
    /// Structs, unions, enums and aliases: what a foreign signature may name.
    pub types: Vec<TypeItem>,
    /// Integer constants with their source text, for length expressions: bindings have thousands, and few commands ask.
    pub constants: Packed<Constant>,
    /// Places that did not parse. The rest of the facts come from the recovered tree.
    pub errors: Vec<ParseError>,
    /// Macro calls whose expansion was not seen and may hold anything: `include!` of generated code, for instance.
    pub unexpanded: Vec<Unexpanded>,
    /// Uses of macros that are not the standard library's, in source order per kind.
    pub macros: Vec<MacroFact>,
    /// Paths that macro definitions put together of what their uses pass.
    pub templates: Vec<Template>,
    /// What turns out to be an operation or nothing once the whole graph is known.
    pub candidates: Vec<Candidate>,
    /// `unsafe` tokens that the lexer counted, comments and strings excluded: the oracle of the self-check.
    pub unsafe_tokens: u32,
}

impl FileFacts {
    /// The self-check: how many `unsafe` tokens of the file no fact accounts for. Anything but 0 is a bug of the scanner, and
    /// a reason not to trust the file's other facts; it is negative when facts claim more keywords than there are.
    pub fn unexplained(&self) -> i64 {
        let explained = self.unsafes.iter().filter(|fact| fact.keyword).count();
        i64::from(self.unsafe_tokens) - explained as i64
    }

    /// Takes comments for arguments that begin with one of these words, in whatever case, and a colon or a dash.
    pub fn accept(&mut self, words: &[String]) {
        for fact in self.unsafes.iter_mut().filter(|fact| fact.safety.is_none()) {
            let lines: Vec<&str> = fact.labelled.iter().flat_map(|text| text.lines()).collect();
            let behind = |line: &str| {
                let (label, rest) = labelled(line)?;
                words.iter().any(|word| word.eq_ignore_ascii_case(label)).then(|| rest.to_owned())
            };
            let found = lines.iter().enumerate().find_map(|(at, line)| Some((at, behind(line)?)));
            fact.safety = found.map(|(at, first)| [&[&*first], &lines[at + 1..]].concat().join("\n").trim().to_owned());
        }
    }

    /// The blocks around a byte that hold items, by index, the innermost first.
    pub(crate) fn blocks_around(&self, at: u32) -> impl Iterator<Item = u32> {
        let before = self.blocks.partition_point(|block| block.start <= at);
        let around = |index: &u32| self.blocks[*index as usize].around;
        let last = before.checked_sub(1).map(|last| last as u32);
        // Blocks nest: what is around the byte is the last that began before it, or around that one.
        std::iter::successors(last, around).filter(move |index| at < self.blocks[*index as usize].end)
    }

    /// Chooses what the build decides of: the symbols of foreign items. Facts as scanned serve every build.
    pub fn settle(&mut self, configs: &Configs) {
        for item in self.foreign.iter_mut().filter(|item| !item.link_names.is_empty()) {
            let chosen = item.link_names.iter().find(|name| configs.likely(&name.cfgs) == Presence::Live);
            if let Some(name) = chosen {
                item.link_name = Some(name.value.clone());
            }
        }
    }
}

/// Where in the crate a fact stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Inline modules around the fact within this file, outermost first. The file's own module path is the loader's to add.
    pub modules: Vec<String>,
    /// Name of the enclosing function, with the `impl` or `trait` type before it: `Stream::read`.
    pub function: Option<SmolStr>,
    /// `#[cfg(…)]` predicates around the fact, outermost first, as source text without `cfg(` and `)`.
    pub cfgs: Vec<String>,
    /// The macro whose definition or call holds the fact, when it stands in tokens that the parser does not see into.
    pub in_macro: Option<SmolStr>,
    /// That is a definition: the code is where the macro is used.
    #[serde(default)]
    pub in_definition: bool,
}

/// What an attribute says under the conditions of the `cfg_attr`s around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditional {
    /// What it says.
    pub value: String,
    /// Predicates, outermost first; none for a plain attribute.
    pub cfgs: Vec<String>,
}

/// A place that did not parse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParseError {
    /// The parser's message, a lowercase fragment.
    pub message: String,
    /// The place.
    pub span: Span,
}
