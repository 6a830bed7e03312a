//! Mappings: what `mmap` gives inside a domain.
//!
//! They lie in an area of the instance's own address space, and carry its key. The program makes and ends them for the domain and
//! keeps the books, in its own memory, so that nothing the domain says or overwrites decides what is unmapped:
//!
//! - The area is reserved as long as the process lives. What ends a mapping puts the reservation back in its place, in one step:
//!   at no time could something of the program's be mapped in between, and be taken for the domain's.
//! - A mapping is made elsewhere, given to the key, and moved into the area when it is complete: a file that cannot be mapped
//!   leaves what was there as it was, and nobody waits for one whose server does not answer but the thread that maps it.
//! - What the domain does by system calls of its own changes no books. Where they are wrong therefore, or a file ends
//!   before its mapping does, or another thread of the domain unmaps what the program is looking at, the program's own access fails.
//!   It is [healed](Mappings::heal), and with that the instance is lost. So it is where the kernel loses what it was to move.
//!
//! No mapping can be executed: a domain that writes code for itself could as well write `wrpkru`.

mod acts;
mod bits;
mod books;
mod kernel;

use crate::machine::PAGE;
use crate::machine::kernel::drop_contents;
use crate::machine::pkey::Pkey;
use acts::New;
use bits::Bits;
use books::{Books, Pages};
use libc::c_int;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// Most pages that are healed at once, as a power of two.
const MOST_HEALED: usize = 16;

/// What the domain can ask for: the first word.
pub(crate) const MAP: usize = 1;
pub(crate) const UNMAP: usize = 2;
pub(crate) const PROTECT: usize = 3;
pub(crate) const REMAP: usize = 4;
pub(crate) const ADVISE: usize = 5;

/// How many words a wish has: the act, then the arguments of the system call of that name.
pub(in crate::mpk) const WORDS: usize = 7;

/// What the domain asks for, checked and made as far as it can be without the books, since the kernel may have to ask others for that.
pub(in crate::mpk) struct Wish {
    /// Address and length.
    place: (usize, usize),
    act: Act,
}

enum Act {
    Map(New),
    Unmap,
    Protect { rights: c_int },
    Remap { new_len: usize, flags: usize, target: usize },
    Advise { advice: usize },
}

impl Mappings {
    /// Changes nothing of these mappings.
    pub(in crate::mpk) fn prepare(
        &self,
        [act, address, len, three, four, five, six]: [usize; WORDS],
    ) -> Result<Wish, c_int> {
        let act = match act {
            MAP if len > self.area.len() => return Err(libc::ENOMEM),
            MAP => Act::Map(New::make(len, (three, four), (five, six))?),
            UNMAP => Act::Unmap,
            PROTECT => Act::Protect { rights: acts::checked_rights(three)? },
            REMAP => Act::Remap { new_len: three, flags: four, target: five },
            ADVISE => Act::Advise { advice: three },
            _ => return Err(libc::ENOSYS),
        };
        Ok(Wish { place: (address, len), act })
    }
}

/// The mappings of an instance. Whoever changes them holds the instance's books ([`super::rooms::Rooms::hold`]); whoever asks does not:
/// what was true a moment ago is as good, since an access that fails is healed.
pub(in crate::mpk) struct Mappings {
    area: Range<usize>,
    /// Most bytes that the program takes for the domain's in one piece: as many as it may have of memory. (Of address space it may have
    /// any amount, and lie about lengths for nothing.)
    most: usize,
    books: OnceLock<Option<Books>>,
    /// Pages from the start of the area that may have been used since it was empty.
    used: AtomicUsize,
    /// Pages from its start that the kernel has not given back after a fault: nobody's.
    lost: AtomicUsize,
    /// Bytes that count against the limit of the domain's memory.
    counted: AtomicUsize,
    edges: AtomicUsize,
    healed: AtomicUsize,
    /// Where the program's access has failed first, and by which signal, or what was mapped was lost; 0 while nothing has.
    failed: AtomicUsize,
    failed_by: AtomicI32,
}

impl Mappings {
    /// In `area`, of which nothing is mapped readable yet, of a domain that may have so many bytes of memory.
    pub(in crate::mpk) fn new(area: Range<usize>, most: usize) -> Self {
        Self {
            area,
            most,
            books: OnceLock::new(),
            used: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            counted: AtomicUsize::new(0),
            edges: AtomicUsize::new(0),
            healed: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            failed_by: AtomicI32::new(0),
        }
    }

    /// Whether the address is one of theirs, mapped or not.
    pub(in crate::mpk) fn has(&self, address: usize) -> bool {
        self.area.contains(&address)
    }

    /// Bytes of memory that they count as.
    pub(in crate::mpk) fn counted_bytes(&self) -> usize {
        self.counted.load(Ordering::Relaxed)
    }

    /// The end of what is mapped around `address`, and can be read; at most a [piece](Mappings::most).
    pub(in crate::mpk) fn readable_until(&self, address: usize) -> Option<usize> {
        self.until(address, |books| &books.readable)
    }

    /// As [`Mappings::readable_until`], and can be written.
    pub(in crate::mpk) fn writable_until(&self, address: usize) -> Option<usize> {
        self.until(address, |books| &books.writable)
    }

    /// Whether there is a mapping at `address`, whatever may be done with it.
    pub(in crate::mpk) fn is_mapped(&self, address: usize) -> bool {
        self.until(address, |books| &books.taken).is_some()
    }

