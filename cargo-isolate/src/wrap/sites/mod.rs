//! Direct calls of isolated functions → calls of their wrappers, wherever that is mechanical; the rest is told with what to
//! write instead.
//!
//! ```text
//! bypasses ─► finder (the call in its file) ─► argument, locals (which slice, which length) ─► call (edits) ─► the file's text
//! ```
//!
//! Only text between two tokens of a call changes, so comments and layout stay; where the file was as `rustfmt` has it, it is so
//! again. What is written is safe code: a mistake here
//! does not compile, or ends in a panic at an index, and never reads or writes what it should not.

mod argument;
mod call;
mod failure;
mod fault;
mod finder;
mod held;
mod holds;
mod leftovers;
mod locals;
mod macros;
mod rustfmt;
mod source;
mod unsafe_blocks;

use super::{Target, function};
use crate::{
    bypass::{Bypass, bypasses},
    contract::{Contract, Hold, object::Life, shape::Shape},
    graph::{Graph, Package, Role, SourceFile},
    names::Names,
    plan::{DomainPlan, FunctionPlan, Plan, RetPlan},
    rust,
};
use call::{Left, Ready, Wrapper, all_of};
use camino::{Utf8Path, Utf8PathBuf};
use fault::Takes;
use finder::Found;
use held::Held;
pub(super) use source::blanked;
use source::{Source, place};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
};

/// What was made of the members' direct calls.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    /// Files with calls that were rewritten, by package: path and new text.
    pub(crate) files: BTreeMap<usize, BTreeMap<Utf8PathBuf, String>>,
    pub(crate) rewritten: Vec<Rewritten>,
    pub(crate) left: Vec<ToDo>,
}

/// A call that goes through its wrapper now. Places are those of the old text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) path: Utf8PathBuf,
    pub(crate) line: u32,
    pub(crate) symbol: String,
    /// A fault ends in a panic there; otherwise it is returned by `?`, but for what comes next.
    pub(crate) panics: bool,
    /// It ends an object in `drop`: a fault ends that, too, and nobody is told of it.
    pub(crate) ends_in_drop: bool,
}

/// A call that a person must rewrite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToDo {
    pub(crate) site: Bypass,
    pub(crate) why: String,
    /// The wrapper's signature, if it has one.
    pub(crate) wrapper: Option<String>,
    /// The call to write, with comments for what is not known.
    pub(crate) suggestion: Option<String>,
}

/// Rewrites the members' calls, except those in tests: there, a direct call is something to compare with.
pub(crate) fn sites(graph: &Graph, plan: &Plan, targets: &[Target]) -> Sites {
    sites_in(graph, plan, targets, &|file| fs::read_to_string(&file.path))
}

fn sites_in(graph: &Graph, plan: &Plan, targets: &[Target], read: Read<'_>) -> Sites {
    let directories: Vec<_> = targets.iter().map(Target::directory).collect();
    let files = graph.packages.iter().flat_map(|package| &package.files).map(|file| &*file.path);
    let wrappers = files.filter(|path| directories.iter().any(|directory| path.starts_with(directory))).collect();
    let members: BTreeSet<_> = graph.packages.iter().filter(|package| package.member).map(Package::id).collect();
    let mut by_file: BTreeMap<Utf8PathBuf, Vec<Bypass>> = BTreeMap::new();
    for site in bypasses(&Names::new(graph), plan, &wrappers) {
        if !site.test && members.contains(&site.package) {
            by_file.entry(site.path.clone()).or_default().push(site);
        }
    }
    let wrappers = Wrappers::new(graph, plan, targets);
    let mut sites = Sites::default();
    for (path, calls) in by_file {
        in_file(graph, &wrappers, &path, calls, read, true, &mut sites);
    }
    sites
}

/// Gives a file's text as it lies on disk, which is not always what was scanned: line ends are kept.
type Read<'r> = &'r dyn Fn(&SourceFile) -> io::Result<String>;

