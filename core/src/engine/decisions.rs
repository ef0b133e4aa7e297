//! A strategy's rules at one point of the parameter space, ready to be asked.

use crate::cache::Column;
use crate::context::{self, Context, Prepared, Rule};
use crate::strategy::{NodeId, Period, Rebalance, Rules, SizeIn, Strategy};

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
    },
}

impl Decisions {
    /// The expressions that a strategy's rules consist of.
    pub fn roots(strategy: &Strategy) -> Vec<NodeId> {
        match &strategy.rules {
            Rules::Target { weight, rebalance } => {
                let condition = if let Rebalance::When(condition) = rebalance { Some(*condition) } else { None };
                std::iter::once(*weight).chain(condition).collect()
            }
            Rules::Signals { enter_long, exit_long, enter_short, exit_short, size, .. } => {
                [enter_long, exit_long, enter_short, exit_short, size].into_iter().flatten().copied().collect()
            }
        }
    }

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
            Rules::Signals { enter_long, exit_long, enter_short, exit_short, size, size_in } => Decisions::Signals {
                enter_long: enter_long.map(&mut rule),
                exit_long: exit_long.map(&mut rule),
                enter_short: enter_short.map(&mut rule),
                exit_short: exit_short.map(&mut rule),
                size: match size {
                    Some(size) => rule(*size),
                    None => Rule::Scalar(1.0 / context.panel.symbols.len() as f64),
                },
                size_in: *size_in,
            },
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
            Decisions::Signals { enter_long, exit_long, enter_short, exit_short, size, .. } => {
                [enter_long, exit_long, enter_short, exit_short, Some(size)]
                    .into_iter()
                    .flatten()
                    .for_each(|rule| workspace.recycle(rule));
            }
        }
    }
}

fn shared(column: Column) -> Rule {
    Rule::Shared(column)
}
