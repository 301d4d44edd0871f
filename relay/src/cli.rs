//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use causeway_core::ids::{RoomId, StreamId};
use causeway_store::StoreKind;
use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use crate::backup;
use crate::config::Config;
use crate::doctor::{self, DOCTOR_CODES};
use crate::failure::{OF_BACKUP, OF_QUARANTINE, OF_RESTORE, OF_SERVE, exit_codes};
use crate::history::KeepHistory;
use crate::origin::Origin;
use crate::quarantine;
use crate::restore;
use crate::standstill::StorePatience;
use crate::start;

/// The Causeway relay: keeps rooms, and carries what people write from one device to the others.
#[derive(Debug, Parser)]
#[command(name = "causeway-relay", version, after_help = "Each command says under --help what it ends with.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve rooms and the page that opens them.
    #[command(after_help = exit_codes(OF_SERVE))]
    Serve(ServeArgs),
    /// Write all rooms into a file, also while the relay serves them.
    #[command(after_help = exit_codes(OF_BACKUP))]
    Backup(BackupArgs),
    /// Fill an empty data folder from a backup; devices bring what it lacks.
    #[command(after_help = exit_codes(OF_RESTORE))]
    Restore(RestoreArgs),
    /// Show streams of which no snapshot can be made, save them for a look, try them again.
    #[command(after_help = exit_codes(OF_QUARANTINE))]
    Quarantine(QuarantineArgs),
    /// Say what is right and wrong with a data folder that no relay serves, without changing it.
    #[command(after_help = DOCTOR_CODES)]
    Doctor(DoctorArgs),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct QuarantineArgs {
    #[command(subcommand)]
    pub(crate) command: QuarantineCommand,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
}

#[derive(Subcommand, Clone, Debug)]
pub(crate) enum QuarantineCommand {
    /// A line for each stream: room, stream, since when (seconds since 1970), code, what happened.
    List,
    /// Write all rows of a stream into a file, as a backup that holds nothing else.
    Export {
        /// The room
        room: RoomId,
        /// The stream, as `list` says it
        stream: StreamId,
        /// File to write; `-` is stdout
        file: PathBuf,
    },
    /// Try to make snapshots of a stream again.
    Release {
        /// The room
        room: RoomId,
        /// The stream, as `list` says it
        stream: StreamId,
    },
}

#[derive(Args, Clone, Debug)]
pub(crate) struct DoctorArgs {
    /// Write all rooms that can be read as a backup, which `restore` makes a new folder of
    #[arg(long, value_name = "FILE")]
    pub(crate) salvage: Option<PathBuf>,
    /// Folder for a copy of the database while it is looked at [default: the system's for such things]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) scratch: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
}

/// Where rooms are kept: as for `serve`, also by its settings file.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FolderArgs {
    /// Folder that keeps the rooms [default: data]
    #[arg(long, global = true, value_name = "FOLDER", env = "CAUSEWAY_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Settings in TOML that say where it is
    #[arg(long, global = true, value_name = "FILE", env = "CAUSEWAY_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// A backup holds everything anybody wrote: keep it as you keep the data folder.
#[derive(Args, Clone, Debug)]
pub(crate) struct BackupArgs {
    /// File to write, which must not be there yet; `-` is stdout
    pub(crate) file: PathBuf,
    /// Look whether a backup is whole, and write nothing
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct RestoreArgs {
    /// The backup; `-` is stdin
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    /// Database that keeps the rooms from now on [default: redb]
    #[arg(long, value_name = "STORE", env = "CAUSEWAY_STORE")]
    pub(crate) store: Option<StoreName>,
}

/// Every setting can also stand in a file (same names, `_` for `-`) or in the environment. Flags are stronger than the
/// environment, and the environment is stronger than the file.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ServeArgs {
    /// Where to listen [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDRESS", env = "CAUSEWAY_LISTEN", value_parser = address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Folder that keeps the rooms; made if there is none [default: data]
    #[arg(long, value_name = "FOLDER", env = "CAUSEWAY_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Database that keeps them; a folder stays with the one that first wrote it [default: that one, or redb]
    #[arg(long, value_name = "STORE", env = "CAUSEWAY_STORE")]
    pub(crate) store: Option<StoreName>,
    /// Settings in TOML
    #[arg(long, value_name = "FILE", env = "CAUSEWAY_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Listen beyond this machine: a room's link is then all that anyone needs to read and write it
    #[arg(long, env = "CAUSEWAY_OPEN_TO_ANYONE", value_name = "YES", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub(crate) open_to_anyone: Option<bool>,
    /// How to write the log, which goes to stderr [default: pretty]
    #[arg(long, value_name = "FORMAT", env = "CAUSEWAY_LOG")]
    pub(crate) log: Option<LogFormat>,
    /// How much of it; `CAUSEWAY_LOG_FILTER` is finer and stronger [default: info]
    #[arg(long, value_name = "LEVEL", env = "CAUSEWAY_LOG_LEVEL")]
    pub(crate) log_level: Option<LogLevel>,
    /// Keep rooms in memory only: everything is gone when the relay ends
    #[arg(long, env = "CAUSEWAY_MEMORY", value_name = "YES", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub(crate) memory: Option<bool>,
    /// How long to keep history below snapshots: forever, or days or hours as in 90d or 12h [default: forever]
    #[arg(long, value_name = "SPAN", env = "CAUSEWAY_KEEP_HISTORY")]
    pub(crate) keep_history: Option<KeepHistory>,
    /// How long a call to the store may get no further before the relay ends itself with code 21, to be started anew:
    /// seconds or minutes as in 90s or 5m, or forever [default: 5m]
    #[arg(long, value_name = "SPAN", env = "CAUSEWAY_STORE_PATIENCE")]
    pub(crate) store_patience: Option<StorePatience>,
    /// Print the link of this room instead of a new one
    #[arg(long, value_name = "NAME", env = "CAUSEWAY_ROOM")]
    pub(crate) room: Option<RoomId>,
    /// A page served elsewhere that may connect, such as https://notes.example; may be said more than once
    #[arg(long, value_name = "ORIGIN", env = "CAUSEWAY_ALLOW_ORIGIN", value_delimiter = ',')]
    pub(crate) allow_origin: Option<Vec<Origin>>,
    /// Bytes of rows in memory at which they are carried into the database: torture sets few, so that it happens often
    #[arg(long, value_name = "BYTES", hide = true)]
    pub(crate) carry_bytes: Option<usize>,
}

/// An address and a port.
pub(crate) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "say an address in numbers and a port, such as 127.0.0.1:8787 or [::]:8787")
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line, for programs.
    Json,
}

/// How much is written to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// Faults of ours.
    Error,
    /// What somebody should look at.
    Warn,
    /// Who comes and goes.
    Info,
    /// Every decision.
    Debug,
    /// Every message, without what it says.
    Trace,
}

impl LogLevel {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Which embedded database keeps the rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreName {
    /// Fastest where many rooms write.
    Sled,
    /// Small on the disk, and of a damaged file it serves what is sound.
    Redb,
}

impl From<StoreName> for StoreKind {
    fn from(name: StoreName) -> Self {
        match name {
            StoreName::Sled => Self::Sled,
            StoreName::Redb => Self::Redb,
        }
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(args) => Config::settle(args).and_then(start::serve),
        Command::Backup(args) => backup::backup(&args),
        Command::Restore(args) => restore::restore(&args),
        Command::Quarantine(args) => quarantine::quarantine(&args),
        Command::Doctor(args) => return doctor::doctor(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("causeway-relay: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
