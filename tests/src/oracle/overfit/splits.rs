//! Index ranges: combinatorial purged cross-validation and walk-forward of four libraries.

use std::ops::Range;

use sandtable_core::folds::{Fold, Folds, Gap, Length, Remainder, Scheme, Walk};
use serde_json::Value;

use super::super::CaseResult;
use super::{Case, Source, count, list, text};

pub(super) fn run(source: &Source) -> Result<Vec<CaseResult>, String> {
    let json = source.json("splits")?;
    let combinatorial = list(&json, "/combinatorial")?.iter().map(combinatorial);
    let walk = list(&json, "/walk_forward")?.iter().map(walk_forward);
    combinatorial.chain(walk).collect()
}

/// Ranges as the files have them: first and last index of each, neighbours joined.
type Runs = Vec<[usize; 2]>;

fn runs(ranges: &[Range<usize>]) -> Runs {
    let mut runs: Runs = Vec::new();
    for range in ranges {
        match runs.last_mut() {
            Some(last) if last[1] + 1 == range.start => last[1] = range.end - 1,
            _ => runs.push([range.start, range.end - 1]),
        }
    }
    runs
}

/// A stored list of `[first, last]`; lists of lists are joined.
fn stored_runs(value: &Value) -> Runs {
    let Some(all) = value.as_array() else { return Vec::new() };
    let pair = |value: &Value| Some([value[0].as_u64()? as usize, value[1].as_u64()? as usize]);
    let flat: Runs = all.iter().flat_map(|one| pair(one).map_or_else(|| stored_runs(one), |pair| vec![pair])).collect();
    runs(&flat.iter().map(|run| run[0]..run[1] + 1).collect::<Vec<_>>())
}

/// Days as dates.
fn dates(sessions: usize) -> Vec<i32> {
    (18_262..).take(sessions).collect()
}

fn make(scheme: &Scheme, sessions: usize) -> Result<Folds, String> {
    Folds::new(scheme, &dates(sessions)).map_err(|error| error.to_string())
}

fn combinatorial(stored: &Value) -> Result<CaseResult, String> {
    let lib = text(stored, "lib")?;
    let sessions = count(stored, "n_samples")?;
    let either = |a: &str, b: &str| count(stored, a).or_else(|_| count(stored, b));
    let blocks = either("n_folds", "n_splits")?;
    let test_blocks = either("n_test_folds", "n_test_groups").or_else(|_| count(stored, "n_test_splits"))?;
    let purge = either("purged_size", "purge_days")?;
    let embargo = either("embargo_size", "embargo_observations").or_else(|_| count(stored, "embargo_days"))?;
    let (gap, remainder) = match lib.split(' ').next() {
        Some("skfolio") => (Gap::new(purge, embargo), Remainder::Last),
        Some("timeseriescv") => (Gap::new(purge, embargo), Remainder::Spread),
        // Labels reach over `purge` days and the same again is purged before a test, of which they share one; the embargo
        // counts from the end of the block and swallows the purge.
        _ => (Gap { before: (2 * purge).saturating_sub(1), after: purge.max(embargo) }, Remainder::Spread),
    };
    let mut made = make(&Scheme::Combinatorial { blocks, test_blocks, gap, remainder }, sessions)?;
    let mut case = Case::default();
    let splits = list(stored, "/splits")?;
    case.same("number of splits", &made.folds.len(), &splits.len());
    if lib.starts_with("skfolio") {
        compare_paths(&mut case, &made, stored)?;
    }
    if lib.starts_with("timeseriescv") {
        made.folds.reverse();
    }
    for (ours, theirs) in made.folds.iter().zip(splits) {
        let place = format!("test {:?}", runs(&ours.test));
        case.same(&place, &runs(&ours.test), &stored_runs(&theirs["test"]));
        let (train, stored_train) = (runs(&ours.train), stored_runs(&theirs["train"]));
        match lib.starts_with("timeseriescv").then(|| causes(ours, &stored_train, gap)).flatten() {
            Some(causes) => {
                case.compared += 1;
                case.causes.extend(causes.iter().map(|cause| (*cause).to_owned()));
            }
            None => case.same(&format!("training of {place}"), &train, &stored_train),
        }
    }
    case.causes.sort();
    case.causes.dedup();
    let name = format!("splits {blocks} choose {test_blocks} of {sessions}, purge {purge}, embargo {embargo}");
    Ok(case.done(lib.split(' ').next().unwrap_or(lib), name))
}

