//! Rules 1, 2, 4, 5 and 6: entries, replicas, dependencies, digests, refusals.

use causeway_core::chat::Saved;
use causeway_core::device::{Connection, Event};
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::EntryKind;
use causeway_core::wire::{Body, ErrorCode, Message, Refused};
use causeway_tests::network::Network;

use crate::channels::{channel, open, posts, say};
use crate::craft::{entries_in, entry, forged, frame};

#[test]
fn rule_1_sending_twice_is_harmless() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "once");
    network.rest();
    let sent: Vec<_> =
        network.devices[0].sent.iter().filter(|m| matches!(m, Message::Entries(_))).cloned().collect();
    let before = network.relay.entries(&text);
    for message in sent.iter().chain(&sent) {
        network.inject(0, causeway_core::wire::encode(message));
    }
    network.rest();
    assert_eq!(network.relay.entries(&text), before);
    assert_eq!((network.text(0, text), network.text(1, text)), ("once".into(), "once".into()));
    assert_eq!(network.relay.closed, []);
}

#[test]
fn rule_2_every_life_of_a_page_writes_under_a_name_of_its_own() {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "first");
    network.rest();
    let first = network.devices[0].room.replica();
    network.restart(0, true);
    network.open(0, text);
    network.rest();
    network.insert(0, text, 5, " second");
    network.rest();
    let second = network.devices[0].room.replica();
    assert_ne!(first, second);
    assert!(network.relay.seq(&text, &first) > 0 && network.relay.seq(&text, &second) > 0);
}

#[test]
fn rule_2_nobody_writes_in_a_name_whose_key_it_does_not_hold() {
    let (mut network, text) = Network::with_document(2);
    let stranger = ReplicaId::from_bytes([9; 32]);
    network.inject(1, frame(&entry(text, stranger, (1, 1), EntryKind::Create, &[])));
    network.settle();
    assert_eq!(network.relay.closed.last().map(|(_, code)| *code), Some(ErrorCode::Unproven as u16));
    assert_eq!(network.relay.entries(&text), 0, "nothing is stored");
    assert!(
        matches!(network.devices[1].room.connection(), Connection::Stopped { .. }),
        "the liar is sent away"
    );
    assert_eq!(network.devices[0].room.connection(), Connection::Online, "nobody else notices");
}

#[test]
fn rule_4_an_entry_waits_for_what_it_builds_on_and_need_is_asked() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "so: ");
    network.rest();
    let stored = network.relay.entries(&text);
    network.insert(0, text, 4, "one ");
    network.lose_what_is_on_its_way();
    network.wait(60);
    network.insert(0, text, 8, "two");
    network.wait(60);
    let before = network.relay.sent.len();
    network.deliver_to_home();
    assert_eq!(network.relay.entries(&text), stored, "the second is not stored before the first");
    let asked = network.relay.sent[before..].iter().filter(|(_, message)| {
        matches!(message, Message::Other(Body::Need(need)) if need.stream == text && need.from == 3)
    });
    assert_eq!(asked.count(), 1, "the sender is asked once for all that is missing");
    network.settle();
    assert_eq!(network.text(1, text), "so: one two");
    assert_eq!(network.relay.closed, [], "a gap is no error");
}

#[test]
fn rule_4_a_reader_asks_for_what_it_missed_too() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "one ");
    network.deliver_to_home();
    network.lose_what_is_on_its_way();
    network.wait(60);
    network.insert(0, text, 4, "two");
    network.rest();
    assert_eq!(network.text(1, text), "one two");
}

#[test]
fn rule_4_two_sides_that_lack_a_third_ones_work_do_not_drown_each_other() {
    let (mut network, text) = Network::with_document(3);
    let backup = network.relay.disk.clone();
    for n in 0..10 {
        network.insert(n % 2, text, 0, "x");
        network.rest();
    }
    network.go_offline(0);
    network.relay.put_back(backup, 2);
    network.restart_home();
    let before = network.relay.sent.len();
    // Most of what device 1 offers builds on what only device 0 can bring.
    for _ in 0..20 {
        network.insert(1, text, 0, "y");
        network.rest();
    }
    let talk = network.relay.sent.len() - before;
    assert!(talk < 400, "twenty seconds of waiting take {talk} frames");
    network.go_online(0);
    for _ in 0..10 {
        network.rest();
    }
    let all = network.text(0, text);
    assert_eq!((all.len(), &network.text(1, text), &network.text(2, text)), (30, &all, &all));
}

