//! One stream on a device.

use std::collections::VecDeque;

use crate::device::chat::OpenChannel;
use crate::device::forks::Return;
use crate::device::passed_over::PassedOver;
use crate::device::receipts::Marks;
use crate::device::snapshot::Arriving;
use crate::device::steps::Backlog;
use crate::device::version::Question;
use crate::directory::Directory;
use crate::ids::{ReplicaId, StreamId, StreamKind};
use crate::limits::PING_AFTER;
use crate::log::{Dep, Entry, EntryName, Head, Park, StreamLog};
use crate::snapshot::Root;
use crate::sorted::{SortedMap, SortedSet};
use crate::time::{Millis, Now};
use crate::ydoc::Document;

/// A stream: its log, what it amounts to, and what of this device's work is on its way.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) log: StreamLog,
    pub(super) park: Park,
    pub(super) arrivals: u64,
    pub(super) phase: Phase,
    /// Counts the readings of the stream from the disk: only the newest may finish.
    pub(super) reading: u64,
    pub(super) body: Body,
    /// Updates of entries that were accepted and are not in the text yet.
    pub(super) backlog: Backlog,
    pub(super) journal: Journal,
    /// Whether the disk may hold a part of the journal.
    pub(super) journal_on_disk: bool,
    /// Whether it does.
    pub(super) journal_landed: bool,
    /// Names this page lost with the disk, each with its last entry here: the new leader seals the journal above it.
    pub(super) leftovers: Vec<EntryName>,
    /// What the leader has sent of a stream that is being read.
    pub(super) gathered: Vec<(u64, Entry)>,
    /// Sealed entries of this device that the home has not answered `saved` for; of a page that follows or meets the
    /// disk, those that are not on the disk.
    pub(super) outbox: SortedMap<ReplicaId, VecDeque<Unsaved>>,
    /// Up to where the home has answered `saved`.
    pub(super) saved: SortedMap<ReplicaId, u64>,
    /// Replicas of this device that were refused here, from which entry on.
    pub(super) closed: SortedMap<ReplicaId, u64>,
    /// What of this device's own entries that do not count as saved any more is in the outbox.
    pub(super) own: Own,
    /// Replicas of this device of which the home has other words where nothing is left here to compare with them.
    pub(super) parted: SortedSet<ReplicaId>,
    /// Of chains of this device that the home sends back: up to where they were taken for ours, and the head there.
    pub(super) returned: SortedMap<ReplicaId, (u64, Head)>,
    /// The same of what was read from the disk for the home, as far as it is known.
    pub(super) walked: SortedMap<ReplicaId, (u64, Head)>,
    /// Chains of this device of which the home has told a head that could not be held against the disk yet. They are not
    /// offered: history may have let go of what it has.
    pub(super) untold: SortedSet<ReplicaId>,
    pub(super) sync: Sync,
    pub(super) question: Question,
    /// Whether the disk is to be read for the home, once it has said up to where it has our work.
    pub(super) reads_next: bool,
    /// Entries that the home cannot read from its disk: not asked for until they come.
    pub(super) lost: Vec<EntryName>,
    /// The snapshot below the entries.
    pub(super) snapshot: Option<Box<Root>>,
    /// Pages of it, while the stream is being read from the disk.
    pub(super) pages: Vec<Vec<u8>>,
    /// The snapshot on the disk cannot be read, and what is above it may not have been read yet.
    pub(super) snapshot_lost: bool,
    /// Only the home's snapshot is waited for: own work that was not called saved stands in the outbox.
    pub(super) lacks_snapshot: bool,
    /// While it is built anew: whether people were told that what they write meanwhile becomes a fork.
    pub(super) fork_told: bool,
    /// It is built anew because another page leads, not because anything was refused.
    pub(super) moved: bool,
    /// Moved work that is to go back.
    pub(super) returns: Option<Return>,
    /// One that is on its way.
    pub(super) arriving: Option<Arriving>,
    /// A snapshot of the home's that was not taken.
    pub(super) passed_over: Option<PassedOver>,
    /// A page that is on its way.
    pub(super) arriving_page: Option<Arriving>,
    /// A page that was asked for stands in a newer snapshot only.
    pub(super) wants_newer: bool,
    /// Entries above the snapshot, about.
    pub(super) tail: u64,
    /// Replicas whose chains grew since the home was told; of more than it counts readers for, not all.
    pub(super) to_tell: SortedSet<ReplicaId>,
    pub(super) marks: Marks,
    /// Whether other pages know that the home lacks work of this device; of a page that follows, whether it does.
    pub(super) unsent_told: bool,
}