/// Every wrapper, by the symbol that it wraps.
struct Wrappers<'p> {
    graph: &'p Graph,
    by_symbol: BTreeMap<&'p str, (Wrapper<'p>, &'p Target)>,
    /// Functions without one, by symbol: the wrappers that free with them what they have copied.
    inner: BTreeMap<&'p str, BTreeSet<&'p str>>,
}

impl<'p> Wrappers<'p> {
    fn new(graph: &'p Graph, plan: &'p Plan, targets: &'p [Target]) -> Self {
        let mut by_symbol = BTreeMap::new();
        let mut inner: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for target in targets {
            for domain in plan.domains.iter().filter(|domain| target.domains.contains(&domain.name)) {
                for function in target.functions(domain).filter(|function| function.is_inner()) {
                    let callers = super::wrapped(domain, target).filter(|other| other.frees_by(&function.name));
                    inner.entry(function.symbol()).or_default().extend(callers.map(FunctionPlan::wrapper));
                }
                let mut names = super::names::Names::new(target, domain);
                for function in super::wrapped(domain, target) {
                    let function::Signature { params, ret, error, origins } =
                        function::View::new(function, &mut names).signature();
                    let path = format!("isolated::{}::{}", domain.name, function.wrapper());
                    let symbol = function.symbol();
                    // A function's own wrapper before those of its forms.
                    if function.form.is_none() || !by_symbol.contains_key(symbol) {
                        let makers = function.params.iter().map(|param| makers(domain, target, &param.shape)).collect();
                        by_symbol
                            .insert(symbol, (Wrapper { function, path, params, ret, error, origins, makers }, target));
                    }
                }
            }
        }
        Self { graph, by_symbol, inner }
    }
}

/// The functions of a domain whose wrappers return an object that others take by a parameter of this shape.
fn makers<'p>(domain: &'p DomainPlan, target: &Target, shape: &Shape) -> Vec<&'p str> {
    fn object(shape: &Shape) -> &Shape {
        shape.pointee().map_or(shape, |(_, to)| object(to))
    }
    let owned = |contract: &Contract| {
        matches!(
            contract,
            Contract::Object { life: Life::Made { .. }, .. } | Contract::Handle { hold: Hold::Give { .. }, .. }
        )
    };
    let wanted = object(shape);
    let of = |returned: &dyn Fn(&FunctionPlan) -> bool| -> Vec<&'p str> {
        super::wrapped(domain, target).filter(|function| returned(function)).map(FunctionPlan::wrapper).collect()
    };
    let makers = of(&|function| {
        let params = function.params.iter().map(|param| (&param.shape, &param.decision));
        let ret = function.ret.iter().map(|ret| (&ret.shape, &ret.decision));
        params.chain(ret).any(|(shape, made)| made.contract().is_some_and(owned) && object(shape) == wanted)
    });
    if !makers.is_empty() {
        return makers;
    }
    // Those that nobody ends.
    of(&|function| {
        let lent = |ret: &&RetPlan| matches!(ret.decision.contract(), Some(Contract::Handle { .. }));
        function.ret.iter().find(lent).is_some_and(|ret| object(&ret.shape) == wanted)
    })
}

impl Wrappers<'_> {
    /// Some wrapped function is declared in the package at this index.
    fn declares(&self, package: usize) -> bool {
        self.by_symbol.values().any(|(wrapper, _)| wrapper.function.declared.index == package)
    }
}

impl Wrapper<'_> {
    /// Names and types of its parameters, as their callers need them.
    fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(name, ty)| (&**name, &**ty))
    }

    /// `isolated::zlib::crc32(crc: c_ulong, buf: &[u8]) -> Result<c_ulong, Fault>`
    fn signature(&self) -> String {
        let params: Vec<_> = self.params().map(|(name, ty)| format!("{name}: {ty}")).collect();
        format!("{}({}) -> Result<{}, {}>", self.path, params.join(", "), self.ret, self.error)
    }
}

