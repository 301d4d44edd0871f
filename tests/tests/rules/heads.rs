//! Rule 11: signed heads, and what others bring with them to a home that has lost it.

use causeway_core::device::Event;
use causeway_core::ids::StreamId;
use causeway_core::limits::HEADS_TICK;
use causeway_core::log::{EntryKind, Head, SignedHead, Tip};
use causeway_core::replica::Identity;
use causeway_core::stored::{self, IndexRecord, Prefix, StreamRecord, TipRecord};
use causeway_core::wire::{Body, Message};
use causeway_guard::Limits;
use causeway_tests::disk::Disk;
use causeway_tests::network::{Network, room};

use crate::costs::crowded;
use crate::craft::{entry, frame};

/// Long enough for authors to be asked, and for what they sign to be handed out.
pub(crate) fn sign(network: &mut Network) {
    for _ in 0..HEADS_TICK.0 / 1_000 + 4 {
        network.rest();
    }
}

fn heads(disk: &Disk) -> Vec<SignedHead> {
    let rows = disk.rows_of(Prefix::Vouched as u8);
    rows.map(|(_, value)| SignedHead::decode(value).expect("a record")).collect()
}

fn is_unsigned(event: &Event) -> bool {
    matches!(event, Event::Damaged { code, .. } if code == "home.unsigned")
}

fn calls_unsigned(network: &mut Network, device: usize, text: StreamId) -> bool {
    let of_text = |event: &&Event| matches!(event, Event::Damaged { stream, .. } if *stream == text);
    network.events(device).iter().filter(of_text).any(is_unsigned)
}

/// Device 0 has written something and is gone for good; the home is put back to before that. Device 1 has it all.
fn left_behind(signed: bool) -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "before. ");
    network.rest();
    let backup = network.relay.disk.clone();
    network.insert(0, text, 8, "Never ");
    network.rest();
    network.insert(0, text, 14, "again");
    if signed {
        sign(&mut network);
    } else {
        network.rest();
    }
    network.go_offline(0);
    network.relay.put_back(backup, 2);
    network.restart_home();
    (network, text)
}

#[test]
fn rule_11_a_chain_that_rests_is_signed_and_the_head_is_kept_by_whoever_holds_the_chain() {
    let (mut network, text) = Network::with_document(3);
    network.insert(0, text, 0, "one ");
    network.rest();
    network.insert(0, text, 4, "two");
    sign(&mut network);
    let author = network.devices[0].room.replica();
    let at_home = heads(&network.relay.disk);
    let [signed] = at_home.as_slice() else { panic!("one chain, one head: {at_home:?}") };
    assert_eq!((signed.stream, signed.name.replica), (text, author));
    assert_eq!(signed.name.seq, network.relay.seq(&text, &author), "up to its end");
    assert!(signed.is_signed(&room()));
    assert_eq!(heads(&network.devices[1].disk), at_home);
    assert_eq!(heads(&network.devices[2].disk), at_home);
    assert_eq!(heads(&network.devices[0].disk), [], "its author needs none");
    network.insert(0, text, 7, " three");
    sign(&mut network);
    let newer = heads(&network.devices[1].disk);
    assert_eq!(newer, heads(&network.relay.disk));
    assert!(
        newer.len() == 1 && newer[0].name.seq > signed.name.seq,
        "the newest one stands for all before it"
    );
}

#[test]
fn rule_11_a_head_takes_part_in_the_room_and_in_the_stream_only() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "here");
    sign(&mut network);
    let signed = heads(&network.relay.disk).remove(0);
    assert!(signed.is_signed(&room()));
    assert!(!signed.is_signed(&"another".parse().expect("a room name")));
    let elsewhere = SignedHead { stream: StreamId::ydoc([9; 16]), ..signed.clone() };
    assert!(!elsewhere.is_signed(&room()));
    let mut ahead = signed;
    ahead.name.seq += 1;
    assert!(!ahead.is_signed(&room()));
}

