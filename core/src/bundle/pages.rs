//! Walks the page headers of a Parquet column chunk before it is decoded.
//!
//! The Parquet library allocates what a page header claims as its decompressed size, up to 2 GiB a page, before it
//! looks at the data. This room reads bytes of unknown origin, so it checks the claims first. It is given a column
//! chunk's bytes and knows only as much of Thrift's compact protocol as a page header needs.

use crate::error::{Error, Result};

/// Deepest nesting of structures in a page header: statistics inside a data page header inside the page header.
const DEPTH: u32 = 8;

/// Whose file it is: what its pages may be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Written by this project: plain data pages in the encodings that the writer uses, no dictionaries.
    Ours,
    /// Written by anybody.
    Foreign,
}

/// Checks that the pages of a column chunk fill it, that none claims more than `limit` bytes decompressed, and that
/// their kinds and encodings are such as the decoder takes (it panics on a dictionary encoding without dictionary).
///
/// # Errors
/// A header does not parse, leaves the chunk, or claims what it must not.
pub(super) fn check_pages(chunk: &[u8], limit: u64, origin: Origin) -> Result<()> {
    let damaged = |what: &str| Err(Error::data(format!("the file is damaged: {what}")));
    let mut reader = Compact { bytes: chunk, at: 0 };
    let mut dictionary = false;
    while reader.at < chunk.len() {
        let Some(page) = reader.page_header() else { return damaged("a page header is not one") };
        let (Ok(decompressed), Ok(compressed)) = (u64::try_from(page.decompressed), usize::try_from(page.compressed))
        else {
            return damaged("a page has a negative size");
        };
        if decompressed > limit {
            return damaged(&format!("a page claims {decompressed} bytes where its row group can fill {limit}"));
        }
        if compressed > chunk.len() - reader.at {
            return damaged("a page is longer than its column chunk");
        }
        let known = match (origin, page.kind, page.encoding) {
            // Our only split columns are floats without levels: eight bytes a value, nothing else.
            (Origin::Ours, DATA_PAGE, Some(BYTE_STREAM_SPLIT)) => {
                page.levels_are_rle && page.values.and_then(|values| values.checked_mul(8)) == Some(page.decompressed)
            }
            (Origin::Ours, DATA_PAGE, Some(PLAIN | DELTA_BINARY_PACKED)) => page.levels_are_rle,
            (Origin::Ours, _, _) => false,
            (_, DATA_PAGE | DATA_PAGE_V2, Some(PLAIN_DICTIONARY | RLE_DICTIONARY)) => dictionary,
            (_, DATA_PAGE | DATA_PAGE_V2, encoding) => encoding.is_some(),
            (_, DICTIONARY_PAGE, _) => true,
            _ => false,
        };
        if !known {
            return damaged("a page is of a kind or encoding that cannot be here");
        }
        dictionary |= page.kind == DICTIONARY_PAGE;
        reader.at += compressed;
    }
    Ok(())
}

// Numbers of the Parquet format.
const DATA_PAGE: i64 = 0;
const DICTIONARY_PAGE: i64 = 2;
const DATA_PAGE_V2: i64 = 3;
const PLAIN: i64 = 0;
const PLAIN_DICTIONARY: i64 = 2;
const RLE: i64 = 3;
const DELTA_BINARY_PACKED: i64 = 5;
const RLE_DICTIONARY: i64 = 8;
const BYTE_STREAM_SPLIT: i64 = 9;

/// What a page header says.
struct Page {
    kind: i64,
    decompressed: i64,
    compressed: i64,
    values: Option<i64>,
    encoding: Option<i64>,
    levels_are_rle: bool,
}

// Forms of a field in Thrift's compact protocol.
const I32: u8 = 5;
const STRUCT: u8 = 12;

/// A cursor over Thrift's compact protocol.
struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Compact<'_> {
    /// The page header at the cursor, which moves behind it.
    fn page_header(&mut self) -> Option<Page> {
        let (mut kind, mut decompressed, mut compressed) = (None, None, None);
        let (mut values, mut encoding, mut levels_are_rle) = (None, None, true);
        let mut field = 0i64;
        loop {
            let (form, id) = self.field(field)?;
            field = id;
            match (form, id) {
                (0, _) => break,
                (I32, 1) => kind = Some(self.zigzag()?),
                (I32, 2) => decompressed = Some(self.zigzag()?),
                (I32, 3) => compressed = Some(self.zigzag()?),
                // A data page header: values, encoding, and the encodings of both kinds of levels.
                (STRUCT, 5) => {
                    let numbers = self.numbers()?;
                    (values, encoding) = (numbers[1], numbers[2]);
                    levels_are_rle = numbers[3] == Some(RLE) && numbers[4] == Some(RLE);
                }
                (STRUCT, 8) => encoding = self.numbers()?[4],
                _ => self.skip(form, DEPTH)?,
            }
        }
        Some(Page {
            kind: kind?,
            decompressed: decompressed?,
            compressed: compressed?,
            values,
            encoding,
            levels_are_rle,
        })
    }

    /// The fields 1 to 7 of a structure that are 32-bit integers; the rest is skipped.
    fn numbers(&mut self) -> Option<[Option<i64>; 8]> {
        let mut numbers = [None; 8];
        let mut field = 0;
        loop {
            let (form, id) = self.field(field)?;
            field = id;
            match (form, usize::try_from(id)) {
                (0, _) => return Some(numbers),
                (I32, Ok(id)) if id < numbers.len() => numbers[id] = Some(self.zigzag()?),
                _ => self.skip(form, DEPTH)?,
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

    /// A page of a kind and encoding, of (decompressed, compressed) sizes below 64, and then that many bytes.
    fn page(kind: u8, encoding: u8, decompressed: u8, compressed: u8) -> Vec<u8> {
        let mut bytes = vec![0x15, kind * 2, 0x15, decompressed * 2, 0x15, compressed * 2];
        // The data page header: values, encoding, two level encodings, statistics with one number.
        bytes.extend([0x2c, 0x15, decompressed / 4, 0x15, encoding * 2, 0x15, 6, 0x15, 6, 0x1c, 0x36, 2, 0, 0, 0]);
        bytes.extend(vec![0xff; usize::from(compressed)]);
        bytes
    }

    #[test]
    fn sizes_are_held_against_the_limit_and_the_chunk() {
        let two = [page(0, 0, 40, 20), page(0, 9, 16, 10)].concat();
        assert_eq!(check_pages(&two, 40, Origin::Ours), Ok(()));
        assert!(check_pages(&two, 39, Origin::Ours).is_err());
        assert!(check_pages(&two[..two.len() - 1], 40, Origin::Ours).is_err());
        assert!(check_pages(&[0x15; 40], 40, Origin::Foreign).is_err());
        assert!(check_pages(&[0x2c; 4000], 40, Origin::Foreign).is_err(), "nesting is bounded");
    }

    #[test]
    fn dictionaries_come_first_and_from_others_only() {
        let with = [page(2, 0, 8, 8), page(0, 8, 8, 8)].concat();
        assert_eq!(check_pages(&with, 40, Origin::Foreign), Ok(()));
        assert!(check_pages(&with, 40, Origin::Ours).is_err());
        assert!(check_pages(&page(0, 8, 8, 8), 40, Origin::Foreign).is_err());
    }
}
