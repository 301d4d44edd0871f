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
use crate::limits::{CARRY_ATTEMPTS, GAVE_UP_ATTEMPTS, REDB_PIECE_ROWS};
use crate::rows::layout;
use crate::watch::Watch;
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
    /// It gives up whenever it is written to.
    gives_up: bool,
    writes: usize,
    /// Rows and bytes for which room was asked last.
    asked: (usize, u64),
    /// Rows and bytes of each piece.
    pieces: Vec<(usize, u64)>,
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

    fn grows_by(&self, rows: usize, bytes: u64) -> u64 {
        self.held().asked = (rows, bytes);
        if self.held().room_for == Some(0) { u64::MAX } else { bytes }
    }

    fn reach(&self, tree_keys: &[Vec<u8>]) -> Result<Vec<Result<(), StoreFailure>>, StoreFailure> {
        let held = self.held();
        let keys = tree_keys.iter().map(|key| layout::key_of(key));
        Ok(keys
            .map(|key| if held.rotten.contains(key) { Err(StoreFailure::damaged(key)) } else { Ok(()) })
            .collect())
    }

    fn write(&self, rows: &[Row<'_>], batch: Option<u64>) -> Result<(), StoreFailure> {
        let mut held = self.held();
        held.writes += 1;
        if held.gives_up {
            return Err(StoreFailure::new(FailureKind::Closed, "It gave up."));
        }
        if let Some((key, _)) = rows.iter().find(|(key, _)| held.rotten.contains(layout::key_of(key))) {
            return Err(StoreFailure::damaged(key));
        }
        if batch.is_none() {
            let bytes = rows.iter().map(|(key, value)| key.len() + value.map_or(0, <[u8]>::len));
            let piece = (rows.len(), bytes.sum::<usize>() as u64);
            assert_eq!(piece, held.asked, "room is asked for all of a piece");
            held.pieces.push(piece);
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
    let broken_off = claim.settle(Past::Plain)?;
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
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    let store = kind.open(folder.path()).unwrap();
    store.apply(&room(), &put(1)).unwrap();
    drop(store);
    assert!(!Mark::of(folder.path()).stands(), "its own fsync has answered");
    let before = fs::read(kind.file_in(folder.path())).unwrap();
    Mark::of(folder.path()).begin().unwrap();
    let claim = Claim::stake(folder.path(), kind, Past::Plain).unwrap();
    assert_eq!(claim.settle(Past::Plain), Ok(true));
    assert_eq!(fs::read(kind.file_in(folder.path())).unwrap(), before);
    assert!(Mark::of(folder.path()).stands(), "until the store is open");
    drop(claim);
    drop(kind.open(folder.path()).unwrap());
    assert!(!Mark::of(folder.path()).stands());
}

#[test]
fn st2_a_database_from_before_there_was_a_log_is_written_again_as_nothing_says_that_it_is_on_the_disk() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    drop(kind.open(folder.path()).unwrap());
    for (format, expected) in [(3, true), (4, false)] {
        let text = format!("causeway store, {kind}, format {format}\n");
        fs::write(folder.path().join("FORMAT"), text).unwrap();
        let claim = Claim::stake(folder.path(), kind, Past::Plain).unwrap();
        assert_eq!(claim.settle(Past::Plain), Ok(expected));
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
    drop(tail);
    assert_eq!(store.sync().unwrap_err().kind, FailureKind::Closed);
    assert_eq!(fs::read(folder.path().join("tip")).unwrap(), saved);
}

#[test]
fn st3_who_writes_to_a_place_that_cannot_be_written_is_told_and_nobody_else_is() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    rows.held().rotten = BTreeSet::from([vec![3], vec![7]]);
    // Each commit is carried before the next is taken.
    let limits = WriteAheadLimits { carry_bytes: 0, full_bytes: 1, ..WriteAheadLimits::default() };
    let (store, _) = open_within(folder.path(), &rows, limits).unwrap();
    let both = [3, 4].map(|number: u8| (vec![number], vec![number; 40]));
    let group = [
        (room(), put(2)),
        (room(), Commit { put: both.into(), ..Commit::default() }),
        (room(), Commit { delete: vec![vec![7]], ..Commit::default() }),
        (room(), put(8)),
    ];
    let answers = store.apply_group(&group);
    assert!(answers[0].is_ok() && answers[3].is_ok(), "{answers:?}");
    for refused in &answers[1..3] {
        assert!(matches!(refused, Err(CommitError::Failed(why)) if why.kind == FailureKind::Damaged));
    }
    assert_eq!(store.apply(&room(), &put(9)), Ok(()), "nothing was closed");
    assert_eq!(store.sync(), Ok(()));
    drop(store);
    assert_eq!((rows.keys(), logs(folder.path())), (vec![vec![2], vec![8], vec![9]], 0));
}

/// Writes until the store takes no more, and answers how many it took and why.
fn fill(store: &WriteAheadStore) -> (usize, FailureKind) {
    for taken in 0..2_000u32 {
        let put = vec![(taken.to_be_bytes().to_vec(), vec![1; 1_000])];
        match store.apply(&room(), &Commit { put, ..Commit::default() }) {
            Ok(()) => {}
            Err(CommitError::Failed(why)) => return (taken as usize, why.kind),
            Err(conflict @ CommitError::Conflict { .. }) => panic!("{conflict}"),
        }
    }
    panic!("it takes everything for ever");
}

#[test]
fn st3_a_place_that_rots_under_what_is_in_the_log_is_told_when_that_is_full_and_nothing_saved_is_lost() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    let limits = WriteAheadLimits::carrying(20_000);
    let (store, _) = open_within(folder.path(), &rows, limits).unwrap();
    assert!((0..10).all(|number| store.apply(&room(), &put(number)) == Ok(())));
    let how = store.condition();
    assert!(how.takes_commits() && !how.is_held_up() && how.log_bytes() > 400);
    rows.held().rotten = BTreeSet::from([vec![5]]);
    let (taken, why) = fill(&store);
    assert!(taken > 20 && why == FailureKind::Damaged, "{taken}: {why:?}");
    assert!(!how.takes_commits() && how.is_held_up() && how.log_bytes() > 20_000, "{how:?}");
    assert_eq!(read(&store), Ok((0..10).collect()), "what was saved is read");
    let attempts = rows.held().writes;
    assert_eq!(fill(&store), (0, FailureKind::Damaged), "and nothing is closed, or tried for ever");
    assert_eq!((rows.held().writes, store.sync()), (attempts, Ok(())));
    drop(store);
    for _ in 0..3 {
        let (store, written_again) = open_within(folder.path(), &rows, limits).unwrap();
        assert!(!written_again, "what the database did not take need not be written again");
        assert_eq!(fill(&store), (0, FailureKind::Damaged));
        assert_eq!(read(&store), Ok((0..10).collect()));
    }
    rows.held().rotten.clear();
    let (store, _) = open_within(folder.path(), &rows, limits).unwrap();
    assert_eq!(store.apply(&room(), &put(11)), Ok(()), "the place is read again");
    store.shared.wait_until_carried();
    assert!(store.condition().takes_commits() && !store.condition().is_held_up());
    drop(store);
    assert_eq!((rows.keys().len(), logs(folder.path())), (10 + taken + 1, 0));
}

