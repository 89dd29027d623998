import type { StageName, StagePayloads } from '../../shared/stages.ts';
import type { Handler, HandlerBuilder, JobContext, Outcome } from '../../workers/handler.ts';

type Runs = {
  [Name in StageName]?: (payload: StagePayloads[Name], context: JobContext) => Promise<Outcome>;
};

/**
 * Handlers that stand in for those of all stages. One that is not given does nothing. When an audio
 * job fails for good, the score of the batch with the song's number follows.
 */
export function standIns(runs: Runs): Record<StageName, HandlerBuilder> {
  const done = async (): Promise<Outcome> => ({ outcome: 'done' });
  const audio = (stage: 'preview' | 'embedding' | 'spectrogram'): HandlerBuilder => {
    const handler: Handler<typeof stage> = {
      stage,
      run: runs[stage] ?? done,
      fail: async ({ kind, id }) => ({
        subject: { subject: `the subject of ${kind} ${id}` },
        next: [{ stage: 'score', payload: { batchId: id } }],
      }),
    };
    return () => handler as Handler<'preview'>;
  };
  return {
    preview: audio('preview'),
    embedding: audio('embedding'),
    spectrogram: audio('spectrogram'),
    train: () => ({ stage: 'train', run: runs.train ?? done, fail: async () => null }),
    score: () => ({ stage: 'score', run: runs.score ?? done, fail: async () => null }),
    search: () => ({ stage: 'search', run: runs.search ?? done, fail: async () => null }),
    lookup: () => ({ stage: 'lookup', run: runs.lookup ?? done, fail: async () => null }),
    schedule: () => ({ stage: 'schedule', run: runs.schedule ?? done, fail: async () => null }),
  };
}
