//! Which constant of the library's bindings says how long a buffer is, by the names of both: `nonce` of `crypto_box_easy` has
//! `crypto_box_NONCEBYTES`. Good enough to suggest, and never to generate from.

use isolate_lints::facts::Constant;
use std::collections::BTreeMap;

/// Sizes in bytes by the names of the constants.
#[derive(Clone, Debug, Default)]
pub(super) struct Sizes(BTreeMap<String, u64>);

/// What the names of sizes end with; the first that fits goes.
const SIZES: [&str; 6] = ["_BYTES", "BYTES", "_LENGTH", "_SIZE", "_LEN", "LEN"];

/// What a parameter is called, and what its constant is.
const SHORT: [(&str, &str); 7] = [
    ("n", "nonce"),
    ("k", "key"),
    ("pk", "publickey"),
    ("sk", "secretkey"),
    ("ct", "ciphertext"),
    ("md", "digest"),
    ("sig", ""),
];

impl Sizes {
    pub(super) fn of<'c>(constants: impl IntoIterator<Item = &'c Constant>) -> Sizes {
        let mut sizes = BTreeMap::new();
        for constant in constants {
            let is_size = SIZES.iter().any(|end| constant.name.ends_with(end));
            if let Some(value) = literal(&constant.value).filter(|_| is_size) {
                // Two of a name with different values say nothing.
                let kept = sizes.entry(constant.name.clone()).or_insert(Some(value));
                *kept = kept.filter(|kept| *kept == value);
            }
        }
        Sizes(sizes.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| *value > 0)?))).collect())
    }

    /// The constant for the parameter of a function: of those that share the longest beginning with the function, those that
    /// bear the parameter's name, if they say one size.
    pub(super) fn of_param(&self, function: &str, param: &str) -> Option<(&str, u64)> {
        prefixes(function).find_map(|prefix| {
            let named = self.0.iter().filter(|(name, _)| {
                // `CRYPTO_KEYBYTES` is of `crypto_keypair`.
                let (start, rest) = name.split_at_checked(prefix.len()).unwrap_or_default();
                let rest = rest.strip_prefix('_').filter(|_| start.eq_ignore_ascii_case(prefix));
                rest.is_some_and(|rest| is_called(rest, param))
            });
            let mut named = named.map(|(name, value)| (&**name, *value));
            named.next().filter(|(_, first)| named.all(|(_, other)| other == *first))
        })
    }
}

/// `crypto_box_easy`, `crypto_box`, `crypto`.
fn prefixes(function: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(function), |longer| longer.rsplit_once('_').map(|(shorter, _)| shorter))
}

/// `NONCEBYTES` is for `n` and `nonce`, `BYTES` for `out` and `hash`, `PUBLICKEYBYTES` for `client_pk`, and not for `curve25519_pk`,
/// which is of something else than the function.
fn is_called(size: &str, param: &str) -> bool {
    let Some(of) = size_of(size) else { return false };
    let param = param.trim_matches('_').to_lowercase();
    let last = param.rsplit_once('_').filter(|(first, _)| first.chars().all(|c| c.is_ascii_alphabetic()));
    let param = last.map_or(&*param, |(_, last)| last);
    match &*of {
        "" => ["out", "h", "hash", "sig", "digest", "ss"].contains(&param),
        of => {
            of == param
                || SHORT.contains(&(param, of))
                // `out` and `OUTPUT`.
                || param.len() > 1 && of.starts_with(param) && ["output", "input"].contains(&of)
        }
    }
}

/// What it is the size of, in plain form; of the function's result where it is empty.
fn size_of(name: &str) -> Option<String> {
    let whole = format!("_{name}");
    let of = SIZES.iter().find_map(|end| whole.strip_suffix(end))?;
    Some(of.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect())
}

/// `32`, `32usize`, `0x20 as usize`.
fn literal(value: &str) -> Option<u64> {
    let value = value.split(" as ").next()?.trim();
    syn::parse_str::<syn::LitInt>(value).ok()?.base10_parse().ok()
}
