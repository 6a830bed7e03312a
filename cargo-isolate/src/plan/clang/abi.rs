//! Declarations in Rust against the functions that C defines: how each argument is passed, and that C writes to no `*const`.

use super::{
    Clang, Code,
    definition::{Definition, Passed},
};
use crate::{
    contract::{number::Class, shape::Shape},
    graph::Graph,
    plan::{FunctionPlan, Plan, explain::contradicts},
};
use camino::Utf8PathBuf;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Declarations {
    /// How many are as C defines them.
    pub(crate) alike: usize,
    pub(crate) wrong: Vec<Wrong>,
    /// What could not be compared: the functions, by the reason.
    pub(crate) unseen: BTreeMap<String, BTreeSet<String>>,
}

/// A function that is declared in another way than C defines it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Wrong {
    pub(crate) function: String,
    /// The place of the declaration.
    pub(crate) file: Utf8PathBuf,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// The file with the definition, from the root of its package, and who read it.
    pub(crate) defined: String,
    /// What differs.
    pub(crate) differs: Vec<String>,
}

/// Holds every declaration of the plan against the C code of its library, as far as a clang of this machine can read that.
pub(crate) fn declarations(graph: &Graph, plan: &Plan) -> Declarations {
    let mut found = Declarations::default();
    let clang = Clang::find();
    for domain in &plan.domains {
        let mut code = clang.as_ref().map(|clang| Code::of(clang, &graph.packages[domain.library.package]));
        let mut names = BTreeSet::new();
        // The forms of a function have one declaration.
        for function in domain.functions.iter().filter(|function| names.insert(&function.name)) {
            let symbol = function.symbol();
            let differs = match &mut code {
                Ok(code) => compared(code, symbol, function),
                Err(reason) => Err((*reason).clone()),
            };
            match differs {
                Ok((_, differs)) if differs.is_empty() => found.alike += 1,
                Ok((defined, differs)) => found.wrong.push(Wrong {
                    function: function.name.clone(),
                    file: function.declared.file.clone(),
                    line: function.declared.line,
                    column: function.declared.column,
                    defined,
                    differs,
                }),
                Err(reason) => {
                    found.unseen.entry(reason).or_default().insert(function.name.clone());
                }
            }
        }
    }
    found
}

/// Where C defines a function, and what differs there.
fn compared(code: &mut Code<'_>, symbol: &str, function: &FunctionPlan) -> Result<(String, Vec<String>), String> {
    let (file, defined) = code.definition(symbol)?;
    Ok((format!("{file}, by {}", code.clang.version), differences(function, &defined)?))
}

fn differences(function: &FunctionPlan, defined: &Definition) -> Result<Vec<String>, String> {
    let declared = function.variadic.unwrap_or(function.params.len());
    let params = &function.params[..declared];
    let ret = function.ret.as_ref();
    if params.iter().map(|param| &param.shape).chain(ret.map(|ret| &ret.shape)).any(is_aggregate) {
        return Err("a struct goes by value, of which an ABI makes several arguments or one".to_owned());
    }
    let mut differs = Vec::new();
    if declared != defined.params.len() {
        let parameters = crate::terminal::words::some(declared, "parameter");
        differs.push(format!("declared with {parameters}, and C's has {}", defined.params.len()));
    } else {
        for (param, (passed, used)) in params.iter().zip(&defined.params) {
            differs.extend(difference(&format!("`{}`", param.name), &param.ty, &param.shape, *passed));
            if matches!(param.shape, Shape::Pointer { mutable: false, .. })
                && used.is_some_and(|used| contradicts(used, &param.decision))
            {
                differs.push(format!("`{}` is `{}`, and C's code writes there", param.name, param.ty));
            }
        }
    }
    if function.variadic.is_some() != defined.variadic {
        let (with, without) = ("with a variable number of arguments", "with a fixed number");
        let (declared, defined) = if defined.variadic { (without, with) } else { (with, without) };
        differs.push(format!("declared {declared}, and defined {defined}"));
    }
    match (ret, defined.ret) {
        (Some(ret), Some(passed)) => differs.extend(difference("what it returns", &ret.ty, &ret.shape, passed)),
        (Some(ret), None) => differs.push(format!("declared to return `{}`, and C's returns nothing", ret.ty)),
        // Nobody looks at what is left in a register; what comes back through a pointer is written somewhere.
        (None, Some(Passed::Aggregate)) => {
            differs.push("declared to return nothing, and C's returns a struct".to_owned())
        }
        (None, _) => {}
    }
    Ok(differs)
}

fn difference(subject: &str, ty: &str, shape: &Shape, defined: Passed) -> Option<String> {
    let declared = passed(shape).filter(|declared| *declared != defined)?;
    Some(format!("{subject} is `{ty}`, {declared}, and C's is {defined}"))
}

