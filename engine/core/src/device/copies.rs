//! A copy of this device's store that came to life (rule 12): it writes under the names that stand in it, as this device does.
//!
//! A number says nothing about the words under it. It is believed with the head that stands here, and where the home has
//! something else under a name of ours, or more than we wrote, its entries are compared with ours one by one.

use crate::device::Room;
use crate::device::event::Event;
use crate::device::fork::Why;
use crate::device::journal::Tag;
use crate::device::load::Reading;
use crate::device::pages::Role;
use crate::device::stream::{Body, Own, Phase, Stream};
use crate::ids::{ReplicaId, StreamId};
use crate::log::{Dep, Entry, EntryName, Head, Missing};
use crate::snapshot::Root;
use crate::sorted::{SortedMap, SortedSet};
use crate::storage::{Durability, Page};
use crate::stored::{self, IndexRecord};
use crate::time::Now;
use crate::wire::{Need, Saved};

impl Room {
    /// What the home says it has of a chain of ours.
    pub(super) fn mark_saved(&mut self, id: StreamId, upto: &Dep, now: Now) {
        let Dep { replica, seq, .. } = *upto;
        if !self.identities.contains_key(&replica) {
            return;
        }
        let Some(stream) = self.streams.get(&id) else { return };
        let name = EntryName { replica, seq };
        if self.role == Role::Following && self.gathers(stream) {
            // What it shows may be what was refused. It is told again when it has read the stream.
            return;
        }
        let waits = stream.lacks_snapshot && stream.outbox.contains_key(&replica);
        if seq > stream.log.tip(&replica).seq && !waits {
            // The home holds more in our name than we wrote: what is below may be another's too. Its entries come, and are
            // compared.
            return;
        }
        let wrote = stream.wrote(upto);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.untold.remove(&replica);
        match (wrote, self.role) {
            (Some(true), _) | (None, Role::Following) => self.note_saved(id, name, Some(upto.head)),
            (Some(false), _) => self.meet_other_words(id, name, now),
            // It is older than the chain remembers, and not than the disk.
            (None, Role::Leading) if seq >= stream.saved_upto(&replica) => {
                if seq > stream.saved_upto(&replica) {
                    stream.untold.insert(replica);
                }
                let row = stored::index_key(&id, &replica, seq);
                self.scan_row(row, Reading::Told { stream: id, mark: *upto });
            }
            (None, Role::Leading) => {}
        }
    }

    pub(super) fn handle_told_row(&mut self, id: StreamId, told: &Dep, page: &Page, now: Now) {
        let name = EntryName { replica: told.replica, seq: told.seq };
        let row = page.rows.first().and_then(|(_, row)| IndexRecord::decode(row).ok());
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if row.is_some() || (page.rows.is_empty() && page.damaged.is_empty()) {
            stream.untold.remove(&name.replica);
        }
        let here = stream.log.tip(&name.replica).seq;
        match row.filter(|_| name.seq <= here || stream.lacks_snapshot) {
            Some(row) if row.head.short() == told.head => self.note_saved(id, name, Some(told.head)),
            Some(_) => self.meet_other_words(id, name, now),
            // What a snapshot covers may have left the disk, so it was called saved once: there is nothing to compare.
            None if name.seq <= stream.covered(&name.replica) && page.damaged.is_empty() => {
                self.note_saved(id, name, Some(told.head));
            }
            // The head is not to be had here, the entries may be.
            None => self.compare_chain(id, name),
        }
    }

    /// Promise 3: only now does the outbox forget. The page that wrote it hears of it too: it may have nothing left to
    /// compare with. The head is the one that the home has told, if it was believed.
    pub(super) fn note_saved(&mut self, id: StreamId, upto: EntryName, told: Option<[u8; 8]>) {
        let EntryName { replica, seq } = upto;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let mark = told.or_else(|| stream.head_of(&upto)).map(|head| Dep { replica, seq, head });
        // Also what was told before: an entry read from the disk again may have been saved on another way meanwhile.
        stream.forget_outbox(upto);
        stream.marks.handle_saved(upto);
        stream.marks.relay_waits = false;
        if let Some(mark) = mark {
            stream.question.note_at_least(mark);
        }
        let saved = stream.saved.entry(replica).or_default();
        let first = *saved + 1;
        *saved = seq.max(*saved);
        self.events.push(Event::SaveStatus(id));
        if let Some(Dep { head, .. }) = mark {
            self.pass_on(replica, || Saved { stream: id, replica, seq, head }.into());
        }
        if seq < first {
            return;
        }
        if let Some(open) = self.streams.get_mut(&id).and_then(Stream::channel_mut) {
            open.channel.touch_all(replica, first, seq);
            self.events.push(Event::Channel(id));
        }
        self.queue.put(stored::saved_key(&id, &replica), stored::encode_number(seq));
    }

