//! A page that follows another: what it holds until the leader has it on the device's disk.

use crate::device::event::{Connection, Event};
use crate::device::fork::Why;
use crate::device::journal::Tag;
use crate::device::pages::Role;
use crate::device::stream::{Phase, Stream, Sync};
use crate::device::{Config, Room};
use crate::ids::{ReplicaId, StreamId, StreamKind};
use crate::limits::RESEND_AFTER;
use crate::log::{Dep, Entry, EntryKind, EntryName, Verdict};
use crate::sorted;
use crate::storage::Durability;
use crate::time::{Millis, Now};
use crate::wire::{Aside, Place, Refused, Secret, Synced, Uplink};

impl Room {
    /// A room in a page that may not be the only one: it touches no disk and follows whoever leads, until it is told to
    /// lead itself ([`crate::device::PageInput::Lead`]).
    pub fn following(config: Config) -> Self {
        let mut room = Self::unbooted(config, Role::Following);
        let directory = room.new_stream(StreamId::DIRECTORY);
        room.streams.insert(StreamId::DIRECTORY, directory);
        room
    }

    /// What this page is to the others of its device.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The leader's link to the home, as far as this page can know.
    pub(super) fn followed_connection(&self) -> Connection {
        if self.link.is_live() { self.uplink.clone() } else { Connection::Offline }
    }

    pub(super) fn handle_uplink(&mut self, uplink: Uplink) {
        let before = self.connection();
        self.uplink = uplink.connection;
        if self.connection() != before {
            self.events.push(Event::Connection);
        }
        if self.others.own() != uplink.lease {
            match uplink.lease {
                Some(lease) => self.others.handle_welcome(lease),
                None => self.others.handle_closed(),
            }
            self.events.push(Event::Others);
        }
        if self.uplink != Connection::Online {
            for (id, stream) in self.streams.iter_mut() {
                stream.marks.handle_unseen();
                self.events.push(Event::SaveStatus(*id));
            }
        }
        if self.uplink == Connection::Online && before != Connection::Online {
            self.retry_older();
        }
        self.uplink_storage = uplink.storage.clone();
        self.set_storage(uplink.storage);
    }

    /// The leader can prove what it sends to the home only with the key.
    pub(super) fn hand_over(&mut self, replica: ReplicaId) {
        let Some(identity) = self.identities.get(&replica) else { return };
        let secret = Secret { secret: *identity.secret(), own: self.minted.contains(&replica) };
        if self.link.proven.insert(replica) {
            self.send(&secret.into());
        }
    }

    /// The leader has welcomed this page: what the last one did not keep is handed over again.
    pub(super) fn meet_leader(&mut self) {
        let unsaved = self.streams.values().flat_map(|stream| stream.marks.unsaved());
        let mut awaited: Vec<ReplicaId> = unsaved.map(|name| name.replica).collect();
        // A home that was restored lacks what this page has led to it before: it hears when that is saved again.
        let lacking = |replica: &&ReplicaId| {
            let lacks = |stream: &Stream| {
                stream.saved.get(*replica).is_some_and(|saved| *saved < stream.log.tip(replica).seq)
            };
            self.streams.values().any(lacks)
        };
        awaited.extend(self.minted.iter().filter(lacking));
        for replica in awaited {
            self.hand_over(replica);
        }
        // It tells what is kept; what it does not know yet it is given.
        self.forks.forget_kept();
        for aside in self.forks.unkept() {
            self.send(&aside.into());
        }
        let done = self.forks.done.clone();
        self.send_done(&done);
        self.tell_read();
        self.events.push(Event::Forks);
    }

    /// A sealed entry that is not on the device's disk yet. Its logical time is its place among the others.
    pub(super) fn hold(&mut self, entry: Entry, now: Now) {
        let id = entry.header().stream;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let follows = matches!(stream.sync, Sync::Following(_));
        if follows && !stream.has_outbox() {
            stream.sync = Sync::Following(now.monotonic);
        }
        stream.hold(entry.clone());
        if follows && self.role == Role::Following {
            self.offer(&[entry], now);
        }
    }

    /// What the leader sends of a stream that is being read, in its order.
    pub(super) fn gather(&mut self, entry: &Entry, now: Now) {
        let Some(stream) = self.streams.get_mut(&entry.header().stream) else { return };
        stream.note_heard(now);
        let place = stream.gathered.len() as u64;
        stream.gathered.push((place, entry.clone()));
    }

