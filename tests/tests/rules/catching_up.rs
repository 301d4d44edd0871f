//! RL8 and R8: many readers on their way along one log, and a snapshot that is made meanwhile.

use causeway_core::home::{self, Lane};
use causeway_core::ids::{ConnId, StreamId};
use causeway_core::limits::COMPARED_STREAMS;
use causeway_core::log::{Digest, Head};
use causeway_core::snapshot::SnapshotId;
use causeway_core::wire::{self, Body, Compare, Hello, Message, Subscribe, VERSION};
use causeway_tests::network::{Network, room};

/// A room whose log has several pages, and whose home makes no snapshot of it.
fn long() -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(1);
    network.relay.snapshot_after(u64::MAX / 4, 500);
    for _ in 0..30 {
        network.insert(0, text, 0, &"still water ".repeat(2_000));
        network.settle();
        network.wait(60);
    }
    network.rest();
    (network, text)
}

/// Answers the scans that the home asks for; how many they were, and what it sends in the bulk lane.
fn carry_out(network: &mut Network) -> (usize, Vec<(ConnId, bytes::Bytes)>) {
    let now = network.clock(0);
    let (mut scans, mut sent) = (0, Vec::new());
    while let Some(output) = network.relay.home.poll_output() {
        match output {
            home::Output::Scan(op, scan) => {
                scans += 1;
                let result = network.relay.disk.scan(&scan);
                network.relay.home.handle(home::Input::Scanned(op, result), now);
            }
            home::Output::Send(to, Lane::Bulk, frame) => {
                sent.extend(to.into_iter().map(|conn| (conn, frame.clone())));
            }
            home::Output::Send(..)
            | home::Output::Close(..)
            | home::Output::Commit(..)
            | home::Output::Materialise(..) => {}
        }
    }
    (scans, sent)
}

#[test]
fn rl8_readers_who_come_together_are_sent_the_same_bytes() {
    let (mut network, text) = long();
    let now = network.clock(0);
    let digest = Digest::NOTHING;
    let hello = Hello { oldest: VERSION, newest: VERSION, room: room(), digest, agent: "story".into() };
    let subscribe = Subscribe { stream: text, question: 1, digest, newest_but: Some(SnapshotId::NOTHING) };
    let readers: Vec<ConnId> = (1_000..1_100).map(ConnId).collect();
    let frames = [wire::encode(&hello.into()), wire::encode(&subscribe.into())];
    for conn in &readers {
        network.relay.home.handle(home::Input::Opened(*conn), now);
        for frame in &frames {
            network.relay.home.handle(home::Input::Received(*conn, frame.clone()), now);
        }
    }
    let (mut scans, mut pages) = carry_out(&mut network);
    assert_eq!((scans, pages.len()), (1, readers.len()), "one page is read for all of them");
    let mut rounds = 1;
    while !pages.is_empty() {
        let first = pages[0].1.as_ptr();
        let is_page = |frame: &bytes::Bytes| frame.len() > 4_096;
        assert!(
            pages.iter().all(|(_, frame)| !is_page(frame) || frame.as_ptr() == first),
            "and copied for none"
        );
        pages = Vec::new();
        for conn in &readers {
            network.relay.home.handle(home::Input::Drained(*conn, Lane::Bulk), now);
            let (more, sent) = carry_out(&mut network);
            scans += more;
            pages.extend(sent);
        }
        rounds += 1;
    }
    assert!(rounds > 4 && scans <= rounds, "{scans} scans in {rounds} rounds");
    network.now += 2_000;
    let later = network.clock(0);
    network.relay.home.handle(home::Input::Tick, later);
    let Some(mut again) = readers.first().copied() else { return };
    again.0 += 1_000;
    network.relay.home.handle(home::Input::Opened(again), later);
    for frame in &frames {
        network.relay.home.handle(home::Input::Received(again, frame.clone()), later);
    }
    assert_eq!(carry_out(&mut network).0, 1, "a room at rest keeps no page: it is read again");
}