#[test]
fn rule_11_somebody_who_types_on_is_asked_now_and_then_and_a_chain_at_rest_costs_nothing() {
    let (mut network, text) = Network::with_document(2);
    let asked = |network: &Network| {
        let attests = network.relay.sent.iter().filter(|(_, m)| matches!(m, Message::Other(Body::Attest(_))));
        attests.count()
    };
    for _ in 0..120 {
        network.insert(0, text, 0, "x");
        network.rest();
    }
    let while_typing = asked(&network);
    assert!((1..=3).contains(&while_typing), "{while_typing} times in two minutes");
    sign(&mut network);
    let at_rest = asked(&network);
    for _ in 0..60 {
        network.rest();
    }
    assert_eq!(asked(&network), at_rest);
    assert_eq!(heads(&network.devices[1].disk).len(), 1);
}

#[test]
fn rule_11_what_somebody_wrote_who_never_comes_back_returns_from_others() {
    let (mut network, text) = left_behind(true);
    for _ in 0..5 {
        network.rest();
    }
    let author = network.devices[0].room.replica();
    assert_eq!(network.relay.seq(&text, &author), 4);
    assert_eq!(network.relay.home.figures().entries_brought, 2);
    assert_eq!(network.relay.closed, []);
    assert_eq!(heads(&network.relay.disk).len(), 1, "the home has the head again");
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), "before. Never again", "a newcomer reads it from the home");
    network.insert(1, text, 19, "!");
    network.rest();
    assert_eq!(network.text(late, text), "before. Never again!");
    assert!(!calls_unsigned(&mut network, 1, text));
    // And should its author come back all the same, nothing is there twice.
    network.go_online(0);
    for _ in 0..3 {
        network.rest();
    }
    assert_eq!(network.text(0, text), "before. Never again!");
    assert_eq!(network.relay.closed, []);
}

#[test]
fn rule_11_what_builds_on_it_comes_with_it() {
    let (mut network, text) = Network::with_document(3);
    let backup = network.relay.disk.clone();
    for n in 0..12 {
        network.insert(n % 3, text, 0, "x");
        network.rest();
    }
    sign(&mut network);
    network.go_offline(0);
    network.go_offline(1);
    network.relay.put_back(backup, 2);
    network.restart_home();
    for _ in 0..30 {
        network.rest();
    }
    assert_eq!(network.devices[2].room.save_status(text).unsaved_on_relay, 0, "its own work is saved again");
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text).len(), 12);
}

#[test]
fn rule_11_two_who_bring_the_same_at_once_are_both_welcome() {
    let (mut network, text) = Network::with_document(3);
    let backup = network.relay.disk.clone();
    network.insert(0, text, 0, "first. ");
    sign(&mut network);
    (0..3).for_each(|device| network.go_offline(device));
    network.insert(1, text, 7, "second. ");
    network.insert(2, text, 7, "third. ");
    network.wait(60);
    network.relay.put_back(backup, 2);
    network.restart_home();
    network.go_online(1);
    network.go_online(2);
    for _ in 0..30 {
        network.rest();
    }
    assert_eq!(network.relay.closed, [], "nobody is sent away for bringing what the home asked for");
    let (one, two) = (network.text(1, text), network.text(2, text));
    assert_eq!(one, two);
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), one);
    assert!(one.contains("first. ") && one.contains("second. ") && one.contains("third. "), "{one}");
}

#[test]
fn rule_11_what_is_not_signed_stays_where_it_is_and_that_is_said() {
    let (mut network, text) = left_behind(false);
    for _ in 0..15 {
        network.rest();
    }
    assert!(calls_unsigned(&mut network, 1, text));
    assert_eq!(network.text(1, text), "before. Never again", "it is not lost on the device");
    assert_eq!(network.relay.entries(&text), 2, "and nobody takes it for what its author wrote");
    assert_eq!(network.relay.closed, []);
    let before = network.relay.sent.len();
    for _ in 0..60 {
        network.rest();
    }
    let asked = network.relay.sent[before..].iter();
    let asked = asked.filter(|(_, message)| matches!(message, Message::Other(Body::Need(_))));
    assert!(asked.count() <= 1, "it is not asked for again and again");
    network.go_online(0);
    for _ in 0..3 {
        network.rest();
    }
    assert_eq!(network.relay.entries(&text), 4, "its author brings it");
}

