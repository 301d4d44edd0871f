//! Rule 11: forwarders that lie, and what it costs.

use std::collections::BTreeSet;

use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::limits::{
    FORWARD_ASKS, FORWARD_BYTES, FORWARD_ENTRIES, FORWARD_MOST, FORWARD_OVERHEAD, FORWARD_WAIT,
    LANE_CONTROL_BYTES, LINK_FRUITLESS, PARK_BYTES, ROOM_FORWARD_BYTES, ROOM_STREAMS,
};
use causeway_core::log::{Dep, Digest, Entry, EntryKind, Head, SignedHead};
use causeway_core::replica::Identity;
use causeway_core::stored::{self, Prefix, ReplicaRecord, StreamRecord};
use causeway_core::wire::{self, Body, Compare, ErrorCode, Message, Need, Place, Refused, Subscribe};
use causeway_tests::network::{Network, room};

use crate::costs::{crowded, long};
use crate::craft::{edit_upon, entry, frame};
use crate::heads::sign;

/// A restored home, an author who is gone, and a link (of device 2) whose owner can be anybody.
struct Town {
    network: Network,
    text: StreamId,
    /// The author's key, which nobody else has.
    author: Identity,
    /// What the author wrote, in order.
    wrote: Vec<Entry>,
    signed: SignedHead,
    question: u64,
    seen: usize,
}

const LIAR: usize = 2;

impl Town {
    fn new() -> Self {
        Self::of(&["words ", "of ", "mine"])
    }

    /// What the author wrote that the home has lost.
    fn of(words: &[&str]) -> Self {
        let (mut network, text) = Network::with_document(2);
        network.join();
        network.insert(0, text, 0, "true ");
        network.rest();
        let backup = network.relay.disk.clone();
        for word in words {
            network.insert(0, text, 0, word);
            network.rest();
        }
        sign(&mut network);
        let replica = network.devices[0].room.replica();
        let disk = &network.devices[0].disk;
        let secrets =
            disk.rows_of(Prefix::Replica as u8).filter_map(|(_, row)| ReplicaRecord::decode(row).ok());
        let keys = secrets.map(|record| Identity::from_secret(&record.secret));
        let author = keys.into_iter().find(|key| key.id() == replica).expect("it has written");
        let entries = disk.rows_of(Prefix::Entry as u8);
        let entries = entries.filter_map(|(_, value)| stored::decode_entry(value.to_vec()).ok());
        let wrote: Vec<Entry> = entries
            .filter(|entry| entry.header().stream == text && entry.name().replica == replica)
            .collect();
        let head = wrote.iter().fold(Head::START, |head, entry| head.next(entry));
        let signed = author.vouch(text, wrote.len() as u64, head, &room());
        network.go_offline(0);
        network.go_offline(1);
        network.relay.put_back(backup, 2);
        network.restart_home();
        network.rest();
        Self { network, text, author, wrote, signed, question: 0, seen: 0 }
    }

    fn say(&mut self, message: &Message) {
        self.say_as(LIAR, message);
    }

    fn say_as(&mut self, device: usize, message: &Message) {
        self.network.inject(device, wire::encode(message));
        self.network.settle();
    }

    /// Tells the home that it holds so much of a chain, and answers what the home asks for.
    fn claim(&mut self, replica: ReplicaId, seq: u64) -> Option<Need> {
        self.claim_all(vec![(replica, seq)]).pop()
    }

    fn claim_all(&mut self, above: Vec<(ReplicaId, u64)>) -> Vec<Need> {
        self.claim_as(LIAR, above)
    }

    fn claim_as(&mut self, device: usize, above: Vec<(ReplicaId, u64)>) -> Vec<Need> {
        self.question += 1;
        let (stream, question) = (self.text, self.question);
        let digest = Digest::of_chains(&[(above[0].0, 1, Head::from_bytes([question as u8; 32]))]);
        let before = self.network.relay.sent.len();
        self.say_as(device, &Subscribe { stream, question, digest, newest_but: None }.into());
        let from = ReplicaId::from_bytes([0; 32]);
        let groups: BTreeSet<u8> = above.iter().map(|(replica, _)| replica.as_bytes()[0]).collect();
        let (groups, own) = (groups.into_iter().collect(), Vec::new());
        self.say_as(device, &Compare { stream, question, from, groups, above, own, more: false }.into());
        self.needs_after(before)
    }

