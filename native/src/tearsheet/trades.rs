//! The round trips of the trial: statistics, sums, and the first and last of them.

use sandtable_core::ledger::Trade;
use sandtable_core::metrics::Unit;

use super::Tearsheet;
use super::figures::key_figures;
use crate::export::timestamp;
use crate::view::document::Block;
use crate::view::number;

/// Trades listed from each end.
const SHOWN: usize = 20;

/// Statistics over round trips.
pub(super) const STATISTICS: [&str; 12] = [
    "trades",
    "win_rate",
    "profit_factor",
    "expectancy",
    "avg_trade",
    "best_trade",
    "worst_trade",
    "mean_holding",
    "exposure",
    "turnover",
    "sqn",
    "fees",
];

const HEADING: [&str; 10] =
    ["#", "symbol", "side", "entered", "left", "units", "entry price", "exit price", "profit", "return"];

pub(super) fn blocks(sheet: &Tearsheet) -> Vec<Block> {
    let trades = &sheet.detail.trades;
    let mut blocks =
        vec![Block::Heading("Trades".into()), Block::Figures(key_figures(&sheet.detail.metrics, &STATISTICS))];
    if trades.is_empty() {
        blocks.push(Block::Text("It made no trade.".into()));
        return blocks;
    }
    blocks.push(Block::Subheading("By side".into()));
    blocks.push(by_side(trades));
    let all = trades.len();
    let hidden = all.saturating_sub(2 * SHOWN);
    let rows = |places: std::ops::Range<usize>| places.map(|place| row(sheet, place)).collect::<Vec<_>>();
    if hidden == 0 {
        blocks.push(Block::Subheading(format!("All {all} round trips")));
        blocks.push(Block::table(&HEADING, rows(0..all), 5));
    } else {
        blocks.push(Block::Subheading(format!("The first {SHOWN} of {all} round trips")));
        blocks.push(Block::table(&HEADING, rows(0..SHOWN), 5));
        blocks.push(Block::Subheading(format!("The last {SHOWN}")));
        blocks.push(Block::table(&HEADING, rows(all - SHOWN..all), 5));
        blocks.push(Block::Missing(format!(
            "{hidden} round trips between them are left out: `sandtable report DIR --format csv` writes all."
        )));
    }
    blocks
}

fn row(sheet: &Tearsheet, place: usize) -> Vec<String> {
    let (trade, symbols) = (&sheet.detail.trades[place], &sheet.study.evaluator.context.panel.symbols);
    let time = |bar: u32| sheet.detail.time.get(bar as usize).map_or_else(String::new, |&time| timestamp(time));
    let exit = if trade.open { "still open".into() } else { moment(&time(trade.exit_bar)) };
    vec![
        (place + 1).to_string(),
        symbols.get(trade.symbol as usize).cloned().unwrap_or_default(),
        side(trade).to_owned(),
        moment(&time(trade.entry_bar)),
        exit,
        number::units(trade.quantity.abs()),
        number::price(trade.entry_price),
        number::price(trade.exit_price),
        number::metric(trade.profit, Unit::Money),
        number::metric(trade.profit / (trade.quantity.abs() * trade.entry_price), Unit::Percent),
    ]
}

/// A timestamp without its letters.
fn moment(text: &str) -> String {
    text.replace('T', " ").trim_end_matches('Z').trim_end_matches(":00").to_owned()
}

fn side(trade: &Trade) -> &'static str {
    if trade.quantity > 0.0 { "long" } else { "short" }
}

fn by_side(trades: &[Trade]) -> Block {
    let row = |name: &str, chosen: &dyn Fn(&&Trade) -> bool| {
        let of: Vec<&Trade> = trades.iter().filter(chosen).collect();
        let profit: f64 = of.iter().map(|trade| trade.profit).sum();
        let won = of.iter().filter(|trade| trade.profit > 0.0).count();
        let money = |value: f64| number::metric(value, Unit::Money);
        let share = won as f64 / of.len() as f64;
        vec![
            name.to_owned(),
            of.len().to_string(),
            won.to_string(),
            number::metric(share, Unit::Percent),
            money(of.iter().map(|trade| trade.fees).sum()),
            money(profit),
            money(profit / of.len() as f64),
        ]
    };
    let rows = vec![
        row("long", &|trade| !trade.open && trade.quantity > 0.0),
        row("short", &|trade| !trade.open && trade.quantity < 0.0),
        row("still open", &|trade| trade.open),
        row("all", &|_| true),
    ];
    Block::table(&["side", "trades", "won", "share", "fees", "profit", "mean profit"], rows, 1)
}
