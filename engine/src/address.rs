//! Where a relay is.

use std::fmt;
use std::str::FromStr;

use causeway_core::ids::RoomId;
use tokio_tungstenite::tungstenite::http::Uri;

/// The address of a relay: `ws://host:port` or `wss://host`, or the `http` address it prints; a path in front is kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RelayAddress {
    secure: bool,
    place: String,
}

/// Why a text is no address of a relay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Not a URL with a host.
    #[error(
        "'{0}' is not the address of a relay; write it like ws://192.168.1.20:8787 or wss://relay.example"
    )]
    NotAUrl(String),
    /// Encryption was left out of this build.
    #[error("'{0}' asks for TLS, which this program was built without (feature `tls-ring`)")]
    NoTls(String),
}

impl RelayAddress {
    /// The WebSocket of a room.
    pub(crate) fn socket(&self, room: &RoomId) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://{}/sync/{room}", self.place)
    }

    /// The page on which a person can open a room.
    #[must_use]
    pub fn page(&self, room: &RoomId) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}/r/{room}", self.place)
    }
}

impl FromStr for RelayAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let not_a_url = || InvalidAddress::NotAUrl(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| not_a_url())?;
        let secure = match uri.scheme_str() {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            Some(_) | None => return Err(not_a_url()),
        };
        if secure && !cfg!(feature = "tls-ring") {
            return Err(InvalidAddress::NoTls(text.to_owned()));
        }
        let authority = uri.authority().ok_or_else(not_a_url)?;
        if authority.host().is_empty() || authority.as_str().contains('@') || uri.query().is_some() {
            return Err(not_a_url());
        }
        Ok(Self { secure, place: format!("{authority}{}", uri.path().trim_end_matches('/')) })
    }
}

impl fmt::Display for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure { "wss" } else { "ws" }, self.place)
    }
}

impl fmt::Debug for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_relay_prints_and_what_people_write_lead_to_the_same_socket() {
        let room: RoomId = "maths".parse().unwrap();
        for text in ["ws://127.0.0.1:8787", "http://127.0.0.1:8787/"] {
            let address: RelayAddress = text.parse().unwrap();
            assert_eq!(address.socket(&room), "ws://127.0.0.1:8787/sync/maths");
            assert_eq!(address.page(&room), "http://127.0.0.1:8787/r/maths");
        }
    }

    #[cfg(feature = "tls-ring")]
    #[test]
    fn a_path_in_front_and_tls_are_kept() {
        let address: RelayAddress = "https://school.example/causeway/".parse().unwrap();
        assert_eq!(address.socket(&"a".parse().unwrap()), "wss://school.example/causeway/sync/a");
    }

    #[test]
    fn what_is_no_address_is_told_with_an_example() {
        for text in ["", "localhost:8787", "ftp://a", "ws://", "ws://me:secret@a", "ws://a?b"] {
            let told = text.parse::<RelayAddress>().unwrap_err().to_string();
            assert!(told.contains("ws://192.168.1.20:8787"), "{text}: {told}");
        }
    }
}
