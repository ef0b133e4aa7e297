//! What happened at a bar, for people who ask "why did it not fill?".
//!
//! Given an evaluator and an inspected bar, this tells of it: the values that the rules saw, what became of each order
//! and why, cash and positions before and after. It never knows where the trial came from.

pub mod moment;
mod story;

use std::fmt::Write as _;

use sandtable_core::bundle::Frequency;
use sandtable_core::calendar::format_date;
use sandtable_core::engine::{OpenOrder, TimeInForce};
use sandtable_core::run::{Books, Evaluator, Inspection, Seen, Value};
use sandtable_core::strategy::Kind;
use serde_json::json;

pub use moment::{Found, find, time_of};

use crate::view::number::{price, units};
use crate::view::{table, wrap};
use crate::words::{self, money};

/// Most symbols that are shown in full when none is named.
const MOST_SYMBOLS: usize = 12;

/// How a bar is shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Only this symbol, by its index in the panel.
    pub symbol: Option<u32>,
    /// Longest line.
    pub width: usize,
}

/// One bar as text.
pub fn text(evaluator: &Evaluator, bar: &Inspection, look: Look) -> String {
    let panel = &**evaluator.panel();
    let mut out = heading(evaluator, bar) + "\n\n";
    out += &books(evaluator, bar, look);
    let (shown, hidden) = chosen(evaluator, bar, look);
    for &symbol in &shown {
        out.push('\n');
        out += &symbol_text(evaluator, bar, symbol, look.width);
    }
    if hidden > 0 {
        let _ = writeln!(out, "\n{hidden} more symbols without orders or positions: see one with --symbol NAME");
    }
    let lines: Vec<_> =
        story::lines(&evaluator.plan, panel, bar).into_iter().filter(|line| look.sees(line.symbol)).collect();
    match look.symbol.map(|symbol| &panel.symbols[symbol as usize]) {
        _ if !lines.is_empty() => out += "\nin order:\n",
        None => out += "\nno order was placed, filled or tried at this bar\n",
        Some(name) => _ = writeln!(out, "\nno order of {name} was placed, filled or tried at this bar"),
    }
    for (k, line) in lines.iter().enumerate() {
        let name = line.symbol.map_or("account", |symbol| &panel.symbols[symbol as usize]);
        out += &wrap::paragraph(&format!("{:>3}. {name}: {}", k + 1, line.text), look.width, 5);
    }
    out += &open_orders(evaluator, bar, look);
    out
}

impl Look {
    fn sees(self, symbol: Option<u32>) -> bool {
        symbol.is_none() || self.symbol.is_none() || self.symbol == symbol
    }
}

/// `2015-03-04 (Wednesday), bar 12 of 251`.
fn heading(evaluator: &Evaluator, bar: &Inspection) -> String {
    let panel = &**evaluator.panel();
    let session = panel.sessions[bar.t];
    let count = panel.timeline.len() - panel.start;
    let place = format!("bar {} of {count}", bar.t + 1 - panel.start);
    if panel.frequency == Frequency::Intraday {
        let first = panel.sessions.partition_point(|&date| date < session);
        let last = panel.sessions.partition_point(|&date| date <= session);
        format!(
            "{} (close, UTC), bar {} of {} of the session {} ({}), {place}",
            time_of(panel, bar.t),
            bar.t + 1 - first,
            last - first,
            format_date(session),
            moment::weekday(session)
        )
    } else {
        format!("{} ({}), {place}", time_of(panel, bar.t), moment::weekday(session))
    }
}

fn books(evaluator: &Evaluator, bar: &Inspection, look: Look) -> String {
    let panel = &**evaluator.panel();
    let mut rows = vec![
        vec!["cash".to_string(), money(bar.before.cash), money(bar.after.cash)],
        vec!["equity".to_string(), money(bar.before.equity), money(bar.after.equity)],
    ];
    for (symbol, name) in panel.symbols.iter().enumerate() {
        let (before, after) = (bar.before.positions[symbol], bar.after.positions[symbol]);
        let named = look.symbol == Some(symbol as u32);
        if named || (before != 0.0 || after != 0.0) && look.symbol.is_none() {
            rows.push(vec![name.clone(), units(before), units(after)]);
        }
    }
    if rows.len() == 2 {
        rows.push(vec!["positions".into(), "none".into(), "none".into()]);
    }
    table::plain(&["", "before the bar", "after it"], rows, &[0])
}

