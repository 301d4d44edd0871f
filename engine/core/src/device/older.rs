//! Older pages of channels, as somebody looks at them: from this device's disk, or else from the home.
//!
//! A page that is not on the disk is put there when it has come. A page that follows asks the one that leads, which asks
//! the home if it has to.

use crate::chat::page::{check_contents, check_posts};
use crate::device::Output;
use crate::device::Room;
use crate::device::chat::OpenChannel;
use crate::device::event::Event;
use crate::device::load::Reading;
use crate::device::pages::{PageOutput, Role};
use crate::device::snapshot::gather;
use crate::device::stream::{Phase, Stream};
use crate::ids::{SiblingId, StreamId};
use crate::limits::{CATCH_UP_BYTES, LINK_PAGES, PAGE_AWAITED, POST_PAGE_MOST};
use crate::snapshot::{PageId, Root};
use crate::storage::Page;
use crate::stored;
use crate::time::{Millis, Now};
use crate::wire::{self, Chunk, Want};

/// Where the next older page of a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetch {
    /// Nobody looks for one.
    Idle,
    /// It is being read from the disk.
    Disk(PageId),
    /// It was asked for over the link.
    Link(PageId),
    /// The home does not have it. Somebody may ask again, or there is another snapshot.
    Missed(PageId),
}

/// Pages of posts that were asked of the other end.
#[derive(Debug, Default)]
pub(super) struct OlderPages {
    /// Looked for and not answered: as many of the first as the other end remembers were asked for.
    wants: Vec<Want>,
    /// When something of one came last, or it was first seen that one is awaited.
    heard: Option<Millis>,
    /// Other pages of this device that look at them.
    siblings: Vec<(SiblingId, Want)>,
}

impl OpenChannel {
    /// Forgets what was taken: it is going to be taken again.
    pub(super) fn restart(&mut self) {
        self.older = Fetch::Idle;
        self.channel.restart();
    }

    /// Takes the pages a snapshot begins with, which have been checked.
    pub(super) fn cover(&mut self, root: &Root, contents: &[u8], newest: Option<&[u8]>, was_here: bool) {
        let posts = root.pages.len().saturating_sub(1);
        let Some(contents) = check_contents(contents, posts) else { return };
        self.channel.cover(root, contents, was_here);
        if let (Some(newest), Some(id)) = (newest.and_then(check_posts), root.pages.last()) {
            self.channel.take_page(*id, newest);
        }
    }
}

impl Room {
    /// Shows one page of older posts. What of it is not on this device comes from the home, or is told to be
    /// [out of reach](crate::chat::Older::OutOfReach).
    pub fn older(&mut self, id: StreamId) {
        if let Some(open) = self.streams.get_mut(&id).and_then(Stream::channel_mut) {
            if let Fetch::Missed(_) = open.older {
                open.older = Fetch::Idle;
            }
            open.channel.older();
            self.events.push(Event::Channel(id));
            self.fetch_older(id);
        }
    }

