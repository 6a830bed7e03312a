//! The ABI-level shape of a type, as far as declarations in the graph determine it.
//!
//! Widths are those of 64-bit Linux. No rule reports anything about a type whose shape is [`Shape::Unknown`].

use crate::facts::{TypeItem, TypeKind};
use crate::project::Project;
use crate::resolve::Place;

/// Limit on aliases and wrapper types followed.
const STEPS: usize = 16;

/// The shape of a type, with aliases resolved.
#[derive(Clone)]
pub(crate) enum Shape<'a> {
    /// `void`, `()`, `!`.
    Unit,
    /// Of this many bits; signedness does not matter.
    Integer(u32),
    Float(u32),
    Bool,
    /// Rust's `char`: 32 bits of which not all values are valid.
    Char,
    /// A thin pointer, raw or not, nullable or not, with its pointee.
    Pointer(Box<Named<'a>>),
    /// A pointer to `str`, a slice or a trait object: two words.
    FatPointer(&'static str),
    /// A function pointer, with its ABI.
    Function(String),
    Array(Box<Named<'a>>),
    Tuple,
    /// A struct, union or enum declared in the graph.
    Item(Place, &'a TypeItem),
    /// A type of the standard library with unspecified layout: `Vec`, `String`, `HashMap`.
    Std(&'static str),
    /// An `Option` without a niche, so that it has a tag besides the payload.
    TaggedOption,
    Unknown,
}

/// The text of a type, with the module in which its names are resolved.
#[derive(Clone)]
pub(crate) struct Named<'a> {
    project: &'a Project<'a>,
    krate: usize,
    module: Vec<String>,
    pub(crate) text: String,
}

impl<'a> Named<'a> {
    pub(crate) fn new(project: &'a Project<'a>, krate: usize, module: Vec<String>, text: &str) -> Named<'a> {
        Named { project, krate, module, text: text.to_owned() }
    }

    /// Another type named in the same module.
    fn in_same_module(&self, text: &str) -> Named<'a> {
        Named { text: text.to_owned(), ..self.clone() }
    }

    /// The type of a field of a struct or union.
    pub(crate) fn field(&self, place: Place, item: &TypeItem, text: &str) -> Named<'a> {
        let module = self.project.file(place).module.iter().chain(&item.modules).cloned().collect();
        Named { project: self.project, krate: place.krate, module, text: text.to_owned() }
    }

    pub(crate) fn shape(&self) -> Shape<'a> {
        self.resolve(STEPS)
    }

    fn resolve(&self, steps: usize) -> Shape<'a> {
        let Some(steps) = steps.checked_sub(1) else { return Shape::Unknown };
        let text = self.text.trim();
        if let Some(pointer) = text.strip_prefix("*const").or_else(|| text.strip_prefix("*mut")) {
            return self.pointer(pointer, steps);
        }
        if let Some(reference) = text.strip_prefix('&') {
            let reference = match reference.trim_start().strip_prefix('\'') {
                Some(lifetime) => lifetime.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
                None => reference,
            };
            let reference = reference.trim_start();
            return self.pointer(reference.strip_prefix("mut ").unwrap_or(reference), steps);
        }
        if let Some(abi) = function_abi(text) {
            return Shape::Function(abi);
        }
        if let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
            return match (inner.trim(), split_top(inner)) {
                ("", _) => Shape::Unit,
                (inner, parts) if parts.len() == 1 && !inner.ends_with(',') => {
                    self.in_same_module(inner).resolve(steps)
                }
                _ => Shape::Tuple,
            };
        }
        if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            return match inner.rsplit_once(';') {
                Some((element, _)) => Shape::Array(Box::new(self.in_same_module(element.trim()))),
                None => Shape::Unknown,
            };
        }
        if text == "!" {
            return Shape::Unit;
        }
        self.path(text, steps)
    }

    fn pointer(&self, to: &str, steps: usize) -> Shape<'a> {
        let to = to.trim();
        let fat = match to {
            "str" => Some("a string slice"),
            _ if to.starts_with("dyn ") || to.starts_with("(dyn ") => Some("a trait object"),
            _ if to.starts_with('[') && is_slice(to) => Some("a slice"),
            _ => None,
        };
        // The pointee may be an alias of an unsized type.
        let fat = fat.or_else(|| match self.in_same_module(to).unsized_alias(steps) {
            true => Some("an unsized type"),
            false => None,
        });
        fat.map_or_else(|| Shape::Pointer(Box::new(self.in_same_module(to))), Shape::FatPointer)
    }

    fn unsized_alias(&self, steps: usize) -> bool {
        if !is_path(&self.text) {
            return false;
        }
        let Some((_, item)) = self.item(&self.text) else { return false };
        match &item.kind {
            TypeKind::Alias(target) => {
                steps > 0
                    && (target == "str" || target.starts_with("dyn ") || target.starts_with('[') && is_slice(target))
            }
            _ => false,
        }
    }

    fn path(&self, text: &str, steps: usize) -> Shape<'a> {
        let (path, arguments) = match text.split_once('<') {
            Some((path, arguments)) => (path.trim(), arguments.strip_suffix('>').map(str::trim)),
            None => (text, None),
        };
        let last = path.rsplit("::").next().unwrap_or(path).trim();
        if let Some(known) = c_type(last) {
            return known;
        }
        if !is_path(path) {
            return Shape::Unknown;
        }
        if let Some((place, item)) = self.item(path) {
            return match &item.kind {
                TypeKind::Alias(_) if arguments.is_some() => Shape::Unknown,
                TypeKind::Alias(target) => self.field(place, item, target).resolve(steps),
                _ => Shape::Item(place, item),
            };
        }
        let argument = arguments.map(|arguments| split_top(arguments)[0]);
        match (last, argument) {
            ("Option", Some(inner)) => match self.in_same_module(inner).resolve(steps) {
                shape @ (Shape::Function(_) | Shape::FatPointer(_)) => shape,
                // A raw pointer may itself be null, so it has no niche and its `Option` is two words.
                Shape::Pointer(to) if !inner.trim_start().starts_with('*') => Shape::Pointer(to),
                Shape::Unknown | Shape::Item(..) => Shape::Unknown,
                shape @ Shape::Integer(_) if inner.contains("NonZero") => shape,
                _ => Shape::TaggedOption,
            },
            ("Box" | "NonNull" | "Arc" | "Rc" | "Pin" | "AtomicPtr", Some(to)) if last != "Pin" => {
                self.pointer(to, steps)
            }
            (
                "ManuallyDrop" | "MaybeUninit" | "UnsafeCell" | "Cell" | "SyncUnsafeCell" | "Wrapping" | "NonZero"
                | "Pin",
                Some(inner),
            ) => self.in_same_module(inner).resolve(steps),
            ("PhantomData", _) => Shape::Unit,
            ("Vec", _) => Shape::Std("Vec"),
            ("HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" | "VecDeque" | "Result" | "RefCell" | "Cow", Some(_)) => {
                Shape::Std(match last {
                    "HashMap" => "HashMap",
                    "BTreeMap" => "BTreeMap",
                    "HashSet" => "HashSet",
                    "BTreeSet" => "BTreeSet",
                    "VecDeque" => "VecDeque",
                    "Result" => "Result",
                    "RefCell" => "RefCell",
                    _ => "Cow",
                })
            }
            ("String", None) => Shape::Std("String"),
            ("CString", None) => Shape::Std("CString"),
            ("PathBuf", None) => Shape::Std("PathBuf"),
            ("OsString", None) => Shape::Std("OsString"),
            ("Duration", None) if path.contains("time") => Shape::Std("Duration"),
            _ => Shape::Unknown,
        }
    }

    /// The type that a path resolves to, if it is unique or all alternatives selected by `cfg` are the same.
    fn item(&self, path: &str) -> Option<(Place, &'a TypeItem)> {
        let mut found = self.project.resolver().types(self.krate, &self.module, path);
        found.retain(|(place, item)| self.project.file(*place).may_hold(&item.cfgs));
        match found.as_slice() {
            [one] => Some(*one),
            [first, rest @ ..]
                if rest.iter().all(|(_, item)| item.kind == first.1.kind && item.repr == first.1.repr) =>
            {
                Some(*first)
            }
            _ => None,
        }
    }
}

