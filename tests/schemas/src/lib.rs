//! Nothing: the manifest is what tests are after.
