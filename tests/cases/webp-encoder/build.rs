//! Hands the linker what isolated domains need.

fn main() {
    isolate_rt_build::link!("src/isolated/isolate.ld");
}
