//! The cache of facts on disk, so that a second audit only scans what changed.
//!
//! There are two kinds of entries. A package that cargo unpacked from a registry is never edited: its entry is keyed by
//! name, version, checksum and targets, and none of its files is opened. The files of all other packages (members, path
//! and git dependencies, vendored packages) are read, and their facts are keyed by the hash of the text.

mod store;

use super::metadata::{Loaded, Target};
use crate::{
    graph::{Gap, Graph, Package, Reach, Role, SourceFile},
    text::{Digest, Text},
};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_lints::{Edition, cfg::Configs, facts::FileFacts};
use rayon::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use store::Store;

/// The cache during one run.
pub(super) struct Cache {
    store: Option<Store>,
    wanted: Wanted,
}

/// How much is needed to know about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Everything,
    /// As [`isolate_lints::count`] returns. Not complete enough to be cached, but cached facts are used.
    Counts,
}

impl Wanted {
    pub(super) fn scan(self, text: &str, read: Read) -> FileFacts {
        match (self, read.shape) {
            (_, Shape::Expression) => isolate_lints::scan_expression(text, read.edition),
            (Wanted::Everything, Shape::Items) => isolate_lints::scan(text, read.edition),
            (Wanted::Counts, Shape::Items) => isolate_lints::count(text, read.edition),
        }
    }
}

/// How to parse a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Read {
    pub(super) edition: Edition,
    pub(super) shape: Shape,
}

/// What a text is to be parsed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Items,
    /// The file of an `include!` in expression position.
    Expression,
}

/// The cache entry of a package.
#[derive(Serialize, Deserialize)]
struct PackageRecord<'g> {
    #[serde(borrow)]
    files: Vec<FileRecord<'g>>,
    gaps: Cow<'g, [Gap]>,
}

#[derive(Serialize, Deserialize)]
struct FileRecord<'g> {
    /// Relative to the package's root.
    path: Cow<'g, str>,
    digest: Digest,
    /// Index among the package's targets.
    target: u32,
    /// Further targets and modules that it belongs to.
    also: Vec<ReachRecord<'g>>,
    module: Cow<'g, [String]>,
    cfgs: Cow<'g, [String]>,
    #[serde(borrow)]
    facts: Facts<'g>,
}

/// Target, module, and predicates that lead to the file.
type ReachRecord<'g> = (u32, Cow<'g, [String]>, Cow<'g, [String]>);

/// Facts, which are serialised in the cache.
enum Facts<'g> {
    Scanned(&'g FileFacts),
    Kept(Bytes<'g>),
}

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // Serialised only here, since the bytes of all files of a package at once would dominate an audit's memory
            // use.
            Facts::Scanned(facts) => serializer.serialize_bytes(&facts.to_bytes()),
            Facts::Kept(bytes) => bytes.serialize(serializer),
        }
    }
}

impl<'de: 'g, 'g> Deserialize<'de> for Facts<'g> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Facts<'g>, D::Error> {
        Bytes::deserialize(deserializer).map(Facts::Kept)
    }
}

impl Facts<'_> {
    /// The facts of a record read from the cache.
    fn read(&self) -> Option<FileFacts> {
        match self {
            Facts::Scanned(facts) => Some((*facts).clone()),
            Facts::Kept(bytes) => FileFacts::from_bytes(&bytes.0),
        }
    }
}

/// A byte string.
#[derive(Serialize, Deserialize)]
struct Bytes<'b>(#[serde(borrow, serialize_with = "at_once")] Cow<'b, [u8]>);

/// Serialises the bytes as a whole rather than one by one.
fn at_once<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

impl Cache {
    /// Opens the user's cache. There is none with `--no-cache`, or without a home directory.
    pub(super) fn open(used: bool, wanted: Wanted) -> Cache {
        Cache { store: used.then(Store::of_user).flatten(), wanted }
    }

    /// The compiler's cached answer to a question.
    pub(super) fn answer(&self, question: &[String]) -> Option<String> {
        String::from_utf8(self.store.as_ref()?.read(&answer_key(question))?).ok()
    }

