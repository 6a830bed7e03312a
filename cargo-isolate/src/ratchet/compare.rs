//! Which findings of now were there before.

use super::Entry;
use crate::report::fingerprint::Fingerprint;
use std::collections::{BTreeSet, HashMap};

/// What a finding of now is to an earlier state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It was there.
    Known,
    /// The same text stood in another function, module or package, and stands there no more.
    Moved,
    /// Another text of its kind stood in the same function, and is gone.
    Changed,
    New,
}

/// An earlier state of the code beside the present one.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    states: HashMap<Fingerprint, State>,
    /// What was there and has no counterpart now, in order.
    pub(crate) gone: Vec<Entry>,
}

impl Comparison {
    /// Of a finding of now.
    pub(crate) fn state(&self, fingerprint: Fingerprint) -> State {
        self.states.get(&fingerprint).copied().unwrap_or(State::New)
    }

    /// How many findings of now are so.
    pub(crate) fn count(&self, state: State) -> usize {
        self.states.values().filter(|one| **one == state).count()
    }

    /// Holds the findings of now against those of before, one to one: what is the same, then what says the same, then what
    /// stands in the same place. So whatever is done to the code, no more is let through than was there.
    pub(crate) fn new(before: impl IntoIterator<Item = Entry>, now: impl IntoIterator<Item = Entry>) -> Comparison {
        let mut before: BTreeSet<Entry> = before.into_iter().collect();
        let mut now: BTreeSet<Entry> = now.into_iter().collect();
        let mut states = HashMap::new();
        let fingerprints = |entries: &BTreeSet<Entry>| entries.iter().map(|entry| entry.fingerprint).collect();
        let (old, new): (BTreeSet<_>, BTreeSet<_>) = (fingerprints(&before), fingerprints(&now));
        states.extend(old.intersection(&new).map(|fingerprint| (*fingerprint, State::Known)));
        before.retain(|entry| !new.contains(&entry.fingerprint));
        now.retain(|entry| !old.contains(&entry.fingerprint));
        pair(&mut before, &mut now, &mut states, State::Moved, |entry| {
            (entry.code.clone(), entry.content.to_string(), entry.package.clone())
        });
        // What moves from one package to another is looked for last, so that nothing closer is missed for it.
        pair(&mut before, &mut now, &mut states, State::Moved, |entry| (entry.code.clone(), entry.content.to_string()));
        pair(&mut before, &mut now, &mut states, State::Changed, |entry| {
            (entry.code.clone(), entry.package.clone(), entry.at.clone())
        });
        states.extend(now.iter().map(|entry| (entry.fingerprint, State::New)));
        Comparison { states, gone: before.into_iter().collect() }
    }
}

/// Takes out what agrees in `key`, one of now for one of before.
fn pair<K: Ord>(
    before: &mut BTreeSet<Entry>,
    now: &mut BTreeSet<Entry>,
    states: &mut HashMap<Fingerprint, State>,
    state: State,
    key: impl Fn(&Entry) -> K,
) {
    let mut free: std::collections::BTreeMap<K, Vec<Entry>> = Default::default();
    for entry in before.iter().rev() {
        free.entry(key(entry)).or_default().push(entry.clone());
    }
    now.retain(|entry| match free.get_mut(&key(entry)).and_then(Vec::pop) {
        Some(counterpart) => {
            before.remove(&counterpart);
            states.insert(entry.fingerprint, state);
            false
        }
        None => true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `code package at content number`; what agrees in all of it is the same finding.
    fn entries(text: &str) -> Vec<Entry> {
        let hash = |parts: &[&str]| -> Fingerprint {
            let bytes = blake3::hash(parts.join(" ").as_bytes()).to_hex();
            bytes[..32].parse().unwrap()
        };
        let entry = |line: &str| {
            let words: Vec<_> = line.split(' ').collect();
            Entry {
                code: words[0].to_owned(),
                package: words[1].to_owned(),
                at: words[2].to_owned(),
                fingerprint: hash(&words),
                content: hash(&[words[0], words[3]]),
            }
        };
        text.split(", ").filter(|line| !line.is_empty()).map(entry).collect()
    }

    #[track_caller]
    fn check(before: &str, now: &str, expected: &[State], gone: usize) {
        let compared = Comparison::new(entries(before), entries(now));
        let states: Vec<_> = entries(now).iter().map(|entry| compared.state(entry.fingerprint)).collect();
        assert_eq!((states.as_slice(), compared.gone.len()), (expected, gone));
    }

    #[test]
    fn each_of_now_stands_for_one_of_before() {
        use State::{Changed, Known, Moved, New};
        check("", "block a a::f x 0", &[New], 0);
        check("block a a::f x 0", "", &[], 1);
        check("block a a::f x 0", "block a a::f x 0", &[Known], 0);
        check("block a a::f x 0", "block a a::f x 0, block a a::f x 1", &[Known, New], 0);
        // Moved to another function; copied there.
        check("block a a::f x 0", "block a a::g x 0", &[Moved], 0);
        check("block a a::f x 0", "block a a::f x 0, block a a::g x 0", &[Known, New], 0);
        check("block a a::f x 0", "block a a::g x 0, block a a::h x 0", &[Moved, New], 0);
        // To another package, if nothing in its own takes its place.
        check("block a a::f x 0", "block b b::f x 0", &[Moved], 0);
        check("block a a::f x 0", "block b b::f x 0, block a a::g x 0", &[New, Moved], 0);
        // Edited; edited and doubled; of another kind.
        check("block a a::f x 0", "block a a::f y 0", &[Changed], 0);
        check("block a a::f x 0", "block a a::f y 0, block a a::f z 0", &[Changed, New], 0);
        check("block a a::f x 0", "fn a a::f y 0", &[New], 1);
        // A move is no change.
        check("block a a::f x 0, block a a::f y 0", "block a a::f z 0, block a a::g x 0", &[Changed, Moved], 0);
    }
}
