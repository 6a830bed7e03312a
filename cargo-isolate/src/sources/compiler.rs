//! The compiler's answers about targets, cached because starting a compiler takes as long as reading the facts of a
//! large workspace.
//!
//! An answer stays valid while the compiler is the same program, identified like cargo does by its path and
//! modification time. For rustup's proxy, the compiler of the selected toolchain is identified as well. If it cannot be
//! identified, the compiler is asked each time.

use super::{LoadError, cache::Cache};
use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The output of `rustc --print …` for a target, or for the host.
///
/// # Errors
///
/// If the compiler cannot be started.
pub(super) fn print(
    what: &[&str],
    target: Option<&str>,
    flags: &[String],
    cache: &Cache,
) -> Result<Result<String, Output>, LoadError> {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut arguments: Vec<&str> = what.iter().flat_map(|what| ["--print", what]).collect();
    arguments.extend(target.into_iter().flat_map(|target| ["--target", target]));
    arguments.extend(flags.iter().map(String::as_str));
    let key = key(&compiler, &arguments);
    if let Some(answer) = key.as_ref().and_then(|key| cache.answer(key)) {
        return Ok(Ok(answer));
    }
    let output = Command::new(&compiler).args(&arguments).output().map_err(LoadError::NoCompiler)?;
    if !output.status.success() {
        return Ok(Err(output));
    }
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    if let Some(key) = key {
        cache.keep_answer(&key, &answer);
    }
    Ok(Ok(answer))
}

/// Everything that determines the answer; `None` if it may depend on something that only the compiler reads: a target
/// specification or more arguments in a file, or the processor of this machine.
fn key(compiler: &OsStr, arguments: &[&str]) -> Option<Vec<String>> {
    let elsewhere =
        |argument: &&str| argument.ends_with(".json") || argument.starts_with('@') || argument.contains("native");
    if arguments.iter().any(elsewhere) || env::var_os("RUST_TARGET_PATH").is_some() {
        return None;
    }
    let mut key = identity(compiler)?;
    key.push(format!("{:?}", env::var_os("RUSTC_BOOTSTRAP")));
    key.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    Some(key)
}

/// Identifies the compiler by the executables involved.
fn identity(compiler: &OsStr) -> Option<Vec<String>> {
    let path = executable(compiler)?;
    let real = path.canonicalize().ok()?;
    let mut programs = vec![real];
    // A proxy is a link to `rustup`, or a copy in the same directory.
    let rustup = OsString::from(format!("rustup{}", env::consts::EXE_SUFFIX));
    if programs[0].file_name() == Some(&rustup) || path.with_file_name(&rustup).exists() {
        let home = env::var_os("RUSTUP_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".rustup")))?;
        let toolchain = home.join("toolchains").join(env::var_os("RUSTUP_TOOLCHAIN")?);
        programs.push(toolchain.join("bin").join(format!("rustc{}", env::consts::EXE_SUFFIX)));
    }
    programs.iter().map(|program| state(program)).collect()
}

fn state(program: &Path) -> Option<String> {
    let metadata = fs::metadata(program).ok()?;
    Some(format!("{program:?} {:?} {}", metadata.modified().ok()?, metadata.len()))
}

/// The executable that a name or path refers to.
fn executable(program: &OsStr) -> Option<PathBuf> {
    if Path::new(program).components().count() > 1 {
        return Some(PathBuf::from(program));
    }
    let name = match Path::new(program).extension() {
        None => OsString::from(format!("{}{}", program.to_str()?, env::consts::EXE_SUFFIX)),
        Some(_) => program.to_owned(),
    };
    env::split_paths(&env::var_os("PATH")?).map(|directory| directory.join(&name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_compiler_looks_at_is_not_remembered() {
        let compiler = env::current_exe().unwrap();
        let check = |arguments: &[&str], known: bool| {
            assert_eq!(key(compiler.as_os_str(), arguments).is_some(), known, "{arguments:?}");
        };
        check(&["--print", "cfg"], true);
        check(&["--print", "cfg", "--target", "x86_64-unknown-linux-gnu"], true);
        check(&["--print", "cfg", "--target", "own/target.json"], false);
        check(&["--print", "cfg", "-Ctarget-cpu=native"], false);
        check(&["--print", "cfg", "@flags"], false);
    }

    #[test]
    fn another_program_is_another_compiler() {
        let folder = tempfile::tempdir().unwrap();
        let compiler = folder.path().join("rustc");
        fs::write(&compiler, "one").unwrap();
        let first = identity(compiler.as_os_str()).unwrap();
        assert_eq!(identity(compiler.as_os_str()).unwrap(), first);
        fs::write(&compiler, "another").unwrap();
        assert_ne!(identity(compiler.as_os_str()).unwrap(), first);
        fs::remove_file(&compiler).unwrap();
        assert_eq!(identity(compiler.as_os_str()), None);
    }
}
