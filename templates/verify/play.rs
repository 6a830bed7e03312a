//! Plays every wrapper against a library that misbehaves.
//!
//! The functions in `stubs/` stand where the C functions stood. Each takes its arguments, then does what [`ACT`] says, inside
//! the domain. Here is the other side: what the program must see of it. A line `begin` goes to stdout, then one line per act,
//! its columns separated by tabs, and a line `play` before it, so that an act that kills the process is known by name.

use crate::{
    acts::*,
    inside::{MISTAKEN, is_mistaken},
};
use isolate_rt::{Error, Fault, FaultKind};
use std::{io::Write, process::ExitCode, sync::atomic::Ordering};

/// One wrapper.
pub(crate) struct Case {
    pub(crate) domain: &'static str,
    pub(crate) function: &'static str,
    /// The function's number.
    pub(crate) id: usize,
    /// Its result is a pointer that the wrapper must refuse when it leads outside the domain, or of a type of which not all bits are a
    /// value.
    pub(crate) returns_pointer: bool,
    /// There is something that the function returns, stores or calls back with.
    pub(crate) claims: bool,
    /// That may be a pointer.
    pub(crate) points: bool,
    /// It hands what pointers lead to on to a closure, and must refuse those that lead outside the domain.
    pub(crate) follows: bool,
    /// The foreign function, as faults name it.
    pub(crate) foreign: &'static str,
    /// It takes slices.
    pub(crate) slices: bool,
    /// The function can fill slices that it takes, or has results that must come out as they are.
    pub(crate) fills: bool,
    /// It takes something that may be NULL.
    pub(crate) nullable: bool,
    /// When it reports an error although the library works.
    pub(crate) fails: Fails,
    /// Calls it with arguments of the right types.
    pub(crate) call: fn() -> Result<(), Failure>,
}

/// Whether a library that works may still return what the contract takes for an error.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fails {
    Never,
    /// It returns how much it wrote, and nothing is an error.
    WithNothing,
    /// Nobody knows what it returns then.
    Perhaps,
}

