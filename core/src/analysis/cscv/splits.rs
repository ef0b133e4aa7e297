//! The halves that blocks are split into, in a fixed order.

/// All choices of half of `blocks` blocks that hold block 0, as bit masks in lexicographic order of their blocks. Their
/// complements, in reverse, are the other choices in the same order.
pub(super) fn halves(blocks: usize) -> Vec<u32> {
    let half = blocks / 2;
    let mut chosen: Vec<usize> = (0..half).collect();
    let mut masks = Vec::new();
    while chosen[0] == 0 {
        masks.push(chosen.iter().map(|block| 1 << block).sum());
        // The last place that can still move on, and all after it close behind.
        let Some(place) = (0..half).rev().find(|&place| chosen[place] < blocks - half + place) else { break };
        chosen[place] += 1;
        for later in place + 1..half {
            chosen[later] = chosen[later - 1] + 1;
        }
    }
    masks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complements_in_reverse_go_on_with_the_order() {
        let text = |mask: u32| (0..6).filter(|b| mask >> b & 1 == 1).map(|b| b.to_string()).collect::<String>();
        let first = halves(6);
        let all: Vec<String> =
            first.iter().copied().chain(first.iter().rev().map(|mask| !mask & 63)).map(text).collect();
        assert_eq!(all.len(), 20);
        assert_eq!((all[0].as_str(), all[9].as_str(), all[10].as_str()), ("012", "045", "123"));
        assert!(all.is_sorted());
    }

    #[test]
    fn all_are_counted() {
        assert_eq!([2, 4, 8, 16].map(|blocks| halves(blocks).len()), [1, 3, 35, 6435]);
    }
}
