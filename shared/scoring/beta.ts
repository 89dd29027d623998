/** The beta distribution: what is believed of a share after some successes and failures. */

/** Coefficients of Lanczos' approximation with g = 7 (P. Godfrey, 2001): 15 digits. */
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** @param x above 0 */
function logGamma(x: number): number {
  // Below a half the series is poor: one step up by gamma(x + 1) = x gamma(x).
  if (x < 0.5) return logGamma(x + 1) - Math.log(x);
  const base = x + 6.5;
  let series: number = lanczos[0];
  for (let i = 1; i < lanczos.length; i++) series += lanczos[i]! / (x + i - 1);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(series);
}

/**
 * The probability that a share is at most `x`.
 * @param alpha successes and the prior's, above 0; `beta` the same of failures
 */
export function betaBelow(x: number, alpha: number, beta: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean alone.
  if (x > (alpha + 1) / (alpha + beta + 2)) return 1 - betaBelow(1 - x, beta, alpha);
  return (Math.exp(logFront(x, alpha, beta)) * continuedFraction(x, alpha, beta)) / alpha;
}

/** Logarithm of the density times x (1 - x). */
function logFront(x: number, alpha: number, beta: number): number {
  const scale = logGamma(alpha + beta) - logGamma(alpha) - logGamma(beta);
  return scale + alpha * Math.log(x) + beta * Math.log1p(-x);
}

/** Lentz' way to evaluate the continued fraction of the incomplete beta function (DLMF 8.17.22). */
function continuedFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const awayFromZero = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= 10_000; m++) {
    let step = 1;
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const term of [even, odd]) {
      d = 1 / awayFromZero(1 + term * d);
      c = awayFromZero(1 + term / c);
      step = c * d;
      value *= step;
    }
    if (Math.abs(step - 1) < 1e-14) break;
  }
  return value;
}

/**
 * The share below which it is with this probability, 0 to 1: by Newton's steps, halving where one leaves
 * what is known.
 * @param start where to begin: near the answer it is found sooner
 */
export function betaQuantile(
  probability: number,
  alpha: number,
  beta: number,
  start = alpha / (alpha + beta),
): number {
  let low = 0;
  let high = 1;
  let x = start;
  for (let tries = 0; tries < mostTries && high - low > precision; tries++) {
    const off = betaBelow(x, alpha, beta) - probability;
    if (off < 0) low = x;
    else high = x;
    const density = Math.exp(logFront(x, alpha, beta)) / (x * (1 - x));
    const next = x - off / density;
    const moved = next > low && next < high ? next : (low + high) / 2;
    if (Math.abs(moved - x) < precision) return moved;
    x = moved;
  }
  return x;
}

const precision = 1e-10;
const mostTries = 200;
