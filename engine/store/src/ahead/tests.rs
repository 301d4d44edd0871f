//! Stories of a write-ahead log over a database that does what a story says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::thread::yield_now;
use std::time::{Duration, Instant};

use causeway_core::storage::FailureKind;

use super::*;
use crate::database::{Database, Row};
use crate::folder::{Claim, Mark, Past};
use crate::rows::layout;
use crate::{OpenError, StoreKind};

/// A database in memory that outlives the store. Clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    batch: u64,
    syncs_fail: bool,
    /// Keys in rooms whose places can be neither read nor written.
    rotten: BTreeSet<Vec<u8>>,
    scans: usize,
    /// So many writes more, and there is no room for another; where nothing is said there always is.
    room_for: Option<usize>,
    /// It has given up, by what somebody read.
    gave_up: bool,
}

impl Rows {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap()
    }

    /// From now on nothing reaches the disk, or it does.
    pub(crate) fn break_syncs(&self, fail: bool) {
        self.held().syncs_fail = fail;
    }

    /// The keys of all rows, without their rooms.
    pub(crate) fn keys(&self) -> Vec<Vec<u8>> {
        self.held().rows.keys().map(|key| layout::key_of(key).to_vec()).collect()
    }
}

impl Database for Rows {
    fn batch(&self) -> u64 {
        self.held().batch
    }

    fn check(&self) -> Result<(), StoreFailure> {
        if self.held().gave_up { Err(StoreFailure::new(FailureKind::Closed, "It gave up.")) } else { Ok(()) }
    }

    fn piece_bytes(&self) -> usize {
        1 << 20
    }

    fn grows_by(&self, bytes: u64) -> u64 {
        if self.held().room_for == Some(0) { u64::MAX } else { bytes }
    }

    fn write(&self, rows: &[Row<'_>], batch: Option<u64>) -> Result<(), StoreFailure> {
        let mut held = self.held();
        if let Some((key, _)) = rows.iter().find(|(key, _)| held.rotten.contains(layout::key_of(key))) {
            return Err(StoreFailure::damaged(key));
        }
        held.room_for = held.room_for.map(|room| room.saturating_sub(1));
        for (key, value) in rows {
            match value {
                Some(value) => drop(held.rows.insert(key.to_vec(), value.to_vec())),
                None => drop(held.rows.remove(*key)),
            }
        }
        held.batch = batch.unwrap_or(held.batch);
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        let broken = || StoreFailure::new(FailureKind::Io, "Input/output error");
        if self.held().syncs_fail { Err(broken()) } else { Ok(()) }
    }

    fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFailure> {
        let held = self.held();
        if held.rotten.contains(key) {
            return Err(StoreFailure::damaged(key));
        }
        Ok(held.rows.get(&layout::key(space, key)).cloned())
    }

    fn keys(&self, space: &Space, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreFailure> {
        let (start, held) = (layout::key(space, prefix), self.held());
        let there = held.rows.keys().filter(|key| key.starts_with(&start));
        Ok(there.map(|key| layout::key_in_space(space, key).to_vec()).collect())
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        let (start, end) = (layout::key(space, &scan.start), layout::key(space, &scan.end));
        let mut held = self.held();
        held.scans += 1;
        if let Some(key) = held.rotten.range(scan.start.clone()..scan.end.clone()).next() {
            return Err(StoreFailure::damaged(key));
        }
        let mut page = Page::default();
        let range = held.rows.range::<[u8], _>((Bound::Included(&start[..]), Bound::Excluded(&end[..])));
        for (key, value) in range {
            let key = layout::key_in_space(space, key).to_vec();
            if page.rows.len() >= scan.max_rows {
                page.more = Some(key);
                break;
            }
            page.rows.push((key, value.clone()));
        }
        Ok(page)
    }

    fn spaces(&self, _: Option<&Space>, _: usize) -> Result<Vec<Space>, StoreFailure> {
        Ok(Vec::new())
    }
}

/// A store over such a database, and whether that had to be written again.
pub(crate) fn open_over(
    folder: &Path,
    rows: &Rows,
    carry_bytes: usize,
) -> Result<(WriteAheadStore, bool), OpenError> {
    open_within(folder, rows, WriteAheadLimits { carry_bytes, ..WriteAheadLimits::default() })
}

fn open_within(
    folder: &Path,
    rows: &Rows,
    limits: WriteAheadLimits,
) -> Result<(WriteAheadStore, bool), OpenError> {
    let claim = Claim::stake(folder, StoreKind::Redb, Past::Plain)?;
    let broken_off = claim.settle()?;
    Ok((WriteAheadStore::over(Box::new(rows.clone()), claim, limits)?, broken_off))
}

fn room() -> Space {
    Space::new("room").unwrap()
}

fn put(number: u8) -> Commit {
    Commit { put: vec![(vec![number], vec![number; 40])], ..Commit::default() }
}

/// The numbers of all rows, each asked for by itself.
fn read(store: &WriteAheadStore) -> Result<Vec<u8>, StoreFailure> {
    let mut found = Vec::new();
    for number in 0..=u8::MAX {
        let scan = Scan { start: vec![number], end: vec![number, 0], max_bytes: 1 << 20, max_rows: 2 };
        let rows = store.scan(&room(), &scan)?.rows;
        assert!(rows.iter().all(|row| *row == (vec![number], vec![number; 40])));
        found.extend(rows.iter().map(|_| number));
    }
    Ok(found)
}

fn logs(folder: &Path) -> usize {
    fs::read_dir(folder.join("ahead")).map_or(0, Iterator::count)
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        yield_now();
    }
}

#[test]
fn st4_an_fsync_that_failed_while_rows_were_carried_is_known_to_whoever_opens_the_store_next() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    rows.break_syncs(true);
    let (store, written_again) = open_over(folder.path(), &rows, 0).unwrap();
    assert!(!written_again);
    assert_eq!(store.apply(&room(), &put(1)), Ok(()), "it is in the log");
    until("it is carried", || read(&store).is_err_and(|refused| refused.kind == FailureKind::Closed));
    assert_eq!(store.sync().unwrap_err().kind, FailureKind::Io, "who writes is told what it was");
    assert_eq!(store.sync().unwrap_err().kind, FailureKind::Closed);
    drop(store);
    // What opens it has nothing in common with what failed but the folder.
    rows.break_syncs(false);
    let (store, written_again) = open_over(folder.path(), &rows, 0).unwrap();
    assert!(written_again, "what is read of the database need not be on the disk");
    assert_eq!(read(&store), Ok(vec![1]));
    drop(store);
    let (_store, written_again) = open_over(folder.path(), &rows, 0).unwrap();
    assert!(!written_again, "which was needed once");
}

