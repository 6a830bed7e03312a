//! Resolution of a path, segment by segment, through imports, globs and re-exports.

use super::{Glob, Imported, Names, Position, Target};
use crate::facts::FunctionItem;
use crate::resolve::{Place, last};
use crate::syntax::Edition;
use rustc_hash::FxHashSet as HashSet;
use std::rc::Rc;

/// Longest chain of imports that is followed; each import recurses.
pub(super) const CHAIN: usize = 128;

/// The lookups in progress, innermost last: module, block and name. An import cycle resolves to nothing.
pub(super) type Visited<'p> = Vec<(usize, Option<u32>, &'p str)>;

/// The modules reached through the glob imports of a module, without duplicates and in order of discovery. A linear
/// search suffices for the usual few; the set is for long lists.
#[derive(Default)]
struct Opened {
    list: Vec<usize>,
    set: HashSet<usize>,
}

impl Opened {
    /// Adds a module; returns whether it is new.
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

/// Whether items of enclosing blocks shadow a name further out, by namespace.
#[derive(Default)]
struct Hidden {
    /// In the type namespace: modules and types.
    types: bool,
    /// In the value namespace: functions and statics.
    values: bool,
}

impl Hidden {
    fn hides(&self, target: &Target<'_>) -> bool {
        if target.is_in_type_namespace() { self.types } else { self.values }
    }

    fn is_all(&self) -> bool {
        self.types && self.values
    }

    /// Moves what a block contributes to `targets`, except for targets that an inner block shadows. Then targets that
    /// are certain to exist shadow those further out.
    fn add<'a>(&mut self, found: &mut Vec<(Target<'a>, bool)>, targets: &mut Vec<Target<'a>>) {
        found.retain(|(target, _)| !self.hides(target));
        for (target, certain) in found.drain(..) {
            targets.push(target);
            self.types |= certain && target.is_in_type_namespace();
            self.values |= certain && !target.is_in_type_namespace();
        }
    }
}

