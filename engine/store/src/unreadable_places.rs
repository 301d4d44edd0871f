//! Stories of files of which a part cannot be read while a store is open. The end of the file is taken away and put back:
//! what lies there is refused by the system as a place is that has rotted.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use causeway_core::storage::{Commit, FailureKind, Scan};

use crate::folder::Past;
use crate::limits::Reading;
use crate::{RedbStore, SledStore, Space, Store, StoreKind};

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
    match kind {
        StoreKind::Sled => Arc::new(SledStore::open_reading(folder, Past::Plain, reading).unwrap()),
        StoreKind::Redb => Arc::new(RedbStore::open_reading(folder, Past::Plain, reading).unwrap()),
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

/// Panics of redb are caught, and would be printed by the hundred.
fn silence() {
    static ONCE: std::sync::Once = std::sync::Once::new();
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
    silence();
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

#[test]
fn st4_a_write_beside_a_place_that_cannot_be_read_is_made_or_closes_the_store_and_nothing_is_read_wrongly() {
    silence();
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        write(&*open(kind, folder.path()));
        let path = kind.file_in(folder.path());
        let (whole, tip) = (fs::read(&path).unwrap(), fs::read(folder.path().join("tip")).unwrap());
        let (mut made, mut closed) = (0, 0);
        for cut in (0..whole.len()).step_by(whole.len() / 8) {
            let store = open(kind, folder.path());
            OpenOptions::new().write(true).open(&path).unwrap().set_len(cut as u64).unwrap();
            let mut answers = Vec::new();
            for number in 0..ROWS {
                let (key, gone) = (number.to_be_bytes().to_vec(), (number + 1).to_be_bytes().to_vec());
                let commit =
                    Commit { put: vec![(key, value(number + 1))], delete: vec![gone], ..Commit::default() };
                answers.push((number, store.apply(&room(number), &commit).is_ok()));
            }
            let first = answers.iter().position(|(_, made)| !made).unwrap_or(answers.len());
            assert!(answers[first..].iter().all(|(_, made)| !made), "{kind}: it stays closed");
            made += first;
            closed += usize::from(first < answers.len());
            if first < answers.len() {
                let refused = store.spaces(None, 1).expect_err("nothing is read of it either");
                assert_ne!(refused.kind, FailureKind::Busy, "{kind}: {refused}");
            } else {
                for number in 0..ROWS {
                    let start = number.to_be_bytes().to_vec();
                    let end = [&start[..], &[0]].concat();
                    let page =
                        store.scan(&room(number), &Scan { start, end, max_bytes: 1 << 20, max_rows: 1 });
                    let rows = page.map(|page| page.rows).unwrap_or_default();
                    assert!(
                        rows.iter().all(|(_, found)| *found == value(number + 1)),
                        "{kind}: row {number}"
                    );
                }
            }
            drop(store);
            fs::write(&path, &whole).unwrap();
            fs::write(folder.path().join("tip"), &tip).unwrap();
        }
        assert!(closed > 0, "{kind}: no write needed what could not be read ({made} were made)");
    }
}

#[test]
fn st3_a_small_database_of_which_a_part_cannot_be_read_is_refused_and_opens_when_it_can() {
    silence();
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        write(&*open(kind, folder.path()));
        let path = kind.file_in(folder.path());
        let whole = fs::read(&path).unwrap();
        let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
        for cut in [used / 4, used / 2, used - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            let tip = fs::read(folder.path().join("tip")).unwrap();
            let refused = kind.open(folder.path()).err();
            assert!(refused.is_some(), "{kind}: it opens without what lay behind {cut} of {used}");
            fs::write(&path, &whole).unwrap();
            fs::write(folder.path().join("tip"), tip).unwrap();
        }
        assert_eq!(look(&*kind.open(folder.path()).unwrap()), (ROWS, 0), "{kind}");
    }
}