    pub(super) fn keep_answer(&self, question: &[String], answer: &str) {
        if let Some(store) = &self.store {
            store.write(&answer_key(question), answer.as_bytes());
        }
    }

    /// A directory for the build data of `cargo metadata`.
    pub(super) fn for_cargo(&self) -> Option<Utf8PathBuf> {
        self.store.as_ref()?.subdirectory("cargo")
    }

    /// Fills in the packages that are cached, and returns their indices.
    pub(super) fn restore(&self, loaded: &mut Loaded) -> BTreeSet<usize> {
        let Some(store) = &self.store else { return BTreeSet::new() };
        let Loaded { graph, targets, identities, .. } = loaded;
        let packages = &graph.packages;
        let by_package: Vec<&[Target]> = targets.chunk_by(|a, b| a.package == b.package).collect();
        let restored: Vec<_> = by_package
            .into_par_iter()
            .filter_map(|targets| {
                let index = targets.first()?.package;
                let package = &packages[index];
                let bytes = store.read(&key(identities[index].as_deref()?, package, targets))?;
                let record: PackageRecord<'_> = postcard::from_bytes(&bytes).ok()?;
                Some((index, files(record.files, package, targets)?, record.gaps.into_owned()))
            })
            .collect();
        let indices = restored.iter().map(|(index, ..)| *index).collect();
        for (index, files, gaps) in restored {
            graph.packages[index].files = files;
            graph.packages[index].gaps = gaps;
        }
        indices
    }

    /// Adds packages that never change to the cache, except for those restored from it.
    pub(super) fn keep(&self, loaded: &Loaded, restored: &BTreeSet<usize>) {
        let Some(store) = self.store.as_ref().filter(|_| self.wanted == Wanted::Everything) else { return };
        let by_package: Vec<&[Target]> = loaded.targets.chunk_by(|a, b| a.package == b.package).collect();
        by_package.into_par_iter().for_each(|targets| {
            let index = targets[0].package;
            let package = &loaded.graph.packages[index];
            let Some(identity) = loaded.identities[index].as_deref().filter(|_| !restored.contains(&index)) else {
                return;
            };
            if let Some(bytes) = record(package, targets).and_then(|record| postcard::to_stdvec(&record).ok()) {
                store.write(&key(identity, package, targets), &bytes);
            }
        });
        store.prune();
    }

    /// The facts of single files that the last audit of this workspace cached.
    pub(super) fn files(&self, graph: &Graph) -> Files<'_> {
        let key = store::key(&["files", graph.root.as_str()]);
        let store = self.store.as_ref();
        let kept = store.and_then(|store| store.read(&key)).unwrap_or_default();
        let known: BTreeMap<Key, Bytes<'_>> = postcard::from_bytes(&kept).unwrap_or_default();
        let known = known.into_iter().map(|(key, bytes)| (key, bytes.0.into_owned())).collect();
        Files { store, key, known, used: Mutex::default(), wanted: self.wanted }
    }

    /// Problems with the cache, for `--verbose`.
    pub(super) fn notes(&self) -> Vec<String> {
        self.store.as_ref().map(Store::notes).unwrap_or_default()
    }
}

fn answer_key(question: &[String]) -> String {
    format!("rustc-{}", store::key(question))
}

/// The key of a package: everything that determines its files and facts, apart from this program. That is cargo's
/// identity for the package, its directory, its targets, and how they are compiled.
fn key(identity: &str, package: &Package, targets: &[Target]) -> String {
    let mut parts = vec![identity.to_owned(), package.root.to_string()];
    parts.extend(targets.iter().map(|target| {
        let (role, edition) = (target.role, target.edition);
        format!("{role:?} {} {} {edition:?} {} {:?}", target.krate, target.root, package.member, target.configs)
    }));
    store::key(&parts)
}

