//! What this device tells of the chains it holds (rule 5): a digest, and chain by chain only where the other end asks.
//!
//! The digest is of what the other end is taken to hold: of this device's own work only what was called saved. So it is
//! one that a home had, also while something waits in the outbox.

use crate::device::Room;
use crate::device::event::Event;
use crate::device::pages::Role;
use crate::device::stream::{Own, Phase, Stream, Sync};
use crate::ids::{ReplicaId, StreamId};
use crate::limits::{DEVICE_TAIL, TOLD_CHAINS};
use crate::log::{Dep, Digest, EntryName, Group, Head, RoomDigest, differing, groups_of, marks_of};
use crate::sorted::SortedSet;
use crate::time::{Millis, Now};
use crate::wire::{Compare, Subscribe, Synced};

/// The newest question about a stream.
#[derive(Debug)]
pub(super) struct Question {
    number: u64,
    /// Chains of this device as the other end holds them, if it says nothing else; taken with the answer.
    own: Option<Vec<Dep>>,
    /// Those of which it has said something.
    told: SortedSet<ReplicaId>,
    /// Chains of ours of which entries were asked for: what comes above these meanwhile asks for no more.
    pub(super) compared: SortedSet<ReplicaId>,
    /// A snapshot came that is not taken before something was compared.
    pub(super) declined: bool,
}

/// A chain up to where the other end is taken to hold it.
pub(super) type Known = (ReplicaId, u64, Head);

impl Room {
    /// Asks the home for what is missing of a stream and to be kept up to date.
    pub(super) fn subscribe(&mut self, id: StreamId, now: Now) {
        let Some(stream) = self.streams.get(&id).filter(|_| self.link.is_live()) else { return };
        let reads_leader = self.role == Role::Following;
        // On a new link it is asked for all the same, so that what is written here goes out.
        if !self.asks(stream) || (stream.is_full() && stream.sync != Sync::Off) {
            return;
        }
        if self.steps.builds(id, stream.reading) {
            // The leader has sent all: when the text is built it is asked anew.
            self.streams.get_mut(&id).into_iter().for_each(|stream| stream.sync = Sync::Asked(now.monotonic));
            return;
        }
        let (known, own) = self.known_there(id);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if matches!(stream.phase, Phase::Loading | Phase::Rebuilding) && reads_leader {
            // A page that follows reads from its leader.
            stream.gathered.clear();
            (stream.snapshot, stream.pages) = (None, Vec::new());
        }
        // One that came may have been too old to end it.
        let wants_newer = stream.tail >= DEVICE_TAIL || stream.wants_newer || stream.parted.len() > 0;
        let newest_but = (wants_newer && !reads_leader).then(|| stream.newest_seen());
        stream.question.number += 1;
        stream.question.own = Some(own);
        stream.question.told.clear();
        stream.question.compared.clear();
        stream.question.declined = false;
        stream.sync = Sync::Asked(now.monotonic);
        let question = stream.question.number;
        let digest = Digest::of_chains(&known);
        self.send(&Subscribe { stream: id, question, digest, newest_but }.into());
    }

    /// Whether the other end is asked for a stream. One that is being read here is asked for when that is done.
    pub(super) fn asks(&self, stream: &Stream) -> bool {
        match stream.phase {
            Phase::Ready | Phase::Gone => true,
            Phase::Loading | Phase::Rebuilding => self.role == Role::Following || stream.lacks_snapshot,
            Phase::Meeting => stream.lacks_snapshot,
        }
    }

