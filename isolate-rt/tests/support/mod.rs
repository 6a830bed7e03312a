//! What the isolation tests share: skipping with a reason, and children for what ends a process.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::ffi::{CStr, c_void};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

/// Whether domains can be made here. Where not, says so, and fails if `ISOLATE_REQUIRE_PKU=1` asks for no excuses.
pub(crate) fn isolation() -> bool {
    let machine = isolate_rt::probe();
    if machine.supported() {
        return true;
    }
    let required = std::env::var_os("ISOLATE_REQUIRE_PKU").is_some_and(|value| value == "1");
    assert!(!required, "ISOLATE_REQUIRE_PKU=1, but isolation is not possible here:\n{machine}");
    let missing = machine.requirements.iter().find(|requirement| !requirement.met).map_or("", |missing| missing.name);
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not `eprintln!`, which the harness swallows when a test passes: a skip must be seen.
    let _ = writeln!(std::io::stderr(), "skipped {test}: isolation is not possible here; missing: {missing}");
    false
}

/// Runs the test `name` of this binary again, in a child with `ISOLATE_CHILD=role`.
pub(crate) fn child(name: &str, role: &str) -> Output {
    child_with(name, role, &[])
}

/// As [`child`], with more in its environment.
pub(crate) fn child_with(name: &str, role: &str, environment: &[(&str, &str)]) -> Output {
    let this = std::env::current_exe().expect("the test binary has a path");
    let mut command = Command::new(this);
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]).env("ISOLATE_CHILD", role);
    let output = command.envs(environment.iter().copied()).output().expect("the test binary can be started");
    // Kept back by the harness unless the test fails, and then the child's end alone says too little.
    print!("{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The role that [`child`] gave this process.
pub(crate) fn role() -> Option<String> {
    std::env::var("ISOLATE_CHILD").ok()
}

/// How a child ended, for assertions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Status(i32),
    Signal(i32),
}

impl From<&Output> for End {
    fn from(output: &Output) -> Self {
        match output.status.signal() {
            Some(signal) => Self::Signal(signal),
            None => Self::Status(output.status.code().expect("a child ends by status or signal")),
        }
    }
}

/// libc's own function of that name, past the runtime's, which the caller knows the type of.
pub(crate) fn of_libc(name: &CStr) -> *mut c_void {
    // SAFETY: looks a name up.
    let function = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(!function.is_null(), "libc has no {name:?}");
    function
}

unsafe extern "C" {
    // What libc has beside `signal`.
    pub(crate) fn __sysv_signal(number: i32, handler: usize) -> usize;
    pub(crate) fn sysv_signal(number: i32, handler: usize) -> usize;
    pub(crate) fn bsd_signal(number: i32, handler: usize) -> usize;
    pub(crate) fn ssignal(number: i32, handler: usize) -> usize;
    pub(crate) fn sigset(number: i32, handler: usize) -> usize;
}

/// Installs a handler past the runtime, which otherwise enters it.
pub(crate) fn give_to_the_kernel(signal: i32, handler: extern "C" fn(i32), flags: i32) {
    type Sigaction = unsafe extern "C" fn(i32, *const libc::sigaction, *mut libc::sigaction) -> i32;
    // SAFETY: libc's `sigaction`, and a handler for a signal that no other test uses meanwhile.
    unsafe {
        let sigaction = std::mem::transmute::<*mut c_void, Sigaction>(of_libc(c"sigaction"));
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = flags;
        assert_eq!(sigaction(signal, &action, std::ptr::null_mut()), 0);
    }
}

/// Gives up membarrier(2) for this process, as sandboxes do that came up before the call. Not to be undone.
pub(crate) fn give_up_membarrier() {
    give_up(libc::SYS_membarrier, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);
    // SAFETY: asks.
    assert_eq!(unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_QUERY, 0, 0) }, -1);
}

/// Has a system call of this process end as `outcome` says (seccomp(2)). Not to be undone.
pub(crate) fn give_up(call: libc::c_long, outcome: u32) {
    give_up_where(call, &[], outcome);
}

/// As [`give_up`], where arguments, by their numbers, are these (in their lower halves).
pub(crate) fn give_up_where(call: libc::c_long, arguments: &[(u32, u32)], outcome: u32) {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    /// Where `struct seccomp_data` has them, behind the number of the call, that of the architecture, and the address of the caller.
    const ARGUMENTS: u32 = 16;
    const SKIP_UNLESS_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, jf, k| libc::sock_filter { code, jt: 0, jf, k };
    let argument = |&(number, value): &(u32, u32)| (ARGUMENTS + 8 * number, value);
    let expected: Vec<_> = std::iter::once((0, call as u32)).chain(arguments.iter().map(argument)).collect();
    let mut steps = Vec::new();
    for (done, &(offset, value)) in expected.iter().enumerate() {
        let left = 2 * (expected.len() - done - 1) + 1;
        steps.extend([step(LOAD, 0, offset), step(SKIP_UNLESS_EQUAL, left as u8, value)]);
    }
    steps.extend([step(RETURN, 0, outcome), step(RETURN, 0, libc::SECCOMP_RET_ALLOW)]);
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: a filter that the kernel copies; this process goes without one system call.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let all_threads = libc::SECCOMP_FILTER_FLAG_TSYNC;
        assert_eq!(libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, all_threads, &program), 0);
    }
}
