//! One direct call → the edits that make it a call of its wrapper, or why a person must do it.

mod buffer;
mod layout;
mod object;

use super::{
    argument::{self, Pointer},
    failure::{self, Constants},
    fault::Takes,
    finder::Found,
    locals::{self, Holds},
    source::{Edit, Source, range},
};
use crate::{
    contract::{Contract, Dir, expr::Expr as Length, object::Life},
    plan::{FunctionPlan, ParamPlan, Role},
    wrap::function,
};
use std::collections::BTreeMap;
use syn::{Expr, Lit};

/// A wrapper as its callers see it.
pub(super) struct Wrapper<'p> {
    pub(super) function: &'p FunctionPlan,
    /// `crate::isolated::zlib::crc32`.
    pub(super) path: String,
    /// Names and types of its parameters.
    pub(super) params: Vec<(String, String)>,
    /// `T` of its `Result<T, E>`.
    pub(super) ret: String,
    /// `E` of it.
    pub(super) error: String,
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
        let has_several = self.parts.iter().any(|part| matches!(part, Part::To(..)));
        self.call.code().is_none() && (has_several || matches!(self.parts[..], [Part::Ignored, ..]))
    }

    /// `in_block`: the call is all there is in a block, which its statements can use.
    pub(super) fn edits(&self, in_block: bool) -> Vec<Edit> {
        let call = &self.call;
        let mut edits = vec![Edit::new(range(&call.found.call.func), call.wrapper.path.clone())];
        edits.extend(call.argument_edits());
        let faults = match self.takes {
            Takes::Nothing => ".unwrap_or_else(|fault| panic!(\"{}\", fault))",
            Takes::Fault | Takes::Any => "?",
        };
        let end = range(call.found.call).end;
        if let Some(code) = call.code() {
            edits.push(Edit::insert(end, format!("{}{faults}", call.as_code(&self.parts, code))));
        } else if self.is_block() {
            call.block(&self.parts, faults, in_block, &mut edits);
        } else {
            let first = if self.parts.len() > 1 { ".0" } else { "" };
            edits.push(Edit::insert(end, format!("{faults}{first}")));
        }
        edits
    }

    /// Why it must stay after all.
    pub(super) fn left(&self, why: String) -> Left {
        Left { why, suggestion: self.call.suggestion(self.takes) }
    }
}

/// Why a call stays, and how far it could be read.
pub(super) struct Left {
    pub(super) why: String,
    /// The call to write, with the types of what is not known.
    pub(super) suggestion: String,
}

/// Reads one call. `takes`: what the function around it can return by `?`.
pub(super) fn read<'c>(
    source: &'c Source,
    found: &'c Found<'c>,
    wrapper: &'c Wrapper<'c>,
    takes: Takes,
    constants: Constants<'_>,
) -> Result<Ready<'c>, Left> {
    let mut call = Call { source, found, wrapper, arguments: BTreeMap::new(), outcomes: BTreeMap::new(), why: None };
    call.read();
    call.check_borrows();
    call.check_failure(constants);
    call.check_panic(takes);
    match (call.why.take(), call.results()) {
        (None, Some(parts)) => Ok(Ready { call, parts, takes }),
        (why, _) => Err(Left {
            why: why.unwrap_or_else(|| "its result is of a kind that no edit can pass on".to_owned()),
            suggestion: call.suggestion(takes),
        }),
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
}

/// A call that was read.
struct Call<'c> {
    source: &'c Source,
    found: &'c Found<'c>,
    wrapper: &'c Wrapper<'c>,
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

/// Where the number that C returned is to be found when the function did not fail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    /// It is always the same.
    Always(i64),
    /// It counts the elements that were written.
    Count,
    /// The wrapper returns it.
    Returned,
}

/// One part of what the wrapper returns.
enum Part<'c> {
    Returned,
    /// What the direct call returned, as a count of elements.
    Count,
    /// A count that the direct call did not give.
    Ignored,
    To(Outcome<'c>, &'static str),
}

