//! What must be true at every moment, and what must be true in the end.

use std::collections::BTreeMap;

use bytes::Bytes;
use causeway_core::device::{Connection, Event, Receipt, Room, Storage};
use causeway_core::home::Home;
use causeway_core::ids::StreamId;
use causeway_core::log::{Entry, EntryKind};
use causeway_core::salvage::{Found, put_together};
use causeway_core::snapshot::{SignedRoot, unpack};
use causeway_core::stored::{self, ForkRecord, Prefix, TipRecord};
use causeway_core::wire::{self, Body, Message};
use causeway_core::ydoc::Document;

use crate::disk::Disk;
use crate::mirror::Mirror;
use crate::sim::relay::At;
use crate::sim::rows;
use crate::sim::tally::Fault;
use crate::sim::world::World;

/// Longest time a healed world may need to become quiet: two rounds of the longest waits there are.
pub(crate) const QUIET_WITHIN: u64 = 120_000;
/// UTF-16 units from which a text is long.
const LONG_TEXT: u32 = 4_000;
/// After so long every lease of somebody who is gone has ended.
const LEASES_END: u64 = 170_000;

impl World {
    /// What a device tells its app.
    pub(crate) fn watch(&mut self, number: usize, event: &Event) {
        match event {
            Event::Text { stream, change, .. } => {
                let device = &mut self.devices[number];
                let room = device.room.as_ref().expect("an event comes from a room");
                let mirror = device.mirrors.entry(*stream).or_default();
                mirror.follow(change, || room.text(*stream).unwrap_or_default());
                device.moved.insert(*stream);
            }
            Event::Damaged { code, .. } if code == "home.entry" && self.relay.has_rotted => {}
            // Only where the relay was put back, or at a hub and behind it.
            Event::Damaged { code, .. }
                if code == "home.unsigned" && (self.relay.was_put_back || self.was_at_hub(number)) => {}
            Event::Damaged { stream, code } => {
                self.fail(|| format!("device {number} calls {stream} damaged without cause: {code}"));
            }
            Event::Fork { .. } if self.devices[number].contested_until >= self.now => {
                self.tally.note(Fault::Forked);
            }
            Event::Fork { stream, code, sentence } => {
                self.fail(|| {
                    format!(
                        "work of device {number} on {stream} is refused without cause: {code}: {sentence}"
                    )
                });
            }
            Event::Gone(stream) => self.fail(|| format!("{stream} is gone and nobody deleted it")),
            Event::Connection => {
                let connection = self.devices[number].room.as_ref().map(Room::connection);
                if let Some(Connection::Stopped { code, sentence }) = connection {
                    self.fail(|| format!("device {number} is sent away for good: {code}: {sentence}"));
                }
            }
            Event::Channel(stream) => self.watch_channel(number, *stream),
            Event::Directory | Event::SaveStatus(_) | Event::Others | Event::Storage | Event::Forks => {}
        }
    }

    /// An editor that follows events alone shows what the room holds.
    pub(crate) fn check_mirrors(&mut self, number: usize) {
        self.check_talk(number);
        let device = &mut self.devices[number];
        let moved = std::mem::take(&mut device.moved);
        let Some(room) = &device.room else { return };
        device.looks += 1;
        let differs = |stream: &StreamId| {
            let Ok(length) = room.text_len(*stream) else { return false };
            let mirror = device.mirrors.get(stream);
            // Whole books are compared now and then only.
            if length > LONG_TEXT && !device.looks.is_multiple_of(16) {
                return mirror.map(Mirror::len) != Some(length as usize);
            }
            room.text(*stream).is_ok_and(|text| mirror.and_then(Mirror::text) != Some(text))
        };
        if let Some(stream) = moved.into_iter().find(differs) {
            self.fail(|| {
                format!("an editor of {stream} on device {number} shows something else than the room holds")
            });
        }
    }

    /// Rule 3: an entry is on its author's disk before its bytes first leave.
    pub(crate) fn check_sent_by_device(&mut self, number: usize, bytes: &Bytes) {
        let Ok(messages) = wire::decode(bytes) else {
            return self.fail(|| format!("device {number} sends what cannot be read"));
        };
        let disk = &self.machines[self.devices[number].machine].disk;
        let has = |disk: &Disk, key: &[u8]| disk.row(key).is_some();
        let mut unsafe_entry = None;
        for message in &messages {
            if let Message::Entries(entries) = message {
                let found = entries.iter().find(|entry| {
                    let (stream, name) = (entry.header().stream, entry.name());
                    let key = stored::replica_key(&name.replica);
                    let author_is_elsewhere =
                        !has(disk, &key) && self.machines.iter().any(|other| has(&other.disk, &key));
                    // Whoever wrote it may be gone: of its own chains a device keeps no signed head.
                    let is_vouched_for = has(disk, &stored::vouched_key(&stream, &name.replica));
                    !author_is_elsewhere && !is_vouched_for && !rows::survives(disk, &stream, name)
                });
                unsafe_entry = unsafe_entry.or(found);
            }
        }
        if let Some(entry) = unsafe_entry {
            let entry = format!("{entry:?}");
            self.fail(|| format!("device {number} sends {entry} before its disk has it"));
        }
    }

