import { expect, test } from 'vitest';
import { cancel } from '../../producers/cancel.ts';
import { judgeAgain } from '../../producers/judge-again.ts';
import { scoringModel } from '../../producers/score.ts';
import { CancelledError } from '../../shared/errors.ts';
import { settleBatches } from '../../shared/scoring/lifecycle.ts';
import type { Services } from '../../workers/handler.ts';
import { buildScore } from '../../workers/score.ts';
import { startWorkers } from '../../workers/workforce.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends, silent } from '../support/queue-backends.ts';
import { useSongBench } from '../support/song-bench.ts';
import { givenModel, givenSong, givenSpectrogram, songParameters } from '../support/songs.ts';
import { standIns } from '../support/stand-ins.ts';
import { context } from './previews-support.ts';

onBothBackends('batches of songs', (kind) => {
  const on = useSongBench(kind);

  const newBatch = (explain = 0) =>
    on.bench.database.prisma.scoreBatch.create({ data: { modelId: on.model.id, explain } });
  const stateOf = async (id: number) =>
    (await on.bench.database.prisma.scoreBatch.findUniqueOrThrow({ where: { id } })).state;

  /** A judge that says .5 of everything, and explains as it is told. */
  const servicesWith = (explain: (signal: AbortSignal) => Promise<never>) =>
    ({
      ...{
        config: { ...on.bench.config, tagger: 'off' },
        database: on.bench.database,
        queues: on.bench.queues,
      },
      judge: () => ({
        score: async (_model: unknown, songs: unknown[]) => songs.map(() => 0.5),
        explain: (_model: unknown, _request: unknown, signal: AbortSignal) => explain(signal),
      }),
    }) as unknown as Services;

  test('a song that becomes ready while the others are explained is judged by the same job', async () => {
    const { prisma } = on.bench.database;
    const batch = await newBatch(1);
    await givenSong(prisma, batch.id, { file: 'first', state: 'ready' });
    const late = await givenSong(prisma, batch.id, { file: 'late', state: 'fetched' });
    await givenSong(prisma, batch.id, { file: 'broken', state: 'failed' });
    const score = buildScore(
      servicesWith(async () => {
        // Its last song comes while the job is at work: what it asks for then is dropped by the queue.
        const { contentHash } = await prisma.song.findUniqueOrThrow({ where: { id: late } });
        await givenSpectrogram(prisma, contentHash!);
        await prisma.song.updateMany({ where: { id: late, state: 'fetched' }, data: { state: 'ready' } });
        throw new Error('no explanation today');
      }),
    );
    const outcome = await score.run({ batchId: batch.id }, context());
    expect(outcome).toMatchObject({ outcome: 'done', note: expect.stringContaining('2 songs') });
    expect(await prisma.song.count({ where: { batchId: batch.id, state: 'scored' } })).toBe(2);
    expect(await stateOf(batch.id)).toBe('done');
  });

  test('a running batch of which nothing is under way is asked for, once, and no other is', async () => {
    const { prisma, pool } = on.bench.database;
    const [ready, underWay, done] = [await newBatch(), await newBatch(), await newBatch()];
    await givenSong(prisma, ready.id, { file: 'a', state: 'ready' });
    await givenSong(prisma, underWay.id, { file: 'b', state: 'ready' });
    await givenSong(prisma, underWay.id, { file: 'c', state: 'queued' });
    await prisma.scoreBatch.update({ where: { id: done.id }, data: { state: 'done' } });
    await settleBatches(pool, on.bench.queues);
    await settleBatches(pool, on.bench.queues);
    const waiting = await on.bench.queues.of('score').getJobs(['waiting', 'delayed', 'active']);
    expect(waiting.map(({ data }) => data)).toEqual([{ batchId: ready.id }]);
  });

  test('workers close what was left: the last song was deleted, or its job was lost', async () => {
    const { prisma } = on.bench.database;
    const [lost, left] = [await newBatch(), await newBatch()];
    await givenSong(prisma, lost.id, { file: 'd', state: 'ready' });
    await givenSong(prisma, left.id, { file: 'e', state: 'scored' });
    const score = buildScore(servicesWith(() => Promise.reject(new Error('none'))));
    const workers = await startWorkers(on.bench.config, silent, ['score'], standIns({ score: score.run }));
    try {
      await eventually(
        async () => (await stateOf(lost.id)) === 'done' && (await stateOf(left.id)) === 'done',
        {
          what: 'both batches to be closed',
        },
      );
    } finally {
      await workers.close();
    }
    expect(await prisma.song.count({ where: { batchId: lost.id, state: 'scored' } })).toBe(1);
  });

  test('cancelling a batch takes its jobs out, and stops an explanation under way', async () => {
    const { prisma } = on.bench.database;
    const batch = await newBatch(1);
    const queued = await givenSong(prisma, batch.id, { file: 'f', state: 'queued' });
    const scored = await givenSong(prisma, batch.id, { file: 'g', state: 'scored' });
    const payload = { kind: 'song' as const, id: queued, parametersHash: songParameters };
    for (const stage of ['preview', 'embedding', 'spectrogram'] as const) {
      await on.bench.queues.enqueue(stage, [payload]);
    }
    await on.bench.queues.enqueue('score', [{ batchId: batch.id }, { batchId: batch.id, songId: scored }]);
    let explaining = false;
    const score = buildScore(
      servicesWith(
        (signal) =>
          new Promise((_resolve, reject) => {
            explaining = true;
            signal.addEventListener('abort', () => reject(new CancelledError('explain was cancelled')));
          }),
      ),
    );
    const running = Promise.resolve(score.run({ batchId: batch.id }, context())).catch((error) => error);
    await eventually(() => explaining, { what: 'the explanation to begin' });
    await cancel(on.session, `batch-${batch.id}`);
    expect(await running).toBeInstanceOf(CancelledError);
    const counts = await on.bench.queues.allCounts();
    for (const stage of ['preview', 'embedding', 'spectrogram', 'score'] as const) {
      expect(counts[stage].waiting, stage).toBe(0);
    }
    expect(await stateOf(batch.id)).toBe('cancelled');
    expect(await prisma.score.count({ where: { songId: scored } })).toBe(1);
  });

  test('the champion judges again what another judged: the same audio, in a batch of its own', async () => {
    const { prisma } = on.bench.database;
    const batch = await prisma.scoreBatch.create({
      data: { modelId: on.model.id, name: 'demos', state: 'done' },
    });
    const kept = await givenSong(prisma, batch.id, { file: 'h', state: 'scored' });
    await givenSong(prisma, batch.id, { file: 'i', state: 'failed' });
    await expect(judgeAgain(on.session, batch.id)).rejects.toThrow('no model is champion');
    const champion = await givenModel(prisma, { champion: true });
    const again = await judgeAgain(on.session, batch.id);
    expect(again).toMatchObject({
      modelId: champion.id,
      name: `demos, by model-${champion.id}`,
      ownerId: null,
    });
    const [song, ...others] = await prisma.song.findMany({ where: { batchId: again.id } });
    const before = await prisma.song.findUniqueOrThrow({ where: { id: kept }, include: { score: true } });
    expect(others).toEqual([]);
    const { contentHash, createdAt, title } = before;
    expect(song).toMatchObject({ contentHash, createdAt, title, state: 'ready' });
    expect(before.score).not.toBeNull();
    const counts = await on.bench.queues.allCounts();
    expect([counts.preview.waiting, counts.score.waiting]).toEqual([0, 1]);
    await expect(judgeAgain(on.session, again.id)).rejects.toThrow('which is the champion still');
    // Audio that was not decoded as the champion hears it goes through the stages.
    await prisma.spectrogram.deleteMany({ where: { contentHash: contentHash! } });
    const decodedAgain = await judgeAgain(on.session, batch.id);
    expect(await prisma.song.findMany({ where: { batchId: decodedAgain.id } })).toMatchObject([
      { state: 'queued' },
    ]);
    expect((await on.bench.queues.counts('preview')).waiting).toBe(1);
  });

  test('a model of permuted labels judges nothing, named or not', async () => {
    const nullTest = await givenModel(on.bench.database.prisma, { shuffleLabels: true });
    await expect(scoringModel(on.session, String(nullTest.id))).rejects.toThrow('permuted labels');
    expect((await scoringModel(on.session, String(on.model.id))).id).toBe(on.model.id);
  });
});
