//! Facts that are numerous and rarely read: kept serialised until first use.
//!
//! A large graph has hundreds of thousands of calls. Only a few thousand matter, and they are in a tenth of its files.

use super::{CallFact, stored::sharing};
use rustc_hash::{FxHashSet, FxHasher};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use std::{
    collections::HashSet,
    fmt,
    hash::{BuildHasher, Hasher as _},
    ops::Deref,
    sync::OnceLock,
};

/// A list that is deserialised on first access. Bytes that do not deserialise, such as those of another build of this
/// crate, yield an empty list.
pub struct Packed<T> {
    bytes: Box<[u8]>,
    read: OnceLock<Box<[T]>>,
}

/// Calls or mentions of paths, with an index of last segments that rules out most lookups without deserialising.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls {
    list: Packed<CallFact>,
    /// Hashes of the last segments of the paths, sorted and without duplicates.
    ends: Box<[u32]>,
}

/// The names to look for among last segments of paths.
pub(crate) struct Ends<'n> {
    names: FxHashSet<&'n str>,
    hashes: FxHashSet<u32>,
}

impl<T> Packed<T> {
    /// Whether the list is empty, without deserialising it.
    pub fn is_empty(&self) -> bool {
        // The serialised form starts with the number of items.
        matches!(*self.bytes, [] | [0])
    }
}

impl<T: Serialize> FromIterator<T> for Packed<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Packed<T> {
        let items: Vec<T> = items.into_iter().collect();
        if items.is_empty() {
            return Packed::default();
        }
        let bytes = sharing(|| postcard::to_stdvec(&items)).expect("facts are plain data, which memory can take");
        Packed { bytes: bytes.into_boxed_slice(), read: OnceLock::new() }
    }
}

impl<T: DeserializeOwned> Deref for Packed<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.read.get_or_init(|| match self.is_empty() {
            true => Box::default(),
            false => sharing(|| postcard::from_bytes(&self.bytes)).unwrap_or_default(),
        })
    }
}

impl<'p, T: DeserializeOwned> IntoIterator for &'p Packed<T> {
    type Item = &'p T;
    type IntoIter = std::slice::Iter<'p, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> Default for Packed<T> {
    fn default() -> Packed<T> {
        Packed { bytes: Box::default(), read: OnceLock::new() }
    }
}

impl<T> Clone for Packed<T> {
    fn clone(&self) -> Packed<T> {
        Packed { bytes: self.bytes.clone(), read: OnceLock::new() }
    }
}

impl<T: DeserializeOwned + PartialEq> PartialEq for Packed<T> {
    fn eq(&self, other: &Packed<T>) -> bool {
        self[..] == other[..]
    }
}

impl<T: DeserializeOwned + fmt::Debug> fmt::Debug for Packed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self[..].fmt(f)
    }
}

/// A sequence in human-readable formats, the raw bytes in others.
impl<T: DeserializeOwned + Serialize> Serialize for Packed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_seq(self),
            false => serializer.serialize_bytes(&self.bytes),
        }
    }
}

impl<'de, T: Deserialize<'de> + Serialize> Deserialize<'de> for Packed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Packed<T>, D::Error> {
        if deserializer.is_human_readable() {
            return Ok(Vec::<T>::deserialize(deserializer)?.into_iter().collect());
        }
        let bytes = <&[u8]>::deserialize(deserializer)?.into();
        Ok(Packed { bytes, read: OnceLock::new() })
    }
}

impl Calls {
    /// The calls whose path ends in one of these names.
    pub(crate) fn ending_in<'c>(&'c self, ends: &Ends<'_>) -> impl Iterator<Item = &'c CallFact> {
        let may = self.ends.iter().any(|end| ends.hashes.contains(end));
        let list: &[CallFact] = if may { self } else { &[] };
        list.iter().filter(|call| ends.names.contains(last(&call.path)))
    }
}

impl FromIterator<CallFact> for Calls {
    fn from_iter<I: IntoIterator<Item = CallFact>>(calls: I) -> Calls {
        let calls: Vec<CallFact> = calls.into_iter().collect();
        let mut ends: Vec<u32> = calls.iter().map(|call| hash(last(&call.path))).collect();
        ends.sort_unstable();
        ends.dedup();
        Calls { ends: ends.into(), list: calls.into_iter().collect() }
    }
}

impl Deref for Calls {
    type Target = [CallFact];

    fn deref(&self) -> &[CallFact] {
        &self.list
    }
}

impl<'c> IntoIterator for &'c Calls {
    type Item = &'c CallFact;
    type IntoIter = std::slice::Iter<'c, CallFact>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl Serialize for Calls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => self.list.serialize(serializer),
            false => (&self.list, &self.ends).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Calls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Calls, D::Error> {
        if deserializer.is_human_readable() {
            return Ok(Vec::<CallFact>::deserialize(deserializer)?.into_iter().collect());
        }
        let (list, ends) = Deserialize::deserialize(deserializer)?;
        Ok(Calls { list, ends })
    }
}

impl<'n> Ends<'n> {
    pub(crate) fn new<S: BuildHasher>(names: HashSet<&'n str, S>) -> Ends<'n> {
        let names: FxHashSet<&str> = names.into_iter().collect();
        Ends { hashes: names.iter().map(|name| hash(name)).collect(), names }
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

fn hash(name: &str) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(name.as_bytes());
    let hash = hasher.finish();
    (hash ^ hash >> 32) as u32
}

/// The last segment of a path.
pub(crate) fn last(path: &str) -> &str {
    path.rfind(':').map_or(path, |colon| &path[colon + 1..])
}
