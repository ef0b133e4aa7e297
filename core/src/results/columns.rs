//! Rows of trials as columns, in memory and as an Arrow batch.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray, UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema as ArrowSchema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::metrics;
use crate::num;
use crate::plan::{ENGINE_FORMAT, ParamKind, Plan};

/// How a trial ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// It was evaluated.
    #[default]
    Ok,
    /// It could not be evaluated; its metrics are null.
    Failed,
}

impl Status {
    /// All, in the order of their codes.
    pub(super) const ALL: [Status; 2] = [Status::Ok, Status::Failed];

    /// Name in files.
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Failed => "failed",
        }
    }
}

/// A parameter's column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// Name in the strategy.
    pub name: String,
    /// Name of the column: the same, unless another column has that name.
    pub column: String,
    /// `int`, `float` or `bool`.
    #[serde(with = "kind")]
    pub kind: ParamKind,
}

mod kind {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::plan::ParamKind;

    pub fn serialize<S: Serializer>(kind: &ParamKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ParamKind, D::Error> {
        let name = String::deserialize(deserializer)?;
        let kinds = [ParamKind::Int, ParamKind::Float, ParamKind::Bool];
        kinds.into_iter().find(|kind| kind.name() == name).ok_or_else(|| D::Error::custom("unknown kind"))
    }
}

/// A metric's column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricColumn {
    /// Name of the metric and of the column.
    pub name: String,
    /// Unit in lower case: `ratio`, `percent` (a fraction; 0.05 is 5 %), `bars`, `days`, …
    pub unit: String,
}

/// Which columns there are, and of which plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Id of the plan.
    pub plan: String,
    /// Format number of the engine that computed the rows.
    pub engine_format: u32,
    /// Parameters in the order of the space.
    pub params: Vec<Param>,
    /// Metrics in the order of the table.
    pub metrics: Vec<MetricColumn>,
    /// Whether rows say which part of the data they saw. Left out of files that do not, which are as they were before
    /// there were such parts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub budgets: bool,
}

/// Columns besides parameters and metrics.
pub(super) const INDEX: &str = "index";
pub(super) const BUDGET: &str = "budget";
pub(super) const BARS: &str = "bars_read";
pub(super) const STATUS: &str = "status";

impl Schema {
    /// The columns of a plan's results.
    pub fn of(plan: &Plan) -> Schema {
        let axes = plan.space().axes().iter().map(|axis| (axis.name.as_str(), axis.kind));
        let schema = Schema::new(plan.id(), axes);
        if plan.method().has_budgets() { schema.with_budgets() } else { schema }
    }

    /// The same columns and one for the part of the data that a row saw.
    #[must_use]
    pub fn with_budgets(mut self) -> Schema {
        for param in self.params.iter_mut().filter(|param| param.column == BUDGET) {
            param.column = format!("param.{BUDGET}");
        }
        Schema { budgets: true, ..self }
    }

    /// The columns for these parameters, and all metrics.
    pub fn new<'a>(plan: &str, params: impl IntoIterator<Item = (&'a str, ParamKind)>) -> Schema {
        let taken = |name: &str| [INDEX, BARS, STATUS].contains(&name) || metrics::index_of(name).is_some();
        let param = |(name, kind): (&str, ParamKind)| {
            // A dot cannot be in a parameter's name, so the longer name is free.
            let column = if taken(name) { format!("param.{name}") } else { name.to_owned() };
            Param { name: name.to_owned(), column, kind }
        };
        let metric = |metric: &metrics::Metric| MetricColumn {
            name: metric.name.to_owned(),
            unit: metric.unit.name().to_owned(),
        };
        Schema {
            plan: plan.to_owned(),
            engine_format: ENGINE_FORMAT,
            params: params.into_iter().map(param).collect(),
            metrics: metrics::TABLE.iter().map(metric).collect(),
            budgets: false,
        }
    }

    /// Place of a parameter.
    pub fn param(&self, name: &str) -> Option<usize> {
        self.params.iter().position(|param| param.name == name)
    }

    /// Place of a metric.
    pub fn metric(&self, name: &str) -> Option<usize> {
        self.metrics.iter().position(|metric| metric.name == name)
    }

    /// The columns as Arrow has them, without metadata: a map's order would not be the same every time.
    pub fn arrow(&self) -> SchemaRef {
        let status = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        let mut fields = vec![Field::new(INDEX, DataType::UInt64, false)];
        fields.extend(self.params.iter().map(|param| {
            let data_type = match param.kind {
                ParamKind::Int => DataType::Int64,
                ParamKind::Float => DataType::Float64,
                ParamKind::Bool => DataType::Boolean,
            };
            Field::new(&param.column, data_type, false)
        }));
        fields.extend(self.metrics.iter().map(|metric| Field::new(&metric.name, DataType::Float64, true)));
        if self.budgets {
            fields.push(Field::new(BUDGET, DataType::Float64, false));
        }
        fields.push(Field::new(BARS, DataType::UInt64, false));
        fields.push(Field::new(STATUS, status, false));
        Arc::new(ArrowSchema::new(fields))
    }
}

