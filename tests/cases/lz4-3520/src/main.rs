//! CVE-2021-3520: a negative target size reaches `memmove` as a huge length.

#[path = "../../contained.rs"]
mod contained;
mod ffi;
mod isolated;

use isolate_rt::Fault;
use std::process::ExitCode;

fn main() -> ExitCode {
    contained::contained(|| decode(5), || decode(-1))
}

/// The first `target` bytes of a block: one token followed by ten literal bytes.
fn decode(target: i32) -> Result<(i32, Vec<u8>), Fault> {
    let block = b"\xa00123456789";
    let mut out = vec![0; 256];
    let (status, written) = isolated::lz4::LZ4_decompress_safe_partial(block, &mut out, target)?;
    out.truncate(written);
    Ok((status, out))
}
