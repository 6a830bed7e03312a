//! libwebp: pictures there and back again, without and with loss; what the library allocates is copied and freed.

use crate::isolation::isolation;
use crate::pictures::{Picture, pictures};
use isolate_libraries::isolated::webp;
use isolate_rt::Null;
use std::ffi::c_int;
use std::ptr;

/// The file that a direct call makes.
fn encoded(picture: &Picture, lossless: bool) -> Vec<u8> {
    let (width, height, stride) = (picture.width as c_int, picture.height as c_int, picture.stride() as c_int);
    let mut output = ptr::null_mut();
    // SAFETY: the pixels are as many as are spoken of; what comes out is freed once, after it was copied.
    unsafe {
        let pixels = picture.rgba.as_ptr();
        let size = match lossless {
            true => libwebp_sys::WebPEncodeLosslessRGBA(pixels, width, height, stride, &mut output),
            false => libwebp_sys::WebPEncodeRGBA(pixels, width, height, stride, 80.0, &mut output),
        };
        let file = std::slice::from_raw_parts(output, size).to_vec();
        libwebp_sys::WebPFree(output.cast());
        file
    }
}

/// The pixels that a direct call makes of a file of this picture.
fn decoded(file: &[u8], picture: &Picture) -> Option<Vec<u8>> {
    let (mut width, mut height) = (0, 0);
    // SAFETY: the file has that many bytes; what comes out has four for each pixel, and is freed once, after it was copied.
    unsafe {
        let pixels = libwebp_sys::WebPDecodeRGBA(file.as_ptr(), file.len(), &mut width, &mut height);
        if pixels.is_null() {
            return None;
        }
        assert_eq!((width as usize, height as usize), (picture.width, picture.height));
        let copy = std::slice::from_raw_parts(pixels, picture.rgba.len()).to_vec();
        libwebp_sys::WebPFree(pixels.cast());
        Some(copy)
    }
}

#[test]
fn there_and_back() {
    if !isolation() {
        return;
    }
    for picture in pictures() {
        let (width, height, stride) = (picture.width as c_int, picture.height as c_int, picture.stride() as c_int);
        let name = picture.name;
        let lossless = webp::WebPEncodeLosslessRGBA(&picture.rgba, width, height, stride).unwrap();
        let lossy = webp::WebPEncodeRGBA(&picture.rgba, width, height, stride, 80.0).unwrap();
        for (file, is_lossless) in [(lossless, true), (lossy, false)] {
            assert!(file == encoded(&picture, is_lossless), "{name}, lossless: {is_lossless}");
            assert_eq!(webp::WebPGetInfo(&file).unwrap(), (width, height), "{name}");
            let (pixels, decoded_width, decoded_height) = webp::WebPDecodeRGBA(&file).unwrap();
            assert_eq!((decoded_width, decoded_height), (width, height), "{name}");
            assert!(Some(pixels) == decoded(&file, &picture), "{name}, lossless: {is_lossless}");
        }
    }
}

#[test]
fn damaged() {
    if !isolation() {
        return;
    }
    let pictures = pictures();
    let picture = pictures.iter().find(|picture| picture.name == "text").expect("there is one");
    let file = encoded(picture, false);
    let error = webp::WebPGetInfo(b"RIFF").unwrap_err();
    assert_eq!(error.to_string(), "`WebPGetInfo` in domain `webp` failed with 0");
    for cut in (0..file.len()).step_by(97) {
        match webp::WebPDecodeRGBA(&file[..cut]) {
            Ok((pixels, ..)) => assert_eq!(Some(pixels), decoded(&file[..cut], picture), "cut at {cut}"),
            Err(failed) => {
                assert_eq!(failed.code(), Some(&Null), "cut at {cut}: {failed}");
                assert_eq!(decoded(&file[..cut], picture), None, "cut at {cut}");
            }
        }
    }
}
