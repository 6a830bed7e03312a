//! What this machine offers: CPU and kernel, one file each, and what of them isolation needs, for `cargo isolate doctor` and for
//! programs that want to say so. All of it is there without the feature `interpose`, too.
//!
//! | file | what |
//! |---|---|
//! | `cpu` | FS and GS base |
//! | `pkey` | the three system calls and the PKRU register |
//! | `rseq` | restartable sequences |
//! | `kernel` | its errors, its signal settings, the frames it writes |
//! | `selftest` | proof, in a forked child, that it all works together |

// `cfg(platform)`: see `build.rs`.
#[cfg(platform)]
pub(crate) mod cpu;
#[cfg(platform)]
pub(crate) mod kernel;
#[cfg(platform)]
pub(crate) mod pkey;
#[cfg(platform)]
mod requirements;
#[cfg(platform)]
pub(crate) mod rseq;
#[cfg(platform)]
pub(crate) mod selftest;

#[cfg(platform)]
use requirements::requirements;
use std::fmt;

/// Size of a page, in bytes.
#[cfg(platform)]
pub(crate) const PAGE: usize = 4096;

#[cfg(not(platform))]
fn requirements() -> Vec<Requirement> {
    let found = format!("{} {}", std::env::consts::ARCH, std::env::consts::OS);
    vec![Requirement::new("platform", false, found, "run on x86-64 Linux with glibc")]
}

/// What isolation needs, and what was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Machine {
    /// In the order in which they matter.
    pub requirements: Vec<Requirement>,
}

/// One thing that isolation needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requirement {
    /// What it is.
    pub name: &'static str,
    /// Whether it is met.
    pub met: bool,
    /// What was found.
    pub found: String,
    /// What to do when it is not met.
    pub remedy: &'static str,
}

/// Looks at the CPU, the kernel and libc, and runs the self-test in a forked child. Takes no key and installs nothing. Each time anew.
pub fn probe() -> Machine {
    Machine { requirements: requirements() }
}

impl Machine {
    /// Whether domains of back end `mpk` can be made here, by a program with the feature `interpose`.
    pub fn supported(&self) -> bool {
        self.requirements.iter().all(|requirement| requirement.met)
    }
}

impl Requirement {
    fn new(name: &'static str, met: bool, found: impl Into<String>, remedy: &'static str) -> Self {
        Self { name, met, found: found.into(), remedy }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.requirements.iter().map(|requirement| requirement.name.len()).max().unwrap_or(0);
        for Requirement { name, met, found, remedy } in &self.requirements {
            let mark = if *met { "ok     " } else { "missing" };
            writeln!(f, "{mark}  {name:width$}  {found}")?;
            if !met {
                writeln!(f, "         {:width$}  {remedy}", "")?;
            }
        }
        Ok(())
    }
}
