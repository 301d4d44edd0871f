//! What becomes of work while the lead goes from one page to another (T4–T7).

use causeway_core::chat::Saved;
use causeway_core::device::{Connection, Event, Input, PageInput, Role};
use causeway_core::ids::StreamId;
use causeway_core::stored::Prefix;
use causeway_core::wire::{Body, Message, Refused};
use causeway_tests::network::Network;

use crate::channels::{open, posts, say};

pub(crate) fn forks(network: &Network, page: usize) -> usize {
    network.devices[page].disk.rows_of(Prefix::Fork as u8).count()
}

pub(crate) fn refuse(network: &mut Network, leader: usize, text: StreamId, author: usize, seq: u64) {
    let replica = network.devices[author].room.replica();
    let (code, sentence) = ("ydoc.guard".into(), "this home is stricter".into());
    let refused: Message = Refused { stream: text, replica, seq, code, sentence }.into();
    network.hand_to_device(leader, &refused);
}

pub(crate) fn told_of_fork(network: &mut Network, page: usize, what: &str) -> bool {
    network.events(page).iter().any(|event| matches!(event, Event::Fork { code, .. } if code == what))
}

/// The first page has its newest edit in the journal alone, all else is saved, and nobody reaches the home.
pub(crate) fn with_a_journal(
    pages: usize,
) -> (Network, Vec<usize>, StreamId, causeway_core::device::Receipt) {
    let (mut network, pages, text) = Network::with_pages(pages);
    network.insert(pages[0], text, 0, "before ");
    network.rest();
    network.insert(pages[0], text, 0, "saved ");
    network.settle();
    let journal = network.insert(pages[0], text, 0, "journal ");
    pages.iter().for_each(|page| network.devices[*page].online = false);
    network.go_offline(pages[0]);
    network.wait(60);
    network.settle();
    assert_eq!(network.devices[pages[0]].disk.rows_of(Prefix::Journal as u8).count(), 1);
    (network, pages, text, journal)
}

#[test]
fn t6_the_page_that_claims_second_keeps_what_it_wrote_since_the_leader_hung() {
    let (mut network, pages, text) = Network::with_pages(3);
    network.insert(pages[0], text, 0, "before ");
    network.rest();
    network.freeze(pages[0]);
    let first = network.insert(pages[1], text, 0, "first ");
    let second = network.insert(pages[2], text, 0, "second ");
    network.wait(400);
    network.settle();
    for page in [pages[1], pages[2]] {
        network.devices[page].disk_answers = false;
        network.lead(page);
    }
    let late = network.insert(pages[2], text, 0, "late ");
    network.wait(100);
    network.release_disk(pages[1]);
    network.release_disk(pages[2]);
    assert_eq!(network.devices[pages[2]].room.role(), Role::Following);
    network.lead(pages[1]);
    for _ in 0..3 {
        network.rest();
    }
    for page in [pages[1], pages[2]] {
        let shown = network.text(page, text);
        for word in ["before ", "first ", "second ", "late "] {
            assert_eq!(shown.matches(word).count(), 1, "{word} in {shown:?} on page {page}");
        }
    }
    for (page, receipt) in [(pages[1], first), (pages[2], second), (pages[2], late)] {
        let state = network.receipt(page, &receipt);
        assert!(state.device && state.relay && !state.refused, "{receipt:?}: {state:?}");
    }
}

#[test]
fn t5_what_the_new_leader_has_not_written_yet_of_a_journal_is_not_called_saved() {
    let (mut network, pages, text, journal) = with_a_journal(2);
    network.devices[pages[1]].disk_answers = false;
    network.lead(pages[1]);
    network.answer_commit(pages[1]);
    // The one that led tries its link again, and finds out.
    for _ in 0..60 {
        network.wait(1_000);
        network.settle();
    }
    assert_eq!(network.devices[pages[0]].room.role(), Role::Following);
    let state = network.receipt(pages[0], &journal);
    assert!(state.device && !state.relay && !state.refused, "{state:?}");
    assert_eq!(network.devices[pages[0]].room.save_status(text).unsaved_on_relay, 1);
    network.release_disk(pages[1]);
    network.settle();
    assert_eq!(network.text(pages[0], text), "journal saved before ", "its own words come back at once");
    pages.iter().for_each(|page| network.devices[*page].online = true);
    network.go_online(pages[1]);
    network.rest();
    let state = network.receipt(pages[0], &journal);
    assert!(state.device && state.relay && !state.refused, "{state:?}");
    assert_eq!(network.devices[pages[0]].room.save_status(text).unsaved_on_relay, 0);
    assert!(!network.events(pages[0]).iter().any(|event| matches!(event, Event::Fork { .. })));
}

