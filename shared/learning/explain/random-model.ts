/** A model that has learned nothing: in form it is another's, and what that one has learned is shuffled. */
import { below, type Random, randomStream, shuffle } from '../random.ts';
import { decodeWeights, encodeWeights } from '../weights.ts';

/** How vectors are brought to scale, and where trees ask: what is left of a model that has learned nothing. */
const kept = new Set(['mean', 'deviation', 'roots', 'feature', 'cut', 'left']);

/**
 * Shuffle what a model has learned within each of its arrays (J. Adebayo et al., "Sanity checks for saliency
 * maps", 2018): weights of a network's layer or of a linear model are permuted and get signs at random, of
 * trees what their leaves say is permuted. So the numbers stay as large as they were, and mean nothing.
 * Without the signs something would be left: a linear model that has found every band to speak for a song
 * says so still when its weights are permuted alone (rank correlations of .8 to .94 on planted moments).
 *
 * @param weights in the format of weights.ts
 * @param seed the same gives the same
 */
export function withoutLearning(weights: Uint8Array, seed: number): Uint8Array {
  const arrays = decodeWeights(weights);
  const featureOf = (leaves: string) => arrays.find(({ name }) => name === `${leaves}feature`)?.values;
  return encodeWeights(
    arrays.map((array) => {
      const { name, values } = array;
      const own = name.slice(name.lastIndexOf('/') + 1);
      if (kept.has(own)) return array;
      const random = randomStream(seed, 'random model', name);
      const feature = own === 'share' ? featureOf(name.slice(0, -own.length)) : undefined;
      return { ...array, values: feature ? permutedLeaves(values, feature, random) : noise(values, random) };
    }),
  );
}

function noise(values: Float32Array, random: Random): Float32Array {
  const shuffled = shuffle([...values], random);
  return Float32Array.from(shuffled, (value) => (below(random, 2) === 0 ? value : -value));
}

/** @param feature that each node asks for; below 0 where it is a leaf */
function permutedLeaves(shares: Float32Array, feature: Float32Array, random: Random): Float32Array {
  const leaves = [...shares.keys()].filter((node) => feature[node]! < 0);
  const from = shuffle([...leaves], random);
  const result = Float32Array.from(shares);
  for (const [index, leaf] of leaves.entries()) result[leaf] = shares[from[index]!]!;
  return result;
}
