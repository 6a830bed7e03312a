//! Policies that are wrong: each message names the line and what to do, and the status is 2.

use crate::workspace::Workspace;

const CASES: &[(&str, &str)] = &[
    ("a wrong type", "version = 1\n[rules]\nstatic-mut = 3\n[crates.app]\nunsafe = { max = \"four\" }\n"),
    ("a duplicate key", "version = 1\n[rules]\nstatic-mut = \"deny\"\nstatic-mut = \"warn\"\n"),
    ("an unknown rule", "version = 1\n[rules]\nstatic-mutt = \"deny\"\n"),
    ("an unknown key", "version = 1\n[cheque]\nbaseline = \"known.txt\"\n"),
    (
        "a glob that is none",
        "version = 1\n[[exception]]\nrule = \"static-mut\"\nat = \"app::[\"\nreason = \"a fixture\"\n",
    ),
    (
        "a glob that matches nothing",
        "version = 1\n[domain.c]\nlibrary = \"app\"\n[[isolate]]\ndomain = \"c\"\nextern = [\"zz*\"]\n",
    ),
    ("no TOML", "version = 1\n[rules\n"),
    ("marks of a merge", "version = 1\n<<<<<<< HEAD\n[rules]\n=======\n[crates]\n>>>>>>> topic\n"),
];

#[test]
fn each_has_its_message() {
    let workspace = Workspace::new(&[
        ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n"),
        ("src/lib.rs", "unsafe extern \"C\" {\n    pub fn getpid() -> i32;\n}\n"),
    ]);
    let said = CASES.iter().map(|(what, policy)| {
        workspace.write("policy.toml", policy);
        let said = workspace.isolate(&["check"]);
        assert!(said.starts_with("status 2\n"), "{what}: {said}");
        assert_eq!(workspace.read("policy.toml"), *policy, "a policy that is wrong stays as it is");
        format!("# {what}\n{}", said.split_once("--- stderr\n").unwrap().1)
    });
    insta::assert_snapshot!("mistakes", said.collect::<Vec<_>>().join("\n"));
}

/// Opening a pipe that nobody writes to waits for ever; reading what is no text says so alike, whoever names it.
#[cfg(unix)]
#[test]
fn what_is_no_text_file_is_not_read() {
    let workspace = Workspace::new(&[
        ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n"),
        ("src/lib.rs", ""),
        ("policy.toml", "version = 1\n"),
        ("report.json", "{}"),
    ]);
    let made = std::process::Command::new("mkfifo").arg(workspace.path.join("pipe")).status().unwrap();
    assert!(made.success());
    std::fs::write(workspace.path.join("bytes"), b"\xff\xfe\x00").unwrap();
    let what_to_do = "not a file; name a file, or write what it gives into one";
    let (pipe, folder) = (format!("a pipe, {what_to_do}"), format!("a directory, {what_to_do}"));
    for (file, why) in [("pipe", &*pipe), ("bytes", "it is not UTF-8 text"), ("src", &folder)] {
        let cases: &[(&str, &[&str])] = &[
            ("the policy ", &["check", "--policy", file]),
            ("the baseline ", &["check", "--baseline", file]),
            ("the baseline ", &["baseline", "--baseline", file]),
            ("", &["diff", file, "report.json"]),
        ];
        for (what, arguments) in cases {
            let said = workspace.isolate(arguments);
            let place = [file, &format!("[DIR]/{file}")].map(|path| format!("cannot read {what}`{path}`: {why}\n"));
            assert!(said.starts_with("status 2\n"), "{said}");
            assert!(place.iter().any(|place| said.contains(place)), "{arguments:?}: {said}");
        }
    }
}
