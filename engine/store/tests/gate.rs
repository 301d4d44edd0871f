//! Stories of a store that fails and is opened again behind its gate.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use causeway_core::storage::{Commit, CommitError, FailureKind, Page, Scan, StoreFailure};
use causeway_store::contract::{put, rows, space};
use causeway_store::{MemoryStore, Space, Storage, Store, StoreGate};

/// Longer than anything here takes, shorter than a person waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// A memory store on a disk that is full for as long as the story says.
#[derive(Default)]
struct FullDisk {
    store: MemoryStore,
    full: AtomicBool,
    /// The place of all rows cannot be read.
    rotten: AtomicBool,
    refusals: AtomicUsize,
}

/// A memory store of which each sync waits for what never comes, until the story ends that.
struct Waiting {
    store: MemoryStore,
    waits: Sender<()>,
    over: Mutex<Receiver<()>>,
}

impl Store for Waiting {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        self.store.apply(space, commit)
    }
    fn settle(&self) -> Result<(), StoreFailure> {
        self.sync()
    }
    fn sync(&self) -> Result<(), StoreFailure> {
        let _ = self.waits.send(());
        // Once the story has let go of its end nobody waits any more.
        let _ = self.over.lock().unwrap().recv();
        Ok(())
    }
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.store.scan(space, scan)
    }
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.store.spaces(after, max)
    }
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        // pace: between two looks
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Store for FullDisk {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        self.store.apply(space, commit)
    }
    fn settle(&self) -> Result<(), StoreFailure> {
        self.sync()
    }
    fn sync(&self) -> Result<(), StoreFailure> {
        if self.full.load(Ordering::SeqCst) {
            self.refusals.fetch_add(1, Ordering::SeqCst);
            return Err(StoreFailure::new(FailureKind::Full, "The disk is full."));
        }
        Ok(())
    }
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        if self.rotten.load(Ordering::SeqCst) {
            return Err(StoreFailure::new(FailureKind::Io, "Input/output error"));
        }
        self.store.scan(space, scan)
    }
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.store.spaces(after, max)
    }
}

fn full_disk() -> (Arc<FullDisk>, StoreGate) {
    let disk = Arc::new(FullDisk::default());
    disk.full.store(true, Ordering::SeqCst);
    let gate = StoreGate::open(Storage::of(disk.clone()));
    (disk, gate)
}

fn commit(gate: &StoreGate, key: &[u8]) -> Result<(), CommitError> {
    let (answered, answer) = channel();
    gate.commit(space("room"), put(&[(key, b"v")]), move |result| answered.send(result).unwrap());
    answer.recv_timeout(PATIENCE).unwrap()
}

fn kind(answer: Result<(), CommitError>) -> Option<FailureKind> {
    match answer {
        Ok(()) => None,
        Err(CommitError::Failed(failure)) => Some(failure.kind),
        Err(conflict @ CommitError::Conflict { .. }) => panic!("{conflict}"),
    }
}

#[test]
fn st4_a_store_that_was_full_is_opened_again_and_takes_what_it_refused() {
    let (disk, gate) = full_disk();
    assert!(gate.works());
    for _ in 0..10 {
        assert_eq!(kind(commit(&gate, b"k")), Some(FailureKind::Full), "also while it is being opened again");
    }
    assert!(!gate.works());
    disk.full.store(false, Ordering::SeqCst);
    until("it is opened again", || commit(&gate, b"k").is_ok());
    assert!(gate.works());
    assert_eq!(gate.close(), Ok(()));
    assert_eq!(rows(&*disk, &space("room")).len(), 1);
}

#[test]
fn the_end_waits_for_no_pause_and_nothing_is_opened_after_it() {
    let (disk, gate) = full_disk();
    assert!(commit(&gate, b"k").is_err());
    let closed = std::thread::spawn({
        let gate = gate.clone();
        move || gate.close()
    });
    assert_eq!(closed.join().unwrap(), Ok(()), "there is no store to sync");
    assert_eq!(Arc::strong_count(&disk), 2, "only the story and the way to open it again hold the store");
    assert!(commit(&gate, b"k").is_err());
    drop(gate);
    // The thread that was to open it again may still be on its way out.
    until("nobody holds the store", || Arc::strong_count(&disk) == 1);
}

#[test]
fn a_gate_that_nobody_holds_stops_opening_its_store() {
    let (disk, gate) = full_disk();
    assert!(commit(&gate, b"k").is_err());
    drop(gate);
    until("it lets go of the store", || Arc::strong_count(&disk) == 1);
}

#[test]
fn st4_a_place_that_cannot_be_read_closes_the_store_to_nobody() {
    let disk = Arc::new(FullDisk::default());
    disk.rotten.store(true, Ordering::SeqCst);
    let gate = StoreGate::open(Storage::of(disk));
    let scan = Scan { start: Vec::new(), end: vec![0xff], max_bytes: 1, max_rows: 1 };
    for key in [b"a", b"b"] {
        let refused = gate.scan_and_wait(&space("room"), &scan).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Io);
        assert!(gate.works());
        assert_eq!(kind(commit(&gate, key)), None, "nothing was closed for it");
    }
}

#[test]
fn st8_a_call_that_does_not_come_back_is_seen_by_whoever_looks_and_its_end_too() {
    let ((waits, is_waiting), (end, over)) = (channel(), channel::<()>());
    let store = Waiting { store: MemoryStore::new(), waits, over: Mutex::new(over) };
    let gate = StoreGate::open(Storage::of(Arc::new(store)));
    let second = Duration::from_secs(1);
    assert_eq!((gate.look(60 * second), gate.works()), (Duration::ZERO, true));
    let (answered, answer) = channel();
    gate.commit(space("room"), put(&[(b"k", b"v")]), move |result| answered.send(result).unwrap());
    is_waiting.recv().unwrap();
    for seconds in 1..10 {
        assert_eq!((gate.look(second), gate.works()), (seconds * second, true));
    }
    assert_eq!((gate.look(second), gate.works()), (10 * second, false));
    let scan = Scan { start: Vec::new(), end: vec![0xff], max_bytes: 1, max_rows: 1 };
    assert!(gate.scan_and_wait(&space("room"), &scan).is_ok(), "who can be served is");
    assert_eq!((gate.look(second), gate.works()), (11 * second, false));
    assert!(answer.try_recv().is_err(), "nobody was told anything");
    drop(end);
    assert_eq!(answer.recv_timeout(PATIENCE).unwrap(), Ok(()));
    until("it has got on", || gate.works());
    assert_eq!((gate.look(60 * second), gate.works()), (Duration::ZERO, true));
    assert_eq!(gate.close(), Ok(()));
}
