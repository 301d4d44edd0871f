//! Entries as a device that is not ours might make them.

use bytes::Bytes;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{Dep, Entry, EntryKind, Header};
use causeway_core::stored;
use causeway_core::time::Millis;
use causeway_core::wire::{self, Message};
use causeway_core::ydoc::Document;
use causeway_tests::network::Network;

/// An entry without dependencies.
pub(crate) fn entry(
    stream: StreamId,
    replica: ReplicaId,
    place: (u64, u64),
    kind: EntryKind,
    payload: &[u8],
) -> Entry {
    build(stream, replica, place, kind, Vec::new(), payload)
}

/// An edit that builds on something.
pub(crate) fn edit_upon(
    stream: StreamId,
    replica: ReplicaId,
    place: (u64, u64),
    dep: Dep,
    payload: &[u8],
) -> Entry {
    build(stream, replica, place, EntryKind::Edit, vec![dep], payload)
}

fn build(
    stream: StreamId,
    replica: ReplicaId,
    (seq, logical): (u64, u64),
    kind: EntryKind,
    deps: Vec<Dep>,
    payload: &[u8],
) -> Entry {
    let header = Header {
        stream,
        replica,
        seq,
        deps,
        logical,
        time: Millis(0),
        kind,
        target: None,
        key_epoch: 0,
        payload_hash: [0; 32],
    };
    wire::entry::build(header, payload)
}

/// The next entry of a device's replica, with words its room has never heard of.
pub(crate) fn forged(network: &Network, device: usize, stream: StreamId, words: &str) -> Entry {
    let device = &network.devices[device];
    let replica = device.room.replica();
    let held: Vec<Entry> = device
        .disk
        .rows_of(b'e')
        .filter_map(|(_, value)| stored::decode_entry(value.to_vec()).ok())
        .collect();
    let own: Vec<&Entry> = held.iter().filter(|entry| entry.header().replica == replica).collect();
    let mut document = Document::new(replica.client());
    let updates = own.iter().filter(|entry| entry.header().kind == EntryKind::Edit);
    let updates: Vec<&[u8]> = updates.map(|entry| entry.payload()).collect();
    document.load(&updates).expect("our own entries");
    let (_, edited) = document.edit(None, Millis(0), |edit| edit.insert(0, words));
    let last = own.last().expect("the device has written").header();
    let update = edited.expect("words were put in").update;
    entry(stream, replica, (last.seq + 1, last.logical + 1), EntryKind::Edit, &update)
}

pub(crate) fn frame(entry: &Entry) -> Bytes {
    wire::encode_entries([entry])
}

/// How many entries of a stream stand in these messages.
pub(crate) fn entries_in<'a>(messages: impl IntoIterator<Item = &'a Message>, stream: StreamId) -> usize {
    let frames = messages.into_iter().filter_map(|message| match message {
        Message::Entries(entries) => Some(entries),
        Message::Other(_) => None,
    });
    frames.flatten().filter(|entry| entry.header().stream == stream).count()
}