#[test]
fn rule_5_equal_digests_cost_one_answer_and_no_entries() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "the same everywhere");
    network.rest();
    network.drop_link(1);
    let before = network.relay.sent.len();
    network.go_online(1);
    network.settle();
    let told: Vec<&Message> = network.relay.sent[before..].iter().map(|(_, message)| message).collect();
    assert_eq!(entries_in(told.iter().copied(), text), 0);
    let asked = told.iter().filter_map(|message| match message {
        Message::Other(Body::Synced(synced)) => Some(synced.stream),
        _ => None,
    });
    assert_eq!(
        asked.collect::<Vec<_>>(),
        [StreamId::DIRECTORY],
        "only what nobody has written in is asked for"
    );
    let welcomed =
        |message: &&&Message| matches!(message, Message::Other(Body::Welcome(welcome)) if welcome.in_step);
    assert_eq!(told.iter().filter(welcomed).count(), 1);
    network.insert(0, text, 0, "still followed: ");
    network.rest();
    assert_eq!(network.text(1, text), "still followed: the same everywhere");
}

/// A restored home made it doubt what was saved, and another has all of it.
#[test]
fn rule_5_who_is_in_step_with_a_home_knows_that_all_is_saved_there() {
    let mut network = Network::new(1);
    open(&mut network, 0, 1);
    network.rest();
    let backup = network.relay.disk.clone();
    say(&mut network, 0, "on the relay");
    network.rest();
    for (disk, epoch) in [(backup, 2), (network.relay.disk.clone(), 1)] {
        network.go_offline(0);
        network.relay.put_back(disk, epoch);
        network.restart_home();
        network.relay.slow = epoch == 2;
        network.go_online(0);
        network.settle();
        network.trickle();
        network.settle();
    }
    let post = posts(&network, 0).pop().expect("a post");
    assert_eq!((post.text.as_str(), post.saved), ("on the relay", Saved::Relay));
}

/// The restored home has said up to where it has what somebody wrote, and not that this is all.
#[test]
fn rule_5_who_is_in_step_with_a_home_that_lacks_something_offers_it() {
    let mut network = Network::new(1);
    open(&mut network, 0, 1);
    network.rest();
    say(&mut network, 0, "on the relay");
    network.rest();
    let backup = network.relay.disk.clone();
    let last = say(&mut network, 0, "in no backup");
    network.rest();
    network.go_offline(0);
    network.relay.put_back(backup, 2);
    network.restart_home();
    network.relay.slow = true;
    network.go_online(0);
    let told = |network: &Network| {
        let sent = network.relay.sent.last().map(|(_, message)| message);
        matches!(sent, Some(Message::Other(Body::Synced(synced))) if synced.stream == channel())
    };
    while !told(&network) {
        network.settle();
        network.trickle();
    }
    let frames = network.waiting_for(0);
    network.deliver_to_device(0, frames - 1);
    network.drop_link(0);
    network.relay.slow = false;
    network.go_online(0);
    network.settle();
    assert_eq!(network.relay.seq(&channel(), &last.replica), last.seq);
}

#[test]
fn rule_5_other_content_under_the_same_name_is_noticed() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "mine");
    network.rest();
    // The home's store was copied and somebody else wrote on in it: the same numbers, other words.
    let forged = forged(&network, 0, text, "not ");
    network.insert(0, text, 4, " own");
    network.wait(60);
    network.lose_what_is_on_its_way();
    network.inject(0, frame(&forged));
    network.settle();
    network.restart_home();
    network.rest();
    let noticed = network.events(0).iter().any(|event| {
        matches!(event, Event::Fork { .. })
            || matches!(event, Event::Damaged { code, .. } if code == "stream.digest")
    });
    assert!(noticed, "equal versions are not enough");
}

/// A home that is stricter than the device refuses what was written last.
fn refuse_newest(network: &mut Network, device: usize, text: StreamId) {
    network.lose_what_is_on_its_way();
    let newest = network.devices[device].sent.iter().rev().find_map(|message| match message {
        Message::Entries(entries) => entries.last().map(|entry| entry.name()),
        Message::Other(_) => None,
    });
    let name = newest.expect("the device has sent entries");
    let (code, sentence) = ("ydoc.guard".into(), "this home is stricter".into());
    let refused = Refused { stream: text, replica: name.replica, seq: name.seq, code, sentence };
    network.hand_to_device(device, &refused.into());
}

