//! Why the relay did not start or ended badly: one sentence each, and an exit code.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;

use causeway_store::OpenError;

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
            Self::System(_) | Self::Run(_) => 1,
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
        }
    }
}

/// Shown under `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
   0  stopped as asked, everything saved
   1  ended badly
   2  the command line cannot be understood
   3  the configuration file cannot be used
   4  would listen beyond this machine without --open-to-anyone
   5  the address is in use by another program
   6  the address cannot be listened on
   7  the data folder is in use by another process
   8  the data folder cannot be written
   9  the data folder was written by a version with another format
  10  the data folder is damaged
  11  the disk is full
  12  the data folder cannot be opened for another reason
  13  the data folder is kept by the other store
When it does not start, it has touched nothing.";
