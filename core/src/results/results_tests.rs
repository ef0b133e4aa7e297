#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::metrics;
use crate::plan::Direction;
use crate::results::columns::MetricColumn;
use crate::results::{Aggregate, heatmap, top_rows};
use crate::rng::Stream;

fn schema() -> Arc<Schema> {
    let kinds = [("fast", ParamKind::Int), ("sharpe", ParamKind::Float), ("flip", ParamKind::Bool)];
    Arc::new(Schema::new("0123", kinds))
}

fn rows(n: u64) -> Results {
    rows_of(schema(), n)
}

fn rows_of(schema: Arc<Schema>, n: u64) -> Results {
    let mut random = Stream::new(1, [0, 0]);
    let mut results = Results::new(schema.clone());
    for i in 0..n {
        let mut number = || if random.below(5) == 0 { f64::NAN } else { random.uniform() };
        let metrics: Vec<f64> = schema.metrics.iter().map(|_| number()).collect();
        results.push(TrialRow {
            index: i * 3,
            params: &[(i % 7) as f64 * 5.0, (i % 11) as f64 / 10.0, (i % 2) as f64],
            metrics: &metrics,
            budget: 1.0,
            bars_read: 40_987,
            status: if i % 13 == 12 { Status::Failed } else { Status::Ok },
        });
    }
    results
}

fn encode(results: &Results, batches: impl Iterator<Item = usize>) -> Vec<u8> {
    let mut sink = ParquetSink::new(Vec::new(), results.schema().clone()).unwrap();
    let mut from = 0;
    for size in batches {
        let mut batch = Results::new(results.schema().clone());
        batch.append(results, from..from.saturating_add(size)).unwrap();
        sink.append(&batch).unwrap();
        from += size;
        if from >= results.len() {
            break;
        }
    }
    sink.finish().unwrap()
}

fn same(a: &Results, b: &Results) -> bool {
    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
    a.schema() == b.schema()
        && a.index() == b.index()
        && a.status() == b.status()
        && a.bars_read() == b.bars_read()
        && (0..3).all(|i| bits(a.param(i)) == bits(b.param(i)))
        && (0..metrics::TABLE.len()).all(|i| bits(a.metric(i)) == bits(b.metric(i)))
}

#[test]
fn the_same_rows_are_the_same_bytes_however_they_come() {
    let results = rows(2 * ROWS_PER_GROUP as u64 + 1234);
    let whole = encode(&results, std::iter::once(results.len()));
    let mut random = Stream::new(2, [0, 0]);
    let pieces = encode(&results, std::iter::repeat_with(|| 1 + random.below(5000) as usize));
    assert!(whole == pieces, "bytes differ");
    assert!(whole == encode(&results, std::iter::repeat(256)), "bytes differ");
    let reader = Reader::open(Bytes::from(whole.clone())).unwrap();
    assert_eq!(reader.rows(), results.len() as u64);
    assert!(same(&decode(Bytes::from(whole)).unwrap(), &results));
}

/// The hash of one small file, written down: it may change only on purpose, as a new format.
#[test]
fn the_bytes_are_the_same_on_every_machine() {
    let metric = |name: &str| MetricColumn { name: name.into(), unit: "ratio".into() };
    let few = Schema { engine_format: 1, metrics: vec![metric("sharpe"), metric("cagr")], ..(*schema()).clone() };
    let bytes = encode(&rows_of(Arc::new(few), 100), std::iter::repeat(7));
    assert_eq!(
        blake3::hash(&bytes).to_hex().as_str(),
        "584e1661d3ade5bb91fa75461e51083b64bb6cba55a28d261cefb76bfa210bbd"
    );
}

#[test]
fn no_rows_are_a_file_too() {
    let empty = Results::new(schema());
    let bytes = encode(&empty, std::iter::once(0));
    assert!(decode(Bytes::from(bytes)).unwrap().is_empty());
}

#[test]
fn a_name_that_a_metric_has_gets_another_column() {
    let schema = schema();
    let columns: Vec<&str> = schema.params.iter().map(|param| param.column.as_str()).collect();
    assert_eq!(columns, ["fast", "param.sharpe", "flip"]);
    let arrow = schema.arrow();
    let mut names: Vec<&String> = arrow.fields().iter().map(|field| field.name()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), arrow.fields().len());
}

