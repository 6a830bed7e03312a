//! The driver: calls every wrapper with arguments of the right types, made from the wrapper file as it is in the tree.

use super::stubs::{Exact, Foreign, Given, RETURNED, Stored};
use std::{collections::BTreeSet, fmt::Write as _};
use syn::{
    Expr, ExprLit, FnArg, GenericArgument, Item, Lit, Pat, PathArguments, ReturnType, Type, TypeParamBound, Visibility,
    punctuated::Punctuated, visit::Visit,
};

/// The public functions of a wrapper file, as cases for `play.rs`.
///
/// # Errors
///
/// A message for each wrapper whose parameters are of a type that no argument can be made of.
pub(super) fn cases(domain: &str, file: &syn::File, foreign: &[Foreign]) -> Result<Vec<Case>, Vec<String>> {
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    for item in &file.items {
        if let Item::Fn(function) = item
            && matches!(function.vis, Visibility::Public(_))
            && !foreign.iter().any(|foreign| foreign.picky && function.sig.ident == foreign.wrapper)
        {
            match case(domain, function, foreign) {
                Ok(case) => cases.push(case),
                Err(error) => errors.push(error),
            }
        }
    }
    if errors.is_empty() { Ok(cases) } else { Err(errors) }
}

/// One wrapper, ready to be called: an expression of type `play::Case`.
pub(super) struct Case(String);

/// `main.rs` of the package, over modules of its own and `isolated` and `stubs`.
pub(super) fn render(cases: &[Case]) -> String {
    let mut text = String::from(
        "//! Calls every wrapper while its library misbehaves. Written by `cargo isolate verify`.\n#![allow(warnings)]\n\n\
         mod acts;\nmod calls;\nmod inside;\nmod isolated;\nmod play;\nmod stubs;\n\n\
         use {acts::{absent, length}, calls::*, play::Case};\n\n\
         fn main() -> std::process::ExitCode {\n    play::run(&[\n",
    );
    for case in cases {
        text.push_str(&case.0);
    }
    text.push_str("    ])\n}\n");
    text
}

fn case(domain: &str, function: &syn::ItemFn, foreign: &[Foreign]) -> Result<Case, String> {
    let (signature, bound, divisors) = (&function.sig, bound(&function.block), divisors(&function.block));
    let function = signature.ident.to_string();
    let id = foreign.iter().position(|foreign| foreign.wrapper == function);
    let wrapped = id.map(|id| &foreign[id]);
    let foreign_name = wrapped.map_or(&*function, |foreign| &*foreign.name);
    let mut call = Call::default();
    for (at, input) in signature.inputs.iter().enumerate() {
        let FnArg::Typed(parameter) = input else {
            return Err(format!("`{domain}::{function}` takes `self`"));
        };
        let name = match &*parameter.pat {
            Pat::Ident(name) => name.ident.to_string(),
            _ => at.to_string(),
        };
        let place = wrapped.and_then(|foreign| foreign.params.iter().position(|param| param.name == name));
        call.meant = place.map_or(Meant::default(), |place| {
            let wrapped = wrapped.expect("a place in it");
            let param = &wrapped.params[place];
            Meant {
                place,
                number: param.given == Some(Given::Number),
                input: matches!(param.given, Some(Given::Input { .. })),
                stored: match wrapped.stores(place) {
                    Some(Stored::Room) => Some(Exact::Whole),
                    Some(Stored::Value(exact)) => Some(exact),
                    _ => None,
                },
            }
        });
        // Any number is one, but a length divided by 0 never gets as far as the library.
        let argument = divisors.contains(&name).then(|| "1".to_owned());
        let argument = argument
            .or_else(|| call.argument(domain, &function, at, &parameter.ty))
            .ok_or_else(|| format!("`{domain}::{function}`: no argument can be made for parameter `{name}`"))?;
        if let Pat::Ident(name) = &*parameter.pat {
            let lengths = bound.iter().filter(|(owner, _)| name.ident == owner);
            call.before.extend(lengths.map(|(_, name)| format!("owned{at}.bind({name:?}, length());")));
        }
        call.arguments.push(argument);
    }
    let result = success(&signature.output)
        .ok_or_else(|| format!("`{domain}::{function}` does not return `Result<_, Fault>`"))?;
    let returns_pointer = mentions(result, &["Handle", "Owned", "CString"]);
    if let Some(foreign) = wrapped {
        call.filled.extend(exact(foreign, result));
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "        Case {{ domain: {domain:?}, function: {function:?}, foreign: {foreign_name:?}, id: {}, returns_pointer: {returns_pointer}, follows: {}, slices: {}, fills: {}, nullable: {}, call: || {{",
        id.unwrap_or(usize::MAX),
        call.follows,
        call.slices,
        !call.filled.is_empty(),
        call.nullable
    );
    for statement in &call.before {
        let _ = writeln!(text, "            {statement}");
    }
    let _ = writeln!(text, "            let result = isolated::{domain}::{function}({});", call.arguments.join(", "));
    for statement in &call.after {
        let _ = writeln!(text, "            {statement}");
    }
    let _ = writeln!(text, "            let result = result?;");
    for statement in &call.filled {
        let _ = writeln!(text, "            {statement}");
    }
    for count in counts(result, &call, wrapped) {
        let _ = writeln!(text, "            within(result{count})?;");
    }
    match result {
        Type::Path(path) if ends_in(path, "CString") => {
            let _ = writeln!(text, "            as_it_was(Some(&result))?;");
        }
        Type::Path(path) if ends_in(path, "Option") && generic(path).is_some_and(|ty| mentions(ty, &["CString"])) => {
            let _ = writeln!(text, "            as_it_was(result.as_deref())?;");
        }
        _ => {}
    }
    let _ = writeln!(text, "            Ok(())\n        }} }},");
    Ok(Case(text))
}