    /// What the home has asked for after so many messages.
    fn needs_after(&self, before: usize) -> Vec<Need> {
        let needs = self.network.relay.sent[before..].iter().filter_map(|(_, message)| match message {
            Message::Other(Body::Need(need)) => Some(need.clone()),
            Message::Other(_) | Message::Entries(_) => None,
        });
        needs.collect()
    }

    /// Brings all that somebody wrote, if the home asks for it.
    fn bring(&mut self, key: &Identity, wrote: &[Entry]) -> bool {
        self.bring_as(LIAR, key, wrote)
    }

    fn bring_as(&mut self, device: usize, key: &Identity, wrote: &[Entry]) -> bool {
        let asked = self.claim_as(device, vec![(key.id(), wrote.len() as u64)]).pop().is_some();
        if asked {
            self.send_all(device, key, wrote);
        }
        asked
    }

    fn send_all(&mut self, device: usize, key: &Identity, wrote: &[Entry]) {
        self.say_as(device, &vouch(key, self.text, wrote).into());
        for entry in wrote {
            self.say_as(device, &Message::Entries(vec![entry.clone()]));
        }
    }

    /// Longer than the home waits for what it has asked for.
    fn wait_long(&mut self) {
        for _ in 0..FORWARD_WAIT.0 / 1_000 + 1 {
            self.network.rest();
        }
    }

    fn claim_authors(&mut self) -> Need {
        let (replica, seq) = (self.author.id(), self.wrote.len() as u64);
        self.claim(replica, seq).expect("the home lacks it")
    }

    /// Refusals since they were last looked at.
    fn denied(&mut self) -> Vec<&str> {
        let from = std::mem::replace(&mut self.seen, self.network.relay.sent.len());
        let refused = self.network.relay.sent[from..].iter().filter_map(|(_, message)| match message {
            Message::Other(Body::Refused(Refused { code, .. })) => Some(code.as_str()),
            Message::Other(_) | Message::Entries(_) => None,
        });
        refused.collect()
    }

    /// A chain of somebody who is made up, signed up to its thousandth entry: all that a link may gather but so many bytes are
    /// brought. Answers what it wrote last, and who it is.
    fn fill(&mut self, device: usize, but: usize) -> (Identity, Entry) {
        let key = Identity::from_secret(&[100 + device as u8; 32]);
        let replica = key.id();
        let need = self.claim_as(device, vec![(replica, 1_000)]).pop().expect("nobody has heard of it");
        assert_eq!(need.replica, replica);
        let signed = key.vouch(self.text, 1_000, Head::from_bytes([1; 32]), &room());
        self.say_as(device, &signed.into());
        let mut left = FORWARD_BYTES - but;
        let pieces = left.div_ceil(1 << 20);
        let mut last = None;
        for seq in 1..=pieces {
            let share = left / (pieces + 1 - seq);
            let piece = |length| {
                let place = (seq as u64, seq as u64);
                entry(self.text, replica, place, EntryKind::Edit, &vec![7; length])
            };
            let over = piece(share).bytes().len() + FORWARD_OVERHEAD - share;
            let entry = piece(share - over);
            left -= entry.bytes().len() + FORWARD_OVERHEAD;
            self.say_as(device, &Message::Entries(vec![entry.clone()]));
            last = Some(entry);
        }
        assert_eq!(left, 0);
        (key, last.expect("there is room for some"))
    }

    fn signed_at(&self, seq: u64) -> SignedHead {
        let head = self.wrote[..seq as usize].iter().fold(Head::START, |head, entry| head.next(entry));
        self.author.vouch(self.text, seq, head, &room())
    }

    fn authors(&self) -> u64 {
        self.network.relay.seq(&self.text, &self.author.id())
    }

    /// Whether the home is as it was restored, and the link is there still.
    fn stands(&self) -> bool {
        self.authors() == 2
            && self.network.relay.closed.is_empty()
            && self.network.relay.entries(&self.text) == 2
    }

    /// Somebody honest brings it.
    fn ends_well(mut self) {
        assert!(self.stands());
        self.network.go_online(1);
        for _ in 0..15 {
            self.network.rest();
        }
        assert_eq!(self.authors(), self.wrote.len() as u64);
        let late = self.network.join();
        self.network.open(late, self.text);
        self.network.rest();
        assert_eq!(self.network.text(late, self.text), "mineof words true ");
    }
}

