//! Who evaluates: all workers of the page in the build with threads, the calling one in the other.

#[cfg(not(feature = "threads"))]
pub use sandtable_core::run::OneThread as Workforce;

#[cfg(feature = "threads")]
pub use threads::Workforce;

#[cfg(feature = "threads")]
mod threads {
    use std::cell::RefCell;

    use rayon::prelude::*;
    use sandtable_core::cache::Column;
    use sandtable_core::context::{BoundColumn, Prepared};
    use sandtable_core::run::{Evaluator, Outcome, Scratch, Workers};

    thread_local! {
        /// Each worker keeps its memory between trials and runs.
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }

    /// The pool that `initThreadPool` started.
    #[derive(Debug, Default)]
    pub struct Workforce;

    impl Workers for Workforce {
        fn columns(
            &mut self,
            evaluator: &Evaluator,
            wanted: &[(BoundColumn, usize)],
            points: &[Vec<f64>],
        ) -> Vec<Column> {
            wanted.par_iter().map(|(column, k)| evaluator.compute(column, &points[*k])).collect()
        }

        fn trials(
            &mut self,
            evaluator: &Evaluator,
            indices: &[u64],
            points: &[Vec<f64>],
            prepared: &Prepared,
        ) -> Vec<Outcome> {
            // Collected in index order, whatever worker evaluated what.
            indices
                .par_iter()
                .zip(points)
                .map(|(&index, point)| {
                    SCRATCH.with_borrow_mut(|scratch| evaluator.trial(index, point, prepared, scratch))
                })
                .collect()
        }
    }
}
