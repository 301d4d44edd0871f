//! A database as it opens on a copy of its file, with whatever it has lost.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use causeway_core::salvage::Found;

use super::Finding;
use crate::redb_store::Copied as RedbCopy;
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
    broken: bool,
}

impl Opened {
    pub(super) fn open(kind: StoreKind, copy: &Path) -> Result<Self, String> {
        match kind {
            StoreKind::Sled => SledCopy::open(copy).map(Self::Sled),
            StoreKind::Redb => RedbCopy::open(copy).map(Self::Redb),
        }
    }

    /// Looks at every row, and notes the spaces that have any.
    pub(super) fn look(&self, saved: u64, spaces: &mut BTreeSet<Space>) -> Vec<Finding> {
        let mut findings = vec![Finding::sound("The database opens.")];
        let mut counted = Counted::default();
        let ledger = self.with(|tree| {
            count(tree, &mut counted, spaces);
            tree.get(layout::NUMBER_KEY)
        });
        let ledger = ledger.and_then(|raw| Ledger::decode(&raw));
        if counted.broken {
            findings.push(Finding::wrong("Pages of the database cannot be read."));
        }
        if counted.damaged > 0 {
            let Counted { damaged, .. } = counted;
            findings.push(Finding::wrong(format!("{damaged} rows are not what was written.")));
        }
        findings.push(Finding::sound(format!("{} rows are whole.", counted.sound)));
        match ledger {
            None if counted.sound == 0 && saved == 0 => {}
            None => findings.push(Finding::wrong("The number of its last batch cannot be read.")),
            Some(ledger) => {
                findings.push(tip(saved, ledger.batch));
                let found = match self {
                    Self::Sled(_) => counted.rows,
                    Self::Redb(_) => counted.keys,
                };
                findings.push(if found == ledger.census {
                    Finding::sound("They are all that were written, and no others.")
                } else {
                    Finding::wrong("Rows are missing, or are not the last that were written.")
                });
            }
        }
        findings
    }

    pub(super) fn rows(&self, space: &Space, found: &mut Found) {
        self.with(|tree| {
            let (start, end) = (layout::key(space, &[]), layout::key_behind(space));
            tree.each(&start, &end, &mut |tree_key, raw| {
                let values = found.entry(layout::key_in_space(space, tree_key).to_vec()).or_default();
                let stored = Stored::decode(tree_key, raw);
                values.extend(stored.and_then(|stored| {
                    stored
                        .assemble(|piece| tree.get(piece).map_or(Err(()), |raw| Ok(Some(raw))))
                        .ok()
                        .flatten()
                }));
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

fn tip(saved: u64, holds: u64) -> Finding {
    if holds < saved {
        return Finding::wrong(format!("Of {saved} saved batches it holds {holds}."));
    }
    Finding::sound(format!("It holds all {saved} batches that were noted as saved."))
}

fn count(tree: &dyn Rows, counted: &mut Counted, spaces: &mut BTreeSet<Space>) {
    let whole = tree.each(&layout::first_key(), &layout::end_of_rows(), &mut |tree_key, raw| {
        counted.rows.add(layout::sum_of_row(raw));
        spaces.extend(layout::space_of(tree_key));
        let stored = Stored::decode(tree_key, raw);
        let value = stored.and_then(|stored| {
            let read = |piece: &[u8]| Ok::<_, ()>(tree.get(piece));
            stored.assemble(read).ok().flatten()
        });
        match value {
            Some(_) => counted.sound += 1,
            None => counted.damaged += 1,
        }
    });
    counted.broken |= !whole;
    counted.broken |= !tree.each(&[], &[u8::MAX], &mut |tree_key, _| {
        if tree_key != layout::NUMBER_KEY {
            counted.keys.add(layout::sum(&[tree_key]));
        }
    });
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
