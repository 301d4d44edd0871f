//! What somebody brings that others wrote (rule 11). A home that was restored from a backup asks whoever holds more of a chain
//! than it has. A signed head comes first, then the entries up to there; they are let in together, once they give that head,
//! and judged like any others. Until then nothing of them is kept but in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::home::Home;
use crate::home::append::Answer;
use crate::home::conn::Conn;
use crate::home::heads::ChainName;
use crate::home::lane::Lane;
use crate::home::stream::HomeStream;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{
    FORWARD_ASKS, FORWARD_BYTES, FORWARD_ENTRIES, FORWARD_LOOK, FORWARD_MOST, FORWARD_OVERHEAD, FORWARD_ROOM,
    FORWARD_WAIT, HEADS_GROWN, LANE_CONTROL_BYTES, LINK_CLOSED, LINK_FORWARDED, LINK_FRUITLESS,
    ROOM_FORWARD_BYTES,
};
use crate::log::{Entry, EntryName, Head, Missing, SignedHead, Tip};
use crate::time::{Millis, Now};
use crate::wire::{Need, Place, Refused};

/// Who was asked last to forward a chain, and when: one at a time.
#[derive(Debug, Default)]
pub(super) struct Forwarders {
    asked: BTreeMap<ChainName, (ConnId, Millis)>,
    /// What all links have gathered.
    bytes: usize,
    /// Where there is no room, it is looked from then on whether some of that is late.
    look_at: Millis,
}

/// What a link was asked to forward.
#[derive(Debug, Default)]
pub(super) struct Forwarding {
    chains: BTreeMap<ChainName, Stage>,
    /// It cannot bring them, or brought something else: it is not asked for these again.
    closed: BTreeSet<ChainName>,
    /// What was gathered of it.
    bytes: usize,
    /// When it brought something last. Chains come one after the other through one socket: each may have to wait for its turn.
    heard: Millis,
    /// Whether it ever was: what it then brings too late is no lie.
    pub(super) asked: bool,
    /// What it was asked for and brought that could not be what it is said to be, was not brought in time, or was refused.
    fruitless: usize,
    /// Chains of which a head was denied that was no fault of the link, as many as may be open at a time: entries may come behind
    /// it that were on their way.
    denied: BTreeSet<ChainName>,
}

/// A chain that a link was asked to forward.
#[derive(Debug)]
enum Stage {
    /// Nothing has come, since then.
    Asked(Millis),
    /// It was asked whether it wrote it, while somebody else is asked to forward it.
    Elsewhere,
    /// A signed head has come, and entries come.
    Gathering(Box<Gathering>),
    /// All of it was let in then, and is on its way to the disk.
    Landing(Box<Landing>),
}

/// A chain that was let in, until its head is on the disk.
#[derive(Debug)]
struct Landing {
    signed: SignedHead,
    since: Millis,
    /// What the first of it builds on for which there was no room to wait. It is of no use again before that is here.
    awaits: Option<EntryName>,
}

/// A chain on its way, from where it stood here to its signed head.
#[derive(Debug)]
struct Gathering {
    signed: SignedHead,
    /// Where it stood.
    from: (u64, Head),
    /// Where what has come leads to.
    head: Head,
    entries: Vec<Entry>,
    bytes: usize,
    /// When its signed head came.
    begun: Millis,
}

/// Why something that is forwarded is not let in.
#[derive(Clone, Copy, Debug)]
enum Denial {
    Unasked,
    Unvouched,
    Signature,
    Stale,
    Chain,
    TooLarge,
    Busy,
}

impl Denial {
    fn code(self) -> &'static str {
        match self {
            Self::Unasked => "head.unasked",
            Self::Unvouched => "entry.unvouched",
            Self::Signature => "head.signature",
            Self::Stale => "head.stale",
            Self::Chain => "head.chain",
            Self::TooLarge => "head.too-large",
            Self::Busy => "head.busy",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Unasked => "a signed head that the relay has not asked for",
            Self::Unvouched => "somebody else wrote this, and no signed head of theirs has come before it",
            Self::Signature => "whoever wrote this has not signed this head",
            Self::Stale => "the relay has this already",
            Self::Chain => "these entries are not those that their author signed for",
            Self::TooLarge => "more of one chain than the relay takes from anybody but its author",
            Self::Busy => "the relay has no room for this now",
        }
    }

    /// Whether the link may be asked for the chain again.
    fn passes(self) -> bool {
        match self {
            Self::Unasked | Self::Unvouched | Self::Stale | Self::Busy => true,
            Self::Signature | Self::Chain | Self::TooLarge => false,
        }
    }

    /// Whether that is a fault of the link: somebody else may be faster, and the room full, without one.
    fn is_fruitless(self) -> bool {
        !matches!(self, Self::Stale | Self::Busy)
    }
}

