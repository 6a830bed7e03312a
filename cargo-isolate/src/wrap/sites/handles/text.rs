//! The replacement of a pointer, of its type and of all of its uses.

use super::{
    At, Conversion, HandleArgument, InFile, Stored,
    field::Field,
    local::Let,
    must_end::MustEnd,
    uses::{Use, Uses},
};
use crate::{
    contract::{Contract, Dir, Hold},
    wrap::sites::{
        argument::{has_word, is_pure, without_parens},
        locals::repeats,
        source::{Edit, Source, place, range},
        wrappers::Wrapper,
    },
};
use std::collections::{BTreeMap, BTreeSet};
use syn::{Expr, spanned::Spanned};

/// The conversion of a pointer into a handle; `None` if one of its uses has no wrapper that fits.
pub(super) fn conversion(file: &InFile<'_>, uses: &Uses<'_>) -> Option<Conversion> {
    let (source, wrapper) = (file.source, file.wrapper);
    let mut conversion = Conversion {
        arguments: BTreeMap::new(),
        out_params: BTreeMap::new(),
        created: BTreeMap::new(),
        destroyed: BTreeMap::new(),
        calls: BTreeSet::new(),
        edits: Vec::new(),
    };
    let mut kinds = BTreeSet::new();
    for one in &uses.all {
        match one {
            Use::Created { call, .. } => {
                let at = place(call.func.span());
                let (made, kind) = returned(wrapper(at)?)?;
                conversion.created.insert(at, made);
                conversion.calls.insert(at);
                kinds.insert(kind);
            }
            Use::OutParam { call, index, place } => {
                let (made, kind) = stored(wrapper(*call)?, *index)?;
                conversion.out_params.insert(range(*place).start, made);
                conversion.calls.insert(*call);
                kinds.insert(kind);
            }
            _ => {}
        }
    }
    let mut kinds = kinds.into_iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else { return None };
    let owned = matches!(kind, Kind::Owned { .. });
    let non_null = uses.field.is_some_and(|field| field.non_null);
    let optional = !non_null && may_be_null(uses, &conversion, owned);
    if non_null && owned {
        // A `NonNull` field cannot become an `Option`, so the object would be destroyed when the fields are dropped.
        // That may change the order of destruction.
        return None;
    }
    if checks_for_impossible_null(uses, &conversion) || owned && !destroys_as_before(file, uses) {
        return None;
    }
    let wrapped = |to: &str, optional: bool| match optional {
        true => format!("Option<isolate_rt::{}<{to}>>", kind.name()),
        false => format!("isolate_rt::{}<{to}>", kind.name()),
    };
    if let Some(field) = uses.field {
        conversion.edits.push(Edit::new(range(field.ty), wrapped(source.of(field.to), optional)));
    }
    if is_used_when_moved(uses) || is_moved_again(uses) {
        return None;
    }
    for found in &uses.lets {
        local(source, found, optional, &wrapped, &mut conversion.edits)?;
    }
    for one in &uses.all {
        match one {
            Use::Argument { call, index, expr, place, ignored, in_drop } => {
                let its = wrapper(*call)?;
                let last = is_last(uses, place);
                let is_local = matches!(place, Expr::Path(_));
                let movable = *in_drop || is_local && (last || uses.lets.iter().any(Let::is_mut));
                let is_end = matches!(kind, Kind::Owned { free } if free == its.function.name);
                let given = HandleArgument { place: source.of(*place).to_owned(), optional, owned, last, is_end };
                let whole = argument(its, *index, &given, *ignored && movable, *in_drop)?;
                conversion.destroyed.extend(whole.then_some((*call, *in_drop)));
                conversion.calls.insert(*call);
                conversion.arguments.insert(range(without_parens(expr)).start, given);
            }
            Use::IsNull { call } => conversion.edits.push(Edit::new(range(&call.method), "is_none")),
            Use::Null(expr) | Use::Cleared { null: expr, .. } => conversion.edits.push(Edit::new(range(*expr), "None")),
            Use::Created { non_null: Some(new), .. } => {
                let inner = range(new.args.first()?);
                let whole = range(*new);
                conversion.edits.push(Edit::delete(whole.start..inner.start));
                conversion.edits.push(Edit::delete(inner.end..whole.end));
            }
            Use::Created { .. } | Use::OutParam { .. } | Use::Moved(_) => {}
        }
    }
    let checked = uses.lets.iter().filter(|_| !optional).filter_map(|found| found.check).map(range);
    let checked: Vec<_> = checked.collect();
    // `let … else` replaces this `is_null` check.
    conversion
        .edits
        .retain(|edit| edit.text != "is_none" || !checked.iter().any(|check| check.contains(&edit.range.start)));
    (!source.loses_comment(&conversion.edits)).then_some(conversion)
}

