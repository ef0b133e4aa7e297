//! Side by side with another program: the same prices, the same strategy under the other's conventions.
//!
//! Results are compared first, trial by trial; what disagrees for another reason than an exact tie is not timed. Then
//! both run in turn, each in fresh processes, and a table and a JSON file hold what they took.

mod parity;
mod report;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use clap::ValueEnum;
use sandtable::study::{json_text, write_whole};
use sandtable_core::bundle::Bundle;
use sandtable_core::{Error, Result};
use serde_json::{Value, json};

use super::machine;
use super::repeats::{Case, Runs, process};
use crate::workload::{Shape, Workload, named};

/// A program to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rival {
    /// vectorbt: arrays of all trials at once.
    Vectorbt,
    /// backtesting.py: one symbol, one backtest at a time.
    Backtesting,
}

/// A workload as both programs run it.
#[derive(Clone, Debug)]
struct Match {
    name: &'static str,
    /// Which part of the workload it is, for people.
    part: &'static str,
    /// FIRST:LAST:STEP.
    fast: &'static str,
    slow: &'static str,
    /// Pairs of one call, where the other program takes several: as many as it is fastest with.
    chunk: &'static str,
}

/// Commission as a part of the value traded.
const FEES: f64 = 0.001;
/// Initial cash. Large enough that whole units, which backtesting.py trades in, are small change.
const CASH: f64 = 10_000_000.0;

impl Rival {
    /// Name of the option.
    fn name(self) -> &'static str {
        match self {
            Rival::Vectorbt => "vectorbt",
            Rival::Backtesting => "backtesting",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Rival::Vectorbt => "vectorbt_grid.py",
            Rival::Backtesting => "backtesting_grid.py",
        }
    }

    fn matches(self) -> [Match; 2] {
        match self {
            Rival::Vectorbt => [
                Match {
                    name: "W1",
                    part: "all of it: 400 pairs, 8 symbols",
                    fast: "5:100:5",
                    slow: "22:212:10",
                    chunk: "20",
                },
                Match {
                    name: "W5",
                    part: "100 of its 10,000 pairs: every 11th period, as all of them would take 16 GB an array",
                    fast: "5:104:11",
                    slow: "110:605:55",
                    chunk: "2",
                },
            ],
            Rival::Backtesting => [
                Match {
                    name: "W1",
                    part: "25 of its pairs on one of its symbols",
                    fast: "5:85:20",
                    slow: "22:182:40",
                    chunk: "1",
                },
                Match { name: "W5", part: "9 of its pairs", fast: "20:80:30", slow: "500:600:50", chunk: "1" },
            ],
        }
    }
}

/// All of the account but the last bit, backtesting.py's default size.
const WHOLE: f64 = 1.0 - f64::EPSILON;

/// A workload under a rival's conventions.
///
/// # Errors
/// The two are not compared on this workload.
pub fn workload(rival: Rival, name: &str) -> Result<Workload> {
    let Some(pairs) = rival.matches().into_iter().find(|pairs| pairs.name == name) else {
        return Err(Error::plan(format!("{name} is not compared with {}", rival.name())).help("choose W1 or W5"));
    };
    let mut workload = named(name)?;
    let mut settings: Vec<(&'static str, String)> = vec![
        ("warmup", "none".into()),
        ("capital", CASH.to_string()),
        ("costs.bps", (FEES * 1e4).to_string()),
        ("costs.slippage_bps", "0".into()),
        ("space.fast", pairs.fast.into()),
        ("space.slow", pairs.slow.into()),
    ];
    match rival {
        // No order comes near the least size that the other program drops.
        Rival::Vectorbt => settings.extend([
            ("preset", "vectorbt".to_string()),
            ("sequence", "by_value".into()),
            ("min_order", "0".into()),
        ]),
        Rival::Backtesting => {
            settings.extend([("preset", "backtesting.py".to_string()), ("close_at_end", "true".into())]);
            if name == "W1" {
                settings.push(("symbols", "ALFA".into()));
            }
            workload.strategy = crossing();
        }
    }
    workload.shape = Shape::Grid;
    Ok(workload.with(&settings))
}

