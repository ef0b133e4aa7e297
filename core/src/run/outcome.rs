//! How a trial ended, and outcomes that are read back from results.
//!
//! Given the numbers of a trial, this file says whether they are possible; given a row of results, it gives the outcome
//! that the row was written from. It never knows why a trial failed.

use super::Outcome;
use crate::metrics;
use crate::num::NAN;
use crate::results::{Results, Status};

/// The metric that every trial has whose equity is a number at each session.
const ALWAYS: &str = "total_return";

impl Outcome {
    /// A trial that could not be evaluated: every metric is null.
    pub fn failed(index: u64, rows_read: u64) -> Outcome {
        Outcome { index, metrics: vec![NAN; metrics::TABLE.len()], rows_read, fills: 0, by_reference: false }
    }

    /// Whether the trial came to numbers: it failed if its equity is not a finite number at every session.
    pub fn status(&self) -> Status {
        let always = metrics::index_of(ALWAYS).and_then(|place| self.metrics.get(place));
        if always.is_some_and(|value| value.is_finite()) { Status::Ok } else { Status::Failed }
    }

    /// The same, with nothing left of a trial that failed: what remains of its numbers says nothing, and would not be the
    /// same again once it was stored.
    #[must_use]
    pub fn settled(self) -> Outcome {
        match self.status() {
            Status::Ok => self,
            Status::Failed => Outcome::failed(self.index, self.rows_read),
        }
    }

    /// The outcome that a row of results was written from, `None` if there is no such row.
    pub fn of_row(results: &Results, row: usize) -> Option<Outcome> {
        let (&index, &rows_read) = results.index().get(row).zip(results.bars_read().get(row))?;
        let metrics = results.metrics_of(row);
        let fills = results.schema().metric("fills").and_then(|place| metrics.get(place).copied()).unwrap_or(0.0);
        // A count, so it is whole; NaN of a failed trial becomes 0.
        Some(Outcome { index, metrics, rows_read, fills: fills as u64, by_reference: false })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::sync::Arc;

    use super::*;
    use crate::results::{Schema, TrialRow};

    fn bits(outcome: &Outcome) -> (u64, Vec<u64>, u64, u64) {
        let metrics = outcome.metrics.iter().map(|value| value.to_bits()).collect();
        (outcome.index, metrics, outcome.rows_read, outcome.fills)
    }

    #[test]
    fn an_outcome_comes_back_from_its_row() {
        let mut metrics: Vec<f64> = (0..metrics::TABLE.len()).map(|k| k as f64 / 7.0).collect();
        metrics[metrics::index_of("fills").unwrap()] = 12.0;
        metrics[3] = NAN;
        let good = Outcome { index: 5, metrics, rows_read: 77, fills: 12, by_reference: false };
        let mut impossible = good.clone();
        impossible.metrics[metrics::index_of(ALWAYS).unwrap()] = NAN;
        assert_eq!((good.status(), impossible.status()), (Status::Ok, Status::Failed));
        let outcomes = [good.settled(), impossible.settled(), Outcome::failed(9, 0)];
        let mut results = Results::new(Arc::new(Schema::new("plan", [])));
        for Outcome { index, metrics, rows_read, .. } in &outcomes {
            let status = Outcome::status(&outcomes[results.len()]);
            results.push(TrialRow { index: *index, params: &[], metrics, budget: 1.0, bars_read: *rows_read, status });
        }
        for (row, outcome) in outcomes.iter().enumerate() {
            assert_eq!(bits(&Outcome::of_row(&results, row).unwrap()), bits(outcome));
        }
        assert!(Outcome::of_row(&results, 3).is_none());
        assert_eq!(outcomes[1].fills, 0);
    }
}
