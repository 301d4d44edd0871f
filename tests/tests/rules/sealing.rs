//! Rule 3: the journal and sealing.

use causeway_core::stored::Prefix;
use causeway_core::ydoc::DeltaOp;
use causeway_tests::network::Network;

use crate::craft::entries_in;

#[test]
fn rule_3_first_edit_seals_at_once_then_every_50_ms() {
    let (mut network, text) = Network::with_document(1);
    let sealed = |network: &mut Network| {
        network.settle();
        entries_in(&network.devices[0].sent, text)
    };
    network.insert(0, text, 0, "a");
    assert_eq!(sealed(&mut network), 2, "creation and first edit leave at once");
    network.insert(0, text, 1, "b");
    network.insert(0, text, 2, "c");
    network.wait(49);
    assert_eq!(sealed(&mut network), 2, "the next wait");
    network.wait(1);
    assert_eq!(sealed(&mut network), 3, "and leave as one");
    network.wait(500);
    network.insert(0, text, 3, "d");
    assert_eq!(sealed(&mut network), 4, "after a pause the first leaves at once again");
}

#[test]
fn rule_3_steady_typing_costs_twenty_entries_a_second_and_no_more() {
    let (mut network, text) = Network::with_document(1);
    for at in 0..500 {
        network.insert(0, text, at, "x");
        network.settle();
        network.wait(4);
    }
    let entries = entries_in(&network.devices[0].sent, text);
    assert!((38..=44).contains(&entries), "two seconds of typing cost {entries} entries");
}

#[test]
fn rule_3_the_first_edit_after_a_pause_is_sent_once() {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "a");
    network.rest();
    network.wait(8_000);
    let before = network.devices[0].sent.len();
    network.insert(0, text, 1, "b");
    network.settle();
    assert_eq!(entries_in(&network.devices[0].sent[before..], text), 1);
}

#[test]
fn rule_3_a_day_offline_becomes_a_handful_of_entries() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "morning ");
    network.rest();
    network.go_offline(0);
    let before = network.relay.entries(&text);
    for n in 0..3_000 {
        let end = network.devices[0].room.text_len(text).unwrap();
        network.insert(0, text, end, if n % 7 == 0 { " " } else { "w" });
        network.wait(200);
    }
    network.go_online(0);
    network.rest();
    let entries = network.relay.entries(&text) - before;
    assert!((1..=5).contains(&entries), "a day became {entries} entries");
    assert_eq!(network.text(1, text), network.text(0, text));
}

#[test]
fn rule_3_an_entry_is_on_this_disk_before_its_bytes_leave() {
    let (mut network, text) = Network::with_document(2);
    network.devices[0].disk_answers = false;
    let receipt = network.insert(0, text, 0, "patience");
    network.rest();
    assert_eq!(entries_in(&network.devices[0].sent, text), 0);
    assert!(!network.receipt(0, &receipt).device);
    network.release_disk(0);
    network.rest();
    assert!(network.receipt(0, &receipt).device && network.receipt(0, &receipt).relay);
    assert_eq!(network.text(1, text), "patience");
}

#[test]
fn rule_3_a_dead_pages_journal_is_sealed_under_its_old_replica() {
    let (mut network, text) = Network::with_document(2);
    network.go_offline(0);
    network.insert(0, text, 0, "left behind");
    network.wait(60);
    let dead = network.devices[0].room.replica();
    assert_eq!(network.devices[0].disk.rows_of(Prefix::Journal as u8).count(), 1);
    network.restart(0, false);
    network.devices[0].online = false;
    network.open(0, text);
    network.rest();
    assert_eq!(network.text(0, text), "left behind", "the next page shows it");
    network.go_online(0);
    network.rest();
    assert!(network.relay.seq(&text, &dead) > 0, "the dead page's name stands under it");
    assert_eq!(network.devices[0].disk.rows_of(Prefix::Journal as u8).count(), 0);
    assert_eq!(network.text(1, text), "left behind");
}

#[test]
fn rule_3_a_leftover_is_sealed_once_even_if_the_document_is_opened_while_it_is_read() {
    let (mut network, text) = Network::with_document(2);
    network.go_offline(0);
    network.insert(0, text, 0, "once");
    network.wait(60);
    network.restart(0, false);
    // The boot reads what was left by itself; the app opens the text at every moment of it in turn.
    for moment in 0..12 {
        network.restart(0, true);
        network.step_disk(0, moment);
        network.open(0, text);
        network.devices[0].online = true;
        network.rest();
        assert_eq!(network.text(0, text), "once", "opened at moment {moment}");
        assert_eq!(network.text(1, text), "once");
    }
}

#[test]
fn rule_3_a_text_that_can_be_read_is_whole_at_whatever_moment_of_the_start_it_was_opened() {
    for moment in 0..40 {
        let (mut network, text) = Network::with_document(1);
        network.insert(0, text, 0, "saved");
        network.rest();
        network.go_offline(0);
        network.insert(0, text, 0, "left and ");
        network.wait(60);
        network.restart(0, false);
        network.devices[0].online = false;
        network.step_disk(0, moment);
        network.open(0, text);
        for step in 0..60 {
            // Once it can be read, somebody reads it and writes on.
            if let Ok(shown) = network.devices[0].room.text(text) {
                assert_eq!(shown, "left and saved", "opened at moment {moment}, read {step} steps later");
            }
            network.step_disk(0, 1);
        }
        assert!(network.devices[0].room.text(text).is_ok(), "opened at moment {moment}");
    }
}

#[test]
fn rule_3_a_disk_that_was_full_for_long_costs_nothing_but_memory() {
    let (mut network, text) = Network::with_document(2);
    network.devices[0].disk_full = true;
    let page = "full ".repeat(10_000);
    for n in 0..40 {
        let receipt = network.insert(0, text, 0, &page);
        network.wait(300);
        assert!(!network.receipt(0, &receipt).device, "page {n} is nowhere yet");
    }
    network.devices[0].disk_full = false;
    for _ in 0..10 {
        network.rest();
    }
    assert_eq!(network.devices[0].room.save_status(text).forks, 0, "nothing is refused");
    assert_eq!(network.text(1, text).len(), 40 * page.len());
}

#[test]
fn rule_3_a_large_paste_that_meets_a_slow_disk_becomes_entries_that_fit() {
    const PASTED: usize = 2 << 20;
    let (mut network, text) = Network::with_document(2);
    network.rest();
    network.devices[0].disk_answers = false;
    network.insert(0, text, 0, "on its way. ");
    network.settle();
    let now = network.clock(0);
    let paste = [DeltaOp::Insert("x".repeat(PASTED))];
    network.devices[0].room.apply_delta(text, None, &paste, now).expect("inside the text");
    network.wait(60);
    network.release_disk(0);
    for _ in 0..3 {
        network.rest();
    }
    assert_eq!(network.devices[0].room.forks(), []);
    for device in 0..2 {
        assert_eq!(network.text(device, text).matches('x').count(), PASTED, "device {device}");
    }
}
