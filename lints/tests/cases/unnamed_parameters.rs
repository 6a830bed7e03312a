// edition: 2015
// Parameters of a trait's methods need no names there.

trait Stream {
    fn seek(&mut self, u64) -> Result<u64, ()>;
    unsafe fn entry_of(&Entry, u8) -> &Entry;
    fn from<G: Gen>(&self, &mut G);
}

fn use_it(stream: &Entry) {
    unsafe { Stream::entry_of(stream, 1) };
}
