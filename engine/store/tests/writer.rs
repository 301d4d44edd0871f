//! Stories of rooms that share one writer.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use causeway_core::storage::{
    Commit, CommitError, Durability, Expect, FailureKind, Page, Scan, StoreFailure,
};
use causeway_store::contract::{put, rows, space};
use causeway_store::{MemoryStore, Space, Store, StoreHandle, StoreKind, WriterLimits};

/// Longer than anything here takes, shorter than a person waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// A memory store on a disk that tells when an fsync begins and ends it only when told how.
struct SlowDisk {
    store: MemoryStore,
    began: Sender<()>,
    ends: Mutex<Receiver<Result<(), StoreFailure>>>,
    syncs: AtomicUsize,
}

impl SlowDisk {
    fn new() -> (Arc<Self>, Receiver<()>, Sender<Result<(), StoreFailure>>) {
        let (began, begins) = channel();
        let (end, ends) = channel();
        let disk =
            Self { store: MemoryStore::new(), began, ends: Mutex::new(ends), syncs: AtomicUsize::new(0) };
        (Arc::new(disk), begins, end)
    }
}

impl Store for SlowDisk {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        self.store.apply(space, commit)
    }
    fn settle(&self) -> Result<(), StoreFailure> {
        self.store.settle()
    }
    fn sync(&self) -> Result<(), StoreFailure> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        let _ = self.began.send(());
        // Once the story has ended, so does the disk's patience.
        self.ends.lock().unwrap().recv().unwrap_or(Ok(()))
    }
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.store.scan(space, scan)
    }
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.store.spaces(after, max)
    }
}

fn everything() -> Scan {
    Scan { start: Vec::new(), end: vec![0xff; 8], max_bytes: 1 << 20, max_rows: 1000 }
}

/// Commits that report their name and answer, in the order of the answers.
struct Answers {
    handle: StoreHandle,
    answered: Sender<(String, Result<(), CommitError>)>,
    answers: Receiver<(String, Result<(), CommitError>)>,
}

impl Answers {
    fn of(handle: &StoreHandle) -> Self {
        let (answered, answers) = channel();
        Self { handle: handle.clone(), answered, answers }
    }

    fn commit(&self, name: &str, commit: Commit) {
        let (answered, reported) = (self.answered.clone(), name.to_owned());
        self.handle.commit(space(name), commit, move |answer| {
            // A story that has ended no longer listens.
            let _ = answered.send((reported, answer));
        });
    }

    fn next(&self) -> (String, Result<(), CommitError>) {
        self.answers.recv_timeout(PATIENCE).unwrap()
    }

    fn none_yet(&self) -> bool {
        self.answers.try_recv().is_err()
    }
}

fn strict() -> Commit {
    put(&[(b"k", b"v")])
}

fn relaxed() -> Commit {
    Commit { durability: Durability::Relaxed, ..strict() }
}

#[test]
fn rooms_that_write_during_an_fsync_share_the_next_one() {
    let (disk, begins, end) = SlowDisk::new();
    let handle = StoreHandle::spawn(disk.clone(), WriterLimits::default());
    let answers = Answers::of(&handle);
    answers.commit("first", strict());
    begins.recv_timeout(PATIENCE).unwrap();
    let names: Vec<String> = (0..50).map(|n| format!("room {n}")).collect();
    names.iter().for_each(|name| answers.commit(name, strict()));
    assert!(answers.none_yet(), "nothing strict is answered before its fsync returned");
    end.send(Ok(())).unwrap();
    assert_eq!(answers.next(), ("first".into(), Ok(())));
    begins.recv_timeout(PATIENCE).unwrap();
    assert!(answers.none_yet());
    end.send(Ok(())).unwrap();
    for name in names {
        assert_eq!(answers.next(), (name, Ok(())), "answers come in the order of the calls");
    }
    assert_eq!(disk.syncs.load(Ordering::SeqCst), 2);
}

#[test]
fn a_relaxed_commit_does_not_wait_for_the_fsync_of_its_group() {
    let (disk, begins, end) = SlowDisk::new();
    let handle = StoreHandle::spawn(disk, WriterLimits::default());
    let answers = Answers::of(&handle);
    answers.commit("first", strict());
    begins.recv_timeout(PATIENCE).unwrap();
    answers.commit("strict", strict());
    answers.commit("relaxed", relaxed());
    end.send(Ok(())).unwrap();
    assert_eq!(answers.next().0, "first");
    assert_eq!(answers.next(), ("relaxed".into(), Ok(())));
    begins.recv_timeout(PATIENCE).unwrap();
    assert!(answers.none_yet(), "the strict one waits");
    end.send(Ok(())).unwrap();
    assert_eq!(answers.next().0, "strict");
}

