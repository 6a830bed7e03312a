//! Layout of generated Rust: prettyplease, with the comments and blank lines that it drops.

/// Formats a file. Lines `///~ text` become `// text`: a syntax tree keeps doc comments only.
///
/// # Errors
///
/// The text is not Rust.
pub(super) fn format(text: &str) -> Result<String, syn::Error> {
    let plain = comments_as_docs(text);
    let formatted = prettyplease::unparse(&syn::parse_file(&plain)?);
    let mut out = String::with_capacity(formatted.len() + formatted.len() / 16);
    let mut previous = "";
    for line in formatted.lines() {
        if begins_item(previous, line) {
            out.push('\n');
        }
        match line.find("///~") {
            Some(at) if line[..at].trim().is_empty() => {
                out.push_str(&line[..at]);
                out.push_str("//");
                out.push_str(&line[at + 4..]);
            }
            _ => out.push_str(line),
        }
        out.push('\n');
        previous = line;
    }
    Ok(out)
}

/// Comments before items are written as comments in the template.
fn comments_as_docs(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix("// ") {
        Some(comment) => format!("///~ {comment}\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// A blank line stands before each item, and between the file's header and the rest; imports stay together.
fn begins_item(previous: &str, line: &str) -> bool {
    let is_top = |line: &str| line.starts_with(|c: char| !c.is_whitespace()) && !line.starts_with(['}', ')', ']']);
    let leads = |line: &str| line.starts_with("///") || line.starts_with("#[");
    let is_header = |line: &str| line.starts_with("//!") || line.starts_with("#!");
    let is_import = |line: &str| line.starts_with("use ") || line.starts_with("extern crate ");
    if previous.is_empty() || !is_top(line) || leads(previous) || is_header(line) {
        return false;
    }
    !(is_import(previous) && is_import(line))
}

#[cfg(test)]
mod tests {
    #[test]
    fn keeps_comments_and_sets_items_apart() {
        let text = "//! Head.\n\nuse a::b;\nuse c as d;\n// why\nextern \"C\" { static x: u8; }\n/// Doc.\nfn f() {\n\
                    ///~ SAFETY: one\n///~ two.\nlet a = unsafe { g() };\n let b = 1; }\nfn h() {}";
        insta::assert_snapshot!(super::format(text).expect("is Rust"), @r#"
        //! Head.

        use a::b;
        use c as d;

        // why
        extern "C" {
            static x: u8;
        }

        /// Doc.
        fn f() {
            // SAFETY: one
            // two.
            let a = unsafe { g() };
            let b = 1;
        }

        fn h() {}
        "#);
    }
}
