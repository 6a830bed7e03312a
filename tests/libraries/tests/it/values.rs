//! What comes back as a `bool` or an enum is one, or an `Err`.

use crate::isolation::isolation;
use crate::support::alone;
use isolate_libraries::isolated::tlv as told;
use isolate_libraries::told::Colour;
use isolate_rt::{Fault, FaultKind};

#[track_caller]
fn is_none<T: std::fmt::Debug>(result: Result<T, Fault>) {
    let fault = result.unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::InvalidValue { .. }), "{fault}");
}

#[test]
fn bools_and_enums_are_values() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    assert!(told::told_even(2, 0).unwrap() && !told::told_even(3, 0).unwrap() && told::told_even(3, 1).unwrap());
    is_none(told::told_even(2, 2));
    is_none(told::told_even(2, 0xff));
    assert_eq!(told::told_colour(3, 0).unwrap(), Colour::Odd);
    assert_eq!(told::told_colour(4, 0).unwrap(), Colour::Even);
    assert_eq!(told::told_colour(4, 7).unwrap(), Colour::Odd);
    is_none(told::told_colour(3, 8));
    is_none(told::told_colour(3, -1));
}
