//! Pages of `--format html` in a browser, where there is one.

use crate::needs::skip;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

/// What a script prints to the console when it is done.
const END: &str = "end of the script";
/// How long a script may take to print anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// The Chromium on the path; says so if there is none.
pub(crate) fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .flat_map(|directory| names.map(|name| directory.join(name)))
        .find(|path| path.is_file());
    if found.is_none() {
        skip("browser", &format!("there is no Chromium on the path ({})", names.join(", ")));
    }
    found
}

/// The lines that a script prints to the console of a page, in a window of some width. It runs before the page's own, so that
/// no error goes by unseen.
///
/// # Panics
///
/// Chromium ends, or prints nothing for a long time, before the script says that it is done.
pub(crate) fn said(chromium: &Path, page: &str, script: &str, width: u32, dark: bool) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let (head, body) = page.split_once("<body>").unwrap();
    let copy = directory.path().join("page.html");
    std::fs::write(&copy, format!("{head}<body><script>{script}</script>{body}")).unwrap();
    let mut command = Command::new(chromium);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"]);
    command.args([format!("--window-size={width},900"), format!("--user-data-dir={}", directory.path().display())]);
    if dark {
        command.arg("--blink-settings=preferredColorScheme=0");
    }
    command.arg(format!("file://{}", copy.display())).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (sender, receiver) = mpsc::channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let (mut lines, mut done) = (Vec::new(), false);
    while let Ok(line) = receiver.recv_timeout(PATIENCE) {
        done = line.contains(END);
        if done {
            break;
        }
        lines.push(line);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(done, "the script did not finish:\n{}", lines.join("\n"));
    // `[…:INFO:CONSOLE:1] "…", source: …`
    let printed = lines.iter().filter_map(|line| line.split_once(":CONSOLE:")?.1.split_once('"'));
    printed.filter_map(|(_, rest)| Some(rest.rsplit_once("\", source: ")?.0.to_owned())).collect()
}
