//! Readers: from where a reader is, to the end of the log, and then live.
//!
//! The order of arrival on the disk respects dependencies, so catching up is one walk along it. Its pages travel in the
//! bulk lane, and so does what follows them until the lane has drained: entries never overtake the pages they build on.
//! A reader whose entries lane is full is not sent anything more; when it drains it goes on from the log where it stopped.

use crate::home::Home;
use crate::home::archive::look_up;
use crate::home::compaction::Standing;
use crate::home::compare::Comparing;
use crate::home::held::Held;
use crate::home::lane::Lane;
use crate::home::pages::Pages;
use crate::home::reading::Reading;
use crate::home::stream::HomeStream;
use crate::home::transfer::{Fetch, Shared};
use crate::home::walk::{Awaited, Walk};
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{LINK_READS, WALK_LOOKUPS};
use crate::log::{Digest, EntryName, Group};
use crate::snapshot::SnapshotId;
use crate::storage::Scan;
use crate::wire::ErrorCode;

/// How far a link has been sent a stream.
#[derive(Debug)]
pub(super) enum Following {
    /// Gets entries as they become durable.
    Live,
    /// The same, but behind its last pages, which still wait in the bulk lane.
    Landing,
    /// Is asked what it holds.
    Comparing(Box<Comparing>),
    /// Gets entries from the log.
    Reading(Box<Walk>),
}

/// What a reader is sent of what a snapshot covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// The entries of a chain, out of the archive: it has asked for them by name, from one up to another.
    Entries(EntryName, u64),
    /// The snapshot, if it lacks anything of it; or also if it does not, unless the snapshot is this one.
    Snapshot(Option<SnapshotId>),
}

/// What a reader wants.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    /// What it lacks. It holds what this digest says.
    Question { number: u64, digest: Digest, newest_but: Option<SnapshotId> },
    /// Entries of a chain, the first and the last among them.
    Chain { replica: ReplicaId, from: u64, to: u64 },
}

impl Home {
    /// Starts to bring a reader to the end of the log.
    pub(super) fn handle_ask(&mut self, conn: ConnId, stream: StreamId, ask: Ask) {
        if let Some(walk) = self.walk_mut(conn, stream).filter(|walk| walk.reads > 0) {
            walk.again = Some(ask);
            return;
        }
        let Some(link) = self.conns.get_mut(&conn) else { return };
        if matches!(link.following(&stream), Some(Following::Live)) && !link.fill.is_empty(Lane::Entries) {
            // What it was sent before goes first.
            link.behind.insert(stream);
        }
        let unborn = HomeStream::new(stream);
        let state = self.streams.get(&stream).unwrap_or(&unborn);
        match ask {
            Ask::Question { number, digest, newest_but } => {
                link.note_question(stream, number);
                link.needs.forget(&stream);
                let (held, as_of) = (state.held_by(&digest), state.durable_arrivals);
                let below = Below::Snapshot(newest_but);
                match held {
                    Some(held) => self.bring_up(conn, stream, held, below),
                    None => {
                        let comparing = Comparing::new(as_of, below);
                        self.set_following(conn, stream, Following::Comparing(comparing.into()));
                    }
                }
            }
            Ask::Chain { replica, from, to } => {
                let held = state.held_but(replica, from);
                self.bring_up(conn, stream, held, Below::Entries(EntryName { replica, seq: from }, to));
            }
        }
    }

    /// It is known what the reader holds: what it lacks is looked for.
    pub(super) fn bring_up(&mut self, conn: ConnId, stream: StreamId, held: Held, below: Below) {
        let (awaits, upto) = match below {
            Below::Entries(first, seq) => (Some(first), Some(EntryName { seq, ..first })),
            Below::Snapshot(_) => (None, None),
        };
        if upto.is_none() {
            self.note_reader(conn, &stream, &held);
        }
        let Some(state) = self.streams.get(&stream) else {
            // Nothing is here yet of the stream, and nothing is kept for it but that this link follows it.
            return self.set_following(conn, stream, Following::Reading(Walk::from(0).into()));
        };
        let lacks_covered = |standing: &Standing| {
            let lacks =
                |(replica, seq): &(ReplicaId, u64)| held.is_apart(replica) && held.told(replica) < *seq;
            held.as_of < standing.arrivals || standing.covered.iter().any(lacks)
        };
        let wants = |standing: &Standing| match below {
            Below::Entries(..) => false,
            Below::Snapshot(but) => but.is_some_and(|but| but != standing.id) || lacks_covered(standing),
        };
        if state.snapshot.as_ref().is_some_and(wants) {
            let walk = Walk { held, fetch: Some(Fetch::Wanted), ..Walk::from(0) };
            return self.set_following(conn, stream, Following::Reading(walk.into()));
        }
        let end = state.durable_arrivals;
        // Who holds what the snapshot covers lacks nothing below it.
        let floor = match below {
            Below::Entries(..) => 0,
            Below::Snapshot(_) => state.snapshot.as_ref().map_or(0, |standing| standing.arrivals),
        };
        let lacking: Vec<(ReplicaId, u64)> = held
            .apart()
            .flat_map(|group| state.durable.in_group(group))
            .map(|(replica, seq)| (replica, held.told(&replica), seq))
            .filter(|(_, told, seq)| told < seq)
            .map(|(replica, told, _)| (replica, told + 1))
            .collect();
        let look_up =
            |(replica, seq): &(ReplicaId, u64)| look_up(&stream, replica, *seq, state.covered(replica));
        let Some(link) = self.conns.get_mut(&conn) else { return };
        // Looking up thousands of chains would cost more than passing over entries.
        let many = lacking.len() > WALK_LOOKUPS || link.lookups + lacking.len() > LINK_READS;
        let earliest = held.as_of.min(end);
        let (next, reads) = match (lacking.is_empty(), many) {
            (true, _) => (Some(earliest.max(floor)), 0),
            (false, true) => (Some(floor), 0),
            (false, false) => (None, lacking.len()),
        };
        link.lookups += reads;
        let scans: Vec<Scan> = lacking.iter().take(reads).map(look_up).collect();
        let by_entries = upto.is_some();
        let awaits = awaits.map(|name| {
            let in_archive = state.covered(&name.replica) >= name.seq;
            Awaited { name, in_archive, met_damage: false }
        });
        let walk = Walk { next, reads, earliest, floor, held, by_entries, upto, awaits, ..Walk::from(0) };
        self.set_following(conn, stream, Following::Reading(walk.into()));
        for scan in scans {
            self.scan(scan, Reading::Lookup(conn, stream));
        }
    }

