//! The hot path: entries in, one commit, the same bytes out, answers.

use std::collections::{BTreeMap, BTreeSet};

use crate::chat::{self, ChatOp};
use crate::home::Home;
use crate::home::compaction::{SNAPSHOT_ROWS, Standing};
use crate::home::durable::Durable;
use crate::home::lane::Lane;
use crate::home::stream::HomeStream;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{
    CATCH_UP_BYTES, COMMIT_BYTES, FRAME_ENTRIES, LATER_AFTER, LINK_PARK_BYTES, LINK_PARK_STREAMS,
    LINK_REFUSED, ROOM_PARK_BYTES, ROOM_STREAMS,
};
use crate::log::{Accepted, Dep, Entry, EntryKind, EntryName, Head, Missing, Refusal, Verdict};
#[cfg(feature = "planted-bugs")]
use crate::planted::Planted;
use crate::storage::{CommitError, Durability};
use crate::stored::{self, HistoryRecord, IndexRecord, Prefix, StreamRecord, TipRecord, Tombstone};
use crate::time::Now;
use crate::wire::{self, ErrorCode, Later, LaterWhy, Need, Refused, Saved};
use crate::write_queue::{OpId, Stored};

/// What waits for the disk.
#[derive(Debug)]
pub(super) enum Appended {
    /// An entry, and the link it came on.
    Entry { conn: ConnId, arrival: u64, entry: Entry },
    /// An entry that is put back in the place of a damaged row.
    Mended { conn: ConnId, arrival: u64, entry: Entry },
    /// The draft of a snapshot.
    Drafted,
    /// A snapshot that stands, and the archive of what it covers.
    Compacted { stream: StreamId, standing: Box<Standing> },
    /// History of a stream that has gone, and what is left of it.
    Expired { stream: StreamId, history: HistoryRecord },
    /// Entries of a chain that others are to be compared with.
    Doubted(StreamId, ReplicaId),
    /// A link that sent again what is on its way already.
    Again { conn: ConnId, stream: StreamId, replica: ReplicaId },
}

/// Something that a link was told of a replica: once per frame it sent, however many of its entries ask for it.
pub(super) type Answered = (ConnId, StreamId, ReplicaId, Answer);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    Saved,
    Later,
    Refused,
}

impl Home {
    pub(super) fn handle_entry(&mut self, conn: ConnId, entry: Entry, now: Now) {
        let Some(link) = self.conns.get(&conn).filter(|link| !link.is_closing()) else { return };
        let header = entry.header();
        let (stream, replica) = (header.stream, header.replica);
        if link.ceded.contains(&replica) {
            let waits = self.streams.get(&stream).is_some_and(|state| state.waiting.holds(&entry.name()));
            // Two that offer the same for as long as it waits would send each other away all the while.
            return if waits { self.answer_later(conn, &entry) } else { self.supersede(conn) };
        }
        if !link.proven.contains(&replica) && link.forwarding.asked {
            self.handle_forwarded(conn, &entry, now);
            return self.drop_if_empty(&stream);
        }
        if !link.proven.contains(&replica) {
            return self.fail(
                conn,
                ErrorCode::Unproven,
                "an entry came from a replica that was not proven on this link",
            );
        }
        if let Some(link) = self.conns.get_mut(&conn) {
            // What it was asked for may come behind its own work.
            link.forwarding.hear(now.monotonic);
        }
        if self.takes_nothing(&stream) {
            self.note_untaken(conn, &entry);
            return self.answer_later(conn, &entry);
        }
        self.land(conn, entry);
        self.drop_if_empty(&stream);
    }

    /// What a link wrote another one writes now.
    pub(super) fn supersede(&mut self, conn: ConnId) {
        let sentence = "another link of this device writes in this name now; come back";
        self.fail(conn, ErrorCode::Superseded, sentence);
    }

    /// Whether nothing can be let into a stream now, whoever brings it.
    pub(super) fn takes_nothing(&self, stream: &StreamId) -> bool {
        let busy = self.stopping || self.queue.bytes() > COMMIT_BYTES;
        busy || self.is_full(stream) || self.is_damaged(stream)
    }

