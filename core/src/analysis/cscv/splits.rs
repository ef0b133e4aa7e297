//! The halves that blocks are split into, in a fixed order.

/// All choices of half of the blocks, counted in lexicographic order of their blocks, as bit masks. Only those that hold
/// block 0 are kept: their complements, in reverse, are the others in the same order.
pub(in super::super) struct Halves {
    masks: Vec<u32>,
    /// The mask of all blocks.
    whole: u32,
}

impl Halves {
    /// Of so many blocks, an even number.
    pub fn of(blocks: usize) -> Halves {
        Halves { masks: halves(blocks), whole: ((1_u64 << blocks) - 1) as u32 }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        2 * self.masks.len()
    }

    /// The mask of all blocks.
    pub fn whole(&self) -> u32 {
        self.whole
    }

    /// Those that hold block 0.
    pub fn masks(&self) -> &[u32] {
        &self.masks
    }

    /// One of all.
    #[inline]
    pub fn at(&self, place: usize) -> u32 {
        match self.masks.get(place) {
            Some(mask) => *mask,
            None => self.whole ^ self.masks[self.len() - 1 - place],
        }
    }
}

/// All choices of half of `blocks` blocks that hold block 0, in lexicographic order: as numbers whose highest bit is block 0
/// they descend, so the ascending ones (Gosper's way from one to the next with as many bits) are turned around.
fn halves(blocks: usize) -> Vec<u32> {
    let (half, first) = (blocks / 2, 1_u64 << (blocks - 1));
    let turned = |number: u64| (number as u32).reverse_bits() >> (u32::BITS - blocks as u32);
    let mut masks = Vec::new();
    // Without block 0, half of the blocks less one.
    let mut number = (1_u64 << (half - 1)) - 1;
    while number < first {
        masks.push(turned(first | number));
        if number == 0 {
            break;
        }
        let lowest = number & number.wrapping_neg();
        let carried = number + lowest;
        number = carried | (((number ^ carried) >> 2) / lowest);
    }
    masks.reverse();
    masks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complements_in_reverse_go_on_with_the_order() {
        let text = |mask: u32| (0..6).filter(|b| mask >> b & 1 == 1).map(|b| b.to_string()).collect::<String>();
        let halves = Halves::of(6);
        let all: Vec<String> = (0..halves.len()).map(|place| text(halves.at(place))).collect();
        assert_eq!(all.len(), 20);
        assert_eq!((all[0].as_str(), all[9].as_str(), all[10].as_str()), ("012", "045", "123"));
        assert!(all.is_sorted());
    }

    #[test]
    fn all_are_counted() {
        assert_eq!([2, 4, 8, 16].map(|blocks| Halves::of(blocks).len()), [2, 6, 70, 12_870]);
    }
}
