//! The chains of one stream, and the judgement on every entry that wants to join them.

use causeway_guard::ydoc::{self, Extension, Known};
use causeway_guard::{Fault, Limits};
use serde::{Deserialize, Serialize};

use crate::chat::{self, ChatOp};
use crate::directory;
use crate::ids::{PersonId, ReplicaId, StreamId, StreamKind};
use crate::limits::{ENTRY_DEPS, ENTRY_PAYLOAD_BYTES};
use crate::log::chains::{Chains, Tips};
use crate::log::{Chain, Dep, Digest, Entry, EntryKind, EntryName, Head, Header};
use crate::sorted::SortedMap;
use crate::ydoc::ROOT;

/// Knows how far every replica's chain reaches, and lets an entry in only when all it builds on is there (rule 4) and
/// its payload has passed the guard.
#[derive(Clone, Debug)]
pub struct StreamLog {
    stream: StreamId,
    chains: Chains,
    frontier: SortedMap<ReplicaId, u64>,
    life: Life,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Unborn,
    Alive,
    Gone,
}

/// Where one chain stands; the pieces of a digest and of a tip record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The newest entry.
    pub seq: u64,
    /// The head there.
    pub head: Head,
    /// Logical time there.
    pub logical: u64,
    /// The next yrs clock of the replica.
    pub clock: u32,
    /// Who writes it, once they have said so.
    pub introduced: Option<Introduced>,
}

/// A replica's first introduction, which stands for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introduced {
    /// The person.
    pub person: PersonId,
    /// The entry that said so. What came before is nobody's.
    pub since: u64,
}

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may join; hand it to [`StreamLog::extend`].
    Fresh(Accepted),
    /// It is here already.
    Known,
    /// Something it builds on is not here yet.
    Waits(Vec<Missing>),
    /// It can never join.
    Refused(Refusal),
}

/// The proof that an entry was judged, and what it does to its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    head: Head,
    clock: u32,
    introduced: Option<Introduced>,
    /// At how many places of a text it may cost a walk.
    pub(crate) places: u32,
}

/// Entries to ask for: `replica`'s up to `seq`, beginning after what is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Whose.
    pub replica: ReplicaId,
    /// The first that is missing.
    pub from: u64,
    /// The last that is needed.
    pub to: u64,
}

/// Why an entry can never join a stream. The machine code is [`Refusal::code`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another entry stands under its name.
    #[error("another entry stands under this name: the store it came from was copied or damaged")]
    Equivocation,
    /// It does not continue the chain it claims to.
    #[error("it builds on an entry that differs from the one known here")]
    Chain,
    /// Its logical time is not one more than what it builds on.
    #[error("its logical time is {found}, {expected} was expected")]
    Logical {
        /// As told.
        found: u64,
        /// As computed.
        expected: u64,
    },
    /// Its kind has no meaning in this stream.
    #[error("an entry of this kind has no meaning in this stream")]
    Kind,
    /// The stream has been deleted.
    #[error("the document has been deleted")]
    Gone,
    /// It writes before the stream was created.
    #[error("nothing has created this document")]
    Unborn,
    /// A bound of the entry itself.
    #[error("it is larger than an entry may be")]
    TooLarge,
    /// The payload did not pass the guard.
    #[error("its content is not safe to apply: {0}")]
    Guard(Fault),
    /// The payload is no operation on a directory.
    #[error("it is no operation on the directory: {0}")]
    Directory(directory::InvalidOp),
    /// The payload says nothing in a channel.
    #[error("it says nothing in a channel: {0}")]
    Chat(chat::InvalidOp),
    /// The replica has not said who writes under it.
    #[error("whoever wrote it has not introduced themselves")]
    Unintroduced,
    /// The replica has said that somebody else writes under it.
    #[error("this app has introduced itself as another person before")]
    Person,
    /// The introduction is not signed by the person it names.
    #[error("the introduction is not signed by the person it names")]
    Introduction,
    /// The target is another person's.
    #[error("people change and remove only what they wrote themselves")]
    NotYours,
    /// The replica's client id is taken in this stream.
    #[error("another replica writes under the same client id")]
    Client,
}

