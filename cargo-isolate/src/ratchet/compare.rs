//! Which findings of now were there before.

use super::{Entry, Standing};
use crate::report::fingerprint::Fingerprint;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a finding of now is to an earlier state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It was there.
    Known,
    /// The same text stood in another function, module or package, and stands there no more.
    Moved,
    /// Another text of its kind stood in the same function, and is gone.
    Changed,
    /// The same text was there, and reached only so far: it was dormant, or in tests.
    Risen(Standing),
    New,
}

/// An earlier state of the code beside the present one.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    states: HashMap<Fingerprint, State>,
    /// What was there and has a counterpart now that differs from it, with what that is to it, in order.
    pub(crate) differing: Vec<(Entry, Difference)>,
    /// What was there and has no counterpart now, in order.
    pub(crate) gone: Vec<Entry>,
}

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Difference {
    Moved,
    Changed,
    /// It reaches less far now.
    Fallen(Standing),
    /// It reaches further now.
    Risen,
}

impl Comparison {
    /// Of a finding of now.
    pub(crate) fn state(&self, fingerprint: Fingerprint) -> State {
        self.states.get(&fingerprint).copied().unwrap_or(State::New)
    }

    /// Holds the findings of now against those of before, one to one: what is the same, then what says the same, then what
    /// stands in the same place; none reaches further than its counterpart did. What is left may be something of before that
    /// did not reach so far. So whatever is done to the code, no more is let through than was there.
    pub(crate) fn new(before: impl IntoIterator<Item = Entry>, now: impl IntoIterator<Item = Entry>) -> Comparison {
        let (mut before, mut now): (BTreeSet<_>, BTreeSet<_>) =
            (before.into_iter().collect(), now.into_iter().collect());
        let mut pairs = Pairs { before: &mut before, now: &mut now, found: Vec::new() };
        for reach in [Reach::Same, Reach::Less] {
            pairs.find(reach, |_| State::Known, |entry| entry.fingerprint);
            pairs.find(reach, |_| State::Moved, |entry| (entry.code.clone(), entry.content, entry.package.clone()));
            // What moves from one package to another is looked for last, so that nothing closer is missed for it.
            pairs.find(reach, |_| State::Moved, |entry| (entry.code.clone(), entry.content));
        }
        for reach in [Reach::Same, Reach::Less] {
            pairs.find(
                reach,
                |_| State::Changed,
                |entry| (entry.code.clone(), entry.package.clone(), entry.at.clone()),
            );
        }
        pairs.find(Reach::More, |before| State::Risen(before.standing), |entry| entry.fingerprint);
        pairs.find(Reach::More, |before| State::Risen(before.standing), |entry| (entry.code.clone(), entry.content));
        let mut comparison = Comparison::default();
        for (before, now, state) in pairs.found {
            comparison.states.insert(now.fingerprint, state);
            let difference = match state {
                State::Moved => Difference::Moved,
                State::Changed => Difference::Changed,
                State::Risen(_) => Difference::Risen,
                _ if now.standing < before.standing => Difference::Fallen(now.standing),
                _ => continue,
            };
            comparison.differing.push((before, difference));
        }
        comparison.states.extend(now.iter().map(|entry| (entry.fingerprint, State::New)));
        comparison.differing.sort();
        comparison.gone.extend(before);
        comparison
    }
}

/// How far something of now reaches, beside its counterpart of before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Same,
    Less,
    More,
}

/// What is paired, and what is left.
struct Pairs<'s> {
    before: &'s mut BTreeSet<Entry>,
    now: &'s mut BTreeSet<Entry>,
    found: Vec<(Entry, Entry, State)>,
}

impl Pairs<'_> {
    /// Takes out what agrees in `key`, one of now for one of before.
    fn find<K: Ord>(&mut self, reach: Reach, state: fn(&Entry) -> State, key: impl Fn(&Entry) -> K) {
        let mut free: BTreeMap<K, Vec<Entry>> = BTreeMap::new();
        for entry in self.before.iter().rev() {
            free.entry(key(entry)).or_default().push(entry.clone());
        }
        self.now.retain(|entry| {
            let Some(candidates) = free.get_mut(&key(entry)) else { return true };
            let is_one = |before: &Entry| match reach {
                Reach::Same => before.standing == entry.standing,
                Reach::Less => before.standing > entry.standing,
                Reach::More => before.standing < entry.standing,
            };
            let Some(found) = candidates.iter().rposition(is_one) else { return true };
            let counterpart = candidates.remove(found);
            self.before.remove(&counterpart);
            let state = state(&counterpart);
            self.found.push((counterpart, entry.clone(), state));
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `code package at content number`; what agrees in all of it is the same finding. `~` before it: dormant, `?`: in tests.
    fn entries(text: &str) -> Vec<Entry> {
        let hash = |parts: &[&str]| -> Fingerprint {
            let bytes = blake3::hash(parts.join(" ").as_bytes()).to_hex();
            bytes[..32].parse().unwrap()
        };
        let entry = |line: &str| {
            let standing = match line.as_bytes()[0] {
                b'~' => Standing::Dormant,
                b'?' => Standing::Tests,
                _ => Standing::Live,
            };
            let line = line.trim_start_matches(['~', '?']);
            let words: Vec<_> = line.split(' ').collect();
            Entry {
                code: words[0].to_owned(),
                package: words[1].to_owned(),
                at: words[2].to_owned(),
                standing,
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
        use State::{Changed, Known, Moved, New, Risen};
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
        // Dormant code that is compiled, there or elsewhere; what was in tests; and the way back.
        check("~block a a::f x 0", "block a a::f x 0", &[Risen(Standing::Dormant)], 0);
        check("~block a a::f x 0", "block a a::g x 0", &[Risen(Standing::Dormant)], 0);
        check("?block a a::f x 0", "block a a::f x 0", &[Risen(Standing::Tests)], 0);
        check("block a a::f x 0", "~block a a::f x 0", &[Known], 0);
        check("~block a a::f x 0", "block a a::f y 0", &[New], 1);
        // As many are live as before: which of them it was does not matter.
        check("~block a a::f x 0, block a a::g x 0", "block a a::f x 0", &[Moved], 1);
        check("~block a a::f x 0, block a a::g x 0", "block a a::f x 0, ~block a a::g x 0", &[Moved, Moved], 0);
        check(
            "~block a a::f x 0, block a a::f y 0",
            "block a a::f x 0, ~block a a::f y 0",
            &[Risen(Standing::Dormant), Known],
            0,
        );
        // A move is no change.
        check("block a a::f x 0, block a a::f y 0", "block a a::f z 0, block a a::g x 0", &[Changed, Moved], 0);
    }
}
