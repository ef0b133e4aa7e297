//! How a run is carried out on this machine: threads, simulator, layers, portions. None of it changes a result.
//!
//! Given what is known about the work and what was measured of it so far, this gives decisions, each with its reason in
//! words. It is pure arithmetic: the caller asks the clock. What is surely large, by its bars, columns and trials, is
//! shared from the start; of the rest the first columns and trials are evaluated on the calling thread and timed, so that
//! small work is done before anything is started for it.

use std::ops::Range;

use serde::Serialize;

use crate::error::{Error, Result};

/// Seconds of work left from which on starting a pool of threads pays: a hundred times what starting it takes.
const STARTING_PAYS: f64 = 2e-3;
/// Seconds of work left from which on waking a pool that runs already pays: memory of its threads that is cold costs more
/// than the waking.
const WAKING_PAYS: f64 = 1e-3;
/// How much longer trials may take than their size says and still be surely small work.
const SURELY: f64 = 10.0;
/// Seconds that a portion should take at least, so that handing it out is lost in it.
const PORTION: f64 = 1e-4;
/// Portions for each thread that should be left at least, so that threads end together.
const PORTIONS: usize = 4;
/// Portions for each thread that what is left would make: each takes so large a part of it.
const PORTIONS_LEFT: usize = 3;
/// Seconds that one row of a plain indicator takes; others take more.
const COLUMN_ROW: f64 = 2e-9;
/// Seconds that one row of a trial takes on the fast path where little happens; others take more.
const TRIAL_ROW: f64 = 5e-10;
/// Bar-trials of the first trials that are timed on the calling thread.
const FIRST_BAR_TRIALS: usize = 1 << 16;
/// Most trials that are timed together on the calling thread.
const FIRST_TRIALS: usize = 8;

/// A decision and its reason in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice<T> {
    /// What was decided.
    pub value: T,
    /// Why.
    pub reason: String,
}

impl<T> Choice<T> {
    /// A decision with its reason.
    pub fn new(value: T, reason: impl Into<String>) -> Choice<T> {
        Choice { value, reason: reason.into() }
    }
}

/// Who simulates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Simulator {
    /// The fast path.
    Fast,
    /// The event loop that covers everything.
    Reference,
}

impl Simulator {
    /// Both.
    pub const ALL: [Simulator; 2] = [Simulator::Fast, Simulator::Reference];

    /// Its name, as options and records spell it.
    pub fn name(self) -> &'static str {
        match self {
            Simulator::Fast => "fast",
            Simulator::Reference => "reference",
        }
    }
}

/// What is left to do, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Left {
    /// Columns or trials that threads could share now.
    pub parts: usize,
    /// Seconds that they and all that is known to follow take on one thread, from what was timed.
    pub seconds: f64,
}

/// The machine and what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Processors that the process may use.
    pub processors: usize,
    /// Whether a pool of that many threads runs already.
    pub pool_runs: bool,
    /// Threads that were asked for; 0 leaves it to the planner.
    pub wanted: usize,
}

impl Machine {
    /// The number of threads where nothing needs to be measured for it.
    pub fn settled(&self) -> Option<Choice<usize>> {
        match (self.wanted, self.processors) {
            (0, 0 | 1) => Some(Choice::new(1, "the machine has one processor")),
            (0, _) => None,
            (wanted, _) => Some(Choice::new(wanted, format!("--threads {wanted} was asked for"))),
        }
    }

    /// All processors, if so many seconds of work, expected from its size alone, surely pay for them.
    pub fn foresees(&self, seconds: f64) -> Option<Choice<usize>> {
        let pays = seconds >= STARTING_PAYS && self.settled().is_none();
        let about = milliseconds(seconds);
        let reason = || format!("about {about} of work were expected from its bars, columns and trials");
        pays.then(|| Choice::new(self.processors, reason()))
    }

    /// One thread, if so many seconds of work, expected from its size alone, are surely less than it takes to share them: then
    /// nothing has to be timed.
    pub fn is_small(&self, seconds: f64) -> Option<Choice<usize>> {
        let about = milliseconds(seconds);
        let reason =
            || format!("about {about} of work were expected from its bars and trials, less than sharing it takes");
        let small = seconds * SURELY < WAKING_PAYS && self.settled().is_none();
        small.then(|| Choice::new(1, reason()))
    }