impl Forwarders {
    /// Whether no other link is being asked for a chain.
    fn is_free(&self, chain: &ChainName, conn: ConnId, now: Millis) -> bool {
        self.asked.get(chain).is_none_or(|asked| asked.0 == conn || !waits(*asked, now))
    }

    fn has_room(&mut self, chain: &ChainName, now: Millis) -> bool {
        if self.asked.len() >= HEADS_GROWN {
            self.asked.retain(|_, asked| waits(*asked, now));
        }
        self.asked.len() < HEADS_GROWN || self.asked.contains_key(chain)
    }

    fn take(&mut self, chain: ChainName, conn: ConnId, now: Millis) {
        self.asked.insert(chain, (conn, now));
    }

    fn release(&mut self, chain: &ChainName, conn: ConnId) {
        if self.asked.get(chain).is_some_and(|(asked, _)| *asked == conn) {
            self.asked.remove(chain);
        }
    }

    /// A link has ended: others are asked, and what it had brought so far goes.
    pub(super) fn forget(&mut self, conn: ConnId, forwarding: &Forwarding) {
        self.asked.retain(|_, (asked, _)| *asked != conn);
        self.bytes = self.bytes.saturating_sub(forwarding.bytes);
    }

    pub(super) fn clear(&mut self) {
        self.asked.clear();
        self.bytes = 0;
    }
}

fn waits((_, asked_at): (ConnId, Millis), now: Millis) -> bool {
    now < asked_at.after(FORWARD_WAIT)
}

impl Forwarding {
    /// What was gathered goes with the room's memory of what is not on the disk.
    pub(super) fn forget(&mut self) {
        self.chains.clear();
        self.bytes = 0;
    }

    /// Whether it may be asked for a chain. A device that has a signed head sends it before it reads its disk, so silence is an
    /// answer as well: older programs give no other.
    fn take(&mut self, chain: ChainName, now: Millis) -> bool {
        match self.chains.get(&chain) {
            Some(Stage::Asked(at)) if now < at.after(FORWARD_WAIT) || !self.is_left_alone(now) => {
                return false;
            }
            Some(Stage::Landing(landing)) if now < landing.since.after(FORWARD_WAIT) => return false,
            Some(Stage::Asked(_)) => {
                self.close(chain);
                return false;
            }
            Some(Stage::Gathering(_)) => return false,
            // What has landed may be slow to get to the disk, or wait for something else.
            Some(Stage::Landing(..) | Stage::Elsewhere) => {}
            None if !self.is_open(&chain) => return false,
            None => {}
        }
        let more = self.fruitless < LINK_FRUITLESS;
        if more {
            self.chains.insert(chain, Stage::Asked(now));
            self.asked = true;
        } else {
            self.close(chain);
        }
        more
    }

    /// Whether a chain that is not under way here may be.
    fn is_open(&self, chain: &ChainName) -> bool {
        let room = self.chains.len() < LINK_FORWARDED && self.closed.len() < LINK_CLOSED;
        room && !self.closed.contains(chain)
    }

    fn close(&mut self, chain: ChainName) {
        self.chains.remove(&chain);
        self.closed.insert(chain);
    }

    /// What comes of a chain without a head may have been on its way before.
    fn excuse(&mut self, chain: ChainName) {
        if self.denied.len() < LINK_FORWARDED {
            self.denied.insert(chain);
        }
    }

    /// The link has brought something, be it its own.
    pub(super) fn hear(&mut self, now: Millis) {
        self.heard = now;
    }

    /// Whether it brings nothing any more.
    fn is_left_alone(&self, now: Millis) -> bool {
        now >= self.heard.after(FORWARD_WAIT)
    }

