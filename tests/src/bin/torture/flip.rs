//! *flip*: single bytes of a store's files changed, one at a time: of its database, and of the log before it. What is read is what
//! was written, or is said to be damaged; a store that lost something refuses to open, with the reason, and what is left of it is found in its file; nothing
//! panics past its guard.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use causeway_core::storage::{Commit, FailureKind, Scan};
use causeway_store::remains::examine;
use causeway_store::{OpenError, Space, Store, StoreKind};
use tempfile::TempDir;

use crate::Outcome;
use crate::options::Options;
use crate::rng::Rng;
use crate::row::Row;

/// Bytes changed in the small store unless said; every byte that is in use has at most as many neighbours left out.
const ROUNDS: u64 = 4_000;
/// Bytes changed in the large store, at random places.
const OF_THE_LARGE: u64 = 4;
/// Rows of the small store, and of the large one.
const ROWS: [u32; 2] = [100, 5_000];
/// Rows written at once.
const BATCH: u32 = 10;
const ROOMS: u32 = 3;
/// Rows that one byte may cost in a small store that is refused, and in a large one. In the small one it is what a page of redb's
/// holds, of which a byte says that it is a leaf: rows are carried together, so no older page has them. In the large one a whole page
/// of sled's may be damaged that says what the keys begin with that were written to it one by one: 878 of 5,000 rows, at worst.
const LOST_WITH_A_BYTE: [u64; 2] = [40, 1_000];
/// Bytes around one that is in use, and which count as in use as well.
const AROUND: usize = 16;
const TOLD_EVERY: u64 = 1_000;

/// A store as it was written.
struct Written {
    kind: StoreKind,
    bent: Bent,
    folder: PathBuf,
    rows: u32,
}

/// Which of its files is changed.
#[derive(Clone, Copy)]
enum Bent {
    /// That of the database, into which everything was carried.
    Database,
    /// The write-ahead log, as a process that is killed leaves it, with the database as it was before.
    Log,
}

/// What came of the flips.
#[derive(Default)]
struct Tally {
    refused: u64,
    /// Rows of stores that refused, and how many of them were found in their files.
    sought: u64,
    found: u64,
    /// Rows that were not found, of the store that lost most.
    worst: u64,
    named: u64,
    harmless: u64,
}

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    // Panics that are caught would be printed thousands of times; one that escapes ends the run all the same.
    std::panic::set_hook(Box::new(|_| {}));
    let rounds = options.rounds_or(ROUNDS);
    let mut rows = Vec::new();
    for kind in &options.stores {
        rows.push(small(*kind, Bent::Database, rounds)?);
        match kind {
            StoreKind::Redb => rows.push(small(*kind, Bent::Log, rounds)?),
            // Its log is its database.
            StoreKind::Sled => {}
        }
        rows.push(large(*kind, rounds / OF_THE_LARGE, options.seed)?);
    }
    Ok(rows)
}

fn small(kind: StoreKind, bent: Bent, rounds: u64) -> Outcome<Row> {
    let memory = in_memory()?;
    let written = Written::make(kind, bent, memory.path(), ROWS[0])?;
    let bytes = fs::read(written.file(&written.folder)?)?;
    let used: Vec<usize> = in_use(&bytes);
    let step = (used.len() as u64).div_ceil(rounds).max(1);
    let places = used.iter().step_by(step as usize).copied();
    let tally = written.flip(&bytes, memory.path(), places)?;
    let what = format!("every {step}. of {} bytes in use", used.len());
    let name = match bent {
        Bent::Database => format!("flip, small {kind}"),
        Bent::Log => format!("flip, log before {kind}"),
    };
    Ok(tally.row(&name, kind, rounds, &what))
}

fn large(kind: StoreKind, rounds: u64, seed: u64) -> Outcome<Row> {
    let memory = in_memory()?;
    let written = Written::make(kind, Bent::Database, memory.path(), ROWS[1])?;
    let bytes = fs::read(written.file(&written.folder)?)?;
    let mut rng = Rng::new(seed);
    let places: Vec<usize> = (0..rounds).map(|_| rng.index(bytes.len())).collect();
    let tally = written.flip(&bytes, memory.path(), places.into_iter())?;
    let what = format!("of {} MiB, at random", bytes.len() >> 20);
    Ok(tally.row(&format!("flip, large {kind}"), kind, rounds * OF_THE_LARGE, &what))
}

/// On a disk in memory where there is one: nothing is learned here of fsync.
fn in_memory() -> Outcome<TempDir> {
    let shared = Path::new("/dev/shm");
    Ok(if shared.is_dir() { tempfile::tempdir_in(shared)? } else { tempfile::tempdir()? })
}

