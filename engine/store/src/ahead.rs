//! The store in a data folder: an embedded database behind a write-ahead log.
//!
//! A commit is written to the end of one file, whatever room it is of, and all commits that wait together share its fsync. Its
//! rows stand in memory until there are many; then they are carried into the database, in the order of their keys, while others
//! read and write on. What is written again and again until then (counts, tips) reaches the database once, and the database
//! syncs once in many seconds.
//!
//! * `record` is how a commit lies in a file; `file` writes one, `tail` is where commits are added, `recovery` reads what a
//!   process left behind.
//! * `table` holds the rows that the database does not have yet; `view` reads both as one.
//! * `carry` takes rows into the database. The thread that does it lives only while there is something to carry; `shared` is
//!   what it has in common with the store.
//! * `failing` is why nothing more is taken after a failure.
//!
//! What the log promises: a record is handed to the operating system before its commit is answered, and is on the disk before
//! [`Store::sync`] returns. A file is taken away only when the database holds all of it, on the disk; until then it can be
//! carried again, as its rows say what is there and not what changed. Before rows are carried the log is synced, or a power cut
//! could leave half of a commit in the database.

mod carry;
mod failing;
mod file;
mod open;
pub(crate) mod record;
pub(crate) mod recovery;
mod shared;
mod table;
mod tail;
mod view;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use causeway_core::storage::{Commit, CommitError, Page, Scan, StoreFailure};

use self::shared::Shared;
use self::tail::Tail;
use self::view::View;
use crate::folder::io_failure;
use crate::limits::{CARRY_BYTES, FULL_BYTES, REDB_PIECE_BYTES};
use crate::{Space, Store};

/// How much a store keeps in memory and in its log; the default is that of [`limits`](crate::limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteAheadLimits {
    /// Bytes of rows, and twice that in the log, from which on they are carried into the database.
    pub carry_bytes: usize,
    /// Bytes of rows, and twice that in the log, at which whoever writes waits until some have been carried; at least one.
    pub full_bytes: usize,
    /// Bytes of rows that a database is given at once, where it does not ask for fewer.
    pub piece_bytes: usize,
}

impl Default for WriteAheadLimits {
    fn default() -> Self {
        Self { carry_bytes: CARRY_BYTES, full_bytes: FULL_BYTES, piece_bytes: REDB_PIECE_BYTES }
    }
}

/// A store in a data folder, which it locks for as long as it is open.
///
/// The folder holds `FORMAT` (kind and version), `lock`, `tip` (how far it was durable), `ahead/` (the log) and the database.
/// Where it has taken a commit and ends in order everything is carried into the database, and `ahead/` is empty. What was left
/// there by one that did not end so is carried when the next has taken a commit.
pub(crate) struct WriteAheadStore {
    shared: Arc<Shared>,
    carrier: Mutex<Option<JoinHandle<()>>>,
}

impl WriteAheadStore {
    /// Waits until there is room for more rows.
    fn make_room(&self, tail: &mut Tail) -> Result<(), StoreFailure> {
        self.shared.failing.check_writing()?;
        while self.shared.is_full(tail) {
            self.carry(tail)?;
            self.shared.wait_until_carried();
            self.shared.failing.check_writing()?;
        }
        Ok(())
    }

    /// Begins to carry what there is, unless that is being done.
    fn carry(&self, tail: &mut Tail) -> Result<(), StoreFailure> {
        let mut carrier = self.carrier.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = self.shared.begin_to_carry(tail)?
            && let Some(before) = carrier.replace(thread)
        {
            // It has told that it is done; what it still holds of the store is gone when it has ended.
            let _ = before.join();
        }
        Ok(())
    }

    fn write(&self, tail: &mut Tail) -> Result<(), StoreFailure> {
        tail.write().map_err(|e| self.shared.failing.fail(io_failure(&e)))?;
        if self.shared.has_enough(tail) { self.carry(tail) } else { Ok(()) }
    }
}

impl Store for WriteAheadStore {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        let group = [(space.clone(), commit.clone())];
        self.apply_group(&group).pop().expect("one answer for one commit")
    }

    fn apply_group(&self, group: &[(Space, Commit)]) -> Vec<Result<(), CommitError>> {
        let mut tail = self.shared.tail();
        if let Err(failure) = self.make_room(&mut tail) {
            return vec![Err(failure.into()); group.len()];
        }
        let mut answers = self.shared.stage_all(&mut tail, group);
        if let Err(failure) = self.write(&mut tail) {
            // Whatever was staged is not certain.
            for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
                *answer = Err(failure.clone().into());
            }
        }
        answers
    }

    fn settle(&self) -> Result<(), StoreFailure> {
        self.shared.failing.check_writing()
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        self.shared.failing.check_writing()?;
        self.shared.sync(&mut self.shared.tail())
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.shared.failing.check()?;
        View { layers: &self.shared.layers(), database: &*self.shared.database }.scan(space, scan)
    }

    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.shared.failing.check()?;
        View { layers: &self.shared.layers(), database: &*self.shared.database }.spaces(after, max)
    }
}

