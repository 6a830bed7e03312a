//! What is left where the kernel has run out of memory in the middle of a move. No domain is needed for it.

use super::*;

const RIGHTS: c_int = libc::PROT_READ | libc::PROT_WRITE;
const OWN: c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
const PAGES: usize = 6;

#[test]
fn holes() {
    if !crate::probe().supported() {
        return;
    }
    // SAFETY: fresh address space.
    let area = unsafe { libc::mmap(std::ptr::null_mut(), PAGES * PAGE, libc::PROT_NONE, OWN, -1, 0) };
    assert_ne!(area, libc::MAP_FAILED);
    let start = area.expose_provenance();
    let mappings = Mappings::new(start..start + PAGES * PAGE, PAGES * PAGE);
    let wish = mappings.prepare([MAP, 0, PAGES * PAGE, RIGHTS as usize, OWN as usize, usize::MAX, 0]);
    assert_eq!(mappings.grant(Pkey::ROOT, PAGES * PAGE, wish.ok().unwrap()), Ok(start));
    let books = mappings.books().ok().unwrap();
    let (hole, at) = (2..3, start + 2 * PAGE);
    // SAFETY: of this test's own area, which nobody else knows.
    unsafe {
        kernel::forget(at, PAGE);
        mappings.fill_hole(books, &hole);
        assert_eq!(kernel::reserve_hole(at, PAGE), Err(libc::EEXIST));
        // Where it cannot be filled, what lies behind it does not stay readable.
        kernel::forget(at, PAGE);
        assert!(is_readable(start) && is_readable(start + 5 * PAGE));
        mappings.take_rights(PAGES);
        assert!(!is_readable(start) && !is_readable(start + 3 * PAGE) && !is_readable(start + 5 * PAGE));
        kernel::forget(start, PAGES * PAGE);
    }
}

/// As the kernel sees it.
fn is_readable(address: usize) -> bool {
    // SAFETY: a file in memory, closed at once; what cannot be read is an error.
    unsafe {
        let file = libc::memfd_create(c"read".as_ptr(), 0);
        let written = libc::write(file, std::ptr::with_exposed_provenance(address), 1);
        libc::close(file);
        written == 1
    }
}
