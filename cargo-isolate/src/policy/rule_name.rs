//! Names of rules in the policy, restricted to existing rules.

use super::worded::worded;
use crate::nearest::nearest;
use isolate_lints::rules;
use serde::{Deserialize, Deserializer};

/// The name of an existing rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleName(pub(crate) &'static str);

impl<'de> Deserialize<'de> for RuleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RuleName, D::Error> {
        worded(deserializer, |name| {
            rules::find(name).map(|rule| RuleName(rule.name)).ok_or_else(|| {
                let help = match nearest(name, rules::RULES.iter().map(|rule| rule.name)) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => "`cargo isolate explain` lists the rules".to_owned(),
                };
                format!("unknown rule `{name}`\n{help}")
            })
        })
    }
}
