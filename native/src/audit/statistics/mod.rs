//! Statistics of repeated measurements, each in a file of its own: numbers in, numbers out.
//!
//! None of them knows what was measured. Where data do not define a value it is NaN, and NaN is never significant.

mod line;
mod mean;
mod paired;
mod student;

pub use line::{Line, Reading};
pub use mean::Mean;
pub use paired::{improvements, p_greater};
pub use student::{quantile, upper_tail};

/// Confidence of every interval: 95 %.
pub const CONFIDENCE: f64 = 0.95;
