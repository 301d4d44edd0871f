//! What whoever runs a relay sees of it.

use std::process::Stdio;
use std::time::Duration;

use causeway_core::storage::{FailureKind, StoreFailure};
use causeway_relay::{Bounds, RunError, Storage};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::{sleep, timeout};

use crate::device::{Device, PATIENCE};
use crate::failing_store::SlowDisk;
use crate::process::program;
use crate::server::{Server, get, metric, metrics};

#[tokio::test(flavor = "multi_thread")]
async fn rl9_metrics_follow_what_happens() {
    let server = Server::start().await;
    let mut reader = Device::join(&server.address, "figures", 1).await;
    reader.subscribe().await;
    reader.synced().await;
    let mut writer = Device::join(&server.address, "figures", 2).await;
    for number in 0..3 {
        writer.save_name(number).await;
    }
    reader.receive(3).await;
    let page = metrics(&server.address).await;
    for (name, expected) in [
        ("causeway_connections", 2.0),
        ("causeway_rooms", 1.0),
        ("causeway_store_works", 1.0),
        ("causeway_entries_saved_total", 3.0),
        ("causeway_entries_forwarded_total", 3.0),
        ("causeway_rooms_opened_total", 1.0),
        ("causeway_commit_seconds_count", 3.0),
        ("causeway_materialised_documents_total", 0.0),
    ] {
        assert_eq!(metric(&page, name), Some(expected), "{name} in {page}");
    }
    assert!(metric(&page, "causeway_fsync_seconds_count").unwrap() >= 1.0);
    assert!(metric(&page, "causeway_lane_bytes_total{lane=\"entries\"}").unwrap() > 300.0);
    assert!(metric(&page, "process_resident_memory_bytes").is_none_or(|bytes| bytes > 1e6));
    assert!(!page.contains("figures"), "a room's name is the key to it");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl9_metrics_tell_of_the_log_before_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(Storage::folder(folder.path().into()).unwrap()).await;
    Device::join(&server.address, "log", 1).await.save_name(1).await;
    let page = metrics(&server.address).await;
    assert!(metric(&page, "causeway_store_log_bytes").unwrap() > 100.0, "{page}");
    assert_eq!(metric(&page, "causeway_store_log_held_up"), Some(0.0));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl9_ready_fails_while_the_store_does() {
    let (disk, _begins, end) = SlowDisk::new();
    let server = Server::with(Storage::of(disk)).await;
    assert!(get(&server.address, "/readyz", &[]).await.starts_with("HTTP/1.1 200"));
    let mut writer = Device::join(&server.address, "ready", 1).await;
    let entry = writer.write_name(1);
    writer.send(vec![entry.clone()]).await;
    end.send(Err(StoreFailure::new(FailureKind::Io, "The disk is broken."))).unwrap();
    server.until_health(|health| health["status"] == "store-failing").await;
    let answer = get(&server.address, "/readyz", &[]).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.ends_with("store-failing\n"), "{answer}");
    drop(end);
    writer.send(vec![entry]).await;
    writer.saved(1).await;
    writer.save_name(2).await;
    assert!(get(&server.address, "/readyz", &[]).await.starts_with("HTTP/1.1 200"));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl16_a_relay_whose_store_stands_still_ends_itself() {
    let (disk, _begins, end) = SlowDisk::new();
    let patience = Duration::from_secs(2);
    let bounds = Bounds {
        store_notice: Duration::from_millis(100),
        store_patience: Some(patience),
        ..Bounds::default()
    };
    let server = Server::bounded(Storage::of(disk), bounds).await;
    let mut writer = Device::join(&server.address, "still", 1).await;
    let entry = writer.write_name(1);
    writer.send(vec![entry]).await;
    let ended = server.ended().await;
    assert!(matches!(ended, Err(RunError::StandsStill(span)) if span >= patience), "{ended:?}");
    drop(end);
}

#[tokio::test(flavor = "multi_thread")]
async fn rl16_a_relay_that_waits_for_ever_says_so_and_goes_on_when_the_disk_does() {
    let (disk, _begins, end) = SlowDisk::new();
    let bounds =
        Bounds { store_notice: Duration::from_millis(100), store_patience: None, ..Bounds::default() };
    let server = Server::bounded(Storage::of(disk), bounds).await;
    let mut writer = Device::join(&server.address, "still", 1).await;
    let entry = writer.write_name(1);
    writer.send(vec![entry]).await;
    server.until_ready_says("store-failing").await;
    let still = async || {
        let page = metrics(&server.address).await;
        assert_eq!(metric(&page, "causeway_store_works"), Some(0.0));
        metric(&page, "causeway_store_standstill_seconds").unwrap()
    };
    let counts = async {
        while still().await < 1.0 {
            // pace: between two looks at the figures
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, counts).await.expect("the figures count on");
    drop(end);
    writer.saved(1).await;
    server.until_ready_says("ready").await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl9_ready_fails_while_the_relay_stops() {
    let (disk, begins, end) = SlowDisk::new();
    let server = Server::with(Storage::of(disk)).await;
    let mut writer = Device::join(&server.address, "ready", 1).await;
    let entry = writer.write_name(1);
    writer.send(vec![entry]).await;
    // The sync hangs: what was taken cannot be answered yet, so the relay is long in stopping.
    tokio::task::spawn_blocking(move || begins.recv().unwrap()).await.unwrap();
    let address = server.address.clone();
    let stopping = tokio::spawn(server.stop());
    let told =
        timeout(PATIENCE, async { while !get(&address, "/readyz", &[]).await.ends_with("stopping\n") {} });
    told.await.expect("it says that it is stopping");
    drop(end);
    writer.saved(1).await;
    stopping.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl9_idle_rooms_leave_memory_and_the_metrics_show_it() {
    let bounds = Bounds { room_linger: Duration::from_millis(10), ..Bounds::default() };
    let server = Server::bounded(Storage::memory(), bounds).await;
    for number in 0..20 {
        Device::join(&server.address, &format!("idle-{number}"), 1).await.save_name(1).await;
    }
    server.until_health(|health| health["rooms"] == 0).await;
    let page = metrics(&server.address).await;
    assert_eq!(metric(&page, "causeway_rooms"), Some(0.0));
    assert_eq!(metric(&page, "causeway_rooms_opened_total"), Some(20.0));
    assert_eq!(metric(&page, "causeway_rooms_closed_total"), Some(20.0));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn rl9_the_log_says_who_enters_a_room_and_never_which() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", folder.path().to_str().unwrap()];
    let arguments =
        [&arguments[..], &["--log", "json", "--log-level", "info", "--room", "other-room"]].concat();
    let mut command = program(&arguments);
    let mut relay = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut printed = BufReader::new(relay.stdout.take().unwrap()).lines();
    let mut log = BufReader::new(relay.stderr.take().unwrap()).lines();
    let story = async {
        let address = loop {
            let line = printed.next_line().await.unwrap().expect("a relay prints a link");
            if let Some(link) = line.strip_prefix("room  http://") {
                break link.split_once("/r/").unwrap().0.to_owned();
            }
        };
        let mut device = Device::join(&address, "secret-harbour", 1).await;
        device.save_name(1).await;
        drop(device);
        let mut lines = Vec::new();
        loop {
            let line = log.next_line().await.unwrap().expect("a relay logs who comes and goes");
            let value: serde_json::Value = serde_json::from_str(&line).expect("a line is a JSON object");
            let message = value["fields"]["message"].as_str().unwrap_or_default().to_owned();
            lines.push(line);
            if message == "a device left the room" {
                break lines;
            }
        }
    };
    let lines = timeout(PATIENCE, story).await.expect("the story ends");
    let entered = lines.iter().find(|line| line.contains("a device entered the room")).expect("an access");
    let entered: serde_json::Value = serde_json::from_str(entered).unwrap();
    assert_eq!((&entered["level"], &entered["span"]["name"]), (&"INFO".into(), &"room".into()), "{entered}");
    assert!(entered["span"]["number"].is_number() && entered["fields"]["conn"].is_number(), "{entered}");
    let told = lines.concat();
    assert!(!told.contains("secret-harbour") && !told.contains("notes/1.md"), "{told}");
}
