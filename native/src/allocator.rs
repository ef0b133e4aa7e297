//! Where memory comes from: large pages for what comes and goes, the system for what is huge.
//!
//! Columns come and go in megabytes; the system's allocator returns their pages and has each cleared again, so they are
//! mimalloc's, which keeps them and asks for large pages. A single block of tens of megabytes is used once: a virtual
//! machine whose host has taken unused memory back clears large pages at a tenth of the speed of small ones, and the system
//! makes such a block longer by moving its pages instead of copying what is in them.

use std::alloc::{GlobalAlloc, Layout, System};

use mimalloc::MiMalloc;

/// Bytes from which on a block is the system's: as many as it always maps by themselves.
const HUGE: usize = 32 << 20;

/// The allocator of every program that links this crate.
#[derive(Debug)]
pub struct BySize;

#[expect(unsafe_code, reason = "an allocator is unsafe by its trait")]
// SAFETY: every call goes on to one of two sound allocators, with the layout that it came with. Who gave a block is told by
// its size alone, which the caller must name again when it gives the block back or resizes it.
unsafe impl GlobalAlloc for BySize {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`, which is the same for all allocators.
        unsafe { if layout.size() < HUGE { MiMalloc.alloc(layout) } else { System.alloc(layout) } }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { if layout.size() < HUGE { MiMalloc.alloc_zeroed(layout) } else { System.alloc_zeroed(layout) } }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: a block of this size came from the same allocator.
        unsafe { if layout.size() < HUGE { MiMalloc.dealloc(block, layout) } else { System.dealloc(block, layout) } }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: where both sizes are of one allocator, it gave the block. Else the new block has the caller's size, which
        // with this alignment is a layout by the contract of `realloc`, both hold at least as many bytes as are copied,
        // they do not overlap, and the old one goes back to who gave it.
        unsafe {
            match (layout.size() < HUGE, size < HUGE) {
                (true, true) => MiMalloc.realloc(block, layout, size),
                (false, false) => System.realloc(block, layout, size),
                _ => {
                    let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                    if !moved.is_null() {
                        std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                        self.dealloc(block, layout);
                    }
                    moved
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HUGE;

    #[test]
    fn blocks_keep_what_is_in_them_across_the_border() {
        let mut bytes: Vec<u8> = (0..HUGE - 1).map(|k| (k % 251) as u8).collect();
        bytes.reserve_exact(HUGE);
        bytes.extend_from_slice(&[7; 100]);
        bytes.reserve_exact(3 * HUGE);
        assert!(bytes[..HUGE - 1].iter().enumerate().all(|(k, byte)| *byte == (k % 251) as u8));
        bytes.truncate(1000);
        bytes.shrink_to_fit();
        assert!(bytes.len() == 1000 && bytes[999] == (999 % 251) as u8);
        assert!(vec![0_u64; HUGE].iter().all(|word| *word == 0));
    }
}
