//! The other pages of this device, as the page that leads serves them.

mod serve;

use bytes::Bytes;

use crate::device::fork::Why;
use crate::device::forks::LATER;
use crate::device::journal::Tag;
use crate::device::pages::{PageInput, PageOutput, Role};
use crate::device::stream::Phase;
use crate::device::{Output, Room};
use crate::ids::{ReplicaId, SiblingId, StreamId};
use crate::limits::{HOME_SILENCE, LINK_REPLICAS, ROOM_STREAMS, SIBLINGS};
use crate::log::{Accepted, Entry, EntryName, Missing, Verdict};
use crate::presence::{Change, Lease};
use crate::replica::Identity;
use crate::storage::Durability;
use crate::stored::{self, ReplicaRecord};
use crate::time::{Millis, Now};
use crate::wire::{self, Aside, Body, Message, Need, Place, Pong, Refused, Secret, Uplink, VERSION, Welcome};

use serve::Follows;

/// The pages that follow this one.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    pages: Vec<Sibling>,
    /// Counts walks along the disk, so that a page of rows read for an older one is known as such.
    walks: u64,
}

#[derive(Debug)]
struct Sibling {
    id: SiblingId,
    heard: Millis,
    stage: Stage,
    /// Replicas whose keys it handed over.
    replicas: Vec<ReplicaId>,
    /// The newest entry of each chain that came from it.
    brought: Vec<(StreamId, EntryName)>,
    follows: Vec<Follows>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has not said hello.
    Silent,
    /// It has, before the disk was read.
    Greeted,
    /// It was welcomed.
    Open,
}

impl Sibling {
    fn note_brought(&mut self, stream: StreamId, name: EntryName) {
        let mut chains = self.brought.iter_mut();
        match chains.find(|(of, last)| (*of, last.replica) == (stream, name.replica)) {
            Some((_, last)) => *last = name,
            None => self.brought.push((stream, name)),
        }
    }

    /// Whether it holds an entry because it came from there.
    fn has_brought(&self, stream: StreamId, name: EntryName) -> bool {
        let mut chains = self.brought.iter();
        chains.any(|(of, last)| (*of, last.replica) == (stream, name.replica) && last.seq >= name.seq)
    }
}

impl Siblings {
    fn page(&mut self, id: SiblingId) -> Option<&mut Sibling> {
        self.pages.iter_mut().find(|page| page.id == id)
    }

    /// When the page heard of longest ago is given up.
    pub(super) fn due(&self) -> Option<Millis> {
        self.pages.iter().map(|page| page.heard.after(HOME_SILENCE)).min()
    }

    pub(super) fn take_ids(&mut self) -> Vec<SiblingId> {
        std::mem::take(&mut self.pages).into_iter().map(|page| page.id).collect()
    }
}

impl Room {
    pub(super) fn handle_page_input(&mut self, input: PageInput, now: Now) {
        match input {
            PageInput::Lead => self.take_over(now),
            PageInput::Follow => self.step_down(now),
            PageInput::Opened(id) => self.handle_sibling_opened(id, now),
            PageInput::Received(id, bytes) => self.handle_sibling_bytes(id, &bytes, now),
            PageInput::Closed(id) => self.forget_sibling(id, now),
        }
    }

    fn handle_sibling_opened(&mut self, id: SiblingId, now: Now) {
        if self.role == Role::Following || self.siblings.pages.len() >= SIBLINGS {
            return self.outputs.push_back(Output::Page(PageOutput::Dismiss(id)));
        }
        self.siblings.pages.push(Sibling {
            id,
            heard: now.monotonic,
            stage: Stage::Silent,
            replicas: Vec::new(),
            brought: Vec::new(),
            follows: Vec::new(),
        });
    }

    fn handle_sibling_bytes(&mut self, id: SiblingId, bytes: &Bytes, now: Now) {
        let Some(page) = self.siblings.page(id) else { return };
        page.heard = now.monotonic;
        let Ok(messages) = wire::decode(bytes) else { return self.dismiss(id, now) };
        for message in messages {
            self.handle_sibling_message(id, message, now);
        }
    }