    /// What is being gathered, and since when, that may go where there is no room: all where nothing comes, and else what
    /// takes too long, as one entry now and then would keep the room from everybody.
    fn late(&self, now: Millis) -> impl Iterator<Item = (Millis, ChainName)> {
        // Most links bring nothing.
        let chains = (self.bytes > 0).then_some(&self.chains);
        let left_alone = self.is_left_alone(now);
        chains.into_iter().flatten().filter_map(move |(chain, stage)| match stage {
            Stage::Gathering(of) if left_alone || now >= of.begun.after(FORWARD_MOST) => {
                Some((of.begun, *chain))
            }
            _ => None,
        })
    }
}

impl Home {
    /// Chains of which a reader holds more than is here.
    pub(super) fn lacking(&self, conn: ConnId, stream: StreamId, above: &[(ReplicaId, u64)]) -> Vec<Need> {
        let lacks = |state: &HomeStream, replica: ReplicaId| {
            let from = state.log.tip(&replica).seq + 1;
            let name = EntryName { replica, seq: from };
            // What is here already and waits for something else is not asked for again, and nobody is for what was refused.
            let settled = state.waiting.holds(&name) || self.is_unwanted(conn, stream, &name);
            (!state.log.is_gone() && !settled).then_some(from)
        };
        let state = self.streams.get(&stream);
        let from = |replica| state.map_or(Some(1), |state| lacks(state, replica));
        let needs = above.iter().filter_map(|(replica, to)| {
            Some(Need { stream, replica: *replica, from: from(*replica)?, to: *to })
        });
        needs.filter(|need| need.from <= need.to).collect()
    }

    /// A reader that holds more is asked for it, unless another one is.
    pub(super) fn ask_for_more(&mut self, conn: ConnId, lacking: Vec<Need>, now: Now) {
        // All are of one stream.
        if lacking.first().is_some_and(|need| self.takes_nothing(&need.stream)) {
            return;
        }
        let mut asked = 0;
        for need in lacking {
            if asked < FORWARD_ASKS && self.expect_forwarded(conn, (need.stream, need.replica), now) {
                self.send(conn, &need.into());
                asked += 1;
            }
        }
    }

    /// Whether a link is asked for what its own work waits for and it has not proven to be its own. It may be, by an older
    /// name; so it is asked once also where somebody else is to forward it.
    pub(super) fn expect_own_or_forwarded(&mut self, conn: ConnId, chain: ChainName, now: Now) -> bool {
        let next = EntryName { replica: chain.1, seq: self.tip_of(&chain).seq + 1 };
        // What was brought and waits need not come again. Of what was refused whoever wrote it hears where the two compare
        // what they hold.
        let waits = |state: &HomeStream| state.waiting.holds(&next);
        let settled = |state| waits(state) || self.is_unwanted(conn, chain.0, &next);
        if self.streams.get(&chain.0).is_some_and(settled) || self.takes_nothing(&chain.0) {
            return false;
        }
        if self.expect_forwarded(conn, chain, now) {
            return true;
        }
        let Some(link) = self.conns.get_mut(&conn) else { return false };
        let forwarding = &mut link.forwarding;
        let first = !forwarding.chains.contains_key(&chain) && forwarding.is_open(&chain);
        if first {
            forwarding.chains.insert(chain, Stage::Elsewhere);
            forwarding.asked = true;
        }
        first
    }

    /// The link has proven a replica: what comes of its chains is its own.
    pub(super) fn forget_expected(&mut self, conn: ConnId, replica: ReplicaId) {
        let Some(link) = self.conns.get(&conn) else { return };
        let chains = link.forwarding.chains.keys().filter(|(_, of)| *of == replica).copied();
        for chain in chains.collect::<Vec<_>>() {
            self.close_forwarded(conn, &chain, false);
        }
    }

