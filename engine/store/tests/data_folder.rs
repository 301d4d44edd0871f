//! Stories of one data folder: opened, refused, reopened, damaged.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use causeway_core::storage::{Commit, Expect, FailureKind, Scan};
use causeway_store::contract::{put, rows, space};
use causeway_store::{OpenError, SledStore, Store};

/// Every path under a folder with what is in it.
fn picture(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut seen = BTreeMap::new();
    for found in fs::read_dir(folder).unwrap() {
        let path = found.unwrap().path();
        if path.is_dir() {
            seen.insert(path.clone(), Vec::new());
            seen.extend(picture(&path));
        } else {
            seen.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    seen
}

#[test]
fn what_was_written_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a folder/that does not exist yet");
    let long = vec![9; 100_000];
    for round in 0..3u8 {
        let store = SledStore::open(&data).unwrap();
        assert_eq!(rows(&store, &space("room")).len(), usize::from(round));
        store.apply(&space("room"), &put(&[(&[round], &long)])).unwrap();
        store.sync().unwrap();
    }
    let store = SledStore::open(&data).unwrap();
    assert!(rows(&store, &space("room")).into_iter().all(|(_, value)| value == long));
}

#[test]
fn a_folder_that_is_open_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let before = picture(folder.path());
    let refused = SledStore::open(folder.path()).unwrap_err();
    assert_eq!(refused, OpenError::Locked(folder.path().into()));
    assert!(refused.to_string().contains("in use by another process"));
    assert_eq!(picture(folder.path()), before);
    drop(store);
    SledStore::open(folder.path()).unwrap();
}

const FOLDER_OF_THE_OTHER: &str = "CAUSEWAY_STORE_TEST_LOCKED_FOLDER";

/// Not a story of its own: what the other process of the next story does.
#[test]
fn the_other_process() {
    if let Ok(folder) = std::env::var(FOLDER_OF_THE_OTHER) {
        assert_eq!(SledStore::open(&folder).unwrap_err(), OpenError::Locked(folder.into()));
        println!("it was locked");
    }
}

#[test]
fn a_folder_that_another_process_has_open_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _store = SledStore::open(folder.path()).unwrap();
    let other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_other_process", "--nocapture"])
        .env(FOLDER_OF_THE_OTHER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&other.stdout).into_owned();
    assert!(other.status.success() && said.contains("it was locked"), "{said}");
}

#[test]
fn a_folder_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("FORMAT"), "causeway store, sled, format 2\n").unwrap();
    let before = picture(folder.path());
    let refused = SledStore::open(folder.path()).unwrap_err();
    assert_eq!(refused, OpenError::NewerFormat { found: 2, known: 1 });
    assert!(refused.to_string().contains("install a newer version"));
    assert_eq!(picture(folder.path()), before);
}

#[test]
fn a_file_in_place_of_the_folder_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    fs::write(&file, "letters").unwrap();
    assert_eq!(SledStore::open(&file).unwrap_err(), OpenError::NotAFolder(file.clone()));
    let below = file.join("below");
    assert_eq!(SledStore::open(&below).unwrap_err(), OpenError::NotAFolder(below));
    assert_eq!(fs::read_to_string(&file).unwrap(), "letters");
}

#[test]
fn a_folder_without_its_format_or_with_an_unreadable_one_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    drop(SledStore::open(folder.path()).unwrap());
    for format in [None, Some("causeway"), Some("causeway store, sled, format -1"), Some("")] {
        fs::remove_file(folder.path().join("FORMAT")).unwrap();
        if let Some(format) = format {
            fs::write(folder.path().join("FORMAT"), format).unwrap();
        }
        let before = picture(folder.path());
        let refused = SledStore::open(folder.path()).unwrap_err();
        assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
        assert_eq!(picture(folder.path()), before);
        fs::write(folder.path().join("FORMAT"), "causeway store, sled, format 1").unwrap();
    }
    SledStore::open(folder.path()).unwrap();
}

#[test]
fn an_unreadable_database_is_called_damaged_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(SledStore::open(folder.path()).unwrap());
    let conf = folder.path().join("sled/conf");
    let sound = fs::read(&conf).unwrap();
    fs::write(&conf, "no such words in a conf").unwrap();
    let before = picture(folder.path());
    let refused = SledStore::open(folder.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    assert_eq!(picture(folder.path()), before);
    fs::write(&conf, sound).unwrap();
    SledStore::open(folder.path()).unwrap();
}

