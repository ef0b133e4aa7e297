//! A strategy's rules at one point of the parameter space, ready to be asked.

use crate::cache::Column;
use crate::context::{self, Context, Panel, PositionState, Prepared, Rule};
use crate::strategy::{Entry, LevelIn, NodeId, Period, PriceLevel, Rebalance, Rules, SizeIn, Strategy};

/// When a target weight is acted upon.
#[derive(Clone, Debug)]
pub enum When {
    /// When it differs from the one last acted upon.
    OnChange,
    /// At every bar.
    EveryBar,
    /// At bars where this rule is true.
    True(Rule),
}

/// The rules of one trial.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one value a trial, on the stack: a box would be an allocation a trial")]
pub enum Decisions {
    /// A weight of equity per symbol.
    Target {
        /// The weight; undefined means no change.
        weight: Rule,
        /// When it is acted upon.
        when: When,
    },
    /// Entries and exits per symbol.
    Signals {
        /// Open a long position.
        enter_long: Option<Rule>,
        /// Close a long position.
        exit_long: Option<Rule>,
        /// Open a short position.
        enter_short: Option<Rule>,
        /// Close a short position.
        exit_short: Option<Rule>,
        /// Size of an entry.
        size: Rule,
        /// Unit of the size.
        size_in: SizeIn,
        /// Prices and exits of entries; `None` for plain market orders.
        entry: Option<Box<EntryRules>>,
    },
}

/// A price level of one trial.
#[derive(Clone, Debug)]
pub struct LevelRule {
    /// The value.
    pub value: Rule,
    /// How it is meant.
    pub unit: LevelIn,
}

/// Prices and exits of the entries of one trial.
#[derive(Clone, Debug, Default)]
pub struct EntryRules {
    /// Limit price.
    pub limit: Option<LevelRule>,
    /// Stop price.
    pub stop: Option<LevelRule>,
    /// Bars for which an entry with a price waits.
    pub bars: u32,
    /// Most entries on one side at a time.
    pub most: usize,
    /// Stop-loss.
    pub stop_loss: Option<LevelRule>,
    /// Take-profit.
    pub take_profit: Option<LevelRule>,
    /// Trailing stop.
    pub trailing_stop: Option<LevelRule>,
    /// Profit at which the stop-loss moves to the entry.
    pub break_even: Option<LevelRule>,
    /// Bars after which the position is closed.
    pub time_stop: Option<u32>,
}

impl EntryRules {
    fn bind(entry: &Entry, mut rule: impl FnMut(NodeId) -> Rule) -> Option<Box<EntryRules>> {
        if *entry == Entry::default() {
            return None;
        }
        let mut count = |node: Option<NodeId>| {
            let value = node.map(|node| rule(node).at(0, &PositionState::FLAT))?;
            // A count below 1, or none at all, is the least that makes sense.
            Some(if value >= 1.0 { value.min(f64::from(u32::MAX)) as u32 } else { 1 })
        };
        let (bars, most, time_stop) = (count(entry.bars), count(entry.most), count(entry.time_stop));
        let mut level = |level: Option<PriceLevel>| level.map(|l| LevelRule { value: rule(l.value), unit: l.unit });
        Some(Box::new(EntryRules {
            limit: level(entry.limit),
            stop: level(entry.stop),
            bars: bars.unwrap_or(1),
            most: most.unwrap_or(1) as usize,
            stop_loss: level(entry.stop_loss),
            take_profit: level(entry.take_profit),
            trailing_stop: level(entry.trailing_stop),
            break_even: level(entry.break_even),
            time_stop,
        }))
    }

    fn map(self, mut change: impl FnMut(Rule) -> Rule) -> EntryRules {
        let mut level = |level: Option<LevelRule>| level.map(|l| LevelRule { value: change(l.value), unit: l.unit });
        EntryRules {
            limit: level(self.limit),
            stop: level(self.stop),
            stop_loss: level(self.stop_loss),
            take_profit: level(self.take_profit),
            trailing_stop: level(self.trailing_stop),
            break_even: level(self.break_even),
            ..self
        }
    }

    fn into_rules(self) -> impl Iterator<Item = Rule> {
        let levels = [self.limit, self.stop, self.stop_loss, self.take_profit, self.trailing_stop, self.break_even];
        levels.into_iter().flatten().map(|level| level.value)
    }
}

impl Decisions {
    /// Binds the rules of `strategy` to `point`.
    pub fn bind(
        context: &Context,
        strategy: &Strategy,
        point: &[f64],
        prepared: &Prepared,
        workspace: &mut context::Workspace,
    ) -> Decisions {
        let mut rule = |root: NodeId| context.rule(strategy, root, point, prepared, workspace);
        match &strategy.rules {
            Rules::Target { weight, rebalance } => Decisions::Target {
                weight: rule(*weight),
                when: match rebalance {
                    Rebalance::OnChange => When::OnChange,
                    Rebalance::EveryBar => When::EveryBar,
                    Rebalance::Weekly => When::True(shared(context.period_starts(Period::Weekly))),
                    Rebalance::Monthly => When::True(shared(context.period_starts(Period::Monthly))),
                    Rebalance::When(condition) => When::True(rule(*condition)),
                },
            },
            Rules::Signals { enter_long, exit_long, enter_short, exit_short, size, size_in, entry } => {
                Decisions::Signals {
                    entry: EntryRules::bind(entry, &mut rule),
                    enter_long: enter_long.map(&mut rule),
                    exit_long: exit_long.map(&mut rule),
                    enter_short: enter_short.map(&mut rule),
                    exit_short: exit_short.map(&mut rule),
                    size: match size {
                        Some(size) => rule(*size),
                        None => Rule::Scalar(1.0 / context.panel.symbols.len() as f64),
                    },
                    size_in: *size_in,
                }
            }
        }
    }

    /// The same rules told one bar later (see [`Rule::one_bar_later`]): every order that they would place at a bar is placed
    /// at the next bar of its symbol, and so fills a bar later than it would have. Counts of bars stay as they are.
    #[must_use]
    pub fn one_bar_later(self, panel: &Panel) -> Decisions {
        let later = |rule: Rule| rule.one_bar_later(&panel.spans);
        match self {
            Decisions::Target { weight, when } => Decisions::Target {
                weight: later(weight),
                when: match when {
                    When::True(rule) => When::True(later(rule)),
                    When::OnChange | When::EveryBar => when,
                },
            },
            Decisions::Signals { enter_long, exit_long, enter_short, exit_short, size, size_in, entry } => {
                Decisions::Signals {
                    enter_long: enter_long.map(later),
                    exit_long: exit_long.map(later),
                    enter_short: enter_short.map(later),
                    exit_short: exit_short.map(later),
                    size: later(size),
                    size_in,
                    entry: entry.map(|entry| Box::new(entry.map(later))),
                }
            }
        }
    }

    /// Gives the trial's own columns back for the next trial.
    pub fn recycle(self, workspace: &mut context::Workspace) {
        match self {
            Decisions::Target { weight, when } => {
                workspace.recycle(weight);
                if let When::True(rule) = when {
                    workspace.recycle(rule);
                }
            }
            Decisions::Signals { enter_long, exit_long, enter_short, exit_short, size, entry, .. } => {
                let rules = [enter_long, exit_long, enter_short, exit_short, Some(size)].into_iter().flatten();
                let levels = entry.into_iter().flat_map(|entry| entry.into_rules());
                rules.chain(levels).for_each(|rule| workspace.recycle(rule));
            }
        }
    }
}

fn shared(column: Column) -> Rule {
    Rule::Shared(column)
}
