//! Which web pages may open a socket here. Programs send no origin and are not asked for one.

use std::str::FromStr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};
use serde::Deserialize;

/// Scheme, host and perhaps port of pages, as a browser says them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Origin(String);

/// Not an origin.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("an origin is a scheme, a name and perhaps a port, such as https://notes.example")]
pub(crate) struct NotAnOrigin;

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (scheme, host) = text.split_once("://").ok_or(NotAnOrigin)?;
        let of_a_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let is_host = !host.is_empty() && host.chars().all(of_a_host);
        if is_scheme && is_host { Ok(Self(text.into())) } else { Err(NotAnOrigin) }
    }
}

impl TryFrom<String> for Origin {
    type Error = NotAnOrigin;

    fn try_from(text: String) -> Result<Self, NotAnOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

/// Whether the page that asks was served under this relay's own name, or is one of `allowed`.
pub(crate) fn may_connect(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Some((scheme, origin_host)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else {
        return false;
    };
    let full = format!("{scheme}://{origin_host}");
    if allowed.iter().any(|one| one.trim_end_matches('/').eq_ignore_ascii_case(&full)) {
        return true;
    }
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |host: &str| host.strip_suffix(default_port).unwrap_or(host).to_ascii_lowercase();
    host(headers).is_some_and(|host| bare(host) == bare(origin_host))
}

/// The name and port under which this relay was asked.
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(HOST).map(HeaderValue::to_str)?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(origin: &'static str, host: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static(origin));
        headers.insert(HOST, HeaderValue::from_static(host));
        may_connect(&headers, &["https://notes.example".into()])
    }

    #[test]
    fn a_page_of_the_relay_itself_may_connect() {
        assert!(asked("http://127.0.0.1:8787", "127.0.0.1:8787"));
        assert!(asked("https://Relay.example", "relay.example:443"));
        assert!(asked("http://relay.example:80", "relay.example"));
        assert!(may_connect(&HeaderMap::new(), &[]), "a program sends no origin");
    }

    #[test]
    fn what_no_page_could_have_as_its_origin_is_refused() {
        for origin in
            ["https://notes.example", "http://[::1]:8787", "capacitor://localhost", "https://a.example/"]
        {
            assert!(origin.parse::<Origin>().is_ok(), "{origin}");
        }
        for origin in
            ["notes.example", "*", "null", "https://", "https://a.example/page", "https://a b", "://a"]
        {
            assert!(origin.parse::<Origin>().is_err(), "{origin}");
        }
    }

    #[test]
    fn a_page_from_elsewhere_may_only_if_it_was_allowed() {
        assert!(asked("https://notes.example", "relay.example"));
        for origin in ["https://evil.example", "http://127.0.0.1:9000", "null", "https://notes.example.evil"]
        {
            assert!(!asked(origin, "127.0.0.1:8787"), "{origin}");
        }
    }
}
