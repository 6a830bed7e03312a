//! Callbacks: closures of the program that a function calls before it returns.

use super::{
    CALLBACK_KINDS, Checker, Contract, Expressions, PolicyError, SCOPES, Scope, Signature, Spanned, When, list,
};
use crate::{
    contract::{
        Lasting, Told, check,
        expr::Expr,
        shape::{Function, Shape},
    },
    policy::model,
};
use std::collections::BTreeMap;

/// More arguments the runtime's closures do not have.
pub(crate) const MOST_ARGUMENTS: usize = 6;

impl Checker<'_> {
    pub(super) fn callback(&mut self, shape: &Shape) -> Option<Contract> {
        self.only("cb", &["scope", "user", "params", "null"]);
        let Shape::Function(function) = shape else { return self.wrong_kind("is no function pointer") };
        if self.is_returned() {
            return self.wrong_kind("is returned, and a callback is passed");
        }
        let scope = self.scope()?;
        let nullable = self.nullable();
        if nullable && !function.nullable {
            let at = self.words.null.as_ref().map_or(self.at.clone(), Spanned::span);
            self.errors.push(PolicyError::new(at, "a function pointer without `Option` is never NULL"));
            return None;
        }
        self.callable(function)?;
        let user = self.user()?;
        let params = match &self.words.params {
            Some(params) => self.told(params, function)?,
            None => self.told_unsaid(function, user.is_some())?,
        };
        Some(Contract::Callback { scope, user, nullable, params })
    }

    fn scope(&mut self) -> Option<Lasting> {
        let Some(scope) = &self.words.scope else {
            self.error(self.at.clone(), "nothing says how long the library may call it")
                .help("add `scope = \"call\"`, if it does so only until the function returns, or `scope = \"free:OBJECT\"`, if it keeps it for an object: a call after that is a fault")
                .push(self.errors);
            return None;
        };
        let word = scope.get_ref();
        let object = match word.split_once(':') {
            _ if word == "call" => return Some(Lasting::Call),
            Some(("free", object)) => Lasting::Object { object: object.to_owned(), slot: None },
            Some(("slot", place))
                if let Some((object, slot)) = place.split_once('.').filter(|(_, slot)| !slot.is_empty()) =>
            {
                Lasting::Object { object: object.to_owned(), slot: Some(slot.to_owned()) }
            }
            _ => {
                let error = match &**word {
                    "once" | "forever" => {
                        PolicyError::new(scope.span(), "no wrappers are generated for callbacks that no object keeps")
                    }
                    word => {
                        PolicyError::new(scope.span(), format!("there is no scope `{word}`")).did_you_mean(word, SCOPES)
                    }
                };
                let help = "one of `call`, until the function returns; `free:OBJECT`, until the object of that parameter, or of `ret`, has ended; `slot:OBJECT.NAME`, until another takes that place";
                self.errors.push(error.help(help));
                return None;
            }
        };
        self.keeper(scope, &object)?;
        Some(object)
    }

    /// The object that a closure is kept for must be one that can be owned.
    fn keeper(&mut self, scope: &Spanned<String>, lasting: &Lasting) -> Option<()> {
        let Lasting::Object { object, .. } = lasting else { return Some(()) };
        let shape = match (&**object, self.signature.param(object)) {
            ("ret", _) => self.signature.ret.as_ref(),
            (_, param) => param.map(|param| &param.shape),
        };
        let Some(shape) = shape else {
            let message = match &**object {
                "ret" => format!("`{}` returns nothing", self.signature.name),
                _ => format!("`{}` has no parameter `{object}`", self.signature.name),
            };
            let params = self.signature.params.iter().map(|param| &*param.name);
            self.errors.push(PolicyError::new(scope.span(), message).did_you_mean(object, params));
            return None;
        };
        let to = shape.pointee().map(|(_, to)| to.pointee().map_or(to, |(_, to)| to));
        if !matches!(to, Some(Shape::Opaque(_))) {
            let message = format!("`{object}` is no handle, for which a closure could be kept: `{shape}`");
            self.errors.push(PolicyError::new(scope.span(), message));
            return None;
        }
        Some(())
    }

    /// Whether a closure can stand behind such a pointer at all.
    fn callable(&mut self, function: &Function) -> Option<()> {
        let count = function.params.len();
        if function.variadic {
            self.wrong_kind("takes a variable number of arguments, which no closure does")?;
        }
        if !function.qualifiers.ends_with("extern \"C\"") && !function.qualifiers.ends_with("extern \"C-unwind\"") {
            self.wrong_kind("is not `extern \"C\"`")?;
        }
        if count > MOST_ARGUMENTS {
            self.wrong_kind(&format!("takes {count} arguments, and closures have up to {MOST_ARGUMENTS}"))?;
        }
        if let Some(shape) = function.ret.as_ref().filter(|shape| !shape.is_number()) {
            self.wrong_kind(&format!("returns a `{shape}`, and closures return numbers"))?;
        }
        let told = |shape: &Shape| shape.pointee().is_some() || (shape.is_number() && *shape != Shape::Int(None));
        if let Some((name, shape)) = function.params.iter().find(|(_, shape)| !told(shape)) {
            self.wrong_kind(&format!("takes `{name}`, and a closure is not told of a `{shape}`"))?;
        }
        Some(())
    }

    /// The parameter that carries what the library hands on; inner `None`: there is none.
    fn user(&mut self) -> Option<Option<String>> {
        let Some(user) = &self.words.user else { return Some(None) };
        let name = user.get_ref();
        let Some(param) = self.signature.param(name) else {
            let message = format!("`{}` has no parameter `{name}`", self.signature.name);
            let params = self.signature.params.iter().map(|param| &*param.name);
            self.errors.push(PolicyError::new(user.span(), message).did_you_mean(name, params));
            return None;
        };
        if param.shape.pointee().is_none() {
            let message = format!("`{name}` is no pointer: `{}`", param.shape);
            self.errors.push(PolicyError::new(user.span(), message));
            return None;
        }
        Some(Some(name.clone()))
    }

    /// Numbers are what they are, and what was passed as `user` comes back as the one `void *`.
    fn told_unsaid(&mut self, function: &Function, user: bool) -> Option<Vec<Told>> {
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

    fn told(&mut self, params: &Spanned<Vec<Spanned<model::CallbackParam>>>, function: &Function) -> Option<Vec<Told>> {
        let (said, wanted) = (params.get_ref().len(), function.params.len());
        if said != wanted {
            let message = format!("`{}` takes {wanted} arguments, and {said} are spoken of", self.subject_name());
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
                subject: super::Subject::Param(index),
                signature: &signature,
                scope: Scope { signature: &signature, domain: &domain },
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
        if !to.is_number() && !matches!(to, Shape::Void) {
            return self.wrong_kind("does not point to numbers or bytes").and(None);
        }
        match self.dir(super::Dir::In) {
            super::Dir::In => {
                self.only("buf", &["dir", "len", "null"]);
                Some(Told::Buf { len: self.told_len("len")?, nullable: self.nullable() })
            }
            super::Dir::Out if mutable => {
                self.only("buf", &["dir", "cap", "written"]);
                let cap = self.told_len("cap")?;
                let written = match &self.words.written {
                    Some(written) => Some(self.expr(written, When::After)?),
                    None => None,
                };
                Some(Told::Room { cap, written })
            }
            super::Dir::Out => {
                self.dir_error("it is declared `*const`, so it can only be `in`");
                None
            }
            super::Dir::Inout => {
                self.dir_error("what a closure gets is read (`in`) or written (`out`)");
                None
            }
        }
    }

    fn told_len(&mut self, word: &str) -> Option<Expr> {
        let text = if word == "len" { &self.words.len } else { &self.words.cap };
        let Some(text) = text else {
            self.error(self.at.clone(), format!("nothing says how long `{}` is", self.subject_name()))
                .help(format!("add `{word} = \"…\"`: a parameter of the callback, a number, or an expression of those"))
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

#[cfg(test)]
mod tests {
    use crate::{fixture, plan::plan};

    const LIBRARY: &str = "
//- app/src/main.rs
fn main() {}
//- z-sys/src/lib.rs
use std::ffi::*;
pub enum Db {}
pub type Row = Option<unsafe extern \"C\" fn(user: *mut c_void, n: c_int, text: *mut *mut c_char, out: *mut u8) -> c_int>;
unsafe extern \"C\" {
    pub fn each(row: Row, data: *mut c_void, count: c_int);
    pub fn bare(back: unsafe extern \"C\" fn(c_int, f64), data: *mut c_void);
    pub fn odd(back: Option<unsafe extern \"system\" fn(c_int)>);
    pub fn long(back: Option<unsafe extern \"C\" fn(u8, u8, u8, u8, u8, u8, u8)>);
    pub fn sure(back: Option<unsafe extern \"C\" fn(c_int) -> bool>);
    pub fn many(back: Option<unsafe extern \"C\" fn(*const c_char, ...)>);
    pub fn told(back: Option<unsafe extern \"C\" fn(bool)>);
    pub fn made() -> Row;
    pub fn open(back: unsafe extern \"C\" fn(c_int)) -> *mut Db;
    pub fn keep(db: *mut Db, back: unsafe extern \"C\" fn(c_int));
    pub fn close(db: *mut Db);
    pub fn size(db: *const Db) -> usize;
    pub fn settle(db: *mut Db, level: c_int);
    pub fn fill(db: *mut Db, row: *mut u8, level: c_int);
}
";

    /// The contracts of the one function that the policy speaks of, or the mistakes.
    fn found(words: &str) -> String {
        let text = format!(
            "version = 1\n[domain.z]\nlibrary = \"z-sys\"\n[[isolate]]\ndomain = \"z\"\nextern = [\"*\"]\n{words}\n"
        );
        let name = words.split(['[', '.', ']']).nth(2).unwrap_or_default();
        match plan(&fixture::graph(LIBRARY), &fixture::policy(&text)) {
            Ok(plan) => {
                let function = plan.domains[0].functions.iter().find(|function| function.name == name);
                let params = function.expect("the function").params.iter().map(|param| {
                    param.decision.contract().map_or_else(|| "refused".to_owned(), super::Contract::to_toml)
                });
                params.collect::<Vec<_>>().join("\n")
            }
            Err(errors) => fixture::mistakes(&text, &errors),
        }
    }

    #[track_caller]
    fn check(words: &str, expected: &str) {
        assert_eq!(found(words), expected);
    }

    #[test]
    fn what_is_said() {
        check(
            r#"[fn.each]
arg.row = { kind = "cb", scope = "call", user = "data", null = "ok", params = [
  { kind = "user" }, { kind = "value" }, { kind = "strarr", len = "n * 2", null = "ok" },
  { kind = "buf", dir = "out", cap = "n", written = "max(ret, 0)" } ] }"#,
            r#"{ kind = "cb", scope = "call", user = "data", null = "ok", params = [{ kind = "user" }, { kind = "value" }, { kind = "strarr", len = "n * 2", null = "ok" }, { kind = "buf", dir = "out", cap = "n", written = "max(ret, 0)" }] }
{ kind = "null" }
{ kind = "value" }"#,
        );
        check(
            "[fn.bare]\narg.back = { kind = \"cb\", scope = \"call\" }\narg.data = { kind = \"fixed\", value = 1 }",
            "{ kind = \"cb\", scope = \"call\", params = [{ kind = \"value\" }, { kind = \"value\" }] }\n{ kind = \"fixed\", value = 1 }",
        );
    }

    #[test]
    fn what_is_kept() {
        let kept = "{ kind = \"cb\", scope = \"free:ret\", params = [{ kind = \"value\" }] }";
        check(
            &format!("[fn.open]\narg.back = {kept}\nret = {{ kind = \"handle\", own = \"give\", free = \"close\" }}"),
            kept,
        );
        let kept = "{ kind = \"cb\", scope = \"slot:db.io\", params = [{ kind = \"value\" }] }";
        check(&format!("[fn.keep]\narg.back = {kept}"), &format!("{{ kind = \"handle\" }}\n{kept}"));
    }

    const SETTLE: &str = "[fn.settle]\nbind.db = { size = \"size(db)\" }";

    #[test]
    fn what_is_told_of_an_object() {
        check(
            &format!("[fn.fill]\narg.row = {{ kind = \"buf\", dir = \"out\", cap = \"$db.size * 2\" }}\n{SETTLE}"),
            "{ kind = \"handle\" }\n{ kind = \"buf\", dir = \"out\", cap = \"$db.size * 2\" }\n{ kind = \"value\" }",
        );
    }

    /// Each of these is a mistake.
    #[test]
    fn what_cannot_be_kept_or_told() {
        let fill = |cap: &str| format!("[fn.fill]\narg.row = {{ kind = \"buf\", dir = \"out\", cap = \"{cap}\" }}");
        let entries = [
            "[fn.open]\narg.back = { kind = \"cb\", scope = \"free:ret\" }".to_owned(),
            "[fn.keep]\narg.back = { kind = \"cb\", scope = \"free:ret\" }".to_owned(),
            "[fn.keep]\narg.back = { kind = \"cb\", scope = \"free:bd\" }".to_owned(),
            "[fn.keep]\narg.db = { kind = \"handle\", null = \"ok\" }\narg.back = { kind = \"cb\", scope = \"free:db\" }".to_owned(),
            "[fn.each]\narg.row = { kind = \"cb\", scope = \"free:count\", user = \"data\" }".to_owned(),
            "[fn.keep]\narg.back = { kind = \"cb\", scope = \"forever\" }".to_owned(),
            format!("{}\n{SETTLE}", fill("$db.sise")),
            fill("$db.size"),
            format!("{}\n{SETTLE}", fill("$level.size")),
            format!("{}\n{SETTLE}", fill("$bd.size")),
            format!("{}\n{SETTLE}", fill("$db")),
            "[fn.settle]\nbind.level = { size = \"size(db)\" }\nbind.bd = { size = \"size(db)\" }".to_owned(),
            "[fn.settle]\nbind.db = { size = \"size(level)\", length = \"ret\" }".to_owned(),
        ];
        let shown = entries.map(|words| format!("{words}\n{}", found(&words)));
        insta::assert_snapshot!(shown.join("\n"));
    }

    /// Each of these is a mistake.
    #[test]
    fn what_cannot_be() {
        let entries = [
            "[fn.each]\narg.row = { kind = \"cb\" }",
            "[fn.each]\narg.row = { kind = \"cb\", scope = \"slot:data\" }",
            "[fn.each]\narg.row = { kind = \"cb\", scope = \"cal\" }",
            "[fn.each]\narg.row = { kind = \"cb\", scope = \"call\" }",
            "[fn.each]\narg.row = { kind = \"cb\", scope = \"call\", user = \"dat\", len = \"count\" }",
            "[fn.each]\narg.row = { kind = \"cb\", scope = \"call\", user = \"count\" }",
            "[fn.each]\narg.row = { kind = \"cb\", scope = \"call\", params = [{ kind = \"user\" }] }",
            "[fn.each]\narg.data = { kind = \"cb\", scope = \"call\" }\narg.row = { kind = \"user\" }",
            r#"[fn.each]
arg.row = { kind = "cb", scope = "call", params = [
  { kind = "cstr" }, { kind = "user" }, { kind = "buf", len = "n" }, { kind = "buf", dir = "inout", cap = "n" } ] }"#,
            r#"[fn.each]
arg.row = { kind = "cb", scope = "call", params = [
  { kind = "users" }, {}, { kind = "strarr", len = "count" }, { kind = "buf", dir = "out", cap = "ret" } ] }"#,
            "[fn.bare]\narg.back = { kind = \"cb\", scope = \"call\", null = \"ok\" }",
            "[fn.odd]\narg.back = { kind = \"cb\", scope = \"call\" }",
            "[fn.long]\narg.back = { kind = \"cb\", scope = \"call\" }",
            "[fn.sure]\narg.back = { kind = \"cb\", scope = \"call\" }",
            "[fn.many]\narg.back = { kind = \"cb\", scope = \"call\" }",
            "[fn.told]\narg.back = { kind = \"cb\", scope = \"call\" }",
            "[fn.made]\nret = { kind = \"cb\", scope = \"call\" }",
            "[fn.bare]\nretry = 1\narg.back = { kind = \"cb\", scope = \"call\" }\narg.data = { kind = \"null\" }",
        ];
        let shown = entries.map(|words| format!("{words}\n{}", found(words)));
        insta::assert_snapshot!(shown.join("\n"));
    }
}
