//! A database as it opens on a copy of its file, with whatever it has lost.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use causeway_core::salvage::Found;

use super::Finding;
use crate::backup::printable;
use crate::redb_database::Copied as RedbCopy;
use crate::rows::layout::{self, Stored};
use crate::rows::ledger::{Census, Ledger};
use crate::rows::{Tree, TreeError};
use crate::sled_store::Copied as SledCopy;
use crate::{Space, StoreKind};

/// An open copy.
pub(super) enum Opened {
    Sled(SledCopy),
    Redb(RedbCopy),
}

/// What a look at all rows has counted.
#[derive(Default)]
struct Counted {
    rows: Census,
    keys: Census,
    sound: u64,
    damaged: u64,
    /// Spaces of damaged rows.
    damaged_in: BTreeSet<Space>,
    broken: bool,
}

/// Rows, each by the beginning of its sum, which covers its key as well: there may be many.
#[derive(Debug, Default)]
pub(super) struct Given(Vec<u64>);

impl Given {
    pub(super) fn has(&self, raw: &[u8]) -> bool {
        begin_of(raw).is_some_and(|begin| self.0.binary_search(&begin).is_ok())
    }
}

fn begin_of(raw: &[u8]) -> Option<u64> {
    raw.first_chunk().map(|begin| u64::from_be_bytes(*begin))
}

/// What a look at an open copy has found.
pub(super) struct Seen {
    pub(super) findings: Vec<Finding>,
    /// Nobody has ever written to it, as far as it says itself.
    pub(super) is_untouched: bool,
    /// The number of the last batch of which everything is in it, if that can be read.
    pub(super) batch: Option<u64>,
}

impl Opened {
    pub(super) fn open(kind: StoreKind, copy: &Path) -> Result<Self, String> {
        match kind {
            StoreKind::Sled => SledCopy::open(copy).map(Self::Sled),
            StoreKind::Redb => RedbCopy::open(copy).map(Self::Redb),
        }
    }

    /// Looks at every row, and notes the spaces that have any.
    pub(super) fn look(&self, spaces: &mut BTreeSet<Space>) -> Seen {
        let mut findings = vec![Finding::sound("The database opens.")];
        let mut counted = Counted::default();
        let ledger = self.with(|tree| {
            count(tree, &mut counted, spaces);
            tree.get(layout::NUMBER_KEY)
        });
        let ledger = ledger.and_then(|raw| Ledger::decode(&raw));
        if let Self::Redb(copy) = self
            && !copy.own_tables_are_whole()
        {
            findings.push(Finding::wrong("The database's own tables are not what was written."));
        }
        if counted.broken {
            findings.push(Finding::wrong("Pages of the database cannot be read."));
        }
        if counted.damaged > 0 {
            findings.push(damage(counted.damaged, &counted.damaged_in));
        }
        findings.push(Finding::sound(format!("{} rows are whole.", counted.sound)));
        let is_untouched = ledger.is_none() && counted.sound == 0 && counted.damaged == 0;
        let batch = if is_untouched { Some(0) } else { ledger.map(|ledger| ledger.batch) };
        match ledger {
            None if is_untouched => {}
            None => findings.push(Finding::wrong("The number of its last batch cannot be read.")),
            Some(ledger) => findings.push(self.census(&counted, &ledger)),
        }
        Seen { findings, is_untouched, batch }
    }

    /// Whether all is there that was written.
    fn census(&self, counted: &Counted, ledger: &Ledger) -> Finding {
        let (found, right) = match self {
            Self::Sled(_) => (counted.rows, "They are all that were written last, and no others."),
            Self::Redb(_) => (counted.keys, "No key is missing, and none is there that was not written."),
        };
        if found == ledger.census {
            Finding::sound(right)
        } else {
            Finding::wrong("Rows are missing, or are not the last that were written.")
        }
    }

    /// What stands under a key of the tree, if that can be read.
    pub(super) fn raw(&self, tree_key: &[u8]) -> Option<Vec<u8>> {
        self.with(|tree| tree.get(tree_key))
    }