fn vouch(key: &Identity, text: StreamId, wrote: &[Entry]) -> SignedHead {
    let head = wrote.iter().fold(Head::START, |head, entry| head.next(entry));
    key.vouch(text, wrote.len() as u64, head, &room())
}

/// The last of a whole chain, as others name it that build on it.
fn upon(wrote: &[Entry]) -> Dep {
    let head = wrote.iter().fold(Head::START, |head, entry| head.next(entry));
    let name = wrote.last().expect("something").name();
    Dep { replica: name.replica, seq: name.seq, head: head.short() }
}

#[test]
fn rule_11_the_truth_is_taken_from_anybody() {
    let mut town = Town::new();
    let need = town.claim_authors();
    assert_eq!((need.replica, need.from, need.to), (town.author.id(), 3, 5));
    let signed = town.signed.clone();
    town.say(&signed.into());
    for number in 2..5 {
        let entry = town.wrote[number].clone();
        assert!(town.stands(), "nothing is let in before all of it is here");
        town.say(&Message::Entries(vec![entry]));
    }
    town.network.rest();
    assert_eq!(town.authors(), 5);
    assert_eq!(town.denied(), Vec::<&str>::new());
}

#[test]
fn rule_11_without_a_signed_head_nothing_is_let_in_under_somebody_elses_name() {
    let mut town = Town::new();
    town.claim_authors();
    let entries = town.wrote[2..].to_vec();
    town.say(&Message::Entries(entries));
    assert_eq!(town.denied(), ["entry.unvouched"]);
    town.ends_well();
}

#[test]
fn rule_11_who_was_not_asked_and_brings_somebody_elses_entries_is_sent_away() {
    let mut town = Town::new();
    let (signed, entries) = (town.signed.clone(), town.wrote[2..].to_vec());
    town.say(&signed.into());
    assert_eq!(town.denied(), ["head.unasked"]);
    assert!(town.stands());
    town.say(&Message::Entries(entries));
    assert_eq!(town.network.relay.closed.last().map(|(_, code)| *code), Some(ErrorCode::Unproven as u16));
    assert_eq!(town.authors(), 2);
}

#[test]
fn rule_11_a_signature_that_does_not_hold_lets_nothing_in() {
    let forged: [fn(&Town) -> SignedHead; 5] = [
        |town| {
            let mut signed = town.signed.clone();
            signed.proof.signature_s[0] ^= 1;
            signed
        },
        // Signed, by somebody else.
        |town| SignedHead {
            proof: Identity::from_secret(&[3; 32]).vouch(town.text, 5, town.signed.head, &room()).proof,
            ..town.signed.clone()
        },
        // By the author, for another stream, another room, another number.
        |town| {
            let proof = town.author.vouch(StreamId::ydoc([4; 16]), 5, town.signed.head, &room()).proof;
            SignedHead { proof, ..town.signed.clone() }
        },
        |town| {
            let elsewhere = "elsewhere".parse().expect("a room name");
            SignedHead {
                proof: town.author.vouch(town.text, 5, town.signed.head, &elsewhere).proof,
                ..town.signed.clone()
            }
        },
        |town| {
            let mut signed = town.signed.clone();
            signed.name.seq = 4;
            signed
        },
    ];
    for forge in forged {
        let mut town = Town::new();
        town.claim_authors();
        let (forged, entries) = (forge(&town), town.wrote[2..].to_vec());
        town.say(&forged.into());
        assert_eq!(town.denied(), ["head.signature"]);
        town.say(&Message::Entries(entries));
        assert_eq!(town.denied(), ["entry.unvouched"]);
        assert_eq!(town.claim(town.author.id(), 5), None, "it is not asked for this again");
        town.ends_well();
    }
}

#[test]
fn rule_11_an_entry_that_was_changed_or_made_up_takes_all_of_the_chain_along() {
    let mut town = Town::new();
    town.claim_authors();
    let (signed, mut entries) = (town.signed.clone(), town.wrote[2..].to_vec());
    let last = entries[2].header().clone();
    entries[2] = entry(town.text, last.replica, (last.seq, last.logical), EntryKind::Edit, b"made up");
    town.say(&signed.into());
    town.say(&Message::Entries(entries));
    assert_eq!(town.denied(), ["head.chain"]);
    town.ends_well();
}

#[test]
fn rule_11_entries_out_of_their_order_are_not_gathered() {
    let mut town = Town::new();
    town.claim_authors();
    let (signed, entries) = (town.signed.clone(), town.wrote[3..].to_vec());
    town.say(&signed.into());
    town.say(&Message::Entries(entries));
    assert_eq!(town.denied(), ["entry.unvouched"]);
    town.ends_well();
}