#[test]
fn t5_only_what_the_journal_on_the_disk_lacks_is_refused() {
    let (mut network, pages, text, journal) = with_a_journal(2);
    network.devices[pages[0]].disk_answers = false;
    let memory = network.insert(pages[0], text, 0, "memory ");
    network.wait(60);
    network.freeze(pages[0]);
    network.lead(pages[1]);
    network.rest();
    network.thaw(pages[0]);
    network.release_disk(pages[0]);
    assert_eq!(network.devices[pages[0]].room.role(), Role::Following);
    assert!(network.receipt(pages[0], &memory).refused);
    assert!(!network.receipt(pages[0], &journal).refused);
    pages.iter().for_each(|page| network.devices[*page].online = true);
    network.go_online(pages[1]);
    network.rest();
    let state = network.receipt(pages[0], &journal);
    assert!(state.device && state.relay && !state.refused, "{state:?}");
    let status = network.devices[pages[0]].room.save_status(text);
    assert_eq!((status.unsaved_on_device, status.unsaved_on_relay), (0, 0));
}

#[test]
fn t5_what_goes_back_is_not_called_kept_before_the_disk_has_it() {
    let (mut network, pages, text, _) = with_a_journal(2);
    network.devices[pages[0]].disk_answers = false;
    let memory = network.insert(pages[0], text, 0, "memory ");
    network.wait(60);
    network.freeze(pages[0]);
    network.lead(pages[1]);
    network.rest();
    network.devices[pages[1]].disk_answers = false;
    network.thaw(pages[0]);
    network.release_disk(pages[0]);
    assert!(told_of_fork(&mut network, pages[0], "disk.claimed"));
    network.rest();
    assert_eq!(forks(&network, pages[0]), 0);
    assert!(!network.receipt(pages[0], &memory).device, "it is in memory alone");
    assert!(network.devices[pages[0]].room.save_status(text).unsaved_on_device > 0);
    network.release_disk(pages[1]);
    network.rest();
    network.rest();
    assert_eq!(forks(&network, pages[0]), 0);
    assert!(network.text(pages[1], text).starts_with("memory "));
    assert!(network.receipt(pages[0], &memory).device);
    assert_eq!(network.devices[pages[0]].room.save_status(text).unsaved_on_device, 0);
}

#[test]
fn t5_a_piece_of_journal_behind_a_seal_is_known_to_be_on_the_disk() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[0], text, 0, "before ");
    network.rest();
    network.devices[pages[0]].disk_answers = false;
    network.insert(pages[0], text, 0, "sealed ");
    network.settle();
    let piece = network.insert(pages[0], text, 0, "piece ");
    network.wait(60);
    pages.iter().for_each(|page| network.devices[*page].online = false);
    network.go_offline(pages[0]);
    network.answer_commit(pages[0]);
    network.answer_commit(pages[0]);
    assert_eq!(network.devices[pages[0]].disk.rows_of(Prefix::Journal as u8).count(), 1);
    network.freeze(pages[0]);
    network.lead(pages[1]);
    network.rest();
    network.thaw(pages[0]);
    network.release_disk(pages[0]);
    pages.iter().for_each(|page| network.devices[*page].online = true);
    for _ in 0..3 {
        network.rest();
    }
    for page in &pages {
        assert_eq!(network.text(*page, text), "piece sealed before ", "page {page}");
    }
    assert!(network.receipt(pages[0], &piece).relay);
    assert!(!network.events(pages[0]).iter().any(|event| matches!(event, Event::Fork { .. })));
    assert_eq!(forks(&network, pages[0]), 0);
}

#[test]
fn t7_a_page_that_joins_after_a_refusal_hears_of_it() {
    let (mut network, pages, text) = Network::with_pages(3);
    network.insert(pages[0], text, 0, "agreed ");
    network.rest();
    network.home_is_deaf = true;
    network.insert(pages[1], text, 0, "refused ");
    network.rest();
    assert_eq!(network.text(pages[2], text), "refused agreed ");
    network.freeze(pages[2]);
    network.part(pages[2]);
    refuse(&mut network, pages[0], text, pages[1], 1);
    network.settle();
    network.home_is_deaf = false;
    network.thaw(pages[2]);
    let on_top = network.insert(pages[2], text, 0, "on top ");
    for _ in 0..4 {
        network.rest();
    }
    for page in &pages {
        assert_eq!(network.text(*page, text), "agreed ", "page {page}");
    }
    assert_eq!(forks(&network, pages[0]), 2, "what was refused, and what was written on top of it");
    let state = network.receipt(pages[2], &on_top);
    assert!(state.device && state.refused, "{state:?}");
}

