//! A library's writable globals: given to the domain, kept as they were at its creation, put back after a fault.

use super::PAGE;
use super::pkey::Pkey;
use crate::fault::Unsupported;
use crate::globals::{Globals, Place};
use std::ffi::{CStr, c_void};
use std::ops::Range;
use std::ptr;

/// The globals of a domain and what they held when it was made.
pub(super) struct Image {
    ranges: Vec<(Range<usize>, Vec<u8>)>,
}

impl Image {
    /// Tags the pages and copies what they hold.
    ///
    /// # Safety
    ///
    /// The caller says so by naming the globals: nothing of the program but this library may write them.
    pub(super) unsafe fn take(globals: &'static [Globals], key: Pkey) -> Result<Self, Unsupported> {
        let writable = writable_segments();
        let mut ranges = Vec::new();
        for place in globals.iter().map(|globals| &globals.0) {
            match place {
                Place::Linked { start, end } => ranges.extend(linked(start.addr()..end.addr(), &writable)?),
                Place::Shared { object } => ranges.extend(shared(object, &writable)?),
            }
        }
        let mut image = Vec::new();
        for range in ranges {
            // SAFETY: whole pages inside writable segments of loaded objects, checked above; the caller's to give.
            unsafe { key.tag(range.start, range.len())? };
            // SAFETY: readable, since writable segments are; nobody writes them now.
            let bytes = unsafe { std::slice::from_raw_parts(ptr::with_exposed_provenance(range.start), range.len()) };
            image.push((range.clone(), bytes.to_vec()));
        }
        Ok(Self { ranges: image })
    }

    /// # Safety
    ///
    /// The instance is held, and nothing of the domain runs.
    pub(super) unsafe fn restore(&self) {
        for (range, bytes) in &self.ranges {
            // SAFETY: the range was as long when the image was taken, and program segments stay mapped.
            unsafe {
                ptr::copy_nonoverlapping(bytes.as_ptr(), ptr::with_exposed_provenance_mut(range.start), bytes.len())
            };
        }
    }

    /// The end of the globals that hold `address`.
    pub(super) fn writable_until(&self, address: usize) -> Option<usize> {
        self.ranges.iter().find(|(range, _)| range.contains(&address)).map(|(range, _)| range.end)
    }
}

/// A writable segment of a loaded object, without what is read-only after relocation.
struct Segment {
    object: String,
    range: Range<usize>,
}

fn linked(range: Range<usize>, writable: &[Segment]) -> Result<Option<Range<usize>>, Unsupported> {
    let what = if range.is_empty() {
        return if range.start == range.end {
            Ok(None)
        } else {
            Err(globals("the linker fragment's symbols are swapped"))
        };
    } else if !range.start.is_multiple_of(PAGE) || !range.end.is_multiple_of(PAGE) {
        "the linker fragment did not put them on pages of their own"
    } else if !writable.iter().any(|segment| segment.range.start <= range.start && range.end <= segment.range.end) {
        "they do not lie in a writable segment of this program"
    } else {
        return Ok(Some(range));
    };
    Err(globals(what))
}

fn shared<'a>(
    object: &'a str,
    writable: &'a [Segment],
) -> Result<impl Iterator<Item = Range<usize>> + 'a, Unsupported> {
    let matches = move |segment: &&Segment| segment.object.rsplit('/').next() == Some(object);
    if !writable.iter().any(|segment| matches(&segment)) {
        return Err(globals("the shared object is not loaded, or has no writable segment"));
    }
    Ok(writable.iter().filter(matches).map(|segment| segment.range.clone()))
}

fn globals(what: &'static str) -> Unsupported {
    Unsupported::Globals { what }
}

fn writable_segments() -> Vec<Segment> {
    segments(|flags| flags & libc::PF_W != 0).into_iter().filter(|segment| !segment.range.is_empty()).collect()
}

/// The end of the read-only data that holds `address`, where a loaded object maps it: C keeps its string literals there.
pub(super) fn read_only_until(address: usize) -> Option<usize> {
    let read_only = segments(|flags| flags & libc::PF_W == 0 && flags & libc::PF_R != 0);
    read_only.into_iter().find(|segment| segment.range.contains(&address)).map(|segment| segment.range.end)
}

fn segments(wanted: fn(u32) -> bool) -> Vec<Segment> {
    struct Search {
        wanted: fn(u32) -> bool,
        found: Vec<Segment>,
    }
    /// # Safety
    ///
    /// To be called by `dl_iterate_phdr`, with a `Search`.
    unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, search: *mut c_void) -> i32 {
        // SAFETY: `info` is what dl_iterate_phdr(3) passes, `search` what we passed to it.
        let (base, headers, name, search) = unsafe {
            let headers = std::slice::from_raw_parts((*info).dlpi_phdr, (*info).dlpi_phnum as usize);
            let name = CStr::from_ptr((*info).dlpi_name).to_string_lossy();
            ((*info).dlpi_addr as usize, headers, name, &mut *search.cast::<Search>())
        };
        let span = |header: &libc::Elf64_Phdr| {
            let start = base.wrapping_add(header.p_vaddr as usize);
            start..start + header.p_memsz as usize
        };
        let relro = headers.iter().find(|header| header.p_type == libc::PT_GNU_RELRO).map(span).unwrap_or(0..0);
        for header in headers.iter().filter(|header| header.p_type == libc::PT_LOAD && (search.wanted)(header.p_flags))
        {
            let mut range = span(header);
            // The loader made these read-only, rounding down: what is left starts at the page where they end.
            if range.contains(&relro.start) && header.p_flags & libc::PF_W != 0 {
                range.start = relro.end & !(PAGE - 1);
            }
            let range = range.start & !(PAGE - 1)..range.end.next_multiple_of(PAGE);
            search.found.push(Segment { object: name.to_string(), range });
        }
        0
    }
    let mut search = Search { wanted, found: Vec::new() };
    // SAFETY: the callback gets the pointer it expects.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    search.found
}
