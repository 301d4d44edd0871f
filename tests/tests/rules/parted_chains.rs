//! Rules 6 and 12: what stands below refused work, what lay on its way from the disk meanwhile, and what builds on another copy's words.

use causeway_core::chat::{ChatOp, Saved};
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::limits::LINK_REFUSED;
use causeway_core::log::{Dep, Entry, EntryKind, Head};
use causeway_core::replica::Identity;
use causeway_core::stored::{self, Prefix, ReplicaRecord};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, ErrorCode, Message, Need, Refused};
use causeway_core::ydoc::Document;
use causeway_tests::disk::Disk;
use causeway_tests::network::{Network, room};

use crate::channels::{channel, open, posts, say};
use crate::clones::{at_home, damaged, said_by_the_copy, talkers_and_a_copy, texts};
use crate::craft::{edit_upon, entry};
use crate::heads::sign;

/// "one " is saved as the second entry of device 0's chain; the third, "two", is on its disk alone.
fn one_saved_and_two_not() -> (Network, StreamId, ReplicaId) {
    let (mut network, text) = Network::with_document(1);
    network.insert(0, text, 0, "one ");
    network.rest();
    network.home_is_deaf = true;
    network.insert(0, text, 4, "two");
    network.settle();
    let replica = network.devices[0].room.replica();
    assert_eq!(network.relay.seq(&text, &replica), 2);
    (network, text, replica)
}

fn refuse(network: &mut Network, stream: StreamId, replica: ReplicaId) {
    let (code, sentence) = (String::from("test.refused"), String::from("this story does not want it"));
    let refused = Refused { stream, replica, seq: 3, code, sentence };
    network.hand_to_device(0, &Message::Other(Body::Refused(refused)));
}

#[test]
fn rule_10_what_stands_below_refused_work_comes_to_a_restored_home_from_a_page_that_looks_at_nothing() {
    let (mut network, text, replica) = one_saved_and_two_not();
    refuse(&mut network, text, replica);
    network.settle();
    assert_eq!(network.text(0, text), "one ");
    network.home_is_deaf = false;
    network.wait(6_000);
    assert!(
        network.devices[0].disk.row(&stored::tip_key(&text, &replica)).is_some(),
        "its place in the chain"
    );
    network.relay.put_back(Disk::default(), 2);
    network.restart_home();
    network.restart(0, true);
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(network.relay.seq(&text, &replica), 2, "the home had called it saved");
}

#[test]
fn rule_6_what_is_read_for_the_home_while_refused_work_is_set_aside_does_not_bring_that_back() {
    let (mut network, text, replica) = one_saved_and_two_not();
    network.devices[0].disk_answers = false;
    refuse(&mut network, text, replica);
    network.settle();
    // The home has lost what is below, and says so while the fork is on its way to the disk.
    let need = Need { stream: text, replica, from: 1, to: 2 };
    network.hand_to_device(0, &Message::Other(Body::Need(need)));
    network.settle();
    network.release_disk(0);
    network.home_is_deaf = false;
    network.wait(6_000);
    network.rest();
    assert_eq!(network.text(0, text), "one ");
    assert_eq!(network.relay.seq(&text, &replica), 2);
    assert_eq!(network.devices[0].disk.rows_of(b'f').count(), 1, "it is a fork, once");
}

#[test]
fn rule_11_what_is_asked_of_others_work_while_refused_work_is_set_aside_is_brought_then() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "one ");
    network.rest();
    network.insert(1, text, 0, "somebody else's ");
    network.rest();
    sign(&mut network);
    let (own, other) = (network.devices[0].room.replica(), network.devices[1].room.replica());
    network.home_is_deaf = true;
    network.insert(0, text, 0, "two");
    network.settle();
    network.devices[0].disk_answers = false;
    refuse(&mut network, text, own);
    network.settle();
    // As a home that was restored asks, while the fork is on its way to the disk.
    let to = network.relay.seq(&text, &other);
    let need = Need { stream: text, replica: other, from: 1, to };
    network.hand_to_device(0, &Message::Other(Body::Need(need)));
    network.settle();
    let from = network.devices[0].sent.len();
    network.release_disk(0);
    network.home_is_deaf = false;
    network.wait(6_000);
    network.settle();
    let brought = network.devices[0].sent[from..].iter().any(|message| match message {
        Message::Entries(entries) => entries.iter().any(|entry| entry.name().replica == other),
        Message::Other(_) => false,
    });
    assert!(brought, "nobody else may have it");
}

