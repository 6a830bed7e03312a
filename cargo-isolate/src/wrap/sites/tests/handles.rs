//! Pointers to objects that become handles, or remain pointers with all of their uses.

use super::*;

/// Checks a whole file before and after.
#[track_caller]
fn becomes(before: &str, after: &str) {
    let (text, left) = rewritten(before);
    assert_eq!((&*text, left), (after, Vec::<String>::new()));
    assert_eq!(rewritten(&text), (text, Vec::new()), "a second time changes nothing");
}

/// Checks that a file does not change.
#[track_caller]
fn keeps(text: &str) {
    let (after, left) = rewritten(text);
    assert_eq!(after, text);
    assert!(!left.is_empty());
}

/// Checks that none of these files changes.
#[track_caller]
fn all_keep(texts: impl IntoIterator<Item = String>) {
    let is_kept = |text: &String| {
        let (after, left) = rewritten(text);
        after == *text && !left.is_empty()
    };
    let changed: Vec<_> = texts.into_iter().filter(|text| !is_kept(text)).collect();
    assert!(changed.is_empty(), "{}", changed.join("\n---\n"));
}

/// The text with one replacement, which must match.
#[track_caller]
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

const STRUCT: &str = "\
/// Kept.
struct Owner {
    // The context.
    ctx: *mut z_sys::Ctx,
}

impl Owner {
    fn new() -> Option<Owner> {
        let ctx = unsafe { z_sys::open() };
        if ctx.is_null() {
            return None;
        }
        Some(Owner { ctx })
    }

    fn poke(&self, n: i32) -> i32 {
        // SAFETY: it is there.
        unsafe { z_sys::poke(self.ctx, n) }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        unsafe { z_sys::close(self.ctx) }
    }
}
";

