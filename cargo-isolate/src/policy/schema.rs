//! `docs/policy.schema.json`: the JSON schema of the policy for editors, generated from its types.

use super::{
    day::Day,
    duration::Period,
    model::{ErrorWord, FixedWord, Policy, UnsafeLimit},
    rule_name::RuleName,
    size::Size,
    versions::Versions,
};
use crate::glob::Glob;
use isolate_lints::rules::{RULES, Severity};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Implements the schema of a type with its own `Deserialize`.
macro_rules! schema {
    ($type:ty, $name:literal, $($schema:tt)+) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($schema)+)
            }
        }
    };
}

schema!(Size, "Size", { "type": "string", "pattern": "^[0-9]+ *(B|KiB|MiB|GiB)$" });
schema!(Period, "Period", { "type": "string", "pattern": "^0*[1-9][0-9]* *(us|ms|s|min)$" });
schema!(Versions, "Versions", { "type": "string" });
schema!(Glob, "Glob", { "type": "string" });
// Editors treat a TOML date as a string.
schema!(Day, "Day", { "type": "string", "format": "date" });
schema!(RuleName, "RuleName", { "enum": RULES.iter().map(|rule| rule.name).collect::<Vec<_>>() });
schema!(ErrorWord, "ErrorWord", { "oneOf": [{ "type": "string" }, { "const": false }] });
schema!(FixedWord, "FixedWord", { "type": ["integer", "string"] });
schema!(UnsafeLimit, "UnsafeLimit", {
    "oneOf": [
        { "enum": ["allow", "forbid"] },
        {
            "type": "object",
            "properties": { "max": { "type": "integer", "minimum": 0 } },
            "required": ["max"],
            "additionalProperties": false
        }
    ]
});

/// `[rules]`: a severity for each rule, with the rule's summary.
pub(super) fn rules(_: &mut SchemaGenerator) -> Schema {
    let severities = [Severity::Allow, Severity::Warn, Severity::Deny].map(|severity| severity.to_string());
    let rules = RULES.iter().map(|rule| {
        (rule.name.to_owned(), json!({ "description": rule.summary(), "enum": severities, "default": rule.default }))
    });
    json_schema!({ "type": "object", "properties": rules.collect::<Map<_, _>>(), "additionalProperties": false })
}

/// In draft 7 of JSON Schema, which editors support.
pub(super) fn schema() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Policy>();
    schema.insert("title".to_owned(), "policy.toml of cargo-isolate".into());
    schema.insert("required".to_owned(), json!(["version"]));
    let mut schema = schema.to_value();
    without_null(&mut schema);
    schema
}

/// Removes `null` from the schema, since TOML has none: an optional key is simply absent.
fn without_null(value: &mut Value) {
    let null = json!({ "type": "null" });
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| *choice != null);
                if let [Value::Object(only)] = &choices[..] {
                    let only = only.clone();
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

/// `cargo xtask generate` regenerates it.
#[test]
fn committed_schema_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policy.schema.json");
    let fresh = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("ISOLATE_UPDATE").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == fresh, "docs/policy.schema.json is stale: run `cargo xtask generate`");
}

/// The schema accepts the policies of this repository, and rejects wrong ones.
#[test]
fn example_policies_are_valid() {
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    let root = camino::Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let valid = |text: &str| validator.is_valid(&json(&text.parse::<toml::Table>().unwrap()));
    for policy in [
        "policy.toml",
        "tests/libraries/isolation.toml",
        "templates/demo/policy.toml",
        "cargo-isolate/tests/kinds/policy.toml",
        "tests/fixtures/tool/violations/policy.toml",
        "tests/fixtures/tool/clean/policy.toml",
    ] {
        assert!(valid(&std::fs::read_to_string(root.join(policy)).unwrap()), "{policy}");
    }
    for wrong in [
        "[rules]",
        "version = 1\n[rulse]",
        "version = 1\n[rules]\nstatic-mutt = \"deny\"",
        "version = 1\n[crates]\na = { unsafe = 3 }",
    ] {
        assert!(!valid(wrong), "{wrong}");
    }
}

/// TOML as JSON, as editors see it: dates are strings.
fn json(table: &toml::Table) -> Value {
    table.iter().map(|(key, value)| (key.clone(), json_value(value))).collect()
}

fn json_value(value: &toml::Value) -> Value {
    match value {
        toml::Value::Datetime(date) => json!(date.to_string()),
        toml::Value::Array(items) => items.iter().map(json_value).collect(),
        toml::Value::Table(table) => json(table),
        other => serde_json::to_value(other).unwrap(),
    }
}