#[test]
fn st4_an_fsync_that_failed_as_the_store_ended_is_known_to_whoever_opens_it_next() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    rows.break_syncs(true);
    let (store, _) = open_over(folder.path(), &rows, 1 << 20).unwrap();
    store.apply(&room(), &put(1)).unwrap();
    assert_eq!(store.sync(), Ok(()));
    drop(store);
    assert_eq!(logs(folder.path()), 1, "the log has it");
    assert!(Mark::of(folder.path()).stands());
}

#[test]
fn st2_a_database_that_was_being_written_to_when_the_process_died_is_written_again() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        let store = kind.open(folder.path()).unwrap();
        store.apply(&room(), &put(1)).unwrap();
        drop(store);
        assert!(!Mark::of(folder.path()).stands(), "its own fsync has answered");
        let before = fs::read(kind.file_in(folder.path())).unwrap();
        Mark::of(folder.path()).set().unwrap();
        let claim = Claim::stake(folder.path(), kind, Past::Plain).unwrap();
        assert_eq!(claim.settle(), Ok(true));
        assert_eq!(fs::read(kind.file_in(folder.path())).unwrap(), before);
        assert!(Mark::of(folder.path()).stands(), "until the store is open");
        drop(claim);
        drop(kind.open(folder.path()).unwrap());
        assert!(!Mark::of(folder.path()).stands());
    }
}

#[test]
fn st2_a_database_from_before_there_was_a_log_is_written_again_as_nothing_says_that_it_is_on_the_disk() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        drop(kind.open(folder.path()).unwrap());
        for (format, expected) in [(3, true), (4, false)] {
            let text = format!("causeway store, {kind}, format {format}\n");
            fs::write(folder.path().join("FORMAT"), text).unwrap();
            let claim = Claim::stake(folder.path(), kind, Past::Plain).unwrap();
            assert_eq!(claim.settle(), Ok(expected));
        }
    }
}

