//! The text that replaces a call. Only what changes is written, so that the layout around it is kept.

use super::{
    Argument, Call, Outcome,
    result::{Code, Part},
};
use crate::wrap::sites::{
    argument,
    source::{Edit, bytes, range},
};
use syn::punctuated::Pair;

impl Call<'_> {
    /// `{ let (ret, written) = call; place = written as _; ret }`, on lines of their own.
    pub(super) fn block(&self, parts: &[Part<'_>], faults: &str, in_block: bool, edits: &mut Vec<Edit>) {
        let whole = range(self.found.call);
        let (indent, newline) = (self.source.indent(whole.start), self.source.newline());
        let names = self.names(parts);
        let pattern = tuple(&names);
        let inner = if in_block { format!("{newline}{indent}") } else { format!("{newline}{indent}    ") };
        let (before, behind) = if self.found.operand { ("(", ")") } else { ("", "") };
        let open = if in_block { String::new() } else { format!("{before}{{{inner}") };
        edits.push(Edit::insert(whole.start, format!("{open}let {pattern} = ")));
        let mut after = format!("{faults};");
        for statement in self.assignments(parts, &names) {
            after.push_str(&format!("{inner}{statement}"));
        }
        if matches!(parts[0], Part::Returned) {
            after.push_str(&format!("{inner}{}", names[0]));
        }
        let close = if in_block { String::new() } else { format!("{newline}{indent}}}{behind}") };
        edits.push(Edit::insert(whole.end, format!("{after}{close}")));
    }

    /// `.map(|written| written as _).or_else(|error| error.into_code())`: the number that C returns, failure or not.
    pub(super) fn as_code(&self, parts: &[Part<'_>], code: Code) -> String {
        let names = self.names(parts);
        let place = parts.iter().position(|part| match code {
            Code::Always(_) => false,
            Code::Count => matches!(part, Part::Count),
            Code::Returned => matches!(part, Part::Returned),
        });
        let value = match (code, place.map(|place| &names[place])) {
            (Code::Always(value), _) => value.to_string(),
            (Code::Count, Some(name)) if self.wrapper.function.ret.as_ref().is_some_and(|ret| ret.shape.is_usize()) => {
                name.clone()
            }
            (Code::Count, Some(name)) => format!("{name} as _"),
            (_, name) => name.cloned().unwrap_or_default(),
        };
        let told = match self.assignments(parts, &names) {
            none if none.is_empty() && names == [&*value] => String::new(),
            none if none.is_empty() => format!(".map(|{}| {value})", tuple(&names)),
            some => format!(".map(|{}| {{ {} {value} }})", tuple(&names), some.join(" ")),
        };
        format!("{told}.or_else(|error| error.into_code())")
    }

    /// A name for each part of the result that shadows none of the places that parts are stored in; `_` for a part that
    /// is not used.
    fn names(&self, parts: &[Part<'_>]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for part in parts {
            let wanted = match part {
                Part::Returned => "ret",
                Part::Count => "count",
                Part::Ignored => "_",
                Part::To { name, .. } => name,
            };
            let is_taken = |name: &str| {
                let mut places = self.outcomes.values().map(|outcome| match outcome {
                    Outcome::Assign(place) | Outcome::Write(place) => self.source.of(place),
                });
                names.iter().any(|other| other == name) || places.any(|place| argument::has_word(place, name))
            };
            let mut name = wanted.to_owned();
            while name != "_" && is_taken(&name) {
                name.push('_');
            }
            names.push(name);
        }
        names
    }

    /// `place = written as _;` for each part that goes to a place.
    fn assignments(&self, parts: &[Part<'_>], names: &[String]) -> Vec<String> {
        let statement = |(part, name): (&Part<'_>, &String)| match part {
            Part::To { place: Outcome::Assign(place), converts, in_some, .. } => {
                let (before, after) = match (in_some, converts) {
                    (true, _) => ("Some(", ")"),
                    (false, true) => ("", " as _"),
                    (false, false) => ("", ""),
                };
                Some(format!("{} = {before}{name}{after};", self.source.of(place)))
            }
            Part::To { place: Outcome::Write(place), .. } => Some(format!("{}.write({name});", self.source.of(place))),
            Part::Returned | Part::Count | Part::Ignored => None,
        };
        parts.iter().zip(names).filter_map(statement).collect()
    }

    pub(super) fn argument_edits(&self) -> Vec<Edit> {
        let pairs: Vec<_> = self.found.call.args.pairs().collect();
        let is_omitted = |index: &usize| matches!(self.arguments[index], Argument::Omitted);
        let close = bytes(self.found.call.paren_token.span.close());
        let kept = (0..pairs.len()).rfind(|index| !is_omitted(index));
        let end =
            kept.map_or(bytes(self.found.call.paren_token.span.open()).end, |last| range(pairs[last].value()).end);
        let tail = end..close.start;
        // Trailing arguments that the wrapper does not take are removed together with their commas if they are on one
        // line, or if the closing parenthesis follows the last argument directly.
        let text = &self.source.text;
        let last = pairs.last().map_or(tail.start, |pair| range(pair.value()).end);
        let hugs = last <= close.start && !text[last..close.start].contains('\n');
        let is_tail = kept.map_or(0, |last| last + 1) < pairs.len() && (hugs || !text[tail.clone()].contains('\n'));
        let mut edits = Vec::new();
        for (index, pair) in pairs.iter().enumerate() {
            let argument = range(pair.value());
            match &self.arguments[&index] {
                Argument::Kept => {}
                Argument::Text(text) => edits.push(Edit::new(argument, text.clone())),
                Argument::Part { open, inner, close } => {
                    edits.push(Edit::new(argument.start..inner.start, *open));
                    edits.push(Edit::new(inner.end..argument.end, *close));
                }
                Argument::Omitted if is_tail && argument.start >= tail.start => {}
                Argument::Omitted => {
                    let comma = match pair {
                        Pair::Punctuated(_, comma) => Some(range(comma)),
                        Pair::End(_) => None,
                    };
                    edits.push(Edit::delete(self.source.removal(argument, comma)));
                }
            }
        }
        edits.extend(is_tail.then(|| Edit::delete(tail)));
        edits
    }
}

/// Names as a pattern.
pub(super) fn tuple(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        several => format!("({})", several.join(", ")),
    }
}
