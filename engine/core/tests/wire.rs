//! The bytes that travel. A change of layout turns these red; old apps and relays are out there.

use std::fmt::Write as _;

use bytes::Bytes;
use causeway_core::anchor::{Anchor, Side};
use causeway_core::chat::page::{Contents, Line, Reacted, Row, Run, check_contents, check_posts};
use causeway_core::chat::{Author, ChatOp};
use causeway_core::device::{Connection, Storage};
use causeway_core::directory::{Decision, DirectoryOp};
use causeway_core::ids::{PersonId, ReplicaId, StreamId};
use causeway_core::limits::POST_PAGE_MOST;
use causeway_core::log::{
    Dep, Digest, Entry, EntryKind, EntryName, Group, Head, Header, SignedHead, marks_of,
};
use causeway_core::person::{self, PersonKey};
use causeway_core::presence::{Change, Cursor, Lease, State, Status};
use causeway_core::replica::{self, Identity};
use causeway_core::snapshot::{PageId, SnapshotId};
use causeway_core::stored::{ForkPart, ForkRecord};
use causeway_core::time::Millis;
use causeway_core::wire::pages::{encode_contents, encode_posts};
use causeway_core::wire::payload::{
    decode_chat, decode_directory, decode_directory_page, encode_chat, encode_directory,
    encode_directory_page,
};
use causeway_core::wire::{
    self, Aside, Body, Chunk, Compare, ErrorFrame, GoAway, Have, Hello, Introduce, Later, LaterWhy, Lost,
    Message, Need, Ping, Place, Pong, Prove, Refused, Saved, Secret, Seen, Subscribe, Synced, Uplink, Want,
    Welcome, Whole,
};
use proptest::prelude::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

fn replica() -> ReplicaId {
    ReplicaId::from_bytes([0xab; 32])
}

fn person() -> PersonId {
    PersonId::from_bytes([0xef; 32])
}

fn digest() -> Digest {
    Digest::of_chains(&[(replica(), 3, Head::START)])
}

fn stream() -> StreamId {
    StreamId::ydoc([0x11; 16])
}

fn entry() -> Entry {
    let header = Header {
        stream: stream(),
        replica: replica(),
        seq: 300,
        deps: vec![Dep {
            replica: ReplicaId::from_bytes([0xcd; 32]),
            seq: 7,
            head: [1, 2, 3, 4, 5, 6, 7, 8],
        }],
        logical: 301,
        time: Millis(1_780_000_000_000),
        kind: EntryKind::React,
        target: Some(EntryName { replica: replica(), seq: 2 }),
        key_epoch: 5,
        payload_hash: [0; 32],
    };
    wire::entry::build(header, b"payload")
}

fn state() -> State {
    let anchor = Anchor { item: Some((1 << 52, 9)), side: Side::Before };
    let head = Anchor { item: None, side: Side::After };
    let cursor = Some(Cursor { stream: stream(), anchor, head });
    State { name: "Ada".into(), colour: 0x33_66_99, status: Status::Running, cursor, typing: Some(stream()) }
}

fn fork() -> ForkRecord {
    let (code, sentence) = ("entry.chain".to_owned(), "no".to_owned());
    ForkRecord { code, sentence, time: Millis(9), part: ForkPart::Change, payload: b"piece".to_vec() }
}

