//! From frame to frame, in a copy of a stack that may say anything.
//!
//! Where the code's unwinding tables (`.eh_frame`, in read-only memory of the program) know the way they are followed, else the
//! frame pointer (which misses the caller of a function that keeps none). What they lead to is only looked for in the copy, every step leads further up, and there is a last one.

use super::objects::Object;

/// What is known of a thread that was stopped.
#[derive(Clone, Debug)]
pub(in crate::mpk) struct Stopped {
    pub(in crate::mpk) registers: Registers,
    /// Where the copy begins.
    pub(in crate::mpk) low: usize,
    pub(in crate::mpk) stack: Box<[u8]>,
}

/// The general registers, in DWARF's order (System V ABI for AMD64, 3.6.2), and where the thread was.
#[derive(Clone, Copy, Debug)]
pub(in crate::mpk) struct Registers {
    pub(in crate::mpk) general: [usize; 16],
    pub(in crate::mpk) instruction: usize,
}

impl Registers {
    pub(in crate::mpk) fn stack(&self) -> usize {
        self.general[RSP]
    }
}

const RBP: usize = 6;
const RSP: usize = 7;

/// More calls than this are not listed.
const MAX_FRAMES: usize = 64;

impl Stopped {
    /// The word at `address`, if it was copied.
    fn word(&self, address: usize) -> Option<usize> {
        let bytes = self.stack.get(address.checked_sub(self.low)?..)?.first_chunk()?;
        Some(usize::from_ne_bytes(*bytes))
    }
}

/// The instructions where each call was or will go on, innermost first, and whether they lead to `end`.
pub(in crate::mpk) fn calls(stopped: &Stopped, objects: &[Object], end: usize) -> (Vec<usize>, bool) {
    let mut registers = stopped.registers;
    let mut calls = vec![registers.instruction];
    while calls.len() < MAX_FRAMES {
        // A call that never returns may be the last instruction of its function: the caller is looked for one byte before.
        let is_caller = calls.len() > 1;
        let Some(caller) = caller(stopped, objects, &registers, is_caller) else { return (calls, false) };
        if caller.general[RSP] <= registers.general[RSP] {
            return (calls, false);
        }
        if caller.instruction == end {
            return (calls, true);
        }
        calls.push(caller.instruction);
        registers = caller;
    }
    (calls, false)
}

fn caller(stopped: &Stopped, objects: &[Object], now: &Registers, is_caller: bool) -> Option<Registers> {
    let code = now.instruction.wrapping_sub(usize::from(is_caller));
    let is_code = |segment: &super::objects::Segment| segment.flags & libc::PF_X != 0;
    let object = objects.iter().find(|object| object.segment(code).is_some_and(is_code));
    match object {
        // A call through a wrong pointer: it has pushed where it came from, and done no more.
        None if !is_caller => {
            let mut caller = *now;
            caller.instruction = stopped.word(now.general[RSP])?;
            caller.general[RSP] = now.general[RSP].wrapping_add(8);
            Some(caller)
        }
        None => None,
        Some(object) => {
            #[cfg(feature = "backtrace")]
            if let Some(caller) = tables::caller(stopped, object, now, code) {
                return caller;
            }
            let _ = object;
            by_frame_pointer(stopped, now)
        }
    }
}

fn by_frame_pointer(stopped: &Stopped, now: &Registers) -> Option<Registers> {
    let frame = now.general[RBP];
    let mut caller = *now;
    caller.general[RBP] = stopped.word(frame)?;
    caller.instruction = stopped.word(frame.checked_add(8)?)?;
    caller.general[RSP] = frame.checked_add(16)?;
    Some(caller)
}

#[cfg(feature = "backtrace")]
mod tables {
    use super::{Object, RSP, Registers, Stopped};
    use gimli::{
        BaseAddresses, CfaRule, EhFrame, EhFrameHdr, EndianSlice, EvaluationResult, Location, NativeEndian, Pointer,
        RegisterRule, UnwindContext, UnwindExpression, UnwindSection, Value,
    };
    use std::ops::Range;

    type Section = EhFrame<EndianSlice<'static, NativeEndian>>;

    /// Where a return address stands, in DWARF's order.
    const RETURN: usize = 16;
    /// No expression of a compiler needs as many steps.
    const MAX_STEPS: u32 = 1000;