impl<'a> Names<'a> {
    pub(super) fn path<'p>(
        &self,
        module: usize,
        position: Position<'_>,
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
                    targets.extend(self.name(self.roots[krate], Position::default(), first, module, visited));
                }
                (targets, rest)
            }
            None => self.first(module, position, path, visited),
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
                    let functions = self.associated(*place, &item.name, segment).into_iter();
                    members.extend(functions.map(|(place, item)| Target::Function(place, item)));
                }
            }
            // A member of an unseen module is unseen, too. A member of an unseen type need not be, since its `impl` may
            // be elsewhere; the uppercase initial tells a type from a module.
            let is_module = !before.starts_with(|first: char| first.is_ascii_uppercase());
            members.extend(targets.iter().find(|target| is_module && matches!(target, Target::Unseen(_))).copied());
            targets = members;
            before = segment;
            rest = after;
        }
        targets
    }

    /// Resolves the first segments of a path; returns the rest of it.
    fn first<'p>(
        &self,
        module: usize,
        position: Position<'_>,
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
                let mut targets = self.name(module, position, segment, module, visited);
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

    /// The functions of a type or trait, in any crate that the file is a module of.
    pub(in crate::resolve) fn associated(
        &self,
        place: Place,
        owner: &str,
        name: &str,
    ) -> Vec<(Place, &'a FunctionItem)> {
        let mut crates: Vec<usize> = self.bases(place).map(|base| self.modules[base].krate).collect();
        crates.dedup();
        let mut found: Vec<(Place, &FunctionItem)> = Vec::new();
        for krate in crates {
            let functions = self.associated.get(&(krate, last(owner))).into_iter().flatten();
            for (place, item) in functions.filter(|(_, item)| item.name == name) {
                if !found.iter().any(|(_, known)| std::ptr::eq(*known, *item)) {
                    found.push((*place, item));
                }
            }
        }
        found
    }

    /// The crate that a name denotes in the extern prelude of another, which includes that crate itself.
    pub(super) fn external(&self, krate: usize, name: &str) -> Vec<Target<'a>> {
        let named = self.externs[krate].get(name).copied();
        let itself = (self.own_names[krate] == name).then_some(krate);
        named.or(itself).map(|krate| Target::Module(self.roots[krate])).into_iter().collect()
    }

    /// Resolves a path segment that follows a module. It is unseen if nothing seen matches, one of the searched modules
    /// has generated items, and none imports the name.
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
        let opened = self.search(module, Position::default(), name, from, visited, targets);
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

    /// Resolves a name in a module, as visible from the module `from`.
    pub(super) fn name<'p>(
        &self,
        module: usize,
        position: Position<'_>,
        name: &'p str,
        from: usize,
        visited: &mut Visited<'p>,
    ) -> Vec<Target<'a>>
    where
        'a: 'p,
    {
        let mut targets = Vec::new();
        self.search(module, position, name, from, visited, &mut targets);
        targets
    }

    /// Resolves a name at a position in a module. Returns the other modules that were searched, those behind globs.
    fn search<'p>(
        &self,
        first: usize,
        position: Position<'_>,
        name: &'p str,
        from: usize,
        visited: &mut Visited<'p>,
        targets: &mut Vec<Target<'a>>,
    ) -> Opened
    where
        'a: 'p,
    {
        let mut hidden = Hidden::default();
        let mut inner = position;
        while let Some(block) = inner.block {
            self.in_block(first, inner, name, visited, &mut hidden, targets);
            inner.block = self.around[block as usize];
        }
        let mut opened = Opened::default();
        if hidden.is_all() {
            return opened;
        }
        let of_blocks = targets.len();
        let mut open = Vec::new();
        let mut next = Some(first);
        while let Some(module) = next {
            let inside = self.is_inside(from, module);
            let reachable = |imported: &Imported<'_>| {
                (!imported.import.visibility.is_empty() || inside) && imported.block.is_none()
            };
            // Items and named imports of a module shadow its glob imports.
            if !self.without_globs(module, name, reachable, visited, targets) {
                for glob in self.modules[module].globs.iter().filter(|glob| reachable(&glob.imported)) {
                    let modules = self.glob(module, glob);
                    let new = modules.iter().filter(|module| **module != first && opened.insert(**module));
                    open.extend(new);
                }
            }
            next = open.pop();
        }
        let of_modules = targets.split_off(of_blocks);
        targets.extend(of_modules.into_iter().filter(|target| !hidden.hides(target)));
        opened
    }

    /// Resolves a name among the items of a position's innermost block, and notes what they shadow further out.
    fn in_block<'p>(
        &self,
        module: usize,
        position: Position<'_>,
        name: &'p str,
        visited: &mut Visited<'p>,
        hidden: &mut Hidden,
        targets: &mut Vec<Target<'a>>,
    ) where
        'a: 'p,
    {
        let Position { block, cfgs } = position;
        let key = (module, block, name);
        if visited.len() > CHAIN || visited.contains(&key) {
            return;
        }
        visited.push(key);
        // An item under a predicate that the code at the position is not under exists in some builds only.
        let is_certain = |of: &[String]| of.iter().all(|cfg| cfgs.contains(cfg));
        let mut found: Vec<(Target<'a>, bool)> = Vec::new();
        if let Some(named) = self.modules[module].names.get(name) {
            for (_, target) in named.items.iter().filter(|(of, _)| *of == block) {
                found.push((*target, is_certain(target.cfgs())));
            }
            for imported in named.imports.iter().filter(|imported| imported.block == block) {
                let targets = self.import(module, *imported, visited);
                found.extend(targets.into_iter().map(|target| (target, is_certain(&imported.import.scope.cfgs))));
            }
        }
        hidden.add(&mut found, targets);
        let globs = self.modules[module].globs.iter().filter(|glob| glob.imported.block == block);
        for glob in globs.filter(|_| !hidden.is_all()) {
            let mut brought = Vec::new();
            for opened in self.glob(module, glob).iter() {
                self.search(*opened, Position::default(), name, module, visited, &mut brought);
            }
            let certain = is_certain(&glob.imported.import.scope.cfgs);
            found.extend(brought.into_iter().map(|target| (target, certain)));
        }
        hidden.add(&mut found, targets);
        visited.pop();
    }

    /// Resolves a name among a module's items and named imports. Returns whether there was any.
    fn without_globs<'p>(
        &self,
        module: usize,
        name: &'p str,
        reachable: impl Fn(&Imported<'a>) -> bool,
        visited: &mut Visited<'p>,
        targets: &mut Vec<Target<'a>>,
    ) -> bool
    where
        'a: 'p,
    {
        let Some(named) = self.modules[module].names.get(name) else { return false };
        let key = (module, None, name);
        if visited.len() > CHAIN || visited.contains(&key) {
            return false;
        }
        visited.push(key);
        let before = targets.len();
        targets.extend(named.items.iter().filter(|(block, _)| block.is_none()).map(|(_, target)| *target));
        targets.extend(named.child.map(Target::Module));
        for imported in named.imports.iter().filter(|imported| reachable(imported)) {
            targets.extend(self.import(module, *imported, visited));
        }
        visited.pop();
        targets.len() > before
    }

    /// The modules that a glob import resolves to.
    pub(super) fn glob(&self, module: usize, glob: &Glob<'a>) -> Rc<[usize]> {
        if let Some(known) = &*glob.opens.borrow() {
            return known.clone();
        }
        glob.opens.replace(Some(Rc::new([])));
        let targets = self.import(module, glob.imported, &mut Visited::default());
        let modules = targets.iter().filter_map(|target| match target {
            Target::Module(module) => Some(*module),
            _ => None,
        });
        let modules: Rc<[usize]> = modules.collect();
        glob.opens.replace(Some(modules.clone()));
        modules
    }

    fn import<'p>(&self, module: usize, imported: Imported<'a>, visited: &mut Visited<'p>) -> Vec<Target<'a>>
    where
        'a: 'p,
    {
        let Imported { block, import } = imported;
        let krate = self.modules[module].krate;
        // In the 2015 edition the paths of `use` start at the crate root.
        let old = self.editions[krate] == Edition::E2015;
        let start = if old && !import.path.starts_with("self") && !import.path.starts_with("super") {
            self.roots[krate]
        } else {
            module
        };
        self.path(start, Position { block, cfgs: &import.scope.cfgs }, &import.path, visited)
    }

    pub(super) fn is_inside(&self, module: usize, ancestor: usize) -> bool {
        std::iter::successors(Some(module), |module| self.modules[*module].parent).any(|module| module == ancestor)
    }
}

/// The first segment of a path, and the rest.
fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once("::") {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    }
}
