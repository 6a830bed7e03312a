//! Object files before linking: what an archive or crate defines, and which symbols its code refers to.

use camino::Utf8Path;
use object::{
    Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SectionFlags, SectionKind, SymbolKind, elf,
    read::archive::ArchiveFile,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    fs, io,
};

/// The contents of an archive or crate.
#[derive(Debug, Default)]
pub(super) struct Archive {
    /// Functions that its native members define and export.
    pub(super) functions: BTreeSet<String>,
    /// All symbols that its native members define, including local ones.
    pub(super) own: BTreeSet<String>,
    pub(super) members: Vec<Member>,
    /// Writable variables of native members, with the number of definitions of each.
    pub(super) writable: BTreeMap<Global, usize>,
    /// References to wanted functions: from native members to any of them, from compiled Rust only to those that the
    /// object does not define.
    pub(super) references: BTreeSet<Reference>,
    /// Some members are LLVM bitcode, about which nothing is known before linking.
    pub(super) bitcode: bool,
    /// What could not be read, and why.
    pub(super) unread: BTreeSet<String>,
}

/// The global symbols of a native object file.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// Symbols that it exports.
    defines: BTreeSet<String>,
    /// Symbols that it imports.
    imports: BTreeSet<String>,
    /// Functions that run before `main` if the member is linked.
    pub(super) constructors: BTreeSet<String>,
}

/// The members that the linker takes in order to resolve `roots`. Code of the other members never runs.
pub(super) fn linked<'m>(members: &[&'m Member], roots: impl Iterator<Item = &'m str>) -> Vec<&'m Member> {
    let mut by_symbol: HashMap<&str, Vec<&'m Member>> = HashMap::new();
    for member in members {
        for symbol in &member.defines {
            by_symbol.entry(symbol).or_default().push(member);
        }
    }
    let (mut seen, mut open) = (BTreeSet::new(), roots.collect::<Vec<_>>());
    while let Some(symbol) = open.pop() {
        if seen.insert(symbol) {
            let imports = by_symbol.get(symbol).into_iter().flatten().flat_map(|member| &member.imports);
            open.extend(imports.map(String::as_str));
        }
    }
    let is_linked = |member: &&&Member| member.defines.iter().any(|symbol| seen.contains(symbol.as_str()));
    members.iter().filter(is_linked).copied().collect()
}

/// For each member that [`linked`] finds: the symbols it imports that no member defines.
pub(super) fn reached<'m>(members: &[&'m Member], roots: impl Iterator<Item = &'m str>) -> Vec<BTreeSet<&'m str>> {
    let here: BTreeSet<&str> = members.iter().flat_map(|member| &member.defines).map(String::as_str).collect();
    let of_others = |member: &'m Member| {
        let imports = member.imports.iter().map(String::as_str);
        imports.filter(|symbol| !here.contains(symbol)).collect()
    };
    linked(members, roots).into_iter().map(of_others).collect()
}

/// The identity of a variable for the linker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Global {
    pub(super) name: String,
    /// The source file, for a local symbol.
    pub(super) file: Option<String>,
}

/// A place that refers to a symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    pub(super) symbol: String,
    /// The function or variable around it, as the compiler named it; `None` for a table without a name.
    pub(super) by: Option<String>,
    /// The reference is in data: an address through which others can call.
    pub(super) data: bool,
    /// The reference is in a member that was compiled from Rust.
    pub(super) rust: bool,
}

/// Reads a static archive or an `.rlib`. Only references to symbols in `wanted` are collected.
pub(super) fn read(path: &Utf8Path, wanted: &BTreeSet<&str>) -> io::Result<Archive> {
    let bytes = fs::read(path)?;
    let mut archive = Archive::default();
    let Ok(file) = ArchiveFile::parse(&*bytes) else {
        archive.unread.insert("it is no whole archive".to_owned());
        return Ok(archive);
    };
    for member in file.members() {
        let Ok(member) = member else {
            archive.unread.insert("it ends in the middle of a member".to_owned());
            break;
        };
        let name = String::from_utf8_lossy(member.name()).into_owned();
        // A thin archive contains only the names of its members, which are files beside it.
        let data = match member.is_thin() {
            true => fs::read(path.with_file_name(&name)).map(Cow::Owned).ok(),
            false => member.data(&*bytes).map(Cow::Borrowed).ok(),
        };
        match data {
            Some(data) => archive.file(&name, &data, wanted),
            None => _ = archive.unread.insert(format!("its member `{name}` is not there")),
        }
    }
    Ok(archive)
}

