//! The report of an audit: first as blocks, then as Markdown, as a page, or as a table for the terminal.

mod sentences;

use sandtable_core::{Result, calendar::format_date};
use serde_json::Value;

use super::comparison::{LEAST_IMPROVEMENT, SIGNIFICANCE};
use super::plots::{Bars, Scale, Times};
use super::statistics::Mean;
use super::sweep::Sweep;
use super::variant::{Layer, Variant};
use super::{Audit, Section};

use crate::view::document::{Block, Plot, Tone, html, markdown};
use crate::view::table;
use sentences::{break_even, gain_of, verdict_word};
pub use sentences::{conclusion, mean_time, p_value, percent, time, title};

/// A report as blocks, with its pictures.
#[derive(Clone, Debug)]
pub struct Report {
    /// Title of the document.
    pub title: String,
    blocks: Vec<Block>,
}

impl Report {
    /// The report of an audit. `earlier` are the summaries of audits before it in the same folder, `flame_graphs` the
    /// files of its flame graphs with their captions.
    ///
    /// # Errors
    /// A picture cannot be drawn.
    pub fn of(audit: &Audit, earlier: &[Value], flame_graphs: &[(String, String)]) -> Result<Report> {
        let mut blocks = vec![
            Block::Judgement(if audit.accepted() { Tone::Yes } else { Tone::No }, audit.conclusion()),
            data(audit),
        ];
        for section in &audit.sections {
            blocks.extend(comparison(section)?);
        }
        if let Some(sweep) = &audit.sweep {
            blocks.extend(scale(sweep)?);
        }
        if !flame_graphs.is_empty() {
            blocks.push(Block::Heading("Flame graphs".into()));
            blocks.push(Block::Links(flame_graphs.to_vec()));
        }
        blocks.extend(method(audit));
        blocks.extend(kept(earlier));
        Ok(Report { title: format!("Audit: {}", audit.request.kind.replace('-', " ")), blocks })
    }

    /// Pictures by name, as SVG.
    pub fn plots(&self) -> impl Iterator<Item = (&str, &str)> {
        self.blocks.iter().flat_map(Block::plots).map(|plot| (plot.name.as_str(), plot.svg.as_str()))
    }

    /// The report as a page that needs nothing else; flame graphs are links beside it.
    pub fn page(&self) -> String {
        html::page(&self.title, &self.blocks)
    }

    /// The report as Markdown; `plots` is the folder of its pictures, relative to it.
    pub fn markdown(&self, plots: &str) -> String {
        markdown::text(&self.title, &self.blocks, plots)
    }
}

fn data(audit: &Audit) -> Block {
    let data = &audit.request.data;
    let symbols = match data.symbols.as_slice() {
        few if few.len() <= 8 => few.join(", "),
        many => format!("{}, … ({} symbols)", many[..8].join(", "), many.len()),
    };
    Block::Table {
        heading: vec!["what".into(), "value".into()],
        rows: vec![
            vec!["bundle".into(), audit.request.bundle.clone()],
            vec!["symbols".into(), symbols],
            vec!["dates".into(), format!("{} to {}", format_date(data.dates.0), format_date(data.dates.1))],
            vec!["pairs of each variant".into(), audit.request.runs.to_string()],
            vec!["worker threads".into(), audit.threads.to_string()],
            vec!["took".into(), time(audit.seconds)],
        ],
        words: 2,
    }
}

const VERDICTS: [&str; 8] =
    ["variant", "time", "baseline beside it", "saved", "times as fast", "p", "same bits", "verdict"];

fn verdict_rows(section: &Section) -> Vec<Vec<String>> {
    let row = |verdict: &super::Verdict| {
        vec![
            verdict.variant.name(),
            mean_time(&verdict.seconds),
            mean_time(&verdict.baseline),
            format!("{} ± {}", percent(verdict.improvement.mean), percent(verdict.improvement.half_width)),
            crate::view::number::short(verdict.ratio),
            p_value(verdict.p),
            if verdict.identical { "yes" } else { "NO" }.into(),
            verdict_word(verdict),
        ]
    };
    section.verdicts.iter().map(row).collect()
}

fn comparison(section: &Section) -> Result<Vec<Block>> {
    let slug = section.name;
    let mut rows: Vec<(String, Mean)> = section.verdicts.iter().map(|v| (v.variant.name(), v.seconds)).collect();
    if let Some(verdict) = section.decisive() {
        rows.insert(0, (Variant::Baseline.name(), verdict.baseline));
    }
    Ok(vec![
        Block::Heading(format!("{}: {} backtests", title(section.name), section.backtests)),
        Block::Table { heading: VERDICTS.map(str::to_owned).to_vec(), rows: verdict_rows(section), words: 1 },
        Block::Plot(Plot {
            name: format!("{slug}-times"),
            caption: "Time of a run by variant, with 95 % intervals; the axis is logarithmic.".into(),
            svg: Times { rows }.svg()?,
        }),
        Block::Plot(Plot {
            name: format!("{slug}-layers"),
            caption: "How many times as fast each layer makes it; the axis is logarithmic.".into(),
            svg: factors(section).svg()?,
        }),
    ])
}

/// Factors of the layers: alone from their own pairs, beside the others from the means of two comparisons.
fn factors(section: &Section) -> Bars {
    let of = |variant: Variant| section.verdicts.iter().find(|v| v.variant == variant);
    let row = |layer: Layer| {
        let alone = of(Variant::Alone(layer)).map_or(f64::NAN, |v| v.ratio);
        let beside = of(Variant::Without(layer)).zip(of(Variant::All)).map(|(w, all)| all.ratio / w.ratio);
        (layer.name().to_owned(), alone, beside)
    };
    Bars { rows: Layer::ALL.into_iter().map(row).collect() }
}