    /// Whether a link may be asked for a chain that it has not proven to be its own; if so, what it brings is awaited.
    pub(super) fn expect_forwarded(&mut self, conn: ConnId, chain: ChainName, now: Now) -> bool {
        let Some(forwarding) = self.conns.get(&conn).map(|link| &link.forwarding) else { return false };
        let at = now.monotonic;
        match forwarding.chains.get(&chain) {
            // Gathering it takes too long: the link may be asked again, if not too often.
            Some(Stage::Gathering(_)) if forwarding.is_left_alone(at) => {
                self.close_forwarded(conn, &chain, false);
                self.conns.get_mut(&conn).into_iter().for_each(|link| link.forwarding.fruitless += 1);
            }
            Some(Stage::Landing(landing)) if self.lacks(&chain.0, landing.awaits) => return false,
            _ => {}
        }
        // It would be sent for nothing.
        if self.takes_nothing(&chain.0) || !self.makes_room(FORWARD_ROOM, now) {
            return false;
        }
        let Some(link) = self.conns.get_mut(&conn) else { return false };
        // Questions leave half of the lane to answers.
        let room = link.fill.has_room(Lane::Control, LANE_CONTROL_BYTES / 2);
        let forwarders = &mut self.heads.forwarders;
        let takes = room
            && link.forwarding.bytes <= FORWARD_BYTES / 2
            && forwarders.is_free(&chain, conn, at)
            && forwarders.has_room(&chain, at)
            && link.forwarding.take(chain, at);
        if takes {
            forwarders.take(chain, conn, at);
        }
        takes
    }

    /// The link has no signed head of a chain: others are asked.
    pub(super) fn handle_unattested(&mut self, conn: ConnId, place: Place) {
        let chain = (place.stream, place.replica);
        self.close_forwarded(conn, &chain, true);
    }

    /// Somebody brings a head that another one signed. What was not asked for is not looked at, so that nobody makes the home
    /// check signatures as they like.
    pub(super) fn handle_vouched(&mut self, conn: ConnId, signed: SignedHead, now: Now) {
        let (chain, seq) = ((signed.stream, signed.name.replica), signed.name.seq);
        let Some(link) = self.conns.get(&conn) else { return };
        if link.ceded.contains(&chain.1) {
            // Another link of its device writes in this name now.
            return;
        }
        if link.proven.contains(&chain.1) {
            return self.handle_attested(conn, signed, now);
        }
        if !matches!(link.forwarding.chains.get(&chain), Some(Stage::Asked(_))) {
            return self.deny(conn, chain, seq, Denial::Unasked);
        }
        let Tip { seq: here, head, .. } = self.tip_of(&chain);
        let denial = if self.takes_nothing(&chain.0) {
            Some(Denial::Busy)
        } else if seq <= here {
            Some(Denial::Stale)
        } else if seq - here > FORWARD_ENTRIES {
            Some(Denial::TooLarge)
        } else {
            (!self.holds(&signed)).then_some(Denial::Signature)
        };
        if let Some(denial) = denial {
            return self.fail_forwarded(conn, chain, seq, denial);
        }
        let gathering = Gathering {
            signed,
            from: (here, head),
            head,
            entries: Vec::new(),
            bytes: 0,
            begun: now.monotonic,
        };
        if let Some(link) = self.conns.get_mut(&conn) {
            link.forwarding.heard = now.monotonic;
            link.forwarding.denied.remove(&chain);
            link.forwarding.chains.insert(chain, Stage::Gathering(gathering.into()));
        }
    }

    fn holds(&self, signed: &SignedHead) -> bool {
        #[cfg(feature = "planted-bugs")]
        if self.has_bug(crate::planted::Planted::HeadUnchecked) {
            return true;
        }
        signed.is_signed(&self.room)
    }

