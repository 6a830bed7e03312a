//! Thread-local storage of an instance: a thread control block of our own, with no thread behind it.
//!
//! Code inside a domain finds `errno`, the stack protector's canary and every thread-local variable through FS. Those of
//! the program's threads are not writable in there, so an instance has a block of its own, in no list of glibc. How it must
//! look is learnt, not known: a short-lived thread copies its own block (static TLS, control block, DTV), and every word in
//! there that points into the block is moved along when an instance gets its copy.

use crate::fault::Unsupported;
use crate::heap::{HEAP, Heap};
use crate::machine::kernel::system;
use crate::machine::{PAGE, cpu, rseq};
use crate::mpk::loaded::objects::{self, Module, Object, Pinned};
use crate::mpk::threads::once::Once;
use crate::mpk::threads::spawn::Quiet;
use std::ffi::c_void;
use std::ops::Range;
use std::ptr;

/// Stack of the thread that is copied, in bytes. Static TLS lies in it.
const HELPER_STACK: usize = 4 << 20;

/// Room in a block for libraries that are loaded later, in bytes.
const LATER: usize = 64 << 10;

/// A thread's block as a helper thread found its own.
pub(in crate::mpk) struct Template {
    /// From the helper's frame up to the end of its control block.
    bytes: Vec<u8>,
    /// Address of `bytes[0]` then.
    low: usize,
    /// Thread pointer then.
    fs: usize,
    /// The vector of module blocks, its two header entries included.
    dtv: Vec<[usize; 2]>,
    /// The modules that there were, and the loader's count of objects that it had loaded.
    modules: Vec<Module>,
    loaded: u64,
    /// Blocks of modules that were loaded later, outside of the helper's: which entry, and what it holds at first.
    dynamic: Vec<(Module, Vec<u8>)>,
    /// Offsets in `bytes`: `errno`, the heap cell, the thread number (if found).
    errno: usize,
    heap: usize,
    tid: Option<usize>,
    /// Offset in `bytes` below which no module has variables, so that nothing there needs restoring.
    used: usize,
}

/// The block of one instance, with the copy that a fault restores it from.
pub(in crate::mpk) struct Block {
    image: Vec<u8>,
    base: usize,
    fs: usize,
    used: usize,
    errno: usize,
    tid: Option<usize>,
    /// The end of the room for it.
    end: usize,
    /// Where in `image` the vector is.
    vector: Range<usize>,
    modules: Vec<Module>,
    loaded: u64,
}

impl Template {
    /// Learnt once per process.
    pub(in crate::mpk) fn learn() -> Result<&'static Self, Unsupported> {
        static TEMPLATE: Once<Template> = Once::new();
        TEMPLATE.get_or_make(capture)
    }

    /// Bytes that a block needs.
    pub(in crate::mpk) fn size(&self) -> usize {
        let dynamic: usize = self.dynamic.iter().map(|(module, bytes)| module.align + bytes.len()).sum();
        PAGE + self.bytes.len() + dynamic + 64 + size_of_val(&*self.dtv) + LATER
    }
}