impl fmt::Debug for WriteAheadStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteAheadStore")
            .field("failed", &self.shared.failing.first())
            .finish_non_exhaustive()
    }
}

impl Drop for WriteAheadStore {
    fn drop(&mut self) {
        let carrier = self.carrier.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = carrier.take() {
            let _ = thread.join();
        }
        if self.shared.failing.first().is_none() {
            // Where it fails the log has everything, and whoever opens the store again in this process knows.
            if let Err(failure) = self.shared.carry_the_rest() {
                self.shared.failing.fail_in_passing(failure);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use causeway_core::storage::FailureKind;

    use super::*;
    use crate::StoreKind;
    use crate::database::{Database, Row};
    use crate::folder::{Claim, Past, Trouble};

    /// A database that takes rows and never gets them to the disk.
    struct Unsynced;

    impl Database for Unsynced {
        fn batch(&self) -> u64 {
            0
        }
        fn piece_bytes(&self) -> usize {
            1 << 20
        }
        fn write(&self, _: &[Row<'_>], _: Option<u64>) -> Result<(), StoreFailure> {
            Ok(())
        }
        fn sync(&self) -> Result<(), StoreFailure> {
            Err(StoreFailure::new(FailureKind::Io, "Input/output error"))
        }
        fn get(&self, _: &Space, _: &[u8]) -> Result<Option<Vec<u8>>, StoreFailure> {
            Ok(None)
        }
        fn keys(&self, _: &Space, _: &[u8]) -> Result<Vec<Vec<u8>>, StoreFailure> {
            Ok(Vec::new())
        }
        fn scan(&self, _: &Space, _: &Scan) -> Result<Page, StoreFailure> {
            Ok(Page::default())
        }
        fn spaces(&self, _: Option<&Space>, _: usize) -> Result<Vec<Space>, StoreFailure> {
            Ok(Vec::new())
        }
    }

    fn open(folder: &std::path::Path, carry_bytes: usize, trouble: &Trouble) -> WriteAheadStore {
        let claim = Claim::stake(folder, StoreKind::Redb, Past::Plain).unwrap();
        let limits = WriteAheadLimits { carry_bytes, ..WriteAheadLimits::default() };
        WriteAheadStore::over(Box::new(Unsynced), claim, limits, trouble.clone()).unwrap()
    }

    fn commit() -> Commit {
        Commit { put: vec![(b"k".to_vec(), b"v".to_vec())], ..Commit::default() }
    }

    #[test]
    fn st4_an_fsync_that_failed_while_rows_were_carried_is_known_whoever_asks_first() {
        let (folder, trouble, room) =
            (tempfile::tempdir().unwrap(), Trouble::default(), Space::new("room").unwrap());
        let store = open(folder.path(), 0, &trouble);
        assert_eq!(store.apply(&room, &commit()), Ok(()), "it is in the log");
        let scan = Scan { start: Vec::new(), end: vec![0xff], max_bytes: 100, max_rows: 10 };
        let deadline = Instant::now() + Duration::from_secs(20);
        let refused = loop {
            match store.scan(&room, &scan) {
                Ok(page) => assert_eq!(page.rows, commit().put),
                Err(refused) => break refused,
            }
            assert!(Instant::now() < deadline, "it is carried");
            std::thread::yield_now();
        };
        assert_eq!(refused.kind, FailureKind::Closed, "a reader has met no place that cannot be read");
        assert_eq!(store.sync().unwrap_err().kind, FailureKind::Io, "who writes is told what it was");
        assert_eq!(store.sync().unwrap_err().kind, FailureKind::Closed);
        drop(store);
        assert_eq!(trouble.take(Past::Plain), Past::DiskFailed);
        assert_eq!(trouble.take(Past::Plain), Past::Plain, "which is told once");
    }

    #[test]
    fn st4_an_fsync_that_failed_as_the_store_ended_is_known_to_whoever_opens_it_again() {
        let (folder, trouble, room) =
            (tempfile::tempdir().unwrap(), Trouble::default(), Space::new("room").unwrap());
        let store = open(folder.path(), 1 << 20, &trouble);
        store.apply(&room, &commit()).unwrap();
        assert_eq!(store.sync(), Ok(()));
        drop(store);
        assert_eq!(trouble.take(Past::Plain), Past::DiskFailed);
        assert_eq!(std::fs::read_dir(folder.path().join("ahead")).unwrap().count(), 1, "the log has it");
    }
}
