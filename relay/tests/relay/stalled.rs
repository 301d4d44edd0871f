//! A thousand readers that stop reading.

use std::time::{Duration, Instant};

use causeway_core::log::{Digest, EntryKind, StreamLog};
use causeway_core::replica::Identity;
use causeway_core::wire::{Subscribe, VERSION};
use tokio::net::TcpSocket;

use crate::device::{Device, Link, hello};
use crate::process::Process;
use crate::server::{metric, metrics};

const READERS: usize = 1_000;
/// So much is written in all; every reader would have to take it.
const PIECES: usize = 60;
const PIECE: usize = 40 << 10;
/// What one stalled link may cost.
const LINK_BYTES: f64 = (512 << 10) as f64;

#[tokio::test(flavor = "multi_thread")]
async fn rl8_a_thousand_stalled_readers_cost_a_bounded_amount_of_memory() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Process::start(folder.path()).await;
    let address = relay.address.clone();
    let mut writer = Device::join(&address, "stalled", 1).await;
    let stream = writer.first_document();
    (writer.stream, writer.log) = (stream, StreamLog::new(stream));
    let create = writer.write(EntryKind::Create, &[]);
    writer.send(vec![create]).await;
    let log = StreamLog::new(stream);
    let mut quick =
        Device::join_stream(&address, "stalled", Identity::from_secret(&[2; 32]), stream, log).await;
    quick.subscribe().await;
    let alone = write(&mut writer, &mut quick, 0).await;
    let mut stalled = Vec::new();
    for _ in 0..READERS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 << 10).unwrap();
        let mut link = Link::open_with(socket, &address, "stalled").await;
        link.send(&hello(&"stalled".parse().unwrap(), VERSION)).await;
        let digest = Digest::NOTHING;
        link.send(&Subscribe { stream, question: 1, digest, newest_but: None }.into()).await;
        stalled.push(link);
    }
    let Some(before) = resident(&address).await else { return };
    // They fill up first, and then are left behind.
    write(&mut writer, &mut quick, 1).await;
    let beside = write(&mut writer, &mut quick, 2).await;
    let after = resident(&address).await.unwrap();
    let each = (after - before) / READERS as f64;
    println!(
        "{READERS} stalled readers: {:.0} KiB each, {:.0} MiB in all; to another reader p99 {:?} alone, {:?} beside them",
        each / 1024.0,
        after / 1024.0 / 1024.0,
        alone,
        beside
    );
    assert!(each <= LINK_BYTES, "{each} bytes for each");
    assert_eq!(metric(&metrics(&address).await, "causeway_connections"), Some(READERS as f64 + 2.0));
    drop(stalled);
    assert_eq!(relay.terminate().await, Some(0));
}

/// Writes on until the other reader has everything; the time from one to the other, p99.
async fn write(writer: &mut Device, quick: &mut Device, round: usize) -> Duration {
    let text = "x".repeat(PIECE);
    let mut spans = Vec::new();
    for piece in 0..PIECES {
        let entry = writer.write_text(&text);
        let began = Instant::now();
        writer.send(vec![entry]).await;
        quick.receive(round * PIECES + piece + 2).await;
        spans.push(began.elapsed());
        writer.saved((round * PIECES + piece) as u64 + 2).await;
    }
    spans.sort();
    spans[PIECES * 99 / 100]
}

async fn resident(address: &str) -> Option<f64> {
    metric(&metrics(address).await, "process_resident_memory_bytes")
}
