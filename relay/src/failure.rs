//! Why the relay did not start or ended badly: one sentence each, and an exit code.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;

use causeway_core::storage::StoreFailure;
use causeway_store::OpenError;
use causeway_store::backup::BackupError;
use causeway_store::remains::ExamineError;

use crate::server::RunError;

/// A failure of the program. Before a relay has started, nothing was touched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("The configuration file {} cannot be used: {why}.", .path.display())]
    Config { path: PathBuf, why: String },
    #[error(
        "Listening on {0} lets everyone who reaches this machine read and write every room whose link they have; \
         say --open-to-anyone if that is what you want."
    )]
    NotOpen(SocketAddr),
    #[error("The address {0} is in use by another program; end that one or choose another with --listen.")]
    PortTaken(SocketAddr),
    #[error("This machine cannot listen on {0} ({1}); choose another address with --listen.")]
    Address(SocketAddr, io::Error),
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("There is no store in {}; say with --data where the relay keeps its rooms.", .0.display())]
    NoStore(PathBuf),
    #[error("The backup {name} cannot be used: {}.", bare(.why))]
    Backup { name: String, why: BackupError },
    #[error("{} is there already and was left as it is; choose another name.", .0.display())]
    InTheWay(PathBuf),
    #[error(
        "{} appeared while the backup was made, and was left as it is; the backup is whole and is in {}.",
        .name.display(), .kept.display()
    )]
    Elsewhere { name: PathBuf, kept: PathBuf },
    #[error("The backup cannot be written to {name}: {why}; free some space or choose another place.")]
    Output { name: String, why: io::Error },
    #[error("The backup {name} cannot be read: {why}.")]
    Input { name: String, why: io::Error },
    #[error("The backup cannot be restored: {0}")]
    Restore(StoreFailure),
    #[error("{why} What was restored is still in {} ({left}) and opened by nobody; remove it.", .folder.display())]
    Left { why: Box<Failure>, folder: PathBuf, left: io::Error },
    #[error("The store cannot be read: {0}")]
    Read(StoreFailure),
    #[error("The relay was asked and said: {}.", bare(.0))]
    Refused(String),
    #[error("{0}.")]
    Nothing(String),
    #[error("The backup was broken off: {}.", bare(.0))]
    BrokenOff(String),
    #[error("The data folder {} is not open to whoever runs this; run it as the user of the relay, or as root.", .0.display())]
    Foreign(PathBuf),
    #[error(
        "The data folder {} is in use by a process that cannot be asked ({why}); try again in a moment. Only a relay whose log \
         says that it has no door has to be stopped for a backup.",
        .folder.display()
    )]
    NoDoor { folder: PathBuf, why: String },
    #[error(
        "{lost} rows or rooms could not be read and are not in the backup; all else is. Look at the folder with `causeway-relay doctor`."
    )]
    Lossy { lost: u64 },
    #[error(transparent)]
    Examine(#[from] ExamineError),
    #[error("No copy of the database can be made in {}: {why}; choose another folder with --scratch.", .folder.display())]
    Scratch { folder: PathBuf, why: io::Error },
    #[error("The system refused to start the relay: {0}.")]
    System(io::Error),
    #[error("The relay ended badly: {0}.")]
    Run(#[from] RunError),
}

impl Failure {
    pub(crate) fn bind(address: SocketAddr, error: io::Error) -> Self {
        if error.kind() == ErrorKind::AddrInUse {
            Self::PortTaken(address)
        } else {
            Self::Address(address, error)
        }
    }

    /// Stable across versions; `--help` lists them.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::System(_) | Self::Run(RunError::Unreadable(_) | RunError::Store(_) | RunError::Disk(_)) => {
                1
            }
            Self::Config { .. } => 3,
            Self::NotOpen(_) => 4,
            Self::PortTaken(_) => 5,
            Self::Address(..) => 6,
            Self::Store(OpenError::Locked(_)) => 7,
            Self::Store(OpenError::NotWritable(_) | OpenError::NotAFolder(_)) => 8,
            Self::Store(OpenError::NewerFormat { .. } | OpenError::OlderFormat { .. }) => 9,
            Self::Store(OpenError::Damaged { .. }) => 10,
            Self::Store(OpenError::Full(_)) => 11,
            Self::Store(OpenError::Io { .. }) => 12,
            Self::Store(OpenError::OtherKind { .. }) => 13,
            Self::Store(OpenError::HalfRestored(_)) => 14,
            Self::Backup { .. } => 15,
            Self::InTheWay(_) | Self::Elsewhere { .. } | Self::Store(OpenError::NotEmpty(_)) => 16,
            Self::Output { .. } | Self::Input { .. } | Self::Restore(_) | Self::Read(_) => 17,
            Self::Left { why, .. } => why.exit_code(),
            Self::Refused(_)
            | Self::Nothing(_)
            | Self::BrokenOff(_)
            | Self::Foreign(_)
            | Self::NoDoor { .. } => 18,
            Self::NoStore(_) => 19,
            Self::Lossy { .. } => 20,
            Self::Run(RunError::StandsStill(_)) => STOOD_STILL,
            // Of the doctor, which has codes of its own.
            Self::Examine(_) | Self::Scratch { .. } => 2,
        }
    }
}

/// The exit code of a relay that has ended itself because its store stood still.
pub(crate) const STOOD_STILL: u8 = 21;

/// A sentence that another one ends with.
pub(crate) fn bare(sentence: &impl Display) -> String {
    sentence.to_string().trim_end_matches('.').into()
}

/// What a command ends with, as shown under its `--help`.
pub(crate) fn exit_codes(codes: &[u8]) -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in CODES.iter().filter(|(code, _)| codes.contains(code)) {
        text += &format!("  {code:>2}  {meaning}\n");
    }
    text + "When it does not start, it has touched nothing."
}

/// Those of `serve`.
pub(crate) const OF_SERVE: &[u8] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, STOOD_STILL];
/// Those of `backup`: without a relay it opens the folder itself.
pub(crate) const OF_BACKUP: &[u8] = &[0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
/// Those of `restore`.
pub(crate) const OF_RESTORE: &[u8] = &[0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];
/// Those of `quarantine`, whose `export` is a backup of one stream.
pub(crate) const OF_QUARANTINE: &[u8] = &[0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20];

const CODES: [(u8, &str); 22] = [
    (0, "done; of a relay: stopped as asked, everything saved"),
    (1, "ended badly"),
    (2, "the command line cannot be understood"),
    (3, "the configuration file cannot be used"),
    (4, "would listen beyond this machine without --open-to-anyone"),
    (5, "the address is in use by another program"),
    (6, "the address cannot be listened on"),
    (7, "the data folder is in use by another process"),
    (8, "the data folder cannot be written"),
    (9, "the data folder was written by a version with another format"),
    (10, "the data folder is damaged"),
    (11, "the disk is full"),
    (12, "the data folder cannot be opened for another reason"),
    (13, "the data folder is kept by the other store"),
    (14, "a restore into the data folder was broken off"),
    (15, "the backup is damaged, cut off, or none"),
    (16, "there is something already where the backup or its rooms should go"),
    (17, "the backup cannot be read or written, or the disk is full"),
    (
        18,
        "the relay that serves the data folder cannot be asked or refused, the backup was broken off, or what was named is not there",
    ),
    (19, "there is no store in the data folder"),
    (20, "the backup is made, but something of the store could not be read"),
    (21, "the store stood still and the relay ended itself, to be started anew"),
];
