//! Rule 6: refused work as people meet it. It is shown, put back and discarded, on every page of the device.

use causeway_core::device::{DocumentError, Event, Fork, ForkError, ForkId, ForkText};
use causeway_core::directory::DirectoryOp;
use causeway_core::ids::StreamId;
use causeway_core::limits::RESEND_AFTER;
use causeway_core::log::{Digest, EntryKind, EntryName};
use causeway_core::stored::{self, ForkPart, ForkRecord, Prefix};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Message, Refused, Synced};
use causeway_core::ydoc::DeltaOp;
use causeway_tests::network::Network;

use crate::craft::{entry, frame};

/// A home that is stricter than the device refuses what was written last.
pub(crate) fn refuse_newest(network: &mut Network, device: usize, text: StreamId) {
    network.lose_what_is_on_its_way();
    let newest = network.devices[device].sent.iter().rev().find_map(|message| match message {
        Message::Entries(entries) => entries.last().map(|entry| entry.name()),
        Message::Other(_) => None,
    });
    refuse(network, device, text, newest.expect("the device has sent entries"));
}

/// The same for an entry and all that follow it.
pub(crate) fn refuse(network: &mut Network, device: usize, text: StreamId, name: EntryName) {
    let (code, sentence) = ("ydoc.guard".into(), "this home is stricter".into());
    let refused = Refused { stream: text, replica: name.replica, seq: name.seq, code, sentence };
    network.hand_to_device(device, &refused.into());
}

/// Two devices with `common ground`; the first has added `, and mine`, which was refused.
fn refused() -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "common ground");
    network.rest();
    network.insert(0, text, 13, ", and mine");
    refuse_newest(&mut network, 0, text);
    network.rest();
    (network, text)
}

fn forks(network: &Network, device: usize) -> Vec<Fork> {
    network.devices[device].room.forks()
}

fn read(network: &Network, device: usize, id: ForkId) -> Result<ForkText, ForkError> {
    network.devices[device].room.fork_text(id)
}

fn put_back(network: &mut Network, device: usize, id: ForkId, path: &str) -> Result<StreamId, ForkError> {
    let now = network.clock(device);
    network.devices[device].room.reapply_fork(id, path, now)
}

fn rows(network: &Network, device: usize) -> usize {
    network.devices[device].disk.rows_of(Prefix::Fork as u8).count()
}

#[test]
fn rule_6_a_fork_is_shown_with_its_reason_beside_the_text_as_it_is_now() {
    let (mut network, text) = refused();
    network.insert(1, text, 0, "our ");
    network.rest();
    assert!(network.events(0).contains(&Event::Forks));
    let [fork] = &forks(&network, 0)[..] else { panic!("one fork") };
    assert_eq!((fork.code.as_str(), fork.sentence.as_str()), ("ydoc.guard", "this home is stricter"));
    assert_eq!(fork.id, ForkId { stream: text, whole: None });
    let told = read(&network, 0, fork.id).expect("the document is open");
    assert_eq!(told.text, "our common ground, and mine");
    assert_eq!(told.delta, [DeltaOp::Retain(17), DeltaOp::Insert(", and mine".into())]);
    assert!(told.is_complete);
    assert_eq!(network.text(0, text), "our common ground", "to look at it changes nothing");
    assert_eq!(network.devices[0].room.save_status(text).forks, 1);
}

#[test]
fn rule_6_a_fork_that_is_put_back_is_an_edit_like_any_other_and_gone_as_a_fork() {
    let (mut network, text) = refused();
    network.insert(1, text, 0, "our ");
    network.rest();
    let id = forks(&network, 0)[0].id;
    assert_eq!(put_back(&mut network, 0, id, ""), Ok(text));
    assert_eq!(network.text(0, text), "our common ground, and mine");
    assert_eq!(forks(&network, 0), [], "it is on its way");
    network.rest();
    assert_eq!(network.text(1, text), "our common ground, and mine");
    assert_eq!((rows(&network, 0), network.devices[0].room.save_status(text).forks), (0, 0));
    assert_eq!(put_back(&mut network, 0, id, ""), Err(ForkError::Unknown), "once is enough");
    network.restart(0, true);
    network.open(0, text);
    network.rest();
    assert_eq!(network.text(0, text), "our common ground, and mine");
    assert_eq!(forks(&network, 0), []);
}