#[test]
fn st4_a_database_that_gives_up_each_time_it_is_written_to_is_not_written_to_for_ever() {
    const GIVEN_UP: u32 = CARRY_ATTEMPTS / GAVE_UP_ATTEMPTS;
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    let limits = WriteAheadLimits::carrying(400_000);
    rows.held().gives_up = true;
    for attempt in 0..GIVEN_UP {
        let (store, written_again) = open_within(folder.path(), &rows, limits).unwrap();
        assert_eq!(written_again, attempt > 0);
        store.apply(&room(), &put(attempt as u8)).unwrap();
        drop(store);
    }
    assert_eq!(rows.held().writes, GIVEN_UP as usize);
    for _ in 0..3 {
        let (store, _) = open_within(folder.path(), &rows, limits).unwrap();
        assert_eq!(read(&store).unwrap(), (0..GIVEN_UP as u8).collect::<Vec<_>>());
        assert_eq!(fill(&store).1, FailureKind::Damaged, "it says so, and goes on being read");
        drop(store);
    }
    assert_eq!(rows.held().writes, GIVEN_UP as usize, "it was left alone");
    assert!(!Mark::of(folder.path()).stands());
}

#[test]
fn st4_rows_are_carried_by_whoever_writes_where_the_system_gives_no_thread() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
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
    assert_eq!(rows.keys(), [[1], [2], [3]]);
    assert_eq!(read(&store), Ok(vec![1, 2, 3]));
    store.apply(&room(), &put(4)).unwrap();
    assert_eq!(store.sync(), Ok(()));
}

