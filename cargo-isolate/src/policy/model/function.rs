//! `[fn.NAME]`: the contract of a function as a whole, and of each of its forms.

use super::Contract;
use crate::policy::spanned::Spanned;
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use std::{collections::BTreeMap, fmt};

/// When a function has failed: `"ret != 0"`; or `false`: never, whatever ships says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ErrorWord {
    /// A condition over what it returned.
    When(String),
    Never,
}

impl<'de> Deserialize<'de> for ErrorWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl Visitor<'_> for Word {
            type Value = ErrorWord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition such as `\"ret != 0\"`, or `false`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ErrorWord, E> {
                Ok(ErrorWord::When(text.to_owned()))
            }

            fn visit_bool<E: de::Error>(self, when: bool) -> Result<ErrorWord, E> {
                match when {
                    false => Ok(ErrorWord::Never),
                    true => Err(E::custom("`true` does not say when: write a condition, as `\"ret != 0\"`")),
                }
            }
        }
        deserializer.deserialize_any(Word)
    }
}

/// The contract of one foreign function.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FnContract {
    /// By the parameter's declared name; `arg3` for a third without one.
    #[serde(default)]
    pub(crate) arg: BTreeMap<Spanned<String>, Spanned<Contract>>,
    /// What is returned.
    pub(crate) ret: Option<Spanned<Contract>>,
    /// How often a call that ended in a fault is made again. Says that it may be.
    #[cfg_attr(test, schemars(extend("minimum" = 1, "maximum" = 10)))]
    pub(crate) retry: Option<Spanned<u32>>,
    /// When the function has failed: a condition over `ret`. The wrapper returns an `Err` with the code then. `false`: what ships
    /// says so, and is not heard.
    pub(crate) error: Option<Spanned<ErrorWord>>,
    /// A function of the library that says in words what went wrong: `"zError(ret)"`.
    pub(crate) message: Option<Spanned<String>>,
    /// Lengths that are known of an object after the call, for other functions: by parameter and name, as expressions.
    #[serde(default)]
    pub(crate) bind: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<String>>>,
    /// The declaration that this was written for, with aliases followed, as `plan --explain` shows it: another one is a mistake.
    pub(crate) signature: Option<Spanned<String>>,
    /// The ways in which it is called, each with a wrapper of that name in place of the function's own.
    #[serde(default)]
    pub(crate) form: BTreeMap<Spanned<String>, Form>,
}

/// One way in which a function is called: what is said here goes over what is said of the function.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Form {
    /// What holds of the arguments then: a condition over the parameters.
    pub(crate) when: Option<Spanned<String>>,
    /// What a function with a variable number of arguments gets after its parameters: `"text: *const c_char"`.
    #[serde(default)]
    pub(crate) extra: Vec<Spanned<String>>,
    /// By the parameter's declared name; `arg3` for a third without one.
    #[serde(default)]
    pub(crate) arg: BTreeMap<Spanned<String>, Spanned<Contract>>,
    /// What is returned.
    pub(crate) ret: Option<Spanned<Contract>>,
    /// When the function has failed; `false`: never, in this form.
    pub(crate) error: Option<Spanned<ErrorWord>>,
    /// A function of the library that says in words what went wrong.
    pub(crate) message: Option<Spanned<String>>,
}

impl Form {
    /// The contract of the function in this form.
    pub(crate) fn over(&self, function: &FnContract) -> FnContract {
        let Form { when: _, extra: _, arg, ret, error, message } = self.clone();
        let own = FnContract { arg, ret, error, message, ..FnContract::default() };
        // The signature does not include the form's extra parameters.
        FnContract { signature: None, form: BTreeMap::new(), ..own.over(function) }
    }
}

impl FnContract {
    /// Overlays this contract on another of the same function: its values take precedence, for each key and each
    /// parameter.
    pub(crate) fn over(&self, other: &FnContract) -> FnContract {
        let error = self.error.clone().or_else(|| other.error.clone());
        let never = error.as_ref().is_some_and(|error| *error.get_ref() == ErrorWord::Never);
        let inherited = other.message.clone().filter(|_| !never);
        FnContract {
            arg: overlaid(&self.arg, &other.arg),
            ret: self.ret.clone().or_else(|| other.ret.clone()),
            retry: self.retry.clone().or_else(|| other.retry.clone()),
            error,
            message: self.message.clone().or(inherited),
            bind: overlaid(&self.bind, &other.bind),
            signature: self.signature.clone().or_else(|| other.signature.clone()),
            form: overlaid(&self.form, &other.form),
        }
    }
}

/// Merges two maps. A key in both has the position and value of the first.
fn overlaid<V: Clone>(
    first: &BTreeMap<Spanned<String>, V>,
    second: &BTreeMap<Spanned<String>, V>,
) -> BTreeMap<Spanned<String>, V> {
    let rest = second.iter().filter(|(key, _)| !first.contains_key(*key));
    first.iter().chain(rest).map(|(key, value)| (key.clone(), value.clone())).collect()
}
