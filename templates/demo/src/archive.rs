//! The container: a magic number, then one header and packed content per file.
//!
//! | field    | bytes | meaning                                    |
//! |----------|-------|--------------------------------------------|
//! | method   | 1     | how the content is packed: [`Method`]      |
//! | metadata | 4 + n | its length, then records for `csrc/tlv.c`  |
//! | size     | 8     | bytes of the content, unpacked             |
//! | check    | 4     | CRC-32 of the content, unpacked            |
//! | packed   | 8 + n | its length, then the packed content        |
//! | seal     | 4     | Adler-32 of the packed content             |
//!
//! Numbers are little endian.

use crate::{Error, codec};

const MAGIC: &[u8] = b"unpack1\n";

/// More than this in one file is refused before anything is allocated for it.
const MAX_SIZE: u64 = 128 << 20;

/// How content is packed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    Zlib = 1,
    Lz4 = 2,
    Bzip2 = 3,
}

impl Method {
    pub const ALL: [Method; 3] = [Method::Zlib, Method::Lz4, Method::Bzip2];
}

/// One file.
pub struct Entry {
    pub name: String,
    pub mode: u32,
    pub content: Vec<u8>,
}

/// An archive without entries.
pub fn begin() -> Vec<u8> {
    MAGIC.to_vec()
}

/// Adds a file to an archive and returns its packed size.
pub fn append(archive: &mut Vec<u8>, entry: &Entry, method: Method) -> Result<usize, Error> {
    let packed = match method {
        Method::Zlib => codec::zlib_compress(&entry.content)?,
        Method::Lz4 => codec::lz4_compress(&entry.content)?,
        Method::Bzip2 => codec::bzip2_compress(&entry.content)?,
    };
    let metadata = metadata(entry);
    archive.push(method as u8);
    archive.extend(u32::try_from(metadata.len())?.to_le_bytes());
    archive.extend(metadata);
    archive.extend((entry.content.len() as u64).to_le_bytes());
    archive.extend(codec::crc32(&entry.content)?.to_le_bytes());
    archive.extend((packed.len() as u64).to_le_bytes());
    archive.extend(&packed);
    archive.extend(codec::adler32(&packed)?.to_le_bytes());
    Ok(packed.len())
}

/// The entries of an archive, checked and unpacked one after the other.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(archive: &'a [u8]) -> Result<Self, Error> {
        let rest = archive
            .strip_prefix(MAGIC)
            .ok_or("not an archive of this tool")?;
        Ok(Reader { rest })
    }

    fn entry(&mut self) -> Result<Entry, Error> {
        let [method] = self.array()?;
        let length = u32::from_le_bytes(self.array()?);
        let metadata = codec::parse_metadata(self.bytes(length.into())?)?;
        let size = u64::from_le_bytes(self.array()?);
        if size > MAX_SIZE {
            return Err(format!(
                "{}: {size} bytes are more than this tool unpacks",
                metadata.name
            )
            .into());
        }
        let check = u32::from_le_bytes(self.array()?);
        let length = u64::from_le_bytes(self.array()?);
        let packed = self.bytes(length)?;
        if u32::from_le_bytes(self.array()?) != codec::adler32(packed)? {
            return Err(format!("{}: packed content is damaged", metadata.name).into());
        }
        let size = size as usize;
        let content = match Method::ALL.into_iter().find(|known| *known as u8 == method) {
            Some(Method::Zlib) => codec::zlib_decompress(packed, size)?,
            Some(Method::Lz4) => codec::lz4_decompress(packed, size)?,
            Some(Method::Bzip2) => codec::bzip2_decompress(packed, size)?,
            None => return Err(format!("{}: unknown method {method}", metadata.name).into()),
        };
        if content.len() != size || codec::crc32(&content)? != check {
            return Err(format!("{}: content is damaged", metadata.name).into());
        }
        Ok(Entry {
            name: metadata.name,
            mode: metadata.mode,
            content,
        })
    }

    fn bytes(&mut self, length: u64) -> Result<&'a [u8], Error> {
        let length = usize::try_from(length)?;
        let (bytes, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or("archive is cut short")?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        Ok(self.bytes(N as u64)?.try_into()?)
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| {
            let entry = self.entry();
            if entry.is_err() {
                self.rest = &[]; // where the next entry starts is not known
            }
            entry
        })
    }
}

/// Records as `csrc/tlv.c` reads them.
fn metadata(entry: &Entry) -> Vec<u8> {
    let mut records = Vec::new();
    let mut record = |tag: u8, value: &[u8]| {
        let length = value.len().min(u16::MAX.into());
        records.push(tag);
        records.extend((length as u16).to_le_bytes());
        records.extend(&value[..length]);
    };
    record(1, entry.name.as_bytes());
    record(2, entry.mode.to_string().as_bytes());
    record(4, b"packed by unpack");
    records
}