#[test]
fn st8_whoever_waits_until_rows_are_carried_gets_on_with_each_piece_of_them() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    let (store, _) = open_over(folder.path(), &rows, 1 << 20).unwrap();
    let (watch, minute) = (Watch::default(), Duration::from_secs(60));
    let look = || {
        watch.look(minute);
        watch.stands_still()
    };
    // Another is at it, and this one waits for it.
    *store.shared.busy.lock().unwrap() = true;
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let _commit = watch.begin();
            store.shared.wait_until_carried();
        });
        until("it waits", || look() > minute);
        let carrying = store.shared.carrying.begin();
        until("it gets on", || {
            store.apply(&room(), &put(1)).unwrap();
            store.shared.carry_the_rest().unwrap();
            look() == Duration::ZERO
        });
        drop(carrying);
        assert!((0..9).map(|_| look()).max() > Some(minute), "and stands still when nothing is carried");
        *store.shared.busy.lock().unwrap() = false;
        store.shared.idle.notify_all();
    });
    assert_eq!(rows.keys(), [[1]]);
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
    assert!(store.condition().is_held_up() && store.condition().takes_commits(), "there may be room again");
    drop(store);
    assert!(rows.keys().is_empty() && !Mark::of(folder.path()).stands());
    // It ends in the midst of the table, and nobody sees anything of that.
    rows.held().room_for = Some(3);
    let (store, _) = open_within(folder.path(), &rows, limits).unwrap();
    let more = (200..u8::MAX).take_while(|number| store.apply(&room(), &long(*number)).is_ok()).count();
    assert!(more < 20, "{more} more");
    let waiting = store.shared.layers().newest.rows();
    assert_eq!(waiting + rows.keys().len(), taken + more, "what was carried need not be carried again");
    drop(store);
    assert!((1..taken).contains(&rows.keys().len()), "some of it");
    rows.held().room_for = None;
    let (store, written_again) = open_within(folder.path(), &rows, limits).unwrap();
    assert!(!written_again);
    store.apply(&room(), &put(199)).unwrap();
    drop(store);
    assert_eq!((rows.keys().len(), logs(folder.path())), (taken + more + 1, 0));
}

#[test]
fn st4_room_is_asked_for_each_piece_however_many_rows_it_has_and_however_long_they_are() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), Rows::default());
    let (store, _) = open_over(folder.path(), &rows, 1 << 30).unwrap();
    let short = (0..10_000u32).map(|number| (number.to_be_bytes().to_vec(), vec![1]));
    let long = [(b"long".to_vec(), vec![2; 2 * REDB_PIECE_BYTES]), (b"next".to_vec(), vec![3; 1_000_000])];
    let put: Vec<_> = short.chain(long).collect();
    store.apply(&room(), &Commit { put, ..Commit::default() }).unwrap();
    drop(store);
    let pieces = rows.held().pieces.clone();
    assert_eq!(pieces.iter().map(|(rows, _)| rows).sum::<usize>(), 10_002);
    assert!(pieces.iter().all(|(rows, _)| *rows <= REDB_PIECE_ROWS), "{pieces:?}");
    let is_long = |(rows, bytes): &&(usize, u64)| *rows == 1 && *bytes > REDB_PIECE_BYTES as u64;
    assert_eq!(pieces.iter().filter(is_long).count(), 1, "a long row is a piece of its own: {pieces:?}");
    assert!(
        pieces.iter().filter(|piece| !is_long(piece)).all(|(_, bytes)| *bytes <= REDB_PIECE_BYTES as u64)
    );
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
