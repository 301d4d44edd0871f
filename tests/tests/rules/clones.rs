//! Rule 12: a device's store that was copied, and both copies come to life.

use causeway_core::device::Event;
use causeway_core::wire::{Body, Message, Saved};
use causeway_tests::network::Network;

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
    let lie = Saved { stream, replica, seq: 3, head: [0; 8] };
    network.hand_to_device(0, &Message::Other(Body::Saved(lie)));
    network.rest();
    let state = network.receipt(0, &receipt);
    assert!(!state.relay && state.refused, "{state:?}");
    assert_eq!(network.devices[0].room.save_status(text).forks, 1);
    assert_eq!(network.text(0, text), "first, ");
}