    /// An entry that its link did not write: of no use but as the next one up to a signed head.
    pub(super) fn handle_forwarded(&mut self, conn: ConnId, entry: &Entry, now: Now) {
        let name = entry.name();
        let chain = (entry.header().stream, name.replica);
        let busy = self.takes_nothing(&chain.0);
        let Some(link) = self.conns.get_mut(&conn) else { return };
        link.forwarding.heard = now.monotonic;
        let of_link = link.forwarding.bytes;
        let gathering = match link.forwarding.chains.get_mut(&chain) {
            Some(Stage::Gathering(gathering)) => gathering,
            Some(Stage::Asked(_)) if link.forwarding.denied.remove(&chain) => {
                // Of a head that was denied while this was on its way: it costs the link nothing.
                self.close_forwarded(conn, &chain, false);
                return self.deny(conn, chain, name.seq, Denial::Unvouched);
            }
            Some(Stage::Asked(_)) => return self.fail_forwarded(conn, chain, name.seq, Denial::Unvouched),
            Some(Stage::Landing(..) | Stage::Elsewhere) | None => {
                return self.deny(conn, chain, name.seq, Denial::Unvouched);
            }
        };
        let next = gathering.from.0 + 1 + gathering.entries.len() as u64;
        if name.seq < next {
            // It is here, or was gathered already.
            return;
        }
        if name.seq > next {
            return self.fail_forwarded(conn, chain, name.seq, Denial::Unvouched);
        }
        let size = entry.bytes().len() + FORWARD_OVERHEAD;
        if gathering.bytes + size > FORWARD_BYTES {
            return self.fail_forwarded(conn, chain, name.seq, Denial::TooLarge);
        }
        let has_room = !busy && of_link + size <= FORWARD_BYTES && self.makes_room(size, now);
        let link = self.conns.get_mut(&conn).filter(|_| has_room);
        let forwarding = link.map(|link| &mut link.forwarding);
        let Some(Forwarding { chains, bytes, .. }) = forwarding else {
            return self.fail_forwarded(conn, chain, name.seq, Denial::Busy);
        };
        let Some(Stage::Gathering(gathering)) = chains.get_mut(&chain) else {
            // It took too long itself.
            return self.deny(conn, chain, name.seq, Denial::Busy);
        };
        gathering.head = gathering.head.next(entry);
        gathering.entries.push(entry.detached());
        gathering.bytes += size;
        *bytes += size;
        self.heads.forwarders.bytes += size;
        if next == gathering.signed.name.seq {
            self.take_forwarded(conn, &chain, now);
        }
    }

    /// Whether so much more may be gathered in the room. Where it may not, the oldest of what is late goes until others fit in.
    fn makes_room(&mut self, size: usize, now: Now) -> bool {
        let fits = |home: &Self, size: usize| home.heads.forwarders.bytes + size <= ROOM_FORWARD_BYTES;
        if fits(self, size) || now.monotonic < self.heads.forwarders.look_at {
            return fits(self, size);
        }
        let mut late = Vec::new();
        for (conn, link) in &self.conns {
            late.extend(link.forwarding.late(now.monotonic).map(|(begun, chain)| (begun, *conn, chain)));
        }
        late.sort_unstable();
        for (_, conn, chain) in late {
            if fits(self, size.max(FORWARD_ROOM)) {
                break;
            }
            self.close_forwarded(conn, &chain, false);
        }
        if !fits(self, size) {
            self.heads.forwarders.look_at = now.monotonic.after(FORWARD_LOOK);
        }
        fits(self, size)
    }

    /// An entry can neither join its stream now nor wait there. Where it is the next one of a chain that was brought, that need
    /// not come again before what it builds on.
    pub(super) fn note_awaited(&mut self, conn: ConnId, entry: &Entry, missing: &[Missing]) {
        let (stream, replica) = (entry.header().stream, entry.name().replica);
        let is_next = missing.iter().all(|gap| gap.replica != replica);
        let link = self.conns.get_mut(&conn).filter(|_| is_next);
        let stage = link.and_then(|link| link.forwarding.chains.get_mut(&(stream, replica)));
        if let (Some(Stage::Landing(landing)), Some(first)) = (stage, missing.first()) {
            landing.awaits = Some(EntryName { replica: first.replica, seq: first.to });
        }
    }

    fn lacks(&self, stream: &StreamId, name: Option<EntryName>) -> bool {
        name.is_some_and(|name| self.tip_of(&(*stream, name.replica)).seq < name.seq)
    }

    /// What a link has brought is refused, as it would be from its author: it is not awaited any more.
    pub(super) fn end_landing(&mut self, conn: ConnId, chain: &ChainName) {
        let landing = |link: &Conn| matches!(link.forwarding.chains.get(chain), Some(Stage::Landing(..)));
        if self.conns.get(&conn).is_some_and(|link| landing(link)) {
            self.close_forwarded(conn, chain, true);
            self.conns.get_mut(&conn).into_iter().for_each(|link| link.forwarding.fruitless += 1);
        }
    }