impl TypeItem {
    /// The arguments of its `#[repr(…)]`s.
    pub(crate) fn reprs(&self) -> impl Iterator<Item = &str> {
        self.repr.iter().flat_map(|repr| repr.split(',')).map(str::trim)
    }

    /// Whether the layout is specified: `repr(C)`, `transparent`, `simd` or an integer. Types inside macro calls are
    /// given the benefit of the doubt, since the macro may add a `repr`.
    pub(crate) fn has_stated_layout(&self) -> bool {
        self.kind == TypeKind::Foreign
            || self.in_macro
            || self.reprs().any(|repr| matches!(repr, "C" | "transparent" | "simd") || integer(repr).is_some())
    }

    /// Whether it has no contents to lay out: an opaque handle.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.kind {
            TypeKind::Struct(fields) => fields.iter().all(|field| {
                field.ty.contains("PhantomData")
                    || field.ty.starts_with('[') && field.ty.ends_with("; 0]")
                    || field.ty == "()"
            }),
            TypeKind::Enum(variants) => variants.is_empty(),
            TypeKind::Foreign => true,
            TypeKind::Union(_) | TypeKind::Alias(_) => false,
        }
    }

    /// Width of the integer named in its `repr`.
    pub(crate) fn integer(&self) -> Option<u32> {
        self.reprs().find_map(integer)
    }
}

