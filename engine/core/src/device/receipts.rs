//! What a write returns, and what "saved" means for a document (DESIGN §5, FEATURES A9).

use std::collections::VecDeque;

use crate::device::Room;
use crate::device::pages::Role;
use crate::device::stream::{Stream, Sync};
use crate::ids::{ReplicaId, StreamId};
use crate::log::EntryName;

/// Names one edit made here, so that its way can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The document.
    pub stream: StreamId,
    /// The edit, counted from 1 in this room object and document.
    pub edit: u64,
}

/// Where one edit is. The facts are independent of each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiptState {
    /// On this device's disk.
    pub device: bool,
    /// On the home's disk, after its fsync.
    pub relay: bool,
    /// Applied by so many other devices that are connected now.
    pub seen_by: u32,
    /// Refused by the home; kept as a fork.
    pub refused: bool,
}

/// Where the work on a document is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaveStatus {
    /// Edits made here that are not on this device's disk yet.
    pub unsaved_on_device: u64,
    /// Edits made here that the home has not called saved yet.
    pub unsaved_on_relay: u64,
    /// How many other devices that are connected now have the newest edit.
    pub seen_by: u32,
    /// Whether the home asked to wait: its disk is full or it has too much to do.
    pub relay_waits: bool,
    /// How many forks of it are kept on this device.
    pub forks: u32,
}

/// Up to which edit the work has come.
#[derive(Debug, Default)]
pub(super) struct Marks {
    newest: u64,
    on_disk: u64,
    on_relay: u64,
    sealed: VecDeque<(EntryName, u64)>,
    last: Option<(EntryName, u64)>,
    seen_by: u32,
    refused: Vec<(u64, u64)>,
    /// Up to here what was refused is on the disk, as forks.
    forks_on_disk: u64,
    /// As the leader passes it on.
    pub(super) relay_waits: bool,
}

impl Marks {
    pub(super) fn handle_edit(&mut self) -> u64 {
        self.newest += 1;
        self.seen_by = 0;
        self.newest
    }

    /// An edit that goes straight to a fork.
    pub(super) fn handle_forked_edit(&mut self) -> u64 {
        let edit = self.handle_edit();
        self.refuse_from(edit);
        self.pass_refused();
        edit
    }

    /// All edits from this one on are refused.
    fn refuse_from(&mut self, mut first: u64) {
        if self.newest < first {
            return;
        }
        while let Some((from, _)) = self.refused.pop_if(|(_, to)| *to + 1 >= first) {
            first = first.min(from);
        }
        self.refused.push((first, self.newest));
    }

    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    pub(super) fn handle_on_disk(&mut self, edit: u64) {
        self.on_disk = self.on_disk.max(edit);
        self.pass_forks();
    }

    /// Edits up to `edit` are in this entry and those before it. It may not be on the disk yet.
    pub(super) fn handle_sealed(&mut self, name: EntryName, edit: u64) {
        if edit > 0 {
            self.sealed.push_back((name, edit));
        }
    }

    /// The newest edit in an entry that is sealed.
    pub(super) fn edit_in(&self, name: EntryName) -> Option<u64> {
        self.sealed.iter().rev().find(|(sealed, _)| *sealed == name).map(|(_, edit)| *edit)
    }

    /// Entries are on this device's disk.
    pub(super) fn handle_kept(&mut self, upto: EntryName) {
        let kept = |name: &EntryName| name.replica == upto.replica && name.seq <= upto.seq;
        let edits = self.sealed.iter().filter(|(name, _)| kept(name)).map(|(_, edit)| *edit);
        self.on_disk = edits.max().map_or(self.on_disk, |edit| self.on_disk.max(edit));
        self.pass_forks();
    }

    /// What is sealed and not on the disk will not get there: the new leader seals the journal under `author`'s name
    /// instead.
    pub(super) fn handle_claimed(&mut self, author: ReplicaId) {
        let on_disk = self.on_disk;
        self.sealed.retain(|(_, edit)| *edit <= on_disk);
        let sealed = self.sealed.back().map_or(self.on_relay, |(_, edit)| self.on_relay.max(*edit));
        if on_disk > sealed {
            self.sealed.push_back((EntryName { replica: author, seq: NOT_SEALED }, on_disk));
        }
        self.refuse_from(on_disk + 1);
        self.pass_refused();
    }

