//! Functions that the loader binds when they are first called: bound before anything runs inside.
//!
//! It binds by writing data of its own and the table of the library that calls, both the program's, so the first call of such a
//! function in a domain would be a fault. Programs of Rust are bound when they start; the shared libraries that they load most
//! often are not: `libstdc++.so.6` calls `malloc` in this way. What is found here is what the loader would find: the first
//! definition in the order of loading whose version is the one asked for, or that has none (System V ABI, "Dynamic Linking";
//! `do_lookup_x` in glibc's `elf/dl-lookup.c`).

use super::objects::{self, Object};
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Binds what is not bound yet in all that is loaded. What nobody defines stays as it is.
pub(super) fn all() {
    /// How many objects had been loaded when this was last done.
    static DONE: AtomicU64 = AtomicU64::new(0);
    let loaded = objects::ever_loaded();
    if DONE.load(Ordering::Relaxed) == loaded {
        return;
    }
    let is_lazy = |object: &&Object| Table::of(object).is_some_and(|table| table.unbound().next().is_some());
    let paths: Vec<_> = objects::with(|all| all.iter().filter(is_lazy).map(|object| object.path.clone()).collect());
    let pinned = paths.iter().filter_map(|path| objects::open_loaded(path).map(|library| (path, Library(library))));
    for (path, library) in pinned.collect::<Vec<_>>() {
        let wishes: Vec<_> = objects::with(|all| {
            let table = all.iter().find(|object| object.path == *path).and_then(Table::of);
            table.iter().flat_map(Table::unbound).collect()
        });
        for wish in wishes {
            if let Some(function) = library.find(&wish) {
                // SAFETY: a slot of an object that stays loaded while `library` lives. The loader writes the same there, as one word.
                unsafe { AtomicUsize::from_ptr(ptr::with_exposed_provenance_mut(wish.slot)) }
                    .store(function, Ordering::Release);
            }
        }
    }
    // What was said of names that nobody defines is not for the program.
    // SAFETY: takes nothing.
    unsafe { libc::dlerror() };
    DONE.store(loaded, Ordering::Relaxed);
}

/// A function that is not bound yet.
struct Wish {
    /// Where its address goes.
    slot: usize,
    name: CString,
    version: Option<CString>,
}

/// An object that stays loaded while this lives.
struct Library(*mut c_void);

impl Library {
    /// Address of the function, for this object: global names go before those of the libraries that it has brought along.
    fn find(&self, wish: &Wish) -> Option<usize> {
        [libc::RTLD_DEFAULT, self.0].into_iter().find_map(|scope| find_in(scope, wish))
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: opened by us, and closed once.
        unsafe { libc::dlclose(self.0) };
    }
}

fn find_in(scope: *mut c_void, Wish { name, version, .. }: &Wish) -> Option<usize> {
    // SAFETY: a scope, and a name.
    let first = Some(unsafe { libc::dlsym(scope, name.as_ptr()) }.addr()).filter(|&address| address != 0);
    let Some(version) = version else { return first };
    // SAFETY: as above.
    let exact = unsafe { libc::dlvsym(scope, name.as_ptr(), version.as_ptr()) }.addr();
    match first {
        // `dlvsym` passes over definitions without a version, which the loader takes: the program's `malloc`.
        Some(first) if first == exact || exact == 0 || place(first) < place(exact) => Some(first),
        _ => Some(exact).filter(|&address| address != 0),
    }
}

/// The place of the object with this code in the order of loading.
fn place(address: usize) -> usize {
    let has = |object: &Object| object.segment(address).is_some();
    objects::with(|all| all.iter().position(has).unwrap_or(usize::MAX))
}

/// What the dynamic section of an object says of functions that are bound by name (ELF-64 Object File Format; for versions, the
/// Linux Standard Base, "Symbol Versioning").
struct Table<'o> {
    object: &'o Object,
    relocations: &'o [Relocation],
    symbols: *const Symbol,
    strings: *const c_char,
    /// For each symbol the number of its version.
    versions: *const u16,
    /// Records of versions that it needs, and of those that it defines.
    needed: Records,
    defined: Records,
}

