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