/// `holds`: pointers to objects may become handles.
fn in_file(
    graph: &Graph,
    wrappers: &Wrappers<'_>,
    path: &Utf8Path,
    calls: Vec<Bypass>,
    read: Read<'_>,
    holds: bool,
    sites: &mut Sites,
) {
    let all = graph.packages.iter().enumerate();
    let mut all = all.flat_map(|(index, package)| package.files.iter().map(move |file| (index, package, file)));
    let Some((index, package, file)) = all.find(|(_, _, file)| graph.relative(&file.path) == path) else { return };
    let text = read(file).map_err(|error| format!("its file cannot be read: {error}"));
    let source = match text.and_then(Source::parse) {
        Ok(source) => source,
        Err(why) => {
            sites.left.extend(
                calls
                    .into_iter()
                    .map(|site| wrappers.to_do(site, Left { why: why.clone(), suggestion: String::new() })),
            );
            return;
        }
    };
    let places: Vec<_> = calls.iter().map(|site| (site.line, site.column)).collect();
    let found = finder::find(&source, &places);
    let its = Place {
        package,
        file,
        is_shared: !file.also.is_empty() || wrappers.is_shared(package, file),
        may_mean_another: may_mean_another(file),
    };
    let below = |other: &&SourceFile| {
        other.path != file.path && other.krate == file.krate && other.module.starts_with(&file.module)
    };
    let below: Vec<_> = package.files.iter().filter(below).collect();
    let is_named = |files: &[&SourceFile], is_in: &dyn Fn(&str) -> bool| {
        files.iter().filter_map(|other| other.text().ok()).any(is_in)
    };
    let of_crate: Vec<_> = package.files.iter().filter(|other| other.krate == file.krate).collect();
    let elsewhere = |name: &str| {
        is_named(&below, &|text| argument::has_word(text, name))
            || is_named(&of_crate, &|text| leftovers::in_macro_rules(text, name))
    };
    let is_wrapper =
        |other: &SourceFile| wrappers.by_symbol.values().any(|(_, target)| other.path.starts_with(target.directory()));
    let own: Vec<_> = below.iter().copied().filter(|other| !is_wrapper(other)).collect();
    let site_at = |at: held::At| calls.iter().find(|site| (site.line, site.column) == at);
    let wrapper_at = |at: held::At| {
        let site = site_at(at).filter(|site| !site.mention)?;
        wrappers.by_symbol.get(&*site.symbol).map(|(wrapper, _)| wrapper)
    };
    let constant = |wrapper: &Wrapper<'_>, name: &str| wrappers.constant(package, wrapper, name);
    let mut held = match holds {
        true => {
            Held::new(&held::InFile { source: &source, found: &found, wrapper: &wrapper_at, constant: &constant }, &own)
        }
        false => Held::default(),
    };
    let (all, before) = (calls.clone(), (sites.left.len(), sites.rewritten.len()));
    // Those stay pointers of which a call cannot be rewritten, and then others may not be, either.
    loop {
        let is_ready = |at: &held::At| {
            site_at(*at).is_some_and(|site| wrappers.read(&its, &source, site, found.get(at), &held).is_ok())
        };
        let stay: BTreeSet<_> = held.calls().filter(|at| !is_ready(at)).collect();
        if stay.is_empty() {
            break;
        }
        held.leave(&stay);
    }
    let mut ready = BTreeMap::new();
    for site in calls {
        let at = (site.line, site.column);
        match wrappers.read(&its, &source, &site, found.get(&at), &held) {
            Ok(call) => drop(ready.insert(at, (call, site))),
            Err(left) => sites.left.push(wrappers.to_do(site, left)),
        }
    }
    if ready.is_empty() {
        return;
    }
    let rewritten: BTreeSet<_> = ready.keys().copied().collect();
    let (mut edits, mut outdents) = (Vec::new(), Vec::new());
    let mut in_block = BTreeSet::new();
    let relieved: Vec<_> = ready.values().flat_map(|(call, _)| call.relieved()).collect();
    let changed: BTreeSet<_> = rewritten.iter().chain(&relieved).copied().collect();
    let blocks: BTreeMap<_, _> = rewritten
        .iter()
        .filter_map(|at| found[at].unsafe_block)
        .chain(finder::around(&source, &relieved))
        .map(|block| (place(block.block.unsafe_token.span), block))
        .collect();
    let mut safe = Vec::new();
    for (at, block) in blocks {
        if unsafe_blocks::is_unneeded(package, file, &source, at, block, &changed) {
            let sole =
                unsafe_blocks::sole_call(block).filter(|call| ready.get(call).is_some_and(|(call, _)| call.is_block()));
            in_block.extend(unsafe_blocks::unwrap(&source, block, sole, &mut edits, &mut outdents));
            safe.push(block);
        }
    }
    let reasons = leftovers::reasons(&source, &safe);
    edits.extend(held.edits());
    for (at, (call, site)) in &ready {
        edits.extend(call.edits(in_block.contains(at)));
        sites.rewritten.push(Rewritten {
            path: path.to_owned(),
            line: site.line,
            symbol: site.symbol.clone(),
            panics: call.takes == Takes::Nothing && !call.ends_in_drop(),
            ends_in_drop: call.ends_in_drop(),
        });
    }
    edits.extend(reasons);
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    edits.dedup_by(|one, other| one == other && !one.range.is_empty());
    // Lines that go whole are not moved first.
    outdents.retain(|outdent| !edits.iter().any(|edit| edit.range.contains(&outdent.range.start)));
    edits.append(&mut outdents);
    let text = source.with(edits);
    // A block that stays `unsafe` may stand where none can: before the `else` of a `let`.
    if holds && rust::file(&blanked(&text)).is_err() {
        sites.left.truncate(before.0);
        sites.rewritten.truncate(before.1);
        return in_file(graph, wrappers, path, all, read, false, sites);
    }
    // Not a trait, which nobody may name and everybody use: an item of the library, or a type of C.
    let symbols: BTreeSet<&str> = ready.values().map(|(_, site)| &*site.symbol).collect();
    let is_ours = |path: &[String]| {
        let words: Vec<_> = path.iter().map(String::as_str).collect();
        let declared = |name: &str| package.externs.get(name).is_some_and(|index| wrappers.declares(*index));
        match words[..] {
            ["std" | "core", "ffi" | "os" | "ptr" | "mem", ..] | ["std" | "core", "slice"] => true,
            [krate, ..] if declared(krate) => true,
            // Types of C, wherever they come from.
            [.., last] => symbols.contains(last) || last.starts_with("c_") || last.ends_with("_t"),
            [] => false,
        }
    };
    let text = leftovers::without_imports(&source, text, &is_ours, &elsewhere);
    let text = rustfmt::laid_out_as(&source.text, text, &file.path, file.edition);
    sites.files.entry(index).or_default().insert(file.path.clone(), text);
}

