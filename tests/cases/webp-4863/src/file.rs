//! A writer of lossless WebP files of 1 × 1 pixels, for trees of the worst shape.

/// Five Huffman trees, four of them as large as they can be; the last one is complete, or not.
pub(crate) fn webp(incomplete: bool) -> Vec<u8> {
    let mut bits = Bits { bytes: vec![0x2f], used: 8 };
    // Width and height less one, no alpha, version 0; no transform, no colour cache, one group of trees.
    for (value, count) in [(0, 14), (0, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)] {
        bits.push(value, count);
    }
    bits.tree(&lengths(LARGEST_OF_280, 280));
    for _ in 0..3 {
        bits.tree(&lengths(LARGEST_OF_256, 256));
    }
    bits.tree(&lengths(if incomplete { INCOMPLETE } else { COMPLETE }, 40));
    bits.bytes.extend([0; 64]);

    let data = bits.bytes;
    let size = |len: usize| u32::try_from(len).expect("a small file").to_le_bytes();
    let mut file = [&b"RIFF"[..], &size(data.len() + 12), b"WEBPVP8L", &size(data.len()), &data].concat();
    file.resize(file.len().next_multiple_of(2), 0);
    file
}

/// How many codes there are of each length from 1 on. The first two fill as many table entries as any tree of that many
/// symbols can: 654 and 630.
const LARGEST_OF_280: [usize; 15] = [1, 1, 0, 0, 0, 0, 0, 0, 115, 5, 25, 1, 1, 129, 2];
const LARGEST_OF_256: [usize; 15] = [1, 1, 0, 0, 0, 0, 0, 0, 59, 109, 49, 1, 33, 1, 2];
const COMPLETE: [usize; 15] = [1, 1, 1, 1, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0];
const INCOMPLETE: [usize; 15] = [1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 27];

/// The code length of each symbol of an alphabet: 0 for those without a code.
fn lengths(counts: [usize; 15], alphabet: usize) -> Vec<u32> {
    let mut lengths: Vec<u32> = (1..).zip(counts).flat_map(|(length, count)| vec![length; count]).collect();
    lengths.resize(alphabet, 0);
    lengths
}

/// Bits, lowest first.
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().expect("just pushed") |= (((value >> bit) & 1) as u8) << (self.used % 8);
            self.used += 1;
        }
    }

    /// A tree by its code lengths, each written in a flat code of four bits.
    fn tree(&mut self, lengths: &[u32]) {
        self.push(0, 1);
        self.push(15, 4);
        const ORDER: [u32; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        for symbol in ORDER {
            self.push(if symbol < 16 { 4 } else { 0 }, 3);
        }
        self.push(0, 1);
        for length in lengths {
            for bit in (0..4).rev() {
                self.push((length >> bit) & 1, 1);
            }
        }
    }
}