/// Every message there is, with every field in use.
fn messages() -> Vec<(&'static str, Message)> {
    let room = "harbour".parse().expect("a room name");
    let newest_but = Some(SnapshotId::from_bytes([0x22; 32]));
    let groups = marks_of(&[(Group(0xab), digest())]);
    let (stream, replica, page) = (stream(), replica(), PageId::from_bytes([7; 32]));
    let (code, sentence) = ("entry.chain".to_owned(), "no".to_owned());
    let proof = Prove { public_key: [1; 32], signature_r: [2; 32], signature_s: [3; 32] };
    let again = proof.clone();
    vec![
        ("hello", Hello { oldest: 1, newest: 2, room, digest: digest(), agent: "web 0.1".into() }.into()),
        (
            "welcome",
            Welcome { version: 1, nonce: [9; 32], epoch: 4, time: Millis(5), lease: Lease(6), in_step: true }
                .into(),
        ),
        ("prove", proof.clone().into()),
        ("subscribe", Subscribe { stream, question: 7, digest: digest(), newest_but }.into()),
        ("entries", Message::Entries(vec![entry(), entry()])),
        ("synced", Synced { stream, question: 7, digest: digest(), entries: 301, gone: true }.into()),
        (
            "compare",
            Compare {
                stream,
                question: 7,
                from: replica,
                groups,
                above: vec![(replica, 300)],
                own: vec![(replica, 301)],
                more: true,
            }
            .into(),
        ),
        ("need", Need { stream, replica, from: 2, to: 300 }.into()),
        ("saved", Saved { stream, replica, seq: 300, head: [5; 8] }.into()),
        ("later", Later { stream, replica, seq: 3, why: LaterWhy::Busy, after: Millis(3000) }.into()),
        ("refused", Refused { stream, replica, seq: 3, code, sentence: sentence.clone() }.into()),
        ("have", Have { stream, above: vec![(replica, 300)] }.into()),
        ("seen", Seen { stream, replica, seq: 300, links: 2 }.into()),
        ("present", state().into()),
        (
            "board",
            vec![
                Change { lease: Lease(1), state: Some(state()), person: Some(person()) },
                Change { lease: Lease(2), state: None, person: None },
            ]
            .into(),
        ),
        ("ping", Ping { time: Millis(1_780_000_000_000) }.into()),
        ("pong", Pong { time: Millis(1) }.into()),
        ("goaway", GoAway { after: Millis(2500) }.into()),
        ("introduce", Introduce { proof }.into()),
        ("error", ErrorFrame { code: 4403, sentence: sentence.clone() }.into()),
        (
            "chunk",
            Chunk {
                stream,
                of: Whole::Snapshot(SnapshotId::from_bytes([6; 32])),
                at: 300,
                total: 400,
                bytes: vec![1, 2],
            }
            .into(),
        ),
        (
            "chunk of a page",
            Chunk { stream, of: Whole::Page(page), at: 0, total: 2, bytes: vec![1, 2] }.into(),
        ),
        ("want", Want { stream, page }.into()),
        ("lost", Lost::expired(stream, EntryName { replica, seq: 300 }).into()),
        (
            "vouched",
            SignedHead {
                stream,
                name: EntryName { replica, seq: 300 },
                head: Head::from_bytes([0x33; 32]),
                proof: again,
            }
            .into(),
        ),
        ("attest", Body::Attest(Place { stream, replica, seq: 300 }).into()),
        ("secret", Secret { secret: [7; 32], own: true }.into()),
        ("kept", Body::Kept(Place { stream, replica, seq: 300 }).into()),
        ("aside", Aside { stream, replica, seq: 301, record: fork() }.into()),
        ("asidekept", Body::AsideKept(Place { stream, replica, seq: 301 }).into()),
        (
            "uplink",
            Uplink {
                connection: Connection::Stopped { code: 4406, sentence: sentence.clone() },
                lease: Some(Lease(6)),
                storage: Storage::Failing { full: true, sentence },
            }
            .into(),
        ),
        ("asidedone", Body::AsideDone(vec![Place { stream, replica, seq: 301 }]).into()),
        ("unsent", Body::Unsent(Place { stream, replica, seq: 301 }).into()),
        ("read", Body::Read(Place { stream, replica, seq: 300 }).into()),
    ]
}

#[test]
fn every_message_has_the_bytes_it_always_had() {
    let now: Vec<String> =
        messages().iter().map(|(name, message)| format!("{name} {}", hex(&wire::encode(message)))).collect();
    let golden = include_str!("golden/messages.hex");
    assert_eq!(
        now.join("\n"),
        golden.trim_end(),
        "a layout has changed: that is a new version of the protocol"
    );
}