impl Archive {
    fn file(&mut self, name: &str, data: &[u8], wanted: &BTreeSet<&str>) {
        if data.starts_with(b"BC\xc0\xde") {
            self.bitcode = true;
            return;
        }
        match object::File::parse(data) {
            Ok(object) => self.member(&object, name.contains(".rcgu.o"), wanted),
            // Other members are for other tools: a crate's metadata, a symbol index.
            Err(_) if name.ends_with(".o") => {
                self.unread.insert(format!("its member `{name}` is no object file that is known here"));
            }
            Err(_) => {}
        }
    }

    fn member(&mut self, object: &object::File<'_>, rust: bool, wanted: &BTreeSet<&str>) {
        if !rust {
            self.definitions(object);
        }
        let targets: HashMap<_, _> = object
            .symbols()
            .filter(|symbol| symbol.is_undefined() || !rust)
            .filter_map(|symbol| Some((symbol.index(), symbol.name().ok().filter(|name| wanted.contains(name))?)))
            .collect();
        if targets.is_empty() {
            return;
        }
        for section in object.sections().filter(|section| !is_debug(section.kind())) {
            for (offset, relocation) in section.relocations() {
                let RelocationTarget::Symbol(symbol) = relocation.target() else { continue };
                let Some(symbol) = targets.get(&symbol) else { continue };
                let by = owner(object, section.index(), offset);
                let data = section.kind() != SectionKind::Text;
                self.references.insert(Reference { symbol: (*symbol).to_owned(), by, data, rust });
            }
        }
    }

    fn definitions(&mut self, object: &object::File<'_>) {
        let mut file = None;
        let mut member = Member { constructors: constructors(object), ..Member::default() };
        for symbol in object.symbols() {
            let Ok(name) = symbol.name() else { continue };
            if symbol.kind() == SymbolKind::File {
                file = Some(name.to_owned());
                continue;
            }
            if symbol.is_definition() || symbol.is_common() {
                self.own.insert(name.to_owned());
                if !symbol.is_local() {
                    member.defines.insert(name.to_owned());
                }
            } else if symbol.is_undefined() {
                member.imports.insert(name.to_owned());
            }
            if symbol.kind() == SymbolKind::Text && symbol.is_definition() && !symbol.is_local() {
                self.functions.insert(name.to_owned());
            }
            let section = symbol.section_index().and_then(|index| object.section_by_index(index).ok());
            let writable = symbol.is_common() || section.is_some_and(|section| is_writable(&section));
            if writable && symbol.size() > 0 && matches!(symbol.kind(), SymbolKind::Data | SymbolKind::Unknown) {
                let file = file.clone().filter(|_| symbol.is_local());
                *self.writable.entry(Global { name: name.to_owned(), file }).or_default() += 1;
            }
        }
        self.members.push(member);
    }
}

/// The functions that the loader calls before `main` (System V ABI, "Initialization and Termination Functions"). All
/// functions without a name share one entry.
fn constructors(object: &object::File<'_>) -> BTreeSet<String> {
    const SECTIONS: [&str; 3] = [".init_array", ".preinit_array", ".ctors"];
    let lists = object.sections().filter(|section| {
        let after = |list: &str| section.name().is_ok_and(|name| name.strip_prefix(list).is_some_and(is_end_of_name));
        SECTIONS.into_iter().any(after)
    });
    let targets = lists.flat_map(|section| section.relocations().collect::<Vec<_>>()).filter_map(|(_, relocation)| {
        let RelocationTarget::Symbol(symbol) = relocation.target() else { return None };
        let symbol = object.symbol_by_index(symbol).ok()?;
        let of_section = || owner(object, symbol.section_index()?, relocation.addend().try_into().ok()?);
        let own = symbol.name().ok().filter(|name| !name.is_empty() && symbol.kind() != SymbolKind::Section);
        Some(own.map(str::to_owned).or_else(of_section).unwrap_or_else(|| "a function without a name".to_owned()))
    });
    targets.collect()
}

