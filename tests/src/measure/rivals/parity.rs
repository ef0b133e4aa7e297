//! Whether two tables of trials say the same.

use std::collections::BTreeMap;
use std::path::Path;

use sandtable_core::{Error, Result};
use serde_json::{Value, json};

/// Largest difference of a return or an equity that counts as none, as a part of the value.
const TOLERANCE: f64 = 1e-9;

/// A trial that the two programs disagree about.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its parameters.
    pub point: Vec<f64>,
    /// What differs, ours and theirs.
    pub what: String,
    /// Bars on which its averages are equal in exact arithmetic, so that the last bit of a running sum decides.
    pub ties: f64,
}

/// What a comparison came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parity {
    /// Trials compared.
    pub trials: usize,
    /// Those that differ.
    pub different: Vec<Difference>,
    /// Largest relative difference of the others.
    pub largest: f64,
}

impl Parity {
    /// Whether there are trials, most of them agree, and those that differ have exact ties.
    pub fn agrees(&self) -> bool {
        self.trials > 0
            && self.different.len() * 2 < self.trials
            && self.different.iter().all(|difference| difference.ties > 0.0)
    }

    /// All of it.
    pub fn json(&self) -> Value {
        let one = |difference: &Difference| json!({"point": difference.point, "what": difference.what, "exact_ties": difference.ties});
        json!({
            "agrees": self.agrees(),
            "trials": self.trials,
            "equal": self.trials - self.different.len(),
            "largest_relative_difference": self.largest,
            "different": self.different.iter().map(one).collect::<Vec<_>>(),
        })
    }
}

type Row = BTreeMap<String, f64>;

/// Compares return, final equity and the number of fills of every trial of ours with theirs.
///
/// # Errors
/// A table cannot be read, or the two hold other trials.
pub fn compare(ours: &Path, theirs: &Path) -> Result<Parity> {
    let (ours, theirs) = (read(ours)?, read(theirs)?);
    let key = |row: &Row| [row["p0"].to_bits(), row["p1"].to_bits()];
    let known: BTreeMap<[u64; 2], &Row> = theirs.iter().map(|row| (key(row), row)).collect();
    if known.len() != ours.len() || ours.iter().any(|row| !known.contains_key(&key(row))) {
        return Err(Error::data(format!("{} trials here, {} other ones there", ours.len(), known.len())));
    }
    let mut parity = Parity { trials: ours.len(), ..Parity::default() };
    for row in &ours {
        let Some(other) = known.get(&key(row)) else { continue };
        let off = relative(row["final_equity"], other["final_equity"]);
        // A return is a difference of two amounts of money: it is held against the capital.
        let of_return = (row["total_return"] - other["total_return"]).abs();
        let off = off.max(of_return);
        if off <= TOLERANCE && row["fills"] == other["orders"] {
            parity.largest = parity.largest.max(off);
            continue;
        }
        let (a, b) = (row["final_equity"], other["final_equity"]);
        let what = format!("equity {a} and {b}, fills {} and {}", row["fills"], other["orders"]);
        parity.different.push(Difference { point: vec![row["p0"], row["p1"]], what, ties: other["ties"] });
    }
    Ok(parity)
}

fn relative(a: f64, b: f64) -> f64 {
    let off = (a - b).abs() / a.abs().max(b.abs()).max(1e-300);
    if off.is_nan() { f64::INFINITY } else { off }
}

const COLUMNS: [&str; 4] = ["p0", "p1", "total_return", "final_equity"];

fn read(path: &Path) -> Result<Vec<Row>> {
    let failed = |why: &dyn std::fmt::Display| Error::data(format!("`{}`: {why}", path.display()));
    let mut reader = csv::Reader::from_path(path).map_err(|error| failed(&error))?;
    let rows: std::result::Result<Vec<Row>, csv::Error> = reader.deserialize().collect();
    let rows = rows.map_err(|error| failed(&error))?;
    let count = |row: &Row| row.contains_key("fills") || row.contains_key("orders") && row.contains_key("ties");
    if rows.iter().any(|row| COLUMNS.iter().any(|name| !row.contains_key(*name)) || !count(row)) {
        return Err(failed(&"a column of parameters, return, equity or counts is missing"));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    fn parity(ours: &str, theirs: &str) -> Result<Parity> {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
        std::fs::write(&a, format!("p0,p1,total_return,final_equity,fills,trades\n{ours}")).unwrap();
        std::fs::write(&b, format!("p0,p1,total_return,final_equity,orders,trades,ties\n{theirs}")).unwrap();
        compare(&a, &b)
    }

    #[test]
    fn equal_tables_agree_in_any_order() {
        let found = parity(
            "5,20,0.5,150,4,2\n10,20,0,100,0,0\n",
            "10.0,20.0,0.0,100.0,0.0,0.0,0\n5,20,0.5,150.00000000001,4,2,0\n",
        );
        let found = found.unwrap();
        assert!(found.agrees() && found.largest > 0.0 && found.different.is_empty());
    }

    #[test]
    fn differences_need_an_exact_tie() {
        let ours = "5,20,0.5,150,4,2\n10,20,0,100,0,0\n15,20,0,100,0,0\n";
        let theirs = |ties: u8| format!("10,20,0,100,0,0,0\n15,20,0,100,0,0,0\n5,20,0.5,150,6,3,{ties}\n");
        assert!(!parity(ours, &theirs(0)).unwrap().agrees());
        let tied = parity(ours, &theirs(1)).unwrap();
        assert!(tied.agrees());
        assert_eq!(tied.json()["equal"], 2);
    }

    #[test]
    fn other_trials_are_refused() {
        assert!(parity("5,20,0.5,150,4,2\n", "5,25,0.5,150,4,2,0\n").is_err());
        assert!(parity("5,20,0.5,150,4,2\n", "").is_err());
        assert!(!parity("", "").unwrap().agrees());
        assert!(!parity("5,20,NaN,NaN,4,2\n", "5,20,NaN,NaN,4,2,0\n").unwrap().agrees());
    }
}
