//! A page becomes the one that leads: it takes the disk over and brings what it knows together with what is there.
//!
//! All that is not on the disk is this page's own work, so meeting the disk is one walk along it: an entry is known here
//! already or joins like one from a link, and what was held and is not there is written.

use std::collections::VecDeque;

use crate::device::boot::Boot;
use crate::device::event::Event;
use crate::device::fork::Why;
use crate::device::forks::Return;
use crate::device::journal::Tag;
use crate::device::load::Reading;
use crate::device::pages::{PageOutput, Role};
use crate::device::stream::{Body, Journal, Phase, Stream, Unsaved};
use crate::device::{Output, Room};
use crate::ids::{ReplicaId, StreamId};
use crate::log::{Entry, EntryKind, EntryName, Verdict};
use crate::sorted::{self, SortedMap};
use crate::storage::{Durability, Page};
use crate::stored;
use crate::time::Now;

/// What was met on the disk so far of a stream that is in use.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// Entries that the home has not saved.
    unsaved: Vec<(u64, Entry)>,
    tips: SortedMap<ReplicaId, u64>,
}

impl Met {
    fn note(&mut self, name: EntryName) {
        let tip = self.tips.entry(name.replica).or_default();
        *tip = (*tip).max(name.seq);
    }

    fn tip(&self, replica: &ReplicaId) -> u64 {
        self.tips.get(replica).copied().unwrap_or(0)
    }
}

impl Room {
    pub(super) fn take_over(&mut self, now: Now) {
        if self.role == Role::Leading {
            // Somebody else says so of itself: the disk knows.
            return self.queue.touch();
        }
        self.leave_for(Role::Leading, now);
        (self.disk_retry_at, self.commit_failed) = (None, false);
        self.scans.clear();
        self.queue.abandon();
        // Nothing is written before it is known what is there.
        for (_, stream) in self.streams.iter_mut() {
            if stream.phase == Phase::Ready {
                stream.phase = Phase::Meeting;
            }
        }
        // What is kept the disk tells.
        self.forks.forget_kept();
        for aside in self.forks.unkept() {
            let stream = aside.stream;
            self.put_aside(aside);
            self.queue.tag(Tag::Journaled { stream, edit: 0 }, Durability::Strict);
        }
        // What was remembered with a leader may not be on this disk, and nothing is sent without its key.
        let wrote = self.current_on_disk;
        let current = self.current;
        for replica in self.minted.clone() {
            if wrote || replica != current {
                self.remember(replica);
            }
        }
        self.show_channels();
        self.boot = Boot::start();
        self.boot_next();
    }

    /// Another page leads: this one owns neither disk nor link any more. What is on its way to the disk has not reached
    /// it, and is handed to the new leader.
    pub(super) fn step_down(&mut self, now: Now) {
        if self.role == Role::Following {
            return;
        }
        self.dismiss_all(now);
        self.boot = Boot::start();
        self.leave_for(Role::Following, now);
        self.scans.clear();
        self.disk_retry_at = None;
        self.outputs.retain(|output| !matches!(output, Output::Commit(..) | Output::Scan(..)));
        self.outputs.push_back(Output::Page(PageOutput::Yield));
        let tags = self.queue.abandon();
        self.hand_on_done(&tags);
        let on_its_way: Vec<Entry> = tags.iter().filter_map(Tag::entry).cloned().collect();
        for id in self.streams.keys().copied().collect::<Vec<_>>() {
            self.unsent_stays(id);
            let of_stream = on_its_way.iter().filter(|entry| entry.header().stream == id);
            let is_others = tags.iter().any(|tag| self.is_others_work(tag, id));
            self.hand_back(id, of_stream.cloned().collect(), is_others, now);
        }
        for stream in std::mem::take(&mut self.wanted) {
            self.load_stream(stream);
        }
        self.show_channels();
    }

