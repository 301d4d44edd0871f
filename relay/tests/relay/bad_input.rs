//! What breaks the rules: its sender hears why, nobody else notices.

use bytes::Bytes;
use causeway_core::ids::RoomId;
use causeway_core::limits::FRAME_BYTES;
use causeway_core::log::{EntryKind, StreamLog};
use causeway_core::replica::Identity;
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, ErrorCode, Message, Ping, Refused, VERSION};
use tokio_tungstenite::tungstenite;

use crate::device::{Device, Link, hello};
use crate::server::Server;

/// Someone who must notice nothing.
struct Bystander {
    server: Server,
    device: Device,
}

impl Bystander {
    async fn in_room(room: &str) -> Self {
        let server = Server::start().await;
        let mut device = Device::join(&server.address, room, 9).await;
        device.subscribe().await;
        device.synced().await;
        Self { server, device }
    }

    async fn noticed_nothing(mut self) {
        assert!(self.device.ping().await.is_empty());
        self.device.save_name(99).await;
        self.server.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_frame_end_only_their_own_link() {
    let bystander = Bystander::in_room("frames").await;
    let too_long = [&[1u8][..], &[0xff, 0xff, 0xff, 0x7f]].concat();
    let hostile: [(&str, Vec<u8>); 4] = [
        ("a hello of nonsense", vec![1, 3, 0xff, 0xff, 0xff]),
        ("half a frame", vec![1, 50, 0]),
        ("a frame longer than any", too_long),
        ("no number at all", vec![0xff; 40]),
    ];
    for (name, bytes) in hostile {
        let mut link = Link::open(&bystander.server.address, "frames").await;
        link.send_bytes(Bytes::from(bytes)).await;
        let sentence = link.ends_with(ErrorCode::BadFrame).await;
        assert!(!sentence.contains('\n'), "{name}: {sentence}");
    }
    bystander.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_nonsense_ends_only_its_own_link() {
    let bystander = Bystander::in_room("nonsense").await;
    let mut hostile = Device::join(&bystander.server.address, "nonsense", 1).await;
    let mut frame = wire::encode(&Message::Entries(vec![hostile.write_name(1)])).to_vec();
    *frame.last_mut().unwrap() ^= 1;
    hostile.link.send_bytes(frame.into()).await;
    hostile.link.ends_with(ErrorCode::BadFrame).await;
    bystander.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message_is_told_that_frames_are_binary() {
    let bystander = Bystander::in_room("words").await;
    let mut link = Link::open(&bystander.server.address, "words").await;
    link.send_raw(tungstenite::Message::text("hello?")).await;
    assert!(link.ends_with(ErrorCode::BadFrame).await.contains("binary"));
    bystander.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_beyond_all_bounds_is_not_read() {
    let bystander = Bystander::in_room("large").await;
    let mut link = Link::open(&bystander.server.address, "large").await;
    link.send_bytes(vec![0; FRAME_BYTES + 4096].into()).await;
    link.ends_with(ErrorCode::TooMuch).await;
    bystander.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_a_type_from_the_future_is_passed_over() {
    let mut bystander = Bystander::in_room("future").await;
    let ping = wire::encode(&Ping { time: Millis(1) }.into());
    let both = [&[99, 4, 1, 2, 3, 4][..], &ping].concat();
    bystander.device.link.send_bytes(both.into()).await;
    let pong = |message: &Message| matches!(message, Message::Other(Body::Pong(_))).then_some(());
    bystander.device.link.until(pong).await;
    bystander.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_told_which_side_to_update() {
    let bystander = Bystander::in_room("version").await;
    let room: RoomId = "version".parse().unwrap();
    for (version, who) in [(VERSION + 1, "update the relay"), (VERSION - 1, "update the app")] {
        let mut link = Link::open(&bystander.server.address, "version").await;
        link.send(&hello(&room, version)).await;
        let sentence = link.ends_with(ErrorCode::Version).await;
        assert!(sentence.contains(who), "{sentence}");
    }
    bystander.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_with_hello_and_in_its_own_room() {
    let bystander = Bystander::in_room("order").await;
    let mut link = Link::open(&bystander.server.address, "order").await;
    link.send(&Ping { time: Millis(1) }.into()).await;
    link.ends_with(ErrorCode::Unexpected).await;
    let mut link = Link::open(&bystander.server.address, "order").await;
    link.send(&hello(&"another".parse().unwrap(), VERSION)).await;
    link.ends_with(ErrorCode::Unexpected).await;
    bystander.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_in_the_name_of_a_replica_whose_key_they_lack() {
    let bystander = Bystander::in_room("names").await;
    let mut hostile = Device::join(&bystander.server.address, "names", 1).await;
    hostile.identity = Identity::from_secret(&[2; 32]);
    let entry = hostile.write_name(1);
    hostile.send(vec![entry]).await;
    hostile.link.ends_with(ErrorCode::Unproven).await;

    let mut hostile = Device::join(&bystander.server.address, "names", 3).await;
    let overheard = Identity::from_secret(&[4; 32]);
    let stale = overheard.prove(&[0; 32], &"names".parse().unwrap());
    hostile.link.send(&stale.into()).await;
    hostile.link.ends_with(ErrorCode::Unproven).await;
    bystander.noticed_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_update_is_refused_told_and_stored_nowhere() {
    let bystander = Bystander::in_room("hostile").await;
    let mut hostile = Device::join(&bystander.server.address, "hostile", 1).await;
    let stream = hostile.first_document();
    (hostile.stream, hostile.log) = (stream, StreamLog::new(stream));
    let create = hostile.write(EntryKind::Create, &[]);
    // One section of 2^35 blocks that are not there.
    let bomb = hostile.forge(EntryKind::Edit, &[1, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 5, 0]);
    hostile.send(vec![create.clone(), bomb]).await;
    let refused: Refused = hostile
        .link
        .until(|message| match message {
            Message::Other(Body::Refused(refused)) => Some(refused.clone()),
            _ => None,
        })
        .await;
    assert_eq!(refused.seq, 2);
    assert!(!refused.code.is_empty() && !refused.sentence.is_empty(), "{refused:?}");
    // It keeps its link and its place.
    hostile.ping().await;

    let identity = Identity::from_secret(&[3; 32]);
    let log = StreamLog::new(stream);
    let mut reader = Device::join_stream(&bystander.server.address, "hostile", identity, stream, log).await;
    reader.subscribe().await;
    reader.synced().await;
    // The fsync may take longer than the question.
    reader.receive(1).await;
    assert_eq!(reader.received, [create]);
    let health = bystander.server.health().await;
    assert_eq!((&health["entries_refused"], &health["entries_saved"]), (&1.into(), &1.into()));
    assert_eq!(health["materialised_documents"], 0);
    bystander.noticed_nothing().await;
}
