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
use crate::time::Now;
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
        if !link.fill.has_room(Lane::Bulk, FRAME_BYTES) {
            return;
        }
        let (question, compared) = (link.question(&stream), link.compared);
        let step = |comparing: &mut Comparing| (comparing.turn, std::mem::take(&mut comparing.stands));
        let Some((turn, stands)) = link.compare(&stream, step) else { return };
        if !stands.is_empty() {
            let saved =
                stands.into_iter().map(|Dep { replica, seq, head }| Saved { stream, replica, seq, head });
            let frames: Vec<u8> = saved.flat_map(|saved| wire::encode(&saved.into())).collect();
            self.send_bytes(conn, Lane::Bulk, frames.into());
            return self.continue_comparing(conn, stream);
        }
        match turn {
            Turn::Home(from) if compared.lets_ask(from) => {
                let state = self.streams.get(&stream);
                let groups = state.map(|state| state.durable.compared(Group::of(&from))).unwrap_or_default();
                link.compare(&stream, |comparing| {
                    comparing.turn = Turn::Reader;
                    if from == Group(0).first() {
                        let mut apart = Groups::ALL;
                        groups.iter().for_each(|(group, _)| apart.remove(*group));
                        comparing.held = Held::all_but(comparing.held.as_of, apart);
                    }
                });
                let groups = marks_of(&groups);
                let (above, own, more) = (Vec::new(), Vec::new(), false);
                let asked = Compare { stream, question, from, groups, above, own, more };
                self.send_bytes(conn, Lane::Bulk, wire::encode(&asked.into()));
            }
            Turn::Home(_) | Turn::Reader => {}
            Turn::Done => {
                let done = |comparing: &mut Comparing| (std::mem::take(&mut comparing.held), comparing.below);
                let Some((held, below)) = link.compare(&stream, done) else { return };
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
    pub(super) fn handle_compared(&mut self, conn: ConnId, compared: Compare, now: Now) {
        let Compare { stream, question, from: _, groups, above, own, more } = compared;
        if self.conns.get(&conn).is_none_or(|link| link.question(&stream) != question) {
            return;
        }
        let lacking = self.lacking(conn, stream, &above);
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let state = self.streams.get(&stream);
        let mut room = LINK_MARKS.saturating_sub(link.compared.marks);
        let is_answer = link.compare(&stream, |comparing| {
            if comparing.turn != Turn::Reader {
                return false;
            }
            comparing.held.differs_in(groups.into_iter().map(Group));
            let last = above.last().max(own.last()).map(|(replica, _)| *replica);
            let told = above.into_iter().chain(own.iter().copied());
            for (replica, seq) in told {
                // What it says of chains that are not here is its own to bound. Where there is no room for a mark it counts
                // as holding nothing, and is sent what it may have.
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
            true
        });
        if is_answer == Some(true) {
            self.ask_for_more(conn, lacking, now);
            self.continue_comparing(conn, stream);
        }
    }
}

/// What comparing takes up on a link, over all its streams: counted as it changes, for each of thousands of streams asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    /// Streams that the reader is being asked about.
    streams: usize,
    /// Chains it has told of.
    marks: usize,
}

impl Compared {
    /// How many streams it may be asked about that it was not asked about yet.
    pub(super) fn room(self) -> usize {
        if self.marks < LINK_MARKS / 2 { COMPARED_STREAMS.saturating_sub(self.streams) } else { 0 }
    }

    /// Whether it may be asked about the chains behind this one. A stream that has begun goes on: its own marks must not
    /// keep it waiting.
    fn lets_ask(self, from: ReplicaId) -> bool {
        self.room() > 0 || (self.streams < COMPARED_STREAMS && from != Group(0).first())
    }

    /// One stream has changed.
    pub(super) fn change(&mut self, before: Self, after: Self) {
        self.streams = self.streams + after.streams - before.streams;
        self.marks = self.marks + after.marks - before.marks;
    }
}

impl Following {
    pub(super) fn compared(&self) -> Compared {
        match self {
            Self::Comparing(comparing) => comparing.compared(),
            Self::Reading(walk) => Compared { streams: 0, marks: walk.held.marks() },
            Self::Live | Self::Landing => Compared::default(),
        }
    }
}

impl Comparing {
    fn compared(&self) -> Compared {
        Compared { streams: usize::from(self.turn == Turn::Reader), marks: self.held.marks() }
    }

    /// Whether anything can be done for it; of those that have not begun, as long as there is `room`.
    pub(super) fn may_go_on(&self, room: &mut usize) -> bool {
        match self.turn {
            Turn::Home(from) if from == Group(0).first() => {
                let begins = *room > 0;
                *room = room.saturating_sub(1);
                begins
            }
            Turn::Home(_) | Turn::Done => true,
            Turn::Reader => !self.stands.is_empty(),
        }
    }
}

impl Conn {
    /// Goes on with the comparison of a stream, if it is being compared.
    fn compare<T>(&mut self, stream: &StreamId, step: impl FnOnce(&mut Comparing) -> T) -> Option<T> {
        let Following::Comparing(comparing) = self.following_mut(stream)? else { return None };
        let before = comparing.compared();
        let result = step(comparing);
        let after = comparing.compared();
        self.compared.change(before, after);
        Some(result)
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
    use crate::home::walk::Walk;
    use crate::limits::LINK_STREAMS;
    use crate::log::{Digest, Head, differing, groups_of};
    use crate::time::Millis;

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

    fn stream(number: usize) -> StreamId {
        StreamId::ydoc((number as u128).to_be_bytes())
    }

    fn comparing() -> Following {
        Following::Comparing(Comparing::new(0, Below::Snapshot(None)).into())
    }

    fn walking(marks: u8) -> Following {
        let mut held = Held::all(1);
        (0..marks).for_each(|number| held.note(chain(1, number), 1));
        Following::Reading(Walk { held, ..Walk::from(0) }.into())
    }

    #[test]
    fn rl8_of_thousands_of_streams_that_wait_to_be_compared_a_few_are_looked_at() {
        let mut link = Conn::new(Millis(0));
        (0..LINK_STREAMS).for_each(|number| link.follow(stream(number), comparing()));
        let first = link.land();
        assert_eq!(first.len(), COMPARED_STREAMS);
        for stream in &first {
            link.compare(stream, |comparing| comparing.turn = Turn::Reader);
        }
        assert_eq!(link.land(), [], "all that may be asked about are");
        link.compare(&first[3], |comparing| comparing.turn = Turn::Done);
        assert_eq!(link.land(), [first[3], stream(COMPARED_STREAMS)], "one is told, and another may begin");
    }

    proptest! {
        #[test]
        fn rl8_what_comparing_takes_up_is_counted_as_it_changes(
            steps in prop::collection::vec((0..6usize, 0..8u8, 0..5u8), 0..60),
        ) {
            let mut link = Conn::new(Millis(0));
            for (number, what, marks) in steps {
                let stream = stream(number);
                match what {
                    0 => link.follow(stream, Following::Live),
                    1 => link.follow(stream, walking(marks)),
                    2 => link.follow(stream, comparing()),
                    3 => link.note_question(stream, 1),
                    4 => drop(link.compare(&stream, |comparing| std::mem::take(&mut comparing.held))),
                    5 => drop(link.compare(&stream, |comparing| comparing.turn = Turn::Reader)),
                    6 => drop(link.compare(&stream, |comparing| {
                        comparing.held.note(chain(2, marks), 1);
                        comparing.turn = Turn::Home(chain(2, marks));
                    })),
                    _ => drop(link.land()),
                }
                let mut counted = Compared::default();
                link.followed().for_each(|(_, of)| counted.change(Compared::default(), of.compared()));
                prop_assert_eq!(link.compared, counted);
            }
            link.close();
            prop_assert_eq!(link.compared, Compared::default());
        }

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
