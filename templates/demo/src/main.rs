//! Packs files into one archive and unpacks them again.

mod archive;
mod codec;
mod ffi;

use archive::{Entry, Method, Reader};
use std::{env, fs, path::Path, process::ExitCode};

const USAGE: &str = "usage: unpack pack ARCHIVE FILE…
       unpack unpack ARCHIVE…";

/// Whatever went wrong, in words.
pub type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["pack", archive, ref files @ ..] if !files.is_empty() => match pack(archive, files) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(archive, &error),
        },
        ["unpack", ref archives @ ..] if !archives.is_empty() => unpack_all(archives),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn pack(archive: &str, files: &[&str]) -> Result<(), Error> {
    let mut packed = archive::begin();
    // A tool would choose by content; taking turns shows every codec.
    for (file, method) in files.iter().zip(Method::ALL.into_iter().cycle()) {
        let content = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        let name = Path::new(file).file_name().ok_or("a file without a name")?;
        let entry = Entry { name: name.to_string_lossy().into_owned(), mode: 0o644, content };
        let size = archive::append(&mut packed, &entry, method)?;
        println!("{}: {} -> {size} bytes, {method:?}", entry.name, entry.content.len());
    }
    Ok(fs::write(archive, packed)?)
}

/// Unpacks each archive into the current directory. One that is broken does not stop the others.
fn unpack_all(archives: &[&str]) -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for archive in archives {
        if let Err(error) = unpack(archive) {
            status = complain(archive, &error);
        }
    }
    match codec::metadata_records() {
        Ok(records) => println!("{records} metadata records read"),
        Err(error) => status = complain("metadata", &error),
    }
    status
}

fn unpack(archive: &str) -> Result<(), Error> {
    let bytes = fs::read(archive)?;
    for entry in Reader::new(&bytes)? {
        let entry = entry?;
        // The name is the archive's word: only its last component is used, so nothing lands outside this directory.
        let name = Path::new(&entry.name).file_name().ok_or("an entry without a name")?;
        fs::write(name, &entry.content)?;
        println!("{}: {} bytes", entry.name, entry.content.len());
    }
    Ok(())
}

fn complain(subject: &str, error: &Error) -> ExitCode {
    eprintln!("{subject}: {error}");
    ExitCode::FAILURE
}
