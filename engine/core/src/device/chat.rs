//! What an app does with channels. What is said is an entry at once: on this device's disk, in the outbox, sent.

use crate::chat::{Channel, ChatOp, InvalidOp, Post, Saved, TimelineChange, Unread};
use crate::device::Room;
use crate::device::event::Event;
use crate::device::forks::ForkId;
use crate::device::journal::Content;
use crate::device::load::{Reading, whole};
use crate::device::older::Fetch;
use crate::device::pages::Role;
use crate::device::receipts::Receipt;
use crate::device::stream::{Body, Phase, Stream, Sync};
use crate::ids::{PersonId, ReplicaId, StreamId, StreamKind};
use crate::log::{EntryKind, EntryName};
use crate::person::PersonKey;
use crate::presence::InvalidState;
use crate::storage::Page;
use crate::stored::{self, ForkRecord, Prefix};
use crate::time::{Millis, Now};
use crate::wire::{self, Place};

/// Who this device speaks for.
#[derive(Clone, Debug)]
pub(super) struct Myself {
    pub(super) key: PersonKey,
    name: String,
    colour: u32,
}

/// A channel that somebody looks at.
#[derive(Debug)]
pub(super) struct OpenChannel {
    pub(super) channel: Channel,
    /// The older page that is being fetched.
    pub(super) older: Fetch,
    /// The replica that has introduced itself in this life of the room, and how.
    introduced: Option<(ReplicaId, String, u32)>,
}

/// Something said that the home refused, or that another page took the disk from before it was written. It is kept on this device
/// until it is discarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What it is kept under.
    pub key: EntryName,
    /// The words.
    pub text: String,
    /// Machine code of the reason.
    pub code: String,
    /// The reason, for people.
    pub sentence: String,
}

/// Why something could not be done with a channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// It is not open, or still being read. Wait for its reset.
    #[error("the channel is not open yet")]
    NotOpen,
    /// It is no channel.
    #[error("this stream is not a channel")]
    NotChannel,
    /// It has been deleted.
    #[error("the channel has been deleted")]
    Gone,
    /// Nobody has said for whom this device speaks.
    #[error("say who you are first")]
    Nobody,
    /// The post it is about is not here.
    #[error("there is no such post here")]
    NoPost,
    /// The post it is about is another person's.
    #[error("people change and remove only what they wrote themselves")]
    NotYours,
    /// What was said.
    #[error(transparent)]
    Op(#[from] InvalidOp),
}

impl Room {
    /// Says for whom this device speaks, and how they want to be shown. Others see a change of name with the next post.
    ///
    /// # Errors
    /// Name or colour are out of bounds; nothing has changed then.
    pub fn set_person(&mut self, key: PersonKey, name: String, colour: u32) -> Result<(), InvalidState> {
        crate::presence::check_look(&name, colour)?;
        let before = self.myself.replace(Myself { key, name, colour });
        let me = self.person();
        if before.map(|before| before.key.id()) == me {
            return Ok(());
        }
        self.introduce();
        for (id, stream) in self.streams.iter_mut() {
            if let (Some(open), Some(me)) = (stream.channel_mut(), me) {
                open.channel.handle_person(me);
                self.events.push(Event::Channel(*id));
            }
        }
        Ok(())
    }

    /// For whom this device speaks.
    pub fn person(&self) -> Option<PersonId> {
        self.myself.as_ref().map(|myself| myself.key.id())
    }

    /// Opens a channel: reads it from this device's disk and follows it at the home. Its first event says that it can
    /// be read and written. A channel in which nobody has said anything comes into being with the first post.
    ///
    /// # Errors
    /// The stream is no channel.
    pub fn open_channel(&mut self, id: StreamId) -> Result<(), ChatError> {
        if id.kind() != StreamKind::Chat {
            return Err(ChatError::NotChannel);
        }
        if let Some(open) = self.streams.get_mut(&id).and_then(Stream::channel_mut) {
            // Whoever opens it again has seen nothing yet.
            open.channel.show_anew();
            self.events.push(Event::Channel(id));
            self.fetch_older(id);
            return Ok(());
        }
        let channel = Channel::new(self.person());
        let mut stream = self.streams.remove(&id).unwrap_or_else(|| self.new_stream(id));
        stream.body = Body::Channel(Box::new(OpenChannel { channel, older: Fetch::Idle, introduced: None }));
        if stream.phase != Phase::Gone {
            stream.phase = Phase::Loading;
            stream.sync = Sync::Off;
        }
        self.streams.insert(id, stream);
        self.load_stream(id);
        Ok(())
    }