#[test]
fn a_batch_has_the_types_of_its_columns() {
    let batch = rows(30).record_batch().unwrap();
    let column = |name: &str| batch.column_by_name(name).unwrap();
    assert_eq!(column("fast").data_type(), &DataType::Int64);
    assert_eq!(column("flip").data_type(), &DataType::Boolean);
    assert_eq!(column("index").data_type(), &DataType::UInt64);
    assert!(column("sharpe").null_count() > 2, "NaN and failed trials are null");
    assert_eq!(column("status").null_count(), 0);
}

#[test]
fn damaged_files_are_errors() {
    let bytes = encode(&rows(50), std::iter::once(50));
    let mut random = Stream::new(3, [0, 0]);
    for trial in 0..2000 {
        let mut damaged = bytes.clone();
        let mut draw = |n: usize| random.below(n as u64) as usize;
        for _ in 0..=draw(4) {
            let at = draw(damaged.len());
            damaged[at] = damaged[at].wrapping_add(1 + draw(255) as u8);
        }
        if trial % 5 == 0 {
            damaged.truncate(draw(bytes.len()));
        }
        assert!(damaged == bytes || decode(Bytes::from(damaged)).is_err());
    }
    let told = |bytes: &'static [u8]| decode(Bytes::from_static(bytes)).unwrap_err().to_string();
    assert!(told(b"PAR1").starts_with("not a readable results file: it is incomplete, or another program wrote it"));
    assert!(told(b"").contains("incomplete"));
}

#[test]
fn results_of_other_columns_do_not_mix() {
    let other = Results::new(Arc::new(Schema::new("9999", [("fast", ParamKind::Int)])));
    let mut sink = ParquetSink::new(Vec::new(), other.schema().clone()).unwrap();
    assert!(sink.append(&rows(1)).is_err());
    assert!(rows(1).append(&other, 0..0).is_err());
}

#[test]
fn the_best_rows_leave_failures_for_last() {
    let results = rows(40);
    let sharpe = results.schema().metric("sharpe").unwrap();
    let best = top_rows(&results, sharpe, 40, Direction::Max);
    let scores: Vec<f64> = best.iter().map(|&row| results.metric(sharpe)[row]).collect();
    let numbers = scores.iter().take_while(|score| !score.is_nan()).count();
    assert!(scores[..numbers].windows(2).all(|pair| pair[0] >= pair[1]));
    assert!(numbers > 20 && scores[numbers..].iter().all(|score| score.is_nan()));
    assert!(best[numbers..].is_sorted());
}

#[test]
fn a_heatmap_folds_the_other_parameters() {
    let mut results = Results::new(schema());
    let cells = [(1.0, 10.0, 1.0), (1.0, 10.0, 4.0), (1.0, 10.0, 10.0), (-2.0, 10.0, f64::NAN), (-2.0, 20.0, 7.0)];
    for (index, (x, y, value)) in (0u64..).zip(cells) {
        let metrics = vec![value; metrics::TABLE.len()];
        results.push(TrialRow {
            index,
            params: &[x, y, 0.0],
            metrics: &metrics,
            budget: 1.0,
            bars_read: 0,
            status: Status::Ok,
        });
    }
    for (aggregate, folded) in [
        (Aggregate::Best(Direction::Max), 10.0),
        (Aggregate::Best(Direction::Min), 1.0),
        (Aggregate::Mean, 5.0),
        (Aggregate::Median, 4.0),
    ] {
        let map = heatmap(&results, "fast", "sharpe", "cagr", aggregate).unwrap();
        assert_eq!((&map.x_values, &map.y_values), (&vec![-2.0, 1.0], &vec![10.0, 20.0]));
        assert_eq!((map.cell(1, 0), map.cell(0, 1)), (folded, 7.0));
        assert!(map.cell(0, 0).is_nan() && map.cell(1, 1).is_nan() && map.cell(2, 0).is_nan());
    }
    let wrong =
        |x: &str, y: &str, metric: &str| heatmap(&results, x, y, metric, Aggregate::Mean).unwrap_err().to_string();
    assert_eq!(wrong("fats", "flip", "cagr"), "the results have no parameter `fats`\n  help: did you mean `fast`?");
    assert_eq!(wrong("fast", "fast", "cagr"), "a heatmap needs two different parameters, found `fast` twice");
    assert_eq!(wrong("fast", "flip", "cagar"), "the results have no metric `cagar`\n  help: did you mean `cagr`?");
}
