//! One direct call → the edits that make it a call of its wrapper, or why a person must do it.

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
    argument::{self, Pointer},
    failure::Constants,
    fault::Takes,
    finder::Found,
    held::{At, Held, Made},
    holds::{self, Holds},
    locals,
    source::{Edit, Source, place, range},
};
use crate::{
    contract::{Contract, Dir, Hold},
    plan::{FunctionPlan, ParamPlan, Role},
};
pub(super) use object::all_of;
use result::Part;
use std::{collections::BTreeMap, ops::Range};
use syn::{Expr, Lit, spanned::Spanned};

/// A wrapper as its callers see it.
pub(super) struct Wrapper<'p> {
    pub(super) function: &'p FunctionPlan,
    /// `isolated::zlib::crc32`.
    pub(super) path: String,
    /// Names and types of its parameters.
    pub(super) params: Vec<(String, String)>,
    /// `T` of its `Result<T, E>`.
    pub(super) ret: String,
    /// `E` of it.
    pub(super) error: String,
    /// Where each part of `T` comes from: 0 for what the function returned, else one more than the place of the parameter.
    pub(super) origins: Vec<usize>,
    /// For each parameter of the function, those whose wrappers return the object that it points to.
    pub(super) makers: Vec<Vec<&'p str>>,
}

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

    fn read_argument(&mut self, index: usize) -> Result<(), String> {
        let param = &self.params()[index];
        let Some(expr) = self.argument(index) else { return Ok(()) };
        let Some(contract) = param.decision.contract() else { return Err("it has no contract".to_owned()) };
        let name = &param.name;
        let read = match (&param.role, contract) {
            (Role::LengthOf(slices), _) => {
                debug_assert!(!slices.is_empty());
                let Some(length) = argument::length(expr) else {
                    return Err(format!("`{}` is a length that cannot be evaluated elsewhere", self.source.of(expr)));
                };
                self.check_type(length);
                Argument::Gone
            }
            (Role::EndOf(slice), _) => {
                return Err(format!("`{name}` is where `{slice}` ends, and the wrapper takes one slice for both"));
            }
            (Role::CellOf(_), _) => match argument::pointer(expr) {
                Pointer::To { place } => {
                    self.check_type(place);
                    self.outcomes.insert(index, Outcome::Assign(place));
                    Argument::Gone
                }
                _ => return Err(format!("`{name}`: `{}` is not `&mut` to a variable", self.source.of(expr))),
            },
            (_, Contract::Value) => Argument::Kept,
            (_, Contract::Cstr { dir: Dir::In, nullable, .. }) => self.string(expr, *nullable, name)?,
            (_, Contract::Obj { dir: Dir::Out, .. }) => {
                let outcome = self.place_for(expr, name)?;
                if let Outcome::Assign(place) = outcome
                    && !self.is_zero_before(place)
                {
                    return Err(format!(
                        "`{name}`: where the function writes nothing, `{}` keeps what it had, and the wrapper gives zero",
                        self.source.of(place)
                    ));
                }
                self.outcomes.insert(index, outcome);
                Argument::Gone
            }
            (_, Contract::Obj { dir, nullable }) => self.object(expr, *dir, *nullable, name)?,
            (_, Contract::Buf { dir, len, nullable, .. }) => self.buffer(index, expr, *dir, len, *nullable)?,
            (_, Contract::Handle { dir: Dir::Out, .. })
                if let Pointer::To { place } = argument::pointer(expr)
                    && self.held.room(place).is_some() =>
            {
                if !self.is_zero_before(place) {
                    return Err(object::why(self.wrapper, index));
                }
                self.outcomes.insert(index, Outcome::Assign(place));
                Argument::Gone
            }
            (_, Contract::Handle { nullable, hold, .. }) if let Some(given) = self.held.argument(expr) => {
                Argument::Text(match hold {
                    Hold::Take { .. } => given.place.clone(),
                    Hold::Keep | Hold::Give { .. } => given.reference(*nullable),
                })
            }
            (_, Contract::Handle { .. } | Contract::Object { .. }) => return Err(object::why(self.wrapper, index)),
            (_, Contract::Fixed { value }) if argument::is_fixed(expr, *value) || self.is_captured(name) => {
                Argument::Gone
            }
            (_, Contract::Fixed { value }) => {
                let value = if param.shape.is_number() { value.to_string() } else { "NULL".to_owned() };
                return Err(format!(
                    "`{name}` is always {value} in the wrapper, and `{}` may be another",
                    self.source.of(expr)
                ));
            }
            (_, Contract::Text { value }) if text::is(expr, value) => Argument::Gone,
            (_, Contract::Text { value }) => {
                return Err(format!(
                    "`{name}` is always {value:?} in the wrapper, and `{}` may be another",
                    self.source.of(expr)
                ));
            }
            (_, Contract::Size { of }) if argument::is_size_of(expr, &of.name) => Argument::Gone,
            (_, Contract::Size { of }) => {
                let (of, given) = (&of.name, self.source.of(expr));
                return Err(format!(
                    "`{name}` is always the size of `{of}` in the wrapper, and `{given}` may be another"
                ));
            }
            (_, Contract::Callback { nullable: true, .. }) if argument::is_fixed(expr, 0) => {
                Argument::Text("None".to_owned())
            }
            (_, Contract::Callback { .. }) => {
                return Err(format!(
                    "`{name}` is a callback: the wrapper takes a closure, which captures the user data itself"
                ));
            }
            (_, Contract::Array { .. }) => {
                return Err(format!(
                    "`{name}` is an array of pointers: the wrapper takes a slice of what they lead to"
                ));
            }
            (_, Contract::Slice { slice, .. }) => {
                return Err(format!(
                    "`{name}` is a `{}`: the wrapper takes a slice, and returns a copy",
                    slice.path.name
                ));
            }
            (_, Contract::Progress { slice, .. }) => {
                return Err(format!(
                    "`{name}` is a `{}`: the wrapper takes a slice, begins at its start, and returns how far the library has got",
                    slice.path.name
                ));
            }
            (_, Contract::Given { .. } | Contract::Cstr { dir: Dir::Out, .. }) => {
                return Err(format!("`{name}`: the wrapper returns a copy of what the library stores there"));
            }
            (_, Contract::Inner { dir: Dir::In, of, .. }) => {
                return Err(format!(
                    "`{name}`: the wrapper takes a place in `{of}`, a number, where C takes a pointer"
                ));
            }
            (_, Contract::Inner { of, .. }) => {
                return Err(format!("`{name}`: the wrapper returns a place in `{of}`, where C stores a pointer"));
            }
            (_, Contract::Cstr { .. }) => {
                return Err(format!(
                    "`{name}` is text that the function changes: the wrapper takes a `&CStr`, and the changes stay in the domain"
                ));
            }
            (_, Contract::Memory) => return Err(format!("`{name}` is memory that the wrappers free themselves")),
        };
        self.arguments.insert(index, read);
        Ok(())
    }

    /// A variable that is no argument any more has a type all the same.
    fn check_type(&mut self, variable: &Expr) {
        let (Expr::Path(path), Some(function)) = (argument::without_parens(variable), self.found.function) else {
            return;
        };
        let call = range(self.found.call).start;
        if let Some(name) = path.path.get_ident().map(ToString::to_string)
            && locals::is_of_any_type(&function, &name, call)
        {
            self.refuse(format!(
                "the type of `{name}` was inferred from this argument, which the wrapper does not take: annotate it in its `let`"
            ));
        }
    }

    /// It is what a callback is passed, which closures have no need of.
    fn is_captured(&self, name: &str) -> bool {
        let captured = |param: &ParamPlan| match param.decision.contract() {
            Some(Contract::Callback { user: Some(user), .. }) => user == name,
            _ => false,
        };
        self.params().iter().any(captured)
    }

    fn holds(&self, expr: &Expr) -> Holds {
        match (argument::without_parens(expr), self.found.function) {
            (Expr::Path(path), Some(function)) => match path.path.get_ident() {
                Some(name) => locals::holds(&function, &name.to_string(), range(self.found.call).start),
                None => Holds::Unknown,
            },
            (Expr::Lit(lit), _) => match &lit.lit {
                Lit::ByteStr(_) => Holds::Slice { of: Some("u8".to_owned()) },
                Lit::Str(_) => Holds::Text,
                Lit::CStr(_) => Holds::CStr,
                _ => Holds::Unknown,
            },
            (Expr::MethodCall(call), _) if call.method == "as_bytes" => Holds::Slice { of: Some("u8".to_owned()) },
            (Expr::MethodCall(call), _) if call.method == "as_c_str" => Holds::CStr,
            (Expr::Index(index), _) if matches!(*index.index, Expr::Range(_)) => self.holds(&index.expr).part(),
            (Expr::Field(field), _) if argument::is_self(&field.base) && self.found.outermost => {
                let of = self.found.of;
                of.map_or(Holds::Unknown, |of| holds::of_field(&self.source.file.items, of, &field.member))
            }
            _ => Holds::Unknown,
        }
    }

    fn object(&self, expr: &Expr, dir: Dir, nullable: bool, name: &str) -> Result<Argument, String> {
        let mutable = if dir == Dir::In { "" } else { "mut " };
        let some = |text: String| Argument::Text(if nullable { format!("Some({text})") } else { text });
        match argument::pointer(expr) {
            Pointer::Null if nullable => Ok(Argument::Text("None".to_owned())),
            Pointer::Null => Err(format!("`{name}` is NULL here, and the policy says that it never is")),
            Pointer::To { place } => Ok(some(format!("&{mutable}{}", self.source.of(place)))),
            Pointer::Named { name } if self.holds(name) == Holds::Reference => {
                Ok(some(self.source.of(name).to_owned()))
            }
            // A cast of a reference changes nothing but that it is one.
            _ if let Some(name) = argument::reference(expr)
                && self.holds(name) == Holds::Reference =>
            {
                Ok(some(self.source.of(name).to_owned()))
            }
            _ => Err(format!("`{name}`: nothing says what `{}` points to", self.source.of(expr))),
        }
    }

    fn place_for(&self, expr: &'c Expr, name: &str) -> Result<Outcome<'c>, String> {
        match argument::pointer(expr) {
            Pointer::To { place } => Ok(Outcome::Assign(place)),
            Pointer::Into { of, start: None, .. } if self.holds(of) == Holds::Uninit => Ok(Outcome::Write(of)),
            _ => Err(format!("`{name}`: `{}` is not `&mut` to a variable", self.source.of(expr))),
        }
    }

    /// A place that the wrapper's value does not change where the function wrote nothing.
    fn is_zero_before(&self, place: &Expr) -> bool {
        let (Expr::Path(path), Some(function)) = (argument::without_parens(place), self.found.function) else {
            return false;
        };
        let call = range(self.found.call).start;
        path.path.get_ident().is_some_and(|name| locals::is_zero(self.source, &function, &name.to_string(), call))
    }
}
