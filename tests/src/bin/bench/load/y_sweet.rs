//! y-sweet, the relay's peer among servers: a process of it, and as much of its protocol as load needs.

use std::env;
use std::error::Error;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where `cargo xtask bench` has installed it.
const PROGRAM: &str = "CAUSEWAY_Y_SWEET";

/// Its program, if this machine has it.
pub(crate) fn program() -> Option<PathBuf> {
    env::var_os(PROGRAM).map(PathBuf::from)
}

/// Its process and address. It keeps documents in a folder, every ten seconds and without fsync as it does by itself,
/// and writes no log.
pub(super) fn start(folder: &Path) -> Result<(Child, String), Box<dyn Error>> {
    let program = program().ok_or("y-sweet is not installed: `cargo xtask bench` does it")?;
    // It does not tell a port that the system chose.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new(program);
    command.arg("serve").arg(folder).args(["--prod", "--host", "127.0.0.1", "--port"]);
    command
        .arg(address.port().to_string())
        .env("RUST_LOG", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = command.spawn()?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(address).is_err() {
        if Instant::now() > deadline {
            return Err("y-sweet does not listen".into());
        }
        // pace: until it listens
        sleep(Duration::from_millis(20));
    }
    Ok((child, address.to_string()))
}

/// Makes a document, or finds it there.
pub(super) async fn make(address: &str, document: &str) -> Result<(), Box<dyn Error>> {
    let body = format!("{{\"docId\":\"{document}\"}}");
    let request = format!(
        "POST /doc/new HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(format!("y-sweet: {answer}").into()) }
}

/// A message that carries an update of yrs.
pub(crate) fn message(update: &[u8]) -> Bytes {
    let mut message = BytesMut::from(&UPDATE[..]);
    let mut length = update.len();
    while length > 0x7f {
        message.put_u8(length as u8 | 0x80);
        length >>= 7;
    }
    message.put_u8(length as u8);
    message.put_slice(update);
    message.freeze()
}

/// The client and clock of the update in a message, if it carries one that adds something.
pub(crate) fn update(message: &[u8]) -> Option<(u64, u64)> {
    let mut update = message.strip_prefix(&UPDATE)?;
    let [_length, clients, _blocks, client, clock] = [(); 5].map(|()| number(&mut update));
    (clients? > 0).then_some((client?, clock?))
}

/// Sync protocol, update.
const UPDATE: [u8; 2] = [0, 2];

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes.has_remaining().then(|| bytes.get_u8())?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
