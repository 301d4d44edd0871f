//! Relays that keep history for a while only.

use std::time::Duration;

use causeway_core::ids::StreamId;
use causeway_core::log::{EntryKind, EntryName, StreamLog};
use causeway_core::replica::Identity;
use causeway_core::wire::{Body, Lost, Message, Need};
use causeway_relay::{Bounds, Storage};
use causeway_store::StoreKind;

use crate::device::Device;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_a_room_that_nobody_opens_lets_go_of_history_that_is_too_old() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        let storage = || Storage::folder_of(kind, folder.path().into()).unwrap();
        let server = Server::with(storage()).await;
        let mut writer = Device::join(&server.address, "long", 1).await;
        let stream = writer.first_document();
        (writer.stream, writer.log) = (stream, StreamLog::new(stream));
        let mut sent = vec![writer.write(EntryKind::Create, &[])];
        sent.extend((0..600).map(|_| writer.write_text("word ")));
        writer.send(sent).await;
        writer.saved(601).await;
        server.until_health(|health| health["snapshots_made"] == 1).await;
        server.stop().await.unwrap();
        let keep_history = Some(Duration::from_millis(1));
        let server = Server::bounded(storage(), Bounds { keep_history, ..Bounds::default() }).await;
        server.until_health(|health| health["segments_expired"].as_u64() > Some(0)).await;
        let name = EntryName { replica: writer.replica(), seq: 1 };
        expect_gone(&server, stream, name).await;
        server.stop().await.unwrap();
    }
}

/// Somebody asks for all by name, and hears from the first on that it is gone.
async fn expect_gone(server: &Server, stream: StreamId, name: EntryName) {
    let identity = Identity::from_secret(&[2; 32]);
    let mut reader =
        Device::join_stream(&server.address, "long", identity, stream, StreamLog::new(stream)).await;
    reader.subscribe().await;
    let synced = reader.synced().await;
    assert_eq!((reader.received.len(), synced.entries), (0, 601), "the snapshot has what they made");
    let EntryName { replica, seq } = name;
    reader.link.send(&Need { stream, replica, from: seq, to: 601 }.into()).await;
    let told = reader
        .link
        .until(|message| match message {
            Message::Other(Body::Lost(lost)) => Some(*lost),
            _ => None,
        })
        .await;
    assert_eq!(told, Lost::expired(stream, name));
}
