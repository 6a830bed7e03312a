mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

const TEXT: &str = include_str!("text.txt");
