//! What the doctor has to take away again, also when it is told to stop.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::runtime;

use crate::stops::Stops;

/// Files and folders that are removed by whoever ends the program: Ctrl-C, or a service manager.
#[derive(Clone, Default)]
pub(super) struct Leavings {
    paths: Arc<Mutex<Vec<PathBuf>>>,
}

impl Leavings {
    /// Listens from here on; a program that is told to stop removes what it has noted, says so and ends with this code.
    ///
    /// # Errors
    /// The system does not tell of signals.
    pub(super) fn watch(code: u8) -> io::Result<Self> {
        let leavings = Self::default();
        let watched = leavings.clone();
        let (tell, told) = mpsc::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("stops".into()).spawn(move || {
            runtime.block_on(async {
                match Stops::listen() {
                    Ok(mut stops) => {
                        // Whoever waits for it waits no longer than this takes.
                        let _ = tell.send(Ok(()));
                        stops.next().await;
                        let said = if watched.remove() {
                            "stopped; the folder is as it was, and what was made beside it is removed"
                        } else {
                            "stopped; the folder is as it was, but what was made beside it cannot be removed"
                        };
                        let _ = writeln!(io::stderr(), "{said}");
                        process::exit(i32::from(code));
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        told.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))?;
        Ok(leavings)
    }

    /// Notes a path that is there already.
    pub(super) fn note(&self, path: PathBuf) {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner).push(path);
    }

    /// Whether all of it is gone.
    fn remove(&self) -> bool {
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        for path in paths.iter() {
            if path.is_dir() {
                // Somebody still writes into it, and makes no new file once it has gone.
                let gone = |_: &u32| fs::remove_dir_all(path).is_ok() || !path.exists();
                let _ = (0..REMOVALS).find(gone);
            } else {
                let _ = fs::remove_file(path);
            }
        }
        paths.iter().all(|path| !path.exists())
    }
}

/// Times a folder is emptied before it is left to whoever looks after the machine.
const REMOVALS: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rl14_what_was_noted_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["copy", "file.part", "other"].map(|name| folder.path().join(name));
        fs::create_dir_all(paths[0].join("sled/blobs")).unwrap();
        for file in [paths[0].join("sled/db"), paths[1].clone(), paths[2].clone()] {
            fs::write(file, "bytes").unwrap();
        }
        let leavings = Leavings::default();
        leavings.note(paths[0].clone());
        leavings.note(paths[1].clone());
        leavings.note(folder.path().join("gone already"));
        assert!(leavings.remove());
        assert_eq!(paths.map(|path| path.exists()), [false, false, true]);
    }
}