    /// Whether this would be a stream more than a room can have. Those of which nothing is here do not count.
    fn is_full(&self, stream: &StreamId) -> bool {
        let born = || self.streams.values().filter(|state| state.arrivals > 0).count();
        self.arrivals(stream) == 0 && self.streams.len() >= ROOM_STREAMS && born() >= ROOM_STREAMS
    }

    /// Judges an entry, and then those that waited for it and for each other.
    pub(super) fn land(&mut self, conn: ConnId, entry: Entry) {
        let (stream, name) = (entry.header().stream, entry.name());
        let mut landed = Vec::new();
        if self.lets_in(conn, entry) {
            landed.push(name);
        }
        while let Some(name) = landed.pop() {
            let Some(state) = self.streams.get_mut(&stream) else { return };
            for (conn, entry) in state.waiting.take(&name) {
                self.release(conn, &entry);
                if let Some(link) = self.conns.get_mut(&conn) {
                    link.unborn.remove(&stream);
                }
                let name = entry.name();
                if self.lets_in(conn, entry) {
                    landed.push(name);
                }
            }
        }
    }

    fn lets_in(&mut self, conn: ConnId, entry: Entry) -> bool {
        let stream = entry.header().stream;
        let before = self.arrivals(&stream);
        self.judge(conn, entry);
        self.arrivals(&stream) > before
    }

    fn arrivals(&self, stream: &StreamId) -> u64 {
        self.streams.get(stream).map_or(0, |state| state.arrivals)
    }

    /// A stream that nothing was let into leaves nothing behind.
    fn drop_if_empty(&mut self, stream: &StreamId) {
        if self.streams.get(stream).is_some_and(HomeStream::is_empty) {
            self.streams.remove(stream);
        }
    }

    fn judge(&mut self, conn: ConnId, entry: Entry) {
        let (stream, replica, seq) = (entry.header().stream, entry.header().replica, entry.header().seq);
        self.stream_mut(stream);
        if let Some((from, refusal)) = self.refusal(conn, stream, &entry.name()) {
            self.end_landing(conn, &(stream, replica));
            return self.answer_refused(conn, stream, replica, from, &refusal);
        }
        let Some(entry) = self.keep_back(conn, entry) else { return };
        if self.builds_on_refused(conn, &entry) {
            return self.refuse(conn, stream, entry.name(), Refusal::Chain);
        }
        let state = self.stream_mut(stream);
        let verdict = match state.log.judge_new(&entry) {
            Verdict::Fresh(_) if !introduces_truly(&entry) => Verdict::Refused(Refusal::Introduction),
            verdict => verdict,
        };
        #[cfg(feature = "planted-bugs")]
        let verdict = match self.planted {
            Some(Planted::BeforeDeps) => self.judge_without_deps(&entry, verdict),
            Some(Planted::ResendDoubles) if verdict == Verdict::Known => {
                return self.append_again(conn, entry);
            }
            _ => verdict,
        };
        match verdict {
            Verdict::Fresh(accepted) => self.append(conn, entry, accepted),
            Verdict::Known if self.is_hole(&stream, &entry.name()) => self.put_back(conn, entry),
            Verdict::Known => self.answer_known(conn, stream, replica, seq),
            Verdict::Waits(missing) => self.let_wait(conn, &entry, &missing),
            Verdict::Refused(refusal) => {
                if !self.wrote(conn, &replica) {
                    self.stream_mut(stream).unwanted.insert(replica, seq);
                }
                self.refuse(conn, stream, entry.name(), refusal);
            }
        }
    }