#[test]
fn fields_become_handles() {
    becomes(
        STRUCT,
        "\
/// Kept.
struct Owner {
    // The context.
    ctx: isolate_rt::Handle<z_sys::Ctx>,
}

impl Owner {
    fn new() -> Option<Owner> {
        let Some(ctx) = isolated::z::open().unwrap_or_else(|fault| panic!(\"{}\", fault)) else {
            return None;
        };
        Some(Owner { ctx })
    }

    fn poke(&self, n: i32) -> i32 {
        isolated::z::poke(&self.ctx, n).unwrap_or_else(|fault| panic!(\"{}\", fault))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(isolated::z::close(&self.ctx))
    }
}
",
    );
}

/// A pointer is converted with all of its uses, or not at all.
#[test]
fn what_is_done_otherwise_keeps_all_of_it() {
    for (from, to) in [
        ("        unsafe { z_sys::poke(self.ctx, n) }", "        self.ctx as i32 + n"),
        ("        unsafe { z_sys::poke(self.ctx, n) }", "        unsafe { z_sys::other(self.ctx) }"),
        ("        unsafe { z_sys::poke(self.ctx, n) }", "        mine!(self.ctx)"),
        ("        unsafe { z_sys::poke(self.ctx, n) }", "        let other = make(); other.ctx as i32"),
        (
            "        unsafe { z_sys::close(self.ctx) }",
            "        unsafe { z_sys::close(self.ctx) };\n        free(self.ctx)",
        ),
        ("    ctx: *mut", "    pub ctx: *mut"),
        ("/// Kept.", "#[derive(Clone)]"),
        ("/// Kept.", "#[repr(C)]"),
        (
            "        Some(Owner { ctx })",
            "        let it = Owner { ctx };\n        unsafe { z_sys::poke(ctx, 2) };\n        Some(it)",
        ),
        ("        let ctx = unsafe { z_sys::open() };", "        let ctx = unsafe { z_sys::open() }; // once"),
        ("        Some(Owner { ctx })", "        Some(Owner { ctx: steal(ctx) })"),
        ("        Some(Owner { ctx })", "        keep(ctx);\n        Some(Owner { ctx })"),
    ] {
        let text = STRUCT.replace(from, to);
        assert_ne!(text, STRUCT);
        keeps(&text);
    }
}

/// A field whose object is destroyed in `drop`, on every path.
const OWNED: &str = "\
struct Txn {
    own: *mut z_sys::Own,
    keep: bool,
}

impl Txn {
    fn new() -> Option<Txn> {
        let own = unsafe { z_sys::grow() };
        if own.is_null() {
            return None;
        }
        Some(Txn { own, keep: false })
    }

    fn ask(&mut self) -> i32 {
        unsafe { z_sys::ask_own(self.own) }
    }
}

impl Drop for Txn {
    fn drop(&mut self) {
        unsafe { z_sys::unmake(self.own) }
    }
}
";

#[test]
fn fields_that_end_in_drop() {
    let after = "\
struct Txn {
    own: Option<isolate_rt::Owned<z_sys::Own>>,
    keep: bool,
}

impl Txn {
    fn new() -> Option<Txn> {
        let own = isolated::z::grow().unwrap_or_else(|fault| panic!(\"{}\", fault));
        if own.is_none() {
            return None;
        }
        Some(Txn { own, keep: false })
    }

    fn ask(&mut self) -> i32 {
        isolated::z::ask_own(self.own.as_ref().expect(\"`self.own` is NULL\")).unwrap_or_else(|fault| panic!(\"{}\", fault))
    }
}

impl Drop for Txn {
    fn drop(&mut self) {
        drop(self.own.take())
    }
}
";
    becomes(OWNED, after);
    // The object is destroyed by another function than the one that the contract of `grow` names.
    becomes(
        &OWNED.replace("z_sys::unmake(", "z_sys::commit("),
        &after.replace("drop(self.own.take())", "drop(self.own.take().map(isolated::z::commit))"),
    );
    // Destroyed only if there is an object, and before NULL is assigned.
    becomes(
        &OWNED.replace(
            "        unsafe { z_sys::unmake(self.own) }",
            "        if !self.own.is_null() {\n            unsafe { z_sys::unmake(self.own) };\n            self.own = std::ptr::null_mut();\n        }",
        ),
        &after.replace(
            "        drop(self.own.take())",
            "        if !self.own.is_none() {\n            drop(self.own.take());\n            self.own = None;\n        }",
        ),
    );
}

/// In each of these, an `Owned` would change the program's behaviour.
#[test]
fn what_would_end_elsewhere_stays() {
    let end = "        unsafe { z_sys::unmake(self.own) }";
    let ask = "        unsafe { z_sys::ask_own(self.own) }";
    let made = "        Some(Txn { own, keep: false })";
    all_keep(
        [
        // A choice between two functions that destroy it.
        (
            end,
            "        if self.keep { unsafe { z_sys::unmake(self.own) } } else { unsafe { z_sys::commit(self.own) } }",
        ),
        // The library has destroyed it.
        (
            ask,
            "        let n = unsafe { z_sys::ask_own(self.own) };\n        if n < 0 {\n            self.own = std::ptr::null_mut();\n        }\n        n",
        ),
        // The program keeps it, sometimes or always.
        (
            end,
            "        if self.keep || std::thread::panicking() {\n            return;\n        }\n        unsafe { z_sys::unmake(self.own) }",
        ),
        (end, "        if !self.keep {\n            unsafe { z_sys::unmake(self.own) };\n        }"),
        (end, "        #[cfg(unix)]\n        unsafe { z_sys::unmake(self.own) };"),
        ("    fn drop(&mut self)", "    #[cfg(unix)]\n    fn drop(&mut self)"),
        ("impl Drop for Txn {\n    fn drop(", "impl Txn {\n    fn end("),
        ("impl Drop for Txn {\n    fn drop(&mut self) {\n        unsafe { z_sys::unmake(self.own) }\n    }\n}\n", ""),
        (
            made,
            "        if is_bad() {\n            return None;\n        }\n        Some(Txn { own, keep: false })",
        ),
        (made, "        let keep = parse()?;\n        Some(Txn { own, keep })"),
        (made, "        Some(Txn { own, keep: parse()? })"),
        (made, "        if fast() { Some(Txn { own, keep: true }) } else { None }"),
        // It is moved in two places.
        (made, "        if fast() { Some(Txn { own, keep: true }) } else { Some(Txn { own, keep: false }) }"),
        ("struct Txn", "#[derive(PartialEq)]\nstruct Txn"),
        // `drop` is a method of another trait.
        ("impl Drop for Txn", "impl End for Txn"),
        ("impl Drop for Txn {\n    fn drop(&mut self)", "impl End for Txn {\n    fn drop(&self)"),
        ]
        .map(|(from, to)| replaced(OWNED, from, to)),
    );
    all_keep(
        [
        // The library keeps it.
        "    let own = unsafe { z_sys::grow() };\n    unsafe { z_sys::ask_own(own) };",
        "    let own = unsafe { z_sys::grow() };\n    if keep() {\n        return;\n    }\n    unsafe { z_sys::unmake(own) };",
        "    let own = unsafe { z_sys::grow() };\n    if !keep() {\n        unsafe { z_sys::unmake(own) };\n    }",
        "    let own = unsafe { z_sys::grow() };\n    unsafe { z_sys::ask_own(own) };\n    mine!();\n    unsafe { z_sys::unmake(own) };",
        // A second object is stored in the same place.
        "    let mut own = std::ptr::null_mut();\n    for _ in 0..2 {\n        unsafe { z_sys::make(&mut own) };\n        unsafe { z_sys::ask_own(own) };\n    }\n    unsafe { z_sys::unmake(own) };",
        "    let mut own = std::ptr::null_mut();\n    unsafe { z_sys::make(&mut own) };\n    unsafe { z_sys::make(&mut own) };\n    unsafe { z_sys::unmake(own) };",
        // In code that runs more than once, or later.
        "    let own = unsafe { z_sys::grow() };\n    if own.is_null() {\n        return;\n    }\n    while more() {\n        unsafe { z_sys::unmake(own) };\n    }",
        "    let own = unsafe { z_sys::grow() };\n    if own.is_null() {\n        return;\n    }\n    each(|| unsafe { z_sys::unmake(own) });",
        "    let own = unsafe { z_sys::grow() };\n    each(move || unsafe { z_sys::ask_own(own) });\n    unsafe { z_sys::unmake(own) };",
        ]
        .map(|body| format!("fn f() {{\n{body}\n}}\n")),
    );
}

/// In each of these, a handle would cause a fault, a panic or a compile error that was not there before.
#[test]
fn what_would_fail_otherwise_stays() {
    let poke = "        unsafe { z_sys::poke(self.ctx, n) }";
    let close = "        unsafe { z_sys::close(self.ctx) }";
    all_keep(
        [
            // The wrapper never returns `None`, and the program checks for NULL.
            ("z_sys::open()", "z_sys::firm(1)"),
            // A panic in a function that `drop` calls.
            (close, "        self.poke(2);\n        unsafe { z_sys::close(self.ctx) }"),
            // Ambiguous names.
            ("/// Kept.\n", "type Alias = Owner;\n"),
            ("/// Kept.\n", "pub use Owner as Alias;\n"),
            ("/// Kept.\n", "fn f(it: Alias) {\n    let Alias { ctx } = it;\n}\n"),
            ("/// Kept.\n", "fn f(it: std::sync::Arc<Owner>) {\n    unsafe { z_sys::poke(it.ctx, 1) };\n}\n"),
            ("/// Kept.\n", "fn f(it: Guard) {\n    unsafe { z_sys::poke(it.ctx, 1) };\n}\nstruct Guard;\n"),
            ("/// Kept.\n", "fn f(it: Alias) {\n    unsafe { z_sys::poke(it.ctx, 1) };\n}\n"),
            (
                "/// Kept.\n",
                "impl Alias {\n    fn f(&self) {\n        unsafe { z_sys::poke(self.ctx, 1) };\n    }\n}\n",
            ),
            ("/// Kept.\n", "mod inner {\n    struct Owner {\n        ctx: *mut u8,\n    }\n}\n"),
            // Other arguments of the call that use the place.
            (poke, "        unsafe { z_sys::poke(self.ctx, self.next()) }"),
            (poke, "        unsafe { z_sys::poke(self.ctx, next(self)) }"),
            (poke, "        unsafe { z_sys::poke(self.ctx, next(&mut self.n)) }"),
            ("/// Kept.\n", "enum Kind {\n    Owner(Owner),\n}\n"),
            ("        Some(Owner { ctx })", "        each().map(|_| Owner { ctx })"),
            (
                "        Some(Owner { ctx })",
                "        for _ in 0..2 {\n            keep(Owner { ctx });\n        }\n        None",
            ),
            // Code that cannot have a handle, or is not understood.
            ("    fn poke(", "    const fn poke("),
            (poke, "        (|| unsafe { z_sys::poke(self.ctx, n) })()"),
            (poke, "        println!(\"{}\", mine!(n));\n        unsafe { z_sys::poke(self.ctx, n) }"),
        ]
        .map(|(from, to)| replaced(STRUCT, from, to)),
    );
    all_keep([replaced(STRUCT, close, "        self.end()")
        + "impl Owner {\n    fn end(&self) {\n        again(self)\n    }\n}\nfn again(of: &Owner) {\n    unsafe { z_sys::close(of.ctx) };\n}\n"]);
    let tuple = "struct Owner(std::ptr::NonNull<z_sys::Ctx>);\nimpl Owner {\n    fn new() -> Option<Self> {\n        Some(Owner(std::ptr::NonNull::new(unsafe { z_sys::open() })?))\n    }\n}\n";
    all_keep(
        [
            "fn f(it: Option<std::ptr::NonNull<z_sys::Ctx>>) -> Option<Owner> {\n    it.map(Owner)\n}\n",
            "fn f(it: &Owner) {\n    mine!(it.0);\n}\n",
            "fn f(it: &Owner) {\n    let all = vec![it.0; 2];\n}\n",
        ]
        .map(|other| format!("{tuple}{other}")),
    );
    keeps(&tuple.replace("z_sys::open()", "z_sys::firm(1)"));
    // The inner function has a local of its own.
    becomes(
        "fn outer() {\n    fn inner() {\n        let ctx = unsafe { z_sys::open() };\n        if ctx.is_null() {\n            return;\n        }\n        unsafe { z_sys::close(ctx) };\n    }\n    inner()\n}\n",
        "fn outer() {\n    fn inner() {\n        let Some(ctx) = isolated::z::open().unwrap_or_else(|fault| panic!(\"{}\", fault)) else {\n            return;\n        };\n        isolated::z::close(&ctx).unwrap_or_else(|fault| panic!(\"{}\", fault));\n    }\n    inner()\n}\n",
    );
}

/// A pointer that may be NULL becomes an `Option`.
#[test]
fn fields_that_may_be_null() {
    let text = STRUCT
        .replace("            return None;\n", "            println!(\"no memory\");\n")
        .replace("        unsafe { z_sys::close(self.ctx) }", "        if !self.ctx.is_null() {\n            unsafe { z_sys::close(self.ctx) };\n            self.ctx = std::ptr::null_mut();\n        }");
    let after = "\
/// Kept.
struct Owner {
    // The context.
    ctx: Option<isolate_rt::Handle<z_sys::Ctx>>,
}

impl Owner {
    fn new() -> Option<Owner> {
        let ctx = isolated::z::open().unwrap_or_else(|fault| panic!(\"{}\", fault));
        if ctx.is_none() {
            println!(\"no memory\");
        }
        Some(Owner { ctx })
    }

    fn poke(&self, n: i32) -> i32 {
        isolated::z::poke(self.ctx.as_ref().expect(\"`self.ctx` is NULL\"), n).unwrap_or_else(|fault| panic!(\"{}\", fault))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !self.ctx.is_none() {
            drop(self.ctx.as_ref().map(isolated::z::close));
            self.ctx = None;
        }
    }
}
";
    let (rewritten, left) = rewritten(&text);
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!((plain(&rewritten), left), (plain(after), Vec::<String>::new()));
}

/// `NonNull::new` checks for NULL itself.
#[test]
fn non_null_fields() {
    becomes(
        "\
struct Owner(std::ptr::NonNull<z_sys::Ctx>);

impl Owner {
    fn new() -> Option<Self> {
        Some(Owner(std::ptr::NonNull::new(unsafe { z_sys::open() })?))
    }

    fn poke(&mut self) -> i32 {
        unsafe { z_sys::poke(self.0.as_ptr(), 2) }
    }
}
",
        "\
struct Owner(isolate_rt::Handle<z_sys::Ctx>);

impl Owner {
    fn new() -> Option<Self> {
        Some(Owner(isolated::z::open().unwrap_or_else(|fault| panic!(\"{}\", fault))?))
    }

    fn poke(&mut self) -> i32 {
        isolated::z::poke(&self.0, 2).unwrap_or_else(|fault| panic!(\"{}\", fault))
    }
}
",
    );
}

/// An object whose whole lifetime is in one function.
#[test]
fn locals_become_handles() {
    check(
        "    let ctx = unsafe { z_sys::open() };\n    if ctx.is_null() {\n        return Ok(()); // none\n    }\n    let n = unsafe { z_sys::poke(ctx, 2) };\n    unsafe { z_sys::close(ctx) };",
        "    let Some(ctx) = isolated::z::open()? else {\n        return Ok(()); // none\n    };\n    let n = isolated::z::poke(&ctx, 2)?;\n    isolated::z::close(&ctx)?;",
    );
    check(
        "    let mut own = std::ptr::null_mut();\n    let code = unsafe { z_sys::make(&mut own) };\n    unsafe { z_sys::ask_own(own) };\n    unsafe { z_sys::unmake(own) };",
        "    let mut own = None;\n    let code = {\n        let (ret, object) = isolated::z::make()?;\n        own = object;\n        ret\n    };\n    isolated::z::ask_own(own.as_ref().expect(\"`own` is NULL\"))?;\n    own.map(isolated::z::unmake).transpose()?;",
    );
}

/// An object from a function that reports failure exists if the function did not fail.
#[test]
fn objects_of_functions_that_fail() {
    let after = "    let mut own = None;\n    CODE\n    let n = isolated::z::ask_own(own.as_ref().expect(\"`own` is NULL\"))?;\n    own.map(isolated::z::unmake).transpose()?;";
    let made = "isolated::z::build(3).map(|object| { own = Some(object); 0 }).or_else(|error| error.into_code())?";
    let before = "    let mut own = std::ptr::null_mut();\n    CODE\n    let n = unsafe { z_sys::ask_own(own) };\n    unsafe { z_sys::unmake(own) };";
    let sure = "fn sure(code: i32) -> Result<(), Error> { if code == 0 { Ok(()) } else { Err(Error(code)) } }\nfn less(code: i32) -> Result<(), Error> { if code <= 0 { Ok(()) } else { Err(Error(code)) } }\nfn more(code: i32) -> Result<(), Error> { if code == 0 && calm() { Ok(()) } else { Err(Error(code)) } }\n";
    for code in [
        "let code = MAKE; if code != 0 { return Err(Error(code).into()); }",
        "if MAKE != 0 { return Err(Error(1).into()); }",
        "sure(MAKE)?;",
        "match MAKE { 0 => {} 1 => return Err(Error(2).into()), code => return Err(Error(code).into()) }",
    ] {
        let old = before.replace("CODE", &code.replace("MAKE", "unsafe { z_sys::build(&mut own, 3) }"));
        check_among(sure, &old, &after.replace("CODE", &code.replace("MAKE", made)));
    }
    // Paths on which the object is not destroyed, or may not be.
    all_keep(
        [
            "let code = MAKE; if code >= 0 { return Err(Error(code).into()); }",
            "let code = MAKE; if code != 0 || calm() { return Err(Error(code).into()); }",
            "let code = MAKE; calm()?; if code != 0 { return Err(Error(code).into()); }",
            "let code = MAKE; if code != 0 { return Err(Error(code).into()); } calm()?;",
            "more(MAKE)?;",
            "unknown(MAKE)?;",
            "match MAKE { 0 => {} 1 => return Err(Error(2).into()), code => calm()? }\n    calm()?;",
        ]
        .map(|code| {
            let body = before.replace("CODE", &code.replace("MAKE", "unsafe { z_sys::build(&mut own, 3) }"));
            format!("{sure}fn f() -> Result<(), Box<dyn std::error::Error>> {{\n{body}\n}}\n")
        }),
    );
    let text = replaced(
        OWNED,
        "        let own = unsafe { z_sys::grow() };\n        if own.is_null() {\n            return None;\n        }\n",
        "        let mut own = std::ptr::null_mut();\n        if unsafe { z_sys::build(&mut own, 3) } != 0 {\n            return None;\n        }\n",
    );
    let (text, left) = rewritten(&text);
    assert!(left.is_empty() && text.contains("own: Option<isolate_rt::Owned<z_sys::Own>>,"), "{text}{left:?}");
}

/// A local that exists only for its address is removed.
#[test]
fn locals_for_an_address() {
    check(
        "    let p = data.as_ptr();\n    let s = unsafe { z_sys::sum(1, p, data.len()) };",
        "    let s = isolated::z::sum(1, data)?;",
    );
    check(
        "    let p = &data[0] as *const u8;\n    let s = unsafe { z_sys::sum(1, p, data.len()) };",
        "    let _p = &data[0] as *const u8;\n    let s = isolated::z::sum(1, data)?;",
    );
    keeps(
        "fn f(data: &[u8], mut i: usize) {\n    unsafe {\n        let p = data.as_ptr().add(i);\n        i += 1;\n        z_sys::sum(1, p, data.len() - 3);\n    }\n}\n",
    );
    for used in ["let q = p;", "data = other;", "let p = 3;"] {
        let text = format!(
            "fn f(mut data: &[u8]) {{\n    let p = data.as_ptr();\n    {used}\n    let s = unsafe {{ z_sys::sum(1, p, data.len()) }};\n}}\n"
        );
        keeps(&text);
    }
    keeps(
        "fn f(mut data: &[u8]) {\n    let p = data.as_ptr();\n    loop {\n        unsafe { z_sys::sum(1, p, data.len()) };\n        data = next();\n    }\n}\n",
    );
}
