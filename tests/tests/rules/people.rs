//! Presence, cursors and undo.

use causeway_core::anchor::Side;
use causeway_core::ids::StreamId;
use causeway_core::presence::{Cursor, State, Status};
use causeway_tests::network::{EDITOR, Network};

fn ada(cursor: Option<Cursor>) -> State {
    State { name: "Ada Lovelace".into(), colour: 0x33_66_99, status: Status::Editing, cursor, typing: None }
}

#[test]
fn presence_reaches_the_others_and_never_a_disk() {
    let (mut network, text) = Network::with_document(3);
    network.insert(0, text, 0, "here");
    let now = network.clock(0);
    network.devices[0].room.set_presence(ada(None), now).unwrap();
    network.rest();
    for other in [1, 2] {
        let seen: Vec<String> =
            network.devices[other].room.others().map(|(_, state)| state.name.clone()).collect();
        assert_eq!(seen, ["Ada Lovelace"]);
    }
    assert_eq!(network.devices[0].room.others().count(), 0, "nobody is their own other");
    let disks = network.devices.iter().map(|device| &device.disk).chain([&network.relay.disk]);
    for disk in disks {
        assert!(!disk.rows().any(|(_, value)| value.windows(4).any(|part| part == b"Love")));
    }
    network.drop_link(0);
    network.devices[0].online = false;
    network.rest();
    assert_eq!(network.devices[1].room.others().count(), 0, "who leaves is seen no more");
}

#[test]
fn a_cursor_at_10_is_at_13_after_somebody_wrote_3_at_0_and_undo_leaves_their_text() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "0123456789");
    network.rest();
    let cursor = network.devices[0].room.anchor(text, 10, Side::Before).unwrap();
    network.insert(1, text, 0, "abc");
    network.rest();
    assert_eq!(network.devices[0].room.resolve(text, &cursor), Some(13));
    let now = network.clock(0);
    network.devices[0].room.undo(text, EDITOR, now).unwrap().expect("there is something to take back");
    network.rest();
    assert_eq!((network.text(0, text), network.text(1, text)), ("abc".into(), "abc".into()));
    let now = network.clock(0);
    network.devices[0].room.redo(text, EDITOR, now).unwrap().expect("and to make again");
    network.rest();
    assert_eq!(network.text(1, text), "abc0123456789");
}

#[test]
fn a_cursor_of_somebody_else_moves_with_the_text_under_it() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "hello 👩‍🚀 world");
    network.rest();
    let place = network.devices[0].room.anchor(text, 12, Side::After).unwrap();
    let now = network.clock(0);
    let cursor = Cursor { stream: text, anchor: place, head: place };
    network.devices[0].room.set_presence(ada(Some(cursor)), now).unwrap();
    network.insert(1, text, 0, "🌊");
    network.rest();
    let room = &network.devices[1].room;
    let seen = room.others().find_map(|(_, state)| state.cursor).expect("a cursor");
    assert_eq!(room.resolve(text, &seen.head), Some(14), "in UTF-16 units");
}

#[test]
fn a_link_that_was_full_hears_of_who_came_and_who_left_meanwhile() {
    let (mut network, text) = Network::with_document(4);
    let now = network.clock(0);
    network.devices[0].room.set_presence(ada(None), now).unwrap();
    network.insert(1, text, 0, "!");
    network.rest();
    assert_eq!(network.devices[3].room.others().count(), 1);
    // What gathers while the home's disk is busy leaves as one frame, and an empty queue takes a frame of any size.
    let alone = StreamId::ydoc([5; 16]);
    network.open(1, alone);
    network.rest();
    network.relay.disk_answers = false;
    network.insert(1, alone, 0, "only its author looks at this");
    network.settle();
    for _ in 0..8 {
        let end = network.devices[1].room.text_len(text).unwrap();
        network.insert(1, text, end, &"漢".repeat(16_000));
        network.wait(60);
        network.settle();
    }
    network.relay.slow = true;
    network.release_home_disk();
    network.drop_link(0);
    network.devices[0].online = false;
    let now = network.clock(2);
    network.devices[2].room.set_presence(State { name: "Ben".into(), ..ada(None) }, now).unwrap();
    network.wait(100);
    network.settle();
    network.wait(100);
    for _ in 0..5 {
        network.drain();
        network.settle();
    }
    let seen: Vec<String> = network.devices[3].room.others().map(|(_, state)| state.name.clone()).collect();
    assert_eq!(seen, ["Ben"], "Ada left and Ben came while nothing got through");
}

#[test]
fn a_name_for_a_document_is_seen_by_all_and_the_last_decision_stands() {
    let (mut network, text) = Network::with_document(2);
    let now = network.clock(0);
    network.devices[0].room.list_document(text, "notes.md", now).unwrap();
    network.rest();
    let now = network.clock(1);
    let made = network.devices[1].room.create_text("src/main.py", now).unwrap();
    network.rest();
    network.insert(1, made, 0, "print('hi')");
    network.open(0, made);
    network.rest();
    let paths: Vec<String> =
        network.devices[0].room.directory().into_iter().map(|listed| listed.path).collect();
    assert_eq!(paths, ["notes.md", "src/main.py"]);
    assert_eq!(network.text(0, made), "print('hi')");
    let now = network.clock(0);
    network.devices[0].room.unlist_document(text, now).unwrap();
    network.rest();
    assert_eq!(network.devices[1].room.directory().len(), 1);
}