/// Buys where the averages cross, with all cash.
fn crossing() -> String {
    let period = "{ type = \"int\", min = 1, max = 1000 }";
    format!(
        "name = \"crossing\"\n[params]\nfast = {period}\nslow = {period}\n\
         [columns]\na = \"sma(close, fast)\"\nb = \"sma(close, slow)\"\n\
         [rules]\nenter_long = \"a[1] < b[1] and a > b\"\nexit_long = \"a[1] > b[1] and a < b\"\nsize = \"{WHOLE}\"\n"
    )
}

/// Compares, measures `rounds` times and reports. `only` names a workload; the JSON goes to `into`, or else into the
/// scratch folder.
///
/// # Errors
/// The other program cannot be installed or run.
pub fn side_by_side(
    rival: Rival,
    only: Option<&str>,
    rounds: usize,
    scratch: &Path,
    into: Option<&Path>,
) -> Result<ExitCode> {
    if let Some(name) = only {
        workload(rival, name)?;
    }
    let place = Place { rival, python: install(scratch)?, scratch };
    let (mut parts, mut agreed) = (Vec::new(), true);
    for pairs in rival.matches().into_iter().filter(|pairs| only.is_none_or(|name| name == pairs.name)) {
        let part = place.compare(&pairs, rounds)?;
        agreed &= part["parity"]["agrees"] == true;
        println!("{}", report::text(&part));
        parts.push(part);
    }
    let path = into.map_or_else(|| scratch.join(format!("{}.json", rival.name())), Path::to_path_buf);
    let json = json!({
        "date": machine::date(),
        "machine": machine::machine(),
        "commit": machine::commit(),
        "command": machine::command(),
        "rival": rival.name(),
        "rounds": rounds,
        "parts": parts,
    });
    write_whole(&path, json_text(&json).as_bytes())?;
    println!("raw figures: {}", path.display());
    Ok(if agreed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Folder of the scripts.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rivals")
}

/// The rival's interpreter, in an environment of its own.
fn install(scratch: &Path) -> Result<PathBuf> {
    let failed = |why: String| {
        Error::machine(format!("the rivals' environment could not be made: {why}"))
            .help("python3 with its venv module and a package index are needed; see tests/BENCHMARKS.md")
    };
    let output = Command::new("bash")
        .arg(scripts().join("setup"))
        .arg(scratch)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().last() {
        Some(python) if output.status.success() => Ok(PathBuf::from(python)),
        _ => Err(failed(format!("the script ended with {}", output.status))),
    }
}

/// Where a comparison happens.
struct Place<'a> {
    rival: Rival,
    python: PathBuf,
    scratch: &'a Path,
}

