//! Channels: what is taken, what waits, what is refused and kept, and what is left to read.

use causeway_core::chat::{ChatOp, Post, Saved};
use causeway_core::device::{ChatError, Event, Role};
use causeway_core::ids::StreamId;
use causeway_core::log::{Entry, EntryName, Header};
use causeway_core::person::PersonKey;
use causeway_core::presence::{State, Status};
use causeway_core::wire::{self, Body, Message};
use causeway_core::{replica::Identity, time::Millis};
use causeway_tests::network::{Network, room};

use crate::craft::frame;

fn channel() -> StreamId {
    StreamId::main_channel(&room())
}

fn key(person: u8) -> PersonKey {
    PersonKey::from_secret(&[person; 32])
}

/// Devices of these persons, online, with the main channel open.
fn talkers(persons: &[u8]) -> Network {
    let mut network = Network::new(persons.len());
    for (device, person) in persons.iter().enumerate() {
        open(&mut network, device, *person);
    }
    network.rest();
    network
}

fn open(network: &mut Network, device: usize, person: u8) {
    let room = &mut network.devices[device].room;
    room.set_person(key(person), format!("person {person}"), 0x33_66_99).expect("a short name");
    room.open_channel(channel()).expect("a channel");
}

fn say(network: &mut Network, device: usize, text: &str) -> EntryName {
    let now = network.clock(device);
    network.devices[device].room.post(channel(), text.into(), None, now).expect("the channel is open");
    posts(network, device).iter().rev().find(|post| post.text == text).expect("it stands there at once").name
}

fn posts(network: &Network, device: usize) -> Vec<Post> {
    network.devices[device].room.posts(channel()).expect("the channel is open")
}

fn texts(network: &Network, device: usize) -> Vec<String> {
    posts(network, device).into_iter().map(|post| post.text).collect()
}

/// The next entry of a device's replica, as a device might make it that is not ours.
fn crafted(network: &Network, device: usize, op: &ChatOp, target: Option<EntryName>) -> Entry {
    let disk = &network.relay.disk;
    let replica = network.devices[device].room.replica();
    let seq = network.relay.seq(&channel(), &replica);
    let held =
        disk.rows_of(b'e').filter_map(|(_, value)| causeway_core::stored::decode_entry(value.to_vec()).ok());
    let own = held.filter(|entry| entry.name().replica == replica && entry.header().stream == channel());
    let logical = own.map(|entry| entry.header().logical).max().unwrap_or(0) + 1;
    let payload = wire::payload::encode_chat(op);
    let (kind, stream, deps) = (op.kind(), channel(), Vec::new());
    let header = Header {
        stream,
        replica,
        seq: seq + 1,
        deps,
        logical,
        time: Millis(0),
        kind,
        target,
        key_epoch: 0,
        payload_hash: [0; 32],
    };
    wire::entry::build(header, &payload)
}

/// What the home answers to a crafted entry.
fn refusal(network: &mut Network, device: usize, entry: &Entry) -> Option<String> {
    let before = network.relay.sent.len();
    network.inject(device, frame(entry));
    network.deliver_to_home();
    network.relay.sent[before..].iter().find_map(|(_, message)| match message {
        Message::Other(Body::Refused(refused)) => Some(refused.code.clone()),
        Message::Other(_) | Message::Entries(_) => None,
    })
}

fn words(text: &str) -> ChatOp {
    ChatOp::Post { text: text.into(), reply_to: None, after: Millis(0) }
}

#[test]
fn ch1_what_is_said_apart_is_one_timeline_everywhere() {
    let mut network = talkers(&[1, 2, 3]);
    let first = say(&mut network, 0, "before");
    network.rest();
    network.go_offline(0);
    network.go_offline(1);
    for number in 0..5 {
        say(&mut network, 0, &format!("Ada {number}"));
        network.wait(500);
        say(&mut network, 1, &format!("Ben {number}"));
        network.wait(500);
    }
    let now = network.clock(1);
    network.devices[1].room.react(channel(), first, "👍".into(), true, now).unwrap();
    let now = network.clock(0);
    network.devices[0].room.amend(channel(), first, "before all".into(), now).unwrap();
    say(&mut network, 2, "Cy, meanwhile");
    network.go_online(0);
    network.go_online(1);
    network.rest();
    assert_eq!(texts(&network, 0).len(), 12);
    assert_eq!(texts(&network, 0)[..3], ["before all", "Ada 0", "Ben 0"]);
    for other in [1, 2] {
        assert_eq!(texts(&network, other), texts(&network, 0));
    }
    let shown = &posts(&network, 2)[0];
    assert_eq!((shown.author.name.as_str(), shown.is_edited), ("person 1", true));
    assert_eq!(shown.reactions[0].people[0].name, "person 2");
}

