//! Text → [`Policy`], or all of its mistakes.
//!
//! Deserialisation stops at the first value that the types do not allow. To report all mistakes in one run, the
//! offending value is removed from the parsed document and deserialisation is repeated. The result is then validated. A
//! section with a syntax error is left out completely, since it would be guesswork to interpret its other lines.

use super::{
    PolicyError,
    expected::{mistyped, wrong_type},
    merge,
    model::Policy,
    validate,
};
use isolate_lints::rules;
use serde::Deserialize;
use std::{collections::BTreeSet, ops::Range};
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

/// A policy as far as it can be read, and its mistakes.
pub(super) struct Read {
    /// What could be read: all of it if there are no `errors`, `None` if nothing could be interpreted.
    pub(super) policy: Option<Policy>,
    /// Sorted by position.
    pub(super) errors: Vec<PolicyError>,
}

/// Reads a policy without reference to its workspace.
pub(super) fn read(text: &str) -> Read {
    let (mut document, errors) = DeTable::parse_recoverable(text);
    let mut errors = grammar(text, errors.iter().map(|error| (error.message(), error.span().unwrap_or_default())));
    let broken: Vec<_> =
        errors.iter().filter(|error| error.message != DUPLICATE).map(|error| error.span.start).collect();
    let rest = without_sections(text, &broken);
    if !broken.is_empty() {
        let (parsed, still) = DeTable::parse_recoverable(&rest);
        if still.iter().any(|error| error.message() != DUPLICATE) {
            return Read { policy: None, errors: sorted(errors) };
        }
        document = parsed;
    }
    let stated = Stated {
        version: !broken.is_empty() || document.get_ref().contains_key("version"),
        domains: if broken.is_empty() { Some(domains(document.get_ref())) } else { None },
    };
    let policy = deserialize(document, &mut errors);
    if let Some(error) = policy.as_ref().and_then(validate::other_version) {
        return Read { policy: None, errors: vec![error] };
    }
    let complained: Vec<_> = errors.iter().map(|error| error.span.clone()).collect();
    let checked = policy.iter().flat_map(|policy| validate::check(policy, &stated));
    errors.extend(checked.filter(|error| !complained.contains(&error.span)));
    Read { policy, errors: sorted(errors) }
}

/// What the text states, even in parts that could not be interpreted.
pub(super) struct Stated {
    /// Whether there is a version.
    pub(super) version: bool,
    /// Names of the domains; `None` if there may be more of them.
    pub(super) domains: Option<BTreeSet<String>>,
}

fn domains(document: &DeTable<'_>) -> BTreeSet<String> {
    match document.get("domain").map(Spanned::get_ref) {
        Some(DeValue::Table(domains)) => domains.keys().map(|name| name.get_ref().to_string()).collect(),
        _ => BTreeSet::new(),
    }
}

pub(super) fn sorted(mut errors: Vec<PolicyError>) -> Vec<PolicyError> {
    errors.sort_by_key(|error| (error.span.start, error.span.end));
    errors
}

