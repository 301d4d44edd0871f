//! Entries that are brought again and are older than the memory of their chain, which after a start is that of its newest
//! alone. What stands under their names is read from the disk before anything is said of them, and until then nothing behind
//! them is taken: a number says nothing about the words under it, and where they are another copy's the chain must not go on
//! with this one's (rule 12).
//!
//! Above the snapshot the index has the head at each entry; below it the entries themselves are read from the archive. One read is
//! under way for a room, and its chains take turns.

mod brought;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::home::Home;
use crate::home::append::Appended;
use crate::home::archive::{look_up, segment};
use crate::home::jobs::Work;
use crate::home::reading::Reading;
use crate::home::stream::HomeStream;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{LINK_PARK_BYTES, PARK_ENTRIES, ROOM_PARK_BYTES, SCAN_BYTES, SCAN_ROWS};
use crate::log::{Dep, Entry, EntryName, Head, Refusal, Verdict};
use crate::snapshot::{Done, Job, JobError, SignedRoot};
use crate::storage::{Durability, FailureKind, Page, Scan, StoreFailure};
use crate::stored::{self, IndexRecord};
use crate::time::Now;

use brought::Brought;

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
    held: Brought,
    /// Heads of the chain, as far as they were read.
    heads: BTreeMap<u64, Head>,
    /// The last that was found to be what stands here.
    same: Option<u64>,
    /// This one could not wait. Nothing behind it is taken before it has come again.
    put_off: Option<u64>,
    /// Its link was told since how the chain ends, and that it has this one: it may not bring it again.
    told: bool,
    /// Whether it waits for its turn.
    queued: bool,
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

impl Doubts {
    /// A chain waits for its turn, once.
    fn queue(&mut self, chain: ChainOf) {
        if let Some(doubt) = self.chains.get_mut(&chain).filter(|doubt| !doubt.queued) {
            doubt.queued = true;
            self.waiting.push_back(chain);
        }
    }

    /// The chain whose turn it is.
    fn next(&mut self) -> Option<ChainOf> {
        let chain = self.waiting.pop_front()?;
        if let Some(doubt) = self.chains.get_mut(&chain) {
            doubt.queued = false;
        }
        Some(chain)
    }

    /// Those of one stream: there may be tens of thousands of others.
    fn of_stream(&mut self, stream: &StreamId) -> impl Iterator<Item = (&ChainOf, &mut Doubt)> {
        let end = |byte| (*stream, ReplicaId::from_bytes([byte; 32]));
        self.chains.range_mut(end(0)..=end(0xff))
    }
}

impl Doubt {
    fn new(conn: ConnId) -> Self {
        Self {
            conn,
            held: Brought::default(),
            heads: BTreeMap::new(),
            same: None,
            put_off: None,
            told: false,
            queued: false,
        }
    }

    /// An entry cannot wait, and nothing behind it is taken before it has come again.
    fn put_off_from(&mut self, seq: u64) {
        if self.put_off.is_none_or(|first| seq < first) {
            (self.put_off, self.told) = (Some(seq), false);
        }
    }

