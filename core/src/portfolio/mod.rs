//! How capital is divided among several strategies.
//!
//! Given the session returns of members, one column each over the same sessions, this room gives the part of the capital
//! that each receives. It never knows what the members trade, when an account acts on the weights, or which sessions may
//! be seen: who calls it passes those alone that lie before the decision.
//!
//! Every weight is zero or more, and all together are at most one: what is left stays in cash. One scheme is one file:
//! [`inverse_volatility`], [`equal_risk`], and [`growth`] for Kelly's and Markowitz's, over the [`Covariance`] of Ledoit
//! and Wolf.

mod covariance;
mod equal_risk;
mod growth;
mod inverse_volatility;

pub use covariance::{Covariance, ledoit_wolf};
pub use equal_risk::equal_risk;
pub use growth::{growth, kelly, mean_variance};
pub use inverse_volatility::inverse_volatility;

use crate::error::{Error, Result};
use crate::metrics::NOISE;

/// Fewest sessions from which anything is estimated: with fewer a deviation is not known within a fifth of itself.
pub const LEAST_SESSIONS: usize = 20;

/// Most members of a portfolio: a solver's time grows with the square of their number.
pub const MOST_MEMBERS: usize = 200;

/// How weights come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Given beforehand; nothing is estimated.
    Fixed,
    /// In proportion to one over the deviation of returns.
    InverseVolatility,
    /// Each member contributes the same risk.
    RiskParity,
    /// The largest expected growth, of which a fraction is held.
    Kelly,
    /// The largest expected return for its deviation.
    MeanVariance,
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Scheme; 5] =
        [Scheme::Fixed, Scheme::InverseVolatility, Scheme::RiskParity, Scheme::Kelly, Scheme::MeanVariance];

    /// Its name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Fixed => "fixed",
            Scheme::InverseVolatility => "inverse-volatility",
            Scheme::RiskParity => "risk-parity",
            Scheme::Kelly => "kelly",
            Scheme::MeanVariance => "mean-variance",
        }
    }

    /// Whether returns are read.
    pub fn estimates(self) -> bool {
        self != Scheme::Fixed
    }

    /// Weights by the returns of some sessions, `members[m][session]`. `fraction`, above 0 and at most 1, scales them: for
    /// [`Scheme::Kelly`] it is the part of the full bet and comes before the bound of one on their sum, for the others it is
    /// the part of the capital that is invested. [`Scheme::Fixed`] gives each member the same.
    ///
    /// A member whose returns do not vary in these sessions gets nothing from a scheme that estimates: it did not trade,
    /// and nothing is known of its risk. If none varies, all is cash.
    ///
    /// # Errors
    /// No member or too many, columns of different lengths, fewer than [`LEAST_SESSIONS`] sessions where something is
    /// estimated, a return that is not finite, a fraction beyond its bounds.
    pub fn weights(self, members: &[&[f64]], fraction: f64) -> Result<Vec<f64>> {
        check(self, members, fraction)?;
        let equal = 1.0 / members.len() as f64;
        let of_varying = |weigh: &dyn Fn(&[&[f64]]) -> Vec<f64>| {
            let varying: Vec<usize> = (0..members.len()).filter(|&m| varies(members[m])).collect();
            let chosen: Vec<&[f64]> = varying.iter().map(|&m| members[m]).collect();
            let mut weights = vec![0.0; members.len()];
            if !chosen.is_empty() {
                varying.iter().zip(weigh(&chosen)).for_each(|(&m, weight)| weights[m] = weight);
            }
            weights
        };
        let weights = match self {
            Scheme::Fixed => vec![equal; members.len()],
            Scheme::InverseVolatility => of_varying(&inverse_volatility),
            Scheme::RiskParity => of_varying(&|members| equal_risk(&ledoit_wolf(members))),
            Scheme::Kelly => return Ok(of_varying(&|members| kelly(members, fraction))),
            Scheme::MeanVariance => of_varying(&mean_variance),
        };
        Ok(weights.into_iter().map(|weight| weight * fraction).collect())
    }
}

fn check(scheme: Scheme, members: &[&[f64]], fraction: f64) -> Result<()> {
    if members.is_empty() || members.len() > MOST_MEMBERS {
        return Err(Error::plan(format!("a portfolio of {} members: 1 to {MOST_MEMBERS} are weighted", members.len())));
    }
    if !(fraction > 0.0 && fraction <= 1.0) {
        return Err(
            Error::plan(format!("a fraction of {fraction}")).help("name one above 0 and at most 1, such as 0.5")
        );
    }
    let sessions = members[0].len();
    if let Some(other) = members.iter().find(|returns| returns.len() != sessions) {
        return Err(Error::data(format!("members of {sessions} and of {} sessions", other.len())));
    }
    if scheme.estimates() && sessions < LEAST_SESSIONS {
        let message = format!("weights by `{}` from {sessions} sessions", scheme.name());
        return Err(Error::data(message).help(format!("estimate them from {LEAST_SESSIONS} or more")));
    }
    if scheme.estimates() && members.iter().any(|returns| returns.iter().any(|r| !r.is_finite())) {
        return Err(Error::data("a member has a session without a return, so that it cannot be weighted")
            .help("its account was ruined: leave it out"));
    }
    Ok(())
}

/// Mean of a column.
fn mean(returns: &[f64]) -> f64 {
    returns.iter().sum::<f64>() / returns.len() as f64
}

/// Whether returns vary by more than rounding.
fn varies(returns: &[f64]) -> bool {
    let mean = mean(returns);
    returns.iter().any(|r| (r - mean).abs() > NOISE)
}

#[cfg(test)]
mod tests;
