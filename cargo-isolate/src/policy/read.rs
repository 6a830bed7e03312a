//! Text → [`Policy`], or every mistake in it.
//!
//! The TOML reader stops at the first mistake that the types do not allow. So that one run shows all of them, whatever it
//! complained of is taken out of the parsed document, and the rest is read again.

use super::{PolicyError, model::Policy};
use serde::Deserialize;
use std::ops::Range;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

/// Reads a policy by its shape alone.
///
/// # Errors
///
/// Every mistake found, sorted by place. Mistakes in the grammar hide those in the types, and these hide those in the
/// meaning: what a broken table means would be guesswork.
pub(super) fn parse(text: &str) -> Result<Policy, Vec<PolicyError>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(sorted(errors.iter().map(|error| explain(error.message(), error.span())).collect()));
    }
    deserialize(document)
}

pub(super) fn sorted(mut errors: Vec<PolicyError>) -> Vec<PolicyError> {
    errors.sort_by_key(|error| (error.span.start, error.span.end));
    errors
}

fn deserialize(mut document: Spanned<DeTable<'_>>) -> Result<Policy, Vec<PolicyError>> {
    let mut errors = Vec::new();
    let mut taken = Vec::new();
    loop {
        let error = match Policy::deserialize(Deserializer::from(document.clone())) {
            Ok(policy) if errors.is_empty() => return Ok(policy),
            Ok(_) => return Err(sorted(errors)),
            Err(error) => error,
        };
        let span = error.span().unwrap_or_default();
        // A key that is missing only because its value was taken out has been complained of.
        let follows =
            |Taken { table, key }: &Taken| *table == span && error.message() == format!("missing field `{key}`");
        if !taken.iter().any(follows) {
            errors.push(explain(error.message(), error.span()));
        }
        let table = document.span();
        match take(document.get_mut(), table, &span) {
            Some(entry) => taken.push(entry),
            None => return Err(sorted(errors)),
        }
    }
}

/// What was taken out of the document to read on.
struct Taken {
    /// The table that held it.
    table: Range<usize>,
    key: String,
}

/// Takes the key or value at `span` out of the table that stands at `place`, or out of what is in it.
fn take(table: &mut DeTable<'_>, place: Range<usize>, span: &Range<usize>) -> Option<Taken> {
    let found = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span);
    if let Some((key, _)) = found {
        let key = key.clone();
        table.remove(&key);
        return Some(Taken { table: place, key: key.get_ref().to_string() });
    }
    table.iter_mut().find_map(|(_, value)| take_below(value, span))
}

fn take_below(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Taken> {
    let place = value.span();
    match value.get_mut() {
        DeValue::Table(table) => take(table, place, span),
        DeValue::Array(array) if array.iter().any(|item| item.span() == *span) => {
            *array = array.iter().filter(|item| item.span() != *span).cloned().collect();
            Some(Taken { table: place, key: String::new() })
        }
        DeValue::Array(array) => array.iter_mut().find_map(|item| take_below(item, span)),
        _ => None,
    }
}

/// The reader's words in ours.
fn explain(message: &str, span: Option<Range<usize>>) -> PolicyError {
    let error = |message: String| PolicyError::new(span.clone().unwrap_or_default(), message);
    let names = quoted(message);
    match (message, names.split_first()) {
        (m, Some((key, known))) if m.starts_with("unknown field") => {
            suggest(error(format!("unknown key `{key}`")), key, known, "keys known here")
        }
        (m, Some((value, known))) if m.starts_with("unknown variant") => {
            suggest(error(format!("unknown value `{value}`")), value, known, "expected")
        }
        (m, Some((key, _))) if m.starts_with("missing field") => error(format!("missing key `{key}`")),
        ("duplicate key", _) => error("duplicate key".to_owned()).help("each key of a table is set once"),
        // What the reader says of a number where a word of a list belongs.
        ("wanted string or table", _) => error("expected a word in quotes".to_owned()),
        _ => error(message.trim_end().replace('\n', ", ")),
    }
}

fn suggest(error: PolicyError, word: &str, known: &[&str], expected: &str) -> PolicyError {
    match crate::nearest::nearest(word, known.iter().copied()) {
        Some(_) => error.did_you_mean(word, known.iter().copied()),
        None if known.is_empty() => error,
        None => error.help(format!("{expected}: `{}`", known.join("`, `"))),
    }
}

/// What stands between backticks.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Mistakes;

    fn read(text: &str) -> Result<Policy, Vec<PolicyError>> {
        let policy = parse(text)?;
        match crate::policy::validate::check(&policy) {
            errors if errors.is_empty() => Ok(policy),
            errors => Err(sorted(errors)),
        }
    }

    /// Reads a policy and shows what a user would see of its mistakes.
    #[track_caller]
    fn check(name: &str, text: &str) {
        let errors = read(text).expect_err("a policy with mistakes");
        let mistakes = Mistakes::new("policy.toml".into(), text.to_owned(), errors);
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

    #[test]
    fn mistakes_in_the_meaning() {
        check("no_version", "[rules]\n");
        check("other_version", "version = 2\n");
        check(
            "exception",
            "version = 1\n[[exception]]\nrule = \"static-mut\"\nat = \"a::[\"\nreason = \" \"\nuntil = 2027-01-31T10:00:00\n",
        );
        check(
            "domain",
            "version = 1\n[domain.zlib]\nlibrary = \"libz-sys\"\nheap = { limit = \"64\" }\nstack = \"1MB\"\ndeadline = \"soon\"\n\n[[isolate]]\ndomain = \"zllib\"\nextern = [\"a{\"]\n",
        );
    }
}