    fn set_following(&mut self, conn: ConnId, stream: StreamId, following: Following) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        link.follow(stream, following);
        self.continue_reading(conn, stream);
    }

    /// A lane that a link had to wait for is empty.
    pub(super) fn handle_drained(&mut self, conn: ConnId, lane: Lane) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        link.fill.drained(lane);
        match lane {
            Lane::Control => {}
            Lane::Entries => {
                for stream in std::mem::take(&mut link.behind) {
                    self.continue_reading(conn, stream);
                }
            }
            Lane::Presence => self.send_missed(conn),
            Lane::Bulk => {
                for stream in link.land() {
                    self.continue_reading(conn, stream);
                }
                self.answer_needs(conn);
                self.read_wanted(conn);
            }
        }
    }

    /// After the room was read anew: walks whose scans were given up begin again.
    pub(super) fn resume_reading(&mut self) {
        for state in self.streams.values_mut() {
            state.shared = Shared::default();
        }
        self.pages = Pages::default();
        let mut walks = Vec::new();
        for (conn, link) in &mut self.conns {
            (link.pages, link.lookups) = (0, 0);
            for (stream, following) in link.followed_mut() {
                match following {
                    Following::Reading(walk) => {
                        walk.reads = 0;
                        walk.next.get_or_insert(0);
                        if matches!(walk.fetch, Some(Fetch::Asked)) {
                            walk.fetch = Some(Fetch::Wanted);
                        }
                        walks.push((*conn, stream));
                    }
                    Following::Comparing(_) => walks.push((*conn, stream)),
                    Following::Live | Following::Landing => {}
                }
            }
        }
        self.resume_wanted();
        for (conn, stream) in walks {
            self.step(conn, stream);
        }
    }

    /// After a commit failed nobody knows what of it is on the disk, so whoever was live reads on from what was there
    /// for certain.
    pub(super) fn doubt_live(&mut self) {
        for (stream, state) in &self.streams {
            for link in self.conns.values_mut() {
                let live = matches!(link.following(stream), Some(Following::Live));
                if !live && !matches!(link.following(stream), Some(Following::Landing)) {
                    continue;
                }
                // What it was sent before goes first.
                if live && !link.fill.is_empty(Lane::Entries) {
                    link.behind.insert(*stream);
                }
                link.follow(*stream, Following::Reading(Walk::from(state.durable_arrivals).into()));
            }
        }
    }

    /// A link's lane is full: it goes on from the log at `arrival` when it has drained.
    pub(super) fn fall_behind(&mut self, conn: ConnId, stream: StreamId, arrival: u64) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        if matches!(link.following(&stream), Some(Following::Live)) {
            link.behind.insert(stream);
        }
        link.follow(stream, Following::Reading(Walk::from(arrival).into()));
        self.figures.links_behind += 1;
    }

    /// What cannot be read now costs the reader its link and nobody else anything; it comes back by itself.
    pub(super) fn fail_reader(&mut self, conn: ConnId) {
        self.figures.store_failures += 1;
        self.fail(
            conn,
            ErrorCode::Store,
            "the relay cannot read this room from its disk now; your work is kept",
        );
    }
}

impl HomeStream {
    /// What a reader with this digest holds, if the home knows it.
    fn held_by(&self, digest: &Digest) -> Option<Held> {
        // Of a stream that is gone nothing is sent.
        let place =
            if self.log.is_gone() { Some(self.durable_arrivals) } else { self.durable.place_of(digest) };
        place.map(Held::all)
    }

    /// A reader that holds everything but one chain from an entry on.
    fn held_but(&self, replica: ReplicaId, from: u64) -> Held {
        let group = Group::of(&replica);
        let mut held = Held::all(self.durable_arrivals);
        held.differs_in([group].into_iter());
        for (other, seq) in self.durable.in_group(group) {
            held.note(other, if other == replica { from - 1 } else { seq });
        }
        held
    }
}
