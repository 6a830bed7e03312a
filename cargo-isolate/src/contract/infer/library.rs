//! What all functions of a package together say about its types: which of them the library makes, and which it works on in
//! the caller's memory.

use super::{constants::Sizes, units::words};
use crate::contract::{
    check::{Param, Signature},
    shape::{Shape, TypePath},
};
use isolate_lints::facts::Constant;
use std::collections::{BTreeMap, BTreeSet};

/// How many functions must begin with a pointer to a struct before it is taken for the object that they work on.
const WORKERS: usize = 3;

/// What is known of a package's types.
#[derive(Clone, Debug, Default)]
pub(crate) struct Library {
    structs: BTreeMap<TypePath, Life>,
    /// Those that were asked.
    #[cfg(test)]
    witnesses: BTreeMap<TypePath, Vec<String>>,
    /// Names for `void *`, with a function that puts such an object into its caller's memory, and one that works on it.
    names: BTreeMap<String, [String; 2]>,
    /// Names for `void`, or for `void *` again, behind whose pointers there are objects: with a function that returns one, and
    /// one that works on it.
    behind: BTreeMap<String, [String; 2]>,
    sizes: Sizes,
    /// The one function that ends objects of a type and takes nothing else, by the type.
    ends: BTreeMap<TypePath, String>,
    /// The one function that frees text and takes nothing else.
    frees_text: Option<String>,
}

/// Where the objects of a type come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// From the library: a function that hands one out, and perhaps another that ends it.
    Made { by: String, end: Option<String> },
    /// From the library, as is said of a function that hands one out: another ends it.
    Given { end: String },
    /// From the library, which keeps them in other objects: nothing but their end is declared.
    Ended { end: String },
    /// From the caller: a function that fills one in place, and another that ends what it holds.
    Filled { by: String, end: String },
    /// From the caller: functions that work on it.
    Kept { by: Vec<String> },
}

/// What was seen of one struct.
#[derive(Default)]
struct Seen<'f> {
    makers: BTreeSet<&'f str>,
    ends: BTreeSet<&'f str>,
    fills: Option<&'f str>,
    /// Fills one for its caller, who gives it a place to.
    results: BTreeSet<&'f str>,
    workers: BTreeSet<&'f str>,
    /// Returns one, and got one: `list_append`.
    hands_back: BTreeSet<&'f str>,
    /// Whoever takes one, and nothing else.
    alone: BTreeSet<&'f str>,
    taking: BTreeSet<&'f str>,
    /// It holds what a copy of its bytes does not.
    is_deep: bool,
}

