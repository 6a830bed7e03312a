//! What the domain's calls do.

use super::Mappings;
use super::books::{Books, Pages};
use super::kernel::{self, Elsewhere};
use crate::machine::PAGE;
use crate::machine::pkey::Pkey;
use libc::c_int;

/// A new mapping that is to go to its place.
pub(super) struct New {
    made: Elsewhere,
    rights: c_int,
    is_private: bool,
    /// Memory of its own once it is written.
    is_own: bool,
    /// `MAP_FIXED` and its relative.
    fixed: c_int,
}

impl Mappings {
    pub(super) fn map(
        &self,
        (key, most): (Pkey, usize),
        (address, len): (usize, usize),
        New { made, rights, is_private, is_own, fixed }: New,
    ) -> Result<usize, c_int> {
        let books = self.books()?;
        let pages = match fixed {
            0 => self.room(books, len)?,
            // In the place of something that is the domain's already, and nowhere else.
            _ => self.pages(address, len).map_err(|_| libc::ENOMEM)?,
        };
        if fixed & libc::MAP_FIXED_NOREPLACE != 0 && books.taken.end_of_run(pages.clone(), false) < pages.end {
            return Err(libc::EEXIST);
        }
        self.may_part(books, &[&pages])?;
        // (Nothing of one that is shared between processes is there before it is read, but then it is.)
        let counts = is_own && (rights & libc::PROT_WRITE != 0 || !is_private);
        let more = if counts { pages.len() } else { 0 };
        self.may_have(most, more.saturating_sub(books.counts.count(pages.clone())))?;

        // SAFETY: of pages of the area, as many as were made.
        let moved = made.give_to(key, rights).and_then(|made| unsafe {
            self.use_until(pages.end);
            made.move_to(self.address(&pages))
        });
        if moved.is_err() {
            self.fill_hole(books, &pages);
        }
        moved?;
        self.replaced(books, &pages, true);
        self.note(books, &pages, rights);
        books.own.set(pages.clone(), is_own);
        self.count(books, &pages, counts);
        Ok(self.address(&pages))
    }

    /// After a move to these pages has failed: the kernel looks for what is against it before it unmaps what is there. Only if it has run
    /// out of memory after that, there is a hole.
    pub(super) fn fill_hole(&self, books: &Books, pages: &Pages) {
        if kernel::reserve_hole(self.address(pages), pages.len() * PAGE) != Err(libc::EEXIST) {
            self.divided(books, pages);
        }
    }

    pub(super) fn unmap(&self, (address, len): (usize, usize)) -> Result<usize, c_int> {
        let (pages, books) = (self.pages(address, len)?, self.books()?);
        let is_free = books.taken.end_of_run(pages.clone(), false) == pages.end;
        if !is_free {
            self.may_part(books, &[&pages])?;
            self.close(books, pages)?;
        }
        Ok(0)
    }

    /// Puts the reservation in the place of what is mapped there.
    fn close(&self, books: &Books, pages: Pages) -> Result<(), c_int> {
        // Before: who reads while it goes has checked before.
        [&books.readable, &books.writable].iter().for_each(|bits| bits.set(pages.clone(), false));
        // SAFETY: pages of the area.
        unsafe { kernel::reserve(self.address(&pages), pages.len() * PAGE)? };
        self.replaced(books, &pages, false);
        self.count(books, &pages, false);
        Ok(())
    }

