//! Rule 12: a device's store that was copied, and both copies come to life.

use causeway_core::chat::{ChatOp, Saved};
use causeway_core::device::{Config, Event, Room};
use causeway_core::ids::ReplicaId;
use causeway_core::log::Header;
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Message};
use causeway_tests::network::{Network, room};

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
    let fork = network.devices[0].room.forks()[0].id;
    let kept = network.devices[0].room.fork_text(fork).expect("it is read");
    assert!(fork.whole.is_some() && kept.text.starts_with("!common. left behind. only here. "));
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
    let state = network.receipt(0, &receipt);
    assert!(!state.relay, "{state:?}");
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 1);
    for _ in 0..10 {
        network.rest();
    }
    // What the home has there was asked for, and it has nothing: so it is sent again.
    assert!(network.receipt(0, &receipt).relay);
    assert_eq!(network.relay.seq(&text, &replica), 3);
    assert_eq!(network.text(0, text), "first, second");
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

/// Nobody is told at any moment that `ours` is with the home; in the end it is a draft with the reason, the room's words
/// stand, and writing goes on under another name.
fn ours_is_a_draft(mut network: Network, copied: ReplicaId, ours: &[&str], theirs: &[&str]) {
    for _ in 0..60 {
        network.settle_seeing(|network| {
            let told = posts(network, 0).into_iter().find(|post| ours.contains(&post.text.as_str()));
            assert!(
                told.is_none_or(|post| post.saved != Saved::Relay),
                "the home has never seen these words"
            );
        });
        network.wait(250);
    }
    let drafts = network.devices[0].room.drafts(channel());
    assert_eq!(drafts.iter().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ours);
    assert!(drafts.iter().all(|draft| draft.code == "replica.cloned"), "{drafts:?}");
    let shown: Vec<&str> = ["common"].iter().chain(theirs).copied().collect();
    assert_eq!(texts(&network, 0), shown);
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
    let told = network.events(0);
    assert!(!told.iter().any(|event| matches!(event, Event::Damaged { .. })), "{told:?}");
    say(&mut network, 0, "on");
    network.rest();
    assert_ne!(network.devices[0].room.replica(), copied);
    assert_eq!(texts(&network, 1), texts(&network, 0));
    assert!(posts(&network, 0).iter().all(|post| post.saved == Saved::Relay));
    // A page that starts from this disk finds it so.
    network.restart(0, true);
    open(&mut network, 0, 1);
    network.rest();
    assert_eq!(texts(&network, 0), texts(&network, 1));
    assert_eq!(network.devices[0].room.drafts(channel()).len(), ours.len());
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
}

#[test]
fn rule_12_what_the_home_has_behind_a_post_that_was_not_sent_does_not_say_that_it_has_that() {
    let (mut network, copied) = talkers_and_a_copy();
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    network.go_offline(0);
    say(&mut network, 0, "ours");
    network.wait(60);
    network.go_online(0);
    ours_is_a_draft(network, copied, &["ours"], &["theirs", "theirs too"]);
}

#[test]
fn rule_12_as_many_posts_of_the_copy_are_not_ours() {
    let (mut network, copied) = talkers_and_a_copy();
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    network.go_offline(0);
    say(&mut network, 0, "ours");
    say(&mut network, 0, "ours too");
    network.wait(60);
    network.go_online(0);
    ours_is_a_draft(network, copied, &["ours", "ours too"], &["theirs", "theirs too"]);
}

#[test]
fn rule_12_of_a_chain_the_home_has_a_part_of_only_what_differs_is_a_fork() {
    let (mut network, copied) = talkers_and_a_copy();
    // It is at the home, and its answer is lost.
    say(&mut network, 0, "heard");
    network.deliver_to_home();
    network.lose_what_is_on_its_way();
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    network.go_offline(0);
    say(&mut network, 0, "ours");
    network.wait(60);
    network.go_online(0);
    ours_is_a_draft(network, copied, &["ours"], &["heard", "theirs", "theirs too"]);
}

