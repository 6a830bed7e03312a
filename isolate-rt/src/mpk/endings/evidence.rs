//! What is kept of a call that was stopped, and what can be told from it later.
//!
//! Taken by the program after the rewind, on the way to the `Err`: a copy of the registers and of the end of the stack. All that
//! takes time (unwinding, symbol tables, `/proc`) is for whoever asks.

use super::called::called;
use super::memory;
use crate::fault::{Access, Backtrace, Frame, Memory};
use crate::mpk::crossing::gate;
use crate::mpk::crossing::leave::Stop;
use crate::mpk::instances::seat::Seat;
use crate::mpk::loaded::unwind::{self, Stopped};
use crate::mpk::loaded::{objects, symbols};
use crate::mpk::signals::signal;

/// What is kept of a call that was stopped.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    thread: i32,
    access: Option<Access>,
    /// `None` where a callback ended the call.
    stopped: Option<Stopped>,
}

/// So much of the stack is copied, in bytes.
const COPIED: usize = 16 << 10;
/// Below the stack pointer, a function that calls nothing may use as much (System V ABI for AMD64, 3.2.2).
const RED_ZONE: usize = 128;

impl Evidence {
    /// # Safety
    ///
    /// The caller uses the seat, and nothing of the domain runs on it any more.
    pub(in crate::mpk) unsafe fn take(seat: &Seat, thread: i32, stop: &Stop) -> Self {
        let stopped = stop.registers.map(|registers| {
            let low = registers.stack().saturating_sub(RED_ZONE);
            // SAFETY: by this function's contract.
            let (low, stack) = unsafe { seat.copy_of_stack(low, COPIED) };
            Stopped { registers, low, stack }
        });
        Self { thread, access: stop.access, stopped }
    }

    /// Where it was stopped.
    pub(super) fn instruction(&self) -> Option<usize> {
        Some(self.stopped.as_ref()?.registers.instruction)
    }

    pub(crate) fn thread(&self) -> i32 {
        self.thread
    }

    pub(crate) fn access(&self) -> Option<Access> {
        self.access
    }

    /// Whose memory `address` is now.
    pub(crate) fn memory(address: usize) -> Memory {
        memory::of(address)
    }

    /// Whether the dynamic loader was at work, or its data was to be written, `address`.
    pub(crate) fn is_of_loader(&self, address: usize) -> bool {
        // SAFETY: asks for a number: where the loader lies (getauxval(3)).
        let base = unsafe { libc::getauxval(libc::AT_BASE) } as usize;
        let instruction = self.instruction().unwrap_or(address);
        base != 0
            && objects::with(|objects| {
                let loader = objects.iter().find(|object| object.base == base);
                loader.is_some_and(|it| it.segment(address).or_else(|| it.segment(instruction)).is_some())
            })
    }

    /// The function that went into libc, where it was stopped in there.
    pub(crate) fn called_of_libc<'a>(&self, backtrace: impl FnOnce() -> &'a Backtrace) -> Option<String> {
        self.instruction().filter(|&instruction| signal::is_of_libc(instruction))?;
        let frames = &backtrace().frames;
        let caller = frames.iter().position(|frame| !signal::is_of_libc(frame.address))?;
        let of_frame = || frames[..caller].last()?.symbol.as_ref().map(|symbol| symbol.name.clone());
        // What was called may have gone on as another function, without a name for others.
        objects::with(|objects| {
            let address = called(objects, frames[caller].address).filter(|&it| signal::is_of_libc(it))?;
            let object = objects.iter().find(|object| object.segment(address).is_some())?;
            symbols::names(object, &[address]).pop()?
        })
        .filter(|symbol| symbol.offset == 0)
        .map(|symbol| symbol.name)
        .or_else(of_frame)
    }

    pub(crate) fn backtrace(&self) -> Backtrace {
        let Some(stopped) = &self.stopped else { return Backtrace::default() };
        let (mut frames, is_complete) = objects::with(|objects| {
            let (calls, is_complete) = unwind::calls(stopped, objects, gate::way_out());
            let mut frames: Vec<_> =
                calls.iter().map(|&address| Frame { address, symbol: None, object: None }).collect();
            for object in objects {
                let own = |&index: &usize| object.segment(code(&calls, index)).is_some();
                let indices: Vec<_> = (0..calls.len()).filter(own).collect();
                if indices.is_empty() {
                    continue;
                }
                let addresses: Vec<_> = indices.iter().map(|&index| code(&calls, index)).collect();
                for (index, symbol) in indices.into_iter().zip(symbols::names(object, &addresses)) {
                    let after_call = usize::from(index > 0);
                    let address = calls[index] - object.base;
                    frames[index].symbol = symbol.map(|mut symbol| {
                        symbol.offset += after_call;
                        symbol
                    });
                    frames[index].object = Some((object.name(), address));
                }
            }
            (frames, is_complete)
        });
        frames.iter_mut().filter_map(|frame| frame.symbol.as_mut()).for_each(symbols::demangle);
        // How the runtime itself calls and stops tells nothing.
        frames.retain(|frame| frame.symbol.as_ref().is_none_or(|symbol| !symbol.name.starts_with("isolate_rt::")));
        Backtrace { frames, is_complete }
    }
}

/// An address within the function that call number `index` is in: what a call returns to may lie behind it.
fn code(calls: &[usize], index: usize) -> usize {
    calls[index].wrapping_sub(usize::from(index > 0))
}