#[test]
fn rule_12_after_a_start_the_home_takes_nothing_that_builds_on_the_other_copys_words() {
    let (mut network, copied) = talkers_and_a_copy();
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    network.go_offline(0);
    say(&mut network, 0, "ours");
    network.rest();
    // Another page of the device writes on, under a name of its own.
    network.restart(0, true);
    open(&mut network, 0, 1);
    network.rest();
    say(&mut network, 0, "upon ours");
    network.rest();
    assert_ne!(network.devices[0].room.replica(), copied);
    // Of a chain the home remembers the newest alone when it has started.
    network.restart_home();
    network.rest();
    network.go_online(0);
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(texts(&network, 0), ["common", "theirs", "theirs too"]);
    assert_eq!(texts(&network, 1), texts(&network, 0));
    assert_eq!(damaged(&mut network, 1), []);
    assert_eq!(drafts(&network, 0), ["ours", "upon ours"]);
}

/// A link proves that it writes in a name.
fn prove(network: &mut Network, link: usize, identity: &Identity) {
    let conn = network.devices[link].link().expect("it is online");
    let nonce = network.relay.sent.iter().find_map(|(to, message)| match message {
        Message::Other(Body::Welcome(welcome)) if *to == conn => Some(welcome.nonce),
        Message::Other(_) | Message::Entries(_) => None,
    });
    let proof = identity.prove(&nonce.expect("it was welcomed"), &room());
    network.inject(link, wire::encode(&proof.into()));
}

/// The key of a name under which device 0 has written.
fn key_of(network: &Network, name: ReplicaId) -> Identity {
    let secrets = network.devices[0].disk.rows_of(Prefix::Replica as u8);
    let secrets = secrets.filter_map(|(_, row)| ReplicaRecord::decode(row).ok());
    let mut keys = secrets.map(|record| Identity::from_secret(&record.secret));
    keys.find(|key| key.id() == name).expect("it has written")
}

fn post(name: ReplicaId, place: (u64, u64), text: &str) -> Entry {
    let op = ChatOp::Post { text: text.into(), reply_to: None, after: Millis(0) };
    entry(channel(), name, place, op.kind(), &wire::payload::encode_chat(&op))
}

fn drafts(network: &Network, device: usize) -> Vec<String> {
    network.devices[device].room.drafts(channel()).into_iter().map(|draft| draft.text).collect()
}

fn bring(network: &mut Network, link: usize, entries: &[&Entry]) {
    let entries = entries.iter().map(|entry| (*entry).clone()).collect();
    network.inject(link, wire::encode(&Message::Entries(entries)));
}

#[test]
fn rule_12_the_copy_whose_words_stand_goes_on_under_one_new_name_after_a_start() {
    let (mut network, name) = talkers_and_a_copy();
    say(&mut network, 0, "first");
    say(&mut network, 0, "second");
    network.rest();
    let identity = key_of(&network, name);
    let stands = at_home(&network, channel(), name);
    network.restart_home();
    network.rest();
    // The copy brings other words in the place of "first".
    prove(&mut network, 0, &identity);
    let place = stands[stands.len() - 2].header();
    let other = post(name, (place.seq, place.logical), "theirs");
    bring(&mut network, 0, &[&other]);
    network.deliver_to_home();
    network.lose_what_is_on_its_way();
    // The home takes no more of that chain from this link: these words are a draft.
    say(&mut network, 0, "third");
    for _ in 0..3 {
        network.rest();
    }
    assert_ne!(network.devices[0].room.replica(), name);
    for words in ["fourth", "fifth"] {
        say(&mut network, 0, words);
        for _ in 0..3 {
            network.rest();
        }
    }
    assert_eq!(texts(&network, 1), ["common", "first", "second", "fourth", "fifth"]);
    assert_eq!(texts(&network, 0), texts(&network, 1));
    assert_eq!(drafts(&network, 0), ["third"]);
}