#[test]
fn rule_6_a_fork_stays_until_what_was_put_back_is_on_the_disk() {
    let (mut network, text) = refused();
    let id = forks(&network, 0)[0].id;
    network.devices[0].disk_answers = false;
    put_back(&mut network, 0, id, "").expect("it can be put back");
    network.rest();
    assert_eq!(rows(&network, 0), 1);
    network.restart(0, false);
    network.devices[0].disk_answers = true;
    network.open(0, text);
    network.rest();
    assert_eq!(network.text(0, text), "common ground", "the page died with the edit");
    assert_eq!(read(&network, 0, id).expect("and the fork is still there").text, "common ground, and mine");
}

#[test]
fn f3_a_power_cut_finds_what_is_put_back_in_the_text_or_in_the_fork_and_never_in_both() {
    let mut met = std::collections::BTreeSet::new();
    for online in [false, true] {
        for (commits, kept) in (0..6).flat_map(|commits| (0..4).map(move |kept| (commits, kept))) {
            let (mut network, text) = refused();
            if !online {
                network.go_offline(0);
            }
            let id = forks(&network, 0)[0].id;
            network.devices[0].disk_answers = false;
            put_back(&mut network, 0, id, "").expect("it can be put back");
            for _ in 0..commits {
                network.settle();
                network.wait(60);
                network.settle();
                network.answer_commit(0);
            }
            network.devices[0].disk.cut_power(kept);
            network.go_offline(0);
            network.restart(0, false);
            network.devices[0].disk_answers = true;
            network.open(0, text);
            network.rest();
            let in_text = network.text(0, text).matches("mine").count();
            assert_eq!(rows(&network, 0) + in_text, 1, "online: {online}, {commits} commits, {kept} kept");
            met.insert((online, in_text));
        }
    }
    assert_eq!(met.len(), 4, "it was cut before and after: {met:?}");
}

#[test]
fn rule_6_a_fork_of_a_document_nobody_looks_at_is_put_back_when_it_has_been_read() {
    let (mut network, text) = refused();
    network.restart(0, true);
    network.rest();
    let id = forks(&network, 0)[0].id;
    assert_eq!(read(&network, 0, id), Err(ForkError::Document(DocumentError::NotOpen)));
    assert_eq!(put_back(&mut network, 0, id, ""), Ok(text));
    assert_eq!(put_back(&mut network, 0, id, ""), Ok(text), "asked twice is done once");
    network.rest();
    assert_eq!(network.text(0, text), "common ground, and mine");
    assert_eq!(network.text(1, text), "common ground, and mine");
    assert_eq!(rows(&network, 0), 0);
}

#[test]
fn rule_6_a_fork_that_is_discarded_is_gone_for_good() {
    let (mut network, text) = refused();
    let id = forks(&network, 0)[0].id;
    network.devices[0].room.discard_fork(id);
    network.rest();
    assert_eq!((forks(&network, 0), rows(&network, 0)), (vec![], 0));
    assert_eq!(read(&network, 0, id), Err(ForkError::Unknown));
    network.restart(0, true);
    network.open(0, text);
    network.rest();
    assert_eq!((forks(&network, 0), network.text(0, text)), (vec![], "common ground".into()));
}

#[test]
fn rule_6_a_fork_that_is_refused_again_is_kept_again() {
    let (mut network, text) = refused();
    let id = forks(&network, 0)[0].id;
    put_back(&mut network, 0, id, "").expect("it can be put back");
    network.wait(60);
    refuse_newest(&mut network, 0, text);
    network.rest();
    assert_eq!(network.text(0, text), "common ground");
    assert_eq!(read(&network, 0, id).expect("the fork").text, "common ground, and mine");
}

#[test]
fn rule_6_a_refused_decision_on_the_list_is_made_again() {
    let (mut network, _) = Network::with_document(2);
    let now = network.clock(0);
    network.devices[0].room.create_text("notes.md", now).expect("a path");
    network.wait(1);
    refuse_newest(&mut network, 0, StreamId::DIRECTORY);
    network.rest();
    assert_eq!(network.devices[0].room.directory(), []);
    let id = forks(&network, 0)[0].id;
    assert_eq!(read(&network, 0, id).expect("the list is here").text, "+ notes.md\n");
    assert_eq!(put_back(&mut network, 0, id, ""), Ok(StreamId::DIRECTORY));
    network.rest();
    assert_eq!(network.devices[1].room.directory()[0].path, "notes.md");
    assert_eq!(rows(&network, 0), 0);
}

