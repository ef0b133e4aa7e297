//! Invented prices, by seed: for demonstrations, tests and workloads that need data which anyone can make again.
//!
//! Returns are one market factor times each symbol's beta plus a part of its own. Both have Student-t shocks with six
//! degrees of freedom (fat tails) and a GARCH(1,1) variance (quiet and wild weeks cluster). The high and low of a bar
//! are drawn from the exact distribution of a Brownian bridge's extremes between its open and close; volume is
//! log-normal and grows with the size of the move. Only exact arithmetic, [`crate::num`] and [`crate::rng`] are used,
//! so a seed gives the same bits on every machine. The tickers are invented and mean nobody.

mod long;

pub use long::long_series;

use super::{Bars, BundleDraft, EachSymbol, Frequency, InTurn, PriceBasis};
use crate::calendar::{Calendar, DAY_MICROS, HOUR_MICROS, date_of, new_york_instant};
use crate::error::{Error, Result, nearest};
use crate::num;
use crate::rng::Stream;

/// The seed of the `mag8` that everyone means when they name none.
pub const MAG8_SEED: u64 = 8;

/// Name and meaning of the bundles that are generated rather than read.
pub const BUILT_IN: [(&str, &str); 1] =
    [("mag8", "8 correlated symbols, 40,987 daily bars, 2000 to 2024, generated from a fixed seed")];

/// A bundle that is generated rather than read.
///
/// # Errors
/// There is none of this name, with the nearest one.
pub fn built_in(name: &str) -> Result<BundleDraft> {
    if name == "mag8" {
        return Ok(mag8(MAG8_SEED));
    }
    let error = Error::data(format!("there is no built-in bundle `{name}`"));
    Err(match nearest(name, BUILT_IN.iter().map(|(name, _)| *name)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("the built-in one is `mag8`"),
    })
}

/// Bars of a New York session of one-minute bars: 9:30 to 16:00.
pub const SESSION_MINUTES: u32 = 390;

/// Sessions a year, for turning yearly figures into those of a session.
const SESSIONS_PER_YEAR: f64 = 252.0;

/// Yearly volatility of the market factor.
const MARKET_VOLATILITY: f64 = 0.16;

/// What a made-up symbol is like.
#[derive(Clone, Debug, PartialEq)]
pub struct Character {
    /// Ticker.
    pub symbol: String,
    /// First session (days since 1970-01-01), or the first one after it.
    pub listed: i32,
    /// First price.
    pub price: f64,
    /// Share of the market's return that it follows.
    pub beta: f64,
    /// Yearly volatility of what is its own.
    pub volatility: f64,
    /// Yearly growth of its price, in logarithms.
    pub growth: f64,
    /// Typical units traded in a bar.
    pub volume: f64,
}

/// Eight symbols, New York sessions 2000-01-03 to 2024-12-31, 40,987 daily bars: four listed from the start, the
/// others on 2004-08-19, 2009-08-06, 2010-06-29 and 2012-05-18. [`MAG8_SEED`] is the usual seed.
pub fn mag8(seed: u64) -> BundleDraft {
    mag8_by(seed, &InTurn)
}

/// The same, its symbols drawn by somebody.
pub fn mag8_by(seed: u64, each: &impl EachSymbol) -> BundleDraft {
    let character = |symbol: &str, (year, month, day), [price, beta, volatility, growth, volume]: [f64; 5]| Character {
        symbol: symbol.to_string(),
        listed: date(year, month, day),
        price,
        beta,
        volatility,
        growth,
        volume,
    };
    let start = (2000, 1, 3);
    let characters = [
        character("ALFA", start, [28.0, 1.15, 0.24, 0.11, 6.0e6]),
        character("BRVO", start, [64.0, 0.80, 0.18, 0.05, 3.5e6]),
        character("CHRL", start, [41.0, 1.05, 0.28, 0.07, 4.2e6]),
        character("DLTA", start, [97.0, 0.95, 0.20, 0.04, 2.8e6]),
        character("ECHO", (2004, 8, 19), [85.0, 1.10, 0.22, 0.09, 2.1e6]),
        character("FOXT", (2009, 8, 6), [33.0, 0.70, 0.16, 0.06, 1.7e6]),
        character("GOLF", (2010, 6, 29), [19.0, 1.45, 0.42, 0.10, 8.5e6]),
        character("HOTL", (2012, 5, 18), [38.0, 1.20, 0.30, 0.08, 7.4e6]),
    ];
    daily_by("mag8", &characters, date(2000, 1, 3), date(2024, 12, 31), seed, each)
}

