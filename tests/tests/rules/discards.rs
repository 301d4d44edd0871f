//! F5: what is discarded is gone from the disk and from every page, whoever leads by then.

use causeway_core::device::{Fork, ForkId};
use causeway_core::directory::DirectoryOp;
use causeway_core::ids::StreamId;
use causeway_core::stored::{self, ForkPart, ForkRecord};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Message};
use causeway_tests::network::Network;

use crate::forks::refuse_newest;
use crate::takeovers::forks as rows;

/// The first of so many pages has a fork, of which all know.
fn with_a_fork(pages: usize) -> (Network, Vec<usize>, StreamId, ForkId) {
    let (mut network, pages, text) = Network::with_pages(pages);
    network.insert(pages[0], text, 0, "agreed ");
    network.rest();
    network.insert(pages[0], text, 0, "refused ");
    refuse_newest(&mut network, pages[0], text);
    for _ in 0..3 {
        network.rest();
    }
    for page in &pages {
        assert_eq!(forks(&network, *page).len(), 1, "page {page}");
    }
    (network, pages, text, ForkId { stream: text, whole: None })
}

fn forks(network: &Network, page: usize) -> Vec<Fork> {
    network.devices[page].room.forks()
}

fn is_gone(mut network: Network, pages: &[usize], disk: usize) {
    for _ in 0..3 {
        network.rest();
    }
    assert_eq!(rows(&network, disk), 0);
    for page in pages {
        assert_eq!(forks(&network, *page), [], "page {page}");
    }
    let other = network.join_page(disk);
    network.rest();
    assert_eq!(forks(&network, other), []);
}

#[test]
fn f5_what_a_page_discards_that_was_replaced_in_its_sleep_goes_too() {
    let (mut network, pages, _, id) = with_a_fork(2);
    network.freeze(pages[0]);
    network.lead(pages[1]);
    network.rest();
    network.devices[pages[0]].room.discard_fork(id);
    network.thaw(pages[0]);
    is_gone(network, &pages, pages[0]);
}

#[test]
fn f5_what_a_page_discards_goes_although_its_leader_dies_before_its_disk_has_answered() {
    for next in 1..3 {
        let (mut network, pages, _, id) = with_a_fork(3);
        network.devices[pages[0]].disk_answers = false;
        network.devices[pages[2]].room.discard_fork(id);
        network.rest();
        network.end_page(pages[0], false);
        network.lead(pages[next]);
        is_gone(network, &pages[1..], pages[0]);
    }
}

#[test]
fn f5_ten_thousand_pieces_that_a_page_discards_go_in_a_few_messages() {
    const PIECES: u64 = 10_000;
    let mut network = Network::new(0);
    let pages = network.join_pages(2);
    network.rest();
    let author = network.devices[pages[0]].room.replica();
    network.end_page(pages[0], true);
    for number in 0..PIECES {
        let document = StreamId::ydoc(u128::from(number).to_be_bytes());
        let record = ForkRecord {
            code: "directory.payload".into(),
            sentence: "this home is stricter".into(),
            time: Millis(0),
            part: ForkPart::Change,
            payload: wire::payload::encode_directory(&DirectoryOp::Remove { document }),
        };
        let key = stored::fork_key(&StreamId::DIRECTORY, &author, (1 << 62) + number);
        network.devices[pages[0]].disk.put(key, record.encode());
    }
    network.lead(pages[1]);
    network.rest();
    let page = network.join_page(pages[0]);
    network.rest();
    let id = forks(&network, page)[0].id;
    let (sent, commits) = (network.devices[page].sent.len(), network.devices[pages[1]].commits);
    network.devices[page].room.discard_fork(id);
    network.rest();
    let done = |message: &&Message| matches!(message, Message::Other(Body::AsideDone(_)));
    let messages = network.devices[page].sent[sent..].iter().filter(done).count();
    let commits = network.devices[pages[1]].commits - commits;
    assert!(messages <= 10 && commits <= 11, "{messages} messages, {commits} commits");
    is_gone(network, &[pages[1], page], pages[0]);
}