    /// Promise 2: what the home calls saved or passes on is behind its disk's frontier.
    pub(crate) fn check_sent_by_home(&mut self, at: At, link: u64, bytes: &Bytes) {
        let Ok(messages) = wire::decode(bytes) else {
            return self.fail(|| "the home sends what cannot be read".into());
        };
        let home = self.at_mut(at);
        for message in &messages {
            let lie = match message {
                Message::Entries(entries) => entries.iter().find_map(|entry| {
                    let (stream, name) = (entry.header().stream, entry.name());
                    (home.durable_seq(&stream, &name.replica) < name.seq)
                        .then(|| format!("passes on {entry:?}, which is not on its disk"))
                }),
                Message::Other(Body::Saved(saved)) => {
                    let promised = home.promised.entry((saved.stream, saved.replica)).or_default();
                    *promised = saved.seq.max(*promised);
                    (home.durable_seq(&saved.stream, &saved.replica) < saved.seq).then(|| {
                        let wire::Saved { stream, replica, seq, .. } = saved;
                        format!("calls {replica}/{seq} of {stream} saved, which is not on its disk")
                    })
                }
                Message::Other(_) => None,
            };
            if let Some(lie) = lie {
                return self.fail(|| format!("{at} {lie} (link {link})"));
            }
        }
    }

    /// Everything heals, everybody comes together, and the books are compared.
    pub(crate) fn conclude(&mut self) {
        self.heal();
        if self.school.is_held() {
            self.come_back();
        }
        let (begun, mut called) = (self.now, false);
        loop {
            self.run_until(self.now + 250);
            if self.failure.is_some() {
                return;
            }
            let unfinished = self.unfinished().or_else(|| self.unsynced());
            if unfinished.is_none() && !called && self.has_unread_rot() {
                called = true;
                self.call_newcomer();
            }
            match unfinished.or_else(|| self.unmended()) {
                None => break,
                Some(what) if self.now - begun > QUIET_WITHIN => {
                    return self.fail(|| format!("after everything healed: {what}"));
                }
                Some(_) => {}
            }
        }
        self.run_until(self.now + 3_000);
        if let Some(what) = self.unfinished() {
            return self.fail(|| format!("the quiet did not last: {what}"));
        }
        for number in 0..self.devices.len() {
            let device = &mut self.devices[number];
            device.moved.extend(self.documents.iter().copied());
            device.looks = 15;
            self.check_mirrors(number);
        }
        self.compare_texts();
        self.read_back();
        self.compare_channels();
        self.compare_receipts();
        self.compare_salvage(At::Relay);
        self.run_until(self.now + LEASES_END);
        self.compare_people();
        self.compare_history();
        if let Some(what) = self.unfinished() {
            self.fail(|| format!("the quiet ended by itself: {what}"));
        }
        let behind = self.relay.home.as_ref().map_or(0, |home| home.figures().links_behind);
        self.tally.add(Fault::FellBehind, behind);
        let figures = self.relay.home.as_ref().map(Home::figures).unwrap_or_default();
        self.tally.add(Fault::Compacted, figures.snapshots_made);
        self.tally.add(Fault::SnapshotSent, figures.snapshots_sent);
        self.tally.add(Fault::PageSent, figures.pages_sent);
        self.tally.add(Fault::HistoryExpired, figures.segments_expired);
        if let Some(what) = self.relay.broken_promise() {
            self.fail(|| format!("the relay {what}"));
        }
        self.depart_apart();
    }

