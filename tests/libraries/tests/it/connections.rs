//! What SQLite's connections keep, open and copy beside statements: hooks, collations, values in parts, backups.

use crate::isolation::isolation;
use isolate_libraries::isolated::sqlite::*;
use isolate_libraries::sqlite as ffi;
use isolate_rt::{FaultKind, Owned};
use std::ffi::{CStr, c_int};
use std::process::Command;
use std::sync::{Arc, Mutex};

const ROW: c_int = 100;
const DONE: c_int = 101;
const INSERT: c_int = 18;
const UTF8: c_int = 1;

/// A connection with a table `t(name TEXT NOT NULL, data BLOB)` and two rows.
fn opened() -> Owned<ffi::sqlite3> {
    let db = sqlite3_open(c":memory:").unwrap();
    let schema =
        c"CREATE TABLE t(name TEXT NOT NULL, data BLOB); INSERT INTO t VALUES('b', zeroblob(8)), ('A', x'0102030405060708')";
    sqlite3_exec(&db, schema, None).unwrap();
    db
}

/// The first column of each row.
fn texts(db: &Owned<ffi::sqlite3>, sql: &str) -> Vec<String> {
    let select = sqlite3_prepare_v3(db, sql.as_bytes(), 0).unwrap().0.expect("a statement");
    let mut found = Vec::new();
    while sqlite3_step(&select).unwrap() == ROW {
        found.push(String::from_utf8(sqlite3_column_text(&select, 0).unwrap().expect("a text")).unwrap());
    }
    found
}

#[test]
fn hooks_are_asked_and_replaced() {
    if !isolation() {
        return;
    }
    let db = opened();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let note = move |op: c_int, of: &CStr, table: &CStr, row: i64| {
        told.lock().unwrap().push((op, of.to_owned(), table.to_owned(), row));
    };
    assert!(sqlite3_update_hook(&db, Some(Box::new(note))).unwrap().is_none());
    sqlite3_exec(&db, c"INSERT INTO t VALUES('c', NULL)", None).unwrap();
    assert_eq!(*seen.lock().unwrap(), [(INSERT, c"main".to_owned(), c"t".to_owned(), 3)]);
    sqlite3_update_hook(&db, None).unwrap();
    sqlite3_exec(&db, c"INSERT INTO t VALUES('d', NULL)", None).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 1);
    // Other than 0 makes it a rollback.
    sqlite3_commit_hook(&db, Some(Box::new(|| 1))).unwrap();
    let failed = sqlite3_exec(&db, c"DELETE FROM t", None).unwrap_err();
    assert_eq!(failed.to_string(), "`sqlite3_exec` in domain `sqlite` failed with 19: constraint failed");
    assert_eq!(texts(&db, "SELECT name FROM t ORDER BY rowid"), ["b", "A", "c", "d"]);
}

#[test]
fn an_authorizer_denies() {
    if !isolation() {
        return;
    }
    let db = opened();
    let only_names = |_, table: Option<&CStr>, column: Option<&CStr>, _: Option<&CStr>, _: Option<&CStr>| {
        c_int::from(table == Some(c"t") && column == Some(c"data"))
    };
    sqlite3_set_authorizer(&db, Some(Box::new(only_names))).unwrap();
    assert_eq!(texts(&db, "SELECT name FROM t ORDER BY rowid"), ["b", "A"]);
    let failed = sqlite3_prepare_v3(&db, b"SELECT data FROM t", 0).unwrap_err();
    assert!(failed.to_string().ends_with("failed with 23: access to t.data is prohibited"), "{failed}");
}

#[test]
fn a_collation_compares() {
    if !isolation() {
        return;
    }
    let db = opened();
    let plain = |one: &[u8], other: &[u8]| one.to_ascii_lowercase().cmp(&other.to_ascii_lowercase()) as c_int;
    sqlite3_create_collation_v2(&db, c"plain", UTF8, plain).unwrap();
    assert_eq!(texts(&db, "SELECT name FROM t ORDER BY name COLLATE plain"), ["A", "b"]);
}

