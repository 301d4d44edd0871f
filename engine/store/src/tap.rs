//! Following the changes of one space while others are being made: what a copy of a space needs beside its rows.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use causeway_core::storage::{Commit, CommitError, Durability, FailureKind, Page, Scan, StoreFailure};

use crate::limits::{ROW_COST, TAP_BYTES, commit_bytes, commit_rows};
use crate::{Condition, Space, Store};

/// A place between whoever writes and the store, where the commits of one space can be taken down.
#[derive(Clone, Default)]
pub(crate) struct Tap(Arc<Mutex<Option<Followed>>>);

/// The space that is followed, if it is known already.
#[derive(Default)]
struct Followed {
    space: Option<Space>,
    changes: VecDeque<Commit>,
    bytes: usize,
    lost: Option<TapLost>,
}

/// Why the changes of a space could not be followed to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TapLost {
    /// More was written than was taken away.
    TooMuch,
    /// The store failed, so nobody knows which changes were made.
    Failed(StoreFailure),
}

impl Tap {
    /// The store behind the tap.
    pub(crate) fn before(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Tapped { store, tap: self.clone() })
    }

    /// The right to follow one space after the other; nothing where somebody else has it.
    pub(crate) fn follow(&self) -> Option<Following> {
        let mut followed = self.lock();
        if followed.is_some() {
            return None;
        }
        *followed = Some(Followed::default());
        Some(Following(self.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Followed>> {
        // Whatever panics inside a store is caught there, and a change is noted whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The changes of one space at a time, until it is dropped.
pub(crate) struct Following(Tap);

impl Following {
    /// Takes down what is committed to this space from now on, and nothing more of the one before.
    pub(crate) fn turn_to(&self, space: &Space) {
        *self.0.lock() = Some(Followed { space: Some(space.clone()), ..Followed::default() });
    }

    /// What was committed since the last time. Returns between two groups of commits and never within one: a row that was
    /// read before the call belongs to a commit that this or an earlier call answers, or that was made before the first.
    ///
    /// # Errors
    /// When not all is known any more; nothing is from then on.
    pub(crate) fn take(&self) -> Result<VecDeque<Commit>, TapLost> {
        let mut followed = self.0.lock();
        let Some(followed) = followed.as_mut() else { return Ok(VecDeque::new()) };
        followed.bytes = 0;
        let changes = mem::take(&mut followed.changes);
        followed.lost.clone().map_or(Ok(changes), Err)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.lock().take();
    }
}

impl Followed {
    fn note(&mut self, commit: &Commit, answer: &Result<(), CommitError>) {
        match answer {
            Ok(()) => {}
            Err(CommitError::Conflict { .. }) => return,
            Err(CommitError::Failed(failure)) => match failure.kind {
                FailureKind::TooLarge | FailureKind::Damaged | FailureKind::Busy => return,
                FailureKind::Full | FailureKind::Closed | FailureKind::Io => {
                    return self.lose(TapLost::Failed(failure.clone()));
                }
            },
        }
        self.bytes += commit_bytes(commit) + ROW_COST * commit_rows(commit);
        // One commit is held whatever its size: the writer holds it as well.
        if self.bytes > TAP_BYTES && !self.changes.is_empty() {
            return self.lose(TapLost::TooMuch);
        }
        if self.lost.is_none() {
            // What was expected held; what is left is what changes.
            let change = Commit { expect: Vec::new(), durability: Durability::Relaxed, ..commit.clone() };
            self.changes.push_back(change);
        }
    }

    fn lose(&mut self, why: TapLost) {
        self.changes.clear();
        self.lost.get_or_insert(why);
    }
}

struct Tapped {
    store: Arc<dyn Store>,
    tap: Tap,
}

impl Tapped {
    /// What was applied may be undone when the store is opened again, and something else stand in its place.
    fn fail(&self, failure: &StoreFailure) {
        if let Some(followed) = self.tap.lock().as_mut() {
            followed.lose(TapLost::Failed(failure.clone()));
        }
    }
}

impl Store for Tapped {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        // Held for as long as it takes, so that nobody looks between a change and its note.
        let mut followed = self.tap.lock();
        let answer = self.store.apply(space, commit);
        if let Some(followed) = followed.as_mut().filter(|followed| followed.space.as_ref() == Some(space)) {
            followed.note(commit, &answer);
        }
        answer
    }

    fn apply_group(&self, group: &[(Space, Commit)]) -> Vec<Result<(), CommitError>> {
        let mut followed = self.tap.lock();
        let answers = self.store.apply_group(group);
        if let Some(followed) = followed.as_mut() {
            let of_it =
                group.iter().zip(&answers).filter(|((space, _), _)| followed.space.as_ref() == Some(space));
            let of_it: Vec<_> = of_it.collect();
            for ((_, commit), answer) in of_it {
                followed.note(commit, answer);
            }
        }
        answers
    }

    fn settle(&self) -> Result<(), StoreFailure> {
        self.store.settle().inspect_err(|failure| self.fail(failure))
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        self.store.sync().inspect_err(|failure| self.fail(failure))
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.store.scan(space, scan)
    }

    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.store.spaces(after, max)
    }

    fn condition(&self) -> Arc<Condition> {
        self.store.condition()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    fn put(key: u8, length: usize) -> Commit {
        Commit { put: vec![(vec![key], vec![7; length])], ..Commit::default() }
    }

    #[test]
    fn st7_what_is_written_to_the_followed_space_is_taken_down_and_nothing_else() {
        let tap = Tap::default();
        let store = tap.before(Arc::new(MemoryStore::new()));
        let (room, other) = (Space::new("room").unwrap(), Space::new("other").unwrap());
        store.apply(&room, &put(1, 1)).unwrap();
        let following = tap.follow().unwrap();
        following.turn_to(&room);
        assert!(tap.follow().is_none(), "one at a time");
        let group = [(other.clone(), put(2, 1)), (room.clone(), put(3, 1)), (room.clone(), put(4, 1))];
        assert_eq!(store.apply_group(&group), [Ok(()), Ok(()), Ok(())]);
        let keys: Vec<u8> = following.take().unwrap().iter().map(|commit| commit.put[0].0[0]).collect();
        assert_eq!(keys, [3, 4]);
        assert!(following.take().unwrap().is_empty());
        following.turn_to(&other);
        store.apply(&room, &put(5, 1)).unwrap();
        assert!(following.take().unwrap().is_empty() && tap.follow().is_none());
        drop(following);
        assert!(tap.follow().is_some());
    }

    #[test]
    fn st7_what_nobody_takes_away_is_bounded_and_said_to_be_lost() {
        let tap = Tap::default();
        let store = tap.before(Arc::new(MemoryStore::new()));
        let room = Space::new("room").unwrap();
        let following = tap.follow().unwrap();
        following.turn_to(&room);
        store.apply(&room, &put(7, TAP_BYTES + 1)).unwrap();
        assert_eq!(following.take().unwrap().len(), 1, "one is held whatever its size");
        for key in 0..2 {
            store.apply(&room, &put(key, TAP_BYTES / 2)).unwrap();
        }
        assert_eq!(following.take(), Err(TapLost::TooMuch));
        store.apply(&room, &put(9, 1)).unwrap();
        assert_eq!(following.take(), Err(TapLost::TooMuch), "it stays so");
    }
}