/// One trial's outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrialRow<'a> {
    /// Index of the point in the space.
    pub index: u64,
    /// Values of the parameters, in the order of the space.
    pub params: &'a [f64],
    /// Metrics in the order of [`metrics::TABLE`], NaN for null.
    pub metrics: &'a [f64],
    /// The part of the data that the trial saw: 1 for all of it.
    pub budget: f64,
    /// Bars that the trial read, over all symbols.
    pub bars_read: u64,
    /// How it ended.
    pub status: Status,
}

/// Rows of trials, as columns.
#[derive(Clone, Debug)]
pub struct Results {
    schema: Arc<Schema>,
    index: Vec<u64>,
    params: Vec<Vec<f64>>,
    metrics: Vec<Vec<f64>>,
    /// Empty where every trial saw all of the data.
    budgets: Vec<f64>,
    bars_read: Vec<u64>,
    status: Vec<Status>,
}

impl Results {
    /// No rows yet.
    pub fn new(schema: Arc<Schema>) -> Results {
        Results {
            index: Vec::new(),
            params: vec![Vec::new(); schema.params.len()],
            metrics: vec![Vec::new(); schema.metrics.len()],
            budgets: Vec::new(),
            bars_read: Vec::new(),
            status: Vec::new(),
            schema,
        }
    }

    /// Which columns there are.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Adds a row. A value that the row lacks becomes null; one beyond the columns is left out. A failed trial's
    /// metrics become null.
    pub fn push(&mut self, row: TrialRow<'_>) {
        self.index.push(row.index);
        for (i, column) in self.params.iter_mut().enumerate() {
            column.push(row.params.get(i).copied().unwrap_or(num::NAN));
        }
        for (i, column) in self.metrics.iter_mut().enumerate() {
            let value = row.metrics.get(i).copied().filter(|x| x.is_finite() && row.status == Status::Ok);
            column.push(value.unwrap_or(num::NAN));
        }
        if self.schema.budgets {
            self.budgets.push(row.budget);
        }
        self.bars_read.push(row.bars_read);
        self.status.push(row.status);
    }

    /// Adds some rows of other results with the same columns.
    ///
    /// # Errors
    /// The columns are others.
    pub fn append(&mut self, other: &Results, rows: Range<usize>) -> Result<()> {
        other.must_have(&self.schema)?;
        let rows = rows.start.min(other.len())..rows.end.min(other.len()).max(rows.start.min(other.len()));
        self.index.extend_from_slice(&other.index[rows.clone()]);
        for (column, more) in self.params.iter_mut().zip(&other.params) {
            column.extend_from_slice(&more[rows.clone()]);
        }
        for (column, more) in self.metrics.iter_mut().zip(&other.metrics) {
            column.extend_from_slice(&more[rows.clone()]);
        }
        if self.schema.budgets {
            self.budgets.extend_from_slice(&other.budgets[rows.clone()]);
        }
        self.bars_read.extend_from_slice(&other.bars_read[rows.clone()]);
        self.status.extend_from_slice(&other.status[rows]);
        Ok(())
    }

    /// Whether these are rows of the plan and the columns of `schema`.
    pub(super) fn must_have(&self, schema: &Schema) -> Result<()> {
        if *self.schema == *schema {
            return Ok(());
        }
        Err(Error::data("results of another plan cannot be added to these"))
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.index.clear();
        self.params.iter_mut().chain(&mut self.metrics).for_each(Vec::clear);
        self.budgets.clear();
        self.bars_read.clear();
        self.status.clear();
    }

    /// Indices of the trials.
    pub fn index(&self) -> &[u64] {
        &self.index
    }

    /// A parameter's values, by its place in the schema; empty if there is none.
    pub fn param(&self, place: usize) -> &[f64] {
        self.params.get(place).map_or(&[], Vec::as_slice)
    }

