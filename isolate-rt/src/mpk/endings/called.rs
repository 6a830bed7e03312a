//! Which function a call instruction calls, told by the code and by tables that no domain can write.

use crate::mpk::instances::instance;
use crate::mpk::loaded::objects::Object;

/// What the call instruction before this address calls, where that is written there, or in a table that the loader has filled
/// and no domain can write.
pub(super) fn called(objects: &[Object], after: usize) -> Option<usize> {
    const CALL: u8 = 0xe8;
    const CALL_BY_TABLE: [u8; 2] = [0xff, 0x15];
    const JUMP_BY_TABLE: [u8; 2] = [0xff, 0x25];
    const LANDING_PAD: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa]; // endbr64
    const BOUNDS: u8 = 0xf2;
    let distance = |code: &[u8]| Some(i32::from_le_bytes(code.get(..4)?.try_into().ok()?) as isize as usize);
    let of_table = |end: usize, code: &[u8]| word(objects, end.wrapping_add(distance(code)?));
    let call = code(objects, after.checked_sub(6)?, 6)?;
    if call[..2] == CALL_BY_TABLE {
        return of_table(after, &call[2..]);
    }
    let target = if call[1] == CALL { after.wrapping_add(distance(&call[2..])?) } else { return None };
    // A stub of the linker's that goes on by a table?
    let stub = code(objects, target, LANDING_PAD.len() + 7)?;
    let jump = stub.strip_prefix(&LANDING_PAD).unwrap_or(stub);
    let jump = jump.strip_prefix(&[BOUNDS]).unwrap_or(jump);
    match jump.strip_prefix(&JUMP_BY_TABLE) {
        Some(entry) => of_table(target + (stub.len() - entry.len()) + 4, entry),
        None => Some(target),
    }
}

/// So many bytes of code, if they are.
fn code(objects: &[Object], address: usize, len: usize) -> Option<&[u8]> {
    const RIGHTS: u32 = libc::PF_R | libc::PF_X;
    let segment = objects.iter().find_map(|object| object.segment(address))?;
    let is_code = segment.flags == RIGHTS && len <= segment.range.end - address;
    let start = std::ptr::with_exposed_provenance(address);
    // SAFETY: what the loader has mapped so does not change, and is not unloaded meanwhile.
    is_code.then(|| unsafe { std::slice::from_raw_parts(start, len) })
}

/// A word of data that is no domain's.
fn word(objects: &[Object], address: usize) -> Option<usize> {
    // Else a domain could choose what it seems to have called.
    if instance::all().any(|instance| instance.image.writable_until(address).is_some()) {
        return None;
    }
    let segment = objects.iter().find_map(|object| object.segment(address))?;
    let is_one = address.is_multiple_of(size_of::<usize>()) && size_of::<usize>() <= segment.range.end - address;
    let start = std::ptr::with_exposed_provenance::<usize>(address);
    // SAFETY: as above, but that somebody may be writing there, one word at a time.
    (is_one && segment.flags & libc::PF_R != 0).then(|| unsafe { start.read_volatile() })
}
