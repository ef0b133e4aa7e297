//! Who evaluates: all workers of the page in the build with threads, the calling one in the other.

#[cfg(not(feature = "threads"))]
pub use sandtable_core::run::OneThread as Workforce;

#[cfg(feature = "threads")]
pub use threads::Workforce;

#[cfg(feature = "threads")]
mod threads {
    use std::cell::RefCell;
    use std::ops::Range;
    use std::sync::atomic::AtomicUsize;

    use sandtable_core::run::{Scratch, Workers, workers};

    thread_local! {
        /// Each worker keeps its memory between trials and runs.
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }

    /// The pool that `initThreadPool` started.
    #[derive(Debug, Default)]
    pub struct Workforce;

    impl Workers for Workforce {
        fn threads(&self) -> usize {
            rayon::current_num_threads()
        }

        fn map<R: Send>(
            &mut self,
            portions: &[Range<usize>],
            work: impl Fn(Range<usize>, &mut Scratch) -> Vec<R> + Sync,
        ) -> Vec<R> {
            let next = AtomicUsize::new(0);
            let each = |scratch: &mut Scratch| workers::take_in_turn(&next, portions, |range| work(range, scratch));
            workers::in_order(rayon::broadcast(|_| SCRATCH.with_borrow_mut(each)))
        }
    }
}
