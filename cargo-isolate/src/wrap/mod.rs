//! The plan → Rust: wrapper modules, the linker fragment, and the edits that tie them into a package.
//!
//! ```text
//! plan ─► target (which package, which paths) ─► render (pure) ─┬► check | diff | write, all or nothing
//!                           calls of the members ─► sites, apply ─┘
//! ```

mod apply;
mod crossing;
mod fields;
mod format;
mod function;
mod generated;
mod names;
mod no_std;
mod optional;
mod outdated;
mod sites;
mod target;
mod write;

use crate::plan::{DomainPlan, FunctionPlan, Plan};
use camino::Utf8PathBuf;
use isolate_templates::wrapper::{self, Template};
use names::Names;
use serde::Serialize;
use std::collections::BTreeMap;

pub(crate) use apply::{EditError, edits};
pub(crate) use function::snake;
pub(crate) use generated::{mark_generated, stale};
pub(crate) use outdated::{Outdated, outdated};
pub(crate) use sites::{Sites, sites};
pub(crate) use target::{Target, TargetError, chosen, targets};
pub(crate) use write::{Change, WriteError, changes, print_diff, write};

/// A file as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GeneratedFile {
    pub(crate) path: Utf8PathBuf,
    pub(crate) text: String,
}

/// Why no wrapper was rendered although the plan is complete: our mistake, or a policy's `ty` that does not fit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenderError {
    #[error("a template of wrappers does not fit its data")]
    Template(#[from] isolate_templates::wrapper::Error),
    #[error("the wrappers of the domain `{domain}` are not Rust: {error}")]
    Syntax { domain: String, error: syn::Error },
}

/// Renders the files of one package: its domains' modules, their list, and the linker fragment.
///
/// # Panics
///
/// When the plan holds a function without a contract; [`Plan::refused`] must be empty.
pub(crate) fn render(plan: &Plan, target: &Target) -> Result<Vec<GeneratedFile>, RenderError> {
    let dir = target.directory();
    let domains: Vec<_> = plan.domains.iter().filter(|domain| target.domains.contains(&domain.name)).collect();
    let mut files = Vec::new();
    for domain in &domains {
        let text = wrapper::render(Template::Domain, DomainView::new(domain, target))?;
        let text = format::format(&text).map_err(|error| RenderError::Syntax { domain: domain.name.clone(), error })?;
        files.push(GeneratedFile { path: dir.join(format!("{}.rs", domain.name)), text });
    }
    let modules = domains.iter().map(|domain| Module { name: &domain.name, cfg: target.cfg(domain) });
    let module = ModuleView { policy: &target.policy, domains: modules.collect() };
    files.push(GeneratedFile { path: dir.join("mod.rs"), text: wrapper::render(Template::Module, module)? });
    let fragment = wrapper::render(Template::Fragment, FragmentView::new(&domains, target))?;
    files.push(GeneratedFile { path: dir.join("isolate.ld"), text: fragment });
    Ok(files)
}

/// What the template of a domain's module sees.
#[derive(Serialize)]
struct DomainView<'p> {
    name: &'p str,
    library: String,
    policy: &'p str,
    keeps_c_names: bool,
    calls_back: bool,
    without_prelude: bool,
    takes_many: bool,
    /// Some wrapper is for some values of its arguments.
    has_conditions: bool,
    /// Names of `isolate_rt` and of `std::ffi` that are used.
    runtime: Vec<&'static str>,
    ffi_types: Vec<String>,
    uses_offsets: bool,
    externs: Vec<names::Extern>,
    imports: Vec<names::Import>,
    /// Some wrapper is in some builds only.
    has_cfgs: bool,
    linked: bool,
    shared: Vec<&'p str>,
    docs: Vec<String>,
    settings: Vec<String>,
    objects: Vec<fields::View>,
    functions: Vec<function::View>,
    crossing: Vec<crossing::View>,
}