    /// Looks for the next older page of a channel, if somebody waits for it.
    pub(super) fn fetch_older(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.phase == Phase::Ready) else {
            return;
        };
        let Some(open) = stream.channel_mut() else { return };
        let Some(page) = open.channel.wants_page() else { return };
        match open.older {
            Fetch::Disk(_) | Fetch::Link(_) => {}
            Fetch::Missed(missed) if missed == page => {}
            Fetch::Idle | Fetch::Missed(_) if self.role == Role::Leading => {
                open.older = Fetch::Disk(page);
                self.scan_row(stored::page_key(&id, &page), Reading::Older(id, page));
            }
            Fetch::Idle | Fetch::Missed(_) => self.want_older(id, page),
        }
    }

    pub(super) fn handle_older_row(&mut self, id: StreamId, page: PageId, rows: Option<&Page>) {
        let open = self.streams.get(&id).and_then(Stream::channel);
        if open.is_none_or(|open| open.older != Fetch::Disk(page)) {
            return;
        }
        match self.read_page(id, page, rows) {
            Some(bytes) => self.take_older(id, page, &bytes),
            None => self.want_older(id, page),
        }
    }

    fn want_older(&mut self, id: StreamId, page: PageId) {
        let live = self.link.is_live();
        let Some(open) = self.streams.get_mut(&id).and_then(Stream::channel_mut) else { return };
        if live {
            open.older = Fetch::Link(page);
            self.ask_older(Want { stream: id, page });
        } else {
            self.miss_older(id, Fetch::Idle);
        }
    }

    fn miss_older(&mut self, id: StreamId, older: Fetch) {
        let Some(open) = self.streams.get_mut(&id).and_then(Stream::channel_mut) else { return };
        open.older = older;
        open.channel.set_out_of_reach(true);
        self.events.push(Event::Channel(id));
    }

    /// Asks the other end for a page, once for all who look at it.
    fn ask_older(&mut self, want: Want) {
        let OlderPages { wants, heard, .. } = &mut self.older_pages;
        if wants.contains(&want) {
            return;
        }
        if wants.is_empty() {
            *heard = None;
        }
        wants.push(want);
        if wants.len() <= LINK_PAGES {
            self.send(&want.into());
        }
    }

    /// The other end sends nothing of what was asked for: that cannot be had now, and is asked for again when the link was
    /// compared or somebody looks further. A link that is alive ticks often enough.
    pub(super) fn tick_older(&mut self, now: Now) {
        if self.older_pages.wants.is_empty() {
            return;
        }
        let heard = *self.older_pages.heard.get_or_insert(now.monotonic);
        if now.monotonic >= heard.after(PAGE_AWAITED) {
            self.miss_all_older();
        }
    }

    /// The link has ended: what was asked for over it, or in vain, is asked for again over the next.
    pub(super) fn miss_all_older(&mut self) {
        let OlderPages { siblings, .. } = std::mem::take(&mut self.older_pages);
        for (id, stream) in self.streams.iter_mut() {
            if let Some(open) = stream.channel_mut()
                && let Fetch::Link(_) | Fetch::Missed(_) = open.older
            {
                open.older = Fetch::Idle;
                open.channel.set_out_of_reach(true);
                self.events.push(Event::Channel(*id));
            }
        }
        for (page, want) in siblings {
            self.answer_want(page, &want, &[]);
        }
    }

    /// The page that leads has a link again: what it could not have is asked for once more.
    pub(super) fn retry_older(&mut self) {
        for id in self.streams.keys().copied().collect::<Vec<_>>() {
            let Some(open) = self.streams.get_mut(&id).and_then(Stream::channel_mut) else { continue };
            if let Fetch::Missed(_) = open.older {
                open.older = Fetch::Idle;
            }
            self.fetch_older(id);
        }
    }

    /// The next piece of a page. One that nobody asked for is not taken.
    pub(super) fn handle_page_chunk(&mut self, page: PageId, chunk: Chunk, now: Now) {
        let id = chunk.stream;
        let want = Want { stream: id, page };
        let asked = self.older_pages.wants.iter().take(LINK_PAGES).position(|asked| *asked == want);
        let Some(asked) = asked else { return };
        self.older_pages.heard = Some(now.monotonic);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.note_heard(now);
        let gathered = gather(&mut stream.arriving_page, chunk, POST_PAGE_MOST);
        if gathered.is_none() && stream.arriving_page.is_some() {
            return;
        }
        let bytes = gathered.unwrap_or_default();
        let found = PageId::of(&bytes) == page && check_posts(&bytes).is_some();
        let is_named = stream.snapshot.as_ref().is_some_and(|root| root.pages.contains(&page));
        self.older_pages.wants.remove(asked);
        if let Some(next) = self.older_pages.wants.get(LINK_PAGES - 1).copied() {
            self.send(&next.into());
        }
        if found && is_named && self.role == Role::Leading {
            self.queue.put(stored::page_key(&id, &page), stored::encode_piece(&bytes));
        }
        while let Some(at) = self.older_pages.siblings.iter().position(|(_, wanted)| *wanted == want) {
            let (sibling, want) = self.older_pages.siblings.remove(at);
            self.answer_want(sibling, &want, if found { &bytes } else { &[] });
        }
        let open = self.streams.get(&id).and_then(Stream::channel);
        if open.is_some_and(|open| open.older == Fetch::Link(page)) {
            if found {
                self.take_older(id, page, &bytes);
            } else {
                self.miss_older(id, Fetch::Missed(page));
                // Perhaps another one stands in its place meanwhile.
                self.fetch_older(id);
            }
        }
        if !found && is_named && self.role == Role::Leading {
            self.ask_newer(id, now);
        }
    }

    /// Another page stands in the place of one in the snapshot of now.
    pub(super) fn ask_newer(&mut self, id: StreamId, now: Now) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.wants_newer = true;
            self.subscribe(id, now);
        }
    }

    fn take_older(&mut self, id: StreamId, page: PageId, bytes: &[u8]) {
        let Some(open) = self.streams.get_mut(&id).and_then(Stream::channel_mut) else { return };
        let Some(posts) = check_posts(bytes) else { return self.miss_older(id, Fetch::Missed(page)) };
        open.older = Fetch::Idle;
        open.channel.set_out_of_reach(false);
        #[cfg(feature = "planted-bugs")]
        if self.planted == Some(crate::planted::Planted::PageStale) {
            open.channel.forget_changes();
        }
        open.channel.take_page(page, posts);
        self.events.push(Event::Channel(id));
        self.fetch_older(id);
    }

    /// Another page of this device looks at older posts.
    pub(super) fn serve_want(&mut self, page: SiblingId, want: Want) {
        let stream = self.streams.get(&want.stream);
        let root = stream.and_then(|stream| stream.snapshot.as_ref());
        if root.is_some_and(|root| !root.pages.contains(&want.page)) {
            // It begins with a snapshot that has been replaced.
            self.answer_want(page, &want, &[]);
            return self.serve_anew(page, want.stream);
        }
        self.scan_row(stored::page_key(&want.stream, &want.page), Reading::SiblingOlder(page, want));
    }

    pub(super) fn serve_older(&mut self, page: SiblingId, want: Want, rows: Option<&Page>) {
        let asked = self.older_pages.siblings.iter().filter(|(asking, _)| *asking == page).count();
        if let Some(bytes) = self.read_page(want.stream, want.page, rows) {
            self.answer_want(page, &want, &bytes);
        } else if self.link.is_live() && asked < LINK_PAGES {
            self.older_pages.siblings.push((page, want));
            self.ask_older(want);
        } else {
            self.answer_want(page, &want, &[]);
        }
    }

    /// A page as read from the disk, or on its way there, if it is the one.
    fn read_page(&self, id: StreamId, page: PageId, rows: Option<&Page>) -> Option<Vec<u8>> {
        let key = stored::page_key(&id, &page);
        let row = rows.and_then(|rows| rows.rows.first()).map(|(_, value)| value.as_slice());
        let waiting = self.queue.puts().find(|(waiting, _)| *waiting == key).map(|(_, value)| value);
        let bytes = stored::decode_piece(waiting.or(row)?).ok()?;
        (PageId::of(bytes) == page).then(|| bytes.to_vec())
    }

    fn answer_want(&mut self, page: SiblingId, want: &Want, bytes: &[u8]) {
        for frame in wire::snapshot::page_frames(want, bytes, CATCH_UP_BYTES) {
            self.outputs.push_back(Output::Page(PageOutput::Send(page, frame)));
        }
    }
}