#[test]
fn f3_ten_thousand_pieces_go_with_a_few_commits() {
    const PIECES: u64 = 10_000;
    let mut network = Network::new(1);
    network.rest();
    let author = network.devices[0].room.replica();
    for number in 0..PIECES {
        let document = StreamId::ydoc(u128::from(number).to_be_bytes());
        let op = DirectoryOp::Put { document, path: format!("{number}.md") };
        let record = ForkRecord {
            code: "directory.payload".into(),
            sentence: "this home is stricter".into(),
            time: Millis(0),
            part: ForkPart::Change,
            payload: wire::payload::encode_directory(&op),
        };
        let key = stored::fork_key(&StreamId::DIRECTORY, &author, (1 << 62) + number);
        network.devices[0].disk.put(key, record.encode());
    }
    network.restart(0, true);
    network.rest();
    let id = forks(&network, 0)[0].id;
    network.go_offline(0);
    let (commits, entries) = (network.devices[0].commits, network.relay.entries(&StreamId::DIRECTORY));
    put_back(&mut network, 0, id, "").expect("it can be put back");
    network.rest();
    assert_eq!((rows(&network, 0), forks(&network, 0)), (0, vec![]));
    let commits = network.devices[0].commits - commits;
    assert!(commits <= 3, "{commits} commits");
    network.go_online(0);
    network.rest();
    assert_eq!(network.relay.entries(&StreamId::DIRECTORY) - entries, PIECES as usize);
    assert_eq!(network.devices[0].room.directory().len(), PIECES as usize);
}

#[test]
fn rule_14_work_on_a_document_that_was_deleted_is_kept_whole_and_goes_into_a_new_one() {
    for is_open in [true, false] {
        let (mut network, text) = Network::with_document(2);
        network.insert(0, text, 0, "short life. ");
        network.rest();
        network.go_offline(1);
        let long = "unheard ".repeat(20_000);
        network.insert(1, text, 0, "first: ");
        for n in 0..4 {
            network.insert(1, text, 7, &long[n * 40_000..(n + 1) * 40_000]);
        }
        network.wait(60);
        let replica = network.devices[0].room.replica();
        let seq = network.relay.seq(&text, &replica) + 1;
        network.inject(0, frame(&entry(text, replica, (seq, seq), EntryKind::Delete, &[])));
        network.rest();
        if !is_open {
            // The next page of the device has not opened the document when it hears.
            network.restart(1, true);
        }
        network.go_online(1);
        network.rest();
        network.rest();
        let [fork] = &forks(&network, 1)[..] else { panic!("one fork: {:?}", forks(&network, 1)) };
        assert_eq!((fork.code.as_str(), fork.id.whole.is_some()), ("stream.gone", true));
        let id = fork.id;
        let told = read(&network, 1, id).expect("it is kept whole");
        assert!(told.text.starts_with("first: unheard") && told.text.ends_with("short life. "), "{is_open}");
        let new = put_back(&mut network, 1, id, "kept.md").expect("a new document");
        assert_ne!(new, text);
        network.rest();
        assert_eq!(network.text(1, new), told.text);
        assert_eq!((forks(&network, 1), rows(&network, 1)), (vec![], 0));
        network.open(0, new);
        network.rest();
        assert_eq!(network.text(0, new), told.text);
        assert_eq!(network.devices[0].room.directory()[0].path, "kept.md");
    }
}

#[test]
fn rule_14_what_was_refused_before_a_document_was_deleted_outlives_it() {
    let (mut network, text) = Network::with_document(2);
    network.insert(1, text, 0, "our ground");
    network.rest();
    let author = network.devices[1].room.replica();
    network.insert(0, text, 10, ", and mine");
    refuse_newest(&mut network, 0, text);
    network.rest();
    let seq = network.relay.seq(&text, &author) + 1;
    network.inject(1, frame(&entry(text, author, (seq, seq), EntryKind::Delete, &[])));
    network.rest();
    let [fork] = &forks(&network, 0)[..] else { panic!("one fork: {:?}", forks(&network, 0)) };
    assert!(fork.id.whole.is_some());
    assert_eq!(read(&network, 0, fork.id).expect("whole").text, "our ground, and mine");
}

