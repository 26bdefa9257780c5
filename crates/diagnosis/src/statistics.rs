//! Statistics of benchmarks: medians with their intervals, ratios of medians, outliers, drift, the geometric mean.
//!
//! Times of programs are skewed and have outliers, so everything here is of medians and ranks; nothing assumes a bell
//! curve, and nothing is thrown away or clamped. Pure: randomness comes from a seed, so the same samples and seed give
//! the same interval. Deliberately not here: what a sample is, and what anybody should make of the result.
//!
//! Sources, by function:
//! - medians and bootstrap intervals instead of means for benchmarks: A. Georges, D. Buytaert, L. Eeckhout, "Statistically
//!   rigorous Java performance evaluation", OOPSLA 2007; T. Kalibera, R. Jones, "Rigorous benchmarking in reasonable
//!   time", ISMM 2013 (intervals of ratios).
//! - [`quantile`]: type 7 of R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American
//!   Statistician 50 (1996).
//! - [`outliers`]: modified z-score above 3.5, B. Iglewicz, D. C. Hoaglin, "How to detect and handle outliers", ASQC 1993.
//! - [`estimate`], [`ratio`], [`change`], [`geometric_mean`]: percentile bootstrap, B. Efron, R. J. Tibshirani, "An introduction to
//!   the bootstrap", chapter 13, 1993. Not BCa: its acceleration comes from the jackknife, which is wrong for medians
//!   (the same book, section 11.6).
//! - [`drift`]: H. B. Mann, "Nonparametric tests against trend", Econometrica 13 (1945), with the slope of P. K. Sen,
//!   JASA 63 (1968).
//! - the geometric mean for ratios: P. J. Fleming, J. J. Wallace, "How not to lie with statistics", CACM 29 (1986).

use fastrand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Resamples of a bootstrap.
pub const RESAMPLES: usize = 10_000;

/// Share of the bootstrap's results that an interval leaves out on either side.
const TAIL: f64 = 0.025;

/// Below this many samples even their whole range covers the median in less than nine of ten cases: no interval.
pub const FEWEST_FOR_INTERVAL: usize = 5;

/// A number with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Estimate {
    /// The number: a median, or a ratio or mean of medians.
    pub median: f64,
    /// Lower end of the 95 % interval; none with fewer than five samples.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
}

impl Estimate {
    /// A number whose interval is not known.
    pub fn bare(median: f64) -> Self {
        Self { median: neat(median), low: None, high: None }
    }
    /// Half the width of the interval as a share of the number; none without interval.
    pub fn relative_half_width(&self) -> Option<f64> {
        let (low, high) = (self.low?, self.high?);
        (self.median != 0.0).then(|| (high - low) / 2.0 / self.median.abs())
    }
    /// The interval is known, and no wider to either side (on average) than this share of the number.
    pub fn tight(&self, share: f64) -> bool {
        self.relative_half_width().is_some_and(|width| width <= share)
    }
    /// The two intervals have a number in common; none where one of them is not known.
    pub fn overlaps(&self, other: &Self) -> Option<bool> {
        Some(self.low? <= other.high? && other.low? <= self.high?)
    }
    /// The number and both ends through a function that keeps their order, or turns it around.
    #[must_use]
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        let (low, high) = (self.low.map(&f), self.high.map(&f));
        let turned = low.zip(high).is_some_and(|(low, high)| low > high);
        let (low, high) = if turned { (high, low) } else { (low, high) };
        Self { median: neat(f(self.median)), low: low.map(neat), high: high.map(neat) }
    }
}

/// Nine digits: more than any clock gives, and few enough that a document read back holds the very same number.
pub fn neat(number: f64) -> f64 {
    format!("{number:.8e}").parse().unwrap_or(number)
}

/// The median; none of nothing, and none where a sample is no finite number.
pub fn median(samples: &[f64]) -> Option<f64> {
    quantile(samples, 0.5)
}

/// The quantile of type 7 (that of R and NumPy) for a share from 0 to 1; none where [`median`] is none.
pub fn quantile(samples: &[f64], share: f64) -> Option<f64> {
    if samples.is_empty() || samples.iter().any(|x| !x.is_finite()) || !(0.0..=1.0).contains(&share) {
        return None;
    }
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(sorted_quantile(&sorted, share))
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // lengths of samples
fn sorted_quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() - 1) as f64 * share;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (at - at.floor())
}