#[test]
fn rule_6_a_refusal_becomes_a_fork_and_writing_goes_on_under_a_new_name() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "common ground");
    network.rest();
    let refused = network.devices[0].room.replica();
    let receipt = network.insert(0, text, 13, ", and mine");
    refuse_newest(&mut network, 0, text);
    network.rest();
    let told = network.events(0);
    assert!(
        told.iter().any(|event| matches!(event, Event::Fork { code, .. } if code == "ydoc.guard")),
        "{told:?}"
    );
    let state = network.receipt(0, &receipt);
    assert!(state.refused && !state.relay, "{state:?}");
    assert_eq!(network.devices[0].room.save_status(text).forks, 1);
    assert_eq!(network.devices[0].disk.rows_of(b'f').count(), 1, "the work is kept");
    assert_eq!(network.text(0, text), "common ground", "the room's truth is shown");
    let next = network.insert(0, text, 0, "still here: ");
    network.rest();
    assert_ne!(network.devices[0].room.replica(), refused);
    assert_eq!(network.text(1, text), "still here: common ground");
    let state = network.receipt(0, &next);
    assert!(state.relay && !state.refused, "{state:?}");
    assert_eq!(
        network.devices[0].room.save_status(text).unsaved_on_relay,
        0,
        "nothing waits for a refused edit"
    );
    network.restart(0, true);
    network.open(0, text);
    network.rest();
    assert_eq!(network.devices[0].room.save_status(text).forks, 1, "the next page still has it");
    assert_eq!(network.text(0, text), "still here: common ground");
}

#[test]
fn rule_6_what_was_sealed_before_the_refused_entry_is_not_called_refused() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "first, ");
    network.rest();
    network.relay.disk_answers = false;
    let taken = network.insert(0, text, 7, "taken, ");
    network.deliver_to_home();
    network.wait(60);
    let refused = network.insert(0, text, 14, "refused");
    refuse_newest(&mut network, 0, text);
    network.settle();
    assert!(!network.receipt(0, &taken).refused && network.receipt(0, &refused).refused);
    network.release_home_disk();
    network.rest();
    let state = network.receipt(0, &taken);
    assert!(state.relay && !state.refused, "{state:?}");
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
    assert_eq!(network.text(0, text), "first, taken, ");
    assert_eq!(network.text(1, text), "first, taken, ");
}

#[test]
fn rule_14_a_document_begins_with_its_creation() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "known");
    network.rest();
    let unborn = StreamId::ydoc([3; 16]);
    let replica = network.devices[0].room.replica();
    network.inject(0, frame(&entry(unborn, replica, (1, 1), EntryKind::Edit, &[0, 0])));
    network.settle();
    let refused = network.relay.sent.iter().any(|(_, message)| {
        matches!(message, Message::Other(Body::Refused(refused)) if refused.code == "stream.unborn")
    });
    assert!(refused);
    assert_eq!(network.relay.entries(&unborn), 0);
}

#[test]
fn rule_14_after_deletion_it_is_gone_edits_become_forks_and_24_bytes_stay() {
    let (mut network, text) = Network::with_document(3);
    network.insert(0, text, 0, "short life");
    network.rest();
    network.go_offline(2);
    network.insert(2, text, 0, "unheard: ");
    network.wait(60);
    let replica = network.devices[0].room.replica();
    let seq = network.relay.seq(&text, &replica);
    network.inject(0, frame(&entry(text, replica, (seq + 1, seq + 1), EntryKind::Delete, &[])));
    network.rest();
    assert_eq!(network.relay.entries(&text), 0);
    let tombstones: Vec<usize> = network.relay.disk.rows_of(b't').map(|(_, value)| value.len()).collect();
    assert_eq!(tombstones, [24]);
    assert!(network.events(1).contains(&Event::Gone(text)), "who is here is told at once");
    network.go_online(2);
    network.rest();
    let told = network.events(2);
    assert!(told.contains(&Event::Gone(text)), "{told:?}");
    assert!(told.iter().any(|event| matches!(event, Event::Fork { code, .. } if code == "stream.gone")));
    assert!(network.devices[2].disk.rows_of(b'f').count() > 0, "what was written offline is kept");
    network.restart_home();
    network.rest();
    assert!(network.devices[1].room.text(text).is_err(), "it stays gone over a restart");
}