#[test]
fn rule_12_nor_does_a_snapshot_that_covers_more_say_that_the_home_has_it() {
    let (mut network, copied) = talkers_and_a_copy();
    network.relay.snapshot_after(4, 300);
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    network.go_offline(0);
    say(&mut network, 0, "ours");
    network.rest();
    assert!(network.relay.disk.rows_of(b'h').count() > 0, "there is a snapshot");
    network.go_online(0);
    ours_is_a_draft(network, copied, &["ours"], &["theirs", "theirs too"]);
}

#[test]
fn rule_12_what_somebody_else_has_built_on_the_copys_words_is_no_damage() {
    let (mut network, copied) = talkers_and_a_copy();
    network.go_offline(1);
    said_by_the_copy(&mut network, 0, &["theirs"]);
    network.go_offline(0);
    network.go_online(1);
    network.rest();
    say(&mut network, 1, "an answer");
    network.rest();
    say(&mut network, 0, "ours");
    network.wait(60);
    network.go_online(0);
    ours_is_a_draft(network, copied, &["ours"], &["theirs", "an answer"]);
}

#[test]
fn rule_12_what_was_saved_at_a_home_that_was_restored_and_has_the_copys_words_there_now_is_a_fork() {
    let (mut network, copied) = talkers_and_a_copy();
    let before = network.relay.disk.clone();
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    let restored = std::mem::replace(&mut network.relay.disk, before);
    network.restart_home();
    network.rest();
    network.go_offline(1);
    say(&mut network, 0, "ours");
    network.rest();
    assert_eq!(posts(&network, 0).last().map(|post| post.saved), Some(Saved::Relay));
    // It was put back to what it was before, and the copy has come to it first.
    network.relay.put_back(restored, 2);
    network.restart_home();
    network.rest();
    network.go_online(1);
    ours_is_a_draft(network, copied, &["ours"], &["theirs", "theirs too"]);
}

#[test]
fn rule_12_of_a_running_program_that_was_copied_both_go_on_under_names_of_their_own() {
    let mut network = Network::new(3);
    for copy in 0..2 {
        let config = Config { room: room(), seed: [9; 32], agent: "a machine with its memory".into() };
        network.devices[copy].room = Room::new(config);
        open(&mut network, copy, 1);
    }
    open(&mut network, 2, 2);
    network.rest();
    assert_eq!(network.devices[0].room.replica(), network.devices[1].room.replica());
    for round in 0..3 {
        for copy in 0..2 {
            say(&mut network, copy, &format!("{copy} in round {round}"));
        }
        for _ in 0..20 {
            network.settle_seeing(nothing_is_called_saved_that_is_not);
            network.wait(250);
        }
    }
    assert_ne!(network.devices[0].room.replica(), network.devices[1].room.replica());
    let mut said = texts(&network, 2);
    for copy in 0..2 {
        assert_eq!(texts(&network, copy), said);
        assert_eq!(network.devices[copy].room.save_status(channel()).unsaved_on_relay, 0);
    }
    let drafts = (0..2).flat_map(|copy| network.devices[copy].room.drafts(channel()));
    said.extend(drafts.map(|draft| draft.text));
    said.sort();
    let all: Vec<String> =
        (0..2).flat_map(|copy| (0..3).map(move |round| format!("{copy} in round {round}"))).collect();
    assert_eq!(said, all, "each stands in the room or is a draft, once");
}

fn nothing_is_called_saved_that_is_not(network: &Network) {
    let rows: Vec<_> = network.relay.disk.rows_of(b'e').map(|(_, row)| row).collect();
    for device in 0..network.devices.len() {
        let Ok(posts) = network.devices[device].room.posts(channel()) else { continue };
        for post in posts.iter().filter(|post| post.saved == Saved::Relay) {
            let words = post.text.as_bytes();
            let is_there = rows.iter().any(|row| row.windows(words.len()).any(|part| part == words));
            assert!(is_there, "device {device} calls {:?} saved", post.text);
        }
    }
}
