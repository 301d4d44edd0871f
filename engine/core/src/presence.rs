//! Who is here: a lane of its own, never on disk.
//!
//! The home keeps a [`Board`] of leases, one per link. The latest state wins; changes are gathered and leave as one
//! frame per tick for the whole room, so that N people cost N changes in a frame and never N² frames. A lease ends with
//! its link or after [`PRESENCE_LEASE`] of silence. A device mirrors the board in [`Others`].
//!
//! Behaviour: PR1–PR7 in `docs/behaviour.md`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::anchor::Anchor;
use crate::ids::{ConnId, PersonId, StreamId};
use crate::limits::{NAME_BYTES, PRESENCE_LEASE, PRESENCE_TICK};
use crate::sorted::SortedMap;
use crate::time::Millis;

/// What one person shows to the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Name to display, at most 64 bytes.
    pub name: String,
    /// Colour as `0xRRGGBB`.
    pub colour: u32,
    /// What the person is doing.
    pub status: Status,
    /// Where the person is in a document.
    pub cursor: Option<Cursor>,
    /// The stream the person is typing into.
    pub typing: Option<StreamId>,
}

/// What a person is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Changed something in the last seconds.
    Editing,
    /// Here, but not changing anything.
    Idle,
    /// Running a program.
    Running,
    /// The page is hidden.
    Away,
}

/// A selection; `anchor` is where it began and `head` where the caret stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The document.
    pub stream: StreamId,
    /// Where the selection began.
    pub anchor: Anchor,
    /// Where the caret stands.
    pub head: Anchor,
}

/// Names one link's presence in a room; given by the home, so it cannot be forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lease(pub u64);

/// One line of a presence frame: a new state, or `None` for a person who left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whose.
    pub lease: Lease,
    /// The latest state.
    pub state: Option<State>,
    /// Whose it is, if they have proven that to the home: the home says it, so it cannot be forged.
    pub person: Option<PersonId>,
}

/// Why a state is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidState {
    /// The name is too long.
    #[error("a name has at most {NAME_BYTES} bytes")]
    Name,
    /// The colour is none.
    #[error("a colour is 0xRRGGBB")]
    Colour,
}

impl State {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// The name or the colour is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidState> {
        check_look(&self.name, self.colour)
    }
}

/// Checks how a person wants to be shown.
pub(crate) fn check_look(name: &str, colour: u32) -> Result<(), InvalidState> {
    if name.len() > NAME_BYTES {
        return Err(InvalidState::Name);
    }
    if colour > 0xff_ffff {
        return Err(InvalidState::Colour);
    }
    Ok(())
}

/// The home's side: a lease per link, and what changed since the last tick.
#[derive(Debug, Default)]
pub struct Board {
    leases: BTreeMap<ConnId, Held>,
    persons: BTreeMap<ConnId, PersonId>,
    changed: BTreeSet<ConnId>,
    due: Option<Millis>,
    /// No lease ends before this: renewals only put it off.
    ends_at: Option<Millis>,
}

#[derive(Debug)]
struct Held {
    state: State,
    renewed: Millis,
}

impl Board {
    /// Takes the latest state of a link. A repetition renews the lease and is told to nobody.
    ///
    /// # Errors
    /// The state is out of bounds; the one before it stays.
    pub fn handle_state(&mut self, conn: ConnId, state: State, now: Millis) -> Result<(), InvalidState> {
        state.validate()?;
        let same = self.leases.get(&conn).is_some_and(|held| held.state == state);
        self.leases.insert(conn, Held { state, renewed: now });
        self.ends_at.get_or_insert(now.after(PRESENCE_LEASE));
        if !same {
            self.mark(conn, now);
        }
        Ok(())
    }

    /// A link has proven whose it is.
    pub fn handle_person(&mut self, conn: ConnId, person: PersonId, now: Millis) {
        if self.persons.insert(conn, person) != Some(person) && self.leases.contains_key(&conn) {
            self.mark(conn, now);
        }
    }

    /// The link has ended, and its lease with it.
    pub fn handle_closed(&mut self, conn: ConnId, now: Millis) {
        self.persons.remove(&conn);
        self.end_lease(conn, now);
    }

    fn end_lease(&mut self, conn: ConnId, now: Millis) {
        if self.leases.remove(&conn).is_some() {
            self.mark(conn, now);
        }
    }

