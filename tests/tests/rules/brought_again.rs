//! Rule 12 at the home: what is brought again is held against what stands there, however old it is, and after every start.

use causeway_core::home::CompactionPlan;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::limits::PARK_ENTRIES;
use causeway_core::log::{Entry, EntryKind};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Later, Message, Refused, Saved};
use causeway_core::ydoc::Document;
use causeway_tests::network::Network;

use crate::craft::entry;

/// A text that no device here has open.
const TEXT: StreamId = StreamId::ydoc([3; 16]);

/// The chain of somebody who creates a text and puts these words in front of it, each as an entry of its own.
fn chain(replica: ReplicaId, words: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<Entry> {
    let mut document = Document::new(replica.client());
    let mut entries = vec![entry(TEXT, replica, (1, 1), EntryKind::Create, &[])];
    for (seq, word) in (2..).zip(words) {
        let put_in = |edit: &mut causeway_core::ydoc::TextEdit<'_>| edit.insert(0, word.as_ref());
        let (_, edited) = document.edit(None, Millis(0), put_in);
        let update = edited.expect("words were put in").update;
        entries.push(entry(TEXT, replica, (seq, seq), EntryKind::Edit, &update));
    }
    entries
}

/// So many entries; from `from` on they are another copy's.
fn numbered(replica: ReplicaId, length: u64, from: u64) -> Vec<Entry> {
    let word = |seq| if seq < from { format!("{seq}. ") } else { format!("{seq}? ") };
    chain(replica, (2..=length).map(word))
}

/// A device whose link has proven the name it writes under.
fn writer() -> (Network, ReplicaId) {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "a");
    network.rest();
    let replica = network.devices[0].room.replica();
    (network, replica)
}

/// The home starts again, and the device comes back and proves its name.
fn start_again(network: &mut Network) {
    network.restart_home();
    network.rest();
    network.insert(0, StreamId::first_document(&causeway_tests::network::room()), 0, "b");
    network.rest();
}

/// What the home says of a chain when these entries are brought to it, all of them before it answers.
#[derive(Debug, Default, PartialEq)]
struct Told {
    saved: Vec<u64>,
    refused: Vec<(u64, String)>,
    later: usize,
}

fn bring(network: &mut Network, entries: &[Entry]) -> Told {
    let before = network.relay.sent.len();
    send(network, entries);
    network.settle();
    told_since(network, before)
}

fn send(network: &mut Network, entries: &[Entry]) {
    for part in entries.chunks(500) {
        network.inject(0, wire::encode_entries(part));
    }
    network.deliver_to_home();
}

fn told_since(network: &Network, before: usize) -> Told {
    let mut told = Told::default();
    for (_, message) in &network.relay.sent[before..] {
        match message {
            Message::Other(Body::Saved(Saved { stream: TEXT, seq, .. })) => told.saved.push(*seq),
            Message::Other(Body::Refused(Refused { stream: TEXT, seq, code, .. })) => {
                told.refused.push((*seq, code.clone()));
            }
            Message::Other(Body::Later(Later { stream: TEXT, .. })) => told.later += 1,
            Message::Other(_) | Message::Entries(_) => {}
        }
    }
    told
}

fn refused_from(seq: u64) -> Vec<(u64, String)> {
    vec![(seq, "entry.equivocation".into())]
}

#[test]
fn rule_12_after_a_start_other_words_under_a_number_are_refused_and_nothing_goes_on_top_of_them() {
    let (mut network, replica) = writer();
    let theirs = numbered(replica, 5, 9);
    assert_eq!(bring(&mut network, &theirs).saved, [5]);
    start_again(&mut network);
    let ours = numbered(replica, 7, 5);
    let told = bring(&mut network, &ours[4..]);
    assert_eq!(told, Told { refused: refused_from(5), ..Told::default() });
    assert_eq!(network.relay.seq(&TEXT, &replica), 5, "6 and 7 do not go on where 5 is another's");
    let told = bring(&mut network, &ours[5..]);
    assert_eq!((told.saved, told.refused), (vec![], refused_from(5)));
}