impl Block {
    /// Lays a block at `at`, whose heap is `heap`.
    ///
    /// # Safety
    ///
    /// `at` is page-aligned, with [`Template::size`] writable bytes that nobody else uses.
    pub(in crate::mpk) unsafe fn create(template: &Template, at: usize, heap: *mut Heap) -> Self {
        // The same place within a page as the original: alignment of every variable is kept.
        let base = at + template.low % PAGE;
        let delta = base.wrapping_sub(template.low);
        let range = template.low..template.low + template.bytes.len();
        let moved = |word: usize| if range.contains(&word) { word.wrapping_add(delta) } else { word };

        let mut image = template.bytes.clone();
        let control = template.fs - template.low;
        for word in image[control..].as_chunks_mut::<8>().0 {
            *word = moved(usize::from_ne_bytes(*word)).to_ne_bytes();
        }
        // Further blocks and the vector go behind the block, so that one copy restores all.
        let mut dynamic = Vec::new();
        for (module, bytes) in &template.dynamic {
            image.resize((base + image.len()).next_multiple_of(module.align) - base, 0);
            dynamic.push((module.id, base + image.len()));
            image.extend(bytes);
        }
        image.resize((base + image.len()).next_multiple_of(64) - base, 0);
        let dtv = base + image.len();
        for (entry, &[block, free]) in template.dtv.iter().enumerate() {
            // The header entries hold counts, not addresses.
            let block = match dynamic.iter().find(|(module, _)| entry == module + 1) {
                Some((_, at)) => *at,
                None if entry < 2 => block,
                None => moved(block),
            };
            image.extend([block, free].map(usize::to_ne_bytes).as_flattened());
        }
        let vector = dtv - base..image.len();
        // The control block points at the entry after the first header (glibc `tcbhead_t.dtv`).
        put(&mut image, control + 8, (dtv + size_of::<[usize; 2]>()).to_ne_bytes());
        put(&mut image, template.heap, heap.addr().to_ne_bytes());
        if let Some(offset) = rseq::offset() {
            // `cpu_id` = RSEQ_CPU_ID_UNINITIALIZED: `sched_getcpu` inside asks the kernel.
            let cpu_id = control.wrapping_add_signed(offset) + 4;
            if cpu_id + 4 <= image.len() {
                put(&mut image, cpu_id, (-1i32).to_ne_bytes());
            }
        }
        // SAFETY: `size` counted all of this from `at`.
        unsafe { ptr::copy_nonoverlapping(image.as_ptr(), ptr::with_exposed_provenance_mut(base), image.len()) };
        let Template { used, errno, tid, loaded, .. } = *template;
        let (modules, end) = (template.modules.clone(), at + template.size());
        Self { fs: base + control, image, base, used, errno, tid, end, vector, modules, loaded }
    }

    /// Gives libraries that were loaded since the last look their thread-locals in this block, in the image of it: the loader, asked
    /// from inside for what it has not prepared, writes its own data. What there is no room for stays unknown.
    pub(in crate::mpk) fn meet_new_modules(&mut self) {
        let loaded = objects::ever_loaded();
        if std::mem::replace(&mut self.loaded, loaded) == loaded {
            return;
        }
        let root = cpu::read_fs();
        let pinned = Pinned::all();
        for module in pinned.modules() {
            if self.modules.contains(&module) {
                continue;
            }
            // SAFETY: a module that is loaded, and stays. This brings the thread's own vector up to date.
            let own = unsafe { __tls_get_addr(&[module.id, 0]) }.addr();
            let from_control = own.wrapping_sub(root).cast_signed();
            // What is addressed from the control block lies in every block at the same distance from it.
            let at_distance = self.fs.wrapping_add_signed(from_control).wrapping_sub(self.base);
            let at = if from_control < 0 && at_distance < self.fs - self.base {
                at_distance
            } else {
                (self.base + self.image.len()).next_multiple_of(module.align) - self.base
            };
            let entry = self.vector.start + (module.id + 1) * size_of::<[usize; 2]>();
            let end = at + module.size;
            if entry >= self.vector.end || self.base + end > self.end {
                continue;
            }
            self.image.resize(self.image.len().max(end), 0);
            self.used = self.used.min(at & !63);
            // SAFETY: of the module's file, mapped where its headers say for as long as it is pinned.
            let initial = unsafe {
                let (start, len) = module.initial;
                std::slice::from_raw_parts(ptr::with_exposed_provenance::<u8>(start), len.min(module.size))
            };
            self.image[at..end].fill(0);
            self.image[at..at + initial.len()].copy_from_slice(initial);
            put(&mut self.image, entry, (self.base + at).to_ne_bytes());
            put(&mut self.image, entry + size_of::<usize>(), 0usize.to_ne_bytes());
            self.modules.retain(|known| known.id != module.id);
            self.modules.push(module);
            // SAFETY: the thread's own vector, whose first entry says of which state of the loader it is.
            let state = unsafe {
                let vector = ptr::with_exposed_provenance::<usize>(root + 8).read();
                ptr::with_exposed_provenance::<usize>(vector).read()
            };
            put(&mut self.image, self.vector.start + size_of::<[usize; 2]>(), state.to_ne_bytes());
        }
    }

