/**
 * The one table of stages: for each its queue, what a job carries, how often and why it is tried
 * again, how a job is named, how many run at once in a process, and what follows.
 *
 *   search ─► preview ─► embedding ─► spectrogram ─► [a batch's last song] ─► score
 *      └► lookup ─┘ └───────────────────┘         └► [data set frozen]     ─► train
 *
 * The spectrogram is what makes a track ready; an embedding comes before it, and only where there is a tagger.
 *   schedule: a night, which starts crawl, freeze and train one after the other
 *
 * Payloads carry ids, never rows or audio. A job's id is made from its payload alone, so that the
 * same work asked for twice is one job.
 */
import { z } from 'zod';
import type { Config } from './config.ts';
import { UserError } from './errors.ts';

const id = z.int().positive();

/** One page of one partition of a crawl. */
export const searchPayload = z.strictObject({ pageId: id });
export type SearchPayload = z.infer<typeof searchPayload>;

/** A track whose preview or popularity its source does not give. */
export const lookupPayload = z.strictObject({
  trackId: id,
  crawlId: id,
  /** Which spectrogram is wanted; null: none, only the popularity is. */
  parametersHash: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .nullable(),
});
export type LookupPayload = z.infer<typeof lookupPayload>;

/** Audio to be fetched and turned into a spectrogram: a track of the catalogue or a song to be judged. */
export const audioPayload = z.strictObject({
  kind: z.enum(['track', 'song']),
  id,
  parametersHash: z.string().regex(/^[0-9a-f]{16}$/),
});
export type AudioPayload = z.infer<typeof audioPayload>;

export const trainPayload = z.strictObject({ modelId: id });
export type TrainPayload = z.infer<typeof trainPayload>;

/** A batch to be scored and ranked, or one song of it that is scored and to be explained. */
export const scorePayload = z.strictObject({ batchId: id, songId: id.optional() });
export type ScorePayload = z.infer<typeof scorePayload>;

/** A night that is due (the queue's scheduler makes these jobs), or one that has its row and goes on. */
export const schedulePayload = z.union([z.strictObject({ scheduleId: id }), z.strictObject({ nightId: id })]);
export type SchedulePayload = z.infer<typeof schedulePayload>;

export interface StagePayloads {
  search: SearchPayload;
  lookup: LookupPayload;
  preview: AudioPayload;
  embedding: AudioPayload;
  spectrogram: AudioPayload;
  train: TrainPayload;
  score: ScorePayload;
  schedule: SchedulePayload;
}
export type StageName = keyof StagePayloads;

export interface Stage<Name extends StageName> {
  name: Name;
  /** What it does, for people. */
  does: string;
  payload: z.ZodType<StagePayloads[Name]>;
  /** How often a job may start that fails for a reason that might pass. */
  attempts: number;
  /** First pause before another attempt, doubled each time, in milliseconds; jitter 0 to 1. */
  backoff: { type: 'exponential'; delay: number; jitter: number };
  /** Why these attempts and pauses. */
  because: string;
  jobId: (payload: StagePayloads[Name]) => string;
  /** How many jobs run at once in one process. */
  concurrency: (config: Config) => number;
  /** How many jobs start in so many milliseconds, over all workers on all machines; none: as many as can. */
  limit?: { max: number; duration: number };
  /** What may follow a job of this stage. */
  next: readonly StageName[];
}

