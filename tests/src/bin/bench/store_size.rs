//! What a store takes on the disk after a long life of writing and taking away.

use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;

use causeway_core::storage::Commit;
use causeway_store::{Space, StoreKind};

use crate::store_load::{bytes, cover, entry, room};
use crate::table::Table;

const ROOMS: u32 = 64;
/// Entries of a room that are written and then covered by a snapshot, and how often.
const TAIL: u64 = 200;
const ROUNDS: u64 = 20;
/// The page that a snapshot writes anew each time.
const PAGE_BYTES: usize = 40_000;

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let mut rows = Vec::new();
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir()?;
        let (written, live) = churn(kind, folder.path())?;
        let open = size(folder.path())?;
        drop(kind.open(folder.path())?);
        let again = size(folder.path())?;
        rows.push(vec![
            kind.to_string(),
            mib(written),
            mib(live),
            mib(open),
            mib(again),
            format!("{:.1}", again as f64 / live as f64),
        ]);
    }
    Ok(Table {
        title: "Size on disk after churn",
        how: format!(
            "{ROOMS} rooms; {ROUNDS} times each writes {TAIL} entries, then a page of {} KB that covers them and takes them \
             away. Live are the keys and values of the rows that are left.",
            PAGE_BYTES / 1000
        ),
        heads: &["store", "written", "live", "folder", "opened once more", "folder against live"],
        rows,
        verdict: "No bar; the floor is what is live.".into(),
    })
}

/// Bytes of rows written in all, and bytes of those that are left.
fn churn(kind: StoreKind, folder: &Path) -> Result<(usize, usize), Box<dyn Error>> {
    let store = kind.open(folder)?;
    let (mut written, mut live) = (0, 0);
    let mut apply = |group: &[(Space, Commit)]| -> Result<(), Box<dyn Error>> {
        written += group.iter().map(|(_, commit)| bytes(commit)).sum::<usize>();
        for answer in store.apply_group(group) {
            answer?;
        }
        Ok(store.sync()?)
    };
    let all = |commit: &Commit| (0..ROOMS).map(|n| (room(n), commit.clone())).collect::<Vec<_>>();
    for round in 0..ROUNDS {
        let tail = round * TAIL..(round + 1) * TAIL;
        for arrival in tail.clone() {
            apply(&all(&entry(arrival)))?;
        }
        let page = entry(round).put[0].1.repeat(PAGE_BYTES / 300);
        let covered = tail.clone().flat_map(|arrival| cover(arrival).delete).collect();
        apply(&all(&Commit { put: vec![(b"p".to_vec(), page)], delete: covered, ..Commit::default() }))?;
    }
    for number in 0..ROOMS {
        let all = causeway_core::storage::Scan {
            start: Vec::new(),
            end: vec![0xff],
            max_bytes: usize::MAX,
            max_rows: usize::MAX,
        };
        live += store.scan(&room(number), &all)?.rows.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>();
    }
    Ok((written, live))
}

/// Bytes that the files of a folder take on the disk.
pub(crate) fn size(folder: &Path) -> io::Result<usize> {
    let mut sum = 0;
    for found in fs::read_dir(folder)? {
        let found = found?;
        let about = found.metadata()?;
        sum += if about.is_dir() { size(&found.path())? } else { taken(&about) };
    }
    Ok(sum)
}

/// Blocks and not the length: files have holes.
#[cfg(unix)]
fn taken(about: &fs::Metadata) -> usize {
    use std::os::unix::fs::MetadataExt;
    about.blocks() as usize * 512
}

#[cfg(not(unix))]
fn taken(about: &fs::Metadata) -> usize {
    about.len() as usize
}

pub(crate) fn mib(bytes: usize) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
