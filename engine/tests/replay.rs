//! Real input: a whole recorded paper, typed on one device and read on another, through the real relay.
#![allow(clippy::unwrap_used)]

#[path = "../examples/replay/recording.rs"]
mod recording;

use std::time::{Duration, Instant};

use causeway::{Engine, EngineConfig, Text};
use futures_util::StreamExt;
use recording::{Recording, Wide};
use tokio::net::TcpListener;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_paper_typed_on_one_device_arrives_at_another() {
    let Ok(recording) = Recording::open("automerge-paper") else {
        println!("SKIPPED (no ../shared/data): {}", recording::folder().display());
        return;
    };
    let end = recording.end_content.clone();
    let patches = recording.patches();
    assert_eq!(patches.len(), 259_778);

    let kept = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let storage = causeway_relay::Storage::folder(kept.path().into()).unwrap();
    let options = causeway_relay::Options::default();
    let relay = tokio::spawn(causeway_relay::run(listener, storage, options, std::future::pending()));

    let (writer, reader) = (device(&url), device(&url));
    let (writing, reading) = (opened(&writer).await, opened(&reader).await);
    let started = Instant::now();
    for patch in &patches {
        let typed = writing.edit(|text| {
            text.delete(patch.at, patch.deleted)?;
            text.insert(patch.at, &patch.inserted)
        });
        typed.unwrap();
    }
    let typed = started.elapsed();
    assert!(writing.read().unwrap() == end, "the writer has what was recorded");
    let mut changes = reading.changes();
    let arrived = timeout(PATIENCE, async {
        while changes.next().await.is_some() {
            if reading.len().unwrap() as usize == end.len() && reading.read().unwrap() == end {
                return;
            }
        }
    });
    arrived.await.expect("the paper arrives whole within the deadline");
    println!("typed in {typed:.1?}, read whole on the other device after {:.1?}", started.elapsed());
    relay.abort();
}

#[test]
fn positions_counted_in_characters_become_utf16_units() {
    let mut wide = Wide::default();
    let mut units: Vec<u16> = Vec::new();
    let mut chars: Vec<char> = Vec::new();
    let keystrokes = [(0, 0, "a🐚b🐚c"), (2, 0, "é🌊"), (1, 1, ""), (5, 1, "🐚🐚"), (0, 3, "x"), (4, 1, "")];
    for (at, deleted, inserted) in keystrokes {
        chars.splice(at..at + deleted, inserted.chars());
        let patch = wide.convert(at as u32, deleted as u32, inserted.into(), 0);
        let (from, to) = (patch.at as usize, (patch.at + patch.deleted) as usize);
        units.splice(from..to, patch.inserted.encode_utf16());
        assert_eq!(String::from_utf16(&units).unwrap(), chars.iter().collect::<String>());
    }
}

fn device(url: &str) -> Engine {
    Engine::open(EngineConfig { relay: Some(url.parse().unwrap()), ..EngineConfig::default() }).unwrap()
}

async fn opened(engine: &Engine) -> Text {
    let text = engine.room("paper").unwrap().first_text();
    text.ready().await.unwrap();
    text.synced().await;
    text
}

/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
