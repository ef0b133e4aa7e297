//! Runs: a plan's trials, evaluated step by step.

use sandtable_core::metrics::{drawdowns, monthly_returns};
use sandtable_core::plan::Direction;
use sandtable_core::results::{Aggregate, NO_TRIAL, ParquetSink, Results, Surface, SurfaceQuery, to_csv, top_rows};
use sandtable_core::run::{Detail, Exploration, best_rows};
use sandtable_core::{Error, calendar::DAY_MICROS};
use wasm_bindgen::prelude::*;

use crate::convert::{flags_of, floats, floats_of, from_js, indices_of, millis_of, optional_text, text_of, to_js};
use crate::error::{OrThrow, Result, to_js_error};
use crate::judgement::Judgement;
use crate::pool::Workforce;
use crate::types::{self, Candles, Fills, Heatmap, HeatmapQuery, MonthReturn, Trades, Trial};

/// The evaluation of a plan. Results grow in index order and are the same for any size of steps.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Run {
    exploration: Exploration,
    workforce: Workforce,
}

impl Run {
    pub(crate) fn of(exploration: Exploration) -> Run {
        Run { exploration, workforce: Workforce::default() }
    }

    pub(crate) fn exploration(&self) -> &Exploration {
        &self.exploration
    }

    fn results(&self) -> &Results {
        self.exploration.results()
    }

    fn trial_row(&self, row: usize) -> types::TrialRow {
        let results = self.results();
        types::TrialRow {
            index: results.index()[row] as f64,
            params: results.point(row),
            metrics: floats(&results.metrics_of(row)),
        }
    }
}

#[wasm_bindgen]
impl Run {
    /// Takes over what another run has prepared, if it is of the same strategy over the same bars: a run that differs in
    /// costs or capital then begins with its trials at once. Whether it is. No result depends on it, and the other run
    /// stays as it is; call it before the first step.
    pub fn inherit(&mut self, before: &Run) -> bool {
        self.exploration.inherit(&before.exploration)
    }

    /// Evaluates up to so many more trials, at least one; between steps the caller may look, draw, or drop the run.
    ///
    /// # Errors
    /// None that a caller can cause.
    #[wasm_bindgen(unchecked_return_type = "Progress")]
    pub fn step(&mut self, trials: u32) -> Result<JsValue> {
        self.exploration.step(trials as usize, &mut self.workforce);
        self.progress()
    }

    /// Evaluates everything that is left, `chunk` trials at a time; `progress` is called after each chunk and ends the
    /// run by giving `false`.
    ///
    /// # Errors
    /// Whatever the callback throws; what was evaluated before stays.
    #[wasm_bindgen(unchecked_return_type = "Progress")]
    pub fn finish(
        &mut self,
        chunk: u32,
        #[wasm_bindgen(unchecked_optional_param_type = "(progress: Progress) => boolean | void")] callback: JsValue,
    ) -> Result<JsValue> {
        loop {
            let done = self.exploration.step(chunk as usize, &mut self.workforce).done;
            let now = self.progress()?;
            let goes_on = match callback.dyn_ref::<js_sys::Function>() {
                Some(callback) => callback.call1(&JsValue::UNDEFINED, &now)?.as_bool() != Some(false),
                None => true,
            };
            if done || !goes_on {
                return Ok(now);
            }
        }
    }

    /// How far it is.
    ///
    /// # Errors
    /// None that a caller can cause.
    #[wasm_bindgen(unchecked_return_type = "Progress")]
    pub fn progress(&self) -> Result<JsValue> {
        to_js(&progress(&self.exploration))
    }

