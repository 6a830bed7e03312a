//! Which pages are what.

use super::Mappings;
use super::bits::Bits;
use crate::machine::PAGE;
use libc::c_int;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most places where one mapping, or a part of one with other rights, may begin or end. Each is a mapping of the kernel's, of which a
/// process has 65,530.
const EDGES: usize = 2048;

/// A bit for each page of the area.
pub(super) struct Books {
    /// Of a mapping.
    pub(super) taken: Bits,
    pub(super) readable: Bits,
    pub(super) writable: Bits,
    /// Memory of its own once it is written, unlike that of a file which is shared.
    pub(super) own: Bits,
    /// Counts as memory: it could be written, at some time.
    pub(super) counts: Bits,
    /// Something may begin, or end, in front of it.
    pub(super) edge: Bits,
}

/// Counted from the start of the area.
pub(super) type Pages = Range<usize>;

impl Mappings {
    /// Made by the first mapping: most domains have none.
    pub(super) fn books(&self) -> Result<&Books, c_int> {
        self.books.get_or_init(|| Books::new(self.area.len() / PAGE)).as_ref().ok_or(libc::ENOMEM)
    }

    /// The pages of a range that the domain tells, where that lies in what was used of the area.
    pub(super) fn pages(&self, address: usize, len: usize) -> Result<Pages, c_int> {
        let [lost, used] = [&self.lost, &self.used].map(|pages| pages.load(Ordering::Relaxed) * PAGE);
        let end = address.checked_add(len).and_then(|end| end.checked_next_multiple_of(PAGE));
        match end {
            Some(end)
                if address.is_multiple_of(PAGE)
                    && address < end
                    && self.area.start + lost <= address
                    && end <= self.area.start + used =>
            {
                Ok((address - self.area.start) / PAGE..(end - self.area.start) / PAGE)
            }
            _ => Err(libc::EINVAL),
        }
    }

    /// As [`Mappings::pages`], where there is a mapping all along.
    pub(super) fn mapped(&self, address: usize, len: usize, errno: c_int) -> Result<(&Books, Pages), c_int> {
        if !address.is_multiple_of(PAGE) {
            return Err(libc::EINVAL);
        }
        let pages = self.pages(address, len).map_err(|_| errno)?;
        let books = self.books()?;
        let is_mapped = books.taken.end_of_run(pages.clone(), true) == pages.end;
        if is_mapped { Ok((books, pages)) } else { Err(errno) }
    }

    /// Free pages for so many bytes.
    pub(super) fn room(&self, books: &Books, len: usize) -> Result<Pages, c_int> {
        let (count, all) = (len.div_ceil(PAGE), self.area.len() / PAGE);
        if count > all {
            return Err(libc::ENOMEM);
        }
        let used = self.used.load(Ordering::Relaxed);
        let mut start = self.lost.load(Ordering::Relaxed);
        while start < used {
            start = books.taken.end_of_run(start..used, true);
            // No further than it must be: address space that was used once may be hundreds of gigabytes.
            let end = books.taken.end_of_run(start..used.min(start + count), false);
            if end - start >= count || end == used {
                break;
            }
            start = end;
        }
        let end = start + count;
        if end <= all { Ok(start..end) } else { Err(libc::ENOMEM) }
    }

    /// Something may be mapped up to there: before it is.
    pub(super) fn use_until(&self, end: usize) {
        self.used.fetch_max(end, Ordering::Relaxed);
    }

    pub(super) fn address(&self, pages: &Pages) -> usize {
        self.area.start + pages.start * PAGE
    }

    /// Whether so many pages more may count.
    pub(super) fn may_have(&self, most: usize, pages: usize) -> Result<(), c_int> {
        let more = pages.checked_mul(PAGE).and_then(|more| more.checked_add(self.counted_bytes()));
        if more.is_some_and(|all| pages == 0 || all <= most) { Ok(()) } else { Err(libc::ENOMEM) }
    }

    /// Whether there may be edges where these pages begin and end.
    pub(super) fn may_part(&self, books: &Books, pages: &[&Pages]) -> Result<(), c_int> {
        let ends = pages.iter().flat_map(|pages| [pages.start, pages.end]);
        let more = ends.filter(|&page| books.edge.count(page..page + 1) == 0).count();
        if more == 0 || self.edges.load(Ordering::Relaxed).saturating_add(more) <= EDGES {
            Ok(())
        } else {
            Err(libc::ENOMEM)
        }
    }

    /// These pages are one mapping now, or none.
    pub(super) fn replaced(&self, books: &Books, pages: &Pages, taken: bool) {
        books.taken.set(pages.clone(), taken);
        let inner = pages.start + 1..pages.end;
        self.change(&self.edges, books.edge.count(inner.clone()), 0);
        books.edge.set(inner, false);
        self.parted(books, pages);
    }

    /// These pages may have become other than those around them. (Between two that are reserved nothing begins.)
    pub(super) fn parted(&self, books: &Books, pages: &Pages) {
        let is_taken = |page: usize| books.taken.count(page..page + 1) > 0;
        for page in [pages.start, pages.end] {
            let is_edge = (page > 0 && is_taken(page - 1)) || (page < self.area.len() / PAGE && is_taken(page));
            self.change(&self.edges, books.edge.count(page..page + 1), usize::from(is_edge));
            books.edge.set(page..page + 1, is_edge);
        }
    }

    /// Something ends, and begins, at both ends of these pages, whatever the books say of them.
    pub(super) fn divided(&self, books: &Books, pages: &Pages) {
        for page in [pages.start, pages.end] {
            self.change(&self.edges, books.edge.count(page..page + 1), 1);
            books.edge.set(page..page + 1, true);
        }
    }

    pub(super) fn note(&self, books: &Books, pages: &Pages, rights: c_int) {
        books.readable.set(pages.clone(), rights & libc::PROT_READ != 0);
        books.writable.set(pages.clone(), rights & libc::PROT_WRITE != 0);
    }

    pub(super) fn count(&self, books: &Books, pages: &Pages, counts: bool) {
        let more = if counts { pages.len() * PAGE } else { 0 };
        self.change(&self.counted, books.counts.count(pages.clone()) * PAGE, more);
        books.counts.set(pages.clone(), counts);
    }

    /// Whatever goes wrong with the books, what they count stays a number that makes sense.
    pub(super) fn change(&self, counter: &AtomicUsize, fewer: usize, more: usize) {
        counter.store(counter.load(Ordering::Relaxed).saturating_sub(fewer).saturating_add(more), Ordering::Relaxed);
    }
}

impl Books {
    /// `None` where there is no memory.
    pub(super) fn new(pages: usize) -> Option<Self> {
        // One more than there are pages: an edge may be at the end.
        let bits = || Bits::new(pages + 1);
        Some(Self {
            taken: bits()?,
            readable: bits()?,
            writable: bits()?,
            own: bits()?,
            counts: bits()?,
            edge: bits()?,
        })
    }

    pub(super) fn all(&self) -> [&Bits; 6] {
        [&self.taken, &self.readable, &self.writable, &self.own, &self.counts, &self.edge]
    }
}
