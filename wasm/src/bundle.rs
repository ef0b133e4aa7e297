//! Bundles: built in, from bytes, read range by range, or made of other people's files.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use js_sys::{Array, Function, Promise};
use sandtable_core::bundle::ingest::{DateFormat, Duplicates, IngestOptions, Ingested as Outcome, Input, ingest};
use sandtable_core::bundle::manifest::{MANIFEST_FILE, SymbolEntry};
use sandtable_core::bundle::read::{ByteRange, Reader, Selection, Step};
use sandtable_core::bundle::{self, Action, BundleDraft, Manifest, synth, write};
use sandtable_core::calendar::format_date;
use sandtable_core::plan::BundleFacts;
use sandtable_core::run::{Evaluator, Exploration, View, Walking};
use sandtable_core::{Error, Result as CoreResult};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use crate::caches::caches;
use crate::convert::{bytes_of, files_of, from_js, named, study_text, text_of, to_js};
use crate::error::{OrThrow, Result, to_js_error};
use crate::plan::Plan;
use crate::run::Run;
use crate::types::{self, BundleInfo, DefectInfo, FileInfo, LoadInfo, SymbolInfo};
use crate::walk::Walk;

/// Slices of a bundle that are kept; the one used longest ago goes first.
const SLICES: usize = 4;

/// Bars of some symbols, whole in memory or read slice by slice.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Bundle {
    inner: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    facts: BundleFacts,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Memory { bundle: Arc<bundle::Bundle>, source: String, licence: String, actions: Vec<Action> },
    Ranges { manifest: Arc<Manifest>, read: Function, slices: RefCell<Vec<Slice>> },
}

/// What of a bundle is in memory.
#[derive(Clone, Debug)]
struct Slice {
    selection: Selection,
    bundle: Arc<bundle::Bundle>,
}

#[wasm_bindgen]
impl Bundle {
    /// One of `catalog().bundles`.
    ///
    /// # Errors
    /// There is no such bundle.
    #[wasm_bindgen(js_name = builtIn)]
    pub fn built_in(#[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue) -> Result<Bundle> {
        Ok(Bundle::of(synth::built_in(&text_of(name, "the name of the bundle")?).or_throw()?))
    }

    /// A bundle from all files of its folder.
    ///
    /// # Errors
    /// A file is missing or damaged.
    #[wasm_bindgen(js_name = fromFiles)]
    pub fn from_files(#[wasm_bindgen(unchecked_param_type = "NamedBytes[]")] files: JsValue) -> Result<Bundle> {
        let files: Vec<(String, Bytes)> =
            files_of(&files)?.into_iter().map(|(name, bytes)| (name, Bytes::from(bytes))).collect();
        Bundle::whole(&files).or_throw()
    }

