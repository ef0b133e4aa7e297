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

/// Colours of the 256-colour palette that come nearest to viridis in order and brightness; the nearest ones in
/// distance would be greyish and out of order.
const INDEXED: [u8; 12] = [53, 54, 25, 31, 36, 71, 77, 113, 149, 184, 220, 226];

/// The colour of the 256-colour palette for a share of the way from the lowest to the highest value.
pub fn indexed(share: f64) -> u8 {
    INDEXED[((share.clamp(0.0, 1.0) * INDEXED.len() as f64) as usize).min(INDEXED.len() - 1)]
}

/// Red, green, blue of a colour in the 6 × 6 × 6 cube of the 256-colour palette (16 to 231).
pub fn cube(index: u8) -> Rgb {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let place = index.saturating_sub(16).min(215);
    [LEVELS[usize::from(place / 36)], LEVELS[usize::from(place / 6 % 6)], LEVELS[usize::from(place % 6)]]
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
    fn the_indexed_colours_grow_brighter() {
        let luminance = |index: u8| {
            let [r, g, b] = cube(index).map(|c| (f64::from(c) / 255.0).powf(2.2));
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        assert!(INDEXED.is_sorted_by(|&a, &b| luminance(a) < luminance(b)));
        assert_eq!((indexed(0.0), indexed(1.0), indexed(f64::NAN)), (53, 226, 53));
        assert_eq!(cube(53), [95, 0, 95]);
    }
}
