//! From bytes of a socket to messages.

use bytes::{Buf, Bytes, BytesMut};

use super::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT};
use crate::limits::{MESSAGE_BYTES, READ_BYTES};

/// Reads what a client sends. Holds no memory between messages.
#[derive(Debug, Default)]
pub(in crate::link) struct Decoder {
    buffer: BytesMut,
    /// The beginning of a message in pieces, and whether it is one of text.
    pieces: Option<(BytesMut, bool)>,
}

/// Something a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::link) enum Heard {
    Binary(Bytes),
    Text,
    Ping(Bytes),
    Pong,
    Close,
}

/// Why nothing more can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::link) enum Fault {
    /// It is no WebSocket.
    Malformed(&'static str),
    /// A message is longer than any may be.
    TooLong,
}

/// The head of a frame.
struct Frame {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    head: usize,
    payload: usize,
}

impl Decoder {
    /// Begins with what came behind the handshake.
    pub(in crate::link) fn new(early: &[u8]) -> Self {
        Self { buffer: BytesMut::from(early), pieces: None }
    }

    /// Where to read into; there is room for something. It grows with what arrives and not with what is announced.
    pub(in crate::link) fn room(&mut self) -> &mut BytesMut {
        self.buffer.reserve(READ_BYTES.max(self.buffer.len().min(MAX_READ)));
        &mut self.buffer
    }

