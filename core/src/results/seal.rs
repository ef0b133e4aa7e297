//! A file that carries the hash of its own bytes.
//!
//! Decoding libraries trust a footer more than a damaged file deserves, so damage is found before they read it. The
//! hash stands in the footer's metadata; it is taken over the whole file with its own digits as zeros. It guards
//! against accidents, not against someone who computes a new one.

use std::io::{self, Write};

const MARK: &[u8] = b"blake3:";
const DIGITS: usize = 64;

/// What stands in the metadata until the hash is known.
pub(super) fn placeholder() -> String {
    format!("blake3:{}", "0".repeat(DIGITS))
}

/// Passes bytes on and hashes them; from [`Seal::hold`] on it keeps them back, to put the hash in at the end.
pub(super) struct Seal<W> {
    inner: W,
    hash: blake3::Hasher,
    held: Option<Vec<u8>>,
}

impl<W: Write> Seal<W> {
    pub fn new(inner: W) -> Seal<W> {
        Seal { inner, hash: blake3::Hasher::new(), held: None }
    }

    /// Everything that is written from now on waits for [`Seal::finish`]; the placeholder must be in it.
    pub fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Replaces the placeholder and writes what was held.
    pub fn finish(mut self) -> io::Result<W> {
        let mut held = self.held.take().unwrap_or_default();
        self.hash.update(&held);
        let place = find_last(&held, placeholder().as_bytes());
        let place = place.ok_or_else(|| io::Error::other("the footer has no place for its hash"))?;
        held[place + MARK.len()..][..DIGITS].copy_from_slice(self.hash.finalize().to_hex().as_bytes());
        self.inner.write_all(&held)?;
        self.inner.flush()?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Seal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(held) = &mut self.held {
            held.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Whether the bytes are those that were sealed; `None` if they bear no seal.
pub(super) fn is_intact(bytes: &[u8]) -> Option<bool> {
    let digits = find_last(bytes, MARK)? + MARK.len();
    let written = bytes.get(digits..digits + DIGITS)?;
    let mut hash = blake3::Hasher::new();
    hash.update(&bytes[..digits]).update(&[b'0'; DIGITS]).update(&bytes[digits + DIGITS..]);
    Some(hash.finalize().to_hex().as_bytes() == written)
}

fn find_last(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).rposition(|window| window == pattern)
}
