//! Random streams by counter, never by thread.
//!
//! Philox 4×32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the n-th number of a
//! stream is a pure function of (seed, key, n), so any trial can draw its numbers on any thread in any order.

use crate::num;

/// A stream of random numbers named by a seed and a key.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
    spare_normal: Option<f64>,
}

impl Stream {
    /// The stream of `seed` with the two-part name `key`, for instance (method, trial).
    pub fn new(seed: u64, key: [u32; 2]) -> Self {
        Stream {
            key: [seed as u32, (seed >> 32) as u32],
            counter: [0, 0, key[0], key[1]],
            block: [0; 4],
            used: 4,
            spare_normal: None,
        }
    }

    /// The next 32 random bits.
    #[inline(always)]
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox(self.counter, self.key);
            let (low, carry) = self.counter[0].overflowing_add(1);
            self.counter[0] = low;
            self.counter[1] = self.counter[1].wrapping_add(u32::from(carry));
            self.used = 0;
        }
        let value = self.block[self.used];
        self.used += 1;
        value
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) | u64::from(self.next_u32()) << 32
    }

    /// Uniform in [0, 1), with 53 random bits.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform integer in `0..n` without bias (Lemire's method); 0 for `n` = 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let reject_below = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= reject_below {
                return (product >> 64) as u64;
            }
        }
    }

    /// Standard normal (Box–Muller, both values used).
    pub fn normal(&mut self) -> f64 {
        if let Some(value) = self.spare_normal.take() {
            return value;
        }
        // 1 − u lies in (0, 1], so the logarithm is finite.
        let radius = num::sqrt(-2.0 * num::ln(1.0 - self.uniform()));
        let (sin, cos) = num::sin_cos(std::f64::consts::TAU * self.uniform());
        self.spare_normal = Some(radius * sin);
        radius * cos
    }

    /// Student's t with a whole number `degrees` of freedom, scaled to variance 1 (`degrees` ≥ 3).
    pub fn student_t(&mut self, degrees: u32) -> f64 {
        let degrees = degrees.max(3);
        let z = self.normal();
        let chi2: f64 = (0..degrees).map(|_| self.normal()).map(|x| x * x).sum();
        let n = f64::from(degrees);
        z / num::sqrt(chi2 / n) * num::sqrt((n - 2.0) / n)
    }
}

/// At least so many numbers of a stream, the first ones that [`Stream::next_u32`] gives: blocks are made eight at a time.
#[inline(always)]
pub(crate) fn numbers(seed: u64, name: [u32; 2], count: usize) -> Vec<u32> {
    const BLOCKS: usize = 8;
    let key = [seed as u32, (seed >> 32) as u32];
    let mut numbers = Vec::with_capacity(count.next_multiple_of(4 * BLOCKS));
    while numbers.len() < count {
        let first = numbers.len() as u64 / 4;
        let counters: [u64; BLOCKS] = std::array::from_fn(|block| first + block as u64);
        let halves = [counters.map(|counter| counter as u32), counters.map(|counter| (counter >> 32) as u32)];
        let blocks = philox_blocks([halves[0], halves[1], [name[0]; BLOCKS], [name[1]; BLOCKS]], key);
        numbers.extend((0..4 * BLOCKS).map(|place| blocks[place % 4][place / 4]));
    }
    numbers
}

#[inline(always)]
fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    philox_blocks(counter.map(|number| [number]), key).map(|[number]| number)
}

/// Several blocks at once, step by step for all of them: the `n`th numbers of all counters, for each of the four.
#[inline(always)]
fn philox_blocks<const N: usize>(mut c: [[u32; N]; 4], key: [u32; 2]) -> [[u32; N]; 4] {
    let mut k = key;
    for round in 0..10 {
        if round > 0 {
            k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
        }
        let mut next = [[0; N]; 4];
        for block in 0..N {
            let p0 = u64::from(c[0][block]) * 0xD251_1F53;
            let p1 = u64::from(c[2][block]) * 0xCD9E_8D57;
            next[0][block] = (p1 >> 32) as u32 ^ c[1][block] ^ k[0];
            next[1][block] = p1 as u32;
            next[2][block] = (p0 >> 32) as u32 ^ c[3][block] ^ k[1];
            next[3][block] = p0 as u32;
        }
        c = next;
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_known_answers() {
        // From the kat_vectors file of Random123.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    }

    #[test]
    fn many_numbers_are_those_of_the_stream() {
        for seed in [0, 7, u64::MAX] {
            let mut stream = Stream::new(seed, [3, 9]);
            let many = numbers(seed, [3, 9], 1000);
            assert!(many.len() >= 1000 && many.iter().all(|number| *number == stream.next_u32()));
            assert!(numbers(seed, [3, 9], 0).is_empty());
        }
    }

    #[test]
    fn sine_and_cosine_together_are_those_by_themselves() {
        let mut stream = Stream::new(3, [4, 5]);
        let small = (0..80).map(|power| num::pow(0.5, f64::from(power)));
        for x in (0..100_000).map(|_| std::f64::consts::TAU * stream.uniform()).chain(small) {
            assert_eq!(num::sin_cos(x), (num::sin(x), num::cos(x)), "{x}");
        }
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut stream = Stream::new(7, [1, 2]);
        let n = 200_000;
        let draws: Vec<f64> = (0..n).map(|_| stream.student_t(5)).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.05, "variance {variance}");
    }
}
