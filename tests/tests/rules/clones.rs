//! Rule 12: a device's store that was copied, and both copies come to life.

use causeway_core::chat::{ChatOp, Saved};
use causeway_core::device::Event;
use causeway_core::ids::ReplicaId;
use causeway_core::log::Header;
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Message};
use causeway_tests::network::Network;

use crate::channels::{channel, open, posts, say};
use crate::craft::{entry, frame};

/// Device 0 has typed a little that only its disk knows; device 1 starts from a copy of that disk.
fn copied() -> (Network, causeway_core::ids::StreamId, usize) {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "common. ");
    network.rest();
    network.go_offline(0);
    network.insert(0, text, 8, "left behind. ");
    network.wait(60);
    let copy = network.devices[0].disk.clone();
    let other = network.join();
    network.devices[other].disk = copy;
    (network, text, other)
}

#[test]
fn rule_12_a_number_that_stands_for_the_other_copys_entry_is_not_believed() {
    let (mut network, text, other) = copied();
    let copied = network.devices[0].room.replica();
    // The copy seals what it found under the old name, and is first at the home.
    network.open(other, text);
    network.rest();
    assert_eq!(network.relay.seq(&text, &copied), 3);
    // The original has written so much meanwhile that it was sealed without a link: the same number, other words.
    let page = "only here. ".repeat(5_000);
    for _ in 0..6 {
        network.insert(0, text, 21, &page);
        network.wait(60);
    }
    let receipt = network.insert(0, text, 0, "!");
    network.wait(60);
    assert!(network.receipt(0, &receipt).device);
    network.go_online(0);
    for _ in 0..5 {
        network.rest();
    }
    let state = network.receipt(0, &receipt);
    assert!(!state.relay && state.refused, "the home has never seen these words: {state:?}");
    let told = network.events(0);
    let cloned = |event: &Event| matches!(event, Event::Fork { code, .. } if code == "replica.cloned");
    assert!(told.iter().any(cloned), "it is told why");
    assert!(network.devices[0].disk.rows_of(b'f').count() > 0, "and they are kept");
    assert_eq!(network.text(0, text), "common. left behind. ", "the room's truth is shown");
    assert_eq!(network.text(other, text), "common. left behind. ");
    network.insert(0, text, 0, "On: ");
    network.rest();
    assert_ne!(network.devices[0].room.replica(), copied, "and writing goes on under a new name");
    assert_eq!(network.text(other, text), "On: common. left behind. ");
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
}

#[test]
fn rule_12_saved_with_another_head_is_not_believed() {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "first, ");
    network.rest();
    let receipt = network.insert(0, text, 7, "second");
    network.lose_what_is_on_its_way();
    let (stream, replica) = (text, network.devices[0].room.replica());
    let lie = wire::Saved { stream, replica, seq: 3, head: [0; 8] };
    network.hand_to_device(0, &Message::Other(Body::Saved(lie)));
    network.rest();
    let state = network.receipt(0, &receipt);
    assert!(!state.relay && state.refused, "{state:?}");
    assert_eq!(network.devices[0].room.save_status(text).forks, 1);
    assert_eq!(network.text(0, text), "first, ");
}

/// Puts words that no device here knows into the channel at home, under the name that a device writes under now: its copy said
/// them while it was away.
fn said_by_the_copy(network: &mut Network, device: usize, words: &[&str]) {
    let replica = network.devices[device].room.replica();
    for text in words {
        let seq = network.relay.seq(&channel(), &replica) + 1;
        let op = ChatOp::Post { text: (*text).into(), reply_to: None, after: Millis(0) };
        let payload = wire::payload::encode_chat(&op);
        let before = entry(channel(), replica, (seq, seq), op.kind(), &payload);
        let header = Header { time: network.clock(device).wall, ..before.header().clone() };
        network.inject(device, frame(&wire::entry::build(header, &payload)));
        network.deliver_to_home();
    }
    network.lose_what_is_on_its_way();
}

/// Two people in a channel; what device 0 says while it is away its copy has said otherwise.
fn talkers_and_a_copy() -> (Network, ReplicaId) {
    let mut network = Network::new(2);
    open(&mut network, 0, 1);
    open(&mut network, 1, 2);
    network.rest();
    say(&mut network, 0, "common");
    network.rest();
    let copied = network.devices[0].room.replica();
    (network, copied)
}

fn texts(network: &Network, device: usize) -> Vec<String> {
    posts(network, device).into_iter().map(|post| post.text).collect()
}

/// Nobody is told at any moment that `ours` is with the home.
fn never_saved(network: &mut Network, ours: &str) {
    for _ in 0..60 {
        network.settle_seeing(|network| {
            let told = posts(network, 0).into_iter().find(|post| post.text == ours);
            assert!(told.is_none_or(|post| post.saved != Saved::Relay), "the home has never seen it");
        });
        network.wait(250);
    }
}

#[test]
fn rule_12_a_snapshot_that_covers_more_than_was_written_here_does_not_say_that_the_home_has_it() {
    let (mut network, copied) = talkers_and_a_copy();
    network.relay.snapshot_after(4, 300);
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    network.go_offline(0);
    say(&mut network, 0, "ours");
    network.rest();
    assert!(network.relay.disk.rows_of(b'h').count() > 0, "there is a snapshot");
    network.go_online(0);
    never_saved(&mut network, "ours");
    let drafts = network.devices[0].room.drafts(channel());
    assert_eq!(drafts.iter().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ["ours"]);
    assert_eq!(texts(&network, 0), ["common", "theirs", "theirs too"]);
    say(&mut network, 0, "on");
    network.rest();
    assert_ne!(network.devices[0].room.replica(), copied);
    assert_eq!(texts(&network, 1), texts(&network, 0));
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
}

#[test]
fn rule_12_what_the_home_has_of_both_under_a_snapshot_is_saved() {
    let (mut network, _) = talkers_and_a_copy();
    network.relay.snapshot_after(4, 300);
    // It is at the home, and its answer is lost.
    say(&mut network, 0, "heard");
    network.deliver_to_home();
    network.lose_what_is_on_its_way();
    said_by_the_copy(&mut network, 0, &["theirs"]);
    network.go_offline(0);
    network.rest();
    assert!(network.relay.disk.rows_of(b'h').count() > 0, "there is a snapshot");
    network.go_online(0);
    for _ in 0..15 {
        network.rest();
    }
    assert_eq!(texts(&network, 0), ["common", "heard", "theirs"]);
    assert_eq!(network.devices[0].room.drafts(channel()), []);
    assert!(posts(&network, 0).iter().all(|post| post.saved == Saved::Relay));
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
}
