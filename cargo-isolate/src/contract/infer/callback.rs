//! Callbacks: what one is called with shows in its type, how long the library keeps it does not.

use super::{
    Nature, Refusal,
    lengths::{is_named_after, sounds_like_length},
    units::{doubt, words},
};
use crate::contract::{
    check::{MOST_ARGUMENTS, Signature},
    shape::{Function, Shape},
};

/// With words to start from, where a closure can stand behind such a pointer.
pub(super) fn refusal(signature: &Signature, index: usize, function: &Function) -> Refusal {
    let reason = "a callback: nothing in its type says how long the library may call it";
    Refusal { reason: reason.to_owned(), candidate: candidate(signature, index, function), is: Some(Nature::Callback) }
}

fn candidate(signature: &Signature, index: usize, function: &Function) -> Option<String> {
    let is_told = |shape: &Shape| shape.pointee().is_some() && !shape.is_newtype() || is_number(shape);
    let can_be = !function.variadic
        && function.params.len() <= MOST_ARGUMENTS
        && function.params.iter().all(|(_, shape)| is_told(shape))
        && function.ret.as_ref().is_none_or(is_number);
    if !can_be {
        return None;
    }
    let is_void = |shape: &Shape| matches!(shape.pointee(), Some((_, Shape::Void)));
    let beside =
        [Some(index + 1), index.checked_sub(1)].into_iter().flatten().filter_map(|at| signature.params.get(at));
    let one_void = function.params.iter().filter(|(_, shape)| is_void(shape)).count() == 1;
    let user = beside.into_iter().find(|param| one_void && is_void(&param.shape));
    let kind = |index: usize, shape: &Shape| match shape.pointee() {
        None => "{ kind = \"value\" }".to_owned(),
        Some((_, Shape::Void)) if user.is_some() => "{ kind = \"user\" }".to_owned(),
        Some((false, Shape::Char)) if length(function, index).is_none() => "{ kind = \"cstr\" }".to_owned(),
        Some((_, Shape::Opaque(_))) => "{ kind = \"handle\" }".to_owned(),
        Some(_) => format!("{{ kind = \"buf\", len = \"{}\" }}", length(function, index).unwrap_or("LENGTH")),
    };
    let kinds: Vec<_> = function.params.iter().enumerate().map(|(index, (_, shape))| kind(index, shape)).collect();
    let mut words = format!("{{ kind = \"cb\", scope = \"{}\"", scope(signature, index));
    if let Some(user) = user {
        words += &format!(", user = \"{}\"", user.name);
    }
    // Numbers and what was passed as `user` need no words.
    if function.params.iter().any(|(_, shape)| shape.pointee().is_some() && !(user.is_some() && is_void(shape))) {
        words += &format!(", params = [{}]", kinds.join(", "));
    }
    Some(words + " }")
}

/// `book_set_log(book, log)`: by its name it keeps the closure for the object, in a place for one. Any other is only called now, for all
/// that is known.
fn scope(signature: &Signature, index: usize) -> String {
    const KEEPS: [&str; 3] = ["set", "register", "install"];
    let keeps = words(&signature.name).iter().any(|word| KEEPS.contains(&&**word));
    let object = signature.params.iter().find(|param| matches!(param.shape.pointee(), Some((_, Shape::Opaque(_)))));
    match object.filter(|_| keeps) {
        Some(object) => format!("slot:{}.{}", object.name, signature.params[index].name),
        None => "call".to_owned(),
    }
}

/// The parameter that is the length of what the callback gets, by its name or by standing behind it.
fn length(function: &Function, index: usize) -> Option<&str> {
    let (name, shape) = &function.params[index];
    let (_, to) = shape.pointee()?;
    let is_length = |(length, shape): &&(String, Shape)| shape.is_int() && doubt("", length, to).is_none();
    let own = function.params.iter().filter(is_length).find(|(length, _)| is_named_after(length, name));
    // One without a name is called by its place.
    let is_nameless = |length: &str| length == format!("arg{}", index + 2);
    let behind = || function.params.get(index + 1).filter(is_length);
    let next = || behind().filter(|(length, _)| sounds_like_length(length) || is_nameless(length));
    own.or_else(next).map(|(length, _)| &**length)
}

fn is_number(shape: &Shape) -> bool {
    shape.is_number() && *shape != Shape::Int(None)
}
