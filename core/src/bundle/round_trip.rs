//! Draft → bytes → reader → bundle: equality, slices, hashes, and what damage does.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

use bytes::Bytes;

use super::manifest::{MANIFEST_FILE, Manifest};
use super::read::{ByteRange, Reader, Selection, Step};
use super::write::encode;
use super::{Action, Bundle, BundleDraft, Field, synth};
use crate::calendar::{date_of, format_date};
use crate::error::{Error, Result};
use crate::rng::Stream;

type Files = Vec<(String, Vec<u8>)>;

fn bytes_of<'a>(files: &'a Files, name: &str) -> Result<&'a [u8]> {
    let found = files.iter().find(|(file, _)| file == name);
    found.map(|(_, bytes)| bytes.as_slice()).ok_or_else(|| Error::machine(format!("no file {name}")))
}

/// Feeds a reader from files in memory; gives the bundle, its actions and the bytes that were asked for.
fn read(files: &Files, selection: Selection) -> Result<(Bundle, Vec<Action>, u64)> {
    let mut reader = Reader::new(bytes_of(files, MANIFEST_FILE)?, selection)?.thorough();
    let mut asked = 0;
    for _ in 0..10 {
        match reader.step()? {
            Step::Ready(bundle) => return Ok((bundle, reader.actions().to_vec(), asked)),
            Step::Need(ranges) => {
                for ByteRange { file, start, end } in ranges {
                    let all = bytes_of(files, &file)?;
                    let end_here = end.min(all.len() as u64);
                    asked += end - start;
                    let part = all.get(start as usize..end_here as usize).unwrap_or_default();
                    reader.give(&file, start, Bytes::copy_from_slice(part))?;
                }
            }
        }
    }
    panic!("the reader never ends")
}

fn small() -> BundleDraft {
    let mut draft = synth::universe(3, 2, 1);
    draft.actions = vec![
        Action { symbol: "U00000".into(), ex_date: 19_400, pay_date: None, split_ratio: 2.0, cash_dividend: 0.0 },
        Action {
            symbol: "U00001".into(),
            ex_date: 19_500,
            pay_date: Some(19_530),
            split_ratio: 1.0,
            cash_dividend: 0.25,
        },
    ];
    draft
}

#[test]
fn what_is_written_is_read() {
    for draft in [small(), synth::mag8(8), synth::minute(2, 30, 1), synth::long_series(5000, 1)] {
        let files = encode(&draft).unwrap();
        assert_eq!(files, encode(&draft).unwrap(), "encoding is deterministic");
        let (bundle, actions, _) = read(&files, Selection::all()).unwrap();
        assert_eq!(actions, draft.actions);
        assert_eq!(bundle.actions, draft.actions);
        assert_eq!(bundle, draft.into_bundle());
    }
}

#[test]
fn a_slice_asks_for_little() {
    let draft = synth::mag8(8);
    let files = encode(&draft).unwrap();
    let size: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let two = Some(vec!["BRVO".to_string(), "HOTL".to_string()]);
    let (bundle, _, asked) = read(&files, Selection { symbols: two.clone(), ..Selection::all() }).unwrap();
    assert_eq!(bundle.symbols, ["BRVO", "HOTL"]);
    assert_eq!(bundle.bars[0], draft.bars[1]);
    assert!(asked * 10 < size as u64 * 4, "{asked} of {size} bytes");

    let (from, to) = (date_of(2015, 1, 1), date_of(2015, 12, 31));
    let year = Selection { symbols: two, from, to, ..Selection::all() };
    let (bundle, _, asked) = read(&files, year.clone()).unwrap();
    assert_eq!(bundle.bars.iter().map(|bars| bars.len()).collect::<Vec<_>>(), [252, 252]);
    assert_eq!(format_date(bundle.bars[1].session[0]), "2015-01-02");
    let whole = draft.into_bundle();
    let records: Vec<_> = [1, 7].map(|place| whole.record(place).unwrap()).to_vec();
    assert_eq!(bundle.records, records, "a slice knows how far its symbols go");
    assert!(asked * 10 < size as u64 * 2, "{asked} of {size} bytes");

    let closes = Selection { fields: Some(vec![Field::Close]), ..year };
    let (one, _, fewer) = read(&files, closes).unwrap();
    assert_eq!(one.bars[0].close, bundle.bars[0].close);
    assert!(one.bars[0].open.is_empty() && fewer < asked);
}