    /// What keeps the world from being quiet.
    fn unfinished(&mut self) -> Option<String> {
        let home = tips(&self.relay.disk);
        for device in &self.devices {
            let number = device.number;
            let Some(room) = &device.room else { return Some(format!("device {number} is dead")) };
            if room.connection() != Connection::Online || *room.storage() != Storage::Working {
                return Some(format!("device {number}: {:?}, {:?}", room.connection(), room.storage()));
            }
            let channel = self.channel();
            if room.channel_state(channel).is_err() {
                return Some(format!("device {number}: the channel is not open"));
            }
            for stream in self.documents.iter().copied().chain([StreamId::DIRECTORY, channel]) {
                let status = room.save_status(stream);
                if status.unsaved_on_device + status.unsaved_on_relay > 0 {
                    return Some(format!("device {number}, {stream}: {status:?}"));
                }
                if self.documents.contains(&stream) && !room.is_open(stream) {
                    return Some(format!("device {number}: {stream} is not open"));
                }
            }
            let here = tips(&self.machines[device.machine].disk);
            if here != home {
                let differs = here
                    .iter()
                    .chain(&home)
                    .find(|(key, tip)| here.get(*key) != home.get(*key) || tip.is_empty());
                let key = differs.and_then(|(key, _)| stored::parse_tip_key(key));
                return Some(format!("device {number} and the home hold different logs: {key:?}"));
            }
        }
        None
    }

    /// Who has not been told by the home that this is all; a device that asks again now and then is none for a moment.
    fn unsynced(&self) -> Option<String> {
        let streams = self.documents.iter().copied().chain([StreamId::DIRECTORY, self.channel()]);
        let pairs = streams.flat_map(|stream| self.devices.iter().map(move |device| (device, stream)));
        let mut late =
            pairs.filter(|(device, stream)| device.room.as_ref().is_none_or(|room| !room.is_synced(*stream)));
        late.next().map(|(device, stream)| {
            format!("device {} is not in step with the home on {stream}", device.number)
        })
    }

    /// Work of living pages that was set aside, as their receipts tell.
    fn note_forks(&mut self) {
        for device in self.devices.iter().filter(|device| device.contested_until > 0) {
            let Some(room) = &device.room else { continue };
            for stream in self.documents.iter().copied().chain([self.channel()]) {
                let forked = |edit| room.receipt(&Receipt { stream, edit }).refused;
                self.ledger.fork(device.life(), stream, forked);
            }
        }
    }

    fn compare_texts(&mut self) {
        self.note_forks();
        for stream in self.documents.clone() {
            let texts: Vec<String> =
                self.devices.iter().filter_map(|device| device.room.as_ref()?.text(stream).ok()).collect();
            if texts.windows(2).any(|pair| pair[0] != pair[1]) {
                let lengths: Vec<usize> = texts.iter().map(String::len).collect();
                return self.fail(|| {
                    format!("devices with equal logs show different texts of {stream}: bytes {lengths:?}")
                });
            }
            let text = texts.first().cloned().unwrap_or_default();
            let forks = |page: usize, mark: char| self.has_fork_with(page, mark);
            let audit = self.ledger.audit(stream, &text);
            if let Err(what) = audit.and_then(|()| self.ledger.audit_forks(stream, &text, forks)) {
                return self.fail(|| what);
            }
            if self.text_at_home(stream) != text {
                return self.fail(|| format!("the home's entries give another text of {stream}"));
            }
        }
        let directories: Vec<_> =
            self.devices.iter().filter_map(|device| Some(device.room.as_ref()?.directory())).collect();
        if directories.windows(2).any(|pair| pair[0] != pair[1]) {
            self.fail(|| "devices with equal logs show different directories".into());
        }
    }

    /// Whether a fork on this page's device holds the edit with this mark.
    fn has_fork_with(&self, page: usize, mark: char) -> bool {
        let mark = mark.to_string();
        let mut forks = self.machines[self.devices[page].machine].disk.rows_of(b'f');
        forks.any(|(_, value)| {
            let record = ForkRecord::decode(value);
            record.is_ok_and(|fork| fork.payload.windows(mark.len()).any(|part| part == mark.as_bytes()))
        })
    }

    /// The text from the home's disk alone, in two ways: every entry from the first, out of the archive and the rows
    /// above it; and the snapshot with the rows above it.
    fn text_at_home(&mut self, stream: StreamId) -> String {
        let is_whole = self.history_begins(stream) == 0;
        let mut whole = Document::new(1 << 52);
        let mut brief = Document::new(1 << 52);
        let mut sound = true;
        let mut edits = |document: &mut Document, entry: &Entry| {
            sound &= entry.header().kind != EntryKind::Edit || document.apply(entry.payload()).is_ok();
        };
        let disk = &self.relay.disk;
        for (_, value) in disk
            .rows_of(b'z')
            .filter(|(key, _)| stored::parse_archive_key(key).is_some_and(|(of, _)| of == stream))
        {
            let entries = stored::decode_segment(value).ok().and_then(|(_, segment)| unpack(segment).ok());
            let entries = entries.filter(|_| is_whole);
            entries.into_iter().flatten().for_each(|entry| edits(&mut whole, &entry));
        }
        let page = disk.rows_of(b'p').find(|(key, _)| key[1..].starts_with(&stream.to_bytes()));
        let page = page.and_then(|(_, value)| stored::decode_piece(value).ok());
        let loaded = page.is_none_or(|page| brief.load(&[page]).is_ok());
        for (_, value) in disk
            .rows_of(b'e')
            .filter(|(key, _)| stored::parse_entry_key(key).is_some_and(|(of, _)| of == stream))
        {
            if let Ok(entry) = stored::decode_entry(value.to_vec()) {
                if is_whole {
                    edits(&mut whole, &entry);
                }
                edits(&mut brief, &entry);
            }
        }
        if !sound || !loaded || (is_whole && whole.text() != brief.text()) {
            self.fail(|| format!("snapshot and tail of {stream} are not what all its entries give"));
        }
        brief.text()
    }

