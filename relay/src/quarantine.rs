//! Streams of which no snapshot can be made, and rooms that cannot be read: what is known of them, and what can be done.
//!
//! `causeway-relay quarantine` asks the relay that serves the folder, at its door; where none does the store is opened here.

use std::io::Read;

use causeway_core::ids::{RoomId, StreamId};
use causeway_core::storage::{Commit, FailureKind, Scan, StoreFailure};
use causeway_core::stored::{self, Prefix, QuarantineRecord};
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
            let list = match reach(&folder, &Request::List)? {
                Reached::Relay(mut answer) => {
                    let mut told = String::new();
                    answer.read_to_string(&mut told).map_err(Failure::System)?;
                    List::hear(&told)
                }
                Reached::Store(store) => list(&store),
            };
            print!("{}", list.lines);
            if let Some(why) = list.broken_off {
                return Err(Failure::Read(StoreFailure::new(FailureKind::Io, why)));
            }
            if list.lines.is_empty() {
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

/// What is in quarantine, as far as it could be found out.
pub(crate) struct List {
    /// A line for each stream: room, stream, since when, code, sentence; and for each room that cannot be read.
    pub(crate) lines: String,
    /// Why there may be more.
    pub(crate) broken_off: Option<String>,
}

impl List {
    /// As it goes through the door: whether it is all stands in the last line.
    pub(crate) fn tell(&self) -> String {
        let last = match &self.broken_off {
            None => ALL.to_owned(),
            Some(why) => format!("{BROKEN_OFF}{}", why.replace('\n', " ")),
        };
        format!("{}{last}\n", self.lines)
    }

    /// The same, at the other side. One that was cut on its way is broken off.
    fn hear(told: &str) -> Self {
        let end = told.trim_end_matches('\n').rfind('\n').map_or(0, |at| at + 1);
        let (lines, last) = told.split_at(end);
        match last.strip_suffix('\n') {
            Some(ALL) => Self { lines: lines.into(), broken_off: None },
            Some(last) if last.starts_with(BROKEN_OFF) => {
                Self { lines: lines.into(), broken_off: Some(last[BROKEN_OFF.len()..].into()) }
            }
            Some(_) | None => {
                let why = "the relay ended before it had told all of them";
                Self { lines: told.into(), broken_off: Some(why.into()) }
            }
        }
    }
}

/// The last line of a list. No room's name has such a beginning.
const ALL: &str = ". all";
const BROKEN_OFF: &str = ". broken off: ";

/// Looks through all rooms.
pub(crate) fn list(store: &StoreGate) -> List {
    let mut lines = String::new();
    let mut last: Option<Space> = None;
    loop {
        let spaces = match store.spaces_and_wait(last.as_ref(), SPACES) {
            Ok(spaces) => spaces,
            Err(failure) => {
                let behind = last.map_or_else(String::new, |last| format!(" behind {}", shown(&last)));
                let why = format!("the rooms{behind} cannot be listed: {failure}");
                return List { lines, broken_off: Some(why) };
            }
        };
        for space in &spaces {
            let found = of_room(store, space);
            for line in found.unwrap_or_else(|failure| vec![format!("cannot be read: {failure}")]) {
                lines.push_str(&format!("{}  {line}\n", shown(space)));
            }
        }
        if spaces.len() < SPACES {
            return List { lines, broken_off: None };
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

/// Whether a row belongs to a stream.
pub(crate) fn is_of(stream: StreamId) -> impl Fn(&[u8]) -> bool {
    move |key| stored::stream_of(key) == Some(stream)
}

pub(crate) fn space_of(room: &RoomId) -> Space {
    Space::new(room.as_str()).expect("a room's name is shorter than a space's")
}

/// Spaces, and rows of one, that are asked for at once.
const SPACES: usize = 256;
const PAGE_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rl15_a_list_that_was_broken_off_says_so_at_the_other_side_too() {
        for lines in ["", "harbour  directory  since 1 s  a.b  it failed\n", "a  b\nc  d\n"] {
            for why in [None, Some("the rooms cannot be listed: it is damaged.")] {
                let list = List { lines: lines.into(), broken_off: why.map(Into::into) };
                let told = list.tell();
                let heard = List::hear(&told);
                assert_eq!((&*heard.lines, heard.broken_off.as_deref()), (lines, why));
                for end in (0..told.len()).filter(|end| told.is_char_boundary(*end)) {
                    let cut = List::hear(&told[..end]);
                    assert!(cut.broken_off.is_some(), "{:?} passes for all", &told[..end]);
                }
            }
        }
    }
}