/// The text with the sections that contain these positions replaced by blanks, so that all other positions stay valid.
fn without_sections(text: &str, places: &[usize]) -> String {
    let mut starts = vec![0];
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            starts.push(line_start);
        }
        line_start += line.len();
    }
    starts.push(text.len());
    let mut bytes = text.as_bytes().to_vec();
    for section in starts.windows(2) {
        let section = section[0]..section[1];
        if places.iter().any(|place| section.contains(place)) {
            bytes[section].iter_mut().filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b' ');
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// The policy without its invalid values, whose mistakes are added to `errors`; `None` if a mistake cannot be located.
fn deserialize(mut document: Spanned<DeTable<'_>>, errors: &mut Vec<PolicyError>) -> Option<Policy> {
    let mut taken: Vec<Taken> = Vec::new();
    loop {
        let place = document.span();
        let error = match Policy::deserialize(Deserializer::from(document.clone())) {
            Ok(policy) => match mistyped(document.get_ref()) {
                None => return Some(policy),
                Some(error) => {
                    taken.push(take(document.get_mut(), place, &error.span)?);
                    errors.push(error);
                    continue;
                }
            },
            Err(error) => error,
        };
        let (message, span) = (error.message(), error.span().unwrap_or_default());
        // If a key is missing only because its invalid value was removed, that mistake has already been reported.
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        let cause = taken.iter().find(|taken| taken.table == span && missing == Some(&taken.key));
        if let Some((Taken { key, value, .. }, stand_in)) = cause.and_then(|taken| Some((taken, stand_in(&taken.key)?)))
        {
            find_table(document.get_mut(), place, &span)?
                .insert(Spanned::new(value.clone(), key.clone().into()), Spanned::new(value.clone(), stand_in));
            continue;
        }
        if cause.is_none() {
            errors.push(match wrong_type(document.get_ref(), message, &span) {
                Some(error) => error,
                None => explain(message, span.clone()),
            });
        }
        taken.push(take(document.get_mut(), place, &span)?);
    }
}

/// A value that was removed from the document.
struct Taken {
    /// The table that contained it.
    table: Range<usize>,
    key: String,
    value: Range<usize>,
}

/// A valid value for a required key, so that the rest of its table can be checked.
fn stand_in(key: &str) -> Option<DeValue<'static>> {
    let text = match key {
        "extern" => return Some(DeValue::Array(toml::de::DeArray::new())),
        "rule" => rules::RULES[0].name,
        "at" => "*",
        "limit" => "1B",
        "domain" | "library" | "reason" => "-",
        _ => return None,
    };
    Some(DeValue::String(text.into()))
}

/// Removes the key or value at `span` from a table with the position `place`, or from a table inside it.
fn take(table: &mut DeTable<'_>, place: Range<usize>, span: &Range<usize>) -> Option<Taken> {
    let found = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span);
    if let Some((key, value)) = found {
        let (key, value) = (key.clone(), value.span());
        table.remove(&key);
        return Some(Taken { table: place, key: key.get_ref().to_string(), value });
    }
    table.iter_mut().find_map(|(_, value)| take_below(value, span))
}

fn take_below(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Taken> {
    let place = value.span();
    match value.get_mut() {
        DeValue::Table(table) => take(table, place, span),
        DeValue::Array(array) if array.iter().any(|item| item.span() == *span) => {
            *array = array.iter().filter(|item| item.span() != *span).cloned().collect();
            Some(Taken { table: place, key: String::new(), value: span.clone() })
        }
        DeValue::Array(array) => array.iter_mut().find_map(|item| take_below(item, span)),
        _ => None,
    }
}

/// The table at `span`, inside a table with the position `place`.
fn find_table<'t, 'd>(
    table: &'t mut DeTable<'d>,
    place: Range<usize>,
    span: &Range<usize>,
) -> Option<&'t mut DeTable<'d>> {
    fn below<'t, 'd>(value: &'t mut Spanned<DeValue<'d>>, span: &Range<usize>) -> Option<&'t mut DeTable<'d>> {
        let place = value.span();
        match value.get_mut() {
            DeValue::Table(table) => find_table(table, place, span),
            DeValue::Array(array) => array.iter_mut().find_map(|item| below(item, span)),
            _ => None,
        }
    }
    if place == *span {
        return Some(table);
    }
    table.iter_mut().find_map(|(_, value)| below(value, span))
}

/// The TOML parser's message for a key that is set twice.
const DUPLICATE: &str = "duplicate key";

/// Syntax errors. Only the first of each line is kept, since the others usually follow from it.
fn grammar<'m>(text: &str, found: impl Iterator<Item = (&'m str, Range<usize>)>) -> Vec<PolicyError> {
    let line = |place: usize| text[..place].rfind('\n').map_or(0, |end| end + 1);
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|(_, span)| span.start);
    let mut errors: Vec<PolicyError> = Vec::new();
    for (message, span) in found {
        let start = line(span.start);
        if errors.iter().any(|error| line(error.span.start) == start) {
            continue;
        }
        if let Some(marker) = merge::MARKERS.iter().find(|marker| text[start..].starts_with(**marker)) {
            if *marker == merge::MARKERS[0] {
                let end = text[start..].find('\n').map_or(text.len(), |end| start + end);
                errors.push(
                    PolicyError::new(start..end, merge::MESSAGE)
                        .help("keep what of them is to hold, without the marker lines"),
                );
            }
            continue;
        }
        if message != DUPLICATE && text[start..].trim_start().starts_with('[') && text[start..span.start].trim() == "["
        {
            // A table header is read as part of a value, so everything after it is misread, too.
            let error = PolicyError::new(span, "this table starts inside a value");
            errors.push(error.help("a `]`, `}` or quote is missing above it"));
            break;
        }
        let error = PolicyError::new(span, message.trim_end().replace('\n', ", "));
        errors.push(if message == DUPLICATE { error.help("each key of a table is set once") } else { error });
    }
    errors
}