/// Lengths that the wrapper wants to be told of objects before: the parameter, and the name.
fn bound(block: &syn::Block) -> Vec<(String, String)> {
    struct Bound(Vec<(String, String)>);
    impl<'b> Visit<'b> for Bound {
        fn visit_expr_method_call(&mut self, call: &'b syn::ExprMethodCall) {
            if call.method == "bound"
                && let [Expr::Path(owner), Expr::Lit(ExprLit { lit: Lit::Str(name), .. })] =
                    &*call.args.iter().collect::<Vec<_>>()
                && let Some(owner) = owner.path.get_ident()
            {
                self.0.push((owner.to_string(), name.value()));
            }
            syn::visit::visit_expr_method_call(self, call);
        }
    }
    let mut bound = Bound(Vec::new());
    bound.visit_block(block);
    bound.0
}

/// The parameters that lengths are divided by.
fn divisors(block: &syn::Block) -> BTreeSet<String> {
    struct Divisors(BTreeSet<String>);
    impl<'b> Visit<'b> for Divisors {
        fn visit_expr_method_call(&mut self, call: &'b syn::ExprMethodCall) {
            if call.method == "quotient"
                && let Some(Expr::Cast(divisor)) = call.args.last()
                && let Expr::Path(parameter) = &*divisor.expr
            {
                self.0.extend(parameter.path.get_ident().map(ToString::to_string));
            }
            syn::visit::visit_expr_method_call(self, call);
        }
    }
    let mut divisors = Divisors(BTreeSet::new());
    divisors.visit_block(block);
    divisors.0
}

/// The statements around one call.
#[derive(Default)]
struct Call {
    before: Vec<String>,
    arguments: Vec<String>,
    after: Vec<String>,
    /// Where the call went well.
    filled: Vec<String>,
    /// Of the present argument.
    meant: Meant,
    /// An argument is a slice.
    slices: bool,
    /// An argument may be NULL.
    nullable: bool,
    /// A closure gets what pointers of the library lead to.
    follows: bool,
}

/// What the contract says of an argument.
#[derive(Clone, Copy, Default)]
struct Meant {
    /// Its place among those of the function.
    place: usize,
    /// A number that the function gets as it is.
    number: bool,
    /// A slice of numbers that the function gets as it is.
    input: bool,
    /// What the function stores there goes back to the caller.
    stored: Option<Exact>,
}