/// Places that hold something, and a few beside them.
fn in_use(bytes: &[u8]) -> Vec<usize> {
    let blocks = bytes.chunks(AROUND).enumerate().filter(|(_, block)| block.iter().any(|byte| *byte != 0));
    blocks.flat_map(|(at, block)| at * AROUND..at * AROUND + block.len()).collect()
}

impl Tally {
    fn row(&self, name: &str, kind: StoreKind, rounds: u64, what: &str) -> Row {
        let Self { refused, named, harmless, sought, found, worst } = self;
        Row {
            name: name.into(),
            counts: vec![
                ("bytes changed".into(), refused + named + harmless),
                ("read as a value or lost in silence".into(), 0),
                ("panics past the guard".into(), 0),
            ],
            figures: format!(
                "{what}: {refused} stores refused, in whose files {found} of {sought} rows were found, at worst all but {worst}; \
                 {named} with the damage named and the rest read, {harmless} harmless"
            ),
            command: format!("cargo xtask torture flip --store {kind} --rounds {rounds}"),
        }
    }
}

impl Written {
    fn make(kind: StoreKind, bent: Bent, memory: &Path, rows: u32) -> Outcome<Self> {
        let (ended, killed) = (memory.join("ended"), memory.join("killed"));
        let store = kind.open(&ended)?;
        for first in (0..rows).step_by(BATCH as usize) {
            let numbers = first..rows.min(first + BATCH);
            let put = |number: u32| vec![(number.to_be_bytes().to_vec(), value(number))];
            let commit = |number| Ok((room(number)?, Commit { put: put(number), ..Commit::default() }));
            let group: Vec<_> = numbers.map(commit).collect::<Outcome<_>>()?;
            store.apply_group(&group).into_iter().collect::<Result<(), _>>()?;
            store.sync()?;
        }
        copy(&ended, &killed)?;
        drop(store);
        let folder = match bent {
            Bent::Database => ended,
            Bent::Log => killed,
        };
        Ok(Self { kind, bent, folder, rows })
    }

    fn may_lose(&self) -> u64 {
        let [of_small, of_large] = LOST_WITH_A_BYTE;
        if self.rows == ROWS[0] { of_small } else { of_large }
    }

    fn file(&self, folder: &Path) -> Outcome<PathBuf> {
        let found = match (self.bent, self.kind) {
            (Bent::Database, StoreKind::Sled) => return Ok(folder.join("sled/db")),
            (Bent::Database, StoreKind::Redb) => return Ok(folder.join("rows.redb")),
            (Bent::Log, StoreKind::Sled | StoreKind::Redb) => fs::read_dir(folder.join("ahead"))?.next(),
        };
        Ok(found.ok_or("there is no log")??.path())
    }

    fn flip(&self, bytes: &[u8], memory: &Path, places: impl Iterator<Item = usize>) -> Outcome<Tally> {
        let mut tally = Tally::default();
        for (place, done) in places.zip(1u64..) {
            let bent = memory.join("bent");
            copy(&self.folder, &bent)?;
            let mut changed = bytes.to_vec();
            changed[place] ^= 1 << (place % 8);
            fs::write(self.file(&bent)?, changed)?;
            let seen = catch_unwind(AssertUnwindSafe(|| self.look(&bent)));
            let seen = seen.map_err(|_| "a panic escaped".into()).and_then(|seen| seen);
            match seen.map_err(|why: Box<dyn std::error::Error + Send + Sync>| {
                format!("{}, byte {place}: {why}", self.kind)
            })? {
                Seen::Refused => {
                    tally.refused += 1;
                    tally.sought += u64::from(self.rows);
                    let scratch = memory.join(format!("scratch-{place}"));
                    let found = self.left(&bent, &scratch, place, bytes[place])?;
                    if found + self.may_lose() < u64::from(self.rows) {
                        return Err(
                            format!("{}, byte {place}: only {found} rows are found", self.kind).into()
                        );
                    }
                    tally.found += found;
                    tally.worst = tally.worst.max(u64::from(self.rows).saturating_sub(found));
                }
                Seen::Sound(rows) if rows == self.rows => tally.harmless += 1,
                Seen::Sound(0) => {
                    return Err(format!("{}, byte {place}: it opens and gives nothing", self.kind).into());
                }
                Seen::Sound(_) => tally.named += 1,
            }
            fs::remove_dir_all(&bent)?;
            if done % TOLD_EVERY == 0 {
                println!(
                    "{}: {done} bytes changed, {} refused, {} named",
                    self.kind, tally.refused, tally.named
                );
            }
        }
        Ok(tally)
    }

