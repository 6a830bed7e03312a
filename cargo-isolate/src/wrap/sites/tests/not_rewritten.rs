//! The messages about calls that are not rewritten.

use super::*;

#[test]
fn the_rest_is_said_with_what_to_write() {
    stays(
        "unsafe { z_sys::sum(1, p, n) };",
        "2:10 `data`: nothing says which slice `p` points into | isolated::z::sum(1, todo!(\"data: &[u8]\")).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays(
        "unsafe { z_sys::sum(1, v.as_ptr(), v.len()) };",
        "2:10 `data` takes a slice of `u8`, and `v` has `u32` | isolated::z::sum(1, todo!(\"data: &[u8]\")).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays(
        "unsafe { z_sys::close(ctx) };",
        "2:10 `ctx` is what the wrapper of `open`, `firm` or `child` returned, to keep where the pointer was | isolated::z::close(todo!(\"ctx: &Handle<ffi::Ctx>\")).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays(
        "unsafe { z_sys::step(flow, 2) };",
        "2:10 `flow` is what the wrapper of `begin` returned, an `Object` to keep where the struct was; `next` is a slice, and the result says how much of it is done | let (ret, next_done) = isolated::z::step(todo!(\"flow: &mut Object<ffi::Flow>\"), todo!(\"next: &[u8]\"), 2).unwrap_or_else(|fault| panic!(\"{}\", fault));",
    );
    stays(
        "unsafe { z_sys::begin(flow, 2) };",
        "2:10 `flow`: the wrapper makes it and returns it, an `Object` to keep where the struct was; dropping it calls `end` | let flow = match isolated::z::begin(2) { Ok(flow) => flow, Err(isolate_rt::Error::Failed(failed)) => todo!(\"{}\", failed), Err(isolate_rt::Error::Fault(fault)) => panic!(\"{}\", fault) };",
    );
    stays(
        "unsafe { z_sys::end(flow) };",
        "2:10 `flow` is what the wrapper of `begin` returned, an `Object` that ends when it is dropped: leave this call out, or pass it here | isolated::z::end(todo!(\"flow: Object<ffi::Flow>\")).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays("let f = z_sys::plain;", "2:9 its address is taken, so its calls cannot be found");
    stays(
        "mine!(unsafe { z_sys::plain(1, 2) }, 3);",
        "2:16 it is inside a macro call whose arguments could not be parsed",
    );
    stays(
        "let mut v = Vec::with_capacity(9);\nlet mut n = 9;\nunsafe { z_sys::pack(v.as_mut_ptr(), &mut n, data.as_ptr(), 3) };",
        "4:10 it is not clear that `v` is initialised for its whole length, as `vec![0; …]` is | let (ret, written) = isolated::z::pack(todo!(\"dest: &mut [u8]\"), &data[..3]).unwrap_or_else(|fault| panic!(\"{}\", fault));",
    );
    stays(
        "let mut v = Vec::with_capacity(w * h);\nunsafe { z_sys::paint(v.as_mut_ptr(), w, h) };",
        "3:10 it is not clear that `v` is initialised for its whole length, as `vec![0; …]` is | isolated::z::paint(todo!(\"pixels: &mut [u8]\"), w, h).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays(
        "unsafe { z_sys::maybe(std::ptr::null(), 3) };",
        "2:10 `data` is NULL here with the length `3`, but the wrapper passes length 0 for `None` | isolated::z::maybe(todo!(\"data: Option<&[u8]>\")).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays(
        "let all = [[0u8; 4]; 2];\nunsafe { z_sys::maybe(all.as_ptr().cast(), all.len()) };",
        "3:10 `data` takes a slice of `u8`, and `all` has `several values` | isolated::z::maybe(todo!(\"data: Option<&[u8]>\")).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays(
        "let text = [0 as c_char; 8];\nunsafe { z_sys::maybe(text.as_ptr().cast(), text.len()) };",
        "3:10 `data` takes a slice of `u8`, and `text` has `c_char` | isolated::z::maybe(todo!(\"data: Option<&[u8]>\")).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays(
        "unsafe { z_sys::maybe(std::ptr::null(), next()) };",
        "2:10 `next()` is a length that cannot be evaluated elsewhere | isolated::z::maybe(None).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays(
        "unsafe { z_sys::pack(out.as_mut_ptr(), &mut n, out.as_ptr(), 3) };",
        "2:10 `out` is written to through `dest` and used in `out.as_ptr()` as well | let (ret, written) = isolated::z::pack(&mut out[..n as usize], todo!(\"source: &[u8]\")).unwrap_or_else(|fault| panic!(\"{}\", fault));",
    );
    stays(
        "unsafe { z_sys::sum(1, data.as_ptr() /* all of it */, data.len() /* bytes */) };",
        "2:10 a comment stands where an argument would go | isolated::z::sum(1, data).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
}

/// Casts that change which bytes are meant, or how many.
#[test]
fn casts_that_mean_something() {
    let after = |call: &str| rewritten(&format!("const END: i32 = -1;\nfn f(data: &[u8]) {{\n{call}\n}}\n"));
    let stays = |call: &str, said: &str| {
        let (text, left) = after(call);
        assert!(text.contains(call) && left.len() == 1 && left[0].contains(said), "{text}{left:?}");
    };
    let nothing = |pointer: &str| format!("`data`: nothing says which slice `{pointer}` points into");
    for pointer in ["data.as_ptr().cast::<u32>().add(3).cast()", "(data.as_ptr() as *const u32).add(3) as *const u8"] {
        stays(&format!("unsafe {{ z_sys::sum(1, {pointer}, 4) }};"), &nothing(pointer));
    }
    let untyped = "is cast, and nothing here says what its elements are";
    for (values, pointer) in [("vec![0; 4]", "as_mut_ptr().cast()"), ("[0; 4]", "as_mut_ptr() as *mut u8")] {
        stays(&format!("let mut v = {values};\nunsafe {{ z_sys::flip(v.{pointer}, v.len()) }};"), untyped);
    }
    stays("unsafe { z_sys::sum(1, data.as_ptr(), END as usize) };", "`END as usize` is no length");
    stays(
        "unsafe { z_sys::sum(1, data.as_ptr(), u8::try_from(data.len()).map_err(|_| TooBig)?.into()) };",
        "nothing says how `u8::try_from(data.len()).map_err(|_| TooBig)?.into()` is the length of `data`",
    );
    let tried = "usize::try_from(n).map_err(|_| TooBig)?";
    stays(
        &format!("unsafe {{ z_sys::sum(1, data.as_ptr(), {tried}) }};"),
        &format!("`{tried}` is an error where the length is too large, which would become a panic"),
    );
    check(
        "    unsafe { z_sys::sum(1, data.as_ptr(), usize::try_from(n)?) };",
        "    isolated::z::sum(1, &data[..n as usize])?;",
    );
    let cut = "    isolated::z::sum(1, &data[..data.len() as u8 as usize])?;";
    check("    unsafe { z_sys::sum(1, data.as_ptr(), data.len() as u8 as usize) };", cut);
    check(
        "    unsafe { z_sys::sum(1, data.as_ptr().cast_mut().add(2), data.len() - 2) };",
        "    isolated::z::sum(1, &data[2..])?;",
    );
    check(
        "    unsafe { z_sys::sum(1, data.as_ptr().add(2).cast(), data.len() - 2) };",
        "    isolated::z::sum(1, &data[2..])?;",
    );
}

/// A variable whose only use was the call may lose its inferred type.
#[test]
fn types_that_come_from_the_call() {
    let why =
        "the type of `len` was inferred from this argument, which the wrapper does not take: annotate it in its `let`";
    let room = "let mut room = [0u8; 9];\n";
    for value in ["room.len() as _", "room.len().try_into().unwrap()", "9u8.into()"] {
        stays(
            &format!(
                "{room}let mut len = {value};\nunsafe {{ z_sys::pack(room.as_mut_ptr(), &mut len, data.as_ptr(), data.len() as c_ulong) }};"
            ),
            &format!(
                "4:10 {why} | let (ret, written) = isolated::z::pack(&mut room[..len as usize], data).unwrap_or_else(|fault| panic!(\"{{}}\", fault));"
            ),
        );
        stays(
            &format!("{room}let len = {value};\nunsafe {{ z_sys::sum(1, room.as_ptr(), len) }};"),
            &format!("4:10 {why} | isolated::z::sum(1, &room[..len]).unwrap_or_else(|fault| panic!(\"{{}}\", fault))"),
        );
    }
}

/// A wrapper frees what it copies, so the program must not.
#[test]
fn what_wrappers_call_themselves_has_none() {
    stays(
        "unsafe { z_sys::release(text) };",
        "2:10 the wrapper of `joined` frees with it what C returned, and gives a copy, which frees itself: leave it out",
    );
    stays(
        "let f = z_sys::release;",
        "2:9 the wrapper of `joined` frees with it what C returned, and gives a copy, which frees itself: leave it out",
    );
}

/// Where `?` returns the errors, the remaining value is destructured.
#[test]
fn what_is_returned_is_named() {
    let among = |call: &str, why: &str| {
        let text = format!("fn f(data: &[u8], p: *mut u8) -> Result<i32, Box<dyn std::error::Error>> {{\n{call}\n}}\n");
        assert_eq!(rewritten(&text), (text.clone(), vec![why.to_owned()]));
    };
    among(
        "let mut p = DEFAULT;\nunsafe { z_sys::locate(data.as_ptr(), data.len(), &mut p) };",
        "3:10 `found`: where the function writes nothing, `p` keeps what it had, and the wrapper gives zero | let (ret, found) = isolated::z::locate(data)?;",
    );
    among(
        "unsafe { z_sys::shrink(p, 3, 3) };",
        "2:10 `dest`: nothing says which slice `p` points into | let written = isolated::z::shrink(todo!(\"dest: &mut [u8]\"), 3)?;",
    );
    among(
        "unsafe { z_sys::sum(1, p, n) };",
        "2:10 `data`: nothing says which slice `p` points into | isolated::z::sum(1, todo!(\"data: &[u8]\"))?",
    );
    among(
        "unsafe { z_sys::child(ctx) };",
        "2:10 `of` is what the wrapper of `open`, `firm` or `child` returned, to keep where the pointer was | let Some(ret) = isolated::z::child(todo!(\"of: &Handle<ffi::Ctx>\"))? else { todo!(\"NULL\") };",
    );
    among(
        "let text = unsafe { std::ffi::CStr::from_ptr(z_sys::joined(3)) };",
        "2:46 the wrapper returns a copy, a `CString`, where C returned a pointer | isolated::z::joined(3)?",
    );
}

/// The parameters of a suggested closure are those of the header, without user data and without lengths that a slice
/// contains.
#[test]
fn closures_take_the_place_of_callbacks() {
    let closure = "`back` is a callback: the wrapper takes a closure, which captures the user data itself";
    stays(
        "unsafe { z_sys::visit(Some(back), &mut state as *mut _ as *mut c_void) };",
        &format!(
            "2:10 {closure} | isolated::z::visit(|name, values, of_kind| todo!(\"what the callback does: a `c_int`\")).unwrap_or_else(|fault| panic!(\"{{}}\", fault))"
        ),
    );
    stays(
        "unsafe { z_sys::each(Some(back), std::ptr::null_mut()) };",
        &format!(
            "2:10 {closure} | isolated::z::each(Some(&mut |n| todo!(\"what the callback does\"))).unwrap_or_else(|fault| panic!(\"{{}}\", fault))"
        ),
    );
}

#[test]
fn what_is_always_the_same_may_be_another_here() {
    stays(
        "unsafe { z_sys::tune(2, mode, p, c\"1.2\".as_ptr()) };",
        "2:10 `mode` is always -3 in the wrapper, and `mode` may be another | isolated::z::tune(2).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays(
        "unsafe { z_sys::tune(2, -3, p, c\"1.2\".as_ptr()) };",
        "2:10 `scratch` is always NULL in the wrapper, and `p` may be another | isolated::z::tune(2).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
    stays(
        "unsafe { z_sys::tune(2, -3, std::ptr::null_mut(), c\"1.3\".as_ptr()) };",
        "2:10 `version` is always \"1.2\" in the wrapper, and `c\"1.3\".as_ptr()` may be another | isolated::z::tune(2).unwrap_or_else(|fault| panic!(\"{}\", fault))",
    );
}
