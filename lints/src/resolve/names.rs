//! The modules of a graph and what each name in them means.

use super::{Crate, Place};
use crate::facts::{ForeignItem, FunctionItem, Import, TypeItem, UnsafeKind};
use crate::syntax::Edition;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::cell::RefCell;
use std::rc::Rc;

/// What a path leads to.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    Module(usize),
    Foreign(Place, &'a ForeignItem),
    Type(Place, &'a TypeItem),
    /// A function with a body: it hides what a glob import would bring.
    Function(Place, &'a FunctionItem),
    StaticMut,
    /// Something of a crate that only its build script could tell: of a module that holds an `include!` of what that writes,
    /// and goes by a name that nothing seen has there.
    Unseen(usize),
}

pub(super) struct Names<'a> {
    editions: Vec<Edition>,
    own_names: Vec<&'a str>,
    externs: Vec<HashMap<&'a str, usize>>,
    roots: Vec<usize>,
    modules: Vec<Module<'a>>,
    /// The module that each file is, by crate.
    files: Vec<Vec<usize>>,
    /// Functions of types and traits: by crate and the type's name alone, wherever their `impl`s stand.
    associated: HashMap<(usize, &'a str), Vec<(Place, &'a FunctionItem)>>,
}

struct Module<'a> {
    krate: usize,
    parent: Option<usize>,
    names: HashMap<&'a str, Named<'a>>,
    globs: Vec<Glob<'a>>,
    /// Items of it are written by a build script and were not seen.
    unseen: bool,
}

/// What goes by one name in a module.
#[derive(Default)]
struct Named<'a> {
    child: Option<usize>,
    /// Declarations, each with the function that alone can name it.
    items: Vec<(Option<&'a str>, Target<'a>)>,
    imports: Vec<&'a Import>,
}

struct Glob<'a> {
    import: &'a Import,
    /// The modules that it opens. Empty while that is being found out: a glob that leads back to itself opens nothing. Kept,
    /// because globs that import one another make the ways through them too many to walk again each time.
    opens: RefCell<Option<Rc<[usize]>>>,
}

/// Longest chain of imports followed; each takes stack.
const CHAIN: usize = 128;

/// Names being looked up, the innermost last: an import that leads back to itself means nothing.
type Visited<'p> = Vec<(usize, &'p str)>;

/// Modules behind the globs of a module, each once, in the order in which they were found. There are few most of the time.
#[derive(Default)]
struct Opened {
    list: Vec<usize>,
    set: HashSet<usize>,
}