    /// All of it is here.
    fn take_forwarded(&mut self, conn: ConnId, chain: &ChainName, now: Now) {
        let stage = self.conns.get(&conn).and_then(|link| link.forwarding.chains.get(chain));
        let Some(Stage::Gathering(gathering)) = stage else { return };
        let (seq, tip) = (gathering.signed.name.seq, self.tip_of(chain));
        if gathering.head != gathering.signed.head {
            return self.fail_forwarded(conn, *chain, seq, Denial::Chain);
        }
        if (tip.seq, tip.head) != gathering.from {
            // Its author, or somebody else, was faster.
            return self.fail_forwarded(conn, *chain, seq, Denial::Stale);
        }
        let Some(Stage::Gathering(gathering)) = self.end_forwarded(conn, chain) else { return };
        let Gathering { signed, entries, .. } = *gathering;
        if let Some(link) = self.conns.get_mut(&conn) {
            let landing = Landing { signed, since: now.monotonic, awaits: None };
            link.forwarding.chains.insert(*chain, Stage::Landing(landing.into()));
        }
        self.figures.entries_brought += entries.len() as u64;
        for entry in entries {
            self.land(conn, entry);
        }
    }

    /// Entries of a link reached the disk that it had not written. When all have, their signed head is kept like any other.
    pub(super) fn handle_brought(&mut self, conn: ConnId, chain: ChainName, now: Now) {
        let here = self.streams.get(&chain.0).map_or(0, |state| state.durable_seq(&chain.1));
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let whole = |stage: &Stage| matches!(stage, Stage::Landing(of) if of.signed.name.seq <= here);
        if !link.forwarding.chains.get(&chain).is_some_and(whole) {
            return;
        }
        if let Some(Stage::Landing(landing)) = link.forwarding.chains.remove(&chain) {
            self.heads.forwarders.release(&chain, conn);
            self.keep_head(landing.signed, now);
        }
    }

    fn tip_of(&self, (stream, replica): &ChainName) -> Tip {
        let unborn = || HomeStream::new(*stream).log.tip(replica);
        self.streams.get(stream).map_or_else(unborn, |state| state.log.tip(replica))
    }

    /// What a link was asked for is not let in, and nothing of it is kept.
    fn fail_forwarded(&mut self, conn: ConnId, chain: ChainName, seq: u64, denial: Denial) {
        self.close_forwarded(conn, &chain, !denial.passes());
        if let Some(link) = self.conns.get_mut(&conn) {
            if denial.is_fruitless() {
                link.forwarding.fruitless += 1;
            } else {
                link.forwarding.excuse(chain);
            }
        }
        self.deny(conn, chain, seq, denial);
    }

    /// Says why something is not let in. Nobody but whoever sent it is told: it is no word on the chain.
    fn deny(&mut self, conn: ConnId, (stream, replica): ChainName, seq: u64, denial: Denial) {
        // Many at once would fill the lane, and the link end with it: the rest hears where the two compare what they hold.
        let link = self.conns.get(&conn);
        let room = link.is_some_and(|link| link.fill.has_room(Lane::Control, LANE_CONTROL_BYTES / 2));
        if room && self.told.insert((conn, stream, replica, Answer::Refused)) {
            let (code, sentence) = (denial.code().into(), denial.sentence().into());
            self.send(conn, &Refused { stream, replica, seq, code, sentence }.into());
        }
    }

    /// Nothing more is awaited of a chain from this link; whether it may be asked again.
    fn close_forwarded(&mut self, conn: ConnId, chain: &ChainName, for_good: bool) {
        let stage = self.end_forwarded(conn, chain);
        self.heads.forwarders.release(chain, conn);
        let Some(link) = self.conns.get_mut(&conn) else { return };
        match stage {
            Some(_) if for_good => link.forwarding.close(*chain),
            Some(Stage::Gathering(_)) => link.forwarding.excuse(*chain),
            Some(Stage::Asked(_) | Stage::Elsewhere | Stage::Landing(_)) | None => {}
        }
    }

    /// Takes a chain out of those that are under way, with what was gathered.
    fn end_forwarded(&mut self, conn: ConnId, chain: &ChainName) -> Option<Stage> {
        let forwarding = &mut self.conns.get_mut(&conn)?.forwarding;
        let stage = forwarding.chains.remove(chain)?;
        if let Stage::Gathering(gathering) = &stage {
            let in_room = &mut self.heads.forwarders.bytes;
            forwarding.bytes = forwarding.bytes.saturating_sub(gathering.bytes);
            *in_room = in_room.saturating_sub(gathering.bytes);
        }
        Some(stage)
    }
}