/// Rewords a message of the deserialiser. Messages of our own types have the help on a second line.
fn explain(message: &str, span: Range<usize>) -> PolicyError {
    let names = quoted(message);
    match (message, names.split_first()) {
        (m, Some((key, known))) if m.starts_with("unknown field") => {
            suggest(PolicyError::new(span, format!("unknown key `{key}`")), key, known, "keys known here")
        }
        (m, Some((value, known))) if m.starts_with("unknown variant") => {
            suggest(PolicyError::new(span, format!("unknown value `{value}`")), value, known, "expected")
        }
        (m, Some((key, _))) if m.starts_with("missing field") => PolicyError::new(span, format!("missing key `{key}`")),
        _ => match message.trim_end().split_once('\n') {
            Some((message, help)) => PolicyError::new(span, message).help(help),
            None => PolicyError::new(span, message),
        },
    }
}

fn suggest(error: PolicyError, word: &str, known: &[&str], expected: &str) -> PolicyError {
    match crate::nearest::nearest(word, known.iter().copied()) {
        Some(_) => error.did_you_mean(word, known.iter().copied()),
        None if known.is_empty() => error,
        None => error.help(format!("{expected}: `{}`", known.join("`, `"))),
    }
}

/// The parts of a message between backticks.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Mistakes, text::Texts};

    /// Reads a policy, and shows its mistakes as a user would see them.
    #[track_caller]
    fn check(name: &str, text: &str) {
        let errors = read(text).errors;
        assert!(!errors.is_empty(), "a policy with mistakes");
        let mistakes = Mistakes::new("policy", Texts::new("policy.toml".into(), text.to_owned()), errors);
        let mut drawn = Vec::new();
        mistakes.draw(&mut drawn).unwrap();
        let drawn = anstream::adapter::strip_bytes(&drawn).into_vec();
        insta::assert_snapshot!(name, format!("{}error: {mistakes}", String::from_utf8(drawn).unwrap()), text);
    }

    #[test]
    fn mistakes_in_the_grammar() {
        check("syntax", "version = 1\n[rules\nstatic-mut = \"deny\"\n");
        check("duplicate_key", "version = 1\n\n[rules]\nstatic-mut = \"deny\"\nstatic-mut = \"warn\"\n");
        check("unquoted", "version = 1\n[domain.zlib]\nlibrary = libz-sys\nlevel = \"integrity\n");
        check(
            "syntax_and_others",
            "version = 1\n[domain.zlib]\nlibrary = libz-sys\n\n[rules]\nstatic-mutt = \"deny\"\nstatic-mut = \"deny\"\nstatic-mut = \"warn\"\n\n[[isolate]]\ndomain = \"zlib\"\nextern = []\n",
        );
        check(
            "merge",
            "version = 1\n[rules]\n<<<<<<< HEAD\nstatic-mut = \"deny\"\n=======\nstatic-mut = \"warn\"\n>>>>>>> topic\n",
        );
        check(
            "unclosed",
            "version = 1\n[[isolate]]\ndomain = \"zlib\"\nextern = [\"a\",\n\n[rules]\nstatic-mutt = \"deny\"\n",
        );
    }

    #[test]
    fn mistakes_in_keys_and_types() {
        check("unknown_key", "version = 1\n[audti]\n[domain.zlib]\nlibrary = \"libz-sys\"\nstak = \"1MiB\"\n");
        check("severity", "version = 1\n[rules]\nstatic-mut = \"den\"\nunsafe-block = 3\n");
        check("missing_key", "version = 1\n[[exception]]\nrule = \"static-mut\"\nat = \"a::*\"\n[domain.zlib]\n");
        check("wrong_type", "version = 1\n[[exception]]\nrule = \"static-mut\"\nat = 3\nreason = \"\"\n");
        check(
            "unsafe_limit",
            "version = 1\n[crates]\na = { unsafe = \"forbit\" }\nb = { unsafe = { mx = 3 } }\nc = { unsafe = 3 }\n",
        );
    }

    /// One run reports an unknown word, a wrong type, a wrong value, an unknown name and a missing key.
    #[test]
    fn mistakes_of_all_kinds_together() {
        check(
            "together",
            "version = 1\n[rules]\nstatic-mutt = \"deny\"\nextern-block = \"forbid\"\n[[exception]]\nrule = \"extern-blok\"\nat = \"a::[\"\nreason = \"\"\nuntil = \"2027-01-31\"\n[domain.zlib]\nlibrary = 3\nstack = \"1MB\"\nheap = { limit = \"9GiB\" }\n[[isolate]]\ndomain = \"zlib\"\nextern = [\"a{\", \"b\"]\n[[isolate]]\ndomain = \"zlip\"\nextern = [\"b\"]\n",
        );
    }

    /// However a policy is truncated, reading terminates and every mistake has a position in the text.
    #[test]
    fn broken_texts_end_in_mistakes_with_places() {
        let whole = concat!(
            include_str!("../../../policy.toml"),
            include_str!("../../../tests/libraries/isolation.toml"),
            "[audit]\ndependencies = \"full\"\n[check]\nbaseline = \"ä.txt\"\n[crates]\na.unsafe = { max = 3 }\n"
        );
        let places = |text: &str| {
            for error in read(text).errors {
                assert!(text.get(error.span.clone()).is_some(), "{:?} of {text}", error.span);
            }
        };
        let ends = whole.char_indices().map(|(end, _)| end).step_by(53);
        ends.for_each(|end| places(&whole[..end]));
        for line in 0..whole.lines().count() {
            let others = whole.lines().enumerate().filter(|(index, _)| *index != line);
            places(&others.map(|(_, line)| format!("{line}\n")).collect::<String>());
        }
        for (from, to) in
            [("\"", ""), ("= ", "= 3 "), ("= \"", "= [\""), ("{", "["), ("[[", "["), ("]", "]]"), ("deny", "dney")]
        {
            places(&whole.replace(from, to));
            for (place, _) in whole.match_indices(from).step_by(23) {
                places(&format!("{}{to}{}", &whole[..place], &whole[place + from.len()..]));
            }
        }
    }

    #[test]
    fn mistakes_in_the_meaning() {
        check("no_version", "[rules]\n");
        check("other_version", "version = 2\n[frobs]\n");
        check(
            "exception",
            "version = 1\n[[exception]]\nrule = \"static-mut\"\nat = \"a::[\"\nreason = \" \"\nuntil = 2027-01-31T10:00:00\n",
        );
        check(
            "limits",
            "version = 1\n[crates]\na = { unsafe = { max = -1 } }\nb = { unsafe = { max = 99999999999999999999 } }\n[fn.f]\nretry = -2\n",
        );
        check(
            "attempts",
            "version = 1\n[domain.zlib]\nlibrary = \"libz-sys\"\ntimer = \"shared\"\nthreads = \"one\"\ninstances = \"thread\"\nown-threads = 0\n\n[fn.crc32]\nretry = 0\n\n[fn.adler32]\nretry = 11\n",
        );
        check("safety_words", "version = 1\n[audit]\nsafety-words = [\"INVARIANT\", \"SOUND:\", \"\"]\n");
        check(
            "domain",
            "version = 1\n[domain.zlib]\nlibrary = \"libz-sys\"\nheap = { limit = \"64\" }\nstack = \"1MB\"\ndeadline = \"soon\"\n\n[[isolate]]\ndomain = \"zllib\"\nextern = [\"a{\"]\n",
        );
    }
}
