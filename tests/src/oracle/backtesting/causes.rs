//! Whether a replay agrees, and if it does not, by which of the peer's known conventions.
//!
//! What the simulator does not do, because it would look ahead or go back in time:
//! - the peer sizes orders, and checks their margin, at a bar's open by that bar's close for what is held already;
//! - it counts a fixed commission once for each unit into orders for a fraction of the account, and charges it once for
//!   each trade that an order closes;
//! - after the last bar it processes all orders once more on that bar, those included that were placed at its close;
//! - it forgives the debt of an account that lost more than it had.
//!
//! A case that differs for one of the first two is replayed with the peer's own units: everything else must agree.

use std::collections::BTreeSet;

use sandtable_core::context::Panel;
use sandtable_core::engine::Size;
use sandtable_core::plan::{Fill as FillAt, Settings};

use super::commission;
use super::replay::{Peer, Run, Stored, Units, What, merged, ours, replay};
use crate::oracle::Verdict;
use crate::oracle::replay::{Compared, Entry, distance, failed, same_fills, same_series};

/// Compares a case.
pub fn judge(panel: &Panel, settings: &Settings, peer: &Peer) -> Compared {
    let natural = replay(panel, settings, peer, &Units::new());
    let case = Case { panel, settings, peer };
    let compared = (peer.fills.len() * 5 + peer.equity.len()) as u64;
    let first = match case.agrees(&natural) {
        Ok(largest) => return Ok((Verdict::Exact, compared, largest)),
        Err(difference) => difference,
    };
    let off = distance(&natural.equity, &peer.equity, settings.capital);
    if let Some((why, largest)) = case.agrees_but_for_the_end(&natural) {
        return Ok((
            Verdict::Documented(format!("{why}; equity differs by at most {off:.1e} of the capital")),
            compared,
            largest,
        ));
    }
    if case.passes_over_gaps(&natural) {
        let why = "with orders at the close the peer compares resting stops with the close before, not with the open, and \
                   fills them at their level where the bar opened beyond it";
        let why = format!("{why}; equity differs by at most {off:.1e} of the capital");
        return Ok((Verdict::Documented(why), compared, off));
    }
    // The peer's own units, and nothing that could refuse them.
    let given = Settings { initial_margin: settings.initial_margin * 1e-9, ..*settings };
    let Some(cause) = case.cause_of_sizes(&natural) else { return Err(failed(first)) };
    let (units, run) = case.with_their_units(&given);
    let (end, largest) = match case.agrees_to_an_end(&run) {
        Ok(agreed) => agreed,
        Err(difference) => {
            let Some(why) = case.agrees_but_for_fees(&run) else {
                return Err(failed(format!("{first}; with the peer's units: {difference}")));
            };
            let why = format!("{cause}; {why}; equity differs by at most {off:.1e} of the capital");
            return Ok((Verdict::Documented(why), compared, off));
        }
    };
    let dropped = units.values().filter(|units| units.is_none()).count();
    let why = format!(
        "{cause}; with the peer's own units for its {} orders ({dropped} of them dropped) all fills and the equity agree \
         to {largest:.0e}{end}, without them equity differs by at most {off:.1e} of the capital",
        units.len(),
    );
    Ok((Verdict::Documented(why), compared, largest))
}

struct Case<'a> {
    panel: &'a Panel,
    settings: &'a Settings,
    peer: &'a Peer,
}

