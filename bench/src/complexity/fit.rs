//! What grows how: counts as polynomials of the committee's size, and the slope between neighbours.
//!
//! A power law fitted to `2n(n-1)` over n = 4..64 says n^2.07, because of the lower term; a polynomial says what it is. So the basis is
//! `{n^2, n, 1}`: it goes through three of the points, and it is called exact only if it goes through all the others.

use serde::Serialize;
use std::fmt;

/// Points that a polynomial may miss by so much of their value and still be met: the grain of 64-bit arithmetic, not of measurement.
const GRAIN: f64 = 1e-9;

/// `square n^2 + linear n + constant`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Polynomial {
    /// Of `n^2`.
    pub square: f64,
    /// Of `n`.
    pub linear: f64,
    /// The rest.
    pub constant: f64,
}

/// What became of fitting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "fit")]
pub enum Fit {
    /// The polynomial goes through all points, of which there are more than three.
    Exact(Polynomial),
    /// It goes through the first, the middle and the last; the worst of the others is off by this part of its value.
    Off {
        /// Through three points.
        polynomial: Polynomial,
        /// At the point that it misses most: 0.01 is a hundredth.
        worst: f64,
    },
    /// Fewer than four points prove nothing.
    TooFew,
}

impl Polynomial {
    /// Its value at `n`.
    pub fn at(&self, n: f64) -> f64 {
        (self.square * n + self.linear) * n + self.constant
    }

    /// Through three points with different `n` (Newton's divided differences).
    fn through([(x0, y0), (x1, y1), (x2, y2)]: [(f64, f64); 3]) -> Self {
        let first = (y1 - y0) / (x1 - x0);
        let square = ((y2 - y1) / (x2 - x1) - first) / (x2 - x0);
        let linear = first - square * (x0 + x1);
        let rounded = |value: f64| if (value - value.round()).abs() < 1e-6 { value.round() } else { value };
        let (square, linear) = (rounded(square), rounded(linear));
        Self { square, linear, constant: rounded(y0 - (square * x0 + linear) * x0) }
    }
}

/// Fits points of ascending `n`, each once.
pub fn fit(points: &[(f64, f64)]) -> Fit {
    let &[first, .., last] = points else { return Fit::TooFew };
    if points.len() < 4 {
        return Fit::TooFew;
    }
    let polynomial = Polynomial::through([first, points[points.len() / 2], last]);
    let miss = |&(n, value): &(f64, f64)| (polynomial.at(n) - value).abs() / value.abs().max(1.0);
    let worst = points.iter().map(miss).fold(0.0, f64::max);
    if worst <= GRAIN { Fit::Exact(polynomial) } else { Fit::Off { polynomial, worst } }
}

/// The exponent between neighbours: `(n of the left, n of the right, d log(value) / d log(n))`.
pub fn slopes(points: &[(f64, f64)]) -> Vec<(f64, f64, f64)> {
    points
        .windows(2)
        .map(|pair| (pair[0].0, pair[1].0, (pair[1].1 / pair[0].1).ln() / (pair[1].0 / pair[0].0).ln()))
        .collect()
}

impl fmt::Display for Polynomial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = [(self.square, "n^2"), (self.linear, "n"), (self.constant, "")];
        let mut is_first = true;
        for (factor, power) in terms.into_iter().filter(|(factor, _)| *factor != 0.0) {
            let sign = match (is_first, factor < 0.0) {
                (true, false) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (false, true) => " - ",
            };
            let size = factor.abs();
            match (size == 1.0 && !power.is_empty(), size.fract() == 0.0) {
                (true, _) => write!(f, "{sign}{power}")?,
                (_, true) => write!(f, "{sign}{size:.0}{power}")?,
                (_, false) => write!(f, "{sign}{size:.3}{power}")?,
            }
            is_first = false;
        }
        if is_first { f.write_str("0") } else { Ok(()) }
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(polynomial) => write!(f, "exactly {polynomial}"),
            Self::Off { polynomial, worst } => write!(f, "about {polynomial} (off by up to {:.1} %)", worst * 100.0),
            Self::TooFew => f.write_str("fewer than four sizes: no fit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [f64; 6] = [4.0, 7.0, 10.0, 16.0, 31.0, 64.0];

    fn points(of: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        SIZES.map(|n| (n, of(n))).to_vec()
    }

    #[test]
    fn what_is_quadratic_is_found_to_be_exactly_that() {
        assert_eq!(fit(&points(|n| 2.0 * n * (n - 1.0))).to_string(), "exactly 2n^2 - 2n");
        assert_eq!(fit(&points(|n| 2.0 * (n - 1.0))).to_string(), "exactly 2n - 2");
        assert_eq!(fit(&points(|n| n * n / 2.0 - n + 7.0)).to_string(), "exactly 0.500n^2 - n + 7");
    }

    #[test]
    fn one_message_too_many_is_not_exact_and_neither_is_a_cubic() {
        let mut one_more = points(|n| 2.0 * n * (n - 1.0));
        one_more[2].1 += 1.0;
        assert!(matches!(fit(&one_more), Fit::Off { .. }), "{}", fit(&one_more));
        assert!(matches!(fit(&points(|n| n * n * n)), Fit::Off { .. }));
        assert_eq!(fit(&points(|n| n)[..3]), Fit::TooFew);
    }

    #[test]
    fn the_local_slope_of_a_quadratic_with_a_lower_term_comes_down_to_two() {
        let slopes: Vec<_> = slopes(&points(|n| 2.0 * n * (n - 1.0))).into_iter().map(|(_, _, slope)| slope).collect();
        assert!(slopes.is_sorted_by(|left, right| left > right) && slopes[0] > 2.2 && slopes[4] < 2.05, "{slopes:?}");
    }
}
