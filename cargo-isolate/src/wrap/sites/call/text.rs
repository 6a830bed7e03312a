//! Turns a pointer to a C string into the `CStr` that it came from.

use super::{Argument, Call};
use crate::wrap::sites::{
    argument::{self, Pointer},
    holds::{Holds, of_value},
    source::range,
};
use syn::{Expr, Lit};

impl Call<'_> {
    pub(super) fn string(&self, expr: &Expr, nullable: bool, name: &str) -> Result<Argument, String> {
        let some = |text: String| Argument::Text(if nullable { format!("Some({text})") } else { text });
        match argument::pointer(expr) {
            Pointer::Null if nullable => Ok(Argument::Text("None".to_owned())),
            Pointer::Null => Err(format!("`{name}` is NULL here, and the policy says that it never is")),
            Pointer::Into { of, start: None, .. } => match (of, self.holds(of)) {
                (Expr::Lit(lit), _) if let Some(text) = c_literal(&lit.lit) => Ok(some(text)),
                (_, Holds::CString) => Ok(some(format!("&{}", self.source.of(of)))),
                (_, Holds::CStr) => Ok(some(self.source.of(of).to_owned())),
                _ => Err(format!("nothing says that `{}` is a `CStr` or `CString`", self.source.of(of))),
            },
            _ => match argument::pointed_into(expr).map(|of| (of, of_value(of))) {
                Some((of, Holds::CString)) => {
                    let (open, close) = if nullable { ("Some(&", ")") } else { ("&", "") };
                    Ok(Argument::Part { open, inner: range(of), close })
                }
                _ => Err(format!("`{name}`: `{}` is not the pointer of a `CStr` or `CString`", self.source.of(expr))),
            },
        }
    }
}

/// `c"text"` for `c"text"` and `b"text\0"`.
fn c_literal(lit: &Lit) -> Option<String> {
    let bytes = match lit {
        Lit::CStr(text) => return Some(quote::quote!(#text).to_string()),
        Lit::ByteStr(text) => text.value(),
        Lit::Str(text) => text.value().into_bytes(),
        _ => return None,
    };
    let text = bytes.strip_suffix(b"\0")?;
    let is_plain = text.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\') || *byte == b' ');
    is_plain.then(|| format!("c\"{}\"", String::from_utf8_lossy(text)))
}

/// Whether a pointer is that of a literal with this text.
pub(super) fn is(expr: &Expr, text: &str) -> bool {
    match argument::pointer(expr) {
        Pointer::Into { of: Expr::Lit(lit), start: None, .. } => c_literal(&lit.lit).is_some_and(|literal| {
            syn::parse_str::<syn::LitCStr>(&literal).is_ok_and(|literal| literal.value().to_str() == Ok(text))
        }),
        _ => false,
    }
}
