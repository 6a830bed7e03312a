//! What the source code does, as plain data: the output of [`crate::scan`] and the input of every later stage.
//!
//! Facts carry no judgement. Rules turn them into findings, the policy decides about the findings, and the generator
//! writes wrappers from the foreign items.

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
/// The string type of facts, of which a large graph has hundreds of thousands: short strings need no heap allocation.
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
    /// Paths used as a value without being called (`let f = ffi::crc32;`): a function pointer may be called later.
    pub mentions: Calls,
    /// Names that `use` and `extern crate` bring into each module.
    pub imports: Vec<Import>,
    /// Blocks that contain items, in source order.
    pub blocks: Vec<Block>,
    /// `mod name;` declarations and inline modules, so that the loader can follow them.
    pub modules: Vec<ModuleDecl>,
    /// Functions with bodies. Call resolution needs them in two cases: a call may mean one of them rather than a
    /// foreign function of the same name, and `unsafe fn`s have callers of their own.
    pub functions: Vec<FunctionItem>,
    /// Functions and statics with a body that other languages can reach, through their ABI or an exported symbol.
    pub definitions: Vec<Definition>,
    /// Functions passed as an argument of a call: callbacks, if the callee is foreign.
    pub arguments: Vec<Argument>,
    /// Transmutes, with their source and target types as far as the syntax shows them.
    pub transmutes: Vec<Transmute>,
    /// Lengths and pointers that a callee cannot check, and where their values come from.
    pub trusts: Vec<Trust>,
    /// Structs, unions, enums and aliases: what a foreign signature may name.
    pub types: Vec<TypeItem>,
    /// Integer constants with their source text, for length expressions. Packed because bindings have thousands and few
    /// commands read them.
    pub constants: Packed<Constant>,
    /// Positions of syntax errors. All other facts come from the recovered tree.
    pub errors: Vec<ParseError>,
    /// Macro calls whose expansion is not available and may contain anything, such as `include!` of generated code.
    pub unexpanded: Vec<Unexpanded>,
    /// Uses of macros that are not the standard library's, in source order per kind.
    pub macros: Vec<MacroFact>,
    /// Paths that a macro definition builds from its arguments.
    pub templates: Vec<Template>,
    /// Paths and fields that may turn out to be unsafe operations once the whole graph is known.
    pub candidates: Vec<Candidate>,
    /// Number of `unsafe` tokens according to the lexer, outside comments and strings: the reference value of the
    /// self-check.
    pub unsafe_tokens: u32,
}

impl FileFacts {
    /// The self-check: the number of `unsafe` tokens in the file that no fact accounts for. Any value but 0 is a bug in
    /// the scanner, and a reason not to trust the file's other facts. It is negative when facts claim more keywords
    /// than the file has.
    pub fn unexplained(&self) -> i64 {
        let explained = self.unsafes.iter().filter(|fact| fact.keyword).count();
        i64::from(self.unsafe_tokens) - explained as i64
    }

    /// Also accepts comments as safety comments that begin with one of these words, in any case, followed by a colon or
    /// a dash.
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

    /// Indices of the item-bearing blocks that enclose a byte, innermost first.
    pub(crate) fn blocks_around(&self, at: u32) -> impl Iterator<Item = u32> {
        let before = self.blocks.partition_point(|block| block.start <= at);
        let around = |index: &u32| self.blocks[*index as usize].around;
        let last = before.checked_sub(1).map(|last| last as u32);
        // Blocks nest, so the innermost one is the last block that starts before the byte, or one of that block's
        // ancestors.
        std::iter::successors(last, around).filter(move |index| at < self.blocks[*index as usize].end)
    }

    /// Resolves what depends on the build: the symbols of foreign items with conditional `#[link_name]`s. Facts as
    /// scanned are valid for every build.
    pub fn settle(&mut self, configs: &Configs) {
        for item in self.foreign.iter_mut().filter(|item| !item.link_names.is_empty()) {
            let chosen = item.link_names.iter().find(|name| configs.likely(&name.cfgs) == Presence::Live);
            if let Some(name) = chosen {
                item.link_name = Some(name.value.clone());
            }
        }
    }
}

/// The lexical context of a fact within its crate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Inline modules around the fact within this file, outermost first. The loader adds the module path of the file
    /// itself.
    pub modules: Vec<String>,
    /// Name of the enclosing function, with the `impl` or `trait` type before it: `Stream::read`.
    pub function: Option<SmolStr>,
    /// `#[cfg(…)]` predicates around the fact, outermost first, as source text without `cfg(` and `)`.
    pub cfgs: Vec<String>,
    /// The macro whose definition or call contains the fact, if the fact comes from tokens that the parser does not
    /// structure.
    pub in_macro: Option<SmolStr>,
    /// `in_macro` names a macro definition, so the code ends up wherever the macro is used.
    #[serde(default)]
    pub in_definition: bool,
}

/// The value of an attribute, with the conditions of the `cfg_attr`s around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditional {
    /// The attribute's value.
    pub value: String,
    /// Predicates, outermost first; none for a plain attribute.
    pub cfgs: Vec<String>,
}

/// A syntax error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParseError {
    /// The parser's message, a lowercase fragment.
    pub message: String,
    /// Where the parser reported it.
    pub span: Span,
}
