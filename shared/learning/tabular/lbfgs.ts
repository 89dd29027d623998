/** A function to minimise: writes its gradient at `x` into `gradient` and returns its value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

/** Pairs of steps and gradient changes that the curvature is read from. */
const memory = 20;
const armijo = 1e-4;
const wolfe = 0.9;

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/** The two-loop recursion: the negative gradient times the estimated inverse Hessian. */
function direction(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const result = gradient.map((value) => -value);
  const factors: number[] = [];
  for (const { step, change, curvature } of [...pairs].reverse()) {
    const factor = dot(step, result) / curvature;
    factors.unshift(factor);
    for (let i = 0; i < result.length; i++) result[i]! -= factor * change[i]!;
  }
  const newest = pairs.at(-1);
  const scale = newest
    ? newest.curvature / dot(newest.change, newest.change)
    : 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)));
  for (let i = 0; i < result.length; i++) result[i]! *= scale;
  for (const [place, { step, change, curvature }] of pairs.entries()) {
    const factor = factors[place]! - dot(change, result) / curvature;
    for (let i = 0; i < result.length; i++) result[i]! += factor * step[i]!;
  }
  return result;
}

/**
 * Minimise a smooth convex function by L-BFGS with a bisecting Wolfe line search (Nocedal and Wright,
 * Numerical Optimization, 2nd edition, algorithms 7.4 and 7.5; Burke, Lewis and Overton for the search).
 *
 * @param start is not changed.
 * @param tolerance stop when no component of the gradient is larger.
 * @param turn awaited once an iteration; may throw to stop.
 * @returns the minimum's place.
 */
export async function minimise(
  objective: Objective,
  start: Float64Array,
  tolerance: number,
  maxIterations: number,
  turn: () => Promise<void> = async () => {},
): Promise<Float64Array> {
  let x = start.slice();
  let gradient = new Float64Array(x.length);
  let value = objective(x, gradient);
  const pairs: Pair[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    await turn();
    if (gradient.every((component) => Math.abs(component) <= tolerance)) break;
    const towards = direction(gradient, pairs);
    const slope = dot(towards, gradient);
    let low = 0;
    let high = Infinity;
    let length = 1;
    let moved = x;
    let movedGradient = gradient;
    let movedValue = value;
    // 50 halvings reach the precision of a float64: no better point can be told apart.
    for (let tries = 0; tries < 50; tries++) {
      moved = x.map((component, i) => component + length * towards[i]!);
      movedGradient = new Float64Array(x.length);
      movedValue = objective(moved, movedGradient);
      if (movedValue > value + armijo * length * slope) high = length;
      else if (dot(towards, movedGradient) < wolfe * slope) low = length;
      else break;
      length = Number.isFinite(high) ? (low + high) / 2 : 2 * low;
    }
    if (!(movedValue <= value)) break;
    const step = moved.map((component, i) => component - x[i]!);
    const change = movedGradient.map((component, i) => component - gradient[i]!);
    const curvature = dot(step, change);
    if (curvature > 0) pairs.push({ step, change, curvature });
    else if (pairs.length === 0) break;
    if (pairs.length > memory) pairs.shift();
    [x, gradient, value] = [moved, movedGradient, movedValue];
  }
  return x;
}