#[test]
fn rule_11_what_is_written_upon_unsigned_work_waits_with_it_and_nobody_is_told_twice() {
    let (mut network, text) = left_behind(false);
    network.insert(1, text, 0, "mine ");
    let asked = |network: &Network| {
        let needs = network.relay.sent.iter();
        needs.filter(|(_, message)| matches!(message, Message::Other(Body::Need(_)))).count()
    };
    for _ in 0..15 {
        network.rest();
    }
    let (before, told) =
        (asked(&network), network.events(1).iter().filter(|event| is_unsigned(event)).count());
    assert_eq!(told, 1);
    for _ in 0..60 {
        network.rest();
    }
    assert_eq!((asked(&network), calls_unsigned(&mut network, 1, text)), (before, false));
    assert_eq!(network.devices[1].room.save_status(text).unsaved_on_relay, 1, "it is not called saved");
    assert_eq!(network.relay.closed, []);
    network.go_online(0);
    for _ in 0..15 {
        network.rest();
    }
    assert_eq!(network.text(0, text), "mine before. Never again");
    assert_eq!(network.devices[1].room.save_status(text).unsaved_on_relay, 0);
}

#[test]
fn rule_11_each_entry_is_sent_once_though_own_work_waits_for_it() {
    let (mut network, text) = Network::with_document(2);
    let backup = network.relay.disk.clone();
    network.insert(0, text, 0, "one ");
    network.rest();
    network.insert(0, text, 4, "two ");
    sign(&mut network);
    network.go_offline(0);
    network.go_offline(1);
    for word in ["three ", "four "] {
        network.insert(1, text, 8, word);
        network.wait(1_000);
    }
    network.relay.put_back(backup, 2);
    network.restart_home();
    let before = network.devices[1].sent.len();
    network.go_online(1);
    for _ in 0..30 {
        network.rest();
    }
    let author = network.devices[0].room.replica();
    let sent = network.devices[1].sent[before..].iter().flat_map(|message| match message {
        Message::Entries(entries) => entries.as_slice(),
        Message::Other(_) => &[],
    });
    let forwarded: Vec<u64> =
        sent.map(|entry| entry.name()).filter(|name| name.replica == author).map(|name| name.seq).collect();
    assert_eq!(forwarded, (1..=network.relay.seq(&text, &author)).collect::<Vec<_>>());
    assert_eq!(network.devices[1].room.save_status(text).unsaved_on_relay, 0);
}

/// What an earlier build took, whose author is gone, is refused by the home that was put back.
#[test]
fn rule_11_what_the_home_refuses_now_is_sent_to_it_once() {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "ground. ");
    network.rest();
    let backup = network.relay.disk.clone();
    let author = Identity::from_secret(&[77; 32]);
    let update = crowded(author.id(), 0, Limits::default().jumps + 1);
    let taken = entry(text, author.id(), (1, 1), EntryKind::Edit, &update);
    let head = Head::START.next(&taken);
    let disk = &mut network.relay.disk;
    let record = disk.row(&stored::stream_key(&text)).and_then(|row| StreamRecord::decode(row).ok());
    let StreamRecord { arrivals, bytes } = record.expect("the home has it");
    let tip = Tip { seq: 1, head, logical: 1, clock: Limits::default().jumps + 1, introduced: None };
    let index = IndexRecord { arrival: arrivals, head };
    let record = StreamRecord { arrivals: arrivals + 1, bytes: bytes + taken.bytes().len() as u64 };
    let signed = author.vouch(text, 1, head, &room());
    disk.put(stored::entry_key(&text, arrivals), stored::encode_entry(&taken));
    disk.put(stored::index_key(&text, &author.id(), 1), index.encode());
    disk.put(stored::tip_key(&text, &author.id()), TipRecord::from(tip).encode());
    disk.put(stored::stream_key(&text), record.encode());
    disk.put(stored::vouched_key(&text, &author.id()), signed.encode());
    network.restart_home();
    network.rest();
    assert_eq!(heads(&network.devices[0].disk), [signed]);
    network.insert(0, text, 0, "upon it. ");
    network.rest();
    let whole = network.text(0, text);
    assert!(whole.contains("xxx"));
    network.relay.put_back(backup, 2);
    network.restart_home();
    let before = network.devices[0].sent.len();
    for _ in 0..60 {
        network.rest();
    }
    let sent = network.devices[0].sent[before..].iter().flat_map(|message| match message {
        Message::Entries(entries) => entries.as_slice(),
        Message::Other(_) => &[],
    });
    assert_eq!(sent.filter(|entry| entry.name().replica == author.id()).count(), 1);
    assert_eq!(network.relay.home.figures().entries_refused, 1);
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 1, "what builds on it waits");
    assert!(network.devices[0].room.forks().is_empty());
    assert_eq!(network.text(0, text), whole);
    assert_eq!(network.relay.closed, []);
}