impl Case<'_> {
    fn last(&self) -> usize {
        self.peer.equity.len().saturating_sub(1)
    }

    fn compare(&self, ours: Vec<Entry>, theirs: Vec<Entry>, equity: &[f64], expected: &[f64]) -> Result<f64, String> {
        let capital = self.settings.capital;
        let fills = same_fills(&ours, &theirs, capital)?;
        Ok(fills.max(same_series("equity", equity, expected, capital)?))
    }

    /// Everything.
    fn agrees(&self, run: &Run) -> Result<f64, String> {
        let theirs = merged(self.peer.fills.iter().map(|stored| stored.entry.clone()));
        self.compare(merged(ours(self.panel, run)), theirs, &run.equity, &self.peer.equity)
    }

    /// Everything, or everything but what the peer does after the last bar or after a ruin.
    fn agrees_to_an_end(&self, run: &Run) -> Result<(String, f64), String> {
        match self.agrees(run) {
            Ok(largest) => Ok((String::new(), largest)),
            Err(difference) => {
                self.agrees_but_for_the_end(run).map(|(why, largest)| (format!(" ({why})"), largest)).ok_or(difference)
            }
        }
    }

    fn agrees_but_for_the_end(&self, run: &Run) -> Option<(String, f64)> {
        self.forgives(run).or_else(|| self.passes_once_more(run))
    }

    /// Whether everything agrees but commissions with a fixed part, where the peer's orders close several trades.
    fn agrees_but_for_fees(&self, run: &Run) -> Option<String> {
        if !commission::has_fixed_part(&self.settings.costs) {
            return None;
        }
        let last = self.last();
        let without = |fills: Vec<Entry>| -> Vec<Entry> {
            fills.into_iter().filter(|fill| fill.bar < last).map(|fill| Entry { fee: 0.0, ..fill }).collect()
        };
        let own = without(merged(ours(self.panel, run)));
        let theirs = without(merged(self.peer.fills.iter().map(|stored| stored.entry.clone())));
        same_fills(&own, &theirs, self.settings.capital).ok()?;
        Some(
            "with the peer's own units all fills agree but for their commissions, whose fixed part the peer charges once \
             for each trade that an order closes"
                .into(),
        )
    }

    /// Whether the first fill that differs is a stop order filled at its level although the bar opened beyond it.
    fn passes_over_gaps(&self, run: &Run) -> bool {
        let Some(bar) = self.first_difference(run) else { return false };
        let mut there = self.peer.fills.iter().filter(|stored| stored.entry.bar == bar);
        self.settings.fill == FillAt::SameClose && there.any(|stored| stored.kind.contains("stop"))
    }

    /// Whether only the equity after a ruin differs: the peer's is zero from then on.
    fn forgives(&self, run: &Run) -> Option<(String, f64)> {
        let ruin = self.peer.fills.iter().find(|stored| stored.kind.ends_with("bankrupt"))?.processed;
        let theirs = merged(self.peer.fills.iter().map(|stored| stored.entry.clone()));
        let zero = self.peer.equity.get(ruin..)?.iter().all(|&equity| equity == 0.0);
        let before = |equity: &[f64]| equity.iter().take(ruin).copied().collect::<Vec<f64>>();
        let agreed =
            self.compare(merged(ours(self.panel, run)), theirs, &before(&run.equity), &before(&self.peer.equity));
        let debt = run.equity.get(ruin).copied().filter(|&debt| zero && debt < 0.0)?;
        agreed.ok().map(|largest| {
            (
                format!(
                    "the account is ruined at bar {ruin} and owes {:.2} here; the peer sets its equity to 0",
                    -debt
                ),
                largest,
            )
        })
    }

    /// Whether only what the peer's extra pass over the last bar did differs.
    fn passes_once_more(&self, run: &Run) -> Option<(String, f64)> {
        if !self.settings.close_at_end {
            return None;
        }
        let last = self.last();
        let extra = |stored: &Stored| stored.kind.starts_with("finalize_") || stored.opens && self.opened_late(stored);
        let theirs = merged(self.peer.fills.iter().filter(|stored| !extra(stored)).map(|stored| stored.entry.clone()));
        let mut own = run.clone();
        let closing = own.fills.iter().rposition(|(_, fill)| fill.bar as usize != self.panel.start + last);
        let from = closing.map_or(0, |place| place + 1);
        // Of the last bar's fills, those without an order are the closing.
        let kept: Vec<_> = own.fills.split_off(from).into_iter().filter(|(order, _)| order.is_some()).collect();
        own.fills.extend(kept);
        let until = |equity: &[f64]| equity.iter().take(last).copied().collect::<Vec<f64>>();
        let agreed =
            self.compare(merged(ours(self.panel, &own)), theirs, &until(&run.equity), &until(&self.peer.equity));
        let why = if self.settings.fill == FillAt::SameClose {
            "what is open at the end is closed at the last bar's open here, by the peer at the close before it"
        } else {
            "the peer's closing at the end processes the last bar once more, and fills orders placed at its close at its \
             open; nothing goes back in time here"
        };
        agreed.ok().map(|largest| (why.to_string(), largest))
    }

    /// Whether a fill that opens a trade belongs to an order placed at the last bar.
    fn opened_late(&self, stored: &Stored) -> bool {
        let last = self.last();
        let placed = self.peer.steps.get(&last).into_iter().flatten();
        stored.processed == last
            && placed.into_iter().any(|step| match step.what {
                What::Order(_) => true,
                What::Close { .. } | What::Move { .. } | What::Remove { .. } | What::Cancel { .. } => false,
            })
    }

    /// Which convention of sizes explains the first fill that differs.
    fn cause_of_sizes(&self, run: &Run) -> Option<String> {
        let bar = self.first_difference(run)?;
        // With fills at the close that was seen, what was held when the strategy looked is held at the fill.
        let looked = if self.settings.fill == FillAt::SameClose { Some(bar) } else { bar.checked_sub(1) };
        let before = looked.and_then(|look| run.held.get(look)).is_some_and(|&units| units != 0.0);
        let opened = self.peer.fills.iter().filter(|stored| stored.entry.bar == bar && stored.opens).count();
        let held = before || opened > 1;
        let fixed = commission::has_fixed_part(&self.settings.costs);
        let parts = self.peer.fills.iter().filter(|stored| stored.entry.bar == bar).count();
        if fixed && !held {
            Some(
                "the peer counts the fixed commission once for each unit into an order for a fraction of the account"
                    .into(),
            )
        } else if fixed && parts > 1 {
            Some("the peer charges the fixed commission once for each trade that an order closes".into())
        } else if held {
            Some("the peer sizes orders and checks margin at the open by that bar's close while trades are open".into())
        } else {
            None
        }
    }

    /// The first bar whose fills differ.
    fn first_difference(&self, run: &Run) -> Option<usize> {
        let own = merged(ours(self.panel, run));
        let theirs = merged(self.peer.fills.iter().map(|stored| stored.entry.clone()));
        (0..=self.last()).find(|&bar| {
            let at = |fills: &[Entry]| fills.iter().filter(|fill| fill.bar == bar).cloned().collect::<Vec<_>>();
            let (own, theirs) = (at(&own), at(&theirs));
            (!own.is_empty() || !theirs.is_empty()) && same_fills(&own, &theirs, self.settings.capital).is_err()
        })
    }

    /// Replays with the units of the peer's fills in the place of the stored sizes, found bar by bar.
    fn with_their_units(&self, settings: &Settings) -> (Units, Run) {
        // An order that is not reached yet is for one lot, so that it is filled when the peer's was.
        let mut units = Units::new();
        for step in self.peer.steps.values().flatten() {
            if let What::Order(order) = step.what {
                let (Size::BuyingPower(x) | Size::Shares(x)) = order.size else { continue };
                units.insert(step.seq, Some(settings.lot.copysign(x)));
            }
        }
        let mut known: BTreeSet<usize> = BTreeSet::new();
        let mut run = replay(self.panel, settings, self.peer, &units);
        for _ in 0..=units.len() {
            let until = self.first_difference(&run).unwrap_or(usize::MAX);
            let mut added = false;
            for (order, fill) in &run.fills {
                let bar = fill.bar as usize - self.panel.start;
                let Some(seq) = order.filter(|&seq| bar <= until && !known.contains(&seq) && self.is_entry(seq)) else {
                    continue;
                };
                units.insert(seq, self.their_units(&run, bar, seq));
                added = true;
            }
            known.extend(
                run.fills
                    .iter()
                    .filter(|(_, fill)| fill.bar as usize - self.panel.start <= until)
                    .filter_map(|(order, _)| *order),
            );
            if !added {
                break;
            }
            run = replay(self.panel, settings, self.peer, &units);
        }
        units.retain(|seq, _| known.contains(seq));
        (units, run)
    }

    fn is_entry(&self, seq: usize) -> bool {
        let mut steps = self.peer.steps.values().flatten();
        steps.any(|step| step.seq == seq && matches!(step.what, What::Order(_)))
    }

    /// Units that the peer filled at a bar for an order that fills there here: entries of one side are paired in turn.
    fn their_units(&self, run: &Run, bar: usize, seq: usize) -> Option<f64> {
        let mut turns: Vec<(usize, bool)> = Vec::new();
        for (order, fill) in run.fills.iter().filter(|(_, fill)| fill.bar as usize - self.panel.start == bar) {
            if let Some(order) = order.filter(|&order| self.is_entry(order) && turns.iter().all(|turn| turn.0 != order))
            {
                turns.push((order, fill.quantity > 0.0));
            }
        }
        let buys = turns.iter().find(|turn| turn.0 == seq)?.1;
        let place = turns.iter().filter(|turn| turn.1 == buys).position(|turn| turn.0 == seq)?;
        let mut groups: Vec<f64> = Vec::new();
        let mut last: Option<&Stored> = None;
        for stored in self.peer.fills.iter().filter(|stored| stored.entry.bar == bar) {
            let kind = |stored: &Stored| stored.kind.replace("opposite_", "");
            if !(stored.opens || stored.kind.contains("opposite_")) || (stored.entry.quantity > 0.0) != buys {
                last = None;
                continue;
            }
            // An order closes each trade once, the oldest first, and its own trade is the last that it makes.
            let goes_on = last
                .is_some_and(|last| !last.opens && last.entry.key != stored.entry.key && kind(last) == kind(stored));
            match groups.last_mut().filter(|_| goes_on) {
                Some(group) => *group += stored.entry.quantity,
                None => groups.push(stored.entry.quantity),
            }
            last = Some(stored);
        }
        groups.get(place).copied()
    }
}
