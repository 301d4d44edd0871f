//! The promises of DESIGN §5.

use causeway_core::device::Storage;
use causeway_core::ids::StreamId;
use causeway_tests::network::Network;

use crate::channels::{channel, open, say};
use crate::craft::entries_in;
use crate::own_gaps::talkers;

#[test]
fn promise_1_an_edit_survives_the_app_once_its_journal_is_written() {
    let (mut network, text) = Network::with_document(1);
    network.go_offline(0);
    let written = network.insert(0, text, 0, "written");
    network.wait(50);
    assert!(network.receipt(0, &written).device);
    network.devices[0].disk_answers = false;
    let unwritten = network.insert(0, text, 7, " and not");
    network.wait(50);
    assert!(!network.receipt(0, &unwritten).device, "the receipt does not promise what the disk has not");
    network.restart(0, false);
    network.devices[0].disk_answers = true;
    network.open(0, text);
    network.rest();
    assert_eq!(network.text(0, text), "written");
}

#[test]
fn promise_2_saved_means_fsynced_and_others_see_it_only_then() {
    let (mut network, text) = Network::with_document(2);
    network.relay.disk_answers = false;
    let receipt = network.insert(0, text, 0, "not yet");
    network.rest();
    assert!(!network.receipt(0, &receipt).relay);
    assert_eq!(network.text(1, text), "");
    network.release_home_disk();
    network.rest();
    assert!(network.receipt(0, &receipt).relay);
    assert_eq!(network.text(1, text), "not yet");
}

#[test]
fn promise_2_a_disk_that_never_answers_leaves_the_page_at_saving() {
    let (mut network, text) = Network::with_document(2);
    network.relay.disk_answers = false;
    network.insert(0, text, 0, "patience");
    for _ in 0..60 {
        network.rest();
    }
    let status = network.devices[0].room.save_status(text);
    assert_eq!((status.unsaved_on_device, status.unsaved_on_relay), (0, 1));
}

/// What is on its way to the device's own disk has not been sent to anybody.
#[test]
fn promise_2_what_gets_to_the_disk_while_a_restored_home_is_asked_is_not_called_saved() {
    let mut network = talkers();
    network.restart(0, true);
    open(&mut network, 0, 1);
    network.rest();
    network.go_offline(0);
    let backup = network.relay.disk.clone();
    network.relay.put_back(backup, 2);
    network.restart_home();
    network.settle();
    say(&mut network, 1, "theirs");
    network.rest();
    network.devices[0].disk_answers = false;
    let said = say(&mut network, 0, "next");
    network.relay.slow = true;
    network.go_online(0);
    network.settle();
    network.trickle();
    network.settle();
    network.release_disk(0);
    network.drain();
    network.settle();
    network.rest();
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
    assert_eq!(network.relay.seq(&channel(), &said.replica), said.seq);
}

#[test]
fn promise_3_the_outbox_forgets_only_what_is_saved() {
    let (mut network, text) = Network::with_document(2);
    network.relay.disk_answers = false;
    network.insert(0, text, 0, "taken and then lost");
    network.settle();
    network.relay.disk_answers = true;
    network.restart_home();
    network.rest();
    assert_eq!(network.text(1, text), "taken and then lost");
}

#[test]
fn promise_3_an_outbox_outlives_the_app() {
    let (mut network, text) = Network::with_document(2);
    network.relay.disk_answers = false;
    network.insert(0, text, 0, "sealed, sent, not saved");
    network.settle();
    network.restart(0, true);
    network.relay.disk_answers = true;
    network.restart_home();
    for _ in 0..3 {
        network.rest();
    }
    assert_eq!(
        network.text(1, text),
        "sealed, sent, not saved",
        "without anybody opening the document again"
    );
}

#[test]
fn promise_3_what_was_saved_is_known_to_be_saved_after_a_reload_without_a_link() {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "safe at home");
    network.rest();
    network.restart(0, true);
    network.devices[0].online = false;
    network.open(0, text);
    network.rest();
    assert_eq!(network.text(0, text), "safe at home");
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
}