#[test]
fn rule_11_a_head_of_what_is_here_is_stale_and_one_too_far_ahead_is_not_waited_for() {
    let mut town = Town::new();
    town.claim_authors();
    let head = town.wrote[..2].iter().fold(Head::START, |head, entry| head.next(entry));
    let older = town.author.vouch(town.text, 2, head, &room());
    town.say(&older.into());
    assert_eq!(town.denied(), ["head.stale"]);
    town.claim_authors();
    let far = town.author.vouch(town.text, 3 + FORWARD_ENTRIES, head, &room());
    town.say(&far.into());
    assert_eq!(town.denied(), ["head.too-large"]);
    town.ends_well();
}

#[test]
fn rule_11_a_chain_that_went_on_otherwise_is_not_mixed_with_another() {
    let mut town = Town::new();
    town.claim_authors();
    // Another copy of the author's store signs what it wrote from the second entry on.
    let other = entry(town.text, town.author.id(), (2, 2), EntryKind::Edit, b"another second");
    let third = entry(town.text, town.author.id(), (3, 3), EntryKind::Edit, b"and third");
    let head = Head::START.next(&town.wrote[0]).next(&other).next(&third);
    let signed = town.author.vouch(town.text, 3, head, &room());
    town.say(&signed.into());
    town.say(&Message::Entries(vec![third]));
    assert_eq!(town.denied(), ["head.chain"]);
    town.ends_well();
}

#[test]
fn rule_11_thousands_of_heads_cost_their_link_and_nobody_else() {
    let mut town = Town::new();
    for number in 0..5_000u32 {
        let mut secret = [8; 32];
        secret[..4].copy_from_slice(&number.to_le_bytes());
        let signed = Identity::from_secret(&secret).vouch(town.text, 1, Head::START, &room());
        town.network.inject(LIAR, wire::encode(&signed.into()));
    }
    town.network.settle();
    assert!(town.denied().iter().all(|code| *code == "head.unasked"));
    // Asked for, each a chain of its own: so many checks that lead to nothing, and no more.
    let (mut asked, mut checked) = (0, 0);
    for number in 0..4 * LINK_FRUITLESS as u32 {
        let mut secret = [9; 32];
        secret[..4].copy_from_slice(&number.to_le_bytes());
        let key = Identity::from_secret(&secret);
        asked += usize::from(town.claim(key.id(), 7).is_some());
        let mut signed = key.vouch(town.text, 7, Head::START, &room());
        signed.proof.signature_s[0] ^= 1;
        town.say(&signed.into());
        checked += town.denied().iter().filter(|code| **code == "head.signature").count();
    }
    assert_eq!((asked, checked), (LINK_FRUITLESS, LINK_FRUITLESS));
    town.ends_well();
}

#[test]
fn rule_11_who_is_asked_and_says_nothing_is_left_for_somebody_else() {
    let mut town = Town::new();
    town.claim_authors();
    town.network.go_online(1);
    town.network.rest();
    assert_eq!(town.authors(), 2, "one at a time");
    for _ in 0..FORWARD_WAIT.0 / 1_000 + 10 {
        town.network.rest();
    }
    assert_eq!(town.authors(), 5);
    town.signed.name.seq = 5;
    let late = town.signed.clone();
    town.say(&late.into());
    assert_eq!(town.denied().len(), 1, "who comes too late is told so");
    assert!(town.network.relay.closed.is_empty());
}

#[test]
fn rule_11_what_was_gathered_goes_when_its_link_does_and_frames_twice_the_entries_are_harmless() {
    let mut town = Town::new();
    town.claim_authors();
    let (signed, entries) = (town.signed.clone(), town.wrote[2..].to_vec());
    town.say(&signed.clone().into());
    town.say(&Message::Entries(entries[..2].to_vec()));
    town.network.drop_link(LIAR);
    town.network.go_online(LIAR);
    town.network.settle();
    assert!(town.stands());
    town.question = 0;
    town.claim_authors();
    town.say(&signed.into());
    town.network.inject(LIAR, frame(&entries[0]));
    town.say(&Message::Entries(entries[1..].to_vec()));
    town.network.rest();
    assert_eq!(town.authors(), 5);
}