    fn look(&self, bent: &Path) -> Outcome<Seen> {
        let Some(mut store) = self.open(bent)? else { return Ok(Seen::Refused) };
        let (mut sound, mut missing) = (0, Vec::new());
        for number in 0..self.rows {
            match self.find(&store, number)? {
                Found::Sound => sound += 1,
                Found::Named => {}
                Found::Nothing => missing.push(number),
                // What lies there was named before; the others are served once it is opened again.
                Found::Closed => {
                    drop(store);
                    let Some(again) = self.open(bent)? else { return Ok(Seen::Refused) };
                    store = again;
                    match self.find(&store, number)? {
                        Found::Sound => sound += 1,
                        Found::Named => {}
                        Found::Nothing => missing.push(number),
                        Found::Closed => return Err(format!("row {number} closes the store").into()),
                    }
                }
            }
        }
        if missing.is_empty() {
            return Ok(Seen::Sound(sound));
        }
        Err(format!("rows {missing:?} are missing in silence, {sound} are read").into())
    }

    /// Nothing where it is refused as damaged.
    fn open(&self, bent: &Path) -> Outcome<Option<Arc<dyn Store>>> {
        match self.kind.open(bent) {
            Ok(store) => Ok(Some(store)),
            Err(OpenError::Damaged { .. }) => Ok(None),
            Err(other) => Err(format!("refused for another reason: {other}").into()),
        }
    }

    /// Rows that are found in the file of a store that refuses, as whoever tried to open it did not leave it.
    fn left(&self, bent: &Path, scratch: &Path, place: usize, byte: u8) -> Outcome<u64> {
        fs::remove_dir_all(bent)?;
        copy(&self.folder, bent)?;
        let mut changed = fs::read(self.file(bent)?)?;
        changed[place] = byte ^ (1 << (place % 8));
        fs::write(self.file(bent)?, changed)?;
        fs::create_dir_all(scratch)?;
        let remains = examine(bent, scratch)?;
        if remains.is_sound() {
            return Err(format!("byte {place}: what is refused is called sound").into());
        }
        let rooms = (0..ROOMS).map(|number| Ok(remains.rows(&room(number)?))).collect::<Outcome<Vec<_>>>()?;
        let mut found = 0;
        for number in 0..self.rows {
            let values = rooms[(number % ROOMS) as usize].get(&number.to_be_bytes()[..]);
            let values = values.map_or(&[][..], Vec::as_slice);
            if values.iter().any(|read| *read != value(number)) {
                return Err(format!("byte {place}: row {number} is found as it never was").into());
            }
            found += u64::from(!values.is_empty());
        }
        if matches!(self.bent, Bent::Log) && found + 1 < u64::from(self.rows) {
            return Err(
                format!("byte {place} cost more than the row of its record: {found} are found").into()
            );
        }
        drop(remains);
        // A thread of the database may still be writing there.
        let _ = fs::remove_dir_all(scratch);
        Ok(found)
    }

    fn find(&self, store: &Arc<dyn Store>, number: u32) -> Outcome<Found> {
        let start = number.to_be_bytes().to_vec();
        let end = [&start[..], &[0]].concat();
        match store.scan(&room(number)?, &Scan { start: start.clone(), end, max_bytes: 1 << 20, max_rows: 2 })
        {
            Ok(page) if page.rows.is_empty() && page.damaged == [start.clone()] => Ok(Found::Named),
            Ok(page) if page.rows == [(start, value(number))] => Ok(Found::Sound),
            Ok(page) if page.rows.is_empty() => Ok(Found::Nothing),
            Ok(_) => Err(format!("row {number} is not what was written").into()),
            Err(failure) if failure.kind == FailureKind::Damaged => Ok(Found::Named),
            Err(failure) if failure.kind == FailureKind::Closed => Ok(Found::Closed),
            Err(failure) => Err(failure.to_string().into()),
        }
    }
}

/// What came of looking for a row.
enum Found {
    Sound,
    Named,
    Nothing,
    /// The store takes no more questions.
    Closed,
}

enum Seen {
    Refused,
    Sound(u32),
}

fn room(number: u32) -> Outcome<Space> {
    Ok(Space::new(format!("room-{}", number % ROOMS))?)
}

/// Some of the values are long.
fn value(number: u32) -> Vec<u8> {
    let length = if number.is_multiple_of(10) { 5_000 } else { 60 };
    (0..length).map(|at: u32| (at ^ number.wrapping_mul(31)) as u8 | 1).collect()
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for found in fs::read_dir(from)? {
        let found = found?;
        let to = to.join(found.file_name());
        if found.path().is_dir() {
            copy(&found.path(), &to)?;
        } else {
            fs::copy(found.path(), to)?;
        }
    }
    Ok(())
}
