//! A relay that cannot start says why in one sentence, with an exit code of its own, and has touched nothing.

use std::path::Path;

use tokio::net::TcpListener;

use crate::device::Device;
use crate::disk::Disk;
use crate::process::{Process, ended, outcome, program};

/// Runs `serve` with these arguments and expects it to refuse.
async fn refuses(args: &[&str], code: i32) -> String {
    let output = outcome(&[&["serve"], args].concat()).await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(output.stdout.is_empty());
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.trim_end().ends_with('.'), "{told}");
    told
}

fn listing(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_taken_port_is_named_and_no_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = refuses(&["--listen", &address, "--data", data.to_str().unwrap()], 5).await;
    assert!(told.contains(&address), "{told}");
    assert!(!data.exists());
}

#[tokio::test]
async fn a_folder_in_use_is_left_to_its_user() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Process::start(folder.path()).await;
    let data = folder.path().to_str().unwrap();
    let told = refuses(&["--listen", "127.0.0.1:0", "--data", data], 7).await;
    assert!(told.contains("in use"), "{told}");
    assert_eq!(relay.terminate().await, Some(0), "the first is none the worse");
}

#[tokio::test]
async fn a_folder_of_a_newer_version_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let format = "causeway store, sled, format 4242\n";
    std::fs::write(folder.path().join("FORMAT"), format).unwrap();
    let data = folder.path().to_str().unwrap();
    let told = refuses(&["--listen", "127.0.0.1:0", "--data", data], 9).await;
    assert!(told.contains("4242"), "{told}");
    assert_eq!(listing(folder.path()), ["FORMAT"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("FORMAT")).unwrap(), format);
}

#[tokio::test]
async fn a_folder_of_the_other_store_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let relay = Process::start_with(&["--data", data, "--store", "redb"]).await;
    assert_eq!(relay.terminate().await, Some(0));
    let told = refuses(&["--listen", "127.0.0.1:0", "--data", data, "--store", "sled"], 13).await;
    assert!(told.contains("ask for redb"), "{told}");
    let again = Process::start_with(&["--data", data]).await;
    assert_eq!(again.terminate().await, Some(0), "the folder is none the worse");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    refuses(&["--listen", "127.0.0.1:0", "--data", file.to_str().unwrap()], 8).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let Some(disk) = Disk::mount("ro,size=1m") else { return };
    let data = disk.path().join("data");
    let told = refuses(&["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()], 8).await;
    assert!(told.contains("not writable"), "{told}");
}

#[tokio::test]
async fn beyond_this_machine_it_listens_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let told = refuses(&["--listen", "0.0.0.0:0", "--data", data.to_str().unwrap()], 4).await;
    assert!(told.contains("--open-to-anyone"), "{told}");
    assert!(!data.exists());
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("relay.toml");
    let told = refuses(&["--config", config.to_str().unwrap()], 3).await;
    assert!(told.contains("relay.toml"), "{told}");
    std::fs::write(&config, "memory = true\nlisten = 8787\n").unwrap();
    let told = refuses(&["--config", config.to_str().unwrap()], 3).await;
    assert!(told.contains("line 2"), "{told}");
    std::fs::write(&config, "listen = \"localhost\"\n").unwrap();
    let told = refuses(&["--config", config.to_str().unwrap()], 3).await;
    assert!(told.contains("line 1") && told.contains("127.0.0.1:8787"), "{told}");
}

#[tokio::test]
async fn flags_are_stronger_than_the_environment_and_that_is_stronger_than_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("relay.toml");
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    std::fs::write(&config, format!("memory = true\nlisten = \"{address}\"\n")).unwrap();
    let file = ["serve", "--config", config.to_str().unwrap()];
    let beyond = ("CAUSEWAY_LISTEN", "0.0.0.0:0");
    let code = |output: std::process::Output| output.status.code();
    assert_eq!(code(ended(&mut program(&file)).await), Some(5), "the file names a port that is taken");
    assert_eq!(code(ended(program(&file).envs([beyond])).await), Some(4), "the environment goes beyond");
    let flag = [&file[..], &["--listen", &address]].concat();
    assert_eq!(code(ended(program(&flag).envs([beyond])).await), Some(5), "the flag comes back");
}

#[tokio::test]
async fn the_help_of_each_command_lists_its_exit_codes() {
    let mut listed = Vec::new();
    for command in ["serve", "backup", "restore", "quarantine"] {
        let help = String::from_utf8(outcome(&[command, "--help"]).await.stdout).unwrap();
        let codes = (0..=21)
            .filter(|code| help.lines().any(|line| line.trim_start().starts_with(&format!("{code}  "))));
        let codes: Vec<u8> = codes.collect();
        let listens = [4, 5, 6, 21].map(|code| codes.contains(&code));
        assert_eq!(listens, [command == "serve"; 4], "{command}: {codes:?}");
        listed.extend(codes);
    }
    assert!((0..=21).all(|code| listed.contains(&code)), "{listed:?}");
}

/// Somebody's data folder is lost and the relay begun anew under the same address: devices that believe all is saved there must
/// see that it is another store.
#[tokio::test(flavor = "multi_thread")]
async fn rule_10_a_store_that_begins_is_in_an_epoch_of_its_own_and_stays_in_it() {
    for store in ["redb", "sled"] {
        let mut met = Vec::new();
        for _ in 0..2 {
            let folder = tempfile::tempdir().unwrap();
            let serve = ["--data", folder.path().to_str().unwrap(), "--store", store];
            let mut epochs = Vec::new();
            for _ in 0..2 {
                let relay = Process::start_with(&serve).await;
                let mut author = Device::join(&relay.address, "harbour", 1).await;
                author.save_name(1).await;
                epochs.push(author.epoch);
                relay.kill().await;
            }
            assert_eq!(epochs[0], epochs[1], "{store}: the same folder");
            met.push(epochs[0]);
        }
        assert!(met[0] > 1 && met[0] != met[1], "{store}: {met:?}");
    }
}
