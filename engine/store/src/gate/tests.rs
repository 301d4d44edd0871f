//! Stories of a gate, from within.

use std::sync::mpsc::Receiver;

use causeway_core::storage::{Page, Scan};

use super::*;
use crate::{MemoryStore, Store};

/// A store that stands as the story says, whoever is between.
struct Refusing(Arc<Condition>);

impl Store for Refusing {
    fn apply(&self, _: &Space, _: &Commit) -> Result<(), CommitError> {
        Ok(())
    }
    fn settle(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn sync(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn scan(&self, _: &Space, _: &Scan) -> Result<Page, StoreFailure> {
        Ok(Page::default())
    }
    fn spaces(&self, _: Option<&Space>, _: usize) -> Result<Vec<Space>, StoreFailure> {
        Ok(Vec::new())
    }
    fn condition(&self) -> Arc<Condition> {
        Arc::clone(&self.0)
    }
}

/// A store that fails, and can be let go of only when the story says.
struct Clinging(Mutex<Receiver<()>>);

impl Store for Clinging {
    fn apply(&self, _: &Space, _: &Commit) -> Result<(), CommitError> {
        Err(StoreFailure::new(FailureKind::Io, "The disk is broken.").into())
    }
    fn settle(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn sync(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn scan(&self, _: &Space, _: &Scan) -> Result<Page, StoreFailure> {
        Ok(Page::default())
    }
    fn spaces(&self, _: Option<&Space>, _: usize) -> Result<Vec<Space>, StoreFailure> {
        Ok(Vec::new())
    }
}

impl Drop for Clinging {
    fn drop(&mut self) {
        let _ = self.0.lock().unwrap().recv();
    }
}

#[test]
fn st4_a_store_that_takes_nothing_more_does_not_work_whoever_asks() {
    let store = Arc::new(Refusing(Arc::default()));
    let gate = StoreGate::open(Storage::of(store.clone()));
    assert!(gate.works());
    store.0.note_refusing(true);
    assert!(!gate.works() && !gate.condition().takes_commits());
}

#[test]
fn st8_a_store_that_failed_and_cannot_be_let_go_of_stands_still_until_it_can() {
    let (end, over) = mpsc::channel::<()>();
    let first = Arc::new(Clinging(Mutex::new(over)));
    let reopen: Reopen = Box::new(|_| Ok(Arc::new(MemoryStore::new())));
    let gate = StoreGate::open(Storage { first, reopen, patience: Duration::from_secs(10) });
    let put = Commit { put: vec![(b"k".to_vec(), b"v".to_vec())], ..Commit::default() };
    let commit = || gate.commit_and_wait(&Space::new("room").unwrap(), put.clone());
    assert!(commit().is_err());
    let deadline = Instant::now() + Duration::from_secs(20);
    while gate.look(Duration::from_secs(20)) < Duration::from_secs(60) {
        assert!(Instant::now() < deadline, "closing it is not noted");
        std::thread::yield_now();
    }
    assert!(!gate.works());
    drop(end);
    while commit().is_err() {
        assert!(Instant::now() < deadline, "it is not opened again");
        std::thread::yield_now();
    }
    assert_eq!(gate.stands_still(), Duration::ZERO);
    assert!(gate.works());
}

#[test]
fn st4_a_store_that_fails_again_and_again_is_opened_less_and_less_often_although_commits_pass() {
    let gate = StoreGate::open(Storage::memory());
    let full = StoreFailure::new(FailureKind::Full, "The disk is full.");
    let fail = || {
        let opening = gate.shared().state().opening;
        gate.shared().note_failure(opening, &full);
    };
    let put = Commit { put: vec![(b"k".to_vec(), b"v".to_vec())], ..Commit::default() };
    for attempts in 1..4 {
        fail();
        let open = gate.shared().moved.wait_while(gate.shared().state(), |state| state.reopening);
        drop(open.unwrap_or_else(PoisonError::into_inner));
        assert_eq!(gate.shared().state().attempts, attempts);
        gate.commit_and_wait(&Space::new("room").unwrap(), put.clone()).unwrap();
        assert!(gate.works());
    }
    gate.shared().state().reopened = Instant::now().checked_sub(REOPEN_TRUST);
    fail();
    let open = gate.shared().moved.wait_while(gate.shared().state(), |state| state.reopening);
    drop(open.unwrap_or_else(PoisonError::into_inner));
    assert_eq!(gate.shared().state().attempts, 1, "it had gone well for a while");
}

#[test]
fn st4_a_store_that_was_opened_again_works_after_a_while_although_nobody_commits() {
    let gate = StoreGate::open(Storage::memory());
    gate.shared().note_failure(0, &StoreFailure::new(FailureKind::Io, "The disk is broken."));
    assert!(!gate.works());
    let closed = gate.shared().moved.wait_while(gate.shared().state(), |state| state.reopening);
    drop(closed.unwrap_or_else(PoisonError::into_inner));
    assert!(!gate.works(), "it was opened a moment ago, and nothing was tried");
    gate.shared().state().reopened = Instant::now().checked_sub(REOPEN_TRUST);
    assert!(gate.works());
}
