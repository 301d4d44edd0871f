//! Encryption of links: rustls, with its provider named and the system's certificates.

use tokio_tungstenite::Connector;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::link::Socket;

/// What opens links, made once for an engine. Without TLS, or with no certificate to be found, only `ws://` works.
#[cfg(feature = "tls-ring")]
pub(crate) fn connector(trusted: Vec<Vec<u8>>) -> Option<Connector> {
    use std::sync::Arc;

    use rustls::{ClientConfig, RootCertStore};

    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate of this system could not be read");
    }
    roots.add_parsable_certificates(found.certs);
    roots.add_parsable_certificates(trusted.into_iter().map(Into::into));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring knows the usual versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(Connector::Rustls(Arc::new(config)))
}

/// Built without TLS.
#[cfg(not(feature = "tls-ring"))]
pub(crate) fn connector(_: Vec<Vec<u8>>) -> Option<Connector> {
    Some(Connector::Plain)
}

/// Opens a WebSocket, with nothing of it held back to be joined with more (Nagle).
#[cfg(feature = "tls-ring")]
pub(crate) async fn connect(
    url: &str,
    config: WebSocketConfig,
    connector: Option<Connector>,
) -> Result<Socket, Error> {
    let opening = tokio_tungstenite::connect_async_tls_with_config(url, Some(config), true, connector);
    Ok(opening.await?.0)
}

/// The same without TLS.
#[cfg(not(feature = "tls-ring"))]
pub(crate) async fn connect(
    url: &str,
    config: WebSocketConfig,
    _: Option<Connector>,
) -> Result<Socket, Error> {
    Ok(tokio_tungstenite::connect_async_with_config(url, Some(config), true).await?.0)
}
