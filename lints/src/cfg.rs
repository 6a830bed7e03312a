//! What a `#[cfg(…)]` predicate comes to when the build is not known in full.

/// Whether a predicate holds on x86-64 Linux with the GNU C library: `None` where it depends on features or on what the
/// build decides. A name that no compiler sets (`cfg(zng)`) is false: build scripts rarely set it, and a wrong guess shows in
/// the facts, which keep the predicate.
///
/// `predicate` is the text between `cfg(` and `)`. What cannot be read is not known.
pub fn holds(predicate: &str) -> Option<bool> {
    nested(predicate, DEPTH)
}

/// Whether all of several predicates hold.
pub fn all_hold(predicates: &[String]) -> Option<bool> {
    let predicates: Vec<&str> = predicates.iter().map(String::as_str).collect();
    join(&predicates, false, DEPTH)
}

/// Predicates nested deeper than this are not read.
const DEPTH: usize = 64;

fn nested(predicate: &str, depth: usize) -> Option<bool> {
    let depth = depth.checked_sub(1)?;
    let predicate = predicate.trim();
    let Some((name, rest)) = predicate.split_once('(') else { return atom(predicate) };
    let arguments = split(rest.trim_end().strip_suffix(')')?);
    match name.trim() {
        "not" => nested(arguments.first()?, depth).map(|value| !value),
        "all" => join(&arguments, false, depth),
        "any" => join(&arguments, true, depth),
        _ => None,
    }
}

/// `any` where one `decisive` value settles it, `all` where one `false` does.
fn join(predicates: &[&str], decisive: bool, depth: usize) -> Option<bool> {
    let mut known = true;
    for predicate in predicates {
        match nested(predicate, depth) {
            Some(value) if value == decisive => return Some(decisive),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!decisive)
}

fn atom(atom: &str) -> Option<bool> {
    let Some((key, value)) = atom.split_once('=') else {
        return match atom {
            "unix" | "true" => Some(true),
            "debug_assertions" | "panic" | "overflow_checks" | "test" => None,
            _ => Some(false),
        };
    };
    let value = value.trim().trim_matches('"');
    let is = |expected: &str| Some(value == expected);
    match key.trim() {
        "target_os" => is("linux"),
        "target_arch" => is("x86_64"),
        "target_family" => is("unix"),
        "target_env" => is("gnu"),
        "target_vendor" => is("unknown"),
        "target_abi" => is(""),
        "target_endian" => is("little"),
        "target_pointer_width" => is("64"),
        "target_has_atomic" | "target_has_atomic_load_store" => Some(matches!(value, "8" | "16" | "32" | "64" | "ptr")),
        "target_has_atomic_equal_alignment" => Some(true),
        "target_feature" => {
            if matches!(value, "sse" | "sse2" | "fxsr") {
                Some(true)
            } else {
                None
            }
        }
        "feature" | "panic" => None,
        _ => Some(false),
    }
}

/// Splits at commas outside parentheses and strings.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut quoted, mut start) = (Vec::new(), 0_usize, false, 0);
    for (at, char) in list.char_indices() {
        match char {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(list[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(predicate: &str, expected: Option<bool>) {
        assert_eq!(holds(predicate), expected, "{predicate}");
    }

    #[test]
    fn targets_are_known() {
        check("unix", Some(true));
        check("windows", Some(false));
        check("target_os = \"linux\"", Some(true));
        check("not(target_pointer_width = \"32\")", Some(true));
        check("any(windows, target_env = \"gnu\")", Some(true));
        check("all()", Some(true));
        check("any()", Some(false));
    }

    #[test]
    fn what_the_build_decides_is_not() {
        check("feature = \"std\"", None);
        check("not(feature = \"std\")", None);
        check("test", None);
        check("all(feature = \"a,b(\", windows)", Some(false));
        check("any(feature = \"std\", unix)", Some(true));
        check("all(feature = \"std\", unix)", None);
    }

    #[test]
    fn names_that_no_compiler_sets_are_false() {
        check("zng", Some(false));
        check("all(zng, windows, not(target_env = \"gnu\"))", Some(false));
        check("all(not(zng), not(all(target_family = \"wasm\", target_os = \"unknown\")))", Some(true));
    }

    #[test]
    fn nonsense_is_not_known() {
        check("version(\"1.2\")", None);
        check("all(unix", None);
    }
}
