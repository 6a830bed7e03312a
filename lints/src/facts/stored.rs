//! Binary serialisation of facts, with each scope stored once.
//!
//! All facts of one function share one [`Scope`]. Serialised with each fact, scopes would make up most of the output
//! and come back as one allocation per fact. Within [`sharing`], a scope is written where it first occurs, and as an
//! index after that.

use super::{FileFacts, Scope};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{cell::RefCell, collections::HashMap, sync::Arc};

thread_local! {
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Known {
    /// Keyed by address: a scope that is merely equal is written again, since comparing would cost more.
    written: HashMap<*const Scope, u32>,
    read: Vec<Arc<Scope>>,
}

impl FileFacts {
    /// Serialises the facts, to be read by [`FileFacts::from_bytes`] of the same build of this crate.
    pub fn to_bytes(&self) -> Vec<u8> {
        sharing(|| postcard::to_stdvec(self)).expect("facts are plain data, which can be written to memory")
    }

    /// Reads the output of [`FileFacts::to_bytes`]. Other bytes give `None` as far as they can be recognised.
    pub fn from_bytes(bytes: &[u8]) -> Option<FileFacts> {
        sharing(|| postcard::from_bytes(bytes)).ok()
    }
}

/// Serialises or deserialises facts with each scope stored once. Both directions must use it.
pub(super) fn sharing<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Known>);
    impl Drop for Restore {
        fn drop(&mut self) {
            KNOWN.set(self.0.take());
        }
    }
    let _outer = Restore(KNOWN.replace(Some(Known::default())));
    work()
}

pub(super) fn serialize<S: Serializer>(scope: &Arc<Scope>, serializer: S) -> Result<S::Ok, S::Error> {
    let number = KNOWN.with_borrow_mut(|known| {
        let written = &mut known.as_mut()?.written;
        let next = written.len() as u32;
        let number = *written.entry(Arc::as_ptr(scope)).or_insert(next);
        Some((number, number == next))
    });
    match number {
        None => Scope::serialize(scope, serializer),
        Some((number, first)) => (number, first.then_some(&**scope)).serialize(serializer),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Scope>, D::Error> {
    if KNOWN.with_borrow(Option::is_none) {
        return Scope::deserialize(deserializer).map(Arc::new);
    }
    let (number, scope) = <(u32, Option<Scope>)>::deserialize(deserializer)?;
    KNOWN.with_borrow_mut(|known| {
        let read = &mut known.get_or_insert_default().read;
        read.extend(scope.map(Arc::new));
        read.get(number as usize)
            .cloned()
            .ok_or_else(|| serde::de::Error::custom("a scope that was not written before"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Edition, scan};

    #[test]
    fn facts_come_back_as_they_were() {
        let facts = scan(include_str!("../../tests/cases/macros.rs"), Edition::E2021);
        let shared = sharing(|| serde_json::to_string(&facts).unwrap());
        let plain = serde_json::to_string(&facts).unwrap();
        assert!(shared.len() < plain.len());
        let read: FileFacts = sharing(|| serde_json::from_str(&shared).unwrap());
        assert_eq!(facts, read);
        let bytes = facts.to_bytes();
        assert_eq!(FileFacts::from_bytes(&bytes).as_ref(), Some(&facts));
        assert_eq!(FileFacts::from_bytes(&bytes[..bytes.len() / 2]), None);
        assert_eq!(facts, serde_json::from_str(&plain).unwrap());
        // The scopes are shared again after the round trip.
        let scopes = |facts: &FileFacts| {
            facts.calls.iter().map(|call| Arc::as_ptr(&call.scope)).collect::<std::collections::HashSet<_>>().len()
        };
        assert_eq!(scopes(&facts), scopes(&read));
    }

    #[test]
    fn a_number_without_its_scope_is_an_error() {
        assert!(sharing(|| serde_json::from_str::<FileFacts>("{\"unsafes\":[{\"scope\":[3,null]}]}")).is_err());
    }
}
