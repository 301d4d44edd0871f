//! The request that turns a conversation into a WebSocket, and its answer.

use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

/// A request for a WebSocket that can be answered.
#[derive(Debug)]
pub(crate) struct Handshake {
    accept: HeaderValue,
}

/// Why a request is none for a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoHandshake {
    /// A page asks, or a program that does not know what this is.
    #[error("this address is for WebSockets")]
    NoUpgrade,
    /// Version 13 has been the only one since 2011.
    #[error("only version 13 of WebSocket is spoken here")]
    Version,
}

impl Handshake {
    pub(crate) fn parse(headers: &HeaderMap) -> Result<Self, NoHandshake> {
        let says = |name: &HeaderName, wanted: &str| {
            let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(wanted))
        };
        if !says(&CONNECTION, "upgrade") || !says(&UPGRADE, "websocket") {
            return Err(NoHandshake::NoUpgrade);
        }
        if !says(&SEC_WEBSOCKET_VERSION, "13") {
            return Err(NoHandshake::Version);
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).ok_or(NoHandshake::NoUpgrade)?;
        let hash = Sha1::new().chain_update(key.as_bytes()).chain_update(MAGIC).finalize();
        let accept = HeaderValue::try_from(BASE64_STANDARD.encode(hash)).expect("base64 is printable");
        Ok(Self { accept })
    }

    /// The answer after which the socket speaks WebSocket.
    pub(crate) fn accept(self) -> Response {
        let headers = [
            (CONNECTION, HeaderValue::from_static("upgrade")),
            (UPGRADE, HeaderValue::from_static("websocket")),
            (SEC_WEBSOCKET_ACCEPT, self.accept),
        ];
        (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
    }
}

impl IntoResponse for NoHandshake {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoUpgrade => StatusCode::UPGRADE_REQUIRED,
            Self::Version => StatusCode::BAD_REQUEST,
        };
        let headers = [(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13")];
        (status, headers, format!("There is no page here: {self}.\n")).into_response()
    }
}

/// What RFC 6455 has a server hash behind the client's key.
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    const ASKED: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    #[test]
    fn the_example_of_the_rfc_is_answered_as_the_rfc_says() {
        let answer = Handshake::parse(&headers(&ASKED)).unwrap().accept();
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(answer.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_handshake_is_told_why() {
        for missing in [0, 1, 3] {
            let mut asked = ASKED.to_vec();
            asked.remove(missing);
            assert_eq!(Handshake::parse(&headers(&asked)).unwrap_err(), NoHandshake::NoUpgrade);
        }
        let mut old = ASKED;
        old[2].1 = "8";
        assert_eq!(Handshake::parse(&headers(&old)).unwrap_err(), NoHandshake::Version);
    }
}
