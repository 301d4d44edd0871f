//! Rule 12: a device's store that was copied, and both copies come to life.

use causeway_core::chat::{ChatOp, Saved};
use causeway_core::device::{Config, Connection, Event, Room};
use causeway_core::directory::DirectoryOp;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{Entry, EntryKind, Header};
use causeway_core::stored;
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Message};
use causeway_core::ydoc::Document;
use causeway_tests::network::{Network, room};

use crate::channels::{channel, open, posts, say};
use crate::craft::{entry, frame};

/// Device 0 has typed a little that only its disk knows; device 1 starts from a copy of that disk.
fn copied() -> (Network, StreamId, usize) {
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
    let state = network.receipt(0, &receipt);
    assert!(!state.relay && !state.refused, "{state:?}");
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 1);
    for _ in 0..10 {
        network.rest();
    }
    // What the home has there was asked for, and it has nothing: so it is sent again.
    assert!(network.receipt(0, &receipt).relay);
    assert_eq!(network.relay.seq(&text, &replica), 3);
    assert_eq!(network.text(0, text), "first, second");
}

/// Entries of a stream that stand at the home under a name, in their order.
pub(crate) fn at_home(network: &Network, stream: StreamId, replica: ReplicaId) -> Vec<Entry> {
    let rows = network.relay.disk.rows_of(b'e').map(|(_, row)| stored::decode_entry(row.to_vec()));
    let of_chain = |entry: &Entry| (entry.header().stream, entry.header().replica) == (stream, replica);
    let mut chain: Vec<Entry> = rows.flatten().filter(of_chain).collect();
    chain.sort_by_key(|entry| entry.name().seq);
    chain
}

/// Brings an entry that nobody here knows to the home over a device's link: its copy wrote it, under `replica`.
pub(crate) fn written_by_the_copy(
    network: &mut Network,
    link: usize,
    place: (StreamId, ReplicaId),
    content: (EntryKind, &[u8]),
) {
    let (stream, replica) = place;
    let seq = network.relay.seq(&stream, &replica) + 1;
    let logical = at_home(network, stream, replica).last().map_or(seq, |last| last.header().logical + 1);
    let before = entry(stream, replica, (seq, logical), content.0, content.1);
    let header = Header { time: network.clock(link).wall, ..before.header().clone() };
    network.inject(link, frame(&wire::entry::build(header, content.1)));
    network.deliver_to_home();
}

/// The copy of a device has said this under the name that the device writes under now, and nobody else has heard it.
pub(crate) fn said_by_the_copy(network: &mut Network, device: usize, words: &[&str]) {
    let replica = network.devices[device].room.replica();
    for text in words {
        let op = ChatOp::Post { text: (*text).into(), reply_to: None, after: Millis(0) };
        let payload = wire::payload::encode_chat(&op);
        written_by_the_copy(network, device, (channel(), replica), (op.kind(), &payload));
    }
    network.lose_what_is_on_its_way();
}

/// The same for words in front of a text.
pub(crate) fn typed_by_the_copy(network: &mut Network, device: usize, text: StreamId, words: &[&str]) {
    let replica = network.devices[device].room.replica();
    for word in words {
        let chain = at_home(network, text, replica);
        let mut document = Document::new(replica.client());
        let updates = chain.iter().filter(|entry| entry.header().kind == EntryKind::Edit);
        let updates: Vec<&[u8]> = updates.map(Entry::payload).collect();
        document.load(&updates).expect("what stands at the home");
        let (_, edited) = document.edit(None, Millis(0), |edit| edit.insert(0, word));
        let update = edited.expect("words were put in").update;
        written_by_the_copy(network, device, (text, replica), (EntryKind::Edit, &update));
    }
    network.lose_what_is_on_its_way();
}

pub(crate) fn damaged(network: &mut Network, device: usize) -> Vec<Event> {
    let mut told = network.events(device);
    told.retain(|event| matches!(event, Event::Damaged { .. }));
    told
}

/// Two people in a channel; what device 0 says while it is away its copy has said otherwise.
pub(crate) fn talkers_and_a_copy() -> (Network, ReplicaId) {
    let mut network = Network::new(2);
    open(&mut network, 0, 1);
    open(&mut network, 1, 2);
    network.rest();
    say(&mut network, 0, "common");
    network.rest();
    let copied = network.devices[0].room.replica();
    (network, copied)
}

pub(crate) fn texts(network: &Network, device: usize) -> Vec<String> {
    posts(network, device).into_iter().map(|post| post.text).collect()
}

