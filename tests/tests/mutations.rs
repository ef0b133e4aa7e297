//! Ten thousand damaged inputs: every one is read or refused with a sentence; none panics or asks for unbounded memory.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use bytes::Bytes;
use sandtable_core::Result;
use sandtable_core::bundle::{BundleDraft, read, synth, write};
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::rng::Stream;
use sandtable_core::strategy::{Strategy, gallery};

/// A small change somewhere: a byte, a cut, a repeated or a moved piece.
fn mutate(random: &mut Stream, bytes: &mut Vec<u8>) {
    for _ in 0..1 + random.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len() as u64) as usize;
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next_u32() as u8,
            2 => bytes.truncate(at),
            3 => {
                let end = (at + random.below(40) as usize).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len() as u64 + 1) as usize;
                bytes.splice(to..to, piece);
            }
            4 => {
                let end = (at + random.below(12) as usize).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let words: [&[u8]; 12] = [
                    b"-1",
                    b"1e308",
                    b"99999999999999999999",
                    b"nan",
                    b"[",
                    b"((((((((",
                    b"\"",
                    b"sma(",
                    b"=",
                    b"close[-1]",
                    b"\xff\xfe",
                    b"0.1",
                ];
                let word = words[random.below(words.len() as u64) as usize];
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
}

#[test]
fn mutated_strategies_are_parsed_or_refused() {
    let (mut parsed, mut refused) = (0, 0);
    for case in 0..4000 {
        let mut random = Stream::new(11, [case, 0]);
        let (_, text) = gallery()[case as usize % gallery().len()];
        let mut bytes = text.as_bytes().to_vec();
        mutate(&mut random, &mut bytes);
        match Strategy::parse(&String::from_utf8_lossy(&bytes), "mutated") {
            Ok(_) => parsed += 1,
            Err(error) => {
                assert!(!error.message().is_empty());
                refused += 1;
            }
        }
    }
    assert!(parsed > 100 && refused > 1000, "{parsed} parsed, {refused} refused");
}

#[test]
fn mutated_studies_are_resolved_or_refused() {
    let study = "bundle = \"mag8\"\nstrategy = \"sma_cross\"\nstart = 2010-01-04\ncapital = 5e4\nfill = \"next_close\"\n\
                 objective = \"sharpe\"\nsymbols = [\"ALFA\", \"BRVO\"]\n[costs]\nbps = 5\nper_trade = 1\n[space]\n\
                 fast = { type = \"int\", min = 5, max = 50, step = 5 }\nslow = [20, 40, 80]\nwhere = \"fast < slow\"\n";
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    let facts = BundleFacts::from(&bundle);
    let (_, sma) = gallery().iter().find(|(name, _)| *name == "sma_cross").unwrap();
    let (mut resolved, mut refused) = (0, 0);
    for case in 0..3000 {
        let mut random = Stream::new(12, [case, 0]);
        let mut bytes = study.as_bytes().to_vec();
        mutate(&mut random, &mut bytes);
        let done = PlanSpec::parse(&String::from_utf8_lossy(&bytes), "mutated.toml")
            .and_then(|spec| Plan::resolve(&spec, Strategy::parse(sma, "sma_cross")?, &facts));
        match done {
            Ok(_) => resolved += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(resolved > 30 && refused > 500, "{resolved} resolved, {refused} refused");
}

/// Reads a bundle from bytes in memory.
fn open(files: &[(String, Vec<u8>)]) -> Result<usize> {
    let manifest = files.iter().find(|(name, _)| name == "manifest.json").unwrap();
    let mut reader = read::Reader::new(&manifest.1, read::Selection::all())?;
    loop {
        match reader.step()? {
            read::Step::Ready(bundle) => return Ok(bundle.rows()),
            read::Step::Need(ranges) => {
                for range in ranges {
                    let file = files.iter().find(|(name, _)| *name == range.file);
                    let bytes = file.and_then(|(_, bytes)| bytes.get(range.start as usize..range.end as usize));
                    // A file that is too short cannot give what it promised.
                    let bytes = bytes.ok_or_else(|| sandtable_core::Error::data("the file is too short"))?;
                    reader.give(&range.file, range.start, Bytes::copy_from_slice(bytes))?;
                }
            }
        }
    }
}

#[test]
fn mutated_bundles_are_read_or_refused() {
    let mut draft: BundleDraft = synth::universe(2, 1, 3);
    draft.name = "small".into();
    let files = write::encode(&draft).unwrap();
    let rows = open(&files).unwrap();
    let (mut read, mut refused) = (0, 0);
    for case in 0..3000 {
        let mut random = Stream::new(13, [case, 0]);
        let mut damaged = files.clone();
        let which = random.below(damaged.len() as u64) as usize;
        mutate(&mut random, &mut damaged[which].1);
        // The native program stands behind a boundary that turns a panic of the Parquet decoder into an error.
        match sandtable::files::contained(std::path::Path::new("mutated.bundle"), || open(&damaged)) {
            Ok(found) => {
                read += usize::from(found == rows);
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 1000, "{read} read, {refused} refused");
}
