//! Results: one row for each trial, as columns.
//!
//! Given outcomes by index, this room gives columns that grow, the best rows, a heatmap, and Parquet bytes that are
//! the same however the rows came in. It never knows what an outcome says about overfitting, nor where bytes go.

mod columns;
mod csv;
mod heatmap;
mod parquet;
mod seal;
mod surface;
mod top;

pub use columns::{MetricColumn, Param, Results, Schema, Status, TrialRow};
pub use csv::to_csv;
pub use heatmap::{Aggregate, Heatmap, HeatmapBuilder, heatmap};
pub use parquet::{ParquetSink, ROWS_PER_GROUP, Reader, decode};
pub use surface::{NO_TRIAL, Surface, SurfaceQuery};
pub use top::{TopK, top_rows};
