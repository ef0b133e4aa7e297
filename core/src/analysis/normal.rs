//! The standard normal distribution.
//!
//! Given a number, this gives its probability, and back. It never knows what is distributed.

use crate::num;

/// Probability that a standard normal number is at most `x`.
pub fn cdf(x: f64) -> f64 {
    0.5 * num::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The number that a standard normal one exceeds with probability `1 − p`; −∞ at 0, ∞ at 1, NaN outside of [0, 1].
///
/// Algorithm AS 241 (Wichura, "The Percentage Points of the Normal Distribution", Applied Statistics 37, 1988), with
/// about 16 digits.
pub fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return num::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(r, &CENTER);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = num::sqrt(-num::ln(tail));
    let size = if r <= 5.0 { ratio(r - 1.6, &FLANK) } else { ratio(r - 5.0, &FAR) };
    if q < 0.0 { -size } else { size }
}

/// Coefficients of numerator and denominator by rising power.
type Rational = [[f64; 8]; 2];

fn ratio(x: f64, [above, below]: &Rational) -> f64 {
    let value = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
    value(above) / value(below)
}

#[expect(clippy::excessive_precision, reason = "the digits of the publication")]
const CENTER: Rational = [
    [
        3.387_132_872_796_366_608_0e0,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083_0e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061_0e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561_0e3,
    ],
];

#[expect(clippy::excessive_precision, reason = "the digits of the publication")]
const FLANK: Rational = [
    [
        1.423_437_110_749_683_577_34e0,
        4.630_337_846_156_545_295_90e0,
        5.769_497_221_460_691_405_50e0,
        3.647_848_324_763_204_605_04e0,
        1.270_458_252_452_368_382_58e0,
        2.417_807_251_774_506_117_70e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_40e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87e0,
        1.676_384_830_183_803_849_40e0,
        6.897_673_349_851_000_045_50e-1,
        1.481_039_764_274_800_745_90e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946_00e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
];

#[expect(clippy::excessive_precision, reason = "the digits of the publication")]
const FAR: Rational = [
    [
        6.657_904_643_501_103_777_20e0,
        5.463_784_911_164_114_369_90e0,
        1.784_826_539_917_291_335_80e0,
        2.965_605_718_285_048_912_30e-1,
        2.653_218_952_657_612_309_30e-2,
        1.242_660_947_388_078_438_60e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_90e-1,
        1.369_298_809_227_358_053_10e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591_00e-4,
        1.846_318_317_510_054_681_80e-5,
        1.421_511_758_316_445_888_70e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points() {
        for (p, x) in [(0.975, 1.959_963_984_540_054), (0.999, 3.090_232_306_167_813_5), (0.5, 0.0)] {
            assert!((quantile(p) - x).abs() < 1e-14, "{p}: {}", quantile(p));
            assert!((cdf(x) - p).abs() < 1e-15);
        }
        // scipy.stats.norm.ppf
        assert!((quantile(1e-300) + 37.047_096_299_361_2).abs() < 1e-10, "{}", quantile(1e-300));
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(quantile(-0.1).is_nan() && quantile(num::NAN).is_nan());
    }

    #[test]
    fn there_and_back() {
        for k in 1..400 {
            let x = -8.0 + f64::from(k) * 0.02;
            let back = quantile(cdf(x));
            assert!((back - x).abs() < 1e-12 * (1.0 + x.abs()), "{x} became {back}");
        }
        let far = [-12.0, -20.0, -30.0, -36.0];
        for x in far {
            assert!((quantile(cdf(x)) / x - 1.0).abs() < 1e-12, "{x} became {}", quantile(cdf(x)));
        }
    }
}