#[derive(Clone, Copy)]
struct Records {
    first: usize,
    count: usize,
}

/// `Elf64_Rela`.
#[repr(C)]
struct Relocation {
    offset: u64,
    kind: u32,
    symbol: u32,
    addend: i64,
}

/// `Elf64_Sym`.
#[repr(C)]
struct Symbol {
    name: u32,
    _other: [u32; 5],
}

/// Of the `kind`s (x86-64 psABI).
const R_X86_64_JUMP_SLOT: u32 = 7;

// Of <elf.h>.
const DT_NULL: usize = 0;
const DT_PLTRELSZ: usize = 2;
const DT_STRTAB: usize = 5;
const DT_SYMTAB: usize = 6;
const DT_JMPREL: usize = 23;
const DT_VERSYM: usize = 0x6fff_fff0;
const DT_VERDEF: usize = 0x6fff_fffc;
const DT_VERDEFNUM: usize = 0x6fff_fffd;
const DT_VERNEED: usize = 0x6fff_fffe;
const DT_VERNEEDNUM: usize = 0x6fff_ffff;

impl<'o> Table<'o> {
    /// `None` where nothing is bound by name.
    fn of(object: &'o Object) -> Option<Self> {
        let entries = object.dynamic.len() / size_of::<[usize; 2]>();
        // SAFETY: the loader has mapped it where the headers say, and it does not change; `object` is from the loader's list, which is
        // locked.
        let entries = unsafe { words(object.dynamic.start, entries) };
        let used = entries.iter().take_while(|[tag, _]| *tag != DT_NULL);
        let value = |wanted: usize| used.clone().find(|[tag, _]| *tag == wanted).map(|[_, value]| *value);
        // glibc adds the base where it can write: not for objects of the kernel.
        let address = |tag| value(tag).map(|value| if value < object.base { object.base + value } else { value });
        let pointer = |tag| address(tag).map_or(ptr::null(), ptr::with_exposed_provenance::<u8>);
        let records = |tag, count| Records { first: address(tag).unwrap_or(0), count: value(count).unwrap_or(0) };
        let (start, len) = (address(DT_JMPREL)?, value(DT_PLTRELSZ)? / size_of::<Relocation>());
        let (symbols, strings) = (pointer(DT_SYMTAB), pointer(DT_STRTAB));
        if symbols.is_null() || strings.is_null() {
            return None;
        }
        Some(Self {
            object,
            // SAFETY: as above.
            relocations: unsafe { std::slice::from_raw_parts(ptr::with_exposed_provenance(start), len) },
            symbols: symbols.cast(),
            strings: strings.cast(),
            versions: pointer(DT_VERSYM).cast(),
            needed: records(DT_VERNEED, DT_VERNEEDNUM),
            defined: records(DT_VERDEF, DT_VERDEFNUM),
        })
    }

    fn unbound(&self) -> impl Iterator<Item = Wish> {
        let numbered = self.relocations.iter().enumerate();
        numbered.filter_map(|(number, relocation)| {
            let slot = self.object.base.wrapping_add(relocation.offset as usize);
            if relocation.kind != R_X86_64_JUMP_SLOT || !self.waits(slot, number) {
                return None;
            }
            let symbol = relocation.symbol as usize;
            // SAFETY: the loader's own tables, as in `of`: a symbol that a relocation names is in the table of symbols, and its name in
            // that of strings.
            let name = unsafe { self.string((*self.symbols.add(symbol)).name) };
            Some(Wish { slot, name, version: self.version(symbol)? })
        })
    }