    /// The home has other words under a name of ours: this store was copied and the other copy was first.
    pub(super) fn meet_other_words(&mut self, id: StreamId, name: EntryName, now: Now) {
        if self.role == Role::Following {
            return self.leave_clone(id, name, now);
        }
        let Some(stream) = self.streams.get(&id).filter(|stream| !stream.parted.contains(&name.replica))
        else {
            return;
        };
        if stream.saved_upto(&name.replica) >= name.seq {
            // The home was restored, and the other copy was first this time: what this disk has of it is offered again.
            self.doubt_saved(Some((id, name.replica)));
            return self.read_lost(id);
        }
        if stream.own != Own::Unread && self.unsaved_from(id, EntryName { seq: 0, ..name }).is_empty() {
            // There is nothing to compare: it has left the disk.
            return self.outrun(id, name, Why::cloned());
        }
        self.compare_chain(id, name);
    }

    /// A home in a new epoch may lack what it called saved, and have the other copy's words there: it has to say so again,
    /// with the head that stands here. So it has to of one chain where it has told another head.
    pub(super) fn doubt_saved(&mut self, only: Option<(StreamId, ReplicaId)>) {
        for (id, stream) in self.streams.iter_mut() {
            for (replica, saved) in stream.saved.iter_mut() {
                let meant = only.is_none_or(|only| only == (*id, *replica));
                if meant && self.identities.contains_key(replica) {
                    (stream.own, *saved) = (Own::Unread, 0);
                    self.queue.put(stored::saved_key(id, replica), stored::encode_number(0));
                }
            }
            if only.is_none() {
                (stream.parted, stream.untold) = (SortedSet::new(), SortedSet::new());
                stream.returned = SortedMap::new();
            }
            if let Body::Channel(open) = &mut stream.body
                && stream.own == Own::Unread
            {
                open.channel.show_anew();
                self.events.push(Event::Channel(*id));
            }
        }
    }

    /// Whether an entry of this device's is on its disk, though it counts as saved no more and is in no outbox yet.
    pub(super) fn is_unread_own(&self, stream: &Stream, name: EntryName) -> bool {
        let id = stream.log.stream();
        let unread = stream.own != Own::Read || self.reads_lost(id);
        unread && self.on_its_way(id, name).is_none()
    }

    /// An entry that waits for the disk.
    fn on_its_way(&self, id: StreamId, name: EntryName) -> Option<&Entry> {
        let mut waiting = self.queue.waiting().filter_map(Tag::entry);
        waiting.find(|entry| (entry.header().stream, entry.name()) == (id, name))
    }

    /// A page that follows: the page that leads has other words there.
    fn leave_clone(&mut self, id: StreamId, name: EntryName, now: Now) {
        let held = self.streams.get(&id).and_then(|stream| stream.outbox.get(&name.replica)?.front());
        match held.map(|first| first.entry.name()) {
            Some(first) => self.close_replica(id, first, &Why::cloned(), now),
            None => self.events.damaged(id, "replica.cloned"),
        }
    }

    /// Asks for what the home has of a chain of ours above what it called saved. What there is here is read first.
    pub(super) fn compare_chain(&mut self, id: StreamId, upto: EntryName) {
        let EntryName { replica, seq: to } = upto;
        let Some(stream) = self.streams.get(&id) else { return };
        if stream.own == Own::Unread {
            self.read_lost(id);
        }
        let Some(stream) = self.streams.get(&id) else { return };
        let from = stream.saved_upto(&replica) + 1;
        self.send_if_live(&Need { stream: id, replica, from, to }.into());
    }

    /// Whether an entry from the home has a name of ours, above what it called saved, while we have such work ourselves.
    pub(super) fn is_returned(&self, entry: &Entry) -> bool {
        let EntryName { replica, seq } = entry.name();
        let Some(stream) = self.streams.get(&entry.header().stream) else { return false };
        let saved = stream.saved_upto(&replica);
        let wrote = stream.log.tip(&replica).seq > saved || stream.outbox.contains_key(&replica);
        self.identities.contains_key(&replica) && seq > saved && wrote
    }

    /// Such an entry is the one that was written here, or another copy's. Nothing is put on top of what was not compared.
    pub(super) fn take_returned(&mut self, entry: &Entry) {
        let (id, name) = (entry.header().stream, entry.name());
        let EntryName { replica, seq } = name;
        let Some(stream) = self.streams.get(&id) else { return };
        let saved = stream.saved_upto(&replica);
        let ends = |tag: &Tag| matches!(tag, Tag::Outrun { stream, .. } if *stream == id);
        if self.queue.waiting().any(ends) {
            // It is known where they part, and the rest comes when the stream is read again.
            return;
        }
        if seq > saved + 1 {
            if !stream.question.compared.contains(&replica) {
                self.wants.add(id, &[Missing { replica, from: saved + 1, to: seq }]);
            }
            return;
        }
        let returned = stream.next_head(&stream.returned, entry);
        let held = stream.held_as(&name).map(|held| &held.entry).or_else(|| self.on_its_way(id, name));
        let is_ours = match held.map(|held| held.bytes() == entry.bytes()) {
            None if self.reads_lost(id) => return,
            None => match (returned.zip(stream.log.head_at(&name)), stream.own) {
                (Some((returned, here)), _) if returned == here => true,
                (_, Own::Unread) => return self.read_lost(id),
                (Some(_), _) => false,
                // It may be the one whose row cannot be read. It is not called saved on the word of the home alone.
                (None, Own::Damaged) => false,
                // It was called saved once, and has left the disk: there is nothing to compare before the chain ends.
                (None, Own::Read) => true,
            },
            Some(is_same) => is_same,
        };
        if !is_ours {
            return self.outrun(id, name, Why::cloned());
        }
        if let Some((stream, head)) = self.streams.get_mut(&id).zip(returned) {
            stream.returned.insert(replica, (seq, head));
        }
        self.note_saved(id, name, None);
    }

