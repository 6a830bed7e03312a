//! CVE-2022-25313: expat builds the model of a declared element by a call of itself for each group inside.

#[path = "../../contained.rs"]
mod contained;
mod ffi;
mod isolated;

use isolate_rt::Fault;
use std::process::ExitCode;

fn main() -> ExitCode {
    contained::contained(|| parse(3), || parse(100_000))
}

/// What expat says to a document whose only element is declared as so many groups in each other.
fn parse(groups: usize) -> Result<Option<i32>, Fault> {
    let (open, close) = ("(".repeat(groups), ")".repeat(groups));
    let document = format!("<!DOCTYPE d [<!ELEMENT d {open}x{close}>]><d/>");
    let Some(parser) = isolated::expat::XML_ParserCreate(None)? else { return Ok(None) };
    isolated::expat::XML_SetHashSalt(&parser, 1)?;
    isolated::expat::handler_set(&parser)?;
    isolated::expat::XML_Parse(&parser, document.as_bytes(), 1).map(Some)
}
