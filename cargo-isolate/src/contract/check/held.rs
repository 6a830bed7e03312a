//! Handles, and who ends or frees what a library gives.

use super::{Checker, Contract, Dir, OWNS, Signature, list};
use crate::{
    contract::{Ending, EndingArg, Hold, shape::Shape},
    policy::PolicyError,
};

/// What `own` says.
#[derive(Clone, Copy, PartialEq)]
enum Own {
    Keep,
    Give,
    Take,
}

impl Checker<'_> {
    pub(super) fn handle(&mut self, shape: &Shape) -> Option<Contract> {
        self.only("handle", &["dir", "null", "own", "free", "parent"]);
        let Some((mutable, to)) = shape.pointee() else { return self.wrong_kind("is not a pointer") };
        let own = self.own()?;
        let indirect = to.pointee().filter(|_| own == Own::Take);
        let dir = self.dir(Dir::In);
        let nullable = self.nullable();
        match dir {
            Dir::Inout => {
                self.dir_error("a handle goes `in` or comes `out`");
                return None;
            }
            Dir::Out if self.is_returned() => {
                self.dir_error("a return value has no direction");
                return None;
            }
            Dir::Out if !mutable || to.pointee().is_none() => {
                return self.wrong_kind("is not a `*mut` to a pointer, so no handle can come out of it");
            }
            // What comes out and stays the library's is an `Option` anyway.
            Dir::Out if nullable && own == Own::Keep => {
                self.error(
                    self.at.clone(),
                    "this has no effect: a handle that comes out and is not given is an `Option`",
                )
                .help("remove `null`")
                .push(self.errors);
                return None;
            }
            Dir::In if own == Own::Take && nullable => {
                self.error(self.at.clone(), "what is ended is never NULL").help("remove `null`").push(self.errors);
                return None;
            }
            _ => {}
        }
        let comes_out = dir == Dir::Out || self.is_returned();
        let object = match dir {
            Dir::Out => to.pointee().map(|(_, to)| to),
            _ => Some(to),
        };
        let hold = match own {
            Own::Keep => {
                self.no_owner("handle")?;
                Hold::Keep
            }
            Own::Take if comes_out => return self.wrong_owner("what comes out of a function is given, not taken"),
            Own::Take => Hold::Take { indirect: indirect.is_some() },
            Own::Give if !comes_out => return self.wrong_owner("what goes into a function is taken, not given"),
            Own::Give => {
                let parent = self.parent();
                let free = self.ending(object?, parent.as_ref().and_then(Option::as_deref));
                Hold::Give { free: free?, parent: parent? }
            }
        };
        Some(Contract::Handle { dir, nullable, hold })
    }

    fn own(&mut self) -> Option<Own> {
        let Some(own) = &self.words.own else { return Some(Own::Keep) };
        match &**own.get_ref() {
            "give" => Some(Own::Give),
            "take" => Some(Own::Take),
            word => {
                let error = PolicyError::new(own.span(), format!("`own` is not `{word}`"));
                self.errors.push(error.help(format!("one of {}", list(&OWNS))).did_you_mean(word, OWNS));
                None
            }
        }
    }

    fn wrong_owner(&mut self, message: &str) -> Option<Contract> {
        let at = self.word("own").unwrap_or(self.at.clone());
        self.errors.push(PolicyError::new(at, message));
        None
    }

    /// `free` and `parent` speak of what is given.
    pub(super) fn no_owner(&mut self, kind: &str) -> Option<()> {
        for word in ["own", "free", "parent"] {
            if let Some(at) = self.word(word) {
                let message = format!("`{word}` has no effect on a `{kind}` that is not given away");
                self.errors.push(PolicyError::new(at, message).help("remove it, or say `own = \"give\"`"));
                return None;
            }
        }
        Some(())
    }

    /// The function that frees memory which the library gives away; inner `None`: it keeps it.
    pub(super) fn free_memory(&mut self, to: &Shape) -> Option<Option<String>> {
        match self.own()? {
            Own::Keep => return self.no_owner("buffer").map(|()| None),
            Own::Take => {
                self.wrong_owner("what comes out of a function is given, not taken");
                return None;
            }
            Own::Give => {}
        }
        let function = self.free()?;
        let fits = match &function.params[..] {
            [memory] => memory.shape.pointee().is_some_and(|(_, freed)| freed == to || freed.is_byte()),
            _ => false,
        };
        if !fits {
            return self.cannot_end(&function.name, "that takes a function with one parameter, a pointer to memory");
        }
        Some(Some(function.name.clone()))
    }

    /// The function that ends an object, made of `parent` if that is there.
    fn ending(&mut self, object: &Shape, parent: Option<&str>) -> Option<Ending> {
        let function = self.free()?;
        let name = function.name.clone();
        let parent = parent.and_then(|parent| self.signature.param(parent)?.shape.pointee()).map(|(_, to)| to);
        let place = function.params.iter().position(|param| EndingArg::object(&param.shape, object).is_some());
        let Some(place) = place else {
            return self.cannot_end(&name, &format!("no parameter of it is a pointer to `{object}`"));
        };
        let mut parents = function.params.iter().enumerate().filter(|(index, param)| {
            *index != place && parent.is_some() && param.shape.pointee().map(|(_, to)| to) == parent
        });
        if let (Some((_, one)), Some((_, other))) = (parents.next(), parents.next()) {
            let why = format!("nothing says which of `{}` and `{}` is the parent", one.name, other.name);
            return self.cannot_end(&name, &why);
        }
        let mut args = Vec::new();
        for (index, param) in function.params.iter().enumerate() {
            args.push(match param.shape.pointee() {
                _ if index == place => EndingArg::object(&param.shape, object)?,
                Some((_, to)) if Some(to) == parent => EndingArg::Parent,
                Some(_) if !param.shape.is_reference() => EndingArg::Null,
                _ => {
                    let why = format!(
                        "no value is known for the parameter `{}`; if it is the parent, name it with `parent`",
                        param.name
                    );
                    return self.cannot_end(&name, &why);
                }
            });
        }
        Some(Ending { function: name, args })
    }

    fn cannot_end<T>(&mut self, function: &str, why: &str) -> Option<T> {
        let at = self.word("free").unwrap_or(self.at.clone());
        let message = format!("`{function}` cannot end `{}`", self.subject_name());
        self.errors.push(PolicyError::new(at, message).help(why));
        None
    }

    fn free(&mut self) -> Option<Signature> {
        let Some(free) = &self.words.free else {
            self.error(self.at.clone(), "nothing says which function ends what is given")
                .help("add `free = \"…\"`, a function of the same domain")
                .push(self.errors);
            return None;
        };
        let name = free.get_ref();
        let found = self.scope.domain.get(name).cloned();
        if found.is_none() {
            let error = PolicyError::new(free.span(), format!("no function `{name}` runs in this domain"));
            let error = error.help("add it to `extern`");
            self.errors.push(error.did_you_mean(name, self.scope.domain.keys().map(|name| &**name)));
        }
        found
    }

    /// The parameter that must not end before; inner `None`: there is none.
    fn parent(&mut self) -> Option<Option<String>> {
        let Some(parent) = &self.words.parent else { return Some(None) };
        let name = parent.get_ref();
        let Some(param) = self.signature.param(name) else {
            let message = format!("`{}` has no parameter `{name}`", self.signature.name);
            let params = self.signature.params.iter().map(|param| &*param.name);
            self.errors.push(PolicyError::new(parent.span(), message).did_you_mean(name, params));
            return None;
        };
        if !param.shape.pointee().is_some_and(|(_, to)| to.may_be_held()) {
            let message = format!("`{name}` is no handle: `{}`", param.shape);
            self.errors.push(PolicyError::new(parent.span(), message));
            return None;
        }
        Some(Some(name.clone()))
    }
}
