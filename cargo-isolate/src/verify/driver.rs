//! The driver: calls every wrapper with arguments of the right types, made from the wrapper file as it is in the tree.

mod argument;
mod body;
mod types;

use super::stubs::{Exact, Foreign, RETURNED, Returns, Stored};
use argument::{Call, Meant};
use body::{bound, divisors};
use std::fmt::Write as _;
use syn::{FnArg, Item, Pat, Type, Visibility};
use types::{ends_in, generic, is_usize, mentions, success};

/// The public functions of a wrapper file, as cases for `play.rs`.
///
/// # Errors
///
/// A message for each wrapper whose parameters are of a type that no argument can be made of.
pub(super) fn cases(domain: &str, file: &syn::File, foreign: &[Foreign]) -> Result<Vec<Case>, Vec<String>> {
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    for item in &file.items {
        if let Item::Fn(function) = item
            && matches!(function.vis, Visibility::Public(_))
            && !foreign.iter().any(|foreign| foreign.picky && function.sig.ident == foreign.wrapper)
        {
            match case(domain, function, foreign) {
                Ok(case) => cases.push(case),
                Err(error) => errors.push(error),
            }
        }
    }
    if errors.is_empty() { Ok(cases) } else { Err(errors) }
}

/// One wrapper, ready to be called: an expression of type `play::Case`.
pub(super) struct Case(String);

/// `main.rs` of the package, over modules of its own and `isolated` and `stubs`.
pub(super) fn render(cases: &[Case]) -> String {
    let mut text = String::from(
        "//! Calls every wrapper while its library misbehaves. Written by `cargo isolate verify`.\n#![allow(warnings)]\n\n\
         mod acts;\nmod calls;\nmod inside;\nmod isolated;\nmod play;\nmod stubs;\n\n\
         use {acts::{absent, inner, length, row_length}, calls::*, play::{Case, Fails}};\n\n\
         fn main() -> std::process::ExitCode {\n    play::run(&[\n",
    );
    for case in cases {
        text.push_str(&case.0);
    }
    text.push_str("    ])\n}\n");
    text
}

fn case(domain: &str, function: &syn::ItemFn, foreign: &[Foreign]) -> Result<Case, String> {
    let name = function.sig.ident.to_string();
    let id = foreign.iter().position(|foreign| foreign.wrapper == name);
    let wrapped = id.map(|id| &foreign[id]);
    let mut call = call(domain, &name, function, wrapped)?;
    let result = success(&function.sig.output)
        .ok_or_else(|| format!("`{domain}::{name}` does not return `Result<_, Fault>`"))?;
    call.filled.extend(wrapped.into_iter().flat_map(|foreign| exact(foreign, result)));
    let foreign_name = wrapped.map_or(&*name, |foreign| &*foreign.name);
    let returns_bits = wrapped.is_some_and(|foreign| foreign.bits.is_some() && foreign.shows_ret);
    let returns_pointer = returns_bits || mentions(result, &["Handle", "Owned", "CString"]);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "        Case {{ domain: {domain:?}, function: {name:?}, foreign: {foreign_name:?}, id: {}, returns_pointer: {returns_pointer}, claims: {}, points: {}, follows: {}, slices: {}, fills: {}, nullable: {}, fails: {}, call: || {{",
        id.unwrap_or(usize::MAX),
        wrapped.is_none_or(Foreign::claims),
        wrapped.is_none_or(Foreign::points),
        call.follows,
        call.slices,
        !call.filled.is_empty(),
        call.nullable,
        fails(wrapped)
    );
    let held = counts(result, &call, wrapped).into_iter().map(|count| format!("within(result{count})?;"));
    let (held, text_of) = (held.collect::<Vec<_>>(), text_of(result));
    let made = format!("let result = isolated::{domain}::{name}({});", call.arguments.join(", "));
    let well = ["let result = result?;".to_owned()];
    for statement in call
        .before
        .iter()
        .chain([&made])
        .chain(&call.after)
        .chain(&well)
        .chain(&call.filled)
        .chain(&held)
        .chain(&text_of)
    {
        let _ = writeln!(text, "            {statement}");
    }
    let _ = writeln!(text, "            Ok(())\n        }} }},");
    Ok(Case(text))
}

/// When a function that works may return what its contract takes for an error: `play::Fails`.
fn fails(wrapped: Option<&Foreign>) -> &'static str {
    match wrapped.map(|foreign| foreign.returns) {
        None | Some(Returns::Anything | Returns::Number { .. } | Returns::Count { least: 0 }) => "Fails::Never",
        Some(Returns::Count { .. }) => "Fails::WithNothing",
        Some(Returns::Unknown) => "Fails::Perhaps",
    }
}