    /// The best of the evaluated trials, best first, by the objective or another metric.
    ///
    /// # Errors
    /// There is no such metric.
    #[wasm_bindgen(unchecked_return_type = "TrialRow[]")]
    pub fn top(
        &self,
        k: u32,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] metric: &JsValue,
    ) -> Result<JsValue> {
        let plan = &self.exploration.evaluator().plan;
        let metric = optional_text(metric, "the name of the metric")?;
        let given = metric.is_some();
        let name = metric.as_deref().unwrap_or(plan.objective().name);
        let (metric, direction) = plan.direction_of(name).or_throw()?;
        let most = (k as usize).min(self.results().len());
        let rows = if given {
            top_rows(self.results(), metric, most, direction)
        } else {
            best_rows(plan, self.results(), most)
        };
        to_js(&rows.into_iter().map(|row| self.trial_row(row)).collect::<Vec<_>>())
    }

    /// An evaluated trial by its index; undefined if it is not evaluated (yet).
    ///
    /// # Errors
    /// None that a caller can cause.
    #[wasm_bindgen(unchecked_return_type = "TrialRow | undefined")]
    pub fn row(&self, index: f64) -> Result<JsValue> {
        let found = self.exploration.row_of(index as u64).filter(|_| index >= 0.0);
        found.map_or(Ok(JsValue::UNDEFINED), |row| to_js(&self.trial_row(row)))
    }

    /// A metric over two parameters; the axes are whole from the start.
    ///
    /// # Errors
    /// There is no such parameter or metric, or the picture would have too many cells.
    #[wasm_bindgen(unchecked_return_type = "Heatmap")]
    pub fn heatmap(&self, #[wasm_bindgen(unchecked_param_type = "HeatmapQuery")] query: JsValue) -> Result<JsValue> {
        let query: HeatmapQuery = from_js(query, "the query of a heatmap is not valid")?;
        let plan = &self.exploration.evaluator().plan;
        let (_, direction) = plan.direction_of(&query.metric).or_throw()?;
        let aggregate = match query.aggregate.as_str() {
            "best" => Aggregate::Best(direction),
            "mean" => Aggregate::Mean,
            "median" => Aggregate::Median,
            other => {
                let error = Error::plan(format!("cells are not aggregated by `{other}`"));
                return Err(to_js_error(&error.help("one of best, mean, median")));
            }
        };
        let asked = SurfaceQuery {
            x: query.x.clone(),
            y: query.y.clone(),
            metric: query.metric.clone(),
            direction,
            aggregate,
            fixed: query.fixed.into_iter().collect(),
        };
        let surface = Surface::new(plan.space(), self.results(), &asked).or_throw()?;
        let trial = |&index: &u64| if index == NO_TRIAL { -1.0 } else { index as f64 };
        to_js(&Heatmap {
            x: query.x,
            y: query.y,
            metric: query.metric,
            direction: match direction {
                Direction::Max => "max",
                Direction::Min => "min",
            }
            .to_owned(),
            x_values: floats(&surface.x_values),
            y_values: floats(&surface.y_values),
            plateau: floats(&surface.plateau()),
            trials: floats_of(surface.trials.iter().map(trial)),
            filled: surface.cells.iter().filter(|cell| !cell.is_nan()).count() as f64,
            cells: floats(&surface.cells),
        })
    }

    /// One trial in full, computed anew.
    ///
    /// # Errors
    /// The plan has no such trial.
    #[wasm_bindgen(unchecked_return_type = "Trial")]
    pub fn trial(&self, index: f64) -> Result<JsValue> {
        if !(0.0..9e15).contains(&index) || index.fract() != 0.0 {
            return Err(to_js_error(&Error::plan(format!("the plan has no trial {index}"))));
        }
        let (params, detail) = self.exploration.detail(index as u64).or_throw()?;
        let evaluator = self.exploration.evaluator();
        let capital = evaluator.plan.settings().capital;
        to_js(&Trial {
            index,
            params,
            metrics: floats(&detail.metrics),
            symbols: evaluator.context.panel.symbols.clone(),
            sessions: millis_of(detail.sessions.iter().map(|&date| i64::from(date) * DAY_MICROS)),
            equity: floats(&detail.session_equity),
            drawdown: floats(&drawdowns(capital, &detail.session_equity)),
            benchmark: floats(&detail.benchmark_equity),
            benchmark_drawdown: floats(&drawdowns(capital, &detail.benchmark_equity)),
            months: monthly_returns(capital, &detail.session_equity, &detail.sessions)
                .into_iter()
                .map(|month| MonthReturn { year: month.year, month: month.month, value: month.value })
                .collect(),
            trades: trades(&detail),
            fills: fills(&detail),
        })
    }

    /// How far the best of the evaluated trials can be believed; undefined where nothing can be judged: no trial, or fewer
    /// than eight sessions. It takes about as long as a few hundred trials.
    ///
    /// # Errors
    /// None that a caller can cause.
    #[wasm_bindgen(unchecked_return_type = "Judgement | undefined")]
    pub fn judgement(&mut self) -> Result<JsValue> {
        let found = self.exploration.judgement(&mut self.workforce).or_throw()?;
        found.map_or(Ok(JsValue::UNDEFINED), |found| to_js(&Judgement::from(&found)))
    }

    /// The simulated bars of one of the plan's symbols.
    ///
    /// # Errors
    /// The plan does not trade it.
    #[wasm_bindgen(unchecked_return_type = "Candles")]
    pub fn candles(&self, #[wasm_bindgen(unchecked_param_type = "string")] symbol: &JsValue) -> Result<JsValue> {
        let bars = self.exploration.evaluator().bars(&text_of(symbol, "the symbol")?).or_throw()?;
        to_js(&Candles {
            time: millis_of(bars.time.iter().copied()),
            open: floats(&bars.open),
            high: floats(&bars.high),
            low: floats(&bars.low),
            close: floats(&bars.close),
            volume: floats(&bars.volume),
        })
    }

    /// A column of the results, one value for each evaluated trial: `index`, a parameter or a metric.
    ///
    /// # Errors
    /// There is no such column.
    pub fn column(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
    ) -> Result<js_sys::Float64Array> {
        let name = text_of(name, "the name of the column")?;
        let name = name.as_str();
        // Numbers from parts of the data do not stand beside those from all of it.
        let whole = self.results().schema().budgets.then(|| self.results().whole().or_throw()).transpose()?;
        let results = whole.as_ref().unwrap_or(self.results());
        if name == "index" {
            return Ok(floats_of(results.index().iter().map(|&index| index as f64)));
        }
        if let Some(place) = results.schema().param(name) {
            return Ok(floats(results.param(place)));
        }
        let (metric, _) = self.exploration.evaluator().plan.direction_of(name).or_throw()?;
        Ok(floats(results.metric(metric)))
    }

    /// The results as the Parquet file that the native program writes: the same bytes for a finished run.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn parquet(&self) -> Result<js_sys::Uint8Array> {
        let write = || {
            let mut sink = ParquetSink::new(Vec::new(), self.results().schema().clone())?;
            sink.append(self.results())?;
            sink.finish()
        };
        Ok(js_sys::Uint8Array::from(write().or_throw()?.as_slice()))
    }

    /// The results as comma-separated values.
    pub fn csv(&self) -> String {
        to_csv(self.results())
    }
}

