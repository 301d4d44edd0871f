//! A channel cut into pages, as its home does it for a snapshot. A page that nothing has happened to keeps its name and
//! is neither read nor written again.

use std::collections::BTreeSet;

use crate::chat::op::place;
use crate::chat::page::{Contents, Line, Row, Run};
use crate::chat::post::Kept;
use crate::chat::{Channel, ChatOp, Place, check};
use crate::ids::ReplicaId;
use crate::limits::{EMOJI_BYTES, POST_BYTES, POST_PAGE_BYTES};
use crate::log::{Entry, EntryName};
use crate::snapshot::{PageId, Root};
use crate::wire::pages::{encode_contents, encode_posts};

/// The pages of a channel.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    /// All of them, the contents first.
    pub(crate) pages: Vec<PageId>,
    /// Those that are new.
    pub(crate) written: Vec<Vec<u8>>,
}

/// A page of posts, as its line will tell it.
struct Part {
    page: PageId,
    first: Place,
    /// Runs of posts: whose, number of the first, how many.
    runs: Vec<(ReplicaId, u64, u64)>,
}

/// Where on its pages a channel has which post.
pub(crate) struct Index<'a> {
    contents: &'a Contents,
    /// First post, number of the last, and which run it is; in the order of names.
    runs: Vec<(EntryName, u64, usize)>,
}

impl<'a> Index<'a> {
    pub(crate) fn of(contents: &'a Contents) -> Self {
        let mut runs = Vec::new();
        for (at, run) in contents.runs.iter().enumerate() {
            let replica = contents.writers[run.writer as usize];
            runs.push((EntryName { replica, seq: run.from }, run.last(), at));
        }
        runs.sort_unstable();
        Self { contents, runs }
    }

    /// On which page of posts an entry changes something: where a new post goes, or where the one stands that it is
    /// about.
    pub(crate) fn touched(&self, entry: &Entry) -> Option<usize> {
        let lines = &self.contents.lines;
        let header = entry.header();
        if let Some(target) = header.target {
            let at = self.runs.partition_point(|(from, ..)| *from <= target).checked_sub(1)?;
            let (from, last, run) = self.runs[at];
            let is_there = from.replica == target.replica && target.seq <= last;
            return is_there.then(|| lines.partition_point(|line| line.end <= run));
        }
        match check(header, entry.payload()) {
            Ok(ChatOp::Post { after, .. }) if !lines.is_empty() => {
                Some(self.contents.line_of(&place(header, after)))
            }
            _ => None,
        }
    }
}

impl Channel {
    /// A channel that knows the people of a snapshot and some of its pages; `None` if a page names somebody unknown.
    pub(crate) fn of_pages(root: &Root, contents: &Contents, pages: Vec<Vec<Row>>) -> Option<Self> {
        let mut channel = Self::new(None);
        channel.know(root, &mut contents.clone());
        for row in pages.iter().flatten() {
            let reacted = row.reactions.iter().map(|reacted| reacted.rank.1);
            if !reacted.chain([row.place.2]).all(|writer| channel.chains.person(&writer).is_some()) {
                return None;
            }
        }
        pages.into_iter().for_each(|page| channel.put_page(page));
        Some(channel)
    }

    /// The pages that follow those of `contents` with their names: where there are posts here, a page is cut anew, into
    /// pages of so many posts.
    pub(crate) fn cut(&self, contents: &Contents, pages: &[PageId], most: usize) -> Cut {
        let mut posts: Vec<Vec<&Kept>> = vec![Vec::new(); contents.lines.len().max(1)];
        for post in self.order.iter().map(|index| &self.posts[*index]) {
            posts[contents.line_of(&post.row.place)].push(post);
        }
        let (mut parts, mut written) = (Vec::new(), Vec::new());
        for (at, posts) in posts.iter().enumerate() {
            if let (true, Some(line), Some(page)) = (posts.is_empty(), contents.lines.get(at), pages.get(at))
            {
                let runs = contents.runs_of(at).iter();
                let runs = runs.map(|run| (contents.writers[run.writer as usize], run.from, run.count));
                parts.push(Part { page: *page, first: line.first, runs: runs.collect() });
            }
            for posts in split(posts, most.max(1)) {
                let page = encode_posts(&posts.iter().map(|post| post.row.clone()).collect::<Vec<Row>>());
                parts.push(Part { page: PageId::of(&page), first: posts[0].row.place, runs: runs_of(posts) });
                written.push(page);
            }
        }
        let contents = encode_contents(&self.contents(&parts));
        let names = [PageId::of(&contents)].into_iter().chain(parts.iter().map(|part| part.page)).collect();
        written.push(contents);
        written.retain(|page| !pages.contains(&PageId::of(page)));
        Cut { pages: names, written }
    }