    /// Whether a new entry builds on other words of its link than stand under their name, which were refused. Where the chain
    /// remembers the head there, that tells; what is here already is held against its own chain.
    fn builds_on_refused(&self, conn: ConnId, entry: &Entry) -> bool {
        let header = entry.header();
        let Some((state, link)) = self.streams.get(&header.stream).zip(self.conns.get(&conn)) else {
            return false;
        };
        if state.refused.is_empty() && link.refused.is_empty() {
            return false;
        }
        let is_refused = |dep: &Dep| {
            let name = EntryName { replica: dep.replica, seq: dep.seq };
            let refused = state.has_refused(&name) || link.has_refused(header.stream, &name);
            refused && state.log.head_at(&name).is_none() && self.wrote(conn, &dep.replica)
        };
        header.seq > state.log.tip(&header.replica).seq && header.deps.iter().any(is_refused)
    }

    /// From where on a chain is not taken from a link, and why, if this entry is not. Where it has brought other words, what stands
    /// here is compared all the same: it may have taken that from here, and be asked for it.
    fn refusal(&self, conn: ConnId, stream: StreamId, name: &EntryName) -> Option<(u64, Refusal)> {
        let state = self.streams.get(&stream)?;
        if let Some((from, refusal)) = state.refused.get(&name.replica).filter(|(from, _)| name.seq >= *from)
        {
            return Some((*from, refusal.clone()));
        }
        let (from, refusal) = self.conns.get(&conn)?.refused.get(&(stream, name.replica))?;
        let is_new = name.seq > state.log.tip(&name.replica).seq;
        (name.seq >= *from && is_new).then(|| (*from, refusal.clone()))
    }

    /// Whether a link is not to be asked for this entry, the next of its chain. Once the chain has gone on, what lies behind it is
    /// asked for like any other.
    pub(super) fn is_unwanted(&self, conn: ConnId, stream: StreamId, name: &EntryName) -> bool {
        let refused = self.streams.get(&stream).and_then(|state| state.unwanted.get(&name.replica));
        refused == Some(&name.seq) || self.refusal(conn, stream, name).is_some()
    }

    /// Takes this entry of a replica and all after it from nobody; where other words stand here under its name, or under that of
    /// what it builds on, not from the link that brought it: whoever wrote what stands may go on.
    pub(super) fn refuse(&mut self, conn: ConnId, stream: StreamId, name: EntryName, refusal: Refusal) {
        let EntryName { replica, seq } = name;
        self.figures.entries_refused += 1;
        self.end_landing(conn, &(stream, replica));
        self.answer_refused(conn, stream, replica, seq, &refusal);
        let is_of_a_copy =
            matches!(refusal, Refusal::Equivocation | Refusal::Chain | Refusal::Logical { .. });
        match self.conns.get_mut(&conn).filter(|link| is_of_a_copy && link.refused.len() < LINK_REFUSED) {
            Some(link) => {
                let first = link.refused.entry((stream, replica)).or_insert((seq, refusal));
                first.0 = seq.min(first.0);
            }
            None => {
                self.stream_mut(stream).refused.insert(replica, (seq, refusal));
            }
        }
    }

    /// Keeps an entry until what it builds on has come, within what one link and all of them may make a room keep.
    fn let_wait(&mut self, conn: ConnId, entry: &Entry, missing: &[Missing]) {
        let stream = entry.header().stream;
        #[cfg(feature = "planted-bugs")]
        if self.has_bug(Planted::SavedAcrossGap) {
            self.call_saved(conn, stream, entry.header().replica, entry.header().seq);
        }
        let unborn = self.arrivals(&stream) == 0;
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let many = unborn && !link.unborn.contains(&stream) && link.unborn.len() >= LINK_PARK_STREAMS;
        let size = entry.bytes().len();
        let full = link.waiting_bytes + size > LINK_PARK_BYTES || self.waiting_bytes + size > ROOM_PARK_BYTES;
        if many || full {
            self.note_awaited(conn, entry, missing);
            return self.answer_later(conn, entry);
        }
        let Some(state) = self.streams.get_mut(&stream) else { return };
        // What the stream has no room for is asked for again with the rest.
        let kept = state.waiting.push(conn, entry, missing);
        link.waiting_bytes += kept;
        self.waiting_bytes += kept;
        if unborn && kept > 0 {
            link.unborn.insert(stream);
        }
        if kept == 0 {
            self.note_awaited(conn, entry, missing);
        }
        self.wants.add(stream, missing);
    }

