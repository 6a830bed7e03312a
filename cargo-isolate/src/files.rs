//! Files that people keep: written whole or not at all; and files that others may have put in the place of one, to read.

use camino::{Utf8Path, Utf8PathBuf};
use std::{
    fs,
    io::{self, Read as _, Write},
};

/// No text that somebody writes or keeps is as long; reports of large graphs are tens of megabytes.
const MOST_TEXT: u64 = 1 << 30;

/// The text of a file that somebody named.
///
/// # Errors
///
/// As those of [`read`], with what to do; or it is no text.
pub(crate) fn read_text(path: &Utf8Path) -> io::Result<String> {
    let (_, bytes) = read(path, MOST_TEXT).map_err(|error| match error.get_ref() {
        Some(cause) if cause.is::<NoFile>() => {
            io::Error::other(format!("{cause}; name a file, or write what it gives into one"))
        }
        _ => error,
    })?;
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

/// What is there may never end, or is a directory.
#[derive(Debug, thiserror::Error)]
#[error("{}not a file", .0.map(|what| format!("{what}, ")).unwrap_or_default())]
struct NoFile(Option<&'static str>);

/// Reads a file of at most so many bytes.
///
/// # Errors
///
/// It cannot be read, is longer, or is none that ends: a pipe, a device, a file that the kernel makes up.
pub(crate) fn read(path: &Utf8Path, most: u64) -> io::Result<(fs::File, Vec<u8>)> {
    // Opening a pipe waits for somebody to write into it.
    must_be_file(&fs::metadata(path)?)?;
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    must_be_file(&metadata)?;
    if metadata.len() == 0 {
        // The kernel's say that they are empty, and reading one may wait for ever.
        return if is_of_kernel(path) {
            Err(io::Error::other(NoFile(Some("made up by the kernel"))))
        } else {
            Ok((file, Vec::new()))
        };
    }
    let too_long = || io::Error::other(format!("longer than {} MiB", most >> 20));
    if metadata.len() > most {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // Somebody may be writing it.
    (&file).take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_long());
    }
    Ok((file, bytes))
}

fn must_be_file(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::other(NoFile(what_else(metadata.file_type()))))
}

fn what_else(kind: fs::FileType) -> Option<&'static str> {
    if kind.is_dir() {
        return Some("a directory");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kinds = [
            (kind.is_fifo(), "a pipe"),
            (kind.is_char_device() || kind.is_block_device(), "a device"),
            (kind.is_socket(), "a socket"),
        ];
        kinds.into_iter().find_map(|(is_it, what)| is_it.then_some(what))
    }
    #[cfg(not(unix))]
    None
}

fn is_of_kernel(path: &Utf8Path) -> bool {
    let path = path.canonicalize_utf8();
    path.is_ok_and(|path| ["/proc", "/sys", "/dev"].iter().any(|kernel| path.starts_with(kernel)))
}

/// Writes a file, over one that is there, whose permissions stay; where a link leads to, the link stays. What is no file (a
/// pipe, a device) is written into: it cannot be half there, and must not be replaced.
pub(crate) fn write(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let Ok(there) = fs::metadata(path) else {
        return temporary(path, bytes)?.persist(path).map(drop).map_err(|error| error.error);
    };
    if !there.is_file() {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let target = path.canonicalize_utf8()?;
    let file = temporary(&target, bytes)?;
    file.as_file().set_permissions(there.permissions())?;
    file.persist(target).map(drop).map_err(|error| error.error)
}

/// Writes a file where there is none; `false` if there is one, which is left alone.
pub(crate) fn write_new(path: &Utf8Path, bytes: &[u8]) -> io::Result<bool> {
    match temporary(path, bytes)?.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

/// Where a file is or would be written, however its path is spelt.
pub(crate) fn place(path: &Utf8Path) -> Utf8PathBuf {
    if let Ok(place) = path.canonicalize_utf8() {
        return place;
    }
    match (folder(path).canonicalize_utf8(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn folder(path: &Utf8Path) -> &Utf8Path {
    path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."))
}

/// The whole file, beside where it is to stand, and as readable as files are.
pub(crate) fn temporary(path: &Utf8Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new_in(folder(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    // A temporary file is its owner's alone; a report is as readable as any other file.
    #[cfg(unix)]
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    Ok(file)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _, symlink},
        net::UnixListener,
    };

    #[test]
    fn what_is_there_stays_what_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| Utf8Path::from_path(directory.path()).unwrap().join(name);
        write(&at("file"), b"old").unwrap();
        fs::set_permissions(at("file"), fs::Permissions::from_mode(0o600)).unwrap();
        symlink(at("file"), at("link")).unwrap();
        write(&at("link"), b"new").unwrap();
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert_eq!(fs::read(at("file")).unwrap(), b"new");
        assert_eq!(fs::metadata(at("file")).unwrap().permissions().mode() & 0o777, 0o600);

        let spelt = [
            at("link"),
            at("./file"),
            at("../").join(directory.path().file_name().unwrap().to_str().unwrap()).join("file"),
        ];
        assert!(spelt.iter().all(|path| place(path) == place(&at("file"))), "{spelt:?}");
        assert_eq!(place(&at("./new")), place(&at("new")));

        let _listener = UnixListener::bind(at("socket")).unwrap();
        write(&at("socket"), b"new").unwrap_err();
        assert!(fs::metadata(at("socket")).unwrap().file_type().is_socket());
    }
    #[test]
    fn what_never_ends_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| Utf8Path::from_path(directory.path()).unwrap().join(name);
        let why = |path: &Utf8Path| read(path, 1 << 20).map(|_| ()).map_err(|why| why.to_string());
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        fs::File::create(at("sparse")).unwrap().set_len(1 << 40).unwrap();
        fs::write(at("empty"), "").unwrap();
        symlink("/dev/zero", at("device")).unwrap();
        symlink("/proc/kmsg", at("log")).unwrap();
        assert_eq!(why(&at("empty")), Ok(()));
        assert_eq!(why(&at("pipe")), Err("a pipe, not a file".to_owned()));
        assert_eq!(why(&at("device")), Err("a device, not a file".to_owned()));
        assert_eq!(why(&at("sparse")), Err("longer than 1 MiB".to_owned()));
        // Only root may open it.
        assert!(why(&at("log")).is_err());

        fs::write(at("bytes"), b"caf\xe9").unwrap();
        fs::create_dir(at("directory")).unwrap();
        let named = |name: &str| read_text(&at(name)).map_err(|why| crate::text::describe(&why));
        assert_eq!(named("empty"), Ok(String::new()));
        assert_eq!(named("bytes"), Err("it is not UTF-8 text".to_owned()));
        for (name, what) in [("pipe", "a pipe"), ("device", "a device"), ("directory", "a directory")] {
            let why = format!("{what}, not a file; name a file, or write what it gives into one");
            assert_eq!(named(name), Err(why));
        }
        assert_eq!(read_text(&at("nothing")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
