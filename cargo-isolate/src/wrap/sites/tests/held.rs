//! Pointers to objects that become handles, or stay as they are with all that is done with them.

use super::*;

/// The whole of a file before and after.
#[track_caller]
fn becomes(before: &str, after: &str) {
    let (text, left) = rewritten(before);
    assert_eq!((&*text, left), (after, Vec::<String>::new()));
    assert_eq!(rewritten(&text), (text, Vec::new()), "a second time changes nothing");
}

/// None of it changes.
#[track_caller]
fn keeps(text: &str) {
    let (after, left) = rewritten(text);
    assert_eq!(after, text);
    assert!(!left.is_empty());
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

/// All of it, or nothing.
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

/// What may be NULL is an `Option`.
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

/// A `NonNull` asks by itself.
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

/// Where the whole life is in one function. What the contract gives the program is its own.
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

/// A local for the address alone goes with it.
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
