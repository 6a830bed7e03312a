//! Shared libraries that bind what they call at the first call: the dynamic loader does it, inside the domain, and must write its own
//! data there.

use super::Built;
use camino::Utf8PathBuf;
use object::{
    Endianness,
    elf::{self, FileHeader64},
    read::elf::{Dyn as _, ElfFile64, FileHeader as _},
};

/// Where the linker looks without being told.
const FOLDERS: [&str; 6] =
    ["/usr/local/lib", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/usr/lib"];

/// Those of the libraries that a build script asked for, where they are found.
pub(super) fn lazily_bound(built: &Built) -> Vec<Utf8PathBuf> {
    let folders: Vec<_> = built.searched.iter().cloned().chain(FOLDERS.map(Utf8PathBuf::from)).collect();
    let names = built.told.iter().filter_map(|told| {
        // `dylib=z`, `dylib:+verbatim=libz.so`, `z`
        let name = told.rsplit('=').next()?;
        Some(if name.contains(".so") { name.to_owned() } else { format!("lib{name}.so") })
    });
    let files = names.filter_map(|name| folders.iter().map(|folder| folder.join(&name)).find(|path| path.is_file()));
    files.filter(|path| std::fs::read(path).is_ok_and(|bytes| is_lazy(&bytes) == Some(true))).collect()
}

/// `None` for what is no shared object, as a linker script that stands for one.
fn is_lazy(bytes: &[u8]) -> Option<bool> {
    let file = ElfFile64::<Endianness>::parse(bytes).ok()?;
    let endian = file.endian();
    let header: &FileHeader64<Endianness> = file.elf_header();
    let (entries, _) = header.sections(endian, file.data()).ok()?.dynamic(endian, file.data()).ok()??;
    let value = |tag| entries.iter().find(|entry| entry.tag(endian) == tag).map(|entry| entry.val(endian));
    let has = |tag, flag| value(tag).is_some_and(|flags: u64| flags & flag != 0);
    let now = has(elf::DT_FLAGS, elf::DF_BIND_NOW.0)
        || has(elf::DT_FLAGS_1, elf::DF_1_NOW.0)
        || value(elf::DT_BIND_NOW).is_some();
    Some(!now && value(elf::DT_PLTRELSZ).is_some_and(|size| size > 0))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::{fs, process::Command};

    #[test]
    fn how_shared_objects_bind() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let source = folder.path().join("lib.c");
        fs::write(&source, "int puts(const char *); int say(void) { return puts(\"\"); }").expect("a file");
        let check = |how: &str, expected: Option<bool>| {
            let file = folder.path().join("lib.so");
            let mut cc = Command::new("cc");
            cc.args(["-shared", "-fPIC", "-fplt", how, "-o"]).arg(&file).arg(&source);
            assert!(cc.status().expect("cc").success());
            assert_eq!(is_lazy(&fs::read(file).expect("a library")), expected, "{how}");
        };
        check("-Wl,-z,lazy", Some(true));
        check("-Wl,-z,now", Some(false));
        assert_eq!(is_lazy(b"INPUT(libz.so.1)"), None);
    }
}