    pub(super) fn protect(
        &self,
        (key, most): (Pkey, usize),
        (address, len): (usize, usize),
        rights: c_int,
    ) -> Result<usize, c_int> {
        if len == 0 {
            return Ok(0);
        }
        let (books, pages) = self.mapped(address, len, libc::ENOMEM)?;
        self.may_part(books, &[&pages])?;
        let is_writable = rights & libc::PROT_WRITE != 0;
        let more = if is_writable { books.own.count_without(&books.counts, pages.clone()) } else { 0 };
        self.may_have(most, more)?;
        // What goes, goes first: the program, which is about to look there, has then not checked yet.
        let [readable, writable] = [libc::PROT_READ, libc::PROT_WRITE].map(|right| rights & right != 0);
        for (bits, _) in [(&books.readable, readable), (&books.writable, writable)].iter().filter(|(_, stays)| !stays) {
            bits.set(pages.clone(), false);
        }
        // SAFETY: pages of the domain's mappings.
        unsafe { key.tag_as(self.address(&pages), pages.len() * PAGE, rights)? };
        self.parted(books, &pages);
        self.note(books, &pages, rights);
        if more > 0 {
            self.change(&self.counted, 0, more * PAGE);
            books.counts.set_where(&books.own, pages);
        }
        Ok(0)
    }

    /// Shortens a mapping where it is; else moves it. (To grow in place, a file would be needed that may have been closed.)
    pub(super) fn remap(
        &self,
        most: usize,
        (address, len): (usize, usize),
        new_len: usize,
        (flags, target): (usize, usize),
    ) -> Result<usize, c_int> {
        let (flags, fixed) = (flags as c_int, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED);
        if len == 0 || new_len == 0 || flags & !fixed != 0 || flags == libc::MREMAP_FIXED {
            return Err(libc::EINVAL);
        }
        let (books, old) = self.mapped(address, len, libc::EFAULT)?;
        let moves = flags & libc::MREMAP_FIXED != 0;
        let new_pages = new_len.div_ceil(PAGE);
        if !moves && new_pages <= old.len() {
            let rest = old.start + new_pages..old.end;
            if !rest.is_empty() {
                self.may_part(books, &[&rest])?;
                self.close(books, rest)?;
            }
            return Ok(address);
        }
        if flags & libc::MREMAP_MAYMOVE == 0 {
            return Err(libc::ENOMEM);
        }
        let new = if moves { self.pages(target, new_len)? } else { self.room(books, new_len)? };
        if old.start < new.end && new.start < old.end {
            return Err(libc::EINVAL);
        }
        self.may_part(books, &[&old, &new])?;
        let last = old.end - 1..old.end;
        // Where part of it counts, or could, all of it does: which part that was is forgotten.
        let own = books.own.count(old.clone()) > 0;
        let counted = books.counts.count(old.clone());
        let counts = counted > 0;
        self.may_have(most, if counts { new.len().saturating_sub(counted) } else { 0 })?;
        let rights = match (books.readable.count(last.clone()), books.writable.count(last)) {
            (0, _) => libc::PROT_NONE,
            (_, 0) => libc::PROT_READ,
            _ => libc::PROT_READ | libc::PROT_WRITE,
        };

        let kept = old.start..old.start + old.len().min(new.len());
        let (from, from_len) = (self.address(&kept), kept.len() * PAGE);
        self.use_until(new.end);
        let new_len = new.len() * PAGE;
        // Out of the area first, leaving its place mapped; what grows, grows there.
        // SAFETY: from pages of the area to pages of the area, by way of what nobody knows.
        unsafe {
            let out = kernel::move_out(from, from_len)?;
            let grown = kernel::grow(out, from_len, new_len);
            let moved = grown.and_then(|grown| kernel::move_to(grown, new_len, self.address(&new)));
            if let Err(errno) = moved {
                let rest = match grown {
                    Ok(grown) => {
                        self.fill_hole(books, &new);
                        kernel::forget(grown + from_len, new_len - from_len);
                        grown
                    }
                    Err(_) => out,
                };
                // Back, as it was; where that fails, too, what it held is lost, and nobody is to go on without it.
                if kernel::move_to(rest, from_len, from).is_err() {
                    kernel::forget(rest, from_len);
                    self.fill_hole(books, &kept);
                    self.fail(libc::SIGSEGV, from);
                }
                return Err(errno);
            }
        }
        self.replaced(books, &new, true);
        self.note(books, &new, rights);
        books.own.set(new.clone(), own || counts);
        self.count(books, &new, counts);
        // An error here leaves an empty mapping behind, which the domain has not asked for and need not know.
        let _ = self.close(books, old);
        Ok(self.address(&new))
    }

