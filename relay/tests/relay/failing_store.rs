//! Disks that hang, fail and fill up.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use causeway_core::storage::{Commit, CommitError, FailureKind, Page, Scan, StoreFailure};
use causeway_core::stored::{META, MetaRecord};
use causeway_core::wire::{Body, LaterWhy, Message};
use causeway_relay::Storage;
use causeway_store::backup::{epoch_of, own_space};
use causeway_store::{MemoryStore, Space, Store, StoreKind};

use crate::device::Device;
use crate::disk::Disk;
use crate::server::Server;

/// A store in which a relay has begun, so that the next does not write before somebody does.
pub(crate) fn begun() -> MemoryStore {
    let (store, put) = (MemoryStore::new(), (META.to_vec(), MetaRecord { epoch: 7 }.encode()));
    store.apply(&own_space(), &Commit { put: vec![put], ..Commit::default() }).unwrap();
    store
}

/// A store in memory whose fsync ends when and how the story says.
pub(crate) struct SlowDisk {
    store: MemoryStore,
    began: Sender<()>,
    ends: Mutex<Receiver<Result<(), StoreFailure>>>,
}

impl SlowDisk {
    pub(crate) fn new() -> (Arc<Self>, Receiver<()>, Sender<Result<(), StoreFailure>>) {
        let (began, begins) = channel();
        let (end, ends) = channel();
        (Arc::new(Self { store: begun(), began, ends: Mutex::new(ends) }), begins, end)
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
        let _ = self.began.send(());
        // Once the story has let go of its end, the disk works.
        self.ends.lock().unwrap().recv().unwrap_or(Ok(()))
    }
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.store.scan(space, scan)
    }
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.store.spaces(after, max)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_fsync_does_not_return_nobody_hears_saved_and_nobody_sees_the_entry() {
    let (disk, begins, end) = SlowDisk::new();
    let server = Server::with(Storage::of(disk)).await;
    let mut reader = Device::join(&server.address, "hangs", 1).await;
    reader.subscribe().await;
    reader.synced().await;
    let mut writer = Device::join(&server.address, "hangs", 2).await;
    let entry = writer.write_name(1);
    writer.send(vec![entry.clone()]).await;
    tokio::task::spawn_blocking(move || begins.recv().unwrap()).await.unwrap();
    for _ in 0..50 {
        assert_eq!(writer.ping().await, []);
        assert_eq!(reader.ping().await, []);
    }
    // Sent again, and from a second link: still nothing is called saved.
    writer.send(vec![entry.clone()]).await;
    let mut late = Device::join(&server.address, "hangs", 3).await;
    late.subscribe().await;
    late.synced().await;
    assert!(late.received.is_empty(), "what is not on the disk is shown to nobody");
    assert_eq!(writer.ping().await, []);

    drop(end);
    writer.saved(1).await;
    reader.receive(1).await;
    late.receive(1).await;
    assert_eq!(late.received, [entry]);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_fsync_that_fails_is_answered_with_later_and_the_work_is_taken_when_the_disk_is_well() {
    let (disk, _begins, end) = SlowDisk::new();
    let server = Server::with(Storage::of(disk)).await;
    let mut writer = Device::join(&server.address, "fails", 1).await;
    let entry = writer.write_name(1);
    writer.send(vec![entry.clone()]).await;
    end.send(Err(StoreFailure::new(FailureKind::Io, "The disk is broken."))).unwrap();
    let why = writer
        .link
        .until(|message| match message {
            Message::Other(Body::Later(later)) => Some(later.why),
            Message::Other(Body::Saved(_)) => panic!("a failed fsync saves nothing"),
            _ => None,
        })
        .await;
    assert_eq!(why, LaterWhy::Store);
    assert_eq!(server.health().await["status"], "store-failing");
    drop(end);
    writer.send(vec![entry]).await;
    writer.saved(1).await;
    writer.save_name(2).await;
    assert_eq!(server.health().await["status"], "ok");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_asks_for_patience_and_goes_on_when_there_is_room_again_on_sled() {
    a_full_disk_asks_for_patience_and_goes_on(StoreKind::Sled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_asks_for_patience_and_goes_on_when_there_is_room_again_on_redb() {
    a_full_disk_asks_for_patience_and_goes_on(StoreKind::Redb).await;
}

async fn a_full_disk_asks_for_patience_and_goes_on(kind: StoreKind) {
    let Some(disk) = Disk::mount("size=16m") else { return };
    let server = Server::with(Storage::folder_of(kind, disk.path().join("data")).unwrap()).await;
    let mut writer = Device::join(&server.address, "full", 1).await;
    let first = writer.save_name(0).await;
    let filler = disk.path().join("filler");
    // As much as fits.
    let _ = std::fs::write(&filler, vec![7u8; 16 << 20]);
    let mut number = 1;
    let unsaved = loop {
        let entry = writer.write_name(number);
        writer.send(vec![entry.clone()]).await;
        let taken = writer
            .link
            .until(|message| match message {
                Message::Other(Body::Saved(saved)) => (saved.seq == number + 1).then_some(true),
                Message::Other(Body::Later(_)) => Some(false),
                _ => None,
            })
            .await;
        if !taken {
            break entry;
        }
        number += 1;
        assert!(number < 200_000, "the disk never fills up");
    };
    assert_eq!(server.health().await["status"], "store-failing");
    std::fs::remove_file(filler).unwrap();
    let seq = unsaved.header().seq;
    writer.send(vec![unsaved]).await;
    writer.saved(seq).await;
    let mut reader = Device::join(&server.address, "full", 2).await;
    reader.subscribe().await;
    reader.synced().await;
    assert_eq!(reader.received.len() as u64, seq);
    assert_eq!(reader.received[0], first);
    server.stop().await.unwrap();
}

/// A store of which the first scans fail, or the first commits.
struct Unread {
    store: MemoryStore,
    first: Mutex<Vec<StoreFailure>>,
    refuses: Mutex<Vec<StoreFailure>>,
    asked: Sender<()>,
}

impl Store for Unread {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        match self.refuses.lock().unwrap().pop() {
            Some(failure) => Err(failure.into()),
            None => self.store.apply(space, commit),
        }
    }
    fn settle(&self) -> Result<(), StoreFailure> {
        self.store.settle()
    }
    fn sync(&self) -> Result<(), StoreFailure> {
        self.store.sync()
    }
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        let _ = self.asked.send(());
        match self.first.lock().unwrap().pop() {
            Some(failure) => Err(failure),
            None => self.store.scan(space, scan),
        }
    }
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.store.spaces(after, max)
    }
}

fn unread(first: Vec<StoreFailure>) -> (Storage, Receiver<()>) {
    let (store, is_asked) = new_store(first, Vec::new());
    (Storage::of(store), is_asked)
}

fn new_store(first: Vec<StoreFailure>, refuses: Vec<StoreFailure>) -> (Arc<Unread>, Receiver<()>) {
    let (asked, is_asked) = channel();
    let (first, refuses) = (Mutex::new(first), Mutex::new(refuses));
    (Arc::new(Unread { store: MemoryStore::new(), first, refuses, asked }), is_asked)
}

/// Its devices have met it in the first epoch, and have nothing to bring.
#[tokio::test(flavor = "multi_thread")]
async fn rule_10_a_store_that_has_rooms_and_no_epoch_stays_in_the_first() {
    let store = Arc::new(MemoryStore::new());
    let row = vec![(b"z".to_vec(), b"of a room".to_vec())];
    store.apply(&Space::new("other").unwrap(), &Commit { put: row, ..Commit::default() }).unwrap();
    for _ in 0..2 {
        let server = Server::with(Storage::of(store.clone())).await;
        assert_eq!(Device::join(&server.address, "harbour", 1).await.epoch, 1);
        server.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_10_nobody_is_served_before_the_epoch_of_a_store_that_begins_is_written() {
    let failure = StoreFailure::new(FailureKind::Io, "The disk is broken.");
    let (store, _asked) = new_store(Vec::new(), vec![failure; 2]);
    let server = Server::with(Storage::of(store.clone())).await;
    let met = Device::join(&server.address, "harbour", 1).await.epoch;
    let scan = Scan { start: META.to_vec(), end: [META, &[0]].concat(), max_bytes: 1024, max_rows: 1 };
    let row = store.store.scan(&own_space(), &scan).unwrap().rows.pop().map(|(_, row)| row);
    assert_eq!((epoch_of(row.as_deref()), met > 1), (Some(met), true));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_10_a_store_whose_epoch_is_damaged_is_served_in_one_that_nobody_has_met() {
    let mut met = Vec::new();
    for _ in 0..2 {
        let server = Server::with(unread(vec![StoreFailure::damaged(b"m")]).0).await;
        let mut author = Device::join(&server.address, "harbour", 1).await;
        author.save_name(1).await;
        met.push(author.epoch);
        server.stop().await.unwrap();
    }
    assert!(met[0] > 1 && met[1] > 1 && met[0] != met[1], "{met:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_10_a_relay_waits_for_a_disk_that_fails_as_it_starts_and_stops_when_told() {
    let failure = StoreFailure::new(FailureKind::Io, "The disk is broken.");
    let server = Server::with(unread(vec![failure.clone()]).0).await;
    assert!(Device::join(&server.address, "harbour", 1).await.epoch > 1, "it begins with nothing");
    server.stop().await.unwrap();

    let (storage, is_asked) = unread(vec![failure; 1000]);
    let server = Server::with(storage).await;
    tokio::task::spawn_blocking(move || is_asked.recv().unwrap()).await.unwrap();
    server.stop().await.unwrap();
}
