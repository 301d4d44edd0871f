//! What may stand on a disk: nothing before what it builds on, nothing twice.

use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{Entry, EntryName};
use causeway_core::snapshot::{Root, SignedRoot};
use causeway_core::storage::Commit;
use causeway_core::stored::{self, IndexRecord, TipRecord};
use causeway_core::wire::{Body, Message};

use crate::disk::Disk;

/// Rule 4, of a commit that was carried out: whatever its entries build on is there.
pub(crate) fn stored_too_early(disk: &Disk, commit: &Commit) -> Option<String> {
    let entries = commit.put.iter().filter_map(as_entry);
    entries.map(|(_, entry)| entry).find_map(|entry| {
        let header = entry.header();
        let before = (header.seq > 1).then(|| EntryName { replica: header.replica, seq: header.seq - 1 });
        let deps = header.deps.iter().map(|dep| EntryName { replica: dep.replica, seq: dep.seq });
        let missing = before
            .into_iter()
            .chain(deps)
            .find(|name| reach(disk, &header.stream, &name.replica) < name.seq)?;
        Some(format!("stores {entry:?} before {}/{}, which it builds on", missing.replica, missing.seq))
    })
}

/// Rule 1, of a commit that is to be carried out: an entry stands in one place.
pub(crate) fn stored_twice(disk: &Disk, commit: &Commit) -> Option<String> {
    let mut entries = commit.put.iter().filter_map(as_entry);
    entries.find_map(|(arrival, entry)| {
        let (stream, EntryName { replica, seq }) = (entry.header().stream, entry.name());
        let index = disk.row(&stored::index_key(&stream, &replica, seq));
        let index = index.and_then(|row| IndexRecord::decode(row).ok());
        let elsewhere = index.is_some_and(|index| index.arrival != arrival);
        let covered = || snapshot_of(disk, &stream).is_some_and(|root| root.covered(&replica) >= seq);
        (elsewhere || (index.is_none() && covered())).then(|| format!("stores {entry:?} a second time"))
    })
}

/// T2, of a frame to a page that follows: what it tells is on the disk, and work of this device that it calls kept survives
/// a power cut.
pub(crate) fn told_too_early(
    disk: &Disk,
    frame: &[Message],
    is_of_home: impl Fn(&StreamId, EntryName) -> bool,
) -> Option<String> {
    let visible = |key: &[u8]| disk.row(key).map(<[u8]>::to_vec);
    let durable = |key: &[u8]| disk.durable_row(key).map(<[u8]>::to_vec);
    frame.iter().find_map(|message| match message {
        Message::Entries(entries) => entries
            .iter()
            .find(|entry| !has_entry(visible, &entry.header().stream, entry.name()))
            .map(|entry| format!("passes on {entry:?}, which is not on its disk")),
        Message::Other(Body::Kept(kept)) => {
            let name = EntryName { replica: kept.replica, seq: kept.seq };
            // What others wrote the home has, also what a copy of this device's disk wrote under its name.
            let is_own =
                visible(&stored::replica_key(&name.replica)).is_some() && !is_of_home(&kept.stream, name);
            let stands = if is_own {
                has_entry(durable, &kept.stream, name)
            } else {
                has_entry(visible, &kept.stream, name)
            };
            (!stands).then(|| format!("says {kept:?}, and the power may take it"))
        }
        Message::Other(Body::Aside(aside)) => {
            let row = visible(&stored::fork_key(&aside.stream, &aside.replica, aside.seq));
            row.is_none().then(|| {
                format!("tells of a fork of {}/{}, which is not on its disk", aside.replica, aside.seq)
            })
        }
        Message::Other(Body::AsideKept(kept)) => {
            let row = durable(&stored::fork_key(&kept.stream, &kept.replica, kept.seq));
            row.is_none().then(|| format!("says {kept:?}, and the power may take it"))
        }
        Message::Other(_) => None,
    })
}

/// Rule 3: whether the power cannot take an entry. Where a snapshot covers it the home has it, so it has left before, and the
/// disk may let it go; a page that slept meanwhile does not know, and offers it once more.
pub(crate) fn survives(disk: &Disk, stream: &StreamId, name: EntryName) -> bool {
    has_entry(|key| disk.durable_row(key).map(<[u8]>::to_vec), stream, name)
}

/// The entry under a name that the power cannot take.
pub(crate) fn entry_that_survives(disk: &Disk, stream: &StreamId, name: EntryName) -> Option<Entry> {
    entry_of(|key| disk.durable_row(key), stream, name)
}

/// The entry under a name, of rows that are read by `row`.
pub(crate) fn entry_of<'a>(
    row: impl Fn(&[u8]) -> Option<&'a [u8]>,
    stream: &StreamId,
    name: EntryName,
) -> Option<Entry> {
    let index = row(&stored::index_key(stream, &name.replica, name.seq))?;
    let row = row(&stored::entry_key(stream, IndexRecord::decode(index).ok()?.arrival))?;
    stored::decode_entry(row.to_vec()).ok()
}

fn has_entry(row: impl Fn(&[u8]) -> Option<Vec<u8>>, stream: &StreamId, name: EntryName) -> bool {
    let covered = || {
        let root = row(&stored::snapshot_key(stream)).and_then(|row| SignedRoot::decode(&row).ok());
        root.is_some_and(|signed| signed.root.covered(&name.replica) >= name.seq)
    };
    row(&stored::index_key(stream, &name.replica, name.seq)).is_some() || covered()
}

pub(crate) fn as_entry((key, value): &(Vec<u8>, Vec<u8>)) -> Option<(u64, Entry)> {
    let (_, arrival) = (key.first() == Some(&b'e')).then(|| stored::parse_entry_key(key))??;
    Some((arrival, stored::decode_entry(value.clone()).ok()?))
}

fn reach(disk: &Disk, stream: &StreamId, replica: &ReplicaId) -> u64 {
    let tip = disk.row(&stored::tip_key(stream, replica)).and_then(|row| TipRecord::decode(row).ok());
    // A device knows the chains that its snapshot covers from there alone.
    let covered = snapshot_of(disk, stream).map_or(0, |root| root.covered(replica));
    tip.map_or(0, |tip| tip.seq).max(covered)
}

/// Whether a snapshot on a disk covers an entry.
pub(crate) fn covers(disk: &Disk, stream: &StreamId, name: EntryName) -> bool {
    snapshot_of(disk, stream).is_some_and(|root| root.covered(&name.replica) >= name.seq)
}

fn snapshot_of(disk: &Disk, stream: &StreamId) -> Option<Root> {
    disk.row(&stored::snapshot_key(stream))
        .and_then(|row| SignedRoot::decode(row).ok())
        .map(|signed| signed.root)
}
