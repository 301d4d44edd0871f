//! A reader whose digest the home does not know: the two find the groups of chains in which they differ, and of those
//! the reader tells chain by chain (rule 5). Of the reader's own chains among them the home says what it has.

use crate::home::Home;
use crate::home::catch_up::{Below, Following};
use crate::home::conn::Conn;
use crate::home::held::{Groups, Held};
use crate::home::lane::Lane;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{COMPARED_STREAMS, LINK_MARKS, TOLD_CHAINS};
use crate::log::{Dep, Group, marks_of};
use crate::wire::{self, Compare, Saved};

/// A reader that is being asked what it holds.
#[derive(Debug)]
pub(super) struct Comparing {
    held: Held,
    below: Below,
    turn: Turn,
    /// What the home has of the reader's own chains, until there is room to say so.
    stands: Vec<Dep>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The home asks, about the chains behind this one.
    Home(ReplicaId),
    /// The reader answers.
    Reader,
    /// Everything is told.
    Done,
}

impl Comparing {
    pub(super) fn new(as_of: u64, below: Below) -> Self {
        let turn = Turn::Home(Group(0).first());
        Self { held: Held::all_but(as_of, Groups::ALL), below, turn, stands: Vec::new() }
    }
}

impl Home {
    /// Takes the next step of a comparison, as far as there is room for it.
    pub(super) fn continue_comparing(&mut self, conn: ConnId, stream: StreamId) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        if !matches!(link.following(&stream), Some(Following::Comparing(_))) {
            return;
        }
        let (comparisons, marks) = link.comparisons();
        let (many, full) = (comparisons >= COMPARED_STREAMS, marks >= LINK_MARKS / 2);
        let question = link.question(&stream);
        let room = link.fill.has_room(Lane::Bulk, FRAME_BYTES);
        let Some(Following::Comparing(comparing)) = link.following_mut(&stream).filter(|_| room) else {
            return;
        };
        if !comparing.stands.is_empty() {
            let above = std::mem::take(&mut comparing.stands);
            let saved =
                above.into_iter().map(|Dep { replica, seq, head }| Saved { stream, replica, seq, head });
            let frames: Vec<u8> = saved.flat_map(|saved| wire::encode(&saved.into())).collect();
            self.send_bytes(conn, Lane::Bulk, frames.into());
            return self.continue_comparing(conn, stream);
        }
        match comparing.turn {
            // One that has begun goes on: its own marks must not keep it waiting.
            Turn::Home(from) if !many && (!full || from != Group(0).first()) => {
                comparing.turn = Turn::Reader;
                let state = self.streams.get(&stream);
                let groups = state.map(|state| state.durable.compared(Group::of(&from))).unwrap_or_default();
                if from == Group(0).first() {
                    let mut apart = Groups::ALL;
                    groups.iter().for_each(|(group, _)| apart.remove(*group));
                    comparing.held = Held::all_but(comparing.held.as_of, apart);
                }
                let groups = marks_of(&groups);
                let (above, own, more) = (Vec::new(), Vec::new(), false);
                let asked = Compare { stream, question, from, groups, above, own, more };
                self.send_bytes(conn, Lane::Bulk, wire::encode(&asked.into()));
            }
            Turn::Home(_) | Turn::Reader => {}
            Turn::Done => {
                let (held, below) = (std::mem::take(&mut comparing.held), comparing.below);
                self.bring_up(conn, stream, held, below);
                self.compare_next(conn);
            }
        }
    }

    /// A stream that waited for another one's comparison to end.
    fn compare_next(&mut self, conn: ConnId) {
        let waiting = self.conns.get(&conn).and_then(|link| link.comparison_that_waits());
        if let Some(stream) = waiting {
            self.continue_comparing(conn, stream);
        }
    }

    /// A reader has told what it holds where it differs.
    pub(super) fn handle_compared(&mut self, conn: ConnId, compared: Compare) {
        let Compare { stream, question, from: _, groups, above, own, more } = compared;
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let newest = link.question(&stream) == question;
        let (_, marks) = link.comparisons();
        let mut room = LINK_MARKS.saturating_sub(marks);
        let Some(Following::Comparing(comparing)) = link.following_mut(&stream).filter(|_| newest) else {
            return;
        };
        if comparing.turn != Turn::Reader {
            return;
        }
        let state = self.streams.get(&stream);
        comparing.held.differs_in(groups.into_iter().map(Group));
        let last = above.last().max(own.last()).map(|(replica, _)| *replica);
        let told = above.into_iter().chain(own.iter().copied());
        for (replica, seq) in told {
            // What it says of chains that are not here is its own to bound. Where there is no room for a mark it counts as
            // holding nothing, and is sent what it may have.
            if room > 0 && state.is_some_and(|state| state.durable.get(&replica).is_some()) {
                room -= 1;
                comparing.held.note(replica, seq);
            }
        }
        comparing.stands.extend(own.iter().map(|(replica, _)| {
            let here = state.and_then(|state| state.durable.get(replica));
            let (seq, head) = here.map_or((0, [0; 8]), |(seq, head)| (seq, head.short()));
            Dep { replica: *replica, seq, head }
        }));
        comparing.turn = last.filter(|_| more).map_or(Turn::Done, Turn::Home);
        self.continue_comparing(conn, stream);
    }
}

