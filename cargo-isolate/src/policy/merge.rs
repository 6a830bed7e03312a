//! Conflict markers that git writes into a file that it could not merge.

/// The beginnings of marker lines: first side, common ancestor, second side, end.
pub(crate) const MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// The message for a conflict.
pub(crate) const MESSAGE: &str = "a merge left both its sides here";
