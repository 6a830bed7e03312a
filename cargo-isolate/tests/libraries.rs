//! The committed wrappers of `tests/libraries` are what the tool writes today, and the contracts that ship fit its libraries.

use isolate_templates::contracts::FILES;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

#[test]
fn committed_wrappers_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
        .args(["isolate", "wrap", "--check", "--policy", "tests/libraries/isolation.toml"])
        .current_dir(root)
        .output()
        .unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{stdout}{stderr}");
}

/// Every entry that ships is about a function that is there, and says what its signature allows.
#[test]
fn contracts_that_ship_fit() {
    let (mut policy, mut shipped) = ("version = 1\n".to_owned(), BTreeSet::new());
    for (number, file) in FILES.iter().enumerate() {
        let table: toml::Table = file.text.parse().expect("TOML");
        let package = table["package"].as_str().expect("a name");
        let entries = |key: &str| table.get(key).and_then(|entries| entries.as_table()).cloned().unwrap_or_default();
        let mut globs: BTreeSet<String> = entries("fn").keys().cloned().collect();
        shipped.extend(globs.clone());
        let texts = |value: &toml::Value| value.as_str().map(str::to_owned);
        for words in entries("struct").values() {
            let create = words["create"].as_table().expect("a table");
            globs.extend(create.keys().cloned().chain(create.values().filter_map(texts)));
            let fields = words["field"].as_table().expect("a table").values();
            globs.extend(fields.filter_map(|field| field["fn"].as_array()).flatten().filter_map(texts));
        }
        policy += &format!("[domain.d{number}]\nlibrary = \"{package}\"\n");
        policy += &format!("[[isolate]]\ndomain = \"d{number}\"\nextern = {:?}\n", Vec::from_iter(globs));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, policy).expect("a file");
    let mut plan = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"));
    plan.args(["isolate", "plan", "--format", "json", "--policy"]).arg(&path);
    let output = plan.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).output().expect("the tool");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let is_shipped = |param: &serde_json::Value| {
        param["decision"]["by"] == "shipped" && param["decision"]["contract"]["kind"] != "object"
    };
    let functions = list(&plan["domains"]).into_iter().flat_map(|domain| list(&domain["functions"]));
    let used = functions.filter(|function| list(&function["params"]).iter().any(is_shipped));
    let used: BTreeSet<_> = used.filter_map(|function| function["name"].as_str().map(str::to_owned)).collect();
    assert_eq!(used, shipped);
}
