//! The messages of one link, other than entries.

use crate::home::Home;
use crate::home::catch_up::{Ask, Following};
use crate::home::held::Held;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{LINK_PROOFS, LINK_REPLICAS, LINK_STREAMS};
use crate::presence::Lease;
use crate::time::Now;
use crate::wire::{Body, ErrorCode, Hello, Introduce, Message, Pong, Prove, Subscribe, VERSION, Welcome};
use crate::{person, replica};

impl Home {
    pub(super) fn handle_message(&mut self, conn: ConnId, message: Message, now: Now) {
        let Some(state) = self.conns.get(&conn).filter(|state| !state.is_closing()) else { return };
        let greeted = state.nonce().is_some();
        match message {
            Message::Other(Body::Hello(hello)) if !greeted => self.handle_hello(conn, &hello, now),
            Message::Other(Body::Ping(_)) if greeted => self.send(conn, &Pong { time: now.wall }.into()),
            Message::Other(Body::Pong(_)) if greeted => {}
            Message::Other(Body::Prove(proof)) if greeted => self.handle_proof(conn, &proof, now),
            Message::Other(Body::Introduce(introduce)) if greeted => {
                self.handle_introduce(conn, &introduce, now);
            }
            Message::Other(Body::Subscribe(subscribe)) if greeted => {
                self.handle_subscribe(conn, &subscribe);
                self.expect_seen(now);
            }
            Message::Other(Body::Compare(compared)) if greeted => {
                self.handle_compared(conn, compared, now);
                self.expect_seen(now);
            }
            Message::Other(Body::Vouched(signed)) if greeted => {
                self.handle_vouched(conn, signed, now);
                self.told.clear();
            }
            Message::Other(Body::Attest(place)) if greeted => self.handle_unattested(conn, place),
            Message::Other(Body::Want(want)) if greeted => self.handle_want(conn, want),
            Message::Other(Body::Need(need)) if greeted => self.handle_need(conn, &need),
            Message::Other(Body::Have(have)) if greeted => self.handle_have(conn, &have, now),
            Message::Other(Body::Present(state)) if greeted => {
                if let Err(invalid) = self.presence.handle_state(conn, state, now.monotonic) {
                    self.fail(conn, ErrorCode::TooMuch, &invalid.to_string());
                }
            }
            Message::Entries(entries) if greeted => {
                for entry in entries {
                    self.handle_entry(conn, entry, now);
                }
                self.next_doubt(now);
                self.told.clear();
                self.ask(conn, now);
            }
            Message::Entries(_) | Message::Other(_) => {
                self.fail(
                    conn,
                    ErrorCode::Unexpected,
                    "this message does not belong here; a session begins with hello",
                );
            }
        }
    }

    fn handle_hello(&mut self, conn: ConnId, hello: &Hello, now: Now) {
        if hello.room != self.room {
            return self.fail(conn, ErrorCode::Unexpected, "this link was opened for another room");
        }
        if hello.oldest > VERSION || hello.newest < VERSION {
            let sentence = format!(
                "this relay speaks version {VERSION} of the protocol, the app speaks {} to {}; update the {}",
                hello.oldest,
                hello.newest,
                if hello.oldest > VERSION { "relay" } else { "app" },
            );
            return self.fail(conn, ErrorCode::Version, &sentence);
        }
        if self.stopping {
            return self.fail(
                conn,
                ErrorCode::GoingAway,
                "the relay is stopping; it will be back in a moment",
            );
        }
        let in_step = hello.digest == self.digest() && self.follow_all(conn);
        let nonce = self.entropy.bytes();
        if let Some(state) = self.conns.get_mut(&conn) {
            state.open(nonce);
        }
        let welcome = Welcome {
            version: VERSION,
            nonce,
            epoch: self.epoch,
            time: now.wall,
            lease: Lease(conn.0),
            in_step,
        };
        self.send(conn, &welcome.into());
        let present: Vec<ConnId> = self.presence.present().collect();
        if let Some(state) = self.conns.get_mut(&conn) {
            state.miss(present);
        }
        self.send_missed(conn);
    }

