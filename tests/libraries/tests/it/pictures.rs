//! Pictures to work on, the same in every run.

use crate::support::{noise, text};

/// Pixels of four bytes, row by row.
pub(crate) struct Picture {
    pub(crate) name: &'static str,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) rgba: Vec<u8>,
}

impl Picture {
    /// Bytes from one row to the next.
    pub(crate) fn stride(&self) -> usize {
        4 * self.width
    }
}

/// One pixel, one row, one column, and pictures of each character: smooth, full of text, full of noise, partly transparent.
pub(crate) fn pictures() -> Vec<Picture> {
    let smooth = |width: usize, height: usize| -> Vec<u8> {
        let pixel = |at: usize| {
            let (x, y) = (at % width, at / width);
            [(x * 255 / width) as u8, (y * 255 / height) as u8, ((x + y) / 2) as u8, 255]
        };
        (0..width * height).flat_map(pixel).collect()
    };
    let see_through = |mut rgba: Vec<u8>| {
        rgba.iter_mut().skip(3).step_by(4).enumerate().for_each(|(at, alpha)| *alpha = (at / 7) as u8);
        rgba
    };
    let picture = |name, width, height, rgba| Picture { name, width, height, rgba };
    vec![
        picture("a pixel", 1, 1, smooth(1, 1)),
        picture("a row", 300, 1, smooth(300, 1)),
        picture("a column", 1, 300, smooth(1, 300)),
        picture("smooth", 160, 120, smooth(160, 120)),
        picture("text", 333, 77, text().into_iter().take(4 * 333 * 77).collect()),
        picture("noise", 64, 65, noise(4 * 64 * 65)),
        picture("partly transparent", 100, 75, see_through(smooth(100, 75))),
    ]
}