/// Before the welcome a device knows nothing of a home that was restored.
fn is_online(network: &Network, device: usize) -> bool {
    network.devices[device].room.connection() == Connection::Online
}

/// Nobody is told at any moment that `ours` is with the home; in the end it is a draft with the reason, the room's words
/// stand, nothing is called damaged, and writing goes on under another name, also on a page that starts from this disk.
pub(crate) fn ours_is_a_draft(mut network: Network, copied: ReplicaId, ours: &[&str], theirs: &[&str]) {
    let shown: Vec<&str> = ["common"].iter().chain(theirs).copied().collect();
    for _ in 0..60 {
        network.settle_seeing(|network| {
            let mut told = posts(network, 0).into_iter().filter(|_| is_online(network, 0));
            let lie = told.find(|post| post.saved == Saved::Relay && ours.contains(&post.text.as_str()));
            assert_eq!(lie, None, "the home has never seen these words");
        });
        network.wait(250);
    }
    let drafts = network.devices[0].room.drafts(channel());
    assert_eq!(drafts.iter().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ours);
    assert!(drafts.iter().all(|draft| draft.code == "replica.cloned"), "{drafts:?}");
    assert_eq!(texts(&network, 0), shown);
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
    assert_eq!(damaged(&mut network, 0), []);
    say(&mut network, 0, "on");
    network.rest();
    assert_ne!(network.devices[0].room.replica(), copied);
    assert_eq!(texts(&network, 1), texts(&network, 0));
    assert!(posts(&network, 0).iter().all(|post| post.saved == Saved::Relay));
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
fn rule_12_of_forty_posts_that_were_not_sent_none_is_the_copys() {
    let (mut network, copied) = talkers_and_a_copy();
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    network.go_offline(0);
    let ours: Vec<String> = (0..40).map(|number| format!("ours {number:02}")).collect();
    for text in &ours {
        say(&mut network, 0, text);
    }
    network.wait(60);
    network.go_online(0);
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    ours_is_a_draft(network, copied, &ours, &["theirs", "theirs too"]);
}

#[test]
fn rule_12_of_a_chain_that_the_home_has_a_part_of_only_what_differs_is_a_draft() {
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
fn rule_12_a_snapshot_that_covers_more_than_was_written_here_does_not_say_that_the_home_has_it() {
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
fn rule_12_what_was_not_sent_for_forty_days_is_not_what_a_snapshot_covers_under_its_name() {
    let (mut network, copied) = talkers_and_a_copy();
    network.relay.snapshot_after(4, 300);
    network.go_offline(0);
    for text in ["one", "two", "three"] {
        say(&mut network, 1, text);
    }
    network.rest();
    network.go_online(0);
    network.rest();
    assert!(network.devices[0].disk.rows_of(b'h').count() > 0, "this device has a snapshot");
    assert_ne!(network.devices[0].room.replica(), copied, "and a new name with it");
    let copied = network.devices[0].room.replica();
    say(&mut network, 0, "saved");
    network.rest();
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    network.go_offline(0);
    say(&mut network, 0, "ours");
    network.rest();
    network.now += 40 * 24 * 3_600_000;
    network.rest();
    network.go_online(0);
    ours_is_a_draft(network, copied, &["ours"], &["one", "two", "three", "saved", "theirs", "theirs too"]);
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
fn rule_12_where_a_restored_home_has_the_copys_words_what_it_once_called_saved_is_a_draft() {
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
    network.relay.put_back(restored, 2);
    network.restart_home();
    network.go_online(1);
    ours_is_a_draft(network, copied, &["ours"], &["theirs", "theirs too"]);
}

#[test]
fn rule_12_where_a_restored_home_has_the_copys_words_forty_entries_ago_nothing_on_top_counts_as_saved() {
    let (mut network, copied) = talkers_and_a_copy();
    let before = network.relay.disk.clone();
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    let restored = std::mem::replace(&mut network.relay.disk, before);
    network.restart_home();
    network.rest();
    network.go_offline(1);
    let ours: Vec<String> = (0..40).map(|number| format!("ours {number:02}")).collect();
    for text in &ours {
        say(&mut network, 0, text);
    }
    network.rest();
    assert_eq!(posts(&network, 0).last().map(|post| post.saved), Some(Saved::Relay));
    network.relay.put_back(restored, 2);
    network.restart_home();
    network.go_online(1);
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    ours_is_a_draft(network, copied, &ours, &["theirs", "theirs too"]);
}

#[test]
fn rule_12_until_a_home_of_a_new_epoch_has_said_what_it_has_posts_are_on_this_device() {
    let (mut network, _) = talkers_and_a_copy();
    for _ in 0..40 {
        say(&mut network, 0, "more");
    }
    network.rest();
    let backup = network.relay.disk.clone();
    network.relay.put_back(backup, 2);
    network.restart_home();
    let mut doubted = false;
    for _ in 0..20 {
        network.settle_seeing(|network| {
            for post in posts(network, 0) {
                doubted |= post.saved != Saved::Relay;
                assert_ne!(post.saved, Saved::Nowhere, "{post:?}");
            }
        });
        network.wait(250);
    }
    // Nothing had to be asked: the home holds just what this device was told in hello.
    assert!(!doubted);
    say(&mut network, 0, "and more");
    network.rest();
    let backup = network.relay.disk.clone();
    for text in ["lost", "lost too"] {
        say(&mut network, 0, text);
    }
    network.rest();
    network.relay.put_back(backup, 3);
    network.restart_home();
    for _ in 0..20 {
        network.settle_seeing(|network| {
            for post in posts(network, 0) {
                doubted |= post.saved != Saved::Relay;
                assert_ne!(post.saved, Saved::Nowhere, "{post:?}");
            }
        });
        network.wait(250);
    }
    assert!(doubted && posts(&network, 0).iter().all(|post| post.saved == Saved::Relay));
}

/// Two copies of a running program, and somebody else.
fn copies_with_their_memory() -> Network {
    let mut network = Network::new(3);
    for copy in 0..2 {
        let config = Config { room: room(), seed: [9; 32], agent: "a machine with its memory".into() };
        network.devices[copy].room = Room::new(config);
        open(&mut network, copy, 1);
    }
    open(&mut network, 2, 2);
    network.rest();
    assert_eq!(network.devices[0].room.replica(), network.devices[1].room.replica());
    network
}

#[test]
fn rule_12_the_copy_whose_words_stand_goes_on_and_loses_nothing() {
    let mut network = copies_with_their_memory();
    network.go_offline(0);
    say(&mut network, 1, "first");
    say(&mut network, 1, "second");
    network.rest();
    say(&mut network, 0, "ours");
    network.rest();
    network.go_online(0);
    for _ in 0..40 {
        network.settle();
        network.wait(250);
    }
    let name = network.devices[1].room.replica();
    assert_eq!(say(&mut network, 1, "third").replica, name);
    for _ in 0..40 {
        network.settle();
        network.wait(250);
    }
    for device in 0..3 {
        assert_eq!(texts(&network, device), ["first", "second", "third"], "{device}");
    }
    assert_eq!(network.devices[1].room.drafts(channel()), []);
    let drafts = network.devices[0].room.drafts(channel());
    assert_eq!(drafts.iter().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ["ours"]);
}

/// What a device wrote without a link is a text of its own with the reason; the room's text is shown.
pub(crate) fn ours_is_a_text(mut network: Network, text: StreamId, ours: &str, theirs: &str) {
    for _ in 0..60 {
        network.settle();
        network.wait(250);
    }
    let forks = network.devices[0].room.forks();
    let [fork] = &forks[..] else { panic!("{forks:?}") };
    assert_eq!((fork.code.as_str(), fork.id.stream), ("replica.cloned", text));
    let kept = network.devices[0].room.fork_text(fork.id).expect("it can be read");
    assert!(kept.is_complete && kept.text.contains(ours), "{kept:?}");
    assert_eq!(network.text(0, text), theirs);
    assert_eq!(network.text(1, text), theirs);
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
    assert_eq!(damaged(&mut network, 0), []);
    network.insert(0, text, 0, "On: ");
    network.rest();
    assert_eq!(network.text(1, text), format!("On: {theirs}"));
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
}

/// Two people at a text, of which the first has typed a little.
pub(crate) fn typists() -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "common. ");
    network.rest();
    (network, text)
}

#[test]
fn rule_12_a_text_that_the_copy_has_written_more_of_is_kept_whole() {
    let (mut network, text) = typists();
    typed_by_the_copy(&mut network, 0, text, &["theirs. ", "theirs too. "]);
    network.go_offline(0);
    network.go_offline(1);
    network.insert(0, text, 0, "ours. ");
    network.rest();
    network.go_online(1);
    network.go_online(0);
    ours_is_a_text(network, text, "ours. ", "theirs too. theirs. common. ");
}

#[test]
fn rule_12_what_an_app_wrote_after_it_was_started_again_on_a_copied_disk_is_kept_whole_too() {
    let (mut network, text) = typists();
    let copied = network.devices[0].room.replica();
    typed_by_the_copy(&mut network, 0, text, &["theirs. ", "theirs too. "]);
    network.go_offline(0);
    network.go_offline(1);
    network.insert(0, text, 0, "ours. ");
    network.rest();
    network.restart(0, true);
    network.devices[0].online = false;
    network.open(0, text);
    network.rest();
    network.insert(0, text, 0, "And more. ");
    network.rest();
    assert_ne!(network.devices[0].room.replica(), copied);
    network.go_online(1);
    network.go_online(0);
    ours_is_a_text(network, text, "And more. ours. ", "theirs too. theirs. common. ");
}

#[test]
fn rule_12_a_text_that_nobody_has_open_is_kept_whole() {
    let (mut network, text) = typists();
    typed_by_the_copy(&mut network, 0, text, &["theirs. ", "theirs too. "]);
    network.go_offline(0);
    network.go_offline(1);
    network.insert(0, text, 0, "ours. ");
    network.rest();
    network.restart(0, true);
    network.go_online(1);
    network.go_online(0);
    for _ in 0..60 {
        network.settle();
        network.wait(250);
    }
    network.open(0, text);
    ours_is_a_text(network, text, "ours. ", "theirs too. theirs. common. ");
}

#[test]
fn rule_12_a_text_of_which_a_snapshot_covers_the_copys_words_is_kept_whole() {
    let (mut network, text) = typists();
    network.relay.snapshot_after(4, 300);
    typed_by_the_copy(&mut network, 0, text, &["theirs. ", "theirs too. "]);
    network.go_offline(0);
    network.go_offline(1);
    network.insert(0, text, 0, "ours. ");
    network.rest();
    assert!(network.relay.disk.rows_of(b'h').count() > 0, "there is a snapshot");
    network.go_online(1);
    network.go_online(0);
    ours_is_a_text(network, text, "ours. ", "theirs too. theirs. common. ");
}

#[test]
fn rule_12_a_name_that_was_given_without_a_link_is_no_other_of_the_copy() {
    let (mut network, _) = typists();
    let give = |network: &mut Network, path: &str| {
        let now = network.clock(0);
        network.devices[0].room.create_text(path, now).expect("a path")
    };
    give(&mut network, "common.md");
    network.rest();
    let replica = network.devices[0].room.replica();
    for (number, path) in [(1, "theirs.md"), (2, "theirs too.md")] {
        let op = DirectoryOp::Put { document: StreamId::ydoc([number; 16]), path: path.into() };
        let payload = wire::payload::encode_directory(&op);
        written_by_the_copy(&mut network, 0, (StreamId::DIRECTORY, replica), (EntryKind::Edit, &payload));
    }
    network.lose_what_is_on_its_way();
    network.go_offline(0);
    network.go_offline(1);
    give(&mut network, "ours.md");
    network.rest();
    network.go_online(1);
    network.go_online(0);
    for _ in 0..60 {
        network.settle();
        network.wait(250);
    }
    let named = |network: &Network, device: usize| {
        let documents = network.devices[device].room.directory();
        let mut paths: Vec<String> = documents.into_iter().map(|document| document.path).collect();
        paths.sort();
        paths
    };
    assert_eq!(named(&network, 0), ["common.md", "theirs too.md", "theirs.md"]);
    assert_eq!(named(&network, 1), named(&network, 0));
    let forks = network.devices[0].room.forks();
    let fork = forks.iter().find(|fork| fork.id.stream == StreamId::DIRECTORY).expect("it is kept");
    assert_eq!(fork.code, "replica.cloned");
    assert_eq!(network.devices[0].room.fork_text(fork.id).map(|fork| fork.text), Ok("+ ours.md\n".into()));
    assert_eq!(damaged(&mut network, 0), []);
    assert_eq!(network.devices[0].room.save_status(StreamId::DIRECTORY).unsaved_on_relay, 0);
}

#[test]
fn rule_12_a_page_that_follows_is_not_told_that_the_copys_words_are_its_own() {
    let mut network = Network::new(0);
    let pages = network.join_pages(2);
    let (leader, page) = (pages[0], pages[1]);
    let other = network.join();
    for (device, person) in [(leader, 1), (page, 1), (other, 2)] {
        open(&mut network, device, person);
    }
    network.rest();
    say(&mut network, page, "common");
    network.rest();
    let replica = network.devices[page].room.replica();
    for text in ["theirs", "theirs too"] {
        let op = ChatOp::Post { text: text.into(), reply_to: None, after: Millis(0) };
        let payload = wire::payload::encode_chat(&op);
        written_by_the_copy(&mut network, leader, (channel(), replica), (op.kind(), &payload));
    }
    network.lose_what_is_on_its_way();
    network.go_offline(leader);
    let ours: Vec<String> = (0..40).map(|number| format!("ours {number:02}")).collect();
    for text in &ours {
        say(&mut network, page, text);
        network.wait(5);
    }
    network.rest();
    network.go_online(leader);
    for _ in 0..80 {
        network.settle_seeing(|network| {
            for device in [leader, page] {
                let mut told = posts(network, device).into_iter();
                let lie = told.find(|post| post.saved == Saved::Relay && ours.contains(&post.text));
                assert_eq!(lie, None, "the home has never seen these words");
            }
        });
        network.wait(250);
    }
    for device in [leader, page, other] {
        assert_eq!(texts(&network, device), ["common", "theirs", "theirs too"], "{device}");
    }
    for device in [leader, page] {
        let drafts = network.devices[device].room.drafts(channel());
        assert_eq!(drafts.into_iter().map(|draft| draft.text).collect::<Vec<_>>(), ours);
        assert_eq!(network.devices[device].room.save_status(channel()).unsaved_on_relay, 0);
        assert_eq!(damaged(&mut network, device), []);
    }
    say(&mut network, page, "on");
    network.rest();
    assert_eq!(texts(&network, other), ["common", "theirs", "theirs too", "on"]);
    assert!(posts(&network, page).iter().all(|post| post.saved == Saved::Relay));
}

#[test]
fn rule_12_a_page_that_follows_hears_that_what_the_home_has_of_both_is_saved() {
    let mut network = Network::new(0);
    let pages = network.join_pages(2);
    let (leader, page) = (pages[0], pages[1]);
    for device in [leader, page] {
        open(&mut network, device, 1);
    }
    network.rest();
    say(&mut network, page, "common");
    network.rest();
    let replica = network.devices[page].room.replica();
    say(&mut network, page, "heard");
    network.settle();
    for _ in 0..3 {
        network.wait(20);
        network.deliver_to_home();
    }
    network.lose_what_is_on_its_way();
    let op = ChatOp::Post { text: "theirs".into(), reply_to: None, after: Millis(0) };
    let payload = wire::payload::encode_chat(&op);
    written_by_the_copy(&mut network, leader, (channel(), replica), (op.kind(), &payload));
    network.lose_what_is_on_its_way();
    network.go_offline(leader);
    network.go_online(leader);
    for _ in 0..80 {
        network.settle();
        network.wait(250);
    }
    for device in [leader, page] {
        assert_eq!(texts(&network, device), ["common", "heard", "theirs"], "{device}");
        assert_eq!(network.devices[device].room.drafts(channel()), []);
        assert!(posts(&network, device).iter().all(|post| post.saved == Saved::Relay));
        assert_eq!(network.devices[device].room.save_status(channel()).unsaved_on_relay, 0);
    }
}

#[test]
fn rule_12_of_a_running_program_that_was_copied_everything_said_stands_in_the_room_or_is_a_draft() {
    let mut network = copies_with_their_memory();
    for round in 0..4 {
        for copy in 0..2 {
            say(&mut network, copy, &format!("{copy} in round {round}"));
        }
        for _ in 0..40 {
            network.settle_seeing(nothing_is_called_saved_that_is_not);
            network.wait(250);
        }
    }
    let mut said = texts(&network, 2);
    for copy in 0..2 {
        assert_eq!(texts(&network, copy), said);
        assert_eq!(network.devices[copy].room.save_status(channel()).unsaved_on_relay, 0);
    }
    let drafts = (0..2).flat_map(|copy| network.devices[copy].room.drafts(channel()));
    said.extend(drafts.map(|draft| draft.text));
    said.sort();
    let all: Vec<String> =
        (0..2).flat_map(|copy| (0..4).map(move |round| format!("{copy} in round {round}"))).collect();
    assert_eq!(said, all, "each stands in the room or is a draft, once");
}

pub(crate) fn nothing_is_called_saved_that_is_not(network: &Network) {
    let rows: Vec<_> = network.relay.disk.rows_of(b'e').map(|(_, row)| row).collect();
    for device in 0..network.devices.len() {
        let Ok(posts) = network.devices[device].room.posts(channel()) else { continue };
        if !is_online(network, device) {
            continue;
        }
        for post in posts.iter().filter(|post| post.saved == Saved::Relay) {
            let words = post.text.as_bytes();
            let is_there = rows.iter().any(|row| row.windows(words.len()).any(|part| part == words));
            assert!(is_there, "device {device} calls {:?} saved", post.text);
        }
    }
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