#[test]
fn rule_11_chains_that_cannot_be_brought_do_not_stand_before_those_that_can() {
    let mut town = Town::new();
    // All of them sort before the author's.
    let first = |number: usize| {
        let mut id = [0; 32];
        id[30..].copy_from_slice(&(number as u16).to_be_bytes());
        (ReplicaId::from_bytes(id), 1)
    };
    let (stream, author) = (town.text, (town.author.id(), 5));
    let all: Vec<_> = (0..3 * FORWARD_ASKS).map(first).chain([author]).collect();
    for _ in 0..3 {
        let needs = town.claim_all(all.clone());
        assert_eq!(needs.len(), FORWARD_ASKS);
        for Need { replica, .. } in needs {
            town.say(&Body::Attest(Place { stream, replica, seq: 0 }).into());
        }
    }
    let needs = town.claim_all(all);
    assert_eq!(needs.iter().map(|need| need.replica).collect::<Vec<_>>(), [town.author.id()]);
    let (signed, entries) = (town.signed.clone(), town.wrote[2..].to_vec());
    town.say(&signed.into());
    town.say(&Message::Entries(entries));
    town.network.rest();
    assert_eq!(town.authors(), 5);
}

#[test]
fn rule_11_who_comes_second_many_times_may_still_bring_something() {
    let mut town = Town::new();
    let head = town.wrote[..2].iter().fold(Head::START, |head, entry| head.next(entry));
    let older = town.author.vouch(town.text, 2, head, &room());
    for _ in 0..2 * LINK_FRUITLESS {
        town.claim_authors();
        town.say(&older.clone().into());
        assert_eq!(town.denied(), ["head.stale"]);
    }
    town.claim_authors();
    let (signed, entries) = (town.signed.clone(), town.wrote[2..].to_vec());
    town.say(&signed.into());
    town.say(&Message::Entries(entries));
    town.network.rest();
    assert_eq!(town.authors(), 5);
}

#[test]
fn rule_11_who_was_silent_once_is_not_asked_again_as_older_programs_are() {
    let mut town = Town::new();
    town.claim_authors();
    for _ in 0..FORWARD_WAIT.0 / 1_000 + 1 {
        town.network.rest();
    }
    assert_eq!(town.claim(town.author.id(), 5), None);
    town.network.go_online(1);
    town.network.rest();
    assert_eq!(town.authors(), 5, "somebody else is, at once");
}

#[test]
fn rule_11_what_is_refused_is_brought_once_and_nobody_is_asked_for_it_again() {
    let mut town = Town::new();
    // The author went on otherwise than the text on device 1 knows, with something that no editor writes.
    town.wrote[2] = entry(town.text, town.author.id(), (3, 3), EntryKind::Edit, b"not an update");
    town.claim(town.author.id(), 3).expect("the home lacks it");
    let (signed, refused) = (town.signed_at(3), town.wrote[2].clone());
    town.say(&signed.into());
    town.say(&Message::Entries(vec![refused]));
    assert!(town.denied()[0].starts_with("guard."));
    for _ in 0..3 {
        assert_eq!(town.claim(town.author.id(), 3), None);
        for _ in 0..FORWARD_WAIT.0 / 1_000 + 1 {
            town.network.rest();
        }
    }
    let before = town.network.relay.sent.len();
    town.network.go_online(1);
    for _ in 0..15 {
        town.network.rest();
    }
    let asked = town.network.relay.sent[before..].iter();
    let asked = asked.filter(|(_, message)| matches!(message, Message::Other(Body::Need(_))));
    assert_eq!(asked.count(), 0, "nor is anybody else");
    assert!(town.stands());
}

#[test]
fn rule_11_what_builds_on_other_words_is_brought_once_however_often_its_bringer_comes_back() {
    let mut town = Town::new();
    let payload = town.wrote[2].payload().to_vec();
    town.wrote[2] = entry(town.text, town.author.id(), (3, 9), EntryKind::Edit, &payload);
    town.claim(town.author.id(), 3).expect("the home lacks it");
    let (signed, refused) = (town.signed_at(3), town.wrote[2].clone());
    town.say(&signed.into());
    town.say(&Message::Entries(vec![refused]));
    assert_eq!(town.denied(), ["entry.logical"]);
    town.network.drop_link(LIAR);
    town.network.go_online(LIAR);
    town.network.rest();
    assert_eq!(town.claim(town.author.id(), 3), None);
}

