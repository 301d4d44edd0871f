//! The one link of a room, to the home or to the page that leads: opening it, keeping it, and opening it again.

use bytes::Bytes;

use crate::device::event::{Connection, Event};
use crate::device::load::Reading;
use crate::device::pages::{PageOutput, Role};
use crate::device::stream::{Stream, Sync};
use crate::device::{Output, Room, is_final};
use crate::ids::{ReplicaId, StreamId};
use crate::limits::{COMPARE_AFTER, HELLO_WAIT, LINK_REPLICAS, PING_AFTER, RETRY_FIRST, RETRY_MOST, SILENCE};
use crate::presence::Lease;
use crate::sorted::SortedSet;
use crate::stored::{self, META, MetaRecord};
use crate::time::{Millis, Now};
use crate::wire::{self, Body, ErrorCode, ErrorFrame, GoAway, Hello, Message, Ping, Pong, VERSION, Welcome};

/// The link and what is known of it.
#[derive(Debug)]
pub(super) struct Link {
    state: State,
    attempts: u32,
    heard: Millis,
    pinged: Option<Millis>,
    /// When what is held is compared next, however busy the link is.
    compare_at: Millis,
    last_error: Option<ErrorFrame>,
    come_back_at: Option<Millis>,
    epoch: Option<u64>,
    /// Streams that the digest of the last hello counts.
    counted: Vec<StreamId>,
    pub(super) proven: SortedSet<ReplicaId>,
}

/// Where the link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Down { retry_at: Option<Millis> },
    Connecting,
    Greeting { until: Millis },
    Live { nonce: [u8; 32] },
    Stopped { code: u16, sentence: String },
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            state: State::Down { retry_at: Some(Millis(0)) },
            attempts: 0,
            heard: Millis(0),
            pinged: None,
            compare_at: Millis(0),
            last_error: None,
            come_back_at: None,
            epoch: None,
            counted: Vec::new(),
            proven: SortedSet::new(),
        }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.state, State::Live { .. })
    }

    pub(super) fn due(&self) -> Option<Millis> {
        match &self.state {
            State::Down { retry_at } => *retry_at,
            State::Connecting | State::Stopped { .. } => None,
            State::Greeting { until } => Some(*until),
            // Of a page that slept the time since the last frame says nothing; only what was asked can go unanswered.
            State::Live { .. } => {
                let ping = self.pinged.map_or(self.heard.after(PING_AFTER), |at| at.after(PONG_WAIT));
                Some(ping.min(self.compare_at))
            }
        }
    }

    /// Whether so little is heard that it is to be found out whether the link lives.
    fn is_silent(&self, now: Now) -> bool {
        self.pinged.is_none() && now.monotonic >= self.heard.after(PING_AFTER)
    }

    fn nonce(&self) -> Option<[u8; 32]> {
        match &self.state {
            State::Live { nonce } => Some(*nonce),
            _ => None,
        }
    }
}

impl Room {
    /// The link, as people see it.
    pub fn connection(&self) -> Connection {
        if self.role == Role::Following {
            return self.followed_connection();
        }
        match &self.link.state {
            State::Down { .. } => Connection::Offline,
            State::Connecting | State::Greeting { .. } => Connection::Connecting,
            State::Live { .. } => Connection::Online,
            State::Stopped { code, sentence } => {
                Connection::Stopped { code: *code, sentence: sentence.clone() }
            }
        }
    }

    pub(super) fn handle_opened(&mut self, now: Now) {
        if self.link.state != State::Connecting {
            return;
        }
        self.set_state(State::Greeting { until: now.monotonic.after(HELLO_WAIT) });
        self.link.heard = now.monotonic;
        self.link.last_error = None;
        let (digest, counted) = self.room_digest();
        self.link.counted = counted;
        let (room, agent) = (self.room.clone(), self.agent.clone());
        let hello = Hello { oldest: VERSION, newest: VERSION, room, digest, agent };
        self.send(&hello.into());
    }

