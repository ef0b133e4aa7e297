//! Walks the page headers of a Parquet column chunk before it is decoded.
//!
//! The Parquet library allocates what a page header claims as its decompressed size, up to 2 GiB a page, before it
//! looks at the data. This room reads bytes of unknown origin, so it checks the claims first. It is given a column
//! chunk's bytes and knows only as much of Thrift's compact protocol as a page header needs.

use crate::error::{Error, Result};

/// Deepest nesting of structures in a page header: statistics inside a data page header inside the page header.
const DEPTH: u32 = 8;

/// Checks that the pages of a column chunk fill it and that none claims more than `limit` bytes decompressed.
///
/// # Errors
/// A header does not parse, leaves the chunk, or claims more than the limit.
pub(super) fn check_pages(chunk: &[u8], limit: u64) -> Result<()> {
    let mut reader = Compact { bytes: chunk, at: 0 };
    while reader.at < chunk.len() {
        let sizes = reader.page_header().ok_or_else(|| Error::data("the file is damaged: a page header is not one"))?;
        let (Ok(decompressed), Ok(compressed)) = (u64::try_from(sizes.0), usize::try_from(sizes.1)) else {
            return Err(Error::data("the file is damaged: a page has a negative size"));
        };
        if decompressed > limit {
            return Err(Error::data(format!(
                "the file is damaged: a page claims {decompressed} bytes where its row group can fill {limit}"
            )));
        }
        if compressed > chunk.len() - reader.at {
            return Err(Error::data("the file is damaged: a page is longer than its column chunk"));
        }
        reader.at += compressed;
    }
    Ok(())
}

/// A cursor over Thrift's compact protocol.
struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Compact<'_> {
    /// (decompressed size, compressed size) of the page header at the cursor, which moves behind it.
    fn page_header(&mut self) -> Option<(i64, i64)> {
        let (mut decompressed, mut compressed) = (None, None);
        let mut field = 0i64;
        loop {
            let (kind, id) = self.field(field)?;
            field = id;
            match (kind, id) {
                (0, _) => return decompressed.zip(compressed),
                (5, 2) => decompressed = Some(self.zigzag()?),
                (5, 3) => compressed = Some(self.zigzag()?),
                _ => self.skip(kind, DEPTH)?,
            }
        }
    }

    fn field(&mut self, before: i64) -> Option<(u8, i64)> {
        let head = self.byte()?;
        if head & 0x0f == 0 {
            return Some((0, before));
        }
        let id = match head >> 4 {
            0 => self.zigzag()?,
            step => before.checked_add(i64::from(step))?,
        };
        Some((head & 0x0f, id))
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        match kind {
            1 | 2 => Some(()),
            3 => self.advance(1),
            4..=6 => self.zigzag().map(|_| ()),
            7 => self.advance(8),
            8 => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.advance(length)
            }
            12 if depth > 0 => {
                let mut field = 0;
                loop {
                    let (kind, id) = self.field(field)?;
                    if kind == 0 {
                        return Some(());
                    }
                    field = id;
                    self.skip(kind, depth - 1)?;
                }
            }
            // No page header holds lists, sets or maps.
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn advance(&mut self, length: usize) -> Option<()> {
        let at = self.at.checked_add(length).filter(|&at| at <= self.bytes.len())?;
        self.at = at;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data page header of (decompressed, compressed) sizes below 64, then that many bytes.
    fn page(decompressed: u8, compressed: u8) -> Vec<u8> {
        let mut bytes = vec![0x15, 0, 0x15, decompressed * 2, 0x15, compressed * 2];
        // A data page header with two integers, as a structure to skip.
        bytes.extend([0x2c, 0x15, 6, 0x15, 0, 0, 0]);
        bytes.extend(vec![0xff; usize::from(compressed)]);
        bytes
    }

    #[test]
    fn sizes_are_held_against_the_limit_and_the_chunk() {
        let two = [page(40, 20), page(10, 10)].concat();
        assert_eq!(check_pages(&two, 40), Ok(()));
        assert!(check_pages(&two, 39).is_err());
        assert!(check_pages(&two[..two.len() - 1], 40).is_err());
        assert!(check_pages(&[0x15; 40], 40).is_err());
        assert!(check_pages(&[0x2c; 4000], 40).is_err(), "nesting is bounded");
    }
}