    /// Whether what somebody else builds on is not what stands here under a name of ours. Then that is compared first, and
    /// this entry comes again.
    pub(super) fn builds_on_other_words(&mut self, entry: &Entry) -> bool {
        let id = entry.header().stream;
        let Some(stream) = self.streams.get(&id).filter(|_| self.role == Role::Leading) else { return false };
        let differs = |dep: &&Dep| {
            let unsaved = dep.seq > stream.saved_upto(&dep.replica);
            self.identities.contains_key(&dep.replica) && unsaved && stream.wrote(dep) == Some(false)
        };
        let Some(Dep { replica, seq: to, .. }) = entry.header().deps.iter().find(differs).copied() else {
            return false;
        };
        let from = stream.saved_upto(&replica) + 1;
        self.wants.add(id, &[Missing { replica, from, to }]);
        true
    }

    /// Others' words stand where this device has written. To a page that slept while another sealed what it had left it looks
    /// the same: the disk knows.
    pub(super) fn outrun(&mut self, stream: StreamId, from: EntryName, why: Why) {
        self.queue.tag(Tag::Outrun { stream, from, why }, Durability::Relaxed);
    }

    /// The disk is this page's, so somebody else was first.
    pub(super) fn give_way(&mut self, id: StreamId, from: EntryName, why: &Why, now: Now) {
        let Some(stream) = self.streams.get(&id) else { return };
        // What it was for is found out again when all of it is here.
        if (stream.phase != Phase::Ready && !stream.lacks_snapshot) || self.reads_lost(id) {
            return;
        }
        let saved = stream.saved_upto(&from.replica);
        let stands = stream.log.tip(&from.replica).seq >= from.seq;
        let (is_saved, seq) = (saved >= from.seq, from.seq.max(saved + 1));
        if is_saved && (stream.own == Own::Damaged || stream.is_refused(from)) {
            // The home has vouched for what was in doubt meanwhile, or for what it put in the place of what was set aside.
            return;
        }
        let from = EntryName { seq, ..from };
        if self.unsaved_from(id, from).is_empty() {
            if !stands {
                // It has given way already.
                return;
            }
            match stream.own {
                Own::Unread => return self.read_lost(id),
                Own::Read => return self.part(id, from.replica, why, now),
                Own::Damaged => {}
            }
        }
        // So that it can be kept whole a text that nobody looks at is read first.
        if !self.open_first(id) {
            self.close_replica(id, from, why, now);
        }
    }

    /// Nothing of a chain of ours is left that could be compared or kept: it counts as saved, as it did once, and writing goes
    /// on under another name.
    fn part(&mut self, id: StreamId, replica: ReplicaId, why: &Why, now: Now) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.parted.insert(replica);
        // Only that lets what is written from now on stand on what the home has.
        stream.wants_newer = true;
        let seq = stream.log.tip(&replica).seq;
        self.note_saved(id, EntryName { replica, seq }, None);
        // The next start finds out again, as it may be beside another home.
        self.queue.put(stored::saved_key(&id, &replica), stored::encode_number(0));
        self.close_replica(id, EntryName { replica, seq: seq + 1 }, why, now);
    }
}

impl Stream {
    /// The head at an entry that was sent or read, if it is known what stood there before it.
    pub(super) fn next_head(&self, met: &SortedMap<ReplicaId, (u64, Head)>, entry: &Entry) -> Option<Head> {
        let EntryName { replica, seq } = entry.name();
        let before = seq.checked_sub(1)?;
        let head = match met.get(&replica) {
            Some((upto, head)) if *upto == before => Some(*head),
            _ if before == 0 => Some(Head::START),
            _ => self
                .log
                .head_at(&EntryName { replica, seq: before })
                .or_else(|| self.covered_head(replica, before)),
        };
        Some(head?.next(entry))
    }

    /// The head that the snapshot on the disk ends a chain with, if it ends there.
    fn covered_head(&self, replica: ReplicaId, seq: u64) -> Option<Head> {
        let mut tips = self.snapshot.as_ref()?.tips();
        Some(tips.find(|(of, tip)| (*of, tip.seq) == (replica, seq))?.1.head)
    }

    /// What the home has of a chain that is not to be compared any more stands here as well, once a snapshot has brought it.
    pub(super) fn rejoin_parted(&mut self, root: &Root) {
        for (replica, tip) in root.tips() {
            if tip.seq >= self.log.tip(&replica).seq && self.parted.remove(&replica) {
                self.log.restore(replica, tip);
            }
        }
    }
}