impl Call {
    /// An expression for a parameter of type `ty`; its own type is left to inference wherever it can be.
    fn argument(&mut self, domain: &str, function: &str, at: usize, ty: &Type) -> Option<String> {
        match ty {
            Type::Reference(reference) => match (&*reference.elem, reference.mutability.is_some()) {
                (Type::Slice(_), false) => {
                    self.slices = true;
                    Some(if self.meant.input { format!("marked({})", self.meant.place) } else { "values()".to_owned() })
                }
                (Type::Slice(_), true) => {
                    self.slices = true;
                    Some(self.room(at, "new", "slice"))
                }
                (Type::Path(path), _) if ends_in(path, "Handle") => {
                    let handle = self.handle(domain, function, at);
                    let mutable = if reference.mutability.is_some() { "mut " } else { "" };
                    Some(format!("&{mutable}{handle}"))
                }
                (Type::Path(path), _) if ends_in(path, "Owned") => {
                    Some(format!("&{}", self.owned(domain, function, at)))
                }
                (Type::Path(path), _) if ends_in(path, "Object") => {
                    Some(format!("&mut {}", self.object(domain, function, at)))
                }
                (Type::Path(path), false) if ends_in(path, "CStr") => Some("c\"text\"".to_owned()),
                (Type::TraitObject(closure), true) => Some(format!("&mut {}", self.closed(&closure.bounds)?)),
                (_, false) => Some("reference()".to_owned()),
                (_, true) => Some(self.room(at, "single", "one")),
            },
            Type::Path(path) if ends_in(path, "Option") => {
                let inner = generic(path)?;
                self.nullable = true;
                // A closure becomes what the parameter wants only where it is passed.
                if let Type::Path(path) = inner
                    && ends_in(path, "Box")
                    && let Type::TraitObject(closure) = generic(path)?
                {
                    return Some(format!(
                        "if absent() {{ None }} else {{ Some(Box::new({})) }}",
                        self.closed(&closure.bounds)?
                    ));
                }
                Some(format!("optional({})", self.argument(domain, function, at, inner)?))
            }
            Type::Path(path) if ends_in(path, "Handle") => Some(self.handle(domain, function, at)),
            Type::Path(path) if ends_in(path, "Owned") => Some(self.owned(domain, function, at)),
            Type::Path(path) if ends_in(path, "Object") => Some(self.object(domain, function, at)),
            Type::Path(_) if self.meant.number => Some(format!("number({})", self.meant.place)),
            Type::Path(_) | Type::Ptr(_) | Type::Array(_) => Some("value()".to_owned()),
            Type::ImplTrait(closure) => self.closed(&closure.bounds),
            _ => None,
        }
    }

    /// A closure of the right parameters, which tells what it gets and answers what a value is made of.
    fn closed(&mut self, bounds: &Punctuated<TypeParamBound, syn::Token![+]>) -> Option<String> {
        let Some(TypeParamBound::Trait(bound)) = bounds.first() else { return None };
        let PathArguments::Parenthesized(arguments) = &bound.path.segments.last()?.arguments else { return None };
        let names: Vec<_> = (0..arguments.inputs.len()).map(|at| format!("told{at}")).collect();
        let heard: String = names
            .iter()
            .zip(&arguments.inputs)
            .filter_map(|(name, arg)| heard(name, &arg.ty))
            .collect::<Vec<_>>()
            .join(" ");
        // Stubs call no closure that the library keeps, and those alone have to be `Send`.
        let kept =
            bounds.iter().any(|bound| matches!(bound, TypeParamBound::Trait(bound) if bound.path.is_ident("Send")));
        self.follows |= !kept
            && arguments.inputs.iter().any(|arg| {
                matches!(&arg.ty, Type::Reference(_)) || matches!(&arg.ty, Type::Path(path) if ends_in(path, "Option"))
            });
        self.after.push("as_told()?;".to_owned());
        let answer = if matches!(arguments.output, ReturnType::Default) { "" } else { " value()" };
        Some(format!("|{}| {{ {heard}{answer} }}", names.join(", ")))
    }

    fn room(&mut self, at: usize, make: &str, part: &str) -> String {
        self.before.push(format!("let mut room{at} = Room::{make}();"));
        self.after.push(format!("room{at}.check()?;"));
        if let Some(exact) = self.meant.stored {
            self.filled.push(format!("room{at}.filled({}, {})?;", self.meant.place, exact == Exact::Whole));
        }
        format!("room{at}.{part}()")
    }

    fn object(&mut self, domain: &str, function: &str, at: usize) -> String {
        self.before.push(format!("let mut object{at} = object(&isolated::{domain}::DOMAIN, {function:?})?;"));
        format!("object{at}")
    }