/// A sealed entry of this device that the home has not answered `saved` for.
#[derive(Clone, Debug)]
pub(super) struct Unsaved {
    /// Its arrival number on this device.
    pub(super) arrival: u64,
    /// First bytes of its chain's head, if they are known: `saved` must name the same.
    pub(super) head: Option<[u8; 8]>,
    pub(super) entry: Entry,
}

/// Where entries of this device's are that do not count as saved any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// Those that are left on the disk are in the outbox.
    Read,
    /// The disk may hold some that are in no outbox.
    Unread,
    /// The same as [`Own::Read`], but for some whose rows cannot be read.
    Damaged,
}

/// Whether the stream can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its entries are being read from the disk.
    Loading,
    /// It can be read and written.
    Ready,
    /// Refused work was set aside and the rest is being read again; what is written goes to the fork.
    Rebuilding,
    /// It can be read and written, and is brought together with what a disk holds that has just become this page's.
    Meeting,
    /// It has been deleted.
    Gone,
}

/// What the entries amount to.
#[derive(Debug)]
pub(super) enum Body {
    /// Nobody looks: only the log is kept.
    Unopened,
    /// A text.
    Text(Box<Document>),
    /// The directory.
    Directory(Directory),
    /// A channel.
    Channel(Box<OpenChannel>),
}

/// Edits that are not sealed yet.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Updates in the order they were made, by the current replica of the document.
    pub(super) updates: Vec<Unsealed>,
    /// Bytes of them.
    pub(super) bytes: usize,
    /// How many of them are on the disk or on their way there.
    pub(super) written: usize,
    /// Pieces on the disk, of the document's replica.
    pub(super) pieces: u64,
    /// When the oldest that is not on the disk was made.
    pub(super) since: Option<Millis>,
    /// When the last entry was sealed.
    pub(super) sealed_at: Option<Millis>,
    /// Whether an entry is on its way to the disk.
    pub(super) sealing: bool,
}

/// One or more edits as one update.
#[derive(Debug)]
pub(super) struct Unsealed {
    /// How many edits.
    pub(super) edits: u64,
    /// What they did.
    pub(super) update: Vec<u8>,
}

impl AsRef<[u8]> for Unsealed {
    fn as_ref(&self) -> &[u8] {
        &self.update
    }
}

/// How the stream stands with the home (or the leader), on the link there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    /// Not asked for.
    Off,
    /// Asked for; the home sends what is missing.
    Asked(Millis),
    /// The home has sent all it had; since when nothing of the outbox was answered, or nothing was said where it is empty.
    Following(Millis),
    /// The home asked to wait.
    Waiting(Millis),
}

impl Stream {
    pub(super) fn new(id: StreamId) -> Self {
        let body = match id.kind() {
            StreamKind::Directory => Body::Directory(Directory::default()),
            StreamKind::Ydoc | StreamKind::Amdoc | StreamKind::Chat | StreamKind::Comments => Body::Unopened,
        };
        Self {
            log: StreamLog::new(id),
            park: Park::default(),
            arrivals: 0,
            phase: Phase::Loading,
            reading: 0,
            body,
            backlog: Backlog::default(),
            journal: Journal::default(),
            journal_on_disk: false,
            journal_landed: false,
            leftovers: Vec::new(),
            gathered: Vec::new(),
            outbox: SortedMap::new(),
            saved: SortedMap::new(),
            closed: SortedMap::new(),
            own: Own::Read,
            parted: SortedSet::new(),
            returned: SortedMap::new(),
            walked: SortedMap::new(),
            untold: SortedSet::new(),
            sync: Sync::Off,
            question: Question::new(),
            reads_next: false,
            lost: Vec::new(),
            snapshot: None,
            pages: Vec::new(),
            snapshot_lost: false,
            lacks_snapshot: false,
            fork_told: false,
            moved: false,
            returns: None,
            arriving: None,
            passed_over: None,
            arriving_page: None,
            wants_newer: false,
            tail: 0,
            to_tell: SortedSet::new(),
            marks: Marks::default(),
            unsent_told: false,
        }
    }