/// A file, and what names mean in it.
struct Place<'f> {
    package: &'f Package,
    file: &'f SourceFile,
    /// It is a module in several places.
    is_shared: bool,
    may_mean_another: bool,
}

/// Some block of the file has an `isolated` of its own, or may have.
fn may_mean_another(file: &SourceFile) -> bool {
    let facts = &file.facts;
    let in_block = |at: u32| facts.blocks.iter().any(|block| (block.start..block.end).contains(&at));
    let hides = |name: Option<&str>| name.is_none_or(|name| name == "isolated");
    let imports = facts.imports.iter().filter(|import| in_block(import.at)).any(|import| hides(import.name.as_deref()));
    imports || facts.modules.iter().filter(|module| module.name == "isolated").count() > 1
}

impl Wrappers<'_> {
    fn read<'c>(
        &'c self,
        its: &Place<'_>,
        source: &'c Source,
        site: &Bypass,
        found: Option<&'c Found<'c>>,
        held: &'c Held,
    ) -> Result<Ready<'c>, Left> {
        let Place { package, file, is_shared, may_mean_another } = *its;
        let left = |why: &str| Left { why: why.to_owned(), suggestion: String::new() };
        let Some((wrapper, target)) = self.by_symbol.get(&*site.symbol) else {
            return Err(left(&self.without_wrapper(site)));
        };
        if wrapper.function.form.is_some() {
            return Err(left("the policy knows several forms of it, with a wrapper each: choose one"));
        }
        if site.mention {
            return Err(left("its address is taken, so its calls cannot be found"));
        }
        let root = package.files.iter().find(|file| file.path == target.crate_root);
        if package.name != target.package || file.role != Role::Main || !root.is_some_and(|root| is_of(file, root)) {
            return Err(left(
                "it is in another crate than the wrappers: call it through a public function of that crate",
            ));
        }
        if is_shared {
            return Err(left(
                "its file is a module in several places, and `crate::isolated` may be in one of them only",
            ));
        }
        let Some(found) = found else {
            return Err(left("it is inside a macro call whose arguments could not be parsed"));
        };
        let takes = found.returns.map_or(Takes::Nothing, |output| fault::takes(package, file, output));
        let in_root = found.outermost && file.path == target.crate_root && !may_mean_another;
        let constants = |name: &str| self.constant(package, wrapper, name);
        let ready = call::read(source, found, wrapper, takes, in_root, held, &constants)?;
        let mut edits = ready.edits(false);
        edits.retain(|edit| !leftovers::is_reason(source, edit));
        match source.loses_comment(&edits) {
            true => Err(ready.left("a comment stands where an argument would go".to_owned())),
            false => Ok(ready),
        }
    }

    /// Why a call stays whose function has no wrapper.
    fn without_wrapper(&self, site: &Bypass) -> String {
        let Some(callers) = self.inner.get(&*site.symbol) else { return "it has no wrapper here".to_owned() };
        let callers: Vec<_> = callers.iter().copied().collect();
        let (wrappers, free, give) =
            if callers.len() > 1 { ("wrappers", "free", "give") } else { ("wrapper", "frees", "gives") };
        let of = all_of(&callers);
        format!(
            "the {wrappers} of {of} {free} with it what C returned, and {give} a copy, which frees itself: leave it out"
        )
    }

    /// Another package has the file, too: `#[path = "../../shared.rs"]`.
    fn is_shared(&self, package: &Package, file: &SourceFile) -> bool {
        let others = self.graph.packages.iter().filter(|other| other.id() != package.id());
        others.flat_map(|other| &other.files).any(|other| other.path == file.path)
    }

    /// The number that a constant of this package or of the library has, if all of that name have the same.
    fn constant(&self, package: &Package, wrapper: &Wrapper<'_>, name: &str) -> Option<i64> {
        let library = &self.graph.packages[wrapper.function.declared.index];
        let files = package.files.iter().chain(&library.files);
        let mut values = files.flat_map(|file| &file.facts.constants).filter(|constant| constant.name == name);
        let number = |text: &str| text.split_whitespace().collect::<String>().parse().ok();
        let value: i64 = number(&values.next()?.value)?;
        values.all(|other| number(&other.value) == Some(value)).then_some(value)
    }

    fn to_do(&self, site: Bypass, left: Left) -> ToDo {
        let wrapper = self.by_symbol.get(&*site.symbol).map(|(wrapper, _)| wrapper.signature());
        ToDo { why: left.why, wrapper, suggestion: Some(left.suggestion).filter(|text| !text.is_empty()), site }
    }
}

/// Whether a file is of the crate with this root. Names do not say: a library and a program of a package share theirs.
fn is_of(file: &SourceFile, root: &SourceFile) -> bool {
    let declares =
        |name: &String| root.facts.modules.iter().any(|module| module.parents.is_empty() && module.name == *name);
    file.krate == root.krate && (file.path == root.path || file.module.first().is_some_and(declares))
}

#[cfg(test)]
mod tests;
