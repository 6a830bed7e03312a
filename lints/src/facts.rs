//! What the code does, as plain data: the noun that [`crate::scan`] produces and everything later reads.
//!
//! Facts carry no judgement. A rule turns them into findings, the policy decides about those, and the generator reads the
//! foreign items to write wrappers.

mod stored;

use crate::cfg::{Configs, Presence};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
    pub calls: Vec<CallFact>,
    /// Paths mentioned as a value without being called (`let f = ffi::crc32;`): a function pointer is a call in waiting.
    pub mentions: Vec<CallFact>,
    /// Names that `use` and `extern crate` bring into each module.
    pub imports: Vec<Import>,
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
    /// Integer constants with their source text, for length expressions.
    pub constants: Vec<Constant>,
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
    pub function: Option<String>,
    /// `#[cfg(…)]` predicates around the fact, outermost first, as source text without `cfg(` and `)`.
    pub cfgs: Vec<String>,
    /// The macro whose definition or call holds the fact, when it stands in tokens that the parser does not see into.
    pub in_macro: Option<String>,
    /// That is a definition: the code is where the macro is used.
    #[serde(default)]
    pub in_definition: bool,
}

/// One unsafe construct.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnsafeFact {
    /// What it is.
    pub kind: UnsafeKind,
    /// The keyword to the end of the header: a block up to its `{`, a function up to its body.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
    /// Name of the item, for functions, impls (`Send for Stream`), traits, statics and attributes (`no_mangle`).
    pub name: Option<String>,
    /// The type or trait of an associated function.
    pub owner: Option<String>,
    /// The comment that argues for it: `// SAFETY: …` before or inside a block, `# Safety` in the docs of a function or trait.
    pub safety: Option<String>,
    /// What a block does, or the body of an unsafe function outside of blocks, in source order; empty for other kinds.
    pub operations: Vec<Operation>,
    /// Whether the item is visible outside its crate as written (`pub`).
    pub public: bool,
    /// A function that implements one of a trait's: the trait says what its callers owe.
    pub of_trait: bool,
    /// An `unsafe` keyword stands for it: `extern "C" { … }`, `static mut` and the like do without. Each keyword of a file
    /// belongs to exactly one fact, see [`FileFacts::unexplained`].
    pub keyword: bool,
    /// One past the last byte of the whole construct, as far as it counts as one: of a block its `}`, of everything else the end
    /// of `span`.
    pub end: u32,
    /// Digest of the tokens from `span.start` to `end`, comments and whitespace left out: the same wherever the construct
    /// moves, and however it is laid out.
    pub digest: u64,
}

/// Kinds of unsafe constructs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnsafeKind {
    /// `unsafe { … }`.
    Block,
    /// `unsafe fn`, free or associated, with a body.
    Function,
    /// `unsafe fn` declared without a body: in a trait, or with the keyword written out in an extern block.
    Declaration,
    /// `unsafe impl`.
    Impl,
    /// `unsafe trait`.
    Trait,
    /// `extern "C" { … }`, with or without `unsafe`.
    ExternBlock,
    /// `#[no_mangle]`, `#[export_name]`, `#[link_section]`, bare or in `#[unsafe(…)]`, and `#[unsafe(naked)]`.
    Attribute,
    /// `static mut`.
    StaticMut,
    /// `union`.
    Union,
    /// `global_asm!`.
    GlobalAsm,
    /// `unsafe fn(…)` as a type, and other uses of the keyword that declare rather than do.
    Type,
    /// An `unsafe` token in a macro definition or in the arguments of a macro call, where the parser sees only tokens.
    MacroToken,
}

impl UnsafeKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [UnsafeKind; 12] = [
        UnsafeKind::Block,
        UnsafeKind::Function,
        UnsafeKind::Declaration,
        UnsafeKind::Impl,
        UnsafeKind::Trait,
        UnsafeKind::ExternBlock,
        UnsafeKind::Attribute,
        UnsafeKind::StaticMut,
        UnsafeKind::Union,
        UnsafeKind::GlobalAsm,
        UnsafeKind::Type,
        UnsafeKind::MacroToken,
    ];

    /// What it is called in messages.
    pub fn noun(self) -> &'static str {
        match self {
            UnsafeKind::Block => "unsafe block",
            UnsafeKind::Function => "unsafe function",
            UnsafeKind::Declaration => "unsafe function without a body",
            UnsafeKind::Impl => "unsafe impl",
            UnsafeKind::Trait => "unsafe trait",
            UnsafeKind::ExternBlock => "extern block",
            UnsafeKind::Attribute => "unsafe attribute",
            UnsafeKind::StaticMut => "mutable static",
            UnsafeKind::Union => "union",
            UnsafeKind::GlobalAsm => "global assembly",
            UnsafeKind::Type => "`unsafe` in a type or declaration",
            UnsafeKind::MacroToken => "`unsafe` in macro tokens",
        }
    }
}