impl Refusal {
    /// The machine code, stable across versions.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Equivocation => "entry.equivocation",
            Self::Chain => "entry.chain",
            Self::Logical { .. } => "entry.logical",
            Self::Kind => "entry.kind",
            Self::Gone => "stream.gone",
            Self::Unborn => "stream.unborn",
            Self::TooLarge => "entry.too-large",
            Self::Guard(fault) => fault.code(),
            Self::Directory(_) => "directory.payload",
            Self::Chat(_) => "chat.payload",
            Self::Unintroduced => "chat.unintroduced",
            Self::Person => "chat.person",
            Self::Introduction => "chat.introduction",
            Self::NotYours => "chat.not-yours",
            Self::Client => "entry.client",
        }
    }
}

impl StreamLog {
    /// A stream nothing is known of.
    pub fn new(stream: StreamId) -> Self {
        let life = if stream == StreamId::DIRECTORY { Life::Alive } else { Life::Unborn };
        Self { stream, chains: Chains::default(), frontier: SortedMap::new(), life }
    }

    /// Puts a chain in place as its tip record tells it. Every tip joins the frontier, which names more than needed
    /// until the next entry folds it.
    pub fn restore(&mut self, replica: ReplicaId, tip: Tip) {
        *self.chains.entry(replica) = Chain::at(tip);
        self.frontier.insert(replica, tip.seq);
        if self.life == Life::Unborn {
            self.life = Life::Alive;
        }
    }

    /// Takes what a snapshot covers: chains that reach less far are put in place. `frontier` names those whose newest
    /// covered entry nothing covered builds on, in the order of replicas.
    pub fn cover(&mut self, coverage: impl Iterator<Item = (ReplicaId, Tip)>, frontier: &[ReplicaId]) {
        for (replica, tip) in coverage {
            let here = self.tip(&replica).seq;
            if here < tip.seq {
                self.restore(replica, tip);
            }
            if here <= tip.seq && frontier.binary_search(&replica).is_err() {
                self.frontier.remove(&replica);
            }
        }
    }

    /// Whether chains reach as far here.
    pub fn reaches(&self, mut tips: impl Iterator<Item = (ReplicaId, Tip)>) -> bool {
        tips.all(|(replica, tip)| self.tip(&replica).seq >= tip.seq)
    }

    /// Replicas whose newest entry nothing here builds on, in their order.
    pub fn frontier(&self) -> impl Iterator<Item = ReplicaId> {
        self.frontier.keys().copied()
    }

    /// Marks the stream as deleted.
    pub fn end(&mut self) {
        self.life = Life::Gone;
    }

    /// Which stream this is.
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// Whether the stream has been deleted.
    pub fn is_gone(&self) -> bool {
        self.life == Life::Gone
    }

    /// Whether the stream has been created.
    pub fn is_born(&self) -> bool {
        self.life != Life::Unborn
    }

    /// Where a replica's chain stands.
    pub fn tip(&self, replica: &ReplicaId) -> Tip {
        let empty = Tip { seq: 0, head: Head::START, logical: 0, clock: 0, introduced: None };
        self.chains.get(replica).map_or(empty, Chain::tip)
    }

    /// The head of a replica's chain at an entry; `None` if it is not here, or older than the chain remembers.
    pub fn head_at(&self, name: &EntryName) -> Option<Head> {
        Some(self.chains.get(&name.replica)?.link(name.seq)?.head)
    }

    /// Whether the chain still knows what it has at an entry, so that another of that name is told from it.
    pub fn remembers(&self, name: &EntryName) -> bool {
        let Some(chain) = self.chains.get(&name.replica) else { return false };
        (name.seq == 1 || chain.link(name.seq.saturating_sub(1)).is_some()) && chain.link(name.seq).is_some()
    }

