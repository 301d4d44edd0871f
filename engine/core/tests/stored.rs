//! The bytes that rest on disks. A change of layout turns these red; disks outlive programs.

use std::fmt::Write as _;

use causeway_core::ids::{PersonId, ReplicaId, StreamId};
use causeway_core::log::{EntryKind, Head, Header, Introduced, SignedHead};
use causeway_core::replica::Identity;
use causeway_core::snapshot::{PageId, Root, SignedRoot, SnapshotId};
use causeway_core::stored::{
    self, Damage, ForkPart, ForkRecord, HistoryRecord, IndexRecord, MetaRecord, Noticed, QuarantineRecord,
    ReplicaRecord, StreamRecord, TipRecord, Tombstone,
};
use causeway_core::time::Millis;
use causeway_core::wire;
use proptest::prelude::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

const REPLICA: [u8; 32] = [0xab; 32];

fn entry() -> causeway_core::log::Entry {
    let header = Header {
        stream: StreamId::ydoc([0x11; 16]),
        replica: ReplicaId::from_bytes(REPLICA),
        seq: 1,
        deps: Vec::new(),
        logical: 1,
        time: Millis(1_780_000_000_000),
        kind: EntryKind::Create,
        target: None,
        key_epoch: 0,
        payload_hash: [0; 32],
    };
    wire::entry::build(header, b"")
}

fn tip() -> TipRecord {
    let introduced = Some(Introduced { person: PersonId::from_bytes([0x66; 32]), since: 2 });
    TipRecord { seq: 300, head: Head::from_bytes([0x33; 32]), logical: 301, clock: 4000, introduced }
}

fn index() -> IndexRecord {
    IndexRecord { arrival: 258, head: Head::from_bytes([0x66; 32]) }
}

fn root() -> SignedRoot {
    let root = Root {
        stream: StreamId::ydoc([0x11; 16]),
        parent: Some(SnapshotId::from_bytes([0x77; 32])),
        arrivals: 500,
        bytes: 70_000,
        coverage: vec![(ReplicaId::from_bytes(REPLICA), tip())],
        frontier: vec![ReplicaId::from_bytes(REPLICA)],
        pages: vec![PageId::of(b"page")],
        content: [0x88; 32],
    };
    root.sign(&Identity::from_secret(&[5; 32]), &"harbour".parse().expect("a room name"))
}

fn fork() -> ForkRecord {
    let (code, sentence) = ("entry.chain".into(), "no".into());
    ForkRecord { code, sentence, time: Millis(77), part: ForkPart::Text, payload: b"work".to_vec() }
}

fn history() -> HistoryRecord {
    HistoryRecord { begins: 258, noticed: Some(Noticed { since: Millis(1_780_000_000_000), upto: 300 }) }
}

fn quarantine() -> QuarantineRecord {
    let (code, sentence) = ("materialiser.panic".into(), "no".into());
    QuarantineRecord { code, sentence, since: Millis(77), attempts: 2, doubtful: 1, again: Some(Millis(99)) }
}

fn signed_head() -> SignedHead {
    let key = Identity::from_secret(&[6; 32]);
    let room = "harbour".parse().expect("a room name");
    key.vouch(StreamId::ydoc([0x11; 16]), 300, Head::from_bytes([0x33; 32]), &room)
}

fn records() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("meta", MetaRecord { epoch: 3 }.encode()),
        ("replica", ReplicaRecord { secret: [0x44; 32] }.encode()),
        ("tip", tip().encode()),
        ("index", index().encode()),
        ("stream", StreamRecord { arrivals: 500, bytes: 70_000 }.encode()),
        ("fork", fork().encode()),
        ("tombstone", Tombstone { logical: 9, head: [0x55; 16] }.encode()),
        ("root", root().encode()),
        ("entry", stored::encode_entry(&entry())),
        ("piece", stored::encode_piece(b"journal")),
        ("segment", stored::encode_segment(Millis(1_780_000_000_000), b"packed")),
        ("number", stored::encode_number(0x0102_0304)),
        ("quarantine", quarantine().encode()),
        ("history", history().encode()),
        ("signed head", signed_head().encode()),
    ]
}

