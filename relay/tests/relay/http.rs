//! What a browser asks for.

use crate::server::{Server, get};

const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "Upgrade, close"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_tells_the_browser_what_it_may_do() {
    let server = Server::start().await;
    for path in ["/", "/r/some-room", "/nothing/here", "/healthz"] {
        let answer = get(&server.address, path, &[]).await;
        let head = answer.split_once("\r\n\r\n").unwrap().0;
        for part in ["'wasm-unsafe-eval'", "nosniff", "no-referrer", &format!("ws://{}", server.address)] {
            assert!(head.contains(part), "{path}: {part} in {head}");
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_served_or_says_how_to_build_it() {
    let server = Server::start().await;
    let answer = get(&server.address, "/r/some-room", &[]).await;
    if answer.starts_with("HTTP/1.1 200") {
        assert!(answer.contains("text/html") && answer.contains("no-cache"), "{answer}");
    } else {
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("cargo xtask web"), "{answer}");
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_nothing_is_told_by_the_page_to_people_and_in_a_sentence_to_programs() {
    let server = Server::start().await;
    let program = get(&server.address, "/settings", &[]).await;
    assert!(
        program.starts_with("HTTP/1.1 404") && program.contains("nothing under this address"),
        "{program}"
    );
    let person = get(&server.address, "/settings", &[("Accept", "text/html,*/*;q=0.8")]).await;
    let front = get(&server.address, "/", &[]).await;
    assert!(person.starts_with("HTTP/1.1 404"), "{person}");
    assert_eq!(person.contains("text/html"), front.starts_with("HTTP/1.1 200"), "{person}");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_of_the_page_is_sent_compressed_to_those_who_take_it() {
    let server = Server::start().await;
    let page = get(&server.address, "/", &[]).await;
    if let Some((_, from)) = page.split_once("src=\"/assets/") {
        let script = format!("/assets/{}", from.split('"').next().unwrap());
        let plain = get(&server.address, &script, &[]).await;
        let packed = get(&server.address, &script, &[("Accept-Encoding", "gzip")]).await;
        assert!(!plain.contains("content-encoding:"), "nobody asked for it");
        assert!(packed.contains("content-encoding: gzip") && packed.contains("vary: accept-encoding"));
        assert!(length(&packed) * 2 < length(&plain), "{} and {}", length(&packed), length(&plain));
        assert_ne!(tag(&packed), tag(&plain), "two representations, two tags");
    } else {
        assert!(page.starts_with("HTTP/1.1 503"), "{page}");
    }
    server.stop().await.unwrap();
}

fn length(answer: &str) -> usize {
    field(answer, "content-length").parse().unwrap()
}

fn tag(answer: &str) -> &str {
    field(answer, "etag")
}

fn field<'a>(answer: &'a str, name: &str) -> &'a str {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_no_room_is_told_what_one_looks_like() {
    let server = Server::start().await;
    let answer = get(&server.address, "/r/a%20b", &[]).await;
    let by_the_page = answer.contains("text/html") && answer.contains("<html");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(by_the_page || answer.contains("1 to 64 characters"), "{answer}");
    for path in ["/sync/a%20b", &format!("/sync/{}", "x".repeat(65))] {
        let answer = get(&server.address, path, &[]).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("1 to 64 characters"), "{answer}");
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_elsewhere_may_not_open_a_socket_unless_it_was_allowed() {
    let server = Server::start().await;
    let with = |origin: &'static str| [&UPGRADE[..], &[("Origin", origin)]].concat();
    let answer = get(&server.address, "/sync/room", &with("https://evil.example")).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("allow_origin"), "{answer}");
    assert_eq!(server.health().await["rooms"], 0, "no room was opened for it");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_address_asked_for_as_a_page_says_what_it_is() {
    let server = Server::start().await;
    let answer = get(&server.address, "/sync/room", &[]).await;
    assert!(answer.starts_with("HTTP/1.1 4") && answer.contains("WebSockets"), "{answer}");
    server.stop().await.unwrap();
}