    /// All chains, in the order of replicas.
    pub fn tips(&self) -> Tips<'_> {
        self.chains.tips()
    }

    /// Who writes under a yrs client id.
    pub fn replica_of(&self, client: u64) -> Option<ReplicaId> {
        self.chains.of_client(client).map(|(replica, _)| replica)
    }

    /// The digest of all that is here.
    pub fn digest(&self) -> Digest {
        let mut chains = Vec::new();
        for (replica, tip) in self.tips() {
            chains.push((replica, tip.seq, tip.head));
        }
        Digest::of_chains(&chains)
    }

    /// The dependencies and the logical time of the next entry of `replica`.
    pub fn next_place(&self, replica: &ReplicaId) -> (Vec<Dep>, u64) {
        self.next_place_apart(replica, |_| false)
    }

    /// The same of an entry that builds on nothing of some chains.
    pub(crate) fn next_place_apart(
        &self,
        replica: &ReplicaId,
        apart: impl Fn(&ReplicaId) -> bool,
    ) -> (Vec<Dep>, u64) {
        let deps: Vec<Dep> = self
            .frontier
            .iter()
            .filter(|(other, _)| *other != replica && !apart(other))
            .filter_map(|(other, seq)| {
                let link = self.chains.get(other)?.link(*seq)?;
                Some(Dep { replica: *other, seq: *seq, head: link.head.short() })
            })
            .take(ENTRY_DEPS)
            .collect();
        let logical = deps
            .iter()
            .filter_map(|dep| self.chains.get(&dep.replica)?.link(dep.seq))
            .map(|link| link.logical)
            .chain([self.tip(replica).logical])
            .max()
            .unwrap_or(0);
        (deps, logical + 1)
    }

    /// Judges an entry. Nothing changes until [`StreamLog::extend`].
    ///
    /// A home has let it in, be it one of an earlier build whose bounds on content were wider.
    pub fn judge(&self, entry: &Entry) -> Verdict {
        self.judge_with(entry, Self::check_deps, &Limits::kept())
    }

    /// Judges an entry that no home has let in yet.
    pub fn judge_new(&self, entry: &Entry) -> Verdict {
        self.judge_with(entry, Self::check_deps, &Limits::default())
    }

    /// Judges an entry that the head of its chain proves to have been let in before. What it says of the heads and times of
    /// others was held then against what was remembered of them, which may have been less than now, and is not held against
    /// that again.
    pub fn judge_again(&self, entry: &Entry) -> Verdict {
        self.judge_with(entry, |_, _, _| Ok(()), &Limits::kept())
    }

    fn judge_with(&self, entry: &Entry, check_deps: CheckDeps, limits: &Limits) -> Verdict {
        let header = entry.header();
        let tip = self.tip(&header.replica);
        if header.seq <= tip.seq {
            return self.judge_known(entry);
        }
        if header.deps.iter().any(|dep| dep.replica == header.replica) || targets_nothing(header) {
            return Verdict::Refused(Refusal::Chain);
        }
        let missing = self.missing(header, tip.seq);
        if !missing.is_empty() {
            return Verdict::Waits(missing);
        }
        match self.check(entry, tip, check_deps, limits) {
            Ok(accepted) => Verdict::Fresh(accepted),
            Err(refusal) => Verdict::Refused(refusal),
        }
    }

    /// Lets a judged entry in.
    pub fn extend(&mut self, entry: &Entry, accepted: Accepted) {
        let header = entry.header();
        let chain = self.chains.entry(header.replica);
        chain.extend(accepted.head, header.logical, accepted.clock);
        chain.introduced = accepted.introduced;
        for dep in &header.deps {
            if self.frontier.get(&dep.replica).is_some_and(|seq| *seq <= dep.seq) {
                self.frontier.remove(&dep.replica);
            }
        }
        self.frontier.insert(header.replica, header.seq);
        match header.kind {
            EntryKind::Create => self.life = Life::Alive,
            EntryKind::Delete => self.life = Life::Gone,
            EntryKind::Edit
            | EntryKind::Foreign
            | EntryKind::Post
            | EntryKind::Amend
            | EntryKind::Retract
            | EntryKind::React
            | EntryKind::Introduce => {}
        }
    }

    /// A planted bug: judges an entry as if all that others wrote were here.
    #[cfg(feature = "planted-bugs")]
    pub fn judge_without_deps(&self, entry: &Entry) -> Verdict {
        let tip = self.tip(&entry.header().replica);
        if entry.header().seq != tip.seq + 1 {
            return self.judge_new(entry);
        }
        let (clock, places) = self.check_payload(entry, tip, &Limits::default()).unwrap_or((tip.clock, 0));
        Verdict::Fresh(Accepted { head: tip.head.next(entry), clock, introduced: tip.introduced, places })
    }

    fn judge_known(&self, entry: &Entry) -> Verdict {
        let header = entry.header();
        let Some(chain) = self.chains.get(&header.replica) else { return Verdict::Known };
        let before =
            if header.seq == 1 { Some(Head::START) } else { chain.link(header.seq - 1).map(|l| l.head) };
        match (before, chain.link(header.seq)) {
            (Some(before), Some(link)) if before.next(entry) != link.head => {
                Verdict::Refused(Refusal::Equivocation)
            }
            // Older than the memory of the chain: the digests tell if it differed.
            _ => Verdict::Known,
        }
    }

    fn missing(&self, header: &Header, own: u64) -> Vec<Missing> {
        let own_gap =
            (header.seq > own + 1).then(|| EntryName { replica: header.replica, seq: header.seq - 1 });
        let deps = header.deps.iter().map(|dep| EntryName { replica: dep.replica, seq: dep.seq });
        own_gap
            .into_iter()
            .chain(deps)
            .chain(header.target)
            .filter_map(|name| {
                let here = self.tip(&name.replica).seq;
                (name.seq > here).then_some(Missing { replica: name.replica, from: here + 1, to: name.seq })
            })
            .collect()
    }

    fn check(
        &self,
        entry: &Entry,
        tip: Tip,
        check_deps: CheckDeps,
        limits: &Limits,
    ) -> Result<Accepted, Refusal> {
        let header = entry.header();
        if header.deps.len() > ENTRY_DEPS || entry.payload().len() > ENTRY_PAYLOAD_BYTES {
            return Err(Refusal::TooLarge);
        }
        if self.life == Life::Gone {
            return Err(Refusal::Gone);
        }
        if self.life == Life::Unborn && header.kind != EntryKind::Create {
            return Err(Refusal::Unborn);
        }
        if self.replica_of(header.replica.client()).is_some_and(|owner| owner != header.replica) {
            return Err(Refusal::Client);
        }
        check_deps(self, header, tip)?;
        let (clock, places) = self.check_payload(entry, tip, limits)?;
        let introduced = match self.stream.kind() {
            StreamKind::Chat => self.check_chat(entry, tip.introduced)?,
            StreamKind::Directory | StreamKind::Ydoc | StreamKind::Amdoc | StreamKind::Comments => None,
        };
        Ok(Accepted { head: tip.head.next(entry), clock, introduced, places })
    }

    /// Heads and logical time of what it builds on, as far as the chains remember.
    fn check_deps(&self, header: &Header, tip: Tip) -> Result<(), Refusal> {
        let mut newest = tip.logical;
        let mut most = tip.logical;
        for dep in &header.deps {
            if dep.seq == 0 {
                return Err(Refusal::Chain);
            }
            let Some(chain) = self.chains.get(&dep.replica) else { return Err(Refusal::Chain) };
            match chain.link(dep.seq) {
                Some(link) if link.head.short() != dep.head => return Err(Refusal::Chain),
                Some(link) => newest = newest.max(link.logical),
                // Older than the memory of its chain: it cannot be later than the chain's newest.
                None => most = most.max(chain.logical),
            }
        }
        let expected = newest + 1;
        if (expected..=newest.max(most) + 1).contains(&header.logical) {
            Ok(())
        } else {
            Err(Refusal::Logical { found: header.logical, expected })
        }
    }

    /// The guard; answers the replica's next yrs clock, and at how many places of a text this may cost a walk.
    fn check_payload(&self, entry: &Entry, tip: Tip, limits: &Limits) -> Result<(u32, u32), Refusal> {
        let header = entry.header();
        match (self.stream.kind(), header.kind) {
            (StreamKind::Ydoc | StreamKind::Chat, EntryKind::Create | EntryKind::Delete)
                if entry.payload().is_empty() =>
            {
                Ok((tip.clock, 0))
            }
            (
                StreamKind::Chat,
                EntryKind::Post
                | EntryKind::Amend
                | EntryKind::Retract
                | EntryKind::React
                | EntryKind::Introduce,
            ) => Ok((tip.clock, 0)),
            (StreamKind::Ydoc, EntryKind::Edit) => {
                let client = header.replica.client();
                let extension = ydoc::check_text(entry.payload(), client, ROOT, self, limits);
                let Extension { to, places, .. } = extension.map_err(Refusal::Guard)?;
                Ok((to, places))
            }
            (StreamKind::Directory, EntryKind::Edit) => {
                directory::check(entry.payload()).map_err(Refusal::Directory)?;
                Ok((tip.clock, 0))
            }
            _ => Err(Refusal::Kind),
        }
    }
}

