//! Attributes of parameters in LLVM's intermediate code.

use std::fmt;

/// What a function does with a pointer, as far as its code shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    /// It may be found somewhere after the call.
    pub(crate) kept: bool,
    /// The declaration says that it is never NULL.
    pub(crate) never_null: bool,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.reads, self.writes) {
            (true, true) => "may read and write",
            (true, false) => "only reads",
            (false, true) => "only writes",
            (false, false) => "uses only its address",
        };
        let kept = if self.kept { "may keep a pointer to it" } else { "keeps no pointer to it" };
        write!(f, "{what}, and {kept}")?;
        if self.never_null { write!(f, "; declared never to be NULL") } else { Ok(()) }
    }
}

/// The parameters of the function `name` where `code` defines it; `None` for each that is no pointer.
pub(super) fn of_function(code: &str, name: &str) -> Option<Vec<Option<Use>>> {
    let spelt = format!("@{name}(");
    let line = code.lines().find(|line| line.starts_with("define ") && line.contains(&spelt))?;
    let list = parameters(&line[line.find(&spelt)? + spelt.len()..]);
    Some(list.into_iter().map(of_parameter).collect())
}

/// Splits at the commas that are within no parentheses or brackets, up to the one that closes the list.
fn parameters(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' | '[' | '<' => depth += 1,
            ')' if depth == 0 => {
                found.push(&text[start..at]);
                break;
            }
            ')' | '}' | ']' | '>' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.retain(|one| !one.trim().is_empty());
    found
}

/// `i8* nocapture noundef readonly %0`, since LLVM 15 `ptr …`, since 21 `captures(none)`.
fn of_parameter(text: &str) -> Option<Use> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_pointer = words.first() == Some(&"ptr") || text.contains('*');
    let has = |word: &str| words.contains(&word);
    // Passed as bytes on the stack: no pointer of the caller's.
    if !is_pointer || text.contains("byval(") || text.contains("sret(") {
        return None;
    }
    Some(Use {
        reads: !(has("writeonly") || has("readnone")),
        writes: !(has("readonly") || has("readnone")),
        kept: !(has("nocapture") || has("captures(none)")),
        never_null: has("nonnull"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(definition: &str, expected: &[&str]) {
        let uses = of_function(&format!("declare i32 @f(i8*)\n{definition}\n"), "f").unwrap();
        let uses: Vec<_> = uses.iter().map(|one| one.as_ref().map_or("-".to_owned(), Use::to_string)).collect();
        assert_eq!(uses, expected);
    }

    #[test]
    fn attributes_of_every_version() {
        check(
            "define dso_local i32 @f(i8* nocapture noundef readonly %0, i32 noundef %1, i8** noundef writeonly %2) local_unnamed_addr #0 {",
            &["only reads, and keeps no pointer to it", "-", "only writes, and may keep a pointer to it"],
        );
        check(
            "define i32 @f(ptr noundef nonnull readnone captures(none) dereferenceable(4) %a, { i64, ptr } %b) {",
            &["uses only its address, and keeps no pointer to it; declared never to be NULL", "-"],
        );
        check("define void @f(i32 (i8*, i32)* nocapture readonly %0) {", &["only reads, and keeps no pointer to it"]);
        check("define void @f() {", &[]);
    }

    #[test]
    fn copies_on_the_stack_are_no_pointers() {
        check("define void @f(%struct.s* noundef byval(%struct.s) align 8 %0, i64 %1) {", &["-", "-"]);
    }
}
