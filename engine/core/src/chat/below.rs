//! What a snapshot says of a channel, of which a device that looks at the end of it holds one page or a few.
//!
//! Posts on pages that are not here are counted by the contents. Every change above the snapshot is remembered, and
//! carried out again when the page comes that its post stands on.

use crate::chat::op::ChatOp;
use crate::chat::page::{Contents, Row, Run};
use crate::chat::post::Kept;
use crate::chat::window::Window;
use crate::chat::{Channel, Place, Rank};
use crate::ids::{PersonId, ReplicaId};
use crate::log::EntryName;
use crate::snapshot::{PageId, Root};

/// The snapshot below the entries, and changes above it.
#[derive(Debug, Default)]
pub(super) struct Below {
    contents: Contents,
    /// The pages of posts, one for each line of the contents.
    pages: Vec<PageId>,
    /// So many of them, the oldest ones, are not here.
    absent: usize,
    /// Up to which entry each chain is covered, in the order of replicas.
    covered: Vec<(ReplicaId, u64)>,
    /// Unread posts on those.
    pub(super) unread: usize,
    /// Changes of posts that the snapshot does not cover, as they came. Also of posts that are here: a later snapshot that
    /// this device lacks something of begins with none of them.
    pub(super) changes: Vec<Change>,
    /// Posts on pages that are not here which one of those removes, in order.
    removed: Vec<EntryName>,
}

/// Something done to a post.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) target: EntryName,
    pub(super) person: PersonId,
    pub(super) rank: Rank,
    pub(super) op: ChatOp,
}

impl Below {
    /// Whether there are pages that are not here.
    pub(super) fn is_absent(&self) -> bool {
        self.absent > 0
    }

    /// Whether a place of the timeline belongs to a page that is not here.
    pub(super) fn is_before(&self, place: &Place) -> bool {
        self.absent > 0 && self.contents.lines.get(self.absent).is_none_or(|line| *place < line.first)
    }

    /// Posts on pages that are not here.
    fn runs(&self) -> &[Run] {
        self.contents.runs_before(self.absent)
    }

