//! The program and the libraries that are loaded, as the loader knows them.

use super::loader;
use std::ffi::{CStr, CString, c_void};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The program, or a library that it has loaded.
pub(in crate::mpk) struct Object {
    /// Path; empty for the program.
    pub(in crate::mpk) path: String,
    /// What is added to its addresses.
    pub(in crate::mpk) base: usize,
    pub(in crate::mpk) segments: Vec<Segment>,
    /// `.eh_frame_hdr`.
    #[cfg_attr(not(feature = "backtrace"), expect(dead_code, reason = "for backtraces"))]
    pub(super) unwinding: Option<Range<usize>>,
    /// What the loader made read-only after it had relocated the object.
    pub(in crate::mpk) relro: Range<usize>,
    /// The program headers.
    pub(super) headers: Range<usize>,
    /// The dynamic section.
    pub(super) dynamic: Range<usize>,
    pub(in crate::mpk) thread_locals: Option<Module>,
}

/// The thread-local variables of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::mpk) struct Module {
    /// Its number, from 1 on; 0 where it has none yet.
    pub(in crate::mpk) id: usize,
    pub(in crate::mpk) size: usize,
    pub(in crate::mpk) align: usize,
    /// Where what they hold at first lies, and how long it is; the rest is 0.
    pub(in crate::mpk) initial: (usize, usize),
}

/// A segment that is mapped.
pub(in crate::mpk) struct Segment {
    pub(in crate::mpk) range: Range<usize>,
    pub(in crate::mpk) flags: u32,
}

impl Object {
    pub(in crate::mpk) fn segment(&self, address: usize) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.range.contains(&address))
    }

    /// File name; the program's is asked for.
    pub(in crate::mpk) fn name(&self) -> String {
        let path = match self.path.as_str() {
            "" => std::env::current_exe().map_or_else(|_| "the program".into(), |path| path.display().to_string()),
            path => path.to_owned(),
        };
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The file, as it can be opened.
    pub(super) fn file(&self) -> &str {
        if self.path.is_empty() { "/proc/self/exe" } else { &self.path }
    }
}

impl Segment {
    pub(in crate::mpk) fn is_writable(&self) -> bool {
        self.flags & libc::PF_W != 0
    }
}

/// Looks at all objects. None is unloaded meanwhile.
pub(in crate::mpk) fn with<R, F: FnOnce(&[Object]) -> R>(look: F) -> R {
    struct Look<F, R> {
        look: Option<F>,
        seen: Option<std::thread::Result<R>>,
    }
    /// The first time, while the loader holds its lock, which is recursive: collects them all, looks, and ends the iteration.
    ///
    /// # Safety
    ///
    /// To be called by `dl_iterate_phdr`, with a `Look<F, R>`.
    unsafe extern "C" fn first<F: FnOnce(&[Object]) -> R, R>(
        _: *mut libc::dl_phdr_info,
        _: usize,
        look: *mut c_void,
    ) -> i32 {
        let mut objects = Vec::<Object>::new();
        // SAFETY: the callback gets the pointer it expects; ours is by contract what `with` passed.
        let look = unsafe {
            libc::dl_iterate_phdr(Some(collect), (&raw mut objects).cast());
            &mut *look.cast::<Look<F, R>>()
        };
        if let Some(f) = look.look.take() {
            // A panic would have to pass the loader's frames.
            look.seen = Some(catch_unwind(AssertUnwindSafe(|| f(&objects))));
        }
        1
    }
    let mut look = Look { look: Some(look), seen: None };
    // SAFETY: `first` for this very type.
    unsafe { loader::ask(first::<F, R>, (&raw mut look).cast()) };
    match (look.seen, look.look) {
        (Some(Ok(seen)), _) => seen,
        (Some(Err(panic)), _) => resume_unwind(panic),
        // A loader that has loaded nothing, or cannot be asked.
        (None, Some(look)) => look(&[]),
        (None, None) => unreachable!("it looked, or did not"),
    }
}

/// Objects with thread-local variables, none of which is unloaded while this lives: what asks the loader for such a variable
/// cannot do so under the lock that [`with`] takes.
pub(in crate::mpk) struct Pinned(Vec<(String, *mut c_void)>);