/// How a call failed.
pub(crate) enum Failure {
    /// The wrapper said so.
    Fault(Fault),
    /// The wrapper took what the function returned for an error, and gave nothing else of it.
    Reported,
    /// The wrapper said nothing, and was wrong.
    Broken(String),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<C> From<Error<C>> for Failure {
    fn from(error: Error<C>) -> Self {
        match error {
            Error::Fault(fault) => Self::Fault(fault),
            Error::Failed(_) => Self::Reported,
        }
    }
}

/// Plays all. Where an argument is `honest`, only what needs no isolation to survive; where others are `domain/function`, of any
/// other function one honest call.
pub(crate) fn run(cases: &[Case]) -> ExitCode {
    let (named, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument.contains('/'));
    let all = !words.iter().any(|argument| argument == "honest");
    let is_whole = |case: &Case| {
        named.is_empty() || named.iter().any(|name| name.split('/').eq([case.domain, case.function]))
    };
    // Tells a runner that failed from wrappers that did.
    say(&["begin"]);
    let mut clean = true;
    for case in cases {
        // The first call also says whether this machine isolates at all.
        if let Err(Failure::Fault(fault)) = (case.call)() {
            if let FaultKind::Unsupported(reason) = fault.kind() {
                say(&["unsupported", &reason.to_string()]);
                return ExitCode::from(3);
            }
        }
        clean &= play(case, Act::Honest, "honest call");
        if !is_whole(case) {
            continue;
        }
        if case.fills && !case.slices {
            clean &= play(case, Act::Fill, "honest call with results");
        }
        for length in BOUNDARIES.into_iter().filter(|_| case.slices) {
            LENGTH.store(length, Ordering::SeqCst);
            clean &= play(case, Act::Honest, &format!("honest call with {length} elements"));
            if case.fills {
                clean &= play(case, Act::Fill, &format!("honest call that fills {length} elements"));
            }
            if all && case.claims {
                clean &= play(case, Act::ClaimHuge, &format!("huge results with {length} elements"));
                clean &= play(case, Act::ClaimNegative, &format!("negative results with {length} elements"));
            }
        }
        LENGTH.store(USUAL, Ordering::SeqCst);
        if case.nullable {
            NULL.store(true, Ordering::SeqCst);
            clean &= play(case, Act::Honest, "honest call with NULL");
            if all && case.claims {
                clean &= play(case, Act::ClaimHuge, "huge results with NULL");
            }
            NULL.store(false, Ordering::SeqCst);
        }
        for (act, name) in ACTS.into_iter().filter(|(act, _)| all && can_play(case, *act)) {
            clean &= play(case, act, name);
            clean &= play(case, Act::Honest, &format!("honest call after: {name}"));
        }
    }
    say(&["end"]);
    ExitCode::from(u8::from(!clean))
}

/// Whether the function has what such a library lies about.
fn can_play(case: &Case, act: Act) -> bool {
    match act {
        Act::Honest | Act::Fill | Act::WriteOutside | Act::Abort => true,
        Act::ClaimHuge | Act::ClaimNegative | Act::ClaimNoValue => case.claims,
        Act::ClaimForeign | Act::ClaimText => case.points,
    }
}

fn play(case: &Case, act: Act, name: &str) -> bool {
    say(&["play", case.domain, case.function, name]);
    PASSED.iter().for_each(|passed| passed.store(false, Ordering::SeqCst));
    SUBJECT.store(case.id, Ordering::SeqCst);
    ACT.store(act as u8, Ordering::SeqCst);
    let result = (case.call)();
    ACT.store(Act::Honest as u8, Ordering::SeqCst);
    SUBJECT.store(usize::MAX, Ordering::SeqCst);
    // SAFETY: nothing else holds a reference to the page.
    let written = unsafe { (*VICTIM.0.get()).iter().any(|byte| *byte != UNTOUCHED) };
    // SAFETY: as above.
    unsafe { *VICTIM.0.get() = [UNTOUCHED; 4096] };
    let outcome = match &result {
        Ok(()) => "Ok".to_owned(),
        Err(Failure::Fault(fault)) => format!("Err: {fault}"),
        Err(Failure::Reported) => "Err: the function reported an error".to_owned(),
        Err(Failure::Broken(how)) => how.clone(),
    };
    let mistaken = MISTAKEN.swap(false, Ordering::SeqCst) || is_mistaken(&result);
    let good = !written && !mistaken && as_expected(case, act, &result);
    let outcome = if written { "the program's page was written".to_owned() } else { outcome };
    let outcome = if mistaken { "the function did not get what the wrapper was given".to_owned() } else { outcome };
    say(&[if good { "good" } else { "bad" }, case.domain, case.function, name, &outcome]);
    good
}

fn as_expected(case: &Case, act: Act, result: &Result<(), Failure>) -> bool {
    let fault = match result {
        Ok(()) => {
            return match act {
                Act::Honest | Act::Fill | Act::ClaimHuge | Act::ClaimNegative | Act::ClaimText => true,
                Act::ClaimForeign => !case.returns_pointer && !case.follows,
                Act::ClaimNoValue => !case.returns_pointer,
                Act::WriteOutside | Act::Abort => false,
            };
        }
        Err(Failure::Reported) => {
            return match act {
                Act::Honest | Act::Fill => match case.fails {
                    Fails::Never => false,
                    Fails::WithNothing => LENGTH.load(Ordering::SeqCst) == 0,
                    Fails::Perhaps => true,
                },
                Act::WriteOutside | Act::Abort => false,
                _ => true,
            };
        }
        Err(Failure::Broken(_)) => return false,
        Err(Failure::Fault(fault)) => fault,
    };
    let page = VICTIM.0.get().addr();
    let kind = match (act, fault.kind()) {
        (Act::WriteOutside, FaultKind::Protection { address, key: 0, write: true }) => {
            (page..page + 4096).contains(address)
        }
        (Act::Abort, FaultKind::Abort) => true,
        // A page of large elements may be more than the domain has room for, and is refused.
        (Act::Honest | Act::Fill, FaultKind::TooLarge { .. }) => LENGTH.load(Ordering::SeqCst) > USUAL,
        (
            Act::ClaimHuge | Act::ClaimNegative | Act::ClaimForeign | Act::ClaimNoValue | Act::ClaimText,
            FaultKind::InvalidValue { .. } | FaultKind::TooLarge { .. },
        ) => true,
        _ => false,
    };
    kind && fault.domain() == case.domain && fault.function() == case.foreign
}

fn say(columns: &[&str]) {
    let line = columns.join("\t").replace('\n', " ") + "\n";
    let mut out = std::io::stdout().lock();
    // A reader that went away is not this program's business.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