/// Median of the distances to the median, not scaled; none where [`median`] is none.
pub fn median_absolute_deviation(samples: &[f64]) -> Option<f64> {
    let middle = median(samples)?;
    let distances: Vec<f64> = samples.iter().map(|x| (x - middle).abs()).collect();
    median(&distances)
}

/// Where the modified z-score makes a sample an outlier.
const OUTLIER: f64 = 3.5;

/// Positions of the samples that lie far from the others. They are told, never left out.
pub fn outliers(samples: &[f64]) -> Vec<usize> {
    let (Some(middle), Some(deviation)) = (median(samples), median_absolute_deviation(samples)) else {
        return Vec::new();
    };
    // More than half are the same number: then the mean distance takes the place of the median one, as the authors say.
    let spread = match deviation > 0.0 {
        true => deviation / 0.6745,
        false => mean(samples.iter().map(|x| (x - middle).abs())) * 1.253_314,
    };
    let far = |x: &f64| spread > 0.0 && (x - middle).abs() / spread > OUTLIER;
    samples.iter().enumerate().filter(|(_, x)| far(x)).map(|(at, _)| at).collect()
}

#[allow(clippy::cast_precision_loss)] // lengths of samples
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// The median with its bootstrap interval; none where [`median`] is none.
pub fn estimate(samples: &[f64], seed: u64) -> Option<Estimate> {
    let middle = median(samples)?;
    if samples.len() < FEWEST_FOR_INTERVAL {
        return Some(Estimate::bare(middle));
    }
    let mut resampler = Resampler::new(seed);
    let medians = (0..RESAMPLES).map(|_| resampler.median(samples)).collect();
    Some(with_interval(middle, medians))
}

/// The ratio of the medians of two independent lists of samples, over and under the line, with its bootstrap interval.
/// None where a median is none or a sample under the line is not positive.
pub fn ratio(over: &[f64], under: &[f64], seed: u64) -> Option<Estimate> {
    geometric_mean(&[(over, under)], seed)
}

/// The geometric mean of several such ratios. The interval is that of the measurement for just these ratios: it says
/// nothing of what others would have been. None where one of the ratios is none, not positive, or there is none.
pub fn geometric_mean(ratios: &[(&[f64], &[f64])], seed: u64) -> Option<Estimate> {
    let terms: Vec<Term<'_>> = ratios.iter().flat_map(|(over, under)| [(*over, 1.0), (*under, -1.0)]).collect();
    product(&terms, ratios.len(), seed)
}

/// How many times the ratio of `after` is that of `before`, both over and under the line: 1.1 is a tenth more. None
/// where [`ratio`] is none for one of the two.
pub fn change(before: (&[f64], &[f64]), after: (&[f64], &[f64]), seed: u64) -> Option<Estimate> {
    product(&[(after.0, 1.0), (after.1, -1.0), (before.0, -1.0), (before.1, 1.0)], 1, seed)
}

/// Samples whose median counts with a power: 1 over the line, -1 under it.
type Term<'a> = (&'a [f64], f64);

/// The root of the product of medians. Worked out in logarithms, so that ratios and their inverses are treated alike.
#[allow(clippy::cast_precision_loss)] // a number of ratios
fn product(terms: &[Term<'_>], root: usize, seed: u64) -> Option<Estimate> {
    if terms.is_empty() || terms.iter().any(|(samples, _)| samples.iter().any(|x| *x <= 0.0)) {
        return None;
    }
    let medians: Option<Vec<f64>> = terms.iter().map(|(samples, power)| Some(power * median(samples)?.ln())).collect();
    let whole = |logarithms: f64| (logarithms / root as f64).exp();
    let middle = whole(medians?.iter().sum());
    if terms.iter().any(|(samples, _)| samples.len() < FEWEST_FOR_INTERVAL) {
        return Some(Estimate::bare(middle));
    }
    let mut resampler = Resampler::new(seed);
    let drawn = (0..RESAMPLES)
        .map(|_| whole(terms.iter().map(|(samples, power)| power * resampler.median(samples).ln()).sum()));
    Some(with_interval(middle, drawn.collect()))
}

fn with_interval(middle: f64, mut resampled: Vec<f64>) -> Estimate {
    resampled.sort_by(f64::total_cmp);
    let (low, high) = (sorted_quantile(&resampled, TAIL), sorted_quantile(&resampled, 1.0 - TAIL));
    Estimate { median: neat(middle), low: Some(neat(low)), high: Some(neat(high)) }
}

/// Draws with replacement, without an allocation per draw.
struct Resampler {
    random: Rng,
    drawn: Vec<f64>,
}

impl Resampler {
    fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), drawn: Vec::new() }
    }
    /// The median of one resample; the samples are finite and not none.
    fn median(&mut self, samples: &[f64]) -> f64 {
        self.drawn.clear();
        self.drawn.extend((0..samples.len()).map(|_| samples[self.random.usize(..samples.len())]));
        self.drawn.sort_unstable_by(f64::total_cmp);
        sorted_quantile(&self.drawn, 0.5)
    }
}

