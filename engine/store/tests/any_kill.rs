//! The property that whatever a process did before it was killed, and whatever the power took of what was not synced, what was
//! called saved is there and nothing else is.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread::yield_now;
use std::time::{Duration, Instant};

use causeway_core::storage::Commit;
use causeway_store::contract::{rows, space};
use causeway_store::remains::examine;
use causeway_store::{StoreKind, WriteAheadLimits};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::proptest;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// What a process does before it ends.
#[derive(Debug, Clone)]
struct Life {
    commits: Vec<Change>,
    /// After so many of them, and no more, everything is synced.
    synced: usize,
    end: End,
}

#[derive(Debug, Clone)]
enum Change {
    Put(u8, usize),
    Delete(u8),
    DeletePrefix(u8),
    /// One is written and another goes.
    Both(u8, u8),
}

#[derive(Debug, Clone)]
enum End {
    /// All is carried.
    InOrder,
    /// What it handed to the system is there.
    Killed,
    /// The log ends at a place, in thousandths of what was not synced; zeros stand behind it, or nothing.
    Cut(u16, bool),
    /// Some of the sectors that were not synced never reached the disk.
    Sectors(u64),
    /// Bits of what was not synced are others.
    Flipped(Vec<(u16, u8)>),
}

fn change() -> impl Strategy<Value = Change> {
    let length = prop_oneof![8 => 1usize..60, 2 => 3_000usize..3_200, 1 => 9_000usize..20_000];
    prop_oneof![
        6 => (any::<u8>(), length).prop_map(|(key, length)| Change::Put(key % 40, length)),
        2 => any::<u8>().prop_map(|key| Change::Delete(key % 40)),
        1 => any::<u8>().prop_map(|key| Change::DeletePrefix(key % 4)),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(one, other)| Change::Both(one % 40, other % 40)),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    let end = prop_oneof![
        Just(End::InOrder),
        Just(End::Killed),
        (0..1000u16, any::<bool>()).prop_map(|(at, zeros)| End::Cut(at, zeros)),
        any::<u64>().prop_map(End::Sectors),
        vec((0..1000u16, 0..8u8), 1..4).prop_map(End::Flipped),
    ];
    (vec(change(), 0..14), 0..15usize, end).prop_map(|(commits, synced, end)| Life {
        synced: synced.min(commits.len()),
        commits,
        end,
    })
}

/// A key in one of four groups; no byte of it is zero, nor of any value, so that the end of the log is seen.
fn key(number: u8) -> Vec<u8> {
    vec![b'a' + number % 4, b'k', number + 1]
}

fn commit(change: &Change, at: usize) -> Commit {
    let value = |length: usize| vec![(at % 255) as u8 + 1; length];
    match change {
        Change::Put(number, length) => Commit {
            put: vec![(key(*number), value(*length)), (b"tip".into(), value(2))],
            ..Commit::default()
        },
        Change::Delete(number) => Commit { delete: vec![key(*number)], ..Commit::default() },
        Change::DeletePrefix(group) => {
            Commit { delete_prefix: vec![vec![b'a' + group, b'k']], ..Commit::default() }
        }
        Change::Both(one, other) => {
            Commit { delete: vec![key(*other)], put: vec![(key(*one), value(30))], ..Commit::default() }
        }
    }
}

fn follow(model: &mut Model, commit: &Commit) {
    commit.delete.iter().for_each(|key| drop(model.remove(key)));
    model.retain(|key, _| !commit.delete_prefix.iter().any(|prefix| key.starts_with(prefix)));
    model.extend(commit.put.iter().cloned());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for found in fs::read_dir(from).unwrap() {
        let found = found.unwrap();
        let to = to.join(found.file_name());
        if found.path().is_dir() {
            copy(&found.path(), &to);
        } else if let Err(failure) = fs::copy(found.path(), to) {
            // A file of the log of which all is carried goes meanwhile.
            assert_eq!(failure.kind(), ErrorKind::NotFound);
        }
    }
}

fn logs(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder.join("ahead")).into_iter().flatten();
    let mut files: Vec<PathBuf> = found.map(|found| found.unwrap().path()).collect();
    files.sort();
    files
}

/// The newest file of the log, and where what was written to it ends. One of which all is carried goes while it is looked at.
fn end_of_log(folder: &Path) -> Option<(PathBuf, usize)> {
    loop {
        let log = logs(folder).pop()?;
        match fs::read(&log) {
            Ok(bytes) => {
                let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                return Some((log, end));
            }
            Err(gone) if gone.kind() == ErrorKind::NotFound => {}
            Err(failure) => panic!("{failure}"),
        }
    }
}

/// Waits until what the life before left is carried, as it is behind any commit: its files are gone then.
fn wait_for_the_carrier(folder: &Path, leaving: &[PathBuf]) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while leaving.iter().any(|log| log.exists()) || folder.join("carrying").exists() {
        assert!(Instant::now() < deadline, "what another life left is never carried");
        yield_now();
    }
}