    /// Whether its text is that which people see and write in, and not one that is being built.
    pub(super) fn is_shown(&self) -> bool {
        matches!(self.phase, Phase::Ready | Phase::Meeting)
    }

    /// Whether so many changes wait for the text that is shown that nothing more is taken before all of them are in it.
    pub(super) fn is_full(&self) -> bool {
        self.backlog.is_full() && self.is_shown()
    }

    pub(super) fn document(&self) -> Option<&Document> {
        match &self.body {
            Body::Text(document) => Some(document),
            Body::Unopened | Body::Directory(_) | Body::Channel(_) => None,
        }
    }

    pub(super) fn document_mut(&mut self) -> Option<&mut Document> {
        match &mut self.body {
            Body::Text(document) => Some(document),
            Body::Unopened | Body::Directory(_) | Body::Channel(_) => None,
        }
    }

    pub(super) fn channel(&self) -> Option<&OpenChannel> {
        match &self.body {
            Body::Channel(channel) => Some(channel),
            Body::Unopened | Body::Text(_) | Body::Directory(_) => None,
        }
    }

    pub(super) fn channel_mut(&mut self) -> Option<&mut OpenChannel> {
        match &mut self.body {
            Body::Channel(channel) => Some(channel),
            Body::Unopened | Body::Text(_) | Body::Directory(_) => None,
        }
    }

    /// Something of the answer has come, and nothing is asked again while more follows; or of what is said in it.
    pub(super) fn note_heard(&mut self, now: Now) {
        match self.sync {
            Sync::Asked(_) => self.sync = Sync::Asked(now.monotonic),
            Sync::Following(_) if !self.waits() => self.sync = Sync::Following(now.monotonic),
            Sync::Following(_) | Sync::Off | Sync::Waiting(_) => {}
        }
    }

    /// Whether nobody has said anything in it for so long that to ask for it anew delays nobody's words.
    pub(super) fn is_quiet(&self, now: Now) -> bool {
        let writes = self.journal.sealing || !self.journal.updates.is_empty();
        let rests = |since: Millis| now.monotonic >= since.after(PING_AFTER) && !self.waits() && !writes;
        matches!(self.sync, Sync::Following(since) if rests(since))
    }

    /// Whether an entry belongs to refused work.
    pub(super) fn is_refused(&self, name: EntryName) -> bool {
        self.closed.get(&name.replica).is_some_and(|from| name.seq >= *from)
    }

    /// The first of refused work that stands in the log all the same.
    pub(super) fn refused_here(&self) -> Option<EntryName> {
        let here = |replica: &ReplicaId, from: &u64| self.log.tip(replica).seq >= *from;
        let first = self.closed.iter().find(|(replica, from)| here(replica, from));
        first.map(|(replica, from)| EntryName { replica: *replica, seq: *from })
    }

    /// What is held and builds on refused work is refused as well; so is what builds on something that is `gone`, from these
    /// entries on.
    pub(super) fn refuse_dependants(&mut self, gone: &[EntryName]) {
        for entry in self.held() {
            let name = entry.name();
            let is_gone = |of: EntryName| {
                let mut chains = gone.iter();
                self.is_refused(of) || chains.any(|first| first.replica == of.replica && first.seq <= of.seq)
            };
            let builds_on = |dep: &Dep| is_gone(EntryName { replica: dep.replica, seq: dep.seq });
            let refused = is_gone(name) || entry.header().deps.iter().any(builds_on);
            if refused && !self.is_refused(name) {
                self.closed.insert(name.replica, name.seq);
            }
        }
    }

    /// Whether what the home holds at an entry of this device's is what this device wrote there; `None` if it cannot be
    /// told yet.
    pub(super) fn wrote(&self, mark: &Dep) -> Option<bool> {
        let head = self.head_of(&EntryName { replica: mark.replica, seq: mark.seq });
        head.map(|head| head == mark.head)
    }

