//! The books: what was ever called saved, held against what the relay has.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{Digest, Entry, Head};
use causeway_core::snapshot::SignedRoot;
use causeway_core::wire::{Body, Message, snapshot};

use crate::Outcome;
use crate::socket::Socket;
use crate::writer::Writer;

/// Reads a room as a new device does, and holds all that its writers were told against it. Tells how many entries were
/// ever called saved there.
///
/// # Errors
/// An entry that was called saved is missing, or is not what was written.
pub(crate) async fn audit(to: SocketAddr, writers: &[Writer]) -> Outcome<u64> {
    let Some(room) = writers.first().map(Writer::room) else { return Ok(0) };
    let mut socket = Socket::open(to, None, room.as_str()).await?;
    socket.greet(room).await?;
    socket.subscribe(StreamId::DIRECTORY).await?;
    let (mut sent, mut chunks) = (Vec::new(), Vec::new());
    let synced = loop {
        match socket.next().await? {
            Message::Entries(entries) => sent.extend(entries.iter().map(Entry::detached)),
            Message::Other(Body::Chunk(chunk)) => chunks.extend(chunk.bytes),
            Message::Other(Body::Synced(synced)) => break synced,
            Message::Other(Body::Lost(lost)) => {
                return Err(format!("an entry is lost: {:?}", lost.name).into());
            }
            Message::Other(_) => {}
        }
    };
    let mut held = covered(&chunks)?;
    let mut chains: BTreeMap<ReplicaId, Vec<Entry>> = BTreeMap::new();
    for entry in sent {
        let name = entry.name();
        let (seq, head) = held.entry(name.replica).or_insert((0, Head::START));
        (*seq, *head) = (name.seq, head.next(&entry));
        chains.entry(name.replica).or_default().push(entry);
    }
    let all: Vec<(ReplicaId, u64, Head)> = held.iter().map(|(of, (seq, head))| (*of, *seq, *head)).collect();
    if Digest::of_chains(&all) != synced.digest {
        return Err(format!("room {room}: what came is not what the relay says it holds").into());
    }
    let mut saved = 0;
    for writer in writers {
        let replica = writer.identity().id();
        let entries = chains.remove(&replica).unwrap_or_default();
        let end = held.get(&replica).copied().unwrap_or((0, Head::START));
        check(writer, end, &entries, !chunks.is_empty())
            .map_err(|why| format!("room {room}, replica {replica:?}: {why}"))?;
        saved += writer.saved();
    }
    match chains.keys().next() {
        Some(stranger) => Err(format!("room {room} holds entries that nobody wrote, of {stranger:?}").into()),
        None => Ok(saved),
    }
}

/// Where the chains end in the snapshot that was sent, if one was.
fn covered(chunks: &[u8]) -> Outcome<BTreeMap<ReplicaId, (u64, Head)>> {
    if chunks.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (record, _) = snapshot::split(chunks).ok_or("half a snapshot was sent")?;
    let root = SignedRoot::decode(record).map_err(|_| "a snapshot without a root was sent")?.root;
    Ok(root.tips().map(|(replica, tip)| (replica, (tip.seq, tip.head))).collect())
}

/// One chain: it ends where it should, and what came of it is what was written, without a gap. Entries may be missing at
/// its beginning only if a snapshot was sent that covers them.
fn check(writer: &Writer, (end, head): (u64, Head), entries: &[Entry], snapshot: bool) -> Result<(), String> {
    let heads = writer.heads();
    let at = |seq: u64| usize::try_from(seq).ok().and_then(|at| heads.get(at));
    if end < writer.saved() {
        return Err(format!("entries up to {} were called saved and it holds {end}", writer.saved()));
    }
    if at(end) != Some(&head) {
        return Err(format!("at {end} it is not the chain that was written"));
    }
    let first = entries.first().map_or(end + 1, |entry| entry.header().seq);
    if first > 1 && !snapshot {
        return Err(format!("the first entry that came is {first}"));
    }
    for (seq, entry) in (first..).zip(entries) {
        let fits = at(seq - 1).zip(at(seq)).is_some_and(|(before, after)| before.next(entry) == *after);
        if entry.header().seq != seq || !fits {
            return Err(format!("where entry {seq} belongs stands another, or none"));
        }
    }
    let reached = first + entries.len() as u64 - 1;
    if reached == end { Ok(()) } else { Err(format!("of {end} entries only those up to {reached} came")) }
}