/// The kind of handle that the wrappers return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind<'p> {
    Handle,
    /// Dropping it calls the function `free`.
    Owned {
        free: &'p str,
    },
}

impl Kind<'_> {
    fn name(self) -> &'static str {
        match self {
            Kind::Handle => "Handle",
            Kind::Owned { .. } => "Owned",
        }
    }
}

/// The result of a wrapper that returns the object and nothing else.
fn returned<'p>(wrapper: &Wrapper<'p>) -> Option<(Stored, Kind<'p>)> {
    if wrapper.function.failing.is_some() {
        return None;
    }
    let (made, ret) = match wrapper.ret.strip_prefix("Option<") {
        Some(inner) => (Stored::AsIs, inner),
        None => (Stored::InSome, &*wrapper.ret),
    };
    let Contract::Handle { hold, .. } = wrapper.function.ret.as_ref()?.decision.contract()? else { return None };
    let kind = match (ret.split_once('<')?.0, hold) {
        ("Handle", _) => Kind::Handle,
        ("Owned", Hold::Give { free, .. }) => Kind::Owned { free: &free.function },
        _ => return None,
    };
    Some((made, kind))
}

/// The result of a wrapper whose function stores the object through the out-parameter at `index`.
fn stored<'p>(wrapper: &Wrapper<'p>, index: usize) -> Option<(Stored, Kind<'p>)> {
    match wrapper.function.params.get(index)?.decision.contract()? {
        Contract::Handle { dir: Dir::Out, nullable, hold: Hold::Give { free, .. } } if *nullable => {
            Some((Stored::AsIs, Kind::Owned { free: &free.function }))
        }
        // A call that stores no object has failed, and the code after the call checks for that.
        Contract::Handle { dir: Dir::Out, hold: Hold::Give { free, .. }, .. } if wrapper.function.failing.is_some() => {
            Some((Stored::InSome, Kind::Owned { free: &free.function }))
        }
        Contract::Handle { dir: Dir::Out, hold: Hold::Keep, .. } => Some((Stored::AsIs, Kind::Handle)),
        _ => None,
    }
}

/// Whether the program checks for NULL although the wrapper never returns `None`: there, NULL would be a fault.
fn checks_for_impossible_null(uses: &Uses<'_>, conversion: &Conversion) -> bool {
    let asks = |one: &Use<'_>| matches!(one, Use::IsNull { .. } | Use::Created { non_null: Some(_), .. });
    conversion.created.values().chain(conversion.out_params.values()).any(|made| *made == Stored::InSome)
        && uses.all.iter().any(asks)
}

