//! Functions that the loader binds when they are first called: bound before anything runs inside.
//!
//! It binds by writing data of its own and the table of the library that calls, both the program's, so the first call of such a
//! function in a domain would be a fault. Programs of Rust are bound when they start; the shared libraries that they load most
//! often are not: `libstdc++.so.6` calls `malloc` in this way.
//!
//! Which function a name means depends on scopes, versions and the order of loading, and a wrong answer would be the program's for
//! good. So the loader itself is asked: by the function that its stub calls (`_dl_fixup` in glibc's `elf/dl-runtime.c`), found in the
//! stub's code. Where that looks otherwise than known here, nothing is bound.

use super::objects::{self, Object};
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Binds what is not bound yet in all that is loaded. What nobody defines stays as it is: the loader would end the process.
pub(in crate::mpk) fn all() {
    /// How many objects had been loaded when this was last done.
    static DONE: AtomicU64 = AtomicU64::new(0);
    let loaded = objects::ever_loaded();
    if DONE.load(Ordering::Relaxed) == loaded {
        return;
    }
    if let Some(bind) = loaders_own() {
        let is_lazy = |object: &&Object| Table::of(object).is_some_and(|table| table.unbound().next().is_some());
        let paths: Vec<_> = objects::with(|all| all.iter().filter(is_lazy).map(|object| object.path.clone()).collect());
        let program = Library::open("");
        for path in paths {
            let Some(library) = Library::open(&path) else { continue };
            let wishes: Vec<_> = objects::with(|all| {
                let table = all.iter().find(|object| object.path == path).and_then(Table::of);
                table.iter().flat_map(Table::unbound).collect()
            });
            let is_defined =
                |wish: &Wish| library.defines(wish) || program.as_ref().is_some_and(|program| program.defines(wish));
            for wish in wishes.iter().filter(|wish| is_defined(wish)) {
                // SAFETY: an object that stays loaded while `library` lives, and one of its relocations, which is of the kind that the
                // loader binds at the first call and whose name it finds.
                unsafe { bind(library.0, wish.number) };
            }
        }
    }
    DONE.store(loaded, Ordering::Relaxed);
}

/// Binds a function: takes an object, which the loader knows by the handle of dlopen(3), and the number of the relocation.
type Bind = unsafe extern "C" fn(*mut c_void, usize) -> usize;

/// The loader's, where it is found. Looked for once, before anything has run in a domain: libraries keep the way to it in data that
/// may become a domain's.
fn loaders_own() -> Option<Bind> {
    static FOUND: OnceLock<Option<usize>> = OnceLock::new();
    let found =
        *FOUND.get_or_init(|| objects::with(|all| all.iter().find_map(|object| Table::of(object)?.binder(all))));
    // SAFETY: the function that the loader's stub calls with an object and a number.
    found.map(|address| unsafe { std::mem::transmute::<usize, Bind>(address) })
}

/// A function that is not bound yet.
struct Wish {
    /// Of its relocation.
    number: usize,
    name: CString,
    version: Option<CString>,
}

/// An object that stays loaded while this lives.
struct Library(*mut c_void);

impl Library {
    fn open(path: &str) -> Option<Self> {
        objects::open_loaded(path).map(Self)
    }

    /// Whether it, or a library that it has brought along, has the function: then the loader finds one.
    fn defines(&self, Wish { name, version, .. }: &Wish) -> bool {
        // SAFETY: an object that is open, and names. (A handle, not a scope: what is found by `RTLD_DEFAULT` is never unloaded.)
        let found = unsafe {
            match version {
                Some(version) => libc::dlvsym(self.0, name.as_ptr(), version.as_ptr()),
                None => libc::dlsym(self.0, name.as_ptr()),
            }
        };
        !found.is_null()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: opened by us, and closed once.
        unsafe { libc::dlclose(self.0) };
    }
}

/// What the dynamic section of an object says of functions that are bound by name (ELF-64 Object File Format; for versions, the
/// Linux Standard Base, "Symbol Versioning").
struct Table<'o> {
    object: &'o Object,
    relocations: &'o [Relocation],
    symbols: *const Symbol,
    strings: *const c_char,
    /// Three words before the slots: nothing for us, the object as the loader knows it, and the loader's stub.
    slots: usize,
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
const DT_PLTGOT: usize = 3;
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
            slots: address(DT_PLTGOT)?,
            versions: pointer(DT_VERSYM).cast(),
            needed: records(DT_VERNEED, DT_VERNEEDNUM),
            defined: records(DT_VERDEF, DT_VERDEFNUM),
        })
    }

    /// The function that the loader's stub calls, if it is a stub as it is known.
    fn binder(&self, all: &[Object]) -> Option<usize> {
        /// `mov rsi, [rbx + 16]; mov rdi, [rbx + 8]; call …` and `mov r11, rax` (glibc's `sysdeps/x86_64/dl-trampoline.h`, since 2.23).
        const BEFORE: [u8; 9] = [0x48, 0x8b, 0x73, 0x10, 0x48, 0x8b, 0x7b, 0x08, 0xe8];
        const AFTER: [u8; 3] = [0x49, 0x89, 0xc3];
        const LEN: usize = 256;
        let slot = self.slots + 2 * size_of::<usize>();
        self.object.segment(slot)?;
        // SAFETY: a word of the object's data.
        let stub = unsafe { AtomicUsize::from_ptr(ptr::with_exposed_provenance_mut(slot)) }.load(Ordering::Relaxed);
        let is_code = |address: usize, len: usize| {
            let code = libc::PF_X | libc::PF_R;
            move |object: &&Object| {
                let segment = object.segment(address);
                segment.is_some_and(|segment| segment.flags & code == code && segment.range.end - address >= len)
            }
        };
        let loader = all.iter().find(is_code(stub, LEN))?;
        // SAFETY: code that is mapped readable, for that many bytes.
        let code = unsafe { ptr::with_exposed_provenance::<[u8; LEN]>(stub).read() };
        let at = code.windows(BEFORE.len()).position(|bytes| bytes == BEFORE)? + BEFORE.len();
        let distance = i32::from_le_bytes(code.get(at..at + 4)?.try_into().ok()?);
        if code.get(at + 4..at + 7)? != AFTER {
            return None;
        }
        let function = (stub + at + 4).wrapping_add_signed(distance as isize);
        is_code(function, 1)(&loader).then_some(function)
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
            Some(Wish { number, name, version: self.version(symbol)? })
        })
    }

    /// Whether the slot still leads to the code that calls the loader: a stub of its own, which pushes the number of the relocation, or
    /// what all stubs go on to, which pushes the object (where each has loaded its number before: mold).
    fn waits(&self, slot: usize, number: usize) -> bool {
        const LANDING: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa]; // endbr64
        const PUSH: u8 = 0x68;
        const PUSH_R11_AND_OBJECT: [u8; 4] = [0x41, 0x53, 0xff, 0x35]; // push r11; push [rip + …]
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
        let (own, rest) = push.split_at(4);
        if own == PUSH_R11_AND_OBJECT
            && let Some(distance) = rest.first_chunk::<4>()
        {
            let after = stub + code.len() - push.len() + 8;
            return after.wrapping_add_signed(i32::from_le_bytes(*distance) as isize)
                == self.slots + size_of::<usize>();
        }
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
