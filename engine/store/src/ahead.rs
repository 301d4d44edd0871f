//! The store in a data folder: redb behind a write-ahead log.
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
#[cfg(test)]
pub(crate) mod tests;
mod view;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use causeway_core::storage::{Commit, CommitError, FailureKind, Page, Scan, StoreFailure};

use self::shared::{Begun, Shared};
use self::tail::Tail;
use self::view::View;
use crate::folder::{full_disk, io_failure};
use crate::limits::{CARRY_BYTES, FULL_BYTES, REDB_PIECE_BYTES};
use crate::{Condition, Space, Store};

/// How much a store keeps in memory and in its log; the default is that of [`limits`](crate::limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteAheadLimits {
    /// Bytes of rows, and twice that in the log, from which on they are carried into the database.
    pub carry_bytes: usize,
    /// Bytes of rows, and twice that in the log, at which whoever writes waits until some have been carried; at least one.
    pub full_bytes: usize,
    /// Bytes of rows that the database is given at once; one row may be longer.
    pub piece_bytes: usize,
}

impl Default for WriteAheadLimits {
    fn default() -> Self {
        Self { carry_bytes: CARRY_BYTES, full_bytes: FULL_BYTES, piece_bytes: REDB_PIECE_BYTES }
    }
}

impl WriteAheadLimits {
    /// Where rows are carried when they are so many bytes, and in several pieces; the usual limits are not exceeded.
    #[must_use]
    pub fn carrying(bytes: usize) -> Self {
        let carry_bytes = bytes.clamp(1, CARRY_BYTES);
        Self {
            carry_bytes,
            full_bytes: 2 * carry_bytes,
            piece_bytes: (carry_bytes / 4).clamp(1, REDB_PIECE_BYTES),
        }
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

/// Why nothing is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeldUp {
    /// The disk has no room for it.
    NoRoom,
    /// The database cannot be written to, because of what lies in it.
    Unwritable,
}

impl WriteAheadStore {
    /// The end of the log, when there is room for more rows. Whoever carries may need it meanwhile.
    fn wait_for_room(&self) -> Result<MutexGuard<'_, Tail>, StoreFailure> {
        loop {
            let mut tail = self.shared.tail();
            self.shared.failing.check_writing()?;
            if !self.shared.is_full(&tail) {
                return Ok(tail);
            }
            match self.carry(&mut tail)? {
                None => {
                    drop(tail);
                    self.shared.wait_until_carried();
                }
                Some(HeldUp::NoRoom) => return Err(self.shared.failing.fail(full_disk())),
                // To open it again would change nothing, and what was saved is read.
                Some(HeldUp::Unwritable) => {
                    let sentence = "A part of the database cannot be written; restore it from a backup.";
                    return Err(StoreFailure::new(FailureKind::Damaged, sentence));
                }
            }
        }
    }

    /// Begins to carry what there is, unless that is being done. Answers what is in the way.
    fn carry(&self, tail: &mut Tail) -> Result<Option<HeldUp>, StoreFailure> {
        let mut carrier = self.carrier.lock().unwrap_or_else(PoisonError::into_inner);
        let spawn = |work| Builder::new().name("store-carrier".into()).spawn(work);
        match self.shared.begin_to_carry(tail, spawn)? {
            Begun::On(thread) => {
                if let Some(before) = carrier.replace(thread) {
                    // It has told that it is done; what it still holds of the store is gone when it has ended.
                    let _ = before.join();
                }
                Ok(None)
            }
            Begun::Before => Ok(None),
            Begun::Not(held_up) => Ok(Some(held_up)),
        }
    }

    fn write(&self, tail: &mut Tail) -> Result<(), StoreFailure> {
        tail.write().map_err(|e| self.shared.failing.fail(io_failure(&e)))?;
        if self.shared.has_enough(tail) {
            // Whatever is in the way, what was written is in the log.
            let _ = self.carry(tail)?;
        }
        self.shared.note_condition(tail);
        Ok(())
    }
}

impl Store for WriteAheadStore {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        let group = [(space.clone(), commit.clone())];
        self.apply_group(&group).pop().expect("one answer for one commit")
    }

    fn apply_group(&self, group: &[(Space, Commit)]) -> Vec<Result<(), CommitError>> {
        let mut tail = match self.wait_for_room() {
            Ok(tail) => tail,
            Err(failure) => return vec![Err(failure.into()); group.len()],
        };
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

    fn condition(&self) -> Arc<Condition> {
        Arc::clone(&self.shared.condition)
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
            // Where it fails the log has everything, and the mark tells whoever opens the store again.
            if let Err(failure) = self.shared.carry_the_rest() {
                self.shared.failing.fail_in_passing(failure);
            }
        }
    }
}