    /// A bundle of which only the manifest is at hand; the rest is asked for by [`Bundle::load`], as ranges of bytes.
    ///
    /// # Errors
    /// The manifest is damaged.
    pub fn open(
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] manifest: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "RangeReader")] read: Function,
    ) -> Result<Bundle> {
        let manifest = Manifest::parse(&bytes_of(manifest, MANIFEST_FILE)?).or_throw()?;
        let version = manifest.version.clone();
        let manifest = View::from(&*caches()).manifest(&version, || Ok(manifest)).or_throw()?;
        let source = Source::Ranges { manifest: manifest.clone(), read, slices: RefCell::default() };
        Ok(Bundle { inner: Rc::new(Inner { facts: BundleFacts::from(&*manifest), source }) })
    }

    /// A bundle from other people's CSV (also gzip) or Parquet files, and the defects found in them.
    ///
    /// # Errors
    /// The options are not valid, or the files are not an array of `{ name, bytes }`. Data that are refused are no error
    /// here: see [`Ingested`].
    pub fn ingest(
        #[wasm_bindgen(unchecked_param_type = "NamedBytes[]")] files: JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "IngestOptions")] options: JsValue,
    ) -> Result<Ingested> {
        let options = ingest_options(options)?;
        let inputs: Vec<Input> =
            files_of(&files)?.into_iter().map(|(name, bytes)| Input { name, bytes: Bytes::from(bytes) }).collect();
        match ingest(&inputs, &options) {
            Ok(outcome) => Ok(Ingested { outcome }),
            Err(error) => Err(to_js_error(&error)),
        }
    }

    /// What the bundle holds.
    ///
    /// # Errors
    /// None that a caller can cause.
    #[wasm_bindgen(unchecked_return_type = "BundleInfo")]
    pub fn info(&self) -> Result<JsValue> {
        let facts = &self.inner.facts;
        let (prices, source, licence, symbols, files) = match &self.inner.source {
            Source::Memory { bundle, source, licence, .. } => {
                let entries = bundle.symbols.iter().zip(&bundle.bars).map(|(name, bars)| SymbolEntry::of(name, bars));
                (bundle.prices, source, licence, entries.map(|entry| symbol_info(&entry)).collect(), Vec::new())
            }
            Source::Ranges { manifest, .. } => {
                let symbols = manifest.symbols.iter().map(symbol_info).collect();
                let file = |entry: &bundle::manifest::FileEntry| FileInfo {
                    name: entry.name.clone(),
                    bytes: entry.bytes as f64,
                    blake3: entry.blake3.clone(),
                };
                let files = manifest.files.iter().map(file).collect();
                (manifest.prices, &manifest.source, &manifest.licence, symbols, files)
            }
        };
        let symbols: Vec<SymbolInfo> = symbols;
        to_js(&BundleInfo {
            name: facts.name.clone(),
            version: facts.version.clone(),
            frequency: facts.frequency.name().to_owned(),
            calendar: facts.calendar.name().to_owned(),
            prices: prices.name().to_owned(),
            benchmark: facts.benchmark.clone(),
            source: source.clone(),
            licence: licence.clone(),
            rows: symbols.iter().map(|symbol| symbol.rows).sum(),
            symbols,
            files,
        })
    }

    /// Holds a study (its text, TOML or JSON, or its object form) against the bundle.
    ///
    /// # Errors
    /// What is wrong with the study or its strategy, with its place.
    pub fn plan(&self, #[wasm_bindgen(unchecked_param_type = "Study | string")] study: JsValue) -> Result<Plan> {
        let text = study_text(&study)?;
        let plan = sandtable_core::plan::Plan::from_study(&text, "study", &self.inner.facts).or_throw()?;
        Ok(Plan { inner: Arc::new(plan) })
    }

    /// Brings what a plan reads into memory: just the row groups of its symbols and dates, and none that is there.
    ///
    /// # Errors
    /// The promise is rejected when the callback fails or its bytes are damaged.
    #[wasm_bindgen(unchecked_return_type = "Promise<LoadInfo>")]
    pub fn load(&self, plan: &Plan) -> Promise {
        let (inner, plan) = (self.inner.clone(), plan.inner.clone());
        future_to_promise(async move { to_js(&load(&inner, &plan).await?) })
    }

    /// Starts the evaluation of a plan; nothing is evaluated yet.
    ///
    /// # Errors
    /// The plan belongs to another bundle, its bars are not loaded, or it has more trials than are explored in memory.
    pub fn run(&self, plan: &Plan) -> Result<Run> {
        Ok(Run::of(Exploration::new(self.evaluator(plan)?).or_throw()?))
    }

    /// Starts the walk over a plan's folds; nothing is evaluated yet.
    ///
    /// # Errors
    /// As `run`, and the folds do not fit into the plan's sessions.
    pub fn walk(&self, plan: &Plan) -> Result<Walk> {
        Ok(Walk::of(Walking::new(self.evaluator(plan)?).or_throw()?))
    }

    /// The files of a bundle folder that holds this bundle.
    ///
    /// # Errors
    /// The bundle is not whole in memory.
    #[wasm_bindgen(unchecked_return_type = "NamedBytes[]")]
    pub fn encode(&self) -> Result<JsValue> {
        let Source::Memory { bundle, source, licence, actions } = &self.inner.source else {
            return Err(to_js_error(&Error::unsupported("a bundle that is read by ranges is not written again")));
        };
        let draft = BundleDraft::of(bundle, source, licence, actions);
        to_js(&named(write::encode(&draft).or_throw()?))
    }
}

