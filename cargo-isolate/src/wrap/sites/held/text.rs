//! What takes the place of a pointer, of its type and of all that is done with it.

use super::{
    At, Given, InFile, Made, Slot,
    field::Field,
    local::Let,
    uses::{Use, Uses},
    way::Way,
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

/// What becomes of a pointer and its uses; `None` where one of them has no wrapper that fits.
pub(super) fn slot(file: &InFile<'_>, uses: &Uses<'_>) -> Option<Slot> {
    let (source, wrapper) = (file.source, file.wrapper);
    let mut slot = Slot {
        arguments: BTreeMap::new(),
        rooms: BTreeMap::new(),
        made: BTreeMap::new(),
        ended: BTreeMap::new(),
        calls: BTreeSet::new(),
        edits: Vec::new(),
    };
    let mut kinds = BTreeSet::new();
    for one in &uses.all {
        match one {
            Use::Made { call, .. } => {
                let at = place(call.func.span());
                let (made, kind) = returned(wrapper(at)?)?;
                slot.made.insert(at, made);
                slot.calls.insert(at);
                kinds.insert(kind);
            }
            Use::Room { call, index, place } => {
                let (made, kind) = stored(wrapper(*call)?, *index)?;
                slot.rooms.insert(range(*place).start, made);
                slot.calls.insert(*call);
                kinds.insert(kind);
            }
            _ => {}
        }
    }
    let mut kinds = kinds.into_iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else { return None };
    let owned = matches!(kind, Kind::Owned { .. });
    let non_null = uses.field.is_some_and(|field| field.non_null);
    let optional = !non_null && may_be_null(uses, &slot, owned);
    if non_null && owned {
        // Whether it ends before the other fields or after them would be another question than before.
        return None;
    }
    if is_asked_in_vain(uses, &slot) || owned && !ends_as_before(file, uses) {
        return None;
    }
    let wrapped = |to: &str, optional: bool| match optional {
        true => format!("Option<isolate_rt::{}<{to}>>", kind.name()),
        false => format!("isolate_rt::{}<{to}>", kind.name()),
    };
    if let Some(field) = uses.field {
        slot.edits.push(Edit::new(range(field.ty), wrapped(source.of(field.to), optional)));
    }
    if is_used_when_moved(uses) || is_moved_again(uses) {
        return None;
    }
    for found in &uses.lets {
        local(source, found, optional, &wrapped, &mut slot.edits)?;
    }
    for one in &uses.all {
        match one {
            Use::Argument { call, index, expr, place, ignored, in_drop } => {
                let its = wrapper(*call)?;
                let last = is_last(uses, place);
                let is_local = matches!(place, Expr::Path(_));
                let movable = *in_drop || is_local && (last || uses.lets.iter().any(Let::is_mut));
                let is_end = matches!(kind, Kind::Owned { free } if free == its.function.name);
                let given = Given { place: source.of(*place).to_owned(), optional, owned, last, is_end };
                let whole = argument(its, *index, &given, *ignored && movable, *in_drop)?;
                slot.ended.extend(whole.then_some((*call, *in_drop)));
                slot.calls.insert(*call);
                slot.arguments.insert(range(without_parens(expr)).start, given);
            }
            Use::IsNull { call } => slot.edits.push(Edit::new(range(&call.method), "is_none")),
            Use::Null(expr) | Use::Cleared { null: expr, .. } => slot.edits.push(Edit::new(range(*expr), "None")),
            Use::Made { non_null: Some(new), .. } => {
                let inner = range(new.args.first()?);
                let whole = range(*new);
                slot.edits.push(Edit::delete(whole.start..inner.start));
                slot.edits.push(Edit::delete(inner.end..whole.end));
            }
            Use::Made { .. } | Use::Room { .. } | Use::Fed(_) => {}
        }
    }
    let checked = uses.lets.iter().filter(|_| !optional).filter_map(|found| found.check).map(range);
    let checked: Vec<_> = checked.collect();
    // The question that `let … else` asks.
    slot.edits.retain(|edit| edit.text != "is_none" || !checked.iter().any(|check| check.contains(&edit.range.start)));
    (!source.loses_comment(&slot.edits)).then_some(slot)
}

/// Which of the two the wrappers give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind<'p> {
    Handle,
    /// This function ends it when it is dropped.
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

/// What a wrapper gives that returns the object and nothing else.
fn returned<'p>(wrapper: &Wrapper<'p>) -> Option<(Made, Kind<'p>)> {
    if wrapper.function.failing.is_some() {
        return None;
    }
    let (made, ret) = match wrapper.ret.strip_prefix("Option<") {
        Some(inner) => (Made::AsIs, inner),
        None => (Made::InSome, &*wrapper.ret),
    };
    let Contract::Handle { hold, .. } = wrapper.function.ret.as_ref()?.decision.contract()? else { return None };
    let kind = match (ret.split_once('<')?.0, hold) {
        ("Handle", _) => Kind::Handle,
        ("Owned", Hold::Give { free, .. }) => Kind::Owned { free: &free.function },
        _ => return None,
    };
    Some((made, kind))
}

