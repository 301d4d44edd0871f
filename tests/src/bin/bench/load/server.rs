//! A server in a process of its own, so that its processor time and memory can be told from those of its load.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use causeway_store::StoreKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::sleep;

use super::{floor, y_sweet};

/// What a process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The relay.
    Relay,
    /// The bare fan-out.
    Floor,
    /// y-sweet.
    YSweet,
}

/// The word that makes this program a server.
pub(crate) const SERVE: &str = "serve-for-a-bench";
/// What it then serves, if not a relay on the store of this name.
const FLOOR: &str = "floor";

/// A process that serves; it ends with this.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) kind: Kind,
    pub(crate) address: String,
    _folder: Option<tempfile::TempDir>,
}

impl Server {
    /// In a fresh folder, which ends with it; a relay on the default store.
    pub(crate) fn start(kind: Kind) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let (child, address) = match kind {
            Kind::Relay => own(StoreKind::default().name(), folder.path())?,
            Kind::Floor => own(FLOOR, folder.path())?,
            Kind::YSweet => y_sweet::start(folder.path())?,
        };
        Ok(Self { child, kind, address, _folder: Some(folder) })
    }

    /// A relay in a folder that stays.
    pub(crate) fn start_relay(store: StoreKind, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let (child, address) = own(store.name(), folder)?;
        Ok(Self { child, kind: Kind::Relay, address, _folder: None })
    }

    /// Time its threads were on a processor, to a hundredth of a second.
    pub(crate) fn worked(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks = fields.split_ascii_whitespace().skip(11).take(2);
        Duration::from_millis(ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10)
    }

    /// One figure of the relay's `/metrics`.
    pub(crate) async fn figure(&self, name: &str) -> Result<f64, Box<dyn Error>> {
        let mut stream = TcpStream::connect(&self.address).await?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n").await?;
        let mut page = String::new();
        stream.read_to_string(&mut page).await?;
        let of = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(' ')?.trim().to_owned());
        Ok(page.lines().find_map(of).ok_or("no such figure")?.parse()?)
    }

    /// Waits until it has done next to nothing for three seconds: what was begun, snapshots too, is done.
    pub(crate) async fn at_rest(&self) {
        loop {
            let before = self.worked();
            // pace: a home makes a snapshot two seconds after the last entry
            sleep(Duration::from_secs(3)).await;
            if self.worked() - before < Duration::from_millis(50) {
                return;
            }
        }
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

/// This program again, and the address at which it listens.
fn own(word: &str, folder: &Path) -> Result<(Child, String), Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([SERVE, word]).arg(folder).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut address = String::new();
    BufReader::new(child.stdout.take().ok_or("a pipe")?).read_line(&mut address)?;
    Ok((child, address.trim().into()))
}

/// What the child does.
pub(crate) fn serve(what: &str, folder: &str) -> Result<(), Box<dyn Error>> {
    Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        if what == FLOOR {
            floor::serve(listener).await?;
        } else {
            let storage = causeway_relay::Storage::folder_of(what.parse()?, folder.into())?;
            let door = Some(std::path::Path::new(folder).join("door"));
            let options = causeway_relay::Options { door, ..causeway_relay::Options::default() };
            causeway_relay::run(listener, storage, options, std::future::pending()).await?;
        }
        Ok(())
    })
}
