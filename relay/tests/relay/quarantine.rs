//! RL15: streams in quarantine, and rooms that cannot be read, as whoever runs the relay sees them.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use causeway_core::ids::StreamId;
use causeway_core::log::{EntryKind, StreamLog};
use causeway_core::replica::Identity;
use causeway_core::storage::{Commit, CommitError, Page, Scan, StoreFailure};
use causeway_core::stored::{self, Prefix, QuarantineRecord};
use causeway_core::time::Millis;
use causeway_core::wire::ErrorCode;
use causeway_relay::Storage;
use causeway_store::{MemoryStore, Space, Store, StoreKind};

use crate::device::{Device, Link, PATIENCE, hello};
use crate::process::{Process, outcome};
use crate::server::{Server, metric, metrics};

/// Runs the program and expects it to end well; answers what it printed.
async fn printed(args: &[&str]) -> String {
    let output = outcome(args).await;
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Puts the directory of a room into quarantine, as a relay before this one did.
fn put_into_quarantine(data: &Path, room: &str) {
    let (code, sentence) = ("materialiser.panic".into(), "it came to an end it did not choose".into());
    let record =
        QuarantineRecord { code, sentence, since: Millis(1_700_000_000_000), ..QuarantineRecord::default() };
    let put = vec![(stored::quarantine_key(&StreamId::DIRECTORY), record.encode())];
    let store = StoreKind::of(data).unwrap().unwrap().open(data).unwrap();
    store.apply(&Space::new(room).unwrap(), &Commit { put, ..Commit::default() }).unwrap();
    store.sync().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl15_a_stream_in_quarantine_is_listed_exported_and_released_while_its_log_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("stream.backup"));
    let relay = Process::start(&data).await;
    for room in ["harbour", "other"] {
        Device::join(&relay.address, room, 1).await.save_name(1).await;
    }
    assert_eq!(relay.terminate().await, Some(0));
    put_into_quarantine(&data, "harbour");
    put_into_quarantine(&data, "other");
    let listed = ["quarantine", "list", "--data", text(&data)];
    let offline = printed(&listed).await;

    let relay = Process::start(&data).await;
    let online = printed(&listed).await;
    assert_eq!(online, offline, "whoever is asked");
    assert_eq!(online.lines().count(), 2);
    let line =
        "harbour  directory  since 1700000000 s  materialiser.panic  it came to an end it did not choose";
    assert!(online.lines().any(|told| told == line), "{online}");
    // Of a room that nobody has open.
    printed(&["quarantine", "release", "other", "directory", "--data", text(&data)]).await;
    let deadline = Instant::now() + PATIENCE;
    while printed(&listed).await.lines().count() > 1 {
        assert!(Instant::now() < deadline, "it is released");
    }
    let mut author = Device::join(&relay.address, "harbour", 2).await;
    author.save_name(2).await;
    let page = metrics(&relay.address).await;
    assert_eq!(metric(&page, "causeway_streams_quarantined_total"), Some(2.0), "{page}");
    printed(&["quarantine", "export", "harbour", "directory", text(&file), "--data", text(&data)]).await;
    let restored = folder.path().join("restored");
    printed(&["restore", text(&file), "--data", text(&restored)]).await;
    let copy = Process::start(&restored).await;
    let mut reader = Device::join(&copy.address, "harbour", 3).await;
    reader.subscribe().await;
    reader.synced().await;
    assert_eq!(reader.received.len(), 2, "all of the stream is in it");
    assert_eq!(copy.terminate().await, Some(0));

    printed(&["quarantine", "release", "harbour", "directory", "--data", text(&data)]).await;
    // The room has taken it before it takes what comes later, and they share a commit at the latest.
    author.save_name(3).await;
    assert_eq!(printed(&listed).await, "");
    nothing_of_that_name(&data).await;
    assert_eq!(relay.terminate().await, Some(0));
    nothing_of_that_name(&data).await;
}

/// Whether a relay serves the folder or not.
async fn nothing_of_that_name(data: &Path) {
    let file = data.with_extension("nothing");
    let of = |what: &'static str, room: &'static str| {
        let mut args = vec!["quarantine", what, room, "directory"];
        args.extend((what == "export").then_some(text(&file)));
        args.extend(["--data", text(data)]);
        args
    };
    for (what, room) in [("release", "harbour"), ("release", "nowhere"), ("export", "nowhere")] {
        let output = outcome(&of(what, room)).await;
        assert_eq!(output.status.code(), Some(18), "{what} {room}: {output:?}");
    }
    assert!(!file.exists());
}

/// Entries of a stream, enough for a snapshot.
const MANY: u64 = 600;

/// The row of the page of a room's one snapshot.
fn page(store: &dyn Store, room: &Space) -> (Vec<u8>, Vec<u8>) {
    let (start, end) = Prefix::Page.range();
    let rows = store.scan(room, &Scan { start, end, max_bytes: 0, max_rows: 2 }).unwrap().rows;
    let [row] = <[_; 1]>::try_from(rows).expect("one stream has a snapshot");
    row
}

fn put(data: &Path, kind: StoreKind, change: impl FnOnce((Vec<u8>, Vec<u8>)) -> (Vec<u8>, Vec<u8>)) {
    let store = kind.open(data).unwrap();
    let room = Space::new("harbour").unwrap();
    let put = vec![change(page(&*store, &room))];
    store.apply(&room, &Commit { put, ..Commit::default() }).unwrap();
    store.sync().unwrap();
}

/// Asks for the list until it is as it should be.
async fn until_listed(data: &Path, what: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let list = printed(&["quarantine", "list", "--data", text(data)]).await;
        if what(&list) {
            return list;
        }
        assert!(Instant::now() < deadline, "{list}");
    }
}

