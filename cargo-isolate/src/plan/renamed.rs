//! Contracts that ship, in the words of whoever declares the function.
//!
//! They are written with the names in the library's own bindings, where some parameters have none (`arg2`). A program that declares
//! the function itself calls them as it likes, mostly as Rust has it: `dest_len` for `destLen`. Where it has other names for them, and
//! the same types, the library's own declaration tells by their order which is which.

use crate::{
    contract::check::Signature,
    policy::{
        Entry, Spanned,
        model::{CallbackParam, Contract, Element, ErrorWord, FnContract, Form},
    },
};
use std::{borrow::Cow, collections::BTreeMap};

/// The contract with the names of the declaration.
pub(super) fn renamed(contract: &FnContract, signature: &Signature) -> FnContract {
    Names { signature }.function(contract.clone())
}

/// What the policy says of a function, over what ships with the names of the declaration.
pub(super) fn whole(entry: Entry<'_>, signature: &Signature) -> Option<FnContract> {
    let ships = entry.ships.filter(|_| misplaced(signature).is_none()).map(|ships| renamed(ships, signature));
    let entry = Entry { ships: ships.as_ref(), ..entry };
    entry.whole().map(Cow::into_owned)
}

/// Names of the library's own declaration that stand elsewhere in this one: whether its names or its order are right, nobody can tell.
pub(super) fn misplaced(signature: &Signature) -> Option<String> {
    let called = signature.called.as_ref()?;
    let is_it = |name: &str, other: &String| squeezed(other) == squeezed(name);
    let params = signature.params.iter().map(|param| &*param.name).zip(&called.names);
    let (place, (name, _)) = params
        .enumerate()
        .find(|(_, (name, theirs))| !is_it(name, theirs) && called.names.iter().any(|other| is_it(name, other)))?;
    Some(format!(
        "`{name}` is parameter {} here, and another one in the library's own declaration, which has `{}`: put them in its order",
        place + 1,
        called.names.join("`, `")
    ))
}

struct Names<'s> {
    signature: &'s Signature,
}

impl Names<'_> {
    fn function(&self, contract: FnContract) -> FnContract {
        FnContract {
            arg: self.arguments(contract.arg),
            ret: contract.ret.map(|ret| map(ret, |ret| self.contract(ret))),
            error: contract.error.map(|error| map(error, |error| self.error(error))),
            message: self.expression(contract.message),
            bind: contract
                .bind
                .into_iter()
                .map(|(object, lengths)| (self.key(object), self.lengths(lengths)))
                .collect(),
            form: contract.form.into_iter().map(|(name, form)| (name, self.form(form))).collect(),
            ..contract
        }
    }

    fn form(&self, form: Form) -> Form {
        Form {
            when: self.expression(form.when),
            arg: self.arguments(form.arg),
            ret: form.ret.map(|ret| map(ret, |ret| self.contract(ret))),
            error: form.error.map(|error| map(error, |error| self.error(error))),
            message: self.expression(form.message),
            ..form
        }
    }

    fn arguments(
        &self,
        arguments: BTreeMap<Spanned<String>, Spanned<Contract>>,
    ) -> BTreeMap<Spanned<String>, Spanned<Contract>> {
        let renamed = |(name, words)| (self.key(name), map(words, |words| self.contract(words)));
        arguments.into_iter().map(renamed).collect()
    }

    fn contract(&self, contract: Contract) -> Contract {
        Contract {
            len: self.expression(contract.len),
            cap: self.expression(contract.cap),
            end: self.expression(contract.end),
            written: self.expression(contract.written),
            parent: self.expression(contract.parent),
            scope: self.expression(contract.scope),
            until: self.expression(contract.until),
            user: self.expression(contract.user),
            inner_of: self.expression(contract.inner_of),
            elem: contract.elem.map(|elem| map(elem, |elem| self.element(elem))),
            kind: contract.kind,
            dir: contract.dir,
            null: contract.null,
            own: contract.own,
            free: contract.free,
            value: contract.value,
            params: contract.params.map(|params| map(params, |params| self.told(params))),
            ty: contract.ty,
        }
    }

    /// What a callback's own parameters are called is up to its type: of others it says `fn.NAME`.
    fn told(&self, params: Vec<Spanned<CallbackParam>>) -> Vec<Spanned<CallbackParam>> {
        let outer = |text: Option<Spanned<String>>| text.map(|text| map(text, |text| self.outer(&text)));
        let one = |param: CallbackParam| CallbackParam {
            len: outer(param.len),
            cap: outer(param.cap),
            written: outer(param.written),
            ..param
        };
        params.into_iter().map(|param| map(param, one)).collect()
    }

    /// An expression with every name behind `fn.` as the declaration has it.
    fn outer(&self, text: &str) -> String {
        let mut parts = text.split("fn.");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |renamed, part| {
            let (word, behind) = part.split_at(part.find(|c| !is_part(c)).unwrap_or(part.len()));
            renamed + "fn." + self.name(word) + behind
        })
    }

    fn element(&self, element: Element) -> Element {
        Element { len: self.expression(element.len), cap: self.expression(element.cap), ..element }
    }

    fn lengths(
        &self,
        lengths: BTreeMap<Spanned<String>, Spanned<String>>,
    ) -> BTreeMap<Spanned<String>, Spanned<String>> {
        lengths.into_iter().map(|(name, length)| (name, map(length, |text| self.words(&text)))).collect()
    }

    fn error(&self, error: ErrorWord) -> ErrorWord {
        match error {
            ErrorWord::When(text) => ErrorWord::When(self.words(&text)),
            ErrorWord::Never => ErrorWord::Never,
        }
    }

    fn expression(&self, text: Option<Spanned<String>>) -> Option<Spanned<String>> {
        text.map(|text| map(text, |text| self.words(&text)))
    }

    fn key(&self, name: Spanned<String>) -> Spanned<String> {
        map(name, |name| self.name(&name).to_owned())
    }

    /// An expression with every name in it as the declaration has it; what stands behind a point is no parameter.
    fn words(&self, text: &str) -> String {
        let (mut renamed, mut rest) = (String::new(), text);
        while let Some(start) = rest.find(is_part) {
            let (before, from) = rest.split_at(start);
            let (word, behind) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
            renamed.push_str(before);
            renamed.push_str(if before.ends_with('.') { word } else { self.name(word) });
            rest = behind;
        }
        renamed + rest
    }

    fn name<'n>(&'n self, name: &'n str) -> &'n str {
        let params = &self.signature.params;
        if params.iter().any(|param| param.name == name) {
            return name;
        }
        let is_it = |param: &&crate::contract::check::Param| squeezed(&param.name) == squeezed(name);
        let mut alike = params.iter().filter(is_it);
        if let (Some(param), None) = (alike.next(), alike.next()) {
            return &param.name;
        }
        // Its own declaration says which one the library's calls so.
        let called = self.signature.called.as_ref().filter(|called| called.same_types);
        if let Some(place) = called.and_then(|called| called.names.iter().position(|called| called == name)) {
            return &params[place].name;
        }
        let place = name.strip_prefix("arg").and_then(|number| number.parse::<usize>().ok()?.checked_sub(1));
        place.and_then(|place| params.get(place)).map_or(name, |param| &param.name)
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn squeezed(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

fn map<T: Clone, U>(said: Spanned<T>, new: impl FnOnce(T) -> U) -> Spanned<U> {
    Spanned::new(said.span(), new(said.get_ref().clone()))
}
