//! RL13: a backup of a relay that serves, and what becomes of one that is cut, changed or has no place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use causeway_core::replica::Identity;
use causeway_core::stored::Prefix;
use causeway_core::time::Millis;
use causeway_store::backup::{BackupReader, BackupWriter, Change, Packing, Step};
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use crate::device::{Device, PATIENCE};
use crate::disk::Disk;
use crate::process::{Process, outcome, program};

/// Runs the program and expects it to end with this code; answers what it told.
async fn ends_with(args: &[&str], code: i32) -> String {
    let output = outcome(args).await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
    told
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Calls at the door of a relay that serves. It is opened beside the links: who is let in there need not find it yet.
async fn at_the_door_of(data: &Path) -> UnixStream {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect(data.join("door")) {
            Ok(caller) => return caller,
            Err(error) => assert!(Instant::now() < deadline, "the door is opened: {error}"),
        }
        // pace: between two calls
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rl13_a_relay_that_serves_is_backed_up_and_restored_into_the_other_store() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("rooms.backup"));
    let relay = Process::start(&data).await;
    let mut author = Device::join(&relay.address, "harbour", 1).await;
    let first = author.save_name(1).await;
    let told = ends_with(&["backup", text(&file), "--data", text(&data)], 0).await;
    assert!(told.contains("backup: 1 room, "), "{told}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let second = author.save_name(2).await;
    let again = ends_with(&["backup", text(&file), "--data", text(&data)], 16).await;
    assert!(again.contains("there already"), "{again}");
    assert!(ends_with(&["backup", "--check", text(&file)], 0).await.contains("whole"));
    relay.kill().await;

    let new = folder.path().join("new");
    let restored = ["restore", text(&file), "--data", text(&new), "--store", "redb"];
    ends_with(&restored, 0).await;
    let told = ends_with(&restored, 16).await;
    assert!(told.contains("not empty"), "{told}");
    let relay = Process::start_with(&["--data", text(&new), "--store", "redb"]).await;
    let mut reader = Device::join(&relay.address, "harbour", 2).await;
    reader.subscribe().await;
    reader.synced().await;
    assert_eq!(reader.received, [first], "what was saved before the backup is in it");
    // As a device does that meets the new epoch.
    let log = author.log.clone();
    let identity = Identity::from_secret(&[1; 32]);
    let mut author = Device::join_stream(&relay.address, "harbour", identity, author.stream, log).await;
    assert!(author.epoch > 1, "a new epoch");
    author.send(vec![second.clone()]).await;
    author.saved(2).await;
    reader.receive(2).await;
    assert_eq!(reader.received[1], second, "and what was saved after it comes back");
    assert_eq!(reader.log.digest(), author.log.digest());
    assert_eq!(relay.terminate().await, Some(0));
    assert!(!new.join("door").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn rl13_a_folder_that_nobody_serves_is_backed_up_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("rooms.backup"));
    let relay = Process::start(&data).await;
    Device::join(&relay.address, "harbour", 1).await.save_name(1).await;
    drop(at_the_door_of(&data).await);
    // One that was killed leaves its door behind.
    relay.kill().await;
    assert!(data.join("door").exists());
    assert!(ends_with(&["backup", text(&file), "--data", text(&data)], 0).await.contains("backup: 1 room, "));
    let nowhere = folder.path().join("nowhere");
    let other = folder.path().join("other.backup");
    let told = ends_with(&["backup", text(&other), "--data", text(&nowhere)], 19).await;
    assert!(told.contains("no store"), "{told}");
    assert!(!nowhere.exists() && !other.exists() && !folder.path().join("other.backup.part").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn rl13_a_backup_that_is_cut_off_or_changed_is_refused_by_name_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("rooms.backup"));
    let relay = Process::start(&data).await;
    let mut author = Device::join(&relay.address, "harbour", 1).await;
    for number in 0..20 {
        author.save_name(number).await;
    }
    ends_with(&["backup", text(&file), "--data", text(&data)], 0).await;
    assert_eq!(relay.terminate().await, Some(0));
    let whole = fs::read(&file).unwrap();
    let into = folder.path().join("new");
    let mut bent = whole.clone();
    bent[whole.len() / 2] ^= 4;
    let cut = whole[..whole.len() / 2].to_vec();
    for (content, word) in
        [(cut, "cut off behind byte"), (bent, "damaged behind byte"), (b"a\n".to_vec(), "no backup")]
    {
        fs::write(&file, content).unwrap();
        let restored = ends_with(&["restore", text(&file), "--data", text(&into)], 15).await;
        let checked = ends_with(&["backup", "--check", text(&file)], 15).await;
        for told in [restored, checked] {
            assert!(told.contains(word) && told.contains("rooms.backup"), "{told}");
        }
        assert!(!into.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rl13_a_full_disk_is_told_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("rooms.backup"));
    let relay = Process::start(&data).await;
    let mut author = Device::join(&relay.address, "harbour", 1).await;
    for number in 0..40 {
        author.save_name(number).await;
    }
    let Some(small) = Disk::mount("size=4k") else { return };
    let told = ends_with(&["backup", text(&small.path().join("b")), "--data", text(&data)], 17).await;
    assert!(told.contains("free some space"), "{told}");
    assert_eq!(fs::read_dir(small.path()).unwrap().count(), 0);
    ends_with(&["backup", text(&file), "--data", text(&data)], 0).await;
    let into = small.path().join("data");
    let told = ends_with(&["restore", text(&file), "--data", text(&into)], 11).await;
    assert!(told.contains("full") && told.contains("free some space"), "{told}");
    assert_eq!(fs::read_dir(small.path()).unwrap().count(), 0);
    author.save_name(41).await;
    assert_eq!(relay.terminate().await, Some(0), "the relay has not noticed");
}

#[tokio::test(flavor = "multi_thread")]
async fn rl13_a_relay_deep_below_is_asked_and_says_when_too_many_ask() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep".repeat(20)).join("below".repeat(20));
    let relay = Process::start(&data).await;
    Device::join(&relay.address, "harbour", 1).await.save_name(1).await;
    let file = folder.path().join("rooms.backup");
    let told = ends_with(&["backup", text(&file), "--data", text(&data)], 0).await;
    assert!(told.contains("backup: 1 room, "), "{told}");
    assert_eq!(relay.terminate().await, Some(0));

    let data = folder.path().join("data");
    let relay = Process::start(&data).await;
    Device::join(&relay.address, "harbour", 1).await.save_name(1).await;
    // As many as have a place, and they say nothing.
    let first = at_the_door_of(&data).await;
    let callers: Vec<_> = (1..4).map(|_| UnixStream::connect(data.join("door")).unwrap()).collect();
    let second = folder.path().join("second.backup");
    let told = ends_with(&["backup", text(&second), "--data", text(&data)], 18).await;
    assert!(told.contains("too many ask at once") && !told.contains(".."), "{told}");
    drop((first, callers));
    assert_eq!(relay.terminate().await, Some(0));
}

/// The backup, with those rows lost whose keys begin so.
fn without(backup: &[u8], lost: Prefix) -> Vec<u8> {
    let mut reader = BackupReader::begin(backup).unwrap();
    let mut writer = BackupWriter::begin(Vec::new(), Packing::Plain, Millis(1)).unwrap();
    loop {
        match reader.next_step().unwrap() {
            Step::Room(space) => writer.begin_room(&space).unwrap(),
            Step::Changes(changes) => {
                for change in changes {
                    let change = match change {
                        Change::Put(key, _) if key.first() == Some(&(lost as u8)) => Change::Lost(key),
                        change => change,
                    };
                    writer.change(&change).unwrap();
                }
            }
            Step::RoomEnd | Step::Gap(_) => {}
            Step::End(_) => {
                let (bytes, told) = writer.finish().unwrap();
                assert!(told.lost > 0);
                return bytes;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rl13_a_stream_of_which_a_count_or_a_tip_was_lost_is_made_whole_of_its_entries() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("rooms.backup"));
    let relay = Process::start(&data).await;
    let mut author = Device::join(&relay.address, "harbour", 1).await;
    let written = [author.save_name(1).await, author.save_name(2).await];
    ends_with(&["backup", text(&file), "--data", text(&data)], 0).await;
    assert_eq!(relay.terminate().await, Some(0));
    let whole = fs::read(&file).unwrap();
    let log = author.log.clone();
    for lost in [Prefix::Stream, Prefix::Tip] {
        fs::write(&file, without(&whole, lost)).unwrap();
        let new = folder.path().join(format!("{lost:?}"));
        ends_with(&["restore", text(&file), "--data", text(&new)], 0).await;
        let relay = Process::start(&new).await;
        let mut reader = Device::join(&relay.address, "harbour", 2).await;
        reader.subscribe().await;
        reader.synced().await;
        assert_eq!(reader.received, written, "{lost:?}");
        let identity = Identity::from_secret(&[1; 32]);
        let (stream, log) = (author.stream, log.clone());
        let mut author = Device::join_stream(&relay.address, "harbour", identity, stream, log).await;
        let third = author.save_name(3).await;
        reader.receive(3).await;
        assert_eq!(reader.received[2], third, "and it goes on");
        assert_eq!(relay.terminate().await, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rl13_a_restore_that_was_killed_leaves_a_folder_that_nobody_serves() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("rooms.backup"));
    let relay = Process::start(&data).await;
    Device::join(&relay.address, "harbour", 1).await.save_name(1).await;
    ends_with(&["backup", text(&file), "--data", text(&data)], 0).await;
    assert_eq!(relay.terminate().await, Some(0));
    let into = folder.path().join("new");
    let mut restoring = program(&["restore", "-", "--data", text(&into)]);
    let mut restoring = restoring.stdin(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    // All but the end: it waits for that.
    let whole = fs::read(&file).unwrap();
    let mut pipe = restoring.stdin.take().unwrap();
    pipe.write_all(&whole[..whole.len() - 1]).await.unwrap();
    pipe.flush().await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !into.join("FORMAT").exists() {
        assert!(Instant::now() < deadline);
        // pace: between two looks at the folder
        sleep(Duration::from_millis(10)).await;
    }
    let held = ["serve", "--listen", "127.0.0.1:0", "--data", text(&into)];
    let code = outcome(&held).await.status.code();
    assert!(code == Some(7) || code == Some(14), "while it is restored: {code:?}");
    restoring.kill().await.unwrap();
    assert!(ends_with(&held, 14).await.contains("broken off"));
    let again = ["restore", text(&file), "--data", text(&into)];
    assert!(ends_with(&again, 14).await.contains("remove the folder"));
    fs::remove_dir_all(&into).unwrap();
    ends_with(&again, 0).await;
}