    fn handle_sibling_message(&mut self, id: SiblingId, message: Message, now: Now) {
        let Some(page) = self.siblings.page(id) else { return };
        let open = page.stage == Stage::Open;
        match message {
            Message::Other(Body::Hello(_)) if !open => {
                page.stage = Stage::Greeted;
                self.greet_siblings(now);
            }
            Message::Other(Body::Ping(_)) => self.send_to(id, &Pong { time: now.wall }.into()),
            Message::Other(Body::Secret(secret)) if open => self.handle_secret(id, &secret, now),
            Message::Other(Body::Subscribe(subscribe)) if open => self.serve_subscribe(id, &subscribe),
            Message::Other(Body::Compare(compared)) if open => self.serve_compared(id, compared),
            Message::Other(Body::Want(want)) if open => self.serve_want(id, want),
            Message::Other(Body::Need(need)) if open => self.serve_need(id, &need),
            Message::Other(Body::Present(state)) if open => self.show_page(Some(id), state, now),
            Message::Other(Body::Aside(aside)) if open => self.handle_aside(id, aside, now),
            Message::Other(Body::AsideDone(done)) if open => self.handle_aside_done(&done),
            Message::Other(Body::Read(read)) if open => self.handle_read(&read),
            Message::Entries(entries) if open => self.handle_sibling_entries(id, entries, now),
            Message::Other(_) | Message::Entries(_) => {}
        }
    }

    /// Welcomes the pages that have said hello, as soon as the disk's marks are read.
    pub(super) fn greet_siblings(&mut self, now: Now) {
        if !self.boot.is_done() {
            return;
        }
        let greeted = self.siblings.pages.iter_mut().filter(|page| page.stage == Stage::Greeted);
        let greeted: Vec<SiblingId> = greeted
            .map(|page| {
                page.stage = Stage::Open;
                page.id
            })
            .collect();
        for id in greeted {
            let welcome = Welcome {
                version: VERSION,
                nonce: [0; 32],
                epoch: self.epoch,
                time: self.home_time(now),
                lease: self.others.own().unwrap_or(Lease(0)),
                in_step: false,
            };
            self.send_to(id, &welcome.into());
            self.send_to(id, &self.uplink().into());
            let everyone = self.others.iter();
            let board = everyone
                .map(|(lease, state)| Change {
                    lease,
                    person: self.others.person(lease),
                    state: Some(state.clone()),
                })
                .collect();
            self.send_to(id, &Message::Other(Body::Board(board)));
            for aside in self.forks.kept() {
                self.send_to(id, &aside.into());
            }
        }
    }

    fn uplink(&self) -> Uplink {
        Uplink { connection: self.connection(), lease: self.others.own(), storage: self.storage.clone() }
    }

    /// The link or the disk has changed: the pages that follow show the same.
    pub(super) fn tell_uplink(&mut self) {
        if self.role == Role::Leading && !self.siblings.pages.is_empty() {
            self.send_to_all(&self.uplink().into());
        }
    }

    pub(super) fn send_to_all(&mut self, message: &Message) {
        let open = self.siblings.pages.iter().filter(|page| page.stage == Stage::Open).map(|page| page.id);
        let open: Vec<SiblingId> = open.collect();
        if open.is_empty() {
            return;
        }
        let bytes = wire::encode(message);
        for id in open {
            self.outputs.push_back(Output::Page(PageOutput::Send(id, bytes.clone())));
        }
    }

    /// Passes on to the page that wrote under `replica` what the home has said about it.
    pub(super) fn pass_on(&mut self, replica: ReplicaId, message: impl FnOnce() -> Message) {
        let authors = self.siblings.pages.iter().filter(|page| page.replicas.contains(&replica));
        let authors: Vec<SiblingId> = authors.map(|page| page.id).collect();
        if authors.is_empty() {
            return;
        }
        let bytes = wire::encode(&message());
        for id in authors {
            self.outputs.push_back(Output::Page(PageOutput::Send(id, bytes.clone())));
        }
    }

    fn send_to(&mut self, id: SiblingId, message: &Message) {
        self.outputs.push_back(Output::Page(PageOutput::Send(id, wire::encode(message))));
    }

    /// From now on this device can prove the replica, also when the page that wrote under it is gone.
    fn handle_secret(&mut self, id: SiblingId, secret: &Secret, now: Now) {
        let identity = Identity::from_secret(&secret.secret);
        let replica = identity.id();
        let Some(page) = self.siblings.page(id) else { return };
        if secret.own && !page.replicas.contains(&replica) {
            if page.replicas.len() >= LINK_REPLICAS {
                return self.dismiss(id, now);
            }
            page.replicas.push(replica);
        }
        if self.identities.insert(replica, identity).is_none() {
            let record = ReplicaRecord { secret: secret.secret };
            self.queue.put(stored::replica_key(&replica), record.encode());
        }
    }

