//! M5 as devices meet it: what people do at once is cut into entries that each cost little, and nobody refuses any of them.

use causeway_core::ids::{ConnId, ReplicaId, StreamId};
use causeway_core::log::{Entry, EntryKind, Head, Tip};
use causeway_core::stored::{self, IndexRecord, StreamRecord, TipRecord};
use causeway_core::wire::{Body, Message};
use causeway_core::ydoc::{DeltaOp, TextEdit};
use causeway_guard::Limits;
use causeway_tests::network::{EDITOR, Network};

use crate::craft::{entries_in, entry, frame};
use crate::forks::refuse;

/// More places than one entry has.
const PLACES: u32 = 700;

pub(crate) fn write(network: &mut Network, device: usize, text: StreamId, words: &str) {
    let now = network.clock(device);
    let delta = [DeltaOp::Insert(words.into())];
    let room = &mut network.devices[device].room;
    room.open_editor(text, EDITOR).expect("the document is open");
    room.apply_delta(text, Some(EDITOR), &delta, now).expect("inside the text");
    room.end_undo_step(text, EDITOR);
}

/// One transaction.
pub(crate) fn change(
    network: &mut Network,
    device: usize,
    text: StreamId,
    change: impl FnOnce(&mut TextEdit<'_>),
) {
    let now = network.clock(device);
    let room = &mut network.devices[device].room;
    room.open_editor(text, EDITOR).expect("the document is open");
    let changed = |edit: &mut TextEdit<'_>| {
        change(edit);
        Ok(())
    };
    room.edit(text, Some(EDITOR), now, changed).expect("inside the text");
    room.end_undo_step(text, EDITOR);
}

/// Replaces each `word ` of a text, in one transaction.
fn replace_all(network: &mut Network, device: usize, text: StreamId) {
    let words = network.devices[device].room.text_len(text).expect("the document is open") / 5;
    change(network, device, text, |edit| {
        for place in (0..words).rev() {
            edit.delete(place * 5, 4).expect("inside the text");
            edit.insert(place * 5, "fresh").expect("inside the text");
        }
    });
}

fn undo(network: &mut Network, device: usize, text: StreamId) {
    let now = network.clock(device);
    network.devices[device].room.undo(text, EDITOR, now).expect("it is open").expect("there is a step");
}

/// Everything has gone to the home and to all devices, and nobody has refused any of it.
fn all_have(network: &mut Network, text: StreamId, expected: &str) {
    network.rest();
    network.rest();
    for device in 0..network.devices.len() {
        assert!(network.text(device, text) == expected, "device {device} shows something else");
        assert!(network.devices[device].room.forks().is_empty(), "device {device} has a fork");
    }
    assert_eq!(network.relay.home.figures().entries_refused, 0);
}

#[test]
fn m5_a_replacement_in_many_places_and_its_undo_are_refused_by_nobody() {
    let (mut network, text) = Network::with_document(2);
    write(&mut network, 0, text, &"word ".repeat(PLACES as usize));
    network.rest();
    let before = entries_in(&network.devices[0].sent, text);
    replace_all(&mut network, 0, text);
    all_have(&mut network, text, &"fresh ".repeat(PLACES as usize));
    assert!(entries_in(&network.devices[0].sent, text) - before >= 3, "it took several entries");
    undo(&mut network, 0, text);
    all_have(&mut network, text, &"word ".repeat(PLACES as usize));
}

#[test]
fn m5_a_text_in_many_pieces_is_emptied_and_comes_back() {
    const LETTERS: u32 = 2_500;
    let (mut network, text) = Network::with_document(2);
    write(&mut network, 0, text, &"ab".repeat(LETTERS as usize));
    change(&mut network, 0, text, |edit| {
        for letter in (0..LETTERS).rev() {
            edit.delete(letter * 2, 1).expect("inside the text");
        }
    });
    all_have(&mut network, text, &"b".repeat(LETTERS as usize));
    // Each letter that is left is a range of its own.
    change(&mut network, 0, text, |edit| edit.delete(0, LETTERS).expect("inside the text"));
    all_have(&mut network, text, "");
    undo(&mut network, 0, text);
    all_have(&mut network, text, &"b".repeat(LETTERS as usize));
}

