//! The templates of generated wrappers, and how they are rendered.

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

pub use minijinja::Error;

/// A generated file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// `src/isolated/<domain>.rs`, before formatting.
    Domain,
    /// `src/isolated/mod.rs`.
    Module,
    /// `src/isolated/isolate.ld`.
    Fragment,
}

impl Template {
    fn name_and_text(self) -> (&'static str, &'static str) {
        match self {
            Template::Domain => ("wrapper/domain.rs.j2", include_str!("../wrapper/domain.rs.j2")),
            Template::Module => ("wrapper/mod.rs.j2", include_str!("../wrapper/mod.rs.j2")),
            Template::Fragment => ("wrapper/isolate.ld.j2", include_str!("../wrapper/isolate.ld.j2")),
        }
    }
}

/// Renders a template. A name that is missing in the context is an error, not an empty string.
///
/// # Errors
///
/// The template and the context do not match; the error has the template's name and line.
pub fn render(template: Template, context: impl Serialize) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let (name, text) = template.name_and_text();
    environment.add_template(name, text)?;
    let text = environment.get_template(name)?.render(minijinja::value::Serde(context))?;
    Ok(format!("{}\n", text.trim_end()))
}
