//! The data of a report as tables for files.

use sandtable_core::calendar::DAY_MICROS;
use sandtable_core::metrics;

use super::Tearsheet;
use super::account::{rolling_sharpe, window};
use super::figures::drawdowns;
use crate::export::{self, Column, Table};

impl Tearsheet {
    /// Tables by name: all trials, the trial's metrics, its sessions, months, bars, round trips and executions.
    pub fn tables(&self) -> Vec<(&'static str, Table)> {
        let symbols = &self.study.evaluator.context.panel.symbols;
        vec![
            ("trials", self.trials()),
            ("metrics", self.metrics()),
            ("sessions", self.sessions()),
            ("months", self.months()),
            ("equity", export::equity(&self.detail)),
            ("trades", export::trades(&self.detail, symbols)),
            ("fills", export::fills(&self.detail, symbols)),
        ]
    }

    fn trials(&self) -> Table {
        let results = &self.study.results;
        let schema = results.schema();
        let index = results.index().iter().map(|index| index.to_string()).collect();
        let params = schema.params.iter().enumerate();
        let params =
            params.map(|(place, param)| (param.column.as_str(), Column::Number(results.param(place).to_vec())));
        let metrics = schema.metrics.iter().enumerate();
        let metrics = metrics.map(|(place, one)| (one.name.as_str(), Column::Number(results.metric(place).to_vec())));
        // An index may be larger than a table's whole numbers.
        Table::new(std::iter::once(("index", Column::Text(index))).chain(params).chain(metrics))
    }

    fn metrics(&self) -> Table {
        Table::new([
            ("name", Column::Text(metrics::names().map(str::to_owned).collect())),
            ("title", Column::Text(metrics::TABLE.iter().map(|metric| metric.title.to_owned()).collect())),
            ("unit", Column::Text(metrics::TABLE.iter().map(|metric| metric.unit.name().to_owned()).collect())),
            ("value", Column::Number(self.detail.metrics.clone())),
        ])
    }

    fn sessions(&self) -> Table {
        let (detail, plan) = (&self.detail, &self.study.evaluator.plan);
        let capital = plan.settings().capital;
        let window = window(detail.sessions.len(), plan.periods_per_year());
        let rolling = rolling_sharpe(&self.returns, window, plan.periods_per_year(), plan.risk_free_per_session());
        Table::new([
            ("session", Column::Time(detail.sessions.iter().map(|&date| i64::from(date) * DAY_MICROS).collect())),
            ("equity", Column::Number(detail.session_equity.clone())),
            ("benchmark", Column::Number(detail.benchmark_equity.clone())),
            ("return", Column::Number(self.returns.clone())),
            ("drawdown", Column::Number(drawdowns(capital, &detail.session_equity))),
            ("rolling_sharpe", Column::Number(rolling)),
        ])
    }

    fn months(&self) -> Table {
        let capital = self.study.evaluator.plan.settings().capital;
        let months = metrics::monthly_returns(capital, &self.detail.session_equity, &self.detail.sessions);
        let month = |month: &metrics::MonthReturn| format!("{:04}-{:02}", month.year, month.month);
        Table::new([
            ("month", Column::Text(months.iter().map(month).collect())),
            ("return", Column::Number(months.iter().map(|month| month.value).collect())),
        ])
    }
}
