//! What `cargo isolate init --ci` writes: example files for continuous integration, to be adapted.

use minijinja::{Environment, Error, UndefinedBehavior, context};

/// The path from the root of the repository, and the template.
const FILES: [(&str, &str); 2] = [
    (".github/workflows/isolate.yml", include_str!("../ci/github.yml.j2")),
    (".pre-commit-config.yaml", include_str!("../ci/pre-commit.yaml.j2")),
];

/// Where CI installs the program from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The URL of a git repository.
    pub url: String,
    /// The commit; `None` for the newest one.
    pub revision: Option<String>,
}

impl Default for Source {
    fn default() -> Source {
        Source { url: env!("CARGO_PKG_REPOSITORY").to_owned(), revision: None }
    }
}

/// The files by their paths from the root of the repository. `branch` is the main branch, `folder` the workspace's
/// directory (empty at the root), `flags` select the builds that each command examines, and `source` is where the
/// program comes from.
///
/// # Errors
///
/// A template is wrong.
pub fn files(
    branch: &str,
    folder: &str,
    flags: &[String],
    source: &Source,
) -> Result<Vec<(&'static str, String)>, Error> {
    let Source { url, revision } = source;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let check =
        &*["cargo isolate check"].into_iter().chain(flags.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let entry = &*entry(check, folder);
    let render = |(path, template): (&'static str, &str)| {
        let text = environment.render_str(template, context! { branch, folder, check, entry, url, revision })?;
        // Rendering strips the last newline of a template.
        Ok((path, text + "\n"))
    };
    FILES.into_iter().map(render).collect()
}

/// The hook's command line as a YAML scalar. It is split the way a shell does it.
fn entry(check: &str, folder: &str) -> String {
    let check = format!("{check} --quiet");
    let is_plain = folder.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    match (folder, is_plain) {
        ("", _) => check,
        (_, true) => format!("{check} --manifest-path {folder}/Cargo.toml"),
        (_, false) => {
            let quoted = folder.replace('\'', "'\\''");
            let command = format!("{check} --manifest-path '{quoted}/Cargo.toml'");
            format!("\"{}\"", command.replace('\\', r"\\").replace('"', r#"\""#))
        }
    }
}