    /// The number of threads for what is left: all processors once the work is known to pay for it, one until then.
    pub fn threads(&self, left: Left) -> Choice<usize> {
        if let Some(settled) = self.settled() {
            return settled;
        }
        let (pays, doing) =
            if self.pool_runs { (WAKING_PAYS, "waking the pool") } else { (STARTING_PAYS, "starting a pool") };
        if left.parts < 2 {
            return Choice::new(1, "there was nothing that threads could have shared");
        }
        let about = milliseconds(left.seconds);
        if left.seconds < pays {
            let pays = milliseconds(pays);
            return Choice::new(1, format!("about {about} of work were left, and {doing} pays from {pays} on"));
        }
        Choice::new(self.processors, format!("about {about} of work were left, which pays for {doing}"))
    }
}

fn milliseconds(seconds: f64) -> String {
    let ms = seconds * 1e3;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

/// Trials that are timed first, on the calling thread.
pub fn first_trials(bars: usize) -> usize {
    (FIRST_BAR_TRIALS / bars.max(1)).clamp(1, FIRST_TRIALS)
}

/// Trials that a thread takes at a time at least. `seconds` is what a trial takes, 0 if that is not known yet.
pub fn portion(trials: usize, threads: usize, seconds: f64) -> Choice<usize> {
    if threads < 2 {
        return Choice::new(trials.max(1), "one thread takes them all");
    }
    if seconds <= 0.0 {
        return Choice::new(1, "no trial was timed yet; portions shrink towards the end");
    }
    let most = (trials / (threads * PORTIONS)).max(1);
    let least = ((PORTION / seconds).min(1e6) as usize + 1).min(most);
    let takes = milliseconds(least as f64 * seconds);
    Choice::new(least, format!("the smallest portion takes about {takes}; portions shrink towards the end"))
}

/// Cuts a list into portions, to be taken in turn by whoever is free. While much is left they are large; the last ones
/// are small, so that no thread waits long for another. All but the last are whole groups of `group` items, and at least
/// `least` of them.
pub fn portions(items: usize, threads: usize, least: usize, group: usize) -> Vec<Range<usize>> {
    let least = least.max(1).next_multiple_of(group.max(1));
    let mut cut = Vec::new();
    let mut start = 0;
    while start < items {
        let left = items - start;
        let size = if threads < 2 { left } else { left / (threads * PORTIONS_LEFT) / group.max(1) * group.max(1) };
        let end = start + size.max(least).min(left);
        cut.push(start..end);
        start = end;
    }
    cut
}

/// Seconds that computing so many columns and evaluating so many trials over a panel of so many rows takes about on one
/// thread: good enough to tell what is small from what is not, before anything was timed.
pub fn expected(columns: usize, trials: u64, rows: usize) -> f64 {
    (columns as f64 * COLUMN_ROW + trials as f64 * TRIAL_ROW) * rows as f64
}

/// Which simulator runs: the fast path where it is open, unless another one is asked for. `fast` is what the fast path
/// says of the study.
///
/// # Errors
/// The fast path is asked for and does not cover the study.
pub fn simulator(fast: std::result::Result<(), &'static str>, wanted: Option<Simulator>) -> Result<Choice<Simulator>> {
    match (wanted, fast) {
        (Some(Simulator::Reference), _) => Ok(Choice::new(Simulator::Reference, "--engine reference was asked for")),
        (_, Ok(())) => Ok(Choice::new(Simulator::Fast, "every rule and setting is covered by the fast path")),
        (None, Err(reason)) => Ok(Choice::new(Simulator::Reference, reason)),
        (Some(Simulator::Fast), Err(reason)) => {
            Err(Error::plan(format!("the fast path was asked for and does not cover the study: {reason}"))
                .help("leave out `--engine fast`: the reference simulator gives the same results"))
        }
    }
}

/// Bytes of columns that are kept as long as they save any time at all.
const MODEST: u64 = 128_000_000;
/// One column in so many trials is computed again at next to no cost: it takes about as long as a trial or two.
const SELDOM: u64 = 5;
/// One column in so many trials is computed again at no cost that shows.
const HARDLY: u64 = 200;

/// What the history layer could do for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Columns that the run's batches ask for, a column once a batch.
    pub asked: u64,
    /// Distinct ones among them.
    pub distinct: u64,
    /// Trials of the run.
    pub trials: u64,
    /// Bytes of one column.
    pub bytes: u64,
    /// Bytes that the layer may hold.
    pub budget: u64,
}