/// A panic of the closure goes on from the call, which is over. In a process of its own, because the instance goes with the call, and
/// with it the connections of all other tests.
#[test]
fn a_collation_that_panics() {
    const CHILD: &str = "ISOLATE_A_COLLATION_THAT_PANICS";
    if !isolation() {
        return;
    }
    if std::env::var_os(CHILD).is_none() {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["connections::a_collation_that_panics", "--exact", "--nocapture"]).env(CHILD, "1");
        let output = child.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let db = opened();
    sqlite3_create_collation_v2(&db, c"panics", UTF8, |_, _| panic!("no order")).unwrap();
    let sorted = || texts(&db, "SELECT name FROM t ORDER BY name COLLATE panics");
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(sorted)).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"no order"));
    let stale = sqlite3_exec(&db, c"SELECT 1", None).unwrap_err();
    assert_eq!(stale.fault().map(isolate_rt::Fault::kind), Some(&FaultKind::StaleHandle));
    assert_eq!(texts(&opened(), "SELECT name FROM t ORDER BY rowid"), ["b", "A"]);
}

#[test]
fn values_are_read_and_written_in_parts() {
    if !isolation() {
        return;
    }
    let db = opened();
    let blob = sqlite3_blob_open(&db, c"main", c"t", c"data", 1, 1).unwrap();
    assert_eq!(sqlite3_blob_bytes(&blob).unwrap(), 8);
    sqlite3_blob_write(&blob, &[7; 3], 5).unwrap();
    let mut part = [1; 4];
    sqlite3_blob_read(&blob, &mut part, 4).unwrap();
    assert_eq!(part, [0, 7, 7, 7]);
    let failed = sqlite3_blob_read(&blob, &mut part, 5).unwrap_err();
    assert_eq!(failed.to_string(), "`sqlite3_blob_read` in domain `sqlite` failed with 1: SQL logic error");
    assert_eq!(part, [0, 7, 7, 7]);
    sqlite3_blob_reopen(&blob, 2).unwrap();
    sqlite3_blob_read(&blob, &mut part, 0).unwrap();
    assert_eq!(part, [1, 2, 3, 4]);
    // It keeps its connection.
    drop(db);
    assert_eq!(sqlite3_blob_close(blob).unwrap(), 0);
}

#[test]
fn a_database_is_copied() {
    if !isolation() {
        return;
    }
    let (from, to) = (opened(), sqlite3_open(c":memory:").unwrap());
    let backup = sqlite3_backup_init(&to, c"main", &from, c"main").unwrap();
    assert_eq!(sqlite3_backup_step(&backup, -1).unwrap(), DONE);
    assert_eq!(sqlite3_backup_finish(backup).unwrap(), 0);
    assert_eq!(texts(&to, "SELECT hex(data) FROM t ORDER BY rowid"), ["0000000000000000", "0102030405060708"]);
    let failed = sqlite3_backup_init(&to, c"main", &from, c"missing").unwrap_err();
    assert!(failed.to_string().ends_with("unknown database missing"), "{failed}");
    let image = sqlite3_serialize(&to, None, 0).unwrap().expect("an image");
    assert!(image.starts_with(b"SQLite format 3\0") && image.len().is_multiple_of(4096));
    assert_eq!(sqlite3_serialize(&to, Some(c"missing"), 0).unwrap(), None);
}

#[test]
fn columns_are_described() {
    if !isolation() {
        return;
    }
    let db = opened();
    let (kind, collation, not_null, primary, counts) =
        sqlite3_table_column_metadata(&db, None, c"t", Some(c"name")).unwrap();
    assert_eq!((kind.as_deref(), collation.as_deref()), (Some(c"TEXT"), Some(c"BINARY")));
    assert_eq!((not_null, primary, counts), (1, 0, 0));
    let failed = sqlite3_table_column_metadata(&db, None, c"t", Some(c"size")).unwrap_err();
    assert!(failed.to_string().ends_with("failed with 1: no such table column: t.size"), "{failed}");
}
