//! Contracts as the policy would say them.

use super::{Contract, Dir, Element, Failing, Hold, Lasting, Told, expr::Expr, object::Life};

impl Contract {
    /// As the policy would say it; an object, of which `[struct]` speaks, in words.
    pub(crate) fn to_toml(&self) -> String {
        let other_than_in = |dir: Dir| (dir != Dir::In).then_some(dir);
        let given = |free: &Option<String>| [("own", free.as_ref().map(|_| "give".to_owned())), ("free", free.clone())];
        let kept = |until: &Lasting| ("until", (*until != Lasting::Call).then(|| until.to_string()));
        match self {
            Contract::Value => words("value", None, &[], false),
            Contract::Fixed { value: 0 } => words("null", None, &[], false),
            Contract::Fixed { value } => format!("{{ kind = \"fixed\", value = {value} }}"),
            Contract::Text { value } => format!("{{ kind = \"fixed\", value = {value:?} }}"),
            Contract::Size { of } => format!("{{ kind = \"fixed\", value = \"sizeof({})\" }}", of.name),
            Contract::Obj { dir, nullable } => words("obj", Some(*dir), &[], *nullable),
            Contract::Inner { dir, of, nullable } => {
                words("obj", other_than_in(*dir), &[("inner_of", Some(of.clone()))], *nullable)
            }
            Contract::Buf { dir, len, written, nullable, until } => {
                let bound = match len {
                    Expr::End(_) => "end",
                    _ if *dir == Dir::Out => "cap",
                    _ => "len",
                };
                let rest =
                    [(bound, Some(len.to_string())), ("written", written.as_ref().map(Expr::to_string)), kept(until)];
                words("buf", Some(*dir), &rest, *nullable)
            }
            Contract::Array { len, ended, elem, nullable } => {
                let len = len.as_ref().map(|len| format!(", len = \"{len}\"")).unwrap_or_default();
                let end = if *ended { ", end = \"NULL\"" } else { "" };
                let null = if *nullable { ", null = \"ok\"" } else { "" };
                format!("{{ kind = \"array\"{len}{end}, elem = {}{null} }}", elem.to_toml())
            }
            Contract::Given { dir, len, nullable, free } => {
                let [own, free] = given(free);
                words("buf", other_than_in(*dir), &[("len", Some(len.to_string())), own, free], *nullable)
            }
            Contract::Slice { dir, nullable, .. } => words("buf", Some(*dir), &[], *nullable),
            Contract::Progress { dir, .. } => words("buf", Some(*dir), &[], false),
            Contract::Cstr { dir, nullable, free, until } => {
                let [own, free] = given(free);
                words("cstr", other_than_in(*dir), &[own, free, kept(until)], *nullable)
            }
            Contract::Callback { scope, user, nullable, params } => {
                let user = user.as_ref().map(|user| format!(", user = \"{user}\"")).unwrap_or_default();
                let null = if *nullable { ", null = \"ok\"" } else { "" };
                let params: Vec<_> = params.iter().map(Told::to_toml).collect();
                format!("{{ kind = \"cb\", scope = \"{scope}\"{user}{null}, params = [{}] }}", params.join(", "))
            }
            Contract::Memory => "freed by wrappers".to_owned(),
            Contract::Object { life: Life::Made { end }, .. } => format!("filled here, ended by `{}`", end.name),
            Contract::Object { life: Life::Ended, .. } => "ended here".to_owned(),
            Contract::Object { cursors, .. } => {
                let moved: Vec<_> =
                    cursors.iter().filter(|cursor| cursor.moves).map(|cursor| format!("`{}`", cursor.field)).collect();
                match moved.is_empty() {
                    true => "stays in the domain".to_owned(),
                    false => format!("stays in the domain; moves {}", moved.join(" and ")),
                }
            }
            Contract::Handle { dir, nullable, hold } => {
                let rest = match hold {
                    Hold::Keep => vec![],
                    Hold::Give { free, parent } => vec![
                        ("own", Some("give".to_owned())),
                        ("free", Some(free.function.clone())),
                        ("parent", parent.clone()),
                    ],
                    Hold::Take { .. } => vec![("own", Some("take".to_owned()))],
                };
                words("handle", other_than_in(*dir), &rest, *nullable)
            }
        }
    }
}

impl Element {
    /// As the policy would say it.
    fn to_toml(&self) -> String {
        match self {
            Element::Cstr { nullable } => words("cstr", None, &[], *nullable),
            Element::Buf { dir, len, nullable } => {
                let bound = if *dir == Dir::Out { "cap" } else { "len" };
                words("buf", Some(*dir), &[(bound, Some(len.to_string()))], *nullable)
            }
            Element::Obj => words("obj", None, &[], false),
            Element::Handle { nullable } => words("handle", None, &[], *nullable),
        }
    }
}

impl Told {
    /// As the policy would say it.
    pub(crate) fn to_toml(&self) -> String {
        match self {
            Told::Value => words("value", None, &[], false),
            Told::User => words("user", None, &[], false),
            Told::Cstr { nullable } => words("cstr", None, &[], *nullable),
            Told::Handle { nullable } => words("handle", None, &[], *nullable),
            Told::Strarr { len, nullable } => words("strarr", None, &[("len", Some(len.to_string()))], *nullable),
            Told::Buf { len, nullable } => words("buf", None, &[("len", Some(len.to_string()))], *nullable),
            Told::Room { cap, written } => {
                let rest = [("cap", Some(cap.to_string())), ("written", written.as_ref().map(Expr::to_string))];
                words("buf", Some(Dir::Out), &rest, false)
            }
        }
    }
}

impl Failing {
    /// As the policy would say it.
    pub(crate) fn to_toml(&self) -> String {
        match &self.message {
            Some(message) => format!("error = \"{}\", message = \"{message}\"", self.error),
            None => format!("error = \"{}\"", self.error),
        }
    }
}

fn words(kind: &str, dir: Option<Dir>, rest: &[(&str, Option<String>)], nullable: bool) -> String {
    let mut words = vec![("kind", kind.to_owned())];
    words.extend(dir.map(|dir| ("dir", dir.word().to_owned())));
    words.extend(rest.iter().filter_map(|(key, value)| Some((*key, value.clone()?))));
    words.extend(nullable.then(|| ("null", "ok".to_owned())));
    let words: Vec<_> = words.iter().map(|(key, value)| format!("{key} = \"{value}\"")).collect();
    format!("{{ {} }}", words.join(", "))
}
