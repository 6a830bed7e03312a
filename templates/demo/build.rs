//! Compiles the metadata parser.

fn main() {
    println!("cargo::rerun-if-changed=csrc");
    cc::Build::new().file("csrc/tlv.c").compile("tlv");
}