/// The arguments that a wrapper is called with.
fn call(domain: &str, name: &str, function: &syn::ItemFn, wrapped: Option<&Foreign>) -> Result<Call, String> {
    let (bound, divisors) = (bound(&function.block), divisors(&function.block));
    let mut call = Call::default();
    for (at, input) in function.sig.inputs.iter().enumerate() {
        let FnArg::Typed(parameter) = input else {
            return Err(format!("`{domain}::{name}` takes `self`"));
        };
        let own = match &*parameter.pat {
            Pat::Ident(own) => own.ident.to_string(),
            _ => at.to_string(),
        };
        call.meant = wrapped.and_then(|foreign| Meant::of(foreign, &own)).unwrap_or_default();
        // Any number is one, but a length divided by 0 never gets as far as the library.
        let argument = divisors.contains(&own).then(|| "1".to_owned());
        let argument = argument
            .or_else(|| call.argument(domain, name, at, &parameter.ty))
            .ok_or_else(|| format!("`{domain}::{name}`: no argument can be made for parameter `{own}`"))?;
        let lengths = bound.iter().filter(|(owner, _)| own == *owner);
        let is_of_rows = |name: &String| wrapped.is_some_and(|foreign| foreign.row_lengths.contains(name));
        call.before.extend(lengths.map(|(_, name)| {
            let length = if is_of_rows(name) { "row_length()" } else { "length()" };
            format!("owned{at}.bind({name:?}, {length});")
        }));
        call.arguments.push(argument);
    }
    Ok(call)
}

/// A statement that holds a string which comes out against what the stub has.
fn text_of(result: &Type) -> Option<String> {
    match result {
        Type::Path(path) if ends_in(path, "CString") => Some("as_it_was(Some(&result))?;".to_owned()),
        Type::Path(path) if ends_in(path, "Option") && generic(path).is_some_and(|ty| mentions(ty, &["CString"])) => {
            Some("as_it_was(result.as_deref())?;".to_owned())
        }
        _ => None,
    }
}

/// Statements that hold parts of the result against what the function returned or stored.
fn exact(foreign: &Foreign, result: &Type) -> Vec<String> {
    let parts: Vec<_> = match result {
        Type::Tuple(tuple) => (0..tuple.elems.len()).map(|at| format!("result.{at}")).collect(),
        _ => vec!["result".to_owned()],
    };
    if parts.len() != foreign.origins.len() {
        return Vec::new();
    }
    let came = parts.iter().zip(&foreign.origins).filter_map(|(part, origin)| {
        let (place, exact) = match origin {
            0 if foreign.points_into.is_some() => return Some(format!("is_place({part})?;")),
            0 if let Returns::Number { number, shown: true } = foreign.returns => {
                return Some(format!("came_back(&{part}, {number})?;"));
            }
            0 => (RETURNED, foreign.answers?),
            place => match foreign.stores(place - 1)? {
                Stored::Value(exact) => (place - 1, exact),
                Stored::Place(_) => return Some(format!("is_place({part})?;")),
                Stored::Anything | Stored::First | Stored::Object | Stored::Room | Stored::Rows => return None,
            },
        };
        Some(format!("came_out(std::slice::from_ref(&{part}), {place}, {})?;", exact == Exact::Whole))
    });
    came.collect()
}

/// Where in the result the counts of values written to the caller's room are: `""`, or `.1` of a tuple.
///
/// A wrapper reports them after what the function returned (if it shows anything that is not its error), in the order of its
/// parameters, among single values that the function stored.
fn counts(result: &Type, call: &Call, wrapped: Option<&Foreign>) -> Vec<String> {
    if call.rooms == 0 {
        return Vec::new();
    }
    let returns = wrapped.is_some_and(|foreign| foreign.shows_ret);
    let is_value = |at: usize| {
        let stored = wrapped.and_then(|foreign| foreign.stores(foreign.origins.get(at)?.checked_sub(1)?));
        matches!(stored, Some(Stored::Value(_)))
    };
    match result {
        Type::Tuple(tuple) => (0..tuple.elems.len())
            .filter(|at| (*at > 0 || !returns) && is_usize(&tuple.elems[*at]) && !is_value(*at))
            .map(|at| format!(".{at}"))
            // What is left are numbers that a count is made of.
            .take(call.rooms)
            .collect(),
        _ if is_usize(result) && !returns => vec![String::new()],
        _ => Vec::new(),
    }
}
