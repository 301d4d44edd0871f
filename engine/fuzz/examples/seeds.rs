//! Honest inputs to begin with, as lines of a corpus file: `cargo run -p causeway-fuzz --example seeds -- TARGET`.

use std::sync::{Arc, Mutex};

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, Change, ObjType, ROOT, ScalarValue};
use causeway_core::chat::ChatOp;
use causeway_core::directory::DirectoryOp;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{EntryKind, EntryName, Head, Header, StreamLog, Tip, Verdict};
use causeway_core::stored::{self, ForkPart, ForkRecord, MetaRecord, ReplicaRecord, StreamRecord, TipRecord};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Message, Ping, Pong};
use causeway_fuzz::{Pieces, Target, corpus};
use yrs::block::ClientID;
use yrs::types::Attrs;
use yrs::updates::decoder::Decode;
use yrs::{Any, Doc, OffsetKind, Options, Text, Transact, Update};

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let Some(target) = Target::ALL.into_iter().find(|target| target.name() == name) else {
        eprintln!("there is no target `{name}`");
        std::process::exit(2);
    };
    for input in seeds(target) {
        println!("{}", corpus::line(&input));
    }
}

fn seeds(target: Target) -> Vec<Vec<u8>> {
    match target {
        Target::Guard => (1..40).flat_map(written).map(|(_, update)| update).collect(),
        Target::Engine => (1..40).map(|seed| joined(&written(seed))).collect(),
        Target::Lies => {
            (1..40u8).map(|seed| (0..200).map(|n| (n ^ seed).wrapping_mul(seed)).collect()).collect()
        }
        Target::Amdoc => (1..40).map(changes).collect(),
        Target::Frames => frames(),
        Target::Records => records(),
        Target::Directory => vec![joined(&operations())],
        Target::Chat => (1..30).map(talk).collect(),
    }
}

fn joined(pieces: &[(u8, Vec<u8>)]) -> Vec<u8> {
    Pieces::join(pieces.iter().map(|(author, piece)| (author - 1, piece.as_slice())))
}

/// What two authors wrote into one text, in the order of writing.
fn written(seed: u32) -> Vec<(u8, Vec<u8>)> {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let docs = [1u8, 2].map(|author| {
        let mut options = Options::with_guid_and_client_id("seed".into(), ClientID::new(u64::from(author)));
        options.offset_kind = OffsetKind::Utf16;
        let doc = Doc::with_options(options);
        let outbox = Arc::clone(&sent);
        doc.observe_update_v1("outbox", move |txn, event| {
            if txn.origin().is_some() {
                outbox.lock().expect("no writer panics").push((author, event.update.clone()));
            }
        })
        .expect("nobody else holds the new document");
        doc
    });
    for step in 0..8 {
        let author = &docs[((seed >> step) & 1) as usize];
        write(author, seed.wrapping_mul(step + 3));
        let read = sent.lock().expect("no writer panics").clone();
        for doc in docs.iter().filter(|_| !(seed + step).is_multiple_of(3)) {
            for (_, update) in &read {
                let update = Update::decode_v1(update).expect("an honest update");
                doc.transact_mut().apply_update(update).expect("an honest update");
            }
        }
    }
    let sent = sent.lock().expect("no writer panics");
    sent.clone()
}

fn write(doc: &Doc, choice: u32) {
    let text = doc.get_or_insert_text("text");
    let mut txn = doc.transact_mut_with("edit");
    let len = text.len(&txn);
    match choice % 5 {
        0 if len > 1 => text.remove_range(&mut txn, choice % len, 1),
        1 if len > 1 => {
            text.format(&mut txn, 0, len / 2, Attrs::from_iter([("bold".into(), Any::Bool(true))]));
        }
        2 => {
            text.insert_embed(&mut txn, 0, Any::from(vec![Any::Null, Any::from("x")]));
        }
        _ => text.insert(&mut txn, choice % (len + 1), "ab"),
    }
}

/// What three automerge authors wrote in turn, each change from its time on.
fn changes(seed: usize) -> Vec<u8> {
    let mut docs = [1u8, 2, 3].map(|author| AutoCommit::new().with_actor(ActorId::from([author])));
    let mut pieces = Vec::new();
    for step in 0..5 {
        let who = (seed + step * step) % 3;
        let doc = &mut docs[who];
        let before = doc.get_heads();
        fill(doc, seed * 7 + step).expect("an honest edit");
        doc.commit();
        let written: Vec<Change> = doc.get_changes(&before);
        for change in &written {
            pieces.push((who as u8 + 1, from_its_time(change)));
        }
        for doc in &mut docs {
            doc.apply_changes(written.clone()).expect("an honest change");
        }
    }
    joined(&pieces)
}

fn fill(doc: &mut AutoCommit, choice: usize) -> Result<(), automerge::AutomergeError> {
    let key = ["a", "b"][choice % 2];
    match choice % 7 {
        0 => doc.put(ROOT, key, ScalarValue::counter(3)),
        1 => {
            let list = doc.put_object(ROOT, key, ObjType::List)?;
            doc.insert(&list, 0, 1)?;
            doc.insert(&list, 1, "x")?;
            doc.delete(&list, 0)
        }
        2 => {
            let text = doc.put_object(ROOT, key, ObjType::Text)?;
            doc.splice_text(&text, 0, 0, "ab")
        }
        3 => {
            let map = doc.put_object(ROOT, key, ObjType::Map)?;
            doc.put(&map, "c", ScalarValue::counter(3))?;
            doc.increment(&map, "c", 2)
        }
        4 => doc.delete(ROOT, key),
        _ => doc.put(ROOT, key, choice as i64 - 20),
    }
}