impl<'p> DomainView<'p> {
    fn new(domain: &'p DomainPlan, target: &'p Target) -> Self {
        let mut names = Names::new(target, domain);
        let functions: Vec<_> =
            wrapped(domain, target).map(|function| function::View::new(function, &mut names)).collect();
        let objects = fields::views(domain, target, &mut names);
        let crossing = crossing::views(domain, target, &mut names);
        let (linked, shared) = (is_linked(domain), shared(domain));
        let settings = settings(domain);
        let mut runtime = vec!["Domain"];
        runtime.extend((linked || !shared.is_empty()).then_some("Globals"));
        runtime.extend((domain.backend != crate::policy::model::Backend::Auto).then_some("Backend"));
        runtime.extend((domain.heap_kind != crate::policy::model::HeapKind::Fast).then_some("HeapKind"));
        runtime.extend(&names.runtime);
        runtime.sort_unstable();
        Self {
            name: &domain.name,
            library: format!("`{}` {}", domain.library.name, domain.library.version),
            policy: &target.policy,
            keeps_c_names: wrapped(domain, target)
                .any(|function| function::snake(function.wrapper()) != function.wrapper()),
            has_conditions: wrapped(domain, target)
                .any(|function| function.form.as_ref().is_some_and(|form| form.when.is_some())),
            without_prelude: target.without_prelude,
            takes_many: functions.iter().any(function::View::takes_many),
            calls_back: domain.functions.iter().any(FunctionPlan::calls_back),
            runtime,
            uses_offsets: names.uses_offsets,
            externs: names.externs(),
            imports: names.imports(),
            ffi_types: names.ffi_types.into_iter().collect(),
            has_cfgs: wrapped(domain, target).any(|function| !target.cfgs(domain, function).is_empty()),
            linked,
            shared,
            docs: docs(domain),
            settings,
            objects,
            functions,
            crossing,
        }
    }
}

/// Of each wrapper of a domain, by its name, where each part of what it returns comes from: 0 for what the function
/// returned, else one more than the place of the parameter.
///
/// # Panics
///
/// As [`render`].
pub(crate) fn origins<'p>(domain: &'p DomainPlan, target: &Target) -> BTreeMap<&'p str, Vec<usize>> {
    let mut names = Names::new(target, domain);
    let view = |function: &'p FunctionPlan| (function.wrapper(), function::View::new(function, &mut names).origins());
    wrapped(domain, target).map(view).collect()
}

/// The functions that get a wrapper: all but those that only other wrappers call.
fn wrapped<'p>(domain: &'p DomainPlan, target: &Target) -> impl Iterator<Item = &'p FunctionPlan> {
    target.functions(domain).filter(|function| !function.is_inner())
}

#[derive(Serialize)]
struct ModuleView<'p> {
    policy: &'p str,
    domains: Vec<Module<'p>>,
}

#[derive(Serialize)]
struct Module<'p> {
    name: &'p str,
    /// Predicate under which it is there.
    cfg: Option<&'p str>,
}

/// What the template of the linker fragment sees.
#[derive(Serialize)]
struct FragmentView<'p> {
    policy: &'p str,
    domains: Vec<Gathered<'p>>,
    data_sections: &'static [&'static str],
    bss_sections: &'static [&'static str],
}

/// One domain's share of the fragment.
#[derive(Serialize)]
struct Gathered<'p> {
    name: &'p str,
    /// Patterns of input files.
    archives: Vec<String>,
}

/// Writable data, without `.data.rel.ro` and `.data.rel.ro.*`: a pattern cannot exclude a section, so the others are spelt out.
/// What stands behind `.data.rel.` may be the name of any variable (`-fdata-sections`).
const DATA_SECTIONS: [&str; 12] = [
    ".data",
    ".data.[!r]*",
    ".data.r",
    ".data.r[!e]*",
    ".data.re",
    ".data.re[!l]*",
    ".data.rel",
    ".data.rel[!.]*",
    ".data.rel.[!r]*",
    ".data.rel.r",
    ".data.rel.r[!o]*",
    ".data.rel.ro[!.]*",
];
const BSS_SECTIONS: [&str; 3] = [".bss", ".bss.*", "COMMON"];