    fn owned(&mut self, domain: &str, function: &str, at: usize) -> String {
        self.before.push(format!("let owned{at} = owned(&isolated::{domain}::DOMAIN, {function:?})?;"));
        format!("owned{at}")
    }

    fn handle(&mut self, domain: &str, function: &str, at: usize) -> String {
        self.before.push(format!("let mut handle{at} = handle(&isolated::{domain}::DOMAIN, {function:?})?;"));
        format!("handle{at}")
    }
}

/// What the harness is told of a closure's parameter, which is called `name`.
fn heard(name: &str, ty: &Type) -> Option<String> {
    match ty {
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(_) => Some(format!("heard({name}.len());")),
            Type::Path(path) if ends_in(path, "CStr") => Some(format!("heard_text({name});")),
            _ => None,
        },
        Type::Path(path) if ends_in(path, "Option") => {
            Some(format!("if let Some({name}) = {name} {{ {} }}", heard(name, generic(path)?)?))
        }
        _ => None,
    }
}

/// Statements that hold parts of the result against what the function returned or stored.
fn exact(foreign: &Foreign, result: &Type) -> Vec<String> {
    let parts: Vec<_> = match result {
        Type::Tuple(tuple) => (0..tuple.elems.len()).map(|at| format!("result.{at}")).collect(),
        _ => vec!["result".to_owned()],
    };
    if parts.len() != foreign.origins.len() {
        return Vec::new();
    }
    let came = parts.iter().zip(&foreign.origins).filter_map(|(part, origin)| {
        let (place, exact) = match origin {
            0 => (RETURNED, foreign.answers?),
            place => match foreign.stores(place - 1)? {
                Stored::Value(exact) => (place - 1, exact),
                Stored::Anything | Stored::Object | Stored::Room => return None,
            },
        };
        Some(format!("came_out(std::slice::from_ref(&{part}), {place}, {})?;", exact == Exact::Whole))
    });
    came.collect()
}

/// Where in the result the counts of values written to the caller's room are: `""`, or `.1` of a tuple.
///
/// A wrapper reports them after what the function returned (if it shows anything that is not its error), in the order of its
/// parameters, among single values that the function stored.
fn counts(result: &Type, call: &Call, wrapped: Option<&Foreign>) -> Vec<String> {
    let rooms = call.arguments.iter().filter(|argument| argument.contains(".slice()")).count();
    if rooms == 0 {
        return Vec::new();
    }
    let returns = wrapped.is_some_and(|foreign| foreign.shows_ret);
    let is_value = |at: usize| {
        let stored = wrapped.and_then(|foreign| foreign.stores(foreign.origins.get(at)?.checked_sub(1)?));
        matches!(stored, Some(Stored::Value(_)))
    };
    match result {
        Type::Tuple(tuple) => (0..tuple.elems.len())
            .filter(|at| (*at > 0 || !returns) && is_usize(&tuple.elems[*at]) && !is_value(*at))
            .map(|at| format!(".{at}"))
            // What is left are numbers that a count is made of.
            .take(rooms)
            .collect(),
        _ if is_usize(result) && !returns => vec![String::new()],
        _ => Vec::new(),
    }
}

/// `T` of `Result<T, Fault>`.
fn success(output: &ReturnType) -> Option<&Type> {
    match output {
        ReturnType::Type(_, ty) => match &**ty {
            Type::Path(path) if ends_in(path, "Result") => generic(path),
            _ => None,
        },
        ReturnType::Default => None,
    }
}

fn is_usize(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("usize"))
}

fn ends_in(path: &syn::TypePath, name: &str) -> bool {
    path.path.segments.last().is_some_and(|segment| segment.ident == name)
}

/// The first generic argument of a path's last segment.
fn generic(path: &syn::TypePath) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether any of `names` ends a path inside `ty`.
fn mentions(ty: &Type, names: &[&str]) -> bool {
    match ty {
        Type::Path(path) => {
            names.iter().any(|name| ends_in(path, name)) || generic(path).is_some_and(|inner| mentions(inner, names))
        }
        Type::Tuple(tuple) => tuple.elems.iter().any(|element| mentions(element, names)),
        _ => false,
    }
}
