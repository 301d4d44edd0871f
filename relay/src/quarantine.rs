//! Streams of which no snapshot can be made, and rooms that cannot be read: what is known of them, and what can be done.
//!
//! `causeway-relay quarantine` asks the relay that serves the folder, at its door; where none does the store is opened here.

use std::io::Read;

use causeway_core::ids::{RoomId, StreamId};
use causeway_core::storage::{Commit, FailureKind, Scan, StoreFailure};
use causeway_core::stored::{self, Prefix, QuarantineRecord};
use causeway_store::backup::Part;
use causeway_store::{Space, StoreGate};

use crate::backup;
use crate::cli::{QuarantineArgs, QuarantineCommand};
use crate::config;
use crate::door::Request;
use crate::failure::Failure;
use crate::reach::{Reached, reach};

/// Runs it.
pub(crate) fn quarantine(args: &QuarantineArgs) -> Result<(), Failure> {
    let (folder, _) = config::folder_of(&args.folder)?;
    match &args.command {
        QuarantineCommand::List => {
            let text = match reach(&folder, &Request::List)? {
                Reached::Relay(mut answer) => {
                    let mut text = String::new();
                    answer.read_to_string(&mut text).map_err(Failure::System)?;
                    text
                }
                Reached::Store(store) => list(&store),
            };
            print!("{text}");
            if text.is_empty() {
                eprintln!("nothing is in quarantine");
            }
            Ok(())
        }
        QuarantineCommand::Export { room, stream, file } => backup::export(&folder, room, *stream, file),
        QuarantineCommand::Release { room, stream } => {
            match reach(&folder, &Request::Release(room.clone(), *stream))? {
                Reached::Relay(_) => {}
                Reached::Store(store) => release(&store, room, *stream)?,
            }
            eprintln!("snapshots of {stream} are tried again when the room is next open");
            Ok(())
        }
    }
}

/// A line for each stream in quarantine: room, stream, since when, code, sentence; and for each room that cannot be read.
pub(crate) fn list(store: &StoreGate) -> String {
    let mut text = String::new();
    let mut last: Option<Space> = None;
    loop {
        let spaces = match store.spaces_and_wait(last.as_ref(), SPACES) {
            Ok(spaces) => spaces,
            Err(failure) => {
                let behind = last.map_or_else(String::new, |last| format!(" behind {}", shown(&last)));
                return text + &format!("rooms{behind} cannot be listed: {failure}\n");
            }
        };
        for space in &spaces {
            let lines = of_room(store, space);
            let lines = lines.unwrap_or_else(|failure| vec![format!("cannot be read: {failure}")]);
            for line in lines {
                text.push_str(&format!("{}  {line}\n", shown(space)));
            }
        }
        if spaces.len() < SPACES {
            return text;
        }
        last = spaces.into_iter().next_back();
    }
}

fn shown(space: &Space) -> String {
    space.as_bytes().escape_ascii().to_string()
}

fn of_room(store: &StoreGate, space: &Space) -> Result<Vec<String>, StoreFailure> {
    let (start, end) = Prefix::Quarantine.range();
    let mut scan = Scan { start, end, max_bytes: PAGE_BYTES, max_rows: SPACES };
    let mut lines = Vec::new();
    loop {
        let page = store.scan_and_wait(space, &scan)?;
        let rows = page.rows.iter().map(|(key, value)| (key, QuarantineRecord::decode(value).ok()));
        for (key, record) in rows.chain(page.damaged.iter().map(|key| (key, None))) {
            let Some(stream) = stored::parse_stream_key(key) else { continue };
            lines.push(match record {
                Some(QuarantineRecord { code, sentence, since, again, .. }) => {
                    let again = again.map(|at| format!("; tried again from {} s on", at.0 / 1000));
                    let again = again.unwrap_or_default();
                    format!("{stream}  since {} s  {code}  {sentence}{again}", since.0 / 1000)
                }
                None => format!("{stream}  its reason cannot be read"),
            });
        }
        match page.more {
            Some(next) => scan.start = next,
            None => return Ok(lines),
        }
    }
}

/// Of a room that is not open: the next who opens it tries again.
fn release(store: &StoreGate, room: &RoomId, stream: StreamId) -> Result<(), Failure> {
    if !is_set_apart(store, room, stream).map_err(Failure::Read)? {
        return Err(Failure::Nothing(not_set_apart(room, stream)));
    }
    let commit = Commit { delete: vec![stored::quarantine_key(&stream)], ..Commit::default() };
    let made = store.commit_and_wait(&space_of(room), commit);
    made.map_err(|error| Failure::Read(StoreFailure::new(FailureKind::Io, error.to_string())))?;
    store.close().map_err(Failure::Read)
}

/// Whether a stream is in quarantine, also where its reason cannot be read.
pub(crate) fn is_set_apart(store: &StoreGate, room: &RoomId, stream: StreamId) -> Result<bool, StoreFailure> {
    let start = stored::quarantine_key(&stream);
    let end = [start.as_slice(), &[0]].concat();
    let page = store.scan_and_wait(&space_of(room), &Scan { start, end, max_bytes: 0, max_rows: 1 })?;
    Ok(!page.rows.is_empty() || !page.damaged.is_empty())
}

pub(crate) fn not_set_apart(room: &RoomId, stream: StreamId) -> String {
    format!("{stream} of the room {room} is not in quarantine")
}

/// The rows of a stream.
pub(crate) fn rows_of(stream: StreamId) -> Part {
    Part { prefixes: Prefix::OF_STREAMS.map(|prefix| stored::stream_prefix(prefix, &stream)).to_vec() }
}

pub(crate) fn space_of(room: &RoomId) -> Space {
    Space::new(room.as_str()).expect("a room's name is shorter than a space's")
}

/// Spaces, and rows of one, that are asked for at once.
const SPACES: usize = 256;
const PAGE_BYTES: usize = 64 * 1024;