/// One thing an unsafe block does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// What it does.
    pub kind: OperationKind,
    /// Where.
    pub span: Span,
    /// The path called or static named, as written; methods and fields with a dot before them.
    pub what: Option<String>,
}

/// A path or field named in unsafe code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Index in [`FileFacts::unsafes`].
    pub of: u32,
    /// A use of a static, or a read of a union's field, if it is one.
    pub operation: Operation,
}

/// A use of a macro.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MacroFact {
    /// Its path, as written.
    pub path: String,
    /// How it is used.
    pub kind: MacroKind,
    /// The path's place.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
    /// Names among its arguments that the definition may make a call of, but for those in a call's own arguments: of
    /// `call!(crc32(seed))` only `crc32`.
    pub arguments: Vec<CallFact>,
    /// There are more such names than are kept.
    pub more: bool,
    /// It stands in a definition and is passed what that one was.
    pub forwards: bool,
}

/// A path in a macro definition with a macro variable in it: `libz_sys::$f`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// As written, with `$` for each variable: `libz_sys::$`, `$crate::ffi::$`. Empty for a name that another macro makes of
    /// parts (`[<z_ $f>]`).
    pub path: String,
    /// It is called.
    pub called: bool,
    /// The definition: `in_macro` is its name.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
}

/// Ways to use a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacroKind {
    /// `name!(…)`.
    Call,
    /// `#[name]`.
    Attribute,
    /// `#[derive(Name)]`.
    Derive,
}

/// Kinds of operations inside an unsafe block, as far as syntax shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// A call of a path or method that is not known to be unsafe.
    Call,
    /// A call of a foreign function.
    ForeignCall,
    /// A call of a function that is declared unsafe, in this graph or in the standard library.
    UnsafeCall,
    /// `*p` of something not known to be safe.
    Deref,
    /// `transmute`.
    Transmute,
    /// `from_raw_parts` and its kin.
    FromRawParts,
    /// `asm!`.
    Asm,
    /// A use of a `static mut`.
    Static,
    /// A use of a foreign static.
    ForeignStatic,
    /// A read of a union's field.
    Union,
}

/// A function or static declared in an extern block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForeignItem {
    /// Name in Rust.
    pub name: String,
    /// Symbol, where `#[link_name]` says another one and it is a plain string: the one without conditions, until
    /// [`FileFacts::settle`] chooses.
    pub link_name: Option<String>,
    /// Every `#[link_name]` in a `cfg_attr`: bindings of the system's library name symbols by platform.
    pub link_names: Vec<Conditional>,
    /// ABI string, `C` where none is written.
    pub abi: String,
    /// Library of the block's `#[link(name = …)]`.
    pub library: Option<String>,
    /// Function with its signature, or static.
    pub item: ForeignKind,
    /// The declaration.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
    /// Visibility as written: `pub`, `pub(crate)`, or empty.
    pub visibility: String,
    /// Declared `safe fn` in an `unsafe extern` block.
    pub safe: bool,
    /// An attribute macro stands on the block (`#[wasm_bindgen]`): what it makes of it may be no foreign item at all.
    pub rewritten: bool,
}

/// What a foreign item is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignKind {
    /// A function.
    Function {
        /// Parameters in order.
        params: Vec<Param>,
        /// Return type as source text; `None` for unit.
        ret: Option<String>,
        /// Ends with `...`.
        variadic: bool,
    },
    /// A static.
    Static {
        /// Its type as source text.
        ty: String,
        /// `static mut`.
        mutable: bool,
    },
}

/// A parameter of a foreign function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Name; `None` for `_` and unnamed ones.
    pub name: Option<String>,
    /// Type as source text, whitespace normalised to single spaces.
    pub ty: String,
}

/// A call or mention of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallFact {
    /// The path as written, without generic arguments and whitespace: `libz_sys::crc32`.
    pub path: String,
    /// The path's place.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
}

/// One name brought into a module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// Full path as written: `libz_sys::crc32`, without a trailing `::*`. `extern crate x` gives `::x`, and
    /// `extern crate self` gives `crate`.
    pub path: String,
    /// The name it gets here; `None` for a glob.
    pub name: Option<String>,
    /// Visible outside the module (`pub use`, `pub(crate) use`).
    pub public: bool,
    /// Inline modules around it within this file.
    pub modules: Vec<String>,
    /// The function whose body holds it, named as in [`Scope::function`]; the name is known only there.
    pub function: Option<String>,
}

/// What an attribute says under the conditions of the `cfg_attr`s around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditional {
    /// What it says.
    pub value: String,
    /// Predicates, outermost first; none for a plain attribute.
    pub cfgs: Vec<String>,
}

