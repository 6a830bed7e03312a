//! Files of pictures in memory decoded. libpng asks for its file piece by piece and gives the picture row by row; libwebp is given all of it
//! and allocates the picture.

use crate::rows::{row, row_given};
use isolate_libraries::isolated::{png, webp};
use libpng_sys::ffi::{self, png_struct};
use std::ffi::{CStr, c_int, c_void};
use std::hint::black_box;
use std::io::{Cursor, Read as _};
use std::ptr;
use std::sync::{Arc, Mutex};

/// What libpng compares with its own, up to the second dot.
const VERSION: &CStr = c"1.6.0";

/// Squares of four bytes a pixel, by their sides: 1 KiB, 64 KiB, 1 MiB and 2.2 MiB.
const SIDES: [usize; 4] = [16, 128, 512, 760];

pub(crate) fn rows() {
    png_rows();
    webp_rows();
}

fn webp_rows() {
    for side in SIDES {
        let (size, extent) = (4 * side * side, side as c_int);
        let file = webp::WebPEncodeRGBA(&pixels(side), extent, extent, 4 * extent, 80.0).unwrap();
        // What libwebp allocated, given to `look`.
        let decode_directly = |look: &mut dyn FnMut(&[u8])| {
            let (mut width, mut height) = (0, 0);
            // SAFETY: the file has that many bytes, and the picture four for each pixel; it is freed once.
            unsafe {
                let picture = libwebp_sys::WebPDecodeRGBA(file.as_ptr(), file.len(), &mut width, &mut height);
                look(std::slice::from_raw_parts(picture, size));
                libwebp_sys::WebPFree(picture.cast());
            }
            4 * (width * height) as usize
        };
        row_given(
            "webp decode",
            size,
            || decode_directly(&mut |picture| _ = black_box(picture[size - 1])),
            || decode_directly(&mut |picture| _ = black_box(picture.to_vec())),
            || webp::WebPDecodeRGBA(&file).unwrap().0.len(),
        );
    }
}

fn png_rows() {
    for (what, ask) in [("png decode, row by row", Ask::Row), ("png decode, all rows at once", Ask::Image)] {
        for side in SIDES {
            let file = written(side);
            let size = 4 * side * side;
            row(
                what,
                size,
                size,
                |out| {
                    decode_directly(&file, side, ask, out);
                    size
                },
                |out| {
                    decode(&file, side, ask, out);
                    size
                },
            );
        }
    }
}

/// How libpng is asked for the picture.
#[derive(Clone, Copy)]
enum Ask {
    /// By `png_read_row`, a call for each.
    Row,
    /// By `png_read_image`.
    Image,
}

/// A picture that is smooth but for some noise, as photographs are.
fn pixels(side: usize) -> Vec<u8> {
    let mut random = 1u32;
    let mut noise = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 29) as u8
    };
    let pixel = |at: usize| {
        let (x, y) = (at % side, at / side);
        [(x * 200 / side) as u8, (y * 200 / side) as u8, ((x + y) * 100 / side) as u8]
    };
    (0..side * side).flat_map(|at| pixel(at).map(|value| value + noise()).into_iter().chain([255])).collect()
}

/// The file of that picture.
fn written(side: usize) -> Arc<[u8]> {
    let pixels = pixels(side);
    let file = Arc::<Mutex<Vec<u8>>>::default();
    let sink = file.clone();
    let png = png::png_create_write_struct(VERSION, None, None).unwrap();
    let info = png::png_create_info_struct(&png).unwrap();
    png::png_set_write_fn(&png, move |_, bytes| sink.lock().unwrap().extend_from_slice(bytes), None).unwrap();
    let color = ffi::PNG_COLOR_TYPE_RGBA as c_int;
    png::png_set_IHDR(&png, &info, side as u32, side as u32, 8, color, 0, 0, 0).unwrap();
    png::png_write_info(&png, &info).unwrap();
    for row in pixels.chunks(4 * side) {
        png::png_write_row(&png, row).unwrap();
    }
    png::png_write_end(&png, &info).unwrap();
    file.lock().unwrap().as_slice().into()
}

fn decode(file: &Arc<[u8]>, side: usize, ask: Ask, out: &mut [u8]) {
    let png = png::png_create_read_struct(VERSION, None, None).unwrap();
    let info = png::png_create_info_struct(&png).unwrap();
    let mut source = Cursor::new(file.clone());
    png::png_set_read_fn(&png, move |_, room| drop(source.read(room))).unwrap();
    png::png_read_info(&png, &info).unwrap();
    png::png_read_update_info(&png, &info).unwrap();
    match ask {
        Ask::Row => out.chunks_mut(4 * side).for_each(|row| png::png_read_row(&png, row).unwrap()),
        Ask::Image => {
            // Tells the wrapper how many rows there are.
            png::png_get_image_height(&png, &info).unwrap();
            png::png_read_image(&png, &mut out.chunks_mut(4 * side).collect::<Vec<_>>()).unwrap();
        }
    }
    png::png_read_end(&png, &info).unwrap();
}

fn decode_directly(file: &Arc<[u8]>, side: usize, ask: Ask, out: &mut [u8]) {
    /// # Safety
    ///
    /// As libpng calls it.
    unsafe extern "C" fn read(png: *mut png_struct, to: *mut u8, len: usize) {
        // SAFETY: the pointer that was set below, and room for so many bytes.
        unsafe {
            let source = &mut *ffi::png_get_io_ptr(&*png).cast::<Cursor<Arc<[u8]>>>();
            let _ = source.read(std::slice::from_raw_parts_mut(to, len));
        }
    }
    let mut source = Cursor::new(file.clone());
    // SAFETY: rows are as long as the header says; the source outlives what reads from it.
    unsafe {
        let mut png = ffi::png_create_read_struct(VERSION.as_ptr(), ptr::null_mut(), None, None);
        let mut info = ffi::png_create_info_struct(&*png);
        ffi::png_set_read_fn(&mut *png, (&raw mut source).cast::<c_void>(), Some(read));
        ffi::png_read_info(&mut *png, &mut *info);
        ffi::png_read_update_info(&mut *png, &mut *info);
        match ask {
            Ask::Row => {
                for row in out.chunks_mut(4 * side) {
                    ffi::png_read_row(&mut *png, row.as_mut_ptr(), ptr::null_mut());
                }
            }
            Ask::Image => {
                let mut rows: Vec<_> = out.chunks_mut(4 * side).map(<[u8]>::as_mut_ptr).collect();
                ffi::png_read_image(&mut *png, rows.as_mut_ptr());
            }
        }
        ffi::png_read_end(&mut *png, &mut *info);
        ffi::png_destroy_read_struct(&mut png, &mut info, ptr::null_mut());
    }
}