#[test]
fn t7_a_page_that_takes_over_with_refused_work_in_its_text_takes_it_back() {
    let (mut network, pages, text) = Network::with_pages(3);
    network.insert(pages[0], text, 0, "agreed ");
    network.rest();
    network.home_is_deaf = true;
    network.insert(pages[1], text, 0, "refused ");
    network.rest();
    network.freeze(pages[2]);
    network.part(pages[2]);
    refuse(&mut network, pages[0], text, pages[1], 1);
    network.settle();
    network.home_is_deaf = false;
    assert_eq!(forks(&network, pages[0]), 1);
    network.end_page(pages[0], false);
    network.end_page(pages[1], false);
    let now = network.clock(pages[2]);
    let room = &mut network.devices[pages[2]].room;
    room.open_editor(text, causeway_tests::network::EDITOR).unwrap();
    room.edit(text, Some(causeway_tests::network::EDITOR), now, |edit| edit.insert(0, "on top ")).unwrap();
    network.lead(pages[2]);
    network.thaw(pages[2]);
    for _ in 0..4 {
        network.rest();
    }
    assert_eq!(network.text(pages[2], text), "agreed ");
    assert_eq!(forks(&network, pages[0]), 2, "what was refused, and what was written on top of it");
    let receipt = network.insert(pages[2], text, 0, "new ");
    network.rest();
    assert!(network.receipt(pages[2], &receipt).relay);
    let other = network.join();
    network.open(other, text);
    network.rest();
    assert_eq!(network.text(other, text), "new agreed ");
}

#[test]
fn t7_work_refused_below_a_fork_that_is_kept_is_taken_back_too() {
    let (mut network, pages, text) = Network::with_pages(3);
    network.insert(pages[0], text, 0, "agreed ");
    network.rest();
    network.relay.disk_answers = false;
    network.insert(pages[1], text, 0, "refused ");
    network.rest();
    network.devices[pages[0]].disk_answers = false;
    network.insert(pages[1], text, 0, "on top ");
    network.rest();
    let author = network.devices[pages[1]].room.replica();
    let (code, sentence): (String, String) = ("ydoc.guard".into(), "this home is stricter".into());
    let refused: Message = Refused { stream: text, replica: author, seq: 1, code, sentence }.into();
    network.hand_to_device(pages[0], &refused);
    network.settle();
    assert_eq!(network.devices[pages[1]].room.save_status(text).unsaved_on_device, 1);
    network.end_page(pages[0], false);
    network.lead(pages[2]);
    network.rest();
    assert_eq!(forks(&network, pages[0]), 1, "what was on top");
    network.hand_to_device(pages[2], &refused);
    for _ in 0..4 {
        network.rest();
    }
    for page in [pages[1], pages[2]] {
        assert_eq!(network.text(page, text), "agreed ", "page {page}");
        let status = network.devices[page].room.save_status(text);
        assert_eq!((status.unsaved_on_device, status.unsaved_on_relay), (0, 0), "page {page}");
    }
    assert_eq!(forks(&network, pages[0]), 2);
}

#[test]
fn t4_what_was_first_written_between_two_leaders_is_sent_by_whoever_comes_after() {
    let (mut network, pages, text) = Network::with_pages(3);
    network.insert(pages[0], text, 0, "before ");
    network.rest();
    pages.iter().for_each(|page| network.devices[*page].online = false);
    network.end_page(pages[0], false);
    network.freeze(pages[2]);
    network.insert(pages[1], text, 0, "between ");
    network.lead(pages[1]);
    network.wait(60);
    network.settle();
    network.wait(60);
    network.settle();
    assert_eq!(network.devices[pages[0]].disk.rows_of(Prefix::Journal as u8).count(), 1);
    network.end_page(pages[1], false);
    network.devices[pages[2]].online = true;
    network.thaw(pages[2]);
    network.lead(pages[2]);
    network.rest();
    network.rest();
    let other = network.join();
    network.open(other, text);
    network.rest();
    assert_eq!(network.text(other, text), "between before ");
    assert_eq!(network.devices[pages[2]].room.save_status(text).unsaved_on_relay, 0);
}