impl Bundle {
    /// Joins a plan with the bars that it reads.
    fn evaluator(&self, plan: &Plan) -> Result<Evaluator> {
        let plan = plan.inner.clone();
        if plan.bundle().version != self.inner.facts.version {
            return Err(to_js_error(&Error::plan("the plan was made for another bundle").help("make it with `plan`")));
        }
        let Some(bundle) = self.inner.loaded(&plan.selection()) else {
            return Err(to_js_error(&Error::plan("the bars of the plan are not loaded").help("await `load` first")));
        };
        Evaluator::cached(plan, &bundle, &*caches()).or_throw()
    }

    fn of(draft: BundleDraft) -> Bundle {
        let (source, licence, actions) = (draft.source.clone(), draft.licence.clone(), draft.actions.clone());
        let bundle = Arc::new(draft.into_bundle());
        let facts = BundleFacts::from(&*bundle);
        Bundle { inner: Rc::new(Inner { facts, source: Source::Memory { bundle, source, licence, actions } }) }
    }

    fn whole(files: &[(String, Bytes)]) -> CoreResult<Bundle> {
        let file = |name: &str| {
            // Dropped folders give names with the folder before them.
            let found = files.iter().find(|(known, _)| known == name || known.ends_with(&format!("/{name}")));
            found.map(|(_, bytes)| bytes).ok_or_else(|| Error::data("the bundle lacks this file").in_file(name))
        };
        let mut reader = Reader::new(file(MANIFEST_FILE)?, Selection::all())?;
        loop {
            match reader.step()? {
                Step::Need(ranges) => {
                    for range in ranges {
                        let bytes = file(&range.file)?;
                        let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(bytes.len());
                        let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
                        reader.give(&range.file, range.start, bytes.slice(start..end))?;
                    }
                }
                Step::Ready(bundle) => {
                    let (manifest, actions) = (reader.manifest(), reader.actions().to_vec());
                    let (source, licence) = (manifest.source.clone(), manifest.licence.clone());
                    let facts = BundleFacts::from(manifest);
                    let source = Source::Memory { bundle: Arc::new(bundle), source, licence, actions };
                    return Ok(Bundle { inner: Rc::new(Inner { facts, source }) });
                }
            }
        }
    }
}

impl Inner {
    /// A bundle in memory that holds the selection.
    fn loaded(&self, selection: &Selection) -> Option<Arc<bundle::Bundle>> {
        match &self.source {
            Source::Memory { bundle, .. } => Some(bundle.clone()),
            Source::Ranges { slices, .. } => {
                let mut slices = slices.borrow_mut();
                let place = slices.iter().position(|slice| slice.selection.covers(selection))?;
                let slice = slices.remove(place);
                slices.push(slice.clone());
                Some(slice.bundle)
            }
        }
    }
}

async fn load(inner: &Inner, plan: &sandtable_core::plan::Plan) -> Result<LoadInfo> {
    let selection = plan.selection();
    if let Some(bundle) = inner.loaded(&selection) {
        return Ok(LoadInfo { bytes_read: 0.0, rows: bundle.rows() as f64 });
    }
    let Source::Ranges { manifest, read, slices } = &inner.source else {
        return Err(to_js_error(&Error::plan("the bundle is in memory and lacks what the plan reads")));
    };
    let mut reader = Reader::with_manifest(Manifest::clone(manifest), selection.clone()).or_throw()?;
    let mut bytes_read = 0.0;
    loop {
        match reader.step().or_throw()? {
            Step::Need(ranges) => {
                for (range, bytes) in ranges.iter().zip(ask(read, &ranges).await?) {
                    bytes_read += bytes.len() as f64;
                    reader.give(&range.file, range.start, Bytes::from(bytes)).or_throw()?;
                }
            }
            Step::Ready(bundle) => {
                let bundle = Arc::new(bundle);
                let rows = bundle.rows() as f64;
                let mut slices = slices.borrow_mut();
                if slices.len() >= SLICES {
                    slices.remove(0);
                }
                slices.push(Slice { selection, bundle });
                return Ok(LoadInfo { bytes_read, rows });
            }
        }
    }
}

