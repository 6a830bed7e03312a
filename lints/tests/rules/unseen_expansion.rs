mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

const TEXT: &str = include_str!("text.txt");

macro_rules! call {
    ($f:ident) => { paste::paste! { [<z_ $f>](0) } };
}

fn by_parts() {
    // A hit: nobody knows what it calls.
    call!(crc32);
}