#[test]
fn t7_every_page_shows_the_forks_of_the_device_and_may_put_them_back_or_discard_them() {
    for putting_back in [true, false] {
        let (mut network, pages, text) = Network::with_pages(3);
        network.insert(pages[0], text, 0, "agreed ");
        network.rest();
        network.home_is_deaf = true;
        network.insert(pages[1], text, 0, "refused ");
        network.rest();
        network.insert(pages[2], text, 0, "on top ");
        network.rest();
        let replica = network.devices[pages[1]].room.replica();
        let (code, sentence) = ("ydoc.guard".into(), "this home is stricter".into());
        let refused = Refused { stream: text, replica, seq: 1, code, sentence };
        network.hand_to_device(pages[0], &refused.into());
        network.home_is_deaf = false;
        for _ in 0..4 {
            network.rest();
        }
        let id = ForkId { stream: text, whole: None };
        for page in &pages {
            let [fork] = &forks(&network, *page)[..] else { panic!("page {page} shows one fork") };
            assert_eq!((fork.id, fork.code.as_str()), (id, "ydoc.guard"));
            let told = read(&network, *page, id).expect("the document is open");
            assert_eq!((told.text.as_str(), told.is_complete), ("on top refused agreed ", true));
        }
        if putting_back {
            put_back(&mut network, pages[2], id, "").expect("a page that follows may");
        } else {
            network.devices[pages[2]].room.discard_fork(id);
        }
        for _ in 0..3 {
            network.rest();
        }
        let shown = if putting_back { "on top refused agreed " } else { "agreed " };
        for page in &pages {
            assert_eq!(forks(&network, *page), [], "page {page}");
            assert_eq!(network.text(*page, text), shown, "page {page}");
        }
        assert_eq!(rows(&network, pages[0]), 0);
    }
}

#[test]
fn t7_what_a_page_discards_without_a_leader_the_next_leader_discards() {
    for discarding in 1..3 {
        let (mut network, pages, text) = Network::with_pages(3);
        network.insert(pages[0], text, 0, "agreed ");
        network.rest();
        network.insert(pages[0], text, 0, "refused ");
        refuse_newest(&mut network, pages[0], text);
        for _ in 0..3 {
            network.rest();
        }
        let id = ForkId { stream: text, whole: None };
        assert_eq!(forks(&network, pages[discarding]).len(), 1);
        network.end_page(pages[0], true);
        network.devices[pages[discarding]].room.discard_fork(id);
        network.lead(pages[1]);
        for _ in 0..3 {
            network.rest();
        }
        assert_eq!(rows(&network, pages[0]), 0);
        assert_eq!((forks(&network, pages[1]), forks(&network, pages[2])), (vec![], vec![]));
    }
}

#[test]
fn rule_6_a_device_that_reads_a_text_anew_rests_until_its_disk_has_answered() {
    let (mut network, text) = Network::with_document(1);
    network.rest();
    network.go_offline(0);
    network.insert(0, text, 0, "under one name, ");
    network.rest();
    network.restart(0, true);
    network.open(0, text);
    network.rest();
    network.insert(0, text, 0, "under another, ");
    network.rest();
    // The home does not save them, and then does not hear that it is asked for that.
    network.relay.disk_answers = false;
    network.go_online(0);
    network.rest();
    network.home_is_deaf = true;
    network.wait(RESEND_AFTER.0 + 1_000);
    network.settle();
    let asked = network.devices[0].sent.iter().rev().find_map(|message| match message {
        Message::Other(Body::Subscribe(asked)) if asked.stream == text => Some(asked.question),
        _ => None,
    });
    network.devices[0].disk_answers = false;
    let (code, sentence) = ("entry.size".into(), "it is too large".into());
    let replica = network.devices[0].room.replica();
    let refused = Refused { stream: text, replica, seq: 1, code, sentence };
    network.hand_to_device(0, &Message::Other(Body::Refused(refused)));
    let (question, digest) = (asked.expect("it asks again"), Digest::NOTHING);
    network.hand_to_device(0, &Synced { stream: text, question, digest, entries: 0, gone: false }.into());
    network.now += RESEND_AFTER.0 + 1;
    for _ in 0..5 {
        network.tick(0);
    }
    let due = network.devices[0].room.poll_timeout().map(|(due, _)| due);
    assert!(due.is_none_or(|due| due > network.clock(0).monotonic), "it does not turn on the spot: {due:?}");
    assert!(network.devices[0].room.save_status(text).unsaved_on_relay > 0);
    network.devices[0].disk_answers = true;
    network.release_disk(0);
    (network.home_is_deaf, network.relay.disk_answers) = (false, true);
    network.release_home_disk();
    for _ in 0..10 {
        network.rest();
    }
    assert!(network.text(0, text).contains("under one name, "), "what nobody refused stands");
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
}