/// What one gives that C stores where a parameter points to.
fn stored<'p>(wrapper: &Wrapper<'p>, index: usize) -> Option<(Made, Kind<'p>)> {
    match wrapper.function.params.get(index)?.decision.contract()? {
        Contract::Handle { dir: Dir::Out, nullable, hold: Hold::Give { free, .. } } if *nullable => {
            Some((Made::AsIs, Kind::Owned { free: &free.function }))
        }
        // Without an object it failed, and the code after the call asks that.
        Contract::Handle { dir: Dir::Out, hold: Hold::Give { free, .. }, .. } if wrapper.function.failing.is_some() => {
            Some((Made::InSome, Kind::Owned { free: &free.function }))
        }
        Contract::Handle { dir: Dir::Out, hold: Hold::Keep, .. } => Some((Made::AsIs, Kind::Handle)),
        _ => None,
    }
}

/// The program asks for NULL, where the wrapper knows none: it would be a fault there.
fn is_asked_in_vain(uses: &Uses<'_>, slot: &Slot) -> bool {
    let asks = |one: &Use<'_>| matches!(one, Use::IsNull { .. } | Use::Made { non_null: Some(_), .. });
    slot.made.values().chain(slot.rooms.values()).any(|made| *made == Made::InSome) && uses.all.iter().any(asks)
}

/// An `Owned` ends nowhere but where the program ended the object: what it does not end on every way, it may mean to keep.
fn ends_as_before(file: &InFile<'_>, uses: &Uses<'_>) -> bool {
    let (source, wrapper) = (file.source, file.wrapper);
    let takes = |one: &Use<'_>| match one {
        Use::Argument { call, index, .. } => {
            let contract = wrapper(*call)?.function.params.get(*index)?.decision.contract()?;
            matches!(contract, Contract::Handle { hold: Hold::Take { .. }, .. }).then_some(*call)
        }
        _ => None,
    };
    let ends: BTreeSet<At> = uses.all.iter().filter_map(takes).collect();
    let stores: BTreeSet<_> = uses.all.iter().filter(|one| matches!(one, Use::Fed(_))).filter_map(Use::start).collect();
    let is_end = |expr: &Expr| matches!(expr, Expr::Call(call) if ends.contains(&place(call.func.span())));
    let is_store = |expr: &Expr| matches!(expr, Expr::Path(_)) && stores.contains(&range(expr).start);
    let keeps = uses.all.iter().any(|one| match one {
        Use::Cleared { after, .. } => !after.is_some_and(|after| ends.contains(&after)),
        _ => false,
    });
    // Where the call that makes it failed, there is none.
    let made = uses.all.iter().filter_map(|one| match one {
        Use::Room { call, .. } => Some(file.failed(*call)),
        _ => None,
    });
    let none: Vec<_> = made.flatten().collect();
    let is_gone = |found: &Let<'_>| {
        let is_end: &dyn Fn(&Expr) -> bool = if uses.field.is_some() { &is_store } else { &is_end };
        Way { source, place: &found.name.to_string(), is_end, none: &none }.is_surely_gone(found.rest)
    };
    let of_field = |field: &Field<'_>| {
        let place = format!("self.{}", field.text());
        uses.drop
            .is_some_and(|body| Way { source, place: &place, is_end: &is_end, none: &[] }.is_surely_gone(&body.stmts))
    };
    !keeps && uses.lets.iter().all(is_gone) && uses.field.iter().all(of_field)
}

