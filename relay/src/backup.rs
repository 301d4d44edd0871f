//! `causeway-relay backup`: all rooms into a file. The relay that serves the folder is asked for them at its door; where none
//! does the store is opened here.

mod output;

use std::io::{self, BufReader, PipeReader, Read, Write};
use std::path::Path;
use std::thread;

use causeway_core::ids::{RoomId, StreamId};
use causeway_store::StoreGate;
use causeway_store::backup::{
    self, BackupError, BackupReader, BackupWriter, Change, Packing, Step, Summary, printable,
};

use crate::cli::BackupArgs;
use crate::clock::Clock;
use crate::config;
use crate::door::Request;
use crate::failure::Failure;
use crate::progress::{Bytes, Count, Progress};
use crate::quarantine;
use crate::reach::{Reached, reach};

pub(crate) use output::{Kept, Output, STANDARD};

pub(crate) fn backup(args: &BackupArgs) -> Result<(), Failure> {
    let name = args.file.display().to_string();
    if args.check {
        return check(&args.file, &name);
    }
    // Before anybody is asked for anything.
    let out = Output::open(&args.file)?;
    let (folder, _) = config::folder_of(&args.folder)?;
    write(Source::of(&folder, Part::All)?, out, &args.file, |_| Ok(()))
}

/// All rows of one stream into a file, as a backup that holds nothing else.
pub(crate) fn export(folder: &Path, room: &RoomId, stream: StreamId, file: &Path) -> Result<(), Failure> {
    let out = Output::open(file)?;
    write(Source::of(folder, Part::Stream(room.clone(), stream))?, out, file, |told| {
        let nothing = || Failure::Nothing(format!("there is no {stream} in the room {room}"));
        if told.rows + told.lost == 0 { Err(nothing()) } else { Ok(()) }
    })
}

/// What was poured from one backup into another.
struct Poured<W> {
    writer: BackupWriter<W>,
    progress: Progress,
    /// What could not be read, a line each.
    lossy: Vec<String>,
}

/// Unless `accept` refuses what came.
fn write(
    mut source: Source,
    out: Output,
    file: &Path,
    accept: impl FnOnce(&Summary) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name = file.display().to_string();
    let reader = BackupReader::begin(&mut source).map_err(broken_off)?;
    let refuse = |why| Failure::Output { name: name.clone(), why };
    let writer = BackupWriter::begin(out, Packing::Deflated, reader.so_far().made).map_err(refuse)?;
    let Poured { writer, progress, lossy } = pour(reader, writer, &name)?;
    source.end();
    let (out, told) = writer.finish().map_err(refuse)?;
    accept(&told)?;
    let Kept { bytes, elsewhere } = out.keep().map_err(refuse)?;
    let place = elsewhere.as_deref().unwrap_or(file);
    progress.end(&told, &format!("; {} of file in {}", Bytes(bytes), place.display()));
    for line in &lossy {
        eprintln!("  {line}");
    }
    match elsewhere {
        Some(kept) => Err(Failure::Elsewhere { name: file.into(), kept }),
        None if told.lost > 0 => Err(Failure::Lossy { lost: told.lost }),
        None => Ok(()),
    }
}

/// Writes what comes, deflated; and says which rooms lack something.
fn pour<W: Write>(
    mut reader: BackupReader<impl Read>,
    mut writer: BackupWriter<W>,
    name: &str,
) -> Result<Poured<W>, Failure> {
    let refuse = |why| Failure::Output { name: name.into(), why };
    let (mut progress, mut lossy, mut room) = (Progress::begin("backup"), Vec::new(), None);
    loop {
        match reader.next_step().map_err(broken_off)? {
            Step::Room(space) => {
                writer.begin_room(&space).map_err(refuse)?;
                room = Some((printable(space.as_bytes()), Lacks::default()));
            }
            Step::Changes(changes) => {
                for change in &changes {
                    writer.change(change).map_err(refuse)?;
                    if let Some((_, lacks)) = &mut room {
                        lacks.note(change);
                    }
                }
                progress.tell(&writer.so_far());
            }
            Step::RoomEnd => lossy.extend(room.take().and_then(|(room, lacks)| lacks.line(&room))),
            Step::Gap(gap) => {
                writer.gap(&gap).map_err(refuse)?;
                lossy.push(format!("{gap}: none could be listed"));
            }
            Step::End(_) => return Ok(Poured { writer, progress, lossy }),
        }
    }
}

