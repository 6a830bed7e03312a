//! What a callback's own parameters mean.

use crate::{
    contract::{
        Dir, Told,
        check::{self, CALLBACK_KINDS, Checker, Expressions, Scope, Signature, Subject, When, list},
        expr::Expr,
        shape::{Function, Shape},
    },
    policy::{PolicyError, Spanned, model},
};
use std::collections::BTreeMap;

impl Checker<'_> {
    /// Numbers are what they are, and what was passed as `user` comes back as the one `void *`.
    pub(super) fn told_unsaid(&mut self, function: &Function, user: bool) -> Option<Vec<Told>> {
        let is_user = |shape: &Shape| matches!(shape.pointee(), Some((_, Shape::Void)));
        let one_user = function.params.iter().filter(|(_, shape)| is_user(shape)).count() == 1;
        let mut told = Vec::new();
        for (name, shape) in &function.params {
            match shape {
                Shape::Pointer { .. } if user && one_user && is_user(shape) => told.push(Told::User),
                Shape::Pointer { .. } => {
                    let subject = self.subject_name();
                    self.error(self.at.clone(), format!("nothing says what `{name}` of `{subject}` points to"))
                        .help(format!(
                            "add `params = [{{ kind = \"…\" }}, …]`, one of {} for each parameter",
                            list(&CALLBACK_KINDS)
                        ))
                        .push(self.errors);
                    return None;
                }
                _ => told.push(Told::Value),
            }
        }
        Some(told)
    }

    pub(super) fn told(
        &mut self,
        params: &Spanned<Vec<Spanned<model::CallbackParam>>>,
        function: &Function,
    ) -> Option<Vec<Told>> {
        let (said, wanted) = (params.get_ref().len(), function.params.len());
        if said != wanted {
            let message = format!("`{}` takes {wanted} arguments, but `params` describes {said}", self.subject_name());
            let names: Vec<_> = function.params.iter().map(|(name, _)| &**name).collect();
            let error = PolicyError::new(params.span(), message);
            self.errors.push(if names.is_empty() { error } else { error.help(format!("they are {}", list(&names))) });
            return None;
        }
        // The callback's parameters, and no other function: it is asked nothing on its way.
        let params_of = function.params.iter().map(|(name, shape)| check::Param {
            name: name.clone(),
            ty: shape.to_string(),
            shape: shape.clone(),
        });
        let signature = Signature {
            name: self.subject_name().to_owned(),
            params: params_of.collect(),
            ret: function.ret.clone(),
            ..Signature::default()
        };
        let domain = BTreeMap::new();
        let mut told = Vec::new();
        for (index, words) in params.get_ref().iter().enumerate() {
            let contract = words.get_ref().contract();
            let mut checker = Checker {
                words: &contract,
                at: words.span(),
                subject: Subject::Param(index),
                signature: &signature,
                scope: Scope {
                    signature: &signature,
                    domain: &domain,
                    objects: self.scope.objects,
                    outer: Some(self.signature),
                },
                errors: self.errors,
            };
            told.push(checker.told_one());
        }
        told.into_iter().collect()
    }

    /// One parameter of the callback, which is the signature at hand.
    fn told_one(&mut self) -> Option<Told> {
        let Some(kind) = &self.words.kind else {
            let message = format!("nothing says what `{}` of the callback is", self.subject_name());
            self.error(self.at.clone(), message)
                .help(format!("add `kind = \"…\"`, one of {}", list(&CALLBACK_KINDS)))
                .push(self.errors);
            return None;
        };
        let shape = self.shape().clone();
        match &**kind.get_ref() {
            "value" => {
                self.only("value", &[]);
                match shape.is_number() {
                    true => Some(Told::Value),
                    false => self.wrong_kind("is no number").and(None),
                }
            }
            "user" => {
                self.only("user", &[]);
                match shape.pointee() {
                    Some(_) => Some(Told::User),
                    None => self.wrong_kind("is not a pointer").and(None),
                }
            }
            "cstr" => {
                self.only("cstr", &["null"]);
                match shape.pointee() {
                    Some((_, to)) if to.is_byte() => Some(Told::Cstr { nullable: self.nullable() }),
                    _ => self.wrong_kind("does not point to characters").and(None),
                }
            }
            "handle" => {
                self.only("handle", &["null"]);
                match shape.pointee() {
                    Some((_, Shape::Opaque(_) | Shape::Struct { .. })) => {
                        Some(Told::Handle { nullable: self.nullable() })
                    }
                    _ => self.wrong_kind("does not point to an object").and(None),
                }
            }
            "strarr" => {
                self.only("strarr", &["len", "null"]);
                let text = shape.pointee().and_then(|(_, to)| to.pointee());
                if !text.is_some_and(|(_, to)| to.is_byte()) {
                    return self.wrong_kind("does not point to pointers to characters").and(None);
                }
                Some(Told::Strarr { len: self.told_len("len")?, nullable: self.nullable() })
            }
            "buf" => self.told_buf(&shape),
            word => {
                let error = PolicyError::new(kind.span(), format!("`{word}` is no kind of a callback's parameter"));
                self.errors
                    .push(error.help(format!("one of {}", list(&CALLBACK_KINDS))).did_you_mean(word, CALLBACK_KINDS));
                None
            }
        }
    }

    fn told_buf(&mut self, shape: &Shape) -> Option<Told> {
        let Some((mutable, to)) = shape.pointee() else { return self.wrong_kind("is not a pointer").and(None) };
        if !to.is_element() {
            return self.wrong_kind("does not point to numbers or bytes").and(None);
        }
        match self.dir(Dir::In) {
            Dir::In => {
                self.only("buf", &["dir", "len", "null"]);
                Some(Told::Buf { len: self.told_len("len")?, nullable: self.nullable() })
            }
            Dir::Out if mutable => {
                self.only("buf", &["dir", "cap", "written"]);
                let cap = self.told_len("cap")?;
                let written = match &self.words.written {
                    Some(written) => Some(self.expr(written, When::After)?),
                    None => None,
                };
                Some(Told::Room { cap, written })
            }
            Dir::Out => {
                self.dir_error("it is declared `*const`, so it can only be `in`");
                None
            }
            Dir::Inout => {
                self.dir_error("what a closure gets is read (`in`) or written (`out`)");
                None
            }
        }
    }

    fn told_len(&mut self, word: &str) -> Option<Expr> {
        let text = if word == "len" { &self.words.len } else { &self.words.cap };
        let Some(text) = text else {
            self.error(self.at.clone(), format!("nothing says how long `{}` is", self.subject_name()))
                .help(format!(
                    "add `{word} = \"…\"`: a parameter of the callback, one of the function's (`fn.NAME`), a number, or an expression of those"
                ))
                .push(self.errors);
            return None;
        };
        let expr = Expressions { scope: self.scope, errors: self.errors }.expr(text, When::Before)?;
        if expr.leaves().iter().any(|leaf| matches!(leaf, Expr::Deref(_))) {
            let error =
                PolicyError::new(text.span(), "the length of what a callback gets is no number behind a pointer");
            self.errors.push(error.help("made of its parameters and numbers"));
            return None;
        }
        Some(expr)
    }
}