    pub(super) fn handle_received(&mut self, bytes: &Bytes, now: Now) {
        if !matches!(self.link.state, State::Greeting { .. } | State::Live { .. }) {
            return;
        }
        self.link.heard = now.monotonic;
        self.link.pinged = None;
        match wire::decode(bytes) {
            Ok(messages) => {
                for message in messages {
                    self.handle_message(message, now);
                }
            }
            // A home that sends nonsense is left; trying again may find it mended.
            Err(_) => self.hang_up(now),
        }
    }

    pub(super) fn handle_closed(&mut self, code: Option<u16>, now: Now) {
        let error = self.link.last_error.take();
        let code =
            code.filter(|code| ErrorCode::parse(*code).is_some()).or(error.as_ref().map(|error| error.code));
        if is_final(code) {
            let sentence =
                error.map_or_else(|| "the relay closed the connection for good".into(), |e| e.sentence);
            self.leave_link(State::Stopped { code: code.unwrap_or_default(), sentence });
            return;
        }
        if matches!(self.link.state, State::Stopped { .. }) {
            return;
        }
        let retry_at = self.link.come_back_at.take().unwrap_or_else(|| self.retry_at(now));
        self.leave_link(State::Down { retry_at: Some(retry_at) });
    }

    /// Something says that a try is worth while: at once, and the waits begin anew.
    pub(super) fn handle_reconnect(&mut self, now: Now) {
        if matches!(self.link.state, State::Down { .. } | State::Stopped { .. }) {
            self.link.attempts = 0;
            self.set_state(State::Down { retry_at: Some(now.monotonic) });
            self.tick_link(now);
        }
    }

    pub(super) fn tick_link(&mut self, now: Now) {
        if self.link.due().is_none_or(|due| now.monotonic < due) {
            return;
        }
        match self.link.state {
            State::Down { .. } => {
                self.set_state(State::Connecting);
                // A page that slept finds out whether it still leads before the home hears of it.
                self.queue.touch();
                self.outputs.push_back(match self.role {
                    Role::Leading => Output::Connect,
                    Role::Following => Output::Page(PageOutput::Join),
                });
            }
            State::Live { .. } if self.link.is_silent(now) => {
                self.link.pinged = Some(now.monotonic);
                self.send(&Ping { time: now.wall }.into());
                self.compare(now, |_| true);
            }
            State::Live { .. } if now.monotonic >= self.link.compare_at => {
                self.compare(now, |stream| stream.is_quiet(now));
            }
            State::Live { .. } | State::Greeting { .. } => self.hang_up(now),
            State::Connecting | State::Stopped { .. } => {}
        }
    }

    fn handle_message(&mut self, message: Message, now: Now) {
        let live = self.link.is_live();
        match message {
            Message::Other(Body::Welcome(welcome)) if !live => self.handle_welcome(&welcome, now),
            Message::Other(Body::Error(error)) => self.link.last_error = Some(error),
            Message::Entries(entries) if live => self.handle_entries(entries, now),
            Message::Other(Body::Synced(synced)) if live => self.handle_synced(&synced, now),
            Message::Other(Body::Compare(compare)) if live => self.handle_compare(&compare),
            Message::Other(Body::Saved(saved)) if live => self.handle_saved(&saved, now),
            Message::Other(Body::Later(later)) if live => self.handle_later(&later, now),
            Message::Other(Body::Refused(refused)) if live => self.handle_refused(&refused, now),
            Message::Other(Body::Need(need)) if live => self.handle_need(&need, now),
            Message::Other(Body::Seen(seen)) if live => self.handle_seen(&seen),
            Message::Other(Body::Lost(lost)) if live => self.handle_lost(lost),
            Message::Other(Body::Attest(place)) if live => self.handle_attest(place),
            Message::Other(Body::Vouched(signed)) if live => self.handle_vouched(signed),
            Message::Other(Body::Chunk(chunk)) if live => self.handle_chunk(chunk, now),
            Message::Other(Body::Board(changes)) if live => {
                if self.role == Role::Leading {
                    self.send_to_all(&Message::Other(Body::Board(changes.clone())));
                }
                self.others.handle_changes(changes);
                self.events.push(Event::Others);
            }
            Message::Other(Body::Ping(_)) if live => self.send(&Pong { time: now.wall }.into()),
            Message::Other(Body::GoAway(GoAway { after })) if live => {
                self.link.come_back_at = Some(now.monotonic.after(after));
                self.outputs.push_back(Output::Close);
            }
            Message::Other(body) if live && self.role == Role::Following => {
                self.handle_leader_message(body, now);
            }
            Message::Other(_) | Message::Entries(_) => {}
        }
    }

