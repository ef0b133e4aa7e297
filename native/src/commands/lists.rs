//! `sandtable strategies | indicators | metrics`: what there is to use.

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use sandtable_core::indicators::{Input, REGISTRY};
use sandtable_core::metrics;
use sandtable_core::strategy::{Strategy, gallery};
use sandtable_core::{Error, Result, error::nearest};
use serde_json::json;

use crate::print;

/// Arguments of `sandtable strategies`.
#[derive(Args, Debug)]
pub struct StrategiesArgs {
    /// Print this strategy's file.
    pub name: Option<String>,
}

/// Arguments of `sandtable indicators`.
#[derive(Args, Debug)]
pub struct IndicatorsArgs {
    /// Show only indicators whose name contains this.
    pub filter: Option<String>,
}

/// Arguments of `sandtable metrics`.
#[derive(Args, Debug)]
pub struct MetricsArgs {}

/// Lists the gallery, or prints one strategy.
///
/// # Errors
/// An unknown name.
pub fn strategies(args: &StrategiesArgs, as_json: bool) -> Result<()> {
    if let Some(name) = &args.name {
        let Some((_, text)) = gallery().iter().find(|(stem, _)| stem == name) else {
            let error = Error::strategy(format!("the gallery has no strategy `{name}`"));
            let names = gallery().iter().map(|(stem, _)| *stem);
            return Err(match nearest(name, names) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("list them with `sandtable strategies`"),
            });
        };
        return print::text(text);
    }
    let mut table = new_table(&["strategy", "what it does", "parameters"]);
    let mut list = Vec::new();
    for (stem, text) in gallery() {
        let strategy = Strategy::parse(text, stem)?;
        let params: Vec<&str> = strategy.params.iter().map(|p| p.name.as_str()).collect();
        let first = strategy.description.split(". ").next().unwrap_or_default().trim_end_matches('.').to_string();
        table.add_row([*stem, &first, &params.join(" ")]);
        list.push(json!({"name": stem, "description": strategy.description, "params": params}));
    }
    print::either(as_json, &json!(list), || table.to_string())
}

/// Lists the indicators.
///
/// # Errors
/// The output cannot be written.
pub fn indicators(args: &IndicatorsArgs, as_json: bool) -> Result<()> {
    let filter = args.filter.as_deref().unwrap_or_default().to_lowercase();
    let mut table = new_table(&["indicator", "outputs", "what it is"]);
    let mut list = Vec::new();
    for indicator in REGISTRY.iter().filter(|indicator| indicator.name.contains(&filter)) {
        let operands = indicator.inputs.iter().filter_map(|input| match input {
            Input::Real(name) => Some((*name).to_string()),
            Input::Implied(_) => None,
        });
        let params = indicator.params.iter().map(|p| format!("{}={}", p.name, p.default));
        let call = format!("{}({})", indicator.name, operands.chain(params).collect::<Vec<_>>().join(", "));
        let outputs = indicator.outputs.join(" ");
        table.add_row([call.as_str(), &outputs, indicator.doc]);
        list.push(json!({"call": call, "outputs": indicator.outputs, "doc": indicator.doc}));
    }
    print::either(as_json, &json!(list), || table.to_string())
}

/// Lists the metrics.
///
/// # Errors
/// The output cannot be written.
pub fn metrics(_args: &MetricsArgs, as_json: bool) -> Result<()> {
    let mut table = new_table(&["metric", "title", "what it is"]);
    let mut list = Vec::new();
    for metric in metrics::TABLE {
        table.add_row([metric.name, metric.title, metric.doc]);
        list.push(json!({"name": metric.name, "title": metric.title, "doc": metric.doc}));
    }
    print::either(as_json, &json!(list), || table.to_string())
}

fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().copied());
    table
}
