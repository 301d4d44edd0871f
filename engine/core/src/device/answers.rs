//! What the home answers, and the outbox that waits for it (rules 6 and 10, promise 3).

use bytes::Bytes;

use crate::device::Room;
use crate::device::event::Event;
use crate::device::fork::{CHAIN, Why};
use crate::device::journal::Tag;
use crate::device::load::{Reading, UNWRITTEN};
use crate::device::pages::Role;
use crate::device::steps::Backlog;
use crate::device::stream::{Own, Phase, Sync, Unsaved};
use crate::ids::{ReplicaId, StreamId};
use crate::limits::{
    CATCH_UP_BYTES, FRAME_ENTRIES, LINK_REPLICAS, LOST_NAMES, RESEND_AFTER, SCAN_BYTES, SCAN_ROWS,
};
use crate::log::{Dep, Digest, Entry, EntryName, Tip};
use crate::sorted::{self, SortedMap};
use crate::storage::{Durability, Page, Scan};
use crate::stored;
use crate::time::{Millis, Now};
use crate::wire::{self, Later, Lost, Need, Refused, Saved, Seen, Synced};

impl Room {
    /// Puts sealed entries on the link, in frames of a bounded size.
    pub(super) fn offer(&mut self, entries: &[Entry], now: Now) {
        let mut proven: Vec<&Entry> = Vec::new();
        for entry in entries {
            if self.prove(entry.header().replica, now) {
                proven.push(entry);
            }
        }
        self.send_entries(proven);
    }

    fn send_entries(&mut self, entries: Vec<&Entry>) {
        frames(entries).into_iter().for_each(|frame| self.send_bytes(frame));
    }

    /// The home has sent all it had, and has said what it lacks of this device's work.
    pub(super) fn handle_synced(&mut self, synced: &Synced, now: Now) {
        if self.role == Role::Following {
            return self.handle_leader_synced(synced, now);
        }
        let id = synced.stream;
        if synced.gone {
            return self.handle_gone(id, now);
        }
        let Some(told) = self.take_answer(synced) else { return };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.lacks_snapshot && !stream.question.declined {
            stream.lacks_snapshot = false;
            // The home has no snapshot either: what it has comes as entries.
            return self.finish_load(id, now);
        }
        if stream.lacks_snapshot {
            // Its snapshot comes again when it has said of all that stands below it whether it is the same.
            stream.reads_next = false;
            told.iter().filter(|mark| mark.seq > 0).for_each(|mark| self.mark_saved(id, mark, now));
            return self.read_lost(id);
        }
        stream.sync = Sync::Following(now.monotonic);
        let mut lost = std::mem::take(&mut stream.reads_next);
        for Dep { replica, seq: at_home, .. } in &told {
            let at_home = *at_home;
            let held = stream
                .outbox
                .get(replica)
                .and_then(|entries| entries.front())
                .map(|unsaved| unsaved.entry.name().seq);
            let tip = stream.log.tip(replica).seq;
            // A home restored from a backup lacks what it once called saved: it is read from this disk again.
            lost |= at_home < tip && held.is_none_or(|first| first > at_home + 1);
            let saved = stream.saved.get(replica).copied().unwrap_or(0);
            if saved > at_home {
                stream.saved.insert(*replica, at_home);
                if let Some(open) = stream.channel_mut() {
                    open.channel.touch_all(*replica, at_home + 1, saved);
                    self.events.push(Event::Channel(id));
                }
            }
        }
        for mark in told {
            if mark.seq > 0 {
                self.mark_saved(id, &mark, now);
            } else if let Some(stream) = self.streams.get_mut(&id) {
                stream.untold.remove(&mark.replica);
            }
        }
        #[cfg(feature = "planted-bugs")]
        let lost = lost && self.planted != Some(crate::planted::Planted::OutboxForgets);
        if lost {
            // Behind what `mark_saved` reads: it says from where on.
            self.read_lost(id);
        }
        self.offer_outbox(id, now);
        self.tick_journals(now);
        self.need_passed_over(id);
        self.fetch_older(id);
        self.events.push(Event::SaveStatus(id));
        self.compare_digests(synced);
    }

