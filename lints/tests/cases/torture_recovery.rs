fn before() { unsafe { work() } }
fn broken( { unsafe { lost() } }
struct ;
unsafe fn after() { unsafe { work() } }
unsafe async fn wrong_order() {}
impl X { unsafe }
// What no parser could make a block of is counted as one all the same.
\0 unsafe { lost() }
// SAFETY: told in spite of all.
\0 unsafe /* and then */ { lost() }
// What else it would have begun.
\0 unsafe extern "C" fn header
\0 unsafe async fn wrong(
\0 unsafe impl Send for
\0 unsafe auto trait Marker
\0 unsafe extern "C" {
\0 unsafe extern fn(
\0 unsafe 1