/// A `mod` item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModuleDecl {
    /// Its name.
    pub name: String,
    /// Every `#[path = "…"]` on it, plain or in `cfg_attr`.
    pub paths: Vec<Conditional>,
    /// Inline modules around it within this file, outermost first.
    pub parents: Vec<String>,
    /// The directory that each of `parents` stands for: its name, or its own `#[path]`.
    pub directories: Vec<String>,
    /// The macro in whose tokens it stands. In a definition, where the module lies depends on the call.
    pub in_macro: Option<String>,
    /// Has a body in this file.
    pub inline: bool,
    /// `#[cfg(…)]` predicates on it and around it.
    pub cfgs: Vec<String>,
    /// Its place.
    pub span: Span,
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionItem {
    /// Its name.
    pub name: String,
    /// Where it stands; `function` is the one around it, for a function declared in a body.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
    /// The type of the `impl` or the trait that it belongs to, without generic arguments; `None` for a free one.
    pub owner: Option<String>,
    /// It is one of a trait's, so whoever has the trait can call it.
    pub of_trait: bool,
    /// `unsafe fn`.
    pub is_unsafe: bool,
    /// Visibility as written.
    pub visibility: String,
    /// Its name in the header.
    pub span: Span,
}

/// A function or static that code in other languages can reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// The type of the `impl` around it.
    pub owner: Option<String>,
    /// The symbol that `#[no_mangle]` or `#[export_name]` gives it.
    pub symbol: Option<String>,
    /// ABI string as written, `C` for a bare `extern`; `None` for Rust's.
    pub abi: Option<String>,
    /// Signature, or type of the static.
    pub item: ForeignKind,
    /// Its name in the header.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
    /// Something in its body stops a panic: `catch_unwind`, or a function named after that.
    pub guarded: bool,
    /// Where its body may panic, the first few places; none if it cannot be seen to.
    pub panics: Vec<Panic>,
}

/// A place that may panic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panic {
    /// What does it.
    pub kind: PanicKind,
    /// As written: `panic!`, `unwrap`, `handler`.
    pub what: String,
    /// Where.
    pub span: Span,
}

/// Ways to panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PanicKind {
    /// `panic!`, `assert!` and their like.
    Macro,
    /// `unwrap` or `expect`.
    Unwrap,
    /// `a[i]`.
    Index,
    /// A call of a closure, or of a function of a generic parameter: code that somebody else wrote.
    Value,
}

/// A path to a function as an argument of a call: bare, cast, or in `Some`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Argument {
    /// First byte of the callee's path: the `span.start` of its [`CallFact`].
    pub call: u32,
    /// The argument, `Self::` replaced by the type.
    pub path: String,
    /// Its place.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
}

/// A `transmute` or `transmute_copy`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transmute {
    /// The source type, if a turbofish, a cast or the declaration of a parameter says it.
    pub from: Option<String>,
    /// The target type, if a turbofish, a `let`, a constant or the function's return type says it.
    pub to: Option<String>,
    /// The path.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
}

/// An argument that its callee takes on trust.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// What it is trusted to be.
    pub kind: TrustKind,
    /// The argument as written, at most 80 characters.
    pub what: String,
    /// Where its value comes from, as far as assignments within the function show.
    pub origins: Vec<Origin>,
    /// The function compares it with something before (for a pointer: with null).
    pub checked: bool,
    /// The path of the call that it is an argument of.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
}

/// What an argument is trusted to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustKind {
    /// The length of `from_raw_parts` and its kin.
    Length,
    /// The pointer of `CStr::from_ptr`.
    String,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A call returned it: the `span.start` of its [`CallFact`].
    Returned(u32),
    /// A call was given its address to write to.
    Written(u32),
    /// It is a parameter of the function, which is safe to call.
    Parameter,
}

/// A type that a foreign signature may name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeItem {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TypeKind,
    /// Inline modules around it within this file.
    pub modules: Vec<String>,
    /// `#[cfg(…)]` predicates on it and around it.
    pub cfgs: Vec<String>,
    /// `#[repr(…)]` arguments, as source text.
    pub repr: Vec<String>,
    /// Visibility as written.
    pub visibility: String,
    /// Derives `Copy`, or has an `impl Copy` in the same file.
    pub copy: bool,
    /// It is an argument of a macro that was not expanded, which may add attributes.
    pub in_macro: bool,
}

/// Kinds of types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeKind {
    /// `type A = …;`, with the right side as source text.
    Alias(String),
    /// A struct with its fields; tuple fields are named `0`, `1`, ….
    Struct(Vec<Param>),
    /// A union with its fields.
    Union(Vec<Param>),
    /// An enum with its variants' names; none for an opaque `enum X {}`.
    Enum(Vec<String>),
    /// `extern { type X; }`.
    Foreign,
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Its type as source text.
    pub ty: String,
    /// Its value as source text.
    pub value: String,
    /// Inline modules around it within this file.
    pub modules: Vec<String>,
}

/// A place that did not parse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParseError {
    /// The parser's message, a lowercase fragment.
    pub message: String,
    /// The place.
    pub span: Span,
}

/// A macro call that may expand to anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unexpanded {
    /// The macro's path.
    pub name: String,
    /// Its argument text, at most 200 characters.
    pub argument: String,
    /// It stands where items do, so what it expands to may declare anything in the module.
    #[serde(default)]
    pub item: bool,
    /// The place.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "stored")]
    pub scope: Arc<Scope>,
}
