//! What `cargo isolate init --ci` writes: examples for continuous integration, to change at will.

use minijinja::{Environment, Error, UndefinedBehavior, context};

/// Path from the root of the repository, and template.
const FILES: [(&str, &str); 2] = [
    (".github/workflows/isolate.yml", include_str!("../ci/github.yml.j2")),
    (".pre-commit-config.yaml", include_str!("../ci/pre-commit.yaml.j2")),
];

/// Where the program comes from that CI installs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Of a git repository.
    pub url: String,
    /// The commit; the newest one if there is none.
    pub revision: Option<String>,
}

impl Default for Source {
    fn default() -> Source {
        Source { url: env!("CARGO_PKG_REPOSITORY").to_owned(), revision: None }
    }
}

/// The files by their paths from the root of the repository, for one whose work ends up on `branch`, and whose workspace lies in
/// `folder` (empty: at its root). `flags` are handed to each command: which builds it looks at. The program comes from `source`.
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
        // Templates end before their last newline.
        Ok((path, text + "\n"))
    };
    FILES.into_iter().map(render).collect()
}

/// The hook's command line, which is split as a shell does, as a YAML scalar.
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
