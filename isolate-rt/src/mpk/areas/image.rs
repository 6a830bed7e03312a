//! A library's writable globals: given to the domain, kept as they were at its creation, put back after a fault.

use crate::fault::Unsupported;
use crate::globals::{Globals, Place};
use crate::machine::PAGE;
use crate::machine::pkey::Pkey;
use crate::mpk::loaded::objects;
use std::ops::Range;
use std::ptr;

/// The globals of a domain and what they held when it was made.
pub(in crate::mpk) struct Image {
    ranges: Vec<(Range<usize>, Vec<u8>)>,
}

/// Whole pages with writable globals; none where a library has none. From now on no shared library of theirs is unloaded, whoever
/// closes it: what is put back after a fault must not be put into what has taken its place.
pub(in crate::mpk) fn find(globals: &'static [Globals]) -> Result<Vec<Range<usize>>, Unsupported> {
    for place in globals {
        if let Place::Shared { object } = place.0
            && !objects::keep_loaded(object)
        {
            return Err(globals_missing());
        }
    }
    let writable = writable_segments();
    let mut ranges = Vec::new();
    for place in globals.iter().map(|globals| &globals.0) {
        match place {
            Place::Linked { start, end } => ranges.extend(linked(start.addr()..end.addr(), &writable)?),
            Place::Shared { object } => ranges.extend(shared(object, &writable)?),
        }
    }
    Ok(ranges)
}

impl Image {
    /// Tags the pages and copies what they hold.
    ///
    /// # Safety
    ///
    /// They were [found](find), and whoever named the globals said so: nothing of the program but this library may write them.
    pub(in crate::mpk) unsafe fn take(ranges: Vec<Range<usize>>, key: Pkey) -> Result<Self, Unsupported> {
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
    pub(in crate::mpk) unsafe fn restore(&self) {
        for (range, bytes) in &self.ranges {
            // SAFETY: the range was as long when the image was taken, and stays mapped: of the program, or of a library that was
            // [found](find).
            unsafe {
                ptr::copy_nonoverlapping(bytes.as_ptr(), ptr::with_exposed_provenance_mut(range.start), bytes.len())
            };
        }
    }

    /// The end of the globals that hold `address`.
    pub(in crate::mpk) fn writable_until(&self, address: usize) -> Option<usize> {
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
        return Err(globals_missing());
    }
    Ok(writable.iter().filter(matches).map(|segment| segment.range.clone()))
}

fn globals_missing() -> Unsupported {
    globals("the shared object is not loaded, or has no writable segment")
}

pub(in crate::mpk) fn globals(what: &'static str) -> Unsupported {
    Unsupported::Globals { what }
}

/// Whole pages of all of them.
fn writable_segments() -> Vec<Segment> {
    objects::with(|objects| {
        let all = objects.iter().flat_map(|object| object.segments.iter().map(move |segment| (object, segment)));
        let writable = all.filter(|(_, segment)| segment.is_writable()).map(|(object, segment)| {
            let mut range = segment.range.clone();
            // The loader made these read-only, rounding down: what is left starts at the page where they end.
            if range.contains(&object.relro.start) {
                range.start = object.relro.end & !(PAGE - 1);
            }
            Segment { object: object.path.clone(), range: pages(range) }
        });
        writable.filter(|segment| !segment.range.is_empty()).collect()
    })
}

/// Lets `look` read from `address` on, and tells it how many bytes there are of the read-only data around it, where a loaded
/// object maps it: C keeps its string literals there. 0 for none. Nobody unloads the object meanwhile.
pub(in crate::mpk) fn with_read_only<R>(address: usize, look: impl FnOnce(usize) -> R) -> R {
    objects::with(|objects| {
        let all = objects.iter().flat_map(|object| &object.segments);
        let read_only = all.filter(|segment| segment.flags & libc::PF_W == 0 && segment.flags & libc::PF_R != 0);
        let mut pages = read_only.map(|segment| pages(segment.range.clone()));
        let end = pages.find(|pages| pages.contains(&address)).map(|pages| pages.end);
        look(end.map_or(0, |end| end - address))
    })
}

fn pages(range: Range<usize>) -> Range<usize> {
    range.start & !(PAGE - 1)..range.end.next_multiple_of(PAGE)
}