/// Whether an `Owned` destroys the object exactly where the program did. If some path does not destroy the object, the
/// program may mean to keep it.
fn destroys_as_before(file: &InFile<'_>, uses: &Uses<'_>) -> bool {
    let (source, wrapper) = (file.source, file.wrapper);
    let takes = |one: &Use<'_>| match one {
        Use::Argument { call, index, .. } => {
            let contract = wrapper(*call)?.function.params.get(*index)?.decision.contract()?;
            matches!(contract, Contract::Handle { hold: Hold::Take { .. }, .. }).then_some(*call)
        }
        _ => None,
    };
    let ends: BTreeSet<At> = uses.all.iter().filter_map(takes).collect();
    let stores: BTreeSet<_> =
        uses.all.iter().filter(|one| matches!(one, Use::Moved(_))).filter_map(Use::start).collect();
    let is_end = |expr: &Expr| matches!(expr, Expr::Call(call) if ends.contains(&place(call.func.span())));
    let is_store = |expr: &Expr| matches!(expr, Expr::Path(_)) && stores.contains(&range(expr).start);
    let keeps = uses.all.iter().any(|one| match one {
        Use::Cleared { after, .. } => !after.is_some_and(|after| ends.contains(&after)),
        _ => false,
    });
    // After a failed call there is no object.
    let made = uses.all.iter().filter_map(|one| match one {
        Use::OutParam { call, .. } => Some(file.failed(*call)),
        _ => None,
    });
    let none: Vec<_> = made.flatten().collect();
    let must_be_destroyed = |found: &Let<'_>| {
        let is_end: &dyn Fn(&Expr) -> bool = if uses.field.is_some() { &is_store } else { &is_end };
        MustEnd { source, place: &found.name.to_string(), is_end, absent: &none }.is_on_every_path(found.rest)
    };
    let of_field = |field: &Field<'_>| {
        let place = format!("self.{}", field.text());
        uses.drop.is_some_and(|body| {
            MustEnd { source, place: &place, is_end: &is_end, absent: &[] }.is_on_every_path(&body.stmts)
        })
    };
    !keeps && uses.lets.iter().all(must_be_destroyed) && uses.field.iter().all(of_field)
}

/// Whether the pointer may be NULL, other than in the check right after the call that creates the object.
fn may_be_null(uses: &Uses<'_>, conversion: &Conversion, owned: bool) -> bool {
    let checks: Vec<_> = uses.lets.iter().map(|found| found.check.map(range)).collect();
    let is_asked = |at: usize| checks.iter().flatten().any(|check| check.contains(&at));
    let ends_in_field = conversion.created.len() + conversion.out_params.len() != uses.lets.len();
    let asks = uses.all.iter().any(|one| match one {
        Use::IsNull { call } => !is_asked(range(*call).start),
        Use::Null(_) | Use::Cleared { .. } | Use::OutParam { .. } => true,
        // Destroying it in `drop` must move it out of `&mut self`, by `Option::take`.
        Use::Argument { in_drop, .. } => *in_drop && owned && uses.field.is_some(),
        Use::Created { call, .. } => !call.args.iter().all(is_pure),
        Use::Moved(_) => false,
    });
    let in_some = conversion.created.values().any(|made| *made == Stored::InSome);
    asks || in_some || ends_in_field || checks.iter().any(Option::is_none)
}

/// Writes `let Some(name) = call else { … };` for `let name = call; if name.is_null() { … }`.
fn local(
    source: &Source,
    found: &Let<'_>,
    optional: bool,
    wrapped: &dyn Fn(&str, bool) -> String,
    edits: &mut Vec<Edit>,
) -> Option<()> {
    if let Some(ty) = found.ty {
        let syn::Type::Ptr(pointer) = ty else { return None };
        edits.push(Edit::new(range(ty), wrapped(source.of(&pointer.elem), optional)));
    }
    let check = found.check.filter(|_| !optional);
    let Some(check) = check else { return Some(()) };
    // A type annotation would now apply to the `Some(…)` pattern.
    let name = found.ty.is_none().then(|| source.of(&found.local.pat))?;
    let body = range(&check.then_branch);
    if has_word(&source.code(body.clone()), &found.name.to_string()) {
        return None;
    }
    edits.push(Edit::new(range(&found.local.pat), format!("Some({name})")));
    let init = found.local.init.as_ref()?;
    edits.push(Edit::new(range(&init.expr).end..body.start, " else "));
    edits.push(Edit::insert(body.end, ";"));
    Some(())
}

