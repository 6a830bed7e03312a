//! What the compiler says about a target, remembered: each start of a compiler costs as much as reading a large workspace's
//! facts.
//!
//! An answer is the compiler's own for as long as the compiler is the same program, told as cargo tells it: where it lies and
//! when it was changed; of rustup's stand-in, those of the toolchain that it is told to start. Where that is not known the
//! compiler is asked.

use super::{LoadError, cache::Cache};
use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// What it prints about a target, or about this machine: `rustc --print …`.
///
/// # Errors
///
/// It cannot be started.
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

/// What decides the answer; `None` if something may that only the compiler looks at: a target described in a file, more
/// arguments in a file, the processor of this machine.
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

/// Which program it is.
fn identity(compiler: &OsStr) -> Option<Vec<String>> {
    let path = executable(compiler)?;
    let real = path.canonicalize().ok()?;
    let mut programs = vec![real];
    // A stand-in is a link to `rustup`, or a copy that lies beside it.
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

/// The file that is started for a name, or for a path.
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