/// Whether this can follow the name of such a section: nothing, or a priority.
fn is_end_of_name(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('.')
}

/// Whether a section is writable after start-up and not thread-local.
fn is_writable(section: &object::Section<'_, '_>) -> bool {
    let SectionFlags::Elf { sh_flags, .. } = section.flags() else { return false };
    let relro = section.name().is_ok_and(|name| name == ".data.rel.ro" || name.starts_with(".data.rel.ro."));
    sh_flags.contains(elf::SHF_WRITE) && !sh_flags.contains(elf::SHF_TLS) && !relro
}

fn is_debug(kind: SectionKind) -> bool {
    matches!(kind, SectionKind::Debug | SectionKind::DebugString | SectionKind::Metadata | SectionKind::Note)
}

/// The symbol whose range contains a position in a section.
fn owner(object: &object::File<'_>, section: object::SectionIndex, offset: u64) -> Option<String> {
    let around = |symbol: &object::Symbol<'_, '_>| {
        symbol.section_index() == Some(section)
            && (symbol.address()..symbol.address() + symbol.size()).contains(&offset)
    };
    let symbol = object.symbols().find(around)?;
    symbol.name().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Runs a shell script in a directory with only `x.c`, which defines two functions, and checks what is read of the
    /// resulting `x.a`.
    #[track_caller]
    fn check(made: &str, functions: &[&str], unread: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.c"), "int one(void) { return 1; }\nint two(void) { return one(); }\n").unwrap();
        let made = Command::new("sh").args(["-ec", made]).current_dir(&folder).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let path = Utf8Path::from_path(folder.path()).unwrap().join("x.a");
        let archive = read(&path, &BTreeSet::new()).unwrap();
        assert_eq!(archive.functions.iter().map(String::as_str).collect::<Vec<_>>(), functions);
        assert_eq!(archive.unread.iter().map(String::as_str).collect::<Vec<_>>(), unread);
    }

    #[test]
    fn what_is_not_read_is_said() {
        check("cc -c x.c && ar crs x.a x.o", &["one", "two"], &[]);
        check("cc -c x.c && ar crsT x.a x.o", &["one", "two"], &[]);
        check("mkdir o && cc -c x.c -o o/x.o && ar crsT x.a o/x.o", &["one", "two"], &[]);
        check("cc -c x.c && ar crsT x.a x.o && rm x.o", &[], &["its member `x.o` is not there"]);
        check("cp x.c x.a", &[], &["it is no whole archive"]);
        check("cp x.c x.o && ar cr x.a x.o", &[], &["its member `x.o` is no object file that is known here"]);
        check("cc -c x.c && ar cr y.a x.o && head -c 400 y.a > x.a", &[], &["its member `x.o` is not there"]);
        check("cc -c x.c && ar cr y.a x.o && head -c 40 y.a > x.a", &[], &["it is no whole archive"]);
        check(
            "cc -c x.c && ar crS x.a x.o && printf 'more' >> x.a",
            &["one", "two"],
            &["it ends in the middle of a member"],
        );
    }

    #[test]
    fn what_no_root_leads_to_is_not_linked() {
        let of = |defines: &[&str], imports: &[&str]| {
            let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            Member { defines: own(defines), imports: own(imports), constructors: BTreeSet::new() }
        };
        let all = [
            of(&["inflate"], &["crc32", "memcpy"]),
            of(&["crc32"], &["inflate"]),
            of(&["gzopen"], &["strerror", "inflate"]),
        ];
        let all: Vec<_> = all.iter().collect();
        let names = |roots: &[&'static str]| {
            let asked: BTreeSet<_> = reached(&all, roots.iter().copied()).into_iter().flatten().collect();
            asked.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(names(&["inflate"]), ["memcpy"]);
        assert_eq!(names(&["gzopen"]), ["memcpy", "strerror"]);
        assert_eq!(names(&[]), [""; 0]);
    }
}