#[test]
fn rule_12_what_was_the_same_before_the_other_words_is_saved_and_no_more() {
    let (mut network, replica) = writer();
    bring(&mut network, &numbered(replica, 9, 20));
    start_again(&mut network);
    let told = bring(&mut network, &numbered(replica, 11, 6));
    assert_eq!(told, Told { saved: vec![5], refused: refused_from(6), later: 0 });
}

#[test]
fn rule_12_after_a_start_the_same_words_are_saved_and_the_chain_goes_on() {
    let (mut network, replica) = writer();
    let all = numbered(replica, 8, 20);
    bring(&mut network, &all[..5]);
    start_again(&mut network);
    assert_eq!(bring(&mut network, &all[2..4]), Told { saved: vec![4], ..Told::default() });
    let told = bring(&mut network, &all);
    assert_eq!((told.saved, told.refused), (vec![5, 8], vec![]));
    assert_eq!((network.relay.seq(&TEXT, &replica), network.relay.entries(&TEXT)), (8, 8));
    assert_eq!(network.relay.closed, []);
}

#[test]
fn rule_12_forty_entries_down_other_words_are_refused_and_the_same_are_saved() {
    let (mut network, replica) = writer();
    let all = numbered(replica, 60, 99);
    bring(&mut network, &all);
    assert_eq!(bring(&mut network, &all[9..12]), Told { saved: vec![12], ..Told::default() });
    let other = numbered(replica, 20, 20);
    assert_eq!(bring(&mut network, &other[19..]), Told { refused: refused_from(20), ..Told::default() });
}

/// The same with a snapshot that covers most of sixty entries.
fn covered(start: bool) -> (Network, ReplicaId) {
    let (mut network, replica) = writer();
    let quiet = Millis(300);
    let plan = CompactionPlan { entries: 50, bytes: u64::MAX / 4, quiet, ..CompactionPlan::default() };
    network.relay.plan_compaction(plan);
    bring(&mut network, &numbered(replica, 55, 99));
    network.rest();
    network.rest();
    assert!(network.relay.entries(&TEXT) < 10, "they went into the archive");
    bring(&mut network, &numbered(replica, 60, 99)[55..]);
    if start {
        start_again(&mut network);
    }
    (network, replica)
}

#[test]
fn rule_12_what_a_snapshot_covers_is_compared_with_the_archive() {
    for start in [false, true] {
        let (mut network, replica) = covered(start);
        let all = numbered(replica, 62, 99);
        let told = bring(&mut network, &all);
        assert_eq!(
            (told.saved.last(), told.refused),
            (Some(&62), vec![]),
            "from below the snapshot to above it"
        );
        // The head there is not known any more, so nothing is said; the device hears it when it asks next.
        assert_eq!(bring(&mut network, &all[10..20]), Told::default());
        let told = bring(&mut network, &numbered(replica, 70, 30)[20..]);
        assert_eq!((told.saved, told.refused), (vec![], refused_from(30)));
        assert_eq!(network.relay.seq(&TEXT, &replica), 62);
    }
}

#[test]
fn rule_12_where_a_snapshot_ends_other_words_behind_it_are_refused() {
    for start in [false, true] {
        let (mut network, replica) = covered(start);
        let told = bring(&mut network, &numbered(replica, 70, 56)[55..]);
        assert_eq!((told.saved, told.refused), (vec![], refused_from(56)));
        assert_eq!(network.relay.seq(&TEXT, &replica), 60);
    }
}

#[test]
fn rule_12_what_has_expired_cannot_be_compared_and_is_not_called_saved() {
    let (mut network, replica) = covered(false);
    network.relay.keep_history(Millis(60_000));
    network.restart_home();
    crate::history::pass(&mut network, 300_000);
    assert_eq!(crate::history::rows(&network, causeway_core::stored::Prefix::Archive), 0);
    start_again(&mut network);
    let all = numbered(replica, 61, 99);
    assert_eq!(bring(&mut network, &all[55..]).saved, [60, 61]);
    assert_eq!(bring(&mut network, &all[20..]), Told { refused: refused_from(21), ..Told::default() });
}

