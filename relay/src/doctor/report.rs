//! What the doctor says, a line at a time.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use crate::backup::STANDARD;

/// Where it is said. Whoever stops listening stops nothing: the rooms are salvaged all the same.
#[derive(Clone, Copy)]
pub(super) enum Report {
    Out,
    /// What is salvaged goes to stdout.
    Err,
}

impl Report {
    /// Beside what is salvaged, if anything is.
    pub(super) fn beside(salvage: Option<&Path>) -> Self {
        if salvage == Some(Path::new(STANDARD)) { Self::Err } else { Self::Out }
    }

    pub(super) fn line(self, said: impl Display) {
        let _ = match self {
            Self::Out => writeln!(io::stdout(), "{said}"),
            Self::Err => writeln!(io::stderr(), "{said}"),
        };
    }
}
