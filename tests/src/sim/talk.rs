//! People who talk: they post, change, remove, react and read. What an app shows of it is built from changes alone, and
//! what is left to read is compared with a list of all that was on the screen when somebody read.

use std::collections::BTreeSet;

use causeway_core::chat::page::{check_contents, check_posts};
use causeway_core::chat::{Channel, Older, Post, Saved, TimelineChange};
use causeway_core::device::{ChatError, Receipt, Room};
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::EntryName;
use causeway_core::person::PersonKey;
use causeway_core::snapshot::{SignedRoot, unpack};
use causeway_core::stored;

use crate::sim::ledger::marks;
use crate::sim::world::World;

const EMOJIS: [&str; 4] = ["👍", "🌊", "⛵", "👩‍🚀"];

/// A channel as the app of one device keeps it in one life.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    shown: Option<Vec<Post>>,
    older: Option<Older>,
    has_moved: bool,
    /// What the disk said at the beginning of this life was read.
    read_before: Vec<(ReplicaId, u64)>,
    /// What stood in the timeline up to where somebody read, at that moment.
    read: BTreeSet<EntryName>,
}

impl Talk {
    fn follow(&mut self, change: TimelineChange) {
        self.has_moved = true;
        match change {
            TimelineChange::Reset { posts, older } => {
                (self.shown, self.older) = (Some(posts), Some(older));
            }
            TimelineChange::Splice { at, remove, insert, older } => {
                self.older = Some(older);
                match &mut self.shown {
                    Some(shown) if at + remove <= shown.len() => drop(shown.splice(at..at + remove, insert)),
                    shown => *shown = None,
                }
            }
        }
    }

    fn has_read(&self, name: EntryName) -> bool {
        let before =
            self.read_before.iter().any(|(replica, seq)| *replica == name.replica && name.seq <= *seq);
        before || self.read.contains(&name)
    }
}

impl World {
    pub(crate) fn channel(&self) -> StreamId {
        StreamId::main_channel(&self.room)
    }

    /// Two devices each belong to one person.
    pub(crate) fn introduce(&self, number: usize, room: &mut Room, name: u64) {
        let owner = self.machines[self.devices[number].machine].person;
        let key = PersonKey::from_secret(&[owner as u8 + 1; 32]);
        room.set_person(key, format!("talker {owner}, called {name}"), 0x10_20_30).expect("a short name");
    }

    /// What the disk says was read, before a life begins.
    pub(crate) fn begin_talk(&mut self, number: usize) {
        let rows = self.disk_of(number).rows_of(b'u').filter_map(|(key, value)| {
            let (_, replica) = stored::parse_read_key(key)?;
            Some((replica, stored::decode_number(value).ok()?))
        });
        let read_before = rows.collect();
        self.devices[number].talk = Talk { read_before, ..Talk::default() };
        let machine = &mut self.machines[self.devices[number].machine];
        machine.is_vague &= machine.pages.len() > 1;
    }

    /// A person says or reads something.
    pub(crate) fn talk(&mut self, number: usize) {
        let id = self.channel();
        let now = self.devices[number].now(self.now);
        let choice = self.rng.below(100);
        let (mark, emoji) = (self.ledger.next_mark(), EMOJIS[self.rng.index(EMOJIS.len())]);
        let draw = self.rng.next() as usize;
        let Some(mut room) = self.devices[number].room.take() else { return };
        // Before the disk is read nothing can be said.
        if let Ok(posts) = room.posts(id) {
            let mine: Vec<&Post> = posts.iter().filter(|post| post.is_mine && !post.is_deleted).collect();
            let own = (!mine.is_empty()).then(|| mine[draw % mine.len()]);
            let any = (!posts.is_empty()).then(|| &posts[draw % posts.len()]);
            match (choice, own, any) {
                (45..=59, Some(post), _) => {
                    let text = format!("{} and more {draw}", post.text.chars().take(20).collect::<String>());
                    let said = room.amend(id, post.name, text, now);
                    self.note_said(number, &room, said, &post.text, &post.text);
                }
                (60..=64, Some(post), _) => {
                    let said = room.retract(id, post.name, now);
                    self.note_said(number, &room, said, &post.text, "");
                }
                (65..=79, _, Some(post)) => {
                    let said = room.react(id, post.name, emoji.into(), !draw.is_multiple_of(3), now);
                    self.note_said(number, &room, said, "", "");
                }
                (80..=94, _, Some(post)) => {
                    let end = posts.iter().position(|other| other.name == post.name).unwrap_or(0);
                    let unread = room.unread(id);
                    let is_more_above = unread.count > 0 && unread.first.is_none();
                    room.mark_read(id, Some(post.name));
                    // Nothing is read while something new is where nobody sees it.
                    if !is_more_above {
                        let machine = self.devices[number].machine;
                        self.machines[machine].is_vague |= !room.is_whole(id);
                        let read: Vec<EntryName> = posts[..=end].iter().map(|post| post.name).collect();
                        self.machines[machine].read.extend(read.iter().copied());
                        self.devices[number].talk.read.extend(read);
                    }
                }
                (95..=96, _, _) => room.older(id),
                (97..=99, _, _) => self.introduce(number, &mut room, draw as u64 % 5),
                _ => {
                    let text = format!("{mark} says {number}");
                    let said = room.post(id, text.clone(), any.map(|post| post.name), now);
                    self.note_said(number, &room, said, "", &text);
                }
            }
        }
        self.devices[number].room = Some(room);
    }