/// Takes from the newest file of a log what the power takes behind a place.
fn take(end: &End, log: &Path, synced: usize, written: usize) {
    let mut bytes = fs::read(log).unwrap();
    let at = |thousandths: u16| synced + (written - synced) * usize::from(thousandths) / 1000;
    match end {
        End::InOrder | End::Killed => {}
        End::Cut(cut, zeros) => {
            let length = bytes.len();
            bytes.truncate(at(*cut));
            bytes.resize(if *zeros { length } else { bytes.len() }, 0);
        }
        End::Sectors(lost) => {
            for (sector, start) in (0..written).step_by(512).enumerate() {
                if lost >> (sector % 64) & 1 == 1 {
                    let (from, to) = (start.max(synced), (start + 512).min(written));
                    bytes.get_mut(from..to).into_iter().flatten().for_each(|byte| *byte = 0);
                }
            }
        }
        End::Flipped(bits) if written > synced => {
            bits.iter().for_each(|(place, bit)| bytes[at(*place)] ^= 1 << bit);
        }
        End::Flipped(_) => {}
    }
    fs::write(log, bytes).unwrap();
}

/// A life in the folder of its number, which holds what the model says; answers what is left of it, in the next one.
fn live(folder: &Path, number: usize, life: &Life, model: Model) -> Model {
    let data = folder.join(number.to_string());
    let after = folder.join((number + 1).to_string());
    let never = WriteAheadLimits { carry_bytes: 1 << 30, full_bytes: 1 << 31, piece_bytes: 2_000 };
    let store = StoreKind::Redb.open_within(never, &data).unwrap();
    store.sync().unwrap();
    let mut leaving = logs(&data);
    let mut states = vec![model];
    let (mut synced_at, mut newest) = (None, 0);
    for (at, change) in life.commits.iter().enumerate() {
        let commit = commit(change, number * 20 + at);
        let mut model = states.last().unwrap().clone();
        follow(&mut model, &commit);
        store.apply(&space("room"), &commit).unwrap();
        states.push(model);
        if at == 0 && !leaving.is_empty() {
            // The first commit is carried with what the life before left.
            leaving.extend(logs(&data));
        }
        if at + 1 == life.synced {
            wait_for_the_carrier(&data, &leaving);
            store.sync().unwrap();
            (synced_at, newest) = (end_of_log(&data), states.len() - 1);
        }
    }
    if !life.commits.is_empty() {
        wait_for_the_carrier(&data, &leaving);
    }
    if matches!(life.end, End::InOrder) {
        drop(store);
        copy(&data, &after);
        assert!(life.commits.is_empty() || logs(&after).is_empty(), "who took a commit leaves no log");
        return states.pop().unwrap();
    }
    copy(&data, &after);
    // What this life has not begun was put on the disk when it began, as was the head of a file before anything behind it.
    let newest_log = logs(&data).pop().filter(|log| !leaving.contains(log)).and_then(|_| end_of_log(&after));
    drop(store);
    if let Some((log, written)) = newest_log {
        // What was synced may have been carried since, with its file.
        let synced =
            synced_at.filter(|(synced, _)| synced.file_name() == log.file_name()).map_or(0, |(_, end)| end);
        take(&life.end, &log, synced.max(FILE_HEAD), written);
    }
    let found = shown(&after, &folder.join("scratch"));
    let kept = if matches!(life.end, End::Killed) { states.len() - 1 } else { newest };
    let is_left = states[kept..].contains(&found);
    assert!(is_left, "life {number}: {:?} is none of the states that may be left", found.keys());
    found
}

/// The rows of a folder, in their order, which is what the doctor finds in it as well.
fn shown(data: &Path, scratch: &Path) -> Model {
    let store = StoreKind::Redb.open(data).unwrap();
    let read = rows(&*store, &space("room"));
    drop(store);
    let found: Model = read.iter().cloned().collect();
    assert!(found.keys().eq(read.iter().map(|(key, _)| key)), "ascending, none twice");
    fs::create_dir_all(scratch).unwrap();
    let remains = examine(data, scratch).unwrap();
    assert!(remains.is_sound(), "{:?}", remains.findings);
    let told = remains.rows(&space("room")).into_iter();
    assert!(told.map(|(key, mut values)| (key, values.swap_remove(0))).eq(found.clone()));
    fs::remove_dir_all(scratch).unwrap();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn st2_whatever_ends_a_process_what_was_saved_is_there_and_nothing_else_is(lives in vec(life(), 1..6)) {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let mut model = Model::new();
        for (number, life) in lives.iter().enumerate() {
            model = live(folder.path(), number, life, model);
        }
        let last = folder.path().join(lives.len().to_string());
        let store = StoreKind::Redb.open(&last).unwrap();
        store.apply(&space("room"), &commit(&Change::Put(1, 9), 1)).unwrap();
        drop(store);
        follow(&mut model, &commit(&Change::Put(1, 9), 1));
        assert!(logs(&last).is_empty(), "all of it was carried at the end");
        assert_eq!(shown(&last, &folder.path().join("scratch")), model);
    }
}

/// Where the records of a file begin: its head is on the disk before there are any.
const FILE_HEAD: usize = 1024;
