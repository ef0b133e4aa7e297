//! One replay: the stored orders through the order API, and both sides' fills in a form that can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sandtable_core::context::Panel;
use sandtable_core::engine::{Bracket, Desk, Kind, Level, Order, Record, Role, Size, Ticket, Workspace, simulate};
use sandtable_core::ledger::Fill;
use sandtable_core::plan::{Fill as FillAt, Settings};

use crate::oracle::Verdict;
use crate::oracle::replay::{Entry, Row, Seen, failed, rows};
use crate::oracle::table::Table;

/// Something that the peer's strategy did.
#[derive(Clone, Debug)]
pub struct Step {
    /// Place in the file.
    pub seq: usize,
    /// What.
    pub what: What,
}

/// What a strategy can do.
#[derive(Clone, Debug)]
pub enum What {
    /// Place an order.
    Order(Order),
    /// Close units of a trade.
    Close { trade: usize, units: f64 },
    /// Move the stop-loss or the take-profit of a trade.
    Move { trade: usize, role: Role, price: f64 },
    /// Remove the stop-loss or the take-profit of a trade.
    Remove { trade: usize, role: Role },
    /// Cancel what an earlier step placed.
    Cancel { seq: usize },
}

/// A stored fill.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The fill; `key` is its trade.
    pub entry: Entry,
    /// Bar in whose processing it happened.
    pub processed: usize,
    /// Whether it opened a trade.
    pub opens: bool,
    /// Why it happened.
    pub kind: String,
}

/// What the peer stored.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What its strategy did, by bar.
    pub steps: BTreeMap<usize, Vec<Step>>,
    /// Its fills, as they happened.
    pub fills: Vec<Stored>,
    /// Its equity at each bar.
    pub equity: Vec<f64>,
}

impl Peer {
    /// Reads a case folder.
    pub fn read(folder: &Path) -> Result<Peer, Verdict> {
        let submitted = rows(&folder.join("submitted.csv"))?;
        let mut steps: BTreeMap<usize, Vec<Step>> = BTreeMap::new();
        for row in submitted.iter().filter(|row| row.text("origin") == "strategy") {
            let seq = row.count("seq")?;
            if let Some(what) = what(row, &submitted)? {
                steps.entry(row.count("bar")?).or_default().push(Step { seq, what });
            }
        }
        let mut fills = Vec::new();
        for row in rows(&folder.join("orders.csv"))? {
            let sign = if row.text("side") == "buy" { 1.0 } else { -1.0 };
            let entry = Entry {
                bar: row.count("bar")?,
                key: row.count("trade_id")?,
                symbol: row.text("symbol").to_string(),
                quantity: sign * row.number("size"),
                price: row.number("price"),
                fee: row.number("fee"),
            };
            let opens = row.text("effect") == "open";
            fills.push(Stored { entry, processed: row.count("processed_bar")?, opens, kind: row.text("kind").into() });
        }
        let table = Table::read(&folder.join("equity.parquet")).map_err(failed)?;
        Ok(Peer { steps, fills, equity: table.floats("equity").map_err(failed)? })
    }
}

fn what(row: &Row, all: &[Row]) -> Result<Option<What>, Verdict> {
    let price = |name: &str| row.given(name);
    Ok(Some(match row.text("what") {
        "order" => {
            let size = row.number("size");
            let kind = match (price("limit"), price("stop")) {
                (None, None) => Kind::Market,
                (Some(limit), None) => Kind::Limit(limit),
                (None, Some(stop)) => Kind::Stop(stop),
                (Some(limit), Some(stop)) => Kind::StopLimit { stop, limit },
            };
            let bracket = Bracket {
                stop_loss: price("sl").map(Level::Price),
                take_profit: price("tp").map(Level::Price),
                ..Bracket::default()
            };
            // Fractions of a coin are written as such, and so are fractions of the account: the latter are taken.
            let size = if size.abs() < 1.0 { Size::BuyingPower(size) } else { Size::Shares(size) };
            What::Order(Order { kind, bracket, ..Order::market(0, size) })
        }
        "close_trade" => What::Close { trade: row.count("trade_id")?, units: row.number("size") },
        "attach_sl" => What::Move { trade: row.count("trade_id")?, role: Role::StopLoss, price: row.number("stop") },
        "attach_tp" => What::Move { trade: row.count("trade_id")?, role: Role::TakeProfit, price: row.number("limit") },
        "cancel" => {
            let seq = row.count("ref")?;
            let cancelled = all.iter().find(|other| other.text("seq") == row.text("ref"));
            let Some(cancelled) = cancelled else {
                return Err(failed(format!("cancel of order {seq}, which is none")));
            };
            let role = match cancelled.text("what") {
                "attach_sl" => Role::StopLoss,
                "attach_tp" => Role::TakeProfit,
                _ => return Ok(Some(What::Cancel { seq })),
            };
            // A level that is moved is cancelled and attached again at the same bar.
            let again = all.iter().any(|other| {
                other.text("what") == cancelled.text("what")
                    && other.text("trade_id") == cancelled.text("trade_id")
                    && other.text("bar") == row.text("bar")
                    && other.count("seq").is_ok_and(|later| row.count("seq").is_ok_and(|own| later > own))
            });
            if again {
                return Ok(None);
            }
            What::Remove { trade: cancelled.count("trade_id")?, role }
        }
        other => return Err(failed(format!("submitted.csv: `{other}` is nothing that a strategy does"))),
    }))
}

/// Units that replace the size of a stored order; none where the peer dropped it.
pub type Units = BTreeMap<usize, Option<f64>>;