    /// Says something, perhaps in answer to a post.
    ///
    /// # Errors
    /// See [`ChatError`].
    pub fn post(
        &mut self,
        id: StreamId,
        text: String,
        reply_to: Option<EntryName>,
        now: Now,
    ) -> Result<Receipt, ChatError> {
        let after = self.channel(id)?.channel().map_or(Millis(0), |open| open.channel.latest());
        self.say(id, None, &ChatOp::Post { text, reply_to, after }, now)
    }

    /// Changes the text of one's own post.
    ///
    /// # Errors
    /// See [`ChatError`].
    pub fn amend(
        &mut self,
        id: StreamId,
        post: EntryName,
        text: String,
        now: Now,
    ) -> Result<Receipt, ChatError> {
        self.say(id, Some(post), &ChatOp::Amend { text }, now)
    }

    /// Removes one's own post.
    ///
    /// # Errors
    /// See [`ChatError`].
    pub fn retract(&mut self, id: StreamId, post: EntryName, now: Now) -> Result<Receipt, ChatError> {
        self.say(id, Some(post), &ChatOp::Retract, now)
    }

    /// Puts a reaction to a post, or takes it away.
    ///
    /// # Errors
    /// See [`ChatError`].
    pub fn react(
        &mut self,
        id: StreamId,
        post: EntryName,
        emoji: String,
        on: bool,
        now: Now,
    ) -> Result<Receipt, ChatError> {
        self.say(id, Some(post), &ChatOp::React { emoji, on }, now)
    }

    /// What stands in a channel as far as it is here, also what is not shown.
    ///
    /// # Errors
    /// The channel is not open.
    pub fn posts(&self, id: StreamId) -> Result<Vec<Post>, ChatError> {
        let stream = self.channel(id)?;
        Ok(stream
            .channel()
            .map_or_else(Vec::new, |open| open.channel.posts(&|name| self.saved(stream, name))))
    }

    /// Whether all posts of a channel are here, also those that are not shown.
    pub fn is_whole(&self, id: StreamId) -> bool {
        self.streams.get(&id).and_then(Stream::channel).is_some_and(|open| open.channel.is_whole())
    }

    /// What has changed in the part of a channel that is shown, after [`Event::Channel`]; the first answer is a reset.
    pub fn poll_timeline(&mut self, id: StreamId) -> Option<TimelineChange> {
        self.channel(id).ok()?;
        // Taken out for a moment, as where a post is saved is asked of the room.
        let stream = self.streams.get_mut(&id)?;
        let body = std::mem::replace(&mut stream.body, Body::Unopened);
        let Body::Channel(mut open) = body else { return None };
        let stream = self.streams.get(&id)?;
        let change = open.channel.poll_timeline(&|name| self.saved(stream, name));
        self.streams.get_mut(&id)?.body = Body::Channel(open);
        change
    }

    /// The part of a channel that is shown as it was last told, as a reset; `None` before the first reset.
    pub fn shown_timeline(&self, id: StreamId) -> Option<TimelineChange> {
        let stream = self.channel(id).ok()?;
        stream.channel()?.channel.shown(&|name| self.saved(stream, name))
    }

    /// Whether a channel can be read and written.
    ///
    /// # Errors
    /// It cannot yet, or no more.
    pub fn channel_state(&self, id: StreamId) -> Result<(), ChatError> {
        self.channel(id).map(drop)
    }

    /// What is left to read.
    pub fn unread(&self, id: StreamId) -> Unread {
        self.streams
            .get(&id)
            .and_then(Stream::channel)
            .map_or_else(Unread::default, |open| open.channel.unread())
    }

    /// Everything up to a post has been read; without one, all there is, also where it is not here. While what is
    /// [new](Room::unread) begins on a page that is not here, nothing is read up to a post.
    pub fn mark_read(&mut self, id: StreamId, upto: Option<EntryName>) {
        let Some(open) = self.streams.get_mut(&id).and_then(Stream::channel_mut) else { return };
        let grown = open.channel.mark_read(upto);
        if grown.is_empty() {
            return;
        }
        for (replica, seq) in grown {
            self.keep_read(&Place { stream: id, replica, seq });
        }
        self.events.push(Event::Channel(id));
    }