    fn note_said(
        &mut self,
        number: usize,
        room: &Room,
        said: Result<Receipt, ChatError>,
        before: &str,
        after: &str,
    ) {
        let life = self.devices[number].life();
        match said {
            Ok(Receipt { stream, edit }) => {
                self.ledger.note(life, stream, edit, &marks(before), &marks(after));
                self.chronicle.trace(self.now, "said", number as u64, &edit.to_le_bytes());
                self.chronicle.line(self.now, || format!("device {number} says {after:?}, edit {edit}"));
            }
            Err(error) => {
                self.fail(|| format!("device {number} cannot talk as {:?}: {error}", room.person()));
            }
        }
    }

    /// The app hears that a channel has changed.
    pub(crate) fn watch_channel(&mut self, number: usize, id: StreamId) {
        let device = &mut self.devices[number];
        if let Some(change) = device.room.as_mut().and_then(|room| room.poll_timeline(id)) {
            device.talk.follow(change);
        }
    }

    /// What is shown is the newest part of what the room holds, and what is left to read is what was not there when
    /// somebody read, whatever has been merged since.
    pub(crate) fn check_talk(&mut self, number: usize) {
        let id = self.channel();
        let device = &mut self.devices[number];
        if !std::mem::take(&mut device.talk.has_moved) {
            return;
        }
        let Some(Ok(posts)) = device.room.as_ref().map(|room| room.posts(id)) else { return };
        let Some(unread) = device.room.as_ref().map(|room| room.unread(id)) else { return };
        let whole = device.room.as_ref().is_some_and(|room| room.is_whole(id));
        let talk = &device.talk;
        let fits = talk.shown.as_ref().is_some_and(|shown| {
            let begins = whole && posts.len() == shown.len();
            posts.ends_with(shown) && (talk.older == Some(Older::Nothing)) == begins
        });
        let left = |post: &&Post| !post.is_mine && !post.is_deleted && !talk.has_read(post.name);
        let expected = (posts.iter().filter(left).count(), posts.iter().find(left).map(|post| post.name));
        // What another page has shown is read here as well, sooner or later.
        let machine = &self.machines[device.machine];
        let least = posts.iter().filter(|post| left(post) && !machine.read.contains(&post.name)).count();
        let counts = match (whole, machine.pages.len() == 1, machine.is_vague) {
            (true, true, false) => (unread.count, unread.first) == expected,
            (true, false, false) => (least..=expected.0).contains(&unread.count),
            (true, _, true) => unread.count <= expected.0,
            (false, true, false) => unread.count >= expected.0,
            (false, false, false) => unread.count >= least,
            (false, _, true) => true,
        };
        if !fits {
            self.fail(|| format!("device {number} shows another timeline than its room holds"));
        } else if !counts {
            self.fail(|| format!("device {number} counts {unread:?}, left to read are {expected:?}"));
        }
    }