#[test]
fn rule_8_a_reader_whom_a_snapshot_overtakes_is_sent_the_snapshot() {
    let (mut network, text) = long();
    network.relay.slow = true;
    let late = network.join();
    network.open(late, text);
    network.settle();
    network.relay.snapshot_after(10, 500);
    network.insert(0, text, 0, "at last, ");
    for _ in 0..20 {
        network.wait(600);
        network.settle();
    }
    assert_eq!(network.relay.home.figures().snapshots_made, 1);
    for _ in 0..20 {
        network.drain();
        network.rest();
    }
    assert_eq!(network.text(late, text), network.text(0, text));
    let late = network.devices[late].link();
    let to_late = || network.relay.sent.iter().filter(|(conn, _)| Some(*conn) == late);
    let begins = |message: &Message| matches!(message, Message::Other(Body::Chunk(chunk)) if chunk.at == 0);
    assert_eq!(to_late().filter(|(_, message)| begins(message)).count(), 1);
    let entries = to_late().filter_map(|(_, message)| match message {
        Message::Entries(entries) => Some(entries.len()),
        Message::Other(_) => None,
    });
    assert!(entries.sum::<usize>() < 30, "and not what it covers, entry by entry");
}

#[test]
fn rl8_hundreds_of_streams_are_compared_a_few_at_a_time() {
    const STREAMS: usize = 300;
    let mut network = Network::new(1);
    network.settle();
    let streams: Vec<StreamId> = (0..STREAMS as u128).map(|n| StreamId::ydoc(n.to_be_bytes())).collect();
    for stream in &streams {
        network.open(0, *stream);
        network.settle();
        network.insert(0, *stream, 0, "a word");
    }
    network.rest();
    let (now, conn) = (network.clock(0), ConnId(1_000));
    let digest = Digest::of_chains(&[(network.devices[0].room.replica(), 7, Head::START)]);
    let hello = Hello { oldest: VERSION, newest: VERSION, room: room(), digest, agent: "story".into() };
    let home = &mut network.relay.home;
    home.handle(home::Input::Opened(conn), now);
    home.handle(home::Input::Received(conn, wire::encode(&hello.into())), now);
    for stream in &streams {
        let subscribe = Subscribe { stream: *stream, question: 1, digest, newest_but: None };
        home.handle(home::Input::Received(conn, wire::encode(&subscribe.into())), now);
    }
    let (mut asked, mut most, mut entries, mut synced) = (Vec::<Compare>::new(), 0, 0, 0);
    while synced < STREAMS {
        let (_, sent) = carry_out(&mut network);
        for message in sent.iter().flat_map(|(_, frame)| wire::decode(frame).expect("our own frames")) {
            match message {
                Message::Other(Body::Compare(compare)) => asked.push(compare),
                Message::Other(Body::Synced(_)) => synced += 1,
                Message::Entries(sent) => entries += sent.len(),
                Message::Other(_) => {}
            }
        }
        most = most.max(asked.len());
        assert!(!asked.is_empty() || !sent.is_empty(), "{synced} are synced, and nothing moves");
        let home = &mut network.relay.home;
        if let Some(compare) = asked.pop() {
            let answer = Compare { groups: (0..=u8::MAX).collect(), ..compare };
            home.handle(home::Input::Received(conn, wire::encode(&answer.into())), now);
        }
        home.handle(home::Input::Drained(conn, Lane::Bulk), now);
    }
    assert_eq!((most, entries), (COMPARED_STREAMS, 2 * STREAMS), "a reader that holds nothing is sent all");
}

/// Somebody writes all the time in one text, so no link is ever quiet for ten seconds. That text is left alone: whoever asks for
/// one anew waits a round trip for what is said in it meanwhile.
#[test]
fn rule_5_what_is_quiet_is_compared_also_on_a_link_that_never_is() {
    let (mut network, text) = Network::with_document(2);
    network.rest();
    let asked = |network: &Network, stream: StreamId| {
        let sent = network.devices[0].sent.iter();
        let asks = |message: &&Message| matches!(message, Message::Other(Body::Subscribe(asks)) if asks.stream == stream);
        sent.filter(asks).count()
    };
    let before = [StreamId::DIRECTORY, text].map(|stream| asked(&network, stream));
    for _ in 0..38 {
        network.insert(1, text, 0, "on ");
        network.settle();
        network.wait(5_000);
    }
    let now = [StreamId::DIRECTORY, text].map(|stream| asked(&network, stream));
    let (quiet, busy) = (now[0] - before[0], now[1] - before[1]);
    assert!((2..=3).contains(&quiet) && busy == 0, "{quiet} and {busy} questions in three minutes");
}
