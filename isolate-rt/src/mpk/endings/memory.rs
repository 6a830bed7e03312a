//! Whose memory an address is: asked of the runtime's own tables, of the loader, and then of the kernel.

use crate::fault::{Memory, Part, Symbol};
use crate::mpk::areas::layout::{self, Place};
use crate::mpk::areas::tls;
use crate::mpk::crossing::thread::{self, Thread};
use crate::mpk::instances::instance::{self, Instance};
use crate::mpk::loaded::objects::{self, Object, Segment};
use crate::mpk::loaded::symbols;
use std::fs;
use std::ops::Range;

/// Whose memory `address` is now.
pub(super) fn of(address: usize) -> Memory {
    if layout::in_arena(address) {
        let found = instance::all().find_map(|instance| Some((instance, instance.layout.place(address)?)));
        return found.map_or(Memory::Runtime, |(instance, place)| in_domain(instance, place, address));
    }
    if thread::all().any(|thread| thread.owns_signal_stack(address)) {
        return Memory::Runtime;
    }
    let mut found = objects::with(|objects| in_object(objects, address));
    if let Some(
        Memory::Static { symbol: Some(symbol), .. }
        | Memory::ReadOnly { symbol: Some(symbol), .. }
        | Memory::Domain { part: Part::Static { symbol: Some(symbol) }, .. },
    ) = &mut found
    {
        symbols::demangle(symbol);
    }
    found.unwrap_or_else(|| mapped(address))
}

fn in_domain(instance: &Instance, place: Place, address: usize) -> Memory {
    let part = match place {
        Place::Heap if instance.writable_until(address).is_some() => Part::Heap,
        Place::Heap => Part::UnusedHeap,
        Place::Mappings if instance.mappings.is_mapped(address) => Part::Mapping,
        Place::Mappings => Part::Guard,
        Place::Stack => Part::Stack,
        Place::ThreadLocal => Part::ThreadLocal,
        Place::Staged if instance.writable_until(address).is_some() => Part::Staged,
        // Not open yet.
        Place::Staged => Part::Guard,
        Place::Guard => Part::Guard,
    };
    Memory::Domain { name: instance.name, part }
}

fn in_object(objects: &[Object], address: usize) -> Option<Memory> {
    let (object, segment) = objects.iter().find_map(|object| Some((object, object.segment(address)?)))?;
    let symbol = || -> Option<Symbol> { symbols::names(object, &[address]).pop()? };
    let is_static = |segment: &Segment| segment.is_writable() && !object.relro.contains(&address);
    let owner = instance::all().find(|instance| instance.image.writable_until(address).is_some());
    Some(match owner {
        Some(instance) => Memory::Domain { name: instance.name, part: Part::Static { symbol: symbol() } },
        None if is_static(segment) => Memory::Static { object: object.name(), symbol: symbol() },
        None => Memory::ReadOnly { object: object.name(), symbol: symbol() },
    })
}

/// A line of `/proc/self/maps` (proc_pid_maps(5)).
struct Mapping<'a> {
    range: Range<usize>,
    permissions: &'a str,
    name: &'a str,
}

impl<'a> Mapping<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let (start, end) = words.next()?.split_once('-')?;
        let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
        let permissions = words.next()?;
        Some(Self { range, permissions, name: words.nth(3).unwrap_or_default().trim_start() })
    }
}

fn mapped(address: usize) -> Memory {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let found = maps.lines().filter_map(Mapping::parse).find(|mapping| mapping.range.contains(&address));
    let Some(mapping) = found else { return Memory::Nothing };
    let process = std::process::id().cast_signed();
    if let Some(memory) = thread::all().find_map(|thread| of_thread(thread, &mapping, address)) {
        return memory;
    }
    match mapping.name {
        "[stack]" => Memory::Stack { thread: process },
        "[heap]" => Memory::Heap,
        "" if mapping.permissions.starts_with("---") => Memory::Guard,
        "" => stack_in(&mapping.range).map_or(Memory::Heap, |thread| Memory::Stack { thread }),
        name => Memory::Mapping { name: name.to_owned() },
    }
}

/// The control block of a thread, its static thread-locals below, and, but for the first thread, its stack below that lie in
/// one mapping (pthread_attr_setstack(3) has it so, too).
fn of_thread(thread: &Thread, mapping: &Mapping<'_>, address: usize) -> Option<Memory> {
    /// More than any glibc has behind the start of its control block.
    const CONTROL_BLOCK: usize = 4096;
    let (fs, number) = (thread.fs(), thread.tid());
    if number == 0 || !mapping.range.contains(&fs) || address >= fs + CONTROL_BLOCK {
        return None;
    }
    let is_first = number == std::process::id().cast_signed();
    if address >= fs.saturating_sub(tls::static_size()) {
        return Some(Memory::ThreadLocal { thread: number });
    }
    (!is_first).then_some(Memory::Stack { thread: number })
}

/// The thread that sleeps on a stack in this range: the kernel tells the stack pointer of one that is in a system call, and this
/// one's is known. (A thread that has been in no domain, and computes on another CPU right now, is not found.)
fn stack_in(range: &Range<usize>) -> Option<i32> {
    let here = 0u8;
    if range.contains(&(&raw const here).addr()) {
        // SAFETY: a getter.
        return Some(unsafe { libc::gettid() });
    }
    fs::read_dir("/proc/self/task").ok()?.filter_map(Result::ok).find_map(|task| {
        let state = fs::read_to_string(task.path().join("syscall")).ok()?;
        let pointer = state.split_whitespace().rev().nth(1)?.strip_prefix("0x")?;
        let pointer = usize::from_str_radix(pointer, 16).ok()?;
        if !range.contains(&pointer) {
            return None;
        }
        task.file_name().to_str()?.parse().ok()
    })
}
