//! Small pieces of generated Rust.

use crate::contract::shape::Shape;
use std::collections::BTreeSet;

pub(super) fn optional(ty: String, nullable: bool) -> String {
    if nullable { format!("Option<{ty}>") } else { ty }
}

/// `call(from)`, or a `match` that passes on `none` where there is nothing.
pub(super) fn when_some(nullable: bool, borrow: &str, from: &str, call: &dyn Fn(&str) -> String, none: &str) -> String {
    if nullable { format!("match {borrow} {{ Some({from}) => {}, None => {none} }}", call(from)) } else { call(from) }
}

/// C's `T *` for what it only reads.
pub(super) fn mut_cast(shape: &Shape) -> &'static str {
    if matches!(shape, Shape::Pointer { mutable: true, .. }) { ".cast_mut()" } else { "" }
}

pub(super) fn room_pointer(room: &str, nullable: bool, is_const: bool, cast: &str) -> String {
    match (nullable, is_const) {
        (false, false) => format!("{room}.as_mut_ptr(){cast}"),
        (false, true) => format!("{room}.as_ptr(){cast}"),
        (true, false) => format!("{room}.map_or(std::ptr::null_mut(), |room| room.as_mut_ptr(){cast})"),
        (true, true) => format!("{room}.map_or(std::ptr::null(), |room| room.as_ptr(){cast})"),
    }
}

/// `let local = value;`, for a value below a comment too.
pub(super) fn bound(local: &str, value: &str) -> String {
    let (comment, value) = value.rsplit_once('\n').unwrap_or(("", value));
    format!("{comment}\nlet {local} = {value};")
}

pub(super) fn tuple(parts: &[String]) -> String {
    match parts {
        [one] => one.clone(),
        parts => format!("({})", parts.join(", ")),
    }
}

/// `dest` and `room` → `dest_room`; what stands at the end of `type_` does not make two underscores.
pub(super) fn joined(local: &str, suffix: &str) -> String {
    format!("{}_{suffix}", local.trim_end_matches('_'))
}

pub(in crate::wrap) fn fresh(taken: &mut BTreeSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// `type` → `r#type`: a name of the library, where a keyword cannot stand.
pub(crate) fn raw(name: &str) -> String {
    if syn::parse_str::<syn::Ident>(name).is_ok() { name.to_owned() } else { format!("r#{name}") }
}

/// `destLen` → `dest_len`, `type` → `type_`.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| chars[index]);
        let ends_word = before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
            || (before.is_some_and(char::is_uppercase) && chars.get(index + 1).is_some_and(|next| next.is_lowercase()));
        if c.is_uppercase() && ends_word {
            out.push('_');
        }
        // Two in a row would be no snake case.
        if c == '_' && out.ends_with('_') && !out.trim_start_matches('_').is_empty() {
            continue;
        }
        out.extend(c.to_lowercase());
    }
    if syn::parse_str::<syn::Ident>(&out).is_err() {
        out.push('_');
    }
    out
}
