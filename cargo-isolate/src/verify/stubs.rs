//! Functions that stand where the foreign ones stood, with the same signatures and the behaviour of `inside.rs`.

use super::{chosen::Amount, types::Types};
use crate::{
    contract::{Dir, number::Number},
    graph::Graph,
};
use std::{collections::BTreeSet, fmt::Write as _};

/// A foreign function as its package declares it.
#[derive(Clone, Debug)]
pub(crate) struct Foreign {
    /// Index in the graph of the package that declares it.
    pub(crate) package: usize,
    pub(crate) name: String,
    /// The name of its wrapper: a function that is called in several forms has several.
    pub(crate) wrapper: String,
    /// The wrapper is for some values of its arguments, and none were found.
    pub(crate) picky: bool,
    /// How many of its parameters are declared, where a variable number of arguments follows.
    pub(crate) variadic: Option<usize>,
    pub(crate) params: Vec<Param>,
    /// As source text; `None` for unit.
    pub(crate) ret: Option<String>,
    /// The integer as which its wrapper takes what it returns, before that is known to be a value.
    pub(crate) bits: Option<String>,
    /// Lengths of objects that say how long each of several buffers is.
    pub(crate) row_lengths: Vec<String>,
    /// It returns a pointer that is never NULL, as its contract says.
    pub(crate) never_null: bool,
    /// It returns a pointer into the argument in this place, never NULL.
    pub(crate) points_into: Option<usize>,
    /// Its wrapper returns what it returns, in some form.
    pub(crate) shows_ret: bool,
    /// It returns how many elements it wrote to the caller's room.
    pub(crate) counts: bool,
    /// How it tells that it works.
    pub(crate) returns: Returns,
    /// What it returns, whatever it is, its wrapper returns.
    pub(crate) answers: Option<Exact>,
    /// Where each part of what the wrapper returns comes from: 0 for what the function returned, else one more than the place
    /// of the parameter.
    pub(crate) origins: Vec<usize>,
}

/// How far a value that comes out can be held against the one that the function had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exact {
    /// A number.
    Whole,
    /// A struct, which may have padding.
    InPart,
}

/// What a function returns that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returns {
    /// Nothing that it returns, 0 or an object of its own, is an error.
    Anything,
    /// This is no error; with `shown` its wrapper returns it.
    Number { number: i64, shown: bool },
    /// How much there is of something; fewer than `least` are an error.
    Count { least: i64 },
    /// Nobody here knows what is no error.
    Unknown,
}

/// One of its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    /// As the wrapper calls what it takes for it.
    pub(crate) name: String,
    /// As source text.
    pub(crate) ty: String,
    /// What it must be when the wrapper was called, as the contract says.
    pub(crate) given: Option<Given>,
    /// How many elements the wrapper's slice has for it, in Rust, if that is more than a guess.
    pub(crate) elements: Option<String>,
    /// What the function stores through it, if it is such a pointer.
    pub(crate) stored: Option<Stored>,
    /// How the function calls it, if it is a callback that the wrapper passes.
    pub(crate) called: Option<Called>,
    /// What it moves in the object that it points to.
    pub(crate) cursors: Vec<Cursor>,
}

/// A pointer in an object, and a count of the elements that are left there.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// As the wrapper calls the slice that it takes.
    pub(crate) name: String,
    pub(crate) field: String,
    /// The field that counts.
    pub(crate) left: String,
    pub(crate) dir: Dir,
    /// Bytes of an element.
    pub(crate) size: u32,
}

/// What a function gets for what its wrapper got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// The same number.
    Number,
    /// This one.
    Amount(Amount),
    /// The length of a slice; 0 where that may be NULL and is.
    Length { nullable: bool },
    /// A pointer to the length of a slice.
    Cell,
    /// A pointer to numbers with the values of a slice; NULL where that may be NULL and is.
    Input { nullable: bool },
    /// The same, which is still there when the object of the argument in this place ends.
    Kept { object: usize, nullable: bool },
    /// A pointer to the length of each slice of the array in this place: 0 where every other one may be NULL and is.
    Lengths { of: usize, gaps: bool, nullable: bool },
    /// A pointer behind the last element of the slice in this place.
    End { slice: usize, nullable: bool },
    /// A pointer into what the argument in this place points to; NULL where it may be NULL and is.
    Place { of: usize, nullable: bool },
    /// A pointer to as many pointers as the slice has elements.
    Pointers {
        to: Pointee,
        /// Every other one may be NULL.
        gaps: bool,
        /// NULL stands behind the last.
        ended: bool,
        nullable: bool,
    },
}