fn progress(exploration: &Exploration) -> types::Progress {
    let progress = exploration.progress();
    let because = exploration.evaluator().by_reference_because();
    types::Progress {
        done: progress.done,
        trials: progress.trials as f64,
        total: progress.total as f64,
        rows_read: progress.rows_read as f64,
        fills: progress.fills as f64,
        columns: progress.columns as f64,
        by_reference: progress.by_reference as f64,
        by_reference_because: (progress.by_reference > 0).then(|| because.to_owned()),
    }
}

fn trades(detail: &Detail) -> Trades {
    let trades = &detail.trades;
    let time = |bar: u32| detail.time.get(bar as usize).copied().unwrap_or(0);
    Trades {
        symbol: indices_of(trades.iter().map(|trade| trade.symbol)),
        quantity: floats_of(trades.iter().map(|trade| trade.quantity)),
        entry_time: millis_of(trades.iter().map(|trade| time(trade.entry_bar))),
        exit_time: millis_of(trades.iter().map(|trade| time(trade.exit_bar))),
        entry_price: floats_of(trades.iter().map(|trade| trade.entry_price)),
        exit_price: floats_of(trades.iter().map(|trade| trade.exit_price)),
        fees: floats_of(trades.iter().map(|trade| trade.fees)),
        profit: floats_of(trades.iter().map(|trade| trade.profit)),
        open: flags_of(trades.iter().map(|trade| trade.open)),
    }
}

fn fills(detail: &Detail) -> Fills {
    let fills = &detail.fills;
    let time = |bar: u32| detail.time.get(bar as usize).copied().unwrap_or(0);
    Fills {
        symbol: indices_of(fills.iter().map(|fill| fill.symbol)),
        time: millis_of(fills.iter().map(|fill| time(fill.bar))),
        quantity: floats_of(fills.iter().map(|fill| fill.quantity)),
        price: floats_of(fills.iter().map(|fill| fill.price)),
        fee: floats_of(fills.iter().map(|fill| fill.fee)),
    }
}
