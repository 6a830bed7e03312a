//! Names of functions and variables, from the symbol tables of the files they were loaded from.
//!
//! Read anew each time, with bounded reads: somebody waits for a text about a fault, and a table of a hundred thousand symbols is
//! gone through in a millisecond. What does not look like the file that was loaded gives no names.

use super::objects::Object;
use crate::fault::Symbol;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The names of these addresses of `object`, in the same order, as the table has them ([`demangle`]).
pub(in crate::mpk) fn names(object: &Object, addresses: &[usize]) -> Vec<Option<Symbol>> {
    let mut found = vec![None::<Match>; addresses.len()];
    let table = Table::open(object);
    if let Ok(Some(table)) = &table {
        for symbol in table.symbols() {
            for (&address, found) in addresses.iter().zip(&mut found) {
                let offset = address.wrapping_sub(object.base).wrapping_sub(symbol.value);
                // A size of 0: assembly.
                if offset >= symbol.size.max(1) {
                    continue;
                }
                // The smallest that holds the address names it best, of several such one that others can see, and use.
                let used = |name: &str| (name.starts_with('_'), name.len());
                let Some(name) = table.name(symbol.name).map(used) else { continue };
                let rank = (symbol.size, symbol.is_local, name);
                if found.as_ref().is_none_or(|found| rank < found.rank) {
                    *found = Some(Match { name: symbol.name, rank, offset });
                }
            }
        }
    }
    let name = |found: Match| {
        let name = table.as_ref().ok()?.as_ref()?.name(found.name)?;
        Some(Symbol { name: name.to_owned(), offset: found.offset })
    };
    found.into_iter().map(|found| name(found?)).collect()
}

#[derive(Clone)]
struct Match {
    name: usize,
    rank: (usize, bool, (bool, usize)),
    offset: usize,
}

/// A symbol table and its strings (`Elf64_Sym`, elf(5)).
struct Table {
    symbols: Vec<u8>,
    strings: Vec<u8>,
}

struct Entry {
    name: usize,
    value: usize,
    size: usize,
    is_local: bool,
}

/// No table that is larger is read, in bytes.
const MAX_TABLE: usize = 1 << 30;
const SYMBOL: usize = size_of::<libc::Elf64_Sym>();
const SECTION: usize = size_of::<libc::Elf64_Shdr>();

impl Table {
    /// The table with all symbols, or where there is none the one that the loader uses.
    fn open(object: &Object) -> io::Result<Option<Self>> {
        const SYMTAB: u32 = 2;
        const DYNSYM: u32 = 11;
        let file = File::open(object.file())?;
        let read = |offset: usize, len: usize| {
            let mut bytes = vec![0; if len > MAX_TABLE { return Err(io::ErrorKind::FileTooLarge.into()) } else { len }];
            file.read_exact_at(&mut bytes, offset as u64).map(|()| bytes)
        };
        let header = read(0, size_of::<libc::Elf64_Ehdr>())?;
        let headers = read(long(&header, 32), object.headers.len())?;
        // SAFETY: where the loader said that they are; it keeps them mapped as long as the object.
        let loaded = unsafe {
            let start = std::ptr::with_exposed_provenance(object.headers.start);
            std::slice::from_raw_parts::<u8>(start, object.headers.len())
        };
        if headers != loaded {
            return Ok(None); // Another file by now.
        }
        let sections = read(long(&header, 40), short(&header, 60) * SECTION)?;
        let of_kind = |kind: u32| sections.chunks_exact(SECTION).find(|section| int(section, 4) == kind as usize);
        let Some(symbols) = of_kind(SYMTAB).or_else(|| of_kind(DYNSYM)) else { return Ok(None) };
        let Some(strings) = sections.chunks_exact(SECTION).nth(int(symbols, 40)) else { return Ok(None) };
        let content = |section: &[u8]| read(long(section, 24), long(section, 32));
        Ok(Some(Self { symbols: content(symbols)?, strings: content(strings)? }))
    }

    /// Functions and variables that are defined here.
    fn symbols(&self) -> impl Iterator<Item = Entry> {
        const VARIABLE: u8 = 1;
        const FUNCTION: u8 = 2;
        const CHOSEN_FUNCTION: u8 = 10;
        let defined = self
            .symbols
            .chunks_exact(SYMBOL)
            .filter(|symbol| matches!(symbol[4] & 15, VARIABLE | FUNCTION | CHOSEN_FUNCTION) && short(symbol, 6) != 0);
        defined.map(|symbol| Entry {
            name: int(symbol, 0),
            value: long(symbol, 8),
            size: long(symbol, 16),
            is_local: symbol[4] >> 4 == 0,
        })
    }

    fn name(&self, start: usize) -> Option<&str> {
        let name = self.strings.get(start..)?.split(|&byte| byte == 0).next()?;
        std::str::from_utf8(name).ok().filter(|name| !name.is_empty())
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().unwrap_or([0; N])
}

fn short(bytes: &[u8], at: usize) -> usize {
    u16::from_le_bytes(number(bytes, at)).into()
}

fn int(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(number(bytes, at)) as usize
}

fn long(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(number(bytes, at)) as usize
}

/// The name as it stands in the source, for Rust and, in a program that has its runtime, C++.
///
/// Not to be called from [`super::objects::with`]: it holds one lock of the loader, and `dlsym` wants another that a `dlopen`
/// takes first.
pub(in crate::mpk) fn demangle(symbol: &mut Symbol) {
    #[cfg(feature = "backtrace")]
    if let Ok(name) = rustc_demangle::try_demangle(&symbol.name) {
        symbol.name = format!("{name:#}");
        return;
    }
    if symbol.name.starts_with("_Z")
        && let Some(name) = demangled_by_cxx(&symbol.name)
    {
        symbol.name = name;
    }
}

/// The name as the source has it, where a C++ library is loaded. Also takes the names of types.
pub(in crate::mpk) fn demangled_by_cxx(name: &str) -> Option<String> {
    use libc::{c_char, c_int, size_t};
    use std::ffi::{CStr, CString};
    type Demangle = unsafe extern "C" fn(*const c_char, *mut c_char, *mut size_t, *mut c_int) -> *mut c_char;
    let name = CString::new(name).ok()?;
    // SAFETY: the function of this name has this type, says the C++ ABI; it takes NULLs, and gives NULL or a string of
    // `malloc`.
    unsafe {
        let demangle = libc::dlsym(libc::RTLD_DEFAULT, c"__cxa_demangle".as_ptr());
        if demangle.is_null() {
            return None;
        }
        let demangle = std::mem::transmute::<*mut libc::c_void, Demangle>(demangle);
        let text = demangle(name.as_ptr(), std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
        let demangled = (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned());
        libc::free(text.cast());
        demangled
    }
}
