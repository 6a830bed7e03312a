//! The HTML page of `--format html`.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

pub use minijinja::Error;

/// The scripts, in this order. Together they are one function.
const SCRIPTS: &[&str] = &[
    include_str!("../report/data.js"),
    include_str!("../report/dom.js"),
    include_str!("../report/table.js"),
    include_str!("../report/packages.js"),
    include_str!("../report/findings.js"),
    include_str!("../report/source.js"),
    include_str!("../report/symbols.js"),
    include_str!("../report/graph.js"),
    include_str!("../report/picture.js"),
    include_str!("../report/detail.js"),
    include_str!("../report/layout.js"),
    include_str!("../report/main.js"),
];

/// Renders the page with its data as JSON. `front` is the data of the first view, and precedes the script. The named
/// `parts` follow it, so that the first view appears before they are loaded.
///
/// # Errors
///
/// The template is wrong, with its line.
pub fn render(title: &str, front: &str, parts: &[(&str, String)]) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("report/page.html.j2", include_str!("../report/page.html.j2"))?;
    environment.get_template("report/page.html.j2")?.render(context! {
        title => title,
        style => include_str!("../report/style.css"),
        script => SCRIPTS.concat(),
        front => within_element(front),
        parts => parts.iter().map(|(name, data)| [name.to_string(), within_element(data)]).collect::<Vec<_>>(),
    })
}

/// Escapes `<`, which occurs in JSON only inside strings, so that the data can neither end its element nor open a
/// comment.
fn within_element(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn data_stays_data() {
        let data = r#"{"a":"</script><!-- <script>"}"#;
        let page = render("<b>", data, &[("part", data.to_owned())]).unwrap();
        assert!(page.contains("<title>&lt;b&gt;</title>"));
        assert_eq!(page.matches("</script>").count(), 3, "those of the data and the script's");
        assert_eq!(page.matches(r#"{"a":"\u003c/script>\u003c!-- \u003cscript>"}"#).count(), 2);
    }

    /// The page loads nothing from the network, not even a font.
    #[test]
    fn nothing_is_fetched() {
        let page = render("title", "{}", &[]).unwrap();
        for word in ["http:", "https:", "//cdn", "@import", "url(", "fetch(", "XMLHttpRequest", "import("] {
            let allowed = page.matches("http://www.w3.org/2000/svg").count();
            let found = page.matches(word).count() - if word == "http:" { allowed } else { 0 };
            assert_eq!(found, 0, "{word}");
        }
    }
}
