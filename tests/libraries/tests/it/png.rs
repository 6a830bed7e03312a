//! libpng: pictures written to and read from closures, which its objects keep.

use crate::isolation::isolation;
use crate::pictures::{Picture, pictures};
use isolate_libraries::isolated::png;
use isolate_rt::{Error, Fault, FaultKind, Handle, Null, Owned};
use libpng_sys::ffi::{self, png_info, png_struct};
use std::ffi::{CStr, c_int, c_void};
use std::io::{Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What libpng compares with its own, up to the second dot.
const VERSION: &CStr = c"1.6.0";
const RGBA: c_int = ffi::PNG_COLOR_TYPE_RGBA as c_int;

/// Damaged pictures end the instance that others would be using.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

type Shared<T> = Arc<Mutex<T>>;

fn lock<T>(shared: &Shared<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("no closure panicked")
}

/// The file that the wrappers make of a picture, which `write` gives to libpng row by row.
fn file(
    picture: &Picture,
    interlaced: bool,
    write: impl FnOnce(&Owned<png_struct>) -> Result<(), Fault>,
) -> Result<Vec<u8>, Error<Null>> {
    let png = png::png_create_write_struct(VERSION, None, None)?;
    let info = png::png_create_info_struct(&png)?;
    let file = Shared::<Vec<u8>>::default();
    let sink = file.clone();
    png::png_set_write_fn(&png, move |_, bytes| lock(&sink).extend_from_slice(bytes), None)?;
    let (width, height) = (picture.width as u32, picture.height as u32);
    png::png_set_IHDR(&png, &info, width, height, 8, RGBA, interlaced.into(), 0, 0)?;
    png::png_write_info(&png, &info)?;
    write(&png)?;
    png::png_write_end(&png, &info)?;
    drop((info, png));
    Ok(Arc::into_inner(file).expect("the closure went with its object").into_inner().expect("nobody panicked"))
}

fn written(picture: &Picture) -> Result<Vec<u8>, Error<Null>> {
    file(picture, false, |png| picture.rgba.chunks(picture.stride()).try_for_each(|row| png::png_write_row(png, row)))
}

/// What direct calls make of it.
fn file_directly(picture: &Picture, interlaced: bool, write: impl FnOnce(&mut png_struct)) -> Vec<u8> {
    /// # Safety
    ///
    /// As libpng calls it.
    unsafe extern "C" fn sink(png: *mut png_struct, bytes: *mut u8, len: usize) {
        // SAFETY: the pointer that was set below, and the bytes that libpng has for us.
        unsafe {
            (*ffi::png_get_io_ptr(&*png).cast::<Vec<u8>>()).extend_from_slice(std::slice::from_raw_parts(bytes, len));
        }
    }
    let mut file = Vec::new();
    // SAFETY: the file outlives what writes to it.
    unsafe {
        let mut png = ffi::png_create_write_struct(VERSION.as_ptr(), ptr::null_mut(), None, None);
        let mut info = ffi::png_create_info_struct(&*png);
        ffi::png_set_write_fn(&mut *png, (&raw mut file).cast::<c_void>(), Some(sink), None);
        let (width, height) = (picture.width as u32, picture.height as u32);
        ffi::png_set_IHDR(&*png, &mut *info, width, height, 8, RGBA, interlaced.into(), 0, 0);
        ffi::png_write_info(&mut *png, &*info);
        write(&mut *png);
        ffi::png_write_end(&mut *png, &mut *info);
        ffi::png_destroy_write_struct(&mut png, &mut info);
    }
    file
}

fn written_directly(picture: &Picture) -> Vec<u8> {
    file_directly(picture, false, |png| {
        for row in picture.rgba.chunks(picture.stride()) {
            // SAFETY: rows are as long as the header says.
            unsafe { ffi::png_write_row(png, row.as_ptr()) };
        }
    })
}

/// Objects that read a file, and what libpng says of it.
type Reader = (Owned<png_struct>, Owned<png_info>, Shared<String>);

fn reader(file: &[u8]) -> Result<Reader, Error<Null>> {
    let errors = Shared::<String>::default();
    let told = errors.clone();
    let note = move |_: &Handle<png_struct>, error: &CStr| *lock(&told) = error.to_string_lossy().into_owned();
    let png = png::png_create_read_struct(VERSION, Some(Box::new(note)), None)?;
    let info = png::png_create_info_struct(&png)?;
    let mut source = Cursor::new(file.to_vec());
    // Where the file ends, zeros are what libpng gets: no chunk of its.
    png::png_set_read_fn(&png, move |_, room| drop(source.read(room)))?;
    Ok((png, info, errors))
}

/// The picture that the wrappers read: width and pixels.
fn read(file: &[u8]) -> Result<(u32, Vec<u8>), Error<Null>> {
    let (png, info, _) = reader(file)?;
    png::png_read_info(&png, &info)?;
    png::png_set_expand(&png)?;
    png::png_read_update_info(&png, &info)?;
    let (width, height) = (png::png_get_image_width(&png, &info)?, png::png_get_image_height(&png, &info)?);
    let stride = png::png_get_rowbytes(&png, &info)?;
    let mut pixels = vec![0; stride * height as usize];
    for row in pixels.chunks_mut(stride) {
        png::png_read_row(&png, row)?;
    }
    png::png_read_end(&png, &info)?;
    Ok((width, pixels))
}

#[test]
fn there_and_back() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    for picture in pictures() {
        let file = written(&picture).unwrap();
        assert!(file == written_directly(&picture), "{}", picture.name);
        let (width, pixels) = read(&file).unwrap();
        assert!(width as usize == picture.width && pixels == picture.rgba, "{}", picture.name);
    }
}

