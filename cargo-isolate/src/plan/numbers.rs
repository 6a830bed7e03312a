//! Numbers of which lengths and conditions speak, against what each parameter turned out to be: the wrapper must have them.

use super::{ParamPlan, Role, mentions::mentions};
use crate::{
    contract::{
        Contract, Dir,
        expr::{Expr, Mentioned},
    },
    policy::{PolicyError, Spanned, model},
};
use std::ops::Range;

#[derive(Clone, Copy, PartialEq)]
enum When {
    Before,
    After,
}

/// A number that the wrapper has not, where an expression speaks of it, is a mistake.
pub(super) fn are_there(
    entry: Option<&model::FnContract>,
    when: Option<&Spanned<String>>,
    params: &[ParamPlan],
    errors: &mut Vec<PolicyError>,
) {
    let Some(entry) = entry else { return };
    let mut found = Vec::new();
    let mut lengths = |words: &model::Contract, of_ret: bool| {
        let known = if of_ret || comes_out(words) { When::After } else { When::Before };
        let elem = words.elem.iter().flat_map(|elem| [&elem.get_ref().len, &elem.get_ref().cap]);
        let before = [&words.len, &words.cap].into_iter().chain(elem).flatten();
        found.extend(before.flat_map(|text| numbers(text, false)).map(|mention| (mention, known)));
        found.extend(words.written.iter().flat_map(|text| numbers(text, false)).map(|mention| (mention, When::After)));
    };
    entry.arg.values().for_each(|words| lengths(words.get_ref(), false));
    entry.ret.iter().for_each(|words| lengths(words.get_ref(), true));
    // What a callback's own parameters are is for its contract to say.
    let of_callbacks = entry.arg.values().filter_map(|words| words.get_ref().params.as_ref());
    let texts = of_callbacks.flat_map(Spanned::get_ref).flat_map(|param| {
        let model::CallbackParam { len, cap, written, .. } = param.get_ref();
        [len, cap, written].into_iter().flatten()
    });
    let outer = texts.flat_map(|text| numbers(text, false)).filter_map(|(number, at)| match number {
        Expr::Outer(name) => Some(((Expr::Name(name), at), When::Before)),
        _ => None,
    });
    found.extend(outer);
    let told = entry.bind.values().flat_map(|lengths| lengths.values()).chain(&entry.message);
    found.extend(told.flat_map(|text| numbers(text, false)).map(|mention| (mention, When::After)));
    if let Some(error) = &entry.error
        && let model::ErrorWord::When(text) = error.get_ref()
    {
        let text = Spanned::new(error.span(), text.clone());
        found.extend(numbers(&text, true).into_iter().map(|mention| (mention, When::After)));
    }
    found.extend(when.into_iter().flat_map(|text| numbers(text, true)).map(|mention| (mention, When::Before)));
    for ((number, at), known) in found {
        let (name, deref) = match &number {
            Expr::Name(name) => (name, false),
            Expr::Deref(name) => (name, true),
            _ => continue,
        };
        let Some(param) = params.iter().find(|param| param.name == *name) else { continue };
        let Some(is) = missing(param, deref, known) else { continue };
        // Where its own words make it so, those are what to look at.
        let at = entry.arg.get(&**name).map_or(at, Spanned::span);
        let message = format!("`{number}` is no number that the wrapper has: `{name}` {is}");
        errors.push(PolicyError::new(at, message).help("say it by other parameters, or say of this one what it is"));
    }
}

/// The length of what the library hands out is known after the call.
fn comes_out(words: &model::Contract) -> bool {
    let is = |word: &Option<Spanned<String>>, wanted: &str| word.as_ref().is_some_and(|word| word.get_ref() == wanted);
    words.len.is_some() && is(&words.dir, "out")
}

/// The numbers that a text speaks of, with their places.
fn numbers(text: &Spanned<String>, is_condition: bool) -> Vec<(Expr, Range<usize>)> {
    let numbers = |(what, place): (Mentioned, Range<usize>)| -> Vec<_> {
        let numbers = match what {
            Mentioned::Outer(name) => vec![Expr::Outer(name)],
            Mentioned::Value(name) => vec![Expr::Name(name)],
            Mentioned::Pointee(name) => vec![Expr::Deref(name)],
            Mentioned::Call(call) => call.args,
            Mentioned::Ret | Mentioned::Null | Mentioned::Bound { .. } => Vec::new(),
        };
        numbers.into_iter().map(|number| (number, place.clone())).collect()
    };
    mentions(text, is_condition).into_iter().flat_map(numbers).collect()
}

/// What a parameter is, where that is no number for an expression.
fn missing(param: &ParamPlan, deref: bool, known: When) -> Option<String> {
    match &param.role {
        Role::LengthsOf(array) => return Some(format!("tells the length of each buffer of `{array}`")),
        Role::EndOf(slice) => return Some(format!("is where `{slice}` ends")),
        Role::LengthOf(_) => return None,
        // What is wrong with such a cell is told where it is read.
        Role::CellOf(_) if matches!(param.decision.contract()?, Contract::Obj { .. }) => return None,
        Role::CellOf(_) | Role::Caller => {}
    }
    let is_pointer = param.shape.pointee().is_some();
    let is = match param.decision.contract()? {
        Contract::Text { .. } | Contract::Size { .. } => "is always the same",
        Contract::Fixed { value: 0 } if is_pointer => "is NULL",
        Contract::Fixed { .. } if is_pointer => "is always the same",
        Contract::Obj { dir: Dir::In, nullable: true } if deref => "may be NULL",
        Contract::Obj { nullable: true, .. } if deref && known == When::Before => "may be NULL",
        Contract::Obj { dir: Dir::Out, .. } if deref && known == When::Before => "is written by the function",
        Contract::Buf { .. } | Contract::Array { .. } if deref => "is a slice",
        Contract::Given { .. } if deref => "comes out as a slice",
        Contract::Cstr { .. } if deref => "is a string",
        Contract::Inner { .. } if deref => "leads into another argument",
        _ => return None,
    };
    Some(is.to_owned())
}
