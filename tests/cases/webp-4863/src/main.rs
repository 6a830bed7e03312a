//! CVE-2023-4863: Huffman tables of a lossless WebP file that need more room than libwebp computed for them.

#[path = "../../contained.rs"]
mod contained;
mod file;
mod isolated;

use isolate_rt::Fault;
use std::process::ExitCode;

fn main() -> ExitCode {
    contained::contained(|| decode(&file::webp(false)), || decode(&file::webp(true)))
}

/// The pixels of an image of 1 × 1, or nothing for one that libwebp refuses.
fn decode(file: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let mut pixels = vec![0; 4];
    let output = isolated::webp::WebPDecodeRGBAInto(file, &mut pixels, 4)?;
    Ok(output.map(|_| pixels))
}