    /// The home's rows are those that would be made anew from what its entries, archive and snapshots prove.
    pub(crate) fn compare_salvage(&mut self, at: At) {
        let mut rows: Found =
            self.at(at).disk.rows().map(|(key, value)| (key.to_vec(), vec![value.to_vec()])).collect();
        rows.retain(|key, _| key.first() != Some(&(Prefix::Draft as u8)));
        let salvaged = put_together(&rows);
        let unlike = rows.iter().find(|(key, values)| salvaged.rows.get(*key) != values.first());
        let unlike = unlike.map(|(key, _)| key).or(salvaged.rows.keys().find(|key| !rows.contains_key(*key)));
        if let Some(key) = unlike.filter(|key| key.first() != Some(&(Prefix::Page as u8))) {
            let key = key.escape_ascii().to_string();
            return self.fail(|| format!("the row {key} of {at} is not what its entries give"));
        }
        if let Some(loss) = salvaged.lost.first() {
            self.fail(|| format!("of the rows of {at} something is lost: {loss}"));
        }
    }

    /// After everything came together every receipt of the living says so.
    fn compare_receipts(&mut self) {
        for number in 0..self.devices.len() {
            let device = &self.devices[number];
            let Some(room) = &device.room else { continue };
            let untrue = self.ledger.open_edits(device.life()).find_map(|(stream, edit)| {
                let state = room.receipt(&Receipt { stream, edit });
                (!state.device || !state.relay || state.refused).then_some((stream, edit, state))
            });
            if let Some(untrue) = untrue {
                return self.fail(|| format!("device {number} holds a receipt that is not true: {untrue:?}"));
            }
        }
    }

    /// Everybody sees exactly the others, as they last showed themselves; and none of it is on a disk.
    fn compare_people(&mut self) {
        for number in 0..self.devices.len() {
            let Some(room) = &self.devices[number].room else { continue };
            let seen: Vec<String> = room.others().map(|(_, state)| state.name.clone()).collect();
            let own = self.devices[number].machine;
            // Of each device one page, whichever was used last as far as its leader knows.
            let there: Vec<Vec<String>> = (0..self.machines.len())
                .filter(|machine| *machine != own)
                .map(|machine| {
                    let pages = self.machines[machine].pages.iter();
                    pages.filter_map(|page| self.devices[*page].presence.clone()).collect()
                })
                .filter(|shown: &Vec<String>| !shown.is_empty())
                .collect();
            let each = there.iter().all(|shown| shown.iter().filter(|name| seen.contains(name)).count() == 1);
            if seen.len() != there.len() || !each {
                return self.fail(|| format!("page {number} sees {seen:?}, there are {there:?}"));
            }
        }
        let disks =
            self.machines.iter().map(|machine| &machine.disk).chain([&self.relay.disk, &self.hub.disk]);
        let written = disks
            .flat_map(|disk| disk.rows())
            .any(|(_, value)| value.windows(8).any(|part| part == b"swimmer "));
        if written {
            self.fail(|| "somebody's presence is on a disk".into());
        }
    }
}

/// Where every chain stands, as on the disk; equal for equal digests.
fn tips(disk: &crate::disk::Disk) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut tips: BTreeMap<_, _> = disk
        .rows_of(b'c')
        .filter_map(|(key, value)| Some((key.to_vec(), TipRecord::decode(value).ok()?)))
        .collect();
    // A device knows the chains that its snapshot covers from there alone.
    for root in disk.rows_of(b'h').filter_map(|(_, value)| SignedRoot::decode(value).ok()) {
        for (replica, tip) in &root.root.coverage {
            let here = tips.entry(stored::tip_key(&root.root.stream, replica)).or_insert(*tip);
            if here.seq < tip.seq {
                *here = *tip;
            }
        }
    }
    tips.into_iter().map(|(key, tip)| (key, tip.encode())).collect()
}