#[test]
fn what_is_not_there_is_said() {
    let files = encode(&synth::mag8(8)).unwrap();
    let message = |selection| read(&files, selection).unwrap_err().to_string();
    let unknown = message(Selection { symbols: Some(vec!["ALFS".into()]), ..Selection::all() });
    assert!(unknown.contains("no symbol ALFS") && unknown.contains("did you mean ALFA?"), "{unknown}");
    let early = message(Selection { to: date_of(1999, 1, 1), ..Selection::all() });
    assert!(early.contains("2000-01-03 to 2024-12-31"), "{early}");
    // A Saturday and Sunday inside the range: groups match, bars do not.
    let weekend = Selection { from: date_of(2010, 1, 2), to: date_of(2010, 1, 3), ..Selection::all() };
    assert!(message(weekend).contains("no bar"));
}

#[test]
fn the_version_follows_the_content() {
    let version = |draft: &BundleDraft| Manifest::parse(&encode(draft).unwrap().pop().unwrap().1).unwrap().version;
    let draft = small();
    assert_eq!(version(&draft), draft.version());
    let mut renamed = draft.clone();
    renamed.name = "other".to_string();
    assert_eq!(version(&renamed), version(&draft));
    let mut revised = draft.clone();
    revised.bars[1].close[3] = revised.bars[1].low[3];
    let mut dividend = draft.clone();
    dividend.actions[1].cash_dividend = 0.26;
    let mut adjusted = draft.clone();
    adjusted.prices = super::PriceBasis::SplitAdjusted;
    for other in [revised, dividend, adjusted] {
        assert_ne!(version(&other), version(&draft));
    }
}

#[test]
fn a_hand_edited_manifest_is_refused() {
    let files = encode(&small()).unwrap();
    let text = String::from_utf8(bytes_of(&files, MANIFEST_FILE).unwrap().to_vec()).unwrap();
    let cases = [
        ("\"format\": 1", "\"format\": 2", "has format 2"),
        ("\"rows\": 502", "\"rows\": 503", "row counts"),
        ("\"calendar\": \"XNYS\"", "\"calendar\": \"24/7\"", "the version says"),
        ("bars.parquet", "../bars.parquet", "not a plain name"),
        ("\"symbols\"", "\"symbls\"", "missing field `symbols`"),
        ("U00002", "U00000", "strict order"),
    ];
    for (from, to, expected) in cases {
        assert!(text.contains(from), "{from}");
        let message = Reader::new(text.replacen(from, to, 1).as_bytes(), Selection::all()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message} should contain {expected}");
        assert!(message.starts_with("manifest.json"), "{message}");
    }
}