    /// The head at an entry of this device's, as far as it is remembered.
    pub(super) fn head_of(&self, name: &EntryName) -> Option<[u8; 8]> {
        let noted = self.held_as(name).and_then(|unsaved| unsaved.head);
        noted.or_else(|| Some(self.log.head_at(name)?.short()))
    }

    /// What the outbox has under a name.
    pub(super) fn held_as(&self, name: &EntryName) -> Option<&Unsaved> {
        self.outbox.get(&name.replica)?.iter().find(|unsaved| unsaved.entry.name() == *name)
    }

    /// Up to where the home has called a chain of this device's saved.
    pub(super) fn saved_upto(&self, replica: &ReplicaId) -> u64 {
        self.saved.get(replica).copied().unwrap_or(0)
    }

    /// An entry and the head there; `None` if the chain does not remember it.
    pub(super) fn mark(&self, replica: ReplicaId, seq: u64) -> Option<Dep> {
        let head = self.log.head_at(&EntryName { replica, seq })?.short();
        Some(Dep { replica, seq, head })
    }

    /// The journal is given up: what the disk has of it goes with that, or is somebody else's.
    pub(super) fn take_journal(&mut self) -> Vec<Unsealed> {
        (self.journal_on_disk, self.journal_landed) = (false, false);
        std::mem::take(&mut self.journal).updates
    }

    /// What the new leader has sealed of the journal this page lost is here: now the edits in it have a name.
    pub(super) fn find_leftovers(&mut self) {
        let Self { leftovers, log, marks, .. } = self;
        leftovers.retain(|last| {
            let seq = log.tip(&last.replica).seq;
            if seq > last.seq {
                marks.handle_leftover(EntryName { seq, ..*last });
            }
            seq <= last.seq
        });
    }

    /// Up to which entry the snapshot on the disk covers a chain.
    pub(super) fn covered(&self, replica: &ReplicaId) -> u64 {
        self.snapshot.as_ref().map_or(0, |root| root.covered(replica))
    }

    /// Whether something waits that asking the home may bring.
    pub(super) fn waits(&self) -> bool {
        self.has_outbox() || (!self.park.is_empty() && !self.lacks_lost())
    }

    /// Whether something is not here that the home does not have to give. Entries of ours that it asks for are here.
    pub(super) fn lacks_lost(&self) -> bool {
        self.lost.iter().any(|name| self.log.tip(&name.replica).seq < name.seq)
    }

    /// Keeps a sealed entry that is not on the disk yet. Its logical time is its place among the others.
    pub(super) fn hold(&mut self, entry: Entry) {
        let (arrival, name) = (entry.header().logical, entry.name());
        let head = self.log.head_at(&name).map(|head| head.short());
        self.outbox.entry(name.replica).or_default().push_back(Unsaved { arrival, head, entry });
    }

    /// Up to where a chain is with the page that leads, in a page that follows: all but what it holds.
    pub(super) fn handed_over(&self, replica: &ReplicaId) -> u64 {
        let held = self.outbox.get(replica).and_then(VecDeque::front);
        held.map_or_else(|| self.log.tip(replica).seq, |first| first.entry.name().seq - 1)
    }

    /// Lets go of what the other end of the link has taken over.
    pub(super) fn forget_outbox(&mut self, upto: EntryName) {
        if let Some(entries) = self.outbox.get_mut(&upto.replica) {
            while entries.front().is_some_and(|unsaved| unsaved.entry.name().seq <= upto.seq) {
                entries.pop_front();
            }
            if entries.is_empty() {
                self.outbox.remove(&upto.replica);
            }
        }
    }

    /// A row cannot be read that may be of this device's own work.
    pub(super) fn note_damage(&mut self) {
        if self.own == Own::Read {
            self.own = Own::Damaged;
        }
    }

    /// Whether it is as the disk has it.
    pub(super) fn is_read(&self) -> bool {
        match self.phase {
            Phase::Ready | Phase::Gone => true,
            Phase::Loading | Phase::Rebuilding | Phase::Meeting => false,
        }
    }

    pub(super) fn has_outbox(&self) -> bool {
        self.outbox.values().any(|entries| !entries.is_empty())
    }
}
