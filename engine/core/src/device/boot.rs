//! From nothing to a room that can be written in: take the disk over, then read what dead pages left behind.

use crate::device::event::Storage;
use crate::device::fork::FORK_EDITS;
use crate::device::heads::Heads;
use crate::device::load::Reading;
use crate::device::stream::{Own, Stream};
use crate::device::{Event, Output, Room, failing, fresh_op};
use crate::ids::{ReplicaId, StreamId};
use crate::limits::{SCAN_BYTES, SCAN_ROWS, STORE_RETRY};
use crate::log::SignedHead;
use crate::replica::Identity;
use crate::sorted::{SortedMap, SortedSet};
use crate::storage::{Commit, CommitError, Durability, Expect, Page, Scan, StoreFailure};
use crate::stored::{self, Damage, ForkRecord, META, MetaRecord, OWNER, Prefix, ReplicaRecord, TipRecord};
use crate::time::Now;
use crate::wire::Aside;
use crate::write_queue::OpId;

/// How far the start has come.
#[derive(Debug)]
pub(super) struct Boot {
    stage: Stage,
    left: Vec<(Vec<u8>, Vec<u8>)>,
    owner_before: Option<Vec<u8>>,
    /// Marks as read, in the order of their keys.
    tips: Vec<(Mark, u64)>,
    saved: Vec<(Mark, u64)>,
    closed: Vec<(Mark, u64)>,
    pub(super) leftovers: Vec<Mark>,
}

/// What a mark on the disk is about.
type Mark = (StreamId, ReplicaId);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Owner,
    Claiming(OpId),
    Rows,
    Done,
}

impl Boot {
    pub(super) fn start() -> Self {
        Self {
            stage: Stage::Owner,
            left: vec![(OWNER.to_vec(), [OWNER, &[0]].concat())],
            owner_before: None,
            tips: Vec::new(),
            saved: Vec::new(),
            closed: Vec::new(),
            leftovers: Vec::new(),
        }
    }

    fn saved_upto(&self, mark: &Mark) -> u64 {
        self.saved.binary_search_by_key(mark, |(of, _)| *of).map_or(0, |at| self.saved[at].1)
    }

    /// How far a chain went when the disk was taken over. Nothing of one that was refused.
    pub(super) fn tip(&self, stream: StreamId, replica: ReplicaId) -> u64 {
        let at = self.tips.binary_search_by_key(&(stream, replica), |(of, _)| *of);
        at.map_or(0, |at| self.tips[at].1)
    }

    /// Nothing is written before the disk is ours and its marks are read.
    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// A home in a new epoch may have lost what it called saved: answers the chains of ours that were here at the start.
    pub(super) fn doubt_saved(
        &mut self,
        identities: &SortedMap<ReplicaId, Identity>,
    ) -> Vec<(StreamId, ReplicaId)> {
        let own: Vec<_> = self
            .tips
            .iter()
            .map(|(mark, _)| *mark)
            .filter(|(_, replica)| identities.contains_key(replica))
            .collect();
        self.saved.retain(|(mark, _)| !identities.contains_key(&mark.1));
        own
    }
}

