//! What every answer tells a browser about what it may do.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::middleware::Next;
use axum::response::Response;

use crate::origin::host;

pub(super) async fn secure(request: Request, next: Next) -> Response {
    let policy = policy(host(request.headers()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // The address of a room is the key to it.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

/// Some browsers do not count a WebSocket of the same host as `'self'`, so it is named.
fn policy(host: Option<&str>) -> HeaderValue {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let sockets = match host {
        Some(host) if host.chars().all(plain) => format!(" ws://{host} wss://{host}"),
        Some(_) | None => String::new(),
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'{sockets}; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("only printable characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_of_the_same_host_is_named_and_nothing_can_be_slipped_in() {
        let named = policy(Some("127.0.0.1:8787"));
        assert!(
            named.to_str().unwrap().contains("connect-src 'self' ws://127.0.0.1:8787 wss://127.0.0.1:8787;")
        );
        let sly = policy(Some("x; script-src *"));
        assert!(sly.to_str().unwrap().contains("connect-src 'self';"));
    }
}
