/** Explains what a model says of one song. Runs in the learning process. */
import type { MelSpectrogramParameters } from '../../audio/mel.ts';
import type { ModelFamily, Predictor } from '../family.ts';
import { needsTagger } from '../features/sets.ts';
import type { Recording } from '../recording.ts';
import { type Decision, explainDecision } from './decision.ts';
import type { TaggerEar } from './masked-judge.ts';
import { MaskedJudge } from './masked-judge.ts';
import { drawExplanation } from './picture.ts';
import { checkSanity } from './sanity.ts';
import type { TypicalSound } from './typical.ts';

/** What is to be explained: plain data, so that it can go to another process. */
export interface ExplainRequest {
  readonly recording: Recording;
  /** Of the spectrogram. */
  readonly parameters: MelSpectrogramParameters;
  /** Where the spectrogram begins, in seconds of the song. */
  readonly start: number;
  /** Of the model's data set. */
  readonly typical: TypicalSound;
  /** The tagger's input of the same audio; null where it cannot be had, or no model asks for it. */
  readonly tagger: Pick<TaggerEar, 'logMel' | 'start'> | null;
  readonly title: string;
  readonly subtitle: string;
  readonly seed: number;
}

export interface SongExplanation {
  /** Null where the model judges by what cannot be taken away in parts. */
  readonly decision: Decision | null;
  /** PNG. */
  readonly picture: Uint8Array;
}

/** A model, and what it would be without what it has learned. */
export interface ExplainedModel {
  readonly predictor: Predictor;
  readonly randomised: (seed: number) => Promise<Predictor>;
}

/** What of a song a family listens to. */
export function hearingOf({ name, features }: Pick<ModelFamily, 'name' | 'features'>) {
  const tagger = needsTagger(features);
  const spectrogram =
    features.length === 0 ? name !== 'dummy' : features.some((set) => !needsTagger([set]) && set !== 'facts');
  return { tagger, spectrogram };
}

/**
 * Explain a song.
 * @param randomised loads the same model with its weights shuffled by a seed, to check the explanation by.
 * @param embedPatches of the tagger, asked only where the request has its input.
 * @param turn awaited often; may throw to stop.
 */
export async function explainSong(
  request: ExplainRequest,
  family: Pick<ModelFamily, 'name' | 'features'>,
  { predictor, randomised }: ExplainedModel,
  embedPatches: TaggerEar['embedPatches'],
  turn: () => Promise<void>,
): Promise<SongExplanation> {
  const { recording, parameters, start, typical, seed, title, subtitle } = request;
  const hears = hearingOf(family);
  const tagger = hears.tagger && request.tagger ? { ...request.tagger, embedPatches } : null;
  let decision: Decision | null = null;
  if (hears.spectrogram || tagger) {
    const judge = new MaskedJudge({ recording, parameters, start, typical, tagger, seed }, predictor, turn);
    decision = {
      ...(await explainDecision(judge, seed)),
      sanity: await checkSanity(judge, randomised, seed),
    };
  }
  const seconds = ((recording.frames - 1) * parameters.hop) / parameters.sampleRate;
  const span = { start, end: start + Math.max(seconds, parameters.hop / parameters.sampleRate) };
  const picture = await drawExplanation({
    spectrogram: recording,
    parameters,
    span,
    decision,
    title,
    subtitle,
  });
  return { decision, picture };
}
