//! Somebody who opens links of their own and lies about what others wrote (rule 11).

use std::collections::BTreeSet;

use bytes::Bytes;
use causeway_core::home;
use causeway_core::ids::{ConnId, ReplicaId, StreamId};
use causeway_core::log::{Digest, Entry, EntryKind, Head, Header, SignedHead};
use causeway_core::replica::Identity;
use causeway_core::storage::Commit;
use causeway_core::stored::{self, TipRecord};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Compare, Hello, Message, Need, Subscribe, VERSION};

use crate::sim::agenda::{Apart, Happening};
use crate::sim::relay::At;
use crate::sim::tally::Fault;
use crate::sim::world::World;

/// What is known of the liar.
#[derive(Debug, Default)]
pub(crate) struct Liar {
    links: u64,
    /// What the home has said on the link there is.
    heard: Vec<Message>,
    /// Rows of entries that their authors never wrote.
    made_up: BTreeSet<Vec<u8>>,
}

/// Beyond the numbers of all honest links.
const FIRST_LINK: u64 = 1 << 40;

/// A chain, and where it stands at the home.
type Chain = (StreamId, ReplicaId, TipRecord);

impl Liar {
    /// Takes what the home says to it; false if it says it to somebody else.
    pub(crate) fn hears(&mut self, link: u64, bytes: &Bytes) -> bool {
        if link >= FIRST_LINK {
            self.heard.extend(wire::decode(bytes).into_iter().flatten());
        }
        link >= FIRST_LINK
    }
}

impl World {
    pub(crate) fn draw_lies(&mut self) {
        for number in 0..self.rng.below(5) {
            let at = self.rng.below(self.plan.trouble);
            self.plan(at, Happening::Lie(number));
        }
    }

    pub(crate) fn lie_apart(&mut self, number: u64) {
        if self.troubled {
            self.apart(Apart::Lie(number), Self::lie);
        }
    }

    fn lie(&mut self) {
        let tips = self.relay.disk.rows_of(b'c');
        let chains: Vec<Chain> = tips
            .filter_map(|(key, value)| {
                let (stream, replica) = stored::parse_tip_key(key)?;
                Some((stream, replica, TipRecord::decode(value).ok()?))
            })
            .collect();
        if chains.is_empty() || self.relay.home.is_none() {
            return;
        }
        let changed = self.changed_truth(&chains);
        let (stream, replica, tip) = chains[self.rng.index(chains.len())];
        let (signed, entries) = match changed.filter(|_| self.rng.chance(70)) {
            Some(lie) => lie,
            None => self.made_up(stream, replica, &tip),
        };
        let (stream, name) = (signed.stream, signed.name);
        // What comes before the last one is the truth.
        self.liar.made_up.extend(entries.last().map(stored::encode_entry));
        self.liar.links += 1;
        let conn = ConnId(FIRST_LINK + self.liar.links);
        self.chronicle
            .line(self.now, || format!("somebody lies about {}/{} of {stream}", name.replica, name.seq));
        self.tell_home(At::Relay, home::Input::Opened(conn));
        if self.is_asked(conn, stream, name.replica, name.seq) {
            self.tally.note(Fault::Lied);
            self.say(conn, &signed.into());
            self.say(conn, &Message::Entries(entries));
        }
        self.tell_home(At::Relay, home::Input::Closed(conn));
        self.liar.heard.clear();
    }

    /// Says hello, and that it holds so much of a chain; whether the home wants it.
    fn is_asked(&mut self, conn: ConnId, stream: StreamId, replica: ReplicaId, seq: u64) -> bool {
        let digest = Digest::of_chains(&[(replica, seq, Head::from_bytes(self.rng.seed()))]);
        let (room, agent) = (self.room.clone(), "liar".into());
        self.say(conn, &Hello { oldest: VERSION, newest: VERSION, room, digest, agent }.into());
        self.say(conn, &Subscribe { stream, question: 1, digest, newest_but: None }.into());
        let from = ReplicaId::from_bytes([0; 32]);
        let (groups, above, own) = (vec![replica.as_bytes()[0]], vec![(replica, seq)], Vec::new());
        self.say(conn, &Compare { stream, question: 1, from, groups, above, own, more: false }.into());
        let is_it = |message: &Message| {
            matches!(message, Message::Other(Body::Need(Need { stream: of, replica: whose, .. }))
                if (*of, *whose) == (stream, replica))
        };
        self.liar.heard.iter().any(is_it)
    }

    fn say(&mut self, conn: ConnId, message: &Message) {
        self.tell_home(At::Relay, home::Input::Received(conn, wire::encode(message)));
    }

    /// An entry under somebody's name that they never wrote, and a head that they have not signed.
    fn made_up(&mut self, stream: StreamId, replica: ReplicaId, tip: &TipRecord) -> (SignedHead, Vec<Entry>) {
        let header = Header {
            stream,
            replica,
            seq: tip.seq + 1,
            deps: Vec::new(),
            logical: tip.logical + 1,
            time: Millis(self.rng.below(1_000)),
            kind: EntryKind::Create,
            target: None,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        let entry = wire::entry::build(header, b"");
        let own = Identity::from_secret(&self.rng.seed());
        let mut signed = own.vouch(stream, tip.seq + 1, tip.head.next(&entry), &self.room);
        signed.name.replica = replica;
        (signed, vec![entry])
    }

    /// Of what a device could bring to a relay that was put back: the last entry changed.
    fn changed_truth(&self, chains: &[Chain]) -> Option<(SignedHead, Vec<Entry>)> {
        let at_home = |signed: &SignedHead| {
            let chain = (signed.stream, signed.name.replica);
            chains
                .iter()
                .find(|(stream, replica, _)| (*stream, *replica) == chain)
                .map_or(0, |(.., tip)| tip.seq)
        };
        self.machines.iter().find_map(|machine| {
            let heads = machine.disk.rows_of(b'v');
            let mut ahead = heads
                .filter_map(|(_, value)| SignedHead::decode(value).ok())
                .filter(|signed| signed.name.seq > at_home(signed));
            let signed = ahead.next()?;
            let from = at_home(&signed) + 1;
            let rows = machine.disk.rows_of(b'e');
            let entries = rows.filter_map(|(_, value)| stored::decode_entry(value.to_vec()).ok());
            let of_chain = |entry: &Entry| {
                let (stream, name) = (entry.header().stream, entry.name());
                (stream, name.replica) == (signed.stream, signed.name.replica)
                    && (from..=signed.name.seq).contains(&name.seq)
            };
            let mut entries: Vec<Entry> = entries.filter(of_chain).collect();
            let last = entries.pop()?;
            let mut header = last.header().clone();
            header.time = Millis(header.time.0 + 1);
            entries.push(wire::entry::build(header, last.payload()));
            let whole = entries.len() as u64 == signed.name.seq - at_home(&signed);
            // Only the last is a lie, and the others are let in with it or not at all.
            whole.then_some((signed, entries))
        })
    }

    /// Rule 11, of a commit that the relay begins.
    pub(crate) fn check_lies(&mut self, commit: &Commit) {
        if commit.put.iter().any(|(_, value)| self.liar.made_up.contains(value)) {
            self.fail(|| "the relay takes an entry that nobody wrote".into());
        }
    }
}