fn keys() -> Vec<(&'static str, Vec<u8>)> {
    let (stream, replica) = (StreamId::ydoc([0x11; 16]), ReplicaId::from_bytes(REPLICA));
    vec![
        ("meta", stored::META.to_vec()),
        ("owner", stored::OWNER.to_vec()),
        ("stream", stored::stream_key(&stream)),
        ("tombstone", stored::tombstone_key(&StreamId::DIRECTORY)),
        ("tip", stored::tip_key(&stream, &replica)),
        ("saved", stored::saved_key(&stream, &replica)),
        ("entry", stored::entry_key(&stream, 258)),
        ("index", stored::index_key(&stream, &replica, 258)),
        ("journal", stored::journal_key(&stream, &replica, 2)),
        ("fork", stored::fork_key(&stream, &replica, 3)),
        ("replica", stored::replica_key(&replica)),
        ("read", stored::read_key(&stream, &replica)),
        ("home key", stored::HOME_KEY.to_vec()),
        ("snapshot", stored::snapshot_key(&stream)),
        ("draft", stored::draft_key(&stream)),
        ("page", stored::page_key(&stream, &PageId::of(b"page"))),
        ("history", stored::history_key(&stream)),
        ("archive", stored::archive_key(&stream, 258)),
        ("place", stored::place_key(&stream, &replica, 258)),
        ("quarantine", stored::quarantine_key(&stream)),
        ("signed head", stored::vouched_key(&stream, &replica)),
    ]
}

#[test]
fn every_record_has_the_bytes_it_always_had() {
    let now: Vec<String> = records().iter().map(|(name, bytes)| format!("{name} {}", hex(bytes))).collect();
    let golden = include_str!("golden/records.hex");
    assert_eq!(now.join("\n"), golden.trim_end(), "a layout has changed: raise the version of the records");
}

#[test]
fn every_key_has_the_bytes_it_always_had() {
    let now: Vec<String> = keys().iter().map(|(name, bytes)| format!("{name} {}", hex(bytes))).collect();
    assert_eq!(now.join("\n"), include_str!("golden/keys.hex").trim_end());
}

#[test]
fn every_record_and_key_is_read_back() {
    assert_eq!(MetaRecord::decode(&MetaRecord { epoch: 3 }.encode()), Ok(MetaRecord { epoch: 3 }));
    assert_eq!(TipRecord::decode(&tip().encode()), Ok(tip()));
    assert_eq!(IndexRecord::decode(&index().encode()), Ok(index()));
    assert_eq!(SignedRoot::decode(&root().encode()), Ok(root()));
    assert_eq!(ForkRecord::decode(&fork().encode()), Ok(fork()));
    assert_eq!(SignedHead::decode(&signed_head().encode()), Ok(signed_head()));
    assert_eq!(HistoryRecord::decode(&history().encode()), Ok(history()));
    assert_eq!(QuarantineRecord::decode(&quarantine().encode()), Ok(quarantine()));
    assert_eq!(stored::decode_entry(stored::encode_entry(&entry())), Ok(entry()));
    assert_eq!(stored::decode_piece(&stored::encode_piece(b"journal")), Ok(b"journal".as_slice()));
    let segment = stored::encode_segment(Millis(7), b"packed");
    assert_eq!(stored::decode_segment(&segment), Ok((Millis(7), b"packed".as_slice())));
    assert_eq!(stored::decode_number(&stored::encode_number(9)), Ok(9));
    let (stream, replica) = (StreamId::ydoc([0x11; 16]), ReplicaId::from_bytes(REPLICA));
    assert_eq!(stored::parse_stream_key(&stored::stream_key(&stream)), Some(stream));
    assert_eq!(stored::parse_tip_key(&stored::tip_key(&stream, &replica)), Some((stream, replica)));
    assert_eq!(stored::parse_archive_key(&stored::archive_key(&stream, 258)), Some((stream, 258)));
    assert_eq!(stored::parse_entry_key(&stored::entry_key(&stream, 258)), Some((stream, 258)));
    assert_eq!(
        stored::parse_journal_key(&stored::journal_key(&stream, &replica, 2)),
        Some((stream, replica, 2))
    );
    assert_eq!(
        stored::parse_index_key(&stored::index_key(&stream, &replica, 258)),
        Some((stream, replica, 258))
    );
    assert_eq!(stored::parse_read_key(&stored::read_key(&stream, &replica)), Some((stream, replica)));
    assert_eq!(stored::parse_replica_key(&stored::replica_key(&replica)), Some(replica));
    assert_eq!(
        Tombstone { logical: 9, head: [0x55; 16] }.encode().len(),
        24,
        "what stays of a deleted stream"
    );
}

