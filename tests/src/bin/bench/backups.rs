//! A backup of ten thousand rooms, and somebody who writes beside it.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use causeway_core::ids::StreamId;
use causeway_store::StoreKind;
use tokio::runtime::Builder;

use crate::load::{Author, Link, Server};
use crate::restart::fill;
use crate::samples::Samples;
use crate::stalled::write;
use crate::store_open::copy;
use crate::table::Table;

const EDITS: usize = 2_000;
const WARM_UP: usize = 200;
const ROOM: &str = "beside";
/// The word that makes this program the relay's command.
pub(crate) const COMMAND: &str = "backup";

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let mut rows = Vec::new();
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("killed");
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(fill(kind, folder.path(), &data))?;
        let began = Instant::now();
        copy(&data, &folder.path().join("floor"))?;
        let floor = began.elapsed();
        let server = Server::start_relay(kind, &data)?;
        let measured = runtime.block_on(beside(&server, &data, folder.path()))?;
        let seconds = |span: Duration| format!("{:.2} s", span.as_secs_f64());
        let spans = |samples: &Samples| {
            let [p50, p99] = [0.5, 0.99].map(|share| samples.quantile(share).as_secs_f64() * 1000.0);
            format!("{p50:.1} ms, {p99:.1} ms")
        };
        let mebibytes = |bytes: f64| format!("{:.1} MiB", bytes / 1_048_576.0);
        rows.push(vec![
            kind.to_string(),
            seconds(measured.backup),
            seconds(floor),
            mebibytes(measured.size),
            mebibytes(measured.grown),
            spans(&measured.alone),
            spans(&measured.beside),
        ]);
    }
    Ok(Table {
        title: "A backup beside a writer",
        how: format!(
            "10,000 rooms of 20 entries. One writes {EDITS} edits one after the other and another reads them, alone and \
             while one backup is made after the other. The floor is to copy the folder's files, which is no backup while a \
             relay serves. Memory is what the relay's process grew by."
        ),
        heads: &[
            "store",
            "a backup takes",
            "floor",
            "its file",
            "memory",
            "edit → reader alone, p50 and p99",
            "beside backups",
        ],
        rows,
        verdict: "No bar.".into(),
    })
}

struct Measured {
    backup: Duration,
    size: f64,
    grown: f64,
    alone: Samples,
    beside: Samples,
}

async fn beside(server: &Server, data: &Path, folder: &Path) -> Result<Measured, Box<dyn Error>> {
    let stream = StreamId::first_document(&ROOM.parse()?);
    let mut author = Author::new(1, stream);
    let mut writer = Link::join(server, ROOM, &author.identity, stream).await?;
    let mut reader = Link::join(server, ROOM, &Author::new(2, stream).identity, stream).await?;
    write(&mut writer, &mut reader, author.text(WARM_UP, "a few words, "), &mut Samples::default()).await?;
    let (mut alone, mut beside) = (Samples::default(), Samples::default());
    write(&mut writer, &mut reader, author.more_text(EDITS, "a few words, "), &mut alone).await?;
    let (resident, done) = (server.resident(), Arc::new(AtomicBool::new(false)));
    let file = folder.join("rooms.backup");
    let backups = {
        let (done, data, file) = (Arc::clone(&done), data.to_owned(), file.clone());
        thread::spawn(move || {
            let mut made = Vec::new();
            while made.is_empty() || !done.load(Ordering::Relaxed) {
                let _ = fs::remove_file(&file);
                made.push(backup(&data, &file).map_err(|why| why.to_string())?);
            }
            Ok::<_, String>(made)
        })
    };
    let edits = author.more_text(EDITS, "a few words, ");
    let written = write(&mut writer, &mut reader, edits, &mut beside).await;
    done.store(true, Ordering::Relaxed);
    let mut made = backups.join().map_err(|_| "the backups panicked")??;
    written?;
    made.sort();
    let size = fs::metadata(&file)?.len() as f64;
    let grown = (server.resident() - resident).max(0.0);
    Ok(Measured { backup: made[made.len() / 2], size, grown, alone, beside })
}

/// As whoever runs the relay makes one.
fn backup(data: &Path, file: &Path) -> Result<Duration, Box<dyn Error>> {
    let began = Instant::now();
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.arg(COMMAND).arg(file).arg("--data").arg(data).output()?;
    if output.status.success() {
        return Ok(began.elapsed());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
