//! `causeway-relay doctor`: what is right and wrong with a data folder, in sentences; and, with `--salvage`, a backup of all
//! that can still be read of it. Nothing in the folder is changed.

mod leavings;
mod report;
mod scratch;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use causeway_core::ids::StreamId;
use causeway_core::salvage::{Found, Salvaged, put_together};
use causeway_core::stored::{self, Prefix};
use causeway_store::Space;
use causeway_store::backup::{BackupWriter, Change, Packing, own_space};
use causeway_store::remains::{Remains, examine};

use crate::backup::{Kept, Output, STANDARD};
use crate::cli::DoctorArgs;
use crate::clock::Clock;
use crate::config;
use crate::failure::Failure;

use leavings::Leavings;
use report::Report;
use scratch::Scratch;

/// Runs it and answers its exit code.
pub(crate) fn doctor(args: &DoctorArgs) -> ExitCode {
    // A damaged database may panic as it is read, which is held and told in a sentence.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let of_a_database = |file: &str| file.contains("/sled-") || file.contains("/redb-");
        if !panic.location().is_some_and(|at| of_a_database(at.file())) {
            told(panic);
        }
    }));
    match look(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(WRONG),
        Err(failure) => {
            eprintln!("causeway-relay: {failure}");
            ExitCode::from(NOT_LOOKED_AT)
        }
    }
}

/// Whether all is as it should be.
fn look(args: &DoctorArgs) -> Result<bool, Failure> {
    let (folder, _) = config::folder_of(&args.folder)?;
    let leavings = Leavings::watch(NOT_LOOKED_AT).map_err(Failure::System)?;
    let (out, scratch) = leavings.during(|made| {
        let out = args.salvage.as_deref().map(Output::open).transpose()?;
        made.paths.extend(out.as_ref().and_then(Output::beside).map(Path::to_path_buf));
        let scratch = Scratch::make(args.scratch.as_deref())?;
        made.paths.push(scratch.path().into());
        Ok::<_, Failure>((out, scratch))
    })?;
    let report = Report::beside(args.salvage.as_deref());
    // Whoever kills us removes it.
    eprintln!("a copy of the database is made in {}, and removed at the end", scratch.path().display());
    let remains = examine(&folder, scratch.path())?;
    for finding in &remains.findings {
        report.line(finding);
    }
    let mut rooms = Rooms { is_sound: remains.is_sound(), report, count: 0, whole: 0 };
    match (&args.salvage, out) {
        (Some(name), Some(out)) => salvage(&remains, &mut rooms, name, out, &leavings)?,
        (Some(_), None) | (None, _) => {
            for space in remains.spaces().filter(|space| **space != own_space()) {
                rooms.look(space, &remains.rows(space));
            }
        }
    }
    let Rooms { is_sound, count, whole, .. } = rooms;
    let whole_of = if is_sound { "are whole" } else { "can be put together whole from what is left" };
    report.line(format!("{whole} of {count} rooms {whole_of}."));
    if !is_sound && args.salvage.is_none() {
        report.line(
            "`causeway-relay doctor --salvage FILE` writes all that can be read as a backup, for `restore`.",
        );
    }
    Ok(is_sound && whole == count)
}

/// Writes all rooms as far as they could be put together.
fn salvage(
    remains: &Remains,
    rooms: &mut Rooms,
    name: &Path,
    out: Output,
    leavings: &Leavings,
) -> Result<(), Failure> {
    let refuse = |why| Failure::Output { name: name.display().to_string(), why };
    let made = Clock::start().now().wall;
    let mut writer = BackupWriter::begin(out, Packing::Deflated, made).map_err(refuse)?;
    for space in remains.spaces() {
        let found = remains.rows(space);
        let rows = if *space == own_space() {
            let newest =
                found.into_iter().filter_map(|(key, values)| Some((key, values.into_iter().next()?)));
            newest.collect()
        } else {
            rooms.look(space, &found).rows
        };
        writer.begin_room(space).map_err(refuse)?;
        for (key, value) in rows {
            writer.change(&Change::Put(key, value)).map_err(refuse)?;
        }
    }
    let (out, told) = writer.finish().map_err(refuse)?;
    // Something may have appeared under the name meanwhile, which stays.
    let place = leavings.during(|made| {
        let Kept { elsewhere, .. } = out.keep()?;
        let place = elsewhere.unwrap_or_else(|| name.to_path_buf());
        made.whole = (name != Path::new(STANDARD)).then(|| place.clone());
        Ok(place)
    });
    let place = place.map_err(refuse)?;
    rooms.report.line(format!(
        "{} rows of {} rooms are in {}; restore it into a new folder.",
        told.rows,
        told.rooms,
        place.display()
    ));
    Ok(())
}

/// What was found of the rooms.
struct Rooms {
    /// Whether the database is.
    is_sound: bool,
    report: Report,
    count: u64,
    whole: u64,
}

impl Rooms {
    /// Puts a room together and tells what is wrong with it.
    fn look(&mut self, space: &Space, found: &Found) -> Salvaged {
        let salvaged = put_together(found);
        let name = String::from_utf8_lossy(space.as_bytes());
        self.count += 1;
        let mut whole = salvaged.lost.is_empty();
        for loss in &salvaged.lost {
            self.report.line(format!("WRONG  {name}: lost of {loss}"));
        }
        // Beside a damaged database older rows are found, which are none of the room's.
        if self.is_sound {
            for stream in unlike(found, &salvaged) {
                whole = false;
                self.report.line(format!("WRONG  {name}: {stream}: rows that do not belong together"));
            }
        }
        self.whole += u64::from(whole);
        salvaged
    }
}

/// Streams whose rows are not what they would be if they were made anew. Drafts of snapshots come and go.
fn unlike(found: &Found, salvaged: &Salvaged) -> BTreeSet<StreamId> {
    let drafted: BTreeSet<StreamId> = found
        .keys()
        .filter(|key| is_of(key, Prefix::Draft))
        .filter_map(|key| stored::stream_of(key))
        .collect();
    let differs = |(key, values): (&Vec<u8>, &Vec<Vec<u8>>)| {
        let stream = stored::stream_of(key)?;
        let made = salvaged.rows.get(key);
        let comes_and_goes = is_of(key, Prefix::Draft)
            || (is_of(key, Prefix::Page) && made.is_none() && drafted.contains(&stream));
        (!comes_and_goes && made != values.first()).then_some(stream)
    };
    let missing = salvaged.rows.keys().filter(|key| !found.contains_key(*key));
    found.iter().filter_map(differs).chain(missing.filter_map(|key| stored::stream_of(key))).collect()
}

fn is_of(key: &[u8], prefix: Prefix) -> bool {
    key.first() == Some(&(prefix as u8))
}

const WRONG: u8 = 1;
const NOT_LOOKED_AT: u8 = 2;

/// Shown under `--help`.
pub(crate) const DOCTOR_CODES: &str = "\
Exit codes:
   0  everything is as it should be
   1  something is wrong, and was said
   2  the folder could not be looked at, or not to the end";