#[test]
fn rule_11_heads_outlive_restarts_of_device_and_home() {
    let (mut network, text) = Network::with_document(2);
    let backup = network.relay.disk.clone();
    network.insert(0, text, 0, "kept");
    sign(&mut network);
    let kept = heads(&network.relay.disk);
    network.restart_home();
    for _ in 0..15 {
        network.rest();
    }
    assert_eq!(heads(&network.relay.disk), kept);
    network.go_offline(0);
    network.restart(1, true);
    network.relay.put_back(backup, 2);
    network.restart_home();
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(network.relay.home.figures().entries_brought, 2, "nobody has to open the text for it");
    network.open(1, text);
    network.rest();
    assert_eq!(network.text(1, text), "kept");
}

#[test]
fn rule_11_who_comes_later_is_given_the_heads_too() {
    let (mut network, text) = Network::with_document(1);
    let backup = network.relay.disk.clone();
    network.insert(0, text, 0, "early bird");
    sign(&mut network);
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(heads(&network.devices[late].disk), heads(&network.relay.disk));
    network.go_offline(0);
    network.relay.put_back(backup, 2);
    network.restart_home();
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(network.relay.entries(&text), 2);
}

#[test]
fn rule_11_an_author_who_left_at_once_signs_when_it_comes_back() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "in a hurry");
    network.settle();
    network.go_offline(0);
    sign(&mut network);
    assert_eq!(heads(&network.relay.disk), []);
    network.go_online(0);
    sign(&mut network);
    assert_eq!(heads(&network.relay.disk).len(), 1);
    assert_eq!(heads(&network.devices[1].disk).len(), 1);
}

#[test]
fn rule_11_heads_go_with_what_snapshots_cover() {
    let (mut network, text) = Network::with_document(2);
    network.relay.snapshot_after(10, 500);
    for _ in 0..3 {
        network.insert_times(12, 0, text, "word ");
        sign(&mut network);
        assert!(heads(&network.relay.disk).len() <= 1);
    }
    network.restart(0, true);
    network.open(0, text);
    network.rest();
    for _ in 0..3 {
        network.insert_times(12, 0, text, "more ");
        sign(&mut network);
    }
    let kept: Vec<_> = heads(&network.relay.disk).iter().map(|signed| signed.name.replica).collect();
    assert_eq!(kept, [network.devices[0].room.replica()], "the page that is gone is covered twice over");
}

#[test]
fn rule_11_a_text_that_is_deleted_takes_its_heads_along() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "short life");
    sign(&mut network);
    assert_eq!(heads(&network.devices[1].disk).len(), 1);
    let replica = network.devices[0].room.replica();
    let seq = network.relay.seq(&text, &replica);
    let end = entry(text, replica, (seq + 1, seq + 1), EntryKind::Delete, &[]);
    network.inject(0, frame(&end));
    sign(&mut network);
    assert_eq!((heads(&network.relay.disk), heads(&network.devices[1].disk)), (vec![], vec![]));
}