#[test]
fn ch4_people_change_and_remove_only_what_they_wrote_on_any_of_their_devices() {
    // The phone and the laptop of one person, and somebody else.
    let mut network = talkers(&[1, 1, 2]);
    let mine = say(&mut network, 0, "from the phone");
    network.rest();
    let now = network.clock(2);
    let refused = network.devices[2].room.retract(channel(), mine, now);
    assert_eq!(refused, Err(ChatError::NotYours), "asked here, it is not even sent");
    let amend = ChatOp::Amend { text: "defaced".into() };
    for op in [amend, ChatOp::Retract] {
        say(&mut network, 2, "hello");
        network.rest();
        let forged = crafted(&network, 2, &op, Some(mine));
        assert_eq!(refusal(&mut network, 2, &forged).as_deref(), Some("chat.not-yours"));
        network.rest();
    }
    // The home remembers whose a replica is without reading its entries again.
    network.restart_home();
    network.rest();
    let now = network.clock(1);
    network.devices[1].room.amend(channel(), mine, "from the laptop".into(), now).unwrap();
    network.rest();
    assert_eq!(texts(&network, 2), ["from the laptop", "hello", "hello"]);
}

#[test]
fn ch5_nobody_speaks_who_is_not_introduced_or_as_somebody_else() {
    let mut network = talkers(&[1, 2]);
    say(&mut network, 0, "here");
    network.rest();
    let replica = network.devices[1].room.replica();
    say(&mut network, 1, "me too");
    network.rest();
    let ada = key(1);
    let another = ada.introduction(&replica, "Ada".into(), 0);
    let forged = crafted(&network, 1, &ChatOp::Introduce(another), None);
    assert_eq!(refusal(&mut network, 1, &forged).as_deref(), Some("chat.person"));

    // A device that is not ours: it proves a replica and writes under it.
    let mut stranger = Stranger::join(&mut network);
    assert_eq!(stranger.says(&mut network, &words("who am I?"), None), "chat.unintroduced");
    let mut stranger = Stranger::join(&mut network);
    let stolen = ada.introduction(&replica, "Ada".into(), 0);
    assert_eq!(stranger.says(&mut network, &ChatOp::Introduce(stolen), None), "chat.introduction");
    let mut stranger = Stranger::join(&mut network);
    assert_eq!(
        stranger.says(
            &mut network,
            &ChatOp::Post { text: String::new(), reply_to: None, after: Millis(0) },
            None
        ),
        "chat.payload"
    );
    let mut stranger = Stranger::join(&mut network);
    let introduction = key(9).introduction(&stranger.identity.id(), "Nine".into(), 0);
    assert_eq!(stranger.says(&mut network, &ChatOp::Introduce(introduction), None), "");
    assert_eq!(stranger.says(&mut network, &words("now I may"), None), "");
    network.rest();
    assert_eq!(texts(&network, 0), ["here", "me too", "now I may"]);
}

/// Writes under a replica of its own on the link of the second device.
struct Stranger {
    identity: Identity,
    seq: u64,
}

impl Stranger {
    fn join(network: &mut Network) -> Self {
        let secret = blake3::hash(&network.relay.sent.len().to_le_bytes());
        let identity = Identity::from_secret(secret.as_bytes());
        let link = network.devices[1].link().expect("it is online");
        let nonce = network.relay.sent.iter().find_map(|(to, message)| match message {
            Message::Other(Body::Welcome(welcome)) if *to == link => Some(welcome.nonce),
            Message::Other(_) | Message::Entries(_) => None,
        });
        let proof = identity.prove(&nonce.expect("it was welcomed"), &room());
        network.inject(1, wire::encode(&proof.into()));
        network.deliver_to_home();
        Self { identity, seq: 0 }
    }

