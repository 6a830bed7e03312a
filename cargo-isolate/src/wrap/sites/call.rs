//! One direct call → the edits that make it a call of its wrapper, or why a person must do it.

mod arguments;
mod binding;
mod buffer;
mod check;
mod helper;
mod layout;
mod object;
mod result;
mod spare;
mod suggestion;
mod text;

use super::{
    failure::Constants,
    fault::Takes,
    finder::Found,
    held::{At, Held, Made},
    source::{Edit, Source, place, range},
    wrappers::Wrapper,
};
use crate::{
    contract::{Contract, Hold},
    plan::ParamPlan,
};
pub(super) use object::all_of;
use result::Part;
use std::{collections::BTreeMap, ops::Range};
use syn::{Expr, spanned::Spanned};

/// A call that can be rewritten.
pub(super) struct Ready<'c> {
    call: Call<'c>,
    parts: Vec<Part<'c>>,
    /// What the function around it can return by `?`; where that is nothing, a fault ends in a panic.
    pub(super) takes: Takes,
}

impl Ready<'_> {
    /// Several statements take the place of the call.
    pub(super) fn is_block(&self) -> bool {
        let has_several = self.parts.iter().any(|part| matches!(part, Part::To { .. }));
        self.ended().is_none()
            && self.call.code().is_none()
            && (has_several || matches!(self.parts[..], [Part::Ignored, ..]))
            && self.binding().is_none()
    }

    /// What binds all that comes out by the statement of the call.
    fn binding(&self) -> Option<Vec<Edit>> {
        if self.call.code().is_some() { None } else { self.call.binding(&self.parts) }
    }

    /// `in_block`: the call is all there is in a block, which its statements can use.
    pub(super) fn edits(&self, in_block: bool) -> Vec<Edit> {
        let call = &self.call;
        if let Some(text) = self.ended() {
            return vec![Edit::new(range(call.found.call), text)];
        }
        let mut edits = vec![Edit::new(range(&call.found.call.func), call.path())];
        edits.extend(call.argument_edits());
        let buffers = call
            .params()
            .iter()
            .enumerate()
            .filter(|(_, param)| matches!(param.decision.contract(), Some(Contract::Buf { .. })));
        edits.extend(buffers.filter_map(|(index, _)| call.local_edit(call.argument(index)?)));
        edits.extend((0..call.params().len()).filter_map(|index| call.spare(index)).flat_map(|spare| spare.edits()));
        let faults = self.faults();
        let Range { start, end } = range(call.found.call);
        if let Some(code) = call.code() {
            edits.push(Edit::insert(end, format!("{}{faults}", call.as_code(&self.parts, code))));
        } else if self.is_block() {
            call.block(&self.parts, faults, in_block, &mut edits);
        } else if let Some(bound) = self.binding() {
            edits.extend(bound);
            edits.push(Edit::insert(end, faults));
        } else {
            let first = if self.parts.len() > 1 { ".0" } else { "" };
            let in_some = call.held.made(call.at()) == Some(Made::InSome);
            let (open, close) = if in_some { ("Some(", ")") } else { ("", "") };
            edits.extend(in_some.then(|| Edit::insert(start, open)));
            edits.push(Edit::insert(end, format!("{faults}{first}{close}")));
        }
        edits
    }

    /// Places of methods that were unsafe and are others now.
    pub(super) fn relieved(&self) -> impl Iterator<Item = At> + '_ {
        (0..self.call.params().len()).filter_map(|index| self.call.spare(index)).map(|spare| spare.set())
    }

    fn faults(&self) -> &'static str {
        match self.takes {
            Takes::Nothing => PANICS,
            Takes::Fault | Takes::Any => "?",
        }
    }

    /// What ends an object that is held, in the place of the call.
    fn ended(&self) -> Option<String> {
        let call = &self.call;
        call.held.ends(call.at())?;
        let of = |(index, param): (usize, &ParamPlan)| match param.decision.contract()? {
            Contract::Handle { hold, .. } => {
                Some((call.held.argument(call.argument(index)?)?, matches!(hold, Hold::Take { .. })))
            }
            _ => None,
        };
        let (given, takes) = call.params().iter().enumerate().find_map(of)?;
        let faults = (!self.ends_in_drop()).then(|| self.faults());
        Some(given.ended(&call.path(), takes, faults))
    }

    /// It ends an object in `drop`.
    pub(super) fn ends_in_drop(&self) -> bool {
        self.call.ends_in_drop()
    }

    /// Why it must stay after all.
    pub(super) fn left(&self, why: String) -> Left {
        Left { why, suggestion: self.call.suggestion(self.takes) }
    }
}

