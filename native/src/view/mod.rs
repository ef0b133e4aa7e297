//! Views: results as text for a terminal and as images.
//!
//! Given plain data (numbers, names, units), this gives strings and bytes. It never knows files, studies or engines,
//! and never prints: the caller does.

pub mod document;
pub mod heatmap;
pub mod judgement;
pub mod number;
pub mod palette;
pub mod plot;
pub mod table;
pub mod terminal;
pub mod wrap;

pub use heatmap::Heatmap;
pub use terminal::{Colour, Terminal};
