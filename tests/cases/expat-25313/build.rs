//! Compiles the handler, and hands the linker what isolated domains need.

fn main() {
    cc::Build::new().file("csrc/handler.c").warnings_into_errors(true).compile("handler");
    println!("cargo::rerun-if-changed=csrc/handler.c");
    isolate_rt_build::link!("src/isolated/isolate.ld");
}