/// Symbols to be shown, and the number of those that are not.
fn chosen(evaluator: &Evaluator, bar: &Inspection, look: Look) -> (Vec<u32>, usize) {
    let all = 0..evaluator.panel().symbols.len() as u32;
    if let Some(symbol) = look.symbol {
        return (vec![symbol], 0);
    }
    if all.len() <= MOST_SYMBOLS {
        return (all.collect(), 0);
    }
    let count = all.len();
    let told = story::lines(&evaluator.plan, evaluator.panel(), bar);
    let busy = |symbol: &u32| {
        let place = *symbol as usize;
        bar.before.positions[place] != 0.0
            || bar.after.positions[place] != 0.0
            || told.iter().any(|line| line.symbol == Some(*symbol))
    };
    let shown: Vec<u32> = all.filter(busy).take(MOST_SYMBOLS).collect();
    let hidden = count - shown.len();
    (shown, hidden)
}

fn symbol_text(evaluator: &Evaluator, bar: &Inspection, symbol: u32, width: usize) -> String {
    let panel = &**evaluator.panel();
    let name = &panel.symbols[symbol as usize];
    let seen = &bar.symbols[symbol as usize];
    let Some(row) = seen.row else { return wrap::paragraph(&absent(evaluator, bar, symbol), width, 2) };
    let mut out = format!(
        "{name}  open {}  high {}  low {}  close {}  volume {}\n",
        price(panel.open[row]),
        price(panel.high[row]),
        price(panel.low[row]),
        price(panel.close[row]),
        units(panel.volume[row])
    );
    let state = &seen.state;
    if state.position != 0.0 {
        out += &format!(
            "  holds {} at {} on average for {}; since then highest {}, lowest {}\n",
            units(state.position),
            price(state.entry_price),
            bars(state.bars_held as usize),
            price(state.highest),
            price(state.lowest)
        );
    }
    if seen.values.iter().any(|value| warms_up(seen, value)) {
        let first = panel.row_time.get(panel.spans[symbol as usize].offset).map_or(panel.start, |&t| t as usize);
        let line = format!(
            "  warming up: {name} has {} before this one, the first on {}",
            bars(seen.bars_before),
            time_of(panel, first)
        );
        out += &wrap::paragraph(&line, width, 2);
    }
    let names = seen.values.iter().map(|value| value.name.chars().count()).max().unwrap_or(0);
    let values = seen.values.iter().map(|value| value_text(value).chars().count()).max().unwrap_or(0);
    for value in &seen.values {
        let shown = value_text(value);
        // A number that the file gives needs no second telling.
        let text = if value.text == shown || value.text.parse() == Ok(value.value) { "" } else { &value.text };
        let line = format!("  {:names$}  {shown:values$}  {text}{}", value.name, because(seen, value));
        out += &wrap::paragraph(&line, width, names + values + 4);
        if value.comparison.is_none() {
            for part in &value.parts {
                let line =
                    format!("{}{}: {}{}", " ".repeat(names + 4), value_text(part), part.text, because(seen, part));
                out += &wrap::paragraph(&line, width, 2);
            }
        }
    }
    for reason in story::outcome(&evaluator.plan, panel, bar, symbol) {
        out += &wrap::paragraph(&format!("  => {reason}"), width, 3);
    }
    out
}

/// Whether something in a value has too few bars behind it.
fn warms_up(seen: &Seen, value: &Value) -> bool {
    value.value.is_nan() && value.needs.is_some_and(|needs| needs > seen.bars_before)
        || value.parts.iter().any(|part| warms_up(seen, part))
}