    fn until(&self, address: usize, of: impl Fn(&Books) -> &Bits) -> Option<usize> {
        let books = self.books.get()?.as_ref().filter(|_| self.has(address))?;
        let page = (address - self.area.start) / PAGE;
        let last = (page + self.most.div_ceil(PAGE)).min(self.used.load(Ordering::Acquire));
        let end = of(books).end_of_run(page..last, true);
        (end > page).then(|| self.area.start + end * PAGE)
    }

    /// Does what the domain asks for, as the kernel would. `most`: bytes of memory that it may have in mappings.
    pub(in crate::mpk) fn grant(&self, key: Pkey, most: usize, Wish { place, act }: Wish) -> Result<usize, c_int> {
        match act {
            Act::Map(new) => self.map((key, most), place, new),
            Act::Unmap => self.unmap(place),
            Act::Protect { rights } => self.protect((key, most), place, rights),
            Act::Remap { new_len, flags, target } => self.remap(most, place, new_len, (flags, target)),
            Act::Advise { advice } => self.advise(place, advice),
        }
    }

    /// Ends all.
    ///
    /// # Safety
    ///
    /// Nothing of the domain runs.
    pub(in crate::mpk) unsafe fn close_all(&self) {
        let used = self.used.load(Ordering::Relaxed);
        if used == 0 {
            return;
        }
        let (start, len) = (self.area.start, used * PAGE);
        // SAFETY: pages of the area.
        let is_empty = unsafe {
            kernel::reserve(start, len).is_ok() || {
                // The kernel is out of mappings. What has lost its rights needs no more of them, and may be fewer.
                self.take_rights(used);
                kernel::reserve(start, len).is_ok() || {
                    // Memory of its own counts no more, and so goes. What is shared stays.
                    drop_contents(start, len);
                    false
                }
            }
        };
        // What stays there is nobody's: the next fault tries again.
        let (used, lost) = if is_empty { (0, 0) } else { (used, used) };
        self.used.store(used, Ordering::Relaxed);
        self.lost.store(lost, Ordering::Relaxed);
        if let Some(books) = self.books.get().and_then(Option::as_ref) {
            books.all().iter().for_each(|bits| bits.clear_all());
        }
        self.counted.store(0, Ordering::Relaxed);
        self.edges.store(0, Ordering::Relaxed);
        self.healed.store(0, Ordering::Relaxed);
        self.failed.store(0, Ordering::Release);
    }

    /// Makes so many pages from the start of the area unreadable, as far as the kernel does that.
    ///
    /// # Safety
    ///
    /// Nothing of the domain runs.
    unsafe fn take_rights(&self, used: usize) {
        // SAFETY: pages of the area.
        let take = |pages: &Pages| unsafe {
            Pkey::ROOT.tag_as(self.address(pages), pages.len() * PAGE, libc::PROT_NONE).is_ok()
        };
        if take(&(0..used)) {
            return;
        }
        // It has stopped at the first piece that is not there, or that it would have to divide.
        let Some(books) = self.books.get().and_then(Option::as_ref) else { return };
        let mut start = 0;
        while start < used {
            let end = books.edge.end_of_run(start + 1..used, false);
            take(&(start..end));
            start = end;
        }
    }

    /// The signal that the program's access has failed by, and where: what is mapped is no longer what it was.
    #[inline]
    pub(in crate::mpk) fn failure(&self) -> Option<(c_int, usize)> {
        match self.failed.load(Ordering::Acquire) {
            0 => None,
            address => Some((self.failed_by.load(Ordering::Relaxed), address)),
        }
    }

    /// In the child of a fork that found the books in use, so that they may be wrong: all of the area counts as used.
    pub(in crate::mpk) fn distrust(&self) {
        if self.books.get().is_some() {
            self.used.store(self.area.len() / PAGE, Ordering::Relaxed);
        }
    }

    /// After an access of the program to `address`, which was the domain's when it was checked, has failed: puts memory there, so that it
    /// can be made again. What that holds is 0, and nobody is to go on with it: from here on there is a [failure](Mappings::failure), for
    /// which the instance is discarded. Says whether there is memory.
    ///
    /// To be called in a signal handler.
    pub(in crate::mpk) fn heal(&self, signal: c_int, address: usize) -> bool {
        if !self.has(address) {
            return false;
        }
        // Before there is anything that a thread of the domain could read.
        self.fail(signal, address);
        let page = (address - self.area.start) / PAGE;
        // Each time twice as much, of what the program may be looking at: a copy of gigabytes is over soon.
        let most = 1 << self.healed.fetch_add(1, Ordering::Relaxed).min(MOST_HEALED);
        let last = (page + most).min(self.area.len() / PAGE);
        let books = self.books.get().and_then(Option::as_ref);
        let end = books.map_or(page, |books| books.taken.end_of_run(page..last, true)).max(page + 1);
        // For the child of a fork in which all of it was given up meanwhile.
        self.used.fetch_max(end, Ordering::Relaxed);
        let replace = |end: usize| {
            let (start, len) = (self.area.start + page * PAGE, (end - page) * PAGE);
            // SAFETY: pages of the area.
            unsafe { kernel::replace(start, len, libc::PROT_READ | libc::PROT_WRITE) }.is_ok()
        };
        replace(end) || replace(page + 1)
    }

    /// What is mapped at `address` is not what it was: the instance is lost. What came first tells the most.
    fn fail(&self, signal: c_int, address: usize) {
        if self.failed.load(Ordering::Relaxed) == 0 {
            self.failed_by.store(signal, Ordering::Relaxed);
            self.failed.store(address, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests;