    /// Whether a page that follows has no log of a stream yet that it reads from the leader.
    pub(super) fn gathers(&self, stream: &Stream) -> bool {
        let id = stream.log.stream();
        let read = self.scans.values().any(|reading| reading.is_of_channel(id, stream.reading));
        matches!(stream.phase, Phase::Loading | Phase::Rebuilding) && !read
    }

    /// The leader has sent all there is on the disk.
    pub(super) fn handle_leader_synced(&mut self, synced: &Synced, now: Now) {
        let id = synced.stream;
        let Some(stream) = self.streams.get(&id) else { return };
        if synced.gone {
            return self.handle_gone(id, now);
        }
        let reads = self.gathers(stream);
        let Some(kept) = self.take_answer(synced) else { return };
        if !reads {
            return self.go_on_following(id, kept, now);
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.gathered_entries() != synced.entries {
            // Something of it could not be read: later.
            stream.sync = Sync::Waiting(now.monotonic.after(RESEND_AFTER));
            return;
        }
        let gathered = std::mem::take(&mut stream.gathered);
        if self.build(id, gathered, now) {
            let (_, kept) = self.known_there(id);
            self.go_on_following(id, kept, now);
        }
    }

    /// The page has what its leader has, which holds so much of what this page wrote.
    fn go_on_following(&mut self, id: StreamId, kept: Vec<Dep>, now: Now) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.sync = Sync::Following(now.monotonic);
        }
        for mark in kept {
            self.mark_kept(id, EntryName { replica: mark.replica, seq: mark.seq });
        }
        self.offer_outbox(id, now);
        self.tick_journals(now);
        self.fetch_older(id);
        self.events.push(Event::SaveStatus(id));
    }

    pub(super) fn handle_kept(&mut self, kept: &Place, now: Now) {
        self.mark_kept(kept.stream, EntryName { replica: kept.replica, seq: kept.seq });
        if let Some(stream) = self.streams.get_mut(&kept.stream)
            && matches!(stream.sync, Sync::Following(_))
        {
            stream.sync = Sync::Following(now.monotonic);
        }
    }

    /// The leader has it on the disk: from here on its loss is not this page's to fear.
    fn mark_kept(&mut self, id: StreamId, upto: EntryName) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.forget_outbox(upto);
        stream.marks.handle_kept(upto);
        self.settle_forks();
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if let Some(open) = stream.channel_mut() {
            open.channel.touch_all(upto.replica, 1, upto.seq);
            self.events.push(Event::Channel(id));
        }
        self.events.push(Event::SaveStatus(id));
    }

    /// Whether the home lacks anything this device has written.
    pub(super) fn handle_unsent(&mut self, first: &Place) {
        if let Some(stream) = self.streams.get_mut(&first.stream) {
            stream.unsent_told = first.seq > 0;
            self.events.push(Event::SaveStatus(first.stream));
        }
    }

    pub(super) fn handle_aside_kept(&mut self, kept: &Place) {
        self.forks.set_kept(kept, true);
        self.note_forks_on_disk(kept.stream);
        self.settle_forks();
    }

    /// A piece of a fork that is kept with the leader.
    pub(super) fn handle_told_aside(&mut self, aside: Aside) {
        let (stream, name) = (aside.stream, aside.name());
        if !self.forks.done.contains(&name) && self.forks.hold(aside, true) {
            self.tell_forks(stream);
        }
    }

    /// The leader has taken refused work off the disk, of this page or of another: what builds on it here becomes a fork
    /// as well, and the stream is read again.
    pub(super) fn handle_told_refused(&mut self, refused: Refused, now: Now) {
        let Refused { stream: id, replica, seq, code, sentence } = refused;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let from = EntryName { replica, seq };
        let is_here = stream.phase == Phase::Ready && stream.log.tip(&replica).seq >= seq;
        if stream.phase == Phase::Gone || (stream.is_refused(from) && !is_here) {
            return;
        }
        if !stream.is_refused(from) {
            stream.closed.insert(replica, seq);
        }
        stream.refuse_dependants(&[]);
        self.leave_branch(id, from, &Why::refused(code, sentence), now);
    }

    /// A page that follows closes a replica of its own.
    pub(super) fn close_followed(&mut self, id: StreamId, from: EntryName, why: &Why, now: Now) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.closed.insert(from.replica, from.seq);
        }
        self.leave_branch(id, from, why, now);
    }

    /// Turns what is held here of closed chains, and the journal, into a fork, and reads the stream again.
    pub(super) fn leave_branch(&mut self, id: StreamId, from: EntryName, why: &Why, now: Now) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let mut refused = Vec::new();
        let closed = stream.closed.clone();
        for (replica, entries) in stream.outbox.iter_mut() {
            let Some(first) = closed.get(replica) else { continue };
            entries.retain(|held| {
                let stands = held.entry.name().seq < *first;
                if !stands {
                    refused.push(held.entry.clone());
                }
                stands
            });
        }
        stream.outbox.retain(|_, entries| !entries.is_empty());
        let tip = stream.log.tip(&from.replica).seq;
        let closes = closed.get(&from.replica).is_some_and(|first| *first <= tip);
        let mine = (self.identities.contains_key(&from.replica) && closes)
            || !refused.is_empty()
            || !stream.journal.updates.is_empty();
        if why.apart && mine {
            self.apply_fresh(id);
        }
        let whole = self.whole_text(id).filter(|_| why.apart && mine);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if matches!(stream.phase, Phase::Ready | Phase::Meeting) {
            stream.phase = Phase::Rebuilding;
        }
        match self.role {
            Role::Leading => self.queue.tag(Tag::Rebuild(id), Durability::Strict),
            Role::Following => self.read_again(id),
        }
        self.set_aside(id, &refused, whole, why, now);
        if mine {
            self.tell_fork(id, why);
        }
        if closed.contains_key(&self.current) {
            self.mint();
        }
    }

    /// Asks the leader for the whole stream, as soon as there is one.
    pub(super) fn read_again(&mut self, id: StreamId) {
        let live = self.link.is_live();
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.reading += 1;
            stream.gathered.clear();
            // What the disk lacks the leader has.
            (stream.snapshot_lost, stream.lacks_snapshot) = (false, false);
            stream.sync = if live { Sync::Waiting(Millis(0)) } else { Sync::Off };
        }
    }

    /// Held work that builds on what is not here is kept as a fork. Its author writes on under another name: what came next would
    /// have the same one, and take its place.
    pub(super) fn keep_apart(&mut self, id: StreamId, apart: &[Entry], now: Now) {
        let Some(stream) = self.streams.get_mut(&id).filter(|_| !apart.is_empty()) else { return };
        for EntryName { replica, seq } in apart.iter().map(Entry::name) {
            let first = stream.closed.entry(replica).or_insert(seq);
            *first = seq.min(*first);
        }
        let leaves = stream.closed.contains_key(&self.current);
        // Where nobody refused it, what it builds on may yet come, and a text takes it back then.
        let returns = stream.moved && id.kind() != StreamKind::Chat;
        let why = if stream.moved {
            Why::claimed()
        } else {
            Why::later("written on top of a change that was refused")
        };
        for entry in apart {
            if returns && entry.header().kind == EntryKind::Edit {
                self.keep_pieces(id, entry.name().replica, &[entry.payload().to_vec()], &why, now);
            } else {
                self.keep_entry(entry, &why, now);
            }
        }
        self.tell_fork(id, &why);
        if leaves {
            self.mint();
        }
    }
}

