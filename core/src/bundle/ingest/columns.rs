//! Which column of a table is what: header names as people have them, and the user's own mapping.

use super::IngestOptions;
use super::defects::shown;
use crate::bundle::Field;
use crate::error::{Error, Result, nearest};

/// Where the needed columns are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Columns {
    /// Date, or date and time.
    pub time: usize,
    /// A time of day apart from the date.
    pub clock: Option<usize>,
    /// Symbol, if the table has several.
    pub symbol: Option<usize>,
    /// Open, high, low, close.
    pub prices: [usize; 4],
    /// Volume.
    pub volume: Option<usize>,
    /// Close adjusted for splits and dividends.
    pub adjusted: Option<usize>,
    /// The names of all columns, as written.
    pub names: Vec<String>,
}

impl Columns {
    /// Whether a column is read at all.
    pub fn uses(&self, column: usize) -> bool {
        self.time == column
            || self.prices.contains(&column)
            || [self.clock, self.symbol, self.volume].contains(&Some(column))
    }

    /// Column of a field.
    pub fn field(&self, field: Field) -> Option<usize> {
        match field {
            Field::Open => Some(self.prices[0]),
            Field::High => Some(self.prices[1]),
            Field::Low => Some(self.prices[2]),
            Field::Close => Some(self.prices[3]),
            Field::Volume => self.volume,
        }
    }

    /// Name of a column, as written.
    pub fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("", String::as_str)
    }
}

/// What a table's header is missing: the field, and a sentence with what there is.
#[derive(Debug)]
pub(super) struct Missing {
    pub column: &'static str,
    pub sentence: String,
}

const TIME: &[&str] = &[
    "timestamp",
    "datetime",
    "date time",
    "ts",
    "date",
    "day",
    "trade date",
    "trading day",
    "time",
    "dt",
    "gmt time",
    "local time",
    "open time",
    "close time",
    "unix",
    "unix timestamp",
    "",
    "index",
    "unnamed: 0",
    "index level 0",
];
const SYMBOL: &[&str] = &["symbol", "ticker", "sym", "tic", "instrument", "code", "name"];
const OPEN: &[&str] = &["open", "o", "open price", "opening price"];
const HIGH: &[&str] = &["high", "h", "high price", "max", "day high"];
const LOW: &[&str] = &["low", "l", "low price", "min", "day low"];
const CLOSE: &[&str] = &["close", "c", "close price", "closing price", "close/last"];
const VOLUME: &[&str] = &["volume", "vol", "vol.", "v", "trade volume", "total volume", "shares"];
const ADJUSTED: &[&str] = &["adj close", "adj. close", "adjclose", "adjusted close", "adj close*"];

/// Names that a `--map` may give a column.
const ROLES: [&str; 8] = ["time", "symbol", "open", "high", "low", "close", "volume", "adj_close"];

/// Finds the columns of a header.
///
/// # Errors
/// Outer: the mapping names a role or a column that does not exist, or the table holds quotes (bid and ask). Inner:
/// a needed column is missing.
pub(super) fn find(names: &[String], options: &IngestOptions) -> Result<std::result::Result<Columns, Missing>> {
    let plain: Vec<String> = names.iter().map(|name| normal(name)).collect();
    let mapped = |role: &str| -> Result<Option<usize>> {
        let Some((_, wanted)) = options.map.iter().find(|(key, _)| role_of(key) == Some(role)) else {
            return Ok(None);
        };
        let exact = names.iter().position(|name| name.trim() == wanted.trim());
        let found = exact.or_else(|| plain.iter().position(|name| *name == normal(wanted)));
        found.map(Some).ok_or_else(|| {
            let error = Error::plan(format!("the mapping {role}={wanted} names no column"));
            match nearest(wanted, names.iter().map(String::as_str)) {
                Some(near) => error.help(format!("did you mean {role}={near}?")),
                None => error.help(format!("the columns are {}", listed(names))),
            }
        })
    };
    if let Some((key, _)) = options.map.iter().find(|(key, _)| role_of(key).is_none()) {
        return Err(Error::plan(format!("the mapping names {key}, which is no column of a bar"))
            .help(format!("map one of {}", ROLES.join(", "))));
    }
    let by_name = |aliases: &[&str]| aliases.iter().find_map(|alias| plain.iter().position(|name| name == alias));
    let column =
        |role: &str, aliases: &[&str]| -> Result<Option<usize>> { Ok(mapped(role)?.or_else(|| by_name(aliases))) };
    let time = column("time", TIME)?;
    let prices = [column("open", OPEN)?, column("high", HIGH)?, column("low", LOW)?, column("close", CLOSE)?];
    if prices.iter().any(Option::is_none) && plain.iter().any(|name| name.contains("bid") || name.contains("ask")) {
        return Err(Error::unsupported(format!("the columns are quotes ({}), not bars", listed(names)))
            .help("ingest bars of trades, or compute mid prices first"));
    }
    let missing = |column: &'static str| Missing { column, sentence: missing_sentence(column, names, &plain) };
    let Some(time) = time else { return Ok(Err(missing("time"))) };
    let needed = ["open", "high", "low", "close"];
    let mut places = [0; 4];
    for ((place, price), column) in places.iter_mut().zip(prices).zip(needed) {
        match price {
            Some(at) => *place = at,
            None => return Ok(Err(missing(column))),
        }
    }
    let is_date = ["date", "day", "trade date"].contains(&plain[time].as_str());
    let clock = by_name(&["time"]).filter(|&at| at != time && is_date);
    Ok(Ok(Columns {
        time,
        clock,
        symbol: column("symbol", SYMBOL)?,
        prices: places,
        volume: column("volume", VOLUME)?,
        adjusted: column("adj_close", ADJUSTED)?,
        names: names.to_vec(),
    }))
}

