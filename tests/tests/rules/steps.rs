//! M5: a text whose changes are dear is worked on in steps, and between two of them everything else goes on.

use causeway_core::device::{Event, Why};
use causeway_core::ids::StreamId;
use causeway_core::log::{EntryKind, EntryName};
use causeway_core::stored;
use causeway_core::wire::Message;
use causeway_tests::network::Network;

use crate::costs::{change, write};
use crate::craft::entry;
use crate::forks::refuse;

/// Places of which a text that is as long as [`LETTERS`] takes a part in a step, and one entry not all.
const PLACES: u32 = 1_500;
const LETTERS: u32 = 300_000;

/// A long text, and another one, which are open on both of two devices.
fn two_texts() -> (Network, StreamId, StreamId) {
    let (mut network, long) = Network::with_document(2);
    network.relay.snapshot_after(u64::MAX / 4, 500);
    write(&mut network, 1, long, &"x".repeat(LETTERS as usize));
    let now = network.clock(1);
    let short = network.devices[1].room.create_text("notes.md", now).expect("a path");
    network.rest();
    network.open(0, short);
    network.rest();
    (network, long, short)
}

/// Puts words in at many places of a long text.
fn scatter(network: &mut Network, device: usize, text: StreamId, words: &str) {
    change(network, device, text, |edit| {
        for place in (0..PLACES).rev() {
            edit.insert(place * (LETTERS / PLACES), words).expect("inside the text");
        }
    });
}

fn letters(network: &mut Network, device: usize, text: StreamId, letter: char) -> u32 {
    network.text(device, text).matches(letter).count() as u32
}

fn is_behind(network: &Network, device: usize) -> bool {
    let due = network.devices[device].room.poll_timeout();
    due.is_some_and(|(at, why)| why == Why::Text && at <= network.clock(device).monotonic)
}

/// Lets things go on until a device has begun with a text that takes long.
fn until_behind(network: &mut Network, device: usize) {
    for _ in 0..200 {
        network.settle();
        if is_behind(network, device) {
            return;
        }
        network.wait(5);
    }
    panic!("nothing takes long: {:?}", network.devices[device].room.poll_timeout());
}

#[test]
fn m5_other_texts_go_on_while_one_takes_long() {
    let (mut network, long, short) = two_texts();
    network.go_offline(0);
    network.rest();
    scatter(&mut network, 1, long, "y");
    network.rest();
    network.go_online(0);
    network.settle();
    let first = letters(&mut network, 0, long, 'y');
    assert!(0 < first && first < PLACES && is_behind(&network, 0), "{first} of {PLACES} places");

    network.insert(1, short, 0, "hello");
    network.settle();
    assert_eq!(network.text(0, short), "hello", "it is shown before the other text is done");
    assert_eq!(letters(&mut network, 0, long, 'y'), first);
    // Who writes in that very text waits for nothing either.
    network.insert(0, long, 0, "mine ");
    network.settle();
    network.tick(0);
    let second = letters(&mut network, 0, long, 'y');
    assert!(first < second && second < PLACES, "{second} of {PLACES} places after two steps");
    network.rest();
    network.rest();
    let expected = network.text(1, long);
    assert!(expected.starts_with("mine "));
    assert!(network.text(0, long) == expected, "the devices show different texts");
    assert_eq!(letters(&mut network, 0, long, 'y'), PLACES);
}

#[test]
fn m5_a_text_that_takes_long_opens_later_than_another() {
    let (mut network, long, short) = two_texts();
    scatter(&mut network, 1, long, "y");
    network.insert(1, short, 0, "hello");
    network.rest();
    network.rest();
    let expected = network.text(1, long);
    network.go_offline(0);
    network.restart(0, true);
    network.settle();
    network.open(0, long);
    network.open(0, short);
    network.settle();
    assert!(is_behind(&network, 0) && !network.devices[0].room.is_open(long), "it is open at once");
    assert_eq!(network.text(0, short), "hello");
    network.rest();
    assert!(network.text(0, long) == expected, "it lacks something");
    // Nobody has seen half of it, and it is up to date with its log.
    network.go_online(0);
    network.rest();
    assert!(network.text(0, long) == expected, "it lacks something");
    network.insert(0, long, 0, "on ");
    network.rest();
    assert!(network.text(1, long) == format!("on {expected}"), "it was written elsewhere");
}

#[test]
fn m5_a_page_that_follows_reads_a_text_that_takes_long_in_steps() {
    let (mut network, pages, long) = Network::with_pages(2);
    network.relay.snapshot_after(u64::MAX / 4, 500);
    write(&mut network, pages[0], long, &"x".repeat(LETTERS as usize));
    scatter(&mut network, pages[0], long, "y");
    network.rest();
    network.rest();
    let expected = network.text(pages[0], long);
    let third = network.join_page(pages[0]);
    network.settle();
    network.open(third, long);
    until_behind(&mut network, third);
    assert!(!network.devices[third].room.is_open(long), "it is open at once");
    // What comes meanwhile is not lost.
    network.insert(pages[0], long, 0, "new ");
    network.settle();
    network.rest();
    network.rest();
    assert!(network.text(third, long) == format!("new {expected}"), "it lacks something");
    network.insert(third, long, 0, "on ");
    network.rest();
    for page in [pages[0], pages[1], third] {
        assert!(network.text(page, long) == format!("on new {expected}"), "page {page} lacks something");
    }
}

