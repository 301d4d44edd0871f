//! The guard alone.

use causeway_guard::Limits;
use causeway_guard::ydoc::{Known, Summary, check, check_text, parts, scan};

/// Asks the guard's three questions about one update, with the usual bounds and with tight ones, and cuts it.
pub(super) fn judge(input: &[u8]) -> usize {
    let limits = Limits::default();
    let scanned = scan(input, &limits);
    let checked = check(input, OWN, &Stream(4), &limits);
    let as_text = check_text(input, OWN, "text", &Stream(4), &limits);
    if let Ok(summary) = &scanned {
        within(summary, input.len(), &limits);
    }
    if let Ok(extension) = &checked {
        assert!(scanned.is_ok(), "what is checked is scanned");
        assert_eq!(extension.from, 4);
        assert!(extension.to >= extension.from);
    }
    if as_text.is_ok() {
        assert_eq!(as_text, checked, "a text is a document");
    }
    let mut known = Stream(4);
    for part in parts(input.to_vec(), &SNUG) {
        let judged = check(&part, OWN, &known, &SNUG);
        assert!(judged.is_ok() || checked.is_err(), "a part of what passes passes");
        known = Stream(judged.map_or(known.0, |extension| extension.to));
    }
    if let Ok(extension) = &checked {
        assert_eq!(extension.to, known.0, "no part is missing");
    }
    if let Ok(summary) = scan(input, &TIGHT) {
        assert!(scanned.is_ok(), "tight bounds refuse more");
        within(&summary, input.len(), &TIGHT);
    }
    usize::from(scanned.is_ok()) + usize::from(checked.is_ok()) + usize::from(as_text.is_ok())
}

fn within(summary: &Summary, bytes: usize, limits: &Limits) {
    assert!(bytes <= limits.bytes);
    assert!(summary.blocks <= limits.blocks && summary.blocks as usize * 2 <= bytes);
    assert!(summary.clients <= limits.clients && summary.clients <= summary.blocks);
    assert!(summary.delete_ranges <= limits.delete_ranges && summary.delete_ranges as usize * 2 <= bytes);
    assert!(summary.max_depth <= limits.depth);
    assert!(summary.skips <= summary.blocks && summary.types <= summary.blocks);
}

/// A stream that three clients have written, the first up to here. Small ids are one byte long, which chance hits.
struct Stream(u32);

impl Known for Stream {
    fn clock(&self, client: u64) -> Option<u32> {
        match client {
            OWN => Some(self.0),
            2 => Some(100),
            3 => Some(1),
            _ => None,
        }
    }
}

const OWN: u64 = 1;

const TIGHT: Limits =
    Limits { bytes: 64, blocks: 3, jumps: 2, clients: 2, delete_ranges: 2, depth: 2, nested: 1 };

/// Bounds that nearly every update has to be cut for.
const SNUG: Limits =
    Limits { bytes: 1 << 20, blocks: 2, jumps: 1, clients: 1, delete_ranges: 1, depth: 64, nested: 1_024 };