    fn says(&mut self, network: &mut Network, op: &ChatOp, target: Option<EntryName>) -> String {
        self.seq += 1;
        let header = Header {
            stream: channel(),
            replica: self.identity.id(),
            seq: self.seq,
            deps: Vec::new(),
            logical: self.seq,
            time: Millis(u64::MAX),
            kind: op.kind(),
            target,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        let entry = wire::entry::build(header, &wire::payload::encode_chat(op));
        refusal(network, 1, &entry).unwrap_or_default()
    }
}

#[test]
fn ch5_what_is_about_a_post_that_is_not_here_yet_waits_and_is_no_error() {
    let mut network = talkers(&[1, 2]);
    say(&mut network, 0, "one");
    say(&mut network, 1, "two");
    network.rest();
    let ahead = EntryName { replica: network.devices[0].room.replica(), seq: 9 };
    let react = ChatOp::React { emoji: "👍".into(), on: true };
    let early = crafted(&network, 1, &react, Some(ahead));
    assert_eq!(refusal(&mut network, 1, &early), None);
    let asked = network.relay.sent.iter().any(|(_, message)| {
        matches!(message, Message::Other(Body::Need(need)) if need.replica == ahead.replica && need.to == 9)
    });
    assert!(asked, "the sender is asked for what is missing");
    let own = EntryName { replica: network.devices[1].room.replica(), seq: early.name().seq };
    let absurd = crafted(&network, 1, &react, Some(own));
    assert_eq!(
        refusal(&mut network, 1, &absurd).as_deref(),
        Some("entry.chain"),
        "a target that can never be"
    );
}

#[test]
fn ch6_unread_is_right_after_any_offline_merge_and_after_a_restart() {
    let mut network = talkers(&[1, 2, 3]);
    say(&mut network, 0, "one");
    network.rest();
    network.go_offline(1);
    network.wait(1_000);
    say(&mut network, 1, "said at sea");
    network.wait(1_000);
    let two = say(&mut network, 0, "two");
    network.rest();
    let unread = |network: &Network| network.devices[2].room.unread(channel());
    assert_eq!(unread(&network).count, 2);
    network.devices[2].room.mark_read(channel(), None);
    assert_eq!(unread(&network).count, 0);
    network.go_online(1);
    network.rest();
    assert_eq!(texts(&network, 2), ["one", "said at sea", "two"]);
    let left = unread(&network);
    assert_eq!(left.count, 1, "what comes late into the middle is unread");
    assert_eq!(left.first, Some(posts(&network, 2)[1].name));
    network.restart(2, true);
    open(&mut network, 2, 3);
    network.rest();
    assert_eq!(unread(&network), left, "and a restart changes nothing");
    network.devices[2].room.mark_read(channel(), Some(two));
    assert_eq!(unread(&network).count, 0);
}

#[test]
fn ch6_what_was_read_on_one_page_never_goes_back_and_waits_for_a_leader() {
    for leader_looks in [true, false] {
        let mut network = talkers(&[2]);
        let pages = network.join_pages(3);
        let looking = if leader_looks { &pages[..] } else { &pages[1..] };
        looking.iter().for_each(|page| open(&mut network, *page, 1));
        network.rest();
        let said = ["one", "two", "three"].map(|text| say(&mut network, 0, text));
        network.rest();
        let unread_on_disk = |network: &mut Network| {
            let page = network.join_page(pages[0]);
            open(network, page, 1);
            network.wait(1);
            network.rest();
            network.devices[page].room.unread(channel()).count
        };
        // The last page has no leader for a moment.
        network.part(pages[2]);
        network.devices[pages[2]].room.mark_read(channel(), Some(said[0]));
        network.settle();
        assert_eq!(unread_on_disk(&mut network), 2, "what it read is kept with the leader it finds");
        network.part(pages[2]);
        network.devices[pages[1]].room.mark_read(channel(), Some(said[2]));
        network.settle();
        network.devices[pages[2]].room.mark_read(channel(), Some(said[1]));
        network.rest();
        network.rest();
        assert_eq!(
            unread_on_disk(&mut network),
            0,
            "it has not heard how far others have read ({leader_looks})"
        );
    }
}

#[test]
fn ch7_a_post_that_is_refused_is_kept_as_a_draft_until_it_is_discarded() {
    let mut network = talkers(&[1, 2]);
    say(&mut network, 0, "taken");
    network.rest();
    say(&mut network, 0, "and this");
    network.lose_what_is_on_its_way();
    let replica = network.devices[0].room.replica();
    let seq = network.relay.seq(&channel(), &replica) + 1;
    let (code, sentence) = ("test.no".to_owned(), "because".to_owned());
    let refused = wire::Refused { stream: channel(), replica, seq, code, sentence };
    network.hand_to_device(0, &refused.into());
    network.rest();
    let drafts = network.devices[0].room.drafts(channel()).to_vec();
    assert_eq!(drafts.iter().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ["and this"]);
    assert_eq!((drafts[0].code.as_str(), drafts[0].sentence.as_str()), ("test.no", "because"));
    assert!(!texts(&network, 0).contains(&"and this".into()));
    assert!(network.events(0).contains(&Event::Channel(channel())));
    network.restart(0, true);
    open(&mut network, 0, 1);
    network.rest();
    assert_eq!(network.devices[0].room.drafts(channel()), drafts, "on the disk");
    network.devices[0].room.discard_draft(channel(), drafts[0].key);
    network.rest();
    network.restart(0, true);
    open(&mut network, 0, 1);
    network.rest();
    assert!(network.devices[0].room.drafts(channel()).is_empty());
}

#[test]
fn ch9_several_devices_that_begin_the_main_channel_at_once_are_in_one() {
    let mut network = talkers(&[1, 2, 3]);
    for device in 0..3 {
        network.go_offline(device);
        say(&mut network, device, &format!("first from {device}"));
    }
    for device in 0..3 {
        network.go_online(device);
    }
    network.rest();
    for device in 0..3 {
        assert_eq!(texts(&network, device).len(), 3);
        let status = network.devices[device].room.save_status(channel());
        assert_eq!((status.unsaved_on_relay, status.forks), (0, 0));
    }
}

#[test]
fn pr7_the_home_says_whose_a_presence_is() {
    let mut network = talkers(&[1, 1, 2]);
    for device in 0..2 {
        let now = network.clock(device);
        let state = State {
            name: "Ada".into(),
            colour: 1,
            status: Status::Idle,
            cursor: None,
            typing: Some(channel()),
        };
        network.devices[device].room.set_presence(state, now).unwrap();
    }
    network.rest();
    let room = &network.devices[2].room;
    let seen: Vec<_> = room.others().map(|(lease, _)| room.person_of(lease)).collect();
    assert_eq!(seen, [Some(key(1).id()), Some(key(1).id())], "two devices, one person");
}

#[test]
fn t1_what_is_said_while_another_page_reads_what_was_read_is_not_missed() {
    for again in [false, true] {
        let mut network = Network::new(0);
        let pages = network.join_pages(2);
        open(&mut network, pages[0], 1);
        network.rest();
        say(&mut network, pages[0], "before");
        network.rest();
        network.devices[pages[1]].disk_reads = false;
        open(&mut network, pages[1], 1);
        network.rest();
        assert!(network.devices[pages[1]].room.posts(channel()).is_err(), "what was read is not known yet");
        say(&mut network, pages[0], "meanwhile");
        network.rest();
        if again {
            // The link between the pages ends and comes back before the disk has answered.
            network.lead(pages[0]);
            network.rest();
            say(&mut network, pages[0], "and after");
            network.rest();
        }
        network.release_reads(pages[1]);
        network.rest();
        assert_eq!(texts(&network, pages[1]), texts(&network, pages[0]));
    }
}

#[test]
fn rule_10_a_page_that_led_when_the_home_was_restored_hears_that_its_posts_are_saved_again() {
    let mut network = Network::new(0);
    let pages = network.join_pages(2);
    pages.iter().for_each(|page| open(&mut network, *page, 1));
    network.rest();
    let backup = network.relay.disk.clone();
    say(&mut network, pages[0], "saved once");
    network.rest();
    let saved = |network: &Network| posts(network, pages[0])[0].saved;
    assert_eq!(saved(&network), Saved::Relay);
    network.relay.put_back(backup, 2);
    network.relay.disk_answers = false;
    network.restart_home();
    network.rest();
    network.rest();
    assert_eq!(saved(&network), Saved::Device, "the home has lost it and not called it saved again");
    network.lead(pages[1]);
    network.rest();
    network.release_home_disk();
    for _ in 0..4 {
        network.rest();
    }
    assert_eq!(saved(&network), Saved::Relay);
}

#[test]
fn t6_what_was_said_in_a_page_that_wanted_to_lead_and_was_not_first_is_not_lost() {
    let mut network = Network::new(0);
    let pages = network.join_pages(3);
    pages.iter().for_each(|page| open(&mut network, *page, 1));
    network.rest();
    say(&mut network, pages[1], "hello");
    network.rest();
    network.devices[pages[1]].disk_answers = false;
    network.lead(pages[1]);
    say(&mut network, pages[1], "while I take over");
    network.lead(pages[2]);
    network.rest();
    network.release_disk(pages[1]);
    for _ in 0..4 {
        network.rest();
    }
    assert_eq!(network.devices[pages[1]].room.role(), Role::Following);
    assert_eq!(texts(&network, pages[2]), ["hello", "while I take over"]);
    assert!(posts(&network, pages[1]).iter().all(|post| post.saved == Saved::Relay));
}
