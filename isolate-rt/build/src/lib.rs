//! Build-script helper of `isolate-rt`.