#[test]
fn t5_a_page_that_slept_long_asks_its_leader_before_it_gives_it_up() {
    let (mut network, pages, _) = Network::with_pages(2);
    network.rest();
    network.freeze(pages[1]);
    network.wait(40_000);
    network.thaw(pages[1]);
    network.wait(1);
    assert_eq!(*network.devices[pages[1]].room.storage(), causeway_core::device::Storage::Working);
    assert_eq!(network.devices[pages[1]].room.connection(), Connection::Online, "it waits for the answer");
    network.settle();
    network.wait(20_000);
    assert_eq!(network.devices[pages[1]].room.connection(), Connection::Online);
}

#[test]
fn t1_a_page_reads_a_large_stream_from_a_slow_leader_in_one_go() {
    let (mut network, pages, text) = Network::with_pages(1);
    for n in 0..8 {
        network.insert(pages[0], text, 0, &format!("{n}").repeat(60_000));
        network.rest();
    }
    let page = network.join_page(pages[0]);
    network.devices[pages[0]].disk_reads = false;
    network.open(page, text);
    network.settle();
    let mut answered = 0;
    while network.devices[page].room.text(text).is_err() {
        network.wait(3_000);
        network.settle();
        answered += u32::from(network.answer_read(pages[0]));
        network.settle();
        assert!(answered < 40, "it begins again and again");
    }
    assert!(answered > 2, "a slow disk");
    assert_eq!(network.text(page, text).len(), 8 * 60_000);
}

#[test]
fn t1_a_page_is_served_again_when_its_leader_could_not_read() {
    let (mut network, pages, text) = Network::with_pages(1);
    network.insert(pages[0], text, 0, "whole");
    network.rest();
    let page = network.join_page(pages[0]);
    network.wait(1);
    network.settle();
    network.devices[pages[0]].disk_reads = false;
    network.open(page, text);
    network.wait(1);
    network.settle();
    assert!(network.fail_read(pages[0]), "it is read for the page that has come");
    while network.fail_read(pages[0]) {}
    network.settle();
    network.devices[pages[0]].disk_reads = true;
    // Sooner than the page would ask again by itself.
    network.wait(2_500);
    network.settle();
    assert_eq!(network.text(page, text), "whole");
}

#[test]
fn t2_a_page_is_sent_what_its_leader_could_not_read_for_it_at_first() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.relay.snapshot_after(10, 100);
    network.insert(pages[0], text, 0, "here ");
    network.rest();
    network.devices[pages[0]].online = false;
    network.go_offline(pages[0]);
    let other = network.join();
    network.open(other, text);
    network.settle();
    network.insert_times(12, other, text, "there ");
    network.rest();
    assert_eq!(network.relay.home.figures().snapshots_made, 1);
    // The leader is sent the snapshot, keeps it, and cannot read it for the page that looks on.
    network.devices[pages[0]].disk_reads = false;
    network.devices[pages[0]].online = true;
    network.go_online(pages[0]);
    network.settle();
    assert!(network.fail_read(pages[0]), "the leader reads for the other page");
    while network.fail_read(pages[0]) {}
    network.devices[pages[0]].disk_reads = true;
    let asked = network.devices[pages[1]].sent.len();
    network.wait(2_000);
    network.rest();
    assert_eq!(network.text(pages[0], text), network.text(other, text));
    assert_eq!(network.text(pages[1], text), network.text(other, text));
    let asks = |message: &Message| matches!(message, Message::Other(Body::Subscribe(_)));
    assert!(!network.devices[pages[1]].sent[asked..].iter().any(asks), "and did not have to ask");
}

#[test]
fn t1_much_that_reaches_the_disk_at_once_is_passed_on_in_frames_a_page_can_read() {
    let (mut network, pages, text) = Network::with_pages(2);
    let other = network.join();
    network.open(other, text);
    network.rest();
    network.devices[pages[0]].disk_answers = false;
    for _ in 0..24 {
        network.insert(other, text, 0, &"much".repeat(15_000));
        network.rest();
    }
    network.release_disk(pages[0]);
    network.settle();
    assert_eq!(network.text(pages[1], text).len(), 24 * 60_000);
}

