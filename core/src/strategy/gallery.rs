//! The strategies that the project ships, as text.

/// File stem and source of each, in alphabetical order. All of them parse, with the stem as their name.
pub fn gallery() -> &'static [(&'static str, &'static str)] {
    &[
        ("atr_volatility_filter", include_str!("../../gallery/atr_volatility_filter.toml")),
        ("bollinger", include_str!("../../gallery/bollinger.toml")),
        ("donchian_breakout", include_str!("../../gallery/donchian_breakout.toml")),
        ("ema_cross", include_str!("../../gallery/ema_cross.toml")),
        ("macd_trend", include_str!("../../gallery/macd_trend.toml")),
        ("momentum_rotation", include_str!("../../gallery/momentum_rotation.toml")),
        ("rsi_mean_reversion", include_str!("../../gallery/rsi_mean_reversion.toml")),
        ("sma_cross", include_str!("../../gallery/sma_cross.toml")),
    ]
}
