fn whole() {}

fn broken( {
    // SAFETY: none.
    unsafe { launch() }
}

fn after() {
    let text = "not closed;
}