    fn handle_leader_message(&mut self, body: Body, now: Now) {
        match body {
            Body::Kept(kept) => self.handle_kept(&kept, now),
            Body::AsideKept(kept) => self.handle_aside_kept(&kept),
            Body::Aside(aside) => self.handle_told_aside(aside),
            Body::AsideDone(done) => self.handle_aside_done(&done),
            Body::Uplink(uplink) => self.handle_uplink(uplink),
            Body::Read(read) => self.handle_read(&read),
            Body::Unsent(first) => self.handle_unsent(&first),
            _ => {}
        }
    }

    fn handle_welcome(&mut self, welcome: &Welcome, now: Now) {
        if welcome.version != VERSION {
            return self.hang_up(now);
        }
        self.link.attempts = 0;
        self.link.proven.clear();
        self.set_state(State::Live { nonce: welcome.nonce });
        self.clock_offset = i64::try_from(i128::from(welcome.time.0) - i128::from(now.wall.0)).unwrap_or(0);
        self.others.handle_welcome(Lease(welcome.lease.0));
        self.events.push(Event::Others);
        match self.role {
            Role::Leading => {
                self.link.epoch = Some(welcome.epoch);
                self.meet_epoch(welcome.in_step);
                self.tell_uplink();
            }
            Role::Following => self.meet_leader(),
        }
        let counted = std::mem::take(&mut self.link.counted);
        if welcome.in_step {
            self.join_in_step(&counted, now);
        } else {
            self.compare(now, |_| true);
        }
        // Not all at once that came back together when the home had started again.
        let drawn = COMPARE_AFTER.0 * u64::from(welcome.nonce[0]) / 256;
        self.link.compare_at = now.monotonic.after(COMPARE_AFTER).after(Millis(drawn));
        // Whoever has written is told who has seen it, also if nothing is left to send.
        if self.current_on_disk {
            self.prove(self.current, now);
        }
        self.introduce();
        self.send_presence(now);
    }