/// What a value comes from: both sides of a comparison, or why it is undefined.
fn because(seen: &Seen, value: &Value) -> String {
    let compared = match (value.comparison, &value.parts[..]) {
        (Some(sign), [a, b]) if !a.value.is_nan() && !b.value.is_nan() => {
            format!("  [{} {sign} {}]", value_text(a), value_text(b))
        }
        _ => String::new(),
    };
    if !value.value.is_nan() {
        return compared;
    }
    // A rule of several conditions leaves it to them.
    if value.comparison.is_none() && value.parts.iter().any(|part| part.value.is_nan()) {
        return compared;
    }
    let why = match value.needs {
        Some(needs) if needs > seen.bars_before => format!("needs {} before this one", bars(needs)),
        _ if value.stateful && seen.state.position == 0.0 => "asks for the position, and there is none".into(),
        _ => "something that it is made of has no value here".into(),
    };
    format!("{compared}  ({why})")
}

fn bars(count: usize) -> String {
    if count == 1 { "1 bar".into() } else { format!("{count} bars") }
}

fn value_text(value: &Value) -> String {
    match value.kind {
        _ if value.value.is_nan() => "undefined".into(),
        Kind::Bool => if value.value == 0.0 { "false" } else { "true" }.into(),
        Kind::Float => units(value.value),
    }
}

/// A symbol without a bar.
fn absent(evaluator: &Evaluator, bar: &Inspection, symbol: u32) -> String {
    let panel = &**evaluator.panel();
    let span = panel.spans[symbol as usize];
    let name = &panel.symbols[symbol as usize];
    let seen = &bar.symbols[symbol as usize];
    let time = |k: usize| panel.row_time.get(span.offset + k).map_or("?".into(), |&t| time_of(panel, t as usize));
    match (seen.bars_before, span.len) {
        (_, 0) => format!("{name}  no bar at all in the run's dates"),
        (0, _) => format!("{name}  no bar here: its first is {}", time(0)),
        (before, len) if before >= len => format!("{name}  no bar here: its last was {}", time(len - 1)),
        (before, _) => format!(
            "{name}  no bar here: those beside it are {} and {}; it is valued at its last close, its orders \
             wait, and its rules are not asked",
            time(before - 1),
            time(before)
        ),
    }
}

fn open_orders(evaluator: &Evaluator, bar: &Inspection, look: Look) -> String {
    let panel = &**evaluator.panel();
    let open: Vec<&OpenOrder> = bar.orders_after.iter().filter(|order| look.sees(Some(order.symbol))).collect();
    if open.is_empty() {
        let of = look.symbol.map(|symbol| format!(" of {}", panel.symbols[symbol as usize])).unwrap_or_default();
        return format!("\nno order{of} is open after this bar\n");
    }
    let rows = open.iter().map(|order| {
        vec![
            order.ticket.to_string(),
            panel.symbols[order.symbol as usize].clone(),
            words::role(order.role).trim_start_matches("the ").to_string(),
            side(order),
            words::level(order) + &later(bar, order),
            time_of(panel, order.placed as usize) + &lasts(order),
        ]
    });
    let heading = ["order", "symbol", "of", "to", "at", "since"];
    format!("\nopen after this bar:\n{}", table::plain(&heading, rows, &[1, 2, 3, 4, 5]))
}

fn side(order: &OpenOrder) -> String {
    match (order.units, order.size, order.buys) {
        (Some(fixed), ..) if fixed < 0.0 => format!("sell {}", units(-fixed)),
        (Some(fixed), ..) => format!("buy {}", units(fixed)),
        (None, Some(size), _) => words::amount(size, None),
        (None, None, Some(true)) => "buy back".into(),
        (None, None, _) => "sell all".into(),
    }
}

/// When it may fill, if not at the next bar.
fn later(bar: &Inspection, order: &OpenOrder) -> String {
    match story::bars_until(bar, order) {
        Some(ahead) if ahead > 1 => format!(", in {ahead} bars"),
        _ => String::new(),
    }
}

