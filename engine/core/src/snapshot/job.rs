//! What a home asks its shell to do on threads of its own.

use bytes::Bytes;
use causeway_guard::Fault;

use crate::ids::{StreamId, StreamKind};
use crate::limits::CATCH_UP_BYTES;
use crate::log::Entry;
use crate::snapshot::archive::{self, Segment, SegmentError};
use crate::snapshot::build::{Base, Built, build, verify, wants};
use crate::snapshot::{PageId, Root, jumps};
use crate::ydoc::ApplyError;

/// Work that looks into documents or takes long. Everything it needs is in it.
#[derive(Clone, Debug)]
pub enum Job {
    /// Makes the next snapshot of a stream from the last one and the entries above it.
    Build {
        /// The stream.
        stream: StreamId,
        /// The last one.
        base: Option<Base>,
        /// In their order of arrival.
        entries: Vec<Entry>,
        /// Posts on one page of a channel.
        posts: usize,
    },
    /// Checks a snapshot that was read back from the disk against a replay, and packs the entries for the archive.
    Verify {
        /// The snapshot before it.
        base: Option<Base>,
        /// The entries it adds, in their order of arrival.
        entries: Vec<Entry>,
        /// As read back.
        root: Box<Root>,
        /// Its new pages, as read back.
        pages: Vec<Bytes>,
        /// As for the build.
        posts: usize,
    },
    /// Reads a segment of the archive.
    Unpack {
        /// As stored. Shared, so that whoever is told that there is no time now still holds it.
        segment: Bytes,
    },
}

/// What came of a job.
#[derive(Clone, Debug)]
pub enum Done {
    /// Of [`Job::Build`].
    Built(Built),
    /// Of both kinds of jobs of a channel: the entries change pages of the snapshot before that were not handed in. With
    /// these the first so many entries can be taken.
    Wants {
        /// The pages.
        pages: Vec<PageId>,
        /// The entries.
        entries: usize,
    },
    /// Of [`Job::Verify`]: it is right.
    Verified {
        /// To keep instead of the entries.
        segments: Vec<Segment>,
        /// How often the entries jump about in their text.
        jumps: u64,
    },
    /// Of [`Job::Unpack`].
    Unpacked(Vec<Entry>),
}

/// Why a job came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The shell has too much to do. Ask again later.
    #[error("too much is waiting for the materialiser")]
    Busy,
    /// It took more time of a processor than the shell allows.
    #[error("it took too long")]
    Time,
    /// It was given up before it had been on a processor for so long: the machine has too much to do.
    #[error("the machine was too busy to finish it")]
    Late,
    /// It panicked.
    #[error("it came to an end it did not choose")]
    Panic,
    /// Streams of this kind have no snapshots.
    #[error("streams of this kind have no snapshots")]
    Kind,
    /// The entries do not follow one another.
    #[error("the entries do not continue the snapshot before them")]
    Log,
    /// The page of the snapshot before cannot be read.
    #[error("a page of a snapshot cannot be read")]
    Page,
    /// The guard would not let the page pass.
    #[error("the page is not safe to apply: {0}")]
    Guard(#[from] Fault),
    /// yrs would not take an update or a page.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// What was written and what the entries give are two things.
    #[error("the snapshot is not what its entries give")]
    Differs,
    /// A segment of the archive.
    #[error(transparent)]
    Segment(#[from] SegmentError),
}

impl JobError {
    /// The machine code, stable across versions.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "materialiser.busy",
            Self::Time => "materialiser.time",
            Self::Late => "materialiser.late",
            Self::Panic => "materialiser.panic",
            Self::Kind => "materialiser.kind",
            Self::Log => "materialiser.log",
            Self::Page => "materialiser.page",
            Self::Guard(_) => "materialiser.guard",
            Self::Apply(_) => "materialiser.apply",
            Self::Differs => "materialiser.differs",
            Self::Segment(_) => "materialiser.segment",
        }
    }
}

impl Job {
    /// About how much memory its arguments take.
    pub fn bytes(&self) -> usize {
        let of = |base: &Option<Base>, entries: &[Entry]| {
            let pages = base.as_ref().map_or(0, |base| base.pages.iter().map(Bytes::len).sum());
            pages + entries.iter().map(|entry| entry.bytes().len() + ENTRY_COST).sum::<usize>()
        };
        match self {
            Self::Build { base, entries, .. } => of(base, entries),
            Self::Verify { base, entries, pages, .. } => {
                of(base, entries) + pages.iter().map(Bytes::len).sum::<usize>()
            }
            Self::Unpack { segment } => segment.len() + CATCH_UP_BYTES,
        }
    }

    /// Does it. `go_on` is asked between steps and says whether there is time left.
    ///
    /// # Errors
    /// See [`JobError`]; for a stream whose build fails nothing is lost, it is kept as entries.
    pub fn run(self, go_on: &mut dyn FnMut() -> bool) -> Result<Done, JobError> {
        let handed = match &self {
            Self::Build { stream, base, entries, .. } => Some((stream.kind(), base, entries)),
            Self::Verify { base, entries, root, .. } => Some((root.stream.kind(), base, entries)),
            Self::Unpack { .. } => None,
        };
        if let Some((StreamKind::Chat, Some(base), entries)) = handed
            && let Some(wants) = wants(base, entries, go_on)?
        {
            return Ok(wants);
        }
        match self {
            Self::Build { stream, base, entries, posts } => {
                build(stream, base.as_ref(), &entries, posts, go_on).map(Done::Built)
            }
            Self::Verify { base, entries, root, pages, posts } => {
                verify(base.as_ref(), &entries, &root, &pages, posts, go_on)?;
                let first = base.map_or(0, |base| base.root.arrivals);
                let jumps = entries.iter().map(jumps).sum();
                Ok(Done::Verified { segments: archive::pack(first, &entries), jumps })
            }
            Self::Unpack { segment } => Ok(Done::Unpacked(archive::unpack(&segment)?)),
        }
    }
}

/// What an entry takes beside its bytes.
const ENTRY_COST: usize = 256;
