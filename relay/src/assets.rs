//! The web app, carried in the binary.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use rust_embed::RustEmbed;

/// What `cargo xtask web` builds. Absent until it has run.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../web-pkg/ide/dist"]
#[allow_missing = true]
struct Assets;

/// The page that opens a room.
pub(crate) fn page(headers: &HeaderMap) -> Response<Body> {
    file("index.html", headers).unwrap_or_else(|| {
        let sentence =
            "The page was not built into this relay; run `cargo xtask web` and build the relay again.\n";
        (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response()
    })
}

/// A file of the web app, or `None`. Whoever takes gzip gets what the build has compressed.
pub(crate) fn file(path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    let plain = Assets::get(path)?;
    let packed = if takes_gzip(headers) { Assets::get(&format!("{path}.gz")) } else { None };
    let is_packed = packed.is_some();
    let file = packed.unwrap_or(plain);
    let tag = tag(&file.metadata.sha256_hash());
    let cache = if path.starts_with(HASHED) { FOR_EVER } else { ASK_AGAIN };
    let known = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let builder =
        Response::builder().header(CACHE_CONTROL, cache).header(ETAG, tag).header(VARY, "accept-encoding");
    let response = if known {
        builder.status(StatusCode::NOT_MODIFIED).body(Body::empty())
    } else {
        let body = match file.data {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        };
        let builder = if is_packed { builder.header(CONTENT_ENCODING, "gzip") } else { builder };
        builder.header(CONTENT_TYPE, media_type(path)).body(body)
    };
    Some(response.expect("fixed header names and printable values"))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        // Weight nought is the way to say "not this one".
        is_gzip && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn tag(hash: &[u8; 32]) -> String {
    let hex: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

fn media_type(path: &str) -> &'static str {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    MEDIA_TYPES
        .iter()
        .find(|(known, _)| *known == ending)
        .map_or("application/octet-stream", |(_, media)| media)
}

/// Files in this folder carry a hash of their content in their name.
const HASHED: &str = "assets/";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// The endings a web build of ours produces.
const MEDIA_TYPES: [(&str, &str); 14] = [
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
    ("woff", "font/woff"),
    ("txt", "text/plain; charset=utf-8"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_stream_a_wasm_file_only_under_its_own_type() {
        assert_eq!(media_type("assets/causeway-1a2b.wasm"), "application/wasm");
        assert_eq!(media_type("sw.js"), "text/javascript; charset=utf-8");
        assert_eq!(media_type("LICENSE"), "application/octet-stream");
    }

    #[test]
    fn gzip_goes_to_those_who_take_it() {
        let says = |value: &str| {
            takes_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, value.parse().expect("a header's value"))]))
        };
        assert!(says("gzip, deflate, br, zstd") && says("br;q=1.0, GZIP;q=0.5"));
        assert!(!says("br, gzip;q=0") && !says("identity") && !says("x-gzipped"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn nothing_outside_the_build_is_served() {
        for path in ["../Cargo.toml", "/etc/passwd", "assets/../../../Cargo.toml", ""] {
            assert!(file(path, &HeaderMap::new()).is_none(), "{path}");
        }
    }
}
