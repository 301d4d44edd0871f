//! Clients that are slow, silent, half gone or too many, and what they cost the others: nothing.

use std::time::Duration;

use causeway_core::log::{EntryKind, StreamLog};
use causeway_core::wire::ErrorCode;
use causeway_relay::{Bounds, Storage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::device::{Device, Link, PATIENCE, hello};
use crate::server::{Server, get, metric, metrics};

/// Reads to the end of a socket; a reset is an end too.
async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the relay ends it");
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn rl10_two_hundred_half_handshakes_hold_nobody_up_and_are_let_go() {
    let bounds = Bounds { head_patience: Duration::from_millis(500), ..Bounds::default() };
    let server = Server::bounded(Storage::memory(), bounds).await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(b"GET /sync/slow HTTP/1.1\r\nHost: relay\r\nConnection: upgr").await.unwrap();
        slow.push(stream);
    }
    let mut device = Device::join(&server.address, "quick", 1).await;
    device.save_name(1).await;
    for stream in slow {
        rest(stream).await;
    }
    // It did not open a room for any of them.
    assert_eq!(server.health().await["rooms"], 1);
    device.save_name(2).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl10_a_link_that_answers_no_ping_is_taken_for_dead() {
    let bounds = Bounds {
        ping_every: Duration::from_millis(100),
        half_open_after: Duration::from_millis(600),
        ..Bounds::default()
    };
    let server = Server::bounded(Storage::memory(), bounds).await;
    // One that is there and reads, and so answers pings by itself.
    let mut alive = Device::join(&server.address, "half-open", 1).await;
    let mut dead = Device::join(&server.address, "half-open", 2).await;
    dead.ping().await;
    let staying = tokio::spawn(async move {
        alive.subscribe().await;
        alive.synced().await;
        // Nothing more is said; the socket is read all the while.
        alive.link.until(|_| None::<()>).await;
    });
    // The other one is not read, so nothing answers for it.
    server.until_health(|health| health["connections"] == 1).await;
    // Some half-open spans later the first is still there.
    for _ in 0..3 {
        let _ = timeout(bounds.half_open_after, std::future::pending::<()>()).await;
        assert_eq!(server.health().await["connections"], 1);
    }
    staying.abort();
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl10_a_link_that_takes_nothing_is_cut_and_costs_the_writer_nothing() {
    let bounds = Bounds {
        stuck_after: Duration::from_millis(300),
        // A ping is a write that sticks.
        ping_every: Duration::from_millis(100),
        ..Bounds::default()
    };
    let server = Server::bounded(Storage::memory(), bounds).await;
    let mut writer = Device::join(&server.address, "stuck", 1).await;
    let stream = writer.first_document();
    (writer.stream, writer.log) = (stream, StreamLog::new(stream));
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let mut stuck = Link::open_with(socket, &server.address, "stuck").await;
    stuck.send(&hello(&"stuck".parse().unwrap(), causeway_core::wire::VERSION)).await;
    let subscribe =
        causeway_core::wire::Subscribe { stream, question: 1, digest: writer.log.digest(), newest_but: None };
    stuck.send(&subscribe.into()).await;
    let create = writer.write(EntryKind::Create, &[]);
    writer.send(vec![create]).await;
    let text = "x".repeat(192 << 10);
    // More than the system keeps for a socket (at most 4 MiB) and the relay for a link together.
    for piece in 1..=40 {
        let entry = writer.write_text(&text);
        writer.send(vec![entry]).await;
        writer.saved(piece + 1).await;
    }
    server.until_health(|health| health["connections"] == 1).await;
    writer.ping().await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl11_a_full_relay_says_so() {
    let bounds = Bounds { links: 2, rooms: 1, ..Bounds::default() };
    let server = Server::bounded(Storage::memory(), bounds).await;
    let first = Device::join(&server.address, "one", 1).await;
    let mut other_room = Link::open(&server.address, "two").await;
    assert!(other_room.ends_with(ErrorCode::Full).await.contains("rooms"));
    let second = Device::join(&server.address, "one", 2).await;
    let mut third = Link::open(&server.address, "one").await;
    assert!(third.ends_with(ErrorCode::Full).await.contains("links"));
    assert_eq!(metric(&metrics(&server.address).await, "causeway_links_refused_total"), Some(2.0));
    drop(first);
    server.until_health(|health| health["connections"] == 1).await;
    Device::join(&server.address, "one", 3).await.save_name(1).await;
    drop(second);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl11_sockets_beyond_all_places_are_told_before_they_speak() {
    let server = Server::bounded(Storage::memory(), Bounds { links: 0, ..Bounds::default() }).await;
    let mut held = Vec::new();
    // A thousand sockets beside the links may be open at once.
    for _ in 0..1_000 {
        held.push(TcpStream::connect(&server.address).await.unwrap());
    }
    let turned_away = rest(TcpStream::connect(&server.address).await.unwrap()).await;
    let told = String::from_utf8(turned_away).unwrap();
    assert!(
        told.starts_with("HTTP/1.1 503") && told.ends_with("The relay is full; try again in a moment.\n"),
        "{told}"
    );
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{told}");
    drop(held);
    let deadline = std::time::Instant::now() + PATIENCE;
    while !get(&server.address, "/readyz", &[]).await.starts_with("HTTP/1.1 200") {
        assert!(std::time::Instant::now() < deadline, "places are given back");
    }
    server.stop().await.unwrap();
}