impl StreamLog {
    /// What a channel takes: posts of people who have said who they are, and changes to one's own. Answers who writes
    /// the chain from here on. Judged by what stands before the target and before the entry, so that every order of
    /// arrival gives the same answer.
    fn check_chat(&self, entry: &Entry, mine: Option<Introduced>) -> Result<Option<Introduced>, Refusal> {
        let header = entry.header();
        if matches!(header.kind, EntryKind::Create | EntryKind::Delete) {
            return Ok(mine);
        }
        let op = chat::check(header, entry.payload()).map_err(Refusal::Chat)?;
        match op {
            ChatOp::Introduce(introduction) => {
                let person = introduction.person();
                if mine.is_some_and(|mine| mine.person != person) {
                    return Err(Refusal::Person);
                }
                return Ok(mine.or(Some(Introduced { person, since: header.seq })));
            }
            ChatOp::Post { .. } | ChatOp::React { .. } if mine.is_none() => {
                return Err(Refusal::Unintroduced);
            }
            ChatOp::Amend { .. } | ChatOp::Retract if !self.is_theirs(header, mine) => {
                return Err(Refusal::NotYours);
            }
            ChatOp::Post { .. } | ChatOp::React { .. } | ChatOp::Amend { .. } | ChatOp::Retract => {}
        }
        Ok(mine)
    }

    /// Whether the target was written by the person who writes this.
    fn is_theirs(&self, header: &Header, mine: Option<Introduced>) -> bool {
        let Some(target) = header.target else { return false };
        if target.replica == header.replica {
            return true;
        }
        let author = self.tip(&target.replica).introduced.filter(|author| author.since <= target.seq);
        author.is_some() && author.map(|author| author.person) == mine.map(|mine| mine.person)
    }
}

/// What is held of an entry's dependencies against what the chains remember.
type CheckDeps = fn(&StreamLog, &Header, Tip) -> Result<(), Refusal>;

/// A target that can never be: entries are numbered from 1, and none builds on what its own author wrote later.
fn targets_nothing(header: &Header) -> bool {
    let lies_ahead = |target: EntryName| target.replica == header.replica && target.seq >= header.seq;
    header.target.is_some_and(|target| target.seq == 0 || lies_ahead(target))
}

impl Known for StreamLog {
    fn clock(&self, client: u64) -> Option<u32> {
        self.chains.of_client(client).map(|(_, chain)| chain.clock)
    }
}