#[test]
fn a_record_of_a_newer_version_is_refused_and_never_guessed_at() {
    let mut bytes = MetaRecord { epoch: 3 }.encode();
    bytes.truncate(bytes.len() - 8);
    bytes[0] = 2;
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(&checksum.as_bytes()[..8]);
    assert_eq!(MetaRecord::decode(&bytes), Err(Damage::Newer(2)));
}

#[test]
fn any_changed_or_missing_byte_is_noticed() {
    for (name, bytes) in records().into_iter().filter(|(name, _)| *name != "tombstone") {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.clone();
                bad[at] ^= 1 << bit;
                assert_eq!(stored::decode_piece(&bad), Err(Damage::Checksum), "{name}, byte {at}");
            }
            assert!(stored::decode_piece(&bytes[..at]).is_err(), "{name} cut at {at}");
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = (MetaRecord::decode(&bytes), TipRecord::decode(&bytes), ForkRecord::decode(&bytes));
        let _ = (stored::decode_piece(&bytes), stored::decode_number(&bytes), stored::decode_entry(bytes.clone()));
        let _ = (stored::decode_segment(&bytes), HistoryRecord::decode(&bytes), SignedHead::decode(&bytes));
        let _ = (stored::parse_stream_key(&bytes), stored::parse_tip_key(&bytes), stored::parse_entry_key(&bytes));
        let _ = (stored::parse_journal_key(&bytes), stored::parse_replica_key(&bytes));
    }

    #[test]
    fn arrivals_lie_on_the_disk_in_their_order(a: u64, b: u64) {
        let stream = StreamId::DIRECTORY;
        prop_assert_eq!(a.cmp(&b), stored::entry_key(&stream, a).cmp(&stored::entry_key(&stream, b)));
    }
}

#[test]
fn rows_of_a_stream_begin_as_one_of_the_kinds_that_streams_have() {
    let (stream, replica) = (StreamId::ydoc([0x11; 16]), ReplicaId::from_bytes(REPLICA));
    let keys = [
        stored::stream_key(&stream),
        stored::tip_key(&stream, &replica),
        stored::draft_key(&stream),
        stored::entry_key(&stream, 7),
        stored::fork_key(&stream, &replica, 7),
        stored::snapshot_key(&stream),
        stored::journal_key(&stream, &replica, 7),
        stored::index_key(&stream, &replica, 7),
        stored::page_key(&stream, &PageId::of(b"page")),
        stored::place_key(&stream, &replica, 7),
        stored::saved_key(&stream, &replica),
        stored::tombstone_key(&stream),
        stored::read_key(&stream, &replica),
        stored::vouched_key(&stream, &replica),
        stored::quarantine_key(&stream),
        stored::archive_key(&stream, 7),
    ];
    let kinds = stored::Prefix::OF_STREAMS.map(|kind| stored::stream_prefix(kind, &stream));
    assert!(keys.iter().zip(&kinds).all(|(key, kind)| key.starts_with(kind)));
    assert!(kinds.is_sorted(), "a part of a room is read in order");
    assert!(!kinds.iter().any(|kind| stored::replica_key(&replica).starts_with(kind)));
}
