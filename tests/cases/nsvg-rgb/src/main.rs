//! nanosvg reads `rgb(…)` with an unbounded `sscanf("%[…]")` into 32 bytes on its stack.

#[path = "../../contained.rs"]
mod contained;
mod ffi;
mod isolated;

use isolate_rt::Fault;
use std::{ffi::CString, process::ExitCode};

fn main() -> ExitCode {
    let commas = format!("rgb(10{}20,30)", ",".repeat(3000));
    contained::contained(|| parse("rgb(10, 20, 30)"), || parse(&commas))
}

/// Whether an image with a rectangle of that colour is read.
fn parse(color: &str) -> Result<bool, Fault> {
    let svg = format!("<svg width=\"8\" height=\"8\"><rect width=\"4\" height=\"4\" fill=\"{color}\"/></svg>");
    let svg = CString::new(svg).expect("no NUL in it");
    let image = isolated::nsvg::nsvgParse(&svg, c"px", 96.0)?;
    if let Some(image) = &image {
        isolated::nsvg::nsvgDelete(image)?;
    }
    Ok(image.is_some())
}