#[test]
fn every_message_survives_the_way() {
    for (name, message) in messages() {
        assert_eq!(wire::decode(&wire::encode(&message)), Ok(vec![message]), "{name}");
    }
    let all: Vec<u8> = messages().iter().flat_map(|(_, message)| wire::encode(message)).collect();
    let read = wire::decode(&all.into()).expect("frames in a row");
    assert_eq!(read.len(), messages().len());
}

#[test]
fn an_entry_keeps_its_bytes_whoever_passes_it_on() {
    let entry = entry();
    let read = wire::entry::decode(entry.bytes().clone()).expect("an entry");
    assert_eq!(
        (read.header(), read.payload(), read.bytes()),
        (entry.header(), entry.payload(), entry.bytes())
    );
    assert_eq!(hex(Head::START.next(&entry).as_bytes()), include_str!("golden/head.hex").trim_end());
}

#[test]
fn an_entry_whose_payload_was_changed_is_none() {
    let mut bytes = entry().bytes().to_vec();
    *bytes.last_mut().expect("a payload") ^= 1;
    assert_eq!(wire::entry::decode(bytes.into()), Err(wire::entry::EntryError::Hash));
}

#[test]
fn directory_operations_have_the_bytes_they_always_had() {
    let put = DirectoryOp::Put { document: stream(), path: "src/main.py".into() };
    let remove = DirectoryOp::Remove { document: stream() };
    let rank = (301, replica(), 300);
    let page = [Decision { document: stream(), rank, path: Some("src/main.py".into()) }];
    let page = encode_directory_page(&page);
    let now =
        format!("{}\n{}\n{}", hex(&encode_directory(&put)), hex(&encode_directory(&remove)), hex(&page));
    assert_eq!(now, include_str!("golden/directory.hex").trim_end());
    assert_eq!(decode_directory(&encode_directory(&put)), Some(put));
    assert_eq!(decode_directory_page(&page).map(|read| encode_directory_page(&read)), Some(page));
    let mut more = encode_directory(&remove);
    more.push(0);
    assert_eq!(decode_directory(&more), None, "nothing may stand behind an operation");
}

/// One of everything that can be said in a channel.
fn said() -> Vec<ChatOp> {
    let reply_to = Some(EntryName { replica: replica(), seq: 7 });
    let key = PersonKey::from_secret(&[8; 32]);
    vec![
        ChatOp::Post { text: "ahoy".into(), reply_to, after: Millis(0) },
        ChatOp::Post { text: "🌊".into(), reply_to: None, after: Millis(1_780_000_000_000) },
        ChatOp::Amend { text: "ahoy!".into() },
        ChatOp::Retract,
        ChatOp::React { emoji: "👍".into(), on: true },
        ChatOp::Introduce(key.introduction(&replica(), "Ada".into(), 0x33_66_99)),
    ]
}

#[test]
fn what_is_said_in_a_channel_has_the_bytes_it_always_had() {
    let now: Vec<String> = said().iter().map(|op| hex(&encode_chat(op))).collect();
    assert_eq!(now.join("\n"), include_str!("golden/chat.hex").trim_end());
    for op in said() {
        let mut bytes = encode_chat(&op);
        assert_eq!(decode_chat(&bytes), Some(op));
        bytes.push(0);
        assert_eq!(decode_chat(&bytes), None, "nothing may stand behind an operation");
    }
}

/// A channel's contents, and its one page of posts, with every field in use.
fn channel_pages() -> (Contents, Vec<Row>) {
    let (at, logical, writer, seq) = (Millis(1_780_000_000_000), 301, replica(), 300);
    let known = (Author { person: person(), name: "Ada".into(), colour: 0x33_66_99 }, (2, writer, 3));
    let place = (at, logical, writer, seq);
    let contents = Contents {
        people: vec![known],
        writers: vec![writer],
        lines: vec![Line { first: place, end: 1 }],
        runs: vec![Run { writer: 0, from: seq, count: 1 }],
    };
    let rank = (302, writer, 301);
    let row = Row {
        place,
        time: Millis(1_779_999_999_999),
        text: "ahoy!".into(),
        reply_to: Some(EntryName { replica: ReplicaId::from_bytes([0xcd; 32]), seq: 7 }),
        amended: Some(rank),
        is_removed: false,
        reactions: vec![Reacted { emoji: "👍".into(), rank, on: true }],
    };
    let place = (at, 303, writer, 302);
    let (reply_to, amended, text, reactions) = (None, None, String::new(), Vec::new());
    let removed = Row { place, text, reply_to, amended, is_removed: true, reactions, ..row };
    (contents, vec![row, removed])
}

