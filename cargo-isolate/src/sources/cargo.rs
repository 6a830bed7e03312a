//! Passes cargo's flags from our command line on to the cargo processes that we start.

use super::Request;
use crate::process;
use camino::Utf8Path;
use cargo_metadata::PackageId;
use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

impl Request {
    /// The flags that change what is compiled, in canonical form.
    pub(crate) fn build_flags(&self) -> Vec<String> {
        let expand = given([(self.expand, "--expand")]);
        [self.feature_switches(), expand, self.named_features()].concat()
    }

    /// The flags that determine the packages and their features.
    pub(super) fn resolution(&self) -> Vec<String> {
        let locks = [(self.locked, "--locked"), (self.offline, "--offline"), (self.frozen, "--frozen")];
        [self.feature_switches(), self.named_features(), given(locks)].concat()
    }

    /// A cargo command that compiles the requested code: the whole workspace, or these members by package id.
    pub(crate) fn compiles<'m>(
        &self,
        subcommand: &str,
        root: &Utf8Path,
        members: Option<impl IntoIterator<Item = &'m PackageId>>,
    ) -> Command {
        let mut cargo = process::cargo();
        cargo.arg(subcommand);
        match members {
            None => _ = cargo.arg("--workspace"),
            Some(members) => _ = cargo.args(members.into_iter().flat_map(|id| ["--package", &id.repr])),
        }
        cargo.arg("--manifest-path").arg(root.join("Cargo.toml"));
        cargo.args(self.resolution()).args(self.platforms()).stdin(Stdio::null());
        cargo
    }

    /// The flags for compiling a package of our own, which has no features and its own lock file.
    pub(crate) fn for_own_package(&self) -> Vec<String> {
        [given([(self.offline || self.frozen, "--offline")]), self.platforms()].concat()
    }

    fn platforms(&self) -> Vec<String> {
        self.target.iter().filter(|target| *target != "all").map(|target| format!("--target={target}")).collect()
    }

    fn feature_switches(&self) -> Vec<String> {
        let features = &self.features;
        given([(features.all_features, "--all-features"), (features.no_default_features, "--no-default-features")])
    }

    fn named_features(&self) -> Vec<String> {
        let lists = self.features.features.iter().flat_map(|list| list.split([',', ' ']));
        let names: BTreeSet<&str> = lists.filter(|name| !name.is_empty()).collect();
        names.into_iter().map(|name| format!("--features={name}")).collect()
    }
}

fn given<const N: usize>(flags: [(bool, &str); N]) -> Vec<String> {
    flags.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        request: Request,
    }

    #[track_caller]
    fn check(line: &str, compiles: &str, for_own_package: &str) {
        let request = Line::parse_from(format!("program {line}").split_whitespace()).request;
        let cargo = request.compiles("build", "/w".into(), None::<[_; 0]>);
        let arguments: Vec<_> = cargo.get_args().map(|argument| argument.to_string_lossy()).collect();
        let common = "build --workspace --manifest-path /w/Cargo.toml";
        assert_eq!(arguments.join(" "), format!("{common} {compiles}").trim_end());
        assert_eq!(request.for_own_package().join(" "), for_own_package);
    }

    #[test]
    fn flags_of_cargo_reach_the_cargos_that_are_started() {
        check("", "", "");
        check("--features b,a --features=c", "--features=a --features=b --features=c", "");
        check("--all-features --no-default-features", "--all-features --no-default-features", "");
        check("--locked --offline", "--locked --offline", "--offline");
        check("--frozen --target x", "--frozen --target=x", "--offline --target=x");
        check("--target all", "", "");
    }

    #[test]
    fn members_that_were_not_chosen_are_not_compiled() {
        let (a, b) = (
            PackageId { repr: "path+file:///w/a#1.0.0".into() },
            PackageId { repr: "path+file:///w/b#c@1.0.0".into() },
        );
        let cargo = Request::default().compiles("check", "/w".into(), Some([&a, &b]));
        let arguments: Vec<_> = cargo.get_args().map(|argument| argument.to_string_lossy()).collect();
        let members = format!("--package {} --package {}", a.repr, b.repr);
        assert_eq!(arguments.join(" "), format!("check {members} --manifest-path /w/Cargo.toml"));
    }
}
