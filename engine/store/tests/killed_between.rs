//! A process that is killed between any two operations of its store: what the last one promised holds.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use causeway_core::storage::Commit;
use causeway_store::contract::{put, rows, space};
use causeway_store::{Store, StoreKind, WriteAheadLimits};

const FOLDER: &str = "CAUSEWAY_STORE_TEST_BETWEEN_FOLDER";
const KIND: &str = "CAUSEWAY_STORE_TEST_BETWEEN_KIND";
const CARRY: &str = "CAUSEWAY_STORE_TEST_BETWEEN_CARRY";

/// Bytes of rows from which on they are carried: each commit at once, or none.
const CARRY_BYTES: [usize; 2] = [0, usize::MAX / 4];

/// Commits of one life; each is applied, settled and synced.
const COMMITS: u8 = 5;
/// What the dying process does with each commit, in this order.
const OPERATIONS: [&str; 3] = ["applied", "settled", "synced"];

/// Each commit writes a row twice, once long, and takes away the rows of the one before.
fn commit(number: u8) -> Commit {
    let before = number.wrapping_sub(1);
    Commit {
        delete: vec![vec![b'r', before]],
        delete_prefix: vec![vec![b'l', before]],
        ..put(&[(&[b'r', number], &[number; 100]), (&[b'l', number, 0], &[number; 10_000])])
    }
}

/// Not a story of its own: the process that dies in the next one. It goes one operation further for each line it reads.
#[test]
fn the_process_that_dies_between_two_operations() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let kind: StoreKind = std::env::var(KIND).unwrap().parse().unwrap();
    let carry_bytes = std::env::var(CARRY).unwrap().parse().unwrap();
    let limits = WriteAheadLimits { carry_bytes, full_bytes: 1 + carry_bytes, piece_bytes: 1_000 };
    let store = kind.open_within(limits, folder).unwrap();
    let mut told = std::io::stdin().lines();
    for number in 0..COMMITS {
        for operation in OPERATIONS {
            told.next().unwrap().unwrap();
            match operation {
                "applied" => store.apply(&space("room"), &commit(number)).unwrap(),
                "settled" => store.settle().unwrap(),
                _ => store.sync().unwrap(),
            }
            writeln!(std::io::stdout(), "\ndone {operation}").unwrap();
        }
    }
    // Waits to be killed.
    told.next();
}

/// Lets a process do so many operations and kills it.
fn live_and_die(kind: StoreKind, carry_bytes: usize, folder: &Path, operations: usize) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_process_that_dies_between_two_operations", "--nocapture"])
        .env(FOLDER, folder)
        .env(KIND, kind.name())
        .env(CARRY, carry_bytes.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut tell = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..operations {
        writeln!(tell).unwrap();
        assert!(lines.by_ref().map_while(Result::ok).any(|line| line.starts_with("done ")), "it goes on");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The number of the commit that the store shows, which must be there whole.
fn shown(store: &dyn Store) -> Option<u8> {
    let found = rows(store, &space("room"));
    let number = found.first()?.0[1];
    let mut expected = commit(number).put;
    expected.sort();
    assert_eq!(found, expected, "one commit is there, whole, and what it took away is gone");
    Some(number)
}

#[test]
fn st2_what_was_settled_survives_a_kill_after_any_operation() {
    for (kind, carry_bytes) in
        [(StoreKind::Sled, 0)].into_iter().chain(CARRY_BYTES.map(|bytes| (StoreKind::Redb, bytes)))
    {
        for operations in 0..=usize::from(COMMITS) * OPERATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            live_and_die(kind, carry_bytes, folder.path(), operations);
            goes_on(kind, folder.path(), operations);
        }
    }
}

fn goes_on(kind: StoreKind, folder: &Path, operations: usize) {
    let store = kind.open(folder).unwrap();
    let shown = shown(&*store).map_or(0, |number| usize::from(number) + 1);
    let applied = operations.div_ceil(OPERATIONS.len());
    // A commit that was only applied may be there or not.
    let settled = (operations + 1) / OPERATIONS.len();
    assert!(
        shown >= settled && shown <= applied,
        "{kind}: after {operations} operations it shows {shown} of {settled} to {applied} commits"
    );
    // And it goes on from there.
    store.apply(&space("room"), &put(&[(b"after", b"v")])).unwrap();
    store.sync().unwrap();
}