/// What our side did.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Fills with the stored order that they belong to, if to one of the strategy's entries.
    pub fills: Vec<(Option<usize>, Fill)>,
    /// Equity at each bar, as the peer records it.
    pub equity: Vec<f64>,
    /// Units held at each bar when the strategy looked, the absolute ones where lots stand against each other.
    pub held: Vec<f64>,
}

/// Replays the stored orders.
pub fn replay(panel: &Panel, settings: &Settings, peer: &Peer, units: &Units) -> Run {
    let mut seen = Seen::default();
    let mut replayed = Replayed::default();
    let mut held = Vec::new();
    let mut strategy = |desk: &mut Desk<'_>| {
        seen.look(desk);
        replayed.learn(desk);
        held.push(desk.open_entries(0).iter().map(|(_, units)| units.abs()).sum());
        for step in peer.steps.get(&desk.bar()).into_iter().flatten() {
            replayed.take(desk, step, units);
        }
    };
    let mut workspace = Workspace::default();
    simulate(panel, &mut strategy, settings, Record { fills: true, bars: true, ..Record::default() }, &mut workspace);
    let orders: BTreeMap<Ticket, usize> = replayed.tickets.iter().map(|(&seq, &ticket)| (ticket, seq)).collect();
    let mut fills: Vec<(Option<usize>, Fill)> =
        seen.fills.iter().map(|&(ticket, fill)| (orders.get(&ticket).copied(), fill)).collect();
    // What the end of the run closed, no strategy saw.
    let known = fills.len();
    fills.extend(workspace.account.fills.iter().skip(known).map(|&fill| (None, fill)));
    // With fills at the close that was seen, the peer records equity before them.
    let mut equity = workspace.bar_equity.clone();
    if settings.fill == FillAt::SameClose {
        for (recorded, &before) in equity.iter_mut().zip(&seen.equity) {
            *recorded = before;
        }
    }
    Run { fills, equity, held }
}

/// Stored orders and trades, and the tickets that they have here.
#[derive(Debug, Default)]
struct Replayed {
    /// Tickets of stored orders.
    tickets: BTreeMap<usize, Ticket>,
    entries: BTreeSet<Ticket>,
    /// Tickets of trades, in the order of their opening.
    trades: Vec<Ticket>,
    position: f64,
}

impl Replayed {
    /// Numbers the trades that were opened since the last look.
    fn learn(&mut self, desk: &Desk<'_>) {
        for (ticket, fill) in desk.fills() {
            let after = self.position + fill.quantity;
            // What goes beyond the position opens a trade; with hedging every entry does.
            let opens = desk.settings().hedging || after != 0.0 && (after > 0.0) == (fill.quantity > 0.0);
            if opens && self.entries.contains(&ticket) && !self.trades.contains(&ticket) {
                self.trades.push(ticket);
            }
            self.position = after;
        }
    }

    fn take(&mut self, desk: &mut Desk<'_>, step: &Step, units: &Units) {
        match step.what {
            What::Order(order) => {
                let size = match units.get(&step.seq) {
                    Some(None) => return,
                    Some(Some(units)) => Size::Shares(*units),
                    None => order.size,
                };
                if let Some(ticket) = desk.place(Order { size, ..order }) {
                    self.tickets.insert(step.seq, ticket);
                    self.entries.insert(ticket);
                }
            }
            What::Close { trade, units } => {
                let Some(&entry) = self.trades.get(trade) else { return };
                if let Some(ticket) = desk.place(Order::market(0, Size::Shares(units)).closing(entry)) {
                    self.tickets.insert(step.seq, ticket);
                }
            }
            What::Move { trade, role, price } => {
                let Some(&entry) = self.trades.get(trade) else { return };
                match role {
                    Role::TakeProfit => desk.move_target(entry, price),
                    _ => desk.move_stop(entry, price),
                };
            }
            What::Remove { trade, role } => {
                let Some(&entry) = self.trades.get(trade) else { return };
                for (own, ticket) in desk.exits(entry) {
                    if own == role {
                        desk.cancel(ticket);
                    }
                }
            }
            What::Cancel { seq } => {
                if let Some(&ticket) = self.tickets.get(&seq) {
                    desk.cancel(ticket);
                }
            }
        }
    }
}

/// Fills of one bar, side and price as one: an order that meets several trades fills once here and once for each there.
pub fn merged(fills: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut merged: Vec<Entry> = Vec::new();
    for fill in fills {
        let same = merged.iter_mut().rev().take_while(|other| other.bar == fill.bar).find(|other| {
            (other.quantity > 0.0) == (fill.quantity > 0.0) && (other.price - fill.price).abs() <= 1e-12 * fill.price
        });
        match same {
            Some(other) => {
                other.quantity += fill.quantity;
                other.fee += fill.fee;
            }
            None => merged.push(Entry { key: 0, ..fill }),
        }
    }
    merged.sort_by(|a, b| (a.bar, a.quantity > 0.0).cmp(&(b.bar, b.quantity > 0.0)).then(a.price.total_cmp(&b.price)));
    merged
}

/// Our fills in the form of the peer's.
pub fn ours<'a>(panel: &'a Panel, run: &'a Run) -> impl Iterator<Item = Entry> + 'a {
    run.fills.iter().map(|(_, fill)| Entry {
        bar: fill.bar as usize - panel.start,
        key: 0,
        symbol: panel.symbols[fill.symbol as usize].clone(),
        quantity: fill.quantity,
        price: fill.price,
        fee: fill.fee,
    })
}
