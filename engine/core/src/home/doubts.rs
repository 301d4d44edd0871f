//! Entries that are brought again and are older than the memory of their chain, which after a start is that of its newest
//! alone. What stands under their names is read from the disk before anything is said of them, and until then nothing behind
//! them is taken: a number says nothing about the words under it, and where they are another copy's the chain must not go on
//! with this one's (rule 12).
//!
//! Above the snapshot the index has the head at each entry; below it the entries themselves are read from the archive. One read is
//! under way for a room, and its chains take turns.

use std::collections::{BTreeMap, VecDeque};

use crate::home::Home;
use crate::home::append::Appended;
use crate::home::archive::{look_up, segment};
use crate::home::jobs::Work;
use crate::home::reading::Reading;
use crate::home::stream::HomeStream;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{LINK_PARK_BYTES, PARK_ENTRIES, ROOM_PARK_BYTES, SCAN_BYTES, SCAN_ROWS};
use crate::log::{Entry, EntryName, Head, Refusal};
use crate::snapshot::{Done, Job, JobError, SignedRoot};
use crate::storage::{Durability, Page, Scan, StoreFailure};
use crate::stored::{self, IndexRecord};
use crate::time::Now;

/// A chain of a stream.
pub(super) type ChainOf = (StreamId, ReplicaId);

/// The chains of a room that are in doubt.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    chains: BTreeMap<ChainOf, Doubt>,
    /// Those with something to compare, in turn.
    waiting: VecDeque<ChainOf>,
    /// The one that is being read for.
    at_work: Option<ChainOf>,
}

/// A chain of which older entries were brought again.
#[derive(Debug)]
struct Doubt {
    conn: ConnId,
    /// What was brought, from the first that is not compared yet.
    held: VecDeque<Entry>,
    /// Heads of the chain, as far as they were read.
    heads: BTreeMap<u64, Head>,
    /// The last that was found to be what stands here.
    same: Option<u64>,
    /// This one could not wait. Nothing behind it is taken before it has come again.
    put_off: Option<u64>,
}

/// Where it is read what stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Heads above the snapshot.
    Index,
    /// The heads at which the snapshot ends.
    Root,
    /// Where in the archive an entry is.
    Place,
    /// The segment there.
    Segment,
}

impl Doubt {
    fn new(conn: ConnId) -> Self {
        Self { conn, held: VecDeque::new(), heads: BTreeMap::new(), same: None, put_off: None }
    }

    /// Whether an entry is the one the chain has there; `None` until its heads are read.
    fn is_same(&self, entry: &Entry) -> Option<bool> {
        let seq = entry.name().seq;
        let before = if seq == 1 { Head::START } else { *self.heads.get(&(seq - 1))? };
        Some(before.next(entry) == *self.heads.get(&seq)?)
    }
}

impl HomeStream {
    /// Whether the chain reaches as far and remembers no more what stands there.
    fn is_older(&self, name: &EntryName) -> bool {
        !self.log.is_gone() && name.seq <= self.log.tip(&name.replica).seq && !self.log.remembers(name)
    }
}

impl Home {
    /// Keeps back what has to be compared first, and what comes behind that. Answers an entry that can be judged now.
    pub(super) fn keep_back(&mut self, conn: ConnId, entry: Entry) -> Option<Entry> {
        let (chain, seq) = (chain_of(&entry), entry.name().seq);
        let is_older = self.streams.get(&chain.0).is_some_and(|state| state.is_older(&entry.name()));
        if !is_older && self.doubts.chains.is_empty() {
            return Some(entry);
        }
        if self.doubts.chains.get(&chain).is_some_and(|doubt| doubt.conn != conn) {
            if !self.is_writer(conn, &chain.1) {
                // It has waited here while another link of its device took over.
                return None;
            }
            self.drop_doubt(&chain);
        }
        let put_off = match self.doubts.chains.get(&chain) {
            Some(doubt) if !doubt.held.is_empty() => Some(0),
            Some(doubt) => doubt.put_off,
            None => None,
        };
        if !is_older && put_off.is_none_or(|first| seq <= first) {
            if put_off == Some(seq) {
                self.doubts.chains.remove(&chain);
            }
            return Some(entry);
        }
        self.hold(conn, chain, &entry);
        None
    }