#[test]
fn t5_a_journal_that_the_new_leader_has_sealed_and_not_written_stands_once() {
    // The new leader lives, or dies before its disk has written what it sealed, or after. The one that led has sealed nothing since,
    // or the same journal.
    let ends = [None, Some(false), Some(true)];
    let ways = |end| [(false, false, end), (true, false, end), (false, true, end)];
    for (types, seals, end) in ends.into_iter().flat_map(ways) {
        let (mut network, pages, text, _) = with_a_journal(3);
        network.devices[pages[0]].disk_answers = false;
        if seals {
            network.devices[pages[0]].online = true;
            network.go_online(pages[0]);
            network.settle();
            network.wait(60);
            network.settle();
            network.go_offline(pages[0]);
            network.devices[pages[0]].online = false;
        }
        if types {
            network.insert(pages[0], text, 0, "memory ");
            network.wait(60);
        }
        network.freeze(pages[0]);
        network.devices[pages[1]].disk_answers = false;
        network.lead(pages[1]);
        network.answer_commit(pages[1]);
        network.settle();
        // The one that led wakes while what was sealed of its journal is on its way to the disk.
        network.thaw(pages[0]);
        network.release_disk(pages[0]);
        for _ in 0..30 {
            network.wait(500);
            network.settle();
        }
        assert_eq!(network.devices[pages[0]].room.role(), Role::Following);
        let late = network.insert(pages[2], text, 0, "late ");
        for _ in 0..4 {
            network.rest();
        }
        let last = if let Some(written) = end {
            network.end_page(pages[1], written);
            network.lead(pages[2]);
            pages[2]
        } else {
            network.release_disk(pages[1]);
            pages[1]
        };
        pages.iter().for_each(|page| network.devices[*page].online = true);
        network.go_online(last);
        for _ in 0..8 {
            network.rest();
        }
        let other = network.join();
        network.open(other, text);
        network.rest();
        let words = ["before ", "saved ", "journal ", "late "].into_iter().chain(types.then_some("memory "));
        for page in [pages[0], pages[2], other] {
            let shown = network.text(page, text);
            for word in words.clone() {
                assert_eq!(
                    shown.matches(word).count(),
                    1,
                    "{word} in {shown:?} on {page}, {types} {seals} {end:?}"
                );
            }
        }
        let state = network.receipt(pages[2], &late);
        assert!(state.device && state.relay && !state.refused, "{state:?}");
    }
}

#[test]
fn t4_posts_that_a_snapshot_covers_are_saved_though_the_page_that_led_has_told_nobody() {
    // The second time they are so old that the device lets its own entries go too.
    for days in [0, 40] {
        let mut network = Network::new(1);
        network.relay.snapshot_after(4, 300);
        open(&mut network, 0, 1);
        network.rest();
        say(&mut network, 0, "before");
        network.rest();
        let pages = network.join_pages(2);
        pages.iter().for_each(|page| open(&mut network, *page, 2));
        network.rest();
        network.relay.disk_answers = false;
        for text in ["one", "two", "three"] {
            say(&mut network, pages[1], text);
        }
        network.rest();
        network.freeze(pages[0]);
        network.release_home_disk();
        network.rest();
        assert!(posts(&network, 0).iter().any(|post| post.text == "three"), "the home has them");
        let told = posts(&network, pages[1]).iter().filter(|post| post.saved == Saved::Relay).count();
        assert_eq!(told, 1, "nobody has told the page that wrote them");
        assert!(network.relay.jobs_run > 0, "there is a snapshot");
        network.relay.wall_offset += days * 24 * 3_600_000;
        network.lead(pages[1]);
        for _ in 0..3 {
            network.rest();
        }
        let shown: Vec<_> =
            posts(&network, pages[1]).into_iter().map(|post| (post.text, post.saved)).collect();
        let words = ["before", "one", "two", "three"].map(|text| (text.to_owned(), Saved::Relay));
        assert_eq!(shown, words, "after {days} days");
    }
}

#[test]
fn t4_what_came_from_the_home_gets_to_the_disk_however_often_the_lead_changes_before() {
    let (mut network, pages, text) = Network::with_pages(2);
    let other = network.join();
    network.open(other, text);
    network.rest();
    network.insert(other, text, 0, "one ");
    network.rest();
    let page = pages[0];
    let gives_way = |network: &mut Network| {
        let now = network.clock(page);
        network.devices[page].room.handle(Input::Page(PageInput::Follow), now);
    };
    network.devices[page].disk_answers = false;
    network.insert(other, text, 4, "two ");
    network.settle();
    assert_eq!(network.text(page, text), "one two ", "it is on its way to the disk");
    gives_way(&mut network);
    (network.devices[page].disk_answers, network.devices[page].disk_reads) = (true, false);
    network.lead(page);
    // It is still being brought together with the disk.
    gives_way(&mut network);
    network.devices[page].disk_reads = true;
    network.lead(page);
    network.rest();
    // What was on its way comes too late.
    network.release_disk(page);
    network.insert(other, text, 8, "three ");
    network.rest();
    network.devices[page].online = false;
    network.end_page(pages[1], true);
    network.restart(page, true);
    network.open(page, text);
    network.rest();
    assert_eq!(network.text(page, text), "one two three ", "without a link");
}