    /// Ends the leases of links that have been silent for too long.
    pub fn handle_timeout(&mut self, now: Millis) {
        if self.ends_at.is_none_or(|due| now < due) {
            return;
        }
        let silent: Vec<ConnId> = self
            .leases
            .iter()
            .filter(|(_, held)| now >= held.renewed.after(PRESENCE_LEASE))
            .map(|(conn, _)| *conn)
            .collect();
        for conn in silent {
            self.end_lease(conn, now);
        }
        self.ends_at = self.leases.values().map(|held| held.renewed.after(PRESENCE_LEASE)).min();
    }

    /// Everybody's link, for a newcomer.
    pub fn present(&self) -> impl Iterator<Item = ConnId> {
        self.leases.keys().copied()
    }

    /// How these links stand now, for somebody who missed what was told of them.
    pub fn latest(&self, conns: impl IntoIterator<Item = ConnId>) -> Vec<Change> {
        conns.into_iter().map(|conn| self.change(conn)).collect()
    }

    /// What everyone is to be told now: once per tick, latest states only.
    pub fn poll_changes(&mut self, now: Millis) -> Option<Vec<Change>> {
        if self.due.is_none_or(|due| now < due) {
            return None;
        }
        self.due = None;
        let changed = std::mem::take(&mut self.changed);
        Some(changed.into_iter().map(|conn| self.change(conn)).collect())
    }

    /// When to call [`Board::handle_timeout`] and [`Board::poll_changes`] next.
    pub fn poll_timeout(&self) -> Option<Millis> {
        [self.due, self.ends_at].into_iter().flatten().min()
    }

    fn mark(&mut self, conn: ConnId, now: Millis) {
        self.changed.insert(conn);
        self.due.get_or_insert(now.after(PRESENCE_TICK));
    }

    fn change(&self, conn: ConnId) -> Change {
        let state = self.leases.get(&conn).map(|held| held.state.clone());
        let person = self.persons.get(&conn).copied().filter(|_| state.is_some());
        Change { lease: Lease(conn.0), state, person }
    }
}

/// A device's side: the other people of the room.
#[derive(Debug, Default)]
pub struct Others {
    people: SortedMap<Lease, (State, Option<PersonId>)>,
    own: Option<Lease>,
}

impl Others {
    /// A new link: the board starts empty and fills from the home's first frame.
    pub fn handle_welcome(&mut self, own: Lease) {
        self.people.clear();
        self.own = Some(own);
    }

    /// The name of this device's own presence, while there is a link.
    pub fn own(&self) -> Option<Lease> {
        self.own
    }

    /// The link has ended; nobody can be seen.
    pub fn handle_closed(&mut self) {
        self.people.clear();
        self.own = None;
    }

    /// Takes a frame of the home. States out of bounds are passed over: a home that sends them harms only itself.
    pub fn handle_changes(&mut self, changes: Vec<Change>) {
        for Change { lease, state, person } in changes {
            if Some(lease) == self.own {
                continue;
            }
            match state.filter(|state| state.validate().is_ok()) {
                Some(state) => self.people.insert(lease, (state, person)),
                None => self.people.remove(&lease),
            };
        }
    }

