//! Stories of what lies in sled's files: damaged behind the store's back, or growing beyond what sled fsyncs.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use causeway_core::storage::{Commit, Expect, Scan};
use causeway_store::contract::{put, space};
use causeway_store::{OpenError, StoreKind};

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
fn st3_a_damaged_value_is_named_and_its_neighbours_are_sound() {
    let folder = tempfile::tempdir().unwrap();
    let long = vec![5; 10_000];
    {
        let store = StoreKind::Sled.open(folder.path()).unwrap();
        store
            .apply(&space("room"), &put(&[(b"a", b"1"), (b"b", b"2"), (b"c", &long), (b"d", b"4")]))
            .unwrap();
        store.sync().unwrap();
    }
    bend(folder.path(), b"\x01\x04roomb", |row| row[17] ^= 1);
    let second_piece = b"\x02\0\0\0\0\0\0\0\0\0\0\0\x01";
    bend(folder.path(), second_piece, |piece| piece[100] ^= 1);

    let store = StoreKind::Sled.open(folder.path()).unwrap();
    let read = |start: &[u8], end: &[u8]| {
        let scan = Scan { start: start.into(), end: end.into(), max_bytes: 1 << 20, max_rows: 10 };
        store.scan(&space("room"), &scan)
    };
    let page = read(b"a", b"e").unwrap();
    let keys: Vec<_> = page.rows.iter().map(|(key, _)| key.as_slice()).collect();
    assert_eq!((keys, page.more), (vec![&b"a"[..], b"d"], None), "what is sound is read");
    assert_eq!(page.damaged, [b"b", b"c"], "and what is not is named");
    for key in ["b", "c"] {
        let expecting = Commit {
            expect: vec![Expect { key: key.into(), value: None }],
            ..put(&[(key.as_bytes(), b"new")])
        };
        assert!(store.apply(&space("room"), &expecting).is_err(), "nothing is decided on a damaged value");
        assert_eq!(read(b"a", b"b").unwrap().rows.len(), 1);
        assert_eq!(read(b"d", b"e").unwrap().rows.len(), 1);
        store.apply(&space("room"), &put(&[(key.as_bytes(), b"healed")])).unwrap();
    }
    assert_eq!(read(b"a", b"e").unwrap().rows.len(), 4, "what is written anew is sound");
}

/// What becomes of the rows `a` and `b`, given what `b` was before.
type Happening = fn(&sled::Db, sled::IVec, &[u8], &[u8]);

/// sled may cut a piece out of the middle of its log and say nothing.
#[test]
fn st3_a_row_that_is_missing_or_older_or_of_another_key_makes_opening_refuse() {
    let a = b"\x01\x04rooma";
    let b = b"\x01\x04roomb";
    let happenings: [Happening; 3] = [
        |db, _, _, b| drop(db.remove(b).unwrap()),
        |db, before, _, b| drop(db.insert(b, before).unwrap()),
        |db, _, a, b| drop(db.insert(b, db.get(a).unwrap().unwrap()).unwrap()),
    ];
    for change in happenings {
        let folder = tempfile::tempdir().unwrap();
        let store = StoreKind::Sled.open(folder.path()).unwrap();
        store.apply(&space("room"), &put(&[(b"a", b"mine"), (b"b", b"older")])).unwrap();
        drop(store);
        let before = open_plain(folder.path()).get(b).unwrap().unwrap();
        let store = StoreKind::Sled.open(folder.path()).unwrap();
        store.apply(&space("room"), &put(&[(b"b", b"newer")])).unwrap();
        drop(store);
        drop(StoreKind::Sled.open(folder.path()).unwrap());
        let db = open_plain(folder.path());
        change(&db, before, a, b);
        drop(db);
        let refused = StoreKind::Sled.open(folder.path()).err().unwrap();
        assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    }
}

#[test]
fn the_largest_keys_and_rows_never_spill_into_a_file_that_sled_does_not_fsync() {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreKind::Sled.open(folder.path()).unwrap();
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

#[test]
fn what_is_written_over_leaves_no_pieces_behind_however_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let (mut expected, mut dice) = (std::collections::BTreeMap::<Vec<u8>, usize>::new(), 1u64);
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    for _opening in 0..4 {
        let store = StoreKind::Sled.open(folder.path()).unwrap();
        for _group in 0..60 {
            let mut group = Vec::new();
            for _ in 0..1 + roll(3) {
                let mut commit = Commit::default();
                for _ in 0..1 + roll(4) {
                    // Keys that count upwards and down again, and keys that do not count.
                    let number = roll(12).to_be_bytes();
                    let key = if roll(2) == 0 { [b"counts", &number[..]].concat() } else { vec![number[7]] };
                    let length = [1, 200, 4_000, 10_000][roll(4) as usize];
                    if roll(4) == 0 {
                        commit.delete.push(key.clone());
                        commit.put.retain(|(put, _)| *put != key);
                        expected.remove(&key);
                    } else {
                        commit.put.push((key.clone(), vec![7; length]));
                        expected.insert(key, length);
                    }
                }
                group.push((space("room"), commit));
            }
            assert!(store.apply_group(&group).iter().all(Result::is_ok));
        }
        store.sync().unwrap();
    }
    let pieces = open_plain(folder.path()).scan_prefix([2]).count();
    let long = expected.values().filter(|length| **length > 3 * 1024);
    assert_eq!(pieces, long.map(|length| length.div_ceil(3 * 1024)).sum::<usize>());
}
