//! What `cargo isolate init --ci` writes: examples for continuous integration, to change at will.

use minijinja::{Environment, Error, UndefinedBehavior, context};

/// Path from the root of the repository, and template.
const FILES: [(&str, &str); 2] = [
    (".github/workflows/isolate.yml", include_str!("../ci/github.yml.j2")),
    (".pre-commit-config.yaml", include_str!("../ci/pre-commit.yaml.j2")),
];

/// The files by their paths from the root of the repository, for one whose work ends up on `branch`, and whose workspace lies in
/// `folder` (empty: at its root).
///
/// # Errors
///
/// A template is wrong.
pub fn files(branch: &str, folder: &str) -> Result<Vec<(&'static str, String)>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let entry = &*entry(folder);
    let render = |(path, template): (&'static str, &str)| {
        let text = environment.render_str(template, context! { branch, folder, entry })?;
        // Templates end before their last newline.
        Ok((path, text + "\n"))
    };
    FILES.into_iter().map(render).collect()
}

/// The hook's command line, which is split as a shell does, as a YAML scalar.
fn entry(folder: &str) -> String {
    const CHECK: &str = "cargo isolate check --quiet";
    let is_plain = folder.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    match (folder, is_plain) {
        ("", _) => CHECK.to_owned(),
        (_, true) => format!("{CHECK} --manifest-path {folder}/Cargo.toml"),
        (_, false) => {
            let quoted = folder.replace('\'', "'\\''");
            let command = format!("{CHECK} --manifest-path '{quoted}/Cargo.toml'");
            format!("\"{}\"", command.replace('\\', r"\\").replace('"', r#"\""#))
        }
    }
}