/// A trend over the samples in the order they were taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Drift {
    /// Mann's test statistic in standard deviations; negative where samples fall.
    pub z: f64,
    /// Sen's slope over the whole list as a share of the median: -0.1 is "fell by a tenth".
    pub change: f64,
}

/// Below this many samples no trend can be told from chance at the level below.
const FEWEST_FOR_DRIFT: usize = 6;
/// Two-sided 1 %: a run makes dozens of these tests.
const DRIFT_Z: f64 = 2.575_829;
/// A smaller change is of no matter, however sure it is.
const DRIFT_CHANGE: f64 = 0.05;

impl Drift {
    /// Sure enough and large enough to be told: the machine slowed down (or sped up) while it was measured.
    pub fn matters(&self) -> bool {
        self.z.abs() >= DRIFT_Z && self.change.abs() >= DRIFT_CHANGE
    }
}

/// Whether samples rise or fall in the order they were taken; none with fewer than six, or where all are the same.
#[allow(clippy::cast_precision_loss)] // lengths of samples
pub fn drift(samples: &[f64]) -> Option<Drift> {
    let middle = median(samples).filter(|m| *m != 0.0 && samples.len() >= FEWEST_FOR_DRIFT)?;
    let n = samples.len() as f64;
    let mut sum = 0.0;
    let mut slopes = Vec::new();
    for (i, x) in samples.iter().enumerate() {
        for (j, y) in samples.iter().enumerate().skip(i + 1) {
            sum += if y > x {
                1.0
            } else if y < x {
                -1.0
            } else {
                0.0
            };
            slopes.push((y - x) / (j - i) as f64);
        }
    }
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let variance = (term(n) - ties(samples).into_iter().map(|t| term(t as f64)).sum::<f64>()) / 18.0;
    if variance <= 0.0 {
        return None;
    }
    let continuity = if sum == 0.0 { 0.0 } else { f64::signum(sum) };
    let slope = median(&slopes)?;
    Some(Drift { z: neat((sum - continuity) / variance.sqrt()), change: neat(slope * (n - 1.0) / middle) })
}

