//! Built-in contracts of well-known libraries, which a policy need not repeat.

/// The contracts of one library.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// The file name, as messages show it.
    pub name: &'static str,
    /// The `package` and `versions` that the file applies to, then `[struct.…]` and `[fn.…]` as in a policy.
    pub text: &'static str,
}

macro_rules! files {
    ($($name:literal,)*) => {
        &[$(File { name: $name, text: include_str!(concat!("../contracts/", $name)) }),*]
    };
}

/// All files, ordered by package.
pub const FILES: &[File] = files! {
    "brotli-sys.toml",
    "bzip2-sys.toml",
    "libdeflate-sys.toml",
    "libpng-sys.toml",
    "libsqlite3-sys.toml",
    "libwebp-sys.toml",
    "libz-sys.toml",
    "lz4-sys.toml",
    "snappy_src.toml",
    "zstd-sys.toml",
};
