//! From settings to a running relay: log, address, store, the lines a person reads, and what ends it.

use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use causeway_store::Storage;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::task::spawn_blocking;
use tracing_subscriber::EnvFilter;

use crate::bounds::Bounds;
use crate::cli::{LogFormat, LogLevel};
use crate::config::{Config, Keep};
use crate::door;
use crate::failure::{Failure, STOOD_STILL};
use crate::listener;
use crate::room_name;
use crate::routes;
use crate::server::{self, Options};
use crate::stops::Stops;

pub(crate) fn serve(config: Config) -> Result<(), Failure> {
    start_log(config.log, config.log_level);
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::System)?;
    let outcome = runtime.block_on(serve_until_signal(config));
    // A disk that hangs must not keep the process.
    runtime.shutdown_background();
    outcome
}

async fn serve_until_signal(config: Config) -> Result<(), Failure> {
    // The address first: it leaves no trace when the store then refuses, and the store tidies up after itself.
    let listener = TcpListener::bind(config.listen).await.map_err(|e| Failure::bind(config.listen, e))?;
    let address = listener.local_addr().map_err(Failure::System)?;
    let (keep, limits) = (config.keep.clone(), config.limits);
    let opening = spawn_blocking(move || match keep {
        Keep::Folder(kind, folder) => Storage::folder_within(kind, folder, limits),
        Keep::Memory => Ok(Storage::memory()),
    });
    let starting = routes::starting();
    let storage = tokio::select! {
        opened = opening => opened.expect("opening a store does not panic")?,
        // Runs until it is dropped.
        () = listener::serve(&listener, &starting, Bounds::default()) => return Ok(()),
    };
    let mut stops = Stops::listen().map_err(Failure::System)?;
    // Somebody may have closed our stdout; the relay serves all the same.
    let _ = announce(&config, address);
    let door = match &config.keep {
        Keep::Folder(_, folder) => Some(folder.join(door::NAME)),
        Keep::Memory => None,
    };
    let bounds = Bounds { keep_history: config.keep_history.span(), ..Bounds::default() };
    let bounds = config.store_patience.set(bounds);
    let allow_origin = config.allow_origin.into_iter().map(String::from).collect();
    // What it runs on its way out waits for nothing: nothing is left in the buffer of stdout, and nobody has asked to be called then.
    let backstop = || std::process::exit(STOOD_STILL.into());
    let options = Options { allow_origin, door, bounds, backstop: Some(backstop) };
    Ok(server::run(listener, storage, options, async move { stops.next().await }).await?)
}

/// The lines for people and tests: a name, two spaces, a value.
fn announce(config: &Config, address: SocketAddr) -> io::Result<()> {
    let host = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let url = format!("http://{}", SocketAddr::new(host, address.port()));
    let room = config.room.clone().unwrap_or_else(room_name::random);
    let kept = match &config.keep {
        Keep::Folder(_, folder) => folder.display().to_string(),
        Keep::Memory => "in memory only; everything is gone when the relay ends".into(),
    };
    let mut out = io::stdout().lock();
    writeln!(out, "relay {url}\ndata  {kept}\nroom  {url}/r/{room}")?;
    out.flush()
}

fn start_log(format: LogFormat, level: LogLevel) {
    let filter =
        EnvFilter::try_from_env("CAUSEWAY_LOG_FILTER").unwrap_or_else(|_| EnvFilter::new(level.word()));
    let ansi = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(ansi);
    // One log is enough: a second call, as in a test, changes nothing.
    let _ = match format {
        LogFormat::Pretty => log.with_target(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}