/// Whether the history layer is used; `demand` is `None` where it is not worth counting.
pub fn history(wanted: bool, demand: Option<Demand>) -> Choice<bool> {
    if !wanted {
        return Choice::new(false, "switched off by `no_cache`");
    }
    let Some(Demand { asked, distinct, trials, bytes, budget }) = demand else {
        return Choice::new(true, "the run is small: columns are kept for other runs of this process");
    };
    let total = distinct.saturating_mul(bytes);
    let megabytes = total / 1_000_000;
    let again = asked.saturating_sub(distinct);
    // Modest ones are kept for other runs too, which would have to compute all of them.
    let (computed, one_in) = if total > MODEST { (again, SELDOM) } else { (asked, HARDLY) };
    if computed.saturating_mul(one_in) < trials {
        let reason = format!(
            "{distinct} columns take {megabytes} MB, and {computed} are soon computed beside {trials} trials instead of kept"
        );
        return Choice::new(false, reason);
    }
    if total <= budget {
        return Choice::new(
            true,
            format!("all {distinct} columns fit in ({megabytes} MB); {again} are asked for again"),
        );
    }
    // Answers that a least-recently-used layer gives at most: what fits, as often as columns recur.
    if again < asked / 50 {
        let reason = format!("{distinct} columns take {megabytes} MB and next to none is asked for again");
        return Choice::new(false, reason);
    }
    Choice::new(true, format!("{again} of {asked} columns are asked for again, {megabytes} MB do not all fit in"))
}

