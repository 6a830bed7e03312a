//! Functions of the expat that `expat-sys` bundles and does not declare, and the handler beside it.

use expat_sys as _;
use std::ffi::{c_char, c_int, c_ulong};

pub(crate) enum XmlParser {}

unsafe extern "C" {
    pub(crate) fn XML_ParserCreate(encoding: *const c_char) -> *mut XmlParser;
    pub(crate) fn XML_SetHashSalt(parser: *mut XmlParser, hash_salt: c_ulong) -> c_int;
    pub(crate) fn XML_Parse(parser: *mut XmlParser, s: *const c_char, len: c_int, isFinal: c_int) -> c_int;
    pub(crate) fn XML_ParserFree(parser: *mut XmlParser);
    pub(crate) fn handler_set(parser: *mut XmlParser);
}