    /// A quiet link is used to find out whether anything was missed, and one that never is every minute of what is quiet
    /// itself: equal digests cost the home one answer.
    fn compare(&mut self, now: Now, which: impl Fn(&Stream) -> bool) {
        self.link.compare_at = now.monotonic.after(COMPARE_AFTER);
        let compared = self.streams.iter().filter(|(_, stream)| which(stream));
        for id in compared.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.subscribe(id, now);
        }
    }

    /// Proves the person of this device, so that the home says whose its presence is.
    pub(super) fn introduce(&mut self) {
        if self.role == Role::Leading
            && let (Some(nonce), Some(myself)) = (self.link.nonce(), &self.myself)
        {
            let introduce = myself.key.introduce(&nonce, &self.room);
            self.send(&introduce.into());
        }
    }

    /// Rule 10: what a restored home lacks is offered again as soon as it says what it has, also of documents that nobody
    /// looks at. That nothing counts as saved any more is written with the epoch, in one commit, so that a death in
    /// between costs nothing.
    pub(super) fn meet_epoch(&mut self, in_step: bool) {
        let Some(epoch) = self.link.epoch.filter(|epoch| *epoch != self.epoch && self.boot.is_done()) else {
            return;
        };
        #[cfg(feature = "planted-bugs")]
        if self.planted == Some(crate::planted::Planted::EpochEarlier) && epoch < self.epoch {
            return;
        }
        self.epoch = epoch;
        self.queue.put(META.to_vec(), MetaRecord { epoch }.encode());
        if !in_step {
            self.doubt_saved(None);
        }
        for (stream, replica) in self.boot.doubt_saved(&self.identities) {
            self.queue.put(stored::saved_key(&stream, &replica), stored::encode_number(0));
            self.load_unless_here(stream);
        }
        for stream in self.heads.streams() {
            self.load_unless_here(stream);
        }
    }

    fn load_unless_here(&mut self, stream: StreamId) {
        if !self.streams.contains_key(&stream) {
            self.load_stream(stream);
        }
    }

    /// Proves a replica on this link before its first entry there.
    /// Answers whether it is proven: a link takes so many replicas, and the rest go over the next one.
    pub(super) fn prove(&mut self, replica: ReplicaId, now: Now) -> bool {
        if self.role == Role::Following {
            self.hand_over(replica);
            return true;
        }
        if self.link.proven.contains(&replica) {
            return true;
        }
        let (Some(nonce), Some(identity)) = (self.link.nonce(), self.identities.get(&replica)) else {
            return false;
        };
        if self.link.proven.len() >= LINK_REPLICAS {
            self.link.come_back_at = Some(now.monotonic);
            self.outputs.push_back(Output::Close);
            return false;
        }
        let proof = identity.prove(&nonce, &self.room);
        self.send(&proof.into());
        self.link.proven.insert(replica)
    }

    fn hang_up(&mut self, now: Now) {
        self.outputs.push_back(Output::Close);
        let retry_at = self.retry_at(now);
        self.leave_link(State::Down { retry_at: Some(retry_at) });
    }

    /// The link is given up for another, which is tried at once.
    pub(super) fn let_go(&mut self, now: Now) {
        if matches!(self.link.state, State::Connecting | State::Greeting { .. } | State::Live { .. }) {
            self.outputs.push_back(Output::Close);
        }
        self.link.attempts = 0;
        self.link.epoch = None;
        self.leave_link(State::Down { retry_at: Some(now.monotonic) });
    }

    /// Full jitter: a thousand devices that lost the same relay do not come back at once.
    fn retry_at(&mut self, now: Now) -> Millis {
        let most = match self.role {
            Role::Leading => RETRY_FIRST.0.saturating_mul(1 << self.link.attempts.min(16)).min(RETRY_MOST.0),
            // A page of the same device costs nobody anything.
            Role::Following => RETRY_FIRST.0,
        };
        self.link.attempts = self.link.attempts.saturating_add(1);
        now.monotonic.after(Millis(self.entropy.below(most)))
    }

    fn leave_link(&mut self, state: State) {
        self.set_state(state);
        self.link.pinged = None;
        self.link.proven.clear();
        self.heads.forget_asked();
        // The next home may be another, which has less.
        self.scans.retain(|_, reading| !matches!(reading, Reading::Told { .. }));
        if self.role == Role::Following {
            self.steps.forget_building();
        }
        self.others.handle_closed();
        self.events.push(Event::Others);
        for (id, stream) in self.streams.iter_mut() {
            stream.sync = Sync::Off;
            stream.question.forget();
            stream.reads_next = false;
            stream.marks.handle_unseen();
            stream.to_tell.clear();
            (stream.arriving, stream.arriving_page) = (None, None);
            self.events.push(Event::SaveStatus(*id));
        }
        self.miss_all_older();
    }

    fn set_state(&mut self, state: State) {
        let before = self.connection();
        self.link.state = state;
        if self.connection() != before {
            self.events.push(Event::Connection);
            self.tell_uplink();
        }
    }
}

/// How long a ping may go unanswered.
const PONG_WAIT: Millis = Millis(SILENCE.0 - PING_AFTER.0);
