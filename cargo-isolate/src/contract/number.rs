//! The numbers of C and Rust, by every name that bindings have for them, and what a literal means beside a value of one.

use super::{expr::Comparison, shape::Shape};

/// A type of which every bit pattern is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    /// By which Rust code can call it on every platform: `c_int`, `usize`.
    pub(crate) name: &'static str,
    pub(crate) class: Class,
    /// On the platform that this program runs on, whose compilers it asks.
    pub(crate) bits: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Signed,
    Unsigned,
    /// Text or bytes, with values below 0 on some platforms.
    Char,
    Float,
}

/// Rust's own first, by which [`Number::plain`] calls the others.
const NUMBERS: [Number; 27] = {
    use {Class::*, std::ffi};
    const fn number(name: &'static str, class: Class, bits: u32) -> Number {
        Number { name, class, bits }
    }
    [
        number("i8", Signed, 8),
        number("i16", Signed, 16),
        number("i32", Signed, 32),
        number("i64", Signed, 64),
        number("i128", Signed, 128),
        number("isize", Signed, isize::BITS),
        number("u8", Unsigned, 8),
        number("u16", Unsigned, 16),
        number("u32", Unsigned, 32),
        number("u64", Unsigned, 64),
        number("u128", Unsigned, 128),
        number("usize", Unsigned, usize::BITS),
        number("f32", Float, 32),
        number("f64", Float, 64),
        number("c_char", Char, 8),
        number("c_schar", Signed, 8),
        number("c_short", Signed, 16),
        number("c_int", Signed, 32),
        number("c_long", Signed, ffi::c_long::BITS),
        number("c_longlong", Signed, 64),
        number("c_uchar", Unsigned, 8),
        number("c_ushort", Unsigned, 16),
        number("c_uint", Unsigned, 32),
        number("c_ulong", Unsigned, ffi::c_ulong::BITS),
        number("c_ulonglong", Unsigned, 64),
        number("c_float", Float, 32),
        number("c_double", Float, 64),
    ]
};

/// Names of C's headers for them, the same on every platform.
const ALIASES: [(&str, &str); 15] = [
    ("size_t", "usize"),
    ("uintptr_t", "usize"),
    ("ssize_t", "isize"),
    ("intptr_t", "isize"),
    ("ptrdiff_t", "isize"),
    ("int8_t", "i8"),
    ("int16_t", "i16"),
    ("int32_t", "i32"),
    ("int64_t", "i64"),
    ("intmax_t", "i64"),
    ("uint8_t", "u8"),
    ("uint16_t", "u16"),
    ("uint32_t", "u32"),
    ("uint64_t", "u64"),
    ("uintmax_t", "u64"),
];

/// Names of POSIX, as the platform of domains has them and others do not.
const LINUX: [(&str, &str); 10] = [
    ("wchar_t", "i32"),
    ("pid_t", "i32"),
    ("uid_t", "u32"),
    ("gid_t", "u32"),
    ("mode_t", "u32"),
    ("off_t", "i64"),
    ("off64_t", "i64"),
    ("time_t", "i64"),
    ("ino_t", "u64"),
    ("dev_t", "u64"),
];

impl Number {
    /// That which has the name on every platform.
    pub(crate) fn named(name: &str) -> Option<Number> {
        let rust = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, rust)| rust);
        NUMBERS.into_iter().find(|number| number.name == rust)
    }

    /// That which has the name where domains are.
    pub(crate) fn named_on_linux(name: &str) -> Option<Number> {
        let rust = LINUX.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, rust)| rust);
        Number::named(rust)
    }

    /// The word of Rust that stands for the same type here: `i32` for `c_int`.
    pub(crate) fn plain(self) -> &'static str {
        let class = if self.class == Class::Char { Class::Signed } else { self.class };
        let same = |number: &Number| number.class == class && number.bits == self.bits;
        match self.is_of_ffi() {
            true => NUMBERS.iter().find(|number| same(number)).map_or(self.name, |number| number.name),
            false => self.name,
        }
    }

    /// It has room for the size of any struct that there is.
    pub(crate) fn holds_sizes(self) -> bool {
        self.bits >= 32 && self.class != Class::Float
    }

    /// A name of `core::ffi`, and no word of the language.
    pub(crate) fn is_of_ffi(self) -> bool {
        self.name.starts_with("c_")
    }

    /// What C passes instead where no parameter says of which type it is: among a variable number of arguments.
    pub(crate) fn promoted(self) -> Option<&'static str> {
        match self.class {
            Class::Float => (self.bits < 64).then_some("c_double"),
            Class::Signed | Class::Unsigned | Class::Char => (self.bits < 32).then_some("c_int"),
        }
    }
}

/// Whether two names are of one type here.
pub(crate) fn are_same(one: &str, other: &str) -> bool {
    let plain = |name| Number::named(name).map(Number::plain);
    one == other || plain(one).is_some_and(|plain_one| plain(other) == Some(plain_one))
}

/// Holds a literal against the type of what it is compared with: -1 beside an unsigned type is the largest value of that, as in C,
/// where the type is not narrower than an `int`.
///
/// # Errors
///
/// What the value never is, and what to write, where the comparison always comes out the same.
pub(crate) fn compared(shape: &Shape, comparison: Comparison, literal: i64) -> Result<(), (String, String)> {
    let Some(signed) = shape.is_signed() else {
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
    // Wider ones have other widths elsewhere, or room for every literal.
    let Some(bits) = shape.number().map(|number| number.bits).filter(|bits| *bits <= 32) else { return Ok(()) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<(&str, &str, Option<&str>)>) {
        let number = Number::named_on_linux(name);
        assert_eq!(number.map(|number| (number.name, number.plain(), number.promoted())), expected, "{name}");
    }

    #[test]
    fn names_of_numbers() {
        check("c_int", Some(("c_int", "i32", None)));
        check("int32_t", Some(("i32", "i32", None)));
        check("size_t", Some(("usize", "usize", None)));
        check("c_longlong", Some(("c_longlong", "i64", None)));
        check("c_ushort", Some(("c_ushort", "u16", Some("c_int"))));
        check("c_char", Some(("c_char", "i8", Some("c_int"))));
        check("c_float", Some(("c_float", "f32", Some("c_double"))));
        check("f64", Some(("f64", "f64", None)));
        check("off_t", Some(("i64", "i64", None)));
        check("bool", None);
        check("c_void", None);
        assert_eq!(Number::named("off_t"), None, "other platforms have another");
    }

    #[test]
    fn one_type_of_several_names() {
        for (one, other, expected) in [
            ("c_int", "i32", true),
            ("uint8_t", "c_uchar", true),
            ("c_ulong", "c_ulonglong", true),
            ("Rgb", "Rgb", true),
            ("Rgb", "u8", false),
            ("Rgb", "Lab", false),
            ("usize", "u64", false),
            ("c_int", "c_uint", false),
        ] {
            assert_eq!(are_same(one, other), expected, "{one}, {other}");
        }
    }
}
