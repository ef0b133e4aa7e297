//! Wall clocks of exchanges: which local time it is at an instant, and which instant at a local time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::HOUR_MICROS;

/// The zone of a wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Utc,
    NewYork,
    London,
    Berlin,
    Paris,
    Tokyo,
    Toronto,
}

// Compiled in, so that the history of a clock is the same on every machine.
static NEW_YORK: TimeZone = jiff::tz::get!("America/New_York");
static LONDON: TimeZone = jiff::tz::get!("Europe/London");
static BERLIN: TimeZone = jiff::tz::get!("Europe/Berlin");
static PARIS: TimeZone = jiff::tz::get!("Europe/Paris");
static TOKYO: TimeZone = jiff::tz::get!("Asia/Tokyo");
static TORONTO: TimeZone = jiff::tz::get!("America/Toronto");

impl Zone {
    /// Offset from UTC at an instant, in microseconds; 0 for instants outside the years −9999 to 9999.
    pub fn offset(self, micros: i64) -> i64 {
        let zone = match self {
            Zone::Utc => return 0,
            Zone::NewYork => &NEW_YORK,
            Zone::London => &LONDON,
            Zone::Berlin => &BERLIN,
            Zone::Paris => &PARIS,
            Zone::Tokyo => &TOKYO,
            Zone::Toronto => &TORONTO,
        };
        let at = Timestamp::from_microsecond(micros);
        at.map_or(0, |at| i64::from(zone.to_offset(at).seconds()) * 1_000_000)
    }

    /// The wall clock at an instant, as microseconds since 1970-01-01T00:00:00 there.
    pub fn local(self, micros: i64) -> i64 {
        micros.saturating_add(self.offset(micros))
    }

    /// The instant at which the wall clock shows `local`, for times that are neither skipped nor repeated.
    pub fn instant(self, local: i64) -> i64 {
        let near = local.saturating_sub(self.offset(local));
        local.saturating_sub(self.offset(near))
    }
}

/// New York's offset from UTC at an instant, in hours: −4 in summer time, −5 otherwise.
pub fn new_york_offset_hours(micros: i64) -> i64 {
    Zone::NewYork.offset(micros) / HOUR_MICROS
}

/// New York's wall clock at an instant, as microseconds since 1970-01-01T00:00:00 there.
pub fn new_york_local(micros: i64) -> i64 {
    Zone::NewYork.local(micros)
}

/// The instant at which New York's wall clock shows `local`. Of an hour that occurs twice, the first; a time that the
/// clock skips in spring is read as standard time.
pub fn new_york_instant(local: i64) -> i64 {
    let summer = local.saturating_add(4 * HOUR_MICROS);
    if new_york_offset_hours(summer) == -4 { summer } else { local.saturating_add(5 * HOUR_MICROS) }
}