export const stages: { readonly [Name in StageName]: Stage<Name> } = {
  search: {
    name: 'search',
    does: 'asks the source for one page of a search and stores what came',
    payload: searchPayload,
    attempts: 8,
    backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
    because: 'an API has bursts of errors: eight tries span about a minute, and a lost page is lost tracks',
    jobId: (payload) => `search-page-${payload.pageId}`,
    // Requests take turns (shared/outside/turn.ts); while one waits for its answer others store theirs.
    concurrency: () => 4,
    next: ['preview', 'lookup', 'search'],
  },
  lookup: {
    name: 'lookup',
    does: 'asks Deezer for the preview or the popularity of a track that its source does not give',
    payload: lookupPayload,
    attempts: 6,
    backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
    because: 'a free API that is often busy: six tries span about half a minute',
    jobId: (payload) => `lookup-track-${payload.trackId}-${payload.parametersHash ?? 'none'}`,
    concurrency: () => 4,
    // Deezer allows 50 requests in 5 s to an address.
    limit: { max: 45, duration: 5_000 },
    next: ['preview'],
  },
  preview: {
    name: 'preview',
    does: 'fetches the audio of a track or song',
    payload: audioPayload,
    attempts: 5,
    backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
    because: 'disks and networks have bad minutes: five tries span about half a minute',
    jobId: (payload) => `preview-${payload.kind}-${payload.id}-${payload.parametersHash}`,
    concurrency: () => 8,
    next: ['embedding', 'spectrogram'],
  },
  embedding: {
    name: 'embedding',
    does: 'lets the music tagger listen to the audio',
    payload: audioPayload,
    attempts: 3,
    backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
    because: 'the tagger is deterministic: only the database or a killed process is worth another try',
    jobId: (payload) => `embedding-${payload.kind}-${payload.id}-${payload.parametersHash}`,
    // The tagger takes one after the other; meanwhile the next ones are decoded.
    concurrency: (config) => config.audio.processes + 1,
    next: ['spectrogram'],
  },
  spectrogram: {
    name: 'spectrogram',
    does: 'decodes the audio and makes its mel spectrogram',
    payload: audioPayload,
    attempts: 3,
    backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
    because: 'decoding is deterministic: only the database or a killed worker is worth another try',
    jobId: (payload) => `spectrogram-${payload.kind}-${payload.id}-${payload.parametersHash}`,
    // One more than there are decoders, so that none waits while a result is being stored.
    concurrency: (config) => config.audio.processes + 1,
    next: ['score'],
  },
  train: {
    name: 'train',
    does: 'trains a model on a frozen data set and evaluates it',
    payload: trainPayload,
    attempts: 3,
    backoff: { type: 'exponential', delay: 2_000, jitter: 0 },
    because:
      'a training resumes from its last epoch, so another try costs little; a third crash is no accident',
    jobId: (payload) => `train-model-${payload.modelId}`,
    concurrency: () => 1,
    next: [],
  },
  score: {
    name: 'score',
    does: 'scores and ranks the songs of a batch',
    payload: scorePayload,
    attempts: 3,
    backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
    because: 'scoring is deterministic: only the database or a killed worker is worth another try',
    jobId: ({ batchId, songId }) =>
      songId === undefined ? `score-batch-${batchId}` : `score-explain-song-${songId}`,
    concurrency: () => 1,
    next: [],
  },
  schedule: {
    name: 'schedule',
    does: 'runs a night: its steps one after the other, each when the one before is truly finished',
    payload: schedulePayload,
    attempts: 3,
    backoff: { type: 'exponential', delay: 5_000, jitter: 0 },
    because: 'what a night has done so far is in its row: another try goes on there',
    // What is due gets its id from the queue, which makes the job.
    jobId: (payload) =>
      'nightId' in payload ? `schedule-night-${payload.nightId}` : `schedule-due-${payload.scheduleId}`,
    // A night only waits for others, and the next one must be able to say that it still does.
    concurrency: () => 16,
    next: [],
  },
};

export const stageNames = Object.keys(stages) as StageName[];

/** Where audio may wait or fail: another machine may have the tagger that this one has not. */
export const everyAudioStage = ['preview', 'embedding', 'spectrogram'] as const satisfies StageName[];

/** The stages that audio goes through, by the settings of this machine. */
export function audioStages({ tagger }: Pick<Config, 'tagger'>): StageName[] {
  return everyAudioStage.filter((stage) => stage !== 'embedding' || tagger !== 'off');
}

/**
 * Read a comma-separated list of stages, as `--only` takes it.
 * @throws UserError that names what is unknown and lists what there is: a typo must not turn a worker off
 */
export function parseStageNames(list: string): StageName[] {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const unknown = names.filter((name) => !Object.hasOwn(stages, name));
  if (unknown.length > 0 || names.length === 0) {
    const wrong = unknown.length > 0 ? `unknown stage ${unknown.join(', ')}` : 'no stage is named';
    throw new UserError(`${wrong}; the stages are ${stageNames.join(', ')}`);
  }
  return [...new Set(names)] as StageName[];
}
