//! Viridis: a palette of even brightness steps that colour-blind readers can read, and that survives greyscale.

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Viridis at equal steps (van der Walt and Smith, 2015; public domain).
const ANCHORS: [Rgb; 9] = [
    [68, 1, 84],
    [71, 45, 123],
    [59, 82, 139],
    [44, 114, 142],
    [33, 145, 140],
    [40, 174, 128],
    [94, 201, 98],
    [173, 220, 48],
    [253, 231, 37],
];

/// The colour at a share of the way from the lowest (0) to the highest (1) value.
pub fn viridis(share: f64) -> Rgb {
    let place = share.clamp(0.0, 1.0) * (ANCHORS.len() - 1) as f64;
    let below = (place as usize).min(ANCHORS.len() - 2);
    let t = place - below as f64;
    std::array::from_fn(|c| {
        let (a, b) = (f64::from(ANCHORS[below][c]), f64::from(ANCHORS[below + 1][c]));
        (a + (b - a) * t).round() as u8
    })
}

/// Whether black text reads better on this background than white.
pub fn wants_dark_text(background: Rgb) -> bool {
    let linear = |c: u8| (f64::from(c) / 255.0).powf(2.2);
    let [r, g, b] = background.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18
}

/// The nearest colour of the 6 × 6 × 6 cube in the 256-colour palette.
pub fn indexed([r, g, b]: Rgb) -> u8 {
    // The cube's steps are 0, 95, 135, 175, 215, 255.
    let step = |c: u8| if c < 48 { 0 } else { (c.max(75) - 35) / 40 };
    let nearest = |c: u8| {
        let low = step(c);
        let level = |s: u8| if s == 0 { 0 } else { 55 + 40 * s };
        if low < 5 && level(low + 1).abs_diff(c) < level(low).abs_diff(c) { low + 1 } else { low }
    };
    16 + 36 * nearest(r) + 6 * nearest(g) + nearest(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_runs_from_dark_to_bright() {
        assert_eq!(viridis(0.0), ANCHORS[0]);
        assert_eq!(viridis(1.0), ANCHORS[8]);
        assert_eq!(viridis(f64::NAN), viridis(f64::NAN), "no panic");
        assert!(!wants_dark_text(viridis(0.0)) && wants_dark_text(viridis(1.0)));
        let brightness = |share: f64| viridis(share).map(u32::from).iter().sum::<u32>();
        assert!(brightness(0.0) < brightness(0.5) && brightness(0.5) < brightness(1.0));
    }

    #[test]
    fn the_cube_index_is_the_nearest_colour() {
        assert_eq!(indexed([0, 0, 0]), 16);
        assert_eq!(indexed([255, 255, 255]), 231);
        assert_eq!(indexed([95, 135, 175]), 16 + 36 + 12 + 3);
        assert_eq!(indexed([100, 100, 120]), 16 + 36 + 6 + 2);
    }
}