#[test]
fn promise_3_an_entry_without_an_answer_is_offered_again() {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "here, ");
    network.rest();
    network.insert(0, text, 6, "lost on the way");
    network.lose_what_is_on_its_way();
    network.settle();
    assert_eq!(network.relay.entries(&text), 2);
    for _ in 0..6 {
        network.rest();
    }
    assert_eq!(network.relay.entries(&text), 3);
}

#[test]
fn promise_6_bytes_that_are_no_frame_end_one_link_and_nobody_elses() {
    let (mut network, text) = Network::with_document(3);
    for bad in [&[0xff; 12][..], &[5, 3, 1, 2, 3], &[4, 200, 1, 0]] {
        network.inject(2, bytes::Bytes::copy_from_slice(bad));
        network.settle();
        assert_eq!(network.relay.closed.pop().map(|(_, code)| code), Some(4400));
        network.go_online(2);
        network.rest();
    }
    network.insert(0, text, 0, "calm");
    network.rest();
    assert_eq!(network.text(1, text), "calm");
    assert_eq!(network.text(2, text), "calm", "and who mends its ways is welcome");
}

#[test]
fn promise_7_writers_that_met_in_any_order_show_one_text() {
    let (mut network, text) = Network::with_document(3);
    network.insert(0, text, 0, "0123456789");
    network.rest();
    for device in 0..3 {
        network.go_offline(device);
        network.insert(device, text, 5, ["zero", "one", "two"][device]);
        network.delete(device, text, 0, 2);
    }
    for device in [2, 0, 1] {
        network.go_online(device);
        network.rest();
    }
    let one = network.text(0, text);
    assert_eq!((network.text(1, text), network.text(2, text)), (one.clone(), one.clone()));
    assert!(["zero", "one", "two"].iter().all(|word| one.contains(word)), "{one}");
    assert!(!one.contains('0') && !one.contains('1'), "deleted by all, once");
}

#[test]
fn promise_7_an_editor_that_slept_through_a_thousand_steps_reads_the_text_once() {
    let (mut network, text) = Network::with_document(2);
    network.go_offline(1);
    for n in 0..1_300 {
        network.insert(0, text, n, "x");
        network.settle();
        network.wait(50);
    }
    network.go_online(1);
    network.rest();
    assert_eq!(network.text(1, text).len(), 1_300, "and what is told after the reset is not put in twice");
}

#[test]
fn a_receipt_counts_the_others_that_have_it() {
    let (mut network, text) = Network::with_document(4);
    network.go_offline(3);
    let receipt = network.insert(0, text, 0, "look");
    network.rest();
    assert_eq!(network.receipt(0, &receipt).seen_by, 2);
    network.go_online(3);
    network.rest();
    assert_eq!(network.receipt(0, &receipt).seen_by, 3);
    network.drop_link(0);
    network.go_online(0);
    network.rest();
    assert_eq!(network.receipt(0, &receipt).seen_by, 3, "also after the author's link was opened anew");
    assert!(entries_in(&network.devices[1].sent, text) == 0);
}

#[test]
fn d2_a_page_whose_read_failed_works_again_when_a_read_does_and_not_before_its_disk_writes() {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "whole");
    network.rest();
    network.restart(0, true);
    network.rest();
    network.devices[0].disk_reads = false;
    network.open(0, text);
    network.settle();
    assert!(network.fail_read(0), "it is read");
    assert!(matches!(network.devices[0].room.storage(), Storage::Failing { full: false, .. }));
    network.devices[0].disk_reads = true;
    let commits = network.devices[0].commits;
    network.wait(2_000);
    network.settle();
    assert_eq!(network.text(0, text), "whole");
    assert_eq!(network.devices[0].commits, commits, "nothing had to be written for it");
    assert_eq!(*network.devices[0].room.storage(), Storage::Working);

    // A disk that is full can be read, and is full all the same.
    network.devices[0].disk_full = true;
    network.insert(0, text, 0, "on the ");
    network.wait(60);
    network.settle();
    assert!(matches!(network.devices[0].room.storage(), Storage::Failing { full: true, .. }));
    network.open(0, StreamId::ydoc([9; 16]));
    network.settle();
    assert!(matches!(network.devices[0].room.storage(), Storage::Failing { full: true, .. }));
    network.devices[0].disk_full = false;
    network.rest();
    network.rest();
    network.rest();
    assert_eq!(*network.devices[0].room.storage(), Storage::Working);
}
