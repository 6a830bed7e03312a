//! Arguments for one call of a wrapper, and the statements around it.

use super::types::{ends_in, generic};
use crate::{
    contract::Dir,
    verify::{
        chosen::Amount,
        stubs::{CURSORS, Exact, Foreign, Given, Stored, usual},
    },
};
use quote::ToTokens;
use syn::{PathArguments, ReturnType, Type, TypeParamBound, punctuated::Punctuated};

/// The statements around one call.
#[derive(Default)]
pub(super) struct Call {
    pub(super) before: Vec<String>,
    pub(super) arguments: Vec<String>,
    pub(super) after: Vec<String>,
    /// Where the call went well.
    pub(super) filled: Vec<String>,
    /// Of the present argument.
    pub(super) meant: Meant,
    /// An argument is a slice.
    pub(super) slices: bool,
    /// How many of them are room that the library writes to.
    pub(super) rooms: usize,
    /// An argument may be NULL.
    pub(super) nullable: bool,
    /// A closure gets what pointers of the library lead to.
    pub(super) follows: bool,
}

/// What the contract says of an argument.
#[derive(Clone, Default)]
pub(super) struct Meant {
    /// Its place among those of the function.
    place: usize,
    /// A number that the function gets as it is.
    number: bool,
    /// A number of which the contract speaks.
    amount: Option<Amount>,
    /// How many elements a slice has, in Rust.
    elements: Option<String>,
    /// A place in another argument.
    inner: bool,
    /// A slice of numbers that the function gets as it is.
    input: bool,
    /// What the function stores there goes back to the caller.
    stored: Option<Exact>,
}

impl Meant {
    /// Of the function's parameter of this name.
    pub(super) fn of(wrapped: &Foreign, name: &str) -> Option<Meant> {
        let Some(place) = wrapped.params.iter().position(|param| param.name == name) else {
            let mut cursors = wrapped.params.iter().flat_map(|param| param.cursors.iter().zip(CURSORS..));
            let (cursor, place) = cursors.find(|(cursor, _)| cursor.name == name)?;
            let reads = cursor.dir == Dir::In;
            return Some(Meant { place, input: reads, stored: (!reads).then_some(Exact::Whole), ..Meant::default() });
        };
        let given = &wrapped.params[place].given;
        let stored = match wrapped.stores(place) {
            Some(Stored::Room | Stored::Rows) => Some(Exact::Whole),
            Some(Stored::Value(exact)) => Some(exact),
            _ => None,
        };
        let (number, input) =
            (*given == Some(Given::Number), matches!(given, Some(Given::Input { .. } | Given::Kept { .. })));
        let inner = matches!(given, Some(Given::Place { .. }));
        let amount = match given {
            Some(Given::Amount(amount)) => Some(*amount),
            _ => None,
        };
        Some(Meant { place, number, amount, elements: wrapped.params[place].elements.clone(), inner, input, stored })
    }
}

impl Call {
    /// An expression for a parameter of type `ty`; its own type is left to inference wherever it can be.
    pub(super) fn argument(&mut self, domain: &str, function: &str, at: usize, ty: &Type) -> Option<String> {
        match ty {
            Type::Reference(reference) => match (&*reference.elem, reference.mutability.is_some()) {
                (elems, mutable) if let Some(array) = self.array(domain, function, at, elems, mutable) => Some(array),
                (Type::Slice(_), false) => {
                    self.slices = true;
                    let elements = self.elements();
                    Some(match self.meant.input {
                        true => format!("marked({}, {elements})", self.meant.place),
                        false => format!("values({elements})"),
                    })
                }
                (Type::Slice(_), true) => {
                    self.slices = true;
                    self.rooms += 1;
                    Some(self.room(at, &self.elements(), "slice"))
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
                (_, true) => Some(self.room(at, "1", "one")),
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
            Type::Path(_) if self.meant.inner => Some("inner()".to_owned()),
            Type::Path(_) if let Some(amount) = self.meant.amount => Some(format!("amount({})", amount.in_rust("i64"))),
            Type::Path(_) if self.meant.number => Some(format!("number({})", self.meant.place)),
            Type::Path(_) | Type::Ptr(_) | Type::Array(_) => Some("value()".to_owned()),
            Type::ImplTrait(closure) => self.closed(&closure.bounds),
            _ => None,
        }
    }

    /// Several of what an array of pointers leads to, if `elems` are such things.
    fn array(&mut self, domain: &str, function: &str, at: usize, elems: &Type, mutable: bool) -> Option<String> {
        let (elem, fixed) = match elems {
            Type::Slice(slice) => (&*slice.elem, None),
            Type::Array(array) => (&*array.elem, Some(array.len.to_token_stream().to_string())),
            _ => return None,
        };
        let array = match (elem, mutable) {
            (Type::Reference(reference), true) => self.rooms(at, &reference.elem, fixed.as_deref()),
            (Type::Reference(reference), false) => {
                let one = self.one(domain, function, at, &reference.elem)?;
                match &fixed {
                    Some(count) => format!("&[{one}; {count}]"),
                    None => format!("several({one}).as_slice()"),
                }
            }
            (Type::Path(path), false) if ends_in(path, "Option") => {
                let Type::Reference(reference) = generic(path)? else { return None };
                let one = self.one(domain, function, at, &reference.elem)?;
                match &fixed {
                    Some(count) => format!("&[Some({one}); {count}]"),
                    None => format!("with_gaps(several({one})).as_slice()"),
                }
            }
            _ => return None,
        };
        self.slices |= fixed.is_none();
        Some(array)
    }

    /// What a pointer of an array leads to, for all of them.
    fn one(&mut self, domain: &str, function: &str, at: usize, to: &Type) -> Option<String> {
        let place = self.meant.place;
        match to {
            Type::Path(path) if ends_in(path, "CStr") => Some(format!("marked_text({place})")),
            Type::Path(path) if ends_in(path, "Handle") => {
                let handle = self.handle(domain, function, at);
                Some(format!("passed({place}, &{handle})"))
            }
            Type::Slice(_) => Some(format!("marked_row({place})")),
            Type::Path(_) | Type::Array(_) => Some("reference()".to_owned()),
            _ => None,
        }
    }

    /// Rooms that the function writes to.
    fn rooms(&mut self, at: usize, to: &Type, fixed: Option<&str>) -> String {
        let count = fixed.unwrap_or("length()");
        let (make, part) = if matches!(to, Type::Slice(_)) { ("row", "slice") } else { ("single", "one") };
        self.before.push(format!("let mut rooms{at} = rooms({count}, Room::{make});"));
        self.after.push(format!("for room in &rooms{at} {{ room.check()?; }}"));
        if self.meant.stored.is_some() {
            self.filled.push(format!("for room in &rooms{at} {{ room.filled({}, true)?; }}", self.meant.place));
        }
        let all = format!("rooms{at}.iter_mut().map(Room::{part}).collect::<Vec<_>>().as_mut_slice()");
        if fixed.is_some() { format!("{all}.try_into().unwrap()") } else { all }
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

    /// How many elements a slice has.
    fn elements(&self) -> String {
        self.meant.elements.clone().unwrap_or_else(usual)
    }

    fn room(&mut self, at: usize, elements: &str, part: &str) -> String {
        self.before.push(format!("let mut room{at} = Room::of({elements});"));
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
