//! Matches present findings with earlier ones.

use super::{Entry, Standing};
use crate::report::fingerprint::Fingerprint;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How a present finding relates to an earlier state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It existed.
    Known,
    /// The same text existed in another function, module or package, and is no longer there.
    Moved,
    /// Other text with the same code existed in the same function, and is no longer there.
    Changed,
    /// The same text existed with this lower standing: it was dormant, or in tests.
    Risen(Standing),
    New,
}

/// The comparison of an earlier state of the code with the present one.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    states: HashMap<Fingerprint, State>,
    /// Earlier findings with a present counterpart that differs, and how it differs; sorted.
    pub(crate) differing: Vec<(Entry, Difference)>,
    /// Earlier findings without a present counterpart, sorted.
    pub(crate) gone: Vec<Entry>,
}

/// What became of an earlier finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Difference {
    Moved,
    Changed,
    /// It has a lower standing now.
    Fallen(Standing),
    /// It has a higher standing now.
    Risen,
}

impl Comparison {
    /// The state of a present finding.
    pub(crate) fn state(&self, fingerprint: Fingerprint) -> State {
        self.states.get(&fingerprint).copied().unwrap_or(State::New)
    }

    /// Pairs present findings with earlier ones, one to one: first identical ones, then those with the same text, then
    /// those in the same place, and none with a counterpart of lower standing. Only what is left over may be paired
    /// with something of lower standing. Pairing one to one ensures that no change to the code lets more findings pass
    /// than there were.
    pub(crate) fn new(before: impl IntoIterator<Item = Entry>, now: impl IntoIterator<Item = Entry>) -> Comparison {
        let (mut before, mut now): (BTreeSet<_>, BTreeSet<_>) =
            (before.into_iter().collect(), now.into_iter().collect());
        let mut pairs = Pairs { before: &mut before, now: &mut now, found: Vec::new() };
        for reach in [Reach::Same, Reach::Less] {
            pairs.find(reach, |_| State::Known, |entry| entry.fingerprint);
            pairs.find(reach, |_| State::Moved, |entry| (entry.code.clone(), entry.content, entry.package.clone()));
            // Moves between packages come last, so that they do not take the counterpart of a closer match.
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

/// How the standing of a present finding compares with its counterpart's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Same,
    Less,
    More,
}

/// The pairs found so far, and the findings that are left.
struct Pairs<'s> {
    before: &'s mut BTreeSet<Entry>,
    now: &'s mut BTreeSet<Entry>,
    found: Vec<(Entry, Entry, State)>,
}

impl Pairs<'_> {
    /// Pairs findings that agree in `key`, and removes them from those that are left.
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

    /// Parses `code package at content number`; findings that agree in all of it are identical. A prefix of `~` means
    /// dormant, `?` means in tests.
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
        // Moved to another function, or copied there.
        check("block a a::f x 0", "block a a::g x 0", &[Moved], 0);
        check("block a a::f x 0", "block a a::f x 0, block a a::g x 0", &[Known, New], 0);
        check("block a a::f x 0", "block a a::g x 0, block a a::h x 0", &[Moved, New], 0);
        // Moved to another package, unless its own package has a counterpart.
        check("block a a::f x 0", "block b b::f x 0", &[Moved], 0);
        check("block a a::f x 0", "block b b::f x 0, block a a::g x 0", &[New, Moved], 0);
        // Edited; edited and duplicated; of another code.
        check("block a a::f x 0", "block a a::f y 0", &[Changed], 0);
        check("block a a::f x 0", "block a a::f y 0, block a a::f z 0", &[Changed, New], 0);
        check("block a a::f x 0", "fn a a::f y 0", &[New], 1);
        // Dormant code becomes live, in place or elsewhere; code in tests becomes live; and the reverse.
        check("~block a a::f x 0", "block a a::f x 0", &[Risen(Standing::Dormant)], 0);
        check("~block a a::f x 0", "block a a::g x 0", &[Risen(Standing::Dormant)], 0);
        check("?block a a::f x 0", "block a a::f x 0", &[Risen(Standing::Tests)], 0);
        check("block a a::f x 0", "~block a a::f x 0", &[Known], 0);
        check("~block a a::f x 0", "block a a::f y 0", &[New], 1);
        // As many findings are live as before; which ones they were does not matter.
        check("~block a a::f x 0, block a a::g x 0", "block a a::f x 0", &[Moved], 1);
        check("~block a a::f x 0, block a a::g x 0", "block a a::f x 0, ~block a a::g x 0", &[Moved, Moved], 0);
        check(
            "~block a a::f x 0, block a a::f y 0",
            "block a a::f x 0, ~block a a::f y 0",
            &[Risen(Standing::Dormant), Known],
            0,
        );
        // A move is preferred to an edit.
        check("block a a::f x 0, block a a::f y 0", "block a a::f z 0, block a a::g x 0", &[Changed, Moved], 0);
    }
}
