//! What every case does: the good input, the bad one, the good one again, and a look at the program's own data.

use isolate_rt::{Fault, FaultKind};
use std::process::ExitCode;

/// Runs `good` and `bad` through an isolated library. The process must survive, its data must be as it was, and the good
/// input must give the same after the bad one.
pub(crate) fn contained<T: PartialEq + std::fmt::Debug>(
    good: impl Fn() -> Result<T, Fault>,
    bad: impl Fn() -> Result<T, Fault>,
) -> ExitCode {
    // What a library could reach by running over its buffers, were they in the program's heap.
    let neighbours: Vec<Vec<u8>> = (0..64).map(|n| vec![n; 16 << (n % 12)]).collect();
    let before = neighbours.clone();
    let first = match good() {
        Ok(first) => first,
        Err(fault) => {
            println!("good: {fault}");
            return ExitCode::from(if matches!(fault.kind(), FaultKind::Unsupported(_)) { 3 } else { 1 });
        }
    };
    println!("good: {first:?}");
    match bad() {
        Ok(value) => println!("bad: unnoticed: {value:?}"),
        Err(fault) => println!("bad: Err: {fault}"),
    }
    let again = good();
    println!("good again: {again:?}");
    let intact = neighbours == before;
    println!("data: {}", if intact { "intact" } else { "DAMAGED" });
    ExitCode::from(u8::from(!(intact && again.is_ok_and(|again| again == first))))
}