    /// The first that is not compared.
    fn first(&self) -> Option<u64> {
        self.held.front().map(|entry| entry.name().seq).or(self.put_off)
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
        if self.builds_on_doubted(conn, &entry) {
            self.answer_later(conn, &entry);
            return None;
        }
        if self.doubts.chains.get(&chain).is_some_and(|doubt| doubt.conn != conn) {
            if !self.may_bring(conn, &chain.1) {
                return None;
            }
            if !self.is_author(conn, &chain.1) {
                // Its author has vouched for what is new, and what is not is being compared for whoever brought it first.
                return (!is_older).then_some(entry);
            }
            self.take_over_doubt(conn, chain);
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

    /// Whether a new entry builds on one that its link has brought again and that is not compared yet. The chain remembers no
    /// more what stands there, so nobody else would find out that it is not that. What is here already is held against its own
    /// chain: were it passed over, what comes behind it would be taken.
    fn builds_on_doubted(&self, conn: ConnId, entry: &Entry) -> bool {
        let header = entry.header();
        let Some(state) = self.streams.get(&header.stream) else { return false };
        let is_doubted = |dep: &Dep| {
            let doubt = self.doubts.chains.get(&(header.stream, dep.replica));
            let doubt = doubt.filter(|doubt| doubt.conn == conn);
            let name = EntryName { replica: dep.replica, seq: dep.seq };
            let here = dep.seq <= state.log.tip(&dep.replica).seq && dep.replica != header.replica;
            // What waits beyond the tip is judged with it.
            here && doubt.and_then(Doubt::first).is_some_and(|first| first <= dep.seq)
                && state.log.head_at(&name).is_none()
        };
        header.seq > state.log.tip(&header.replica).seq && header.deps.iter().any(is_doubted)
    }

    fn hold(&mut self, conn: ConnId, chain: ChainOf, entry: &Entry) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let (seq, size) = (entry.name().seq, entry.bytes().len());
        let doubt = self.doubts.chains.entry(chain).or_insert_with(|| Doubt::new(conn));
        if doubt.held.has(entry) {
            return;
        }
        let full = doubt.held.len() >= PARK_ENTRIES
            || link.waiting_bytes + size > LINK_PARK_BYTES
            || self.waiting_bytes + size > ROOM_PARK_BYTES;
        if full || doubt.put_off.is_some_and(|first| seq > first) {
            doubt.put_off_from(seq);
            return self.answer_later(conn, entry);
        }
        if doubt.put_off == Some(seq) {
            (doubt.put_off, doubt.told) = (None, false);
        }
        link.waiting_bytes += size;
        self.waiting_bytes += size;
        doubt.held.push(entry.detached());
        if doubt.held.len() == 1 {
            // Its turn comes when all of the frame is judged.
            self.doubts.queue(chain);
        }
    }

    /// Nothing can be taken now. What has to be compared first will be, when it has come again.
    pub(super) fn note_untaken(&mut self, conn: ConnId, entry: &Entry) {
        let (chain, seq) = (chain_of(entry), entry.name().seq);
        let in_doubt = |state: &HomeStream| {
            let is_known = state.log.remembers(&entry.name()) && state.log.judge(entry) == Verdict::Known;
            !state.log.is_gone() && seq <= state.log.tip(&chain.1).seq && !is_known
        };
        if !self.streams.get(&chain.0).is_some_and(in_doubt) {
            return;
        }
        if self.doubts.chains.get(&chain).is_some_and(|doubt| doubt.conn != conn) {
            self.take_over_doubt(conn, chain);
        }
        self.doubts.chains.entry(chain).or_insert_with(|| Doubt::new(conn)).put_off_from(seq);
    }

    /// What another link of its author has brought gives way: this one will bring it too. Where it is a copy of the device it may
    /// not, and nothing is known any more of what that link would build on its own: it has to come back.
    fn take_over_doubt(&mut self, conn: ConnId, chain: ChainOf) {
        let Some(before) = self.drop_doubt(&chain) else { return };
        if before.queued {
            self.doubts.chains.insert(chain, Doubt { queued: before.queued, ..Doubt::new(conn) });
        }
        if before.first().is_some() && self.has_ceded(before.conn, &chain.1) {
            self.supersede(before.conn);
        }
    }

    /// Goes on with the next chain, unless something is being read.
    pub(super) fn next_doubt(&mut self, now: Now) {
        while self.doubts.at_work.is_none() {
            let Some(chain) = self.doubts.next() else { return };
            if self.compare_doubted(chain, now) {
                self.read_doubted(chain);
            }
        }
    }

    /// What was read for the chain at work is taken note of: where more has to be read it waits for its next turn. What can be
    /// said is said now, as what thousands of chains say at once would fill the lane of their link.
    fn end_turn(&mut self, chain: ChainOf, now: Now) {
        self.doubts.at_work = None;
        if self.compare_doubted(chain, now) {
            self.doubts.queue(chain);
        }
        self.next_doubt(now);
    }

    /// Compares as far as what was read reaches, and answers whether more has to be read.
    fn compare_doubted(&mut self, chain: ChainOf, now: Now) -> bool {
        while let Some(doubt) = self.doubts.chains.get(&chain) {
            let state = self.streams.get(&chain.0);
            let older = doubt.held.front().zip(state).filter(|(entry, state)| state.is_older(&entry.name()));
            let Some((entry, state)) = older else {
                self.end_doubt(chain, now);
                return false;
            };
            // A scan may show what is not durable yet.
            let is_durable = entry.name().seq <= state.durable_seq(&chain.1);
            match doubt.is_same(entry).filter(|_| is_durable) {
                Some(true) => self.pass(chain),
                Some(false) => {
                    self.deny_doubted(chain);
                    return false;
                }
                None => return true,
            }
        }
        false
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
        doubt.heads.retain(|of, _| *of + 1 == seq);
        let (scan, source) = next_read(chain, covered, doubt, seq);
        self.scan(scan, Reading::Doubt(chain, seq, source));
    }

    /// What the next entry is compared with is on the disk.
    pub(super) fn handle_doubted(&mut self, chain: ChainOf, now: Now) {
        self.end_turn(chain, now);
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
            return self.end_turn(chain, now);
        }
        let page = match result {
            Ok(page) => page,
            Err(failure) if failure.kind == FailureKind::Damaged => Page::default(),
            Err(_) => {
                if let Some(doubt) = self.drop_doubt(&chain) {
                    self.fail_reader(doubt.conn);
                }
                return self.end_turn(chain, now);
            }
        };
        let is_read = match source {
            Source::Index => self.note_heads(chain, &page),
            Source::Root => self.note_covered(chain, &page),
            Source::Place => match place_in(&page) {
                Some(first) => {
                    return self.scan(segment(&chain.0, first), Reading::Doubt(chain, seq, Source::Segment));
                }
                None => false,
            },
            Source::Segment => match segment_in(&page) {
                Some(segment) => {
                    return self.materialise(Job::Unpack { segment }, Work::Doubt(chain, seq));
                }
                None => false,
            },
        };
        let covered = self.streams.get(&chain.0).map_or(0, |state| state.covered(&chain.1));
        if let Some(doubt) = self.doubts.chains.get(&chain).filter(|_| !is_read) {
            let (scan, next) = next_read(chain, covered, doubt, seq);
            if self.is_replacing(&chain.0) {
                // It may have gone into the archive just now.
                return self.scans.put_off(scan, Reading::Doubt(chain, seq, next), now);
            }
            if next == source || source == Source::Segment {
                self.deny_unless_hole(chain);
            }
        }
        self.end_turn(chain, now);
    }