/// What libpng cannot read ends the call: it tells its error function, and jumps to where nobody waits. The next picture is fine.
#[test]
fn damaged() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let pictures = pictures();
    let good = written(&pictures[0]).unwrap();
    let check = |file: &[u8], expected: &str| {
        let (png, info, errors) = reader(file).unwrap();
        let fault = png::png_read_info(&png, &info).unwrap_err();
        assert!(fault.discarded_instance(), "{fault}");
        assert_eq!(*lock(&errors), expected);
        // Everything that was made in that instance is gone, and says so.
        assert_eq!(*png::png_get_image_width(&png, &info).unwrap_err().kind(), FaultKind::StaleHandle);
        assert!(read(&good).is_ok());
    };
    check(b"GIF89a", "Not a PNG file");
    check(&good[..20], "IHDR: CRC error");
    let mut damaged = good.clone();
    damaged[16] ^= 0x80;
    check(&damaged, "IHDR: CRC error");
}

/// Rows are as long as libpng has told, and nobody need say so; before that, and with shorter slices, there is an `Err`.
#[test]
fn rows() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let file = written(&pictures()[3]).unwrap();
    let (png, info, _) = reader(&file).unwrap();
    let mut row = [0; 4 * 160];
    assert!(matches!(png::png_read_row(&png, &mut row).unwrap_err().kind(), FaultKind::InvalidValue { .. }));
    png::png_read_info(&png, &info).unwrap();
    png::png_read_update_info(&png, &info).unwrap();
    let short = png::png_read_row(&png, &mut row[1..]).unwrap_err();
    assert_eq!(*short.kind(), FaultKind::TooLarge { requested: 4 * 160, limit: 4 * 160 - 1 });
    png::png_read_row(&png, &mut row).unwrap();
}

/// A picture as rows, all in one call, in the passes that an interlaced file wants.
mod whole {
    use super::*;

    fn written(picture: &Picture, interlaced: bool) -> Result<Vec<u8>, Error<Null>> {
        let rows: Vec<_> = picture.rgba.chunks(picture.stride()).collect();
        file(picture, interlaced, |png| {
            if interlaced {
                let fewer = png::png_write_image(png, &rows[1..]).unwrap_err();
                assert_eq!(*fewer.kind(), FaultKind::TooLarge { requested: rows.len(), limit: rows.len() - 1 });
                return png::png_write_image(png, &rows);
            }
            let (first, rest) = rows.split_at(rows.len() / 2);
            png::png_write_rows(png, first)?;
            png::png_write_rows(png, rest)
        })
    }

    fn written_directly(picture: &Picture) -> Vec<u8> {
        let mut rows: Vec<_> = picture.rgba.chunks(picture.stride()).map(|row| row.as_ptr().cast_mut()).collect();
        // SAFETY: there are as many rows as the header says, which nobody writes to.
        file_directly(picture, true, |png| unsafe { ffi::png_write_image(png, rows.as_mut_ptr()) })
    }