/// Changes a row behind the store's back, as a failing disk would.
fn bend(folder: &Path, tree_key: &[u8], change: impl FnOnce(&mut Vec<u8>)) {
    let db = open_plain(folder);
    let mut row = db.get(tree_key).unwrap().unwrap().to_vec();
    change(&mut row);
    db.insert(tree_key, row).unwrap();
    db.flush().unwrap();
}

fn open_plain(folder: &Path) -> sled::Db {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        match sled::open(folder.join("sled")) {
            Ok(db) => return db,
            Err(e) if std::time::Instant::now() > deadline => panic!("{e}"),
            Err(_) => std::thread::yield_now(),
        }
    }
}

#[test]
fn a_damaged_value_is_named_and_its_neighbours_are_sound() {
    let folder = tempfile::tempdir().unwrap();
    let long = vec![5; 10_000];
    {
        let store = SledStore::open(folder.path()).unwrap();
        store
            .apply(&space("room"), &put(&[(b"a", b"1"), (b"b", b"2"), (b"c", &long), (b"d", b"4")]))
            .unwrap();
        store.sync().unwrap();
    }
    bend(folder.path(), b"\x01\x04roomb", |row| row[17] ^= 1);
    let second_piece = b"\x02\0\0\0\0\0\0\0\0\0\0\0\x01";
    bend(folder.path(), second_piece, |piece| piece[100] ^= 1);

    let store = SledStore::open(folder.path()).unwrap();
    let read = |start: &[u8], end: &[u8]| {
        let scan = Scan { start: start.into(), end: end.into(), max_bytes: 1 << 20, max_rows: 10 };
        store.scan(&space("room"), &scan)
    };
    let mut before = b"a".to_vec();
    for key in ["b", "c"] {
        let page = read(&before, b"e").unwrap();
        assert_eq!((page.rows.len(), page.more), (1, Some(key.into())), "a page ends before a damaged value");
        let failure = read(key.as_bytes(), b"e").unwrap_err();
        assert_eq!(failure.kind, FailureKind::Damaged);
        assert!(failure.sentence.contains(&format!("\"{key}\"")), "{failure}");
        let expecting = Commit {
            expect: vec![Expect { key: key.into(), value: None }],
            ..put(&[(key.as_bytes(), b"new")])
        };
        assert!(store.apply(&space("room"), &expecting).is_err(), "nothing is decided on a damaged value");
        assert_eq!(read(b"a", b"b").unwrap().rows.len(), 1);
        assert_eq!(read(b"d", b"e").unwrap().rows.len(), 1);
        store.apply(&space("room"), &put(&[(key.as_bytes(), b"healed")])).unwrap();
        before = key.into();
    }
    assert_eq!(read(b"a", b"e").unwrap().rows.len(), 4, "what is written anew is sound");
}

#[test]
fn a_value_of_another_key_is_not_taken_for_its_own() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = SledStore::open(folder.path()).unwrap();
        store.apply(&space("room"), &put(&[(b"a", b"mine"), (b"b", b"yours")])).unwrap();
    }
    let other = open_plain(folder.path()).get(b"\x01\x04rooma").unwrap().unwrap().to_vec();
    bend(folder.path(), b"\x01\x04roomb", |row| *row = other);
    let store = SledStore::open(folder.path()).unwrap();
    let scan = Scan { start: b"b".to_vec(), end: b"c".to_vec(), max_bytes: 100, max_rows: 10 };
    assert_eq!(store.scan(&space("room"), &scan).unwrap_err().kind, FailureKind::Damaged);
}

#[test]
fn the_largest_keys_and_rows_never_spill_into_a_file_that_sled_does_not_fsync() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let value = vec![1; causeway_store::limits::INLINE_VALUE_BYTES];
    let key = |n: u32| {
        let mut key = vec![7; causeway_store::limits::MAX_KEY_BYTES];
        // Differing first bytes keep sled from sharing the beginning of neighbouring keys.
        key[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b9).to_be_bytes());
        key
    };
    let spilled = || fs::read_dir(folder.path().join("sled/blobs")).unwrap().count();
    for round in 0..6 {
        for start in (0..600).step_by(60) {
            let commit = Commit {
                put: (start..start + 60).map(|n| (key(n), value.clone())).collect(),
                ..Commit::default()
            };
            store.apply(&space("room"), &commit).unwrap();
            assert_eq!(spilled(), 0);
        }
        let delete = (0..600).filter(|n| n % 8 != round).map(key).collect();
        store.apply(&space("room"), &Commit { delete, ..Commit::default() }).unwrap();
        assert_eq!(spilled(), 0);
    }
    store.sync().unwrap();
}