/// How a value of the type goes; `None`: nobody knows.
fn passed(shape: &Shape) -> Option<Passed> {
    match shape {
        Shape::Pointer { .. } | Shape::Function(_) => Some(Passed::Pointer),
        Shape::Bool => Some(Passed::Int(8)),
        shape => {
            // Of what is wider, the compilers disagree on how it goes.
            let number = shape.number().filter(|number| number.bits <= 64)?;
            Some(match number.class {
                Class::Float => Passed::Float(number.bits),
                Class::Signed | Class::Unsigned | Class::Char => Passed::Int(number.bits),
            })
        }
    }
}

/// What goes by value and is no number and no pointer.
fn is_aggregate(shape: &Shape) -> bool {
    matches!(shape, Shape::Struct { .. } | Shape::Array { .. } | Shape::Opaque(_) | Shape::Unknown { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, plan::plan};

    const C: &str = "
int put(const char *text, unsigned long n, short level, double by) { return text[n] + level + (int)by; }
void reset(void) {}
int say(const char *format, ...) { return format[0]; }
static int hidden(int n) { return n; }
int shown(int n) { return hidden(n); }
void fill(void *to, unsigned long n, int with) { for (unsigned long i = 0; i < n; i++) ((char *)to)[i] = with; }
";

    /// What is said of declarations against [`C`]; skipped where there is no clang.
    #[track_caller]
    fn check(declared: &str, expected: &[&str]) {
        if let Err(reason) = Clang::find() {
            return eprintln!("skipped: {reason}");
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.c"), C).unwrap();
        let files = format!(
            "//- app/src/main.rs\nfn main() {{}}\n//- x-sys/src/lib.rs\nuse std::ffi::*;\n\
             #[repr(C)] #[derive(Clone, Copy)] pub struct Pair {{ pub a: c_int, pub b: c_int }}\n\
             extern \"C\" {{ {declared} }}\n"
        );
        let mut graph = fixture::graph(&files);
        let library = graph.packages.iter_mut().find(|package| package.name == "x-sys").unwrap();
        library.root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let policy = "[domain.x]\nlibrary = \"x-sys\"\n[[isolate]]\ndomain = \"x\"\nextern = [\"*\"]\n";
        let plan = plan(&graph, &fixture::policy(policy)).unwrap();
        let found = declarations(&graph, &plan);
        let wrong = found.wrong.iter().flat_map(|wrong| {
            let place = format!("{}:{} {}", wrong.line, wrong.column, wrong.function);
            wrong.differs.iter().map(move |what| format!("{place}: {what}"))
        });
        let unseen = found.unseen.iter().map(|(reason, names)| format!("{names:?}: {reason}"));
        let alike = (found.alike > 0).then(|| format!("{} alike", found.alike));
        assert_eq!(alike.into_iter().chain(wrong).chain(unseen).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn as_c_has_it() {
        check(
            "fn put(text: *const u8, n: usize, level: i16, by: f64) -> i32; fn reset(); fn say(f: *const c_char, ...) -> c_int;",
            &["3 alike"],
        );
        // What it returns is left where it is.
        check("fn shown(n: u32);", &["1 alike"]);
    }

    #[test]
    fn otherwise() {
        check(
            "fn put(text: *const u8, n: u32, level: *mut i16, by: f32) -> c_long;",
            &[
                "3:14 put: `n` is `u32`, an integer of 32 bits, and C's is an integer of 64 bits",
                "3:14 put: `level` is `*mut i16`, a pointer, and C's is an integer of 16 bits",
                "3:14 put: `by` is `f32`, a float of 32 bits, and C's is a float of 64 bits",
                "3:14 put: what it returns is `c_long`, an integer of 64 bits, and C's is an integer of 32 bits",
            ],
        );
        check(
            "fn put(text: *const u8, n: usize) -> c_int; fn reset() -> c_int; fn say(f: *const c_char) -> c_int;",
            &[
                "3:14 put: declared with 2 parameters, and C's has 4",
                "3:58 reset: declared to return `c_int`, and C's returns nothing",
                "3:79 say: declared with a fixed number, and defined with a variable number of arguments",
            ],
        );
    }

    #[test]
    fn what_is_written() {
        check("fn fill(to: *mut u8, n: usize, with: c_int);", &["1 alike"]);
        check(
            "fn fill(to: *const c_void, n: usize, with: c_int);",
            &["3:14 fill: `to` is `*const c_void`, and C's code writes there"],
        );
    }

    #[test]
    fn not_to_be_told() {
        check(
            "fn hidden(n: c_int) -> c_int; fn shown(pair: Pair) -> c_int;",
            &[
                "{\"shown\"}: a struct goes by value, of which an ABI makes several arguments or one",
                "{\"hidden\"}: no C file of `x-sys` defines it",
            ],
        );
    }
}
