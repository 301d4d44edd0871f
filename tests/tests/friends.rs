//! Real input: two people who wrote one text at the same time, each under a replica of their own.
#![allow(clippy::unwrap_used)]

#[path = "friends/recording.rs"]
mod recording;

use std::collections::BTreeSet;

use causeway_core::ids::StreamId;
use causeway_tests::network::Network;
use recording::{Recording, Typed};

/// One of the two, as the story sees them.
struct Author {
    device: usize,
    /// Keystrokes of their own.
    typed: usize,
    /// Keystrokes of the other that their device has.
    seen: usize,
    /// After which of their keystrokes the other once looked.
    looked_at: BTreeSet<usize>,
    /// What their device had sent by then: keystrokes, and frames on the other's link.
    marks: Vec<(usize, usize)>,
    /// Frames that have arrived at their device.
    arrived: usize,
}

#[test]
fn r2_r4_two_friends_who_write_at_once_end_with_the_text_they_recorded() {
    let Ok(recording) = Recording::open("friendsforever") else {
        println!("SKIPPED (no ../shared/data): {}", recording::folder().display());
        return;
    };
    let (mut network, stream) = Network::with_document(2);
    // Both write where both write at once; yrs then puts the lower client id first, as the recording has it.
    let mut devices = [0, 1];
    devices.sort_by_key(|device| network.devices[*device].room.replica().client());
    let mut authors = devices.map(|device| Author {
        device,
        typed: 0,
        seen: 0,
        looked_at: recording.looks_at(devices.iter().position(|one| *one == device).unwrap()),
        marks: Vec::new(),
        arrived: 0,
    });
    let mut apart = 0;
    for typed in &recording.typed {
        let (me, other) = both(&mut authors, typed.author);
        apart = apart.max(other.typed - me.seen);
        if typed.has_seen > me.seen {
            look(&mut network, me, other, typed.has_seen);
        }
        write(&mut network, stream, me, typed);
        me.typed += 1;
        if me.looked_at.contains(&me.typed) {
            send(&mut network, me, other);
        }
    }
    println!("{} keystrokes, at most {apart} apart", recording.typed.len());
    network.rest();
    let end = network.text(0, stream);
    assert!(end == recording.end_content, "the text is the one that was recorded");
    assert_eq!(network.text(1, stream), end);

    // A third who comes late reads it from the home, and the first from its own disk with no link at all.
    let late = network.join();
    network.open(late, stream);
    network.rest();
    assert!(network.text(late, stream) == end);
    network.go_offline(0);
    network.restart(0, false);
    network.open(0, stream);
    network.rest();
    assert!(network.text(0, stream) == end);
}

/// Everything the other had typed when this author looked arrives, and nothing after it.
fn look(network: &mut Network, me: &mut Author, other: &Author, has_seen: usize) {
    let (_, frames) = other.marks.iter().find(|(typed, _)| *typed == has_seen).unwrap();
    network.deliver_to_device(me.device, frames - me.arrived);
    me.arrived = *frames;
    me.seen = has_seen;
}

/// What an author has typed is sealed and reaches the home, which passes it on to the other's link.
fn send(network: &mut Network, me: &mut Author, other: &Author) {
    network.wait(50);
    network.deliver_to_home();
    me.marks.push((me.typed, other.arrived + network.waiting_for(other.device)));
}

fn write(network: &mut Network, stream: StreamId, me: &Author, typed: &Typed) {
    for (at, deleted, inserted) in &typed.patches {
        if *deleted > 0 {
            network.delete(me.device, stream, *at, *deleted);
        }
        if !inserted.is_empty() {
            network.insert(me.device, stream, *at, inserted);
        }
    }
}

fn both(authors: &mut [Author; 2], author: usize) -> (&mut Author, &mut Author) {
    let [first, second] = authors;
    if author == 0 { (first, second) } else { (second, first) }
}
