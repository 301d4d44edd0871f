//! Devices that write, read and come back.

use std::time::Duration;

use causeway_core::ids::{RoomId, StreamId};
use causeway_core::log::{EntryKind, StreamLog};
use causeway_core::replica::Identity;
use causeway_core::wire::{Body, ErrorCode, Message, Need};

use tokio::time::timeout;

use crate::device::{Device, PATIENCE};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_reaches_the_others_with_the_same_bytes_and_its_author_hears_saved() {
    let server = Server::start().await;
    let mut reader = Device::join(&server.address, "pair", 1).await;
    reader.subscribe().await;
    reader.synced().await;
    let mut writer = Device::join(&server.address, "pair", 2).await;
    let entry = writer.save_name(7).await;
    reader.receive(1).await;
    assert_eq!(reader.received[0].bytes(), entry.bytes());
    assert_eq!(server.health().await["entries_saved"], 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_travels_without_a_document_being_built() {
    let server = Server::start().await;
    let mut writer = Device::join(&server.address, "text", 1).await;
    let stream = writer.first_document();
    (writer.stream, writer.log) = (stream, StreamLog::new(stream));
    let mut reader = Device::join_stream(
        &server.address,
        "text",
        Identity::from_secret(&[2; 32]),
        stream,
        StreamLog::new(stream),
    )
    .await;
    reader.subscribe().await;
    reader.synced().await;
    let mut sent = vec![writer.write(EntryKind::Create, &[])];
    sent.extend((0..50).map(|_| "word ").map(|word| writer.write_text(word)).collect::<Vec<_>>());
    writer.send(sent.clone()).await;
    writer.saved(51).await;
    reader.receive(51).await;
    assert_eq!(reader.received, sent);
    let health = server.health().await;
    assert_eq!((&health["materialised_documents"], &health["entries_saved"]), (&0.into(), &51.into()));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_8_a_newcomer_to_a_long_text_is_sent_its_snapshot_and_the_archive_has_every_entry() {
    let server = Server::start().await;
    let mut writer = Device::join(&server.address, "long", 1).await;
    let stream = writer.first_document();
    (writer.stream, writer.log) = (stream, StreamLog::new(stream));
    let mut sent = vec![writer.write(EntryKind::Create, &[])];
    sent.extend((0..600).map(|_| "word ").map(|word| writer.write_text(word)).collect::<Vec<_>>());
    writer.send(sent.clone()).await;
    writer.saved(601).await;
    server.until_health(|health| health["snapshots_made"] == 1).await;
    let health = server.health().await;
    assert_eq!((&health["materialised_documents"], &health["snapshots_failed"]), (&0.into(), &0.into()));
    assert!(health["snapshot_documents"].as_u64().is_some_and(|built| built > 0), "{health}");
    let identity = Identity::from_secret(&[2; 32]);
    let mut reader =
        Device::join_stream(&server.address, "long", identity, stream, StreamLog::new(stream)).await;
    reader.subscribe().await;
    let synced = reader.synced().await;
    assert_eq!(reader.received, [], "no entry is sent that the snapshot covers");
    assert_eq!(synced.entries, 601);
    server.until_health(|health| health["snapshots_sent"] == 1).await;
    let need = Need { stream, replica: writer.replica(), from: 1, to: 601 };
    reader.link.send(&need.into()).await;
    reader.receive(601).await;
    assert_eq!(reader.received, sent, "asked for by name, the same entries in the same order");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_asks_for_forty_long_texts_at_once_gets_them_all() {
    let server = Server::start().await;
    let mut writer = Device::join(&server.address, "shelf", 1).await;
    let streams: Vec<_> = (1..=40).map(|number| StreamId::ydoc([number; 16])).collect();
    let text = "x".repeat(200_000);
    for stream in &streams {
        (writer.stream, writer.log) = (*stream, StreamLog::new(*stream));
        let entries = vec![writer.write(EntryKind::Create, &[]), writer.write_text(&text)];
        writer.send(entries).await;
        writer.saved(2).await;
    }
    let mut reader = Device::join(&server.address, "shelf", 2).await;
    for stream in &streams {
        (reader.stream, reader.log) = (*stream, StreamLog::new(*stream));
        reader.subscribe().await;
    }
    let (mut entries, mut synced) = (0, 0);
    while synced < streams.len() {
        match reader.link.next().await {
            Message::Entries(some) => entries += some.len(),
            Message::Other(Body::Synced(_)) => synced += 1,
            Message::Other(_) => {}
        }
    }
    assert_eq!(entries, 2 * streams.len());
    assert_eq!(server.health().await["links_cut"], 0);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl17_in_a_busy_room_entries_that_come_one_by_one_go_together_and_all_of_them_arrive() {
    let server = Server::start().await;
    let mut reader = Device::join(&server.address, "busy", 1).await;
    reader.subscribe().await;
    reader.synced().await;
    let mut writer = Device::join(&server.address, "busy", 2).await;
    let (mut sent, mut arrived) = (0, 0);
    // pace: a room is busy where something comes every two milliseconds
    let mut pace = tokio::time::interval(Duration::from_millis(2));
    let gathered = async {
        loop {
            tokio::select! {
                _ = pace.tick() => {
                    sent += 1;
                    let entry = writer.write_name(sent);
                    writer.send(vec![entry]).await;
                }
                message = reader.link.next() => if let Message::Entries(entries) = message {
                    arrived += entries.len() as u64;
                    if entries.len() > 2 {
                        break;
                    }
                }
            }
        }
    };
    timeout(PATIENCE, gathered).await.expect("they go together");
    writer.saved(sent).await;
    while arrived < sent {
        if let Message::Entries(entries) = reader.link.next().await {
            arrived += entries.len() as u64;
        }
    }
    assert_eq!(server.health().await["entries_saved"], sent);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_do_not_hear_each_other() {
    let server = Server::start().await;
    let mut here = Device::join(&server.address, "here", 1).await;
    here.subscribe().await;
    here.synced().await;
    Device::join(&server.address, "there", 2).await.save_name(1).await;
    assert!(here.ping().await.is_empty());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_gets_only_what_is_missing() {
    let server = Server::start().await;
    let mut writer = Device::join(&server.address, "back", 1).await;
    for number in 0..5 {
        writer.save_name(number).await;
    }
    let mut reader = Device::join(&server.address, "back", 2).await;
    reader.subscribe().await;
    reader.synced().await;
    assert_eq!(reader.received.len(), 5);
    let log = reader.log;
    drop(reader.link);
    for number in 5..8 {
        writer.save_name(number).await;
    }
    let identity = Identity::from_secret(&[2; 32]);
    let mut reader = Device::join_stream(&server.address, "back", identity, StreamId::DIRECTORY, log).await;
    reader.subscribe().await;
    let synced = reader.synced().await;
    let seqs: Vec<u64> = reader.received.iter().map(|entry| entry.header().seq).collect();
    assert_eq!(seqs, [6, 7, 8]);
    assert_eq!(synced.digest, reader.log.digest(), "equal digests mean equal content");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_twice_is_answered_twice_and_kept_once() {
    let server = Server::start().await;
    let mut writer = Device::join(&server.address, "twice", 1).await;
    let entry = writer.save_name(1).await;
    writer.send(vec![entry.clone(), entry]).await;
    writer.saved(1).await;
    let mut reader = Device::join(&server.address, "twice", 2).await;
    reader.subscribe().await;
    reader.synced().await;
    assert_eq!(reader.received.len(), 1);
    assert_eq!(server.health().await["entries_saved"], 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_asked_for_and_then_everything_is_saved() {
    let server = Server::start().await;
    let mut writer = Device::join(&server.address, "gap", 1).await;
    let mut entries: Vec<_> = (0..3).map(|number| writer.write_name(number)).collect();
    writer.send(vec![entries.pop().unwrap()]).await;
    let replica = writer.replica();
    let need = writer
        .link
        .until(|message| match message {
            Message::Other(Body::Need(need)) => Some(need.clone()),
            Message::Other(Body::Saved(_)) => panic!("nothing behind a gap is saved"),
            _ => None,
        })
        .await;
    assert_eq!(need, Need { stream: StreamId::DIRECTORY, replica, from: 1, to: 2 });
    writer.send(entries).await;
    writer.saved(3).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_without_people_leaves_memory_and_is_whole_when_they_return() {
    let folder = tempfile::tempdir().unwrap();
    let storage = causeway_relay::Storage::folder(folder.path().join("rooms")).unwrap();
    let server = Server::with(storage).await;
    let mut writer = Device::join(&server.address, "empty", 1).await;
    let entry = writer.save_name(1).await;
    assert_eq!(server.health().await["rooms"], 1);
    drop(writer);
    server.until_health(|health| health["rooms"] == 0).await;
    let mut reader = Device::join(&server.address, "empty", 2).await;
    reader.subscribe().await;
    reader.synced().await;
    assert_eq!(reader.received, [entry]);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rl7_devices_that_are_left_at_the_end_are_told_to_come_back_at_different_moments() {
    let server = Server::start().await;
    let mut devices = Vec::new();
    for number in 0..20 {
        let mut device = Device::join(&server.address, "end", number).await;
        device.save_name(u64::from(number)).await;
        devices.push(device);
    }
    let stopping = tokio::spawn(server.stop());
    let mut moments = Vec::new();
    for mut device in devices {
        let away = |message: &Message| match message {
            Message::Other(Body::GoAway(away)) => Some(away.after.0),
            _ => None,
        };
        moments.push(device.link.until(away).await);
        assert_eq!(device.link.end().await.close, Some(ErrorCode::GoingAway as u16));
    }
    moments.sort_unstable();
    assert!(moments.last().unwrap() - moments[0] > 1_000 && moments[19] < 3_000, "{moments:?}");
    moments.dedup();
    assert!(moments.len() > 10, "they do not come back all at once: {moments:?}");
    stopping.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_come_and_go_at_once_and_a_room_is_never_open_twice() {
    let server = Server::start().await;
    let mut people = Vec::new();
    for person in 0..40u8 {
        let address = server.address.clone();
        people.push(tokio::spawn(async move {
            for visit in 0..5 {
                let mut secret = [person; 32];
                secret[0] = visit;
                let mut device = Device::join_as(&address, "hall", Identity::from_secret(&secret)).await;
                device.save_name(u64::from(person)).await;
            }
        }));
    }
    for person in people {
        person.await.unwrap();
    }
    let mut reader = Device::join(&server.address, "hall", 255).await;
    reader.subscribe().await;
    let synced = reader.synced().await;
    assert_eq!(reader.received.len(), 200);
    assert_eq!(synced.digest, reader.log.digest());
    assert!("hall".parse::<RoomId>().is_ok());
    server.stop().await.unwrap();
}
