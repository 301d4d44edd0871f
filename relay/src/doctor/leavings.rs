//! What the doctor has to take away again, also when it is told to stop.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::stops::Stops;

/// Files and folders that are removed by whoever ends the program: Ctrl-C, or a service manager.
#[derive(Clone, Default)]
pub(super) struct Leavings {
    made: Arc<Mutex<Made>>,
}

/// What has been made beside the folder.
#[derive(Default)]
pub(super) struct Made {
    /// What goes again.
    pub(super) paths: Vec<PathBuf>,
    /// A backup that is whole, and stays.
    pub(super) whole: Option<PathBuf>,
}

impl Leavings {
    /// Listens from here on; a program that is told to stop removes what it has noted, says so and ends with this code, at once
    /// if it is told so again.
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
                    Ok(stops) => {
                        // Whoever waits for it waits no longer than this takes.
                        let _ = tell.send(Ok(()));
                        watched.stop(stops).await;
                        process::exit(i32::from(code));
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        told.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))?;
        Ok(leavings)
    }

    /// Makes something and notes it, or gives it away: whoever stops the program comes before it or behind it.
    pub(super) fn during<T>(&self, work: impl FnOnce(&mut Made) -> T) -> T {
        work(&mut self.made.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn stop(self, mut stops: Stops) {
        stops.next().await;
        let removed = self.clone();
        let removing = spawn_blocking(move || removed.during(|made| made.remove()));
        let said = tokio::select! {
            said = removing => said.unwrap_or_default(),
            () = stops.next() => return,
        };
        // Nobody may read what is said, and then somebody else is waiting to say something.
        let saying = spawn_blocking(move || drop(writeln!(io::stderr(), "{said}")));
        tokio::select! {
            _ = timeout(SAYING, saying) => {}
            () = stops.next() => return,
        }
        // A database may have made its folder anew.
        let _ = self.during(|made| made.remove());
    }
}

impl Made {
    /// Takes away what goes, and answers what became of it.
    fn remove(&mut self) -> String {
        for path in &self.paths {
            if path.is_dir() {
                // Somebody still writes into it, and makes no new file once it has gone.
                let gone = |_: &u32| fs::remove_dir_all(path).is_ok() || !path.exists();
                let _ = (0..REMOVALS).find(gone);
            } else {
                let _ = fs::remove_file(path);
            }
        }
        let gone = if self.paths.iter().all(|path| !path.exists()) { "is" } else { "cannot be" };
        let whole = self.whole.as_ref().map(|name| format!("; the backup is whole in {}", name.display()));
        let whole = whole.unwrap_or_default();
        format!("stopped; the folder is as it was, and what was made beside it {gone} removed{whole}")
    }
}

/// How long a last sentence is waited for.
const SAYING: Duration = Duration::from_secs(1);

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
        leavings.during(|made| {
            made.paths.extend([paths[0].clone(), paths[1].clone(), folder.path().join("gone already")]);
        });
        assert!(leavings.during(|made| made.remove()).ends_with("is removed"));
        assert_eq!(paths.map(|path| path.exists()), [false, false, true]);
    }
}
