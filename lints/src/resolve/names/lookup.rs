//! What a path means, step by step: through imports, globs and re-exports.

use super::{Glob, Names, Target};
use crate::facts::{FunctionItem, Import};
use crate::resolve::{Place, last};
use crate::syntax::Edition;
use rustc_hash::FxHashSet as HashSet;
use std::rc::Rc;

/// Longest chain of imports followed; each takes stack.
pub(super) const CHAIN: usize = 128;

/// Names being looked up, the innermost last: an import that leads back to itself means nothing.
pub(super) type Visited<'p> = Vec<(usize, &'p str)>;

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
    pub(super) fn path<'p>(
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
                    let functions = self.associated(*place, &item.name, segment).into_iter();
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

    /// Functions of a type or trait that a file of a crate has or names.
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

    /// A crate that code of this one can name, itself included.
    pub(super) fn external(&self, krate: usize, name: &str) -> Vec<Target<'a>> {
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
    pub(super) fn name<'p>(
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
    pub(super) fn glob(&self, module: usize, glob: &Glob<'a>) -> Rc<[usize]> {
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

    pub(super) fn is_inside(&self, module: usize, ancestor: usize) -> bool {
        std::iter::successors(Some(module), |module| self.modules[*module].parent).any(|module| module == ancestor)
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
