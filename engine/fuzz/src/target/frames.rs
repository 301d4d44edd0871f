//! Frames, entries, and the judgement on entries.

use bytes::Bytes;
use causeway_core::ids::StreamId;
use causeway_core::log::{Entry, StreamLog, Verdict};
use causeway_core::wire::{self, Message};

use crate::pieces::Pieces;

/// The first byte says whether the rest is a row of frames or a row of entries.
pub(super) fn judge(input: &[u8]) -> usize {
    match input.split_first() {
        Some((first, rest)) if first % 2 == 0 => frames(rest),
        Some((_, rest)) => entries(rest),
        None => 0,
    }
}

fn frames(input: &[u8]) -> usize {
    let Ok(messages) = wire::decode(&Bytes::copy_from_slice(input)) else { return 0 };
    for message in &messages {
        let written = wire::encode(message);
        let again = wire::decode(&written).expect("what was read is written and read again");
        assert_eq!(again.as_slice(), std::slice::from_ref(message));
        if let Message::Entries(entries) = message {
            judged(entries);
        }
    }
    messages.len()
}

/// Takes each piece for an entry: a byte that says how long the header is, the header, the payload. The hash at the
/// header's end is mended, as chance never hits it.
fn entries(input: &[u8]) -> usize {
    let entries: Vec<Entry> = Pieces::of(input).filter_map(|(_, piece)| entry(piece)).collect();
    let frame = wire::encode_entries(&entries);
    assert_eq!(wire::decode(&frame), Ok(vec![Message::Entries(entries.clone())]));
    judged(&entries)
}

fn entry(piece: &[u8]) -> Option<Entry> {
    let (length, rest) = piece.split_first()?;
    // A longer header would take two bytes for its length; chance needs none.
    let length = (length & 0x7F) as usize;
    let (header, payload) = rest.split_at_checked(length)?;
    let mut bytes = vec![length as u8];
    bytes.extend_from_slice(header);
    let hash = *blake3::hash(payload).as_bytes();
    bytes.last_chunk_mut::<32>().filter(|_| length >= hash.len())?.copy_from_slice(&hash);
    bytes.extend_from_slice(payload);
    wire::entry::decode(bytes.into()).ok()
}

/// Lets the entries into the log of the first one's stream, as far as they may join.
fn judged(entries: &[Entry]) -> usize {
    let stream = entries.first().map_or(StreamId::DIRECTORY, |entry| entry.header().stream);
    let mut log = StreamLog::new(stream);
    let mut joined = 0;
    for entry in entries.iter().filter(|entry| entry.header().stream == stream) {
        match log.judge(entry) {
            Verdict::Fresh(accepted) => {
                log.extend(entry, accepted);
                assert_eq!(log.judge(entry), Verdict::Known, "sending twice is harmless");
                joined += 1;
            }
            Verdict::Waits(missing) => assert!(missing.iter().all(|missing| missing.from <= missing.to)),
            Verdict::Known | Verdict::Refused(_) => {}
        }
    }
    joined
}