impl Conn {
    /// How many streams are being compared, and how many chains it has told of in all streams.
    fn comparisons(&self) -> (usize, usize) {
        let each = self.followed().map(|(_, following)| match following {
            Following::Comparing(Comparing { turn, held, .. }) => {
                (usize::from(*turn == Turn::Reader), held.marks())
            }
            Following::Reading(walk) => (0, walk.held.marks()),
            Following::Live | Following::Landing => (0, 0),
        });
        each.fold((0, 0), |(comparisons, marks), (one, of_it)| (comparisons + one, marks + of_it))
    }

    /// One that is not yet, because so many are.
    fn comparison_that_waits(&self) -> Option<StreamId> {
        let mut waiting = self.followed().filter(|(_, following)| match following {
            Following::Comparing(comparing) => matches!(comparing.turn, Turn::Home(_)),
            Following::Live | Following::Landing | Following::Reading(_) => false,
        });
        waiting.next().map(|(stream, _)| stream)
    }
}

/// The larger of the two frames: so many answers of at most 70 bytes each.
const FRAME_BYTES: usize = 70 * TOLD_CHAINS;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::home::durable::Durable;
    use crate::log::{Digest, Head, differing, groups_of};

    /// A chain of a group, and its head after so many entries.
    fn chain(group: u8, number: u8) -> ReplicaId {
        let mut name = [number; 32];
        name[0] = group;
        ReplicaId::from_bytes(name)
    }

    fn head(replica: &ReplicaId, seq: u64) -> Head {
        let mut hasher = blake3::Hasher::new();
        hasher.update(replica.as_bytes()).update(&seq.to_le_bytes());
        Head::from_bytes(*hasher.finalize().as_bytes())
    }

    proptest! {
        #[test]
        fn rule_5_what_is_told_where_two_sides_differ_is_what_the_reader_holds(
            chains in prop::collection::btree_map((0..40u8, 0..4u8), (0..6u64, 0..6u64), 0..120),
        ) {
            // Each chain is at the home up to one entry, and at the reader up to another.
            let mut durable = Durable::default();
            let mut held_there = Vec::new();
            for ((group, number), (home, reader)) in chains {
                let replica = chain(group, number);
                if home > 0 {
                    durable.restore(replica, home, head(&replica, home));
                }
                if reader > 0 {
                    held_there.push((replica, reader, head(&replica, reader)));
                }
            }
            durable.settle(1_000);
            let groups = durable.compared(Group(0));
            let mut apart = Groups::ALL;
            groups.iter().for_each(|(group, _)| apart.remove(*group));
            let mut held = Held::all_but(1_000, apart);

            let named = differing(&marks_of(&groups_of(&held_there)), &marks_of(&groups), Group(0));
            held.differs_in(named.iter().copied().map(Group));
            for (replica, seq, _) in &held_there {
                if named.contains(&Group::of(replica).0) {
                    held.note(*replica, *seq);
                }
            }
            for group in (0..=u8::MAX).map(Group) {
                for (replica, seq) in durable.in_group(group) {
                    let there = held_there.iter().find(|(of, ..)| *of == replica).map_or(0, |(_, seq, _)| *seq);
                    for seq in 1..=seq {
                        prop_assert_eq!(held.has(seq, &replica, seq), seq <= there, "{:?}/{}", replica, seq);
                    }
                }
            }
            if !groups.is_empty() {
                prop_assert_eq!(named.is_empty(), durable.digest() == Digest::of_chains(&held_there));
            }
        }
    }
}
