//! Encryption of links: rustls, with its provider named and the system's certificates.

use tokio_tungstenite::Connector;

/// What opens links, made once for an engine. Without TLS, or with no certificate to be found, only `ws://` works.
#[cfg(feature = "tls-ring")]
pub(crate) fn connector() -> Option<Connector> {
    use std::sync::Arc;

    use rustls::{ClientConfig, RootCertStore};

    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate of this system could not be read");
    }
    roots.add_parsable_certificates(found.certs);
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
pub(crate) fn connector() -> Option<Connector> {
    Some(Connector::Plain)
}