#[test]
fn rule_11_who_brings_what_the_disk_is_slow_for_may_go_on() {
    let mut town = Town::of(&["w"; LINK_FRUITLESS + 6]);
    town.network.relay.disk_answers = false;
    for seq in 3..=town.wrote.len() as u64 {
        let need = town.claim(town.author.id(), seq).expect("the home lacks it");
        assert_eq!((need.from, need.to), (seq, seq), "what was brought is not asked for again");
        let signed = town.signed_at(seq);
        town.say(&signed.into());
        let entry = town.wrote[seq as usize - 1].clone();
        town.say(&Message::Entries(vec![entry]));
        for _ in 0..FORWARD_WAIT.0 / 1_000 + 1 {
            town.network.rest();
        }
    }
    town.network.release_home_disk();
    town.network.rest();
    assert_eq!(town.authors(), town.wrote.len() as u64);
}

#[test]
fn rule_11_what_is_gathered_and_left_alone_goes_where_others_need_the_room() {
    // Left alone for good, and kept alive with an entry now and then.
    for (but, span) in [(64, FORWARD_WAIT), (40_000, FORWARD_MOST)] {
        let long = "y".repeat(if but > 64 { 40_000 } else { 1 });
        let mut town = Town::of(&[long.as_str(); 6]);
        let more: Vec<usize> = (1..ROOM_FORWARD_BYTES / FORWARD_BYTES).map(|_| town.network.join()).collect();
        town.network.rest();
        let fillers: Vec<usize> = [LIAR].into_iter().chain(more).collect();
        let before = town.network.relay.sent.len();
        let mut last: Vec<_> = fillers.iter().map(|device| (*device, town.fill(*device, but))).collect();
        town.network.go_online(1);
        town.network.rest();
        assert_eq!(town.needs_after(before).len(), fillers.len(), "nothing is sent in vain");
        assert_eq!(town.denied(), Vec::<&str>::new());
        for second in 0..span.0 / 1_000 + 15 {
            town.network.rest();
            if but > 64 && second % 4 == 0 {
                for (device, (key, entry_before)) in &mut last {
                    let seq = entry_before.name().seq + 1;
                    *entry_before = entry(town.text, key.id(), (seq, seq), EntryKind::Edit, b"drip");
                    town.say_as(*device, &Message::Entries(vec![entry_before.clone()]));
                }
            }
        }
        assert_eq!(town.authors(), 8, "with {but} bytes left");
        assert_eq!(town.network.relay.closed, []);
    }
}

#[test]
fn rule_11_a_room_that_takes_nothing_asks_for_nothing() {
    let mut town = Town::new();
    for number in 0..ROOM_STREAMS as u128 {
        let stream = StreamId::ydoc((number << 8).to_be_bytes());
        let record = StreamRecord { arrivals: 1, bytes: 1 };
        town.network.relay.disk.put(stored::stream_key(&stream), record.encode());
    }
    town.network.restart_home();
    town.network.rest();
    town.text = StreamId::ydoc([0xee; 16]);
    assert_eq!(town.claim(town.author.id(), 5), None);
}

/// It builds on what nobody brings, and where that waits there is no room for it.
#[test]
fn rule_11_what_can_neither_join_nor_wait_comes_again_only_with_what_it_builds_on() {
    let mut town = Town::new();
    let text = town.text;
    let other = town.network.join();
    town.network.rest();
    let [base, crowd, late] = [90, 91, 92].map(|secret| Identity::from_secret(&[secret; 32]));
    let lost = [entry(text, base.id(), (1, 1), EntryKind::Edit, &crowded(base.id(), 0, 1))];
    let piece = vec![7; PARK_BYTES / 4 - 10_000];
    let many: Vec<Entry> =
        (1..=4).map(|seq| edit_upon(text, crowd.id(), (seq, seq + 1), upon(&lost), &piece)).collect();
    let waits = [edit_upon(text, late.id(), (1, 2), upon(&lost), &long(late.id(), 0, 100_000))];
    assert!(town.bring(&crowd, &many) && town.bring(&late, &waits));
    for _ in 0..7 {
        town.wait_long();
        assert!(!town.bring(&crowd, &many), "it waits here");
        assert!(!town.bring(&late, &waits), "it would be sent in vain");
    }
    assert!(town.bring_as(other, &base, &lost));
    assert!(town.bring(&late, &waits));
    town.network.rest();
    assert_eq!(town.network.relay.seq(&text, &late.id()), 1);
    assert_eq!(town.network.relay.closed, []);
}

