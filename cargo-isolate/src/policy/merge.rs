//! What git writes into a file whose versions it could not merge.

/// What its lines start with: the first side, what both came from, the second side, the end.
pub(crate) const MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// What is wrong there.
pub(crate) const MESSAGE: &str = "a merge left both its sides here";
