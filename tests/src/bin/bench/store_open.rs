//! Opening a store of ten thousand rooms, after an end in order and after a kill.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use causeway_core::storage::Scan;
use causeway_store::StoreKind;

use crate::store_load::{entry, room};
use crate::store_size::{mib, size};
use crate::table::Table;

const ROOMS: u32 = 10_000;
const ENTRIES: u64 = 20;
/// Rooms in one batch.
const BATCH: u32 = 100;

/// DESIGN §9: a relay that starts again serves within this.
const BAR: Duration = Duration::from_secs(2);

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let mut rows = Vec::new();
    let mut held = true;
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir()?;
        let (ended, killed) = (folder.path().join("ended"), folder.path().join("killed"));
        fill(kind, &ended, &killed)?;
        for (name, data) in [("ended in order", &ended), ("killed", &killed)] {
            let bytes = size(data)?;
            let began = Instant::now();
            let store = kind.open(data)?;
            let opened = began.elapsed();
            let all = Scan { start: Vec::new(), end: vec![0xff], max_bytes: 1 << 20, max_rows: 1000 };
            let page = store.scan(&room(ROOMS / 2), &all)?;
            let served = began.elapsed();
            if page.rows.len() as u64 != 2 * ENTRIES + 2 {
                return Err("a room is not whole".into());
            }
            held &= served <= BAR;
            rows.push(vec![format!("{kind}, {name}"), mib(bytes), millis(opened), millis(served)]);
        }
    }
    Ok(Table {
        title: "Opening a store of 10,000 rooms",
        how: format!(
            "{ROOMS} rooms of {ENTRIES} entries. `killed` is the folder as a killed process leaves it: copied while the \
             store was open and carried nothing. redb's pages are all held \
             against their checksums."
        ),
        heads: &["store", "folder", "opened after", "one room read after"],
        rows,
        verdict: format!(
            "Bar: a relay serves within {} s of its start — {}.",
            BAR.as_secs(),
            if held { "held" } else { "NOT held" }
        ),
    })
}

fn fill(kind: StoreKind, ended: &Path, killed: &Path) -> Result<(), Box<dyn Error>> {
    let store = kind.open(ended)?;
    for first in (0..ROOMS).step_by(BATCH as usize) {
        let rooms = first..first + BATCH;
        let group: Vec<_> =
            rooms.flat_map(|n| (0..ENTRIES).map(move |arrival| (room(n), entry(arrival)))).collect();
        for answer in store.apply_group(&group) {
            answer?;
        }
        store.sync()?;
    }
    // While rows are carried into redb, pages that were copied one after the other are of no one moment.
    while ended.join("carrying").exists() {
        // pace: between two looks.
        sleep(Duration::from_millis(10));
    }
    copy(ended, killed)?;
    Ok(())
}

/// A folder as a killed process leaves it, if its store is open meanwhile.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for found in fs::read_dir(from)? {
        let found = found?;
        let to = to.join(found.file_name());
        // A socket is left of a relay that was killed.
        let kind = found.file_type()?;
        if kind.is_dir() {
            copy(&found.path(), &to)?;
        } else if kind.is_file() {
            fs::copy(found.path(), to)?;
        }
    }
    Ok(())
}

fn millis(span: Duration) -> String {
    format!("{:.0} ms", span.as_secs_f64() * 1000.0)
}