    /// Whether the slot still leads to its stub, which pushes the number of the relocation for the loader.
    fn waits(&self, slot: usize, number: usize) -> bool {
        const LANDING: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa]; // endbr64
        const PUSH: u8 = 0x68;
        if !self.object.segment(slot).is_some_and(|segment| segment.is_writable()) {
            return false;
        }
        // SAFETY: a word of the object's data, which the loader may be writing.
        let stub = unsafe { AtomicUsize::from_ptr(ptr::with_exposed_provenance_mut(slot)) }.load(Ordering::Relaxed);
        let code = self.object.segment(stub).filter(|segment| {
            segment.flags & (libc::PF_X | libc::PF_R) == libc::PF_X | libc::PF_R && segment.range.end - stub >= 16
        });
        if code.is_none() {
            return false;
        }
        // SAFETY: code that is mapped readable, for that many bytes.
        let code = unsafe { ptr::with_exposed_provenance::<[u8; 16]>(stub).read() };
        let push = code.strip_prefix(&LANDING).unwrap_or(&code);
        push[0] == PUSH && push[1..5] == (number as u32).to_le_bytes()
    }

    /// The version of a symbol; `Some(None)` where any is right, and `None` where it cannot be found.
    fn version(&self, symbol: usize) -> Option<Option<CString>> {
        /// The rest of the word hides symbols from linkers.
        const NUMBER: u16 = 0x7fff;
        /// Of this object, or of any version.
        const GLOBAL: u16 = 1;
        if self.versions.is_null() {
            return Some(None);
        }
        // SAFETY: as in `unbound`: there is a number for each symbol.
        let number = unsafe { *self.versions.add(symbol) } & NUMBER;
        if number <= GLOBAL {
            return Some(None);
        }
        // SAFETY: the records that the dynamic section counts, each with the distance to the next.
        unsafe { self.needed(number).or_else(|| self.defined(number)).map(Some) }
    }

    /// Of another object: an `Elf64_Verneed` for each, with its `Elf64_Vernaux`.
    ///
    /// # Safety
    ///
    /// The records are there.
    unsafe fn needed(&self, number: u16) -> Option<CString> {
        let mut record = self.needed.first;
        for _ in 0..self.needed.count {
            // SAFETY: by this function's contract.
            unsafe {
                let mut version = record + read::<u32>(record + 8) as usize;
                for _ in 0..read::<u16>(record + 2) {
                    if read::<u16>(version + 6) == number {
                        return Some(self.string(read(version + 8)));
                    }
                    version += read::<u32>(version + 12) as usize;
                }
                record += read::<u32>(record + 12) as usize;
            }
        }
        None
    }

    /// Of its own: an `Elf64_Verdef` for each, whose first `Elf64_Verdaux` has the name.
    ///
    /// # Safety
    ///
    /// The records are there.
    unsafe fn defined(&self, number: u16) -> Option<CString> {
        let mut record = self.defined.first;
        for _ in 0..self.defined.count {
            // SAFETY: by this function's contract.
            unsafe {
                if read::<u16>(record + 4) == number {
                    return Some(self.string(read(record + read::<u32>(record + 12) as usize)));
                }
                record += read::<u32>(record + 16) as usize;
            }
        }
        None
    }

    /// # Safety
    ///
    /// One begins there in the table of strings.
    unsafe fn string(&self, at: u32) -> CString {
        // SAFETY: by this function's contract.
        unsafe { CStr::from_ptr(self.strings.add(at as usize)) }.to_owned()
    }
}

/// # Safety
///
/// There are so many pairs of words, which do not change.
unsafe fn words<'a>(start: usize, count: usize) -> &'a [[usize; 2]] {
    match count {
        0 => &[],
        // SAFETY: by this function's contract.
        _ => unsafe { std::slice::from_raw_parts(ptr::with_exposed_provenance(start), count) },
    }
}

/// # Safety
///
/// A number lies there.
unsafe fn read<T: Copy>(address: usize) -> T {
    // SAFETY: by this function's contract.
    unsafe { ptr::with_exposed_provenance::<T>(address).read_unaligned() }
}
