//! Reads the primitives of lib0 and LEB128, every length checked against what is left.

use crate::fault::Fault;

/// A position in a payload. Reading moves it forward and never past the end.
///
/// Numbers follow lib0 with two differences from yrs 0.28.1: yrs lets a number that is too large wrap around, and takes
/// up to ten needless continuation bytes; here both are faults, so each number has one spelling and one value.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, at: 0 }
    }

    /// A part of a payload; offsets stay those of the whole. The caller has checked that the part lies within.
    pub(crate) fn part(bytes: &'a [u8], start: usize, end: usize) -> Self {
        Cursor { bytes: &bytes[..end], at: start }
    }

    /// Offset of the next byte.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Fault> {
        let byte = *self.bytes.get(self.at).ok_or(Fault::Truncated { at: self.at })?;
        self.at += 1;
        Ok(byte)
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or(Fault::Truncated { at: self.at })?;
        self.at += len;
        Ok(taken)
    }

    /// An unsigned number of seven bits a byte, least first.
    #[inline]
    pub(crate) fn u64(&mut self) -> Result<u64, Fault> {
        let start = self.at;
        let first = self.byte()?;
        if first < CONTINUE {
            return Ok(u64::from(first));
        }
        self.u64_rest(start, u64::from(first & !CONTINUE), 7)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        let start = self.at;
        u32::try_from(self.u64()?).map_err(|_| Fault::Number { at: start })
    }

    /// A signed number: the first byte holds a sign and six bits.
    pub(crate) fn skip_i64(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let first = self.byte()?;
        if first < CONTINUE {
            return Ok(());
        }
        let magnitude = self.u64_rest(start, u64::from(first & 0b0011_1111), 6)?;
        // yrs negates the magnitude as an i64.
        if magnitude > i64::MAX as u64 { Err(Fault::Number { at: start }) } else { Ok(()) }
    }

    /// A signed number in LEB128, which automerge uses: two's complement, in its shortest form.
    pub(crate) fn leb(&mut self) -> Result<i64, Fault> {
        let start = self.at;
        let (mut value, mut shift, mut before) = (0i128, 0, None);
        loop {
            let byte = self.byte()?;
            value |= i128::from(byte & !CONTINUE) << shift;
            shift += 7;
            if byte < CONTINUE {
                let negative = byte & 0b0100_0000 != 0;
                let needless = match before {
                    Some(before) => {
                        byte == 0 && before & 0b0100_0000 == 0 || byte == 0x7F && before & 0b0100_0000 != 0
                    }
                    None => false,
                };
                let value = if negative { value - (1 << shift) } else { value };
                return match i64::try_from(value) {
                    Ok(value) if !needless => Ok(value),
                    _ => Err(Fault::Number { at: start }),
                };
            }
            if shift > 63 {
                return Err(Fault::Number { at: start });
            }
            before = Some(byte);
        }
    }

    fn u64_rest(&mut self, start: usize, mut value: u64, mut shift: u32) -> Result<u64, Fault> {
        loop {
            let byte = self.byte()?;
            let bits = u64::from(byte & !CONTINUE);
            if shift >= u64::BITS || (bits << shift) >> shift != bits {
                return Err(Fault::Number { at: start });
            }
            value |= bits << shift;
            if byte < CONTINUE {
                return if bits == 0 { Err(Fault::Number { at: start }) } else { Ok(value) };
            }
            shift += 7;
        }
    }

    /// The number of things that follow, each of at least `least` bytes.
    pub(crate) fn count(&mut self, least: usize) -> Result<u32, Fault> {
        let start = self.at;
        let count = self.u64()?;
        let room = (self.remaining() / least) as u64;
        if count > room {
            return Err(Fault::Truncated { at: start });
        }
        u32::try_from(count).map_err(|_| Fault::Number { at: start })
    }

    /// Bytes behind their length.
    pub(crate) fn buffer(&mut self) -> Result<&'a [u8], Fault> {
        let len = self.count(1)?;
        self.take(len as usize)
    }

    /// UTF-8 behind its length in bytes.
    pub(crate) fn string(&mut self) -> Result<&'a str, Fault> {
        let bytes = self.buffer()?;
        std::str::from_utf8(bytes).map_err(|_| Fault::Utf8 { at: self.at - bytes.len() })
    }

    /// A client id of at most 53 bits.
    #[inline]
    pub(crate) fn client(&mut self) -> Result<u64, Fault> {
        let start = self.at;
        let client = self.u64()?;
        if client < CLIENT_END { Ok(client) } else { Err(Fault::ClientId { at: start }) }
    }

    /// A clock below 2³¹.
    #[inline]
    pub(crate) fn clock(&mut self) -> Result<u32, Fault> {
        let start = self.at;
        let clock = self.u64()?;
        match u32::try_from(clock) {
            Ok(clock) if clock <= CLOCK_MAX => Ok(clock),
            _ => Err(Fault::Clock { at: start }),
        }
    }
}

/// Adds a length to a clock, as long as the sum is a clock.
#[inline]
pub(crate) fn advance(clock: u32, len: u32, at: usize) -> Result<u32, Fault> {
    match clock.checked_add(len) {
        Some(end) if end <= CLOCK_MAX => Ok(end),
        _ => Err(Fault::Clock { at }),
    }
}

const CONTINUE: u8 = 0b1000_0000;

/// Yjs client ids fit into the integers that JavaScript holds exactly.
const CLIENT_END: u64 = 1 << 53;

/// yrs keeps clocks in a u32 and subtracts two of them as i32, so they end at 2³¹ − 1.
pub(crate) const CLOCK_MAX: u32 = i32::MAX as u32;