    /// The pixels that `read` puts into rows, each of them longer than it need be.
    fn pixels(
        file: &[u8],
        picture: &Picture,
        read: impl Fn(&Owned<png_struct>, &mut [&mut [u8]]),
    ) -> Result<Vec<u8>, Error<Null>> {
        let (png, info, _) = reader(file)?;
        png::png_read_info(&png, &info)?;
        png::png_set_interlace_handling(&png)?;
        png::png_read_update_info(&png, &info)?;
        let mut room = vec![7; (picture.stride() + 3) * picture.height];
        let mut rows: Vec<_> = room.chunks_mut(picture.stride() + 3).collect();
        read(&png, &mut rows);
        assert!(rows.iter().all(|row| row[picture.stride()..] == [7; 3]), "{}", picture.name);
        Ok(rows.iter().flat_map(|row| &row[..picture.stride()]).copied().collect())
    }

    #[test]
    fn there_and_back() {
        if !isolation() {
            return;
        }
        let _alone = alone();
        for picture in pictures() {
            let file = written(&picture, true).unwrap();
            assert!(file == written_directly(&picture), "{}", picture.name);
            let read = pixels(&file, &picture, |png, rows| png::png_read_image(png, rows).unwrap());
            assert!(read.unwrap() == picture.rgba, "{}", picture.name);

            let file = written(&picture, false).unwrap();
            assert!(file == super::written_directly(&picture), "{}", picture.name);
            let read = pixels(&file, &picture, |png, rows| {
                let (first, rest) = rows.split_at_mut(1);
                png::png_read_rows(png, first).unwrap();
                png::png_read_rows(png, rest).unwrap();
            });
            assert!(read.unwrap() == picture.rgba, "{}", picture.name);
        }
    }

    /// No row is written, whichever is too short.
    #[test]
    fn rows_that_are_too_short() {
        if !isolation() {
            return;
        }
        let _alone = alone();
        let picture = &pictures()[3];
        let file = written(picture, false).unwrap();
        let all = pixels(&file, picture, |png, rows| {
            let last = rows.len() - 1;
            let fewer = png::png_read_image(png, &mut rows[1..]).unwrap_err();
            assert_eq!(*fewer.kind(), FaultKind::TooLarge { requested: last + 1, limit: last });
            let whole = std::mem::take(&mut rows[last]);
            let short = png::png_read_image(png, rows).unwrap_err();
            assert_eq!(*short.kind(), FaultKind::TooLarge { requested: picture.stride(), limit: 0 });
            rows[last] = whole;
        });
        assert!(all.unwrap().iter().all(|byte| *byte == 7));
    }
}

/// A closure may be replaced, and may panic; objects end in their order whichever is dropped first.
#[test]
fn closures() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let file = written(&pictures()[0]).unwrap();
    let (png, info, _) = reader(b"not this").unwrap();
    let mut source = Cursor::new(file.clone());
    png::png_set_read_fn(&png, move |_, room| source.read_exact(room).expect("a whole file")).unwrap();
    png::png_read_info(&png, &info).unwrap();
    assert_eq!(png::png_destroy_read_struct(png).unwrap_err().kind(), &FaultKind::InUse);
    drop(info);

    let (png, info, _) = reader(&file).unwrap();
    png::png_set_read_fn(&png, |_, _| panic!("no file")).unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| png::png_read_info(&png, &info))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"no file"));
    drop((png, info));
    assert!(read(&file).is_ok());
}

/// A library that is told to do without a callback has no use for the former: what that owned goes.
#[test]
fn no_closure_ends_the_former() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let png = png::png_create_write_struct(VERSION, None, None).unwrap();
    let owned = Shared::<Vec<u8>>::default();
    let flush = {
        let owned = Shared::clone(&owned);
        move |_: &Handle<_>| lock(&owned).clear()
    };
    png::png_set_write_fn(&png, |_, _| {}, Some(Box::new(flush))).unwrap();
    assert_eq!(Arc::strong_count(&owned), 2);
    png::png_set_write_fn(&png, |_, _| {}, None).unwrap();
    assert_eq!(Arc::strong_count(&owned), 1);
}