    /// The new leader has sealed the journal in entries up to this one.
    pub(super) fn handle_leftover(&mut self, upto: EntryName) {
        let unsealed = EntryName { seq: NOT_SEALED, ..upto };
        if let Some((name, _)) = self.sealed.iter_mut().find(|(name, _)| *name == unsealed) {
            *name = upto;
        }
    }

    pub(super) fn on_disk(&self) -> u64 {
        self.on_disk
    }

    /// Entries whose `saved` somebody here waits for.
    pub(super) fn unsaved(&self) -> impl Iterator<Item = EntryName> {
        self.sealed.iter().map(|(name, _)| *name)
    }

    pub(super) fn handle_saved(&mut self, upto: EntryName) {
        while let Some((name, edit)) = self.sealed.front().copied() {
            if name.replica != upto.replica || name.seq > upto.seq {
                break;
            }
            self.on_relay = self.on_relay.max(edit);
            self.on_disk = self.on_disk.max(edit);
            self.last = Some((name, edit));
            self.sealed.pop_front();
        }
        self.pass_forks();
        self.pass_refused();
    }

    pub(super) fn handle_seen(&mut self, upto: EntryName, links: u32) {
        if let Some((name, edit)) = self.last
            && name.replica == upto.replica
            && upto.seq >= name.seq
            && edit == self.newest
        {
            self.seen_by = links;
        }
    }

    pub(super) fn handle_unseen(&mut self) {
        self.seen_by = 0;
    }

    /// Everything that was not saved was refused, except the entries that stand.
    pub(super) fn handle_refused(&mut self, stands: impl Fn(EntryName) -> bool) {
        self.sealed.retain(|(name, _)| stands(*name));
        let kept = self.sealed.back().map_or(self.on_relay, |(_, edit)| self.on_relay.max(*edit));
        self.refuse_from(kept + 1);
        self.pass_refused();
    }

    /// All pieces of forks are on this device's disk.
    pub(super) fn handle_forks_on_disk(&mut self) {
        self.forks_on_disk = self.refused.last().map_or(0, |(_, to)| *to);
        self.pass_forks();
    }

    fn pass_forks(&mut self) {
        for (from, to) in &self.refused {
            if self.on_disk + 1 >= *from && self.forks_on_disk >= *from {
                self.on_disk = self.on_disk.max(self.forks_on_disk.min(*to));
            }
        }
    }

    /// What was refused does not wait for the home any more.
    fn pass_refused(&mut self) {
        for (from, to) in &self.refused {
            if self.on_relay + 1 >= *from {
                self.on_relay = self.on_relay.max(*to);
            }
        }
    }

    fn state(&self, edit: u64) -> ReceiptState {
        let refused = self.refused.iter().any(|(from, to)| (*from..=*to).contains(&edit));
        ReceiptState {
            device: edit <= self.on_disk,
            relay: edit <= self.on_relay && !refused,
            seen_by: if edit == self.newest && !refused { self.seen_by } else { 0 },
            refused,
        }
    }
}

impl Room {
    /// Where an edit is now.
    pub fn receipt(&self, receipt: &Receipt) -> ReceiptState {
        self.streams
            .get(&receipt.stream)
            .map_or_else(ReceiptState::default, |stream| stream.marks.state(receipt.edit))
    }

    /// Whether the home lacks anything that this device has written. Until what is on the disk is known, it is as the page that
    /// led before has told.
    fn is_unsent(&self, stream: &Stream) -> bool {
        let is_told = self.role == Role::Following || !stream.is_read();
        stream.has_outbox() || (stream.unsent_told && is_told)
    }

    /// Where the work on a document is.
    pub fn save_status(&self, id: StreamId) -> SaveStatus {
        let Some(stream) = self.streams.get(&id) else { return SaveStatus::default() };
        let marks = &stream.marks;
        // Work of other pages has no edits here, but it is unsaved all the same.
        let inherited = u64::from(self.is_unsent(stream) && marks.newest == marks.on_relay);
        SaveStatus {
            unsaved_on_device: marks.newest - marks.on_disk,
            unsaved_on_relay: (marks.newest - marks.on_relay).max(inherited),
            seen_by: marks.seen_by,
            relay_waits: match self.role {
                Role::Leading => matches!(stream.sync, Sync::Waiting(_)),
                Role::Following => stream.marks.relay_waits,
            },
            forks: self.count_forks(id),
        }
    }
}

/// The number, which no entry has, of edits that are in a journal on the disk and that another page seals.
const NOT_SEALED: u64 = u64::MAX;