    /// Where posts are saved is to be told anew: this page leads now, or does so no more.
    pub(super) fn show_channels(&mut self) {
        for (id, stream) in self.streams.iter_mut() {
            if let Some(open) = stream.channel_mut() {
                open.older = Fetch::Idle;
                open.channel.show_anew();
                self.events.push(Event::Channel(*id));
            }
        }
    }

    /// To the disk and to the other pages of this device.
    fn keep_read(&mut self, read: &Place) {
        let Place { stream, replica, seq } = read;
        match self.role {
            Role::Leading => {
                self.queue.put(stored::read_key(stream, replica), stored::encode_number(*seq));
                self.send_to_all(&wire::Body::Read(*read).into());
            }
            Role::Following if self.link.is_live() => self.send(&wire::Body::Read(*read).into()),
            // The next leader is told when it is met.
            Role::Following => {}
        }
    }

    /// Another page of this device has shown posts.
    pub(super) fn handle_read(&mut self, read: &Place) {
        let stream = self.streams.get_mut(&read.stream);
        let knows = stream.as_ref().is_some_and(|stream| stream.phase == Phase::Ready);
        if let Some(open) = stream.and_then(Stream::channel_mut) {
            if !open.channel.restore_read(read.replica, read.seq) {
                return;
            }
            open.channel.count_unread();
            self.events.push(Event::Channel(read.stream));
            if knows && self.role == Role::Leading {
                return self.keep_read(read);
            }
        }
        if self.role == Role::Leading {
            // What the disk has of it is not known here.
            let row = stored::read_key(&read.stream, &read.replica);
            self.scan_row(row, Reading::Read(*read));
        }
    }

    /// The disk's number of a read marker: it only ever grows.
    pub(super) fn handle_read_row(&mut self, read: &Place, page: &Page) {
        let row = stored::read_key(&read.stream, &read.replica);
        let waiting = self.queue.puts().filter(|(key, _)| *key == row).map(|(_, value)| value);
        let known = page.rows.iter().map(|(_, value)| value.as_slice()).chain(waiting);
        if known.filter_map(|value| stored::decode_number(value).ok()).all(|seq| seq < read.seq) {
            self.keep_read(read);
        }
    }

    /// What was read here goes to a leader that may not know of it.
    pub(super) fn tell_read(&mut self) {
        let mut told = Vec::new();
        for (id, stream) in self.streams.iter_mut() {
            let marks = stream.channel().map_or(&[][..], |open| open.channel.read_marks());
            told.extend(marks.iter().map(|(replica, seq)| Place {
                stream: *id,
                replica: *replica,
                seq: *seq,
            }));
        }
        for read in told {
            self.send(&wire::Body::Read(read).into());
        }
    }