#[test]
fn pages_of_a_channel_have_the_bytes_they_always_had_and_no_others_are_read() {
    let (contents, posts) = channel_pages();
    let (contents_bytes, posts_bytes) = (encode_contents(&contents), encode_posts(&posts));
    let now = format!("{}\n{}", hex(&contents_bytes), hex(&posts_bytes));
    assert_eq!(now, include_str!("golden/pages.hex").trim_end());
    assert_eq!(check_contents(&contents_bytes, 1), Some(contents.clone()));
    assert_eq!(check_posts(&posts_bytes), Some(posts));
    assert_eq!(check_contents(&contents_bytes, 2), None, "a line for each page");
    let mut lie = contents;
    lie.runs[0].writer = 1;
    assert_eq!(check_contents(&encode_contents(&lie), 1), None, "a writer that is not named");
    lie.runs[0] = Run { writer: 0, from: u64::MAX, count: 2 };
    assert_eq!(check_contents(&encode_contents(&lie), 1), None, "beyond the last number");
    let mut lie = posts_bytes.clone();
    // The length of the list of writers, two of them, the number of posts.
    let first_writer = 1 + 2 * 32 + 1;
    lie[first_writer] ^= 0b11;
    assert!(check_posts(&lie).is_some_and(|posts| posts[0].place.2 != replica()), "the other of the two");
    lie[first_writer] = 3;
    assert_eq!(check_posts(&lie), None, "a third writer of two");
    for bytes in [contents_bytes, posts_bytes] {
        let more = [bytes.as_slice(), &[0]].concat();
        assert!(check_contents(&more, 1).is_none() && check_posts(&more).is_none());
    }
}

#[test]
fn promise_6_pages_of_a_channel_that_tell_of_more_than_they_have_are_none() {
    // No writers, so many posts or people, and nothing behind that could be one.
    for count in [1, 100, 10_000, 1_000_000] {
        let mut bytes = vec![0];
        let mut number = count;
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes.resize(POST_PAGE_MOST, 0);
        assert!(check_posts(&bytes).is_none() && check_contents(&bytes, 1).is_none(), "{count}");
    }
    let (_, posts) = channel_pages();
    let long = Row { text: "~".repeat(POST_PAGE_MOST), ..posts[0].clone() };
    assert_eq!(check_posts(&encode_posts(&[long])), None, "no page is that long");
}

proptest! {
    #[test]
    fn promise_6_pages_of_a_channel_with_changed_bytes_harm_nobody(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (contents, posts) = channel_pages();
        for mut bytes in [encode_contents(&contents), encode_posts(&posts)] {
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            let _ = (check_contents(&bytes, 1), check_posts(&bytes));
        }
    }
}

#[test]
fn a_person_signs_what_they_always_signed_and_for_one_link_and_one_replica_only() {
    let key = PersonKey::from_secret(&[5; 32]);
    let room = "harbour".parse().expect("a room name");
    let introduce = key.introduce(&[6; 32], &room);
    let introduction = key.introduction(&replica(), "Ada".into(), 1);
    let signatures = [introduce.proof.signature_r, introduce.proof.signature_s].concat();
    let introduced = [introduction.signature_r, introduction.signature_s].concat();
    let now = format!("{}\n{}\n{}", key.id(), hex(&signatures), hex(&introduced));
    assert_eq!(now, include_str!("golden/person.hex").trim_end());
    assert_eq!(person::verify(&introduce, &[6; 32], &room), Some(key.id()));
    assert_eq!(person::verify(&introduce, &[7; 32], &room), None, "of no use on another link");
    assert!(introduction.is_signed_for(&replica()));
    assert!(!introduction.is_signed_for(&ReplicaId::from_bytes([1; 32])), "of no use for another replica");
    let identity = Identity::from_secret(&[5; 32]);
    assert_eq!(replica::verify(&introduce.proof, &[6; 32], &room), None, "and no proof of a replica");
    let proof = identity.prove(&[6; 32], &room);
    assert_eq!(person::verify(&Introduce { proof }, &[6; 32], &room), None);
}