    /// Rule 2: who writes in a replica's name holds its key. A device that comes back before its old link was found
    /// dead proves the same replica again: the newer link has it.
    fn handle_proof(&mut self, conn: ConnId, proof: &Prove, now: Now) {
        let Some(nonce) = self.conns.get(&conn).and_then(|state| state.nonce()) else { return };
        let known = ReplicaId::of_key(&proof.public_key);
        if self.conns.get(&conn).is_some_and(|state| state.proven.contains(&known)) || !self.count_proof(conn)
        {
            return;
        }
        let Some(replica) = replica::verify(proof, &nonce, &self.room) else {
            return self.fail(conn, ErrorCode::Unproven, "the proof of a replica does not hold");
        };
        for (other, state) in &mut self.conns {
            if *other != conn && state.proven.remove(&replica) {
                state.ceded.insert(replica);
            }
        }
        let Some(state) = self.conns.get_mut(&conn) else { return };
        state.proven.insert(replica);
        state.ceded.remove(&replica);
        self.forget_expected(conn, replica);
        self.ask_for_holes(conn, replica);
        self.expect_heads(conn, replica, now);
        self.handle_author(&replica, now);
        let Some(state) = self.conns.get(&conn) else { return };
        if state.proven.len() > LINK_REPLICAS {
            self.fail(conn, ErrorCode::TooMuch, "one device proved more replicas than it can have");
        }
    }

    /// A check costs more than the message that asks for it, so they are counted before.
    fn count_proof(&mut self, conn: ConnId) -> bool {
        let Some(state) = self.conns.get_mut(&conn) else { return false };
        state.proofs += 1;
        let few = state.proofs <= LINK_PROOFS;
        if !few {
            self.fail(conn, ErrorCode::TooMuch, "one device sent more proofs than it can need");
        }
        few
    }

    /// PR7: presence is told with the person who proved that they hold a key.
    fn handle_introduce(&mut self, conn: ConnId, introduce: &Introduce, now: Now) {
        let Some(nonce) = self.conns.get(&conn).and_then(|state| state.nonce()) else { return };
        if !self.count_proof(conn) {
            return;
        }
        match person::verify(introduce, &nonce, &self.room) {
            Some(person) => self.presence.handle_person(conn, person, now.monotonic),
            None => self.fail(conn, ErrorCode::Unproven, "the proof of a person does not hold"),
        }
    }

    fn handle_subscribe(&mut self, conn: ConnId, subscribe: &Subscribe) {
        let Subscribe { stream, question: number, digest, newest_but } = *subscribe;
        if self.conns.get(&conn).is_some_and(|link| !link.may_follow(&stream)) {
            return self.fail(conn, ErrorCode::TooMuch, "more streams than one device can have");
        }
        if !self.is_damaged(&stream) {
            self.end_put_offs(conn, &stream);
            self.handle_ask(conn, stream, Ask::Question { number, digest, newest_but });
        }
    }

    /// A device that holds all of the room follows all of it from hello on.
    fn follow_all(&mut self, conn: ConnId) -> bool {
        let alive = self.streams.iter().filter(|(_, state)| state.is_alive());
        let streams: Vec<StreamId> = alive.map(|(stream, _)| *stream).collect();
        if streams.len() > LINK_STREAMS || self.streams.values().any(|state| state.damaged) {
            return false;
        }
        for stream in streams {
            let Some(link) = self.conns.get_mut(&conn) else { return false };
            link.follow(stream, Following::Live);
            let held = self.streams.get(&stream).map(|state| Held::all(state.durable_arrivals));
            self.note_reader(conn, &stream, &held.unwrap_or_default());
        }
        true
    }
}