impl Stream {
    /// Of what is held, what joins what was read; and what does not, as something that it builds on is not here.
    pub(super) fn rejoin(&mut self, held: Vec<Entry>) -> (Vec<Entry>, Vec<Entry>) {
        let (mut joining, mut apart) = (Vec::new(), Vec::new());
        for entry in held {
            match self.log.judge(&entry) {
                Verdict::Fresh(accepted) => {
                    self.log.extend(&entry, accepted);
                    joining.push(entry);
                }
                Verdict::Known => {}
                // It stands on the disk.
                Verdict::Waits(_) | Verdict::Refused(_) if self.held_as(&entry.name()).is_some() => {}
                Verdict::Waits(_) | Verdict::Refused(_) => apart.push(entry),
            }
        }
        (joining, apart)
    }

    /// How many entries the leader has sent so far, with those that its snapshot covers.
    fn gathered_entries(&self) -> u64 {
        let covered = |replica: &ReplicaId| self.snapshot.as_ref().map_or(0, |root| root.covered(replica));
        let names = self.gathered.iter().map(|(_, entry)| entry.name());
        let above: Vec<EntryName> = names.filter(|name| name.seq > covered(&name.replica)).collect();
        let order = sorted::order(above.len(), &|one, other| above[one] < above[other]);
        let again = order.windows(2).filter(|pair| above[pair[0]] == above[pair[1]]).count();
        let root = self.snapshot.iter().flat_map(|root| root.tips());
        root.map(|(_, tip)| tip.seq).sum::<u64>() + (above.len() - again) as u64
    }
}
