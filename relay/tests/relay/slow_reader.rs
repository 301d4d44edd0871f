//! Somebody on a train.

use causeway_core::log::{EntryKind, StreamLog};
use causeway_core::replica::Identity;
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

    slow.receive(pieces + 1).await;
    assert_eq!(slow.log.digest(), writer.log.digest());
    // And it is live again.
    let entry = writer.write_text("now");
    writer.send(vec![entry]).await;
    slow.receive(pieces + 2).await;
    server.stop().await.unwrap();
}
