//! A workspace's code as its policy takes it, before anything is decided about it.

use crate::{graph::Graph, policy::Loaded, wrap};

/// Has the members' code say what the policy makes of it: which files are generated, and which comments argue.
pub(crate) fn settle(graph: &mut Graph, policy: &Loaded) {
    wrap::mark_generated(graph, policy);
    let words: Vec<String> = policy.policy.audit.safety_words.iter().map(|word| word.get_ref().clone()).collect();
    if words.is_empty() {
        return;
    }
    for file in graph.packages.iter_mut().filter(|package| package.member).flat_map(|package| &mut package.files) {
        file.facts.accept(&words);
    }
}