fn integer(name: &str) -> Option<u32> {
    Some(match name {
        "i8" | "u8" => 8,
        "i16" | "u16" => 16,
        "i32" | "u32" => 32,
        "i64" | "u64" | "isize" | "usize" => 64,
        "i128" | "u128" => 128,
        _ => return None,
    })
}

/// Primitive types, and the names that C types have in the standard library and in bindings.
fn c_type(name: &str) -> Option<Shape<'static>> {
    if let Some(bits) = integer(name) {
        return Some(Shape::Integer(bits));
    }
    Some(match name {
        "bool" => Shape::Bool,
        "char" => Shape::Char,
        "f32" | "c_float" => Shape::Float(32),
        "f64" | "c_double" => Shape::Float(64),
        "c_char" | "c_schar" | "c_uchar" | "int8_t" | "uint8_t" => Shape::Integer(8),
        "c_short" | "c_ushort" | "int16_t" | "uint16_t" => Shape::Integer(16),
        "c_int" | "c_uint" | "int32_t" | "uint32_t" => Shape::Integer(32),
        "c_long" | "c_ulong" | "c_longlong" | "c_ulonglong" | "int64_t" | "uint64_t" | "size_t" | "ssize_t"
        | "intptr_t" | "uintptr_t" | "ptrdiff_t" | "intmax_t" | "uintmax_t" => Shape::Integer(64),
        "c_void" => Shape::Unit,
        _ => return None,
    })
}

/// The ABI of a function pointer type; `Rust` where it names none.
fn function_abi(text: &str) -> Option<String> {
    let mut text = text;
    if let Some(rest) = text.strip_prefix("for<").or_else(|| text.strip_prefix("for <")) {
        text = rest.split_once('>')?.1.trim_start();
    }
    let text = text.strip_prefix("unsafe ").unwrap_or(text).trim_start();
    if let Some(rest) = text.strip_prefix("extern") {
        let rest = rest.trim_start();
        let abi = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        return Some(abi.map_or("C", |(abi, _)| abi).to_owned());
    }
    (text.starts_with("fn(") || text.starts_with("fn (")).then(|| "Rust".to_owned())
}

/// Splits at commas that are outside all brackets.
pub(crate) fn split_top(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start, mut before) = (Vec::new(), 0_i32, 0, ' ');
    for (at, char) in text.char_indices() {
        match char {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        before = char;
    }
    parts.push(text[start..].trim());
    parts
}

/// Whether it is `[T]` rather than `[T; n]`.
fn is_slice(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let mut depth = 0_i32;
    !inner.chars().any(|char| {
        match char {
            '[' | '(' | '<' => depth += 1,
            ']' | ')' | '>' => depth -= 1,
            _ => {}
        }
        char == ';' && depth == 0
    })
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '#'))
}