impl Pinned {
    pub(in crate::mpk) fn all() -> Self {
        let has_own = |object: &&Object| object.thread_locals.is_some() && !object.path.is_empty();
        let paths: Vec<_> = with(|objects| objects.iter().filter(has_own).map(|object| object.path.clone()).collect());
        Self(paths.into_iter().filter_map(|path| open_loaded(&path).map(|library| (path, library))).collect())
    }

    /// Their modules, and the program's.
    pub(in crate::mpk) fn modules(&self) -> Vec<Module> {
        let stays = |object: &&Object| object.path.is_empty() || self.0.iter().any(|(path, _)| path == &object.path);
        let module = |object: &Object| object.thread_locals.filter(|module| module.id > 0);
        with(|objects| objects.iter().filter(stays).filter_map(module).collect())
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        for &(_, library) in &self.0 {
            // SAFETY: opened by us, and closed once.
            unsafe { libc::dlclose(library) };
        }
    }
}

/// One more user of an object that is loaded; an empty path is the program's.
pub(super) fn open_loaded(path: &str) -> Option<*mut c_void> {
    let name = CString::new(path).ok()?;
    // SAFETY: a name. Nothing is loaded that is not.
    let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_LAZY) };
    (!library.is_null()).then_some(library)
}

/// Keeps the loaded objects with this file name loaded for ever. Says whether there are any.
pub(in crate::mpk) fn keep_loaded(name: &str) -> bool {
    let is_it = |object: &&Object| object.path.rsplit('/').next() == Some(name);
    let paths: Vec<_> = with(|objects| objects.iter().filter(is_it).map(|object| object.path.clone()).collect());
    !paths.is_empty() && paths.iter().all(|path| open_loaded(path).is_some())
}

/// How many objects were ever loaded: when that is another number, there are new ones.
pub(in crate::mpk) fn ever_loaded() -> u64 {
    /// # Safety
    ///
    /// To be called by `dl_iterate_phdr`, with a `u64`.
    unsafe extern "C" fn first(info: *mut libc::dl_phdr_info, _: usize, loaded: *mut c_void) -> i32 {
        // SAFETY: `info` is what dl_iterate_phdr(3) passes, `loaded` what we passed to it.
        unsafe { loaded.cast::<u64>().write((*info).dlpi_adds) };
        1
    }
    let mut loaded = 0u64;
    // SAFETY: the callback gets the pointer it expects.
    unsafe { loader::ask(first, (&raw mut loaded).cast()) };
    loaded
}

/// # Safety
///
/// To be called by `dl_iterate_phdr`, with a `Vec<Object>`.
unsafe extern "C" fn collect(info: *mut libc::dl_phdr_info, _: usize, objects: *mut c_void) -> i32 {
    // SAFETY: `info` is what dl_iterate_phdr(3) passes, `objects` what we passed to it.
    let (base, id, headers, path, objects) = unsafe {
        let headers = std::slice::from_raw_parts((*info).dlpi_phdr, (*info).dlpi_phnum as usize);
        let path = CStr::from_ptr((*info).dlpi_name).to_string_lossy().into_owned();
        ((*info).dlpi_addr as usize, (*info).dlpi_tls_modid, headers, path, &mut *objects.cast::<Vec<Object>>())
    };
    let span = |header: &libc::Elf64_Phdr| {
        let start = base.wrapping_add(header.p_vaddr as usize);
        start..start + header.p_memsz as usize
    };
    let first = |kind: u32| headers.iter().find(|header| header.p_type == kind).map(span);
    let loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    let bytes = headers.as_ptr_range();
    let thread_locals = headers.iter().find(|header| header.p_type == libc::PT_TLS);
    objects.push(Object {
        path,
        base,
        segments: loaded.map(|header| Segment { range: span(header), flags: header.p_flags }).collect(),
        unwinding: first(libc::PT_GNU_EH_FRAME),
        relro: first(libc::PT_GNU_RELRO).unwrap_or(0..0),
        headers: bytes.start.addr()..bytes.end.addr(),
        dynamic: first(libc::PT_DYNAMIC).unwrap_or(0..0),
        thread_locals: thread_locals.map(|header| Module {
            id,
            size: header.p_memsz as usize,
            align: (header.p_align as usize).max(1),
            initial: (base.wrapping_add(header.p_vaddr as usize), header.p_filesz as usize),
        }),
    });
    0
}
