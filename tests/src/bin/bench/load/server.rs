//! A server in a process of its own, so that its processor time and memory can be told from those of its load.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::floor;

/// What a process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The relay on sled in a fresh folder.
    Relay,
    /// The bare fan-out.
    Floor,
}

/// The word that makes this program a server.
pub(crate) const SERVE: &str = "serve-for-a-bench";

/// A process that serves; it ends with this.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) kind: Kind,
    pub(crate) address: String,
    _folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let word = match kind {
            Kind::Relay => "relay",
            Kind::Floor => "floor",
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.args([SERVE, word]).arg(folder.path()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().ok_or("a pipe")?).read_line(&mut address)?;
        Ok(Self { child, kind, address: address.trim().into(), _folder: folder })
    }

    /// Time its threads were on a processor, to a hundredth of a second.
    pub(crate) fn worked(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks = fields.split_ascii_whitespace().skip(11).take(2);
        Duration::from_millis(ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10)
    }

    /// Bytes of memory it uses.
    pub(crate) fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kibibytes = line.split_ascii_whitespace().next().and_then(|number| number.parse::<f64>().ok());
        kibibytes.unwrap_or_default() * 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the child does.
pub(crate) fn serve(what: &str, folder: &str) -> Result<(), Box<dyn Error>> {
    Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        match what {
            "relay" => {
                let storage = causeway_relay::Storage::folder(folder.into())?;
                let options = causeway_relay::Options::default();
                causeway_relay::run(listener, storage, options, std::future::pending()).await?;
            }
            "floor" => floor::serve(listener).await?,
            other => return Err(format!("nothing serves '{other}'").into()),
        }
        Ok(())
    })
}
