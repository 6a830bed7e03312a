// Code that this build does not see is reported with what hides it.
#[cfg(windows)]
fn other_target() {
    unsafe { work() }
}
#[cfg(feature = "off")]
mod off {
    pub fn feature() {
        unsafe { work() }
    }
}
#[cfg(test)]
mod tests {
    #[test]
    fn test() {
        assert_eq!(unsafe { work() }, 1);
    }
}
fn statements() {
    #[cfg(debug_assertions)]
    unsafe {
        work()
    };
    #[cfg(not(debug_assertions))]
    let x = unsafe { work() };
    match 1 {
        #[cfg(windows)]
        1 => unsafe { work() },
        _ => {}
    }
}
mod gated {
    #![cfg(unix)]
    fn inner_attribute() {
        unsafe { work() }
    }
}
#[cfg_attr(unix, cfg(windows))]
fn conditionally_hidden() {
    unsafe { work() }
}
#[cfg_attr(all(), cfg_attr(unix, cfg(a), cfg(b)), inline, cfg(c))]
fn nested() {
    unsafe { work() }
}
#[cfg_attr(unix, inline, cfg_attr(windows, cold))]
fn unconditional() {
    unsafe { work() }
}
mod gated_by_attribute {
    #![cfg_attr(unix, cfg(windows))]
    fn inner_attribute() {
        unsafe { work() }
    }
}
#[cfg_attr(unix, cfg(windows))]
mod elsewhere;