#[test]
fn a_proof_signs_what_it_always_signed() {
    let identity = Identity::from_secret(&[5; 32]);
    let room = "harbour".parse().expect("a room name");
    let proof = identity.prove(&[6; 32], &room);
    let signature = [proof.signature_r, proof.signature_s].concat();
    let now = format!("{}\n{}", hex(identity.id().as_bytes()), hex(&signature));
    assert_eq!(now, include_str!("golden/proof.hex").trim_end());
    assert_eq!(replica::verify(&proof, &[6; 32], &room), Some(identity.id()));
    assert_eq!(replica::verify(&proof, &[7; 32], &room), None, "a proof is of no use on another link");
}

#[test]
fn frames_of_unknown_types_and_fields_of_later_versions_are_passed_over() {
    let ping = wire::encode(&Ping { time: Millis(1) }.into());
    let mut bytes = vec![99, 3, 1, 2, 3];
    bytes.extend_from_slice(&ping);
    // The same ping with two bytes more in its body.
    bytes.extend_from_slice(&[ping[0], ping[1] + 2]);
    bytes.extend_from_slice(&ping[2..]);
    bytes.extend_from_slice(&[7, 7]);
    let read = wire::decode(&bytes.into()).expect("two pings");
    assert_eq!(read, vec![Ping { time: Millis(1) }.into(), Ping { time: Millis(1) }.into()]);
}

#[test]
fn no_message_cut_anywhere_panics_or_is_taken_for_whole() {
    for (name, message) in messages() {
        let bytes = wire::encode(&message);
        for end in 1..bytes.len() {
            assert!(wire::decode(&bytes.slice(..end)).is_err(), "{name} cut at {end}");
        }
    }
}

#[test]
fn no_message_with_one_changed_byte_panics() {
    for (_, message) in messages() {
        let bytes = wire::encode(&message);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.to_vec();
                bad[at] ^= 1 << bit;
                let _ = wire::decode(&bad.into());
            }
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = wire::decode(&Bytes::from(bytes.clone()));
        let _ = wire::entry::decode(bytes.clone().into());
        let _ = (decode_directory(&bytes), decode_directory_page(&bytes), decode_chat(&bytes));
    }

    #[test]
    fn random_bodies_of_known_types_never_panic(kind in 0u8..40, body in proptest::collection::vec(any::<u8>(), 0..120)) {
        let mut bytes = vec![kind, body.len() as u8];
        bytes.extend(&body);
        if let Ok(messages) = wire::decode(&bytes.into()) {
            for message in messages {
                prop_assert_eq!(wire::decode(&wire::encode(&message)), Ok(vec![message]));
            }
        }
    }

    #[test]
    fn entries_of_any_content_survive_the_way(
        seq in 1..u64::MAX,
        logical: u64,
        time: u64,
        kind in 0u8..9,
        deps in proptest::collection::vec((any::<[u8; 32]>(), any::<u64>(), any::<[u8; 8]>()), 0..4),
        payload in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let deps = deps.into_iter().map(|(id, seq, head)| Dep { replica: ReplicaId::from_bytes(id), seq, head });
        let header = Header {
            stream: stream(),
            replica: replica(),
            seq,
            deps: deps.collect(),
            logical,
            time: Millis(time),
            kind: EntryKind::try_from(kind).expect("nine kinds"),
            target: None,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        let entry = wire::entry::build(header, &payload);
        prop_assert_eq!(wire::entry::decode(entry.bytes().clone()), Ok(entry.clone()));
        prop_assert_eq!(wire::decode(&wire::encode_entries([&entry])), Ok(vec![Message::Entries(vec![entry])]));
    }
}