#[test]
fn rule_11_what_builds_on_a_chain_that_waits_asks_for_none_of_it() {
    let mut town = Town::new();
    let text = town.text;
    let other = town.network.join();
    town.network.rest();
    let now = town.network.clock(other);
    town.network.devices[other].room.create_text("proven.md", now).expect("a path");
    town.network.rest();
    let own = town.network.devices[other].room.replica();
    let [base, key] = [90, 91].map(|secret| Identity::from_secret(&[secret; 32]));
    let lost = [entry(text, base.id(), (1, 1), EntryKind::Edit, &crowded(base.id(), 0, 1))];
    let first = edit_upon(text, key.id(), (1, 2), upon(&lost), &crowded(key.id(), 0, 1));
    let second = entry(text, key.id(), (2, 3), EntryKind::Edit, &crowded(key.id(), 1, 1));
    let both = [first.clone(), second];
    let work = edit_upon(text, own, (1, 4), upon(&both), &crowded(own, 0, 1));
    assert!(town.bring(&key, &[first]));
    let before = town.network.relay.sent.len();
    for _ in 0..3 {
        town.say_as(other, &Message::Entries(vec![work.clone()]));
        town.wait_long();
    }
    assert_eq!(town.needs_after(before), [], "what comes behind what waits could not be let in");
    let third = town.network.join();
    town.network.rest();
    assert!(town.bring_as(third, &base, &lost));
    let before = town.network.relay.sent.len();
    town.say_as(other, &Message::Entries(vec![work]));
    let needs = town.needs_after(before);
    assert_eq!(needs.iter().map(|need| (need.replica, need.from)).collect::<Vec<_>>(), [(key.id(), 2)]);
    town.send_all(other, &key, &both);
    town.network.rest();
    assert_eq!((town.network.relay.seq(&text, &key.id()), town.network.relay.seq(&text, &own)), (2, 1));
}

/// More than it may have gathered at once: chains by turns, so that each waits for longer than the home would for silence.
#[test]
fn rule_11_a_slow_link_that_brings_many_chains_brings_them_all() {
    let mut town = Town::new();
    let text = town.text;
    let keys: Vec<Identity> = (100..170).map(|secret| Identity::from_secret(&[secret; 32])).collect();
    let chain = |key: &Identity| {
        let most = entry(text, key.id(), (1, 1), EntryKind::Edit, &long(key.id(), 0, 130_000));
        [most, entry(text, key.id(), (2, 2), EntryKind::Edit, &crowded(key.id(), 130_000, 1))]
    };
    let wrote: Vec<[Entry; 2]> = keys.iter().map(chain).collect();
    let (mut asked, mut rounds) = (0, 0);
    loop {
        let needs = town.claim_all(keys.iter().map(|key| (key.id(), 2)).collect());
        if needs.is_empty() {
            break;
        }
        (asked, rounds) = (asked + needs.len(), rounds + 1);
        let is_asked = |key: &Identity| needs.iter().any(|need| need.replica == key.id());
        let brought: Vec<_> = keys.iter().zip(&wrote).filter(|(key, _)| is_asked(key)).collect();
        for (key, wrote) in &brought {
            town.say(&vouch(key, text, *wrote).into());
        }
        for turn in 0..2 {
            for (_, wrote) in &brought {
                town.say(&Message::Entries(vec![wrote[turn].clone()]));
                town.network.rest();
            }
        }
        town.network.rest();
    }
    assert!(keys.iter().all(|key| town.network.relay.seq(&text, &key.id()) == 2));
    let at_once = FORWARD_BYTES / (130_000 + FORWARD_OVERHEAD);
    assert!(at_once < keys.len(), "it is more than fits");
    assert!(rounds == 2 && asked <= 2 * keys.len() - at_once + 1, "{asked} in {rounds} rounds");
    assert_eq!(town.network.relay.closed, []);
}

#[test]
fn rule_11_a_link_that_is_busy_with_its_own_work_is_not_taken_for_silent() {
    let mut town = Town::new();
    let text = town.text;
    let now = town.network.clock(LIAR);
    town.network.devices[LIAR].room.create_text("proven.md", now).expect("a path");
    town.network.rest();
    let own = town.network.devices[LIAR].room.replica();
    let logical = town.wrote.last().expect("it wrote").header().logical;
    town.claim_authors();
    for seq in 1..=FORWARD_WAIT.0 / 1_000 + 2 {
        let payload = crowded(own, seq as u32 - 1, 1);
        let work = edit_upon(text, own, (seq, logical + seq), upon(&town.wrote), &payload);
        town.say(&Message::Entries(vec![work]));
        town.network.rest();
    }
    let (signed, entries) = (town.signed.clone(), town.wrote[2..].to_vec());
    town.say(&signed.into());
    town.say(&Message::Entries(entries));
    town.network.rest();
    assert_eq!((town.authors(), town.network.relay.seq(&text, &own)), (5, FORWARD_WAIT.0 / 1_000 + 2));
}