    /// The home says that an entry is not to be had. What it cannot read from its disk only its author can bring again, also
    /// when the page that wrote it is long closed.
    pub(super) fn handle_lost(&mut self, lost: Lost) {
        let Lost { stream: id, name, .. } = lost;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let here = stream.log.tip(&name.replica).seq >= name.seq || stream.held_as(&name).is_some();
        let own = self.role == Role::Leading && self.identities.contains_key(&name.replica);
        if here && own {
            // What has expired is in a snapshot: the home takes it no more, and the head that it tells says what it was.
            if !lost.has_expired() {
                self.bring_again(id, std::iter::once(name));
            }
        } else if !here && !stream.lost.contains(&name) {
            stream.lost.truncate(LOST_NAMES - 1);
            stream.lost.push(name);
            self.events.damaged(id, lost.code());
        }
    }

    /// Entries of ours that the home has lost are read and offered, whatever else it may count among what it has.
    fn bring_again(&mut self, id: StreamId, names: impl Iterator<Item = EntryName>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        for name in names.take(LOST_NAMES) {
            stream.lost.retain(|other| *other != name);
            stream.lost.truncate(LOST_NAMES - 1);
            stream.lost.push(name);
        }
        self.read_for_home(id);
    }

    /// Reads the disk for what the home has asked for. Not before it has said up to where it has our own work: after a restore
    /// all of that would be offered, and history may have let go of it.
    pub(super) fn read_for_home(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.reads_next = matches!(stream.sync, Sync::Asked(_) | Sync::Waiting(_));
        if !stream.reads_next {
            self.read_lost(id);
        }
    }

