//! The committed inputs: `corpus/TARGET.hex`, one input a line.

use std::fmt;

/// Why a corpus cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoHex {
    /// The line, counted from one.
    pub line: usize,
}

impl fmt::Display for NoHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is not an even number of hexadecimal digits", self.line)
    }
}

/// The inputs in a corpus file.
///
/// # Errors
/// The first line that is no hexadecimal text.
pub fn read(text: &str) -> Result<Vec<Vec<u8>>, NoHex> {
    text.lines().enumerate().map(|(at, line)| unhex(line).ok_or(NoHex { line: at + 1 })).collect()
}

/// One input as a line of a corpus file.
pub fn line(input: &[u8]) -> String {
    input.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(line: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        line.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_was_written() {
        assert_eq!(read(&line(&[0, 255, 16])), Ok(vec![vec![0, 255, 16]]));
        assert_eq!(read("00\n0"), Err(NoHex { line: 2 }));
    }
}