/// What a fault ends in where no error can be returned.
const PANICS: &str = ".unwrap_or_else(|fault| panic!(\"{}\", fault))";

/// Why a call stays, and how far it could be read.
pub(super) struct Left {
    pub(super) why: String,
    /// The call to write, with the types of what is not known.
    pub(super) suggestion: String,
}

/// Reads one call. `takes`: what the function around it can return by `?`. `in_root`: it stands in the module of the crate.
/// `held`: the pointers of the file that become handles.
pub(super) fn read<'c>(
    source: &'c Source,
    found: &'c Found<'c>,
    wrapper: &'c Wrapper<'c>,
    takes: Takes,
    in_root: bool,
    held: &'c Held,
    constants: Constants<'_>,
) -> Result<Ready<'c>, Left> {
    let mut call = Call {
        source,
        found,
        wrapper,
        in_root,
        held,
        arguments: BTreeMap::new(),
        outcomes: BTreeMap::new(),
        why: None,
    };
    call.read();
    call.check_borrows();
    call.check_lengths(takes, constants);
    call.check_failure(constants);
    call.check_panic(takes);
    match (call.why.take(), call.results()) {
        (None, Some(parts)) => Ok(Ready { call, parts, takes }),
        (why, _) => Err(Left { why: why.unwrap_or_else(|| call.why_no_result()), suggestion: call.suggestion(takes) }),
    }
}

/// What becomes of one argument.
enum Argument {
    /// Stays as it is.
    Kept,
    /// The wrapper does not take it.
    Gone,
    /// Is written anew.
    Text(String),
    /// A part of it stays, and with it the calls that are in there: what takes the place of the rest around it.
    Part { open: &'static str, inner: Range<usize>, close: &'static str },
}

/// A call that was read.
struct Call<'c> {
    source: &'c Source,
    found: &'c Found<'c>,
    wrapper: &'c Wrapper<'c>,
    /// `mod isolated` is beside it, and need not be looked for from the crate on: a lint is against that.
    in_root: bool,
    held: &'c Held,
    /// By position in the foreign signature.
    arguments: BTreeMap<usize, Argument>,
    /// Places that get a part of the result, by position.
    outcomes: BTreeMap<usize, Outcome<'c>>,
    /// The first thing that is in the way.
    why: Option<String>,
}

/// Where a value that comes out goes.
#[derive(Clone, Copy)]
enum Outcome<'c> {
    /// `place = value`.
    Assign(&'c Expr),
    /// `place.write(value)`: a `MaybeUninit`.
    Write(&'c Expr),
}

impl<'c> Call<'c> {
    /// What stands in the way of a result that code after the call could go on with.
    fn why_no_result(&self) -> String {
        let ret = self.wrapper.function.ret.as_ref().and_then(|ret| ret.decision.contract());
        match ret {
            Some(Contract::Cstr { .. }) => "the wrapper returns a copy, a `CString`, where C returned a pointer",
            Some(Contract::Inner { .. }) => "the wrapper returns a place in an argument, where C returned a pointer",
            Some(Contract::Handle { .. }) => "the wrapper returns a handle, where C returned a pointer",
            Some(Contract::Given { .. }) => "the wrapper returns a copy, a `Vec`, where C returned a pointer",
            _ => "its result cannot be adapted to the wrapper's automatically",
        }
        .to_owned()
    }

    /// Where it stands, as it is known by.
    fn at(&self) -> At {
        place(self.found.call.func.span())
    }

    fn argument(&self, index: usize) -> Option<&'c Expr> {
        self.found.call.args.iter().nth(index)
    }

    /// The wrapper's path.
    fn path(&self) -> String {
        let from = if self.in_root { "" } else { "crate::" };
        format!("{from}{}", self.wrapper.path)
    }

    fn params(&self) -> &'c [ParamPlan] {
        &self.wrapper.function.params
    }

    fn refuse(&mut self, why: String) {
        self.why.get_or_insert(why);
    }

    fn read(&mut self) {
        let count = self.params().len();
        if self.found.call.args.len() != count {
            self.refuse(format!("it has {} arguments for {count} parameters", self.found.call.args.len()));
            return;
        }
        for index in 0..count {
            if let Err(why) = self.read_argument(index) {
                self.refuse(why);
            }
        }
    }
}
