//! The definition of a function in LLVM's intermediate code: what is passed, and attributes of its parameters.

use std::fmt;

/// What a function does with a pointer, as far as its code shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    /// Some instruction of it writes there.
    pub(crate) stores: bool,
    /// It may be found somewhere after the call.
    pub(crate) kept: bool,
    /// The declaration says that it is never NULL.
    pub(crate) never_null: bool,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.reads, self.writes) {
            (true, true) if self.stores => "writes, and may read",
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

/// A function as it is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Definition {
    /// `None`: it returns nothing.
    pub(super) ret: Option<Passed>,
    /// With what becomes of each; `None` for those that are no pointers.
    pub(super) params: Vec<(Passed, Option<Use>)>,
    pub(super) variadic: bool,
}

/// How a value goes from caller to function, or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// Of so many bits.
    Int(u32),
    /// Of so many bits.
    Float(u32),
    Pointer,
    /// A struct, or part of one.
    Aggregate,
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Passed::Int(bits) => write!(f, "an integer of {bits} bits"),
            Passed::Float(bits) => write!(f, "a float of {bits} bits"),
            Passed::Pointer => f.write_str("a pointer"),
            Passed::Aggregate => f.write_str("a struct"),
        }
    }
}

/// The function `name` where `code` defines it for others.
pub(super) fn of_function(code: &str, name: &str) -> Option<Definition> {
    let spelt = format!("@{name}(");
    let is_it =
        |line: &&str| line.starts_with("define ") && !line.starts_with("define internal ") && line.contains(&spelt);
    let mut lines = code.lines();
    let line = lines.find(is_it)?;
    let body: Vec<_> = lines.take_while(|line| !line.starts_with('}')).collect();
    let (before, rest) = line.split_once(&spelt)?;
    let list = parameters(rest);
    let (variadic, list) = match list.split_last() {
        Some((last, others)) if last.trim() == "..." => (true, others.to_vec()),
        _ => (false, list),
    };
    // What is too large for registers comes back through a pointer that C code does not show.
    let (ret, list) = match list.first() {
        Some(first) if first.contains("sret") => (Some(Passed::Aggregate), list[1..].to_vec()),
        _ => (returned(before), list),
    };
    let params = list.into_iter().map(|text| (passed(text), of_parameter(text, &body))).collect();
    Some(Definition { ret, params, variadic })
}

/// `define dso_local signext i16`
fn returned(before: &str) -> Option<Passed> {
    let text = before.trim_end();
    let last = text.rsplit(' ').next().unwrap_or(text);
    if text.ends_with('*') {
        return Some(Passed::Pointer);
    }
    (last != "void").then(|| simple(last))
}

/// `i16 noundef signext %0`
fn passed(text: &str) -> Passed {
    match of_parameter(text, &[]) {
        Some(_) => Passed::Pointer,
        None if text.contains("byval(") => Passed::Aggregate,
        None => simple(text.split_whitespace().next().unwrap_or(text)),
    }
}

fn simple(word: &str) -> Passed {
    match word {
        "ptr" => Passed::Pointer,
        "float" => Passed::Float(32),
        "double" => Passed::Float(64),
        // A byte in memory and in registers.
        "i1" => Passed::Int(8),
        word => match word.strip_prefix('i').and_then(|bits| bits.parse().ok()) {
            Some(bits) => Passed::Int(bits),
            None => Passed::Aggregate,
        },
    }
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
fn of_parameter(text: &str, body: &[&str]) -> Option<Use> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_pointer = words.first() == Some(&"ptr") || text.contains('*');
    let has = |word: &str| words.contains(&word);
    // Passed as bytes on the stack: no pointer of the caller's.
    if !is_pointer || text.contains("byval(") || text.contains("sret(") {
        return None;
    }
    let writes = !(has("readonly") || has("readnone"));
    Some(Use {
        reads: !(has("writeonly") || has("readnone")),
        writes,
        stores: writes && words.last().is_some_and(|name| stores(name, body)),
        kept: !(has("nocapture") || has("captures(none)")),
        never_null: has("nonnull"),
    })
}