    /// The rows of spaces that [`rows`](Self::rows) gives, with values that can be read. Where a page is bent that leads to others a row
    /// may be found by its key and not be met in its range.
    pub(super) fn given(&self, spaces: &BTreeSet<Space>) -> Given {
        let mut given = Vec::new();
        for space in spaces {
            self.with(|tree| {
                let (start, end) = (layout::key(space, &[]), layout::key_behind(space));
                tree.each(&start, &end, &mut |tree_key, raw| {
                    given.extend(value(tree, tree_key, raw).and_then(|_| begin_of(raw)));
                });
            });
        }
        given.sort_unstable();
        Given(given)
    }

    pub(super) fn rows(&self, space: &Space, found: &mut Found) {
        self.with(|tree| {
            let (start, end) = (layout::key(space, &[]), layout::key_behind(space));
            tree.each(&start, &end, &mut |tree_key, raw| {
                let values = found.entry(layout::key_in_space(space, tree_key).to_vec()).or_default();
                values.extend(value(tree, tree_key, raw));
            });
        });
    }

    /// The database may panic on what it meets; what was read until then stays.
    fn with<T: Default>(&self, work: impl FnOnce(&dyn Rows) -> T) -> T {
        let guarded = match self {
            Self::Sled(copy) => catch_unwind(AssertUnwindSafe(|| copy.with(|tree| work(&Of(tree))))),
            Self::Redb(copy) => catch_unwind(AssertUnwindSafe(|| copy.with(|tree| work(&Of(tree))))),
        };
        guarded.ok().flatten().unwrap_or_default()
    }
}

fn damage(rows: u64, spaces: &BTreeSet<Space>) -> Finding {
    let mut named: Vec<_> = spaces.iter().take(NAMED).map(|space| printable(space.as_bytes())).collect();
    if spaces.len() > NAMED {
        named.push(format!("and {} more", spaces.len() - NAMED));
    }
    Finding::wrong(format!("{rows} rows are not what was written; they are of {}.", named.join(", ")))
}

fn count(tree: &dyn Rows, counted: &mut Counted, spaces: &mut BTreeSet<Space>) {
    let whole = tree.each(&layout::first_key(), &layout::end_of_rows(), &mut |tree_key, raw| {
        counted.rows.add(layout::sum_of_row(raw));
        spaces.extend(layout::space_of(tree_key));
        match value(tree, tree_key, raw) {
            Some(_) => counted.sound += 1,
            None => {
                counted.damaged += 1;
                counted.damaged_in.extend(layout::space_of(tree_key));
            }
        }
    });
    counted.broken |= !whole;
    counted.broken |= !tree.each(&[], &[u8::MAX], &mut |tree_key, _| {
        if tree_key != layout::NUMBER_KEY {
            counted.keys.add(layout::sum(&[tree_key]));
        }
    });
}

fn value(tree: &dyn Rows, tree_key: &[u8], raw: &[u8]) -> Option<Vec<u8>> {
    Stored::decode(tree_key, raw)?.assemble(|piece| Ok::<_, ()>(tree.get(piece))).ok().flatten()
}

/// A tree in which anything may be damaged.
trait Rows {
    /// A value, if it can be read.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;
    /// Hands out a range in ascending order; false where it breaks off.
    fn each(&self, start: &[u8], end: &[u8], take: &mut dyn FnMut(&[u8], &[u8])) -> bool;
}

struct Of<'a, T>(&'a T);

impl<T: Tree> Rows for Of<'_, T> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key).ok().flatten().map(|raw| raw.as_ref().to_vec())
    }

    fn each(&self, start: &[u8], end: &[u8], take: &mut dyn FnMut(&[u8], &[u8])) -> bool {
        let Ok(range) = self.0.range(start, end) else { return false };
        for found in range {
            match found {
                Ok((key, raw)) => take(key.as_ref(), raw.as_ref()),
                Err(TreeError::Damaged | TreeError::Failed(_)) => return false,
            }
        }
        true
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

/// Rooms of damaged rows that are named: as many as a line holds.
const NAMED: usize = 8;
