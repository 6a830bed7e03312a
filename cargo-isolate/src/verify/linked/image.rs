//! A linked program: the addresses of its variables, and its references to given functions.

use super::archive::{Global, Reference};
use super::artifacts::Program;
use iced_x86::{Decoder, DecoderOptions, Instruction};
use object::{
    Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, RelocationFlags, SectionKind, SymbolKind,
    elf::{self, FileHeader64},
    read::elf::{Dyn as _, ElfFile64, FileHeader as _},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs, io,
    ops::Range,
};

/// The contents of a linked program.
#[derive(Debug, Default)]
pub(super) struct Image {
    /// The address of every global symbol.
    pub(super) globals: BTreeMap<String, u64>,
    /// The addresses of local symbols.
    pub(super) locals: BTreeMap<Global, Vec<u64>>,
    /// Symbols that are imported from shared objects.
    pub(super) imported: BTreeSet<String>,
    /// Shared objects that it depends on (`DT_NEEDED`).
    pub(super) needed: Vec<String>,
    /// Why the program could not be examined.
    pub(super) unread: Option<&'static str>,
    pub(super) references: BTreeSet<Reference>,
}

/// Reads a program. Only references to functions in `wanted` are collected; if it is empty, the code is not
/// disassembled.
pub(super) fn read(program: &Program, wanted: &BTreeSet<&str>) -> io::Result<Image> {
    let bytes = fs::read(&program.path)?;
    let Ok(file) = ElfFile64::<Endianness>::parse(&*bytes) else {
        return Ok(Image { unread: Some("is no 64-bit ELF file"), ..Image::default() });
    };
    let unread = file.symbols().next().is_none().then_some("has no symbols: build it without `strip`");
    let mut image = Image { unread, ..Image::default() };
    image.symbols(&file, program.shared);
    image.needed = needed(&file).unwrap_or_default();
    if !wanted.is_empty() {
        image.references = References::new(&file, &image, wanted).find(&file);
    }
    Ok(image)
}

impl Image {
    /// The address range between `__isolate_<domain>_<kind>_start` and `_end`, if the program has these symbols.
    pub(super) fn range(&self, domain: &str, kind: &str) -> Option<Range<u64>> {
        let edge = |edge: &str| self.globals.get(&format!("__isolate_{domain}_{kind}_{edge}")).copied();
        Some(edge("start")?..edge("end")?)
    }

    fn symbols(&mut self, file: &ElfFile64<'_>, shared: bool) {
        let mut source = None;
        for symbol in file.symbols() {
            let Ok(name) = symbol.name() else { continue };
            match symbol.kind() {
                SymbolKind::File => source = Some(name.to_owned()),
                _ if symbol.is_undefined() || symbol.kind() == SymbolKind::Tls => {}
                // A symbol with hidden visibility is global until linking, and local afterwards.
                _ if symbol.is_local() && symbol.flags().elf_visibility() != Some(elf::STV_HIDDEN) => {
                    if shared {
                        // Symbols that a shared library does not export were global until it was linked.
                        self.globals.entry(name.to_owned()).or_insert(symbol.address());
                    }
                    let global = Global { name: name.to_owned(), file: source.clone() };
                    self.locals.entry(global).or_default().push(symbol.address());
                }
                _ => {
                    self.globals.insert(name.to_owned(), symbol.address());
                }
            }
        }
        let imported = file.dynamic_symbols().filter(|symbol| symbol.is_undefined());
        self.imported = imported.filter_map(|symbol| symbol.name().ok().map(str::to_owned)).collect();
    }
}

