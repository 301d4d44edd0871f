//! Rules 6 and 12: what stands below refused work, what lay on its way from the disk meanwhile, and what builds on another copy's words.

use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::stored;
use causeway_core::wire::{Body, Message, Need, Refused};
use causeway_tests::disk::Disk;
use causeway_tests::network::Network;

use crate::channels::{channel, open, say};
use crate::clones::{damaged, said_by_the_copy, talkers_and_a_copy, texts};

/// "one " is saved as the second entry of device 0's chain; the third, "two", is on its disk alone.
fn one_saved_and_two_not() -> (Network, StreamId, ReplicaId) {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "one ");
    network.rest();
    network.home_is_deaf = true;
    network.insert(0, text, 4, "two");
    network.settle();
    let replica = network.devices[0].room.replica();
    assert_eq!(network.relay.seq(&text, &replica), 2);
    (network, text, replica)
}

fn refuse(network: &mut Network, stream: StreamId, replica: ReplicaId) {
    let (code, sentence) = (String::from("test.refused"), String::from("this story does not want it"));
    let refused = Refused { stream, replica, seq: 3, code, sentence };
    network.hand_to_device(0, &Message::Other(Body::Refused(refused)));
}

#[test]
fn rule_10_what_stands_below_refused_work_comes_to_a_restored_home_from_a_page_that_looks_at_nothing() {
    let (mut network, text, replica) = one_saved_and_two_not();
    refuse(&mut network, text, replica);
    network.settle();
    assert_eq!(network.text(0, text), "one ");
    network.home_is_deaf = false;
    network.wait(6_000);
    assert!(
        network.devices[0].disk.row(&stored::tip_key(&text, &replica)).is_some(),
        "its place in the chain"
    );
    network.relay.put_back(Disk::default(), 2);
    network.restart_home();
    network.restart(0, true);
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(network.relay.seq(&text, &replica), 2, "the home had called it saved");
}

#[test]
fn rule_6_what_is_read_for_the_home_while_refused_work_is_set_aside_does_not_bring_that_back() {
    let (mut network, text, replica) = one_saved_and_two_not();
    network.devices[0].disk_answers = false;
    refuse(&mut network, text, replica);
    network.settle();
    // The home has lost what is below, and says so while the fork is on its way to the disk.
    let need = Need { stream: text, replica, from: 1, to: 2 };
    network.hand_to_device(0, &Message::Other(Body::Need(need)));
    network.settle();
    network.release_disk(0);
    network.home_is_deaf = false;
    network.wait(6_000);
    network.rest();
    assert_eq!(network.text(0, text), "one ");
    assert_eq!(network.relay.seq(&text, &replica), 2);
    assert_eq!(network.devices[0].disk.rows_of(b'f').count(), 1, "it is a fork, once");
}

#[test]
fn rule_12_after_a_start_the_home_takes_nothing_that_builds_on_the_other_copys_words() {
    let (mut network, copied) = talkers_and_a_copy();
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    network.go_offline(0);
    say(&mut network, 0, "ours");
    network.rest();
    // Another page of the device writes on, under a name of its own.
    network.restart(0, true);
    open(&mut network, 0, 1);
    network.rest();
    say(&mut network, 0, "upon ours");
    network.rest();
    assert_ne!(network.devices[0].room.replica(), copied);
    // Of a chain the home remembers the newest alone when it has started.
    network.restart_home();
    network.rest();
    network.go_online(0);
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(texts(&network, 0), ["common", "theirs", "theirs too"]);
    assert_eq!(texts(&network, 1), texts(&network, 0));
    assert_eq!(damaged(&mut network, 1), []);
    let drafts = network.devices[0].room.drafts(channel());
    assert_eq!(drafts.iter().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ["ours", "upon ours"]);
}
