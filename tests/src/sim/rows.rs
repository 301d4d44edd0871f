//! What may stand on a disk: nothing before what it builds on, nothing twice.

use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{Entry, EntryName};
use causeway_core::snapshot::{Root, SignedRoot};
use causeway_core::storage::Commit;
use causeway_core::stored::{self, IndexRecord, TipRecord};

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

fn as_entry((key, value): &(Vec<u8>, Vec<u8>)) -> Option<(u64, Entry)> {
    let (_, arrival) = (key.first() == Some(&b'e')).then(|| stored::parse_entry_key(key))??;
    Some((arrival, stored::decode_entry(value.clone()).ok()?))
}

fn reach(disk: &Disk, stream: &StreamId, replica: &ReplicaId) -> u64 {
    let tip = disk.row(&stored::tip_key(stream, replica)).and_then(|row| TipRecord::decode(row).ok());
    // A device knows the chains that its snapshot covers from there alone.
    let covered = snapshot_of(disk, stream).map_or(0, |root| root.covered(replica));
    tip.map_or(0, |tip| tip.seq).max(covered)
}

fn snapshot_of(disk: &Disk, stream: &StreamId) -> Option<Root> {
    disk.row(&stored::snapshot_key(stream))
        .and_then(|row| SignedRoot::decode(row).ok())
        .map(|signed| signed.root)
}