impl Place<'_> {
    fn file(&self, pairs: &Match, what: &str) -> PathBuf {
        self.scratch.join(format!("{}-{}-{what}.csv", self.rival.name(), pairs.name))
    }

    fn compare(&self, pairs: &Match, rounds: usize) -> Result<Value> {
        let ours = workload(self.rival, pairs.name)?;
        let data = self.file(pairs, "bars");
        write_whole(&data, &bars(&ours.data.bundle())?)?;
        let (own, other) = (self.file(pairs, "sandtable"), self.file(pairs, self.rival.name()));
        let mut case = self.case(pairs, 1);
        case.more.extend(["--results".into(), own.display().to_string(), "--check".into()]);
        let checked = process(&case)?;
        let out = other.display().to_string();
        let engines: &[&str] = if self.rival == Rival::Vectorbt { &["numba", "rust"] } else { &["Python"] };
        // The first process of an engine may compile its kernels for all later ones; it also decides the fastest one.
        let mut first = Vec::new();
        for engine in engines {
            eprintln!("{} {}, {engine}: comparing results", self.rival.name(), pairs.name);
            first.push((*engine, self.theirs(pairs, engine, &["--out", &out, "--ties", "--warm", "1"])?));
        }
        let parity = parity::compare(&own, &other)?;
        let mut part = json!({
            "workload": pairs.name,
            "part": pairs.part,
            "checked_against_reference": checked["checked"],
            "parity": parity.json(),
            "first": first.iter().map(|(_, figures)| figures.clone()).collect::<Vec<Value>>(),
        });
        if parity.agrees() {
            let quickest =
                first.iter().min_by(|a, b| warm(&a.1).total_cmp(&warm(&b.1))).map_or("numba", |(name, _)| name);
            self.time(pairs, quickest, rounds, &mut part)?;
        }
        Ok(part)
    }

    fn case(&self, pairs: &Match, threads: usize) -> Case {
        let mut case = Case::new(pairs.name, threads);
        case.more.extend(["--again", "--conventions", self.rival.name()].map(str::to_owned));
        case
    }

    /// In turn: this program on one thread and on two, the other one.
    fn time(&self, pairs: &Match, engine: &str, rounds: usize, part: &mut Value) -> Result<()> {
        let mut own = [1, 2].map(|threads| Runs { case: self.case(pairs, threads), runs: Vec::new() });
        let mut theirs = Vec::new();
        for round in 0..rounds.max(1) {
            for runs in &mut own {
                let figures = process(&runs.case)?;
                runs.runs.push(figures);
            }
            eprintln!("{} {}, {engine}: round {} of {rounds}", self.rival.name(), pairs.name, round + 1);
            theirs.push(self.theirs(pairs, engine, &["--warm", "1"])?);
        }
        part["ours"] = own.iter().map(Runs::json).collect();
        part["theirs"] = Runs { case: Case::new(pairs.name, 0), runs: theirs }.json();
        Ok(())
    }

    /// One process of the rival; `process_s` is from its start to its end, without its further runs.
    fn theirs(&self, pairs: &Match, engine: &str, more: &[&str]) -> Result<Value> {
        let began = Instant::now();
        let output = Command::new(&self.python)
            .arg(scripts().join(self.rival.script()))
            .args(["--fast", pairs.fast, "--slow", pairs.slow, "--chunk", pairs.chunk, "--engine", engine])
            .args(["--fees".to_owned(), FEES.to_string(), "--cash".into(), CASH.to_string(), "--data".into()])
            .arg(self.file(pairs, "bars"))
            .args(more)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Error::machine(format!("{} did not start: {error}", self.rival.name())))?;
        let seconds = began.elapsed().as_secs_f64();
        let text = String::from_utf8_lossy(&output.stdout);
        let figures = text.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
        let Some(mut figures) = figures.filter(|_| output.status.success()) else {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let last: Vec<&str> = said.trim().lines().rev().take(3).collect();
            return Err(Error::machine(format!("{} failed: {}", self.rival.name(), last.join(" / "))));
        };
        figures["process_s"] = json!(seconds - warm(&figures));
        Ok(figures)
    }
}

fn warm(figures: &Value) -> f64 {
    figures["warm_s"].as_f64().unwrap_or(0.0)
}

/// All bars as CSV: time in microseconds, symbol, prices in full precision.
fn bars(bundle: &Bundle) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| Error::machine(format!("the bars could not be written: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(["time", "symbol", "open", "high", "low", "close", "volume"])
        .map_err(|error| failed(&error))?;
    for (symbol, bars) in bundle.symbols.iter().zip(&bundle.bars) {
        for row in 0..bars.len() {
            let prices = [bars.open[row], bars.high[row], bars.low[row], bars.close[row], bars.volume[row]];
            let fields = [bars.time[row].to_string(), symbol.clone()].into_iter().chain(prices.map(|x| x.to_string()));
            writer.write_record(fields).map_err(|error| failed(&error))?;
        }
    }
    writer.into_inner().map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn both_conventions_are_plans() {
        for rival in [Rival::Vectorbt, Rival::Backtesting] {
            for pairs in rival.matches() {
                let mut ours = workload(rival, pairs.name).unwrap();
                if pairs.name == "W5" {
                    ours = ours.with_bars(3000).unwrap();
                }
                let run = ours.evaluator(&ours.data.bundle(), &[], &crate::workload::history()).unwrap();
                let sizes = [("W1", Rival::Vectorbt, 400), ("W5", Rival::Vectorbt, 100)];
                let known = sizes.iter().find(|(name, other, _)| (*name, *other) == (pairs.name, rival));
                let size = known.map_or(if pairs.name == "W1" { 25 } else { 9 }, |(_, _, size)| *size);
                assert_eq!(run.plan.space().size(), size);
            }
        }
        assert!(workload(Rival::Vectorbt, "W2").is_err());
    }
}