#[test]
fn rule_12_while_it_is_compared_nothing_behind_it_is_taken() {
    let (mut network, replica) = writer();
    bring(&mut network, &numbered(replica, 5, 9));
    start_again(&mut network);
    network.relay.busy_reads = 3;
    let ours = numbered(replica, 7, 5);
    assert_eq!(bring(&mut network, &ours[4..6]), Told::default(), "the disk has other things to do");
    assert_eq!(bring(&mut network, &ours[6..]), Told::default());
    let before = network.relay.sent.len();
    network.wait(1_000);
    network.settle();
    assert_eq!(told_since(&network, before).refused, refused_from(5));
    assert_eq!(network.relay.seq(&TEXT, &replica), 5);
}

#[test]
fn rule_12_a_link_that_ends_while_it_is_compared_leaves_nothing_behind() {
    let (mut network, replica) = writer();
    let all = numbered(replica, 8, 99);
    bring(&mut network, &all[..5]);
    start_again(&mut network);
    network.relay.busy_reads = 1;
    assert_eq!(bring(&mut network, &all[2..]), Told::default());
    network.go_offline(0);
    network.wait(5_000);
    network.settle();
    assert!(network.relay.home.is_idle(), "nothing waits for the disk");
    assert_eq!(network.relay.seq(&TEXT, &replica), 5);
    network.go_online(0);
    start_again(&mut network);
    assert_eq!(bring(&mut network, &all).saved, [5, 8]);
}

#[test]
fn rule_12_what_is_on_its_way_to_the_disk_is_compared_when_it_is_there() {
    let (mut network, replica) = writer();
    network.relay.disk_answers = false;
    let all = numbered(replica, 60, 99);
    assert_eq!(bring(&mut network, &all), Told::default());
    assert_eq!(bring(&mut network, &all[4..6]), Told::default());
    assert_eq!(bring(&mut network, &numbered(replica, 12, 10)[6..]), Told::default());
    let before = network.relay.sent.len();
    network.release_home_disk();
    network.settle();
    let told = told_since(&network, before);
    assert_eq!(told.refused, refused_from(10));
    assert_eq!(told.saved, [60, 9]);
}

#[test]
fn rule_12_a_commit_that_fails_meanwhile_puts_it_off_and_nothing_behind_it_is_taken_before() {
    let (mut network, replica) = writer();
    bring(&mut network, &numbered(replica, 5, 9));
    start_again(&mut network);
    network.relay.busy_reads = 1;
    let ours = numbered(replica, 7, 5);
    assert_eq!(bring(&mut network, &ours[4..]), Told::default());
    network.relay.failing_commits = 1;
    network.insert(0, StreamId::first_document(&causeway_tests::network::room()), 0, "c");
    let before = network.relay.sent.len();
    network.settle();
    assert_eq!(told_since(&network, before).later, 1);
    network.wait(2_500);
    let told = bring(&mut network, &ours[5..]);
    assert_eq!((told.saved, told.later), (vec![], 1), "5 has to come first");
    assert_eq!(network.relay.seq(&TEXT, &replica), 5);
    assert_eq!(bring(&mut network, &ours[4..]).refused, refused_from(5));
}

#[test]
fn rule_12_more_than_may_wait_is_put_off_and_comes_in_its_order() {
    let (mut network, replica) = writer();
    let length = PARK_ENTRIES as u64 + 100;
    let all = numbered(replica, length, u64::MAX);
    bring(&mut network, &all[..40]);
    start_again(&mut network);
    network.relay.busy_reads = 1;
    let told = bring(&mut network, &all);
    assert_eq!((told.saved, told.refused), (vec![], vec![]));
    assert!(told.later > 0);
    network.wait(500);
    network.settle();
    let landed = network.relay.seq(&TEXT, &replica);
    assert_eq!(landed, PARK_ENTRIES as u64, "those that waited");
    let told = bring(&mut network, &all[PARK_ENTRIES + 1..]);
    assert_eq!(network.relay.seq(&TEXT, &replica), landed, "one is missing: {told:?}");
    bring(&mut network, &all[PARK_ENTRIES..]);
    assert_eq!(network.relay.seq(&TEXT, &replica), length);
}
