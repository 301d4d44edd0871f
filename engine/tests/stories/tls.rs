//! A relay behind TLS, as it stands on the internet.

use std::net::SocketAddr;
use std::sync::Arc;

use causeway::{Connection, Engine, EngineConfig, Event, Reach};
use futures_util::StreamExt;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto, pki_types::PrivateKeyDer};

use crate::harness::{Relay, reads, text_of, within, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_behind_tls_is_reached_when_its_certificate_is_trusted() {
    let relay = Relay::start().await;
    let door = Door::before(relay.address).await;
    let ada = door.device(vec![door.certificate.clone()]);
    within(write(&text_of(&ada).await, "sealed").reached(Reach::Relay)).await.unwrap();
    reads(&text_of(&relay.device()).await, "sealed").await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_a_stranger_is_not_taken_and_the_work_goes_on_offline() {
    let relay = Relay::start().await;
    let door = Door::before(relay.address).await;
    let ada = door.device(Vec::new());
    let room = ada.room("story").unwrap();
    let mut events = room.events();
    within(async {
        let mut tried = false;
        while !(tried && room.connection() == Connection::Offline) {
            tried |= room.connection() == Connection::Connecting;
            assert_ne!(room.connection(), Connection::Online);
            assert_ne!(events.next().await, None::<Event>);
        }
    })
    .await;
    write(&text_of(&ada).await, "kept here");
    relay.stop().await;
}

/// What stands before a relay on the internet: it ends TLS and passes bytes on.
struct Door {
    address: SocketAddr,
    certificate: Vec<u8>,
}

impl Door {
    async fn before(relay: SocketAddr) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let key = PrivateKeyDer::try_from(made.key_pair.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut socket) = acceptor.accept(socket).await else { return };
                    let mut behind = TcpStream::connect(relay).await.unwrap();
                    let _ = copy_bidirectional(&mut socket, &mut behind).await;
                });
            }
        });
        Self { address, certificate: made.cert.der().to_vec() }
    }

    fn device(&self, trusted: Vec<Vec<u8>>) -> Engine {
        let relay = Some(format!("wss://localhost:{}", self.address.port()).parse().unwrap());
        Engine::open(EngineConfig { relay, trusted, ..EngineConfig::default() }).unwrap()
    }
}