fn lasts(order: &OpenOrder) -> String {
    match order.time_in_force {
        TimeInForce::Gtc => String::new(),
        TimeInForce::Day => ", for one session".into(),
        TimeInForce::Bars(count) => match count.saturating_sub(order.tried) {
            1 => ", for 1 more bar".into(),
            left => format!(", for {left} more bars"),
        },
    }
}

/// One bar as JSON.
pub fn json(evaluator: &Evaluator, bar: &Inspection, look: Look) -> serde_json::Value {
    let panel = &**evaluator.panel();
    let name = |symbol: Option<u32>| symbol.map(|symbol| panel.symbols[symbol as usize].clone());
    let positions = |held: &[f64]| {
        let held = panel.symbols.iter().zip(held).filter(|(_, units)| **units != 0.0);
        held.map(|(name, units)| (name.clone(), json!(units))).collect::<serde_json::Map<_, _>>()
    };
    let books = |books: &Books| {
        let held = positions(&books.positions);
        json!({ "cash": books.cash, "equity": books.equity, "positions": held })
    };
    let orders = |orders: &[OpenOrder]| {
        let seen = orders.iter().filter(|order| look.sees(Some(order.symbol)));
        seen.map(|order| order_json(evaluator, order)).collect::<Vec<_>>()
    };
    let symbols = panel.symbols.iter().zip(&bar.symbols).enumerate();
    let symbols = symbols.filter(|(symbol, _)| look.symbol.is_none_or(|only| only as usize == *symbol));
    let symbols = symbols.map(|(symbol, (name, seen))| {
        let state = &seen.state;
        json!({
            "symbol": name,
            "bar": seen.row.map(|row| json!({
                "open": panel.open[row], "high": panel.high[row], "low": panel.low[row],
                "close": panel.close[row], "volume": panel.volume[row],
            })),
            "bars_before": seen.bars_before,
            "position": (state.position != 0.0).then(|| json!({
                "units": state.position, "entry_price": state.entry_price, "bars_held": state.bars_held,
                "highest": state.highest, "lowest": state.lowest,
            })),
            "values": seen.values.iter().map(value_json).collect::<Vec<_>>(),
            "outcome": story::outcome(&evaluator.plan, panel, bar, symbol as u32),
        })
    });
    let told = story::lines(&evaluator.plan, panel, bar).into_iter().filter(|line| look.sees(line.symbol));
    json!({
        "time": time_of(panel, bar.t),
        "session": format_date(panel.sessions[bar.t]),
        "bar": bar.t - panel.start,
        "before": books(&bar.before),
        "after": books(&bar.after),
        "ruined": bar.ruined,
        "symbols": symbols.collect::<Vec<_>>(),
        "events": told.map(|line| json!({
            "symbol": name(line.symbol),
            "order": (line.ticket != 0).then_some(line.ticket),
            "text": line.text,
        })).collect::<Vec<_>>(),
        "open_before": orders(&bar.orders_before),
        "open_after": orders(&bar.orders_after),
    })
}

fn value_json(value: &Value) -> serde_json::Value {
    let shown = match value.kind {
        Kind::Bool if !value.value.is_nan() => json!(value.value != 0.0),
        _ => json!(value.value),
    };
    let parts: Vec<_> = value.parts.iter().map(value_json).collect();
    json!({
        "name": value.name, "expression": value.text, "value": shown, "needs_bars": value.needs,
        "comparison": value.comparison, "parts": parts,
    })
}

fn order_json(evaluator: &Evaluator, order: &OpenOrder) -> serde_json::Value {
    let panel = &**evaluator.panel();
    json!({
        "order": order.ticket,
        "symbol": panel.symbols[order.symbol as usize],
        "of": order.role,
        "buys": order.buys,
        "units": order.units,
        "size": order.size,
        "limit": order.limit,
        "stop": order.stop,
        "trail": order.trail,
        "woken": order.woken,
        "time_in_force": order.time_in_force,
        "placed": time_of(panel, order.placed as usize),
    })
}
