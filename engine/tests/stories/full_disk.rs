//! A device whose disk fills up while somebody writes, and has room again later.

use std::path::Path;

use causeway::{Engine, EngineConfig, Reach, Room, Storage, StoreChoice};
use futures_util::StreamExt;

use crate::disk::Disk;
use crate::harness::{Relay, reads, text_of, within, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn st4_work_goes_on_through_a_full_disk_without_a_restart_on_sled() {
    work_goes_on_through_a_full_disk(|data| StoreChoice::Sled(data.into())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn st4_work_goes_on_through_a_full_disk_without_a_restart_on_redb() {
    work_goes_on_through_a_full_disk(|data| StoreChoice::Redb(data.into())).await;
}

async fn work_goes_on_through_a_full_disk(store: impl Fn(&Path) -> StoreChoice) {
    let Some(disk) = Disk::mount("size=16m") else { return };
    let data = disk.path().join("data");
    let open = |relay| {
        let config = EngineConfig { store: store(&data), relay, ..EngineConfig::default() };
        Engine::open(config).unwrap()
    };
    let ada = open(None);
    let (room, text) = (ada.room("story").unwrap(), text_of(&ada).await);
    within(write(&text, "before ").reached(Reach::Device)).await.unwrap();

    let filler = disk.path().join("filler");
    // As much as fits.
    let _ = std::fs::write(&filler, vec![7u8; 16 << 20]);
    let mut events = room.events();
    let mut written = 0;
    let unsaved = within(async {
        loop {
            // Far longer than what a database keeps free for itself.
            let receipt = write(&text, &"x".repeat(50_000));
            written += 50_000;
            tokio::select! {
                reached = receipt.reached(Reach::Device) => reached.unwrap(),
                () = until_storage(&room, &mut events, |storage| matches!(storage, Storage::Failing { .. })) => {
                    return receipt;
                }
            }
        }
    })
    .await;
    let Storage::Failing { full, sentence } = room.storage() else { panic!("it fails") };
    assert!(full, "{sentence}");
    assert!(!unsaved.state().device, "nothing is called saved that is not");
    let meanwhile = write(&text, " meanwhile");

    std::fs::remove_file(filler).unwrap();
    within(unsaved.reached(Reach::Device)).await.unwrap();
    within(meanwhile.reached(Reach::Device)).await.unwrap();
    assert_eq!(room.storage(), Storage::Working);
    let expected = format!("before {} meanwhile", "x".repeat(written));
    ada.close().await.unwrap();

    let relay = Relay::start().await;
    let ada = open(Some(relay.url().parse().unwrap()));
    assert_eq!(text_of(&ada).await.read().unwrap(), expected, "all of it was on the disk");
    reads(&text_of(&relay.device()).await, &expected).await;
    relay.stop().await;
}

async fn until_storage(room: &Room, events: &mut causeway::Events, wanted: impl Fn(&Storage) -> bool) {
    while !wanted(&room.storage()) {
        events.next().await.expect("the room goes on");
    }
}