impl Library {
    /// Reads the signatures of a package's foreign functions, and the sizes among its constants.
    pub(crate) fn of<'c>(functions: &[Signature], constants: impl IntoIterator<Item = &'c Constant>) -> Library {
        let mut seen: BTreeMap<&TypePath, Seen<'_>> = BTreeMap::new();
        for function in functions {
            let name = &*function.name;
            if let Some(Shape::Pointer { mutable: true, to, .. }) = &function.ret
                && let Shape::Struct { path, .. } = &**to
            {
                let seen = seen.entry(path).or_default();
                // One that it got comes back, as `strcpy` does it.
                match function.params.iter().any(|param| param.shape.pointee().is_some_and(|(_, got)| *got == **to)) {
                    true => seen.hands_back.insert(name),
                    false => seen.makers.insert(name),
                };
            }
            for (index, param) in function.params.iter().enumerate() {
                let Some((mutable, to)) = param.shape.pointee() else { continue };
                let (indirect, path, is_deep) = match to {
                    Shape::Struct { path, hindrance, .. } => (false, path, hindrance.is_some()),
                    Shape::Pointer { mutable: true, to, .. } => match &**to {
                        Shape::Struct { path, hindrance, .. } => (true, path, hindrance.is_some()),
                        _ => continue,
                    },
                    _ => continue,
                };
                let seen = seen.entry(path).or_default();
                seen.is_deep |= is_deep;
                seen.taking.insert(name);
                if function.params.len() == 1 && mutable && !indirect {
                    seen.alone.insert(name);
                }
                let ends = index == 0 && function.params.len() <= 2 && sounds_like_end(name);
                if ends {
                    seen.ends.insert(name);
                } else if indirect && mutable && !is_counted(function, index) {
                    seen.makers.insert(name);
                }
                if index == 0 && mutable && !indirect && sounds_like_init(name) {
                    seen.fills.get_or_insert(name);
                }
                if mutable && !indirect && sounds_like_result(&param.name) {
                    seen.results.insert(name);
                }
                let is_first = function.params[..index].iter().all(|before| !is_object(&before.shape));
                if is_first && mutable && !indirect && !sounds_like_result(&param.name) {
                    seen.workers.insert(name);
                }
            }
        }
        Library {
            #[cfg(test)]
            witnesses: seen.iter().map(|(path, seen)| ((*path).clone(), seen.witnesses())).collect(),
            structs: seen.into_iter().filter_map(|(path, seen)| Some((path.clone(), seen.life()?))).collect(),
            names: names(functions),
            behind: behind(functions),
            ends: ends(functions),
            frees_text: frees_text(functions),
            sizes: Sizes::of(constants),
        }
    }

    /// What hands out objects of this type gives them away, and `end` ends them: that is said.
    pub(crate) fn is_given(&mut self, path: &TypePath, end: &str) {
        self.structs.insert(path.clone(), Life::Given { end: end.to_owned() });
    }

    /// The constant that says how long a buffer among a function's parameters is.
    pub(super) fn size(&self, function: &str, param: &str) -> Option<(&str, u64)> {
        self.sizes.of_param(function, param)
    }

    /// Words for an object that comes out of `function` at `place`, by which it would be ended when Rust is done with it. Nothing
    /// comes of them before the policy has them: names say who owns an object often, and not always.
    pub(crate) fn gift(&self, function: &str, place: &str, object: &Shape) -> Option<String> {
        let end = self.end_of(function, object)?;
        // Where there may be none, failing to make one is no fault.
        let out = if place == "ret" { "" } else { "dir = \"out\", " };
        Some(format!("{{ kind = \"handle\", {out}null = \"ok\", own = \"give\", free = \"{end}\" }}"))
    }

    /// That there are such words, to follow the evidence for a handle.
    pub(super) fn hint(&self, function: &str, object: &Shape) -> String {
        let end = self.end_of(function, object);
        end.map(|end| format!("; likely the caller's own, ended by `{end}`, as is suggested below")).unwrap_or_default()
    }

    fn end_of(&self, function: &str, object: &Shape) -> Option<&str> {
        let (Shape::Opaque(path) | Shape::Struct { path, .. }) = object else { return None };
        self.ends.get(path).filter(|_| sounds_like_maker(function)).map(String::as_str)
    }

    /// The function that by its name frees text which the library gave away.
    pub(super) fn frees_text(&self) -> Option<&str> {
        self.frees_text.as_deref()
    }

    pub(super) fn life(&self, path: &TypePath) -> Option<&Life> {
        self.structs.get(path)
    }

    /// Functions that say where the structs come from of which `is_wanted`, and what makes objects of a name.
    #[cfg(test)]
    pub(crate) fn witnesses(&self, is_wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let structs = self.witnesses.iter().filter(|(path, _)| is_wanted(&path.name));
        let names = self.names.iter().chain(&self.behind).filter(|(name, _)| is_wanted(name));
        structs
            .flat_map(|(_, functions)| functions.clone())
            .chain(names.flat_map(|(_, functions)| functions.clone()))
            .collect()
    }

    /// The function that makes objects of this name for `void *`.
    pub(crate) fn maker_of(&self, ty: &str) -> Option<&str> {
        self.names.get(last_segment(ty)).map(|[maker, _]| &**maker)
    }
}