    fn hold(&mut self, conn: ConnId, chain: ChainOf, entry: &Entry) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let (seq, size) = (entry.name().seq, entry.bytes().len());
        let doubt = self.doubts.chains.entry(chain).or_insert_with(|| Doubt::new(conn));
        let full = doubt.held.len() >= PARK_ENTRIES
            || link.waiting_bytes + size > LINK_PARK_BYTES
            || self.waiting_bytes + size > ROOM_PARK_BYTES;
        if full || doubt.put_off.is_some_and(|first| seq > first) {
            doubt.put_off = Some(doubt.put_off.map_or(seq, |first| first.min(seq)));
            return self.answer_later(conn, entry);
        }
        if doubt.put_off == Some(seq) {
            doubt.put_off = None;
        }
        link.waiting_bytes += size;
        self.waiting_bytes += size;
        doubt.held.push_back(entry.detached());
        if doubt.held.len() == 1 {
            self.doubts.waiting.push_back(chain);
            self.next_doubt();
        }
    }

    /// Goes on with the next chain, unless something is being read.
    fn next_doubt(&mut self) {
        while self.doubts.at_work.is_none() {
            let Some(chain) = self.doubts.waiting.pop_front() else { return };
            self.compare_doubted(chain);
        }
    }

    /// What was read for the chain at work is taken note of: it waits for its next turn.
    fn end_turn(&mut self, chain: ChainOf) {
        self.doubts.at_work = None;
        self.doubts.waiting.push_back(chain);
        self.next_doubt();
    }

    /// Compares as far as what was read reaches, and reads on.
    fn compare_doubted(&mut self, chain: ChainOf) {
        while let Some(doubt) = self.doubts.chains.get(&chain) {
            let Some(entry) = doubt.held.front() else { return self.end_doubt(chain) };
            let state = self.streams.get(&chain.0);
            if !state.is_some_and(|state| state.is_older(&entry.name())) {
                return self.end_doubt(chain);
            }
            match doubt.is_same(entry) {
                Some(true) => self.pass(chain),
                Some(false) => return self.deny(chain),
                None => return self.read_doubted(chain),
            }
        }
    }

    /// Reads what is missing to compare the next entry.
    fn read_doubted(&mut self, chain: ChainOf) {
        let Some(doubt) = self.doubts.chains.get_mut(&chain) else { return };
        let Some(seq) = doubt.held.front().map(|entry| entry.name().seq) else { return };
        let Some(state) = self.streams.get(&chain.0) else { return };
        let ((stream, replica), covered) = (chain, state.covered(&chain.1));
        self.doubts.at_work = Some(chain);
        if seq > state.durable_seq(&replica) {
            // It is on its way there.
            return self.queue.tag(Appended::Doubted(stream, replica), Durability::Strict);
        }
        doubt.heads.retain(|of, _| *of + 1 >= seq);
        let (scan, source) = next_read(chain, covered, doubt, seq);
        self.scan(scan, Reading::Doubt(chain, seq, source));
    }

    /// What the next entry is compared with is on the disk.
    pub(super) fn handle_doubted(&mut self, chain: ChainOf) {
        self.end_turn(chain);
    }

    pub(super) fn handle_doubt_read(
        &mut self,
        chain: ChainOf,
        seq: u64,
        source: Source,
        result: Result<Page, StoreFailure>,
        now: Now,
    ) {
        if !self.is_next(&chain, seq) {
            return self.end_turn(chain);
        }
        let Ok(page) = result else {
            if let Some(doubt) = self.drop_doubt(&chain) {
                self.fail_reader(doubt.conn);
            }
            return self.end_turn(chain);
        };
        let is_read = match source {
            Source::Index => self.note_heads(chain, &page),
            Source::Root => self.note_covered(chain, &page),
            Source::Place => {
                let place = page.rows.first().filter(|_| page.damaged.is_empty());
                match place.and_then(|(_, value)| stored::decode_number(value).ok()) {
                    Some(first) => {
                        let reading = Reading::Doubt(chain, seq, Source::Segment);
                        return self.scan(segment(&chain.0, first), reading);
                    }
                    None => false,
                }
            }
            Source::Segment => {
                let row = page.rows.first().filter(|_| page.damaged.is_empty());
                match row.and_then(|(_, value)| stored::decode_segment(value).ok()) {
                    Some((_, packed)) => {
                        let segment = packed.to_vec().into();
                        return self.materialise(Job::Unpack { segment }, Work::Doubt(chain, seq));
                    }
                    None => false,
                }
            }
        };
        let covered = self.streams.get(&chain.0).map_or(0, |state| state.covered(&chain.1));
        if let Some(doubt) = self.doubts.chains.get(&chain).filter(|_| !is_read) {
            let (scan, next) = next_read(chain, covered, doubt, seq);
            if self.is_replacing(&chain.0) {
                // It may have gone into the archive just now.
                return self.scans.put_off(scan, Reading::Doubt(chain, seq, next), now);
            }
            if next == source || source == Source::Segment {
                self.deny(chain);
            }
        }
        self.end_turn(chain);
    }

    /// Whether this is still the entry that is compared next. Its link may have ended meanwhile, and another have begun.
    fn is_next(&self, chain: &ChainOf, seq: u64) -> bool {
        let next = self.doubts.chains.get(chain).and_then(|doubt| doubt.held.front());
        next.is_some_and(|entry| entry.name().seq == seq)
    }

    /// Whether the index says what stands at the next entry.
    fn note_heads(&mut self, chain: ChainOf, page: &Page) -> bool {
        let Some(doubt) = self.doubts.chains.get_mut(&chain) else { return false };
        for (key, value) in &page.rows {
            if let (Some((_, _, seq)), Ok(index)) = (stored::parse_index_key(key), IndexRecord::decode(value))
            {
                doubt.heads.insert(seq, index.head);
            }
        }
        doubt.held.front().is_some_and(|entry| doubt.is_same(entry).is_some())
    }

    /// Whether the snapshot says what stands in front of the next entry.
    fn note_covered(&mut self, chain: ChainOf, page: &Page) -> bool {
        let root = page.rows.first().and_then(|(_, value)| SignedRoot::decode(value).ok());
        let tip = root.and_then(|signed| signed.root.tips().find(|(of, _)| *of == chain.1));
        let Some((doubt, (_, tip))) = self.doubts.chains.get_mut(&chain).zip(tip) else { return false };
        doubt.heads.insert(tip.seq, tip.head);
        doubt.held.front().is_some_and(|entry| entry.name().seq == tip.seq + 1)
    }

    /// A segment of the archive was unpacked.
    pub(super) fn handle_doubt_job(&mut self, chain: ChainOf, seq: u64, result: Result<Done, JobError>) {
        match result {
            _ if !self.is_next(&chain, seq) => {}
            Ok(Done::Unpacked(entries)) => self.compare_unpacked(chain, &entries),
            Err(JobError::Busy) => self.put_off(chain),
            Ok(Done::Built(_) | Done::Verified(_) | Done::Wants { .. }) | Err(_) => self.deny(chain),
        }
        self.told.clear();
        self.end_turn(chain);
    }

    fn compare_unpacked(&mut self, chain: ChainOf, entries: &[Entry]) {
        let of_chain = entries.iter().filter(|entry| entry.header().replica == chain.1);
        let here: BTreeMap<u64, &Entry> = of_chain.map(|entry| (entry.name().seq, entry)).collect();
        let mut met = false;
        while let Some(brought) = self.doubts.chains.get(&chain).and_then(|doubt| doubt.held.front()) {
            match here.get(&brought.name().seq).map(|here| here.bytes() == brought.bytes()) {
                Some(true) => self.pass(chain),
                // It is in another segment.
                None if met => return,
                // Or in none any more, as its history has expired.
                Some(false) | None => return self.deny(chain),
            }
            met = true;
        }
    }

    /// The next entry is what stands here. Where its row is damaged it is put back.
    fn pass(&mut self, chain: ChainOf) {
        let Some(doubt) = self.doubts.chains.get_mut(&chain) else { return };
        let (conn, Some(entry)) = (doubt.conn, doubt.held.pop_front()) else { return };
        self.release(conn, &entry);
        if self.is_hole(&chain.0, &entry.name()) {
            return self.put_back(conn, entry);
        }
        if let Some(doubt) = self.doubts.chains.get_mut(&chain) {
            doubt.same = Some(entry.name().seq);
        }
    }

    /// The next entry is not what stands here, or that is to be had no more. What is not known to be the same is refused, so
    /// whoever wrote it keeps it.
    fn deny(&mut self, chain: ChainOf) {
        let Some(doubt) = self.drop_doubt(&chain) else { return };
        self.answer_same(chain, &doubt);
        if let Some(entry) = doubt.held.front() {
            self.refuse(doubt.conn, chain.0, entry.name(), Refusal::Equivocation);
        }
        self.told.clear();
    }

    /// All that is older was the same: what came behind it is judged.
    fn end_doubt(&mut self, chain: ChainOf) {
        let Some(mut doubt) = self.drop_doubt(&chain) else { return };
        let (conn, held) = (doubt.conn, std::mem::take(&mut doubt.held));
        self.answer_same(chain, &doubt);
        if let Some(first) = doubt.put_off {
            self.doubts.chains.insert(chain, Doubt { put_off: Some(first), ..Doubt::new(conn) });
        }
        for entry in held {
            if self.is_writer(conn, &chain.1) {
                self.land(conn, entry);
            }
        }
        self.told.clear();
        self.ask(conn);
    }

    /// Says up to which entry what a link has brought is saved: up to the last that was compared, whatever stands behind it.
    fn answer_same(&mut self, (stream, replica): ChainOf, doubt: &Doubt) {
        let Some(seq) = doubt.same else { return };
        let Some(state) = self.streams.get(&stream) else { return };
        let newest = state.durable.get(&replica).filter(|(newest, _)| *newest == seq).map(|(_, head)| head);
        let head = newest.or_else(|| doubt.heads.get(&seq).copied());
        // Of what lies in the archive the head is not known. The device hears it when it asks next.
        if let Some(head) = head.or_else(|| state.log.head_at(&EntryName { replica, seq })) {
            self.tell_saved(doubt.conn, stream, replica, (seq, head));
        }
    }

    /// The next entry cannot be compared now: all of them are asked for again.
    fn put_off(&mut self, chain: ChainOf) {
        let Some(doubt) = self.drop_doubt(&chain) else { return };
        let first = doubt.held.iter().map(|entry| entry.name().seq).chain(doubt.put_off).min();
        self.doubts.chains.insert(chain, Doubt { put_off: first, ..Doubt::new(doubt.conn) });
        if let Some(entry) = doubt.held.front() {
            self.answer_later(doubt.conn, entry);
        }
    }

    /// The room is read again.
    pub(super) fn put_off_doubts(&mut self) {
        (self.doubts.at_work, self.doubts.waiting) = (None, VecDeque::new());
        for chain in self.doubts.chains.keys().copied().collect::<Vec<_>>() {
            self.put_off(chain);
        }
        self.told.clear();
    }

    /// A link has ended, and what was counted for it with it.
    pub(super) fn forget_doubts(&mut self, conn: ConnId) {
        self.doubts.chains.retain(|_, doubt| doubt.conn != conn);
    }

    fn drop_doubt(&mut self, chain: &ChainOf) -> Option<Doubt> {
        let doubt = self.doubts.chains.remove(chain)?;
        for entry in &doubt.held {
            self.release(doubt.conn, entry);
        }
        Some(doubt)
    }

    /// Whether a link writes in a replica's name.
    fn is_writer(&self, conn: ConnId, replica: &ReplicaId) -> bool {
        self.conns.get(&conn).is_some_and(|link| !link.is_closing() && link.proven.contains(replica))
    }

    /// An entry waits no longer.
    pub(super) fn release(&mut self, conn: ConnId, entry: &Entry) {
        if let Some(link) = self.conns.get_mut(&conn) {
            let size = entry.bytes().len();
            link.waiting_bytes = link.waiting_bytes.saturating_sub(size);
            self.waiting_bytes = self.waiting_bytes.saturating_sub(size);
        }
    }
}

/// What is read to compare an entry of a chain.
fn next_read((stream, replica): ChainOf, covered: u64, doubt: &Doubt, seq: u64) -> (Scan, Source) {
    if seq <= covered {
        return (look_up(&stream, &replica, seq, covered), Source::Place);
    }
    if covered > 0 && seq == covered + 1 && !doubt.heads.contains_key(&covered) {
        let start = stored::snapshot_key(&stream);
        let end = [start.as_slice(), &[0]].concat();
        return (Scan { start, end, max_bytes: SCAN_BYTES, max_rows: 1 }, Source::Root);
    }
    let last = doubt.held.iter().map(|entry| entry.name().seq).max().unwrap_or(seq);
    let start = stored::index_key(&stream, &replica, seq - 1);
    let end = [stored::index_key(&stream, &replica, last).as_slice(), &[0]].concat();
    (Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS }, Source::Index)
}

fn chain_of(entry: &Entry) -> ChainOf {
    (entry.header().stream, entry.header().replica)
}
