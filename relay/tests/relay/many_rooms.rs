//! A relay that died with ten thousand rooms on its disk.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use causeway_core::storage::{Commit, Scan};
use causeway_relay::Storage;
use causeway_store::{Space, StoreKind};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::device::Device;
use crate::process::Process;
use crate::server::Server;

const ROOMS: u32 = 10_000;
const ENTRIES: u64 = 10;
/// Rooms in one batch of the store.
const BATCH: u32 = 250;

const FOLDER: &str = "CAUSEWAY_RELAY_TEST_ROOMS_FOLDER";
const KIND: &str = "CAUSEWAY_RELAY_TEST_ROOMS_KIND";

fn space(name: &str) -> Space {
    Space::new(name).unwrap()
}

/// Not a story of its own: the process that writes and is killed in the next ones. No key names its room, so that the
/// rows of one make another.
#[test]
fn the_process_that_makes_rooms() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let kind: StoreKind = std::env::var(KIND).unwrap().parse().unwrap();
    let store = kind.open(folder).unwrap();
    let all = Scan { start: Vec::new(), end: vec![0xff], max_bytes: 1 << 20, max_rows: 1000 };
    let page = store.scan(&space("pattern"), &all).unwrap();
    assert!(page.more.is_none() && page.rows.len() > 2 * ENTRIES as usize);
    let room = Commit { put: page.rows, ..Commit::default() };
    for first in (0..ROOMS).step_by(BATCH as usize) {
        let group: Vec<_> =
            (first..first + BATCH).map(|n| (space(&format!("room-{n}")), room.clone())).collect();
        assert!(store.apply_group(&group).iter().all(Result::is_ok));
        store.sync().unwrap();
    }
    writeln!(std::io::stdout(), "\nmade").unwrap();
    // Waits to be killed.
    std::io::stdin().lines().next();
}

async fn make_rooms_and_die(kind: StoreKind, folder: &Path) {
    let server = Server::with(Storage::folder_of(kind, folder.into()).unwrap()).await;
    let mut writer = Device::join(&server.address, "pattern", 1).await;
    for number in 0..ENTRIES {
        writer.save_name(number).await;
    }
    server.stop().await.unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "many_rooms::the_process_that_makes_rooms", "--nocapture"]);
    command.env(FOLDER, folder).env(KIND, kind.name()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while lines.next_line().await.unwrap().expect("it makes rooms until it is killed") != "made" {}
    child.kill().await.unwrap();
}

async fn it_serves_one_of_ten_thousand_rooms(kind: StoreKind) {
    let folder = tempfile::tempdir().unwrap();
    make_rooms_and_die(kind, folder.path()).await;
    let began = Instant::now();
    let relay =
        Process::start_with(&["--data", folder.path().to_str().unwrap(), "--store", kind.name()]).await;
    let listening = began.elapsed();
    let mut reader = Device::join(&relay.address, "room-7777", 2).await;
    reader.subscribe().await;
    let synced = reader.synced().await;
    let served = began.elapsed();
    assert_eq!(reader.received.len() as u64, ENTRIES);
    assert_eq!(synced.digest, reader.log.digest());
    println!(
        "{kind}: killed with {ROOMS} rooms, listening again after {listening:.2?}, one room served after {served:.2?}"
    );
    assert_eq!(
        crate::server::health(&relay.address).await["rooms"],
        1,
        "only the room that was asked for is in memory"
    );
    let mut writer = Device::join(&relay.address, "room-9999", 3).await;
    writer.save_name(100).await;
    assert_eq!(relay.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn st6_after_a_kill_one_of_ten_thousand_rooms_is_served_from_sled() {
    it_serves_one_of_ten_thousand_rooms(StoreKind::Sled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn st6_after_a_kill_one_of_ten_thousand_rooms_is_served_from_redb() {
    it_serves_one_of_ten_thousand_rooms(StoreKind::Redb).await;
}