/// A universe of `symbols` symbols with daily bars over `years` whole years that end with 2024, all listed at the
/// start.
pub fn universe(symbols: u32, years: u32, seed: u64) -> BundleDraft {
    let from = date(2025 - years.clamp(1, 50) as i32, 1, 1);
    let mut stream = Stream::new(seed, [CHARACTERS, 0]);
    let mut between = |low: f64, high: f64| low + (high - low) * stream.uniform();
    let characters: Vec<Character> = (0..symbols.min(100_000))
        .map(|i| Character {
            symbol: format!("U{i:05}"),
            listed: from,
            price: num::exp(between(2.5, 5.5)),
            beta: between(0.4, 1.6),
            volatility: between(0.15, 0.45),
            growth: between(-0.05, 0.15),
            volume: num::exp(between(11.0, 16.0)),
        })
        .collect();
    daily("universe", &characters, from, date(2024, 12, 31), seed)
}

/// One-minute bars of `symbols` symbols over `sessions` New York sessions from 2022-01-03 on, 390 bars a session.
pub fn minute(symbols: u32, sessions: u32, seed: u64) -> BundleDraft {
    let times = session_minutes(date(2022, 1, 3), u64::from(sessions) * u64::from(SESSION_MINUTES));
    intraday("minute", symbols.min(100_000), &times, seed)
}

/// One-minute bars of one symbol in New York sessions from 2022-01-03 on, `bars` in all.
pub fn minute_bars(bars: u64, seed: u64) -> BundleDraft {
    intraday("minute", 1, &session_minutes(date(2022, 1, 3), bars), seed)
}

/// Daily bars of the given symbols on New York sessions from `from` to `to`, both included.
pub fn daily(name: &str, characters: &[Character], from: i32, to: i32, seed: u64) -> BundleDraft {
    daily_by(name, characters, from, to, seed, &InTurn)
}

/// The same, its symbols drawn by somebody: each has a stream of random numbers of its own.
pub fn daily_by(
    name: &str,
    characters: &[Character],
    from: i32,
    to: i32,
    seed: u64,
    each: &impl EachSymbol,
) -> BundleDraft {
    let sessions: Vec<i32> = (from..=to).filter(|&day| Calendar::Xnys.is_session(day)).collect();
    let market = market_moves(sessions.len(), seed);
    let draw = |i: usize| {
        let character = &characters[i];
        let first = sessions.partition_point(|&day| day < character.listed);
        let mut bars = Bars::with_capacity(sessions.len() - first);
        let mut walk = Walk::new(character, SESSIONS_PER_YEAR, Stream::new(seed, [SYMBOLS, i as u32]));
        for (&day, &move_of_market) in sessions[first..].iter().zip(&market[first..]) {
            bars.push(i64::from(day) * DAY_MICROS, day, walk.bar(move_of_market, 1.0, OVERNIGHT));
        }
        (character.symbol.clone(), bars)
    };
    let pairs = each.each(characters.len(), draw);
    draft(name, Frequency::Daily, Calendar::Xnys, pairs, seed)
}

/// Names of the streams, so that market, symbols and characters never share a number.
const MARKET: u32 = 1;
const SYMBOLS: u32 = 2;
const CHARACTERS: u32 = 3;