/// Whether an instruction writes through the pointer `name`, or through one that is computed from it.
fn stores(name: &str, body: &[&str]) -> bool {
    let mut pointers = vec![name];
    let mut next = 0;
    // In loops a pointer is computed from one further down.
    while let Some(from) = pointers.get(next).copied() {
        next += 1;
        for line in body {
            let Some((to, how)) = line.trim_start().split_once(" = ") else { continue };
            let computes = ["getelementptr ", "bitcast ", "phi ", "select "].iter().any(|word| how.starts_with(word));
            if computes && names(how, from) && !pointers.contains(&to) {
                pointers.push(to);
            }
        }
    }
    let is_one = |text: &str| pointers.iter().any(|name| names(text, name));
    body.iter().any(|line| {
        let line = line.trim_start();
        if let Some(stored) = line.strip_prefix("store ") {
            // The value, then the place.
            return parameters(stored).get(1).is_some_and(|place| is_one(place));
        }
        let filled = line.split_once("@llvm.mem").and_then(|(_, rest)| rest.split_once('('));
        filled.is_some_and(|(_, arguments)| parameters(arguments).first().is_some_and(|to| is_one(to)))
    })
}

/// The name `%1`, and not `%12`.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '$');
    text.match_indices(name).any(|(at, _)| !text[at + name.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(definition: &str, expected: &[&str]) {
        let params = of_function(&format!("declare i32 @f(i8*)\n{definition}\n"), "f").unwrap().params;
        let uses: Vec<_> = params.iter().map(|(_, one)| one.as_ref().map_or("-".to_owned(), Use::to_string)).collect();
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
    fn what_is_written() {
        let reads_and_writes = "writes, and may read, and keeps no pointer to it";
        let may = "may read and write, and keeps no pointer to it";
        for (body, expected) in [
            ("  store i8 0, i8* %0, align 1", reads_and_writes),
            ("  store i8* %0, i8** %2, align 8", may),
            ("  %11 = load i8, i8* %0\n  store i8 %11, i8* %10, align 1", may),
            (
                "  %3 = phi i8* [ %0, %1 ], [ %4, %2 ]\n  %4 = getelementptr inbounds i8, i8* %3, i64 1\n  store i8 7, i8* %4, align 1",
                reads_and_writes,
            ),
            ("  call void @llvm.memset.p0i8.i64(i8* align 1 %0, i8 0, i64 %1, i1 false)", reads_and_writes),
            ("  call void @llvm.memcpy.p0i8.p0i8.i64(i8* %9, i8* align 1 %0, i64 %1, i1 false)", may),
        ] {
            check(
                &format!("define void @f(i8* nocapture %0, i64 %1) {{\n{body}\n}}\n  store i8 0, i8* %0"),
                &[expected, "-"],
            );
        }
    }

    /// How each is passed, and what comes back.
    #[track_caller]
    fn check_passed(definition: &str, expected: &str) {
        let found = of_function(definition, "f").unwrap();
        let params: Vec<_> = found.params.iter().map(|(passed, _)| passed.to_string()).collect();
        let dots = if found.variadic { ", …" } else { "" };
        let ret = found.ret.map_or("nothing".to_owned(), |ret| ret.to_string());
        assert_eq!(format!("({}{dots}) {ret}", params.join(", ")), expected);
    }

    #[test]
    fn what_is_passed() {
        check_passed(
            "define dso_local signext i16 @f(i8* nocapture %0, i32 noundef %1, i1 zeroext %2, double %3, ...) #0 {",
            "(a pointer, an integer of 32 bits, an integer of 8 bits, a float of 64 bits, …) an integer of 16 bits",
        );
        check_passed("define noalias i8* @f() {", "() a pointer");
        check_passed("define ptr @f(float %a) {", "(a float of 32 bits) a pointer");
        check_passed(
            "define void @f(%struct.s* sret(%struct.s) align 8 %0, i64 %1) {",
            "(an integer of 64 bits) a struct",
        );
        check_passed("define { i64, i64 } @f(<2 x float> %0) {", "(a struct) a struct");
        assert_eq!(of_function("define internal void @f() {", "f"), None);
    }

    #[test]
    fn copies_on_the_stack_are_no_pointers() {
        check("define void @f(%struct.s* noundef byval(%struct.s) align 8 %0, i64 %1) {", &["-", "-"]);
    }
}
