//! The modules of a graph, and what each name in them resolves to.

mod lookup;
mod read;

use super::{Crate, Place};
use crate::facts::{Block, FileFacts, ForeignItem, FunctionItem, Import, TypeItem};
use crate::syntax::Edition;
use lookup::{CHAIN, Visited};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::cell::RefCell;
use std::rc::Rc;

/// What a path resolves to.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    Module(usize),
    Foreign(Place, &'a ForeignItem),
    Type(Place, &'a TypeItem),
    /// A function with a body, which shadows items that a glob import would bring into scope.
    Function(Place, &'a FunctionItem),
    StaticMut,
    /// An item that only the build script of this crate could tell: nothing seen declares the name, in a module that
    /// `include!`s the output of the build script.
    Unseen(usize),
}

impl Target<'_> {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Target::Module(one), Target::Module(other)) | (Target::Unseen(one), Target::Unseen(other)) => one == other,
            (Target::Foreign(_, one), Target::Foreign(_, other)) => std::ptr::eq(*one, *other),
            (Target::Type(_, one), Target::Type(_, other)) => std::ptr::eq(*one, *other),
            (Target::Function(_, one), Target::Function(_, other)) => std::ptr::eq(*one, *other),
            (Target::StaticMut, Target::StaticMut) => true,
            _ => false,
        }
    }
}

impl Target<'_> {
    /// Whether it is in the type namespace (modules and types) rather than the value namespace. The two may contain the
    /// same name.
    fn is_in_type_namespace(&self) -> bool {
        matches!(self, Target::Module(_) | Target::Type(..))
    }

    /// The `cfg` predicates on it.
    fn cfgs(&self) -> &[String] {
        match self {
            Target::Foreign(_, item) => &item.scope.cfgs,
            Target::Function(_, item) => &item.scope.cfgs,
            _ => &[],
        }
    }
}

/// A position in the source code, which decides what names are in scope.
#[derive(Clone, Copy, Default)]
pub(super) struct Position<'s> {
    /// The innermost enclosing block that contains items.
    block: Option<u32>,
    /// The `cfg` predicates on the code there.
    cfgs: &'s [String],
}

pub(super) struct Names<'a> {
    editions: Vec<Edition>,
    own_names: Vec<&'a str>,
    externs: Vec<HashMap<&'a str, usize>>,
    roots: Vec<usize>,
    modules: Vec<Module<'a>>,
    /// The module of each file, by crate.
    files: Vec<Vec<usize>>,
    /// Blocks are numbered across the whole graph: the number of each file's first block, by crate.
    blocks: Vec<Vec<u32>>,
    /// The enclosing block of each block.
    around: Vec<Option<u32>>,
    /// Further modules that a file is loaded as.
    also: HashMap<Place, Vec<usize>>,
    /// Associated functions, by crate and the last segment of the type's or trait's name. The module of the `impl` does
    /// not matter.
    associated: HashMap<(usize, &'a str), Vec<(Place, &'a FunctionItem)>>,
}

struct Module<'a> {
    krate: usize,
    parent: Option<usize>,
    names: HashMap<&'a str, Named<'a>>,
    globs: Vec<Glob<'a>>,
    /// Whether it has items that a build script writes and that were not seen.
    unseen: bool,
}

/// Everything of one name in a module.
#[derive(Default)]
struct Named<'a> {
    child: Option<usize>,
    /// Declarations, each with the block that limits its scope.
    items: Vec<(Option<u32>, Target<'a>)>,
    imports: Vec<Imported<'a>>,
}

#[derive(Clone, Copy)]
struct Imported<'a> {
    /// The block that limits its scope.
    block: Option<u32>,
    import: &'a Import,
}