    /// What is not taken now, because the stream is still being read or something is missing, is offered again.
    fn handle_sibling_entries(&mut self, page: SiblingId, entries: Vec<Entry>, now: Now) {
        let mut needs: Vec<(StreamId, Missing)> = Vec::new();
        for entry in entries {
            let (id, name) = (entry.header().stream, entry.name());
            let Some(stream) = self.streams.get(&id) else {
                if self.streams.len() < ROOM_STREAMS {
                    self.load_stream(id);
                }
                continue;
            };
            if stream.phase != Phase::Ready {
                continue;
            }
            if let Some(from) = stream.closed.get(&name.replica).filter(|from| name.seq >= **from) {
                let refused = Refused {
                    stream: id,
                    replica: name.replica,
                    seq: *from,
                    code: LATER.into(),
                    sentence: "written after an earlier change of the same page was refused".into(),
                };
                self.send_to(page, &refused.into());
                continue;
            }
            match stream.log.judge(&entry) {
                Verdict::Fresh(accepted) => {
                    if let Some(page) = self.siblings.page(page) {
                        page.note_brought(id, name);
                    }
                    self.take_from_page(&entry, accepted, now);
                    #[cfg(feature = "planted-bugs")]
                    if self.planted == Some(crate::planted::Planted::KeptEarly) {
                        let EntryName { replica, seq } = name;
                        self.send_to(page, &Body::Kept(Place { stream: id, replica, seq }).into());
                    }
                }
                Verdict::Known => self.serve_known(page, id, name),
                Verdict::Waits(missing) => needs.extend(missing.into_iter().map(|missing| (id, missing))),
                Verdict::Refused(refusal) => {
                    let Why { code, sentence, .. } = Why::unsound(&refusal);
                    let refused =
                        Refused { stream: id, replica: name.replica, seq: name.seq, code, sentence };
                    self.send_to(page, &refused.into());
                }
            }
        }
        needs.dedup();
        for (stream, Missing { replica, from, to }) in needs {
            self.send_to(page, &Need { stream, replica, from, to }.into());
        }
    }

    /// An entry of another page joins like one made here: to the disk first, then to the home and the other pages.
    fn take_from_page(&mut self, entry: &Entry, accepted: Accepted, now: Now) {
        let (id, name) = (entry.header().stream, entry.name());
        if self.identities.contains_key(&name.replica) {
            let Some(stream) = self.streams.get_mut(&id) else { return };
            stream.log.extend(entry, accepted);
            self.apply_later(entry, accepted);
            self.keep(entry.detached(), now);
        } else {
            // It came from the home to a page that led before this one, and did not reach the disk there.
            self.accept(entry, accepted, now);
        }
        self.note_landed(id, name, now);
        self.return_soon(id, now);
        self.work_off(id, now);
    }

    fn handle_aside(&mut self, page: SiblingId, aside: Aside, now: Now) {
        let Aside { stream: id, replica, seq, .. } = aside;
        let why = Why::refused(aside.record.code.clone(), aside.record.sentence.clone());
        self.put_aside(aside);
        self.queue.tag(Tag::Aside { page, stream: id, replica, seq }, Durability::Strict);
        self.note_fork(id, EntryName { replica, seq }, &why, now);
    }

    pub(super) fn answer_aside(&mut self, page: SiblingId, stream: StreamId, replica: ReplicaId, seq: u64) {
        if self.siblings.page(page).is_some() {
            self.send_to(page, &Body::AsideKept(Place { stream, replica, seq }).into());
        }
    }

    pub(super) fn tick_siblings(&mut self, now: Now) {
        let silent = |page: &&Sibling| now.monotonic >= page.heard.after(HOME_SILENCE);
        let silent: Vec<SiblingId> = self.siblings.pages.iter().filter(silent).map(|page| page.id).collect();
        for id in silent {
            self.dismiss(id, now);
        }
    }

    fn dismiss(&mut self, id: SiblingId, now: Now) {
        self.forget_sibling(id, now);
        self.outputs.push_back(Output::Page(PageOutput::Dismiss(id)));
    }

    fn forget_sibling(&mut self, id: SiblingId, now: Now) {
        self.siblings.pages.retain(|page| page.id != id);
        self.hide_page(id, now);
    }

    /// This page no longer leads: the others look for the one that does.
    pub(super) fn dismiss_all(&mut self, now: Now) {
        for id in self.siblings.take_ids() {
            self.dismiss(id, now);
        }
    }
}
