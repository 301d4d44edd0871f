//! The relay's side of its door.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use causeway_core::ids::{RoomId, StreamId};
use causeway_store::backup::{self, Packing};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::{LINE_BYTES, Request, by_short_path};
use crate::limits::{ACCEPT_PAUSE, DOOR_AWAY_PATIENCE, DOOR_CALLERS, DOOR_PATIENCE, HEAD_PATIENCE};
use crate::quarantine;
use crate::rooms::Rooms;

/// Answers whoever calls, until it is dropped. A relay whose door cannot be opened serves all the same.
pub(crate) async fn serve(path: Option<&Path>, rooms: &Rooms) {
    let Some(path) = path else { return std::future::pending().await };
    let path = path.to_owned();
    // On a thread that may wait: one that waits for a disk that hangs keeps the process, and this one is the first of it.
    let opened = spawn_blocking(move || Door::open(&path)).await.map_err(io::Error::other);
    let door = match opened.flatten() {
        Ok(door) => door,
        Err(error) => {
            warn!(%error, "no door for backups can be made in the data folder; they need the relay stopped");
            return std::future::pending().await;
        }
    };
    let callers = Arc::new(Semaphore::new(DOOR_CALLERS));
    let mut calls = JoinSet::new();
    loop {
        while calls.try_join_next().is_some() {}
        let Ok((stream, _)) = door.listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let seat = match door.admit(&stream, &callers) {
            Ok(seat) => seat,
            Err(sentence) => {
                // Who went away does not want to know.
                let _ = stream.into_std().and_then(|stream| refuse(stream, sentence));
                continue;
            }
        };
        let rooms = rooms.clone();
        calls.spawn(async move {
            let _seat = seat;
            // Who goes away while being answered knows so.
            let _ = answer(stream, rooms).await;
        });
    }
}

/// The socket, for as long as the relay serves.
struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// Who runs the relay.
    owner: u32,
}

impl Door {
    /// We hold the lock of the folder: what lies there is left of a relay that was killed.
    fn open(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            Ok(()) | Err(_) => {}
        }
        let listener = by_short_path(path, |path| UnixListener::bind(path))?;
        let door = Self { listener, path: path.into(), owner: fs::metadata(path)?.uid() };
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(door)
    }

    /// A seat, or why there is none.
    fn admit(
        &self,
        stream: &UnixStream,
        callers: &Arc<Semaphore>,
    ) -> Result<OwnedSemaphorePermit, &'static str> {
        if !stream.peer_cred().is_ok_and(|who| who.uid() == self.owner || who.uid() == 0) {
            return Err("it answers only the user that it runs as, and root; run this as one of them");
        }
        let seat = Arc::clone(callers).try_acquire_owned();
        seat.map_err(|_| "too many ask at once; try again when they are done")
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.path);
        let (away, is_away) = channel();
        let takes_away = move || {
            let _ = fs::remove_file(path);
            let _ = away.send(());
        };
        // A disk that hangs must not keep the process: whoever opens the door next takes away what is left.
        if thread::Builder::new().spawn(takes_away).is_ok() {
            let _ = is_away.recv_timeout(DOOR_AWAY_PATIENCE);
        }
    }
}

async fn answer(stream: UnixStream, rooms: Rooms) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    timeout(HEAD_PATIENCE, (&mut stream).take(LINE_BYTES).read_line(&mut line)).await??;
    // Answers are written as the disk gives them, on a thread that may wait.
    let stream = stream.into_inner().into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(DOOR_PATIENCE))?;
    match Request::parse(&line) {
        Some(Request::Backup) => {
            spawn_blocking(move || give_backup(stream, &rooms)).await.map_err(io::Error::other)?
        }
        Some(Request::List) => {
            spawn_blocking(move || give_list(stream, &rooms)).await.map_err(io::Error::other)?
        }
        Some(Request::Export(room, of)) => {
            spawn_blocking(move || give_stream(stream, &rooms, &room, of)).await.map_err(io::Error::other)?
        }
        Some(Request::Release(room, of)) => {
            // Nobody is let into a room for a name that is none.
            let (asking, asked) = (rooms.clone(), room.clone());
            let looked = spawn_blocking(move || quarantine::is_set_apart(&asking.around().store, &asked, of));
            match looked.await.map_err(io::Error::other)? {
                Ok(true) => match rooms.release(&room, of).await {
                    Ok(()) => grant(stream),
                    Err(why) => refuse(stream, &why.to_string()),
                },
                Ok(false) => refuse(stream, &quarantine::not_set_apart(&room, of)),
                Err(failure) => refuse(stream, &failure.to_string()),
            }
        }
        None => refuse(stream, "this relay does not know that request; use the program of its version"),
    }
}

fn refuse(mut stream: BlockingStream, sentence: &str) -> io::Result<()> {
    stream.write_all(format!("no {sentence}\n").as_bytes())
}

fn grant(mut stream: BlockingStream) -> io::Result<()> {
    stream.write_all(b"ok\n")
}

/// Followed by a line for each stream, and for each room that cannot be served.
fn give_list(mut stream: BlockingStream, rooms: &Rooms) -> io::Result<()> {
    let text = quarantine::list(&rooms.around().store);
    let ailing = rooms.ailing();
    let ailing: String = ailing.iter().map(|(room, why)| format!("{room}  {why}\n")).collect();
    stream.write_all(format!("ok\n{text}{ailing}").as_bytes())
}

/// Followed by a backup of the stream.
fn give_stream(mut stream: BlockingStream, rooms: &Rooms, room: &RoomId, of: StreamId) -> io::Result<()> {
    stream.write_all(b"ok\n")?;
    let (around, space) = (rooms.around(), quarantine::space_of(room));
    let out = io::BufWriter::with_capacity(WRITE_BYTES, stream);
    let made = around.clock.now().wall;
    if let Err(error) = backup::copy_part(&around.store, &space, &quarantine::rows_of(of), out, made) {
        warn!(%error, "the copy of a stream was broken off");
    }
    Ok(())
}

/// Followed by a backup.
fn give_backup(mut stream: BlockingStream, rooms: &Rooms) -> io::Result<()> {
    stream.write_all(b"ok\n")?;
    let (around, began) = (rooms.around(), Instant::now());
    let made = around.clock.now().wall;
    info!("a backup was asked for");
    let out = io::BufWriter::with_capacity(WRITE_BYTES, stream);
    match backup::copy(&around.store, out, Packing::Plain, made, &mut |_| {}) {
        Ok((_, told)) => {
            let seconds = began.elapsed().as_secs();
            info!(rooms = told.rooms, rows = told.rows, lost = told.lost, seconds, "a backup was read");
        }
        Err(error) => warn!(%error, "a backup was broken off"),
    }
    Ok(())
}

/// Few calls: a record is mostly longer.
const WRITE_BYTES: usize = 64 * 1024;
