//! One link of a home.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::home::catch_up::Following;
use crate::home::compare::Compared;
use crate::home::forwarded::Forwarding;
use crate::home::heads::ChainName;
use crate::home::lane::{Fill, Lane};
use crate::home::needs::Needs;
use crate::home::walk::Walk;
use crate::home::wants::Wanted;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{
    BOARD_CHANGES, CATCH_UP_BYTES, EARLY_BYTES, EARLY_FRAMES, HELLO_WAIT, HOME_SILENCE, LINK_STREAMS,
    ROOM_LINKS,
};
use crate::log::{EntryName, Refusal};
use crate::sorted::SortedMap;
use crate::time::Millis;

/// What the home knows of a link.
#[derive(Debug)]
pub(super) struct Conn {
    phase: Phase,
    heard: Millis,
    /// What waits to be written to it.
    pub(super) fill: Fill,
    held: Vec<Bytes>,
    /// Proofs of it that were checked.
    pub(super) proofs: usize,
    /// Bytes of its entries that wait for what they build on.
    pub(super) waiting_bytes: usize,
    /// Streams of which it has brought only entries that wait.
    pub(super) unborn: BTreeSet<StreamId>,
    /// Replicas whose keys this link has proven.
    pub(super) proven: BTreeSet<ReplicaId>,
    /// Replicas that another link has proven since: their device came back, or another page of it leads.
    pub(super) ceded: BTreeSet<ReplicaId>,
    /// Chains of which it has brought other words than stand here, or words upon such, and from which entry on: no more of them
    /// is taken from it.
    pub(super) refused: BTreeMap<ChainName, (u64, Refusal)>,
    /// Chains whose heads it was asked to sign.
    pub(super) attests: BTreeSet<ChainName>,
    /// What it was asked to bring that others wrote.
    pub(super) forwarding: Forwarding,
    /// A vector: the one stream that most links follow is looked for at every entry, and a tree's node for it would be the
    /// larger part of what an idle link costs.
    follows: SortedMap<StreamId, Follows>,
    /// What comparing takes up, over all of them.
    pub(super) compared: Compared,
    /// Streams that fell behind and go on from the log once the entries lane has drained.
    pub(super) behind: BTreeSet<StreamId>,
    /// Links whose presence this one is to be told of when its presence lane has drained.
    missed: BTreeSet<ConnId>,
    /// Places in the log that are being looked up for it.
    pub(super) lookups: usize,
    /// Pages that are being read for it; each becomes a frame in its bulk lane.
    pub(super) pages: usize,
    /// The stream whose snapshot it is being sent, if it still is.
    pub(super) fetching: Option<StreamId>,
    /// What it has asked for by name.
    pub(super) needs: Needs,
    /// Pages of snapshots that it has asked for.
    pub(super) wanted: Wanted,
}

/// A stream that a link follows.
#[derive(Debug)]
struct Follows {
    /// The newest of its questions that the home has taken up.
    question: u64,
    /// How far it has been sent.
    following: Following,
    /// Whether it was sent the signed heads there were.
    heads_told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Greeting,
    Open { nonce: [u8; 32] },
    Closing,
}

impl Conn {
    pub(super) fn new(now: Millis) -> Self {
        Self {
            phase: Phase::Greeting,
            heard: now,
            fill: Fill::default(),
            held: Vec::new(),
            proofs: 0,
            waiting_bytes: 0,
            unborn: BTreeSet::new(),
            proven: BTreeSet::new(),
            ceded: BTreeSet::new(),
            refused: BTreeMap::new(),
            attests: BTreeSet::new(),
            forwarding: Forwarding::default(),
            follows: SortedMap::new(),
            compared: Compared::default(),
            behind: BTreeSet::new(),
            missed: BTreeSet::new(),
            lookups: 0,
            pages: 0,
            fetching: None,
            needs: Needs::default(),
            wanted: Wanted::default(),
        }
    }

    pub(super) fn open(&mut self, nonce: [u8; 32]) {
        self.phase = Phase::Open { nonce };
    }

    pub(super) fn close(&mut self) {
        self.phase = Phase::Closing;
        self.follows = SortedMap::new();
        self.compared = Compared::default();
        self.wanted = Wanted::default();
    }

    pub(super) fn nonce(&self) -> Option<[u8; 32]> {
        match self.phase {
            Phase::Open { nonce } => Some(nonce),
            Phase::Greeting | Phase::Closing => None,
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.phase == Phase::Closing
    }

    pub(super) fn heard(&mut self, now: Millis) {
        self.heard = now;
    }

    /// When the link is given up if nothing more is heard.
    pub(super) fn silent_at(&self) -> Millis {
        self.heard.after(if self.phase == Phase::Greeting { HELLO_WAIT } else { HOME_SILENCE })
    }

    /// Whether it has brought other words there, or before that in the chain.
    pub(super) fn has_refused(&self, stream: StreamId, name: &EntryName) -> bool {
        self.refused.get(&(stream, name.replica)).is_some_and(|(from, _)| name.seq >= *from)
    }

    /// Keeps a frame until the room has been read from the disk; false when there are too many.
    pub(super) fn hold(&mut self, bytes: Bytes) -> bool {
        let held: usize = self.held.iter().map(Bytes::len).sum();
        let room = self.held.len() < EARLY_FRAMES && held + bytes.len() <= EARLY_BYTES;
        if room {
            self.held.push(bytes);
        }
        room
    }

    pub(super) fn take_held(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.held)
    }