/// Why the peer's training differs, if each session that differs has a known cause; no causes if none differs.
fn causes(ours: &Fold, theirs: &Runs, gap: Gap) -> Option<Vec<&'static str>> {
    let holds = |runs: &Runs, session: usize| runs.iter().any(|run| (run[0]..=run[1]).contains(&session));
    let (train, test) = (runs(&ours.train), runs(&ours.test));
    let (first, last) = (test.first()?, test.last()?);
    let inner = &test[..test.len() - 1];
    let end = train.iter().chain(theirs).map(|run| run[1]).max()?;
    let mut found = Vec::new();
    for session in (0..=end).filter(|&session| holds(&train, session) != holds(theirs, session)) {
        if holds(theirs, session) && inner.iter().any(|run| session > run[1] && session <= run[1] + gap.after) {
            found.push("the peer trains right after test blocks that are not the last, inside purge and embargo");
        } else if holds(&train, session) && session > first[1] && session < last[0] {
            found.push("the peer leaves out training between two test blocks");
        } else {
            return None;
        }
    }
    Some(found)
}

/// Which path each test block of a split belongs to.
fn compare_paths(case: &mut Case, made: &Folds, stored: &Value) -> Result<(), String> {
    case.same("number of paths", &made.paths.len(), &count(stored, "n_test_paths")?);
    for (fold, theirs) in list(stored, "/path_ids")?.iter().enumerate() {
        let path_of = |range: &Range<usize>| {
            let tests = |path: &Vec<sandtable_core::folds::Stretch>| {
                path.iter().any(|stretch| stretch.fold == fold && stretch.sessions == *range)
            };
            made.paths.iter().position(tests).map(|path| path as u64)
        };
        let ours: Vec<Option<u64>> = made.folds.get(fold).map_or(Vec::new(), |f| f.test.iter().map(path_of).collect());
        let theirs: Vec<Option<u64>> =
            theirs.as_array().map_or(Vec::new(), |ids| ids.iter().map(Value::as_u64).collect());
        case.same(&format!("paths of split {fold}"), &ours, &theirs);
    }
    Ok(())
}

fn walk_forward(stored: &Value) -> Result<CaseResult, String> {
    let lib = text(stored, "lib")?.split(' ').next().unwrap_or("");
    let sessions = count(stored, "n_samples")?;
    let splits = list(stored, "/splits")?;
    let walk = match lib {
        "skfolio" => Walk {
            train: Length::Sessions(count(stored, "train_size")?),
            test: Length::Sessions(count(stored, "test_size")?),
            gap: count(stored, "purged_size")?,
            anchored: stored["expand_train"] == true,
            from_end: false,
        },
        // The others test the latest sessions; training that grows may begin with any number of sessions.
        _ => {
            let train = count(stored, "max_train_size").or_else(|_| count(stored, "train_size")).ok();
            let parts = splits.len() + 1;
            Walk {
                train: Length::Sessions(train.unwrap_or(1)),
                test: Length::Sessions(count(stored, "test_size").unwrap_or(sessions / parts)),
                gap: count(stored, "gap").unwrap_or(0),
                anchored: train.is_none(),
                from_end: true,
            }
        }
    };
    let made = make(&Scheme::WalkForward(walk), sessions)?;
    let mut case = Case::default();
    // Where a peer is told how many splits it makes, they are the latest ones.
    let skip = if walk.from_end { made.folds.len().saturating_sub(splits.len()) } else { 0 };
    case.same("number of splits", &(made.folds.len() - skip), &splits.len());
    for (ours, theirs) in made.folds[skip..].iter().zip(splits) {
        case.same("test", &runs(&ours.test), &stored_runs(&theirs["test"]));
        case.same("training", &runs(&ours.train), &stored_runs(&theirs["train"]));
    }
    let kind = if walk.anchored { "anchored" } else { "rolling" };
    let (Length::Sessions(train), Length::Sessions(test)) = (walk.train, walk.test) else {
        return Err("a walk of the file is not in sessions".into());
    };
    let name = format!("splits {kind} walk {train} + {test} of {sessions}, gap {}", walk.gap);
    Ok(case.done(lib, name))
}