/// Whether a layer of whole things (manifests, bundles, panels) is used.
pub fn whole_things(wanted: bool) -> Choice<bool> {
    if wanted {
        Choice::new(true, "one look-up a run, and other runs of this process find them")
    } else {
        Choice::new(false, "switched off by `no_cache`")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn threads_by_what_is_left() {
        let machine = |processors, pool_runs, wanted| Machine { processors, pool_runs, wanted };
        let cases = [
            // processors, a pool runs, asked for, parts, milliseconds left: threads, a word of the reason
            (8, false, 0, 100, 0.5, 1, "starting a pool pays from 2.0 ms on"),
            (8, false, 0, 100, 3.0, 8, "about 3.0 ms of work were left"),
            (8, true, 0, 100, 1.5, 8, "waking the pool"),
            (8, true, 0, 100, 0.5, 1, "waking the pool pays from 1.0 ms on"),
            (8, false, 0, 1, 900.0, 1, "nothing that threads"),
            (1, false, 0, 100, 900.0, 1, "one processor"),
            (8, false, 3, 100, 0.0, 3, "--threads 3"),
            (1, false, 2, 1, 0.0, 2, "--threads 2"),
        ];
        for (processors, runs, wanted, parts, ms, threads, word) in cases {
            let choice = machine(processors, runs, wanted).threads(Left { parts, seconds: ms / 1e3 });
            assert_eq!(choice.value, threads, "{choice:?}");
            assert!(choice.reason.contains(word), "{choice:?}");
        }
        assert_eq!(machine(2, false, 0).settled(), None);
    }

    #[test]
    fn surely_small_work_is_not_timed() {
        let machine = Machine { processors: 8, pool_runs: true, wanted: 0 };
        assert_eq!(machine.is_small(5e-5).map(|choice| choice.value), Some(1));
        assert_eq!(machine.is_small(2e-4), None);
        assert_eq!(Machine { wanted: 2, ..machine }.is_small(5e-5), None, "two threads were asked for");
    }

    #[test]
    fn portions_are_neither_too_small_nor_too_few() {
        let cases = [
            // trials, threads, microseconds a trial: least portion
            (256, 1, 10.0, 256),
            (256, 2, 0.0, 1),
            (256, 2, 10.0, 11),
            (256, 2, 1.0, 32),
            (256, 64, 1.0, 1),
            (256, 8, 5000.0, 1),
            (0, 2, 1.0, 1),
        ];
        for (trials, threads, us, expected) in cases {
            assert_eq!(portion(trials, threads, us / 1e6).value, expected, "{trials} {threads} {us}");
        }
        assert_eq!([first_trials(0), first_trials(2_000), first_trials(41_000), first_trials(1 << 20)], [8, 8, 1, 1]);
    }

    #[test]
    fn portions_shrink_and_leave_nothing_out() {
        for (items, threads, least, group) in [
            (400, 2, 1, 1),
            (400, 2, 5, 16),
            (1000, 8, 3, 1),
            (7, 2, 100, 1),
            (0, 2, 1, 1),
            (400, 1, 1, 16),
            (3, 4, 1, 0),
        ] {
            let cut = portions(items, threads, least, group);
            let sizes: Vec<usize> = cut.iter().map(ExactSizeIterator::len).collect();
            assert_eq!(cut.iter().cloned().flatten().collect::<Vec<_>>(), (0..items).collect::<Vec<_>>());
            assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
            let [_last, rest @ ..] = &sizes[..].iter().rev().collect::<Vec<_>>()[..] else { continue };
            assert!(rest.iter().all(|&&size| size >= least && size % group.max(1) == 0), "{sizes:?}");
            assert!(threads > 1 || sizes.len() <= 1);
        }
        let sizes = |threads| portions(400, threads, 1, 1).iter().map(ExactSizeIterator::len).collect::<Vec<_>>();
        assert!(sizes(2)[0] > 60 && sizes(2).len() < 40 && sizes(2).ends_with(&[1, 1]));
    }

    #[test]
    fn what_is_surely_large_is_foreseen() {
        let machine = Machine { processors: 2, pool_runs: false, wanted: 0 };
        assert_eq!(machine.foresees(expected(40, 400, 40_987)).map(|choice| choice.value), Some(2));
        assert_eq!(machine.foresees(expected(10, 25, 2_016)), None, "a year of 25 trials is done before a pool runs");
        assert_eq!(Machine { wanted: 1, ..machine }.foresees(9.0), None);
        assert_eq!(Machine { processors: 1, ..machine }.foresees(9.0), None);
    }

    #[test]
    fn the_fast_path_where_it_is_open() {
        use Simulator::{Fast, Reference};
        assert_eq!(simulator(Ok(()), None).unwrap().value, Fast);
        assert_eq!(simulator(Ok(()), Some(Reference)).unwrap().value, Reference);
        let covered = simulator(Err("its rules ask for the position"), None).unwrap();
        assert_eq!((covered.value, covered.reason.as_str()), (Reference, "its rules ask for the position"));
        let refused = simulator(Err("its rules ask for the position"), Some(Fast)).unwrap_err();
        assert!(refused.to_string().contains("its rules ask for the position"));
    }

    #[test]
    fn columns_are_kept_where_they_are_asked_for_again() {
        let demand =
            |asked, distinct| Some(Demand { asked, distinct, trials: 100, bytes: 1_000_000, budget: 100_000_000 });
        assert!(!history(false, demand(80, 40)).value);
        assert!(history(true, None).value);
        assert!(history(true, demand(80, 40)).reason.contains("40 columns fit in"));
        assert!(!history(true, demand(5000, 4990)).value, "nothing comes again and nothing fits");
        assert!(history(true, demand(50, 50)).value, "they fit: another run may ask");
        assert!(history(true, demand(50_000, 5000)).reason.contains("45000 of 50000"));
        let sweep = |trials| {
            let demand = Demand { asked: 1400, distinct: 200, trials, bytes: 1_600_000, budget: 1_000_000_000 };
            history(true, Some(demand)).value
        };
        assert_eq!((sweep(10_000), sweep(2_000)), (false, true), "computed again or kept");
        let million = |asked| {
            let demand = Demand { asked, distinct: 40, trials: 1_000_000, bytes: 330_000, budget: 1_000_000_000 };
            history(true, Some(demand)).value
        };
        assert_eq!((million(2_000), million(20_000)), (false, true), "few columns, too");
    }
}