    /// Notes that a post is removed; answers whether it stands on one of them and was not noted before.
    fn remove(&mut self, post: EntryName) -> bool {
        let EntryName { replica, seq } = post;
        let writer = self.contents.writers.binary_search(&replica);
        let is_there =
            |run: &Run| Ok(run.writer as usize) == writer && (run.from..=run.last()).contains(&seq);
        match self.removed.binary_search(&post) {
            Err(at) if self.runs().iter().any(is_there) => {
                self.removed.insert(at, post);
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// The newest page that is not here.
    fn next(&self) -> Option<PageId> {
        self.pages.get(self.absent.checked_sub(1)?).copied()
    }
}

impl Channel {
    /// Whether a snapshot covers all that the one before it does. Only then nothing is lost if it takes its place: what
    /// stands on pages that are not here, and changes they have, are known from there alone.
    pub fn may_take(&self, root: &Root) -> bool {
        root.includes(&self.below.covered)
    }

    /// Takes the contents of a snapshot that it [may take](Channel::may_take); any other changes nothing. Where all that
    /// it covers was taken before, what is here stays, and otherwise it is all absent: the newest page is to be handed in
    /// next, and the channel is shown anew.
    pub fn cover(&mut self, root: &Root, mut contents: Contents, was_here: bool) {
        if !self.may_take(root) {
            return;
        }
        self.know(root, &mut contents);
        let Below { contents: before, absent, .. } = &self.below;
        let begins = before.lines.get(*absent).map(|line| line.first);
        let lines = &contents.lines;
        let found =
            if *absent == 0 { Some(0) } else { lines.iter().position(|line| Some(line.first) == begins) };
        let found = found.filter(|_| was_here);
        self.below.absent = found.unwrap_or(lines.len());
        self.below.pages = root.pages.get(1..).unwrap_or_default().to_vec();
        self.below.contents = contents;
        self.below.covered = root.marks();
        self.below.changes.retain(|Change { rank, .. }| rank.2 > root.covered(&rank.1));
        self.below.removed.clear();
        let changes = std::mem::take(&mut self.below.changes);
        for Change { target, .. } in changes.iter().filter(|change| change.op == ChatOp::Retract) {
            self.below.remove(*target);
        }
        self.below.changes = changes;
        self.forget_covered(root);
        if found.is_none() {
            self.window = Window::default();
        }
        self.count_unread();
    }

    /// People, and who writes under which replica.
    pub(super) fn know(&mut self, root: &Root, contents: &mut Contents) {
        for (replica, tip) in &root.coverage {
            if let Some(introduced) = tip.introduced {
                self.chains.introduce(*replica, introduced.person);
            }
        }
        for known in std::mem::take(&mut contents.people) {
            self.people.restore(known);
        }
        self.window.change_all();
    }

    /// Posts that belong to pages that are not here, and stand there.
    fn forget_covered(&mut self, root: &Root) {
        let below = &self.below;
        let before = self.posts.len();
        self.posts.retain(|post| {
            let EntryName { replica, seq } = post.name();
            !below.is_before(&post.row.place) || seq > root.covered(&replica)
        });
        if self.posts.len() < before {
            let left = before - self.posts.len();
            let window = std::mem::take(&mut self.window);
            self.order.clear();
            self.chains.forget_posts();
            std::mem::take(&mut self.posts).into_iter().for_each(|post| self.insert(post));
            // None of them was shown.
            self.window = window;
            self.window.forget(left);
        }
    }

    /// The page to be handed in next, if what is shown reaches further back than what is here.
    pub fn wants_page(&self) -> Option<PageId> {
        self.below.next().filter(|_| self.window.wants_more(self.len()))
    }

    /// Takes the newest page that is not here; any other changes nothing.
    pub fn take_page(&mut self, id: PageId, posts: Vec<Row>) {
        if self.below.next() != Some(id) {
            return;
        }
        // While they count as absent they are put above what is shown.
        self.put_page(posts);
        self.below.absent -= 1;
        let changes = std::mem::take(&mut self.below.changes);
        changes.iter().for_each(|change| self.carry_out(change));
        self.below.changes = changes;
        let Self { below, chains, .. } = self;
        below.removed.retain(|post| chains.post(*post).is_none());
        self.count_absent();
        self.window.fill(self.floor(), self.below.is_absent());
    }

    /// A planted bug: what has happened to posts whose pages are not here.
    #[cfg(feature = "planted-bugs")]
    pub(crate) fn forget_changes(&mut self) {
        self.below.changes.clear();
    }

    /// Takes the posts of a page. None of them is here: those that a snapshot covers are on its pages alone.
    pub(super) fn put_page(&mut self, posts: Vec<Row>) {
        for row in posts {
            let (_, _, replica, seq) = row.place;
            let is_new = self.chains.post(EntryName { replica, seq }).is_none();
            if let Some(person) = self.chains.person(&replica).filter(|_| is_new) {
                self.insert(Kept { row, person, is_unread: false });
            }
        }
    }

    /// So many posts, the oldest ones, belong to pages that are not here.
    pub(super) fn floor(&self) -> usize {
        self.order.partition_point(|index| self.below.is_before(&self.posts[*index].row.place))
    }

    /// A post on a page that is not here may be one less to read.
    pub(super) fn note_removal(&mut self, change: &Change) {
        let target = change.target;
        if change.op == ChatOp::Retract
            && self.below.remove(target)
            && target.seq > self.seen(&target.replica)
        {
            self.below.unread = self.below.unread.saturating_sub(1);
        }
    }

    /// Counts the unread posts on pages that are not here, without those that were removed above the snapshot.
    pub(super) fn count_absent(&mut self) {
        let mut count = 0_u64;
        for run in self.below.runs() {
            let writer = self.below.contents.writers[run.writer as usize];
            let left = run.last().saturating_sub(self.seen(&writer).max(run.from - 1));
            count = count.saturating_add(left);
        }
        let removed = self.below.removed.iter().filter(|post| post.seq > self.seen(&post.replica)).count();
        self.below.unread = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(removed);
    }

    /// Up to where posts of a replica are read: one's own are from the beginning.
    fn seen(&self, writer: &ReplicaId) -> u64 {
        let mine = self.me.is_some() && self.chains.person(writer) == self.me;
        if mine { u64::MAX } else { self.marker.read(writer) }
    }

    /// All posts of others on pages that are not here have been read.
    pub(super) fn mark_absent(&mut self) {
        for run in self.below.contents.runs_before(self.below.absent) {
            let writer = self.below.contents.writers[run.writer as usize];
            let mine = self.me.is_some() && self.chains.person(&writer) == self.me;
            if !mine {
                self.marker.raise(writer, run.last());
            }
        }
        self.below.unread = 0;
    }
}
