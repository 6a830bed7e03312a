// edition: 2021
extern "C" {
    fn bare(x: i32);
}
extern {
    fn no_abi();
}
#[no_mangle]
pub extern "C" fn old_style() {}
pub fn safe_after_no_mangle() {
    let v = vec![1];
    v.len();
}
#[link_section = ".old"]
static OLD: u8 = 0;

