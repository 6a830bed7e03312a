//! The `mpk` back end where there is none (another platform, or feature `interpose` off): the same names, and a type that
//! cannot be made.

use crate::callback::Callbacks;
use crate::domain::Settings;
use crate::fault::{Access, Backtrace, Failure, Fault, FaultKind, Memory, Unsupported};
use std::convert::Infallible;

pub(crate) struct Instance(Infallible);
pub(crate) struct Entry(Infallible);
pub(crate) struct Begun(());

impl Begun {
    pub(crate) const fn nothing() -> Self {
        Self(())
    }
}

impl Instance {
    pub(crate) fn create(_: &'static Settings, _: &mut Begun) -> Result<&'static Self, Unsupported> {
        Err(if cfg!(platform) { Unsupported::Malloc } else { Unsupported::Platform })
    }

    pub(crate) fn enter_again(&'static self, _: usize) -> Option<Entry> {
        match self.0 {}
    }

    pub(crate) fn number(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn enter(&'static self) -> Result<Entry, FaultKind> {
        match self.0 {}
    }

    pub(crate) fn enter_this(&'static self) -> Result<Entry, FaultKind> {
        match self.0 {}
    }

    pub(crate) fn home(&'static self) -> Option<&'static Self> {
        match self.0 {}
    }

    pub(crate) fn settle(&'static self, _: &'static Settings) -> &'static Self {
        match self.0 {}
    }

    pub(crate) fn last_fault(&self) -> Option<Fault> {
        match self.0 {}
    }

    pub(crate) fn find(&'static self, _: usize) -> Option<&'static Self> {
        match self.0 {}
    }
}

#[derive(Clone, Copy)]
pub(crate) struct View(Infallible);

impl View {
    pub(crate) fn end(&self) -> Option<Fault> {
        match self.0 {}
    }

    pub(crate) fn during<R>(&self, _: impl FnOnce() -> R) -> Result<R, FaultKind> {
        match self.0 {}
    }

    pub(crate) fn read<R>(&self, _: usize, _: impl FnOnce(usize) -> R) -> R {
        match self.0 {}
    }

    pub(crate) fn heap_limit(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn owns(&self, _: usize) -> bool {
        match self.0 {}
    }

    pub(crate) fn writable_from(&self, _: usize) -> Option<usize> {
        match self.0 {}
    }

    pub(crate) fn identity(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn generation(&self) -> u64 {
        match self.0 {}
    }
}

impl Entry {
    pub(crate) fn view(&self) -> View {
        match self.0 {}
    }

    /// # Safety
    ///
    /// None owed: there is no entry.
    pub(crate) unsafe fn run<R: Copy, F: FnOnce() -> R + Copy>(
        &mut self,
        _: &'static str,
        _: Option<&mut Callbacks<'_>>,
        _: F,
    ) -> Result<R, Failure> {
        match self.0 {}
    }

    pub(crate) fn stage(&mut self, _: usize, _: usize, _: usize) -> Result<*mut u8, FaultKind> {
        match self.0 {}
    }

    pub(crate) fn remember(&mut self, _: usize, _: usize) {
        match self.0 {}
    }

    pub(crate) fn has_staged(&self, _: usize, _: usize) -> bool {
        match self.0 {}
    }

    pub(crate) fn move_to(&mut self, _: usize) -> Result<(), FaultKind> {
        match self.0 {}
    }

    pub(crate) fn end_of(&self, _: u64) -> Option<Fault> {
        match self.0 {}
    }

    pub(crate) fn could_have_been_spared(&self, _: &Fault) -> bool {
        match self.0 {}
    }

    pub(crate) fn errno(&self) -> i32 {
        match self.0 {}
    }

    pub(crate) fn owns(&self, _: usize) -> bool {
        match self.0 {}
    }

    pub(crate) fn owned_from(&self, _: usize) -> Option<usize> {
        match self.0 {}
    }

    pub(crate) fn owns_for_good(&self, _: usize, _: usize) -> bool {
        match self.0 {}
    }

    pub(crate) fn with_generation<R>(&self, _: u64, _: impl FnOnce() -> R) -> Result<R, FaultKind> {
        match self.0 {}
    }

    pub(crate) fn identity(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn generation(&self) -> u64 {
        match self.0 {}
    }
}

/// What is kept of a call that was stopped: none is.
#[derive(Clone)]
pub(crate) struct Evidence(Infallible);

impl Evidence {
    pub(crate) fn thread(&self) -> i32 {
        match self.0 {}
    }

    pub(crate) fn access(&self) -> Option<Access> {
        match self.0 {}
    }

    pub(crate) fn memory(_: usize) -> Memory {
        Memory::Nothing
    }

    pub(crate) fn is_of_loader(&self, _: usize) -> bool {
        match self.0 {}
    }

    pub(crate) fn called_of_libc<'a>(&self, _: impl FnOnce() -> &'a Backtrace) -> Option<String> {
        match self.0 {}
    }

    pub(crate) fn backtrace(&self) -> Backtrace {
        match self.0 {}
    }
}

pub(crate) fn is_inside() -> bool {
    false
}

/// # Safety
///
/// To be called inside a domain, and there is none.
pub(crate) unsafe fn call_back(_: usize, _: *const u8, _: *mut u8) {
    unreachable!("nothing is inside")
}

/// Nothing is made.
pub(crate) fn begin_making() -> Option<()> {
    Some(())
}

pub(crate) fn on_signal_stack() -> bool {
    false
}