    fn contents(&self, parts: &[Part]) -> Contents {
        let mut writers: BTreeSet<ReplicaId> = parts.iter().map(|part| part.first.2).collect();
        writers.extend(parts.iter().flat_map(|part| part.runs.iter().map(|(writer, ..)| *writer)));
        let writers: Vec<ReplicaId> = writers.into_iter().collect();
        let (mut lines, mut runs) = (Vec::new(), Vec::new());
        for part in parts {
            for (writer, from, count) in &part.runs {
                let place = writers.binary_search(writer).expect("all writers were gathered before");
                let writer = u32::try_from(place).expect("a root could not name so many chains");
                runs.push(Run { writer, from: *from, count: *count });
            }
            lines.push(Line { first: part.first, end: runs.len() });
        }
        Contents { people: self.people.known().to_vec(), lines, writers, runs }
    }
}

/// What the line of a page tells of its posts must be what stands on it.
pub(crate) fn tells(contents: &Contents, at: usize, posts: &[Row]) -> bool {
    let Some(line) = contents.lines.get(at) else { return false };
    let mut stand: BTreeSet<(ReplicaId, u64)> = BTreeSet::new();
    let bounds = |row: &Row| {
        row.text.len() <= POST_BYTES && row.reactions.iter().all(|reacted| reacted.emoji.len() <= EMOJI_BYTES)
    };
    for row in posts.iter().filter(|row| !row.is_removed) {
        stand.insert((row.place.2, row.place.3));
    }
    let mut told = BTreeSet::new();
    for run in contents.runs_of(at) {
        told.extend((run.from..=run.last()).map(|seq| (contents.writers[run.writer as usize], seq)));
    }
    let before = at.checked_sub(1).map(|before| contents.lines[before].first);
    let in_order = before < Some(line.first) && posts.is_sorted_by(|a, b| a.place < b.place);
    posts.first().is_some_and(|row| row.place == line.first)
        && in_order
        && stand == told
        && posts.iter().all(bounds)
}

/// Posts in pages: none is cut before it is twice as long as it should be, so that the newest page of a channel is never
/// a short one.
fn split<'a, 'b>(posts: &'b [&'a Kept], most: usize) -> Vec<&'b [&'a Kept]> {
    let mut pages = Vec::new();
    let mut rest = posts;
    let mut bytes: usize = rest.iter().map(|post| post.bytes()).sum();
    while rest.len() > 1 && (rest.len() > 2 * most || bytes > 2 * POST_PAGE_BYTES) {
        let (mut length, mut size) = (0, 0);
        while length < most.min(rest.len() - 1) && (length == 0 || size < POST_PAGE_BYTES) {
            size += rest[length].bytes();
            length += 1;
        }
        let (page, after) = rest.split_at(length);
        pages.push(page);
        (rest, bytes) = (after, bytes - size);
    }
    if !rest.is_empty() {
        pages.push(rest);
    }
    pages
}

fn runs_of(posts: &[&Kept]) -> Vec<(ReplicaId, u64, u64)> {
    let stand: BTreeSet<_> =
        posts.iter().filter(|post| !post.row.is_removed).map(|post| post.name()).collect();
    let mut runs: Vec<(ReplicaId, u64, u64)> = Vec::new();
    for name in stand {
        match runs.last_mut() {
            Some((writer, from, count)) if *writer == name.replica && *from + *count == name.seq => {
                *count += 1;
            }
            _ => runs.push((name.replica, name.seq, 1)),
        }
    }
    runs
}
