import { type LoadedTensorFlow, loadTensorFlow, type Preference } from '../tensorflow/index.ts';
import { TaggerNetwork } from './network.ts';
import { cutPatches, embeddingOfPatches } from './patches.ts';
import { requireTagger } from './provision.ts';
import { readTaggerWeights } from './weights.ts';

export interface LoadTaggerOptions {
  preference: Preference;
  /** The folder that `setUpTagger` and `setUpTensorFlow` filled. */
  cacheDir: string;
}

/** A tagger in this process. Its calls compute synchronously: TaggerProcess keeps an event loop free. */
export interface LoadedTagger {
  backend: LoadedTensorFlow['backend'];
  /**
   * Embed a recording.
   * @param logMel made with `taggerInput`, shape [frames][96]
   * @returns in the layout of `embeddingParts`
   */
  embed(logMel: Float32Array): Float32Array;
  /**
   * Embed patches one by one, so that where only some of a recording change only those are computed again;
   * `embeddingOfPatches` makes the recording's embedding of them.
   * @param patches shape [patches][187][96], as `cutPatches` makes them
   * @returns shape [patches][patchValues]
   */
  embedPatches(patches: Float32Array): Float32Array;
}

/**
 * Load the tagger into this process, which should have been started with `tensorflowEnvironment()`.
 * @throws UserError when it has not been set up, or TensorFlow's preference cannot be met
 */
export async function loadTagger({ preference, cacheDir }: LoadTaggerOptions): Promise<LoadedTagger> {
  const weights = await readTaggerWeights(requireTagger(cacheDir));
  const { tf, backend } = await loadTensorFlow({ preference, cacheDir });
  const network = new TaggerNetwork(tf, weights);
  return {
    backend,
    embed: (logMel) => embeddingOfPatches(network.run(cutPatches(logMel))),
    embedPatches: (patches) => network.run(patches),
  };
}
