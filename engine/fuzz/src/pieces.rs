//! One input as several pieces.

/// Cuts an input into pieces of the form `author:1 length:1 bytes`, each by one of three authors. The last piece ends
/// where the input ends, so that every input can be read.
#[derive(Clone, Debug)]
pub struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Pieces<'a> {
    /// Authors of an input, and the client ids they write under: `1..=AUTHORS`.
    pub const AUTHORS: u8 = 3;

    /// The pieces of `input`.
    pub fn of(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// Puts pieces of at most 255 bytes together; what is longer is cut.
    pub fn join<'b>(pieces: impl IntoIterator<Item = (u8, &'b [u8])>) -> Vec<u8> {
        let mut input = Vec::new();
        for (author, bytes) in pieces {
            let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
            input.extend([author, length]);
            input.extend_from_slice(&bytes[..usize::from(length)]);
        }
        input
    }
}

impl<'a> Iterator for Pieces<'a> {
    /// Author and bytes.
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [author, length, rest @ ..] = self.rest else { return None };
        let (piece, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        self.rest = rest;
        Some((1 + author % Self::AUTHORS, piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_joined_comes_apart() {
        let joined = Pieces::join([(0, b"ab".as_slice()), (2, b""), (1, b"c")]);
        let pieces: Vec<_> = Pieces::of(&joined).collect();
        assert_eq!(pieces, [(1, b"ab".as_slice()), (3, b""), (2, b"c")]);
        assert_eq!(Pieces::of(&[0, 9, 7]).collect::<Vec<_>>(), [(1, [7].as_slice())]);
        assert_eq!(Pieces::of(&[0]).count(), 0);
    }
}
