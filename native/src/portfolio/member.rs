//! A trial of a study folder as a member of a portfolio.

use std::path::{Path, PathBuf};

use sandtable_core::{Error, Result};
use serde_json::Value;

use crate::reopen::{Reopened, Trial, reopen};
use crate::report;

/// What was typed: `DIR` for its best trial, `DIR:TRIAL` for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The study folder.
    pub dir: PathBuf,
    /// Index of the trial.
    pub trial: Option<u64>,
}

/// A member.
#[derive(Debug)]
pub struct Member {
    /// The study folder.
    pub dir: PathBuf,
    /// The study.
    pub study: Reopened,
    /// The trial.
    pub trial: Trial,
}

impl Named {
    /// Reads `DIR` or `DIR:TRIAL`. A folder whose own name ends in a colon and digits is a folder.
    pub fn parse(text: &str) -> Named {
        let split = text.rsplit_once(':').filter(|_| !Path::new(text).exists());
        match split.and_then(|(dir, index)| Some((dir, index.parse().ok()?))) {
            Some((dir, index)) => Named { dir: dir.into(), trial: Some(index) },
            None => Named { dir: text.into(), trial: None },
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// It is no study folder, its bundle is not there, or it has no such trial.
    pub fn open(&self, bundle: Option<&str>) -> Result<Member> {
        let study = reopen(&self.dir, bundle)?;
        let trial = match self.trial {
            Some(index) => study.trial(index).map_err(|error| error.in_file(self.dir.display().to_string()))?,
            None => study.best(1).into_iter().next().ok_or_else(|| {
                Error::data("no trial has a score").in_file(self.dir.display().to_string()).help("name one: DIR:TRIAL")
            })?,
        };
        Ok(Member { dir: self.dir.clone(), study, trial })
    }
}

impl Member {
    /// `runs/sma:12`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.dir.display(), self.trial.index)
    }

    /// `fast = 20, slow = 52`.
    pub fn parameters(&self) -> String {
        report::parameters(&self.study.evaluator.plan, &self.trial.point)
    }

    /// Its capital.
    pub fn capital(&self) -> f64 {
        self.study.evaluator.plan.settings().capital
    }

    /// Refuses a member of other bars or under other rules: one account has one of each.
    ///
    /// # Errors
    /// What differs.
    pub fn check_fits(&self, other: &Member) -> Result<()> {
        let (one, two) = (self.study.written(), other.study.written());
        let differs = |what: &str, one: &Value, two: &Value, way_out: &str| {
            Err(Error::plan(format!("`{}` and `{}` differ in {what}: {one} and {two}", self.name(), other.name()))
                .help(way_out))
        };
        let (this, that) = (&one["bundle"]["version"], &two["bundle"]["version"]);
        if this != that {
            return differs("their bundle", this, that, "search both studies on the same bundle");
        }
        for key in ["bars", "adjust"] {
            if one[key] != two[key] {
                return differs(&format!("`{key}`"), &one[key], &two[key], "search both studies with the same");
            }
        }
        let settings = [one, two].map(|plan| flat(&plan["settings"], ""));
        // Capital is scaled.
        let other = settings[0].iter().zip(&settings[1]).find(|(a, b)| a != b && a.0 != "capital");
        match other {
            Some(((key, this), (_, that))) => {
                differs(&format!("`{key}`"), this, that, "one account has one of it: search both studies with the same")
            }
            None => Ok(()),
        }
    }
}

/// Plain values of an object by their path.
fn flat(value: &Value, path: &str) -> Vec<(String, Value)> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(name, value)| {
                flat(value, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") })
            })
            .collect(),
        other => vec![(path.to_owned(), other.clone())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_by_folder_and_trial() {
        let named = |dir: &str, trial| Named { dir: dir.into(), trial };
        assert_eq!(Named::parse("runs/a:12"), named("runs/a", Some(12)));
        assert_eq!(Named::parse("runs/a"), named("runs/a", None));
        assert_eq!(Named::parse("C:x"), named("C:x", None));
        assert_eq!(Named::parse("a:b:3"), named("a:b", Some(3)));
    }
}
