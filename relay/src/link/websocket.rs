//! WebSocket as far as a relay speaks it (RFC 6455): whole binary messages out, anything in, no extensions.
//!
//! Written here because the two things that matter are not to be had from a library: what is sent is not copied for each
//! link, so that a thousand readers share one frame, and a link that is silent holds no buffer.

mod decoder;
mod handshake;

use bytes::Bytes;

pub(super) use decoder::{Decoder, Fault, Heard};
pub(crate) use handshake::{Handshake, NoHandshake};

/// What a message begins with on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    bytes: [u8; 10],
    length: usize,
}

/// A frame as a message of its own, made once for all to whom it goes.
#[derive(Clone, Debug)]
pub(crate) struct Framed {
    message: Bytes,
    head: usize,
}

/// Kinds of messages that a relay sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Binary,
    Close,
    Ping,
    Pong,
}

impl Head {
    /// Of a whole message with a payload of so many bytes. A server masks nothing.
    pub(super) fn new(kind: Kind, payload: usize) -> Self {
        let opcode = match kind {
            Kind::Binary => BINARY,
            Kind::Close => CLOSE,
            Kind::Ping => PING,
            Kind::Pong => PONG,
        };
        let mut bytes = [0; 10];
        bytes[0] = FIN | opcode;
        let length = match payload {
            0..=125 => {
                bytes[1] = payload as u8;
                2
            }
            126..=0xffff => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&(payload as u16).to_be_bytes());
                4
            }
            _ => {
                bytes[1] = 127;
                bytes[2..].copy_from_slice(&(payload as u64).to_be_bytes());
                10
            }
        };
        Self { bytes, length }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Framed {
    pub(crate) fn new(frame: &[u8]) -> Self {
        let head = Head::new(Kind::Binary, frame.len());
        Self { message: [head.bytes(), frame].concat().into(), head: head.length }
    }

    /// The message, ready for a socket.
    pub(super) fn message(&self) -> &[u8] {
        &self.message
    }

    /// The frame alone; its memory is shared.
    pub(super) fn frame(&self) -> Bytes {
        self.message.slice(self.head..)
    }
}

const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_as_short_as_its_payload_allows() {
        for (payload, expected) in [
            (0, vec![0x82, 0]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (0xffff, vec![0x82, 126, 0xff, 0xff]),
            (0x1_0000, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            assert_eq!(Head::new(Kind::Binary, payload).bytes(), expected);
        }
        assert_eq!(Head::new(Kind::Close, 2).bytes(), [0x88, 2]);
    }
}
