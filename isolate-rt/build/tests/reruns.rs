//! When cargo runs a build script again that hands a fragment over.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const MANIFEST: &str = "
[package]
name = \"reruns\"
edition = \"2021\"
[build-dependencies]
isolate-rt-build = { path = \"[checkout]\" }
[workspace]
";

struct Package(PathBuf);

impl Package {
    fn new(name: &str, build: &str) -> Package {
        let package = Package(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        let _ = fs::remove_dir_all(&package.0);
        package.put("Cargo.toml", &MANIFEST.replace("[checkout]", env!("CARGO_MANIFEST_DIR")));
        package.put("build.rs", &format!("fn main() {{\n{build}\n}}\n"));
        package.put("src/lib.rs", "pub const DATA: &str = env!(\"DATA\");");
        package.put("src/isolated/isolate.ld", "/* one */");
        package.put("data.txt", "one");
        package
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the file");
        fs::write(path, text).expect("a file of the package");
    }

    /// Builds it. Returns what the build script left last: its own text, and the fragment.
    fn build(&self) -> (String, String) {
        let mut cargo = Command::new(env::var_os("CARGO").expect("tests run under cargo"));
        cargo
            .current_dir(&self.0)
            .args(["build", "--quiet", "--offline"])
            .env("CARGO_TARGET_DIR", self.0.join("target"));
        assert!(cargo.status().expect("cargo starts").success());
        let out = |name: &str| {
            let builds = fs::read_dir(self.0.join("target/debug/build")).expect("build scripts ran");
            let found = builds.filter_map(|build| fs::read_to_string(build.ok()?.path().join("out").join(name)).ok());
            found.last().unwrap_or_default()
        };
        (out("data.txt"), out("reruns-0.0.0-isolate.ld"))
    }
}

#[track_caller]
fn check(name: &str, build: &str, runs_for_data: bool) {
    const DATA: &str = "std::fs::copy(\"data.txt\", std::env::var(\"OUT_DIR\").unwrap() + \"/data.txt\").unwrap();
println!(\"cargo:rustc-env=DATA=\");";
    let package = Package::new(name, &format!("{build}\n{DATA}"));
    let of = |data: &str, fragment: &str| (data.to_owned(), format!("/* {fragment} */"));
    assert_eq!(package.build(), of("one", "one"));
    package.put("data.txt", "two");
    let data = if runs_for_data { "two" } else { "one" };
    assert_eq!(package.build(), of(data, "one"));
    package.put("src/isolated/isolate.ld", "/* two */");
    assert_eq!(package.build(), of("two", "two"), "the fragment is always looked at");
}

#[test]
fn a_script_that_leaves_it_to_cargo_runs_for_every_file() {
    check("alone", "isolate_rt_build::link!(\"src/isolated/isolate.ld\");", true);
}

#[test]
fn a_script_that_says_when_runs_then_and_for_the_fragment() {
    let says = "println!(\"cargo:rerun-if-env-changed=NONE\");";
    check("before", &format!("{says} isolate_rt_build::link!(\"src/isolated/isolate.ld\");"), false);
    check("behind", &format!("isolate_rt_build::link!(\"src/isolated/isolate.ld\"); {says}"), false);
}