/// It is NULL at times, as far as the code says: all but what is asked right behind the call that made it.
fn may_be_null(uses: &Uses<'_>, slot: &Slot, owned: bool) -> bool {
    let checks: Vec<_> = uses.lets.iter().map(|found| found.check.map(range)).collect();
    let is_asked = |at: usize| checks.iter().flatten().any(|check| check.contains(&at));
    let ends_in_field = slot.made.len() + slot.rooms.len() != uses.lets.len();
    let asks = uses.all.iter().any(|one| match one {
        Use::IsNull { call } => !is_asked(range(*call).start),
        Use::Null(_) | Use::Cleared { .. } | Use::Room { .. } => true,
        // It is ended behind a reference to what holds it.
        Use::Argument { in_drop, .. } => *in_drop && owned && uses.field.is_some(),
        Use::Made { call, .. } => !call.args.iter().all(is_pure),
        Use::Fed(_) => false,
    });
    let in_some = slot.made.values().any(|made| *made == Made::InSome);
    asks || in_some || ends_in_field || checks.iter().any(Option::is_none)
}

/// `let Some(name) = call else { … };` for `let name = call; if name.is_null() { … }`.
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
    // A type there would be that of the pattern.
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

/// Something is done with a local behind the place where it is moved into the field.
fn is_used_when_moved(uses: &Uses<'_>) -> bool {
    let starts = |of: &dyn Fn(&Use<'_>) -> bool| {
        uses.all.iter().filter(|one| of(one)).filter_map(Use::start).collect::<Vec<_>>()
    };
    let moved = starts(&|one| matches!(one, Use::Fed(_)));
    let scopes = uses.lets.iter().map(|found| range(found.local).start);
    let is_of_local = |one: &Use<'_>| match one {
        Use::Argument { place, .. } | Use::Room { place, .. } => matches!(place, Expr::Path(_)),
        Use::IsNull { call } => matches!(without_parens(&call.receiver), Expr::Path(_)),
        Use::Null(_) | Use::Cleared { .. } | Use::Made { .. } | Use::Fed(_) => false,
    };
    let used = starts(&is_of_local);
    let scopes: Vec<_> = scopes.collect();
    let scope = |at: usize| scopes.iter().copied().filter(|start| *start < at).max();
    moved.iter().any(|moved| used.iter().any(|used| used > moved && scope(*used) == scope(*moved)))
}

/// A local is moved into the field in what runs more than once, and is made before that.
fn is_moved_again(uses: &Uses<'_>) -> bool {
    let moved = uses.all.iter().filter(|one| matches!(one, Use::Fed(_))).filter_map(Use::start);
    let mut behind = moved.flat_map(|at| uses.lets.iter().flat_map(|found| found.rest).map(move |next| (next, at)));
    behind.any(|(next, at)| repeats(next, at))
}

/// Nothing stands behind it that is done with the pointer, and it is not done again.
fn is_last(uses: &Uses<'_>, place: &Expr) -> bool {
    let at = range(place).start;
    let is_behind = |one: &Use<'_>| one.start().is_some_and(|start| start > at);
    uses.field.is_none() && !uses.all.iter().any(is_behind)
}

/// Whether a wrapper can be given it there; and then whether the call becomes another expression as a whole.
fn argument(wrapper: &Wrapper<'_>, index: usize, given: &Given, ignored: bool, in_drop: bool) -> Option<bool> {
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

impl Given {
    /// As a parameter that takes a reference.
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

    /// What ends it, in the place of a call of the wrapper with this path. `faults` is what becomes of a fault; in `drop`, where
    /// the object is gone with it, nothing does, as where an `Owned` is dropped.
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