impl<'c> Call<'c> {
    /// Where its wrapper tells failure by an `Err`: how the number that C returns is made of what the wrapper returns.
    fn code(&self) -> Option<Code> {
        let function = self.wrapper.function;
        let failing = function.failing.as_ref()?;
        Some(match failing.error.leaves_one_value() {
            Some(value) => Code::Always(value),
            None if function.is_told_otherwise() => Code::Count,
            None => Code::Returned,
        })
    }

    fn argument(&self, index: usize) -> Option<&'c Expr> {
        self.found.call.args.iter().nth(index)
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
                if argument::length(expr).is_none() {
                    return Err(format!("`{}` is a length that cannot be evaluated elsewhere", self.source.of(expr)));
                }
                debug_assert!(!slices.is_empty());
                Argument::Gone
            }
            (Role::EndOf(slice), _) => {
                return Err(format!("`{name}` is where `{slice}` ends, and the wrapper takes one slice for both"));
            }
            (Role::CellOf(_), _) => match argument::pointer(expr) {
                Pointer::To { place } => {
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
            (_, Contract::Buf { dir, len, nullable, .. }) => self.buffer(param, expr, *dir, len, *nullable)?,
            (_, Contract::Handle { .. } | Contract::Object { .. }) => return Err(object::why(self.wrapper, index)),
            (_, other) => return Err(format!("`{name}`: no edit is known for {}", other.to_toml())),
        };
        self.arguments.insert(index, read);
        Ok(())
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
            _ => Holds::Unknown,
        }
    }

    fn string(&self, expr: &Expr, nullable: bool, name: &str) -> Result<Argument, String> {
        let some = |text: String| Argument::Text(if nullable { format!("Some({text})") } else { text });
        match argument::pointer(expr) {
            Pointer::Null if nullable => Ok(Argument::Text("None".to_owned())),
            Pointer::Null => Err(format!("`{name}` is NULL here, and the policy says that it never is")),
            Pointer::Into { of, start: None, .. } => match (of, self.holds(of)) {
                (Expr::Lit(lit), _) if let Some(text) = c_literal(&lit.lit) => Ok(some(text)),
                (_, Holds::CString) => Ok(some(format!("&{}", self.source.of(of)))),
                (_, Holds::CStr) => Ok(some(self.source.of(of).to_owned())),
                _ => Err(format!("nothing says that `{}` is a `CStr` or `CString`", self.source.of(of))),
            },
            _ => Err(format!("`{name}`: `{}` is not the pointer of a `CStr` or `CString`", self.source.of(expr))),
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

    /// What is borrowed for writing is used nowhere else in the call.
    fn check_borrows(&mut self) {
        let is_written = |param: &ParamPlan| {
            matches!(
                param.decision.contract(),
                Some(Contract::Buf { dir: Dir::Out | Dir::Inout, .. } | Contract::Obj { dir: Dir::Inout, .. })
            )
        };
        for (index, param) in self.params().iter().enumerate().filter(|(_, param)| is_written(param)) {
            let place = match self.argument(index).map(argument::pointer) {
                Some(Pointer::Into { of, .. }) => of,
                Some(Pointer::To { place }) => place,
                _ => continue,
            };
            for (other, argument) in &self.arguments {
                let Some(expr) = self.argument(*other).filter(|_| *other != index) else { continue };
                if !matches!(argument, Argument::Gone) && argument::mentions(self.source, expr, place) {
                    let why = format!(
                        "`{}` is written to through `{}` and used in `{}` as well",
                        self.source.of(place),
                        param.name,
                        self.source.of(expr)
                    );
                    self.why.get_or_insert(why);
                    return;
                }
            }
        }
    }

    /// Where the function fails, nothing that it stored is looked at: the wrapper gives an `Err`, and stores nothing.
    fn check_failure(&mut self, constants: Constants<'_>) {
        let (Some(failing), Some(function)) = (&self.wrapper.function.failing, self.found.function) else { return };
        let ret = self.wrapper.function.ret.as_ref();
        if failing.error.has_negative() && ret.is_none_or(|ret| ret.shape.is_signed() != Some(true)) {
            // In C it is a large one. How the code around says that, nobody reads here.
            self.refuse(format!("`{}` has a negative number where the function returns none", failing.error));
            return;
        }
        let told = failure::told(&function, self.found.call, &failing.error, constants);
        for (index, param) in self.params().iter().enumerate() {
            let Some(expr) = self.argument(index) else { continue };
            let of = match (param.decision.contract(), self.outcomes.get(&index), argument::pointer(expr)) {
                (_, Some(Outcome::Assign(place) | Outcome::Write(place)), _) => place,
                (Some(Contract::Buf { dir: Dir::Out | Dir::Inout, written, .. }), _, pointer) => match pointer {
                    Pointer::Into { of, .. } => of,
                    Pointer::Null if self.code() == Some(Code::Count) && *written == Some(Length::Ret) => {
                        self.refuse(format!(
                            "`{}` is NULL: what comes back then is no count of its elements",
                            param.name
                        ));
                        return;
                    }
                    _ => continue,
                },
                (
                    Some(Contract::Obj { dir: Dir::Inout, .. }),
                    _,
                    Pointer::To { place: of } | Pointer::Named { name: of },
                ) => of,
                _ => continue,
            };
            let Some(root) = argument::root(of) else { continue };
            let outlives = !matches!(argument::without_parens(of), Expr::Path(_))
                || self.is_given(of)
                || matches!(self.holds(of), Holds::Slice { .. } | Holds::Reference);
            if told.looked_at(self.source, &function, self.found.call, (&root, outlives)) {
                let (error, of) = (&failing.error, self.source.of(of));
                let why = format!(
                    "where `{error}`, the wrapper stores nothing in `{of}`, which may be looked at all the same"
                );
                self.refuse(why);
                return;
            }
        }
    }

    /// It is a parameter of the function around the call.
    fn is_given(&self, of: &Expr) -> bool {
        let (Some(root), Some(function)) = (argument::root(of), self.found.function) else { return false };
        root == "self" || locals::is_parameter(&function, &root, range(self.found.call).start)
    }

    /// A fault that becomes a panic can be survived.
    fn check_panic(&mut self, takes: Takes) {
        let Some(function) = self.found.function.filter(|_| takes == Takes::Nothing) else { return };
        let signature = function.signature;
        let is_drop = signature.ident == "drop" && signature.inputs.len() == 1 && signature.receiver().is_some();
        if signature.abi.is_some() || is_drop {
            let name = &signature.ident;
            self.refuse(format!(
                "a fault would be a panic in `{name}`, which can end the process: say what it does then"
            ));
        }
    }

    /// The parts of the wrapper's result, in their order; `None` if it is not made of what is known here.
    fn results(&self) -> Option<Vec<Part<'c>>> {
        let function = self.wrapper.function;
        let mut parts = Vec::new();
        if let Some(ret) = &function.ret {
            match ret.decision.contract() {
                Some(Contract::Value) if function.is_told_otherwise() => {}
                Some(Contract::Value) => parts.push(Part::Returned),
                _ => return None,
            }
        }
        let cell_of = |len: &Length| match len {
            Length::Deref(cell) => function.params.iter().position(|param| param.name == *cell),
            _ => None,
        };
        for (index, param) in function.params.iter().enumerate() {
            match param.decision.contract()? {
                Contract::Buf { dir: Dir::Out | Dir::Inout, written: Some(written), .. } => match cell_of(written) {
                    Some(cell) => parts.push(Part::To(*self.outcomes.get(&cell)?, "written")),
                    // A count computed from several: the cell itself is not given back.
                    None if written.leaves().iter().any(|leaf| matches!(leaf, Length::Deref(_))) => return None,
                    None if self.code() == Some(Code::Count) && *written == Length::Ret => parts.push(Part::Count),
                    None => parts.push(Part::Ignored),
                },
                _ if matches!(param.role, Role::CellOf(_)) && !function::counted(function, &param.name) => {
                    parts.push(Part::To(*self.outcomes.get(&index)?, "len"));
                }
                Contract::Obj { dir: Dir::Out, .. } if function.is_count(&param.name) => {}
                Contract::Obj { dir: Dir::Out, .. } => parts.push(Part::To(*self.outcomes.get(&index)?, "value")),
                _ => {}
            }
        }
        let is_unit = self.wrapper.ret == "()";
        let is_tuple = self.wrapper.ret.starts_with('(') && !is_unit;
        // An object that it returns is none of them.
        (is_tuple == (parts.len() > 1) && is_unit == parts.is_empty()).then_some(parts)
    }

    /// The call to write by hand, as far as it is known.
    fn suggestion(&self, takes: Takes) -> String {
        let known = self.wrapper.function.params.iter().enumerate().flat_map(|(index, param)| self.known(index, param));
        let known: Vec<_> = known.collect();
        // Where the two lists do not go together, nothing is known of either.
        let known = if known.len() == self.wrapper.params.len() { known } else { Vec::new() };
        let mut known = known.into_iter();
        let arguments: Vec<_> = self
            .wrapper
            .params()
            .map(|(name, ty)| known.next().flatten().unwrap_or_else(|| format!("/* {name}: {ty} */")))
            .collect();
        let end = match (takes, self.code(), self.results()) {
            (Takes::Nothing, ..) => String::new(),
            (Takes::Any, ..) | (Takes::Fault, None, _) => "?".to_owned(),
            (Takes::Fault, Some(code), Some(parts)) => format!("{}?", self.as_code(&parts, code)),
            (Takes::Fault, Some(_), None) => ".map_err(/* `isolate_rt::Error`: a fault or a code */)?".to_owned(),
        };
        format!("{}({}){end}", self.wrapper.path, arguments.join(", "))
    }

    /// What the wrapper takes for a parameter of the function, as far as it is known: nothing for one that it hides, and the
    /// slices of its cursors behind an object.
    fn known(&self, index: usize, param: &ParamPlan) -> Vec<Option<String>> {
        let mut cursors = 0;
        let is_hidden = match param.decision.contract() {
            _ if !matches!(param.role, Role::Caller) => true,
            Some(Contract::Obj { dir, .. } | Contract::Handle { dir, .. } | Contract::Cstr { dir, .. }) => {
                *dir == Dir::Out
            }
            Some(Contract::Object { life: Life::Made { .. }, .. }) => true,
            Some(Contract::Object { cursors: all, .. }) => {
                cursors = all.iter().filter(|cursor| cursor.moves).count();
                false
            }
            Some(Contract::Given { .. } | Contract::Fixed { .. } | Contract::Text { .. } | Contract::Memory) => true,
            _ => false,
        };
        if is_hidden {
            return Vec::new();
        }
        let text = match (self.arguments.get(&index), self.argument(index)) {
            (Some(Argument::Kept), Some(expr)) => Some(self.source.of(expr).to_owned()),
            (Some(Argument::Text(text)), _) => Some(text.clone()),
            _ => None,
        };
        [vec![text], vec![None; cursors]].concat()
    }
}

/// `c"text"` for `c"text"` and `b"text\0"`.
fn c_literal(lit: &Lit) -> Option<String> {
    let bytes = match lit {
        Lit::CStr(text) => return Some(quote::quote!(#text).to_string()),
        Lit::ByteStr(text) => text.value(),
        Lit::Str(text) => text.value().into_bytes(),
        _ => return None,
    };
    let text = bytes.strip_suffix(b"\0")?;
    let is_plain = text.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\') || *byte == b' ');
    is_plain.then(|| format!("c\"{}\"", String::from_utf8_lossy(text)))
}
