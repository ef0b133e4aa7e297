//! `sandtable studies`: which study folders there are, and how far they are.

use std::path::PathBuf;

use clap::Args;
use sandtable_core::{Result, metrics};
use serde_json::{Value, json};

use crate::print;
use crate::study::summary::{self, Standing, Summary};
use crate::view::{number, table};

/// Arguments of `sandtable studies`.
#[derive(Args, Debug)]
pub struct StudiesArgs {
    /// The folder whose study folders are listed, or a study folder.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
}

/// Lists the study folders.
///
/// # Errors
/// The folder cannot be listed.
pub fn run(args: &StudiesArgs, as_json: bool) -> Result<()> {
    let studies = summary::in_folder(&args.dir)?;
    let list: Vec<Value> = studies.iter().map(json_of).collect();
    print::either(as_json, &json!(list), || text(args, &studies))
}

fn text(args: &StudiesArgs, studies: &[Summary]) -> String {
    if studies.is_empty() {
        return format!("`{}` holds no study folder\n", args.dir.display());
    }
    let heading = ["study", "plan", "method", "trials", "objective", "best", "state", "last change (UTC)", "size"];
    let mut out = table::plain(&heading, studies.iter().map(row), &[0, 1, 2, 4, 6]);
    for study in studies {
        if let Some(damage) = &study.damage {
            out += &format!("\n{}: {damage}\n", name(study));
        }
    }
    if studies.iter().any(|study| study.standing == Standing::Interrupted) {
        out += "\ninterrupted studies go on with the command that started them\n";
    }
    out
}

fn row(study: &Summary) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("–").to_owned();
    let metric = word(&study.plan["objective"]["metric"]);
    let unit = metrics::index_of(&metric).map_or(metrics::Unit::Ratio, |m| metrics::TABLE[m].unit);
    vec![
        name(study),
        word(&study.plan["id"]).chars().take(12).collect(),
        word(&study.plan["search"]["method"]),
        study.total.map_or_else(|| study.done.to_string(), |total| format!("{}/{total}", study.done)),
        metric,
        number::metric(study.best.unwrap_or(f64::NAN), unit),
        study.standing.name().to_owned(),
        study.changed.map_or_else(|| "–".into(), time),
        size(study.bytes),
    ]
}

fn name(study: &Summary) -> String {
    let last = study.path.file_name().map(|name| name.to_string_lossy().into_owned());
    last.unwrap_or_else(|| study.path.display().to_string())
}

/// `2026-01-31 15:30`.
fn time(seconds: u64) -> String {
    let days = i32::try_from(seconds / 86_400).unwrap_or(i32::MAX);
    let rest = seconds % 86_400;
    format!("{} {:02}:{:02}", sandtable_core::calendar::format_date(days), rest / 3600, rest / 60 % 60)
}

/// Bytes in three digits with a decimal unit.
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{} {unit}", number::short(value)) };
        }
        value /= 1000.0;
    }
    format!("{} TB", number::short(value))
}

fn json_of(study: &Summary) -> Value {
    json!({
        "folder": study.path,
        "name": study.plan["name"],
        "run_id": study.plan["id"],
        "engine_format": study.plan["engine_format"],
        "method": study.plan["search"]["method"],
        "trials": study.done,
        "planned_trials": study.total,
        "objective": study.plan["objective"],
        "best": study.best,
        "state": study.standing.name(),
        "damage": study.damage,
        "changed_unix": study.changed,
        "bytes": study.bytes,
    })
}
