//! The relay as a process of its own. Only processes started here are ever ended.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use causeway_store::StoreKind;

use crate::Outcome;
use crate::islands::Island;

/// The relay's own commands, which this program takes as well.
pub(crate) const COMMANDS: [&str; 3] = ["serve", "backup", "restore"];

/// How to start a relay, again and again in the same place.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) data: PathBuf,
    pub(crate) kind: StoreKind,
    pub(crate) listen: SocketAddr,
    /// Where what it says about itself is kept.
    pub(crate) log: PathBuf,
    /// Bytes of rows that the store carries into its database at once, where they are not the usual ones.
    pub(crate) carry_bytes: Option<usize>,
    /// How long its store may stand still before it ends itself, as it is told; the usual time where nothing is said.
    pub(crate) store_patience: Option<&'static str>,
    /// How much it says about itself.
    pub(crate) log_level: &'static str,
}

/// The exit code of a relay that has ended itself because its store stood still.
pub(crate) const STOOD_STILL: i32 = 21;

/// Those of one life after the other: the usual ones, of which a short life writes fewer, each commit, and those of some commits.
pub(crate) const CARRY_BYTES: [Option<usize>; 3] = [None, Some(1), Some(20_000)];

impl Setup {
    /// In a folder, on a loopback address that nothing else on this machine uses.
    pub(crate) fn new(folder: &Path, kind: StoreKind) -> Self {
        let id = std::process::id();
        let [_, _, high, low] = id.to_be_bytes();
        let kinds = match kind {
            StoreKind::Sled => 71,
            StoreKind::Redb => 72,
        };
        let listen = SocketAddr::from(([127, kinds, high, low.clamp(1, 254)], 8787));
        let (data, log) = (folder.join("data"), folder.join("relay.log"));
        Self { data, kind, listen, log, carry_bytes: None, store_patience: None, log_level: "warn" }
    }

    /// Starts it and waits until it says that it serves.
    pub(crate) fn start(&self) -> Outcome<Relay> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env_clear();
        self.start_as(command, &[])
    }

    /// The same on an island, where others reach it over the cable.
    pub(crate) fn start_on(&self, island: &Island) -> Outcome<Relay> {
        self.start_as(island.command()?, &["--open-to-anyone"])
    }

    fn start_as(&self, mut command: Command, words: &[&str]) -> Outcome<Relay> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        command
            .args(["serve", "--log-level", self.log_level, "--store", self.kind.name()])
            .args(words)
            .args(self.carry_bytes.iter().flat_map(|bytes| ["--carry-bytes".into(), bytes.to_string()]))
            .args(self.store_patience.iter().flat_map(|span| ["--store-patience", *span]))
            .arg("--data")
            .arg(&self.data)
            .args(["--listen", &self.listen.to_string()])
            .stdout(Stdio::piped())
            .stderr(log);
        let began = Instant::now();
        let mut child = command.spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("a pipe")?).lines();
        for line in lines {
            if line?.starts_with("room  ") {
                return Ok(Relay { child, began });
            }
        }
        let status = child.wait()?;
        Err(format!("the relay does not start ({status}): {}", self.last_words()).into())
    }

    /// Runs another of the relay's commands to its end, beside it; and how long that took.
    pub(crate) fn command(&self, words: &[&str]) -> Outcome<Duration> {
        let began = Instant::now();
        let output = Command::new(std::env::current_exe()?).env_clear().args(words).output()?;
        if output.status.success() {
            return Ok(began.elapsed());
        }
        Err(format!("{words:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }

    /// Whatever panicked in the relay has been written to its log. A database may: the store guards each call, and a
    /// panic that is not held there shows as another one of ours.
    pub(crate) fn no_panic(&self) -> Outcome<()> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let of_a_database = |line: &str| line.contains("/sled-") || line.contains("/redb-");
        match log.lines().find(|line| line.contains("panicked at") && !of_a_database(line)) {
            Some(line) => Err(format!("the relay panicked: {line}").into()),
            None => Ok(()),
        }
    }

    pub(crate) fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().last().unwrap_or("it said nothing").to_owned()
    }
}

/// A running relay; it ends with this.
#[derive(Debug)]
pub(crate) struct Relay {
    child: Child,
    /// When its process was started.
    pub(crate) began: Instant,
}

impl Relay {
    /// SIGKILL.
    pub(crate) fn kill(mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn terminate(mut self) -> Outcome<ExitStatus> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        self.wait()
    }

    /// How it ended, which it is about to.
    pub(crate) fn wait(&mut self) -> Outcome<ExitStatus> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err("the relay does not stop when told".into());
            }
            // pace: between two looks at the process
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether its first thread has ended, and with it the program, though others may still wait for a disk.
    pub(crate) fn has_ended(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        status.lines().any(|line| line.starts_with("State:\tZ"))
    }

    /// Bytes of memory it uses.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_ascii_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