    /// Whether it follows a stream, or may follow one more.
    pub(super) fn may_follow(&self, stream: &StreamId) -> bool {
        self.follows.len() < LINK_STREAMS || self.follows.contains_key(stream)
    }

    pub(super) fn following(&self, stream: &StreamId) -> Option<&Following> {
        self.follows.get(stream).map(|follows| &follows.following)
    }

    pub(super) fn following_mut(&mut self, stream: &StreamId) -> Option<&mut Following> {
        self.follows.get_mut(stream).map(|follows| &mut follows.following)
    }

    /// A walk, and what waits to be written to its link.
    pub(super) fn walk_and_fill(&mut self, stream: &StreamId) -> Option<(&mut Walk, &Fill)> {
        match &mut self.follows.get_mut(stream)?.following {
            Following::Reading(walk) => Some((walk, &self.fill)),
            Following::Live | Following::Landing | Following::Comparing(_) => None,
        }
    }

    /// Streams it follows, and how far it has been sent.
    pub(super) fn followed(&self) -> impl Iterator<Item = (StreamId, &Following)> {
        self.follows.iter().map(|(stream, follows)| (*stream, &follows.following))
    }

    pub(super) fn followed_mut(&mut self) -> impl Iterator<Item = (StreamId, &mut Following)> {
        self.follows.iter_mut().map(|(stream, follows)| (*stream, &mut follows.following))
    }

    pub(super) fn follow(&mut self, stream: StreamId, following: Following) {
        let (question, after) = (self.question(&stream), following.compared());
        let heads_told = self.follows.get(&stream).is_some_and(|follows| follows.heads_told);
        let before = self.follows.insert(stream, Follows { question, following, heads_told });
        let before = before.map(|follows| follows.following.compared());
        self.compared.change(before.unwrap_or_default(), after);
    }

    /// Its newest question about a stream.
    pub(super) fn question(&self, stream: &StreamId) -> u64 {
        self.follows.get(stream).map_or(0, |follows| follows.question)
    }

    /// It asks; what it is sent from here on belongs to this question.
    pub(super) fn note_question(&mut self, stream: StreamId, question: u64) {
        let follows = self.follows.entry(stream);
        let new = Follows { question, following: Following::Live, heads_told: false };
        follows.or_insert(new).question = question;
    }

    /// It is sent the signed heads of a stream; false if it was before.
    pub(super) fn tell_heads(&mut self, stream: &StreamId) -> bool {
        self.follows.get_mut(stream).is_some_and(|follows| !std::mem::replace(&mut follows.heads_told, true))
    }

    /// It could not be sent new ones now: it is when it has caught up.
    pub(super) fn miss_heads(&mut self, stream: &StreamId) {
        if let Some(follows) = self.follows.get_mut(stream) {
            follows.heads_told = false;
        }
    }

    /// The bulk lane has drained: readers whose walk has ended are live. Those that may go on are told.
    pub(super) fn land(&mut self) -> Vec<StreamId> {
        let mut walking = Vec::new();
        let mut room = self.compared.room();
        for (stream, following) in self.followed_mut() {
            match following {
                Following::Landing => *following = Following::Live,
                Following::Comparing(comparing) if !comparing.may_go_on(&mut room) => {}
                Following::Comparing(_) | Following::Reading(_) => walking.push(stream),
                Following::Live => {}
            }
        }
        walking
    }

    /// In which lane entries of a stream go out as they become durable, if they do.
    pub(super) fn lane_of(&self, stream: &StreamId) -> Option<Lane> {
        match self.following(stream)? {
            Following::Live => Some(Lane::Entries),
            Following::Landing => Some(Lane::Bulk),
            Following::Comparing(_) | Following::Reading(_) => None,
        }
    }

    /// Whether a page may be read for it: one at a time, so somebody who asks for many streams at once gets them one
    /// after another.
    pub(super) fn has_room_for_page(&self) -> bool {
        self.pages == 0 && self.fill.has_room(Lane::Bulk, CATCH_UP_BYTES)
    }

    /// Notes whom to tell about later; false when there are too many.
    pub(super) fn miss(&mut self, changed: impl IntoIterator<Item = ConnId>) -> bool {
        if self.nonce().is_some() {
            self.missed.extend(changed);
        }
        self.missed.len() <= ROOM_LINKS
    }

    /// Whom to tell about now; the rest follows when that has been written.
    pub(super) fn take_missed(&mut self) -> BTreeSet<ConnId> {
        let rest = self.missed.iter().nth(BOARD_CHANGES).copied();
        let rest = rest.map(|first| self.missed.split_off(&first)).unwrap_or_default();
        std::mem::replace(&mut self.missed, rest)
    }
}