/// `None` if a file is outside the package, where it may change.
fn record<'g>(package: &'g Package, targets: &[Target]) -> Option<PackageRecord<'g>> {
    let files = package.files.iter().map(|file| {
        let index = |role: Role, krate: &str, configs: &Arc<Configs>| {
            let is_its = |target: &Target| {
                (target.role, &*target.krate) == (role, krate) && Arc::ptr_eq(&target.configs, configs)
            };
            targets.iter().position(is_its).map(|index| index as u32)
        };
        let also = file.also.iter().map(|Reach { role, krate, module, cfgs, configs }| {
            Some((index(*role, krate, configs)?, Cow::Borrowed(&**module), Cow::Borrowed(&**cfgs)))
        });
        Some(FileRecord {
            path: Cow::Borrowed(file.path.strip_prefix(&package.root).ok()?.as_str()),
            digest: *file.text.digest(),
            target: index(file.role, &file.krate, &file.configs)?,
            also: also.collect::<Option<_>>()?,
            module: Cow::Borrowed(&file.module),
            cfgs: Cow::Borrowed(&file.cfgs),
            facts: Facts::Scanned(&file.facts),
        })
    });
    Some(PackageRecord { files: files.collect::<Option<_>>()?, gaps: Cow::Borrowed(&package.gaps) })
}

fn files(records: Vec<FileRecord<'_>>, package: &Package, targets: &[Target]) -> Option<Vec<SourceFile>> {
    let files = records.into_iter().map(|record| {
        let target = targets.get(record.target as usize)?;
        let also = record.also.into_iter().map(|(index, module, cfgs)| {
            let Target { role, krate, configs, .. } = targets.get(index as usize)?;
            let (role, krate, configs) = (*role, krate.clone(), configs.clone());
            Some(Reach { role, krate, module: module.into_owned(), cfgs: cfgs.into_owned(), configs })
        });
        Some(SourceFile {
            path: package.root.join(&*record.path),
            text: Text::known(record.digest),
            role: target.role,
            krate: target.krate.clone(),
            edition: target.edition,
            module: record.module.into_owned(),
            cfgs: record.cfgs.into_owned(),
            configs: target.configs.clone(),
            facts: record.facts.read()?,
            also: also.collect::<Option<_>>()?,
            expansions: Vec::new(),
        })
    });
    files.collect()
}

/// Facts of single files, keyed by their texts.
pub(super) struct Files<'c> {
    store: Option<&'c Store>,
    key: String,
    known: Known,
    used: Mutex<Known>,
    wanted: Wanted,
}

/// The hash of a text, the edition, and whether it was parsed as an expression.
type Key = (Digest, u8, bool);

type Known = BTreeMap<Key, Vec<u8>>;

impl Files<'_> {
    pub(super) fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// The facts of a text, from the cache or by scanning it.
    pub(super) fn facts(&self, text: &str, digest: Digest, read: Read) -> FileFacts {
        if self.store.is_none() || self.wanted == Wanted::Counts {
            return self.wanted.scan(text, read);
        }
        let key = (digest, read.edition as u8, read.shape == Shape::Expression);
        let (facts, bytes) = match self.known.get(&key).and_then(|bytes| Some((FileFacts::from_bytes(bytes)?, bytes))) {
            Some((facts, bytes)) => (facts, bytes.clone()),
            None => {
                let facts = self.wanted.scan(text, read);
                let bytes = facts.to_bytes();
                (facts, bytes)
            }
        };
        self.used.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(key, bytes);
        facts
    }

    /// Stores the facts that this run used, if they differ from those of the last run.
    pub(super) fn keep(self) {
        let used = self.used.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(store) = self.store
            && self.wanted == Wanted::Everything
            && !used.keys().eq(self.known.keys())
        {
            let used: BTreeMap<&Key, Bytes<'_>> =
                used.iter().map(|(key, bytes)| (key, Bytes(Cow::Borrowed(bytes)))).collect();
            if let Ok(bytes) = postcard::to_stdvec(&used) {
                store.write(&self.key, &bytes);
            }
        }
    }
}

/// The directory where cargo unpacks packages from registries, which are never edited.
pub(super) fn unpacked() -> Option<Utf8PathBuf> {
    let home = std::env::var("CARGO_HOME").ok().map(Utf8PathBuf::from).filter(|home| home.is_absolute());
    let home = home.or_else(|| Some(Utf8PathBuf::from_path_buf(std::env::home_dir()?).ok()?.join(".cargo")))?;
    Some(Utf8Path::join(&home, "registry/src"))
}
