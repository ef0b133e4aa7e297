//! The strategies that the project ships, as text.

use super::Strategy;
use crate::error::{Error, Result, nearest};

/// The strategy of the gallery with this name.
///
/// # Errors
/// There is none, with the nearest name.
pub fn from_gallery(name: &str) -> Result<Strategy> {
    if let Some((_, text)) = gallery().iter().find(|(stem, _)| *stem == name) {
        return Strategy::parse(text, name);
    }
    let names = || gallery().iter().map(|(stem, _)| *stem);
    let error = Error::strategy(format!("the gallery has no strategy `{name}`"));
    Err(match nearest(name, names()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("it has {}", names().collect::<Vec<_>>().join(", "))),
    })
}

/// File stem and source of each, in alphabetical order. All of them parse, with the stem as their name.
pub fn gallery() -> &'static [(&'static str, &'static str)] {
    &[
        ("atr_volatility_filter", include_str!("../../gallery/atr_volatility_filter.toml")),
        ("bollinger", include_str!("../../gallery/bollinger.toml")),
        ("bracket_breakout", include_str!("../../gallery/bracket_breakout.toml")),
        ("donchian_breakout", include_str!("../../gallery/donchian_breakout.toml")),
        ("ema_cross", include_str!("../../gallery/ema_cross.toml")),
        ("macd_trend", include_str!("../../gallery/macd_trend.toml")),
        ("momentum_rotation", include_str!("../../gallery/momentum_rotation.toml")),
        ("rsi_mean_reversion", include_str!("../../gallery/rsi_mean_reversion.toml")),
        ("sma_cross", include_str!("../../gallery/sma_cross.toml")),
    ]
}