/// Whether a local is used after it was moved into the field.
fn is_used_when_moved(uses: &Uses<'_>) -> bool {
    let starts = |of: &dyn Fn(&Use<'_>) -> bool| {
        uses.all.iter().filter(|one| of(one)).filter_map(Use::start).collect::<Vec<_>>()
    };
    let moved = starts(&|one| matches!(one, Use::Moved(_)));
    let scopes = uses.lets.iter().map(|found| range(found.local).start);
    let is_of_local = |one: &Use<'_>| match one {
        Use::Argument { place, .. } | Use::OutParam { place, .. } => matches!(place, Expr::Path(_)),
        Use::IsNull { call } => matches!(without_parens(&call.receiver), Expr::Path(_)),
        Use::Null(_) | Use::Cleared { .. } | Use::Created { .. } | Use::Moved(_) => false,
    };
    let used = starts(&is_of_local);
    let scopes: Vec<_> = scopes.collect();
    let scope = |at: usize| scopes.iter().copied().filter(|start| *start < at).max();
    moved.iter().any(|moved| used.iter().any(|used| used > moved && scope(*used) == scope(*moved)))
}

/// Whether a local is moved into the field in a loop or a closure, but created before it.
fn is_moved_again(uses: &Uses<'_>) -> bool {
    let moved = uses.all.iter().filter(|one| matches!(one, Use::Moved(_))).filter_map(Use::start);
    let mut behind = moved.flat_map(|at| uses.lets.iter().flat_map(|found| found.rest).map(move |next| (next, at)));
    behind.any(|(next, at)| repeats(next, at))
}

/// Whether this is the last use of a local.
fn is_last(uses: &Uses<'_>, place: &Expr) -> bool {
    let at = range(place).start;
    let is_behind = |one: &Use<'_>| one.start().is_some_and(|start| start > at);
    uses.field.is_none() && !uses.all.iter().any(is_behind)
}

/// Whether a wrapper accepts the handle as this argument: `Some(true)` if the whole call must be replaced by another
/// expression, `None` if the wrapper does not accept it.
fn argument(wrapper: &Wrapper<'_>, index: usize, given: &HandleArgument, ignored: bool, in_drop: bool) -> Option<bool> {
    let Contract::Handle { dir, nullable, hold } = wrapper.function.params.get(index)?.decision.contract()? else {
        return None;
    };
    let sole = wrapper.params.len() == 1 && wrapper.function.failing.is_none();
    let wants_owned = wrapper.params.iter().any(|(_, ty)| ty.contains("Owned<"));
    match hold {
        _ if *dir == Dir::Out || wants_owned && !given.owned => None,
        Hold::Take { indirect: true } => None,
        Hold::Take { .. } if given.optional => (ignored && sole).then_some(true),
        Hold::Take { .. } => given.last.then_some(false),
        _ if in_drop => (ignored && sole && !nullable).then_some(true),
        _ => Some(false),
    }
}

impl HandleArgument {
    /// The argument for a parameter that takes a reference.
    pub(in crate::wrap::sites) fn reference(&self, nullable: bool) -> String {
        let place = &self.place;
        match (self.optional, nullable) {
            (false, false) => format!("&{place}"),
            (false, true) => format!("Some(&{place})"),
            (true, true) => format!("{place}.{}", self.as_option()),
            (true, false) => format!("{place}.as_ref().expect(\"`{place}` is NULL\")"),
        }
    }

    fn as_option(&self) -> &'static str {
        if self.owned { "as_deref()" } else { "as_ref()" }
    }

    /// The expression that destroys the object, as a replacement of a call of the wrapper at `path`. `faults` is the
    /// text that handles a fault. In `drop` there is none: a fault destroys the object too, so it is discarded, as when
    /// an `Owned` is dropped.
    pub(in crate::wrap::sites) fn ended(&self, path: &str, takes: bool, faults: Option<&str>) -> String {
        let place = &self.place;
        match (self.optional, takes, faults) {
            (true, true, None) if self.is_end => format!("drop({place}.take())"),
            (true, true, None) => format!("drop({place}.take().map({path}))"),
            (true, true, Some(faults)) if self.last => format!("{place}.map({path}).transpose(){faults}"),
            (true, true, Some(faults)) => format!("{place}.take().map({path}).transpose(){faults}"),
            (true, false, _) => format!("drop({place}.{}.map({path}))", self.as_option()),
            (false, _, _) => format!("drop({path}(&{place}))"),
        }
    }
}
