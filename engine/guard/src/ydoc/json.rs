//! The JSON of embeds and formats, read without recursion.

use crate::fault::Fault;
use crate::limits::DEPTH_MAX;

/// What a JSON text is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Levels of arrays and objects.
    pub(super) depth: u32,
    /// Whether yrs writes it again as what it was: no object has more than one member, be it twice the same, and numbers are
    /// short (see [`is_steady`]).
    pub(super) steady: bool,
}

/// Reads a JSON text to its end. `base` is where the text begins in the update.
///
/// It takes what serde_json takes, minus three things: more than [`DEPTH_MAX`] levels, integers between `i64::MAX` and
/// `u64::MAX` (yrs refuses them after parsing), and numbers of 10³⁰⁰ and more (serde_json rounds those near the end of the
/// range to infinity, depending on its features).
pub(super) fn validate(text: &str, base: usize, limit: u32) -> Result<Shape, Fault> {
    let mut reader = Reader { text: text.as_bytes(), at: 0, base };
    let shape = reader.document(limit.min(DEPTH_MAX))?;
    reader.space();
    if reader.at == reader.text.len() { Ok(shape) } else { Err(reader.fault()) }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    base: usize,
}

impl<'a> Reader<'a> {
    fn document(&mut self, limit: u32) -> Result<Shape, Fault> {
        // One bit per open level: set for an object.
        let mut objects = 0u64;
        let mut depth = 0;
        let mut shape = Shape { depth: 0, steady: true };
        loop {
            self.space();
            let opens = match self.peek() {
                Some(b'[') => Some(0),
                Some(b'{') => Some(1),
                _ => None,
            };
            if let Some(bit) = opens {
                if depth == limit {
                    return Err(Fault::TooDeep { at: self.base + self.at });
                }
                self.at += 1;
                objects = objects << 1 | bit;
                depth += 1;
                shape.depth = shape.depth.max(depth);
                self.space();
                if self.peek() != Some(closing(objects)) {
                    self.key_if(objects & 1 == 1)?;
                    continue;
                }
            } else {
                shape.steady &= self.scalar()?;
            }
            // A value is complete, or an empty level is about to close: close what closes, or go on behind a comma.
            loop {
                if depth == 0 {
                    return Ok(shape);
                }
                self.space();
                if self.peek() == Some(closing(objects)) {
                    self.at += 1;
                    objects >>= 1;
                    depth -= 1;
                } else {
                    self.expect(b',')?;
                    self.space();
                    shape.steady &= objects & 1 == 0;
                    self.key_if(objects & 1 == 1)?;
                    break;
                }
            }
        }
    }

    fn key_if(&mut self, keyed: bool) -> Result<(), Fault> {
        if keyed {
            self.string()?;
            self.space();
            self.expect(b':')?;
        }
        Ok(())
    }

    /// Whether it is steady, which only numbers are not.
    fn scalar(&mut self) -> Result<bool, Fault> {
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            _ => return self.number(),
        }
        Ok(true)
    }

    fn string(&mut self) -> Result<(), Fault> {
        self.expect(b'"')?;
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                0..0x20 => return Err(self.fault()),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.hex4()? {
                0xDC00..=0xDFFF => Err(self.fault()),
                0xD800..=0xDBFF => {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    if (0xDC00..=0xDFFF).contains(&self.hex4()?) { Ok(()) } else { Err(self.fault()) }
                }
                _ => Ok(()),
            },
            _ => Err(self.fault()),
        }
    }

    fn hex4(&mut self) -> Result<u32, Fault> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16).ok_or_else(|| self.fault())?;
            value = value << 4 | digit;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<bool, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = if self.peek() == Some(b'0') {
            self.at += 1;
            &[][..]
        } else {
            self.digits()?
        };
        let mut integer = true;
        let mut fraction = &[][..];
        if self.peek() == Some(b'.') {
            integer = false;
            self.at += 1;
            fraction = self.digits()?;
        }
        let mut exponent = 0;
        if matches!(self.peek(), Some(b'e' | b'E')) {
            integer = false;
            exponent = self.exponent()?;
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).map_err(|_| self.fault())?;
        let refused = integer && text.parse::<u64>().is_ok_and(|value| i64::try_from(value).is_err());
        let power = leading_power(whole, fraction).unwrap_or(-exponent) + exponent;
        if power >= POWER_MAX || refused {
            return Err(self.fault());
        }
        Ok(is_steady(whole, fraction, exponent) && power < DIGITS)
    }

    /// Reads an exponent. One that no text is long enough to balance counts as the largest of its sign.
    fn exponent(&mut self) -> Result<i64, Fault> {
        self.at += 1;
        let negative = self.peek() == Some(b'-');
        if matches!(self.peek(), Some(b'+' | b'-')) {
            self.at += 1;
        }
        let digits = self.digits()?.iter();
        let value = digits
            .fold(0i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
        let value = value.min(EXPONENT_MAX);
        Ok(if negative { -value } else { value })
    }

    fn digits(&mut self) -> Result<&'a [u8], Fault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(&self.text[start..self.at]) } else { Err(self.fault()) }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Fault> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fault());
        }
        self.at += word.len();
        Ok(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, Fault> {
        let byte = self.peek().ok_or_else(|| self.fault())?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.fault());
        }
        self.at += 1;
        Ok(())
    }

    fn fault(&self) -> Fault {
        Fault::Json { at: self.base + self.at }
    }
}

fn closing(objects: u64) -> u8 {
    if objects & 1 == 1 { b'}' } else { b']' }
}

/// The power of ten at the first digit that is not zero: 2 for `314.15`, -3 for `0.00271`, `None` for zero.
///
/// Digits are counted instead of parsed because a parser for floating point brings ten kilobytes of tables, which every
/// page would have to load.
fn leading_power(whole: &[u8], fraction: &[u8]) -> Option<i64> {
    if !whole.is_empty() {
        return Some(whole.len() as i64 - 1);
    }
    let zeros = fraction.iter().position(|digit| *digit != b'0')?;
    Some(-1 - zeros as i64)
}

/// Whether serde_json reads exactly the number that these digits say, so that it is written with the same ones: it takes all
/// digits as a whole number and multiplies or divides it once by a power of ten, and both are exact within these bounds. Others
/// are written as another number, which is again read as another one.
fn is_steady(whole: &[u8], fraction: &[u8], exponent: i64) -> bool {
    let kept = fraction.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last as i64 + 1);
    let leading = if whole.is_empty() { leading_zeros(fraction) } else { 0 };
    let digits = whole.len() as i64 - leading;
    // What is written of a whole number has one digit more, which is zero.
    digits + kept <= DIGITS
        && digits + fraction.len() as i64 <= DIGITS + 1
        && exponent - fraction.len() as i64 >= -EXACT_POWER
}

fn leading_zeros(fraction: &[u8]) -> i64 {
    fraction.iter().take_while(|digit| **digit == b'0').count() as i64
}

/// Numbers of so many digits stand exactly in a floating point number, and no two of them in the same.
const DIGITS: i64 = 15;

/// The greatest power of ten that is exact in floating point.
const EXACT_POWER: i64 = 22;

/// Numbers below this power of ten pass.
const POWER_MAX: i64 = 300;

/// More than the digits of any text that fits into an update.
const EXPONENT_MAX: i64 = 1 << 40;