    /// What the home has not called saved the new leader tells; until then it is as it was.
    fn unsent_stays(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.unsent_told = stream.has_outbox() || (stream.unsent_told && !stream.is_read());
        }
    }

    /// The link goes to somebody else from now on.
    fn leave_for(&mut self, role: Role, now: Now) {
        let before = self.connection();
        self.let_go(now);
        self.role = role;
        if self.connection() != before {
            self.events.push(Event::Connection);
        }
    }

    /// What is on its way to the disk and not this page's to hand over: a snapshot has brought the stream to where the disk
    /// is not, or this page has written for other pages. What came from the home under their names is the home's.
    fn is_others_work(&self, tag: &Tag, id: StreamId) -> bool {
        match tag {
            Tag::Snapshot { stream, .. } => *stream == id,
            Tag::Sealed(unsaved) => {
                let EntryName { replica, .. } = unsaved.entry.name();
                unsaved.entry.header().stream == id && !self.minted.contains(&replica)
            }
            Tag::Taken(_)
            | Tag::Journaled { .. }
            | Tag::Rebuild(_)
            | Tag::Load(_)
            | Tag::Outrun { .. }
            | Tag::Suspicion { .. }
            | Tag::Aside { .. }
            | Tag::AsideDone(_) => false,
        }
    }

    /// One stream of a page that led and does so no more.
    fn hand_back(&mut self, id: StreamId, on_its_way: Vec<Entry>, is_others: bool, now: Now) {
        let author = self.author(id);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let mut held = stream.take_held();
        stream.journal.sealing = false;
        match stream.phase {
            Phase::Gone | Phase::Ready => held.clear(),
            // What was not brought together with the disk yet is held on.
            Phase::Loading | Phase::Rebuilding | Phase::Meeting => {
                // What other pages wrote they bring again; what came from the home nobody does.
                held.retain(|entry| {
                    let EntryName { replica, .. } = entry.name();
                    self.minted.contains(&replica) || !self.identities.contains_key(&replica)
                });
                held.retain(|entry| on_its_way.iter().all(|other| other.name() != entry.name()));
            }
        }
        let on_its_way = [held, on_its_way].concat();
        match stream.phase {
            Phase::Gone => {}
            Phase::Loading | Phase::Rebuilding => {
                let own = on_its_way.into_iter().filter(|entry| self.minted.contains(&entry.name().replica));
                let standing: Vec<Entry> = own.filter(|entry| !stream.is_refused(entry.name())).collect();
                standing.into_iter().for_each(|entry| stream.hold(entry));
                self.read_again(id);
            }
            // The new leader has found the journal there and sealed it under this page's name.
            Phase::Ready | Phase::Meeting if stream.journal_on_disk => {
                self.leave_claimed_chain(id, author, on_its_way, now);
            }
            Phase::Ready | Phase::Meeting if is_others => self.leave_others_work(id, on_its_way, now),
            Phase::Ready | Phase::Meeting => {
                stream.phase = Phase::Ready;
                let Journal { updates, written, pieces, since, .. } = &mut stream.journal;
                (*written, *pieces) = (0, 0);
                *since = (!updates.is_empty()).then_some(now.monotonic);
                for entry in on_its_way {
                    stream.hold(entry);
                }
            }
        }
    }

    /// What dead pages left the new leader has found and sealed anew, and what other pages wrote they bring again: the
    /// stream is read from the leader, and of what was on its way only this page's own work is held.
    fn leave_others_work(&mut self, id: StreamId, on_its_way: Vec<Entry>, now: Now) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let own = on_its_way.into_iter().filter(|entry| self.minted.contains(&entry.name().replica));
        own.for_each(|entry| stream.hold(entry));
        stream.leave();
        let wrote = !stream.journal.updates.is_empty();
        self.read_again(id);
        let why = Why::claimed();
        self.keep_journal(id, &why, now);
        if wrote {
            self.tell_fork(id, &why);
        }
    }

    /// The new leader has found this page's journal on the disk and sealed it under this page's name: what had not got
    /// there becomes a fork, the rest is read from the leader, and writing goes on under a new name.
    fn leave_claimed_chain(&mut self, id: StreamId, author: ReplicaId, on_its_way: Vec<Entry>, now: Now) {
        let why = Why::claimed();
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let on_disk = stream.marks.on_disk();
        let mut sealed = Vec::new();
        let mut base = stream.log.tip(&author).seq;
        for entry in on_its_way {
            let EntryName { replica, seq } = entry.name();
            if replica == author {
                base = base.min(seq - 1);
                if entry.header().kind == EntryKind::Edit {
                    sealed.push(entry.payload().to_vec());
                }
            } else if self.minted.contains(&replica) {
                stream.hold(entry);
            }
        }
        let journal = stream.take_journal();
        let mut edit = stream.marks.newest() - journal.iter().map(|unsealed| unsealed.edits).sum::<u64>();
        let mut lost = Vec::new();
        for unsealed in journal {
            edit += unsealed.edits;
            // A part that completes nothing is of the edit behind it.
            if edit > on_disk || (edit == on_disk && unsealed.edits == 0) {
                lost.push(unsealed.update);
            }
        }
        stream.leave();
        let forked = !sealed.is_empty() || !lost.is_empty();
        stream.marks.handle_claimed(author);
        // What goes back may be the same work, so it waits for this too.
        stream.leftovers.push(EntryName { replica: author, seq: base });
        self.read_again(id);
        // Not under the names they had: the new leader gives these to what it seals of the journal.
        self.keep_pieces(id, author, &sealed, &why, now);
        self.keep_pieces(id, author, &lost, &why, now);
        if forked {
            self.tell_fork(id, &why);
        }
        if self.current == author {
            self.mint();
        }
    }

    /// Applies what the disk has of a stream that is in use already.
    pub(super) fn meet_disk(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.phase = Phase::Meeting;
        stream.arrivals = 0;
        self.scan_entries(id);
    }

    /// What the disk's snapshot covers and this page does not know yet joins.
    pub(super) fn meet_snapshot(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let pages = std::mem::take(&mut stream.pages);
        let Some(root) = stream.snapshot.as_ref() else { return };
        let was_here = stream.log.reaches(root.tips());
        if stream.channel().is_some_and(|open| !open.channel.may_take(root)) {
            // The one that this page was sent rotted on the disk, and another came in its place.
            let (id, lacking) = (root.id(), root.marks());
            return stream.pass_over(id, lacking);
        }
        let page = pages.first().map_or(&[][..], Vec::as_slice);
        if let Body::Channel(open) = &mut stream.body {
            open.cover(root, page, pages.get(1).map(Vec::as_slice), was_here);
        }
        if !was_here {
            stream.log.cover(root.tips(), &root.frontier);
            self.apply_page(id, page);
            // Another page may lead before the rest is read.
            self.apply_fresh(id);
        }
    }

    pub(super) fn handle_met_page(&mut self, id: StreamId, turn: u64, mut met: Met, page: Page, now: Now) {
        if let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.reading == turn) {
            // Nothing new is put in the place of what is damaged.
            for (_, arrival) in page.damaged.iter().filter_map(|key| stored::parse_entry_key(key)) {
                stream.arrivals = stream.arrivals.max(arrival + 1);
                self.events.damaged(id, "store.record");
            }
        }
        for (key, value) in page.rows {
            let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.reading == turn) else {
                return;
            };
            let Some((_, arrival)) = stored::parse_entry_key(&key) else { continue };
            stream.arrivals = stream.arrivals.max(arrival + 1);
            match stored::decode_entry(value) {
                Ok(entry) => {
                    self.meet_entry(id, &entry);
                    met.note(entry.name());
                    if self.is_unsaved(id, entry.name()) {
                        met.unsaved.push((arrival, entry));
                    }
                }
                Err(_) => self.events.damaged(id, "store.record"),
            }
        }
        self.work_off(id, now);
        match page.more {
            Some(start) => {
                let (_, end) = stored::entry_range(&id, 0, u64::MAX);
                self.scan(super::load::whole(start, end), Reading::Meeting(id, turn, met));
            }
            None => self.finish_meeting(id, met, now),
        }
    }

    fn meet_entry(&mut self, id: StreamId, entry: &Entry) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        match stream.log.judge(entry) {
            Verdict::Known => {
                stream.marks.handle_kept(entry.name());
                if let Some(open) = stream.channel_mut() {
                    open.channel.touch(entry.name());
                    self.events.push(Event::Channel(id));
                }
                if let Some(held) = stream.outbox.get_mut(&entry.name().replica) {
                    held.retain(|held| held.entry.name() != entry.name());
                }
            }
            Verdict::Fresh(accepted) => {
                stream.log.extend(entry, accepted);
                self.apply_later(entry, accepted);
            }
            Verdict::Waits(_) | Verdict::Refused(_) => {
                self.events.damaged(id, "store.order");
            }
        }
    }

    /// What is in this device's chains and nowhere else: neither met on the disk, nor on its way there, nor held here. Refused
    /// work is found by its fork as long as there is one.
    fn gone_from_disk(&self, id: StreamId, met: &Met) -> Vec<EntryName> {
        let Some(stream) = self.streams.get(&id) else { return Vec::new() };
        let mut gone = Vec::new();
        for (replica, seq) in self.on_disk(&id) {
            let held = stream.outbox.get(&replica).and_then(VecDeque::front);
            let seq = held.map_or(seq, |held| seq.min(held.entry.name().seq - 1));
            let covered = stream.snapshot.as_ref().map_or(0, |root| root.covered(&replica));
            let there = met.tip(&replica).max(covered).max(self.boot.tip(id, replica));
            if seq > there && self.identities.contains_key(&replica) {
                gone.push(EntryName { replica, seq: there + 1 });
            }
        }
        gone
    }

    fn is_unsaved(&self, id: StreamId, name: EntryName) -> bool {
        let saved = self.streams.get(&id).and_then(|stream| stream.saved.get(&name.replica));
        self.identities.contains_key(&name.replica) && saved.is_none_or(|saved| name.seq > *saved)
    }

    fn finish_meeting(&mut self, id: StreamId, met: Met, now: Now) {
        let gone = self.gone_from_disk(id, &met);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if let Some(from) = stream.refused_here().or(gone.first().copied()) {
            // It was taken off the disk while this page heard nothing. What is its own it must not write anew under
            // names that others may have met.
            let own = gone.iter().filter(|first| self.minted.contains(&first.replica));
            stream.closed.extend(own.map(|first| (first.replica, first.seq)));
            stream.refuse_dependants(&gone);
            return self.leave_branch(id, from, &Why::unheard(), now);
        }
        let held = stream.take_held();
        for (arrival, entry) in met.unsaved {
            let name = entry.name();
            let head = stream.log.head_at(&name).map(|head| head.short());
            stream.outbox.entry(name.replica).or_default().push_back(Unsaved { arrival, head, entry });
        }
        stream.phase = Phase::Ready;
        if let Some(open) = stream.channel_mut() {
            open.channel.show_anew();
            self.events.push(Event::Channel(id));
        }
        for entry in held {
            self.remember(entry.name().replica);
            self.keep(entry, now);
        }
        self.fetch_older(id);
        self.read_leftovers(id, now);
    }

    /// Hands an entry of this device to the disk, or holds it until there is one.
    pub(super) fn keep(&mut self, entry: Entry, now: Now) {
        let meeting = self.streams.get(&entry.header().stream).is_some_and(|s| s.phase == Phase::Meeting);
        if self.role == Role::Following || meeting {
            return self.hold(entry, now);
        }
        let arrival = self.store_entry(&entry);
        if self.identities.contains_key(&entry.name().replica) {
            let stream = self.streams.get(&entry.header().stream);
            let head = stream.and_then(|stream| stream.log.head_at(&entry.name())).map(|head| head.short());
            let edit = stream.and_then(|stream| stream.marks.edit_in(entry.name()));
            let id = entry.header().stream;
            self.queue.tag(Tag::Sealed(Box::new(Unsaved { arrival, head, entry })), Durability::Strict);
            self.take_forks_along(id, edit.unwrap_or(0));
        } else {
            self.queue.tag(Tag::Taken(Box::new(entry)), Durability::Relaxed);
        }
    }
}

impl Stream {
    /// It is read again from the page that leads now.
    fn leave(&mut self) {
        self.phase = Phase::Rebuilding;
        (self.moved, self.returns) = (true, Some(Return::new()));
    }

    /// What is held and not on the disk, each after what it builds on.
    pub(super) fn held(&self) -> Vec<Entry> {
        let held = self.outbox.values().flatten();
        sorted::by_number(held.map(|held| (held.entry.header().logical, held.entry.clone())).collect())
    }

    pub(super) fn take_held(&mut self) -> Vec<Entry> {
        let held = self.held();
        self.outbox.clear();
        held
    }
}
