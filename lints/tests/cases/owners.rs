impl crate::Socket { fn a() { f() } }
impl<'a> super::net::Socket<'a> { fn b() { f() } }
impl<'a> Read for &'a Socket { fn c() { f() } }
impl<'a, T> Read for &'a mut Stream<T> { fn d() { f() } }
impl<T: ?Sized> Read for *const T { fn e() { f() } }
impl<T> Read for [Vec<T>] { fn g() { f() } }
impl<const N: usize> Read for [u8; N] { fn h() { f() } }
impl<'a> Read for (&'a u8, crate::Socket) { fn i() { f() } }
impl Read for dyn Send + 'static { fn j() { f() } }
impl Read for (Socket) { fn k() { f() } }
impl Read for fn(u8) -> u8 { fn l() { f() } }
impl Read for ! { fn m() { f() } }
impl<T> Read for <T as Iterator>::Item { fn n() { f() } }
unsafe impl<'a> Send for &'a crate::Socket {}