    /// Whether this is still the entry that is compared next. Its link may have ended meanwhile, and another have begun, or
    /// the stream have been deleted.
    fn is_next(&self, chain: &ChainOf, seq: u64) -> bool {
        let next = self.doubts.chains.get(chain).and_then(|doubt| doubt.held.front());
        let is_older = |name| self.streams.get(&chain.0).is_some_and(|state| state.is_older(&name));
        next.is_some_and(|entry| entry.name().seq == seq && is_older(entry.name()))
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
    pub(super) fn handle_doubt_job(
        &mut self,
        chain: ChainOf,
        seq: u64,
        result: Result<Done, JobError>,
        now: Now,
    ) {
        match result {
            _ if !self.is_next(&chain, seq) => {}
            Ok(Done::Unpacked(entries)) => self.compare_unpacked(chain, &entries),
            // These say nothing of the segment.
            Err(JobError::Busy | JobError::Late | JobError::Time | JobError::Panic) => self.put_off(chain),
            Ok(Done::Built(_) | Done::Verified(_) | Done::Wants { .. }) | Err(_) => {
                self.deny_unless_hole(chain);
            }
        }
        self.told.clear();
        self.end_turn(chain, now);
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
                Some(false) | None => return self.deny_doubted(chain),
            }
            met = true;
        }
    }

    /// The next entry is what stands here. Where its row is damaged it is put back.
    fn pass(&mut self, chain: ChainOf) {
        let Some(doubt) = self.doubts.chains.get_mut(&chain) else { return };
        let (conn, Some(entry)) = (doubt.conn, doubt.held.pop()) else { return };
        self.release(conn, &entry);
        if self.is_hole(&chain.0, &entry.name()) {
            return self.put_back(conn, entry);
        }
        if let Some(doubt) = self.doubts.chains.get_mut(&chain) {
            doubt.same = Some(entry.name().seq);
        }
    }

    /// What stands at the next entry is to be had no more. If the home has asked for it, it stays a hole; else it is refused,
    /// so whoever wrote it keeps it.
    fn deny_unless_hole(&mut self, chain: ChainOf) {
        let next = self.doubts.chains.get(&chain).and_then(|doubt| doubt.held.front());
        let Some(name) = next.map(Entry::name) else { return };
        if !self.is_hole(&chain.0, &name) {
            return self.deny_doubted(chain);
        }
        let Some(doubt) = self.doubts.chains.get_mut(&chain) else { return };
        if let (conn, Some(entry)) = (doubt.conn, doubt.held.pop()) {
            self.release(conn, &entry);
        }
    }

    /// The next entry is not what stands here, or it cannot be told whether it is.
    fn deny_doubted(&mut self, chain: ChainOf) {
        let Some(doubt) = self.drop_doubt(&chain) else { return };
        self.answer_same(chain, &doubt);
        if let Some(entry) = doubt.held.front() {
            self.refuse(doubt.conn, chain.0, entry.name(), Refusal::Equivocation);
        }
        self.told.clear();
    }

    /// All that is older was the same: what came behind it is judged, up to what is older again.
    fn end_doubt(&mut self, chain: ChainOf, now: Now) {
        let Some(mut doubt) = self.doubts.chains.remove(&chain) else { return };
        let conn = doubt.conn;
        self.answer_same(chain, &doubt);
        doubt.same = None;
        if let Some(first) = doubt.put_off {
            let put_off = Doubt { put_off: Some(first), told: doubt.told, ..Doubt::new(conn) };
            self.doubts.chains.insert(chain, put_off);
        }
        while let Some(entry) = doubt.held.front() {
            let name = entry.name();
            let brings = self.may_bring(conn, &chain.1);
            if brings && self.streams.get(&chain.0).is_some_and(|state| state.is_older(&name)) {
                self.doubt_again(chain, doubt);
                break;
            }
            let Some(entry) = doubt.held.pop() else { break };
            self.release(conn, &entry);
            if brings {
                self.land(conn, entry);
            }
        }
        self.told.clear();
        self.ask(conn, now);
    }

    /// The rest of what was brought waits for its next turn as it is: to hold it anew, one by one, would cost the square of it.
    fn doubt_again(&mut self, chain: ChainOf, mut rest: Doubt) {
        // A read for each turn: thousands of answers at once would fill the lane of their link.
        rest.heads.clear();
        // What has landed meanwhile may have put off more, and no less.
        let Some(mut meanwhile) = self.doubts.chains.remove(&chain) else {
            (rest.put_off, rest.told) = (None, false);
            self.doubts.chains.insert(chain, rest);
            return self.doubts.queue(chain);
        };
        if meanwhile.conn != rest.conn {
            rest.held.iter().for_each(|entry| self.release(rest.conn, entry));
            self.doubts.chains.insert(chain, meanwhile);
            return;
        }
        while let Some(entry) = meanwhile.held.pop() {
            rest.held.push(entry);
        }
        (rest.put_off, rest.told, rest.queued) = (meanwhile.put_off, meanwhile.told, meanwhile.queued);
        self.doubts.chains.insert(chain, rest);
        self.doubts.queue(chain);
    }

    /// Says up to which entry what a link has brought is saved: up to the last that was compared, whatever stands behind it.
    fn answer_same(&mut self, (stream, replica): ChainOf, doubt: &Doubt) {
        // What it has put off may be another's.
        let same = doubt.same.filter(|seq| doubt.put_off.is_none_or(|first| *seq < first));
        let Some(seq) = same else { return };
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

    /// A link is told how the chains of a stream end. What is not beyond that it may not bring again.
    pub(super) fn note_told(&mut self, conn: ConnId, stream: &StreamId) {
        let Some(state) = self.streams.get(stream) else { return };
        for (chain, doubt) in self.doubts.of_stream(stream).filter(|(_, doubt)| doubt.conn == conn) {
            doubt.told = doubt.put_off.is_some_and(|first| first <= state.durable_seq(&chain.1));
        }
    }

    /// A link asks, and so has heard what it was told before: where the chain is not as the device has it, it knows.
    pub(super) fn end_put_offs(&mut self, conn: ConnId, stream: &StreamId) {
        let mut ended = Vec::new();
        for (chain, doubt) in self.doubts.of_stream(stream).filter(|(_, doubt)| doubt.conn == conn) {
            if std::mem::take(&mut doubt.told) {
                doubt.put_off = None;
                if doubt.held.is_empty() && doubt.same.is_none() {
                    ended.push(*chain);
                }
            }
        }
        for chain in ended {
            self.doubts.chains.remove(&chain);
        }
    }

    /// A link has ended, and what was counted for it with it.
    pub(super) fn forget_doubts(&mut self, conn: ConnId) {
        let Doubts { chains, waiting, .. } = &mut self.doubts;
        chains.retain(|_, doubt| doubt.conn != conn);
        waiting.retain(|chain| chains.contains_key(chain));
    }

    fn drop_doubt(&mut self, chain: &ChainOf) -> Option<Doubt> {
        let doubt = self.doubts.chains.remove(chain)?;
        for entry in doubt.held.iter() {
            self.release(doubt.conn, entry);
        }
        Some(doubt)
    }

    /// Whether what a link has brought of a replica and had to wait is taken from it still, be it the author's or one that
    /// forwards: another link of its device may have taken over.
    fn may_bring(&self, conn: ConnId, replica: &ReplicaId) -> bool {
        self.conns.get(&conn).is_some_and(|link| !link.is_closing() && !link.ceded.contains(replica))
    }

    /// Whether a link writes in a replica's name.
    pub(super) fn is_author(&self, conn: ConnId, replica: &ReplicaId) -> bool {
        self.conns.get(&conn).is_some_and(|link| link.proven.contains(replica))
    }

    /// Whether a link writes in a replica's name, or did until another took over.
    pub(super) fn wrote(&self, conn: ConnId, replica: &ReplicaId) -> bool {
        self.is_author(conn, replica) || self.has_ceded(conn, replica)
    }

    fn has_ceded(&self, conn: ConnId, replica: &ReplicaId) -> bool {
        self.conns.get(&conn).is_some_and(|link| link.ceded.contains(replica))
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
    // As far as they are held without a gap.
    let held = doubt.held.iter().map(|entry| entry.name().seq);
    let last = held.zip(seq..).take_while(|(held, next)| held == next).last().map_or(seq, |(last, _)| last);
    let start = stored::index_key(&stream, &replica, seq - 1);
    let end = [stored::index_key(&stream, &replica, last).as_slice(), &[0]].concat();
    (Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS }, Source::Index)
}

/// Where in the archive the segment begins that was looked up.
fn place_in(page: &Page) -> Option<u64> {
    let place = page.rows.first().filter(|_| page.damaged.is_empty());
    stored::decode_number(&place?.1).ok()
}

/// The segment that was read.
fn segment_in(page: &Page) -> Option<Bytes> {
    let row = page.rows.first().filter(|_| page.damaged.is_empty());
    let (_, packed) = stored::decode_segment(&row?.1).ok()?;
    Some(packed.to_vec().into())
}

fn chain_of(entry: &Entry) -> ChainOf {
    (entry.header().stream, entry.header().replica)
}