/// What could not be read of a room.
#[derive(Default)]
struct Lacks {
    rows: u64,
    all: bool,
}

impl Lacks {
    fn note(&mut self, change: &Change) {
        match change {
            Change::Lost(_) => self.rows += 1,
            Change::LeftOut => self.all = true,
            Change::Put(..) | Change::Delete(_) | Change::Clear(_) => {}
        }
    }

    fn line(&self, room: &str) -> Option<String> {
        match self {
            Self { all: true, .. } => Some(format!("{room}: could not be read, and is left out")),
            Self { rows: 0, .. } => None,
            Self { rows, .. } => Some(format!("{room}: {} could not be read", Count(*rows, "row"))),
        }
    }
}

/// What came from the relay or the store was not all.
fn broken_off(why: BackupError) -> Failure {
    match why {
        BackupError::BrokenOff(sentence) => Failure::BrokenOff(sentence),
        BackupError::CutOff(_) | BackupError::Read(_) => {
            Failure::BrokenOff("it ended before it was whole; the log of the relay may say why".into())
        }
        BackupError::NotABackup | BackupError::Newer { .. } | BackupError::Damaged { .. } => {
            Failure::BrokenOff(format!("what came is none: {why}"))
        }
    }
}

/// What is wanted of a store.
enum Part {
    All,
    Stream(RoomId, StreamId),
}

impl Part {
    fn request(&self) -> Request {
        match self {
            Self::All => Request::Backup,
            Self::Stream(room, stream) => Request::Export(room.clone(), *stream),
        }
    }
}

/// Where the rows come from.
enum Source {
    /// The relay that serves the folder.
    Relay(Box<dyn Read>),
    /// A store that was opened here, and a thread that reads it.
    Store(PipeReader, StoreGate),
}

impl Source {
    fn of(folder: &Path, part: Part) -> Result<Self, Failure> {
        let gate = match reach(folder, &part.request())? {
            Reached::Relay(answer) => return Ok(Self::Relay(answer)),
            Reached::Store(gate) => gate,
        };
        let (pipe, into) = io::pipe().map_err(Failure::System)?;
        let reading = gate.clone();
        let made = Clock::start().now().wall;
        // Whoever reads the pipe is told how it went.
        thread::spawn(move || {
            drop(match part {
                Part::All => backup::copy(&reading, into, Packing::Plain, made, &mut |_| {}),
                Part::Stream(room, stream) => {
                    let (space, part) = (quarantine::space_of(&room), quarantine::rows_of(stream));
                    backup::copy_part(&reading, &space, &part, into, made)
                }
            });
        });
        Ok(Self::Store(pipe, gate))
    }

    /// All was read.
    fn end(self) {
        match self {
            Self::Relay(_) => {}
            // Nothing was written, so there is nothing that could not be kept.
            Self::Store(_, gate) => drop(gate.close()),
        }
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Relay(answer) => answer.read(into),
            Self::Store(pipe, _) => pipe.read(into),
        }
    }
}

/// Reads all of a backup and tells what it holds.
fn check(file: &Path, name: &str) -> Result<(), Failure> {
    let refuse = |why| Failure::Input { name: name.into(), why };
    let broken = |why| Failure::Backup { name: name.into(), why };
    let mut reader = BackupReader::begin(BufReader::new(open(file).map_err(refuse)?)).map_err(broken)?;
    let mut progress = Progress::begin("check");
    loop {
        match reader.next_step().map_err(broken)? {
            Step::End(told) => {
                progress.end(&told, "; the backup is whole");
                return if told.lost > 0 { Err(Failure::Lossy { lost: told.lost }) } else { Ok(()) };
            }
            Step::Room(_) | Step::Changes(_) | Step::RoomEnd | Step::Gap(_) => {
                progress.tell(&reader.so_far());
            }
        }
    }
}

/// A backup to read; `-` is stdin.
pub(crate) fn open(file: &Path) -> io::Result<Box<dyn Read>> {
    if file == Path::new(output::STANDARD) {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(std::fs::File::open(file)?))
}