    /// Thread pointer of the block.
    #[inline]
    pub(in crate::mpk) fn fs(&self) -> usize {
        self.fs
    }

    /// Undoes whatever the domain did to its thread-locals.
    ///
    /// # Safety
    ///
    /// The block's seat is held, and nothing runs on it. (Others inside may be writing there: it is their domain's.)
    pub(in crate::mpk) unsafe fn restore(&self) {
        let image = &self.image[self.used..];
        // SAFETY: there is room for this length.
        unsafe {
            ptr::copy_nonoverlapping(
                image.as_ptr(),
                ptr::with_exposed_provenance_mut(self.base + self.used),
                image.len(),
            );
        }
    }

    /// Tells the block which thread is inside: recursive and error-checking mutexes compare the number.
    ///
    /// # Safety
    ///
    /// As [`Block::restore`].
    pub(in crate::mpk) unsafe fn set_tid(&self, tid: i32) {
        if let Some(offset) = self.tid {
            // SAFETY: inside the block.
            unsafe { ptr::with_exposed_provenance_mut::<i32>(self.base + offset).write(tid) };
        }
    }

    /// `errno` of the domain.
    pub(in crate::mpk) fn errno(&self) -> i32 {
        // SAFETY: inside the block, any bit pattern is a number.
        unsafe { ptr::with_exposed_provenance::<i32>(self.base + self.errno).read_volatile() }
    }
}

fn put<const N: usize>(image: &mut [u8], at: usize, bytes: [u8; N]) {
    image[at..at + N].copy_from_slice(&bytes);
}

/// What the helper thread is given, and fills in without allocating: `malloc` would give it state of its own.
struct Capture {
    stack_top: usize,
    bytes: Vec<u8>,
    dtv: Vec<[usize; 2]>,
    /// Modules with thread-local variables, and the contents of those blocks that lie elsewhere, one after the other.
    modules: Vec<Module>,
    dynamic: Vec<u8>,
    low: usize,
    fs: usize,
    errno: usize,
    heap: usize,
    tid: i32,
}

impl Capture {
    fn holds(&self, address: usize) -> bool {
        (self.low..self.stack_top).contains(&address)
    }
}

fn capture() -> Result<Template, Unsupported> {
    // First: what is loaded between this and the next is new to those who look again.
    let loaded = objects::ever_loaded();
    let pinned = Pinned::all();
    // SAFETY: memory for the helper's stack, unmapped after the helper has ended; every pthread function is given what its
    // page asks for. Signals stay blocked in the helper: it inherits the mask.
    let capture = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        let stack = libc::mmap(ptr::null_mut(), HELPER_STACK, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if stack == libc::MAP_FAILED {
            return Err(system("mmap"));
        }
        let mut capture = Capture {
            stack_top: stack.expose_provenance() + HELPER_STACK,
            bytes: Vec::with_capacity(HELPER_STACK),
            dtv: Vec::with_capacity(4096),
            modules: pinned.modules(),
            dynamic: Vec::new(),
            low: 0,
            fs: 0,
            errno: 0,
            heap: 0,
            tid: 0,
        };
        capture.dynamic.reserve(capture.modules.iter().map(|module| module.size).sum());
        let quiet = Quiet::begin();
        let mut attributes = std::mem::zeroed();
        libc::pthread_attr_init(&mut attributes);
        libc::pthread_attr_setstack(&mut attributes, stack, HELPER_STACK);
        let mut thread = std::mem::zeroed();
        let failed = libc::pthread_create(&mut thread, &attributes, helper, (&raw mut capture).cast());
        if failed == 0 {
            libc::pthread_join(thread, ptr::null_mut());
        }
        libc::pthread_attr_destroy(&mut attributes);
        drop(quiet);
        libc::munmap(stack, HELPER_STACK);
        if failed != 0 {
            return Err(Unsupported::System { call: "pthread_create", errno: failed });
        }
        capture
    };
    let mut rest = &capture.dynamic[..];
    let mut dynamic = Vec::new();
    for module in &capture.modules {
        if capture.dtv.get(module.id + 1).is_some_and(|entry| !capture.holds(entry[0])) {
            let Some((bytes, others)) = rest.split_at_checked(module.size) else { break };
            dynamic.push((*module, bytes.to_vec()));
            rest = others;
        }
    }
    let Capture { bytes, dtv, low, fs, errno, heap, tid, modules, .. } = capture;
    let inside = |address: usize| address >= low && address < low + bytes.len();
    if dtv.is_empty() || !inside(fs) || !inside(errno) || !inside(heap) {
        return Err(Unsupported::SelfTest { step: "finding the layout of thread-local storage" });
    }
    let numbers = bytes[fs - low..].as_chunks::<4>().0.iter().enumerate();
    let mut found = numbers.filter(|(_, word)| i32::from_ne_bytes(**word) == tid).map(|(i, _)| fs - low + 4 * i);
    let tid = match (found.next(), found.next()) {
        (Some(offset), None) => Some(offset),
        _ => None,
    };
    let used = (fs - low).saturating_sub(static_size()) & !63;
    Ok(Template { errno: errno - low, heap: heap - low, bytes, low, fs, dtv, dynamic, modules, loaded, tid, used })
}