#[test]
fn rule_12_the_copy_whose_words_stand_goes_on_whatever_another_link_brings_under_its_name() {
    for starts in [false, true] {
        let (mut network, name) = talkers_and_a_copy();
        let copy = network.join();
        say(&mut network, 0, "first");
        say(&mut network, 0, "second");
        network.rest();
        let identity = key_of(&network, name);
        let stands = at_home(&network, channel(), name);
        if starts {
            network.restart_home();
            network.rest();
        }
        prove(&mut network, copy, &identity);
        let place = stands[stands.len() - 2].header();
        bring(&mut network, copy, &[&post(name, (place.seq, place.logical), "theirs")]);
        network.settle();
        say(&mut network, 0, "third");
        for _ in 0..3 {
            network.rest();
        }
        assert_eq!(network.devices[0].room.replica(), name);
        assert_eq!(texts(&network, 1), ["common", "first", "second", "third"]);
        assert_eq!(drafts(&network, 0), Vec::<String>::new());
        // What the copy writes on has no place there.
        let last =
            at_home(&network, channel(), name).last().map(|last| last.header().clone()).expect("it is there");
        prove(&mut network, copy, &identity);
        bring(&mut network, copy, &[&post(name, (last.seq + 1, last.logical + 1), "theirs too")]);
        network.settle();
        assert_eq!(network.relay.seq(&channel(), &name), last.seq);
    }
}

#[test]
fn rule_12_of_more_chains_than_the_home_keeps_in_mind_for_a_link_it_takes_no_more_from_anybody() {
    let mut network = Network::new(2);
    network.settle();
    let identity = Identity::from_secret(&[7; 32]);
    let name = identity.id();
    let texts: Vec<StreamId> =
        (0..=LINK_REFUSED as u128).map(|text| StreamId::ydoc(text.to_le_bytes())).collect();
    let typed = |words: &[&str]| {
        let mut document = Document::new(name.client());
        let updates = words.iter().map(|word| {
            let (_, edited) = document.edit(None, Millis(0), |edit| edit.insert(0, word));
            edited.expect("words were put in").update
        });
        updates.last().expect("there are words")
    };
    let [first, more, other] = [&["one "][..], &["one ", "more "], &["two "]].map(typed);
    prove(&mut network, 0, &identity);
    for text in &texts {
        let create = entry(*text, name, (1, 1), EntryKind::Create, &[]);
        bring(&mut network, 0, &[&create, &entry(*text, name, (2, 2), EntryKind::Edit, &first)]);
    }
    network.settle();
    // Another link brings other words in all of them, and whoever wrote what stands goes on.
    prove(&mut network, 1, &identity);
    for text in &texts {
        bring(&mut network, 1, &[&entry(*text, name, (2, 2), EntryKind::Edit, &other)]);
    }
    network.settle();
    prove(&mut network, 0, &identity);
    for text in &texts {
        bring(&mut network, 0, &[&entry(*text, name, (3, 3), EntryKind::Edit, &more)]);
    }
    network.settle();
    let taken = texts.iter().filter(|text| network.relay.seq(text, &name) == 3).count();
    assert_eq!(taken, LINK_REFUSED);
}

/// A device gave way to its copy, took what the home had of that, and is alone with it beside a home that was put back. The last
/// is the disk of the home that had it.
fn alone_with_the_copys_words() -> (Network, ReplicaId, u64, Disk) {
    let (mut network, copied) = talkers_and_a_copy();
    let before = network.relay.disk.clone();
    said_by_the_copy(&mut network, 0, &["theirs", "theirs too"]);
    network.go_offline(0);
    say(&mut network, 0, "ours");
    network.rest();
    network.go_online(0);
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(texts(&network, 0), ["common", "theirs", "theirs too"]);
    assert_eq!(drafts(&network, 0), ["ours"]);
    let seq = network.relay.seq(&channel(), &copied);
    network.go_offline(0);
    network.go_offline(1);
    let with_theirs = std::mem::take(&mut network.relay.disk);
    network.relay.put_back(before, 2);
    network.restart_home();
    assert_eq!(network.relay.seq(&channel(), &copied), seq - 2);
    (network, copied, seq, with_theirs)
}

#[test]
fn rule_10_what_the_home_had_under_a_name_that_a_device_has_closed_is_brought_when_it_is_put_back() {
    let (mut network, copied, seq, _) = alone_with_the_copys_words();
    network.go_online(0);
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(network.relay.seq(&channel(), &copied), seq);
    network.go_online(1);
    network.rest();
    assert_eq!(texts(&network, 1), ["common", "theirs", "theirs too"]);
    assert_eq!(drafts(&network, 0), ["ours"]);
}