fn scale(sweep: &Sweep) -> Result<Vec<Block>> {
    let shown = [Variant::Baseline].into_iter().chain(Variant::compared(false));
    let lines = shown.map(|variant| (variant.name(), sweep.means(variant))).collect();
    let cost = |variant: &Variant| {
        let cost = sweep.cost(*variant);
        let part = |of: fn(&super::sweep::Cost) -> [f64; 2]| {
            cost.as_ref().map_or("–".into(), |cost| sentences::time_within(of(cost)[0], of(cost)[1]))
        };
        let set_up = part(|c| [c.set_up, c.set_up_half_width]);
        vec![variant.name(), set_up, part(|c| [c.each, c.each_half_width])]
    };
    let gain = |gain: &super::sweep::LayerGain| {
        let [alone, beside] =
            [gain.alone, gain.beside_others].map(|gain| [gain_of(gain.as_ref()), break_even(gain.as_ref())]);
        [vec![gain.layer.to_owned()], alone.to_vec(), beside.to_vec()].concat()
    };
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let gains = ["layer", "alone: saves", "pays from", "on top of the others: saves", "pays from"];
    Ok(vec![
        Block::Heading(format!("From 1 to 1000 backtests: one year of {}", sweep.symbol)),
        Block::Plot(Plot {
            name: "scale".into(),
            caption: "Time by number of backtests; both axes are logarithmic.".into(),
            svg: Scale { lines }.svg()?,
        }),
        Block::Text(
            "The year and the bars before it that averages start from are a bundle of their own. Each variant's time is a \
             set-up and so much for each backtest, a straight line through all its runs."
                .into(),
        ),
        Block::Table {
            heading: words(&["variant", "set-up", "each backtest"]),
            rows: sweep.variants.iter().map(cost).collect(),
            words: 1,
        },
        Block::Text(
            "What a layer saves is the line through the differences with and without it: before the first backtest, \
             and at each. It pays from the number of backtests where that line is above zero; in brackets where it may \
             be, and where it is beyond doubt, by the 95 % interval."
                .into(),
        ),
        Block::Table { heading: words(&gains), rows: sweep.gains().iter().map(gain).collect(), words: 1 },
    ])
}

fn method(audit: &Audit) -> Vec<Block> {
    let layers = Layer::ALL.map(|layer| vec![layer.name().to_owned(), layer.meaning().to_owned()]);
    let needed = 100.0 * LEAST_IMPROVEMENT;
    let lines = audit.environment.lines().into_iter().map(|(name, value)| vec![name.to_owned(), value]);
    vec![
        Block::Heading("How it was measured".into()),
        Block::Text(
            "The baseline opens the bundle for every backtest, on one thread, by the reference simulator. Opening is \
             inside the clock, hashing the results is not. Every run \
             starts with empty caches. Baseline and variant run one right after the other, the first of them in turn; \
             the first pair of each variant warms up and is not judged. How many times as fast a variant is, is \
             against the baseline's runs in its own pairs."
                .into(),
        ),
        Block::Text(format!(
            "Intervals are 95 % by Student's t. A variant is accepted if it saves at least {needed:.0} % of the baseline's \
             time, p of the one-tailed paired t-test is below {SIGNIFICANCE}, and every run of both gave the same bits. \
             The audit is accepted if all layers together are, on every workload, and no run anywhere gave other bits."
        )),
        Block::Table { heading: vec!["layer".into(), "what it does".into()], rows: layers.to_vec(), words: 2 },
        Block::Heading("Environment".into()),
        Block::Table { heading: vec!["what".into(), "value".into()], rows: lines.collect(), words: 2 },
        Block::Code(audit.request.command.clone()),
    ]
}

fn kept(earlier: &[Value]) -> Vec<Block> {
    if earlier.is_empty() {
        return Vec::new();
    }
    let row = |audit: &Value| {
        let text = |key: &str| audit[key].as_str().unwrap_or("–").to_owned();
        vec![text("id"), text("bundle"), text("conclusion")]
    };
    vec![
        Block::Heading("Earlier audits in this folder".into()),
        Block::Table {
            heading: ["audit", "bundle", "conclusion"].map(str::to_owned).to_vec(),
            rows: earlier.iter().rev().map(row).collect(),
            words: 3,
        },
    ]
}

/// What the terminal shows: a table for each workload and the conclusion.
pub fn terminal(audit: &Audit) -> String {
    let mut out = String::new();
    for section in &audit.sections {
        out += &format!(
            "{}: {} backtests, {} pairs of each variant\n\n",
            title(section.name),
            section.backtests,
            audit.request.runs
        );
        out += &table::plain(&VERDICTS, verdict_rows(section), &[0, 7]);
        out.push('\n');
    }
    if let Some(sweep) = &audit.sweep {
        out += &format!("from 1 to 1000 backtests of one year of {}\n\n", sweep.symbol);
        let rows = sweep.gains().into_iter().map(|gain| {
            let parts = [gain.alone.as_ref(), gain.beside_others.as_ref()];
            [vec![gain.layer.to_owned()], parts.map(break_even).to_vec()].concat()
        });
        out += &table::plain(&["layer", "alone pays from", "beside the others from"], rows, &[0]);
        out.push('\n');
    }
    out + &audit.conclusion() + "\n"
}
