//! The way to a data folder for whoever runs the relay: the relay that serves it is asked at its door; where none does, the
//! store is opened here.

use std::io::Read;
use std::path::Path;
use std::thread::sleep;
use std::time::Instant;

use causeway_store::{OpenError, Storage, StoreGate, StoreKind};

use crate::door::{self, Request};
use crate::failure::Failure;
use crate::limits::{REACH_PATIENCE, REACH_PAUSE};

/// Who has the rooms.
pub(crate) enum Reached {
    /// A relay, and what it answers.
    Relay(Box<dyn Read>),
    /// Nobody but us.
    Store(StoreGate),
}

/// Asks, or opens the store. A relay that is just starting has its folder before it has its door, so that is waited for.
pub(crate) fn reach(folder: &Path, request: &Request) -> Result<Reached, Failure> {
    let deadline = Instant::now() + REACH_PATIENCE;
    loop {
        match door::ask(folder, request) {
            Ok(Some(answer)) => return Ok(Reached::Relay(Box::new(answer))),
            Ok(None) => {}
            Err(error) => return Err(error.failure(folder)),
        }
        let kind = StoreKind::of(folder)?.ok_or_else(|| Failure::NoStore(folder.into()))?;
        match Storage::folder_of(kind, folder.into()) {
            Ok(storage) => return Ok(Reached::Store(StoreGate::open(storage))),
            Err(OpenError::Locked(_)) if Instant::now() < deadline => sleep(REACH_PAUSE),
            Err(OpenError::Locked(folder)) => {
                return Err(Failure::NoDoor { folder, why: "it has no door".into() });
            }
            Err(other) => return Err(Failure::Store(other)),
        }
    }
}
