use isolate_rt::Domain;
static D: Domain = Domain::new("d");
#[test]
fn first() {
    println!("{}", isolate_rt::probe());
    let mut call = D.call("add").unwrap();
    println!("in");
    let r = unsafe { call.run(|| 41 + 1) };
    println!("{r:?}");
    drop(call);
    static mut V: u8 = 5;
    let mut call = D.call("wild").unwrap();
    let p = &raw mut V;
    let r = unsafe { call.run(move || p.write_volatile(9)) };
    println!("{r:?} {}", unsafe { p.read() });
    drop(call);
    for _ in 0..3 {
    let mut call = D.call("abort").unwrap();
    println!("{:?}", unsafe { call.run(|| libc::abort() as u8) });
    drop(call);
    let mut call = D.call("m").unwrap();
    println!("{:?}", unsafe { call.run(|| libc::malloc(100000) as usize) });
    }
}
