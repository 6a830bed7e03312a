fn before() { unsafe { work() } }
fn broken( { unsafe { lost() } }
struct ;
unsafe fn after() { unsafe { work() } }
unsafe async fn wrong_order() {}
impl X { unsafe }