#[test]
fn st4_an_fsync_is_not_asked_once_more_after_somebody_has_met_a_failure() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    let (store, _) = open_over(folder.path(), &rows, 1 << 20).unwrap();
    store.apply(&room(), &put(1)).unwrap();
    assert_eq!(store.sync(), Ok(()));
    let saved = fs::read(folder.path().join("tip")).unwrap();
    store.apply(&room(), &put(2)).unwrap();
    // As somebody leaves it who had the tail while others waited for it.
    let mut tail = store.shared.tail();
    store.shared.failing.fail(StoreFailure::new(FailureKind::Io, "Input/output error"));
    assert_eq!(store.shared.sync(&mut tail).unwrap_err().kind, FailureKind::Closed);
    let key = layout::key(&room(), b"k");
    let kept = store.shared.keep(&mut tail, &[(&key, None)]);
    assert_eq!(kept.unwrap_err().kind, FailureKind::Closed);
    drop(tail);
    assert_eq!(store.sync().unwrap_err().kind, FailureKind::Closed);
    assert_eq!(fs::read(folder.path().join("tip")).unwrap(), saved);
}

#[test]
fn st3_rows_whose_place_cannot_be_written_stay_in_the_log_and_cost_nobody_else_anything() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    rows.held().rotten = BTreeSet::from([vec![3], vec![7]]);
    for life in 0..3u8 {
        // Each commit is carried before the next is taken.
        let (store, written_again) = open_over(folder.path(), &rows, 0).unwrap();
        assert!(!written_again, "nothing has failed");
        let numbers = 10 * life..10 * life + 10;
        assert!(numbers.clone().all(|number| store.apply(&room(), &put(number)) == Ok(())));
        assert_eq!(read(&store), Ok((0..numbers.end).collect()));
        assert_eq!(store.sync(), Ok(()));
        drop(store);
        assert!(logs(folder.path()) <= 2, "what was carried is no longer in the log");
    }
    let carried: Vec<u8> = rows.keys().into_iter().map(|key| key[0]).collect();
    assert_eq!(carried, (0..30).filter(|number| ![3, 7].contains(number)).collect::<Vec<_>>());
    // A newer value takes the place of the one that was kept, and it is written when the place can be.
    rows.held().rotten.clear();
    let (store, _) = open_over(folder.path(), &rows, 0).unwrap();
    store.apply(&room(), &Commit { delete: vec![vec![7]], ..Commit::default() }).unwrap();
    drop(store);
    assert_eq!(logs(folder.path()), 0);
    assert_eq!(rows.keys().len(), 29);
}

#[test]
fn st3_a_database_of_which_too_much_cannot_be_written_is_told_and_its_log_keeps_everything() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    rows.held().rotten = (0..100).map(|number| vec![number]).collect();
    let (store, _) = open_over(folder.path(), &rows, 1 << 20).unwrap();
    let large = |number: u8| Commit { put: vec![(vec![number], vec![1; 100_000])], ..Commit::default() };
    let mut numbers = (0..100u8).cycle().take(2_000);
    let told = numbers.find_map(|number| store.apply(&room(), &large(number)).err());
    let told = told.expect("it does not take everything for ever");
    assert!(matches!(&told, CommitError::Failed(why) if why.kind == FailureKind::Io), "{told:?}");
    drop(store);
    assert!(logs(folder.path()) > 0 && rows.keys().is_empty());
    assert!(!Mark::of(folder.path()).stands(), "what it did not take need not be written again");
    let (store, written_again) = open_over(folder.path(), &rows, 1 << 20).unwrap();
    assert!(!written_again);
    let scan = Scan { start: vec![9], end: vec![9, 0], max_bytes: 1 << 20, max_rows: 2 };
    assert_eq!(store.scan(&room(), &scan).unwrap().rows, large(9).put, "what was saved is read");
}

