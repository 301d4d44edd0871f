//! `causeway-relay restore`: an empty data folder from a backup.

use std::io::BufReader;

use causeway_store::StoreKind;
use causeway_store::backup::{self, RestoreError};

use crate::backup::open;
use crate::cli::RestoreArgs;
use crate::config;
use crate::epoch;
use crate::failure::Failure;
use crate::progress::Progress;

pub(crate) fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    let name = args.file.display().to_string();
    let (folder, stored) = config::folder_of(&args.folder)?;
    let kind = args.store.or(stored).map_or_else(StoreKind::default, StoreKind::from);
    let source = open(&args.file).map_err(|why| Failure::Input { name: name.clone(), why })?;
    let mut progress = Progress::begin("restore");
    let mut watch = |so_far: &_| progress.tell(so_far);
    let told = backup::restore(BufReader::new(source), &folder, kind, epoch::fresh(), &mut watch);
    let told = told.map_err(|error| failure(error, name))?;
    progress.end(&told, &format!("; {} is ready to be served", folder.display()));
    if told.lost > 0 {
        eprintln!(
            "  not in the backup: {} rows or rooms; devices that have them bring them again",
            told.lost
        );
    }
    Ok(())
}

fn failure(error: RestoreError, name: String) -> Failure {
    match error {
        RestoreError::Backup(why) => Failure::Backup { name, why },
        RestoreError::Open(error) => Failure::Store(error),
        RestoreError::Store(failure) => Failure::Restore(failure),
        RestoreError::Left { why, folder, left } => {
            Failure::Left { why: Box::new(failure(*why, name)), folder, left }
        }
    }
}