    /// `None` where no table describes this code; `Some(None)` where one does, and leads nowhere.
    pub(super) fn caller(
        stopped: &Stopped,
        object: &Object,
        now: &Registers,
        code: usize,
    ) -> Option<Option<Registers>> {
        let range = object.unwinding.clone()?;
        let bases = BaseAddresses::default().set_eh_frame_hdr(range.start as u64);
        // SAFETY: of a loaded object, whose unwinding tables are read-only; it is not unloaded while we look at it.
        let header = unsafe { bytes(range, object)? };
        let header = EhFrameHdr::new(header, NativeEndian).parse(&bases, 8).ok()?;
        let Pointer::Direct(start) = header.eh_frame_ptr() else { return None };
        let frames = object.segment(start as usize)?;
        let bases = bases.set_eh_frame(start);
        // SAFETY: as above.
        let frames = EhFrame::new(unsafe { bytes(start as usize..frames.range.end, object)? }, NativeEndian);
        let address = code as u64;
        let entry = header.table()?.fde_for_address(&frames, &bases, address, EhFrame::cie_from_offset).ok()?;
        let mut context = UnwindContext::new();
        let row = entry.unwind_info_for_address(&frames, &bases, &mut context, address).ok()?;
        let encoding = entry.cie().encoding();
        let value = |expression: UnwindExpression<usize>, first: Option<usize>| {
            evaluate(&frames, encoding, expression, first, stopped, now)
        };
        let frame = match *row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                now.general.get(usize::from(register.0)).map(|base| base.wrapping_add_signed(offset as isize))
            }
            CfaRule::Expression(expression) => value(expression, None),
        };
        Some(frame.and_then(|frame| {
            let mut caller = *now;
            caller.general[RSP] = frame;
            for &(register, ref rule) in row.registers() {
                let number = usize::from(register.0);
                let restored = match *rule {
                    RegisterRule::Offset(offset) => stopped.word(frame.wrapping_add_signed(offset as isize)),
                    RegisterRule::ValOffset(offset) => Some(frame.wrapping_add_signed(offset as isize)),
                    RegisterRule::Register(other) => now.general.get(usize::from(other.0)).copied(),
                    RegisterRule::Expression(expression) => {
                        value(expression, Some(frame)).and_then(|address| stopped.word(address))
                    }
                    RegisterRule::ValExpression(expression) => value(expression, Some(frame)),
                    RegisterRule::Constant(value) => Some(value as usize),
                    RegisterRule::SameValue => now.general.get(number).copied(),
                    // A return address that is undefined: the outermost frame.
                    _ => None,
                };
                match caller.general.get_mut(number) {
                    Some(place) => *place = restored.unwrap_or(0),
                    None if number == RETURN => caller.instruction = restored?,
                    None => {}
                }
            }
            Some(caller)
        }))
    }

    /// # Safety
    ///
    /// `range` begins in a read-only part of `object`, which stays loaded while what is returned is used.
    unsafe fn bytes(range: Range<usize>, object: &Object) -> Option<&'static [u8]> {
        let segment = object.segment(range.start).filter(|segment| !segment.is_writable())?;
        let end = range.end.min(segment.range.end);
        let start = std::ptr::with_exposed_provenance(range.start);
        // SAFETY: by this function's contract, and within a segment.
        Some(unsafe { std::slice::from_raw_parts(start, end.checked_sub(range.start)?) })
    }

    fn evaluate(
        frames: &Section,
        encoding: gimli::Encoding,
        expression: UnwindExpression<usize>,
        first: Option<usize>,
        stopped: &Stopped,
        now: &Registers,
    ) -> Option<usize> {
        let mut evaluation = expression.get(frames).ok()?.evaluation(encoding);
        evaluation.set_max_iterations(MAX_STEPS);
        if let Some(first) = first {
            evaluation.set_initial_value(first as u64);
        }
        let mut result = evaluation.evaluate().ok()?;
        loop {
            result = match result {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresMemory { address, size: 8, .. } => {
                    let word = stopped.word(address as usize)?;
                    evaluation.resume_with_memory(Value::Generic(word as u64)).ok()?
                }
                EvaluationResult::RequiresRegister { register, .. } => {
                    let number = usize::from(register.0);
                    let value = if number == RETURN { now.instruction } else { *now.general.get(number)? };
                    evaluation.resume_with_register(Value::Generic(value as u64)).ok()?
                }
                _ => return None,
            };
        }
        match evaluation.as_result().first()?.location {
            Location::Address { address } => Some(address as usize),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mpk::loaded::objects;

    /// A generator of Marsaglia's: the same numbers in every run.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 as usize
        }
    }

    /// Stacks of anything at all: addresses in and around code, of the stack itself, of nothing.
    #[test]
    fn forged() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        objects::with(|objects| {
            let code: Vec<_> =
                objects.iter().flat_map(|object| &object.segments).filter(|it| it.flags & libc::PF_X != 0).collect();
            let mut steps = 0;
            for round in 0..10_000 {
                let (len, low) = (random.next() % 4096, if round % 7 == 0 { usize::MAX - 2048 } else { random.next() });
                let mut word = |stack_len: usize| match random.next() % 4 {
                    0 => random.next(),
                    1 => low.wrapping_add(random.next() % (stack_len + 64)),
                    _ => {
                        let range = &code[random.next() % code.len()].range;
                        (range.start + random.next() % (range.len() + 16)).wrapping_sub(8)
                    }
                };
                let stack: Vec<u8> = (0..len / 8).flat_map(|_| word(len).to_ne_bytes()).collect();
                let general = std::array::from_fn(|_| word(len));
                let registers = Registers { general, instruction: word(len) };
                let stopped = Stopped { registers, low, stack: stack.into() };
                let (calls, is_complete) = calls(&stopped, objects, 1);
                assert!(!is_complete && calls.len() <= MAX_FRAMES);
                steps += calls.len();
            }
            assert!(steps > 11_000, "many lead a little further: {steps}");
        });
    }
}