unsafe extern "C" {
    /// Of the ELF ABI for thread-local storage: a module's number and an offset in its block.
    fn __tls_get_addr(index: *const [usize; 2]) -> *mut c_void;
}

extern "C" fn helper(capture: *mut c_void) -> *mut c_void {
    let frame = 0u64;
    // SAFETY: the creator waits for us with its capture untouched. From here up to the top of the stack it gave us is mapped
    // memory: our callers' frames, static TLS and the control block. The DTV is as glibc documents it in `dl-tls.h`: the
    // control block's second word points behind an entry that holds the number of entries that follow.
    unsafe {
        let capture = &mut *capture.cast::<Capture>();
        capture.fs = cpu::read_fs();
        capture.tid = libc::gettid();
        capture.errno = libc::__errno_location().expose_provenance();
        capture.heap = HEAP.with(|cell| ptr::from_ref(cell).expose_provenance());
        capture.low = (&raw const frame).addr() & !63;
        let len = capture.stack_top - capture.low;
        let source = ptr::with_exposed_provenance::<u8>(capture.low);
        ptr::copy_nonoverlapping(source, capture.bytes.as_mut_ptr(), len);
        capture.bytes.set_len(len);
        // Blocks of modules that were loaded later are made when they are first needed, which takes the loader's lock: a
        // domain could not.
        for module in &capture.modules {
            let index = [module.id, 0];
            let block = __tls_get_addr(&index).cast::<u8>();
            if !capture.holds(block.addr()) {
                let at = capture.dynamic.len();
                ptr::copy_nonoverlapping(block, capture.dynamic.as_mut_ptr().add(at), module.size);
                capture.dynamic.set_len(at + module.size);
            }
        }
        let dtv = ptr::with_exposed_provenance::<usize>(capture.fs + 8).read();
        let header = ptr::with_exposed_provenance::<[usize; 2]>(dtv).sub(1);
        let entries = (*header)[0] + 2;
        if entries <= capture.dtv.capacity() {
            ptr::copy_nonoverlapping(header, capture.dtv.as_mut_ptr(), entries);
            capture.dtv.set_len(entries);
        }
    }
    ptr::null_mut()
}

/// An upper bound of what the loaded modules have in static TLS, in bytes, with room for alignment.
pub(in crate::mpk) fn static_size() -> usize {
    let size = |object: &Object| object.thread_locals.map_or(0, |module| module.size + module.align);
    let total: usize = objects::with(|objects| objects.iter().map(size).sum());
    // What glibc adds for itself (rseq, surplus in use) lies within a few lines of cache.
    total + 1024
}