    /// Nothing came after all.
    pub(in crate::link) fn rest(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// The next thing that was sent; none where more must be read first.
    pub(in crate::link) fn poll(&mut self) -> Result<Option<Heard>, Fault> {
        loop {
            let Some(frame) = self.head()? else { return Ok(None) };
            if self.buffer.len() < frame.head + frame.payload {
                return Ok(None);
            }
            self.buffer.advance(frame.head);
            let mut payload = self.buffer.split_to(frame.payload);
            if self.buffer.is_empty() {
                // Or the payload would keep what is read next alive, and the other way round.
                self.buffer = BytesMut::new();
            }
            unmask(&mut payload, frame.mask);
            if let Some(heard) = self.take(&frame, payload)? {
                return Ok(Some(heard));
            }
        }
    }

    fn take(&mut self, frame: &Frame, payload: BytesMut) -> Result<Option<Heard>, Fault> {
        let is_text = frame.opcode == TEXT;
        let heard = match (frame.opcode, frame.fin) {
            (PING, _) => Heard::Ping(payload.freeze()),
            (PONG, _) => Heard::Pong,
            (CLOSE, _) => Heard::Close,
            (CONTINUATION, fin) => {
                let (pieces, _) = self.pieces.as_mut().ok_or(Fault::Malformed("a piece of no message"))?;
                if pieces.len() + payload.len() > MESSAGE_BYTES {
                    return Err(Fault::TooLong);
                }
                pieces.extend_from_slice(&payload);
                match self.pieces.take_if(|_| fin) {
                    Some((_, true)) => Heard::Text,
                    Some((whole, false)) => Heard::Binary(whole.freeze()),
                    None => return Ok(None),
                }
            }
            _ if self.pieces.is_some() => return Err(Fault::Malformed("a message inside another")),
            (_, true) if is_text => Heard::Text,
            (_, true) => Heard::Binary(payload.freeze()),
            (_, false) => {
                self.pieces = Some((payload, is_text));
                return Ok(None);
            }
        };
        Ok(Some(heard))
    }

    fn head(&self) -> Result<Option<Frame>, Fault> {
        let [first, second, ..] = self.buffer[..] else { return Ok(None) };
        let (fin, opcode) = (first & FIN != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err(Fault::Malformed("an extension that was not agreed on"));
        }
        if second & 0x80 == 0 {
            return Err(Fault::Malformed("a client masks what it sends"));
        }
        let short = usize::from(second & 0x7f);
        match opcode {
            CLOSE | PING | PONG if short > 125 || !fin => {
                return Err(Fault::Malformed("a control frame in pieces, or too long"));
            }
            CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG => {}
            _ => return Err(Fault::Malformed("a frame of an unknown kind")),
        }
        let wide = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let head = 2 + wide + 4;
        let Some(bytes) = self.buffer.get(2..head) else { return Ok(None) };
        let (length, mask) = bytes.split_at(wide);
        let length = length.iter().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
        let payload = if wide == 0 { short as u64 } else { length };
        let payload = usize::try_from(payload).ok().filter(|payload| *payload <= MESSAGE_BYTES);
        let payload = payload.ok_or(Fault::TooLong)?;
        Ok(Some(Frame { fin, opcode, mask: mask.try_into().expect("four bytes"), head, payload }))
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for piece in payload.chunks_mut(4) {
        for (byte, mask) in piece.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}

/// A read asks for no more at once, however much has gathered.
const MAX_READ: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..=125 => bytes.push(0x80 | short as u8),
            long => {
                bytes.push(0x80 | 127);
                bytes.extend((long as u64).to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    fn all(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<Heard>, Fault> {
        decoder.room().extend_from_slice(bytes);
        let mut heard = Vec::new();
        while let Some(next) = decoder.poll()? {
            heard.push(next);
        }
        Ok(heard)
    }

    fn fault(bytes: &[u8]) -> Fault {
        all(&mut Decoder::default(), bytes).unwrap_err()
    }

    #[test]
    fn a_message_in_pieces_is_put_together_around_a_ping() {
        let bytes = [frame(2, b"one "), frame(0x89, b"?"), frame(0, b"two "), frame(0x80, b"three")].concat();
        let heard = all(&mut Decoder::default(), &bytes).unwrap();
        let whole = Heard::Binary(Bytes::from_static(b"one two three"));
        assert_eq!(heard, [Heard::Ping(Bytes::from_static(b"?")), whole]);
    }

    #[test]
    fn what_breaks_the_rules_is_a_fault() {
        let far = [vec![0x82, 0x80 | 127], (1u64 << 40).to_be_bytes().to_vec(), vec![0; 4]].concat();
        assert_eq!(fault(&far), Fault::TooLong, "before a byte of it is awaited");
        let piece = vec![7; MESSAGE_BYTES];
        assert_eq!(fault(&[frame(2, &piece), frame(0x80, &piece)].concat()), Fault::TooLong);
        for bytes in [
            vec![0x82, 1, 7],
            frame(0xc2, b""),
            frame(0x83, b""),
            frame(0x80, b"no beginning"),
            [frame(2, b""), frame(0x82, b"")].concat(),
            frame(9, b"a ping in pieces"),
            frame(0x89, &[7; 126]),
        ] {
            assert!(matches!(fault(&bytes), Fault::Malformed(_)), "{bytes:?}");
        }
    }

    #[test]
    fn between_messages_it_holds_no_memory() {
        let mut decoder = Decoder::default();
        assert_eq!(all(&mut decoder, &frame(0x82, &[7; 5000])).unwrap().len(), 1);
        assert_eq!(decoder.buffer.capacity(), 0);
    }

    proptest! {
        #[test]
        fn however_bytes_are_cut_the_messages_are_the_same(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..8),
            cuts in prop::collection::vec(1usize..40, 1..40),
        ) {
            let bytes: Vec<u8> = messages.iter().flat_map(|message| frame(0x82, message)).collect();
            let (mut decoder, mut heard, mut rest) = (Decoder::default(), Vec::new(), &bytes[..]);
            for cut in cuts.into_iter().cycle() {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                heard.extend(all(&mut decoder, now).unwrap());
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            let expected: Vec<Heard> = messages.into_iter().map(|message| Heard::Binary(message.into())).collect();
            prop_assert_eq!(heard, expected);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = all(&mut Decoder::default(), &bytes);
        }
    }
}
