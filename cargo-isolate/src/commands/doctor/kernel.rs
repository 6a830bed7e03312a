//! The version of the running Linux kernel.

use super::Need;
use std::fs;

/// The first version that writes signal frames regardless of PKRU.
const FIRST: (u32, u32) = (6, 12);

/// The requirement on the kernel; `None` if this is not Linux. `passed` means that probing found the behaviour that the
/// version stands for, as some older kernels have it backported.
pub(super) fn version(passed: bool) -> Option<Need> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let release = release.trim();
    Some(Need {
        name: "kernel",
        met: passed || number(release).is_some_and(|version| version >= FIRST),
        found: format!("Linux {release}"),
        remedy: format!("use Linux {}.{} or newer", FIRST.0, FIRST.1),
    })
}

/// `(6, 12)` for `6.12.9-cloud-amd64`.
fn number(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn versions() {
        for (release, expected) in
            [("6.12.9-cloud-amd64", Some((6, 12))), ("6.9.0", Some((6, 9))), ("10.1", Some((10, 1))), ("next", None)]
        {
            assert_eq!(number(release), expected, "{release}");
        }
    }
}