    /// The people, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (Lease, &State)> {
        self.people.iter().map(|(lease, (state, _))| (*lease, state))
    }

    /// Whose presence it is, as the home says.
    pub fn person(&self, lease: Lease) -> Option<PersonId> {
        self.people.get(&lease)?.1
    }

    /// How many others are here.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether nobody else is here.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: ConnId = ConnId(1);
    const BEN: ConnId = ConnId(2);

    fn named(name: &str) -> State {
        State { name: name.into(), colour: 0x33_66_99, status: Status::Idle, cursor: None, typing: None }
    }

    fn at(ms: u64) -> Millis {
        Millis(ms)
    }

    #[test]
    fn pr1_the_latest_state_wins_and_leaves_once_per_tick() {
        let mut board = Board::default();
        board.handle_state(ADA, named("A"), at(0)).unwrap();
        board.handle_state(ADA, named("Ad"), at(10)).unwrap();
        board.handle_state(ADA, named("Ada"), at(20)).unwrap();
        assert_eq!(board.poll_changes(at(49)), None);
        let changes = board.poll_changes(at(50)).unwrap();
        assert_eq!(changes, [Change { lease: Lease(1), state: Some(named("Ada")), person: None }]);
        assert_eq!(board.poll_changes(at(200)), None);
    }

    #[test]
    fn pr2_two_hundred_people_are_one_frame() {
        let mut board = Board::default();
        for n in 0..200 {
            board.handle_state(ConnId(n), named("x"), at(n / 10)).unwrap();
        }
        assert_eq!(board.poll_changes(at(50)).unwrap().len(), 200);
        assert_eq!(board.poll_changes(at(51)), None);
    }

    #[test]
    fn pr3_a_lease_ends_with_its_link() {
        let mut board = Board::default();
        board.handle_state(ADA, named("Ada"), at(0)).unwrap();
        board.poll_changes(at(50));
        board.handle_closed(ADA, at(60));
        assert_eq!(
            board.poll_changes(at(110)).unwrap(),
            [Change { lease: Lease(1), state: None, person: None }]
        );
        assert!(board.present().next().is_none());
    }

    #[test]
    fn pr4_a_lease_ends_after_silence_and_a_repetition_renews_it_unheard() {
        let mut board = Board::default();
        board.handle_state(ADA, named("Ada"), at(0)).unwrap();
        board.handle_state(BEN, named("Ben"), at(0)).unwrap();
        board.poll_changes(at(50));
        board.handle_state(BEN, named("Ben"), at(60_000)).unwrap();
        assert_eq!(board.poll_changes(at(60_050)), None, "a repetition is no news");
        assert_eq!(board.poll_timeout(), Some(PRESENCE_LEASE));
        board.handle_timeout(PRESENCE_LEASE);
        let changes = board.poll_changes(PRESENCE_LEASE.after(PRESENCE_TICK)).unwrap();
        assert_eq!(changes, [Change { lease: Lease(1), state: None, person: None }]);
        assert_eq!(board.present().collect::<Vec<_>>(), [BEN]);
    }

    #[test]
    fn pr5_a_state_out_of_bounds_is_refused_and_the_last_one_stays() {
        let mut board = Board::default();
        board.handle_state(ADA, named("Ada"), at(0)).unwrap();
        assert_eq!(board.handle_state(ADA, named(&"x".repeat(65)), at(1)), Err(InvalidState::Name));
        let grey = State { colour: 0x0100_0000, ..named("Ada") };
        assert_eq!(board.handle_state(ADA, grey, at(1)), Err(InvalidState::Colour));
        assert_eq!(
            board.latest(board.present()),
            [Change { lease: Lease(1), state: Some(named("Ada")), person: None }]
        );
    }

    #[test]
    fn pr6_a_device_sees_the_others_and_not_itself() {
        let mut others = Others::default();
        others.handle_welcome(Lease(1));
        others.handle_changes(vec![
            Change { lease: Lease(1), state: Some(named("Ada")), person: None },
            Change { lease: Lease(2), state: Some(named("Ben")), person: None },
        ]);
        assert_eq!(others.iter().map(|(_, state)| state.name.as_str()).collect::<Vec<_>>(), ["Ben"]);
        others.handle_changes(vec![Change { lease: Lease(2), state: None, person: None }]);
        assert!(others.is_empty());
    }

    #[test]
    fn pr7_the_home_says_whose_a_presence_is_whenever_that_is_proven() {
        let (mut board, mut others) = (Board::default(), Others::default());
        let person = PersonId::of_key(&[7; 32]);
        board.handle_person(ADA, person, at(0));
        assert_eq!(board.poll_timeout(), None, "nobody is told of a person who shows nothing");
        board.handle_state(ADA, named("Ada"), at(10)).unwrap();
        board.handle_state(BEN, named("Ben"), at(10)).unwrap();
        others.handle_welcome(Lease(9));
        others.handle_changes(board.poll_changes(at(60)).unwrap());
        assert_eq!((others.person(Lease(1)), others.person(Lease(2))), (Some(person), None));
        board.handle_person(BEN, person, at(100));
        others.handle_changes(board.poll_changes(at(150)).unwrap());
        assert_eq!(others.person(Lease(2)), Some(person));
        board.handle_closed(ADA, at(160));
        board.handle_state(ADA, named("Eve"), at(170)).unwrap();
        others.handle_changes(board.poll_changes(at(220)).unwrap());
        assert_eq!(others.person(Lease(1)), None, "a proof ends with its link");
    }
}