    /// What the home refused of what was said here. Of refused work words are drafts; reactions and the like are of no use
    /// to anybody.
    pub fn drafts(&self, id: StreamId) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for aside in self.forks.of(ForkId { stream: id, whole: None }) {
            let said = wire::payload::decode_chat(&aside.record.payload);
            if let Some(ChatOp::Post { text, .. } | ChatOp::Amend { text }) = said {
                let ForkRecord { code, sentence, .. } = aside.record.clone();
                let key = EntryName { replica: aside.replica, seq: aside.seq };
                drafts.push(Draft { key, text, code, sentence });
            }
        }
        drafts
    }

    /// Forgets a draft.
    pub fn discard_draft(&mut self, id: StreamId, key: EntryName) {
        self.drop_pieces(&[Place::of(id, key)]);
    }

    /// An entry of a channel.
    fn say(
        &mut self,
        id: StreamId,
        target: Option<EntryName>,
        op: &ChatOp,
        now: Now,
    ) -> Result<Receipt, ChatError> {
        op.validate()?;
        let Some(myself) = self.myself.clone() else { return Err(ChatError::Nobody) };
        let me = myself.key.id();
        let stream = self.channel(id)?;
        if let Some(target) = target {
            let author = stream.channel().and_then(|open| open.channel.author(target));
            let author = author.ok_or(ChatError::NoPost)?;
            if author != me && op.kind() != EntryKind::React {
                return Err(ChatError::NotYours);
            }
        }
        let payload = wire::payload::encode_chat(op);
        if stream.phase == Phase::Rebuilding {
            if !matches!(op.kind(), EntryKind::Post | EntryKind::Amend) {
                // Words are kept as a draft; of a removal nobody would see that it was not made.
                return Err(ChatError::NotOpen);
            }
            return Ok(self.fork_edit(id, self.current, payload, now));
        }
        // A replica is one person's for good.
        let other = stream.log.tip(&self.current).introduced.is_some_and(|before| before.person != me);
        if other {
            self.mint();
        }
        self.remember_replica();
        self.greet(id, myself, now);
        let replica = self.current;
        let Some(stream) = self.streams.get_mut(&id) else { return Err(ChatError::NotOpen) };
        let edit = stream.marks.handle_edit();
        self.seal_content(id, replica, Content { kind: op.kind(), target, payload: &payload }, edit, now);
        self.events.push(Event::Channel(id));
        self.events.push(Event::SaveStatus(id));
        Ok(Receipt { stream: id, edit })
    }

    /// Before its first post, and after a change of name, a replica says who writes.
    fn greet(&mut self, id: StreamId, Myself { key, name, colour }: Myself, now: Now) {
        let replica = self.current;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let born = stream.log.is_born();
        let Some(open) = stream.channel_mut() else { return };
        let introduced = Some((replica, name.clone(), colour));
        if open.introduced == introduced {
            return;
        }
        open.introduced = introduced;
        if !born {
            self.seal_payload(id, replica, EntryKind::Create, &[], 0, now);
        }
        let introduction = ChatOp::Introduce(key.introduction(&replica, name, colour));
        let payload = wire::payload::encode_chat(&introduction);
        self.seal_payload(id, replica, EntryKind::Introduce, &payload, 0, now);
    }

    fn channel(&self, id: StreamId) -> Result<&Stream, ChatError> {
        let stream = self.streams.get(&id).filter(|stream| stream.channel().is_some());
        let stream = stream.ok_or(ChatError::NotOpen)?;
        match stream.phase {
            Phase::Ready | Phase::Rebuilding | Phase::Meeting => Ok(stream),
            Phase::Loading => Err(ChatError::NotOpen),
            Phase::Gone => Err(ChatError::Gone),
        }
    }

    /// Where a post is. What others wrote comes from the home.
    fn saved(&self, stream: &Stream, name: EntryName) -> Saved {
        let upto = stream.saved.get(&name.replica).copied().unwrap_or(0);
        let own = match self.role {
            Role::Leading if stream.phase != Phase::Meeting => self.identities.contains_key(&name.replica),
            // What other pages wrote is told when it is on the disk; how far it is on its way from there is not.
            Role::Leading | Role::Following => self.minted.contains(&name.replica),
        };
        if name.seq <= upto || !own {
            return Saved::Relay;
        }
        let held = stream.outbox.get(&name.replica);
        let on_disk = match self.role {
            Role::Leading if stream.phase != Phase::Meeting => {
                let is_held = held
                    .and_then(|entries| entries.back())
                    .is_some_and(|last| name.seq <= last.entry.name().seq);
                // What a snapshot brought under a name of ours another copy wrote.
                is_held || name.seq <= stream.covered(&name.replica) || self.is_unread_own(stream, name)
            }
            // What is not on the disk is held.
            Role::Leading | Role::Following => {
                held.and_then(|entries| entries.front()).is_none_or(|first| name.seq < first.entry.name().seq)
            }
        };
        if on_disk { Saved::Device } else { Saved::Nowhere }
    }

    /// Reads what was read of a channel.
    pub(super) fn read_channel(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get(&id) else { return };
        self.scan_read(id, stream.reading, stored::stream_prefix(Prefix::Read, &id));
    }

    fn scan_read(&mut self, id: StreamId, turn: u64, start: Vec<u8>) {
        let end = [stored::stream_prefix(Prefix::Read, &id).as_slice(), &[0xff; 41]].concat();
        self.scan(whole(start, end), Reading::Channel(id, turn));
    }

    pub(super) fn handle_channel_page(&mut self, id: StreamId, turn: u64, page: Page, now: Now) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.reading == turn) else { return };
        let Some(open) = stream.channel_mut() else { return };
        let mut damaged = page.damaged.len();
        for (key, value) in page.rows {
            let read = stored::parse_read_key(&key).zip(stored::decode_number(&value).ok());
            match read {
                Some(((_, replica), seq)) => {
                    open.channel.restore_read(replica, seq);
                }
                None => damaged += 1,
            }
        }
        if page.more.is_none() {
            open.channel.count_unread();
        }
        for _ in 0..damaged {
            self.events.damaged(id, "store.record");
        }
        match page.more {
            Some(start) => self.scan_read(id, turn, start),
            None => self.finish_load(id, now),
        }
    }
}