impl Library {
    /// What a pointer of this type points to, and the function that returns such objects.
    pub(super) fn maker_behind(&self, ty: &str) -> Option<(&str, &str)> {
        let (name, [maker, _]) = self.behind.get_key_value(pointed(ty)?)?;
        Some((name, maker))
    }
}

impl Seen<'_> {
    #[cfg(test)]
    fn witnesses(&self) -> Vec<String> {
        let firsts = self.makers.first().into_iter().chain(self.ends.first()).chain(&self.fills);
        let firsts = firsts.chain(self.results.first()).chain(self.hands_back.first());
        firsts.chain(self.workers.iter().take(WORKERS)).map(|name| (*name).to_owned()).collect()
    }

    fn life(&self) -> Option<Life> {
        let end = || Some((*self.ends.intersection(&self.alone).next()?).to_owned());
        let filler = || self.fills.or(self.results.first().copied()).map(str::to_owned);
        let maker = self.makers.first().or_else(|| {
            let is_list = self.is_deep && self.results.is_empty() && end().is_some();
            self.hands_back.first().filter(|_| is_list)
        });
        match maker {
            // What can be filled in place may lie anywhere.
            Some(maker) if self.fills.is_none() => {
                Some(Life::Made { by: (*maker).to_owned(), end: self.ends.first().map(|end| (*end).to_owned()) })
            }
            _ if self.workers.len() >= WORKERS => {
                Some(Life::Kept { by: self.workers.iter().take(WORKERS).map(|name| (*name).to_owned()).collect() })
            }
            None if self.is_deep => match (filler(), end()) {
                (Some(by), Some(end)) => Some(Life::Filled { by, end }),
                (None, Some(end)) if self.taking.len() == 1 && sounds_like_free(&end) => Some(Life::Ended { end }),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What a function may work on: a pointer to a type with a name.
fn is_object(shape: &Shape) -> bool {
    matches!(shape.pointee(), Some((_, Shape::Struct { .. } | Shape::Opaque(_))))
}

/// `FT_Library`, which is `*mut c_void`: some function takes a `*mut FT_Library`, and others an `FT_Library` first.
fn names(functions: &[Signature]) -> BTreeMap<String, [String; 2]> {
    let is_void = |shape: &Shape| matches!(shape, Shape::Pointer { mutable: true, to, .. } if **to == Shape::Void);
    let taking = |name: &str| {
        let is_it = |param: &Param| is_void(&param.shape) && !param.ty.contains('*') && last_segment(&param.ty) == name;
        functions.iter().find(|function| function.params.first().is_some_and(is_it))
    };
    let mut names = BTreeMap::new();
    for function in functions {
        for param in &function.params {
            let Some(name) = param.ty.trim().strip_prefix("*mut ").filter(|name| !name.contains('*')) else { continue };
            let name = last_segment(name);
            if param.shape.pointee().is_some_and(|(_, to)| is_void(to))
                && let Some(taking) = taking(name)
            {
                names.entry(name.to_owned()).or_insert_with(|| [function.name.clone(), taking.name.clone()]);
            }
        }
    }
    names
}

/// `hoedown_document`, which is `c_void`: some function returns a `*mut hoedown_document`, and others take one first.
fn behind(functions: &[Signature]) -> BTreeMap<String, [String; 2]> {
    let is_unseen = |shape: &Shape| match shape.pointee() {
        Some((_, Shape::Pointer { to, .. })) => **to == Shape::Void,
        Some((_, to)) => *to == Shape::Void,
        None => false,
    };
    let mut names = BTreeMap::new();
    for function in functions.iter().filter(|function| function.ret.as_ref().is_some_and(is_unseen)) {
        let Some(name) = pointed(&function.ret_ty) else { continue };
        let is_it = |param: &Param| is_unseen(&param.shape) && pointed(&param.ty) == Some(name);
        let taking = |function: &&Signature| function.params.first().is_some_and(is_it);
        if let Some(taking) = functions.iter().find(taking) {
            names.entry(name.to_owned()).or_insert_with(|| [function.name.clone(), taking.name.clone()]);
        }
    }
    names
}

/// `Document` of `*mut ffi::Document`; what is called `c_void` has no name of its own.
fn pointed(ty: &str) -> Option<&str> {
    let ty = ty.trim();
    let name = ty.strip_prefix("*mut ").or_else(|| ty.strip_prefix("*const "))?;
    let name = last_segment(name);
    (!name.contains('*') && name != "c_void").then_some(name)
}

fn last_segment(ty: &str) -> &str {
    ty.rsplit(':').next().unwrap_or(ty).trim()
}

/// `(texts, num_texts)`, both to be filled in: several come out.
pub(super) fn is_counted(function: &Signature, index: usize) -> bool {
    let next = function.params.get(index + 1).and_then(|param| param.shape.pointee());
    next.is_some_and(|(mutable, to)| mutable && to.is_int())
}

/// `onig_region_init`, `WebPPictureInit`, `git_odb_init_backend`, and not `initialize`, which is as often said of what is there.
fn sounds_like_init(function: &str) -> bool {
    let function = function.to_lowercase();
    function.match_indices("init").any(|(at, word)| !function[at + word.len()..].starts_with("ial"))
}

/// `out`, `blob_out`, `outBuf`.
pub(super) fn sounds_like_result(name: &str) -> bool {
    let rest = name.strip_prefix("out");
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase())) || name.ends_with("_out")
}

/// The only one for each type.
fn ends(functions: &[Signature]) -> BTreeMap<TypePath, String> {
    let mut ends: BTreeMap<TypePath, Option<&str>> = BTreeMap::new();
    for function in functions.iter().filter(|function| sounds_like_end(&function.name)) {
        if let [object] = &*function.params
            && let Some((_, Shape::Opaque(path) | Shape::Struct { path, .. })) = object.shape.pointee()
        {
            let end = ends.entry(path.clone()).or_insert(Some(&function.name));
            *end = end.filter(|end| *end == function.name);
        }
    }
    ends.into_iter().filter_map(|(path, end)| Some((path, end?.to_owned()))).collect()
}

/// `words_free_string`, or else `words_free` for all memory: the only one.
fn frees_text(functions: &[Signature]) -> Option<String> {
    let only = |to: &Shape| {
        let frees = |function: &&Signature| match &*function.params {
            [memory] => memory.shape.pointee() == Some((true, to)) && sounds_like_end(&function.name),
            _ => false,
        };
        let mut all = functions.iter().filter(frees).map(|function| function.name.clone());
        all.next().filter(|_| all.next().is_none())
    };
    only(&Shape::Char).or_else(|| only(&Shape::Void))
}

/// `ri_reader_new`, `sqlite3_open_v2`, `BrotliDecoderCreateInstance`, and not `renew`.
fn sounds_like_maker(function: &str) -> bool {
    const WORDS: [&str; 9] = ["new", "create", "open", "alloc", "make", "dup", "copy", "clone", "init"];
    words(function).iter().any(|word| WORDS.contains(&&**word))
}

/// `png_get_IHDR`, `WebPAnimDecoderGetNext`: what comes out is what the function is for.
pub(super) fn sounds_like_getter(function: &str) -> bool {
    words(function).iter().any(|word| word == "get")
}

/// `PKCS7_DIGEST_free`, and not `context_cleanup`, which is as often said of what lies with the caller.
fn sounds_like_free(function: &str) -> bool {
    words(function).last().is_some_and(|last| last == "free")
}

/// `git_signature_free`, `FT_Done_Face`, `sqlite3_close`.
pub(super) fn sounds_like_end(function: &str) -> bool {
    const WORDS: [&str; 10] =
        ["free", "destroy", "done", "delete", "close", "release", "unref", "finalize", "cleanup", "dispose"];
    let function = function.to_lowercase();
    WORDS.iter().any(|word| function.contains(word))
}
