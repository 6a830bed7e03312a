//! The functions of nanosvg that `nsvg` bundles and keeps to itself.

use nsvg as _;
use std::ffi::c_char;

pub(crate) enum NSVGimage {}

unsafe extern "C" {
    pub(crate) fn nsvgParse(input: *mut c_char, units: *const c_char, dpi: f32) -> *mut NSVGimage;
    pub(crate) fn nsvgDelete(image: *mut NSVGimage);
}