    /// Drops contents. Hints are left out: those that the kernel keeps for each page part mappings, of which a process has few, and those
    /// that read or write at once take as long as they like, with the books held.
    pub(super) fn advise(&self, (address, len): (usize, usize), advice: usize) -> Result<usize, c_int> {
        /// What changes neither whose memory it is nor what the program, or the child of a fork, can do with it.
        const DONE: [c_int; 2] = [libc::MADV_DONTNEED, libc::MADV_FREE];
        const LEFT_OUT: [c_int; 12] = [
            libc::MADV_NORMAL,
            libc::MADV_RANDOM,
            libc::MADV_SEQUENTIAL,
            libc::MADV_WILLNEED,
            libc::MADV_HUGEPAGE,
            libc::MADV_NOHUGEPAGE,
            libc::MADV_DONTDUMP,
            libc::MADV_DODUMP,
            libc::MADV_COLD,
            libc::MADV_PAGEOUT,
            libc::MADV_POPULATE_READ,
            libc::MADV_POPULATE_WRITE,
        ];
        let is_done = DONE.contains(&(advice as c_int));
        if !is_done && !LEFT_OUT.contains(&(advice as c_int)) {
            return Err(libc::EINVAL);
        }
        if len == 0 {
            return Ok(0);
        }
        let (_, pages) = self.mapped(address, len, libc::ENOMEM)?;
        if is_done {
            // SAFETY: pages of the area.
            unsafe { kernel::advise(self.address(&pages), pages.len() * PAGE, advice as c_int)? };
        }
        Ok(0)
    }
}

impl New {
    /// Of what mmap(2) is given: hints are left out.
    pub(super) fn make(
        len: usize,
        (rights, flags): (usize, usize),
        (file, offset): (usize, usize),
    ) -> Result<Self, c_int> {
        if len == 0 {
            return Err(libc::EINVAL);
        }
        let flags = flags as c_int;
        let is_private = match flags & libc::MAP_TYPE {
            libc::MAP_PRIVATE => true,
            libc::MAP_SHARED => false,
            libc::MAP_SHARED_VALIDATE => return Err(libc::EOPNOTSUPP),
            _ => return Err(libc::EINVAL),
        };
        if flags & (libc::MAP_HUGETLB | libc::MAP_32BIT) != 0 {
            return Err(libc::ENOMEM);
        }
        let rights = checked_rights(rights)?;
        let is_anonymous = flags & libc::MAP_ANONYMOUS != 0;
        let is_own = is_anonymous || kernel::is_memory(file)? || is_private;
        let fixed = flags & (libc::MAP_FIXED | libc::MAP_FIXED_NOREPLACE);
        let kind = if is_private { libc::MAP_PRIVATE } else { libc::MAP_SHARED };
        let anonymous = if is_anonymous { libc::MAP_ANONYMOUS } else { 0 };
        let flags = kind | anonymous | libc::MAP_NORESERVE;
        let made = Elsewhere::map(len.next_multiple_of(PAGE), flags, file, offset)?;
        Ok(Self { made, rights, is_private, is_own, fixed })
    }
}

/// What can be written can be read, as on this CPU it is.
pub(super) fn checked_rights(rights: usize) -> Result<c_int, c_int> {
    const KNOWN: c_int = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    match c_int::try_from(rights) {
        Ok(rights) if rights & !KNOWN != 0 => Err(libc::EINVAL),
        Ok(rights) if rights & libc::PROT_EXEC != 0 => Err(libc::EACCES),
        Ok(rights) if rights != libc::PROT_NONE && kernel::reading_is_executing() => Err(libc::EACCES),
        Ok(rights) if rights & libc::PROT_WRITE != 0 => Ok(rights | libc::PROT_READ),
        Ok(rights) => Ok(rights),
        Err(_) => Err(libc::EINVAL),
    }
}