#[test]
fn scans_go_on_while_the_disk_hangs() {
    let (disk, begins, _end) = SlowDisk::new();
    let handle = StoreHandle::spawn(disk, WriterLimits::default());
    let answers = Answers::of(&handle);
    answers.commit("room", strict());
    begins.recv_timeout(PATIENCE).unwrap();
    let (read, page) = channel();
    handle.scan(space("room"), everything(), move |page| read.send(page).unwrap());
    assert_eq!(page.recv_timeout(PATIENCE).unwrap().unwrap().rows.len(), 1);
    assert!(answers.none_yet());
}

#[test]
fn a_failed_fsync_fails_every_commit_that_waited_for_it_and_no_other() {
    let (disk, begins, end) = SlowDisk::new();
    let handle = StoreHandle::spawn(disk, WriterLimits::default());
    let answers = Answers::of(&handle);
    answers.commit("first", strict());
    begins.recv_timeout(PATIENCE).unwrap();
    answers.commit("second", strict());
    answers.commit("third", strict());
    end.send(Ok(())).unwrap();
    assert_eq!(answers.next(), ("first".into(), Ok(())));
    let failure = StoreFailure::new(FailureKind::Io, "The disk is broken.");
    end.send(Err(failure.clone())).unwrap();
    for name in ["second", "third"] {
        assert_eq!(answers.next(), (name.into(), Err(CommitError::Failed(failure.clone()))));
    }
}

#[test]
fn a_conflict_is_answered_and_takes_no_other_commit_with_it() {
    let handle = StoreHandle::spawn(Arc::new(MemoryStore::new()), WriterLimits::default());
    let answers = Answers::of(&handle);
    let create = Commit { expect: vec![Expect { key: b"k".to_vec(), value: None }], ..strict() };
    answers.commit("room", create.clone());
    assert_eq!(answers.next().1, Ok(()));
    answers.commit("room", create.clone());
    answers.commit("other", create);
    let mut two = [answers.next(), answers.next()];
    two.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(two[0], ("other".into(), Ok(())));
    assert_eq!(two[1].1, Err(CommitError::Conflict { key: b"k".to_vec() }));
}

#[test]
fn a_full_queue_turns_away_at_once_and_recovers() {
    let (disk, begins, end) = SlowDisk::new();
    let limits = WriterLimits { queue_commits: 2, ..WriterLimits::default() };
    let handle = StoreHandle::spawn(disk, limits);
    let answers = Answers::of(&handle);
    answers.commit("being written", strict());
    begins.recv_timeout(PATIENCE).unwrap();
    answers.commit("waits", strict());
    answers.commit("waits too", strict());
    answers.commit("too much", strict());
    let (name, answer) = answers.next();
    assert_eq!(name, "too much");
    assert!(matches!(answer, Err(CommitError::Failed(failure)) if failure.kind == FailureKind::Busy));
    end.send(Ok(())).unwrap();
    end.send(Ok(())).unwrap();
    for name in ["being written", "waits", "waits too"] {
        assert_eq!(answers.next(), (name.into(), Ok(())));
    }
    end.send(Ok(())).unwrap();
    answers.commit("later", strict());
    assert_eq!(answers.next(), ("later".into(), Ok(())));
}

#[test]
fn a_reply_that_panics_harms_no_other_room() {
    let handle = StoreHandle::spawn(Arc::new(MemoryStore::new()), WriterLimits::default());
    handle.commit(space("bad"), strict(), |_| panic!("a bug in a shell, on purpose"));
    handle.scan(space("bad"), everything(), |_| panic!("a bug in a shell, on purpose"));
    let answers = Answers::of(&handle);
    answers.commit("good", strict());
    assert_eq!(answers.next(), ("good".into(), Ok(())));
    assert_eq!(handle.close(), Ok(()));
}

#[test]
fn closing_writes_what_waits_and_refuses_what_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreKind::Sled.open(folder.path()).unwrap();
    let handle = StoreHandle::spawn(store.clone(), WriterLimits::default());
    let answers = Answers::of(&handle);
    (0..100)
        .for_each(|n| answers.commit(&format!("room {n}"), if n % 2 == 0 { strict() } else { relaxed() }));
    assert_eq!(handle.clone().close(), Ok(()));
    for _ in 0..100 {
        assert_eq!(answers.next().1, Ok(()));
    }
    answers.commit("late", strict());
    assert!(
        matches!(answers.next().1, Err(CommitError::Failed(failure)) if failure.kind == FailureKind::Closed)
    );
    assert_eq!(handle.close(), Ok(()), "closing twice is closing once");
    assert_eq!(store.spaces(None, 1000).unwrap().len(), 100);
}

#[test]
fn dropping_the_last_handle_still_writes_what_waits() {
    let store = Arc::new(MemoryStore::new());
    let (answered, answers) = channel();
    {
        let handle = StoreHandle::spawn(store.clone(), WriterLimits::default());
        for n in 0..10 {
            let answered = answered.clone();
            handle.commit(space("room"), put(&[(&[n], b"v")]), move |answer| answered.send(answer).unwrap());
        }
    }
    for _ in 0..10 {
        assert_eq!(answers.recv_timeout(PATIENCE).unwrap(), Ok(()));
    }
    assert_eq!(rows(&*store, &space("room")).len(), 10);
}
