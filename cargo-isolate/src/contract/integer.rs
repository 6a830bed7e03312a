//! Integer types by name, and what a literal means that stands beside a value of one: the same as in C.

use super::{expr::Comparison, shape::Shape};

/// Whether the type has values below 0; `None` for one of which we do not know.
pub(crate) fn is_signed(shape: &Shape) -> Option<bool> {
    let Shape::Int(Some(name)) = shape else { return None };
    match &**name {
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => Some(true),
        "c_schar" | "c_short" | "c_int" | "c_long" | "c_longlong" => Some(true),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => Some(false),
        "c_uchar" | "c_ushort" | "c_uint" | "c_ulong" | "c_ulonglong" => Some(false),
        _ => None,
    }
}

/// Bits of the types that have 32 or less of them on every target.
fn bits(shape: &Shape) -> Option<u32> {
    let Shape::Int(Some(name)) = shape else { return None };
    match &**name {
        "i8" | "u8" | "c_schar" | "c_uchar" => Some(8),
        "i16" | "u16" | "c_short" | "c_ushort" => Some(16),
        "i32" | "u32" | "c_int" | "c_uint" => Some(32),
        _ => None,
    }
}

/// Holds a literal against the type of what it is compared with: -1 beside an unsigned type is the largest value of that, as in C,
/// where the type is not narrower than an `int`.
///
/// # Errors
///
/// What the value never is, and what to write, where the comparison always comes out the same.
pub(crate) fn compared(shape: &Shape, comparison: Comparison, literal: i64) -> Result<(), (String, String)> {
    let Some(signed) = is_signed(shape) else {
        // Of a type without a name that is right everywhere nobody knows what -1 is in it.
        return match matches!(shape, Shape::Int(None)) && literal < 0 {
            true => Err((
                format!("of which it is not known whether it can be {literal}"),
                "compare with numbers from 0 on, or declare it with a type of `std::ffi`".to_owned(),
            )),
            false => Ok(()),
        };
    };
    if !signed && literal == 0 && matches!(comparison, Comparison::Below | Comparison::AtLeast) {
        let help = "`== -1` is its largest value, as in C; `!= 0` is any but 0";
        return Err(("which is never below 0".to_owned(), help.to_owned()));
    }
    let Some(bits) = bits(shape) else { return Ok(()) };
    let (least, most) = match signed {
        true => (-(1_i64 << (bits - 1)), (1_i64 << (bits - 1)) - 1),
        // In C the narrower ones become an `int`, which they fit, so that -1 is none of them.
        false => (if bits < 32 { 0 } else { -(1_i64 << 31) }, (1_i64 << bits) - 1),
    };
    if (least..=most).contains(&literal) {
        return Ok(());
    }
    let (signed_least, unsigned_most) = (-(1_i64 << (bits - 1)), (1_i64 << bits) - 1);
    let help = match (signed_least..=unsigned_most).contains(&literal) {
        true => {
            format!("the same bits are {} in it", if signed { literal - (1 << bits) } else { literal + (1 << bits) })
        }
        false => format!("its values are {least} to {most}"),
    };
    Err((format!("which is never {literal}"), help))
}
