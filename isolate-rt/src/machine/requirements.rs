//! What protection keys need, one by one, for people who wonder why it does not run.

use super::{Requirement, cpu, pkey, selftest};
use crate::fault::Unsupported;

pub(super) fn requirements() -> Vec<Requirement> {
    let yes_no = |found| if found { "yes" } else { "no" };
    let (pku, fsgsbase) = (pkey::has_pku(), cpu::has_fsgsbase());
    let mut requirements = vec![
        Requirement::new("platform", true, "x86-64 Linux with glibc", ""),
        Requirement::new(
            "protection keys (PKU)",
            pku,
            yes_no(pku),
            "use a CPU with PKU (Intel since Skylake-SP, AMD since Zen 3) and a hypervisor that passes it on (`ospke` in /proc/cpuinfo)",
        ),
        Requirement::new("FSGSBASE", fsgsbase, yes_no(fsgsbase), "use Linux 5.9 or newer without `nofsgsbase`"),
    ];
    if pku && fsgsbase {
        let (met, found) = match selftest::run() {
            Ok(()) => (true, "passed".to_string()),
            Err(Unsupported::SelfTest { step }) => (false, step.to_string()),
            Err(error) => (false, error.to_string()),
        };
        let remedy = "use Linux 6.12 or newer; it writes signal frames whatever PKRU says";
        requirements.push(Requirement::new("signals with memory closed (self-test)", met, found, remedy));
    }
    requirements
}