    /// Everybody reads the channel back to its beginning. What was counted as unread where it was not here is unread when
    /// it is.
    pub(crate) fn read_back(&mut self) {
        let id = self.channel();
        let count = |world: &Self| -> Vec<Option<usize>> {
            world.devices.iter().map(|device| Some(device.room.as_ref()?.unread(id).count)).collect()
        };
        let before = count(self);
        for _ in 0..MOST_PAGES {
            for number in 0..self.devices.len() {
                if let Some(mut room) = self.devices[number].room.take() {
                    room.older(id);
                    self.devices[number].room = Some(room);
                }
                self.settle_device(number);
            }
            self.run_until(self.now + 1_000);
            let whole = |room: &Room| room.is_whole(id);
            if !self.goes_on() || self.devices.iter().all(|device| device.room.as_ref().is_none_or(whole)) {
                break;
            }
        }
        let after = count(self);
        if before != after {
            self.fail(|| format!("unread were {before:?} posts, and {after:?} when they were all here"));
        }
    }

    /// The channel from the home's disk alone, in two ways: every entry from the first, and the snapshot with its pages
    /// and the rows above it.
    fn channel_at_home(&mut self) -> Vec<Post> {
        let id = self.channel();
        let (mut whole, mut brief) = (Channel::new(None), Channel::new(None));
        let disk = &self.relay.disk;
        let archive = disk
            .rows_of(b'z')
            .filter(|(key, _)| stored::parse_archive_key(key).is_some_and(|(of, _)| of == id));
        for (_, value) in archive {
            let entries = stored::decode_segment(value).ok().and_then(|(_, segment)| unpack(segment).ok());
            entries.into_iter().flatten().for_each(|entry| whole.apply(&entry));
        }
        let page =
            |page| disk.row(&stored::page_key(&id, page)).and_then(|row| stored::decode_piece(row).ok());
        let mut sound = true;
        if let Some(signed) =
            disk.row(&stored::snapshot_key(&id)).and_then(|row| SignedRoot::decode(row).ok())
        {
            let mut pages = signed.root.pages.iter();
            let contents = pages.next().and_then(page);
            match contents.and_then(|contents| check_contents(contents, pages.len())) {
                Some(contents) => brief.cover(&signed.root, contents, false),
                None => sound = false,
            }
            for name in pages.rev() {
                match page(name).and_then(check_posts) {
                    Some(posts) => brief.take_page(*name, posts),
                    None => sound = false,
                }
            }
        }
        for (_, value) in
            disk.rows_of(b'e').filter(|(key, _)| stored::parse_entry_key(key).is_some_and(|(of, _)| of == id))
        {
            if let Ok(entry) = stored::decode_entry(value.to_vec()) {
                whole.apply(&entry);
                brief.apply(&entry);
            }
        }
        let posts = whole.posts(&|_| Saved::Relay);
        let shown = brief.posts(&|_| Saved::Relay);
        if !sound || (self.history_begins(id) == 0 && posts != shown) {
            self.fail(|| "snapshot and tail of the channel are not what all its entries give".into());
        }
        shown
    }

    /// Everybody has the same channel, and so has a newcomer; every post is saved.
    pub(crate) fn compare_channels(&mut self) {
        let id = self.channel();
        let at_home = self.channel_at_home();
        for number in 0..self.devices.len() {
            self.devices[number].talk.has_moved = true;
            self.check_talk(number);
            let Some(Ok(posts)) = self.devices[number].room.as_ref().map(|room| room.posts(id)) else {
                continue;
            };
            let same = posts.len() == at_home.len()
                && posts.iter().zip(&at_home).all(|(here, there)| impersonal(here) == impersonal(there));
            if !same {
                return self
                    .fail(|| {
                        let differing = posts.iter().zip(&at_home).find(|(here, there)| impersonal(here) != impersonal(there));
                        let told = differing.map(|(here, there)| (here.name, brief(here), brief(there)));
                        format!("device {number} and the home's entries give different channels: {} and {} posts, {told:?}", posts.len(), at_home.len())
                    });
            }
        }
        let text: String = at_home.iter().map(|post| post.text.as_str()).collect();
        if let Err(what) = self.ledger.audit(id, &text, &self.aside(id)) {
            self.fail(|| what);
        }
    }
}

/// Rounds in which everybody reads one page further back.
const MOST_PAGES: usize = 200;

/// What a post says and where it is.
fn brief(post: &Post) -> (&str, Saved, usize) {
    (&post.text, post.saved, post.reactions.len())
}

/// A post without what differs between people.
fn impersonal(post: &Post) -> Post {
    let mut post = Post { is_mine: false, is_unread: false, ..post.clone() };
    post.reactions.iter_mut().for_each(|reaction| reaction.is_mine = false);
    post
}
