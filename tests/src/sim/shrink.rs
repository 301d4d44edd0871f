//! A failing seed made smaller: fewer devices, less time, fewer copies of disks, fewer strokes of fate, fewer acts of people, as long
//! as it fails in the same way. The same failure shrinks to the same story.

use std::collections::BTreeSet;

use crate::sim::cuts::Cuts;
use crate::sim::{Options, Report, run};

/// Runs that a shrinking may take: some minutes of the longest worlds.
const RUNS: usize = 400;

/// What came of a shrinking.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// What can be left out.
    pub cuts: Cuts,
    /// How it fails then.
    pub report: Report,
    /// How many runs it took to find out.
    pub runs: usize,
}

/// Finds a smaller run that fails in the way `report` does.
pub fn shrink(report: &Report, options: &Options) -> Shrunk {
    let kind = kind(report.failure.as_deref().unwrap_or_default());
    let mut search = Search {
        options,
        kind,
        best: Shrunk { cuts: options.cuts.clone(), report: report.clone(), runs: 0 },
    };
    search.shorten();
    search.send_away();
    search.leave_out(report.copies.iter().copied(), |cuts| &mut cuts.copies);
    for _ in 0..2 {
        search.leave_out(report.strokes.clone(), |cuts| &mut cuts.strokes);
        search.leave_out(report.acts.iter().copied(), |cuts| &mut cuts.acts);
    }
    search.best
}

struct Search<'a> {
    options: &'a Options,
    kind: String,
    best: Shrunk,
}

impl Search<'_> {
    /// Whether a run with these cuts fails in the same way; then it is the best so far.
    fn fails(&mut self, cuts: Cuts) -> bool {
        if self.best.runs >= RUNS {
            return false;
        }
        self.best.runs += 1;
        let report = run(self.best.report.seed, &Options { cuts: cuts.clone(), ..self.options.clone() });
        let same = report.failure.as_deref().is_some_and(|failure| kind(failure) == self.kind);
        if same {
            (self.best.cuts, self.best.report) = (cuts, report);
        }
        same
    }

    fn shorten(&mut self) {
        for eighths in 1..8 {
            let trouble = self.best.report.trouble * eighths / 8;
            if self.fails(Cuts { trouble: Some(trouble), ..self.best.cuts.clone() }) {
                return;
            }
        }
    }

    fn send_away(&mut self) {
        for devices in 1..self.best.report.devices {
            if self.fails(Cuts { devices: Some(devices), ..self.best.cuts.clone() }) {
                return;
            }
        }
    }

    /// Leaves out all, halves, quarters … down to single ones.
    fn leave_out(
        &mut self,
        all: impl IntoIterator<Item = u64>,
        of: impl Fn(&mut Cuts) -> &mut BTreeSet<u64>,
    ) {
        let all: Vec<u64> = all.into_iter().collect();
        let mut size = all.len();
        while size > 0 {
            for chunk in all.chunks(size) {
                let mut cuts = self.best.cuts.clone();
                let before = of(&mut cuts).len();
                of(&mut cuts).extend(chunk);
                if of(&mut cuts).len() > before {
                    self.fails(cuts);
                }
            }
            size /= 2;
        }
    }
}

/// A failure without its numbers and names: whatever has a digit in it goes.
fn kind(failure: &str) -> String {
    let words = failure.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    words.take(WORDS).collect::<Vec<_>>().join(" ")
}

/// Words that tell one failure from another.
const WORDS: usize = 8;