/// The names of the shared objects that the dynamic section requires.
fn needed(file: &ElfFile64<'_>) -> Option<Vec<String>> {
    let endian = file.endian();
    let header: &FileHeader64<Endianness> = file.elf_header();
    let sections = header.sections(endian, file.data()).ok()?;
    let (entries, strings) = sections.dynamic(endian, file.data()).ok()??;
    let strings = sections.strings(endian, file.data(), strings).ok()?;
    let needed = entries.iter().filter(|entry| entry.tag(endian) == elf::DT_NEEDED);
    let names = needed.filter_map(|entry| entry.string(endian, strings).ok());
    Some(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

/// Collects the references to some functions in a program.
struct References {
    /// The addresses to look for: the functions themselves, slots that hold their addresses, and stubs that jump to
    /// them.
    targets: BTreeMap<u64, String>,
    /// The symbols of the program by address, with their ends: which function or variable contains a reference.
    owners: BTreeMap<u64, (u64, String)>,
    found: BTreeSet<Reference>,
}

impl References {
    fn new(file: &ElfFile64<'_>, image: &Image, wanted: &BTreeSet<&str>) -> References {
        let defined = wanted.iter().filter_map(|name| Some((*image.globals.get(*name)?, (*name).to_owned())));
        let mut references = References { targets: defined.collect(), owners: BTreeMap::new(), found: BTreeSet::new() };
        for symbol in file.symbols().filter(|symbol| symbol.size() > 0) {
            if matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Data)
                && let Ok(name) = symbol.name()
            {
                references.owners.insert(symbol.address(), (symbol.address() + symbol.size(), name.to_owned()));
            }
        }
        references.slots(file, wanted);
        references.stubs(file);
        references
    }

    /// Collects the addresses that the loader writes. An address in the global offset table is how code names a
    /// function; anywhere else it is a reference in a variable.
    fn slots(&mut self, file: &ElfFile64<'_>, wanted: &BTreeSet<&str>) {
        let tables = file.sections().filter(|section| section.name().is_ok_and(|name| name.starts_with(".got")));
        let tables: Vec<_> = tables.map(|section| section.address()..section.address() + section.size()).collect();
        let names: HashMap<_, _> = file.dynamic_symbols().map(|symbol| (symbol.index(), symbol.name())).collect();
        let mut slots = Vec::new();
        for (address, relocation) in file.dynamic_relocations().into_iter().flatten() {
            let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
            let symbol = match relocation.target() {
                object::RelocationTarget::Symbol(index) => names.get(&index).and_then(|name| name.ok()),
                _ if r_type == elf::R_X86_64_RELATIVE => {
                    self.targets.get(&relocation.addend().cast_unsigned()).map(String::as_str)
                }
                _ => None,
            };
            let Some(symbol) = symbol.filter(|name| wanted.contains(name)).map(str::to_owned) else { continue };
            match tables.iter().any(|table| table.contains(&address)) {
                true => slots.push((address, symbol)),
                false => self.find_at(address, &symbol, true),
            }
        }
        self.targets.extend(slots);
    }

    /// Collects the stubs of the procedure linkage table: calling a stub calls the function.
    fn stubs(&mut self, file: &ElfFile64<'_>) {
        let stubs = file.sections().filter(|section| section.name().is_ok_and(|name| name.starts_with(".plt")));
        for section in stubs {
            let Ok(data) = section.data() else { continue };
            let mut found = Vec::new();
            for (place, target) in code(data, section.address()) {
                if let Some(symbol) = self.targets.get(&target) {
                    // Entries are 16 bytes long, and an `endbr64` may precede the jump.
                    found.push((place & !0xf, symbol.clone()));
                }
            }
            self.targets.extend(found);
        }
    }

    fn find(mut self, file: &ElfFile64<'_>) -> BTreeSet<Reference> {
        let text = file.sections().filter(|section| section.kind() == SectionKind::Text);
        for section in text.filter(|section| section.name().is_ok_and(|name| !name.starts_with(".plt"))) {
            let Ok(data) = section.data() else { continue };
            for (place, target) in code(data, section.address()) {
                if let Some(symbol) = self.targets.get(&target).cloned() {
                    self.find_at(place, &symbol, false);
                }
            }
        }
        self.found
    }

    fn find_at(&mut self, address: u64, symbol: &str, data: bool) {
        let owner = self.owners.range(..=address).next_back().filter(|(_, (end, _))| address < *end);
        let by = owner.map(|(_, (_, name))| name.clone());
        let rust = by.as_ref().is_none_or(|by| by.starts_with("_ZN") || by.starts_with("_R"));
        self.found.insert(Reference { symbol: symbol.to_owned(), by, data, rust });
    }
}

/// Every instruction that refers to an address by branch or RIP-relative operand: its own address and the target.
fn code(data: &[u8], address: u64) -> impl Iterator<Item = (u64, u64)> {
    let mut decoder = Decoder::with_ip(64, data, address, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    std::iter::from_fn(move || {
        while decoder.can_decode() {
            decoder.decode_out(&mut instruction);
            let target = match instruction.is_ip_rel_memory_operand() {
                true => instruction.ip_rel_memory_address(),
                false => instruction.near_branch_target(),
            };
            if target != 0 {
                return Some((instruction.ip(), target));
            }
        }
        None
    })
}
