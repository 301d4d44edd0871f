//! What the relay counts.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

/// A figure of its `/metrics`.
pub(crate) async fn metric(relay: SocketAddr, name: &str) -> Outcome<u64> {
    let page = get(relay, "/metrics").await?;
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(value.ok_or_else(|| format!("the relay does not count {name}"))?.trim().parse::<f64>()? as u64)
}

/// Head and body of what it answers.
pub(crate) async fn get(relay: SocketAddr, path: &str) -> Outcome<String> {
    let mut stream = TcpStream::connect(relay).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    Ok(page)
}
