//! Bugs that can be switched on, so that the simulator can show that it would find them. Only with the feature
//! `planted-bugs`, and then only where somebody calls `plant`.

/// One bug: each breaks one promise the way a hurried change might.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// A home calls an entry saved before its disk has answered.
    SavedEarly,
    /// A device takes what it has sent for saved.
    OutboxForgets,
    /// A home serves rows of its disk without looking at their sums.
    SumsSkipped,
    /// A home takes an entry that is sent again for a new one.
    ResendDoubles,
    /// A home calls saved what has come, though something before it has not.
    SavedAcrossGap,
    /// A home takes an entry before what it builds on.
    BeforeDeps,
    /// A home drops what a snapshot covers though the snapshot was found wrong.
    UnverifiedDrop,
    /// A page that starts again writes under the name it had before. The simulator's shell has this one: it hands in the
    /// same random bytes twice.
    ReplicaReused,
    /// A page that leads calls work of another kept before its disk has answered.
    KeptEarly,
    /// A device puts a page of posts in without what has happened to them since.
    PageStale,
    /// A home lets history go when it has read the root of the snapshot back, and none of its pages.
    HistoryUnread,
    /// A home writes down that more history has gone than has.
    HistoryTooFar,
    /// A home does not check the signature of a head with which somebody brings what others wrote.
    HeadUnchecked,
    /// A device takes a home of an earlier epoch for the one that it knew.
    EpochEarlier,
}

impl Planted {
    /// Every bug.
    pub const ALL: [Self; 14] = [
        Self::SavedEarly,
        Self::OutboxForgets,
        Self::SumsSkipped,
        Self::ResendDoubles,
        Self::SavedAcrossGap,
        Self::BeforeDeps,
        Self::UnverifiedDrop,
        Self::ReplicaReused,
        Self::KeptEarly,
        Self::PageStale,
        Self::HistoryUnread,
        Self::HistoryTooFar,
        Self::HeadUnchecked,
        Self::EpochEarlier,
    ];

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::SavedEarly => "saved-early",
            Self::OutboxForgets => "outbox-forgets",
            Self::SumsSkipped => "sums-skipped",
            Self::ResendDoubles => "resend-doubles",
            Self::SavedAcrossGap => "saved-across-gap",
            Self::BeforeDeps => "before-deps",
            Self::UnverifiedDrop => "unverified-drop",
            Self::ReplicaReused => "replica-reused",
            Self::KeptEarly => "kept-early",
            Self::PageStale => "page-stale",
            Self::HistoryUnread => "history-unread",
            Self::HistoryTooFar => "history-too-far",
            Self::HeadUnchecked => "head-unchecked",
            Self::EpochEarlier => "epoch-earlier",
        }
    }

    /// The bug with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| bug.name() == name)
    }
}
