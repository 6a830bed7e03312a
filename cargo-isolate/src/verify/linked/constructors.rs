//! Constructors of a library. They run before `main` in the program, before its domain exists.

use super::{File, Server, archive, own};
use crate::{
    plan::{DomainPlan, FunctionPlan},
    terminal::words::few,
};
use serde::Serialize;
use std::{collections::BTreeSet, fmt, ptr};

/// The constructors of a file that are linked into the program with a domain's functions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Constructors {
    pub(crate) domain: String,
    #[serde(flatten)]
    pub(crate) by: Server,
    /// Their symbols.
    pub(crate) constructors: Vec<String>,
}

impl fmt::Display for Constructors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Constructors { domain, by, constructors } = self;
        match by {
            Server::Crate(package) => write!(f, "native code in the crate of `{package}`")?,
            Server::Archive(name) => write!(f, "`{name}`")?,
            Server::Shared(_) | Server::Nobody | Server::Undefined => f.write_str("the library")?,
        }
        let (has, runs) = match constructors.len() {
            1 => ("a constructor", "runs"),
            _ => ("constructors", "run"),
        };
        write!(
            f,
            " has {has} that {runs} before `main`, outside of the domain `{domain}`: {}; a call that frees, grows or writes what was \
             allocated there ends with `ForeignFree` or `Protection`",
            few(constructors)
        )
    }
}

/// The constructors that run because a domain's functions are linked, by file. A crate also contains the archive that
/// it was built with; then the archive is named.
pub(super) fn constructors<'f>(
    domain: &DomainPlan,
    files: impl Iterator<Item = &'f File> + Clone,
) -> Vec<Constructors> {
    let members: Vec<_> = own(domain, files.clone()).flat_map(|file| &file.archive.members).collect();
    let linked = archive::linked(&members, domain.functions.iter().map(FunctionPlan::symbol));
    let mut found: Vec<(Vec<String>, &Server)> = Vec::new();
    for file in own(domain, files) {
        let is_linked = |member: &&archive::Member| linked.iter().any(|linked| ptr::eq(*linked, *member));
        let members = file.archive.members.iter().filter(is_linked);
        let names: BTreeSet<_> = members.flat_map(|member| member.constructors.iter().cloned()).collect();
        if names.is_empty() {
            continue;
        }
        let names: Vec<_> = names.into_iter().collect();
        let same = |(others, server): &&mut (Vec<String>, &Server)| {
            *others == names && server.is_crate() != file.server.is_crate()
        };
        match found.iter_mut().find(same) {
            Some((_, server)) if server.is_crate() => *server = &file.server,
            Some(_) => {}
            None => found.push((names, &file.server)),
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
        .into_iter()
        .map(|(constructors, by)| Constructors { domain: domain.name.clone(), by: by.clone(), constructors })
        .collect()
}
