//! Turns one direct call into the edits that make it a call of its wrapper, or says why that must be done by hand.

mod arguments;
mod binding;
mod buffer;
mod check;
mod helper;
mod layout;
mod object;
mod result;
mod spare_capacity;
mod suggestion;
mod text;

use super::{
    failure::Constants,
    fault::Takes,
    finder::Found,
    handles::{At, Handles, Stored},
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
    /// Which errors `?` can return from the enclosing function. If none, a fault panics.
    pub(super) takes: Takes,
}

impl Ready<'_> {
    /// Whether several statements replace the call.
    pub(super) fn is_block(&self) -> bool {
        let has_several = self.parts.iter().any(|part| matches!(part, Part::To { .. }));
        self.ended().is_none()
            && self.call.code().is_none()
            && (has_several || matches!(self.parts[..], [Part::Ignored, ..]))
            && self.binding().is_none()
    }

    /// The edits that bind all results in the statement of the call.
    fn binding(&self) -> Option<Vec<Edit>> {
        if self.call.code().is_some() { None } else { self.call.binding(&self.parts) }
    }

    /// The edits that rewrite the call. `in_block`: the call is the only expression of a block, so its statements can
    /// go directly into that block.
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
        edits.extend(
            (0..call.params().len()).filter_map(|index| call.spare_capacity(index)).flat_map(|spare| spare.edits()),
        );
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
            let in_some = call.handles.created(call.at()) == Some(Stored::InSome);
            let (open, close) = if in_some { ("Some(", ")") } else { ("", "") };
            edits.extend(in_some.then(|| Edit::insert(start, open)));
            edits.push(Edit::insert(end, format!("{faults}{first}{close}")));
        }
        edits
    }

    /// Positions of calls of unsafe methods that are replaced by safe ones.
    pub(super) fn made_safe(&self) -> impl Iterator<Item = At> + '_ {
        (0..self.call.params().len()).filter_map(|index| self.call.spare_capacity(index)).map(|spare| spare.set_len())
    }

    fn faults(&self) -> &'static str {
        match self.takes {
            Takes::Nothing => PANICS,
            Takes::Fault | Takes::Any => "?",
        }
    }

    /// The replacement of a call that destroys the object of a handle.
    fn ended(&self) -> Option<String> {
        let call = &self.call;
        call.handles.destroys(call.at())?;
        let of = |(index, param): (usize, &ParamPlan)| match param.decision.contract()? {
            Contract::Handle { hold, .. } => {
                Some((call.handles.argument(call.argument(index)?)?, matches!(hold, Hold::Take { .. })))
            }
            _ => None,
        };
        let (given, takes) = call.params().iter().enumerate().find_map(of)?;
        let faults = (!self.ends_in_drop()).then(|| self.faults());
        Some(given.ended(&call.path(), takes, faults))
    }

    /// Whether the call destroys an object in `drop`.
    pub(super) fn ends_in_drop(&self) -> bool {
        self.call.ends_in_drop()
    }

    /// Makes it a call that cannot be rewritten, with the reason.
    pub(super) fn not_rewritten(&self, why: String) -> NotRewritten {
        NotRewritten { why, suggestion: self.call.suggestion(self.takes) }
    }
}

/// The handling of a fault where no error can be returned.
const PANICS: &str = ".unwrap_or_else(|fault| panic!(\"{}\", fault))";

/// Why a call cannot be rewritten, and what is known of its replacement.
pub(super) struct NotRewritten {
    pub(super) why: String,
    /// The call to write, with the types of the arguments that are not known.
    pub(super) suggestion: String,
}

/// Reads one call. `takes`: which errors `?` can return from the enclosing function. `in_root`: the call is in the
/// crate's root module. `handles`: the pointers of the file that become handles.
pub(super) fn read<'c>(
    source: &'c Source,
    found: &'c Found<'c>,
    wrapper: &'c Wrapper<'c>,
    takes: Takes,
    in_root: bool,
    handles: &'c Handles,
    constants: Constants<'_>,
) -> Result<Ready<'c>, NotRewritten> {
    let mut call = Call {
        source,
        found,
        wrapper,
        in_root,
        handles,
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
        (why, _) => {
            Err(NotRewritten { why: why.unwrap_or_else(|| call.why_no_result()), suggestion: call.suggestion(takes) })
        }
    }
}

/// What one argument becomes.
enum Argument {
    /// It is unchanged.
    Kept,
    /// The wrapper does not take it.
    Omitted,
    /// It is replaced by this text.
    Text(String),
    /// The range `inner` is kept, with the calls that are in it. `open` and `close` replace the text around it.
    Part { open: &'static str, inner: Range<usize>, close: &'static str },
}

/// A call that is being read.
struct Call<'c> {
    source: &'c Source,
    found: &'c Found<'c>,
    wrapper: &'c Wrapper<'c>,
    /// `mod isolated` is a sibling item, so its path needs no `crate::`: a lint reports needlessly qualified paths.
    in_root: bool,
    handles: &'c Handles,
    /// The arguments, by their position in the foreign signature.
    arguments: BTreeMap<usize, Argument>,
    /// Places that receive a part of the result, by the position of their parameter.
    outcomes: BTreeMap<usize, Outcome<'c>>,
    /// The first reason why the call cannot be rewritten.
    why: Option<String>,
}

/// How a part of the result is stored.
#[derive(Clone, Copy)]
enum Outcome<'c> {
    /// `place = value`.
    Assign(&'c Expr),
    /// `place.write(value)`: a `MaybeUninit`.
    Write(&'c Expr),
}

impl<'c> Call<'c> {
    /// Why the code after the call cannot use the wrapper's result.
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

    /// The position that identifies the call.
    fn at(&self) -> At {
        place(self.found.call.func.span())
    }

    fn argument(&self, index: usize) -> Option<&'c Expr> {
        self.found.call.args.iter().nth(index)
    }

    /// The path of the wrapper.
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
