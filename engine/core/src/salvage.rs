//! What a disk still has of a room, put together to a room again.
//!
//! A damaged disk leaves rows that were written at one time or another: the newest, older ones of the same key, none. What
//! was derived (indexes, tips, counts) may belong to another moment than the entries beside it. So only what proves itself is
//! believed: entries, by their chains; segments of the archive; a snapshot whose pages are those it names. They are judged
//! anew, as they were when they arrived, and everything derived is made from them. Rows of a sound room come out as they
//! went in.

mod history;
mod joining;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::home::read_page;
use crate::ids::{ReplicaId, StreamId};
use crate::log::{Entry, EntryName, Head, SignedHead, StreamLog};
use crate::snapshot::SignedRoot;
use crate::stored::{
    self, HOME_KEY, IndexRecord, META, MetaRecord, Prefix, QuarantineRecord, ReplicaRecord, StreamRecord,
    TipRecord, Tombstone,
};
use joining::{Joined, Told, join};

/// Every value that was found under a key, the likeliest first. None: there was a row, and nothing of it can be read.
pub type Found = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

/// A room as far as it could be put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Its rows.
    pub rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What is known to have been there and is not.
    pub lost: Vec<Loss>,
}

/// Something that could not be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Entries of a chain: not found, or built on what is not found.
    Entries {
        /// The stream.
        stream: StreamId,
        /// The chain.
        replica: ReplicaId,
        /// The first.
        from: u64,
        /// The last that is known to have been there.
        to: u64,
    },
    /// Entries that the snapshot covers, by their places in the order of arrival. What they have made is in the snapshot; no
    /// device brings them again.
    Archive {
        /// The stream.
        stream: StreamId,
        /// The place of the first.
        from: u64,
        /// The place behind the last.
        end: u64,
    },
    /// The snapshot.
    Snapshot {
        /// The stream.
        stream: StreamId,
    },
    /// The key that signs snapshots; the home makes another.
    Key,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entries { stream, replica, from, to } => {
                write!(f, "{stream}: of replica {replica:?} the entries {from} to {to}")
            }
            Self::Archive { stream, from, end } => {
                write!(f, "{stream}: history in the archive, arrivals {from} to {}", end - 1)
            }
            Self::Snapshot { stream } => write!(f, "{stream}: the snapshot"),
            Self::Key => f.write_str("the key that signs snapshots; another is made"),
        }
    }
}

/// Puts a room together from what was found.
#[must_use]
pub fn put_together(found: &Found) -> Salvaged {
    let mut salvaged = Salvaged::default();
    let epochs = values(found, META).filter(|value| MetaRecord::decode(value).is_ok());
    let newest = epochs.max_by_key(|value| MetaRecord::decode(value).map_or(0, |meta| meta.epoch));
    salvaged.rows.extend(newest.map(|value| (META.to_vec(), value.clone())));
    let key = values(found, HOME_KEY).find(|value| ReplicaRecord::decode(value).is_ok());
    if key.is_none() && found.contains_key(HOME_KEY) {
        salvaged.lost.push(Loss::Key);
    }
    salvaged.rows.extend(key.map(|value| (HOME_KEY.to_vec(), value.clone())));
    let streams: BTreeSet<StreamId> = found.keys().filter_map(|key| stored::stream_of(key)).collect();
    for stream in streams {
        Remains { found, stream }.put_together(&mut salvaged);
    }
    salvaged
}

fn values<'a>(found: &'a Found, key: &[u8]) -> impl Iterator<Item = &'a Vec<u8>> + use<'a> {
    found.get(key).into_iter().flatten()
}

/// What was found of one stream.
struct Remains<'a> {
    found: &'a Found,
    stream: StreamId,
}

/// A snapshot and the rows it consists of.
struct Base {
    signed: SignedRoot,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Remains<'_> {
    fn put_together(&self, salvaged: &mut Salvaged) {
        let tombstone = stored::tombstone_key(&self.stream);
        if self.found.contains_key(&tombstone) {
            // Also one that cannot be read says that the stream is gone: nobody may bring it back.
            let unread = || Tombstone { logical: 0, head: [0; 16] }.encode();
            let value = values(self.found, &tombstone).find(|value| !value.is_empty()).cloned();
            salvaged.rows.insert(tombstone, value.unwrap_or_else(unread));
            salvaged.rows.extend(self.record());
            return;
        }
        let quarantine = stored::quarantine_key(&self.stream);
        let whole = values(self.found, &quarantine).find(|row| QuarantineRecord::decode(row).is_ok());
        salvaged.rows.extend(whole.map(|row| (quarantine, row.clone())));
        let base = self.base();
        if base.is_none() && self.found.contains_key(&stored::snapshot_key(&self.stream)) {
            salvaged.lost.push(Loss::Snapshot { stream: self.stream });
        }
        let (mut log, first, before) = match &base {
            Some(Base { signed, .. }) => (signed.root.log(), signed.root.arrivals, signed.root.bytes),
            None => (StreamLog::new(self.stream), 0, 0),
        };
        let mut pool = self.archived(first, salvaged);
        pool.extend(self.entries());
        let Joined { entries: tail, left } = join(&mut log, pool, &self.told());
        let bytes = before + tail.iter().map(|(entry, _)| entry.bytes().len() as u64).sum::<u64>();
        self.losses(&log, &left, salvaged);
        if let Some(base) = base {
            salvaged.rows.extend(base.rows);
        } else if tail.is_empty() {
            return;
        }
        let arrivals = first + tail.len() as u64;
        let record = StreamRecord { arrivals, bytes };
        salvaged.rows.insert(stored::stream_key(&self.stream), record.encode());
        salvaged.rows.extend(self.tail_rows(first, &tail));
        salvaged.rows.extend(self.vouched(&log));
        for (replica, tip) in log.tips() {
            let tip = TipRecord::from(tip).encode();
            salvaged.rows.insert(stored::tip_key(&self.stream, &replica), tip);
        }
    }