    /// Reads this device's own entries of a stream from its disk, to offer what the home lacks, and of others what it has asked
    /// for.
    pub(super) fn read_lost(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.phase == Phase::Rebuilding {
            // Work that was refused leaves the disk now: it is read when the home has answered the rebuilt stream.
            stream.reads_next = true;
        } else if !self.reads_lost(id) {
            self.heads.begin(id);
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.own = Own::Read;
                stream.walked = SortedMap::new();
            }
            let (start, end) = stored::entry_range(&id, 0, u64::MAX);
            self.scan(Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS }, Reading::Lost(id));
        }
    }

    /// What is on its way from the disk may be gone when it comes: all of it is read anew when the home has answered again.
    pub(super) fn stop_reading_lost(&mut self, id: StreamId) {
        if self.reads_lost(id) {
            self.scans.retain(|_, reading| !matches!(reading, Reading::Lost(of) if *of == id));
            self.heads.put_off(id);
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.reads_next = true;
            }
        }
    }

    pub(super) fn reads_lost(&self, id: StreamId) -> bool {
        self.scans.values().any(|reading| matches!(reading, Reading::Lost(of) if *of == id))
    }

    pub(super) fn handle_lost_page(&mut self, id: StreamId, page: Page, now: Now) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let (mut lost, mut others) = (Vec::new(), Vec::new());
        if !page.damaged.is_empty() {
            stream.note_damage();
        }
        for (key, value) in page.rows {
            let Some((_, arrival)) = stored::parse_entry_key(&key) else { continue };
            let Ok(entry) = stored::decode_entry(value) else {
                stream.note_damage();
                continue;
            };
            let name = entry.name();
            if self.heads.wants(id, name) {
                others.push(entry.clone());
            }
            if self.identities.contains_key(&name.replica) && stream.lost.contains(&name) {
                // The home counts it among what it has.
                stream.lost.retain(|other| *other != name);
                lost.push(entry.clone());
            }
            let saved = stream.saved.get(&name.replica).copied().unwrap_or(0);
            let own = self.identities.contains_key(&name.replica);
            let head = stream.log.head_at(&name).or_else(|| stream.next_head(&stream.walked, &entry));
            if let Some(head) = head.filter(|_| own) {
                stream.walked.insert(name.replica, (name.seq, head));
            }
            // What joined under a name that was refused has come from a home, and the next may lack it.
            let joined = stream.log.tip(&name.replica).seq >= name.seq;
            if own && name.seq > saved && (joined || !stream.is_refused(name)) {
                let head = head.map(|head| head.short());
                let entries = stream.outbox.entry(name.replica).or_default();
                // Rows come in the order of each chain, so most go to its end.
                let at = entries.partition_point(|held| held.entry.name().seq < name.seq);
                if entries.get(at).is_none_or(|held| held.entry.name() != name) {
                    entries.insert(at, Unsaved { arrival, head, entry });
                    if let Some(open) = stream.channel_mut() {
                        open.channel.touch(name);
                        self.events.push(Event::Channel(id));
                    }
                }
            }
        }
        self.send_entries(others.iter().collect());
        self.offer(&lost, now);
        match page.more {
            Some(start) => {
                let (_, end) = stored::entry_range(&id, 0, u64::MAX);
                self.scan(Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS }, Reading::Lost(id));
            }
            None => {
                self.heads.finish(id);
                self.offer_outbox(id, now);
                if self.heads.begin(id) {
                    // Asked for while the disk was read.
                    self.read_lost(id);
                }
            }
        }
    }

    pub(super) fn handle_saved(&mut self, saved: &Saved, now: Now) {
        let Saved { stream, replica, seq, head } = *saved;
        let mark = Dep { replica, seq, head };
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.question.note(mark);
        }
        self.mark_saved(stream, &mark, now);
        if let Some(stream) = self.streams.get_mut(&saved.stream)
            && matches!(stream.sync, Sync::Following(_))
        {
            stream.sync = Sync::Following(now.monotonic);
        }
    }

    pub(super) fn handle_later(&mut self, later: &Later, now: Now) {
        self.pass_on(later.replica, || later.clone().into());
        if let Some(stream) = self.streams.get_mut(&later.stream) {
            if self.role == Role::Following {
                stream.marks.relay_waits = true;
                return self.events.push(Event::SaveStatus(later.stream));
            }
            stream.sync = Sync::Waiting(now.monotonic.after(later.after));
            self.events.push(Event::SaveStatus(later.stream));
        }
    }

    pub(super) fn handle_refused(&mut self, refused: &Refused, now: Now) {
        if self.role == Role::Following {
            return self.handle_told_refused(refused.clone(), now);
        }
        let Refused { stream, replica, mut seq, code, sentence } = refused.clone();
        if let Some(held) = self.streams.get(&stream).filter(|held| held.own == Own::Damaged) {
            // It says from where on it could not compare. What it has vouched for is not that.
            seq = seq.max(held.saved_upto(&replica) + 1);
        }
        let from = EntryName { replica, seq };
        if !self.identities.contains_key(&replica) {
            return self.heads.let_be(stream, replica);
        }
        match code.as_str() {
            EQUIVOCATION => self.outrun(stream, from, Why::cloned()),
            CHAIN => self.outrun(stream, from, Why::refused(code, sentence)),
            _ => self.close_replica(stream, from, &Why::refused(code, sentence), now),
        }
    }

    /// The home lacks entries that one of ours builds on.
    pub(super) fn handle_need(&mut self, need: &Need, now: Now) {
        let Some(stream) = self.streams.get_mut(&need.stream) else { return };
        let range = need.from..=need.to;
        let held = stream.outbox.get(&need.replica).into_iter().flatten();
        let held = held.map(|unsaved| &unsaved.entry);
        let entries: Vec<Entry> = held.filter(|entry| range.contains(&entry.name().seq)).cloned().collect();
        // What stands behind a gap waits there already.
        if entries.first().is_none_or(|first| first.name().seq > need.from) {
            // Not in the outbox: let the home say what it has, which finds out whether it lost something. Once is
            // enough however many entries wait there; and what others wrote only they can bring, so asking about it
            // waits for the next time the outbox is offered.
            let asked = matches!(stream.sync, Sync::Asked(_) | Sync::Waiting(_));
            let saved = stream.saved.get(&need.replica).copied().unwrap_or(0);
            // What never joined the home has not lost; and of what the disk was read for without finding it there is no more.
            let joined = stream.log.tip(&need.replica).seq >= need.from;
            let may_have = joined && stream.own == Own::Unread;
            if !self.identities.contains_key(&need.replica) {
                return self.forward(need);
            }
            if saved >= need.from {
                // The home called it saved and cannot read it any more.
                let replica = need.replica;
                let names = (need.from..=need.to.min(saved)).map(|seq| EntryName { replica, seq });
                self.bring_again(need.stream, names);
            } else if !asked && may_have {
                self.subscribe(need.stream, now);
            }
        } else {
            self.offer(&entries, now);
        }
    }

    pub(super) fn handle_seen(&mut self, seen: &Seen) {
        self.pass_on(seen.replica, || seen.clone().into());
        if let Some(stream) = self.streams.get_mut(&seen.stream) {
            stream.marks.handle_seen(EntryName { replica: seen.replica, seq: seen.seq }, seen.links);
            self.events.push(Event::SaveStatus(seen.stream));
        }
    }

    /// When entries that have had no answer are offered again.
    pub(super) fn outbox_due(&self) -> Option<Millis> {
        let heard = self.streams.values().filter(|stream| self.asks(stream) && !stream.is_full());
        let due = heard.filter_map(|stream| match stream.sync {
            Sync::Asked(since) => Some(since.after(RESEND_AFTER)),
            Sync::Following(since) if stream.waits() => Some(since.after(RESEND_AFTER)),
            Sync::Waiting(until) => Some(until),
            Sync::Following(_) | Sync::Off => None,
        });
        due.min()
    }

    pub(super) fn tick_outbox(&mut self, now: Now) {
        let due = |sync, open| match sync {
            Sync::Asked(since) => now.monotonic >= since.after(RESEND_AFTER),
            Sync::Following(since) => open && now.monotonic >= since.after(RESEND_AFTER),
            Sync::Waiting(until) => now.monotonic >= until,
            Sync::Off => false,
        };
        let heard = self.streams.iter().filter(|(_, stream)| self.asks(stream) && !stream.is_full());
        let late = heard.filter(|(_, stream)| due(stream.sync, stream.waits()));
        for id in late.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.subscribe(id, now);
        }
    }

    pub(super) fn offer_outbox(&mut self, id: StreamId, now: Now) {
        let Some(stream) = self.streams.get(&id) else { return };
        let waiting = stream.outbox.values().take(LINK_REPLICAS).flatten();
        let waiting = waiting.filter(|unsaved| !stream.untold.contains(&unsaved.entry.name().replica));
        let waiting = waiting.filter(|unsaved| !stream.lacks_snapshot || unsaved.arrival < UNWRITTEN);
        // Order of arrival is an order that respects dependencies.
        let entries =
            sorted::by_number(waiting.map(|unsaved| (unsaved.arrival, unsaved.entry.clone())).collect());
        self.offer(&entries, now);
    }

    /// Equal versions with unequal digests: somebody holds other content under the same names (rule 5). Whoever has all
    /// that the home sent, and as many entries, has the same versions: what is not saved yet does not count.
    fn compare_digests(&mut self, synced: &Synced) {
        let (known, _) = self.known_there(synced.stream);
        let Some(stream) = self.streams.get(&synced.stream) else { return };
        let mut entries = 0;
        known.iter().for_each(|(_, seq, _)| entries = seq.wrapping_add(entries));
        // Of what was called saved by a home before it was restored something may be here alone.
        let doubts = |(replica, tip): (ReplicaId, Tip)| {
            self.identities.contains_key(&replica) && stream.saved_upto(&replica) < tip.seq
        };
        let lacks = stream.lacks_lost() || stream.lacks_passed_over() || stream.log.tips().any(doubts);
        let lacks = lacks || stream.parted.len() > 0;
        let whole = !stream.waits() && stream.park.is_empty() && !lacks;
        if whole && entries == synced.entries && Digest::of_chains(&known) != synced.digest {
            self.suspect(synced.stream, "stream.digest");
        }
    }

    pub(super) fn handle_gone(&mut self, id: StreamId, now: Now) {
        if self.streams.get(&id).is_none_or(|stream| stream.phase == Phase::Gone) || self.open_first(id) {
            return;
        }
        self.keep_unsaved(id, now);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.phase = Phase::Gone;
        stream.backlog = Backlog::default();
        stream.log.end();
        self.tell_gone(id);
        self.forget_rows(&id);
        self.queue.tag(Tag::Journaled { stream: id, edit: 0 }, Durability::Relaxed);
        self.events.push(Event::Gone(id));
        self.events.push(Event::SaveStatus(id));
    }
}

/// Entries in their order, in frames of a bounded size.
pub(super) fn frames(entries: Vec<&Entry>) -> Vec<Bytes> {
    let (mut frames, mut run, mut bytes) = (Vec::new(), Vec::new(), 0);
    for entry in entries {
        let size = entry.bytes().len();
        if !run.is_empty() && (bytes + size > CATCH_UP_BYTES || run.len() == FRAME_ENTRIES) {
            frames.push(wire::encode_entries(std::mem::take(&mut run)));
            bytes = 0;
        }
        bytes += size;
        run.push(entry);
    }
    if !run.is_empty() {
        frames.push(wire::encode_entries(run));
    }
    frames
}

/// Code of an entry in whose place another stands.
const EQUIVOCATION: &str = "entry.equivocation";
