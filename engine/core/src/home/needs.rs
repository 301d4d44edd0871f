//! Entries that a link asks for by name. They wait chain by chain, and one walk at a time answers them: whoever asks ten
//! thousand times is answered as fast as it reads, and costs others nothing.

use std::collections::BTreeMap;

use crate::home::Home;
use crate::home::catch_up::{Ask, Following};
use crate::home::conn::Conn;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{LATER_AFTER, LINK_NEEDS};
use crate::wire::{Later, LaterWhy, Need};

/// What one link has asked for and was not sent yet.
#[derive(Debug, Default)]
pub(super) struct Needs {
    waiting: BTreeMap<(StreamId, ReplicaId), (u64, u64)>,
    /// The stream of the newest walk that answers one.
    answered: Option<StreamId>,
}

impl Needs {
    /// Notes what is asked for; of one chain everything together. False when too many chains are waited for.
    fn note(&mut self, need: &Need) -> bool {
        let chain = (need.stream, need.replica);
        if self.waiting.len() >= LINK_NEEDS && !self.waiting.contains_key(&chain) {
            return false;
        }
        let range = self.waiting.entry(chain).or_insert((need.from, need.to));
        *range = (range.0.min(need.from), range.1.max(need.to));
        true
    }

    /// The link asks anew what it lacks of a stream: the answer brings what was asked for by name as well.
    pub(super) fn forget(&mut self, stream: &StreamId) {
        self.waiting.retain(|(of, _), _| of != stream);
    }
}

impl Home {
    pub(super) fn handle_need(&mut self, conn: ConnId, need: &Need) {
        if !self.streams.contains_key(&need.stream) {
            return;
        }
        let Some(link) = self.conns.get_mut(&conn) else { return };
        if link.following(&need.stream).is_none() {
            return;
        }
        if link.needs.note(need) {
            return self.answer_needs(conn);
        }
        let (why, after) = (LaterWhy::Busy, LATER_AFTER);
        let later = Later { stream: need.stream, replica: need.replica, seq: need.from, why, after };
        self.send(conn, &later.into());
    }

    /// Starts on the next chain, unless one is on its way. Each answer ends in the bulk lane, and the next begins when that
    /// has drained. Chains of a stream that the link is being caught up with wait until it has.
    pub(super) fn answer_needs(&mut self, conn: ConnId) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        if link.needs.answered.is_some_and(|stream| link.is_answered(&stream)) {
            return;
        }
        let ready = link.needs.waiting.keys().find(|(stream, _)| link.lane_of(stream).is_some()).copied();
        let Some((stream, replica)) = ready else { return };
        if let Some((from, to)) = link.needs.waiting.remove(&(stream, replica)) {
            link.needs.answered = Some(stream);
            self.handle_ask(conn, stream, Ask::Chain { replica, from, to });
        }
    }
}

impl Conn {
    /// Whether it is on a walk for what it has asked for by name.
    fn is_answered(&self, stream: &StreamId) -> bool {
        match self.following(stream) {
            Some(Following::Reading(walk)) => walk.upto.is_some(),
            Some(Following::Live | Following::Landing | Following::Comparing(_)) | None => false,
        }
    }
}
