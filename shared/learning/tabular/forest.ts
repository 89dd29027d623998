import { below, type Random, randomStream, uniform } from '../random.ts';

/**
 * A forest of extremely randomised trees (P. Geurts, D. Ernst and L. Wehenkel, "Extremely randomized
 * trees", 2006): each split draws a few features and for each a cut at random, and takes the best by the
 * Gini index. Every tree sees all rows.
 *
 * Nodes of all trees stand one after another; a child is a node's place, a leaf's `feature` is -1.
 */
export interface Forest {
  /** First node of each tree. */
  readonly roots: Int32Array;
  readonly feature: Int32Array;
  readonly cut: Float32Array;
  /** Where rows of at most `cut` go; the others go to the node after it. */
  readonly left: Int32Array;
  /** Share of popular tracks that ended here, smoothed; of leaves. */
  readonly share: Float32Array;
}

export interface ForestOptions {
  readonly trees: number;
  /** Rows that a leaf has at the least. */
  readonly leaf: number;
  /** At most this many rows for each tree, drawn without replacement, so that time stays bounded. */
  readonly rows: number;
}

class Growth {
  readonly feature: number[] = [];
  readonly cut: number[] = [];
  readonly left: number[] = [];
  readonly share: number[] = [];
  /** By feature and row: a split looks at one feature of many rows. */
  readonly #columns: readonly Float64Array[];
  readonly #labels: readonly (0 | 1)[];
  readonly #leaf: number;
  readonly #drawn: number;
  readonly #prior: number;

  constructor(rows: readonly Float64Array[], labels: readonly (0 | 1)[], leaf: number) {
    this.#columns = Array.from(rows[0]!, (_, feature) => Float64Array.from(rows, (row) => row[feature]!));
    this.#labels = labels;
    this.#leaf = leaf;
    this.#drawn = Math.max(1, Math.round(Math.sqrt(rows[0]!.length)));
    this.#prior = labels.filter((label) => label === 1).length / labels.length;
  }

  /** Grow a tree on rows, which are put into another order. @returns its root. */
  grow(members: Int32Array, random: Random): number {
    const root = this.#node();
    const open: [node: number, from: number, to: number][] = [[root, 0, members.length]];
    for (let next = open.pop(); next; next = open.pop()) {
      const [node, from, to] = next;
      const split = this.#split(members, from, to, random);
      if (!split) {
        let popular = 0;
        for (let i = from; i < to; i++) popular += this.#labels[members[i]!]!;
        // One song's worth of the whole's share: a leaf of two songs is no certainty.
        this.share[node] = (popular + this.#prior) / (to - from + 1);
        continue;
      }
      let middle = from;
      const column = this.#columns[split.feature]!;
      for (let i = from; i < to; i++) {
        const row = members[i]!;
        if (column[row]! > split.cut) continue;
        members[i] = members[middle]!;
        members[middle++] = row;
      }
      const left = this.#node();
      this.#node();
      this.feature[node] = split.feature;
      this.cut[node] = split.cut;
      this.left[node] = left;
      open.push([left, from, middle], [left + 1, middle, to]);
    }
    return root;
  }

  #node(): number {
    this.cut.push(0);
    this.left.push(0);
    this.share.push(0);
    return this.feature.push(-1) - 1;
  }

  #split(members: Int32Array, from: number, to: number, random: Random) {
    const count = to - from;
    let popular = 0;
    for (let i = from; i < to; i++) popular += this.#labels[members[i]!]!;
    if (count < 2 * this.#leaf || popular === 0 || popular === count) return null;
    let best: { feature: number; cut: number; impurity: number } | null = null;
    // Features that are the same for all rows here do not count as drawn, up to a limit.
    for (let drawn = 0, tries = 0; drawn < this.#drawn && tries < 4 * this.#drawn; tries++) {
      const feature = below(random, this.#columns.length);
      const column = this.#columns[feature]!;
      let low = Infinity;
      let high = -Infinity;
      for (let i = from; i < to; i++) {
        const value = column[members[i]!]!;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (!(high > low)) continue;
      drawn++;
      // As it is kept, so that training and prediction decide alike.
      const cut = Math.fround(low + (high - low) * uniform(random));
      let small = 0;
      let popularSmall = 0;
      for (let i = from; i < to; i++) {
        if (column[members[i]!]! > cut) continue;
        small++;
        popularSmall += this.#labels[members[i]!]!;
      }
      if (small < this.#leaf || count - small < this.#leaf) continue;
      const large = count - small;
      const popularLarge = popular - popularSmall;
      const impurity =
        (popularSmall * (small - popularSmall)) / small + (popularLarge * (large - popularLarge)) / large;
      if (!best || impurity < best.impurity) best = { feature, cut, impurity };
    }
    return best;
  }
}

/**
 * Grow a forest. The same rows, options and seed give the same forest.
 *
 * @param rows of equally many features, all finite.
 * @param turn awaited after each tree; may throw to stop.
 */
export async function growForest(
  rows: readonly Float64Array[],
  labels: readonly (0 | 1)[],
  options: ForestOptions,
  seed: number,
  turn: () => Promise<void>,
): Promise<Forest> {
  const growth = new Growth(rows, labels, options.leaf);
  const roots: number[] = [];
  const all = Int32Array.from(rows, (_, index) => index);
  for (let tree = 0; tree < options.trees; tree++) {
    await turn();
    const random = randomStream(seed, 'tree', tree);
    const members = Int32Array.from(all);
    const count = Math.min(members.length, options.rows);
    if (count < members.length) {
      for (let i = 0; i < count; i++) {
        const other = i + below(random, members.length - i);
        [members[i], members[other]] = [members[other]!, members[i]!];
      }
    }
    roots.push(growth.grow(members.subarray(0, count), random));
  }
  return {
    roots: Int32Array.from(roots),
    feature: Int32Array.from(growth.feature),
    cut: Float32Array.from(growth.cut),
    left: Int32Array.from(growth.left),
    share: Float32Array.from(growth.share),
  };
}

/** Average the trees' shares: 0 to 1. */
export function forestShare({ roots, feature, cut, left, share }: Forest, row: Float64Array): number {
  let sum = 0;
  for (const root of roots) {
    let node = root;
    while (feature[node]! >= 0) node = left[node]! + (row[feature[node]!]! > cut[node]! ? 1 : 0);
    sum += share[node]!;
  }
  return sum / roots.length;
}
