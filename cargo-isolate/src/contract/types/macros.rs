//! Aliases behind a macro that picks one of its arguments: `type z_size = if_zng!(usize, c_ulong);` in `libz-sys`.

use crate::rust;
use isolate_lints::cfg::{Configs, Presence};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeMap;

/// Expands `name!(arguments)` where some text defines `name` with `macro_rules!` as one rule of plain `$parameter`s separated
/// by commas. Anything richer gives `None`.
pub(super) fn expand<'t>(
    texts: impl IntoIterator<Item = (&'t str, &'t Configs)>,
    name: &str,
    arguments: &TokenStream,
) -> Option<TokenStream> {
    let definition = format!("macro_rules! {name}");
    let texts = texts.into_iter().filter(|(text, _)| text.contains(&definition));
    let files = texts.filter_map(|(text, configs)| Some((rust::file(text).ok()?, configs)));
    let items = files.flat_map(|(file, configs)| file.items.into_iter().map(move |item| (item, configs)));
    items.into_iter().find_map(|(item, configs)| match item {
        syn::Item::Macro(item) if item.ident.as_ref().is_some_and(|it| it == name) && is_active(&item, configs) => {
            apply(item.mac.tokens, arguments)
        }
        _ => None,
    })
}

fn is_active(item: &syn::ItemMacro, configs: &Configs) -> bool {
    let cfgs = item.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let predicates: Vec<_> =
        cfgs.filter_map(|attr| attr.meta.require_list().ok().map(|list| list.tokens.to_string())).collect();
    configs.likely(&predicates) != Presence::Dormant
}

fn apply(definition: TokenStream, arguments: &TokenStream) -> Option<TokenStream> {
    let mut rule = definition.into_iter();
    let TokenTree::Group(pattern) = rule.next()? else { return None };
    let TokenTree::Group(body) = rule.find(|token| matches!(token, TokenTree::Group(_)))? else { return None };
    let parameters = split(pattern.stream()).into_iter().map(parameter).collect::<Option<Vec<_>>>()?;
    let arguments = split(arguments.clone());
    if parameters.len() != arguments.len() {
        return None;
    }
    let values: BTreeMap<_, _> = parameters.into_iter().zip(arguments).collect();
    substitute(body.stream(), &values)
}

/// At commas outside any brackets.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    tokens.split(is_comma).map(<[_]>::to_vec).filter(|part| !part.is_empty()).collect()
}

/// The name in `$name:fragment`.
fn parameter(tokens: Vec<TokenTree>) -> Option<String> {
    match &tokens[..] {
        [TokenTree::Punct(dollar), TokenTree::Ident(name), TokenTree::Punct(colon), TokenTree::Ident(_)]
            if dollar.as_char() == '$' && colon.as_char() == ':' =>
        {
            Some(name.to_string())
        }
        _ => None,
    }
}

fn substitute(body: TokenStream, values: &BTreeMap<String, Vec<TokenTree>>) -> Option<TokenStream> {
    let mut out = TokenStream::new();
    let mut tokens = body.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '$' => {
                let TokenTree::Ident(name) = tokens.next()? else { return None };
                out.extend(values.get(&name.to_string())?.iter().cloned());
            }
            TokenTree::Group(group) => {
                let inner = substitute(group.stream(), values)?;
                match group.delimiter() {
                    Delimiter::None => out.extend(inner),
                    delimiter => proc_macro2::Group::new(delimiter, inner).to_tokens(&mut out),
                }
            }
            token => token.to_tokens(&mut out),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(text: &str, call: &str, expected: Option<&str>) {
        let call: syn::Macro = syn::parse_str(call).expect("a macro call");
        let name = call.path.get_ident().expect("one name").to_string();
        let configs = crate::fixture::linux();
        let expanded = super::expand([(text, &configs)], &name, &call.tokens).map(|tokens| tokens.to_string());
        assert_eq!(expanded.as_deref(), expected);
    }

    #[test]
    fn picks_the_active_definition() {
        let text = "#[cfg(not(zng))] macro_rules! if_zng { ($_z:tt, $n:tt) => { $n } }
                    #[cfg(zng)] macro_rules! if_zng { ($z:tt, $_n:tt) => { $z }; }";
        check(text, "if_zng!(usize, c_ulong)", Some("c_ulong"));
        check(text, "if_zng!(usize)", None);
        check(text, "other!(usize)", None);
    }

    #[test]
    fn gives_up_on_repetitions() {
        check("macro_rules! m { ($($x:ty),*) => { ($($x),*) } }", "m!(u8)", None);
    }
}
