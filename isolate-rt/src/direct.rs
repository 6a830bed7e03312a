//! Staged memory of calls without isolation ([`crate::Backend::None`]).

use std::alloc::Layout;
use std::mem::ManuallyDrop;

/// What one call can stage, in bytes; the same with and without isolation.
pub(crate) const MAX_STAGED: usize = 4 << 30;

/// Zeroed memory of the program's heap, for as long as a call lasts.
pub(crate) struct Buffer {
    start: *mut u8,
    layout: Layout,
}

impl Buffer {
    /// Room for `len` values; `None` when that is more than a call can stage, or than there is.
    pub(crate) fn new<T>(len: usize) -> Option<Self> {
        // One byte at least: the allocator takes no empty layout.
        let layout = Layout::array::<T>(len).ok().filter(|layout| layout.size() <= MAX_STAGED)?;
        let layout = Layout::from_size_align(layout.size().max(1), layout.align()).ok()?;
        // SAFETY: not empty.
        let start = unsafe { std::alloc::alloc_zeroed(layout) };
        (!start.is_null()).then_some(Self { start, layout })
    }

    pub(crate) fn start(&self) -> *mut u8 {
        self.start
    }

    /// Whether it is the one that begins at `address`, with room for `len` bytes.
    pub(crate) fn is(&self, address: usize, len: usize) -> bool {
        self.start.addr() == address && len <= self.layout.size()
    }
}

/// All of one call's.
pub(crate) struct Buffers(ManuallyDrop<Vec<Buffer>>);

impl Buffers {
    pub(crate) const fn none() -> Self {
        Self(ManuallyDrop::new(Vec::new()))
    }

    pub(crate) fn push(&mut self, buffer: Buffer) {
        self.0.push(buffer);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Buffer> {
        self.0.iter()
    }
}

/// Out of the way of isolated calls, which have none: their end is to stay short.
impl Drop for Buffers {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: dropped once, here.
        unsafe { ManuallyDrop::drop(&mut self.0) };
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and not freed yet.
        unsafe { std::alloc::dealloc(self.start, self.layout) };
    }
}
