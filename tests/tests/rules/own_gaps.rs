//! Rule 16: rows of a device's own unsaved work that rot, and what stands behind them.

use causeway_core::ids::ReplicaId;
use causeway_core::log::EntryName;
use causeway_core::stored::{self, Prefix};
use causeway_core::wire::{Body, Message, Need, Refused};
use causeway_tests::network::Network;

use crate::channels::{channel, open, say};
use crate::clones::texts;

/// Two people in a channel, of whom the first has said something.
pub(crate) fn talkers() -> Network {
    let mut network = Network::new(2);
    open(&mut network, 0, 1);
    open(&mut network, 1, 2);
    network.rest();
    say(&mut network, 0, "common");
    network.rest();
    network
}

/// The row of an entry on a device's disk rots.
fn rot(network: &mut Network, device: usize, name: EntryName) {
    let disk = &mut network.devices[device].disk;
    let is_it = |row: &[u8]| stored::decode_entry(row.to_vec()).is_ok_and(|entry| entry.name() == name);
    let mut rows = disk.rows_of(Prefix::Entry as u8).filter(|(_, row)| is_it(row));
    let key = rows.next().expect("a row").0.to_vec();
    drop(rows);
    disk.damage(&key);
}

#[test]
fn rule_16_what_stands_behind_a_row_of_ones_own_that_rotted_is_not_offered_all_the_while() {
    let mut network = talkers();
    network.go_offline(0);
    let first = say(&mut network, 0, "first");
    for text in ["second", "third", "fourth"] {
        say(&mut network, 0, text);
    }
    network.rest();
    rot(&mut network, 0, first);
    network.restart(0, true);
    open(&mut network, 0, 1);
    network.rest();
    let since = network.devices[0].sent.len();
    network.go_online(0);
    for _ in 0..240 {
        network.settle();
        network.wait(250);
    }
    let sent = network.devices[0].sent.len() - since;
    assert!(sent < 100, "{sent} frames in a minute");
    assert!(network.devices[0].room.save_status(channel()).unsaved_on_relay > 0, "nobody has the first");
    say(&mut network, 0, "on");
    network.rest();
    assert_eq!(texts(&network, 1), ["common", "on"]);
}

#[test]
fn rule_16_what_is_written_next_does_not_take_the_name_of_what_waits() {
    let mut network = talkers();
    let before = network.devices[0].room.replica();
    network.restart(0, true);
    open(&mut network, 0, 1);
    network.rest();
    say(&mut network, 0, "again");
    network.rest();
    let current = network.devices[0].room.replica();
    assert_ne!(current, before);
    let theirs = say(&mut network, 1, "theirs");
    network.rest();
    network.home_is_deaf = true;
    say(&mut network, 0, "builds on it");
    say(&mut network, 0, "and on that");
    network.rest();
    rot(&mut network, 0, theirs);
    read_anew(&mut network, before);
    say(&mut network, 0, "next");
    network.rest();
    network.home_is_deaf = false;
    network.go_offline(0);
    network.go_online(0);
    for _ in 0..240 {
        network.settle();
        network.wait(250);
    }
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
    assert_eq!(network.devices[0].room.drafts(channel()), []);
    for text in ["again", "theirs", "builds on it", "and on that", "next"] {
        assert!(texts(&network, 1).contains(&text.into()), "{text}: {:?}", texts(&network, 1));
    }
    assert_eq!(texts(&network, 0), texts(&network, 1));
}

/// What a home refuses of another name has the channel read from the disk again while the app runs.
fn read_anew(network: &mut Network, replica: ReplicaId) {
    let (code, sentence) = ("entry.size".into(), "too large".into());
    let refused = Refused { stream: channel(), replica, seq: 1_000, code, sentence };
    network.hand_to_device(0, &Message::Other(Body::Refused(refused)));
    network.rest();
}

#[test]
fn rule_16_what_the_home_refuses_beside_a_row_that_rotted_is_a_draft_from_what_it_has_vouched_for_on() {
    let mut network = talkers();
    let first = say(&mut network, 0, "first");
    say(&mut network, 0, "second");
    network.rest();
    rot(&mut network, 0, first);
    // The home asks for it again, so its row is looked for.
    let EntryName { replica, seq } = first;
    network.hand_to_device(0, &Need { stream: channel(), replica, from: seq, to: seq }.into());
    network.rest();
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0, "it has all of it");
    // A home that could not compare the first refuses the chain from there on, whatever comes behind it.
    network.home_is_deaf = true;
    say(&mut network, 0, "refused");
    network.rest();
    let (code, sentence) = ("entry.equivocation".into(), "it cannot be compared any more".into());
    let refused = Refused { stream: channel(), replica, seq, code, sentence };
    network.hand_to_device(0, &Message::Other(Body::Refused(refused)));
    network.rest();
    network.home_is_deaf = false;
    say(&mut network, 0, "on");
    for _ in 0..8 {
        network.rest();
    }
    let drafts = network.devices[0].room.drafts(channel());
    assert_eq!(drafts.into_iter().map(|draft| draft.text).collect::<Vec<_>>(), ["refused"]);
    assert_eq!(texts(&network, 1), ["common", "first", "second", "on"]);
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
}