/// Bars that any one call makes at most (7 GB of columns).
const MAX_BARS: u64 = 128_000_000;

/// Share of a daily move that happens before the open.
const OVERNIGHT: f64 = 0.35;

fn date(year: i32, month: u32, day: u32) -> i32 {
    date_of(year, month, day).unwrap_or_default()
}

fn draft(name: &str, frequency: Frequency, calendar: Calendar, pairs: Vec<(String, Bars)>, seed: u64) -> BundleDraft {
    let (symbols, bars) = pairs.into_iter().filter(|(_, bars)| !bars.is_empty()).unzip();
    BundleDraft {
        name: name.to_string(),
        frequency,
        calendar,
        prices: PriceBasis::Raw,
        benchmark: None,
        source: format!("synthetic: sandtable {name}, seed {seed}"),
        licence: "CC0-1.0".to_string(),
        symbols,
        bars,
        actions: Vec::new(),
    }
}

/// (close instant, session) of the first `bars` one-minute bars of New York sessions from a date on.
fn session_minutes(from: i32, bars: u64) -> Vec<(i64, i32)> {
    let bars = bars.min(MAX_BARS) as usize;
    let mut times = Vec::with_capacity(bars);
    let mut day = from;
    while times.len() < bars {
        if Calendar::Xnys.is_session(day) {
            let open = new_york_instant(i64::from(day) * DAY_MICROS + 9 * HOUR_MICROS + HOUR_MICROS / 2);
            let left = (bars - times.len()).min(SESSION_MINUTES as usize);
            times.extend((1..=left as i64).map(|k| (open + k * 60_000_000, day)));
        }
        day += 1;
    }
    times
}

/// One-minute bars at the given times; volatility and volume are highest at both ends of a session.
fn intraday(name: &str, symbols: u32, times: &[(i64, i32)], seed: u64) -> BundleDraft {
    let (calendar, a_session) = (Calendar::Xnys, f64::from(SESSION_MINUTES));
    let market = market_moves(times.len(), seed);
    let mut pairs = Vec::new();
    for i in 0..symbols {
        let character = Character {
            symbol: format!("M{i:05}"),
            listed: i32::MIN,
            price: 100.0 + f64::from(i % 50),
            beta: 0.8 + 0.05 * f64::from(i % 9),
            volatility: 0.25,
            growth: 0.05,
            volume: 20_000.0,
        };
        let stream = Stream::new(seed, [SYMBOLS, i]);
        let mut walk = Walk::new(&character, calendar.periods_per_year() * a_session, stream);
        let mut bars = Bars::with_capacity(times.len());
        let mut since_open = 0.0;
        for (k, (&(time, session), &move_of_market)) in times.iter().zip(&market).enumerate() {
            let opens = k == 0 || times[k - 1].1 != session;
            since_open = if opens { 0.0 } else { since_open + 1.0 };
            let from_middle = 2.0 * since_open / a_session - 1.0;
            let activity = 0.7 + 0.9 * from_middle * from_middle;
            bars.push(time, session, walk.bar(move_of_market, activity, if opens { OVERNIGHT } else { 0.02 }));
        }
        pairs.push((character.symbol, bars));
    }
    draft(name, Frequency::Intraday, calendar, pairs, seed)
}

/// The market factor's moves, in units of its own typical volatility.
fn market_moves(bars: usize, seed: u64) -> Vec<f64> {
    let mut stream = Stream::new(seed, [MARKET, 0]);
    let mut variance = Variance::default();
    (0..bars).map(|_| variance.next_move(&mut stream)).collect()
}

/// GARCH(1,1) variance around 1.
struct Variance(f64);

impl Default for Variance {
    fn default() -> Self {
        Variance(1.0)
    }
}

