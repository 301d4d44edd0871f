//! Stories of files of which a part cannot be read while a store is open. The end of the file is taken away and put back:
//! what lies there is refused by the system as a place is that has rotted.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Once};

use causeway_core::storage::{Commit, CommitError, FailureKind, Scan};

use crate::ahead::WriteAheadStore;
use crate::folder::Past;
use crate::limits::Reading;
use crate::{SledStore, Space, Store, StoreKind, WriteAheadLimits};

const ROWS: u32 = 300;
const ROOMS: u32 = 20;

fn room(number: u32) -> Space {
    Space::new(format!("room-{:02}", number % ROOMS)).unwrap()
}

fn value(number: u32) -> Vec<u8> {
    (0..1_000).map(|at: u32| (at ^ number.wrapping_mul(31)) as u8 | 1).collect()
}

/// As a large database is opened: without a look at all its rows, none of which is in memory then.
fn open(kind: StoreKind, folder: &Path) -> Arc<dyn Store> {
    let reading = Reading { cache_bytes: 512, verify_bytes: 0 };
    // Each commit is in the database before the next is taken.
    let limits = WriteAheadLimits { carry_bytes: 0, full_bytes: 1, ..WriteAheadLimits::default() };
    match kind {
        StoreKind::Sled => Arc::new(SledStore::open_reading(folder, Past::Plain, reading).unwrap()),
        StoreKind::Redb => {
            Arc::new(WriteAheadStore::open_reading(folder, Past::Plain, limits, reading).unwrap())
        }
    }
}

/// What was written first is gone again, so that redb's newest pages, which lead to all others, are not the last of its file.
fn write(store: &dyn Store) {
    let early = |number: u32| [b"early", &number.to_be_bytes()[..]].concat();
    let change = |commit: &dyn Fn(u32) -> Commit| {
        for first in (0..ROWS).step_by(10) {
            let group: Vec<_> = (first..first + 10).map(|number| (room(number), commit(number))).collect();
            assert!(store.apply_group(&group).iter().all(Result::is_ok));
        }
    };
    change(&|number| Commit { put: vec![(early(number), value(number))], ..Commit::default() });
    change(&|number| Commit {
        put: vec![(number.to_be_bytes().to_vec(), value(number))],
        ..Commit::default()
    });
    change(&|number| Commit { delete: vec![early(number)], ..Commit::default() });
    store.sync().unwrap();
}

/// How many rows are read, each as it was written, and of how many is said that they are damaged.
fn look(store: &dyn Store) -> (u32, u32) {
    let (mut sound, mut damaged) = (0, 0);
    for number in 0..ROWS {
        let start = number.to_be_bytes().to_vec();
        let end = [&start[..], &[0]].concat();
        match store.scan(&room(number), &Scan { start: start.clone(), end, max_bytes: 1 << 20, max_rows: 2 })
        {
            Ok(page) if page.rows == [(start.clone(), value(number))] => sound += 1,
            Ok(page) => {
                assert_eq!((page.rows, page.damaged), (Vec::new(), vec![start]));
                damaged += 1;
            }
            Err(failure) => {
                assert_eq!(failure.kind, FailureKind::Damaged, "{failure}");
                damaged += 1;
            }
        }
    }
    (sound, damaged)
}

/// Its panics are caught, and would be printed by the hundred.
fn quiet_about_redb() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|at| at.file().contains("/redb-")) {
                told(panic);
            }
        }));
    });
}

#[test]
fn st3_a_place_that_cannot_be_read_is_damage_there_and_the_store_goes_on() {
    quiet_about_redb();
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        write(&*open(kind, folder.path()));
        let path = kind.file_in(folder.path());
        let whole = fs::read(&path).unwrap();
        let mut partly = 0;
        for cut in (0..whole.len()).step_by(whole.len() / 15) {
            let store = open(kind, folder.path());
            OpenOptions::new().write(true).open(&path).unwrap().set_len(cut as u64).unwrap();
            let (sound, damaged) = look(&*store);
            partly += u32::from(sound > 0 && damaged > 0);
            fs::write(&path, &whole).unwrap();
            // What has not rotted is read, also by whoever changes it; nobody had to open anything again.
            let put = vec![(b"after".to_vec(), b"it".to_vec())];
            store.apply(&room(0), &Commit { put, ..Commit::default() }).unwrap();
            store.sync().unwrap();
            drop(store);
            fs::write(&path, &whole).unwrap();
            fs::remove_file(folder.path().join("tip")).unwrap();
        }
        assert!(partly > 0, "{kind}: nothing was asked of the disk, or nothing was given");
        assert_eq!(look(&*open(kind, folder.path())), (ROWS, 0), "{kind}");
    }
}