impl<'p> FragmentView<'p> {
    fn new(domains: &[&'p DomainPlan], target: &'p Target) -> Self {
        let linked = domains.iter().filter(|domain| is_linked(domain));
        let gathered = linked.map(|domain| Gathered { name: &domain.name, archives: archives(domain) });
        Self {
            policy: &target.policy,
            domains: gathered.collect(),
            data_sections: &DATA_SECTIONS,
            bss_sections: &BSS_SECTIONS,
        }
    }
}

/// Input files as the linker names them: `…/liblibz_sys-<hash>.rlib`, with a member behind it in some linkers, and with link-time
/// optimisation by a linker plugin `<program>.lto.liblibz_sys-<hash>.rlib(<member> at <offset>).o`. Without a hash where the package
/// makes a cdylib, too. A `*` may be any part of a path, so that each pattern says all of the file's name: the folders of a project
/// are often called like its library.
fn archives(domain: &DomainPlan) -> Vec<String> {
    const HASH: &str = "????????????????";
    let krate = domain.library.krate.iter();
    let rlibs = krate.flat_map(|krate| [format!("*[/.]lib{krate}-{HASH}.rlib*"), format!("*[/.]lib{krate}.rlib*")]);
    let others = domain.archives.iter().filter(|archive| archive.ends_with(".a"));
    // Behind the name of an archive, what is no part of a file's name.
    rlibs.chain(others.flat_map(|file| [format!("*[/.]{file}"), format!("*[/.]{file}[!/._0-9A-Za-z-]*")])).collect()
}

fn is_linked(domain: &DomainPlan) -> bool {
    !archives(domain).is_empty()
}

fn shared(domain: &DomainPlan) -> Vec<&str> {
    let archives = domain.archives.iter().map(|archive| &**archive);
    archives.filter(|archive| !archive.ends_with(".a")).collect()
}

fn settings(domain: &DomainPlan) -> Vec<String> {
    use crate::policy::model::{Backend, HeapKind, Instances, Threads, Timer};
    let backend = match domain.backend {
        Backend::Auto => None,
        Backend::Mpk => Some("backend(Backend::Mpk)".to_owned()),
        Backend::None => Some("backend(Backend::None)".to_owned()),
    };
    let kind = (domain.heap_kind == HeapKind::Hardened).then(|| "heap(HeapKind::Hardened)".to_owned());
    let limit = domain.heap_limit.map(|limit| format!("heap_limit({})", bytes(limit)));
    let stack = domain.stack_size.map(|size| format!("stack_size({})", bytes(size)));
    let deadline = domain.deadline.map(|deadline| match (deadline.subsec_nanos(), deadline.as_micros()) {
        (0, _) => format!("deadline(std::time::Duration::from_secs({}))", deadline.as_secs()),
        (_, micros) if micros % 1000 == 0 => format!("deadline(std::time::Duration::from_millis({}))", micros / 1000),
        (_, micros) => format!("deadline(std::time::Duration::from_micros({micros}))"),
    });
    let timer = (domain.timer == Timer::Shared).then(|| "shared_timer()".to_owned());
    let threads = (domain.threads == Threads::One).then(|| "one_at_a_time()".to_owned());
    let instances = (domain.instances == Instances::Thread).then(|| "instance_per_thread()".to_owned());
    let own_threads = (domain.own_threads > 0).then(|| format!("threads_inside({})", domain.own_threads));
    [backend, kind, limit, stack, deadline, timer, threads, instances, own_threads].into_iter().flatten().collect()
}

fn docs(domain: &DomainPlan) -> Vec<String> {
    use crate::policy::model::{Backend, HeapKind, Instances, Level, Threads};
    let level = match domain.level {
        Level::Integrity => "it can read the program's memory and write none of it",
    };
    let size = |size: Option<u64>| size.map_or("the runtime's default".to_owned(), human);
    let mut docs = vec![format!(" The domain `{}`.", domain.name), String::new()];
    docs.push(match domain.backend {
        Backend::None => " No isolation: the policy asks for direct calls.".to_owned(),
        _ => format!(" Level `integrity`: {level}."),
    });
    let kind = if domain.heap_kind == HeapKind::Hardened { ", hardened" } else { "" };
    docs.push(format!(" Heap: {}{kind}. Stack: {}.", size(domain.heap_limit), size(domain.stack_size)));
    docs.extend(
        domain.deadline.map(|deadline| format!(" A call that takes longer than {deadline:?} ends in a fault.")),
    );
    if domain.threads == Threads::One {
        docs.push(" One thread at a time is inside; others wait.".to_owned());
    }
    if domain.instances == Instances::Thread {
        docs.push(" Each thread has an instance of its own, as long as there are keys.".to_owned());
    }
    if domain.own_threads > 0 {
        docs.push(format!(
            " The library may have {} threads of its own at once, which end with a fault.",
            domain.own_threads
        ));
    }
    docs
}

/// `64 << 20`.
fn bytes(bytes: u64) -> String {
    match bytes.trailing_zeros() / 10 * 10 {
        0 => bytes.to_string(),
        shift => format!("{} << {}", bytes >> shift.min(30), shift.min(30)),
    }
}

/// `64 MiB`.
fn human(bytes: u64) -> String {
    let (shift, unit) = match bytes.trailing_zeros() {
        30.. => (30, "GiB"),
        20.. => (20, "MiB"),
        10.. => (10, "KiB"),
        _ => (0, "bytes"),
    };
    format!("{} {unit}", bytes >> shift)
}
