//! Randomness that the caller hands in once and the core draws from.

/// A stream of random bytes fixed by its seed: the same seed gives the same ids, keys and jitter.
pub(crate) struct Entropy {
    source: blake3::OutputReader,
}

impl Entropy {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("causeway 2026 entropy");
        hasher.update(seed);
        Self { source: hasher.finalize_xof() }
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.source.fill(&mut bytes);
        bytes
    }

    /// A number in `0..bound`; zero for a bound of zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        u64::from_le_bytes(self.bytes()) % bound.max(1)
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}
