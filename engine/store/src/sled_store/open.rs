//! Opening sled in a data folder that was claimed.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Numbers;
use crate::folder::tip::Tip;
use crate::folder::{Claim, FolderLock, Made, OPENS_EMPTY, Past, damaged, refusal, sync_folder};
use crate::limits::{Reading, sled_cache};
use crate::rows::known::Known;
use crate::rows::layout;
use crate::rows::ledger::{Census, Ledger};
use crate::{OpenError, StoreKind, watch};

/// What an open store holds.
pub(super) struct Opened {
    pub(super) db: sled::Db,
    pub(super) log: File,
    pub(super) tip: Tip,
    pub(super) numbers: Numbers,
    pub(super) lock: FolderLock,
}

pub(super) fn open(folder: &Path, past: Past, reading: Reading) -> Result<Opened, OpenError> {
    let mut claim = Claim::stake(folder, StoreKind::Sled, past)?;
    claim.settle(past)?;
    let refuse = |e: io::Error| refusal(folder, &e);
    let tree = claim.content();
    if tree.exists() {
        // sled creates and repairs as it opens, so ask first whether it may.
        match OpenOptions::new().read(true).write(true).open(tree.join(LOG)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(refuse(e)),
            Ok(_) | Err(_) => {}
        }
    } else {
        claim.add(Made::Tree(tree.clone()));
    }
    // Asked before, as sled clears what it cannot read.
    let held_rows = claim.holds_rows_without_tip()?;
    let db = open_sled(folder, &tree, reading.cache_bytes)?;
    let looked = catch_unwind(AssertUnwindSafe(|| look(&tree, &db, &mut claim, held_rows, reading)))
        .unwrap_or_else(|_| Err(damaged(folder, "the embedded database gave up")));
    let (log, numbers, tip) = match looked {
        Ok(found) => found,
        Err(refused) => {
            close(db);
            return Err(refused);
        }
    };
    match claim.keep() {
        Ok(lock) => Ok(Opened { db, log, tip, numbers, lock }),
        Err(refused) => {
            close(db);
            Err(refused)
        }
    }
}

/// What a store is opened with besides the database, read from a disk that may fail at any step.
fn look(
    tree: &Path,
    db: &sled::Db,
    claim: &mut Claim,
    held_rows: bool,
    reading: Reading,
) -> Result<(File, Numbers, Tip), OpenError> {
    let folder = &claim.folder.clone();
    let refuse = |e: io::Error| refusal(folder, &e);
    let log = OpenOptions::new().write(true).open(tree.join(LOG)).map_err(refuse)?;
    let numbers = match read_numbers(folder, db)? {
        Some(numbers) => numbers,
        // sled takes a log whose beginning it cannot read for an empty one.
        None if held_rows => return Err(damaged(folder, OPENS_EMPTY)),
        None => Numbers { next_long: 0, ledger: Ledger::default(), known: Known::default() },
    };
    if log.metadata().map_err(refuse)?.len() <= reading.verify_bytes {
        rows_are_whole(folder, db, &numbers.ledger)?;
    }
    let tip = claim.open_tip(numbers.ledger.batch)?;
    let conf = OpenOptions::new().write(true).open(tree.join(CONF));
    conf.and_then(|conf| conf.sync_all()).and_then(|()| sync_folder(tree)).map_err(refuse)?;
    Ok((log, numbers, tip))
}

/// sled writes as it closes, and panics where the disk refuses.
fn close(db: sled::Db) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
}

/// Nothing where nothing was ever written.
fn read_numbers(folder: &Path, db: &sled::Db) -> Result<Option<Numbers>, OpenError> {
    let last = db.last().map_err(|e| sled_refusal(folder, &e))?;
    let ledger = match db.get(layout::NUMBER_KEY).map_err(|e| sled_refusal(folder, &e))? {
        None if last.is_none() => return Ok(None),
        None => None,
        Some(raw) => Ledger::decode(&raw),
    };
    let ledger = ledger.ok_or_else(|| damaged(folder, "the number of its last batch is not readable"))?;
    let next_long = layout::next_long(last.as_ref().map(|(key, _)| &key[..]));
    Ok(Some(Numbers { next_long, ledger, known: Known::default() }))
}

/// Whether the rows are those that were written last, all of them and no others.
fn rows_are_whole(folder: &Path, db: &sled::Db, ledger: &Ledger) -> Result<(), OpenError> {
    let mut census = Census::default();
    for row in db.range(layout::first_key()..layout::end_of_rows()) {
        watch::step();
        let (_, raw) = row.map_err(|e| sled_refusal(folder, &e))?;
        census.add(layout::sum_of_row(&raw));
    }
    if census == ledger.census {
        return Ok(());
    }
    Err(damaged(folder, "some of its rows are not to be found, or are not the last that were written"))
}

fn open_sled(folder: &Path, tree: &Path, cache_bytes: usize) -> Result<sled::Db, OpenError> {
    let config =
        || sled::Config::new().path(tree).cache_capacity(sled_cache(cache_bytes)).flush_every_ms(None);
    let deadline = Instant::now() + CLOSING_PATIENCE;
    loop {
        let opened =
            catch_unwind(|| config().open()).map_err(|_| damaged(folder, "the embedded database gave up"))?;
        match opened {
            Ok(db) => return Ok(db),
            // We hold the lock of the folder, so this is a store of this process that was just dropped: a thread of
            // sled's pool still has the file open.
            Err(e) if is_sled_lock(&e) && Instant::now() < deadline => std::thread::sleep(CLOSING_PAUSE),
            Err(e) => return Err(sled_refusal(folder, &e)),
        }
    }
}

fn is_sled_lock(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(e) if e.to_string().contains("could not acquire lock"))
}

fn sled_refusal(folder: &Path, error: &sled::Error) -> OpenError {
    match error {
        sled::Error::Io(_) if is_sled_lock(error) => OpenError::Locked(folder.into()),
        sled::Error::Io(e) => refusal(folder, e),
        sled::Error::Corruption { .. } | sled::Error::Unsupported(_) => damaged(folder, error.to_string()),
        sled::Error::CollectionNotFound(_) | sled::Error::ReportableBug(_) => {
            OpenError::Io { folder: folder.into(), what: error.to_string() }
        }
    }
}

/// sled's one data file.
pub(crate) const LOG: &str = "db";
/// What sled remembers of its settings.
const CONF: &str = "conf";

/// How long sled's threads may take to let go of a store that this process dropped. They finish writes of at most
/// 512 KiB each, which even a slow card does in a second.
const CLOSING_PATIENCE: Duration = Duration::from_secs(5);
const CLOSING_PAUSE: Duration = Duration::from_millis(5);
