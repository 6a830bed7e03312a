//! The policy's `[domain.*]` against the graph: which package serves each, and what several of them must not share.

use super::Library;
use crate::{
    graph::Graph,
    policy::{PolicyError, model},
};
use std::collections::{BTreeMap, BTreeSet};

/// Mistakes in `[domain.*]` that only all of them together show, and names that cannot name a module.
pub(super) fn domains(graph: &Graph, policy: &model::Policy, errors: &mut Vec<PolicyError>) {
    // Which domain holds the globals of an archive: they lie between one pair of symbols.
    let mut holders: BTreeMap<String, &str> = BTreeMap::new();
    for (name, domain) in &policy.domain {
        let word = name.get_ref();
        // `gen` is a word since the edition 2024, which the parser does not know.
        let is_raw = word.starts_with("r#") || word == "gen";
        if !word.is_ascii() || is_raw || syn::parse_str::<syn::Ident>(word).is_err() {
            let error = PolicyError::new(name.span(), format!("`{word}` cannot name a domain"));
            errors.push(
                error.help("it becomes a module and part of linker symbols: letters, digits and `_`, no keyword"),
            );
        }
        let krate = graph.named(domain.library.get_ref()).and_then(|index| graph.packages[index].lib.as_ref());
        let library = krate.map(|_| (domain.library.get_ref(), domain.library.span()));
        let archives = domain.archives.iter().map(|archive| (archive.get_ref(), archive.span()));
        for (archive, span) in library.into_iter().chain(archives) {
            match holders.insert(archive.clone(), word) {
                Some(other) if other != word => {
                    let message = format!("the domain `{other}` holds the globals of `{archive}` already");
                    errors.push(
                        PolicyError::new(span, message).help("a library's globals exist once: use one domain for it"),
                    );
                }
                _ => {}
            }
        }
    }
}

/// The package that serves a domain's symbols.
pub(super) fn library(graph: &Graph, domain: &model::Domain, errors: &mut Vec<PolicyError>) -> Option<Library> {
    let wanted = domain.library.get_ref();
    let Some(index) = graph.named(wanted) else {
        let names: BTreeSet<_> = graph.packages.iter().map(|package| &*package.name).collect();
        let error =
            PolicyError::new(domain.library.span(), format!("no package `{wanted}` is in this workspace's graph"));
        errors.push(
            error.help("`library` names the package that compiles or links the C code").did_you_mean(wanted, names),
        );
        return None;
    };
    let package = &graph.packages[index];
    if package.lib.is_none() && domain.archives.is_empty() {
        let message = format!("`{wanted}` has no library, so nothing says which archive holds its C code");
        errors.push(PolicyError::new(domain.library.span(), message).help("add `archives = [\"lib….a\"]`"));
    }
    if let Some(wanted) = domain.version.as_ref().filter(|wanted| !wanted.get_ref().hold(&package.version)) {
        let message =
            format!("`{}` is {} here: not what these contracts were written for", package.name, package.version);
        let help = "read what changed in its header and manual, mend the contracts, then widen this";
        errors.push(PolicyError::new(wanted.span(), message).help(help));
    }
    for archive in &domain.archives {
        let name = archive.get_ref();
        let is_safe = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+'));
        if !is_safe || !(name.ends_with(".a") || name.ends_with(".so") || name.contains(".so.")) {
            let message = format!("`{name}` is not the file name of a static archive or shared object");
            errors.push(
                PolicyError::new(archive.span(), message).help("like `libfoo.a` or `libfoo.so.1`, without a path"),
            );
        }
    }
    Some(Library {
        package: index,
        name: package.name.clone(),
        version: package.version.clone(),
        krate: package.lib.clone(),
    })
}
