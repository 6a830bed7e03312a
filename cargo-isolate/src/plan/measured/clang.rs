//! What clang's attributes say beside the labels: whether they would have told right contracts from wrong ones.
//!
//! ```text
//! cargo test -p cargo-isolate --bins clang_beside_labels -- --ignored --nocapture
//! ```

use super::{Label, Meaning, Verdict, graphs, lists, name_of, rules_alone};
use crate::{
    contract::{Dir, infer::Tier},
    plan::{
        Decision, FunctionPlan,
        clang::{Clang, Use},
    },
};
use std::collections::BTreeMap;

/// How many of each sort.
#[derive(Default)]
struct Counts(BTreeMap<(&'static str, &'static str), usize>);

#[test]
#[ignore = "compiles C files of packages from crates.io, for minutes"]
fn clang_beside_labels() {
    let clang = match Clang::find() {
        Ok(clang) => clang,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let mut lists = lists("labels");
    // One file of 9 MB, which would be compiled for each label.
    lists.remove("libsqlite3-sys");
    let (mut counts, mut unseen) = (Counts::default(), BTreeMap::<String, usize>::new());
    for (graph, packages) in graphs() {
        for name in packages {
            let Some(list) = lists.remove(&name) else { continue };
            let package = graph.packages.iter().find(|one| one.name == name).unwrap();
            let functions = rules_alone(&graph, &name);
            for drawn in &list.drawn {
                let Some(function) = functions.iter().find(|one| one.name == name_of(&drawn.of)) else { continue };
                let index = function.params.iter().position(|param| param.name == drawn.param).unwrap();
                let symbol = function.symbol();
                match clang.look(package, symbol, function.params.len()) {
                    Ok(seen) if let Some(found) = seen.params[index] => counts.add(function, index, &drawn.is, found),
                    Ok(_) => {}
                    Err(reason) => *unseen.entry(format!("{name}: {reason}")).or_default() += 1,
                }
            }
            println!("{name}");
        }
    }
    println!("{}", clang.version);
    for ((rule, what), count) in counts.0 {
        println!("{rule:12} {what:60} {count}");
    }
    unseen.iter().for_each(|(why, count)| println!("{count:4} {why}"));
}

impl Counts {
    fn add(&mut self, function: &FunctionPlan, index: usize, label: &Label, found: Use) {
        let rule = match &function.params[index].decision {
            Decision::Rule { contract, tier, .. } => match (tier, label.judge(contract)) {
                (Tier::Likely, Verdict::Right) => "likely",
                (Tier::Likely, _) => "likely WRONG",
                (_, Verdict::Right) => "conventional",
                (..) => "conventional WRONG",
            },
            _ => "open",
        };
        let direction = match (&label.what, found.reads, found.writes) {
            (Meaning::One(dir) | Meaning::Buffer(dir, _), reads, writes) => match (dir, reads, writes) {
                (Dir::In, _, false) | (Dir::Out, false, _) => "says the direction",
                (Dir::In, false, true) | (Dir::Out, true, false) => "CONTRADICTS the direction",
                _ => "leaves the direction open",
            },
            (Meaning::String, _, false) => "says the direction",
            (Meaning::String, false, true) => "CONTRADICTS the direction",
            (Meaning::String, ..) => "leaves the direction open",
            _ => "no direction to say",
        };
        let kept = match (label.kept, found.kept) {
            (true, true) => "is kept, and may be",
            (true, false) => "is kept, and clang says it is NOT",
            (false, false) => "is not kept, and clang proves it",
            (false, true) => "is not kept, and clang cannot tell",
        };
        for what in ["all", direction, kept] {
            *self.0.entry((rule, what)).or_default() += 1;
        }
    }
}
