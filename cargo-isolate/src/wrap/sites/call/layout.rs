//! What is written in the place of a call: only what changes, so that all around it stays as it is laid out.

use super::{Argument, Call, Outcome, Part};
use crate::wrap::sites::{
    argument,
    source::{Edit, bytes, range},
};
use std::ops::Range;
use syn::punctuated::Pair;

impl Call<'_> {
    /// `{ let (ret, written) = call; place = written as _; ret }`, on lines of their own.
    pub(super) fn block(&self, parts: &[Part<'_>], faults: &str, in_block: bool, edits: &mut Vec<Edit>) {
        let whole = range(self.found.call);
        let (indent, newline) = (self.source.indent(whole.start), self.source.newline());
        let mut names: Vec<String> = Vec::new();
        for part in parts {
            let wanted = match part {
                Part::Returned => "ret",
                Part::Ignored => "_",
                Part::To(_, name) => name,
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
        let pattern = match &names[..] {
            [one] => one.clone(),
            several => format!("({})", several.join(", ")),
        };
        let inner = if in_block { format!("{newline}{indent}") } else { format!("{newline}{indent}    ") };
        let (before, behind) = if self.found.operand { ("(", ")") } else { ("", "") };
        let open = if in_block { String::new() } else { format!("{before}{{{inner}") };
        edits.push(Edit::insert(whole.start, format!("{open}let {pattern} = ")));
        let mut after = format!("{faults};");
        for (part, name) in parts.iter().zip(&names) {
            match part {
                Part::To(Outcome::Assign(place), "value") => {
                    after.push_str(&format!("{inner}{} = {name};", self.source.of(place)))
                }
                Part::To(Outcome::Assign(place), _) => {
                    after.push_str(&format!("{inner}{} = {name} as _;", self.source.of(place)))
                }
                Part::To(Outcome::Write(place), _) => {
                    after.push_str(&format!("{inner}{}.write({name});", self.source.of(place)))
                }
                Part::Returned | Part::Ignored => {}
            }
        }
        if matches!(parts[0], Part::Returned) {
            after.push_str(&format!("{inner}{}", names[0]));
        }
        let close = if in_block { String::new() } else { format!("{newline}{indent}}}{behind}") };
        edits.push(Edit::insert(whole.end, format!("{after}{close}")));
    }

    pub(super) fn argument_edits(&self) -> Vec<Edit> {
        let pairs: Vec<_> = self.found.call.args.pairs().collect();
        let is_gone = |index: &usize| matches!(self.arguments[index], Argument::Gone);
        let close = bytes(self.found.call.paren_token.span.close());
        let kept = (0..pairs.len()).rfind(|index| !is_gone(index));
        let end =
            kept.map_or(bytes(self.found.call.paren_token.span.open()).end, |last| range(pairs[last].value()).end);
        let tail = end..close.start;
        // What goes at the end of a line goes at once, with its commas, and so does what the parenthesis stands right behind.
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
                Argument::Gone if is_tail && argument.start >= tail.start => {}
                Argument::Gone => {
                    let comma = match pair {
                        Pair::Punctuated(_, comma) => Some(range(comma)),
                        Pair::End(_) => None,
                    };
                    edits.push(Edit::delete(self.removal(argument, comma)));
                }
            }
        }
        edits.extend(is_tail.then(|| Edit::delete(tail)));
        edits
    }

    /// The bytes that go with an argument: its comma, and its line where it has one of its own.
    fn removal(&self, argument: Range<usize>, comma: Option<Range<usize>>) -> Range<usize> {
        let text = &self.source.text;
        let comma = comma.filter(|comma| self.source.space(argument.end..comma.start).is_some());
        let end = comma.map_or(argument.end, |comma| comma.end);
        let line = self.source.line_start(argument.start);
        let rest = &text[end..];
        let space = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        match rest[space..].find('\n').filter(|newline| rest[space..][..*newline].trim().is_empty()) {
            Some(newline) if self.source.space(line..argument.start).is_some() => line..end + space + newline + 1,
            Some(_) => text[..argument.start].trim_end_matches([' ', '\t']).len()..end + space,
            None => argument.start..end + space,
        }
    }
}