impl Opened {
    /// Adds a module, unless it is there.
    fn insert(&mut self, module: usize) -> bool {
        const FEW: usize = 32;
        if self.list.len() < FEW {
            let new = !self.list.contains(&module);
            self.list.extend(new.then_some(module));
            return new;
        }
        if self.set.is_empty() {
            self.set.extend(&self.list);
        }
        let new = self.set.insert(module);
        self.list.extend(new.then_some(module));
        new
    }
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
            associated: HashMap::default(),
        };
        for (krate, of_crate) in crates.iter().enumerate() {
            let root = names.modules.len();
            names.modules.push(Module::new(krate, None));
            names.roots.push(root);
            let files = of_crate.files.iter().enumerate();
            let files =
                files.map(|(file, of_file)| names.read(of_crate, Place { krate, file }, of_file.module)).collect();
            names.files.push(files);
        }
        names
    }

    /// Takes over what a file declares. Returns the module that it is.
    fn read(&mut self, krate: &Crate<'a>, place: Place, path: &'a [String]) -> usize {
        let facts = krate.files[place.file].facts;
        let base = self.module(self.roots[place.krate], path);
        for declaration in facts.modules.iter().filter(|declaration| declaration.inline) {
            let parent = self.module(base, &declaration.parents);
            self.module(parent, std::slice::from_ref(&declaration.name));
        }
        for item in &facts.foreign {
            let module = self.module(base, &item.scope.modules);
            self.declare(module, &item.name, item.scope.function.as_deref(), Target::Foreign(place, item));
        }
        for item in &facts.types {
            let module = self.module(base, &item.modules);
            self.declare(module, &item.name, None, Target::Type(place, item));
        }
        for item in &facts.functions {
            if let Some(owner) = &item.owner {
                self.associated.entry((place.krate, super::last(owner))).or_default().push((place, item));
                continue;
            }
            let module = self.module(base, &item.scope.modules);
            self.declare(module, &item.name, item.scope.function.as_deref(), Target::Function(place, item));
        }
        for fact in facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::StaticMut) {
            if let Some(name) = &fact.name {
                let module = self.module(base, &fact.scope.modules);
                self.declare(module, name, fact.scope.function.as_deref(), Target::StaticMut);
            }
        }
        for included in facts.unexpanded.iter().filter(|call| call.is_generated()) {
            if krate.files[place.file].may_hold(&included.scope.cfgs) {
                let module = self.module(base, &included.scope.modules);
                self.modules[module].unseen = true;
            }
        }
        for import in &facts.imports {
            let module = self.module(base, &import.modules);
            let module = &mut self.modules[module];
            match &import.name {
                Some(name) => {
                    let imports = &mut module.names.entry(name).or_default().imports;
                    imports.reserve_exact(usize::from(imports.is_empty()));
                    imports.push(import);
                }
                None => module.globs.push(Glob { import, opens: RefCell::default() }),
            }
        }
        base
    }

    /// The module at a path below another, made if it is new.
    fn module(&mut self, base: usize, path: &'a [String]) -> usize {
        path.iter().fold(base, |parent, name| {
            let new = self.modules.len();
            let child = *self.modules[parent].names.entry(name).or_default().child.get_or_insert(new);
            if child == new {
                self.modules.push(Module::new(self.modules[parent].krate, Some(parent)));
            }
            child
        })
    }

    fn declare(&mut self, module: usize, name: &'a str, function: Option<&'a str>, target: Target<'a>) {
        let items = &mut self.modules[module].names.entry(name).or_default().items;
        // Nearly every name is declared once, and there are tens of thousands: no room for three more each.
        items.reserve_exact(usize::from(items.is_empty()));
        items.push((function, target));
    }

    /// The module that inline modules of a file stand for.
    pub(super) fn within(&self, place: Place, modules: &[String]) -> Option<usize> {
        self.below(self.files[place.krate][place.file], modules)
    }

    /// The module at a path within a crate.
    pub(super) fn find(&self, krate: usize, module: &[String]) -> Option<usize> {
        self.below(self.roots[krate], module)
    }

    fn below(&self, module: usize, path: &[String]) -> Option<usize> {
        path.iter().try_fold(module, |module, name| self.modules[module].names.get(name.as_str())?.child)
    }

    /// What a path means to code in a function of a module, as far as it was seen.
    pub(super) fn resolve(&self, module: Option<usize>, function: Option<&str>, path: &str) -> Vec<Target<'a>> {
        let mut targets = module.map_or_else(Vec::new, |start| self.lookup(start, function, path));
        targets.retain(|target| !matches!(target, Target::Unseen(_)));
        targets
    }

    /// The crate whose build script writes what a path means to code in a function of a module, if nothing that was seen is
    /// meant.
    pub(super) fn unseen(&self, module: usize, function: Option<&str>, path: &str) -> Option<usize> {
        let targets = self.lookup(module, function, path);
        match targets.first()? {
            Target::Unseen(krate) if targets.iter().all(|target| matches!(target, Target::Unseen(_))) => Some(*krate),
            _ => None,
        }
    }

    /// Whether a module holds items that a build script writes, and nothing that was seen goes by a name there.
    pub(super) fn may_include(&self, module: usize, function: Option<&str>, name: &str) -> bool {
        let of_module = &self.modules[module];
        of_module.unseen && of_module.imports(name).is_empty() && self.lookup(module, function, name).is_empty()
    }

    /// The crates with modules whose items a build script writes.
    pub(super) fn unseen_crates(&self) -> HashSet<usize> {
        self.modules.iter().filter(|module| module.unseen).map(|module| module.krate).collect()
    }

    fn lookup(&self, start: usize, function: Option<&str>, path: &str) -> Vec<Target<'a>> {
        self.path(start, function, path, &mut Visited::default())
    }

    /// The path of the import that brings a name into a module.
    pub(super) fn imported(&self, module: usize, name: &str) -> Option<&'a str> {
        self.modules[module].imports(name).first().map(|import| import.path.as_str())
    }

    /// The crate that defines a macro, and the macro's name there: what imports and re-exports lead to. Macros are no items
    /// of modules here, so a path ends at the crate root that it leads into.
    pub(super) fn macro_origin<'p>(&self, module: usize, path: &'p str) -> Option<(usize, &'p str)>
    where
        'a: 'p,
    {
        let (mut start, mut path) = (module, path);
        for _ in 0..CHAIN {
            let (inside, name) = match path.rsplit_once("::") {
                Some(("", name)) => (vec![start], name),
                Some((prefix, name)) => {
                    let targets = self.path(start, None, prefix, &mut Visited::default());
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
                Some((module, import)) => (start, path) = (module, import.path.as_str()),
                None => {
                    let root =
                        globbed.iter().find(|module| is_root(module) && (path.contains("::") || inside != globbed));
                    return root.map(|module| (self.modules[*module].krate, name));
                }
            }
        }
        None
    }

    fn path<'p>(
        &self,
        module: usize,
        function: Option<&str>,
        path: &'p str,
        visited: &mut Visited<'p>,
    ) -> Vec<Target<'a>>
    where
        'a: 'p,
    {
        let krate = self.modules[module].krate;
        let (mut targets, rest) = match path.strip_prefix("::") {
            Some(path) => {
                let (first, rest) = split(path);
                let mut targets = self.external(krate, first);
                if self.editions[krate] == Edition::E2015 {
                    targets.extend(self.name(self.roots[krate], None, first, module, visited));
                }
                (targets, rest)
            }
            None => self.first(module, function, path, visited),
        };
        let (mut rest, mut before) = (rest, "");
        while let Some(path) = rest.filter(|_| !targets.is_empty()) {
            let (segment, after) = split(path);
            let mut members = Vec::new();
            for target in &targets {
                if let Target::Module(inside) = target {
                    self.member(*inside, segment, module, visited, &mut members);
                }
            }
            for target in &targets {
                if let Target::Type(place, item) = target {
                    let functions = self.associated(place.krate, &item.name, segment).into_iter();
                    members.extend(functions.map(|(place, item)| Target::Function(place, item)));
                }
            }
            // What is in a module that nobody saw, nobody saw either; what a type or trait has may come from elsewhere.
            let is_module = !before.starts_with(|first: char| first.is_ascii_uppercase());
            members.extend(targets.iter().find(|target| is_module && matches!(target, Target::Unseen(_))).copied());
            targets = members;
            before = segment;
            rest = after;
        }
        targets
    }

    /// What the first segments mean, and what is left of the path.
    fn first<'p>(
        &self,
        module: usize,
        function: Option<&str>,
        path: &'p str,
        visited: &mut Visited<'p>,
    ) -> (Vec<Target<'a>>, Option<&'p str>)
    where
        'a: 'p,
    {
        let (mut segment, mut rest) = split(path);
        let mut start = match segment {
            "crate" => return (vec![Target::Module(self.roots[self.modules[module].krate])], rest),
            "self" | "super" => module,
            _ => {
                let mut targets = self.name(module, function, segment, module, visited);
                if targets.is_empty() {
                    targets = self.external(self.modules[module].krate, segment);
                }
                return (targets, rest);
            }
        };
        loop {
            if segment == "super" {
                match self.modules[start].parent {
                    Some(parent) => start = parent,
                    None => return (Vec::new(), None),
                }
            }
            match rest.map(split) {
                Some((next @ "super", after)) => (segment, rest) = (next, after),
                _ => return (vec![Target::Module(start)], rest),
            }
        }
    }

    /// Functions of a type or trait of a crate.
    pub(super) fn associated(&self, krate: usize, owner: &str, name: &str) -> Vec<(Place, &'a FunctionItem)> {
        let functions = self.associated.get(&(krate, super::last(owner))).into_iter().flatten();
        functions.filter(|(_, item)| item.name == name).copied().collect()
    }

    /// A crate that code of this one can name, itself included.
    fn external(&self, krate: usize, name: &str) -> Vec<Target<'a>> {
        let named = self.externs[krate].get(name).copied();
        let itself = (self.own_names[krate] == name).then_some(krate);
        named.or(itself).map(|krate| Target::Module(self.roots[krate])).into_iter().collect()
    }

    /// What a name behind the path of a module means.
    fn member<'p>(
        &self,
        module: usize,
        name: &'p str,
        from: usize,
        visited: &mut Visited<'p>,
        targets: &mut Vec<Target<'a>>,
    ) where
        'a: 'p,
    {
        let before = targets.len();
        let opened = self.search(module, None, name, from, visited, targets);
        if targets.len() == before {
            let mut opened = [module].into_iter().chain(opened.list);
            let unseen = opened.clone().find(|module| self.modules[*module].unseen);
            if let Some(unseen) = unseen
                && opened.all(|module| self.modules[module].imports(name).is_empty())
            {
                targets.push(Target::Unseen(self.modules[unseen].krate));
            }
        }
    }

    /// What a name means in a module, for code in the module `from`.
    fn name<'p>(
        &self,
        module: usize,
        function: Option<&str>,
        name: &'p str,
        from: usize,
        visited: &mut Visited<'p>,
    ) -> Vec<Target<'a>>
    where
        'a: 'p,
    {
        let mut targets = Vec::new();
        self.search(module, function, name, from, visited, &mut targets);
        targets
    }

    /// Finds what a name means in a module. Returns the other modules that it was looked for in.
    fn search<'p>(
        &self,
        first: usize,
        function: Option<&str>,
        name: &'p str,
        from: usize,
        visited: &mut Visited<'p>,
        targets: &mut Vec<Target<'a>>,
    ) -> Opened
    where
        'a: 'p,
    {
        let mut opened = Opened::default();
        let mut open = Vec::new();
        let mut next = Some((first, function));
        while let Some((module, function)) = next {
            let inside = self.is_inside(from, module);
            let reachable =
                |import: &Import| (import.public || inside) && visible(import.function.as_deref(), function);
            // What a module declares or imports by name hides what its globs bring.
            if !self.without_globs(module, function, name, reachable, visited, targets) {
                for glob in self.modules[module].globs.iter().filter(|glob| reachable(glob.import)) {
                    let modules = self.glob(module, glob);
                    let new = modules.iter().filter(|module| **module != first && opened.insert(**module));
                    open.extend(new.map(|module| (*module, None)));
                }
            }
            next = open.pop();
        }
        opened
    }

    /// Returns whether anything was found.
    fn without_globs<'p>(
        &self,
        module: usize,
        function: Option<&str>,
        name: &'p str,
        reachable: impl Fn(&Import) -> bool,
        visited: &mut Visited<'p>,
        targets: &mut Vec<Target<'a>>,
    ) -> bool
    where
        'a: 'p,
    {
        let Some(named) = self.modules[module].names.get(name) else { return false };
        if visited.len() > CHAIN || visited.contains(&(module, name)) {
            return false;
        }
        visited.push((module, name));
        let before = targets.len();
        let items = named.items.iter();
        targets.extend(items.filter(|(only, _)| visible(*only, function)).map(|(_, target)| *target));
        targets.extend(named.child.map(Target::Module));
        for import in named.imports.iter().filter(|import| reachable(import)) {
            targets.extend(self.import(module, import, visited));
        }
        visited.pop();
        targets.len() > before
    }

    /// The modules that a glob import opens.
    fn glob(&self, module: usize, glob: &Glob<'a>) -> Rc<[usize]> {
        if let Some(known) = &*glob.opens.borrow() {
            return known.clone();
        }
        glob.opens.replace(Some(Rc::new([])));
        let targets = self.import(module, glob.import, &mut Visited::default());
        let modules = targets.iter().filter_map(|target| match target {
            Target::Module(module) => Some(*module),
            _ => None,
        });
        let modules: Rc<[usize]> = modules.collect();
        glob.opens.replace(Some(modules.clone()));
        modules
    }

    fn import<'p>(&self, module: usize, import: &'a Import, visited: &mut Visited<'p>) -> Vec<Target<'a>>
    where
        'a: 'p,
    {
        let krate = self.modules[module].krate;
        // Before 2018 the paths of `use` start at the crate root.
        let old = self.editions[krate] == Edition::E2015;
        let start = if old && !import.path.starts_with("self") && !import.path.starts_with("super") {
            self.roots[krate]
        } else {
            module
        };
        self.path(start, import.function.as_deref(), &import.path, visited)
    }

    fn is_inside(&self, module: usize, ancestor: usize) -> bool {
        std::iter::successors(Some(module), |module| self.modules[*module].parent).any(|module| module == ancestor)
    }
}

impl<'a> Module<'a> {
    fn new(krate: usize, parent: Option<usize>) -> Self {
        Module { krate, parent, names: HashMap::default(), globs: Vec::new(), unseen: false }
    }

    fn imports(&self, name: &str) -> &[&'a Import] {
        self.names.get(name).map_or(&[], |named| &named.imports)
    }
}

/// Whether something declared in the body of a function can be named from another function.
fn visible(only: Option<&str>, function: Option<&str>) -> bool {
    match (only, function) {
        (None, _) => true,
        (Some(only), Some(function)) => {
            function.strip_prefix(only).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        }
        (Some(_), None) => false,
    }
}

/// The first segment of a path, and the rest.
fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once("::") {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    }
}