impl Room {
    pub(super) fn boot_next(&mut self) {
        match self.boot.left.last().cloned() {
            Some((start, end)) => {
                let scan = Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS };
                self.scan(scan, Reading::Boot);
            }
            None if self.boot.stage == Stage::Owner => self.claim(),
            None => self.finish_boot(),
        }
    }

    pub(super) fn handle_boot_page(&mut self, result: Result<Page, StoreFailure>, now: Now) {
        let page = match result {
            Ok(page) => page,
            Err(failure) => return self.fail_boot(&failure, now),
        };
        for (key, value) in &page.rows {
            if self.boot_row(key, value).is_err() {
                // A damaged mark or name costs a repetition, not the room: the home has what was saved.
                self.events.damaged(StreamId::DIRECTORY, "store.record");
            }
        }
        for _ in &page.damaged {
            self.events.damaged(StreamId::DIRECTORY, "store.record");
        }
        match page.more {
            Some(start) => self.boot.left.last_mut().expect("a page belongs to a range").0 = start,
            None => {
                self.boot.left.pop();
            }
        }
        self.boot_next();
        self.greet_siblings(now);
    }

    /// Rule 3: the next page takes over in one transaction what a dead one left; a page that was only asleep finds out
    /// at its next write and takes a new name.
    fn claim(&mut self) {
        let mine = self.entropy.bytes::<16>().to_vec();
        let expect = vec![Expect { key: OWNER.to_vec(), value: self.boot.owner_before.clone() }];
        let put = vec![(OWNER.to_vec(), mine.clone())];
        self.queue.set_fence(Expect { key: OWNER.to_vec(), value: Some(mine) });
        let op = fresh_op(&mut self.next_op);
        self.boot.stage = Stage::Claiming(op);
        let commit = Commit { expect, put, durability: Durability::Strict, ..Commit::default() };
        self.outputs.push_back(Output::Commit(op, commit));
    }

    /// Whether the answer belonged to the claim.
    pub(super) fn handle_claimed(&mut self, op: OpId, result: &Result<(), CommitError>, now: Now) -> bool {
        if self.boot.stage != Stage::Claiming(op) {
            return false;
        }
        match result {
            Ok(()) => {
                self.boot.stage = Stage::Rows;
                let kinds = [
                    Prefix::Tip,
                    Prefix::Saved,
                    Prefix::Journal,
                    Prefix::Fork,
                    Prefix::Replica,
                    Prefix::Vouched,
                ];
                let meta = (META.to_vec(), [META, &[0]].concat());
                self.heads = Heads::default();
                self.boot.left = kinds.into_iter().map(Prefix::range).chain([meta]).collect();
                self.boot_next();
            }
            // Two pages wanted to lead at once, and the other was first.
            Err(CommitError::Conflict { .. }) => self.step_down(now),
            Err(CommitError::Failed(failure)) => self.fail_boot(failure, now),
        }
        true
    }

    fn fail_boot(&mut self, failure: &StoreFailure, now: Now) {
        self.set_storage(failing(failure));
        self.boot = Boot::start();
        self.disk_retry_at = Some(now.monotonic.after(STORE_RETRY));
    }

    fn boot_row(&mut self, key: &[u8], value: &[u8]) -> Result<(), Damage> {
        match key.first() {
            Some(b'o') => self.boot.owner_before = Some(value.to_vec()),
            Some(b'm') => self.epoch = MetaRecord::decode(value)?.epoch,
            Some(b'c') => {
                let name = stored::parse_tip_key(key).ok_or(Damage::Body)?;
                self.boot.tips.push((name, TipRecord::decode(value)?.seq));
            }
            Some(b's') => {
                let name = stored::parse_saved_key(key).ok_or(Damage::Body)?;
                self.boot.saved.push((name, stored::decode_number(value)?));
            }
            Some(b'j') => {
                let (stream, replica, _) = stored::parse_journal_key(key).ok_or(Damage::Body)?;
                if self.boot.leftovers.last() != Some(&(stream, replica)) {
                    self.boot.leftovers.push((stream, replica));
                }
            }
            Some(b'f') => {
                let (stream, replica, seq) = stored::parse_fork_key(key).ok_or(Damage::Body)?;
                // The first piece of a fork has the least number; what never was an entry closes nothing.
                if seq < FORK_EDITS
                    && self.boot.closed.last().is_none_or(|(mark, _)| *mark != (stream, replica))
                {
                    self.boot.closed.push(((stream, replica), seq));
                }
                let aside = Aside { stream, replica, seq, record: ForkRecord::decode(value)? };
                self.forks.hold(aside, true);
                self.tell_forks(stream);
            }
            // One that cannot be read comes again with the chain's next.
            Some(b'v') => SignedHead::decode(value).into_iter().for_each(|signed| self.heads.load(signed)),
            Some(b'r') => {
                let identity = Identity::from_secret(&ReplicaRecord::decode(value)?.secret);
                self.identities.insert(identity.id(), identity);
            }
            _ => return Err(Damage::Body),
        }
        Ok(())
    }

    fn finish_boot(&mut self) {
        self.boot.stage = Stage::Done;
        self.set_storage(Storage::Working);
        self.forget_done();
        let unsaved =
            self.boot.tips.iter().filter(|(name, seq)| {
                self.identities.contains_key(&name.1) && self.boot.saved_upto(name) < *seq
            });
        let mut streams = SortedSet::new();
        streams.extend(unsaved.map(|((stream, _), _)| *stream));
        streams.extend(self.boot.leftovers.iter().map(|(stream, _)| *stream));
        streams.extend(self.wanted.iter().copied());
        streams.insert(StreamId::DIRECTORY);
        streams.extend(self.streams.keys().copied());
        for stream in streams {
            self.mark_opened(stream);
            self.load_stream(stream);
        }
        self.meet_epoch(false);
    }

    /// A stream the app opened before the disk's marks were read.
    fn mark_opened(&mut self, id: StreamId) {
        if self.streams.contains_key(&id) {
            let marked = self.new_stream(id);
            if let Some(stream) = self.streams.get_mut(&id) {
                (stream.closed, stream.saved) = (marked.closed, marked.saved);
                stream.own = Own::Unread;
                if let Some(open) = stream.channel_mut() {
                    open.channel.show_anew();
                    self.events.push(Event::Channel(id));
                }
            }
        }
    }

    /// A stream as the disk's marks know it, before its entries are read.
    pub(super) fn new_stream(&self, id: StreamId) -> Stream {
        let mut stream = Stream::new(id);
        let closed = self.boot.closed.iter().filter(|(name, _)| name.0 == id);
        stream.closed.extend(closed.map(|((_, replica), from)| (*replica, *from)));
        let saved = self.boot.saved.iter().filter(|(name, _)| name.0 == id);
        stream.saved.extend(saved.map(|((_, replica), seq)| (*replica, *seq)));
        stream
    }
}