/// What the pointers of an array lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointee {
    /// The string that the wrapper was given.
    Text,
    /// The values in a slice.
    Values,
    /// An object in the domain.
    Object,
}

impl Foreign {
    /// There is something that it returns, stores or calls back with.
    pub(super) fn claims(&self) -> bool {
        self.ret.is_some() || self.params.iter().any(|param| param.stored.is_some() || param.called.is_some())
    }

    /// That may be a pointer.
    pub(super) fn points(&self) -> bool {
        let is_number = |ty: &str| Number::named(ty.rsplit("::").next().unwrap_or(ty).trim()).is_some();
        let pointee = |ty: &str| ty.trim_start().strip_prefix("*mut").is_some_and(is_number);
        self.ret.as_ref().is_some_and(|ty| !is_number(ty))
            || self.params.iter().any(|param| param.called.is_some() || param.stored.is_some() && !pointee(&param.ty))
    }

    /// What it stores through the parameter in this place: its stub has those parameters that all forms have.
    pub(super) fn stores(&self, place: usize) -> Option<Stored> {
        self.params[place].stored.filter(|_| self.variadic.is_none_or(|declared| place < declared))
    }
}

/// How a callback is called.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    /// It is an `Option` of a function pointer.
    pub(crate) nullable: bool,
    /// For each of its own parameters, whether it is a pointer.
    pub(crate) pointers: Vec<bool>,
}

/// What a function stores through a pointer, as its contract says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Anything,
    /// The first element of a room that may have none.
    First,
    /// One value, which goes back to the caller as it is.
    Value(Exact),
    /// A pointer that is never NULL.
    Object,
    /// A pointer into the argument in this place.
    Place(usize),
    /// Numbers, as many as the wrapper's caller has room for, all of which go back to the caller if they are counted.
    Room,
    /// The same in each of several rooms, all of which go back.
    Rows,
}

/// The place of what a function returns, where its parameters have theirs.
pub(super) const RETURNED: usize = 63;

/// The places of what objects point to.
pub(super) const CURSORS: usize = 48;

/// The number of elements that slices have, in Rust.
pub(super) fn usual() -> String {
    Amount::Length.in_rust("usize")
}

