//! Rule 12 at the home: what is brought again is held against what stands there, however old it is, and after every start.

use std::time::{Duration, Instant};

use causeway_core::home::CompactionPlan;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::limits::PARK_ENTRIES;
use causeway_core::log::{Digest, Entry, EntryKind};
use causeway_core::snapshot::JobError;
use causeway_core::stored;
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Later, Message, Refused, Saved, Subscribe};
use causeway_core::ydoc::Document;
use causeway_tests::network::Network;

use crate::craft::entry;

/// A text that no device here has open.
fn unopened() -> StreamId {
    StreamId::ydoc([3; 16])
}

/// The chain of somebody who creates a text and puts these words in front of it, each as an entry of its own.
fn chain(replica: ReplicaId, words: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<Entry> {
    let mut document = Document::new(replica.client());
    let mut entries = vec![entry(unopened(), replica, (1, 1), EntryKind::Create, &[])];
    for (seq, word) in (2..).zip(words) {
        let put_in = |edit: &mut causeway_core::ydoc::TextEdit<'_>| edit.insert(0, word.as_ref());
        let (_, edited) = document.edit(None, Millis(0), put_in);
        let update = edited.expect("words were put in").update;
        entries.push(entry(unopened(), replica, (seq, seq), EntryKind::Edit, &update));
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
            Message::Other(Body::Saved(Saved { stream, seq, .. })) if *stream == unopened() => {
                told.saved.push(*seq);
            }
            Message::Other(Body::Refused(Refused { stream, seq, code, .. })) if *stream == unopened() => {
                told.refused.push((*seq, code.clone()));
            }
            Message::Other(Body::Later(Later { stream, .. })) if *stream == unopened() => told.later += 1,
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
    assert_eq!(network.relay.seq(&unopened(), &replica), 5, "6 and 7 do not go on where 5 is another's");
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
    assert_eq!((network.relay.seq(&unopened(), &replica), network.relay.entries(&unopened())), (8, 8));
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
    assert!(network.relay.entries(&unopened()) < 10, "they went into the archive");
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
        assert_eq!(network.relay.seq(&unopened(), &replica), 62);
    }
}

#[test]
fn rule_12_where_a_snapshot_ends_other_words_behind_it_are_refused() {
    for start in [false, true] {
        let (mut network, replica) = covered(start);
        let told = bring(&mut network, &numbered(replica, 70, 56)[55..]);
        assert_eq!((told.saved, told.refused), (vec![], refused_from(56)));
        assert_eq!(network.relay.seq(&unopened(), &replica), 60);
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
    assert_eq!(network.relay.seq(&unopened(), &replica), 5);
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
    assert_eq!(network.relay.seq(&unopened(), &replica), 5);
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
    assert_eq!(network.relay.seq(&unopened(), &replica), 5);
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
    let landed = network.relay.seq(&unopened(), &replica);
    assert_eq!(landed, PARK_ENTRIES as u64, "those that waited");
    let told = bring(&mut network, &all[PARK_ENTRIES + 1..]);
    assert_eq!(network.relay.seq(&unopened(), &replica), landed, "one is missing: {told:?}");
    bring(&mut network, &all[PARK_ENTRIES..]);
    assert_eq!(network.relay.seq(&unopened(), &replica), length);
}

/// The device asks about the text as if it held nothing, and hears the answer.
fn ask(network: &mut Network, question: u64) {
    let ask = Subscribe { stream: unopened(), question, digest: Digest::NOTHING, newest_but: None };
    network.inject(0, wire::encode(&ask.into()));
    network.deliver_to_home();
    network.settle();
}

/// Something could not be compared yet, and the device has let go of it, as the home says that it has it. What it writes next
/// is taken when it has asked once more: until then it may be on its way from before it heard that.
fn goes_on_with(network: &mut Network, next: &Entry) {
    let seq = next.name().seq;
    let told = bring(network, std::slice::from_ref(next));
    assert_eq!(told, Told { later: 1, ..Told::default() });
    ask(network, 1);
    let told = bring(network, std::slice::from_ref(next));
    assert_eq!(told, Told { later: 1, ..Told::default() });
    ask(network, 2);
    assert_eq!(bring(network, std::slice::from_ref(next)).saved, [seq]);
}

#[test]
fn rule_12_after_a_commit_that_failed_meanwhile_a_device_goes_on_without_what_the_home_has() {
    let (mut network, replica) = writer();
    let all = numbered(replica, 6, 99);
    bring(&mut network, &all[..5]);
    start_again(&mut network);
    network.relay.busy_reads = 1;
    assert_eq!(bring(&mut network, &all[2..5]), Told::default());
    network.relay.failing_commits = 1;
    network.insert(0, StreamId::first_document(&causeway_tests::network::room()), 0, "c");
    let before = network.relay.sent.len();
    network.settle();
    assert_eq!(told_since(&network, before).later, 1);
    network.wait(2_500);
    goes_on_with(&mut network, &all[5]);
}

#[test]
fn rule_12_after_more_than_may_wait_a_device_goes_on_without_what_the_home_has() {
    let (mut network, replica) = writer();
    let length = PARK_ENTRIES as u64 + 101;
    let all = numbered(replica, length, u64::MAX);
    network.relay.disk_answers = false;
    let offered = &all[..PARK_ENTRIES + 100];
    assert_eq!(bring(&mut network, offered), Told::default());
    let told = bring(&mut network, offered);
    assert!(told.later > 0 && told.saved.is_empty() && told.refused.is_empty(), "{told:?}");
    network.release_home_disk();
    network.settle();
    assert_eq!(network.relay.seq(&unopened(), &replica), length - 1);
    goes_on_with(&mut network, &all[PARK_ENTRIES + 100]);
}

#[test]
fn rule_12_after_a_busy_materialiser_a_device_goes_on_without_what_the_home_has() {
    let (mut network, replica) = covered(true);
    let all = numbered(replica, 61, 99);
    network.relay.busy_jobs = 1;
    assert_eq!(bring(&mut network, &all[10..20]), Told { later: 1, ..Told::default() });
    goes_on_with(&mut network, &all[60]);
}

#[test]
fn rule_12_what_a_scan_shows_before_it_is_durable_is_not_called_saved() {
    let (mut network, replica) = writer();
    let all = numbered(replica, 100, 999);
    bring(&mut network, &all[..40]);
    (network.relay.disk_answers, network.relay.shows_before_it_answers) = (false, true);
    assert_eq!(bring(&mut network, &all[40..]), Told::default());
    assert_eq!(bring(&mut network, &all[34..70]), Told::default(), "41 may not be there after a power cut");
    let before = network.relay.sent.len();
    network.release_home_disk();
    network.settle();
    let told = told_since(&network, before);
    assert_eq!((told.saved.first(), told.refused), (Some(&100), vec![]));
}

#[test]
fn rule_12_comparisons_that_end_one_after_the_other_do_not_stand_on_each_other() {
    let (mut network, replica) = writer();
    let texts = (0..2_000u16).map(|number| {
        let mut name = [3; 16];
        name[..2].copy_from_slice(&number.to_be_bytes());
        StreamId::ydoc(name)
    });
    let texts: Vec<StreamId> = texts.collect();
    let words = &chain(replica, ["a", "b"])[1..];
    let payload = |seq: u64| words[seq as usize % 2].payload();
    let edit = |text, seq| entry(text, replica, (seq, seq), EntryKind::Edit, payload(seq));
    let create = |text, time| entry(text, replica, (1, time), EntryKind::Create, &[]);
    let stand: Vec<Entry> = texts.iter().flat_map(|text| [create(*text, 1), edit(*text, 2)]).collect();
    send(&mut network, &stand);
    network.settle();
    start_again(&mut network);
    // The first is compared, the second waits for what is missing before it, and the third has to be compared once more.
    let brought = texts.iter().flat_map(|text| [create(*text, 1), edit(*text, 7), create(*text, 2)]);
    let brought: Vec<Entry> = brought.collect();
    let before = network.relay.sent.len();
    // All of them wait for the first read.
    network.relay.busy_reads = 1;
    send(&mut network, &brought);
    network.settle();
    network.wait(1_000);
    network.settle();
    assert_eq!(network.relay.closed, [], "nor are they all answered at once");
    let sent = network.relay.sent[before..].iter();
    let refused = sent.filter(|(_, message)| matches!(message, Message::Other(Body::Refused(_))));
    assert_eq!(refused.count(), texts.len());
    assert!(texts.iter().all(|text| network.relay.seq(text, &replica) == 2));
}

/// A home that has found one of six entries damaged, and has asked for it.
fn with_a_hole(damaged: u64) -> (Network, ReplicaId, Vec<Entry>) {
    let (mut network, replica) = writer();
    let all = numbered(replica, 7, 99);
    bring(&mut network, &all[..6]);
    start_again(&mut network);
    network.relay.disk.damage(&stored::entry_key(&unopened(), damaged - 1));
    ask(&mut network, 1);
    let asked = |message: &Message| matches!(message, Message::Other(Body::Need(need)) if (need.stream, need.from) == (unopened(), damaged));
    assert!(network.relay.sent.iter().any(|(_, message)| asked(message)));
    (network, replica, all)
}

#[test]
fn rule_12_what_the_home_has_asked_for_and_cannot_compare_is_not_refused() {
    let (mut network, replica, all) = with_a_hole(4);
    network.relay.disk.damage(&stored::index_key(&unopened(), &replica, 3));
    assert_eq!(bring(&mut network, &all[3..4]), Told::default());
    assert_eq!(bring(&mut network, &all[6..]).saved, [7]);
}

#[test]
fn rule_12_a_place_that_cannot_be_read_ends_no_link_that_brings_what_was_there() {
    let (mut network, replica, all) = with_a_hole(4);
    let index = |seq| stored::index_key(&unopened(), &replica, seq);
    network.relay.disk.make_unreadable(index(3), index(5));
    assert_eq!(bring(&mut network, &all[3..4]), Told::default());
    assert_eq!(bring(&mut network, &all[4..5]), Told { refused: refused_from(5), ..Told::default() });
    assert_eq!(network.relay.closed, []);
    // The next start finds it as it was.
    start_again(&mut network);
    assert_eq!(bring(&mut network, &all[6..]).saved, [7]);
}

#[test]
fn rule_12_what_a_busy_room_asks_to_come_again_has_to_come_before_what_is_behind_it() {
    for start in [false, true] {
        let (mut network, replica) = writer();
        bring(&mut network, &numbered(replica, 5, 9));
        if start {
            start_again(&mut network);
        }
        // Other texts fill what waits for the disk.
        network.relay.disk_answers = false;
        let words = "x".repeat(50_000);
        let long = chain(replica, [words.as_str(); 24]);
        for number in 10..40 {
            let text = StreamId::ydoc([number; 16]);
            for one in &long {
                let name = one.header();
                let one = entry(text, replica, (name.seq, name.logical), name.kind, one.payload());
                network.inject(0, wire::encode_entries([&one]));
            }
            network.deliver_to_home();
        }
        let ours = numbered(replica, 7, 5);
        assert_eq!(bring(&mut network, &ours[4..5]), Told { later: 1, ..Told::default() });
        network.release_home_disk();
        network.settle();
        assert_eq!(bring(&mut network, &ours[5..6]), Told { later: 1, ..Told::default() });
        assert_eq!(network.relay.seq(&unopened(), &replica), 5, "6 of ours does not go where 5 is another's");
        assert_eq!(bring(&mut network, &ours[4..]).refused, refused_from(5));
    }
}

/// How long the home takes for so many entries that are older, with one far ahead behind each; or all of those behind them.
fn time_of_pairs(pairs: u64, mixed: bool) -> Duration {
    let (mut network, replica) = writer();
    network.relay.snapshot_after(u64::MAX / 4, 1_000);
    let all = numbered(replica, pairs + 60, u64::MAX);
    bring(&mut network, &all);
    start_again(&mut network);
    let gap = |seq: u64| entry(unopened(), replica, (seq, seq), EntryKind::Edit, all[5].payload());
    let old = all[..pairs as usize].iter().cloned();
    let gaps = (5_000..5_000 + pairs).map(gap);
    let held: Vec<Entry> = if mixed {
        old.zip(gaps).flat_map(|(old, gap)| [old, gap]).collect()
    } else {
        old.chain(gaps).collect()
    };
    network.relay.busy_reads = 1;
    network.inject(0, wire::encode_entries(&held));
    network.deliver_to_home();
    let (began, reads) = (Instant::now(), network.relay.reads);
    network.wait(1_000);
    let took = began.elapsed();
    assert_eq!(network.relay.closed, []);
    let reads = (network.relay.reads - reads) as u64;
    assert!(!mixed || (pairs..=2 * pairs).contains(&reads), "each was compared, in {reads} reads");
    took
}

#[test]
fn rule_12_what_alternates_costs_the_room_as_much_as_it_is_long_and_not_its_square() {
    let least = |pairs| (0..3).map(|_| time_of_pairs(pairs, true)).min().expect("three");
    let (short, long) = (least(128), least(1_024));
    // Eight times as much; each held against all before it was five hundred times, and two seconds.
    let bound = (short * 40).max(Duration::from_millis(400));
    assert!(long < bound, "{short:?} for 128, {long:?} for 1,024");
}

#[test]
fn rule_12_a_job_that_ends_before_its_time_says_nothing_of_what_is_brought() {
    for error in [JobError::Panic, JobError::Time] {
        let (mut network, replica) = covered(true);
        let all = numbered(replica, 61, 99);
        network.relay.jobs_fail = Some(error);
        assert_eq!(bring(&mut network, &all[10..20]), Told { later: 1, ..Told::default() });
        network.relay.jobs_fail = None;
        let told = bring(&mut network, &all[10..]);
        assert_eq!((told.saved.last(), told.refused), (Some(&61), vec![]));
    }
}