    /// A metric's values, by its place in the schema, NaN for null; empty if there is none.
    pub fn metric(&self, place: usize) -> &[f64] {
        self.metrics.get(place).map_or(&[], Vec::as_slice)
    }

    /// The part of the data that a row saw: 1 for all of it.
    pub fn budget(&self, row: usize) -> f64 {
        self.budgets.get(row).copied().unwrap_or(1.0)
    }

    /// Whether a row saw all of the data: one that did not is compared with no other but those of its part.
    pub fn is_whole(&self, row: usize) -> bool {
        self.budget(row) >= 1.0
    }

    /// The rows that saw all of the data.
    ///
    /// # Errors
    /// None; what [`Results::append`] reports is passed on.
    pub fn whole(&self) -> Result<Results> {
        let mut whole = Results::new(self.schema.clone());
        for row in (0..self.len()).filter(|&row| self.is_whole(row)) {
            whole.append(self, row..row + 1)?;
        }
        Ok(whole)
    }

    /// Points of which no row saw all of the data.
    pub fn seen_in_part(&self) -> u64 {
        let of = |whole: bool| -> BTreeSet<u64> {
            self.index.iter().enumerate().filter(|(row, _)| self.is_whole(*row) == whole).map(|(_, &i)| i).collect()
        };
        of(false).difference(&of(true)).count() as u64
    }

    /// Bars that each trial read.
    pub fn bars_read(&self) -> &[u64] {
        &self.bars_read
    }

    /// How each trial ended.
    pub fn status(&self) -> &[Status] {
        &self.status
    }

    /// The point of one row.
    pub fn point(&self, row: usize) -> Vec<f64> {
        self.params.iter().filter_map(|column| column.get(row).copied()).collect()
    }

    /// All metrics of one row.
    pub fn metrics_of(&self, row: usize) -> Vec<f64> {
        self.metrics.iter().filter_map(|column| column.get(row).copied()).collect()
    }

    /// The rows as an Arrow batch: whole-number parameters as int64, null metrics as null.
    ///
    /// # Errors
    /// None that valid rows can cause; what Arrow reports is passed on.
    pub fn record_batch(&self) -> Result<RecordBatch> {
        let schema = self.schema.arrow();
        let columns = (0..schema.fields().len()).map(|place| self.column(place, 0..self.len()));
        RecordBatch::try_new(schema, columns.collect::<Result<_>>()?).map_err(misfit)
    }

    /// Some rows of one column of [`Results::record_batch`], by its place in [`Schema::arrow`].
    pub(super) fn column(&self, place: usize, rows: Range<usize>) -> Result<ArrayRef> {
        let Some(place) = place.checked_sub(1) else {
            return Ok(Arc::new(UInt64Array::from(self.index[rows].to_vec())));
        };
        if let (Some(param), Some(values)) = (self.schema.params.get(place), self.params.get(place)) {
            let values = &values[rows];
            return Ok(match param.kind {
                // Whole by the space's validation; the cast saturates.
                ParamKind::Int => Arc::new(values.iter().map(|&x| Some(x as i64)).collect::<Int64Array>()),
                ParamKind::Float => Arc::new(Float64Array::from(values.to_vec())),
                ParamKind::Bool => Arc::new(values.iter().map(|&x| Some(x != 0.0)).collect::<BooleanArray>()),
            });
        }
        let place = place - self.params.len();
        if let Some(values) = self.metrics.get(place) {
            let nullable = values[rows].iter().map(|&x| if x.is_nan() { None } else { Some(x) });
            return Ok(Arc::new(nullable.collect::<Float64Array>()));
        }
        match (place - self.metrics.len(), self.schema.budgets) {
            (0, true) => Ok(Arc::new(Float64Array::from(self.budgets[rows].to_vec()))),
            (0, false) | (1, true) => Ok(Arc::new(UInt64Array::from(self.bars_read[rows].to_vec()))),
            _ => {
                let codes = Int8Array::from_iter_values(self.status[rows].iter().map(|&status| status as i8));
                let names = StringArray::from_iter_values(Status::ALL.map(Status::name));
                let status = DictionaryArray::<Int8Type>::try_new(codes, Arc::new(names));
                Ok(Arc::new(status.map_err(misfit)?))
            }
        }
    }
}

fn misfit(error: ArrowError) -> Error {
    Error::data(format!("results do not fit their columns: {error}"))
}