/// A module with a stub for each of `functions`.
pub(super) fn render(graph: &Graph, functions: &[Foreign]) -> String {
    let mut types = Types::of(graph);
    let mut stubs = String::new();
    let mut written = BTreeSet::new();
    for Foreign { package, name, params, ret, bits, never_null, points_into, variadic, .. } in functions {
        if !written.insert(name) {
            continue;
        }
        // Each form has a number of its own: what one passes another need not.
        let forms: Vec<_> = functions.iter().enumerate().filter(|(_, other)| other.name == *name).collect();
        let params = match variadic {
            Some(declared) if forms.len() > 1 => &params[..*declared],
            _ => params,
        };
        let package = &graph.packages[*package];
        let list = params.iter().enumerate().map(|(at, param)| format!("a{at}: {}", types.rewrite(package, &param.ty)));
        let list: Vec<String> = list.collect();
        // The type is there, whatever the function returns.
        let ret = ret.as_ref().map(|ty| types.rewrite(package, ty));
        let ret = bits.clone().or(ret);
        let arrow = ret.as_ref().map(|ty| format!(" -> {ty}")).unwrap_or_default();
        let stub = match variadic {
            None => name.clone(),
            // Rust can call a function with a variable number of arguments, and not define one.
            Some(declared) => {
                let types: Vec<_> = list.iter().filter_map(|param| param.split_once(": ")).map(|(_, ty)| ty).collect();
                let (all, declared) = (types.join(", "), types[..*declared].join(", "));
                let _ = writeln!(
                    stubs,
                    "\npub const {name}: unsafe extern \"C\" fn({declared}, ...){arrow} =\n    unsafe {{ std::mem::transmute(stub_of_{name} as unsafe extern \"C\" fn({all}){arrow}) }};"
                );
                format!("stub_of_{name}")
            }
        };
        let _ = writeln!(stubs, "\npub unsafe extern \"C\" fn {stub}({}){arrow} {{", list.join(", "));
        let _ = writeln!(stubs, "    inside::begin();");
        for (id, form) in &forms {
            let given = form.params[..params.len()].iter().enumerate();
            for (at, param, given) in given.filter_map(|(at, param)| Some((at, param, param.given?))) {
                let elements = param.elements.clone().unwrap_or_else(usual);
                let _ = writeln!(stubs, "    {}", given.check(*id, at, &elements));
            }
            for (at, param) in form.params[..params.len()].iter().enumerate() {
                for (cursor, place) in param.cursors.iter().zip(CURSORS..) {
                    let _ = writeln!(stubs, "    {}", cursor.play(*id, at, place));
                }
            }
        }
        for (at, param) in params.iter().enumerate() {
            let of_forms = |is: fn(&Param) -> bool| {
                let forms = forms.iter().filter(move |(_, form)| is(&form.params[at]));
                forms.map(|(id, _)| *id).collect::<Vec<usize>>()
            };
            let rooms = of_forms(|param| param.stored == Some(Stored::Room));
            let rows = of_forms(|param| param.stored == Some(Stored::Rows));
            let values = of_forms(|param| matches!(param.stored, Some(Stored::Value(_))));
            let _ = match param.stored {
                _ if !values.is_empty() => {
                    writeln!(stubs, "    unsafe {{ inside::store_value(&{values:?}, {at}, a{at}) }};")
                }
                _ if !rooms.is_empty() => {
                    let elements = param.elements.clone().unwrap_or_else(usual);
                    writeln!(stubs, "    unsafe {{ inside::store_room(&{rooms:?}, {at}, {elements}, a{at}) }};")
                }
                _ if !rows.is_empty() => {
                    writeln!(stubs, "    unsafe {{ inside::store_rows(&{rows:?}, {at}, a{at}) }};")
                }
                // Whoever fills the room leaves its size where it is.
                Some(Stored::Anything) if !of_forms(|param| param.given == Some(Given::Cell)).is_empty() => {
                    writeln!(stubs, "    if !acts::fills() {{ unsafe {{ inside::store(a{at}) }}; }}")
                }
                // What it works on is as it was, but for what it has moved.
                Some(_) if !param.cursors.is_empty() => {
                    writeln!(stubs, "    if !acts::works() {{ unsafe {{ inside::store(a{at}) }}; }}")
                }
                Some(Stored::First) => writeln!(stubs, "    unsafe {{ inside::store_first(a{at}) }};"),
                Some(Stored::Object) => writeln!(stubs, "    unsafe {{ inside::store_object(a{at}) }};"),
                Some(Stored::Place(of)) => {
                    writeln!(stubs, "    unsafe {{ inside::store_place(a{at}, a{of}.wrapping_add(acts::step())) }};")
                }
                Some(_) => writeln!(stubs, "    unsafe {{ inside::store(a{at}) }};"),
                None => continue,
            };
        }
        for (at, called) in params.iter().enumerate().filter_map(|(at, param)| Some((at, param.called.as_ref()?))) {
            let _ = writeln!(stubs, "    {}", call(at, called));
        }
        if ret.is_some() {
            let of_forms = |is: fn(&Foreign) -> bool| {
                let forms = forms.iter().filter(move |(_, form)| is(form));
                forms.map(|(id, _)| *id).collect::<Vec<usize>>()
            };
            let (counting, exact) = (of_forms(|form| form.counts), of_forms(|form| form.answers.is_some()));
            let working = forms.iter().filter_map(|(id, form)| match form.returns {
                Returns::Number { number: 0, .. } | Returns::Count { least: 0 } => None,
                Returns::Number { number, .. } => Some(format!("({id}, {number}, false)")),
                Returns::Count { least } => Some(format!("({id}, {least}, true)")),
                Returns::Anything | Returns::Unknown => None,
            });
            let working = working.collect::<Vec<_>>().join(", ");
            let answer = match (points_into, never_null) {
                (Some(of), _) => format!("inside::answer_place(a{of}.wrapping_add(acts::step()))"),
                (None, true) => "inside::answer_object()".to_owned(),
                (None, false) if counting.is_empty() && exact.is_empty() && working.is_empty() => {
                    "inside::answer()".to_owned()
                }
                (None, false) => format!("inside::answer_for(&{counting:?}, &{exact:?}, &[{working}], {RETURNED})"),
            };
            let _ = writeln!(stubs, "    unsafe {{ {answer} }}");
        }
        stubs.push_str("}\n");
    }
    // The library's names are its own: nothing of ours is imported beside them but two modules.
    let text = format!(
        "//! Stand-ins for the isolated functions.\n#![allow(warnings)]\nuse crate::{{acts, inside}};\n\n{}{stubs}",
        types.declarations(),
    );
    // What does not parse is shown to the user by the compiler, with its place.
    syn::parse_file(&text).map_or(text, |file| prettyplease::unparse(&file))
}

