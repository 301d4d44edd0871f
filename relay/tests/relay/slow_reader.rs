//! Somebody on a train.

use causeway_core::ids::ReplicaId;
use causeway_core::log::{EntryKind, StreamLog, Verdict};
use causeway_core::replica::Identity;
use causeway_core::wire::{Body, Message, Need};
use tokio::net::TcpSocket;

use crate::device::{Device, Link, hello};
use crate::server::Server;

/// More than the system keeps for a socket (at most 4 MiB to send) and the relay for a link (256 KiB) together.
const WRITTEN: usize = 12 << 20;
const PIECE: usize = 192 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_is_left_behind_costs_nobody_and_catches_up() {
    let server = Server::start().await;
    let mut writer = Device::join(&server.address, "train", 1).await;
    let stream = writer.first_document();
    (writer.stream, writer.log) = (stream, StreamLog::new(stream));

    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let mut slow = Device::join(&server.address, "train", 2).await;
    slow.link = Link::open_with(socket, &server.address, "train").await;
    slow.link.send(&hello(&"train".parse().unwrap(), causeway_core::wire::VERSION)).await;
    (slow.stream, slow.log) = (stream, StreamLog::new(stream));
    slow.subscribe().await;
    slow.synced().await;
    let quick = Identity::from_secret(&[3; 32]);
    let log = StreamLog::new(stream);
    let mut quick = Device::join_stream(&server.address, "train", quick, stream, log).await;
    quick.subscribe().await;
    quick.synced().await;

    let create = writer.write(EntryKind::Create, &[]);
    writer.send(vec![create]).await;
    let text = "x".repeat(PIECE);
    let pieces = WRITTEN / PIECE;
    for piece in 1..=pieces {
        let entry = writer.write_text(&text);
        writer.send(vec![entry]).await;
        writer.saved(piece as u64 + 1).await;
        quick.receive(piece + 1).await;
    }
    let health = server.health().await;
    assert!(health["links_behind"].as_u64().unwrap() >= 1, "{health}");
    assert_eq!(health["links_cut"], 0, "it is left behind, not thrown out");

    catch_up(&mut slow, writer.replica(), pieces + 1).await;
    assert_eq!(slow.log.digest(), writer.log.digest());
    // And it is live again.
    let entry = writer.write_text("now");
    writer.send(vec![entry]).await;
    catch_up(&mut slow, writer.replica(), pieces + 2).await;
    server.stop().await.unwrap();
}

/// Takes entries until the chain is so long. A relay that had a quiet moment meanwhile may have made a snapshot and send that in
/// their place; what it covers is then asked for by name.
async fn catch_up(slow: &mut Device, replica: ReplicaId, length: usize) {
    let (to, mut parked, mut has_asked) = (length as u64, Vec::new(), false);
    while slow.log.tip(&replica).seq < to {
        match slow.link.next().await {
            Message::Entries(entries) => parked.extend(entries),
            Message::Other(Body::Chunk(_)) if !has_asked => {
                has_asked = true;
                let from = slow.log.tip(&replica).seq + 1;
                slow.link.send(&Need { stream: slow.stream, replica, from, to }.into()).await;
            }
            Message::Other(_) => {}
        }
        parked.retain(|entry| match slow.log.judge(entry) {
            Verdict::Fresh(accepted) => {
                slow.log.extend(entry, accepted);
                false
            }
            Verdict::Known => false,
            Verdict::Waits(_) if has_asked => true,
            verdict => panic!("the relay forwards only what can be applied: {entry:?} {verdict:?}"),
        });
    }
}
