//! A text as an editor keeps it: it never reads the room's text again except on a reset.

use causeway_core::device::Change;
use causeway_core::ydoc::DeltaOp;

/// UTF-16 units, as every editor in a browser counts.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    units: Vec<u16>,
    fits: bool,
}

impl Mirror {
    /// Follows one change; `text` is what a reset reads.
    pub fn follow(&mut self, change: &Change, text: impl FnOnce() -> String) {
        match change {
            Change::Reset => {
                self.units = text().encode_utf16().collect();
                self.fits = true;
            }
            Change::Delta(delta) => {
                let mut at = 0;
                for op in delta {
                    self.fits &= self.step(&mut at, op);
                }
            }
        }
    }

    /// The text, or `None` if a change did not fit.
    pub fn text(&self) -> Option<String> {
        self.fits.then(|| String::from_utf16(&self.units).ok()).flatten()
    }

    /// Length in UTF-16 units.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    fn step(&mut self, at: &mut usize, op: &DeltaOp) -> bool {
        match op {
            DeltaOp::Retain(length) => {
                *at += *length as usize;
                *at <= self.units.len()
            }
            DeltaOp::Insert(text) => {
                let units: Vec<u16> = text.encode_utf16().collect();
                let fits = *at <= self.units.len();
                if fits {
                    let length = units.len();
                    self.units.splice(*at..*at, units);
                    *at += length;
                }
                fits
            }
            DeltaOp::Delete(length) => {
                let end = *at + *length as usize;
                let fits = end <= self.units.len();
                if fits {
                    self.units.drain(*at..end);
                }
                fits
            }
        }
    }
}