#[test]
fn rule_12_what_the_home_had_under_a_closed_name_gives_way_to_other_words_of_it_once() {
    let (mut network, copied, seq, with_theirs) = alone_with_the_copys_words();
    let identity = key_of(&network, copied);
    let copy = network.join();
    network.rest();
    let logical = at_home(&network, channel(), copied).last().expect("it is there").header().logical;
    prove(&mut network, copy, &identity);
    bring(&mut network, copy, &[&post(copied, (seq - 1, logical + 1), "others'")]);
    network.rest();
    network.go_online(0);
    for _ in 0..5 {
        network.rest();
    }
    // By its clock it is the oldest.
    assert_eq!(texts(&network, 0), ["others'", "common"]);
    let mut kept = drafts(&network, 0);
    kept.sort();
    assert_eq!(kept, ["ours", "theirs", "theirs too"]);
    // To and fro between two homes, of which each has other words.
    let other = network.relay.disk.clone();
    for disk in [with_theirs.clone(), other.clone(), with_theirs, other] {
        network.go_offline(0);
        network.relay.put_back(disk, network.now);
        network.restart_home();
        network.go_online(0);
        for _ in 0..5 {
            network.rest();
        }
        kept = drafts(&network, 0);
        kept.sort();
        kept.retain(|draft| draft != "others'");
        assert_eq!(kept, ["ours", "theirs", "theirs too"], "once, however often");
    }
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
    assert_eq!(damaged(&mut network, 0), []);
    let sent = network.devices[0].sent.len();
    network.wait(20_000);
    let again = network.devices[0].sent[sent..].iter().any(|message| matches!(message, Message::Entries(_)));
    assert!(!again, "nothing is offered without end");
}

#[test]
fn rule_12_what_a_snapshot_brought_under_a_name_of_ours_is_on_this_device_beside_a_home_that_lacks_it() {
    let (mut network, _) = talkers_and_a_copy();
    network.relay.snapshot_after(4, 300);
    let before = network.relay.disk.clone();
    let names = ["a", "b", "c", "d", "e", "f"];
    said_by_the_copy(&mut network, 0, &names);
    network.go_offline(0);
    network.rest();
    network.go_online(0);
    network.rest();
    assert_eq!(texts(&network, 0).len(), 1 + names.len());
    network.relay.put_back(before, 2);
    network.restart_home();
    for _ in 0..20 {
        network.settle_seeing(|network| {
            let mut told = posts(network, 0).into_iter();
            assert_eq!(told.find(|post| post.saved == Saved::Nowhere), None);
        });
        network.wait(250);
    }
}

/// Two chains of a text, of which one builds on the other.
struct Branch {
    upon: [Entry; 3],
    builds: [Entry; 2],
}

/// The first two entries are the same whatever the words.
fn branch(text: StreamId, [upon, builds]: [&Identity; 2], words: &str) -> Branch {
    let (mut first, mut second) = (Document::new(upon.id().client()), Document::new(builds.id().client()));
    let typed = |document: &mut Document, word: &str| {
        let (_, edited) = document.edit(None, Millis(0), |edit| edit.insert(0, word));
        edited.expect("words were put in").update
    };
    let mut number = 0;
    let upon_entries = ["one ", "two ", words].map(|word| {
        number += 1;
        entry(text, upon.id(), (number, number), EntryKind::Edit, &typed(&mut first, word))
    });
    let head = upon_entries.iter().fold(Head::START, |head, entry| head.next(entry));
    let dep = Dep { replica: upon.id(), seq: 3, head: head.short() };
    let first = edit_upon(text, builds.id(), (1, 4), dep, &typed(&mut second, words));
    let then = entry(text, builds.id(), (2, 5), EntryKind::Edit, &typed(&mut second, "more "));
    Branch { upon: upon_entries, builds: [first, then] }
}

/// A home that has started again; it has what one of two copies wrote under two names. The other's is the second branch.
fn two_branches() -> (Network, StreamId, [Identity; 2], [Branch; 2]) {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "begun ");
    network.rest();
    let names = [Identity::from_secret(&[7; 32]), Identity::from_secret(&[9; 32])];
    let branches = ["theirs ", "ours.. "].map(|words| branch(text, names.each_ref(), words));
    names.iter().for_each(|name| prove(&mut network, 0, name));
    let Branch { upon, builds: [first, _] } = &branches[0];
    bring(&mut network, 0, &[&upon[0], &upon[1], &upon[2], first]);
    network.settle();
    assert_eq!((network.relay.seq(&text, &names[0].id()), network.relay.seq(&text, &names[1].id())), (3, 1));
    network.restart_home();
    network.rest();
    (network, text, names, branches)
}

#[test]
fn rule_12_what_is_at_the_home_already_is_compared_whatever_it_builds_on() {
    let (mut network, text, names, [_, ours]) = two_branches();
    names.iter().for_each(|name| prove(&mut network, 0, name));
    bring(&mut network, 0, &[&ours.upon[2], &ours.builds[0], &ours.builds[1]]);
    network.settle();
    assert_eq!(network.relay.seq(&text, &names[1].id()), 1, "it stands on words that nobody here has");
}

