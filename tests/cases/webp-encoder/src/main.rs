//! RUSTSEC-2024-0443: a picture whose slice is shorter than its width and height say. The crate `webp` handed both to libwebp,
//! which read on behind the slice.

#[path = "../../contained.rs"]
mod contained;
mod isolated;

use isolate_rt::{Error, Fault};
use std::process::ExitCode;

fn main() -> ExitCode {
    contained::contained(|| encode(&[7; 32 * 32 * 3], 32), || encode(&[7; 48], 512))
}

/// The size of the file of a square picture, or nothing if libwebp refuses it.
fn encode(pixels: &[u8], side: i32) -> Result<Option<usize>, Fault> {
    match isolated::webp::WebPEncodeLosslessRGB(pixels, side, side, side * 3) {
        Ok(file) => Ok(Some(file.len())),
        Err(Error::Fault(fault)) => Err(fault),
        Err(_) => Ok(None),
    }
}