impl Variance {
    fn next_move(&mut self, stream: &mut Stream) -> f64 {
        let x = num::sqrt(self.0) * shock(stream);
        self.0 = 0.02 + 0.07 * x * x + 0.91 * self.0;
        x
    }
}

/// Student's t with six degrees of freedom, scaled to variance 1 and cut at ten deviations. The chi-squared below it
/// is minus twice the logarithm of three uniforms' product.
fn shock(stream: &mut Stream) -> f64 {
    let product = (1.0 - stream.uniform()) * (1.0 - stream.uniform()) * (1.0 - stream.uniform());
    let chi_squared = -2.0 * num::ln(product);
    (stream.normal() / num::sqrt(chi_squared / 6.0) * num::sqrt(4.0 / 6.0)).clamp(-10.0, 10.0)
}

/// One symbol's random walk.
struct Walk {
    stream: Stream,
    variance: Variance,
    /// Logarithm of the last close, before rounding.
    level: f64,
    /// Mean log return of a bar.
    drift: f64,
    market: f64,
    own: f64,
    log_volume: f64,
}

/// Prices turn back up here (in logarithms, 1.00), so that rounding to cents stays harmless.
const FLOOR: f64 = 0.0;

impl Walk {
    fn new(character: &Character, bars_per_year: f64, stream: Stream) -> Self {
        let per_bar = num::sqrt(bars_per_year);
        Walk {
            stream,
            variance: Variance::default(),
            level: num::ln(character.price.max(1.0)),
            drift: character.growth / bars_per_year,
            market: character.beta * MARKET_VOLATILITY / per_bar,
            own: character.volatility / per_bar,
            log_volume: num::ln(character.volume.max(1.0)),
        }
    }

    /// Open, high, low, close and volume of the next bar. `activity` scales its volatility and volume, `before_open`
    /// is the share of its move that is a gap from the last close.
    fn bar(&mut self, move_of_market: f64, activity: f64, before_open: f64) -> [f64; 5] {
        let own = self.variance.next_move(&mut self.stream);
        let own_move = self.own * own * activity;
        let market_move = self.market * move_of_market * activity;
        let change = self.drift + own_move + market_move;
        let deviation = activity * num::sqrt(self.own * self.own * self.variance.0 + self.market * self.market);
        let jitter = (self.stream.uniform() - 0.5) * before_open * deviation;
        let open = above_floor(self.level + before_open * change + jitter);
        let close = above_floor(self.level + change);
        let spread = (close - open) * (close - open);
        let bridge = 2.0 * (1.0 - before_open) * deviation * deviation;
        let up = num::sqrt(spread - bridge * num::ln(1.0 - self.stream.uniform()));
        let down = num::sqrt(spread - bridge * num::ln(1.0 - self.stream.uniform()));
        let (high, low) = ((open + close + up) / 2.0, (open + close - down) / 2.0);
        let size = num::sqrt(own * own + move_of_market * move_of_market).min(8.0);
        let volume = num::exp(self.log_volume + 0.3 * size + 0.25 * self.stream.normal()) * activity;
        self.level = close;
        let (open, close) = (cents(open), cents(close));
        [open, cents(high).max(open).max(close), cents(low).min(open).min(close), close, volume.round().max(1.0)]
    }
}

fn above_floor(level: f64) -> f64 {
    if level < FLOOR { 2.0 * FLOOR - level } else { level }
}