#[test]
fn rule_12_who_wrote_what_stands_goes_on_whatever_a_copy_builds_on_its_own_words() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "begun ");
    network.rest();
    let names = [Identity::from_secret(&[7; 32]), Identity::from_secret(&[9; 32])];
    let [theirs, ours] = ["theirs ", "ours.. "].map(|words| branch(text, names.each_ref(), words));
    let everything = |branch: &Branch| branch.upon.iter().chain(&branch.builds).cloned().collect::<Vec<_>>();
    names.iter().for_each(|name| prove(&mut network, 0, name));
    bring(&mut network, 0, &theirs.upon.each_ref());
    network.settle();
    names.iter().for_each(|name| prove(&mut network, 1, name));
    bring(&mut network, 1, &everything(&ours).iter().collect::<Vec<_>>());
    network.settle();
    assert_eq!(network.relay.seq(&text, &names[1].id()), 0);
    names.iter().for_each(|name| prove(&mut network, 0, name));
    bring(&mut network, 0, &theirs.builds.each_ref());
    network.settle();
    assert_eq!(network.relay.seq(&text, &names[1].id()), 2, "nobody else's words stand there");
}

#[test]
fn rule_12_two_copies_at_once_build_on_their_own_words_alone() {
    let (mut network, text, [upon, _], [theirs, ours]) = two_branches();
    let apart = Identity::from_secret(&[11; 32]);
    let Branch { builds: [mine, _], .. } = branch(text, [&upon, &apart], "ours.. ");
    prove(&mut network, 0, &upon);
    prove(&mut network, 0, &apart);
    network.settle();
    // Both bring it again before the first is compared.
    bring(&mut network, 0, &[&ours.upon[2]]);
    network.relay.busy_reads = 1;
    prove(&mut network, 1, &upon);
    bring(&mut network, 1, &[&theirs.upon[1], &theirs.upon[2]]);
    bring(&mut network, 0, &[&mine]);
    network.deliver_to_home();
    network.settle();
    assert_eq!(network.relay.seq(&text, &apart.id()), 0, "it builds on words that are not here");
    let superseded = ErrorCode::Superseded as u16;
    assert!(network.relay.closed.iter().any(|(_, code)| *code == superseded), "and its link is to come back");
}

/// Two devices have the same under one name, and both offer it for as long as what it builds on is nowhere.
#[test]
fn rule_12_what_waits_is_offered_by_two_and_neither_sends_the_other_away() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "begun ");
    network.rest();
    let names = [Identity::from_secret(&[7; 32]), Identity::from_secret(&[9; 32])];
    let Branch { upon, builds } = branch(text, names.each_ref(), "theirs ");
    for link in [0, 1, 0, 1] {
        prove(&mut network, link, &names[1]);
        bring(&mut network, link, &builds.each_ref());
        network.settle();
    }
    // The other link has proven it since.
    bring(&mut network, 0, &builds.each_ref());
    network.settle();
    assert_eq!(network.relay.closed, []);
    prove(&mut network, 1, &names[0]);
    bring(&mut network, 1, &upon.each_ref());
    network.settle();
    assert_eq!(network.relay.seq(&text, &names[1].id()), 2);
}

/// An older copy of the disk was at this home first. What the device wrote and what it had from another copy gives way from there
/// on, and what it has kept under the same numbers before stays.
#[test]
fn rule_6_what_gives_way_below_a_fork_does_not_take_its_place() {
    let (mut network, copied, ..) = alone_with_the_copys_words();
    let identity = key_of(&network, copied);
    let stood = at_home(&network, channel(), copied);
    network.relay.put_back(Disk::default(), 3);
    network.restart_home();
    let older = network.join();
    network.rest();
    prove(&mut network, older, &identity);
    let [begun @ .., common] = &stood[..] else { panic!("it has said something") };
    let others = post(copied, (common.header().seq, common.header().logical), "others'");
    bring(&mut network, older, &begun.iter().chain([&others]).collect::<Vec<_>>());
    network.rest();
    assert_eq!(network.relay.seq(&channel(), &copied), common.header().seq);
    network.go_online(0);
    for _ in 0..5 {
        network.rest();
    }
    network.restart(0, true);
    open(&mut network, 0, 1);
    network.rest();
    assert_eq!(texts(&network, 0), ["others'"]);
    let mut kept = drafts(&network, 0);
    kept.sort();
    assert_eq!(kept, ["common", "ours", "theirs", "theirs too"]);
}