#[test]
fn draft_rules_hold_before_anything_is_written() {
    let mut unsorted = small();
    unsorted.symbols.swap(0, 1);
    let mut nan = small();
    nan.bars[0].close[7] = f64::NAN;
    let mut stranger = small();
    stranger.benchmark = Some("SPY".into());
    for (draft, expected) in [(unsorted, "strict order"), (nan, "is NaN"), (stranger, "benchmark SPY")] {
        let message = encode(&draft).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

/// One random change: bytes overwritten, cut off, inserted, or swapped.
fn mutate(bytes: &mut Vec<u8>, stream: &mut Stream) {
    let at = stream.below(bytes.len().max(1) as u64) as usize;
    match stream.below(6) {
        0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << stream.below(8),
        2 if !bytes.is_empty() => bytes[at] = stream.next_u32() as u8,
        3 => bytes.truncate(at),
        4 => bytes.insert(at, stream.next_u32() as u8),
        _ => {
            let end = (at + 1 + stream.below(8) as usize).min(bytes.len());
            let fill = [0u8, 0xff, 0x7f, 0x80][stream.below(4) as usize];
            bytes[at.min(end)..end].fill(fill);
        }
    }
}

#[test]
fn no_mutation_of_a_bundle_panics_or_passes_unseen() {
    let files = encode(&small()).unwrap();
    let clean = read(&files, Selection::all()).unwrap();
    let mut stream = Stream::new(1, [77, 0]);
    for round in 0..4000 {
        let mut bad = files.clone();
        let file = stream.below(bad.len() as u64) as usize;
        mutate(&mut bad[file].1, &mut stream);
        // Only bytes that say nothing about the data (names, sources, whitespace) may change and be read.
        if let Ok((bundle, actions, _)) = read(&bad, Selection::all()) {
            assert_eq!((&bundle.bars, &actions), (&clean.0.bars, &clean.1), "round {round}");
            assert_eq!(bundle.version, clean.0.version);
        }
    }
}

/// The same with all hashes made to fit, as somebody who means harm would: the Parquet library itself is exposed.
#[test]
fn no_mutation_behind_fitting_hashes_panics() {
    let files = encode(&small()).unwrap();
    let manifest = Manifest::parse(bytes_of(&files, MANIFEST_FILE).unwrap()).unwrap();
    let mut stream = Stream::new(2, [77, 0]);
    let mut refused = 0;
    for _ in 0..3000 {
        let mut bad = files.clone();
        let file = stream.below(bad.len() as u64 - 1) as usize;
        let footer_only = stream.below(2) == 0;
        let bytes = &mut bad[file].1;
        let footer = bytes.len() - manifest.files[file].footer_bytes as usize;
        // Keep the length, so that the manifest's numbers stay right and the bytes are reached.
        let at = if footer_only {
            footer as u64 + stream.below((bytes.len() - footer) as u64)
        } else {
            stream.below(footer as u64)
        };
        bytes[at as usize] =
            if stream.below(2) == 0 { stream.next_u32() as u8 } else { bytes[at as usize] ^ (1 << stream.below(8)) };
        let fitted = refit(&manifest, &mut bad);
        bad.last_mut().unwrap().1 = fitted.to_json().unwrap();
        refused += usize::from(read(&bad, Selection::all()).is_err());
    }
    assert!(refused > 1500, "{refused} of 3000 refused");
}

/// Recomputes chunk checksums (in place: they have a fixed length), footer hash and file hash.
fn refit(manifest: &Manifest, files: &mut Files) -> Manifest {
    use parquet::file::metadata::ParquetMetaDataReader;
    let mut manifest = manifest.clone();
    for (entry, (_, bytes)) in manifest.files.iter_mut().zip(files.iter_mut()) {
        let footer = bytes.len() - entry.footer_bytes as usize;
        let body = bytes[footer..bytes.len() - 8].to_vec();
        if let Ok(metadata) = ParquetMetaDataReader::decode_metadata(&body) {
            let mut sums = String::new();
            for chunk in metadata.row_groups().iter().flat_map(|group| group.columns()) {
                let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
                let end = start.saturating_add(chunk.compressed_size());
                let part = bytes.get(start.max(0) as usize..end.max(0) as usize).unwrap_or_default();
                sums.push_str(&super::write::chunk_sum(part));
            }
            let key = super::write::CHUNK_SUMS_KEY.as_bytes();
            if let Some(at) = body.windows(key.len()).position(|window| window == key) {
                // The value follows its key, a field byte and a length of one to three bytes.
                let digits = |from: usize| body[from..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
                let from = (at + key.len()..body.len()).find(|&from| digits(from) >= sums.len());
                if let Some(from) = from {
                    bytes[footer + from..footer + from + sums.len()].copy_from_slice(sums.as_bytes());
                }
            }
        }
        entry.blake3 = blake3::hash(bytes).to_hex().to_string();
        entry.footer_blake3 = blake3::hash(&bytes[footer..]).to_hex().to_string();
    }
    manifest
}