    fn append(&mut self, conn: ConnId, entry: Entry, accepted: Accepted) {
        let header = entry.header();
        let (stream, name) = (header.stream, header.name());
        let state = self.streams.entry(stream).or_insert_with(|| HomeStream::new(stream));
        state.log.extend(&entry, accepted);
        let arrival = state.arrivals;
        state.arrivals += 1;
        let tip = state.log.tip(&name.replica);
        if header.kind == EntryKind::Delete {
            let log = [Prefix::Entry, Prefix::Index, Prefix::Tip, Prefix::Vouched];
            for prefix in log.into_iter().chain(SNAPSHOT_ROWS) {
                self.queue.delete_prefix(stored::stream_prefix(prefix, &stream));
            }
            let head = tip.head.as_bytes()[..16].try_into().expect("sixteen bytes of thirty-two");
            let tombstone = Tombstone { logical: tip.logical, head };
            self.queue.put(stored::tombstone_key(&stream), tombstone.encode());
        } else {
            self.queue.put(stored::entry_key(&stream, arrival), stored::encode_entry(&entry));
            let index = IndexRecord { arrival, head: tip.head };
            self.queue.put(stored::index_key(&stream, &name.replica, name.seq), index.encode());
            self.queue.put(stored::tip_key(&stream, &name.replica), TipRecord::from(tip).encode());
        }
        state.bytes += entry.bytes().len() as u64;
        let record = StreamRecord { arrivals: arrival + 1, bytes: state.bytes };
        self.queue.put(stored::stream_key(&stream), record.encode());
        #[cfg(feature = "planted-bugs")]
        if self.has_bug(Planted::SavedEarly) {
            self.call_saved(conn, stream, name.replica, name.seq);
        }
        self.queue.tag(Appended::Entry { conn, arrival, entry }, Durability::Strict);
    }

    pub(super) fn handle_stored(&mut self, op: OpId, result: Result<(), CommitError>, now: Now) {
        match self.queue.handle_stored(op, result) {
            Some(Stored::Durable(tags)) => self.publish(tags, now),
            Some(Stored::Failed(_)) => {
                for appended in self.queue.abandon() {
                    self.answer_failed(&appended);
                }
                self.doubt_live();
                self.told.clear();
                self.forget_unsaved();
                self.reload(now);
            }
            None => {}
        }
    }

    /// Promise 2: only now, after fsync, do others see the entries and hears the author `saved`.
    fn publish(&mut self, tags: Vec<Appended>, now: Now) {
        let mut runs: BTreeMap<(StreamId, ConnId), (u64, Vec<Entry>)> = BTreeMap::new();
        let mut answers: BTreeSet<(ConnId, StreamId, ReplicaId)> = BTreeSet::new();
        let mut doubted = Vec::new();
        for tag in tags {
            match tag {
                Appended::Doubted(stream, replica) => doubted.push((stream, replica)),
                Appended::Again { conn, stream, replica } => {
                    answers.insert((conn, stream, replica));
                }
                Appended::Entry { conn, arrival, entry } => {
                    let (stream, name) = (entry.header().stream, entry.name());
                    answers.insert((conn, stream, name.replica));
                    self.figures.entries_saved += 1;
                    self.mark_durable(&entry, arrival, now);
                    runs.entry((stream, conn)).or_insert_with(|| (arrival, Vec::new())).1.push(entry);
                }
                Appended::Drafted => self.handle_drafted(now),
                Appended::Compacted { stream, standing } => self.handle_snapshot(stream, *standing, now),
                Appended::Expired { stream, history } => self.handle_expired(stream, history),
                Appended::Mended { conn, arrival, entry } => self.handle_mended(conn, arrival, &entry),
            }
        }
        for (stream, _) in runs.keys() {
            if let Some(state) = self.streams.get_mut(stream) {
                state.durable.settle(state.durable_arrivals);
            }
        }
        // Who falls behind goes on from the first entry of the commit: runs come by author, not by arrival.
        let mut firsts: BTreeMap<StreamId, u64> = BTreeMap::new();
        for ((stream, _), (arrival, _)) in &runs {
            let first = firsts.entry(*stream).or_insert(*arrival);
            *first = (*first).min(*arrival);
        }
        for ((stream, author), (_, entries)) in runs {
            self.forward(stream, author, firsts[&stream], &entries);
        }
        for (conn, stream, replica) in answers {
            match self.conns.get(&conn) {
                Some(link) if link.proven.contains(&replica) => {
                    self.heads.note((stream, replica), conn, now);
                    self.answer_saved(conn, stream, replica);
                }
                Some(link) if !link.ceded.contains(&replica) => {
                    self.handle_brought(conn, (stream, replica), now);
                }
                Some(_) | None => self.answer_saved(conn, stream, replica),
            }
        }
        for chain in doubted {
            self.handle_doubted(chain, now);
        }
    }

