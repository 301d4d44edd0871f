//! What a device is away for while somebody's dearest changes come in: in steps, and all at once.

use std::error::Error;
use std::time::Duration;

use causeway_core::device::Why;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{Entry, EntryKind, Header};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Message};
use causeway_core::ydoc::Document;
use causeway_guard::Limits;
use causeway_tests::network::Network;

use crate::guard::worst::{PREPARED, crowded};
use crate::stopwatch::Stopwatch;
use crate::table::Table;

/// Entries that come in one frame.
const DEAR: u32 = 24;

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let jumps = Limits::default().jumps;
    let [earlier, later] = authors();
    let (mut network, text) = Network::with_document(1);
    let prepared = entries(text, earlier, PREPARED / jumps, true);
    prepared.chunks(16).for_each(|few| _ = take(&mut network, few));
    if network.text(0, text).len() != PREPARED as usize {
        return Err("the text was not prepared".into());
    }
    let dear = entries(text, later, DEAR, false);
    let steps = take(&mut network, &dear);
    if network.text(0, text).len() != (PREPARED + DEAR * jumps) as usize {
        return Err("the dear changes did not come in".into());
    }
    let mut document = Document::new(1);
    document.load(&edits(&prepared))?;
    let began = Stopwatch::start();
    document.load(&edits(&dear))?;
    let whole = began.read();
    let seconds = |span: Duration| format!("{:.2} s", span.as_secs_f64());
    let longest = steps.iter().max().copied().unwrap_or_default();
    let all = steps.iter().sum();
    let row = |what: &str, count: usize, longest, all| {
        vec![what.into(), count.to_string(), seconds(longest), seconds(all)]
    };
    Ok(Table {
        title: "Somebody's dearest changes on a device",
        how: format!(
            "A frame of {DEAR} entries, each of which begins anew at {jumps} places behind {PREPARED} pieces of another author, \
             handed to a device that has the text open. Between two steps it hears everything else. Processor time of the \
             thread (on Linux)."
        ),
        heads: &["what", "steps", "longest", "all"],
        rows: vec![
            row("a device's room, in steps", steps.len(), longest, all),
            row("the same text, all at once", 1, whole, whole),
        ],
        verdict: "No bar. A step takes what would cost a second if all its places did what they can, and one entry at least; \
                  a text of ten times as many pieces makes an entry ten times as dear."
            .into(),
    })
}

/// How long the device was away, each time.
fn take(network: &mut Network, entries: &[Entry]) -> Vec<Duration> {
    let began = Stopwatch::start();
    network.hand_to_device(0, &Message::Entries(entries.to_vec()));
    let mut steps = vec![began.read()];
    while network.devices[0].room.poll_timeout().is_some_and(|(_, why)| why == Why::Text) {
        let began = Stopwatch::start();
        network.tick(0);
        steps.push(began.read());
    }
    steps
}

/// Two authors; yrs walks past what the first wrote to find a place for what the second did.
fn authors() -> [ReplicaId; 2] {
    let mut authors = [ReplicaId::of_key(&[1; 32]), ReplicaId::of_key(&[2; 32])];
    authors.sort_by_key(ReplicaId::client);
    authors
}

/// So many entries of an author's chain, each full of blocks without neighbours.
fn entries(stream: StreamId, replica: ReplicaId, count: u32, creates: bool) -> Vec<Entry> {
    let jumps = Limits::default().jumps;
    let edit = |entry| (EntryKind::Edit, crowded(replica.client(), entry * jumps, jumps).update);
    let create = creates.then(|| (EntryKind::Create, Vec::new()));
    let contents = create.into_iter().chain((0..count).map(edit));
    let numbered = (1..).zip(contents).map(|(seq, (kind, payload))| {
        let header = Header {
            stream,
            replica,
            seq,
            deps: Vec::new(),
            logical: seq,
            time: Millis(0),
            kind,
            target: None,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        wire::entry::build(header, &payload)
    });
    numbered.collect()
}

fn edits(entries: &[Entry]) -> Vec<&[u8]> {
    let edits = entries.iter().filter(|entry| entry.header().kind == EntryKind::Edit);
    edits.map(Entry::payload).collect()
}
