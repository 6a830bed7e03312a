//! The ways in which one function is called: those that its contract names, and the question for a size.

use super::DomainPlan;
use crate::{
    contract::{
        check::{Param, Signature},
        expr::Expr,
        number::Number,
        shape::Shape,
        types::{Site, Types},
    },
    policy::{
        PolicyError, Spanned,
        model::{Contract, FixedWord, FnContract, Form, Policy},
    },
    rust,
};

/// The signature of a function in a form: with what a variable number of arguments is.
pub(super) fn extended(
    signature: &Signature,
    form: &Form,
    variadic: bool,
    types: &Types<'_>,
    site: Site<'_>,
    errors: &mut Vec<PolicyError>,
) -> Signature {
    let mut extended = signature.clone();
    for extra in &form.extra {
        if !variadic {
            let message = format!("`{}` takes its parameters, and nothing after them", signature.name);
            errors.push(PolicyError::new(extra.span(), message).help("remove it"));
            continue;
        }
        match argument(extra.get_ref(), types, site) {
            Ok(param) if extended.param(&param.name).is_some() => {
                let message = format!("`{}` has a parameter `{}` already", signature.name, param.name);
                errors.push(PolicyError::new(extra.span(), message));
            }
            Ok(param) => extended.params.push(param),
            Err(why) => {
                let help = "write it as a parameter in Rust: `text: *const c_char`";
                errors.push(PolicyError::new(extra.span(), why).help(help));
            }
        }
    }
    extended
}

/// `name: type`
fn argument(text: &str, types: &Types<'_>, site: Site<'_>) -> Result<Param, String> {
    let (name, ty) = text.split_once(':').ok_or_else(|| format!("`{text}` is no name and type"))?;
    let (name, ty) = (name.trim(), ty.trim());
    syn::parse_str::<syn::Ident>(name).map_err(|_| format!("`{name}` cannot name a parameter"))?;
    rust::ty(ty).map_err(|error| format!("`{ty}` is not a Rust type: {error}"))?;
    let shape = types.resolve(ty, site);
    if shape == Shape::Int(None) {
        return Err(format!("which integer `{ty}` is differs between builds, and C takes it for one"));
    }
    if let Some(promoted) = promoted(&shape) {
        return Err(format!("C passes a `{ty}` among a variable number of arguments as `{promoted}`"));
    }
    Ok(Param { name: name.to_owned(), ty: ty.to_owned(), shape })
}

/// What C makes of it where no parameter says of which type it is.
fn promoted(shape: &Shape) -> Option<&'static str> {
    match shape {
        Shape::Bool => Some("c_int"),
        shape => shape.number().and_then(Number::promoted),
    }
}

/// The contract of a function that tells how much room it needs when it gets NULL, without that; and that of the question.
pub(super) fn size_query(
    entry: &FnContract,
    signature: &Signature,
    errors: &mut Vec<PolicyError>,
) -> Option<(FnContract, FnContract)> {
    let asked = |words: &Contract| words.null.as_ref().is_some_and(|null| null.get_ref() == "size_query");
    let (name, words) = entry.arg.iter().find(|(_, words)| {
        let is_out = words.get_ref().dir.as_ref().is_some_and(|dir| dir.get_ref() == "out");
        asked(words.get_ref()) && is_out && words.get_ref().cap.is_some()
    })?;
    let said = |contract: Contract| Spanned::new(words.span(), contract);
    let word = |word: &str| Some(Spanned::new(words.span(), word.to_owned()));
    let (mut call, mut question) = (entry.clone(), entry.clone());
    call.arg.insert(name.clone(), said(Contract { null: None, ..words.get_ref().clone() }));
    question.arg.insert(name.clone(), said(Contract { kind: word("null"), ..Contract::default() }));
    // What told the room there is tells nothing now, or what is needed.
    let cap = words.get_ref().cap.as_ref()?;
    match Expr::parse(cap.get_ref()).ok()?.0 {
        Expr::Int(_) => {}
        Expr::Name(length) if signature.param(&length).is_some() => {
            let value = Some(Spanned::new(words.span(), FixedWord::Number(0)));
            let zero = Contract { kind: word("fixed"), value, ..Contract::default() };
            question.arg.insert(Spanned::new(words.span(), length), said(zero));
        }
        Expr::Deref(cell) if signature.param(&cell).is_some() => {
            let told = Contract { kind: word("obj"), dir: word("out"), ..Contract::default() };
            question.arg.insert(Spanned::new(words.span(), cell), said(told));
        }
        _ => {
            let message = format!("what to pass instead of the room of `{}` is not clear", name.get_ref());
            let help = "`null = \"size_query\"` goes with a `cap` that is a parameter, `*parameter` or a number: say the rest as a `form`";
            errors.push(PolicyError::new(cap.span(), message).help(help));
        }
    }
    Some((call, question))
}

/// What a function of a module of wrappers cannot be called, because the module means something else by it, and what its
/// wrapper is called instead.
const RESERVED: [(&str, &str); 7] = [
    ("DOMAIN", "DOMAIN_"),
    ("GLOBALS", "GLOBALS_"),
    ("Err", "Err_"),
    ("None", "None_"),
    ("Null", "Null_"),
    ("Ok", "Ok_"),
    ("Some", "Some_"),
];

/// The name of a function's wrapper: the same, unless it is reserved.
pub(super) fn free_name(name: &str) -> &str {
    RESERVED.iter().find(|(reserved, _)| *reserved == name).map_or(name, |(_, free)| free)
}

/// Two wrappers of one name, which would be two functions of one module.
pub(super) fn collisions(policy: &Policy, domains: &[DomainPlan], errors: &mut Vec<PolicyError>) {
    for domain in domains {
        for function in &domain.functions {
            let Some(form) = &function.form else { continue };
            let entry = policy.entry(&domain.name, &function.name).whole();
            let at = entry.iter().flat_map(|entry| entry.form.keys().chain(entry.arg.keys()));
            let place = at.clone().find(|name| *name.get_ref() == form.name).or_else(|| at.clone().next());
            let Some(place) = place else { continue };
            if syn::parse_str::<syn::Ident>(&form.name).is_err()
                || form.name.starts_with("__")
                || free_name(&form.name) != form.name
            {
                let message = format!("`{}` cannot name a wrapper", form.name);
                errors.push(PolicyError::new(place.span(), message).help("it becomes a function in Rust"));
            }
            let same = domain.functions.iter().filter(|other| other.wrapper() == function.wrapper());
            if let Some(other) = same.clone().find(|other| other.name != function.name || same.clone().count() > 1) {
                let message = format!("`{}` is the wrapper of `{}` already", function.wrapper(), other.name);
                errors.push(PolicyError::new(place.span(), message).help("choose another name"));
            }
        }
    }
}