fn role_of(key: &str) -> Option<&'static str> {
    let key = key.trim().to_ascii_lowercase();
    match key.as_str() {
        "date" | "datetime" | "timestamp" => Some("time"),
        key => ROLES.into_iter().find(|role| *role == key),
    }
}

/// Lower case, without quotes, brackets and the numbering that some services put before names.
fn normal(name: &str) -> String {
    let name = name.trim().trim_matches(['"', '<', '>', '[', ']']).trim().to_lowercase().replace('_', " ");
    let unnumbered = name.trim_start_matches(|c: char| c.is_ascii_digit());
    match unnumbered.strip_prefix(". ") {
        Some(rest) => rest.trim().to_string(),
        None => name.trim().to_string(),
    }
}

fn listed(names: &[String]) -> String {
    let shown_names: Vec<String> =
        names.iter().take(20).map(|name| if name.is_empty() { "(unnamed)".into() } else { shown(name) }).collect();
    let more = if names.len() > 20 { format!(" and {} more", names.len() - 20) } else { String::new() };
    format!("{}{more}", shown_names.join(", "))
}

fn missing_sentence(column: &str, names: &[String], plain: &[String]) -> String {
    let known = |name: &String| {
        [TIME, SYMBOL, OPEN, HIGH, LOW, CLOSE, VOLUME, ADJUSTED].iter().any(|aliases| aliases.contains(&name.as_str()))
    };
    let strangers: Vec<&String> =
        names.iter().zip(plain).filter(|(_, name)| !known(name)).map(|(name, _)| name).collect();
    let guess = match strangers[..] {
        [one] => Some(one.as_str()),
        _ => nearest(column, strangers.iter().map(|name| name.as_str())),
    };
    let hint = guess
        .map(|guess| format!("; if {0} is the {column}, say --map {column}={0}", shown(guess)))
        .unwrap_or_default();
    format!("no column {column} among {}{hint}", listed(names))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]
    use super::*;

    fn found(header: &str, map: &[(&str, &str)]) -> Result<std::result::Result<Columns, Missing>> {
        let names: Vec<String> = header.split(',').map(str::to_string).collect();
        let map = map.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        find(&names, &IngestOptions { map, ..IngestOptions::default() })
    }

    #[test]
    fn headers_as_people_have_them() {
        let headers = [
            "date,open,high,low,close,volume",
            ",Open,High,Low,Close,Volume",
            "Unnamed: 0,Open,High,Low,Close,Volume",
            "Date,Open,High,Low,Close,Adj Close,Volume",
            "<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
            "timestamp,1. open,2. high,3. low,4. close,5. volume",
            "ts,o,h,l,c,v",
            "Date,Close/Last,Volume,Open,High,Low",
        ];
        for header in headers {
            let columns = found(header, &[]).unwrap().ok().unwrap_or_else(|| panic!("{header}"));
            assert!(columns.volume.is_some(), "{header}");
        }
        let columns = found("Date,Time,Open,High,Low,Close", &[]).unwrap().ok().unwrap();
        assert_eq!((columns.time, columns.clock, columns.volume), (0, Some(1), None));
        let columns = found("symbol,ts,session,open,high,low,close,volume", &[]).unwrap().ok().unwrap();
        assert_eq!((columns.time, columns.symbol), (1, Some(0)));
    }

    #[test]
    fn mapping_and_what_is_missing() {
        let header = "date,open,high,low,last,volume";
        let missing = found(header, &[]).unwrap().err().unwrap();
        assert_eq!(missing.column, "close");
        assert!(missing.sentence.ends_with("say --map close=last"), "{}", missing.sentence);
        assert!(found(header, &[("close", "last")]).unwrap().is_ok());
        let message = found(header, &[("close", "lst")]).unwrap_err().to_string();
        assert!(message.contains("did you mean close=last?"), "{message}");
        assert!(found(header, &[("clsoe", "last")]).unwrap_err().to_string().contains("no column of a bar"));
        let quotes = found("ts,bid_open,ask_open", &[]).unwrap_err().to_string();
        assert!(quotes.contains("quotes"), "{quotes}");
    }
}
