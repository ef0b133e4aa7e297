//! What the members did alone, over the sessions that they share.

use sandtable_core::{Error, Result, metrics};

use super::Member;

/// Equity and returns of members by session.
#[derive(Clone, Debug, PartialEq)]
pub struct Courses {
    /// Sessions that all members have, days since 1970-01-01, ascending.
    pub dates: Vec<i32>,
    /// By member, equity at the end of each.
    pub equity: Vec<Vec<f64>>,
    /// By member, the return of each; the first one is from its capital or from its last session before.
    pub returns: Vec<Vec<f64>>,
}

impl Courses {
    /// Evaluates each member.
    ///
    /// # Errors
    /// They have no session in common.
    pub fn of(members: &[Member]) -> Result<Courses> {
        let alone: Vec<_> = members.iter().map(|member| member.study.evaluator.detail(&member.trial.point)).collect();
        let shared = |date: &i32| alone.iter().all(|detail| detail.sessions.binary_search(date).is_ok());
        let dates: Vec<i32> = alone[0].sessions.iter().copied().filter(shared).collect();
        if dates.is_empty() {
            return Err(Error::plan("the members have no session in common")
                .help("search their studies over dates that overlap"));
        }
        let mut courses = Courses { dates, equity: Vec::new(), returns: Vec::new() };
        for (member, detail) in members.iter().zip(&alone) {
            let place = |date: &i32| detail.sessions.binary_search(date).unwrap_or_default();
            let first = place(&courses.dates[0]);
            let mut before = if first == 0 { member.capital() } else { detail.session_equity[first - 1] };
            let equity: Vec<f64> = courses.dates.iter().map(|date| detail.session_equity[place(date)]).collect();
            let step = |&now: &f64| {
                let change = now / before - 1.0;
                before = now;
                change
            };
            courses.returns.push(equity.iter().map(step).collect());
            courses.equity.push(equity);
        }
        Ok(courses)
    }

    /// Metrics of a member from a session on, in the order of the table; those of trades are null.
    pub fn metrics(&self, member: usize, first: usize, periods_per_year: f64, risk_free: f64) -> Vec<f64> {
        let equity = &self.equity[member][first..];
        let initial = equity.first().map_or(1.0, |&worth| worth / (1.0 + self.returns[member][first]));
        let account = metrics::Account {
            initial_cash: initial,
            equity,
            dates: &self.dates[first..],
            benchmark: None,
            trades: &metrics::TradeSums::default(),
            periods_per_year,
            risk_free,
            mar: 0.0,
            counters: metrics::Counters::default(),
        };
        let mut values = Vec::new();
        metrics::evaluate(&account, &mut metrics::Workspace::default(), &mut values);
        values
    }

    /// Mean correlation of the members' returns from a session on; NaN for one member, or where none varies.
    pub fn mean_correlation(&self, first: usize) -> f64 {
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (place, one) in self.returns.iter().enumerate() {
            for other in &self.returns[place + 1..] {
                let correlation = correlation(&one[first..], &other[first..]);
                if correlation.is_finite() {
                    sum += correlation;
                    pairs += 1.0;
                }
            }
        }
        sum / pairs
    }
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (a, b) = (mean(one), mean(other));
    let product = |(x, y): (&f64, &f64)| (x - a) * (y - b);
    let along = |values: &[f64], mean: f64| values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
    one.iter().zip(other).map(product).sum::<f64>() / (along(one, a) * along(other, b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_start_from_the_worth_before_the_first_session() {
        let equity = vec![100.0, 110.0, 99.0, 108.9];
        let courses = Courses {
            dates: vec![1, 2, 3, 4],
            returns: vec![vec![0.0, 0.1, -0.1, 0.1], vec![0.0, -0.1, 0.1, -0.1]],
            equity: vec![equity.clone(), equity],
        };
        let total = metrics::index_of("total_return").unwrap_or_default();
        assert!((courses.metrics(0, 2, 252.0, 0.0)[total] - (108.9 / 110.0 - 1.0)).abs() < 1e-12);
        assert!((courses.mean_correlation(1) + 1.0).abs() < 1e-12);
        let alone = Courses { equity: vec![vec![1.0]], returns: vec![vec![0.0]], dates: vec![1] };
        assert!(alone.mean_correlation(0).is_nan());
    }
}