    fn mark_durable(&mut self, entry: &Entry, arrival: u64, now: Now) {
        let name = entry.name();
        let Some(state) = self.streams.get_mut(&entry.header().stream) else { return };
        state.durable.extend(entry);
        state.durable_arrivals = arrival + 1;
        state.durable_bytes += entry.bytes().len() as u64;
        if entry.header().kind == EntryKind::Delete {
            // Its chains left the disk with this commit.
            state.durable = Durable::default();
            state.holes.clear();
            (state.snapshot, state.history) = (None, HistoryRecord::default());
            state.vouched.clear();
            self.pages.forget_stream(&entry.header().stream);
        }
        state.readers.handle_tip(name, arrival);
        self.expect_seen(now);
        self.expect_compaction(&entry.header().stream, now);
    }

    /// One frame for all readers. A day written offline becomes several.
    pub(super) fn forward(&mut self, stream: StreamId, author: ConnId, arrival: u64, mut entries: &[Entry]) {
        while !entries.is_empty() {
            let (now, rest) = entries.split_at(frame_of(entries));
            entries = rest;
            let frame = wire::encode_entries(now);
            let (mut live, mut landing, mut behind) = (Vec::new(), Vec::new(), Vec::new());
            for (conn, link) in self.conns.iter_mut().filter(|(conn, _)| **conn != author) {
                let Some(lane) = link.lane_of(&stream) else { continue };
                if !link.fill.has_room(lane, frame.len()) {
                    behind.push(*conn);
                    continue;
                }
                link.fill.add(lane, frame.len());
                if lane == Lane::Bulk { &mut landing } else { &mut live }.push(*conn);
            }
            self.figures.entries_forwarded += (now.len() * (live.len() + landing.len())) as u64;
            self.send_to_all(landing, Lane::Bulk, frame.clone());
            self.send_to_all(live, Lane::Entries, frame);
            for conn in behind {
                self.fall_behind(conn, stream, arrival);
            }
        }
    }

    /// Asks for what the entries of a frame wait for.
    pub(super) fn ask(&mut self, conn: ConnId, now: Now) {
        let streams = &self.streams;
        let here = |stream, name| streams.get(&stream).is_some_and(|state| state.waiting.holds(&name));
        for (stream, Missing { replica, from, to }) in self.wants.take(here) {
            let unproven = self.conns.get(&conn).is_some_and(|link| !link.proven.contains(&replica));
            if unproven && !self.expect_own_or_forwarded(conn, (stream, replica), now) {
                continue;
            }
            self.send(conn, &Need { stream, replica, from, to }.into());
        }
    }

    fn answer_known(&mut self, conn: ConnId, stream: StreamId, replica: ReplicaId, seq: u64) {
        if self.streams.get(&stream).is_some_and(|state| state.durable_seq(&replica) >= seq) {
            if self.told.insert((conn, stream, replica, Answer::Saved)) {
                self.answer_saved(conn, stream, replica);
            }
        } else if self.again.insert((conn, stream, replica)) {
            self.queue.tag(Appended::Again { conn, stream, replica }, Durability::Strict);
        }
    }

