//! Durable entries per second from rooms that write at once.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use causeway_store::{StoreHandle, StoreKind, WriterLimits};

use crate::store_load::{bytes, entry, room};
use crate::table::Table;

const ROOMS: u32 = 64;
const SPAN: Duration = Duration::from_secs(4);
/// The best of so many: the disk of a machine is seldom ours alone.
const ROUNDS: usize = 3;

/// DESIGN §9.
const BAR: f64 = 20_000.0;

/// Entries per second.
type Rate = Result<f64, Box<dyn Error>>;

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let floor = best(appended)?;
    let row = |name: &str, rate: f64| vec![name.into(), format!("{rate:.0}"), format!("{:.2}", rate / floor)];
    let mut rows = vec![row("raw file: the same bytes of 64 entries, then fdatasync", floor)];
    let mut verdict = format!("Bar: at least {BAR:.0}/s for the embedded default;");
    for kind in StoreKind::ALL {
        let rate = best(|folder| stored(kind, folder))?;
        rows.push(row(&format!("{kind}, {ROOMS} rooms, one entry each in flight"), rate));
        verdict.push_str(&format!(" {kind} {}", if rate >= BAR { "held" } else { "NOT held" }));
    }
    Ok(Table {
        title: "Durable entries per second",
        how: format!(
            "{ROOMS} rooms write at once, each waits for fsync before its next entry, so an fsync is shared by at most \
             {ROOMS} entries. An entry is four rows of {} bytes together. The best of {ROUNDS} rounds of {} s.",
            bytes(&entry(0)),
            SPAN.as_secs()
        ),
        heads: &["way", "entries/s", "against the raw file"],
        rows,
        verdict: format!("{verdict}."),
    })
}

fn best(measure: impl Fn(&Path) -> Rate) -> Rate {
    let mut best = 0f64;
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        best = best.max(measure(folder.path())?);
    }
    Ok(best)
}

fn appended(folder: &Path) -> Rate {
    let mut file = File::create(folder.join("raw"))?;
    let group = vec![7; bytes(&entry(0)) * ROOMS as usize];
    let began = Instant::now();
    let mut groups = 0;
    while began.elapsed() < SPAN {
        file.write_all(&group)?;
        file.sync_data()?;
        groups += 1;
    }
    Ok(f64::from(groups * ROOMS) / began.elapsed().as_secs_f64())
}

fn stored(kind: StoreKind, folder: &Path) -> Rate {
    let handle = StoreHandle::spawn(kind.open(folder)?, WriterLimits::default());
    let (answered, answers) = channel();
    let write = |number: u32, arrival: u64| {
        let answered = answered.clone();
        handle.commit(room(number), entry(arrival), move |answer| {
            let _ = answered.send((number, answer));
        });
    };
    let mut arrivals = [0; ROOMS as usize];
    let began = Instant::now();
    (0..ROOMS).for_each(|number| write(number, 0));
    let mut saved = 0u32;
    while began.elapsed() < SPAN {
        let (number, answer) = answers.recv()?;
        answer?;
        saved += 1;
        let arrival = &mut arrivals[number as usize];
        *arrival += 1;
        write(number, *arrival);
    }
    let rate = f64::from(saved) / began.elapsed().as_secs_f64();
    handle.close()?;
    Ok(rate)
}