/// How many samples share each number.
fn ties(samples: &[f64]) -> Vec<usize> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Known answers: NumPy 2.4.6 and SciPy 1.17.1. Quantiles by numpy.quantile(method="linear"), deviations by
    // scipy.stats.median_abs_deviation, intervals of A and B by scipy.stats.bootstrap(numpy.median, n_resamples=10**6,
    // method="percentile"), the intervals of ratios by a million draws of numpy.random.default_rng(2).choice for
    // each list and numpy.quantile of the ratios; slopes by scipy.stats.theilslopes; Mann's S and its variance by hand.
    const A: [f64; 10] = [12.1, 11.8, 12.4, 11.9, 12.0, 12.2, 15.7, 11.7, 12.3, 12.05];
    const B: [f64; 10] = [3.1, 3.3, 2.9, 3.0, 3.2, 3.05, 3.15, 3.25, 2.95, 3.12];
    const C: [f64; 7] = [9.0, 2.0, 7.0, 4.0, 1.0, 5.0, 8.0];
    const D: [f64; 5] = [5.0, 5.2, 4.9, 5.1, 5.05];
    const E: [f64; 5] = [2.0, 2.1, 1.9, 2.05, 1.95];

    fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
        assert!((found - expected).abs() <= tolerance, "{what}: {found}, not {expected}");
    }

    fn interval(estimate: Option<Estimate>) -> (f64, f64, f64) {
        let Estimate { median, low, high } = estimate.unwrap();
        (low.unwrap(), median, high.unwrap())
    }

    #[test]
    fn quantiles_and_deviations_are_those_of_numpy_and_scipy() {
        let table: [(&[f64], [f64; 6], f64, f64); 3] = [
            (&A, [11.7225, 11.79, 11.925, 12.275, 12.73, 14.9575], 12.075, 0.2),
            (&B, [2.91125, 2.945, 3.0125, 3.1875, 3.255, 3.28875], 3.11, 0.1),
            (&C, [1.15, 1.6, 3.0, 7.5, 8.4, 8.85], 5.0, 3.0),
        ];
        for (samples, quantiles, middle, deviation) in table {
            for (share, expected) in [0.025, 0.1, 0.25, 0.75, 0.9, 0.975].into_iter().zip(quantiles) {
                near(quantile(samples, share).unwrap(), expected, 1e-9, "quantile");
            }
            near(median(samples).unwrap(), middle, 1e-9, "median");
            near(median_absolute_deviation(samples).unwrap(), deviation, 1e-9, "deviation");
        }
    }

    #[test]
    fn intervals_of_medians_and_ratios_are_those_of_a_million_draws() {
        for seed in [0, 1, 0xdead_beef] {
            for (samples, low, high) in [(&A, 11.9, 12.3), (&B, 3.0, 3.2)] {
                let found = interval(estimate(samples, seed));
                near(found.0, low, 0.026, "low");
                near(found.2, high, 0.026, "high");
            }
            let found = interval(ratio(&B, &A, seed));
            near(found.0, 0.246_377, 0.0015, "low of the ratio");
            near(found.1, 0.257_557, 1e-6, "ratio");
            near(found.2, 0.266_529, 0.0015, "high of the ratio");
            let found = interval(geometric_mean(&[(&B, &A), (&E, &D)], seed));
            near(found.0, 0.308_261, 0.0015, "low of the mean");
            near(found.1, 0.319_379, 1e-6, "mean");
            near(found.2, 0.329_358, 0.0015, "high of the mean");
            let found = interval(change((&E, &D), (&B, &A), seed));
            near(found.0, 0.606_928, 0.004, "low of the change");
            near(found.1, 0.650_331, 1e-6, "change");
            near(found.2, 0.692_393, 0.004, "high of the change");
        }
    }

    /// The bootstrap's distribution of the median of an odd number of samples is known exactly (B. Efron, Annals of
    /// Statistics 7, 1979): it is at most the k-th of n with the chance that a binomial(n, k/n) is at least (n+1)/2.
    /// By scipy.stats.binom: C has 0.0102 at 1 and 0.1083 at 2, D has 0.0579 at 4.9 and 0.9421 at 5.1.
    #[test]
    fn intervals_are_the_exact_ones_where_those_are_known() {
        assert_eq!(interval(estimate(&C, 7)), (2.0, 5.0, 8.0));
        assert_eq!(interval(estimate(&D, 7)), (4.9, 5.05, 5.2));
    }

    #[test]
    fn a_median_is_within_its_interval_and_the_seed_decides_nothing_that_matters() {
        let mut random = Rng::with_seed(11);
        for _ in 0..15 {
            let n = random.usize(5..24);
            let samples: Vec<f64> = (0..n).map(|_| (random.f64() * 3.0).exp()).collect();
            let (low, middle, high) = interval(estimate(&samples, random.u64(..)));
            assert!(low <= middle && middle <= high, "{low} {middle} {high} of {samples:?}");
            assert_eq!(estimate(&samples, 3), estimate(&samples, 3));
            // Another unit: everything with it.
            let scaled: Vec<f64> = samples.iter().map(|x| x * 1000.0).collect();
            let (one, other) = (interval(estimate(&samples, 3)), interval(estimate(&scaled, 3)));
            near(other.0 / 1000.0, one.0, 1e-7, "low of another unit");
            near(other.2 / 1000.0, one.2, 1e-7, "high of another unit");
            // Of itself it is one, and turned over it is the inverse.
            let other: Vec<f64> = samples.iter().map(|x| x * (0.5 + random.f64())).collect();
            let there = ratio(&samples, &other, 5).unwrap();
            let back = ratio(&other, &samples, 5).unwrap();
            near(there.median * back.median, 1.0, 1e-8, "there and back");
            let (low, middle, high) = interval(ratio(&samples, &samples, 5));
            assert!(low <= 1.0 && middle == 1.0 && high >= 1.0);
            near(change((&samples, &other), (&samples, &other), 5).unwrap().median, 1.0, 1e-9, "no change");
        }
    }

    /// Of samples whose true median is known, about 95 of 100 intervals hold it. Percentile intervals of few samples
    /// are known to be somewhat too narrow, so a little less is right.
    #[test]
    fn intervals_hold_the_truth_about_as_often_as_they_say() {
        let mut random = Rng::with_seed(5);
        for n in [5, 11] {
            let held = (0..200).filter(|_| {
                let samples: Vec<f64> = (0..n).map(|_| -(1.0 - random.f64()).ln()).collect();
                let (low, _, high) = interval(estimate(&samples, random.u64(..)));
                (low..=high).contains(&std::f64::consts::LN_2)
            });
            let share = held.count() as f64 / 200.0;
            assert!((0.89..=0.99).contains(&share), "{share} with {n} samples");
        }
    }

    #[test]
    fn faster_than_native_is_more_than_one_and_stays_that() {
        let (low, middle, high) = interval(ratio(&A, &B, 1));
        assert!(low > 3.0 && middle > low && high > middle);
    }

    #[test]
    fn what_has_no_answer_gets_none() {
        for samples in [&[][..], &[f64::NAN, 1.0], &[f64::INFINITY]] {
            assert_eq!((median(samples), estimate(samples, 0), drift(samples)), (None, None, None));
            assert!(outliers(samples).is_empty());
        }
        assert_eq!(ratio(&A, &[1.0, 0.0, 1.0], 0), None);
        assert_eq!((geometric_mean(&[], 0), quantile(&A, 1.5)), (None, None));
        assert_eq!(estimate(&[3.0], 0), Some(Estimate::bare(3.0)));
        assert_eq!(ratio(&A, &[2.0, 2.0], 0), Some(Estimate::bare(6.0375)));
    }

    #[test]
    fn outliers_are_told_also_where_most_samples_are_one_number() {
        assert_eq!(outliers(&A), [6]);
        assert_eq!(outliers(&B), Vec::<usize>::new());
        assert_eq!(outliers(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0]), [7]);
        assert_eq!(outliers(&[1.0; 8]), Vec::<usize>::new());
    }

    #[test]
    fn a_machine_that_slows_down_shows() {
        let throttled = [10.0, 9.9, 9.95, 9.7, 9.6, 9.65, 9.3, 9.2, 9.1, 9.0];
        let found = drift(&throttled).unwrap();
        near(found.z, -3.577_709, 1e-6, "z");
        near(found.change, -0.114_285_7 * 9.0 / 9.625, 1e-6, "change");
        assert!(found.matters());
        let ties = [10.0, 9.9, 9.9, 9.7, 9.6, 9.6, 9.6, 9.2, 9.1, 9.0];
        near(drift(&ties).unwrap().z, -3.646_423, 1e-6, "z with ties");
        assert!(!drift(&A).unwrap().matters() && !drift(&B).unwrap().matters());
        let tiny: Vec<f64> = (0..12).map(|i| 100.0 + f64::from(i) * 0.01).collect();
        assert!(!drift(&tiny).unwrap().matters(), "a certain change of a thousandth is of no matter");
        assert_eq!((drift(&[1.0; 9]), drift(&D)), (None, None));
    }

    #[test]
    fn tight_is_a_share_of_the_number() {
        let found = Estimate { median: 10.0, low: Some(9.6), high: Some(10.2) };
        assert!(found.tight(0.03) && !found.tight(0.029) && !Estimate::bare(10.0).tight(1.0));
        let other = Estimate { median: 11.0, low: Some(10.3), high: Some(12.0) };
        assert_eq!((found.overlaps(&other), found.overlaps(&found)), (Some(false), Some(true)));
        assert_eq!(found.overlaps(&Estimate::bare(1.0)), None);
        assert_eq!(found.map(|x| 1.0 / x).low, Some(neat(1.0 / 10.2)));
    }
}
