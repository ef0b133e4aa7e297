//! The report of a study: everything that its folder says of one of its trials, as one page or as files.
//!
//! Given a study folder read back, this chooses the trial, evaluates it once more and gives blocks for a
//! [document](crate::view::document) or tables for files. It never writes, and never searches: what the folder lacks is
//! named in a sentence that says how to get it.

mod account;
mod chapter;
mod figures;
mod files;
mod landscape;
mod record;
mod search;
mod trades;
mod verdict;

use std::path::{Path, PathBuf};

use sandtable_core::calendar::format_date;
use sandtable_core::run::Detail;
use sandtable_core::{Error, Result};
use serde_json::Value;

use crate::reopen::{Reopened, Trial};
use crate::report;
use crate::study::{self, read_json};
use crate::view::document::{Block, html};

pub use account::rolling_sharpe;
pub use figures::{drawdowns, months_block};

/// A serialised judgement of the search.
pub const JUDGEMENT: &str = "judgement.json";
/// What was made of its folds.
pub const FOLDS: &str = "folds.json";
/// What was asked of one trial: other courses, noise, costs, delays.
pub const JUDGED: &str = "judge.json";

/// A study with the trial that its report is about.
#[derive(Debug)]
pub struct Tearsheet {
    /// The study.
    study: Reopened,
    /// Where it is.
    dir: PathBuf,
    /// The trial.
    trial: Trial,
    /// Its place among the best, from 1, if it is one of the first.
    rank: Option<usize>,
    /// All of it.
    detail: Detail,
    /// Return of each of its sessions.
    returns: Vec<f64>,
    record: Value,
    judgement: Option<Value>,
    folds: Option<Value>,
    judged: Option<Value>,
}

/// Best trials that are listed.
const LISTED: usize = 10;

impl Tearsheet {
    /// The report of a study about the trial with this index, or about its best; `folds` is the folder of a walk-forward.
    ///
    /// # Errors
    /// The study has no such trial or no trial with a score, or a file of it is damaged.
    pub fn of(dir: &Path, study: Reopened, index: Option<u64>, folds: Option<&Path>) -> Result<Tearsheet> {
        let best = study.best(LISTED);
        let trial = match index {
            Some(index) => study.trial(index)?,
            None => best.first().cloned().ok_or_else(|| {
                Error::data(format!("no trial of `{}` has a score, so that there is none to report", dir.display()))
                    .help("name one with --trial, or go on with the search")
            })?,
        };
        let part = |name: &str| dir.join(name).exists().then(|| read_json(&dir.join(name))).transpose();
        let detail = study.evaluator.detail(&trial.point);
        Ok(Tearsheet {
            dir: dir.to_owned(),
            rank: best.iter().position(|other| other.index == trial.index).map(|place| place + 1),
            returns: detail.session_returns(study.evaluator.plan.settings().capital),
            record: read_json(&dir.join(study::RECORD))?,
            judgement: part(JUDGEMENT)?,
            folds: match folds {
                Some(walk) => Some(read_json(&walk.join(FOLDS))?),
                None => part(FOLDS)?,
            },
            judged: part(JUDGED)?,
            trial,
            detail,
            study,
        })
    }

    /// The trial that it is about.
    pub fn trial(&self) -> &Trial {
        &self.trial
    }

    /// The trial in full.
    pub fn detail(&self) -> &Detail {
        &self.detail
    }

    /// Parts that the folder does not have, by the names of their files.
    pub fn missing(&self) -> Vec<&'static str> {
        let parts = [(JUDGEMENT, &self.judgement), (FOLDS, &self.folds), (JUDGED, &self.judged)];
        parts.into_iter().filter(|(_, part)| part.is_none()).map(|(name, _)| name).collect()
    }

    /// The page.
    ///
    /// # Errors
    /// A picture cannot be drawn.
    pub fn page(&self) -> Result<String> {
        Ok(html::page(&self.title(), &self.blocks()?))
    }

    fn title(&self) -> String {
        format!("Report: {}", self.study.evaluator.plan.name())
    }

    /// The report from its verdict to its record.
    ///
    /// # Errors
    /// A picture cannot be drawn.
    fn blocks(&self) -> Result<Vec<Block>> {
        let mut blocks = vec![Block::Text(self.sentence())];
        blocks.extend(verdict::blocks(self)?);
        blocks.extend(account::blocks(self)?);
        blocks.extend(trades::blocks(self));
        blocks.extend(search::blocks(self)?);
        blocks.extend(landscape::blocks(self)?);
        blocks.extend(chapter::folds(self)?);
        blocks.extend(chapter::judged(self)?);
        blocks.extend(record::blocks(self));
        Ok(blocks)
    }

    /// What the report is about.
    fn sentence(&self) -> String {
        let plan = &self.study.evaluator.plan;
        let symbols = &self.study.evaluator.context.panel.symbols;
        let named = match symbols.as_slice() {
            few if few.len() <= 8 => few.join(", "),
            many => format!("{} symbols", many.len()),
        };
        let which = match self.rank {
            Some(1) => "the best",
            Some(_) | None => "one",
        };
        format!(
            "Trial {} ({}), {which} of {} by {}; {named}, {} to {}.",
            self.trial.index,
            report::parameters(plan, &self.trial.point),
            self.study.results.len(),
            plan.scoring().texts().collect::<Vec<_>>().join(", "),
            format_date(plan.start()),
            format_date(plan.end()),
        )
    }
}
