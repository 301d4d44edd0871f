//! A relay that dies or is told to stop while twenty people write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use causeway_core::log::Entry;
use causeway_core::replica::Identity;
use causeway_core::wire::{Body, Message};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::device::{Device, PATIENCE};
use crate::process::Process;

const WRITERS: u8 = 20;
const ROUNDS: u64 = 30;

/// All writers of a room, who have joined it when this returns: a relay must not be gone before the last of them has come.
async fn writers(address: &str, room: &str, saved: &Arc<AtomicU64>) -> Vec<JoinHandle<Vec<Entry>>> {
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        let device = Device::join_as(address, room, Identity::from_secret(&[number; 32])).await;
        writers.push(write_on(device, saved));
    }
    writers
}

/// Writes until the relay is gone; what was called saved is answered.
fn write_on(mut device: Device, saved: &Arc<AtomicU64>) -> JoinHandle<Vec<Entry>> {
    let saved = Arc::clone(saved);
    tokio::spawn(async move {
        let (mut written, mut called_saved) = (Vec::new(), 0);
        // Two on their way at any time, so that some are always between the socket and the disk.
        for entry in 0.. {
            let entry = device.write_name(entry);
            written.push(entry.clone());
            device.send(vec![entry]).await;
            while written.len() - called_saved > 2 {
                match device.link.try_next().await {
                    Some(Message::Other(Body::Saved(told))) => {
                        saved.fetch_add(told.seq - called_saved as u64, Ordering::SeqCst);
                        called_saved = usize::try_from(told.seq).unwrap();
                    }
                    Some(_) => {}
                    None => {
                        written.truncate(called_saved);
                        return written;
                    }
                }
            }
        }
        unreachable!("the relay ends first")
    })
}

async fn until(saved: &AtomicU64, count: u64) {
    let deadline = Instant::now() + PATIENCE;
    while saved.load(Ordering::SeqCst) < count {
        assert!(Instant::now() < deadline, "the writers get on");
        // pace: between two looks at the count
        sleep(Duration::from_millis(1)).await;
    }
}

async fn holds_all(address: &str, room: &str, saved: &[Entry]) {
    let mut reader = Device::join(address, room, 200).await;
    reader.subscribe().await;
    let synced = reader.synced().await;
    assert_eq!(synced.digest, reader.log.digest(), "what the relay says it holds is what it sends");
    for entry in saved {
        assert!(reader.received.contains(entry), "{entry:?} was called saved in {room}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_called_saved_survives_thirty_deaths_on_sled() {
    every_entry_called_saved_survives_thirty_deaths("sled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_called_saved_survives_thirty_deaths_on_redb() {
    every_entry_called_saved_survives_thirty_deaths("redb").await;
}

async fn every_entry_called_saved_survives_thirty_deaths(store: &str) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let args = ["--data", data.to_str().unwrap(), "--store", store];
    let mut ledger: Vec<(String, Vec<Entry>)> = Vec::new();
    for round in 0..ROUNDS {
        let relay = Process::start_with(&args).await;
        if let Some((room, saved)) = ledger.last() {
            holds_all(&relay.address, room, saved).await;
        }
        let room = format!("round-{round}");
        let count = Arc::default();
        let writers = writers(&relay.address, &room, &count).await;
        until(&count, 20 + 7 * round).await;
        relay.kill().await;
        let mut saved = Vec::new();
        for writer in writers {
            saved.extend(writer.await.unwrap());
        }
        assert!(saved.len() as u64 >= 20 + 7 * round);
        ledger.push((room, saved));
    }
    let relay = Process::start_with(&args).await;
    for (room, saved) in &ledger {
        holds_all(&relay.address, room, saved).await;
    }
    assert_eq!(crate::server::health(&relay.address).await["materialised_documents"], 0);
    assert_eq!(relay.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn rl7_a_relay_that_is_told_to_stop_loses_nothing_and_exits_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Process::start(folder.path()).await;
    let count = Arc::default();
    let writers = writers(&relay.address, "stop", &count).await;
    until(&count, 100).await;
    assert_eq!(relay.terminate().await, Some(0));
    let mut saved = Vec::new();
    for writer in writers {
        saved.extend(writer.await.unwrap());
    }
    let relay = Process::start(folder.path()).await;
    holds_all(&relay.address, "stop", &saved).await;
    assert_eq!(relay.terminate().await, Some(0));
}