/// The price of a logarithm, rounded to cents, at least one.
fn cents(level: f64) -> f64 {
    ((num::exp(level) * 100.0).round() / 100.0).max(0.01)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::calendar::format_date;

    fn log_returns(closes: &[f64]) -> Vec<f64> {
        closes.windows(2).map(|pair| num::ln(pair[1] / pair[0])).collect()
    }

    fn mean(xs: &[f64]) -> f64 {
        xs.iter().sum::<f64>() / xs.len() as f64
    }

    fn correlation(xs: &[f64], ys: &[f64]) -> f64 {
        let (mx, my) = (mean(xs), mean(ys));
        let sum = |f: &dyn Fn(f64, f64) -> f64| xs.iter().zip(ys).map(|(&x, &y)| f(x - mx, y - my)).sum::<f64>();
        sum(&|x, y| x * y) / num::sqrt(sum(&|x, _| x * x) * sum(&|_, y| y * y))
    }

    #[test]
    fn mag8_has_its_shape() {
        let draft = mag8(MAG8_SEED);
        draft.check().unwrap();
        let listed: Vec<String> = draft.bars.iter().map(|bars| format_date(bars.session[0])).collect();
        let start = "2000-01-03";
        assert_eq!(listed, [start, start, start, start, "2004-08-19", "2009-08-06", "2010-06-29", "2012-05-18"]);
        assert!(draft.bars.iter().all(|bars| format_date(*bars.session.last().unwrap()) == "2024-12-31"));
        assert_eq!(draft.bars.iter().map(Bars::len).sum::<usize>(), 40_987);
        assert!(draft.bars.iter().flat_map(|bars| &bars.close).all(|&close| (1.0..100_000.0).contains(&close)));
    }

    #[test]
    fn seeds_name_data() {
        let hash = |draft: &BundleDraft| draft.version();
        assert_eq!(hash(&mag8(8)), hash(&mag8(8)));
        assert_ne!(hash(&mag8(8)), hash(&mag8(9)));
    }

    #[test]
    fn tails_are_fat_volatility_clusters_and_symbols_move_together() {
        let draft = mag8(MAG8_SEED);
        let returns: Vec<Vec<f64>> = draft.bars[..4].iter().map(|bars| log_returns(&bars.close)).collect();
        for xs in &returns {
            let m = mean(xs);
            let variance = mean(&xs.iter().map(|x| (x - m) * (x - m)).collect::<Vec<_>>());
            let fourth = mean(&xs.iter().map(|x| (x - m) * (x - m) * (x - m) * (x - m)).collect::<Vec<_>>());
            assert!(fourth / (variance * variance) > 3.8, "kurtosis {}", fourth / (variance * variance));
            let yearly = num::sqrt(variance * SESSIONS_PER_YEAR);
            assert!((0.15..0.6).contains(&yearly), "volatility {yearly}");
            let sizes: Vec<f64> = xs.iter().map(|x| x.abs()).collect();
            let lagged = correlation(&sizes[..sizes.len() - 1], &sizes[1..]);
            assert!(lagged > 0.05, "autocorrelation of sizes {lagged}");
        }
        assert!(correlation(&returns[0], &returns[1]) > 0.2);
        let bars = &draft.bars[0];
        let sizes: Vec<f64> = returns[0].iter().map(|x| x.abs()).collect();
        let log_volume: Vec<f64> = bars.volume[1..].iter().map(|&v| num::ln(v)).collect();
        assert!(correlation(&sizes, &log_volume) > 0.2);
    }

    #[test]
    fn minutes_keep_the_session() {
        let draft = minute(2, 3, 5);
        draft.check().unwrap();
        assert_eq!(draft.bars[0].len(), 1170);
        let bars = &draft.bars[1];
        for (&time, &session) in bars.time.iter().zip(&bars.session) {
            assert_eq!(Calendar::Xnys.session_of_close(time), session);
        }
        assert_eq!(minute_bars(1000, 5).bars[0].len(), 1000);
        assert_eq!(minute_bars(1000, 5).bars[0].close[..500], draft.bars[0].close[..500]);
    }

    #[test]
    fn the_other_shapes() {
        let universe = universe(20, 10, 3);
        universe.check().unwrap();
        assert_eq!((universe.symbols.len(), universe.bars[7].len()), (20, 2516));
        let long = long_series(10_000, 1);
        long.check().unwrap();
        assert_eq!(long.bars[0].len(), 10_000);
    }
}
