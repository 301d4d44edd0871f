//! A disk that changes bits under a relay that is not looking: what is sound is served, what is not is mended.

use std::fs;
use std::path::Path;

use causeway_core::replica::Identity;
use causeway_core::wire::{Body, Message};

use crate::device::Device;
use crate::process::Process;

/// Changes one bit wherever these bytes lie in the file.
fn bend(file: &Path, bytes: &[u8]) {
    let mut content = fs::read(file).unwrap();
    let found: Vec<usize> =
        (0..content.len() - bytes.len()).filter(|at| content[*at..].starts_with(bytes)).collect();
    assert!(!found.is_empty(), "the bytes lie in the file");
    for at in found {
        content[at] ^= 1;
    }
    fs::write(file, content).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_16_a_bit_that_flipped_on_redb_costs_one_entry_until_its_author_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let args = ["--data", data.to_str().unwrap(), "--store", "redb"];
    let relay = Process::start_with(&args).await;
    let identity = Identity::from_secret(&[1; 32]);
    let mut author = Device::join_as(&relay.address, "harbour", identity.clone()).await;
    let mut written = Vec::new();
    for number in 0..5 {
        written.push(author.save_name(number).await);
    }
    let log = author.log.clone();
    assert_eq!(relay.terminate().await, Some(0));
    bend(&data.join("rows.redb"), written[2].payload());

    let relay = Process::start_with(&args).await;
    let mut reader = Device::join(&relay.address, "harbour", 2).await;
    reader.subscribe().await;
    let sound = reader.until_synced_unjudged().await;
    assert_eq!(sound, [&written[..2], &written[3..]].concat(), "what is sound is served");

    let mut author = Device::join_stream(&relay.address, "harbour", identity, author.stream, log).await;
    let asked = author
        .link
        .until(|message| match message {
            Message::Other(Body::Need(need)) => Some(need.clone()),
            _ => None,
        })
        .await;
    assert_eq!((asked.from, asked.to), (3, 3));
    author.send(vec![written[2].clone()]).await;
    let mended = reader
        .link
        .until(|message| match message {
            Message::Entries(entries) => Some(entries.clone()),
            _ => None,
        })
        .await;
    assert_eq!(mended, [written[2].clone()], "and what was not is mended");
    assert_eq!(relay.terminate().await, Some(0));
}
