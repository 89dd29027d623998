/** Asks a model about a song of which segments were taken away, whatever the model judges by. */
import type { MelSpectrogramParameters } from '../../audio/mel.ts';
import { taggerInput } from '../../tagger/input.ts';
import { cutPatches, embeddingOfPatches, patchValues } from '../../tagger/patches.ts';
import { patchFrames } from '../../tagger/weights.ts';
import type { Predictor } from '../family.ts';
import type { Recording } from '../recording.ts';
import { type Mask, withoutSegments, withoutSegmentsLogMel } from './filling.ts';
import { type Grid, gridOf, type Placement, placementOf } from './grid.ts';
import { type TypicalSound, typicalLevels, typicalLogMel } from './typical.ts';

/** The tagger's ear: its input of the same song, and the network. */
export interface TaggerEar {
  /** Made with `taggerInput`, shape [frames][96]. */
  readonly logMel: Float32Array;
  /** Where it begins, in seconds of the song. */
  readonly start: number;
  /** As `LoadedTagger.embedPatches`. */
  readonly embedPatches: (patches: Float32Array) => Float32Array;
}

export interface JudgedSong {
  readonly recording: Recording;
  /** Of the spectrogram. */
  readonly parameters: MelSpectrogramParameters;
  /** Where the spectrogram begins, in seconds of the song. */
  readonly start: number;
  /** Of the data set: what stands where segments are taken away. */
  readonly typical: TypicalSound;
  /** The same gives the same. */
  readonly seed: number;
  /** Null where the model does not judge by the tagger, or its input cannot be had: then it hears the whole. */
  readonly tagger: TaggerEar | null;
}

/** Songs judged at once. */
const chunk = 16;
/** Probabilities are kept this far from 0 and 1 before they become log odds. */
const margin = 1e-6;

export function logOddsOf(probability: number): number {
  const inside = Math.max(margin, Math.min(1 - margin, probability));
  return Math.log(inside / (1 - inside));
}

export class MaskedJudge {
  readonly grid: Grid;
  readonly #song: JudgedSong;
  readonly #predictor: Predictor;
  readonly #turn: () => Promise<void>;
  readonly #placement: Placement;
  readonly #fill: Uint8Array;
  readonly #tagger: MaskedTagger | null;

  /** @param turn awaited between chunks; may throw to stop. */
  constructor(song: JudgedSong, predictor: Predictor, turn: () => Promise<void>) {
    const { recording, parameters, start, typical, seed, tagger } = song;
    const spans = [spanOf(recording.frames, parameters, start)] as const;
    const heard = tagger && spanOf(tagger.logMel.length / taggerInput.bands, taggerInput, tagger.start);
    this.grid = gridOf(heard ? [...spans, heard] : [...spans], parameters);
    this.#song = song;
    this.#predictor = predictor;
    this.#turn = turn;
    this.#placement = placementOf(this.grid, parameters, recording.frames, start);
    this.#fill = typicalLevels(typical, recording.frames, seed);
    this.#tagger = tagger && new MaskedTagger(tagger, song, this.grid);
  }

  /**
   * Judge the song without the segments of each mask.
   * @param predictor another than the model that is explained
   * @returns log odds of being popular.
   */
  async judge(masks: readonly Mask[], predictor: Predictor = this.#predictor): Promise<number[]> {
    const logOdds: number[] = [];
    for (let from = 0; from < masks.length; from += chunk) {
      await this.#turn();
      const some = masks.slice(from, from + chunk);
      const embeddings = this.#tagger?.embeddings(some);
      const recordings = some.map((mask, index) => ({
        ...this.#song.recording,
        ...withoutSegments(this.#song.recording, mask, this.grid, this.#placement, this.#fill),
        ...(embeddings ? { embedding: embeddings[index]! } : {}),
      }));
      logOdds.push(...(await predictor.predict(recordings)).map(logOddsOf));
    }
    return logOdds;
  }
}

function spanOf(frames: number, { hop, sampleRate }: MelSpectrogramParameters, start: number) {
  return { start, end: start + Math.max(1, frames - 1) * (hop / sampleRate) };
}

/** Embeds a song without segments; patches that were heard before are remembered. */
class MaskedTagger {
  readonly #ear: TaggerEar;
  readonly #grid: Grid;
  readonly #placement: Placement;
  /** The song's patches, and those of what its segments are replaced by. */
  readonly #patches: Float32Array;
  readonly #fill: Float32Array;
  /** The stretches that each patch hears of. */
  readonly #stretchesOf: number[][];
  readonly #known = new Map<string, Float32Array>();

  constructor(ear: TaggerEar, { recording, parameters, typical, seed }: JudgedSong, grid: Grid) {
    const frames = ear.logMel.length / taggerInput.bands;
    const input = { values: ear.logMel, parameters: taggerInput };
    this.#ear = ear;
    this.#grid = grid;
    this.#patches = cutPatches(ear.logMel);
    this.#fill = cutPatches(typicalLogMel(input, recording, parameters, typical, seed));
    const { stretchOf, groupOf } = placementOf(grid, taggerInput, frames, ear.start);
    // A song that is shorter than a patch is repeated in it.
    const heard = Int32Array.from(
      { length: this.#patches.length / taggerInput.bands },
      (_, frame) => stretchOf[frame % frames]!,
    );
    this.#placement = { groupOf, stretchOf: heard };
    this.#stretchesOf = Array.from({ length: heard.length / patchFrames }, (_, patch) => {
      const own = heard.subarray(patch * patchFrames, (patch + 1) * patchFrames);
      return [...new Set(own)].filter((stretch) => stretch >= 0);
    });
  }

  /** [masks] in the layout of shared/tagger/embedding.ts. */
  embeddings(masks: readonly Mask[]): Float32Array[] {
    const keys = masks.map((mask) => this.#stretchesOf.map((_, patch) => this.#key(mask, patch)));
    const missing = new Map<string, Float32Array>();
    for (const [index, mask] of masks.entries()) {
      for (const [patch, key] of keys[index]!.entries()) {
        if (!this.#known.has(key) && !missing.has(key)) missing.set(key, this.#without(mask, patch));
      }
    }
    this.#listen(missing);
    return keys.map((own) => embeddingOfPatches(joined(own.map((key) => this.#known.get(key)!))));
  }

  #without(mask: Mask, patch: number): Float32Array {
    const { stretchOf, groupOf } = this.#placement;
    const [from, to] = [patch * patchFrames, (patch + 1) * patchFrames];
    const cut = (values: Float32Array) => values.subarray(from * groupOf.length, to * groupOf.length);
    const placement = { groupOf, stretchOf: stretchOf.subarray(from, to) };
    return withoutSegmentsLogMel(cut(this.#patches), mask, this.#grid, placement, cut(this.#fill));
  }

  #listen(missing: ReadonlyMap<string, Float32Array>): void {
    if (missing.size === 0) return;
    const rows = this.#ear.embedPatches(joined([...missing.values()]));
    for (const [index, key] of [...missing.keys()].entries()) {
      this.#known.set(key, rows.subarray(index * patchValues, (index + 1) * patchValues));
    }
  }

  /** What a patch is under a mask: the patch, and which of its segments are gone. */
  #key(mask: Mask, patch: number): string {
    const { stretches, groups } = this.#grid;
    const gone = this.#stretchesOf[patch]!.flatMap((stretch) =>
      groups.map((_, group) => mask[group * stretches.length + stretch]!),
    );
    return `${patch} ${gone.join('')}`;
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
