//! RUSTSEC-2022-0070: a context that outlives the block it was created in.

#[path = "../../contained.rs"]
mod contained;
mod ffi;
mod isolated;

use isolate_rt::Fault;
use isolated::secp;
use secp256k1_sys::SECP256K1_START_SIGN;
use std::process::ExitCode;

fn main() -> ExitCode {
    contained::contained(|| sign(false), || sign(true))
}

/// Whether a message is signed as RFC 6979 says, by a context whose block is freed too `early` or after it.
fn sign(early: bool) -> Result<bool, Fault> {
    let mut block = Some(secp::malloc(secp::secp256k1_context_preallocated_size(SECP256K1_START_SIGN)?)?);
    let context =
        secp::secp256k1_context_preallocated_create(block.as_ref().expect("not freed"), SECP256K1_START_SIGN)?;
    if early && let Some(block) = block.take() {
        secp::free(block)?;
    }
    let mut signature = [0; 64];
    secp::secp256k1_ecdsa_sign(&context, &mut signature, &[0xab; 32], &[0xcd; 32])?;
    let mut compact = [0; 64];
    secp::secp256k1_ecdsa_signature_serialize_compact(&context, &mut compact, &signature)?;
    secp::secp256k1_context_preallocated_destroy(context)?;
    Ok(compact == SIGNATURE)
}

/// As libsecp256k1 signs that message with that key outside of any domain.
#[rustfmt::skip]
const SIGNATURE: [u8; 64] = [
    0x3d, 0xc4, 0xfa, 0x74, 0x65, 0x5c, 0x21, 0xb7, 0xff, 0xc0, 0x74, 0x0e, 0x29, 0xbf, 0xd8, 0x86,
    0x47, 0xe8, 0xdf, 0xe2, 0xb6, 0x8c, 0x50, 0x7c, 0xf9, 0x62, 0x64, 0xe4, 0xe7, 0x43, 0x9c, 0x1f,
    0x7a, 0xa6, 0x12, 0x61, 0xb1, 0x8e, 0xeb, 0xdf, 0xdb, 0x70, 0x4c, 0xa7, 0xba, 0xb4, 0xc7, 0xbc,
    0xf7, 0x96, 0x1a, 0xe0, 0xad, 0xe5, 0x30, 0x9f, 0x6f, 0x13, 0x98, 0xe2, 0x1a, 0xec, 0x0f, 0x9f,
];