/// The bytes of each range, from the callback.
async fn ask(read: &Function, ranges: &[ByteRange]) -> Result<Vec<Vec<u8>>> {
    let wanted: Vec<types::ByteRange> = ranges
        .iter()
        .map(|range| types::ByteRange { file: range.file.clone(), start: range.start as f64, end: range.end as f64 })
        .collect();
    let answer = read.call1(&JsValue::UNDEFINED, &to_js(&wanted)?)?;
    let answer = match answer.dyn_into::<Promise>() {
        Ok(promise) => JsFuture::from(promise).await?,
        Err(value) => value,
    };
    let refused = |what: String| to_js_error(&Error::data(what));
    let list: Array = answer.dyn_into().map_err(|_| refused("the range reader gave no array of bytes".to_owned()))?;
    if list.length() as usize != ranges.len() {
        return Err(refused(format!("the range reader gave {} answers to {} ranges", list.length(), ranges.len())));
    }
    list.iter().zip(ranges).map(|(bytes, range)| bytes_of(&bytes, &range.file)).collect()
}

fn symbol_info(entry: &SymbolEntry) -> SymbolInfo {
    SymbolInfo {
        symbol: entry.symbol.clone(),
        first: format_date(entry.first),
        last: format_date(entry.last),
        rows: entry.rows as f64,
    }
}

fn ingest_options(options: JsValue) -> Result<IngestOptions> {
    let given: types::IngestOptions = if options.is_undefined() || options.is_null() {
        types::IngestOptions::default()
    } else {
        from_js(options, "the options of `ingest` are not valid")?
    };
    let fault = |message: String, help: &str| to_js_error(&Error::plan(message).help(help));
    let date_format = match &given.date_format {
        None => None,
        Some(name) => Some(DateFormat::from_name(name).ok_or_else(|| {
            fault(format!("the date format {name} is unknown"), "one of iso, yyyymmdd, mdy, dmy, d.m.y, unix")
        })?),
    };
    let duplicates = match given.duplicates.as_deref() {
        None | Some("refuse") => Duplicates::Refuse,
        Some("first") => Duplicates::First,
        Some("last") => Duplicates::Last,
        Some(other) => {
            return Err(fault(format!("`duplicates` is unknown: {other}"), "one of refuse, first, last"));
        }
    };
    let default = IngestOptions::default();
    Ok(IngestOptions {
        name: given.name.unwrap_or(default.name),
        strict: given.strict,
        map: given.map.into_iter().collect(),
        date_format,
        symbol: given.symbol,
        duplicates,
        // A browser's memory holds a file and what becomes of it.
        limit: 256 << 20,
        ..IngestOptions::default()
    })
}

/// What became of other people's files: a bundle or the sentence that refuses them, and every defect.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Ingested {
    outcome: Outcome,
}

#[wasm_bindgen]
impl Ingested {
    /// The bundle.
    ///
    /// # Errors
    /// Why the data are refused.
    pub fn bundle(&self) -> Result<Bundle> {
        match &self.outcome.outcome {
            Ok(draft) => Ok(Bundle::of(draft.clone())),
            Err(error) => Err(to_js_error(error)),
        }
    }

    /// The defects, by file, symbol and kind.
    ///
    /// # Errors
    /// None that a caller can cause.
    #[wasm_bindgen(unchecked_return_type = "DefectInfo[]")]
    pub fn defects(&self) -> Result<JsValue> {
        let defects: Vec<DefectInfo> = self
            .outcome
            .report
            .groups()
            .into_iter()
            .map(|group| DefectInfo {
                file: group.first.file,
                symbol: group.first.symbol,
                kind: group.first.kind.name().to_owned(),
                meaning: group.first.kind.meaning().to_owned(),
                line: group.first.line,
                date: group.first.date,
                column: group.first.column,
                found: group.first.found,
                done: group.first.done.name().to_owned(),
                count: group.count as f64,
            })
            .collect();
        to_js(&defects)
    }

    /// Number of defects that are more than a note.
    #[wasm_bindgen(getter)]
    pub fn count(&self) -> f64 {
        self.outcome.report.count() as f64
    }

    /// The whole list as CSV; undefined if there is nothing but notes.
    #[wasm_bindgen(getter)]
    pub fn csv(&self) -> Option<String> {
        self.outcome.report.to_csv()
    }
}