    pub(super) fn answer_saved(&mut self, conn: ConnId, stream: StreamId, replica: ReplicaId) {
        let durable = self.streams.get(&stream).and_then(|state| state.durable.get(&replica));
        if let Some(upto) = durable {
            self.tell_saved(conn, stream, replica, upto);
        }
    }

    pub(super) fn tell_saved(
        &mut self,
        conn: ConnId,
        stream: StreamId,
        replica: ReplicaId,
        (seq, head): (u64, Head),
    ) {
        let saved = Saved { stream, replica, seq, head: head.short() };
        // A `synced` that waits behind pages knows less: to hear it last would look like a loss.
        let landing = self.conns.get(&conn).and_then(|link| link.lane_of(&stream)) == Some(Lane::Bulk);
        let lane = if landing { Lane::Bulk } else { Lane::Control };
        self.answer(conn, lane, &saved.into());
    }

    fn answer_refused(
        &mut self,
        conn: ConnId,
        stream: StreamId,
        replica: ReplicaId,
        seq: u64,
        why: &Refusal,
    ) {
        if !self.told.insert((conn, stream, replica, Answer::Refused)) {
            return;
        }
        let refused = Refused { stream, replica, seq, code: why.code().into(), sentence: why.to_string() };
        self.send(conn, &refused.into());
    }

    pub(super) fn answer_later(&mut self, conn: ConnId, entry: &Entry) {
        let header = entry.header();
        let (stream, replica, seq) = (header.stream, header.replica, header.seq);
        if !self.told.insert((conn, stream, replica, Answer::Later)) {
            return;
        }
        let why = if self.is_damaged(&stream) { LaterWhy::Store } else { LaterWhy::Busy };
        let later = Later { stream, replica, seq, why, after: LATER_AFTER };
        self.send(conn, &later.into());
    }

    pub(super) fn is_damaged(&self, stream: &StreamId) -> bool {
        self.streams.get(stream).is_some_and(|state| state.damaged)
    }

    fn answer_failed(&mut self, appended: &Appended) {
        if let Appended::Entry { conn, entry, .. } = appended {
            let header = entry.header();
            let (stream, replica, seq) = (header.stream, header.replica, header.seq);
            if self.told.insert((*conn, stream, replica, Answer::Later)) {
                let later = Later { stream, replica, seq, why: LaterWhy::Store, after: LATER_AFTER };
                self.send(*conn, &later.into());
            }
        }
    }

    /// After a failed commit: streams go back to nothing and are read from the disk again.
    fn forget_unsaved(&mut self) {
        for (stream, state) in &mut self.streams {
            let readers = std::mem::take(&mut state.readers);
            *state = HomeStream::new(*stream);
            state.readers = readers;
        }
        for link in self.conns.values_mut() {
            link.waiting_bytes = 0;
            link.unborn.clear();
            link.forwarding.forget();
        }
        self.heads.forwarders.clear();
        self.waiting_bytes = 0;
        self.again.clear();
    }
}

/// How many of these entries travel in one frame: at least one, and no more than a frame may hold.
fn frame_of(entries: &[Entry]) -> usize {
    let mut bytes = 0;
    let fits = entries.iter().take(FRAME_ENTRIES).take_while(|entry| {
        bytes += entry.bytes().len();
        bytes <= CATCH_UP_BYTES
    });
    fits.count().max(1)
}

/// Whether an introduction is signed by the person it names. Only a home asks: devices take what their home has taken.
fn introduces_truly(entry: &Entry) -> bool {
    let header = entry.header();
    let signed =
        |op| matches!(op, ChatOp::Introduce(introduction) if introduction.is_signed_for(&header.replica));
    header.kind != EntryKind::Introduce || chat::check(header, entry.payload()).is_ok_and(signed)
}