struct Glob<'a> {
    imported: Imported<'a>,
    /// The modules that the glob resolves to, computed once: modules that glob-import each other have too many paths
    /// between them to walk for each lookup. Empty during the computation, so that a cyclic import contributes nothing.
    opens: RefCell<Option<Rc<[usize]>>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(crates: &[Crate<'a>]) -> Names<'a> {
        let mut names = Names {
            editions: crates.iter().map(|krate| krate.edition).collect(),
            own_names: crates.iter().map(|krate| krate.name).collect(),
            externs: crates.iter().map(|krate| krate.externs.iter().map(|(name, of)| (*name, *of)).collect()).collect(),
            roots: Vec::new(),
            modules: Vec::new(),
            files: Vec::new(),
            blocks: Vec::new(),
            around: Vec::new(),
            also: HashMap::default(),
            associated: HashMap::default(),
        };
        for krate in 0..crates.len() {
            names.roots.push(names.modules.len());
            names.modules.push(Module::new(krate, None));
        }
        for of_crate in crates {
            let first = of_crate.facts().map(|facts| names.number(&facts.blocks)).collect();
            names.blocks.push(first);
        }
        for (krate, of_crate) in crates.iter().enumerate() {
            let files = of_crate.files.iter().enumerate();
            let files = files.map(|(file, of_file)| names.read(of_file, Place { krate, file }, krate, of_file.module));
            let files = files.collect();
            names.files.push(files);
        }
        for (krate, of_crate) in crates.iter().enumerate() {
            for (file, of_file) in of_crate.files.iter().enumerate().filter(|(_, file)| !file.also.is_empty()) {
                let place = Place { krate, file };
                let mounts = of_file.also.iter();
                let also = mounts.map(|mount| names.read(of_file, place, mount.krate, mount.module)).collect();
                names.also.insert(place, also);
            }
        }
        names
    }

    /// Assigns numbers to the blocks of a file, and returns the first.
    fn number(&mut self, blocks: &[Block]) -> u32 {
        let first = self.around.len() as u32;
        self.around.extend(blocks.iter().map(|block| block.around.map(|around| first + around)));
        first
    }

    /// The innermost item-bearing block around a byte of a file.
    fn block(&self, place: Place, facts: &FileFacts, at: u32) -> Option<u32> {
        let first = self.blocks[place.krate][place.file];
        facts.blocks_around(at).next().map(|block| first + block)
    }

    /// The position of a byte of a file, for code under these predicates.
    pub(super) fn position<'s>(&self, place: Place, facts: &FileFacts, at: u32, cfgs: &'s [String]) -> Position<'s> {
        Position { block: self.block(place, facts, at), cfgs }
    }

    /// The modules that a path of inline modules in a file leads to: one for each module that the file is loaded as.
    pub(super) fn within(&self, place: Place, modules: &[String]) -> impl Iterator<Item = usize> {
        self.bases(place).filter_map(|base| self.below(base, modules))
    }

    /// The modules that a file is loaded as.
    fn bases(&self, place: Place) -> impl Iterator<Item = usize> {
        let also = self.also.get(&place).into_iter().flatten().copied();
        [self.files[place.krate][place.file]].into_iter().chain(also)
    }

    /// The module at a path within a crate.
    pub(super) fn find(&self, krate: usize, module: &[String]) -> Option<usize> {
        self.below(self.roots[krate], module)
    }

    fn below(&self, module: usize, path: &[String]) -> Option<usize> {
        path.iter().try_fold(module, |module, name| self.modules[module].names.get(name.as_str())?.child)
    }

    /// The seen declarations that a path resolves to at a position, in each of several modules.
    pub(super) fn resolve(
        &self,
        modules: impl Iterator<Item = usize>,
        position: Position<'_>,
        path: &str,
    ) -> Vec<Target<'a>> {
        let mut targets: Vec<Target<'a>> = Vec::new();
        for (index, start) in modules.enumerate() {
            let mut found = self.lookup(start, position, path);
            found.retain(|target| !matches!(target, Target::Unseen(_)));
            // A declaration that several modules lead to is one target.
            found.retain(|target| index == 0 || !targets.iter().any(|known| known.is(target)));
            targets.extend(found);
        }
        targets
    }

    /// The crate whose build script writes the item that a path names at a position in a module; `None` if the path may
    /// resolve to something seen.
    pub(super) fn unseen(&self, module: usize, position: Position<'_>, path: &str) -> Option<usize> {
        let targets = self.lookup(module, position, path);
        match targets.first()? {
            Target::Unseen(krate) if targets.iter().all(|target| matches!(target, Target::Unseen(_))) => Some(*krate),
            _ => None,
        }
    }

    /// Whether a module has items that a build script writes, and no seen item of this name is in scope there.
    pub(super) fn may_include(&self, module: usize, position: Position<'_>, name: &str) -> bool {
        let of_module = &self.modules[module];
        of_module.unseen && of_module.imports(name).is_empty() && self.lookup(module, position, name).is_empty()
    }

    /// The crates that have modules with generated items.
    pub(super) fn unseen_crates(&self) -> HashSet<usize> {
        self.modules.iter().filter(|module| module.unseen).map(|module| module.krate).collect()
    }

    fn lookup(&self, start: usize, position: Position<'_>, path: &str) -> Vec<Target<'a>> {
        self.path(start, position, path, &mut Visited::default())
    }

    /// The path of the import that brings a name into a module's scope.
    pub(super) fn imported(&self, module: usize, name: &str) -> Option<&'a str> {
        self.modules[module].imports(name).first().map(|imported| imported.import.path.as_str())
    }

    /// The crate that defines a macro and the macro's name there, found by following imports and re-exports. The module
    /// tables do not contain macros, so a path ends at the root of the crate that it leads into.
    pub(super) fn macro_origin<'p>(&self, module: usize, path: &'p str) -> Option<(usize, &'p str)>
    where
        'a: 'p,
    {
        let (mut start, mut path) = (module, path);
        for _ in 0..CHAIN {
            let (inside, name) = match path.rsplit_once("::") {
                Some(("", name)) => (vec![start], name),
                Some((prefix, name)) => {
                    let targets = self.path(start, Position::default(), prefix, &mut Visited::default());
                    let modules = targets.into_iter().filter_map(|target| match target {
                        Target::Module(module) => Some(module),
                        _ => None,
                    });
                    (modules.collect(), name)
                }
                None => (vec![start], path),
            };
            let is_root = |module: &usize| self.roots[self.modules[*module].krate] == *module;
            let mut globbed = inside.clone();
            for module in &inside {
                for glob in &self.modules[*module].globs {
                    globbed.extend_from_slice(&self.glob(*module, glob));
                }
            }
            let import =
                globbed.iter().find_map(|module| Some((*module, self.modules[*module].imports(name).first()?)));
            match import {
                Some((module, imported)) => (start, path) = (module, imported.import.path.as_str()),
                None => {
                    let root =
                        globbed.iter().find(|module| is_root(module) && (path.contains("::") || inside != globbed));
                    return root.map(|module| (self.modules[*module].krate, name));
                }
            }
        }
        None
    }
}

impl<'a> Module<'a> {
    fn new(krate: usize, parent: Option<usize>) -> Self {
        Module { krate, parent, names: HashMap::default(), globs: Vec::new(), unseen: false }
    }

    fn imports(&self, name: &str) -> &[Imported<'a>] {
        self.names.get(name).map_or(&[], |named| &named.imports)
    }
}