/// The page that leads dies while another is reading from it: that one takes over and reads the disk.
#[test]
fn m5_a_page_takes_over_while_it_reads_a_text_that_takes_long() {
    let (mut network, pages, long) = Network::with_pages(1);
    network.relay.snapshot_after(u64::MAX / 4, 500);
    write(&mut network, pages[0], long, &"x".repeat(LETTERS as usize));
    scatter(&mut network, pages[0], long, "y");
    network.rest();
    network.rest();
    let expected = network.text(pages[0], long);
    let next = network.join_page(pages[0]);
    network.settle();
    network.open(next, long);
    until_behind(&mut network, next);
    network.end_page(pages[0], true);
    network.lead(next);
    network.settle();
    network.rest();
    network.rest();
    assert!(network.text(next, long) == expected, "it lacks something");
}

#[test]
fn m5_more_than_may_wait_is_asked_for_again() {
    let (mut network, long, _) = two_texts();
    network.go_offline(0);
    network.rest();
    scatter(&mut network, 1, long, "y");
    network.rest();
    // Six megabytes; four may wait.
    for _ in 0..100 {
        write(&mut network, 1, long, &"z".repeat(60_000));
    }
    network.rest();
    network.go_online(0);
    network.settle();
    assert!(is_behind(&network, 0));
    for _ in 0..4 {
        network.rest();
    }
    let expected = network.text(1, long);
    assert!(network.text(0, long) == expected, "it lacks something");
    assert!(network.devices[0].room.forks().is_empty());
}

/// What is refused while others' changes wait: the text is built anew, and lacks none of them.
#[test]
fn m5_a_text_is_built_anew_while_changes_wait() {
    let (mut network, long, _) = two_texts();
    network.insert(0, long, 0, "no ");
    network.settle();
    let refused = network.devices[0].room.replica();
    network.rest();
    network.go_offline(0);
    network.rest();
    scatter(&mut network, 1, long, "y");
    network.rest();
    network.insert(0, long, 0, "mine ");
    network.settle();
    network.go_online(0);
    network.settle();
    assert!(is_behind(&network, 0));
    let seq = network.relay.seq(&long, &refused);
    network.devices[0].disk_reads = false;
    refuse(&mut network, 0, long, EntryName { replica: refused, seq });
    for word in ["late ", "later "] {
        network.settle();
        network.tick(0);
        network.insert(0, long, 0, word);
        let shown = network.text(0, long);
        assert!(shown.starts_with(word), "it went elsewhere");
    }
    network.release_reads(0);
    for _ in 0..3 {
        network.rest();
    }
    assert_eq!(letters(&mut network, 0, long, 'y'), PLACES);
    let fork = network.devices[0].room.forks()[0].id;
    let kept = network.devices[0].room.fork_text(fork).expect("the text is open");
    assert!(kept.is_complete && kept.text.starts_with("later late mine "), "{}", &kept.text[..40]);
}

#[test]
fn m5_a_text_is_deleted_while_changes_wait() {
    let (mut network, long, short) = two_texts();
    network.go_offline(0);
    network.rest();
    scatter(&mut network, 1, long, "y");
    network.rest();
    network.go_online(0);
    network.settle();
    assert!(is_behind(&network, 0));
    let rows = network.devices[1].disk.rows_of(b'e');
    let entries = rows.filter_map(|(_, value)| stored::decode_entry(value.to_vec()).ok());
    let last = entries.filter(|entry| entry.header().stream == long).last().expect("it was written");
    let (last, logical) = (last.name(), last.header().logical);
    let delete = entry(long, last.replica, (last.seq + 1, logical + 1), EntryKind::Delete, &[]);
    network.hand_to_device(0, &Message::Entries(vec![delete]));
    assert!(network.events(0).contains(&Event::Gone(long)), "it is gone at once");
    network.insert(0, short, 0, "hello");
    network.rest();
    assert_eq!(network.text(1, short), "hello");
}

#[test]
fn m5_another_page_of_the_device_writes_while_changes_wait() {
    let (mut network, pages, long) = Network::with_pages(2);
    network.relay.snapshot_after(u64::MAX / 4, 500);
    let other = network.join();
    network.open(other, long);
    network.rest();
    write(&mut network, other, long, &"x".repeat(LETTERS as usize));
    network.rest();
    network.rest();
    network.go_offline(pages[0]);
    network.rest();
    scatter(&mut network, other, long, "y");
    network.rest();
    network.go_online(pages[0]);
    network.settle();
    assert!(is_behind(&network, pages[0]));
    let before = letters(&mut network, pages[0], long, 'y');
    network.insert(pages[1], long, 0, "tab ");
    network.settle();
    assert_eq!(letters(&mut network, pages[0], long, 'y'), before, "it is applied in one go");
    for _ in 0..3 {
        network.rest();
    }
    let expected = network.text(other, long);
    assert!(expected.contains("tab "));
    for page in pages {
        assert!(network.text(page, long) == expected, "page {page} lacks something");
    }
}

/// A step may take seconds, and on a quiet link a page asks its leader again after ten.
#[test]
fn m5_a_text_that_takes_minutes_is_opened_by_a_page_that_follows() {
    let (mut network, pages, long) = Network::with_pages(1);
    network.relay.snapshot_after(u64::MAX / 4, 500);
    write(&mut network, pages[0], long, &"x".repeat(LETTERS as usize));
    scatter(&mut network, pages[0], long, "y");
    network.rest();
    network.rest();
    let next = network.join_page(pages[0]);
    network.settle();
    network.open(next, long);
    until_behind(&mut network, next);
    for _ in 0..60 {
        network.now += 11_000;
        network.tick(next);
        network.settle();
    }
    assert_eq!(letters(&mut network, next, long, 'y'), PLACES);
}