/// Writes so many names at once.
async fn save_names(author: &mut Device, numbers: std::ops::Range<u64>) {
    let last = numbers.end;
    let entries = numbers.map(|number| author.write_name(number)).collect();
    author.send(entries).await;
    author.saved(last).await;
}

async fn until_snapshot(address: &str) {
    let deadline = Instant::now() + PATIENCE;
    while metric(&metrics(address).await, "causeway_snapshots_made_total") < Some(1.0) {
        assert!(Instant::now() < deadline, "there is a snapshot");
    }
}

/// Everything that a newcomer is sent of the directory.
async fn sent_to_a_newcomer(address: &str) -> usize {
    let mut reader = Device::join(address, "harbour", 9).await;
    reader.subscribe().await;
    reader.synced().await;
    reader.received.len()
}

async fn one_bent_value(kind: StoreKind) {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("stream.backup"));
    let serve = ["--data", text(&data), "--store", kind.name()];
    let identity = Identity::from_secret(&[1; 32]);
    let relay = Process::start_with(&serve).await;
    let mut author = Device::join_as(&relay.address, "harbour", identity.clone()).await;
    save_names(&mut author, 0..MANY).await;
    until_snapshot(&relay.address).await;
    assert_eq!(relay.terminate().await, Some(0));
    let mut right = Vec::new();
    put(&data, kind, |(key, value)| {
        right.clone_from(&value);
        let mut bent = value;
        *bent.last_mut().unwrap() ^= 1;
        (key, bent)
    });

    let relay = Process::start_with(&serve).await;
    let (stream, log) = (author.stream, author.log.clone());
    let mut author = Device::join_stream(&relay.address, "harbour", identity.clone(), stream, log).await;
    save_names(&mut author, MANY..2 * MANY).await;
    let list = until_listed(&data, |list| !list.is_empty()).await;
    assert!(list.contains("harbour  directory") && list.contains("  snapshot.unreadable  "), "{list}");
    assert_eq!(list.lines().count(), 1, "one stream: {list}");
    // Its log goes on, for newcomers too, and so does everything else.
    author.save_name(2 * MANY).await;
    let all = 2 * MANY as usize + 1;
    assert_eq!(sent_to_a_newcomer(&relay.address).await, all);
    let document = StreamId::ydoc([7; 16]);
    let (other, log) = (Identity::from_secret(&[2; 32]), StreamLog::new(document));
    let mut beside = Device::join_stream(&relay.address, "harbour", other, document, log).await;
    let create = beside.write(EntryKind::Create, &[]);
    beside.send(vec![create]).await;
    beside.saved(1).await;
    Device::join(&relay.address, "elsewhere", 3).await.save_name(1).await;

    printed(&["quarantine", "export", "harbour", "directory", text(&file), "--data", text(&data)]).await;
    let restored = folder.path().join("restored");
    printed(&["restore", text(&file), "--data", text(&restored)]).await;
    let copy = Process::start(&restored).await;
    assert_eq!(sent_to_a_newcomer(&copy.address).await, all, "all of it can be taken out");
    assert_eq!(copy.terminate().await, Some(0));

    // Released as it is it ends there again; once it was mended it does not.
    let release = ["quarantine", "release", "harbour", "directory", "--data", text(&data)];
    printed(&release).await;
    let failed = |page: &str| metric(page, "causeway_snapshots_failed_total") >= Some(2.0);
    let deadline = Instant::now() + PATIENCE;
    while !failed(&metrics(&relay.address).await) {
        assert!(Instant::now() < deadline, "it is tried again");
    }
    until_listed(&data, |list| !list.is_empty()).await;
    assert_eq!(relay.terminate().await, Some(0));
    put(&data, kind, |(key, _)| (key, right));
    let relay = Process::start_with(&serve).await;
    printed(&release).await;
    let log = author.log.clone();
    let mut author = Device::join_stream(&relay.address, "harbour", identity, stream, log).await;
    author.save_name(2 * MANY + 1).await;
    until_snapshot(&relay.address).await;
    until_listed(&data, str::is_empty).await;
    assert_eq!(relay.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn rl15_one_bent_value_of_a_real_folder_of_sleds_sets_one_stream_apart() {
    one_bent_value(StoreKind::Sled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rl15_one_bent_value_of_a_real_folder_of_redbs_sets_one_stream_apart() {
    one_bent_value(StoreKind::Redb).await;
}

/// A store of which one space cannot be read at all.
struct Bitten(MemoryStore);

impl Store for Bitten {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        self.0.apply(space, commit)
    }
    fn settle(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn sync(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        if space.as_bytes() == b"bitten" {
            return Err(StoreFailure::damaged(&scan.start));
        }
        self.0.scan(space, scan)
    }
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.0.spaces(after, max)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rl15_a_room_that_cannot_be_read_turns_its_devices_away_and_others_go_on() {
    let server = Server::with(Storage::of(Arc::new(Bitten(MemoryStore::new())))).await;
    let mut author = Device::join(&server.address, "sound", 1).await;
    for number in 0..2 {
        let mut link = Link::open(&server.address, "bitten").await;
        link.send(&hello(&"bitten".parse().unwrap(), causeway_core::wire::VERSION)).await;
        let sentence = link.ends_with(ErrorCode::Store).await;
        assert!(sentence.contains("cannot read this room"), "{sentence}");
        author.save_name(number).await;
    }
    server.until_health(|health| health["rooms_unreadable"].as_u64() >= Some(1)).await;
    assert_eq!(server.health().await["status"], "ok");
    server.stop().await.unwrap();
}