    /// The newest snapshot that is whole.
    fn base(&self) -> Option<Base> {
        let key = stored::snapshot_key(&self.stream);
        let roots = values(self.found, &key).filter_map(|record| {
            let signed = SignedRoot::decode(record).ok()?;
            let pages = signed.root.pages.iter().map(|page| {
                let key = stored::page_key(&self.stream, page);
                let row = values(self.found, &key).find(|row| read_page(page, row).is_some())?.clone();
                Some((key, row))
            });
            let mut rows = pages.collect::<Option<Vec<_>>>()?;
            rows.push((key.clone(), record.clone()));
            (signed.root.stream == self.stream).then_some(Base { signed, rows })
        });
        roots.max_by_key(|base| base.signed.root.arrivals)
    }

    fn entries(&self) -> impl Iterator<Item = (u64, Entry)> {
        self.rows(Prefix::Entry).flat_map(|(key, rows)| {
            let arrival = stored::parse_entry_key(key).map(|(_, arrival)| arrival);
            let entries = rows.iter().filter_map(|row| stored::decode_entry(row.clone()).ok());
            let of_it = entries.filter(|entry| entry.header().stream == self.stream);
            of_it.filter_map(move |entry| Some((arrival?, entry)))
        })
    }

    fn tail_rows(&self, first: u64, tail: &[(Entry, Head)]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut rows = Vec::new();
        for (arrival, (entry, head)) in (first..).zip(tail) {
            let name = entry.name();
            let index = IndexRecord { arrival, head: *head };
            rows.push((stored::entry_key(&self.stream, arrival), stored::encode_entry(entry)));
            rows.push((stored::index_key(&self.stream, &name.replica, name.seq), index.encode()));
        }
        rows
    }

    /// The heads that tips and indexes tell of.
    fn told(&self) -> Told {
        let mut told = Told::default();
        for (replica, tip) in self.tips() {
            told.note(replica, tip.seq, tip.head);
        }
        for (key, rows) in self.rows(Prefix::Index) {
            let Some((_, replica, seq)) = stored::parse_index_key(key) else { continue };
            for index in rows.iter().filter_map(|row| IndexRecord::decode(row).ok()) {
                told.note(replica, seq, index.head);
            }
        }
        told
    }

    fn tips(&self) -> impl Iterator<Item = (ReplicaId, TipRecord)> {
        self.rows(Prefix::Tip).flat_map(|(key, rows)| {
            let replica = stored::parse_tip_key(key).map(|(_, replica)| replica);
            let tips = rows.iter().filter_map(|row| TipRecord::decode(row).ok());
            tips.filter_map(move |tip| Some((replica?, tip)))
        })
    }

    /// Entries that tips and indexes tell of, or that were found, and that did not join.
    fn losses(&self, log: &StreamLog, left: &[EntryName], salvaged: &mut Salvaged) {
        let mut known: BTreeMap<ReplicaId, u64> = BTreeMap::new();
        let indexed = self.rows(Prefix::Index).filter_map(|(key, _)| stored::parse_index_key(key));
        let told = self.tips().map(|(replica, tip)| (replica, tip.seq));
        let told = told.chain(indexed.map(|(_, replica, seq)| (replica, seq)));
        for (replica, seq) in told.chain(left.iter().map(|name| (name.replica, name.seq))) {
            let most = known.entry(replica).or_default();
            *most = (*most).max(seq);
        }
        for (replica, to) in known {
            let from = log.tip(&replica).seq + 1;
            if from <= to {
                salvaged.lost.push(Loss::Entries { stream: self.stream, replica, from, to });
            }
        }
    }

    /// Signed heads of what has joined: a home that is shown them checks them.
    fn vouched(&self, log: &StreamLog) -> Vec<(Vec<u8>, Vec<u8>)> {
        let whole = |key: &[u8], row: &[u8]| {
            SignedHead::decode(row).is_ok_and(|SignedHead { stream, name, .. }| {
                key == stored::vouched_key(&stream, &name.replica) && log.tip(&name.replica).seq >= name.seq
            })
        };
        let rows = self.rows(Prefix::Vouched);
        let found = |(key, rows): (&Vec<u8>, &Vec<Vec<u8>>)| {
            Some((key.clone(), rows.iter().find(|row| whole(key, row))?.clone()))
        };
        rows.filter_map(found).collect()
    }

    /// The count of arrivals as it was found.
    fn record(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let key = stored::stream_key(&self.stream);
        let row = values(self.found, &key).find(|row| StreamRecord::decode(row).is_ok())?.clone();
        Some((key, row))
    }

    fn rows(&self, prefix: Prefix) -> impl Iterator<Item = (&Vec<u8>, &Vec<Vec<u8>>)> {
        let prefix = stored::stream_prefix(prefix, &self.stream);
        self.found.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix))
    }
}
