//! Gives the linker the fragment that defines the symbols of the domains.

fn main() {
    isolate_rt_build::link!("src/isolated/isolate.ld");
}
