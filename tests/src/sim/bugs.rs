//! Bugs planted on purpose: the simulator must find each within a few seeds, or it has no teeth.

use std::fmt;

use causeway_core::planted::Planted;

use crate::sim::{Options, Report, run};

/// A planted bug must be found within so many seeds.
pub const SEEDS_FOR_A_BUG: u64 = 50;

/// What came of looking for one bug.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// Which.
    pub bug: Planted,
    /// The first seed that found it, if one did.
    pub found: Option<Report>,
}

/// Runs seeds from 1 on with a bug planted, until one fails.
pub fn hunt(bug: Planted) -> Hunt {
    let options = Options { bug: Some(bug), ..Options::default() };
    let found = (1..=SEEDS_FOR_A_BUG).map(|seed| run(seed, &options)).find(|report| report.failure.is_some());
    Hunt { bug, found }
}

/// What a bug does, for people.
fn deed(bug: Planted) -> &'static str {
    match bug {
        Planted::SavedEarly => "a relay says `saved` before its disk has answered",
        Planted::OutboxForgets => "a device takes what it has sent for saved",
        Planted::SumsSkipped => "a relay serves rows without looking at their sums",
        Planted::ResendDoubles => "a relay takes an entry that is sent again for a new one",
        Planted::SavedAcrossGap => "a relay says `saved` for what came behind a gap",
        Planted::BeforeDeps => "a relay takes an entry before what it builds on",
        Planted::UnverifiedDrop => "a relay drops what a snapshot covers that was found wrong",
        Planted::ReplicaReused => "a page that starts again writes under its old name",
        Planted::KeptEarly => "a page that leads calls another's work kept before its disk has answered",
        Planted::PageStale => "a device puts a page of posts in without what has happened to them since",
        Planted::HistoryUnread => "a relay lets history go whose snapshot it has not read back whole",
        Planted::HeadUnchecked => "a relay does not check the signature of a head that somebody forwards",
        Planted::EpochEarlier => "a device takes a home of an earlier epoch for the one that it knew",
        Planted::HistoryTooFar => "a relay writes down that more history has gone than has",
    }
}

impl fmt::Display for Hunt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seed, sentence) = match &self.found {
            Some(report) => (report.seed.to_string(), report.failure.clone().unwrap_or_default()),
            None => (format!("none of {SEEDS_FOR_A_BUG}"), String::from("not found")),
        };
        write!(f, "| `{}` | {} | {seed} | {} |", self.bug.name(), deed(self.bug), brief(&sentence))
    }
}

/// The beginning of a sentence, for a cell of a table.
fn brief(sentence: &str) -> String {
    let mut brief: String = sentence.chars().take(SENTENCE).filter(|c| *c != '|').collect();
    if sentence.chars().count() > SENTENCE {
        brief.push('…');
    }
    brief
}

/// Characters of a sentence that a table shows.
const SENTENCE: usize = 140;