#[test]
fn m5_megabytes_that_were_pasted_and_deleted_come_back() {
    let (mut network, text) = Network::with_document(2);
    let pasted = "fjord ".repeat(200_000);
    write(&mut network, 0, text, &pasted);
    all_have(&mut network, text, &pasted);
    change(&mut network, 0, text, |edit| edit.delete(0, edit.len()).expect("inside the text"));
    all_have(&mut network, text, "");
    undo(&mut network, 0, text);
    all_have(&mut network, text, &pasted);
}

#[test]
fn m5_what_more_people_have_written_than_one_entry_takes_out_goes() {
    let (mut network, text) = Network::with_document(1);
    let people = 2_100;
    network.relay.snapshot_after(u64::MAX / 4, 500);
    move_in(&mut network, text, (0..people).map(|number| (anybody(number), 1)));
    assert_eq!(network.text(0, text), "x".repeat(people as usize));
    change(&mut network, 0, text, |edit| edit.delete(0, people).expect("inside the text"));
    all_have(&mut network, text, "");
}

/// Typed here and there for a day, without a link; then the app dies, and the next one seals what it left.
#[test]
fn m5_a_day_offline_at_many_places_is_refused_by_nobody() {
    for dies in [false, true] {
        let (mut network, text) = Network::with_document(2);
        write(&mut network, 0, text, &"x".repeat(1_000));
        network.rest();
        network.go_offline(0);
        for place in 0..PLACES {
            network.insert(0, text, (place * 7) % 1_000, "y");
        }
        network.wait(60);
        network.settle();
        if dies {
            network.restart(0, true);
            network.open(0, text);
            network.settle();
        }
        network.go_online(0);
        network.rest();
        let expected = network.text(0, text);
        assert_eq!(expected.matches('y').count(), PLACES as usize);
        all_have(&mut network, text, &expected);
    }
}

#[test]
fn m5_a_fork_of_many_places_is_put_back() {
    let (mut network, text) = Network::with_document(2);
    write(&mut network, 0, text, &"word ".repeat(PLACES as usize));
    network.rest();
    let sent = network.devices[0].sent.len();
    replace_all(&mut network, 0, text);
    network.wait(60);
    network.lose_what_is_on_its_way();
    let first = network.devices[0].sent[sent..].iter().find_map(|message| match message {
        Message::Entries(entries) => entries.first().map(Entry::name),
        Message::Other(_) => None,
    });
    refuse(&mut network, 0, text, first.expect("it was sent"));
    network.rest();
    network.rest();
    assert_eq!(network.text(0, text), "word ".repeat(PLACES as usize));
    let id = network.devices[0].room.forks()[0].id;
    let now = network.clock(0);
    network.devices[0].room.reapply_fork(id, "", now).expect("it can be put back");
    all_have(&mut network, text, &"fresh ".repeat(PLACES as usize));
}

#[test]
fn m5_what_an_earlier_build_took_is_read_by_all_and_new_work_of_its_kind_is_refused() {
    let (mut network, text) = Network::with_document(1);
    let taken = Limits::default().jumps + 1;
    network.relay.snapshot_after(1, 500);
    move_in(&mut network, text, [(anybody(0), taken)].into_iter());
    assert_eq!(network.relay.home.figures().snapshots_made, 1);
    network.restart(0, true);
    network.open(0, text);
    let newcomer = network.join();
    network.open(newcomer, text);
    all_have(&mut network, text, &"x".repeat(taken as usize));

    network.insert(0, text, 0, "y");
    network.rest();
    let replica = network.devices[0].room.replica();
    let new = entry(text, replica, (2, 4), EntryKind::Edit, &crowded(replica, 1, taken));
    network.inject(0, frame(&new));
    network.rest();
    assert_eq!(network.relay.sent.iter().find_map(refusal).as_deref(), Some("guard.too-many"));
}

