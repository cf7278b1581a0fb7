//! What the fuzzer made up, taken to pieces. Pieces that are not there are empty: every input is one.

pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// One octet, zero at the end.
    pub(crate) fn octet(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// A number below `end`, from two octets.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let number = usize::from(u16::from_be_bytes([self.octet(), self.octet()]));
        number.checked_rem(end).unwrap_or(0)
    }

    /// The next octets, fewer at the end.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// What stands before the next `mark`, or all that is left.
    pub(crate) fn until(&mut self, mark: u8) -> &'a [u8] {
        let end = self.0.iter().position(|octet| *octet == mark).unwrap_or(self.0.len());
        let taken = self.take(end);
        self.take(1);
        taken
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

/// The octets as text; what is not UTF-8 is replaced.
pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
