//! Which files of the tree are exactly what `wrap` writes: the policy vouches for them, so they are held against nobody.

use super::{render, target, targets, write::is_ours};
use crate::{
    graph::{Graph, Role, SourceFile},
    plan,
    policy::Loaded,
};
use std::{collections::BTreeMap, io};

/// Gives every file that is as `wrap` would write it now the role [`Role::Generated`]; but one that no `mod` leads to yet is
/// still what nobody compiles.
///
/// An edited or stale file keeps its role: what a person wrote into it counts. So do all of them while the plan has a
/// refusal or the policy a mistake, because then nothing says what they should be.
pub(crate) fn mark_generated(graph: &mut Graph, policy: &Loaded) {
    let Ok(plan) = plan::plan(graph, &policy.policy) else { return };
    if plan.refused().next().is_some() {
        return;
    }
    let Ok(targets) = targets(graph, &plan, None, policy.shown()) else { return };
    let rendered = targets.iter().filter_map(|target| render(&plan, target).ok()).flatten();
    let rendered: BTreeMap<_, _> = rendered.map(|file| (file.path, file.text)).collect();
    for file in graph.packages.iter_mut().filter(|package| package.member).flat_map(|package| &mut package.files) {
        let is_as_rendered = || rendered.get(&file.path).is_some_and(|text| file.text.is(text));
        if file.role != Role::Unreached && is_as_rendered() {
            file.role = Role::Generated;
        }
    }
}

/// Files of the members, by package and place in it, that begin as a wrapper and are not what `wrap` would write now: edited,
/// or of another policy, library or version of this tool. For after [`mark_generated`].
///
/// # Errors
///
/// A source file is not any more what was scanned.
pub(crate) fn stale(graph: &Graph) -> io::Result<Vec<(usize, usize)>> {
    let mut stale = Vec::new();
    for (index, package) in graph.packages.iter().enumerate().filter(|(_, package)| package.member) {
        let Some(folder) = target::directory(package) else { continue };
        for (place, file) in package.files.iter().enumerate() {
            // Few files are there: only their texts are read again.
            if file.path.starts_with(&folder) && says_it_is_generated(file)? {
                stale.push((index, place));
            }
        }
    }
    Ok(stale)
}

/// It says so at its top, and is not.
fn says_it_is_generated(file: &SourceFile) -> io::Result<bool> {
    let own = !matches!(file.role, Role::Generated | Role::Unreached);
    Ok(own && is_ours(file.text()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decide, fixture, names::Names};

    const POLICY: &str = r#"
version = 1
[domain.zlib]
library = "z-sys"
[[isolate]]
domain = "zlib"
extern = ["crc32"]
"#;
    const SOURCES: &str = "
//- app/src/main.rs
mod isolated;
fn main() { isolated::zlib::crc32(1, 2); }
//- z-sys/src/lib.rs
unsafe extern \"C\" { pub fn crc32(crc: u32, value: u32) -> u32; }
";

    fn loaded(text: &str) -> Loaded {
        Loaded::of_workspace(text)
    }

    #[test]
    fn nothing_leads_to_what_was_not_applied() {
        let (plain, written) = (fixture::graph(SOURCES), loaded(POLICY));
        let plan = plan::plan(&plain, &written.policy).unwrap();
        let target = &targets(&plain, &plan, None, written.shown()).unwrap()[0];
        let module =
            render(&plan, target).unwrap().into_iter().find(|file| file.path.ends_with("isolated/mod.rs")).unwrap();
        let path = module.path.strip_prefix("/ws").unwrap().to_owned();
        for role in [Role::Unreached, Role::Main] {
            let mut graph = fixture::graph(&format!("{SOURCES}//- {path}\n{}", module.text));
            let index = graph.packages[0].files.iter().position(|file| file.path == module.path).unwrap();
            graph.packages[0].files[index].role = role;
            mark_generated(&mut graph, &loaded(POLICY));
            let marked = if role == Role::Main { Role::Generated } else { role };
            assert_eq!(graph.packages[0].files[index].role, marked);
        }
    }

    /// A workspace with its wrappers after an `edit`: which files are stale, and how many unsafe constructs and findings are its
    /// author's.
    #[track_caller]
    fn check(policy: &str, edit: impl Fn(String) -> String, stale: &[&str], unsafes: usize, findings: &[&str]) {
        let (plain, written) = (fixture::graph(SOURCES), loaded(POLICY));
        let plan = plan::plan(&plain, &written.policy).unwrap();
        let target = &targets(&plain, &plan, None, written.shown()).unwrap()[0];
        let files = render(&plan, target).unwrap().into_iter().filter(|file| file.path.extension() == Some("rs"));
        let files = files.map(|file| format!("//- {}\n{}", file.path.strip_prefix("/ws").unwrap(), edit(file.text)));
        let mut graph = fixture::graph(&format!("{SOURCES}{}", files.collect::<String>()));
        mark_generated(&mut graph, &loaded(policy));
        let edited = super::stale(&graph).unwrap();
        let mut found = decide::findings(&Names::new(&graph), &loaded(policy).policy);
        decide::stale_wrappers(&graph, &loaded(policy).policy, &edited, &mut found);
        let found: Vec<_> = found.iter().map(|found| found.finding.rule).collect();
        assert_eq!((decide::unsafe_count(&graph.packages[0]), &found[..]), (unsafes, findings));
        let old = edited.into_iter().map(|(package, file)| &graph.packages[package].files[file]);
        assert_eq!(old.filter_map(|file| file.path.file_name()).collect::<Vec<_>>(), stale);
    }

    #[test]
    fn what_wrap_writes_is_nobodys() {
        check(POLICY, |text| text, &[], 0, &[]);
    }

    #[test]
    fn an_edited_file_counts() {
        let rules = &["extern-block", "many-operations", "bypassed-isolation"];
        check(POLICY, |text| text.replace("run(move ||", "run(||"), &["zlib.rs"], 3, rules);
        // Whoever takes the header away says that it is theirs, and each of its calls is.
        let call = "foreign-call";
        let rules = &["extern-block", "many-operations", call, call, call, call, "bypassed-isolation", call];
        check(
            POLICY,
            |text| text.replace("//! Written by", "//! Once written by").replace(super::super::write::MARK, ""),
            &[],
            3,
            rules,
        );
    }

    #[test]
    fn so_does_one_of_another_policy() {
        check(
            &POLICY.replace("\"z-sys\"", "\"z-sys\"\nstack = \"64KiB\""),
            |text| text,
            &["zlib.rs"],
            3,
            &["extern-block", "many-operations", "bypassed-isolation"],
        );
    }
}