#[test]
fn st4_rows_are_carried_by_whoever_writes_where_the_system_gives_no_thread() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    rows.held().rotten = BTreeSet::from([vec![2]]);
    let (store, _) = open_over(folder.path(), &rows, 1 << 20).unwrap();
    for number in 1..4 {
        store.apply(&room(), &put(number)).unwrap();
    }
    let mut tail = store.shared.tail();
    let none = |work| {
        drop(work);
        Err(io::Error::from(io::ErrorKind::WouldBlock))
    };
    assert!(matches!(store.shared.begin_to_carry(&mut tail, none), Ok(Begun::Before)));
    drop(tail);
    store.shared.wait_until_carried();
    assert_eq!(rows.keys(), [[1], [3]]);
    assert_eq!(read(&store), Ok(vec![1, 2, 3]));
    store.apply(&room(), &put(4)).unwrap();
    assert_eq!(store.sync(), Ok(()));
}

#[test]
fn st1_a_page_behind_which_many_rows_are_gone_asks_the_database_seldom() {
    const GONE: u32 = 5_000;
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    let key = |number: u32| number.to_be_bytes().to_vec();
    for number in 0..GONE + 2 {
        rows.held().rows.insert(layout::key(&room(), &key(number)), vec![1]);
    }
    let (store, _) = open_over(folder.path(), &rows, 1 << 30).unwrap();
    let gone = (1..=GONE).map(key).collect();
    store.apply(&room(), &Commit { delete: gone, ..Commit::default() }).unwrap();
    rows.held().scans = 0;
    let page = store
        .scan(&room(), &Scan { start: Vec::new(), end: vec![0xff; 5], max_bytes: 1 << 20, max_rows: 1 })
        .unwrap();
    assert_eq!((page.rows, page.more), (vec![(key(0), vec![1])], Some(key(GONE + 1))));
    let scans = rows.held().scans;
    assert!(scans < 100, "{scans} questions for one page");
}

#[test]
fn st4_what_the_database_has_no_room_for_stays_in_the_log_until_it_has() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    rows.held().room_for = Some(0);
    let limits = WriteAheadLimits::carrying(10_000);
    let (store, _) = open_within(folder.path(), &rows, limits).unwrap();
    let long = |number: u8| Commit { put: vec![(vec![number], vec![number; 1_000])], ..Commit::default() };
    let taken = (0..u8::MAX).take_while(|number| match store.apply(&room(), &long(*number)) {
        Ok(()) => true,
        Err(CommitError::Failed(why)) => {
            assert_eq!(why.kind, FailureKind::Full);
            false
        }
        Err(conflict @ CommitError::Conflict { .. }) => panic!("{conflict}"),
    });
    let taken = taken.count();
    assert!((10..40).contains(&taken), "{taken}");
    drop(store);
    assert!(rows.keys().is_empty() && !Mark::of(folder.path()).stands());
    // It ends in the midst of the table, and nobody sees anything of that.
    rows.held().room_for = Some(3);
    let (store, _) = open_within(folder.path(), &rows, limits).unwrap();
    assert!(store.apply(&room(), &long(200)).is_err_and(|why| match why {
        CommitError::Failed(why) => why.kind == FailureKind::Full,
        CommitError::Conflict { .. } => false,
    }));
    drop(store);
    assert!((1..taken).contains(&rows.keys().len()), "some of it");
    rows.held().room_for = None;
    let (store, written_again) = open_within(folder.path(), &rows, limits).unwrap();
    assert!(!written_again);
    store.apply(&room(), &long(201)).unwrap();
    drop(store);
    assert_eq!((rows.keys().len(), logs(folder.path())), (taken + 1, 0));
}

#[test]
fn st4_a_log_that_nobody_carries_is_bounded_over_all_openings() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    rows.held().room_for = Some(0);
    for _ in 0..20 {
        let (store, _) = open_within(folder.path(), &rows, WriteAheadLimits::carrying(20_000)).unwrap();
        // One row, which never fills the memory.
        while store
            .apply(&room(), &Commit { put: vec![(vec![1], vec![1; 3_000])], ..Commit::default() })
            .is_ok()
        {}
    }
    let files = fs::read_dir(folder.path().join("ahead")).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 8 * 20_000, "{bytes} bytes of log");
}

#[test]
fn st4_a_database_that_gave_up_as_somebody_read_need_not_be_written_again() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    let (store, _) = open_over(folder.path(), &rows, 1 << 20).unwrap();
    store.apply(&room(), &put(1)).unwrap();
    rows.held().gave_up = true;
    drop(store);
    assert!(!Mark::of(folder.path()).stands());
    assert_eq!(logs(folder.path()), 1);
}