#[test]
fn rule_11_who_brings_entries_without_a_head_again_and_again_is_asked_no_more() {
    let mut town = Town::new();
    let entry = town.wrote[2].clone();
    let mut asked = 0;
    for _ in 0..4 * LINK_FRUITLESS {
        asked += usize::from(town.claim(town.author.id(), 5).is_some());
        town.say(&Message::Entries(vec![entry.clone()]));
    }
    assert_eq!(asked, LINK_FRUITLESS);
    town.network.go_online(1);
    town.network.rest();
    assert_eq!(town.authors(), 5, "somebody else brings it");
}

#[test]
fn rule_11_what_was_on_its_way_behind_a_head_that_came_too_late_costs_nothing() {
    let mut town = Town::new();
    let head = town.wrote[..2].iter().fold(Head::START, |head, entry| head.next(entry));
    let older = town.author.vouch(town.text, 2, head, &room());
    for _ in 0..2 * LINK_FRUITLESS {
        town.claim_authors();
        town.say(&older.clone().into());
        town.claim_authors();
        town.say(&Message::Entries(vec![town.wrote[2].clone()]));
    }
    town.claim_authors();
    let (signed, entries) = (town.signed.clone(), town.wrote[2..].to_vec());
    town.say(&signed.into());
    town.say(&Message::Entries(entries));
    town.network.rest();
    assert_eq!(town.authors(), 5);
}

#[test]
fn rule_11_denials_do_not_end_a_link_that_takes_them_slowly() {
    let mut town = Town::new();
    town.claim_authors();
    town.network.relay.slow = true;
    for number in 0..LANE_CONTROL_BYTES / 100 {
        let key =
            Identity::from_secret(&[(number >> 8) as u8, number as u8].repeat(16).try_into().expect("32"));
        let stray = entry(town.text, key.id(), (1, 1), EntryKind::Edit, b"stray");
        town.say(&Message::Entries(vec![stray]));
    }
    assert!(town.denied().len() > 100);
    town.network.drain();
    let (signed, entries) = (town.signed.clone(), town.wrote[2..].to_vec());
    town.say(&signed.into());
    town.say(&Message::Entries(entries));
    town.network.rest();
    assert_eq!((town.authors(), town.network.relay.closed.as_slice()), (5, [].as_slice()));
}

#[test]
fn rule_12_what_is_forwarded_is_taken_while_older_entries_of_the_chain_are_compared_for_its_author() {
    let mut town = Town::new();
    let page = town.network.join();
    town.network.rest();
    let conn = town.network.devices[page].link().expect("it is there");
    let nonce = town.network.relay.sent.iter().find_map(|(to, message)| match message {
        Message::Other(Body::Welcome(welcome)) if *to == conn => Some(welcome.nonce),
        Message::Other(_) | Message::Entries(_) => None,
    });
    let proof = town.author.prove(&nonce.expect("it was welcomed"), &room());
    town.say_as(page, &proof.into());
    // Its author brings what the home has, and the disk has other things to do.
    town.network.relay.busy_reads = 1;
    let from = town.network.relay.sent.len();
    town.say_as(page, &Message::Entries(town.wrote[..1].to_vec()));
    let need = town.claim_authors();
    assert_eq!((need.from, need.to), (3, 5));
    let signed = town.signed.clone();
    town.say(&signed.into());
    town.say(&Message::Entries(town.wrote[2..].to_vec()));
    assert_eq!(town.authors(), 5);
    let saved = |town: &Town| {
        let to_page = town.network.relay.sent[from..].iter().filter(|(to, _)| *to == conn);
        to_page.filter(|(_, message)| matches!(message, Message::Other(Body::Saved(_)))).count()
    };
    assert_eq!(saved(&town), 0, "it is not compared yet");
    town.network.wait(1_000);
    assert_eq!(saved(&town), 1);
    assert_eq!(town.denied(), Vec::<&str>::new());
}
