//! Compiles the demo project's C parser and a library that calls back, and hands over the linker fragment of the domains.

fn main() {
    isolate_rt_build::link!("src/isolated/isolate.ld");
    let source = "../../templates/demo/csrc";
    println!("cargo::rerun-if-changed={source}");
    cc::Build::new().file(format!("{source}/tlv.c")).opt_level(2).compile("tlv");
    println!("cargo::rerun-if-changed=csrc");
    cc::Build::new().file("csrc/told.c").opt_level(2).compile("told");
}