/// Puts zeros in place of every block of a file in which a value begins.
fn bend(path: &Path, value: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let places: Vec<usize> = bytes
        .windows(value.len())
        .enumerate()
        .filter(|(_, found)| *found == value)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        let block = at - at % 4096;
        let end = bytes.len().min(block + 4096);
        bytes[block..end].fill(0);
    }
    OpenOptions::new().write(true).open(path).unwrap().write_all(&bytes).unwrap();
}

#[test]
fn st3_a_place_that_cannot_be_written_costs_what_lies_there() {
    quiet_about_redb();
    let folder = tempfile::tempdir().unwrap();
    let kind = StoreKind::Redb;
    write(&*open(kind, folder.path()));
    let store = open(kind, folder.path());
    bend(&kind.file_in(folder.path()), &value(ROWS / 2));
    let new_key = |number: u32| [&number.to_be_bytes()[..], b"new"].concat();
    let put = |store: &dyn Store, number: u32| {
        let put = vec![(new_key(number), vec![1])];
        match store.apply(&room(number), &Commit { put, ..Commit::default() }) {
            Ok(()) => true,
            Err(CommitError::Failed(why)) => {
                assert_eq!(why.kind, FailureKind::Damaged, "{why}");
                false
            }
            Err(conflict @ CommitError::Conflict { .. }) => panic!("{conflict}"),
        }
    };
    let saved: Vec<u32> = (0..ROWS).filter(|number| put(&*store, *number)).collect();
    store.sync().unwrap();
    let (sound, damaged) = look(&*store);
    assert!(damaged > 0 && sound > ROWS / 2, "{sound} sound, {damaged} damaged");
    assert!(saved.len() > ROWS as usize / 2 && saved.len() < ROWS as usize, "{} new rows", saved.len());
    for number in &saved {
        let start = new_key(*number);
        let end = [&start[..], &[0]].concat();
        let scan = Scan { start: start.clone(), end, max_bytes: 100, max_rows: 1 };
        assert_eq!(store.scan(&room(*number), &scan).unwrap().rows, [(start, vec![1])]);
    }
    assert!(put(&*store, saved[0]), "it takes what lies elsewhere to the end");
    drop(store);
    assert_eq!(fs::read_dir(folder.path().join("ahead")).unwrap().count(), 0, "all of it was carried");
}

#[test]
fn st3_who_deletes_a_long_value_of_which_a_piece_cannot_be_reached_is_told() {
    quiet_about_redb();
    let folder = tempfile::tempdir().unwrap();
    let kind = StoreKind::Redb;
    let long: Vec<u8> = (0..40_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let store = open(kind, folder.path());
    let put = vec![(b"long".to_vec(), long.clone())];
    store.apply(&room(0), &Commit { put, ..Commit::default() }).unwrap();
    drop(store);
    write(&*open(kind, folder.path()));
    let store = open(kind, folder.path());
    bend(&kind.file_in(folder.path()), &long[20_000..20_100]);
    let gone = Commit { delete: vec![b"long".to_vec()], ..Commit::default() };
    let other = Commit { put: vec![(b"other".to_vec(), b"v".to_vec())], ..Commit::default() };
    let refused = store.apply(&room(0), &gone);
    assert!(
        matches!(&refused, Err(CommitError::Failed(why)) if why.kind == FailureKind::Damaged),
        "{refused:?}"
    );
    assert_eq!([7, 0].map(|at| store.apply(&room(at), &other)), [Ok(()), Ok(())]);
    store.sync().unwrap();
    assert!(look(&*store).0 > ROWS / 2);
}