impl Given {
    /// A statement that holds the argument at `at` of the function with this number against it; of a slice there are so many
    /// `elements`.
    fn check(self, id: usize, at: usize, elements: &str) -> String {
        match self {
            Given::Amount(amount) => {
                format!("unsafe {{ inside::amount_as_given({id}, {}, a{at}) }};", amount.in_rust("i64"))
            }
            Given::Number => format!("unsafe {{ inside::number_as_given({id}, {at}, a{at}) }};"),
            Given::Length { nullable } => format!("unsafe {{ inside::length_as_given({id}, {nullable}, a{at}) }};"),
            Given::Cell => format!("unsafe {{ inside::cell({id}, a{at}) }};"),
            Given::Input { nullable } => {
                format!("unsafe {{ inside::input({id}, {at}, {nullable}, {elements}, a{at}) }};")
            }
            Given::Kept { object, nullable } => {
                format!("unsafe {{ inside::kept({id}, {at}, {nullable}, {elements}, a{object}, a{at}) }};")
            }
            Given::Pointers { to, gaps, ended, nullable } => {
                let (to, array) = (format!("inside::Pointee::{to:?}"), format!("a{at}.cast()"));
                format!("unsafe {{ inside::pointers({id}, {at}, {to}, ({nullable}, {gaps}, {ended}), {array}) }};")
            }
            Given::Lengths { of, gaps, nullable } => {
                format!("unsafe {{ inside::lengths({id}, {of}, ({nullable}, {gaps}), a{at}) }};")
            }
            Given::End { slice, nullable } => format!("inside::end({id}, {nullable}, a{slice}, a{at});"),
            Given::Place { of, nullable } => format!("inside::place({id}, {nullable}, a{of}, a{at});"),
        }
    }
}

impl Cursor {
    /// A statement that holds the slice against what the wrapper was given, and moves the cursor to its end where the library
    /// does what it can. The object is the argument at `at`.
    fn play(&self, id: usize, at: usize, place: usize) -> String {
        let Cursor { field, left, size, .. } = self;
        let writes = self.dir != Dir::In;
        format!(
            "unsafe {{ inside::cursor({id}, {place}, ({writes}, {size}), (&raw const (*a{at}).{field}).cast_mut().cast(), \
             (&raw const (*a{at}).{left}).cast_mut()) }};"
        )
    }
}

/// A statement that calls the callback in the argument at `at`.
fn call(at: usize, called: &Called) -> String {
    let arguments = called.pointers.iter().map(|pointer| if *pointer { "inside::lent()" } else { "inside::answer()" });
    let arguments = arguments.collect::<Vec<_>>().join(", ");
    match called.nullable {
        true => format!("if let std::option::Option::Some(back) = a{at} {{ unsafe {{ back({arguments}) }}; }}"),
        false => format!("unsafe {{ a{at}({arguments}) }};"),
    }
}