/// A change without what the target puts before it: dependencies, actor, number and counter.
fn from_its_time(change: &Change) -> Vec<u8> {
    let change = change.clone();
    let bytes = change.raw_bytes();
    let body = &bytes[9 + if bytes[9] < 0x80 { 1 } else { 2 }..];
    let head = 1 + 32 * usize::from(body[0]) + 2;
    body[head + 2..].to_vec()
}

fn operations() -> Vec<(u8, Vec<u8>)> {
    let document = |n| StreamId::ydoc([n; 16]);
    let put = |n, path: &str| DirectoryOp::Put { document: document(n), path: path.into() };
    let ops = [put(1, "a"), put(2, "src/b.py"), put(1, "c"), DirectoryOp::Remove { document: document(1) }];
    let encoded = ops.iter().enumerate().map(|(n, op)| {
        let logical = n as u8 % 3;
        (1 + n as u8 % 3, [&[logical], wire::payload::encode_directory(op).as_slice()].concat())
    });
    encoded.collect()
}

/// What three people say in turn: each piece what it is, what it is about, a clock, and the payload.
fn talk(seed: u8) -> Vec<u8> {
    let pieces = (0..12u8).map(|step| {
        let choice = seed.wrapping_mul(step | 1).wrapping_add(step);
        let listens = if choice % 3 == 0 { 0x80 } else { 0 };
        let reply_to =
            (choice % 2 == 0).then(|| EntryName { replica: ReplicaId::from_bytes([0x11; 32]), seq: 3 });
        let (what, op) = match choice % 7 {
            0 => (0x41, ChatOp::Amend { text: "other words".into() }),
            1 if step > 6 => (0x42, ChatOp::Retract),
            2 | 3 => (
                0x43,
                ChatOp::React { emoji: ["👍", "🌊"][usize::from(choice % 2)].into(), on: choice < 200 },
            ),
            _ => {
                (0, ChatOp::Post { text: format!("words {step}"), reply_to, after: Millis(u64::from(seed)) })
            }
        };
        // Of what the author holds: four entries in which all say who they are, then posts.
        let about = 4 + choice % 5;
        (
            1 + choice % 3,
            [&[what | listens, about, choice], wire::payload::encode_chat(&op).as_slice()].concat(),
        )
    });
    joined(&pieces.collect::<Vec<_>>())
}

/// The directory's operations as entries, and some messages.
fn frames() -> Vec<Vec<u8>> {
    let mut log = StreamLog::new(StreamId::DIRECTORY);
    let mut entries = Vec::new();
    for (author, payload) in operations() {
        let replica = ReplicaId::from_bytes([author; 32]);
        let (deps, logical) = log.next_place(&replica);
        let header = Header {
            stream: StreamId::DIRECTORY,
            replica,
            seq: log.tip(&replica).seq + 1,
            deps,
            logical,
            time: Millis(0),
            kind: EntryKind::Edit,
            target: None,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        let entry = wire::entry::build(header, &payload[1..]);
        let Verdict::Fresh(accepted) = log.judge(&entry) else { panic!("an honest entry") };
        log.extend(&entry, accepted);
        entries.push(entry);
    }
    let as_pieces: Vec<(u8, Vec<u8>)> = entries.iter().map(|entry| (1, entry.bytes().to_vec())).collect();
    let mut inputs = vec![[&[1], joined(&as_pieces).as_slice()].concat()];
    let messages = [
        wire::encode(&Message::Entries(entries)),
        wire::encode(&Ping { time: Millis(7) }.into()),
        wire::encode(&Pong { time: Millis(7) }.into()),
    ];
    inputs.extend(messages.iter().map(|frame| [&[0], frame.as_ref()].concat()));
    inputs
}

fn records() -> Vec<Vec<u8>> {
    let (stream, replica) = (StreamId::ydoc([3; 16]), ReplicaId::from_bytes([4; 32]));
    let tip = Tip { seq: 3, head: Head::START, logical: 4, clock: 5, introduced: None };
    let fork = ForkRecord {
        code: "c".into(),
        sentence: "s".into(),
        time: Millis(1),
        part: ForkPart::Text,
        payload: vec![1, 2],
    };
    let sealed = [
        MetaRecord { epoch: 1 }.encode(),
        ReplicaRecord { secret: [7; 32] }.encode(),
        TipRecord::from(tip).encode(),
        StreamRecord { arrivals: 300, bytes: 9_000, jumps: 40 }.encode(),
        fork.encode(),
        stored::encode_number(9),
    ];
    // The target seals what it is given as well: without version and checksum the same bytes are a body.
    let bodies: Vec<Vec<u8>> = sealed.iter().map(|record| record[1..record.len() - 8].to_vec()).collect();
    let keys = [
        stored::stream_key(&stream),
        stored::tip_key(&stream, &replica),
        stored::entry_key(&stream, 5),
        stored::journal_key(&stream, &replica, 6),
        stored::replica_key(&replica),
    ];
    sealed.into_iter().chain(bodies).chain(keys).collect()
}
