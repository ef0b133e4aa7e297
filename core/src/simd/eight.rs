//! Eight numbers side by side: what loops over trials or over stripes are written in.
//!
//! Given a [`Work`] that is generic over [`Eight`], [`run`] hands it the implementation for the processor at hand. Every
//! implementation does the same operations lane by lane, so none changes a result. There is no fused multiply-add and no
//! sum over lanes: neither has the same bits everywhere.

/// Number of lanes.
pub const LANES: usize = 8;

/// Work over eight lanes. What `run` calls takes part as far as it is inlined: mark it `#[inline(always)]`.
pub trait Work {
    /// What it gives.
    type Output;

    /// Does it.
    fn run<E: Eight>(self) -> Self::Output;
}

/// Eight numbers side by side.
pub trait Eight: Copy {
    /// Eight truth values.
    type Mask: Copy;
    /// How many lanes were set so far, for [`Eight::tally`].
    type Count: Copy;

    /// Vectors that eight lanes take: where there are several, fewer values find room in the processor's registers.
    const VECTORS: usize = 1;

    /// Up to so many lanes are worked through faster one by one: short vectors do a long computation for all lanes in
    /// several rounds, and spill what they hold meanwhile. It says nothing about results, which are the same.
    const FEW: u32 = 0;

    /// The same number in every lane.
    fn splat(x: f64) -> Self;
    /// The numbers of an array.
    fn load(from: &[f64; LANES]) -> Self;
    /// Writes them into an array.
    fn store(self, to: &mut [f64; LANES]);
    /// Lane by lane `self + other`.
    fn add(self, other: Self) -> Self;
    /// Lane by lane `self − other`.
    fn sub(self, other: Self) -> Self;
    /// Lane by lane `self × other`.
    fn mul(self, other: Self) -> Self;
    /// Lane by lane `self / other`.
    fn div(self, other: Self) -> Self;
    /// Without sign.
    fn abs(self) -> Self;
    /// `if self < other { self } else { other }`: the other where one is NaN.
    fn min(self, other: Self) -> Self;
    /// `if self > other { self } else { other }`: the other where one is NaN.
    fn max(self, other: Self) -> Self;
    /// Where `self < other`.
    fn lt(self, other: Self) -> Self::Mask;
    /// Where `self <= other`.
    fn le(self, other: Self) -> Self::Mask;
    /// Where `self == other`.
    fn eq(self, other: Self) -> Self::Mask;
    /// Where one of both is NaN.
    fn unordered(self, other: Self) -> Self::Mask;
    /// `self` where `mask` is true, `other` elsewhere.
    fn select(mask: Self::Mask, then: Self, other: Self) -> Self;
    /// Bit `k` is lane `k`.
    fn bits(mask: Self::Mask) -> u8;
    /// Lane `k` is bit `k`.
    fn mask(bits: u8) -> Self::Mask;
    /// No lane so far.
    fn none() -> Self::Count;
    /// One more for each lane that is set.
    fn tally(count: Self::Count, mask: Self::Mask) -> Self::Count;
    /// How many there were.
    fn counted(count: Self::Count) -> u32;
    /// Where both are true.
    fn both(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Where one of them is true.
    fn either(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Where `a` is true and `b` is not.
    fn without(a: Self::Mask, b: Self::Mask) -> Self::Mask;

    /// Zero in every lane.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0.0)
    }

    /// Writes the lanes that are set one after another, and whatever behind them. How many there are.
    #[inline(always)]
    fn compress(self, mask: Self::Mask, to: &mut [f64; LANES]) -> usize {
        // Every lane is written, those that are not set are written over: which ones are set cannot be foreseen.
        let (values, bits, mut count) = (self.array(), usize::from(Self::bits(mask)), 0);
        for (lane, value) in values.into_iter().enumerate() {
            to[count % LANES] = value;
            count += bits >> lane & 1;
        }
        count
    }

    /// How many numbers are at most `most`.
    #[inline(always)]
    fn count_up_to(vectors: &[[f64; LANES]], most: f64) -> usize {
        let bound = Self::splat(most);
        let mut count = Self::none();
        for vector in vectors {
            count = Self::tally(count, Self::load(vector).le(bound));
        }
        Self::counted(count) as usize
    }

    /// Whether any lane is set.
    #[inline(always)]
    fn any(mask: Self::Mask) -> bool {
        Self::bits(mask) != 0
    }

    /// The numbers as an array.
    #[inline(always)]
    fn array(self) -> [f64; LANES] {
        let mut array = [0.0; LANES];
        self.store(&mut array);
        array
    }
}

/// Lanes as plain arrays: what the other implementations are compared with, and what runs where there is none.
#[derive(Clone, Copy, Debug)]
pub struct Plain([f64; LANES]);

impl Plain {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let mut out = [0.0; LANES];
        for k in 0..LANES {
            out[k] = f(self.0[k], other.0[k]);
        }
        Plain(out)
    }

    #[inline(always)]
    fn compare(self, other: Self, f: impl Fn(f64, f64) -> bool) -> u8 {
        let mut bits = 0;
        for k in 0..LANES {
            bits |= u8::from(f(self.0[k], other.0[k])) << k;
        }
        bits
    }
}

impl Eight for Plain {
    type Mask = u8;
    type Count = u32;
    const VECTORS: usize = LANES;
    const FEW: u32 = 2;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        Plain([x; LANES])
    }

    #[inline(always)]
    fn load(from: &[f64; LANES]) -> Self {
        Plain(*from)
    }

    #[inline(always)]
    fn store(self, to: &mut [f64; LANES]) {
        *to = self.0;
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Plain(self.0.map(f64::abs))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn lt(self, other: Self) -> u8 {
        self.compare(other, |a, b| a < b)
    }

    #[inline(always)]
    fn le(self, other: Self) -> u8 {
        self.compare(other, |a, b| a <= b)
    }

    #[inline(always)]
    fn eq(self, other: Self) -> u8 {
        self.compare(other, |a, b| a == b)
    }

    #[inline(always)]
    fn unordered(self, other: Self) -> u8 {
        self.compare(other, |a, b| a.is_nan() | b.is_nan())
    }

    #[inline(always)]
    fn select(mask: u8, then: Self, other: Self) -> Self {
        let mut out = other.0;
        for (k, out) in out.iter_mut().enumerate() {
            *out = if mask >> k & 1 == 1 { then.0[k] } else { *out };
        }
        Plain(out)
    }

    #[inline(always)]
    fn bits(mask: u8) -> u8 {
        mask
    }

    #[inline(always)]
    fn mask(bits: u8) -> u8 {
        bits
    }

    #[inline(always)]
    fn none() -> u32 {
        0
    }

    #[inline(always)]
    fn tally(count: u32, mask: u8) -> u32 {
        count + mask.count_ones()
    }

    #[inline(always)]
    fn counted(count: u32) -> u32 {
        count
    }

    #[inline(always)]
    fn both(a: u8, b: u8) -> u8 {
        a & b
    }

    #[inline(always)]
    fn either(a: u8, b: u8) -> u8 {
        a | b
    }

    #[inline(always)]
    fn without(a: u8, b: u8) -> u8 {
        a & !b
    }
}
