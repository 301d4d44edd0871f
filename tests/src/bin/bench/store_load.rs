//! What a home asks of its store for one entry: rows of the same number and size, with keys as in docs/protocol.md.

use causeway_core::storage::Commit;
use causeway_store::Space;

/// Bytes of an entry: header, and an update of a few keystrokes.
const ENTRY_BYTES: usize = 300;

/// The space of the room of this number.
pub(crate) fn room(number: u32) -> Space {
    Space::new(format!("room-{number:06}")).expect("a short name")
}

/// The commit of one entry: the entry, its place, the chain's tip and the count of arrivals.
pub(crate) fn entry(arrival: u64) -> Commit {
    let stream = [1; 17];
    let replica = [2; 32];
    let row = |kind: u8, parts: &[&[u8]], length: usize| {
        let mut value = vec![0; length];
        // No two values alike, as with real ones.
        blake3::Hasher::new().update(&arrival.to_be_bytes()).finalize_xof().fill(&mut value);
        ([&[kind], &stream[..], &parts.concat()[..]].concat(), value)
    };
    let number = arrival.to_be_bytes();
    let put = vec![
        row(b'e', &[&number], ENTRY_BYTES),
        row(b'n', &[&replica, &number], 17),
        row(b'c', &[&replica], 60),
        row(b'a', &[], 17),
    ];
    Commit { put, ..Commit::default() }
}

/// Takes away an entry that a snapshot covers.
pub(crate) fn cover(arrival: u64) -> Commit {
    let delete = entry(arrival).put.into_iter().take(2).map(|(key, _)| key).collect();
    Commit { delete, ..Commit::default() }
}

/// Bytes of keys and values that a commit writes.
pub(crate) fn bytes(commit: &Commit) -> usize {
    commit.put.iter().map(|(key, value)| key.len() + value.len()).sum()
}