    /// The same, but not before `at`.
    pub(super) fn subscribe_after(&mut self, id: StreamId, at: Millis) {
        if let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.sync != Sync::Off) {
            stream.sync = Sync::Waiting(at);
        }
    }

    /// The digest of the room for hello, and the streams it counts.
    pub(super) fn room_digest(&self) -> (Digest, Vec<StreamId>) {
        let (mut room, mut counted) = (RoomDigest::default(), Vec::new());
        for (id, stream) in self.streams.iter() {
            let (known, _) = self.known_there(*id);
            if !known.is_empty() && stream.phase != Phase::Gone {
                room.add(id, &Digest::of_chains(&known));
                counted.push(*id);
            }
        }
        (room.finish(), counted)
    }

    /// The home holds just what was told of the room in hello: these streams are followed without a question.
    pub(super) fn join_in_step(&mut self, counted: &[StreamId], now: Now) {
        for id in self.streams.keys().copied().collect::<Vec<_>>() {
            let Some(stream) = self.streams.get(&id) else { continue };
            let follows = counted.contains(&id) && stream.phase == Phase::Ready && stream.tail < DEVICE_TAIL;
            if !follows || self.is_in_doubt(stream) {
                self.subscribe(id, now);
                continue;
            }
            self.streams
                .get_mut(&id)
                .into_iter()
                .for_each(|stream| stream.sync = Sync::Following(now.monotonic));
            self.offer_outbox(id, now);
            self.fetch_older(id);
            self.events.push(Event::SaveStatus(id));
        }
        self.tick_journals(now);
    }

    /// Whether the home is to say once more what it has of this device's work.
    fn is_in_doubt(&self, stream: &Stream) -> bool {
        let mut ours = stream.log.tips().filter(|(replica, _)| self.identities.contains_key(replica));
        let lacks_some = stream.own == Own::Unread && ours.any(|(of, tip)| stream.saved_upto(&of) < tip.seq);
        lacks_some || stream.untold.len() > 0
    }

    /// The other end does not know our digest: where we differ, it is told chain by chain.
    pub(super) fn handle_compare(&mut self, compare: &Compare) {
        let Compare { stream: id, question, from, ref groups, .. } = *compare;
        let (known, ours) = self.known_there(id);
        let Some(asked) = self.streams.get_mut(&id).filter(|stream| stream.question.number == question)
        else {
            return;
        };
        asked.question.lower(&ours, &from);
        let Some(stream) = self.streams.get(&id) else { return };
        let groups = differing(&marks_of(&groups_of(&known)), groups, Group::of(&from));
        let (mut above, mut own, mut more) = (Vec::new(), Vec::new(), false);
        for (replica, tip) in stream.log.tips() {
            if known.is_empty() || replica <= from || !groups.contains(&Group::of(&replica).0) {
                continue;
            }
            more = above.len() + own.len() == TOLD_CHAINS;
            if more {
                break;
            }
            match self.role {
                // What there is more of it comes with a snapshot.
                Role::Leading if stream.parted.contains(&replica) => own.push((replica, u64::MAX)),
                Role::Leading if self.is_ours(stream, &replica) => own.push((replica, tip.seq)),
                Role::Leading => above.push((replica, tip.seq)),
                // The page that leads knows what this device wrote: all of it, or it was refused.
                Role::Following => above.push((replica, stream.handed_over(&replica))),
            }
        }
        self.send(&Compare { stream: id, question, from, groups, above, own, more }.into());
    }

    /// Chains of ours as the home holds them, once for each question; `None` if this answers an older one.
    pub(super) fn take_answer(&mut self, synced: &Synced) -> Option<Vec<Dep>> {
        let question = &mut self.streams.get_mut(&synced.stream)?.question;
        (question.number == synced.question).then(|| question.own.take().unwrap_or_default())
    }

    /// Chains as the other end is taken to hold them, in the order of their replicas; and ours as marks, with number 0 for
    /// those of which it is not taken to hold anything.
    pub(super) fn known_there(&self, id: StreamId) -> (Vec<Known>, Vec<Dep>) {
        let (mut known, mut ours) = (Vec::new(), Vec::new());
        let reads = |stream: &Stream| matches!(stream.phase, Phase::Loading | Phase::Rebuilding);
        let stream = self.streams.get(&id).filter(|stream| self.role == Role::Leading || !reads(stream));
        let Some(stream) = stream else { return (known, ours) };
        for (replica, tip) in stream.log.tips() {
            let seq = match self.role {
                Role::Leading if self.identities.contains_key(&replica) => {
                    match stream.saved_upto(&replica) {
                        // In doubt it is taken to be there: where it is not, the home says up to where it has it.
                        0 if stream.own == Own::Unread => stream.handed_over(&replica),
                        saved => saved,
                    }
                }
                Role::Leading => tip.seq,
                Role::Following => stream.handed_over(&replica),
            };
            let kept = seq;
            // What the chain does not remember is taken to be there: if it is not, the groups tell.
            let head =
                if seq == 0 { Some(Head::START) } else { stream.log.head_at(&EntryName { replica, seq }) };
            let (seq, head) = head.map_or((tip.seq, tip.head), |head| (seq, head));
            if seq > 0 {
                known.push((replica, seq, head));
            }
            if self.is_ours(stream, &replica) {
                // The page that leads may have what is not on the disk yet, and then says nothing else.
                let seq = if self.role == Role::Following { kept } else { seq };
                ours.push(Dep { replica, seq, head: head.short() });
            }
        }
        (known, ours)
    }

    /// Whether the other end is to say what it has of a chain.
    fn is_ours(&self, stream: &Stream, replica: &ReplicaId) -> bool {
        self.identities.contains_key(replica) || stream.outbox.contains_key(replica)
    }
}

impl Question {
    pub(super) fn new() -> Self {
        Self { number: 0, own: None, told: SortedSet::new(), compared: SortedSet::new(), declined: false }
    }

    /// No answer is awaited any more.
    pub(super) fn forget(&mut self) {
        self.own = None;
    }

    /// Groups are compared as things stand now. What the disk has answered for since it was asked has not been sent to
    /// anybody, so it is taken not to be there unless the other end says that it is.
    fn lower(&mut self, ours: &[Dep], from: &ReplicaId) {
        let Self { own, told, .. } = self;
        let untold = |mark: &&mut Dep| mark.replica > *from && !told.contains(&mark.replica);
        for mark in own.iter_mut().flatten().filter(untold) {
            let now = ours.iter().find(|now| now.replica == mark.replica && now.seq < mark.seq);
            *mark = now.copied().unwrap_or(*mark);
        }
    }

    /// What the home says of one of them.
    pub(super) fn note(&mut self, mark: Dep) {
        let Some(own) = &mut self.own else { return };
        self.told.insert(mark.replica);
        match own.iter_mut().find(|other| other.replica == mark.replica) {
            Some(other) => *other = mark,
            None => own.push(mark),
        }
    }

    /// What a snapshot of the home covers it has; it may have said of more.
    pub(super) fn note_at_least(&mut self, mark: Dep) {
        let told = self.own.iter().flatten().find(|other| other.replica == mark.replica);
        if told.is_none_or(|told| told.seq < mark.seq) {
            self.note(mark);
        }
    }
}
