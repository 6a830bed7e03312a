//! What values each key of the policy takes, in the user's terms. Serde's errors about a wrong type would name Rust
//! types.

use super::PolicyError;
use std::ops::Range;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// How the value of a key is written.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// `[path]`
    Table,
    /// `[[path]]`
    Tables,
    /// `key = VALUE`, with examples of all types of values that it takes.
    Values(&'static [&'static str]),
    /// `key = VALUE` with an integer; examples and a description of its range.
    Number(&'static [&'static str], &'static str),
}
use Form::{Number, Table, Tables, Values};

/// The form of each key, by path. `*` is a user-defined name, `**` any number of keys.
const FORMS: &[(&str, Form)] = &[
    ("version", Number(&["1"], "1")),
    ("expand", Values(&["true", "false"])),
    ("audit", Table),
    ("audit.safety-words", Values(&[r#"["INVARIANT"]"#])),
    ("audit.dependencies", Values(&[r#""summary""#])),
    ("check", Table),
    ("check.baseline", Values(&[r#""isolate-baseline.txt""#])),
    ("rules", Table),
    ("rules.*", Values(&[r#""deny""#])),
    ("exception", Tables),
    ("exception.rule", Values(&[r#""static-mut""#])),
    ("exception.at", Values(&[r#""mycrate::legacy::*""#])),
    ("exception.reason", Values(&[r#""single-threaded tool, removed with v2""#])),
    ("exception.until", Values(&["2027-01-31"])),
    ("crates", Table),
    ("crates.*", Table),
    ("crates.*.unsafe", Values(&[r#""forbid""#, r#""allow""#, "{ max = 40 }"])),
    ("crates.*.unsafe.max", Number(&["40"], "0 or more; `unsafe = \"allow\"` is without a maximum")),
    ("domain", Table),
    ("domain.*", Table),
    ("domain.*.library", Values(&[r#""libz-sys""#])),
    ("domain.*.version", Values(&[r#"">=1.1, <2""#])),
    ("domain.*.archives", Values(&[r#"["libz.a"]"#])),
    ("domain.*.backend", Values(&[r#""auto""#])),
    ("domain.*.level", Values(&[r#""integrity""#])),
    ("domain.*.heap", Values(&[r#"{ limit = "64MiB" }"#])),
    ("domain.*.heap.limit", Values(&[r#""64MiB""#])),
    ("domain.*.heap.kind", Values(&[r#""hardened""#])),
    ("domain.*.stack", Values(&[r#""1MiB""#])),
    ("domain.*.deadline", Values(&[r#""200ms""#])),
    ("domain.*.timer", Values(&[r#""shared""#])),
    ("domain.*.threads", Values(&[r#""one""#])),
    ("domain.*.instances", Values(&[r#""thread""#])),
    ("domain.*.own-threads", Number(&["4"], "4")),
    ("isolate", Tables),
    ("isolate.domain", Values(&[r#""zlib""#])),
    ("isolate.extern", Values(&[r#"["compress2", "inflate*"]"#])),
    ("isolate.except", Values(&[r#"["inflateBack*"]"#])),
    ("struct", Table),
    ("struct.*", Table),
    ("struct.*.create", Values(&[r#"{ "inflateInit*" = "inflateEnd" }"#])),
    ("struct.*.create.*", Values(&[r#""inflateEnd""#])),
    ("struct.*.private", Values(&[r#"["zalloc", "state"]"#])),
    ("struct.*.read", Values(&[r#"["total_in", "msg"]"#])),
    ("struct.*.field", Table),
    ("struct.*.field.*", Values(&[r#"{ dir = "in", left = "avail_in", fn = ["inflate"] }"#])),
    ("struct.*.field.*.len", Values(&[r#""size""#])),
    ("struct.*.field.*.position", Values(&[r#""pos""#])),
    ("struct.*.field.*.dir", Values(&[r#""in""#])),
    ("struct.*.field.*.left", Values(&[r#""avail_in""#])),
    ("struct.*.field.*.fn", Values(&[r#"["deflate", "inflate"]"#])),
    ("fn", Table),
    ("fn.*", Table),
    ("fn.*.arg", Table),
    ("fn.*.arg.*", Values(&[r#"{ kind = "buf", dir = "in", len = "src_len" }"#])),
    ("fn.*.ret", Values(&[r#"{ kind = "value" }"#])),
    ("fn.*.retry", Number(&["2"], "1 to 10")),
    ("fn.*.error", Values(&[r#""ret != 0""#, "false"])),
    ("fn.*.signature", Values(&[r#""fn(level: c_int) -> *mut c_void""#])),
    ("fn.*.message", Values(&[r#""zError(ret)""#])),
    ("fn.*.form", Table),
    ("fn.*.form.*", Table),
    ("fn.*.form.*.when", Values(&[r#""level > 0""#])),
    ("fn.*.form.*.extra", Values(&[r#"["text: *const c_char"]"#])),
    ("fn.*.form.*.arg", Table),
    ("fn.*.form.*.arg.*", Values(&[r#"{ kind = "buf", dir = "in", len = "src_len" }"#])),
    ("fn.*.form.*.ret", Values(&[r#"{ kind = "value" }"#])),
    ("fn.*.form.*.error", Values(&[r#""ret != 0""#, "false"])),
    ("fn.*.form.*.message", Values(&[r#""zError(ret)""#])),
    ("fn.*.bind", Table),
    ("fn.*.bind.*", Values(&[r#"{ rowbytes = "png_get_rowbytes(png_ptr, info_ptr)" }"#])),
    ("fn.*.bind.*.*", Values(&[r#""png_get_rowbytes(png_ptr, info_ptr)""#])),
    ("fn.**.kind", Values(&[r#""buf""#])),
    ("fn.**.dir", Values(&[r#""in""#])),
    ("fn.**.len", Values(&[r#""src_len""#, r#""16""#])),
    ("fn.**.cap", Values(&[r#""*destLen""#, r#""16""#])),
    ("fn.**.end", Values(&[r#""text_end""#])),
    ("fn.**.elem", Values(&[r#"{ kind = "cstr" }"#])),
    ("fn.**.written", Values(&[r#""*destLen""#])),
    ("fn.**.null", Values(&[r#""ok""#])),
    ("fn.**.own", Values(&[r#""give""#])),
    ("fn.**.free", Values(&[r#""sqlite3_finalize""#])),
    ("fn.**.parent", Values(&[r#""db""#])),
    ("fn.**.inner_of", Values(&[r#""zSql""#])),
    ("fn.**.value", Number(&["-1", r#""%Q""#], "64 bits with a sign")),
    ("fn.**.scope", Values(&[r#""call""#])),
    ("fn.**.until", Values(&[r#""free:OBJECT""#])),
    ("fn.**.user", Values(&[r#""data""#])),
    ("fn.**.params", Tables),
    ("fn.**.ty", Values(&[r#""c_ulong""#])),
];

/// The mistake in the value at `span`, if its type is wrong or it is a number out of range.
pub(super) fn wrong_type(document: &DeTable<'_>, message: &str, span: &Range<usize>) -> Option<PolicyError> {
    let at_place = |place: &Place<'_>| place.span == *span;
    let place = find(document, &mut Vec::new(), &at_place)?;
    let number = match place.value {
        DeValue::Integer(number) if message.starts_with("invalid ") => Some(number),
        _ => None,
    };
    let out_of_range = || {
        let form = place.form()?;
        let error = place.error(format!("`{}` is out of range", number?), form);
        Some(if let Number(_, range) = form { error.label(range) } else { error })
    };
    place.mistyped().or_else(out_of_range)
}

/// The first value of a wrong type. Serde accepts some of these, such as an array for a struct, by the order of its
/// fields.
pub(super) fn mistyped(document: &DeTable<'_>) -> Option<PolicyError> {
    find(document, &mut Vec::new(), &|place| place.mistyped().is_some())?.mistyped()
}

/// A value and its location.
#[derive(Clone)]
struct Place<'d> {
    /// The keys that lead to it.
    path: Vec<&'d str>,
    /// Whether it is an element of an array there.
    in_list: bool,
    span: Range<usize>,
    value: &'d DeValue<'d>,
}

impl Place<'_> {
    fn form(&self) -> Option<Form> {
        let form = FORMS.iter().find(|(pattern, _)| matches(&pattern.split('.').collect::<Vec<_>>(), &self.path));
        form.map(|(_, form)| *form)
    }

    fn mistyped(&self) -> Option<PolicyError> {
        let form = self.form()?;
        let expected = form.kinds(self.in_list);
        let found = Kind::of(self.value);
        let words = || expected.iter().map(|kind| kind.words()).collect::<Vec<_>>().join(" or ");
        let wrong = !expected.contains(&found);
        wrong.then(|| self.error(format!("expected {}, found {}", words(), found.words()), form))
    }

    fn error(&self, message: String, form: Form) -> PolicyError {
        PolicyError::new(self.span.clone(), message).help(format!("write it as {}", form.example(&self.path)))
    }
}

/// The first matching value, outer values before those inside them.
fn find<'d>(table: &'d DeTable<'_>, path: &mut Vec<&'d str>, wanted: &dyn Fn(&Place<'d>) -> bool) -> Option<Place<'d>> {
    table.iter().find_map(|(key, value)| {
        path.push(key.get_ref());
        let found = find_value(value, false, path, wanted);
        path.pop();
        found
    })
}

fn find_value<'d>(
    value: &'d Spanned<DeValue<'_>>,
    in_list: bool,
    path: &mut Vec<&'d str>,
    wanted: &dyn Fn(&Place<'d>) -> bool,
) -> Option<Place<'d>> {
    let place = Place { path: path.clone(), in_list, span: value.span(), value: value.get_ref() };
    if wanted(&place) {
        return Some(place);
    }
    match value.get_ref() {
        DeValue::Table(table) => find(table, path, wanted),
        DeValue::Array(items) => items.iter().find_map(|item| find_value(item, true, path, wanted)),
        _ => None,
    }
}

fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=path.len()).any(|skipped| matches(rest, &path[skipped..])),
        ([part, rest @ ..], [key, keys @ ..]) => (*part == "*" || part == key) && matches(rest, keys),
        _ => false,
    }
}

impl Form {
    /// The types that a value, or with `in_list` an element of it, may have.
    fn kinds(self, in_list: bool) -> Vec<Kind> {
        let of_example = |text: &&str| {
            let value = DeValue::parse(text).ok()?;
            match (value.get_ref(), in_list) {
                (DeValue::Array(items), true) => items.first().map(|item| Kind::of(item.get_ref())),
                (value, _) => Some(Kind::of(value)),
            }
        };
        let mut kinds: Vec<Kind> = match self {
            Table => vec![Kind::Table],
            Tables => vec![if in_list { Kind::Table } else { Kind::Array }],
            Values(examples) | Number(examples, _) => examples.iter().filter_map(of_example).collect(),
        };
        kinds.dedup();
        kinds
    }

    /// Shows in backticks how to write a value: `heap = { limit = "64MiB" }`.
    fn example(self, path: &[&str]) -> String {
        let key = |name: &str| {
            let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { format!("{name:?}") }
        };
        let joined = || path.iter().map(|name| key(name)).collect::<Vec<_>>().join(".");
        // A table with user-defined names below it cannot be written by itself.
        let below = |pattern: &&(&str, Form)| pattern.0 == format!("{}.*", path.join("."));
        match self {
            Table if FORMS.iter().any(|form| below(&form) && matches!(form.1, Table)) => {
                format!("`[{}.NAME]`", joined())
            }
            Table => format!("`[{}]`", joined()),
            Tables => format!("`[[{}]]`", joined()),
            Values(examples) | Number(examples, _) => {
                let key = key(path.last().copied().unwrap_or_default());
                let examples: Vec<_> = examples.iter().map(|example| format!("`{key} = {example}`")).collect();
                match examples.split_last() {
                    Some((last, [])) => last.clone(),
                    Some((last, others)) => format!("{} or {last}", others.join(", ")),
                    None => String::new(),
                }
            }
        }
    }
}

/// TOML types, in terms of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    String,
    Integer,
    Float,
    Boolean,
    Date,
    Array,
    Table,
}

impl Kind {
    fn of(value: &DeValue<'_>) -> Kind {
        match value {
            DeValue::String(_) => Kind::String,
            DeValue::Integer(_) => Kind::Integer,
            DeValue::Float(_) => Kind::Float,
            DeValue::Boolean(_) => Kind::Boolean,
            DeValue::Datetime(_) => Kind::Date,
            DeValue::Array(_) => Kind::Array,
            DeValue::Table(_) => Kind::Table,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Kind::String => "a string",
            Kind::Integer => "a whole number",
            Kind::Float => "a number with a fraction",
            Kind::Boolean => "`true` or `false`",
            Kind::Date => "a date",
            Kind::Array => "a list",
            Kind::Table => "a table",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DeValue, FORMS, Form, Kind, Number, Values, matches};
    use crate::policy::{read::read, schema::schema};
    use serde_json::Value;

    /// Collects the paths of all keys in the schema, with whether their values are in an array. User-defined names are
    /// `*`.
    fn keys(root: &Value, at: &Value, path: &str, found: &mut Vec<String>) {
        let at = match at["$ref"].as_str() {
            Some(name) => root.pointer(name.trim_start_matches('#')).unwrap(),
            None => at,
        };
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let mut key = |name: &str, value: &Value| {
            found.push(below(name));
            keys(root, value, &below(name), found);
        };
        for (name, value) in at["properties"].as_object().into_iter().flatten() {
            key(name, value);
        }
        if at["additionalProperties"].is_object() {
            key("*", &at["additionalProperties"]);
        }
        for choice in ["oneOf", "anyOf", "allOf"].iter().flat_map(|word| at[word].as_array().into_iter().flatten()) {
            keys(root, choice, path, found);
        }
        if at["items"].is_object() {
            keys(root, &at["items"], path, found);
        }
    }

    fn form(path: &str) -> Form {
        let keys: Vec<_> = path.split('.').collect();
        let known = FORMS.iter().find(|(pattern, _)| matches(&pattern.split('.').collect::<Vec<_>>(), &keys));
        known.unwrap_or_else(|| panic!("`{path}` is a key of the policy: say in FORMS how it is written")).1
    }

    /// A policy with this value at this path, and the position of the value.
    fn policy(path: &str, value: &str) -> (String, std::ops::Range<usize>) {
        let parts: Vec<_> = path.split('.').collect();
        let (mut text, mut end) = (String::from(if path == "version" { "" } else { "version = 1\n" }), String::new());
        for (index, part) in parts.iter().enumerate() {
            let in_list = matches!(form(&parts[..=index].join(".")), Form::Tables);
            let (open, close) = match (index + 1 == parts.len(), in_list) {
                (true, _) => ("", ""),
                (false, true) => ("[{ ", " }]"),
                (false, false) => ("{ ", " }"),
            };
            text += &format!("{part} = {open}");
            end.insert_str(0, close);
        }
        let start = text.len();
        (format!("{text}{value}{end}\n"), start..start + value.len())
    }

    fn all_keys() -> Vec<String> {
        let schema = schema();
        let mut found = Vec::new();
        keys(&schema, &schema, "", &mut found);
        let named = found.iter().map(|path| path.replace("rules.*", "rules.static-mut").replace('*', "name"));
        let mut named: Vec<_> = named.collect();
        named.sort();
        named.dedup();
        assert!(named.len() > 50 && named.iter().any(|path| path == "fn.name.arg.name.kind"), "{named:?}");
        named
    }

    /// Whatever the value of any key, no message uses terms of Rust. A value of a wrong type gets an example.
    #[test]
    fn wrong_types_are_told_in_the_words_of_users() {
        const VALUES: [&str; 10] =
            ["3", "-1", "99999999999999999999", "1.5", "true", r#""x y""#, "[]", "[1, [2]]", "2027-01-31", "{ a = 1 }"];
        for path in all_keys() {
            let kinds = [form(&path).kinds(false), form(&path).kinds(true)].concat();
            for value in VALUES {
                let (text, place) = policy(&path, value);
                let errors = read(&text).errors;
                for error in &errors {
                    let said = format!("{} {}", error.message, error.help.as_deref().unwrap_or_default());
                    for word in ["invalid", "usize", "u32", "i64", "struct ", "sequence", "map", "variant", "wanted"] {
                        assert!(!said.contains(word), "{text}{said}");
                    }
                }
                let kind = Kind::of(DeValue::parse(value).unwrap().get_ref());
                if !kinds.contains(&kind) {
                    let error = errors.iter().find(|error| error.span == place);
                    let help = error.and_then(|error| error.help.as_deref()).unwrap_or_default();
                    assert!(help.starts_with("write it as `"), "{text}{errors:?}");
                }
            }
        }
    }

    /// Lengths are expressions, so a number is shown in quotes.
    #[test]
    fn lengths_are_shown_as_names_and_as_numbers() {
        let (text, place) = policy("fn.f.arg.p.len", "2");
        let error = read(&text).errors.into_iter().find(|error| error.span == place).expect("an error");
        assert_eq!(error.help.as_deref(), Some("write it as `len = \"src_len\"` or `len = \"16\"`"));
    }

    /// The policy accepts the examples in help texts.
    #[test]
    fn examples_are_taken() {
        for path in all_keys() {
            let (Values(examples) | Number(examples, _)) = form(&path) else { continue };
            for example in examples {
                let (text, place) = policy(&path, example);
                let errors = read(&text).errors;
                let within =
                    errors.iter().filter(|error| error.span.start >= place.start && error.span.end <= place.end);
                // Keys that are missing next to the example do not matter here.
                let within: Vec<_> = within.filter(|error| !error.message.starts_with("no domain")).collect();
                assert!(within.is_empty(), "{text}{within:?}");
            }
        }
    }
}