/// A page dies with a journal of three parts: letters, a value that is refused, and deletions, which build on neither. The
/// next page seals it.
#[test]
fn m5_behind_a_part_that_is_refused_all_is_in_the_fork() {
    const LETTERS: u32 = 2_500;
    let (mut network, text) = Network::with_document(2);
    let before = "ab".repeat(LETTERS as usize);
    write(&mut network, 0, text, &before);
    network.rest();
    let replica = network.devices[0].room.replica();
    let jumps = Limits::default().jumps;
    let mut journal = crowded(replica, 2 * LETTERS, jumps + 1);
    journal.truncate(journal.len() - b"\x04\x01\x04text\x01x\0".len());
    journal.extend(b"\x05\x01\x04text\x0d{\"a\":1,\"b\":2}\x01");
    [replica.client(), u64::from(LETTERS)].into_iter().for_each(|number| put(&mut journal, number));
    for letter in 0..LETTERS {
        [letter * 2, 1].into_iter().for_each(|number| put(&mut journal, u64::from(number)));
    }
    let row = stored::journal_key(&text, &replica, 0);
    network.devices[0].disk.put(row, stored::encode_piece(&journal));
    network.restart(0, true);
    network.open(0, text);
    network.rest();
    network.rest();
    let expected = "x".repeat(jumps as usize) + &before;
    for device in 0..2 {
        let shown = network.text(device, text);
        let counts = ['x', 'a', 'b'].map(|letter| shown.matches(letter).count());
        let forks = network.devices[0].room.forks();
        assert!(
            shown == expected,
            "device {device} shows {counts:?}, forks {forks:?}, refused {}",
            network.relay.home.figures().entries_refused
        );
    }
    let room = &network.devices[0].room;
    let [fork] = &room.forks()[..] else { panic!("there is one fork") };
    let whole = room.fork_text(fork.id).expect("the document is open");
    let left = whole.text.trim_start_matches(['x', '\u{fffc}']);
    assert!(left == "b".repeat(LETTERS as usize) && whole.is_complete, "the fork lacks something");
    assert_eq!(network.relay.home.figures().entries_refused, 0);
}

fn refusal((_, message): &(ConnId, Message)) -> Option<String> {
    match message {
        Message::Other(Body::Refused(refused)) => Some(refused.code.clone()),
        _ => None,
    }
}

fn put(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// A replica by its number.
fn anybody(number: u32) -> ReplicaId {
    let mut key = [1; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    ReplicaId::of_key(&key)
}

/// So many blocks that claim the beginning of the text, as no editor writes them.
pub(crate) fn crowded(replica: ReplicaId, clock: u32, blocks: u32) -> Vec<u8> {
    let mut update = vec![1];
    [u64::from(blocks), replica.client(), u64::from(clock)]
        .into_iter()
        .for_each(|number| put(&mut update, number));
    (0..blocks).for_each(|_| update.extend(b"\x04\x01\x04text\x01x"));
    update.push(0);
    update
}

/// One block of so many letters.
pub(crate) fn long(replica: ReplicaId, clock: u32, letters: usize) -> Vec<u8> {
    let mut update = vec![1];
    [1, replica.client(), u64::from(clock)].into_iter().for_each(|number| put(&mut update, number));
    update.extend(b"\x04\x01\x04text");
    put(&mut update, letters as u64);
    update.resize(update.len() + letters, b'x');
    update.push(0);
    update
}

/// A home whose disk holds an update of so many blocks of each of these.
fn move_in(network: &mut Network, text: StreamId, writers: impl Iterator<Item = (ReplicaId, u32)>) {
    let (disk, mut arrivals, mut bytes) = (&mut network.relay.disk, 0, 0);
    for (replica, blocks) in writers {
        let (mut head, mut seq) = (Head::START, 0);
        let create = (arrivals == 0).then_some((EntryKind::Create, Vec::new()));
        let update = (EntryKind::Edit, crowded(replica, 0, blocks));
        for (kind, payload) in create.into_iter().chain([update]) {
            seq += 1;
            let entry = entry(text, replica, (seq, seq), kind, &payload);
            head = head.next(&entry);
            disk.put(stored::entry_key(&text, arrivals), stored::encode_entry(&entry));
            let index = IndexRecord { arrival: arrivals, head };
            disk.put(stored::index_key(&text, &replica, seq), index.encode());
            arrivals += 1;
            bytes += entry.bytes().len() as u64;
        }
        let tip = Tip { seq, head, logical: seq, clock: blocks, introduced: None };
        disk.put(stored::tip_key(&text, &replica), TipRecord::from(tip).encode());
    }
    disk.put(stored::stream_key(&text), StreamRecord { arrivals, bytes }.encode());
    network.restart_home();
    for _ in 0..4 {
        network.rest();
    }
}
