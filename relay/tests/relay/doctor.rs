//! RL14: what the doctor says of a data folder, and what becomes of one that no relay opens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use causeway_core::ids::StreamId;
use causeway_core::log::{Entry, EntryKind};
use causeway_core::replica::Identity;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::device::{Device, PATIENCE};
#[cfg(unix)]
use crate::process::interrupt;
use crate::process::{Process, outcome, program};

/// Runs the program and expects it to end with this code; answers what it told.
async fn told(args: &[&str], code: i32) -> String {
    let output = outcome(args).await;
    let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
    told
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn database(data: &Path, store: &str) -> PathBuf {
    data.join(if store == "sled" { "sled/db" } else { "rows.redb" })
}

/// Three rooms with names and a document each, of a relay that has stopped.
async fn written(data: &Path, store: &str) -> Vec<(String, Vec<Entry>, Vec<Entry>)> {
    let relay = Process::start_with(&["--data", text(data), "--store", store]).await;
    let mut rooms = Vec::new();
    for number in 0..3u8 {
        let room = format!("room-{number}");
        let identity = Identity::from_secret(&[number + 1; 32]);
        let mut author = Device::join_as(&relay.address, &room, identity.clone()).await;
        let mut names = Vec::new();
        for name in 0..30 {
            names.push(author.save_name(name).await);
        }
        let stream = StreamId::ydoc([number; 16]);
        let log = causeway_core::log::StreamLog::new(stream);
        let mut author = Device::join_stream(&relay.address, &room, identity, stream, log).await;
        let mut words = vec![author.write(EntryKind::Create, &[])];
        words.extend((0..40).map(|word| author.write_text(&format!("word {word} of a text "))));
        author.send(words.clone()).await;
        author.saved(words.len() as u64).await;
        rooms.push((room, names, words));
    }
    assert_eq!(relay.terminate().await, Some(0));
    rooms
}

/// What a new device is sent of a stream.
async fn held(address: &str, room: &str, stream: StreamId) -> Vec<Entry> {
    let identity = Identity::from_secret(&[99; 32]);
    let log = causeway_core::log::StreamLog::new(stream);
    let mut reader = Device::join_stream(address, room, identity, stream, log).await;
    reader.subscribe().await;
    let synced = reader.synced().await;
    assert_eq!(synced.digest, reader.log.digest(), "what the relay says it holds is what it sends");
    reader.received
}

/// Salvages a damaged folder, serves what came of it, and answers how many entries are there, and how many are named as lost.
/// None is anything but what was written, and none follows a gap.
async fn salvaged(data: &Path, store: &str, rooms: &[(String, Vec<Entry>, Vec<Entry>)]) -> (usize, usize) {
    let (file, into) = (data.with_extension("salvaged"), data.with_extension("restored"));
    let said = told(&["doctor", "--data", text(data), "--salvage", text(&file)], 1).await;
    assert!(said.contains("WRONG"), "{said}");
    told(&["restore", text(&file), "--data", text(&into), "--store", store], 0).await;
    told(&["doctor", "--data", text(&into)], 0).await;
    let relay = Process::start_with(&["--data", text(&into), "--store", store]).await;
    let mut count = 0;
    for (number, (room, names, words)) in rooms.iter().enumerate() {
        let directory = held(&relay.address, room, StreamId::DIRECTORY).await;
        let document = held(&relay.address, room, StreamId::ydoc([number as u8; 16])).await;
        assert!(names.starts_with(&directory) && words.starts_with(&document), "{room}");
        count += directory.len() + document.len();
    }
    assert_eq!(relay.terminate().await, Some(0));
    fs::remove_dir_all(into).unwrap();
    fs::remove_file(file).unwrap();
    (count, named(&said))
}

/// How many entries the doctor names as lost.
fn named(said: &str) -> usize {
    let lost = said.lines().filter_map(|line| line.split_once(" the entries ")?.1.split_once(" to "));
    lost.map(|(from, to)| to.parse::<usize>().unwrap() + 1 - from.parse::<usize>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn rl14_a_sound_folder_is_called_sound_and_one_in_use_is_left_alone() {
    for store in ["sled", "redb"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        written(&data, store).await;
        let said = told(&["doctor", "--data", text(&data)], 0).await;
        assert!(said.contains("3 of 3 rooms are whole") && !said.contains("WRONG"), "{said}");
        let relay = Process::start_with(&["--data", text(&data), "--store", store]).await;
        assert!(told(&["doctor", "--data", text(&data)], 2).await.contains("stop the relay"));
        assert_eq!(relay.terminate().await, Some(0));
        let nowhere = folder.path().join("nowhere");
        assert!(told(&["doctor", "--data", text(&nowhere)], 2).await.contains("no store"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rl14_of_a_log_of_sleds_that_is_cut_in_two_almost_everything_is_salvaged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let rooms = written(&data, "sled").await;
    let log = database(&data, "sled");
    let whole = fs::read(&log).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let all = 3 * (30 + 41);
    for at in [used / 5, used / 3, used / 2, used - 2_000] {
        let mut bent = whole.clone();
        bent[at] ^= 0x55;
        fs::write(&log, bent).unwrap();
        let refused = outcome(&["serve", "--listen", "127.0.0.1:0", "--data", text(&data)]).await;
        assert_eq!(refused.status.code(), Some(10), "byte {at}");
        // What opening it has cut off of the log is restored for the doctor, who never opens the original.
        let mut bent = whole.clone();
        bent[at] ^= 0x55;
        fs::write(&log, bent).unwrap();
        let (count, named) = salvaged(&data, "sled", &rooms).await;
        assert_eq!(count + named, all, "byte {at}: what is not there is named");
        // One entry, and what its author has built on it.
        assert!(named <= 41, "byte {at}: {named} of {all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rl14_of_a_file_of_redbs_without_its_first_pages_everything_is_salvaged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let rooms = written(&data, "redb").await;
    let file = database(&data, "redb");
    let mut bytes = fs::read(&file).unwrap();
    bytes[..4096].fill(0);
    fs::write(&file, bytes).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data", text(&data), "--store", "redb"];
    assert_eq!(outcome(&serve).await.status.code(), Some(10));
    assert_eq!(salvaged(&data, "redb", &rooms).await, (3 * (30 + 41), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn rl14_what_is_salvaged_to_stdout_is_a_backup_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    written(&data, "sled").await;
    let output = outcome(&["doctor", "--data", text(&data), "--salvage", "-"]).await;
    assert_eq!(output.status.code(), Some(0));
    let (file, into) = (folder.path().join("backup"), folder.path().join("restored"));
    fs::write(&file, output.stdout).unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("3 of 3 rooms are whole"));
    told(&["restore", text(&file), "--data", text(&into)], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rl14_whoever_stops_listening_to_the_doctor_has_the_rooms_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
    written(&data, "sled").await;
    let mut doctor = std::process::Command::new(env!("CARGO_BIN_EXE_causeway-relay"))
        .args(["doctor", "--data", text(&data), "--salvage", text(&file)])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(doctor.stdout.take());
    assert_eq!(doctor.wait().unwrap().code(), Some(0));
    told(&["backup", "--check", text(&file)], 0).await;
    let missing = folder.path().join("missing");
    let said = told(&["doctor", "--data", text(&data), "--scratch", text(&missing)], 2).await;
    assert!(said.contains("--scratch") && !said.contains("start the relay"), "{said}");
}

/// Text that cannot be deflated much.
fn noise(seed: u64) -> String {
    let mut state = seed;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:08x}", state >> 32)
    };
    (0..128).map(|_| word()).collect()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn rl14_a_doctor_that_is_told_to_stop_takes_its_copy_away() {
    let folder = tempfile::tempdir().unwrap();
    let (data, scratch) = (folder.path().join("data"), folder.path().join("scratch"));
    let relay = Process::start(&data).await;
    let stream = StreamId::ydoc([1; 16]);
    let log = causeway_core::log::StreamLog::new(stream);
    let identity = Identity::from_secret(&[1; 32]);
    let mut author = Device::join_stream(&relay.address, "harbour", identity, stream, log).await;
    let mut words = vec![author.write(EntryKind::Create, &[])];
    words.extend((0..400).map(|seed| author.write_text(&noise(seed))));
    let last = words.len() as u64;
    author.send(words).await;
    author.saved(last).await;
    assert_eq!(relay.terminate().await, Some(0));
    fs::create_dir(&scratch).unwrap();
    // Nobody reads what it salvages, so it waits in the middle of that.
    let args = ["doctor", "--data", text(&data), "--scratch", text(&scratch), "--salvage", "-"];
    let mut command = program(&args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = timeout(PATIENCE, said.next_line()).await.expect("it begins").unwrap().expect("it says so");
    assert!(line.starts_with("a copy of the database is made in"), "{line}");
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 1);
    interrupt(&child);
    let ended = timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap();
    assert_eq!(ended.code(), Some(2));
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "nothing is left behind");
    told(&["doctor", "--data", text(&data)], 0).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn rl14_a_doctor_to_whom_nobody_listens_can_be_stopped_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, scratch) = (folder.path().join("data"), folder.path().join("scratch"));
    let saved = folder.path().join("saved");
    assert_eq!(Process::start(&data).await.terminate().await, Some(0));
    fs::create_dir(&scratch).unwrap();
    fs::create_dir(&saved).unwrap();
    // As much as a pipe holds: whoever says one word more waits.
    let (_reader, mut writer) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut writer, &[b'.'; 65_536]).unwrap();
    let file = saved.join("rooms.backup");
    let args = ["doctor", "--data", text(&data), "--scratch", text(&scratch), "--salvage", text(&file)];
    let mut child = program(&args).stderr(writer).kill_on_drop(true).spawn().unwrap();
    let made = async {
        while fs::read_dir(&scratch).unwrap().count() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, made).await.expect("it begins");
    assert_eq!(fs::read_dir(&saved).unwrap().count(), 1, "it writes beside the name");
    interrupt(&child);
    let ended = timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap();
    assert_eq!(ended.code(), Some(2));
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "the copy is gone");
    assert_eq!(fs::read_dir(&saved).unwrap().count(), 0, "and what was begun to be salvaged");
}
