//! The exhaustive search: every valid point once, in the order of its index, without a list of them.

use std::ops::Range;

use crate::plan::{Space, Walk};

/// An enumeration under way. Its memory does not depend on the number of points.
#[derive(Clone, Debug)]
pub struct Grid {
    space: Space,
    walk: Walk,
}

impl Grid {
    /// The valid points of a range of indices.
    pub fn new(space: &Space, range: Range<u64>) -> Grid {
        Grid { space: space.clone(), walk: Walk::new(space, range) }
    }

    /// Clears `out` and puts the next `n` valid indices into it, fewer at the end.
    pub fn next_batch(&mut self, n: usize, out: &mut Vec<u64>) {
        out.clear();
        while out.len() < n {
            match self.walk.next_valid(&self.space) {
                Some(index) => out.push(index),
                None => break,
            }
        }
    }

    /// The first index that has not been enumerated yet: where a later enumeration of the rest starts.
    pub fn position(&self) -> u64 {
        self.walk.position()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::plan::PlanSpec;
    use crate::strategy::{Domain, ParamDecl};

    fn space() -> Space {
        let param =
            |name: &str| ParamDecl { name: name.into(), domain: Domain::Int { min: 1, max: 9, step: 1 }, default: 1.0 };
        let mut spec = PlanSpec::default();
        spec.set("where", "a < b").unwrap();
        Space::resolve(&spec, &[param("a"), param("b")], &mut Vec::new()).unwrap()
    }

    #[test]
    fn batches_of_any_size_are_the_valid_points_in_order() {
        let space = space();
        let all: Vec<u64> = space.valid_in(0..space.size()).collect();
        assert_eq!(all.len(), 36);
        for size in [1, 5, 36, 1000] {
            let mut grid = Grid::new(&space, 0..u64::MAX);
            let (mut found, mut batch) = (Vec::new(), Vec::new());
            loop {
                grid.next_batch(size, &mut batch);
                assert!(batch.len() <= size);
                if batch.is_empty() {
                    break;
                }
                found.extend_from_slice(&batch);
            }
            assert_eq!(found, all);
            assert_eq!(grid.position(), space.size());
        }
    }

    #[test]
    fn another_enumeration_continues_where_one_stopped() {
        let space = space();
        let mut grid = Grid::new(&space, 0..space.size());
        let (mut head, mut rest) = (Vec::new(), Vec::new());
        grid.next_batch(10, &mut head);
        Grid::new(&space, grid.position()..space.size()).next_batch(1000, &mut rest);
        head.append(&mut rest);
        assert_eq!(head, space.valid_in(0..space.size()).collect::<Vec<u64>>());
    }
}
